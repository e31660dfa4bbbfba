"""What the times of a series say of its samples, worked out once for all series that were scraped together.

Which samples share a day, and which a time of day; and where a sample lies between the middles of the day's slots. Leaves
out the values.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]

DAY_S = 86_400.0
SLOTS = 96
"""Slots of the daily profile: 15 minutes each."""

_MOST_PADDING = 4
"""Places that grouping may waste for each number"""
_FEW_PLACES = 4
"""Selecting so many places of a row is faster than sorting it"""


class Groups:
    """Samples in groups, of which medians are wanted again and again."""

    def __init__(self, group: Indexes, groups: int) -> None:
        self.group = group
        self._groups = groups
        self._counts = np.bincount(group, minlength=groups)
        longest = int(self._counts.max())
        self._padded = longest * groups <= _MOST_PADDING * len(group) and groups <= np.iinfo(np.int16).max
        self._begins = np.arange(groups) * longest if self._padded else np.cumsum(self._counts) - self._counts
        last = (longest * groups if self._padded else len(group)) - 1
        self._low = np.minimum(self._begins + np.maximum(self._counts - 1, 0) // 2, last)
        self._high = np.minimum(self._begins + self._counts // 2, last)
        self._gather, self._places = self._laid_out(longest) if self._padded else (group, [])
        self._holes = longest * groups > len(group)

    def _laid_out(self, longest: int) -> tuple[Indexes, list[int]]:
        """Give which sample stands where in rows of one length, one behind the last for none; and the places to select."""
        order = np.argsort(self.group.astype(np.int16), kind="stable")
        gather = np.full((self._groups, longest), len(self.group), dtype=np.intp)
        before = np.cumsum(self._counts) - self._counts
        gather[self.group[order], np.arange(len(order)) - before[self.group[order]]] = order
        places = np.unique(np.concatenate((self._low - self._begins, self._high - self._begins))).tolist()
        return gather, places

    def medians(self, values: Floats) -> Floats:
        """Give the median of every group of finite values; zero for an empty group."""
        if self._padded:
            # a row a group, filled up with infinities: short rows are ranked several times faster than all of it
            rows = (np.append(values, np.inf) if self._holes else values)[self._gather]
            if len(self._places) <= _FEW_PLACES:
                rows.partition(self._places, axis=1)
            else:
                rows.sort(axis=1)
            ranked = rows.reshape(-1)
        else:
            ranked = values[np.lexsort((values, self.group))]
        return np.where(self._counts > 0, (ranked[self._low] + ranked[self._high]) / 2, 0.0)


@dataclass(frozen=True, kw_only=True, eq=False)  # without slots, for what is worked out once
class Grid:
    """The times of samples, ascending, and what they say of them."""

    times: Floats

    @cached_property
    def days(self) -> Groups:
        """The samples by day, counted from the first one."""
        day = ((self.times - self.times[0]) // DAY_S).astype(np.intp)
        return Groups(day, int(day[-1]) + 1)

    @cached_property
    def slots(self) -> Groups:
        """The samples by time of day."""
        return Groups(((self.times % DAY_S) * (SLOTS / DAY_S)).astype(np.intp), SLOTS)

    @cached_property
    def between(self) -> tuple[Indexes, Indexes, Floats]:
        """The slots whose middles lie before and after each sample, around midnight too, and how near the second is."""
        place = (self.times % DAY_S) * (SLOTS / DAY_S) - 0.5
        below = np.floor(place)
        low = below.astype(np.intp) % SLOTS
        return low, (low + 1) % SLOTS, place - below


class _Latest:
    """The grid that was asked for last: series that were scraped together follow each other."""

    grid: Grid | None = None


def grid_of(times: Floats) -> Grid:
    """Give the grid of these times."""
    latest = _Latest.grid
    if latest is None or len(latest.times) != len(times) or not np.array_equal(latest.times, times):
        latest = _Latest.grid = Grid(times=times)
    return latest
