"""How many requests came, and how many succeeded, minute by minute: by what they ask for, whoever asks, and whoever serves them.

What recovery is seen by, and what a burst of one client's requests is held against. A bounded number of kinds of requests is
counted, those with the most lines. Leaves out what the counts tell (``recoveries``, ``log_groups``).
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.domain.window import Window
from bot.signals.bursts import BIN_S, Burst, Exposure, Lines, bursts, counts_of
from bot.signals.log_lines import Floats, Ints

HELD_BYTES = 16_000_000
"""So much is held, four bytes for each minute of the window for the successes of each kind of request, and for all of them"""

Counts = NDArray[np.int32]


class RequestCounts:
    """Counts of the requests of some entities, by number of the entity and what is asked for."""

    def __init__(self, asked: Sequence[str], succeeded: Sequence[bool], window: Window) -> None:
        """``asked``: what each template's requests ask for, empty where it tells of none; ``succeeded``: whether they did."""
        kinds = {request: number for number, request in enumerate(dict.fromkeys(filter(None, asked)))}
        self._kind_of = np.array([kinds.get(request, -1) for request in asked] or [-1], dtype=np.int64)
        self._succeeded = np.array([*succeeded] or [False], dtype=bool)
        self._kinds, self._window = max(1, len(kinds)), window
        self._bins = len(counts_of(np.zeros(0), window.start_s, window.end_s))
        self._place: dict[tuple[int, int], int] = {}
        """By entity and kind of request: where in the counts"""
        self._counts = np.zeros((2, 0, self._bins), dtype=np.int32)

    def begin(self, owners: Iterable[int], owner: Ints, template: Ints, lines: Ints) -> None:
        """Forget what was counted, and count for other entities; the columns say how many lines each has of each template."""
        kind = self._kind_of[template]
        mine = (kind >= 0) & np.isin(owner, list(owners))
        pairs, at = np.unique(owner[mine] * self._kinds + kind[mine], return_inverse=True)
        most = np.bincount(at.reshape(-1), lines[mine], len(pairs))
        room = HELD_BYTES // (8 * self._bins)
        kept = np.sort(pairs[np.argsort(-most, kind="stable")[:room]])
        self._place = {divmod(pair, self._kinds): place for place, pair in enumerate(kept.tolist())}
        self._counts = np.zeros((2, len(kept), self._bins), dtype=np.int32)

    def counts(self, owner: int, template: int) -> bool:
        """Tell whether an entity's lines of a template are counted."""
        return (owner, int(self._kind_of[template])) in self._place

    def take(self, owner: int, template: int, times_s: Floats) -> None:
        """Count an entity's lines of one template."""
        place = self._place[owner, int(self._kind_of[template])]
        found = counts_of(times_s, self._window.start_s, self._window.end_s)
        self._counts[1][place] += found.astype(np.int32)
        if self._succeeded[template]:
            self._counts[0][place] += found.astype(np.int32)

    def of(self, owner: int, templates: Iterable[int]) -> "Requests":
        """Give the requests of an entity that ask for what those of some templates ask for."""
        kinds = {int(self._kind_of[template]) for template in templates}
        places = [place for kind in sorted(kinds) if (place := self._place.get((owner, kind))) is not None]
        good, every = (self._counts[which][places].sum(axis=0) for which in (0, 1))
        return Requests(good, every, self._window)


class Requests:
    """Requests of one sort, counted by the minute."""

    def __init__(self, succeeded: Counts, every: Counts, window: Window) -> None:
        self._succeeded, self._every, self.window = succeeded, every, window

    def succeeded_upto(self, at_s: Floats) -> Floats:
        """Give how many had succeeded by some times; within a minute evenly."""
        return self._upto(self._succeeded, at_s)

    def asked_upto(self, at_s: Floats) -> Floats:
        """Give how many had come by some times, whatever became of them; within a minute evenly."""
        return self._upto(self._every, at_s)

    def _upto(self, counts: Counts, at_s: Floats) -> Floats:
        edges = self.window.start_s + BIN_S * np.arange(len(counts) + 1)
        return np.interp(at_s, edges, np.concatenate(([0.0], np.cumsum(counts))))

    def a_minute(self) -> Counts:
        """Give how many came in each minute of the window, whatever became of them."""
        return self._every

    def served_a_minute(self) -> Counts:
        """Give how many of those succeeded."""
        return self._succeeded

    def bursts(self, exposure: Exposure | None) -> list[Burst]:
        """Give when far more came than usual, whatever became of them; to the minute."""
        minutes = np.flatnonzero(self._every)
        times_s = np.asarray(self.window.start_s + BIN_S * (minutes + 0.5), dtype=np.float64)
        lines = Lines(self._every[minutes].astype(np.int64))
        return bursts(times_s, self.window.start_s, self.window.end_s, exposure, lines) if len(minutes) else []
