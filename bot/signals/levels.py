"""What a series is when nothing happens: its robust level, its daily profile, and the smooth part of that profile.

Left out: deciding that something happened; ``changepoints`` and ``excursions`` do that on what remains.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bot.signals.grids import DAY_S, SLOTS, Groups, grid_of, phases

Floats = NDArray[np.float64]

MAD_TO_SIGMA = 1.4826
_MIN_DAYS = 2.5
_MIN_CYCLES = 4
_SMOOTH_SLOTS = 19
"""Width of the rolling median of the smooth profile (4 h 45 min): what lasts under half of it cannot bend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Median and robust standard deviation of ``count`` finite values."""

    median: float
    sigma: float
    count: int


def finite(times_s: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Give the samples that are numbers, as float64 arrays."""
    times, numbers = np.asarray(times_s, dtype=np.float64), np.asarray(values, dtype=np.float64)
    keep = np.isfinite(numbers)
    return (times, numbers) if bool(keep.all()) else (times[keep], numbers[keep])


def robust_level(values: Floats) -> Level:
    """Measure the level as median and 1.4826 MAD, ignoring what is not a number; sigma never falls to zero.

    Where more than half of the values are equal, the MAD is zero; sigma then comes from the values that differ.
    """
    numbers = np.asarray(values, dtype=np.float64)
    known = np.isfinite(numbers)
    numbers = numbers if bool(known.all()) else numbers[known]
    if not len(numbers):
        return Level(median=0.0, sigma=1.0, count=0)
    middle = median(numbers)
    off = np.abs(numbers - middle)
    sigma = MAD_TO_SIGMA * median(off)
    floor = max(abs(middle) * 1e-3, 1e-12)
    if sigma <= floor:
        off = off[off > floor]
        if len(off):
            typical = median(off)
            # a few huge values among small flicker: the flicker is the noise; else every deviation counts
            sigma = typical / 2 if float(off.max()) >= 5 * typical else typical / 20
    return Level(median=middle, sigma=max(sigma, floor), count=len(numbers))


def typical_step(times_s: Floats) -> float:
    """Give the usual distance of samples in seconds (60 where there are fewer than two)."""
    return median(np.diff(times_s)) if len(times_s) > 1 else 60.0


def daily_profile(times_s: Floats, values: Floats, slots: Floats | None = None) -> Floats:
    """Give the median by time of day at every sample, around zero; all zeros for less than two and a half days.

    Each day's own level is removed first, so that a lasting shift does not leak into the profile.
    """
    numbers = np.asarray(values, dtype=np.float64)
    times = np.asarray(times_s, dtype=np.float64)
    slots = slot_profile(times, numbers) if slots is None else slots
    return np.zeros(len(times)) if slots is None else _at(times, slots)


def smooth_profile(times_s: Floats, values: Floats, slots: Floats | None = None) -> Floats:
    """Give the slow part of the daily profile at every sample, around zero.

    A rolling median over the day's slots: a job that runs every few hours, at the same times of day, does not become
    part of what is normal.
    """
    times = np.asarray(times_s, dtype=np.float64)
    slots = slot_profile(times, np.asarray(values, dtype=np.float64)) if slots is None else slots
    if slots is None:
        return np.zeros(len(times))
    half = _SMOOTH_SLOTS // 2
    wide = np.concatenate((slots[-half:], slots, slots[:half]))
    slow = np.sort(np.lib.stride_tricks.sliding_window_view(wide, _SMOOTH_SLOTS), axis=1)[:, half]
    width = 9
    wide = np.concatenate((slow[-(width // 2) :], slow, slow[: width // 2]))
    return _at(times, np.convolve(wide, np.full(width, 1 / width), mode="valid"))


def slot_profile(times: Floats, values: Floats) -> Floats | None:
    """Give the median of each quarter of an hour of the day around zero, each day's own level removed; None if too short.

    For callers that ask more than one question of a series: hand it on as ``slots``.
    """
    if len(times) < SLOTS or times[-1] - times[0] < _MIN_DAYS * DAY_S:
        return None
    keep = np.isfinite(values)
    if not bool(keep.all()):
        times, values = times[keep], values[keep]
        if not len(times):
            return np.zeros(SLOTS)
    return _usual(*grid_of(times).layouts, values)


def cycle_profile(times: Floats, values: Floats, period_s: float) -> Floats:
    """Give what a period brings at every sample, around zero; all zeros where it was not seen four times."""
    if times[-1] - times[0] < _MIN_CYCLES * period_s:
        return np.zeros(len(times))
    layouts, phase = phases(times, period_s)
    return _usual(*layouts, values)[phase]


def _usual(by_cycle: Groups, by_phase: Groups, values: Floats) -> Floats:
    """Give the median at each phase of a cycle around zero, each cycle's own level removed."""
    profile = np.zeros(by_phase.groups)
    in_cycles, in_phases = by_cycle.rows(values), by_phase.rows(values)
    for _ in range(2):
        level = by_cycle.medians(in_cycles - profile[by_cycle.other])
        profile = by_phase.medians(in_phases - level[by_phase.other])
        profile = profile - median(profile)
    return profile


def dot(one: Floats, other: Floats) -> float:
    """Give the inner product, in this thread alone: a BLAS spends more on waking its threads than series are long."""
    return float(np.einsum("i,i->", one, other))


def median(values: Floats) -> float:
    """Give the median of finite values; numpy's own looks for others first, and for two places slower than for one."""
    middle = len(values) // 2
    part = np.partition(values, middle)
    return float(part[middle] if len(values) % 2 else (part[:middle].max() + part[middle]) / 2)


@lru_cache(maxsize=64)
def fast_length(least: int) -> int:
    """Give the smallest length from ``least`` on that has no prime factor over 5: those transform fastest."""
    best = 1 << (least - 1).bit_length()
    fives = 1
    while fives < best:
        threes = fives
        while threes < best:
            twos = threes << max(0, (-(-least // threes) - 1).bit_length())
            best = min(best, twos)
            threes *= 3
        fives *= 5
    return best


def _at(times: Floats, slots: Floats) -> Floats:
    """Interpolate a profile between the middles of its slots, around midnight too."""
    low, high, near_low, near_high = grid_of(times).between
    return slots.take(low) * near_low + slots.take(high) * near_high
