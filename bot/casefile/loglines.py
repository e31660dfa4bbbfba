"""Gathers log lines of all streams into blocks, in the order they come; the writer's half that must be fast."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.casefile.blocks import BLOCK_BYTES, NO_FORM, BlockColumns, Numbers
from bot.casefile.cells import Cell, bytes_cell, time_cell
from bot.casefile.packing import FilledBlock, OpenBlock, Packing
from bot.casefile.records import insert, stream_row
from bot.casefile.stored import LOGS, at_nanoseconds
from bot.domain.items import LogStream
from bot.domain.ports import UNDATED, TimedLine
from bot.native.batch import LineBatch, batch_of

_LATEST = np.iinfo(np.int64).max
_MOST_KEYS = 1_000_000
"""Keys that are remembered; a hostile log has a new one in every line, and asking again costs time only."""

_EARLIEST = np.iinfo(np.int64).min


class LogLines:
    """Lines on their way into the case file; ``form_of`` gives a line's masked form from its text.

    Blocks are packed by threads beside the one that writes, and stored in their order.
    """

    def __init__(
        self, connection: sqlite3.Connection, packing: Packing, form_of: Callable[[bytes], bytes] | None
    ) -> None:
        self.streams: list[LogStream] = []
        self._connection = connection
        self._packing = packing
        self._form_of = form_of
        self._forms: dict[bytes, int] = {}
        self._forms_by_key: dict[int, int] = {}
        self._form_firsts: list[int] = []
        self._form_counts = np.zeros(0, dtype=np.int64)
        self._seen = self._stored = self._blocks = 0
        self._per_stream: NDArray[np.int64] = np.zeros((4, 0), dtype=np.int64)
        self._pieces: list[tuple[int, LineBatch, Numbers]] = []
        self._bytes = 0

    def add(self, stream: int, lines: Sequence[TimedLine]) -> None:
        """Append lines of a stream; blocks are written as they fill."""
        batch = batch_of(lines)
        forms = self._forms_of(batch)
        ends = np.cumsum(batch.lengths + 1)
        begin = 0
        while begin < len(batch):
            done = int(ends[begin - 1]) if begin else 0
            # the line that fills the block still belongs to it
            stop = int(np.searchsorted(ends, done + BLOCK_BYTES - self._bytes)) + 1
            stop = min(stop, len(batch))
            self._pieces.append((stream, batch[begin:stop], forms[begin:stop]))
            self._bytes += int(ends[stop - 1]) - done
            begin = stop
            if self._bytes >= BLOCK_BYTES:
                self._close_block()

    def _forms_of(self, batch: LineBatch) -> Numbers:
        """Give each line's form number; only a line whose form may be new is masked."""
        first_line = self._seen + 1
        self._seen += len(batch)
        if self._form_of is None:
            return np.full(len(batch), NO_FORM, dtype=np.int32)
        keys = batch.keys()
        if keys is None:
            numbers = (self._form_number(raw[start:], first_line + n) for n, (_, raw, start) in enumerate(batch))
            return np.fromiter(numbers, dtype=np.int32, count=len(batch))
        distinct, firsts, places = np.unique(keys, return_index=True, return_inverse=True)
        known = self._forms_by_key
        if len(known) > _MOST_KEYS:
            known.clear()
        for place in np.argsort(firsts).tolist():
            key = int(distinct[place])
            if key not in known:
                at = int(firsts[place])
                _, raw, start = batch[at]
                known[key] = self._form_number(raw[start:], first_line + at)
        numbers_of = np.array([known[key] for key in distinct.tolist()], dtype=np.int32)
        return numbers_of[places.reshape(-1)]

    def _form_number(self, text: bytes, line: int) -> int:
        assert self._form_of is not None
        form = self._form_of(text)
        number = self._forms.get(form)
        if number is None:
            number = self._forms[form] = len(self._forms)
            self._form_firsts.append(line)
        return number

    def flush(self) -> None:
        """Write every line that waits."""
        self._close_block()
        for block in self._packing.rest():
            self._store(block)

    def _close_block(self) -> None:
        """Make a block of the lines that wait."""
        if not self._pieces:
            return
        batches = [batch for _, batch, _ in self._pieces]
        columns = BlockColumns(
            times_ns=np.concatenate([batch.times_ns for batch in batches]),
            streams=np.repeat(
                np.array([stream for stream, _, _ in self._pieces], dtype=np.int32), [len(batch) for batch in batches]
            ),
            forms=np.concatenate([forms for _, _, forms in self._pieces]),
            lengths=np.concatenate([batch.lengths for batch in batches]),
            text_starts=np.concatenate([batch.text_starts for batch in batches]),
        )
        self._pieces, self._bytes = [], 0
        self._blocks += 1
        block = OpenBlock(number=self._blocks, first_line=self._stored + 1, batches=batches, columns=columns)
        self._stored += len(columns.lengths)
        self._tally(columns)
        for packed in self._packing.add(block):
            self._store(packed)

    def _store(self, block: FilledBlock) -> None:
        columns, packed = block.columns, block.packed
        dated = columns.times_ns[columns.times_ns != UNDATED]
        ends = (int(dated.min()), int(dated.max())) if len(dated) else (UNDATED, UNDATED)
        row: tuple[Cell, ...] = (
            block.number,
            block.first_line,
            len(columns.lengths),
            int(columns.lengths.sum()),
            *(time_cell(at_nanoseconds(end)) for end in ends),
            packed.times,
            packed.streams,
            packed.forms,
            packed.lengths,
            packed.text_starts,
            int(packed.uneven),
        )
        self._connection.execute(insert("log_blocks", len(row)), row)
        self._connection.execute(insert("log_texts", 2), (block.number, packed.text))
        self._connection.execute(insert("log_tokens", 2), (block.number, packed.bloom))

    def _tally(self, columns: BlockColumns) -> None:
        """Keep lines, bytes, first and last time per stream, and lines per form."""
        missing = len(self.streams) - self._per_stream.shape[1]
        fresh = np.repeat(np.array([[0], [0], [_LATEST], [_EARLIEST]], dtype=np.int64), missing, axis=1)
        self._per_stream = np.hstack([self._per_stream, fresh])
        lines, sizes, firsts, lasts = self._per_stream
        np.add.at(lines, columns.streams, 1)
        np.add.at(sizes, columns.streams, columns.lengths)
        dated = columns.times_ns != UNDATED
        np.minimum.at(firsts, columns.streams[dated], columns.times_ns[dated])
        np.maximum.at(lasts, columns.streams[dated], columns.times_ns[dated])
        if self._forms:
            counts = np.bincount(columns.forms, minlength=len(self._forms)).astype(np.int64)
            counts[: len(self._form_counts)] += self._form_counts
            self._form_counts = counts

    def counts(self) -> Iterator[tuple[LogStream, int, int, int, int]]:
        """Give each stream with its lines, bytes, first and last time in nanoseconds (``UNDATED`` where none is)."""
        for number, (lines, sizes, first, last) in enumerate(self._per_stream.T.tolist()):
            dated = first <= last
            yield self.streams[number], lines, sizes, first if dated else UNDATED, last if dated else UNDATED

    def write_names(self, sources: Callable[[str], str | None]) -> None:
        """Write streams and forms as they are now; ``sources`` gives the source that a path was read for."""
        self._connection.execute("DELETE FROM log_streams")
        self._connection.executemany(
            insert("log_streams", 9),
            (stream_row(number, sources(stream.path) or LOGS, stream) for number, stream in enumerate(self.streams)),
        )
        # Templates that were written for the forms stay where they are.
        self._connection.executemany(
            "INSERT INTO log_forms VALUES (?, ?, ?, ?, NULL) ON CONFLICT (id) DO UPDATE SET lines = excluded.lines",
            self._form_rows(),
        )

    def _form_rows(self) -> Iterable[tuple[Cell, ...]]:
        counts = self._form_counts.tolist()
        return (
            (number, bytes_cell(form), counts[number], self._form_firsts[number])
            for form, number in self._forms.items()
        )
