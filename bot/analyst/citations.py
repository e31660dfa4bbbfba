"""The citations of one report, numbered as they are first needed: every one is taken from a stored item, word for word.

A quote that does not stand in the stored bytes is not cited at all. Whether a finished report is true to its citations
is checked elsewhere, by code that does not trust this one.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.analyst.proofs import item_id, quotes
from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.ports import Evidenced, Stored
from bot.domain.report import Evidence
from bot.domain.window import instant

_TELLING = (
    re.compile(
        r'"?reason"?: *"?(?:OOMKilled|CrashLoopBackOff|Evicted|ImagePullBackOff|Error|DeadlineExceeded|BackoffLimitExceeded)"?'
    ),
    re.compile(r'"?exitCode"?: *\d+'),
    re.compile(r'"?(?:reason|schedule|image|name)"?: *"?[\w./:*@ -]+"?'),
)
"""What of a manifest tells most, the most telling first; its first lines say nothing."""

_JSON_SAMPLE = re.compile(r"\[\s*(?P<at>\d+(?:\.\d+)?)\s*,\s*\"[^\"]*\"\s*\]")
_OPENMETRICS_LINE = re.compile(r"^(?P<line>[^#\n][^\n]*\s(?P<at>\d+(?:\.\d+)?))[ \t]*$", re.MULTILINE)

_TOLD_SAMPLE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|\+00:00))\D{1,8}?(?P<value>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
)
_ROUNDED = 0.0006
"""Four digits of a sample are shown."""

LONGEST_QUOTE = 400
"""Characters of a quote: a line people read, not a stack trace."""


class Citations:
    """Collects evidence under ``E1``, ``E2`` …; the same words of the same item are cited once."""

    def __init__(self, evidence: Evidenced, taken: Mapping[str, Evidence] | None = None) -> None:
        """Cite from ``evidence``; what is ``taken`` already, by its key, is not cited under another."""
        taken = taken or {}
        self.entries: dict[str, Evidence] = {}
        self._evidence = evidence
        self._keys: dict[tuple[ItemId, str, Entity], str] = {
            (item_id(entry), entry.quote, entry.entity): key for key, entry in taken.items()
        }
        self._next = 1 + max((int(key[1:]) for key in taken if key[1:].isdigit()), default=0)

    def cite(
        self, item: ItemId, *, entity: Entity | None = None, quote: str | None = None, at_s: float | None = None
    ) -> str | None:
        """Cite a stored item and give the citation's key; None where there is no such item or no such words in it.

        ``at_s`` dates a citation of a series, which is stored once for all its samples, and ``entity`` says whom it
        measures; everything else speaks of the entity it is stored under.
        """
        stored = self._evidence.item(item)
        if stored is not None and quote is None and stored.source == "prometheus":
            quote, at_s = _sample(stored.raw.decode("utf-8", "replace"), at_s)
        words = None if stored is None else _verbatim(stored, quote)
        if stored is None or words is None:
            return None
        of = entity if entity is not None and stored.source == "prometheus" else stored_entity(stored)
        if (key := self._keys.get((item, words, of))) is not None:
            return key
        key = f"E{self._next}"
        self._next += 1
        self._keys[item, words, of] = key
        at = instant(at_s) if at_s and stored.source == "prometheus" else stored.at
        self.entries[key] = Evidence(
            source=stored.source, at=at, entity=of, quote=words, url=stored.url, locator=f"{stored.id} {stored.locator}"
        )
        return key

    def add(self, entry: Evidence) -> str:
        """Take over a citation that stands already, under the next key."""
        for key, known in self.entries.items():
            if known == entry:
                return key
        key = f"E{self._next}"
        self._next += 1
        self.entries[key] = entry
        return key

    def cite_all(self, items: Iterable[tuple[ItemId, float]], *, entity: Entity | None = None) -> tuple[str, ...]:
        """Cite items, each with the time (epoch seconds, 0 for none) it is cited for; what cannot be cited is left out."""
        keys = [self.cite(item, entity=entity, at_s=at_s or None) for item, at_s in items]
        return tuple(dict.fromkeys(key for key in keys if key is not None))


def sample_meant(words: str, stored: Stored) -> float | None:
    """Find the sample of a series that words tell by its time and value; give its time in seconds, None where none is so.

    Samples are shown to a model with times that people read, and rounded; what is stored has neither.
    """
    told = _TOLD_SAMPLE.search(words)
    if told is None:
        return None
    at_s, value = datetime.fromisoformat(told["at"]).timestamp(), float(told["value"])
    for found in _JSON_SAMPLE.finditer(stored.raw.decode("utf-8", "replace")):
        if abs(float(found["at"]) - at_s) < 1:
            kept = float(found[0].split('"')[1])
            return float(found["at"]) if abs(kept - value) <= _ROUNDED * abs(kept) else None
    return None


def stored_entity(stored: Stored) -> Entity:
    """Name the entity of a stored item from what the case calls it."""
    if stored.source == "slack":
        return Entity("Person", stored.entity)
    if stored.source == "jira":
        return Entity("Ticket", stored.entity)
    if stored.source == "prometheus":
        return Entity("Series", stored.entity)
    kind, _, place = stored.entity.partition(" ")
    if place and "/" not in kind:
        namespace, _, name = place.rpartition("/")
        return Entity(kind, name, namespace or None)
    parts = stored.entity.split("/")
    if len(parts) >= 2:
        return Entity("Pod", parts[1], parts[0])
    return Entity("Service", stored.entity)


def _sample(text: str, at_s: float | None) -> tuple[str | None, float | None]:
    """Find the sample of a series nearest to an instant, as it stands in the stored bytes, and its time."""
    found = [(float(match["at"]), match[0]) for match in _JSON_SAMPLE.finditer(text)]
    if not found:
        found = [(float(match["at"]), match["line"]) for match in _OPENMETRICS_LINE.finditer(text)]
        # OpenMetrics counts seconds, the text format before it milliseconds
        found = [(at / 1000.0 if at > 1e11 else at, line) for at, line in found]
    if not found:
        return None, at_s
    at, words = min(found, key=lambda pair: abs(pair[0] - at_s)) if at_s else found[0]
    return words[:LONGEST_QUOTE], at


def _verbatim(stored: Stored, quote: str | None) -> str | None:
    """Give the asked words if they stand in the item, else its first telling line, cut where it is long."""
    if quote is not None:
        return quote if quote.strip() and quotes(stored, quote) else None
    lines = [line.strip() for line in stored.text.splitlines() if line.strip()]
    raw = stored.raw.decode("utf-8", "surrogateescape").splitlines()
    if stored.source == "kubernetes/objects":
        found = (pattern.search(stored.text) for pattern in _TELLING)
        lines = [match[0] for match in found if match] + lines
    for line in [*lines[:5], *(entry.strip() for entry in raw[:5])]:
        words = line[:LONGEST_QUOTE].split("\ufffd")[0].strip()
        if len(words) >= 3 and words.isprintable() and quotes(stored, words):
            return words
    return None
