"""What a model answers, as data: its JSON read strictly, by us, whatever the endpoint promises about structured output.

Nothing in it is believed yet: quotes, times, entities and links are held against the case elsewhere. What cannot be read is
named by its place, so that the model can be asked once to mend it.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, cast

from bot.domain.crowding import crowded
from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.report import Verdict
from bot.domain.signal import Kind

MOST_STEPS = 14
MOST_QUOTES = 6
"""Quotes of one statement; more prove nothing more."""
MOST_OTHERS = 20
"""Links, claims and things ruled out."""
LONGEST_WORDS = 600
LONGEST_QUOTE = 1000
"""Characters of a quote that are looked at; a log line longer than this is cited by its beginning."""
MOST_PROBLEMS = 8
_STARTS = 64
"""So many opening braces are tried: an answer may stand behind some words, not behind a novel."""
_STEP_ID = re.compile(r"[A-Za-z]{0,3}[0-9]{1,3}")
_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
_NAME = re.compile(r"(?!.*//)(?!www\.)\w[\w.:/+=-]{0,252}(?: [\w.:+=-]{1,60}){0,4}")
"""Names of objects, hosts, series and people."""
_VERDICTS = ("cause_found", "inconclusive", "no_incident")


class UnreadableAnswerError(ValueError):
    """A model's answer is not the JSON that was asked for; ``problems`` says where."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems[:MOST_PROBLEMS])


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidQuote:
    """Words said to stand in a stored item, and its time where one was given."""

    item: ItemId
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidStep:
    """A step of the cascade as the model tells it; ``kind`` is None where it names none that is known."""

    id: str
    kind: Kind | None
    entity: Entity
    first_at: datetime | None = None
    count: int | None = None
    quotes: tuple[SaidQuote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidLink:
    """Two steps that the model ties together, by their ids."""

    cause: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidClaim:
    """Words of a person that name a cause, and what the model takes them to blame."""

    quote: SaidQuote
    kind: Kind | None
    entity: Entity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """The whole answer: steps in causal order, root cause first, symptom last."""

    verdict: Verdict
    summary: str
    steps: tuple[SaidStep, ...] = ()
    links: tuple[SaidLink, ...] = ()
    ruled_out: tuple[SaidStep, ...] = ()
    claims: tuple[SaidClaim, ...] = ()


def unchanged(text: str) -> str:
    """Give a text as it is: where nothing was hidden from the model, nothing is put back."""
    return text


def as_quoted(_item: ItemId, words: str) -> str:
    """Give a quote as it is: where nothing was taken out, nothing is missing in it."""
    return words


def read_answer(
    text: str,
    restore: Callable[[str], str] = unchanged,
    stored: Callable[[ItemId, str], str] = as_quoted,
) -> ModelAnswer:
    """Read a model's answer; raise UnreadableAnswerError with every problem found.

    ``restore`` puts back the names that were hidden from the model; ``stored`` gives the item's own words for a quote that
    carries the mark of a secret.
    """
    document = json_object(text, "verdict", restore)
    reader = _Reader(stored)
    verdict = document.get("verdict")
    if verdict not in _VERDICTS:
        reader.problem("verdict", f"is {verdict!r}, not one of {', '.join(_VERDICTS)}")
    steps = tuple(
        reader.step(each, f"steps[{at}]") for at, each in enumerate(reader.rows(document, "steps", MOST_STEPS))
    )
    known = {step.id for step in steps}
    links = tuple(
        reader.link(each, f"links[{at}]", known) for at, each in enumerate(reader.rows(document, "links", MOST_OTHERS))
    )
    if verdict == "cause_found" and len(steps) < 2:
        reader.problem("steps", "a cause that was found needs the cause and the symptom at least")
    answer = ModelAnswer(
        verdict=cast("Verdict", verdict),
        summary=reader.words(document, "summary"),
        steps=steps,
        links=links,
        ruled_out=tuple(
            reader.step(each, f"ruled_out[{at}]")
            for at, each in enumerate(reader.rows(document, "ruled_out", MOST_OTHERS))
        ),
        claims=tuple(
            reader.claim(each, f"claims[{at}]") for at, each in enumerate(reader.rows(document, "claims", MOST_OTHERS))
        ),
    )
    if reader.problems:
        raise UnreadableAnswerError(reader.problems)
    return answer


def json_object(text: str, key: str, restore: Callable[[str], str] = unchanged) -> Mapping[str, Any]:
    """Find the JSON object that holds ``key`` in a text that may wrap it in a fence or in words."""
    decoder = json.JSONDecoder()
    for found in islice(re.finditer(r"\{", "" if crowded(text) else text), _STARTS):
        try:
            value, _ = decoder.raw_decode(text, found.start())
            if isinstance(value, dict) and key in value:
                return cast("Mapping[str, Any]", _restored(value, restore))
        except (ValueError, RecursionError):
            continue
    raise UnreadableAnswerError([f"no JSON object with a field {key!r} in the answer"])


def _restored(value: object, restore: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return restore(value)
    if isinstance(value, list):
        return [_restored(part, restore) for part in value]
    if isinstance(value, dict):
        return {key: _restored(part, restore) for key, part in value.items()}
    return value


def said_quote(value: object) -> SaidQuote | None:
    """Read one quote on its own, None where it is none."""
    reader = _Reader()
    quote = reader.quote(value, "quote")
    return None if reader.problems else quote


class _Reader:
    """Reads parts of the document and collects what is wrong with them, each with its place."""

    def __init__(self, stored: Callable[[ItemId, str], str] = as_quoted) -> None:
        self.problems: list[str] = []
        self._stored = stored

    def problem(self, place: str, what: str) -> None:
        self.problems.append(f"{place}: {what}")

    def rows(self, document: Mapping[str, Any], key: str, most: int) -> Sequence[object]:
        found = document.get(key) or []
        if not isinstance(found, list):
            self.problem(key, "is no list")
            return []
        return found[:most]

    def words(self, document: Mapping[str, Any], key: str) -> str:
        found = document.get(key) or ""
        if not isinstance(found, str):
            self.problem(key, "is no text")
            return ""
        return found[:LONGEST_WORDS]

    def step(self, value: object, place: str) -> SaidStep:
        row = self._row(value, place)
        quotes = self.rows(row, "quotes", MOST_QUOTES)
        return SaidStep(
            id=self.id(row.get("id"), place),
            kind=self.kind(row.get("kind")),
            entity=self.entity(row.get("entity"), f"{place}.entity") or Entity("Service", "unknown"),
            first_at=self.time(row.get("first_at"), f"{place}.first_at"),
            count=self._count(row.get("count"), f"{place}.count"),
            quotes=tuple(self.quote(each, f"{place}.quotes[{at}]") for at, each in enumerate(quotes)),
        )

    def link(self, value: object, place: str, known: set[str]) -> SaidLink:
        row = self._row(value, place)
        ends = (str(row.get("cause") or ""), str(row.get("effect") or ""))
        for end in ends:
            if end not in known:
                self.problem(place, f"{end[:20]!r} is the id of no step")
        return SaidLink(cause=ends[0], effect=ends[1])

    def claim(self, value: object, place: str) -> SaidClaim:
        row = self._row(value, place)
        blamed = row.get("blames")
        blames: Mapping[str, Any] = blamed if isinstance(blamed, dict) else {}
        entity = self.entity(blames.get("entity"), f"{place}.blames.entity") if blames.get("entity") else None
        return SaidClaim(quote=self.quote(row, place), kind=self.kind(blames.get("kind")), entity=entity)

    def quote(self, value: object, place: str) -> SaidQuote:
        row = self._row(value, place)
        item, text = row.get("item"), row.get("quote")
        if not isinstance(item, str) or not isinstance(text, str):
            self.problem(place, "needs item and quote, both texts")
            return SaidQuote(item=ItemId(""), text="")
        found = ItemId(item.strip("[] ")[:40])
        words = self._stored(found, text[:LONGEST_QUOTE])
        return SaidQuote(item=found, text=words, at=self.time(row.get("at"), f"{place}.at"))

    def id(self, value: object, place: str) -> str:
        if isinstance(value, str) and _STEP_ID.fullmatch(value):
            return value
        self.problem(f"{place}.id", "is no id like S1")
        return ""

    def kind(self, value: object) -> Kind | None:
        return Kind(value) if isinstance(value, str) and value in set(Kind) else None

    def entity(self, value: object, place: str) -> Entity | None:
        """Read an entity from an object or from its short spelling: ``Deployment shop/api``."""
        if isinstance(value, dict):
            kind, name, namespace = (value.get(part) for part in ("kind", "name", "namespace"))
            if isinstance(kind, str) and isinstance(name, str) and (namespace is None or isinstance(namespace, str)):
                return self._named(kind, name, namespace or None, place)
        if isinstance(value, str) and (found := re.fullmatch(r"(\w+) (?:([\w.-]+)/)?(\S{1,253})", value.strip())):
            return self._named(found[1], found[3], found[2], place)
        self.problem(place, "needs kind and name, and a namespace where there is one")
        return None

    def _named(self, kind: str, name: str, namespace: str | None, place: str) -> Entity | None:
        """Take a name that software or people bear; a sentence, an address or markup is none."""
        if _KIND.fullmatch(kind) and _NAME.fullmatch(name) and (namespace is None or _KIND.fullmatch(namespace)):
            return Entity(kind, name, namespace)
        self.problem(place, "is no name")
        return None

    def time(self, value: object, place: str) -> datetime | None:
        if value is None or value == "":
            return None
        try:
            read = datetime.fromisoformat(str(value)[:40])
        except ValueError:
            self.problem(place, f"{str(value)[:40]!r} is no time as RFC 3339")
            return None
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)

    def _count(self, value: object, place: str) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
            self.problem(place, "is no count")
            return None
        return int(value)

    def _row(self, value: object, place: str) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self.problem(place, "is no object")
        return {}
