"""Incidents of replicated stores and of what asks too much of them: elections, lag, tombstones, connections, quorums of disks."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import Chance, between, edge, job, node, traffic
from incident_sets import daemon, made, replicas
from line_formats import gunicorn, klog, mysql, pino, postgres, spring, zap


def sixty_shards(folder: Path) -> Path:
    """An hourly export becomes sixty pods that each open a connection: MySQL takes nobody else meanwhile. A day, metrics."""
    x = Export(day(3), 1440, seed=601, namespace="wms")
    front = edge(x)
    stock = x.workload("stock", 3)
    db = replicas(x, "mysql", "docker.io/library/mysql:8.0", ["node-b"])[0]
    runs = x.cronjob("shard-export", "25 */4 * * *", [25.0 + 240 * n for n in range(6)], 9)
    x.cronjob("label-print", "*/20 * * * *", [20.0 * n + 2 for n in range(72)], 1.5)
    inside = between(*((b + 0.6, b + 8.6) for b, _ in runs))
    for begun, pod in runs:
        stem = pod.rpartition("-")[0]
        for shard in range(12):
            x.event(
                begun + 0.02 * shard,
                "SuccessfulCreate",
                f"Job/{stem}",
                f"Created pod: {stem}-{shard}-{'bcdfg'[shard % 5]}x2k{shard % 10}",
                component="job-controller",
            )
        x.log(pod, begun + 0.5, "exporting shard 0 of 60 with 10 connections")
    x.series(
        "mysql_global_status_threads_connected",
        {"namespace": "wms", "pod": db},
        lambda m: 500 if inside(m) else 61 + (m % 13),
    )
    x.series("mysql_global_variables_max_connections", {"namespace": "wms", "pod": db}, lambda _m: 500)

    def failed(at: float) -> None:
        x.log(x.random.choice(stock), at, "pymysql.err.OperationalError: (1040, 'Too many connections')")
        x.log(x.random.choice(stock), at + 0.001, gunicorn(x.random, x.at(at), "/stock", 500, 9000))

    traffic(x, front, "/stock", "wms-stock-80", every=0.3, failing=lambda m: 0.8 * inside(m), status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(stock), m, gunicorn(x.random, x.at(m), "/stock", 200, 21000)))  # fmt: skip
    x.rollout(860, "stock", 3, image="6.0.4")
    return x.write(folder)


def _scanned(x: Export, nodes: list[str], scans: list[float], inside: Chance) -> None:
    """Add the scanner that appears on every node and takes its CPU."""
    scanners = daemon(x, "malware-scan", "registry.example.com/sec/malware-scan:1.0", nodes, "security", born=421.0)
    x.event(
        421,
        "SuccessfulCreate",
        "DaemonSet/malware-scan",
        f"Created pod: {scanners['node-a']}",
        component="daemonset-controller",
        namespace="security",
    )
    for on, pod in scanners.items():
        made(x, pod, 421.1, on, "registry.example.com/sec/malware-scan:1.0", namespace="security")
    for on, pod in scanners.items():
        x.counter("node_cpu_busy_cores", {"instance": on}, lambda m: 7.95 if inside(m) else 2.1 + 0.1 * (m % 5), step=2)
        x.counter("container_cpu_usage_seconds_total", {"namespace": "security", "pod": pod, "container": "app"},
                  lambda m: 5.6 if inside(m) else 0.01, step=2)  # fmt: skip
        for s in scans:
            x.log(pod, s, "scan started, threads=8, root=/host", namespace="security")
            x.log(pod, s + 9, "scan finished, 1812004 files, 0 findings", namespace="security")


def missed_heartbeats(folder: Path) -> Path:
    """A new scanner takes the nodes' CPU each hour; MongoDB's members miss heartbeats and elect again and again. A day, metrics."""
    x = Export(day(4), 1440, seed=602, namespace="chat")
    for name in ("node-a", "node-b", "node-c"):
        node(x, name)
    front = edge(x)
    rooms = x.workload("rooms", 2)
    members = replicas(x, "mongo", "docker.io/library/mongo:7.0", ["node-a", "node-b", "node-c"])
    nodes = ["node-a", "node-b", "node-c"]
    scans = [435.0 + 61 * n for n in range(16)]
    _scanned(x, nodes, scans, between(*((s, s + 9) for s in scans)))

    def told(pod: str, at: float, component: str, number: int, text: str) -> None:
        when = x.at(at).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        x.log(
            pod,
            at,
            f'{{"t":{{"$date":"{when}+00:00"}},"s":"I","c":"{component}","id":{number},"ctx":"ReplCoord-12","msg":"{text}"}}',
        )

    for s in scans:
        for k in (1.3, 5.2):
            told(
                x.random.choice(members),
                s + k,
                "ELECTION",
                4615652,
                "Starting an election, since we've seen no PRIMARY in election timeout period",
            )
            told(x.random.choice(members), s + k + 0.2, "ELECTION", 21450, "Election succeeded, assuming primary role")
    for at in x.every(30):
        told(x.random.choice(members), at, "STORAGE", 22430, "WiredTiger message")

    def failed(at: float) -> None:
        x.log(
            x.random.choice(rooms),
            at,
            pino(
                x.at(at),
                50,
                "post failed",
                err={
                    "type": "MongoServerError",
                    "code": 10107,
                    "codeName": "NotWritablePrimary",
                    "message": "not primary",
                },
            ),
        )

    spans = between(*((s + k, s + k + 1.4) for s in scans for k in (1.3, 5.2)))
    traffic(x, front, "/post", "chat-rooms-80", every=0.3, failing=lambda m: 0.85 * spans(m), status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(rooms), m, pino(x.at(m), 30, "posted")))  # fmt: skip
    x.rollout(250, "rooms", 2, image="5.5.1")
    return x.write(folder)


def defragmented(folder: Path) -> Path:
    """A nightly job defragments every etcd member at once; the API server times out and what asks it fails. Five days, Loki."""
    x = Export(day(8), 5 * 1440, seed=603, namespace="plat")
    front = edge(x)
    builds = x.workload("build-api", 2)
    etcd = x.workload("etcd", 1, namespace="kube-system", keep=False)[0]
    runs = x.cronjob("etcd-defrag", "15 4 * * *", [d * 1440 + 255.0 for d in range(5)], 8)
    x.cronjob("image-prune", "0 5 * * *", [d * 1440 + 300.0 for d in range(5)], 12)
    inside = between(*((b + 0.3, b + 7.6) for b, _ in runs))
    for begun, pod in runs:
        x.log(pod, begun + 0.2, "etcdctl defrag --cluster --command-timeout=600s")
        x.log(pod, begun + 7.7, "Finished defragmenting etcd member[https://10.0.0.11:2379]")
        for at in x.every(0.4, begun + 0.3, begun + 7.6):
            x.log(etcd, at, f'{{"level":"warn","ts":"{x.at(at).strftime("%Y-%m-%dT%H:%M:%S.%f")}Z","caller":"etcdserver/util.go:170","msg":"apply request took too long",'
                  f'"took":"{x.random.randint(2, 9)}.{x.random.randint(100, 999)}s","expected-duration":"100ms","prefix":"read-only range "}}', namespace="kube-system")  # fmt: skip
    for at in x.every(60):
        x.log(
            etcd,
            at,
            f'{{"level":"info","ts":"{x.at(at).strftime("%Y-%m-%dT%H:%M:%S.%f")}Z","caller":"mvcc/index.go:214","msg":"compact tree index","revision":81230}}',
            namespace="kube-system",
        )

    def failed(at: float) -> None:
        x.log(
            x.random.choice(builds),
            at,
            klog(x.at(at), "E", "error listing pods: etcdserver: request timed out", "reflector.go:147"),
        )

    traffic(x, front, "/builds", "plat-build-api-80", every=0.8, failing=lambda m: 0.8 * inside(m), status=(500, 504), slow=10.0, failed=failed,
            served=lambda m: x.log(x.random.choice(builds), m, zap(x.at(m), "info", "listed")))  # fmt: skip
    x.rollout(4400, "build-ui", 2, image="0.9.0")
    return x.write(folder, "loki")


def tombstones(folder: Path) -> Path:
    """Somebody's job deletes last year's rows from Cassandra; reads that cross the tombstones are aborted from then on. Twelve hours."""
    x = Export(day(9, 6), 720, seed=604, namespace="feed")
    front = edge(x)
    timeline = x.workload("timeline", 3)
    ring = replicas(x, "cassandra", "docker.io/library/cassandra:4.1", ["node-a", "node-b", "node-c"])
    pod = job(x, "purge-2025", 214.0, 41.0)
    x.log(pod, 214.3, "deleting partitions older than 2025-12-31 from feed.entries")
    x.log(pod, 254.8, "deleted 4,121,090 rows")
    for at in x.every(25):
        x.log(
            x.random.choice(ring),
            at,
            x.at(at).strftime(
                "INFO  [CompactionExecutor:41] %Y-%m-%d %H:%M:%S,118 CompactionTask.java:260 - Compacted (8f0c) 4 sstables to [nb-812-big]"
            ),
        )

    def failed(at: float) -> None:
        x.log(x.random.choice(ring), at, x.at(at).strftime("ERROR [ReadStage-3] %Y-%m-%d %H:%M:%S,402 ReadCommand.java:612 - Scanned over 100001 tombstones during query "
              "'SELECT * FROM feed.entries WHERE user = 81' (last scanned row token was 91); query aborted"))  # fmt: skip
        x.log(x.random.choice(timeline), at, spring(x.at(at), "ERROR", "c.e.Timeline", "com.datastax.oss.driver.api.core.servererrors.ReadFailureException: Cassandra failure during "
              "read query at consistency LOCAL_QUORUM (2 responses were required but only 0 replica responded, 2 failed)"))  # fmt: skip

    traffic(x, front, "/timeline", "feed-timeline-80", every=0.3, failing=lambda m: 0.5 if m > 226 else 0, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(timeline), m, spring(x.at(m), "INFO", "c.e.Timeline", "read")))  # fmt: skip
    x.rollout(148, "avatars", 2, image="3.0.0")
    return x.write(folder)


def lagging_replica(folder: Path) -> Path:
    """An archive job deletes millions of rows on the source every six hours; the replicas fall behind and readers are refused. Two days."""
    x = Export(day(10), 2880, seed=605, namespace="tix")
    front = edge(x)
    events = x.workload("events-api", 2)
    source, replica = replicas(x, "mysql", "docker.io/library/mysql:8.4", ["node-a", "node-b"])
    runs = x.cronjob("archive-orders", "40 */6 * * *", [40.0 + 360 * n for n in range(8)], 21)
    x.cronjob("seat-sync", "*/30 * * * *", [30.0 * n + 3 for n in range(96)], 4)

    def behind(m: float) -> float:
        return max(
            (min(40 * (m - b - 2), 900 - 40 * max(0.0, m - b - 25)) for b, _ in runs if b + 2 < m < b + 48), default=0.0
        )

    x.series(
        "mysql_slave_status_seconds_behind_master",
        {"namespace": "tix", "pod": replica},
        lambda m: max(0.0, behind(m)),
        step=2,
    )
    for begun, pod in runs:
        x.log(
            pod,
            begun + 0.1,
            "pt-archiver --source h=mysql-0.mysql,D=tix,t=orders --purge --limit 20000 --txn-size 20000",
        )
        x.log(pod, begun + 20.9, "Action  Count       Time  deleting 2812004 1211.5")
    for at in x.every(50):
        x.log(source, at, mysql(x.at(at), "Note", "MY-011960", "Semi-sync replication initialized for transactions."))

    def failed(at: float) -> None:
        x.log(x.random.choice(events), at, zap(x.at(at), "error", "list events", error="Error 9001 (HY000): Max connect timeout reached while reaching hostgroup 20 after 10000ms",
              reason="replica shunned: replication lag 412 > max_replication_lag 60"))  # fmt: skip

    traffic(x, front, "/events", "tix-events-api-80", every=0.5, failing=lambda m: 0.8 if behind(m) > 120 else 0, status=(503,), slow=10.0, failed=failed,
            served=lambda m: x.log(x.random.choice(events), m, zap(x.at(m), "info", "listed")))  # fmt: skip
    x.rollout(1900, "events-api", 2, image="8.1.0")
    return x.write(folder)


def sessions_held(folder: Path) -> Path:
    """A worker's release leaves its transactions open; PgBouncer has no server connection left for the others. A day."""
    x = Export(day(11), 1440, seed=606, namespace="gym")
    front = edge(x)
    booking, bouncer = x.workload("booking", 2), x.workload("pgbouncer", 1)[0]
    pg = replicas(x, "pg", "docker.io/library/postgres:16.4", ["node-c"])[0]
    old = x.workload("billing-worker", 2)
    new = x.rollout(701, "billing-worker", 2, image="2.7.0")
    x.series(
        "pgbouncer_pools_client_waiting_connections",
        {"namespace": "gym", "database": "gym"},
        lambda m: 0 if m < 719 else 70 + (m % 17),
        step=2,
    )
    x.series(
        "pg_stat_activity_count",
        {"namespace": "gym", "state": "idle in transaction"},
        lambda m: (m % 2) if m < 703 else min(40.0, 2.4 * (m - 703)),
        step=2,
    )
    for at in x.every(2):
        x.log(x.random.choice(old if at < 701 else new), at, zap(x.at(at), "info", "invoice written", id=int(at)))
    for at in x.every(24):
        x.log(pg, at, postgres(x.at(at), "LOG", "checkpoint starting: time"))

    def failed(at: float) -> None:
        x.log(
            bouncer,
            at,
            f"{x.at(at).strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]} UTC [1] WARNING C-0x7f21: gym/app@10.42.0.9:51122 pooler error: query_wait_timeout",
        )
        x.log(
            x.random.choice(booking),
            at,
            zap(x.at(at), "error", "book class", error="FATAL: query_wait_timeout (SQLSTATE 08P01)"),
        )

    traffic(x, front, "/book", "gym-booking-80", every=0.4, failing=lambda m: 0.85 if m > 721 else 0, status=(500, 504), slow=20.0, failed=failed,
            served=lambda m: x.log(x.random.choice(booking), m, zap(x.at(m), "info", "booked")))  # fmt: skip
    x.rollout(655, "posters", 1, image="1.0.2")
    return x.write(folder)


INCIDENTS = (
    Unseen(name="sixty-shards", build=sixty_shards, question=None, roots=frozenset({"CronJob/wms/shard-export"})),
    Unseen(name="missed-heartbeats", build=missed_heartbeats, question=None, roots=frozenset({"DaemonSet/security/malware-scan"}),
           shallow=frozenset({"StatefulSet/chat/mongo"})),
    Unseen(name="defragmented", build=defragmented, question="Why do builds fail at night?", full=True, roots=frozenset({"CronJob/plat/etcd-defrag"})),
    Unseen(name="tombstones", build=tombstones, question="timeline broken since ten", roots=frozenset({"Job/feed/purge-2025"}), hard=True),
    Unseen(name="lagging-replica", build=lagging_replica, question=None, roots=frozenset({"CronJob/tix/archive-orders"})),
    Unseen(name="sessions-held", build=sessions_held, question="why can nobody book?", roots=frozenset({"Deployment/gym/billing-worker"}), hard=True),
)  # fmt: skip
