"""Autoscalers that stand at their most pods for longer than a peak takes: more load finds no more pods.

After the alert KubeHpaMaxedOut of kubernetes-mixin, which waits as long and leaves out those whose least is their most. Leaves out
what the load was.
"""

from dataclasses import dataclass, field

import numpy as np

from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.ports import SeriesShelf
from bot.domain.signal import Kind, Occurrence, Signal, Topology, signal_id
from bot.domain.window import Window
from bot.signals.degrees import stretches
from bot.signals.folding import Folded, Owners, arrays, fold
from bot.signals.levels import Floats

AT_LIMIT = "autoscaler at its limit"
LONG_S = 900.0
LOWERED = "0.85"
"""How well a limit begins a chain that somebody lowered below what had been used: as well as any other change."""
BUSY = "0.4"
"""The same of a limit that was never changed: something brought the load."""
_OF = "kube_horizontalpodautoscaler_"
_MOST, _LEAST = f"{_OF}spec_max_replicas", f"{_OF}spec_min_replicas"
_THERE = (f"{_OF}status_desired_replicas", f"{_OF}status_current_replicas")
"""By how well they tell it, the best first."""


@dataclass(frozen=True, slots=True)
class _Scaler:
    series: dict[str, list[ItemId]] = field(default_factory=dict)


def ceilings(shelf: SeriesShelf, window: Window, topology: Topology) -> list[Signal]:
    """Give a signal for each autoscaler that stood at its most pods for a while, but not all along; sorted by id."""
    owners = Owners(topology, {})
    scalers: dict[Entity, _Scaler] = {}
    for head in shelf.series_heads():
        if head.metric in (_MOST, _LEAST, *_THERE):
            scaler = scalers.setdefault(owners.of(head.metric, head.labels), _Scaler())
            scaler.series.setdefault(head.metric, []).append(head.id)
    found = (_signal(entity, scalers[entity], shelf, window, topology) for entity in sorted(scalers, key=str))
    return sorted((signal for signal in found if signal is not None), key=lambda signal: signal.id)


def _signal(entity: Entity, scaler: _Scaler, shelf: SeriesShelf, window: Window, topology: Topology) -> Signal | None:
    there = next((read for metric in _THERE if (read := _read(scaler, metric, shelf)) is not None), None)
    most, least = (_read(scaler, metric, shelf) for metric in (_MOST, _LEAST))
    if there is None or most is None:
        return None
    limit = _held(most, there)
    full = there.values >= limit
    if least is not None:
        full &= limit > _held(least, there)
    if bool(full.all()):
        return None
    spans = [span for span in stretches(there.times, full) if span[1] - span[0] >= LONG_S]
    spans = [span for span in spans if span[1] >= window.start_s and span[0] < window.end_s]
    if not spans:
        return None
    lowered = _lowered(there, limit, spans)
    target = topology.targets.get(entity)
    return Signal(
        id=signal_id(Kind.QUOTA_EXCEEDED, entity, AT_LIMIT),
        kind=Kind.QUOTA_EXCEEDED,
        entity=entity,
        label=AT_LIMIT,
        source="prometheus",
        occurrences=tuple(_occurrence(there, limit, span, lowered) for span in spans),
        total=len(spans),
        subject=AT_LIMIT,
        mentions=() if target is None else (target,),
        nodes=topology.nodes.get(target or entity, frozenset()),
        attributes={"step_s": f"{max(there.step, most.step):g}"} | {"standing": BUSY if lowered is None else LOWERED},
    )


def _read(scaler: _Scaler, metric: str, shelf: SeriesShelf) -> Folded | None:
    samples = shelf.samples(scaler.series.get(metric, []))
    return fold([(item, *arrays(times, values)) for item, times, values in samples], "max")


def _held(told: Folded, at: Folded) -> Floats:
    """Give what a setting was at the times of another series; NaN before it is first told."""
    last = np.searchsorted(told.times, at.times + at.step / 2, side="right") - 1
    return np.where(last >= 0, told.values[np.maximum(last, 0)], np.nan)


def _lowered(there: Folded, limit: Floats, spans: list[tuple[float, float]]) -> float | None:
    """Give the limit that stood before, where the last change of it ahead of all stretches lowered it below what had been used of it."""
    steps = np.diff(limit)
    changes = np.flatnonzero(np.isfinite(steps) & (steps != 0)) + 1
    changes = changes[there.times[changes] <= spans[0][0]]
    if not len(changes) or steps[(fell := int(changes[-1])) - 1] > 0:
        return None
    used = float(np.nanmax(there.values[:fell], initial=0.0))
    return float(limit[fell - 1]) if used > float(limit[fell]) else None


def _occurrence(there: Folded, limit: Floats, span: tuple[float, float], lowered: float | None) -> Occurrence:
    first = int(np.searchsorted(there.times, span[0]))
    before = "" if lowered is None else f"; {lowered:.0f} were allowed before"
    return Occurrence(
        start_s=span[0],
        end_s=span[1],
        refs=there.refs(*span),
        note=f"{there.values[first]:.0f} pods of at most {limit[first]:.0f}{before}",
    )
