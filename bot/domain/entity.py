"""What an event happens to: a Kubernetes object, or a stand-in where there is none."""

from dataclasses import dataclass

CLUSTER_KINDS = frozenset({"Node", "Namespace", "PersistentVolume", "Host", "Person", "Ticket", "Cluster"})
"""Kinds that live in no namespace."""


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """A named thing: kind is the Kubernetes kind, or ``Service``, ``Host``, ``Series``, ``Person``, ``Ticket``."""

    kind: str
    name: str
    namespace: str | None = None

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"
