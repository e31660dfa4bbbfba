"""Read a container's log into its stream: times, rotation boundaries, and everything odd about the bytes, counted.

Rotated files come oldest first, so that the lines a rotation wrote twice can be dropped. Nothing is decoded: a line
stays the bytes that were written.
"""

import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bot.domain.items import LogStream
from bot.domain.ports import UNDATED
from bot.native.batch import Ints, LineBatch, Oddities, any_line_begins, lines_of
from bot.sources.export.compressed import CutError
from bot.sources.export.layout import Place
from bot.sources.export.ledger import Reading
from bot.sources.export.lines import LINE_LIMIT, Dating, WholeLines, dating_of

SOURCE = "kubernetes/logs"
BATCH = 4096
"""Lines handed to the sink at once where they come one by one."""
_BOUNDARY_LINES = 4096
_DUMP_MARK = b"==== START logs for container "
_DUMP_START = re.compile(rb"==== START logs for container (\S+) of pod (\S+?)/(\S+) ====\s*$")
_DUMP_END = b"==== END logs for container "


@dataclass(slots=True)
class Boundary:
    """The end of the file read before: what the next file may begin with again."""

    tail: deque[LineBatch] = field(default_factory=deque)

    def repeated(self, lines: LineBatch) -> int:
        """Count how many first lines are exactly the last lines of the file before."""
        if not len(lines) or not self.tail or lines.times_ns[0] == UNDATED:
            return 0
        tail = [raw for batch in self.tail for raw in batch.raws()][-_BOUNDARY_LINES:]
        head = lines[:_BOUNDARY_LINES].raws()
        for start in range(max(0, len(tail) - len(head)), len(tail)):
            if tail[start] == head[0] and tail[start:] == head[: len(tail) - start]:
                return len(tail) - start
        return 0

    def remember(self, lines: LineBatch) -> None:
        """Keep the last lines."""
        self.tail.append(lines[-_BOUNDARY_LINES:])
        while sum(map(len, self.tail)) - len(self.tail[0]) >= _BOUNDARY_LINES:
            self.tail.popleft()


class LogReader:
    """Reads one log file."""

    def __init__(self, reading: Reading, path: str, place: Place, modified_s: float | None) -> None:
        self._reading = reading
        self._path = path
        self._place = place
        self._reference = reading.latest_s or modified_s or 0.0
        self._dating: Dating | None = None
        self._stream: int | None = None
        self._duplicates = 0
        self._first = True
        self._odd = Oddities()

    def read(self, chunks: Iterator[bytes], boundary: Boundary) -> int:
        """Write every line into the sink and give the bytes read; a cut ends the file, not the import."""
        whole, size = WholeLines(), 0
        try:
            for chunk in chunks:
                size += len(chunk)
                if text := whole.feed(chunk):
                    self._take(text, boundary)
        except CutError as cut:
            self._reading.ledger.lost(SOURCE, f"{cut}; what came before the cut was read", self._path)
        self._take(whole.last(), boundary)
        self._close()
        self._count()
        return size

    def _take(self, text: bytes, boundary: Boundary) -> None:
        odd = Oddities()
        lines = lines_of(text, LINE_LIMIT, odd)
        if not (np.frombuffer(text, dtype=np.uint8)[lines[0]] == _DUMP_MARK[0]).any():  # no header, as nearly always
            self._odd.add(odd)
            if text:
                self._add(text, lines, boundary)
            return
        for container, part in _by_container(text):
            if container is not None:
                self._close()
                namespace, pod, name = container
                self._place = Place(namespace=namespace, pod=pod, container=name, previous=False, age=(1, ""))
                self._stream = None
            if part:
                self._add(part, lines_of(part, LINE_LIMIT, self._odd), boundary)

    def _add(self, text: bytes, lines: tuple[Ints, Ints], boundary: Boundary) -> None:
        starts, lengths = lines
        if self._dating is None:
            raws = (text[start : start + size] for start, size in zip(starts.tolist(), lengths.tolist(), strict=True))
            self._dating = dating_of(raws, self._reference)
        timed = self._dating.stamp(text, starts, lengths)
        if self._first:
            self._first = False
            self._duplicates = boundary.repeated(timed)
            timed = timed[self._duplicates :]
        boundary.remember(timed)
        if self._stream is None:
            self._stream = self._reading.sink.open_stream(self._described())
        self._reading.sink.add_lines(self._stream, timed)
        if len(timed) and self._dating.last != UNDATED:
            self._reading.saw(self._dating.last / 1e9)

    def _described(self) -> LogStream:
        place = self._place
        return LogStream(
            namespace=place.namespace,
            pod=place.pod,
            container=place.container,
            path=self._path,
            previous=place.previous,
        )

    def _close(self) -> None:
        """Book what dating counted, and forget it: the next container may write its times otherwise."""
        dating, odd = self._dating, self._reading.ledger.odd
        self._dating = None
        if dating is None:
            return
        odd(SOURCE, "lines without a time of their own, dated by their neighbour", dating.carried, self._path)
        odd(SOURCE, "lines that nothing dates: searchable, but part of no signal", dating.undated, self._path)
        odd(SOURCE, "lines older than the line before them", dating.backwards, self._path)
        if not dating.zoned:
            odd(SOURCE, "logs whose times name no zone: taken for UTC", 1, self._path)

    def _count(self) -> None:
        ledger, odd = self._reading.ledger, self._odd
        ledger.odd(SOURCE, "lines repeated at a rotation boundary, dropped", self._duplicates, self._path)
        ledger.odd(SOURCE, "lines with bytes that are not UTF-8, kept as they are", odd.broken, self._path)
        ledger.odd(SOURCE, "lines with NUL bytes, kept as they are", odd.nul, self._path)
        ledger.odd(SOURCE, "lines with ANSI colours, kept as they are", odd.coloured, self._path)
        if odd.too_long:
            ledger.lost(SOURCE, "lines over 1 MiB, cut to 1 MiB", self._path, odd.too_long)


def _by_container(text: bytes) -> Iterator[tuple[tuple[str, str, str] | None, bytes]]:
    """Split at the headers that ``kubectl cluster-info dump`` writes into ``logs.txt``."""
    marks = (_DUMP_MARK, _DUMP_END) if any_line_begins(text, b"==== ") else ()
    if not any(any_line_begins(text, mark) for mark in marks):
        yield None, text
        return
    container: tuple[str, str, str] | None = None
    part: list[bytes] = []
    for line in io.BytesIO(text):
        if line.startswith(_DUMP_END):
            continue
        if found := _DUMP_START.match(line):
            yield container, b"".join(part)
            name, namespace, pod = (word.decode("utf-8", "replace") for word in found.groups())
            container, part = (namespace, pod, name), []
        else:
            part.append(line)
    yield container, b"".join(part)
