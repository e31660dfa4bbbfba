"""Incidents of quorums, disks and node agents, and days of planned work on which there is nothing to find."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, node, traffic
from incident_sets import cordoned, daemon, ended, made, replicas
from line_formats import kafka, pino, postgres, spring, zap


def disk_stays_attached(folder: Path) -> Path:
    """A node is drained; its RabbitMQ member waits for a volume that is not let go and the queue's leader is not there. Six hours."""
    x = Export(day(3, 9), 360, seed=611, namespace="mail")
    for name in ("node-a", "node-b"):
        node(x, name)
    front = edge(x)
    outbox = x.workload("outbox", 2, nodes=("node-a",))
    pod = replicas(x, "rabbitmq", "docker.io/library/rabbitmq:3.13", ["node-b"])[0]
    volume = "pvc-0b6b9d1a-1c55-4d5e-8a0f-2f3f9d7a1e02"
    cordoned(x, "node-b", 130, 200)
    ended(x, pod, 130.6, "node-b")
    x.event(
        131.2,
        "SuccessfulCreate",
        "StatefulSet/rabbitmq",
        f"create Pod {pod} in StatefulSet rabbitmq successful",
        component="statefulset-controller",
    )
    x.event(
        131.3, "Scheduled", f"Pod/{pod}", f"Successfully assigned mail/{pod} to node-a", component="default-scheduler"
    )
    for at in (131.6, 133.7, 138.0, 146.1):
        x.event(at, "FailedAttachVolume", f"Pod/{pod}", f'AttachVolume.Attach failed for volume "{volume}" : rpc error: code = DeadlineExceeded desc = context deadline exceeded',
                warning=True, component="attachdetach-controller")  # fmt: skip
    x.event(
        152,
        "SuccessfulAttachVolume",
        f"Pod/{pod}",
        f'AttachVolume.Attach succeeded for volume "{volume}"',
        component="attachdetach-controller",
    )
    x.event(153.2, "Started", f"Pod/{pod}", "Started container app", host="node-a")

    def failed(at: float) -> None:
        x.log(
            x.random.choice(outbox),
            at,
            zap(
                x.at(at),
                "error",
                "publish mail",
                error="dial tcp: lookup rabbitmq.mail.svc.cluster.local: no such host",
            ),
        )

    traffic(x, front, "/send", "mail-outbox-80", every=0.2, failing=between((130.8, 153.6), chance=0.95), status=(503,), failed=failed,
            served=lambda m: x.log(x.random.choice(outbox), m, zap(x.at(m), "info", "queued")))  # fmt: skip
    x.rollout(92, "templates", 2, image="4.1.0")
    return x.write(folder)


def _rebooted(x: Export, on: str, low: float, high: float, pod: str) -> None:
    """Add what is told of a node that is emptied, silent and back, and of the pod on it."""
    x.event(
        low - 0.6,
        "NodeNotSchedulable",
        f"Node/{on}",
        f"Node {on} status is now: NodeNotSchedulable",
        namespace="default",
        host=on,
    )
    x.event(
        low,
        "NodeNotReady",
        f"Node/{on}",
        f"Node {on} status is now: NodeNotReady",
        component="node-controller",
        namespace="default",
    )
    x.event(
        high,
        "Rebooted",
        f"Node/{on}",
        f"Node {on} has been rebooted, boot id: 2f1c8a60-7f1e-4f0c-8d35-b61f{len(on)}0",
        warning=True,
        namespace="default",
        host=on,
    )
    x.event(high + 0.1, "NodeReady", f"Node/{on}", f"Node {on} status is now: NodeReady", namespace="default", host=on)
    x.event(
        low + 0.1,
        "NodeNotReady",
        f"Pod/{pod}",
        "Node is not ready",
        warning=True,
        component="node-controller",
    )
    x.event(high + 0.6, "Started", f"Pod/{pod}", "Started container app", host=on)


def two_rebooted(folder: Path) -> Path:
    """Kured reboots a second node before the first is back; MinIO has no write quorum, uploads fail. A night."""
    x = Export(day(4, 0), 420, seed=612, namespace="obj")
    for name in ("node-a", "node-b", "node-c", "node-d"):
        node(x, name)
    front = edge(x)
    upload = x.workload("upload", 2, nodes=("node-a",))
    minio = replicas(x, "minio", "quay.io/minio/minio:RELEASE.2024-10-13", ["node-a", "node-b", "node-c", "node-d"])
    spans = {"node-b": (151.0, 176.0), "node-c": (154.0, 164.0)}
    for on, (low, high) in spans.items():
        _rebooted(x, on, low, high, minio[{"node-b": 1, "node-c": 2}[on]])

    def failed(at: float) -> None:
        x.log(
            minio[0],
            at,
            "Error: Storage resources are insufficient for the write operation obj/incoming (cmd.InsufficientWriteQuorum)",
        )
        x.log(
            x.random.choice(upload),
            at,
            pino(
                x.at(at),
                50,
                "put failed",
                err={
                    "name": "SlowDownWrite",
                    "message": "Resource requested is unwritable, please reduce your request rate",
                },
            ),
        )

    traffic(x, front, "/upload", "obj-upload-80", every=0.15, failing=between((154.2, 164.5), chance=0.95), status=(503,), failed=failed,
            served=lambda m: x.log(x.random.choice(upload), m, pino(x.at(m), 30, "stored")))  # fmt: skip
    x.rollout(101, "thumbs", 2, image="2.2.0")
    return x.write(folder)


def _stopped(x: Export, broker: str, full: float) -> None:
    """Add a broker that stops for its full disk again and again."""
    for at in x.every(7, full):
        x.log(broker, at, kafka(x.at(at), "ERROR", "Error while appending records to pages-0 in dir /var/lib/kafka/data java.io.IOException: No space left on device",
              "org.apache.kafka.storage.internals.log.LogDirFailureChannel"))  # fmt: skip
        x.log(
            broker,
            at + 0.1,
            kafka(
                x.at(at),
                "FATAL",
                "Shutdown broker because all log dirs in /var/lib/kafka/data have failed",
                "kafka.log.LogManager",
            ),
        )
        x.event(
            at + 0.3,
            "BackOff",
            f"Pod/{broker}",
            f"Back-off restarting failed container app in pod {broker}_track(5c)",
            warning=True,
        )


def log_dirs_full(folder: Path) -> Path:
    """A producer's release sends whole pages instead of links; Kafka's disk is full a day later and the broker stops. Two days, metrics."""
    x = Export(day(5), 2880, seed=613, namespace="track")
    front = edge(x)
    x.workload("crawler", 3)
    x.rollout(500, "crawler", 3, image="3.0.0")
    pages = x.workload("pages", 2)
    broker = replicas(x, "kafka", "docker.io/apache/kafka:3.7.1", ["node-b"])[0]
    full = 1980.0
    labels = {"namespace": "track", "persistentvolumeclaim": "data-kafka-0"}
    x.series("kubelet_volume_stats_capacity_bytes", labels, lambda _m: 5.0e11, step=5)
    x.series(
        "kubelet_volume_stats_available_bytes",
        labels,
        lambda m: 3.0e11 + 2e8 * (m % 5) if m < 502 else max(0.0, 3.0e11 * (1 - (m - 502) / (full - 502))),
        step=5,
    )
    x.counter(
        "kafka_server_brokertopicmetrics_bytesin_total",
        {"namespace": "track", "topic": "pages"},
        lambda m: 1.1e5 + 1e3 * (m % 7) if m < 502 else 3.4e6,
        step=5,
    )
    _stopped(x, broker, full)
    for at in x.every(30, 0, full):
        x.log(
            broker,
            at,
            kafka(x.at(at), "INFO", "[UnifiedLog partition=pages-0] Rolled new log segment", "kafka.log.UnifiedLog"),
        )

    def failed(at: float) -> None:
        x.log(
            x.random.choice(pages),
            at,
            spring(
                x.at(at),
                "ERROR",
                "c.e.Pages",
                "org.apache.kafka.common.errors.TimeoutException: Topic pages not present in metadata after 60000 ms.",
            ),
        )

    traffic(x, front, "/page", "track-pages-80", every=0.9, failing=lambda m: 0.85 if m > full else 0, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(pages), m, spring(x.at(m), "INFO", "c.e.Pages", "page stored")))  # fmt: skip
    x.rollout(1890, "pages", 2, image="1.8.0")
    return x.write(folder)


def runtime_restarted(folder: Path) -> Path:
    """A node agent is rolled out and restarts containerd; on each node every container starts anew, the database's too. Pods' events only."""
    x = Export(day(6, 10), 300, seed=614, namespace="vet")
    front = edge(x, keep=False)
    cards = x.workload("cards", 2, keep=False)
    nodes = ["node-a", "node-b", "node-c"]
    old = daemon(x, "node-tuner", "registry.example.com/plat/node-tuner:2.3", nodes, "plat", keep=False)
    new = daemon(x, "node-tuner", "registry.example.com/plat/node-tuner:2.4", nodes, "plat", keep=False)
    for number, on in enumerate(nodes):
        at = 131.0 + 9 * number
        ended(x, old[on], at, on, namespace="plat")
        made(x, new[on], at + 0.3, on, "registry.example.com/plat/node-tuner:2.4", namespace="plat", pull=0.4)
        x.log(new[on], at + 0.9, "configuration changed, restarting containerd.service", namespace="plat")
    hit = 131.0 + 9 + 1.1
    x.event(
        hit, "SandboxChanged", "Pod/postgres-0", "Pod sandbox changed, it will be killed and re-created.", host="node-b"
    )
    x.event(hit + 0.5, "Started", "Pod/postgres-0", "Started container app", host="node-b")
    for n, on in ((0, "node-a"), (1, "node-c")):
        x.event(
            131.0 + 18 * n + 1.0,
            "SandboxChanged",
            f"Pod/{cards[n]}",
            "Pod sandbox changed, it will be killed and re-created.",
            host=on,
        )
        x.event(131.0 + 18 * n + 1.3, "Started", f"Pod/{cards[n]}", "Started container app", host=on)
    for at in x.every(11):
        x.log("postgres-0", at, postgres(x.at(at), "LOG", "checkpoint starting: time"))
    x.log(
        "postgres-0",
        hit + 0.6,
        postgres(x.at(hit + 0.6), "LOG", "database system was interrupted; last known up at 2026-03-06 12:15:00 UTC"),
    )
    x.log("postgres-0", hit + 5.5, postgres(x.at(hit + 5.5), "LOG", "database system is ready to accept connections"))

    def failed(at: float) -> None:
        if at > hit + 0.6:
            x.log("postgres-0", at, postgres(x.at(at), "FATAL", "the database system is starting up"))
        x.log(x.random.choice(cards), at, spring(x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper", "FATAL: the database system is starting up" if at > hit + 0.6
              else "Connection to postgres:5432 refused."))  # fmt: skip

    traffic(x, front, "/card", "vet-cards-80", every=0.08, failing=between((hit, hit + 5.5), chance=0.95), status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(cards), m, spring(x.at(m), "INFO", "c.e.Cards", "card read")))  # fmt: skip
    return x.write(folder)


def shards_moved(folder: Path) -> Path:
    """Every node of Elasticsearch is replaced in turn; it turns yellow and green again and no request fails."""
    x = Export(day(9, 18), 360, seed=621, namespace="docs")
    nodes = ["node-a", "node-b", "node-c"]
    for name in nodes:
        node(x, name)
    front = edge(x)
    query = x.workload("query", 2)
    pods = replicas(x, "elastic", "docker.elastic.co/elasticsearch/elasticsearch:8.15.3", nodes)
    for number in (2, 1, 0):
        at = 100.0 + 22 * (2 - number)
        x.event(
            at - 0.1,
            "SuccessfulDelete",
            "StatefulSet/elastic",
            f"delete Pod {pods[number]} in StatefulSet elastic successful",
            component="statefulset-controller",
        )
        ended(x, pods[number], at, nodes[number])
        made(x, pods[number], at + 1, nodes[number], "docker.elastic.co/elasticsearch/elasticsearch:8.15.3", pull=1.1)
        other = pods[(number + 1) % 3]
        x.log(
            other,
            at + 0.2,
            x.at(at + 0.2).strftime(
                "[%Y-%m-%dT%H:%M:%S,118][INFO ][o.e.c.r.a.AllocationService] [elastic-0] Cluster health status changed from [GREEN] to [YELLOW] (reason: [{elastic}{left}])"
            ),
        )
        x.log(
            other,
            at + 9,
            x.at(at + 9).strftime(
                "[%Y-%m-%dT%H:%M:%S,611][INFO ][o.e.c.r.a.AllocationService] [elastic-0] Cluster health status changed from [YELLOW] to [GREEN] (reason: [shards started])"
            ),
        )
    traffic(
        x,
        front,
        "/query",
        "docs-query-80",
        every=0.12,
        failing=lambda _m: 0.0,
        served=lambda m: x.log(x.random.choice(query), m, pino(x.at(m), 30, "query", took=22)),
    )
    for at in x.every(40):
        x.log(x.random.choice(query), at, pino(x.at(at), 40, "deprecated field in query"))
    return x.write(folder)


def short_burst(folder: Path) -> Path:
    """Five requests fail within twenty seconds in the afternoon and never again; an election was an hour before, a job runs every hour."""
    x = Export(day(10, 8), 600, seed=622, namespace="maps")
    front = edge(x)
    tiles, etcd = x.workload("tiles", 2), x.workload("etcd", 1)[0]
    x.cronjob("tile-bake", "0 * * * *", [60.0 * n for n in range(10)], 14)
    x.log(
        etcd,
        351,
        '{"level":"info","ts":"2026-03-10T13:51:00.118Z","logger":"raft","msg":"8e9e05c52164694d elected leader 8e9e05c52164694d at term 31"}',
    )
    traffic(
        x,
        front,
        "/tile",
        "maps-tiles-80",
        every=0.15,
        failing=lambda _m: 0.0,
        served=lambda m: x.log(x.random.choice(tiles), m, zap(x.at(m), "info", "tile")),
    )
    for n in range(5):
        x.log(tiles[0], 412 + 0.06 * n, zap(x.at(412 + 0.06 * n), "error", "render failed", status=500))
    return x.write(folder)


def lag_as_every_day(folder: Path) -> Path:
    """A consumer is behind at every evening's peak and catches up; nobody waits for it. It was released on the third day."""
    x = Export(day(11), 4 * 1440, seed=623, namespace="stats")
    front = edge(x)
    views, consumer = x.workload("views", 2), x.workload("aggregator", 2)
    broker = replicas(x, "kafka", "docker.io/apache/kafka:3.8.0", ["node-a"])[0]
    x.series("kafka_consumergroup_lag", {"namespace": "stats", "consumergroup": "aggregator", "topic": "views", "partition": "0"},
             lambda m: 40 + (m % 11) + max(0.0, 9000 * (1 - abs((m % 1440) - 1200) / 90)), step=3)  # fmt: skip
    x.rollout(3000, "aggregator", 2, image="1.3.0")
    for at in x.every(15):
        x.log(x.random.choice(consumer), at, spring(x.at(at), "INFO", "c.e.Aggregator", "window closed"))
        x.log(
            broker,
            at,
            kafka(
                x.at(at),
                "INFO",
                "[ProducerStateManager partition=views-0] Wrote producer snapshot",
                "o.a.k.s.i.log.ProducerStateManager",
            ),
        )
    traffic(
        x,
        front,
        "/views",
        "stats-views-80",
        every=0.9,
        failing=lambda _m: 0.003,
        status=(502,),
        served=lambda m: x.log(x.random.choice(views), m, zap(x.at(m), "info", "view")),
    )
    return x.write(folder)


def both_began(folder: Path) -> Path:
    """A backup starts and a broker is replaced within two minutes, once; then requests fail without a word of either."""
    x = Export(day(12, 7), 480, seed=624, namespace="fleet")
    front = edge(x)
    trips = x.workload("trips", 2)
    pods = replicas(x, "nats", "docker.io/library/nats:2.10.22", ["node-a"])
    replicas(x, "pg", "docker.io/library/postgres:16.4", ["node-b"])
    x.cronjob("pg-basebackup", "30 11 * * 4", [270.0], 24)
    ended(x, pods[0], 271.2, "node-a")
    made(x, pods[0], 271.6, "node-a", "docker.io/library/nats:2.10.22")
    traffic(x, front, "/trip", "fleet-trips-80", every=0.12, failing=between((272.4, 293.0), chance=0.6), status=(500,),
            failed=lambda m: x.log(x.random.choice(trips), m, pino(x.at(m), 50, "request failed", status=500)),
            served=lambda m: x.log(x.random.choice(trips), m, pino(x.at(m), 30, "request", status=200)))  # fmt: skip
    return x.write(folder)


_NOT_BLAMED = frozenset({"no_incident", "inconclusive"})
INCIDENTS = (
    Unseen(name="disk-stays-attached", build=disk_stays_attached, question="no mails around eleven, why?", roots=frozenset({"Node//node-b"}),
           shallow=frozenset({"StatefulSet/mail/rabbitmq", "PersistentVolume//pvc-0b6b9d1a-1c55-4d5e-8a0f-2f3f9d7a1e02"})),
    Unseen(name="two-rebooted", build=two_rebooted, question=None, roots=frozenset({"Node//node-b", "Node//node-c"}), shallow=frozenset({"StatefulSet/obj/minio"}), hard=True),
    Unseen(name="log-dirs-full", build=log_dirs_full, question=None, full=True, roots=frozenset({"Deployment/track/crawler"}),
           shallow=frozenset({"PersistentVolumeClaim/track/data-kafka-0", "StatefulSet/track/kafka"}), hard=True),
    Unseen(name="runtime-restarted", build=runtime_restarted, question=None, roots=frozenset({"DaemonSet/plat/node-tuner"}),
           shallow=frozenset({"StatefulSet/vet/postgres"}), hard=True),
    Unseen(name="shards-moved", build=shards_moved, question=None, verdicts=_NOT_BLAMED),
    Unseen(name="short-burst", build=short_burst, question=None, verdicts=_NOT_BLAMED),
    Unseen(name="lag-as-every-day", build=lag_as_every_day, question=None, full=True, verdicts=_NOT_BLAMED),
    Unseen(name="both-began", build=both_began, question=None, verdicts=frozenset({"inconclusive"})),
)  # fmt: skip
