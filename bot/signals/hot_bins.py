"""Find the bins of a run that hold far more lines than are due, by windows of several widths.

The compiled loop sums as numpy does and leaves to Python what lies so near a limit that a logarithm's last digits would
tell, so that not a bit differs with it and without. Leaves out what is due.
"""

from math import log, log1p, pi

import numpy as np
from numpy.typing import NDArray

from bot.native.batch import address
from bot.native.kernel import kernel

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SCALES_BINS = (1, 5, 30)
SIGNIFICANT = -13.0
"""Natural logarithm of the Poisson tail under which a count is a burst: 2e-6, as some thousand bins are looked at."""
GOES_ON = -7.0
"""The same for the neighbourhood of a burst that was found: it takes less to believe that a fault went on."""
RISE = 3.0
"""A burst is at least this many times the background: less is not worth waking anyone."""
LEAST_RATE = 1e-4
"""Lines a bin that any kind of line may have by chance, however silent it was."""


def hot_bins(counts: Floats, expected: Floats) -> Flags:
    """Mark the bins whose lines belong to a burst, of lines and what is due by bin."""
    compiled = kernel()
    if compiled is not None:
        bins = len(counts)
        hot, room = np.zeros(bins, dtype=bool), np.empty(3 * (bins + 1))
        if compiled.rootcause_hot(*map(address, (counts, expected)), bins, *map(address, (room, hot))):
            return hot
    return plain_hot_bins(counts, expected)


def plain_hot_bins(counts: Floats, expected: Floats) -> Flags:
    """Do what the compiled loop does."""
    hot = np.zeros(len(expected), dtype=bool)
    for width in SCALES_BINS:
        if width <= len(expected):
            hot |= _hot(counts, expected, width, hot)
    return hot


def _hot(counts: Floats, expected: Floats, width: int, known: Flags) -> Flags:
    """Mark the bins of windows of one width whose count is too high; bins ``known`` to be hot count for nothing.

    A narrow burst must not make its wide neighbourhood hot as well, but less is asked of a neighbourhood.
    """
    any_known = bool(known.any())
    seen = window_sums(np.where(known, 0.0, counts) if any_known else counts, width)
    due = window_sums(np.where(known, 0.0, expected) if any_known else expected, width)
    # few windows rise at all, and only of those the tail is worth its logarithms
    begins = np.flatnonzero((seen > RISE * due) & (seen >= 2))
    beside = window_sums(known.astype(float), width)[begins] > 0.5
    most = np.where(beside, GOES_ON, SIGNIFICANT)
    strong = begins[log_tail(seen[begins], np.maximum(due[begins], LEAST_RATE)) < most]
    edges = np.zeros(len(counts) + 1)
    np.add.at(edges, strong, 1.0)
    np.add.at(edges, strong + width, -1.0)
    spread = np.cumsum(edges)[:-1] > 0.5
    # within a hot window only the bins that are themselves above the background belong to the burst
    return np.asarray(spread & (counts > 1.5 * expected), dtype=bool)


def window_sums(values: Floats, width: int) -> Floats:
    """Sum every window of ``width`` neighbours."""
    if width == 1:
        return values
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(sums[width:] - sums[:-width], dtype=float)


def goes_on(count: float, expected: float) -> bool:
    """Tell of one count whether its ``log_tail`` is under ``GOES_ON``; without arrays that takes a tenth of the time."""
    if count <= expected:
        return False
    if count < len(_LOG_FACTORIALS):
        log_factorial = float(_LOG_FACTORIALS[int(count)])
    else:
        log_factorial = count * log(count) - count + 0.5 * log(2 * pi * count)
    return count * log(expected) - expected - log_factorial - log1p(-expected / (count + 1.0)) < GOES_ON


def log_tail(counts: Floats, expected: Floats) -> Floats:
    """Bound ln P(X >= count) for X ~ Poisson(expected) from above; 0 where the count is not above what is expected.

    The tail is at most its first term over 1 - expected / (count + 1), the ratio of a geometric series that bounds it.
    """
    above = counts > expected
    k = np.where(above, counts, 1.0)
    mean = np.where(above, expected, 0.5)
    log_factorial = _LOG_FACTORIALS[np.minimum(k, len(_LOG_FACTORIALS) - 1).astype(int)]
    large = k >= len(_LOG_FACTORIALS)
    stirling = k * np.log(np.maximum(k, 1.0)) - k + 0.5 * np.log(2 * np.pi * np.maximum(k, 1.0))
    log_factorial = np.where(large, stirling, log_factorial)
    bound = k * np.log(mean) - mean - log_factorial - np.log1p(-mean / (k + 1.0))
    return np.where(above, np.minimum(bound, 0.0), 0.0)


_LOG_FACTORIALS = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, 2048.0)))])
