"""What the digest makes of raw items: signals, that is one kind of thing happening to one entity at known times."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from bot.domain.entity import Entity
from bot.domain.items import ItemId

SignalId = NewType("SignalId", str)


def signal_id(kind: "Kind", entity: Entity, subject: str = "") -> SignalId:
    """Name a signal by what it is, so that the same case gives the same ids every time."""
    mark = f"#{zlib.crc32(subject.encode()):08x}" if subject else ""
    return SignalId(f"{kind}|{entity}{mark}")


class Kind(StrEnum):
    """What a signal is, in the field's words. Closed, so that mechanisms can be a table over it."""

    # things people and schedules do: they can begin a chain
    JOB_RUN = "job_run"
    ROLLOUT = "rollout"
    CONFIG_CHANGE = "config_change"
    SECRET_CHANGE = "secret_change"  # noqa: S105 - a kind of change, not a password
    RELOAD = "reload"
    HUMAN_CHANGE = "human_change"
    TRAFFIC_RISE = "traffic_rise"
    NOISY_NEIGHBOUR = "noisy_neighbour"
    DISK_HOG = "disk_hog"
    CERTIFICATE_EXPIRY = "certificate_expiry"
    RENEWAL_FAILURE = "renewal_failure"
    # things the world outside does
    EXTERNAL_FAILURE = "external_failure"
    NODE_FAILURE = "node_failure"
    CLOCK_JUMP = "clock_jump"
    # resources
    CPU_SATURATION = "cpu_saturation"
    CPU_THROTTLING = "cpu_throttling"
    MEMORY_GROWTH = "memory_growth"
    MEMORY_PRESSURE = "memory_pressure"
    DISK_PRESSURE = "disk_pressure"
    IO_SATURATION = "io_saturation"
    NETWORK_SATURATION = "network_saturation"
    GC_PAUSE = "gc_pause"
    RESOURCE_GROWTH = "resource_growth"
    RESOURCE_SHIFT = "resource_shift"
    # what Kubernetes does
    SCALE_UP = "scale_up"
    SCALE_DOWN = "scale_down"
    POD_SHORTFALL = "pod_shortfall"
    POD_KILL = "pod_kill"
    POD_START = "pod_start"
    OOM_KILL = "oom_kill"
    CONTAINER_RESTART = "container_restart"
    CRASH_LOOP = "crash_loop"
    PROBE_FAILURE = "probe_failure"
    EVICTION = "eviction"
    SCHEDULING_FAILURE = "scheduling_failure"
    IMAGE_PULL_FAILURE = "image_pull_failure"
    MOUNT_FAILURE = "mount_failure"
    QUOTA_EXCEEDED = "quota_exceeded"
    ROLLOUT_STUCK = "rollout_stuck"
    DRAIN_BLOCKED = "drain_blocked"
    AUTOSCALER_FAILURE = "autoscaler_failure"
    JOB_FAILURE = "job_failure"
    # what software does
    LOCK_WAIT = "lock_wait"
    DEADLOCK = "deadlock"
    SLOW_QUERY = "slow_query"
    POOL_EXHAUSTION = "pool_exhaustion"
    QUEUE_GROWTH = "queue_growth"
    REPLICA_CHANGE = "replica_change"
    TIMEOUT = "timeout"
    RETRY = "retry"
    CONNECTION_RESET = "connection_reset"
    CONNECTION_REFUSED = "connection_refused"
    NAME_RESOLUTION_FAILURE = "name_resolution_failure"
    TLS_FAILURE = "tls_failure"
    AUTH_FAILURE = "auth_failure"
    RATE_LIMITED = "rate_limited"
    CIRCUIT_OPEN = "circuit_open"
    OUT_OF_MEMORY = "out_of_memory"
    NO_SPACE = "no_space"
    SHUTDOWN = "shutdown"
    STARTUP = "startup"
    BAD_CONFIG = "bad_config"
    # what users feel
    LATENCY = "latency"
    SERVER_ERROR = "server_error"
    CLIENT_ERROR = "client_error"
    UNAVAILABLE = "unavailable"
    # the rest
    LOG_ERROR = "log_error"
    LOG_BURST = "log_burst"
    ALERT = "alert"


BACK = "back as it was before: "
"""How the note of an occurrence begins that put back what an earlier one of its signal had changed."""


COMES_ALONG = frozenset(
    {
        *(Kind.HUMAN_CHANGE, Kind.POD_START, Kind.POD_KILL, Kind.STARTUP, Kind.SHUTDOWN),
        *(Kind.SCALE_UP, Kind.SCALE_DOWN, Kind.ALERT),
    }
)
"""What comes with any change of a workload and is no trouble by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One time it happened: ``[start_s, end_s]`` in seconds since the epoch (equal for an instant).

    ``size`` is how much of it there was (lines, requests, sigmas over the level), 1.0 where there is nothing to count.
    ``refs`` are ids of the stored items that show it, the most telling first, at most a handful. ``waited_s``: for how long it
    had been going on when it was written down, as that says itself; so long before ``start_s`` it began.
    """

    start_s: float
    end_s: float
    size: float = 1.0
    refs: tuple[ItemId, ...] = ()
    note: str = ""
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One kind of thing that happened to one entity, every time it happened, ascending.

    ``label`` is a short phrase without times ("scaled down", "HTTP 502 responses"); ``source`` the source it was seen
    in; ``subject`` what a template or series is (masked template text, series name), for telling alike signals apart;
    ``nodes`` the nodes it happened on, ``mentions`` other entities its lines name (callees, peers, hosts).
    ``total`` counts single events; an occurrence may fold many. ``levels`` says of a trouble that has degrees where it was
    worse than an occurrence asks for: stretches ``[start_s, end_s]``, level by level, each within the one before.
    ``pods`` counts single events by the pod they happened to, where that is known.
    """

    id: SignalId
    kind: Kind
    entity: Entity
    label: str
    source: str
    occurrences: tuple[Occurrence, ...]
    total: int
    subject: str = ""
    period_s: float | None = None
    nodes: frozenset[str] = frozenset()
    mentions: tuple[Entity, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    levels: tuple[tuple[tuple[float, float], ...], ...] = ()
    pods: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecFact:
    """A setting worth citing: ``entity``'s ``name`` is ``value`` (seconds, counts … as ``number`` where it is one).

    ``quote`` stands verbatim in the bytes of item ``ref``.
    """

    entity: Entity
    name: str
    value: str
    number: float | None
    quote: str
    ref: ItemId


@dataclass(frozen=True, slots=True, kw_only=True)
class PodLife:
    """From when to when a pod is known to have been there (epoch seconds, infinite where it is open), where, and whose it was."""

    start_s: float
    end_s: float
    nodes: frozenset[str] = frozenset()
    replica_set: Entity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is kept of a workload's revisions: when each was made (epoch seconds, ascending), and when its last rollout moved.

    ``moved_s`` also tells of a return to an older revision, which makes no new one; None where the object does not say it.
    """

    made_s: tuple[float, ...]
    moved_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Who belongs to whom, read from objects, events and logs.

    ``owner`` leads from a pod (or ReplicaSet, Job) to what a report names (Deployment, CronJob …); ``node_of`` from
    pod to node; ``targets`` from a HorizontalPodAutoscaler to its workload; ``claims`` from a PersistentVolumeClaim to the
    workload that keeps its data there; ``backends`` from a Service or Ingress to workloads; ``calls`` holds caller → callee workloads or hosts as seen in logs and specs; ``pods`` says of each
    workload's pods how long they lived.
    """

    owner: Mapping[Entity, Entity] = field(default_factory=dict)
    nodes: Mapping[Entity, frozenset[str]] = field(default_factory=dict)
    targets: Mapping[Entity, Entity] = field(default_factory=dict)
    backends: Mapping[Entity, frozenset[Entity]] = field(default_factory=dict)
    calls: frozenset[tuple[Entity, Entity]] = frozenset()
    pods: Mapping[Entity, Mapping[Entity, PodLife]] = field(default_factory=dict)
    claims: Mapping[Entity, Entity] = field(default_factory=dict)

    def root(self, entity: Entity) -> Entity:
        """Follow owners up to what a report names; cycles end where they began."""
        seen = {entity}
        while (above := self.owner.get(entity)) is not None and above not in seen:
            seen.add(above)
            entity = above
        return entity


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesLag:
    """The series moves ``ahead_s`` before the target (negative: after it), with this correlation.

    ``p_value``: of so strong a correlation at any lag looked at, of series that have nothing to do with each other and each
    their own memory. ``samples``: the independent samples that are worth as much as all there are.
    """

    ahead_s: float
    correlation: float
    p_value: float
    samples: float
