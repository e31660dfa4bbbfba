"""Gathers log lines of all streams into blocks, in the order they come, and reduces what mapping them gives.

The reduce: forms numbered over the whole case, lines per form and per stream, first and last times.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bot.casefile.blocks import ANY_FORM, BLOCK_BYTES, NO_FORM, BlockColumns, Numbers, pack_numbers
from bot.casefile.cells import Cell, Packer, bytes_cell, time_cell
from bot.casefile.packing import FilledBlock, FilledRun, OpenBlock, Packing
from bot.casefile.records import insert, stream_row
from bot.casefile.stored import LOGS, at_nanoseconds
from bot.domain.items import LogStream
from bot.domain.ports import UNDATED, TimedLine
from bot.native.batch import LineBatch, batch_of

_Number = TypeVar("_Number", bound=np.generic)
MOST_FORMS = 30_000
"""Of one case, a kilobyte each and a millisecond of its digest: logs of a company have hundreds to thousands. Where every line is
put in other words, those beyond are told as one."""
UNFORMED = f"log lines beyond {MOST_FORMS:,} different forms, told as one: a search finds them, no rule looked at them"

_LATEST = np.iinfo(np.int64).max
_EARLIEST = np.iinfo(np.int64).min


class LogLines:
    """Lines on their way into the case file: cut into blocks here, packed and mapped by threads, stored in their order."""

    def __init__(self, connection: sqlite3.Connection, packing: Packing) -> None:
        self.streams: list[LogStream] = []
        self._connection = connection
        self._packing = packing
        self._packer = Packer()
        self._forms: dict[bytes, int] = {}
        self._form_firsts: list[int] = []
        self._form_counts = np.zeros(0, dtype=np.int64)
        self._stored = self._blocks = 0
        self._per_stream: NDArray[np.int64] = np.zeros((4, 0), dtype=np.int64)
        self._pieces: list[tuple[int, LineBatch]] = []
        self._bytes = 0

    def add(self, stream: int, lines: Sequence[TimedLine]) -> None:
        """Append lines of a stream; blocks are written as they fill."""
        batch = batch_of(lines)
        ends = np.cumsum(batch.lengths + 1)
        begin = 0
        while begin < len(batch):
            done = int(ends[begin - 1]) if begin else 0
            # the line that fills the block still belongs to it
            stop = int(np.searchsorted(ends, done + BLOCK_BYTES - self._bytes)) + 1
            stop = min(stop, len(batch))
            self._pieces.append((stream, batch[begin:stop]))
            self._bytes += int(ends[stop - 1]) - done
            begin = stop
            if self._bytes >= BLOCK_BYTES:
                self._close_block()

    def flush(self) -> None:
        """Write every line that waits."""
        self._close_block()
        for run in self._packing.rest():
            self._store(run)

    def _close_block(self) -> None:
        """Make a block of the lines that wait."""
        if not self._pieces:
            return
        batches = [batch for _, batch in self._pieces]
        columns = BlockColumns(
            times_ns=_joined([batch.times_ns for batch in batches]),
            streams=_joined([np.full(len(batch), stream, dtype=np.int32) for stream, batch in self._pieces]),
            lengths=_joined([batch.lengths for batch in batches]),
            text_starts=_joined([batch.text_starts for batch in batches]),
            stamps=_stamps(batches),
        )
        self._pieces, self._bytes = [], 0
        self._blocks += 1
        block = OpenBlock(number=self._blocks, first_line=self._stored + 1, batches=batches, columns=columns)
        self._stored += len(columns.lengths)
        for run in self._packing.add(block):
            self._store(run)

    def _store(self, run: FilledRun) -> None:
        """Give the forms that are new the next numbers, and write the run's blocks."""
        begin = run.blocks[0].first_line
        numbers = [self._form_number(form, begin + at) for form, at in zip(run.forms, run.firsts, strict=True)]
        of_run = np.array([*numbers, NO_FORM], dtype=np.int32)  # NO_FORM is the last one from behind
        for block in run.blocks:
            self._write(block, of_run[block.mapped.forms])

    def _form_number(self, form: bytes, line: int) -> int:
        if len(self._forms) >= MOST_FORMS and form not in self._forms:
            form = ANY_FORM
        number = self._forms.setdefault(form, len(self._forms))
        if number == len(self._form_firsts):
            self._form_firsts.append(line)
        return number

    def _write(self, block: FilledBlock, forms: Numbers) -> None:
        columns, packed = block.columns, block.packed
        first_ns, last_ns = ends = _ends(columns.times_ns)
        size = int(columns.lengths.sum())
        self._tally(columns, forms, size, ends)
        row: tuple[Cell, ...] = (
            block.number,
            block.first_line,
            len(columns.lengths),
            size,
            time_cell(at_nanoseconds(first_ns)),
            time_cell(at_nanoseconds(last_ns)),
            packed.times,
            packed.streams,
            pack_numbers(forms, self._packer),
            packed.lengths,
            packed.text_starts,
            int(packed.uneven),
            packed.stamps,
        )
        self._connection.execute(insert("log_blocks", len(row)), row)
        self._connection.execute(insert("log_texts", 2), (block.number, packed.text))
        self._connection.execute(insert("log_tokens", 2), (block.number, block.mapped.bloom))

    def _tally(self, columns: BlockColumns, forms: Numbers, size: int, ends: tuple[int, int]) -> None:
        """Keep lines, bytes, first and last time per stream, and lines per form, of a block of so many bytes and those times."""
        if missing := len(self.streams) - self._per_stream.shape[1]:
            fresh = np.repeat(np.array([[0], [0], [_LATEST], [_EARLIEST]], dtype=np.int64), missing, axis=1)
            self._per_stream = np.hstack([self._per_stream, fresh])
        streams, lengths, all_times = columns.streams, columns.lengths, columns.times_ns
        if (streams == streams[0]).all():  # as in nearly every block
            self._add_to(int(streams[0]), len(streams), size, ends)
        else:
            self._tally_each(streams, lengths, all_times)
        if self._forms:
            counts = np.bincount(forms, minlength=len(self._forms)).astype(np.int64)
            counts[: len(self._form_counts)] += self._form_counts
            self._form_counts = counts

    def _tally_each(self, streams: Numbers, lengths: NDArray[np.int64], all_times: NDArray[np.int64]) -> None:
        if (streams[1:] < streams[:-1]).any():  # seldom: a source brings a stream after the other
            order = np.argsort(streams, kind="stable")
            streams, lengths, all_times = streams[order], lengths[order], all_times[order]
        for begin, end in pairwise([0, *(np.flatnonzero(streams[1:] != streams[:-1]) + 1).tolist(), len(streams)]):
            size = int(lengths[begin:end].sum())
            self._add_to(int(streams[begin]), end - begin, size, _ends(all_times[begin:end]))

    def _add_to(self, stream: int, lines: int, size: int, ends: tuple[int, int]) -> None:
        known = self._per_stream[:, stream]
        known[0] += lines
        known[1] += size
        if ends[0] != UNDATED:
            known[2] = min(known[2], ends[0])
            known[3] = max(known[3], ends[1])

    @property
    def unformed(self) -> int:
        """How many lines share the one form of those that came too late for their own."""
        return int(self._form_counts[self._forms[ANY_FORM]]) if len(self._forms) > MOST_FORMS else 0

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


def _stamps(batches: Sequence[LineBatch]) -> NDArray[np.int64] | None:
    if all(batch.stamps is None for batch in batches):
        return None
    stamps = [np.zeros(len(batch), dtype=np.int64) if batch.stamps is None else batch.stamps for batch in batches]
    return joined if (joined := _joined(stamps)).any() else None


def _joined(columns: Sequence[NDArray[_Number]]) -> NDArray[_Number]:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _ends(times_ns: NDArray[np.int64]) -> tuple[int, int]:
    """Give the first and last time; UNDATED where there is none."""
    known = times_ns != UNDATED
    dated = times_ns if known.all() else times_ns[known]
    return (int(dated.min()), int(dated.max())) if len(dated) else (UNDATED, UNDATED)
