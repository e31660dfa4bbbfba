"""Of causes that came once and within minutes of each other, prefer the one that accounts for all that broke at that time.

The times of such causes are the same evidence, and so is the symptom. What else broke in that minute is not: a lost node stands
behind the timeouts of every workload that had pods on it, a rollout behind those of its own. Leaves out how a chain is ranked
otherwise (``chains``).
"""

from collections.abc import Mapping, Sequence

from bot.domain.link import Link
from bot.domain.signal import Kind, Signal, SignalId, Topology
from bot.signals.mechanisms import EXOGENOUS

AT_ONCE_S = 300.0
"""One-off causes no further apart than this cannot be told apart by their times."""
TOGETHER_S = 60.0
"""What broke within so much of the symptom's onset broke with it."""
BEGINS = 0.45
"""How well a kind must be able to begin a chain to account for what broke beside it."""
BROKEN = frozenset(
    {
        Kind.TIMEOUT,
        Kind.CONNECTION_RESET,
        Kind.CONNECTION_REFUSED,
        Kind.UNAVAILABLE,
        Kind.REPLICA_CHANGE,
        Kind.SERVER_ERROR,
        Kind.LOG_ERROR,
        Kind.CRASH_LOOP,
        Kind.PROBE_FAILURE,
    }
)


def breadths(
    paths: Mapping[SignalId, Sequence[Signal]],
    signals: Mapping[SignalId, Signal],
    links: Sequence[Link],
    topology: Topology,
) -> dict[SignalId, float]:
    """Give, by its head, what each path (root first, symptom last) is worth beside its rivals, 0..1; none without rivals."""
    ties = {(link.cause, link.effect): link.plausibility for link in links if link.test.status == "supported"}
    once = {head: path for head, path in paths.items() if _once(path[0])}
    told = {}
    for head, path in sorted(once.items()):
        rivals = [other for other in once.values() if _at_once(path[0], other[0])]
        beside = _broken_beside(rivals, signals, topology)
        if len(rivals) > 1 and beside:
            shares = [_share(other, rivals, beside, ties) for other in rivals]
            most, mine = max(shares), _share(path, rivals, beside, ties)
            told[head] = mine / most if most else 1.0
    return told


def _once(root: Signal) -> bool:
    return EXOGENOUS.get(root.kind, 0.0) >= BEGINS and root.source != "prometheus"


def _at_once(one: Signal, other: Signal) -> bool:
    """Tell whether two causes came together each time that either did and the other might have."""
    return any(abs(a.start_s - b.start_s) <= AT_ONCE_S for a in one.occurrences for b in other.occurrences)


def _broken_beside(
    rivals: Sequence[Sequence[Signal]], signals: Mapping[SignalId, Signal], topology: Topology
) -> list[Signal]:
    """Give what broke elsewhere as the symptom set in, one signal for each place."""
    symptom = rivals[0][-1]
    onset_s = symptom.occurrences[0].start_s
    places = {topology.root(symptom.entity)}
    found = []
    for signal in sorted(signals.values(), key=lambda one: one.id):
        place = topology.root(signal.entity)
        if signal.kind not in BROKEN or place in places or signal.source == "prometheus":
            continue
        if any(abs(one.start_s - onset_s) <= TOGETHER_S for one in signal.occurrences):
            places.add(place)
            found.append(signal)
    return found


def _share(
    path: Sequence[Signal],
    rivals: Sequence[Sequence[Signal]],
    beside: Sequence[Signal],
    ties: Mapping[tuple[SignalId, SignalId], float],
) -> float:
    """Give how plausibly, on average, what begins a path accounts for what broke beside the symptom.

    What a rival accounts for that the path's root brings about itself is the root's as well.
    """
    begins = [one.id for one in path[:-1] if EXOGENOUS.get(one.kind, 0.0) >= BEGINS]
    root = path[0].id
    begins += [
        other[0].id for other in rivals if ties.get((root, other[0].id), 0.0) > ties.get((other[0].id, root), 0.0)
    ]
    return sum(max((ties.get((cause, broken.id), 0.0) for cause in begins), default=0.0) for broken in beside) / len(
        beside
    )
