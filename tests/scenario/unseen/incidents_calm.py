"""Windows without a cause, by a fourth hand and a fifth: blips, coincidences, an outside prober, handshakes nobody meant, a restart of all."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, edited, job, traffic
from line_formats import pino, spring, zap


def blip(folder: Path) -> Path:
    """Four minutes of 502 that end by themselves; two minutes before them a release of something that nobody there calls."""
    x = Export(day(13), 720, seed=412, namespace="lend")
    front = edge(x)
    pods = x.workload("quotes", 3)
    x.rollout(397.0, "newsletter", 1, image="3.3.0", namespace="lend")
    traffic(x, front, "/quotes", "lend-quotes-80", every=0.1, failing=between((399.5, 403.5), chance=0.6), status=(502,),
            served=lambda m: x.log(x.random.choice(pods), m, zap(x.at(m), "info", "quote given")))  # fmt: skip
    return x.write(folder)


def coincidences(folder: Path) -> Path:
    """Five short bursts of 500s in three days while a hundred previews are deployed around the clock: some fall together by chance."""
    x = Export(day(14), 3 * 1440, seed=413, namespace="shopq")
    front = edge(x)
    pods = x.workload("basket", 3)
    for n, at in enumerate(x.every(40)):
        x.rollout(at, f"preview-{n}", 1, image=f"pr-{1200 + n}")
    spans = [(at, at + x.random.uniform(2, 7)) for at in (391.0, 1177.0, 1980.0, 2604.0, 3911.0)]
    traffic(x, front, "/basket", "shopq-basket-80", every=0.25, failing=between(*spans, chance=0.6), status=(500,),
            failed=lambda m: x.log(x.random.choice(pods), m, pino(x.at(m), 50, "cannot read properties of undefined (reading 'sku')")),
            served=lambda m: x.log(x.random.choice(pods), m, pino(x.at(m), 30, "basket read")))  # fmt: skip
    return x.write(folder)


def prober_fails(folder: Path) -> Path:
    """A prober outside the cluster says the site is down for ten minutes; every request that came was answered. A ConfigMap was edited before."""
    x = Export(day(15, 6), 480, seed=414, namespace="site")
    front = edge(x)
    pods = x.workload("web", 3)
    edited(x, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-texts", "namespace": "site"}, "data": {"hello": "Good day"}},
           231.0, "kubectl-edit", {"f:data": {"f:hello": {}}})  # fmt: skip
    for n in range(5):
        x.say(
            234 + 2 * n,
            "UUPTIME",
            "DOWN: https://www.example.com - Connection timeout from Frankfurt (0 of 1 locations up)",
            channel="alerts",
        )
    x.say(246, "UUPTIME", "UP: https://www.example.com - back after 10 minutes", channel="alerts")
    traffic(
        x,
        front,
        "/",
        "site-web-80",
        every=0.1,
        failing=between(),
        served=lambda m: x.log(x.random.choice(pods), m, pino(x.at(m), 30, "page")),
    )
    return x.write(folder)


def handshakes(folder: Path) -> Path:
    """Load balancers' health checks hang up in the middle of the handshake all day, as ever; a release goes out; nobody suffers."""
    x = Export(day(16), 1440, seed=415, namespace="bank")
    front = edge(x)
    old = x.workload("accounts", 2)
    new = x.rollout(800, "accounts", 2, image="9.2.0")
    for at in x.every(0.7):
        x.log(x.random.choice(old if at < 800 else new), at,
              f"{x.at(at).strftime('%Y/%m/%d %H:%M:%S')} http: TLS handshake error from 10.0.{x.random.randint(1, 3)}.{x.random.randint(2, 250)}:{x.random.randint(20000, 60000)}: EOF")  # fmt: skip
    for at in x.every(45):
        x.log(
            x.random.choice(old if at < 800 else new),
            at,
            zap(x.at(at), "error", "write response", error="write tcp: broken pipe"),
        )
    traffic(x, front, "/accounts", "bank-accounts-80", every=0.3, failing=lambda _m: 0.001, status=(502,),
            served=lambda m: x.log(x.random.choice(old if m < 800 else new), m, zap(x.at(m), "info", "accounts listed")))  # fmt: skip
    x.cronjob("statements", "0 3 * * *", [180.0], 40)
    return x.write(folder)


def restarted_all(folder: Path) -> Path:
    """Somebody restarts every Deployment to pick up a new root certificate; pods are replaced one by one and requests go on."""
    x = Export(day(17, 9), 300, seed=416, namespace="crm")
    front = edge(x)
    now = {name: x.workload(name, 2) for name in ("people", "deals", "mails", "files")}
    for n, name in enumerate(now):
        gone, at = now[name], 100.0 + 3 * n
        now[name] = x.rollout(at, name, 2)
        for k, pod in enumerate(gone):
            x.event(at + 1 + k, "Killing", f"Pod/{pod}", "Stopping container app")
            x.log(pod, at + 1 + k, pino(x.at(at + 1 + k), 30, "SIGTERM received, closing server"))
    for name, pods in now.items():
        traffic(x, front, f"/{name}", f"crm-{name}-80", every=0.3, failing=between(),
                served=lambda m, pods=pods: x.log(x.random.choice(pods), m + 0.001, pino(x.at(m), 30, "ok")))  # fmt: skip
    x.say(99, "ULIA", "restarting all of crm for the new root CA")
    return x.write(folder)


def slower_with_load(folder: Path) -> Path:
    """Answers slow down a little every day as traffic grows; nothing was saturated, a release lies in the middle. Three days of metrics."""
    x = Export(day(13), 3 * 1440, seed=512, namespace="wiki")
    front = edge(x)
    pods = x.workload("pages", 3)
    for pod in pods:
        x.counter(
            "container_cpu_usage_seconds_total",
            {"namespace": "wiki", "pod": pod, "container": "app"},
            lambda m: 0.2 + m / 20000,
            step=5,
        )
        x.series(
            "http_request_duration_p99_seconds",
            {"namespace": "wiki", "pod": pod},
            lambda m: 0.2 + m / 30000 + 0.01 * (m % 7),
            step=5,
        )
    traffic(x, front, "/pages", "wiki-pages-80", every=0.5, failing=between(), fast=0.2,
            served=lambda m: x.log(x.random.choice(pods), m, spring(x.at(m), "INFO", "c.e.Pages", "page read")))  # fmt: skip
    x.rollout(2200, "pages", 3, image="5.1.0")
    return x.write(folder)


def scrape_gap(folder: Path) -> Path:
    """Prometheus is restarted: every series has a gap and every counter begins anew, alerts say the targets are down; nobody else noticed."""
    x = Export(day(14, 8), 360, seed=513, namespace="mon")
    front = edge(x)
    pods = x.workload("api", 3)
    gap = lambda m, v: float("nan") if 150 < m < 171 else v  # noqa: E731 - read beside its use
    for pod in pods:
        x.series(
            "container_memory_working_set_bytes",
            {"namespace": "mon", "pod": pod, "container": "app"},
            lambda m: gap(m, 2e8 + 1e6 * (m % 11)),
        )
        x.series(
            "http_requests_total",
            {"namespace": "mon", "pod": pod, "code": "200"},
            lambda m: gap(m, 60 * (m if m < 160 else m - 160)),
        )
        x.series("up", {"namespace": "mon", "pod": pod}, lambda m: gap(m, 1))
    for n, pod in enumerate(pods):
        x.say(
            156 + n,
            "UALERT",
            f"[FIRING:1] TargetDown {pod} severity=warning: 100% of the api targets in mon are down",
            channel="alerts",
        )
    x.rollout(141, "prometheus", 1, image="3.1.0")
    traffic(
        x,
        front,
        "/api",
        "mon-api-80",
        every=0.2,
        failing=between(),
        served=lambda m: x.log(x.random.choice(pods), m, zap(x.at(m), "info", "ok")),
    )
    return x.write(folder)


def two_bursts(folder: Path) -> Path:
    """Two bursts of different errors hours apart, each a few minutes after a release of something else; no line ties them. Inconclusive."""
    x = Export(day(15), 1440, seed=514, namespace="expo")
    front = edge(x)
    pods = x.workload("tickets", 3)
    x.rollout(388, "floorplan", 1, image="1.6.0")
    x.rollout(1011, "sponsors", 2, image="2.1.0")
    for low, high, words in (
        (394.0, 401.0, "invalid seat map token"),
        (1019.0, 1024.0, "deadline exceeded while waiting for lock"),
    ):
        traffic(x, front, "/tickets", "expo-tickets-80", every=0.1, failing=between((low, high), chance=0.6), status=(500,), since=low - 200, until=high + 200,
                failed=lambda m, words=words: x.log(x.random.choice(pods), m, zap(x.at(m), "error", "order ticket", error=words)),
                served=lambda m: x.log(x.random.choice(pods), m, zap(x.at(m), "info", "ticket sold")))  # fmt: skip
    return x.write(folder)


def fewer_visitors(folder: Path) -> Path:
    """Traffic falls to a twentieth in the night of a holiday; somebody wonders whether the evening's release did it. Two days."""
    x = Export(day(16), 2 * 1440, seed=515, namespace="mart")
    front = edge(x)
    pods = x.workload("home", 3)
    x.rollout(1230, "home", 3, image="30.0.0")
    for low, high, every in ((0, 1320, 0.2), (1320, 1900, 4.0), (1900, 2880, 0.2)):
        traffic(x, front, "/", "mart-home-80", every=every, failing=lambda _m: 0.001, status=(502,), since=low, until=high,
                served=lambda m: x.log(x.random.choice(pods), m, pino(x.at(m), 30, "home")))  # fmt: skip
    return x.write(folder)


def tested_load(folder: Path) -> Path:
    """A k6 Job asks for an hour, announced; everything is answered, five requests in a thousand fail as on any day. A release before it."""
    x = Export(day(17, 9), 300, seed=516, namespace="load")
    front = edge(x)
    pods = x.workload("catalog", 4)
    x.say(118, "UREY", "k6 against catalog from 11:00 to 12:00, 10x normal, please ignore scaling alerts")
    run = job(x, "k6-catalog", 120.0, 60.0)
    for at in x.every(2, 121, 179):
        x.log(
            run,
            at,
            f"running ({int(at - 120)}m00.0s), 400/400 VUs, {int((at - 120) * 9000)} complete and 0 interrupted iterations",
        )
    x.rollout(95, "catalog", 4, image="6.0.1")
    for low, high, every in ((0, 120, 0.3), (120, 180, 0.03), (180, 300, 0.3)):
        traffic(x, front, "/catalog", "load-catalog-80", every=every, failing=lambda _m: 0.005, status=(502,), since=low, until=high,
                served=lambda m: x.log(x.random.choice(pods), m, zap(x.at(m), "info", "catalog read")))  # fmt: skip
    x.event(124, "SuccessfulRescale", "HorizontalPodAutoscaler/catalog", "New size: 8; reason: cpu resource utilization (percentage of request) above target",
            component="horizontal-pod-autoscaler")  # fmt: skip
    return x.write(folder)


_UNKNOWN = frozenset({"no_incident", "inconclusive"})
INCIDENTS = (
    Unseen(name="blip", build=blip, question=None, verdicts=frozenset({"inconclusive"})),
    Unseen(name="coincidences", build=coincidences, question=None, full=True, verdicts=frozenset({"inconclusive"})),
    Unseen(name="prober-fails", build=prober_fails, question="Why was the site down at 10?", verdicts=_UNKNOWN),
    Unseen(name="handshakes", build=handshakes, question=None, verdicts=_UNKNOWN),
    Unseen(name="restarted-all", build=restarted_all, question=None, verdicts=frozenset({"no_incident"})),
    Unseen(name="slower-with-load", build=slower_with_load, question=None, full=True, verdicts=_UNKNOWN),
    Unseen(name="scrape-gap", build=scrape_gap, question=None, verdicts=_UNKNOWN),
    Unseen(name="two-bursts", build=two_bursts, question=None, verdicts=frozenset({"inconclusive"})),
    Unseen(name="fewer-visitors", build=fewer_visitors, question="Did home 30.0.0 cost us our visitors last night?", verdicts=_UNKNOWN),
    Unseen(name="tested-load", build=tested_load, question=None, verdicts=_UNKNOWN),
)  # fmt: skip
