"""What happened near the symptom is judged by its times alone; what cannot be judged stays open, for a reason."""

from dataclasses import replace
from datetime import timedelta

import pytest
from test_followup import (
    DOWN,
    END,
    FELT,
    JOB,
    OOM,
    REPORT,
    RUN,
    START,
    WORKER,
    ask,
    later,
    pair_test,
    signal,
)

from bot.domain.items import SourceCoverage
from bot.domain.report import Cascade
from bot.domain.signal import Kind

OPEN = replace(REPORT, verdict="inconclusive", root_cause=None, cascade=Cascade())


def weighed(**changes):
    """Give a test of a pair with other numbers."""
    return lambda _cause, _effect: replace(pair_test(OOM, FELT), **changes)


def judged(kind, entity, times, text, report=REPORT, **changes):
    """Ask about a signal beside the symptom."""
    one = signal(kind, entity, times, "V3", "it")
    tested = {"test": weighed(), **changes}
    return ask(text, signals=[RUN, DOWN, FELT, one], report=report, symptom=FELT, **tested)


def test_a_lasting_change_is_not_cleared_for_coming_early():
    """Without an established cause, a rollout a day before may be at work still; with one, it is unrelated."""
    early = [START + timedelta(hours=1)]
    told = judged(Kind.ROLLOUT, WORKER, early, "was the rollout of worker related?", OPEN)
    assert ("unknown", True) == (told.verdict, "what was changed stays" in told.answer)
    assert "unrelated" == judged(Kind.ROLLOUT, WORKER, early, "was the rollout of worker related?").verdict
    assert "unrelated" == judged(Kind.OOM_KILL, WORKER, early, "was the OOM of worker related?", OPEN).verdict


def test_what_sources_forget_is_not_held_against_anything():
    """Kills seen only since events reach back, long after the symptom began, prove nothing."""
    row = SourceCoverage(
        source="kubernetes/events", status="complete", items=1, bytes=1, first_at=END - timedelta(hours=1), last_at=END
    )
    late = replace(signal(Kind.OOM_KILL, WORKER, [END - timedelta(minutes=50)], "V3", "it"), source="kubernetes/events")
    told = ask("was the oom related?", signals=[FELT, late], report=replace(OPEN, coverage=(row,)), symptom=FELT)
    assert ("unknown", True) == (told.verdict, "reaches back only to" in told.answer)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"status": "supported", "hits": 1, "misses": 4, "effects": 19, "unexplained": 18}, "unrelated"),
        ({"status": "supported", "hits": 4, "misses": 1, "effects": 19, "unexplained": 18}, "related"),
    ],
)
def test_a_tie_that_few_speak_for_is_chance_where_the_cascade_accounts_for_all(changes, verdict):
    """One hit of five among many pairs is no tie; most of its times is."""
    told = judged(Kind.OOM_KILL, WORKER, later(20)[:5], "is worker related?", test=weighed(**changes))
    assert verdict == told.verdict


def test_what_most_episodes_fit_is_named_only_where_nothing_better_is_known():
    """Every time followed, none without, yet too few for proof: maybe; by chance as likely as not: open."""
    fits = {"status": "refuted", "hits": 19, "misses": 0, "effects": 19, "unexplained": 0}
    kills = later(20)
    told = judged(Kind.OOM_KILL, WORKER, kills, "is worker related?", OPEN, test=weighed(p_value=0.1, **fits))
    assert ("related", True) == (told.verdict, told.answer.startswith("It may be"))
    assert (
        "unknown"
        == judged(Kind.OOM_KILL, WORKER, kills, "is worker related?", OPEN, test=weighed(p_value=1.0, **fits)).verdict
    )


@pytest.mark.parametrize(("hours", "verdict"), [(4, "related"), (2, "unrelated"), (7, "unrelated")])
def test_a_change_of_the_root_before_it_began_may_have_set_it_off(hours, verdict):
    """Six hours in, the job begins: changed two hours before, maybe; after less quiet than it waited, or later, not."""
    told = judged(
        Kind.CONFIG_CHANGE, JOB, [START + timedelta(hours=hours)], "was the config change of orders-etl related?"
    )
    assert verdict == told.verdict
