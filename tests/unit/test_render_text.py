"""The terminal page: the answer first, readable at any width, safe against what logs contain."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st
from rich.cells import cell_len
from sample_report import ANSWER, INCONCLUSIVE, QUIET, REPORT

from bot.cli import words
from bot.cli.render_text import plain_characters, render_answer, render_text
from bot.domain.report import Evidence

PAGES = {"found": REPORT, "thin": INCONCLUSIVE, "quiet": QUIET}


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("name", PAGES)
def test_no_line_is_wider_than_the_screen(name, width):
    """Every line fits, wide characters counted as two cells."""
    assert [line for line in render_text(PAGES[name], width).splitlines() if cell_len(line) > width] == []


def test_the_first_screen_gives_the_answer():
    """Verdict, confidence, summary and the whole chain stand in the first 25 lines."""
    screen = render_text(REPORT, 100).splitlines()[:25]
    assert screen[0][:28] == "CAUSE FOUND  high confidence"
    page = "\n".join(screen)
    for expected in (
        "CronJob billing/ledger-vacuum locks the table",
        "S1 ◆",
        "S4 ■",
        "12 s later (9 s to 14 s) · 12 of 12 times · p < 1e-9",
    ):
        assert expected in page


def test_without_a_palette_there_is_no_escape_and_no_control_character():
    """What logs contain cannot steer the terminal."""
    page = render_text(REPORT, 100)
    assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page) == []
    assert "503 GET /v1/invoices [bold red]not markup[/] evil  `tick` <b>|" in page


def test_with_a_palette_only_colours_are_added():
    """Taking the colours out gives the plain page."""
    coloured = render_text(REPORT, 100, "standard")
    bare = re.sub("\x1b\\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in render_text(REPORT, 100).splitlines()] == [
        line.rstrip() for line in bare.splitlines()
    ]


def test_a_cut_quote_says_how_much_is_missing():
    """Nothing is cut in silence."""
    assert re.search(r" … \+\d+ characters", render_text(REPORT, 100))


def test_a_setting_is_listed_once_for_all_its_steps():
    """What several steps rest on stands in one row, after all of them; one thing's settings share a row."""
    steps = REPORT.cascade.steps
    facts = ("HorizontalPodAutoscaler a/b: minReplicas is 2", "HorizontalPodAutoscaler a/b: maxReplicas is 9")
    cascade = replace(REPORT.cascade, steps=(replace(steps[0], facts=facts), replace(steps[1], facts=facts[:1])))
    page = render_text(replace(REPORT, cascade=cascade), 100)
    assert "  S1 S2  HPA a/b  minReplicas 2 · maxReplicas 9\n" in page


def test_people_who_said_the_same_are_told_together():
    """One judgement, one quote, everybody who said it."""
    first = REPORT.claims[0]
    page = render_text(replace(REPORT, claims=(first, replace(first, author="Ken"))), 140)
    assert "the CNI” Dana, Ken" in page
    assert 1 == page.count("No series of the network moved")


def test_a_sample_says_what_it_is():
    """The value and the series stand beside the bare numbers of a metric's quote."""
    sample = Evidence(
        source="prometheus",
        at=REPORT.window.start,
        entity=REPORT.cascade.steps[0].entity,
        quote='[1794873600,"0.7764"]',
        url=None,
        locator='M5 1440 samples of cpu{pod="x"}',
    )
    page = render_text(replace(REPORT, evidence={"E1": sample}), 100)
    assert '[1794873600,"0.7764"]  = 0.7764 of cpu{pod="x"}' in page


def test_refuted_and_untested_links_are_not_drawn_as_proven():
    """A link that was not supported says so in words."""
    assert "S1 → S4  untested: too few pairs" in render_text(REPORT, 100)


def test_an_inconclusive_report_says_why_and_claims_no_cause():
    """The reasons stand under the summary."""
    page = render_text(INCONCLUSIVE, 100)
    assert page.startswith("INCONCLUSIVE  low confidence")
    assert "  - 2 episodes are too few to test" in page
    assert "How it came about" not in page


def test_a_quiet_window_is_said_to_be_quiet():
    """No incident is an answer of its own."""
    assert render_text(QUIET, 100).startswith("NO INCIDENT  medium confidence")


def test_an_answer_opens_with_its_verdict_and_shows_its_numbers():
    """The follow-up's face: verdict, words, numbers, evidence."""
    page = render_answer(ANSWER, 100)
    assert page.startswith("No. The mailer was killed")
    assert "5 s later · 1 of 1 time · p = 0.4 · shifted times" in page
    assert "Container mailer was OOMKilled" in page


def test_a_terminal_without_drawing_characters_gets_ascii():
    """The chain survives an ASCII terminal."""
    page = plain_characters(render_text(REPORT, 100), "ascii")
    assert page.isascii()
    assert "| v 12 s later (9 s to 14 s) - 12 of 12 times - p < 1e-9" in page


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.integers(min_value=24, max_value=60))
def test_clipped_text_fits_and_carries_no_control(text, cells):
    """Any text becomes one safe line of the asked width."""
    clipped = words.clip(text, cells)
    assert cell_len(clipped) <= cells
    assert re.findall("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", clipped) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "no p-value"), (float("nan"), "no p-value"), (0.0, "p < 1e-9"), (2e-5, "p = 2e-5"), (0.04, "p = 0.04")],
)
def test_p_values_are_said_plainly(value, expected):
    """A p-value of nothing is not a p-value of one."""
    assert expected == words.p_value(value)


def test_long_kinds_are_said_as_people_say_them():
    """Sentences on the screen are short; a resource's own name is left alone."""
    assert "HPA web/x" == words.short("HorizontalPodAutoscaler web/x")
    assert "web/HorizontalPodAutoscaler" == words.short("web/HorizontalPodAutoscaler")


@pytest.mark.parametrize(("count", "expected"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (18_000_000, "18.0 MB")])
def test_sizes_are_decimal(count, expected):
    """Bytes in the units that disks are sold in."""
    assert expected == words.size(count)


def test_how_a_step_was_measured_is_no_setting():
    """What was measured beside a step stands under its own heading, after the settings."""
    first, *rest = REPORT.cascade.steps
    told = replace(
        first, facts=("CronJob a/b: schedule is 0 * * * *", "cpu moves with the symptom over the whole window")
    )
    lines = render_text(replace(REPORT, cascade=replace(REPORT.cascade, steps=(told, *rest))), 100).splitlines()
    settings, measured = lines.index("What makes it possible"), lines.index("How it was measured")
    assert "schedule 0 * * * *" in lines[settings + 1]
    assert "moves with the symptom" in lines[measured + 1]
