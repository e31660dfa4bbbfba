"""Series of one workload folded into one, whoever's pods came and went; and whom a series speaks of.

Counters become rates first (a reset counts from zero). Left out: what the result means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bot.domain.entity import Entity
from bot.domain.items import ItemId, Series
from bot.domain.signal import Topology
from bot.signals.levels import Floats, typical_step
from bot.signals.pod_names import owners_by_name

_MAX_POINTS = 200_000

_WORKLOAD_LABELS = (
    ("horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    ("hpa", "HorizontalPodAutoscaler"),
    ("deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("replicaset", "ReplicaSet"),
    ("cronjob", "CronJob"),
    ("job_name", "Job"),
    ("destination_workload", "Deployment"),
    ("ingress", "Ingress"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
)
_POD_LABELS = ("exported_pod", "pod", "pod_name", "kubernetes_pod_name", "k8s_pod_name")
_NAMESPACE_LABELS = ("exported_namespace", "namespace", "kubernetes_namespace", "k8s_namespace_name", "destination_workload_namespace")  # fmt: skip
_NAME_LABELS = ("destination_service_name", "service", "app", "app_kubernetes_io_name", "envoy_cluster_name", "upstream", "application", "component", "job", "exported_job")  # fmt: skip
_NODE_LABELS = ("node", "nodename", "kubernetes_node", "exported_node", "instance")
_WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "ReplicaSet", "Service", "Ingress")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """One series for a workload on an even grid; ``parts`` holds each member's values there, NaN where it was not."""

    times: Floats
    values: Floats
    parts: NDArray[np.float64]
    ids: tuple[ItemId, ...]
    step: float

    def refs(self, start_s: float, end_s: float, at_most: int = 3) -> tuple[ItemId, ...]:
        """Give the members that were largest between two times, largest first."""
        first, last = np.searchsorted(self.times, (start_s, end_s + self.step / 2))
        part = np.abs(self.parts[:, first : max(int(last), int(first) + 1)])
        seen = np.isfinite(part)
        peaks = np.where(seen.any(axis=1), np.where(seen, part, 0.0).max(axis=1, initial=0.0), -1.0)
        order = sorted(range(len(self.ids)), key=lambda number: (-float(peaks[number]), number))
        return tuple(self.ids[number] for number in order[:at_most] if peaks[number] >= 0)


class Owners:
    """Finds the entity a series speaks of by its labels and the topology."""

    def __init__(self, topology: Topology, node_names: Mapping[str, str]) -> None:
        self._topology = topology
        self._node_names = node_names
        self._known = frozenset(topology.owner.values()) | frozenset(topology.owner)
        everyone = {topology.root(entity) for entity in self._known} | set(topology.targets.values())
        everyone |= {target for targets in topology.backends.values() for target in targets}
        rank = {kind: number for number, kind in enumerate(_WORKLOAD_KINDS)}
        ordered = sorted(
            everyone, key=lambda entity: (rank.get(entity.kind, 99), entity.kind, entity.name, entity.namespace or "")
        )
        self._named: dict[tuple[str | None, str], Entity] = {}
        for entity in ordered:
            self._named.setdefault((entity.namespace, entity.name), entity)
            self._named.setdefault((None, entity.name), entity)

    def of(self, metric: str, labels: Mapping[str, str]) -> Entity:
        """Give the workload, object, node or service of a series; a stand-in of kind ``Series`` where labels tell none."""
        space = next((labels[key] for key in _NAMESPACE_LABELS if labels.get(key)), None)
        for label, kind in _WORKLOAD_LABELS:
            if labels.get(label):
                return self._root(Entity(kind, labels[label], space))
        pod = next((labels[key] for key in _POD_LABELS if labels.get(key)), None)
        if pod:
            return self._root(Entity("Pod", pod, space))
        node = self._node(metric, labels)
        if node:
            return node
        own = {"service", "job"} if metric.startswith("kube_") else set()
        for label in (*_NAME_LABELS, "container"):
            if labels.get(label) and label not in own:
                return self._service(labels[label], space)
        return Entity("Namespace", space) if space else _stand_in(metric, labels)

    def _node(self, metric: str, labels: Mapping[str, str]) -> Entity | None:
        if not metric.startswith(("node_", "kube_node_", "machine_")) and (
            not labels.get("node") or any(labels.get(label) for label in (*_NAME_LABELS[:-2], "container"))
        ):
            return None
        name = next((labels[key] for key in _NODE_LABELS if labels.get(key)), None)
        if not name:
            return None
        host = name.rsplit(":", 1)[0] if name.count(":") == 1 else name
        return Entity("Node", self._node_names.get(host, host))

    def _root(self, entity: Entity) -> Entity:
        root = self._topology.root(entity)
        if root == entity and entity.kind in {"Pod", "Job", "ReplicaSet"}:
            for _, owner in owners_by_name(entity, self._known):
                root = self._topology.root(owner)
        return root

    def _service(self, name: str, space: str | None) -> Entity:
        if known := self._named.get((space, name)) or (self._named.get((None, name)) if space is None else None):
            return self._behind(known)
        return self._behind(Entity("Service", name, space))

    def _behind(self, service: Entity) -> Entity:
        behind = self._topology.backends.get(service, frozenset()) if service.kind == "Service" else frozenset()
        return next(iter(behind)) if len(behind) == 1 else service


def _stand_in(metric: str, labels: Mapping[str, str]) -> Entity:
    text = ",".join(f"{key}={value}" for key, value in sorted(labels.items()) if key != "__name__")
    return Entity("Series", metric or text or "value")


def arrays(series: Series) -> tuple[Floats, Floats]:
    """Give a series' finite samples as numpy arrays."""
    times, values = np.asarray(series.times_s, dtype=np.float64), np.asarray(series.values, dtype=np.float64)
    keep = np.isfinite(values) & np.isfinite(times)
    return (times, values) if bool(keep.all()) else (times[keep], values[keep])


def rises_only(values: Floats) -> bool:
    """Tell whether nameless values look like a counter: never falling but for resets to near zero, and well risen."""
    if len(values) < 20 or float(values.min()) < 0:
        return False
    steps = np.diff(values)
    falls = np.flatnonzero(steps < 0)
    resets = bool((values[falls + 1] < 0.1 * values[falls] + 1).all())
    return resets and len(falls) <= len(steps) // 50 and float((steps > 0).mean()) > 0.5


def rate(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Turn a counter into its increase per second between samples; a fall is a reset and counts from zero."""
    if len(times) < 2:
        return times[:0], values[:0]
    rise = np.diff(values)
    rise = np.where(rise < 0, values[1:], rise)
    width = np.diff(times)
    keep = (width > 0) & (width <= 5 * typical_step(times))
    return times[1:][keep], rise[keep] / width[keep]


def fold(members: Sequence[tuple[ItemId, Floats, Floats]], how: Literal["sum", "max", "min"]) -> Folded | None:
    """Lay members on one even grid and join them; a member that is silent for two of its steps is not there."""
    members = [member for member in members if len(member[1]) >= 1]
    if not members:
        return None
    steps = [typical_step(times) for _, times, _ in members if len(times) > 1]
    step = max(float(np.median(steps)) if steps else 60.0, 1.0)
    start, end = min(float(times[0]) for _, times, _ in members), max(float(times[-1]) for _, times, _ in members)
    step = max(step, (end - start) / _MAX_POINTS)
    grid: Floats = start + np.arange(int((end - start) / step + 0.5) + 1, dtype=np.float64) * step
    parts = np.empty((len(members), len(grid)))
    for row, (_, times, values) in enumerate(members):
        parts[row] = _on_grid(grid, step, times, values)
    joined = parts[0] if len(members) == 1 else _joined(parts, how)
    return Folded(times=grid, values=joined, parts=parts, ids=tuple(member[0] for member in members), step=step)


def _joined(parts: Floats, how: Literal["sum", "max", "min"]) -> Floats:
    """Join members' rows, leaving out who was not there; NaN where nobody was."""
    seen = np.isfinite(parts)
    if how == "sum":
        values = np.where(seen, parts, 0.0).sum(axis=0)
    elif how == "max":
        values = np.where(seen, parts, -np.inf).max(axis=0)
    else:
        values = np.where(seen, parts, np.inf).min(axis=0)
    return np.where(seen.any(axis=0), values, np.nan)


def _on_grid(grid: Floats, step: float, times: Floats, values: Floats) -> Floats:
    if len(times) == len(grid) and bool(np.all(np.abs(times - grid) < step / 100)):
        return values
    last = np.searchsorted(times, grid + step / 2, side="right") - 1
    age = grid - times[np.maximum(last, 0)]
    fresh = (last >= 0) & (age < max(2 * typical_step(times) if len(times) > 1 else step, step))
    return np.where(fresh, values[np.maximum(last, 0)], np.nan)
