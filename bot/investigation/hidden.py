"""Which log lines of a case are part of a private key that stands over many lines: they are shown to nobody outside.

Found by the words that begin and end a key, read in each one's own stream; a case without them costs one search.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.casefile.case import Case
from bot.casefile.search import search
from bot.casefile.stored import StoredItem
from bot.domain.ports import Stored
from bot.redaction.keys import MOST_ROWS, key_lines, touches_key

WORDS = "PRIVATE KEY"
MOST_KEYS = 2000
"""Lines that begin or end a key; a case with more of them is full of the same one."""
MARK = "<SECRET:private_key>"
"""What a tool gives in place of such a line."""


def key_lines_of(case: Case) -> Mapping[int, str]:
    """Give number and text of the lines that belong to a private key and do not look it."""
    found: dict[int, str] = {}
    for hit in search(case, WORDS, limit=MOST_KEYS).hits:
        if not hit.id.startswith("L") or int(hit.id[1:]) in found or not touches_key(hit.text):
            continue
        near = case.around(hit.id, MOST_ROWS, MOST_ROWS)
        hidden = key_lines([item.text for item in near])
        found.update((int(near[at].id[1:]), near[at].text) for at in hidden)
    return found


class Veil:
    """Puts a mark in place of hidden lines among what a tool reads of a case."""

    def __init__(self, case: Case) -> None:
        self._hidden = frozenset(f"L{number}" for number in key_lines_of(case))

    def over(self, items: Iterable[StoredItem]) -> list[Stored]:
        """Give items as they may be shown."""
        return [replace(item, text=MARK, raw=b"") if item.id in self._hidden else item for item in items]
