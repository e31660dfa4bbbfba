"""Answers "was it related?" and "why not that?": by the cascade first, then by testing the thing against the symptom.

A thing is unrelated only for a reason a person can check; where the numbers cannot tell, the answer is "unknown".
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from bot.analyst.citations import Citations
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext, Subject, subjects, symptom_signal
from bot.analyst.words import counted, lag_words, length, p_words, times
from bot.domain.link import LinkTest
from bot.domain.report import Answer, AnswerTest, Step, StepLink
from bot.domain.signal import Occurrence, Signal
from bot.domain.window import instant, rfc3339

HORIZON_S = 1800.0
"""How long after a cause an effect is still looked for, unless the test of the pair looked longer."""

_Verdict = Literal["related", "unrelated", "unknown", "answered"]


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
    found = [one for one in every if symptom is None or one.signal.id != symptom.id] or every
    if not found:
        return give(question, context, f"I find nothing like that in this case. {holds(context)}", "unknown")
    subject = found[0]
    others = sum(one.step is not None for one in found[1:])
    if subject.step is not None:
        return _on_cascade(question, context, subject.step, subject)
    answer = _tested(question, context, subject, symptom)
    if others:
        answer = replace(
            answer,
            answer=f"{answer.answer} (On the cascade itself, {counted(others, 'other signal')} of that description stand.)",
        )
    return answer  # fmt: skip


def why_not(question: Question, context: FollowUpContext) -> Answer:
    """Compare what was asked for with the root that was chosen."""
    found = subjects(question, context) if question.kinds or question.entities or question.moments else []
    symptom = symptom_signal(context)
    off = [one for one in found if one.step is None and (symptom is None or one.signal.id != symptom.id)]
    if question.unknown_names and not found:
        return give(
            question,
            context,
            f"I see nothing called {question.unknown_names[0]!r} in this case. {holds(context)}",
            "unknown",
        )
    if found and not off:
        step = next((one.step for one in found if one.step), None)
        where = f"it is step {step.id} of the cascade" if step else "it is the symptom itself"
        return give(question, context, f"Because it is not an alternative: {where}.", "answered")
    if not off:
        return _without_rival(question, context, asked=bool(question.kinds or question.entities))
    if symptom is None:
        return give(question, context, "No symptom was found in this case, so nothing can be compared.", "unknown")
    cited = Citations(context.evidence)
    test = context.test(off[0].signal, symptom)
    cite(cited, off[0].signal, off[0].occurrences)
    cascade = context.report.cascade
    first = next((link for link in cascade.links if cascade.steps and link.cause == cascade.steps[0].id), None)
    text = f"{_named(off[0].signal)} happened {times(len(off[0].signal.occurrences))}: {_measured(test)}."
    if first and context.report.root_cause:
        text += (
            f" The cause named, {context.report.root_cause.entity}, was followed by {_step(context, first.effect)} "
            f"in {first.hits} of {first.hits + first.misses} cases, {lag_words(first.lag)} ({p_words(first.p_value)})."
        )
    return give(question, context, text, "answered", cited, _answer_test(test))


def give(
    question: Question,
    context: FollowUpContext,
    text: str,
    verdict: _Verdict,
    cited: Citations | None = None,
    test: AnswerTest | None = None,
) -> Answer:
    """Put an answer together."""
    evidence = dict(cited.entries) if cited else {}
    loose = [key for key in evidence if f"[{key}]" not in text]
    keys = f" [{', '.join(loose)}]" if loose else ""
    return Answer(
        question=question.text,
        answer=text + keys,
        verdict=verdict,
        evidence=evidence,
        test=test,
        case=context.report.case,
    )


def holds(context: FollowUpContext) -> str:
    """Say what the case holds, for an answer that has to be "I don't know"."""
    names = sorted({str(context.topology.root(signal.entity)) for signal in context.signals})
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    span = f"{rfc3339(context.window.start)} to {rfc3339(context.window.end)}"
    return f"The case covers {span} and speaks of {shown or 'nothing that happened'}."


def cite(cited: Citations, signal: Signal, occurrences: tuple[Occurrence, ...], most: int = 2) -> tuple[str, ...]:
    """Cite the first items that show a signal's occurrences."""
    refs = [(one.refs[0], one.start_s) for one in occurrences[:most] if one.refs]
    return cited.cite_all(refs, entity=signal.entity)


def _on_cascade(question: Question, context: FollowUpContext, step: Step, subject: Subject) -> Answer:
    cited = Citations(context.evidence)
    cite(cited, subject.signal, subject.occurrences)
    link = _link_of(context, step)
    felt = len(context.report.cascade.steps) > 1 and step == context.report.cascade.steps[-1]
    lead = "It is what was felt, the end of the cascade, not its cause." if felt else "Yes."
    text = f"{lead} {_named(subject.signal)} is step {step.id} of the cascade ({times(step.count)} in the window)"
    test = None
    if link is not None:
        cause, effect = _step(context, link.cause), _step(context, link.effect)
        text += f": {cause} was followed by {effect} in {link.hits} of {link.hits + link.misses} cases, {lag_words(link.lag)} ({p_words(link.p_value)})"
        test = AnswerTest(hits=link.hits, misses=link.misses, lag=link.lag, p_value=link.p_value, name=link.test)
    return give(question, context, text + ".", "related", cited, test)  # fmt: skip


def _link_of(context: FollowUpContext, step: Step) -> StepLink | None:
    links = context.report.cascade.links
    return next((link for link in links if link.cause == step.id), None) or next(
        (link for link in links if link.effect == step.id), None
    )


def _tested(question: Question, context: FollowUpContext, subject: Subject, symptom: Signal | None) -> Answer:
    """Test what is not on the cascade against the symptom, and say in words what the numbers say."""
    cited = Citations(context.evidence)
    cite(cited, subject.signal, subject.occurrences)
    head = f"{_named(subject.signal)} happened {times(len(subject.occurrences))}{_when(subject.occurrences)}{_notes(subject)}"
    if symptom is None or not symptom.occurrences:
        return give(
            question, context, f"{head}; no symptom was found in this case to hold it against.", "unknown", cited
        )
    test = context.test(subject.signal, symptom)
    horizon_s = max(HORIZON_S, test.lag_range_s[1])
    near = [one for one in subject.occurrences if _next_start(one, symptom, horizon_s) is not None]
    total = len(symptom.occurrences)
    numbers = _answer_test(test)
    _cite_nearest(cited, subject.occurrences[0], symptom)
    if contributing := next(
        (part for part in context.report.contributing if part.entity in _places(subject, context)), None
    ):
        return give(
            question,
            context,
            f"It made it worse but did not start it: {contributing.summary} {head}.",
            "related",
            cited,
            numbers,
        )
    if not near:
        text = f"No. {head}; none of the {counted(total, 'symptom episode')} begins within {length(horizon_s)} after it{_distance(subject, symptom)}."
        return give(question, context, text, "unrelated", cited, numbers)
    if test.status == "supported":
        text = f"It may be. {head}; it is not on the cascade, yet {_measured(test)}."
        return give(question, context, text, "related", cited, numbers)
    if test.status == "refuted" or (len(near) < len(subject.occurrences) / 2) or _explained_anyway(context, subject):
        text = f"No. {head}; {len(near)} of {len(subject.occurrences)} stood before a symptom episode, but {total - len(near)} of {total} episodes came without it ({_measured(test)})."
        return give(question, context, text, "unrelated", cited, numbers)
    text = f"I cannot tell. {head}, near {len(near)} of {total} symptom episodes; that is too little to test ({_measured(test)})."
    return give(question, context, text, "unknown", cited, numbers)  # fmt: skip


def _explained_anyway(context: FollowUpContext, subject: Subject) -> bool:
    """Tell a passer-by: it happened once or twice, and the cascade accounts for nearly every one of many episodes."""
    symptom = context.report.symptom
    if symptom is None or context.report.verdict != "cause_found":
        return False
    episodes = symptom.explained + symptom.unexplained
    return episodes >= 4 and symptom.explained >= 0.8 * episodes and len(subject.signal.occurrences) <= episodes / 3


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


def _named(signal: Signal) -> str:
    return f"{signal.entity} ({signal.label or signal.kind.value.replace('_', ' ')})"


def _step(context: FollowUpContext, name: str) -> str:
    step = next((step for step in context.report.cascade.steps if step.id == name), None)
    return f"{name} {step.entity}" if step else name


def _places(subject: Subject, context: FollowUpContext) -> set[object]:
    return {subject.signal.entity, context.topology.root(subject.signal.entity)}


def _when(occurrences: tuple[Occurrence, ...]) -> str:
    shown = ", ".join(rfc3339(_whole(one.start_s)) for one in occurrences[:3])
    return f", {shown}" + (" …" if len(occurrences) > 3 else "")


def _whole(at_s: float) -> datetime:
    return instant(int(at_s))


def _notes(subject: Subject) -> str:
    notes = [one.note for one in subject.occurrences if one.note] or [
        f"{name} {value}" for name, value in sorted(subject.signal.attributes.items())
    ]
    return f" ({'; '.join(dict.fromkeys(notes[:2]))})" if notes else ""


def _measured(test: LinkTest) -> str:
    text = f"{test.hits} of {test.hits + test.misses} times the symptom followed, {test.unexplained} times it came without; {p_words(test.p_value)}"
    return f"{text}; {test.reason.rstrip('.')}" if test.reason else text


def _answer_test(test: LinkTest) -> AnswerTest:
    return AnswerTest(hits=test.hits, misses=test.misses, lag=test.lag, p_value=test.p_value, name=test.test)


def _next_start(one: Occurrence, symptom: Signal, horizon_s: float) -> float | None:
    later = [felt.start_s for felt in symptom.occurrences if -1 <= felt.start_s - one.start_s <= horizon_s]
    return min(later, default=None)


def _distance(subject: Subject, symptom: Signal) -> str:
    after = [
        felt.start_s - one.start_s
        for one in subject.occurrences
        for felt in symptom.occurrences
        if felt.start_s >= one.start_s
    ]
    return f"; the next came {length(min(after))} later" if after else "; none came after it at all"


def _cite_nearest(cited: Citations, one: Occurrence, symptom: Signal) -> None:
    nearest = min(symptom.occurrences, key=lambda felt: (abs(felt.start_s - one.start_s), felt.start_s))
    cite(cited, symptom, (nearest,), most=1)
