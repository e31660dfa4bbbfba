"""What the first question says people feel: kinds of trouble in everyday words, and whether it asks after a suspect instead.

Leaves out names and times (``questions``, ``times``).
"""

import re
from dataclasses import dataclass

from bot.analyst.vocabulary import kinds_in
from bot.domain.signal import Kind

_LATE = r"(?<!of )late(?! (?:(?:on |in the |at |last |this |that )?(?:\w+day|night|evening|afternoon|morning|week|month)|tonight)\b)"
"""As a word of what is felt, and not of when: "late on Tuesday", "of late"."""
FELT_WORDS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    (
        rf"delay(?:s|ed)?|{_LATE}|lag(?:s|ged|ging)?|stale|overdue|piling up|piled up",
        (Kind.LATENCY, Kind.QUEUE_GROWTH),
    ),
    (r"pending", (Kind.SCHEDULING_FAILURE,)),
    (
        r"logged out|log ?ins?|log in|sign[- ]?ins?|thrown out|kicked out",
        (Kind.AUTH_FAILURE, Kind.CLIENT_ERROR, Kind.SERVER_ERROR, Kind.UNAVAILABLE),
    ),
)
"""Beside the vocabulary's: "late" says what people feel, and in a follow-up when."""
_STUCK = re.compile(r"\b(?:stuck|hangs?|hung|progress\w*|finish\w*|complet\w+|fail\w*|never)\b", re.IGNORECASE)
_SUSPECTS = re.compile(
    r"^\W*(?:(?:so|and|but|hey)\W+)*(?:is|was|are|were|did|does|do|could|can|might|has|have|had)(?:n'?t)?\b",
    re.IGNORECASE,
)
_CHANGES = frozenset({Kind.ROLLOUT, Kind.CONFIG_CHANGE, Kind.SECRET_CHANGE, Kind.HUMAN_CHANGE, Kind.JOB_RUN})


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomWish:
    """What the first question says people feel: statuses, kinds, and words that may name an entity or a namespace."""

    statuses: frozenset[int] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    entity_words: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    suspects: bool = False
    """Whether it asks if something was the reason, so that the words and times may be those of a suspect"""

    @property
    def status_words(self) -> str:
        """Name the statuses as they were asked for: ``HTTP 502 and 503``, ``HTTP 5xx``; empty where there are none."""
        whole = [first for first in (400, 500) if self.statuses.issuperset(range(first, first + 100))]
        single = sorted(status for status in self.statuses if status // 100 * 100 not in whole)
        named = [*map(str, single), *(f"{first // 100}xx" for first in whole)]
        return f"HTTP {', '.join(named[:-1])}{' and ' if len(named) > 1 else ''}{named[-1]}" if named else ""


def felt_kinds(text: str) -> tuple[frozenset[Kind], tuple[str, ...]]:
    """Give the kinds of trouble that a question says people feel, and the vocabulary's words that say so."""
    kinds, words = kinds_in(text)
    if not _STUCK.search(text):
        kinds -= {Kind.ROLLOUT_STUCK}  # "since the rollout", "did the release break it?" are about what came of it
    felt = {
        kind
        for pattern, kinds_ in FELT_WORDS
        if re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE)
        for kind in kinds_
    }
    return kinds | felt, words


def suspects(text: str) -> bool:
    """Tell whether a question asks if something was the reason, or names a change: its words and times may be that one's."""
    return _SUSPECTS.match(text) is not None or bool(kinds_in(text)[0] & _CHANGES)
