"""Workloads that run with fewer pods than they want, for longer than a rollout or a restart takes.

What is wanted stands in kube-state-metrics as ``kube_deployment_spec_replicas`` or an autoscaler's desired replicas, what
there is as the ready or available ones; the difference is what every refusal to make a pod comes to. After the alerts
KubeDeploymentReplicasMismatch and KubeHpaReplicasMismatch of kubernetes-mixin, which wait as long. Leaves out why.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.ports import SeriesShelf
from bot.domain.signal import Kind, Occurrence, Signal, Topology, signal_id
from bot.domain.window import Window
from bot.signals.degrees import levels_of, stretches
from bot.signals.folding import Folded, Owners, arrays, fold
from bot.signals.levels import Floats

WANTED = (
    "kube_deployment_spec_replicas",
    "kube_statefulset_replicas",
    "kube_horizontalpodautoscaler_status_desired_replicas",
)
THERE = (
    "kube_deployment_status_replicas_available",
    "kube_deployment_status_replicas_ready",
    "kube_statefulset_status_replicas_ready",
    "kube_horizontalpodautoscaler_status_current_replicas",
)
"""By how well they tell it, the best first."""
LONG_S = 900.0
"""Rollouts and restarts are over by then (kubernetes-mixin, ``for: 15m``)."""


@dataclass(frozen=True, slots=True)
class _Sides:
    wanted: dict[str, list[ItemId]]
    there: dict[str, list[ItemId]]


def shortfalls(shelf: SeriesShelf, window: Window, topology: Topology) -> list[Signal]:
    """Give a signal for each workload that wanted more pods than it had, sorted by id."""
    owners = Owners(topology, {})
    sides: dict[Entity, _Sides] = {}
    for one in shelf.series_heads():
        if one.metric in WANTED or one.metric in THERE:
            entity = owners.of(one.metric, one.labels)
            at = sides.setdefault(topology.targets.get(entity, entity), _Sides({}, {}))
            side = at.wanted if one.metric in WANTED else at.there
            side.setdefault(one.metric, []).append(one.id)
    found = (_signal(entity, sides[entity], shelf, window, topology) for entity in sorted(sides, key=str))
    return sorted((signal for signal in found if signal is not None), key=lambda signal: signal.id)


def _best(side: Mapping[str, list[ItemId]], order: tuple[str, ...], shelf: SeriesShelf) -> Folded | None:
    items = next((side[metric] for metric in order if metric in side), [])
    return fold([(item, *arrays(*samples)) for item, *samples in shelf.samples(items)], "max")


def _signal(entity: Entity, sides: _Sides, shelf: SeriesShelf, window: Window, topology: Topology) -> Signal | None:
    wanted, there = _best(sides.wanted, WANTED, shelf), _best(sides.there, THERE, shelf)
    if wanted is None or there is None:
        return None
    last = np.searchsorted(there.times, wanted.times + there.step / 2, side="right") - 1
    had = np.where(last >= 0, there.values[np.maximum(last, 0)], np.nan)
    missing = np.maximum(np.nan_to_num(wanted.values - had), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(wanted.values > 0, missing / wanted.values, 0.0)
    spans = [span for span in stretches(wanted.times, missing > 0) if span[1] - span[0] >= LONG_S]
    spans = [span for span in spans if span[1] >= window.start_s and span[0] < window.end_s]
    if not spans:
        return None
    ones = tuple(_occurrence(wanted, had, missing, span) for span in spans)
    return Signal(
        id=signal_id(Kind.POD_SHORTFALL, entity),
        kind=Kind.POD_SHORTFALL,
        entity=entity,
        label="fewer pods than wanted",
        source="prometheus",
        occurrences=ones,
        total=len(ones),
        nodes=topology.nodes.get(entity, frozenset()),
        attributes={"unit": "", "step_s": f"{max(wanted.step, there.step):g}"},
        levels=levels_of(wanted.times, share, 0.0),
    )


def _occurrence(wanted: Folded, had: Floats, missing: Floats, span: tuple[float, float]) -> Occurrence:
    start_s, end_s = span
    inside = np.flatnonzero((wanted.times >= start_s) & (wanted.times <= end_s))
    worst = int(inside[np.argmax(missing[inside])])
    return Occurrence(
        start_s=start_s,
        end_s=end_s,
        size=float(missing[worst]),
        refs=wanted.refs(start_s, end_s),
        note=f"{had[worst]:.0f} pods of {wanted.values[worst]:.0f} wanted",
    )
