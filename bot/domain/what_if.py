"""What other values of one setting would have spared: a step function that a report keeps, so that a later question has its number too.

Leaves out how the steps were counted (``analyst/counterfactuals``).
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from bot.domain.entity import Entity
from bot.domain.spelling import length

Unit = Literal["s", "cores", "bytes", "/s", ""]
Range = tuple[int, int]
"""At least, at most; equal where the data tell it exactly."""

MOST_POINTS = 48
_MI = float(1 << 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Of ``total`` ``things`` of the window, how many a value of ``setting`` would have spared, under ``assumption``.

    ``points`` are ``(value, at least, at most)``, ascending by value. Where ``rising``, a value spares what the last point
    up to it spares, and nothing below the first; otherwise what the first point from it on spares, and nothing above the
    last. ``present`` is the value that was in force (None: none was), ``proposed`` the one that is recommended.
    """

    setting: str
    entity: Entity
    unit: Unit
    present: float | None
    proposed: float
    things: str
    total: int
    points: tuple[tuple[float, int, int], ...]
    assumption: str
    rising: bool = True

    def spared(self, value: float) -> Range:
        """Give at least and at most how many a value would have spared."""
        ordered = self.points if self.rising else tuple(reversed(self.points))
        reached = [(least, most) for at, least, most in ordered if (at <= value if self.rising else at >= value)]
        return reached[-1] if reached else (0, 0)

    def words(self, value: float | None = None) -> str:
        """Say how many a value, the proposed one by default, would have spared: ``212 of 214 dropped requests``."""
        least, most = self.spared(self.proposed if value is None else value)
        many = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        return f"{many if most else 'none'} of {self.total:,} {self.things}"

    def value_words(self, value: float) -> str:
        """Spell a value in the setting's unit."""
        if self.unit == "s":
            return length(value) if value >= 120 else f"{value:g} s"
        if self.unit == "cores":
            return f"{round(value * 1000)}m"
        if self.unit == "bytes":
            return f"{value / _MI:.0f}Mi"
        return f"{value:,.4g}{self.unit}"


def exactly(number: int) -> Range:
    """Give a number that the data tell exactly."""
    return number, number


def stepped(
    values: Iterable[float], spares: Callable[[float], Range], *, kept: Collection[float], rising: bool = True
) -> tuple[tuple[float, int, int], ...]:
    """Give the steps of a function that never falls as its setting grows more generous, about ``MOST_POINTS`` of them at most.

    ``values`` are those at which it may step. Where there are more, points are left out so that "at least" and "at most"
    still hold for every value between; for ``kept`` the function is given as it is.
    """
    ordered = sorted({*values, *kept}, reverse=not rising)
    steps = [(value, *spares(value)) for value in ordered]
    points = [one for before, one in pairwise([(0.0, 0, 0), *steps]) if one[1:] != before[1:] or one[0] in kept]
    last = len(points) - 1
    if last >= MOST_POINTS:
        exact = {place for place, one in enumerate(points) if one[0] in kept}
        even = {round(number * last / (MOST_POINTS - 1)) for number in range(MOST_POINTS)}
        places = sorted(even | exact | {min(place + 1, last) for place in exact})
        ends = [after - 1 for after in places[1:]] + [last]
        points = [(points[place][0], points[place][1], points[end][2]) for place, end in zip(places, ends, strict=True)]
    return tuple(sorted(points))
