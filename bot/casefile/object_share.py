"""Which object versions are read back: all of them, unless they are so large together that the memory would not hold them decoded.

Then every kind in every namespace keeps its even share of the bytes that came: rare kinds all of theirs, frequent ones every so
manieth version. The case holds them all, and a search finds each of them.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence

import zstandard

from bot.casefile.cells import ZSTD_MAGIC
from bot.casefile.event_share import MOST_KINDS, level_of

MOST_BYTES = 128 * 1024 * 1024
"""Of documents and of the bytes they were read from, unpacked: decoded they take some six times as much."""
_SIZES = """
SELECT id, kind, namespace, substr(manifest, 1, 18), length(manifest), substr(raw, 1, 18), length(raw) FROM objects ORDER BY id
"""
"""The first 18 bytes of a zstd frame hold its size."""

Key = tuple[str | bytes, str | bytes | None]
_OTHERS: Key = ("", None)


def shared_objects(connection: sqlite3.Connection, most_bytes: int = MOST_BYTES) -> Sequence[int] | None:
    """Give the ids of the versions to be read, by their time; None where all of them are."""
    if sum(size for _, _, size in _sized(connection)) <= most_bytes:
        return None
    largest = (
        most_bytes // 16
    )  # eight megabytes: etcd takes one and a half, and one such would cost many others their place
    sizes = Counter[Key]()
    for _, key, size in _sized(connection):
        if size <= largest:
            sizes[key if key in sizes or len(sizes) < MOST_KINDS else _OTHERS] += size
    level = level_of(sizes, most_bytes)
    seen, held, kept = Counter[Key](), Counter[Key](), set[int]()
    for number, own, size in _sized(connection):
        key = own if own in sizes else _OTHERS
        if size > largest:
            continue
        seen[key] += size
        if sizes[key] <= level or held[key] + size <= level * seen[key] // sizes[key]:
            held[key] += size
            kept.add(number)
    return [one for (one,) in connection.execute("SELECT id FROM objects ORDER BY observed_at, id") if one in kept]


def _sized(connection: sqlite3.Connection) -> Iterator[tuple[int, Key, int]]:
    told = connection.execute(_SIZES)
    for number, kind, namespace, manifest, manifest_stored, raw, raw_stored in told:
        yield number, (kind, namespace), _unpacked(manifest, manifest_stored) + _unpacked(raw, raw_stored)


def _unpacked(head: bytes, stored: int) -> int:
    return zstandard.frame_content_size(head) if head.startswith(ZSTD_MAGIC) else stored
