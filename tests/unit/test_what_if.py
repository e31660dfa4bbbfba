"""What another value of a setting would have changed, asked afterwards in people's words."""

from dataclasses import replace

import pytest
from sample_report import REPORT

from bot.analyst.questions import Question
from bot.analyst.subjects import FollowUpContext
from bot.analyst.what_if import what_if
from bot.domain.entity import Entity
from bot.domain.report import Recommendation, to_json
from bot.domain.report_json import report_from_json
from bot.domain.what_if import WhatIf
from bot.domain.window import Window

WEB = Entity("Deployment", "web", "shop")


def counted(setting, unit, present, proposed, points, *, rising=True):
    """Give a setting and what its values would have spared of 214 things."""
    return WhatIf(
        setting=setting,
        entity=WEB,
        unit=unit,
        present=present,
        proposed=proposed,
        things="cut-off requests",
        total=214,
        points=points,
        assumption="they last as long as those logged",
        rising=rising,
    )


GRACE = counted("terminationGracePeriodSeconds", "s", 15.0, 75.0, ((30.0, 60, 60), (45.0, 200, 212), (75.0, 214, 214)))
CPU = counted("limits.cpu", "cores", 0.3, 0.55, ((0.4, 100, 100), (0.55, 213, 213)))
MEMORY = counted("limits.memory", "bytes", 512 * 2.0**20, 2.0**30, ((600 * 2.0**20, 20, 20), (2.0**30, 180, 180)))
RETRIES = counted("retries a call", "", 3.0, 1.0, ((0.0, 214, 214), (1.0, 111, 111), (2.0, 40, 40)), rising=False)
UNDONE = counted(
    "time until it is undone", "s", None, 900.0, ((0.0, 213, 213), (900.0, 150, 150), (3600.0, 12, 12)), rising=False
)
ADVICE = tuple(
    Recommendation(summary=one.setting, rationale="", change=None, effect="", what_if=(one,))
    for one in (GRACE, CPU, MEMORY, RETRIES, UNDONE)
)  # fmt: skip
CONTEXT = FollowUpContext(
    report=replace(REPORT, recommendations=ADVICE),
    window=Window(start=REPORT.window.start, end=REPORT.window.end, asked=""),
    signals=[],
    evidence=None,
    test=None,
    search=None,
)


def told(text, context=CONTEXT):
    """Ask, and give the answer's words."""
    found = what_if(Question(intent="unknown", text=text), context)
    return found and (found.verdict, found.answer)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("what would a grace period of 60s have changed?", "at 60 s would have spared 200 to 212 of 214 cut-off requests"),
        ("What if the grace period had been 1 minute?", "at 60 s would have spared 200 to 212 of 214 cut-off requests"),
        ("how many would a terminationGracePeriodSeconds of 30 have saved?", "at 30 s would have spared 60 of 214 cut-off requests"),
        ("would a grace period of 20 seconds have helped?", "at 20 s would have spared none of 214 cut-off requests"),
        ("what would a cpu limit of 500m have changed?", "at 500m would have spared 100 of 214 cut-off requests"),
        ("what if we had given it 1 core?", "at 1000m would have spared 213 of 214 cut-off requests"),
        ("what would 2Gi of memory have changed?", "at 2048Mi would have spared 180 of 214 cut-off requests"),
        ("what if there were at most 2 retries?", "at 2 would have spared 40 of 214 cut-off requests"),
        ("what would a rollback after 30 minutes have spared?", "at 30 min would have spared 12 of 214 cut-off requests"),
    ],
)  # fmt: skip
def test_a_value_gets_its_number(text, words):
    """The number, the assumption and what was in force; ranges stay ranges."""
    verdict, answer = told(text)
    assert verdict == "answered"
    assert words in answer
    assert "if they last as long as those logged" in answer


def test_what_was_not_counted_is_said_to_be_unknown():
    """Of a setting that nobody counted no number is made up."""
    context = replace(CONTEXT, report=replace(REPORT, recommendations=ADVICE[:1]))
    verdict, answer = told("what would a cpu limit of 2 cores have changed?", context)
    assert verdict == "unknown"
    assert "not counted" in answer
    assert "terminationGracePeriodSeconds of Deployment shop/web" in answer


@pytest.mark.parametrize(
    "text",
    [
        "was the day-3 restart related?",
        "what happened at 14:05?",
        "what would fix it?",
        "is the grace period of 15 s too short?",
        "how many of the 502s came after a run?",
        "what will happen at 18:00?",
    ],
)
def test_other_questions_are_left_to_others(text):
    """Only what would have been is answered here."""
    assert told(text) is None


def test_the_steps_come_back_from_json():
    """A report that is read again answers as the first one did."""
    again = report_from_json(to_json(CONTEXT.report))
    assert again.recommendations == CONTEXT.report.recommendations
