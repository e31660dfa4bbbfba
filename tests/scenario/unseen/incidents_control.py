"""Incidents of the control plane and of what is deployed: webhooks, rights, pruned objects, probes, migrations, slow code."""

from pathlib import Path

from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, edited, gone_line, job, traffic
from line_formats import gunicorn, klog, nginx_error, pino, postgres, spring, zap


def webhook_down(folder: Path) -> Path:
    """A policy engine's webhook is out of memory and fails closed: evicted pods are not made again. Events and a proxy's log."""
    x = Export(day(2, 12), 360, seed=101, namespace="feed")
    front = edge(x)
    kyverno = x.workload("kyverno-admission-controller", 1, namespace="kyverno")[0]
    pods = x.workload("timeline", 2)
    of = pods[0].rpartition("-")[0]
    for at in x.every(7, 88, 300):
        x.event(at, "OOMKilling", "Node/node-a", "Memory cgroup out of memory: Killed process 991 (kyverno)", warning=True, host="node-a",
                component="kernel-monitor")  # fmt: skip
        x.event(at + 0.2, "BackOff", f"Pod/{kyverno}", f"Back-off restarting failed container app in pod {kyverno}_kyverno(1a)", warning=True,
                namespace="kyverno")  # fmt: skip
    for pod in pods:
        x.event(131, "Preempted", f"Pod/{pod}", "Preempted by pod 3b1f on node node-b", component="default-scheduler")
        x.event(131.1, "Killing", f"Pod/{pod}", "Stopping container app")
    for n, at in enumerate((131.3, 131.6, 132.2, 133.4, 136, 141, 152, 173, 214)):
        x.event(at, "FailedCreate", f"ReplicaSet/{of}", 'Error creating: Internal error occurred: failed calling webhook "mutate.kyverno.svc-fail": '
                'failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/mutate/fail?timeout=10s": no endpoints available for service '
                f'"kyverno-svc"{"" if n else " "}', warning=True, component="replicaset-controller")  # fmt: skip
    x.event(301, "SuccessfulCreate", f"ReplicaSet/{of}", f"Created pod: {of}-zz9x4", component="replicaset-controller")
    traffic(x, front, "/timeline", "feed-timeline-80", every=0.2, failing=between((131.2, 302.5)), status=(503,))
    x.rollout(60, "likes", 2, image="2.5.0")
    return x.write(folder)


def right_removed(folder: Path) -> Path:
    """A Role is narrowed; the scheduler of jobs may not read its ConfigMap any more and starts none. Objects and logs. Ten hours."""
    x = Export(day(3, 6), 600, seed=102, namespace="flow")
    runner, web = x.workload("job-runner", 1)[0], x.workload("flow-web", 2)
    edited(x, {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "job-runner", "namespace": "flow"},
        "rules": [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get", "list"]}],
    }, 288.0, "kubectl-edit", {"f:rules": {}})  # fmt: skip
    for at in x.every(0.5):
        bad = at > 288.3
        if bad:
            x.log(runner, at, klog(x.at(at), "E", '"Reconciler error" err="configmaps \\"pipelines\\" is forbidden: User '
                  '\\"system:serviceaccount:flow:job-runner\\" cannot get resource \\"configmaps\\" in API group \\"\\" in the namespace '
                  '\\"flow\\"" controller="pipeline"', "controller.go:347"))  # fmt: skip
        else:
            x.log(runner, at, klog(x.at(at), "I", '"Started pipeline" controller="pipeline"', "pipeline.go:88"))
        down = at > 300 and x.random.random() < 0.5
        x.log(x.random.choice(web), at, gunicorn(x.random, x.at(at), "/runs/latest", 503 if down else 200, 12000))
    x.rollout(240, "flow-web", 2, image="10.1.0")
    x.event(
        180,
        "Unhealthy",
        f"Pod/{web[0]}",
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
        warning=True,
    )
    return x.write(folder)


def pruned(folder: Path) -> Path:
    """Argo CD prunes a ConfigMap that a Deployment still mounts; pods that are made afterwards cannot start. Events only, and a proxy."""
    x = Export(day(4), 720, seed=103, namespace="maps")
    front = edge(x)
    x.event(300, "OperationStarted", "Application/maps", "unknown user initiated automated sync to '8d1e0c4'", component="argocd-application-controller",
            namespace="argocd")  # fmt: skip
    x.event(300.2, "ResourceDeleted", "Application/maps", "Deleted ConfigMap maps/tile-sources (pruned)", component="argocd-application-controller",
            namespace="argocd")  # fmt: skip
    x.event(300.4, "OperationCompleted", "Application/maps", "Sync operation to 8d1e0c4 succeeded", component="argocd-application-controller",
            namespace="argocd")  # fmt: skip
    source = {"envFrom": [{"configMapRef": {"name": "tile-sources"}}]}
    pods = x.workload("tiles", 2, container=source)
    of = pods[0].rpartition("-")[0]
    for n, pod in enumerate(pods):
        fresh = f"{of}-{'qr'[n]}w4t6"
        x.event(331 + n * 0.1, "Killing", f"Pod/{pod}", "Stopping container app")
        x.event(
            331.2,
            "Scheduled",
            f"Pod/{fresh}",
            f"Successfully assigned maps/{fresh} to node-a",
            component="default-scheduler",
        )
        x.event(
            331.4,
            "Failed",
            f"Pod/{fresh}",
            'Error: configmap "tile-sources" not found',
            warning=True,
            count=80,
            until=560,
        )
    x.event(330.9, "SuccessfulCreate", f"ReplicaSet/{of}", "Created pod", component="replicaset-controller")
    traffic(x, front, "/tiles", "maps-tiles-80", every=0.3, failing=between((331.3, 561)), status=(503,))
    traffic(x, front, "/route", "maps-route-80", every=0.8, failing=between())
    x.rollout(255, "route", 2, image="3.3.0")
    return x.write(folder)


def wrong_probe(folder: Path) -> Path:
    """A release moves its health page, the probe stays: new pods are never ready, the old ones are gone (Recreate). Two hours."""
    x = Export(day(5, 14), 120, seed=104, namespace="club")
    front = edge(x)
    x.workload("members", 2)
    probe = {"readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 10}}
    new = x.rollout(51, "members", 2, image="6.0.0", container=probe)
    for pod in new:
        x.event(
            52,
            "Unhealthy",
            f"Pod/{pod}",
            "Readiness probe failed: HTTP probe failed with statuscode: 404",
            warning=True,
            count=370,
            until=119,
        )
        x.log(pod, 51.5, pino(x.at(51.5), 30, "Server listening at http://0.0.0.0:8080"))

    def failed(at: float) -> None:
        x.log(x.random.choice(new), at, pino(x.at(at), 40, "request", url="/health", status=404))

    traffic(
        x,
        front,
        "/members",
        "club-members-80",
        every=0.1,
        failing=lambda m: 1.0 if m > 51.6 else 0.0,
        status=(503,),
        failed=failed,
    )
    traffic(x, front, "/events", "club-events-80", every=0.3, failing=between())
    x.rollout(33, "events", 2, image="1.2.0")
    return x.write(folder)


def many_queries(folder: Path) -> Path:
    """A release asks the database once a row; it is fine at night and times out at every day's peak. Three days, metrics."""
    x = Export(day(6), 3 * 1440, seed=105, namespace="hr")
    front = edge(x)
    old, pg = x.workload("rosters", 2), x.workload("postgres", 1)[0]
    new = x.rollout(1150.0, "rosters", 2, image="5.0.0")
    busy = lambda m: 20.0 + 80.0 * max(0.0, 1 - abs((m % 1440) - 780) / 240)  # noqa: E731 - read beside its use
    x.counter("pg_stat_database_xact_commit", {"namespace": "hr", "datname": "hr", "pod": pg},
              lambda m: busy(m) * (3.0 if m < 1150 else 41.0), step=5)  # fmt: skip
    x.counter("http_requests_total", {"namespace": "hr", "service": "rosters", "code": "200"}, busy, step=5)
    x.counter("container_cpu_usage_seconds_total", {"namespace": "hr", "pod": pg, "container": "app"},
              lambda m: busy(m) * (0.004 if m < 1150 else 0.038), step=5)  # fmt: skip
    hot = lambda m: 0.5 if m > 1150 and busy(m) > 70 else 0.0  # noqa: E731 - read beside its use

    def failed(at: float) -> None:
        x.log(
            x.random.choice(new),
            at,
            spring(
                x.at(at), "WARN", "o.h.SQL_SLOW", "Slow query took 9 milliseconds (1840 statements in this session)"
            ),
        )

    traffic(x, front, "/roster", "hr-rosters-80", every=1.0, failing=hot, status=(504,), slow=30.0, failed=failed,
            served=lambda m: x.log(x.random.choice(old if m < 1150 else new), m, spring(x.at(m), "INFO", "c.e.Roster", "roster built")))  # fmt: skip
    x.rollout(2300, "badges", 1, image="1.0.5")
    x.cronjob("payslips", "0 22 * * *", [1320.0, 2760.0, 4200.0], 25)
    return x.write(folder)


def migration_waits(folder: Path) -> Path:
    """A chart's migration Job alters a busy table: its lock waits behind a report and everybody waits behind it. Three hours."""
    x = Export(day(7, 10), 180, seed=106, namespace="till")
    front = edge(x)
    api, pg = x.workload("cart-api", 3), x.workload("postgres", 1)[0]
    pod = job(x, "cart-db-migrate", 71.0, 24.0)
    x.log(pod, 71.3, "INFO  [alembic.runtime.migration] Running upgrade 4f1c -> 9a02, add column coupon_id to carts")
    x.log(pod, 94.9, "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.")
    x.log(
        pg,
        71.4,
        postgres(
            x.at(71.4),
            "LOG",
            "process 5110 still waiting for AccessExclusiveLock on relation 16702 of database 16384 after 1000.080 ms",
        ),
    )
    x.log(pg, 71.4, postgres(x.at(71.4), "DETAIL", "Process holding the lock: 4127. Wait queue: 5110."))
    for at in x.every(0.4, 72, 95):
        x.log(pg, at, postgres(x.at(at), "LOG", f"process {x.random.randint(5200, 5900)} still waiting for RowShareLock on relation 16702 of database "
              "16384 after 1000.131 ms"))  # fmt: skip

    def failed(at: float) -> None:
        x.log(x.random.choice(api), at, zap(x.at(at), "error", "update cart", error="context deadline exceeded"))

    traffic(
        x,
        front,
        "/cart",
        "till-cart-api-80",
        every=0.08,
        failing=between((71.6, 95.2), chance=0.9),
        status=(504, 500),
        slow=10.0,
        failed=failed,
    )
    x.rollout(52, "gift-cards", 2, image="0.7.0")
    return x.write(folder)


def clocks_go_forward(folder: Path) -> Path:
    """From the day the clocks go forward a job bound to local time runs into another one an hour earlier: deadlocks. Five days."""
    x = Export(day(27), 5 * 1440, seed=107, namespace="acct")
    pg, api = x.workload("postgres", 1)[0], x.workload("ledger-api", 2)
    front = edge(x)
    settle = [
        d * 1440 + (150.0 if d < 2 else 90.0) for d in range(5)
    ]  # 03:30 in Berlin: 02:30 UTC, from the 29th on 01:30 UTC
    x.cronjob("settlement", "30 3 * * *", settle, 25)
    x.objects["acct", "CronJob"][-1]["spec"]["timeZone"] = "Europe/Berlin"
    x.cronjob("interest", "15 1 * * *", [d * 1440 + 75.0 for d in range(5)], 40)
    both = between(*((d * 1440 + 90.5, d * 1440 + 115.0) for d in (2, 3, 4)), chance=0.7)

    def failed(at: float) -> None:
        x.log(pg, at, postgres(x.at(at), "ERROR", "deadlock detected"))
        x.log(
            x.random.choice(api),
            at,
            spring(x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper", "ERROR: deadlock detected"),
        )

    traffic(x, front, "/postings", "acct-ledger-api-80", every=1.0, failing=both, status=(500,), failed=failed)
    x.rollout(1900, "statements", 1, image="2.1.0")
    return x.write(folder)


def keys_unreachable(folder: Path) -> Path:
    """The identity provider outside does not hand out its keys; every API refuses its users. A release minutes before. Logs only."""
    x = Export(day(8, 12), 240, seed=108, namespace="saas")
    front = edge(x, keep=False)
    api, export = x.workload("projects-api", 3), x.workload("exports-api", 2)
    bad = between((131.0, 171.0), chance=0.85)

    def failed(at: float) -> None:
        pod = x.random.choice((*api, *export))
        x.log(pod, at, zap(x.at(at), "error", "authenticate", error='failed to fetch JWKS: Get "https://acme.eu.idp.example.net/.well-known/jwks.json": '
              "net/http: TLS handshake timeout"))  # fmt: skip

    for path in ("/projects", "/exports"):
        traffic(
            x,
            front,
            path,
            f"saas-{path[1:]}-api-80",
            every=0.25,
            failing=bad,
            status=(401, 503),
            slow=10.0,
            failed=failed,
        )
    fresh = x.rollout(128.5, "billing-web", 2, image="19.0.0")
    for at in x.every(3, 129):
        x.log(x.random.choice(fresh), at, pino(x.at(at), 40, "deprecated option used"))
    x.say(135, "UKAI", "nobody can log in, billing-web release just went out")
    return x.write(folder)


def keep_alive(folder: Path) -> Path:
    """A release sets the server's keep-alive below the proxy's: now and then a reused connection is closed. Two days."""
    x = Export(day(9), 2 * 1440, seed=109, namespace="poll")
    front = edge(x)
    old = x.workload("votes", 2)
    new = x.rollout(1333.0, "votes", 2, image="3.0.0")

    def failed(at: float) -> None:
        x.log(front, at, nginx_error(x.at(at), "upstream prematurely closed connection while reading response header from upstream", "/votes",
              "10.42.1.5:8080"), namespace="ingress-nginx")  # fmt: skip

    traffic(x, front, "/votes", "poll-votes-80", every=0.4, failing=lambda m: 0.06 if m > 1334 else 0.0, failed=failed,
            served=lambda m: x.log(x.random.choice(old if m < 1333 else new), m, pino(x.at(m), 30, "vote counted")))  # fmt: skip
    x.rollout(700, "charts", 1, image="2.4.0")
    x.rollout(2100, "charts", 1, image="2.5.0")
    return x.write(folder)


def old_address(folder: Path) -> Path:
    """A Service is deleted and made again; its address is another and nginx keeps the old one for hours. Objects, nginx. Eight hours."""
    x = Export(day(10, 8), 480, seed=110, namespace="desk")
    front = edge(x)
    x.workload("wiki", 2)
    service = next(o for o in x.objects["desk", "Service"] if o["metadata"]["name"] == "wiki")
    service["metadata"]["creationTimestamp"] = stamp(x.at(203.0))
    service["spec"]["clusterIP"] = "10.43.77.12"

    def failed(at: float) -> None:
        x.log(front, at, gone_line(x.at(at), "upstream timed out (110: Operation timed out) while connecting to upstream", "10.43.19.4:80"),
              namespace="ingress-nginx")  # fmt: skip

    traffic(
        x,
        front,
        "/wiki",
        "desk-wiki-80",
        every=0.25,
        failing=between((203.2, 397.0)),
        status=(504,),
        slow=5.0,
        failed=failed,
    )
    x.rollout(170, "calendar", 2, image="2.8.0")
    return x.write(folder)


INCIDENTS = (
    Unseen(name="webhook-down", build=webhook_down, question="why is /timeline 503?", roots=frozenset({"Deployment/kyverno/kyverno-admission-controller"}),
           shallow=frozenset({"Deployment/feed/timeline"}), hard=True),
    Unseen(name="right-removed", build=right_removed, question=None, roots=frozenset({"Role/flow/job-runner"}),
           shallow=frozenset({"Deployment/flow/job-runner"}), hard=True),
    Unseen(name="pruned", build=pruned, question=None, roots=frozenset({"Application/argocd/maps", "ConfigMap/maps/tile-sources"})),
    Unseen(name="wrong-probe", build=wrong_probe, question=None, roots=frozenset({"Deployment/club/members"})),
    Unseen(name="many-queries", build=many_queries, question="Why 504s on rosters at noon?", full=True, hard=True, roots=frozenset({"Deployment/hr/rosters"})),
    Unseen(name="migration-waits", build=migration_waits, question=None, roots=frozenset({"Job/till/cart-db-migrate"})),
    Unseen(name="clocks-go-forward", build=clocks_go_forward, question=None, full=True, hard=True,
           roots=frozenset({"CronJob/acct/settlement", "CronJob/acct/interest"})),
    Unseen(name="keys-unreachable", build=keys_unreachable, question="Why could nobody log in?", roots=frozenset({"Host//acme.eu.idp.example.net"})),
    Unseen(name="keep-alive", build=keep_alive, question=None, roots=frozenset({"Deployment/poll/votes"})),
    Unseen(name="old-address", build=old_address, question=None, roots=frozenset({"Service/desk/wiki"}), hard=True),
)  # fmt: skip
