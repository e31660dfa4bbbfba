"""An engine whose answers carry links to where their evidence can be opened.

Links are added when an answer is shown, not when it is kept: a case outlives the address of a Grafana, and a colleague who
opens it has another one.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.domain.chat import Ask
from bot.domain.links import LinkTemplates, evidence_url
from bot.domain.report import Answer, Evidence, PredictionStatus, Report
from bot.investigation.desk_ports import Engine, Tell


class LinkedEngine:
    """Hands everything to another engine and adds links, by templates, to evidence that came without one."""

    def __init__(self, engine: Engine, templates: LinkTemplates) -> None:
        self._engine = engine
        self._templates = templates

    async def warm(self) -> None:
        """Load what the first ask would have to wait for."""
        await self._engine.warm()

    async def investigate(self, ask: Ask, tell: Tell) -> str:
        """Investigate and give the id of the kept case."""
        return await self._engine.investigate(ask, tell)

    async def follow_up(self, case: str, ask: Ask) -> Answer:
        """Answer a question from a kept case."""
        answer = await self._engine.follow_up(case, ask)
        return replace(answer, evidence=self._linked(answer.evidence))

    async def report(self, case: str) -> Report:
        """Give a kept case's report."""
        report = await self._engine.report(case)
        return replace(report, evidence=self._linked(report.evidence))

    async def note_outcome(self, case: str, number: int, status: PredictionStatus) -> None:
        """Write into a kept case what became of one of its predictions."""
        await self._engine.note_outcome(case, number, status)

    def _linked(self, evidence: Mapping[str, Evidence]) -> dict[str, Evidence]:
        return {name: replace(each, url=evidence_url(each, self._templates)) for name, each in evidence.items()}
