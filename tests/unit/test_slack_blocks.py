"""What Slack shows: short, within every limit, and inert whatever the incident's words are."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st
from sample_report import ANSWER, INCONCLUSIVE, QUIET, REPORT

from bot.domain.chat import Place, Plan, SourceProgress
from bot.domain.entity import Entity
from bot.domain.items import Gap
from bot.domain.report import Evidence, Recommendation, RuledOut
from bot.domain.what_if import WhatIf
from bot.playground.blockcheck import check_blocks, check_view
from bot.slack import modals
from bot.slack.blockkit import BLOCKS_TEXT, clip, fit, plain, section, text_size
from bot.slack.plan_blocks import closed_plan_blocks, plan_blocks
from bot.slack.report_blocks import answer_blocks, answer_text, follow_up_blocks, lines_of
from bot.slack.sanitise import Sanitiser

CLEAN = Sanitiser({"logs.example.com"})
PLACE = Place(enterprise=None, team="T1", channel="C1", thread_ts="1700000000.000001")
NOW = datetime(2026, 3, 5, tzinfo=UTC)
HOSTILE = "<!channel> <@U1> <https://evil.example|x> \u202e\x1b[31m *b* `c` " + "y" * 4000


def hostile_report():
    """Give the report with hostile, endless words in every place."""
    entity = Entity("Deployment", HOSTILE, "<!here>")
    evidence = {
        f"E{n}": Evidence(
            source=HOSTILE, at=NOW, entity=entity, quote=HOSTILE, url="https://evil.example/", locator=HOSTILE
        )
        for n in range(200)
    }
    steps = tuple(
        replace(step, id=f"S{n}", summary=HOSTILE, entity=entity, evidence=("E1",))
        for n, step in enumerate(REPORT.cascade.steps * 10, start=1)
    )
    out = RuledOut(entity=entity, summary=HOSTILE, reason=HOSTILE, test=HOSTILE, evidence=())
    return replace(
        REPORT,
        summary=HOSTILE,
        evidence=evidence,
        cascade=replace(REPORT.cascade, steps=steps),
        ruled_out=(out,) * 50,
        reasons=(HOSTILE,) * 9,
        recommendations=tuple(replace(each, summary=HOSTILE, effect=HOSTILE) for each in REPORT.recommendations),
    )


@pytest.mark.parametrize("report", [REPORT, INCONCLUSIVE, QUIET], ids=["found", "inconclusive", "quiet"])
def test_the_first_screen_holds_at_most_twelve_lines(report):
    """Conclusion, cascade, what to change, buttons and footer, on a screen of 120 characters."""
    assert lines_of(answer_blocks(report, PLACE, CLEAN), 120) <= 12


def test_the_answer_says_what_a_person_needs():
    """Confidence, every step with its lag, the change, what was not seen, the cost and the case."""
    told = json.dumps(answer_blocks(REPORT, PLACE, CLEAN), ensure_ascii=False)
    for words in (
        "high confidence",
        "→ 12 s →",
        "→ 36 s →",
        "→ 47 s →",
        "Replace VACUUM FULL",
        "not seen: jira",
        "$0",
        "c-20260305-lock",
    ):
        assert words in told


@pytest.mark.parametrize(
    "report", [REPORT, INCONCLUSIVE, QUIET, hostile_report()], ids=["found", "inconclusive", "quiet", "hostile"]
)
def test_answers_and_views_keep_slacks_limits(report):
    """Whatever stands in a report, Slack takes it."""
    blocks = answer_blocks(report, PLACE, CLEAN)
    check_blocks(blocks)
    assert len(answer_text(report, CLEAN)) <= 3500
    value = f"{report.case}|C1|1.2"
    page = None
    if report.evidence:
        name, cited = next(iter(report.evidence.items()))
        page = modals.Page(name=name, cited=cited, around=(), at=0, of=len(report.evidence))
    for view in (
        modals.evidence_modal(report, page, value, CLEAN),
        modals.timeline_modal(report, CLEAN),
        modals.ask_modal(report, value, CLEAN),
        modals.new_investigation_modal(),
    ):
        check_view(view, "modal")


def test_how_the_ties_hold_is_folded_away_in_one_part():
    """Which ties are direct, which a clock could make, and what was tested: a line each, where the steps they name stand."""
    (fold,) = (block for block in answer_blocks(REPORT, PLACE, CLEAN) if block["type"] == "container")
    told = [text for child in fold["child_blocks"] if "*Rhythm:*" in (text := child.get("text", {}).get("text", ""))]
    assert "how the ties hold" in fold["title"]["text"]
    lines = told[0].splitlines()
    assert ["Time of day", "Rhythm", "Direct", "Not told apart", "Tested"] == [
        line[3:].partition(":*")[0] for line in lines
    ]
    assert "• *Direct:* S3 → S4 stays with S2 held fixed" == lines[2]


def test_hostile_words_are_inert_in_every_block():
    """No mention, link or control sequence of the incident's survives in what Slack parses."""
    parsed = [each for each in walk(answer_blocks(hostile_report(), PLACE, CLEAN)) if each.get("type") == "mrkdwn"]
    assert parsed
    for each in parsed:
        assert "<!" not in each["text"]
        assert "<@" not in each["text"]
        assert "evil.example|" not in each["text"]
        assert each["verbatim"] is True


def walk(value):
    """Give every object inside blocks."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part)


def test_a_follow_up_that_no_message_holds_quotes_its_question():
    """Verdict first, then the words, then the numbers."""
    told = json.dumps(follow_up_blocks(ANSWER, CLEAN, asked_by="Dana"), ensure_ascii=False)
    assert "Dana asked: Was the day-2 restart related?" in told
    assert "*No, unrelated.*" in told
    assert "1 of 1 hits · p = 0.4" in told


def test_the_plan_shows_sources_gaps_and_the_time_to_go():
    """And, once closed, claims nothing any more."""
    gap = Gap(source="x", what="a file is cut short")
    plan = Plan(
        stage="Reading",
        sources=(SourceProgress(source="kubernetes/logs", state="reading", items=1234, bytes=5_000_000, gaps=(gap,)),),
        started_at=NOW - timedelta(seconds=3),
        window="5d",
        eta_s=4.2,
    )
    told = json.dumps(plan_blocks(plan, PLACE, CLEAN, NOW), ensure_ascii=False)
    for words in (
        "*Reading*",
        "1,234 items",
        "5.0 MB",
        "1 gap: a file is cut short",
        "3 s so far",
        "about 4 s to go",
        "Stop",
    ):
        assert words in told
    closed = json.dumps(closed_plan_blocks(plan, "Done in 3 s.", CLEAN), ensure_ascii=False)
    assert "Stop" not in closed
    check_blocks(plan_blocks(replace(plan, sources=plan.sources * 80, stage=HOSTILE), PLACE, CLEAN, NOW))


def test_a_cut_never_tears_a_link_or_an_escape():
    """What remains is still valid mrkdwn."""
    assert "see …" == clip("see <https://a.example|x> and more", 12)
    assert "a …" == clip("a &amp; b", 6)
    assert len(plain("x" * 999, 150)["text"]) == 150


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=3000), max_size=80))
def test_any_number_of_blocks_fits_a_message(texts):
    """Blocks, and the text in them, stay below Slack's limits, and a cut is said."""
    blocks = fit([section(text) for text in texts], footer=[section("the end")])
    assert len(blocks) <= 50
    assert text_size(blocks) <= BLOCKS_TEXT + 100
    assert "the end" == blocks[-1]["text"]["text"]
    assert len(blocks) == len(texts) + 1 or blocks[-2]["type"] == "context"


def test_a_long_effect_leaves_its_number():
    """Where the sentence does not fit beside a change, what it would have spared still stands there."""
    what = WhatIf(
        setting="limits.cpu",
        entity=Entity("Deployment", "web", "shop"),
        unit="cores",
        present=0.3,
        proposed=0.55,
        things="throttled periods",
        total=90,
        points=((0.55, 80, 85),),
        assumption="nothing else changes",
    )
    long = Recommendation(summary="Raise the CPU limit", rationale="", change=None, effect="x" * 400, what_if=(what,))
    undone = replace(long, what_if=(), spared=sum(each.count for each in REPORT.symptom.episodes))
    shown = json.dumps(answer_blocks(replace(REPORT, recommendations=(long,)), PLACE, CLEAN), ensure_ascii=False)
    assert "would have spared 80 to 85 of 90 throttled periods" in shown
    shown = json.dumps(answer_blocks(replace(REPORT, recommendations=(undone,)), PLACE, CLEAN), ensure_ascii=False)
    assert f"would have spared {undone.spared:,} of {undone.spared:,} failures" in shown


def test_what_is_ruled_out_is_told_with_whose_it_is():
    """A rollout is named with its workload, once."""
    basket = Entity("Deployment", "basket", "shop")
    out = RuledOut(entity=basket, summary="one rollout", reason="nothing followed", test="order", evidence=("E1",))
    noise = replace(out, summary="Calls made by Deployment shop/basket timed out")
    shown = json.dumps(answer_blocks(replace(REPORT, ruled_out=(out, noise)), PLACE, CLEAN), ensure_ascii=False)
    assert "`basket` one rollout: nothing followed" in shown
    assert "• Calls made by Deployment shop/basket timed out" in shown
