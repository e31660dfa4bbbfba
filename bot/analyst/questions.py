"""What a question asks: its intent, the times, things and kinds of event it points to. No answers here.

English with the spelling of three in the morning. Names come from the case (its signals and its report), words of the
trade from the vocabulary; a word that is neither is reported as an unknown name rather than guessed at.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from difflib import SequenceMatcher, get_close_matches
from typing import Literal, cast

from bot.analyst.everyday import COMMON_WORDS, is_plain
from bot.analyst.time_words import plain_stamps
from bot.analyst.times import Moment, find_moments
from bot.analyst.vocabulary import (
    FRAGMENT,
    FRONT,
    HOLDS,
    STEP,
    intent_of,
    kinds_in,
    kinds_ranked,
    lexicon,
    object_kinds_in,
    synonyms_of,
)
from bot.analyst.wishes import SymptomWish, felt_kinds, suspects
from bot.domain.entity import Entity
from bot.domain.report import Report
from bot.domain.signal import Kind, Signal
from bot.domain.window import Window

Intent = Literal[
    "related",
    "what_happened",
    "when_next",
    "why_not",
    "show_evidence",
    "fix",
    "how_sure",
    "not_seen",
    "falsify",
    "affected",
    "summary",
    "since_when",
    "how_much",
    "setting",
    "version",
    "callers",
    "pods_on",
    "before",
    "helped",
    "rhythm",
    "who",
    "guess",
    "close",
    "ended",
    "unknown",
]

_QUOTED = re.compile(r"[\"\u201c`]([^\"\u201d`]{2,200})[\"\u201d`]|(?<!\w)'([^']{2,200})'(?!\w)")
_WORD = re.compile(r"[a-z0-9][a-z0-9._/-]*[a-z0-9]|[a-z0-9]", re.IGNORECASE)
_STATUS = re.compile(r"(?<![\w.:-])([45]\d\d)(?:'?s)?(?![\w:])|(?<!\w)([45])xx(?:es|s)?(?!\w)", re.IGNORECASE)
_GENERATED = re.compile(r"^(?:[0-9a-f]{8,10}|[bcdfghjklmnpqrstvwxz2456789]{5}|\d{6,})$")
"""Parts of pod names that a controller made: a template hash, a random suffix, a job's minute."""
_PLACES = frozenset({"database", "databases", "db", "queue", "registry"})
"""Words for a kind of trouble that are names of places, too."""
_NAMED = "thing"
"""Stands for a name while the words around it are read: ``recommendations`` is a service before it is advice."""
_PEOPLE = re.compile(r"^\W*(?:(?:and|so|but|ok)\W+)*(?:who|by whom)\b", re.IGNORECASE)
_IT = re.compile(r"\b(?:it|this|that|them)\b\W*$|\b(?:it|that|this) (?:out|up|down|in|off|on)\b", re.IGNORECASE)
_VERSION = re.compile(r"(?<![\w./:-])v?\d+\.\d+\.\d+(?:-[\w.]+)?(?![\w/:-]|\.\w)")
"""A version as people write it; an address has four parts."""
_LAST_STEP = re.compile(r"\b(?:last|final) step\b", re.IGNORECASE)
_POINTS_ONLY = re.compile(r"\W*(?:all )?(?:this|that|it|them|these|those)\W*")
_CALL = re.compile(r"<[^<>]*>|\b\w+\([^()]*\)")
"""Markup and code, which ask nothing."""
_OBJECT = re.compile(
    r"\b(?:related|connected|tied|linked|part of|to do with|contribut\w+|trigger\w*|lead(?:ing)? to|led to|caus(?:e|ed|ing))\b(?! by)",
    re.IGNORECASE,
)
_BEHIND = re.compile(r"\b(?:because(?: of)?|due to|caused by|triggered by|to blame on|blame)\b", re.IGNORECASE)
_INSTEAD = re.compile(r"\b(?:and not|rather than|instead of|why not|isn'?t it|wasn'?t it|but not)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question taken apart. ``unknown_names`` are words that look like names and occur nowhere in the case."""

    intent: Intent
    text: str
    moments: tuple[Moment, ...] = ()
    entities: tuple[Entity, ...] = ()
    kinds: frozenset[Kind] = frozenset()
    symptom_words: tuple[str, ...] = ()
    step_id: str | None = None
    quoted: tuple[str, ...] = ()
    unknown_names: tuple[str, ...] = ()
    kind_words: tuple[str, ...] = ()
    ranked: tuple[Kind, ...] = ()
    """The kinds again, the nearest to the question's words first."""
    object_kinds: tuple[str, ...] = ()
    """Kinds of Kubernetes object that the question names, "the quota", "the hpa"."""

    @property
    def bare(self) -> bool:
        """Tell a question that names nothing of its own: "was that related?"."""
        return not (self.kinds or self.entities or self.moments or self.quoted or self.unknown_names)


def understand(
    text: str,
    *,
    window: Window,
    signals: Sequence[Signal],
    report: Report | None,
    tz: tzinfo = UTC,
    others: Iterable[Entity] = (),
) -> Question:
    """Take a follow-up question apart, against the names that this case knows; ``others`` are things that nothing happened to."""
    quoted = _quoted(text) or tuple(match[0] for match in _VERSION.finditer(text))
    known = _sorted({*known_entities(signals, report), *others})
    names = _tokens(known)
    plain = _corrected(_CALL.sub(" ", _QUOTED.sub(" ", plain_stamps(text))), names)
    masked = _masked(plain, known)
    intent = cast(Intent, intent_of(masked) or "unknown")
    subject = _subject(plain, intent)
    moments = find_moments(subject, window, tz) or find_moments(plain, window, tz)
    timeless = _without(subject, moments)
    if not _speaks(timeless, known) and subject != plain:
        timeless = _without(plain, moments)
    kinds, words = kinds_in(_masked(timeless, known))
    if intent == "unknown" and kinds and not moments and FRAGMENT.match(text):
        intent = "related"
    entities, unknown = match_entities(timeless, known, words)
    if not entities and report is not None and report.symptom is not None and any(map(FRONT.fullmatch, unknown)):
        entities = (report.symptom.entity,)
    step = STEP.search(plain)
    holds = bool(HOLDS.search(plain))
    intent = "summary" if holds else intent
    asks_who = bool(_PEOPLE.match(plain)) and not holds and intent not in {"affected", "summary", "callers"}
    last = report.cascade.steps[-1].id if report and report.cascade.steps and _LAST_STEP.search(plain) else None
    return Question(
        intent=_settled(
            intent,
            moments,
            entities,
            kinds,
            quoted,
            step=step is not None or last is not None,
            asks_who=asks_who,
        ),
        text=text,
        moments=tuple(moments),
        entities=entities,
        kinds=kinds | {Kind.HUMAN_CHANGE} if asks_who else kinds,
        symptom_words=tuple(match[0] for match in _STATUS.finditer(plain)),
        step_id=f"S{step[1] or step[2]}" if step else last,
        quoted=quoted,
        unknown_names=unknown if not entities else (),
        kind_words=words,
        ranked=kinds_ranked(_masked(timeless, known)),
        object_kinds=object_kinds_in(timeless),
    )


def _settled(
    intent: Intent,
    moments: Sequence[Moment],
    entities: Sequence[Entity],
    kinds: frozenset[Kind],
    quoted: Sequence[str],
    *,
    step: bool,
    asks_who: bool,
) -> Intent:
    """Choose the intent where the words alone leave it open: what is named decides."""
    if asks_who:
        intent = "who"
    if intent == "unknown" and (moments or entities or kinds or quoted):
        intent = "what_happened"
    if intent in {"summary", "affected"} and moments and not (kinds or entities):
        intent = "what_happened"
    return "show_evidence" if step and intent in {"unknown", "what_happened"} else intent


def _speaks(text: str, known: Sequence[Entity]) -> bool:
    """Tell whether a text names a kind of event, a thing, or something that might be one."""
    kinds, words = kinds_in(_masked(text, known))
    return bool(kinds) or any(match_entities(text, known, words))


def _masked(text: str, known: Sequence[Entity]) -> str:
    """Put a word that means nothing in the place of every whole name, so that no part of a name is read as a word."""
    names = {entity.name.lower() for entity in known if entity.name.lower() not in COMMON_WORDS} | {
        f"{entity.namespace}/{entity.name}".lower() for entity in known
    }
    return re.sub(
        r"[a-z0-9][a-z0-9._/-]*[a-z0-9]",
        lambda word: _NAMED if word[0].lower() in names else word[0],
        text,
        flags=re.IGNORECASE,
    )


def symptom_wish(text: str) -> SymptomWish:
    """Read from the first question what people feel and where, e.g. "what's behind the 502s in payments?"."""
    plain = _corrected(_QUOTED.sub(" ", text), {})
    statuses = frozenset(
        status
        for match in _STATUS.finditer(plain)
        for status in ([int(match[1])] if match[1] else range(int(match[2]) * 100, int(match[2]) * 100 + 100))
    )
    kinds, words = felt_kinds(plain)
    extra = {Kind.SERVER_ERROR} if any(status >= 500 for status in statuses) else set()
    extra |= {Kind.CLIENT_ERROR} if any(status < 500 for status in statuses) else set()
    taken = {part for word in words for part in word.split()} | COMMON_WORDS
    named = [word.lower().strip("./-") for word in _WORD.findall(_STATUS.sub(" ", plain))]
    return SymptomWish(
        statuses=statuses,
        kinds=kinds | extra,
        entity_words=tuple(dict.fromkeys(word for word in named if _is_name(word, taken))),
        quoted=_quoted(text),
        suspects=suspects(plain),
    )


def known_entities(signals: Sequence[Signal], report: Report | None) -> tuple[Entity, ...]:
    """List every entity a case speaks of, sorted."""
    found = {entity for signal in signals for entity in (signal.entity, *signal.mentions)}
    for signal in signals:
        found |= {Entity("Node", node) for node in signal.nodes}
    if report is not None:
        found |= {step.entity for step in report.cascade.steps}
        found |= {part.entity for part in report.contributing} | {
            part.entity for part in (*report.ruled_out, *report.undecided)
        }
        found |= {report.root_cause.entity} if report.root_cause else set()
        found |= {report.symptom.entity} if report.symptom else set()
    return _sorted(found)


def _sorted(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    return tuple(sorted(entities, key=lambda entity: (entity.kind, entity.namespace or "", entity.name)))


def match_entities(
    text: str, known: Sequence[Entity], kind_words: Iterable[str] = ()
) -> tuple[tuple[Entity, ...], tuple[str, ...]]:
    """Find the entities a text names, whole or in part, and the words that look like names but match none.

    Every word keeps the entities that most words of the text speak for, so "checkout gateway" means one thing where a
    thing of both words exists, and two where not. A kind of object ("hpa", "cronjob") narrows, or stands for all its kind.
    """
    kinds = object_kinds_in(_outside(text, kind_words))
    names = _tokens(known)
    said = {part for word in kind_words for part in (word, *re.split(r"[\s-]", word))}
    taken = said - {entity.name.lower() for entity in known} - _PLACES
    words = [word.lower().strip("./-") for word in _WORD.findall(text)]
    candidates = [word for word in dict.fromkeys(words) if word not in taken and _could_name(word, names)]
    matches = {word: _named(word, names) for word in candidates}
    score: dict[Entity, float] = {}
    for found in matches.values():
        for entity, weight in found.items():
            score[entity] = score.get(entity, 0) + weight
    if narrowed := {entity for entity in score if entity.kind in kinds}:
        score = {entity: weight for entity, weight in score.items() if entity in narrowed}
    chosen: set[Entity] = set()
    for found in matches.values():
        best = max((score[entity] for entity in found if entity in score), default=0)
        chosen |= {entity for entity in found if entity in score and score[entity] == best}
    if not chosen:
        chosen = {entity for entity in known if entity.kind in kinds}
    trade = frozenset(lexicon())
    unknown = tuple(
        word
        for word, found in matches.items()
        if not found and _is_name(word, COMMON_WORDS) and (word not in trade or FRONT.fullmatch(word))
    )
    return tuple(entity for entity in known if entity in chosen), unknown


def _outside(text: str, kind_words: Iterable[str]) -> str:
    """Take out phrases that name an event by its object: "node drains" asks for drains, wherever they were noted."""
    for phrase in kind_words:
        if " " in phrase:
            text = re.sub(re.escape(phrase), " ", text, flags=re.IGNORECASE)
    return text


def _named(word: str, names: Mapping[str, Sequence[tuple[Entity, float]]]) -> dict[Entity, float]:
    """Give the entities a word names: exactly, by the beginning of a part, or nearly."""
    keys = [word] if word in names else []
    if not keys and len(word) >= 4:
        keys = [token for token in names if token.startswith(word) or (len(token) >= 4 and word == token + "s")]
    if not keys and len(word) >= 5 and word not in COMMON_WORDS:
        keys = [
            key
            for key in get_close_matches(word, [name for name in names if name[0] == word[0]], n=3, cutoff=0.8)
            if abs(len(key) - len(word)) <= 2
        ]
    if not keys and (alike := synonyms_of(word)):
        keys = [token for token in names if alike.fullmatch(token)]
    found: dict[Entity, float] = {}
    for key in keys:
        for entity, weight in names[key]:
            found[entity] = max(weight, found.get(entity, 0))
    return found


def _tokens(known: Sequence[Entity]) -> dict[str, list[tuple[Entity, float]]]:
    """Map every name, part of a name and namespace to entities: a whole name weighs most, a namespace least."""
    table: dict[str, list[tuple[Entity, float]]] = {}
    for entity in known:
        name = entity.name.lower()
        weights = {(entity.namespace or "").lower(): 0.5, name: 4.0, f"{entity.namespace}/{name}".lower(): 5.0}
        for part in re.split(r"[-._/:\s]+", name):
            if part and part != name and not _GENERATED.match(part):
                weights[part] = max(weights.get(part, 0), 1.0)
        for token, weight in weights.items():
            if token:
                table.setdefault(token, []).append((entity, weight))
    return table


def _could_name(word: str, names: Mapping[str, object]) -> bool:
    if word.isdigit():
        return False  # a part of many a name, and a number in many a question
    if word in names:
        return word not in COMMON_WORDS or len(word) > 3
    return word not in COMMON_WORDS and len(word) > 1


def _is_name(word: str, taken: Iterable[str]) -> bool:
    return len(word) > 2 and word not in taken and not is_plain(word) and not re.fullmatch(r"[\d.:z-]+|[sed]\d+", word)


def _quoted(text: str) -> tuple[str, ...]:
    return tuple(match[1] or match[2] for match in _QUOTED.finditer(text))


def _corrected(text: str, names: Mapping[str, object]) -> str:
    """Mend words that are nearly a word of the trade; names of the case and everyday words stay."""
    known = set(lexicon())

    def mend(match: re.Match[str]) -> str:
        word = match[0].lower()
        if len(word) < 5 or word in known or word in COMMON_WORDS or word in names or kinds_in(word)[1]:
            return match[0]
        if any(SequenceMatcher(None, word, name).ratio() > 0.85 for name in names):
            return match[0]
        alike = [entry for entry in known if entry[0] == word[0]]
        swapped = [entry for entry in alike if _swapped(word, entry)]
        near = swapped or get_close_matches(word, alike, n=1, cutoff=0.84)
        return near[0] if near else match[0]

    return re.sub(r"(?<![\w./-])[A-Za-z]+(?![\w./-])", mend, text)


def _swapped(word: str, entry: str) -> bool:
    """Tell whether two letters that stand side by side were typed the wrong way round."""
    apart = [place for place, (one, other) in enumerate(zip(word, entry, strict=False)) if one != other]
    return len(word) == len(entry) and len(apart) == 2 and apart[1] == apart[0] + 1 and sorted(word) == sorted(entry)


def _subject(text: str, intent: str) -> str:
    """Cut a question down to what it asks about: before "cause the …", behind "because of …", behind "and not …"."""
    if intent == "why_not":
        return _after(_INSTEAD, text)
    if intent != "related":
        return text
    if behind := _BEHIND.search(text):
        # "is X failing because of this?" asks about X
        pointing = _POINTS_ONLY.fullmatch(text[behind.end() :])
        return text[: behind.start()] if pointing else _after(_BEHIND, text)
    match = _OBJECT.search(text)
    before = text[: match.start()] if match else text
    return before if re.search(r"\w{3,}.*\w{3,}", before) else text


def _after(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    rest = text[match.end() :] if match else text
    return rest if re.search(r"\w{2,}", rest) else text


def _without(text: str, moments: Iterable[Moment]) -> str:
    for words in sorted({moment.words for moment in moments}, key=len, reverse=True):
        text = re.sub(r"[\s,]+".join(re.escape(word) for word in words.split()), " ", text, count=1)
    return text
