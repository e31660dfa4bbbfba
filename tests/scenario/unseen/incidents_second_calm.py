"""Second examination, held out: windows without an incident, and incidents whose cause the data do not hold. Written before its author had read any rule."""

# A scene reads as a table: a line for each thing that is written.
# fmt: off

from pathlib import Path

from examined_scenes import bustle, measured, nginx, released, traefik, wave
from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, node, stateful, traffic
from incident_sets import cordoned, ended, made
from line_formats import gunicorn, pino, postgres, spring, zap


def calm_fortnight(folder: Path) -> Path:
    """Two weeks of a shop with five releases, two node replacements and a scaler at work; two requests in a thousand fail at any time. Fourteen days.

    How: the share of errors is the same before and after each; the question suspects the release of Thursday 14:00.
    """
    x = Export(day(2), 20160, seed=2301, namespace="store")
    front = edge(x)
    pods = x.workload("shop", 3, image="1.0.0")
    changes = [2040.0, 5160.0, 8040.0, 12700.0, 17300.0]
    live = [(0.0, pods)]
    for n, at in enumerate(changes):
        live.append((at + 1, released(x, at, "shop", 3, f"1.{n + 1}.0", old=live[-1][1])))
    for n, at in enumerate((6600.0, 14200.0)):
        name = f"node-{'bc'[n]}"
        cordoned(x, name, at, at + 9)
        x.event(at + 6, "Rebooted", f"Node/{name}", f"Node {name} has been rebooted, boot id: 0b9b3a51-{n}a3e", warning=True, namespace="default", host=name)
    x.cronjob("nightly-dump", "0 1 * * *", [60.0 + 1440 * n for n in range(14)], 16)
    now = lambda m: [p for since, p in live if since <= m][-1]  # noqa: E731 - read beside its use
    traffic(x, front, "/shop", "store-shop-80", every=3.5, failing=lambda _m: 0.004, status=(502, 500), served=lambda m: x.log(x.random.choice(now(m)), m, pino(x.at(m), 30, "page served")),
            failed=lambda m: x.log(x.random.choice(now(m)), m, pino(x.at(m), 50, "socket hang up", err={"code": "ECONNRESET"})))
    x.say(5300, "UANA", "did anybody see 502s after yesterday's 14:00 release?", channel="store")
    bustle(x, 9)
    return x.write(folder)


def new_on_new(folder: Path) -> Path:
    """A release's pods land on a node pool made the same quarter of an hour; they, and only they, time out on the database for half an hour. Eight hours.

    How: nobody can tell the new version from the new nodes, for no old pod ran on new nodes and no new one on old; it ends by itself.
    """
    x = Export(day(3, 8), 480, seed=2302, namespace="bank")
    front = edge(x)
    old = x.workload("loans", 3, image="17.0.0", nodes=("old-1", "old-2"))
    for n in (1, 2):
        node(x, f"new-{n}", born=180 + n, ready=("True", 181.5 + n))
        x.event(180 + n, "RegisteredNode", f"Node/new-{n}", f"Node new-{n} event: Registered Node new-{n} in Controller", component="node-controller", namespace="default")
        x.event(181.5 + n, "NodeReady", f"Node/new-{n}", f"Node new-{n} status is now: NodeReady", namespace="default", host=f"new-{n}")
    new = x.workload("loans", 3, image="17.1.0", born=186.0, nodes=("new-1", "new-2"))
    for n, pod in enumerate(new):
        made(x, pod, 186.0 + 0.3 * n, ("new-1", "new-2")[n % 2], "registry.example.com/loans:17.1.0")
    x.event(186.0, "ScalingReplicaSet", "Deployment/loans", f"Scaled up replica set {new[0].rpartition('-')[0]} from 0 to 3", component="deployment-controller")
    low, high = 189.0, 220.0
    for at in x.every(0.25):
        pods = old if at < 186 else [*old, *new]
        pod = x.random.choice(pods)
        bad = pod in new and low <= at < high and x.random.random() < 0.85
        x.log(front, at, nginx(x.at(at), "/loans", 504 if bad else 200, "bank-loans-80", 5.0 if bad else 0.07, 5.0 if bad else 0.07, server=f"10.42.{5 if pod in new else 1}.{1 + pods.index(pod)}"), namespace="ingress-nginx")
        x.log(pod, at - 0.001, spring(x.at(at), "ERROR" if bad else "INFO", "c.e.Loans", "java.sql.SQLTimeoutException: Timeout after 5000ms of waiting for a connection" if bad else "loan read"))
    x.say(196, "UANA", "17.1.0 times out")
    x.say(201, "UBEN", "or the new node pool: security groups?")
    bustle(x, 5)
    return x.write(folder)


def began_before(folder: Path) -> Path:
    """The window opens in the middle of an outage, which ends after 96 minutes by itself; releases and a restart happen in the window, all after its begin. Three hours.

    How: failures stand in the first minute; nothing that began them is in the data.
    """
    x = Export(day(4, 12), 180, seed=2303, namespace="stay")
    front = edge(x)
    old = x.workload("rooms", 3, image="2.6.0")
    geo = x.workload("geo", 2, image="0.9.0")
    released(x, 14.0, "geo", 2, "0.9.1", old=geo)
    new = released(x, 41.0, "rooms", 3, "2.6.1", old=old)
    pods = lambda m: old if m < 42 else new  # noqa: E731 - read beside its use
    traffic(x, front, "/rooms", "stay-rooms-80", every=0.12, failing=between((-1, 96.3), chance=0.6), status=(503,), slow=3,
            failed=lambda m: x.log(x.random.choice(pods(m)), m, zap(x.at(m), "error", "list rooms", error="rpc error: code = Unavailable desc = upstream connect error")),
            served=lambda m: x.log(x.random.choice(pods(m)), m, zap(x.at(m), "info", "rooms listed")))
    measured(x, new, lambda _m: 0.2, lambda _m: 220, alive=(41, 180))
    x.say(3, "UANA", "rooms still 503, 40 minutes now")
    x.say(44, "UBEN", "2.6.1 has longer timeouts, does it help?")
    x.say(60, "UBEN", "no")
    x.say(99, "UANA", "gone?!")
    bustle(x, 4)
    return x.write(folder)


def numbers_only(folder: Path) -> Path:
    """Nothing but Prometheus: the share of 5xx and the latency of an API go up for 38 minutes and down again; CPU, memory and replicas lie flat. A day.

    How: nothing moves before it; a chat message of a release of another team is all there is.
    """
    x = Export(day(5), 1440, seed=2304, namespace="weather")
    pods = x.workload("forecast", 3, keep=False)
    low, high = 811.0, 849.0
    during = lambda m: low <= m < high  # noqa: E731 - read beside its use
    for pod in pods:
        x.counter("http_requests_total", {"namespace": "weather", "pod": pod, "code": "200"}, lambda m: wave(20, 60)(m) * (0.7 if during(m) else 1))
        x.counter("http_requests_total", {"namespace": "weather", "pod": pod, "code": "503"}, lambda m: wave(20, 60)(m) * (0.3 if during(m) else 0.0004))
        x.series("http_request_duration_seconds_p95", {"namespace": "weather", "pod": pod}, lambda m: 4.1 if during(m) else 0.21 + 0.01 * (m % 3))
    measured(x, pods, wave(0.2, 0.5), lambda _m: 350)
    x.series("kube_deployment_status_replicas_available", {"namespace": "weather", "deployment": "forecast"}, lambda _m: 3)
    x.say(802, "UTEA", "radar-tiles 4.4 is out on the other cluster", channel="platform")
    x.say(815, "UANA", "forecast alerts. radar-tiles 4.4?")
    return x.write(folder)


def scanned(folder: Path) -> Path:
    """A scanner asks for a thousand paths that do not exist, some badly: 404s and 400s by the hundred, no customer notices. Traefik, eight hours.

    How: all 4xx are one client's and on paths that nobody serves; the shop's own paths are as good as ever. A release lies three minutes before.
    """
    x = Export(day(6, 4), 480, seed=2305, namespace="web")
    front = x.workload("traefik", 1, namespace="traefik")[0]
    old = x.workload("site", 3, image="77.0.0")
    new = released(x, 199.0, "site", 3, "77.1.0", old=old)
    for at in x.every(0.25):
        bad = x.random.random() < 0.002
        x.log(front, at, traefik(x, at, "/products", 500 if bad else 200, "web-site-80", 60), namespace="traefik")
        x.log(x.random.choice(old if at < 200 else new), at - 0.001, pino(x.at(at), 30, "page served")) if not bad else None
    for at in x.every(0.05, 202, 231):
        path = x.random.choice(("/.env", "/wp-login.php", "/.git/config", "/actuator/env", "/phpmyadmin/index.php", "/cgi-bin/luci", "/server-status", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php"))
        x.log(front, at, traefik(x, at, path, 404 if x.random.random() < 0.9 else 400, "web-site-80", 3).replace("203.0.113.", "45.155.205."), namespace="traefik")
    x.say(212, "UALERTS", "[FIRING:1] HighClientErrorRate (web/site) severity=info: 4xx above 20%", channel="alerts")
    x.say(216, "UANA", "4xx after 77.1.0?")
    x.say(219, "UBEN", "it is one address asking for wp-login")
    bustle(x, 5)
    return x.write(folder)


def patched_nodes(folder: Path) -> Path:
    """Four nodes are drained, patched and taken back one after the other; budgets hold, probes grumble while pods start, nobody fails. A day, metrics.

    How: no request fails beyond the usual two in a thousand; the question asks what the patching broke.
    """
    x = Export(day(9), 1440, seed=2306, namespace="ride")
    front = edge(x)
    names = ("node-a", "node-b", "node-c", "node-d")
    pods = x.workload("match", 4, nodes=names)
    for n, name in enumerate(names):
        at = 180.0 + 47 * n
        node(x, name, ready=("True", at + 8), kernelVersion="5.15.0-126-generic")
        cordoned(x, name, at, at + 9)
        ended(x, pods[n], at + 0.4, name)
        pod = f"{pods[n].rpartition('-')[0]}-{'bcdf'[n]}6k2z"
        made(x, pod, at + 0.6, names[(n + 1) % 4], "registry.example.com/match:1.0.0")
        x.event(at + 0.9, "Unhealthy", f"Pod/{pod}", 'Readiness probe failed: Get "http://10.42.2.9:8080/ready": dial tp 10.42.2.9:8080: connect: connection refused'.replace("tp", "tcp"), warning=True, count=3, until=at + 1.2)
        x.log(pods[n], at + 0.5, zap(x.at(at + 0.5), "info", "shutdown: draining", inflight=x.random.randint(1, 9)))
        x.event(at + 5, "Rebooted", f"Node/{name}", f"Node {name} has been rebooted, boot id: {n}b9b3a51", warning=True, namespace="default", host=name)
        pods[n] = pod
        measured(x, [pod], wave(0.1, 0.4), lambda _m: 240, step=5, alive=(at, 1440))
    traffic(x, front, "/rides", "ride-match-80", every=0.35, failing=lambda _m: 0.002, served=lambda m: x.log(x.random.choice(pods), m, zap(x.at(m), "info", "matched")) if m > 340 else None)
    x.say(400, "UANA", "nodes are patched, all green here")
    bustle(x, 6)
    return x.write(folder)


def more_at_noon(folder: Path) -> Path:
    """Errors are four in a thousand at any hour; as there is more traffic at noon there are more of them at noon. Three releases, a scaler. Five days, metrics.

    How: the share is the same; the question asks why errors rise at noon.
    """
    x = Export(day(10), 7200, seed=2307, namespace="ads")
    front = edge(x)
    pods = x.workload("bids", 3, image="5.0.0")
    live = [(0.0, pods)]
    for n, at in enumerate((690.0, 2150.0, 5020.0)):
        live.append((at + 1, released(x, at, "bids", 3, f"5.{n + 1}.0", old=live[-1][1])))
    now = lambda m: [p for since, p in live if since <= m][-1]  # noqa: E731 - read beside its use
    for d in range(5):
        for hour in range(24):
            low = d * 1440 + hour * 60
            traffic(x, front, "/bid", "ads-bids-80", every=1 / wave(0.2, 2.6, 12)(low + 30), failing=lambda _m: 0.006, status=(502,), since=low, until=low + 60,
                    failed=lambda m: x.log(x.random.choice(now(m)), m, zap(x.at(m), "warn", "bid", error="context canceled")),
                    served=lambda m: x.log(x.random.choice(now(m)), m, zap(x.at(m), "info", "bid placed")) if x.random.random() < 0.3 else None)
        for hour, size in ((9, 5), (11, 7), (15, 5), (19, 3)):
            x.event(d * 1440 + hour * 60.0, "SuccessfulRescale", "HorizontalPodAutoscaler/bids", f"New size: {size}; reason: cpu resource utilization (percentage of request) above target" if size > 3 and hour < 12 else f"New size: {size}; reason: All metrics below target", component="horizontal-pod-autoscaler")
    x.counter("http_requests_total", {"namespace": "ads", "app": "bids", "code": "200"}, lambda m: 100 * wave(0.2, 2.6, 12)(m), step=5)
    x.counter("http_requests_total", {"namespace": "ads", "app": "bids", "code": "502"}, lambda m: 0.6 * wave(0.2, 2.6, 12)(m), step=5)
    bustle(x, 6)
    return x.write(folder)


def outside_database(folder: Path) -> Path:
    """For seven minutes no pod gets an answer from a database outside the cluster (the root as far as can be told); an hourly job runs at that time, as it does 23 other times a day. A day, no metrics.

    How: two applications lose the same host outside in the same minute and get it back in the same minute; why it was silent is not in the data. The job's 23
    other runs, and a release 40 minutes before, did no harm.
    """
    x = Export(day(11), 1440, seed=2308, namespace="crm")
    front = edge(x)
    old = x.workload("contacts", 3, image="3.0.0")
    mails = x.workload("mails", 2)
    x.cronjob("score-leads", "20 * * * *", [20.0 + 60 * n for n in range(24)], 11)
    low, high = 863.0, 870.0
    new = released(x, 822.0, "contacts", 3, "3.1.0", old=old)
    words = 'could not connect to server: Connection timed out\n\tIs the server running on host "crm-prod.c9akciq32.eu-west-1.rds.amazonaws.com" (10.8.3.41) and accepting TCP/IP connections on port 5432?'.replace("\n\t", " ")
    pods = lambda m: old if m < 823 else new  # noqa: E731 - read beside its use
    traffic(x, front, "/contacts", "crm-contacts-80", every=0.3, failing=between((low, high), chance=0.97), status=(500,), slow=10,
            failed=lambda m: (x.log(x.random.choice(pods(m)), m, gunicorn(x.random, x.at(m), "/contacts", 500, 10000000)), x.log(x.random.choice(pods(m)), m, f"{stamp(x.at(m))} ERROR django.db.utils.OperationalError: {words}")),
            served=lambda m: x.log(x.random.choice(pods(m)), m, gunicorn(x.random, x.at(m), "/contacts", 200, 31000)))
    for at in x.every(1):
        bad = low <= at < high
        x.log(x.random.choice(mails), at, f"{stamp(x.at(at))} {'ERROR django.db.utils.OperationalError: ' + words if bad else 'INFO mail queued'}")
    x.say(872, "UANA", "contacts was down. score-leads runs at :20, it hammers the db")
    bustle(x, 6)
    return x.write(folder)


def lost_logs(folder: Path) -> Path:
    """For 70 minutes there are no lines at all, of anybody: the collector was away. Requests went on, as Prometheus shows, and none failed. A day, Loki, metrics.

    How: requests a second and their codes are flat through the hole; the question believes in an outage. A release lies two minutes before the hole.
    """
    x = Export(day(12), 1440, seed=2309, namespace="tv")
    old = x.workload("guide", 3, image="6.0.0")
    low, high = 662.0, 732.0
    new = released(x, low - 2, "guide", 3, "6.1.0", old=old)
    for at in x.every(0.25):
        if not low <= at < high:
            x.log(x.random.choice(old if at < low - 1 else new), at, pino(x.at(at), 30, "guide served", res={"statusCode": 200 if x.random.random() < 0.998 else 500}))
    for pod in (*old, *new):
        alive = (0.0, low - 1) if pod in old else (low - 2, 1440.0)
        measured(x, [pod], wave(0.2, 0.6, 20), lambda _m: 260, alive=alive)
    for code, share in (("200", 1.0), ("500", 0.002)):
        x.counter("http_requests_total", {"namespace": "tv", "app": "guide", "code": code}, lambda m, s=share: s * wave(40, 110, 20)(m))
    x.say(740, "UANA", "grafana shows no lines of guide between 11:02 and 12:12, was it down after 6.1.0?")
    return x.write(folder, "loki")


def errors_first(folder: Path) -> Path:
    """Errors begin four minutes before the release that all suspect, and end by themselves 20 minutes after its undo. Five hours.

    How: the first failures are the old version's; nothing else is in the data.
    """
    x = Export(day(13, 14), 300, seed=2310, namespace="gym")
    front = edge(x)
    old = x.workload("classes", 3, image="1.1.0")
    stateful(x, "gym-db", "docker.io/library/postgres:16.4")
    low, high = 128.0, 181.0
    new = released(x, low + 4, "classes", 3, "1.2.0", old=old)
    back = released(x, 160.0, "classes", 3, "1.1.0", old=new)
    pods = lambda m: old if m < low + 5 else new if m < 161 else back  # noqa: E731 - read beside its use
    traffic(x, front, "/classes", "gym-classes-80", every=0.2, failing=between((low, high), chance=0.3), status=(500,),
            failed=lambda m: x.log(x.random.choice(pods(m)), m, zap(x.at(m), "error", "list classes", error="unexpected EOF")),
            served=lambda m: x.log(x.random.choice(pods(m)), m, zap(x.at(m), "info", "classes listed")))
    for at in x.every(6):
        x.log("gym-db-0", at, postgres(x.at(at), "LOG", f"checkpoint complete: wrote {x.random.randint(20, 300)} buffers (0.4%)"))
    x.say(139, "UANA", "1.2.0 is broken, 500s on classes. rolling back")
    bustle(x, 4)
    return x.write(folder)


_CALM = frozenset({"no_incident", "inconclusive"})
_OPEN = frozenset({"inconclusive"})
INCIDENTS = (
    Unseen(name="calm-fortnight", build=calm_fortnight, question="is it the release of Thursday 14:00?", verdicts=_CALM, full=True),
    Unseen(name="new-on-new", build=new_on_new, question="loans timed out at eleven, why?", verdicts=_OPEN, full=True),
    Unseen(name="began-before", build=began_before, question="why was rooms down?", verdicts=_OPEN, full=True),
    Unseen(name="numbers-only", build=numbers_only, question=None, verdicts=_OPEN, full=True),
    Unseen(name="scanned", build=scanned, question="did site 77.1.0 break links?", verdicts=_CALM, full=True),
    Unseen(name="patched-nodes", build=patched_nodes, question="what did the patching of the nodes break?", verdicts=_CALM, full=True),
    Unseen(name="more-at-noon", build=more_at_noon, question="why do errors rise every noon?", verdicts=_CALM, full=True),
    Unseen(name="outside-database", build=outside_database, question="was it score-leads?", roots=frozenset({"Host//crm-prod.c9akciq32.eu-west-1.rds.amazonaws.com"}), full=True),
    Unseen(name="lost-logs", build=lost_logs, question="why was guide down between eleven and twelve?", verdicts=_CALM, full=True),
    Unseen(name="errors-first", build=errors_first, question="is 1.2.0 the cause?", verdicts=_OPEN, full=True),
)
