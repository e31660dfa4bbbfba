"""The few exact tests that links rest on, without a statistics package: their tails are short sums.

Leaves out what is tested: callers hand in counts and shares.
"""

from collections.abc import Sequence
from math import cos, erfc, exp, lgamma, log, log1p, pi, sin, sqrt


def binomial_tail(hits: int, tries: int, share: float) -> float:
    """Give P(X >= hits) for X ~ Binomial(tries, share), exactly by summing the mass function in logs."""
    if hits <= 0:
        return 1.0
    if hits > tries or share <= 0.0:
        return 0.0
    if share >= 1.0:
        return 1.0
    total = 0.0
    for k in range(hits, tries + 1):
        term = exp(_log_choose(tries, k) + k * log(share) + (tries - k) * log1p(-share))
        total += term
        if k > tries * share and term < total * 1e-12:
            break
    return min(1.0, total)


def poisson_upto(count: int, mean: float) -> float:
    """Give P(X <= count) for X ~ Poisson(mean), exactly by summing the mass function."""
    if mean <= 0.0:
        return 1.0
    middle = min(
        count, int(mean)
    )  # from the largest term outwards, for the others may be too small to be told from nothing
    first = exp(middle * log(mean) - mean - lgamma(middle + 1))
    term = total = first
    for k in range(middle, 0, -1):
        term *= k / mean
        total += term
        if term < total * 1e-15:
            break
    term = first
    for k in range(middle + 1, count + 1):
        term *= mean / k
        total += term
        if term < total * 1e-15:
            break
    return min(1.0, total)


def fisher_exact(hit: int, spared: int, other_hit: int, other_spared: int) -> float:
    """Give P(at least ``hit`` of the first group are hit) with all margins of the 2 by 2 table fixed (Fisher 1922)."""
    first, other, hits = hit + spared, other_hit + other_spared, hit + other_hit
    ways = _log_choose(first + other, hits)
    most = min(first, hits)
    total = sum(
        exp(_log_choose(first, k) + _log_choose(other, hits - k) - ways)
        for k in range(max(hit, hits - other), most + 1)
    )
    return min(1.0, total)


def count_tail(hits: int, chances: Sequence[float]) -> float:
    """Give P(X >= hits) for X the number of successes of independent tries, each with a chance of its own, exactly."""
    if hits <= 0:
        return 1.0
    if hits > len(chances):
        return 0.0
    # masses[k]: k successes so far; what has reached ``hits`` is summed up and goes on no further
    masses, reached = [1.0] + [0.0] * (hits - 1), 0.0
    for chance in chances:
        reached += masses[-1] * chance
        for k in range(hits - 1, 0, -1):
            masses[k] = masses[k] * (1.0 - chance) + masses[k - 1] * chance
        masses[0] *= 1.0 - chance
    return min(1.0, reached)


def combined(p_values: Sequence[float]) -> float:
    """Combine the p-values of independent tests by their product (Fisher 1932); 1 where there are none."""
    if not p_values:
        return 1.0
    half = -sum(log(max(p, 1e-300)) for p in p_values)
    term = total = 1.0
    for k in range(1, len(p_values)):
        term *= half / k
        total += term
    return min(1.0, exp(-half) * total)


def rayleigh(angles_s: Sequence[float], period_s: float) -> float:
    """Give the p-value of times having no preferred phase in a period (Rayleigh's test; Zar 1999, formula 27.4)."""
    n = len(angles_s)
    if n == 0:
        return 1.0
    turns = [2.0 * pi * (at % period_s) / period_s for at in angles_s]
    squared = sum(cos(turn) for turn in turns) ** 2 + sum(sin(turn) for turn in turns) ** 2
    return min(1.0, exp(sqrt(1.0 + 4.0 * n + 4.0 * max(0.0, n * n - squared)) - (1.0 + 2.0 * n)))


def adjust(p_values: Sequence[float], weights: Sequence[float] | None = None) -> list[float]:
    """Correct p-values for how many were tested: Benjamini and Hochberg (1995), step-up, order kept.

    ``weights`` (any positive numbers, brought to a mean of 1) say beforehand how plausible each tested thing is, and
    divide its p-value (Genovese, Roeder and Wasserman 2006); the false discovery rate stays controlled.
    """
    count = len(p_values)
    if weights is not None and count:
        mean = sum(weights) / count
        p_values = [min(1.0, p * mean / weight) for p, weight in zip(p_values, weights, strict=True)]
    order = sorted(range(count), key=lambda index: (p_values[index], index))
    adjusted = [1.0] * count
    floor = 1.0
    for rank in range(count, 0, -1):
        index = order[rank - 1]
        floor = min(floor, p_values[index] * count / rank)
        adjusted[index] = max(floor, p_values[index])
    return adjusted


def spearman(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Give Spearman's rank correlation and its one-sided p-value for "more goes with more".

    The p-value uses Fisher's z with the 1.06 variance factor (Fieller, Hartley and Pearson 1957); 1.0 under 5 pairs.
    """
    n = len(first)
    if n < 5:
        return 0.0, 1.0
    a, b = _ranks(first), _ranks(second)
    mean = (n + 1) / 2.0
    covariance = sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    spread = sqrt(sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b))
    if spread == 0.0:
        return 0.0, 1.0
    rho = max(-0.999999, min(0.999999, covariance / spread))
    z = 0.5 * log((1 + rho) / (1 - rho)) * sqrt((n - 3) / 1.06)
    return rho, normal_tail(z)


def normal_tail(z: float) -> float:
    """Give P(Z >= z) of the standard normal (via the complementary error function)."""
    return 0.5 * erfc(z / sqrt(2.0))


def quantile(ordered: Sequence[float], share: float) -> float:
    """Give the linearly interpolated quantile of an ascending, non-empty sequence."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def covered_share(spans: Sequence[tuple[float, float]], start: float, end: float) -> float:
    """Give the share of ``[start, end]`` that lies in the union of ``spans``."""
    if end <= start:
        return 0.0
    total = 0.0
    reached = start
    for low, high in sorted(spans):
        low, high = max(low, reached), min(high, end)  # noqa: PLW2901 - clipping the span is the point
        if high > low:
            total += high - low
            reached = high
    return min(1.0, total / (end - start))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=lambda index: values[index])
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        stop = start
        while stop + 1 < len(order) and values[order[stop + 1]] == values[order[start]]:
            stop += 1
        for index in order[start : stop + 1]:
            ranks[index] = (start + stop) / 2.0 + 1.0
        start = stop + 1
    return ranks
