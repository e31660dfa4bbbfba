"""Which rows stay where not all fit: by what they tell, never by where they stand."""

import numpy as np

from bot.analyst.packing_choice import FAILURES, FIRST_FAILURES, REST, choose, told_shares


def test_failures_leave_room_for_what_surrounds_them():
    """A flood of failures takes four fifths at most; what the others do not need, it may have."""
    tier = np.array([FAILURES] * 1000 + [REST] * 1000)
    mask = choose(np.zeros(2000, dtype=np.int64), tier, np.arange(2000), 100)
    assert (80, 20) == (int(mask[:1000].sum()), int(mask[1000:].sum()))
    few = choose(np.zeros(1005, dtype=np.int64), tier[:1005], np.arange(1005), 100)
    assert (95, 5) == (int(few[:1000].sum()), int(few[1000:].sum()))


def test_the_rare_are_kept_whole_and_the_many_are_thinned():
    """Every group gives the same number until it has no more, from everywhere in it."""
    group = np.array([0] * 900 + [1] * 7 + [2] * 93)
    mask = choose(group, np.full(1000, REST), np.arange(1, 1001), 67)
    assert [30, 7, 30] == [int(mask[group == each].sum()) for each in range(3)]
    places = np.flatnonzero(mask[:900])
    assert places.min() < 200
    assert places.max() > 700


def test_first_tiers_go_first():
    """What must be seen is seen even where hardly anything is."""
    tier = np.array([REST] * 50 + [FIRST_FAILURES] * 5)
    assert choose(np.arange(55), tier, np.arange(55), 6)[50:].all()


def test_shares_are_said_as_people_say_them():
    """All, one in so many, none; a part that is empty is not spoken of."""
    told = told_shares((("failures", 12, 12), ("other lines", 50, 1000), ("rest", 0, 3), ("none", 0, 0)))
    assert told == "all 12 failures, 1 in 20 of 1,000 other lines, none of 3 rest"
