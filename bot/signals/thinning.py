"""Thins lines minute by minute, so that what is held of a flood grows with the window and not with the flood.

A minute keeps its first line, its last and some evenly between; each kept line stands for those since the one kept before it, so
that the lines of every minute still add up. Leaves out when to thin and what the lines mean.
"""

import numpy as np
from numpy.typing import NDArray

from bot.signals.log_lines import Floats, Ints

Places = NDArray[np.int64]


def thinned(times_s: Floats, weights: Ints, minutes: Ints, most: int) -> tuple[Places, Places]:
    """Give the places of the lines that are kept, in time order, and how many each stands for.

    Equal lengths; ``weights``: how many lines each stands for so far; ``minutes`` of the times. Of the lines of a
    minute at most ``most`` (2 or more) are kept.
    """
    order = np.argsort(times_s, kind="stable")
    if not len(order):
        return order, np.zeros(0, dtype=np.int64)
    upto = np.cumsum(weights[order], dtype=np.int64)
    own = minutes[order]
    begins = np.concatenate(([0], np.flatnonzero(np.diff(own)) + 1))
    rows = np.diff(begins, append=len(order))
    before = np.concatenate(([0], upto))[begins]
    lines = np.concatenate((before[1:], upto[-1:])) - before
    # a line is kept where it carries its minute into the next of so many equal parts
    part = (upto - np.repeat(before, rows)) * (most - 1) // np.repeat(lines, rows)
    kept = np.diff(part, prepend=-1) != 0
    kept[begins] = True
    kept |= np.repeat(rows <= most, rows)
    chosen = np.flatnonzero(kept)
    return order[chosen], np.diff(upto[chosen], prepend=0)
