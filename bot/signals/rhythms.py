"""Ask a tie again with the beat held fixed that both ends keep: the hour, the week, or the period of either.

The null hypothesis: a clock, and not the cause, sets the effect's times. Of what comes on the same beat, its coming on it says
nothing; what still can tell is what one beat has and the next has not:

- which beats were *left out*: does the effect stay away where the cause did? Fisher's exact test over the beats, and, as what
  goes on or rests for many beats in a row is no independent choice each time, the share of other orders of the cause's runs
  and pauses that would meet as often; the larger p-value counts.
- who is *early or late*: does the effect come late where the cause came, or ended, late? Spearman's rank correlation of how far
  both are off the beat. Asked the other way round it speaks for the clock: where the cause's lateness goes off the lag one for
  one, the effect did not wait for it.
- *how much*: does more of the cause, or a longer one, go with more of the effect, apart from the time of day?

Each is asked only where its best answer would tell, and they are combined by the product of their p-values (Fisher 1932). Where
both ends keep a beat exactly and never miss one, no window can tell a clock from a cause, and that is the answer. Leaves out the
day, which more than clocks keep (``cycles``).
"""

from collections import defaultdict
from collections.abc import Sequence, Set as AbstractSet
from dataclasses import dataclass
from math import atan2, cos, log, pi, sin
from statistics import median

import numpy as np
from numpy.typing import NDArray

from bot.domain.link import Held, LinkTest
from bot.domain.spelling import beat
from bot.domain.window import Window
from bot.signals.links import BLIND, CHANCE_P, SUPPORTED_P
from bot.signals.statistics import combined, fisher_exact, rayleigh, spearman
from bot.signals.trains import LONG_S, Train, range_of

HOUR_S, DAY_S, WEEK_S = 3600.0, 86_400.0, 604_800.0
EVEN_S = (
    900.0,
    1200.0,
    1800.0,
    HOUR_S,
    2 * HOUR_S,
    3 * HOUR_S,
    4 * HOUR_S,
    6 * HOUR_S,
    8 * HOUR_S,
    12 * HOUR_S,
    WEEK_S,
)
"""Intervals that people put into schedules; the day is asked about elsewhere."""
LEAST_BEATS = 4
FOLLOWS_P = 0.01
"""P-value up to which something keeps a beat, and a tie stands beside it: of two things on one beat more is asked."""
ALIKE = 0.02
"""Periods that differ by this share of them are one."""
CROWDED = 1.25
"""Occurrences in an occupied beat from which on a train has a faster beat than this one."""
LEAST_PAIRS = 8
LEAST_PAUSES = 2
DRAWS = 499
APART_S = 10.0
"""How far times off the beat must spread, at least, to be compared."""
EXACT_S = 5.0


@dataclass(frozen=True, slots=True)
class Beats:
    """Which beats of a window each end came on, by number, and the pairs that met on one."""

    period_s: float
    causes: AbstractSet[int]
    effects: AbstractSet[int]
    met: tuple[tuple[int, int], ...]
    """Cause and effect, by index, on every beat that both came on: whatever lies between them, or late would go with late by that."""


def by_rhythm(
    causes: Train, effects: Train, test: LinkTest, window: Window, own_s: Sequence[float] = ()
) -> Held | None:
    """Ask a tie with the longest beat held fixed that both ends keep; None where they keep none, or too few beats of it.

    ``own_s`` are the periods (seconds) that either end is known to have.
    """
    if test.anchor == "since" or test.lag is None:
        return None
    period_s = _shared(causes, effects, window, own_s)
    if period_s is None:
        return None
    beats = _beats(causes, effects, test, window, period_s)
    missed = _left_out(beats)
    looks = [p for p in (missed, _late(causes, effects, beats), _dose(causes, effects, beats)) if p is not None]
    name = beat(period_s)
    p_value = combined(looks) if looks else None
    clock = (missed or 0.0) > CHANCE_P or _waits_for_none(causes, effects, beats, test.lag_range_s[1])
    if p_value is not None and p_value <= FOLLOWS_P and not clock:
        return Held(verdict="stays", p_value=p_value, reason=f"stays with {name} held fixed", beat_s=period_s)
    if (p_value is None or p_value > FOLLOWS_P) and clock:
        told = f"both keep {name}, and nothing is left of it beyond that"
        return Held(verdict="explained", p_value=p_value, reason=told, beat_s=period_s)
    told = f"both keep {name}, so that the window cannot tell the one from a clock that sets both"
    return Held(verdict="cannot_tell", p_value=p_value, reason=told, beat_s=period_s)


def _shared(causes: Train, effects: Train, window: Window, own_s: Sequence[float]) -> float | None:
    """Give the longest beat that both keep, each at most about once a beat."""
    if min(len(causes.starts_s), len(effects.starts_s)) < LEAST_BEATS:
        return None
    asked = sorted({*EVEN_S, *own_s}, reverse=True)
    for period_s in asked:
        if window.length_s < LEAST_BEATS * period_s or _alike(period_s, DAY_S) or period_s < min(EVEN_S):
            continue
        if all(_keeps(train, period_s, len(asked)) for train in (causes, effects)):
            return period_s
    return None


def _alike(one_s: float, other_s: float) -> bool:
    return abs(one_s - other_s) <= ALIKE * other_s


def _keeps(train: Train, period_s: float, asked: int) -> bool:
    if asked * rayleigh(train.starts_s, period_s) > FOLLOWS_P:
        return False
    phase = _phase(train.starts_s, period_s)
    return len(train.starts_s) <= CROWDED * len({_beat(start, phase, period_s) for start in train.starts_s})


def _phase(times_s: Sequence[float], period_s: float) -> float:
    """Give the mean phase of times, in seconds after a multiple of the period."""
    turns = [2.0 * pi * (at % period_s) / period_s for at in times_s]
    return atan2(sum(map(sin, turns)), sum(map(cos, turns))) / (2.0 * pi) * period_s


def _beat(at_s: float, phase_s: float, period_s: float) -> int:
    return round((at_s - phase_s) / period_s)


def _beats(causes: Train, effects: Train, test: LinkTest, window: Window, period_s: float) -> Beats:
    """Number the beats of a window by the cause's phase; an effect belongs to the beat whose cause it would follow."""
    lag = range_of(test)
    begins = causes.ends_s if lag.anchor == "end" else causes.starts_s
    phase, off = _phase(begins, period_s), _phase(effects.starts_s, period_s)
    typical = test.lag.median if test.lag else 0.0
    after = off - phase + period_s * round((typical - off + phase) / period_s)
    first = _beat(window.start_s + period_s / 2, phase, period_s)
    last = _beat(window.end_s - period_s / 2 - max(after, 0.0), phase, period_s)
    inside = frozenset(range(first, last + 1))
    came = _first_on(begins, phase, period_s)
    felt = _first_on([at - after for at in effects.starts_s], phase, period_s)
    met = tuple((came[beat], felt[beat]) for beat in sorted(came.keys() & felt.keys() & inside))
    return Beats(period_s, came.keys() & inside, felt.keys() & inside, met)


def _first_on(times_s: Sequence[float], phase_s: float, period_s: float) -> dict[int, int]:
    """Give the first of ascending times on each beat, by its index."""
    found: dict[int, int] = {}
    for index, at_s in enumerate(times_s):
        found.setdefault(_beat(at_s, phase_s, period_s), index)
    return found


def _left_out(beats: Beats) -> float | None:
    """Give the chance that the beats that both came on, or both left out, meet as well as they do; None where it is blind.

    Beats before both began and after both ended are none, and a single pause of either may be that of everything.
    """
    numbers = beats.causes | beats.effects
    if not numbers:
        return None
    span = range(min(numbers), max(numbers) + 1)
    came, felt = (np.array([beat in train for beat in span]) for train in (beats.causes, beats.effects))
    first, second, both = int(came.sum()), int(felt.sum()), int((came & felt).sum())
    if (
        min(_pauses(came), _pauses(felt)) < LEAST_PAUSES
        or _fisher(min(first, second), first, second, len(span)) > BLIND
    ):
        return None
    if _reordered(came, came, first) > SUPPORTED_P:
        return None  # runs and pauses that are all alike are a longer beat: no other order differs from this one
    by_beat = _fisher(both, first, second, len(span))
    return by_beat if by_beat > SUPPORTED_P else max(by_beat, _reordered(came, felt, both))


def _pauses(came: NDArray[np.bool_]) -> int:
    """Count the stretches of beats that were left out."""
    return int((~came & np.concatenate(([True], came[:-1]))).sum())


def _reordered(came: NDArray[np.bool_], felt: NDArray[np.bool_], both: int) -> float:
    """Give the share of draws that meet as often where the cause's runs of beats, and its pauses, come in any other order."""
    edges = np.flatnonzero(np.concatenate(([True], came[1:] != came[:-1])))
    lengths = np.diff(np.append(edges, len(came)))
    draw, met = np.random.default_rng(0), 0
    for _ in range(DRAWS):
        lengths[::2], lengths[1::2] = draw.permutation(lengths[::2]), draw.permutation(lengths[1::2])
        on = np.arange(len(lengths)) % 2 == (0 if came[0] else 1)
        met += int((np.repeat(on, lengths) & felt).sum()) >= both
    return (1 + met) / (1 + DRAWS)


def _fisher(both: int, first: int, second: int, total: int) -> float:
    return fisher_exact(both, first - both, second - both, total - first - second + both)


def _late(causes: Train, effects: Train, beats: Beats) -> float | None:
    """Give how well lateness goes with lateness; None where times are too coarse, or either end is never late.

    An effect may wait for a cause's beginning or for its end, or end when it ends: the best of these looks counts.
    """
    looks = [
        spearman(came, felt)[1] for came, felt in (*_lateness(causes, effects, beats), *_ends(causes, effects, beats))
    ]
    return min(1.0, len(looks) * min(looks)) if looks else None


def _waits_for_none(causes: Train, effects: Train, beats: Beats, high_s: float) -> bool:
    """Tell whether the cause's lateness goes off the lag, both from its beginning and from its end: the effect did not wait for it.

    Only of what is dated exactly, for times that are off seem to come off the lag by that alone; and not of a cause whose
    effects may take hours, which is no trigger but a condition.
    """
    if high_s > LONG_S or causes.slack_s + effects.slack_s > 2 * EXACT_S:
        return False
    looks = _lateness(causes, effects, beats)
    lasts = causes.ends_s != causes.starts_s
    return len(looks) == 1 + lasts and all(
        spearman(came, [a - b for a, b in zip(came, felt, strict=True)])[1] <= FOLLOWS_P for came, felt in looks
    )


Lateness = tuple[list[float], list[float]]
"""How far causes, and their effects, are off the beat, in seconds."""


def _lateness(causes: Train, effects: Train, beats: Beats) -> list[Lateness]:
    """Give how far the begins and, where they last, the ends of causes are off the beat beside their effects, if they are at all."""
    ends = (causes.ends_s,) if causes.ends_s != causes.starts_s else ()
    found = (_off(times, effects.starts_s, causes, effects, beats) for times in (causes.starts_s, *ends))
    return [one for one in found if one is not None]


def _ends(causes: Train, effects: Train, beats: Beats) -> list[Lateness]:
    if causes.ends_s == causes.starts_s or effects.ends_s == effects.starts_s:
        return []
    found = _off(causes.ends_s, effects.ends_s, causes, effects, beats)
    return [] if found is None else [found]


def _off(
    came_s: Sequence[float], felt_s: Sequence[float], causes: Train, effects: Train, beats: Beats
) -> Lateness | None:
    if len(beats.met) < LEAST_PAIRS:
        return None
    came = _off_beat([came_s[cause] for cause, _ in beats.met], beats.period_s)
    felt = _off_beat([felt_s[effect] for _, effect in beats.met], beats.period_s)
    least_s = max(APART_S, causes.slack_s + effects.slack_s)
    return (came, felt) if min(max(came) - min(came), max(felt) - min(felt)) > least_s else None


def _off_beat(times_s: Sequence[float], period_s: float) -> list[float]:
    phase = _phase(times_s, period_s)
    return [at - phase - period_s * _beat(at, phase, period_s) for at in times_s]


def _dose(causes: Train, effects: Train, beats: Beats) -> float | None:
    """Give how well more goes with more among what meets at one time of day; None where either is always the same."""
    if len(beats.met) < LEAST_PAIRS:
        return None
    much = [effects.occurrences[effect].size for _, effect in beats.met]
    looks = []
    for given in (
        [causes.occurrences[cause].size for cause, _ in beats.met],
        [causes.ends_s[cause] - causes.starts_s[cause] for cause, _ in beats.met],
    ):
        hours = [causes.starts_s[cause] % DAY_S // HOUR_S for cause, _ in beats.met]
        if min(len(set(given)), len(set(much))) >= LEAST_PAIRS / 2:
            looks.append(spearman(_beside(given, hours), _beside(much, hours))[1])
    return min(1.0, len(looks) * min(looks)) if looks else None


def _beside(values: Sequence[float], hours: Sequence[float]) -> list[float]:
    """Give by how much each value exceeds what is usual at its hour of the day, on a log scale."""
    by_hour: defaultdict[float, list[float]] = defaultdict(list)
    told = [log(max(value, 1e-9)) for value in values]
    for value, hour in zip(told, hours, strict=True):
        by_hour[hour].append(value)
    return [value - median(by_hour[hour]) for value, hour in zip(told, hours, strict=True)]
