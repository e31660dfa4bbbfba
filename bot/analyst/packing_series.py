"""Series as whole numbers on one row each: three significant digits, one scale a series, its lasting shifts and its period beside it.

Two tokens a sample where JSON takes seventeen. Three levels of detail: every sample; means over longer steps; the shifts
alone with minimum, median and maximum. Left out: digits beyond the third, which no incident turned on.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.analyst.packing_material import SeriesCourse
from bot.domain.items import Series
from bot.domain.spelling import period
from bot.domain.window import instant, rfc3339

Floats = NDArray[np.float64]

SHIFTS_ONLY = 0
"""Samples a series may have at the coarsest level."""


def series_name(series: Series) -> str:
    """Name a series as PromQL does."""
    labels = ",".join(f'{key}="{value}"' for key, value in sorted(series.labels.items()) if key != "__name__")
    return f"{series.metric}{{{labels}}}" if labels else series.metric


def series_rows(number: str, name: str, series: Series, course: SeriesCourse, most: int) -> list[str]:
    """Print a series with at most ``most`` samples, means where it has more."""
    times, values = np.array(series.times_s), np.array(series.values)
    heading = f"{number} {name}"
    if not len(values):
        return [f"{heading}: no samples"]
    rows = [heading]
    finite = values[np.isfinite(values)]
    if len(finite):
        quantiles = (float(finite.min()), float(np.median(finite)), float(finite.max()))
        rows.append("  min/median/max " + " ".join(short(value) for value in quantiles))
    if course.shifts:
        told = "; ".join(f"{_moment(one.at_s)} {short(one.before)}→{short(one.after)}" for one in course.shifts)
        rows.append(f"  shifts: {told}")
    if course.period_s:
        rows.append(f"  repeats every {period(course.period_s)}")
    if most > SHIFTS_ONLY and len(finite):
        exponent = _exponent(finite)
        stretches = _stretches(times, values, most)
        if len(stretches) > max(20, len(times) // 4):
            return [*rows, *_irregular(times, values, exponent, most)]
        for start_s, step_s, part in stretches:
            scaled = " ".join(_runs(_scaled(part, exponent)))
            rows.append(f"  {_moment(start_s)} step {short(step_s)}s ×1e{exponent}: {scaled}")
    return rows


def _irregular(times: Floats, values: Floats, exponent: int, most: int) -> list[str]:
    """Print samples that keep no step, each behind the seconds since the first; every n-th where there are too many."""
    nth = math.ceil(2 * len(times) / most)
    after, scaled = np.round(times[::nth] - times[0]).astype(np.int64).tolist(), _scaled(values[::nth], exponent)
    pairs = " ".join(f"{seconds}:{value}" for seconds, value in zip(after, scaled, strict=True))
    return [f"  {_moment(float(times[0]))} seconds after it:value ×1e{exponent}, every {nth}. sample: {pairs}"]


def _exponent(finite: Floats) -> int:
    """Choose the power of ten that leaves three digits to all but the tallest tenth."""
    tall = float(np.quantile(np.abs(finite), 0.9)) or float(np.abs(finite).max())
    if tall <= 0:
        return 0
    exponent = math.floor(math.log10(tall)) - 2
    # whole numbers that are short already stay as they are
    whole = bool(np.all(finite == np.round(finite)))
    return max(exponent, 0) if whole else exponent


def _scaled(values: Floats, exponent: int) -> list[str]:
    with np.errstate(over="ignore"):
        scaled = values / 10.0**exponent
    return [
        f"{value:.0f}" if math.isfinite(value) else ("x" if math.isnan(value) else "inf") for value in scaled.tolist()
    ]


def _runs(numbers: Sequence[str]) -> list[str]:
    """Print four or more equal neighbours once, with how many: ``3*12``."""
    told: list[str] = []
    place = 0
    while place < len(numbers):
        end = place + 1
        while end < len(numbers) and numbers[end] == numbers[place]:
            end += 1
        run = end - place
        told += [f"{numbers[place]}*{run}"] if run >= 4 else list(numbers[place:end])
        place = end
    return told


def _stretches(times: Floats, values: Floats, most: int) -> list[tuple[float, float, Floats]]:
    """Cut a series where its step changes, and average neighbours where it has more than ``most`` samples."""
    if len(times) < 2:
        return [(float(times[0]), 0.0, values)]
    fold = math.ceil(len(values) / most)
    steps = np.diff(times)
    step = float(np.median(steps))
    breaks = np.flatnonzero(np.abs(steps - step) > 0.1 * step + 1.0) + 1
    edges = [0, *(int(one) for one in breaks), len(times)]
    return [(float(times[start]), step * fold, _folded(values[start:end], fold)) for start, end in pairwise(edges)]


def _folded(values: Floats, fold: int) -> Floats:
    if fold <= 1:
        return values
    padded = np.concatenate((values, np.full(-len(values) % fold, np.nan))).reshape(-1, fold)
    known = np.isfinite(padded)
    sums = np.where(known, padded, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(known.any(axis=1), sums / known.sum(axis=1), np.nan))


def short(value: float) -> str:
    """Print a number with three significant digits."""
    if not math.isfinite(value):
        return "x"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _moment(at_s: float) -> str:
    try:
        return rfc3339(instant(round(at_s)))
    except (OverflowError, ValueError, OSError):
        return f"{at_s:.0f}s"
