"""Who waited for room on a node, what each asks for, and what one node of that size has to give.

Read from the scheduler's events, the pods' own requests or those of their workload, and the node's allocatable. What every
node's DaemonSets take is taken off. Leaves out affinity, taints and ports: the scheduler's words name those.
"""

from collections.abc import Iterable, Sequence

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId, ObjectVersion
from bot.domain.measured import Room, Shared, Size
from bot.domain.quantities import number_of
from bot.domain.signal import Topology
from bot.signals.manifest import Part, containers, part, pod_spec, text

_WAITS = frozenset({"FailedScheduling"})


def room(
    node: Entity,
    events: Iterable[tuple[ItemId, ClusterEvent]],
    objects: Sequence[tuple[ItemId, ObjectVersion]],
    topology: Topology,
    span: tuple[float, float],
) -> Room | None:
    """Give who waited within ``span`` (epoch seconds) and the size of the node; None where nobody did or its size is not known."""
    waiting = {
        event.entity
        for _, event in events
        if event.reason in _WAITS
        and event.entity.kind == "Pod"
        and event.at.timestamp() >= span[0]
        and event.first_at.timestamp() <= span[1]
    }
    size = next((_allocatable(version) for _, version in reversed(objects) if version.entity == node), None)
    if not waiting or size is None:
        return None
    asked = {version.entity: _requests(version) for _, version in objects if pod_spec(version)}
    taken = [asked[version.entity] for _, version in objects if version.entity.kind == "DaemonSet"]
    needs = [asked.get(pod) or asked.get(topology.root(pod)) for pod in sorted(waiting)]
    known = tuple(need for need in needs if need is not None and need != (0.0, 0.0))
    return Room(
        waiting=known,
        node=(size[0] - sum(one[0] for one in taken), size[1] - sum(one[1] for one in taken)),
        unknown=len(needs) - len(known),
    )


def neighbours(entity: Entity, objects: Sequence[tuple[ItemId, ObjectVersion]], topology: Topology) -> Shared | None:
    """Give the one node that an entity's pods run on as they were last read, and what the pods of others on it request."""
    pods = {version.entity: version for _, version in objects if version.entity.kind == "Pod"}
    on = {pod: text(version.manifest, "spec", "nodeName") for pod, version in pods.items()}
    own = {on[pod] for pod in pods if topology.root(pod) == entity and on[pod]}
    if len(own) != 1:
        return None
    node = Entity("Node", own.pop())
    size = next((_allocatable(version) for _, version in reversed(objects) if version.entity == node), None)
    others = [pod for pod in pods if on[pod] == node.name and topology.root(pod) != entity and _runs(pods[pod])]
    if size is None or not others:
        return None
    return Shared(node=node, cores=size[0], requested=sum(_requests(pods[pod])[0] for pod in others))


def _runs(version: ObjectVersion) -> bool:
    return text(version.manifest, "status", "phase") not in ("Succeeded", "Failed")


def _allocatable(version: ObjectVersion) -> Size | None:
    cores, size = _amounts(part(version.manifest, "status", "allocatable"))
    return (cores, size) if cores and size else None


def _requests(version: ObjectVersion) -> Size:
    """Give what a pod of this object asks for: its containers together (init containers run before them, one at a time)."""
    spec = pod_spec(version)
    main = len(spec.get("containers") or ())
    sizes = [_amounts(part(one, "resources", "requests")) for one in containers(spec)]
    first, later = sizes[:main], sizes[main:]
    together = [sum(one[at] for one in first) for at in (0, 1)]
    cores, size = (max([whole, *(one[at] for one in later)]) for at, whole in enumerate(together))
    return cores, size


def _amounts(resources: Part) -> Size:
    cores, size = (number_of(str(resources.get(name, "0")), name) or 0.0 for name in ("cpu", "memory"))
    return cores, size
