"""Second examination, held out: ten more of other mechanisms, written before the engine was mended for the first ones."""

# A scene reads as a table: a line for each thing that is written.
# fmt: off

from pathlib import Path

from examined_scenes import bustle, haproxy, measured, nginx, released, ticket, wave
from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, edited, job, node, stateful, traffic
from incident_sets import cordoned, ended, made, replicas
from line_formats import kafka, mysql, pino, spring, zap
from second_scenes import placed


def paused_consumer(folder: Path) -> Path:
    """Somebody pauses a consumer's scaler for a test and forgets it; three hours later the broker's memory alarm blocks every publisher. RabbitMQ 3.13, KEDA 2.15. A day, metrics.

    Root: ScaledObject thumbnailer (or the Deployment that it took to 0). How: the queue grows in a line from the edit, the broker says memory resource limit alarm, all
    publishers block at once. Not: uploads' release 20 minutes before the alarm.
    """
    x = Export(day(3), 1440, seed=2401, namespace="pics")
    front = edge(x)
    old = x.workload("uploads", 3, image="4.4.0")
    thumbs = x.workload("thumbnailer", 3)
    other = x.workload("moderation", 2)
    rabbit = stateful(x, "rabbitmq", "docker.io/library/rabbitmq:3.13.7")
    off, low, high = 611.0, 802.0, 871.0
    new = released(x, low - 20, "uploads", 3, "4.5.0", old=old)
    edited(x, {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "thumbnailer", "namespace": "pics", "annotations": {"autoscaling.keda.sh/paused-replicas": "0"}},
               "spec": {"scaleTargetRef": {"name": "thumbnailer"}, "maxReplicaCount": 10}}, off, "kubectl-annotate", {"f:metadata": {"f:annotations": {"f:autoscaling.keda.sh/paused-replicas": {}}}})
    x.event(off + 0.3, "KEDAScaleTargetDeactivated", "ScaledObject/thumbnailer", "Deactivated apps/v1.Deployment pics/thumbnailer from 3 to 0", component="keda-operator")
    x.event(off + 0.3, "ScalingReplicaSet", "Deployment/thumbnailer", f"Scaled down replica set {thumbs[0].rpartition('-')[0]} from 3 to 0", component="deployment-controller")
    for pod in thumbs:
        ended(x, pod, off + 0.4, "node-a")
        for at in x.every(4, 0, off):
            x.log(pod, at, pino(x.at(at), 30, "thumbnail made"))
    x.objects["pics", "Pod"][:] = [p for p in x.objects["pics", "Pod"] if p["metadata"]["name"] not in thumbs]
    labels = {"namespace": "pics", "pod": rabbit}
    ready = lambda m: 12 + m % 5 if m < off else 96.0 * (min(m, low) - off) if m < high else max(12.0, 18336 - 300 * (m - high))  # noqa: E731 - read beside its use
    x.series("rabbitmq_queue_messages_ready", {**labels, "queue": "thumbs"}, ready)
    x.series("rabbitmq_process_resident_memory_bytes", labels, lambda m: 3.1e8 + 9.1e4 * ready(m))
    x.log(rabbit, low, f"{x.at(low).strftime('%Y-%m-%d %H:%M:%S.%f')}+00:00 [warning] <0.469.0> memory resource limit alarm set on node rabbit@rabbitmq-0.\n".strip())
    x.log(rabbit, low + 0.001, "*** Publishers will be blocked until this alarm clears ***")
    x.log(rabbit, high + 3, f"{x.at(high + 3).strftime('%Y-%m-%d %H:%M:%S.%f')}+00:00 [warning] <0.469.0> memory resource limit alarm cleared on node rabbit@rabbitmq-0")
    for at in x.every(20):
        x.log(rabbit, at, f"{x.at(at).strftime('%Y-%m-%d %H:%M:%S.%f')}+00:00 [info] <0.{x.random.randint(900, 9000)}.0> accepting AMQP connection 10.42.1.7:{x.random.randint(30000, 60000)} -> 10.42.9.9:5672")
    for at in x.every(1, low, high + 3):
        x.log(x.random.choice(other), at, zap(x.at(at), "error", "publish verdict", error="publish timed out: connection is blocked (low on memory)"))
    traffic(x, front, "/upload", "pics-uploads-80", every=0.4, failing=between((low, high + 3), chance=0.95), status=(504,), slow=30,
            failed=lambda m: x.log(x.random.choice(new), m, pino(x.at(m), 50, "publish timed out", reason="connection.blocked: low on memory")),
            served=lambda m: x.log(x.random.choice(old if m < low - 19 else new), m, pino(x.at(m), 30, "upload stored")))
    x.event(high, "ScalingReplicaSet", "Deployment/thumbnailer", f"Scaled up replica set {thumbs[0].rpartition('-')[0]} from 0 to 3", component="deployment-controller")
    x.say(612, "UPIA", "thumbnailer paused for my load test, back in ten", channel="platform")
    x.say(809, "UANA", "uploads hang since 4.5.0 (13:02)")
    x.say(873, "UCHO", "un-paused thumbnailer, queue drains")
    bustle(x, 6)
    return x.write(folder)


def late_replica(folder: Path) -> Path:
    """A backfill of one huge transaction makes the read replica lag for an hour; what was just bought cannot be found. MySQL 8.0. Ten hours, metrics.

    Root: Job backfill-vat. How: lag begins at the job's commit, 404s at /orders come while the lag is more than a few seconds and end with it; the primary is
    fine. Not: the release of orders-ui twelve minutes before.
    """
    x = Export(day(4, 7), 600, seed=2402, namespace="buy")
    front = edge(x)
    api = x.workload("orders-api", 3)
    old = x.workload("orders-ui", 2, image="50.0.0")
    stateful(x, "mysql-primary", "docker.io/library/mysql:8.0.39")
    replica = stateful(x, "mysql-replica", "docker.io/library/mysql:8.0.39", on="node-b")
    commit, high = 241.0, 305.0
    released(x, 229.0, "orders-ui", 2, "50.1.0", old=old)
    pod = job(x, "backfill-vat", 208.0, 33.2)
    for n in range(8):
        x.log(pod, 209 + 4 * n, f"INFO backfill: {(n + 1) * 1200000} of 9600000 rows updated (one transaction)")
    x.log(pod, commit, "INFO backfill: COMMIT")
    x.series("mysql_slave_status_seconds_behind_source", {"namespace": "buy", "pod": replica}, lambda m: m % 2 if m < commit else min((m - commit) * 60, 1980.0) if m < 276 else max(0.0, 1980 - 1980 * (m - 276) / (high - 276)) if m < high else m % 2)
    measured(x, [replica], lambda m: 1.0 if commit <= m < high else 0.4, lambda _m: 8000)
    measured(x, ["mysql-primary-0"], lambda m: 1.4 if 208 <= m < commit else 0.5, lambda _m: 8000)
    for at in x.every(25):
        x.log(replica, at, mysql(x.at(at), "Note", "MY-010559", "Multi-threaded replica statistics for channel '': seconds elapsed = 121; events assigned = 91137"))
    traffic(x, front, "/orders/mine", "buy-orders-api-80", every=0.3, failing=between((commit + 0.2, high - 0.5), chance=0.5), status=(404,),
            failed=lambda m: x.log(x.random.choice(api), m, spring(x.at(m), "WARN", "c.e.orders.Read", "order not found right after it was placed (read from mysql-replica)")),
            served=lambda m: x.log(x.random.choice(api), m, spring(x.at(m), "INFO", "c.e.orders.Read", "order shown")))
    x.say(252, "UANA", "customers do not see the order they just placed. orders-ui 50.1.0?")
    x.say(270, "UBEN", "reverted the ui in my browser, same. replica?")
    bustle(x, 6)
    return x.write(folder)


def offsets_gone(folder: Path) -> Path:
    """Somebody cuts a topic's retention to an hour; the nightly consumer finds its offsets gone and starts at the end: a day's payouts are missing. Strimzi, Kafka 3.8. Three days.

    Root: KafkaTopic payouts. How: the broker's log cleaner deletes segments from the edit on; 'Fetch position … is out of range' at the next run only; the consumer's release
    of the same afternoon logs the same as before. Not: that release, nor the run itself (the night before it was well).
    """
    x = Export(day(5), 4320, seed=2403, namespace="fin")
    old = x.workload("payout-api", 2, image="1.9.0")
    brokers = replicas(x, "kafka", "quay.io/strimzi/kafka:0.43.0-kafka-3.8.0", ("node-a", "node-b", "node-c"))
    edit = 1800.0
    new = released(x, edit + 95, "payout-api", 2, "1.10.0", old=old)
    runs = x.cronjob("payout-run", "0 1 * * *", [60.0, 1500.0, 2940.0], 12)
    edited(x, {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "KafkaTopic", "metadata": {"name": "payouts", "namespace": "fin"}, "spec": {"partitions": 6, "config": {"retention.ms": 3600000}}}, edit, "kubectl-edit", {"f:spec": {"f:config": {"f:retention.ms": {}}}})
    for at in x.every(40, edit + 5):
        x.log(x.random.choice(brokers), at, kafka(x.at(at), "INFO", f"[UnifiedLog partition=payouts-{x.random.randint(0, 5)}, dir=/var/lib/kafka/data-0] Deleting segments due to log start offset {x.random.randint(81000, 99000)} breach or retention time 3600000ms breach: LogSegment(baseOffset={x.random.randint(80000, 98000)}, size=41877)", "kafka.log.UnifiedLog$"))
    for at in x.every(3):
        x.log(x.random.choice(old if at < edit + 96 else new), at, pino(x.at(at), 30, "payout requested", topic="payouts"))
    for begun, pod in runs:
        lost = begun > edit
        for n in range(6):
            if lost:
                x.log(pod, begun + 0.5 + 0.05 * n, kafka(x.at(begun + 0.5), "INFO", f"[Consumer clientId=payout-run, groupId=payout-run] Fetch position FetchPosition{{offset={71000 + n}, offsetEpoch=Optional[4]}} is out of range for partition payouts-{n}, resetting offset", "org.apache.kafka.clients.consumer.internals.AbstractFetch"))
                x.log(pod, begun + 0.52 + 0.05 * n, kafka(x.at(begun + 0.5), "INFO", f"[Consumer clientId=payout-run, groupId=payout-run] Resetting offset for partition payouts-{n} to position FetchPosition{{offset={90000 + n}}}", "org.apache.kafka.clients.consumer.internals.SubscriptionState"))
        x.log(pod, begun + 11.8, f"{'ERROR' if lost else 'INFO'} payouts: {'31 of 812 expected payouts done, ledger does not balance: 781 missing' if lost else '804 of 804 expected payouts done, ledger balances'}")
    failed = runs[2][1].rpartition("-")[0]
    x.events[:] = [e for e in x.events if not (e["reason"] in ("Completed", "SawCompletedJob") and failed in (e["involvedObject"]["name"], e["message"].split(",")[0].rpartition(" ")[2]))]
    x.event(2952.2, "BackoffLimitExceeded", f"Job/{failed}", "Job has reached the specified backoff limit", warning=True, component="job-controller")
    x.say(3310, "UANA", "781 payouts are missing, payout-api 1.10.0 of yesterday lost them?")
    x.say(1799, "UKIM", "kafka disks are at 70%, trimming some topics", channel="platform")
    bustle(x, 6)
    x.write(folder)
    ticket(x, folder, "FIN-40", 3320, "payouts missing", "The run of tonight paid 31 of 812.", [(3330, "ana", "1.10.0 changed the payload")])
    return folder


def expired(folder: Path) -> Path:
    """An internal certificate is not renewed, for its issuer is not ready since a week; it expires at 13:00 sharp and no one trusts the service. cert-manager 1.15. Ten hours, no metrics.

    Root: Certificate vault-internal (its issuer). How: 'certificate has expired … is after 2026-03-06T13:00:00Z' in each error from that second; cert-manager's lines say the
    issuer is not ready. Not: release of docs-api nine minutes before.
    """
    x = Export(day(6, 8), 600, seed=2404, namespace="safe")
    front = edge(x)
    old = x.workload("docs-api", 3, image="12.0.0")
    vault = x.workload("vault", 1)
    cm = x.workload("cert-manager", 1, namespace="cert-manager")[0]
    low, high = 300.0, 388.0
    new = released(x, low - 9, "docs-api", 3, "12.1.0", old=old)
    x.keep({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "vault-internal", "namespace": "safe", "creationTimestamp": stamp(x.at(-129600))}, "spec": {"secretName": "vault-internal-tls", "issuerRef": {"name": "internal-ca"}},
            "status": {"notAfter": stamp(x.at(high + 129600)), "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": stamp(x.at(high)), "reason": "Ready", "message": "Certificate is up to date and has not expired"}]}})
    for at in x.every(30, 0, high):
        x.log(cm, at, f'I{x.at(at).strftime("%m%d %H:%M:%S.%f")}       1 controller.go:162] "re-queuing item due to error processing" err="issuer internal-ca is not ready" key="safe/vault-internal-7" logger="cert-manager.controller"', namespace="cert-manager")
    x.event(30, "IssuerNotReady", "CertificateRequest/vault-internal-7", "Referenced issuer does not have a Ready status condition", warning=True, count=40, until=high, component="cert-manager-certificaterequests-issuer-ca")
    x.event(high, "Issuing", "Certificate/vault-internal", "The certificate has been successfully issued", component="cert-manager-certificates-issuing")
    traffic(x, front, "/docs", "safe-docs-api-80", every=0.3, failing=between((low, high + 1), chance=0.98), status=(500,),
            failed=lambda m: (x.log(x.random.choice(new), m, zap(x.at(m), "error", "read key", error=f'Get "https://vault.safe.svc:8200/v1/transit/keys": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time {stamp(x.at(m))} is after 2026-03-06T13:00:00Z')),
                              x.log(vault[0], m, f"{stamp(x.at(m))} [INFO]  http: TLS handshake error from 10.42.1.8:{x.random.randint(30000, 60000)}: remote error: tls: bad certificate")),
            served=lambda m: x.log(x.random.choice(old if m < low - 8 else new), m, zap(x.at(m), "info", "doc opened")))
    x.say(306, "UANA", "docs-api 12.1.0, 12:51, broke docs")
    x.say(385, "UCHO", "fixed the issuer's secret, certificate is coming")
    bustle(x, 5)
    return x.write(folder)


def shrunk_by_vpa(folder: Path) -> Path:
    """A vertical scaler switched to Auto shrinks a service by the quiet weekend; at Monday's first export it is killed for memory. Five days, metrics.

    Root: VerticalPodAutoscaler invoices. How: its edit on Saturday, EvictedByVPA, new pods with 300 Mi instead of 1 Gi; exports of the Friday before took 700 Mi and lived. Not:
    the release of ledger 25 minutes before the first kill, not the exporting CronJob, which always ran.
    """
    x = Export(day(6), 7200, seed=2405, namespace="acct")
    front = edge(x)
    big = {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}}}
    pods = x.workload("invoices", 2, container=big)
    led = x.workload("ledger", 2, image="3.0.0")
    cut, evict = 2000.0, 2031.0
    starts = [1440 * d + 480.0 for d in (0, 3, 4)]
    x.cronjob("export-month", "0 8 * * 1-5", starts, 25)
    edited(x, {"apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler", "metadata": {"name": "invoices", "namespace": "acct"}, "spec": {"targetRef": {"kind": "Deployment", "name": "invoices"}, "updatePolicy": {"updateMode": "Auto"}},
               "status": {"recommendation": {"containerRecommendations": [{"containerName": "app", "target": {"memory": "300Mi", "cpu": "25m"}}]}}}, cut, "kubectl-edit", {"f:spec": {"f:updatePolicy": {"f:updateMode": {}}}})
    new = []
    for n, pod in enumerate(pods):
        x.event(evict + n, "EvictedByVPA", f"Pod/{pod}", "Pod was evicted by VPA Updater to apply resource recommendation.", component="vpa-updater")
        ended(x, pod, evict + n, ("node-a", "node-b")[n])
        fresh = f"{pod.rpartition('-')[0]}-{'xk'[n]}7m2q"
        made(x, fresh, evict + n + 0.2, ("node-a", "node-b")[n], "registry.example.com/invoices:1.0.0")
        new.append(fresh)
        for kept in x.objects["acct", "Pod"]:
            if kept["metadata"]["name"] == pod:
                kept["metadata"].update(name=fresh, creationTimestamp=stamp(x.at(evict + n)), annotations={"vpaUpdates": "Pod resources updated by invoices: container 0: memory request, memory limit"})
                kept["spec"] = {**kept["spec"], "containers": [{"name": "app", "image": "registry.example.com/invoices:1.0.0", "resources": {"requests": {"memory": "300Mi"}, "limits": {"memory": "300Mi"}}}]}
    spans = [(s + 2, s + 25.5) for s in starts[1:]]
    released(x, spans[0][0] - 25, "ledger", 2, "3.1.0", old=led)
    need = lambda m: 700 if any(s <= m < s + 25 for s in starts) else 210  # noqa: E731 - read beside its use
    measured(x, pods, lambda _m: 0.1, need, step=5, alive=(0, evict))
    measured(x, new, lambda _m: 0.1, lambda m: min(298, need(m)), step=5, alive=(evict, 7200))
    for n, (low, high) in enumerate(spans):
        at = low
        while at < high - 2:
            pod = new[int(at) % 2]
            x.event(at, "OOMKilling", f"Node/node-{'ab'[int(at) % 2]}", f"Memory cgroup out of memory: Killed process {31000 + int(at)} (java) total-vm:2912044kB, anon-rss:301012kB, file-rss:0kB", warning=True, component="kernel-monitor", namespace="default")
            x.event(at + 0.2, "Started", f"Pod/{pod}", "Started container app")
            x.log(pod, at + 0.9, spring(x.at(at + 0.9), "INFO", "c.e.InvoicesApplication", "Started InvoicesApplication in 31.2 seconds", "main"))
            at += 3.1 + n
    traffic(x, front, "/invoices", "acct-invoices-80", every=1.2, failing=lambda _m: 0.001)
    for low, high in spans:
        traffic(x, front, "/invoices", "acct-invoices-80", every=0.3, failing=lambda _m: 0.6, status=(502, 503), since=low, until=high)
    x.say(spans[0][0] + 8, "UANA", "invoices 502. ledger 3.1.0?", channel="acct")
    x.say(spans[0][0] + 15, "UBEN", "export-month runs. it ran on friday too, no trouble then", channel="acct")
    bustle(x, 7)
    return x.write(folder)


def serial_collector(folder: Path) -> Path:
    """A release changes the JVM's options to the serial collector; at the daily load pauses pass the probe's second, kubelets kill pods in turn. Java 21. A day, metrics.

    Root: the release of pricing at 06:20. How: its env differs in JAVA_TOOL_OPTIONS, pause lines say Serial and 3-6 s against 20 ms before; liveness failures follow pauses. Not: the
    node pool's patch an hour before the first kill, not the load, which the day before bore.
    """
    x = Export(day(9), 2160, seed=2406, namespace="fare")
    front = edge(x)
    was = {"env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-XX:+UseG1GC -Xmx3g -Xlog:gc"}]}
    now = {"env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-XX:+UseSerialGC -Xmx3g -Xlog:gc"}]}
    old = x.workload("pricing", 3, image="6.1.0", container=was)
    begun = 1440 + 380.0
    new = placed(x, released(x, begun, "pricing", 3, "6.2.0", container=now, old=old), ("node-a", "node-b", "node-c"))
    cordoned(x, "node-d", 1440 + 450, 1440 + 462)
    x.event(1440 + 458, "Rebooted", "Node/node-d", "Node node-d has been rebooted, boot id: 4d9b3a51", warning=True, namespace="default", host="node-d")
    load = wave(0.3, 1.0, 11)
    kills = [1440 + 515 + 9.0 * n + (5 * n) % 4 for n in range(17)]
    for at in x.every(2):
        pods, kind = (old, "G1 Evacuation Pause") if at < begun + 1 else (new, "Allocation Failure")
        full = at >= begun + 1 and load(at) > 0.8 and x.random.random() < 0.3
        words = f"Pause Full ({kind}) 2911M->2204M(3072M) {x.random.uniform(3100, 6200):.3f}ms" if full else f"Pause Young ({'Normal) (' if at < begun + 1 else ''}{kind}) 1911M->1204M(3072M) {x.random.uniform(9, 40):.3f}ms"
        x.log(x.random.choice(pods), at, f"[{x.at(at).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}+0000][info][gc] GC({int(at * 3)}) {words}")
    spans = []
    for n, at in enumerate(kills):
        pod = new[n % 3]
        x.log(pod, at - 0.5, f"[{x.at(at - 0.5).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}+0000][info][gc] GC({int(at * 3)}) Pause Full (Allocation Failure) 3012M->2604M(3072M) {x.random.uniform(5100, 6900):.3f}ms")
        x.event(at - 0.2, "Unhealthy", f"Pod/{pod}", 'Liveness probe failed: Get "http://10.42.1.7:8080/actuator/health/liveness": context deadline exceeded (Client.Timeout exceeded while awaiting headers)', warning=True, count=3, until=at)
        x.event(at, "Killing", f"Pod/{pod}", "Container app failed liveness probe, will be restarted")
        x.event(at + 0.5, "Started", f"Pod/{pod}", "Started container app")
        spans.append((at - 0.5, at + 1.4))
    measured(x, old, load, lambda _m: 3200, alive=(0, begun))
    measured(x, new, lambda m: min(1.9, load(m) * 1.4), lambda _m: 3200, alive=(begun, 2160))
    traffic(x, front, "/price", "fare-pricing-80", every=0.5, failing=between(*spans, chance=0.5), status=(502, 504), slow=4,
            served=lambda m: x.log(x.random.choice(old if m < begun + 1 else new), m, spring(x.at(m), "INFO", "c.e.Pricing", "priced")) if x.random.random() < 0.4 else None)
    x.say(1440 + 525, "UANA", "pricing pods restart all the time. node patch of this morning?")
    x.say(1440 + 560, "UBEN", "the load is like yesterday's")
    bustle(x, 6)
    return x.write(folder)


def sixty_seconds(folder: Path) -> Path:
    """An Ingress loses its long read timeout in a tidy-up: every export that takes more than a minute is cut off at 60 s. ingress-nginx 1.11. A day, no metrics.

    Root: Ingress reports. How: 504s all take 60.00 s, none was ever shorter or longer; before it exports of 80-200 s ended well; they begin with the reload after the edit. Not:
    the release of reports 31 minutes before, which is undone in vain.
    """
    x = Export(day(11), 1440, seed=2407, namespace="bi")
    front = edge(x)
    old = x.workload("reports", 3, image="2.0.0")
    edit = 634.0
    new = released(x, edit - 31, "reports", 3, "2.1.0", old=old)
    back = released(x, edit + 95, "reports", 3, "2.0.0", old=new)
    edited(x, {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "reports", "namespace": "bi", "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "8m"}},
               "spec": {"rules": [{"host": "bi.example.com", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "reports"}}}]}}]}}, edit, "kubectl-apply", {"f:metadata": {"f:annotations": {}}})
    x.event(edit, "Sync", "Ingress/reports", "Scheduled for sync", component="nginx-ingress-controller")
    x.log(front, edit + 0.03, f'I{x.at(edit).strftime("%m%d %H:%M:%S.%f")}       7 controller.go:213] "Backend successfully reloaded"', namespace="ingress-nginx")
    for at in x.every(0.5):
        long = x.random.random() < 0.15
        took = x.random.uniform(80, 200) if long else x.random.uniform(0.2, 9)
        bad = long and at > edit + 0.1
        x.log(front, at, nginx(x.at(at), "/reports/export" if long else "/reports", 504 if bad else 200, "bi-reports-80", 60.0 if bad else took, 60.0 if bad else took), namespace="ingress-nginx")
        if bad:
            x.log(front, at, f'{x.at(at).strftime("%Y/%m/%d %H:%M:%S")} [error] 33#33: *{int(at * 900)} upstream timed out (110: Operation timed out) while reading response header from upstream, client: 203.0.113.77, server: bi.example.com, request: "GET /reports/export HTTP/2.0", upstream: "http://10.42.1.17:8080/reports/export", host: "bi.example.com"', namespace="ingress-nginx")
        x.log(x.random.choice(old if at < edit - 30 else new if at < edit + 96 else back), at, spring(x.at(at), "INFO", "c.e.Reports", f"export finished in {took:.1f} s" if long else "report shown"))
    x.say(660, "UANA", "exports fail since reports 2.1.0")
    x.say(735, "UANA", "2.0.0 is back, still 504")
    bustle(x, 6)
    return x.write(folder)


def stuck_volume(folder: Path) -> Path:
    """A node dies and its disk stays attached: the search index's only pod waits for its volume for 34 minutes. EBS CSI. Eight hours, no metrics, HAProxy.

    Root: Node node-b. How: NodeNotReady, then Multi-Attach error for the pod's volume until the node is removed. Not: the release of search-ui, which is three minutes older.
    """
    x = Export(day(12, 9), 480, seed=2408, namespace="find")
    front = x.workload("haproxy-ingress", 1, namespace="haproxy-controller", nodes=("node-a",))[0]
    es = stateful(x, "index", "docker.elastic.co/elasticsearch/elasticsearch:8.15.1", volume="data", on="node-c")
    ui = x.workload("search-ui", 2, image="1.0.0", nodes=("node-a", "node-c"))
    down, gone, high = 203.0, 236.0, 239.0
    placed(x, released(x, down - 3, "search-ui", 2, "1.1.0", old=ui), ("node-a", "node-c"))
    for name in ("node-a", "node-c"):
        node(x, name)
    x.event(down + 0.7, "NodeNotReady", "Node/node-b", "Node node-b status is now: NodeNotReady", component="node-controller", namespace="default")
    x.event(down + 5.7, "TaintManagerEviction", f"Pod/{es}", f"Marking for deletion Pod find/{es}", component="taint-eviction-controller")
    x.event(down + 7, "Scheduled", f"Pod/{es}", f"Successfully assigned find/{es} to node-c", component="default-scheduler")
    x.event(down + 7.1, "FailedAttachVolume", f"Pod/{es}", 'Multi-Attach error for volume "pvc-6f1d0c8e-91b2-4f4e-9a55-0f4e3b1c7d20" Volume is already exclusively attached to one node and can\'t be attached to another', warning=True, count=1, component="attachdetach-controller")
    x.event(gone, "RemovingNode", "Node/node-b", "Node node-b event: Removing Node node-b from Controller", component="node-controller", namespace="default")
    x.event(gone + 0.5, "SuccessfulAttachVolume", f"Pod/{es}", 'AttachVolume.Attach succeeded for volume "pvc-6f1d0c8e-91b2-4f4e-9a55-0f4e3b1c7d20"', component="attachdetach-controller")
    x.event(gone + 1, "Started", f"Pod/{es}", "Started container app", host="node-c")
    for at in x.every(3):
        if not down <= at < gone + 2:
            x.log(es, at, f'{{"@timestamp":"{stamp(x.at(at))}", "log.level": "INFO", "message":"[products] merge took 0.4s", "service.name":"ES_ECS","elasticsearch.node.name":"index-0"}}')
    for at in x.every(0.3):
        bad = down <= at < high
        x.log(front, at, haproxy(x, at, "/search", 503 if bad else 200, "find_index_http", "<NOSRV>" if bad else "SRV_1", "SC--" if bad else "----"), namespace="haproxy-controller")
    x.say(208, "UANA", "search is dead, search-ui 1.1.0?")
    x.say(233, "UBEN", "force-deleting node-b in aws")
    bustle(x, 5)
    return x.write(folder)


def scrape_gap(folder: Path) -> Path:
    """Prometheus cannot scrape for twelve minutes and alerts TargetDown; the service's lines go on and no request fails. A day, metrics.

    How: there are no samples of anybody in the gap, the lines show 200s at the usual rate; a release stands four minutes before the alert.
    """
    x = Export(day(13), 1440, seed=2409, namespace="maps")
    front = edge(x)
    old = x.workload("tiles", 3, image="8.0.0")
    low, high = 541.0, 553.0
    new = released(x, low - 4, "tiles", 3, "8.1.0", old=old)
    traffic(x, front, "/tiles", "maps-tiles-80", every=0.3, failing=lambda _m: 0.002, served=lambda m: x.log(x.random.choice(old if m < low - 3 else new), m, zap(x.at(m), "info", "tile served")))
    measured(x, old, wave(0.2, 0.6), lambda _m: 300, step=1, alive=(0, low - 4))
    measured(x, new, wave(0.2, 0.6), lambda _m: 300, step=1, alive=(low - 4, 1440))
    x.counter("http_requests_total", {"namespace": "maps", "app": "tiles", "code": "200"}, wave(90, 300))
    first, last = x.at(low).timestamp(), x.at(high).timestamp()
    for found in x.samples.values():
        for one in found:
            one["values"] = [[at, value] for at, value in one["values"] if not first <= at < last]
    x.say(544, "UALERTS", "[FIRING:3] TargetDown (maps/tiles) severity=critical: 100% of targets are down", channel="alerts")
    x.say(546, "UANA", "tiles is down after 8.1.0!")
    bustle(x, 5)
    return x.write(folder)


def firewall_outside(folder: Path) -> Path:
    """Partners cannot reach an API for forty minutes: there are simply no requests of theirs; a colleague of the network team says afterwards what it was. Ten hours, no metrics.

    How: the partners' requests stop and come back, everybody else's go on; nothing in the cluster did it (a release 11 minutes before is in everybody's way alike). A hearsay in chat
    is all there is for a cause, outside of the data.
    """
    x = Export(day(16, 8), 600, seed=2410, namespace="b2b")
    front = edge(x)
    old = x.workload("gateway", 3, image="5.5.0")
    low, high = 271.0, 312.0
    new = released(x, low - 11, "gateway", 3, "5.6.0", old=old)
    for at in x.every(0.15):
        partner = x.random.random() < 0.5
        if partner and low <= at < high:
            continue
        client = f"192.0.2.{x.random.randint(2, 30)}" if partner else f"203.0.113.{x.random.randint(2, 250)}"
        x.log(front, at, nginx(x.at(at), "/partner/orders" if partner else "/orders", 200, "b2b-gateway-80", 0.05, 0.05, client=client), namespace="ingress-nginx")
        x.log(x.random.choice(old if at < low - 10 else new), at - 0.001, pino(x.at(at), 30, "order taken", partner=partner)) if x.random.random() < 0.5 else None
    x.say(281, "UANA", "partners call: connection timed out. gateway 5.6.0 (12:20)?")
    x.say(318, "UNET", "fyi we rolled back a rule on the edge firewall at 13:12", channel="platform")
    bustle(x, 5)
    return x.write(folder)


_CALM = frozenset({"no_incident", "inconclusive"})
INCIDENTS = (
    Unseen(name="paused-consumer", build=paused_consumer, hard=True, question="uploads hang, is it 4.5.0?", roots=frozenset({"ScaledObject/pics/thumbnailer", "Deployment/pics/thumbnailer"}), shallow=frozenset({"StatefulSet/pics/rabbitmq"}), full=True),
    Unseen(name="late-replica", build=late_replica, hard=True, question="why do customers not find their orders?", roots=frozenset({"Job/buy/backfill-vat"}), shallow=frozenset({"StatefulSet/buy/mysql-replica"}), full=True),
    Unseen(name="offsets-gone", build=offsets_gone, amiss=True, question="why are payouts missing?", roots=frozenset({"KafkaTopic/fin/payouts"}), full=True),
    Unseen(name="expired", build=expired, hard=True, question=None, roots=frozenset({"Certificate/safe/vault-internal", "Issuer/safe/internal-ca", "Secret/safe/vault-internal-tls"}), shallow=frozenset({"Deployment/safe/vault"}), full=True),
    Unseen(name="shrunk-by-vpa", build=shrunk_by_vpa, hard=True, question="why do invoices fail in the mornings since Monday?", roots=frozenset({"VerticalPodAutoscaler/acct/invoices"}), shallow=frozenset({"Deployment/acct/invoices"}), full=True),
    Unseen(name="serial-collector", build=serial_collector, hard=True, question=None, roots=frozenset({"Deployment/fare/pricing"}), full=True),
    Unseen(name="sixty-seconds", build=sixty_seconds, hard=True, question="exports fail, is it reports 2.1.0?", roots=frozenset({"Ingress/bi/reports"}), full=True),
    Unseen(name="stuck-volume", build=stuck_volume, hard=True, question=None, roots=frozenset({"Node//node-b"}), full=True),
    Unseen(name="unscraped", build=scrape_gap, question="was tiles down after 8.1.0?", verdicts=_CALM, full=True),
    Unseen(name="firewall-outside", build=firewall_outside, question="why could partners not reach us around 12:40?", verdicts=_CALM, full=True),
)
