"""A pace that several processes keep together, each investigation being one: a small SQLite file beside the cases.

Best effort: where the file cannot be used, calls are made at once, and Slack's own refusals, which are always obeyed, slow
them down instead.

Source: Slack's "Rate limits".
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bot.sources.slack.pace import MINUTE_S, PER_MINUTE

LONGEST_S = 3600.0
"""A plan further ahead was made by a clock that has been set back since, and is forgotten."""
_BUSY_S = 2.0


class SharedPace:
    """Keeps the pace of all processes that name the same ``path``.

    ``now``: seconds since the epoch, the one clock that processes share and that survives a reboot.
    """

    def __init__(
        self, path: Path, now: Callable[[], float] = time.time, per_minute: Mapping[str, int] = PER_MINUTE
    ) -> None:
        self._path = path
        self._now = now
        self._per_minute = per_minute
        self._held_here: dict[str, float] = {}

    def take(self, method: str) -> float:
        """Reserve one call and give the seconds to wait before it may be made; 0 at once."""
        now = self._now()
        try:
            with self._open() as file:
                file.execute("DELETE FROM calls WHERE at <= ? OR at > ?", (now - MINUTE_S, now + LONGEST_S))
                at = max(now, _held_until(file, method, now))
                allowed = self._per_minute.get(method)
                if allowed is not None:
                    rows = file.execute(
                        "SELECT at FROM calls WHERE method = ? ORDER BY at DESC LIMIT 1 OFFSET ?", (method, allowed - 1)
                    ).fetchall()
                    at = max([at, *(earlier + MINUTE_S for (earlier,) in rows)])
                    file.execute("INSERT INTO calls VALUES (?, ?)", (method, at))
                return at - now
        except sqlite3.Error:
            return 0.0

    def hold(self, method: str, seconds: float) -> None:
        """Let nobody call a method for so long: Slack answered with ``Retry-After``."""
        now = self._now()
        self._held_here[method] = now + seconds
        with suppress(sqlite3.Error), self._open() as file:
            until = max(_held_until(file, method, now), now + seconds)
            file.execute("INSERT OR REPLACE INTO held VALUES (?, ?)", (method, until))

    def held(self, method: str) -> float:
        """Give the seconds for which a method is still held; 0 where it is not."""
        now = self._now()
        until = self._held_here.get(method, now)
        with suppress(sqlite3.Error), self._open() as file:
            until = max(until, _held_until(file, method, now))
        return max(until - now, 0.0)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Begin the one transaction that may be under way, and end it."""
        with closing(sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)) as file:
            # what a crash loses is a minute old at most
            file.execute("PRAGMA synchronous = OFF")
            file.execute("BEGIN IMMEDIATE")
            file.execute("CREATE TABLE IF NOT EXISTS calls (method TEXT, at REAL)")
            file.execute("CREATE TABLE IF NOT EXISTS held (method TEXT PRIMARY KEY, until REAL)")
            yield file
            file.execute("COMMIT")


def _held_until(file: sqlite3.Connection, method: str, now: float) -> float:
    rows = file.execute("SELECT until FROM held WHERE method = ? AND until <= ?", (method, now + LONGEST_S)).fetchall()
    return max((float(until) for (until,) in rows), default=now)
