"""Failures that are too seldom for a burst and yet began one day: told by what was asked for before them, not by the clock alone."""

import numpy as np
import pytest
from engine_parts import at, window

from bot.signals.bursts import Lines, exposure_of
from bot.signals.log_groups import seldom_since
from bot.signals.request_counts import Requests

DAYS = window(5.0)
MINUTES = 5 * 1440


def stretch(hours, asked_from=0.0):
    """Give the stretches of single failures, of requests that came every minute from an hour on."""
    times = np.array([at(hour) for hour in hours])
    every = np.ones(MINUTES, dtype=np.int32)
    every[: int(asked_from * 60)] = 0
    upto = Requests(every, every, DAYS).asked_upto(np.append(times, DAYS.end_s))
    return seldom_since(times, Lines(None), upto, DAYS)


def test_single_failures_from_a_time_on_are_one_stretch():
    """One in an hour and a half, none in the first forty hours, though as many asked."""
    hours = np.arange(40.0, 118.0, 1.5)
    (one,) = stretch(hours) or []
    assert (one.start_s, one.end_s, one.count) == (at(40.0), at(hours[-1]), len(hours))


@pytest.mark.parametrize(("logs_from", "stretches"), [(0.0, 1), (39.0, 0)])
def test_what_an_entity_logs_from_a_time_on_is_told_by_when_it_logs_at_all(logs_from, stretches):
    """A database that says every ten minutes that it lives had not complained before; one whose log begins then may have."""
    hours = np.arange(40.0, 118.0, 1.5)
    alive = exposure_of(np.array([at(hour) for hour in np.arange(logs_from, 120.0, 1 / 6)]), DAYS.start_s, DAYS.end_s)
    times = np.array([at(hour) for hour in hours])
    upto = alive.busy_upto(np.append(times, DAYS.end_s), DAYS.start_s)
    assert len(seldom_since(times, Lines(None), upto, DAYS) or []) == stretches


@pytest.mark.parametrize(
    ("hours", "asked_from"), [(np.arange(1.0, 119.0, 1.5), 0.0), (np.arange(40.0, 118.0, 1.5), 39.0), ([40.0, 90.0, 118.0], 0.0)]
)  # fmt: skip
def test_what_may_have_been_so_all_along_is_none(hours, asked_from):
    """All over the window; from the first request on; too few to tell."""
    assert not stretch(hours, asked_from)


def test_a_silence_that_is_no_longer_than_others_is_none():
    """Thirty hours without a failure stand out from an hour and a half between them, and not where sixteen lay between two."""
    hours = np.arange(30.0, 118.0, 1.5)
    assert len(stretch(hours) or []) == 1
    assert stretch([hour for hour in hours if not 60.0 < hour < 76.0]) == []


def test_what_came_in_a_burst_as_well_is_for_bursts_to_tell():
    """Forty failures within half an hour of a stretch of single ones are an episode of their own."""
    hours = np.arange(40.0, 118.0, 1.5)
    assert stretch(np.sort(np.concatenate((hours, 100.0 + np.arange(40) / 80)))) is None
