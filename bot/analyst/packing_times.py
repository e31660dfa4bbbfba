"""Times inside a line: most repeat the line's own time, so that a pattern says them and no digit has to.

A recognised time becomes a pattern and an offset from the line's time as it is shown (whole milliseconds), in units of
its own last digit. ``spell`` gives the very characters back. Left out: zones other than UTC, whose times stay as they are.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEAR_NS = 5_000_000_000
"""Further from the line's own time than this it is another time, and stays spelled out."""

_TIME = re.compile(
    r"(?<![\w.])(?:"
    r"(?P<iso>(?P<iy>20\d\d)(?P<isep>[-/])(?P<im>\d\d)(?P=isep)(?P<id>\d\d)(?P<it>[T ])(?P<ihms>\d\d:\d\d:\d\d)"
    r"(?:(?P<idot>[.,])(?P<if>\d{1,9}))?)"
    r"|(?P<access>(?P<ad>\d\d)/(?P<am>[A-Z][a-z]{2})/(?P<ay>20\d\d):(?P<ahms>\d\d:\d\d:\d\d))"
    r"|(?P<epoch>1[5-9]\d{8}(?:\.(?P<ef>\d{1,9})|\d{3}(?:\d{3}(?:\d{3})?)?)?)"
    r")(?!\d|[.,]\d)"
)
PATTERN = re.compile(r"%Y([-/])%m\1%d([T ])%H:%M:%S(?:([.,])%(\d)f)?|%d/%b/%Y:%H:%M:%S|%s(?:\.%(\d)f|%(\d)f)?")
"""Every pattern there is: as ``strftime`` has it, with ``%3f`` for three digits of a second."""


def shown_ns(time_ns: int) -> int:
    """Give the time a packed line shows: whole milliseconds."""
    return time_ns // 1_000_000 * 1_000_000


def with_times(text: str, time_ns: int, mark: Callable[[str, int], str]) -> str:
    """Put ``mark(pattern, offset)`` for every time in ``text`` that is the line's own."""

    def marked(found: re.Match[str]) -> str:
        parsed = _parsed(found)
        if parsed is None or abs(parsed[1] - time_ns) > _NEAR_NS:
            return found[0]
        pattern, value_ns, unit_ns = parsed
        offset = value_ns // unit_ns - shown_ns(time_ns) // unit_ns
        return mark(pattern, offset) if spell(pattern, offset, time_ns) == found[0] else found[0]

    return _TIME.sub(marked, text)


def spell(pattern: str, offset: int, time_ns: int) -> str:
    """Write the time that ``pattern`` and ``offset`` say, for a line of ``time_ns``."""
    found = PATTERN.fullmatch(pattern)
    if found is None:
        raise ValueError(pattern)
    unit_ns = 10 ** (9 - int(found[4] or found[5] or found[6] or 0))
    units = shown_ns(time_ns) // unit_ns + offset
    seconds, rest = divmod(units * unit_ns, 1_000_000_000)
    at = _EPOCH + timedelta(seconds=seconds)
    digits = f"{rest // unit_ns:0{found[4] or found[5] or found[6] or 1}d}"
    if pattern.startswith("%s"):
        dot = "." if found[5] else ""
        return f"{seconds}{dot}{digits}" if unit_ns < 1_000_000_000 else str(seconds)
    if pattern.startswith("%d"):
        return f"{at.day:02}/{_MONTHS[at.month - 1]}/{at.year}:{at.hour:02}:{at.minute:02}:{at.second:02}"
    told = f"{at.year}{found[1]}{at.month:02}{found[1]}{at.day:02}{found[2]}{at.hour:02}:{at.minute:02}:{at.second:02}"
    return f"{told}{found[3]}{digits}" if found[4] else told


def _parsed(found: re.Match[str]) -> tuple[str, int, int] | None:
    """Read a time: its pattern, nanoseconds since the epoch, and how many of them its last digit is worth."""
    if found["epoch"]:
        return _epoch(found["epoch"], found["ef"])
    if found["access"]:
        if found["am"] not in _MONTHS:
            return None
        at_ns = _instant(found["ay"], _MONTHS.index(found["am"]) + 1, found["ad"], found["ahms"])
        return None if at_ns is None else ("%d/%b/%Y:%H:%M:%S", at_ns, 1_000_000_000)
    at_ns = _instant(found["iy"], found["im"], found["id"], found["ihms"])
    if at_ns is None:
        return None
    sep, digits = found["isep"], found["if"]
    pattern = f"%Y{sep}%m{sep}%d{found['it']}%H:%M:%S"
    if not digits:
        return pattern, at_ns, 1_000_000_000
    unit_ns = 10 ** (9 - len(digits))
    return f"{pattern}{found['idot']}%{len(digits)}f", at_ns + int(digits) * unit_ns, unit_ns


def _epoch(text: str, fraction: str | None) -> tuple[str, int, int]:
    if fraction:
        unit_ns = 10 ** (9 - len(fraction))
        return f"%s.%{len(fraction)}f", int(text.partition(".")[0]) * 10**9 + int(fraction) * unit_ns, unit_ns
    digits = len(text) - 10
    return (f"%s%{digits}f" if digits else "%s"), int(text) * 10 ** (9 - digits), 10 ** (9 - digits)


def _instant(year: str, month: str | int, day: str, clock: str) -> int | None:
    try:
        at = datetime(int(year), int(month), int(day), int(clock[:2]), int(clock[3:5]), int(clock[6:8]), tzinfo=UTC)
    except ValueError:
        return None
    return (at - _EPOCH) // timedelta(seconds=1) * 1_000_000_000
