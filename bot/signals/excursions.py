"""Episodes in which a series leaves its level and comes back.

The level is the median plus the *smooth* daily profile, so that an episode at the same hours of every day is
still an episode. Left out: what the episode means; ``series_signals`` knows the metric.
"""

from dataclasses import dataclass

import numpy as np

from bot.signals.grids import Indexes, grid_of
from bot.signals.levels import Floats, finite, robust_level, smooth_profile

OUT_SIGMA = 4.0
"""An episode must reach this far out …"""
EDGE_SIGMA = 2.0
"""… and lasts while the series stays beyond this."""
SINGLE_SIGMA = 8.0
"""One lone sample must be this far out, or noise alone would make episodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excursion:
    """``[start_s, end_s]`` above (``sigma`` > 0) or below the level: ``peak`` is the farthest value, ``usual`` the level there."""

    start_s: float
    end_s: float
    peak: float
    usual: float
    sigma: float
    total: float
    """Sum over the samples of what went beyond the level (values times samples)."""


def excursions(
    times_s: Floats, values: Floats, *, merge_gap_s: float | None = None, slots: Floats | None = None
) -> list[Excursion]:
    """Find episodes beyond the robust level, earliest first; those closer than ``merge_gap_s`` are one.

    Without ``merge_gap_s`` three steps, at least three minutes, join.
    """
    times, numbers = finite(times_s, values)
    if len(numbers) < 8:
        return []
    usual = smooth_profile(times, numbers, slots)
    level = robust_level(numbers - usual)
    usual = usual + level.median
    away = (numbers - usual) / level.sigma
    step = grid_of(times).step_s
    gap = max(3 * step, 180.0) if merge_gap_s is None else merge_gap_s
    found = [
        *_episodes(times, numbers, usual, away, +1, gap),
        *_episodes(times, numbers, usual, away, -1, gap),
    ]
    return sorted(found, key=lambda episode: (episode.start_s, -episode.sigma))


def _episodes(times: Floats, values: Floats, usual: Floats, away: Floats, sign: int, gap: float) -> list[Excursion]:
    out = away * sign
    if float(out.max()) < OUT_SIGMA:
        return []
    beyond = np.flatnonzero(out > EDGE_SIGMA)
    firsts, lasts = _runs(beyond)
    far = np.maximum.reduceat(out[beyond], np.searchsorted(beyond, firsts)) >= OUT_SIGMA
    runs: list[list[int]] = []
    for first, last in zip(firsts[far].tolist(), lasts[far].tolist(), strict=True):
        if runs and times[first] - times[runs[-1][1]] <= gap:
            runs[-1][1] = last
        else:
            runs.append([first, last])
    found = []
    for first, last in runs:
        part = slice(first, last + 1)
        top = first + int(np.argmax(out[part]))
        if int((out[part] > EDGE_SIGMA).sum()) < 2 and out[top] < SINGLE_SIGMA:
            continue
        found.append(
            Excursion(
                start_s=float(times[first]),
                end_s=float(times[last]),
                peak=float(values[top]),
                usual=float(usual[top]),
                sigma=float(away[top]),
                total=float(np.abs(values[part] - usual[part]).sum()),
            )
        )
    return found


def _runs(indexes: Indexes) -> tuple[Indexes, Indexes]:
    """Group ascending indexes into runs of neighbours, as first and last of each."""
    breaks = np.flatnonzero(np.diff(indexes) > 1)
    return indexes[np.concatenate(([0], breaks + 1))], indexes[np.concatenate((breaks, [len(indexes) - 1]))]
