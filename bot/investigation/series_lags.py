"""How far ahead of the symptom the series behind a signal moves: the whole course of it, not just its episodes.

A series is read again only when somebody asks, so this costs what is told. Leaves out the measuring (``signals/lags``).
"""

from collections.abc import Callable

import numpy as np

from bot.casefile.case import Case
from bot.domain.signal import SeriesLag, Signal, Topology
from bot.domain.window import Window
from bot.signals.lags import Lags, detrended
from bot.signals.levels import Floats
from bot.signals.series_signals import series_behind

MOST_LAG_S = 7200.0
LEAST_EPISODES = 3
"""A symptom that came less often has no course that another could share."""


def lag_to(
    symptom: Signal | None, case: Case, topology: Topology, window: Window
) -> Callable[[Signal], SeriesLag | None]:
    """Give a measure of how far ahead of the symptom any signal's series moves; None where nothing can be measured."""

    def measured(signal: Signal) -> SeriesLag | None:
        if symptom is None or signal.id == symptom.id or len(symptom.occurrences) < LEAST_EPISODES:
            return None
        folded = series_behind(signal, case, topology)
        if folded is None:
            return None
        inside = (folded.times >= window.start_s) & (folded.times < window.end_s)
        times, values = folded.times[inside], folded.values[inside]
        if len(times) < 2:
            return None
        felt = _felt(symptom, times, folded.step)
        return Lags(detrended(times, felt), folded.step, MOST_LAG_S).of(detrended(times, values))

    return measured


def _felt(symptom: Signal, times: Floats, step_s: float) -> Floats:
    """Lay the symptom on a grid: how much of it there was in each step, spread evenly over its episodes."""
    felt = np.zeros(len(times))
    for one in symptom.occurrences:
        first, last = np.searchsorted(times, (one.start_s - step_s / 2, one.end_s + step_s / 2))
        if first < len(times):
            felt[first : max(int(last), int(first) + 1)] += one.size / max(1, int(last) - int(first))
    return felt
