"""What people in the channel and the tickets said caused it, found in their words and held against telemetry.

A claim is a sentence by a human that proposes a cause and points at something this case knows. People are quoted, never
graded: a claim is supported, refuted or untested. Denials ("it's not the network") and plain symptom reports are left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.analyst.questions import known_entities, match_entities
from bot.analyst.vocabulary import GENERAL, kinds_in
from bot.domain.entity import Entity
from bot.domain.items import ChatMessage, ItemId, TicketEntry
from bot.domain.link import Chain, Link
from bot.domain.report import Claim
from bot.domain.signal import Kind, Signal, SignalId

_Status = Literal["supported", "refuted", "untested"]

MOST_CLAIMS = 30
LONGEST_QUOTE = 300

FELT = GENERAL | {
    Kind.SERVER_ERROR,
    Kind.CLIENT_ERROR,
    Kind.UNAVAILABLE,
    Kind.LATENCY,
    Kind.CONNECTION_RESET,
    Kind.CONNECTION_REFUSED,
    Kind.TIMEOUT,
    Kind.RETRY,
}
"""Kinds that are felt before they are causes: dropped from a claim that names another kind beside them."""

_PROPOSES = re.compile(
    r"\b(?:i|we) (?:still )?(?:think|believe|guess|bet|suspect|reckon|blame)\b|\bmy (?:guess|bet|money|theory|hunch)\b|\blooks? (?:like|to be)\b|"
    r"\b(?:it|this|that|they)(?:'s| is| was) (?:probably |definitely |surely |just |clearly |obviously |likely )*(?:the|a|an|our|yesterday|last|caused|due|because)\b|"
    r"\bcaus(?:e|ed|es|ing)\b|\bbecause\b|\bdue to\b|\bsuspect\w*|\broot[- ]cause\b|\bmust (?:be|have been)\b|\bprobably\b|\bmaybe\b|\bculprit\b|"
    r"\bblam(?:e|ing)\b|\b(?:might|could|may|has to|got to) (?:be|have been)\b|\btriggered by\b|\bthanks to\b|\bsmells like\b|\bI'?d say\b|"
    r"\b(?:bug|issue|problem|regression|hiccup|glitch)\s*\?",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:not|isn'?t|wasn'?t|can'?t be|cannot be|couldn'?t be|rul(?:e|ed|ing) out|unrelated|doubt|no sign of|never)\b",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"\b(?:is|was|are|were|has been|have been|probably|likely)?\s*(?:caused|causes|causing|triggered|broke|killed)\b(?! by)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\b(?:because(?: of)?|due to|caused by|triggered by|thanks to|looks? like|smells like|suspect\w*|blam(?:e|ing)|think|believe|"
    r"guess|bet|must (?:be|have been)|root[- ]cause (?:is|was|:))",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^\n.!?]+(?:[.!?](?=\S)[^\n.!?]*)*[.!?]*")
_AUTOMATION = re.compile(r"\bbot\b|automation|alertmanager|pagerduty|webhook", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundClaim:
    """A sentence that proposes a cause, verbatim, and what it points at."""

    item: ItemId
    author: str
    quote: str
    at: datetime
    kinds: frozenset[Kind]
    entities: tuple[Entity, ...]
    permalink: str | None = None


def find_claims(
    messages: Iterable[tuple[ItemId, ChatMessage]],
    tickets: Iterable[tuple[ItemId, TicketEntry]],
    signals: Sequence[Signal],
) -> list[FoundClaim]:
    """List the causes people proposed, oldest first, each person's theory once, at most thirty."""
    known = known_entities(signals, None)
    said = [
        (message.at, item, message.author, message.text, message.permalink)
        for item, message in messages
        if not message.is_bot and not _AUTOMATION.search(message.author)
    ]
    said += [
        (entry.at, item, entry.author, entry.text, entry.url)
        for item, entry in tickets
        if entry.part != "change" and not _AUTOMATION.search(entry.author)
    ]
    found: dict[tuple[str, frozenset[Kind], tuple[Entity, ...]], FoundClaim] = {}
    for at, item, author, text, permalink in sorted(said, key=lambda entry: (entry[0], entry[1])):
        for quote in _proposals(text):
            kinds, entities = _pointed_at(quote, known)
            if kinds or entities:
                claim = FoundClaim(
                    item=item, author=author, quote=quote, at=at, kinds=kinds, entities=entities, permalink=permalink
                )
                found.setdefault((author, kinds, entities), claim)
    return list(found.values())[:MOST_CLAIMS]


def judge_claim(claim: FoundClaim, chain: Chain | None, tested: Sequence[Link], signals: Sequence[Signal]) -> Claim:
    """Hold a claim against the cascade and the tested links; ``evidence`` is left to whoever cites."""
    status, reason = _judgement(claim, chain, tested, signals)
    return Claim(
        author=claim.author, quote=claim.quote, status=status, reason=reason, permalink=claim.permalink, evidence=()
    )  # fmt: skip


def _proposals(text: str) -> Iterator[str]:
    for match in _SENTENCE.finditer(text):
        sentence = match[0].strip()
        if len(sentence) >= 6 and _PROPOSES.search(sentence) and not _DENIES.search(sentence):
            yield sentence if len(sentence) <= LONGEST_QUOTE else sentence[:LONGEST_QUOTE].rsplit(" ", 1)[0]


def _pointed_at(sentence: str, known: Sequence[Entity]) -> tuple[frozenset[Kind], tuple[Entity, ...]]:
    """Give what a sentence blames: what stands behind "because", before "caused", else anywhere in it."""
    before, after = _BEFORE.search(sentence), list(_AFTER.finditer(sentence))
    parts = [sentence[after[-1].end() :]] if after else []
    parts += [sentence[: before.start()]] if before else []
    for part in (*parts, sentence):
        kinds, words = kinds_in(part)
        entities, _ = match_entities(part, known, words)
        kinds = kinds - FELT or kinds
        if len(entities) > 6:
            entities = ()  # a namespace or a word that half the cluster carries points at nothing
        if kinds - GENERAL or entities:
            return kinds, entities
    return frozenset(), ()


def _judgement(
    claim: FoundClaim, chain: Chain | None, tested: Sequence[Link], signals: Sequence[Signal]
) -> tuple[_Status, str]:
    if chain is None:
        return "untested", "No cascade was established to hold it against."
    on_cascade = [signal for signal in chain.signals[:-1] if _means(claim, signal, chain)]
    if on_cascade:
        step = next(at for at, signal in enumerate(chain.signals, 1) if signal.id == on_cascade[0].id)
        where = "the root cause" if step == 1 else f"step S{step} of the cascade"
        return "supported", f"{on_cascade[0].entity} ({on_cascade[0].kind.value.replace('_', ' ')}) is {where}."
    felt_at = chain.symptom.entity
    if felt_at in claim.entities and not claim.kinds - FELT and chain.root.entity != felt_at:
        return "refuted", f"{felt_at} is where it was felt; what started it is {chain.root.entity}."
    subjects = {
        signal.id: signal for signal in signals if _means(claim, signal, None) and signal.id != chain.symptom.id
    }
    if not subjects:
        return "untested", "Nothing of the kind was seen in the data of this case."
    return _tested_judgement(
        subjects, [link for link in tested if link.cause in subjects and link.effect == chain.symptom.id]
    )


def _tested_judgement(subjects: Mapping[SignalId, Signal], links: Sequence[Link]) -> tuple[_Status, str]:
    fitting = [link for link in links if link.test.status == "supported"]
    if fitting:
        test = fitting[0].test
        numbers = f"{test.hits} of {test.hits + test.misses}"
        return (
            "untested",
            f"Its timing fits ({numbers} times followed by the symptom), but another chain explains more.",
        )
    failed = [link for link in links if link.test.status == "refuted"]
    if failed:
        link = min(failed, key=lambda one: (-one.test.hits, one.cause))
        test = link.test
        name = f"{subjects[link.cause].entity} ({subjects[link.cause].label})"
        return (
            "refuted",
            f"{name}: followed by the symptom {test.hits} of {test.hits + test.misses} times. {test.reason}".strip(),
        )
    return "untested", "It happened too rarely, or too far away, to be tested against the symptom."


def _means(claim: FoundClaim, signal: Signal, chain: Chain | None) -> bool:
    """Tell whether a claim points at a signal; a bare name of the symptom's own place points at no step of a cascade."""
    if claim.kinds and signal.kind not in claim.kinds:
        return False
    if not claim.entities:
        return True
    if chain is not None and not claim.kinds and signal.entity == chain.symptom.entity != chain.root.entity:
        return False
    return signal.entity in claim.entities
