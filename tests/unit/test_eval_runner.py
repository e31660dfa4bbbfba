"""The runner: every case in its own process, a failing engine counted and not fatal, the same seed the same scores."""

from pathlib import Path

import pytest

from bot.errors import UsageError
from bot.evals.runner import Plan, modes_of, plan, run


class Oracle:
    """An engine that finds nothing, and breaks where the question says so."""

    def analyze(self, export, home, question):
        """Report no incident."""
        if question:
            raise RuntimeError("broken")
        return {
            "case": "c", "verdict": "no_incident", "confidence": "low", "summary": "", "root_cause": None, "ruled_out": [],
            "cascade": {"steps": []}, "evidence": {"E1": {"quote": next(Path(export).rglob("*.log")).read_text().splitlines()[0]}},
        }  # fmt: skip

    def ask(self, home, case, question):
        """Know nothing."""
        return {"verdict": "unrelated", "answer": "", "evidence": {}}


def test_results_come_in_order_with_measures_and_failures():
    """A quiet window is judged right; the scenario with a question breaks this engine, and only that row says so."""
    told = []
    todo = plan(["no-incident", "two-incidents"], [3], ["plain"], days=0.3, jobs=2)
    results = run(todo, Oracle(), told.append)
    assert results == told
    quiet, broken = results
    assert ("right", 1) == (quiet.score.outcome, quiet.score.quotes.good)
    assert quiet.peak_mb >= 0
    assert (None, "RuntimeError: broken") == (broken.score, broken.error)


def test_a_plan_is_checked_before_anything_runs():
    """Unknown scenarios and modes are refused in words; nothing named means all scenarios, plain."""
    with pytest.raises(UsageError, match="no scenario"):
        plan(["nope"], [], [], days=1, jobs=1)
    with pytest.raises(UsageError, match="no way to degrade"):
        plan([], [], ["no-logs+nope"], days=1, jobs=1)
    everything = plan([], [], [], days=1, jobs=1)
    assert ("plain",) == everything.variants
    assert len(everything.scenarios) >= 17
    assert len(plan([], [], ["all"], days=1, jobs=1).variants) >= 8
    assert ("no-logs", "no-events") == modes_of("no-logs+no-events")


def test_seeds_may_be_taken_in_turn():
    """Every variant of every scenario is run once, and every seed has its share."""
    todo = Plan(scenarios=("a", "b", "c"), seeds=(7, 8), variants=("x", "y"), in_turn=True)
    assert [(case.scenario, case.variant, case.seed) for case in todo.cases()] == [
        ("a", "x", 7), ("a", "y", 8), ("b", "x", 8), ("b", "y", 7), ("c", "x", 7), ("c", "y", 8),
    ]  # fmt: skip
    assert 12 == len(Plan(scenarios=("a", "b", "c"), seeds=(7, 8), variants=("x", "y")).cases())
