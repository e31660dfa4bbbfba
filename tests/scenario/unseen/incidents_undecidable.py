"""Windows that tempt to name a cause: a symptom without a trace, two causes in one place, a fix mistaken for the cause, mere noise."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, traffic
from line_formats import pino, postgres, spring, zap


def no_trace(folder: Path) -> Path:
    """The gateway answers 502 for twenty minutes; nothing else that was exported knows of it. A release five hours earlier."""
    x = Export(day(12), 720, seed=121, namespace="lib")
    front = edge(x)
    api = x.workload("loans", 3)
    traffic(x, front, "/loans", "lib-loans-80", every=0.2, failing=between((433.0, 454.0), chance=0.7),
            served=lambda m: x.log(x.random.choice(api), m, zap(x.at(m), "info", "loan read")))  # fmt: skip
    x.rollout(130, "fines", 2, image="3.1.0")
    x.cronjob("overdue-mails", "0 */2 * * *", [120.0 * n for n in range(6)], 8)
    x.event(
        600,
        "Unhealthy",
        f"Pod/{api[0]}",
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
        warning=True,
    )
    return x.write(folder)


def two_at_once(folder: Path) -> Path:
    """Two services that a page needs are released in one sync; the gateway's 500s begin with it and nobody says whose they are."""
    x = Export(day(13), 720, seed=122, namespace="duo")
    front = edge(x)
    x.workload("prices", 2)
    x.workload("stock", 2)
    x.rollout(401.0, "prices", 2, image="4.0.0")
    x.rollout(401.0, "stock", 2, image="8.0.0")
    traffic(x, front, "/offer", "duo-offer-80", every=0.2, failing=lambda m: 0.6 if m > 402.1 else 0.0, status=(500,))
    return x.write(folder)


def complaints(folder: Path) -> Path:
    """People complain and suspect; every line and number of the day is as on any other."""
    x = Export(day(14), 720, seed=123, namespace="chat")
    front = edge(x)
    api = x.workload("rooms", 3)
    traffic(x, front, "/rooms", "chat-rooms-80", every=0.3, failing=between(),
            served=lambda m: x.log(x.random.choice(api), m, pino(x.at(m), 30, "room opened")))  # fmt: skip
    x.rollout(390, "rooms", 3, image="2.2.0")
    x.counter(
        "container_cpu_usage_seconds_total",
        {"namespace": "chat", "pod": api[0], "container": "app"},
        lambda m: 0.3 + 0.02 * (m % 9),
    )
    for n, text in enumerate(
        (
            "rooms feels sluggish since the release",
            "+1, two customers say timeouts",
            "502 for me twice",
            "rolling back 2.2.0?",
        )
    ):
        x.say(410 + 9 * n, ("UADA", "UBO")[n % 2], text)
    return x.write(folder)


def drained(folder: Path) -> Path:
    """Every node is drained, upgraded and let in again, one after another; budgets hold and nobody notices."""
    x = Export(day(15), 720, seed=124, namespace="calm")
    front = edge(x)
    pods = x.workload("site", 3)
    for n, at in enumerate((120.0, 240.0, 360.0)):
        name = f"node-{'abc'[n]}"
        x.event(at, "NodeNotSchedulable", f"Node/{name}", f"Node {name} status is now: NodeNotSchedulable", host=name)
        x.event(at + 0.5, "Killing", f"Pod/{pods[n]}", "Stopping container app", host=name)
        x.event(at + 0.8, "Scheduled", f"Pod/{pods[n][:-5]}{'fgh'[n]}x8k2", f"Successfully assigned calm/site to node-{'bca'[n]}",
                component="default-scheduler")  # fmt: skip
        x.event(
            at + 9,
            "Rebooted",
            f"Node/{name}",
            f"Node {name} has been rebooted, boot id: {n}a7f",
            warning=True,
            host=name,
        )
        x.event(at + 10, "NodeReady", f"Node/{name}", f"Node {name} status is now: NodeReady", host=name)
        x.event(at + 11, "NodeSchedulable", f"Node/{name}", f"Node {name} status is now: NodeSchedulable", host=name)
    traffic(x, front, "/", "calm-site-80", every=0.2, failing=between())
    return x.write(folder)


def load_test(folder: Path) -> Path:
    """Announced load: traffic is tenfold for an hour, the autoscaler answers and goes back, every request is served."""
    x = Export(day(16, 12), 240, seed=125, namespace="perf")
    front = edge(x)
    api = x.workload("api", 4)
    for at, size in ((62, 8), (66, 14), (139, 9), (146, 4)):
        x.event(at, "SuccessfulRescale", "HorizontalPodAutoscaler/api", f"New size: {size}; reason: "
                f"{'cpu resource utilization (percentage of request) above target' if at < 100 else 'All metrics below target'}",
                component="horizontal-pod-autoscaler")  # fmt: skip
    x.counter("nginx_ingress_controller_requests", {"namespace": "perf", "ingress": "api", "status": "200"},
              lambda m: 900.0 if 60 < m < 130 else 90.0 + m % 4)  # fmt: skip
    traffic(
        x,
        front,
        "/v1",
        "perf-api-80",
        every=0.1,
        failing=between(),
        served=lambda m: x.log(x.random.choice(api), m, zap(x.at(m), "info", "ok")),
    )
    x.say(55, "UREY", "starting the load test on perf now, expect scaling")
    return x.write(folder)


def fix_after(folder: Path) -> Path:
    """Errors begin out of nothing; twelve minutes later somebody rolls a release to help, and they go on. Nothing tells why they began."""
    x = Export(day(17), 720, seed=126, namespace="art")
    front = edge(x)
    api = x.workload("gallery", 2)
    traffic(x, front, "/gallery", "art-gallery-80", every=0.2, failing=lambda m: 0.5 if m > 388 else 0.0, status=(500,),
            failed=lambda m: x.log(x.random.choice(api), m, pino(x.at(m), 50, "unexpected end of JSON input")))  # fmt: skip
    x.rollout(400, "gallery", 2, image="1.7.1")
    x.rollout(431, "gallery", 2, image="1.7.0")
    x.say(398, "UTOM", "rolling 1.7.1 to see if it helps")
    return x.write(folder)


def same_before(folder: Path) -> Path:
    """A service fails as often before a release as after it; the person asks whether the release broke it."""
    x = Export(day(18), 1440, seed=127, namespace="same")
    front = edge(x)
    api = x.workload("quotes", 2)
    traffic(x, front, "/quotes", "same-quotes-80", every=0.3, failing=lambda _m: 0.02, status=(500, 502),
            failed=lambda m: x.log(x.random.choice(api), m, spring(x.at(m), "ERROR", "c.e.Quotes", "price source returned nothing")))  # fmt: skip
    x.rollout(720, "quotes", 2, image="2.0.0")
    return x.write(folder)


def failing_job(folder: Path) -> Path:
    """An hourly job fails as it always does; 503s come at three other times. They have nothing to do with each other."""
    x = Export(day(19), 2 * 1440, seed=128, namespace="odd")
    front = edge(x)
    api, pg = x.workload("forms", 2), x.workload("postgres", 1)[0]
    for begun, pod in x.cronjob("ping-partner", "5 * * * *", [60.0 * n + 5 for n in range(48)], 1.5):
        x.log(
            pod,
            begun + 1,
            "requests.exceptions.HTTPError: 404 Client Error: Not Found for url: https://partner.example.org/ping",
        )
    spans = ((391.0, 399.0), (1227.0, 1240.0), (2333.0, 2338.0))
    traffic(x, front, "/forms", "odd-forms-80", every=0.4, failing=between(*spans, chance=0.8), status=(503,),
            served=lambda m: x.log(x.random.choice(api), m, pino(x.at(m), 30, "form saved")))  # fmt: skip
    for at in x.every(30):
        x.log(pg, at, postgres(x.at(at), "LOG", "checkpoint starting: time"))
    for at in (700, 2000):
        x.rollout(at, "forms-admin", 1, image=f"1.{at}.0")
    return x.write(folder)


def scanner(folder: Path) -> Path:
    """Somebody scans the site for an hour: thousands of 404 and some 401, nobody else is touched."""
    x = Export(day(20), 480, seed=129, namespace="shopn")
    front = edge(x)
    web = x.workload("web", 2)
    traffic(
        x,
        front,
        "/",
        "shopn-web-80",
        every=0.3,
        failing=between(),
        served=lambda m: x.log(x.random.choice(web), m, pino(x.at(m), 30, "page")),
    )
    traffic(
        x,
        front,
        "/wp-login.php",
        "shopn-web-80",
        every=0.05,
        failing=lambda _m: 1.0,
        status=(404, 404, 401),
        slow=0.01,
        since=200,
        until=260,
    )
    x.rollout(195, "web", 2, image="8.0.0")
    return x.write(folder)


def one_undone(folder: Path) -> Path:
    """The same, but the release is rolled back and the 500s end with it."""
    return three_suspects(folder, undone=True)


def three_suspects(folder: Path, *, undone: bool = False) -> Path:
    """A node reboots, a release goes out and a job begins within two minutes; then 500s without a word. Nobody can tell."""
    x = Export(day(14), 720, seed=211, namespace="tri")
    front = edge(x)
    x.workload("orders", 3)
    x.cronjob("stock-sync", "0 7 * * *", [420.0], 30)
    x.event(420.5, "Rebooted", "Node/node-b", "Node node-b has been rebooted, boot id: 1c", warning=True, host="node-b")
    x.rollout(421.0, "orders", 3, image="2.0.0")
    if undone:
        x.rollout(469.0, "orders", 3, image="1.9.9")
    traffic(x, front, "/orders", "tri-orders-80", every=0.2, failing=between((422.5, 470.0), chance=0.5), status=(500,))
    return x.write(folder)


def flapping_scaler(folder: Path) -> Path:
    """An autoscaler goes up and down all day; nobody has a slow or failed request."""
    x = Export(day(16), 1440, seed=212, namespace="flap")
    front = edge(x)
    api = x.workload("prices", 4)
    for n, at in enumerate(x.every(18)):
        x.event(at, "SuccessfulRescale", "HorizontalPodAutoscaler/prices", f"New size: {4 + 2 * (n % 2)}; reason: "
                f"{'All metrics below target' if n % 2 else 'cpu resource utilization (percentage of request) above target'}",
                component="horizontal-pod-autoscaler")  # fmt: skip
    traffic(x, front, "/prices", "flap-prices-80", every=0.3, failing=between(),
            served=lambda m: x.log(x.random.choice(api), m, zap(x.at(m), "info", "priced")))  # fmt: skip
    return x.write(folder)


def renewed(folder: Path) -> Path:
    """A certificate is renewed, its Secret changes, proxies reload; a person asks whether that caused trouble. It did not."""
    x = Export(day(17), 720, seed=213, namespace="cert")
    front = edge(x)
    web = x.workload("web", 2)
    x.event(
        300,
        "Issuing",
        "Certificate/web-tls",
        "The certificate has been successfully issued",
        component="cert-manager-certificates-issuing",
    )
    x.event(
        300.2,
        "RELOAD",
        "Pod/ingress-nginx-controller-0",
        "NGINX reload triggered due to a change in configuration",
        component="nginx-ingress-controller",
    )
    traffic(
        x,
        front,
        "/",
        "cert-web-80",
        every=0.2,
        failing=lambda _m: 0.004,
        status=(502,),
        served=lambda m: x.log(x.random.choice(web), m, pino(x.at(m), 30, "ok")),
    )
    return x.write(folder)


def clients_leave(folder: Path) -> Path:
    """For a quarter of an hour clients hang up (499) and the gateway sees 504s; every service inside answers as always."""
    x = Export(day(18), 720, seed=214, namespace="mob")
    front = edge(x)
    api = x.workload("feed", 3)
    traffic(x, front, "/feed", "mob-feed-80", every=0.15, failing=between((377.0, 392.0), chance=0.6), status=(499, 504), slow=15.0,
            served=lambda m: x.log(x.random.choice(api), m, zap(x.at(m), "info", "feed", ms=41)))  # fmt: skip
    x.rollout(90, "feed", 3, image="7.0.1")
    x.event(500, "SuccessfulRescale", "HorizontalPodAutoscaler/feed", "New size: 4; reason: cpu resource utilization above target",
            component="horizontal-pod-autoscaler")  # fmt: skip
    return x.write(folder)


_NONE = frozenset({"no_incident"})
_UNKNOWN = frozenset({"no_incident", "inconclusive"})
_INCONCLUSIVE = frozenset({"inconclusive"})
INCIDENTS = (
    Unseen(name="no-trace", build=no_trace, question="Why the 502s at half past seven?", verdicts=_INCONCLUSIVE),
    Unseen(name="two-at-once", build=two_at_once, question=None, verdicts=_INCONCLUSIVE),
    Unseen(name="complaints", build=complaints, question="Did the release break rooms?", verdicts=_UNKNOWN),
    Unseen(name="drained", build=drained, question=None, verdicts=_UNKNOWN),
    Unseen(name="load-test", build=load_test, question=None, verdicts=_NONE),
    Unseen(name="fix-after", build=fix_after, question=None, verdicts=_INCONCLUSIVE),
    Unseen(name="same-before", build=same_before, question="Did quotes 2.0.0 break it?", verdicts=_UNKNOWN),
    Unseen(name="failing-job", build=failing_job, question=None, full=True, verdicts=_INCONCLUSIVE),
    Unseen(name="scanner", build=scanner, question=None, verdicts=_UNKNOWN),
    Unseen(name="one-undone", build=one_undone, question=None, roots=frozenset({"Deployment/tri/orders"})),
    Unseen(name="three-suspects", build=three_suspects, question=None, verdicts=_INCONCLUSIVE),
    Unseen(name="flapping-scaler", build=flapping_scaler, question=None, verdicts=frozenset({"no_incident"})),
    Unseen(name="renewed", build=renewed, question="Did the certificate cause trouble?", verdicts=frozenset({"no_incident", "inconclusive"})),
    Unseen(name="clients-leave", build=clients_leave, question=None, verdicts=_INCONCLUSIVE),
)  # fmt: skip
