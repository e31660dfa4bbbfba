"""The dated lines of a case within a window, counted once and then read in parts that fit the memory.

A part is the lines of some streams, so that whoever's lines belong together are together. Leaves out what lines mean.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.casefile.case import Case
from bot.casefile.logreader import BlockLines
from bot.domain.ports import UNDATED
from bot.domain.window import Window
from bot.signals.log_lines import LogTable, Tally

Numbers = NDArray[np.int32]
_Places = NDArray[np.int64] | slice
_ALL = slice(None)
_TOGETHER = 256
"""Counts of so many blocks are joined at once."""


class LogTables:
    """Lines as tables. ``template_of``: each form's template, a position in ``templates``."""

    def __init__(self, case: Case, window: Window, template_of: Sequence[int], templates: Sequence[bytes]) -> None:
        self.templates = [template.decode("utf-8", "replace") for template in templates]
        self._case = case
        self._template_of: Numbers = np.asarray(template_of or [0], dtype=np.int32)
        self._start_ns, self._end_ns = int(window.start_s * 1e9), int(window.end_s * 1e9)
        self._dated: list[list[int]] = case.dated_blocks().tolist()
        self._streams_in: Numbers = np.zeros(0, dtype=np.int32)
        """The streams that have lines in a block, block after block"""
        self._begins: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """Where in these each block's begin, and the end"""
        self.tally = self._counted()
        self.lines = int(self.tally.lines.sum())
        """Dated lines inside the window"""

    def _counted(self) -> Tally:
        most = max(1, len(self.templates))
        keys, counts = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        waiting: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        streams_in: list[Numbers] = []
        for block in self._case.column_blocks():
            streams = _distinct(block.stream)
            streams_in.append(streams)
            waiting.append(self._counted_in(block, streams, most))
            if len(waiting) == _TOGETHER:
                keys, counts = _summed([(keys, counts), *waiting])
                waiting = []
        keys, counts = _summed([(keys, counts), *waiting])
        if streams_in:
            self._streams_in = np.concatenate(streams_in)
            self._begins = np.cumsum([0, *map(len, streams_in)])
        return Tally(stream=keys // most, template=keys % most, lines=counts)

    def _counted_in(
        self, block: BlockLines, streams: Numbers, most: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count a block's lines by stream and template; gives stream * most + template, ascending, and the counts."""
        kept = self._inside(block)
        key = self._template_of[block.form[kept]]
        if len(streams) > 1:
            key = np.searchsorted(streams, block.stream[kept]) * most + key
        counts = np.bincount(key, minlength=1)
        found = np.flatnonzero(counts)
        return streams[found // most].astype(np.int64) * most + found % most, counts[found]

    def _inside(self, block: BlockLines, among: NDArray[np.int64] | None = None) -> _Places:
        """Give the places of a block's lines that are dated and in the window; a slice where all of them are."""
        start_ns = max(self._start_ns, UNDATED + 1)
        dated, first_ns, last_ns = self._dated[block.block - 1]
        if dated == block.lines and first_ns >= start_ns and last_ns < self._end_ns:
            return _ALL if among is None else among  # the times stay packed
        times = block.times_ns if among is None else block.times_ns[among]
        inside = np.flatnonzero((times >= start_ns) & (times < self._end_ns))
        return inside if among is None else among[inside]

    def each(self, streams: Sequence[int], templates: Sequence[int] | None = None) -> Iterator[LogTable]:
        """Give the lines of some streams, of all templates or of some, a block's table after the other, in line order."""
        for block, kept in self._kept(streams, templates):
            yield self._table(block, kept)

    def places(self, streams: Sequence[int], templates: Sequence[int]) -> Iterator[tuple[Numbers, Numbers]]:
        """Give the numbers and the streams of the same lines, block after block; their times stay packed."""
        for block, kept in self._kept(streams, templates):
            numbers = self._numbers(block, kept)
            yield numbers, self._streams_of(block, kept, len(numbers))

    def _kept(self, streams: Sequence[int], templates: Sequence[int] | None) -> Iterator[tuple[BlockLines, _Places]]:
        wanted = _marked(streams, len(self._case.streams()))
        means = None if templates is None else _marked(templates, len(self.templates))[self._template_of]
        begins = self._begins[:-1]
        inside = np.logical_or.reduceat(wanted[self._streams_in], begins) if len(begins) else wanted[:0]
        for block in self._case.column_blocks((np.flatnonzero(inside) + 1).tolist()):
            kept = np.flatnonzero(wanted[block.stream]) if self._alone(block) is None else None
            if means is not None:
                meant = means[block.form if kept is None else block.form[kept]]
                kept = np.flatnonzero(meant) if kept is None else kept[meant]
            if kept is None or len(kept):  # where none is, the times stay packed
                yield block, self._inside(block, kept)

    def _alone(self, block: BlockLines) -> int | None:
        """Give the stream that all lines of a block are of, whose column then need not be unpacked."""
        begin, end = self._begins[block.block - 1 : block.block + 1].tolist()
        return int(self._streams_in[begin]) if end == begin + 1 else None

    def parts(self, streams: Sequence[int], templates: Sequence[int] | None, most: int) -> Iterator[LogTable]:
        """Give the same in tables of ``most`` lines; the last has the rest."""
        left = self._lines_of(streams, templates)
        room = _Room(min(left, most), self.templates)
        for table in self.each(streams, templates):
            at = 0
            while (at := room.take(table, at)) < len(table.number):
                yield room.table()
                left -= most
                room = _Room(min(left, most), self.templates)
        if room.taken:
            yield room.table()

    def _lines_of(self, streams: Sequence[int], templates: Sequence[int] | None) -> int:
        wanted = _marked(streams, len(self._case.streams()))[self.tally.stream]
        if templates is not None:
            wanted &= _marked(templates, len(self.templates))[self.tally.template]
        return int(self.tally.lines[wanted].sum())

    def _table(self, block: BlockLines, kept: _Places) -> LogTable:
        template = self._template_of[block.form[kept]]
        return LogTable(
            number=self._numbers(block, kept),
            times_s=block.times_ns[kept].astype(np.float64) / 1e9,
            stream=self._streams_of(block, kept, len(template)),
            template=template,
            templates=self.templates,
        )

    def _numbers(self, block: BlockLines, kept: _Places) -> Numbers:
        return np.arange(block.first_line, block.first_line + block.lines, dtype=np.int32)[kept]  # fewer than 2^31

    def _streams_of(self, block: BlockLines, kept: _Places, lines: int) -> Numbers:
        alone = self._alone(block)
        return block.stream[kept] if alone is None else np.full(lines, alone, dtype=np.int32)


def _summed(
    counted: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    keys, place = np.unique(np.concatenate([keys for keys, _ in counted]), return_inverse=True)
    counts = np.zeros(len(keys), dtype=np.int64)
    np.add.at(counts, place.reshape(-1), np.concatenate([counts for _, counts in counted]))
    return keys, counts


def _distinct(streams: Numbers) -> Numbers:
    one_alone = bool((streams == streams[0]).all())  # as in nearly every block
    return streams[:1].copy() if one_alone else np.unique(streams)


def _marked(places: Sequence[int], size: int) -> NDArray[np.bool_]:
    marks = np.zeros(size + 1, dtype=bool)
    marks[list(places)] = True
    return marks


class _Room:
    """Columns of so many lines, filled from smaller tables: joining those would hold every line twice."""

    def __init__(self, lines: int, templates: Sequence[str]) -> None:
        self._table = LogTable(
            number=np.empty(lines, dtype=np.int32),
            times_s=np.empty(lines),
            stream=np.empty(lines, dtype=np.int32),
            template=np.empty(lines, dtype=np.int32),
            templates=templates,
        )
        self.taken = 0

    def take(self, table: LogTable, at: int) -> int:
        """Take lines of a table, from a place on, while there is room, and give the place of the first that is left."""
        stop = min(len(table.number), at + len(self._table.number) - self.taken)
        here = slice(self.taken, self.taken + stop - at)
        for name in ("number", "times_s", "stream", "template"):
            getattr(self._table, name)[here] = getattr(table, name)[at:stop]
        self.taken = here.stop
        return stop

    def table(self) -> LogTable:
        """Give the columns, full or not."""
        assert self.taken == len(self._table.number)
        return self._table
