"""The sections of the terminal page apart from the drawings: each yields its lines, or nothing where it has none."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bot.cli import words
from bot.cli.text_layout import MUTED, hang, heading
from bot.domain.entity import Entity
from bot.domain.items import SourceCoverage
from bot.domain.reading_words import analyst_words, reading_rows
from bot.domain.report import Evidence, Recommendation, Report
from bot.domain.spelling import length

_VERDICTS = {
    "cause_found": ("CAUSE FOUND", "bold green"),
    "inconclusive": ("INCONCLUSIVE", "bold yellow"),
    "no_incident": ("NO INCIDENT", "bold green"),
}
_ITEM = "  - "
_NAMED = frozenset({"Person", "Ticket", "Host", "Series"})
"""Kinds that a name alone makes plain."""
_VALUE = re.compile(r'"([^"]*)"\s*\]$|\s(\S+)\s+\S+$')
"""The value of a sample: ``[time, "value"]`` of a query's body, or ``name value time`` of OpenMetrics."""
_FEW = 8
_READ_WHOLE = re.compile(r"all\b")
"""What need not be said of a source in a table whose status says that it is complete."""


def verdict(report: Report, width: int) -> Iterator[RenderableType]:
    """Open with verdict, confidence, summary, the first fix and the next time: for a person who reads no further."""
    word, style = _VERDICTS[report.verdict]
    line = Text(word, style=style).append(f"  {report.confidence} confidence", style="default not bold")
    start, end = words.short_moment(report.window.start), words.short_moment(report.window.end)
    span = f"{start} – {end} UTC"
    room = width - line.cell_len - len(span)
    yield line.append(" " * room + span if room > 1 else f"\n{span}", style=f"default not bold {MUTED}")
    yield Text("")
    yield Text(words.short(report.summary))
    if report.verdict != "cause_found":
        yield from (hang(_ITEM, Text(words.short(reason))) for reason in report.unsaid_reasons)
    if report.symptom is not None and not report.cascade.steps:
        yield Text(f"{words.short(report.symptom.summary).rstrip('.')}.", style=MUTED)
    yield from _act(report)


def _act(report: Report) -> Iterator[RenderableType]:
    """Say in two lines what to do first and by when."""
    if report.recommendations:
        yield hang(Text("First fix:  ", style="bold"), Text(words.short(report.recommendations[0].summary)))
    if report.predictions:
        each = report.predictions[0]
        begin, end = each.window
        when = (
            f"{words.short_moment(each.at)} UTC, between {begin.astimezone(UTC):%H:%M} and {end.astimezone(UTC):%H:%M}"
        )
        if end - begin >= timedelta(days=1):
            when = f"{words.short_moment(each.at)} UTC"
        yield hang(Text("Next time:  ", style="bold"), Text(f"{when}, if nothing changes"))


def changes(report: Report) -> Iterator[RenderableType]:
    """Say what to change, why, what it would have spared, and the patch to review."""
    if not report.recommendations:
        return
    yield heading("What to change")
    for number, each in enumerate(report.recommendations, start=1):
        yield hang(f"  {number}. ", *_change(each))
        # not wrapped: a command is there to be copied, and a line end put into it would break it
        for line in (each.change or "").splitlines():
            yield Text("       " + _indented(line), style=MUTED, no_wrap=True, overflow="ignore")


def _change(each: Recommendation) -> Iterator[Text]:
    yield Text(words.short(each.summary), style="bold")
    if each.rationale:
        yield Text(words.short(each.rationale))
    effect = words.short(each.effect)
    if effect:
        yield Text(effect, style="green")
    elif each.spared:
        yield Text(f"would have spared {each.spared:,} in this window", style="green")


def _indented(line: str) -> str:
    blanks = len(line) - len(line.lstrip(" "))
    return " " * blanks + words.visible(line)


def predictions(report: Report) -> Iterator[RenderableType]:
    """Say when it comes again, if nothing changes."""
    if not report.predictions:
        return
    yield heading("Next, if nothing changes")
    for each in report.predictions:
        begin, end = each.window
        when = Text(words.moment(each.at), style="bold")
        when.append(
            f"  (between {words.short_moment(begin)} and {words.short_moment(end)} UTC), {each.status}",
            style=f"default not bold {MUTED}",
        )
        yield hang(_ITEM, when, Text(words.short(each.summary)))


def contributing(report: Report) -> Iterator[RenderableType]:
    """List what made it worse."""
    if not report.contributing:
        return
    yield heading("Made it worse, did not start it")
    for each in report.contributing:
        yield hang(_ITEM, _told(each.entity, each.summary, each.evidence))


def ruled_out(report: Report) -> Iterator[RenderableType]:
    """List what stood near and did not cause it, then what could not be told, each with the reason; the test behind it stands
    in the other faces.
    """
    for title, parts in (("Ruled out", report.ruled_out), ("Not ruled out", report.undecided)):
        if parts:
            yield heading(title)
        for each in parts:
            yield hang(_ITEM, _told(each.entity, each.summary, each.evidence), Text(words.short(each.reason)))


def _told(entity: Entity, summary: str, evidence: tuple[str, ...]) -> Text:
    """Say of whom and what; the name once, where the summary holds it already."""
    name, told = words.short(entity.name if entity.kind in _NAMED else str(entity)), words.short(summary)
    at = told.find(name)
    text = Text(told if at >= 0 else f"{name}: {told}")
    text.stylize("bold", max(at, 0), max(at, 0) + len(name))
    return text.append(f"  {' '.join(evidence)}", style=f"default not bold {MUTED}") if evidence else text


def control_questions(report: Report) -> Iterator[RenderableType]:
    """List what the program asked itself before it answered."""
    if not report.control_questions:
        return
    passed = sum(each.verdict == "passed" for each in report.control_questions)
    yield heading("Control questions", f"{passed} of {len(report.control_questions)} passed")
    for each in report.control_questions:
        good = each.verdict == "passed"
        mark = Text("  ✓ " if good else "  ✗ ", style="green" if good else "bold red")
        yield hang(mark, Text(f"{words.short(each.question)} {words.short(each.answer)}"))


def claims(report: Report) -> Iterator[RenderableType]:
    """Hold what people said against the telemetry: one entry a judgement, everybody it holds for under it."""
    if not report.claims:
        return
    yield heading("What people said", "held against the telemetry")
    judged: dict[tuple[str, str], dict[str, list[str]]] = {}
    for each in report.claims:
        quoted = judged.setdefault((each.status, words.short(each.reason)), {})
        quoted.setdefault(words.clip(each.quote, 160), []).append(words.visible(each.author))
    for (status, reason), quoted in judged.items():
        style = {"supported": "green", "refuted": "red", "untested": "yellow"}[status]
        lead = Text(status, style=f"bold {style}").append(f"  {reason}", style="default not bold")
        said = (Text(f"“{quote}” {', '.join(dict.fromkeys(who))}") for quote, who in quoted.items())
        yield hang(_ITEM, lead, *said)


def reading(report: Report) -> Iterator[RenderableType]:
    """Say how a model's answer stood up."""
    if report.reading is None:
        return
    yield heading("What the model read", "held against the measurements")
    yield from (hang(_ITEM, Text(words.short(row))) for row in reading_rows(report.reading))


def evidence(cited: Mapping[str, Evidence], width: int, lines: int = 2) -> Iterator[RenderableType]:
    """List every citation: its id, its time, whom it speaks of, and its words, cut to some lines with how much was cut."""
    if not cited:
        return
    yield heading("Evidence", "words as stored")
    for name, each in cited.items():
        head = Text("as read" if each.at is None else words.moment(each.at))
        head.append(f"  {words.short(str(each.entity))}", style="bold")
        place = words.tail(each.locator, max(width - 10 - head.cell_len, 16))
        head.append(f"  {place}", style=f"default not bold {MUTED}")
        quote = Text(words.clip(each.quote, max(width - 8, 20) * lines - 12))
        if (value := _sample(each)) and quote.plain:
            quote.append(f"  {words.clip(value, max(width - 10 - quote.cell_len, 24))}", style=MUTED)
        yield hang(f"  {name:<4}", head, *([quote] if quote.plain else []))


def _sample(each: Evidence) -> str:
    """Say what a sample of a series is: its quote is no more than a time and a number."""
    found = _VALUE.search(each.quote) if each.source == "prometheus" else None
    series = each.locator.partition(" samples of ")[2] or str(each.entity)
    return f"= {found[1] or found[2]} of {series}" if found else ""


def coverage(report: Report) -> Iterator[RenderableType]:
    """Tabulate what every source gave."""
    if not report.coverage:
        return
    yield heading("What was read")
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style=MUTED)
    table.add_column("  source", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("items", justify="right", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("notes", overflow="fold")
    for each in report.coverage:
        style = {"complete": "green", "partial": "yellow", "missing": "red"}.get(each.status, MUTED)
        table.add_row(
            f"  {words.visible(each.source)}",
            Text(each.status.replace("_", " "), style=style),
            f"{each.items:,}",
            words.size(each.bytes),
            Text(_notes(each), style=MUTED),
        )
    yield table
    odd = [gap for row in report.coverage for gap in row.gaps if not gap.lost]
    if odd:
        told = "; ".join(f"{gap.count:,}× {words.visible(gap.what)}" for gap in odd[:_FEW])
        more = f"; and {len(odd) - _FEW} more kinds" if len(odd) > _FEW else ""
        yield hang("  ", Text(f"odd, but read: {told}{more}", style=MUTED))


def _notes(row: SourceCoverage) -> str:
    lost = sum(gap.lost for gap in row.gaps)
    parts = [
        words.visible(row.detail),
        f"read: {words.visible(row.read)}" if row.read and not _READ_WHOLE.match(row.read) else "",
    ]
    parts.append(words.plural(lost, "gap") if lost else "")
    return "; ".join(part for part in parts if part)


def not_seen(report: Report) -> Iterator[RenderableType]:
    """Say what could not be seen, and what capped the confidence."""
    lost = [gap for row in report.coverage for gap in row.gaps if gap.lost]
    reasons = report.reasons if report.verdict == "cause_found" else ()
    if not (lost or reasons):
        return
    yield heading(
        " and ".join(
            part
            for part in ("what was not seen" if lost else "", "what holds the confidence down" if reasons else "")
            if part
        ).replace("what", "What", 1)
    )
    yield from (hang(_ITEM, Text(words.short(reason))) for reason in reasons)
    for gap in lost[:_FEW]:
        where = f" ({words.visible(gap.path)})" if gap.path else ""
        times = f"{gap.count:,}× " if gap.count > 1 else ""
        yield hang(_ITEM, Text(f"{words.visible(gap.source)}: {times}{words.visible(gap.what)}{where}"))
    if len(lost) > _FEW:
        yield hang(_ITEM, Text(f"{len(lost) - _FEW} more gaps: rootcause show {report.case} --format json"))


def footer(report: Report) -> Iterator[RenderableType]:
    """Close with the answer in a line, for it has scrolled away by now, the case, and how to go on."""
    total = sum(report.usage.seconds.values())
    yield Text("")
    if report.root_cause is not None:
        word, style = _VERDICTS[report.verdict]
        yield Text(word, style=style).append(
            f"  {words.short(str(report.root_cause.entity))}, {report.confidence} confidence; the answer stands at the top",
            style="default not bold",
        )
    analyst = words.visible(analyst_words(report.usage, report.reading))
    took = f"; {length(total)}" if total else ""
    yield Text(f"Case {report.case}; {analyst}{took}", style=MUTED)
    yield Text.assemble(("Ask on:  ", MUTED), f'rootcause ask {report.case} "{_example(report)}"')


def _example(report: Report) -> str:
    if beside := (*report.undecided, *report.ruled_out):
        name = words.visible(beside[0].entity.name).replace('"', "")
        return f"was {name} related?"
    return "how sure are you?" if report.cascade.steps else "what did you not see?"
