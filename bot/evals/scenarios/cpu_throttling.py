"""A CPU limit below what the daily peak needs: the kernel throttles the container every afternoon, and requests time out.

The node has idle cores all the while; only the container's own quota is used up.
"""

from bot.evals.capacity import Capacity
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import ALL_5XX, RATE_OF_5XX, Scene, bystanders, felt, of
from bot.evals.timeline import TICK_S
from bot.evals.truth import Truth
from bot.evals.world import World

PERIODS_A_SECOND = 10.0
"""The kernel's CFS period is 100 ms."""


class Throttle:
    """A service under a CPU limit."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, dice(world.key, "throttle")
        names, rng = world.cast, self.rng
        world.retry_share = 0.3
        self.service = world.cluster.workloads[rng.choice(names.services[:2])]
        self.limit = rng.choice((0.25, 0.3, 0.4, 0.5))
        self.rolled = rng.random() < 0.5
        self.limited_at = (
            world.start + (world.end - world.start) * rng.uniform(0.2, 0.4) if self.rolled else world.start
        )
        peak = sum(route.rate for route in world.routes if route.service is self.service)
        each = peak * rng.uniform(0.8, 0.86) / self.service.replicas
        self.service.cpu_per_request = (self.limit - self.service.cpu_idle) / each
        self.service.cpu_request = round(self.limit / 2, 2)
        self.capacity = Capacity(workload=self.service, per_pod=each, patience_s=8.0)
        self.periods = self.throttled = 0.0
        world.on_tick.append(self.step)
        world.on_sample.append(self.sample)
        if self.rolled:
            world.at(self.limited_at, self.roll)
        else:
            self.service.cpu_limit = self.limit

    def roll(self) -> None:
        """Bring the limit with a rollout that changes nothing else anybody would notice."""
        self.world.mark("rollout")
        self.service.cpu_limit = self.limit
        self.world.cluster.rollout(self.service, f"{self.rng.randrange(3, 9)}.{self.rng.randrange(20)}.1")

    def step(self, now: float) -> None:
        """Advance: periods in which the quota ran out count as throttled, long before requests fail."""
        if self.service.cpu_limit is None:
            return
        self.capacity.step(now)
        share = min(1.0, max(0.0, (self.capacity.load - 0.7) * 2.2))
        periods = PERIODS_A_SECOND * TICK_S * len(self.service.ready(now))
        self.periods += periods
        self.throttled += periods * share
        if self.service.sick:
            self.world.mark("throttled", now)

    def sample(self, now: float) -> None:
        """Sample cAdvisor's counters."""
        labels, put = {"container": self.service.app, "namespace": self.service.namespace}, self.world.export.sample
        for name, value in (("periods", self.periods), ("throttled_periods", self.throttled)):
            put("container_cfs", {"__name__": f"container_cpu_cfs_{name}_total", **labels}, now, round(value))


def stage(world: World) -> Scene:
    """Build the limit; its service, its size and whether it is new depend on the seed."""
    names, throttle = world.cast, Throttle(world)
    return Scene(
        conclude=lambda: _truth(world, throttle), symptom=ALL_5XX, floor=3, kind_words="slow afternoons, some timeouts", metric=RATE_OF_5XX,
        theories=(
            f"{names.database} can't keep up with the afternoon", "nodes are at 20 % cpu, so it can't be cpu", f"{world.edge.name} timeouts?",
            f"somebody's crawler hits {names.services[0]} every afternoon", "network in that zone",
        ),
    )  # fmt: skip


def _truth(world: World, throttle: Throttle) -> Truth:
    who = of(throttle.service)
    truth = Truth(
        symptom={"entity": of(world.edge), "words": ["504"]},
        root_cause={"entity": who, "mechanism": "its CPU limit is below what the daily peak needs; it is throttled"},
        facts=[f"CPU limit {int(throttle.limit * 1000)}m"],
    )  # fmt: skip
    if throttle.rolled:
        truth.accept.append(who)
        truth.step("a rollout brings the CPU limit", who, world.marks.get("rollout", []))
    truth.accept_saying(who, "throttl", "cpu limit")
    truth.step("the container is throttled", who, world.marks.get("throttled", [])[:1])
    felt(world, truth, 3)
    truth.needs = [f"metrics:{throttle.service.name}"]
    truth.ask(f"is {throttle.service.name} related?", "related")
    truth.ask("what would fix it?", "answered")
    bystanders(world, truth, but=throttle.service)
    return truth
