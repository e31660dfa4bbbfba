"""What a simulated cluster is made of: nodes, pods, and the workloads that own pods; data alone, changed by the cluster."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Template = tuple[dict[str, str], dict[str, str], float | None]
"""Variables, annotations and CPU limit of a pod template."""


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """A machine; ``inflation`` is what a request's CPU time costs there compared with an idle machine."""

    name: str
    cores: float
    memory_gb: int
    zone: str
    ip: str
    demand: float = 0.0
    inflation: float = 1.0
    conditions: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Conditions that hold against it at the end of the window: type to ``(since, reason)``."""
    ready_since: float | None = None
    cordoned: bool = False
    """Whether the scheduler leaves it out: a taint, a cordon, or not ready."""


@dataclass(slots=True, kw_only=True, eq=False)
class Pod:
    """A pod, alive or gone."""

    name: str
    uid: str
    ip: str
    node: Node
    created_at: float
    ready_at: float
    stop_at: float | None = None
    gone: bool = False
    memory_mb: float = 0.0
    cpu: float = 0.0
    restarts: int = 0
    died_at: float | None = None
    last_state: dict[str, Any] = field(default_factory=dict)
    started_at: float = 0.0
    scheduled_at: float = 0.0
    waiting: str = ""
    """Why its container has not started, in the kubelet's or the scheduler's word."""
    when_ready: Callable[[], None] | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Workload:
    """A Deployment or StatefulSet and how its software behaves."""

    name: str
    namespace: str
    style: str
    image: str
    tag: str
    replicas: int
    port: int = 8080
    kind: str = "Deployment"
    container: str = ""
    cpu_request: float = 0.5
    cpu_idle: float = 0.03
    cpu_per_request: float = 0.02
    cpu_boot: float = 0.25
    boot_s: float = 8.0
    memory_mb: float = 300.0
    memory_request_mb: int = 512
    memory_limit_mb: int = 768
    memory_swing: float = 0.05
    leak_mb_per_request: float = 0.0
    latency_s: float = 0.04
    grace_s: float = 30.0
    probe: bool = True
    """Whether a readiness probe keeps requests away while the container boots."""
    hash: str = ""
    revision: int = 1
    old_hashes: list[tuple[str, int, str, float]] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    rate: float = 0.0
    slowdown: float = 1.0
    retired_cpu_s: float = 0.0
    calls: "list[Any]" = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    templates: dict[str, "Template"] = field(default_factory=dict)
    """What each revision's pods were made from, by the hash of its ReplicaSet."""
    sick: float = 0.0
    """Share of the requests to it that fail because its pods cannot keep up, and how they fail."""
    sick_kind: str = "timeout"
    slow_pods: list[Pod] = field(default_factory=list)
    """The pods that are too slow, where not all of them are."""
    pod_spec: dict[str, Any] = field(default_factory=dict)
    """What its pod template says beyond the ordinary."""
    container_spec: dict[str, Any] = field(default_factory=dict)
    cpu_limit: float | None = None
    failed_pods: list[tuple[Pod, float, str, str]] = field(default_factory=list)
    """Pods that stay behind as Failed: ``(pod, since, reason, message)``."""
    strategy: dict[str, Any] = field(default_factory=dict)
    pinned: str = ""
    """The node its pods must run on, where a node selector says so."""

    @property
    def app(self) -> str:
        """The container's name."""
        return self.container or self.name

    def remember(self) -> None:
        """Keep what the present revision's pods are made from, as its ReplicaSet does."""
        self.templates[self.hash] = (dict(self.env), dict(self.annotations), self.cpu_limit)

    def live(self) -> list[Pod]:
        """Pods that are not being terminated."""
        return [pod for pod in self.pods if pod.stop_at is None]

    def ready(self, now: float) -> list[Pod]:
        """Pods that take requests."""
        return [pod for pod in self.pods if pod.stop_at is None and pod.died_at is None and pod.ready_at <= now]

    def utilisation(self, now: float) -> float:
        """Mean CPU use as a share of the request, as the metrics API reports it for ready pods."""
        ready = self.ready(now)
        return sum(pod.cpu for pod in ready) / (len(ready) * self.cpu_request) if ready else 0.0
