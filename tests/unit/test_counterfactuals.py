"""What a changed setting would have spared: numbers that follow from the case, and never fall as a setting grows."""

import pytest
from hypothesis import given, strategies as st

from bot.analyst.counterfactuals import (
    Refusal,
    admitted,
    bounded,
    finished_by_grace,
    kills_spared,
    outlasted,
    served,
    spared_by_waiting,
)

SECONDS = st.floats(0, 1e5)
MANY = st.lists(SECONDS, max_size=40)
PAIR = st.tuples(SECONDS, SECONDS).map(sorted)


def test_a_grace_period_as_long_as_most_requests_spares_that_share():
    """Of four requests beyond fifteen seconds three end within 45: three quarters of the dropped ones would have."""
    assert finished_by_grace(200, [1, 2, 20, 30, 45, 90], 15, 45) == 150
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


@given(MANY, st.floats(1, 60), st.tuples(st.integers(1, 50), st.integers(1, 50)).map(sorted))
def test_a_higher_threshold_never_spares_fewer_restarts(failures, period, thresholds):
    """Monotone in the number of probes that may fail."""
    less, more = (outlasted(failures, period, each) for each in thresholds)
    assert 0 <= less <= more <= len(failures)


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
