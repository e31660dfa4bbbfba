"""Signals out of Prometheus series: what rose, fell, stepped, grew or was active, and to whom.

Series of one workload and one meaning are folded first, so that pod churn does not scatter an episode over series that
live for an hour. What a metric means stands in ``metrics``; this module only carries it out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from bot.domain.entity import Entity
from bot.domain.items import ItemId, SeriesHead
from bot.domain.ports import SeriesShelf
from bot.domain.signal import Kind, Occurrence, Signal, Topology, signal_id
from bot.domain.window import Window
from bot.signals.courses import lasting_shifts
from bot.signals.degrees import levels_of
from bot.signals.excursions import excursions
from bot.signals.folding import Folded, Owners, arrays, fold, rate, rises_only
from bot.signals.growths import dated_rises, growths
from bot.signals.levels import Floats, finite, slot_profile
from bot.signals.metrics import Metric, is_counter, meaning, said
from bot.signals.periodicity import event_period
from bot.signals.ramps import Ramp
from bot.signals.trains import KNEE

_RESTLESS = 60
"""More episodes than this in one window are the series' nature; only the strongest are kept."""
_NEAR_LIMIT = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Members of one workload that mean the same."""

    row: Metric
    metric: str
    entity: Entity
    subject: str
    members: list[SeriesHead]


def series_signals(
    shelf: SeriesShelf,
    window: Window,
    topology: Topology,
    *,
    node_names: Mapping[str, str] | None = None,
) -> list[Signal]:
    """Give the signals of all series, sorted by id; only what overlaps the window counts.

    The samples of one group after another are read, so that they never are in memory all at once.
    ``node_names`` leads from a node's address to its name: node_exporter's ``instance`` is often the address.
    """
    heads = list(shelf.series_heads())
    groups = _groups(heads, Owners(topology, _node_names(heads) | dict(node_names or {})))
    limits = {group.entity: _largest(group, shelf) for group in groups if group.row.how == "limit"}
    counts = {(group.metric, group.entity): group for group in groups}
    found: dict[str, Signal] = {}
    for group in groups:
        if group.row.how in {"skip", "limit"} or group.row.kind is None:
            continue
        divisor = counts.get((_divisor(group), group.entity))
        folded = _folded(group, divisor, shelf)
        if folded is None or (group.row.ratio and divisor is None):
            continue
        rises = dated_rises(group.row, folded)
        if group.row.over and divisor is not None:
            happened = list(_beyond(group.row, folded))
        else:
            happened = list(_happened(group, folded, limits.get(group.entity), rises, window))
        levels = levels_of(folded.times, folded.values, group.row.beyond) if group.row.over and divisor else ()
        for signal in _signals(group, folded, happened, window, topology):
            found.setdefault(signal.id, _dated_to(replace(signal, levels=levels), group.row, rises.values()))
    return [found[name] for name in sorted(found)]


def _dated_to(signal: Signal, row: Metric, rises: Iterable[Ramp]) -> Signal:
    """Say how far the beginnings of what grew may be off, where they are seen."""
    unsure_s = max((one.unsure_s for one in rises), default=None)
    if unsure_s is None or signal.kind is not row.grown:
        return signal
    told = {KNEE: f"{unsure_s:.0f}"} | ({"standing": _OF_OTHERS} if row.kind is Kind.POOL_EXHAUSTION else {})
    return replace(signal, attributes={**signal.attributes, **told})


def _metrics_behind(signal: Signal) -> frozenset[str]:
    """Name the metrics that a signal was read from; none for a signal of another source."""
    metric = signal.attributes.get("metric")
    if signal.source != "prometheus" or metric is None:
        return frozenset()
    return frozenset((metric, f"{metric.removesuffix('_sum')}_count", meaning(metric, {}).over or metric))


def series_behind(signal: Signal, shelf: SeriesShelf, topology: Topology) -> Folded | None:
    """Give the folded series that a signal was read from; None for a signal of another source."""
    named = _metrics_behind(signal)
    kept = [head for head in shelf.series_heads() if head.metric in named]
    groups = _groups(kept, Owners(topology, _node_names(kept)))
    shown = {ref for one in signal.occurrences for ref in one.refs}
    for group in groups:  # of one metric and entity there are several: by status, by device
        if shown & {head.id for head in group.members}:
            over = _divisor(group)
            divisor = next((g for g in groups if over and (g.metric, g.entity) == (over, group.entity)), None)
            return _folded(group, divisor, shelf)
    return None


def _divisor(group: _Group) -> str:
    """Name the series a group is to be divided by; empty where there is none."""
    if group.row.over:
        return group.row.over
    return f"{group.metric.removesuffix('_sum')}_count" if group.row.ratio else ""


def _beyond(row: Metric, folded: Folded) -> Iterator[tuple[Kind, Occurrence]]:
    """Give where a part takes more of its whole than it may: daily peaks too, for a limit is no less a limit then."""
    note = f"{row.label} in over {row.beyond:.0%} of its periods"
    on = np.nan_to_num(folded.values) > row.beyond
    yield from ((row.kind or Kind.RESOURCE_SHIFT, one) for one in _intervals(folded, on, note))


def _groups(heads: Iterable[SeriesHead], owners: Owners) -> list[_Group]:
    groups: dict[tuple[int, str, Entity, str], _Group] = {}
    for one in heads:
        if one.labels.get("container") == "POD":
            continue
        row = meaning(one.metric, one.labels)
        entity = owners.of(one.metric, one.labels)
        subject = one.metric or _title(one.labels)
        if row.how == "alert":
            subject = one.labels.get("alertname", subject)
        elif mark := next(
            (one.labels[key] for key in ("quantile", "device", "mountpoint", "topic", "queue") if key in one.labels), ""
        ):
            subject = f"{subject}[{mark}]"
        key = (id(row), one.metric, entity, subject)
        if key not in groups:
            groups[key] = _Group(row=row, metric=one.metric, entity=entity, subject=subject, members=[])
        groups[key].members.append(one)
    return [_without_totals(group) for group in groups.values()]


def _node_names(heads: Iterable[SeriesHead]) -> dict[str, str]:
    """Learn nodes' addresses from node_exporter series that carry the name beside (``node_uname_info`` always does)."""
    names: dict[str, str] = {}
    for one in heads:
        name = one.labels.get("nodename") or one.labels.get("node")
        if one.metric.startswith("node_") and name and "instance" in one.labels:
            names.setdefault(one.labels["instance"].rsplit(":", 1)[0], name)
    return names


def _without_totals(group: _Group) -> _Group:
    """Leave out cAdvisor's pod totals (``container=""``) where the containers stand beside them."""
    named = [head for head in group.members if head.labels.get("container")]
    if group.metric.startswith("container_") and named:
        return replace(group, members=named)
    return group


def _title(labels: Mapping[str, str]) -> str:
    return ",".join(
        f"{key}={value}" for key, value in sorted(labels.items()) if key not in {"pod", "instance", "container"}
    )


def _largest(group: _Group, shelf: SeriesShelf) -> float:
    read = (arrays(*samples)[1] for _, *samples in shelf.samples(head.id for head in group.members))
    return max((float(values.max()) for values in read if len(values)), default=0.0)


def _folded(group: _Group, divisor: _Group | None, shelf: SeriesShelf) -> Folded | None:
    counter = is_counter(group.metric)
    rated = group.row.how in {"rises", "rises_or_grows", "falls"}
    members = []
    for item, *samples in shelf.samples(sorted((head.id for head in group.members), key=lambda one: (len(one), one))):
        times, values = arrays(*samples)
        if rated and (counter or (counter is None and rises_only(values))):
            times, values = rate(times, values)
        members.append((item, times, values))
    if group.row.how == "increments":
        return fold([_increments(*member) for member in members], "sum")
    folded = fold(members, group.row.fold)
    if folded is not None and group.row.how == "appears":
        rise = np.diff(np.nan_to_num(folded.values), prepend=np.nan_to_num(folded.values[:1]))
        return replace(folded, values=np.maximum(rise, 0.0))
    if folded is None or divisor is None:
        return folded
    below = _folded(divisor, None, shelf)
    if below is None:
        return None
    count = np.interp(folded.times, below.times, np.nan_to_num(below.values))
    with np.errstate(divide="ignore", invalid="ignore"):
        return replace(folded, values=np.where(count > 0, folded.values / count, np.nan))


def _increments(item: ItemId, times: Floats, values: Floats) -> tuple[ItemId, Floats, Floats]:
    rise = np.diff(values, prepend=values[:1])
    return item, times, np.where(rise > 0, rise, 0.0)


def _happened(
    group: _Group, folded: Folded, limit: float | None, rises: Mapping[int, Ramp], window: Window
) -> Iterator[tuple[Kind, Occurrence]]:
    """Give everything that happened in a folded series with its kind."""
    row = group.row
    kind = row.kind or Kind.RESOURCE_SHIFT
    if row.how == "replicas":
        yield from _steps(folded)
    elif row.how in {"increments", "appears"}:
        yield from ((kind, one) for one in _counted(folded, row, window))
    elif row.how in {"active", "alert"}:
        yield from ((kind, one) for one in _intervals(folded, folded.values > 0, row.label))
    elif row.how == "zero":
        yield from ((kind, one) for one in _intervals(folded, folded.values == 0, row.label))
    elif row.how == "expiry":
        at = float(np.nanmin(folded.values))
        yield kind, Occurrence(start_s=at, end_s=at, refs=folded.ids[:1], note=row.label)
    else:
        yield from ((kind, one) for one in _episodes(row, folded) if not _part_of(one, rises.values()))
        yield from growths(row, folded, rises)
        if limit and limit > 0 and row.how == "rises_or_grows" and row.unit == "bytes":
            near = _intervals(
                folded,
                folded.values > _NEAR_LIMIT * limit,
                f"over {_NEAR_LIMIT:.0%} of its limit {said(limit, row.unit)}",
            )
            yield from ((Kind.MEMORY_PRESSURE, one) for one in near)


def _steps(folded: Folded) -> Iterator[tuple[Kind, Occurrence]]:
    times, values = folded.times[np.isfinite(folded.values)], folded.values[np.isfinite(folded.values)]
    for index in np.flatnonzero(np.diff(values)):
        before, after, at = float(values[index]), float(values[index + 1]), float(times[index + 1])
        kind = Kind.SCALE_UP if after > before else Kind.SCALE_DOWN
        note = f"{before:.0f} → {after:.0f} replicas"
        yield kind, Occurrence(start_s=at, end_s=at, size=abs(after - before), refs=folded.refs(at, at), note=note)


def _counted(folded: Folded, row: Metric, window: Window) -> Iterator[Occurrence]:
    """Give what a counter counted inside the window; no more of it than tells that the counter never rests."""
    inside = (folded.times >= window.start_s) & (folded.times < window.end_s)
    places = np.flatnonzero(inside & (np.nan_to_num(folded.values) > 0))
    for index in sorted(places[np.argsort(-folded.values[places], kind="stable")[: _RESTLESS + 1]]):
        at, size = float(folded.times[index]), float(folded.values[index])
        yield Occurrence(start_s=at, end_s=at, size=size, refs=folded.refs(at, at), note=f"{row.label}, {size:.0f}x")


def _intervals(folded: Folded, on: "np.ndarray[tuple[int], np.dtype[np.bool_]]", note: str) -> Iterator[Occurrence]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False])).astype(np.int8)))
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        start, end = float(folded.times[first]), float(folded.times[after - 1])
        size = max(float(np.nanmax(np.abs(folded.values[first:after]))), 1.0)
        yield Occurrence(start_s=start, end_s=end, size=size, refs=folded.refs(start, end), note=note)


def _episodes(row: Metric, folded: Folded) -> Iterator[Occurrence]:
    """Give episodes on the side the row asks for, and lasting shifts that no episode covers."""
    sign = -1 if row.how == "falls" else 1
    times, values = finite(folded.times, folded.values)
    slots = slot_profile(times, values)
    spans: list[tuple[float, float]] = []
    # a percentage or a share: the largest value tells
    whole = 100.0 if len(values) and float(values.max()) > 1.5 else 1.0
    for one in excursions(times, values, slots=slots):
        change = (one.peak - one.usual) * sign
        if change < max(row.least, row.relative * abs(one.usual)) or one.sigma * sign < row.sigma:
            continue
        if one.peak < row.share * whole:
            continue
        spans.append((one.start_s, one.end_s))
        size = one.total * folded.step if row.counts and row.unit == "/s" else abs(one.sigma)
        if row.counts and size < row.fewest:
            continue
        if row.kind is Kind.CPU_SATURATION:
            size = change  # what a workload takes is told against what its neighbours take, not against its own noise
        note = f"{said(one.usual, row.unit)} → {said(one.peak, row.unit)}"
        refs = folded.refs(one.start_s, one.end_s)
        yield Occurrence(start_s=one.start_s, end_s=one.end_s, size=round(size, 3), refs=refs, note=note)
    points = lasting_shifts(times, values, slots)
    for number, point in enumerate(points):
        change = (point.after - point.before) * sign
        if change < max(row.least, row.relative * abs(point.before)) or point.size_sigma < row.sigma:
            continue
        end = points[number + 1].at_s if number + 1 < len(points) else float(folded.times[-1])
        if any(start - 600 <= point.at_s <= stop + 600 for start, stop in spans):
            continue
        note = f"{said(point.before, row.unit)} → {said(point.after, row.unit)}, lasting"
        size = max(change * (end - point.at_s), 1.0) if row.counts and row.unit == "/s" else point.size_sigma
        refs = folded.refs(point.at_s, end)
        yield Occurrence(start_s=point.at_s, end_s=end, size=round(size, 3), refs=refs, note=note)


def _part_of(one: Occurrence, ramps: Iterable[Ramp]) -> bool:
    """Tell whether an episode is but the later part of a rise, which began before it stood out."""
    return any(each.start_s - _KNEE_S <= one.start_s <= each.end_s + _KNEE_S for each in ramps)


_KNEE_S = 600.0
_OF_OTHERS = "0.45"
"""How well growing connections stand at the start of a chain: whoever counts them seldom opens them."""
_LABELS = {
    Kind.SCALE_UP: "scaled up",
    Kind.SCALE_DOWN: "scaled down",
    Kind.MEMORY_GROWTH: "memory grew steadily",
    Kind.RESOURCE_GROWTH: "rose steadily",
}


def _signals(
    group: _Group, folded: Folded, happened: list[tuple[Kind, Occurrence]], window: Window, topology: Topology
) -> Iterator[Signal]:
    by_kind: dict[Kind, list[Occurrence]] = defaultdict(list)
    for kind, one in happened:
        if one.end_s >= window.start_s and one.start_s < window.end_s:
            by_kind[kind].append(one)
    nodes = topology.nodes.get(group.entity, frozenset()) | {
        head.labels["node"] for head in group.members if head.labels.get("node")
    }
    if group.entity.kind == "Node":
        nodes |= {group.entity.name}
    for kind, occurrences in sorted(by_kind.items()):
        kept = sorted(occurrences, key=lambda one: (-one.size, one.start_s))[:_RESTLESS]
        if group.row.kind is Kind.RESOURCE_SHIFT and len(occurrences) > _RESTLESS:
            continue
        kept.sort(key=lambda one: (one.start_s, one.end_s))
        period = event_period(np.array([one.start_s for one in kept]), window)
        total = sum(round(one.size) for one in kept) if group.row.counts or group.row.how == "increments" else len(kept)
        yield Signal(
            id=signal_id(kind, group.entity, group.subject),
            kind=kind,
            entity=group.entity,
            label=_LABELS.get(kind, group.row.label),
            source="prometheus",
            occurrences=tuple(kept),
            total=total,
            subject=group.subject,
            period_s=period.period_s if period else None,
            nodes=frozenset(nodes),
            attributes={"metric": group.metric, "unit": group.row.unit, "step_s": f"{folded.step:g}"},
        )
