"""A version that keeps too much on its heap: at the peak the JVM pauses for full collections, and its liveness probe is missed.

The kubelet kills a program that only paused; the pods that are left take its requests and pause more.
"""

from datetime import UTC, datetime

from bot.evals.kubelet import kill_unlive, probe_failed
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import ALL_5XX, RATE_OF_5XX, Scene, bystanders, felt, of
from bot.evals.timeline import TICK_S
from bot.evals.truth import Truth
from bot.evals.workloads import Pod
from bot.evals.world import World

TIMEOUT = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


class Heap:
    """The heaps of one Java service."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, dice(world.key, "heap")
        names, rng = world.cast, self.rng
        world.retry_share = 0.25
        self.service = service = world.cluster.workloads[rng.choice(names.services[:2])]
        service.style, service.boot_s = "logback", rng.uniform(25, 50)
        service.memory_mb, service.memory_limit_mb = 900.0, 1280
        self.size_mb = rng.choice((768, 896, 1024))
        self.period_s, self.threshold = 5, 3
        service.container_spec = {
            "env": [{"name": "JAVA_TOOL_OPTIONS", "value": f"-Xmx{self.size_mb}m -Xlog:gc"}],
            "livenessProbe": {
                "failureThreshold": self.threshold, "httpGet": {"path": "/healthz", "port": service.port, "scheme": "HTTP"},
                "initialDelaySeconds": 30, "periodSeconds": self.period_s, "successThreshold": 1, "timeoutSeconds": 1,
            },
        }  # fmt: skip
        self.peak = sum(route.rate for route in world.routes if route.service is service) / service.replicas
        self.kept = 0.42
        """Share of the heap that lives long."""
        self.collected = 0
        self.paused_s = 0.0
        world.on_tick.append(self.step)
        world.on_sample.append(self.sample)
        world.at(world.start + (world.end - world.start) * rng.uniform(0.2, 0.4), self.roll)

    def roll(self) -> None:
        """Bring the version that keeps more."""
        self.world.mark("rollout")
        self.kept = self.rng.uniform(0.62, 0.66)
        self.world.cluster.rollout(self.service, f"{self.rng.randrange(4, 9)}.{self.rng.randrange(20)}.0")

    def filled(self, pod: Pod, now: float) -> float:
        """Give the share of a pod's heap that a collection cannot free: what is kept, and what requests hold."""
        ready = len(self.service.ready(now))
        load = self.service.rate / ready / self.peak if ready and pod.ready_at <= now else 0.0
        return min(0.995, self.kept + 0.3 * load + self.rng.gauss(0, 0.006))

    def step(self, now: float) -> None:
        """Collect where a heap is full, and let the probe see the pauses."""
        service, stopped = self.service, 0.0
        ready = service.ready(now)
        for pod in ready:
            filled = self.filled(pod, now)
            if self.rng.random() < 0.02:
                self._line(
                    pod,
                    now,
                    "Pause Young (Normal) (G1 Evacuation Pause)",
                    filled + 0.05,
                    filled,
                    self.rng.uniform(4, 40),
                )
            if self.rng.random() > max(0.0, filled - 0.86) * 0.35:
                continue
            stopped += self._full(pod, now, filled)
        service.sick = min(0.9, stopped / TICK_S / max(1, len(ready)))
        service.slow_pods = [pod for pod in ready if pod.died_at is None]

    def _full(self, pod: Pod, now: float, filled: float) -> float:
        """Run full collections one after the other, as G1 does when each frees next to nothing; give the seconds paused."""
        world, at, total = self.world, now, 0.0
        for _ in range(self.rng.randrange(1, 5)):
            took = self.rng.uniform(2.5, 7.0)
            self._line(pod, at + took, "Pause Full (G1 Compaction Pause)", filled + 0.004, filled, took * 1000)
            at, total = at + took + 0.05, total + took
        world.mark("pause")
        self.paused_s += total
        missed = int(total // self.period_s)
        if missed:
            probe_failed(world.cluster, self.service, pod, "Liveness", TIMEOUT)
        if missed >= self.threshold:
            world.mark("kill", now + total)
            world.at(now + total, lambda: kill_unlive(world.cluster, self.service, pod))
        return min(total, TICK_S)

    def _line(self, pod: Pod, at: float, what: str, before: float, after: float, millis: float) -> None:
        self.collected += 1
        size, when = self.size_mb, datetime.fromtimestamp(at, tz=UTC)
        up = at - pod.started_at
        text = (
            f"[{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}+0000][{up:.3f}s][info][gc] GC({self.collected}) {what} "
            f"{int(min(1.0, before) * size)}M->{int(after * size)}M({size}M) {millis:.3f}ms"
        )
        self.world.raw(self.service, pod, at, text)

    def sample(self, now: float) -> None:
        """Sample the JVM's and the cluster's counters."""
        put, labels = self.world.export.sample, {"container": self.service.app, "namespace": self.service.namespace}
        for pod in self.service.ready(now):
            heap = {"__name__": "jvm_memory_used_bytes", "area": "heap", **labels, "pod": pod.name}
            put("jvm_memory", heap, now, round(self.filled(pod, now) * self.size_mb) * 1048576)
        put("jvm_gc", {"__name__": "jvm_gc_pause_seconds_sum", **labels}, now, round(self.paused_s, 2))
        for pod in self.service.pods:
            if pod.restarts:
                known = {"__name__": "kube_pod_container_status_restarts_total", **labels, "pod": pod.name}
                put("restarts", known, now, pod.restarts)


def stage(world: World) -> Scene:
    """Build the heap; which service, its size and its day depend on the seed."""
    names, heap = world.cast, Heap(world)
    return Scene(
        conclude=lambda: _truth(world, heap), symptom=ALL_5XX, floor=3, kind_words="errors in the afternoon", metric=RATE_OF_5XX,
        theories=(
            f"{names.database} again", "nodes get rebooted? pods restart all the time", "the health check is fine when I curl it",
            f"{world.edge.name} keeps dead connections", f"{names.services[2]} deploy?",
        ),
    )  # fmt: skip


def _truth(world: World, heap: Heap) -> Truth:
    who = of(heap.service)
    truth = Truth(
        symptom={"entity": of(world.edge), "words": ["502", "504"]},
        root_cause={"entity": who, "mechanism": "a rollout fills the heap; full collections pause the JVM and the liveness probe kills it"},
        accept=[who], facts=[f"-Xmx{heap.size_mb}m", "liveness timeout 1 s"],
    )  # fmt: skip
    truth.step("a new version is rolled out", who, world.marks.get("rollout", []))
    truth.step("the JVM pauses for full collections", who, world.marks.get("pause", []))
    truth.step("the liveness probe fails and the container is killed", who, world.marks.get("kill", []))
    felt(world, truth, 3)
    truth.ask(f"was the rollout of {heap.service.name} related?", "related")
    truth.ask(f"what happened to {heap.service.name}?", "answered")
    bystanders(world, truth, but=heap.service)
    return truth
