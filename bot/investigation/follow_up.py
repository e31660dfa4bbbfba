"""Answer a follow-up from a finished case alone, and keep the question with its answer in the case.

Where a model is asked, the program's own answer is made first: it is what stands when the model fails, and what the model's
is held against.
"""

from datetime import datetime
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:  # a question without a model must not wait for one
    from bot.investigation.model_analyst import ModelAnalyst


def follow_up(case: Case, question: str, analyst: "ModelAnalyst | None" = None) -> Answer:
    """Answer a question about a case; raises CaseError where the case holds no report yet."""
    context = context_of(case)
    given = answer(question, context)
    if analyst is not None:
        from bot.investigation.model_follow_up import asked_model  # noqa: PLC0415 - only where a model is asked

        given = asked_model(analyst, case, context, given)
    case.add_question(to_json(given))
    return given


def context_of(case: Case) -> FollowUpContext:
    """Give what a finished case holds for follow-ups; raises CaseError where it holds no report yet."""
    stored = case.report()
    window = case.window
    if stored is None or window is None:
        raise CaseError(f"Case {case.id} holds no report. Run `rootcause analyze` again on its export.")
    report = report_from_json(stored)
    signals = case.signals()
    topology = called_in_logs(read_topology(case.objects(), case.events(), case.streams()), signals)
    things = {topology.root(version.entity) for _, version in case.objects()}
    pair = pair_test(topology, window)

    def test(cause: Signal, effect: Signal) -> LinkTest:
        return pair(cause, effect).test

    def find(text: str, start: datetime | None, end: datetime | None, limit: int) -> SearchResult:
        return search(case, text, start=start, end=end, limit=limit)

    return FollowUpContext(
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
        things=sorted(things, key=str),
        earlier=tuple(each["question"] for each in case.questions()),
    )
