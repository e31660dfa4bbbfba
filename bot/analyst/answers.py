"""How an answer to a follow-up is put together, and the turns of phrase that all of them share. No judgement here."""

from typing import Literal

from bot.analyst.citations import Citations
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext, Subject
from bot.analyst.vocabulary import GENERAL
from bot.analyst.words import MASS, clock, clock_s, counted, happened, noun_of, p_words, plural
from bot.domain.link import LinkTest
from bot.domain.report import Answer, AnswerTest, Step
from bot.domain.signal import Kind, Occurrence, Signal

VAGUE = GENERAL | {Kind.RESOURCE_SHIFT}
"""Kinds that name no trouble of their own."""
MOST_NAMES = 2
"""Places that are named; of more only how many they are."""
LONGEST_NOTE = 80
"""Characters of a note that may stand within a sentence."""

AnswerVerdict = Literal["related", "unrelated", "unknown", "answered"]


def give(
    question: Question,
    context: FollowUpContext,
    text: str,
    verdict: AnswerVerdict,
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
    """Say what the case holds, for an answer that has to be "I don't know": its time and its chief actors."""
    chief = [step.entity.name for step in context.report.cascade.steps]
    rest = sorted({context.topology.root(signal.entity).name for signal in context.signals})
    names = list(dict.fromkeys([*chief, *rest]))
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    span = f"{clock(context.window.start)} to {clock(context.window.end)}"
    return f"The case covers {span} and knows {shown or 'nothing that happened'}."


def kinds_asked(question: Question) -> str:
    """Name the kinds of event a question asks for, in the table's order, three at most: ``OOM kills or restarts``."""
    kinds = [kind for kind in Kind if kind in question.kinds and kind not in VAGUE][:3]
    names = [plural(kind).removeprefix("an ").removeprefix("a ") for kind in kinds]
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1] if names else "") if part)


def places_asked(question: Question) -> str:
    """Name the places a question asks about: one by its name, several of a kind by their number."""
    if not question.entities:
        return ""
    names = list(dict.fromkeys(entity.name for entity in question.entities))
    if len(names) <= MOST_NAMES:
        return f" at {' or '.join(names)}"
    kinds = {entity.kind for entity in question.entities}
    return f" at any of the {len(question.entities)} {kinds.pop() + 's' if len(kinds) == 1 else 'things of that name'}"


def cite(cited: Citations, signal: Signal, occurrences: tuple[Occurrence, ...], most: int = 2) -> tuple[str, ...]:
    """Cite the first items that show a signal's occurrences."""
    refs = [(one.refs[0], one.start_s) for one in occurrences[:most] if one.refs]
    return cited.cite_all(refs, entity=signal.entity)


def the(signal: Signal, count: int) -> str:
    """Name a signal to begin a sentence with: ``The OOM kill of Deployment web/x``, ``The 5 job runs of …``."""
    if signal.kind is Kind.HUMAN_CHANGE:
        return f"What {signal.entity.name} changed at {signal.subject}"
    if signal.kind in MASS or signal.kind in GENERAL:
        return f"{happened(signal)[:1].upper()}{happened(signal)[1:]}"
    return f"The {counted(count, noun_of(signal)) if count > 1 else noun_of(signal)} of {signal.entity}"


def what(step: Step) -> str:
    """Name what a step is: ``scale-downs``; its kind as it is where a later program knows more kinds."""
    return plural(Kind(step.mechanism)) if step.mechanism in set(Kind) else step.mechanism.replace("_", " ")


def step_words(context: FollowUpContext, name: str) -> str:
    """Name a step by its id, what it is and where: ``S4 (scale-downs of api)``."""
    step = next((step for step in context.report.cascade.steps if step.id == name), None)
    return f"{name} ({what(step)} of {step.entity.name})" if step else name


def when(occurrences: tuple[Occurrence, ...]) -> str:
    """Give the first three times in brackets."""
    shown = ", ".join(clock_s(one.start_s) for one in occurrences[:3])
    return f" ({shown}{' …' if len(occurrences) > 3 else ''})"


def notes(subject: Subject) -> str:
    """Give what the occurrences carry along, where it is short enough to be read in passing."""
    notes = [one.note for one in subject.occurrences if one.note and len(one.note) <= LONGEST_NOTE]
    return f" ({notes[0]})" if len(dict.fromkeys(notes)) == 1 else ""


def measured(test: LinkTest) -> str:
    """Say what a test against the symptom gave: how often an episode followed, and how many came without."""
    count = test.hits + test.misses
    followed = (
        ("an episode followed it" if test.hits else "no episode followed it")
        if count == 1
        else (f"an episode followed {test.hits} of {count}")
    )
    without = (
        f", {test.unexplained} of {test.effects} episodes came without" if test.effects and test.unexplained else ""
    )
    chance = f"; {test.reason.rstrip('.')}" if test.reason else ""
    return f"{followed}{without} ({p_words(test.p_value)}){chance}"
