import numpy as np
import pytest

from bot.signals.changepoints import change_points, trends

_START = 1_763_769_600.0


def _seasonal(draw, count, *, shift_at=None, shift=0.0):
    times = _START + np.arange(count) * (5 * 86_400 / count)
    phase = draw.uniform(0, 6.28)
    wave = draw.uniform(1, 4) * np.sin(2 * np.pi * times / 86_400 + phase)
    values = 10 + wave + draw.uniform(0, 1) * np.sin(4 * np.pi * times / 86_400 + phase) + draw.normal(0, 1, count)
    if shift_at is not None:
        values[shift_at:] += shift
    return times, values


def _score(planted, others, seed):
    draw = np.random.default_rng(seed)
    near = false = 0
    for number in range(planted + others):
        count = int(draw.choice([1440, 2880, 7200, 14_400]))
        at = int(draw.uniform(0.15, 0.85) * count) if number < planted else None
        shift = float(draw.choice([-1, 1]) * draw.uniform(3, 6))
        times, values = _seasonal(draw, count, shift_at=at, shift=shift)
        found = change_points(times, values)
        if at is None:
            false += bool(found)
        else:
            near += any(abs(point.at_s - times[at]) <= 5 * (times[1] - times[0]) for point in found)
    return near, false


def test_shifts_are_found_in_seasonal_noise():
    """A sample of the long test: nearly every planted shift within five points, no false one."""
    near, false = _score(12, 48, seed=5)
    assert near >= 11
    assert false == 0


@pytest.mark.full
def test_sixty_shifts_among_six_hundred_series():
    """57 of 60 planted shifts within five points and not one in 540 other seasonal series."""
    near, false = _score(60, 540, seed=6)
    assert near >= 57
    assert false == 0


def test_before_and_after_are_levels():
    """A clean step is told with both of its levels."""
    draw = np.random.default_rng(1)
    times = np.arange(400) * 60.0
    values = np.where(times < 12_000, 5.0, 9.0) + draw.normal(0, 0.1, 400)
    (point,) = change_points(times, values)
    assert point.at_s == 12_000
    assert point.before == pytest.approx(5, abs=0.1)
    assert point.after == pytest.approx(9, abs=0.1)


@pytest.mark.parametrize("values", [np.full(500, 3.0), np.full(500, np.nan), np.zeros(3)])
def test_nothing_happens_in_a_flat_series(values):
    """Constant, empty and tiny series have no change points and no trends."""
    times = np.arange(len(values)) * 60.0
    assert change_points(times, values) == []
    assert trends(times, values) == []


def test_a_leak_with_restarts_is_a_row_of_ramps():
    """Each tooth of a sawtooth is one rise from its restart to the next."""
    draw = np.random.default_rng(2)
    times = np.arange(1200) * 60.0
    values = 200 + (times % 18_000) / 18_000 * 300 + draw.normal(0, 3, 1200)
    ramps = trends(times, values)
    assert len(ramps) == 4
    assert all(ramp.last - ramp.first > 250 for ramp in ramps)


def test_daily_waves_and_noise_are_no_trend():
    """A day's wave rises and falls; it does not grow."""
    draw = np.random.default_rng(3)
    assert not [ramp for _ in range(50) for ramp in trends(*_seasonal(draw, 1440))]
