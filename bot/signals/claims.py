"""Whose data lie on which PersistentVolumeClaim: by the pods that mount it, and by how a StatefulSet names its claims.

Leaves out volumes that no claim stands for.
"""

from collections.abc import Iterable, Iterator

from bot.domain.entity import Entity
from bot.domain.items import ItemId, ObjectVersion
from bot.domain.signal import Topology
from bot.signals.manifest import parts, pod_spec, text

_KIND = "PersistentVolumeClaim"


def read_claims(objects: Iterable[tuple[ItemId, ObjectVersion]], topology: Topology) -> dict[Entity, Entity]:
    """Map each claim to the one workload whose pods mount it; what several share is nobody's."""
    found: dict[Entity, set[Entity]] = {}
    for _, version in objects:
        for claim in _mounted(version):
            found.setdefault(claim, set()).add(topology.root(version.entity))
    return {claim: next(iter(whose)) for claim, whose in sorted(found.items(), key=str) if len(whose) == 1}


def _mounted(version: ObjectVersion) -> Iterator[Entity]:
    space = version.entity.namespace
    for volume in parts(pod_spec(version), "volumes"):
        if name := text(volume, "persistentVolumeClaim", "claimName"):
            yield Entity(_KIND, name, space)


def claimed_by(claim: Entity, topology: Topology) -> Entity | None:
    """Give the workload of a claim; where no pod's spec tells, the StatefulSet that names its claims so.

    A claim that a StatefulSet makes is called after its template and its pod, ``data-db-0``
    (kubernetes.io/docs/concepts/workloads/controllers/statefulset, "Stable Storage").
    """
    if claim.kind != _KIND or claim in topology.claims:
        return topology.claims.get(claim)
    pods = (pod for pods in topology.pods.values() for pod in pods)
    named = [pod for pod in pods if pod.namespace == claim.namespace and claim.name.endswith(f"-{pod.name}")]
    return topology.root(max(named, key=lambda pod: len(pod.name))) if named else None
