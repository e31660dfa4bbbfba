"""Incidents of brokers, search indices and what shares a node or an agent with them; and days on which nothing is to blame."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, node, traffic
from incident_sets import cordoned, daemon, ended, made, replicas
from line_formats import kafka, pino, postgres, spring, zap


def acknowledged_late(folder: Path) -> Path:
    """A release acknowledges only after half an hour's work; RabbitMQ closes its channels for it and nothing is ever done. A day."""
    x = Export(day(6), 1440, seed=511, namespace="render")
    front = edge(x)
    api, broker = x.workload("films", 2), replicas(x, "rabbitmq", "docker.io/library/rabbitmq:3.13", ["node-a"])[0]
    old = x.workload("encoder", 2)
    new = x.rollout(402, "encoder", 2, image="4.0.0")
    for at in x.every(16, 434):
        pod = x.random.choice(new)
        x.log(broker, at, f"{x.at(at).strftime('%Y-%m-%d %H:%M:%S.%f')}+00:00 [warning] <0.1921.0> Consumer 'ctag1.9c2' on channel 1 and queue 'encode' in vhost '/' has timed "
              "out waiting for a consumer acknowledgement of a delivery with delivery tag = 1. Timeout used: 1800000 ms.")  # fmt: skip
        x.log(broker, at + 0.01, f"{x.at(at).strftime('%Y-%m-%d %H:%M:%S.%f')}+00:00 [error] <0.1921.0> operation none caused a channel exception precondition_failed: "
              "delivery acknowledgement on channel 1 timed out")  # fmt: skip
        x.log(pod, at + 0.02, "pika.exceptions.ChannelClosedByBroker: (406, 'PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. "
              "Timeout value used: 1800000 ms.')")  # fmt: skip
    for at in x.every(4, 0, 402):
        x.log(x.random.choice(old), at, "INFO encoder finished segment")
    x.series(
        "rabbitmq_queue_messages_ready",
        {"namespace": "render", "queue": "encode"},
        lambda m: 6 + m % 5 if m < 436 else 8 + (m - 436) * 2.0,
        step=4,
    )
    traffic(x, front, "/films", "render-films-80", every=0.7, failing=lambda m: 0.5 if m > 470 else 0, status=(503,),
            failed=lambda m: x.log(x.random.choice(api), m, zap(x.at(m), "error", "film not ready", status=503, waited="45m0s")),
            served=lambda m: x.log(x.random.choice(api), m, zap(x.at(m), "info", "film", status=200)))  # fmt: skip
    x.rollout(366, "subtitles", 1, image="1.4.0")
    return x.write(folder)


def slow_disk(folder: Path) -> Path:
    """One node's disk grows slow twice; the Kafka broker on it falls out of the in-sync replicas, writes with all acks fail. Ten hours."""
    x = Export(day(7, 4), 600, seed=512, namespace="bus")
    for name in ("node-a", "node-b", "node-c"):
        node(x, name)
    front = edge(x)
    brokers = replicas(x, "kafka", "docker.io/apache/kafka:3.8.0", ["node-a", "node-b", "node-c"])
    clicks = x.workload("clicks", 2, nodes=("node-a", "node-b"))
    spans = ((211.0, 238.0), (402.0, 441.0))
    inside = between(*spans)
    for on in ("node-a", "node-b", "node-c"):
        x.counter("node_disk_io_time_seconds_total", {"instance": on, "device": "sda"},
                  lambda m, on=on: 0.995 if on == "node-c" and inside(m) else 0.15 + 0.01 * (m % 6))  # fmt: skip
        x.counter("node_disk_write_time_seconds_total", {"instance": on, "device": "sda"},
                  lambda m, on=on: 41.0 if on == "node-c" and inside(m) else 0.2 + 0.01 * (m % 5))  # fmt: skip
    for low, high in spans:
        for at in x.every(4, low, high):
            x.event(at, "TaskHung", "Node/node-c", "task kworker/u16:2 blocked for more than 120 seconds.", warning=True, component="kernel-monitor",
                    namespace="default", host="node-c")  # fmt: skip
        for at in x.every(1.5, low + 0.6, high):
            x.log(brokers[0], at, kafka(x.at(at), "INFO", f"[Partition clicks-{int(at) % 12} broker=0] Shrinking ISR from 0,2 to 0. Leader: (highWatermark: 81, endOffset: 93). "
                  "Out of sync replicas: (brokerId: 2, endOffset: 81).", "kafka.cluster.Partition"))  # fmt: skip

    def failed(at: float) -> None:
        x.log(x.random.choice(clicks), at, spring(x.at(at), "ERROR", "o.s.kafka.support.LoggingProducerListener", "Exception thrown when sending a message with key='null': "
              "org.apache.kafka.common.errors.NotEnoughReplicasException: Messages are rejected since there are fewer in-sync replicas than required."))  # fmt: skip

    traffic(x, front, "/click", "bus-clicks-80", every=0.15, failing=between(*((a + 1, b) for a, b in spans), chance=0.6), status=(503,), failed=failed,
            served=lambda m: x.log(x.random.choice(clicks), m, spring(x.at(m), "INFO", "c.e.Clicks", "sent")))  # fmt: skip
    x.rollout(371, "funnels", 2, image="0.8.0")
    return x.write(folder)


def force_merged(folder: Path) -> Path:
    """A nightly force-merge takes Elasticsearch's disks; searches queue up and are rejected. Four days, Loki and metrics."""
    x = Export(day(9), 4 * 1440, seed=513, namespace="find")
    front = edge(x)
    search = x.workload("search-api", 2)
    nodes = replicas(x, "es-data", "docker.elastic.co/elasticsearch/elasticsearch:8.15.0", ["node-a", "node-b"])
    runs = x.cronjob("index-forcemerge", "10 3 * * *", [d * 1440 + 190.0 for d in range(4)], 44)
    x.cronjob("synonym-refresh", "0 1 * * *", [d * 1440 + 60.0 for d in range(4)], 3)
    inside = between(*((b + 2, b + 43) for b, _ in runs))
    for begun, pod in runs:
        x.log(pod, begun + 0.2, "POST /products-*/_forcemerge?max_num_segments=1")
        x.log(pod, begun + 43.5, '{"_shards":{"total":24,"successful":24,"failed":0}}')
    for at in x.every(45):
        x.log(
            x.random.choice(nodes),
            at,
            x.at(at).strftime(
                "[%Y-%m-%dT%H:%M:%S,118][INFO ][o.e.c.m.MetadataMappingService] [es-data-0] [products-7/aF3] update_mapping [_doc]"
            ),
        )
    x.counter(
        "container_fs_reads_bytes_total",
        {"namespace": "find", "pod": nodes[0], "container": "app"},
        lambda m: 4.1e8 if inside(m) else 9.0e6 + 1e5 * (m % 9),
        step=3,
    )

    def failed(at: float) -> None:
        pod = x.random.choice(nodes)
        x.log(pod, at, x.at(at).strftime("[%Y-%m-%dT%H:%M:%S,402][DEBUG][o.e.a.s.TransportSearchAction] [es-data-1] All shards failed for phase: [query] "
              "org.elasticsearch.common.util.concurrent.EsRejectedExecutionException: rejected execution of TimedRunnable on "
              "EsThreadPoolExecutor[name = es-data-1/search, queue capacity = 1000]"))  # fmt: skip
        x.log(
            x.random.choice(search),
            at,
            pino(
                x.at(at),
                50,
                "search failed",
                err={"type": "ResponseError", "message": "es_rejected_execution_exception", "statusCode": 429},
            ),
        )

    traffic(x, front, "/search", "find-search-api-80", every=0.9, failing=lambda m: 0.6 * inside(m), status=(503,), failed=failed,
            served=lambda m: x.log(x.random.choice(search), m, pino(x.at(m), 30, "search", took=41)))  # fmt: skip
    x.rollout(2500, "search-api", 2, image="6.1.0")
    return x.write(folder, "loki")


def agents_replaced(folder: Path) -> Path:
    """Cilium's agents are upgraded node by node; the pods of each node reach nobody while theirs is away. Pods' events only, a proxy."""
    x = Export(day(10, 12), 360, seed=514, namespace="seat")
    front = edge(x, keep=False)
    seats = x.workload("seats", 3, keep=False)
    old = daemon(
        x, "cilium", "quay.io/cilium/cilium:v1.15.7", ["node-a", "node-b", "node-c"], "kube-system", keep=False
    )
    new = daemon(
        x, "cilium", "quay.io/cilium/cilium:v1.16.1", ["node-a", "node-b", "node-c"], "kube-system", keep=False
    )
    spans = []
    for number, on in enumerate(("node-a", "node-b", "node-c")):
        at = 171.0 + 5.5 * number
        ended(x, old[on], at, on, namespace="kube-system", container="cilium-agent")
        made(
            x,
            new[on],
            at + 0.4,
            on,
            "quay.io/cilium/cilium:v1.16.1",
            namespace="kube-system",
            pull=1.6,
            container="cilium-agent",
        )
        spans.append((at + 0.3, at + 2.9))
        x.event(at + 2.2, "Unhealthy", f"Pod/{new[on]}", 'Startup probe failed: Get "http://127.0.0.1:9879/healthz": dial tcp 127.0.0.1:9879: connect: connection refused',
                warning=True, namespace="kube-system", host=on)  # fmt: skip
    for number, pod in enumerate(seats):
        x.event(
            -0.0 + 2, "Pulled", f"Pod/{pod}", "Container image already present on machine", host=f"node-{'abc'[number]}"
        )
    inside = between(*spans)

    def failed(at: float) -> None:
        where = next(n for n, (low, high) in enumerate(spans) if low <= at + 0.01 < high + 0.1)
        x.log(seats[where], at, zap(x.at(at), "error", "hold seat", error="dial tcp 10.43.8.21:5432: i/o timeout"))

    traffic(x, front, "/seats", "seat-seats-80", every=0.08, failing=lambda m: 0.45 * inside(m), status=(504,), slow=10.0, failed=failed,
            served=lambda m: x.log(x.random.choice(seats), m, zap(x.at(m), "info", "held")))  # fmt: skip
    for at in x.every(20):
        x.log(seats[0], at, zap(x.at(at), "warn", "slow render", ms=612))
    return x.write(folder)


def neighbour_without_limit(folder: Path) -> Path:
    """A nightly training job without a limit takes its node's memory; the kernel kills a backend of PostgreSQL beside it. Four days."""
    x = Export(day(12), 4 * 1440, seed=515, namespace="shop")
    for name in ("node-a", "node-b"):
        node(x, name)
    front = edge(x)
    orders = x.workload("orders", 2, nodes=("node-a",))
    pg = replicas(x, "orders-db", "docker.io/library/postgres:16.4", ["node-b"])[0]
    runs = x.cronjob("train-recs", "30 23 * * *", [d * 1440 + 1410.0 for d in range(4)], 26)
    x.cronjob("sitemap", "0 22 * * *", [d * 1440 + 1320.0 for d in range(4)], 4)
    spans = []
    for begun, pod in runs:
        x.event(
            begun + 0.1,
            "Scheduled",
            f"Pod/{pod}",
            f"Successfully assigned shop/{pod} to node-b",
            component="default-scheduler",
        )
        x.log(pod, begun + 0.5, "epoch 0: loading 41 GB of interactions into memory")
        killed = begun + x.random.uniform(7, 15)
        spans.append((killed, killed + 4.5))
        x.event(
            killed,
            "SystemOOM",
            "Node/node-b",
            "System OOM encountered, victim process: postgres, pid: 28114",
            warning=True,
            namespace="default",
            host="node-b",
        )
        x.log(
            pg,
            killed + 0.01,
            postgres(x.at(killed), "LOG", "server process (PID 28114) was terminated by signal 9: Killed"),
        )
        x.log(pg, killed + 0.02, postgres(x.at(killed), "LOG", "terminating any other active server processes"))
        x.log(pg, killed + 4.4, postgres(x.at(killed + 4.4), "LOG", "database system is ready to accept connections"))
    inside = between(*spans)
    x.series("node_memory_MemAvailable_bytes", {"instance": "node-b"},
             lambda m: 4.0e8 if any(b + 5 < m < b + 25 for b, _ in runs) else 1.1e10 + 1e8 * (m % 5), step=3)  # fmt: skip

    def failed(at: float) -> None:
        x.log(pg, at, postgres(x.at(at), "FATAL", "the database system is in recovery mode"))
        x.log(
            x.random.choice(orders),
            at,
            zap(x.at(at), "error", "place order", error="pq: the database system is in recovery mode"),
        )

    traffic(x, front, "/order", "shop-orders-80", every=0.5, failing=lambda m: 0.9 * inside(m), status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(orders), m, zap(x.at(m), "info", "placed")))  # fmt: skip
    x.rollout(4100, "orders", 2, image="9.2.0")
    return x.write(folder)


def standby_restarted(folder: Path) -> Path:
    """A standby is restarted for planned work and catches up; nobody reads from it and nobody fails."""
    x = Export(day(14, 20), 300, seed=521, namespace="bank")
    for name in ("node-a", "node-b"):
        node(x, name)
    front = edge(x)
    books = x.workload("books", 2, nodes=("node-a",))
    pods = replicas(x, "pg", "ghcr.io/zalando/spilo-16:3.3", ["node-a", "node-b"])
    cordoned(x, "node-b", 120, 141)
    ended(x, pods[1], 120.5, "node-b")
    made(x, pods[1], 141.3, "node-b", "ghcr.io/zalando/spilo-16:3.3")
    x.log(
        pods[1], 142, postgres(x.at(142), "LOG", "database system was shut down in recovery at 2026-03-14 22:00:31 UTC")
    )
    x.log(
        pods[1], 142.1, postgres(x.at(142.1), "LOG", "started streaming WAL from primary at 4F/A1000000 on timeline 12")
    )
    x.log(pods[0], 120.6, postgres(x.at(120.6), "LOG", "unexpected EOF on standby connection"))
    x.say(
        95, "UANA", "Planned: node-b gets its kernel at 22:00 UTC, the standby of pg will be away for 20 minutes", "ops"
    )
    traffic(x, front, "/accounts", "bank-books-80", every=0.15, failing=lambda _m: 0.0,
            served=lambda m: x.log(x.random.choice(books), m, spring(x.at(m), "INFO", "c.e.Books", "statement read")))  # fmt: skip
    for at in x.every(13):
        x.log(
            x.random.choice(books),
            at,
            spring(
                x.at(at),
                "WARN",
                "com.zaxxer.hikari.pool.PoolBase",
                "HikariPool-1 - Failed to validate connection (This connection has been closed.)",
            ),
        )
    return x.write(folder)


def preferred_leaders(folder: Path) -> Path:
    """Kafka moves its leaders back every few hours as it always does; a service logs its usual refusals at any hour. Two days."""
    x = Export(day(15), 2880, seed=522, namespace="ads")
    front = edge(x)
    bids = x.workload("bids", 2)
    brokers = replicas(x, "kafka", "docker.io/apache/kafka:3.8.0", ["node-a", "node-b"])
    for at in x.every(190):
        x.log(
            brokers[0],
            at,
            kafka(
                x.at(at),
                "INFO",
                "[Controller id=0] Starting preferred replica leader election for partitions bids-3",
                "kafka.controller.KafkaController",
            ),
        )
        x.log(x.random.choice(bids), at + 0.1, spring(x.at(at), "WARN", "o.apache.kafka.clients.NetworkClient", "[Producer clientId=p-1] Got error produce response with correlation id "
              "81 on topic-partition bids-3, retrying (2147483646 attempts left). Error: NOT_LEADER_OR_FOLLOWER"))  # fmt: skip
    traffic(x, front, "/bid", "ads-bids-80", every=0.9, failing=lambda _m: 0.004, status=(502, 503),
            failed=lambda m: x.log(x.random.choice(bids), m, spring(x.at(m), "ERROR", "c.e.Bids", "bidder did not answer in time")),
            served=lambda m: x.log(x.random.choice(bids), m, spring(x.at(m), "INFO", "c.e.Bids", "bid")))  # fmt: skip
    x.rollout(1300, "bids", 2, image="2.4.0")
    return x.write(folder)


def vacuum_as_ever(folder: Path) -> Path:
    """Errors come for twenty-five minutes without a word why; vacuum and backup ran when they always run, a broker was rolled hours before."""
    x = Export(day(16, 6), 540, seed=523, namespace="lms")
    front = edge(x)
    course, pg = x.workload("courses", 2), replicas(x, "pg", "docker.io/library/postgres:16.4", ["node-b"])[0]
    replicas(x, "nats", "docker.io/library/nats:2.10", ["node-a"])
    ended(x, "nats-0", 41, "node-a")
    made(x, "nats-0", 41.5, "node-a", "docker.io/library/nats:2.10.20")
    x.cronjob("pg-backup", "0 * * * *", [60.0 * n for n in range(9)], 7)
    for at in x.every(12):
        x.log(pg, at, postgres(x.at(at), "LOG", 'automatic vacuum of table "lms.public.attempts": index scans: 1'))
    traffic(x, front, "/course", "lms-courses-80", every=0.12, failing=between((332.0, 357.0), chance=0.7), status=(500,),
            failed=lambda m: x.log(x.random.choice(course), m, pino(x.at(m), 50, "request failed", status=500)),
            served=lambda m: x.log(x.random.choice(course), m, pino(x.at(m), 30, "request", status=200)))  # fmt: skip
    return x.write(folder)


def backup_beside(folder: Path) -> Path:
    """A backup writes its nightly warnings; on one afternoon errors come out of nothing. The person asks whether the backup did it."""
    x = Export(day(17), 3 * 1440, seed=524, namespace="farm")
    front = edge(x)
    herd, mongo = x.workload("herd", 2), replicas(x, "mongo", "docker.io/library/mongo:7.0", ["node-a"])[0]
    runs = x.cronjob("mongodump", "0 2 * * *", [d * 1440 + 120.0 for d in range(3)], 25)
    for begun, _ in runs:
        for at in x.every(2, begun + 1, begun + 25):
            x.log(mongo, at, f'{{"t":{{"$date":"{x.at(at).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]}+00:00"}},"s":"I","c":"COMMAND","id":51803,"ctx":"conn812","msg":"Slow query",'
                  '"attr":{"ns":"farm.events","planSummary":"COLLSCAN","durationMillis":1911}}')  # fmt: skip
    traffic(x, front, "/herd", "farm-herd-80", every=0.6, failing=between((2325.0, 2349.0), chance=0.6), status=(502,),
            served=lambda m: x.log(x.random.choice(herd), m, zap(x.at(m), "info", "herd")))  # fmt: skip
    return x.write(folder)


_NOT_BLAMED = frozenset({"no_incident", "inconclusive"})
INCIDENTS = (
    Unseen(name="acknowledged-late", build=acknowledged_late, question="why are films not ready?", roots=frozenset({"Deployment/render/encoder"}), hard=True),
    Unseen(name="slow-disk", build=slow_disk, question=None, roots=frozenset({"Node//node-c"}), shallow=frozenset({"StatefulSet/bus/kafka"}), hard=True),
    Unseen(name="force-merged", build=force_merged, question=None, full=True, roots=frozenset({"CronJob/find/index-forcemerge"})),
    Unseen(name="agents-replaced", build=agents_replaced, question="504 on seats?", roots=frozenset({"DaemonSet/kube-system/cilium"}), hard=True),
    Unseen(name="neighbour-without-limit", build=neighbour_without_limit, question="Why do orders fail before midnight?", full=True,
           roots=frozenset({"CronJob/shop/train-recs"}), shallow=frozenset({"Node//node-b", "StatefulSet/shop/orders-db"}), hard=True),
    Unseen(name="standby-restarted", build=standby_restarted, question=None, verdicts=_NOT_BLAMED),
    Unseen(name="preferred-leaders", build=preferred_leaders, question=None, full=True, verdicts=_NOT_BLAMED),
    Unseen(name="vacuum-as-ever", build=vacuum_as_ever, question=None, verdicts=frozenset({"inconclusive"})),
    Unseen(name="backup-beside", build=backup_beside, question="Did the backup cause the 502s?", verdicts=_NOT_BLAMED),
)  # fmt: skip
