"""A crowd by the lines of requests: sudden, served at first, and there before anything failed."""

import numpy as np
import pytest
from engine_parts import at, signal, window

from bot.domain.entity import Entity
from bot.domain.signal import Kind
from bot.signals.crowds import crowds
from bot.signals.request_counts import Requests

EDGE, SHOP = Entity("Deployment", "edge", "web"), Entity("Deployment", "shop", "web")
DAY = window(1.0)
USUAL, MINUTES = 10, 1440


def told(rate, *, fails_from=12.1, failed=0.0):
    """Give the crowds of a day on which requests come at ``rate`` by the minute and fail from an hour on."""
    draw = np.random.default_rng(7)
    every = draw.poisson([rate(minute) for minute in range(MINUTES)]).astype(np.int32)
    good = every.copy()
    good[int(fails_from * 60) :] = (good[int(fails_from * 60) :] * (1 - failed)).astype(np.int32)
    felt = signal(Kind.SERVER_ERROR, EDGE, [fails_from], length_s=3000.0, mentions=(SHOP,))
    return list(crowds(felt, Requests(good, every, DAY)))


def risen(times, since=720, until=780):
    return lambda minute: USUAL * times if since <= minute < until else USUAL


def test_a_sudden_rise_before_the_failures_is_a_crowd_at_whom_they_name():
    """Four times as many from noon on, failures six minutes later: one crowd, to the minute, as long as it lasted."""
    (crowd,) = told(risen(4.0))
    (one,) = crowd.occurrences
    assert (Kind.TRAFFIC_RISE, SHOP, (EDGE,)) == (crowd.kind, crowd.entity, crowd.mentions)
    assert abs(one.start_s - at(12.0)) <= 120
    assert abs(one.end_s - at(13.0)) <= 240
    assert one.refs


@pytest.mark.parametrize(
    ("rate", "more"),
    [
        (lambda _: USUAL, {}),
        (risen(1.5), {}),
        (lambda minute: USUAL * (1 + 3 * max(0.0, 1 - abs(minute - 720) / 360)), {}),
        (risen(4.0, since=728), {}),
        (lambda minute: 40 if 720 <= minute < 780 else 0, {}),
        (risen(4.0), {"fails_from": 12.0, "failed": 0.9}),
        (lambda minute: 25 if minute == 720 else 150 if 722 <= minute < 780 else 10, {"fails_from": 12.04, "failed": 0.9}),
    ],
    ids=["as-usual", "half-as-many-again", "as-the-day-goes", "after-the-failures", "out-of-nothing", "with-the-failures", "a-few-before-the-refused"],
)  # fmt: skip
def test_what_is_no_crowd(rate, more):
    """What is small, slow, late, or begins as failures do tells of no crowd; who is refused asks again."""
    assert told(rate, **more) == []
