"""Windows without a cause, by a fourth hand: blips, coincidences, an outside prober, handshakes nobody meant, a restart of all."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, edited, traffic
from line_formats import pino, zap


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


_UNKNOWN = frozenset({"no_incident", "inconclusive"})
INCIDENTS = (
    Unseen(name="blip", build=blip, question=None, verdicts=frozenset({"inconclusive"})),
    Unseen(name="coincidences", build=coincidences, question=None, full=True, verdicts=frozenset({"inconclusive"})),
    Unseen(name="prober-fails", build=prober_fails, question="Why was the site down at 10?", verdicts=_UNKNOWN),
    Unseen(name="handshakes", build=handshakes, question=None, verdicts=_UNKNOWN),
    Unseen(name="restarted-all", build=restarted_all, question=None, verdicts=frozenset({"no_incident"})),
)  # fmt: skip
