"""Which of the ranked chains is told: the best one, or one that goes on behind it where its own root is no beginning.

A chain is worth less for each step that is added, so that a short one whose root is plainly an effect may come before the
very chain that tells what brought it about. Leaves out what makes a root doubtful (``roots``).
"""

from collections.abc import Callable, Container, Mapping, Sequence

from bot.domain.link import Chain
from bot.domain.signal import Kind, Signal, SignalId, Topology

LEAST_FURTHER = 0.15
"""Score under which going on behind a chain that holds by itself is a guess."""
BEGUN = 0.8
"""How well a root must stand at the start before nobody asks what brought it about."""
SLIGHTLY = 0.01
TAKES_AWAY = frozenset({Kind.ROLLOUT, Kind.RELOAD, Kind.NODE_FAILURE, Kind.EVICTION, Kind.POD_KILL, Kind.SHUTDOWN})
KEEPS_OUT = frozenset(
    {
        (Kind.EXTERNAL_FAILURE, Kind.IMAGE_PULL_FAILURE),
        (Kind.UNAVAILABLE, Kind.ROLLOUT_STUCK),
        (Kind.BAD_CONFIG, Kind.ROLLOUT_STUCK),
    }
)
"""Who keeps new pods out, and how that is felt where they should come."""
ASKS = frozenset({Kind.JOB_RUN, Kind.TRAFFIC_RISE, Kind.ROLLOUT, Kind.CONFIG_CHANGE, Kind.HUMAN_CHANGE})
"""What makes a workload ask more of others than it did."""
GOOD_PART = 0.3
"""Share of an episode by which new pods must still have been kept out."""
ALIKE = 0.85
"""A second way on, from another root, whose score comes this near leaves open which it was."""
GROWING = frozenset({Kind.MEMORY_GROWTH, Kind.RESOURCE_GROWTH, Kind.QUEUE_GROWTH})
FILLED = 0.8
"""Share of the time between a root and the symptom that a growth fills which leads from one to the other."""


def further(ranked: Sequence[Chain], holds: Callable[[Chain], bool], rootness: Mapping[Kind, float]) -> Chain:
    """Give the best chain, or as long as its root is an effect, the one that holds and tells what brought that about.

    Behind a root that may be named only one that stands better at a start is asked for; behind one that may not, any that may.
    """
    told, firm = ranked[0], holds(ranked[0])
    while (own := standing_of(told.root, rootness)) < BEGUN:
        behind = [chain for chain in ranked if _goes_on(chain, told) and chain.score >= LEAST_FURTHER]
        if firm:  # what accounts for all of it is not given up for what came before some of it
            behind = [chain for chain in behind if set(told.explained) <= set(chain.explained)]
        held = [chain for chain in behind if holds(chain)]
        found = [chain for chain in held if standing_of(chain.root, rootness) >= own + firm * SLIGHTLY]
        found = found or ([] if firm else held)
        if not found or any(_another(chain, found[0]) for chain in found[1:]):
            break
        told, firm = found[0], True
    return told


def unserved(told: Chain, ranked: Sequence[Chain], holds: Callable[[Chain], bool], topology: Topology) -> Chain:
    """Give, instead of what took pods away, the chain that begins with who kept new ones from coming, if it holds.

    A rollout whose image a registry did not hand out, or a drain whose pods a webhook refused, would have gone through; the
    old pods were away for as long as the new ones could not come.
    """
    if told.root.kind not in TAKES_AWAY:
        return told
    places = {topology.root(one.entity) for one in told.signals[:2]}
    behind = (
        chain
        for chain in ranked
        if (chain.root.kind, chain.signals[1].kind) in KEEPS_OUT
        and topology.root(chain.signals[1].entity) in places
        and chain.explained == told.explained
        and _went_on(chain.signals[1], chain)
        and holds(chain)
    )
    return next(behind, told)


def asked_too_much(told: Chain, ranked: Sequence[Chain], holds: Callable[[Chain], bool]) -> Chain:
    """Give, instead of a third party that refused for being asked too often, the chain of who began to ask, if it holds.

    A limit is met by whoever asks: the one beyond it is as it was.
    """
    if told.root.kind is not Kind.EXTERNAL_FAILURE or told.signals[1].kind is not Kind.RATE_LIMITED:
        return told
    asking = (
        chain
        for chain in ranked
        if chain.root.kind in ASKS and chain.signals[1:] == told.signals[1:] and chain.explained == told.explained
        if holds(chain)
    )
    return next(asking, told)


def instead(
    told: Chain,
    ranked: Sequence[Chain],
    cleared: Container[SignalId],
    holds: Callable[[Chain], bool],
    rootness: Mapping[Kind, float],
) -> Chain:
    """Give, instead of a chain whose root is cleared, the best of the others that holds by itself; the same where none does.

    It must begin with what needs no cause, be tied by more than the cluster, and lead over nothing that is cleared; where two
    from different places come near each other, none is given: what is left once the first suspect is cleared need not be guilty.
    """
    if told.root.id not in cleared:
        return told
    left = [
        chain
        for chain in ranked
        if not any(signal.id in cleared for signal in chain.signals)
        and standing_of(chain.root, rootness) >= BEGUN
        and chain.links[0].scope != "cluster"
        and holds(chain)
    ]
    return told if not left or any(_another(chain, left[0]) for chain in left[1:]) else left[0]


def _went_on(refused: Signal, chain: Chain) -> bool:
    """Tell whether new pods were kept out for a good part of the symptom, of which retries show ever less."""
    felt = [chain.symptom.occurrences[place] for place in chain.explained]
    last_s = [max(one.end_s for one in refused.occurrences if one.start_s <= each.end_s) for each in felt
              if any(one.start_s <= each.end_s for one in refused.occurrences)]  # fmt: skip
    return len(last_s) == len(felt) and all(
        end_s >= one.start_s + GOOD_PART * (one.end_s - one.start_s) for end_s, one in zip(last_s, felt, strict=True)
    )


def carried(chain: Chain, ranked: Sequence[Chain], least: float) -> bool:
    """Tell whether a chain only goes on behind one that holds by itself."""
    return any(one.score >= least and _goes_on(chain, one) for one in ranked)


def standing_of(signal: Signal, rootness: Mapping[Kind, float]) -> float:
    """Tell how well a signal can stand at the start of a chain, 0..1: by its kind, unless more is known of it."""
    return float(signal.attributes.get("standing", rootness.get(signal.kind, 0.25)))


def grew_between(chain: Chain) -> bool:
    """Tell whether what the root set growing fills nearly all of the time to the symptom: asked straight, hours tell nothing."""
    grown = chain.signals[1]
    if grown.kind not in GROWING or chain.links[0].test.status != "supported":
        return False
    begun, felt = chain.root.occurrences[0].start_s, chain.symptom.occurrences[0].start_s
    return any(one.end_s - max(one.start_s, begun) >= FILLED * (felt - begun) > 0 for one in grown.occurrences)


def _goes_on(chain: Chain, best: Chain) -> bool:
    return len(chain.signals) > len(best.signals) and chain.signals[-len(best.signals) :] == best.signals


def _another(chain: Chain, best: Chain) -> bool:
    """Tell a way on that is worth as much and that neither lies on the other's nor begins at its place."""
    on_one_way = best.root in chain.signals or chain.root in best.signals
    return chain.score >= ALIKE * best.score and chain.root.entity != best.root.entity and not on_one_way
