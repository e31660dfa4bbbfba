"""Who may investigate now: a fixed number at once, the others in order of arrival, each knowing its position."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Waiting = Callable[[int], Awaitable[None]]
"""Told the position (1 is next) at first and whenever something moved; what it raises ends the waiting."""


class Turns:
    """Turns in one event loop; what waits in other processes has turns of its own."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._queue: list[int] = []
        self._moved: dict[int, asyncio.Event] = {}

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    @asynccontextmanager
    async def turn(self, seq: int, told: Waiting) -> AsyncIterator[None]:
        """Wait until the ask that came as number ``seq`` may run, and keep its place while it does."""
        moved = self._moved[seq] = asyncio.Event()
        heapq.heappush(self._queue, seq)
        try:
            while not self._has_turn(seq):
                moved.clear()
                await told(sum(other <= seq for other in self._queue))
                if not self._has_turn(seq):
                    await moved.wait()
            self._free -= 1
        finally:
            self._queue.remove(seq)
            heapq.heapify(self._queue)
            del self._moved[seq]
            self._move()
        try:
            yield
        finally:
            self._free += 1
            self._move()

    def stir(self, seq: int) -> None:
        """Wake one that waits, so that it looks whether it was stopped."""
        if seq in self._moved:
            self._moved[seq].set()

    def _has_turn(self, seq: int) -> bool:
        return self._free > 0 and self._queue[0] == seq

    def _move(self) -> None:
        for moved in self._moved.values():
            moved.set()
