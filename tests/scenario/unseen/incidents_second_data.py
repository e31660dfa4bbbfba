"""Second examination, held out: databases, queues and caches. Written before its author had read any rule of the engine."""

# A scene reads as a table: a line for each thing that is written.
# fmt: off

from pathlib import Path

from examined_scenes import bustle, measured, nginx, released, ticket, traefik
from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, job, node, stateful, traffic
from incident_sets import cordoned, ended, made, replicas
from line_formats import kafka, pino, postgres, spring, zap
from second_scenes import placed


def wal_left_behind(folder: Path) -> Path:
    """Somebody scales the change-data connector to nothing on the second day; its slot keeps the WAL until the volume is full. PostgreSQL 16. Five days.

    Root: Deployment debezium-connect scaled to 0. How a human sees it: free bytes fall in a straight line from that minute on, and the slot's lag rises from
    it. Not: ledger-api's release 24 minutes before the panic, nor the dump that runs at 05:30 every day.
    """
    x = Export(day(2), 7200, seed=2001, namespace="ledger")
    front = edge(x)
    old = x.workload("ledger-api", 3, image="6.2.1")
    connect = x.workload("debezium-connect", 1, image="2.7.3.Final")[0]
    database = stateful(x, "postgres", "docker.io/library/postgres:16.4", volume="data")
    full, fixed, off = 6100.0, 6391.0, 2004.0
    api = released(x, 6076.0, "ledger-api", 3, "6.3.0", old=old)
    x.cronjob("pg-dump", "30 5 * * *", [330.0 + 1440 * n for n in range(5)], 9)
    rs = connect.rpartition("-")[0]
    x.event(off, "ScalingReplicaSet", "Deployment/debezium-connect", f"Scaled down replica set {rs} from 1 to 0", component="deployment-controller")
    x.event(off + 0.02, "SuccessfulDelete", f"ReplicaSet/{rs}", f"Deleted pod: {connect}", component="replicaset-controller")
    ended(x, connect, off + 0.03, "node-a")
    for kept in x.objects["ledger", "Deployment"]:
        if kept["metadata"]["name"] == "debezium-connect":
            kept["spec"]["replicas"], kept["status"] = 0, {}
    x.objects["ledger", "Pod"][:] = [p for p in x.objects["ledger", "Pod"] if p["metadata"]["name"] != connect]
    for at in x.every(60, 0, off):
        x.log(connect, at, f"{x.at(at).strftime('%Y-%m-%d %H:%M:%S,000')} INFO   ||  {x.random.randint(200, 900)} records sent during previous 01:00:00.114, last recorded offset of {{server=ledger}} partition is {{lsn={8817263544 + int(at) * 9117}}}   [io.debezium.connector.common.BaseSourceTask]")
    x.log(connect, off + 0.04, f"{x.at(off).strftime('%Y-%m-%d %H:%M:%S,000')} INFO   ||  Stopping down connector   [io.debezium.connector.common.BaseSourceTask]")
    gone = lambda m: max(0.0, min(1.0, (m - off) / (full - off)))  # noqa: E731 - read beside its use
    volume = {"namespace": "ledger", "persistentvolumeclaim": "data-postgres-0"}
    x.series("kubelet_volume_stats_available_bytes", volume, lambda m: (4.1e10 * (1 - gone(m)) if m < fixed else 9.4e10) + 3e7 * (m % 7), step=5)
    x.series("kubelet_volume_stats_capacity_bytes", volume, lambda m: 1.05e11 if m < fixed else 2.1e11, step=5)
    slot = {"namespace": "ledger", "pod": database, "slot_name": "debezium_ledger"}
    x.series("pg_replication_slots_pg_wal_lsn_diff", slot, lambda m: 2.4e6 + 4.0e10 * gone(m) + 1e5 * (m % 3), step=5)
    x.series("pg_replication_slots_active", slot, lambda m: 1 if m < off else 0, step=5)
    measured(x, [database], lambda m: 0.3 + 0.5 * (330 <= m % 1440 < 339), lambda _m: 2900, step=5)
    for at in x.every(9, 0, full):
        x.log(database, at, postgres(x.at(at), "LOG", f"checkpoint complete: wrote {x.random.randint(300, 2400)} buffers (1.9%); 0 WAL file(s) added, 0 removed, {x.random.randint(1, 9)} recycled"))
    for at in (full + 0.02 + 6.5 * n for n in range(44)):
        x.log(database, at, postgres(x.at(at), "PANIC", 'could not write to file "pg_wal/xlogtemp.912": No space left on device', 912))
        x.log(database, at + 0.01, postgres(x.at(at), "LOG", "startup process (PID 912) was terminated by signal 6: Aborted"))
        x.log(database, at + 0.02, postgres(x.at(at), "LOG", "database system is shut down"))
    x.event(full + 1, "BackOff", f"Pod/{database}", f"Back-off restarting failed container app in pod {database}_ledger(7b1e)", warning=True, count=190, until=fixed - 1)
    x.event(fixed, "FileSystemResizeSuccessful", "PersistentVolumeClaim/data-postgres-0", 'MountVolume.NodeExpandVolume succeeded for volume "pvc-6f1d0c8e-91b2-4f4e-9a55-0f4e3b1c7d20"')
    x.log(database, fixed + 1.2, postgres(x.at(fixed + 1.2), "LOG", "database system is ready to accept connections", 1))
    pods = lambda m: api if m > 6078 else old  # noqa: E731 - read beside its use
    traffic(x, front, "/v2/entries", "ledger-ledger-api-80", every=1.6, failing=between((full + 0.1, fixed + 1.2)), status=(500, 503), slow=30,
            failed=lambda m: x.log(x.random.choice(pods(m)), m, spring(x.at(m), "ERROR", "c.e.ledger.Entries", "o.s.jdbc.CannotGetJdbcConnectionException: Failed to obtain JDBC Connection: HikariPool-1 - Connection is not available, request timed out after 30000ms")),
            served=lambda m: x.log(x.random.choice(pods(m)), m, spring(x.at(m), "INFO", "c.e.ledger.Entries", "entry booked")))
    x.say(off - 3, "UKIM", "switching the CDC connector off for the kafka upgrade, will bring it back after", channel="platform")
    x.say(6109, "UANA", "ledger is down since 6.3.0 (05:16). rolling back")
    x.say(6122, "UBEN", "db says disk full. pg-dump at 05:30 writes to it?")
    bustle(x, 7)
    return x.write(folder)


def poison_orders(folder: Path) -> Path:
    """A producer's release writes a field in another shape; the consumer dies on the first such record, again and again. Kafka 3.7, Spring Kafka 3.2. Ten hours.

    Root: the release of orders. How: the exception names the field discount; orders 3.4.0 logs that it publishes discount as an object, the record's time is later
    than its release, and invoicer fails alike after its own undo. Not: invoicer's release 21 minutes before.
    """
    x = Export(day(3, 6), 600, seed=2002, namespace="trade")
    front = edge(x)
    orders_old = x.workload("orders", 3, image="3.3.8")
    inv_old = x.workload("invoicer", 2, image="2.1.4")
    x.workload("invoice-api", 2)
    broker = replicas(x, "kafka", "docker.io/bitnami/kafka:3.7.1", ("node-a", "node-b", "node-c"))
    inv = released(x, 160.0, "invoicer", 2, "2.2.0", old=inv_old)
    orders = released(x, 181.0, "orders", 3, "3.4.0", old=orders_old)
    first, healed = 197.0, 402.0
    inv_back = released(x, 231.0, "invoicer", 2, "2.1.4", old=inv)
    orders_back = released(x, 388.0, "orders", 3, "3.3.8", old=orders)
    for at in x.every(0.4):
        pods, shape = (orders_old, "number") if at < 182 else (orders, "object") if at < 389.5 else (orders_back, "number")
        voucher = x.random.random() < 0.2 and not 182 < at < first
        extra = {"discount": {"type": shape}} if voucher else {}
        x.log(x.random.choice(pods), at, zap(x.at(at), "info", "published OrderPlaced", topic="orders.v1", partition=x.random.randint(0, 5), **extra))
        x.log(front, at, nginx(x.at(at), "/orders", 201, "trade-orders-80", 0.03, 0.03), namespace="ingress-nginx")
    n = 0
    at = first
    while at < healed:
        pod = (inv if at < 231.5 else inv_back)[n % 2]
        part = (3, 1)[n % 2]
        x.log(pod, at, spring(x.at(at), "ERROR", "o.s.k.l.KafkaMessageListenerContainer", f"Consumer exception org.apache.kafka.common.errors.RecordDeserializationException: Error deserializing VALUE for partition orders.v1-{part} at offset {(881231, 870114)[n % 2]}. If needed, please seek past the record to continue consumption."))
        x.log(pod, at + 0.002, 'Caused by: com.fasterxml.jackson.databind.exc.MismatchedInputException: Cannot deserialize value of type `java.math.BigDecimal` from Object value (token `JsonToken.START_OBJECT`) (through reference chain: com.example.OrderPlaced["discount"])')
        x.log(pod, at + 0.01, spring(x.at(at), "ERROR", "o.s.boot.SpringApplication", "Application run failed"))
        x.log(broker[1], at + 0.03, kafka(x.at(at), "INFO", f"[GroupCoordinator 1]: Preparing to rebalance group invoicer in state PreparingRebalance with old generation {n + 41} (reason: Removing member consumer-invoicer-1 on LeaveGroup)"))
        n += 1
        at += 1.5 + min(n, 5) * 0.4
    for number, pod in enumerate((*inv, *inv_back)):
        low, high = ((198.0, 231.0), (233.0, 401.0))[number // 2]
        x.event(low, "BackOff", f"Pod/{pod}", f"Back-off restarting failed container app in pod {pod}_trade(1f{number})", warning=True, count=int((high - low) / 2), until=high)
    for at in x.every(0.6):
        if at < first or at > healed:
            x.log(x.random.choice(inv_old if at < 161 else inv if at < 231 else inv_back), at, spring(x.at(at), "INFO", "c.e.Invoicer", "invoice written"))
    x.series("kafka_consumergroup_lag", {"namespace": "trade", "consumergroup": "invoicer", "topic": "orders.v1"}, lambda m: 3 + m % 4 if m < first else 2.5 * (m - first) if m < healed else max(4.0, 512 - 30 * (m - healed)))
    traffic(x, front, "/invoices/latest", "trade-invoice-api-80", every=0.5, failing=between((first + 6, healed + 12), chance=0.7), status=(404,))
    x.say(204, "UANA", "invoicer crashloops, that is the 2.2.0 I shipped at 08:40, sorry. rolling back")
    x.say(239, "UANA", "hm, 2.1.4 crashes as well")
    x.say(404, "UBEN", "orders is back on 3.3.8, skipped the bad offsets, lag goes down")
    bustle(x, 6)
    return x.write(folder)


def lock_queue(folder: Path) -> Path:
    """A migration's ALTER TABLE waits behind the daily report's long read, and everybody else behind it. PostgreSQL 15, log_lock_waits. Eight hours, no metrics.

    Root: Job ledger-migrate-0212. How: the first waiter is its AccessExclusiveLock; the report (which holds the lock) ran two hours every day and hurt nobody;
    all is well the minute the Job is killed while the report still runs. Not: the release of payments-ui four minutes before.
    """
    x = Export(day(4, 9), 480, seed=2003, namespace="pay")
    front = edge(x)
    api = x.workload("payments-api", 4)
    ui = x.workload("payments-ui", 2, image="11.0.3")
    database = stateful(x, "pay-db", "docker.io/library/postgres:15.8")
    runs = x.cronjob("finance-report", "5 11 * * *", [125.0], 118)
    released(x, 186.0, "payments-ui", 2, "11.1.0", old=ui)
    low, high = 190.2, 211.0
    pod = job(x, "ledger-migrate-0212", 190.0, 21)
    x.log(pod, 190.1, f"{stamp(x.at(190.1))} INFO  Flyway Community Edition 10.17.0 by Redgate")
    x.log(pod, 190.2, f'{stamp(x.at(190.2))} INFO  Migrating schema "public" to version "212 - add settlement ref to payments"')
    x.log(pod, high, f"{stamp(x.at(high))} ERROR ERROR: canceling statement due to user request")
    x.log(runs[0][1], 125.2, "INFO report.finance: snapshot opened, isolation=repeatable read")
    for at in x.every(6, 126, 242):
        x.log(runs[0][1], at, f"INFO report.finance: {x.random.randint(2, 9)}00000 payments read")
    x.log(database, low + 0.02, postgres(x.at(low + 0.02), "LOG", "process 2211 still waiting for AccessExclusiveLock on relation 16588 of database 16401 after 1000.112 ms", 2211))
    x.log(database, low + 0.02, postgres(x.at(low + 0.02), "DETAIL", "Process holding the lock: 1877. Wait queue: 2211.", 2211))
    x.log(database, low + 0.02, postgres(x.at(low + 0.02), "STATEMENT", "ALTER TABLE payments ADD COLUMN settlement_ref uuid REFERENCES settlements(id)", 2211))
    for n, at in enumerate(x.every(0.15, low + 0.05, high)):
        pid = 2214 + n % 160
        x.log(database, at, postgres(x.at(at), "LOG", f"process {pid} still waiting for RowExclusiveLock on relation 16588 of database 16401 after 1000.{n % 999:03d} ms", pid))
    x.log(database, high, postgres(x.at(high), "ERROR", "canceling statement due to user request", 2211))
    for at in x.every(10):
        x.log(database, at, postgres(x.at(at), "LOG", f"checkpoint complete: wrote {x.random.randint(300, 2400)} buffers (1.9%)"))
    traffic(x, front, "/v1/payments", "pay-payments-api-80", every=0.25, failing=between((low + 0.5, high), chance=0.96), status=(504, 500), slow=15,
            failed=lambda m: x.log(x.random.choice(api), m, zap(x.at(m), "error", "insert payment", error="context deadline exceeded", took="15s")),
            served=lambda m: x.log(x.random.choice(api), m, zap(x.at(m), "info", "payment accepted")))
    x.say(193, "UANA", "payments time out! payments-ui 11.1.0 went out 4 min ago, revert please")
    x.say(197, "UCHO", "finance-report is running on the db since 11:05, that report always was a pig")
    x.say(212, "UBEN", "killed the flyway job, back to normal")
    bustle(x, 5)
    return x.write(folder)


def old_leader(folder: Path) -> Path:
    """A node reboots for its updates, PostgreSQL's leader moves; one service keeps its connections to the former leader. Patroni 3.3, kured 1.16. Ten hours, no metrics.

    Root: the reboot of node-b (kured). How: 25006 begins when pg-0 comes back as a replica; the other client of the same database recovers within a minute.
    Not: the release of tickets 19 minutes before.
    """
    x = Export(day(5, 1), 600, seed=2004, namespace="desk")
    front = edge(x)
    pg = replicas(x, "pg", "ghcr.io/zalando/spilo-16:3.3-p2", ("node-b", "node-a", "node-c"))
    tick_old = x.workload("tickets", 3, image="4.0.2", nodes=("node-a", "node-c"))
    agents = x.workload("agents", 2, nodes=("node-a", "node-c"))
    tickets = placed(x, released(x, 112.0, "tickets", 3, "4.1.0", old=tick_old), ("node-a", "node-c"))
    down = 131.0
    node(x, "node-b", ready=("True", down + 3.4), kernelVersion="5.15.0-125-generic")
    cordoned(x, "node-b", down - 1.5, down + 4)
    x.log("kured-x7k2p", down - 1.6, f'time="{stamp(x.at(down - 1.6))}" level=info msg="Reboot required"', namespace="kube-system")
    x.log("kured-x7k2p", down - 0.4, f'time="{stamp(x.at(down - 0.4))}" level=info msg="Running command: [/usr/bin/nsenter -m/proc/1/ns/mnt -- /bin/systemctl reboot] for node: node-b"', namespace="kube-system")
    x.event(down + 1, "NodeNotReady", "Node/node-b", "Node node-b status is now: NodeNotReady", component="node-controller", namespace="default")
    x.event(down + 3.3, "Rebooted", "Node/node-b", "Node node-b has been rebooted, boot id: 0b9b3a51-4a3e-4f6f-9d0e-3a1f5b1f7c44", warning=True, namespace="default", host="node-b")
    x.event(down + 3.4, "NodeReady", "Node/node-b", "Node node-b status is now: NodeReady", namespace="default", host="node-b")
    ended(x, pg[0], down - 0.5, "node-b")
    made(x, pg[0], down + 3.8, "node-b", "ghcr.io/zalando/spilo-16:3.3-p2")
    say = lambda m, pod, text: x.log(pod, m, f"{x.at(m).strftime('%Y-%m-%d %H:%M:%S,000')} INFO: {text}")  # noqa: E731 - read beside its use
    for at in x.every(5, 0, down - 1):
        say(at, pg[0], "no action. I am (pg-0), the leader with the lock")
        say(at + 0.01, pg[1], "no action. I am (pg-1), a secondary, and following a leader (pg-0)")
    say(down + 0.1, pg[1], "promoted self to leader by acquiring session lock")
    say(down + 4.2, pg[0], "no action. I am (pg-0), a secondary, and following a leader (pg-1)")
    for at in x.every(5, down + 5):
        say(at, pg[1], "no action. I am (pg-1), the leader with the lock")
    for at in x.every(0.5, down - 0.4, down + 0.4):
        for pod in (*agents, *tickets):
            x.log(pod, at, zap(x.at(at), "error", "query", error="dial tcp 10.43.94.2:5432: connect: connection refused"))
    healed = 226.0
    again = placed(x, released(x, healed, "tickets", 3, "4.1.0-1", old=tickets), ("node-a", "node-c"))
    at_pod = lambda m: tick_old if m < 112.6 else tickets if m < healed + 0.5 else again  # noqa: E731 - read beside its use
    traffic(x, front, "/tickets", "desk-tickets-80", every=0.3, failing=between((down - 0.4, down + 0.4), (down + 4.3, healed + 0.6), chance=0.85), status=(500,),
            failed=lambda m: x.log(x.random.choice(at_pod(m)), m, zap(x.at(m), "error", "save ticket", error="ERROR: cannot execute INSERT in a read-only transaction (SQLSTATE 25006)")) if m > down + 1 else None,
            served=lambda m: x.log(x.random.choice(at_pod(m)), m, zap(x.at(m), "info", "ticket saved")))
    traffic(x, front, "/agents", "desk-agents-80", every=0.6, failing=between((down - 0.4, down + 0.4)), status=(500,))
    x.say(150, "UANA", "tickets cannot save since 4.1.0 (02:52). something with transactions?")
    x.say(228, "UBEN", "restarted tickets, works again")
    bustle(x, 5)
    return x.write(folder)


def unanalyzed(folder: Path) -> Path:
    """An import fills a table with 41 million rows; until somebody says ANALYZE, the planner believes it is empty. PostgreSQL 16, auto_explain. Eight hours, metrics.

    Root: Job import-offers. How: plans of the slow query show rows=1 expected and 41 million read; it ends with ANALYZE offers while nothing else changes; the
    undo of search-api changes nothing. Not: search-api's release seven minutes before the import's commit.
    """
    x = Export(day(6, 6), 480, seed=2005, namespace="market")
    front = edge(x)
    search_old = x.workload("search-api", 3, image="9.4.0")
    database = stateful(x, "market-db", "docker.io/library/postgres:16.6")
    pod = job(x, "import-offers", 98.0, 40)
    for n in range(41):
        x.log(pod, 98.5 + 0.95 * n, f"INFO loader: {n + 1}000000 of 41213377 rows copied into offers")
    x.log(pod, 137.9, "INFO loader: committed, bye")
    search = released(x, 131.0, "search-api", 3, "9.5.0", old=search_old)
    back = released(x, 186.0, "search-api", 3, "9.4.0", old=search)
    low, high = 138.0, 297.0
    slow = lambda m: low <= m < high  # noqa: E731 - read beside its use
    measured(x, [database], lambda m: 3.9 if slow(m) else 1.1 if 98 < m < low else 0.5, lambda _m: 6100, step=1)
    measured(x, [*search, *back], lambda _m: 0.2, lambda _m: 300, step=2)
    for at in x.every(0.5, low, high):
        ms = x.random.uniform(6100, 14900)
        x.log(database, at, postgres(x.at(at), "LOG", f"duration: {ms:.3f} ms  plan: Query Text: SELECT * FROM offers o JOIN sellers s ON s.id = o.seller_id WHERE o.sku = $1 Nested Loop  (cost=0.28..16.61 rows=1 width=212) (actual time=4.1..{ms:.1f} rows=3 loops=1) ->  Seq Scan on offers o  (cost=0.00..8.30 rows=1 width=180) (actual time=4.0..{ms:.1f} rows=3 loops=1) Rows Removed by Filter: 41213374"))
    x.log(database, high, postgres(x.at(high), "LOG", "duration: 41877.120 ms  statement: ANALYZE VERBOSE offers", 3301))
    for at in x.every(8):
        x.log(database, at, postgres(x.at(at), "LOG", f"checkpoint complete: wrote {x.random.randint(300, 2400)} buffers (1.9%)"))
    pods = lambda m: search_old if m < 131.6 else search if m < 186.6 else back  # noqa: E731 - read beside its use
    for at in x.every(0.25):
        bad = slow(at) and x.random.random() < 0.6
        took = 10.0 if bad else x.random.uniform(2, 9) if slow(at) else 0.05
        x.log(front, at, nginx(x.at(at), "/search", 504 if bad else 200, "market-search-api-80", took, took), namespace="ingress-nginx")
        if bad:
            x.log(x.random.choice(pods(at)), at, pino(x.at(at), 50, "offers lookup timed out", err={"message": "Query read timeout", "code": "ETIMEDOUT"}))
    x.say(146, "UANA", "search is timing out since 9.5.0 at 08:11, reverting")
    x.say(191, "UANA", "9.4.0 is as slow. db cpu is pegged")
    x.say(299, "UCHO", "ran ANALYZE on offers, the planner thought it was empty")
    bustle(x, 6)
    return x.write(folder)


def evicted_sessions(folder: Path) -> Path:
    """A release keeps blobs without a TTL in the Redis that sessions live in; 22 hours later it is full and users are logged out. Redis 7.2 allkeys-lru. Three days.

    Root: the release of recos. How: memory rises in a line from its minute on and falls when it is undone; its lines say ttl=-1 from then on. Not: the release of
    accounts half an hour before the first logout.
    """
    x = Export(day(9), 4320, seed=2006, namespace="shop")
    front = edge(x)
    recos_old = x.workload("recos", 2, image="0.18.2")
    acc_old = x.workload("accounts", 3, image="5.5.0")
    redis = stateful(x, "redis", "docker.io/library/redis:7.2.5")
    begun, full, undone = 702.0, 2051.0, 2640.0
    recos = released(x, begun, "recos", 2, "0.19.0", old=recos_old)
    accounts = released(x, 2021.0, "accounts", 3, "5.6.0", old=acc_old)
    back = released(x, undone, "recos", 2, "0.18.2", old=recos)
    used = lambda m: 1.3e9 if m < begun else min(4.294e9, 1.3e9 + 2.994e9 * (m - begun) / (full - begun)) if m < undone + 6 else 1.5e9  # noqa: E731 - read beside its use
    labels = {"namespace": "shop", "pod": redis}
    x.series("redis_memory_used_bytes", labels, lambda m: used(m) + 4e6 * (m % 5), step=2)
    x.series("redis_memory_max_bytes", labels, lambda _m: 4.295e9, step=2)
    x.counter("redis_evicted_keys_total", labels, lambda m: 41 + m % 7 if full <= m < undone + 6 else 0, step=2)
    measured(x, [redis], lambda m: 0.2 + 0.1 * (full <= m < undone), lambda m: used(m) / 2**20 + 80, step=5)
    for at in x.every(3):
        pods, ttl = (recos_old, 900) if at < begun + 0.5 else (recos, -1) if at < undone else (back, 900)
        x.log(x.random.choice(pods), at, zap(x.at(at), "info", "cached profile vector", bytes=x.random.randint(160000, 200000) if ttl < 0 else 2048, ttl=ttl))
    for at in x.every(90):
        x.log(redis, at, f"1:M {x.at(at).strftime('%d %b %Y %H:%M:%S.%f')[:-3]} * Background saving terminated with success")
    x.log(redis, undone + 6, f"1:M {x.at(undone + 6).strftime('%d %b %Y %H:%M:%S.%f')[:-3]} * DB 2 flushed by client 'admin'")
    pods = lambda m: acc_old if m < 2022 else accounts  # noqa: E731 - read beside its use
    traffic(x, front, "/account/orders", "shop-accounts-80", every=0.9, failing=lambda m: 0.35 if full + 4 <= m < undone + 6 else 0.01, status=(401,),
            failed=lambda m: x.log(x.random.choice(pods(m)), m, pino(x.at(m), 40, "session not found in store, sending to login")),
            served=lambda m: x.log(x.random.choice(pods(m)), m, pino(x.at(m), 30, "orders listed")))
    x.say(2078, "UANA", "customers are thrown out of their accounts all the time, since accounts 5.6.0 (09:41)?")
    x.say(2150, "UBEN", "5.6.0 only changes the address form...")
    bustle(x, 7)
    x.write(folder)
    ticket(x, folder, "SHOP-911", 2101, "customers are logged out", "Support has forty calls since ten: logged out after a few clicks.", [(2130, "ana", "accounts 5.6.0 is the only change today")])
    return folder


def cold_cache(folder: Path) -> Path:
    """GitOps rolls the page cache for a patch; all come to MySQL at once and it takes forty minutes to warm up. memcached 1.6, MySQL 8.0. Six hours, metrics, Traefik.

    Root: the roll of memcached. How: its hit ratio falls from 0.97 to nothing when its pods are made anew, and database CPU follows. Not: the backup that runs
    every two hours, not the release of banners.
    """
    x = Export(day(10, 8), 360, seed=2007, namespace="news")
    front = x.workload("traefik", 1, namespace="traefik")[0]
    pages = x.workload("pages", 4)
    cache = replicas(x, "memcached", "docker.io/library/memcached:1.6.31", ("node-a", "node-b"))
    db = stateful(x, "mysql", "docker.io/library/mysql:8.0.39")
    banners = x.workload("banners", 2, image="1.1.0")
    x.cronjob("mysql-backup", "10 */2 * * *", [10.0, 130.0, 250.0], 14)
    released(x, 133.0, "banners", 2, "1.2.0", old=banners)
    low, high = 139.0, 181.0
    ratio = lambda m: 0.97 if m < low else min(0.97, 0.02 + 0.95 * max(0.0, m - low) / (high - low))  # noqa: E731 - read beside its use
    for n, pod in enumerate(cache):
        ended(x, pod, low - 0.6 + 0.3 * n, ("node-a", "node-b")[n])
        made(x, pod, low - 0.5 + 0.3 * n, ("node-a", "node-b")[n], "docker.io/library/memcached:1.6.32")
        x.counter("memcached_commands_total", {"namespace": "news", "pod": pod, "command": "get", "status": "hit"}, lambda m: 2100 * ratio(m))
        x.counter("memcached_commands_total", {"namespace": "news", "pod": pod, "command": "get", "status": "miss"}, lambda m: 2100 * (1 - ratio(m)))
        x.series("memcached_current_items", {"namespace": "news", "pod": pod}, lambda m: 812000 if m < low else 4000 + 780000 * min(1.0, (m - low) / (high - low)))
    for kept in x.objects["news", "StatefulSet"]:
        if kept["metadata"]["name"] == "memcached":
            kept["spec"]["template"]["spec"]["containers"][0]["image"] = "docker.io/library/memcached:1.6.32"
    x.event(low - 0.7, "OperationCompleted", "Application/news-cache", "Sync operation to 41be0f7 succeeded", component="argocd-application-controller", namespace="argocd")
    measured(x, [db], lambda m: 3.95 if low <= m < high else 0.9 + 0.4 * (m % 120 > 10 and m % 120 < 24), lambda _m: 9000, step=1)
    for at in x.every(0.2):
        bad = low + 0.4 <= at < high and x.random.random() < 0.55
        x.log(front, at, traefik(x, at, f"/story/{x.random.randint(1, 900)}", 504 if bad else 200, "news-pages-80", 8000 if bad else 40), namespace="traefik")
        if bad:
            x.log(x.random.choice(pages), at, pino(x.at(at), 50, "story load failed", err={"code": "PROTOCOL_SEQUENCE_TIMEOUT", "message": "Query inactivity timeout"}))
        elif x.random.random() < 0.4:
            x.log(x.random.choice(pages), at, pino(x.at(at), 30, "story rendered"))
    x.say(143, "UANA", "stories 504. mysql cpu at 100%, the backup is running?")
    x.say(149, "UBEN", "or banners 1.2.0, 10:13")
    bustle(x, 6)
    return x.write(folder)



INCIDENTS = (
    Unseen(name="wal-left-behind", build=wal_left_behind, question="is it ledger-api 6.3.0?", roots=frozenset({"Deployment/ledger/debezium-connect"}), full=True,
           shallow=frozenset({"StatefulSet/ledger/postgres", "PersistentVolumeClaim/ledger/data-postgres-0"})),
    Unseen(name="poison-orders", build=poison_orders, hard=True, question="why are there no invoices?", roots=frozenset({"Deployment/trade/orders"}), shallow=frozenset({"Deployment/trade/invoicer"}), full=True),
    Unseen(name="lock-queue", build=lock_queue, question="payments timed out around noon, was it payments-ui 11.1.0?", roots=frozenset({"Job/pay/ledger-migrate-0212"}),
           shallow=frozenset({"StatefulSet/pay/pay-db"}), full=True),
    Unseen(name="old-leader", build=old_leader, question=None, roots=frozenset({"Node//node-b", "DaemonSet/kube-system/kured"}), shallow=frozenset({"StatefulSet/desk/pg"}), full=True),
    Unseen(name="unanalyzed", build=unanalyzed, hard=True, question="why did search time out in the morning?", roots=frozenset({"Job/market/import-offers"}), shallow=frozenset({"StatefulSet/market/market-db"}), full=True),
    Unseen(name="evicted-sessions", build=evicted_sessions, hard=True, question="Why are customers logged out?", roots=frozenset({"Deployment/shop/recos"}), shallow=frozenset({"StatefulSet/shop/redis"}), full=True),
    Unseen(name="cold-cache", build=cold_cache, hard=True, question=None, roots=frozenset({"StatefulSet/news/memcached", "Application/argocd/news-cache"}), shallow=frozenset({"StatefulSet/news/mysql"}), full=True),
)
