"""Incidents of disks, volumes, caches and queues."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, job, node, stateful, traffic
from line_formats import gunicorn, kafka, mysql, pino, postgres, spring, zap

_CLAIM = "pvc-6f1d0c8e-91b2-4f4e-9a55-0f4e3b1c7d20"


def full_volume(folder: Path) -> Path:
    """PostgreSQL's volume fills over three days until it cannot write; orders fail. kubelet's volume metrics and logs."""
    x = Export(day(1), 3 * 1440, seed=81, namespace="ord")
    front = edge(x)
    pg = stateful(x, "orders-db", "docker.io/library/postgres:16.4", volume="data")
    api = x.workload("orders-api", 2)
    end = 3480.0
    labels = {"namespace": "ord", "persistentvolumeclaim": "data-orders-db-0"}
    x.series("kubelet_volume_stats_capacity_bytes", labels, lambda _m: 1.0e11, step=5)
    x.series("kubelet_volume_stats_available_bytes", labels, lambda m: max(0.0, 6.2e10 * (1 - m / end)), step=5)
    for at in x.every(0.5, end):
        x.log(pg, at, postgres(x.at(at), "ERROR", 'could not extend file "base/16384/24601": No space left on device'))
        x.log(pg, at, postgres(x.at(at), "HINT", "Check free disk space."))

    def failed(at: float) -> None:
        x.log(x.random.choice(api), at, spring(x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper",
              'ERROR: could not extend file "base/16384/24601": No space left on device'))  # fmt: skip

    traffic(x, front, "/orders", "ord-orders-api-80", every=0.9, failing=lambda m: 0.8 if m > end else 0, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(api), m, spring(x.at(m), "INFO", "c.e.Orders", "order accepted")))  # fmt: skip
    for at in x.every(30):
        x.log(pg, at, postgres(x.at(at), "LOG", f"checkpoint complete: wrote {int(at) % 900} buffers (2.2%)"))
    x.rollout(3300, "mailer", 1, image="1.1.1")
    return x.write(folder)


def multi_attach(folder: Path) -> Path:
    """A node goes silent; its database's volume stays attached to it, and the new pod waits for it. Events and objects, few logs."""
    x = Export(day(3), 480, seed=82, namespace="crm")
    for name in ("node-a", "node-b"):
        node(x, name)
    node(x, "node-c", ready=("Unknown", 201.0))
    front = edge(x)
    api = x.workload("crm-api", 2, nodes=("node-a", "node-b"))
    stateful(x, "mongo", "docker.io/library/mongo:7.0", volume="db", on="node-c")
    x.event(201, "NodeNotReady", "Node/node-c", "Node node-c status is now: NodeNotReady", component="node-controller")
    x.event(201.1, "NodeNotReady", "Pod/mongo-0", "Node is not ready", warning=True, component="node-controller")
    x.event(
        206.2,
        "TaintManagerEviction",
        "Pod/mongo-0",
        "Marking for deletion Pod crm/mongo-0",
        component="taint-eviction-controller",
    )
    x.event(
        207, "Scheduled", "Pod/mongo-0", "Successfully assigned crm/mongo-0 to node-a", component="default-scheduler"
    )
    x.event(207.1, "FailedAttachVolume", "Pod/mongo-0", f'Multi-Attach error for volume "{_CLAIM}" Volume is already exclusively attached '
            "to one node and can't be attached to another", warning=True, component="attachdetach-controller")  # fmt: skip
    for at in (209.2, 211.5, 213.8):
        x.event(at, "FailedMount", "Pod/mongo-0", "Unable to attach or mount volumes: unmounted volumes=[db], unattached volumes=[db "
                "kube-api-access-x2x9k]: timed out waiting for the condition", warning=True)  # fmt: skip
    x.event(215, "SuccessfulAttachVolume", "Pod/mongo-0", f'AttachVolume.Attach succeeded for volume "{_CLAIM}"',
            component="attachdetach-controller")  # fmt: skip
    x.event(216, "Started", "Pod/mongo-0", "Started container app")

    def failed(at: float) -> None:
        x.log(x.random.choice(api), at, pino(x.at(at), 50, "request failed", err={"type": "MongoServerSelectionError",
              "message": "connection timed out"}, path="/contacts", status=500))  # fmt: skip

    traffic(x, front, "/contacts", "crm-crm-api-80", every=0.25, failing=between((200.6, 216.5), chance=0.95), status=(500, 504), slow=30.0,
            failed=failed)  # fmt: skip
    x.rollout(150, "crm-web", 2, image="8.8.0")
    return x.write(folder)


def backup_io(folder: Path) -> Path:
    """A nightly dump saturates the disk that the database writes to: commits stall. Five days, MySQL, metrics, Loki."""
    x = Export(day(9), 5 * 1440, seed=83, namespace="seat")
    front = edge(x)
    api, db = x.workload("seats-api", 2), x.workload("mysql", 1, nodes=("node-b",))[0]
    runs = x.cronjob("xtrabackup", "40 2 * * *", [d * 1440 + 160.0 for d in range(5)], 31)
    x.cronjob("seat-report", "0 6 * * *", [d * 1440 + 360.0 for d in range(5)], 12)
    inside = between(*((begun + 1.0, begun + 30.5) for begun, _ in runs))
    x.counter("node_disk_io_time_seconds_total", {"instance": "node-b", "device": "nvme0n1"},
              lambda m: 0.99 if inside(m) else 0.12 + 0.01 * (m % 5), step=2)  # fmt: skip
    for begun, pod in runs:
        x.log(
            pod,
            begun + 0.3,
            f"{x.at(begun).strftime('%Y-%m-%dT%H:%M:%S')}.120000-00:00 0 [Note] [MY-011825] [Xtrabackup] Starting to backup",
        )
        x.log(
            pod,
            begun + 30.8,
            f"{x.at(begun).strftime('%Y-%m-%dT%H:%M:%S')}.990000-00:00 0 [Note] [MY-011825] [Xtrabackup] completed OK!",
        )
        for at in x.every(2, begun + 2, begun + 30):
            x.log(
                db,
                at,
                mysql(
                    x.at(at),
                    "Note",
                    "MY-011953",
                    f"Page cleaner took {x.random.randint(4000, 9000)}ms to flush 88 pages",
                ),
            )

    def failed(at: float) -> None:
        x.log(x.random.choice(api), at, spring(x.at(at), "ERROR", "o.a.c.c.C.[dispatcherServlet]",
              "Transaction rolled back because it has timed out: JpaTransactionManager deadline exceeded after 10 s"))  # fmt: skip

    traffic(x, front, "/seats/hold", "seat-seats-api-80", every=1.0, failing=lambda m: 0.7 * inside(m), status=(504, 503), slow=10.0,
            failed=failed, served=lambda m: x.log(x.random.choice(api), m, spring(x.at(m), "INFO", "c.e.Seats", "held")))  # fmt: skip
    x.rollout(2000, "seats-api", 2, image="3.2.0")
    return x.write(folder, "loki")


def no_eviction(folder: Path) -> Path:
    """A release keeps cached pages for a day instead of minutes; hours later Redis is full and refuses writes. A day."""
    x = Export(day(10), 1440, seed=84, namespace="news")
    front = edge(x)
    redis, x_old = x.workload("redis", 1)[0], x.workload("pages", 3)
    new = x.rollout(
        300, "pages", 3, image="12.0.0", container={"env": [{"name": "PAGE_TTL_SECONDS", "value": "86400"}]}
    )
    x.series("redis_memory_used_bytes", {"namespace": "news", "pod": redis},
             lambda m: 4.1e8 + 1e6 * (m % 9) if m < 300 else min(2.147e9, 4.1e8 + (m - 300) * 3.6e6), step=2)  # fmt: skip
    x.series("redis_memory_max_bytes", {"namespace": "news", "pod": redis}, lambda _m: 2.147e9, step=2)
    full = 300 + (2.147e9 - 4.1e8) / 3.6e6

    def failed(at: float) -> None:
        x.log(x.random.choice(new), at, pino(x.at(at), 50, "render failed", err={"type": "ReplyError",
              "message": "OOM command not allowed when used memory > 'maxmemory'.", "command": {"name": "set"}}))  # fmt: skip

    traffic(x, front, "/article", "news-pages-80", every=0.3, failing=lambda m: 0.55 if m > full else 0, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(x_old if m < 300 else new), m, pino(x.at(m), 30, "page rendered")))  # fmt: skip
    x.rollout(720, "comments", 2, image="6.1.0")
    for at in x.every(25):
        x.log(redis, at, f"1:M {x.at(at).strftime('%d %b %Y %H:%M:%S')}.301 * DB saved on disk")
    return x.write(folder)


def flushed_cache(folder: Path) -> Path:
    """Somebody runs a Job that empties the cache; everybody asks the database at once until it is warm. Four hours."""
    x = Export(day(11, 9), 240, seed=85, namespace="shopd")
    front = edge(x)
    catalog, pg, redis = x.workload("catalog", 3), x.workload("postgres", 1)[0], x.workload("redis", 1)[0]
    pod = job(x, "flush-prices", 131.0, 0.5)
    x.log(pod, 131.2, "redis.shopd.svc:6379> FLUSHALL")
    x.log(pod, 131.3, "OK")
    x.series("redis_db_keys", {"namespace": "shopd", "pod": redis, "db": "db0"},
             lambda m: 812000 + 90 * (m % 11) if m < 131.3 else min(812000.0, (m - 131.3) * 24000), step=1)  # fmt: skip
    x.counter("container_cpu_usage_seconds_total", {"namespace": "shopd", "pod": pg, "container": "app"},
              lambda m: 3.97 if 131.5 < m < 158 else 0.6 + 0.02 * (m % 5))  # fmt: skip

    def failed(at: float) -> None:
        x.log(
            x.random.choice(catalog),
            at,
            zap(x.at(at), "error", "load product", error="pq: canceling statement due to statement timeout"),
        )
        x.log(pg, at, postgres(x.at(at), "ERROR", "canceling statement due to statement timeout"))

    traffic(x, front, "/product", "shopd-catalog-80", every=0.1, failing=between((132.0, 157.0), chance=0.6), status=(500, 504), slow=5.0,
            failed=failed, served=lambda m: x.log(x.random.choice(catalog), m, zap(x.at(m), "info", "product", cache="hit")))  # fmt: skip
    x.rollout(97, "banners", 2, image="0.9.4")
    return x.write(folder)


def rebalance_loop(folder: Path) -> Path:
    """A release handles each batch too slowly: the group throws its members out again and again, nothing is committed. A day."""
    x = Export(day(12), 1440, seed=86, namespace="notify")
    broker = x.workload("kafka", 1)[0]
    old = x.workload("push-consumer", 3)
    new = x.rollout(500, "push-consumer", 3, image="2.0.0")
    api = x.workload("inbox-api", 2)
    logger = "org.apache.kafka.clients.consumer.internals.ConsumerCoordinator"
    for at in x.every(6, 507):
        pod = x.random.choice(new)
        x.log(pod, at, kafka(x.at(at), "WARN", "[Consumer clientId=push-1, groupId=push] consumer poll timeout has expired. This means the time "
              "between subsequent calls to poll() was longer than the configured max.poll.interval.ms, which typically implies that the poll "
              "loop is spending too much time processing messages.", logger))  # fmt: skip
        x.log(pod, at + 0.3, kafka(x.at(at + 0.3), "ERROR", "org.apache.kafka.clients.consumer.CommitFailedException: Offset commit cannot be "
              "completed since the consumer is not part of an active group for auto partition assignment", "c.e.push.Loop"))  # fmt: skip
        x.log(broker, at + 0.1, kafka(x.at(at), "INFO", f"[GroupCoordinator 0]: Preparing to rebalance group push in state PreparingRebalance "
              f"with old generation {int(at)} (__consumer_offsets-31) (reason: removing member push-1 on LeaveGroup)"))  # fmt: skip
    for at in x.every(0.5):
        x.log(
            x.random.choice(old if at < 500 else new),
            at,
            spring(x.at(at), "INFO", "c.e.push.Loop", "batch of 500 handled"),
        )
    for p in range(3):
        x.series("kafka_consumergroup_lag", {"namespace": "notify", "consumergroup": "push", "topic": "push", "partition": str(p)},
                 lambda m, p=p: 30 + 11 * ((m * 3 + p) % 7) + max(0.0, m - 507) * 320, step=2)  # fmt: skip
    for at in x.every(0.5):
        bad = at > 560 and x.random.random() < 0.3
        x.log(x.random.choice(api), at, spring(x.at(at), "WARN" if bad else "INFO", "c.e.inbox.InboxController",
              "GET /inbox -> 503, newest message is 1800 s old" if bad else "GET /inbox -> 200"))  # fmt: skip
    x.rollout(470, "mail-templates", 1, image="1.0.9")
    return x.write(folder)


def poison_message(folder: Path) -> Path:
    """A producer's release sends a field its consumer cannot read; the consumer dies at the same offset again and again. A day."""
    x = Export(day(13), 1440, seed=87, namespace="bill")
    x.workload("meter-gateway", 2)
    gateway = x.rollout(610, "meter-gateway", 2, image="3.0.0")
    rating = x.workload("rating", 1)[0]
    portal = x.workload("portal", 2)
    for at in x.every(0.6):
        if at > 611:
            x.log(
                x.random.choice(gateway),
                at,
                spring(x.at(at), "INFO", "c.e.meter.Publisher", "published reading to topic readings"),
            )
        if at < 613:
            x.log(rating, at, spring(x.at(at), "INFO", "c.e.rating.Listener", "rated reading"))
        bad = at > 640
        x.log(
            x.random.choice(portal),
            at,
            gunicorn(x.random, x.at(at), "/usage", 503 if bad and x.random.random() < 0.6 else 200, 18000),
        )
    for n, at in enumerate(x.every(5.5, 613)):
        x.log(rating, at, spring(x.at(at), "ERROR", "o.s.k.l.KafkaMessageListenerContainer", "Consumer exception: org.springframework.kafka."
              "KafkaException: Seek to current after exception; nested exception is org.apache.kafka.common.errors.RecordDeserializationException: "
              "Error deserializing VALUE for partition readings-0 at offset 81233. If needed, please seek past the record to continue "
              "consumption."))  # fmt: skip
        x.event(
            at + 0.1,
            "BackOff",
            f"Pod/{rating}",
            f"Back-off restarting failed container app in pod {rating}_bill(5c)",
            warning=True,
            count=n + 1,
        )
    x.rollout(575, "portal", 2, image="44.0.0")
    return x.write(folder)


INCIDENTS = (
    Unseen(name="full-volume", build=full_volume, question=None, full=True,
           roots=frozenset({"PersistentVolumeClaim/ord/data-orders-db-0", "StatefulSet/ord/orders-db"})),
    Unseen(name="multi-attach", build=multi_attach, question="contacts were down at night, why?", roots=frozenset({"Node//node-c"})),
    Unseen(name="backup-io", build=backup_io, question=None, full=True, roots=frozenset({"CronJob/seat/xtrabackup"})),
    Unseen(name="no-eviction", build=no_eviction, question=None, roots=frozenset({"Deployment/news/pages"}),
           shallow=frozenset({"Deployment/news/redis"}), hard=True),
    Unseen(name="flushed-cache", build=flushed_cache, question="why was /product slow?", roots=frozenset({"Job/shopd/flush-prices"})),
    Unseen(name="rebalance-loop", build=rebalance_loop, question="Why are notifications late?", roots=frozenset({"Deployment/notify/push-consumer"})),
    Unseen(name="poison-message", build=poison_message, question=None, roots=frozenset({"Deployment/bill/meter-gateway"}),
           shallow=frozenset({"Deployment/bill/rating"}), hard=True),
)  # fmt: skip
