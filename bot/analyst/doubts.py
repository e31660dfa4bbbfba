"""Answers about the answer: how sure it is, what would prove it wrong, what was not seen. From the report alone."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from bot.analyst.answers import give
from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext
from bot.analyst.words import clock, counted, p_words
from bot.domain.items import LOG_SOURCES
from bot.domain.report import Answer, Report, StepLink

EXPIRING = "kubernetes/events"
"""What an API server forgets after an hour (``--event-ttl``)."""
LATE = 0.5
"""Share of the window after which a source that begins only then is said to reach back no further."""


def how_sure(question: Question, context: FollowUpContext) -> Answer:
    """Give the confidence with what holds it down, what was accounted for, and the weakest link."""
    report = context.report
    text = f"Confidence is {report.confidence}, the verdict {report.verdict.replace('_', ' ')}."
    if report.reasons:
        text += f" What holds it down: {'; '.join(reason.rstrip('.') for reason in report.reasons[:4])}."
    if report.symptom:
        episodes = report.symptom.explained + report.symptom.unexplained
        text += f" The cascade accounts for {report.symptom.explained} of {counted(episodes, 'episode')}."
    passed = sum(part.verdict == "passed" for part in report.control_questions)
    if report.control_questions:
        text += f" {passed} of {counted(len(report.control_questions), 'control question')} passed."
    if weakest := _weakest(report):
        count = counted(weakest.hits + weakest.misses, "time")
        text += f" The weakest link is {weakest.cause}→{weakest.effect}: {weakest.status}, {weakest.hits} of {count} ({p_words(weakest.p_value)})."
    return give(question, context, text, "answered")


def _weakest(report: Report) -> StepLink | None:
    order = [step.id for step in report.cascade.steps]
    main = [link for link in report.cascade.links if (link.cause, link.effect) in set(pairwise(order))]
    return min(
        main or report.cascade.links,
        key=lambda link: (
            link.status == "supported",
            link.hits / max(1, link.hits + link.misses + link.unexplained),
            -(link.p_value if link.p_value is not None else 1),
        ),
        default=None,
    )


def falsify(question: Question, context: FollowUpContext) -> Answer:
    """Say what would show that the answer is wrong: an episode without its cause, a prediction that fails, a broken link."""
    report = context.report
    steps, symptom = report.cascade.steps, report.symptom
    head = f"Yes, I could be; confidence is {report.confidence}."
    if not steps or symptom is None:
        text = f"{head} No cause was named, so there is nothing to refute. {not_seen_words(report)}"
        return give(question, context, text, "answered")
    episodes = symptom.explained + symptom.unexplained
    without = f"so far {symptom.unexplained} of {counted(episodes, 'episode')} did"
    said = [f"an episode that comes without {steps[0].id} before it ({steps[0].entity}; {without})"]
    pending = sorted((part for part in report.predictions if part.status == "pending"), key=lambda part: part.at)
    if pending:
        first, last = pending[0].window
        said.append(f"{steps[0].id} at its next time without the symptom between {clock(first)} and {clock(last)}")
    else:
        said.append(f"{steps[0].entity} put right, and the symptom coming back all the same")
    if weakest := _weakest(report):
        said.append(
            f"{weakest.effect} seen before {weakest.cause}, the weakest link ({weakest.hits} of {counted(weakest.hits + weakest.misses, 'time')})"
        )
    listed = "; ".join(f"({number}) {part}" for number, part in enumerate(said, 1))
    return give(question, context, f"{head} What would prove it wrong: {listed}. {not_seen_words(report)}", "answered")


def not_seen(question: Question, context: FollowUpContext) -> Answer:
    """Say what the case did not see."""
    return give(question, context, not_seen_words(context.report), "answered")


def not_seen_words(report: Report) -> str:
    """Say what the case did not see, from its coverage."""
    stored = any(row.source in LOG_SOURCES and row.items for row in report.coverage)
    absent = [
        row.source
        for row in report.coverage
        if row.status in {"missing", "not_configured"} and not (stored and row.source in LOG_SOURCES)
    ]
    parts = [f"{_all_of(absent)} not there at all"] if absent else []
    for row in report.coverage:
        lost = [gap for gap in row.gaps if gap.lost]
        if row.status in {"missing", "not_configured"}:
            continue
        if lost:
            shown = "; ".join(gap.what + (f" ({gap.count}×)" if gap.count > 1 else "") for gap in lost[:2])
            parts.append(f"{row.source}: {shown}" + (f" and {len(lost) - 2} more" if len(lost) > 2 else ""))
        elif row.source == EXPIRING and not row.items:
            parts.append(f"{row.source} holds nothing: what there was is missing")
        elif (since := reaches_back(row.source, report)) is not None:
            parts.append(f"{row.source} reaches back only to {clock(since)}")
        elif row.status == "partial":
            parts.append(f"{row.source} was there in part" + (f" ({row.detail})" if row.detail else ""))
    if not report.coverage:
        return "The coverage of this case was not recorded."
    return (
        "Not seen: " + ". ".join(parts) + "."
        if parts
        else f"Every source in the export was read to the end: {', '.join(row.source for row in report.coverage)}. "
        "What none of them records, such as traces or other namespaces, I cannot know."
    )


def _all_of(sources: Sequence[str]) -> str:
    """Name sources with their verb: ``jira was``, ``prometheus and jira were``."""
    names = ", ".join(sources[:-1]) + f" and {sources[-1]}" if len(sources) > 1 else sources[0]
    return f"{names} {'were' if len(sources) > 1 else 'was'}"


def reaches_back(source: str, report: Report) -> datetime | None:
    """Give the time from which on a source has anything, where that is long after the window began; None where it has it all."""
    row = next((row for row in report.coverage if row.source == source), None)
    if row is None or row.first_at is None or source not in {EXPIRING, "kubernetes/logs", "prometheus"}:
        return None
    start, end = report.window.start, report.window.end
    return row.first_at if row.first_at - start > LATE * (end - start) else None


def missing_words(report: Report) -> str:
    """Say, for an answer that stays open, which evidence is missing; nothing where all of it was read."""
    told = not_seen_words(report)
    return f" {told}" if told.startswith("Not seen") else ""
