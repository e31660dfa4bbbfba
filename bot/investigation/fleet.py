"""A source of one cluster among several: what it brings in carries the cluster's name, so that names never collide.

Only used where an investigation reads more than one cluster. Left out: what lines themselves say, which stays as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.domain.entity import CLUSTER_KINDS, Entity
from bot.domain.finding import Finding
from bot.domain.fleet import inside
from bot.domain.items import ChatMessage, ClusterEvent, Gap, ItemId, LogStream, ObjectVersion, Series, TicketEntry
from bot.domain.ports import LiveSource, Progress, Sink, TimedLine

_NAMESPACES = ("exported_namespace", "namespace", "kubernetes_namespace", "k8s_namespace_name", "destination_workload_namespace")  # fmt: skip
_NODES = ("node", "nodename", "kubernetes_node", "exported_node", "instance")
_NAMES = ("destination_service_name", "service", "app", "app_kubernetes_io_name", "envoy_cluster_name", "upstream", "application", "component", "job")  # fmt: skip
_APART = CLUSTER_KINDS - {"Host", "Person", "Ticket"}


class InCluster:
    """Lets a source fill a case under its cluster's name."""

    def __init__(self, source: LiveSource, cluster: str) -> None:
        self.name = source.name
        self.deadline_s = source.deadline_s
        self._source = source
        self._cluster = cluster

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Stream everything into the sink, renamed."""
        self._source.gather(_ClusterSink(sink, self._cluster), progress)

    def examine(self) -> Sequence[Finding]:
        """Look at the source."""
        return [replace(each, name=f"{self._cluster}: {each.name}") for each in self._source.examine()]


class _ClusterSink:
    """Passes everything on under the cluster's name; gaps and details say whose they are."""

    def __init__(self, sink: Sink, cluster: str) -> None:
        self._sink = sink
        self._cluster = cluster

    def open_stream(self, stream: LogStream) -> int:
        """Register a log stream of the cluster."""
        return self._sink.open_stream(
            replace(
                stream,
                namespace=self._inside(stream.namespace),
                node=self._inside(stream.node),
                path=inside(self._cluster, stream.path),
            )
        )

    def add_lines(self, stream: int, lines: Sequence[TimedLine]) -> None:
        """Append lines."""
        self._sink.add_lines(stream, lines)

    def add_event(self, event: ClusterEvent) -> ItemId:
        """Store an event of the cluster."""
        return self._sink.add_event(replace(event, entity=self._renamed(event.entity), node=self._inside(event.node)))

    def add_object(self, version: ObjectVersion) -> ItemId:
        """Store an object of the cluster; its bytes stay as they were."""
        manifest = self._placed(version.manifest)
        return self._sink.add_object(replace(version, entity=self._renamed(version.entity), manifest=manifest))

    def add_series(self, series: Series) -> ItemId:
        """Store a series of the cluster."""
        labels = dict(series.labels)
        found = [label for label in _NAMESPACES if labels.get(label)]
        for label in found or [label for label in (*_NODES, *_NAMES) if labels.get(label)]:
            labels[label] = inside(self._cluster, labels[label])
        if found and labels.get("node"):
            labels["node"] = inside(self._cluster, labels["node"])
        return self._sink.add_series(replace(series, labels=labels | {"cluster": self._cluster}))

    def add_message(self, message: ChatMessage) -> ItemId:
        """Store a message."""
        return self._sink.add_message(message)

    def add_ticket(self, entry: TicketEntry) -> ItemId:
        """Store a ticket entry."""
        return self._sink.add_ticket(entry)

    def add_gap(self, gap: Gap) -> None:
        """Say which cluster's gap it is."""
        self._sink.add_gap(replace(gap, what=f"{self._cluster}: {gap.what}"))

    def add_read(self, source: str, path: str, size: int) -> None:
        """Record what was read, where the streams' paths say so too."""
        self._sink.add_read(source, inside(self._cluster, path), size)

    def add_detail(self, source: str, detail: str) -> None:
        """Say which cluster it is told of."""
        self._sink.add_detail(source, f"{self._cluster}: {detail}")

    def _inside(self, name: str | None) -> str | None:
        return inside(self._cluster, name) if name else name

    def _renamed(self, entity: Entity) -> Entity:
        if entity.namespace:
            return replace(entity, namespace=inside(self._cluster, entity.namespace))
        return replace(entity, name=inside(self._cluster, entity.name)) if entity.kind in _APART else entity

    def _placed(self, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        """Rename the node that a pod's manifest names; owners and targets are in the object's own namespace."""
        spec = manifest.get("spec")
        if not isinstance(spec, Mapping) or not isinstance(spec.get("nodeName"), str):
            return manifest
        return {**manifest, "spec": {**spec, "nodeName": inside(self._cluster, spec["nodeName"])}}
