"""The composition root: the only place that builds adapters and hands them to the use cases."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from bot.analyst.times import parse_window
from bot.app_analyst import analyst_for
from bot.app_links import linked
from bot.casefile.home import CaseHome, CaseSummary
from bot.casefile.search import SearchResult, search as search_case
from bot.domain.choice import AnalystChoice
from bot.domain.ports import Progress, Source
from bot.domain.report import Answer, Report, to_json
from bot.domain.report_json import report_from_json
from bot.domain.scope import Scope
from bot.domain.window import Window, rfc3339
from bot.errors import CaseError, UsageError
from bot.investigation.follow_up import follow_up
from bot.investigation.investigate import investigate
from bot.investigation.spreading import Spreading
from bot.settings import RedactionSettings, Settings, SpreadSettings, live_settings
from bot.sources.export import ExportSource

if TYPE_CHECKING:  # an analysis must not wait for the simulator
    from bot.analyst.packing_material import Packed
    from bot.evals.runner import Plan, Result


def analyze(
    path: str, *, question: str | None, window: str | None, progress: Progress, choice: AnalystChoice
) -> Report:
    """Investigate an incident export at ``path`` (``-`` reads a tar from standard input)."""
    source = ExportSource(_standard_input() if path == "-" else Path(path))
    home = _home(progress)
    home.delete_stale()
    analyst = analyst_for(choice, home.path)
    found = investigate([source], home, question=question, window=window, progress=progress, analyst=analyst)
    return linked(found, home.path)


def analyze_live(
    path: str | None,
    *,
    question: str | None,
    window: str | None,
    namespaces: Sequence[str],
    progress: Progress,
    choice: AnalystChoice | None = None,
) -> Report:
    """Investigate what ``rootcause.yaml`` names, and the export at ``path`` beside it where one is given."""
    from bot.app_sources import LIVE_DEFAULT, live_sources  # noqa: PLC0415 - an export is read without Slack's libraries

    home = _home(progress)
    home.delete_stale()
    live = live_settings(home.path)
    if not live.names_a_source:
        raise UsageError(
            "Nothing live is configured: write a rootcause.yaml here (or name it in ROOTCAUSE_CONFIG); "
            "manifests/rootcause.yaml shows every key."
        )
    now = datetime.now(UTC).replace(microsecond=0)
    span = parse_window(window, now=now, tz=UTC) if window else Window(start=now - LIVE_DEFAULT, end=now, asked="")
    scope = Scope(window=span, namespaces=tuple(namespaces), question=question or "")
    sources: list[Source] = [ExportSource(Path(path))] if path else []
    found = investigate(
        [*sources, *live_sources(live, scope)],
        home,
        question=question,
        window=f"{rfc3339(span.start)}..{rfc3339(span.end)}",
        progress=progress,
        asked_span=span,
        analyst=analyst_for(choice or AnalystChoice(), home.path),
    )
    return linked(found, home.path)


def ask(case: str, question: str, choice: AnalystChoice) -> Answer:
    """Answer a follow-up from a case and keep the answer in it."""
    home = _home()
    with home.open(case) as opened:
        return linked(follow_up(opened, question, analyst_for(choice, home.path)), home.path)


def cases() -> Sequence[CaseSummary]:
    """List the cases, newest first."""
    return _home().list()


def report(case: str) -> Report:
    """Give the report of a case."""
    home = _home()
    with home.open(case) as opened:
        stored = opened.report()
    if stored is None:
        raise CaseError(f"Case {case} holds no report. Run `rootcause analyze` again on its export.")
    return linked(report_from_json(stored), home.path)


def search(case: str, text: str, since: datetime | None, until: datetime | None, limit: int) -> SearchResult:
    """Find a text in everything a case holds."""
    with _home().open(case) as opened:
        return search_case(opened, text, start=since, end=until, limit=limit)


def pack(case: str, *, budget: int | None, economy: bool) -> "Packed":
    """Pack a case as a model would be sent it, through the egress gate; sends nothing."""
    from bot.analyst.packing import DEFAULT_BUDGET  # noqa: PLC0415 - no other command waits for the packer
    from bot.investigation.egress import gate_of  # noqa: PLC0415 - see above
    from bot.investigation.packing import pack_case  # noqa: PLC0415 - see above

    home = _home()
    with home.open(case) as opened:
        gate = gate_of(opened, RedactionSettings.from_environment())
        analyst = None if budget else analyst_for(AnalystChoice(), home.path)
        most = replace(analyst, economy=economy).tokens if analyst else DEFAULT_BUDGET
        return pack_case(opened, gate, budget=budget or most, economy=economy)


def evaluate(todo: "Plan", told: "Callable[[Result], None]") -> "Sequence[Result]":
    """Measure the engine on simulated incidents."""
    from bot.evals.runner import run  # noqa: PLC0415 - an analysis must not wait for the simulator

    return run(todo, OfflineEngine(), told)


class OfflineEngine:
    """The engine as an evaluation uses it: an export in, plain JSON out; cases in a folder of its own."""

    def analyze(self, export: Path, home: Path, question: str | None) -> dict[str, Any]:
        """Investigate an export and give the report as JSON."""
        source, quiet = ExportSource(export), lambda _stage, _done, _total: None
        told: dict[str, Any] = to_json(
            investigate([source], CaseHome(home), question=question, window=None, progress=quiet)
        )
        return told

    def ask(self, home: Path, case: str, question: str) -> dict[str, Any]:
        """Answer a follow-up and give the answer as JSON."""
        with CaseHome(home).open(case) as opened:
            told: dict[str, Any] = to_json(follow_up(opened, question))
        return told


def _standard_input() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        raise UsageError("Standard input holds no tar: write `tar c FOLDER | rootcause analyze -`, or give a path.")
    return sys.stdin.buffer


def _home(progress: Progress | None = None) -> CaseHome:
    home = Settings.from_environment().home
    if home.exists() and not home.is_dir():
        raise UsageError(f"Cases cannot be kept in {home}, for it is no folder: set ROOTCAUSE_HOME to one.")
    return CaseHome(home, Spreading(SpreadSettings.from_environment(), progress))
