"""How bad a trouble was when: the stretches in which a measure of it passed one level after another.

Only for measures that are nothing when all is well, such as the share of periods in which a limit held a container up;
of others the height alone says nothing. Leaves out which measures those are.
"""

import numpy as np
from numpy.typing import NDArray

from bot.signals.levels import Floats

PARTS = (0.25, 0.5, 0.75)
"""Levels, as parts of the way from where the trouble begins to its worst."""
JOINED_S = 600.0
"""A break this short in a stretch is the measure's own restlessness."""
MOST = 300
"""Stretches from which on a level says nothing any more."""

Levels = tuple[tuple[tuple[float, float], ...], ...]


def levels_of(times: Floats, values: Floats, least: float) -> Levels:
    """Give the stretches ``(start_s, end_s)`` beyond each level over ``least``; levels that mark the same are one."""
    known = np.nan_to_num(values, nan=least)
    if not len(known) or float(known.max()) <= least:
        return ()
    top = float(known.max())
    found: list[tuple[tuple[float, float], ...]] = []
    for part in PARTS:
        spans = stretches(times, known >= least + part * (top - least))
        if len(spans) <= MOST and (not found or spans != found[-1]):
            found.append(spans)
    return tuple(found)


def stretches(times: Floats, on: NDArray[np.bool_], joined_s: float = JOINED_S) -> tuple[tuple[float, float], ...]:
    """Give the stretches of samples that are ``on``, joined over short breaks."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False])).astype(np.int8)))
    spans: list[tuple[float, float]] = []
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        start, end = float(times[first]), float(times[after - 1])
        if spans and start - spans[-1][1] <= joined_s:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return tuple(spans)
