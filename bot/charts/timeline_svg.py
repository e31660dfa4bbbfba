"""The window as lanes of inline SVG: effects above causes, what was ruled out and what people said below, one time axis.

A lane is one path in seconds since the window's start, stretched over the width there is: zooming is a change of the
viewBox, and the page's script reads spans back from the path. Everything is visible without the script, and on paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from bot.charts.markup import Markup, element

HEIGHT = 20
"""Units of a lane from top to bottom."""
MOST_TICKS = 6
"""As many dates fit a phone; the script adds more where there is room."""
_STEPS = tuple(
    timedelta(seconds=each)
    for each in (60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 2 * 86_400, 7 * 86_400, 28 * 86_400)
)

Role = Literal["symptom", "step", "ruled", "people"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time; ``size`` is drawn as height where the lane is ``sized``; ``caption`` is read at the pointer."""

    start: datetime
    end: datetime
    size: float = 1.0
    caption: str = ""
    faint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SvgLane:
    """A row: a short ``name`` and ``act`` before it, what it is in full in ``title``."""

    name: str
    act: str
    title: str
    role: Role
    spans: tuple[Span, ...]
    sized: bool = False


def timeline_svg(start: datetime, end: datetime, lanes: Sequence[SvgLane]) -> Markup:
    """Draw the lanes over ``[start, end)``; spans outside it are left out, those across its edges are cut."""
    length_s = max((end - start).total_seconds(), 1.0)
    ticks = _ticks(start, end)
    grid = "".join(f"M{(at - start).total_seconds():g} 0V{HEIGHT}" for at, _ in ticks)
    axis = element(
        "svg",
        [element("text", label, x=f"{(at - start).total_seconds() / length_s:.2%}", y=13) for at, label in ticks],
        class_="axis",
        aria_hidden="true",
    )
    rows: list[Markup] = []
    for number, lane in enumerate(lanes):
        if lane.role == "ruled" and (number == 0 or lanes[number - 1].role != "ruled"):
            rows.append(element("p", "ruled out", class_="cut"))
        rows.append(_row(lane, start, length_s, grid))
    return element(
        "div",
        element("div", element("span", "UTC", class_="lane-name"), axis, class_="lane lane-axis"),
        rows,
        class_="lanes",
        data_start=int(start.timestamp() * 1000),
        data_length=f"{length_s:.0f}",
        tabindex=0,
        role="group",
        aria_label="Timeline. Plus and minus zoom, arrows move, n and p go from episode to episode, 0 shows the whole window.",
    )


def _row(lane: SvgLane, start: datetime, length_s: float, grid: str) -> Markup:
    kept = [each for each in lane.spans if each.end >= start and (each.start - start).total_seconds() < length_s]
    top = max((each.size for each in kept), default=1.0) or 1.0
    paths = [
        element(
            "path", d="".join(_path(each, start, length_s, top if lane.sized else 0.0) for each in group), class_=name
        )
        for name, group in (
            ("mark", [each for each in kept if not each.faint]),
            ("mark faint", [each for each in kept if each.faint]),
        )
        if group
    ]
    captions = [*(each.caption for each in kept if not each.faint), *(each.caption for each in kept if each.faint)]
    track = element(
        "svg",
        element("path", d=grid, class_="grid"),
        paths,
        class_="track",
        viewBox=f"0 0 {length_s:.0f} {HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{lane.title}: {_spoken(kept)}",
        data_captions="\n".join(caption.replace("\n", " ") for caption in captions) if any(captions) else None,
    )
    label = element("span", element("b", lane.name), f" {lane.act}", class_="lane-name", title=lane.title)
    return element("div", label, track, class_=f"lane lane-{lane.role}")


def _path(span: Span, start: datetime, length_s: float, top: float) -> str:
    begin = max((span.start - start).total_seconds(), 0.0)
    finish = min((span.end - start).total_seconds(), length_s)
    height = round(3 + (HEIGHT - 5) * span.size / top, 1) if top else HEIGHT - 8
    floor = HEIGHT - 1 if top else HEIGHT - 4
    return f"M{begin:.10g} {floor}v-{height:g}h{max(finish - begin, 0):.6g}v{height:g}z"


def _spoken(spans: Sequence[Span]) -> str:
    if not spans:
        return "nothing in the window"
    first, last = (f"{each.astimezone(UTC):%a %d %b %H:%M}" for each in (spans[0].start, spans[-1].start))
    return f"once, {first}" if len(spans) == 1 else f"{len(spans)} times, first {first}, last {last}"


def _ticks(start: datetime, end: datetime) -> list[tuple[datetime, str]]:
    length = end - start
    step = next((each for each in _STEPS if length / each <= MOST_TICKS), _STEPS[-1] * max(int(length / _STEPS[-1]), 1))
    midnight = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + step * -(-(start - midnight) // step)
    found: list[tuple[datetime, str]] = []
    while at < end and len(found) <= MOST_TICKS:
        found.append(
            (at, f"{at:%H:%M}" if at.hour or at.minute else f"{at:%a %d %b}" if length.days < 28 else f"{at:%d %b}")
        )
        at += step
    return found
