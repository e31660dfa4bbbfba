"""Long rises with a knee: found and dated where they are, and not where a series only looks like one."""

import numpy as np
import pytest

from bot.signals.ramps import ramp

_STEP_S = 120.0
_TIMES = 1.7e9 + np.arange(720) * _STEP_S


def _rise(knee: int, full: int, top: float = 1000.0, noise: float = 2.0, seed: int = 1):
    level = np.interp(np.arange(720), (0, knee, full, 719), (40.0, 40.0, top, top))
    return level + np.random.default_rng(seed).normal(0, noise, 720)


@pytest.mark.parametrize(("knee", "full"), [(100, 300), (60, 650), (400, 560), (300, 345)])
def test_a_rise_is_dated_at_both_ends(knee, full):
    """Knee and bound are found within three steps, and the levels before and after within a fiftieth of the rise."""
    found = ramp(_TIMES, _rise(knee, full))
    assert found is not None
    assert found.bounded
    assert abs(found.start_s - _TIMES[knee]) <= 3 * _STEP_S
    assert abs(found.end_s - _TIMES[full]) <= 3 * _STEP_S
    assert (40, 1000) == pytest.approx((found.first, found.last), abs=20)


def test_a_rise_that_goes_on_ends_with_the_series():
    """What has no bound yet is not said to have reached one."""
    found = ramp(_TIMES, _rise(200, 719))
    assert found is not None
    assert not found.bounded
    assert found.end_s == _TIMES[-1]


def test_a_disk_that_fills_falls():
    """Free space falls to nothing; the levels keep their sign."""
    found = ramp(_TIMES, 1000.0 - _rise(150, 500), falling=True)
    assert found is not None
    assert (960, 0) == pytest.approx((found.first, found.last), abs=20)
    assert ramp(_TIMES, 1000.0 - _rise(150, 500)) is None


def test_what_is_emptied_in_the_end_has_risen_all_the_same():
    """Somebody makes room after the limit was reached."""
    values = _rise(150, 500)
    values[600:] -= 950
    found = ramp(_TIMES, values)
    assert found is not None
    assert abs(found.start_s - _TIMES[150]) <= 3 * _STEP_S


def test_a_disk_that_is_made_larger_when_it_is_full_had_filled_all_the_same():
    """Behind the fall more is free than there was before it."""
    free = 1000.0 - _rise(150, 500)
    free[600:] += 2500
    found = ramp(_TIMES, free, falling=True)
    assert found is not None
    assert abs(found.start_s - _TIMES[150]) <= 3 * _STEP_S
    assert (960, 0) == pytest.approx((found.first, found.last), abs=20)


@pytest.mark.parametrize("seed", range(20))
def test_noise_walks_tides_steps_and_saws_have_no_knee(seed):
    """Nothing of these is a rise from a level: white noise, a day's tide, a step, a sawtooth, a rise from the first sample on."""
    draw = np.random.default_rng(seed)
    places = np.arange(720)
    noise = draw.normal(0, 5, 720)
    assert ramp(_TIMES, 300 + noise) is None
    assert ramp(_TIMES, 300 + 200 * np.sin(places / 720 * 2 * np.pi + draw.uniform(0, 6)) + noise) is None
    assert ramp(_TIMES, np.where(places < draw.integers(100, 600), 50.0, 500.0) + noise) is None
    assert ramp(_TIMES, (places * draw.integers(3, 8) % 720) + noise) is None
    assert ramp(_TIMES, places + noise) is None


def test_how_far_a_knee_may_be_off_grows_with_the_scatter_before_it():
    """A noisy level hides where a slow rise begins."""
    calm, rough = ramp(_TIMES, _rise(100, 600, noise=1.0)), ramp(_TIMES, _rise(100, 600, noise=30.0))
    assert calm is not None
    assert rough is not None
    assert calm.unsure_s < _STEP_S < rough.unsure_s
