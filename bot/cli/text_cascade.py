"""The cascade as a chain that reads downwards, and the window as lanes of time."""

from collections.abc import Iterator
from itertools import pairwise

from rich.console import RenderableType
from rich.text import Text

from bot.charts.timeline import Lane, timeline
from bot.cli import words
from bot.cli.text_layout import MUTED, Railed, heading
from bot.domain.report import Report, Step, StepLink

_STATUS = {"supported": "", "refuted": "REFUTED: ", "untested": "untested: "}
_LABEL_CELLS = 24


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
    for link in report.cascade.links:
        if (link.cause, link.effect) not in drawn:
            yield Railed(
                Text(f"  {link.cause} → {link.effect}  ", style=MUTED),
                Text(" " * 11),
                Text(_numbers(link), style=MUTED),
            )


def _step(step: Step, first: bool, last: bool) -> Iterator[RenderableType]:
    mark = Text(f"  {step.id:<3}")
    mark.append("◆ " if first else "■ " if last else "● ", style="bold red" if first or last else "bold")
    rail = Text(" " * 7) if last else Text.assemble(" " * 5, ("│ ", MUTED))
    entity, summary = words.visible(str(step.entity)), words.visible(step.summary)
    if (at := summary.find(entity)) >= 0:
        told = Text(summary)
        told.stylize("bold cyan", at, at + len(entity))
        yield Railed(mark, rail, told)
        return
    name = Text(entity, style="bold cyan")
    name.append(f"  {step.count:,}× from {words.short_moment(step.first_at)}", style="default not bold")
    yield Railed(mark, rail, name)
    yield Railed(rail, rail, Text(summary))


def _between(link: StepLink | None) -> Iterator[RenderableType]:
    tried = link is not None and link.status == "supported"
    rail = Text.assemble(" " * 5, ("│ " if tried else "┊ ", MUTED))
    said = "not tested" if link is None else _numbers(link)
    style = "green" if tried else "yellow"
    yield Railed(Text.assemble(rail, ("↓ ", style)), Text.assemble(rail, "  "), Text(said, style=style))


def _numbers(link: StepLink) -> str:
    parts: list[str] = []
    if link.lag is not None:
        parts.append(words.lag(link.lag))
    if link.hits + link.misses:
        parts.append(f"{link.hits}/{link.hits + link.misses} hits")
    if link.unexplained:
        parts.append(f"{words.plural(link.unexplained, 'effect')} without it")
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
        Lane(
            label=f"{step.id} {words.visible(step.entity.name)}",
            spans=tuple((begin, end, 1.0) for begin, end in step.times),
        )
        for step in shown
        if step.times
    ]
    if not any(lane.spans for lane in lanes):
        return
    label_cells = min(max(len(lane.label) for lane in lanes) + 2, _LABEL_CELLS if width >= 80 else 14)
    drawn = timeline(report.window.start, report.window.end, lanes, width - label_cells - 3)
    yield heading("When", f"UTC; one character is {words.duration(drawn.cell_s)}")
    yield Text(" " * (label_cells + 2) + drawn.axis, style=MUTED)
    for number, (label, row) in enumerate(drawn.rows):
        short = label if len(label) < label_cells else f"{label[: label_cells - 2]}…"
        line = Text(f"  {short:<{label_cells}}")
        yield line.append_text(_coloured(row, "red" if number == 0 and report.symptom is not None else "cyan"))


def _coloured(row: str, style: str) -> Text:
    text = Text(row, style=style, no_wrap=True)
    edges = [0, *(at for at in range(1, len(row)) if (row[at] == "┊") != (row[at - 1] == "┊")), len(row)]
    for begin, end in pairwise(edges):
        if row[begin] == "┊":
            text.stylize(f"default {MUTED}", begin, end)
    return text
