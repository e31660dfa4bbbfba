"""The JSON face and its way back."""

import json
from dataclasses import replace

import pytest
from sample_report import ANSWER, INCONCLUSIVE, QUIET, REPORT

from bot.cli.render_json import render_json
from bot.domain.report import to_json
from bot.domain.report_json import answer_from_json, report_from_json
from bot.errors import CaseError


@pytest.mark.parametrize("report", [REPORT, INCONCLUSIVE, QUIET], ids=lambda each: each.verdict)
def test_a_report_comes_back_from_its_json_as_it_was(report):
    """Nothing is lost between the program that writes a case and the one that shows it."""
    assert report == report_from_json(json.loads(render_json(report)))


def test_an_answer_comes_back_from_its_json_as_it_was():
    """The same for a follow-up."""
    assert answer_from_json(json.loads(render_json(ANSWER))) == ANSWER


def test_the_document_opens_with_its_schema():
    """A reader can tell at once what it holds."""
    assert next(iter(json.loads(render_json(REPORT)))) == "schema"


def test_json_is_ascii_so_that_no_log_line_reaches_the_terminal_raw():
    """Control characters and direction marks are escaped."""
    assert render_json(REPORT).isascii()


def test_numbers_json_cannot_say_become_null():
    """NaN is no JSON."""
    link = replace(REPORT.cascade.links[0], p_value=float("nan"))
    report = replace(REPORT, cascade=replace(REPORT.cascade, links=(link,)))
    assert json.loads(render_json(report))["cascade"]["links"][0]["p_value"] is None


def test_a_document_of_another_schema_is_refused_in_words():
    """A newer program's case is not misread."""
    with pytest.raises(CaseError, match="update the program"):
        report_from_json({**to_json(REPORT), "schema": "rootcause.report/2"})


@pytest.mark.parametrize(
    "damage",
    [{"window": None}, {"verdict": "perhaps"}, {"cascade": {"steps": {}}}, {"evidence": [1]}, {"case": 7}],
    ids=str,
)
def test_a_damaged_document_is_refused_in_words(damage):
    """Half a report is no report."""
    with pytest.raises(CaseError, match="damaged"):
        report_from_json({**to_json(REPORT), **damage})


def test_fields_of_a_later_program_are_ignored():
    """Additions do not break older readers."""
    assert report_from_json({**to_json(REPORT), "mood": "calm"}) == REPORT
