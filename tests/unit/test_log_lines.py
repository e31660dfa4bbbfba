"""Columns of lines: the order by two of them is the same, sorted by counting or not."""

import numpy as np
import pytest

from bot.signals.log_lines import runs_of_pairs


@pytest.mark.parametrize("lows", [50, 5_000])
def test_runs_of_pairs_are_in_line_order(lows):
    draw = np.random.default_rng(7)
    high = draw.integers(900, 940, 3_000).astype(np.uint16)
    low = draw.integers(0, 50, 3_000).astype(np.uint16)
    order, bounds = runs_of_pairs(high, low, lows)
    lines = sorted(range(3_000), key=lambda line: (high[line], low[line], line))
    assert order.tolist() == lines
    pairs = [(high[line], low[line]) for line in lines]
    begins = [at for at in range(3_000) if at == 0 or pairs[at] != pairs[at - 1]]
    assert bounds.tolist() == [*begins, 3_000]


def test_no_lines_have_no_runs():
    order, bounds = runs_of_pairs(np.zeros(0, dtype=np.uint16), np.zeros(0, dtype=np.uint16), 50)
    assert not len(order)
    assert bounds.tolist() == [0]
