"""Bursts of lines against their everyday background."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from bot.native.kernel import kernel
from bot.signals import bursts as bursts_module, hot_bins as hot_module
from bot.signals.bursts import bursts, exposure_of, fold
from bot.signals.quiet_runs import may_burst

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


@st.composite
def _runs(draw):
    """Draw a window and some runs of lines in it: even ones, heaps, and both."""
    length_s = draw(st.sampled_from([600.0, 7200.0, 86_400.0, WINDOW_S]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    runs = []
    for _ in range(draw(st.integers(1, 8))):
        even = rng.uniform(0, length_s, draw(st.sampled_from([0, 5, 30, 200, 3000])))
        heaps = [
            rng.uniform(at, min(length_s, at + draw(st.sampled_from([1.0, 60.0, 1800.0]))), draw(st.integers(1, 60)))
            for at in rng.uniform(0, length_s, draw(st.integers(0, 3)))
        ]
        run = np.concatenate([even, *heaps])
        runs.append(run if len(run) else np.array([1.0]))
    return length_s, runs


@pytest.mark.skipif(kernel() is None, reason="without compiled loops every run may burst")
@given(_runs(), st.sampled_from([1, 2, 10]))
@settings(max_examples=150, deadline=None)
def test_what_surely_holds_no_burst_holds_none(drawn, least):
    """The compiled loop sorts out runs only where the whole test finds nothing, in whatever order their lines are."""
    length_s, runs = drawn
    exposure = exposure_of(np.concatenate(runs), 0.0, length_s)
    bounds = np.cumsum([0, *map(len, runs)])
    told = may_burst(np.concatenate(runs), bounds, 0.0, length_s, exposure, least)
    for may, run in zip(told.tolist(), runs, strict=True):
        found = [burst.count for burst in bursts(np.sort(run), 0.0, length_s, exposure)]
        assert may or max(found, default=0) < least


@pytest.mark.skipif(kernel() is None, reason="without compiled loops every run may burst")
def test_most_runs_without_a_burst_are_sorted_out():
    """Of three hundred even runs hardly one is left to the whole test, and a heap among them is."""
    rng = np.random.default_rng(7)
    runs = [_background(rng, 100 + number) for number in range(300)]
    runs[17] = np.concatenate([runs[17], rng.uniform(100_000, 100_060, 40)])
    times = np.concatenate(runs)
    exposure = exposure_of(times, 0.0, WINDOW_S)
    told = may_burst(times, np.cumsum([0, *map(len, runs)]), 0.0, WINDOW_S, exposure, 10)
    assert told[17]
    assert told.sum() < 10


@pytest.mark.skipif(kernel() is None, reason="nothing to compare")
@given(_runs())
@settings(max_examples=100, deadline=None)
def test_bursts_are_the_same_without_the_compiled_loops(drawn):
    """To the bit: what is told of an incident must not depend on whether a compiler was there."""
    length_s, runs = drawn
    exposure = exposure_of(np.concatenate(runs), 0.0, length_s)
    compiled = [bursts(np.sort(run), 0.0, length_s, exposure) for run in runs]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bursts_module, "kernel", lambda: None)
        patch.setattr(hot_module, "kernel", lambda: None)
        assert compiled == [bursts(np.sort(run), 0.0, length_s, exposure) for run in runs]


@pytest.mark.skipif(kernel() is None, reason="nothing to compare")
@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_hot_bins_are_the_same_without_the_compiled_loops(seed, bins):
    """To the bit, of heaps of any size and of bins of which nothing is due."""
    rng = np.random.default_rng(seed)
    counts, expected = rng.poisson(rng.uniform(0, 3), bins).astype(float), rng.uniform(0, 1, bins)
    counts[rng.uniform(0, 1, bins) < 0.05] += rng.choice([5, 40, 3000])
    expected[rng.uniform(0, 1, bins) < rng.choice([0.0, 0.5])] = 0.0
    one, other = hot_module.hot_bins(counts, expected), hot_module.plain_hot_bins(counts, expected)
    assert one.tolist() == other.tolist()
