"""Lengths of time, periods and lags as people read them; a phrase for every kind."""

import pytest
from hypothesis import given, settings, strategies as st

from bot.analyst.words import HAPPENED, lane, noun, one
from bot.domain.link import Lag
from bot.domain.signal import Kind
from bot.domain.spelling import about, lag_words, length, period


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (0.35, "350 ms"),
        (0.9999, "1 s"),
        (4.2, "4.2 s"),
        (59.6, "1 min"),
        (250, "4 min 10 s"),
        (2551, "43 min"),
        (7500, "2 h 5 min"),
        (64740, "18 h"),
        (431_800, "5 d"),
        (259200, "3 d"),
        (-12, "-12 s"),
    ],
)
def test_lengths_are_no_more_exact_than_anybody_can_use(seconds, expected):
    """Two units while the first is below ten, one from there on."""
    assert expected == length(seconds)


@settings(max_examples=200, deadline=None)
@given(st.floats(min_value=0.001, max_value=1e8))
def test_a_length_has_two_units_at_most(seconds):
    """Whatever the length, it is a short phrase that starts with a number above zero."""
    said = length(seconds).split()
    assert len(said) in (2, 4)
    assert float(said[0]) > 0


@pytest.mark.parametrize(
    ("seconds", "expected"), [(21_540, "6 h"), (14_390, "4 h"), (86_400, "1 d"), (300, "5 min"), (20_200, "5 h 37 min")]
)
def test_periods_are_said_as_people_name_them(seconds, expected):
    """A measured 5 h 59 min is every 6 h."""
    assert expected == period(seconds)


@pytest.mark.parametrize(
    ("lag", "step_s", "expected"),
    [
        (Lag(p10=9, median=12, p90=70), 0, "12 s later (9 s to 1 min 10 s)"),
        (Lag(p10=15, median=15.02, p90=15.1), 0, "15 s later"),
        (Lag(p10=0.517, median=0.586, p90=0.863), 0, "at once"),
        (Lag(p10=-0.1, median=0, p90=0.2), 0, "at once"),
        (Lag(p10=-200, median=-45, p90=-20), 0, "seen 45 s earlier (-3 min 20 s to -20 s)"),
        (Lag(p10=-200, median=-45, p90=-20), 300, "within a scrape step (5 min)"),
        (Lag(p10=1800, median=2240, p90=2800), 300, "37 min later (30 min to 47 min)"),
        (None, 0, "after an unknown time"),
    ],
)
def test_lags_claim_no_order_that_was_not_measured(lag, step_s, expected):
    """The median first, its spread where there is one, and no order within the step of a series."""
    assert expected == lag_words(lag, step_s)


@pytest.mark.parametrize("kind", list(Kind), ids=str)
def test_every_kind_has_its_phrases(kind):
    """A sentence, a noun with its article, and a word for a lane of a timeline."""
    assert "{who}" in HAPPENED[kind]
    assert noun(kind).strip()
    assert not one(kind).startswith(("a a ", "a an ", "an a ", "an an "))
    assert 0 < len(lane(kind.value)) <= 9


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(3.2, "3.2 s"), (92, "1 min 30 s"), (243, "4 min"), (2_577, "43 min"), (3_660, "1 h"), (19_380, "5 h 25 min")],
)
def test_a_rough_length_is_no_more_exact_than_it_is(seconds, expected):
    """Whatever is said to be "about" so long carries no seconds that nobody measured."""
    assert expected == about(seconds)
