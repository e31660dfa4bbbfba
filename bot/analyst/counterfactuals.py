"""What a changed setting would have spared in this window: pure functions from what was measured to a number.

Each rests on one assumption, which its docstring names and whoever quotes the number repeats. A number never falls as the
setting grows more generous. Leaves out where the measurements come from and how the number is told (``advice``).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A pod that a quota refused: what it asked for, what was taken, and the limit, in one unit."""

    requested: float
    used: float
    limited: float


def finished_by_grace(dropped: int, durations_s: Sequence[float], grace_s: float, wanted_s: float) -> int:
    """Give how many of ``dropped`` requests would have ended within ``wanted_s`` seconds of SIGTERM.

    Assumes that the dropped requests last as long as those logged that outlast the present ``grace_s``; a request that had
    run for a while already needs less than that, so that the number is on the safe side. ``durations_s`` in any order.
    """
    long = sorted(one for one in durations_s if one > grace_s)
    if not long or wanted_s <= grace_s:
        return 0
    return dropped * bisect_right(long, wanted_s) // len(long)


def spared_by_waiting(downs_s: Sequence[float], ups_s: Sequence[float], present_s: float, wanted_s: float) -> int:
    """Give how many scale-downs a stabilisation window of ``wanted_s`` instead of ``present_s`` seconds would have spared.

    Assumes the same load: a scale-down is spared where a scale-up follows within the time it would have waited longer.
    """
    ups = sorted(ups_s)
    longer = max(0.0, wanted_s - present_s)
    after = ((at, bisect_right(ups, at)) for at in downs_s)
    return sum(place < len(ups) and ups[place] - at <= longer for at, place in after)


def outlasted(failures_s: Sequence[float], period_s: float, threshold: int) -> int:
    """Give how many stretches of failed probes end before ``threshold`` probes, ``period_s`` seconds apart, have failed.

    Assumes that a container that is left alone recovers when it did, and not later.
    """
    return sum(one < period_s * threshold for one in failures_s)


def admitted(refusals: Sequence[Refusal], limit: float) -> int:
    """Give how many refused pods a quota of ``limit`` would have let in, each asked beside what was taken when it was refused.

    Assumes that nothing else takes the room that is added.
    """
    return sum(one.used + one.requested <= limit for one in refusals)


def kills_spared(kills: int, start: float, limit: float, wanted: float) -> int:
    """Give how many of ``kills`` out of memory would not have come at a limit of ``wanted`` instead of ``limit`` bytes.

    Assumes that memory goes on growing from ``start`` bytes at the rate that was measured, so that it is full later by as
    much as there is more room.
    """
    if kills <= 0 or limit <= start or wanted <= limit:
        return 0
    return kills - int(kills * (limit - start) / (wanted - start))


def served(waiting: Sequence[int], more: int) -> int:
    """Give in how many of the moments that were logged ``more`` connections would have served all that waited.

    Assumes that the database has as many connections to give and is no slower for it.
    """
    return bisect_right(sorted(waiting), more)


def bounded(uses: Sequence[float], limit: float) -> int:
    """Give how often something used more than ``limit``: times that such a limit would have stopped it alone.

    Assumes that its neighbours were struck for what it used and for nothing else.
    """
    ordered = sorted(uses)
    return len(ordered) - bisect_left(ordered, limit)
