"""The gate itself: text goes in as it was written, and comes out without secrets and with people under pseudonyms.

A secret is gone for good: its mark (``<SECRET:kind#1f3a>``) says what it was, and the same secret has the same mark, but
nothing turns it back. A person is turned back by ``unmask`` in what we show ourselves. Marks are keyed (HMAC-SHA256), so
that nobody can try out values against them. Marks that a stranger wrote into the text become pseudonyms themselves.

Time is bounded: a line is searched in windows, and a longer one than ``LONGEST_LINE`` is withheld beyond it. Whatever goes
wrong inside raises RedactionError, and the caller sends nothing.
"""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.errors import RedactionError
from bot.redaction.named import NAMED_RULES, looks_random, named_spans
from bot.redaction.own import own_patterns
from bot.redaction.people import Person, names_pattern, people_spans
from bot.redaction.rules import HEADERS, PEM_BEGIN, PEM_END, SHAPES, Rule, key_rows, row_alone

LONGEST_LINE = 64 * 1024
"""Characters of a line that are searched at all; what stands behind them does not leave."""
_WINDOW = 8 * 1024
_OVERLAP = 2 * 1024
"""Windows overlap by more than the secrets that matter are long; a longer one is found by its beginning."""

_MARK = re.compile(r"<(?:SECRET:[a-z0-9_]{1,40}#[0-9a-f]{4,64}|(?:EMAIL|IP|NAME|CARD|IBAN|LITERAL)_[0-9a-f]{6,64})>")
_SPOOF = re.compile(r"<(?=(?i:SECRET:|(?:EMAIL|IP|NAME|CARD|IBAN|LITERAL)_))[^<>\n]{1,120}>")
_RULES = (*SHAPES, *HEADERS, *NAMED_RULES)
_BY_NAME = frozenset({"query_secret"})
"""Kinds whose value must look drawn as well."""


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    kind: str
    secret: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbatim:
    """Where a quote from masked text stands in the original: the original's own words, and those that may be shown.

    ``stored`` are the very characters of the original, secrets and all, for the verifier alone; ``shown`` has people turned
    back and secrets still marked; ``clean`` is the longest part of ``stored`` without a secret, fit to be kept as a quote.
    """

    stored: str
    shown: str
    clean: str


class Gate:
    """One gate for one investigation; it remembers the pseudonyms it gave, and counts what it took out by kind."""

    def __init__(
        self,
        key: bytes,
        *,
        people: Iterable[Person] = ("email",),
        names: Iterable[str] = (),
        own: Iterable[str] = (),
    ) -> None:
        """Make a gate; raises UsageError for an own pattern that could hang."""
        self.removed: Counter[str] = Counter()
        self._key = key
        self._people = frozenset(people)
        self._names = names_pattern(names)
        self._own = own_patterns(own)
        self._originals: dict[str, str] = {}
        self._secrets: set[str] = set()

    def mask(self, text: str) -> str:
        """Give a text as it may leave; raises RedactionError where that cannot be told."""
        return self._through(text, known_pass=False)

    def recheck(self, text: str) -> str:
        """Search a text once more that holds this gate's own marks, which stay: the last look before it leaves."""
        return self._through(text, known_pass=True)

    def without_secrets(self, text: str) -> str:
        """Give a text with words in place of its secrets, and everything else as it is; raises RedactionError."""
        try:
            pieces: list[str] = []
            done = 0
            for span in self._spans(text):
                if span.secret:
                    pieces += (text[done : span.start], f"[{_said(span.kind)} removed]")
                    done = span.end
        except (RecursionError, MemoryError, ValueError, IndexError, KeyError, re.error, UnicodeError) as error:
            raise RedactionError("A text could not be searched for secrets, so it was not posted.") from error
        return "".join((*pieces, text[done:]))

    def hide(self, kind: str, value: str) -> str:
        """Give the mark of a secret that its place gave away (an environment variable's value)."""
        self.removed[kind] += 1
        return self._secret_mark(kind, value)

    def unmask(self, text: str) -> str:
        """Turn pseudonyms back; secrets stay marked, and what this gate did not give stays as it is."""
        return _MARK.sub(lambda found: self._originals.get(found[0], found[0]), text)

    def locate(self, quote: str, original: str) -> Verbatim | None:
        """Find a quote from masked text in the text it was masked from; None where it does not stand there.

        Blanks of any width match each other, for a manifest is shown without its own.
        """
        wanted = quote.strip()
        if not wanted:
            return None
        spans = self._spans(original)
        masked, places = self._masked(original, spans, known_pass=False)
        at = masked.find(wanted)
        end = at + len(wanted)
        if at < 0:
            loose = _loosely(wanted, masked)
            if loose is None:
                return None
            at, end = loose
        start, stop = places[at], places[end] if end < len(places) else len(original)
        hidden = [(span.start, span.end) for span in spans if span.secret]
        return Verbatim(
            stored=original[start:stop],
            shown=self.unmask(masked[at:end]),
            clean=_longest(original, start, stop, hidden),
        )

    def _through(self, text: str, *, known_pass: bool) -> str:
        try:
            spans = self._spans(text)
            if not spans and "<" not in text:
                return text
            masked, _ = self._masked(text, spans, known_pass=known_pass, count=True, places=False)
        except (RecursionError, MemoryError, ValueError, IndexError, KeyError, re.error, UnicodeError) as error:
            raise RedactionError("A text could not be searched for secrets, so it was not sent.") from error
        return masked

    def _spans(self, text: str) -> list[_Span]:
        """Find everything that must go, in order and without overlap."""
        found: list[_Span] = []
        offset, in_key = 0, False
        for line in text.split("\n"):
            in_key = self._search_line(line, offset, in_key, found)
            offset += len(line) + 1
        marks = [each.span() for each in _MARK.finditer(text)] if found and "<" in text else []
        return _apart([one for one in found if not any(a <= one.start and one.end <= b for a, b in marks)])

    def _search_line(self, line: str, offset: int, in_key: bool, found: list[_Span]) -> bool:
        """Search a line; give whether it ends inside a private key."""
        begins = "BEGIN" in line and PEM_BEGIN.search(line) is not None
        if in_key or begins or row_alone(line.strip()):
            spans, in_key = _key_spans(line, in_key)
            found += (_Span(offset + start, offset + end, "private_key", secret=True) for start, end in spans)
        else:
            found += (_Span(offset + start, offset + end, "private_key", secret=True) for start, end in key_rows(line))
        if len(line) > LONGEST_LINE:
            found.append(_Span(offset + LONGEST_LINE, offset + len(line), "unsearched", secret=True))
            line = line[:LONGEST_LINE]
        if len(line) <= _WINDOW:
            found += self._search(line, offset)
            return in_key
        for start in range(0, len(line), _WINDOW - _OVERLAP):
            found += self._search(line[start : start + _WINDOW], offset + start)
            if start + _WINDOW >= len(line):
                break
        return in_key

    def _search(self, text: str, offset: int) -> Iterator[_Span]:
        lowered = text.lower()
        for rule in _RULES:
            if any(probe in text for probe in rule.probes):
                for start, end in _matches(rule, text):
                    yield _Span(offset + start, offset + end, rule.kind, secret=True)
        for start, end, kind in named_spans(text, lowered):
            yield _Span(offset + start, offset + end, kind, secret=True)
        for pattern in self._own:
            for match in pattern.finditer(text):
                yield _Span(offset + match.start(), offset + match.end(), "own", secret=True)
        for start, end, person in people_spans(text, self._people, self._names):
            yield _Span(offset + start, offset + end, person, secret=False)

    def _masked(
        self, text: str, spans: list[_Span], *, known_pass: bool, count: bool = False, places: bool = True
    ) -> tuple[str, list[int]]:
        """Put marks for spans; beside the text, the place in the original of each character of it."""
        pieces: list[str] = []
        origin: list[int] = []
        done = 0

        def put(piece: str, start: int, *, mark: bool) -> None:
            pieces.append(piece)
            if places:
                origin.extend([start] * len(piece) if mark else range(start, start + len(piece)))

        for span in (*spans, _Span(len(text), len(text), "", secret=False)):
            for piece, start, mark in self._without_spoofs(text[done : span.start], done, known_pass=known_pass):
                put(piece, start, mark=mark)
            if span.kind:
                value = text[span.start : span.end]
                put(self._mark(span, value, known_pass=known_pass), span.start, mark=True)
                if count:
                    self.removed[span.kind] += 1
            done = span.end
        return "".join(pieces), origin

    def _without_spoofs(self, text: str, offset: int, *, known_pass: bool) -> Iterator[tuple[str, int, bool]]:
        """Give a text in pieces, with pseudonyms for what looks like our marks."""
        done = 0
        for found in _SPOOF.finditer(text) if "<" in text else ():
            ours = found[0] in self._secrets or (known_pass and found[0] in self._originals)
            if not ours:
                yield text[done : found.start()], offset + done, False
                yield self._alias("LITERAL", found[0], found[0]), offset + found.start(), True
                done = found.end()
        yield text[done:], offset + done, False

    def _mark(self, span: _Span, value: str, *, known_pass: bool) -> str:
        if known_pass and _MARK.fullmatch(value):
            return value
        if span.secret:
            return self._secret_mark(span.kind, value)
        return self._alias(span.kind.upper(), value.lower() if span.kind in ("email", "name") else value, value)

    def _secret_mark(self, kind: str, value: str) -> str:
        mark = f"<SECRET:{kind}#{self._digest('secret', value)[:4]}>"
        self._secrets.add(mark)
        return mark

    def _alias(self, kind: str, normalised: str, value: str) -> str:
        """Give the pseudonym of a value; another spelling of the same gets one of its own, so that each turns back."""
        digest = self._digest(kind, normalised if normalised == value else f"{normalised}|{value}")
        for length in range(6, len(digest) + 1, 2):
            alias = f"<{kind}_{digest[:length]}>"
            if self._originals.setdefault(alias, value) == value:
                return alias
        raise RedactionError("Two values have one pseudonym, so the text was not sent.")

    def _digest(self, kind: str, value: str) -> str:
        return hmac.new(self._key, f"{kind}|{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _said(kind: str) -> str:
    """Name a kind of secret for people."""
    return "secret" if kind == "own" else kind.replace("_", " ")


def _matches(rule: Rule, text: str) -> Iterator[tuple[int, int]]:
    group = "v" if "v" in rule.pattern.groupindex else 0
    for found in rule.pattern.finditer(text):
        if rule.kind not in _BY_NAME or looks_random(found[group]):
            yield found.span(group)


def _key_spans(line: str, in_key: bool) -> tuple[list[tuple[int, int]], bool]:
    """Find the parts of a line that belong to a private key; a line of a key alone counts as one."""
    spans: list[tuple[int, int]] = []
    if not in_key and PEM_BEGIN.search(line) is None:
        return [(0, len(line))], False
    place = 0
    while True:
        if not in_key:
            begin = PEM_BEGIN.search(line, place)
            if begin is None:
                return spans, False
            place = begin.start()
        end = PEM_END.search(line, place)
        if end is None:
            return [*spans, (place, len(line))], True
        spans.append((place, end.end()))
        place, in_key = end.end(), False


def _apart(found: list[_Span]) -> list[_Span]:
    """Join spans that overlap; a secret's kind wins, the earliest and longest among secrets."""
    joined: list[_Span] = []
    for span in sorted(found, key=lambda one: (one.start, not one.secret, -one.end, one.kind)):
        if span.end <= span.start:
            continue
        if joined and span.start < joined[-1].end:
            before = joined[-1]
            kind = before.kind if before.secret or not span.secret else span.kind
            joined[-1] = _Span(before.start, max(before.end, span.end), kind, secret=before.secret or span.secret)
        else:
            joined.append(span)
    return joined


def _loosely(wanted: str, text: str) -> tuple[int, int] | None:
    """Find a text whatever the blanks between its signs."""
    if len(wanted) > 2_000:
        return None
    plain = [(place, sign) for place, sign in enumerate(text) if not sign.isspace()]
    squeezed, needle = "".join(sign for _, sign in plain), "".join(wanted.split())
    at = squeezed.find(needle)
    return (plain[at][0], plain[at + len(needle) - 1][0] + 1) if at >= 0 and needle else None


def _longest(text: str, start: int, stop: int, hidden: list[tuple[int, int]]) -> str:
    """Give the longest part of ``text[start:stop]`` that touches nothing hidden."""
    best, place = "", start
    for begin, end in [*(one for one in hidden if one[1] > start and one[0] < stop), (stop, stop)]:
        piece = text[place : max(begin, place)].strip()
        best, place = (piece if len(piece) > len(best) else best), max(place, end)
    return best
