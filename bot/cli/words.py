"""Words as a terminal shows them: cut to a width, and said as people say them. Foreign text passes ``visible`` first."""

import re
from datetime import UTC, datetime

from rich.cells import cell_len, set_cell_size

from bot.pages.words import moment, number, p_value, size, visible

__all__ = [
    "clip",
    "moment",
    "number",
    "p_value",
    "plural",
    "short",
    "short_moment",
    "size",
    "tail",
    "visible",
]


def clip(text: str, cells: int) -> str:
    """Cut visible text to a width in cells and say how many characters were cut."""
    text = visible(text)
    if cell_len(text) <= cells:
        return text
    notice = f" … +{len(text)} characters"
    kept = set_cell_size(text, max(cells - len(notice), 1)).rstrip()
    return f"{kept} … +{len(text) - len(kept)} characters"


def tail(locator: str, cells: int) -> str:
    """Shorten a place to its item id and the end of its path, which tells files apart better than the start."""
    locator = visible(locator)
    if cell_len(locator) <= cells:
        return locator
    name, _, path = locator.partition(" ")
    while path and cell_len(path) > cells - cell_len(name) - 2:
        path = path[1:]
    return f"{name} …{path}"


_SHORT_KINDS = {"HorizontalPodAutoscaler": "HPA", "PersistentVolumeClaim": "PVC"}
_SHORT_KIND = re.compile(rf"\b(?:{'|'.join(_SHORT_KINDS)})(?= \S)")


def short(text: str) -> str:
    """Say long Kubernetes kinds as people do; only for sentences, never for quotes or commands."""
    return _SHORT_KIND.sub(lambda found: _SHORT_KINDS[found[0]], visible(text))


def short_moment(at: datetime) -> str:
    """Say a time in UTC to the minute, without the year: ``Sun 22 Nov 00:42``."""
    return f"{at.astimezone(UTC):%a %d %b %H:%M}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Say a count with its noun."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
