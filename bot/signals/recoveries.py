"""Join what sparse traffic tears apart: where nobody asks, nothing fails, and that is no recovery.

Two bursts of failures are one where, had the fault gone on between them, it would not have been unlikely to see no more
failures there than were seen. What recovery is seen by is requests that succeed; where none are known, silence, by the rate
at which it failed before and after. Leaves out how bursts are found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp

import numpy as np

from bot.signals.bursts import Burst, Lines
from bot.signals.log_lines import Floats
from bot.signals.statistics import binomial_tail, poisson_upto

INFLATED = 1e-6
"""Chance of so many requests at the rate of every day, under which they are more than it brings"""
UNLIKELY = 1e-3
"""Chance of what lies between, had the fault gone on, under which two are held for two."""

Upto = Callable[[Floats], Floats]
"""Gives how many requests had succeeded by some times (epoch seconds)"""


@dataclass(frozen=True, slots=True)
class _Gap:
    """Two bursts with what lies between: lines that failed and requests that succeeded, inside both and between them."""

    before: Burst
    after: Burst
    failed_between: int
    served_inside: float = 0.0
    served_between: float = 0.0

    @property
    def length_s(self) -> float:
        """How long the gap is."""
        return self.after.start_s - self.before.end_s

    @property
    def lasted_s(self) -> float:
        """How long the two bursts are."""
        return self.before.end_s - self.before.start_s + self.after.end_s - self.after.start_s

    @property
    def failures(self) -> int:
        """How many failed in both bursts."""
        return self.before.count + self.after.count


def unbroken(found: Sequence[Burst], lines: Lines, served: Upto | None, window_s: float) -> list[Burst]:
    """Join bursts between which nothing shows that it was over.

    ``lines``: how many stand behind each time of failure; ``served``: how many requests of their kind had succeeded by some
    time, None where nobody tells of such.
    """
    if len(found) < 2:
        return list(found)
    gaps = [_Gap(one, other, lines.between(one.last, other.first)) for one, other in pairwise(found)]
    every = float(served(np.array([np.inf]))[0]) if served is not None else 0.0
    if served is not None and every:
        gaps = _with_served(gaps, served)
    joined = [found[0]]
    for gap in gaps:
        # held against the burst before alone: what was joined to that has gaps, which would make every further one usual
        chance = _by_requests(gap, every / max(window_s, 1.0)) if every else _by_silence(gap)
        # the gap is the longest of as many as there are failures, each of which might have been it (Boole's inequality)
        if gap.failures * chance > UNLIKELY:
            count = lines.between(joined[-1].first, gap.after.last)
            joined[-1] = Burst(joined[-1].start_s, gap.after.end_s, joined[-1].first, gap.after.last, count)
        else:
            joined.append(gap.after)
    return joined


def _with_served(gaps: Sequence[_Gap], served: Upto) -> list[_Gap]:
    edges = [(g.before.start_s, g.before.end_s, g.after.start_s, g.after.end_s) for g in gaps]
    upto = served(np.array(edges).reshape(-1)).reshape(-1, 4)
    return [
        _Gap(gap.before, gap.after, gap.failed_between, ends - begins + later - next_one, next_one - ends)
        for gap, (begins, ends, next_one, later) in zip(gaps, upto.tolist(), strict=True)
    ]


def _by_silence(gap: _Gap) -> float:
    """Give the chance of no failure in so long, at the rate of both bursts; 0 where they are too few to have one."""
    spaces = gap.failures - 2
    return exp(-spaces / gap.lasted_s * gap.length_s) if spaces > 0 and gap.lasted_s > 0.0 else 0.0


def _by_requests(gap: _Gap, usual: float) -> float:
    """Give the chance that as few requests as came in a gap came there, and that as few of them failed as did.

    ``usual``: successes a second over the whole window.
    """
    asked, inside = round(gap.served_between) + gap.failed_between, round(gap.served_inside) + gap.failures
    so_few = poisson_upto(asked, _asked_at(gap, inside, asked, usual) * gap.length_s)
    share = (gap.failures + 0.5) / (inside + 1.0)
    return so_few * (1.0 - binomial_tail(gap.failed_between + 1, asked, share))


def _asked_at(gap: _Gap, inside: int, between: int, usual: float) -> float:
    """Give how many requests a second a fault that goes on would see: as many as every day, or fewer where fewer come.

    Unless far more came while it failed, for clients then ask again and again, which they would have done in the gap as well.
    """
    if gap.lasted_s > 0.0 and 1.0 - poisson_upto(inside - 1, usual * gap.lasted_s) < INFLATED:
        return max(usual, (inside - 2) / gap.lasted_s)
    return min(usual, (inside + between) / (gap.lasted_s + gap.length_s))
