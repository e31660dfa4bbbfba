"""What the question itself suspects is answered in the report: no, yes, or that the tests cannot tell."""

from dataclasses import replace

import pytest
from engine_parts import HOUR_S, signal
from test_advice import findings
from test_conclusion import chain_of
from test_controls_once import NoItems
from test_undecided import link

from bot.analyst.citations import Citations
from bot.analyst.controls import control_questions
from bot.analyst.rivals import MAY_END, Rival, why_not
from bot.analyst.suspicion import suspected
from bot.domain.entity import Entity
from bot.domain.signal import Kind

WEB = Entity("Deployment", "web", "shop")
READER = Entity("Deployment", "reader", "shop")
JOB = Entity("CronJob", "overdue-scan", "lib")
EDGE = Entity("Deployment", "edge", "shop")
FELT = signal(Kind.SERVER_ERROR, EDGE, [21.0], length_s=HOUR_S)
ROOT = signal(Kind.ROLLOUT, WEB, [20.0])


def noted(one, note):
    return replace(one, occurrences=tuple(replace(each, note=note) for each in one.occurrences))


RELEASE = noted(signal(Kind.ROLLOUT, READER, [20.5]), "app: 3.1.0 → 3.2.0")
RUN = signal(Kind.JOB_RUN, JOB, [5.0, 10.0])


def told(question, *found, chain=None, doubt=""):
    case = replace(findings(ROOT, RELEASE, RUN, FELT), question=question, test=link)
    return suspected(case, chain, found, Citations(NoItems()), doubt=doubt)


@pytest.mark.parametrize(
    ("question", "whose"),
    [
        ("reader 502s, is it 3.2.0?", "rollout of Deployment shop/reader"),
        ("Is overdue-scan the reason for the 502s?", "job run of CronJob lib/overdue-scan"),
        ("why the 502s?", None),
        ("what broke reader?", None),  # names where it is felt, and suspects nothing
        ("is it 9.9.9?", None),
        ("what caused the 502s of reader?", None),
        ("reader 502s since 14:00", None),
        ("why is reader failing since Tuesday?", None),
        ("reader 502s since the rollout of reader", "rollout of Deployment shop/reader"),
        ("reader 502s, is overdue-scan behind it?", "job run of CronJob lib/overdue-scan"),
    ],
)
def test_a_suspicion_is_found_by_its_version_or_its_name(question, whose):
    """A version names its release; a thing that is suspected what it did; a plain question nothing."""
    rows = told(
        question, Rival(RELEASE, link(RELEASE, FELT), "another failed first"), Rival(RUN, link(RUN, FELT), "none began")
    )
    assert [whose is not None] * len(rows) == [True] * (whose is not None)
    assert all(f"You ask about the {whose} at" in row.question for row in rows)


def test_the_answer_is_the_reports():
    """No with its reason, open with why it cannot be told, yes where the cascade begins with it, and the doubt on a mere lead."""
    tie = link(RELEASE, FELT)
    (out,) = told("is it 3.2.0?", Rival(RELEASE, tie, "another failed first"))
    assert (out.verdict, out.answer) == ("passed", "No: another failed first.")
    (left,) = told("is it 3.2.0?", Rival(RELEASE, tie, "its times fit, too", open=True))
    assert (left.verdict, left.answer) == ("failed", "That cannot be told: its times fit, too.")
    chain = chain_of(RELEASE, FELT)
    assert told("is it 3.2.0?", chain=chain)[0].answer == "Yes, the cascade begins with it."
    (lead,) = told("is it 3.2.0?", chain=chain, doubt="it came once")
    assert (lead.verdict, lead.answer) == ("failed", "That cannot be told: it is on the best lead, but it came once.")


def test_what_ended_it_is_not_asked_as_a_cause():
    """A change made two minutes before the last failure had begun too late to cause it; it may be the undoing, and is told so."""
    undo = signal(Kind.CONFIG_CHANGE, Entity("Ingress", "web", "shop"), [22.0 - 2 / 60])
    reason = why_not(undo, link(undo, FELT), FELT, None)
    assert reason == f"the one episode had begun before it; {MAY_END}"
    earlier = signal(Kind.CONFIG_CHANGE, Entity("Ingress", "web", "shop"), [21.3])
    assert MAY_END not in why_not(earlier, link(earlier, FELT), FELT, None)
    chain = chain_of(ROOT, FELT)
    rows = control_questions(chain, [Rival(undo, link(undo, FELT), reason)], findings(ROOT, FELT), Citations(NoItems()))
    assert not any("Ingress" in row.question for row in rows)
