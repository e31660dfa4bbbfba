"""Packs log blocks on all cores: compression and hashing let other threads run, so threads are enough.

Blocks come back in the order in which they went in, and only a few are under way at once, so that memory stays bounded.
"""

import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from bot.casefile.blocks import BlockColumns, PackedBlock, pack_block
from bot.casefile.cells import Packer
from bot.native.batch import LineBatch

_MOST_THREADS = 8
"""More gain nothing: the one thread that reads cannot feed them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBlock:
    """A block whose lines are together: its number, its first line's, and the lines with what is known of each."""

    number: int
    first_line: int
    batches: Sequence[LineBatch]
    columns: BlockColumns


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledBlock:
    """A block ready to be stored."""

    number: int
    first_line: int
    columns: BlockColumns
    packed: PackedBlock


class Packing:
    """Threads that pack; none is started before there is a block."""

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or min(_MOST_THREADS, cores())
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: deque[Future[FilledBlock]] = deque()
        self._packers = threading.local()

    def add(self, block: OpenBlock) -> Iterator[FilledBlock]:
        """Take a block, and give those whose turn has come."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="pack")
        self._under_way.append(self._pool.submit(self._packed, block))
        while len(self._under_way) > 2 * self._threads or (self._under_way and self._under_way[0].done()):
            yield self._under_way.popleft().result()

    def rest(self) -> Iterator[FilledBlock]:
        """Give what is still under way."""
        while self._under_way:
            yield self._under_way.popleft().result()

    def close(self) -> None:
        """End the threads; what is under way is dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = None
        self._under_way.clear()

    def _packed(self, block: OpenBlock) -> FilledBlock:
        packer: Packer | None = getattr(self._packers, "zstd", None)
        if packer is None:
            packer = self._packers.zstd = Packer()
        text = b"\n".join(batch.joined() for batch in block.batches)
        packed = pack_block(text, block.columns, packer)
        return FilledBlock(number=block.number, first_line=block.first_line, columns=block.columns, packed=packed)


def cores() -> int:
    """Give how many cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # a container's share, where the system tells it
    return len(allowed(0)) if allowed else os.cpu_count() or 1
