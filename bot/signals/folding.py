"""Series of one workload folded into one, whoever's pods came and went; and whom a series speaks of.

Counters become rates first (a reset counts from zero). Left out: what the result means.
"""

import heapq
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bot.domain.entity import Entity
from bot.domain.items import ItemId
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
    """One series for a workload on an even grid.

    ``parts`` holds each member's values while it was there, from its place in ``firsts`` on: a pod that lives for an hour
    takes the room of an hour, however long the grid is.
    """

    times: Floats
    values: Floats
    parts: tuple[Floats, ...]
    firsts: NDArray[np.int64]
    ids: tuple[ItemId, ...]
    step: float

    def refs(self, start_s: float, end_s: float, at_most: int = 3) -> tuple[ItemId, ...]:
        """Give the members that were largest between two times, largest first."""
        first, last = (int(place) for place in np.searchsorted(self.times, (start_s, end_s + self.step / 2)))
        last = max(last, first + 1)
        there = np.flatnonzero((self.firsts < last) & (self.firsts + [len(part) for part in self.parts] > first))
        peaks = [(-self._peak(int(number), first, last), int(number)) for number in there]
        return tuple(self.ids[number] for peak, number in heapq.nsmallest(at_most, peaks) if peak <= 0)

    def lines(self, at_most: int) -> NDArray[np.float64]:
        """Give the first members by themselves, NaN where they were not: an array of members × grid."""
        found = np.full((min(at_most, len(self.parts)), len(self.times)), np.nan)
        for line, first, part in zip(found, self.firsts, self.parts, strict=False):
            line[first : first + len(part)] = part
        return found

    def _peak(self, number: int, first: int, last: int) -> float:
        """Give a member's largest value between two places of the grid, whatever its sign; -1 where it has none."""
        part, begun = self.parts[number], int(self.firsts[number])
        inside = part[max(first - begun, 0) : max(last - begun, 0)]
        return float(np.fmax.reduce(np.abs(inside), initial=-1.0))


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


def arrays(times_s: "array[float]", samples: "array[float]") -> tuple[Floats, Floats]:
    """Give a series' finite samples as numpy arrays."""
    times, values = np.asarray(times_s, dtype=np.float64), np.asarray(samples, dtype=np.float64)
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
    laid = [_on_grid(grid, step, times, values) for _, times, values in members]
    firsts, parts = np.array([first for first, _ in laid], dtype=np.int64), tuple(part for _, part in laid)
    ids = tuple(member[0] for member in members)
    return Folded(times=grid, values=_joined(len(grid), laid, how), parts=parts, firsts=firsts, ids=ids, step=step)


_JOIN: Mapping[str, tuple[np.ufunc, float]] = {
    "sum": (np.add, 0.0),
    "max": (np.maximum, -np.inf),
    "min": (np.minimum, np.inf),
}


def _joined(length: int, laid: Sequence[tuple[int, Floats]], how: Literal["sum", "max", "min"]) -> Floats:
    """Join members, leaving out who was not there; NaN where nobody was."""
    join, neutral = _JOIN[how]
    values, anybody = np.full(length, neutral), np.zeros(length, dtype=np.bool_)
    for first, part in laid:
        span = slice(first, first + len(part))
        seen = np.isfinite(part)
        anybody[span] |= seen
        join(values[span], part, out=values[span], where=seen)
    values[~anybody] = np.nan
    return values


def _on_grid(grid: Floats, step: float, times: Floats, values: Floats) -> tuple[int, Floats]:
    """Give where on the grid a member begins, and its values from there to its end, NaN where it was silent."""
    if len(times) == len(grid) and bool(np.all(np.abs(times - grid) < step / 100)):
        return 0, values
    most = max(2 * typical_step(times) if len(times) > 1 else step, step)
    first, end = np.searchsorted(grid, (times[0] - step, times[-1] + most + step))
    there = grid[first:end]
    last = np.searchsorted(times, there + step / 2, side="right") - 1
    age = there - times[np.maximum(last, 0)]
    fresh = (last >= 0) & (age < most)
    return int(first), np.where(fresh, values[np.maximum(last, 0)], np.nan)
