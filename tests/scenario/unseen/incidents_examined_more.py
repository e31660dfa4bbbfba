"""More incidents written to examine the engine: quotas, schemas, requests, scalers, probes, crawlers; and five windows without a cause."""

# A scene reads as a table: a line for each thing that is written.
# fmt: off

from pathlib import Path

from examined_scenes import bustle, measured, nginx, released, scheduled, ticket, traefik, wave
from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, edited, job, node, stateful, traffic
from line_formats import gunicorn, kafka, pino, postgres, spring, zap

BYTESPIDER = "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)"


def daily_quota(folder: Path) -> Path:
    """A new daily job uses up the day's quota of an address service outside; checkouts fail from the afternoon to the morning. Five days, Loki only.

    Root: crm-enrich, which runs from the third day. Not: the provider by itself, not the checkout's release of the second evening.
    """
    x = Export(day(2), 5 * 1440, seed=1011, namespace="shop")
    front = edge(x, keep=False)
    checkout = x.workload("checkout", 3, keep=False)
    crm = "crm"
    said = ('{"error":{"code":429,"message":"Quota exceeded for quota metric \'Validations\' and limit \'Validations per day\' of service '
            "'addressvalidation.geocheck.example.com' for consumer 'project_number:4411'.\",\"status\":\"RESOURCE_EXHAUSTED\"}}")
    spans = []
    for n in (2, 3, 4):
        begun, full = 1440 * n + 540.0, 1440 * n + 806.0 + 13 * n
        spans.append((full, min(1440 * (n + 1) + 480.0, x.minutes)))
        pod = f"crm-enrich-{scheduled(x, begun)}-{'k4xwz' if n % 2 else 'p8mtq'}"
        x.log(pod, begun, pino(x.at(begun), 30, "enrich started", contacts=60000), namespace=crm)
        for k, at in enumerate(x.every(4, begun, full)):
            x.log(pod, at, pino(x.at(at), 30, "addresses validated via geocheck", done=900 * (k + 1), of=60000), namespace=crm)
        x.log(pod, full + 0.1, pino(x.at(full + 0.1), 40, "geocheck says 429, daily quota is used up, rest tomorrow", response=said), namespace=crm)
    for n in range(5):  # another nightly job that has run as long as anybody remembers
        for k in range(8):
            at = 1440 * n + 120 + 4 * k
            x.log(f"catalog-export-{scheduled(x, 1440 * n + 120)}-z7c2d", at, f"{stamp(x.at(at))} INFO export: part {k + 1}/8 written")

    def failed(at: float) -> None:
        x.log(x.random.choice(checkout), at, spring(x.at(at), "ERROR", "c.e.checkout.AddressClient", "429 Too Many Requests from POST https://addressvalidation.geocheck.example.com/v1:validate: " + said))

    traffic(x, front, "/checkout", "shop-checkout-80", every=1.1, failing=between(*spans, chance=0.85), status=(502,), failed=failed,
            served=lambda m: x.log(x.random.choice(checkout), m, spring(x.at(m), "INFO", "c.e.Checkout", "order placed")))
    x.log(checkout[0], 2590, spring(x.at(2590), "INFO", "c.e.CheckoutApplication", "Starting CheckoutApplication v11.4.0 using Java 21.0.5"))
    x.say(3720, "UANA", "checkout is failing again since 13:50, geocheck throttles us. I opened a case with them")
    x.say(5200, "UBEN", "geocheck says we are over our daily quota, we never were before")
    bustle(x, 3)
    x.events.clear()
    return x.write(folder, "loki")


def index_dropped(folder: Path) -> Path:
    """A migration drops an index that one screen needs; at night nobody notices, by day its queries run into the timeout. Three days, metrics.

    Root: the migration Job at 21:10 of the first day (or the release of orders that it belongs to). Not: storefront's release of the next morning.
    """
    x = Export(day(9), 3 * 1440, seed=1012, namespace="retail")
    front = edge(x)
    orders_old = x.workload("orders", 3, image="11.7.4")
    x.workload("storefront", 2)
    db = stateful(x, "postgres", "docker.io/library/postgres:15.10", volume="data")
    run = job(x, "orders-migrate-118", 1270.0, 1.2)
    for k, text in enumerate(("Flyway OSS Edition 10.20.1 by Redgate", 'Current version of schema "public": 117', 'Migrating schema "public" to version "118 - drop unused indexes"',
                              "DB: DROP INDEX CONCURRENTLY IF EXISTS idx_orders_customer_ref", 'Successfully applied 1 migration to schema "public", now at version v118 (execution time 00:38.112s)')):
        x.log(run, 1270.2 + 0.15 * k, text)
    x.log(db, 1270.6, postgres(x.at(1270.6), "LOG", "duration: 37610.220 ms  statement: DROP INDEX CONCURRENTLY IF EXISTS idx_orders_customer_ref"))
    orders = released(x, 1274.0, "orders", 3, "11.8.0", old=orders_old)
    released(x, 1440 + 520.0, "storefront", 2, "40.2.0")
    busy = lambda m: m > 1440 and 545 <= m % 1440 < 1080  # noqa: E731 - read beside its use
    table = {"namespace": "retail", "relname": "orders", "datname": "shop"}
    load = wave(2, 30, 13)
    x.counter("pg_stat_user_tables_seq_tup_read", table, lambda m: load(m) * (40 if m < 1271 else 2.1e5), step=5)
    x.counter("pg_stat_user_tables_idx_scan", table, lambda m: load(m) * (9 if m < 1271 else 5), step=5)
    measured(x, [db], lambda m: 0.05 * load(m) if m < 1271 else min(3.9, 0.22 * load(m) + 0.2), lambda _m: 5100, step=5)
    measured(x, orders_old, lambda m: 0.01 * load(m), lambda _m: 700, step=5, alive=(0, 1275))
    measured(x, orders, lambda m: 0.01 * load(m), lambda _m: 700, step=5, alive=(1275, x.minutes))
    words = "SELECT o.id, o.total, o.state FROM orders o WHERE o.customer_ref = $1 ORDER BY o.placed_at DESC LIMIT 20"

    def failed(at: float) -> None:
        x.log(db, at, postgres(x.at(at), "ERROR", "canceling statement due to statement timeout"))
        x.log(db, at, postgres(x.at(at), "STATEMENT", words))
        x.log(x.random.choice(orders), at, spring(x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper", "ERROR: canceling statement due to statement timeout"))

    traffic(x, front, "/orders/mine", "retail-orders-80", every=0.7, failing=lambda m: 0.55 if busy(m) else 0.002, status=(500, 504), slow=15.0, failed=failed,
            served=lambda m: x.log(x.random.choice(orders if m > 1276 else orders_old), m, spring(x.at(m), "INFO", "c.e.Orders", "orders of customer listed")))
    for at in x.every(6, 1290):
        x.log(db, at, postgres(x.at(at), "LOG", f"duration: {400 + 250 * load(at) * x.random.random():.3f} ms  execute <unnamed>: {words}"))
    for at in x.every(20, 0, 1270):
        x.log(db, at, postgres(x.at(at), "LOG", "checkpoint complete: wrote 2210 buffers (13.5%)"))
    x.say(1440 + 571, "UANA", "order history is dying since about nine. storefront 40.2.0 from 08:40?")
    x.say(1440 + 640, "UBEN", "rolled storefront back on two pods for a test, no change. db cpu is through the roof")
    bustle(x, 6)
    x.write(folder)
    ticket(x, folder, "SHOP-77", 1440 + 600, "Order history times out", "Customers cannot see their orders by day. In the evening it works.", [(2900, "ana", "again today from nine on")])
    return folder


def tiny_requests(folder: Path) -> Path:
    """A release cuts a service's memory request to a sixteenth: three land on one node, and at each full index its neighbours are evicted. Three days.

    Root: the indexer's release of the first afternoon. Not: query's release before the first night, not the node.
    """
    x = Export(day(16), 3 * 1440, seed=1013, namespace="find")
    front = x.workload("traefik", 1, namespace="traefik")[0]
    for name in ("node-a", "node-b", "node-c"):
        node(x, name)
    big = {"resources": {"requests": {"memory": "8Gi", "cpu": "500m"}, "limits": {"memory": "12Gi"}}}
    small = {"resources": {"requests": {"memory": "512Mi", "cpu": "100m"}, "limits": {"memory": "12Gi"}}}
    query = x.workload("query", 3, nodes=("node-b",))
    old = x.workload("indexer", 3, image="4.4.0", container=big)
    indexer = released(x, 970.0, "indexer", 3, "4.5.0", container=small, old=old)
    for kept in x.objects["find", "Pod"]:
        if kept["metadata"]["name"] in indexer:
            kept["spec"]["nodeName"] = "node-b"
    query_new = released(x, 1440 + 92.0, "query", 3, "2.20.0", old=query)
    runs = [120.0, 1440 + 120.0, 1440 + 790.0, 2880 + 120.0]
    inside = lambda m: any(b <= m < b + 38 for b in runs)  # noqa: E731 - read beside its use
    measured(x, old, lambda m: 0.9 if inside(m) else 0.1, lambda m: 7300 if inside(m) else 900, step=5, alive=(0, 971))
    measured(x, indexer, lambda m: 0.9 if inside(m) else 0.1, lambda m: 7900 if inside(m) else 950, step=5, alive=(970, x.minutes))
    for name in ("node-a", "node-b", "node-c"):
        hit = name == "node-b"
        x.series("node_memory_MemAvailable_bytes", {"node": name, "instance": f"{name}:9100"},
                 lambda m, hit=hit: (0.15e9 if hit and m > 971 else 8e9) if inside(m) else (19e9 if hit and m > 971 else 17e9), step=5)
    for begun in runs:
        for pod in old if begun < 970 else indexer:
            x.log(pod, begun, spring(x.at(begun), "INFO", "c.e.FullIndex", "full index started, 41 segments"))
            x.log(pod, begun + 37, spring(x.at(begun + 37), "INFO", "c.e.FullIndex", "full index done"))
    spans = [(begun + 9.5, begun + 21.0) for begun in runs[1:]]
    now = {0.0: query, 1532.0: query_new}
    for low, _high in spans:
        now[low + 11] = _pressed(x, low, now[max(now)])
    for at in x.every(0.5):
        bad = any(low <= at < high for low, high in spans) and x.random.random() < 0.9
        x.log(front, at, traefik(x, at, "/q", 503 if bad else 200, "find-query-http", 2.0 if bad else x.random.uniform(20, 60)), namespace="traefik")
    for at in x.every(6):
        x.log(x.random.choice(now[max(one for one in now if one <= at)]), at, zap(x.at(at), "info", "query", took_ms=31))
    x.say(1440 + 140, "UANA", "search was away at two. query 2.20.0 went out half an hour before")
    x.say(1440 + 812, "UBEN", "again, and nobody deployed today. query pods are evicted?")
    bustle(x, 7)
    return x.write(folder)


def _pressed(x: Export, low: float, pods: list[str]) -> list[str]:
    """Add the kubelet's events of a node without memory that evicts the pods of a neighbour; give the pods that come after."""
    after = []
    x.event(low - 0.4, "EvictionThresholdMet", "Node/node-b", "Attempting to reclaim memory", warning=True, namespace="default", host="node-b")
    x.event(low - 0.3, "NodeHasInsufficientMemory", "Node/node-b", "Node node-b status is now: NodeHasInsufficientMemory", namespace="default", host="node-b")
    for n, pod in enumerate(pods):
        x.event(low + 0.2 * n, "Evicted", f"Pod/{pod}", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 71124Ki. Container app was using 391Mi, request is 256Mi, has larger consumption of memory. ",
                warning=True, host="node-b")
        again = f"{pod.rpartition('-')[0]}-{'bcdf'[n]}{int(low) % 10}x{n}k"
        x.event(low + 0.3 + 0.2 * n, "FailedScheduling", f"Pod/{again}", "0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/memory-pressure: }, 2 Insufficient memory. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
                warning=True, component="default-scheduler", count=4, until=low + 10)
        x.event(low + 11 + 0.2 * n, "Started", f"Pod/{again}", "Started container app", host="node-b")
        after.append(again)
    x.event(low + 10.5, "NodeHasSufficientMemory", "Node/node-b", "Node node-b status is now: NodeHasSufficientMemory", namespace="default", host="node-b")
    return after


def rebalance_by_scaler(folder: Path) -> Path:
    """Somebody lowers KEDA's lag threshold: the consumers go up and down all day, each time the group rebalances and nothing is consumed. A day.

    Root: the edit of ScaledObject billing (its autoscaler). Not: invoices' release, not the broker.
    """
    x = Export(day(17), 1440, seed=1014, namespace="bill")
    front = edge(x)
    invoices = x.workload("invoices", 2)
    billing = x.workload("billing", 4)
    broker = stateful(x, "kafka", "docker.io/apache/kafka:3.8.1")
    edited(x, {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "billing", "namespace": "bill"},
               "spec": {"scaleTargetRef": {"name": "billing"}, "minReplicaCount": 4, "maxReplicaCount": 16, "pollingInterval": 5, "cooldownPeriod": 30,
                        "triggers": [{"type": "kafka", "metadata": {"consumerGroup": "billing", "topic": "invoices", "lagThreshold": "20"}}]}},
           410.0, "kubectl-edit", {"f:spec": {"f:cooldownPeriod": {}, "f:pollingInterval": {}, "f:triggers": {}}})
    released(x, 396.0, "invoices", 2, "8.1.0")
    sizes, generation = {0.0: 4}, 118
    for k, at in enumerate(x.every(5, 411)):
        size = (14, 6, 16, 5, 12, 4)[k % 6]
        sizes[at] = size
        why = "external metric s0-kafka-invoices(&LabelSelector{MatchLabels:map[string]string{scaledobject.keda.sh/name: billing,},}) above target" if k % 2 == 0 else "All metrics below target"
        x.event(at, "SuccessfulRescale", "HorizontalPodAutoscaler/keda-hpa-billing", f"New size: {size}; reason: {why}", component="horizontal-pod-autoscaler")
        generation += 1
        x.log(broker, at + 0.2, kafka(x.at(at + 0.2), "INFO", f"[GroupCoordinator 0]: Preparing to rebalance group billing in state PreparingRebalance with old generation {generation} (__consumer_offsets-12) (reason: {'Adding new member' if k % 2 == 0 else 'Removing member'} consumer-billing-1-{x.random.getrandbits(32):08x})"))
        for pod in billing[:2]:
            x.log(pod, at + 0.3, spring(x.at(at + 0.3), "INFO", "o.a.k.c.c.internals.ConsumerCoordinator", "[Consumer clientId=consumer-billing-1, groupId=billing] Request joining group due to: group is already rebalancing"))
            x.log(pod, at + 0.9, spring(x.at(at + 0.9), "ERROR", "o.s.k.l.KafkaMessageListenerContainer", "org.apache.kafka.clients.consumer.CommitFailedException: Offset commit cannot be completed since the consumer is not part of an active group for auto partition assignment"))
    x.series("kube_deployment_status_replicas", {"namespace": "bill", "deployment": "billing"}, lambda m: sizes[max(s for s in sizes if s <= m)])
    x.series("kafka_consumergroup_lag", {"namespace": "bill", "consumergroup": "billing", "topic": "invoices", "partition": "0"}, lambda m: 8 + m % 7 if m < 412 else min(90000.0, 90 * (m - 412)) + 40 * (m % 9))
    for at in x.every(2):
        x.log(x.random.choice(billing), at, spring(x.at(at), "INFO", "c.e.Billing", "invoice billed"))
    traffic(x, front, "/invoice", "bill-invoices-80", every=0.35, failing=lambda m: 0.7 if m > 425 else 0.003, status=(504,), slow=20.0,
            failed=lambda m: x.log(x.random.choice(invoices), m, zap(x.at(m), "error", "invoice not billed within 20s")),
            served=lambda m: x.log(x.random.choice(invoices), m, zap(x.at(m), "info", "invoice shown")))
    x.say(441, "UANA", "invoices time out, since 8.1.0 I guess")
    x.say(480, "UBEN", "lag is climbing though we have up to 16 consumers? add more?")
    bustle(x, 5)
    return x.write(folder)


def model_download(folder: Path) -> Path:
    """A release fetches its model in an init container: pods take nine minutes to start, so that the evening's scale-up comes too late. Four days, metrics.

    Root: ranker's release of the second night. Not: traffic, which is the same every evening, nor the scale-up, which came on all days.
    """
    x = Export(day(23), 4 * 1440, seed=1015, namespace="reco")
    front = edge(x)
    old = x.workload("ranker", 3, image="8.3.0")
    fetch = {"initContainers": [{"name": "fetch-model", "image": "registry.example.com/aws-cli:2.17", "args": ["s3", "cp", "s3://models/ranker/v9.tar", "/model"]}]}
    new = released(x, 1440 + 1310.0, "ranker", 3, "9.0.0", pod=fetch, old=old)
    x.keep({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "ranker", "namespace": "reco"},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "ranker"}, "minReplicas": 3, "maxReplicas": 9}})
    spans, wait = [], {}
    for n in range(4):
        peak, slow = 1440 * n + 1020.0 + 3 * n, n > 1
        x.event(peak, "SuccessfulRescale", "HorizontalPodAutoscaler/ranker", "New size: 8; reason: cpu resource utilization (percentage of request) above target", component="horizontal-pod-autoscaler")
        x.event(peak + 190, "SuccessfulRescale", "HorizontalPodAutoscaler/ranker", "New size: 3; reason: All metrics below target", component="horizontal-pod-autoscaler")
        wait[peak] = 9.4 if slow else 0.5
        for k in range(5):
            pod = f"{(new if slow else old)[0].rpartition('-')[0]}-{'bcdfg'[k]}{n}x{k}q"
            x.event(peak + 0.1, "Scheduled", f"Pod/{pod}", f"Successfully assigned reco/{pod} to node-{'abc'[k % 3]}", component="default-scheduler")
            if slow:
                x.event(peak + 0.3, "Started", f"Pod/{pod}", "Started container fetch-model")
                for at in x.every(1, peak + 0.4, peak + 9):
                    x.log(pod, at, f"Completed {(at - peak) * 350:.1f} MiB/3.1 GiB (5.9 MiB/s) with 1 file(s) remaining", container="fetch-model")
            x.event(peak + wait[peak], "Started", f"Pod/{pod}", "Started container app")
            x.log(pod, peak + wait[peak] + 0.1, zap(x.at(peak + wait[peak] + 0.1), "info", "serving", model="v9" if slow else "v8"))
        if slow:
            spans.append((peak + 0.6, peak + 9.8))
    ready = lambda m: 8 if any(p + w <= m < p + 190 for p, w in wait.items()) else 3  # noqa: E731 - read beside its use
    wanted = lambda m: 8 if any(p <= m < p + 190 for p in wait) else 3  # noqa: E731 - read beside its use
    x.series("kube_deployment_status_replicas_available", {"namespace": "reco", "deployment": "ranker"}, ready, step=2)
    x.series("kube_horizontalpodautoscaler_status_desired_replicas", {"namespace": "reco", "horizontalpodautoscaler": "ranker"}, wanted, step=2)
    load = wave(0.8, 4.6, 18.5)
    measured(x, old, lambda m: min(0.99, load(m) / ready(m)), lambda _m: 900, step=5, alive=(0, 2751))
    measured(x, new, lambda m: min(0.99, load(m) / ready(m)), lambda _m: 900, step=5, alive=(2751, x.minutes))
    x.counter("http_requests_total", {"namespace": "reco", "service": "ranker"}, lambda m: 40 * load(m), step=2)
    traffic(x, front, "/rank", "reco-ranker-80", every=0.9, failing=lambda m: 0.001, status=(503,), since=0, until=x.minutes,
            served=lambda m: x.log(x.random.choice(old if m < 2750 else new), m, zap(x.at(m), "info", "ranked")))
    for peak in wait:  # every evening is as busy, or the crowd would be the difference
        traffic(x, front, "/rank", "reco-ranker-80", every=0.06, failing=between(*spans, chance=0.65), status=(503, 504), slow=8.0, since=peak - 20, until=peak + 40,
                failed=lambda m: x.log(x.random.choice(new), m, zap(x.at(m), "warn", "queue full, shedding", queued=512)))
    x.say(2880 + 1035, "UANA", "rank 503s at the evening peak. more traffic than usual?")
    x.say(2880 + 1050, "UBEN", "over by itself. the hpa did scale, at 17:06")
    bustle(x, 6)
    return x.write(folder)


def ready_needs_redis(folder: Path) -> Path:
    """Redis is killed for memory three times; three services whose readiness asks it all leave the balancer at once though they could serve. Two days, no app logs.

    Root: Redis being killed. Not: web's release 12 minutes before the second time, not Traefik.
    """
    x = Export(day(24), 2 * 1440, seed=1016, namespace="cafe")
    front = x.workload("traefik", 1, namespace="traefik")[0]
    probe = {"readinessProbe": {"httpGet": {"path": "/health/ready", "port": 8080}, "periodSeconds": 5, "failureThreshold": 2}}
    pods = {name: x.workload(name, 3, container=probe) for name in ("web", "menu", "tables")}
    redis = stateful(x, "redis", "docker.io/library/redis:7.4")
    hits = [411.0, 1505.0, 2390.0]
    released(x, 1493.0, "web", 3, "14.2.0", container=probe)
    for at in hits:
        x.event(at, "OOMKilling", "Node/node-a", f"Memory cgroup out of memory: Killed process {40000 + int(at)} (redis-server) total-vm:2411204kB, anon-rss:1046012kB, file-rss:1892kB, shmem-rss:0kB",
                warning=True, component="kernel-monitor", namespace="default")
        x.event(at + 0.1, "BackOff", f"Pod/{redis}", "Back-off restarting failed container app in pod redis-0_cafe(3f1c)", warning=True)
        x.event(at + 1.2, "Started", f"Pod/{redis}", "Started container app")
        for name, of in pods.items():
            for n, pod in enumerate(of):
                x.event(at + 0.2 + 0.03 * n, "Unhealthy", f"Pod/{pod}", "Readiness probe failed: HTTP probe failed with statuscode: 503", warning=True, count=18, until=at + 1.6 + len(name) / 20)
    for at in x.every(0.35):
        bad = any(h + 0.4 <= at < h + 2.0 for h in hits)
        name = x.random.choice(tuple(pods))
        x.log(front, at, traefik(x, at, f"/{name}", 503 if bad else 200, f"cafe-{name}-http", 0.2 if bad else x.random.uniform(10, 60)), namespace="traefik")
    for hit in hits:
        for at in x.every(0.02, hit + 0.4, hit + 2.0):
            x.log(front, at, traefik(x, at, "/web", 503, "cafe-web-http", 0.2), namespace="traefik")
    x.say(1508, "UANA", "all of cafe was 503 for two minutes, web 14.2.0?")
    x.say(2400, "UBEN", "third time. is traefik losing its config?")
    bustle(x, 8)
    return x.write(folder)


def ids_run_out(folder: Path) -> Path:
    """A table's 32-bit sequence reaches its end: no row can be inserted any more; a release nine minutes before is undone in vain. Twelve hours.

    Root: the database (its sequence). Not: ingest's release.
    """
    x = Export(day(25, 6), 720, seed=1017, namespace="ev")
    front = edge(x)
    old = x.workload("ingest", 3, image="2.0.8")
    db = stateful(x, "postgres", "docker.io/library/postgres:16.6", volume="data")
    new = released(x, 403.0, "ingest", 3, "2.1.0", old=old)
    back = released(x, 449.0, "ingest", 3, "2.0.8", old=new)
    end = 412.0
    x.series("pg_sequences_last_value", {"namespace": "ev", "sequencename": "events_id_seq", "datname": "ev"}, lambda m: min(2147483647, 2147483647 - 8000 * (end - m)))
    now = lambda m: old if m < 404 else new if m < 450 else back  # noqa: E731 - read beside its use

    def failed(at: float) -> None:
        x.log(db, at, postgres(x.at(at), "ERROR", 'nextval: reached maximum value of sequence "events_id_seq" (2147483647)'))
        x.log(db, at, postgres(x.at(at), "STATEMENT", "INSERT INTO events (source, body, at) VALUES ($1, $2, $3) RETURNING id"))
        x.log(x.random.choice(now(at)), at, f'sqlalchemy.exc.DataError: (psycopg.errors.SequenceGeneratorLimitExceeded) nextval: reached maximum value of sequence "events_id_seq" (2147483647)')  # noqa: F541 - braces are none here

    traffic(x, front, "/events", "ev-ingest-80", every=0.15, failing=lambda m: 0.98 if m > end else 0.001, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(now(m)), m, gunicorn(x.random, x.at(m), "/events", 201, 11000)))
    for at in x.every(7):
        x.log(db, at, postgres(x.at(at), "LOG", "checkpoint starting: time"))
    x.say(418, "UANA", "every insert fails since ingest 2.1.0. rolling back")
    x.say(452, "UANA", "rolled back, still failing??")
    bustle(x, 6)
    return x.write(folder)


def crawled_facets(folder: Path) -> Path:
    """A crawler asks for every combination of a shop's filters, twice in a morning; the search behind the lists rejects, everything else is well. Eight hours.

    Root: Bytespider's requests, from outside. Not: catalog's release an hour before, not the nightly reindex.
    """
    x = Export(day(26, 4), 480, seed=1018, namespace="fashion")
    front = edge(x)
    catalog, basket = x.workload("catalog", 3), x.workload("basket", 2)
    search = stateful(x, "opensearch", "docker.io/opensearchproject/opensearch:2.18.0")
    x.cronjob("reindex", "30 4 * * *", [30.0], 25)
    catalog_new = released(x, 128.0, "catalog", 3, "52.0.0", old=catalog)
    spans = [(192.0, 251.0), (330.0, 372.0)]
    inside = lambda m: any(low <= m < high for low, high in spans)  # noqa: E731 - read beside its use
    for low, high in spans:
        for at in x.every(0.02, low, high):
            facets = "&".join(f"{k}={x.random.randint(1, 60)}" for k in x.random.sample(("color", "size", "brand", "cut", "sort", "page"), 4))
            bad = at > low + 1.5 and x.random.random() < 0.75
            x.log(front, at, nginx(x.at(at), f"/c/shoes?{facets}", 503 if bad else 200, "fashion-catalog-80", 6.0 if bad else 1.2, 6.0 if bad else 1.2,
                  client=f"47.128.44.{x.random.choice((17, 18, 121))}", agent=BYTESPIDER), namespace="ingress-nginx")
            if bad and x.random.random() < 0.3:
                x.log(search, at, x.at(at).strftime("[%Y-%m-%dT%H:%M:%S,118][WARN ][r.suppressed             ] [opensearch-0] path: /products/_search, params: {index=products} "
                      "OpenSearchRejectedExecutionException[rejected execution of task on QueueResizingOpenSearchThreadPoolExecutor[name = opensearch-0/search, queue capacity = 1000, max pool size = 7, active threads = 7, queued tasks = 1000]]"))
                x.log(x.random.choice(catalog_new), at, pino(x.at(at), 50, "search failed", status=429, type="rejected_execution_exception"))
    for at in x.every(0.2):
        bad = inside(at) and inside(at - 1.5) and x.random.random() < 0.7
        x.log(front, at, nginx(x.at(at), "/c/boots?page=2", 503 if bad else 200, "fashion-catalog-80", 6.0 if bad else 0.09, 6.0 if bad else 0.09), namespace="ingress-nginx")
        x.log(x.random.choice(catalog if at < 129 else catalog_new), at, pino(x.at(at), 50 if bad else 30, "search failed" if bad else "list shown"))
        x.log(front, at + 0.05, nginx(x.at(at), "/basket", 200, "fashion-basket-80", 0.03, 0.03), namespace="ingress-nginx")
    for at in x.every(4):
        x.log(x.random.choice(basket), at, zap(x.at(at), "info", "basket shown"))
    measured(x, [search], lambda m: 6.9 if inside(m) else 0.8, lambda _m: 7900)
    measured(x, catalog_new, lambda m: 0.7 if inside(m) else 0.15, lambda _m: 340, alive=(129, x.minutes))
    x.say(205, "UANA", "lists are 503. catalog 52.0.0 from six o'clock?")
    x.say(340, "UBEN", "again. did the reindex leave the cluster red?")
    bustle(x, 6)
    return x.write(folder)


INCIDENTS = (
    Unseen(name="daily-quota", build=daily_quota, hard=True, question=None, roots=frozenset({"CronJob/crm/crm-enrich", "Job/crm/crm-enrich"}),
           shallow=frozenset({"Host//addressvalidation.geocheck.example.com"}), full=True),
    Unseen(name="index-dropped", build=index_dropped, hard=True, question="why does the order history time out?", full=True,
           roots=frozenset({"Job/retail/orders-migrate-118", "Deployment/retail/orders"}), shallow=frozenset({"StatefulSet/retail/postgres"})),
    Unseen(name="tiny-requests", build=tiny_requests, hard=True, question=None, roots=frozenset({"Deployment/find/indexer"}), shallow=frozenset({"Node//node-b"}), full=True),
    Unseen(name="rebalance-by-scaler", build=rebalance_by_scaler, question=None, shallow=frozenset({"Deployment/bill/billing"}), full=True,
           roots=frozenset({"ScaledObject/bill/billing", "HorizontalPodAutoscaler/bill/keda-hpa-billing"})),
    Unseen(name="model-download", build=model_download, question="503s in the evening, why?", roots=frozenset({"Deployment/reco/ranker"}),
           shallow=frozenset({"HorizontalPodAutoscaler/reco/ranker"}), full=True),
    Unseen(name="ready-needs-redis", build=ready_needs_redis, question=None, roots=frozenset({"StatefulSet/cafe/redis"}), full=True),
    Unseen(name="ids-run-out", build=ids_run_out, hard=True, question="what broke the inserts?", roots=frozenset({"StatefulSet/ev/postgres"}), full=True),
    Unseen(name="crawled-facets", build=crawled_facets, hard=True, question=None, full=True,
           roots=frozenset({"Host//47.128.44.17", "Host//47.128.44.18", "Host//47.128.44.121", "Host//Bytespider", "Host//bytedance.com"}),
           shallow=frozenset({"StatefulSet/fashion/opensearch", "Service/fashion/catalog"})),
)
