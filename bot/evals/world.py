"""The simulated system: the clock, the cluster, traffic through the edge and its services, and counters of what users felt.

A tick is 15 s: fluid rates for ordinary requests, drawn counts for what fails, an event queue for what has an exact time.
Scenarios set faults and capacities; errors follow from them. Traffic of more than scale 1 is simulated at scale 1, and what it
writes is written so many times over (``multitude``): the causes stay what they are, their traces grow.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.evals import logformats
from bot.evals.calls import Call, Route, status_of
from bot.evals.cluster import ENDPOINT_LAG_S, Cluster
from bot.evals.controllers import CronJob, Hpa
from bot.evals.export import Export
from bot.evals.failures import Fault, describe
from bot.evals.multitude import Many, Token, count_of, shared_out
from bot.evals.randomness import Dice, dice
from bot.evals.timeline import TICK_S, Timeline
from bot.evals.vocab import Cast, cast, node_name
from bot.evals.workloads import Node, Pod, Workload

CROWD_S = 2.0
"""What happens to one request at scale 1 happens to all that it stands for within so long."""
RETRY_DELAYS_S = (2.0, 5.0, 11.0)
EDGE_TIMEOUT_S = 30.0
EDGE_STATUS = {"timeout": 504}
NGINX_ERRORS = {
    "refused": "connect() failed (111: Connection refused) while connecting to upstream",
    "reset": "upstream prematurely closed connection while reading response header from upstream",
    "timeout": "upstream timed out (110: Operation timed out) while reading response header from upstream",
}


class World(Timeline):
    """Everything that is simulated in one run; scenarios fill it and hook into ``on_tick``."""

    def __init__(self, root: Path, scenario: str, seed: int, start: float, days: float, scale: float) -> None:
        super().__init__(start, days)
        self.key, self.scale = f"{scenario}:{seed}", min(scale, 1.0)
        self.volume = max(scale, 1.0)
        """How many times over traffic leaves its traces."""
        self.rng = dice(self.key, "world")
        self.noise = dice(self.key, "noise")
        self.cast: Cast = cast(dice(self.key, "cast"))
        self.export = Export(root, self.key)
        nodes = [self._node(i) for i in range(1, 4)]
        self.cluster = Cluster(self.export, dice(self.key, "cluster"), nodes, self.at)
        self.cluster.now = start
        self.hpas: list[Hpa] = []
        self.crons: list[CronJob] = []
        self.routes: list[Route] = []
        self.order: list[Workload] = []
        """Services, callees before callers."""
        self.edge: Workload = Workload(name="edge", namespace="", style="nginx", image="", tag="", replicas=0)
        self.on_tick: list[Callable[[float], None]] = []
        self.on_sample: list[Callable[[float], None]] = []
        self.statuses: Counter[int] = Counter()
        self.minutes: dict[int, Counter[int]] = {}
        self.changes: list[tuple[float, str, Workload]] = []
        self.factor = 1.0
        self.retry_share = 0.55
        """Share of clients that try again after an error."""
        self.noise_lines: dict[str, tuple[tuple[str, str], ...]] = {}
        self.cluster.say = lambda _w, _p, _what: None
        self.after_failures: Callable[[float], None] = lambda _now: None
        """Writes what goes well in a tick."""

    def _node(self, index: int) -> Node:
        rng = dice(self.key, "node", index)
        name = node_name(self.cast.node_style, index, self.cast.company, rng)
        return Node(
            name=name,
            cores=8.0,
            memory_gb=32,
            zone=f"eu-central-1{'abc'[index % 3]}",
            ip=f"10.0.{rng.randrange(10, 90)}.{rng.randrange(4, 250)}",
        )

    def run(self) -> None:
        """Simulate the whole window and write everything but documents that need the end state."""
        for workload in self.cluster.workloads.values():
            workload.remember()
        for cron in self.crons:
            cron.arm(self.cluster, self.start - 1, self.end)
        tick = self.start
        count = 0
        while tick < self.end:
            while (act := self.next_act(tick)) is not None:
                self.cluster.now = self.now
                act()
            self.now = self.cluster.now = tick
            self._tick(tick)
            if count % 20 == 0:
                for sample in self.on_sample:
                    sample(tick)
            if count % 80 == 0 or self.export.full:
                self.export.flush(tick)
            count += 1
            tick += TICK_S

    def _tick(self, now: float) -> None:
        self.factor = self.daylight(now) * (1 + 0.04 * math.sin(now / 700.0) + self.noise.gauss(0, 0.02))
        for act in self.on_tick:
            act(now)
        self._rates(now)
        self._cpu(now)
        for hpa in self.hpas:
            hpa.step(self.cluster)
        self._failures(now)
        self.after_failures(now)

    # load -------------------------------------------------------------------------------------------------------------

    def _rates(self, now: float) -> None:
        slot = int(now // TICK_S)
        for service in self.order:
            service.rate = 0.0
        self.edge.rate = 0.0
        for route in self.routes:
            again = route.again.pop(slot, 0.0)
            route.now_rate = route.rate * self.factor + again / TICK_S / self.scale
            route.service.rate += route.now_rate
            self.edge.rate += route.now_rate
        for service in reversed(self.order):
            for call in service.calls:
                if call.target is not None:
                    call.target.rate += service.rate * call.share

    def _cpu(self, now: float) -> None:
        for workload in self.cluster.workloads.values():
            ready = workload.ready(now)
            per_pod = workload.rate / len(ready) if ready else 0.0
            slow = 0.0
            for pod in workload.pods:
                node = pod.node
                if pod.died_at is not None:
                    pod.cpu = 0.0
                    continue
                used = workload.cpu_idle
                if pod.ready_at <= now and pod.stop_at is None:
                    used += per_pod * workload.cpu_per_request
                if now - pod.started_at < 45:
                    used += workload.cpu_boot
                pod.cpu = used * node.inflation * (1 + self.noise.random() * 0.08)
                if workload.cpu_limit is not None:
                    pod.cpu = min(pod.cpu, workload.cpu_limit)
                slow += node.inflation
                self._memory(workload, pod, per_pod, now)
            workload.slowdown = slow / len(workload.pods) if workload.pods else 1.0
        self.cluster.contend()

    def _memory(self, workload: Workload, pod: Pod, per_pod: float, now: float) -> None:
        if workload.leak_mb_per_request:
            pod.memory_mb += per_pod * TICK_S * workload.leak_mb_per_request
            if pod.memory_mb > workload.memory_limit_mb:
                self.kill_oom(workload, pod)
            return
        goal = workload.memory_mb * (
            1 + workload.memory_swing * (self.factor - 0.8) + 0.02 * math.sin(now / 5000 + len(pod.name))
        )
        pod.memory_mb += (goal - pod.memory_mb) * 0.05

    def kill_oom(self, workload: Workload, pod: Pod) -> None:
        """Let the kernel kill a container that passed its memory limit."""
        self.cluster.say(workload, pod, "oom")
        self.cluster.crash(workload, pod, "OOMKilled", 137)

    # what fails -------------------------------------------------------------------------------------------------------

    def _health(self, call: Call, now: float) -> tuple[float, str]:
        target = call.target
        if target is None:
            return call.p, call.kind
        p, kind = call.p, call.kind
        ready = target.ready(now)
        if not ready:
            return 1.0, "refused"
        dead = sum(1 for pod in target.pods if pod.died_at is not None and now - pod.died_at < ENDPOINT_LAG_S + TICK_S)
        if dead:
            share = dead / (dead + len(ready)) * min(1.0, (ENDPOINT_LAG_S + target.latency_s) / TICK_S)
            if share > p:
                p, kind = share, "reset" if self.noise.random() < 0.4 else "refused"
        if not target.probe:
            booting = sum(1 for pod in target.live() if pod.died_at is None and pod.ready_at > now)
            share = booting / (booting + len(ready))
            if share > p:
                p, kind = share, "refused"
        if target.sick > p:
            p, kind = target.sick, target.sick_kind
        callee = max((inner.effective for inner in target.calls), default=0.0)
        return (callee, "http503") if callee > p else (p, kind)

    def _failures(self, now: float) -> None:
        for service in self.order:
            for call in service.calls:
                p, kind = self._health(call, now)
                quiet = "statement" if call.port == 5432 else "timeout"
                call.effective, call.kind = min(1.0, p * call.share), kind if p else quiet
        for route in self.routes:
            for call in route.service.calls:
                mean = route.now_rate * self.scale * TICK_S * (call.effective + call.background)
                for at in self.moments(mean, now):
                    self.fail(route, call, at)
            front = Call(host=route.service.name, op=route.op, target=route.service, port=route.service.port, kind="")
            p, kind = self._health(front, now)
            if p and kind != "http503":
                for at in self.moments(route.now_rate * self.scale * TICK_S * p, now):
                    self.edge_error(route, kind, at)

    def fail(self, route: Route, call: Call, at: float) -> None:
        """Let one request fail on a dependency: the service logs why, the edge logs a status, the client may come back."""
        service = route.service
        pod = self.pick(service, at)
        seconds = call.timeout_s if call.kind in {"timeout", "pool", "statement"} else 0.02 + self.noise.random() * 0.2
        culprit, caller, where = call, service, pod
        if call.kind == "http503" and call.target is not None:
            inner = max(call.target.calls, key=lambda c: c.effective)
            deep = self.pick(call.target, at)
            if deep is not None and inner.kind != "http503":
                seconds = inner.timeout_s if inner.kind in {"timeout", "pool", "statement"} else seconds
                self.app_error(call.target, deep, inner, at + seconds)
        self.app_error(caller, where, culprit, at + seconds + 0.01)
        status = status_of(call.kind, seconds)
        self.edge_line(route, at + seconds + 0.02, status, seconds, pod)
        self.come_back(route, at + seconds)

    def come_back(self, route: Route, at: float) -> None:
        """Let a client that saw an error try again, as most do, once or twice."""
        if isinstance(at, Many):
            for wait in RETRY_DELAYS_S:
                slot, back = int((at + wait) // TICK_S) + 1, at.count * self.retry_share / len(RETRY_DELAYS_S)
                route.again[slot] = route.again.get(slot, 0.0) + back / self.volume
            return
        delay = self.noise.choice(RETRY_DELAYS_S)
        if self.noise.random() < self.retry_share:
            slot = int((at + delay) // TICK_S) + 1
            route.again[slot] = route.again.get(slot, 0.0) + 1.0

    def app_error(self, service: Workload, pod: Pod | None, call: Call, at: float) -> None:
        """Log a failed call in the service's own words."""
        if pod is None:
            return
        fault = Fault(
            call.kind,
            call.host,
            call.port,
            call.op,
            call.timeout_s,
            pod.ip
            if call.kind == "dns"
            else call.target.pods[0].ip
            if call.target and call.target.pods
            else "203.0.113.24",
            at,
        )
        fault.expired_at = call.expired_at
        message, trace = describe(service.style, fault)
        self.log(
            service,
            pod,
            at,
            "error",
            message,
            {"trace_id": Token.HEX16 if isinstance(at, Many) else self.noise.hex(16)},
            trace,
        )

    def edge_error(self, route: Route, kind: str, at: float) -> None:
        """Let the edge itself fail to reach a service."""
        pod = self.pick(route.service, at) or next(iter(route.service.pods), None)
        if kind == "timeout" and route.service.slow_pods:
            pod = self.noise.choice(route.service.slow_pods)
        upstream = f"{pod.ip}:{route.service.port}" if pod else "-"
        gate = self.pick(self.edge, at)
        if gate is None:
            return
        status, client, line = EDGE_STATUS.get(kind, 502), self.client(at), self.path(route, at)
        seconds = EDGE_TIMEOUT_S if kind == "timeout" else 0.02
        at += seconds if kind == "timeout" else 0.0
        if self.edge.style == "nginx":
            text = NGINX_ERRORS.get(kind, NGINX_ERRORS["reset"])
            self.raw(self.edge, gate, at, logformats.nginx_error(at, "error", text, client, line, upstream))
        elif self.edge.style == "envoy" and status == 502:
            status = 503
        flags = {"refused": "UF", "timeout": "UT"}.get(kind, "UC")
        self.edge_line(route, at + 0.01, status, seconds, pod, flags=flags, request=(line, client))
        self.come_back(route, at)

    def edge_line(
        self,
        route: Route,
        at: float,
        status: int,
        seconds: float,
        pod: Pod | None,
        flags: str = "-",
        request: tuple[str, str] = ("", ""),
    ) -> None:
        """Write an access line of the edge and count it for what users felt."""
        self.statuses[status] += count_of(at)
        if status >= 500:
            self.minutes.setdefault(int(at // 60), Counter())[status] += count_of(at)
        gate = self.pick(self.edge, at)
        if gate is None:
            return
        line, client = request[0] or self.path(route, at), request[1] or self.client(at)
        size = 160 if status >= 400 else Token.SIZE if isinstance(at, Many) else 300 + int(self.noise.random() * 9000)
        if isinstance(at, Many) and not at.took_s:
            at = at.lasting(seconds, 0.5 if status < 500 else 0.002)
        upstream = f"{pod.ip}:{route.service.port}" if pod else "-"
        text = logformats.edge_access(
            self.edge.style,
            logformats.Access(
                at_s=at,
                client=client,
                line=line,
                status=status,
                flags=flags,
                size=size,
                seconds=seconds,
                upstream=upstream,
                service=route.service.name,
            ),
        )
        self.raw(self.edge, gate, at, text)

    # small services ---------------------------------------------------------------------------------------------------

    def moments(self, mean: float, now: float, rng: Dice | None = None) -> Iterator[float]:
        """Draw when something happens in this tick that happens so often on average; many times at once where it is often."""
        rng = rng or self.noise
        if self.volume > 1:
            yield from shared_out(rng.poisson(mean * self.volume), now, TICK_S)
            return
        for _ in range(rng.poisson(mean)):
            yield now + rng.random() * TICK_S

    def crowd(self, at: float, share: float, rng: Dice) -> float | None:
        """Give the time of what one request in ``1 / share`` does: of many where there are many, None where none does it."""
        if self.volume > 1:
            count = rng.poisson(share * self.volume)
            return Many.of(at, count, CROWD_S) if count else None
        return at if share >= 1 or rng.random() < share else None

    def pick(self, workload: Workload, at: float = math.inf) -> Pod | None:
        """Choose a pod that takes requests, and did so at a time."""
        ready = [pod for pod in workload.ready(self.now) if pod.ready_at <= at]
        return self.noise.choice(ready) if ready else None

    def client(self, at: float) -> str:
        """Make a client's address."""
        if isinstance(at, Many):
            return str(Token.CLIENT)
        return f"198.51.{self.noise.randrange(100, 104)}.{self.noise.randrange(1, 250)}"

    def path(self, route: Route, at: float) -> str:
        """Fill a route's template with an id."""
        which = Token.PATH_ID if isinstance(at, Many) else self.noise.randrange(10_000, 99_999)
        return route.op.replace("{id}", str(which))

    def log(
        self,
        workload: Workload,
        pod: Pod,
        at: float,
        level: str,
        message: str,
        fields: logformats.Fields | None = None,
        trace: str = "",
    ) -> None:
        """Log in the workload's own style."""
        style = workload.style if workload.style in logformats.FORMATS else "logfmt"
        self.raw(workload, pod, at, logformats.entry(style, at, level, workload.name, message, fields, trace))

    def raw(self, workload: Workload, pod: Pod, at: float, text: str) -> None:
        """Write a finished entry to a pod's log."""
        where = (workload.namespace, pod.name, workload.app, workload.name)
        if isinstance(at, Many):
            self.export.log(where, at.until(self.end), text)
        elif at < self.end:
            self.export.log(where, at + self.noise.random() * 0.0009, text)

    def episodes(self, statuses: frozenset[int], floor: int, gap_s: float = 1200.0) -> list[tuple[float, float, int]]:
        """Merge minutes with at least ``floor`` errors at the traffic of scale 1 into ``(start, end, errors)``."""
        found: list[tuple[float, float, int]] = []
        for minute in sorted(self.minutes):
            count = sum(n for status, n in self.minutes[minute].items() if status in statuses)
            if count < floor * self.volume:
                continue
            if found and minute * 60 - found[-1][1] <= gap_s:
                found[-1] = (found[-1][0], minute * 60 + 60.0, found[-1][2] + count)
            else:
                found.append((minute * 60.0, minute * 60 + 60.0, count))
        return found
