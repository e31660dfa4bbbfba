"""What a changed setting would have spared: numbers that follow from the case, and never fall as a setting grows."""

import pytest
from hypothesis import given, strategies as st

from bot.analyst.counterfactuals import (
    Refusal,
    admitted,
    after,
    answered,
    beyond,
    bounded,
    finished_by_grace,
    fitting,
    kills_spared,
    served,
    spared_by_waiting,
    tolerated,
)
from bot.domain.entity import Entity
from bot.domain.what_if import MOST_POINTS, WhatIf, exactly, stepped

SECONDS = st.floats(0, 1e5)
MANY = st.lists(SECONDS, max_size=40)
PAIR = st.tuples(SECONDS, SECONDS).map(sorted)
SIZE = st.tuples(st.floats(0, 8), st.floats(0, 32))
THRESHOLDS = st.tuples(st.integers(1, 50), st.integers(1, 50)).map(sorted)


def test_a_grace_period_spares_what_it_finds_with_so_little_left():
    """Requests of 20, 30, 45 and 90 s, ended at each of their seconds in turn: those with more than 15 s left were dropped."""
    left = [length - second for length in (20, 30, 45, 90) for second in range(length)]
    dropped = [each for each in left if each > 15]
    spared = sum(each <= 45 for each in dropped)
    assert finished_by_grace(len(dropped), [1, 2, 20, 30, 45, 90], 15, 45) == spared
    assert finished_by_grace(len(dropped), [1, 2, 20, 30, 45, 90], 15, 90) == len(dropped)
    assert finished_by_grace(200, [1, 2], 15, 45) == 0


@given(st.integers(0, 10_000), MANY, SECONDS, PAIR)
def test_a_longer_grace_never_spares_fewer_and_never_more_than_were_dropped(dropped, durations, grace, wanted):
    """Monotone in the grace period, within what there was."""
    less, more = (finished_by_grace(dropped, durations, grace, each) for each in wanted)
    assert 0 <= less <= more <= dropped


def test_a_scale_down_is_spared_where_the_next_peak_comes_in_time():
    """Down at 0 and 1000, up again at 400: with six more minutes to wait nothing is spared, with seven the first is."""
    assert spared_by_waiting([0, 1000], [400], 300, 660) == 0
    assert spared_by_waiting([0, 1000], [400], 300, 720) == 1


@given(MANY, MANY, SECONDS, PAIR)
def test_a_longer_window_never_spares_fewer_scale_downs(downs, ups, present, wanted):
    """Monotone in the stabilisation window."""
    less, more = (spared_by_waiting(downs, ups, present, each) for each in wanted)
    assert 0 <= less <= more <= len(downs)


@given(MANY, st.floats(1, 60), st.floats(0.1, 60), THRESHOLDS)
def test_a_more_patient_probe_never_kills_more(pauses, period, timeout, thresholds):
    """Monotone in the probes that may fail, at least never above at most; no pause at all is always sat out."""
    less, more = (tolerated(pauses, period, timeout, each) for each in thresholds)
    assert less <= more
    assert less[0] <= less[1] <= len(pauses)
    assert tolerated([0.0], period, timeout, thresholds[0]) == (1, 1)


@given(st.floats(1, 20), st.floats(0.1, 5), st.integers(1, 6), st.floats(0, 60), st.floats(0, 0.999))
def test_a_pause_is_sat_out_as_a_probe_would_find_it(period, timeout, threshold, pause, phase):
    """Probes played one by one from any moment of the pause on: what is sure holds, and what is not sure may go either way."""
    begins = [(phase + number) * period for number in range(threshold + 20)]
    failed = sum(begin + timeout <= pause for begin in begins[:threshold])
    least, most = tolerated([pause], period, timeout, threshold)
    assert least <= (failed < threshold) <= most


@given(st.lists(st.integers(1, 9), max_size=40), st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted))
def test_fewer_retries_are_never_more(attempts, most):
    """Monotone in the retries that are allowed; none is spared where as many are allowed as were made."""
    assert beyond(attempts, most[1]) <= beyond(attempts, most[0]) <= len(attempts)
    assert beyond(attempts, max(attempts, default=0)) == 0


@given(st.lists(SIZE, max_size=12), st.lists(SIZE, max_size=4), SIZE)
def test_more_room_never_holds_fewer_pods(needs, rooms, more):
    """A node more takes nothing away; no more pods find a place than there are, and none where there is no node."""
    assert 0 == fitting(needs, [])
    assert fitting(needs, rooms) <= fitting(needs, [*rooms, more]) <= len(needs)


def test_pods_fit_by_both_measures():
    """Two of three by CPU, one by memory: one."""
    assert fitting([(1.0, 6.0), (1.0, 6.0), (1.0, 6.0)], [(2.5, 10.0)]) == 1
    assert fitting([(1.0, 6.0), (1.0, 6.0), (1.0, 6.0)], [(2.5, 12.0)]) == 2


@given(st.lists(SECONDS, max_size=30), PAIR)
def test_a_resolver_that_answers_more_never_drops_more(dropped, more):
    """Monotone in what is answered beyond the present limit, and nothing at it."""
    assert answered(dropped, 0.0) == 0
    assert answered(dropped, more[0]) <= answered(dropped, more[1]) <= sum(dropped)


@given(MANY.map(sorted), SECONDS, PAIR)
def test_undoing_it_later_never_spares_more(times, begun, delays):
    """Monotone in the delay; counted anew one by one."""
    sooner, later = (after(times, begun, each) for each in delays)
    assert later <= sooner <= len(times)
    assert sooner == sum(each > begun + delays[0] for each in times)


@given(st.lists(st.integers(0, 500), max_size=120), st.booleans(), st.floats(-10, 600))
def test_steps_hold_what_the_function_says(numbers, rising, asked):
    """However many steps are left out, what is told lies around the truth, is exact where it is kept, and never falls."""

    def spares(value):
        return exactly(sum(each <= value for each in numbers) if rising else sum(each >= value for each in numbers))

    points = stepped([float(each) for each in numbers], spares, kept=(250.0,), rising=rising)
    what = what_of(points, len(numbers), rising)
    least, most = what.spared(asked)
    assert least <= spares(asked)[0] <= most
    assert what.spared(250.0) == spares(250.0)
    assert len(points) <= MOST_POINTS + 3


def what_of(points, total, rising):
    """Give a setting of so many steps."""
    return WhatIf(
        setting="some setting",
        entity=Entity("Deployment", "web", "shop"),
        unit="s",
        present=None,
        proposed=250.0,
        things="things",
        total=total,
        points=points,
        assumption="nothing else changes",
        rising=rising,
    )


@given(st.lists(st.builds(Refusal, SECONDS, SECONDS, SECONDS), max_size=20), PAIR)
def test_a_larger_quota_never_admits_fewer(refusals, limits):
    """Monotone in the quota; one as large as the largest sum admits all."""
    less, more = (admitted(refusals, each) for each in limits)
    assert less <= more
    assert admitted(refusals, max((one.used + one.requested for one in refusals), default=0)) == len(refusals)


@pytest.mark.parametrize(("wanted", "spared"), [(640, 0), (1010, 13), (1750, 19)])
def test_room_for_growth_postpones_kills_by_as_much(wanted, spared):
    """From 270 to 640 in so many hours: twice the room is full in twice the time, so half of the kills come."""
    assert kills_spared(25, 270, 640, wanted) == spared


@given(st.integers(0, 500), SECONDS, SECONDS, PAIR)
def test_a_higher_limit_never_spares_fewer_kills(kills, start, limit, wanted):
    """Monotone in the limit, within what there was."""
    less, more = (kills_spared(kills, start, limit, each) for each in wanted)
    assert 0 <= less <= more <= kills


@given(st.lists(st.integers(0, 500), max_size=30), st.tuples(st.integers(0, 500), st.integers(0, 500)).map(sorted))
def test_more_connections_never_serve_fewer(waiting, more):
    """Monotone in the connections that are added."""
    assert served(waiting, more[0]) <= served(waiting, more[1]) <= len(waiting)


@given(MANY, PAIR)
def test_a_tighter_bound_never_stops_less(uses, limits):
    """A lower limit stops at least what a higher one stops."""
    assert bounded(uses, limits[1]) <= bounded(uses, limits[0]) <= len(uses)
