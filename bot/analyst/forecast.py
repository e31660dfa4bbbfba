"""When it will happen again: a falsifiable prediction from the root's schedule and the measured lag to the symptom."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from bot.analyst.findings import Findings
from bot.analyst.words import clock, noun
from bot.domain.link import Chain
from bot.domain.report import Prediction
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import about
from bot.domain.window import instant

LEAST_RUNS = 3
MARGIN_S = 120.0


def predictions(chain: Chain, findings: Findings) -> tuple[Prediction, ...]:
    """Predict the next occurrence of a periodic cause and of the symptom behind it; nothing for one-shot causes."""
    root = chain.root
    lag = chain.end_to_end.lag
    if lag is None or len(root.occurrences) < LEAST_RUNS:
        return ()
    begins = _next_start(root, findings)
    if begins is None:
        return ()
    spread = max(MARGIN_S, 0.25 * (lag.p90 - lag.p10))
    at = begins + timedelta(seconds=lag.median)
    low = begins + timedelta(seconds=max(0.0, lag.p10 - spread))
    high = begins + timedelta(seconds=lag.p90 + spread)
    hits, runs = chain.end_to_end.hits, chain.end_to_end.hits + chain.end_to_end.misses
    return (
        Prediction(
            summary=(
                f"The next {noun(root.kind)} of {root.entity} begins {clock(begins)}; the symptom follows about "
                f"{about(lag.median)} later, at {clock(at)}, unless something is changed "
                f"({hits} of {runs} did so in the window)"
            ),
            at=at,
            window=(low, high),
        ),
    )


def _next_start(root: Signal, findings: Findings) -> datetime | None:
    end = findings.window.end
    if root.kind is Kind.JOB_RUN:
        schedule = _fact(root, findings, "schedule")
        if schedule is not None:
            zone = _zone(_fact(root, findings, "timeZone"))
            try:
                return next(CronSim(schedule, end.astimezone(zone))).astimezone(UTC)
            except (CronSimError, StopIteration):
                pass  # a schedule that cannot be read leaves the measured period
    if root.period_s is None:
        return None
    at = root.occurrences[-1].start_s
    missed = max(0, int((findings.window.end_s - at) // root.period_s))
    return instant(at + (missed + 1) * root.period_s)


def _fact(root: Signal, findings: Findings, name: str) -> str | None:
    places = {root.entity, findings.topology.root(root.entity)}
    return next((fact.value for fact in findings.facts if fact.entity in places and fact.name == name), None)


def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
