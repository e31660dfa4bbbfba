"""Simulated incidents, analyzed from end to end: the cause is right, none is invented, and every quote is verbatim."""

import pytest
from contract import broken_rules
from verdicts import investigated, not_in_case, not_verbatim, original

from bot.casefile.home import CaseHome

INCIDENTS = ("memory-leak", "lock-pool-retry", "expired-certificate", "third-party-outage")
SEEDS = (1, 2, 3, 4, 5)
RIGHT_SHARE = 0.8


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of cases of this test alone."""
    monkeypatch.setenv("ROOTCAUSE_HOME", str(tmp_path / "cases"))
    return CaseHome(tmp_path / "cases")


def assert_sound(outcome, home):
    """The report keeps the contract, and every quote stands in the case's item and in the files of the export."""
    assert [] == broken_rules(outcome.report, "report")
    with home.open(outcome.report["case"]) as case:
        assert [] == not_in_case(outcome.report, case)
    assert [] == not_verbatim(outcome.report, original(outcome.export))


@pytest.mark.parametrize("scenario", INCIDENTS)
def test_an_incident_of_two_days(scenario, home, tmp_path):
    """Two days of one seed are enough for a true cause or an honest open end, and every quote is verbatim."""
    outcome = investigated(scenario, tmp_path, seed=1, days=2.0, scale=0.5)
    assert outcome.right or outcome.report["verdict"] == "inconclusive", outcome.told
    assert_sound(outcome, home)


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_a_quiet_window_gets_no_cause(seed, home, tmp_path):
    """Everyday noise and a worried colleague make no incident."""
    outcome = investigated("no-incident", tmp_path, seed=seed, days=1.0, scale=0.5)
    assert outcome.report["verdict"] in {"no_incident", "inconclusive"}, outcome.told
    assert outcome.report["root_cause"] is None
    assert_sound(outcome, home)


@pytest.mark.full
@pytest.mark.parametrize("seed", SEEDS[:3])
def test_one_kind_of_response_is_asked_for_and_cannot_be_told_from_others(seed, home, tmp_path):
    """Two incidents, the question asks about the 504s, and without logs there is one series of all 5xx: no cause is named."""
    outcome = investigated("two-incidents", tmp_path, seed=seed, degrade=("no-logs",))
    assert "inconclusive" == outcome.report["verdict"], outcome.told
    assert any("cannot be told from other failures" in reason for reason in outcome.report["reasons"])
    assert_sound(outcome, home)


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("scenario", INCIDENTS)
def test_causes_of_five_seeds(scenario, home, tmp_path):
    """Of five seeds each at least four causes are right, and all quotes are verbatim."""
    outcomes = [investigated(scenario, tmp_path, seed=seed) for seed in SEEDS]
    for outcome in outcomes:
        assert_sound(outcome, home)
    wrong = [outcome.told for outcome in outcomes if not outcome.right]
    assert len(wrong) <= (1 - RIGHT_SHARE) * len(SEEDS) + 1e-9, wrong


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_cause_is_invented(seed, home, tmp_path):
    """Five quiet days, five times: never a cause."""
    outcome = investigated("no-incident", tmp_path, seed=seed)
    assert outcome.right, outcome.told
    assert outcome.report["root_cause"] is None
    assert_sound(outcome, home)
