"""The sections of the terminal page apart from the drawings: each yields its lines, or nothing where it has none."""

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bot.cli import words
from bot.cli.text_layout import MUTED, hang, heading
from bot.domain.items import SourceCoverage
from bot.domain.report import Evidence, Recommendation, Report

_VERDICTS = {
    "cause_found": ("CAUSE FOUND", "bold green"),
    "inconclusive": ("INCONCLUSIVE", "bold yellow"),
    "no_incident": ("NO INCIDENT", "bold green"),
}
_ITEM = "  - "
_FEW = 8


def verdict(report: Report, width: int) -> Iterator[RenderableType]:
    """Open with verdict, confidence, summary and the symptom: what a person who reads no further should know."""
    word, style = _VERDICTS[report.verdict]
    line = Text(word, style=style).append(f"  {report.confidence} confidence", style="default not bold")
    start, end = words.short_moment(report.window.start), words.short_moment(report.window.end)
    span = f"{start} – {end} UTC"
    room = width - line.cell_len - len(span)
    yield line.append(" " * room + span if room > 1 else f"\n{span}", style=f"default not bold {MUTED}")
    yield Text("")
    yield Text(words.visible(report.summary))
    if report.verdict != "cause_found":
        yield from (hang(_ITEM, Text(words.visible(reason))) for reason in report.reasons)
    if report.symptom is not None:
        yield Text(_symptom(report), style=MUTED)


def _symptom(report: Report) -> str:
    assert report.symptom is not None
    symptom = report.symptom
    told = words.visible(symptom.summary).rstrip(".")
    if not report.cascade.steps:
        return f"{told}."
    of_all = symptom.explained + symptom.unexplained
    return f"{told}: {symptom.explained} of {words.plural(of_all, 'episode')} explained."


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
    yield Text(words.visible(each.summary), style="bold")
    if each.rationale:
        yield Text(words.visible(each.rationale))
    effect = words.visible(each.effect)
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
            f"  (between {words.short_moment(begin)} and {words.short_moment(end)}), {each.status}",
            style=f"default not bold {MUTED}",
        )
        yield hang(_ITEM, when, Text(words.visible(each.summary)))


def settings(report: Report) -> Iterator[RenderableType]:
    """List the settings that make steps possible."""
    facts = [(step.id, fact) for step in report.cascade.steps for fact in step.facts]
    if not facts:
        return
    yield heading("Settings that make it possible")
    yield from (hang(f"  {step:<4}", Text(words.visible(fact))) for step, fact in facts)


def contributing(report: Report) -> Iterator[RenderableType]:
    """List what made it worse."""
    if not report.contributing:
        return
    yield heading("Made it worse, did not start it")
    for each in report.contributing:
        yield hang(_ITEM, _told(str(each.entity), each.summary, each.evidence))


def ruled_out(report: Report) -> Iterator[RenderableType]:
    """List what stood near and did not cause it, with the reason."""
    if not report.ruled_out:
        return
    yield heading("Ruled out")
    for each in report.ruled_out:
        reason = Text(words.visible(each.reason))
        if each.test:
            reason.append(f"  [{words.visible(each.test)}]", style=MUTED)
        yield hang(_ITEM, _told(str(each.entity), each.summary, each.evidence), reason)


def _told(entity: str, summary: str, evidence: tuple[str, ...]) -> Text:
    text = Text(words.visible(entity), style="bold").append(f": {words.visible(summary)}", style="default not bold")
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
        yield hang(mark, Text(f"{words.visible(each.question)} {words.visible(each.answer)}"))


def claims(report: Report) -> Iterator[RenderableType]:
    """Hold what people said against the telemetry."""
    if not report.claims:
        return
    yield heading("What people said", "held against the telemetry")
    for each in report.claims:
        style = {"supported": "green", "refuted": "red", "untested": "yellow"}[each.status]
        said = Text(f"{each.status}", style=f"bold {style}")
        said.append(f"  {words.visible(each.author)}: “{words.clip(each.quote, 160)}”", style="default not bold")
        yield hang(_ITEM, said, Text(words.visible(each.reason)))


def evidence(cited: Mapping[str, Evidence], width: int) -> Iterator[RenderableType]:
    """List every citation: its id, its time, whom it speaks of, and its words, cut to a line with how much was cut."""
    if not cited:
        return
    yield heading("Evidence", "words as stored; the whole item by its id in the case")
    for name, each in cited.items():
        head = Text(words.moment(each.at)).append(f"  {words.visible(str(each.entity))}", style="bold")
        place = words.tail(each.locator, max(width - 10 - head.cell_len, 16))
        head.append(f"  {place}", style=f"default not bold {MUTED}")
        quote = words.clip(each.quote, max(width - 8, 20) * 2 - 12)
        yield hang(f"  {name:<4}", head, *([Text(quote)] if quote else []))


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


def _notes(row: SourceCoverage) -> str:
    lost = sum(gap.lost for gap in row.gaps)
    parts = [words.visible(row.detail), f"read: {words.visible(row.read)}" if row.read else ""]
    parts.append(words.plural(lost, "gap") if lost else "")
    return "; ".join(part for part in parts if part)


def not_seen(report: Report) -> Iterator[RenderableType]:
    """Say what could not be seen, what was odd but read all the same, and what capped the confidence."""
    gaps = [gap for row in report.coverage for gap in row.gaps]
    lost = [gap for gap in gaps if gap.lost]
    odd = [gap for gap in gaps if not gap.lost]
    reasons = report.reasons if report.verdict == "cause_found" else ()
    if not (lost or odd or reasons):
        return
    yield heading("What was not seen, and what holds the confidence down")
    yield from (hang(_ITEM, Text(words.visible(reason))) for reason in reasons)
    for gap in lost[:_FEW]:
        where = f" ({words.visible(gap.path)})" if gap.path else ""
        times = f"{gap.count:,}× " if gap.count > 1 else ""
        yield hang(_ITEM, Text(f"{words.visible(gap.source)}: {times}{words.visible(gap.what)}{where}"))
    if len(lost) > _FEW:
        yield hang(_ITEM, Text(f"{len(lost) - _FEW} more gaps: rootcause show {report.case} --format json"))
    if odd:
        told = ", ".join(f"{gap.count:,}× {words.visible(gap.what)}" for gap in odd[:_FEW])
        more = f" and {len(odd) - _FEW} more kinds" if len(odd) > _FEW else ""
        yield hang(_ITEM, Text(f"odd, but read: {told}{more}", style=MUTED))


def footer(report: Report) -> Iterator[RenderableType]:
    """Close with the case, how to go on, and how long it took."""
    total = sum(report.usage.seconds.values())
    yield Text("")
    analyst = f"{report.usage.analyst} analyst" + (
        ", no model, nothing sent" if report.usage.analyst == "offline" else ""
    )
    took = f"; {words.duration(total)}" if total else ""
    yield Text(f"Case {report.case}; {analyst}{took}", style=MUTED)
    yield Text.assemble(("Ask on:  ", MUTED), f'rootcause ask {report.case} "{_example(report)}"')


def _example(report: Report) -> str:
    if report.ruled_out:
        name = words.visible(report.ruled_out[0].entity.name).replace('"', "")
        return f"was {name} related?"
    return "how sure are you?" if report.cascade.steps else "what did you not see?"
