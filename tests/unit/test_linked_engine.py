"""Links are added where answers are shown, to what came without one."""

import asyncio

from sample_report import ANSWER, REPORT

from bot.domain.links import LinkTemplates, evidence_url
from bot.investigation.linked import LinkedEngine

TEMPLATES = LinkTemplates(logs="https://logs.example/?q={query}", events="https://k8s.example/{namespace}/{name}")


class Kept:
    """An engine that knows one case."""

    async def report(self, case):
        """Give the sample."""
        return REPORT

    async def follow_up(self, case, ask):
        """Give the sample."""
        return ANSWER


def test_reports_and_answers_get_links():
    """Evidence without a link gets one where a template fits; the rest, and the report itself, stay as they were."""
    engine = LinkedEngine(Kept(), TEMPLATES)
    report, answer = asyncio.run(engine.report("c")), asyncio.run(engine.follow_up("c", None))
    assert {name: evidence_url(each, TEMPLATES) for name, each in REPORT.evidence.items()} == {
        name: each.url for name, each in report.evidence.items()
    }
    assert "https://k8s.example/billing/ledger-vacuum" == report.evidence["E1"].url
    assert REPORT.evidence["E3"].url == report.evidence["E3"].url
    assert list(ANSWER.evidence) == list(answer.evidence)
    assert (REPORT.cascade, ANSWER.answer) == (report.cascade, answer.answer)
