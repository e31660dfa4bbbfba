"""Split a stream of bytes into lines and give every line a time.

Splitting keeps every byte but the line ends; only a line over the limit is cut, and counted. Dating follows the
file: a ``kubectl logs --timestamps`` prefix where there is one, else the time inside the line, else the line before.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.domain.ports import UNDATED, TimedLine
from bot.sources.export.timestamps import ANCHORED, YEARLESS, Dater, iso_anywhere, rfc3339_second, says_zone

LINE_LIMIT = 1024 * 1024
"""Bytes of one line that are kept; what reads 20 MB in one line reads no more of it than this."""

_SAMPLE_LINES = 200
_SECONDS_KEPT = 4096
_PREFIX = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)(?= |$)")
_CRI = re.compile(rb"std(?:out|err) [FP] ")


class LineSplitter:
    """Cuts chunks into lines; ``cut`` counts the lines that were longer than the limit."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._carry: list[bytes] = []
        self._carried = 0
        self.cut = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take a chunk and give the lines that end in it."""
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if lines and self._carry:
            self._keep(lines[0])
            lines[0] = self._joined()
        self._keep(rest)
        return self._finished(lines, ends=b"\r" in chunk)

    def last(self) -> list[bytes]:
        """Give the line that no line end closed, if there is one."""
        return self._finished([self._joined()], ends=True) if self._carry else []

    def _keep(self, piece: bytes) -> None:
        if piece and self._carried <= self._limit:
            self._carry.append(piece)
        self._carried += len(piece)

    def _joined(self) -> bytes:
        line = b"".join(self._carry)
        self._carry, self._carried = [], 0
        return line

    def _finished(self, lines: list[bytes], *, ends: bool) -> list[bytes]:
        if ends:
            lines = [line[:-1] if line.endswith(b"\r") else line for line in lines]
        if lines and max(map(len, lines)) > self._limit:
            self.cut += sum(1 for line in lines if len(line) > self._limit)
            lines = [line[: self._limit] for line in lines]
        return lines


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

    def stamp(self, lines: Sequence[bytes]) -> list[TimedLine]:
        """Give each line its time; leading lines without one get that of the first dated line of the batch."""
        if not lines:
            return []
        timed = self._by_prefix(lines) if self.prefixed else self._by_content(lines)
        if timed[0][0] != UNDATED:
            return timed
        first = next((at for at, line in enumerate(timed) if line[0] != UNDATED), None)
        if first is None:
            self.undated += len(timed)
            return timed
        self.carried += first
        return [(timed[first][0], raw, offset) for _, raw, offset in timed[:first]] + timed[first:]

    def _by_prefix(self, lines: Sequence[bytes]) -> list[TimedLine]:
        timed: list[TimedLine] = []
        add, seconds = timed.append, self._seconds
        last = self.last
        for line in lines:
            base = seconds.get(line[:19])
            # the usual case: nine digits of fraction and a Z, at fixed columns
            if base is not None and line[29:31] == b"Z " and line[20:29].isdigit():
                at, offset = base + int(line[20:29]), 31
            else:
                at, offset = self._odd_prefix(line)
            if at < 0:
                at, offset = last, 0
                self.carried += last != UNDATED
            elif at < last:
                self.backwards += 1
            add((at, line, offset))
            last = at
        self.last = last
        return timed

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

    def _by_content(self, lines: Sequence[bytes]) -> list[TimedLine]:
        timed: list[TimedLine] = []
        add, reference, primary = timed.append, self.reference_s, self.primary
        last = self.last
        for line in lines:
            at = primary(line, reference) if primary else None
            if at is None:
                at = self._otherwise(line)
                if at is None:
                    self.carried += last != UNDATED
                    add((last, line, 0))
                    continue
            if at < last:
                self.backwards += 1
            add((at, line, 0))
            last = at
        self.last = last
        return timed

    def _otherwise(self, line: bytes) -> int | None:
        if not line or line[:1] in b" \t}":  # indented: a continuation, whatever it quotes
            return None
        for dater in self.daters:
            if (at := dater(line, self.reference_s)) is not None:
                return at
        return None


def dating_of(sample: Iterable[bytes], reference_s: float) -> Dating:
    """Choose how to date a file from its first lines."""
    lines = [line for line in sample if line.strip()][:_SAMPLE_LINES]
    prefixes = [found for line in lines if (found := _PREFIX.match(line))]
    prefixed = len(prefixes) > len(lines) // 2 and _is_kubelets(prefixes, lines)
    counts = {dater: sum(1 for line in lines if dater(line, reference_s) is not None) for dater in ANCHORED}
    primary: Dater | None = max(counts, key=lambda dater: counts[dater])  # the first of equals: the commonest form
    anywhere = sum(1 for line in lines if iso_anywhere(line) is not None)
    hits = max(counts.values())
    if hits * 4 < anywhere:
        primary = iso_anywhere
    elif not hits:
        primary = None
    dated = [line for line in lines if primary and primary(line, reference_s) is not None]
    zoned = prefixed or primary is None or (primary not in YEARLESS and any(says_zone(line, primary) for line in dated))
    return Dating(
        prefixed=prefixed,
        primary=primary,
        daters=tuple(dater for dater in ANCHORED if dater is not primary),
        reference_s=reference_s,
        zoned=zoned,
    )


def _is_kubelets(prefixes: list[re.Match[bytes]], lines: list[bytes]) -> bool:
    """Tell the runtime's nanoseconds (0 to 9 digits, trailing zeros trimmed) from a program's own fixed fraction."""
    digits = {len(found[1] or b"") for found in prefixes}
    return (
        max(digits) > 6
        or len(digits - {0}) > 1
        or any(_CRI.match(line, found.end() + 1) for found, line in zip(prefixes, lines, strict=False))
    )
