"""Control loops of the simulated cluster: the HorizontalPodAutoscaler and the CronJob controller.

The autoscaler follows the published algorithm (kubernetes.io, "Horizontal Pod Autoscaling": ratio with tolerance, stabilisation
windows, policies); what it leaves out: custom metrics and several metrics at once.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cronsim import CronSim

from bot.evals.cluster import Cluster
from bot.evals.export import stamp
from bot.evals.workloads import Node, Pod, Workload

INITIAL_READINESS_S = 30.0
"""``--horizontal-pod-autoscaler-initial-readiness-delay``"""


@dataclass(slots=True, kw_only=True, eq=False)
class Hpa:
    """A HorizontalPodAutoscaler on CPU."""

    workload: Workload
    target: float
    low: int
    high: int
    down_window_s: float = 300.0
    up_window_s: float = 0.0
    up_percent: int = 100
    up_pods: int = 4
    tolerance: float = 0.1
    smooth: float = 0.0
    desires: "deque[tuple[float, int]]" = field(default_factory=deque)
    history: "deque[tuple[float, int]]" = field(default_factory=deque)
    last_scale: float | None = None
    on_scale: Callable[[float, int, int], None] | None = None

    def step(self, cluster: Cluster) -> None:
        """Run one sync (every 15 s)."""
        now, current = cluster.now, self.workload.replicas
        grown = [pod for pod in self.workload.ready(now) if now - pod.ready_at >= INITIAL_READINESS_S]
        live = self.workload.live()
        used = sum(pod.cpu for pod in grown)
        seen = used / (max(1, len(grown)) * self.workload.cpu_request)
        # The metrics API answers with an average over its last scrape windows.
        self.smooth = seen if not self.smooth else self.smooth + 0.6 * (seen - self.smooth)
        ratio, pods = self.smooth / self.target, max(1, len(grown))
        if ratio > 1 and len(live) > len(grown):
            # Pods too young to be measured count as idle when it would scale up, which keeps it from overshooting.
            ratio, pods = ratio * pods / len(live), len(live)
            ratio = max(1.0, ratio)
        want = current if abs(ratio - 1) <= self.tolerance else math.ceil(pods * ratio)
        want = max(self.low, min(self.high, want))
        self.desires.append((now, want))
        while self.desires[0][0] < now - max(self.down_window_s, self.up_window_s, 15):
            self.desires.popleft()
        after = self._stabilised(now, current)
        after = min(after, self._up_limit(now, current))
        self.history.append((now, current))
        while self.history[0][0] < now - 60:
            self.history.popleft()
        if after != current:
            self._rescale(cluster, current, after)

    def _stabilised(self, now: float, current: int) -> int:
        up = min(want for at, want in self.desires if at >= now - self.up_window_s)
        down = max(want for at, want in self.desires if at >= now - self.down_window_s)
        return up if up > current else min(down, current)

    def _up_limit(self, now: float, current: int) -> int:
        before = min([n for at, n in self.history if at >= now - 15] or [current])
        return max(current, before + max(self.up_pods, math.ceil(before * self.up_percent / 100)))

    def _rescale(self, cluster: Cluster, current: int, after: int) -> None:
        grew = after > current
        reason = "cpu resource utilization (percentage of request) above target" if grew else "All metrics below target"
        ref = cluster.ref("HorizontalPodAutoscaler", self.workload.namespace, self.workload.name)
        message = f"New size: {after}; reason: {reason}"
        cluster.export.event(cluster.now, ref, "SuccessfulRescale", message, "horizontal-pod-autoscaler")
        cluster.scale(self.workload, after)
        self.last_scale = cluster.now
        if self.on_scale is not None:
            self.on_scale(cluster.now, current, after)


@dataclass(slots=True, kw_only=True)
class JobRun:
    """One run of a CronJob."""

    name: str
    scheduled_at: float
    started_at: float
    ended_at: float | None = None
    failed: bool = False
    pods: list[Pod] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class CronJob:
    """A CronJob: when it runs, how long, and what its pods take from the nodes they run on."""

    name: str
    namespace: str
    schedule: str
    image: str
    style: str
    duration: Callable[[float], float]
    container: str = ""
    cores: float = 0.3
    parallelism: int = 1
    memory_mb: int = 400
    fails: Callable[[float], bool] = lambda _at: False
    keep: int = 3
    narrate: "Callable[[CronJob, JobRun, Pod], None] | None" = None
    on_start: "Callable[[JobRun], None] | None" = None
    on_end: "Callable[[JobRun], None] | None" = None
    runs: list[JobRun] = field(default_factory=list)
    active: int = 0

    def arm(self, cluster: Cluster, start: float, end: float) -> None:
        """Queue the next run after ``start``."""
        at = next_run(self.schedule, start)
        if at < end:
            cluster.at(at + cluster.rng.uniform(0.1, 1.2), lambda: self._run(cluster, at, end))

    def _nodes(self, cluster: Cluster) -> list[Node]:
        return sorted(cluster.nodes, key=lambda n: (n.demand / n.cores, n.name))[: self.parallelism]

    def _run(self, cluster: Cluster, scheduled: float, end: float) -> None:
        self.arm(cluster, scheduled, end)
        now, rng, export = cluster.now, cluster.rng, cluster.export
        run = JobRun(name=f"{self.name}-{int(scheduled) // 60}", scheduled_at=scheduled, started_at=now)
        self.runs = [*self.runs, run][-12:]
        cron = cluster.ref("CronJob", self.namespace, self.name)
        export.event(now, cron, "SuccessfulCreate", f"Created job {run.name}", "cronjob-controller")
        container = self.container or self.name
        for node in self._nodes(cluster):
            name = f"{run.name}-{rng.suffix()}"
            pod = Pod(
                name=name, uid=cluster.uid("Pod", name), ip=f"10.61.{rng.randrange(8)}.{rng.randrange(4, 250)}", node=node,
                created_at=now + 0.2, ready_at=now + 3, started_at=now + 2,
            )  # fmt: skip
            run.pods.append(pod)
            job = cluster.ref("Job", self.namespace, run.name)
            export.event(now + 0.2, job, "SuccessfulCreate", f"Created pod: {name}", "job-controller")
            cluster.pod_started_events(now + 0.2, self.namespace, pod, container, self.image)
            cluster.extra_demand[node.name] = cluster.extra_demand.get(node.name, 0.0) + self.cores
        self.active += 1
        if self.on_start is not None:
            self.on_start(run)
        run.ended_at = now + self.duration(scheduled)
        run.failed = self.fails(scheduled)
        if self.narrate is not None:
            for pod in run.pods:
                self.narrate(self, run, pod)
        cluster.at(run.ended_at, lambda: self._end(cluster, run))

    def _end(self, cluster: Cluster, run: JobRun) -> None:
        now, export = cluster.now, cluster.export
        for pod in run.pods:
            pod.gone = True
            cluster.extra_demand[pod.node.name] = max(0.0, cluster.extra_demand[pod.node.name] - self.cores)
        self.active -= 1
        job = cluster.ref("Job", self.namespace, run.name)
        if run.failed:
            text = "Job has reached the specified backoff limit"
            export.event(now + 1, job, "BackoffLimitExceeded", text, "job-controller", warning=True)
        else:
            export.event(now + 1, job, "Completed", "Job completed", "job-controller")
        status = "Failed" if run.failed else "Complete"
        cron = cluster.ref("CronJob", self.namespace, self.name)
        export.event(
            now + 1.2,
            cron,
            "SawCompletedJob",
            f"Saw completed job: {run.name}, condition: {status}",
            "cronjob-controller",
        )
        if len(self.runs) > self.keep:
            old = self.runs[-self.keep - 1].name
            export.event(now + 1.3, cron, "SuccessfulDelete", f"Deleted job {old}", "cronjob-controller")
        if self.on_end is not None:
            self.on_end(run)


def next_run(schedule: str, after_s: float) -> float:
    """Give the first time after ``after_s`` at which a cron schedule (UTC) fires, in epoch seconds."""
    return next(CronSim(schedule, datetime.fromtimestamp(after_s, tz=UTC))).timestamp()


def next_run_stamp(schedule: str, after_s: float) -> str:
    """Print the next run as RFC 3339."""
    return stamp(next_run(schedule, after_s))
