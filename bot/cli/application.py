"""What the command line asks of the application: the use cases, as ``bot.app`` offers them and a test's fake does too."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.ports import Progress, Stored
from bot.domain.report import Answer, Report


class CaseSummary(Protocol):
    """One case in the list."""

    @property
    def id(self) -> str:
        """Give the case's id."""
        ...

    @property
    def created_at(self) -> datetime:
        """Give the time it was made."""
        ...

    @property
    def window(self) -> str:
        """Give the window in words."""
        ...

    @property
    def question(self) -> str:
        """Give what was asked."""
        ...

    @property
    def verdict(self) -> str:
        """Give the report's verdict."""
        ...

    @property
    def summary(self) -> str:
        """Give the report's summary."""
        ...

    @property
    def size(self) -> int:
        """Give the file's size in bytes."""
        ...

    @property
    def broken(self) -> bool:
        """Tell whether the file cannot be read."""
        ...


class SearchResult(Protocol):
    """What a search found: the first hits, and how many there are in all."""

    @property
    def hits(self) -> Sequence[Stored]:
        """Give the hits asked for."""
        ...

    @property
    def total(self) -> int:
        """Give the number of all hits."""
        ...


class Application(Protocol):
    """The use cases."""

    def analyze(self, path: str, *, question: str | None, window: str | None, progress: Progress) -> Report:
        """Investigate an export and keep the case."""
        ...

    def ask(self, case: str, question: str) -> Answer:
        """Answer a follow-up from a case."""
        ...

    def cases(self) -> Iterable[CaseSummary]:
        """List the cases, the newest first."""
        ...

    def report(self, case: str) -> Report:
        """Give a case's report."""
        ...

    def search(self, case: str, text: str, since: datetime | None, until: datetime | None, limit: int) -> SearchResult:
        """Search a case's evidence."""
        ...
