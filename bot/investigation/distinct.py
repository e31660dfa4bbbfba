"""Lines that several sources hold of one container are kept once: the cluster, its recorder and a log store see the same log.

Two lines are the same where container, millisecond (stores keep no finer time for sure) and bytes are. A source that repeats
itself is believed: of equal lines as many are kept as the source has that has most. Left out: a shipper that rewrites lines or
dates them anew; that both brought unlike lines of one hour is said.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bot.domain.items import LogStream
from bot.domain.ports import UNDATED, TimedLine

MILLISECOND = 1_000_000
HOUR = 3_600_000
"""Milliseconds; lines are compared within an hour, so that few keys are looked through"""
MOST_KEYS = 16_000_000
"""Lines remembered, eight bytes each; later ones are kept without being compared."""
ENOUGH = 50
"""So many unlike lines of one hour from each of two sources are no chance."""

Keys = NDArray[np.int64]
Place = tuple[str, str, str]


@dataclass(slots=True)
class _Heard:
    """Keys of one container's hour from one source: sorted runs, each at least twice as long as the next."""

    runs: list[Keys] = field(default_factory=list)

    def add(self, keys: Keys) -> None:
        self.runs.append(np.sort(keys))
        while len(self.runs) > 1 and len(self.runs[-2]) < 2 * len(self.runs[-1]):
            last = self.runs.pop()
            self.runs[-1] = np.sort(np.concatenate([self.runs[-1], last]), kind="stable")

    @property
    def lines(self) -> int:
        return sum(map(len, self.runs))

    def counts(self, keys: Keys) -> Keys:
        """Tell of each key how often it was heard."""
        found = np.zeros(len(keys), dtype=np.int64)
        for run in self.runs:
            at = np.searchsorted(run, keys)
            hits = np.flatnonzero(run[np.minimum(at, len(run) - 1)] == keys)
            found[hits] += np.searchsorted(run, keys[hits], "right") - at[hits]
        return found


class DistinctLines:
    """Tells the lines that nobody else has brought. One thread at a time."""

    def __init__(self, most_keys: int = MOST_KEYS) -> None:
        self._left = most_keys
        self._places: dict[int, tuple[Place, str]] = {}
        self._heard: dict[tuple[Place, int], dict[str, _Heard]] = defaultdict(dict)
        self._alike: set[Place] = set()

    @property
    def full(self) -> bool:
        """Tell whether lines have gone by uncompared."""
        return self._left < 0

    def open_stream(self, number: int, stream: LogStream, source: str) -> None:
        """Note whose lines a stream's are; one that does not name its container is not compared."""
        if stream.namespace and stream.pod and stream.container:
            self._places[number] = (stream.namespace, stream.pod, stream.container), source

    def fresh(self, number: int, lines: Sequence[TimedLine]) -> Sequence[TimedLine]:
        """Give the lines of a stream that no other source has brought."""
        known = self._places.get(number)
        if known is None or self._left < 0:
            return lines
        self._left -= len(lines)
        place, source = known
        dated = [n for n, (at, _, _) in enumerate(lines) if at != UNDATED]
        if not dated:
            return lines
        told = [(at // MILLISECOND, raw[start:].rstrip(b"\r\n")) for at, raw, start in lines]
        keys = np.fromiter(map(hash, told), dtype=np.int64, count=len(told))
        hours = np.fromiter((at // HOUR for at, _ in told), dtype=np.int64, count=len(told))
        places = np.asarray(dated)
        twice = np.zeros(len(told), dtype=bool)
        for hour in np.unique(hours[places]).tolist():
            rows = places[hours[places] == hour]
            twice[rows] = self._twice(place, hour, source, keys[rows])
        if not twice.any():
            return lines
        self._alike.add(place)
        return [line for line, again in zip(lines, twice.tolist(), strict=True) if not again]

    def _twice(self, place: Place, hour: int, source: str, keys: Keys) -> NDArray[np.bool_]:
        heard = self._heard[place, hour]
        mine = heard.setdefault(source, _Heard())
        others = [each.counts(keys) for name, each in heard.items() if name != source]
        most: Keys = np.max([np.zeros(len(keys), dtype=np.int64), *others], axis=0)
        candidates = np.flatnonzero(most)
        twice = np.zeros(len(keys), dtype=bool)
        if len(candidates):
            some = keys[candidates]
            twice[candidates] = most[candidates] > mine.counts(some) + _rank(some)
        mine.add(keys)
        return twice

    def unlike(self) -> int:
        """Count containers of which two sources brought many lines of one hour, and none alike."""
        found = {
            place
            for (place, _), heard in self._heard.items()
            if place not in self._alike and sum(each.lines >= ENOUGH for each in heard.values()) > 1
        }
        return len(found)


def _rank(keys: Keys) -> Keys:
    """Tell of each key how many equal ones stand before it."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    first = np.maximum.accumulate(np.where(begins, np.arange(len(keys)), 0))
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys)) - first
    return ranks
