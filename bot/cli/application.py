"""What the command line asks of the application: the use cases, as ``bot.app`` offers them and a test's fake does too."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, cast

import click

from bot.domain.choice import AnalystChoice
from bot.domain.ports import Progress
from bot.domain.report import Answer, Report

if TYPE_CHECKING:  # a case file brings numpy along, and --help must not wait for it
    from bot.analyst.packing_material import Packed
    from bot.casefile.home import CaseSummary
    from bot.casefile.search import SearchResult
    from bot.evals.runner import Plan, Result


class Application(Protocol):
    """The use cases."""

    def analyze(
        self, path: str, *, question: str | None, window: str | None, progress: Progress, choice: AnalystChoice
    ) -> Report:
        """Investigate an export and keep the case."""
        ...

    def analyze_live(
        self,
        path: str | None,
        *,
        question: str | None,
        window: str | None,
        namespaces: Sequence[str],
        progress: Progress,
        choice: AnalystChoice,
    ) -> Report:
        """Investigate what ``rootcause.yaml`` names, beside an export where there is one."""
        ...

    def ask(self, case: str, question: str, choice: AnalystChoice) -> Answer:
        """Answer a follow-up from a case."""
        ...

    def cases(self) -> "Sequence[CaseSummary]":
        """List the cases, the newest first."""
        ...

    def report(self, case: str) -> Report:
        """Give a case's report."""
        ...

    def search(
        self, case: str, text: str, since: datetime | None, until: datetime | None, limit: int
    ) -> "SearchResult":
        """Search a case's evidence."""
        ...

    def pack(self, case: str, *, budget: int | None, economy: bool) -> "Packed":
        """Pack a case as a model would be sent it."""
        ...

    def evaluate(self, todo: "Plan", told: "Callable[[Result], None]") -> "Sequence[Result]":
        """Measure the engine on simulated incidents."""
        ...


def application_of(context: click.Context) -> Application:
    """Give the application a command was handed, or else the real one."""
    if context.obj is not None:
        return cast("Application", context.obj)
    from bot import app  # noqa: PLC0415 - --help must not wait for the engine

    return app
