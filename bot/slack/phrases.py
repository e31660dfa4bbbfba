"""Counts, lengths and times in few words, for a narrow screen; times in the reader's zone.

The terminal has its own, in UTC and with more digits; a chat message is read on a phone.
"""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def zone(name: str) -> tzinfo:
    """Give a time zone by its IANA name, UTC where the name means nothing."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: a name such as "." leads to a folder
        return UTC


def duration(seconds: float) -> str:
    """Say a length of time in at most two units: ``3 ms``, ``15 s``, ``5 min``, ``2 h 5 min``."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    for position, (size, unit) in enumerate(_UNITS):
        if whole >= size:
            below, small = _UNITS[position + 1] if position + 1 < len(_UNITS) else (1, "s")
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def size(count: float) -> str:
    """Say a number of bytes in decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Say a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def moment(at: datetime | None, tz: tzinfo = UTC) -> str:
    """Say a time to the second, with its zone."""
    return f"{at.astimezone(tz):%a %d %b %H:%M:%S %Z}" if at else "undated"


def span(start: datetime, end: datetime, tz: tzinfo = UTC) -> str:
    """Say a window to the minute, with its zone once."""
    first, last = start.astimezone(tz), end.astimezone(tz)
    day = "" if first.date() == last.date() else f"{last:%a %d %b} "
    return f"{first:%a %d %b %H:%M} – {day}{last:%H:%M %Z}"


def p_value(value: float | None) -> str:
    """Say a p-value; below a billionth only that it is."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unequal to itself
        return "no p-value"
    return "p < 1e-9" if value < 1e-9 else f"p = {value:.2g}"
