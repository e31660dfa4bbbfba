"""Whose words were they? A server's message that its client's log repeats within words of its own tells of the server.

PostgreSQL hands ``could not extend file …: No space left on device`` to whoever sent the statement, and the client logs it as
if the disk were its own. The one whose line is the bare message said it; the one who wraps it was told. Leaves out what
either did next.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Occurrence, Signal

_Own = defaultdict[Kind, defaultdict[str, list[tuple[int, Signal]]]]
"""Signals whose lines are a bare message, by kind and message, each with its place among all"""

RETOLD = frozenset(
    {
        Kind.NO_SPACE,
        Kind.LOCK_WAIT,
        Kind.REPLICA_CHANGE,
        Kind.DEADLOCK,
        Kind.POOL_EXHAUSTION,
        Kind.SLOW_QUERY,
        Kind.TIMEOUT,
        Kind.OUT_OF_MEMORY,
        Kind.AUTH_FAILURE,
        Kind.BAD_CONFIG,
        Kind.RATE_LIMITED,
        Kind.LOG_ERROR,
    }
)
"""Kinds of failures that a server tells whoever asked."""
STANDING = "0.3"
"""How well a failure that was only told can begin a chain."""
LEAST_WORDS = 4
LEAST_LENGTH = 24
"""Shorter messages are said by many independently."""
LATE_S = 300.0

_HEAD = re.compile(
    r"(?:<\*>|\[[^\]]{0,40}\]|UTC|LOG|NOTICE|WARNING|WARN|ERROR|FATAL|PANIC|STATEMENT|Note|Warning|Error|[\s\d:.,TZ+|/-])*"
)
"""What stands before a message without saying anything of it: times, numbers, levels."""
_MARKS = re.compile(r"[\\\"']")


def with_tellers(signals: Sequence[Signal], stores: Collection[Entity] = ()) -> list[Signal]:
    """Give the signals, those that only repeat another's words with whose they are, and with little weight as a beginning.

    ``stores`` are the workloads that keep data on volumes: a full disk that one of them and another tell of is the store's.
    """
    full = [signal for signal in signals if signal.kind is Kind.NO_SPACE and signal.entity in stores]
    own: _Own = defaultdict(lambda: defaultdict(list))
    for place, signal in enumerate(signals):
        if signal.kind in RETOLD and (words := own_words(signal.subject)):
            own[signal.kind][words].append((place, signal))
    wrapped: dict[tuple[Kind, str], list[str]] = {}
    told = []
    for signal in signals:
        said_by = None
        if signal.kind in RETOLD:
            key = signal.kind, signal.subject  # many signals have one subject
            if key not in wrapped:
                wrapped[key] = _wrapped(signal.subject, own[signal.kind])
            said_by = _origin(signal, [one for words in wrapped[key] for one in own[signal.kind][words]])
        if said_by is None and signal.kind is Kind.NO_SPACE and signal.entity not in stores:
            said_by = _full(signal, full)
        if said_by is not None:
            mentions = tuple(dict.fromkeys((said_by.entity, *signal.mentions)))
            noted = {**signal.attributes, "told_by": str(said_by.entity), "standing": STANDING}
            signal = replace(signal, mentions=mentions, attributes=noted)  # noqa: PLW2901 - the same signal, completed
        told.append(signal)
    return told


def own_words(template: str) -> str:
    """Give the message of a line that holds nothing else but times, numbers and a level; empty where it holds more."""
    text = _plain(template)
    words = text[_head(text) :].strip()
    return words if len(words) >= LEAST_LENGTH and len(words.split()) >= LEAST_WORDS and words[0] not in "{<" else ""


def _wrapped(subject: str, messages: Iterable[str]) -> list[str]:
    """Give the messages that a line holds behind words of its own."""
    text = _plain(subject)
    head = _head(text)
    return [words for words in messages if text.find(words) > head]


def _origin(signal: Signal, own: Iterable[tuple[int, Signal]]) -> Signal | None:
    """Find whose bare message a signal's lines wrap, at the same times; None where nobody's, or several's."""
    found: dict[Entity, Signal] = {}
    for _, other in sorted(own, key=lambda one: one[0]):
        if other.entity != signal.entity and _meet(signal.occurrences, other.occurrences):
            found[other.entity] = other
            if len(found) > 1:
                return None
    return next(iter(found.values()), None)


def _full(signal: Signal, kept: Sequence[Signal]) -> Signal | None:
    """Find the one store of the same namespace whose disk was full at the same times."""
    found = {
        one.entity: one
        for one in kept
        if one.entity.namespace == signal.entity.namespace and _meet(signal.occurrences, one.occurrences)
    }
    return next(iter(found.values())) if len(found) == 1 else None


def _plain(template: str) -> str:
    return " ".join(_MARKS.sub("", template).split())


def _head(text: str) -> int:
    found = _HEAD.match(text)
    return found.end() if found else 0


def _meet(ones: Sequence[Occurrence], others: Sequence[Occurrence]) -> bool:
    """Tell whether any of two rows of occurrences, each ascending, are at one time, or nearly."""
    first = second = 0
    while first < len(ones) and second < len(others):
        one, other = ones[first], others[second]
        if one.end_s + LATE_S < other.start_s:
            first += 1
        elif other.end_s + LATE_S < one.start_s:
            second += 1
        else:
            return True
    return False
