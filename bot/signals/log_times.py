"""How busy the writers of some lines were, and which kinds of their lines may hold a burst.

Leaves out what the lines mean.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bot.domain.window import Window
from bot.signals.bursts import Exposure, exposure_from, exposure_of
from bot.signals.log_groups import LEAST_UNKNOWN
from bot.signals.log_lines import Floats, Ints, LogTable
from bot.signals.quiet_runs import may_burst

HELD_BYTES = 32_000_000
"""How busy so many entities were is remembered, and worked out again of the others: eight bytes for each minute of the window"""


class Times:
    """When each entity of a table wrote, by entity and template, and how busy it was in that."""

    def __init__(
        self, table: LogTable, owner: Ints, order: Ints, window: Window, counted: Mapping[int, NDArray[np.intp]]
    ) -> None:
        """``counted``: lines by bin, of an entity of which the table has some of the lines only."""
        self._times = table.times_s[order]
        self._ordered = owner[order]
        self._window = window
        self._levels: dict[int, Floats] = {owner: exposure_from(counts).bins for owner, counts in counted.items()}

    def of(self, first: int, last: int) -> Floats:
        """Give the times of a run of lines in the order."""
        return self._times[first:last]

    def exposure(self, owner: int) -> Exposure:
        """Give how busy an entity was; what it works out of that is the caller's to keep, for it is several times as much."""
        level = self._levels.get(owner)
        if level is None:
            me = self._ordered.dtype.type(owner)  # of another width, all of them would be converted
            first, last = (int(np.searchsorted(self._ordered, me, side)) for side in ("left", "right"))
            level = exposure_of(self._times[first:last], self._window.start_s, self._window.end_s).bins
            if (len(self._levels) + 1) * level.nbytes <= HELD_BYTES:
                self._levels[owner] = level
        return Exposure(bins=level)

    def may_burst(self, bounds: NDArray[np.int64], owners: Ints, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell of the runs that are asked about whether they may hold a burst that is worth a look."""
        told = [np.zeros(0, dtype=bool)]
        runs = np.flatnonzero(asked)
        for some in np.split(runs, np.flatnonzero(np.diff(owners[runs])) + 1) if len(runs) else []:
            first, last = int(some[0]), int(some[-1]) + 1
            exposure = self.exposure(int(owners[first]))
            start_s, end_s = self._window.start_s, self._window.end_s
            all_of_them = may_burst(self._times, bounds[first : last + 1], start_s, end_s, exposure, LEAST_UNKNOWN)
            told.append(all_of_them[some - first])
        return np.concatenate(told)
