"""Tell the bursts of a kind of line from its everyday background.

A count is held against a background that moves with how busy its entity is (its exposure), so that errors that merely
follow the daily traffic are no burst. Leaves out what the lines mean.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.native.kernel import kernel
from bot.signals.hot_bins import LEAST_RATE, RISE, SCALES_BINS, SIGNIFICANT, goes_on, hot_bins, log_tail, window_sums

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_Part = tuple[int, int]
"""Indexes ``[first, last)`` of ascending times"""

BIN_S = 60.0
SPACINGS = 10.0
"""Silence, in usual distances between the lines of bursts, that does not yet end one: slow trickles are one fault."""
LONGEST_GAP_S = 600.0
ONSET_S = 120.0
"""How far before a burst its first lines may lie."""
_HAIR = 1e-9
"""What rounding may change, relatively."""
LEAST_FULL = 4.0
"""Lines of a bin that is too full at least: of fewer the square root lies under a silent bin's by too little."""
LEAST_STRETCHES = 10
"""Stretches of at most an hour that a window is cut into to learn how quiet it can be."""
FEW_PER_DAY = 6.0
"""Lines rarer than this are told one by one: each is an occurrence of its own."""

LEAST_BUSY = 0.25
"""Relative busyness of a bin at least, in which there may be nothing at all."""
STRAY_GAP_S = 120.0
STRAY_SHARE = 0.05
STRAY_MOST = 5.0


@dataclass(frozen=True, slots=True)
class Burst:
    """A stretch ``[start_s, end_s]`` and the indexes ``[first, last)`` of the sorted times in it."""

    start_s: float
    end_s: float
    first: int
    last: int
    count: int
    """Lines in it: more than it has times, where those were thinned"""


class Lines:
    """How many lines stand behind ascending times: one each, or what ``weights`` says."""

    def __init__(self, weights: NDArray[np.integer[Any]] | None) -> None:
        self.weights = weights
        self._before = None if weights is None else np.concatenate(([0], np.cumsum(weights, dtype=np.int64)))

    def between(self, first: int, last: int) -> int:
        """Count those of the times ``[first, last)``."""
        return last - first if self._before is None else int(self._before[last] - self._before[first])

    def chosen(self, places: Ints) -> "Lines":
        """Give the same of some of the times."""
        return self if self.weights is None else Lines(self.weights[places])


def fold_gap_s(window_s: float) -> float:
    """Give the silence that separates two occurrences: a 500th of the window, between 30 s and 10 min."""
    return min(600.0, max(30.0, window_s / 500.0))


def few_lines(start_s: float, end_s: float) -> int:
    """Give how many lines of a window are still told one by one."""
    days = max((end_s - start_s) / 86_400.0, 1 / 24)
    return int(max(3.0, FEW_PER_DAY * days))


_ONE_EACH = Lines(None)


def fold(times_s: Floats, gap_s: float, lines: Lines = _ONE_EACH) -> list[Burst]:
    """Fold ascending times into stretches separated by more than ``gap_s`` of silence."""
    return [
        Burst(float(times_s[first]), float(times_s[last - 1]), first, last, lines.between(first, last))
        for first, last in _folded(times_s, gap_s)
    ]


def _folded(times_s: Floats, gap_s: float) -> list[_Part]:
    if not len(times_s):
        return []
    cuts = (np.flatnonzero(times_s[1:] - times_s[:-1] > gap_s) + 1).tolist()
    return list(pairwise([0, *cuts, len(times_s)]))


@dataclass(frozen=True, kw_only=True)  # without slots, for what is worked out once
class Exposure:
    """How busy an entity is in each bin, relative to its mean; with what every kind of its lines asks of that."""

    bins: Floats

    @cached_property
    def total(self) -> float:
        """The sum of all bins."""
        return float(self.bins.sum())

    def busy_upto(self, at_s: Floats, start_s: float) -> Floats:
        """Give how many bins, up to some times, it had anything to say in; within a bin evenly."""
        busy = np.concatenate(([0.0], np.cumsum(self.bins > LEAST_BUSY)))
        return np.interp(at_s, start_s + BIN_S * np.arange(len(busy)), busy)

    @cached_property
    def stretch(self) -> int:
        """Bins in a stretch of at most an hour; 0 where the window is too short for stretches."""
        return min(60, len(self.bins) // LEAST_STRETCHES)

    @cached_property
    def per_stretch(self) -> Floats:
        """The sum of each whole stretch."""
        stretches = len(self.bins) // self.stretch
        return np.asarray(self.bins[: stretches * self.stretch].reshape(stretches, self.stretch).sum(axis=1))

    @cached_property
    def least(self) -> dict[int, Floats]:
        """By width: the least sum of the windows of that width that hold a bin, for each bin, a hair lowered."""
        return {width: _least_around(self.bins, width) for width in SCALES_BINS if width <= len(self.bins)}


def exposure_of(times_s: Floats, start_s: float, end_s: float) -> Exposure:
    """Smooth an entity's line times into relative busyness per bin (mean 1, bounded to 0.25 … 4)."""
    return exposure_from(counts_of(times_s, start_s, end_s))


def exposure_from(counts: NDArray[np.intp]) -> Exposure:
    """Do the same from lines counted per bin."""
    bins = len(counts)
    width = min(bins, 61)
    smooth = np.convolve(counts.astype(float), np.ones(width) / width, mode="same")
    level = smooth / _edge(bins, width)
    mean = level.mean()
    return Exposure(bins=np.clip(level / mean, LEAST_BUSY, 4.0)) if mean > 0 else _even(bins)


def counts_of(times_s: Floats, start_s: float, end_s: float) -> NDArray[np.intp]:
    """Count times by bin."""
    return np.bincount(bins_of(times_s, start_s, end_s), minlength=_bins(start_s, end_s))


def bins_of(times_s: Floats, start_s: float, end_s: float) -> Ints:
    """Give the bin of each time; what lies outside counts for the bin at that end."""
    return np.clip(((times_s - start_s) / BIN_S).astype(np.int64), 0, _bins(start_s, end_s) - 1)


def bursts(
    times_s: Floats, start_s: float, end_s: float, exposure: Exposure | None = None, lines: Lines = _ONE_EACH
) -> list[Burst]:
    """Find the bursts of ascending ``times_s`` in ``[start_s, end_s)``; rare lines are all told.

    The excess over the background is tested on windows of 1, 5 and 30 minutes by a bound on the Poisson tail. Bursts
    closer than the fold gap are one. ``lines``: how many stand behind each time, where they were thinned.
    """
    gap_s = fold_gap_s(end_s - start_s)
    if lines.between(0, len(times_s)) <= few_lines(start_s, end_s):
        return fold(times_s, gap_s, lines)
    index = bins_of(times_s, start_s, end_s)
    exposure = exposure if exposure is not None else _even(_bins(start_s, end_s))
    held, counts = _counted(index, lines)
    rate = background(held, counts, exposure)
    if kernel() is None and not _may_burst(held, counts, rate, exposure):
        return []  # the compiled loop is as quick at the whole question
    expected = rate * exposure.bins
    dense = np.zeros(len(expected))
    dense[held] = counts
    hot = hot_bins(dense, expected)
    chosen = np.flatnonzero(hot[index])
    if not len(chosen):
        return []
    hot_times, hot_lines = times_s[chosen], lines.chosen(chosen)
    near_s = min(LONGEST_GAP_S, SPACINGS * _spacing(hot_times, hot_lines)) if len(chosen) > 2 else 0.0
    parts = _trimmed(hot_times, _folded(hot_times, max(gap_s, near_s)), hot_lines)
    firsts = _onsets(times_s, chosen[[first for first, _ in parts]], near_s, expected, start_s, lines)
    lasts = (chosen[[last - 1 for _, last in parts]] + 1).tolist()
    firsts = [max(first, before) for first, before in zip(firsts, [0, *lasts[:-1]], strict=True)]
    starts_s, ends_s = times_s[firsts].tolist(), hot_times[[last - 1 for _, last in parts]].tolist()
    return [
        Burst(begin_s, stop_s, first, last, lines.between(first, last))
        for begin_s, stop_s, first, last in zip(starts_s, ends_s, firsts, lasts, strict=True)
    ]


def background(held: Ints, counts: Floats, exposure: Exposure) -> float:
    """Estimate the rate outside bursts, in lines a bin of mean exposure; ``held`` are the bins that hold any lines.

    The rate is the clipped mean; where most of the window is elevated it is the lower fifth of its stretches (hours,
    or tenths of a short window) instead, so that a fault that lasts longer than it was absent still stands out.
    """
    total, share = float(counts.sum()), exposure.bins[held]
    rate = total / exposure.total
    many = np.flatnonzero(counts >= LEAST_FULL)
    lines, shares = counts[many], share[many]
    levelled = np.sqrt(lines + 0.375)
    for _ in range(12 if len(many) else 0):
        full = 2.0 * (levelled - np.sqrt(rate * shares + 0.375)) >= 2.5
        # summed one after the other, as the compiled loop does
        held_share = float(np.cumsum(shares[full])[-1]) if full.any() else 0.0
        fresh = (total - float(lines[full].sum())) / max(exposure.total - held_share, 1e-9)
        if abs(fresh - rate) <= 1e-3 * rate:
            break
        rate = fresh
    size = exposure.stretch
    if size >= 1:
        per_stretch = np.bincount(held // size, weights=counts, minlength=len(exposure.per_stretch))
        low = _lower_fifth(per_stretch[: len(exposure.per_stretch)] / exposure.per_stretch)
        # a Poisson fifth lies 0.84 sigma under the mean: lift it back
        per_bin = low + 0.84 * np.sqrt(max(low, 0.0) / size) + 0.5 / size
        rate = min(rate, 2.0 * float(per_bin))
    return rate


def _lower_fifth(values: Floats) -> float:
    """Give the quantile 0.2, linearly interpolated; numpy's own is made for more and takes ten times as long."""
    ordered = np.sort(values)
    place = 0.2 * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


def _median(values: Floats) -> float:
    """Give the median; numpy's own is made for more and takes several times as long."""
    ordered = np.sort(values)
    middle = len(ordered) // 2
    return float(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def _spacing(times_s: Floats, lines: Lines) -> float:
    """Give the median distance between lines; of thinned ones each lies as far from the next as all it stands for."""
    apart = np.diff(times_s)
    if lines.weights is None:
        return _median(apart)
    weights = lines.weights[1:]
    order = np.argsort(apart / weights)
    upto = np.cumsum(weights[order], dtype=np.int64)
    at = order[int(np.searchsorted(upto, upto[-1] / 2))]
    return float(apart[at] / weights[at])


def _counted(index: Ints, lines: Lines) -> tuple[Ints, Floats]:
    """Give the bins that ascending bin numbers name, and how many lines are in each."""
    begins = np.concatenate(([0], np.flatnonzero(index[1:] != index[:-1]) + 1))
    if lines.weights is not None:
        return index[begins], np.add.reduceat(lines.weights, begins).astype(float)
    return index[begins], np.subtract(np.append(begins[1:], len(index)), begins).astype(float)


def _may_burst(held: Ints, counts: Floats, rate: float, exposure: Exposure) -> bool:
    """Tell whether any window could be hot; looks at the windows that begin with a line, and errs on the side of yes.

    Most kinds of lines never burst, and this asks as much of a kind as it has lines, not bins.
    """
    before = np.concatenate(([0.0], np.cumsum(counts)))
    for width, least in exposure.least.items():
        seen = before[np.searchsorted(held, held + width)] - before[:-1]
        due = np.maximum(rate * least[held], 0.0)
        risen = np.flatnonzero((seen > RISE * due) & (seen >= 2))
        if len(risen):
            tails = log_tail(seen[risen], np.maximum(due[risen], LEAST_RATE * (1 - _HAIR)))
            if bool((tails < SIGNIFICANT + 1e-6).any()):
                return True
    return False


def _least_around(values: Floats, width: int) -> Floats:
    sums = window_sums(values, width)
    edge = np.full(width - 1, np.inf)
    around, held = np.concatenate((edge, sums, edge)), 1
    # a bin's windows begin up to width - 1 bins before it; the least of so many is found by doubling
    while held < width:
        step = min(held, width - held)
        around, held = np.minimum(around[:-step], around[step:]), held + step
    return np.asarray(around * (1 - _HAIR), dtype=float)


@lru_cache(maxsize=8)
def _edge(bins: int, width: int) -> Floats:
    return np.convolve(np.ones(bins), np.ones(width) / width, mode="same")


@lru_cache(maxsize=8)
def _even(bins: int) -> Exposure:
    return Exposure(bins=np.ones(bins))


def _onsets(times_s: Floats, firsts: Ints, near_s: float, expected: Floats, start_s: float, lines: Lines) -> list[int]:
    """Give the index of the first line of each burst: too few for their minute to stand out, the lines before it begin it.

    A fault that grows slowly is seen late by whoever logs little of it; so all lines before count that follow each other
    within the longest gap, where there are far more of them than the background would have had in that time.
    """
    near = np.searchsorted(times_s, times_s[firsts] - min(near_s, ONSET_S))
    # the lines before which there was a longer gap
    silences = np.concatenate(([0], np.flatnonzero(times_s[1:] - times_s[:-1] > LONGEST_GAP_S) + 1))
    far = silences[np.searchsorted(silences, firsts, "right") - 1]
    onsets: list[int] = near.tolist()
    for n in np.flatnonzero(far < near).tolist():
        begin, first = int(far[n]), int(firsts[n])
        low, high = (int(max(0.0, (times_s[at] - start_s) / BIN_S)) for at in (begin, first))
        due = max(float(expected[low : high + 1].sum()), LEAST_RATE)
        seen = float(lines.between(begin, first))
        if seen > RISE * due and goes_on(seen, due):
            onsets[n] = begin
    return onsets


def _trimmed(times_s: Floats, found: list[_Part], lines: Lines) -> list[_Part]:
    """Drop stray lines at the edges of bursts: what stands two minutes off and is under a twentieth of it, or five lines."""
    cuts = np.flatnonzero(times_s[1:] - times_s[:-1] > STRAY_GAP_S) + 1
    if not len(cuts):
        return found
    lows = np.searchsorted(cuts, [first for first, _ in found], "right").tolist()
    highs = np.searchsorted(cuts, [last for _, last in found]).tolist()
    every: list[int] = cuts.tolist()
    return [
        part if low == high else _without_strays(part, every[low:high], lines)
        for part, low, high in zip(found, lows, highs, strict=True)
    ]


def _without_strays(part: _Part, cuts: list[int], lines: Lines) -> _Part:
    edges = [part[0], *cuts, part[1]]
    low, high = 0, len(edges) - 1
    least = min(STRAY_SHARE * lines.between(*part), STRAY_MOST)
    while high - low > 1 and lines.between(edges[low], edges[low + 1]) < least:
        low += 1
    while high - low > 1 and lines.between(edges[high - 1], edges[high]) < least:
        high -= 1
    return edges[low], edges[high]


def _bins(start_s: float, end_s: float) -> int:
    return max(1, int(np.ceil((end_s - start_s) / BIN_S)))
