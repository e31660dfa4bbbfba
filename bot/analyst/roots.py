"""What speaks against a root though every tie of its chain holds: it may be a victim, or one of several alike.

Leaves out what is measured of ties, and how sure the rest may be.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise

from bot.analyst.endings import STAYING, another_beginning, begun_and_ended, ended_by_itself, ended_with_undoing
from bot.analyst.findings import Findings
from bot.analyst.outages import one_outage
from bot.analyst.rivals import announced
from bot.analyst.undone import against_undone, words_of
from bot.analyst.words import GROWTH, one_of
from bot.domain.link import Chain, Link
from bot.domain.signal import Kind, Signal, SignalId
from bot.domain.spelling import length

CONTENTION = frozenset({Kind.CPU_SATURATION, Kind.CPU_THROTTLING, Kind.MEMORY_PRESSURE, Kind.IO_SATURATION})
OFTEN = 3
"""Times that two must run short together before that is no coincidence."""
FAR = frozenset({"same namespace", "cluster"})
"""Ties of place that say little: what hangs on one must at least hold when tested straight."""
ALIKE = 0.99
"""One that comes this near is no second best: what differs between the two is less than any measurement tells."""
AT_ONCE = frozenset(
    {
        Kind.SERVER_ERROR,
        Kind.CLIENT_ERROR,
        Kind.UNAVAILABLE,
        Kind.LOG_ERROR,
        Kind.TIMEOUT,
        Kind.CONNECTION_RESET,
        Kind.CONNECTION_REFUSED,
        Kind.AUTH_FAILURE,
        Kind.TLS_FAILURE,
        Kind.RATE_LIMITED,
        Kind.POOL_EXHAUSTION,
        Kind.SCHEDULING_FAILURE,
    }
)
"""Failures that a change brings at once if it brings them: with its first requests."""
WEARS = frozenset(
    {
        Kind.MEMORY_GROWTH,
        Kind.RESOURCE_GROWTH,
        Kind.MEMORY_PRESSURE,
        Kind.GC_PAUSE,
        Kind.OOM_KILL,
        Kind.DISK_HOG,
        Kind.DISK_PRESSURE,
        Kind.CPU_SATURATION,
        Kind.CPU_THROTTLING,
    }
)
"""What a change may bring that wears its place down, so that requests fail later."""
ITS_OWN = frozenset({Kind.POD_KILL, Kind.POD_START, Kind.SHUTDOWN, Kind.STARTUP})
"""What a change of versions itself consists of."""
MANY_TIMES = 4
SOON_S = 420.0
"""How long after a change the first of them may come: pods begin, caches expire, the seldom request is made."""
FAR_OFTENER = 10.0
"""How many times as often they must come as before the change, where single ones came before as well."""
STANDS_OUT = 0.01
"""Share of the waits between failures that are as long as one, up to which that one is no such wait."""
REOPENED_S = 3600.0
"""The same of a policy that closes a way: connections that are open stay so until whoever holds them makes them anew."""
TOGETHER_S = 300.0
"""Failures that begin as close as this began together."""
REFUSED = frozenset({Kind.AUTH_FAILURE, Kind.TLS_FAILURE})
"""How a secret that is not the right one is felt by whoever uses it."""


def against(findings: Findings, chain: Chain, rootness: Mapping[Kind, float]) -> list[str]:
    """Say what speaks against a chain's root; empty where nothing does."""
    doubts = _ruled_out_by(findings, chain, rootness)
    if (other := another_beginning(findings, chain, rootness)) is not None:
        doubts.append(f"the symptom ended while nobody undid it, and {one_of(other)} began beside it")
    if (failed_s := ended_by_itself(findings, chain)) is not None:
        doubts.append(f"it failed for {length(failed_s)} and then no more, though what was changed stayed as it was")
    if _merely_asked(findings, chain):
        doubts.append("the resolver that it asked, and what became of that, was not seen")
    if _nobodys_secret(chain):
        doubts.append("nothing shows that anybody who failed uses it")
    if _full_elsewhere(chain):
        doubts.append(
            f"it failed elsewhere, minutes after {chain.root.entity} was full: the two may have met by chance"
        )
    if (twin := _twin(findings, chain)) is not None:
        doubts.append(f"{one_of(twin)} fits just as well, and nothing tells the two apart")
    if (came := _passed_before(chain)) is not None:
        doubts.append(f"it came {came} times, and the symptom followed one of them")
    if (host := _fails_as_well(findings, chain.root)) is not None:
        doubts.append(f"{host.entity}, which others call, failed with it: what leads to both was not seen")
    return doubts


def cleared_roots(
    findings: Findings, rootness: Mapping[Kind, float], holds: Callable[[Chain], bool]
) -> dict[SignalId, str]:
    """Give the roots of chains that are shown not to have done it, each with the words that say by what.

    What a chain that holds begins with is none of them, though another way from it to the symptom may be refuted.
    """
    told = ((chain, _ruled_out_by(findings, chain, rootness)) for chain in findings.chains)
    cleared = {chain.root.id: "; ".join(doubts) for chain, doubts in told if doubts}
    held = {chain.root.id for chain in findings.chains if chain.root.id in cleared and holds(chain)}
    return {root: words for root, words in cleared.items() if root not in held}


def _ruled_out_by(findings: Findings, chain: Chain, rootness: Mapping[Kind, float]) -> list[str]:
    """Say what shows that a chain's root did not do it, and not merely that it may not have; empty where nothing does."""
    doubts = []
    if (undone := against_undone(findings, chain, rootness)) is not None:
        vain = words_of(findings, undone, [chain.symptom.occurrences[place] for place in chain.explained])
        own = undone.id == chain.root.id
        doubts.append(vain if own else f"it leads over {one_of(undone)}, which {vain.removeprefix('it ')}")
    if announced(chain.root, findings):
        doubts.append("what was announced was seen as done, and is judged by itself")
    if (other := _shared(findings, chain)) is not None:
        doubts.append(f"{other.entity} beside it ran short at the same times, which the change did not reach")
    if (other := begun_and_ended(findings, chain)) is not None:
        doubts.append(f"{other.entity} was changed as it began and again as it ended, and this only once")
    if (went_well_s := _went_well(findings, chain)) is not None:
        doubts.append(f"what was changed had gone well for {length(went_well_s)} before, and the change came once")
    return doubts


def _twin(findings: Findings, chain: Chain) -> Signal | None:
    """Give a root of the same kind elsewhere that fits as well, to a hair: by what was read it may have been either."""
    root, topology = chain.root, findings.topology
    on_the_way = {topology.root(signal.entity) for signal in chain.signals}
    alike = (
        other.root
        for other in findings.chains
        if other.root.kind is root.kind
        and not one_outage(root, other.root)
        and topology.root(other.root.entity) not in on_the_way
        and other.score >= ALIKE * chain.score
    )
    return next(alike, None)


def _went_well(findings: Findings, chain: Chain) -> float | None:
    """Give how many seconds what a change is said to have broken went on well behind it; None where that speaks against nothing.

    A new version or setting that fails requests fails them from its first ones on. What it wears down takes its time, and is a
    step between; what came with change after change needs no such doubt. That pods end and start is the change itself.
    """
    root = chain.root
    broke = next((place for place, one in enumerate(chain.signals[1:]) if one.kind not in ITS_OWN), 0)
    if root.kind not in STAYING or not chain.links or chain.signals[broke + 1].kind not in AT_ONCE:
        return None
    if ended_with_undoing(chain):
        return None
    lasted = max(one.end_s - one.start_s for one in root.occurrences)
    if any(_wore_down(findings, link, lasted) for link in findings.links if link.cause == root.id):
        return None
    test = chain.links[0].test
    if test.lag is None or test.hits > 1:
        return None
    well_s = test.lag.median - lasted if not broke else _until(chain, broke + 1) - lasted
    if well_s <= (REOPENED_S if root.entity.kind == "NetworkPolicy" else SOON_S):
        return None
    return None if _seldom_from_the_first(findings, root, chain.signals[broke + 1], well_s) else well_s


def _until(chain: Chain, place: int) -> float:
    """Give how long after a root the first of a later step began, in seconds."""
    first_s = chain.signals[place].occurrences[0].start_s
    return min((first_s - one.start_s for one in chain.root.occurrences if one.start_s <= first_s), default=0.0)


def _passed_before(chain: Chain) -> int | None:
    """Give how often came what is the same act each time, a job or a crowd, where the symptom followed one of many only."""
    count = len(chain.root.occurrences)
    again = chain.root.kind not in STAYING and count >= MANY_TIMES
    return count if again and chain.end_to_end.hits <= 1 and len(chain.symptom.occurrences) == 1 else None


def _wore_down(findings: Findings, link: Link, lasted_s: float) -> bool:
    """Tell whether a change brought what wears its place down, or let a queue grow from the first on."""
    if link.test.status != "supported" or link.test.lag is None:
        return False
    effect = findings.signals[link.effect]
    queued = effect.kind is Kind.QUEUE_GROWTH and effect.source == "prometheus"
    return effect.kind in WEARS or (queued and link.test.lag.median - lasted_s <= SOON_S)


def _seldom_from_the_first(findings: Findings, root: Signal, broke: Signal, well_s: float) -> bool:
    """Tell whether single failures came from a change on, too seldom for an episode at first, and hardly any before it.

    The wait for the first of them must be no longer than others of those that followed: had they set in with something later, it
    would stand out from all of them.
    """
    onset_s = broke.occurrences[0].start_s
    changed = max((one.end_s for one in root.occurrences if one.start_s <= onset_s), default=onset_s)
    times = findings.measures.times(broke) if findings.measures is not None else None
    looked_s = changed - findings.window.start_s
    if times is None or looked_s < well_s:
        return False
    before = sum(at_s < changed for at_s in times)
    since = [at_s for at_s in times if at_s >= changed]
    seen, within_s = sum(at_s < onset_s for at_s in since), well_s
    alone = not seen and broke.attributes.get("seldom") == "yes"  # its episode begins with the first of them
    if alone:
        seen, within_s = len(since), max(since, default=changed) - changed
    if seen < OFTEN or within_s <= 0 or seen * looked_s < FAR_OFTENER * before * within_s:
        return False
    first, *gaps = (later - earlier for earlier, later in pairwise([changed, *since]))
    if alone:  # strewn over the stretch from the change on, this many would leave its beginning empty as often as this
        return (1.0 - first / within_s) ** len(gaps) > STANDS_OUT
    return sum(gap >= first for gap in gaps) + 1 > STANDS_OUT * (len(gaps) + 1)


def _full_elsewhere(chain: Chain) -> bool:
    """Tell whether a root that filled up is tied to failures of others by their namespace alone, and not within a scrape step."""
    root = chain.root
    if root.kind not in GROWTH:
        return False
    link = chain.links[0]
    if link.scope not in FAR or link.test.lag is None:
        return False
    return abs(link.test.lag.median) > max(TOGETHER_S / 5, float(root.attributes.get("step_s", 0.0)))


def _nobodys_secret(chain: Chain) -> bool:
    """Tell whether a new secret or certificate is tied by the cluster alone to what tells of no refused credentials."""
    far = chain.root.kind is Kind.SECRET_CHANGE and chain.links[0].scope == "cluster"
    return far and chain.signals[1].kind not in REFUSED


def _merely_asked(findings: Findings, chain: Chain) -> bool:
    """Tell whether a chain begins at one who could not resolve names and whom nobody asks: it failed at what it asked."""
    root, kind = chain.root, Kind.NAME_RESOLUTION_FAILURE
    if root.kind is not kind or root.entity.kind == "Host":
        return False
    asking = {signal.entity for signal in findings.signals.values() if signal.kind is kind}
    asked = any((one, root.entity) in findings.topology.calls for one in asking)
    return not asked and not any(signal.kind is kind for signal in chain.signals[1:])


def _shared(findings: Findings, chain: Chain) -> Signal | None:
    """Give a workload on the node of a changed one that had the same contention whenever that had: it came from what both share.

    Those that call the changed one or are called by it are left out: their load may come from it.
    """
    root, felt = chain.root, chain.signals[1]
    place = findings.topology.root(root.entity)
    if root.kind not in STAYING or felt.kind not in CONTENTION or findings.topology.root(felt.entity) != place:
        return None
    asked = {two for pair in findings.topology.calls if place in pair for two in pair}
    beside = [
        signal
        for signal in findings.signals.values()
        if signal.kind is felt.kind and signal.entity.kind != "Node" and signal.nodes & felt.nodes
        and findings.topology.root(signal.entity) not in asked | {place, *root.mentions}
        and len(felt.occurrences) >= OFTEN and _together(felt, signal) and _together(signal, felt)
    ]  # fmt: skip
    return min(beside, key=lambda signal: signal.id, default=None)


def _fails_as_well(findings: Findings, root: Signal) -> Signal | None:
    """Give a host outside, of another owner and called by others, that fails whenever the root, such a host, does.

    Two providers that have nothing to do with each other do not fail together; the way to both does: a gateway, a firewall,
    a network of one's own.
    """
    if root.kind is not Kind.EXTERNAL_FAILURE or root.entity.kind != "Host":
        return None
    others = (
        signal
        for signal in findings.signals.values()
        if signal.kind is root.kind
        and _owner(signal) != _owner(root)
        and set(signal.mentions).isdisjoint(root.mentions)
    )
    found = [signal for signal in others if _together(root, signal) and _together(signal, root)]
    return min(found, key=lambda signal: signal.id, default=None)


def _owner(signal: Signal) -> str:
    """Give the domain that somebody registered, as far as its last two labels tell."""
    return ".".join(signal.entity.name.split(".")[-2:])


def _together(one: Signal, other: Signal) -> bool:
    """Tell whether most times of one began with a time of the other."""
    met = sum(any(abs(a.start_s - b.start_s) <= TOGETHER_S for b in other.occurrences) for a in one.occurrences)
    return 2 * met > len(one.occurrences)
