"""The window as a picture for a chat: the symptom's episodes on top, the cascade's lanes below, what was ruled out at the end.

Made to be read on a phone: shown 390 px wide, its smallest letters are still about 10 px. Nothing is interactive, and
every word of it also stands in ``alt_text``, for those who do not see it. Pillow is loaded when a picture is asked for, so
that the command line does not wait for it.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

from bot.analyst.words import length, noun
from bot.domain.report import Report, RuledOut, Step, StepLink
from bot.domain.signal import Kind

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

ALT_CHARS = 1000
"""Slack takes no more (``alt_txt``, https://docs.slack.dev/reference/methods/files.getUploadURLExternal)."""
MOST_STEPS = 12
"""Longer cascades show their first and last lanes; more would be a wall."""
MOST_RULED_OUT = 3
"""Lanes of things ruled out; how many more there are is said."""
_NARROWEST = 600

_TICK_STEPS = tuple(
    timedelta(seconds=each)
    for each in (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 7 * 86_400, 28 * 86_400)
)
# the font that ships with Pillow draws ASCII and these; anything else would be an empty box
_DRAWABLE = frozenset(map(chr, range(0x20, 0x7F))) | {"·", "…"}
_ESCAPES = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|.)?")
_STATUS = re.compile(r"HTTP [1-5]\d\d\b")
"""What people call the symptom, and look for in the picture."""
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Colours:
    """One theme; contrast of text on paper is at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""

    paper: str
    ink: str
    muted: str
    grid: str
    track: str
    symptom: str
    unexplained: str
    root: str
    step: str
    ruled_out: str


_LIGHT = _Colours(
    paper="#ffffff", ink="#1a1d21", muted="#5b6068", grid="#cfd4da", track="#e6e9ed", symptom="#c4314b",
    unexplained="#e59a2c", root="#7b3fb5", step="#2b6cb0", ruled_out="#6b7280",
)  # fmt: skip
_DARK = _Colours(
    paper="#1a1d21", ink="#f4f5f6", muted="#a9b0b9", grid="#3a4048", track="#24282e", symptom="#ff6b81",
    unexplained="#f0b45c", root="#c39bf0", step="#6fb1f5", ruled_out="#9aa2ad",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One lane: a label, a note at its right, and what is drawn below them."""

    label: str
    note: str
    colour: str
    spans: tuple[Span, ...]
    hollow: bool = False


def timeline_png(report: Report, *, width: int = 1200, dark: bool = False) -> bytes:
    """Draw a report's timeline as a PNG, ``width`` pixels wide (at least 600); its height follows from its lanes."""
    picture = _Picture(report, max(width, _NARROWEST), _DARK if dark else _LIGHT)
    return picture.png()


def alt_text(report: Report) -> str:
    """Say in words what the picture shows, in at most 1,000 characters."""
    parts = [f"Timeline of {_span(report)}.", f"{_headline(report)}."]
    if report.symptom is not None:
        parts.append(f"{_clean(report.symptom.summary).rstrip('.')}; {_explained(report)}.")
    links = _ways_in(report)
    for step in report.cascade.steps:
        lag = f", {_lag(links[step.id])}" if step.id in links else ""
        parts.append(f"{step.id}: {_step_label(step)}{lag}.")
    if report.ruled_out:
        parts.append("Ruled out: " + "; ".join(_clean(each.summary) for each in report.ruled_out) + ".")
    told = " ".join(parts)
    return told if len(told) <= ALT_CHARS else f"{told[: ALT_CHARS - 1].rstrip()}…"


class _Picture:
    """Lays rows out from top to bottom, then draws them on one image."""

    def __init__(self, report: Report, width: int, colours: _Colours) -> None:
        self._report = report
        self._colours = colours
        self._width = width
        self._unit = width / 1200
        self._left = self._px(36)
        self._right = width - self._px(36)
        self._start = report.window.start
        self._length_s = max((report.window.end - report.window.start).total_seconds(), 1.0)

    def _px(self, size: float) -> int:
        return max(round(size * self._unit), 1)

    def _x(self, at: datetime) -> float:
        share = (at - self._start).total_seconds() / self._length_s
        return self._left + share * (self._right - self._left)

    def png(self) -> bytes:
        """Draw everything and pack it; few colours, so a palette loses nothing that is seen."""
        from PIL import Image, ImageDraw  # noqa: PLC0415 - see the module's docstring

        steps, ruled_out = (
            list(_step_rows(self._report, self._colours)),
            list(_ruled_out_rows(self._report, self._colours)),
        )
        episodes = self._report.symptom.episodes if self._report.symptom is not None else ()
        top = self._px(196)
        height = top + (self._px(286) if episodes else 0) + len(steps) * self._px(102) + self._px(24)
        height += (self._px(62) + len(ruled_out) * self._px(102)) if ruled_out else 0
        image = Image.new("RGB", (self._width, height), self._colours.paper)
        draw = ImageDraw.Draw(image)
        self._head(draw)
        self._grid(draw, top, height - self._px(28))
        y = top
        if episodes:
            y = self._symptom(draw, y)
        for row in steps:
            y = self._lane(draw, row, y)
        if ruled_out:
            more = len(self._report.ruled_out) - len(ruled_out)
            said = f"Ruled out ({len(ruled_out)} of {len(self._report.ruled_out)} shown)" if more else "Ruled out"
            self._text(draw, (self._left, y + self._px(14)), said, 32, self._colours.muted)
            y += self._px(62)
        for row in ruled_out:
            y = self._lane(draw, row, y)
        return _packed(image)

    def _head(self, draw: "ImageDraw.ImageDraw") -> None:
        room = self._right - self._left
        title = self._fitted(_headline(self._report), 46, room)
        self._text(draw, (self._left, self._px(24)), title, 46, self._colours.ink, strong=True)
        under = self._fitted(f"{_span(self._report)} · {_explained(self._report)}", 34, room)
        self._text(draw, (self._left, self._px(86)), under, 34, self._colours.muted)

    def _grid(self, draw: "ImageDraw.ImageDraw", top: int, bottom: int) -> None:
        """Draw a line for each tick and name those that have room for their name."""
        free = 0.0
        for at, label, strong in _ticks(self._start, self._report.window.end):
            x = self._x(at)
            draw.line(
                ((x, top - self._px(6)), (x, bottom)), fill=self._colours.grid, width=self._px(2 if strong else 1)
            )
            if x >= free and x + _wide(label, self._px(30)) <= self._right:
                self._text(draw, (x + self._px(4), top - self._px(44)), label, 30, self._colours.muted)
                free = x + _wide(label, self._px(30)) + self._px(24)

    def _symptom(self, draw: "ImageDraw.ImageDraw", y: int) -> int:
        """Draw each episode as a bar as high as its count, the unexplained ones in another colour."""
        symptom = self._report.symptom
        assert symptom is not None
        most = max((each.count for each in symptom.episodes), default=1)
        last = self._report.cascade.steps[-1] if self._report.cascade.steps else None
        label = f"{last.id} {_step_label(last)} · peak {most:,}" if last else _clean(symptom.summary)
        way = _ways_in(self._report).get(last.id) if last else None
        note = _lag(way) if way else ""
        self._labels(draw, y, label, note, self._colours.symptom)
        base, room = y + self._px(262), self._px(190)
        draw.line(((self._left, base), (self._right, base)), fill=self._colours.muted, width=self._px(2))
        for episode in symptom.episodes:
            if not self._inside((episode.start, episode.end)):
                continue
            x0, x1 = self._edges((episode.start, episode.end), 12)
            high = max(room * episode.count / most, self._px(8))
            colour = self._colours.symptom if episode.explained else self._colours.unexplained
            draw.rectangle((x0, base - high, x1, base), fill=colour)
        return y + self._px(286)

    def _lane(self, draw: "ImageDraw.ImageDraw", row: _Row, y: int) -> int:
        self._labels(draw, y, row.label, row.note, row.colour)
        top, bottom = y + self._px(52), y + self._px(86)
        draw.rectangle((self._left, top, self._right, bottom), fill=self._colours.track)
        for at, _, _ in _ticks(self._start, self._report.window.end):
            draw.line(((self._x(at), top), (self._x(at), bottom)), fill=self._colours.grid, width=self._px(1))
        for span in filter(self._inside, row.spans):
            x0, x1 = self._edges(span, 16 if row.hollow else 8)
            if row.hollow:
                middle = (x0 + x1) / 2
                points = [
                    (middle, top),
                    (middle + self._px(17), (top + bottom) / 2),
                    (middle, bottom),
                    (middle - self._px(17), (top + bottom) / 2),
                ]
                draw.polygon(points, fill=self._colours.paper, outline=row.colour, width=self._px(5))
            else:
                draw.rectangle((x0, top, x1, bottom), fill=row.colour)
        return y + self._px(102)

    def _inside(self, span: Span) -> bool:
        return span[0] < self._report.window.end and span[1] >= self._start

    def _edges(self, span: Span, narrowest: int) -> tuple[float, float]:
        """Give a span's left and right, widened so that it is seen on a phone, inside the picture."""
        x0, x1 = self._x(span[0]), self._x(span[1])
        lacking = self._px(narrowest) - (x1 - x0)
        if lacking > 0:
            x0, x1 = x0 - lacking / 2, x1 + lacking / 2
        return max(x0, self._left), min(x1, self._right)

    def _labels(self, draw: "ImageDraw.ImageDraw", y: int, label: str, note: str, colour: str) -> None:
        size = self._px(32)
        wide = _wide(note, size)
        room = self._right - self._left - (wide + self._px(28) if note else 0)
        self._text(draw, (self._left, y + self._px(8)), self._fitted(label, 32, room), 32, colour)
        if note:
            self._text(draw, (self._right - wide, y + self._px(8)), note, 32, self._colours.muted)

    def _fitted(self, text: str, size: int, room: float) -> str:
        """Cut text to a width in pixels; the cut is seen."""
        text = _clean(text)[:200]
        if _wide(text, self._px(size)) <= room:
            return text
        while text and _wide(text + "…", self._px(size)) > room:
            text = text[:-1]
        return text.rstrip() + "…"

    def _text(
        self,
        draw: "ImageDraw.ImageDraw",
        at: tuple[float, float],
        text: str,
        size: int,
        colour: str,
        *,
        strong: bool = False,
    ) -> None:
        # paper around each letter keeps it readable where a grid line crosses; the font has no bold, a thin outline is one
        font = _font(self._px(size))
        draw.text(
            at, text, font=font, fill=self._colours.paper, stroke_width=self._px(4), stroke_fill=self._colours.paper
        )
        draw.text(at, text, font=font, fill=colour, stroke_width=0.5 * self._unit if strong else 0, stroke_fill=colour)


def _step_rows(report: Report, colours: _Colours) -> Iterator[_Row]:
    steps = report.cascade.steps
    shown = steps[:-1] if report.symptom is not None else steps
    notes = {step: _lag(link) for step, link in _ways_in(report).items()}
    for number, step in enumerate(shown):
        if len(shown) > MOST_STEPS and MOST_STEPS // 2 <= number < len(shown) - MOST_STEPS // 2:
            if number == MOST_STEPS // 2:
                yield _Row(
                    label=f"… {len(shown) - MOST_STEPS} steps not shown", note="", colour=colours.muted, spans=()
                )
            continue
        yield _Row(
            label=f"{step.id} {_step_label(step)}",
            note=notes.get(step.id, ""),
            colour=colours.root if number == 0 and report.root_cause is not None else colours.step,
            spans=step.times,
        )


def _ruled_out_rows(report: Report, colours: _Colours) -> Iterator[_Row]:
    dated = [(each, spans) for each in report.ruled_out if (spans := _times_of(report, each))]
    for each, spans in dated[:MOST_RULED_OUT]:
        yield _Row(
            label=_clean(each.summary).split(",")[0], note="", colour=colours.ruled_out, spans=spans, hollow=True
        )


def _times_of(report: Report, ruled_out: RuledOut) -> tuple[Span, ...]:
    """Give when it happened; for a report that does not keep that, the moments of its evidence."""
    cited = [report.evidence[each].at for each in ruled_out.evidence if each in report.evidence]
    spans = ruled_out.times or tuple((at, at) for at in sorted(at for at in cited if at is not None))
    return tuple(span for span in spans if report.window.start <= span[0] < report.window.end)


def _ways_in(report: Report) -> dict[str, StepLink]:
    """Choose for each step the link that its lane names: from the step before, or where that only follows, from the nearest."""
    order = {step.id: number for number, step in enumerate(report.cascade.steps)}
    chosen: dict[str, StepLink] = {}
    for link in sorted(report.cascade.links, key=lambda each: order.get(each.cause, 0), reverse=True):
        if order.get(link.cause, len(order)) >= order.get(link.effect, 0):
            continue
        known = chosen.get(link.effect)
        if known is None or (_backwards(known) and link.status == "supported" and not _backwards(link)):
            chosen[link.effect] = link
    return chosen


def _backwards(link: StepLink) -> bool:
    """Tell whether the effect was seen before its cause, as where a slow metric shows what a fast one acted on."""
    return link.lag is not None and link.lag.median < 0


def _lag(link: StepLink) -> str:
    if link.status == "untested" or link.lag is None:
        return "not tested"
    if link.status == "refuted":
        return f"not tied to {link.cause}"
    median_s = link.lag.median
    if median_s < 0:
        return f"{length(-median_s)} before {link.cause}"
    return f"at once after {link.cause}" if median_s < 1 else f"{length(median_s)} after {link.cause}"


def _step_label(step: Step) -> str:
    many = len(step.times) or step.count
    status = _STATUS.search(step.summary)
    what = status[0] if status else _named(step.mechanism)
    return _clean(f"{step.entity.name} · {what}" + (f" · {many:,} times" if many > 1 else ""))


def _named(mechanism: str) -> str:
    try:
        return noun(Kind(mechanism))
    except ValueError:
        return mechanism.replace("_", " ")


def _headline(report: Report) -> str:
    if report.verdict == "no_incident":
        return "No incident in the window"
    felt = report.symptom.entity.name if report.symptom is not None else "the symptom"
    if report.root_cause is None:
        return _clean(f"{felt}: no cause proven")
    return _clean(f"{report.root_cause.entity.name} is behind {felt}'s failures")


def _explained(report: Report) -> str:
    if report.symptom is None:
        return "no symptom"
    episodes = len(report.symptom.episodes)
    return f"{report.symptom.explained} of {episodes} episodes explained"


def _span(report: Report) -> str:
    start, end = report.window.start.astimezone(UTC), report.window.end.astimezone(UTC)
    if end - start <= timedelta(days=2):
        return f"{start:%b %d %H:%M} to {end:%b %d %H:%M} UTC"
    return f"{start:%b %d} to {end:%b %d, %Y} UTC"


def _ticks(start: datetime, end: datetime) -> Iterator[tuple[datetime, str, bool]]:
    """Give at most nine instants, what they are called, and whether a day begins there."""
    step = next((each for each in _TICK_STEPS if (end - start) / each <= 9), (end - start) / 8)
    midnight = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + step * -(-(start - midnight) // step)
    while at < end:
        day = at.time() == midnight.time()
        yield at, f"{at:%b %d}" if day else f"{at:%H:%M}", day
        at += step


def _clean(text: str) -> str:
    """Make foreign text safe for one line in the picture and in its description: plain letters, no controls."""
    flat = unicodedata.normalize("NFKD", _ESCAPES.sub("", text))
    kept = (" " if unicodedata.category(each) in {"Cc", "Zl", "Zp", "Zs"} else each for each in flat)
    shown = "".join(
        each if each in _DRAWABLE else "?" for each in kept if unicodedata.category(each) not in {"Mn", "Cf"}
    )
    return " ".join(shown.split())


@cache
def _font(size: int) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    from PIL import ImageFont  # noqa: PLC0415 - see the module's docstring

    return ImageFont.load_default(size)


def _wide(text: str, size: int) -> float:
    return float(_font(size).getlength(text))


def _packed(image: "Image.Image") -> bytes:
    from PIL.Image import Quantize  # noqa: PLC0415 - see the module's docstring

    out = BytesIO()
    # the octree takes a fifth of the default method's time and 6 an eighth of the best compression's, for a tenth more bytes
    image.quantize(64, method=Quantize.FASTOCTREE).save(out, "PNG", compress_level=6)
    return out.getvalue()
