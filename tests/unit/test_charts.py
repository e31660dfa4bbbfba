"""The timeline in characters."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from bot.charts.timeline import Lane, timeline

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def lane(*spans, sized=False):
    """Give a lane of (start hour, end hour, size)."""
    hour = timedelta(hours=1)
    return Lane(
        label="it", spans=tuple((START + a * hour, START + b * hour, float(size)) for a, b, size in spans), sized=sized
    )


def test_marks_stand_where_things_happened():
    """One character an hour over a day of 24."""
    drawn = timeline(START, START + DAY, [lane((3, 3, 1), (10, 12, 1))], 24)
    assert [at for at, each in enumerate(drawn.rows[0][1]) if each == "■"] == [3, 10, 11]


def test_heights_tell_the_sizes_apart():
    """The largest is full, a small one low."""
    row = timeline(START, START + DAY, [lane((3, 3, 10), (12, 12, 80), sized=True)], 24).rows[0][1]
    assert (row[3], row[12]) == ("▂", "█")


def test_days_are_named_on_the_axis():
    """Each midnight carries its date."""
    axis = timeline(START, START + 5 * DAY, [lane((1, 2, 1))], 70).axis
    assert [axis[at : at + 6] for at in range(0, 70, 14)] == ["Mon 02", "Tue 03", "Wed 04", "Thu 05", "Fri 06"]


def test_what_lies_outside_the_window_is_left_out():
    """Neither before nor after."""
    assert "■" not in timeline(START, START + DAY, [lane((-5, -4, 1), (24, 25, 1))], 24).rows[0][1]


@settings(max_examples=50, deadline=None)
@given(
    minutes=st.integers(min_value=1, max_value=200_000),
    width=st.integers(min_value=10, max_value=200),
    spans=st.lists(st.tuples(st.floats(-50, 500), st.floats(0, 50), st.floats(0.1, 1e6)), max_size=10),
)
def test_every_row_is_exactly_as_wide_as_asked(minutes, width, spans):
    """Any window, any width, any spans."""
    each = lane(*((begin, begin + length, size) for begin, length, size in spans), sized=True)
    drawn = timeline(START, START + timedelta(minutes=minutes), [each], width)
    assert [width, width] == [len(drawn.axis), len(drawn.rows[0][1])]


@pytest.mark.parametrize("length", [timedelta(minutes=3), timedelta(hours=2), timedelta(days=400)])
def test_labels_of_the_axis_never_touch(length):
    """Ticks are thinned until their labels fit."""
    axis = timeline(START, START + length, [], 60).axis
    labels = re.sub(r"([A-Z][a-z]{2}) (\d\d)|(\d\d) ([A-Z][a-z]{2})", "day", axis).split()
    assert labels
    assert [each for each in labels if not re.fullmatch(r"\d\d:\d\d|day", each)] == []
