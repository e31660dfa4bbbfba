"""Split a stream of bytes into lines and give every line a time.

Splitting keeps every byte but the line ends; only a line over the limit is cut, and counted. Dating follows the
file: a ``kubectl logs --timestamps`` prefix where there is one, else the time inside the line, else the line before.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from bot.domain.ports import UNDATED
from bot.native.batch import Ints, LineBatch, own_times, prefix_times
from bot.sources.export.timestamps import ANCHORED, YEARLESS, Dater, iso, iso_anywhere, rfc3339_second, says_zone

LINE_LIMIT = 1024 * 1024
"""Bytes of one line that are kept; what reads 20 MB in one line reads no more of it than this."""

_TEXT_BYTES = 1024 * 1024
"""Bytes of whole lines that are taken on together."""

_SAMPLE_LINES = 200
_SECONDS_KEPT = 4096
_PREFIX = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)(?= |$)")
_CRI = re.compile(rb"std(?:out|err) [FP] ")
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.\d{1,9})?Z ")


class WholeLines:
    """Gathers chunks into texts of whole lines; of a line far over the limit no more is held than shows that it is."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._held: list[bytes | memoryview] = []
        self._size = 0
        self._open = 0
        """Bytes of the line that no line end has closed"""

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk and give whole lines, once there are enough of them; else nothing."""
        end = chunk.rfind(b"\n") + 1
        if end == len(chunk) >= _TEXT_BYTES and not self._size and not self._open:
            return chunk  # nothing to put together, so nothing to copy
        if not end:
            self._hold(chunk)
            return b""
        begin = chunk.find(b"\n") + 1
        self._hold(chunk[:begin])
        self._held.append(memoryview(chunk)[begin:end])  # copied once, when the text is put together
        self._size += end - begin
        self._open = 0
        if self._size < _TEXT_BYTES:
            self._hold(chunk[end:])
            return b""
        text = self._taken()
        self._hold(chunk[end:])
        return text

    def last(self) -> bytes:
        """Give what is left, at the end of the file."""
        return self._taken()

    def _hold(self, piece: bytes) -> None:
        # two bytes more than the limit: of a line cut here a CR at its end may still be taken off
        if self._open <= self._limit + 1:
            self._held.append(piece)
            self._size += len(piece)
        elif piece.endswith(b"\n"):
            self._held.append(b"\n")
        self._open += len(piece)

    def _taken(self) -> bytes:
        text = b"".join(self._held)
        self._held, self._size, self._open = [], 0, 0
        return text


@dataclass(slots=True, kw_only=True)
class Dating:
    """How one file's lines are dated, and what was counted on the way."""

    prefixed: bool
    primary: Dater | None
    daters: tuple[Dater, ...]
    reference_s: float
    zoned: bool
    last: int = UNDATED
    carried: int = 0
    """Lines dated by the line before"""
    undated: int = 0
    backwards: int = 0
    """Lines older than the line before"""
    _seconds: dict[bytes, int] = field(default_factory=dict)

    def stamp(self, text: bytes, starts: Ints, lengths: Ints) -> LineBatch:
        """Give each line its time; leading lines without one get that of the first dated line of the text."""
        stamps: Ints | None = None
        if self.prefixed:
            times, text_starts, stamps = prefix_times(text, starts, lengths) or self.by_prefix(text, starts, lengths)
        else:
            times, text_starts = self._by_content(text, starts, lengths), np.zeros(len(starts), dtype=np.int64)
        return LineBatch(
            text=text,
            starts=starts,
            lengths=lengths,
            times_ns=self._carry_on(times),
            text_starts=text_starts,
            stamps=stamps,
        )

    def _carry_on(self, times: Ints) -> Ints:
        """Date lines without a time by the line before, and count what is odd about the times."""
        if not len(times):
            return times
        dated = times != UNDATED
        found = times if dated.all() else times[dated]
        missing = len(times) - len(found)
        if len(found):
            self.backwards += int(np.count_nonzero(found[1:] < found[:-1])) + int(found[0] < self.last)
            self.carried += missing
        elif self.last == UNDATED:
            self.undated += missing
        else:
            self.carried += missing
        if missing and len(found):
            nearest = np.cumsum(dated) - 1
            times = np.where(nearest >= 0, found[nearest], found[0] if self.last == UNDATED else self.last)
        elif missing:
            times = np.full(len(times), self.last, dtype=np.int64)
        if len(found):
            self.last = int(found[-1])
        return times

    def by_prefix(self, text: bytes, starts: Ints, lengths: Ints) -> tuple[Ints, Ints, Ints]:
        """Do what the compiled loop does."""
        times = np.full(len(starts), UNDATED, dtype=np.int64)
        text_starts, stamps = np.zeros(len(starts), dtype=np.int64), np.zeros(len(starts), dtype=np.int64)
        seconds = self._seconds
        for number, (start, end) in enumerate(zip(starts.tolist(), (starts + lengths).tolist(), strict=True)):
            line = text[start:end]
            base = seconds.get(line[:19])
            # the usual case: nine digits of fraction and a Z, at fixed columns
            if base is not None and line[29:31] == b"Z " and line[19:20] == b"." and line[20:29].isdigit():
                at, offset = base + int(line[20:29]), 31
                if _CRI.match(line, 31):
                    offset = 40
            else:
                at, offset = self._odd_prefix(line)
            if at >= 0:
                times[number], text_starts[number], stamps[number] = at, offset, stamp_of(line)
        return times, text_starts, stamps

    def _odd_prefix(self, line: bytes) -> tuple[int, int]:
        """Date a prefix of any RFC 3339 form, and learn its second for the lines that follow."""
        found = _PREFIX.match(line)
        if not found:
            return -1, 0
        base = rfc3339_second(line[:19])
        if base < 0:
            return -1, 0
        if len(self._seconds) > _SECONDS_KEPT:
            self._seconds.clear()
        zone = found[2]
        if zone == b"Z":
            self._seconds[line[:19]] = base
        else:
            offset = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
            base += (offset if zone[:1] == b"-" else -offset) * 1_000_000_000
        end = min(found.end() + 1, len(line))
        if tag := _CRI.match(line, end):
            end = tag.end()
        return base + int((found[1] or b"").ljust(9, b"0")), end

    def _by_content(self, text: bytes, starts: Ints, lengths: Ints) -> Ints:
        reference, primary = self.reference_s, self.primary
        times = own_times(text, starts, lengths) if primary is iso else np.full(len(starts), UNDATED, dtype=np.int64)
        left = np.flatnonzero(times == UNDATED)
        places = zip(left.tolist(), starts[left].tolist(), (starts + lengths)[left].tolist(), strict=True)
        for number, start, end in places:
            line = text[start:end]
            at = primary(line, reference) if primary else None
            if at is None:
                at = self._otherwise(line)
            if at is not None:
                times[number] = at
        return times

    def _otherwise(self, line: bytes) -> int | None:
        if not line or line[:1] in b" \t}":  # indented: a continuation, whatever it quotes
            return None
        for dater in self.daters:
            if (at := dater(line, self.reference_s)) is not None:
                return at
        return None


def stamp_of(line: bytes) -> int:
    """Give how many bytes of a dated prefix its time gives back: none of the last second of some years, which has another's number."""
    found = _STAMP.match(line)
    return found.end() if found else 0


def dating_of(sample: Iterable[bytes], reference_s: float) -> Dating:
    """Choose how to date a file from its first lines."""
    lines = list(islice((line for line in sample if line.strip()), _SAMPLE_LINES))
    stamped = [(found, line[found.end() + 1 :]) for line in lines if (found := _PREFIX.match(line))]
    if len(stamped) > len(lines) // 2 and (_is_kubelets(stamped) or _dated_again(stamped, reference_s)):
        # nothing but the prefix is asked, so nothing else is tried
        return Dating(prefixed=True, primary=None, daters=(), reference_s=reference_s, zoned=True)
    counts = {dater: sum(1 for line in lines if dater(line, reference_s) is not None) for dater in ANCHORED}
    primary: Dater | None = max(counts, key=lambda dater: counts[dater])  # the first of equals: the commonest form
    anywhere = sum(1 for line in lines if iso_anywhere(line) is not None)
    hits = max(counts.values())
    if hits * 4 < anywhere:
        primary = iso_anywhere
    elif not hits:
        primary = None
    dated = [line for line in lines if primary and primary(line, reference_s) is not None]
    zoned = primary is None or (primary not in YEARLESS and any(says_zone(line, primary) for line in dated))
    return Dating(
        prefixed=False,
        primary=primary,
        daters=tuple(dater for dater in ANCHORED if dater is not primary),
        reference_s=reference_s,
        zoned=zoned,
    )


def _is_kubelets(stamped: list[tuple[re.Match[bytes], bytes]]) -> bool:
    """Tell the runtime's nanoseconds (0 to 9 digits, trailing zeros trimmed) from a program's own fixed fraction."""
    digits = {len(found[1] or b"") for found, _ in stamped}
    return max(digits) > 6 or len(digits - {0}) > 1 or any(_CRI.match(rest) for _, rest in stamped)


def _dated_again(stamped: list[tuple[re.Match[bytes], bytes]], reference_s: float) -> bool:
    """Tell a carrier's time, whatever its fraction, by the program's own that most lines have after it."""
    again = sum(any(dater(rest, reference_s) is not None for dater in ANCHORED) for _, rest in stamped)
    return 2 * again > len(stamped)
