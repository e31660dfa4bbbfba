"""The exact tests that links rest on."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from bot.signals.statistics import adjust, binomial_tail, covered_share, poisson_upto, quantile, spearman


@pytest.mark.parametrize(
    ("hits", "tries", "share", "tail"),
    [(0, 5, 0.3, 1.0), (5, 5, 0.5, 0.5**5), (1, 2, 0.5, 0.75), (6, 5, 0.5, 0.0), (2, 5, 0.0, 0.0), (3, 5, 1.0, 1.0)],
)
def test_binomial_tail_agrees_with_counting(hits, tries, share, tail):
    """P(X >= hits) is what counting the outcomes gives."""
    assert binomial_tail(hits, tries, share) == pytest.approx(tail)


@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.01, 0.99))
def test_binomial_tail_is_the_sum_of_its_masses(hits, tries, share):
    """The tail equals the sum of binomial masses computed with integers."""
    expected = sum(math.comb(tries, k) * share**k * (1 - share) ** (tries - k) for k in range(hits, tries + 1))
    assert binomial_tail(hits, tries, share) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@given(st.lists(st.floats(0, 1), max_size=30))
def test_correction_never_lowers_a_p_value_and_keeps_their_order(p_values):
    """Benjamini-Hochberg: each corrected value is at least the raw one, and a smaller one never overtakes."""
    corrected = adjust(p_values)
    assert all(after >= before for before, after in zip(p_values, corrected, strict=True))
    ranked = [after for _, after in sorted(zip(p_values, corrected, strict=True))]
    assert sorted(ranked) == ranked


def test_covered_share_counts_overlaps_once():
    """Overlapping and protruding spans are clipped to their union within the window."""
    assert covered_share([(0, 4), (2, 6), (9, 30)], 0, 10) == pytest.approx(0.7)


def test_spearman_sees_a_monotone_dose_and_no_other():
    """A strictly rising dose gives rho 1 with a small p; too few pairs say nothing."""
    rho, p_value = spearman(range(12), [x**3 for x in range(12)])
    assert rho == pytest.approx(1.0, abs=1e-3)
    assert p_value < 0.001
    assert spearman([1, 2, 3], [1, 2, 3]) == (0.0, 1.0)


def test_quantile_interpolates():
    """The middle of an even count lies between the two in the middle."""
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.5


@pytest.mark.parametrize(
    ("count", "mean", "chance"),
    [
        (0, 2.0, 0.1353353),
        (3, 2.0, 0.8571235),
        (900, 1000.0, 0.0006978),
        (446, 2.0, 1.0),
        (5, 0.0, 1.0),
        (0, 2000.0, 0.0),
    ],
)
def test_poisson_upto_is_the_sum_of_its_masses(count, mean, chance):
    """The lower tail of a Poisson count, as tables have it."""
    assert poisson_upto(count, mean) == pytest.approx(chance, rel=5e-3, abs=1e-12)
