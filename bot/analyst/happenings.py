"""Answers "what happened?": to whom, when, and what stands nearest where nothing did."""

import re
from dataclasses import replace

from bot.analyst.answers import cite, give, kinds_asked, places_asked
from bot.analyst.citations import Citations
from bot.analyst.doubts import not_seen_words
from bot.analyst.occasions import means_symptom
from bot.analyst.questions import Question
from bot.analyst.steady import steady
from bot.analyst.subjects import FollowUpContext, Subject, subjects, symptom_signal
from bot.analyst.times import Moment
from bot.analyst.vocabulary import kinds_in
from bot.analyst.words import clock, clock_s, counted, happened, noun, times
from bot.analyst.written import written
from bot.domain.report import Answer
from bot.domain.signal import Kind
from bot.domain.window import instant

LONGEST_TIMELINE = 8
MOST_CLOCKS = 5
"""Times of one thing that are all told; of more only how many they are."""
LOOK_BACK_S = 86_400.0
"""How far "before the first error" reaches back: what changes at most takes a day to be felt."""
BEFORE = re.compile(r"\bbefore (?!or\b)(?:the )?(?P<which>first|last)?\s*(?P<what>[\w -]{2,40})", re.IGNORECASE)
_BEFORE_IT = re.compile(r"\bbefore(?: (?:it|that|this|then))?\W*$", re.IGNORECASE)
"""Before what people felt."""
_VAGUE = {Kind.LOG_BURST, Kind.LOG_ERROR, Kind.RESOURCE_SHIFT, Kind.ALERT}


def what_happened(question: Question, context: FollowUpContext) -> Answer | None:
    """Tell what happened to whom and when; None where the question names nothing."""
    question = _before(question, context)
    if not (question.moments or question.entities or question.kinds):
        return _searched(question, context) if question.quoted else None
    found = subjects(question, context)
    found = [one for one in found if any(word[:3] in one.signal.label for word in question.symptom_words)] or found
    if not found:
        return _nothing(question, context)
    shown = sorted(telling(found), key=lambda one: (one.occurrences[0].start_s, one.signal.id))
    cited = Citations(context.evidence)
    lines = "; ".join(line_of(one, cited) for one in shown)
    rest = f"; and {counted(len(found) - len(shown), 'lesser signal')}" if len(found) > len(shown) else ""
    meant = question.kinds | {Kind.HUMAN_CHANGE}
    other = kinds_asked(question) and not any(one.signal.kind in meant for one in found)
    lead = f"No {kinds_asked(question)}{' then' if question.moments else ''}; the nearest to it: " if other else ""
    return give(question, context, f"{lead}{lines}{rest}.", "answered", cited)


def _before(question: Question, context: FollowUpContext) -> Question:
    """Read "before the first error", "before the last outage" as the time before it; what the words name then is the end, not the subject."""
    asked = BEFORE.search(question.text)
    if question.moments:
        return question
    if asked is None:
        return _before_it(question, context)
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


def _before_it(question: Question, context: FollowUpContext) -> Question:
    """Read a bare "before?" as the time before the symptom was first felt."""
    signal, asked = symptom_signal(context), _BEFORE_IT.search(question.text)
    if (
        asked is None
        or signal is None
        or not signal.occurrences
        or signal.occurrences[0].start_s <= context.window.start_s
    ):
        return question
    end = instant(signal.occurrences[0].start_s - 1)
    return replace(question, moments=(Moment(start=context.window.start, end=end, words=asked[0]),))


def telling(found: list[Subject]) -> list[Subject]:
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
    if not question.moments and (told := steady(question, context) or written(question, context)) is not None:
        return told
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
        said.append(f"What was seen{where}: {'; '.join(line_of(one, cited) for one in there[:3])}.")
    return give(question, context, " ".join(said), "answered", cited)


def line_of(one: Subject, cited: Citations) -> str:
    """Tell one signal in a clause: when first, what, how often, which step, and the citation."""
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
