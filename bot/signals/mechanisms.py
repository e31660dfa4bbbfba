"""Known ways in which one kind of event brings about another: typed expectations, as a table.

A row lends plausibility and a range of lags; whether a given pair is tied is for the data to say (``links``). No row
knows a product, a name or a wording. Leaves out how a mechanism is told to people and what would mend it.
"""

from dataclasses import dataclass
from typing import Literal

from bot.domain.signal import Kind, Signal

MINUTE = 60.0
HOUR = 3600.0

Anchor = Literal["start", "end", "during", "since"]
"""From where the lag counts: the cause's start, its end, or anywhere from its start to its end. ``since``: the cause
stays in force until it is undone, so that effects may recur long after; the lag is that of the first."""

HERE = (("same entity", 1.0), ("owner", 1.0), ("named", 0.95))
"""The cause happens to the very thing, or to what owns it."""
CALLEE = (*HERE, ("called by", 0.95), ("same namespace", 0.6), ("cluster", 0.35))
"""Failures climb from the callee to its callers."""
STORE = (*HERE, ("called by", 0.95), ("same namespace", 0.8), ("cluster", 0.6))
"""Everybody's store: who waits for it is seldom written down."""
CALLER = (*HERE, ("calls", 0.95), ("same namespace", 0.6), ("cluster", 0.3))
"""Load falls from the caller on what it calls."""
NEIGHBOUR = (*HERE, ("same node", 0.95), ("calls", 0.8), ("same namespace", 0.6), ("cluster", 0.35))
"""Resources are shared on a node, then in a namespace."""
ANYWHERE = (*HERE, ("same node", 0.9), ("called by", 0.9), ("calls", 0.85), ("same namespace", 0.7), ("cluster", 0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """One row: any of ``causes`` may bring about any of ``effects`` after ``lag_s`` seconds.

    ``weight`` 0..1 says how typical it is; ``scopes``
    how near the two must be, with a factor each.
    """

    key: str
    causes: frozenset[Kind]
    effects: frozenset[Kind]
    lag_s: tuple[float, float]
    weight: float
    scopes: tuple[tuple[str, float], ...]
    anchor: Anchor = "start"


def _kinds(names: str) -> frozenset[Kind]:
    return frozenset(Kind(name) for name in names.split())


CONTENTION = "cpu_saturation cpu_throttling memory_pressure io_saturation network_saturation"
DROPS = "connection_reset connection_refused timeout unavailable replica_change"
FELT = "latency server_error unavailable"
STRAIN = "pool_exhaustion queue_growth retry timeout circuit_open"


PASSED_ON = "no_space lock_wait deadlock pool_exhaustion slow_query timeout out_of_memory auth_failure rate_limited replica_change"
"""What a server that has it tells whoever asked, who then tells it as well."""


def _row(
    key: str,
    causes: str,
    effects: str,
    lag_s: tuple[float, float],
    weight: float,
    scopes: tuple[tuple[str, float], ...],
    anchor: Anchor = "start",
) -> Mechanism:
    return Mechanism(
        key=key,
        causes=_kinds(causes),
        effects=_kinds(effects),
        lag_s=lag_s,
        weight=weight,
        scopes=scopes,
        anchor=anchor,
    )


MECHANISMS: tuple[Mechanism, ...] = (
    # scheduled work
    _row("job contends", "job_run", CONTENTION, (0, 10 * MINUTE), 1.0, NEIGHBOUR, "during"),
    _row("job slows neighbours", "job_run", "latency slow_query gc_pause", (0, 10 * MINUTE), 0.7, NEIGHBOUR, "during"),
    _row("job loads store", "job_run", "lock_wait slow_query deadlock pool_exhaustion queue_growth", (0, 10 * MINUTE), 0.9, ANYWHERE, "during"),
    _row("job drives scaling", "job_run", "scale_up", (0, 15 * MINUTE), 0.7, NEIGHBOUR, "during"),
    _row("job ends, load falls", "job_run", "scale_down", (0, 40 * MINUTE), 0.5, NEIGHBOUR, "end"),
    _row("job fills disk", "job_run", "disk_pressure no_space eviction", (0, 20 * MINUTE), 0.7, NEIGHBOUR, "during"),
    _row("job takes quota", "job_run", "rate_limited quota_exceeded scheduling_failure", (0, 10 * MINUTE), 0.7, NEIGHBOUR, "during"),
    _row("job breaks calls", "job_run", f"{DROPS} retry {FELT}", (0, 10 * MINUTE), 0.35, ANYWHERE, "during"),
    _row("job changes what others read", "job_run", "log_error", (0, 10 * MINUTE), 0.5, ANYWHERE, "during"),
    _row("job ends pods", "job_run", "eviction pod_kill", (0, 10 * MINUTE), 0.8, HERE, "during"),
    _row("job runs out of memory", "job_run", "oom_kill", (0, 10 * MINUTE), 0.6, (("same entity", 1.0), ("owner", 1.0), ("same node", 0.8)), "during"),
    _row("neighbour contends", "noisy_neighbour", f"{CONTENTION} latency slow_query gc_pause", (0, 10 * MINUTE), 0.95, (("same node", 1.0),), "during"),
    _row("neighbour starves", "noisy_neighbour", f"timeout probe_failure scale_up {FELT}", (0, 15 * MINUTE), 0.5, NEIGHBOUR, "during"),
    # load
    _row("load rises", "traffic_rise retry", f"{CONTENTION} scale_up latency {STRAIN} rate_limited name_resolution_failure gc_pause memory_growth", (0, 20 * MINUTE), 0.8, CALLER, "during"),
    _row("load overwhelms", "traffic_rise", f"{FELT} probe_failure oom_kill", (0, 20 * MINUTE), 0.5, CALLER, "during"),
    # contention and what follows
    _row("saturation slows", CONTENTION + " gc_pause", f"latency timeout slow_query gc_pause cpu_throttling {STRAIN}", (0, 15 * MINUTE), 0.85, (*NEIGHBOUR, ("called by", 0.95)), "during"),
    _row("saturation fails requests", CONTENTION, "server_error unavailable", (0, 15 * MINUTE), 0.45, (*NEIGHBOUR, ("called by", 0.95)), "during"),
    _row("saturation scales", "cpu_saturation memory_pressure latency", "scale_up", (0, 15 * MINUTE), 0.95, NEIGHBOUR, "during"),
    _row("saturation ends, scale-down", "cpu_saturation memory_pressure", "scale_down", (0, 40 * MINUTE), 0.6, NEIGHBOUR, "end"),
    _row("starved probes", f"{CONTENTION} gc_pause latency", "probe_failure", (0, 10 * MINUTE), 0.9, NEIGHBOUR, "during"),
    _row("memory runs out", "memory_growth memory_pressure", "oom_kill out_of_memory eviction", (-10 * MINUTE, 15 * MINUTE), 1.0, NEIGHBOUR, "end"),
    _row("no memory left, so errors", "out_of_memory", f"{FELT} {DROPS} log_error", (0, 10 * MINUTE), 0.85, CALLEE, "during"),
    _row("full memory is collected", "memory_growth memory_pressure", "gc_pause", (0, 15 * MINUTE), 0.8, HERE, "during"),
    _row("memory slows", "memory_growth", "latency timeout probe_failure container_restart", (0, 6 * HOUR), 0.6, HERE, "during"),
    _row("what it holds open runs out", "resource_growth", f"pool_exhaustion out_of_memory no_space disk_pressure log_error crash_loop container_restart shutdown latency server_error unavailable {DROPS}", (-10 * MINUTE, 15 * MINUTE), 0.9, CALLEE, "end"),
    # scaling
    _row("scaled up, so scaled down", "scale_up", "scale_down", (MINUTE, 4 * HOUR), 0.9, HERE),
    _row("more replicas, more demand", "scale_up", "cpu_saturation pool_exhaustion scheduling_failure quota_exceeded memory_pressure", (0, 15 * MINUTE), 0.55, (*NEIGHBOUR, ("called by", 0.8))),
    _row("more replicas start", "scale_up rollout reload", "pod_start startup", (0, 5 * MINUTE), 0.5, HERE),
    _row("scale-down ends pods", "scale_down", "pod_kill shutdown", (0, 5 * MINUTE), 1.0, HERE),
    _row("scale-down drops requests", "scale_down", f"{DROPS} {FELT} retry", (0, 6 * MINUTE), 0.6, CALLEE),
    _row("fewer replicas, more load", "scale_down", "cpu_saturation latency queue_growth pool_exhaustion rate_limited circuit_open memory_pressure", (0, 20 * MINUTE), 0.5, CALLEE),
    # ending pods
    _row("killed with requests in flight", "pod_kill shutdown", f"{DROPS} retry", (0, 3 * MINUTE), 1.0, CALLEE),
    _row("killed, so errors", "pod_kill shutdown", f"{FELT} log_error", (0, 4 * MINUTE), 0.6, CALLEE),
    _row("restart refuses calls", "oom_kill container_restart crash_loop eviction node_failure", f"{DROPS} {FELT} retry circuit_open log_error probe_failure", (0, 10 * MINUTE), 0.9, CALLEE),
    _row("out of memory restarts", "oom_kill out_of_memory probe_failure", "container_restart crash_loop pod_kill shutdown startup", (0, 10 * MINUTE), 0.95, HERE),
    _row("restarts loop", "container_restart job_failure bad_config startup", "crash_loop", (0, 10 * MINUTE), 0.8, HERE),
    _row("unready, so unavailable", "probe_failure", f"{FELT} {DROPS} rollout_stuck", (0, 5 * MINUTE), 0.8, CALLEE, "during"),
    # changes: they stay in force until undone
    _row("rollout leaks", "rollout reload config_change", "memory_growth resource_growth memory_pressure oom_kill out_of_memory gc_pause disk_hog disk_pressure no_space", (0, 24 * HOUR), 1.0, HERE, "since"),
    _row("change fills what it uses", "rollout reload config_change human_change scale_down", "resource_growth memory_growth queue_growth", (0, HOUR), 0.8, (*HERE, ("calls", 0.95), ("called by", 0.6), ("same namespace", 0.6)), "since"),
    _row("new settings replace pods", "config_change secret_change", "reload", (0, 30 * MINUTE), 1.0, (("named", 1.0),)),
    _row("rollout fails", "rollout reload config_change", "crash_loop image_pull_failure probe_failure mount_failure bad_config rollout_stuck container_restart quota_exceeded scheduling_failure", (0, 30 * MINUTE), 1.0, HERE, "since"),
    _row("rollout ends pods", "rollout reload", "pod_kill shutdown", (0, 10 * MINUTE), 0.7, HERE, "during"),
    _row("change breaks", "rollout reload config_change human_change", f"server_error client_error log_error log_burst latency {DROPS} name_resolution_failure auth_failure tls_failure slow_query lock_wait disk_pressure no_space {STRAIN} rate_limited", (0, 6 * HOUR), 0.85, CALLEE, "since"),
    _row("change breaks", "rollout reload config_change human_change", "cpu_saturation cpu_throttling", (0, 6 * HOUR), 0.85, HERE, "since"),
    _row("change loads", "rollout reload config_change human_change", f"{CONTENTION} slow_query lock_wait traffic_rise disk_pressure resource_shift scale_up", (0, 6 * HOUR), 0.7, CALLER, "since"),
    _row("limit refuses", "config_change", "quota_exceeded drain_blocked", (0, 24 * HOUR), 1.0, (("named", 1.0), ("owner", 1.0)), "since"),
    _row("change makes it log", "rollout reload config_change", "log_burst", (0, HOUR), 0.9, HERE, "since"),
    _row("credentials changed", "secret_change human_change", "auth_failure tls_failure", (0, 24 * HOUR), 1.0, ANYWHERE, "since"),
    _row("credentials break", "secret_change", f"{FELT} {DROPS} crash_loop log_error", (0, 12 * HOUR), 0.6, ANYWHERE, "since"),
    _row("certificate expires", "certificate_expiry", "tls_failure", (0, 2 * HOUR), 1.0, ANYWHERE, "since"),
    _row("expiry cuts off", "certificate_expiry", f"{FELT} {DROPS} retry", (0, 2 * HOUR), 0.7, ANYWHERE, "since"),
    _row("renewal fails, so it expires", "renewal_failure", "certificate_expiry", (0, 30 * 24 * HOUR), 0.9, HERE, "during"),
    _row("clocks apart", "clock_jump", "auth_failure tls_failure", (-2 * MINUTE, 15 * MINUTE), 0.9, (*HERE, ("same node", 0.9)), "during"),
    # refused, unresolved, unauthenticated
    _row("resolver fails its clients", "name_resolution_failure", "name_resolution_failure", (0, 10 * MINUTE), 0.85, (("called by", 1.0), ("named", 0.9), ("cluster", 0.6)), "during"),
    _row("calls cannot be made", "tls_failure auth_failure name_resolution_failure bad_config", f"{STRAIN} {FELT} connection_refused log_error crash_loop probe_failure job_failure", (0, 10 * MINUTE), 0.9, CALLEE, "during"),
    # outside
    _row("third party fails", "external_failure", f"{STRAIN} {FELT} {DROPS} log_error rate_limited image_pull_failure tls_failure", (0, 15 * MINUTE), 1.0, CALLEE, "during"),
    _row("third party refuses", "rate_limited", f"{STRAIN} {FELT} log_error", (0, 10 * MINUTE), 0.7, CALLEE, "during"),
    # stores
    _row("lock blocks", "lock_wait deadlock", f"slow_query latency {STRAIN} log_error", (0, 20 * MINUTE), 1.0, STORE, "during"),
    _row("lock fails requests", "lock_wait deadlock", "server_error unavailable", (0, 20 * MINUTE), 0.6, STORE, "during"),
    _row("slow queries hold connections", "slow_query", f"latency lock_wait {STRAIN}", (0, 15 * MINUTE), 0.85, STORE, "during"),
    *(_row("failure is passed on", kind, kind, (0, 10 * MINUTE), 0.9, (("called by", 1.0),), "during") for kind in PASSED_ON.split()),
    _row("leader lost with its node", "node_failure", "replica_change", (0, 15 * MINUTE), 1.0, (*HERE, ("same node", 0.95), ("called by", 0.95), ("same namespace", 0.8)), "since"),
    _row("leader lost with its pod", "pod_kill shutdown eviction oom_kill container_restart crash_loop pod_shortfall", "replica_change", (0, 15 * MINUTE), 1.0, (*HERE, ("called by", 0.95), ("same namespace", 0.5)), "since"),
    _row("slow replica falls out", f"{CONTENTION} gc_pause noisy_neighbour", "replica_change", (0, 15 * MINUTE), 0.9, (*HERE, ("same node", 0.95), ("called by", 0.95), ("same namespace", 0.6)), "during"),
    _row("without a leader no writes", "replica_change", f"{FELT} log_error retry timeout queue_growth pool_exhaustion", (0, 15 * MINUTE), 0.95, CALLEE, "during"),
    _row("pool runs dry", "pool_exhaustion", f"timeout latency retry queue_growth log_error probe_failure {FELT} circuit_open", (0, 15 * MINUTE), 0.95, CALLEE, "during"),
    # propagation of failure
    _row("slow, so timed out", "latency", f"timeout retry queue_growth pool_exhaustion {FELT} circuit_open", (0, 15 * MINUTE), 0.8, CALLEE, "during"),
    _row("timeouts make retries", f"{DROPS} server_error", "retry queue_growth circuit_open", (0, 10 * MINUTE), 0.9, CALLEE, "during"),
    _row("dropped, so errors", DROPS, "server_error unavailable latency", (0, 10 * MINUTE), 0.9, CALLEE, "during"),
    _row("retries pile up", "retry", "queue_growth pool_exhaustion timeout server_error unavailable latency", (0, 15 * MINUTE), 0.85, ANYWHERE, "during"),
    _row("queue overflows", "queue_growth circuit_open", f"{FELT} timeout connection_refused", (0, 15 * MINUTE), 0.95, ANYWHERE, "during"),
    _row("errors climb", "server_error log_error unavailable", "server_error unavailable log_error", (0, 10 * MINUTE), 0.75, (("called by", 1.0), ("same entity", 0.6), ("named", 0.9), ("same namespace", 0.5), ("cluster", 0.3)), "during"),
    # nodes, disks, images, quotas
    _row("disk fills", "disk_pressure no_space", "eviction no_space server_error log_error crash_loop image_pull_failure", (0, 2 * HOUR), 0.9, NEIGHBOUR, "during"),
    _row("logging fills disk", "log_burst", "disk_hog", (0, 24 * HOUR), 0.95, HERE, "during"),
    _row("logging fills disk", "log_burst", "disk_pressure io_saturation", (0, 12 * HOUR), 0.9, NEIGHBOUR, "during"),
    _row("one fills the disk of all", "disk_hog", "disk_pressure eviction no_space pod_kill", (-MINUTE, 15 * MINUTE), 1.0, (*HERE, ("same node", 1.0), ("cluster", 0.8)), "during"),
    _row("node's agent away", "rollout reload pod_kill shutdown container_restart crash_loop oom_kill probe_failure pod_shortfall", f"{DROPS} {FELT} retry log_error name_resolution_failure mount_failure scheduling_failure container_restart pod_kill", (0, 5 * MINUTE), 0.8, (("node agent", 1.0),), "during"),
    _row("drain must wait, then goes through", "drain_blocked", "pod_kill eviction node_failure", (0, 6 * HOUR), 0.9, (*HERE, ("same node", 0.9)), "during"),
    _row("node lost", "node_failure disk_pressure memory_pressure", "eviction pod_kill scheduling_failure container_restart", (0, 30 * MINUTE), 1.0, (("same entity", 1.0), ("same node", 1.0), ("named", 1.0), ("cluster", 0.4)), "during"),
    _row("node breaks what runs on it", "node_failure clock_jump", f"auth_failure tls_failure name_resolution_failure mount_failure latency log_error slow_query {DROPS}", (0, 30 * MINUTE), 0.7, (("same entity", 1.0), ("same node", 0.9)), "during"),
    _row("evicted, so unplaced", "eviction node_failure pod_kill", "scheduling_failure", (0, 15 * MINUTE), 0.8, ANYWHERE, "during"),
    _row("no place to run", "scheduling_failure quota_exceeded image_pull_failure mount_failure autoscaler_failure", f"{FELT} {DROPS} rollout_stuck latency cpu_saturation queue_growth circuit_open", (-2 * MINUTE, 30 * MINUTE), 0.8, CALLEE, "during"),
    _row("refused, so too few", "quota_exceeded scheduling_failure image_pull_failure mount_failure eviction node_failure pod_kill crash_loop bad_config rollout reload", "pod_shortfall", (-2 * MINUTE, 15 * MINUTE), 0.95, (*HERE, ("same node", 0.8)), "during"),
    _row("admission fails closed", "unavailable bad_config", "rollout_stuck pod_shortfall", (0, 15 * MINUTE), 1.0, (("named", 1.0),), "during"),
    _row("too few to serve", "pod_shortfall", f"{FELT} {DROPS} log_error latency cpu_saturation queue_growth circuit_open", (-2 * MINUTE, 30 * MINUTE), 0.8, CALLEE, "during"),
    _row("no place, so stuck", "quota_exceeded image_pull_failure mount_failure scheduling_failure probe_failure crash_loop", "rollout_stuck crash_loop", (-2 * MINUTE, 30 * MINUTE), 0.9, HERE, "during"),
    _row("crash loop fails callers", "crash_loop job_failure rollout_stuck", f"{FELT} {DROPS} retry log_error", (0, 20 * MINUTE), 0.8, CALLEE, "during"),
    # alerts follow what they watch
    _row("alert fires", f"{FELT} {CONTENTION} {STRAIN} oom_kill crash_loop", "alert", (0, 20 * MINUTE), 0.4, ANYWHERE, "during"),
)  # fmt: skip
"""Every row, in the order in which ties are broken."""


BY_STATUS: dict[str, Kind] = {
    "504": Kind.TIMEOUT,
    "401": Kind.AUTH_FAILURE,
    "403": Kind.AUTH_FAILURE,
}
"""What a response says by its status alone, whatever else was logged (RFC 9110, sections 15.5.2, 15.5.4 and 15.6.5)."""


def mechanisms_between(cause: Kind, effect: Kind, status: str = "") -> tuple[Mechanism, ...]:
    """Give the rows that could tie a cause of one kind to an effect of another; ``status`` is the effect's HTTP status."""
    rows = _BY_PAIR.get((cause, effect), ())
    said = BY_STATUS.get(status) if effect in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR) else None
    return (*rows, *_BY_PAIR.get((cause, said), ())) if said else rows


def _by_pair() -> dict[tuple[Kind, Kind], tuple[Mechanism, ...]]:
    pairs: dict[tuple[Kind, Kind], tuple[Mechanism, ...]] = {}
    for row in MECHANISMS:
        for cause in sorted(row.causes):
            for effect in sorted(row.effects):
                pairs[cause, effect] = (*pairs.get((cause, effect), ()), row)
    return pairs


_BY_PAIR = _by_pair()

EXOGENOUS: dict[Kind, float] = {
    Kind.JOB_RUN: 1.0,
    Kind.ROLLOUT: 1.0,
    Kind.CONFIG_CHANGE: 1.0,
    Kind.SECRET_CHANGE: 1.0,
    Kind.CERTIFICATE_EXPIRY: 1.0,
    Kind.RENEWAL_FAILURE: 0.9,
    Kind.EXTERNAL_FAILURE: 0.95,
    Kind.DISK_HOG: 0.75,
    Kind.DRAIN_BLOCKED: 0.75,
    Kind.RELOAD: 0.5,  # what was changed for it was not seen
    Kind.NODE_FAILURE: 1.0,
    Kind.HUMAN_CHANGE: 0.85,
    Kind.TRAFFIC_RISE: 0.8,
    Kind.NOISY_NEIGHBOUR: 0.8,
    Kind.CLOCK_JUMP: 0.8,
    Kind.QUOTA_EXCEEDED: 0.7,
    Kind.IMAGE_PULL_FAILURE: 0.7,
    Kind.DISK_PRESSURE: 0.6,
    Kind.NO_SPACE: 0.6,
    Kind.LOCK_WAIT: 0.6,
    Kind.MEMORY_GROWTH: 0.6,
    Kind.RESOURCE_GROWTH: 0.6,
    Kind.BAD_CONFIG: 0.65,
    Kind.NAME_RESOLUTION_FAILURE: 0.55,
    Kind.RATE_LIMITED: 0.55,
    Kind.AUTH_FAILURE: 0.45,  # whoever was refused did not refuse
    Kind.TLS_FAILURE: 0.45,
    Kind.OOM_KILL: 0.5,
    Kind.GC_PAUSE: 0.5,
    Kind.MEMORY_PRESSURE: 0.5,
    Kind.DEADLOCK: 0.5,
    Kind.LOG_BURST: 0.45,
    Kind.CPU_SATURATION: 0.45,
    Kind.CPU_THROTTLING: 0.6,  # only ever by a limit that somebody set
    Kind.IO_SATURATION: 0.45,
    Kind.SCHEDULING_FAILURE: 0.45,
    Kind.POD_SHORTFALL: 0.4,  # something refuses the pods
    Kind.SCALE_DOWN: 0.4,
    Kind.SCALE_UP: 0.35,
}
"""How well a kind can stand at the start of a chain: 1 where people, schedules or the world outside act, less where
something must have brought it about that was not seen. Kinds not named here: 0.25."""


def standing(signal: Signal) -> float:
    """Tell how well a signal can stand at the start of a chain: by its kind, unless what is known of it says otherwise."""
    return float(signal.attributes.get("standing", EXOGENOUS.get(signal.kind, 0.25)))


STAGES: dict[Kind, str] = {
    Kind.CPU_SATURATION: "contention",
    Kind.CPU_THROTTLING: "contention",
    Kind.MEMORY_PRESSURE: "contention",
    Kind.IO_SATURATION: "contention",
    Kind.NETWORK_SATURATION: "contention",
    Kind.POD_KILL: "ending",
    Kind.SHUTDOWN: "ending",
    Kind.OOM_KILL: "memory out",
    Kind.OUT_OF_MEMORY: "memory out",
    Kind.CONTAINER_RESTART: "restart",
    Kind.CRASH_LOOP: "restart",
    Kind.CONNECTION_RESET: "dropped",
    Kind.CONNECTION_REFUSED: "dropped",
    Kind.LOCK_WAIT: "lock",
    Kind.DEADLOCK: "lock",
    Kind.SLOW_QUERY: "slow",
    Kind.LOG_BURST: "log_error",
    Kind.LATENCY: "slow",
}
"""Kinds that are one stage of a cascade seen from several sides."""


def stage(kind: Kind) -> str:
    """Name the stage of a cascade that a kind belongs to: a chain passes each stage once."""
    return STAGES.get(kind, kind.value)
