"""Lines thinned minute by minute: what is kept stands for the rest."""

import numpy as np
from hypothesis import given, strategies as st

from bot.signals.bursts import Lines, bins_of, bursts
from bot.signals.thinning import thinned

WINDOW_S = 86_400.0


def minutes_of(times):
    """Give the minute of each time."""
    return bins_of(times, 0.0, WINDOW_S)


@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(1, 9)), min_size=1, max_size=300),
    st.integers(2, 12),
)
def test_the_lines_of_every_minute_add_up(lines, most):
    """However it is thinned, and thinned again, a minute keeps its first and its last line, few others, and its count."""
    times, weights = np.array([float(at) for at, _ in lines]), np.array([each for _, each in lines])
    minutes = minutes_of(times)
    kept, stand_for = thinned(times, weights, minutes, most)
    again, more = thinned(times[kept], stand_for, minutes[kept], 2)
    for places, each in ((kept, stand_for), (kept[again], more)):
        assert list(times[places]) == sorted(times[places])
        assert np.bincount(minutes, weights).tolist() == np.bincount(minutes[places], each, minutes.max() + 1).tolist()
        for minute in set(minutes.tolist()):
            whole, own = times[minutes == minute], times[places][minutes[places] == minute]
            assert (whole.min(), whole.max()) == (own.min(), own.max())
    assert np.bincount(minutes[kept]).max() <= most
    assert np.bincount(minutes[kept[again]]).max() <= 2


def test_thinned_lines_burst_as_all_of_them_do():
    """Floods over a busy background are told with the same counts, from and to within a second, of a hundredth of the lines."""
    rng = np.random.default_rng(4)
    floods = [start + rng.random(200_000) * 900 for start in (20_000.0, 47_000.0, 71_003.0)]
    times = np.sort(np.concatenate([rng.random(400_000) * WINDOW_S, *floods]))
    whole = bursts(times, 0.0, WINDOW_S)
    kept, stand_for = thinned(times, np.ones(len(times), dtype=np.int64), minutes_of(times), 16)
    told = bursts(times[kept], 0.0, WINDOW_S, lines=Lines(stand_for))
    assert len(kept) < len(times) / 40
    assert 3 == len(whole) == len(told)
    for one, other in zip(whole, told, strict=True):
        assert abs(one.start_s - other.start_s) < 5
        assert abs(one.end_s - other.end_s) < 5
        assert abs(one.count - other.count) < 0.01 * one.count
