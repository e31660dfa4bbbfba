"""What a workload's pods can serve: a queue before a rate; what waits longer than callers do, fails.

Leaves out how a single request is scheduled: a fluid queue is enough for who is overloaded when.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.evals.timeline import TICK_S
from bot.evals.workloads import Pod, Workload


@dataclass(slots=True, kw_only=True, eq=False)
class Capacity:
    """The serving rate of a workload's pods, each of them slower where its node is crowded."""

    workload: Workload
    per_pod: float
    """Requests per second one pod serves on an idle node."""
    patience_s: float = 10.0
    speed: Callable[[Pod], float] = lambda pod: 1.0 / pod.node.inflation
    balanced: bool = False
    """Whether every pod gets the same share of the requests, however slow it is."""
    backlog: float = 0.0
    total: float = 0.0
    load: float = 0.0
    """Share of the capacity that is asked for."""

    def step(self, now: float) -> None:
        """Advance one tick: the queue grows or drains, and what finds it full fails."""
        workload = self.workload
        self.total = sum(self.per_pod * self.speed(pod) for pod in workload.ready(now))
        self.load = workload.rate / self.total if self.total else 0.0
        workload.sick = 0.0
        if not self.total:
            self.backlog = 0.0
            return
        if self.balanced:
            self._each(now)
            return
        limit = self.total * self.patience_s
        self.backlog = max(0.0, self.backlog + (workload.rate - self.total) * TICK_S)
        if self.backlog > limit:
            workload.sick = min(1.0, (self.backlog - limit) / max(1e-9, workload.rate * TICK_S))
            self.backlog = limit

    def _each(self, now: float) -> None:
        workload, ready = self.workload, self.workload.ready(now)
        share = workload.rate / len(ready)
        late = [(pod, max(0.0, 1 - self.per_pod * self.speed(pod) / share)) for pod in ready] if share else []
        workload.slow_pods = [pod for pod, part in late if part > 0]
        workload.sick = sum(part for _, part in late) / len(ready)

    def wait_s(self) -> float:
        """Give how long a request waits before it is served."""
        return self.backlog / self.total if self.total else 0.0
