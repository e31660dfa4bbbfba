"""Merge masked forms that differ only in names, paths and other words without digits into templates.

Works on distinct forms alone (hundreds where there were millions of lines). Three steps, each of which only groups forms
that agree in everything else: spelling variants of dates, units, addresses and files; one column that takes many
words; words that are rare everywhere. Words that carry meaning (levels, methods, reasons, codes) never merge.
Left out: times and places of the lines; who counts lines per template does that by the numbers given here.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

Words = tuple[bytes, ...]

WILD = b"<*>"

MANY_VALUES = 6
"""A column that takes this many words while all else is equal holds a parameter."""

MANY_FORMS = 20
"""This many forms that are equal but for rare words are one template."""

_HEAD = 1024
"""Spelling variants are looked for in this many bytes, so that a hostile form cannot make the search quadratic."""

_COLUMNS = 48
_ROUNDS = 3

_DATES = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_UNITS = (
    rb"(?:ns|us|ms|msec|msecs|milliseconds?|s|secs?|seconds?|mins?|minutes?|hours?|days?|B|bytes?|[KMGT]i?B|[kK]b|%)"
)
_CANONICAL: tuple[tuple[re.Pattern[bytes], bytes], ...] = (
    (re.compile(rb"\b" + _DATES + rb",?(?: " + _DATES + rb")* +<\*>"), WILD),
    (re.compile(rb"<\*> " + _DATES + rb" <\*>"), WILD),
    (re.compile(rb"<\*> (?:[AP]M|UTC|GMT|[CEMP][DS]T)\b"), WILD),
    (re.compile(rb"<\*>,? " + _UNITS + rb"(?![\w/<])"), WILD),
    # host:port and user@host; the port has already become a wildcard
    (re.compile(rb"(?<![\w\"'=/])[A-Za-z][\w-]*(?:\.[\w-]+)+:<\*>"), WILD),
    (re.compile(rb"(?<![\w\"'=/])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), WILD),
    (
        re.compile(
            rb"(?<![\w\"'=/.])(?:[a-z0-9-]+\.){2,}(?:com|net|org|edu|gov|io|local|internal|de|uk|jp|cn|tw|fr|br)\b"
        ),
        WILD,
    ),
    # "user root", "for user alice" in any system's login messages
    (re.compile(rb"\b((?:invalid |for |illegal )?user )(?!<\*>)[\w.$-]+(?=[\s,;]|$)"), rb"\1<*>"),
    # absolute files; a route behind an HTTP method is not one, nor is a path inside quotes
    (
        re.compile(
            rb"(?<!GET )(?<!PUT )(?<!POST )(?<!HEAD )(?<!PATCH )(?<!DELETE )(?<!OPTIONS )(?<![\w\"'.:<>/*=])/(?:[\w.$<>*@%+~-]+/)+[\w.$<>*@%+~-]*"
        ),
        WILD,
    ),
    (re.compile(rb"(?:<\*>[/:.@-]){1,8}<\*>"), WILD),
    (re.compile(rb"((?:host|addr|client|server|peer|remote)=)[\w-]+(?:\.[\w-]+)+"), rb"\1<*>"),
    (re.compile(rb"<<\*>(?!>)|#<\*>#?"), WILD),
    (re.compile(rb"<\*> \((?:<\*>)?\)"), WILD),
    (re.compile(rb"<\*>(?:[, ]{1,2}<\*>)+"), WILD),
)
_SPLIT = re.compile(rb"[\s,;()\[\]{}]+|[^\s,;()\[\]{}]+")

_MEANING = frozenset(
    b"trace debug info notice warn warning error err crit critical alert emerg fatal panic severe fine "
    b"get put post head patch delete options true false null none ok failed failure success succeeded denied accepted "
    b"started stopped starting stopping ready unready up down open opened closed created deleted updated killed".split()
)
_MEANING_KEY = re.compile(
    rb"[\"']?(?:msg|message|event|reason|err|error|exception|level|lvl|severity|logger|log|type|kind|method|status|code|state"
    rb"|phase|component|caller|op|operation|action|step|result|outcome|verb|cause)[\"']?[=:].*",
    re.IGNORECASE,
)
_WORD = re.compile(rb"[A-Za-z]")
_CODE = re.compile(rb"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """Which template every form belongs to (an index into ``templates``), and each template's text."""

    template_of: list[int]
    templates: list[bytes]


def merge_forms(forms: Sequence[bytes], counts: Sequence[int]) -> Merged:
    """Merge masked forms, seen ``counts`` times each, into templates; templates are sorted by text.

    The result depends on the set of forms alone, not on their order. Method: columns that vary while everything else
    is equal, as in Drain's and Brain's token positions, but over whole forms, so no parse tree and no threshold of
    similarity is needed.
    """
    words = [_words(form) for form in forms]
    current = {key: key for key in words}
    for _ in range(_ROUNDS):
        step = _merge_columns(set(current.values()))
        if not step:
            break
        current = {key: _follow(step, value) for key, value in current.items()}
    weights: Counter[Words] = Counter()
    for key, count in zip(words, counts, strict=True):
        weights[current[key]] += count
    rare = _merge_rare(weights)
    final = [b"".join(_follow(rare, current[key])) for key in words]
    templates = sorted(set(final))
    index = {template: number for number, template in enumerate(templates)}
    return Merged(template_of=[index[text] for text in final], templates=templates)


def _words(form: bytes) -> Words:
    """Split a form into words and the separators between them, spelling variants removed."""
    end = len(form) if len(form) <= _HEAD else max(form.rfind(b" ", 0, _HEAD), 0)
    head = form[:end]
    for pattern, replacement in _CANONICAL:
        head = pattern.sub(replacement, head)
    return tuple(b" " if part.isspace() else part for part in _SPLIT.findall(head + form[end:]))


def _follow(step: dict[Words, Words], words: Words) -> Words:
    return step.get(words, words)


@lru_cache(maxsize=100_000)
def _variable(word: bytes) -> bool:
    """Tell whether a word may be a parameter: it has letters, no kept code, and is no word that carries meaning."""
    if word == WILD:
        return True
    return (
        _WORD.search(word) is not None
        and _CODE.search(word) is None
        and word.strip(b"\"'.:!").lower() not in _MEANING
        and _MEANING_KEY.match(word) is None
    )


def _masked_value(word: bytes) -> bytes:
    """Put a wildcard for a word, or for the value only where the word says its key."""
    for mark in (b"=", b'":'):
        key, found, value = word.partition(mark)
        if found and value:
            quote = value[:1] if value[:1] in {b'"', b"'"} else b""
            end = quote if len(value) > 1 and value.endswith(quote) else b""
            return key + found + quote + WILD + end
    return WILD


def _merge_columns(forms: set[Words]) -> dict[Words, Words]:
    """Map forms to what they merge into: every column that takes ``MANY_VALUES`` words beside equal neighbours."""
    by_length: dict[int, list[Words]] = defaultdict(list)
    for form in forms:
        by_length[len(form)].append(form)
    wild: dict[Words, set[int]] = defaultdict(set)
    for length, alike in by_length.items():
        if len(alike) >= MANY_VALUES:
            for column in range(min(length, _COLUMNS)):
                _vary(alike, column, wild)
    return {form: _with_wild(form, columns.__contains__, keyed=True) for form, columns in wild.items()}


def _vary(forms: list[Words], column: int, wild: dict[Words, set[int]]) -> None:
    """Note ``column`` as wild for the forms that agree in all else and take many words in it."""
    groups: dict[tuple[Words, Words, bytes], list[Words]] = defaultdict(list)
    for form in forms:
        word = form[column]
        if _variable(word) and _constants(form) - _plain(word) >= 2:
            masked = WILD if word == WILD else _masked_value(word)
            groups[form[:column], form[column + 1 :], masked].append(form)
    for group in groups.values():
        if len(group) >= MANY_VALUES:
            for form in group:
                wild[form].add(column)


def _constants(words: Words) -> int:
    """Count the plain words: a form that is one word alone says nothing once that is masked."""
    return sum(map(_plain, words))


@lru_cache(maxsize=100_000)
def _plain(word: bytes) -> bool:
    return word != WILD and _WORD.search(word) is not None


def _with_wild(words: Words, is_wild: Callable[[int], bool], *, keyed: bool) -> Words:
    return tuple(
        (_masked_value(word) if keyed and word != WILD else WILD) if is_wild(number) else word
        for number, word in enumerate(words)
    )


def _merge_rare(weights: Counter[Words]) -> dict[Words, Words]:
    """Map forms that agree once every rare word is a wildcard, where ``MANY_FORMS`` of them do."""
    seen: Counter[bytes] = Counter()
    for form in weights:
        seen.update(set(form))
    limit = max(3, len(weights) // 1000)
    groups: dict[Words, list[Words]] = defaultdict(list)
    for form in sorted(weights):
        rare = {n for n, word in enumerate(form) if seen[word] <= limit and word != WILD and _variable(word)}
        if rare and _constants(form) - sum(_plain(form[n]) for n in rare) >= 2:
            groups[_with_wild(form, rare.__contains__, keyed=True)].append(form)
    return {form: merged for merged, group in groups.items() if len(group) >= MANY_FORMS for form in group}
