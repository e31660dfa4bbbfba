"""Shifts and periods of many long series, planted and found."""

from collections.abc import Iterator

import numpy as np

from bot.signals.changepoints import change_points
from bot.signals.periodicity import series_period
from tests.bench.figures import Figure, cpu_s

_SERIES, _MEASURED, _POINTS, _STEP_S = 2000, 200, 14_400, 30.0


def series_figures() -> Iterator[Figure]:
    """Measure a tenth of two thousand series of five days at 30 s, a tenth of them with a lasting shift."""
    draw = np.random.default_rng(1)
    times = 1_763_769_600.0 + np.arange(_POINTS) * _STEP_S
    many, planted = [], {}
    for number in range(_MEASURED):
        values = (
            10
            + draw.uniform(1, 4) * np.sin(2 * np.pi * times / 86_400 + draw.uniform(0, 6.28))
            + draw.normal(0, 1, _POINTS)
        )
        if number % 10 == 0:
            planted[number] = int(draw.uniform(0.15, 0.85) * _POINTS)
            values[planted[number] :] += float(draw.choice([-1, 1]) * draw.uniform(3, 6))
        many.append(values)
    found = [change_points(times, values) for values in many]
    near = sum(any(abs(p.at_s - times[at]) <= 5 * _STEP_S for p in found[n]) for n, at in planted.items())
    false = sum(bool(points) for number, points in enumerate(found) if number not in planted)
    share = _SERIES / _MEASURED
    shifts = cpu_s(lambda: [change_points(times, values) for values in many], 1) * share
    periods = cpu_s(lambda: [series_period(times, values) for values in many], 1) * share
    yield Figure(
        name="planted shifts within 5 points, false ones",
        shown=f"{near} of {len(planted)}, {false} false",
        limit="≥ 95 %, none",
        kept=near >= 0.95 * len(planted) and not false,
    )
    yield Figure(
        name=f"shifts and periods of {_SERIES} × {_POINTS} points",
        shown=f"{shifts:.1f} + {periods:.1f} cpu-s, from {_MEASURED} measured",
        limit="≤ 5 cpu-s, lags included",
        kept=shifts + periods <= 5,
    )
