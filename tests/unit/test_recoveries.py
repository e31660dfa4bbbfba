"""What tears an outage apart where few requests come, and what does not."""

import numpy as np
import pytest

from bot.signals.bursts import Lines, bursts, fold
from bot.signals.recoveries import unbroken

HALF_DAY_S = 43_200.0
EVERY_S = 20.0
DOWN_S = (12_000.0, 26_000.0)


def requests(seed, every_s=EVERY_S):
    """Give the times of requests as a Poisson process makes them."""
    draw = np.random.default_rng(seed)
    return np.sort(draw.uniform(0.0, HALF_DAY_S, draw.poisson(HALF_DAY_S / every_s)))


def split(times, *downs, share=1.0, seed=0):
    """Tell requests that failed, by chance ``share`` within any of the spans, from those that did not."""
    down = np.any([(low <= times) & (times < high) for low, high in downs], axis=0)
    bad = down & (np.random.default_rng(seed).uniform(0.0, 1.0, len(times)) < share)
    return times[bad], times[~bad]


def told(failed, served=None):
    upto = None if served is None else lambda at_s: np.searchsorted(served, at_s, "right").astype(float)
    return unbroken(bursts(failed, 0.0, HALF_DAY_S), Lines(None), upto, HALF_DAY_S)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("every_s", [10.0, EVERY_S, 60.0, 240.0])
def test_an_outage_under_sparse_traffic_is_one(seed, every_s):
    """However far apart requests come, all of them fail and none succeeds: that was one outage, nothing between the two lost."""
    failed, served = split(requests(seed, every_s), DOWN_S)
    (one,) = told(failed, served)
    assert one.count == np.count_nonzero((failed >= one.start_s) & (failed <= one.end_s))


def test_it_would_be_torn_without_that():
    """The same outages as bursts alone are torn now and then, so that the test above can fail."""
    assert any(len(bursts(split(requests(seed, 60.0), DOWN_S)[0], 0.0, HALF_DAY_S)) > 1 for seed in range(8))


@pytest.mark.parametrize("seed", range(8))
def test_where_some_succeed_all_along_it_is_one(seed):
    """A fault that hits half of all requests is one, though a few succeed between two that fail."""
    failed, served = split(requests(seed), DOWN_S, share=0.5, seed=seed)
    assert len(told(failed, served)) == 1


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("gap_s", [600.0, 3600.0])
def test_what_succeeds_between_parts_two_outages(seed, gap_s):
    """Requests that all succeed in the gap are a recovery, also where a person would hardly notice it."""
    middle = sum(DOWN_S) / 2
    failed, served = split(requests(seed), (DOWN_S[0], middle), (middle + gap_s, DOWN_S[1] + gap_s))
    assert len(told(failed, served)) == 2


def test_where_nobody_tells_of_success_silence_parts_by_its_rate():
    """Of lines alone, a silence that so frequent a failure would hardly leave is an end; one that it would is none."""
    often = np.concatenate((np.arange(0.0, 600.0, 2.0), np.arange(1200.0, 1800.0, 2.0)))
    seldom = np.concatenate((np.arange(0.0, 3600.0, 120.0), np.arange(4200.0, 7800.0, 120.0)))
    assert len(unbroken(fold(often, 86.0), Lines(None), None, HALF_DAY_S)) == 2
    assert len(unbroken(fold(seldom, 300.0), Lines(None), None, HALF_DAY_S)) == 1


def test_where_the_traffic_stopped_nobody_knows():
    """A silence in which even the usual requests are missing is not taken for more of the same."""
    times = requests(1)
    times = times[(times < 18_000.0) | (times > 20_000.0)]
    failed, served = split(times, DOWN_S)
    assert len(told(failed, served)) == 2


def test_single_failures_stay_apart():
    """Stray failures among many that succeed are told one by one."""
    served = requests(2)
    failed = np.array([9_000.0, 21_000.0, 30_000.0])
    assert len(told(failed, served)) == len(failed)


@pytest.mark.parametrize("seed", range(8))
def test_pauses_of_minutes_stay_apart(seed):
    """A service that stops for two minutes in every ten fails as often as it stops, however few of its requests that are."""
    downs = [(start, start + 120.0) for start in np.arange(6_000.0, 36_000.0, 600.0)]
    failed, served = split(requests(seed, 6.0), *downs, share=0.6, seed=seed)
    assert len(told(failed, served)) >= 0.8 * len(downs)


def test_thinned_lines_are_counted_for_what_they_stand_for():
    """A joined burst has the lines of both and of what lies between, whatever was kept of them."""
    failed = np.concatenate((np.arange(0.0, 3600.0, 120.0), np.arange(4000.0, 7600.0, 120.0)))
    weights = Lines(np.full(len(failed), 2))
    found = fold(failed, 300.0, weights)
    assert [120] == [one.count for one in unbroken(found, weights, None, HALF_DAY_S)]
