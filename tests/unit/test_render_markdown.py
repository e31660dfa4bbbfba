"""The Markdown face."""

import re

from sample_report import ANSWER, QUIET, REPORT

from bot.pages.markdown import render_answer_markdown, render_markdown


def test_the_page_has_every_part_of_the_report():
    """Headings in the order a reader needs them."""
    headings = re.findall(r"^#+ (.+)$", render_markdown(REPORT), re.MULTILINE)
    expected = [
        "Cause found: high confidence",
        "Cascade",
        "What to change",
        "Next, if nothing changes",
        "Made it worse, did not start it",
        "Ruled out",
        "Control questions",
        "What people said",
        "What was read",
        "What was not seen, and what holds the confidence down",
        "Episodes of the symptom",
        "Evidence",
    ]
    assert expected == headings


def test_foreign_text_makes_no_link_and_no_markup():
    """A log line or a chat message cannot put a link or a tag into a ticket."""
    page = render_markdown(REPORT)
    outside_code = re.sub(r"(`+).+?\1", "", page)
    assert "](" not in outside_code
    assert "<b>" not in outside_code
    assert "\x1b" not in page
    assert "`tick`" in page


def test_table_cells_do_not_break_their_row():
    """Every row of a table has as many cells as its head."""
    rows = [line for line in render_markdown(REPORT).splitlines() if line.startswith("| S")]
    assert {8} == {len(re.findall(r"(?<!\\)\|", row)) for row in rows}


def test_a_quiet_window_has_no_cascade():
    """What is not there has no heading."""
    assert "## Cascade" not in render_markdown(QUIET)


def test_an_answer_is_a_short_page():
    """Question, answer, verdict, evidence."""
    assert render_answer_markdown(ANSWER).startswith("**Was the day-2 restart related?**\n\nNo. The mailer")
