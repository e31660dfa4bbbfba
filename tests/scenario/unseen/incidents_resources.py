"""Incidents that a lack begins: of heap, nodes, disk, CPU, consumers, memory of a broker."""

from math import pi, sin
from pathlib import Path

from incident_kit import Export, Unseen, day, stamp
from line_formats import envoy, ingress, kafka, nginx_error, spring, zap


def gc_liveness(folder: Path) -> Path:
    """A heap that fills: full collections stop the world, the kubelet kills for liveness, the ingress answers 503."""
    x = Export(day(2), 1440, seed=21, namespace="find")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    probe = {"livenessProbe": {"httpGet": {"path": "/actuator/health", "port": 8080}, "timeoutSeconds": 1, "failureThreshold": 3},
             "resources": {"limits": {"memory": "2Gi"}}, "env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx1536m -Xlog:gc"}]}  # fmt: skip
    search = x.workload("search", 2, container=probe)
    redis = x.workload("redis", 1)[0]
    x.cronjob("sitemap", "0 * * * *", [60.0 * h for h in range(24)], 3)
    stops = [
        (at, search[n % 2]) for n, at in enumerate((212.0, 377.0, 551.0, 700.0, 808.0, 967.0, 1105.0, 1260.0, 1393.0))
    ]
    for at in x.every(4):
        pod = x.random.choice(search)
        x.log(
            pod,
            at,
            f"[{at * 60:.3f}s][info][gc] GC({int(at)}) Pause Young (Normal) (G1 Evacuation Pause) 902M->611M(1536M) 21.412ms",
        )
    for at, pod in stops:
        for n in range(9):
            late = at - 2.0 + n * 0.22
            x.log(pod, late, f"[{late * 60:.3f}s][info][gc] GC({int(late * 10)}) Pause Full (G1 Compaction Pause) "
                  f"1535M->1533M(1536M) {x.random.randint(7000, 11000)}.{n}17ms")  # fmt: skip
        x.event(at - 1.2, "Unhealthy", f"Pod/{pod}", 'Liveness probe failed: Get "http://10.42.0.9:8080/actuator/health": context deadline '
                "exceeded (Client.Timeout exceeded while awaiting headers)", warning=True, count=3, until=at)  # fmt: skip
        x.event(at, "Killing", f"Pod/{pod}", "Container app failed liveness probe, will be restarted")
        for later, words in (
            (0.6, "Starting SearchApplication v3.1.0 using Java 21"),
            (1.1, "Started SearchApplication in 28.113 seconds"),
        ):
            x.log(pod, at + later, spring(x.at(at + later), "INFO", "com.example.search.SearchApplication", words))
        x.event(at + 0.5, "Started", f"Pod/{pod}", "Started container app")
        for late in x.every(0.06, at - 1.5, at + 1.1):
            x.log(
                edge,
                late,
                ingress(x.random, x.at(late), "/search", 503, "find-search-80", 5.001, tried="503"),
                namespace="ingress-nginx",
            )
            x.log(edge, late, nginx_error(x.at(late), "upstream timed out (110: Operation timed out) while reading response header from "
                  "upstream", "/search", "10.42.0.9:8080"), namespace="ingress-nginx")  # fmt: skip
    for at in x.every(0.5):
        x.log(edge, at, ingress(x.random, x.at(at), "/search", 200, "find-search-80", 0.06), namespace="ingress-nginx")
    for at in x.every(60):
        x.log(
            redis, at, f"1:M 02 Mar 2026 {x.at(at).strftime('%H:%M:%S')}.113 * 10000 changes in 60 seconds. Saving..."
        )
    return x.write(folder)


def node_gone(folder: Path) -> Path:
    """A node stops answering; its pods are unreachable, then evicted; the mesh has no healthy upstream. Dump layout."""
    x = Export(day(4, 3), 180, seed=22, namespace="prod")
    gateway = x.workload("istio-ingressgateway", 1, namespace="istio-system", nodes=("node-a",))[0]
    seats = x.workload("seats", 2, nodes=("node-c",))
    x.rollout(52.0, "offers", 2, image="2.0.0", nodes=("node-a", "node-b"))
    x.keep({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-c"}, "status": {"conditions": [
        {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status.",
         "lastTransitionTime": stamp(x.at(80))}]}})  # fmt: skip
    x.event(
        80.0,
        "NodeNotReady",
        "Node/node-c",
        "Node node-c status is now: NodeNotReady",
        component="node-controller",
        namespace="default",
    )
    for pod in seats:
        x.event(80.0, "NodeNotReady", f"Pod/{pod}", "Node is not ready", warning=True, component="node-controller")
        x.event(
            85.2,
            "TaintManagerEviction",
            f"Pod/{pod}",
            f"Marking for deletion Pod prod/{pod}",
            component="taint-eviction-controller",
        )
    fresh = x.workload("seats", 2, born=85.5, nodes=("node-a",))
    for pod in fresh:
        x.event(
            85.4,
            "Scheduled",
            f"Pod/{pod}",
            f"Successfully assigned prod/{pod} to node-a",
            component="default-scheduler",
        )
        x.event(86.5, "Started", f"Pod/{pod}", "Started container app")
    for at in x.every(0.05):
        cluster = x.random.choice(
            ("outbound|80||seats.prod.svc.cluster.local", "outbound|80||offers.prod.svc.cluster.local")
        )
        bad = "seats" in cluster and 79.6 < at < 86.8
        status, flags, details, ms = 200, "-", "via_upstream", 12
        if bad:
            status, ms = 503, 5000
            flags, details = ("UH", "no_healthy_upstream") if at > 80.7 else ("UF", "connection_timeout")
        path = "/v1/seats" if "seats" in cluster else "/v1/offers"
        line = envoy(x.random, x.at(at), path, status, flags, details=details, cluster=cluster, ms=ms)
        x.log(gateway, at, line, namespace="istio-system", container="istio-proxy")
    for at in x.every(20):
        x.event(at, "Unhealthy", "Pod/metrics-server-5b7d-q8z2c", "Readiness probe failed: HTTP probe failed with statuscode: 500",
                warning=True, namespace="kube-system")  # fmt: skip
    return x.write(folder, "dump")


def debug_fills_disk(folder: Path) -> Path:
    """A release logs at DEBUG; its node runs out of disk, the kubelet evicts the neighbours, the ingress has nobody."""
    x = Export(day(6), 1440, seed=23, namespace="pay")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx", nodes=("node-a",))[0]
    x.workload("audit-writer", 1, nodes=("node-b",))
    debug = {"env": [{"name": "LOG_LEVEL", "value": "debug"}]}
    audit = x.rollout(610.0, "audit-writer", 1, image="1.4.1", container=debug, nodes=("node-b",))[0]
    vault = x.workload("card-vault", 2, nodes=("node-b",))
    x.rollout(1010.0, "fx-rates", 1, image="8.1.0", nodes=("node-c",))
    for at in x.every(1, 0, 610):
        x.log(audit, at, zap(x.at(at), "info", "record written", table="audit"))
    for at in x.every(0.12, 611):
        x.log(audit, at, zap(x.at(at), "debug", "serialized record", payload="x" * 60, offset=int(at * 100)))
    for n, at in enumerate((1066.0, 1190.0, 1311.0)):
        x.event(
            at - 0.5,
            "EvictionThresholdMet",
            "Node/node-b",
            "Attempting to reclaim ephemeral-storage",
            warning=True,
            host="node-b",
        )
        x.event(
            at - 0.4,
            "NodeHasDiskPressure",
            "Node/node-b",
            "Node node-b status is now: NodeHasDiskPressure",
            host="node-b",
        )
        pods = vault if n == 0 else [f"card-vault-7d8f9c6b5d-x{'bcd'[n]}{'fg'[k]}zq" for k in range(2)]
        for pod in pods:
            x.event(at, "Evicted", f"Pod/{pod}", "The node was low on resource: ephemeral-storage. Threshold quantity: 4294967296, available: "
                    "3987Mi. Container app was using 112Ki, request is 0, has larger consumption of ephemeral-storage.", warning=True, host="node-b")  # fmt: skip
            x.event(at + 6, "Started", f"Pod/{pod[:-1]}w", "Started container app", host="node-a")
        for late in x.every(0.08, at + 0.2, at + 6.2):
            x.log(
                edge,
                late,
                ingress(x.random, x.at(late), "/pay/card", 503, "pay-card-vault-80", 0.0, upstream="-"),
                namespace="ingress-nginx",
            )
    for at in x.every(0.8):
        x.log(
            edge,
            at,
            ingress(x.random, x.at(at), "/pay/card", 200, "pay-card-vault-80", 0.08),
            namespace="ingress-nginx",
        )
    free = lambda m: 9e10 if m < 610 else max(4e9, 9e10 - (m - 610) * 1.9e8)  # noqa: E731 - read beside its use
    x.series("node_filesystem_avail_bytes", {"node": "node-b", "instance": "node-b", "mountpoint": "/"}, free, step=5)
    x.series(
        "node_filesystem_avail_bytes",
        {"node": "node-a", "instance": "node-a", "mountpoint": "/"},
        lambda m: 8e10 + m,
        step=5,
    )
    return x.write(folder)


def throttled_at_peak(folder: Path) -> Path:
    """Half a core is too little at the daily peak: throttled, slow, and the mesh gives up. Five days, Go and Envoy."""
    x = Export(day(9), 5 * 1440, seed=24, namespace="retail")
    gateway = x.workload("istio-ingressgateway", 1, namespace="istio-system")[0]
    limits = {"resources": {"limits": {"cpu": "500m"}, "requests": {"cpu": "250m"}}}
    pricing = x.workload("pricing", 2, container=limits)
    stock = x.workload("stock", 2)
    x.cronjob("prune", "30 3 * * *", [210 + 1440.0 * d for d in range(5)], 12)
    load = lambda m: 0.2 + 0.8 * max(0.0, sin((m % 1440 - 600) / 720 * pi)) ** 6  # noqa: E731 - one peak a day, at 16:00
    for pod in pricing:
        labels = {"namespace": "retail", "pod": pod, "container": "app"}
        x.counter("container_cpu_usage_seconds_total", labels, lambda m: min(0.5, 0.62 * load(m)), step=5)
        x.counter("container_cpu_cfs_periods_total", labels, lambda _: 10.0, step=5)
        x.counter(
            "container_cpu_cfs_throttled_periods_total",
            labels,
            lambda m: 10 * max(0.0, min(0.9, (load(m) - 0.72) * 3.2)),
            step=5,
        )
    for pod in stock:
        x.counter(
            "container_cpu_usage_seconds_total",
            {"namespace": "retail", "pod": pod, "container": "app"},
            lambda m: 0.4 * load(m),
            step=5,
        )
    for at in x.every(0.9):
        if x.random.random() > load(at):
            continue
        which = x.random.choice(("pricing", "pricing", "stock"))
        bad = which == "pricing" and load(at) > 0.86 and x.random.random() < 0.5
        cluster = f"outbound|80||{which}.retail.svc.cluster.local"
        status, flags, details, ms = (504, "UT", "response_timeout", 3000) if bad else (200, "-", "via_upstream", 20)
        line = envoy(x.random, x.at(at), f"/{which}/v2", status, flags, details=details, cluster=cluster, ms=ms)
        x.log(gateway, at, line, namespace="istio-system")
        if which == "pricing":
            slow = load(at) > 0.82
            x.log(
                x.random.choice(pricing),
                at,
                zap(
                    x.at(at),
                    "warn" if slow else "info",
                    "slow request" if slow else "request",
                    took=3.4 if slow else 0.02,
                ),
            )
    x.event(2900, "OOMKilling", "Node/node-c", "Memory cgroup out of memory: Killed process 991 (node)", warning=True)
    return x.write(folder)


def fewer_consumers(folder: Path) -> Path:
    """Somebody scales a Kafka consumer from six to two; the lag grows and the page that reads its table is stale."""
    x = Export(day(12), 1440, seed=25, namespace="ship")
    pods = x.workload("shipment-consumer", 6)
    broker = x.workload("kafka", 1)[0]
    track = x.workload("tracking-api", 2)
    of = pods[0].rpartition("-")[0]
    x.event(
        611,
        "ScalingReplicaSet",
        "Deployment/shipment-consumer",
        f"Scaled down replica set {of} from 6 to 2",
        component="deployment-controller",
    )
    for pod in pods[2:]:
        x.event(611.1, "Killing", f"Pod/{pod}", "Stopping container app")
        x.log(pod, 611.2, kafka(x.at(611.2), "INFO", "[Consumer clientId=c1, groupId=shipments] Member sending LeaveGroup request to "
              "coordinator kafka:9092 due to the consumer is being closed", "org.apache.kafka.clients.consumer.internals.ConsumerCoordinator"))  # fmt: skip
    for n in range(3):
        x.log(broker, 611.3 + n, kafka(x.at(611.3 + n), "INFO", "[GroupCoordinator 0]: Preparing to rebalance group shipments in state "
              f"PreparingRebalance with old generation {41 + n} (__consumer_offsets-7)"))  # fmt: skip
    for p in range(6):
        x.series("kafka_consumergroup_lag", {"namespace": "ship", "consumergroup": "shipments", "topic": "shipments", "partition": str(p)},
                 lambda m, p=p: 40 + 13 * ((m * 7 + p) % 5) + max(0.0, m - 613) * 210, step=2)  # fmt: skip
    for at in x.every(0.4):
        pod = x.random.choice(track)
        bad = at > 680 and x.random.random() < 0.35
        level, text = (
            ("ERROR", "GET /track/{id} -> 503 Service Unavailable: projection is stale")
            if bad
            else ("INFO", "GET /track/{id} -> 200")
        )
        x.log(pod, at, spring(x.at(at), level, "c.e.track.TrackingController", text))
    x.rollout(500, "label-printer", 1, image="3.0.2")
    for at in x.every(90):
        x.log(
            broker,
            at,
            kafka(
                x.at(at),
                "INFO",
                "[LogCleaner id=0] Cleaner 0: Beginning cleaning of log __consumer_offsets-7.",
                "kafka.log.LogCleaner",
            ),
        )
    return x.write(folder)


def broker_alarm(folder: Path) -> Path:
    """RabbitMQ's memory alarm blocks every publisher; uploads time out. Logs from Loki only, no objects."""
    x = Export(day(14, 6), 360, seed=26, namespace="media")
    rabbit = "rabbitmq-server-0"
    upload = x.workload("upload-api", 2, keep=False)
    edge = x.workload("edge-nginx", 1, keep=False)[0]
    tag = x.workload("tagger", 1, keep=False)[0]
    for begun in (131.0, 262.0):
        when = x.at(begun).strftime("%Y-%m-%d %H:%M:%S.113245+00:00")
        x.log(
            rabbit,
            begun,
            f"{when} [info] <0.387.0> vm_memory_high_watermark set. Memory used:1717986918 allowed:1717986918",
            container="rabbitmq",
        )
        x.log(
            rabbit,
            begun,
            f"{when} [warning] <0.385.0> memory resource limit alarm set on node rabbit@rabbitmq-server-0.",
            container="rabbitmq",
        )
        x.log(
            rabbit,
            begun,
            f"{when} [warning] <0.385.0> *** Publishers will be blocked until this alarm clears ***",
            container="rabbitmq",
        )
        x.log(
            rabbit,
            begun + 21,
            f"{when} [warning] <0.385.0> memory resource limit alarm cleared on node rabbit@rabbitmq-server-0",
            container="rabbitmq",
        )
        for at in x.every(0.12, begun + 0.5, begun + 21):
            x.log(x.random.choice(upload), at, "ERROR:pika.adapters.blocking_connection:Connection blocked: low on memory; publish to "
                  "rabbitmq.media.svc.cluster.local timed out after 30s")  # fmt: skip
            x.log(edge, at, ingress(x.random, x.at(at), "/upload", 504, "media-upload-api-80", 30.0))
    for at in x.every(0.4):
        x.log(edge, at, ingress(x.random, x.at(at), "/upload", 200, "media-upload-api-80", 0.2))
    for at in x.every(3):
        x.log(tag, at, "WARNING:tagger:model confidence low, 0.41")
    for at in x.every(40):
        x.log(
            rabbit,
            at,
            "2026-03-14 06:10:11.100000+00:00 [info] <0.912.0> accepting AMQP connection 10.42.0.4:51022 -> 10.42.0.9:5672",
            container="rabbitmq",
        )
    return x.write(folder, "loki")


INCIDENTS = (
    Unseen(name="gc-liveness", build=gc_liveness, question=None, roots=frozenset({"Deployment/find/search"})),
    Unseen(name="node-gone", build=node_gone, question="503s around 04:20 UTC, why?", roots=frozenset({"Node//node-c"})),
    Unseen(name="debug-fills-disk", build=debug_fills_disk, question=None, roots=frozenset({"Deployment/pay/audit-writer"}),
           shallow=frozenset({"Node//node-b"}), hard=True),
    Unseen(name="throttled-at-peak", build=throttled_at_peak, question="Why do we get 504s every afternoon?",
           roots=frozenset({"Deployment/retail/pricing"})),
    Unseen(name="fewer-consumers", build=fewer_consumers, question="why is tracking answering 503?", roots=frozenset({"Deployment/ship/shipment-consumer"}), hard=True),
    Unseen(name="broker-alarm", build=broker_alarm, question=None,
           roots=frozenset({"StatefulSet/media/rabbitmq-server", "StatefulSet/media/rabbitmq", "Pod/media/rabbitmq-server-0"})),
)  # fmt: skip
