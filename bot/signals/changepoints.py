"""Lasting shifts of a series, and ramps that end in a drop.

Binary segmentation over the mean (Scott & Knott 1974) on what remains after the daily profile: on raw series the
time of day alone looks like a shift. Left out: episodes that pass (see ``excursions``).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from bot.signals.levels import MAD_TO_SIGMA, Floats, cycle_profile, daily_profile, dot, finite, median

_MIN_SIDE = 8
_MIN_SIZE = 1.0
_BLOCKS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """At ``at_s`` the median went from ``before`` to ``after``; ``size_sigma`` in robust deviations of the noise."""

    at_s: float
    before: float
    after: float
    size_sigma: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A steady rise or fall from ``start_s`` to ``end_s``: fitted end values, slope per second, Kendall's tau."""

    start_s: float
    end_s: float
    first: float
    last: float
    slope_per_s: float
    tau: float


def change_points(
    times_s: Floats,
    values: Floats,
    *,
    max_points: int = 8,
    slots: Floats | None = None,
    period_s: float | None = None,
) -> list[ChangePoint]:
    """Find lasting shifts, earliest first; NaN are left out of the count. What a known ``period_s`` brings is no shift."""
    times, numbers = finite(times_s, values)
    if len(numbers) < 4 * _MIN_SIDE:
        return []
    if period_s is None:
        rest = numbers - daily_profile(times, numbers, slots)
    else:
        steady = numbers - cycle_profile(times, numbers, period_s)
        rest = steady - daily_profile(times, steady)
    noise = _noise(rest)
    middle = median(rest)
    spread = MAD_TO_SIGMA * median(np.abs(rest - middle)) + noise
    cuts = _segment(np.clip(rest, middle - 6 * spread, middle + 6 * spread), noise, max_points)
    edges = [0, *cuts, len(rest)]
    found = []
    for number, cut in enumerate(cuts, start=1):
        before = median(rest[edges[number - 1] : cut])
        after = median(rest[cut : edges[number + 1]])
        size = abs(after - before) / noise
        if size >= _MIN_SIZE:
            found.append(ChangePoint(at_s=float(times[cut]), before=before, after=after, size_sigma=size))
    return found


def _noise(rest: Floats) -> float:
    """Estimate the noise from differences of neighbours, which shifts and slow waves leave alone."""
    steps = np.diff(rest)
    sigma = MAD_TO_SIGMA * median(np.abs(steps)) / math.sqrt(2)
    if sigma <= 0:
        sigma = float(np.mean(np.abs(steps))) or 1e-12
    return max(sigma, 1e-9 * float(np.max(np.abs(rest))), 1e-12)


def _inflation(rest: Floats) -> float:
    """Say how much wider a mean of neighbours scatters than one of independent samples, from the lag-1 correlation."""
    centred = rest - rest.mean()
    power = dot(centred, centred)
    rho = min(max(dot(centred[1:], centred[:-1]) / power, 0.0), 0.98) if power > 0 else 0.0
    return math.sqrt((1 + rho) / (1 - rho))


def _segment(rest: Floats, noise: float, max_points: int) -> list[int]:
    """Split at the strongest shift again and again while it stands out of the noise."""
    cuts: list[int] = []
    parts = [_Part.of(rest, 0, len(rest), noise)]
    while len(cuts) < max_points:
        best = max(parts, key=lambda part: part.strength)  # of equals the first
        if not best.strength:
            break
        parts.remove(best)
        parts += [_Part.of(rest, best.start, best.cut, noise), _Part.of(rest, best.cut, best.end, noise)]
        cuts.append(best.cut)
    return sorted(cuts)


@dataclass(frozen=True, slots=True)
class _Part:
    """``[start, end)`` of a series and where it would best be cut; strength 0 where nothing stands out."""

    start: int
    end: int
    strength: float
    cut: int

    @classmethod
    def of(cls, rest: Floats, start: int, end: int, noise: float) -> "_Part":
        strength, cut = _strongest(rest[start:end], noise)
        return cls(start, end, strength, start + cut)


def _strongest(part: Floats, noise: float) -> tuple[float, int]:
    """Find the split with the largest standardised difference of means; cut 0 where none stands out."""
    count = len(part)
    if count < 2 * _MIN_SIDE:
        return 0.0, 0
    scores = np.abs(np.cumsum(part - part.mean())[:-1]) * _balance(count)
    inner = scores[_MIN_SIDE - 1 : count - _MIN_SIDE]
    cut = int(np.argmax(inner)) + _MIN_SIDE
    score, limit = float(inner[cut - _MIN_SIDE]), math.sqrt(2 * math.log(count)) + 2.0
    if score <= limit * noise:
        return 0.0, 0  # what it is held against below is never less than the noise
    before, after = part[:cut], part[cut:]
    sigma = max(noise, math.sqrt((float(before.var()) * cut + float(after.var()) * (count - cut)) / count))
    wider = _inflation(np.concatenate((before - before.mean(), after - after.mean())))
    strength = score / (sigma * wider)
    shift = abs(median(after) - median(before))
    return (strength, cut) if strength > limit and shift > _MIN_SIZE * sigma else (0.0, 0)


@lru_cache(maxsize=4)
def _balance(count: int) -> Floats:
    """Give by how much the sum up to each place is to be multiplied, so that all splits weigh alike."""
    left = np.arange(1, count)
    return np.sqrt(count / (left * (count - left)))


def trends(times_s: Floats, values: Floats) -> list[Trend]:
    """Find steady ramps, one for each stretch between drops (a leak that restarts reset draws a sawtooth)."""
    times, numbers = finite(times_s, values)
    if len(numbers) < 2 * _BLOCKS:
        return []
    reach = float(np.percentile(numbers, 98) - np.percentile(numbers, 2))
    drop = max(0.35 * reach, 8 * _noise(numbers))
    drops = np.flatnonzero(np.diff(numbers) < -drop) + 1
    edges = [0, *(int(at) for at in drops), len(numbers)]
    ramps = (trend(times[a:b], numbers[a:b]) for a, b in pairwise(edges))
    return [ramp for ramp in ramps if ramp is not None]


def trend(times_s: Floats, values: Floats) -> Trend | None:
    """Fit one ramp robustly (Theil-Sen over block medians); None where the rise is unsteady or within the noise."""
    times, numbers = finite(times_s, values)
    if len(numbers) < 2 * _BLOCKS:
        return None
    pieces = np.array_split(np.arange(len(numbers)), _BLOCKS)
    middles = np.array([times[piece].mean() for piece in pieces])
    medians = np.array([np.median(numbers[piece]) for piece in pieces])
    first, second = np.triu_indices(_BLOCKS, 1)
    rises = medians[second] - medians[first]
    tau = float(np.sign(rises).mean())
    slope = float(np.median(rises / (middles[second] - middles[first])))
    base = float(np.median(medians - slope * (middles - times[0])))
    rise = slope * float(times[-1] - times[0])
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(numbers - base - slope * (times - times[0]))))
    # tau of 16 independent blocks stays under .5 at p = .01; a smooth half wave of a day reaches .7
    if abs(tau) < 0.8 or abs(rise) < 4 * scatter or rise == 0:
        return None
    return Trend(
        start_s=float(times[0]), end_s=float(times[-1]), first=base, last=base + rise, slope_per_s=slope, tau=tau
    )
