"""Samples of many lines lie together without becoming fewer."""

import numpy as np
from hypothesis import given, strategies as st

from bot.signals.log_mentions import LEAST_TOGETHER, Sampling


@given(st.sets(st.integers(1, 60_000), min_size=1, max_size=200), st.integers(1, 64), st.integers(LEAST_TOGETHER, 9000))
def test_a_sample_moves_to_the_begin_of_its_stretch_and_stays_as_large(lines, most, together):
    """As many distinct lines of each stretch as an even sample has, and the first ones of it."""
    numbers = np.array(sorted(lines))
    even, gathered = (
        np.array(Sampling(most=most, together=each).of(numbers, 0, len(numbers))) for each in (1, together)
    )
    assert len(set(gathered.tolist())) == len(even) == min(most, len(numbers))
    assert (gathered // together).tolist() == (even // together).tolist()
    for stretch in set((even // together).tolist()):
        mine = gathered[gathered // together == stretch].tolist()
        assert mine == numbers[numbers // together == stretch][: len(mine)].tolist()
