"""Times of log stores as nanoseconds since the epoch; ``datetime`` ends at microseconds."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?(Z|[+-]\d\d:?\d\d)?")
_NS = 1_000_000_000


def nanoseconds(told: object) -> int | None:
    """Read RFC 3339 of any precision (without a zone it is UTC), or epoch milliseconds; None where it is neither."""
    if isinstance(told, int) and not isinstance(told, bool):
        return told * 1_000_000
    if not isinstance(told, str):
        return None
    if told[19:20] == "." and told[-1] == "Z" and (fraction := told[20:-1]).isdecimal() and len(fraction) < 10:
        seconds = _seconds(told[:19], "Z")  # what nearly every store says
        return None if seconds is None else seconds * _NS + int(fraction) * 10 ** (9 - len(fraction))
    found = _RFC3339.fullmatch(told)
    if found is None:
        return None
    whole, fraction, zone = found.groups()
    seconds = _seconds(whole, zone or "Z")
    if seconds is None:
        return None
    return seconds * _NS + (int(fraction.ljust(9, "0")) if fraction else 0)


@lru_cache(maxsize=4096)
def _seconds(whole: str, zone: str) -> int | None:
    try:
        at = datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone))
    except ValueError:
        return None
    return int(at.astimezone(UTC).timestamp())
