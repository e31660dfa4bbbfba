"""Read lines back from a packed case: what proves that packing loses nothing, and what finds a line a model cites.

The inverse of ``packing_lines``, written from its format alone.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.analyst.packing_lines import CLOSE, OPEN, VERBATIM, slot_name
from bot.analyst.packing_text import unescape
from bot.analyst.packing_times import spell

_LINE = re.compile(r"([A-Z]?)(\d+) (-|(?:\d\d:\d\d:)?\d\d(?:\.\d{3})?) (.*)")
_TEMPLATE = re.compile(r"([A-Z]+\d+) (.*)")
_SLOT = re.compile(f"{OPEN}([^{CLOSE}]*){CLOSE}")
_TIME_SLOT = re.compile(r"(%[^«»]*?(?:%\df|%S|%s))([a-z]+|[+-]\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """A line as a packed section tells it; ``time_ms`` since the epoch, None where nothing dates it."""

    id: str
    time_ms: int | None
    text: str


def read_lines(section: Iterable[str], letter: str = "L") -> Iterator[ReadLine]:
    """Rebuild the lines of a packed section, its templates and headings included."""
    templates: dict[str, str] = {}
    number, day_ms, minute_ms = 0, 0, 0
    for printed in section:
        if printed.startswith("@ "):
            day_ms = int(datetime.fromisoformat(printed[2:]).replace(tzinfo=UTC).timestamp()) * 1000
            continue
        found = _LINE.fullmatch(printed)
        if found is None or found[1] not in ("", letter):
            named = _TEMPLATE.fullmatch(printed)
            if named:
                templates[named[1]] = named[2]
            continue
        number = int(found[2]) if found[1] else number + 1
        if found[3] == "-":
            yield ReadLine(id=f"{letter}{number}", time_ms=None, text=_rebuilt(found[4], templates, -1))
            continue
        if found[3].count(":"):
            minute_ms = int(found[3][:2]) * 3_600_000 + int(found[3][3:5]) * 60_000
        seconds, _, rest = found[3].rpartition(":")[2].partition(".")
        at_ms = day_ms + minute_ms + int(seconds) * 1000 + int(rest or 0)
        yield ReadLine(id=f"{letter}{number}", time_ms=at_ms, text=_rebuilt(found[4], templates, at_ms * 1_000_000))


def _rebuilt(body: str, templates: dict[str, str], time_ns: int) -> str:
    if body.startswith(VERBATIM):
        return unescape(body[1:])
    name, *parameters = body.split(" ")
    values = {slot_name(place): value for place, value in enumerate(parameters)}

    def filled(found: re.Match[str]) -> str:
        slot = found[1]
        if slot.startswith("="):
            return values[slot[1:]]
        if not slot.startswith("%"):
            return values[slot]
        timed = _TIME_SLOT.fullmatch(slot)
        if timed is None:
            return found[0]
        offset = timed[2] or "0"
        return spell(timed[1], int(values.get(offset, offset)), time_ns)

    return unescape(_SLOT.sub(filled, templates[name]))
