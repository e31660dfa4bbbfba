"""Bursts of lines against their everyday background."""

import numpy as np
import pytest

from bot.signals.bursts import bursts, exposure_of, fold

WINDOW_S = 5 * 86_400.0


def _background(rng, count):
    return rng.uniform(0, WINDOW_S, count)


def test_even_background_has_no_burst():
    """Two thousand errors spread evenly over five days are everyday noise."""
    times = np.sort(_background(np.random.default_rng(1), 2000))
    assert bursts(times, 0.0, WINDOW_S) == []


def test_planted_bursts_are_found_where_they_are():
    """Twenty bursts of sixty lines on top of the noise are found, each at its time give or take the noise."""
    rng = np.random.default_rng(2)
    starts = np.arange(7200.0, WINDOW_S, 21_600.0)
    planted = [rng.uniform(start, start + 400, 60) for start in starts]
    times = np.sort(np.concatenate([_background(rng, 2000), *planted]))
    found = bursts(times, 0.0, WINDOW_S)
    assert len(found) == len(starts)
    assert all(abs(one.start_s - start) < 180 for one, start in zip(found, starts, strict=True))


def test_a_fault_that_never_ends_is_one_burst_from_its_onset():
    """Errors that set in and stay make one burst, even where they fill most of the window."""
    rng = np.random.default_rng(3)
    times = np.sort(np.concatenate([_background(rng, 500), rng.uniform(150_000, WINDOW_S, 20_000)]))
    found = bursts(times, 0.0, WINDOW_S)
    assert len(found) == 1
    assert abs(found[0].start_s - 150_000) < 120


def test_errors_that_only_follow_the_traffic_are_no_burst():
    """With a daily profile in both the errors and all lines, the busy hours alone are no burst."""
    rng = np.random.default_rng(4)
    clock = rng.uniform(0, WINDOW_S, 400_000)
    keep = rng.uniform(0, 1, clock.size) < 0.5 + 0.45 * np.sin(2 * np.pi * clock / 86_400)
    traffic = np.sort(clock[keep])
    errors = traffic[rng.uniform(0, 1, traffic.size) < 0.01]
    assert bursts(errors, 0.0, WINDOW_S, exposure_of(traffic, 0.0, WINDOW_S)) == []


def test_rare_lines_are_told_one_by_one():
    """A handful of lines in five days are occurrences of their own, however far apart."""
    times = np.array([1000.0, 90_000.0, 90_020.0, 300_000.0])
    assert [one.count for one in bursts(times, 0.0, WINDOW_S)] == [1, 2, 1]


def test_folding_splits_at_silence_only():
    """Times closer than the gap stay together."""
    assert [(one.start_s, one.count) for one in fold(np.array([0.0, 5, 9, 40, 41]), 10.0)] == [(0.0, 3), (40.0, 2)]


@pytest.mark.parametrize("minutes", [45, 180, 720])
def test_a_fault_that_stays_is_one_burst_in_a_short_window_too(minutes):
    """Errors that set in half way, two a minute, make a burst (one lull aside), whose onset is near the first of them."""
    rng = np.random.default_rng(minutes)
    half = minutes * 30.0
    times = np.sort(rng.uniform(half, 2 * half, minutes))
    found = bursts(times, 0.0, 2 * half)
    assert len(found) <= 2
    assert sum(one.count for one in found) >= 0.9 * len(times)
    assert found[0].start_s - half < 180


@pytest.mark.parametrize("minutes", [45, 180, 720])
def test_an_even_trickle_is_no_burst_in_a_short_window_either(minutes):
    """Errors spread over the whole of a short window are its everyday background."""
    rng = np.random.default_rng(minutes + 1)
    times = np.sort(rng.uniform(0, minutes * 60.0, minutes))
    assert bursts(times, 0.0, minutes * 60.0) == []


def test_a_fault_that_grows_slowly_begins_with_its_first_lines():
    """A line every nine minutes before the flood belongs to it where there is none otherwise; everyday lines do not."""
    rise = np.arange(200_000.0, 203_000.0, 540.0)
    flood = np.arange(203_100.0, 220_000.0, 4.0)
    (found,) = bursts(np.concatenate([rise, flood]), 0.0, WINDOW_S)
    assert found.start_s == 200_000.0
    everyday = np.sort(np.concatenate([_background(np.random.default_rng(5), 900), flood]))
    (found,) = bursts(everyday, 0.0, WINDOW_S)
    assert found.start_s > 202_000.0
