"""More incidents, written after the engine had been mended on the others and measured before anything was mended on these."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, edited, node, stateful, traffic
from line_formats import envoy, pino, postgres, spring, zap


def too_many_workers(folder: Path) -> Path:
    """A release doubles Celery's concurrency within the same memory limit: children are killed and the queue grows. A day."""
    x = Export(day(2), 1440, seed=201, namespace="docs")
    old = x.workload("pdf-worker", 2)
    new = x.rollout(420, "pdf-worker", 2, image="4.0.0", container={"args": ["celery", "worker", "--concurrency=16"]})
    web, rabbit = x.workload("docs-web", 2), x.workload("rabbitmq", 1)[0]
    x.series("rabbitmq_queue_messages_ready", {"namespace": "docs", "queue": "render", "pod": rabbit},
             lambda m: 8 + m % 5 if m < 440 else 8 + (m - 440) * 9, step=2)  # fmt: skip
    for at in x.every(0.6):
        x.log(x.random.choice(old if at < 420 else new), at, f"[{x.at(at).strftime('%Y-%m-%d %H:%M:%S')},112: INFO/ForkPoolWorker-3] Task docs.render"
              f"[{x.random.getrandbits(64):x}] succeeded in {x.random.uniform(2, 5):.3f}s: None")  # fmt: skip
    for at in x.every(4, 431):
        pod = x.random.choice(new)
        x.log(pod, at, f"[{x.at(at).strftime('%Y-%m-%d %H:%M:%S')},901: ERROR/MainProcess] Task handler raised error: WorkerLostError('Worker exited "
              "prematurely: signal 9 (SIGKILL) Job: 41.')")  # fmt: skip
    for at in x.every(0.5):
        bad = at > 470 and x.random.random() < 0.4
        x.log(x.random.choice(web), at, pino(x.at(at), 50 if bad else 30, "document not ready in 60 s" if bad else "document delivered",
              method="GET", path="/document", status=504 if bad else 200))  # fmt: skip
    x.rollout(395, "docs-theme", 1, image="1.0.3")
    return x.write(folder)


def flood_stage(folder: Path) -> Path:
    """Elasticsearch's disk passes the flood-stage watermark: indices become read-only, writes are refused. Two days, Loki."""
    x = Export(day(4), 2 * 1440, seed=202, namespace="logs")
    front = edge(x)
    search = stateful(x, "elasticsearch", "docker.elastic.co/elasticsearch/elasticsearch:8.15.0", volume="data")
    api = x.workload("audit-api", 2)
    end = 1777.0
    x.series("elasticsearch_filesystem_data_available_bytes", {"namespace": "logs", "pod": search},
             lambda m: max(4.6e9, 4.6e10 * (1 - m / (end / 0.9))), step=5)  # fmt: skip
    for at in x.every(1, end):
        x.log(search, at, f"[{x.at(at).strftime('%Y-%m-%dT%H:%M:%S')},310][WARN ][o.e.c.r.a.DiskThresholdMonitor] [{search}] flood stage disk watermark "
              "[95%] exceeded on [k3xV][elasticsearch-0][/usr/share/elasticsearch/data] free: 4.6gb[4.5%], all indices on this node will be marked "
              "read-only")  # fmt: skip

    def failed(at: float) -> None:
        x.log(x.random.choice(api), at, spring(x.at(at), "ERROR", "c.e.audit.AuditWriter", "[es/index] failed: [cluster_block_exception] index [audit-7] "
              "blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block]"))  # fmt: skip

    traffic(x, front, "/audit", "logs-audit-api-80", every=0.6, failing=lambda m: 0.8 if m > end else 0.0, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(api), m, spring(x.at(m), "INFO", "c.e.audit.AuditWriter", "stored")))  # fmt: skip
    x.rollout(1700, "audit-ui", 1, image="2.0.0")
    return x.write(folder, "loki")


def shorter_timeout(folder: Path) -> Path:
    """A VirtualService gets a timeout of one second; an endpoint that takes two is cut off by Envoy. Half a day, Istio."""
    x = Export(day(6, 6), 720, seed=203, namespace="quote")
    gateway = x.workload("istio-ingressgateway", 1, namespace="istio-system")[0]
    engine = x.workload("offers", 3)
    edited(x, {
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "offers", "namespace": "quote"},
        "spec": {"hosts": ["offers"], "http": [{"timeout": "1s", "route": [{"destination": {"host": "offers"}}]}]},
    }, 305.0, "flux", {"f:spec": {"f:http": {}}})  # fmt: skip
    for at in x.every(0.2):
        slow = x.random.random() < 0.35
        bad = slow and at > 305.3
        x.log(gateway, at, envoy(x.random, x.at(at), "/offers", 504 if bad else 200, "UT" if bad else "-",
              details="response_timeout" if bad else "via_upstream", cluster="outbound|80||offers.quote.svc.cluster.local",
              ms=1000 if bad else 2100 if slow else 90), container="istio-proxy", namespace="istio-system")  # fmt: skip
        if not bad:
            x.log(x.random.choice(engine), at, zap(x.at(at), "info", "offers computed", n=12))
    x.rollout(282, "offers-ui", 2, image="5.1.0")
    return x.write(folder)


def message_too_large(folder: Path) -> Path:
    """A release embeds pictures in its gRPC answers, larger than its caller takes. A day, logs and objects."""
    x = Export(day(7), 1440, seed=204, namespace="cat")
    front = edge(x)
    old = x.workload("products", 2)
    new = x.rollout(700, "products", 2, image="11.0.0")
    shop = x.workload("storefront", 2)

    def failed(at: float) -> None:
        x.log(x.random.choice(shop), at, zap(x.at(at), "error", "list products", error="rpc error: code = ResourceExhausted desc = grpc: received "
              "message larger than max (6120311 vs. 4194304)", target="products.cat.svc.cluster.local:9090"))  # fmt: skip

    traffic(x, front, "/list", "cat-storefront-80", every=0.4, failing=lambda m: 0.5 if m > 701.2 else 0.0, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(old if m < 700 else new), m, zap(x.at(m), "info", "products listed")))  # fmt: skip
    x.rollout(640, "reviews", 2, image="2.4.0")
    return x.write(folder)


def preempted(folder: Path) -> Path:
    """Somebody scales a training workload of high priority by hand: the scheduler preempts the shop's pods for it. Events, proxy."""
    x = Export(day(8), 720, seed=205, namespace="shopx")
    front = edge(x)
    pods = x.workload("search", 3, nodes=("node-a", "node-b", "node-c"))
    train = x.workload("trainer", 8, namespace="ml", nodes=("node-a", "node-b", "node-c"))
    of = train[0].rpartition("-")[0]
    x.event(
        340,
        "ScalingReplicaSet",
        "Deployment/trainer",
        f"Scaled up replica set {of} from 2 to 8",
        component="deployment-controller",
        namespace="ml",
    )
    for n, pod in enumerate(pods):
        x.event(
            340.3 + n * 0.05,
            "Preempted",
            f"Pod/{pod}",
            f"Preempted by pod 7c1e{n} on node node-{'abc'[n]}",
            component="default-scheduler",
        )
        x.event(340.4 + n * 0.05, "Killing", f"Pod/{pod}", "Stopping container app", host=f"node-{'abc'[n]}")
        x.event(341, "FailedScheduling", f"Pod/{pod[:-5]}{'qrs'[n]}x2w8", "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: "
                "3 No preemption victims found for incoming pod.", warning=True, component="default-scheduler", count=30, until=402)  # fmt: skip
    for n, pod in enumerate(train[2:]):
        x.event(
            340.8,
            "Scheduled",
            f"Pod/{pod}",
            f"Successfully assigned ml/{pod} to node-{'abc'[n % 3]}",
            component="default-scheduler",
            namespace="ml",
        )
    traffic(x, front, "/search", "shopx-search-80", every=0.15, failing=between((340.5, 404)), status=(503,))
    x.rollout(310, "wishlist", 2, image="3.3.0")
    return x.write(folder)


def local_resolver(folder: Path) -> Path:
    """NodeLocal DNSCache is killed for memory on one node again and again; pods there find no resolver meanwhile. A day."""
    x = Export(day(9), 1440, seed=206, namespace="pay")
    for name in ("node-a", "node-b", "node-c"):
        node(x, name)
    front = edge(x)
    pods = x.workload("charges", 3)
    cache = "node-local-dns-8fk2x"
    x.keep({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "node-local-dns", "namespace": "kube-system"},
        "spec": {"selector": {"matchLabels": {"k8s-app": "node-local-dns"}}, "template": {"spec": {"containers": [
            {"name": "node-cache", "image": "registry.k8s.io/dns/k8s-dns-node-cache:1.23.1"}]}}},
    })  # fmt: skip
    spans = []
    for n, at in enumerate((210.0, 388.0, 611.0, 790.0, 1120.0)):
        x.event(at, "OOMKilling", "Node/node-b", f"Memory cgroup out of memory: Killed process {5100 + n} (node-cache) total-vm:791000kB, anon-rss:128000kB",
                warning=True, component="kernel-monitor", host="node-b")  # fmt: skip
        x.event(
            at + 5.5, "Started", f"Pod/{cache}", "Started container node-cache", namespace="kube-system", host="node-b"
        )
        spans.append((at + 0.1, at + 5.6))

    def failed(at: float) -> None:
        x.log(pods[1], at, zap(x.at(at), "error", "charge", error='Post "https://api.acquirer.example.com/charges": dial tcp: lookup '
              "api.acquirer.example.com on 169.254.20.10:53: read udp 10.42.1.6:41211->169.254.20.10:53: read: connection refused"))  # fmt: skip

    traffic(
        x,
        front,
        "/charge",
        "pay-charges-80",
        every=0.1,
        failing=between(*spans, chance=0.33),
        status=(502,),
        failed=failed,
    )
    x.rollout(500, "invoices", 2, image="6.6.0")
    return x.write(folder)


def key_revoked(folder: Path) -> Path:
    """A provider outside revokes an API key: every call is 401 from then on, nothing changed inside. Logs only, eight hours."""
    x = Export(day(10, 8), 480, seed=207, namespace="mail")
    front = edge(x, keep=False)
    sender = x.workload("sender", 2, keep=False)

    def failed(at: float) -> None:
        x.log(x.random.choice(sender), at, pino(x.at(at), 50, "send failed", err={"type": "ResponseError", "code": 401, "message": "Unauthorized: The "
              "provided authorization grant is invalid, expired, or revoked"}, url="https://api.mailwing.example.com/v3/mail/send"))  # fmt: skip

    traffic(x, front, "/send", "mail-sender-80", every=0.2, failing=lambda m: 0.96 if m > 222 else 0.0, status=(502,), failed=failed,
            served=lambda m: x.log(x.random.choice(sender), m, pino(x.at(m), 30, "mail sent", status=202)))  # fmt: skip
    x.rollout(205, "templates", 1, image="2.9.0", keep=False)
    return x.write(folder)


def fewer_at_least(folder: Path) -> Path:
    """Somebody lowers an autoscaler's minimum to one at noon; it scales down at once and the few pods cannot keep up. Half a day."""
    x = Export(day(11, 6), 720, seed=208, namespace="tv")
    front = edge(x)
    pods = x.workload("guide", 6)
    of = pods[0].rpartition("-")[0]
    edited(x, {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "guide", "namespace": "tv"},
        "spec": {"minReplicas": 1, "maxReplicas": 10, "scaleTargetRef": {"kind": "Deployment", "name": "guide"}},
    }, 355.0, "kubectl-patch", {"f:spec": {"f:minReplicas": {}}})  # fmt: skip
    x.event(360.5, "SuccessfulRescale", "HorizontalPodAutoscaler/guide", "New size: 1; reason: All metrics below target",
            component="horizontal-pod-autoscaler")  # fmt: skip
    x.event(
        360.6,
        "ScalingReplicaSet",
        "Deployment/guide",
        f"Scaled down replica set {of} from 6 to 1",
        component="deployment-controller",
    )
    for pod in pods[1:]:
        x.event(360.7, "Killing", f"Pod/{pod}", "Stopping container app")
    x.counter(
        "container_cpu_usage_seconds_total",
        {"namespace": "tv", "pod": pods[0], "container": "app"},
        lambda m: 0.2 + 0.01 * (m % 3) if m < 361 else 0.99,
    )
    traffic(x, front, "/guide", "tv-guide-80", every=0.15, failing=lambda m: 0.4 if m > 362 else 0.0, status=(504, 503), slow=5.0,
            served=lambda m: x.log(pods[0], m, spring(x.at(m), "INFO", "c.e.Guide", "guide served")))  # fmt: skip
    x.rollout(300, "epg-import", 1, image="1.2.0")
    return x.write(folder)


def broker_replaced(folder: Path) -> Path:
    """A StatefulSet of one broker gets a new image and is away for minutes while it recovers; publishers are refused. Six hours."""
    x = Export(day(12, 9), 360, seed=209, namespace="iot")
    front = edge(x)
    broker = stateful(x, "artemis", "docker.io/apache/activemq-artemis:2.37.0")
    ingest = x.workload("ingest", 2)
    for n, born in ((1, -90000.0), (2, 144.0)):
        x.keep({
            "apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": n,
            "metadata": {"name": f"artemis-{'78'[n - 1]}c9d", "namespace": "iot", "creationTimestamp": x.at(born).strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "artemis", "uid": "artemis", "controller": True}]},
        })  # fmt: skip
    x.event(
        144.1,
        "SuccessfulDelete",
        "StatefulSet/artemis",
        "delete Pod artemis-0 in StatefulSet artemis successful",
        component="statefulset-controller",
    )
    x.event(144.2, "Killing", f"Pod/{broker}", "Stopping container app")
    x.event(
        145,
        "SuccessfulCreate",
        "StatefulSet/artemis",
        "create Pod artemis-0 in StatefulSet artemis successful",
        component="statefulset-controller",
    )
    x.event(145.3, "Started", f"Pod/{broker}", "Started container app")
    x.log(
        broker,
        145.6,
        "AMQ221000: primary Message Broker is starting with configuration Broker Configuration (clustered=false)",
    )
    x.log(broker, 152.8, "AMQ221007: Server is now active")

    def failed(at: float) -> None:
        x.log(x.random.choice(ingest), at, spring(x.at(at), "ERROR", "c.e.ingest.Publisher", "jakarta.jms.JMSException: Failed to create session factory: "
              "ActiveMQNotConnectedException[errorType=NOT_CONNECTED message=AMQ219007: Cannot connect to server(s).]"))  # fmt: skip

    traffic(
        x,
        front,
        "/readings",
        "iot-ingest-80",
        every=0.08,
        failing=between((144.3, 152.9), chance=0.95),
        status=(503,),
        failed=failed,
    )
    x.rollout(120, "dashboards", 1, image="8.0.0")
    return x.write(folder)


def bulk_on_primary(folder: Path) -> Path:
    """A weekly import rewrites a table; the standby that serves reads cancels their queries. One day, PostgreSQL's words."""
    x = Export(day(13), 1440, seed=210, namespace="geo")
    front = edge(x)
    api, standby = x.workload("places-api", 2), x.workload("pg-standby", 1)[0]
    runs = x.cronjob("osm-import", "0 4 * * 5", [240.0], 70)
    x.cronjob("tile-warmup", "0 * * * *", [60.0 * n for n in range(24)], 6)
    x.log(runs[0][1], 240.4, "osm2pgsql version 1.11.0 processing started")
    x.log(runs[0][1], 309.5, "osm2pgsql took 4148s (69m 8s) overall.")

    def failed(at: float) -> None:
        x.log(standby, at, postgres(x.at(at), "ERROR", "canceling statement due to conflict with recovery"))
        x.log(
            standby,
            at,
            postgres(x.at(at), "DETAIL", "User query might have needed to see row versions that must be removed."),
        )
        x.log(
            x.random.choice(api),
            at,
            zap(
                x.at(at),
                "error",
                "find places",
                error="ERROR: canceling statement due to conflict with recovery (SQLSTATE 40001)",
            ),
        )

    traffic(
        x,
        front,
        "/places",
        "geo-places-api-80",
        every=0.2,
        failing=between((243.0, 311.0), chance=0.5),
        status=(500,),
        failed=failed,
    )
    x.rollout(180, "map-ui", 2, image="9.0.0")
    return x.write(folder)


INCIDENTS = (
    Unseen(name="too-many-workers", build=too_many_workers, question=None, roots=frozenset({"Deployment/docs/pdf-worker"})),
    Unseen(name="flood-stage", build=flood_stage, question="Why does audit refuse writes?", full=True,
           roots=frozenset({"StatefulSet/logs/elasticsearch", "PersistentVolumeClaim/logs/data-elasticsearch-0"})),
    Unseen(name="shorter-timeout", build=shorter_timeout, question=None, roots=frozenset({"VirtualService/quote/offers"})),
    Unseen(name="message-too-large", build=message_too_large, question=None, roots=frozenset({"Deployment/cat/products"})),
    Unseen(name="preempted", build=preempted, question="why was search down?", roots=frozenset({"Deployment/ml/trainer"})),
    Unseen(name="local-resolver", build=local_resolver, question=None, roots=frozenset({"DaemonSet/kube-system/node-local-dns"})),
    Unseen(name="key-revoked", build=key_revoked, question="Mails fail since noon", roots=frozenset({"Host//api.mailwing.example.com"}), hard=True),
    Unseen(name="fewer-at-least", build=fewer_at_least, question=None, roots=frozenset({"HorizontalPodAutoscaler/tv/guide"})),
    Unseen(name="broker-replaced", build=broker_replaced, question=None, roots=frozenset({"StatefulSet/iot/artemis"})),
    Unseen(name="bulk-on-primary", build=bulk_on_primary, question=None, roots=frozenset({"CronJob/geo/osm-import"})),
)  # fmt: skip
