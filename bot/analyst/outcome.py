"""What became of a prediction: two reports of the same incident held against each other, the later one past its time.

Pure; whoever looks again brings the second report. That evidence was missing is never taken for quiet.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.analyst.words import clock, counted
from bot.domain.report import Prediction, Report

TELEMETRY = ("kubernetes/logs", "loki", "elasticsearch", "victorialogs", "prometheus", "kubernetes/events", "recorder")
"""Sources in which a symptom shows; people's words about it are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``sentence`` is for the thread; empty where nothing could be seen, for then there is nothing to say.

    ``evidence`` names citations of the later report.
    """

    status: Literal["confirmed", "refuted", "unknown"]
    sentence: str = ""
    evidence: tuple[str, ...] = ()


UNKNOWN = Outcome(status="unknown")


def outcome(prediction: Prediction, before: Report, after: Report) -> Outcome:
    """Tell whether what ``before`` predicted came, as far as ``after``, which looked again, could see."""
    felt = before.symptom
    if felt is None or not _seen_until(prediction.window[1], after):
        return UNKNOWN
    begin, end = prediction.window
    between = f"between {clock(begin)} and {clock(end)}"
    if after.symptom is None:
        return Outcome(status="refuted", sentence=_refuted(between, before, "nothing of it was seen"))
    if after.symptom.entity != felt.entity:
        return UNKNOWN  # something else is felt now, and it may hide this one
    came = [each for each in after.symptom.episodes if each.start < end and each.end >= begin]
    if not came:
        last = after.symptom.episodes[-1].end if after.symptom.episodes else None
        return Outcome(
            status="refuted",
            sentence=_refuted(between, before, f"it was last seen {clock(last)}" if last else "nothing of it was seen"),
        )
    fix = f" What would end it: {before.recommendations[0].summary.rstrip('.')}." if before.recommendations else ""
    return Outcome(
        status="confirmed",
        sentence=(
            f"It came as predicted: {felt.entity} at {clock(came[0].start)} ({counted(came[0].count, 'time')}), expected "
            f"{between}.{fix}"
        ),
        evidence=after.symptom.evidence,
    )


def _refuted(between: str, before: Report, seen: str) -> str:
    cause = f" {before.root_cause.entity}" if before.root_cause else " what I named"
    return (
        f"My prediction did not come true: expected {between}, but {seen}. {_weight(before)}Either something was changed "
        f"since, or{cause} is not the cause, or not the whole of it: ask me to look again."
    )


def _weight(before: Report) -> str:
    """Say what one miss is worth where the cause did not bring the symptom each time before."""
    steps, felt = before.cascade.steps, before.symptom
    if not steps or felt is None or not 0 < felt.explained < steps[0].count:
        return ""
    return f"Only {felt.explained} of {steps[0].count} occurrences brought it before, so one miss alone proves little. "


def _seen_until(at: datetime, report: Report) -> bool:
    rows = [row for row in report.coverage if row.source.startswith(TELEMETRY) and row.last_at is not None]
    return any(row.last_at is not None and row.last_at >= at for row in rows)
