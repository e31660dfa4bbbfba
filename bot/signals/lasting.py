"""Test causes that last for hours a few times: their beginnings tell little, but where their stretches lie does.

What grows slowly is dated by when it stands out, so that neither the order of two beginnings nor the time between them
means much. Three things still can be asked: did the effects keep inside the cause's stretches; did they keep inside the
stretches in which it was worst; and did both begin and end together. Leaves out which pairs may be asked so (``pairs``).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from bot.domain.link import TEST_TOGETHER, LinkTest
from bot.domain.window import Window
from bot.signals.doses import lag_of
from bot.signals.links import SUPPORTED_P
from bot.signals.statistics import binomial_tail, covered_share
from bot.signals.trains import LONG_S, Match, Range, Train, explained, matches, spans_of

TEST_CONFINED = "confined to its stretches, binomial"
TEST_WORST = "confined to its worst stretches, binomial"
ALIKE = (0.5, 0.8)
"""Shares of their common extent that two stretches must have in common to be one and the same: each is tried."""
GROWN = 0.2
"""How much of its own length after the effect a cause may stand out that grew together with it."""

WITHIN_RUNS = 4
"""Effects from which on it is no luck that each began and ended within a run."""
LATE = 0.1
LEAST_LATE_S = 60.0
"""How long after a run its last request may still fail, as a share of the run."""
FILLED = 0.3
"""Share of a typical run that an effect fills: what is over in a moment ends within anything."""
LEAST_RUN_S = 60.0
SELDOM_RUNS = 0.25
"""Share of the window up to which runs leave room to fall outside of them."""
MOST_RUNS = 0.6
"""Share of the runs that must have had an effect."""
BREAK_S = 600.0
SHORT = 0.1
"""Breaks up to either, the latter as a share of what they part, do not end a stretch."""

Spans = Sequence[tuple[float, float]]


def lasting(test: LinkTest, cause: Train, effect: Train, lag: Range, window: Window) -> LinkTest:
    """Give the best of a test and of what can be asked of lasting causes; the p-value pays for the number of questions.

    A question that could not show anything, wherever the effects fell, is none, and is not paid for (Tarone 1990): that is
    told by how much of the window the stretches cover and by how many there are, before any effect is looked at.
    """
    if test.p_value is None:
        return test
    asked: list[tuple[float, LinkTest]] = []
    if _can_tell(_spans(cause), effect, window):
        asked.append((confined(cause, effect, lag, window), replace(test, test=TEST_CONFINED)))
    worst = [_inside(level, effect, window) for level in cause.levels if _can_tell(level, effect, window)]
    asked.extend((p_value, replace(test, test=TEST_WORST)) for p_value in worst)
    effects = _stretches(_spans(effect))
    if effects and _typical(effects) >= LONG_S:
        for level in (_spans(cause), *cause.levels):
            asked.extend(_together(test, _stretches(level), effects, window))
    if not asked:
        return test
    p_value, best = min(asked, key=lambda one: one[0])
    p_value = min(1.0, len(asked) * p_value)
    return test if p_value >= test.p_value else replace(best, p_value=p_value)


def askable(cause: Train, effect: Train, window: Window) -> bool:
    """Tell whether a cause lasts, and whether where its stretches lie could tell anything of so many effects."""
    if _typical(_stretches(_spans(cause))) < LONG_S:
        return False
    both_last = _typical(_stretches(_spans(effect))) >= LONG_S
    return both_last or any(_can_tell(level, effect, window) for level in (_spans(cause), *cause.levels))


def _can_tell(level: Spans, effect: Train, window: Window) -> bool:
    """Tell whether effects that all fell into the stretches could be more than chance."""
    most = min(len(level), len(effect.starts_s))
    share = covered_share(level, window.start_s, window.end_s)
    return binomial_tail(most, most, share) <= SUPPORTED_P


def within_runs(causes: Train, effects: Train, window: Window) -> bool:
    """Tell whether every effect began and ended within a run of the cause, and most runs had one; runs fill little of the window."""
    runs = _spans(causes)
    if len(effects.starts_s) < WITHIN_RUNS or covered_share(runs, window.start_s, window.end_s) > SELDOM_RUNS:
        return False
    slack_s, met, filled = causes.slack_s + effects.slack_s, set[int](), []
    for low, high in _spans(effects):
        place = bisect_right(causes.starts_s, low + effects.slack_s) - 1
        lasts_s = runs[place][1] - runs[place][0]
        if place < 0 or high > runs[place][1] + slack_s + max(LEAST_LATE_S, LATE * lasts_s):
            return False
        met.add(place)
        filled.append(high - low >= max(FILLED * lasts_s, LEAST_RUN_S * FILLED))
    return len(met) >= MOST_RUNS * len(runs) and 2 * sum(filled) > len(filled)


def confined(causes: Train, effects: Train, lag: Range, window: Window) -> float:
    """Give the chance that all effects fell by luck into the stretches of a cause that lasts.

    For what lasts most of a day neither its beginning nor how often it came tells much; that nothing happened outside of
    it does. Effects in one stretch count once, for they are one time that it held.
    """
    within = Range(low_s=lag.low_s, high_s=0.0, anchor=lag.anchor)
    spans = spans_of(causes, within)
    outside = len(effects.starts_s) - explained(sorted(spans), effects.starts_s)
    held = len({match.cause for match in matches(causes, effects, within)})
    return binomial_tail(held, held + outside, covered_share(spans, window.start_s, window.end_s))


def _inside(level: Spans, effect: Train, window: Window) -> float:
    """Give the chance that the effects began in the stretches of one level by luck; those in one stretch count once."""
    held: set[int] = set()
    outside = 0
    for start_s in effect.starts_s:
        place = next((at for at, (low, high) in enumerate(level) if low <= start_s <= high), None)
        if place is None:
            outside += 1
        else:
            held.add(place)
    return binomial_tail(len(held), len(held) + outside, covered_share(level, window.start_s, window.end_s))


def _together(test: LinkTest, causes: Spans, effects: Spans, window: Window) -> list[tuple[float, LinkTest]]:
    """Ask whether two things that both last begin and end together; nothing where either does not last.

    Each stretch is shifted independently and uniformly over the window; the chance that it then has as much in common
    with a stretch of the other is the share of shifts that leave it so, so the number of those that have is binomial at
    most (with unequal chances the binomial of their mean is the wider one; Hoeffding 1956).
    """
    if _typical(causes) < LONG_S:
        return []
    found = []
    for share in ALIKE:
        pairs = _alike(causes, effects, share)
        p_value = max(
            _by_luck(len({pair.effect for pair in pairs}), effects, causes, share, window),
            _by_luck(len({pair.cause for pair in pairs}), causes, effects, share, window),
        )
        found.append((p_value, _told(test, pairs, causes, effects) if pairs else test))
    return found


def _spans(train: Train) -> Spans:
    return tuple(zip(train.starts_s, train.ends_s, strict=True))


def _stretches(spans: Spans) -> Spans:
    """Join what a short break parts: a break is short against what it parts."""
    return _joined(spans, max(BREAK_S, SHORT * _typical(_joined(spans, BREAK_S))))


def _joined(spans: Spans, gap_s: float) -> Spans:
    joined: list[tuple[float, float]] = []
    for low, high in spans:
        if joined and low - joined[-1][1] <= gap_s:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _typical(spans: Spans) -> float:
    """Give the length of the stretch in which the middle of all their time lies: flickers at the edges take little of it."""
    lengths = sorted(high - low for low, high in spans)
    half = sum(lengths) / 2.0
    return next((length for length, sofar in zip(lengths, accumulate(lengths), strict=True) if sofar >= half), 0.0)


def _alike(causes: Spans, effects: Spans, share: float) -> list[Match]:
    """Pair stretches that have at least this share of their common extent in common, the cause not much later."""
    return [
        Match(at, place, start - begin)
        for place, (start, end) in enumerate(effects)
        for at, (begin, until) in enumerate(causes)
        if min(end, until) - max(start, begin) >= share * (max(end, until) - min(start, begin))
        and begin - start <= GROWN * (until - begin)
    ]


def _by_luck(met: int, shifted: Spans, fixed: Spans, share: float, window: Window) -> float:
    room = max(window.length_s, 1.0)
    chances = [min(1.0, sum(_room(high - low, b - a, share) for a, b in fixed) / room) for low, high in shifted]
    return binomial_tail(met, len(shifted), sum(chances) / len(chances))


def _room(first: float, second: float, share: float) -> float:
    """Give over how many seconds a stretch can be shifted and still have this share in common with another."""
    short, long = min(first, second), max(first, second)
    needed = share * (short + long) / (1.0 + share)
    return 0.0 if needed > short else (long - short) + 2.0 * (short - needed)


def _told(test: LinkTest, pairs: Sequence[Match], causes: Spans, effects: Spans) -> LinkTest:
    lags = sorted(pair.lag_s for pair in pairs)
    hits = len({pair.cause for pair in pairs})
    low, high = test.lag_range_s
    return replace(
        test,
        test=TEST_TOGETHER,
        hits=hits,
        misses=len(causes) - hits,
        unexplained=len(effects) - len({pair.effect for pair in pairs}),
        effects=len(effects),
        lag=lag_of(lags),
        lag_range_s=(min(low, lags[0]), max(high, lags[-1])),
    )
