"""Incidents of who decides how many and where: a blind scaler, a hand on a Deployment, jobs that pile up, placement, a crowd."""

from pathlib import Path

from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, edited, traffic
from incident_sets import ended, made
from line_formats import klog, nginx_error, pino, postgres, spring, zap

NODES = ("node-a", "node-b", "node-c")


def adapter_fails(folder: Path) -> Path:
    """KEDA is upgraded; its metrics server cannot reach the operator, and the day's peak meets two consumers where seven stood before. Three days."""
    x = Export(day(2), 3 * 1440, seed=601, namespace="post")
    front = edge(x)
    api = x.workload("labels", 2)
    of = api[0].rpartition("-")[0]
    x.keep({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "keda-hpa-labels", "namespace": "post"},
        "spec": {"minReplicas": 2, "maxReplicas": 10, "scaleTargetRef": {"kind": "Deployment", "name": "labels"}},
    })  # fmt: skip
    peaks = [(d * 1440 + 960.0, d * 1440 + 1080.0) for d in range(3)]
    for begun, over in peaks[:2]:
        for size, at in ((4, begun - 12), (7, begun + 4), (2, over + 9)):
            x.event(at, "SuccessfulRescale", "HorizontalPodAutoscaler/keda-hpa-labels",
                    f"New size: {size}; reason: external metric s0-prometheus(&LabelSelector{{MatchLabels:map[string]string{{scaledobject.keda.sh/name: labels,}},"
                    f"MatchExpressions:[]LabelSelectorRequirement{{}},}}) {'above target' if size > 2 else 'below target'}", component="horizontal-pod-autoscaler")  # fmt: skip
            x.event(at + 0.1, "ScalingReplicaSet", "Deployment/labels", f"Scaled {'up' if size > 2 else 'down'} replica set {of} to {size}",
                    component="deployment-controller")  # fmt: skip
    new = x.rollout(2 * 1440 + 611, "keda-operator-metrics-apiserver", 1, image="2.16.0", namespace="keda")[0]
    for at in x.every(1.5, 2 * 1440 + 612):
        x.log(new, at, klog(x.at(at), "E", '"keda_metrics_adapter/provider: error getting metrics" err="rpc error: code = Unavailable desc = connection error: '
              'desc = \\"transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority\\""',
              "provider.go:91"), namespace="keda")  # fmt: skip
    x.event(2 * 1440 + 612, "FailedGetExternalMetric", "HorizontalPodAutoscaler/keda-hpa-labels",
            "unable to get external metric post/s0-prometheus/&LabelSelector{MatchLabels:map[string]string{scaledobject.keda.sh/name: labels,},MatchExpressions:"
            "[]LabelSelectorRequirement{},}: unable to fetch metrics from external metrics API: rpc error: code = Unavailable desc = connection error",
            warning=True, count=2800, until=3 * 1440 - 1, component="horizontal-pod-autoscaler")  # fmt: skip
    held = between((peaks[2][0] - 4, peaks[2][1] + 3), chance=0.45)

    def failed(at: float) -> None:
        x.log(front, at, nginx_error(x.at(at), "upstream timed out (110: Operation timed out) while reading response header from upstream", "/labels", "10.42.0.6:8080"),
              namespace="ingress-nginx")  # fmt: skip

    for low, high in peaks:
        traffic(x, front, "/labels", "post-labels-80", every=0.1, failing=held, status=(504, 503), slow=20.0, since=low - 4, until=high + 3, failed=failed,
                served=lambda m: x.log(x.random.choice(api), m, pino(x.at(m), 30, "label printed")))  # fmt: skip
    traffic(x, front, "/labels", "post-labels-80", every=0.8, failing=held, status=(504, 503), slow=20.0, failed=failed,
            served=lambda m: x.log(x.random.choice(api), m, pino(x.at(m), 30, "label printed")))  # fmt: skip
    x.rollout(2 * 1440 + 905, "tracking", 2, image="3.14.0")
    return x.write(folder)


def put_to_zero(folder: Path) -> Path:
    """Somebody scales the token service to zero in the wrong cluster and back after half an hour; two services that need it answer 401 and 503."""
    x = Export(day(3, 12), 300, seed=602, namespace="auth")
    front = edge(x)
    tokens = x.workload("token-service", 3)
    of = tokens[0].rpartition("-")[0]
    deployment = next(o for o in x.objects["auth", "Deployment"] if o["metadata"]["name"] == "token-service")
    deployment["metadata"]["managedFields"] = [
        {"manager": "kubectl", "operation": "Update", "apiVersion": "apps/v1", "subresource": "scale", "time": stamp(x.at(160.0)),
         "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]  # fmt: skip
    x.event(
        128,
        "ScalingReplicaSet",
        "Deployment/token-service",
        f"Scaled down replica set {of} to 0 from 3",
        component="deployment-controller",
    )
    for n, pod in enumerate(tokens):
        ended(x, pod, 128.05, NODES[n])
        x.event(
            128.05, "SuccessfulDelete", f"ReplicaSet/{of}", f"Deleted pod: {pod}", component="replicaset-controller"
        )
    x.event(
        160,
        "ScalingReplicaSet",
        "Deployment/token-service",
        f"Scaled up replica set {of} to 3 from 0",
        component="deployment-controller",
    )
    for n in range(3):
        made(x, f"{of}-{'jkl'[n]}7x2m", 160.1, NODES[n], "registry.example.com/token-service:1.0.0")
    out = between((128.1, 161.0))
    for name, path, status in (("accounts", "/me", 401), ("orders", "/orders", 503)):
        pods = x.workload(name, 2)

        def failed(at: float, pods: list[str] = pods) -> None:
            x.log(x.random.choice(pods), at, zap(x.at(at), "error", "introspect token", error='Post "http://token-service.auth.svc.cluster.local/introspect": '
                  "dial tcp 10.43.94.13:80: connect: connection refused"))  # fmt: skip

        traffic(x, front, path, f"auth-{name}-80", every=0.15, failing=out, status=(status,), failed=failed,
                served=lambda m, pods=pods: x.log(x.random.choice(pods), m, zap(x.at(m), "info", "served")))  # fmt: skip
    for at in x.every(0.3):
        if not out(at):
            x.log(x.random.choice(tokens), at, zap(x.at(at), "info", "token introspected"))
    x.rollout(109, "accounts", 2, image="5.4.0")
    x.say(136, "UNIA", "is it accounts 5.4.0? everybody is logged out")
    return x.write(folder)


def jobs_pile_up(folder: Path) -> Path:
    """A CronJob may run beside itself since an edit; a run takes longer than its five minutes and thirty of them hold every connection. Twelve hours."""
    x = Export(day(4, 6), 720, seed=603, namespace="sync")
    front = edge(x)
    api, pg = x.workload("stock-api", 3), x.workload("postgres", 1)[0]
    x.cronjob("stock-import", "*/5 * * * *", [5.0 * n for n in range(59)], 3.5)
    manifest = x.objects["sync", "CronJob"].pop()
    manifest["spec"]["concurrencyPolicy"] = "Allow"
    edited(x, manifest, 281.0, "kubectl-edit", {"f:spec": {"f:concurrencyPolicy": {}}})
    begun = [295.0 + 5 * n for n in range(60)]
    for at in begun:
        number = int(x.at(at).timestamp()) // 60
        pod = f"stock-import-{number}-{'xwvtr'[number % 5]}9k4{'bcd'[number % 3]}"
        x.event(
            at,
            "SuccessfulCreate",
            "CronJob/stock-import",
            f"Created job stock-import-{number}",
            component="cronjob-controller",
        )
        x.event(at, "SuccessfulCreate", f"Job/stock-import-{number}", f"Created pod: {pod}", component="job-controller")
        x.log(pod, at + 0.2, "INFO stock_import: reading feed, 48 pages")
        if at > 380:
            x.log(
                pod,
                at + 0.4,
                'sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at "postgres" (10.43.9.8), port 5432 failed: FATAL:  sorry, too many clients already',
            )
    x.series(
        "kube_job_status_active",
        {"namespace": "sync", "job_name": "stock-import"},
        lambda m: 1.0 if m < 295 else min(2 + (m - 295) / 5, 30),
    )
    x.series(
        "pg_stat_activity_count",
        {"namespace": "sync", "pod": pg, "datname": "stock"},
        lambda m: 42.0 + m % 3 if m < 295 else min(100.0, 42 + 3.2 * (m - 295) / 5),
    )
    full = lambda m: 0.5 if m > 388 else 0.0  # noqa: E731 - read beside its use

    def failed(at: float) -> None:
        x.log(pg, at, postgres(x.at(at), "FATAL", "sorry, too many clients already", 3000 + int(at)))
        x.log(
            x.random.choice(api),
            at,
            spring(
                x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper", "FATAL: sorry, too many clients already"
            ),
        )

    traffic(x, front, "/stock", "sync-stock-api-80", every=0.2, failing=full, status=(500, 503), failed=failed,
            served=lambda m: x.log(x.random.choice(api), m, spring(x.at(m), "INFO", "c.e.Stock", "stock read")))  # fmt: skip
    x.rollout(352, "stock-web", 2, image="2.8.1")
    return x.write(folder)


def _pending(x: Export, pods: list[str], since: float) -> None:
    """Let the objects of pods say that no node could take them."""
    unplaced = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "lastTransitionTime": stamp(x.at(since)),
    }
    for pod in x.objects[x.namespace, "Pod"]:
        if pod["metadata"]["name"] in pods:
            pod["spec"].pop("nodeName")
            pod["status"] = {"phase": "Pending", "conditions": [unplaced]}


def nowhere_to_stand(folder: Path) -> Path:
    """A release brings a spread over zones that nodes without the label cannot meet: half of its pods stay Pending, the rest drown. Five hours."""
    x = Export(day(5, 9), 300, seed=604, namespace="fare")
    front = edge(x)
    x.workload("quotes", 6)
    spread = [
        {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "quotes"}},
        }
    ]
    new = x.workload("quotes", 6, image="8.1.0", born=131.0)
    for manifest in x.objects["fare", "Deployment"]:
        if "quotes" == manifest["metadata"]["name"]:
            manifest["spec"]["template"]["spec"]["topologySpreadConstraints"] = spread
    of = new[0].rpartition("-")[0]
    x.event(
        131,
        "ScalingReplicaSet",
        "Deployment/quotes",
        f"Scaled up replica set {of} from 0 to 6",
        component="deployment-controller",
    )
    for n, pod in enumerate(new):
        if n < 2:
            made(x, pod, 131.2, NODES[n], "registry.example.com/quotes:8.1.0")
            continue
        x.event(131.2, "FailedScheduling", f"Pod/{pod}", "0/5 nodes are available: 2 node(s) didn't match pod topology spread constraints, 3 node(s) didn't match pod "
                "topology spread constraints (missing required label). preemption: 0/5 nodes are available: 5 Preemption is not helpful for scheduling.",
                warning=True, count=30, until=295, component="default-scheduler")  # fmt: skip
    _pending(x, new[2:], 131.2)

    def failed(at: float) -> None:
        x.log(
            x.random.choice(new[:2]),
            at,
            spring(
                x.at(at),
                "WARN",
                "o.a.tomcat.util.threads.ThreadPoolExecutor",
                "Maximum threads (200) of executor reached; task rejected",
            ),
        )

    traffic(x, front, "/quotes", "fare-quotes-80", every=0.12, failing=lambda m: 0.4 if m > 134 else 0.0, status=(503, 504), slow=10.0, failed=failed,
            served=lambda m: x.log(x.random.choice(new[:2]), m, spring(x.at(m), "INFO", "c.e.Quotes", "quoted")) if m > 134 else None)  # fmt: skip
    x.rollout(118, "seatmaps", 2, image="4.4.1")
    return x.write(folder)


def the_crowd(folder: Path) -> Path:
    """A push message brings five times the people to an app that was sized for one: nothing broke, it is too small. Logs and chat only. Four hours."""
    x = Export(day(8, 16), 240, seed=607, namespace="deal")
    front = edge(x)
    pods = x.workload("offers", 4)
    x.say(119, "UMIA", "push about the spring deals goes out to 1.8M devices at 18:00", channel="marketing")
    for low, high, every in ((0, 120, 0.15), (120, 121, 0.06), (121, 168, 0.03), (168, 240, 0.14)):
        traffic(x, front, "/offers", "deal-offers-80", every=every, failing=between((122.0, 166.0), chance=0.35), status=(503, 504), slow=12.0, since=low, until=high,
                failed=lambda m: x.log(x.random.choice(pods), m, '[1] [WARNING] uwsgi: *** uWSGI listen queue of socket ":8080" (fd: 3) full !!! (101/100) ***'),
                served=lambda m: x.log(x.random.choice(pods), m, pino(x.at(m), 30, "offers listed")))  # fmt: skip
    x.rollout(96, "vouchers", 2, image="0.19.0")
    return x.write(folder)


INCIDENTS = (
    Unseen(name="adapter-fails", hard=True, build=adapter_fails, question="Why did label printing time out this afternoon?",
           roots=frozenset({"Deployment/keda/keda-operator-metrics-apiserver"}), shallow=frozenset({"HorizontalPodAutoscaler/post/keda-hpa-labels"})),
    Unseen(name="put-to-zero", build=put_to_zero, question=None, roots=frozenset({"Deployment/auth/token-service"})),
    Unseen(name="jobs-pile-up", build=jobs_pile_up, question=None, roots=frozenset({"CronJob/sync/stock-import"})),
    Unseen(name="nowhere-to-stand", build=nowhere_to_stand, question=None, roots=frozenset({"Deployment/fare/quotes"})),
    Unseen(name="the-crowd", build=the_crowd, question="503 on offers at 18:00?", roots=frozenset({"Deployment/deal/offers", "Ingress/deal/offers", "Service/deal/offers"})),
)  # fmt: skip
