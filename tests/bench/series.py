"""Shifts, periods and lags of many long series, planted and found."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bot.signals.changepoints import change_points
from bot.signals.lags import Lags, detrended
from bot.signals.levels import Floats, slot_profile
from bot.signals.periodicity import series_period
from tests.bench.figures import Figure, cpu_s

_SERIES, _MEASURED, _POINTS, _STEP_S = 2000, 200, 14_400, 30.0
_MOST_LAG_S = 7200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planted:
    """Series of five days at 30 s, with what was planted in which: a lasting shift, an echo of the symptom."""

    times: Floats
    symptom: Floats
    many: list[Floats]
    shifts: dict[int, int]
    lags: dict[int, float]


def _planted(seed: int = 1) -> _Planted:
    """Give a tenth of two thousand series: a daily cycle and noise; a tenth of them shifts, another follows the symptom."""
    draw = np.random.default_rng(seed)
    times = 1_763_769_600.0 + np.arange(_POINTS) * _STEP_S
    symptom = np.zeros(_POINTS)
    for at in np.sort(draw.uniform(0.02, 0.98, 20) * _POINTS).astype(int):
        symptom[at : at + 14] += draw.uniform(0.5, 1.5)
    many, shifts, lags = [], {}, {}
    for number in range(_MEASURED):
        values = (
            10
            + draw.uniform(1, 4) * np.sin(2 * np.pi * times / 86_400 + draw.uniform(0, 6.28))
            + draw.normal(0, 1, _POINTS)
        )
        if number % 10 == 0:
            shifts[number] = int(draw.uniform(0.15, 0.85) * _POINTS)
            values[shifts[number] :] += float(draw.choice([-1, 1]) * draw.uniform(3, 6))
        elif number % 10 == 5:
            ahead = int(draw.integers(-200, 201))
            lags[number] = ahead * _STEP_S
            values += 3 * np.roll(symptom, -ahead)
        many.append(values)
    return _Planted(times=times, symptom=symptom, many=many, shifts=shifts, lags=lags)


def series_figures() -> Iterator[Figure]:
    """Look for what was planted, then measure how long that takes for all."""
    given = _planted()
    times, many = given.times, given.many
    found = [change_points(times, values) for values in many]
    near = sum(any(abs(p.at_s - times[at]) <= 5 * _STEP_S for p in found[n]) for n, at in given.shifts.items())
    false = sum(bool(points) for number, points in enumerate(found) if number not in given.shifts)
    yield Figure(
        name="planted shifts within 5 points, false ones",
        shown=f"{near} of {len(given.shifts)}, {false} false",
        limit="≥ 95 %, none",
        kept=near >= 0.95 * len(given.shifts) and not false,
    )
    against = Lags(detrended(times, given.symptom), _STEP_S, _MOST_LAG_S)
    lags = [against.of(detrended(times, values)) for values in many]
    sure = {n: lag for n, lag in enumerate(lags) if lag is not None and lag.p_value < 1e-3 / _SERIES}
    right = sum(n in sure and abs(sure[n].ahead_s - ahead) <= 5 * _STEP_S for n, ahead in given.lags.items())
    wrong = len(sure.keys() - given.lags.keys())
    yield Figure(
        name="planted lags within 5 points, false ones",
        shown=f"{right} of {len(given.lags)}, {wrong} false",
        limit="≥ 95 %, none",
        kept=right >= 0.95 * len(given.lags) and not wrong,
    )
    taken = cpu_s(lambda: [_looked_at(times, values, against) for values in many]) * _SERIES / _MEASURED
    yield Figure(
        name=f"shifts, periods, lags of {_SERIES} × {_POINTS} points",
        shown=f"{taken:.1f} cpu-s, from {_MEASURED} measured",
        limit="≤ 5 cpu-s",
        kept=taken <= 5,
    )


def _looked_at(times: Floats, values: Floats, against: Lags) -> None:
    slots = slot_profile(times, values)
    change_points(times, values, slots=slots)
    series_period(times, values)
    against.of(detrended(times, values, slots))
