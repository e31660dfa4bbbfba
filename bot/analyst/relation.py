"""Answers "was it related?" and "why not that?": by the cascade first, then by testing the thing against the symptom.

A thing is unrelated only for a reason a person can check; where the numbers cannot tell, the answer is "unknown".
"""

import re
from dataclasses import replace

from bot.analyst.answers import (
    AnswerVerdict,
    cite,
    give,
    holds,
    kinds_asked,
    measured,
    notes,
    places_asked,
    step_words,
    the,
    what,
    when,
)
from bot.analyst.antecedents import antecedents
from bot.analyst.as_reported import as_reported, of_version
from bot.analyst.citations import Citations
from bot.analyst.coincidence import HORIZON_S, by_numbers
from bot.analyst.doubts import missing_words
from bot.analyst.questions import Question
from bot.analyst.rivals import LASTING
from bot.analyst.steady import steady
from bot.analyst.subjects import FollowUpContext, Subject, step_of, subjects, symptom_signal
from bot.analyst.vocabulary import ACTS_THROUGH, MISTAKEN
from bot.analyst.words import capital, counted, happened, p_words
from bot.analyst.written import written
from bot.domain.link import LinkTest
from bot.domain.report import Answer, AnswerTest, Step, StepLink
from bot.domain.signal import Kind, Occurrence, Signal
from bot.domain.spelling import lag_words, length

WAITED_FOR = frozenset(
    kind.value for kind in (Kind.IMAGE_PULL_FAILURE, Kind.MOUNT_FAILURE, Kind.QUOTA_EXCEEDED, Kind.SCHEDULING_FAILURE)
)
"""What keeps the new pods of a change from coming."""
_BLAMES = r"\b(?:is|was|are|were)\b.*\b(?:the (?:(?:root )?cause|reason|culprit)|to blame|at fault)\b(?! or\b)"
"""Asked for the cause, not for a part in it."""
_LEAK = re.compile(r"\bleak", re.IGNORECASE)


def related(question: Question, context: FollowUpContext) -> Answer:
    """Tell whether what a question points to belongs to the incident."""
    if question.quoted and not (question.kinds or question.entities):
        return _quoted(question, context)
    if not (question.kinds or question.entities or question.moments):
        return give(
            question,
            context,
            "Say what you mean: a thing, a kind of event or a time, e.g. “the restart on day 3”.",
            "unknown",
        )
    symptom = symptom_signal(context)
    every = subjects(question, context)
    off = [one for one in every if symptom is None or one.signal.id != symptom.id]
    asks_symptom = bool(every) and not question.kinds and every[0].step is not None
    found = of_version(question, every if asks_symptom else off or every, context)
    if not found:
        return _no_sign(question, context)
    root = next(
        (one for one in found if one.step and one.step.id == "S1" and one.step.entity in question.entities), None
    )
    subject = root if root is not None and not question.moments else found[0]
    others = sum(one.step is not None for one in found if one is not subject)
    if subject.step is not None:
        return _no_leak(_on_cascade(question, context, subject.step, subject), question, found)
    answer = _not_whole(_tested(question, context, subject, symptom), question, context, subject)
    if others:
        answer = replace(
            answer,
            answer=f"{answer.answer} ({counted(others, 'step')} of the cascade would fit those words, too.)",
        )
    return _no_leak(answer, question, found)


def _no_leak(answer: Answer, question: Question, found: list[Subject]) -> Answer:
    """Say beside what was seen of memory that nothing's kept growing, where a leak was asked for."""
    leaks = any(one.signal.kind is Kind.MEMORY_GROWTH for one in found)
    if leaks or Kind.MEMORY_GROWTH not in question.kinds or not _LEAK.search(question.text):
        return answer
    told = answer.answer.removeprefix("No. ").removeprefix("Yes, ")
    return replace(answer, answer=f"Not as a leak: no memory was seen to keep growing. {capital(told)}")


def _not_whole(answer: Answer, question: Question, context: FollowUpContext, subject: Subject) -> Answer:
    """Keep open whether a thing belongs to it where only one thing that happened to it was cleared and evidence is missing."""
    lost = missing_words(context.report)
    alone = bool(question.entities) and not (question.kinds or question.moments or question.quoted)
    if answer.verdict != "unrelated" or context.report.verdict != "inconclusive" or not alone or not lost:
        return answer
    cleared = answer.answer.removeprefix("No. ")
    name = subject.signal.entity.name
    return replace(answer, verdict="unknown", answer=f"I cannot tell of {name} as a whole. {cleared}{lost}")


def _tied_first(
    found: list[Subject], question: Question, context: FollowUpContext, symptom: Signal | None
) -> list[Subject]:
    """Put what the symptom follows beyond chance first where a thing alone is named and no cause was established.

    Else a thing would be cleared for the first thing that happened to it.
    """
    if context.report.verdict != "inconclusive" or question.kinds or symptom is None:
        return found
    tied = {
        link.cause
        for link in context.links
        if link.effect == symptom.id and link.test.status == "supported" and link.plausibility > 0
    }
    return sorted(found, key=lambda one: one.signal.id not in tied)


def why_not(question: Question, context: FollowUpContext) -> Answer:
    """Compare what was asked for with the root that was chosen."""
    found = subjects(question, context) if question.kinds or question.entities or question.moments else []
    symptom = symptom_signal(context)
    off = [one for one in found if one.step is None and (symptom is None or one.signal.id != symptom.id)]
    if question.unknown_names and not found:
        return give(
            question,
            context,
            f"Nothing called “{question.unknown_names[0]}” appears in this case. {holds(context)}",
            "unknown",
        )
    if found and not off:
        step = next((one.step for one in found if one.step), None)
        where = f"it is step {step.id} of the cascade" if step else "it is the symptom itself"
        return give(question, context, f"It is no alternative: {where}.", "answered")
    if not off:
        return _without_rival(question, context, asked=bool(question.kinds or question.entities))
    if symptom is None:
        return give(question, context, "No symptom was found in this case, so nothing can be compared.", "unknown")
    cited = Citations(context.evidence)
    test = context.test(off[0].signal, symptom)
    cite(cited, off[0].signal, off[0].occurrences)
    said = [f"{the(off[0].signal, len(off[0].signal.occurrences))}: {measured(test)}."]
    said.extend(_root_instead(context))
    return give(question, context, " ".join(said), "answered", cited, _answer_test(test))


def _root_instead(context: FollowUpContext) -> list[str]:
    """Set the cause that was named beside an alternative: what it led to, and how often."""
    cascade, root = context.report.cascade, context.report.root_cause
    first = next((link for link in cascade.links if cascade.steps and link.cause == cascade.steps[0].id), None)
    if root is None or first is None:
        return []
    symptom = context.report.symptom
    all_told = (
        f" and accounts for {symptom.explained} of {counted(len(symptom.episodes), 'episode')}" if symptom else ""
    )
    followed = f"{first.hits} of {first.hits + first.misses} times, {lag_words(first.lag, first.resolution_s)}"
    return [f"{root.entity} was followed by {step_words(context, first.effect)} {followed}{all_told}."]


def _no_sign(question: Question, context: FollowUpContext) -> Answer:
    """Say that nothing of the kind was seen, what was looked for, and which step people may take for it."""
    if (told := steady(question, context) or written(question, context)) is not None:
        return told
    looked, where = kinds_asked(question), places_asked(question)
    if context.report.verdict == "no_incident":
        nothing = f"no {looked} seen{where}" if looked else f"nothing was seen{where}"
        return give(question, context, f"No. There was no incident in this window, and {nothing}.", "unrelated")
    said = [
        f"No sign of it in this case: no {looked} seen{where}." if looked else f"No sign of it{where} in this case."
    ]
    symptom = context.report.symptom
    if symptom and symptom.explained:
        said.append(
            f"The cascade accounts for {symptom.explained} of {counted(len(symptom.episodes), 'episode')} without it."
        )
    taken_for = {kin for kind in question.kinds for kin in MISTAKEN.get(kind, ())}
    step = next((step for step in context.report.cascade.steps if step.mechanism in taken_for), None)
    before = next((link for link in context.report.cascade.links if step and link.effect == step.id), None)
    if step and before:
        said.append(
            f"{step.id} may look like it ({what(step)} at {step.entity.name}), but {before.cause} came first: "
            f"{before.hits} of {counted(before.hits + before.misses, 'time')}."
        )
    return give(question, context, " ".join(said) + missing_words(context.report), "unknown")


def _on_cascade(question: Question, context: FollowUpContext, step: Step, subject: Subject) -> Answer:
    cited = Citations(context.evidence)
    cite(cited, subject.signal, subject.occurrences)
    link = _link_of(context, step)
    first, last = context.report.cascade.steps[0], context.report.cascade.steps[-1]
    felt = step == last or step.entity == last.entity != first.entity
    blamed = step != first and felt and re.search(_BLAMES, question.text, re.IGNORECASE) is not None
    if step == first:
        lead = "Yes, it is what starts the cascade"
    elif step == last:
        lead = f"{'No: it' if blamed else 'It'} is what was felt, the end of the cascade and not its cause"
    else:
        lead = f"{'No: it is where it was felt,' if blamed else 'Yes, it is'} part of the cascade, but not its start"
    test = None
    if link is None:
        lead += f": {step_words(context, step.id)}"
    else:
        came = f"{link.hits} of {counted(link.hits + link.misses, 'time')}, {lag_words(link.lag, link.resolution_s)}"
        lead += f": {step_words(context, link.effect)} followed {step_words(context, link.cause)} {came} ({p_words(link.p_value)})"
        test = AnswerTest(hits=link.hits, misses=link.misses, lag=link.lag, p_value=link.p_value, name=link.test)
    doers = [entity for entity in question.entities if entity.kind in ACTS_THROUGH and entity != step.entity]
    doing = f" That is how {doers[0]} acts." if doers and subject.signal.kind in ACTS_THROUGH[doers[0].kind] else ""
    return give(question, context, f"{lead}.{doing}", "unrelated" if blamed else "related", cited, test)


def _link_of(context: FollowUpContext, step: Step) -> StepLink | None:
    """Give the link that tells most of a step: for the first what it led to, for any other what led to it."""
    links = context.report.cascade.links
    leading = next((link for link in links if link.cause == step.id), None)
    led = next((link for link in links if link.effect == step.id), None)
    return leading or led if step == context.report.cascade.steps[0] else led or leading


def _tested(question: Question, context: FollowUpContext, subject: Subject, symptom: Signal | None) -> Answer:
    """Test what is not on the cascade against the symptom, and say in words what the numbers say."""
    cited = Citations(context.evidence)
    cite(cited, subject.signal, subject.occurrences)
    head = f"{the(subject.signal, len(subject.occurrences))}{when(subject.occurrences)}{notes(subject)}"
    if context.report.verdict == "no_incident":
        text = f"No. {head}: there was no incident in this window that it could have caused."
        return give(question, context, text, "unrelated", cited)
    if symptom is None or not symptom.occurrences:
        return give(
            question, context, f"{head}: no symptom was found in this case to hold it against.", "unknown", cited
        )
    test = context.test(subject.signal, symptom)
    _cite_nearest(cited, subject.occurrences[0], symptom)
    verdict, text = (
        _beside(subject, context, head)
        or _reported(subject, context, test, head)
        or by_numbers(subject, context, symptom, test, head)
    )
    return give(question, context, text, verdict, cited, _answer_test(test))


def _reported(
    subject: Subject, context: FollowUpContext, test: LinkTest, head: str
) -> tuple[AnswerVerdict, str] | None:
    """Say what the report says of it, if anything."""
    if (said := as_reported(subject, context, test)) is None:
        return None
    lead = {"unrelated": "No.", "related": "It may be."}.get(said[0], "I cannot tell.")
    return said[0], f"{lead} {head}: {said[1]}."


def _beside(subject: Subject, context: FollowUpContext, head: str) -> tuple[AnswerVerdict, str] | None:
    """Judge what stands beside the cascade: what made it worse, and what a step of it brings along."""
    place = context.topology.root(subject.signal.entity)
    for part in context.report.contributing:
        if part.entity in {subject.signal.entity, place} and part.summary.startswith(capital(happened(subject.signal))):
            return "related", f"It made it worse, but did not start it: {part.summary}."
    if (found := _set_off(subject, context)) is not None:
        first, lag_s = found
        began = f"{first.id} ({what(first)} of {first.entity.name}) began {length(lag_s)} after it, and never before"
        return "related", f"It may be what set it off. {head}: {began}."
    if _led_to_it(subject.signal, context):
        first = context.report.cascade.steps[0]
        why = f"such a thing leads to {first.id} ({what(first)} of {first.entity.name}), before which it came; the times alone do not show it"
        return "related", f"It may be what led to it. {head}: {why}."
    if (brought := _brought_on(subject, context)) is None:
        return None
    step, test = brought
    came = f"{test.effects - test.unexplained} of {counted(test.effects, 'time')}"
    return "related", (
        f"It comes along with the cascade, but does not start it. {head}: {came} "
        f"{step.id} ({what(step)} of {step.entity.name}) came first."
    )


def _led_to_it(signal: Signal, context: FollowUpContext) -> bool:
    """Tell whether it is one of the things told beside the first step that lead to such a step by their nature."""
    steps = context.report.cascade.steps
    known = {one.id: one for one in context.signals}
    told = [(one, step) for one in context.signals if (step := step_of(one, context)) is not None]
    inside = [one.id for one, _ in told]
    heads = [one for one, step in told if step == steps[0]]
    return any(one.signal.id == signal.id for head in heads for one in antecedents(head, inside, context.links, known))


def _set_off(subject: Subject, context: FollowUpContext) -> tuple[Step, float] | None:
    """Give the step that a lasting change of its own workload may have set off, and how long after it that set in.

    It is the cascade's first one, or that new pods could not come. None where the step was there before, where the change is
    not the last one before it, or where the wait was longer than the quiet time that the window shows before the change: then
    the change might as well stand anywhere.
    """
    place = context.topology.root(subject.signal.entity)
    steps = context.report.cascade.steps
    own = [one for one in steps if one.entity == place and (one is steps[0] or one.mechanism in WAITED_FOR)]
    if not own or subject.signal.kind not in LASTING:
        return None
    began_s = own[0].first_at.timestamp()
    changes = [one.start_s for one in subject.signal.occurrences if one.start_s <= began_s]
    asked = {one.start_s for one in subject.occurrences}
    if not changes or changes[-1] not in asked:
        return None
    lag_s = began_s - changes[-1]
    return (own[0], lag_s) if lag_s <= changes[-1] - context.window.start_s else None


def _brought_on(subject: Subject, context: FollowUpContext) -> tuple[Step, LinkTest] | None:
    """Give the earliest step of the cascade that brings this about as a rule, and the test that says so."""
    steps = {signal.id: step for signal in context.signals if (step := step_of(signal, context)) is not None}
    found = [
        (steps[link.cause], link.test)
        for link in context.links
        if link.effect == subject.signal.id
        and link.cause in steps
        and link.test.status == "supported"
        and link.test.effects > 2
        and link.test.unexplained * 2 < link.test.effects
    ]
    root = next((signal for signal in context.signals if (step := steps.get(signal.id)) and step.id == "S1"), None)
    if not found and root is not None and root.id != subject.signal.id:
        test = context.test(root, subject.signal)
        if test.status == "supported" and test.effects > 2 and test.unexplained * 2 < test.effects:
            found.append((steps[root.id], test))
    return min(found, key=lambda pair: pair[0].id, default=None)


def _quoted(question: Question, context: FollowUpContext) -> Answer:
    """Judge a text by where it stands: how often in the symptom's episodes, how often outside."""
    words = question.quoted[0]
    found = context.search(words, context.window.start, context.window.end, 2000)
    if not found.total:
        return give(question, context, f"“{words}” stands nowhere in this case.", "unknown")
    cited = Citations(context.evidence)
    for hit in found.hits[:2]:
        cited.cite(hit.id)
    symptom = symptom_signal(context)
    if symptom is None:
        return give(
            question,
            context,
            f"“{words}” stands in {counted(found.total, 'place')}; there is no symptom to hold it against.",
            "unknown",
            cited,
        )
    owner = next(
        (one for one in context.signals if one.kind in LASTING and any(words in o.note for o in one.occurrences)), None
    ) or next(
        (
            one
            for one in context.signals
            if {hit.id for hit in found.hits} & {ref for o in one.occurrences for ref in o.refs}
        ),
        None,
    )
    if owner is not None:
        cut = Subject(signal=owner, occurrences=owner.occurrences, step=None)
        on_step = next(
            (
                one.step
                for one in subjects(replace(question, kinds=frozenset({owner.kind}), entities=(owner.entity,)), context)
                if one.signal.id == owner.id
            ),
            None,
        )
        return _on_cascade(question, context, on_step, cut) if on_step else _tested(question, context, cut, symptom)
    dated = [hit.at.timestamp() for hit in found.hits if hit.at]
    inside = sum(any(one.start_s - HORIZON_S <= at <= one.end_s + 60 for one in symptom.occurrences) for at in dated)
    share = sum(one.end_s - one.start_s + HORIZON_S for one in symptom.occurrences) / context.window.length_s
    text = f"“{words}” stands in {counted(found.total, 'place')}; of the first {len(dated)} dated, {inside} lie in or shortly before a symptom episode, where {share:.0%} of the time lies."
    return give(question, context, text, "unknown", cited)  # fmt: skip


def _without_rival(question: Question, context: FollowUpContext, *, asked: bool) -> Answer:
    cited = Citations(context.evidence)
    ruled = context.report.ruled_out
    if asked or not ruled:
        text = (
            "I find nothing of that kind in this case, so nothing speaks for it."
            if asked
            else "No other candidate was tested."
        )
        return give(question, context, f"{text} {holds(context)}", "unknown" if asked else "answered")
    for part in ruled[:3]:
        for key in part.evidence[:1]:
            if key in context.report.evidence:
                cited.add(context.report.evidence[key])
    text = " ".join(f"{part.entity}: {part.reason.rstrip('.')}." for part in ruled[:3])
    return give(question, context, f"What else was tested and why not. {text}", "answered", cited)


def _answer_test(test: LinkTest) -> AnswerTest:
    return AnswerTest(hits=test.hits, misses=test.misses, lag=test.lag, p_value=test.p_value, name=test.test)


def _cite_nearest(cited: Citations, one: Occurrence, symptom: Signal) -> None:
    nearest = min(symptom.occurrences, key=lambda felt: (abs(felt.start_s - one.start_s), felt.start_s))
    cite(cited, symptom, (nearest,), most=1)
