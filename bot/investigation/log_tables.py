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
_TOGETHER = 256
"""Counts of so many blocks are joined at once."""


class LogTables:
    """Lines as tables. ``template_of``: each form's template, a position in ``templates``."""

    def __init__(self, case: Case, window: Window, template_of: Sequence[int], templates: Sequence[bytes]) -> None:
        self.templates = [template.decode("utf-8", "replace") for template in templates]
        self._case = case
        self._template_of: Numbers = np.asarray(template_of or [0], dtype=np.int32)
        self._start_ns, self._end_ns = int(window.start_s * 1e9), int(window.end_s * 1e9)
        self._streams_in: list[Numbers] = []
        """Of each block, the streams that have lines in it"""
        self.tally = self._counted()
        self.lines = int(self.tally.lines.sum())
        """Dated lines inside the window"""

    def _counted(self) -> Tally:
        most = max(1, len(self.templates))
        keys, counts = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        waiting: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        for block in self._case.column_blocks():
            self._streams_in.append(np.unique(block.stream))
            kept = self._inside(block)
            key = block.stream[kept].astype(np.int64) * most + self._template_of[block.form[kept]]
            waiting.append(np.unique(key, return_counts=True))
            if len(waiting) == _TOGETHER:
                keys, counts = _summed([(keys, counts), *waiting])
                waiting = []
        keys, counts = _summed([(keys, counts), *waiting])
        return Tally(stream=keys // most, template=keys % most, lines=counts)

    def _inside(self, block: BlockLines) -> NDArray[np.int64]:
        times = block.times_ns
        return np.flatnonzero((times != UNDATED) & (times >= self._start_ns) & (times < self._end_ns))

    def of(self, streams: Sequence[int]) -> LogTable:
        """Give the lines of some streams, in line order."""
        return _joined(list(self.each(streams)), self.templates)

    def each(self, streams: Sequence[int]) -> Iterator[LogTable]:
        """Give the same, a table after the other."""
        wanted = np.zeros(len(self._case.streams()) + 1, dtype=bool)
        wanted[list(streams)] = True
        blocks = [number for number, inside in enumerate(self._streams_in, start=1) if bool(wanted[inside].any())]
        yield from (self._table(block, wanted) for block in self._case.column_blocks(blocks))

    def _table(self, block: BlockLines, wanted: NDArray[np.bool_]) -> LogTable:
        kept = self._inside(block)
        kept = kept[wanted[block.stream[kept]]]
        return LogTable(
            number=(kept + block.first_line).astype(np.int32),  # a case has fewer than 2^31 lines
            times_s=block.times_ns[kept].astype(np.float64) / 1e9,
            stream=block.stream[kept],
            template=self._template_of[block.form[kept]],
            templates=self.templates,
        )


def _summed(
    counted: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    keys, place = np.unique(np.concatenate([keys for keys, _ in counted]), return_inverse=True)
    counts = np.zeros(len(keys), dtype=np.int64)
    np.add.at(counts, place.reshape(-1), np.concatenate([counts for _, counts in counted]))
    return keys, counts


def _joined(parts: Sequence[LogTable], templates: Sequence[str]) -> LogTable:
    if len(parts) == 1:
        return parts[0]
    empty = np.zeros(0, dtype=np.int32)
    return LogTable(
        number=np.concatenate([empty, *(part.number for part in parts)]),
        times_s=np.concatenate([np.zeros(0), *(part.times_s for part in parts)]),
        stream=np.concatenate([empty, *(part.stream for part in parts)]),
        template=np.concatenate([empty, *(part.template for part in parts)]),
        templates=templates,
    )
