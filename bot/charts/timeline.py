"""A timeline in characters: the whole window on one screen, effects above causes, so that the eye can line them up.

Pure text, one character a cell, no colour: whoever prints it adds that. Widths are given in cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HEIGHTS = "▁▂▃▄▅▆▇█"
MARK = "■"
TICK = "┊"
_TICK_STEPS = tuple(
    timedelta(seconds=seconds) for seconds in (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 7 * 86400)
)
_NARROWEST_TICK = 7
_WEEKDAYS_UP_TO = timedelta(days=28)
"""Longer windows name the month, shorter ones the weekday, which people remember better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One row: spans of time, each with a size; ``sized`` lanes are drawn as heights, the others as marks."""

    label: str
    spans: tuple[tuple[datetime, datetime, float], ...]
    sized: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The drawn rows, all equally wide: ``axis`` names the ticks, ``rows`` hold one lane each, in the order given."""

    axis: str
    rows: tuple[tuple[str, str], ...]
    cell_s: float


def timeline(start: datetime, end: datetime, lanes: Sequence[Lane], width: int) -> Timeline:
    """Draw lanes over ``[start, end)`` on ``width`` cells; spans outside the window are left out."""
    width = max(width, 10)
    length_s = max((end - start).total_seconds(), 1.0)
    ticks = _ticks(start, end, width)
    columns = frozenset(column for column, _ in ticks)
    rows = tuple((lane.label, _row(lane, start, length_s, width, columns)) for lane in lanes)
    return Timeline(axis=_axis(ticks, width), rows=rows, cell_s=length_s / width)


def _row(lane: Lane, start: datetime, length_s: float, width: int, ticks: frozenset[int]) -> str:
    weights = [0.0] * width
    for begin, finish, size in lane.spans:
        first = (begin - start).total_seconds() / length_s * width
        last = (finish - start).total_seconds() / length_s * width
        if last < 0 or first >= width:
            continue
        cells = range(max(int(first), 0), min(max(int(last - 1e-9), int(first)), width - 1) + 1)
        for cell in cells:
            weights[cell] += size / len(cells)
    top = max(weights, default=0.0)
    return "".join(_cell(weight, top, lane.sized, column in ticks) for column, weight in enumerate(weights))


def _cell(weight: float, top: float, sized: bool, tick: bool) -> str:
    if weight <= 0:
        return TICK if tick else " "
    if not sized:
        return MARK
    return HEIGHTS[min(int(weight / top * len(HEIGHTS)), len(HEIGHTS) - 1)]


def _ticks(start: datetime, end: datetime, width: int) -> list[tuple[int, str]]:
    length = end - start
    step = next((each for each in _TICK_STEPS if length / each * _NARROWEST_TICK <= width), None)
    if step is None:
        weeks = -(-int(length / _TICK_STEPS[-1] * _NARROWEST_TICK) // width)
        step = _TICK_STEPS[-1] * max(weeks, 1)
    midnight = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + step * -(-(start - midnight) // step)
    ticks: list[tuple[int, str]] = []
    while at < end:
        day = f"{at:%a %d}" if length <= _WEEKDAYS_UP_TO else f"{at:%d %b}"
        ticks.append((int((at - start) / length * width), f"{at:%H:%M}" if at.hour or at.minute else day))
        at += step
    return ticks


def _axis(ticks: Sequence[tuple[int, str]], width: int) -> str:
    cells = [" "] * width
    free = 0
    for column, label in ticks:
        if column < free or column + len(label) > width:
            continue
        cells[column : column + len(label)] = label
        free = column + len(label) + 1
    return "".join(cells)
