"""Causes that last for hours: judged by where their stretches lie and how bad they are, not by how they begin."""

import random
from dataclasses import replace

import numpy as np
import pytest
from engine_parts import DAY_S, HOUR_S, at, signal, window

from bot.domain.entity import Entity
from bot.domain.link import TEST_TOGETHER
from bot.domain.signal import Kind
from bot.signals.degrees import levels_of
from bot.signals.lasting import TEST_WORST, lasting, within_runs
from bot.signals.links import measure
from bot.signals.trains import Range, train_of

API = Entity("Deployment", "api", "shop")
EDGE = Entity("Deployment", "edge", "shop")
DURING = Range(low_s=0.0, high_s=900.0, anchor="during")


def asked(cause, effect, days=5.0):
    trains = train_of(cause, window(days)), train_of(effect, window(days))
    return lasting(measure(*trains, DURING, window(days)), *trains, DURING, window(days))


def test_what_begins_and_ends_together_is_tied_though_the_cause_stands_out_later():
    """A resolver that logs a tenth of what its client does is seen to fail half an hour later, on each of four days."""
    below = signal(Kind.NAME_RESOLUTION_FAILURE, API, [10.6, 34.7, 58.5, 82.6], length_s=8 * HOUR_S)
    above = signal(Kind.SERVER_ERROR, EDGE, [10.0, 34.0, 58.0, 82.0], length_s=9 * HOUR_S)
    found = asked(below, above)
    assert (TEST_TOGETHER, 4, 0, 0) == (found.test, found.hits, found.misses, found.unexplained)
    assert found.p_value < 1e-3
    assert found.lag is not None
    assert found.lag.median < 0


def test_flickers_around_a_level_do_not_hide_what_lasts():
    """Beside two stretches of nine hours the level is crossed for minutes, again and again, on a third day."""
    mild = signal(Kind.CPU_THROTTLING, API, [30.0, 54.0, 78.0], length_s=17 * HOUR_S)
    flickers = [(at(87.0 + n), at(87.0 + n) + 900.0) for n in range(5)]
    level = ((at(33.5), at(43.0)), (at(57.6), at(67.2)), *flickers)
    errors = signal(Kind.SERVER_ERROR, EDGE, [33.4, 57.7], length_s=9.6 * HOUR_S)
    found = asked(replace(mild, levels=(level,)), errors)
    assert TEST_TOGETHER == found.test
    assert found.p_value < 0.05


def test_a_cause_that_stands_out_long_after_its_effect_is_not_tied():
    """The same hours on the same days, but the effect came first by half of its length."""
    below = signal(Kind.NAME_RESOLUTION_FAILURE, API, [14.5, 38.5, 62.5, 86.5], length_s=8 * HOUR_S)
    above = signal(Kind.SERVER_ERROR, EDGE, [10.0, 34.0, 58.0, 82.0], length_s=9 * HOUR_S)
    assert asked(below, above).p_value > 0.05


def test_it_tells_where_a_daily_trouble_was_worst():
    """Short failures at the worst hour of a trouble that lasts for most of each day; the mild hours alone show nothing."""
    mild = signal(Kind.POD_SHORTFALL, API, [30.0, 54.0, 78.0, 102.0], length_s=17 * HOUR_S)
    worst = tuple((at(hour), at(hour) + 3 * HOUR_S) for hour in (37.0, 61.0, 85.0, 109.0))
    errors = signal(Kind.SERVER_ERROR, EDGE, [38.0, 38.9, 62.0, 85.5, 86.5, 110.0], length_s=900.0)
    assert asked(mild, errors).p_value > 0.05
    found = asked(replace(mild, levels=(worst,)), errors)
    assert TEST_WORST == found.test
    assert found.p_value < 0.01


def test_failures_outside_the_worst_hours_speak_against_them():
    """Half of the failures fall where the trouble was mild: its worst hours explain nothing."""
    mild = signal(Kind.POD_SHORTFALL, API, [30.0, 54.0, 78.0, 102.0], length_s=17 * HOUR_S)
    worst = tuple((at(hour), at(hour) + 3 * HOUR_S) for hour in (37.0, 61.0, 85.0, 109.0))
    errors = signal(Kind.SERVER_ERROR, EDGE, [38.0, 41.9, 45.0, 62.0, 70.0, 93.0], length_s=900.0)
    assert asked(replace(mild, levels=(worst,)), errors).p_value > 0.05


@pytest.mark.parametrize("count", [2, 4, 8])
def test_chance_is_called_a_tie_no_oftener_than_it_says(count):
    """Trains of long stretches, shifted at random against each other: at most one in twenty comes under 0.05."""
    dice, tied, rounds = random.Random(count), 0, 300
    for _ in range(rounds):
        pair = [
            signal(
                kind, place, sorted(dice.uniform(0, 105) for _ in range(count)), length_s=dice.uniform(2, 10) * HOUR_S
            )
            for kind, place in ((Kind.CPU_THROTTLING, API), (Kind.SERVER_ERROR, EDGE))
        ]
        level = tuple((one.start_s + HOUR_S, one.end_s) for one in pair[0].occurrences)
        tied += asked(replace(pair[0], levels=(level,)), pair[1]).p_value <= 0.05
    assert tied <= 0.05 * rounds + 3 * (0.05 * 0.95 * rounds) ** 0.5


def test_levels_lie_within_each_other_and_stop_where_nothing_is_worse():
    """A measure that is nothing at night and peaks at noon: each level is a shorter stretch around the peak."""
    times = np.arange(0.0, 2 * DAY_S, 300.0)
    values = np.maximum(0.0, np.sin((times - 6 * HOUR_S) / DAY_S * 2 * np.pi))
    found = levels_of(times, values, 0.25)
    assert [2, 2, 2] == [len(level) for level in found]
    widths = [level[0][1] - level[0][0] for level in found]
    assert sorted(widths, reverse=True) == widths
    assert () == levels_of(times, np.zeros(len(times)), 0.25)
    assert 1 == len(levels_of(times, (values > 0.5).astype(float), 0.25))


@pytest.mark.parametrize(
    ("late_s", "lasts_s", "expected"),
    [(30, 480, True), (30, 20, False), (30, 900, False), (700, 480, False)],
    ids=["ends with the run", "is over in a moment", "goes on after it", "begins after it"],
)
def test_what_begins_and_ends_within_runs_is_theirs(late_s, lasts_s, expected):
    """A job of ten minutes each four hours, and trouble that keeps to its runs, or does not."""
    hours = [4.0 * n for n in range(1, 9)]
    runs = train_of(signal(Kind.JOB_RUN, Entity("CronJob", "audit", "shop"), hours, length_s=600), window(2))
    felt = train_of(signal(Kind.TIMEOUT, API, [hour + late_s / HOUR_S for hour in hours], length_s=lasts_s), window(2))
    assert expected is within_runs(runs, felt, window(2))
