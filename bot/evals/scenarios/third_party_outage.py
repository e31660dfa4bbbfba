"""A service outside the cluster fails for a while, several times: calls time out, and requests that need it fail."""

from bot.evals.calls import Call
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import Scene
from bot.evals.truth import Truth, entity
from bot.evals.vocab import EXTERNAL
from bot.evals.world import World

SYMPTOM = frozenset({500, 502, 503, 504})


def stage(world: World, *, fault: str = "", index: int | None = None) -> Scene:
    """Build the outage; which provider fails how, when and whom, depends on the seed where it is not given."""
    rng, names = dice(world.key, "third-party"), world.cast
    kind = rng.choice(sorted(EXTERNAL))
    host = rng.choice(EXTERNAL[kind])
    drawn = rng.choice(names.services[:2])
    service = world.cluster.workloads[drawn if index is None else names.services[index]]
    fault = fault or rng.choice(("timeout", "timeout", "http503", "reset"))
    op = {
        "payment": "POST /v1/charges",
        "geo": "GET /v2/lookup",
        "email": "POST /v3/messages",
        "tax": "GET /rates",
        "fraud": "POST /v1/score",
    }[kind]
    call = Call(
        host=host,
        op=op,
        port=443,
        timeout_s=rng.choice((5.0, 10.0, 15.0)),
        share=rng.uniform(0.07, 0.12),
        kind=fault,
        background=0.00008,
    )
    service.calls.insert(0, call)
    outages: list[tuple[float, float]] = []
    length = world.end - world.start
    for _ in range(rng.randrange(3, 7)):
        start = world.start + rng.uniform(0.08, 0.93) * length
        outages.append((start, start + min(length * 0.05, rng.uniform(12, 45) * 60)))
    depth = rng.uniform(0.75, 1.0)

    def tick(now: float) -> None:
        down = any(start <= now < end for start, end in outages)
        if down and not call.p:
            world.mark("down", now)
        call.p, call.kind = (depth, fault) if down else (0.0, fault)

    world.on_tick.append(tick)
    return Scene(
        conclude=lambda: _truth(world, host, service.name), symptom=SYMPTOM, floor=3, kind_words=f"{service.name} requests fail",
        metric='http_requests_total{code=~"5.."}',
        theories=(
            f"{service.name} deploy from this week?", f"{names.database} looks slow", "our NAT gateway runs out of ports, I've seen that before",
            f"{world.edge.name} timeouts too low?", "network again",
        ),
    )  # fmt: skip


def _truth(world: World, host: str, service: str) -> Truth:
    names = world.cast
    root, caller = entity("Host", host), entity("Deployment", service, names.app)
    gate = entity("Deployment", world.edge.name, names.app)
    truth = Truth(
        symptom={"entity": gate, "words": ["504", "503", "502", "500"]},
        root_cause={"entity": root, "mechanism": "a provider outside the cluster fails; calls to it time out or are refused"},
        accept=[root, entity("Service", host)], facts=[host],
    )  # fmt: skip
    truth.step("the provider stops answering", root, world.marks.get("down", []))
    truth.step("calls to it fail", caller, world.marks.get("down", []), measured=False)
    truth.step("users get 5xx", gate, [start for start, _, _ in world.episodes(SYMPTOM, 3)])
    truth.needs = [f"logs:{caller['name']}"]
    truth.ask(f"is {host} related?", "related")
    truth.ask(f"was the {names.backup} job related?", "unrelated")
    truth.ask("what would fix it?", "answered")
    for at, what, other in world.changes:
        truth.rule_out(entity("Deployment", other.name, other.namespace), at, what)
    return truth
