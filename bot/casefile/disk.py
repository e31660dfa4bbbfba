"""The file under a case: opened, looked at before it is trusted, and its failures turned into sentences.

One connection at a time and a rollback journal: no WAL, so no second file that could be left behind by a copy.
"""

import os
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

from bot.casefile.schema import APPLICATION_ID, SCHEMA_VERSION
from bot.errors import CaseError, RootcauseError, StorageError

WHOLE = ".case"
PARTIAL = ".partial"

_HEADER_BYTES = 100  # https://www.sqlite.org/fileformat2.html#the_database_header
_MAGIC = b"SQLite format 3\x00"
_BUSY_S = 5.0

_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_REFUSED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})


def failure(error: sqlite3.Error, path: Path) -> RootcauseError:
    """Say in a sentence what SQLite's error means for the person."""
    # The low byte is the primary code: https://www.sqlite.org/rescode.html
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _FULL:
        return storage_failure(path.parent)
    if code in _BUSY:
        return CaseError(f"{path} is in use by another rootcause; wait for it to finish and try again.")
    if code in _REFUSED:
        return StorageError(f"{path} cannot be opened for writing; check its permissions, or set ROOTCAUSE_HOME.")
    return _damaged(path)


def _damaged(path: Path) -> CaseError:
    return CaseError(f"{path} is damaged and cannot be read; run the analysis again to make a new case.")


def storage_failure(folder: Path) -> StorageError:
    """Say that the disk takes no more."""
    return StorageError(
        f"The disk under {folder} is full or refuses to write; free some space, or set ROOTCAUSE_HOME to another disk."
    )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Translate failures of SQLite and of the file system about ``path`` into sentences."""
    try:
        yield
    except sqlite3.Error as error:
        raise failure(error, path) from error
    except zstandard.ZstdError as error:
        raise _damaged(path) from error
    except PermissionError as error:
        raise StorageError(f"{path} may not be written; check its permissions, or set ROOTCAUSE_HOME.") from error
    except OSError as error:
        raise storage_failure(path.parent) from error


def connect_for_writing(path: Path) -> sqlite3.Connection:
    """Open a partial that only this connection may touch; it is thrown away on a crash, so nothing is synced yet.

    Sources fill it from threads of their own, one call at a time.
    """
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, cached_statements=256, check_same_thread=False
    )
    for pragma in (
        "page_size = 16384",
        "locking_mode = EXCLUSIVE",
        "journal_mode = MEMORY",
        "synchronous = OFF",
        "temp_store = MEMORY",
        "cache_size = -16384",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def connect_to_whole(path: Path) -> sqlite3.Connection:
    """Open a finished case for reading and for adding questions."""
    uri = f"{path.resolve().as_uri()}?mode=rw"  # SQLite itself falls back to reading where the file is read-only
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def sync(path: Path) -> None:
    """Make a file, or a folder's entries, outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_header(path: Path) -> None:
    """Look at the first bytes and the size of a case file before SQLite does; raise CaseError with the reason."""
    with explained(path):
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise CaseError(f"{path} is not a case file.")
    (page_size,) = struct.unpack_from(">H", header, 16)
    (pages,) = struct.unpack_from(">I", header, 28)
    version, application = (struct.unpack_from(">I", header, at)[0] for at in (60, 68))
    if application != APPLICATION_ID:
        raise CaseError(f"{path} is an SQLite database, but not a case file.")
    if version > SCHEMA_VERSION:
        raise CaseError(
            f"{path} was written by a newer rootcause (schema {version}; this one reads up to {SCHEMA_VERSION}): "
            "upgrade to open it."
        )
    # A journal beside it means that a write was cut short; SQLite repairs that, and the size, when it opens the file.
    journal = path.with_name(path.name + "-journal")
    expected = (65536 if page_size == 1 else page_size) * pages
    if size < expected and not journal.exists():
        raise CaseError(
            f"{path} is cut off: {size} of {expected} bytes are there. Copy it again, or run the analysis again."
        )
