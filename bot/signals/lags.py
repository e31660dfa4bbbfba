"""How far ahead of a target a series moves, and whether that is more than two restless series do by chance.

The cross-correlation at every lag by FFT; the significance counts the independent samples, not all of them: two series
that each resemble their own past correlate by chance (Bartlett 1946; Pyper & Peterman 1998). Two that repeat match at some lag
whatever they are, and then at others that are too far to mean anything just as well, which is looked at, too. Leaves out
what a lag means.
"""

import math

import numpy as np

from bot.domain.signal import SeriesLag
from bot.signals.levels import Floats, dot, fast_length, robust_level, smooth_profile

_REMEMBERED = 0.25
"""Share of the samples up to which a series' likeness to its own past is added up"""
_CLIPPED_SIGMA = 8.0
_LEAST_SAMPLES = 32
_UNLIKELY = 0.05
_AS_STRONG = 0.9
"""Of a correlation: from this share of it on another is told apart by noise alone."""


class Lags:
    """A target on an even grid, ready to be held against any number of series on the same grid.

    ``most_s``: the farthest lag looked at, on either side.
    """

    def __init__(self, target: Floats, step_s: float, most_s: float) -> None:
        count = len(target)
        self._count, self._step_s = count, step_s
        self._most = max(1, min(int(most_s / step_s), count // 4))
        self._memory = max(1, int(count * _REMEMBERED))
        self._length = fast_length(count + max(self._most, self._memory))
        row, power = _standard(target)
        self._silent = not power
        spectrum = np.fft.rfft(row, self._length)
        self._spectrum = spectrum
        own = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, self._length)[: self._memory + 1]
        own[1:] *= 1.0 - np.arange(1, self._memory + 1) / count
        both_ways = np.concatenate((own, np.zeros(self._length - 2 * self._memory - 1), own[:0:-1]))
        weights = np.fft.rfft(both_ways).real * (2.0 / self._length)
        weights[0] /= 2
        weights[-1] /= 2 if self._length % 2 == 0 else 1
        self._weights = weights
        """By frequency: what a series' power there adds to the sum, over lags, of its and the target's own correlations"""

    def of(self, values: Floats) -> SeriesLag | None:
        """Give the lag of the strongest correlation; None where either never moves or there are too few samples."""
        row, power = _standard(values)
        if self._silent or not power or self._count < _LEAST_SAMPLES:
            return None
        spectrum = np.fft.rfft(row, self._length)
        # at lag k: the series k steps before the target
        cross = np.fft.irfft(self._spectrum * np.conj(spectrum), self._length)
        around = np.concatenate((cross[-self._most :], cross[: self._most + 1]))
        best = int(np.argmax(np.abs(around)))
        worth = max(1.0, dot(self._weights, spectrum.real**2 + spectrum.imag**2))
        samples = self._count / worth
        correlation = min(1.0, max(-1.0, float(around[best])))
        chance = _chance(correlation, samples, (2 * self._most + 1) / worth)
        return SeriesLag(
            ahead_s=(best - self._most) * self._step_s,
            correlation=correlation,
            p_value=max(chance, self._elsewhere(cross, best - self._most)) if chance < _UNLIKELY else chance,
            samples=samples,
        )

    def _elsewhere(self, cross: Floats, lag: int) -> float:
        """Give the share of farther stretches of lags that hold a correlation as strong; 0 where none does."""
        shares = 1.0 - np.arange(self._most + 1, self._memory + 1) / self._count
        after = cross[self._most + 1 : self._memory + 1] / shares
        before = cross[-self._memory : -self._most or None][::-1] / shares
        width = 2 * self._most + 1
        stretches = len(shares) // width
        if not stretches:
            return 0.0
        peaks = np.abs(np.stack((after, before))[:, : stretches * width]).reshape(-1, width).max(axis=1)
        as_strong = int((peaks >= _AS_STRONG * abs(float(cross[lag])) / (1.0 - abs(lag) / self._count)).sum())
        return (as_strong + 1) / (len(peaks) + 1) if as_strong else 0.0


def detrended(times_s: Floats, values: Floats, slots: Floats | None = None) -> Floats:
    """Take the slow daily cycle and the level off a series, and bound what is far out; gaps become the level."""
    rest = np.asarray(values, dtype=np.float64) - smooth_profile(times_s, values, slots)
    level = robust_level(rest)
    reach = _CLIPPED_SIGMA * level.sigma
    around = rest - level.median
    around[np.isnan(around)] = 0.0
    return np.clip(around, -reach, reach)


def _standard(values: Floats) -> tuple[Floats, float]:
    """Give values around zero whose squares sum to one, and what they summed to."""
    centred = values - values.mean()
    power = dot(centred, centred)
    if power <= 1e-18 * len(values) * max(1.0, float(np.abs(values).max())) ** 2:
        return np.zeros(len(values)), 0.0
    return (centred / math.sqrt(power)), power


def _chance(correlation: float, samples: float, looked_at: float) -> float:
    """Give the two-sided p-value by Fisher's transform, times the independent lags that were looked at."""
    if samples <= 4:
        return 1.0
    z = math.atanh(min(abs(correlation), 1 - 1e-12)) * math.sqrt(samples - 3)
    return min(1.0, max(1.0, looked_at) * math.erfc(z / math.sqrt(2)))
