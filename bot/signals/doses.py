"""What the hits of a tie say together: how long effects take, and whether more of the cause brings more of them."""

from collections.abc import Sequence

from bot.domain.link import Dose, Lag
from bot.signals.statistics import quantile, spearman

_LEAST_PAIRS = 5
_LEAST_SIZES = 3


def lag_of(lags_s: Sequence[float]) -> Lag | None:
    """Give the tenth, the middle and the ninetieth of a hundred lags; None where there are none."""
    if not lags_s:
        return None
    ordered = sorted(lags_s)
    return Lag(p10=quantile(ordered, 0.1), median=quantile(ordered, 0.5), p90=quantile(ordered, 0.9))


def dose_of(sizes: Sequence[tuple[float, float]]) -> Dose | None:
    """Ask whether larger causes bring larger effects; None where there are too few, or they are too much alike."""
    causes, effects = [a for a, _ in sizes], [b for _, b in sizes]
    if len(sizes) < _LEAST_PAIRS or len(set(causes)) < _LEAST_SIZES or len(set(effects)) < _LEAST_SIZES:
        return None
    rho, p_value = spearman(causes, effects)
    return Dose(rho=rho, p_value=p_value, pairs=len(sizes))
