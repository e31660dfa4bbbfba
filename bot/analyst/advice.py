"""What to change: a table from kinds of steps to changes people make, each with what it would have spared.

The numbers are counted in the window under an assumption that is named; commands are for review, never run. Most
specific first: a setting that the cascade shows to be too small comes before general advice.
"""

from collections.abc import Callable

from bot.analyst import (
    advice_calls as calls,
    advice_changes as changes,
    advice_jobs as jobs,
    advice_limits as limits,
    advice_nodes as nodes,
    advice_probes as probes,
    measured_advice as measured,
    words,
)
from bot.analyst.advice_parts import struck_of
from bot.analyst.findings import Findings
from bot.analyst.words import counted, plural
from bot.domain.link import Chain
from bot.domain.report import Recommendation
from bot.domain.signal import Kind, Signal

MOST = 4
NEARLY_ALL = 0.9
GENERAL: dict[Kind, tuple[str, str]] = {
    **changes.UNDO,
    Kind.JOB_RUN: jobs.OTHERWISE,
    Kind.EXTERNAL_FAILURE: (
        "Put a short timeout, a circuit breaker and a fallback on calls to {who}",
        "its failures cannot be prevented from here; what they take with them can",
    ),
    Kind.NOISY_NEIGHBOUR: (
        "Limit the CPU of {who}, or keep it off the nodes that serve requests (taints, anti-affinity)",
        "what it takes is missing to its neighbours",
    ),
    Kind.DISK_HOG: (
        "Bound what {who} writes to its node's disk: log level, rotation, an ephemeral-storage limit",
        "the kubelet evicts its neighbours along with it when the disk is full",
    ),
    Kind.DRAIN_BLOCKED: (
        "Let the disruption budget of {who} spare at least one pod (maxUnavailable: 1), and spread its pods over nodes",
        "a drain that may evict nothing ends by deleting all of a node's pods at once",
    ),
    Kind.RENEWAL_FAILURE: (
        "Find out why {who} cannot be renewed, and alert weeks before any notAfter",
        "what is not renewed expires",
    ),
    Kind.CLOCK_JUMP: ("Mend time synchronisation on {who}", "tokens, leases and certificates are judged by the clock"),
    Kind.NO_SPACE: ("Free space on {who}, and bound what fills it", "writes fail when there is none"),
    Kind.MEMORY_PRESSURE: (
        "Give {who} more memory (a higher limit, where it has one), or less to hold",
        "it holds more than usual",
    ),
    Kind.TLS_FAILURE: ("Check the certificate and trust store that {who} uses", "its handshakes are refused"),
    Kind.NODE_FAILURE: (
        "Spread replicas over nodes and keep room for the loss of one",
        "one node's loss took more than its share with it",
    ),
    Kind.TRAFFIC_RISE: (
        "Scale ahead of the peak, and shed load that cannot be served",
        "the peak arrives faster than the capacity",
    ),
    Kind.SCALE_DOWN: (
        "Slow the scale-down of {who}: a longer stabilisation window and one pod at a time",
        "each scale-down ends pods that still serve requests",
    ),
    Kind.LOCK_WAIT: (
        "Set lock_timeout for maintenance and migrations, and run them in small batches off the peak",
        "one session that holds a lock stops all that wait for it",
    ),
    Kind.DEADLOCK: ("Take locks in one order, and retry deadlocked transactions", "sessions block each other"),
    Kind.POOL_EXHAUSTION: (
        "Bound how long {who} waits for a connection and how long it may hold one",
        "requests wait for connections that nobody gives back",
    ),
    Kind.RETRY: (
        "Give retries a budget, jitter and a limit of attempts",
        "retries multiply the load just when there is least room for it",
    ),
    Kind.QUEUE_GROWTH: (
        "Bound the queue at {who} by time instead of length, and refuse early",
        "a full queue turns slow answers into errors for everyone",
    ),
    Kind.REPLICA_CHANGE: (
        "Let clients of {who} follow a new leader: short connection lifetimes, retries on the errors of a changed role",
        "who keeps the old address goes on failing long after another leads",
    ),
    Kind.MEMORY_GROWTH: (
        "Find what {who} keeps in memory; until then raise its limit or restart it before it is full",
        "its memory does not come back between restarts",
    ),
    Kind.RESOURCE_GROWTH: (
        "Find what makes {who} grow and never lets go; until then empty, restart or enlarge it before it is full",
        "what has piled up in it does not go by itself",
    ),
    Kind.OOM_KILL: ("Set the memory limit of {who} above its measured peak", "it is killed at its limit"),
    Kind.CPU_THROTTLING: ("Raise or remove the CPU limit of {who}", "it is throttled while the node has CPU to spare"),
    Kind.PROBE_FAILURE: (
        "Give the liveness probe of {who} a longer timeout than its longest pause",
        "a slow container is restarted as if it were dead",
    ),
    Kind.DISK_PRESSURE: (
        "Bound what {who} writes to its disk (log level, rotation, ephemeral-storage limits)",
        "the kubelet evicts pods when the disk is full",
    ),
    Kind.LOG_BURST: ("Turn the log level of {who} down", "it writes far more than usual"),
    Kind.NAME_RESOLUTION_FAILURE: (
        "Cache DNS on the node, write fully qualified names, and give the resolver more replicas",
        "lookups are dropped when there are too many",
    ),
    Kind.IMAGE_PULL_FAILURE: (
        "Pin images by digest and mirror the registry",
        "a pod that cannot pull cannot start",
    ),
    Kind.QUOTA_EXCEEDED: ("Raise the quota or free what uses it", "new pods are refused"),
    Kind.SCHEDULING_FAILURE: ("Keep room for one more replica of {who} on the nodes", "pods wait for a place"),
    Kind.RATE_LIMITED: ("Stay under the limit: batch, cache, or ask for more", "calls beyond the limit are refused"),
    Kind.AUTH_FAILURE: ("Check which credentials {who} uses, and reload them", "it is refused for them"),
    Kind.BAD_CONFIG: ("Check configuration before it is rolled out", "it is refused at start"),
    Kind.SLOW_QUERY: ("Look at the plan and indexes of the slow queries", "they hold connections and locks"),
    Kind.GC_PAUSE: ("Give {who} more heap or a collector with shorter pauses", "it stands still while it collects"),
    Kind.CPU_SATURATION: (
        "Set CPU requests so that the scheduler leaves room for {who}",
        "its neighbours take the CPU it counts on",
    ),
}
"""What one would change for a step of this kind, and why."""

KNOWN_BETTER: dict[str, tuple[str, str]] = {
    "autoscaler at its limit": ("Raise maxReplicas of {who}", "it could add no more pods while more were needed"),
    words.HOOK_FAILED: (
        "Keep two replicas of the webhook of {who} ready, let it leave out what need not be checked, or fail open (failurePolicy: Ignore)",
        "while nobody answers, no pod that it is asked about can be made",
    ),
    words.HOOK_EXPIRED: (
        "Renew the certificate of the webhook of {who}, and alert weeks before its notAfter",
        "with a certificate past its end it fails closed, which is felt when the next pod is to be made",
    ),
    words.SCALED_BY_HAND: (
        "Keep the replicas of {who} where changes are reviewed, and give few the right to scale it by hand",
        "no autoscaler is known that scales it, so nothing brings it back",
    ),
}
"""The same for a few signals that say more than their kind, by what that is."""

COVERED_BY_A_JOB = frozenset({Kind.CPU_SATURATION, Kind.LOCK_WAIT, Kind.MEMORY_PRESSURE, Kind.NETWORK_SATURATION})
"""Steps that need no advice of their own where a job that causes them gets one."""

UNMEASURED: dict[Kind, str] = {
    Kind.OOM_KILL: "how much memory it would have taken, which its limit hides",
    Kind.CPU_THROTTLING: "how much CPU it would have used, which its limit hides",
    Kind.PROBE_FAILURE: "how long its probes failed, or what they are set to",
    Kind.QUOTA_EXCEEDED: "how much was asked for beyond the quota",
    Kind.POOL_EXHAUSTION: "how many waited for a connection, which its lines do not say",
    Kind.DISK_HOG: "how much it wrote",
    Kind.MEMORY_GROWTH: "its limit, or the kills that it led to",
    Kind.RESOURCE_GROWTH: "how much it may hold",
    Kind.SCHEDULING_FAILURE: "how much room there was on the nodes",
    Kind.RETRY: "how many of the calls were retries of others",
}
"""What one would need to put a number on a change, and did not find in the case."""

Specific = Callable[[Signal, Chain, Findings], Recommendation | None]


def recommendations(chain: Chain, findings: Findings) -> tuple[Recommendation, ...]:
    """Give what to change along a chain: undo a change first, then measured settings, then the root, then what amplifies it."""
    told = [*chain.signals, *_beside(chain, findings)]
    made = {
        signal.id: [one for make in SPECIFIC.get(signal.kind, ()) if (one := make(signal, chain, findings))]
        for signal in told
    }
    undone = made[chain.root.id] if chain.root.kind in changes.UNDO else []
    specific = [each for signal in told for each in made[signal.id] if each not in undone]
    covered = _covered(chain, {signal.kind for signal in told if made[signal.id]})
    general = [
        _general(signal, chain)
        for signal in chain.signals[:-1]
        if signal.kind in GENERAL and signal.kind not in covered
    ]
    whole = [each for each in specific if _spares_all(each)]
    rest = [each for each in specific if each not in whole]
    seen: set[str] = set()
    unique = []
    for each in [*undone, *whole, *rest, *general]:
        if each.summary not in seen:
            seen.add(each.summary)
            unique.append(each)
    return tuple(unique[:MOST])


def _spares_all(advice: Recommendation) -> bool:
    """Tell a setting that would have spared nearly all of what the symptom's own failures are counted by."""
    return any(what.total and advice.spared and advice.spared >= NEARLY_ALL * what.total for what in advice.what_if)


def _covered(chain: Chain, given: set[Kind]) -> set[Kind]:
    """Give the kinds that need no general advice: those with a measured one, and what a job, a pull or a reset limit stands for."""
    covered = set(given)
    if Kind.MEMORY_GROWTH in given:
        covered.add(Kind.OOM_KILL)
    if chain.root.kind is Kind.JOB_RUN:
        covered |= COVERED_BY_A_JOB
    if any(signal.kind is Kind.IMAGE_PULL_FAILURE for signal in chain.signals):
        covered.add(Kind.EXTERNAL_FAILURE)
    return covered


def _beside(chain: Chain, findings: Findings) -> list[Signal]:
    """Give the troubles at the places of a chain that are tied to one of its steps and have a measured advice of their own."""
    steps = {signal.id for signal in chain.signals}
    places = {findings.topology.root(signal.entity) for signal in chain.signals}
    tied = {
        end
        for link in findings.links
        if link.test.status == "supported" and steps & {link.cause, link.effect}
        for end in (link.cause, link.effect)
    } - steps
    known = {signal.kind for signal in chain.signals}
    return [
        findings.signals[name]
        for name in sorted(tied)
        if name in findings.signals
        and findings.signals[name].kind in BESIDE - known
        and findings.topology.root(findings.signals[name].entity) in places
    ]


def _general(signal: Signal, chain: Chain) -> Recommendation:
    known = words.SCALED_BY_HAND if signal.kind is Kind.SCALE_DOWN and "by" in signal.attributes else signal.label
    summary, reason = KNOWN_BETTER.get(known, GENERAL[signal.kind])
    if signal.kind is Kind.NODE_FAILURE and "others" in signal.attributes and len(signal.occurrences) == 1:
        summary, reason = "Spread replicas over what fails apart, zones or racks", "several nodes were lost at once"
    unasked = UNMEASURED.get(signal.kind) if known not in KNOWN_BETTER else None
    unknown = f"; not measured: {unasked}" if unasked else ""
    struck, whole = struck_of(chain)
    many = f"{struck:,} of {whole:,} {plural(chain.symptom.kind)}"
    return Recommendation(
        summary=summary.format(who=signal.entity.name if signal.entity.kind == "Host" else signal.entity),
        rationale=reason,
        change=None,
        effect=(
            f"would have spared up to {many}, the one episode, if nothing else had brought it about{unknown}"
            if len(chain.symptom.occurrences) == len(chain.explained) == 1
            else f"would have spared up to {_episodes(chain)} ({many}): those that came by way of it, if nothing else had brought them about{unknown}"
        ),
        spared=struck if struck <= whole else None,
    )


SPECIFIC: dict[Kind, tuple[Specific, ...]] = {
    **dict.fromkeys(changes.UNDO, (changes.undo,)),
    Kind.JOB_RUN: (jobs.job,),
    Kind.POD_KILL: (measured.grace,),
    Kind.SHUTDOWN: (measured.grace,),
    Kind.SCALE_DOWN: (measured.grace, measured.stabilise),
    Kind.MEMORY_GROWTH: (measured.memory,),
    Kind.PROBE_FAILURE: (probes.probe,),
    Kind.CONTAINER_RESTART: (probes.probe,),
    Kind.CPU_THROTTLING: (limits.cpu,),
    Kind.QUOTA_EXCEEDED: (limits.quota,),
    Kind.POOL_EXHAUSTION: (limits.pool,),
    Kind.DISK_HOG: (limits.disk,),
    Kind.RETRY: (calls.retries,),
    Kind.NAME_RESOLUTION_FAILURE: (calls.names,),
    Kind.EXTERNAL_FAILURE: (calls.third_party,),
    Kind.NODE_FAILURE: (nodes.spare_room,),
    Kind.IMAGE_PULL_FAILURE: (nodes.keep_old_pods,),
    Kind.NOISY_NEIGHBOUR: (nodes.neighbour,),
    Kind.DRAIN_BLOCKED: (nodes.budget,),
}
"""Changes that rest on a measured setting."""
BESIDE = frozenset(
    {
        Kind.PROBE_FAILURE,
        Kind.CONTAINER_RESTART,
        Kind.CPU_THROTTLING,
        Kind.QUOTA_EXCEEDED,
        Kind.POOL_EXHAUSTION,
        Kind.RETRY,
    }
)
"""Kinds whose measured advice is given, too, where such a trouble is tied to a step and is none itself."""


def _episodes(chain: Chain) -> str:
    return f"{len(chain.explained)} of {counted(len(chain.symptom.occurrences), 'episode')}"
