"""Read the archive of a window: events, objects as they were and as they changed, logs, and when nobody was watching."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.archive.packing import OPENER, unpacked_against
from bot.archive.schema import opened_to_read
from bot.domain.window import Window, instant

LOG = tuple[str, str, str, str | None, bool]
"""Namespace, pod, container, node, and whether it is the container before a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwatched:
    """A time in which something was not watched."""

    what: str
    start: datetime
    end: datetime


class Archive:
    """An open archive; close it."""

    def __init__(self, path: Path) -> None:
        self._connection = opened_to_read(path)

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def namespaces(self) -> list[str]:
        """Give the namespaces of which anything is kept."""
        sql = "SELECT namespace FROM events UNION SELECT namespace FROM versions UNION SELECT namespace FROM logs ORDER BY 1"
        return [name for (name,) in self._connection.execute(sql) if name]

    def events(self, window: Window) -> Iterator[tuple[str, bytes]]:
        """Give each event's namespace and bytes, in order of time."""
        sql = "SELECT namespace, blob FROM events WHERE at >= ? AND first < ? ORDER BY at, uid"
        for namespace, blob in self._connection.execute(sql, (window.start_s, window.end_s)):
            yield namespace, OPENER.decompress(blob)

    def versions(self, window: Window) -> Iterator[tuple[str, datetime, bytes, bool]]:
        """Give each object's namespace, time and bytes, and whether it was deleted then: as it was when the window began, and every change in it."""
        sql = (
            "SELECT versions.namespace, versions.at, versions.gone, bases.blob, versions.blob FROM versions JOIN bases ON bases.id = versions.base "
            "WHERE versions.at < :end AND (versions.at >= :start OR (NOT versions.gone AND versions.id = (SELECT max(id) FROM "
            "versions AS before WHERE before.object = versions.object AND before.at < :start))) ORDER BY versions.at, versions.id"
        )
        for namespace, at_s, gone, base, blob in self._connection.execute(
            sql, {"start": window.start_s, "end": window.end_s}
        ):
            yield namespace, instant(at_s), unpacked_against(OPENER.decompress(base), blob), bool(gone)

    def logs(self, window: Window) -> Iterator[tuple[LOG, Iterator[bytes]]]:
        """Give each container's log and its pieces, in order."""
        span = (int(window.start_s * 1e9), int(window.end_s * 1e9))
        names = "namespace, pod, container, node, previous"
        sql = f"SELECT DISTINCT {names} FROM logs WHERE last >= ? AND first < ? ORDER BY {names}"  # noqa: S608 - names from here
        for row in self._connection.execute(sql, span).fetchall():
            yield (row[0], row[1], row[2], row[3], bool(row[4])), self._pieces(row, span)

    def _pieces(self, row: Sequence[object], span: tuple[int, int]) -> Iterator[bytes]:
        sql = (
            "SELECT blob FROM logs WHERE namespace = ? AND pod = ? AND container = ? AND node IS ? AND previous = ? "
            "AND last >= ? AND first < ? ORDER BY first, id"
        )
        for (blob,) in self._connection.execute(sql, (*row, *span)):
            yield OPENER.decompress(blob)

    def covers(self, namespace: str, pod: str, container: str) -> list[tuple[int, int]]:
        """Give the spans in nanoseconds whose lines are kept, joined where they touch."""
        sql = "SELECT first, last FROM logs WHERE namespace = ? AND pod = ? AND container = ? ORDER BY first"
        return [(first, last) for first, last in self._connection.execute(sql, (namespace, pod, container))]

    def losses(self, window: Window) -> list[tuple[datetime, str, int]]:
        """Give what was missed, in words."""
        sql = "SELECT at, what, count FROM losses WHERE at >= ? AND at < ? ORDER BY at, id"
        found = self._connection.execute(sql, (window.start_s, window.end_s))
        return [(instant(at_s), what, count) for at_s, what, count in found]

    def reaches_back_to(self) -> datetime | None:
        """Give when the recording began, as far as it is kept."""
        found = self._connection.execute("SELECT min(began) FROM spans").fetchone()
        return instant(found[0]) if found and found[0] is not None else None

    def unwatched(self, window: Window, pause_s: float) -> list[Unwatched]:
        """Give every time of the window in which something was not watched, pauses up to ``pause_s`` left out."""
        found: list[Unwatched] = []
        kinds = [what for (what,) in self._connection.execute("SELECT DISTINCT what FROM spans ORDER BY what")]
        for what in kinds:
            at_s = window.start_s
            sql = "SELECT began, beat FROM spans WHERE what = ? AND beat >= ? AND began < ? ORDER BY began"
            for began, beat in self._connection.execute(sql, (what, window.start_s, window.end_s)):
                if began - at_s > pause_s:
                    found.append(Unwatched(what=what, start=instant(at_s), end=instant(began)))
                at_s = max(at_s, beat)
            if window.end_s - at_s > pause_s:
                found.append(Unwatched(what=what, start=instant(at_s), end=window.end))
        return found


UNREADABLE = (sqlite3.Error,)
"""What reading a damaged archive may raise."""
