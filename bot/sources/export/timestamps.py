r"""Find the time in a log line, in every form that common software writes it.

Each *dater* looks at one line (bytes) and gives nanoseconds since the epoch, or None. Anchored daters look where
only a time stands; the floating one looks further into the line and is used only where a whole file needs it, since
a message may quote another time. A time without a zone is taken for UTC; a date without a year gets the latest year
that does not put it after a reference.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

NS = 1_000_000_000
_EPOCH_ORDINAL = 719_163  # datetime.date(1970, 1, 1).toordinal()
_YEARLESS_SLACK_S = 7 * 86_400
_LOOK = 4096
"""Bytes of a line in which a time is looked for: structured lines may put a long message first."""

Dater = Callable[[bytes, float], int | None]
"""``(line, reference in epoch seconds) -> nanoseconds or None``; the reference lends a missing year."""

_MONTHS = {
    name: at + 1
    for at, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
    )
}
# abbreviations that mean one offset wherever servers run; CST, IST and the like mean several and are left out
_ZONES_S = {
    b"Z": 0, b"UTC": 0, b"GMT": 0, b"WET": 0, b"BST": 3600, b"WEST": 3600, b"CET": 3600, b"CEST": 7200,
    b"EET": 7200, b"EEST": 10800, b"MSK": 10800, b"EST": -18000, b"EDT": -14400, b"CDT": -18000,
    b"MST": -25200, b"MDT": -21600, b"PST": -28800, b"PDT": -25200, b"JST": 32400, b"KST": 32400,
}  # fmt: skip

_ANSI = rb"(?:\x1b\[[0-9;]*m)*"
_LEVEL = rb"(?:(?i:trace|debug|info|notice|warn|warning|error|err|fatal|critical|severe|panic)|[DIWEFA])"
_CLOCK = rb"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?"
_ISO = rb"(\d{4})[-/](\d\d)[-/](\d\d)[T ]" + _CLOCK + rb"(Z|[+-]\d\d(?::?\d\d)?\b| ?(?:[+-]\d\d:?\d\d\b|[A-Z]{3,4}\b))?"
_MONTH = rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"

_ISO_AT_START = re.compile(_ANSI + rb"\W{0,3}(?:" + _LEVEL + _ANSI + rb"[\s,:|\[\]]{1,6})?" + _ANSI + _ISO)
_ISO_ANYWHERE = re.compile(_ISO)
_SHORT_YEAR = re.compile(rb"(\d\d)/(\d\d)/(\d\d) " + _CLOCK)
_ACCESS = re.compile(rb"\[(\d\d)/" + _MONTH + rb"/(\d{4}):" + _CLOCK + rb"(?: ([+-]\d{4}))?\]")
_CTIME = re.compile(
    rb"\[?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) " + _MONTH + rb" +(\d{1,2}) " + _CLOCK + rb"(?: ([A-Z]{3,4}))? (\d{4})\b"
)
_DAY_FIRST = re.compile(
    rb"[\[=]{0,5}(?:\w+:\w |\w+ REPORT==== |\w{3}, )?(\d{1,2})[- ]" + _MONTH + rb"[- ](\d{4})(?: |::)" + _CLOCK
    + rb"(?: ?(Z|UTC|GMT|[+-]\d{4}))?"
)  # fmt: skip
_JUL = re.compile(_MONTH + rb" (\d{1,2}), (\d{4}),? (\d{1,2}):(\d\d):(\d\d) (AM|PM)")
_KLOG = re.compile(_ANSI + rb"[IWEFD](\d{4})?(\d\d)(\d\d) " + _CLOCK)
_SYSLOG = re.compile(rb"(?:<\d{1,3}>)?" + _MONTH + rb" {1,2}(\d{1,2}) " + _CLOCK + rb"\b")
_EPOCH = re.compile(rb"(?:[A-Z-]{1,12} )?\[?(\d{10}(?:\d{3})?(?:\.\d{1,9})?)[\] \t]")
_JSON = re.compile(
    rb'"(?:@?timestamp|ts|time|t|\$date|datetime|asctime|eventTime|requestReceivedTimestamp|@t|log_time|logged_at)"'
    rb'\s*:\s*(?:"([^"\\]{8,40})"|(\d{9,19}(?:\.\d{1,9})?|\d\.\d{3,18}[eE]\+?\d{1,2}))'
)
_LOGFMT = re.compile(rb'(?:^|\s)(?:time|ts|t|timestamp|@timestamp)=(?:"([^"]{8,40})"|(\S{8,40}))')
_NUMBER = re.compile(rb"\d{9,19}(?:\.\d{1,9})?")


@lru_cache(maxsize=1024)
def _midnight(year: int, month: int, day: int) -> int | None:
    """Give the seconds since the epoch at which a UTC day begins; None where there is no such day."""
    if not 1971 <= year <= 2199:
        return None
    try:
        return (datetime(year, month, day, tzinfo=UTC).toordinal() - _EPOCH_ORDINAL) * 86_400
    except ValueError:
        return None


def _ns(
    date: tuple[int, int, int], clock: tuple[bytes, bytes, bytes], fraction: bytes | None, offset_s: int
) -> int | None:
    start = _midnight(*date)
    hour, minute, second = int(clock[0]), int(clock[1]), int(clock[2])
    if start is None or hour > 23 or minute > 59 or second > 60:
        return None
    return (start + hour * 3600 + minute * 60 + second - offset_s) * NS + (
        int(fraction.ljust(9, b"0")) if fraction else 0
    )


def _offset_s(zone: bytes | None) -> int:
    """Give the seconds east of UTC that a zone means; 0 where it is missing or unknown."""
    if not zone:
        return 0
    zone = zone.strip()
    if zone[:1] not in b"+-":
        return _ZONES_S.get(zone, 0)
    digits = zone[1:].replace(b":", b"")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4] or b"0") * 60
    if seconds > 15 * 3600:
        return 0
    return -seconds if zone[:1] == b"-" else seconds


def _from_iso(found: re.Match[bytes]) -> int | None:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    return _ns((int(year), int(month), int(day)), (hour, minute, second), fraction, _offset_s(zone))


def iso(line: bytes, _reference: float = 0.0) -> int | None:
    """Date ``2026-11-22T06:28:01.123Z``, ``… 06:28:01,123``, ``2026/11/22 …``, also behind a bracket or a level."""
    found = _ISO_AT_START.match(line)
    return _from_iso(found) if found else None


def iso_anywhere(line: bytes, _reference: float = 0.0) -> int | None:
    """Date the first ISO-like time within the first 160 bytes, whatever stands before it."""
    found = _ISO_ANYWHERE.search(line, 0, 160)
    return _from_iso(found) if found else None


def short_year(line: bytes, _reference: float = 0.0) -> int | None:
    """Date log4j's ``26/11/22 06:28:01``."""
    if not (found := _SHORT_YEAR.match(line)):
        return None
    year, month, day, hour, minute, second, fraction = found.groups()
    return _ns((2000 + int(year), int(month), int(day)), (hour, minute, second), fraction, 0)


def access(line: bytes, _reference: float = 0.0) -> int | None:
    """Date an access log's ``[22/Nov/2026:06:28:01 +0000]`` (nginx, Apache, HAProxy)."""
    if not (found := _ACCESS.search(line, 0, 512)):
        return None
    day, month, year, hour, minute, second, fraction, zone = found.groups()
    return _ns((int(year), _MONTHS[month], int(day)), (hour, minute, second), fraction, _offset_s(zone))


def ctime(line: bytes, _reference: float = 0.0) -> int | None:
    """Date ``[Sun Nov 22 06:28:01.123456 2026]`` (Apache's error log, ``date``)."""
    if not (found := _CTIME.match(line)):
        return None
    month, day, hour, minute, second, fraction, zone, year = found.groups()
    return _ns((int(year), _MONTHS[month], int(day)), (hour, minute, second), fraction, _offset_s(zone))


def day_first(line: bytes, _reference: float = 0.0) -> int | None:
    """Date ``1:M 22 Nov 2026 06:28:01.123`` (Redis), ``22-Nov-2026 06:28:01`` (Tomcat), RFC 1123."""
    if not (found := _DAY_FIRST.match(line)):
        return None
    day, month, year, hour, minute, second, fraction, zone = found.groups()
    return _ns((int(year), _MONTHS[month], int(day)), (hour, minute, second), fraction, _offset_s(zone))


def java_util(line: bytes, _reference: float = 0.0) -> int | None:
    """Date java.util.logging's ``Nov 22, 2026 6:28:01 AM``."""
    if not (found := _JUL.match(line)):
        return None
    month, day, year, hour, minute, second, half = found.groups()
    hours = int(hour) % 12 + (12 if half == b"PM" else 0)
    return _ns((int(year), _MONTHS[month], int(day)), (b"%02d" % hours, minute, second), None, 0)


def _likely_year(month: int, day: int, reference: float) -> int:
    """Give the latest year that puts the day no more than a week behind the reference: logs are older than their export."""
    year = datetime.fromtimestamp(reference, tz=UTC).year
    for candidate in (year + 1, year, year - 1):
        at = _midnight(candidate, month, day)
        if at is not None and at <= reference + _YEARLESS_SLACK_S:
            return candidate
    return year


def klog(line: bytes, reference: float) -> int | None:
    """Date ``I1122 06:28:01.123456`` (klog, glog; also with a year before the month)."""
    if not (found := _KLOG.match(line)):
        return None
    year, month, day, hour, minute, second, fraction = found.groups()
    in_year = int(year) if year else _likely_year(int(month), int(day), reference)
    return _ns((in_year, int(month), int(day)), (hour, minute, second), fraction, 0)


def syslog(line: bytes, reference: float) -> int | None:
    """Date ``Nov 22 06:28:01`` (RFC 3164)."""
    if not (found := _SYSLOG.match(line)):
        return None
    month, day, hour, minute, second, fraction = found.groups()
    in_year = _likely_year(_MONTHS[month], int(day), reference)
    return _ns((in_year, _MONTHS[month], int(day)), (hour, minute, second), fraction, 0)


def epoch(line: bytes, _reference: float = 0.0) -> int | None:
    """Date a line that begins with seconds or milliseconds since the epoch."""
    found = _EPOCH.match(line)
    return epoch_ns(found[1]) if found else None


def epoch_ns(number: bytes) -> int | None:
    """Read seconds, milli-, micro- or nanoseconds since the epoch, told apart by their size; exact to the digit."""
    if b"e" in number or b"E" in number:
        number = b"%.6f" % float(number)
    whole, _, fraction = number.partition(b".")
    digits = len(whole.lstrip(b"0"))
    unit = NS if digits <= 11 else 1_000_000 if digits <= 14 else 1_000 if digits <= 17 else 1
    at = int(whole) * unit + int(fraction[:9].ljust(9, b"0") or b"0") * unit // NS
    return at if 31_536_000 * NS <= at < 7_258_118_400 * NS else None


def _value(text: bytes, reference: float) -> int | None:
    """Date the value of a time field."""
    if _NUMBER.fullmatch(text):
        return epoch_ns(text)
    for dater in (iso, day_first, ctime, syslog):
        if (at := dater(text, reference)) is not None:
            return at
    found = _ACCESS.match(b"[" + text + b"]")
    return access(found[0]) if found else None


def json_field(line: bytes, reference: float) -> int | None:
    """Date a JSON line by its ``ts``, ``time``, ``timestamp``, ``@timestamp`` …: text, or a number since the epoch."""
    if line.lstrip()[:1] != b"{":
        return None
    for found in _JSON.finditer(line, 0, _LOOK):
        at = _value(found[1], reference) if found[1] else epoch_ns(found[2])
        if at is not None:
            return at
    if len(line) <= _LOOK:
        return None
    found_late = _JSON.search(line, len(line) - _LOOK)
    if found_late is None:
        return None
    return _value(found_late[1], reference) if found_late[1] else epoch_ns(found_late[2])


def logfmt(line: bytes, reference: float) -> int | None:
    """Date a logfmt line by its ``time=`` or ``ts=``."""
    for found in _LOGFMT.finditer(line, 0, 1024):
        if (at := _value(found[1] or found[2], reference)) is not None:
            return at
    return None


ANCHORED: tuple[Dater, ...] = (
    iso, json_field, logfmt, access, klog, syslog, ctime, day_first, short_year, java_util, epoch,
)  # fmt: skip
"""Daters that may be tried on any line, the commonest first."""

YEARLESS: frozenset[Dater] = frozenset({klog, syslog})

_FIELD_NUMBER = re.compile(rb'(?:time|ts|t|stamp|date)"?\s*[:=]\s*"?\d{9}')
_ZONED = re.compile(
    rb"\d\d:\d\d(?:[.,]\d+)?\s?(?:Z\b|[+-]\d\d|(?:UTC|GMT|CES?T|EES?T|WES?T|BST|MSK|E[SD]T|CDT|M[SD]T|P[SD]T|JST|KST)\b)"
)


def says_zone(line: bytes, dater: Dater) -> bool:
    """Tell whether the time that a dater found names its zone (numbers since the epoch need none)."""
    if dater in {json_field, logfmt}:
        return _ZONED.search(line, 0, _LOOK) is not None or _FIELD_NUMBER.search(line, 0, _LOOK) is not None
    return dater is epoch or _ZONED.search(line, 0, 512 if dater is access else 160) is not None


def rfc3339_second(text: bytes) -> int:
    """Give nanoseconds for exactly ``YYYY-MM-DDTHH:MM:SS``; -1 where it is something else."""
    if len(text) != 19 or text[10:11] not in b"T " or text[4:5] + text[7:8] + text[13:14] + text[16:17] != b"--::":
        return -1
    parts = (text[:4], text[5:7], text[8:10], text[11:13], text[14:16], text[17:19])
    if not b"".join(parts).isdigit():
        return -1
    at = _ns((int(parts[0]), int(parts[1]), int(parts[2])), parts[3:], None, 0)
    return -1 if at is None else at


def moment(text: str | None) -> datetime | None:
    """Read an API's time (RFC 3339, also Jira's ``+0000`` spelling) as aware UTC; None where there is none."""
    if not isinstance(text, str) or not text:
        return None
    at = iso(text.encode("utf-8", "replace"))
    return None if at is None else datetime.fromtimestamp(at // NS, tz=UTC).replace(microsecond=at % NS // 1000)
