"""Windows without a cause, written to examine the engine: innocent releases and restarts, two changes at once, a symptom that never was, a harmless job."""

# A scene reads as a table: a line for each thing that is written.
# fmt: off

from pathlib import Path

from examined_scenes import bustle, measured, nginx, released, ticket, traefik, wave
from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, edited, stateful, traffic
from incident_sets import ended, made
from line_formats import pino, postgres, spring, zap


def blamed_release(folder: Path) -> Path:
    """Everybody suspects a release of the checkout; errors are as rare after it as before it, and one colleague finds his VPN to blame. A day."""
    x = Export(day(27), 1440, seed=1021, namespace="store")
    front = edge(x)
    old = x.workload("checkout", 3, image="4.1.9")
    new = released(x, 611.0, "checkout", 3, "4.2.0", old=old)
    measured(x, old, wave(0.1, 0.4), lambda _m: 480, alive=(0, 612))
    measured(x, new, wave(0.1, 0.4), lambda _m: 480, alive=(612, x.minutes))
    traffic(x, front, "/checkout", "store-checkout-80", every=0.15, failing=lambda _m: 0.004, status=(502,),
            failed=lambda m: x.log(x.random.choice(new if m > 612 else old), m, zap(x.at(m), "error", "charge", error="card declined by issuer gateway: timeout")),
            served=lambda m: x.log(x.random.choice(new if m > 612 else old), m, zap(x.at(m), "info", "charged")))
    x.say(640, "UANA", "checkout is broken since 4.2.0, I cannot pay at all")
    x.say(644, "UBEN", "same here, spinner forever")
    x.say(651, "UCHO", "should we roll back 4.2.0?")
    x.say(669, "UBEN", "hm, works on my phone. it is the office VPN, it drops everything to the payment page")
    bustle(x, 9)
    x.write(folder)
    ticket(x, folder, "STORE-9", 646, "Checkout broken since 4.2.0", "Payment page never loads.")
    return folder


def innocent_restarts(folder: Path) -> Path:
    """Redis and both CoreDNS pods are restarted for a patch; caches are warm again within seconds, nobody fails. Two days, metrics."""
    x = Export(day(28), 2 * 1440, seed=1022, namespace="book")
    front = x.workload("traefik", 1, namespace="traefik")[0]
    rooms = x.workload("rooms", 3)
    redis = stateful(x, "redis", "docker.io/library/redis:7.4")
    dns = x.workload("coredns", 2, namespace="kube-system")
    ended(x, redis, 1310, "node-a")
    made(x, redis, 1310.1, "node-a", "docker.io/library/redis:7.4.1")
    x.log(redis, 1310.3, "1:M 29 Mar 2026 21:50:18.114 * DB loaded from append only file: 0.331 seconds")
    x.log(redis, 1310.31, "1:M 29 Mar 2026 21:50:18.115 * Ready to accept connections tcp")
    for n, pod in enumerate(dns):
        ended(x, pod, 1322 + 2 * n, "node-b", namespace="kube-system", container="coredns")
        made(x, f"coredns-7db6d8ff4d-{'kq'[n]}x2p{n}", 1322.1 + 2 * n, "node-b", "registry.k8s.io/coredns/coredns:v1.11.4", namespace="kube-system")
    measured(x, rooms, wave(0.1, 0.5), lambda _m: 300, step=5)
    for at in x.every(0.4):
        bad = x.random.random() < 0.002
        x.log(front, at, traefik(x, at, "/rooms", 502 if bad else 200, "book-rooms-http", x.random.uniform(10, 60)), namespace="traefik")
        if x.random.random() < 0.3:
            x.log(x.random.choice(rooms), at - 0.001, pino(x.at(at), 30, "rooms listed", cached=at < 1310 or at > 1310.4))
    x.say(1300, "UOLA", "patching redis and coredns tonight, no impact expected")
    bustle(x, 8)
    return x.write(folder)


def synced_together(folder: Path) -> Path:
    """One sync releases both services that a basket asks side by side; three minutes on it runs into its deadline without a word of which. Nobody can tell."""
    x = Export(day(30, 8), 480, seed=1023, namespace="trade")
    front = edge(x)
    basket, prices, stock = x.workload("basket", 3), x.workload("prices", 2), x.workload("stock", 2)
    x.event(205.9, "OperationStarted", "Application/trade", "initiated automated sync to '7c1e4f0'", component="argocd-application-controller", namespace="argocd")
    new = [*released(x, 206.0, "prices", 2, "3.9.0", old=prices), *released(x, 206.05, "stock", 2, "12.0.0", old=stock)]
    x.event(207.2, "OperationCompleted", "Application/trade", "Sync operation to 7c1e4f0 succeeded", component="argocd-application-controller", namespace="argocd")
    low = 209.0
    traffic(x, front, "/basket", "trade-basket-80", every=0.15, failing=lambda m: 0.45 if m > low else 0.002, status=(500,),
            failed=lambda m: x.log(x.random.choice(basket), m, zap(x.at(m), "error", "basket", error="quote: errgroup: context deadline exceeded")),
            served=lambda m: x.log(x.random.choice(basket), m, zap(x.at(m), "info", "basket shown")))
    for at in x.every(3):
        number = x.random.randint(0, 1)
        x.log((prices if at < 206.6 else new[:2])[number], at, zap(x.at(at), "info", "prices given"))
        x.log((stock if at < 206.6 else new[2:])[number], at + 0.3, zap(x.at(at + 0.3), "info", "stock given"))
    x.say(222, "UANA", "stock 12 is a rewrite, must be stock")
    x.say(225, "UBEN", "prices 3.9 adds a currency lookup, I would say prices")
    bustle(x, 6)
    return x.write(folder)


def never_happened(folder: Path) -> Path:
    """Somebody asks why payments timed out on Wednesday night; they did not: no request was slow or failed, an alert was another cluster's. Three days."""
    x = Export(day(31), 3 * 1440, seed=1024, namespace="pay")
    front = edge(x)
    payments = x.workload("payments", 3)
    db = stateful(x, "ledger-db", "docker.io/library/postgres:16.6")
    for n, pod in x.cronjob("settlement", "15 1 * * *", [75.0 + 1440 * n for n in range(3)], 22):
        x.log(pod, n + 0.5, spring(x.at(n + 0.5), "INFO", "c.e.Settlement", "settling yesterday's payments"))
        x.log(pod, n + 21.5, spring(x.at(n + 21.5), "INFO", "c.e.Settlement", "settled 18211 payments"))
    released(x, 1440 + 1015.0, "payments", 3, "7.0.3")
    for at in x.every(12):
        x.log(db, at, postgres(x.at(at), "LOG", "checkpoint complete: wrote 411 buffers (2.5%)"))
    traffic(x, front, "/pay", "pay-payments-80", every=0.5, failing=lambda _m: 0.001, status=(502,), fast=0.12,
            served=lambda m: x.log(x.random.choice(payments), m, spring(x.at(m), "INFO", "c.e.Payments", "payment accepted")))
    x.say(1440 + 92, "UALERTS", "[FIRING:1] PaymentsLatencyHigh cluster=staging-eu p99 4.1s", channel="alerts")
    bustle(x, 7)
    return x.write(folder)


def busy_hourly_job(folder: Path) -> Path:
    """A job takes the database's CPU every hour and grumbles about deadlocks it tries again; answers stay quick, a few fail at any minute as ever. Three days."""
    x = Export(day(20), 3 * 1440, seed=1025, namespace="lib")
    front = edge(x)
    loans = x.workload("loans", 2)
    db = stateful(x, "postgres", "docker.io/library/postgres:15.10")
    runs = x.cronjob("overdue-scan", "40 * * * *", [40.0 + 60 * n for n in range(72)], 9)
    for begun, pod in runs:
        for k in range(3):
            at = begun + 2 + 2 * k
            x.log(pod, at, spring(x.at(at), "WARN", "c.e.OverdueScan", "ERROR: deadlock detected, batch tried again (attempt 1 of 5)"))
            x.log(db, at - 0.01, postgres(x.at(at - 0.01), "ERROR", "deadlock detected"))
        x.log(pod, begun + 8.8, spring(x.at(begun + 8.8), "INFO", "c.e.OverdueScan", "overdue scan finished, 412 loans"))
    inside = lambda m: 40 <= m % 60 < 49  # noqa: E731 - read beside its use
    measured(x, [db], lambda m: 1.7 if inside(m) else 0.4, lambda _m: 2100, step=2)
    x.series("http_request_duration_p99_seconds", {"namespace": "lib", "service": "loans"}, lambda m: (0.13 if inside(m) else 0.11) + 0.01 * (m % 4), step=2)
    traffic(x, front, "/loans", "lib-loans-80", every=0.5, failing=lambda _m: 0.004, status=(502,),
            failed=lambda m: x.log(x.random.choice(loans), m, pino(x.at(m), 50, "client went away")),
            served=lambda m: x.log(x.random.choice(loans), m, pino(x.at(m), 30, "loans listed")))
    edited(x, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "loans-texts", "namespace": "lib"}, "data": {"greeting": "Hello"}}, 2222.0, "kubectl-edit", {"f:data": {}})
    x.say(1300, "UKIM", "overdue-scan deadlocks again, as ever. is that the reason for the odd 502?")
    bustle(x, 7)
    return x.write(folder)


def undone_in_vain(folder: Path) -> Path:
    """Errors begin eight minutes after a release of the very service; it is undone, they go on for forty minutes and end by themselves. Nothing tells why."""
    x = Export(day(5, 10), 420, seed=1026, namespace="ride")
    front = edge(x)
    old = x.workload("dispatch", 3, image="19.1.0")
    new = released(x, 181.0, "dispatch", 3, "19.2.0", old=old)
    back = released(x, 214.0, "dispatch", 3, "19.1.0", old=new)
    now = lambda m: old if m < 182.5 else new if m < 215.5 else back  # noqa: E731 - read beside its use
    measured(x, old, lambda _m: 0.3, lambda _m: 350, alive=(0, 182))
    measured(x, back, lambda _m: 0.3, lambda _m: 350, alive=(215, x.minutes))
    traffic(x, front, "/dispatch", "ride-dispatch-80", every=0.12, failing=between((189.0, 256.0), chance=0.5), status=(500,),
            failed=lambda m: x.log(x.random.choice(now(m)), m, zap(x.at(m), "error", "dispatch", error="context deadline exceeded")),
            served=lambda m: x.log(x.random.choice(now(m)), m, zap(x.at(m), "info", "dispatched")))
    x.say(194, "UANA", "dispatch 19.2.0 is bad, half of the rides fail")
    x.say(216, "UANA", "back on 19.1.0")
    x.say(231, "UBEN", "still half of them?!")
    x.say(262, "UBEN", "gone. nobody did anything")
    bustle(x, 6)
    return x.write(folder)


def jobs_in_step(folder: Path) -> Path:
    """Two jobs start in the same minute every night and take equally long; requests fail while they run. Either may be it, or both. Five days."""
    x = Export(day(9), 5 * 1440, seed=1027, namespace="gym")
    front = edge(x)
    classes = x.workload("classes", 3)
    runs = [1440.0 * n + 210.0 for n in range(5)]
    for name, words in (("member-export", "exporting members"), ("badge-sync", "syncing badges")):
        for begun, pod in x.cronjob(name, "30 3 * * *", runs, 18):
            x.log(pod, begun + 0.3, pino(x.at(begun + 0.3), 30, words))
            x.log(pod, begun + 17.8, pino(x.at(begun + 17.8), 30, "done"))
    spans = [(begun + 1.0, begun + 18.0) for begun in runs]
    for low, high in spans:
        traffic(x, front, "/classes", "gym-classes-80", every=0.2, failing=lambda _m: 0.6, status=(500,), since=low, until=high,
                failed=lambda m: x.log(x.random.choice(classes), m, pino(x.at(m), 50, "request failed", status=500)))
    traffic(x, front, "/classes", "gym-classes-80", every=0.8, failing=between(*spans, chance=0.6), status=(500,),
            failed=lambda m: x.log(x.random.choice(classes), m, pino(x.at(m), 50, "request failed", status=500)),
            served=lambda m: x.log(x.random.choice(classes), m, pino(x.at(m), 30, "classes listed")))
    x.say(1440 + 540, "UPAT", "half past three again. badge-sync is the new one, no?")
    bustle(x, 6)
    return x.write(folder)


def one_node_of_three(folder: Path) -> Path:
    """Requests fail on the pods of one node only, new version or old; a release went to all nodes minutes before. The node itself says nothing. Five hours.

    Root: that node, if anything may be named at all. Not: the release, whose other pods are well.
    """
    x = Export(day(6, 9), 300, seed=1028, namespace="farm")
    front = edge(x)
    old = x.workload("fields", 6, image="2.2.0")
    crops = x.workload("crops", 3)
    new = released(x, 122.0, "fields", 6, "2.3.0", old=old)
    low, high = 131.0, 205.0
    for at in x.every(0.06):
        name, pods = ("fields", new if at > 125.5 else old) if x.random.random() < 0.6 else ("crops", crops)
        number = x.random.randrange(len(pods))
        bad = low <= at < high and number % 3 == 1 and x.random.random() < 0.9  # the kit puts every third pod on node-b
        x.log(front, at, nginx(x.at(at), f"/{name}", 504 if bad else 200, f"farm-{name}-80", 5.0 if bad else 0.04, 5.0 if bad else 0.04, server=f"10.42.{number}.{len(name)}"), namespace="ingress-nginx")
        if bad:
            x.log(pods[number], at - 0.001, spring(x.at(at), "ERROR", "c.e.Store", "java.net.SocketTimeoutException: Read timed out"))
        elif x.random.random() < 0.5:
            x.log(pods[number], at - 0.001, spring(x.at(at), "INFO", "c.e.Store", "read"))
    x.say(139, "UANA", "fields 2.3.0 times out, a third of all calls")
    x.say(171, "UBEN", "crops does as well and nobody touched that")
    bustle(x, 6)
    return x.write(folder)


_CALM = frozenset({"no_incident", "inconclusive"})
INCIDENTS = (
    Unseen(name="blamed-release", build=blamed_release, question="Why is checkout broken since 4.2.0?", verdicts=_CALM, full=True),
    Unseen(name="innocent-restarts", build=innocent_restarts, question=None, verdicts=_CALM, full=True),
    Unseen(name="synced-together", build=synced_together, question=None, verdicts=frozenset({"inconclusive"}), full=True),
    Unseen(name="never-happened", build=never_happened, question="why did payments time out on Wednesday night?", verdicts=_CALM, full=True),
    Unseen(name="busy-hourly-job", build=busy_hourly_job, question="Is overdue-scan the reason for the 502s?", verdicts=_CALM, full=True),
    Unseen(name="undone-in-vain", build=undone_in_vain, question="what broke dispatch?", verdicts=frozenset({"inconclusive"}), full=True),
    Unseen(name="jobs-in-step", build=jobs_in_step, question=None, verdicts=frozenset({"inconclusive"}), full=True),
    Unseen(name="one-node-of-three", build=one_node_of_three, hard=True, question=None, roots=frozenset({"Node//node-b"}), full=True),
)
