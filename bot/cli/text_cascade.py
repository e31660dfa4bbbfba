"""The cascade as a chain that reads downwards, and the window as lanes of time."""

from collections.abc import Iterator
from itertools import pairwise

from rich.console import RenderableType
from rich.text import Text

from bot.analyst.words import lane
from bot.charts.timeline import Lane, timeline
from bot.cli import words
from bot.cli.text_layout import MUTED, Railed, heading
from bot.domain.report import Report, Step, StepLink
from bot.domain.spelling import lag_words, length
from bot.pages.tie_words import tie_rows

_STATUS = {"supported": "", "refuted": "REFUTED: ", "untested": "untested: "}
_LABEL_CELLS = 28
_TIE_CELLS = 16
_NARROW_LABEL_CELLS = 16


def cascade(report: Report) -> Iterator[RenderableType]:
    """Draw the steps, root cause first, with what was measured between neighbours; nothing where there are none."""
    steps = report.cascade.steps
    if not steps:
        return
    title = "How it came about" if report.verdict == "cause_found" else "What may have come about, unproven"
    yield heading(title, "cause above, effect below")
    drawn: set[tuple[str, str]] = set()
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        yield from _step(step, number == 0, last)
        if not last:
            pair = (step.id, steps[number + 1].id)
            drawn.add(pair)
            yield from _between(
                next((each for each in report.cascade.links if (each.cause, each.effect) == pair), None)
            )
    yield from _beside([link for link in report.cascade.links if (link.cause, link.effect) not in drawn])
    for label, told in tie_rows(report):
        lead = f"  {label:<{_TIE_CELLS}}"
        yield Railed(Text(lead, style=MUTED), Text(" " * len(lead)), Text(words.visible(told), style=MUTED))


def _step(step: Step, first: bool, last: bool) -> Iterator[RenderableType]:
    mark = Text(f"  {step.id:<3}")
    mark.append("◆ " if first else "■ " if last else "● ", style="bold red" if first or last else "bold")
    rail = Text(" " * 7) if last else Text.assemble(" " * 5, ("│ ", MUTED))
    entity, summary = words.short(str(step.entity)), words.short(step.summary)
    if (at := summary.find(entity)) >= 0:
        told = Text(summary)
        told.stylize("bold cyan", at, at + len(entity))
        yield Railed(mark, rail, told)
        return
    told = Text(entity, style="bold cyan").append(f" {summary}", style="default not bold")
    told.append(f", {words.number(step.count)}× from {words.short_moment(step.first_at)}", style="default not bold")
    yield Railed(mark, rail, told)


def _between(link: StepLink | None) -> Iterator[RenderableType]:
    tried = link is not None and link.status == "supported"
    rail = Text.assemble(" " * 5, ("│ " if tried else "┊ ", MUTED))
    said = "not tested" if link is None else _numbers(link)
    style = "green" if tried else "yellow"
    yield Railed(Text.assemble(rail, ("↓ ", style)), Text.assemble(rail, "  "), Text(said, style=style))


def _beside(links: list[StepLink]) -> Iterator[RenderableType]:
    """Name the links that skip steps: those that hold in one line, the others with what was wrong."""
    held = [link for link in links if link.status == "supported"]
    if held:
        lead = f"  {'also measured':<{_TIE_CELLS}}"
        each = (f"{link.cause} → {link.effect} {link.hits} of {link.hits + link.misses}" for link in held)
        yield Railed(Text(lead, style=MUTED), Text(" " * len(lead)), Text(" · ".join(each), style=MUTED))
    for link in links:
        if link.status != "supported":
            lead = f"  {link.cause} → {link.effect}  "
            yield Railed(Text(lead, style=MUTED), Text(" " * len(lead)), Text(_numbers(link), style=MUTED))


def _numbers(link: StepLink) -> str:
    parts: list[str] = []
    if link.lag is not None:
        parts.append(lag_words(link.lag, link.resolution_s))
    if link.hits + link.misses:
        parts.append(f"{link.hits} of {words.plural(link.hits + link.misses, 'time')}")
    if link.unexplained:
        parts.append(f"{words.number(link.unexplained)} without it")
    if link.p_value is not None:
        parts.append(words.p_value(link.p_value))
    if link.status != "supported":
        parts.append(words.visible(link.test))
    return _STATUS[link.status] + " · ".join(part for part in parts if part)


def window_timeline(report: Report, width: int) -> Iterator[RenderableType]:
    """Draw the symptom's episodes above one lane for each step, over the whole window."""
    lanes: list[Lane] = []
    if report.symptom is not None:
        spans = tuple((each.start, each.end, float(each.count)) for each in report.symptom.episodes)
        lanes.append(Lane(label="symptom", spans=spans, sized=True))
    steps = report.cascade.steps
    shown = steps[:-1] if report.symptom is not None else steps
    lanes += [
        Lane(label=_label(step, width), spans=tuple((begin, end, 1.0) for begin, end in step.times))
        for step in shown
        if step.times
    ]
    if not any(each.spans for each in lanes):
        return
    label_cells = max(len(each.label) for each in lanes) + 2
    drawn = timeline(report.window.start, report.window.end, lanes, width - label_cells - 3)
    yield heading("When", f"UTC; one character is {length(drawn.cell_s)}")
    yield Text(" " * (label_cells + 2) + drawn.axis, style=MUTED)
    for number, (label, row) in enumerate(drawn.rows):
        line = Text(f"  {label:<{label_cells}}")
        yield line.append_text(_coloured(row, "red" if number == 0 and report.symptom is not None else "cyan"))


def _label(step: Step, width: int) -> str:
    """Label a lane with step, name and act: ``S3 statements up``; a long name is cut, the act never."""
    act = lane(step.mechanism)
    room = (_LABEL_CELLS if width >= 80 else _NARROW_LABEL_CELLS) - len(step.id) - len(act) - 2
    kind = words.short(f"{step.entity.kind} x").removesuffix(" x")
    name = words.visible(step.entity.name)
    if len(kind) <= 3 and len(kind) + 1 + len(name) <= room:
        name = f"{kind} {name}"
    if len(name) > room:
        name = f"{name[: max(room - 1, 3)]}…"
    return f"{step.id} {name} {act}"


def _coloured(row: str, style: str) -> Text:
    text = Text(row, style=style, no_wrap=True)
    edges = [0, *(at for at in range(1, len(row)) if (row[at] == "┊") != (row[at - 1] == "┊")), len(row)]
    for begin, end in pairwise(edges):
        if row[begin] == "┊":
            text.stylize(f"default {MUTED}", begin, end)
    return text
