"""What the desk is handed: where evidence comes from, who runs the engine, and who counts. No implementations here."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bot.domain.chat import Ask, SourceProgress
from bot.domain.ports import Source
from bot.domain.report import Answer, PredictionStatus, Report
from bot.errors import TicketRefusedError

if TYPE_CHECKING:  # the desk does not wait for a model's modules
    from bot.investigation.model_analyst import ModelAnalyst

SourceFactory = Callable[[Ask], Sequence[Source]]
"""Makes the sources of one investigation. It crosses a process boundary, so it must pickle: a module's function or a
frozen dataclass with ``__call__``, never a closure."""

AnalystFactory = Callable[[str], "ModelAnalyst | None"]
"""Makes the analyst of one ask, None for the offline one; the channel pays. It must pickle, as sources' makers do."""

FAULT = "Something in me broke while I worked on this, and the fault has been logged."
"""What people are told of a fault of this program; the log has the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far an investigation is: its stage, its sources, and what of the bytes is read (None: unknown)."""

    stage: str
    sources: tuple[SourceProgress, ...] = ()
    done: int = 0
    total: int | None = None


Tell = Callable[[Reading], None]
"""Takes note of progress; called often and from any thread, must be cheap."""


class Engine(Protocol):
    """Runs the blocking work of one ask where it can be killed; the workflow's tests stand in a quick one."""

    def warm(self) -> Coroutine[Any, Any, None]:
        """Load what the first ask would have to wait for."""
        ...

    def investigate(self, ask: Ask, tell: Tell) -> Awaitable[str]:
        """Investigate and give the id of the kept case; raises RootcauseError with a sentence for people."""
        ...

    def follow_up(self, case: str, ask: Ask) -> Awaitable[Answer]:
        """Answer a question from a kept case; the channel it was asked in pays."""
        ...

    def report(self, case: str) -> Awaitable[Report]:
        """Give a kept case's report."""
        ...

    def note_outcome(self, case: str, number: int, status: PredictionStatus) -> Awaitable[None]:
        """Write into a kept case what became of one of its predictions, counted from 0."""
        ...


class Tickets(Protocol):
    """Writes reports to tickets; implemented by ``sources/jira``."""

    def comment(self, ticket: str, mark: str, report: Report) -> Awaitable[str]:
        """Write a report to a ticket as a comment, unless one of ours bears the mark; give the comment's address.

        Raises TicketBusyError where calling again may work, TicketRefusedError where it will not.
        """
        ...


class NoTickets:
    """Stands in where no ticket system is configured."""

    async def comment(self, ticket: str, mark: str, report: Report) -> str:
        """Refuse."""
        del mark, report
        raise TicketRefusedError(f"No Jira is configured any more, so nothing was written to {ticket}.")


class Meter(Protocol):
    """Counts for operators; implemented by ``web/metrics``."""

    def ended(self, kind: str, outcome: str, seconds: float) -> None:
        """Count a piece of work that came to its end, ``seconds`` after it was asked."""
        ...

    def took(self, stage: str, seconds: float) -> None:
        """Note how long a stage of an investigation took."""
        ...

    def waiting(self, queued: int, running: int) -> None:
        """Note how much work waits and runs."""
        ...

    def spent(self, direction: str, tokens: int) -> None:
        """Add tokens a model read (``input``) or wrote (``output``)."""
        ...


class Uncounted:
    """Counts nothing, for where nobody looks."""

    def ended(self, kind: str, outcome: str, seconds: float) -> None:
        """Do nothing."""

    def took(self, stage: str, seconds: float) -> None:
        """Do nothing."""

    def waiting(self, queued: int, running: int) -> None:
        """Do nothing."""

    def spent(self, direction: str, tokens: int) -> None:
        """Do nothing."""
