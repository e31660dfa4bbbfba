"""Tell whether a train of events, or a series, repeats, and at which period.

Events: candidate periods come from the gaps and from the intervals people put into schedules; each is fitted to the train
(least squares over beat numbers) and judged by a binomial tail against events at random times, corrected for the
candidates tried. Left out: cron expressions (a schedule that is written down needs no guess).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bot.domain.window import Window
from bot.signals.grids import grid_of
from bot.signals.levels import Floats, dot, fast_length, finite, median, robust_level

_SCHEDULES_S = tuple(60.0 * m for m in (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440, 10080))
_MIN_EVENTS = 4
_MAX_CHANCE = 1e-3
_MIN_HIT_RATE = 0.7
_MAX_EVENTS = 2000
CLEAR = 0.6
"""How like itself a series must be a period later for it to be said that it repeats."""
_LEAST_IN_STEP = 0.3
"""Length of the mean of the events' places on a candidate's circle, 1 where all fall on one beat"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Beats at ``phase_s + n * period_s`` (epoch seconds); ``strength`` 0..1: share of beats hit times share of events on one."""

    period_s: float
    phase_s: float
    strength: float


def event_period(times_s: Floats, window: Window) -> Period | None:
    """Find the period of a train of instants (epoch seconds), or None where chance explains it."""
    times = np.unique(np.asarray(times_s, dtype=np.float64))
    if not _MIN_EVENTS <= len(times) <= _MAX_EVENTS:
        return None
    candidates = _candidates(times)
    best: tuple[float, Period] | None = None
    # candidates with which the events do not keep step at all, and there most are, cost little together
    turns = np.exp(2j * np.pi * (times - times[0]) / np.array(candidates)[:, np.newaxis]).mean(axis=1)
    for start, turn in zip(candidates, turns, strict=True):
        fitted = _fit(times, start, complex(turn)) if abs(turn) >= _LEAST_IN_STEP else None
        if fitted is None:
            continue
        chance, period = _judge(times, *fitted, window)
        chance *= len(candidates)
        if chance > _MAX_CHANCE or period.strength < 0.5:
            continue
        # the strongest wins; of equals the longest, or half the true period would do as well with half its beats empty
        if best is None or (round(period.strength, 2), period.period_s) > (
            round(best[1].strength, 2),
            best[1].period_s,
        ):
            best = (chance, period)
    return best[1] if best else None


def _candidates(times: Floats) -> list[float]:
    span = float(times[-1] - times[0])
    gaps = np.diff(times)
    guesses = [median(gaps), *(float(q) for q in np.quantile(gaps, (0.25, 0.4, 0.6, 0.75, 0.9)))]
    # bursts on every beat: the gaps between bursts
    guesses += [median(gaps[gaps > share * gaps.max()]) for share in (0.1, 0.3, 0.5)]
    guesses += [guess / part for guess in guesses[:1] for part in (2, 3)]
    guesses += _SCHEDULES_S
    shortest = max(30.0, span / 2000)
    return sorted({float(round(guess, 1)) for guess in guesses if shortest <= guess <= span / (_MIN_EVENTS - 1.5)})


def _fit(times: Floats, period: float, turn: complex) -> tuple[float, float] | None:
    """Refine a period and its phase: number the beats, fit a line through them, drop what lies off, again."""
    phase = float(times[0]) + float(np.angle(turn)) / (2 * math.pi) * period
    known: tuple[bytes, bytes] | None = None
    for _ in range(4):
        since = times - phase
        beats = np.round(since / period)
        near = np.abs(since - beats * period) <= 0.25 * period
        kept, at = beats[near], times[near]
        if len(kept) < 3 or kept[0] == kept[-1]:
            return None
        if known == (mark := (kept.tobytes(), near.tobytes())):
            break  # the same beats and events give the same line
        known = mark
        middle, centre = kept.mean(), at.mean()
        lean = kept - middle
        period = float(lean @ (at - centre)) / float(lean @ lean)
        phase = float(centre - period * middle)
        if period <= 0:
            return None
    return period, phase


def _judge(times: Floats, period: float, phase: float, window: Window) -> tuple[float, Period]:
    beats = np.round((times - phase) / period)
    off = np.abs(times - phase - beats * period)
    width = min(max(2.5 * median(off), 0.01 * period), 0.2 * period)
    on = off <= width
    hit = np.unique(beats[on])
    first, last = math.ceil((window.start_s - phase) / period), math.floor((window.end_s - 1 - phase) / period)
    inside = max(min(last, hit[-1] + 1) - max(first, hit[0] - 1) + 1, len(hit)) if len(hit) else 1
    rate = len(hit) / inside
    # events of one beat are not independent: beats count, not events; two are spent on period and phase
    trials = len(np.unique(beats)) + int((~on).sum())
    chance = _tail(trials - 2, len(hit) - 2, min(1.0, 2 * width / period))
    strength = rate * float(on.mean())
    if rate < _MIN_HIT_RATE or len(hit) < _MIN_EVENTS:
        strength = 0.0
    return chance, Period(period_s=period, phase_s=phase, strength=strength)


def _tail(trials: int, least: int, probability: float) -> float:
    """Give the chance of at least so many successes in independent trials."""
    if least <= 0:
        return 1.0
    return sum(
        math.comb(trials, n) * probability**n * (1 - probability) ** (trials - n) for n in range(least, trials + 1)
    )


def series_period(times_s: Floats, values: Floats) -> Period | None:
    """Find the dominant period of a series by its autocorrelation (FFT), or None; ``phase_s`` is a time of a maximum."""
    times, numbers = finite(times_s, values)
    if len(numbers) < 32:
        return None
    grid = grid_of(times)
    step = grid.step_s
    if step <= 0 or (times[-1] - times[0]) / step > 200_000:
        return None
    level = robust_level(numbers)
    even = numbers if grid.even is grid.times else np.interp(grid.even, times, numbers)
    rest = np.clip(even - level.median, -20 * level.sigma, 20 * level.sigma)
    ramp, power = _ramp(len(rest))
    rest = rest - rest.mean()
    rest -= ramp * dot(rest, ramp) / power
    lag, strength = _dominant_lag(rest)
    if not lag:
        return None
    whole = rest[: len(rest) // lag * lag].reshape(-1, lag).mean(axis=0)
    return Period(period_s=lag * step, phase_s=float(grid.even[int(np.argmax(whole))]), strength=strength)


@lru_cache(maxsize=4)
def _ramp(count: int) -> tuple[Floats, float]:
    """Give an even rise from -1 to 1, and the sum of its squares."""
    ramp = np.linspace(-1, 1, count)
    return ramp, dot(ramp, ramp)


def _dominant_lag(rest: Floats) -> tuple[int, float]:
    """Give the shortest lag at which a series is like itself again, and how much; lag 0 where there is none."""
    most = len(rest) // 2
    length = fast_length(len(rest) + most)  # so that no lag looked at wraps around
    spectrum = np.fft.rfft(rest, length)
    lags = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, length)[: most + 1]
    if lags[0] <= 0:
        return 0, 0.0
    # the unbiased estimate: far lags have fewer pairs
    lags = lags / lags[0] * len(rest) / (len(rest) - np.arange(len(lags)))
    falls = np.flatnonzero(lags < 0.1)
    if not len(falls):
        return 0, 0.0
    after = lags[falls[0] :]
    peak = float(after.max())
    if peak < 0.4:
        return 0, 0.0
    inner = np.flatnonzero((after[1:-1] >= after[:-2]) & (after[1:-1] >= after[2:]) & (after[1:-1] >= 0.85 * peak))
    if not len(inner):
        return 0, 0.0
    first = int(inner[0]) + 1 + int(falls[0])
    # noise makes many small peaks on one broad hill: take the hill's top
    lag = first + int(np.argmax(lags[first : first + first // 4 + 1]))
    return lag, float(lags[lag])
