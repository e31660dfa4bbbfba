"""What a series is when nothing happens: its robust level, its daily profile, and the smooth part of that profile.

Left out: deciding that something happened; ``changepoints`` and ``excursions`` do that on what remains.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DAY_S = 86_400.0
SLOTS = 96
"""Slots of the daily profile: 15 minutes each."""

MAD_TO_SIGMA = 1.4826
_MIN_DAYS = 2.5
_MOST_PADDING = 4
"""Places that grouping may waste for each number"""
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
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return Level(median=0.0, sigma=1.0, count=0)
    median = float(np.median(numbers))
    off = np.abs(numbers - median)
    sigma = MAD_TO_SIGMA * float(np.median(off))
    floor = max(abs(median) * 1e-3, 1e-12)
    if sigma <= floor:
        off = off[off > floor]
        if len(off):
            typical = float(np.median(off))
            # a few huge values among small flicker: the flicker is the noise; else every deviation counts
            sigma = typical / 2 if float(off.max()) >= 5 * typical else typical / 20
    return Level(median=median, sigma=max(sigma, floor), count=len(numbers))


def typical_step(times_s: Floats) -> float:
    """Give the usual distance of samples in seconds (60 where there are fewer than two)."""
    return float(np.median(np.diff(times_s))) if len(times_s) > 1 else 60.0


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
    slow = np.median(np.lib.stride_tricks.sliding_window_view(wide, _SMOOTH_SLOTS), axis=1)
    width = 9
    wide = np.concatenate((slow[-(width // 2) :], slow, slow[: width // 2]))
    return _at(times, np.convolve(wide, np.full(width, 1 / width), mode="valid"))


def slot_profile(times: Floats, values: Floats) -> Floats | None:
    """Give the median of each quarter of an hour of the day around zero, each day's own level removed; None if too short.

    For callers that ask more than one question of a series: hand it on as ``slots``.
    """
    if len(times) < SLOTS or times[-1] - times[0] < _MIN_DAYS * DAY_S:
        return None
    day = ((times - times[0]) // DAY_S).astype(np.intp)
    slot = ((times % DAY_S) * (SLOTS / DAY_S)).astype(np.intp)
    profile = np.zeros(SLOTS)
    for _ in range(2):
        level = _medians(day, values - profile[slot], int(day[-1]) + 1)
        profile = _medians(slot, values - level[day], SLOTS)
        profile = profile - np.median(profile)
    return profile


def _medians(group: NDArray[np.intp], values: Floats, groups: int) -> Floats:
    """Take the median of every group; zero where a group has no number."""
    keep = np.isfinite(values)
    group, values = group[keep], values[keep]
    if not len(values):
        return np.zeros(groups)
    counts = np.bincount(group, minlength=groups)
    longest = int(counts.max())
    if longest * groups <= _MOST_PADDING * len(values) and groups <= np.iinfo(np.int16).max:
        # a row a group, filled up with infinities: sorting short rows is several times faster than sorting it all
        order = np.argsort(group.astype(np.int16), kind="stable")
        rows = np.full((groups, longest), np.inf)
        rows[group[order], np.arange(len(order)) - (np.cumsum(counts) - counts)[group[order]]] = values[order]
        rows.sort(axis=1)
        ranked, begins = rows.reshape(-1), np.arange(groups) * longest
    else:
        ranked, begins = values[np.lexsort((values, group))], np.cumsum(counts) - counts
    last = len(ranked) - 1
    low = np.minimum(begins + np.maximum(counts - 1, 0) // 2, last)
    high = np.minimum(begins + counts // 2, last)
    return np.where(counts > 0, (ranked[low] + ranked[high]) / 2, 0.0)


def dot(one: Floats, other: Floats) -> float:
    """Give the inner product, in this thread alone: a BLAS spends more on waking its threads than series are long."""
    return float(np.einsum("i,i->", one, other))


def _at(times: Floats, slots: Floats) -> Floats:
    """Interpolate a profile between the middles of its slots, around midnight too."""
    place = (times % DAY_S) * (len(slots) / DAY_S) - 0.5
    below = np.floor(place)
    part = place - below
    low = below.astype(np.intp) % len(slots)
    return slots[low] * (1 - part) + slots[(low + 1) % len(slots)] * part
