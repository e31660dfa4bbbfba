"""Reads log lines back: whole columns for the digest, single lines by number, neighbours in their stream."""

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, repeat
from typing import Any

import numpy as np

from bot.casefile.blocks import Ints, Numbers, stamped, unpack_numbers, unpack_sizes, unpack_times
from bot.casefile.cells import beginning, cell_bytes, decompress
from bot.casefile.packing import cores
from bot.casefile.records import row_stream
from bot.casefile.stored import StoredItem, at_nanoseconds, stream_name
from bot.domain.items import ItemId, LogStream
from bot.domain.ports import UNDATED

StoredBlock = tuple[int, int, bytes, bytes, bytes]
"""First line, lines, and the frames of lengths, text offsets and text."""

HELD_LINES = 8_000_000
"""Lines whose columns are held, at 16 bytes each; of a case with more, they are read block by block, time and again."""

RUN_BLOCKS = 512
"""Blocks whose columns are searched together in such a case: some million lines."""

_MANY_BLOCKS = 8
"""From here on threads are worth their start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRow:
    """A masked form: its bytes, how many lines have it, and the first of them (n of ``L<n>``)."""

    form: bytes
    count: int
    first_line: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Of every line, in line order (position n - 1 is ``L<n>``).

    ``times_ns``: int64 nanoseconds since the epoch, ``UNDATED`` (-1) where nothing dates it; ``stream``: int32 position
    in ``Case.streams()``; ``form``: int32 position in ``Case.forms()``, -1 throughout in a case without forms.
    """

    times_ns: Ints
    stream: Numbers
    form: Numbers


@dataclass(frozen=True, kw_only=True, eq=False)  # without slots, for what is unpacked once
class BlockLines:
    """The columns of one block, as ``Columns`` has them of all, each unpacked when it is asked for."""

    block: int
    first_line: int
    lines: int
    frames: tuple[bytes, bytes, bytes]

    @cached_property
    def times_ns(self) -> Ints:
        """Nanoseconds since the epoch, or ``UNDATED``."""
        return unpack_times(self.frames[0], self.lines)

    @cached_property
    def stream(self) -> Numbers:
        """Positions in ``Case.streams()``."""
        return unpack_numbers(self.frames[1], self.lines)

    @cached_property
    def form(self) -> Numbers:
        """Positions in ``Case.forms()``, or -1."""
        return unpack_numbers(self.frames[2], self.lines)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogBlock:
    """An opened block: its lines' bytes behind their stamps, one after the other; ``offsets`` has one more entry than there are lines."""

    first_line: int
    text: bytes
    offsets: Ints
    lengths: Ints
    text_starts: Ints

    def line(self, index: int) -> tuple[bytes, int]:
        """Give a line's bytes behind its stamp, and the offset of its text in them."""
        start = int(self.offsets[index])
        return self.text[start : start + int(self.lengths[index])], int(self.text_starts[index])


class LogReader:
    """The logs of a case; ``connection`` stays the caller's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._opened: tuple[int, LogBlock] | None = None
        self._shown: BlockLines | None = None
        self._stamps: tuple[int, Ints | None] = (0, None)

    @cached_property
    def _stream_rows(self) -> list[tuple[str, LogStream]]:
        rows = self._connection.execute("SELECT * FROM log_streams ORDER BY id")
        return [(row[1], row_stream(row)) for row in rows]

    @cached_property
    def streams(self) -> list[LogStream]:
        """Every stream; the position is its number."""
        return [stream for _, stream in self._stream_rows]

    @cached_property
    def sources(self) -> list[str]:
        """Which source each stream was read from."""
        return [source for source, _ in self._stream_rows]

    @cached_property
    def forms(self) -> list[FormRow]:
        """Every masked form; the position is its number."""
        rows = self._connection.execute("SELECT form, lines, first_line FROM log_forms ORDER BY id")
        return [FormRow(form=cell_bytes(form), count=count, first_line=first) for form, count, first in rows]

    @cached_property
    def columns(self) -> Columns:
        """Times, streams and forms of every line, held from now on: for those who search, not for a digest."""
        return _joined(self._stored_columns(None))

    def runs_of_columns(self) -> Iterator[tuple[range, Columns]]:
        """Give the columns of runs of blocks, with the blocks' numbers: all in one where they may be held, else some at a time."""
        if self.lines <= HELD_LINES:
            yield range(1, self.blocks + 1), self.columns
            return
        blocks = iter(self._stored_columns(None))
        while run := list(islice(blocks, RUN_BLOCKS)):
            yield range(run[0].block, run[-1].block + 1), _joined(run)

    def blocks_of_columns(self, blocks: Sequence[int] | None = None) -> Iterator[BlockLines]:
        """Give the columns block by block, of all blocks or of some in ascending order; few lines are held, many are not."""
        if self.lines > HELD_LINES:
            yield from self._stored_columns(blocks)
            return
        held = self._held_columns
        yield from held if blocks is None else (held[block - 1] for block in blocks)

    @cached_property
    def _held_columns(self) -> list[BlockLines]:
        return list(self._stored_columns(None))

    def _stored_columns(self, blocks: Sequence[int] | None) -> Iterator[BlockLines]:
        query = "SELECT id, first_line, lines, times, streams, forms FROM log_blocks"
        if blocks is None:
            rows: Iterable[tuple[Any, ...]] = self._connection.execute(f"{query} ORDER BY id")
        else:
            rows = (self._connection.execute(f"{query} WHERE id = ?", (block,)).fetchone() for block in blocks)
        for block, first, lines, *frames in rows:
            yield BlockLines(block=block, first_line=first, lines=lines, frames=(frames[0], frames[1], frames[2]))

    @cached_property
    def firsts(self) -> Ints:
        """The first line of each block, and one past the last."""
        rows = self._connection.execute("SELECT first_line, lines FROM log_blocks ORDER BY id").fetchall()
        ends = [rows[-1][0] + rows[-1][1]] if rows else [1]
        return np.array([first for first, _ in rows] + ends, dtype=np.int64)

    @cached_property
    def dated(self) -> Ints:
        """Of each block how many of its lines are dated, and the first and last of their times (0 where none is): three columns."""
        rows = np.zeros((self.blocks, 3), dtype=np.int64)
        for row, block in zip(rows, self.blocks_of_columns(), strict=True):
            times = block.times_ns
            known = times if times.min() > UNDATED else times[times != UNDATED]
            if len(known):
                row[:] = len(known), known.min(), known.max()
        return rows

    @property
    def blocks(self) -> int:
        """How many blocks there are; they are counted from 1."""
        return len(self.firsts) - 1

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return int(self.firsts[-1]) - 1

    @property
    def raw_bytes(self) -> int:
        """How many bytes all lines have together."""
        found: int = self._connection.execute("SELECT coalesce(sum(raw_bytes), 0) FROM log_blocks").fetchone()[0]
        return found

    def span(self, block: int) -> tuple[int, int]:
        """Give the positions in ``columns`` at which a block begins and ends."""
        return int(self.firsts[block - 1]) - 1, int(self.firsts[block]) - 1

    @cached_property
    def _runs(self) -> tuple[Ints, Ints, Ints, Ints]:
        """By stream and then block: both numbers, the lines of that stream in that block, and in the blocks before."""
        found = []
        for each in self.blocks_of_columns():
            stream = each.stream
            alone = bool((stream == stream[0]).all())  # as in nearly every block, and told in a tenth of the time
            streams, counts = (stream[:1], [len(stream)]) if alone else np.unique(stream, return_counts=True)
            found.append(np.array([streams, np.full(len(streams), each.block), counts], dtype=np.int64))
        streams, blocks, counts = np.hstack(found)
        order = np.lexsort((blocks, streams))
        streams, blocks, counts = streams[order], blocks[order], counts[order]
        before = np.cumsum(counts) - counts
        first_of = np.searchsorted(streams, streams)
        return streams, blocks, counts, before - before[first_of]

    def _columns_of(self, block: int) -> BlockLines:
        if self._shown is None or self._shown.block != block:
            (self._shown,) = self.blocks_of_columns((block,))
        return self._shown

    def _place(self, number: int) -> tuple[int, int]:
        """Give a line's stream and its position in it."""
        columns = self._columns_of(int(np.searchsorted(self.firsts, number, side="right")))
        at = number - columns.first_line
        stream = int(columns.stream[at])
        streams, blocks, _, before = self._runs
        run = np.searchsorted(streams, stream) + np.searchsorted(blocks[streams == stream], columns.block)
        return stream, int(before[run]) + int((columns.stream[:at] == stream).sum())

    def open_block(self, block: int) -> LogBlock:
        """Decompress a block; the last one opened is kept."""
        if self._opened is None or self._opened[0] != block:
            opened = _opened(self._stored_block(block))
            self._opened = (block, opened)
        return self._opened[1]

    def bloom(self, block: int) -> bytes:
        """Give a block's token filter."""
        found: tuple[bytes] = self._connection.execute(
            "SELECT bloom FROM log_tokens WHERE block = ?", (block,)
        ).fetchone()
        return found[0]

    @cached_property
    def uneven_blocks(self) -> list[int]:
        """The blocks in which a line may hold more than its form tells; all of them where nobody looked."""
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version < 2:
            return list(range(1, self.blocks + 1))
        return [block for (block,) in self._connection.execute("SELECT id FROM log_blocks WHERE uneven ORDER BY id")]

    def items(self, numbers: Iterable[int]) -> Iterator[StoredItem]:
        """Give lines in the order asked, each block opened once; unknown numbers are left out."""
        asked = [number for number in numbers if 1 <= number <= self.lines]
        if asked == sorted(asked):
            yield from (self._item(number) for number in asked)
            return
        found = {number: self._item(number) for number in sorted(set(asked))}
        yield from (found[number] for number in asked)

    def texts(self, numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Give number and text of lines, ascending, each block opened once; unknown numbers are left out."""
        asked = np.unique(np.fromiter(numbers, dtype=np.int64))
        asked = asked[(asked >= 1) & (asked <= self.lines)]
        if not len(asked):
            return  # of nothing numpy makes one part
        blocks = np.searchsorted(self.firsts, asked, side="right")
        distinct, begins = np.unique(blocks, return_index=True)
        parts = np.split(asked, begins[1:])
        lines = (asked[[*(begins[1:] - 1), -1]] - self.firsts[distinct - 1] + 1).tolist()
        for opened, wanted in zip(self.open_blocks(distinct.tolist(), lines), parts, strict=True):
            places = wanted - opened.first_line
            starts = opened.offsets[places]
            texts = zip(
                (starts + opened.text_starts[places]).tolist(), (starts + opened.lengths[places]).tolist(), strict=True
            )
            for number, (begin, end) in zip(wanted.tolist(), texts, strict=True):
                yield number, opened.text[begin:end].decode("utf-8", "replace")

    def open_blocks(self, blocks: Sequence[int], lines: Sequence[int] | None = None) -> Iterator[LogBlock]:
        """Open blocks in the order given, several at once where there are several cores.

        ``lines``: how many of each block's first lines are wanted; the text of others may be missing.
        """
        if len(blocks) < _MANY_BLOCKS:
            yield from map(self.open_block, blocks)
            return
        threads = min(len(blocks), cores())
        with ThreadPoolExecutor(threads, thread_name_prefix="open") as pool:
            under_way: deque[Future[LogBlock]] = deque()
            for block, wanted in zip(blocks, lines or repeat(None), strict=lines is not None):
                under_way.append(pool.submit(_opened, self._stored_block(block), wanted))
                if len(under_way) > 2 * threads:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()

    def _stored_block(self, block: int) -> StoredBlock:
        query = (
            "SELECT first_line, lines, lengths, text_starts, text FROM log_blocks "
            "JOIN log_texts ON log_texts.block = log_blocks.id WHERE log_blocks.id = ?"
        )
        stored: StoredBlock = self._connection.execute(query, (block,)).fetchone()
        return stored

    def _stamp(self, block: int, index: int, at_ns: int) -> bytes:
        """Give the bytes at a line's beginning that its time stands for."""
        if self._stamps[0] != block:
            query = "SELECT lines, stamps FROM log_blocks WHERE id = ?"
            lines, frame = self._connection.execute(query, (block,)).fetchone()
            self._stamps = block, None if frame is None else unpack_sizes(frame, lines)
        stamps = self._stamps[1]
        return b"" if stamps is None else stamped(at_ns, int(stamps[index]))

    def _item(self, number: int) -> StoredItem:
        block = int(np.searchsorted(self.firsts, number, side="right"))
        opened = self.open_block(block)
        index = number - opened.first_line
        rest, start = opened.line(index)
        at_ns = int(self._columns_of(block).times_ns[index])
        at_stream, position = self._place(number)
        source, stream = self._stream_rows[at_stream]
        return StoredItem(
            id=ItemId(f"L{number}"),
            at=at_nanoseconds(at_ns),
            source=source,
            entity=stream_name(stream),
            text=rest[start:].decode("utf-8", "replace"),
            raw=self._stamp(block, index, at_ns) + rest,
            url=None,
            locator=f"{stream.path}:{position + 1}",
        )

    def around(self, number: int, earlier: int, later: int) -> list[int]:
        """Give the numbers of a line and its neighbours in its stream, in stream order."""
        if not 1 <= number <= self.lines:
            return []
        stream, place = self._place(number)
        streams, blocks, counts, before = self._runs
        mine = np.flatnonzero((streams == stream) & (before < place + later + 1) & (before + counts > place - earlier))
        near: list[int] = []
        for run in mine.tolist():
            columns = self._columns_of(int(blocks[run]))
            places = np.flatnonzero(columns.stream == stream)
            first = int(before[run])
            low, high = max(0, place - earlier - first), max(0, place + later + 1 - first)
            near += (places[low:high] + columns.first_line).tolist()
        return near


def _joined(blocks: Iterable[BlockLines]) -> Columns:
    parts = [(each.times_ns, each.stream, each.form) for each in blocks]
    if not parts:
        empty = np.empty(0, dtype=np.int32)
        return Columns(times_ns=np.empty(0, dtype=np.int64), stream=empty, form=empty)
    times, streams, forms = zip(*parts, strict=True)
    return Columns(times_ns=np.concatenate(times), stream=np.concatenate(streams), form=np.concatenate(forms))


def _opened(stored: StoredBlock, wanted: int | None = None) -> LogBlock:
    first, lines, lengths, starts, text = stored
    sizes = unpack_sizes(lengths, lines)
    offsets = np.zeros(lines + 1, dtype=np.int64)
    np.cumsum(sizes + 1, out=offsets[1:])
    return LogBlock(
        first_line=first,
        text=decompress(text) if wanted is None else beginning(text, int(offsets[wanted])),
        offsets=offsets,
        lengths=sizes,
        text_starts=unpack_sizes(starts, lines),
    )
