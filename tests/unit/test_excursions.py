import numpy as np
import pytest

from bot.signals.excursions import excursions

_TIMES = 1_763_769_600.0 + np.arange(7200) * 60.0


def _seasonal(draw):
    return 10 + 3 * np.sin(2 * np.pi * _TIMES / 86_400) + draw.normal(0, 1, len(_TIMES))


def test_a_job_at_the_same_times_of_every_day_is_still_seen():
    """Twenty six-hourly episodes over five days are twenty episodes, not part of the day's habit."""
    values = _seasonal(np.random.default_rng(1))
    starts = _TIMES[0] + 3_600 + np.arange(20) * 21_600
    for start in starts:
        values[(start <= _TIMES) & (start + 2_400 > _TIMES)] += 9
    found = [episode for episode in excursions(_TIMES, values) if episode.end_s - episode.start_s > 1_800]
    assert [pytest.approx(start, abs=180) for start in starts] == [episode.start_s for episode in found]
    assert all(episode.sigma > 0 for episode in found)


def test_a_dip_is_an_episode_below():
    """A loss of traffic is as much an episode as a rush."""
    values = _seasonal(np.random.default_rng(2))
    values[3000:3060] -= 9
    (dip,) = [episode for episode in excursions(_TIMES, values) if episode.end_s - episode.start_s > 600]
    assert dip.sigma < 0


def test_ordinary_days_have_almost_no_episodes():
    """Noise and a daily wave make at most one small episode in three series."""
    draw = np.random.default_rng(3)
    assert sum(len(excursions(_TIMES, _seasonal(draw))) for _ in range(30)) <= 10


def test_bursts_over_a_silent_counter_are_found():
    """A series that is zero but for three bursts has three episodes."""
    values = np.zeros(len(_TIMES))
    for at in (500, 2500, 6000):
        values[at : at + 10] = 40
    assert [(_TIMES[at], _TIMES[at + 9]) for at in (500, 2500, 6000)] == [
        (episode.start_s, episode.end_s) for episode in excursions(_TIMES, values)
    ]


def test_gaps_and_nan_are_no_episodes():
    """What was not measured did not happen."""
    values = _seasonal(np.random.default_rng(4))
    values[1000:1500] = np.nan
    assert not [episode for episode in excursions(_TIMES, values) if episode.end_s - episode.start_s > 600]
