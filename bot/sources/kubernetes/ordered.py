"""Several readings at once, handed over in their order, so that the same cluster always makes the same case.

Memory is bounded by the width: a reading that is ahead of its turn waits after a few pieces.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Generic, TypeVar

from bot.cluster.refusals import UntoldError

T = TypeVar("T")

AHEAD = 4
"""Pieces that a reading may be ahead of its turn."""


class _Turn(Generic[T]):
    """One reading: its pieces, then None; a refusal stands where the pieces end."""

    def __init__(self, opened: Callable[[], AsyncGenerator[T, None]]) -> None:
        self.pieces: asyncio.Queue[T | UntoldError | None] = asyncio.Queue(AHEAD)
        self.task = asyncio.create_task(self._pump(opened))

    async def _pump(self, opened: Callable[[], AsyncGenerator[T, None]]) -> None:
        try:
            async with aclosing(opened()) as pieces:
                async for piece in pieces:
                    await self.pieces.put(piece)
        except UntoldError as error:
            await self.pieces.put(error)
        await self.pieces.put(None)


async def in_order(
    readings: Iterable[Callable[[], AsyncGenerator[T, None]]], width: int
) -> AsyncGenerator[tuple[int, T | UntoldError], None]:
    """Give every piece with the number of its reading; close this iterator, and what still runs is stopped."""
    turns: deque[tuple[int, _Turn[T]]] = deque()
    numbered = enumerate(readings)
    try:
        while True:
            while len(turns) < width and (following := next(numbered, None)) is not None:
                turns.append((following[0], _Turn(following[1])))
            if not turns:
                return
            number, turn = turns[0]
            while (piece := await turn.pieces.get()) is not None:
                yield number, piece
            await turn.task
            turns.popleft()
    finally:
        for _, turn in turns:
            turn.task.cancel()
        if turns:
            await asyncio.wait([turn.task for _, turn in turns])
