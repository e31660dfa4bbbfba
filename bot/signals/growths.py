"""What grew over hours: a rise whose knee is seen, or, of what may leak, every steady one.

Leaves out how either is found (``ramps``, ``changepoints``) and whose series it is.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from bot.domain.signal import Kind, Occurrence
from bot.signals.changepoints import Trend, trends
from bot.signals.folding import Folded
from bot.signals.levels import Floats
from bot.signals.metrics import Metric, said
from bot.signals.ramps import Ramp, ramp

_GROWTH = 0.25
"""Least rise as a share of where it began."""
_LEAST_S = 1800.0
_EDGE = 0.02
_MOST_MEMBERS = 60


def dated_rises(row: Metric, folded: Folded) -> dict[int, Ramp]:
    """Find, by member, the rises whose knee lies in the series; a fall of what must not run out is one."""
    if row.grown is None:
        return {}
    falling = row.how == "falls"
    found = ((place, ramp(folded.times, line, falling=falling)) for place, line in enumerate(_lines(folded)))
    return {place: one for place, one in found if one is not None and _tells(row, one, falling=falling)}


def growths(row: Metric, folded: Folded, dated: Mapping[int, Ramp]) -> Iterator[tuple[Kind, Occurrence]]:
    """Give the rises that are dated, and of the members that have none, where they may leak, every steady one."""
    if row.grown is None:
        return
    steady = _steady(row, folded, dated) if row.how == "rises_or_grows" else []
    found: list[Ramp | Trend] = [*dated.values(), *(one for one in steady if _tells(row, one))]
    for each in sorted(found, key=lambda one: (one.start_s, one.end_s)):
        yield (
            row.grown,
            Occurrence(
                start_s=each.start_s,
                end_s=each.end_s,
                size=round(abs(each.last - each.first) / max(abs(each.first), row.least, 1e-9), 3),
                refs=folded.refs(each.start_s, each.end_s),
                note=f"{said(each.first, row.unit)} → {said(each.last, row.unit)}{' left' if each.last < each.first else ''}",
            ),
        )


def _tells(row: Metric, one: Ramp | Trend, *, falling: bool = False) -> bool:
    rise = (one.first - one.last) if falling else (one.last - one.first)
    return rise >= max(_GROWTH * abs(one.first), row.least) and one.end_s - one.start_s >= _LEAST_S


def _lines(folded: Folded) -> Floats:
    """Give each member by itself: a pod that began with a rollout shows the ramp that the sum of all hides."""
    return folded.lines(_MOST_MEMBERS) if len(folded.parts) > 1 else folded.values[np.newaxis, :]


def _steady(row: Metric, folded: Folded, dated: Mapping[int, Ramp]) -> list[Trend]:
    lines = [line for place, line in enumerate(_lines(folded)) if place not in dated]
    if row.grown is Kind.RESOURCE_GROWTH:
        lines = [_between_floor_and_ceiling(line) for line in lines]
    return [one for line in lines for one in trends(folded.times, line)]


def _between_floor_and_ceiling(line: Floats) -> Floats:
    """Leave out where a line lies at its least before a ramp and at its most after it: what is bounded stops at its bound."""
    low, high = float(np.nanmin(line, initial=np.inf)), float(np.nanmax(line, initial=-np.inf))
    edge = _EDGE * (high - low)
    off = np.flatnonzero(line > low + edge)
    full = np.flatnonzero(line < high - edge)
    if not len(off) or not len(full):
        return line
    kept = line.copy()
    kept[: off[0]] = np.nan
    kept[full[-1] + 2 :] = np.nan
    return kept
