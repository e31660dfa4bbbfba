"""What a series does in the large: how it shifts, apart from what its own repeating brings.

Left out: finding either (``changepoints``, ``periodicity``), and what it means.
"""

from bot.signals.changepoints import ChangePoint, change_points
from bot.signals.levels import Floats
from bot.signals.periodicity import CLEAR, series_period


def lasting_shifts(times_s: Floats, values: Floats, slots: Floats | None = None) -> list[ChangePoint]:
    """Find lasting shifts, earliest first; a job that happens to run as the window begins or ends is none.

    The period is looked for only where something seems to have shifted.
    """
    points = change_points(times_s, values, slots=slots)
    period_s = clear_period_s(times_s, values) if points else None
    return points if period_s is None else change_points(times_s, values, slots=slots, period_s=period_s)


def clear_period_s(times_s: Floats, values: Floats) -> float | None:
    """Give after how many seconds a series repeats, where it clearly does."""
    beat = series_period(times_s, values)
    return beat.period_s if beat is not None and beat.strength >= CLEAR else None
