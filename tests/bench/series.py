"""Shifts, periods and lags of many long series, planted and found by the functions that the engine looks for them with.

All two thousand series are looked at one after another, and nothing is extrapolated or shared between the three questions.
How long the digest takes with the same series, which asks for more than these, stands beside it.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from bot.domain.items import ItemId, Series
from bot.domain.signal import SeriesLag, Topology
from bot.domain.window import Window
from bot.investigation.series_lags import MOST_LAG_S
from bot.signals.changepoints import ChangePoint
from bot.signals.courses import clear_period_s, lasting_shifts
from bot.signals.lags import Lags, detrended
from bot.signals.levels import Floats
from bot.signals.series_signals import series_signals
from tests.bench.figures import Figure, cpu_s
from tests.series_shelf import HeldSeries

_SERIES, _TOGETHER, _POINTS, _STEP_S = 2000, 200, 14_400, 30.0
_NEAR_S = 5 * _STEP_S
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planted:
    """Series of five days at 30 s, and by number what was planted: a lasting shift, an echo of the symptom, a period."""

    times: Floats
    symptom: Floats
    many: list[tuple[ItemId, Series]] = field(default_factory=list)
    shifts: dict[int, float] = field(default_factory=dict)
    lags: dict[int, float] = field(default_factory=dict)
    periods: dict[int, float] = field(default_factory=dict)


def _planted(seed: int = 1) -> _Planted:
    """Give two thousand series of noise and a daily cycle: a tenth of them shifts, another echoes, a third repeats oftener."""
    draw = np.random.default_rng(seed)
    times = 1_763_769_600.0 + np.arange(_POINTS) * _STEP_S
    symptom = np.zeros(_POINTS)
    for at in np.sort(draw.uniform(0.02, 0.98, 20) * _POINTS).astype(int):
        symptom[at : at + 14] += draw.uniform(0.5, 1.5)
    given = _Planted(times=times, symptom=symptom)
    when = array("d", times)
    for first in range(0, _SERIES, _TOGETHER):
        noise = draw.normal(0, 1, (_TOGETHER, _POINTS))
        for number in range(first, first + _TOGETHER):
            values = noise[number - first] + _course(given, number, draw)
            labels = {"namespace": "shop", "deployment": f"service-{number}"}
            one = Series(
                metric="app_queue_depth",
                labels=labels,
                times_s=when,
                values=array("d", values),
                raw=b"",
                source="bench",
            )
            given.many.append((ItemId(f"M{number}"), one))
    return given


def _course(given: _Planted, number: int, draw: np.random.Generator) -> Floats:
    """Give a series without its noise, and remember what was planted in it."""
    if number % 10 == 8:
        period = given.periods[number] = float(draw.integers(40, 1440)) * _STEP_S
        return 10 + draw.uniform(3, 6) * ((given.times - draw.uniform(0, _DAY_S)) % period < period / 4)
    course = 10 + draw.uniform(1, 4) * np.sin(2 * np.pi * given.times / _DAY_S + draw.uniform(0, 6.28))
    if number % 10 == 0:
        at = int(draw.uniform(0.15, 0.85) * _POINTS)
        course[at:] += float(draw.choice([-1, 1]) * draw.uniform(3, 6))
        given.shifts[number] = float(given.times[at])
    elif number % 10 == 5:
        ahead = int(draw.integers(-200, 201))
        course += 3 * np.roll(given.symptom, -ahead)
        given.lags[number] = ahead * _STEP_S
    return course


def series_figures() -> Iterator[Figure]:
    """Look for what was planted in every series, as the engine does, and measure how long that takes."""
    given = _planted()
    found: list[_Found] = []

    def looked_at() -> None:
        against = Lags(detrended(given.times, given.symptom), _STEP_S, MOST_LAG_S)
        found[:] = [_looked_at(given.times, np.asarray(one.values), against) for _, one in given.many]

    taken = cpu_s(looked_at)
    yield _shifts_figure(given, [one.shifts for one in found])
    yield _periods_figure(given, [one.period_s for one in found])
    yield _lags_figure(given, [one.lag for one in found])
    many = f"of {_SERIES} × {_POINTS} points"
    shown = f"{taken:.1f} cpu-s, all of them measured"
    yield Figure(name=f"shifts, periods, lags {many}", shown=shown, limit="≤ 5 cpu-s", kept=taken <= 5)
    window = Window(start=_moment(given.times[0]), end=_moment(given.times[-1] + _STEP_S), asked="all")
    whole = cpu_s(lambda: series_signals(HeldSeries(given.many), window, Topology()), times=1)
    shown = f"{whole:.1f} cpu-s with folding, episodes and their periods"
    yield Figure(name=f"the digest {many}", shown=shown, limit="none", kept=True)


@dataclass(frozen=True, slots=True)
class _Found:
    shifts: list[ChangePoint]
    period_s: float | None
    lag: SeriesLag | None


def _looked_at(times: Floats, values: Floats, against: Lags) -> _Found:
    return _Found(lasting_shifts(times, values), clear_period_s(times, values), against.of(detrended(times, values)))


def _moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(float(at_s), UTC)


def _shifts_figure(given: _Planted, found: list[list[ChangePoint]]) -> Figure:
    near = sum(any(abs(p.at_s - at) <= _NEAR_S for p in found[n]) for n, at in given.shifts.items())
    false = sum(bool(points) for number, points in enumerate(found) if number not in given.shifts)
    return _figure("planted shifts within 5 points, false ones", near, len(given.shifts), false)


def _periods_figure(given: _Planted, found: list[float | None]) -> Figure:
    """Count planted periods within a hundredth; whoever repeats otherwise than daily, where none was planted, is false."""
    told = {n: period_s for n, period_s in enumerate(found) if period_s is not None}
    near = sum(n in told and abs(told[n] - period) <= 0.01 * period for n, period in given.periods.items())
    false = sum(abs(told[n] - _DAY_S) > 0.1 * _DAY_S for n in told.keys() - given.periods.keys())
    return _figure("planted periods within 1 %, false ones", near, len(given.periods), false)


def _lags_figure(given: _Planted, found: list[SeriesLag | None]) -> Figure:
    sure = {n: lag for n, lag in enumerate(found) if lag is not None and lag.p_value < 1e-3 / _SERIES}
    near = sum(n in sure and abs(sure[n].ahead_s - ahead) <= _NEAR_S for n, ahead in given.lags.items())
    return _figure(
        "planted lags within 5 points, false ones", near, len(given.lags), len(sure.keys() - given.lags.keys())
    )


def _figure(name: str, near: int, planted: int, false: int) -> Figure:
    shown = f"{near} of {planted}, {false} false"
    return Figure(name=name, shown=shown, limit="≥ 95 %, none", kept=near >= 0.95 * planted and not false)
