"""What of a model's own prose may be shown: plain sentences about the case, never an order, an address or a mention.

Nobody can tell from a sentence whether it is the model's or was put into its mouth by a log line. So prose that carries
a command, a link, a mention, or a run of words that stands in text a user can write, is not shown at all.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable

from bot.analyst.proofs import Finding

LONGEST = 400
"""Characters of prose that are shown."""
RUN = 8
"""So many words in a row that also stand in writable text are no accident."""

_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,15}:/{1,2}\S|\bwww\.\S|\b(?:data|javascript|mailto|vbscript):|\]\(|<[!@#a-z/]|&lt;[!@#]",
    re.IGNORECASE,
)
_MENTION = re.compile(r"(?<![\w.])@(?:here|channel|everyone|[\w.-]+)|<[!@#]", re.IGNORECASE)
_ORDER = re.compile(
    r"\b(?:kubectl|helm|curl|wget|sudo|rm\s+-|bash|sh\s+-c|eval|chmod|psql|drop\s+table|delete\s+(?:namespace|ns|from))\b|[`$]\(|`|\|\s*(?:ba)?sh\b|&&|;\s*\w+\s+-"
    r"|\b(?:ignore|disregard|forget)\b.{0,40}\b(?:instruction|previous|prior|above|rule)"
    r"|\b(?:system|developer|assistant)\s*(?:prompt|message|note|:)|\byou (?:must|should|are) (?:now|to)\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"[{}<>|\[\]\\*#]|&\w+;")
_BLANKS = re.compile(r"\s+")
_WORD = re.compile(r"[\w.-]+")


def plain(text: str) -> str:
    """Give prose on one line, without controls and invisible characters, cut where it is long."""
    kept = "".join(each if unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Co"} else " " for each in text)
    kept = _BLANKS.sub(" ", kept).strip()
    return kept if len(kept) <= LONGEST else f"{kept[:LONGEST].rsplit(' ', 1)[0]} …"


def unfit(text: str, where: str, written: Callable[[str], bool]) -> Finding | None:
    """Say why prose must not be shown, None where it may; ``written`` tells whether words stand in writable text."""
    for pattern, what in (
        (_ADDRESS, "an address"),
        (_MENTION, "a mention"),
        (_ORDER, "an order or a command"),
        (_MARKUP, "markup"),
    ):
        if pattern.search(text):
            return Finding(kind="unsafe_words", where=where, detail=f"it carries {what}")
    if any(written(run) for run in runs(text)):
        return Finding(kind="repeated_text", where=where, detail="it repeats what a user of the system can write")
    return None


def runs(text: str) -> Iterable[str]:
    """Give runs of so many words, as they stand in the text, every other one: what is two words longer is never missed."""
    places = [(found.start(), found.end()) for found in _WORD.finditer(text)]
    for at in range(0, len(places) - RUN + 1, 2):
        yield text[places[at][0] : places[at + RUN - 1][1]]
