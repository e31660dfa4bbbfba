"""Hold one citation against what is stored: the item, its words, its time, its entity.

The trust is in the case file alone. Whoever wrote the citation, the offline analyst or a language model, is not believed.
"""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from bot.domain.entity import Entity
from bot.domain.items import LOG_SOURCES, ItemId
from bot.domain.ports import Evidenced, Stored
from bot.domain.report import AskedWindow, Evidence

FindingKind = Literal[
    "forged_id",
    "invented_quote",
    "trivial_quote",
    "shifted_time",
    "wrong_entity",
    "wrong_source",
    "forged_url",
    "missing_evidence",
    "step_without_evidence",
    "step_time",
    "step_entity",
    "step_count",
    "step_unmeasured",
    "duplicate",
    "reversed_link",
    "dangling_link",
    "link_numbers",
    "p_value",
    "refuted_link",
    "unmeasured_link",
    "episodes",
    "summary_number",
    "spared_number",
    "prediction",
    "root_mismatch",
    "no_root",
    "claim",
    "untrusted_text",
    "hearsay",
    "unsafe_words",
    "repeated_text",
]

Belongs = Callable[[str, Entity], bool]
"""Tells whether what a stored item calls its entity (``payments/worker-7d9f-x2x/app``) is, or belongs to, an entity."""

CHAT = frozenset({"slack", "jira"})
WRITABLE = CHAT | frozenset(LOG_SOURCES)
"""Sources whose words a user of the system, or an attacker, can put there."""
TOLERANCE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that did not hold: what kind of lie or mistake, where in the report, and the detail for a person."""

    kind: FindingKind
    where: str
    detail: str


def item_id(evidence: Evidence) -> ItemId:
    """Read the stored item's id from the head of a locator."""
    return ItemId(evidence.locator.split(" ", 1)[0])


def named_alike(stored: str, entity: Entity) -> bool:
    """Tell by names alone whether a stored entity is the given one or generated from it (``worker`` → ``worker-7d9f-x2x``)."""
    parts = re.split(r"[\s/\"{}=,]+", stored)
    return any(part == entity.name or part.startswith(entity.name + "-") for part in parts)


def mentions(stored: Stored, entity: Entity) -> bool:
    """Tell whether an item's own bytes name the entity (a caller's line names the host it called, an event its node)."""
    name = re.escape(entity.name.encode())
    return len(entity.name) > 2 and re.search(rb"(?<![\w-])" + name + rb"(?!\w)", stored.raw) is not None


def check_citation(
    key: str, cited: Evidence, evidence: Evidenced, window: AskedWindow, belongs: Belongs
) -> tuple[Evidence | None, list[Finding]]:
    """Hold one citation against the stored item; give it back (mended where only its link was wrong), or None to drop it."""
    stored = evidence.item(item_id(cited))
    if stored is None:
        return None, [Finding(kind="forged_id", where=key, detail=f"no stored item {item_id(cited)!r}")]
    wrong = _false_words(key, cited, stored, belongs) or _false_time(key, cited, stored, window)
    if wrong is not None:
        return None, [wrong]
    found: list[Finding] = []
    if cited.source != stored.source:
        detail = f"says {cited.source}, is {stored.source}"
        found.append(Finding(kind="wrong_source", where=key, detail=detail))
        cited = replace(cited, source=stored.source)
    if cited.url is not None and cited.url != stored.url:
        found.append(Finding(kind="forged_url", where=key, detail="the link is not the stored item's"))
        cited = replace(cited, url=stored.url)
    return cited, found


def quotes(stored: Stored, quote: str) -> bool:
    """Tell whether a quote stands verbatim in an item's bytes, or in a string those bytes encode as JSON.

    A chat message or ticket also counts as said in its flattened text: blocks and ADF split a sentence over many strings.
    """
    if quote.encode("utf-8", "surrogateescape") in stored.raw:
        return True
    if stored.source in CHAT and quote in stored.text:
        return True
    return any(quote in text or quote in html.unescape(text) for text in _strings(stored.raw))


def _false_words(key: str, cited: Evidence, stored: Stored, belongs: Belongs) -> Finding | None:
    if len(cited.quote.strip()) < 3:
        return Finding(kind="trivial_quote", where=key, detail=f"{cited.quote!r} proves nothing")
    if not quotes(stored, cited.quote):
        return Finding(kind="invented_quote", where=key, detail=f"{cited.quote[:80]!r} is not in {stored.id}")
    if not (belongs(stored.entity, cited.entity) or _is_stored(stored, cited.entity) or mentions(stored, cited.entity)):
        return Finding(
            kind="wrong_entity", where=key, detail=f"{stored.id} is of {stored.entity}, not of {cited.entity}"
        )
    return None


def _is_stored(stored: Stored, entity: Entity) -> bool:
    """Tell an author, a ticket or a series cited under its own name, blanks and all."""
    return stored.entity == entity.name or stored.entity == str(entity)


def _false_time(key: str, cited: Evidence, stored: Stored, window: AskedWindow) -> Finding | None:
    """Compare the times. A series stands for all its samples, so there any time inside the window will do."""
    if cited.at is None:
        return None
    if stored.source == "prometheus":
        if window.start <= cited.at <= window.end:
            return None
        return Finding(kind="shifted_time", where=key, detail=f"{cited.at} lies outside the window")
    if stored.at is not None and abs((cited.at - stored.at).total_seconds()) <= TOLERANCE_S:
        return None
    return Finding(kind="shifted_time", where=key, detail=f"{stored.id} is of {stored.at}, not of {cited.at}")


def _strings(raw: bytes) -> Iterator[str]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return
    pile = [document]
    while pile:
        value = pile.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            pile.extend(value)
        elif isinstance(value, dict):
            pile.extend(value.values())
