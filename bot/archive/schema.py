"""The archive's tables.

Times are seconds since the epoch (UTC), those of log lines nanoseconds. Blobs are zstd frames; an object's version is packed
with the object's ``base`` as its dictionary, so that it takes little more than what differs.

    events    one row an Event, its newest state
    bases     one full manifest an object, now and then anew
    versions  an object's states, each against its base; ``gone`` where it was deleted
    logs      pieces of containers' logs, each some hundred kilobytes of whole lines
    spans     times without a pause in which something was watched (``what``: a resource, or "logs")
    losses    what was missed though it was watched, in words
    marks     resource versions at which a watch can go on
"""

import sqlite3
from pathlib import Path

from bot.errors import CaseError, StorageError

APPLICATION_ID = 0x52434152  # "RCAR"
VERSION = 1

_TABLES = """
CREATE TABLE events (uid TEXT PRIMARY KEY, at REAL NOT NULL, first REAL NOT NULL, namespace TEXT NOT NULL, blob BLOB NOT NULL);
CREATE INDEX events_at ON events (at);
CREATE TABLE bases (id INTEGER PRIMARY KEY, blob BLOB NOT NULL);
CREATE TABLE versions (id INTEGER PRIMARY KEY, object TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL,
    at REAL NOT NULL, gone INTEGER NOT NULL, base INTEGER NOT NULL, digest BLOB NOT NULL, blob BLOB NOT NULL);
CREATE INDEX versions_at ON versions (at);
CREATE INDEX versions_object ON versions (object, at);
CREATE INDEX versions_base ON versions (base);
CREATE TABLE logs (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, pod TEXT NOT NULL, container TEXT NOT NULL,
    node TEXT, previous INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, size INTEGER NOT NULL, blob BLOB NOT NULL);
CREATE INDEX logs_of ON logs (namespace, pod, container, first);
CREATE INDEX logs_last ON logs (last);
CREATE TABLE spans (id INTEGER PRIMARY KEY, what TEXT NOT NULL, began REAL NOT NULL, beat REAL NOT NULL);
CREATE INDEX spans_of ON spans (what, began);
CREATE TABLE losses (id INTEGER PRIMARY KEY, at REAL NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL);
CREATE TABLE marks (what TEXT PRIMARY KEY, version TEXT NOT NULL);
"""


def opened_to_write(path: Path) -> sqlite3.Connection:
    """Open or make an archive for its one writer; raises StorageError where that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        # only this connection writes and checkpoints, so readers of the log file cannot meet a half-reset one
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        if _number(connection, "user_version") == 0 and not _tables(connection):
            connection.executescript(f"BEGIN; {_TABLES} COMMIT;")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        _known(connection, path)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"The archive {path} cannot be written: {error}.") from error
    return connection


def opened_to_read(path: Path) -> sqlite3.Connection:
    """Open an archive that may be written at this moment; raises CaseError where it is none."""
    if not path.is_file():
        raise CaseError(f"There is no archive at {path}: is `rootcause record` running, and does it write there?")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10)
        _known(connection, path)
    except sqlite3.Error as error:
        raise CaseError(f"The archive {path} cannot be read: {error}.") from error
    return connection


def _known(connection: sqlite3.Connection, path: Path) -> None:
    if _number(connection, "application_id") != APPLICATION_ID:
        raise CaseError(f"{path} is no archive of this program.")
    if _number(connection, "user_version") > VERSION:
        raise CaseError(f"{path} was written by a newer version of this program.")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _tables(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
