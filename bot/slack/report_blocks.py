"""The answer as Slack blocks: what happened, how it came about and what to change on the first screen; the rest behind buttons.

Pure functions. Walls of text are what people dislike in such bots, so the first screen holds at most twelve lines, and what
it leaves out is one press away. Every foreign word passes the sanitiser.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo
from itertools import pairwise

from bot.analyst.words import HAPPENED
from bot.domain.chat import Place
from bot.domain.reading_words import cost_words, reading_rows
from bot.domain.report import Answer, Recommendation, Report, RuledOut, Step, StepLink
from bot.domain.signal import Kind
from bot.pages.tie_words import tie_rows
from bot.slack.blockkit import CONTAINER_BLOCKS, Block, actions, button, context, fit, folded, section
from bot.slack.phrases import duration, p_value, plural, span
from bot.slack.sanitise import Sanitiser

ACTION_EVIDENCE = "answer_evidence"
ACTION_TIMELINE = "answer_timeline"
ACTION_ASK = "answer_ask"
ACTION_WIDER = "answer_wider"
ACTION_RIGHT = "answer_right"
ACTION_WRONG = "answer_wrong"
ACTION_JIRA = "answer_jira"

_SUMMARY = 340
_CHANGE = 110
_CHANGES = 2
_QUOTE = 200
_RULED_OUT = 6
_STEPS = 12
_READING = 8
_TIE = 300
_REASONS = 2

_COUNTED = re.compile(r"\s+(?:\d[\d,]* times|once|twice)\b|\s+every \d")
"""Where a step's summary goes on to its counts."""

_WAY = re.compile(r" by way of [^.;]*(?=[.;])|\s*The way there: [^.]*\.")
_OF_WHO = re.compile(r"\bthe (\w+(?: \w+)?) of \{who\}")
_SAID_ALREADY = re.compile(r"^(?:yes|no|related|unrelated)\b[.,:;]?\s*", re.IGNORECASE)
_AT_ONCE_S = 0.05
_ISO = re.compile(r"\d{4}-\d\d-\d\dT")
_LISTED = re.compile(r"(?<=[.!?])\s+(?=\d\. \S)")

_VERDICT = {
    "cause_found": "Cause found",
    "inconclusive": "No cause proven",
    "no_incident": "No incident found",
}
_RELATION = {
    "related": "*Yes, related.* ",
    "unrelated": "*No, unrelated.* ",
    "unknown": "*I can't tell.* ",
    "answered": "",
}


def answer_value(case: str, place: Place) -> str:
    """Give what a button of an answer carries: the case, and the place it was shown in and is good for."""
    return f"{case}|{place.channel}|{place.thread_ts}"


def answer_blocks(
    report: Report,
    place: Place,
    sanitiser: Sanitiser,
    tz: tzinfo = UTC,
    *,
    asked: str | None = None,
    watched: int | None = None,
) -> list[Block]:
    """Compose the answer of an investigation.

    ``asked`` holds the person's words for the window; ``watched`` is the number of the prediction that is come back for.
    """
    blocks = [section(_conclusion(report, sanitiser))]
    if told := cascade_text(report, sanitiser):
        blocks.append(
            section(told if report.verdict == "cause_found" else f"*What may have come about, unproven*\n{told}")
        )
    told = "\n".join(each for each in (_changes(report, sanitiser), _next_time(report, tz, watched)) if each)
    if told:
        blocks.append(section(told))
    return fit(
        [*blocks, *_folded(report, sanitiser)],
        footer=[_buttons(report, place), context(_footer(report, sanitiser, tz, asked))],
        more="_More is behind Evidence._",
    )


def answer_text(report: Report, sanitiser: Sanitiser) -> str:
    """Give the answer as one line, for notifications and for readers without blocks."""
    return f"{_VERDICT[report.verdict]}: {sanitiser.text(report.summary, 600)}"


def follow_up_blocks(answer: Answer, sanitiser: Sanitiser, *, asked_by: str | None = None) -> list[Block]:
    """Compose the answer to a follow-up; ``asked_by`` where the question stands nowhere in the thread."""
    blocks: list[Block] = []
    if asked_by is not None:
        blocks.append(context(f"{sanitiser.text(asked_by, 60)} asked: {sanitiser.text(answer.question, 300)}"))
    lines = [sanitiser.text(line, 1500) for line in _LISTED.split(_said(answer))]
    blocks.append(section(_RELATION[answer.verdict] + "\n".join(lines)))
    small: list[str] = []
    if answer.test is not None:
        test = answer.test
        numbers = [f"{test.hits} of {test.hits + test.misses} hits", p_value(test.p_value)]
        if test.lag is not None:
            numbers.insert(0, f"lag {duration(test.lag.median)}")
        small.append(" · ".join([*numbers, *([sanitiser.text(test.name, 80)] if test.name else [])]))
    for name, cited in list(answer.evidence.items())[:2]:
        small.append(f"{name} {sanitiser.link(cited.url, str(cited.entity))}: {sanitiser.code(cited.quote, 160)}")
    small += [sanitiser.text(note, 300) for note in answer.notes]
    if answer.usage.tokens_in + answer.usage.tokens_cached:
        small.append(f"{sanitiser.text(answer.usage.analyst, 40)}, {cost_words(answer.usage)}")
    if len(answer.evidence) > 2:
        small.append(f"and {plural(len(answer.evidence) - 2, 'more citation')}")
    return fit([*blocks, *(context(each) for each in small)])


def follow_up_text(answer: Answer, sanitiser: Sanitiser) -> str:
    """Give the answer to a follow-up as plain text."""
    return _RELATION[answer.verdict].replace("*", "") + sanitiser.text(_said(answer), 1500)


def _said(answer: Answer) -> str:
    """Give the answer's words without the yes or no that the verdict says already."""
    return _SAID_ALREADY.sub("", answer.answer) if _RELATION[answer.verdict] else answer.answer


def cascade_text(report: Report, sanitiser: Sanitiser) -> str:
    """Tell the cascade in one line for each thing that something happened to, with the measured lags between."""
    steps = report.cascade.steps
    if not steps:
        return ""
    links = {(link.cause, link.effect): link for link in report.cascade.links}
    lines = [_told(steps[0], None, sanitiser)]
    for before, step in pairwise(steps[:_STEPS]):
        arrow = _arrow(links.get((before.id, step.id)))
        if _same(before, step):
            lines[-1] += f" {arrow} {_told(step, before, sanitiser)}"
        else:
            lines.append(f"{arrow} {_told(step, None, sanitiser)}")
    if len(steps) > _STEPS:
        lines.append(f"→ and {plural(len(steps) - _STEPS, 'more step')}, behind Evidence")
    return "\n".join(lines)


def _same(one: Step, other: Step) -> bool:
    return (one.entity.name, one.entity.namespace) == (other.entity.name, other.entity.namespace)


def _arrow(link: StepLink | None) -> str:
    if link is None or link.status != "supported":
        return "⇢ _untested_ ⇢" if link is None or link.status == "untested" else "⇢ _refuted_ ⇢"
    if link.lag is None or link.lag.median < _AT_ONCE_S:
        return "→"  # a coarse series dates its cause late; a negative lag would only puzzle
    return f"→ {duration(link.lag.median)} →"


def _told(step: Step, before: Step | None, sanitiser: Sanitiser) -> str:
    phrase = HAPPENED.get(Kind(step.mechanism), "") if step.mechanism in set(Kind) else ""
    if "{who}" not in phrase or phrase.count("{") > 1:  # a phrase that wants more than its subject
        return _own_words(step, before, sanitiser)
    if before is not None:
        told = _OF_WHO.sub(r"its \1", phrase).removeprefix("{who} ").format(who="it")
    else:
        told = phrase.format(who=_who(step, sanitiser))
    return f"{told} {step.count:,}×" if step.id == "S1" and step.count > 1 else told


def _own_words(step: Step, before: Step | None, sanitiser: Sanitiser) -> str:
    """Tell a step by its summary, without the counts that stand behind, and its subject only where it is new."""
    entity = str(step.entity)
    begin = _COUNTED.split(step.summary, maxsplit=1)[0]
    head, found, rest = begin.partition(entity)
    if not found:
        return sanitiser.text(begin, 120)
    who = "" if before is not None and not head else _who(step, sanitiser)
    return f"{sanitiser.text(head, 80)}{' ' if head.strip() else ''}{who} {sanitiser.text(rest, 120)}".strip()


def _who(step: Step, sanitiser: Sanitiser) -> str:
    kind = f"{step.entity.kind} " if step.id == "S1" else ""  # the rest is told at length behind Evidence
    return kind + sanitiser.code(step.entity.name, 80)


def _conclusion(report: Report, sanitiser: Sanitiser) -> str:
    confidence = "" if report.verdict == "no_incident" else f", {report.confidence} confidence"
    lines = [f"*{_VERDICT[report.verdict]}{confidence}.* {sanitiser.text(_brief(report), _SUMMARY)}"]
    unsaid = report.unsaid_reasons
    if report.verdict == "inconclusive" and unsaid:
        lines.append("; ".join(sanitiser.text(reason, 200) for reason in unsaid[:_REASONS]))
    return "\n".join(lines)


def _brief(report: Report) -> str:
    """Give the summary without the list of what lies between cause and effect, where the cascade below tells it better."""
    return _WAY.sub("", report.summary) if report.verdict == "cause_found" and report.cascade.steps else report.summary


def _changes(report: Report, sanitiser: Sanitiser) -> str:
    lines = []
    most = _CHANGES - 1 if report.predictions else _CHANGES  # the next time takes a line of the first screen
    for each in report.recommendations[:most]:
        told = sanitiser.text(each.summary, _CHANGE)
        effect = f" ({sanitiser.text(each.effect)})" if each.effect else ""
        brief = f" (would have spared {sanitiser.text(number)})" if (number := _spared(each, report)) else ""
        lines.append(f"*Change:* {told}{effect if len(told + effect) <= _CHANGE + 10 else brief}")
    left = len(report.recommendations) - len(lines)
    if left:
        lines[-1] += f" _+{left} more_"
    return "\n".join(lines)


def _spared(advice: Recommendation, report: Report) -> str:
    """Say the number alone of what a change would have spared, where its sentence does not fit; empty where none was counted."""
    first = advice.what_if[0] if advice.what_if else None
    if first is not None and advice.spared in (None, first.spared(first.proposed)[0]):
        return first.words()
    whole = sum(each.count for each in report.symptom.episodes) if report.symptom else 0
    return f"{advice.spared:,} of {whole:,} failures" if advice.spared is not None and advice.spared <= whole else ""


def _next_time(report: Report, tz: tzinfo, watched: int | None) -> str:
    if not report.predictions:
        return ""
    each = report.predictions[watched or 0]
    told = f"*Next time:* {each.at.astimezone(tz):%a %d %b %H:%M %Z}, if nothing changes."
    return told if watched is None else f"{told} I will look then, and say here how it went."


def _folded(report: Report, sanitiser: Sanitiser) -> list[Block]:
    """Give one telling line for each step, how the ties hold, and what was ruled out, folded away behind one title."""
    rows = []
    for step in report.cascade.steps:
        name = next((each for each in step.evidence if each in report.evidence), None)
        if name is not None:
            cited = report.evidence[name]
            where = sanitiser.link(cited.url, str(cited.entity))
            rows.append(section(f"*{step.id}* {name} · {where}\n{sanitiser.code(cited.quote, _QUOTE)}"))
    ties = _ties(report, sanitiser)
    most = CONTAINER_BLOCKS - 2 - (report.reading is not None) - bool(ties)
    left = len(rows) - most
    rows = [*rows[:most], *([context(f"and {plural(left, 'more step')}: press Evidence")] if left > 0 else [])]
    titles = [f"Evidence step by step: {plural(len(report.evidence), 'citation')}"] if rows else []
    if ties:
        titles.append("how the ties hold" if rows else "How the ties hold")
        rows.append(section(ties))
    if report.reading is not None:
        titles.append("the model's reading" if rows else "The model's reading")
        told = "\n".join(f"• {sanitiser.text(row, 300)}" for row in reading_rows(report.reading)[:_READING])
        rows.append(section(told))
    if report.ruled_out:
        titles.append(f"ruled out: {len(report.ruled_out)}" if rows else f"Ruled out: {len(report.ruled_out)}")
        rows.append(section(_listed("Ruled out", report.ruled_out, sanitiser)))
    if report.undecided:
        titles.append(f"{'n' if rows else 'N'}ot ruled out: {len(report.undecided)}")
        rows.append(section(_listed("Not ruled out: the tests cannot tell", report.undecided, sanitiser)))
    return [folded(" · ".join(titles), rows)] if rows else []


def _ties(report: Report, sanitiser: Sanitiser) -> str:
    """Say what was asked of the ties: which are direct, which go by way of a step, which a clock could make."""
    return "\n".join(f"• *{label.capitalize()}:* {sanitiser.text(told, _TIE)}" for label, told in tie_rows(report))


def _listed(title: str, parts: Sequence[RuledOut], sanitiser: Sanitiser) -> str:
    told = [
        f"• {_whose(each, sanitiser)}{sanitiser.text(each.summary, 160)}: {sanitiser.text(each.reason, 200)}"
        for each in parts[:_RULED_OUT]
    ]
    left = len(parts) - len(told)
    return "\n".join([f"*{title}*", *told, *([f"and {left} more: ask me about them"] if left > 0 else [])])


def _whose(out: RuledOut, sanitiser: Sanitiser) -> str:
    """Name what a line is about, where its words do not."""
    return "" if str(out.entity) in out.summary else f"{sanitiser.code(out.entity.name, 80)} "


def _buttons(report: Report, place: Place) -> Block:
    value = answer_value(report.case, place)
    row = [
        button("Timeline", ACTION_TIMELINE, value, said="Show when what happened"),
        button("Ask why", ACTION_ASK, value, said="Ask a question about this answer"),
        button("Wider window", ACTION_WIDER, value, said="Investigate a window twice as long"),
        button("Right", ACTION_RIGHT, value, said="This answer is right"),
        button("Wrong", ACTION_WRONG, value, said="This answer is wrong"),
        button("Post to Jira", ACTION_JIRA, value, said="Post this answer to Jira"),
    ]
    if report.evidence:
        row.insert(
            0, button("Evidence", ACTION_EVIDENCE, value, style="primary", said="Show the evidence, line by line")
        )
    return actions(row)


def _footer(report: Report, sanitiser: Sanitiser, tz: tzinfo, asked: str | None) -> str:
    words = asked or report.window.asked
    window = span(report.window.start, report.window.end, tz)
    if not _ISO.search(words):  # a time spelled out in full is not said twice
        window = f"{sanitiser.text(words, 40)} = {window}"
    parts = [
        window,
        coverage_text(report, sanitiser),
        _cost(report, sanitiser),
        f"case {sanitiser.code(report.case, 40)}",
    ]
    return " · ".join(part for part in parts if part)


def coverage_text(report: Report, sanitiser: Sanitiser) -> str:
    """Say in a few words what was read and what was not."""
    read = [row for row in report.coverage if row.status in ("complete", "partial")]
    lacking = [row.source for row in report.coverage if row.status == "missing"]
    gaps = sum(gap.lost for row in report.coverage for gap in row.gaps)
    parts = [f"{plural(len(read), 'source')}, {plural(sum(row.items for row in read), 'item')}"] if read else []
    parts += [plural(gaps, "gap")] if gaps else []
    parts += [f"not seen: {sanitiser.text(', '.join(lacking), 80)}"] if lacking else []
    return ", ".join(parts)


def _cost(report: Report, sanitiser: Sanitiser) -> str:
    usage = report.usage
    took = f" in {duration(sum(usage.seconds.values()))}" if usage.seconds else ""
    failed = report.reading is not None and bool(report.reading.failure)
    if usage.analyst == "offline" and not failed:
        return f"offline, $0{took}"
    who = "offline (the model failed)" if usage.analyst == "offline" else sanitiser.text(usage.analyst, 40)
    return f"{who}, {cost_words(usage)}{took}"


def lines_of(blocks: Sequence[Block], width: int = 100) -> int:
    """Count the lines that blocks take on a screen of ``width`` characters; a row of buttons and what is folded count as one."""
    return sum(_lines(block, width) for block in blocks)


def _lines(block: Block, width: int) -> int:
    if block["type"] in ("actions", "container"):
        return 1
    return sum(max(-(-len(line) // width), 1) for text in _texts(block) for line in text.splitlines())


def _texts(block: Block) -> Iterator[str]:
    if block["type"] == "context":
        yield " ".join(str(element.get("text", "")) for element in block["elements"])
    elif isinstance(block.get("text"), dict):
        yield str(block["text"]["text"])
