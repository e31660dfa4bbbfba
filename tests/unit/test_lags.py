"""How far ahead of a target a series moves, with the memory of both counted against it."""

import numpy as np
import pytest

from bot.signals.lags import Lags, detrended
from bot.signals.levels import fast_length

STEP_S = 60.0
COUNT = 4000
TIMES = 1_763_769_600.0 + np.arange(COUNT) * STEP_S


def walk(draw, memory):
    """Make a series that remembers: each value is mostly the one before."""
    noise = draw.normal(0, 1, COUNT)
    values = np.zeros(COUNT)
    for at in range(1, COUNT):
        values[at] = memory * values[at - 1] + noise[at]
    return values


@pytest.mark.parametrize("ahead", [-37, 0, 5, 110])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_lag_is_found_to_the_step(ahead, sign):
    """A series that is the target shifted, under twice as much noise, is found with its sign, before or after."""
    draw = np.random.default_rng(ahead + 50)
    target = draw.normal(0, 1, COUNT)
    series = sign * np.roll(target, -ahead) + draw.normal(0, 2, COUNT)
    found = Lags(target, STEP_S, 7200).of(series)
    assert found.ahead_s == ahead * STEP_S
    assert np.sign(found.correlation) == sign
    assert found.p_value < 1e-9


def test_series_that_have_nothing_to_do_with_each_other_are_told_so():
    """Of three hundred pairs with long memories, about as many pass one in a hundred as should; taken for independent, most would."""
    draw = np.random.default_rng(7)
    found = [Lags(walk(draw, 0.97), STEP_S, 7200).of(walk(draw, 0.97)) for _ in range(300)]
    assert sum(one.p_value < 0.01 for one in found) <= 6
    assert np.median([one.samples for one in found]) < COUNT / 10


def test_two_that_repeat_are_no_evidence_for_each_other():
    """Two trains of pulses with one period always match at some lag, which tells nothing."""
    draw = np.random.default_rng(3)
    one, other = np.zeros(COUNT), np.zeros(COUNT)
    one[100::200], other[140::200] = 1.0, 1.0
    found = Lags(one, STEP_S, 7200).of(other + draw.normal(0, 0.05, COUNT))
    assert found.ahead_s == -40 * STEP_S
    assert found.p_value > 0.5


def test_a_common_daily_cycle_is_no_lag():
    """Two series that both follow the day have nothing in common once the day is taken off."""
    draw = np.random.default_rng(5)
    day = np.sin(2 * np.pi * TIMES / 86_400)
    one, other = (10 + 5 * day + draw.normal(0, 1, COUNT) for _ in range(2))
    assert Lags(detrended(TIMES, one), STEP_S, 7200).of(detrended(TIMES, other)).p_value > 0.01


@pytest.mark.parametrize("flat", [np.zeros(COUNT), np.full(COUNT, 1e6)])
def test_what_never_moves_has_no_lag(flat):
    """A flat series, or a flat target, is not measured."""
    moving = np.random.default_rng(1).normal(0, 1, COUNT)
    assert Lags(moving, STEP_S, 7200).of(flat) is None
    assert Lags(flat, STEP_S, 7200).of(moving) is None


def test_lengths_that_transform_fast():
    """The smallest number with no prime factor over 5."""
    smooth = sorted({2**a * 3**b * 5**c for a in range(12) for b in range(8) for c in range(6)})
    assert [fast_length(n) for n in range(1, 500)] == [next(s for s in smooth if s >= n) for n in range(1, 500)]
