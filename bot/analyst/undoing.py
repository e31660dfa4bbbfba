"""Answers "does rolling X back help?" of a change beside the cascade: by what the report says of that change.

Leaves out the cause that the report names: what its undoing would have spared is counted elsewhere.
"""

import re

from bot.analyst.answers import give
from bot.analyst.citations import Citations
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext
from bot.analyst.undecided import STAYS
from bot.domain.entity import Entity
from bot.domain.report import Answer, RuledOut

_BACK = re.compile(
    r"\b(?:roll(?:ing|ed)?[ -]?backs?|roll(?:ing|ed)? \S+ back|revert(?:ing|ed)?|undo(?:ing|ne)?)\b", re.IGNORECASE
)
_HELPS = re.compile(
    r"\b(?:help\w*|fix\w*|solv\w*|work\w*|enough|mend\w*|spared?|change anything|make a difference)\b", re.IGNORECASE
)
_UNDOES = re.compile(r"\b(?:roll|put back|former|take .* away|revert)\b", re.IGNORECASE)
_CHANGED = re.compile(r"\b(?:rollouts?|reloads?|configuration changes?|secret changes?|certificate renewals?)\b")


def undoing(question: Question, context: FollowUpContext) -> Answer | None:
    """Say whether putting back a change that a question names helps; None where the report does not speak of it."""
    if not (_BACK.search(question.text) and _HELPS.search(question.text)):
        return None
    if not question.entities:
        return _without_a_name(question, context)
    places = set(question.entities) | {context.topology.root(entity) for entity in question.entities}
    if (part := _of(places, context.report.ruled_out)) is not None:
        lead = (
            "It did not help."
            if "put back as it was" in part.summary
            else "That is not to be expected: it is ruled out."
        )
        return _told(question, context, part, f"{lead} {part.entity}: {part.reason}.")
    if (part := _of(places, context.report.undecided)) is not None:
        said = f"It may: {part.entity} is not ruled out, yet not shown to be the cause either: {part.reason}. "
        return _told(
            question, context, part, f"{said}Undone, it would tell: what goes on as before did not come from it."
        )
    return None


def _without_a_name(question: Question, context: FollowUpContext) -> Answer | None:
    """Say of "would rolling back have helped?" whether there is anything to roll back: in the cascade, else among what is left open."""
    steps = context.report.cascade.steps
    if steps and context.report.verdict == "cause_found":
        if steps[0].mechanism in STAYS:
            return _of_the_root(question, context)
        text = f"No: what it begins with, {steps[0].summary[:1].lower()}{steps[0].summary[1:].rstrip('.')}, is no change that could be put back."
        return give(
            question,
            context,
            re.sub(r"with, (\w+ \S*/)", lambda found: f"with, {found[1][:1].upper()}{found[1][1:]}", text),
            "answered",
        )
    part = next((part for part in context.report.undecided if _CHANGED.search(part.summary)), None)
    if part is None:
        return None
    text = f"Of {part.entity} it may: not ruled out, yet not shown to be the cause either: {part.reason}."
    return _told(question, context, part, text)


def _of_the_root(question: Question, context: FollowUpContext) -> Answer | None:
    """Give the report's first advice with what it would have spared, where that undoes the change it names."""
    first = next(iter(context.report.recommendations), None)
    if first is None or not _UNDOES.search(first.summary):
        return None
    effect = first.effect.rstrip(".")
    text = f"It should: {context.report.cascade.steps[0].id} is where it begins. {first.summary.rstrip('.')}: {effect}."
    return give(question, context, text, "answered")


def _of(places: set[Entity], parts: tuple[RuledOut, ...]) -> RuledOut | None:
    return next((part for part in parts if part.entity in places and _CHANGED.search(part.summary)), None)


def _told(question: Question, context: FollowUpContext, part: RuledOut, text: str) -> Answer:
    cited = Citations(context.evidence)
    for key in part.evidence:
        if key in context.report.evidence:
            cited.add(context.report.evidence[key])
    return give(question, context, text, "answered", cited)
