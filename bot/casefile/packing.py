"""Packs and maps log blocks on all cores: compression, keys and hashing let other threads run, so threads are enough.

Blocks go in runs of a few, come back in the order in which they went in, and only some are under way at once, so that memory
stays bounded. Whoever reads and stores them is one of the threads: where the others have enough to do, it packs a run
itself instead of waiting for them, so no more threads want to run than there are cores. Where there is somewhere else to map them, a run waits there without taking a core; what is not mapped there
is mapped here, and nothing tells the difference afterwards.
"""

import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from bot.casefile.blocks import BLOCK_BYTES, BlockColumns, PackedBlock, pack_block, unpack_sizes
from bot.casefile.cells import Packer, decompress
from bot.casefile.mapping import BlockText, Elsewhere, Mapped, MappedBlock, Masking, map_blocks
from bot.native.batch import LineBatch
from bot.native.memory import give_back, keep_buffers

_MOST_THREADS = 8
"""More gain nothing: the one thread that reads cannot feed them."""

RUN_BYTES = 4 * BLOCK_BYTES
"""Raw bytes of a run that is mapped here: enough that a thread's turn costs nothing, few enough to wait in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBlock:
    """A block whose lines are together: its number, its first line's, and the lines with what is known of each."""

    number: int
    first_line: int
    batches: list[LineBatch]
    """Emptied once they are packed: whoever waits for others holds the frames only"""
    columns: BlockColumns


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledBlock:
    """A block ready to be stored, once its forms are numbered."""

    number: int
    first_line: int
    columns: BlockColumns
    packed: PackedBlock
    mapped: MappedBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledRun:
    """Blocks that were mapped together, and their forms; ``firsts`` counts the run's lines from 0."""

    forms: list[bytes]
    firsts: list[int]
    blocks: list[FilledBlock]


class Packing:
    """Threads that pack and map; none is started before there is a run."""

    def __init__(self, masking: Masking, *, threads: int | None = None, elsewhere: Elsewhere | None = None) -> None:
        self._masking = masking
        self._threads = threads or max(1, min(_MOST_THREADS, cores() - 1))
        self._elsewhere = elsewhere
        self._working = threading.Semaphore(self._threads + 1)
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: deque[Future[FilledRun]] = deque()
        self._packers = threading.local()
        self._open: list[OpenBlock] = []
        self._bytes = 0
        keep_buffers()

    def add(self, block: OpenBlock) -> Iterator[FilledRun]:
        """Take a block, and give the runs whose turn has come."""
        self._open.append(block)
        self._bytes += int(block.columns.lengths.sum())
        if self._bytes >= (RUN_BYTES if self._elsewhere is None else max(RUN_BYTES, self._elsewhere.run_bytes)):
            self._begin()
        waiting = self._elsewhere.places if self._elsewhere else 0
        while len(self._under_way) > 2 * self._threads + waiting or (self._under_way and self._under_way[0].done()):
            yield self._under_way.popleft().result()

    def rest(self) -> Iterator[FilledRun]:
        """Give what is still under way."""
        self._begin()
        while self._under_way:
            yield self._under_way.popleft().result()

    def close(self) -> None:
        """End the threads; what is under way is dropped."""
        if self._elsewhere is not None:
            self._elsewhere.close()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = None
        self._under_way.clear()
        give_back()

    def _begin(self) -> None:
        if not self._open:
            return
        if self._pool is None:
            most = self._threads + (self._elsewhere.most_places if self._elsewhere else 0)
            self._pool = ThreadPoolExecutor(most, thread_name_prefix="pack")
        run, size = self._open, self._bytes
        self._open, self._bytes = [], 0
        if self._enough_to_do():
            future = Future[FilledRun]()
            future.set_result(self._filled(run, size, here=True))
            self._under_way.append(future)
        else:
            self._under_way.append(self._pool.submit(self._filled, run, size))

    def _enough_to_do(self) -> bool:
        """Tell whether each thread has a run to pack and one that waits; never where runs go elsewhere, which only waits."""
        if self._elsewhere is not None and self._elsewhere.run_bytes:
            return False
        return sum(not run.done() for run in self._under_way) >= 2 * self._threads

    def _filled(self, run: Sequence[OpenBlock], size: int, *, here: bool = False) -> FilledRun:
        with self._working:
            texts = [_text(block) for block in run]
            packer = self._packer()
            packed = [pack_block(text.text, block.columns, packer) for text, block in zip(texts, run, strict=True)]
            sent = not here and self._elsewhere is not None and self._elsewhere.claim(size)
            mapped = None if sent else map_blocks(texts, self._masking)
        del texts
        if mapped is None:
            mapped = self._mapped_elsewhere(run[0].number, packed, size)
        return FilledRun(
            forms=mapped.forms,
            firsts=mapped.firsts,
            blocks=[
                FilledBlock(number=o.number, first_line=o.first_line, columns=o.columns, packed=p, mapped=m)
                for o, p, m in zip(run, packed, mapped.blocks, strict=True)
            ],
        )

    def _mapped_elsewhere(self, number: int, packed: Sequence[PackedBlock], size: int) -> Mapped:
        assert self._elsewhere is not None
        mapped = self._elsewhere.mapped(number, packed, size)
        if mapped is None:
            with self._working:
                mapped = map_blocks([unpacked(block) for block in packed], self._masking)
        return mapped

    def _packer(self) -> Packer:
        packer: Packer | None = getattr(self._packers, "zstd", None)
        if packer is None:
            packer = self._packers.zstd = Packer()
        return packer


def _text(block: OpenBlock) -> BlockText:
    """Give a block's lines as they are stored and mapped: behind their stamps."""
    columns, stamps = block.columns, block.columns.stamps
    text = b"\n".join(batch.joined() for batch in block.batches)
    block.batches.clear()
    if stamps is None:
        return BlockText(text=text, lengths=columns.lengths, text_starts=columns.text_starts)
    return BlockText(text=text, lengths=columns.lengths - stamps, text_starts=columns.text_starts - stamps)


def unpacked(block: PackedBlock) -> BlockText:
    """Give a block's lines back from its frames."""
    return BlockText(
        text=decompress(block.text),
        lengths=unpack_sizes(block.lengths, block.lines),
        text_starts=unpack_sizes(block.text_starts, block.lines),
    )


def cores() -> int:
    """Give how many cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # a container's share, where the system tells it
    return len(allowed(0)) if allowed else os.cpu_count() or 1
