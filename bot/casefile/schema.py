"""The tables of a case file and the append-only migrations that make them.

A migration that has been released is never edited: the next change is ``m002_…``, and ``SCHEMA_VERSION`` grows with it.
"""

import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID = int.from_bytes(b"rcse")
"""Stands in the SQLite header, so that a case is told from any other database before it is opened."""

SCHEMA_VERSION = 7
"""SQLite's ``user_version`` of a case this program writes."""

_STREAMS: dict[str, Any] = {
    "id": int,
    "source": str,
    "namespace": str,
    "pod": str,
    "container": str,
    "path": str,
    "previous": int,
    "node": str,
    "labels": str,
}
# The columns stand beside each other and apart from the text, so that reading every line's time touches no text.
_BLOCKS: dict[str, Any] = {
    "id": int,
    "first_line": int,
    "lines": int,
    "raw_bytes": int,
    "first_at": str,
    "last_at": str,
    "times": bytes,
    "streams": bytes,
    "forms": bytes,
    "lengths": bytes,
    "text_starts": bytes,
}
_EVENTS: dict[str, Any] = {
    "id": int,
    "at": str,
    "first_at": str,
    "count": int,
    "type": str,
    "reason": str,
    "message": str,
    "kind": str,
    "namespace": str,
    "name": str,
    "component": str,
    "node": str,
    "raw": bytes,
}
_OBJECTS: dict[str, Any] = {
    "id": int,
    "observed_at": str,
    "kind": str,
    "namespace": str,
    "name": str,
    "uid": str,
    "manifest": bytes,
    "raw": bytes,
}
_SERIES: dict[str, Any] = {
    "id": int,
    "metric": str,
    "labels": str,
    "points": int,
    "first_at": str,
    "last_at": str,
    "sample_times": bytes,
    "sample_values": bytes,
    "raw": bytes,
}
_MESSAGES: dict[str, Any] = {
    "id": int,
    "at": str,
    "channel": str,
    "author": str,
    "is_bot": int,
    "text": str,
    "ts": str,
    "thread_ts": str,
    "permalink": str,
    "raw": bytes,
}
_TICKETS: dict[str, Any] = {
    "id": int,
    "at": str,
    "ticket": str,
    "part": str,
    "author": str,
    "text": str,
    "url": str,
    "raw": bytes,
}
_SIGNALS: dict[str, Any] = {
    "id": int,
    "signal": str,
    "kind": str,
    "entity": str,
    "label": str,
    "source": str,
    "total": int,
    "first_at": str,
    "last_at": str,
    "period_s": float,
    "body": str,
}
_LINKS: dict[str, Any] = {
    "id": int,
    "cause": str,
    "effect": str,
    "mechanism": str,
    "status": str,
    "hits": int,
    "misses": int,
    "unexplained": int,
    "p_value": float,
    "body": str,
}
_COVERAGE: dict[str, Any] = {
    "source": str,
    "status": str,
    "items": int,
    "bytes": int,
    "first_at": str,
    "last_at": str,
    "read": str,
    "detail": str,
}
_TABLES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("meta", "key", {"key": str, "value": str}),
    ("log_streams", "id", _STREAMS),
    ("log_forms", "id", {"id": int, "form": str, "lines": int, "first_line": int, "template": int}),
    ("log_templates", "id", {"id": int, "template": str}),
    ("log_blocks", "id", _BLOCKS),
    ("log_texts", "block", {"block": int, "text": bytes}),
    ("log_tokens", "block", {"block": int, "bloom": bytes}),
    ("events", "id", _EVENTS),
    ("objects", "id", _OBJECTS),
    ("series", "id", _SERIES),
    ("messages", "id", _MESSAGES),
    ("tickets", "id", _TICKETS),
    ("gaps", "id", {"id": int, "source": str, "what": str, "count": int, "path": str, "lost": int}),
    ("coverage", "source", _COVERAGE),
    ("signals", "id", _SIGNALS),
    ("links", "id", _LINKS),
    ("report", "id", {"id": int, "verdict": str, "confidence": str, "summary": str, "body": str}),
    ("questions", "id", {"id": int, "asked_at": str, "question": str, "verdict": str, "answer": str, "body": str}),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a case file to ``SCHEMA_VERSION``."""
    # Here, because a case that is only read needs neither, and they cost more than opening it.
    from sqlite_utils import Database  # noqa: PLC0415 - see above
    from sqlite_utils.migrations import Migrations  # noqa: PLC0415 - see above

    # Plug-ins of the person's own sqlite-utils must not change what a case is.
    database = Database(connection, execute_plugins=False)
    migrations = Migrations("rootcause.case")
    migrations(name="m001_case")(_m001_case)
    migrations(name="m002_uneven")(_m002_uneven)
    migrations(name="m003_fetched")(_m003_fetched)
    migrations(name="m004_counted")(_m004_counted)
    migrations(name="m005_narrow")(_m005_narrow)
    migrations(name="m006_unread")(_m006_unread)
    migrations(name="m007_stamps")(_m007_stamps)
    migrations.apply(database)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _m001_case(database: "Database") -> None:
    for name, key, columns in _TABLES:
        database.table(name).create(columns, pk=key)


def _m002_uneven(database: "Database") -> None:
    """Note of each block whether the forms of its lines tell all that the lines hold."""
    database.table("log_blocks").add_column("uneven", int)


def _m003_fetched(database: "Database") -> None:
    """Keep what live sources gave for questions that were asked later; the evidence of the case stays what it was."""
    database.table("fetched").create(
        {
            "id": int,
            "at": str,
            "fetched_at": str,
            "source": str,
            "entity": str,
            "text": str,
            "locator": str,
            "raw": bytes,
        },
        pk="id",
    )


def _m004_counted(database: "Database") -> None:
    """Note of each series who tells it: a log store counts too."""
    database.table("series").add_column("source", str)
    database.execute("UPDATE series SET source = 'prometheus'")


def _m005_narrow(_: "Database") -> None:
    """Mark that columns of lines may leave out planes that hold nothing: whole ones are read as ever, but not the other way round."""


def _m006_unread(database: "Database") -> None:
    """Note of a gap where in time it lies, and how much of what the source holds there nobody looked at."""
    for name, kind in (("first_at", str), ("end_at", str), ("share", float)):
        database.table("gaps").add_column(name, kind)


def _m007_stamps(database: "Database") -> None:
    """Note of a block how much of each line its time gives back: that much the text of the block does without."""
    database.table("log_blocks").add_column("stamps", bytes)
