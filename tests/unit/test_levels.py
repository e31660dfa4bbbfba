import numpy as np
import pytest

from bot.signals.levels import daily_profile, robust_level, slot_profile, smooth_profile

_DAYS = np.arange(0, 5 * 86_400.0, 60.0)


def test_level_ignores_outliers_and_nan():
    """One wild value and gaps move neither the median nor the deviation much."""
    values = np.concatenate((np.tile([9.0, 10.0, 11.0], 100), [1e9, np.nan, np.inf]))
    level = robust_level(values)
    assert (301, 10.0) == (level.count, level.median)
    assert 1.0 < level.sigma < 2.0


def test_level_of_nothing_is_harmless():
    """An empty or constant series has a level and a deviation above zero."""
    assert robust_level(np.array([])).sigma > 0
    assert robust_level(np.full(50, 7.0)).sigma > 0


def test_daily_profile_survives_a_lasting_shift():
    """A shift on day three does not become part of what is normal by time of day."""
    wave = 3 * np.sin(2 * np.pi * _DAYS / 86_400)
    shifted = wave + np.where(_DAYS > 2.6 * 86_400, 8.0, 0.0)
    assert np.abs(daily_profile(_DAYS, shifted) - wave).max() < 1.0


def test_a_short_series_has_no_profile():
    """Two days cannot tell a habit from an accident."""
    times = _DAYS[:2000]
    assert not daily_profile(times, np.sin(times)).any()


def test_smooth_profile_leaves_a_regular_job_out():
    """A job every six hours for forty minutes does not bend the smooth profile."""
    job = np.where(_DAYS % 21_600 < 2_400, 10.0, 0.0)
    assert np.abs(smooth_profile(_DAYS, job)).max() < 0.5


@pytest.mark.parametrize("kept", [1.0, 0.9, 0.3])
def test_the_profile_is_the_median_by_time_of_day(kept):
    """Also where samples are missing, so that days and times of day have different numbers of them."""
    draw = np.random.default_rng(3)
    times = _DAYS[draw.random(len(_DAYS)) < kept]
    values = draw.normal(0, 1, len(times)) + np.sin(times / 9_000)
    day, slot = (times // 86_400).astype(int), (times % 86_400 // 900).astype(int)
    expected = np.zeros(96)
    for _ in range(2):
        level = np.array([np.median((values - expected[slot])[day == one]) for one in range(5)])
        expected = np.array([np.median((values - level[day])[slot == one]) for one in range(96)])
        expected -= np.median(expected)
    assert slot_profile(times, values) == pytest.approx(expected, abs=1e-12)
