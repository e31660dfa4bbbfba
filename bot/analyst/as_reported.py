"""What the report itself says of a thing that stands beside its cascade, so that an answer in the thread never says otherwise.

Leaves out the cascade's own steps, and what the report does not speak of.
"""

import re

from bot.analyst.answers import AnswerVerdict, measured
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext, Subject, step_of
from bot.analyst.undecided import FITS, STAYS, met
from bot.analyst.words import clock
from bot.domain.link import LinkTest
from bot.domain.report import RuledOut
from bot.domain.signal import Kind
from bot.domain.window import instant

_DIGIT = re.compile(r"\d")
MOST_NAMED = 2


def of_version(question: Question, found: list[Subject], context: FollowUpContext) -> list[Subject]:
    """Give the changes that brought the version which a question names; what was found otherwise where none did."""
    versions = [each.removeprefix("v") for each in question.quoted if _DIGIT.search(each)]
    if not versions or question.moments:
        return found
    named = set(question.entities)
    meant = [
        Subject(signal=one, occurrences=one.occurrences, step=step_of(one, context))
        for one in context.signals
        if one.kind in STAYS and (not named or {one.entity, context.topology.root(one.entity)} & named)
        if any(version in each.note for version in versions for each in one.occurrences)
    ]
    return meant or found


def as_reported(subject: Subject, context: FollowUpContext, test: LinkTest) -> tuple[AnswerVerdict, str] | None:
    """Give the report's judgement of a thing and its reason; None where it has none, or where the question means a part of it."""
    if len(subject.occurrences) < len(subject.signal.occurrences):
        return None
    if (part := _entry(subject, context.report.ruled_out, context)) is not None:
        return "unrelated", part.reason
    if _met_the_root(subject, context):
        first = context.report.cascade.steps[0]
        return "related", (
            f"{first.id} ({first.entity.name}) was first seen in its own lines, at {clock(first.first_at)} while it ran; whether it "
            "brought that about or only met it was not tested"
        )
    if (part := _entry(subject, context.report.undecided, context)) is not None:
        return "unknown", part.reason
    return _among_equals(context, test)


def _entry(subject: Subject, parts: tuple[RuledOut, ...], context: FollowUpContext) -> RuledOut | None:
    places = {subject.signal.entity, context.topology.root(subject.signal.entity)}
    begun = instant(subject.signal.occurrences[0].start_s)
    for part in parts:
        if part.entity in places and part.times and part.times[0][0] == begun:
            return part
    return None


def _among_equals(context: FollowUpContext, test: LinkTest) -> tuple[AnswerVerdict, str] | None:
    """Say of what fits, in a report without a cause, what else fits; None where nothing does."""
    if context.report.verdict != "inconclusive" or test.status != "supported":
        return None
    others = [str(part.entity) for part in context.report.undecided if FITS in part.reason]
    if not others:
        return None
    names = " and ".join(others[:MOST_NAMED])
    return (
        "unknown",
        f"{measured(test)}; but {names} fit{'s' if len(others) == 1 else ''} as well, and nothing tells them apart",
    )


def _met_the_root(subject: Subject, context: FollowUpContext) -> bool:
    """Tell whether the first step, which is another's, is known from the lines of the thing's own pods."""
    if subject.signal.kind is not Kind.JOB_RUN or not context.report.cascade.steps:
        return False
    heads = [one for one in context.signals if (step := step_of(one, context)) is not None and step.id == "S1"]
    return met(subject.signal, heads, context.signals, context.topology)
