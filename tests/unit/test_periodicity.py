from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.domain.window import Window
from bot.signals.periodicity import event_period, series_period

_START = datetime(2026, 11, 16, tzinfo=UTC)
_WINDOW = Window(start=_START, end=_START + timedelta(days=5), asked="5d")
_FROM = _WINDOW.start_s


@pytest.mark.parametrize(
    ("period", "beats", "jitter", "missing"),
    [(21_600, 20, 300, 0), (21_600, 20, 300, 3), (86_400, 5, 300, 0), (3_600, 119, 60, 6), (5_000, 80, 100, 4)],
)
def test_schedules_are_found(period, beats, jitter, missing):
    """Jitter of minutes and missing beats do not hide a schedule."""
    draw = np.random.default_rng(4)
    for _ in range(20):
        times = _FROM + 900 + np.arange(beats) * period + draw.uniform(0, jitter, beats)
        times = np.delete(times, draw.choice(beats, missing, replace=False))
        found = event_period(times, _WINDOW)
        assert found is not None
        assert found.period_s == pytest.approx(period, rel=0.02)


def test_bursts_on_a_schedule_count_as_beats():
    """Six events within a quarter of an hour, every six hours, are one six-hour train."""
    draw = np.random.default_rng(5)
    beats = [_FROM + 3_600 + n * 21_600 + draw.uniform(0, 900, 6) for n in range(20)]
    found = event_period(np.concatenate(beats), _WINDOW)
    assert found is not None
    assert found.period_s == pytest.approx(21_600, rel=0.02)


def test_events_at_random_times_have_no_period(shown):
    """Out of 500 random trains at most two look periodic; the rate is shown."""
    draw = np.random.default_rng(6)
    trains = [_FROM + draw.uniform(0, _WINDOW.length_s, int(draw.integers(2, 60))) for _ in range(500)]
    false = sum(event_period(train, _WINDOW) is not None for train in trains)
    shown(f"periods seen in random trains: {false} of 500")
    assert false <= 2


def test_a_series_with_a_regular_job_has_its_period():
    """Forty minutes of load every six hours show as six hours."""
    draw = np.random.default_rng(7)
    times = _FROM + np.arange(7200) * 60.0
    found = series_period(times, np.where(times % 21_600 < 2_400, 8.0, 0.0) + draw.normal(0, 1, 7200))
    assert found is not None
    assert found.period_s == pytest.approx(21_600, rel=0.03)


def test_noise_and_a_step_have_no_period():
    """White noise and one shift do not repeat."""
    draw = np.random.default_rng(8)
    times = _FROM + np.arange(2880) * 150.0
    noise = draw.normal(0, 1, 2880)
    assert series_period(times, noise) is None
    assert series_period(times, noise + np.where(times > times[1000], 9.0, 0.0)) is None
