"""How things are said: one table of phrases a kind of event, and the spelling of counts, times and lengths.

Plain words for a tired reader. Leaves out which of them is true.
"""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import lag_words, length, period
from bot.domain.window import instant

__all__ = ["lag_words", "length"]  # spelled for every face in one place, said here

HAPPENED: dict[Kind, str] = {
    Kind.JOB_RUN: "{who} ran",
    Kind.ROLLOUT: "{who} was rolled out",
    Kind.CONFIG_CHANGE: "the configuration in {who} was changed",
    Kind.SECRET_CHANGE: "{who} was changed",
    Kind.RELOAD: "the pods of {who} were replaced without a new program",
    Kind.HUMAN_CHANGE: "{who} made a change",
    Kind.TRAFFIC_RISE: "{who} got more traffic than usual",
    Kind.NOISY_NEIGHBOUR: "{who} took its neighbours' CPU",
    Kind.DISK_HOG: "{who} filled the disks of its nodes",
    Kind.CERTIFICATE_EXPIRY: "{who} expired",
    Kind.RENEWAL_FAILURE: "{who} could not be renewed",
    Kind.EXTERNAL_FAILURE: "{who} (third party) failed",
    Kind.NODE_FAILURE: "{who} went NotReady",
    Kind.CLOCK_JUMP: "the clock of {who} jumped",
    Kind.CPU_SATURATION: "{who} was short of CPU",
    Kind.CPU_THROTTLING: "{who} was throttled by its CPU limit",
    Kind.MEMORY_GROWTH: "the memory of {who} kept growing",
    Kind.MEMORY_PRESSURE: "{who} was short of memory",
    Kind.DISK_PRESSURE: "{who} ran short of disk",
    Kind.IO_SATURATION: "{who} was busy with disk I/O",
    Kind.NETWORK_SATURATION: "{who} moved far more network traffic than usual",
    Kind.GC_PAUSE: "{who} paused to collect garbage",
    Kind.RESOURCE_GROWTH: "what {who} holds kept growing",
    Kind.RESOURCE_SHIFT: "a metric of {who} left its usual level",
    Kind.SCALE_UP: "{who} scaled up",
    Kind.SCALE_DOWN: "{who} scaled down",
    Kind.POD_SHORTFALL: "{who} had fewer pods than it wanted",
    Kind.POD_KILL: "pods of {who} got SIGTERM",
    Kind.POD_START: "pods of {who} were started",
    Kind.OOM_KILL: "{who} was OOM-killed",
    Kind.CONTAINER_RESTART: "containers of {who} restarted",
    Kind.CRASH_LOOP: "{who} kept crashing at start",
    Kind.PROBE_FAILURE: "{who} failed its probes",
    Kind.EVICTION: "pods of {who} were evicted",
    Kind.SCHEDULING_FAILURE: "pods of {who} found no node to run on",
    Kind.IMAGE_PULL_FAILURE: "{who} could not pull its image",
    Kind.MOUNT_FAILURE: "{who} could not mount a volume",
    Kind.QUOTA_EXCEEDED: "{who} ran into its quota",
    Kind.ROLLOUT_STUCK: "the rollout of {who} did not finish",
    Kind.DRAIN_BLOCKED: "{who} kept a node from being drained",
    Kind.AUTOSCALER_FAILURE: "{who} could not read its metrics",
    Kind.JOB_FAILURE: "{who} failed",
    Kind.LOCK_WAIT: "sessions in {who} waited for a lock",
    Kind.DEADLOCK: "transactions in {who} deadlocked",
    Kind.SLOW_QUERY: "queries in {who} were slow",
    Kind.POOL_EXHAUSTION: "{who} ran out of pooled connections",
    Kind.QUEUE_GROWTH: "the queue of {who} filled up",
    Kind.REPLICA_CHANGE: "{who} saw replicas change roles or lose their quorum",
    Kind.TIMEOUT: "calls made by {who} timed out",
    Kind.RETRY: "{who} retried failed calls",
    Kind.CONNECTION_RESET: "requests seen by {who} were cut off",
    Kind.CONNECTION_REFUSED: "{who} was refused connections",
    Kind.NAME_RESOLUTION_FAILURE: "{who} could not resolve names",
    Kind.TLS_FAILURE: "TLS handshakes of {who} failed",
    Kind.AUTH_FAILURE: "credentials of {who} were rejected",
    Kind.RATE_LIMITED: "{who} was rate-limited",
    Kind.CIRCUIT_OPEN: "{who} opened a circuit breaker",
    Kind.OUT_OF_MEMORY: "{who} ran out of memory",
    Kind.NO_SPACE: "{who} had no space left on its disk",
    Kind.SHUTDOWN: "{who} shut down",
    Kind.STARTUP: "{who} started",
    Kind.BAD_CONFIG: "{who} could not work by its configuration",
    Kind.LATENCY: "{who} answered more slowly than usual",
    Kind.SERVER_ERROR: "{who} answered with {label}",
    Kind.CLIENT_ERROR: "{who} answered with {label}",
    Kind.UNAVAILABLE: "{who} was unavailable",
    Kind.LOG_ERROR: "{who} logged an error: “{label}”",
    Kind.LOG_BURST: "{who} logged more than usual: “{label}”",
    Kind.ALERT: "an alert fired for {who}: “{label}”",
}
"""What happened, without how often; every ``Kind`` has its phrase (a test sees to it)."""

NOUN: dict[Kind, str] = {
    Kind.JOB_RUN: "job run",
    Kind.ROLLOUT: "rollout",
    Kind.CONFIG_CHANGE: "configuration change",
    Kind.SECRET_CHANGE: "secret change",
    Kind.RELOAD: "reload",
    Kind.HUMAN_CHANGE: "manual change",
    Kind.TRAFFIC_RISE: "traffic rise",
    Kind.NOISY_NEIGHBOUR: "CPU grab",
    Kind.DISK_HOG: "disk fill-up",
    Kind.DRAIN_BLOCKED: "blocked drain",
    Kind.CERTIFICATE_EXPIRY: "certificate expiry",
    Kind.RENEWAL_FAILURE: "failed certificate renewal",
    Kind.EXTERNAL_FAILURE: "third-party failure",
    Kind.NODE_FAILURE: "node failure",
    Kind.CPU_SATURATION: "CPU contention",
    Kind.CPU_THROTTLING: "CPU throttling",
    Kind.OOM_KILL: "OOM kill",
    Kind.CONTAINER_RESTART: "restart",
    Kind.SCALE_UP: "scale-up",
    Kind.SCALE_DOWN: "scale-down",
    Kind.POD_SHORTFALL: "pod shortfall",
    Kind.POD_KILL: "pod shutdown",
    Kind.CONNECTION_RESET: "cut-off request",
    Kind.CONNECTION_REFUSED: "refused connection",
    Kind.POOL_EXHAUSTION: "an exhausted connection pool",
    Kind.QUEUE_GROWTH: "a full queue",
    Kind.TLS_FAILURE: "failed TLS handshake",
    Kind.RETRY: "retry",
    Kind.ROLLOUT_STUCK: "stuck rollout",
    Kind.NAME_RESOLUTION_FAILURE: "DNS failure",
    Kind.LATENCY: "high latency",
    Kind.AUTH_FAILURE: "rejected login",
    Kind.NO_SPACE: "full disk",
    Kind.MEMORY_GROWTH: "memory growth",
    Kind.RESOURCE_GROWTH: "steady growth",
    Kind.NETWORK_SATURATION: "network load",
    Kind.IO_SATURATION: "disk I/O load",
    Kind.SERVER_ERROR: "failed request",
    Kind.LOG_ERROR: "logged error",
    Kind.LOG_BURST: "log burst",
    Kind.RATE_LIMITED: "rate limiting",
    Kind.QUOTA_EXCEEDED: "exceeded quota",
    Kind.CIRCUIT_OPEN: "open circuit breaker",
    Kind.UNAVAILABLE: "unavailability",
    Kind.BAD_CONFIG: "bad configuration",
    Kind.OUT_OF_MEMORY: "memory exhaustion",
    Kind.GC_PAUSE: "GC pause",
}
"""Nouns for one occurrence where the kind's own name, its underscores as blanks, does not read well."""


def noun(kind: Kind) -> str:
    """Name one occurrence of a kind."""
    return NOUN.get(kind, kind.value.replace("_", " "))


GROWTH = (Kind.MEMORY_GROWTH, Kind.RESOURCE_GROWTH)
"""Kinds that go on for hours: told by how far they grew and from when on."""
MASS = frozenset(
    {
        Kind.CPU_SATURATION,
        Kind.CPU_THROTTLING,
        Kind.MEMORY_GROWTH,
        Kind.RESOURCE_GROWTH,
        Kind.MEMORY_PRESSURE,
        Kind.DISK_PRESSURE,
        Kind.IO_SATURATION,
        Kind.NETWORK_SATURATION,
        Kind.QUEUE_GROWTH,
        Kind.POOL_EXHAUSTION,
        Kind.LATENCY,
        Kind.NO_SPACE,
        Kind.OUT_OF_MEMORY,
        Kind.UNAVAILABLE,
        Kind.RATE_LIMITED,
        Kind.BAD_CONFIG,
    }
)
"""Kinds whose nouns are not counted."""


def plural(kind: Kind) -> str:
    """Name a kind for a list of steps: ``scale-downs``, ``CPU contention``."""
    if kind in MASS:
        return noun(kind)
    return counted(2, noun(kind)).split(" ", 1)[1]


def one(kind: Kind) -> str:
    """Name one occurrence with its article: ``an OOM kill``, ``a job run``, ``CPU contention``."""
    name = noun(kind)
    if kind in MASS or name.startswith(("a ", "an ")):
        return name
    return f"an {name}" if name[:1].lower() in "aeio" else f"a {name}"


def noun_of(signal: Signal) -> str:
    """Name one occurrence of a signal as what it was, where its kind alone says too much: a node that was taken away did not fail."""
    if signal.kind is Kind.NODE_FAILURE and signal.label in TAKEN_AWAY:
        return "node removal"
    if signal.kind is Kind.SECRET_CHANGE and signal.entity.kind == "Certificate":
        return "certificate renewal"
    return "full autoscaler" if signal.label == "autoscaler at its limit" else noun(signal.kind)


def one_of(signal: Signal) -> str:
    """Name one occurrence of a signal with its place: ``a job run of nightly``, ``CPU contention at api``."""
    name = noun_of(signal)
    named = one(signal.kind) if name == noun(signal.kind) else f"a {name}"
    return f"{named} {'at' if signal.kind in MASS else 'of'} {signal.entity.name}"


def felt_as(signal: Signal) -> str:
    """Name a symptom and its place: ``HTTP 502 responses from Deployment web/edge``."""
    if signal.kind in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR):
        return f"{signal.label} from {who(signal.entity)}"
    return f"{plural(signal.kind)} of {who(signal.entity)}"


MISSING = "object is missing"
HOOK_FAILED = "admission webhook failed"
HOOK_EXPIRED = "certificate of the admission webhook past its end"
SCALED_BY_HAND = "scaled by hand"
LABELS_TELL = {
    HOOK_FAILED: "the admission webhook of {who} could not be called",
    HOOK_EXPIRED: "the certificate of the admission webhook of {who} was past its end",
    "pods could not be created": "no pod of {who} could be made",
    "autoscaler at its limit": "{who} stood at its most pods",
    "memory use up": "{who} took more memory than usual",
}
"""What some signals' labels say better than their kind does."""

_NODE_DID = {
    "node taken out of service": "was taken out of service",
    "node shut down or replaced": "was shut down or replaced",
    "node problem": "reported a problem",
}
"""What a node did whose failure was another than falling silent."""
TAKEN_AWAY = frozenset({"node taken out of service", "node shut down or replaced"})
"""Labels of a node that somebody, an autoscaler mostly, took away."""


def happened(signal: Signal) -> str:
    """Say what happened, without how often."""
    if signal.kind is Kind.NODE_FAILURE:
        return _node_did(signal)
    said = HAPPENED[signal.kind]
    if signal.kind is Kind.NAME_RESOLUTION_FAILURE and signal.entity.kind == "Host":
        said = "the name of {who} was not known to the resolver"
    elif signal.kind is Kind.NETWORK_SATURATION and signal.source != "prometheus":
        said = "a network table of {who} was full"
    elif signal.kind is Kind.MEMORY_PRESSURE and signal.label.startswith("heap"):
        said = "the heap of {who} filled up"
    elif signal.kind is Kind.BAD_CONFIG and signal.label == MISSING:
        said = "{who} was missing"
    elif signal.kind in (Kind.CONFIG_CHANGE, Kind.SECRET_CHANGE) and signal.label in ("created", "deleted"):
        said = "{who} was {label}"
    elif signal.kind in (Kind.SCALE_UP, Kind.SCALE_DOWN) and signal.attributes.get("by") == "hand":
        said = "{who} was {label} by hand or by a tool"
    said = LABELS_TELL.get(signal.label, said)
    return said.format(who=who(signal.entity), label=signal.label)


def _node_did(signal: Signal) -> str:
    """Say what became of a node, or of several that went the same way."""
    if signal.entity.kind != "Node":
        return f"a node under {who(signal.entity)} went NotReady"
    did = _NODE_DID.get(signal.label, "went NotReady")
    if others := signal.attributes.get("others"):
        return f"{who(signal.entity)} and {counted(int(others), 'more node')} {did.replace('was ', 'were ')}"
    return f"{who(signal.entity)} {did}"


def capital(text: str) -> str:
    """Begin a sentence, whatever case its first word has; the rest stays."""
    return text[:1].upper() + text[1:]


def who(entity: Entity) -> str:
    """Name an entity in a sentence: kind, namespace and name."""
    return str(entity)


def names_of(entities: Sequence[Entity]) -> str:
    """Name the workload where a thing's Service or autoscaler bears the same name; of several things how many they are."""
    rank = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Node")
    ordered = sorted(entities, key=lambda each: (rank.index(each.kind) if each.kind in rank else len(rank), each))
    if len({each.name for each in ordered}) <= MOST_NAMES:
        return " or ".join(dict.fromkeys(str(next(e for e in ordered if e.name == each.name)) for each in ordered))
    kinds = {each.kind for each in entities}
    return f"any of the {len(entities)} {kinds.pop() + 's' if len(kinds) == 1 else 'things of that name'}"


MOST_NAMES = 2
"""Things that are named; of more only how many they are."""


def times(count: int) -> str:
    """Spell how often."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def counted(count: int, word: str) -> str:
    """Put a number before a word, plural where it must be: ``1 episode``, ``20 episodes``."""
    if count == 1:
        return f"1 {word}"
    ending = "es" if word.endswith(("s", "x", "ch", "sh")) else "s"
    if word.endswith("y") and word[-2] not in "aeiou":
        word, ending = word[:-1], "ies"
    return f"{count:,} {word}{ending}"


def clock(at: datetime) -> str:
    """Spell an instant: ``Thu 19 Nov 03:12Z``."""
    return at.strftime("%a %d %b %H:%MZ")


def clock_s(at_s: float) -> str:
    """Spell seconds since the epoch as ``clock`` does."""
    return clock(instant(at_s))


def p_words(p_value: float | None) -> str:
    """Spell a p-value: ``p < 1e-9``, ``p = 0.003``, ``p not computed``."""
    if p_value is None:
        return "p not computed"
    if p_value < 1e-9:
        return "p < 1e-9"
    if p_value < 0.001:
        mantissa, exponent = f"{p_value:.0e}".split("e")
        return f"p = {mantissa}e{int(exponent)}"
    return f"p = {p_value:.2g}"


def every(period_s: float | None) -> str:
    """Spell a period: ``every 6 h``, or nothing."""
    return f" every {period(period_s)}" if period_s else ""


LANE: dict[Kind, str] = {
    Kind.QUOTA_EXCEEDED: "quota",
    Kind.RATE_LIMITED: "limited",
    Kind.CIRCUIT_OPEN: "breaker",
    Kind.OUT_OF_MEMORY: "memory",
    Kind.BAD_CONFIG: "config",
    Kind.UNAVAILABLE: "down",
    Kind.JOB_RUN: "job",
    Kind.CONFIG_CHANGE: "config",
    Kind.SECRET_CHANGE: "secret",
    Kind.RELOAD: "reload",
    Kind.HUMAN_CHANGE: "change",
    Kind.TRAFFIC_RISE: "traffic",
    Kind.NOISY_NEIGHBOUR: "neighbour",
    Kind.DISK_HOG: "disk",
    Kind.DRAIN_BLOCKED: "no drain",
    Kind.CERTIFICATE_EXPIRY: "expiry",
    Kind.RENEWAL_FAILURE: "renewal",
    Kind.EXTERNAL_FAILURE: "3rd party",
    Kind.NODE_FAILURE: "node",
    Kind.CLOCK_JUMP: "clock",
    Kind.CPU_SATURATION: "CPU",
    Kind.CPU_THROTTLING: "throttle",
    Kind.MEMORY_GROWTH: "memory",
    Kind.MEMORY_PRESSURE: "memory",
    Kind.DISK_PRESSURE: "disk",
    Kind.IO_SATURATION: "disk I/O",
    Kind.NETWORK_SATURATION: "network",
    Kind.GC_PAUSE: "GC pause",
    Kind.RESOURCE_GROWTH: "growth",
    Kind.RESOURCE_SHIFT: "metric",
    Kind.SCALE_UP: "up",
    Kind.SCALE_DOWN: "down",
    Kind.POD_SHORTFALL: "too few",
    Kind.POD_KILL: "stop",
    Kind.POD_START: "start",
    Kind.OOM_KILL: "OOM",
    Kind.CONTAINER_RESTART: "restart",
    Kind.CRASH_LOOP: "crashing",
    Kind.PROBE_FAILURE: "probe",
    Kind.EVICTION: "evicted",
    Kind.SCHEDULING_FAILURE: "pending",
    Kind.IMAGE_PULL_FAILURE: "pull",
    Kind.MOUNT_FAILURE: "mount",
    Kind.ROLLOUT_STUCK: "stuck",
    Kind.AUTOSCALER_FAILURE: "no metric",
    Kind.JOB_FAILURE: "job fail",
    Kind.LOCK_WAIT: "lock",
    Kind.SLOW_QUERY: "slow SQL",
    Kind.POOL_EXHAUSTION: "pool",
    Kind.QUEUE_GROWTH: "queue",
    Kind.REPLICA_CHANGE: "replicas",
    Kind.CONNECTION_RESET: "cut off",
    Kind.CONNECTION_REFUSED: "refused",
    Kind.NAME_RESOLUTION_FAILURE: "DNS",
    Kind.TLS_FAILURE: "TLS",
    Kind.AUTH_FAILURE: "auth",
    Kind.NO_SPACE: "disk full",
    Kind.SHUTDOWN: "stop",
    Kind.STARTUP: "start",
    Kind.SERVER_ERROR: "errors",
    Kind.CLIENT_ERROR: "errors",
    Kind.LOG_ERROR: "log error",
    Kind.LOG_BURST: "log burst",
}
"""At most nine characters beside a name on a timeline; the kind's own name where it is short enough."""


def lane(mechanism: str) -> str:
    """Name a step's kind in a word for a lane of a timeline."""
    found = LANE.get(Kind(mechanism)) if mechanism in set(Kind) else None
    return found or mechanism.replace("_", " ")
