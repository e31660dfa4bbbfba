"""A whole case in a token budget: the story's, all of it and less than all of it."""

import re
from dataclasses import replace

import numpy as np
import pytest
from readme import FIXTURE, ROOT

from bot.analyst.packing import pack
from bot.analyst.packing_read import read_lines
from bot.analyst.packing_text import FENCE
from bot.analyst.packing_tokens import estimate
from bot.casefile.home import CaseHome
from bot.investigation.investigate import investigate
from bot.investigation.packing import material_of, pack_case
from bot.redaction.gate import Gate
from bot.sources.export import ExportSource


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Investigate the story once."""
    home = CaseHome(tmp_path_factory.mktemp("home"))
    report = investigate(
        [ExportSource(ROOT / FIXTURE)], home, question=None, window=None, progress=lambda _stage, _done, _all: None
    )
    with home.open(report.case) as opened:
        yield opened


def gate():
    """Make a gate with a key of its own."""
    return Gate(b"a key for the tests of packing...")


def logs(packed):
    """Give the rows of the log section."""
    return next(section.text for section in packed.sections if section.name == "logs").split("\n")


def test_the_whole_story_fits_and_every_line_comes_back(case):
    """Nothing is cut, and each line has its id, its time and its very text."""
    packed = pack_case(case, gate())
    assert packed.whole
    back = {line.id: line for line in read_lines(logs(packed))}
    columns = case.columns()
    expected = {
        f"L{number}": (int(columns.times_ns[number - 1]) // 10**6, text)
        for number, text in case.texts_of(range(1, len(columns.times_ns) + 1))
    }
    assert expected == {key: (line.time_ms, line.text) for key, line in back.items()}
    assert {row.read for row in packed.coverage(case.coverage()) if row.source == "kubernetes/logs"} == {
        "all 7,665 lines"
    }


def test_it_costs_half_of_the_raw_text_at_most(case):
    """By the estimate that both are measured with: logs alone, and everything."""
    packed = pack_case(case, gate())
    raw = "\n".join(item.raw.decode() for item in case.lines_of(range(1, len(case.columns().times_ns) + 1)))
    assert estimate("\n".join(logs(packed))) < 0.55 * estimate(raw)
    others = "\n".join(item.raw.decode() for letter in "VOMCJ" for item in case.stored(letter))
    assert packed.tokens < 0.45 * (estimate(raw) + estimate(others))


def test_the_same_case_gives_the_same_bytes(case):
    """So that a cache holds; another order has the same rows."""
    first, again, mixed = pack_case(case, gate()), pack_case(case, gate()), pack_case(case, gate(), order=1)
    assert first.blocks == again.blocks
    assert first.blocks != mixed.blocks
    assert sorted(line.text for line in read_lines(logs(first))) == sorted(
        line.text for line in read_lines(logs(mixed))
    )


@pytest.mark.parametrize("budget", [20_000, 60_000, 150_000])
def test_a_small_budget_is_kept_and_every_cut_is_said(case, budget):
    """What tells of failure and what is rare stays; the ledger says how much of the rest."""
    packed = pack_case(case, gate(), budget=budget)
    assert 0.6 * budget < packed.tokens <= budget
    assert not packed.whole
    ledger = next(section.text for section in packed.sections if section.name == "ledger")
    assert re.search(r"kubernetes/logs: .*here: [\d.]+ % of 7,665 lines: .*failures", ledger)


def test_every_template_is_there_before_any_is_there_twice(case):
    """Also where one line in thirty fits."""
    material = material_of(case, gate())
    packed = pack_case(case, gate(), budget=150_000)
    shown = {int(line.id[1:]) for line in read_lines(logs(packed))}
    assert len({int(material.lines.template[n - 1]) for n in shown}) == len(set(material.lines.template.tolist()))
    assert material.cited <= shown


def test_what_signals_rest_on_never_pushes_a_template_out(case):
    """Also where they rest on more lines than there is room for."""
    material = material_of(case, gate())
    template = np.asarray(material.lines.template)
    often = np.argsort(-np.bincount(template))[:20]
    crowded = replace(material, cited=frozenset((np.flatnonzero(np.isin(template, often)) + 1).tolist()))
    packed = pack(crowded, redact=gate().mask, budget=150_000)
    shown = {int(line.id[1:]) for line in read_lines(logs(packed))}
    assert len({int(material.lines.template[n - 1]) for n in shown}) == len(set(material.lines.template.tolist()))


def test_economy_is_the_digest(case):
    """No manifest, no sample, every template once, within what a person would skim."""
    packed = pack_case(case, gate(), economy=True)
    assert packed.tokens <= 60_000
    assert {"templates", "measured", "chat", "tickets"} <= {section.name for section in packed.sections}
    assert "logs" not in {section.name for section in packed.sections}
    # most templates stand there, each once
    rows = next(section.text for section in packed.sections if section.name == "templates").split("\n")
    templates = len(set(material_of(case, gate()).lines.template.tolist()))
    assert 0.5 * templates < sum("×" in row for row in rows) <= templates


def test_a_digest_is_filled_with_templates_before_events(case):
    """Also where it is smaller: half of it is theirs."""
    packed = pack_case(case, gate(), economy=True, budget=20_000)
    sizes = {section.name: section.tokens for section in packed.sections}
    assert sum(sizes.values()) <= 20_000
    assert sizes["templates"] > max(sizes["events"], sizes["series"])


def test_sections_end_where_we_end_them(case):
    """Each element opens and closes once, at the beginning of a row."""
    text = pack_case(case, gate(), budget=40_000).text
    opened, closed = (
        len(re.findall(f"^<{FENCE} ", text, re.MULTILINE)),
        len(re.findall(f"^</{FENCE}>$", text, re.MULTILINE)),
    )
    assert opened == closed == text.count(f"</{FENCE}>")


def test_a_series_that_repeats_says_how_often(case):
    """The nodes' load comes with the job, whatever is left of its samples."""
    for packed in (pack_case(case, gate()), pack_case(case, gate(), economy=True)):
        rows = next(section.text for section in packed.sections if section.name == "series").split("\n")
        assert "  repeats every 6 h" in rows
