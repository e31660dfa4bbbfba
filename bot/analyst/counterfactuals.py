"""What a changed setting would have spared in this window: pure functions from what was measured to a number.

Each rests on one assumption, which its docstring names and whoever quotes the number repeats. A number never falls as the
setting grows more generous. Leaves out where the measurements come from and how the number is told (``advice``).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum


@dataclass(frozen=True, slots=True)
class Refusal:
    """A pod that a quota refused: what it asked for, what was taken, and the limit, in one unit."""

    requested: float
    used: float
    limited: float


def finished_by_grace(dropped: int, durations_s: Sequence[float], grace_s: float, wanted_s: float) -> int:
    """Give how many of ``dropped`` requests would have ended within ``wanted_s`` seconds of SIGTERM.

    Assumes that requests in flight last as those logged that outlast the present ``grace_s``, and that SIGTERM finds each at any
    moment of its run, one as likely as another. So a request of ``d`` seconds is found with more than ``grace_s`` left in
    ``d - grace_s`` of them (the inspection paradox: a longer one is found more often), and with no more than ``wanted_s`` left
    in ``min(d, wanted_s) - grace_s`` of those. ``durations_s`` in any order.
    """
    long = [one for one in durations_s if one > grace_s]
    if not long or wanted_s <= grace_s:
        return 0
    spared = fsum(min(one, wanted_s) - grace_s for one in long)
    return min(dropped, int(dropped * spared / fsum(one - grace_s for one in long) + 1e-9))


def spared_by_waiting(downs_s: Sequence[float], ups_s: Sequence[float], present_s: float, wanted_s: float) -> int:
    """Give how many scale-downs a stabilisation window of ``wanted_s`` instead of ``present_s`` seconds would have spared.

    Assumes the same load: a scale-down is spared where a scale-up follows within the time it would have waited longer.
    """
    ups = sorted(ups_s)
    longer = max(0.0, wanted_s - present_s)
    after = ((at, bisect_right(ups, at)) for at in downs_s)
    return sum(place < len(ups) and ups[place] - at <= longer for at, place in after)


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


def after(times_s: Sequence[float], begun_s: float, delay_s: float) -> int:
    """Give how many failures came later than ``delay_s`` seconds after ``begun_s``; ``times_s`` ascending.

    Assumes that they end once what brought them about is undone.
    """
    return len(times_s) - bisect_right(times_s, begun_s + delay_s)


def tolerated(pauses_s: Sequence[float], period_s: float, timeout_s: float, threshold: int) -> tuple[int, int]:
    """Give at least and at most how many pauses a liveness probe would have sat out.

    A probe that begins in a pause and is not answered in ``timeout_s`` fails, ``threshold`` of them in a row kill. They begin
    every ``period_s`` seconds; where in a pause the first one falls is not known, which makes the range.
    """
    surely = (threshold - 1) * period_s + timeout_s
    return sum(one < surely for one in pauses_s), sum(one < surely + period_s for one in pauses_s)


def beyond(attempts: Sequence[int], most: int) -> int:
    """Give how many retries would not have been made with at most ``most`` retries a call.

    ``attempts`` are the numbers that retries bear, the first one 1. Assumes that no call succeeds only because it was tried that often.
    """
    return sum(one > most for one in attempts)


def fitting(needs: Sequence[tuple[float, float]], rooms: Sequence[tuple[float, float]]) -> int:
    """Give how many pods of ``(cores, bytes)`` find a place in rooms of the same, smallest pods first, each in the first that fits.

    Assumes that nothing but CPU and memory keeps a pod from a node.
    """
    left = [*rooms]
    placed = 0
    for cores, size in sorted(needs):
        at = next((place for place, room in enumerate(left) if room[0] >= cores and room[1] >= size), None)
        if at is not None:
            left[at] = (left[at][0] - cores, left[at][1] - size)
            placed += 1
    return placed


def answered(dropped: Sequence[float], more: float) -> int:
    """Give how many of the queries that were ``dropped``, sample by sample, ``more`` answers a sample would have saved.

    Assumes that what was dropped is what came beyond what is answered, and that a query that is answered is not asked again.
    """
    return int(sum(min(one, max(0.0, more)) for one in dropped))
