"""What happened near the symptom is judged by its times alone; what cannot be judged stays open, for a reason."""

from dataclasses import replace
from datetime import datetime, timedelta

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

RUN_AT = START + timedelta(hours=12)
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


def test_one_of_several_that_was_followed_is_cleared_where_the_cascade_accounts_for_it():
    """A job elsewhere that ran twice and was followed once came near; without an established cause that stays open."""
    twice = [RUN_AT, RUN_AT + timedelta(hours=3)]
    tested = {"status": "supported", "hits": 1, "misses": 1, "unexplained": 0, "effects": 1, "p_value": 0.009}
    text = "was the worker job related?"
    told = judged(Kind.JOB_RUN, WORKER, twice, text, test=weighed(**tested))
    assert ("unrelated", True) == (told.verdict, "accounts for them without it" in told.answer)
    assert "related" == judged(Kind.JOB_RUN, WORKER, twice, text, OPEN, test=weighed(**tested)).verdict
    both = judged(Kind.JOB_RUN, WORKER, twice, text, test=weighed(**{**tested, "hits": 2, "misses": 0}))
    assert "related" == both.verdict


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


def stretched(kind, hours, length_h):
    """Give a signal that lasts."""
    one = signal(kind, WORKER, [START + timedelta(hours=each) for each in hours], "V3", "it")
    ones = tuple(replace(each, end_s=each.start_s + length_h * 3600) for each in one.occurrences)
    return replace(one, occurrences=ones)


@pytest.mark.parametrize(("length_h", "verdict"), [(10, "related"), (23.9, "unknown")])
def test_what_lasted_around_every_episode_is_named_unless_it_lasted_all_the_time(length_h, verdict):
    """Stretches that hold every episode speak for themselves where they do not hold nearly the whole window."""
    felt = replace(FELT, occurrences=tuple(one for one in FELT.occurrences if 6 <= (one.start_s / 3600) % 24 <= 15))
    throttled = stretched(Kind.CPU_THROTTLING, [5 + 24 * day for day in range(5)], length_h)
    fits = {"status": "refuted", "hits": 5, "misses": 0, "effects": 10, "unexplained": 0, "p_value": 1.0}
    told = ask(
        "was the throttling of worker related?",
        signals=[felt, throttled],
        report=OPEN,
        symptom=felt,
        test=weighed(**fits),
    )
    assert verdict == told.verdict
    assert ("began while it lasted" in told.answer) == (verdict == "related")


@pytest.mark.parametrize(("clock_s", "verdict"), [("240", "related"), ("", "unrelated")])
def test_what_clocks_may_have_dated_too_late_is_not_cleared_for_it(clock_s, verdict):
    """A node's failure three minutes after the one episode is no alibi where clocks are four minutes apart."""
    felt = replace(FELT, occurrences=FELT.occurrences[3:4])
    at = datetime.fromtimestamp(felt.occurrences[0].start_s, tz=START.tzinfo)
    failed = signal(Kind.NODE_FAILURE, WORKER, [at + timedelta(minutes=3)], "V3", "it")
    failed = replace(failed, attributes={"clock_s": clock_s} if clock_s else {})
    told = ask(
        "was the node failure related?",
        signals=[felt, failed],
        report=OPEN,
        symptom=felt,
        test=weighed(status="refuted", hits=0, misses=1, effects=1, unexplained=1),
    )
    assert verdict == told.verdict
    assert ("may be off by 4 min" in told.answer) == bool(clock_s)


def test_a_rollout_without_trouble_of_its_own_is_no_rival_of_an_established_cause():
    """Minutes before one episode of many, and nothing wrong at its own pods: the time alone is a coincidence."""
    rolled = signal(Kind.ROLLOUT, WORKER, [RUN_AT + timedelta(minutes=20)], "V3", "it")
    broken = signal(Kind.CRASH_LOOP, WORKER, [RUN_AT + timedelta(minutes=22)], "V3", "it")
    ties = {"status": "supported", "hits": 1, "misses": 0, "effects": 19, "unexplained": 18}
    asked = "was the rollout of worker related?"
    calm = ask(asked, signals=[RUN, DOWN, FELT, rolled], symptom=FELT, test=weighed(**ties))
    assert ("unrelated", True) == (calm.verdict, "nothing went wrong at worker itself" in calm.answer)
    assert (
        "related" == ask(asked, signals=[RUN, DOWN, FELT, rolled, broken], symptom=FELT, test=weighed(**ties)).verdict
    )
