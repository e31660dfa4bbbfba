"""Test whether one signal follows another: lags, hits, misses, a p-value, and whether more brings more.

The null hypothesis: the cause's times have nothing to do with the effect's. Each cause is shifted, independently and
uniformly over the window; the chance that it is then followed by an effect within the lag range is the share of the
window that lies within that range before an effect, so the number of hits is binomial, exactly. The same is asked the
other way round (an effect shifted against the causes), and the larger p-value counts; with fewer than four causes the
smaller one, doubled. Causes that stay in force are
tested for the rate of effects before and after them instead. Leaves out which pairs are worth testing (``pairs``).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from bot.domain.link import LinkStatus, LinkTest
from bot.domain.signal import BACK
from bot.domain.window import Window
from bot.signals.doses import dose_of, lag_of
from bot.signals.mechanisms import Anchor
from bot.signals.statistics import binomial_tail, combined, covered_share
from bot.signals.trains import (
    DATED_S,
    LONG_S,
    UNSURE_S,
    Match,
    Range,
    Train,
    apart,
    begun,
    explained,
    matches,
    ramp_s,
    reach_of,
)

SUPPORTED_P = 0.05
"""Corrected p-value up to which a tie counts as shown."""
CHANCE_P = 0.2
"""Uncorrected p-value from which on a tie is what chance would give."""
TEST_SHIFT = "independently shifted times, binomial"
TEST_SINCE = "rate before and after, binomial"
TEST_NONE = "not tested"
NARROWER = (0.5, 0.25, 0.125, 0.0625)
"""Fractions of a lag range that are tried as well, widest first."""
LEAST_RANGE_S = 30.0
REPEATED = 4
"""Causes from which on repetition speaks for itself."""
BLIND = 0.01
"""The best p-value that shifted causes can reach, from which on asking that way tells nothing, whatever comes of it."""
SETTLES_S = 600.0
"""How long a change may take to be through with (``progressDeadlineSeconds`` of a Deployment)."""
EFFECT_GAP = 0.05
ONSET_S = 30.0
"""How exactly the onset of a fault can be dated: the first failure after it waits for the first request."""


def measure(cause: Train, effect: Train, lag: Range, window: Window) -> LinkTest:
    """Test whether ``effect`` follows ``cause`` within the lag range; not yet corrected for other pairs.

    The range is widened by what the two sources' clocks and steps leave open. Where all hits need only a fraction of
    it, the narrowest of a few fixed fractions that keeps them all is used, for a tie that always takes minutes is better
    shown than its range of hours tells; the p-value is multiplied by the number of fractions there were to choose from.
    """
    if not cause.occurrences or not effect.occurrences:
        none = _none_followed(len(cause.occurrences), len(effect.occurrences), replace(lag, anchor="start"))
        reason = "one of the two has no clear occurrence in the window"
        return replace(none, test=TEST_NONE, p_value=None, reason=reason)
    # what is noticed was noticed late as well, so that only what is known to the second is held against the begin of a wait
    effect = begun(effect) if cause.exact else effect
    test = _measured(cause, effect, lag, window)
    early_s = _too_early_s(cause, effect, lag, test)
    return replace(test, early_s=early_s) if early_s else test


def _too_early_s(cause: Train, effect: Train, lag: Range, test: LinkTest) -> float:
    """Give by how much a typical effect was seen before the lags allow it, where both are dated to the second."""
    if test.lag is None or max(cause.slack_s, effect.slack_s) > UNSURE_S:
        return 0.0
    grown_s = max(map(ramp_s, cause.occurrences)) if cause.measured else 0.0
    early_s = lag.low_s - grown_s - test.lag.median
    return early_s if early_s > DATED_S else 0.0


def _measured(cause: Train, effect: Train, lag: Range, window: Window) -> LinkTest:
    slack = cause.slack_s + effect.early_s
    wide = Range(low_s=lag.low_s - slack, high_s=lag.high_s + slack, anchor=lag.anchor)
    if lag.anchor == "since":
        return _test_since(cause, effect, wide, window)
    found = matches(cause, effect, wide)
    if not found:
        return _none_followed(len(cause.starts_s), len(effect.starts_s), wide)
    if len(found) < len(cause.starts_s) / 2:
        shifted = _shifted(cause, effect, wide, window)
        return _told(cause, effect, shifted, shifted.p_value)
    narrow, tried = _narrowed(cause, effect, found, lag, slack)
    shifted = _shifted(cause, effect, narrow, window)
    p_value = min(1.0, tried * shifted.p_value)
    onset = _by_onset(cause, effect, wide, window)
    if onset < 1.0 and len(cause.starts_s) == len(effect.starts_s) == 1:
        # of one and one, how close they lie is all there is: one look, chosen before
        return _told(cause, effect, shifted, onset)
    if onset >= 1.0:
        return _told(cause, effect, shifted, p_value)
    # two looks where there is an onset to be dated, of which the better is kept; the onset says nothing of a narrower range
    kept = shifted if p_value < onset else _shifted(cause, effect, wide, window)
    return _told(cause, effect, kept, min(1.0, 2 * min(p_value, onset)))


@lru_cache(maxsize=1 << 14)
def _none_followed(causes: int, effects: int, lag: Range) -> LinkTest:
    """Tell of a pair of which no cause was followed: no need to ask how likely so many hits are, and most pairs are so."""
    return LinkTest(
        status="untested",
        test=TEST_SHIFT,
        hits=0,
        misses=causes,
        unexplained=effects,
        lag=None,
        p_value=1.0,
        lag_range_s=(lag.low_s, lag.high_s),
        effects=effects,
        anchor=lag.anchor,
    )


def _narrowed(cause: Train, effect: Train, found: Sequence[Match], lag: Range, slack: float) -> tuple[Range, int]:
    """Give the narrowest range to choose from that keeps all hits, and among how many it was chosen.

    Lags of a lasting cause may count from its start alone, where all its effects begin with it.
    """
    anchors: list[Anchor] = ["start", lag.anchor] if lag.anchor == "during" else [lag.anchor]
    tried = len(anchors) * (1 + len(NARROWER))
    for anchor in anchors:
        ends = cause.ends_s if anchor in ("end", "during") else cause.starts_s
        needed = max(effect.starts_s[m.effect] - ends[m.cause] - slack for m in found)
        shares = [
            share for share in (1.0, *NARROWER) if lag.high_s * share >= max(needed, min(LEAST_RANGE_S, lag.high_s))
        ]
        if shares:
            return Range(low_s=lag.low_s - slack, high_s=lag.high_s * shares[-1] + slack, anchor=anchor), tried
    return Range(low_s=lag.low_s - slack, high_s=lag.high_s + slack, anchor=lag.anchor), tried


@lru_cache(maxsize=1 << 14)
def judge(test: LinkTest, p_value: float | None) -> LinkTest:
    """Put in the corrected p-value and say whether the tie is supported, refuted or left open.

    It is refuted where nothing followed, or where the numbers by themselves, uncorrected, are what chance would give: that
    many pairs were tried takes from what can be shown, and adds nothing to what is shown not to be.
    """
    status: LinkStatus = "untested"
    reason = test.reason
    if p_value is not None:
        if test.hits and p_value <= SUPPORTED_P:
            status = "supported"
        elif not test.hits:
            status, reason = "refuted", reason or "no effect follows it in time"
        elif (test.p_value or 0.0) > CHANCE_P and not test.reason:
            status, reason = "refuted", "it follows no more often than chance would have it"
    return replace(test, status=status, p_value=p_value, reason=reason)


@lru_cache(maxsize=1 << 14)
def left_open(test: LinkTest) -> LinkTest:
    """Leave a pair undecided that nothing led to: neither end is tied to the symptom, so nobody asked."""
    refuted = test.p_value is not None and not test.hits
    reason = test.reason or ("no effect follows it in time" if refuted else "neither end is tied to the symptom")
    return replace(test, status="refuted" if refuted else "untested", p_value=None, reason=reason)


class _Shifted(NamedTuple):
    """What was found of a pair in a range of lags, and the p-value against shifted times."""

    lag: Range
    found: Sequence[Match]
    told: int
    p_value: float


def _shifted(causes: Train, effects: Train, lag: Range, window: Window) -> _Shifted:
    start_s, end_s, count = window.start_s, window.end_s, len(causes.starts_s)
    reach = reach_of(causes, lag, start_s, end_s)
    found, told, typical = matches(causes, effects, lag), explained(reach.ordered, effects.starts_s), reach.typical_s
    before = [(start - typical, start) for start in effects.starts_s]
    open_to_chance = covered_share(before, start_s - typical, end_s)
    by_cause = binomial_tail(len(found), count, open_to_chance)
    if count < REPEATED or open_to_chance**count > BLIND:
        # a few causes, perhaps long ones: either way of asking may be blind, so the sharper counts, for two looks;
        # effects that stand close together beside a long cause are hardly independent of each other
        starts_s = apart(effects, EFFECT_GAP * typical)
        by_effect = binomial_tail(explained(reach.ordered, starts_s), len(starts_s), reach.covered)
        return _Shifted(lag, found, told, min(1.0, 2 * min(by_cause, by_effect)))
    by_effect = binomial_tail(told, len(effects.starts_s), reach.covered)
    return _Shifted(lag, found, told, max(by_cause, by_effect))


def _told(causes: Train, effects: Train, shifted: _Shifted, p_value: float) -> LinkTest:
    found, lag = shifted.found, shifted.lag
    return LinkTest(
        status="untested",
        test=TEST_SHIFT,
        hits=len(found),
        misses=len(causes.starts_s) - len(found),
        unexplained=len(effects.starts_s) - shifted.told,
        lag=lag_of([m.lag_s for m in found]),
        p_value=p_value,
        lag_range_s=(lag.low_s, lag.high_s),
        dose=dose_of([(causes.occurrences[m.cause].size, effects.occurrences[m.effect].size) for m in found]),
        effects=len(effects.starts_s),
        anchor=lag.anchor,
    )


def _by_onset(causes: Train, effects: Train, lag: Range, window: Window) -> float:
    """Give the chance that what had not been there before begins this soon after one of few causes; 1 for many causes.

    One fault in a short window has no repetition to count; what can be weighed is that nothing of it came before its
    cause, and how little of the window lies between the two. Of what acts by its end, as what is full, the end counts.
    """
    count, slack = len(causes.starts_s), max(ONSET_S, causes.slack_s + effects.slack_s)
    if count >= REPEATED:
        return 1.0
    onset = effects.starts_s[0]
    dated = causes.ends_s if lag.anchor == "end" else causes.starts_s
    before = [start for start in dated if start + lag.low_s <= onset]
    if len(before) != 1:
        return 1.0
    return min(1.0, count * max(slack, abs(onset - before[0])) / window.length_s)


def _test_since(causes: Train, effects: Train, lag: Range, window: Window) -> LinkTest:
    """Find the cause after which the effects came, and weigh how many came before it and how soon the first after.

    Two ways for chance to look like this: all effects falling after the cause by luck, and the first effect falling so
    soon after it by luck. The smaller of the two counts, doubled for having looked twice. Where the change was undone, that the
    effects ended with that by luck is a third, and independent of how they began.
    """
    best: tuple[float, int, Match] | None = None
    everything = effects
    for index, start, until, ways in _in_force(causes, window):
        effects, passed = _settled(everything, start, lag.low_s)
        total = len(effects.starts_s)
        first = bisect_left(effects.starts_s, start + lag.low_s)
        after = bisect_right(effects.starts_s, until) - first
        if after <= 0:
            continue
        delay = effects.starts_s[first] - start
        by_rate = len(causes.starts_s) * binomial_tail(after, total, max(1e-6, (until - start) / window.length_s))
        by_rate = max(by_rate, _since_onset(effects, start, until, after))
        # what came before as well did not set in with the cause, however soon after it the next one fell
        # any of several causes might have been the one that happened to come just before, or to stand at the right place
        by_onset = min(1.0, len(causes.starts_s) * max(ONSET_S, delay) / window.length_s) if after == total else 1.0
        # few effects have no rate, so that there is one look only
        # what is later than usual was looked for in so many more ranges
        looks = ways * max(1.0, delay / max(lag.high_s, 1.0))
        p_value = min(1.0, looks * (2 * min(by_rate, by_onset) if total >= REPEATED else by_onset))
        p_value = min(p_value, 2 * combined([p_value, _by_undoing(causes, everything, index, window)]))
        if best is None or p_value < best[0]:
            best = (p_value, after + passed, Match(index, first, delay))
    total = len(everything.starts_s)
    return LinkTest(
        status="untested",
        test=TEST_SINCE,
        hits=1 if best else 0,
        misses=len(causes.starts_s) - (1 if best else 0),
        unexplained=total - (best[1] if best else 0),
        lag=lag_of([best[2].lag_s]) if best else None,
        p_value=best[0] if best else 1.0,
        lag_range_s=(lag.low_s, lag.high_s),
        effects=total,
        anchor="since",
    )


def _by_undoing(causes: Train, effects: Train, index: int, window: Window) -> float:
    """Give the chance that all of the effects after a change end for good as close to its undoing as they do; 1 where it has none."""
    undoing = causes.occurrences[index + 1] if index + 1 < len(causes.occurrences) else None
    if undoing is None or not undoing.note.startswith(BACK):
        return 1.0
    last_s = max(effects.ends_s)
    apart_s = max(ONSET_S, undoing.start_s - last_s, last_s - undoing.end_s)
    return min(1.0, (undoing.end_s - undoing.start_s + 2.0 * apart_s) / window.length_s)


def _in_force(causes: Train, window: Window) -> list[tuple[int, float, float, int]]:
    """Give index, start and end of each time that a change was in force, and in how many ways it may have ended.

    The next of its kind may undo it, or leave what it broke as it is.
    """
    spans: list[tuple[int, float, float, int]] = []
    for index, start in enumerate(causes.starts_s):
        ends = dict.fromkeys((*causes.starts_s[index + 1 : index + 2], window.end_s))
        spans.extend((index, start, end, len(ends)) for end in ends)
    return spans


def _settled(effects: Train, start: float, low_s: float) -> tuple[Train, int]:
    """Leave out what came with a change itself and passed before anything else came, and say how many that were.

    Pods that start take CPU and answer slowly for minutes; that this came at once says nothing of what comes hours later.
    """
    first = bisect_left(effects.starts_s, start + low_s)
    if first + 1 >= len(effects.starts_s) or effects.starts_s[first + 1] <= start + LONG_S:
        return effects, 0
    if effects.starts_s[first] > start + SETTLES_S or effects.ends_s[first] > start + 2 * SETTLES_S:
        return effects, 0
    ones = (*effects.occurrences[:first], *effects.occurrences[first + 1 :])
    starts, ends = tuple(o.start_s for o in ones), tuple(o.end_s for o in ones)
    return replace(effects, occurrences=ones, starts_s=starts, ends_s=ends), 1


def _since_onset(effects: Train, start: float, until: float, after: int) -> float:
    """Give the chance that so many of the effects after the first fell behind a cause, where the first came before it.

    What set in before a change did not set in with it: from its own onset on, it must have come oftener after the change.
    """
    onset = effects.starts_s[0]
    if after == len(effects.starts_s) or onset >= start or until <= onset:
        return 0.0
    return binomial_tail(after, len(effects.starts_s) - 1, (until - start) / (until - onset))
