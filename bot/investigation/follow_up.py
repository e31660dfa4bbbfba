"""Answer a follow-up from a finished case alone, and keep the question with its answer in the case."""

from datetime import datetime

from bot.analyst.followup import answer
from bot.analyst.subjects import FollowUpContext
from bot.casefile.case import Case
from bot.casefile.search import SearchResult, search
from bot.domain.link import LinkTest
from bot.domain.report import Answer, to_json
from bot.domain.report_json import report_from_json
from bot.domain.signal import Signal
from bot.errors import CaseError
from bot.investigation.conclude import pair_test
from bot.investigation.digest import called_in_logs
from bot.signals.topology import read_topology


def follow_up(case: Case, question: str) -> Answer:
    """Answer a question about a case; raises CaseError where the case holds no report yet."""
    stored = case.report()
    window = case.window
    if stored is None or window is None:
        raise CaseError(f"Case {case.id} holds no report. Run `rootcause analyze` again on its export.")
    report = report_from_json(stored)
    signals = case.signals()
    topology = called_in_logs(read_topology(case.objects(), case.events(), case.streams()), signals)
    pair = pair_test(topology, window)

    def test(cause: Signal, effect: Signal) -> LinkTest:
        return pair(cause, effect).test

    def find(text: str, start: datetime | None, end: datetime | None, limit: int) -> SearchResult:
        return search(case, text, start=start, end=end, limit=limit)

    given = answer(
        question,
        FollowUpContext(
            report=report,
            window=window,
            signals=signals,
            evidence=case,
            test=test,
            search=find,
            links=case.links(),
            topology=topology,
            messages=tuple(case.messages()),
            around=case.around,
        ),
    )
    case.add_question(to_json(given))
    return given
