"""Answers when, how often, first and last for what a question names, rather than for the symptom. Times come from the signals."""

from dataclasses import replace

from bot.analyst.answers import cite, give
from bot.analyst.citations import Citations
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext, Subject, subjects, symptom_signal
from bot.analyst.vocabulary import WIDER
from bot.analyst.words import capital, clock_s, counted, every, happened
from bot.domain.report import Answer
from bot.domain.signal import Kind
from bot.domain.spelling import length

MOST = 3
"""Things that are told one by one; of more only how many they are."""
MOST_CLOCKS = 6
"""Times that are all told."""


def occasions(question: Question, context: FollowUpContext) -> Answer | None:
    """Tell first time, last time and number of what a question names; None where it means the symptom, or names nothing seen."""
    if not (question.kinds or question.entities) or means_symptom(question, context):
        return None
    found = [one for one in subjects(question, context) if one.signal.occurrences]
    if not found:
        return None
    chosen = _nearest(question, found)
    chosen += _seen_wider(question, context, chosen)
    cited = Citations(context.evidence)
    lines = [_line(one, cited) for one in chosen[:MOST]]
    rest = f" And {counted(len(chosen) - MOST, 'thing')} more of that kind." if len(chosen) > MOST else ""
    return give(question, context, f"{_all(chosen)}{' '.join(lines)}{rest}", "answered", cited)


def means_symptom(question: Question, context: FollowUpContext) -> bool:
    """Tell whether "the errors", "the outage" is the symptom itself: its kind, and no place but its own."""
    symptom = context.report.symptom
    signal = symptom_signal(context)
    felt = {Kind.SERVER_ERROR, Kind.UNAVAILABLE} | ({signal.kind} if signal else set())
    places = {symptom.entity} if symptom else set()
    if question.entities and not set(question.entities) & places:
        return False
    return bool(question.kinds & felt) or (not question.kinds and bool(question.entities))


def _nearest(question: Question, found: list[Subject]) -> list[Subject]:
    """Keep what is nearest to the question's words; of a thing without a kind, what people suspect of it first."""
    if not question.kinds:
        return found[:1]
    rank = {kind: place for place, kind in enumerate(question.ranked)}
    best = min(rank.get(one.signal.kind, len(rank)) for one in found)
    return [one for one in found if rank.get(one.signal.kind, len(rank)) == best]


def _seen_wider(question: Question, context: FollowUpContext, chosen: list[Subject]) -> list[Subject]:
    """Add what shows the same more often than its own kind does: a pod that starts again was restarted, whoever noted it."""
    if len(chosen) != 1:
        return []
    wider = frozenset(WIDER.get(chosen[0].signal.kind, ()))
    place = context.topology.root(chosen[0].signal.entity)
    asked = replace(question, kinds=wider, ranked=tuple(sorted(wider)), entities=(place,))
    more = [one for one in subjects(asked, context) if len(one.occurrences) > len(chosen[0].occurrences)]
    return more[:1] if wider else []


def _all(chosen: list[Subject]) -> str:
    """Lead with first, last and number where several things are meant."""
    if len({one.signal.kind for one in chosen}) != 1 or len(chosen) == 1:
        return ""
    starts = sorted((each.start_s, one.signal.entity.name) for one in chosen for each in one.occurrences)
    (first, where), (last, there) = starts[0], starts[-1]
    return f"{counted(len(starts), 'time')} in all, first {clock_s(first)} ({where}), last {clock_s(last)} ({there}). "


def _line(one: Subject, cited: Citations) -> str:
    starts = [each.start_s for each in one.occurrences]
    ends = one.occurrences[:1] if len(starts) == 1 else (one.occurrences[0], one.occurrences[-1])
    keys = "".join(f" [{key}]" for key in cite(cited, one.signal, tuple(ends)))
    step = f" (step {one.step.id})" if one.step else ""
    schedule = one.signal.attributes.get("schedule")
    rhythm = f"{every(one.signal.period_s)}" + (f", its schedule is {schedule}" if schedule else "")
    what = capital(happened(one.signal))
    lasted = sorted(each.end_s - each.start_s for each in one.occurrences)[len(starts) // 2]
    rhythm += f", about {length(lasted)} each" if lasted >= 1 and len(starts) > 1 else ""
    if len(starts) == 1:
        return f"{what} once, {clock_s(starts[0])}{step}{rhythm}{keys}."
    if len(starts) <= MOST_CLOCKS:
        return f"{what} {counted(len(starts), 'time')}: {', '.join(map(clock_s, starts))}{step}{rhythm}{keys}."
    single = f", {one.signal.total:,} single events" if one.signal.total > len(starts) else ""
    span = f"first {clock_s(starts[0])}, last {clock_s(starts[-1])}"
    return f"{what} {counted(len(starts), 'time')}{rhythm}{single}: {span}{step}{keys}."
