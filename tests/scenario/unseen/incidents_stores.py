"""Incidents of databases, caches and quorums: what blocks them, fills them or takes their leader away."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, node, traffic
from incident_sets import cordoned, ended, made, replicas
from line_formats import pino, postgres, spring, zap


def idle_slot(folder: Path) -> Path:
    """Somebody stops the reader of a replication slot; PostgreSQL keeps its WAL until the disk is full. Two days, metrics, Loki."""
    x = Export(day(2), 2880, seed=501, namespace="crm")
    front = edge(x)
    api = x.workload("leads-api", 2)
    pg = replicas(x, "leads-db", "docker.io/library/postgres:16.4", ["node-b"])[0]
    x.workload("debezium", 1)
    x.event(
        604,
        "ScalingReplicaSet",
        "Deployment/debezium",
        "Scaled down replica set debezium-7c9d5f8b4 from 1 to 0",
        component="deployment-controller",
    )
    x.event(604.1, "Killing", "Pod/debezium-7c9d5f8b4-x2x9k", "Stopping container app")
    full = 2310.0
    labels = {"namespace": "crm", "persistentvolumeclaim": "data-leads-db-0"}
    x.series("kubelet_volume_stats_capacity_bytes", labels, lambda _m: 2.0e11, step=5)
    x.series("kubelet_volume_stats_available_bytes", labels,
             lambda m: 1.4e11 + 1e8 * (m % 7) if m < 604 else max(0.0, 1.4e11 * (1 - (m - 604) / (full - 604))), step=5)  # fmt: skip
    x.series(
        "pg_replication_slots_active",
        {"namespace": "crm", "slot_name": "debezium"},
        lambda m: 1 if m < 604.2 else 0,
        step=5,
    )
    for at in x.every(28):
        x.log(
            pg,
            at,
            postgres(
                x.at(at),
                "LOG",
                f"checkpoint complete: wrote {int(at) % 700} buffers (4.3%); 0 WAL file(s) added, 0 removed",
            ),
        )
    for at in x.every(3, full):
        x.log(
            pg,
            at,
            postgres(x.at(at), "PANIC", 'could not write to file "pg_wal/xlogtemp.812": No space left on device'),
        )
        x.log(pg, at + 0.02, postgres(x.at(at), "LOG", "server process (PID 812) was terminated by signal 6: Aborted"))
        x.log(pg, at + 0.05, postgres(x.at(at), "FATAL", "the database system is in recovery mode"))

    def failed(at: float) -> None:
        x.log(x.random.choice(api), at, spring(x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper",
              "FATAL: the database system is in recovery mode"))  # fmt: skip

    traffic(x, front, "/leads", "crm-leads-api-80", every=1.2, failing=lambda m: 0.85 if m > full else 0, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(api), m, spring(x.at(m), "INFO", "c.e.Leads", "lead stored")))  # fmt: skip
    x.rollout(2190, "leads-ui", 2, image="5.1.0")
    return x.write(folder, "loki")


def keys_scan(folder: Path) -> Path:
    """An audit job runs KEYS on a big Redis every three hours; nothing else is served while it does. A day, no metrics."""
    x = Export(day(3), 1440, seed=502, namespace="play")
    front = edge(x)
    sessions = x.workload("sessions", 3)
    redis = replicas(x, "redis", "docker.io/library/redis:7.2", ["node-a"])[0]
    runs = x.cronjob("key-audit", "20 */3 * * *", [20.0 + 180 * n for n in range(8)], 2.2)
    x.cronjob("score-rollup", "*/30 * * * *", [30.0 * n + 1 for n in range(48)], 4)
    for begun, pod in runs:
        x.log(
            pod,
            begun + 0.25,
            f"{x.at(begun + 0.25).strftime('%H:%M:%S')} counting keys by prefix on redis-0.redis:6379",
        )
        x.log(pod, begun + 2.1, f"{x.at(begun + 2.1).strftime('%H:%M:%S')} sess:* 18211934, lock:* 2210")
    for at in x.every(15):
        x.log(redis, at, f"1:M {x.at(at).strftime('%d %b %Y %H:%M:%S')}.118 * 100 changes in 300 seconds. Saving...")

    def failed(at: float) -> None:
        x.log(
            x.random.choice(sessions),
            at,
            zap(
                x.at(at), "error", "load session", error="redis: read tcp 10.42.1.7:51832->10.43.12.5:6379: i/o timeout"
            ),
        )

    traffic(x, front, "/session", "play-sessions-80", every=0.25, failing=between(*((b + 0.4, b + 2.1) for b, _ in runs), chance=0.9),
            status=(504, 500), slow=3.0, failed=failed,
            served=lambda m: x.log(x.random.choice(sessions), m, zap(x.at(m), "info", "session ok")))  # fmt: skip
    x.rollout(655, "lobby", 2, image="2.9.0")
    return x.write(folder)


def two_drained(folder: Path) -> Path:
    """Two of three ZooKeeper nodes are drained for work in the same minutes; without a quorum ClickHouse takes no inserts. Five hours."""
    x = Export(day(4, 7), 300, seed=503, namespace="olap")
    for name in ("node-a", "node-b", "node-c"):
        node(x, name)
    front = edge(x)
    ingest = x.workload("ingest", 2, nodes=("node-a",))
    keepers = replicas(x, "zookeeper", "docker.io/library/zookeeper:3.9", ["node-a", "node-b", "node-c"])
    house = replicas(x, "clickhouse", "docker.io/clickhouse/clickhouse-server:24.8", ["node-a"])[0]
    down, up = 141.0, 163.0
    cordoned(x, "node-b", down, up - 1)
    cordoned(x, "node-c", down + 1.5, up + 6)
    for pod, on, gone, back in (
        (keepers[1], "node-b", down + 0.4, up - 0.5),
        (keepers[2], "node-c", down + 2.0, up + 6.4),
    ):
        ended(x, pod, gone, on)
        x.event(
            gone + 0.6,
            "SuccessfulCreate",
            "StatefulSet/zookeeper",
            f"create Pod {pod} in StatefulSet zookeeper successful",
            component="statefulset-controller",
        )
        x.event(gone + 0.6, "FailedScheduling", f"Pod/{pod}", "0/3 nodes are available: 1 node(s) didn't match pod anti-affinity rules, 2 node(s) were "
                "unschedulable. preemption: 0/3 nodes are available", warning=True, component="default-scheduler", count=6, until=back)  # fmt: skip
        made(x, pod, back, on, "docker.io/library/zookeeper:3.9")
    for at in x.every(0.7, down + 2.1, up):
        x.log(keepers[0], at, f"{x.at(at).strftime('%Y-%m-%d %H:%M:%S,%f')[:-3]} [myid:1] - WARN  [QuorumPeer[myid=1](plain=0.0.0.0:2181):QuorumCnxManager@401] - "
              "Cannot open channel to 3 at election address zookeeper-2.zookeeper:3888")  # fmt: skip
        x.log(keepers[0], at + 0.1, f"{x.at(at).strftime('%Y-%m-%d %H:%M:%S,%f')[:-3]} [myid:1] - WARN  [NIOWorkerThread-3:NIOServerCnxn@380] - "
              "Close of session 0x0 java.io.IOException: ZooKeeperServer not running")  # fmt: skip
    for at in x.every(9):
        x.log(
            house,
            at,
            f"{x.at(at).strftime('%Y.%m.%d %H:%M:%S.%f')} [ 71 ] {{}} <Information> olap.hits: Merged 6 parts",
        )

    def failed(at: float) -> None:
        x.log(house, at, f"{x.at(at).strftime('%Y.%m.%d %H:%M:%S.%f')} [ 214 ] {{8f1c}} <Error> executeQuery: Code: 242. DB::Exception: Table is in readonly mode "
              "(replica path: /clickhouse/tables/01/hits/replicas/0). (TABLE_IS_READ_ONLY)")  # fmt: skip
        x.log(
            x.random.choice(ingest),
            at,
            zap(
                x.at(at),
                "error",
                "insert batch",
                error="code: 242, message: Table is in readonly mode",
                table="olap.hits",
            ),
        )

    traffic(x, front, "/collect", "olap-ingest-80", every=0.15, failing=between((down + 3, up + 0.4), chance=0.92), status=(503,), failed=failed,
            served=lambda m: x.log(x.random.choice(ingest), m, zap(x.at(m), "info", "batch stored", rows=500)))  # fmt: skip
    x.rollout(96, "boards", 2, image="7.7.1")
    return x.write(folder)


def promoted(folder: Path) -> Path:
    """The spot node of Patroni's leader is taken back; writes fail until a standby leads and for as long as PgBouncer keeps old sessions."""
    x = Export(day(5), 960, seed=504, namespace="pay")
    front = edge(x)
    ledger = x.workload("ledger", 2, nodes=("node-a",))
    bouncer = x.workload("pgbouncer", 1, nodes=("node-a",))[0]
    pods = replicas(x, "pg", "ghcr.io/zalando/spilo-16:3.3", ["spot-1", "node-b", "node-a"])
    node(x, "spot-1", ready=("Unknown", 522.0))
    node(x, "node-a")
    node(x, "node-b")
    lost, end = 521.0, 536.0
    x.event(
        520.2,
        "PreemptScheduled",
        "Node/spot-1",
        "Instance is scheduled for preemption",
        warning=True,
        namespace="default",
    )
    x.event(522.0, "NodeNotReady", "Node/spot-1", "Node spot-1 status is now: NodeNotReady", namespace="default")
    x.event(522.1, "NodeNotReady", f"Pod/{pods[0]}", "Node is not ready", warning=True, component="node-controller")
    for at in x.every(6, 0, lost):
        x.log(
            pods[1],
            at,
            f"{x.at(at).strftime('%Y-%m-%d %H:%M:%S,%f')[:-3]} INFO: no action. I am (pg-1), a secondary, and following a leader (pg-0)",
        )
    took = lost + 0.7
    x.log(
        pods[1],
        took,
        f"{x.at(took).strftime('%Y-%m-%d %H:%M:%S,%f')[:-3]} INFO: promoted self to leader by acquiring session lock",
    )
    x.log(pods[1], took + 0.03, postgres(x.at(took + 0.03), "LOG", "received promote request"))
    x.log(
        pods[2],
        took + 0.3,
        f"{x.at(took + 0.3).strftime('%Y-%m-%d %H:%M:%S,%f')[:-3]} INFO: no action. I am (pg-2), a secondary, and following a leader (pg-1)",
    )
    for at in x.every(1.0, took, end):
        x.log(
            bouncer,
            at,
            f"{x.at(at).strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]} UTC [1] LOG C-0x55d1: ledger/app@10.42.1.7:40112 closing because: server conn crashed? (age=18s)",
        )

    def failed(at: float) -> None:
        words = (
            "ERROR: cannot execute INSERT in a read-only transaction"
            if at > took + 1
            else "FATAL: server login has been failing, try again later (server_login_retry)"
        )
        x.log(x.random.choice(ledger), at, spring(x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper", words))

    traffic(x, front, "/transfer", "pay-ledger-80", every=0.2, failing=between((lost, end), chance=0.9), status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(ledger), m, spring(x.at(m), "INFO", "c.e.Ledger", "transfer booked")))  # fmt: skip
    x.rollout(470, "statements", 2, image="1.20.0")
    return x.write(folder)


def all_at_once(folder: Path) -> Path:
    """A warm-up gives every key the same six hours to live; when they end together the database is asked for all of them. Four days."""
    x = Export(day(9), 4 * 1440, seed=505, namespace="menu")
    front = edge(x)
    dishes = x.workload("dishes", 3)
    mysql_pod = replicas(x, "mysql", "docker.io/library/mysql:8.4", ["node-c"])[0]
    redis = replicas(x, "redis", "docker.io/library/redis:7.4", ["node-a"])[0]
    runs = x.cronjob("warm-menu", "0 5 * * *", [d * 1440 + 300.0 for d in range(4)], 6)
    x.cronjob("price-sync", "0 */4 * * *", [240.0 * n for n in range(24)], 5)
    for begun, pod in runs:
        x.log(pod, begun + 0.2, 'level=info msg="warming" keys=611204 ttl=6h0m0s')
        x.log(pod, begun + 5.8, 'level=info msg="warm" took=5m31s')
    inside = between(*((b + 364.5, b + 375) for b, _ in runs))
    x.series("redis_db_keys_expiring", {"namespace": "menu", "pod": redis, "db": "db0"},
             lambda m: 2000.0 if any(b + 366 < m < b + 1440 for b, _ in runs) or m < 300 else 613000.0, step=3)  # fmt: skip
    x.series(
        "mysql_global_status_threads_running",
        {"namespace": "menu", "pod": mysql_pod},
        lambda m: 180 + (m % 9) if inside(m) else 5 + (m % 4),
        step=3,
    )

    def failed(at: float) -> None:
        x.log(x.random.choice(dishes), at, pino(x.at(at), 50, "query failed", err={"code": "PROTOCOL_SEQUENCE_TIMEOUT", "message": "Query inactivity timeout"},
              sql="SELECT * FROM dish WHERE id = ?"))  # fmt: skip

    traffic(x, front, "/menu", "menu-dishes-80", every=0.8, failing=lambda m: 0.75 * inside(m), status=(504,), slow=8.0, failed=failed,
            served=lambda m: x.log(x.random.choice(dishes), m, pino(x.at(m), 30, "menu", ms=14)))  # fmt: skip
    x.rollout(3900, "menu-ui", 2, image="3.3.3")
    return x.write(folder)


INCIDENTS = (
    Unseen(name="idle-slot", build=idle_slot, question="Why did leads fail?", full=True, hard=True, roots=frozenset({"Deployment/crm/debezium"}),
           shallow=frozenset({"PersistentVolumeClaim/crm/data-leads-db-0", "StatefulSet/crm/leads-db"})),
    Unseen(name="keys-scan", build=keys_scan, question=None, roots=frozenset({"CronJob/play/key-audit"})),
    Unseen(name="two-drained", build=two_drained, question="why was collect down in the morning?", roots=frozenset({"Node//node-b", "Node//node-c"}),
           shallow=frozenset({"StatefulSet/olap/zookeeper"}), hard=True),
    Unseen(name="promoted", build=promoted, question=None, roots=frozenset({"Node//spot-1"}), shallow=frozenset({"StatefulSet/pay/pg"}), hard=True),
    Unseen(name="all-at-once", build=all_at_once, question="Why is the menu slow at eleven?", full=True, roots=frozenset({"CronJob/menu/warm-menu"}), hard=True),
)  # fmt: skip
