"""What stood near and cannot be judged: neither part of the answer nor ruled out, and what the tests could not see.

A test sees what follows within its reach, and how often. What stays in force or uses something up may show hours later, and what
came once or twice may follow by a chance that no such few times could ever fall under. Neither is cleared by a test that looked
for neither. Leaves out what a test does clear.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from bot.analyst.confidence import CLOSE
from bot.analyst.findings import Findings
from bot.analyst.undone import SETTLES_S, undoing_of
from bot.analyst.words import clock_s, counted, p_words
from bot.domain.link import Chain, Link, LinkTest
from bot.domain.signal import Kind, Occurrence, Signal, Topology
from bot.domain.spelling import length

FITS = "times fit"
"""What a reason says of something that the symptom follows beyond chance."""
STAYS = frozenset({Kind.ROLLOUT, Kind.RELOAD, Kind.CONFIG_CHANGE, Kind.SECRET_CHANGE})
"""What is in force until it is undone."""
NEW_AFTER = 1.5
"""Gaps between a job's runs that the window must show without one before its first run counts as the first ever."""
MAY_BE_P = 0.25
"""Chance up to which few times that were followed are not told from chance; above it they are as chance has them."""


def cannot_tell(findings: Findings, signal: Signal, link: Link, chain: Chain | None, *, known: bool) -> str | None:
    """Say why the tests cannot tell whether a thing beside the cascade had a part in it; None where they can.

    ``known``: whether the cause was established, by ``chain``.
    """
    symptom = findings.symptom
    if symptom is None or not signal.occurrences:
        return None
    return (
        _beside_a_cause(findings, signal, link.test, chain)
        if known and chain is not None
        else _open(findings, signal, link.test)
    )


def _beside_a_cause(findings: Findings, signal: Signal, test: LinkTest, chain: Chain) -> str | None:
    if signal.kind is Kind.JOB_RUN and met(signal, [chain.root], findings.signals.values(), findings.topology):
        return (
            f"its own lines are where {chain.root.entity.name} was first seen to fail: whether it brought that about or only "
            "met it was not tested"
        )
    beginnings = (one.root for one in findings.chains if one.score >= CLOSE * chain.score)  # these fit nearly as well
    places = {findings.topology.root(one.entity) for one in (*chain.signals, *beginnings)}
    changed = signal.kind in STAYS and findings.topology.root(signal.entity) in places
    if changed and chain.root.kind not in STAYS and _before_all(signal, chain.symptom):
        return (
            f"{_all(len(chain.symptom.occurrences))} came after it and none before; it stays in force, so a test of what "
            "follows at once cannot clear it"
        )
    if test.status == "supported" and _covers(test):
        return f"{_followed(test)} ({p_words(test.p_value)}): its {FITS}, too, and they alone do not tell it from the cascade"
    return None


def _open(findings: Findings, signal: Signal, test: LinkTest) -> str | None:
    symptom = findings.symptom
    assert symptom is not None
    if not (signal.kind in STAYS or signal.kind is Kind.JOB_RUN) and _at_the_symptom(findings, signal):
        return None  # how the symptom itself shows
    if test.status == "supported" and _covers(test):
        return f"{_followed(test)} ({p_words(test.p_value)}): its {FITS}, but no cause was established"
    if (back := _ended_with_its_undoing(signal, symptom)) is not None:
        return f"it was undone at {clock_s(back.start_s)}, and the symptom ended then: its {FITS}, but how it acted was not seen"
    stays = signal.kind in STAYS and _before_all(signal, symptom)
    if stays or _new_job(findings, signal):
        then = f"{_followed(test)}, as it may by chance ({p_words(test.p_value)})"
        why = "it stays in force" if stays else "it may use something up or leave something behind"
        then = then if test.hits else _nothing_near(test, signal, symptom)
        return f"{then}; {why}, and whether that shows hours later was not tested"
    if test.hits and _covers(test) and test.p_value is not None and test.p_value <= MAY_BE_P:
        return f"{_followed(test)}, by chance alone that likely: {p_words(test.p_value)}; too few times to tell"
    return None


def met(signal: Signal, heads: Sequence[Signal], signals: Iterable[Signal], topology: Topology) -> bool:
    """Tell whether what a cascade begins with, all of it elsewhere, is known from lines of a thing's own pods, written after it began."""
    place, begun_s = topology.root(signal.entity), signal.occurrences[0].start_s
    heads = [one for one in heads if one.occurrences]
    if any(topology.root(one.entity) == place or one.occurrences[0].start_s < begun_s for one in heads):
        return False
    own = {
        ref for one in signals if topology.root(one.entity) == place for each in one.occurrences for ref in each.refs
    }
    seen = [each.refs[0] for one in heads for each in one.occurrences if each.refs]
    return bool(seen) and own.issuperset(seen)


def _at_the_symptom(findings: Findings, signal: Signal) -> bool:
    symptom = findings.symptom
    return symptom is not None and findings.topology.root(signal.entity) == findings.topology.root(symptom.entity)


def _before_all(signal: Signal, symptom: Signal) -> bool:
    return signal.occurrences[-1].start_s <= symptom.occurrences[0].start_s


def _new_job(findings: Findings, signal: Signal) -> bool:
    """Tell a job that began to run within the window, before the symptom did: what ran all along had its time to do harm."""
    symptom = findings.symptom
    if symptom is None or signal.kind is not Kind.JOB_RUN:
        return False
    starts = [one.start_s for one in signal.occurrences]
    gap_s = median(later - sooner for sooner, later in pairwise(starts)) if len(starts) > 1 else 0.0
    new = starts[0] - findings.window.start_s > NEW_AFTER * gap_s
    return new and starts[0] <= symptom.occurrences[0].start_s


def _ended_with_its_undoing(signal: Signal, symptom: Signal) -> Occurrence | None:
    """Give the undoing of a change that stood before all episodes and with which the last of them ended; None where there is none."""
    first_s, end_s = symptom.occurrences[0].start_s, symptom.occurrences[-1].end_s
    at = max((n for n, one in enumerate(signal.occurrences) if one.start_s <= first_s), default=None)
    back = undoing_of(signal, at) if at is not None and signal.kind in STAYS else None
    return back if back is not None and -SETTLES_S <= end_s - back.start_s <= SETTLES_S else None


def _covers(test: LinkTest) -> bool:
    """Tell what at least half of its times were followed, and half of the episodes came after."""
    return test.hits * 2 >= test.hits + test.misses and test.unexplained * 2 <= max(test.effects, 1)


def _followed(test: LinkTest) -> str:
    count = test.hits + test.misses
    return "an episode followed it" if count == 1 else f"an episode followed {test.hits} of {count}"


def _nothing_near(test: LinkTest, signal: Signal, symptom: Signal) -> str:
    reach_s = test.lag_range_s[1]
    reach = length(reach_s - reach_s % 60 if reach_s >= 60 else reach_s)
    after = "it" if len(signal.occurrences) == 1 else f"any of the {len(signal.occurrences)}"
    one = len(symptom.occurrences) == 1
    began = "the one episode did not begin" if one else f"none of the {len(symptom.occurrences)} episodes began"
    return f"{began} within {reach} after {after}"


def _all(episodes: int) -> str:
    return "the one episode" if episodes == 1 else f"all {counted(episodes, 'episode')}"
