"""Numbers, times and foreign text as any page may show them.

Everything quoted from an incident is untrusted: it may carry escape sequences that move the cursor, controls that
reverse the reading direction, or markup. ``visible`` takes them out; nothing here decides what is worth showing.
"""

import re
import unicodedata
from datetime import UTC, datetime

# ECMA-48: CSI and OSC sequences, then two-character escapes; their bodies must go too, or "[31m" would stay behind
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"
    "|\x1b[PX^_].*?(?:\x1b\\\\|$)"
    "|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)
# Unicode TR 9: explicit directional marks; TR 36 counts them, and zero-width characters, among visual spoofing
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    """Make foreign text safe for one line of a terminal: no escapes, no direction marks, controls as blanks."""
    text = _INVISIBLE.sub("", _SURROGATES.sub("\ufffd", _ESCAPES.sub("", text)))
    return "".join(" " if unicodedata.category(each) in {"Cc", "Zl", "Zp"} else each for each in text).strip()


def p_value(value: float | None) -> str:
    """Say a p-value; below a billionth only that it is, for nobody compares those."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unequal to itself
        return "no p-value"
    if value < 1e-9:
        return "p < 1e-9"
    if value < 0.001:
        mantissa, exponent = f"{value:.0e}".split("e")
        return f"p = {mantissa}e{int(exponent)}"
    return f"p = {value:.2g}"


def size(count: float) -> str:
    """Say a number of bytes in decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def number(count: int) -> str:
    """Say a count, in groups of three: ``12,345``."""
    return f"{count:,}"


def moment(at: datetime | None) -> str:
    """Say a time in UTC to the second, as it can be pasted into another tool."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if at else "undated"
