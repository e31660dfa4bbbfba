"""A rollout brings a leak: memory grows with every request until the kernel kills the container, and callers meet a closed port.

The service has no readiness probe, so a container that has just started is sent requests it cannot take yet.
"""

from bot.evals.randomness import dice
from bot.evals.scenarios.parts import Scene
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Pod, Workload
from bot.evals.world import World

SYMPTOM = frozenset({500, 502, 503, 504})


def stage(world: World) -> Scene:
    """Build the leak; which service has it depends on the seed."""
    rng, names = dice(world.key, "leak"), world.cast
    victim = world.cluster.workloads[rng.choice((names.services[0], names.services[4]))]
    victim.style = rng.choice(("logback", "pino", "python"))
    victim.probe, victim.boot_s = False, rng.uniform(24, 40)
    victim.memory_mb, victim.memory_limit_mb = rng.uniform(250, 330), rng.choice((640, 768))
    began = world.start + (world.end - world.start) * rng.uniform(0.24, 0.4)
    hours = min(rng.uniform(6, 11), (world.end - began) / 3600 / 4)
    per_pod = (2.4 if victim.name == names.services[0] else 1.8) / victim.replicas
    leak = (victim.memory_limit_mb - victim.memory_mb) / (hours * 3600 * per_pod)
    tag = f"{rng.randrange(2, 9)}.{rng.randrange(20)}.0"

    def roll() -> None:
        world.mark("rollout")
        victim.leak_mb_per_request = 0.0
        world.cluster.rollout(victim, tag)
        victim.leak_mb_per_request = leak

    world.at(began, roll)
    known = world.cluster.say

    def say(workload: Workload, pod: Pod, what: str) -> None:
        known(workload, pod, what)
        if workload is victim and what == "oom":
            world.mark("oom")
        if workload is victim and what == "boot" and pod.restarts:
            world.mark("restart")

    world.cluster.say = say
    world.on_sample.append(lambda now: _sample(world, now, victim))
    return Scene(
        conclude=lambda: _truth(world, victim),
        symptom=SYMPTOM, floor=4, kind_words="errors from the API now and then", metric='http_requests_total{code=~"5.."}',
        theories=(
            f"{names.database} again? it was the database last time", "network blip between zones I guess",
            f"I think the {names.backup} job hogs the disks", f"{world.edge.name} drops connections, maybe keepalive settings",
            "bad node? can somebody drain it",
        ),
    )  # fmt: skip


def _sample(world: World, now: float, victim: Workload) -> None:
    for pod in victim.pods:
        labels = {"container": victim.app, "namespace": victim.namespace, "pod": pod.name}
        memory = 0.0 if pod.died_at is not None else pod.memory_mb
        world.export.sample(
            "pod_memory",
            {"__name__": "container_memory_working_set_bytes", **labels},
            now,
            round(memory * 1.048576) * 1e6,
        )
        if pod.restarts:
            world.export.sample(
                "restarts", {"__name__": "kube_pod_container_status_restarts_total", **labels}, now, pod.restarts
            )


def _truth(world: World, victim: Workload) -> Truth:
    who = entity("Deployment", victim.name, victim.namespace)
    gate = entity("Deployment", world.edge.name, world.edge.namespace)
    truth = Truth(
        symptom={"entity": gate, "words": ["502", "503", "500"]},
        root_cause={"entity": who, "mechanism": "a rollout brought a memory leak; the containers pass their limit and are OOM killed"},
        accept=[who], facts=[f"memory limit {victim.memory_limit_mb}Mi", "no readiness probe"],
    )  # fmt: skip
    truth.step("a new version is rolled out", who, world.marks.get("rollout", []))
    truth.step("the container's memory reaches its limit and it is OOM killed", who, world.marks.get("oom", []))
    truth.step("the container restarts", who, world.marks.get("restart", []))
    truth.step("callers get refused connections", gate, world.marks.get("oom", []), measured=False)
    truth.ask(f"was the rollout of {victim.name} related?", "related")
    truth.ask(f"was the {world.cast.backup} job related?", "unrelated")
    truth.ask(f"what happened to {victim.name}?", "answered")
    for at, what, service in world.changes:
        if service is not victim:
            truth.rule_out(entity("Deployment", service.name, service.namespace), at, what)
    return truth
