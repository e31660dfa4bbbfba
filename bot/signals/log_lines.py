"""The lines of a window as columns, counted once and read in parts: what those who read logs are handed.

Leaves out where the lines come from and what they mean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTable:
    """All dated lines of a window as columns of equal length, in line order.

    ``number`` is the line's ordinal (1-based, as in ``L17``); ``template`` indexes ``templates``.
    """

    number: Ints
    times_s: Floats
    stream: Ints
    template: Ints
    templates: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many dated lines of the window each pair of a stream and a template has; equal lengths, ascending by pair."""

    stream: Ints
    template: Ints
    lines: Ints


def runs_of(values: Ints) -> Iterator[tuple[int, Ints]]:
    """Give each value with the places at which it stands, both ascending."""
    order = np.argsort(values, kind="stable")
    begins = np.flatnonzero(np.diff(values[order], prepend=-1))
    for places in np.split(order, begins[1:]) if len(order) else ():
        yield int(values[places[0]]), places


def runs_of_pairs(high: Ints, low: Ints, lows: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Give the order by two columns of equal length, ``low`` under ``lows``, and where in it the runs of equal pairs begin, and the end."""
    if not len(high):
        return np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64)
    least = int(high.min())
    if (int(high.max()) - least + 1) * lows <= 1 << 16:  # 16 bits are sorted by counting
        key = (high - high.dtype.type(least)).astype(np.uint16) * np.uint16(lows) + low.astype(np.uint16)
        order = np.argsort(key, kind="stable").astype(np.int32)
        ordered = key[order]
        changes = ordered[1:] != ordered[:-1]
    else:
        order = np.lexsort((low, high)).astype(np.int32)
        highs, others = high[order], low[order]
        changes = (highs[1:] != highs[:-1]) | (others[1:] != others[:-1])
    return order, np.concatenate(([0], np.flatnonzero(changes) + 1, [len(order)]))


class LogLines(Protocol):
    """The lines of a window, counted, and read in parts."""

    @property
    def templates(self) -> Sequence[str]:
        """What ``LogTable.template`` indexes."""
        ...

    @property
    def tally(self) -> Tally:
        """The counts."""
        ...

    def each(self, streams: Sequence[int]) -> Iterator[LogTable]:
        """Give the lines of some streams, in line order, as many small tables."""
        ...

    def parts(self, streams: Sequence[int], templates: Sequence[int] | None, most: int) -> Iterator[LogTable]:
        """Give the same, of all templates or of some, in tables of ``most`` lines; the last has the rest."""
        ...
