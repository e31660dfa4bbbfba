"""Requests that take long, one by one: each holds a worker of one pod until it ends, or until its pod is killed.

The edge keeps the body of a request that waits or is tried again in a replay buffer of fixed size; when that is full, whatever
needs a place in it is answered with 502.
"""

from dataclasses import dataclass, field
from functools import partial

from bot.evals import logformats
from bot.evals.calls import Route
from bot.evals.multitude import Many, Token
from bot.evals.randomness import Dice, dice
from bot.evals.workloads import Pod, Workload
from bot.evals.world import World


@dataclass(slots=True, eq=False)
class Request:
    """One slow request."""

    line: str
    seconds: float
    began: float
    tries: int = 0
    buffered: bool = False
    pod: Pod | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class SlowPath:
    """The slow endpoint of one service behind the edge."""

    world: World
    service: Workload
    route: Route
    rate: float
    workers: int
    buffer: int
    shortest_s: float
    longest_s: float
    held: dict[str, list[Request]] = field(default_factory=dict)
    in_buffer: int = 0
    waiting: list[Request] = field(default_factory=list)
    cut: int = 0
    rng: Dice = field(init=False)
    rejected: int = 0

    def __post_init__(self) -> None:
        self.rng = dice(self.world.key, "slow")
        self.world.cluster.on_gone[self.service.name] = self.pod_gone
        self.world.cluster.on_stop[self.service.name] = self.pod_stopping
        self.world.on_tick.append(self.arrive)

    def arrive(self, now: float) -> None:
        """Draw this tick's slow requests, and those of other routes that need a place in the buffer."""
        for _ in range(self.rng.poisson(self.rate * self.world.factor * self.world.scale * 15)):
            when = now + self.rng.random() * 15
            self.world.at(when, lambda: self.begin(self._draw(), client_try=0))
        if self.in_buffer >= self.buffer:
            # Bodies of other routes pass through the same buffer.
            for route in self.world.routes:
                if route.op.startswith("POST"):
                    for _ in range(self.rng.poisson(route.now_rate * self.world.scale * 15 * 0.5)):
                        self.world.at(now + self.rng.random() * 15, partial(self._other, route))

    def _draw(self) -> Request:
        seconds = self.rng.uniform(self.shortest_s, self.longest_s)
        return Request(line=self.world.path(self.route, self.world.now), seconds=seconds, began=self.world.now)

    def _other(self, route: Route) -> None:
        if self.in_buffer >= self.buffer:
            self._reject(route, self.world.path(route, self.world.now))

    def _reject(self, route: Route, line: str) -> None:
        world = self.world
        self.rejected += 1
        world.mark("rejected")
        now = world.crowd(world.now, 1, self.rng)
        if now is None:
            return
        gate, pod, client = world.pick(world.edge), world.pick(route.service), world.client(now)
        line = world.path(route, now) if isinstance(now, Many) else line
        upstream = f"{pod.ip}:{route.service.port}" if pod else "-"
        if gate is not None:
            if world.edge.style == "nginx":
                text = logformats.nginx_error(
                    now, "error", "upstream queue is full while connecting to upstream", client, line, upstream
                )
            elif world.edge.style == "envoy":
                text = logformats.entry(
                    "logfmt",
                    now,
                    "warn",
                    "buffer-filter",
                    "retry buffer full, rejecting request",
                    {"in_use": self.in_buffer, "limit": self.buffer},
                )
            else:
                fields = {"in_use": self.in_buffer, "limit": self.buffer, "status": 502, "path": line.partition(" ")[2]}
                text = logformats.entry(
                    world.edge.style, now, "error", "proxy", "replay buffer full, request rejected", fields
                )
            world.raw(world.edge, gate, now, text)
        world.edge_line(route, now + 0.003, 502, 0.003, pod, flags="UO", request=(line, client))

    def begin(self, request: Request, client_try: int) -> None:
        """Give a request to the pod with the fewest slow ones, or buffer it, or refuse it."""
        world = self.world
        ready = [
            p for p in self.service.ready(world.now) if len(self.held.get(p.name, ())) < self.workers * world.scale
        ]
        if not ready:
            if not request.buffered and not self._take_place(request):
                self._refuse(request, client_try)
                return
            self.waiting.append(request)
            return
        pod = min(ready, key=lambda p: (len(self.held.get(p.name, ())), p.name))
        request.pod = pod
        self.held.setdefault(pod.name, []).append(request)
        spent = request.seconds * (1 + 0.35 * (pod.node.inflation - 1))
        world.at(world.now + spent, lambda: self._finish(request, pod, spent))

    def _take_place(self, request: Request) -> bool:
        if self.in_buffer >= self.buffer:
            return False
        self.in_buffer += 1
        request.buffered = True
        return True

    def _refuse(self, request: Request, client_try: int) -> None:
        self._reject(self.route, request.line)
        if client_try < 3 and self.rng.random() < 0.8:
            delay = self.rng.uniform(2, 6) * (client_try + 1)
            self.world.at(self.world.now + delay, lambda: self.begin(self._draw(), client_try + 1))

    def _finish(self, request: Request, pod: Pod, spent: float) -> None:
        if request.pod is not pod or pod.gone:
            return
        self.held[pod.name].remove(request)
        self._leave(request)
        world = self.world
        at = world.crowd(world.now, 0.004, self.rng)
        if at is not None:
            self._tell(request, pod, at, spent)
        if at is None or isinstance(at, Many):
            world.statuses[200] += round(world.volume)
        if self.waiting:
            self.begin(self.waiting.pop(0), client_try=1)

    def _tell(self, request: Request, pod: Pod, at: float, spent: float) -> None:
        """Log a request that went well, as one in many is."""
        world, many = self.world, isinstance(at, Many)
        at = at.lasting(spent, 0.02) if isinstance(at, Many) else at
        world.edge_line(self.route, at, 200, spent, pod)
        if self.rng.random() < 0.5:
            path = (world.path(self.route, at) if many else request.line).partition(" ")[2]
            took = Token.TOOK_MS if many else int(spent * 1000)
            world.log(self.service, pod, at, "info", "request completed", {"op": path, "duration_ms": took})

    def _leave(self, request: Request) -> None:
        if request.buffered:
            self.in_buffer -= 1
            request.buffered = False

    def pod_stopping(self, pod: Pod) -> None:
        """Say how many requests the pod still works on, and go early when it is done."""
        held = self.held.get(pod.name, [])
        world = self.world
        world.mark("sigterm")
        if not held:
            world.at(world.now + 0.8, lambda: world.cluster.remove(self.service, pod))
            return
        world.log(
            self.service,
            pod,
            world.now + 0.01,
            "info",
            f"draining {len(held) * round(world.volume)} in-flight requests",
        )

    def pod_gone(self, pod: Pod) -> None:
        """Cut what the pod still held: the edge sees the connection close and tries again."""
        for request in self.held.pop(pod.name, []):
            request.pod = None
            self._cut(request, pod)

    def _cut(self, request: Request, pod: Pod) -> None:
        world = self.world
        self.cut += 1
        world.mark("cut")
        gate = world.pick(world.edge)
        upstream = f"{pod.ip}:{self.service.port}"
        at = world.crowd(world.now + self.rng.random() * 0.05, 1, self.rng)
        request.tries += 1
        if gate is not None and at is not None:
            line = world.path(self.route, at) if isinstance(at, Many) else request.line
            if world.edge.style == "nginx":
                text = logformats.nginx_error(
                    at,
                    "error",
                    "upstream prematurely closed connection while reading response header from upstream",
                    world.client(at),
                    line,
                    upstream,
                )
            elif world.edge.style == "envoy":
                text = logformats.entry(
                    "logfmt",
                    at,
                    "warn",
                    "router",
                    "upstream reset: remote connection failure, reset reason: connection termination, retrying",
                    {"upstream": upstream, "attempt": request.tries},
                )
            else:
                fields = {"upstream": upstream, "attempt": request.tries, "path": line.partition(" ")[2]}
                text = logformats.entry(
                    world.edge.style,
                    at,
                    "warn",
                    "proxy",
                    "upstream connection closed before response, retrying",
                    fields,
                    "EOF",
                )
            world.raw(world.edge, gate, at, text)
        if not request.buffered and not self._take_place(request):
            self._refuse(request, 0)
            return
        world.mark("retried")
        world.at(world.now + self.rng.uniform(0.5, 2.0), lambda: self.begin(request, client_try=1))
