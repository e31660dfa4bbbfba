"""The test of a pair: it sees what follows, and does not see what merely stands near."""

import random
from dataclasses import replace

import pytest

from bot.domain.entity import Entity
from bot.domain.link import LinkTest
from bot.domain.signal import BACK, Kind
from bot.signals.links import judge, measure as measure_trains
from bot.signals.trains import Range, train_of
from tests.unit.engine_parts import DAY_S, HOUR_S, signal, window

JOB = Entity("CronJob", "reports", "batch")
WEB = Entity("Deployment", "web", "shop")


def measure(cause, effect, lag, span) -> LinkTest:
    return measure_trains(train_of(cause, span), train_of(effect, span), lag, span)


SOON = Range(low_s=0.0, high_s=900.0)


def test_an_effect_that_follows_every_cause_is_supported_with_its_lag():
    """Ten causes, each followed after about five minutes: ten hits, the median lag, a tiny p-value."""
    rng = random.Random(3)
    starts = sorted(rng.uniform(0, 118) for _ in range(10))
    cause = signal(Kind.JOB_RUN, JOB, starts)
    effect = signal(Kind.SERVER_ERROR, WEB, [hour + rng.uniform(280, 320) / HOUR_S for hour in starts])
    test = measure(cause, effect, SOON, window())
    assert (test.hits, test.misses, test.unexplained) == (10, 0, 0)
    assert test.lag is not None
    assert test.lag.median == pytest.approx(300, abs=15)
    assert test.p_value is not None
    assert test.p_value < 1e-8
    assert judge(test, test.p_value).status == "supported"


def test_independent_trains_are_rarely_called_tied():
    """Two trains that have nothing to do with each other pass the 5 % mark in about one pair in twenty, not more."""
    rng = random.Random(11)
    passed = 0
    for _ in range(200):
        cause = signal(Kind.JOB_RUN, JOB, sorted(rng.uniform(0, 118) for _ in range(12)))
        effect = signal(Kind.SERVER_ERROR, WEB, sorted(rng.uniform(0, 118) for _ in range(12)))
        test = measure(cause, effect, SOON, window())
        passed += test.p_value is not None and test.p_value <= 0.05
    assert passed <= 16


def test_one_event_near_nothing_is_refuted():
    """An event that no episode follows is refuted, however many episodes there are elsewhere."""
    oom = signal(Kind.OOM_KILL, Entity("Deployment", "mailer", "shop"), [51.2])
    errors = signal(Kind.SERVER_ERROR, WEB, [6.0 * step + 1 for step in range(20)])
    test = measure(oom, errors, SOON, window())
    assert test.hits == 0
    assert judge(test, test.p_value).status == "refuted"


def test_effects_before_their_causes_do_not_count():
    """What precedes is no effect: reversing a perfect pair leaves no hits."""
    causes = [6.0 * step + 1 for step in range(15)]
    first = signal(Kind.JOB_RUN, JOB, causes)
    second = signal(Kind.SERVER_ERROR, WEB, [hour + 0.1 for hour in causes])
    assert measure(second, first, SOON, window()).hits == 0


def test_a_change_that_stays_in_force_is_tested_by_rates_before_and_after():
    """Kills that come only after a rollout tie to it; kills on both sides of it do not."""
    rollout = signal(Kind.ROLLOUT, WEB, [48.0])
    since = Range(low_s=0.0, high_s=DAY_S, anchor="since")
    after = measure(rollout, signal(Kind.OOM_KILL, WEB, [52, 57, 63, 70, 77, 85, 92, 100, 110]), since, window())
    both = measure(rollout, signal(Kind.OOM_KILL, WEB, [3, 11, 20, 30, 41, 52, 63, 77, 92, 110]), since, window())
    assert after.p_value is not None
    assert both.p_value is not None
    assert after.p_value < 0.05 < both.p_value


def test_the_next_change_may_leave_what_the_first_broke():
    """Failures set in with the first of two rollouts and go on over the second, which changed something else."""
    rollouts = signal(Kind.ROLLOUT, WEB, [37.0, 63.0])
    errors = signal(
        Kind.SERVER_ERROR, WEB, [37.02, 39.0, 44.0, 58.0, 61.0, 66.0, 71.0, 85.0, 99.0, 110.0], length_s=1800
    )
    found = measure(rollouts, errors, Range(low_s=0.0, high_s=6 * HOUR_S, anchor="since"), window())
    assert found.p_value < 0.01
    assert 0 == found.unexplained


def test_what_passes_with_a_change_says_nothing_of_what_recurs_hours_later():
    """Starting pods take CPU for five minutes; that a neighbour takes it six times from three hours on is not the rollout's."""
    rollout = signal(Kind.ROLLOUT, WEB, [10.0])
    busy = signal(Kind.CPU_SATURATION, WEB, [10.01, 13.0, 34.0, 61.0, 67.0, 88.0, 109.0], length_s=300)
    lasts = signal(Kind.CPU_SATURATION, WEB, [10.01, 10.5, 11.1, 11.9, 34.0, 61.0, 88.0], length_s=300)
    since = Range(low_s=0.0, high_s=6 * HOUR_S, anchor="since")
    passing, staying = (measure(rollout, one, since, window()) for one in (busy, lasts))
    assert staying.p_value < 0.01 < passing.p_value
    assert 0 == passing.unexplained


def test_more_cause_brings_more_effect_is_reported():
    """Where sizes vary on both sides and rise together, the dose–response stands in the test."""
    hours = [4.0 * step + 1 for step in range(20)]
    sizes = [float(1 + (step * 7) % 19) for step in range(20)]
    cause = signal(Kind.SCALE_DOWN, WEB, hours, sizes=sizes)
    effect = signal(Kind.CONNECTION_RESET, WEB, [hour + 0.02 for hour in hours], sizes=[3 * size for size in sizes])
    test = measure(cause, effect, SOON, window())
    assert test.dose is not None
    assert test.dose.rho > 0.95


def test_a_pair_without_occurrences_is_not_tested():
    """Nothing to hold against anything is untested, which is not the same as refuted."""
    test = measure(signal(Kind.JOB_RUN, JOB, []), signal(Kind.SERVER_ERROR, WEB, [1.0]), SOON, window())
    assert test.status == "untested"
    assert test.p_value is None


def test_what_lasts_has_its_later_effects_as_well_as_the_first():
    """One cause that lasts, two effects within it: the first dates the tie, and the second is not left unexplained."""
    cause = signal(Kind.BAD_CONFIG, JOB, [40.0], length_s=4 * HOUR_S)
    effect = signal(Kind.SERVER_ERROR, WEB, [40.01, 42.0], length_s=600)
    test = measure(cause, effect, Range(low_s=0.0, high_s=600.0, anchor="during"), window())
    assert (test.hits, test.misses, test.unexplained) == (1, 0, 0)
    assert test.p_value < 0.01


@pytest.mark.parametrize(("hours", "chance"), [(0.4, 0.4 / 120), (4.0, 8 * 4.0 / 120), (30.0, 1.0)])
def test_what_comes_later_than_usual_is_asked_of_that_many_more_ranges(hours, chance):
    """A change's effect is looked for in the whole window, but each further half hour is one more place to have found it."""
    cause, effect = signal(Kind.ROLLOUT, WEB, [10.0]), signal(Kind.SCHEDULING_FAILURE, WEB, [10.0 + hours])
    test = measure(cause, effect, Range(low_s=0.0, high_s=1800.0, anchor="since"), window())
    assert (1, pytest.approx(hours * HOUR_S)) == (test.hits, test.lag.median)
    assert pytest.approx(chance, rel=0.01) == test.p_value


IN_FORCE = Range(low_s=0.0, high_s=21_600.0, anchor="since")


def undone(begun, ended):
    """Give a change of one hour and its undoing of another."""
    first, second = (one := signal(Kind.ROLLOUT, WEB, [begun, ended])).occurrences
    return replace(one, occurrences=(first, replace(second, note=f"{BACK}app: 2 → 1")))


@pytest.mark.parametrize(("ended", "shown"), [(22.02, True), (25.0, False)], ids=["with it", "hours later"])
def test_what_ends_with_an_undoing_began_with_the_change(ended, shown):
    """A change that took hours to be felt is shown by how it ended; the same change without an undoing, or undone later, is not."""
    felt = signal(Kind.SERVER_ERROR, WEB, [20.0], length_s=7200)
    span = window(2.0)
    p_value = measure(undone(17.0, ended), felt, IN_FORCE, span).p_value
    assert shown is (p_value < 0.02)
    assert measure(signal(Kind.ROLLOUT, WEB, [17.0, ended]), felt, IN_FORCE, span).p_value > 0.05


def test_undoings_at_random_times_show_nothing():
    """Of changes that are undone, and troubles that begin and end, at any time, no more pass than the level allows."""
    rng, passed, count = random.Random(17), 0, 400
    for _ in range(count):
        begun, ended = sorted(rng.uniform(0, 47) for _ in range(2))
        at, long_h = rng.uniform(0, 40), rng.uniform(0.1, 7)
        felt = signal(Kind.SERVER_ERROR, WEB, [at], length_s=3600 * long_h)
        passed += (measure(undone(begun, ended), felt, IN_FORCE, window(2.0)).p_value or 1.0) <= 0.05
    assert passed <= 0.06 * count
