"""Ask a tie again with the time of day held fixed: what follows the daily traffic is not tied by following it together.

The null hypothesis: of two things that come on many days, which day it is says nothing; each cause keeps its very time of
day and falls on any day of the window. It is followed by an effect with a chance of its own, the share of days on which an
effect stands there, so that the number of hits is a sum of independent tries, whose tail is exact. Nothing need be known of
the shape of a day, and few events make for a large p-value, never for a wrong one.

What comes at the same minute each day leaves days little to tell. Then each cause may move by ten minutes as well, for no
traffic keeps its time better than that, so that a tie within seconds still shows; and by an hour where a job of the case
sets the beat, for then it is known what keeps the hour. Leaves out the week, which a window of days does not hold often
enough.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bot.domain.link import Held, LinkTest
from bot.domain.window import Window
from bot.signals.levels import median
from bot.signals.links import BLIND, CHANCE_P, SUPPORTED_P, TEST_SHIFT
from bot.signals.statistics import count_tail, rayleigh
from bot.signals.trains import Range, Train, matches, range_of, spans_of

DAY_S = 86_400.0
LEAST_DAYS = 3
FOLLOWS_P = 0.01
HARMONICS = (1, 2)
"""A day of traffic has one peak or two."""
HOUR_S = 3600.0
MINUTES_S = 600.0
"""How exactly daily traffic keeps its time."""
STEPS = 30
ALIKE_S = 30.0
"""Lags no further apart than this are one lag."""
NARROWINGS = 10.0
"""Ranges of lags among which the one that is asked about was chosen, where most causes were followed at all."""
PACED_SHARE = 0.8


def by_time_of_day(
    causes: Train, effects: Train, test: LinkTest, window: Window, schedules: Sequence[Train]
) -> Held | None:
    """Ask a tie with the time of day held fixed; None where both do not keep hours, or come on too few days to ask.

    ``schedules`` are the runs of scheduled jobs.
    """
    if test.anchor == "since" or min(_days(causes, window), _days(effects, window)) < LEAST_DAYS:
        return None
    lag = range_of(test)
    daily = keeps_hours(causes) and keeps_hours(effects)
    what = "time of day"
    p_value, best = held(causes, effects, lag, window)
    if p_value > SUPPORTED_P:
        paced = not daily or _paced(causes, schedules)
        around, best_around = held(causes, effects, lag, window, around_s=HOUR_S if paced else MINUTES_S)
        if around < p_value:
            what = "hour of the day" if paced else "time of day, give or take ten minutes,"
            p_value, best = min(1.0, 2 * around), best_around  # asked in two ways, of which one is kept
    if p_value > SUPPORTED_P and daily:
        alike = min(1.0, 3 * _as_the_first(causes, effects, lag, window))
        if alike < p_value:
            what, p_value, best = "time of day, give or take ten minutes,", alike, min(best, alike)
    fixed = f"with the {what} held fixed"
    if p_value <= SUPPORTED_P:
        return Held(verdict="stays", p_value=p_value, reason=f"stays {fixed}")
    if not daily:
        return None  # what keeps no hours cannot be made by them; this way of asking is merely weaker
    if best > BLIND:
        told = "both come at the same time of each day, so that the daily cycle cannot be told from a tie"
        return Held(verdict="cannot_tell", p_value=None, reason=told)
    if p_value > CHANCE_P and test.test == TEST_SHIFT:  # what lasts for hours is not dated by its beginnings
        return Held(
            verdict="explained", p_value=p_value, reason=f"explained by the daily cycle: nothing is left of it {fixed}"
        )
    return Held(verdict="cannot_tell", p_value=p_value, reason=f"too little is left of it {fixed} to tell")


def _as_the_first(causes: Train, effects: Train, lag: Range, window: Window) -> float:
    """Give the chance that the others follow as long after as the first did, the time of day held to ten minutes.

    The first lag is taken for granted and says where the others are looked for, so that it costs nothing to have looked.
    """
    first = next(iter(matches(causes, effects, lag)), None)
    if first is None:
        return 1.0
    others = causes.occurrences[: first.cause] + causes.occurrences[first.cause + 1 :]
    rest = replace(
        causes, occurrences=others, starts_s=tuple(o.start_s for o in others), ends_s=tuple(o.end_s for o in others)
    )
    around_s = max(ALIKE_S, causes.slack_s + effects.slack_s)
    near = Range(
        low_s=first.lag_s - around_s, high_s=first.lag_s + around_s, anchor="end" if lag.anchor == "end" else "start"
    )
    return held(rest, effects, near, window, around_s=MINUTES_S, tried=1.0)[0]


def keeps_hours(train: Train) -> bool:
    """Tell whether something comes more at some times of the day than at others."""
    chance = min(rayleigh(train.starts_s, DAY_S / harmonic) for harmonic in HARMONICS)
    return len(HARMONICS) * chance <= FOLLOWS_P


def held(
    causes: Train, effects: Train, lag: Range, window: Window, *, around_s: float = 0.0, tried: float | None = None
) -> tuple[float, float]:
    """Give the p-value of the hits with the time of day held fixed, and the best that any number of hits could reach.

    Each cause falls on any day of the window at its own time of day, give or take ``around_s`` seconds. The p-values pay for
    the ranges of lags that were ``tried``.
    """
    starts = np.asarray(causes.starts_s)
    spans = np.asarray(spans_of(causes, lag)) - starts[:, None]
    felt = np.asarray(effects.starts_s)
    days = np.arange(-int(window.length_s // DAY_S) - 1, int(window.length_s // DAY_S) + 2) * DAY_S
    steps = np.linspace(-around_s, around_s, 2 * STEPS + 1) if around_s else np.zeros(1)
    moved = starts[:, None, None] + days[None, :, None] + steps[None, None, :]
    inside = (moved >= window.start_s) & (moved < window.end_s)
    # a cause that another clock dates just outside of the window stays where it is
    inside |= (days[None, :, None] == 0.0) & (steps[None, None, :] == 0.0)
    first = np.searchsorted(felt, moved + spans[:, 0, None, None], side="left")
    beyond = np.searchsorted(felt, moved + spans[:, 1, None, None], side="right")
    shares = ((beyond > first) & inside).sum(axis=(1, 2)) / inside.sum(axis=(1, 2))
    chances = np.minimum(shares, 1.0).tolist()
    hits, best = len(matches(causes, effects, lag)), count_tail(len(chances), chances)
    if tried is None:
        tried = NARROWINGS if 2 * hits >= len(chances) else 1.0
    return min(1.0, tried * count_tail(hits, chances)), min(1.0, tried * best)


def _days(train: Train, window: Window) -> int:
    if len(train.starts_s) < LEAST_DAYS:
        return len(train.starts_s)  # too few days whatever they are, and most pairs have no more
    start_s = window.start_s
    return len({int((start - start_s) // DAY_S) for start in train.starts_s})


def _paced(causes: Train, schedules: Sequence[Train]) -> bool:
    """Tell whether a job sets the beat: nearly every cause begins while one job runs or within the hour after, each time alike."""
    for job in schedules:
        after = []
        for start in causes.starts_s:
            place = int(np.searchsorted(np.asarray(job.starts_s), start + causes.slack_s, side="right")) - 1
            if place >= 0 and start <= job.ends_s[place] + HOUR_S:
                after.append(start - job.starts_s[place])
        if len(after) >= PACED_SHARE * len(causes.starts_s) and _alike(after):
            return True
    return False


def _alike(lags_s: Sequence[float]) -> bool:
    lags = np.asarray(lags_s)
    return median(np.abs(lags - median(lags))) <= HOUR_S / 4
