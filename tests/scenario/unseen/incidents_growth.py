"""Incidents that grow for hours before anything fails: descriptors, partitions, binary logs, pools, dead rows; and growth that harms nothing."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, edited, stateful, traffic
from line_formats import gunicorn, kafka, mysql, pino, postgres, spring, zap


def descriptors(folder: Path) -> Path:
    """A bumped client library never closes bodies: seven hours on the process has no descriptor left. Prometheus client metrics."""
    x = Export(day(18), 900, seed=611, namespace="media")
    front = edge(x)
    old = x.workload("thumbs", 2, image="3.4.0")
    new = x.rollout(204, "thumbs", 2, image="3.4.1")
    full = 204 + 984 / 2.3
    for pod, begins in zip(new, (0, 3), strict=True):
        x.series("process_open_fds", {"namespace": "media", "pod": pod},
                 lambda m, b=begins: 40 + m % 5 if m < 204 + b else min(1024.0, 40 + (m - 204 - b) * 2.3), step=2)  # fmt: skip
        x.series("process_max_fds", {"namespace": "media", "pod": pod}, lambda _m: 1024, step=2)

    def failed(at: float) -> None:
        pod = x.random.choice(new)
        x.log(pod, at, f"{x.at(at).strftime('%Y/%m/%d %H:%M:%S')} http: Accept error: accept tcp [::]:8080: accept4: too many open files; retrying in 1s")  # fmt: skip
        x.log(pod, at, zap(x.at(at), "error", "fetch original", error='Get "https://media.s3.eu-west-1.amazonaws.com/o/81": dial tcp: lookup '
              "media.s3.eu-west-1.amazonaws.com: socket: too many open files"))  # fmt: skip

    traffic(x, front, "/thumbs", "media-thumbs-80", every=0.2, failing=lambda m: 0.6 if m > full else 0, status=(502, 504), slow=10.0,
            failed=failed, served=lambda m: x.log(x.random.choice(old if m < 204 else new), m, zap(x.at(m), "info", "thumbnail")))  # fmt: skip
    x.rollout(full - 21, "albums", 2, image="1.19.0")
    return x.write(folder)


def hot_partition(folder: Path) -> Path:
    """A producer's release keys by country: one partition gets nearly everything, its consumer falls hours behind. A day, lag exporter."""
    x = Export(day(19), 1440, seed=612, namespace="parcel")
    front = edge(x)
    before, broker = x.workload("scans-gateway", 2, image="2.9.3"), x.workload("kafka", 1)[0]
    after = x.rollout(
        388, "scans-gateway", 2, image="2.10.0", container={"env": [{"name": "RECORD_KEY_FIELD", "value": "country"}]}
    )
    consumers, api = x.workload("scan-projector", 4), x.workload("tracking-api", 2)
    for p in range(4):
        x.series("kafka_consumergroup_lag", {"namespace": "parcel", "consumergroup": "scan-projector", "topic": "scans", "partition": str(p)},
                 lambda m, p=p: 12 + 7 * ((m + 2 * p) % 5) + (max(0.0, m - 389) * 41 if p == 2 else 0), step=2)  # fmt: skip
    for at in x.every(0.4):
        x.log(
            x.random.choice(before if at < 388 else after),
            at,
            spring(x.at(at), "INFO", "c.e.scans.Publisher", "scan sent to topic scans"),
        )
        x.log(
            x.random.choice(consumers),
            at + 0.01,
            spring(x.at(at + 0.01), "INFO", "c.e.projector.Loop", "projected batch of 200"),
        )
    for at in x.every(40):
        x.log(broker, at, kafka(x.at(at), "INFO", f"[UnifiedLog partition=scans-2, dir=/kafka/data] Rolled new log segment at offset {int(at * 900)} in 3 ms.",
              "kafka.log.UnifiedLog"))  # fmt: skip

    def failed(at: float) -> None:
        x.log(
            x.random.choice(api),
            at,
            pino(x.at(at), 50, "projection too old", projectedUntil=int(at) - 61, maxAgeSeconds=3600, status=503),
        )

    traffic(x, front, "/track", "parcel-tracking-api-80", every=0.4, failing=lambda m: 0.45 if m > 610 else 0, status=(503,), failed=failed,
            served=lambda m: x.log(x.random.choice(api), m, pino(x.at(m), 30, "tracked")))  # fmt: skip
    x.rollout(585, "tracking-web", 2, image="31.2.0")
    return x.write(folder)


def binlogs_kept(folder: Path) -> Path:
    """A ConfigMap's edit keeps MySQL's binary logs for ever; a day later its disk is full and every write waits. kubelet's volume metrics."""
    x = Export(day(20), 2 * 1440, seed=613, namespace="shopm")
    front = edge(x)
    db, api = stateful(x, "mysql", "docker.io/library/mysql:8.0.39", volume="data"), x.workload("checkout", 2)
    begun, full = 571.0, 2212.0
    edited(x, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mysql-conf", "namespace": "shopm"},
               "data": {"my.cnf": "[mysqld]\nbinlog_expire_logs_seconds=0\nmax_binlog_size=512M\n"}}, begun, "kubectl-edit", {"f:data": {"f:my.cnf": {}}})  # fmt: skip
    x.event(begun + 2, "Killing", f"Pod/{db}", "Stopping container app")
    x.event(begun + 3, "Started", f"Pod/{db}", "Started container app")
    x.log(db, begun + 3.2, mysql(x.at(begun + 3.2), "System", "MY-010931", "/usr/sbin/mysqld: ready for connections. Version: '8.0.39'  socket: "
          "'/var/run/mysqld/mysqld.sock'  port: 3306  MySQL Community Server - GPL."))  # fmt: skip
    labels = {"namespace": "shopm", "persistentvolumeclaim": "data-mysql-0"}
    x.series("kubelet_volume_stats_capacity_bytes", labels, lambda _m: 2.0e11, step=5)
    x.series("kubelet_volume_stats_available_bytes", labels,
             lambda m: 1.21e11 - 5.0e8 * (m % 40) / 8 if m < begun else max(0.0, 1.2e11 * (1 - (m - begun) / (full - begun))), step=5)  # fmt: skip
    for at in x.every(1.0, full):
        x.log(db, at, mysql(x.at(at), "ERROR", "MY-000035", "Disk is full writing './binlog.000812' (OS errno 28 - No space left on device). Waiting for someone to "
              "free space... Retry in 60 secs. Message reprinted in 600 secs."))  # fmt: skip

    def failed(at: float) -> None:
        x.log(x.random.choice(api), at, spring(x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper",
              "Communications link failure: The last packet successfully received from the server was 30,002 milliseconds ago."))  # fmt: skip

    traffic(x, front, "/checkout", "shopm-checkout-80", every=0.8, failing=lambda m: 0.8 if m > full else 0, status=(504,), slow=30.0, failed=failed,
            served=lambda m: x.log(x.random.choice(api), m, spring(x.at(m), "INFO", "c.e.Checkout", "order placed")))  # fmt: skip
    x.rollout(2160, "recommendations", 2, image="8.2.0")
    return x.write(folder)


def leaking_refund(folder: Path) -> Path:
    """A release forgets to close a connection when a refund is declined; five hours on the pool is empty. Logs alone, with Hikari's leak warnings."""
    x = Export(day(21, 6), 720, seed=614, namespace="pay")
    front = edge(x)
    old = x.workload("ledger", 2, image="5.0.2")
    new = x.rollout(155, "ledger", 2, image="5.1.0")
    empty = 466.0
    for n, at in enumerate(x.every(16, 158, empty)):
        x.log(x.random.choice(new), at, spring(x.at(at), "WARN", "com.zaxxer.hikari.pool.ProxyLeakTask", f"Connection leak detection triggered for "
              f"org.postgresql.jdbc.PgConnection@{0x3f1a20 + n * 977:x} on thread http-nio-8080-exec-{n % 9}, stack trace follows", "main:housekeeper"))  # fmt: skip

    def failed(at: float) -> None:
        x.log(x.random.choice(new), at, spring(x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper", "HikariPool-1 - Connection is not available, request timed out "
              f"after 30001ms (total=10, active=10, idle=0, waiting={x.random.randint(3, 40)})"))  # fmt: skip

    traffic(x, front, "/ledger", "pay-ledger-80", every=0.2, failing=lambda m: 0.75 if m > empty else 0, status=(500,), slow=30.0, failed=failed,
            served=lambda m: x.log(x.random.choice(old if m < 155 else new), m, spring(x.at(m), "INFO", "c.e.Ledger", "entry booked")))  # fmt: skip
    x.rollout(440, "invoices", 2, image="12.4.0")
    return x.write(folder)


def autovacuum_off(folder: Path) -> Path:
    """Somebody turns autovacuum off for a migration and forgets; dead rows pile up, queries slow down and time out a day later. postgres_exporter."""
    x = Export(day(22), 2 * 1440, seed=615, namespace="stock")
    front = edge(x)
    db, api = stateful(x, "postgres", "docker.io/library/postgres:15.8", volume="pg"), x.workload("stock-api", 3)
    begun, late = 640.0, 1920.0
    edited(x, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "postgres-conf", "namespace": "stock"},
               "data": {"postgresql.conf": "autovacuum = off\nmax_connections = 200\n"}}, begun, "kubectl-edit", {"f:data": {"f:postgresql.conf": {}}})  # fmt: skip
    x.log(db, begun + 1, postgres(x.at(begun + 1), "LOG", "received SIGHUP, reloading configuration files", 1))
    x.log(db, begun + 1.001, postgres(x.at(begun + 1.001), "LOG", 'parameter "autovacuum" changed to "off"', 1))
    for at in x.every(35, 0, begun):
        x.log(
            db,
            at,
            postgres(
                x.at(at),
                "LOG",
                f'automatic vacuum of table "stock.public.levels": index scans: 1 pages: 0 removed, {9000 + int(at) % 70} remain',
            ),
        )
    x.series("pg_stat_user_tables_n_dead_tup", {"namespace": "stock", "datname": "stock", "relname": "levels"},
             lambda m: 2000 + 900 * (m % 35) if m < begun else 2000 + 1500 * (m - begun), step=5)  # fmt: skip
    slowness = lambda m: 0.05 if m < begun else 0.05 + 5.0 * ((m - begun) / (late - begun)) ** 2  # noqa: E731 - read beside its use
    x.series(
        "http_request_duration_p95_seconds",
        {"namespace": "stock", "service": "stock-api"},
        lambda m: slowness(m) * (1 + 0.02 * (m % 7)),
        step=5,
    )

    def failed(at: float) -> None:
        x.log(db, at, postgres(x.at(at), "ERROR", "canceling statement due to statement timeout"))
        x.log(x.random.choice(api), at + 0.001, gunicorn(x.random, x.at(at), "/levels", 500, 5004000))

    traffic(x, front, "/levels", "stock-stock-api-80", every=0.7, failing=lambda m: 0.5 if m > late else 0, status=(500,), slow=5.0, failed=failed,
            served=lambda m: x.log(x.random.choice(api), m, gunicorn(x.random, x.at(m), "/levels", 200, int(slowness(m) * 4e5))))  # fmt: skip
    x.rollout(1890, "stock-web", 2, image="77.0.0")
    return x.write(folder)


def unindexed(folder: Path) -> Path:
    """A release reads a table without an index that its own writes fill: answers grow slower all day until they time out. MySQL's rows read."""
    x = Export(day(23), 1440, seed=616, namespace="chat")
    front = edge(x)
    old, db = x.workload("rooms", 3, image="9.8.1"), x.workload("mysql", 1)[0]
    new = x.rollout(300, "rooms", 3, image="9.9.0")
    late = 1005.0
    taken = lambda m: 0.03 if m < 301 else 0.03 + (m - 301) * 0.0042  # noqa: E731 - read beside its use
    x.counter("mysql_global_status_innodb_row_ops_total", {"namespace": "chat", "pod": db, "operation": "read"},
              lambda m: 900 + 10 * (m % 7) if m < 301 else 900 + (m - 301) * 610, step=2)  # fmt: skip
    x.counter("container_cpu_usage_seconds_total", {"namespace": "chat", "pod": db, "container": "app"},
              lambda m: 0.3 + 0.01 * (m % 6) if m < 301 else min(4.0, 0.3 + (m - 301) * 0.005), step=2)  # fmt: skip

    def failed(at: float) -> None:
        x.log(x.random.choice(new), at, zap(x.at(at), "error", "list unread", error="Error 3024 (HY000): Query execution was interrupted, maximum statement execution "
              "time exceeded"))  # fmt: skip

    for low, high in ((m, m + 60) for m in range(0, 1440, 60)):
        traffic(x, front, "/rooms/unread", "chat-rooms-80", every=0.25, failing=lambda m: 0.55 if m > late else 0, status=(500,), fast=taken(low), slow=3.0, failed=failed,
                since=low, until=high, served=lambda m: x.log(x.random.choice(old if m < 300 else new), m, zap(x.at(m), "info", "unread listed", seconds=round(taken(m), 3))))  # fmt: skip
    x.rollout(978, "emoji", 1, image="0.3.2")
    return x.write(folder)


def fuller_every_day(folder: Path) -> Path:
    """A volume, a heap and a log topic grow for three days, as data does; nothing fails; two releases lie in it."""
    x = Export(day(18), 3 * 1440, seed=617, namespace="arch")
    front = edge(x)
    pods = x.workload("archive", 2)
    store = stateful(x, "minio", "quay.io/minio/minio:RELEASE.2024-09-22T00-33-43Z", volume="export")
    labels = {"namespace": "arch", "persistentvolumeclaim": "export-minio-0"}
    x.series("kubelet_volume_stats_capacity_bytes", labels, lambda _m: 5.0e11, step=10)
    x.series("kubelet_volume_stats_available_bytes", labels, lambda m: 3.4e11 - m * 2.1e7, step=10)
    for pod in pods:
        x.series("container_memory_working_set_bytes", {"namespace": "arch", "pod": pod, "container": "app"},
                 lambda m: 3.0e8 + (m % 1440) * 1.1e5, step=5)  # fmt: skip
    x.series(
        "kafka_log_log_size",
        {"namespace": "arch", "topic": "audit", "partition": "0"},
        lambda m: 4.0e9 + m * 8.0e5,
        step=10,
    )
    for at in x.every(90):
        x.log(store, at, "INFO: scanner cycle complete, 0 objects healed")
        x.log(
            x.random.choice(pods),
            at + 1,
            zap(x.at(at + 1), "error", "client went away", error="write tcp: connection reset by peer"),
        )
    traffic(x, front, "/archive", "arch-archive-80", every=0.6, failing=lambda _m: 0.002, status=(502,),
            served=lambda m: x.log(x.random.choice(pods), m, zap(x.at(m), "info", "stored")))  # fmt: skip
    x.rollout(1310, "archive-web", 2, image="4.4.0")
    x.rollout(2890, "minio-console", 1, image="1.7.1")
    return x.write(folder)


def growing_beside(folder: Path) -> Path:
    """Memory and threads of a reporting service grow since its release, far from any limit; ten hours on another service has six bad minutes."""
    x = Export(day(19, 2), 900, seed=618, namespace="mallb")
    front = edge(x)
    x.workload("reports", 2, image="1.9.0")
    new = x.rollout(140, "reports", 2, image="2.0.0", container={"resources": {"limits": {"memory": "4Gi"}}})
    cart = x.workload("cart", 3)
    for pod in new:
        x.series("container_memory_working_set_bytes", {"namespace": "mallb", "pod": pod, "container": "app"},
                 lambda m: 3.0e8 + max(0.0, m - 140) * 7.0e5 + 1e6 * (m % 7), step=2)  # fmt: skip
        x.series(
            "jvm_threads_live_threads",
            {"namespace": "mallb", "pod": pod},
            lambda m: 41 + max(0.0, m - 140) * 0.09,
            step=2,
        )
    for at in x.every(1.5, 141):
        x.log(x.random.choice(new), at, spring(x.at(at), "INFO", "c.e.Reports", "report rendered"))
    traffic(x, front, "/cart", "mallb-cart-80", every=0.1, failing=between((742.0, 748.0), chance=0.5), status=(502, 504), slow=4.0,
            failed=lambda m: x.log(x.random.choice(cart), m, pino(x.at(m), 50, "price lookup failed", err={"type": "AxiosError", "code": "ECONNRESET",
                                   "message": "read ECONNRESET"})),
            served=lambda m: x.log(x.random.choice(cart), m, pino(x.at(m), 30, "cart priced")))  # fmt: skip
    return x.write(folder)


def full_beside(folder: Path) -> Path:
    """A database's disk fills up from the morning on; thirteen minutes after it is full another service begins to fail, on a token it cannot read."""
    x = Export(day(20), 1440, seed=620, namespace="mallc")
    front = edge(x)
    cart, db = x.workload("cart", 2), stateful(x, "db", "docker.io/library/postgres:16.4", volume="data")
    labels = {"namespace": "mallc", "persistentvolumeclaim": "data-db-0"}
    x.series("kubelet_volume_stats_available_bytes", labels,
             lambda m: 1.2e11 + 1e8 * (m % 7) if m < 540 else max(0.0, 1.2e11 * (1 - (m - 540) / 283)), step=2)  # fmt: skip
    for at in x.every(30):
        x.log(db, at, postgres(x.at(at), "LOG", f"checkpoint complete: wrote {int(at) % 700} buffers (4.1%)"))
    for n, at in enumerate((212.0, 655.0, 1190.0)):
        x.rollout(at, f"banner-{n}", 1, image=f"1.{n}.0")
    traffic(x, front, "/cart", "mallc-cart-80", every=0.4, failing=lambda m: 0.5 if m > 836 else 0, status=(500,),
            failed=lambda m: x.log(x.random.choice(cart), m, pino(x.at(m), 50, "request failed", err={"message": "unexpected token < in JSON"})),
            served=lambda m: x.log(x.random.choice(cart), m, pino(x.at(m), 30, "cart")))  # fmt: skip
    return x.write(folder)


INCIDENTS = (
    Unseen(name="descriptors", build=descriptors, question=None, roots=frozenset({"Deployment/media/thumbs"}), hard=True),
    Unseen(name="hot-partition", build=hot_partition, question="Why is tracking stale since ten?", roots=frozenset({"Deployment/parcel/scans-gateway"}),
           shallow=frozenset({"Deployment/parcel/scan-projector"}), hard=True),
    Unseen(name="binlogs-kept", build=binlogs_kept, question=None, roots=frozenset({"ConfigMap/shopm/mysql-conf"}),
           shallow=frozenset({"PersistentVolumeClaim/shopm/data-mysql-0", "StatefulSet/shopm/mysql"}), hard=True),
    Unseen(name="leaking-refund", build=leaking_refund, question="what emptied the ledger's pool?", roots=frozenset({"Deployment/pay/ledger"}), hard=True),
    Unseen(name="autovacuum-off", build=autovacuum_off, question=None, roots=frozenset({"ConfigMap/stock/postgres-conf"}),
           shallow=frozenset({"StatefulSet/stock/postgres"}), hard=True),
    Unseen(name="unindexed", build=unindexed, question=None, roots=frozenset({"Deployment/chat/rooms"}), hard=True),
    Unseen(name="fuller-every-day", build=fuller_every_day, question=None, verdicts=frozenset({"no_incident", "inconclusive"})),
    Unseen(name="full-beside", build=full_beside, question=None, verdicts=frozenset({"inconclusive"})),
    Unseen(name="growing-beside", build=growing_beside, question=None, verdicts=frozenset({"inconclusive"})),
)  # fmt: skip
