import numpy as np
import pytest

from bot.signals.courses import clear_period_s, lasting_shifts

_TIMES = 1_763_769_600.0 + np.arange(7200) * 60.0


def _job(draw, period_s, height=5.0):
    """Give load that is up for a quarter of each period, and happens to be so as the window ends."""
    return 10 + height * ((_TIMES - _TIMES[-1]) % period_s >= 0.75 * period_s) + draw.normal(0, 1, len(_TIMES))


@pytest.mark.parametrize("hours", [5.0, 6.0, 9.7, 11.8])
def test_a_job_that_runs_as_the_window_ends_is_no_lasting_shift(hours):
    """What a series' own period brings is no shift, also where the period is no part of a day."""
    draw = np.random.default_rng(1)
    found = [lasting_shifts(_TIMES, _job(draw, hours * 3600)) for _ in range(10)]
    assert found == [[]] * 10


@pytest.mark.parametrize("hours", [5.0, 6.0, 9.7])
def test_a_series_that_repeats_may_shift_all_the_same(hours):
    """A lasting shift is found to the sample or so, and told with its levels."""
    draw = np.random.default_rng(2)
    values = _job(draw, hours * 3600) + np.where(_TIMES >= _TIMES[4000], 4.0, 0.0)
    (point,) = lasting_shifts(_TIMES, values)
    assert abs(point.at_s - _TIMES[4000]) <= 5 * 60
    assert point.after - point.before == pytest.approx(4.0, abs=0.5)


def test_only_what_clearly_repeats_has_a_period():
    """A job does, noise and a step do not, and neither does too short a series."""
    draw = np.random.default_rng(3)
    noise = draw.normal(0, 1, len(_TIMES))
    assert clear_period_s(_TIMES, _job(draw, 21_600.0)) == pytest.approx(21_600, rel=0.01)
    assert clear_period_s(_TIMES, noise) is None
    assert clear_period_s(_TIMES, noise + 9.0 * (_TIMES > _TIMES[3000])) is None
    assert clear_period_s(_TIMES[:20], noise[:20]) is None


def test_gaps_do_not_hide_a_period():
    """A third of the samples missing, and some that are no numbers."""
    draw = np.random.default_rng(4)
    values = _job(draw, 21_600.0)
    values[100:160] = np.nan
    kept = draw.random(len(_TIMES)) < 0.67
    assert clear_period_s(_TIMES[kept], values[kept]) == pytest.approx(21_600, rel=0.01)
    assert lasting_shifts(_TIMES[kept], values[kept]) == []
