"""What the listeners read from a case: its report, and the stored lines around a citation."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.ports import Stored
from bot.domain.report import Report


class ReportLookup(Protocol):
    """Read access to finished cases; every call returns within some ten milliseconds."""

    async def report(self, case: str) -> Report | None:
        """Give a case's report, None where there is none (any more)."""
        ...

    async def around(self, case: str, item: str, before: int, after: int) -> Sequence[Stored]:
        """Give a stored item with its neighbours in order; empty where the case or the item is gone."""
        ...

    async def ticket_keys(self, case: str) -> Sequence[str]:
        """Give the keys of the tickets that a case holds or that people named in it, the likeliest first."""
        ...
