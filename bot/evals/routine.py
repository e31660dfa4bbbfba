"""What a system that works writes all day: a line for some of the requests that go well, and the chatter of its programs."""

from bot.evals import logformats
from bot.evals.calls import Route
from bot.evals.multitude import Many, Token, shared_out
from bot.evals.timeline import DAY_S, TICK_S
from bot.evals.workloads import Workload
from bot.evals.world import World

Lines = tuple[tuple[str, str], ...]
"""``(level, template)``"""

EDGE_LINES_A_DAY = 170
SERVICE_LINES_A_DAY = 40
STATUSES, SHARES = (200, 201, 304, 404, 401, 429), (80, 8, 4, 5, 2, 0.4)
SPAN_TICKS = 8
"""Lines by the thousand are drawn once in so many ticks, of the pods that were there all the while."""


class Routine:
    """The everyday lines of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.after_failures = self.step
        self._due: dict[int, float] = {}
        self._ticks = 0

    def step(self, now: float) -> None:
        """Write what a tick brings."""
        world = self.world
        total = sum(route.rate for route in world.routes) or 1.0
        for number, route in enumerate(world.routes):
            world.statuses[200] += round(route.now_rate * TICK_S * world.scale * world.volume)
            mean = EDGE_LINES_A_DAY * world.scale * TICK_S / DAY_S * route.now_rate / total * 1.3
            if world.volume > 1:
                self._due[number] = self._due.get(number, 0.0) + mean
            else:
                self._went_well(route, mean, now)
        if world.volume > 1:
            self._ticks += 1
            if self._ticks % SPAN_TICKS == 0:
                self._span(now + TICK_S)
            return
        for name, lines in world.noise_lines.items():
            workload = world.cluster.workloads[name]
            for _ in range(world.noise.poisson(SERVICE_LINES_A_DAY * world.scale * TICK_S / DAY_S)):
                at = now + world.noise.random() * TICK_S
                self._chatter(workload, lines, at)

    def _went_well(self, route: Route, mean: float, now: float) -> None:
        world = self.world
        for _ in range(world.noise.poisson(mean)):
            status = world.noise.choices(STATUSES, SHARES)[0]
            seconds = world.noise.skewed(route.service.latency_s * route.service.slowdown, 0.5)
            world.edge_line(route, now + world.noise.random() * TICK_S, status, seconds, world.pick(route.service))

    def _span(self, until: float) -> None:
        world, spread = self.world, SPAN_TICKS * TICK_S
        began = until - spread
        for number, route in enumerate(world.routes):
            mean, seconds = self._due.pop(number) * world.volume, route.service.latency_s * route.service.slowdown
            for status, share in zip(STATUSES, SHARES, strict=True):
                count = world.noise.poisson(mean * share / sum(SHARES))
                for at in shared_out(count, began, spread):
                    world.edge_line(route, at, status, seconds, world.pick(route.service, at))
        for name, lines in world.noise_lines.items():
            mean = SERVICE_LINES_A_DAY * world.scale * world.volume * spread / DAY_S / len(lines)
            for line in lines:
                for at in shared_out(world.noise.poisson(mean), began, spread):
                    self._chatter(world.cluster.workloads[name], (line,), at)

    def _chatter(self, workload: Workload, lines: Lines, at: float) -> None:
        world, noise = self.world, self.world.noise
        pod = world.pick(workload, at)
        if pod is None:
            return
        level, text = noise.choice(lines)
        many = isinstance(at, Many)
        if many:
            filled = text.format(n=Token.FEW, ms=Token.MS, id=Token.ID, hex=Token.HEX8)
        else:
            filled = text.format(
                n=noise.randrange(2, 900),
                ms=noise.randrange(3, 480),
                id=noise.randrange(10_000, 999_999),
                hex=noise.hex(8),
            )
        if workload.style == "postgres":
            pid = Token.PID if many else noise.randrange(60, 9000)
            world.raw(workload, pod, at, logformats.postgres(at, pid, level, filled))
        elif workload.style == "raw":
            world.raw(workload, pod, at, filled)
        else:
            world.log(workload, pod, at, level, filled)
