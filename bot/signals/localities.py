"""Do only those pods fail that a cause could have reached? The new ones of a rollout, those on a node that failed.

Pods are the unit, for the lines of one pod are hardly independent of each other: of all pods of the failing workload that
lived while it failed, how many failed in the group that the cause reached, and how many in the rest. Fisher's exact test
(1922) gives the chance that a failure which cares nothing for the group would have hit it so much. Leaves out when it
failed: that is for the tests of times.
"""

from dataclasses import dataclass

from bot.domain.entity import Entity
from bot.domain.signal import Kind, PodLife, Signal, Topology
from bot.signals.statistics import fisher_exact

NEW = "new pods"
NEW_S = 1800.0
"""Pods of a ReplicaSet that appeared this soon after a rollout began are the ones it brought."""
EARLY_S = 120.0
STRAY = 0.1
"""A pod with no more of it than this share of the worst one has had its everyday stray failure."""
CHANGES = frozenset({Kind.ROLLOUT, Kind.RELOAD})
AT_A_START = frozenset(
    {
        Kind.POD_START,
        Kind.STARTUP,
        Kind.SCHEDULING_FAILURE,
        Kind.IMAGE_PULL_FAILURE,
        Kind.MOUNT_FAILURE,
        Kind.BAD_CONFIG,
        Kind.SHUTDOWN,
        Kind.POD_KILL,
    }
)
"""What only a pod that begins or is replaced can have: that none of the others had it goes without saying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locality:
    """Of ``reached`` pods ``failed`` did, of ``others`` ``spared_not``; ``whose`` names the group that the cause reached."""

    whose: str
    failed: int
    reached: int
    spared_not: int
    others: int
    p_value: float

    @property
    def spares(self) -> bool:
        """Tell whether none of the new pods failed while others did: what a rollout brought is then not what failed."""
        return self.whose == NEW and not self.failed and self.spared_not > 0

    def __str__(self) -> str:
        return (
            f"{self.failed} of {self.reached} {self.whose} failed, {self.spared_not} of {self.others} others "
            f"(Fisher exact, p = {self.p_value:.2g})"
        )


def locality(cause: Signal, effect: Signal, topology: Topology) -> Locality | None:
    """Hold the pods that a cause reached against the rest; None where either group is empty or nobody knows who failed."""
    if not _askable(cause, effect, topology):
        return None
    alive = _alive(effect, cause.occurrences[0].start_s - EARLY_S, topology)
    whose, reached = _group(cause, effect, alive, topology)
    others = alive.keys() - reached
    most = max(effect.pods.values())
    hit = {pod for pod in alive if effect.pods.get(pod.name, 0) > STRAY * most}
    if not reached or not others or not hit:
        return None
    failed, spared_not = len(hit & reached), len(hit & others)
    chance = fisher_exact(failed, len(reached) - failed, spared_not, len(others) - spared_not)
    return Locality(
        whose=whose, failed=failed, reached=len(reached), spared_not=spared_not, others=len(others), p_value=chance
    )


def _askable(cause: Signal, effect: Signal, topology: Topology) -> bool:
    if not effect.pods or effect.kind in AT_A_START or not cause.occurrences or not effect.occurrences:
        return False
    if cause.entity.kind == "Node":
        return True
    return cause.kind in CHANGES and topology.root(cause.entity) == topology.root(effect.entity)


def _alive(effect: Signal, since_s: float, topology: Topology) -> dict[Entity, PodLife]:
    """Give the pods of the failing workload that lived while it failed, from a time on."""
    failing = [one for one in effect.occurrences if one.start_s >= since_s]
    return {
        pod: life
        for pod, life in topology.pods.get(topology.root(effect.entity), {}).items()
        if any(life.start_s <= one.end_s and one.start_s <= life.end_s for one in failing)
    }


def _group(cause: Signal, effect: Signal, alive: dict[Entity, PodLife], topology: Topology) -> tuple[str, set[Entity]]:
    if cause.entity.kind == "Node":
        name = cause.entity.name
        return f"pods on {name}", {pod for pod, life in alive.items() if name in life.nodes}
    began = [one.start_s for one in cause.occurrences]
    sets = {life.replica_set for life in alive.values() if life.replica_set is not None}
    lives = topology.pods.get(topology.root(effect.entity), {}).values()
    first = {each: min(life.start_s for life in lives if life.replica_set == each) for each in sets}
    new = {each for each in sets if any(-EARLY_S <= first[each] - at_s <= NEW_S for at_s in began)}
    return NEW, {pod for pod, life in alive.items() if life.replica_set in new}
