"""What people in the channel and the tickets said caused it, found in their words and held against telemetry.

A claim is a sentence by a human that proposes a cause and points at something this case knows. People are quoted, never
graded: a claim is supported, refuted or untested. Denials ("it's not the network") and plain symptom reports are left out.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.analyst.claim_checks import Pointed, Record, Status, tested, unseen
from bot.analyst.questions import known_entities, match_entities, symptom_wish
from bot.analyst.vocabulary import GENERAL, kinds_in, kinds_ranked
from bot.analyst.words import capital, counted, happened
from bot.domain.entity import Entity
from bot.domain.items import ChatMessage, ItemId, TicketEntry
from bot.domain.link import Chain
from bot.domain.report import Claim
from bot.domain.signal import Kind, Signal

NAMED = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "CronJob", "Node", "ConfigMap", "ResourceQuota", "Certificate"}
)
"""Kinds of object that people name when they blame one."""
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
_CHANGE = r"(?:re-?deploy(?:ment)?|deploy(?:ment)?|roll-?out|roll-?back|release|upgrade|fail-?over|restart|reboot|migration|config(?:uration)? change|maintenance)"
_WORDS = r"(?:[\w'./-]+\s+)"
_ASKS = re.compile(
    rf"^\W*(?!(?:who|what|when|where|which|why|how|can|could|should|shall|do|does|did|is|are|was|were|will|would|any\w*|some\w*)\b)"
    rf"{_WORDS}{{0,4}}[\w'./-]+\s*\?|\bdid\s+[\w'./-]+\s+{_CHANGE}\b|"
    rf"^\W*(?:yesterday|today|tonight|this morning|last (?:night|week))'?s?\s+{_WORDS}{{0,3}}{_CHANGE}\b|"
    rf"\b{_CHANGE}\b[^.?!]{{0,20}}\b(?:did|broke|killed|started) (?:it|this|that|us|everything)\b|"
    r"\bis that it\s*\?|\b(?:did|broke) (?:it|this|that)\b(?!\s*\?)",
    re.IGNORECASE,
)
"""Theories in the fewest words: "cart deploy?", "did billing deploy something?", "cart's deploy did it"."""
_WORRIES = re.compile(
    r"\bacting (?:up|weird|strange)\b|\bis it (?:just )?me\b|\bfeels? (?:slow|broken|off|weird|sluggish)\b|\b(?:is|are|seems?|looks?) "
    r"(?:slow|broken|down|flaky|laggy|off|odd|unstable)\b|\b(?:customers?|users?) (?:says?|complains?|reports?|tells?)\b",
    re.IGNORECASE,
)
"""What people say who fear that something is wrong, and name no cause."""
_ASKS_ONLY = re.compile(
    r"^\W*(?:(?:so|and|but)\W+)*(?:since when|when|why|how|what|where|who)\b(?!.*\b(?:caus|because|due to)).*\?\W*$",
    re.IGNORECASE,
)
"""Asked for an answer, without a theory of one."""
_DENIES = re.compile(
    r"\b(?:not|isn'?t|wasn'?t|can'?t be|cannot be|couldn'?t be|rul(?:e|ed|ing) out|unrelated|doubt|no sign of|never|looks? (?:fine|ok(?:ay)?|good|normal|healthy))\b",
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
    strange: tuple[str, ...] = ()
    """Names before a change ("basket's deploy") that nothing in the case bears."""


def find_claims(
    messages: Iterable[tuple[ItemId, ChatMessage]],
    tickets: Iterable[tuple[ItemId, TicketEntry]],
    signals: Sequence[Signal],
    things: Iterable[Entity] = (),
    *,
    quiet: bool = False,
) -> list[FoundClaim]:
    """List the causes people proposed, oldest first, each person's theory once, at most thirty.

    ``things`` are what an object was read of, whether or not anything happened to it; in a ``quiet`` window, where nothing was
    found, what people worried about counts, too.
    """
    known = tuple(sorted({*known_entities(signals, None), *(each for each in things if each.kind in NAMED)}))
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
    found: dict[tuple[str, frozenset[Kind], tuple[Entity, ...], tuple[str, ...]], FoundClaim] = {}
    for at, item, author, text, permalink in sorted(said, key=lambda entry: (entry[0], entry[1])):
        for quote in _proposals(text, quiet=quiet):
            kinds, entities, strange = _pointed_at(quote.replace("\u2019", "'"), known)
            if kinds or entities:
                claim = FoundClaim(
                    item=item,
                    author=author,
                    quote=quote,
                    at=at,
                    kinds=kinds,
                    entities=entities,
                    permalink=permalink,
                    strange=strange,
                )
                found.setdefault((author, kinds, entities, strange), claim)
    return list(found.values())[:MOST_CLAIMS]


def judge_claim(claim: FoundClaim, chain: Chain | None, record: Record) -> Claim:
    """Hold a claim against the cascade, the tests and the record; ``evidence`` is left to whoever cites."""
    status, reason = _judgement(claim, chain, record)
    return Claim(
        author=claim.author, quote=claim.quote, status=status, reason=reason, permalink=claim.permalink, evidence=()
    )  # fmt: skip


def _proposals(text: str, *, quiet: bool) -> Iterator[str]:
    for match in _SENTENCE.finditer(text):
        sentence = match[0].strip()
        plain = sentence.replace("\u2019", "'")
        says = _PROPOSES.search(plain) or _ASKS.search(plain) or (quiet and _worries(plain))
        if len(sentence) >= 6 and says and not _DENIES.search(plain) and not _ASKS_ONLY.match(plain):
            yield sentence if len(sentence) <= LONGEST_QUOTE else sentence[:LONGEST_QUOTE].rsplit(" ", 1)[0]


def _worries(sentence: str) -> bool:
    """Tell that somebody fears something is wrong, or names a response that failed."""
    return _WORRIES.search(sentence) is not None or bool(symptom_wish(sentence).statuses)


def _pointed_at(sentence: str, known: Sequence[Entity]) -> tuple[frozenset[Kind], tuple[Entity, ...], tuple[str, ...]]:
    """Give what a sentence blames: what stands behind "because", before "caused", else anywhere in it."""
    before, after = _BEFORE.search(sentence), list(_AFTER.finditer(sentence))
    parts = [sentence[after[-1].end() :]] if after else []
    parts += [sentence[: before.start()]] if before else []
    for part in (*parts, sentence):
        kinds, words = kinds_in(part)
        entities, unknown = match_entities(part, known, words)
        kinds = kinds - FELT or kinds
        if len(entities) > 6:
            entities = ()  # a namespace or a word that half the cluster carries points at nothing
        if kinds - GENERAL or entities:
            return kinds, entities, _strange(part, words, unknown)
    return frozenset(), (), ()


def _strange(part: str, kind_words: Iterable[str], unknown: Sequence[str]) -> tuple[str, ...]:
    """Give the unknown names that own a change: "basket's deploy", "the basket rollout"."""
    owned = "|".join(re.escape(word) for word in kind_words)
    owners = re.findall(rf"([a-z0-9][\w-]*?)(?:'s)?\s+(?:{owned})\b", part, re.IGNORECASE) if owned else []
    return tuple(name for name in unknown if name in {owner.lower() for owner in owners})


def _judgement(claim: FoundClaim, chain: Chain | None, record: Record) -> tuple[Status, str]:
    on_cascade = [signal for signal in chain.signals[:-1] if _means(claim, signal, chain)] if chain else []
    if chain and on_cascade:
        step = next(at for at, signal in enumerate(chain.signals, 1) if signal.id == on_cascade[0].id)
        where = "the root cause" if step == 1 else f"step S{step} of the cascade"
        return "supported", f"{on_cascade[0].entity} ({on_cascade[0].kind.value.replace('_', ' ')}) is {where}."
    felt_at = chain.symptom.entity if chain else None
    if chain and felt_at in claim.entities and not claim.kinds - FELT and chain.root.entity != felt_at:
        return "refuted", f"{felt_at} is where it was felt; what started it is {chain.root.entity}."
    pointed = Pointed(
        kinds=claim.kinds,
        ranked=tuple(kind for kind in kinds_ranked(claim.quote) if kind in claim.kinds),
        entities=claim.entities,
        strange=claim.strange,
        at_s=claim.at.timestamp(),
    )
    symptom = record.symptom
    subjects = {
        signal.id: signal
        for signal in record.signals
        if signal.occurrences and _means(claim, signal, None) and (symptom is None or signal.id != symptom.id)
    }
    strange = claim.strange and not claim.entities
    if not subjects and not strange and (told := _felt_or_steady(claim, record)) is not None:
        return told
    return tested(subjects, pointed, record, chain) if subjects and not strange else unseen(pointed, record)


def _felt_or_steady(claim: FoundClaim, record: Record) -> tuple[Status, str] | None:
    """Judge a claim of what was felt itself, or of what came at all times alike: neither is "not seen", and neither a cause."""
    if record.symptom is not None and claim.kinds and _means(claim, record.symptom, None):
        return (
            "untested",
            f"That is what was felt ({happened(record.symptom)}), which says nothing of what brought it about.",
        )
    even = [one for one in record.signals if "steady" in one.attributes and not one.occurrences]
    even = [one for one in even if claim.kinds and _means(claim, one, None)]
    if not even:
        return None
    most = max(even, key=lambda one: (one.total, one.id))
    lines = f"{capital(happened(most))} all along, {counted(most.total, 'line')}"
    return "untested", f"{lines}: at no time so many more than at others that it can be tied to anything."


def _means(claim: FoundClaim, signal: Signal, chain: Chain | None) -> bool:
    """Tell whether a claim points at a signal; a bare name of the symptom's own place points at no step of a cascade."""
    if claim.kinds and signal.kind not in claim.kinds:
        return False
    if not claim.entities:
        return True
    if chain is not None and not claim.kinds and signal.entity == chain.symptom.entity != chain.root.entity:
        return False
    return signal.entity in claim.entities
