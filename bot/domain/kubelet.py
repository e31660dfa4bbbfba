"""Container logs as the kubelet hands them out: ``<RFC 3339 with up to nine digits> <line>``, cut into timed lines.

Everything stays bytes: a broken character costs nothing. Whole pieces are cut, so the cost is that of splitting.
"""

from bot.domain.kubernetes import moment
from bot.domain.ports import UNDATED, TimedLine

LINE_LIMIT = 1024 * 1024
"""Bytes of one line that are kept."""
_SECOND = 19
_SECONDS_KEPT = 4096


class KubeletLines:
    """Cuts the pieces of one log into timed lines; a line nothing dates has the time of the line before.

    ``cut`` counts lines longer than the limit.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False
        self._seconds: dict[bytes, int] = {}
        self._last = UNDATED
        self.cut = 0

    def feed(self, piece: bytes) -> list[TimedLine]:
        """Take a piece and give the lines that end in it."""
        *lines, rest = (self._rest + piece).split(b"\n")
        if self._skipping and lines:
            lines, self._skipping = lines[1:], False
        self._rest = b"" if self._skipping else rest
        if len(self._rest) > LINE_LIMIT:
            lines.append(self._rest[:LINE_LIMIT])
            self._rest, self._skipping = b"", True
            self.cut += 1
        return [self._timed(line) for line in lines]

    def last(self) -> list[TimedLine]:
        """Give the line that no line end closed, if there is one."""
        rest, self._rest = self._rest, b""
        return [self._timed(rest)] if rest else []

    def _timed(self, line: bytes) -> TimedLine:
        if line.endswith(b"\r"):
            line = line[:-1]
        base = self._seconds.get(line[:_SECOND])
        # the usual case: nine digits of fraction and a Z, at fixed columns
        if base is not None and line[29:31] == b"Z " and line[20:29].isdigit():
            self._last = base + int(line[20:29])
            return self._last, line, 31
        at = time_ns(line)
        if at == UNDATED:
            return self._last, line, 0
        if len(self._seconds) > _SECONDS_KEPT:
            self._seconds.clear()
        stamp, _, _ = line.partition(b" ")
        if stamp.endswith(b"Z"):
            self._seconds[line[:_SECOND]] = at - at % 1_000_000_000
        self._last = at
        return at, line, min(len(stamp) + 1, len(line))


def time_ns(line: bytes) -> int:
    """Give the nanoseconds since the epoch at which a line was written, ``UNDATED`` where it does not say."""
    stamp, _, _ = line[:40].partition(b" ")
    if len(stamp) < 20 or stamp[10:11] != b"T":
        return UNDATED
    head, _, fraction = stamp.partition(b".")
    digits = len(fraction) - len(fraction.lstrip(b"0123456789"))
    zone = (fraction[digits:] if fraction else head[_SECOND:]).decode("ascii", "replace")
    at = moment(head[:_SECOND].decode("ascii", "replace") + zone) if zone else None
    if at is None:
        return UNDATED
    return int(at.timestamp()) * 1_000_000_000 + int(fraction[:digits].ljust(9, b"0")[:9] or b"0")
