"""Read a container's log into its stream: times, rotation boundaries, and everything odd about the bytes, counted.

Rotated files come oldest first, so that the lines a rotation wrote twice can be dropped. Nothing is decoded: a line
stays the bytes that were written.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.domain.items import LogStream
from bot.domain.ports import UNDATED, TimedLine
from bot.sources.export.compressed import CutError
from bot.sources.export.layout import Place
from bot.sources.export.ledger import Reading
from bot.sources.export.lines import Dating, LineSplitter, dating_of

SOURCE = "kubernetes/logs"
BATCH = 4096
"""Lines handed to the sink at once."""

_BOUNDARY_LINES = 4096
_DUMP_MARK = b"==== START logs for container "
_DUMP_START = re.compile(rb"==== START logs for container (\S+) of pod (\S+?)/(\S+) ====\s*$")
_DUMP_END = b"==== END logs for container "


@dataclass(slots=True)
class Boundary:
    """The end of the file read before, as hashes: what the next file may begin with again."""

    tail: deque[int] = field(default_factory=lambda: deque(maxlen=_BOUNDARY_LINES))

    def repeated(self, lines: Sequence[TimedLine]) -> int:
        """Count how many first lines are exactly the last lines of the file before."""
        tail = list(self.tail)
        head = [hash(raw) for _, raw, _ in lines[:_BOUNDARY_LINES]]
        if not head or not tail or lines[0][0] == UNDATED:
            return 0
        for start in range(max(0, len(tail) - len(head)), len(tail)):
            if tail[start] == head[0] and tail[start:] == head[: len(tail) - start]:
                return len(tail) - start
        return 0

    def remember(self, lines: Sequence[TimedLine]) -> None:
        """Keep the last lines."""
        self.tail.extend(hash(raw) for _, raw, _ in lines[-_BOUNDARY_LINES:])


@dataclass(slots=True)
class _Oddities:
    """What is odd about a file's bytes; counted per line, looked for per chunk."""

    broken: int = 0
    nul: int = 0
    ansi: int = 0

    def look(self, chunk: bytes, lines: Sequence[bytes]) -> None:
        if b"\0" in chunk:
            self.nul += sum(1 for line in lines if b"\0" in line)
        if b"\x1b" in chunk:
            self.ansi += sum(1 for line in lines if b"\x1b" in line)
        if not chunk.isascii():
            self.broken += sum(1 for line in lines if not line.isascii() and _broken(line))


def _broken(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


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

    def read(self, chunks: Iterator[bytes], boundary: Boundary) -> int:
        """Write every line into the sink and give the bytes read; a cut ends the file, not the import."""
        splitter, odd, size = LineSplitter(), _Oddities(), 0
        try:
            for chunk in chunks:
                size += len(chunk)
                lines = splitter.feed(chunk)
                odd.look(chunk, lines)
                self._take(lines, boundary)
        except CutError as cut:
            self._reading.ledger.lost(SOURCE, f"{cut}; what came before the cut was read", self._path)
        last = splitter.last()
        odd.look(b"".join(last), last)
        self._take(last, boundary)
        self._close()
        self._count(splitter, odd)
        return size

    def _take(self, lines: list[bytes], boundary: Boundary) -> None:
        for container, part in _by_container(lines):
            if container is not None:
                self._close()
                namespace, pod, name = container
                self._place = Place(namespace=namespace, pod=pod, container=name, previous=False, age=(1, ""))
                self._stream = None
            if part:
                self._add(part, boundary)

    def _add(self, lines: list[bytes], boundary: Boundary) -> None:
        if self._dating is None:
            self._dating = dating_of(lines, self._reference)
        timed = self._dating.stamp(lines)
        if self._first:
            self._first = False
            self._duplicates = boundary.repeated(timed)
            timed = timed[self._duplicates :]
        boundary.remember(timed)
        if self._stream is None:
            self._stream = self._reading.sink.open_stream(self._described())
        for start in range(0, len(timed), BATCH):
            self._reading.sink.add_lines(self._stream, timed[start : start + BATCH])
        if timed and self._dating.last != UNDATED:
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

    def _count(self, splitter: LineSplitter, odd: _Oddities) -> None:
        ledger = self._reading.ledger
        ledger.odd(SOURCE, "lines repeated at a rotation boundary, dropped", self._duplicates, self._path)
        ledger.odd(SOURCE, "lines with bytes that are not UTF-8, kept as they are", odd.broken, self._path)
        ledger.odd(SOURCE, "lines with NUL bytes, kept as they are", odd.nul, self._path)
        ledger.odd(SOURCE, "lines with ANSI colours, kept as they are", odd.ansi, self._path)
        if splitter.cut:
            ledger.lost(SOURCE, "lines over 1 MiB, cut to 1 MiB", self._path, splitter.cut)


def _by_container(lines: list[bytes]) -> Iterator[tuple[tuple[str, str, str] | None, list[bytes]]]:
    """Split at the headers that ``kubectl cluster-info dump`` writes into ``logs.txt``."""
    if not any(line.startswith((_DUMP_MARK, _DUMP_END)) for line in lines):
        yield None, lines
        return
    container: tuple[str, str, str] | None = None
    part: list[bytes] = []
    for line in lines:
        if line.startswith(_DUMP_END):
            continue
        if found := _DUMP_START.match(line):
            yield container, part
            name, namespace, pod = (text.decode("utf-8", "replace") for text in found.groups())
            container, part = (namespace, pod, name), []
        else:
            part.append(line)
    yield container, part
