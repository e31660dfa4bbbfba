"""Answers a follow-up question from the case alone, with the lines that show it.

Every intent has one function. What the case cannot tell is said to be unknown, together with what the case does hold.
Left out: anything about the world beyond the case, and any new hypothesis.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from bot.analyst.answers import cite, give, holds, kinds_asked, places_asked
from bot.analyst.citations import Citations
from bot.analyst.doubts import falsify, how_sure, missing_words, not_seen, not_seen_words
from bot.analyst.everyday import foreign_language
from bot.analyst.next_steps import next_steps
from bot.analyst.occasions import means_symptom, occasions
from bot.analyst.plain_facts import affected, how_much, next_run, setting, since_when
from bot.analyst.questions import Intent, Question, understand
from bot.analyst.relation import related, why_not
from bot.analyst.subjects import FollowUpContext, Subject, step_of, subjects, symptom_signal
from bot.analyst.thread import in_thread
from bot.analyst.time_words import UNCLEAR_ZONE
from bot.analyst.times import Moment
from bot.analyst.vocabulary import kinds_in
from bot.analyst.what_if import what_if
from bot.analyst.words import capital, clock, clock_s, counted, happened, noun, p_words, times
from bot.domain.report import Answer, Report, Step
from bot.domain.signal import Kind
from bot.domain.spelling import lag_words
from bot.domain.window import instant, rfc3339

__all__ = ["FollowUpContext", "answer"]

LONGEST_TIMELINE = 8
MOST_CLOCKS = 5
"""Times of one thing that are all told; of more only how many they are."""
WAYS = (
    "I can answer: was X related? · what happened at …? · since when? · when next? · why not Y? · evidence for step 2? · "
    "what would fix it? · how sure are you? · what did you not see?"
)
LOOK_BACK_S = 86_400.0
"""How far "before the first error" reaches back: what changes at most takes a day to be felt."""
BEFORE = re.compile(r"\bbefore (?!or\b)(?:the )?(?P<which>first|last)?\s*(?P<what>[\w -]{2,40})", re.IGNORECASE)
_BY_NAME: frozenset[Intent] = frozenset({"related", "what_happened", "when_next", "why_not"})
"""Intents that an unknown name leaves without a subject."""
_VAGUE = {Kind.LOG_BURST, Kind.LOG_ERROR, Kind.RESOURCE_SHIFT, Kind.ALERT}


def answer(text: str, context: FollowUpContext, tz: tzinfo = UTC) -> Answer:
    """Answer a follow-up question; never raises for a question, whatever it is."""

    def understood(words: str) -> Question:
        return understand(
            words, window=context.window, signals=context.signals, report=context.report, tz=tz, others=context.things
        )

    question = in_thread(understood(text), context.earlier, understood)
    if told := _not_to_be_read(question, context) or what_if(question, context):
        return told
    if question.intent == "when_next":
        question = replace(question, moments=())  # what is to come lies outside every case
    span = (context.window.start_s, context.window.end_s - 1e-6)
    if question.moments and not any(moment.overlaps(*span) for moment in question.moments):
        asked = question.moments[0]
        words = f"“{asked.words}” ({clock(asked.start)} to {clock(asked.end)}) lies outside this case."
        return give(question, context, f"{words} {holds(context)}", "unknown")
    counts = question.intent in {"how_much", "since_when"} and question.kinds
    if question.unknown_names and (counts or question.intent in _BY_NAME):
        return _unknown_name(question, context)
    return _ANSWERS[question.intent](question, context)


def _not_to_be_read(question: Question, context: FollowUpContext) -> Answer | None:
    """Say so where a question is in another language, or its time in a zone that may be two."""
    names = {part for thing in context.things for part in (thing.name.lower(), (thing.namespace or "").lower())}
    if not question.quoted and (language := foreign_language(question.text, names)):
        return give(question, context, f"This looks like {language}; I understand English only. {WAYS}", "unknown")
    if question.moments and (zone := UNCLEAR_ZONE.search(question.text)):
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
        lines = "; ".join(_line(one, cited) for one in _telling(named)[:MOST_CLOCKS])
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
    question = _before(question, context)
    if not (question.moments or question.entities or question.kinds):
        return _searched(question, context) if question.quoted else _summary(question, context)
    found = subjects(question, context)
    found = [one for one in found if any(word[:3] in one.signal.label for word in question.symptom_words)] or found
    if not found:
        return _nothing(question, context)
    shown = sorted(_telling(found), key=lambda one: (one.occurrences[0].start_s, one.signal.id))
    cited = Citations(context.evidence)
    lines = "; ".join(_line(one, cited) for one in shown)
    rest = f"; and {counted(len(found) - len(shown), 'lesser signal')}" if len(found) > len(shown) else ""
    meant = question.kinds | {Kind.HUMAN_CHANGE}
    other = kinds_asked(question) and not any(one.signal.kind in meant for one in found)
    lead = f"No {kinds_asked(question)}{' then' if question.moments else ''}; the nearest to it: " if other else ""
    return give(question, context, f"{lead}{lines}{rest}.", "answered", cited)


def _before(question: Question, context: FollowUpContext) -> Question:
    """Read "before the first error", "before the last outage" as the time before it; what the words name then is the end, not the subject."""
    asked = BEFORE.search(question.text)
    if asked is None or question.moments:
        return question
    meant = replace(question, kinds=kinds_in(asked["what"])[0], ranked=())
    signal = None if means_symptom(meant, context) else next((one.signal for one in subjects(meant, context)), None)
    signal = signal or symptom_signal(context)
    if signal is None or not signal.occurrences:
        return question
    end_s = signal.occurrences[-1 if (asked["which"] or "").lower() == "last" else 0].start_s - 1
    before = Moment(start=instant(max(context.window.start_s, end_s - LOOK_BACK_S)), end=instant(end_s), words=asked[0])
    rest = kinds_in(BEFORE.sub(" ", question.text))[0]
    then = replace(question, kinds=rest, ranked=(), moments=(before,), symptom_words=())
    return then if subjects(then, context) else replace(then, kinds=frozenset(), entities=())


def _telling(found: list[Subject]) -> list[Subject]:
    """Choose what is told of much that happened: half for the cascade, half for what happens seldom, nothing vague before either."""
    steps = sorted((one for one in found if one.step), key=lambda one: (one.occurrences[0].start_s, one.signal.id))
    others = sorted(
        (one for one in found if not one.step),
        key=lambda one: (
            one.signal.kind in _VAGUE,
            len(one.signal.occurrences),
            one.occurrences[0].start_s,
            one.signal.id,
        ),
    )
    clear = sum(one.signal.kind not in _VAGUE for one in others)
    room = LONGEST_TIMELINE - min(len(steps), LONGEST_TIMELINE - min(clear, LONGEST_TIMELINE // 2))
    return [*steps[: LONGEST_TIMELINE - room], *others[:room]]


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
    if (blind := not_seen_words(context.report)).startswith("Not seen"):
        said.append(blind)
    there = (
        subjects(replace(question, kinds=frozenset(), ranked=()), context)
        if question.entities and question.kinds
        else []
    )
    cited = Citations(context.evidence)
    if there:
        said.append(f"What was seen{where}: {'; '.join(_line(one, cited) for one in there[:3])}.")
    return give(question, context, " ".join(said), "answered", cited)


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
        if not {step.entity for step in context.report.cascade.steps} & set(question.entities):
            names = " or ".join(sorted({entity.name for entity in question.entities})[:2])
            return give(
                question, context, f"I cannot say: {names} follows no schedule or period that was seen.", "unknown"
            )
    pending = [part for part in context.report.predictions if part.status == "pending"] or list(
        context.report.predictions
    )
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


def _show_evidence(question: Question, context: FollowUpContext) -> Answer:
    steps = context.report.cascade.steps
    named = question.entities or question.kinds or question.quoted
    if named and question.step_id is None and not _asked_steps(question, context):
        return _what_happened(question, context)
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


_ANSWERS: dict[Intent, Callable[[Question, FollowUpContext], Answer]] = {
    "related": related,
    "what_happened": _what_happened,
    "when_next": _when_next,
    "why_not": why_not,
    "show_evidence": _show_evidence,
    "fix": _fix,
    "how_sure": how_sure,
    "falsify": falsify,
    "not_seen": not_seen,
    "affected": affected,
    "summary": _summary,
    "since_when": _since_when,
    "how_much": _how_much,
    "setting": setting,
    "unknown": _not_understood,
}
