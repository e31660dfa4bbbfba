"""Which of a cluster's events are read back: all of them, unless there are so many that the memory would not hold what they tell.

Then every kind of event (its reason, and what it is about by kind and namespace) keeps its even share of those that came: rare
kinds all of theirs, frequent ones every so manieth. The case holds them all, and a search finds each of them. Whatever their
number, two passes read three short columns and hold a count a kind.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

MOST_EVENTS = 100_000
"""Some 350 MB of them and of what is made of them."""
MOST_KINDS = 50_000
"""Kinds that are counted apart; those met later share one count."""

Key = tuple[str | bytes, str | bytes, str | bytes | None]
_OTHERS: Key = ("", "", None)


def shared_events(connection: sqlite3.Connection, most: int) -> list[int] | None:
    """Give the ids of the events to be read, by their time; None where all of them are."""
    (count,) = connection.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()  # they are numbered from 1 on
    if count <= most:
        return None
    at = "SELECT at FROM events WHERE id = ?"
    return sorted(shared_ids(connection, most), key=lambda one: (connection.execute(at, (one,)).fetchone(), one))


def shared_ids(connection: sqlite3.Connection, most: int, most_kinds: int = MOST_KINDS) -> list[int]:
    """Give the ids of the events to be read, ascending: at most ``most``, which is more than ``most_kinds``."""
    counts = Counter[Key]()
    for _, key in _keys(connection):
        counts[key if key in counts or len(counts) < most_kinds else _OTHERS] += 1
    level = level_of(counts, most)
    seen = Counter[Key]()
    kept = []
    for number, own in _keys(connection):
        key = own if own in counts else _OTHERS
        place, count = seen[key], counts[key]
        seen[key] += 1
        if count <= level or (place + 1) * level // count > place * level // count:
            kept.append(number)
    return kept


def _keys(connection: sqlite3.Connection) -> Iterator[tuple[int, Key]]:
    for number, *key in connection.execute("SELECT id, reason, kind, namespace FROM events ORDER BY id"):
        yield number, (key[0], key[1], key[2])


def level_of(counts: Mapping[Any, int], most: int) -> int:
    """Give the most that a kind may keep, so that all kinds together keep no more than ``most``."""
    left, kinds = most, len(counts)
    for count in sorted(counts.values()):
        if count * kinds > left:
            break
        left, kinds = left - count, kinds - 1
    return left // max(1, kinds)
