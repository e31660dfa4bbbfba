"""How long each pod lived, where, and out of which ReplicaSet: what a failure that hits some pods only is held against.

Objects tell of pods that were there when they were read, events of those that came and went. Of a pod that only a log
names nothing is said, for a pod that was gone cannot have been spared. Leaves out what happened to them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId, ObjectVersion
from bot.domain.signal import PodLife
from bot.signals.manifest import text, time_s, value

_BORN = frozenset({"Scheduled", "Created", "Started", "Pulling", "Pulled", "SuccessfulAttachVolume"})
_GONE = frozenset({"Killing", "Evicted", "TaintManagerEviction", "Preempted", "Preempting"})


@dataclass(slots=True)
class _Seen:
    first_s: float
    last_s: float
    born: bool = False
    gone: bool = False
    there: bool = False
    nodes: set[str] = field(default_factory=set)


def read_pods(
    objects: Iterable[tuple[ItemId, ObjectVersion]],
    events: Iterable[tuple[ItemId, ClusterEvent]],
    owner: Mapping[Entity, Entity],
    nodes: Mapping[Entity, frozenset[str]],
) -> dict[Entity, PodLife]:
    """Give the life of every pod that objects or events tell of, ascending by its name."""
    seen: dict[Entity, _Seen] = {}
    for _, version in objects:
        born_s = time_s(value(version.manifest, "metadata", "creationTimestamp"))
        if version.entity.kind == "Pod" and born_s is not None:
            one = seen.setdefault(version.entity, _Seen(born_s, born_s))
            one.first_s, one.born, one.there = min(one.first_s, born_s), True, True
            one.nodes.update(filter(None, [text(version.manifest, "spec", "nodeName")]))
            gone_s = time_s(value(version.manifest, "metadata", "deletionTimestamp"))
            if gone_s is not None:
                one.last_s, one.gone, one.there = gone_s, True, False
    for _, event in events:
        if event.entity.kind == "Pod":
            _tell(seen, event)
    return {
        pod: PodLife(
            start_s=one.first_s if one.born else float("-inf"),
            end_s=float("inf") if one.there and not one.gone else one.last_s,
            nodes=frozenset(one.nodes) or nodes.get(pod, frozenset()),
            replica_set=owner.get(pod),
        )
        for pod, one in sorted(seen.items(), key=lambda pair: str(pair[0]))
    }


def _tell(seen: dict[Entity, _Seen], event: ClusterEvent) -> None:
    first_s, last_s = event.first_at.timestamp(), event.at.timestamp()
    one = seen.setdefault(event.entity, _Seen(first_s, last_s))
    one.first_s, one.last_s = min(one.first_s, first_s), max(one.last_s, last_s)
    one.born |= event.reason in _BORN
    one.gone |= event.reason in _GONE and not one.there
    if event.component == "kubelet" and event.node:
        one.nodes.add(event.node)
