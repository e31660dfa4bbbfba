"""The simulated clock: a window, a queue of acts with exact times, and marks of what happened; no knowledge of clusters."""

import heapq
import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

TICK_S = 15.0
DAY_S = 86400.0


@lru_cache(maxsize=32_768)
def second(whole_s: int, form: str = "%Y-%m-%dT%H:%M:%S") -> str:
    """Print a whole second in a form of ``strftime``; lines come by the hundred in each."""
    return datetime.fromtimestamp(whole_s, tz=UTC).strftime(form)


class Timeline:
    """What is to happen when, and what the truth will be told of it."""

    def __init__(self, start: float, days: float) -> None:
        self.start, self.end, self.days = start, start + days * DAY_S, days
        self.now = start
        self.marks: dict[str, list[float]] = {}
        self.trough, self.weekend = 0.55, 0.82
        """Traffic at the quietest hour, and at weekends, as a share of the peak."""
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._seq = 0

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Queue an act for an exact time."""
        self._seq += 1
        heapq.heappush(self._queue, (when, self._seq, act))

    def next_act(self, before: float) -> Callable[[], None] | None:
        """Move the clock to the next act before a time and give it; None where there is none."""
        if not self._queue or self._queue[0][0] >= before:
            return None
        self.now, _, act = heapq.heappop(self._queue)
        return act

    def mark(self, step: str, at: float | None = None) -> None:
        """Remember for the truth that a step of the cascade happened."""
        self.marks.setdefault(step, []).append(self.now if at is None else at)

    def daylight(self, at: float) -> float:
        """Give traffic as a share of the peak: low at night, lower at weekends, never gone."""
        moment = datetime.fromtimestamp(at, tz=UTC)
        hour = moment.hour + moment.minute / 60
        wave = 0.5 + 0.5 * math.cos((hour - 14.5) / 24 * 2 * math.pi)
        weekend = self.weekend if moment.weekday() >= 5 else 1.0
        return (self.trough + (1 - self.trough) * wave) * weekend
