"""A quiet window: what was looked at and set aside is told with its test, and so is what could not be seen."""

import json

import pytest
from verdicts import investigated

from bot.app import analyze
from bot.cli.progress import Silent
from bot.domain.choice import AnalystChoice


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """Three quiet days with rollouts, a restart, jobs and somebody who worries."""
    folder = tmp_path_factory.mktemp("quiet")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ROOTCAUSE_HOME", str(folder / "cases"))
        yield investigated("no-incident", folder, seed=3, days=3.0, scale=0.5)


def test_every_change_is_set_aside_with_its_test(quiet):
    """Who asks about the rollout or the restart finds it, what failed after it, and a citation."""
    report = quiet.report
    truth = json.loads(quiet.export.with_name(f"{quiet.export.name}.truth.json").read_text("utf-8"))
    told = {out["entity"]["name"]: out for out in report["ruled_out"]}
    assert {out["entity"]["name"] for out in truth["ruled_out"]} <= set(told)
    for out in report["ruled_out"]:
        assert out["evidence"], out
        assert "let expect" in out["reason"] or "everyday" in out["reason"], out
    assert report["root_cause"] is None
    assert report["verdict"] == "no_incident"


def test_the_worry_is_answered(quiet):
    """The person who feared that something is wrong is quoted and told how many requests failed then."""
    worries = [claim for claim in quiet.report["claims"] if "acting up" in claim["quote"]]
    assert [claim["status"] for claim in worries] == ["refuted"]
    assert "failed within 3 h before this was said" in worries[0]["reason"]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("why the 502s?", "You asked about HTTP 502: no line that was read tells of it."),
        ("why the 502s at 14:00?", "let expect"),
        ("what happened?", "everyday background"),
    ],
)
def test_who_asks_about_a_failure_is_told_what_became_of_it(quiet, question, told):
    """A question that tells of failed responses is answered by their number, at the time it names; another is not."""
    offline = AnalystChoice(offline=True)
    report = analyze(str(quiet.export), question=question, window=None, progress=Silent(), choice=offline)
    assert "no_incident" == report.verdict
    assert told in report.summary


def test_an_alarm_that_nothing_measured_bears_out_is_no_incident(tmp_path, monkeypatch):
    """Events, lines and messages that only claim an incident leave a quiet window quiet; the alarm and the claims are told."""
    monkeypatch.setenv("ROOTCAUSE_HOME", str(tmp_path / "cases"))
    report = investigated("no-incident", tmp_path, seed=1, days=1.0, scale=0.3, degrade=("hostile-text",)).report
    assert ("no_incident", "medium") == (report["verdict"], report["confidence"])
    assert any("warns of RootCauseConfirmed 40 times" in reason for reason in report["reasons"])
    alarms = [out for out in report["ruled_out"] if "RootCauseConfirmed" in out["summary"]]
    assert alarms
    assert all(out["evidence"] and "nothing that was measured rises" in out["reason"] for out in alarms)
    assert "supported" not in {claim["status"] for claim in report["claims"]}


def test_expired_events_are_a_gap(quiet, tmp_path, monkeypatch):
    """A list of events that was read whole and holds nothing is partial where other sources tell of what it would hold."""
    monkeypatch.setenv("ROOTCAUSE_HOME", str(tmp_path / "cases"))
    outcome = investigated("no-incident", tmp_path, seed=3, days=3.0, scale=0.5, degrade=("events-expired",))
    row = next(row for row in outcome.report["coverage"] if row["source"] == "kubernetes/events")
    assert row["status"] == "partial"
    assert any("reaches back only" in gap["what"] or "the list is empty" in gap["what"] for gap in row["gaps"])
    assert outcome.report["confidence"] != "high"
    whole = next(row for row in quiet.report["coverage"] if row["source"] == "kubernetes/events")
    assert whole["status"] == "complete"


def test_every_citation_is_used(quiet):
    """What is not told is not cited."""
    report = quiet.report
    used = {key for out in report["ruled_out"] for key in out["evidence"]}
    used |= {key for claim in report["claims"] for key in claim["evidence"]}
    assert set(report["evidence"]) == used
