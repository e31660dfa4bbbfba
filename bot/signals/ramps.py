"""One long rise of a series: flat before it, steady from a knee on, until a bound stops it, somebody ends it or the window does.

A broken line is fitted (Hinkley 1971, with the level before the knee taken from the series itself). Left out: rises that had
begun before the series does, which have no knee to be dated by (``changepoints.trends``), and what a rise means.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bot.signals.levels import MAD_TO_SIGMA, Floats, finite, median

_BLOCKS = 64
_FEWEST = 40
_LOOKED_AT = 15
"""Samples of a block that are enough for its median."""
_LEAST_BEFORE = 3
"""Blocks of flat level that a knee needs before it, and of rise that it needs behind it."""
_LEAST_RISE = 4
_FULL = 0.02
"""Share of the whole rise within which a line counts as being at its bound."""
_FALLEN = 0.5
_STAYS = 0.1
"""What stays this near to its top is at its bound; what is seen below half of it at once was emptied."""
_FIT = 0.97
"""Least share of the variance that the broken line must explain: a half wave of a day from its night on explains .95."""
_KINK = 0.5
"""What a broken line may leave, at most, of what a straight one leaves."""
_CLEAR = 8.0
"""The rise in robust deviations of the level before it."""
_STOPPED = 0.3
"""The share of its former slope under which a line that is full rises no more."""
_MARGIN = 0.1
_LEAST_FIT = 3
"""Samples from which on a line through them says anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A rise from its knee to its end (seconds since the epoch) with the level before and the level reached.

    ``bounded`` tells whether it ended at a level that it then kept, or at which it was emptied; ``unsure_s`` how far its knee may
    be off, as the level before it scatters.
    """

    start_s: float
    end_s: float
    first: float
    last: float
    bounded: bool
    unsure_s: float


def ramp(times_s: Floats, values: Floats, *, falling: bool = False) -> Ramp | None:
    """Find the one long rise (or fall) of a series that has a knee; None where there is none."""
    times, numbers = finite(times_s, values)
    if len(numbers) < _FEWEST:
        return None
    signed = -numbers if falling else numbers
    edges = np.linspace(0, len(signed), min(_BLOCKS, len(signed) // 2) + 1).astype(np.intp)
    places = [slice(int(a), int(b)) for a, b in pairwise(edges)]
    few = np.linspace(0, len(signed) - 1, len(places) * min(_LOOKED_AT, len(signed) // len(places))).astype(np.intp)
    middles = np.median(signed[few].reshape(len(places), -1), axis=1)
    # what lies behind the top may be lower than all before it, where somebody made room
    floor = float(middles[: int(np.argmax(middles)) + 1].min())
    low, reach = float(middles[:_LEAST_BEFORE].max()), float(middles.max()) - floor
    if reach <= 0 or low > float(middles.max()) - _FALLEN * reach:
        return None
    top = int(np.argmax(middles >= float(middles.max()) - _FULL * reach))
    between = middles[:top] - floor
    if int(((between > _STAYS * reach) & (between < (1 - _STAYS) * reach)).sum()) < _LEAST_RISE - 2:
        return None  # a step
    after = middles[top:] - float(middles.max())
    stays = bool((after >= -_STAYS * reach).all())
    if not stays and not _emptied(after, reach):
        return None
    knee = _knee(middles[: top + 1], reach)
    if knee is None:
        return None
    return _dated(
        times, signed, (places[knee].start, places[min(top + 1, len(places) - 1)].stop), -1.0 if falling else 1.0
    )


def _emptied(after: Floats, reach: float) -> bool:
    """Tell whether a line fell from its top to under half of it at once and stayed there: what rises again is no one rise."""
    below = int(np.argmax(after < -_STAYS * reach))
    at_once = after[below : below + 2] < -_FALLEN * reach
    return bool(at_once.any() and (after[below + 1 :] < -_FALLEN * reach).all())


def _knee(middles: Floats, reach: float) -> int | None:
    """Give the block in which the broken line that fits best has its knee; None where none fits."""
    count = len(middles)
    spread = float(((middles - middles.mean()) ** 2).sum())
    best: tuple[float, int] | None = None
    for at in range(_LEAST_BEFORE, count - _LEAST_RISE + 1):
        level, rest = float(np.median(middles[:at])), middles[at:]
        run = np.arange(1, len(rest) + 1, dtype=np.float64)
        slope = float((run * (rest - level)).sum() / (run * run).sum())
        left = float(((middles[:at] - level) ** 2).sum() + ((rest - level - slope * run) ** 2).sum())
        if slope > 0 and (best is None or left < best[0]):
            best = (left, at)
    if best is None or best[0] > min((1 - _FIT) * spread, _KINK * _left_by_a_line(middles)):
        return None
    before = middles[: best[1]]
    sigma = MAD_TO_SIGMA * median(np.abs(before - median(before)))
    return best[1] if reach >= _CLEAR * sigma else None


def _left_by_a_line(middles: Floats) -> float:
    """Give the squares that one straight line leaves: a rise from the first sample on has no knee."""
    run = np.arange(len(middles), dtype=np.float64)
    run -= run.mean()
    rest = middles - middles.mean()
    return float((rest * rest).sum() - (run * rest).sum() ** 2 / (run * run).sum())


def _dated(times: Floats, signed: Floats, span: tuple[int, int], sign: float) -> Ramp | None:
    """Date the knee where the first part of the rise meets the level before it, and the end where its last part meets the top."""
    first, last = span
    level, top = median(signed[: max(first - 1, 1)]), float(np.percentile(signed[first:last], 98))
    full = np.flatnonzero(signed[first:last] >= top - _FULL * (top - level))
    if not len(full) or top <= level:
        return None
    reached = first + int(full[0])
    bounded = _kept(signed[reached:], (top - level) / max(reached - first, 1))
    top = median(signed[reached + (last - reached) // 2 : last]) if bounded else top
    middle = (times[first] + times[reached]) / 2
    width = 2 * (times[-1] - times[0]) / _BLOCKS
    knee = _meets(times, signed, (times[first], middle), level, (times[first] - width, times[first] + width))
    end = _meets(times, signed, (middle, times[reached]), top, (times[reached], times[reached] + width))
    if knee is None or end is None or end <= knee:
        return None
    scatter = MAD_TO_SIGMA * median(np.abs(signed[: max(first - 1, 1)] - level))
    return Ramp(
        start_s=max(knee, float(times[0])),
        end_s=min(end, float(times[-1])) if bounded else float(times[last - 1]),
        first=sign * level + 0.0,
        last=sign * top + 0.0,
        bounded=bounded,
        unsure_s=scatter * (end - knee) / (top - level),
    )


def _kept(after: Floats, slope: float) -> bool:
    """Tell whether a line stopped rising: behind the point at which it is full it has not gone on as it rose before."""
    third = len(after) // 3
    if not third:
        return False
    return median(after[-third:]) - median(after[:third]) < _STOPPED * slope * 2 * third


def _meets(
    times: Floats, signed: Floats, part: tuple[float, float], level: float, within: tuple[float, float]
) -> float | None:
    """Give where the line through a part of a rise meets a level; its ends are left out, where the level still reaches in."""
    begin, end = part
    margin = _MARGIN * (end - begin)
    kept = (times >= begin + margin) & (times <= end - margin)
    if int(kept.sum()) < _LEAST_FIT:
        return None
    slope, base = np.polyfit(times[kept] - begin, signed[kept], 1)
    return float(np.clip(begin + (level - base) / slope, *within)) if slope > 0 else None
