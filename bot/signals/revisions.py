"""Which revisions of a workload are kept, so that a rollout that never was can be told from one that nobody saw."""

from collections import defaultdict
from collections.abc import Sequence

from bot.domain.entity import Entity
from bot.domain.items import ItemId, ObjectVersion
from bot.domain.signal import History, Topology
from bot.signals.manifest import owner_of, parts, text, time_s, value

REVISIONS = frozenset({"ReplicaSet", "ControllerRevision"})


def histories(objects: Sequence[tuple[ItemId, ObjectVersion]], topology: Topology) -> dict[Entity, History]:
    """Give each workload's kept revisions: ReplicaSets of a Deployment, ControllerRevisions of the others.

    A rollout moves the condition ``Progressing`` of its Deployment
    (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status).
    """
    made: dict[Entity, dict[str, float]] = defaultdict(dict)
    moved: dict[Entity, float] = {}
    for _, version in objects:
        if version.entity.kind in REVISIONS:
            at_s, owner = time_s(value(version.manifest, "metadata", "creationTimestamp")), owner_of(version)
            if at_s is not None and owner is not None:
                made[topology.root(owner)].setdefault(version.entity.name, at_s)
        conditions = parts(version.manifest, "status", "conditions") if version.entity.kind == "Deployment" else ()
        for condition in conditions:
            at_s = time_s(condition.get("lastUpdateTime"))
            if text(condition, "type") == "Progressing" and at_s is not None:
                moved[version.entity] = max(at_s, moved.get(version.entity, at_s))
    return {
        entity: History(made_s=tuple(sorted(named.values())), moved_s=moved.get(entity))
        for entity, named in sorted(made.items())
    }
