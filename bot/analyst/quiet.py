"""What a quiet window is told with: the events that people would have suspected, and the noise, each with why it is nothing.

There is no symptom to test against, so the failures that are there every day are counted instead: how many came after an event,
and how many the hours beside it let expect. What cannot be counted is not called ruled out.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice

from bot.analyst.citations import Citations
from bot.analyst.claim_checks import RAISED_P, REACH_S, around_words
from bot.analyst.findings import Findings
from bot.analyst.questions import symptom_wish
from bot.analyst.rivals import MOST, MOST_TIMES, SAME_ACT, seen_words, suspects
from bot.analyst.times import find_moments
from bot.analyst.words import capital, clock_s, counted, happened, plural, times
from bot.domain.items import ItemId
from bot.domain.report import RuledOut
from bot.domain.signal import Kind, Signal
from bot.domain.spelling import length
from bot.domain.window import instant

OFTEN = 40
"""Times from which on an alarm that nothing bears out holds down how sure a quiet window is."""
MOST_SAID = 2
"""Alarms of unknown meaning that are told."""
MOST_NOISE = 2
"""Kinds of noise that are told."""
FIRST_LATE = 0.1
"""Share of the window without any line after which it is told that they began within it."""
NOISE = frozenset({Kind.LOG_ERROR, Kind.LOG_BURST, Kind.TIMEOUT, Kind.RETRY, Kind.LATENCY})
FAILED = frozenset({Kind.SERVER_ERROR, Kind.UNAVAILABLE})
"""Kinds that are counted around a moment."""
TEST = "conditional test of two Poisson rates"


def set_aside(findings: Findings, citations: Citations) -> tuple[RuledOut, ...]:
    """Give what was looked at in a window without an incident, the most suspected first, then the loudest noise."""
    return (
        *islice(_events(findings, citations), MOST),
        *islice(_said(findings, citations), MOST_SAID),
        *islice(_noise(findings, citations), MOST_NOISE),
    )


def alarms(findings: Findings) -> list[Signal]:
    """Give the warnings that the cluster's events hold and nobody knows the meaning of, the most frequent first."""
    found = [
        s for s in findings.signals.values() if s.kind is Kind.ALERT and s.source != "prometheus" and s.occurrences
    ]
    return sorted(found, key=lambda signal: (-signal.total, signal.id))


def asked_about(findings: Findings) -> str:
    """Say what became of the failure that the question tells of, at the time that it names; empty where it tells of none."""
    wish = symptom_wish(findings.question)
    named = wish.status_words or next((plural(kind) for kind in sorted(wish.kinds & FAILED)), "")
    if not named:
        return ""
    window = findings.window
    moments = [one for one in find_moments(findings.question, window) if one.overlaps(window.start_s, window.end_s)]
    if moments and findings.around is not None:
        spans = [(max(one.start.timestamp(), window.start_s), one.end.timestamp()) for one in moments]
        found = findings.around([start for start, _ in spans], max(end - start for start, end in spans))
        if found is not None:
            return f" You asked about {named} {moments[0].words}: {around_words(found, 'of then')}."
    statuses = {str(status) for status in wish.statuses}
    tell = [s for s in findings.signals.values() if s.attributes.get("status") in statuses]
    lines = sum(s.total for s in tell)
    if not statuses:
        return ""
    seen = (
        f"{counted(lines, 'line')} tell of it, {spread(tell, findings)}"
        if lines
        else "no line that was read tells of it"
    )
    return f" You asked about {named}: {seen}."


def spread(signals: Sequence[Signal], findings: Findings) -> str:
    """Say how lines lie in the window as far as that was measured: from when on there were any, or that they keep no burst."""
    window, measures = findings.window, findings.measures
    found = [times for one in signals if measures is not None and (times := measures.times(one))]
    if found and len(found) == len(signals):
        first_s = min(times[0] for times in found)
        quiet_s, count = first_s - window.start_s, sum(map(len, found))
        if quiet_s > FIRST_LATE * window.length_s and (1 - quiet_s / window.length_s) ** count < RAISED_P:
            return f"none in the first {length(quiet_s)}, all from {clock_s(first_s)} on"
    return "in no burst that stands out from the everyday background"


def _said(findings: Findings, citations: Citations) -> Iterator[RuledOut]:
    """Give the alarms behind which nothing is that was measured."""
    for signal in alarms(findings):
        found = findings.around([one.start_s for one in signal.occurrences], REACH_S) if findings.around else None
        if found is not None and found.p_value < RAISED_P:
            continue
        told = f"; {around_words(found, 'after it')}" if found is not None else ""
        yield RuledOut(
            entity=findings.topology.root(signal.entity),
            summary=f"{capital(happened(signal))}, {times(signal.total)}",
            reason=f"an event says so, and nothing that was measured rises{told}",
            test=TEST if found is not None else "level shifts",
            evidence=_cited(signal, citations),
        )


def _events(findings: Findings, citations: Citations) -> Iterator[RuledOut]:
    told: set[tuple[Kind, object]] = set()
    moved = _moved(findings)
    for signal in suspects(findings):
        place = findings.topology.root(signal.entity)
        if signal.kind is Kind.HUMAN_CHANGE or (signal.kind, place) in told:
            continue  # what people announced is told by what came of it
        reason = _uneventful(signal, findings, moved)
        if reason is None:
            continue
        told |= {(signal.kind, place), (SAME_ACT.get(signal.kind, signal.kind), place)}
        yield RuledOut(
            entity=place,
            summary=seen_words(signal),
            reason=reason[0],
            test=reason[1],
            evidence=_cited(signal, citations),
            times=tuple((instant(one.start_s), instant(one.end_s)) for one in signal.occurrences[:MOST_TIMES]),
        )


def _moved(findings: Findings) -> list[float] | None:
    """Give when series left their level, in order; None where no series was read."""
    if not any(row.source == "prometheus" and row.items for row in findings.coverage):
        return None
    series = [s for s in findings.signals.values() if s.source == "prometheus" and s.kind is not Kind.RESOURCE_SHIFT]
    return sorted(one.start_s for signal in series for one in signal.occurrences)


def _uneventful(signal: Signal, findings: Findings, moved: Sequence[float] | None) -> tuple[str, str] | None:
    """Say why nothing came of an event, and by which test; None where something may have, or where nothing counts failures.

    ``moved``: when series left their level, ascending.
    """
    starts = [one.start_s for one in signal.occurrences]
    found = findings.around(starts, REACH_S) if findings.around is not None else None
    if found is not None:
        after = "after it" if len(starts) == 1 else f"after any of the {len(starts)}"
        return (around_words(found, after), TEST) if found.p_value >= RAISED_P else None
    if moved is None or any(bisect_left(moved, at) < bisect_right(moved, at + REACH_S) for at in starts):
        return None
    return (
        f"no series that was read left its level within {length(REACH_S)} after it; no log counts failures",
        "level shifts",
    )


def _noise(findings: Findings, citations: Citations) -> Iterator[RuledOut]:
    """Give the loudest kinds of line that look like trouble: those that come at all hours, or with nothing that failed."""
    loud = [s for s in findings.signals.values() if s.kind in NOISE and s.source != "prometheus"]
    for signal in sorted(loud, key=lambda s: (-s.total, s.id)):
        steady = not signal.occurrences
        starts = [one.start_s for one in signal.occurrences]
        found = findings.around(starts, REACH_S) if findings.around and not steady else None
        if not steady and (found is None or found.p_value < RAISED_P):
            continue
        why = spread([signal], findings)
        if found is not None:
            why = around_words(found, "after any of its lines")
        yield RuledOut(
            entity=findings.topology.root(signal.entity),
            summary=f"{capital(happened(signal))}, {counted(signal.total, 'log line')}",
            reason=why,
            test="burst scan" if steady else TEST,
            evidence=_cited(signal, citations),
        )


def _cited(signal: Signal, citations: Citations) -> tuple[str, ...]:
    refs = [(one.refs[0], one.start_s) for one in signal.occurrences if one.refs][:2]
    if sample := signal.attributes.get("sample"):
        refs = refs or [(ItemId(sample), 0.0)]
    return citations.cite_all(refs, entity=signal.entity)
