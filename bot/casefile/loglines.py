"""Gathers log lines of all streams into blocks, in the order they come; the writer's half that must be fast."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.casefile.blocks import BLOCK_BYTES, NO_FORM, BlockColumns, block_columns, pack_block
from bot.casefile.cells import Cell, Packer, bytes_cell, time_cell
from bot.casefile.records import insert, stream_row
from bot.casefile.stored import LOGS, at_nanoseconds
from bot.domain.items import LogStream
from bot.domain.ports import UNDATED, TimedLine

_LATEST = np.iinfo(np.int64).max
_EARLIEST = np.iinfo(np.int64).min


class LogLines:
    """Lines on their way into the case file; ``form_of`` gives a line's masked form from its text."""

    def __init__(
        self, connection: sqlite3.Connection, packer: Packer, form_of: Callable[[bytes], bytes] | None
    ) -> None:
        self.streams: list[LogStream] = []
        self._connection = connection
        self._packer = packer
        self._form_of = form_of
        self._forms: dict[bytes, int] = {}
        self._form_firsts: list[int] = []
        self._form_counts = np.zeros(0, dtype=np.int64)
        self._stored = self._blocks = 0
        self._per_stream: NDArray[np.int64] = np.zeros((4, 0), dtype=np.int64)
        self._clear()

    def _clear(self) -> None:
        self._texts: list[bytes] = []
        self._times: list[int] = []
        self._numbers: list[int] = []
        self._form_numbers: list[int] = []
        self._starts: list[int] = []
        self._bytes = 0

    def add(self, stream: int, lines: Sequence[TimedLine]) -> None:
        """Append lines of a stream; blocks are written as they fill."""
        form_number = self._form_number if self._form_of is not None else None
        for time_ns, raw, start in lines:
            self._form_numbers.append(NO_FORM if form_number is None else form_number(raw[start:]))
            self._times.append(time_ns)
            self._numbers.append(stream)
            self._starts.append(start)
            self._texts.append(raw)
            self._bytes += len(raw) + 1
            if self._bytes >= BLOCK_BYTES:
                self.close_block()

    def _form_number(self, text: bytes) -> int:
        assert self._form_of is not None
        form = self._form_of(text)
        number = self._forms.get(form)
        if number is None:
            number = self._forms[form] = len(self._forms)
            self._form_firsts.append(self._stored + len(self._texts) + 1)
        return number

    def close_block(self) -> None:
        """Write the lines that wait as a block."""
        if not self._texts:
            return
        columns = block_columns(
            self._times, self._numbers, self._form_numbers, [len(raw) for raw in self._texts], self._starts
        )
        text = b"\n".join(self._texts)
        packed = pack_block(text, columns, self._packer)
        dated = columns.times_ns[columns.times_ns != UNDATED]
        ends = (int(dated.min()), int(dated.max())) if len(dated) else (UNDATED, UNDATED)
        self._blocks += 1
        row: tuple[Cell, ...] = (
            self._blocks,
            self._stored + 1,
            len(self._texts),
            int(columns.lengths.sum()),
            *(time_cell(at_nanoseconds(end)) for end in ends),
            packed.times,
            packed.streams,
            packed.forms,
            packed.lengths,
            packed.text_starts,
        )
        self._connection.execute(insert("log_blocks", len(row)), row)
        self._connection.execute(insert("log_texts", 2), (self._blocks, packed.text))
        self._connection.execute(insert("log_tokens", 2), (self._blocks, packed.bloom))
        self._stored += len(self._texts)
        self._tally(columns)
        self._clear()

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
