"""Answers a follow-up question from the case alone, with the lines that show it.

Every intent has one function. What the case cannot tell is said to be unknown, together with what the case does hold.
Left out: anything about the world beyond the case, and any new hypothesis.
"""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from bot.analyst.citations import Citations
from bot.analyst.questions import Intent, Question, understand
from bot.analyst.relation import cite, give, holds, related, why_not
from bot.analyst.subjects import FollowUpContext, Subject, subjects
from bot.analyst.words import clock, clock_s, counted, p_words, times
from bot.domain.report import Answer, Report, Step
from bot.domain.signal import Kind
from bot.domain.window import rfc3339

__all__ = ["FollowUpContext", "answer"]

LONGEST_TIMELINE = 8
_VAGUE = {Kind.LOG_BURST, Kind.LOG_ERROR, Kind.RESOURCE_SHIFT, Kind.ALERT}


def answer(text: str, context: FollowUpContext, tz: tzinfo = UTC) -> Answer:
    """Answer a follow-up question; never raises for a question, whatever it is."""
    question = understand(text, window=context.window, signals=context.signals, report=context.report, tz=tz)
    span = (context.window.start_s, context.window.end_s - 1e-6)
    if question.moments and not any(moment.overlaps(*span) for moment in question.moments):
        asked = question.moments[0]
        words = f"“{asked.words}” ({rfc3339(asked.start)} to {rfc3339(asked.end)}) lies outside this case."
        return give(question, context, f"{words} {holds(context)}", "unknown")
    if question.unknown_names and question.intent in {"related", "what_happened", "when_next"}:
        return _unknown_name(question, context)
    return _ANSWERS[question.intent](question, context)


def _unknown_name(question: Question, context: FollowUpContext) -> Answer:
    """Say that a name is no known thing; where it is written somewhere, show where."""
    name = question.unknown_names[0]
    found = context.search(name, context.window.start, context.window.end, 2)
    if not found.total:
        return give(question, context, f"Nothing called “{name}” appears in this case. {holds(context)}", "unknown")
    cited = Citations(context.evidence)
    for hit in found.hits[:2]:
        cited.cite(hit.id)
    text = f"“{name}” is no thing this case measured; the word stands in {counted(found.total, 'place')}, which proves nothing either way."
    return give(question, context, text, "unknown", cited)


def _what_happened(question: Question, context: FollowUpContext) -> Answer:
    if not (question.moments or question.entities or question.kinds):
        return _searched(question, context) if question.quoted else _summary(question, context)
    found = subjects(question, context)
    where = ", ".join(str(entity) for entity in question.entities[:3])
    when = question.moments[0].words if question.moments else ""
    scope = " ".join(part for part in (f"for {where}" if where else "", f"({when})" if when else "") if part)
    if not found:
        return give(question, context, f"Nothing was seen {scope}".strip() + f". {_blind(context.report)}", "answered")
    telling = sorted(
        found, key=lambda one: (one.step is None, one.signal.kind in _VAGUE, one.occurrences[0].start_s, one.signal.id)
    )
    shown = sorted(telling[:LONGEST_TIMELINE], key=lambda one: (one.occurrences[0].start_s, one.signal.id))
    cited = Citations(context.evidence)
    lines = "; ".join(_line(one, cited) for one in shown)
    rest = f"; and {counted(len(found) - len(shown), 'lesser signal')}" if len(found) > len(shown) else ""
    return give(question, context, f"{lines}{rest}.", "answered", cited)


def _line(one: Subject, cited: Citations) -> str:
    first = one.occurrences[0]
    keys = cite(cited, one.signal, one.occurrences, most=1)
    often = f", {times(len(one.occurrences))}" if len(one.occurrences) > 1 else ""
    step = f", step {one.step.id}" if one.step else ""
    label = one.signal.label or one.signal.kind.value.replace("_", " ")
    return f"{clock_s(first.start_s)} {one.signal.entity}: {label}{often}{step}" + (f" [{keys[0]}]" if keys else "")


def _searched(question: Question, context: FollowUpContext) -> Answer:
    found = context.search(question.quoted[0], context.window.start, context.window.end, 3)
    cited = Citations(context.evidence)
    for hit in found.hits[:3]:
        cited.cite(hit.id)
    text = f"“{question.quoted[0]}” stands in {counted(found.total, 'place')} of this case."
    return give(question, context, text, "answered" if found.total else "unknown", cited)


def _when_next(question: Question, context: FollowUpContext) -> Answer:
    pending = [part for part in context.report.predictions if part.status == "pending"] or list(
        context.report.predictions
    )
    if not pending:
        reason = (
            "its cause follows no schedule that was seen" if context.report.root_cause else "no cause was established"
        )
        return give(
            question, context, f"I cannot say: {reason}, so nothing can be predicted from this case.", "unknown"
        )
    part = min(pending, key=lambda one: one.at)
    text = f"{part.summary.rstrip('.')}. Expected at {_second(part.at)}, between {_second(part.window[0])} and {_second(part.window[1])}."
    return give(question, context, text, "answered")


def _second(at: datetime) -> str:
    return rfc3339(at.replace(microsecond=0))


def _show_evidence(question: Question, context: FollowUpContext) -> Answer:
    steps = context.report.cascade.steps
    if not steps:
        return give(
            question,
            context,
            f"There is no cascade to show evidence for: the verdict is {context.report.verdict}.",
            "unknown",
        )
    chosen = _asked_steps(question, context)
    if not chosen:
        ids = ", ".join(step.id for step in steps)
        return give(question, context, f"The cascade has no such step; it has {ids}.", "unknown")
    cited = Citations(context.evidence)
    parts = []
    most = 5 if len(chosen) == 1 else 1
    for step in chosen:
        entries = [context.report.evidence[key] for key in step.evidence[:most] if key in context.report.evidence]
        shown = "; ".join(
            f"[{cited.add(entry)}] “{entry.quote}”" + (f" ({clock(entry.at)})" if entry.at else "") for entry in entries
        )
        facts = f" Settings: {'; '.join(step.facts)}." if step.facts and len(chosen) == 1 else ""
        parts.append(f"{step.id} {step.summary.rstrip('.')}: {shown or 'nothing cited'}.{facts}")
    return give(question, context, " ".join(parts), "answered", cited)


def _asked_steps(question: Question, context: FollowUpContext) -> list[Step]:
    steps = context.report.cascade.steps
    if question.step_id:
        return [step for step in steps if step.id == question.step_id]
    if question.kinds or question.entities:
        named = {one.step.id for one in subjects(question, context) if one.step}
        named |= {step.id for step in steps if step.entity in question.entities or step.mechanism in question.kinds}
        return [step for step in steps if step.id in named]
    return list(steps)


def _fix(question: Question, context: FollowUpContext) -> Answer:
    advice = context.report.recommendations
    if not advice:
        return give(
            question,
            context,
            "This case recommends nothing: without an established cause a change would be a guess.",
            "unknown",
        )
    parts = []
    for number, part in enumerate(advice[:3], 1):
        change = f" Change: {part.change.strip()}" if part.change and "\n" not in part.change.strip() else ""
        parts.append(
            f"{number}. {part.summary.rstrip('.')}: {part.rationale.rstrip('.')}. {part.effect.rstrip('.')}.{change}"
        )
    return give(question, context, " ".join(parts), "answered")


def _how_sure(question: Question, context: FollowUpContext) -> Answer:
    report = context.report
    text = f"Confidence is {report.confidence} (verdict {report.verdict.replace('_', ' ')})"
    text += f": {'; '.join(reason.rstrip('.') for reason in report.reasons[:4])}." if report.reasons else "."
    if report.symptom:
        episodes = report.symptom.explained + report.symptom.unexplained
        text += f" The cascade accounts for {report.symptom.explained} of {counted(episodes, 'episode')}."
    passed = sum(part.verdict == "passed" for part in report.control_questions)
    if report.control_questions:
        text += f" {passed} of {counted(len(report.control_questions), 'control question')} passed."
    if links := report.cascade.links:
        weakest = min(
            links,
            key=lambda link: (
                link.status == "supported",
                -(link.p_value if link.p_value is not None else 1),
                link.hits,
            ),
        )
        text += f" The weakest link is {weakest.cause}→{weakest.effect}: {weakest.status}, {weakest.hits} of {weakest.hits + weakest.misses} ({p_words(weakest.p_value)})."
    return give(question, context, text, "answered")


def _not_seen(question: Question, context: FollowUpContext) -> Answer:
    return give(question, context, _blind(context.report), "answered")


def _blind(report: Report) -> str:
    """Say what the case did not see, from its coverage."""
    parts = []
    for row in report.coverage:
        lost = [gap for gap in row.gaps if gap.lost]
        if row.status in {"missing", "not_configured"}:
            parts.append(f"{row.source} was not there at all")
        elif lost:
            shown = "; ".join(gap.what + (f" ({gap.count}×)" if gap.count > 1 else "") for gap in lost[:2])
            parts.append(f"{row.source}: {shown}" + (f" and {len(lost) - 2} more" if len(lost) > 2 else ""))
        elif row.status == "partial":
            parts.append(f"{row.source} was there in part" + (f" ({row.detail})" if row.detail else ""))
    if not report.coverage:
        return "The coverage of this case was not recorded."
    return (
        "Not seen: " + ". ".join(parts) + "."
        if parts
        else "Every source was read completely; what no source records was not seen."
    )


def _summary(question: Question, context: FollowUpContext) -> Answer:
    report = context.report
    cited = Citations(context.evidence)
    for step in (*report.cascade.steps[:1], *report.cascade.steps[-1:]):
        for key in step.evidence[:1]:
            if key in report.evidence:
                cited.add(report.evidence[key])
    return give(question, context, f"{report.summary} Confidence: {report.confidence}.", "answered", cited)


def _not_understood(question: Question, context: FollowUpContext) -> Answer:
    ways = "was X related? what happened at …? when next? why not Y? evidence for step 2? what would fix it? how sure are you? what did you not see?"
    return give(
        question, context, f"I do not understand the question. I can answer: {ways} {holds(context)}", "unknown"
    )


_ANSWERS: dict[Intent, Callable[[Question, FollowUpContext], Answer]] = {
    "related": related,
    "what_happened": _what_happened,
    "when_next": _when_next,
    "why_not": why_not,
    "show_evidence": _show_evidence,
    "fix": _fix,
    "how_sure": _how_sure,
    "not_seen": _not_seen,
    "summary": _summary,
    "unknown": _not_understood,
}
