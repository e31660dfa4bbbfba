"""Times at which not one line is written but many alike, and the places in their text that differ from line to line.

Traffic of thousands of requests a second is simulated by its causes, not request by request: what happened is worked out once,
and the text of one line holds a token where the others differ. ``bulk`` draws what stands there.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Self

PARTS = 3
"""Pods that see a share of what happens many times in a tick."""


class Many(float):
    """A time in epoch seconds: ``count`` lines are spread over the ``spread_s`` from then on, each about ``took_s`` long."""

    __slots__ = ("count", "spread_s", "took_s", "varies")

    count: int
    spread_s: float
    took_s: float
    """Median of what a request took, in seconds, 0 where nobody has said; ``varies`` is the sigma of its logarithm."""
    varies: float

    @classmethod
    def of(cls, at_s: float, count: int, spread_s: float, took_s: float = 0.0, varies: float = 0.0) -> Self:
        """Make the time of ``count`` lines."""
        made = cls(at_s)
        made.count, made.spread_s, made.took_s, made.varies = count, spread_s, took_s, varies
        return made

    def lasting(self, took_s: float, varies: float) -> Self:
        """Give the same time for requests that took so long."""
        return self.of(self, self.count, self.spread_s, took_s, varies)

    def until(self, end_s: float) -> Self:
        """Leave out those at or after an end."""
        last = float(self) + self.spread_s
        if last <= end_s:
            return self
        share = max(0.0, end_s - float(self)) / self.spread_s
        return self.of(self, int(self.count * share), self.spread_s * share, self.took_s, self.varies)

    def __add__(self, other: float) -> Self:
        """Move all of them."""
        return self.of(float(self) + other, self.count, self.spread_s, self.took_s, self.varies)


class Token(IntEnum):
    """What stands in a text for what differs: a number that JSON prints as it is, and that no line holds by chance."""

    ISO = 77000100770077
    ISO_COMMA = 77000200770077
    ISO_BARE = 77000300770077
    STAMP = 77000400770077
    EPOCH_MS = 77000500770077
    EPOCH_S = 77000600770077
    NGINX = 77000700770077
    NGINX_ERROR = 77000800770077
    KLOG = 77000900770077
    TO_TEN = 77001000770077
    TO_SIXTEEN = 77001100770077
    TO_MILLIONS = 77001200770077
    TO_PORTS = 77001300770077
    REQUEST = 77001400770077
    TOOK_S = 77001500770077
    TOOK_MS = 77001600770077
    TOOK_LESS = 77001700770077
    CLIENT = 77001800770077
    AGENT = 77001900770077
    SIZE = 77002000770077
    PATH_ID = 77002100770077
    FEW = 77002200770077
    MS = 77002300770077
    ID = 77002400770077
    HEX8 = 77002500770077
    HEX16 = 77002600770077
    PID = 77002700770077
    ISO_SECOND = 77002800770077


IN_TEXT = r"77(\d{6})770077"
"""What finds a token in a text."""


def count_of(at_s: float) -> int:
    """Tell how many lines a time stands for."""
    return at_s.count if isinstance(at_s, Many) else 1


def shared_out(count: int, now: float, spread_s: float) -> Iterator[Many]:
    """Give so many times in parts, so that more than one pod sees them."""
    parts = min(count, PARTS)
    for part in range(parts):
        yield Many.of(now, count // parts + (part < count % parts), spread_s)
