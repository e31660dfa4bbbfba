"""Find the windows of a run of bins that hold far more lines than are due, before anything dearer is asked of them.

The compiled loop sums as numpy does, so that not a bit differs with it and without. Leaves out how unlikely a count is.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.native.batch import address
from bot.native.kernel import kernel

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

RISE = 3.0
"""A burst is at least this many times the background: less is not worth waking anyone."""


class Risen(NamedTuple):
    """Windows by the bin at which each begins; their lines, what is due, and whether a bin in it is known to be hot."""

    begins: NDArray[np.int64]
    seen: Floats
    due: Floats
    beside: Flags


def risen(counts: Floats, expected: Floats, width: int, known: Flags) -> Risen:
    """Find windows of ``width`` bins with two lines or more that are over ``RISE`` times what is due.

    Bins that are ``known`` to be hot count for nothing. All arrays have one entry a bin.
    """
    compiled = kernel()
    if compiled is None:
        return plain_risen(counts, expected, width, known)
    bins = len(counts)
    begins, room, beside = np.empty(bins, dtype=np.int64), np.empty((5, bins + 1)), np.empty(bins, dtype=bool)
    columns = (counts, expected, known)
    results = (room, begins, room[3], room[4], beside)
    found = compiled.rootcause_risen(*map(address, columns), bins, width, *map(address, results))
    return Risen(begins[:found], room[3, :found], room[4, :found], beside[:found])


def plain_risen(counts: Floats, expected: Floats, width: int, known: Flags) -> Risen:
    """Do what the compiled loop does."""
    any_known = bool(known.any())
    seen = window_sums(np.where(known, 0.0, counts) if any_known else counts, width)
    due = window_sums(np.where(known, 0.0, expected) if any_known else expected, width)
    begins = np.flatnonzero((seen > RISE * due) & (seen >= 2))
    beside = window_sums(known.astype(float), width)[begins] > 0.5
    return Risen(begins, seen[begins], due[begins], beside)


def window_sums(values: Floats, width: int) -> Floats:
    """Sum every window of ``width`` neighbours."""
    if width == 1:
        return values
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(sums[width:] - sums[:-width], dtype=float)
