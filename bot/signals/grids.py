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

_LONG = 1024
"""In so long rows one place is found faster than they are sorted, and then the largest below it."""
_MOST_PADDING = 4
"""Places that grouping may waste for each number"""


class Groups:
    """Samples in groups, of which medians are wanted again and again."""

    def __init__(self, group: Indexes, groups: int, other: Indexes) -> None:
        self._group = group
        self.groups = groups
        self._counts = np.bincount(group, minlength=groups)
        longest = int(self._counts.max())
        self._padded = longest * groups <= _MOST_PADDING * len(group) and groups <= np.iinfo(np.int16).max
        self._begins = np.arange(groups) * longest if self._padded else np.cumsum(self._counts) - self._counts
        last = (longest * groups if self._padded else len(group)) - 1
        self._low = np.minimum(self._begins + np.maximum(self._counts - 1, 0) // 2, last)
        self._high = np.minimum(self._begins + self._counts // 2, last)
        self._holes = self._padded and longest * groups > len(group)
        self._gather = self._laid_out(groups, longest) if self._padded else np.arange(len(group))
        self.other = np.append(other, 0)[self._gather] if self._holes else other[self._gather]
        """Of what stands at each place of the rows, the group by another grouping"""

    def _laid_out(self, groups: int, longest: int) -> Indexes:
        """Give which sample stands where in rows of one length, one behind the last for none."""
        order = np.argsort(self._group.astype(np.int16), kind="stable")
        gather = np.full((groups, longest), len(self._group), dtype=np.intp)
        before = np.cumsum(self._counts) - self._counts
        gather[self._group[order], np.arange(len(order)) - before[self._group[order]]] = order
        return gather

    def rows(self, values: Floats) -> Floats:
        """Lay values out by group: a row a group, filled up with infinities, or as they are where groups differ too much."""
        return (np.append(values, np.inf) if self._holes else values)[self._gather]

    def medians(self, rows: Floats) -> Floats:
        """Give the median of every group of finite values, which are laid out and lose their order; zero for an empty group."""
        if not self._padded:
            ranked = rows[np.lexsort((rows, self._group))]
        elif self._holes or rows.shape[1] < _LONG:
            # short rows are ranked faster than all of it, and sorted faster than two places in them are found
            rows.sort(axis=1)
            ranked = rows.reshape(-1)
        else:
            return _middles(rows)
        return np.where(self._counts > 0, (ranked[self._low] + ranked[self._high]) / 2, 0.0)


def _middles(rows: Floats) -> Floats:
    """Give the median of each row."""
    middle = rows.shape[1] // 2
    rows.partition(middle, axis=1)
    below = rows[:, middle] if rows.shape[1] % 2 else rows[:, :middle].max(axis=1)
    return np.asarray((below + rows[:, middle]) / 2)


@dataclass(frozen=True, kw_only=True, eq=False)  # without slots, for what is worked out once
class Grid:
    """The times of samples, ascending, and what they say of them."""

    times: Floats

    @cached_property
    def step_s(self) -> float:
        """The usual distance of samples (60 s where there are fewer than two)."""
        return float(np.median(np.diff(self.times))) if len(self.times) > 1 else 60.0

    @cached_property
    def even(self) -> Floats:
        """Times at the usual distance from the first to the last: these times themselves where they keep it."""
        even = np.arange(self.times[0], self.times[-1] + self.step_s / 2, self.step_s)
        return self.times if len(even) == len(self.times) and np.array_equal(even, self.times) else even

    @cached_property
    def layouts(self) -> tuple[Groups, Groups]:
        """The samples by day, counted from the first one, and by time of day."""
        day = ((self.times - self.times[0]) // DAY_S).astype(np.intp)
        slot = ((self.times % DAY_S) * (SLOTS / DAY_S)).astype(np.intp)
        return Groups(day, int(day[-1]) + 1, slot), Groups(slot, SLOTS, day)

    @cached_property
    def between(self) -> tuple[Indexes, Indexes, Floats, Floats]:
        """The slots whose middles lie before and after each sample, around midnight too, and the weight of either."""
        place = (self.times % DAY_S) * (SLOTS / DAY_S) - 0.5
        below = np.floor(place)
        low = below.astype(np.intp) % SLOTS
        return low, (low + 1) % SLOTS, 1 - (place - below), place - below


def phases(times: Floats, period_s: float) -> tuple[tuple[Groups, Groups], Indexes]:
    """Give the samples by cycle and by phase, of which there are as many as of a day's at most; and each sample's phase."""
    cycle = ((times - times[0]) // period_s).astype(np.intp)
    many = max(1, min(SLOTS, round(period_s / grid_of(times).step_s)))
    phase = np.minimum(((times - times[0]) % period_s * (many / period_s)).astype(np.intp), many - 1)
    return (Groups(cycle, int(cycle[-1]) + 1, phase), Groups(phase, many, cycle)), phase


class _Latest:
    """The grid that was asked for last: series that were scraped together follow each other."""

    grid: Grid | None = None


def grid_of(times: Floats) -> Grid:
    """Give the grid of these times."""
    latest = _Latest.grid
    if latest is None or len(latest.times) != len(times) or not np.array_equal(latest.times, times):
        latest = _Latest.grid = Grid(times=times)
    return latest
