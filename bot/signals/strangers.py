"""Which changes made nothing of their own restless: of those only what they are tied to can have come, not what merely stands in
the same namespace.

Something is always being rolled out somewhere. A new version that does harm elsewhere serves, calls or burdens somebody; where nobody
was seen to be tied to it and it has no trouble itself, that it came before is no reason to suspect it.
"""

from collections import defaultdict
from collections.abc import Sequence

from bot.domain.entity import Entity
from bot.domain.signal import COMES_ALONG, Kind, Signal, SignalId, Topology

VERSIONS = frozenset({Kind.ROLLOUT, Kind.RELOAD})
FAR = frozenset({"same namespace", "cluster"})
EARLY_S = 60.0
ORDINARY = VERSIONS | COMES_ALONG | {Kind.CONFIG_CHANGE, Kind.SECRET_CHANGE, Kind.LOG_BURST}
"""What every new version brings along, or what is no trouble."""


def at_peace(signals: Sequence[Signal], topology: Topology) -> frozenset[SignalId]:
    """Give the rollouts and reloads after which nothing unusual was seen of the very workload."""
    restless: defaultdict[Entity, list[float]] = defaultdict(list)
    for signal in signals:
        if signal.kind not in ORDINARY:
            restless[topology.root(signal.entity)].extend(one.end_s for one in signal.occurrences)
    return frozenset(
        signal.id
        for signal in signals
        if signal.kind in VERSIONS
        and signal.occurrences
        and not any(
            end_s >= signal.occurrences[0].start_s - EARLY_S for end_s in restless[topology.root(signal.entity)]
        )
    )
