"""The folder the cases live in: new ones, finding one by what a person types, listing, and clearing up after crashes."""

import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.casefile.case import Case
from bot.casefile.disk import PARTIAL, WHOLE, check_header, connect_to_whole, explained
from bot.casefile.mapping import Elsewhere
from bot.casefile.schema import SCHEMA_VERSION, migrate
from bot.casefile.writer import CaseWriter
from bot.domain.window import Window
from bot.errors import CaseError

_LETTERS = "abcdefghjkmnpqrstvwxyz"
_SIGNS = "0123456789" + _LETTERS  # Crockford's base 32: no i, l, o, u, so nothing is misread (and none spells "last")
_ID_SIGNS = 7
_STALE_S = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """A case as a list shows it; ``broken`` says why it cannot be opened, then the rest may be unknown."""

    id: str
    created_at: datetime
    window: Window | None
    question: str
    verdict: str | None
    summary: str
    size: int
    broken: str | None = None


class CaseHome:
    """A folder of cases; it need not exist before the first case is made.

    ``spreading``: makes what spreads the reading of a new case's logs, by the case's id.
    """

    def __init__(self, path: Path, spreading: Callable[[str], Elsewhere] | None = None) -> None:
        self.path = path
        self._spreading = spreading

    def create(self, form_of: Callable[[bytes], bytes] | None = None) -> CaseWriter:
        """Begin a new case under a fresh id, which no other process can be given."""
        while True:
            # A letter first: an id never looks like a number or an option.
            name = secrets.choice(_LETTERS) + "".join(secrets.choice(_SIGNS) for _ in range(_ID_SIGNS - 1))
            if not any((self.path / f"{name}{end}").exists() for end in (WHOLE, PARTIAL)):
                elsewhere = self._spreading(name) if self._spreading else None
                return CaseWriter(self.path / f"{name}{PARTIAL}", form_of, elsewhere)

    def open(self, case: str) -> Case:
        """Open a case by its id, the beginning of one, ``last``, or the path of a case file; raise CaseError with advice."""
        return open_case(self._find(case.strip()))

    def list(self) -> Sequence[CaseSummary]:
        """Give every case, newest first; one that cannot be opened says why instead of raising."""
        return sorted(
            (_summary(path) for path in self._paths(WHOLE)), key=lambda one: (-one.created_at.timestamp(), one.id)
        )

    def delete_stale(self) -> Sequence[Path]:
        """Remove partial files that a crash left more than a day ago, and that nobody holds; give what was removed."""
        removed = []
        for path in self._paths(PARTIAL):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_S and not _held(path):
                    path.unlink()
                    removed.append(path)
        return removed

    def _paths(self, suffix: str) -> Sequence[Path]:
        with explained(self.path):
            return sorted(self.path.glob(f"*{suffix}")) if self.path.is_dir() else []

    def _find(self, case: str) -> Path:
        if case.endswith(WHOLE) and Path(case).is_file():
            return Path(case)
        if case == "last":
            whole = [one for one in self.list() if one.broken is None]
            if not whole:
                raise CaseError(f"There is no case in {self.path} yet; make one with `rootcause analyze PATH`.")
            return self.path / f"{whole[0].id}{WHOLE}"
        named = [path for path in self._paths(WHOLE) if case and path.stem.startswith(case.lower())]
        exact = [path for path in named if path.stem == case.lower()]
        if len(exact or named) == 1:
            return (exact or named)[0]
        if named:
            several = ", ".join(path.stem for path in named[:5])
            raise CaseError(f"“{case}” fits {len(named)} cases ({several}): type more of the id.")
        if case and any(path.stem.startswith(case.lower()) for path in self._paths(PARTIAL)):
            raise CaseError(
                f"Case “{case}” is not finished: its analysis is still running or was interrupted. "
                "Wait for it, or run the analysis again."
            )
        raise CaseError(f"There is no case “{case}” in {self.path}; `rootcause cases` lists what is there.")


def open_case(path: Path) -> Case:
    """Open a case file, whole and of a schema this program reads; raise CaseError or StorageError."""
    check_header(path)
    with explained(path):
        connection = connect_to_whole(path)
        case = Case(connection, path, owned=True)
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
                migrate(connection)
            whole = case.meta("complete") == "1"
        except BaseException:
            case.close()
            raise
    if not whole:
        case.close()
        raise CaseError(f"{path} was never finished; run the analysis again.")
    return case


def _summary(path: Path) -> CaseSummary:
    try:
        with open_case(path) as case:
            report = case.report() or {}
            return CaseSummary(
                id=path.stem,
                created_at=case.created_at,
                window=case.window_or_none(),
                question=case.question,
                verdict=report.get("verdict"),
                summary=report.get("summary") or "",
                size=path.stat().st_size,
            )
    except (CaseError, OSError) as error:
        return _broken(path, str(error))


def _broken(path: Path, reason: str) -> CaseSummary:
    try:
        status = path.stat()
        written, size = datetime.fromtimestamp(status.st_mtime, tz=UTC), status.st_size
    except OSError:
        written, size = datetime.fromtimestamp(0, tz=UTC), 0
    return CaseSummary(
        id=path.stem, created_at=written, window=None, question="", verdict=None, summary="", size=size, broken=reason
    )


def _held(path: Path) -> bool:
    """Tell whether a writer holds the file: a living one keeps SQLite's exclusive lock on it."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        return False
