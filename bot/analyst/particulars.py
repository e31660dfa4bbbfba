"""Answers to short questions about one particular: who did it, which version, what ran on that node, who calls it, did it help.

They come from the measured signals, the topology and the cited items; what those do not hold is said to be unknown.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from bot.analyst.answers import cite, give, holds
from bot.analyst.citations import Citations
from bot.analyst.happenings import line_of, what_happened
from bot.analyst.questions import Question
from bot.analyst.rivals import LASTING, NOTABLE
from bot.analyst.shown import cut, summary
from bot.analyst.subjects import FollowUpContext, Subject, step_of, subjects, symptom_signal
from bot.analyst.words import capital, clock, clock_s, counted, every, names_of, noun
from bot.analyst.written import asks_whose, written
from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.report import Answer
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import length
from bot.domain.window import Window

MOST = 5
"""Things that are named; of more only how many there are."""
LOOK_BACK_S = 21_600.0
"""How long before the beginning is looked at for what stood there."""
CHANGES = LASTING | {Kind.HUMAN_CHANGE}
_IMAGE = re.compile(r'(?:"image":\s*"|\bimage "?)(?P<name>[\w][\w./-]*(?::[\w.-]+)?(?:@sha256:[0-9a-f]{8})?)')
_TREND = re.compile(
    r"\b(?:worse|better|more often|more frequent|rarer|over time|trend|compar\w+|versus|vs)\b", re.IGNORECASE
)
_PRONOUN = re.compile(r"\b(?:it|this|that|them|these|those)\b", re.IGNORECASE)


def who(question: Question, context: FollowUpContext) -> Answer:
    """Tell who said to have done it; where nobody did, what was done and what the record says of its author."""
    if asks_whose(question) and (told := written(question, context)) is not None:
        return told
    root = context.report.root_cause
    if root and not (question.entities or question.moments) and _PRONOUN.search(question.text):
        question = replace(question, entities=(root.entity,))
    people = subjects(replace(question, kinds=frozenset({Kind.HUMAN_CHANGE}), ranked=()), context)
    people = [one for one in people if one.signal.kind is Kind.HUMAN_CHANGE]
    if people and not question.entities and not question.moments and not any(_fits(one, question) for one in people):
        cited = Citations(context.evidence)
        lines = "; ".join(line_of(one, cited) for one in people[:MOST])
        text = f"Nobody said so in the chat or a ticket. What people said to have changed: {lines}."
        return give(question, context, text, "unknown", cited)
    if people or not question.entities:
        asked = replace(question, kinds=frozenset({Kind.HUMAN_CHANGE}) if people else question.kinds)
        return what_happened(asked, context) or summary(question, context)
    names = names_of(question.entities)
    done = [
        one for one in subjects(replace(question, kinds=frozenset(), ranked=()), context) if one.signal.kind in CHANGES
    ]
    said = f"Nobody said in the chat or a ticket to have changed {names}"
    if not done:
        return give(question, context, f"{said}, and no change of it was seen.", "unknown")
    cited = Citations(context.evidence)
    lines = "; ".join(f"{line_of(one, cited)}{_note(one)}" for one in done[:MOST])
    return give(question, context, f"{said}. What was seen of it: {lines}.", "answered", cited)


def _note(one: Subject) -> str:
    notes = dict.fromkeys(
        cut(each.note) for each in one.occurrences[-2:] if each.note and each.note != one.signal.label
    )
    return f" ({'; '.join(notes)})" if notes else ""


def version(question: Question, context: FollowUpContext) -> Answer:
    """Tell which version or image was brought out, of what is named, else of the cascade."""
    kinds = frozenset({Kind.ROLLOUT, Kind.IMAGE_PULL_FAILURE, Kind.ROLLOUT_STUCK})
    asked = replace(question, kinds=kinds, ranked=tuple(sorted(kinds)), quoted=())
    found = subjects(asked, context)
    places = {step.entity for step in context.report.cascade.steps}
    if not question.entities:
        found = [one for one in found if context.topology.root(one.signal.entity) in places]
    cited = Citations(context.evidence)
    said = [f"{line_of(one, cited)}{_note(one)}{_images(one, context)}" for one in found[:MOST]]
    if not said:
        where = f" of {names_of(question.entities)}" if question.entities else " on the cascade"
        return give(question, context, f"No rollout{where} was seen, so no version came with it.", "unknown")
    return give(question, context, f"{'; '.join(said)}.", "answered", cited)


def _images(one: Subject, context: FollowUpContext) -> str:
    refs = [ref for each in one.occurrences[-2:] for ref in each.refs]
    found = dict.fromkeys(image for ref in refs for image in _images_in(ref, context))
    return f", image {', '.join(list(found)[:2])}" if found else ""


def _images_in(ref: ItemId, context: FollowUpContext) -> Iterable[str]:
    item = context.evidence.item(ref)
    text = item.raw.decode("utf-8", "replace").replace('\\"', '"') if item else ""
    return [match["name"] for match in _IMAGE.finditer(text) if ":" in match["name"] or "/" in match["name"]]


def callers(question: Question, context: FollowUpContext) -> Answer:
    """Tell who calls a thing and whom it calls, as logs and specs show it; without a name, of where it began."""
    root = context.report.root_cause
    asked = set(question.entities) or ({root.entity} if root else set())
    asked |= {context.topology.root(entity) for entity in asked}
    calls = sorted(context.topology.calls)
    by = _names(caller for caller, callee in calls if callee in asked)
    to = _names(callee for caller, callee in calls if caller in asked)
    names = names_of(tuple(asked)) if asked else "that"
    said = []
    if by:
        said.append(f"{names} is called by {_listed(by)}")
    if to:
        said.append(f"{names} calls {_listed(to)}")
    if not said:
        return give(question, context, f"No call to or from {names} was seen. {holds(context)}", "unknown")
    return give(question, context, f"{'; '.join(said)}, as far as logs and specs show it.", "answered")


def pods_on(question: Question, context: FollowUpContext) -> Answer:
    """Tell which workloads had pods on a node, at the time it failed where it did."""
    nodes = {entity for entity in question.entities if entity.kind == "Node"}
    failed = [one for one in context.signals if one.kind is Kind.NODE_FAILURE and one.occurrences]
    steps = {step.entity for step in context.report.cascade.steps if step.entity.kind == "Node"}
    if not nodes or len(nodes) > 1:
        nodes = steps or {one.entity for one in failed if one.entity.kind == "Node"} or nodes
    if len(nodes) != 1:
        return give(question, context, "Say which node you mean, by its name.", "unknown")
    (node,) = nodes
    at_s = next((one.occurrences[0].start_s for one in failed if one.entity == node), None)
    there = {
        str(workload): sum(
            node.name in life.nodes and (at_s is None or life.start_s <= at_s <= life.end_s) for life in lives.values()
        )
        for workload, lives in context.topology.pods.items()
    }
    named = [f"{name} ({counted(count, 'pod')})" for name, count in sorted(there.items()) if count]
    when = f" at {clock_s(at_s)}" if at_s else ""
    if not named:
        return give(question, context, f"No pod is known to have run on {node.name}{when}.", "unknown")
    return give(question, context, f"On {node.name}{when}, as far as is known: {_listed(named)}.", "answered")


def before(question: Question, context: FollowUpContext) -> Answer:
    """Tell how it was before the beginning: how many episodes, and what stood there in the hours before."""
    steps, felt = context.report.cascade.steps, context.report.symptom
    if felt is None or not felt.episodes:
        return give(question, context, "No symptom was found in this case, so there is no before and after.", "unknown")
    first = steps[0].first_at if steps and steps[0].first_at < felt.episodes[0].start else felt.episodes[0].start
    what = f"{steps[0].id} ({clock(first)})" if steps else f"the first episode ({clock(first)})"
    span_s = (first - context.window.start).total_seconds()
    if span_s < 60:
        text = f"The window begins with {what}: what was before it is not in this case."
        return give(question, context, text, "unknown")
    sooner = sum(each.start < first for each in felt.episodes)
    text = f"Before {what} the window shows {length(span_s)} with {counted(sooner, 'episode') if sooner else 'no episode'}."
    near = [
        Subject(signal=one, occurrences=inside, step=step_of(one, context))
        for one in context.signals
        if one.kind in NOTABLE
        if (inside := tuple(o for o in one.occurrences if -LOOK_BACK_S <= o.start_s - first.timestamp() < 0))
    ]
    near.sort(key=lambda one: (-one.occurrences[-1].start_s, one.signal.id))
    cited = Citations(context.evidence)
    if near:
        text += f" In the {length(LOOK_BACK_S)} before it: {'; '.join(line_of(one, cited) for one in near[:3])}."
    return give(question, context, text, "answered", cited)


def helped(question: Question, context: FollowUpContext) -> Answer:
    """Tell whether the symptom came again after something that somebody did."""
    symptom = symptom_signal(context)
    kinds = question.kinds | {Kind.HUMAN_CHANGE}
    found = [one for one in subjects(replace(question, kinds=kinds, ranked=()), context) if one.occurrences]
    found.sort(key=lambda one: (one.signal.kind is not Kind.HUMAN_CHANGE, one.step is not None, one.signal.id))
    found = [one for one in found if _fits(one, question)]
    if symptom is None or not found:
        return give(question, context, "I find nothing of that kind that somebody did in this window.", "unknown")
    cited = Citations(context.evidence)
    said = []
    for one in found[:2]:
        keys = "".join(f" [{key}]" for key in cite(cited, one.signal, one.occurrences, most=1))
        at_s = one.occurrences[-1].start_s
        later = [felt.start_s for felt in symptom.occurrences if felt.start_s > at_s]
        name = f"what {one.signal.entity.name} did" if one.signal.kind is Kind.HUMAN_CHANGE else _named(one.signal)
        note = f": “{one.occurrences[-1].note}”" if one.signal.kind is Kind.HUMAN_CHANGE else ""
        came = (
            f"{counted(len(later), 'episode')} came after it, the next {length(later[0] - at_s)} later"
            if later
            else "no episode came after it in this window"
        )
        said.append(f"{capital(name)} ({clock_s(at_s)}{note}): {came}{keys}.")
    return give(question, context, " ".join(said), "answered", cited)


def _fits(one: Subject, question: Question) -> bool:
    """Tell whether what somebody said to have done is of the kind asked about, by the words for it."""
    if one.signal.kind is not Kind.HUMAN_CHANGE or not question.kinds:
        return True
    stems = {word[:6] for word in re.findall(r"[a-z]{5,}", question.text.lower())} - {"change"}
    return not stems or any(stem in each.note.lower() for each in one.occurrences for stem in stems)


def _named(signal: Signal) -> str:
    return f"the {noun(signal.kind).removeprefix('an ').removeprefix('a ')} of {signal.entity.name}"


def rhythm(question: Question, context: FollowUpContext) -> Answer:
    """Tell whether the symptom keeps a rhythm: a period, a time of day, or neither."""
    felt = context.report.symptom
    if felt is None or not felt.episodes:
        return give(question, context, "No symptom was found in this case, so there is no pattern to see.", "unknown")
    starts = [each.start for each in felt.episodes]
    if _TREND.search(question.text):
        days = Counter(at.date() for at in starts)
        lines = Counter({day: sum(each.count for each in felt.episodes if each.start.date() == day) for day in days})
        told = ", ".join(
            f"{day:%a %d %b} {counted(days[day], 'episode')} ({lines[day]:,})" if days[day] else f"{day:%a %d %b} none"
            for day in _days_of(context.window)
        )
        return give(
            question, context, f"By day (UTC) of their beginning, with what was counted in them: {told}.", "answered"
        )
    if len(starts) < 3:
        return give(question, context, f"{counted(len(starts), 'episode')} alone show no pattern.", "answered")
    root = next((one for one in context.signals if (step := step_of(one, context)) and step.id == "S1"), None)
    symptom = symptom_signal(context)
    said = [f"{counted(len(starts), 'episode')} on {counted(len({at.date() for at in starts}), 'day')}"]
    hours = sorted(at.hour + at.minute / 60 for at in starts)
    gap, after = max((later - sooner, later) for sooner, later in zip([hours[-1] - 24, *hours], hours, strict=False))
    until = max(hour for hour in (*hours, *(each - 24 for each in hours)) if hour <= after - gap + 1e-9) % 24
    if gap >= 8:
        said.append(f"all begun between {_clock_of(after)} and {_clock_of(until)} UTC")
    else:
        said.append("begun at all hours of the day")
    period = next((one.period_s for one in (symptom, root) if one is not None and one.period_s), None)
    if root is not None and root.period_s:
        said.append(f"their cause came{every(root.period_s)}")
    elif period:
        said.append(f"they came{every(period)}")
    else:
        waits = sorted((later - sooner).total_seconds() for sooner, later in pairwise(starts))
        said.append(f"no period: between {length(waits[0])} and {length(waits[-1])} lie between two")
    return give(question, context, f"{'; '.join(said)}.", "answered")


def _days_of(window: Window) -> list[date]:
    """List the days of a window that it holds more than a minute of."""
    first, last = window.start.date(), (window.end - timedelta(minutes=1)).date()
    return [first + timedelta(days=at) for at in range((last - first).days + 1)]


def _clock_of(hour: float) -> str:
    return f"{int(hour):02d}:{round(hour % 1 * 60) % 60:02d}"


def _names(entities: Iterable[Entity]) -> list[str]:
    return list(dict.fromkeys(str(entity) for entity in sorted(entities)))


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + rest
