"""Answers a follow-up question from the case alone, with the lines that show it.

Every intent has one function. What the case cannot tell is said to be unknown, together with what the case does hold.
Left out: anything about the world beyond the case, and any new hypothesis.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from bot.analyst.answers import give, holds
from bot.analyst.citations import Citations
from bot.analyst.closing import can_close
from bot.analyst.doubts import falsify, how_sure, missing_words, not_seen
from bot.analyst.ending import ended
from bot.analyst.everyday import foreign_language
from bot.analyst.happenings import MOST_CLOCKS, line_of, telling, what_happened
from bot.analyst.next_steps import next_steps
from bot.analyst.occasions import occasions
from bot.analyst.particulars import before, callers, helped, pods_on, rhythm, version, who
from bot.analyst.plain_facts import affected, how_much, next_run, setting, since_when
from bot.analyst.questions import Intent, Question, understand
from bot.analyst.relation import related, why_not
from bot.analyst.shorthand import expanded
from bot.analyst.shown import show_evidence, summary
from bot.analyst.subjects import FollowUpContext, Subject, step_of, subjects
from bot.analyst.thread import in_thread
from bot.analyst.time_words import UNCLEAR_ZONE
from bot.analyst.undoing import undoing
from bot.analyst.what_if import what_if
from bot.analyst.words import capital, clock, counted
from bot.domain.report import Answer
from bot.domain.signal import Kind
from bot.domain.window import rfc3339

__all__ = ["FollowUpContext", "answer"]

WAYS = (
    "I can answer: was X related? · what happened at …? · since when? · when next? · why not Y? · evidence for step 2? · "
    "what would fix it? · how sure are you? · what did you not see?"
)
_BY_NAME: frozenset[Intent] = frozenset({"related", "what_happened", "when_next", "why_not"})
"""Intents that an unknown name leaves without a subject."""


def answer(text: str, context: FollowUpContext, tz: tzinfo = UTC) -> Answer:
    """Answer a follow-up question; never raises for a question, whatever it is."""
    names = {part for thing in context.things for part in (thing.name.lower(), (thing.namespace or "").lower())}
    names |= {signal.entity.name.lower() for signal in context.signals}

    def understood(words: str) -> Question:
        return understand(
            expanded(words, names),
            window=context.window,
            signals=context.signals,
            report=context.report,
            tz=tz,
            others=context.things,
        )

    if refused := _not_to_be_read(text, understood(text), context, names):
        return refused
    question = in_thread(understood(text), context.earlier, understood)
    return replace(
        undoing(question, context) or what_if(question, context) or _answered(question, context), question=text
    )


def _answered(question: Question, context: FollowUpContext) -> Answer:
    if question.intent in {"when_next", "fix"}:
        question = replace(question, moments=())  # what is to come, or to be done, lies outside every case
    span = (context.window.start_s, context.window.end_s - 1e-6)
    if question.moments and not any(moment.overlaps(*span) for moment in question.moments):
        asked = question.moments[0]
        words = f"“{asked.words}” ({clock(asked.start)} to {clock(asked.end)}) lies outside this case."
        return give(question, context, f"{words} {holds(context)}", "unknown")
    counts = question.intent in {"how_much", "since_when"} and question.kinds
    if question.unknown_names and (counts or question.intent in _BY_NAME):
        return _unknown_name(question, context)
    return _ANSWERS[question.intent](question, context)


def _not_to_be_read(text: str, question: Question, context: FollowUpContext, names: set[str]) -> Answer | None:
    """Say so where a question is in another language, or its time in a zone that may be two."""
    question = replace(question, text=text)
    if not question.quoted and (language := foreign_language(text, names)):
        return give(question, context, f"This looks like {language}; I understand English only. {WAYS}", "unknown")
    if question.moments and (zone := UNCLEAR_ZONE.search(text)):
        words = (
            f"{zone['name'].upper()} is the name of more than one zone: write the offset instead, as in 14:00 UTC+8."
        )
        return give(question, context, words, "unknown")
    return None


def _unknown_name(question: Question, context: FollowUpContext) -> Answer:
    """Say that a name is no known thing; where it is written somewhere, show where."""
    name, lost = question.unknown_names[0], missing_words(context.report)
    if noted := [one for one in context.signals if any(name in each.note.lower() for each in one.occurrences)]:
        cited = Citations(context.evidence)
        named = [Subject(signal=one, occurrences=one.occurrences, step=step_of(one, context)) for one in noted]
        lines = "; ".join(line_of(one, cited) for one in telling(named)[:MOST_CLOCKS])
        return give(question, context, f"“{name}” is named where these were noted: {lines}.", "answered", cited)
    found = context.search(name, context.window.start, context.window.end, 2)
    if not found.total:
        words = f"Nothing called “{name}” appears in this case. {holds(context)}{lost}"
        return give(question, context, words, "unknown")
    cited = Citations(context.evidence)
    for hit in found.hits[:2]:
        cited.cite(hit.id)
    text = f"“{name}” is nothing this case measured. The word stands in {counted(found.total, 'place')}, which proves nothing either way.{lost}"
    return give(question, context, text, "unknown", cited)


def _what_happened(question: Question, context: FollowUpContext) -> Answer:
    return what_happened(question, context) or summary(question, context)


def _when_next(question: Question, context: FollowUpContext) -> Answer:
    root = context.report.root_cause
    if question.entities and (root is None or root.entity not in question.entities):
        named = next_run(question, context)
        if named is not None:
            return named
        if not {step.entity for step in context.report.cascade.steps} & set(question.entities):
            names = " or ".join(sorted({entity.name for entity in question.entities})[:2])
            return give(
                question, context, f"I cannot say: {names} follows no schedule or period that was seen.", "unknown"
            )
    pending = [part for part in context.report.predictions if part.status == "pending"] or list(
        context.report.predictions
    )
    if not pending and root is not None and (run := next_run(replace(question, entities=(root.entity,)), context)):
        steps = context.report.cascade.steps
        count = f", as it did {steps[0].count} times" if steps and steps[0].count > 1 else ""
        return replace(run, answer=f"{run.answer.rstrip('.')}. What it brings along may follow{count}.")
    if not pending:
        reason = (
            "its cause follows no schedule that was seen" if context.report.root_cause else "no cause was established"
        )
        words = f"I cannot say: {reason}, so nothing can be predicted from this case.{missing_words(context.report)}"
        return give(question, context, words, "unknown")
    part = min(pending, key=lambda one: one.at)
    text = f"{part.summary.rstrip('.')}. To the second: {_second(part.at)}, between {_second(part.window[0])} and {_second(part.window[1])}."
    if part.status != "pending":
        came = "it came" if part.status == "confirmed" else "it did not come"
        text = f"I predicted it for {_second(part.at)}, and {came}. Ask for a new investigation to have the next time."
    return give(question, context, text, "answered")


def _second(at: datetime) -> str:
    return rfc3339(at.replace(microsecond=0))


def _fix(question: Question, context: FollowUpContext) -> Answer:
    advice = context.report.recommendations
    if not advice and context.report.verdict != "cause_found":
        return next_steps(question, context)
    if not advice:
        text = f"This case recommends nothing: no known change mends {context.report.root_cause.mechanism.replace('_', ' ') if context.report.root_cause else 'it'}."
        return give(question, context, text, "unknown")
    parts = [_beside_the_point(question, context)] if question.entities else []
    for number, part in enumerate(advice[:3], 1):
        effect = part.effect.rstrip(".")
        effect = f" It {effect}." if effect.startswith("would") else f" {capital(effect)}." if effect else ""
        why = f" Why: {part.rationale.rstrip('.')}." if number == 1 and part.rationale else ""
        parts.append(f"{number}. {part.summary.rstrip('.')}.{why}{effect}")
    first = (advice[0].change or "").strip()
    if first and "\n" not in first:
        parts.append(f"To review and run for 1: {first}")
    return give(question, context, " ".join(part for part in parts if part), "answered")


def _beside_the_point(question: Question, context: FollowUpContext) -> str:
    """Say that a change was asked about at something that has no part in the cascade."""
    found = subjects(question, context) or subjects(replace(question, kinds=frozenset(), ranked=()), context)
    places = {step.entity for step in context.report.cascade.steps}
    if any(one.step for one in found) or places & set(question.entities):
        return ""
    return f"{' and '.join(sorted({entity.name for entity in question.entities})[:2])} is no part of the cascade."


def _not_understood(question: Question, context: FollowUpContext) -> Answer:
    return give(question, context, f"I do not understand that. {WAYS}", "unknown")


def _since_when(question: Question, context: FollowUpContext) -> Answer:
    """Tell when it was: of what the question names, else of the symptom."""
    return occasions(question, context) or (
        _what_happened(question, context) if question.entities or question.moments else since_when(question, context)
    )


def _how_much(question: Question, context: FollowUpContext) -> Answer:
    """Count the symptom; where the question names a time or another kind of event, tell that instead."""
    if not question.moments and (told := occasions(question, context)):
        return told
    steps = context.report.cascade.steps
    felt = {Kind(step.mechanism) for step in steps[-1:] if step.mechanism in set(Kind)} | {Kind.SERVER_ERROR}
    other = question.moments or (question.kinds and not question.kinds & felt)
    return _what_happened(question, context) if other else how_much(question, context)


def _guess(question: Question, context: FollowUpContext) -> Answer:
    """Give the answer; where none was established, the leads, which are said not to be one."""
    return next_steps(question, context) if context.report.verdict == "inconclusive" else summary(question, context)


def _setting(question: Question, context: FollowUpContext) -> Answer:
    """Give settings of the report; of a thing that it rests no setting on, what was seen of it."""
    told = setting(question, context)
    seen = what_happened(question, context) if told.verdict == "unknown" and question.entities else None
    return seen or told


_ANSWERS: dict[Intent, Callable[[Question, FollowUpContext], Answer]] = {
    "related": related,
    "what_happened": _what_happened,
    "when_next": _when_next,
    "why_not": why_not,
    "show_evidence": show_evidence,
    "fix": _fix,
    "how_sure": how_sure,
    "falsify": falsify,
    "not_seen": not_seen,
    "affected": affected,
    "summary": summary,
    "since_when": _since_when,
    "how_much": _how_much,
    "setting": _setting,
    "version": version,
    "callers": callers,
    "pods_on": pods_on,
    "before": before,
    "helped": helped,
    "rhythm": rhythm,
    "who": who,
    "guess": _guess,
    "close": can_close,
    "ended": ended,
    "unknown": _not_understood,
}
