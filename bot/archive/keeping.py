"""Write the archive: what is new joins a batch, batches are written together, and the oldest goes when a limit is reached.

One thread uses a keeper. A batch that was not yet written is what a crash costs; the watches then go on from where it began.
"""

import hashlib
import sqlite3
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.archive.packing import OF_LOGS, OPENER, PLAIN, packed_against
from bot.archive.schema import opened_to_write
from bot.errors import StorageError

BASES_KEPT = 4000
"""Objects whose base is kept in memory, packed; those of others are read when they change."""
NEW_BASE_PART = 4
"""A version that takes more than a fourth of its base begins a new one."""
LOGS_PART = 0.8
"""Of the bytes, for logs at most: events and objects take little and tell more."""
PRUNE_STEP = 500
FULL_PART = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is kept: ``most_bytes`` on disk, ``most_days`` back."""

    most_bytes: int = 2 * 1024**3
    most_days: float = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPiece:
    """Whole lines of one container's log, as the kubelet gave them, with their times."""

    namespace: str
    pod: str
    container: str
    node: str | None
    previous: bool
    first_ns: int
    last_ns: int
    raw: bytes


@dataclass(slots=True)
class _Latest:
    digest: bytes
    base: int
    packed_base: bytes


class Keeper:
    """The archive's one writer."""

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self._path = path
        self._limits = limits or Limits()
        self._connection = opened_to_write(path)
        self._latest: OrderedDict[str, _Latest] = OrderedDict()
        self._batch: list[tuple[str, tuple[Any, ...]]] = []
        self._next_base = 1 + int(self._connection.execute("SELECT coalesce(max(id), 0) FROM bases").fetchone()[0])
        self._open_spans: dict[str, int] = {}
        self.waiting = 0
        """Bytes of the batch that is not yet written"""

    # What is recorded

    def event(self, uid: str, at_s: float, first_s: float, namespace: str, raw: bytes) -> None:
        """Keep an event's newest state."""
        sql = (
            "INSERT INTO events VALUES (?, ?, ?, ?, ?) ON CONFLICT (uid) DO UPDATE SET at = excluded.at, "
            "first = min(first, excluded.first), blob = excluded.blob WHERE excluded.at >= at"
        )
        self._add(sql, (uid, at_s, first_s, namespace, PLAIN.compress(raw)))

    def version(
        self, names: tuple[str, str, str], at_s: float, raw: bytes, steady: bytes, *, gone: bool = False
    ) -> bool:
        """Keep a version of the object ``(uid, kind, namespace)``, unless ``steady``, what matters of it, is as it was."""
        object_, kind, namespace = names
        digest = hashlib.blake2b(steady + (b"gone" if gone else b""), digest_size=16).digest()
        latest = self._latest_of(object_)
        if latest is not None and latest.digest == digest:
            return False
        packed = packed_against(OPENER.decompress(latest.packed_base), raw) if latest else b""
        if latest is None or len(packed) * NEW_BASE_PART > len(latest.packed_base):
            latest = _Latest(digest, self._next_base, PLAIN.compress(raw))
            self._next_base += 1
            self._add("INSERT INTO bases VALUES (?, ?)", (latest.base, latest.packed_base))
            packed = packed_against(raw, raw)
        latest.digest = digest
        self._latest[object_] = latest
        self._latest.move_to_end(object_)
        if len(self._latest) > BASES_KEPT:
            self._latest.popitem(last=False)
        row = (object_, kind, namespace, at_s, int(gone), latest.base, digest, packed)
        self._add("INSERT INTO versions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return True

    def log(self, piece: LogPiece) -> None:
        """Keep a piece of a log."""
        where = (piece.namespace, piece.pod, piece.container, piece.node, int(piece.previous))
        row = (*where, piece.first_ns, piece.last_ns, len(piece.raw), OF_LOGS.compress(piece.raw))
        self._add("INSERT INTO logs VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def loss(self, at_s: float, what: str, count: int = 1) -> None:
        """Keep what was missed, in words."""
        self._add("INSERT INTO losses VALUES (NULL, ?, ?, ?)", (at_s, what, count))

    def mark(self, what: str, version: str) -> None:
        """Keep at which resource version a watch can go on."""
        self._add("INSERT OR REPLACE INTO marks VALUES (?, ?)", (what, version))

    def begin(self, what: str, at_s: float, *, continued: bool) -> None:
        """Begin to watch; ``continued``: nothing was missed since the last beat, so the span before goes on."""
        last = (
            self._row("SELECT id FROM spans WHERE what = ? ORDER BY beat DESC LIMIT 1", (what,)) if continued else None
        )
        with self._explained():
            if last is None:
                made = self._connection.execute("INSERT INTO spans VALUES (NULL, ?, ?, ?)", (what, at_s, at_s))
                self._open_spans[what] = int(made.lastrowid or 0)
            else:
                self._open_spans[what] = int(last[0])

    def beat(self, what: str, at_s: float) -> None:
        """Say that it is still watched, and everything so far was heard: the last span goes on, however long it paused."""
        if what not in self._open_spans:
            self.begin(what, at_s, continued=True)
        self._add("UPDATE spans SET beat = max(beat, ?) WHERE id = ?", (at_s, self._open_spans[what]))

    # What is asked of it

    def marked(self, what: str) -> str:
        """Give the resource version at which a watch can go on, empty where it cannot."""
        found = self._row("SELECT version FROM marks WHERE what = ?", (what,))
        return str(found[0]) if found else ""

    def recorded_until(self, namespace: str, pod: str, container: str) -> int:
        """Give the time in nanoseconds of the last line kept of a container, 0 where there is none."""
        self.flush()
        sql = "SELECT max(last) FROM logs WHERE namespace = ? AND pod = ? AND container = ?"
        found = self._row(sql, (namespace, pod, container))
        return int(found[0]) if found and found[0] else 0

    # Writing

    def flush(self) -> None:
        """Write the batch."""
        if not self._batch:
            return
        batch, self._batch, self.waiting = self._batch, [], 0
        with self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for sql, row in batch:
                    self._connection.execute(sql, row)
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise

    def prune(self, now_s: float) -> None:
        """Let the oldest go until the limits are kept."""
        self.flush()
        with self._explained():
            before = now_s - self._limits.most_days * 86_400
            self._drop_before(before)
            self._keep_below("logs", "last", "size", self._limits.most_bytes * LOGS_PART * FULL_PART)
            while self.used_bytes() > self._limits.most_bytes * FULL_PART:
                if not self._drop_oldest():
                    break
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def used_bytes(self) -> int:
        """Give the bytes in use; pages that were freed are used again, so the file stays below the limit too."""
        pages, free, size = (
            int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def close(self) -> None:
        """Write what waits and close the file."""
        self.flush()
        self._connection.close()

    def _drop_before(self, at_s: float) -> None:
        run = self._connection.execute
        run("DELETE FROM events WHERE at < ?", (at_s,))
        run("DELETE FROM logs WHERE last < ?", (int(at_s * 1e9),))
        run("DELETE FROM losses WHERE at < ?", (at_s,))
        run("DELETE FROM spans WHERE beat < ?", (at_s,))
        # an object that did not change for long is still what it was: its newest version stays until it is gone
        sql = (
            "DELETE FROM versions WHERE at < ? AND (gone OR EXISTS (SELECT 1 FROM versions AS later "
            "WHERE later.object = versions.object AND later.at > versions.at AND later.at < ?))"
        )
        run(sql, (at_s, at_s))
        self._drop_bases()

    def _drop_bases(self) -> None:
        self._connection.execute("DELETE FROM bases WHERE id NOT IN (SELECT base FROM versions)")

    def _keep_below(self, table: str, order: str, _size: str, most: float) -> None:
        total = f"SELECT coalesce(sum(length(blob)), 0) FROM {table}"  # noqa: S608 - names from this file only
        oldest = f"SELECT id FROM {table} ORDER BY {order} LIMIT {PRUNE_STEP}"  # noqa: S608 - as above
        while int(self._connection.execute(total).fetchone()[0]) > most:
            if not self._connection.execute(f"DELETE FROM {table} WHERE id IN ({oldest})").rowcount:  # noqa: S608 - as above
                return

    def _drop_oldest(self) -> int:
        """Let the oldest of everything go, a step of each kind."""
        dropped = 0
        for table, key, order in (("logs", "id", "last"), ("events", "uid", "at"), ("versions", "id", "at")):
            oldest = f"SELECT {key} FROM {table} ORDER BY {order} LIMIT {PRUNE_STEP}"  # noqa: S608 - names from this file
            sql = f"DELETE FROM {table} WHERE {key} IN ({oldest})"  # noqa: S608 - as above
            dropped += self._connection.execute(sql).rowcount
        self._drop_bases()
        self._latest.clear()
        return dropped

    def _latest_of(self, object_: str) -> _Latest | None:
        if (known := self._latest.get(object_)) is not None:
            return known
        sql = (
            "SELECT versions.digest, versions.base, bases.blob FROM versions JOIN bases ON bases.id = versions.base "
            "WHERE object = ? ORDER BY versions.id DESC LIMIT 1"
        )
        found = self._row(sql, (object_,))
        return _Latest(*found) if found else None

    def _add(self, sql: str, row: tuple[Any, ...]) -> None:
        self._batch.append((sql, row))
        self.waiting += sum(len(cell) for cell in row if isinstance(cell, bytes))

    def _row(self, sql: str, row: tuple[Any, ...]) -> tuple[Any, ...] | None:
        with self._explained():
            found: tuple[Any, ...] | None = self._connection.execute(sql, row).fetchone()
            return found

    @contextmanager
    def _explained(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(f"The archive {self._path} cannot be written: {error}.") from error


def steady_part(kind: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """Give what matters of an object: a node's heartbeat and a new resource version are no change."""
    meta = {
        key: value for key, value in item.get("metadata", {}).items() if key not in {"resourceVersion", "managedFields"}
    }
    found = {**item, "metadata": meta}
    status = item.get("status")
    if kind == "Node" and isinstance(status, dict):
        conditions = status.get("conditions")
        beats = {"lastHeartbeatTime"}
        found["status"] = {
            **{key: value for key, value in status.items() if key not in {"images", "conditions"}},
            "conditions": [
                {key: value for key, value in each.items() if key not in beats}
                for each in conditions
                if isinstance(each, dict)
            ]
            if isinstance(conditions, list)
            else [],
        }
    return found
