"""Answers a follow-up question from the case alone, with the lines that show it.

Every intent has one function. What the case cannot tell is said to be unknown, together with what the case does hold.
Left out: anything about the world beyond the case, and any new hypothesis.
"""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from itertools import pairwise

from bot.analyst.answers import cite, give, holds, kinds_asked, places_asked
from bot.analyst.citations import Citations
from bot.analyst.plain_facts import how_much, next_run, setting, since_when
from bot.analyst.questions import Intent, Question, understand
from bot.analyst.relation import related, why_not
from bot.analyst.subjects import FollowUpContext, Subject, subjects
from bot.analyst.words import clock, clock_s, counted, happened, noun, p_words, times
from bot.domain.report import Answer, Report, Step
from bot.domain.signal import Kind
from bot.domain.spelling import lag_words
from bot.domain.window import instant, rfc3339

__all__ = ["FollowUpContext", "answer"]

LONGEST_TIMELINE = 8
MOST_CLOCKS = 5
"""Times of one thing that are all told; of more only how many they are."""
_VAGUE = {Kind.LOG_BURST, Kind.LOG_ERROR, Kind.RESOURCE_SHIFT, Kind.ALERT}


def answer(text: str, context: FollowUpContext, tz: tzinfo = UTC) -> Answer:
    """Answer a follow-up question; never raises for a question, whatever it is."""
    question = understand(text, window=context.window, signals=context.signals, report=context.report, tz=tz)
    span = (context.window.start_s, context.window.end_s - 1e-6)
    if question.moments and not any(moment.overlaps(*span) for moment in question.moments):
        asked = question.moments[0]
        words = f"“{asked.words}” ({clock(asked.start)} to {clock(asked.end)}) lies outside this case."
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
    text = f"“{name}” is nothing this case measured. The word stands in {counted(found.total, 'place')}, which proves nothing either way."
    return give(question, context, text, "unknown", cited)


def _what_happened(question: Question, context: FollowUpContext) -> Answer:
    if not (question.moments or question.entities or question.kinds):
        return _searched(question, context) if question.quoted else _summary(question, context)
    found = subjects(question, context)
    found = [one for one in found if any(word[:3] in one.signal.label for word in question.symptom_words)] or found
    if not found:
        return _nothing(question, context)
    telling = sorted(
        found, key=lambda one: (one.step is None, one.signal.kind in _VAGUE, one.occurrences[0].start_s, one.signal.id)
    )
    shown = sorted(telling[:LONGEST_TIMELINE], key=lambda one: (one.occurrences[0].start_s, one.signal.id))
    cited = Citations(context.evidence)
    lines = "; ".join(_line(one, cited) for one in shown)
    rest = f"; and {counted(len(found) - len(shown), 'lesser signal')}" if len(found) > len(shown) else ""
    meant = question.kinds | {Kind.HUMAN_CHANGE}
    other = kinds_asked(question) and not any(one.signal.kind in meant for one in found)
    lead = f"No {kinds_asked(question)}{' then' if question.moments else ''}; the nearest to it: " if other else ""
    return give(question, context, f"{lead}{lines}{rest}.", "answered", cited)


def _nothing(question: Question, context: FollowUpContext) -> Answer:
    """Say that nothing was seen where and when it was asked for, and what stands nearest to that time."""
    where = places_asked(question)
    what = f"No {kinds_asked(question)} seen" if kinds_asked(question) else "Nothing was seen"
    said = [f"{what}{where} in this case."]
    if question.moments:
        moment = question.moments[0]
        said = [f"{what}{where} from {clock(moment.start)} to {clock(moment.end)}."]
        near = [one for one in context.signals if one.kind not in _VAGUE]
        before = max(
            (
                (one.end_s, signal)
                for signal in near
                for one in signal.occurrences
                if one.end_s < moment.start.timestamp()
            ),
            key=lambda pair: (pair[0], pair[1].id),
            default=None,
        )
        after = min(
            (
                (one.start_s, signal)
                for signal in near
                for one in signal.occurrences
                if one.start_s >= moment.end.timestamp()
            ),
            key=lambda pair: (pair[0], pair[1].id),
            default=None,
        )
        said += [f"Last before: {clock_s(before[0])} {happened(before[1])}."] if before else []
        said += [f"Next after: {clock_s(after[0])} {happened(after[1])}."] if after else []
    if (blind := _blind(context.report)).startswith("Not seen"):
        said.append(blind)
    return give(question, context, " ".join(said), "answered")


def _line(one: Subject, cited: Citations) -> str:
    first = one.occurrences[0]
    keys = cite(cited, one.signal, one.occurrences, most=1)
    often = ""
    if 1 < len(one.occurrences) <= MOST_CLOCKS:
        _, *later = dict.fromkeys(f"{instant(each.start_s):%a %H:%MZ}" for each in one.occurrences)
        often = f", again {', '.join(later)}" if later else ""
    elif len(one.occurrences) > MOST_CLOCKS:
        often = f", {times(len(one.occurrences))}"
    step = f" (step {one.step.id})" if one.step else ""
    told = f"{noun(one.signal.kind)} of {one.signal.entity}" if one.signal.kind in _VAGUE else happened(one.signal)
    if one.signal.kind is Kind.HUMAN_CHANGE and first.note:
        told = f"{one.signal.entity.name} said: “{first.note}”"
    return f"{clock_s(first.start_s)} {told}{often}{step}" + (f" [{keys[0]}]" if keys else "")


def _searched(question: Question, context: FollowUpContext) -> Answer:
    found = context.search(question.quoted[0], context.window.start, context.window.end, 3)
    cited = Citations(context.evidence)
    for hit in found.hits[:3]:
        cited.cite(hit.id)
    text = f"“{question.quoted[0]}” stands in {counted(found.total, 'place')} of this case."
    return give(question, context, text, "answered" if found.total else "unknown", cited)


def _when_next(question: Question, context: FollowUpContext) -> Answer:
    root = context.report.root_cause
    if question.entities and (root is None or root.entity not in question.entities):
        named = next_run(question, context)
        if named is not None:
            return named
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
    text = f"{part.summary.rstrip('.')}. To the second: {_second(part.at)}, between {_second(part.window[0])} and {_second(part.window[1])}."
    if part.status != "pending":
        came = "it came" if part.status == "confirmed" else "it did not come"
        text = f"I predicted it for {_second(part.at)}, and {came}. Ask for a new investigation to have the next time."
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
        shown = ", ".join(f"[{cited.add(entry)}]" + (f" {clock(entry.at)}" if entry.at else "") for entry in entries)
        facts = f" Settings: {'; '.join(step.facts)}." if step.facts and len(chosen) == 1 else ""
        came = _came(step, context.report) if len(chosen) == 1 else ""
        parts.append(f"{step.id} {step.summary.rstrip('.')}: {shown or 'nothing cited'}.{came}{facts}")
    return give(question, context, " ".join(parts), "answered", cited)


def _came(step: Step, report: Report) -> str:
    """Say what led to a step, with its numbers."""
    link = next((link for link in report.cascade.links if link.effect == step.id), None)
    if link is None:
        return ""
    count = counted(link.hits + link.misses, "time")
    return f" It followed {link.cause} {link.hits} of {count}, {lag_words(link.lag, link.resolution_s)} ({p_words(link.p_value)})."


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
        effect = part.effect.rstrip(".")
        effect = f" It {effect}." if effect.startswith("would") else f" {effect}." if effect else ""
        why = f" Why: {part.rationale.rstrip('.')}." if number == 1 and part.rationale else ""
        parts.append(f"{number}. {part.summary.rstrip('.')}.{why}{effect}")
    first = (advice[0].change or "").strip()
    if first and "\n" not in first:
        parts.append(f"To review and run for 1: {first}")
    return give(question, context, " ".join(parts), "answered")


def _how_sure(question: Question, context: FollowUpContext) -> Answer:
    report = context.report
    text = f"Confidence is {report.confidence}, the verdict {report.verdict.replace('_', ' ')}."
    text += (
        f" What holds it down: {'; '.join(reason.rstrip('.') for reason in report.reasons[:4])}."
        if report.reasons
        else ""
    )
    if report.symptom:
        episodes = report.symptom.explained + report.symptom.unexplained
        text += f" The cascade accounts for {report.symptom.explained} of {counted(episodes, 'episode')}."
    passed = sum(part.verdict == "passed" for part in report.control_questions)
    if report.control_questions:
        text += f" {passed} of {counted(len(report.control_questions), 'control question')} passed."
    order = [step.id for step in report.cascade.steps]
    main = [link for link in report.cascade.links if (link.cause, link.effect) in set(pairwise(order))]
    if links := main or report.cascade.links:
        weakest = min(
            links,
            key=lambda link: (
                link.status == "supported",
                link.hits / max(1, link.hits + link.misses + link.unexplained),
                -(link.p_value if link.p_value is not None else 1),
            ),
        )
        count = counted(weakest.hits + weakest.misses, "time")
        text += f" The weakest link is {weakest.cause}→{weakest.effect}: {weakest.status}, {weakest.hits} of {count} ({p_words(weakest.p_value)})."
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
        else f"Every source in the export was read to the end: {', '.join(row.source for row in report.coverage)}. "
        "What none of them records, such as traces or other namespaces, I cannot know."
    )


def _summary(question: Question, context: FollowUpContext) -> Answer:
    report = context.report
    if (question.kinds or question.entities) and (chosen := _asked_steps(question, context)):
        named = [step for step in chosen if step.mechanism in question.kinds] or chosen
        if step := next((step for step in named if step != report.cascade.steps[-1]), None):
            return _explained(question, context, step)
    cited = Citations(context.evidence)
    for step in (*report.cascade.steps[:1], *report.cascade.steps[-1:]):
        for key in step.evidence[:1]:
            if key in report.evidence:
                cited.add(report.evidence[key])
    return give(question, context, f"{report.summary} Confidence: {report.confidence}.", "answered", cited)


def _explained(question: Question, context: FollowUpContext, step: Step) -> Answer:
    """Say why one step came about: what led to it, and the settings that let it."""
    cited = Citations(context.evidence)
    for key in step.evidence[:2]:
        if key in context.report.evidence:
            cited.add(context.report.evidence[key])
    facts = f" Settings: {'; '.join(step.facts)}." if step.facts else ""
    first = "" if _came(step, context.report) else " It is where the cascade begins."
    text = f"{step.summary.rstrip('.')} ({step.id}).{_came(step, context.report)}{first}{facts}"
    return give(question, context, text, "answered", cited)


def _not_understood(question: Question, context: FollowUpContext) -> Answer:
    ways = "was X related? · what happened at …? · since when? · when next? · why not Y? · evidence for step 2? · what would fix it? · how sure are you? · what did you not see?"
    return give(question, context, f"I do not understand that. I can answer: {ways}", "unknown")


def _how_much(question: Question, context: FollowUpContext) -> Answer:
    """Count the symptom; where the question names a time or another kind of event, tell that instead."""
    steps = context.report.cascade.steps
    felt = {Kind(step.mechanism) for step in steps[-1:] if step.mechanism in set(Kind)} | {Kind.SERVER_ERROR}
    other = question.moments or (question.kinds and not question.kinds & felt)
    return _what_happened(question, context) if other else how_much(question, context)


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
    "since_when": since_when,
    "how_much": _how_much,
    "setting": setting,
    "unknown": _not_understood,
}
