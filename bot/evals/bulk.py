"""Draws what differs between many lines alike, by the thousand at once, so that gigabytes of logs can be simulated.

A text with tokens becomes a pattern once; columns of times, ids and durations are then put into it. Nothing here knows what a
line means.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from bot.evals.logformats import agent
from bot.evals.multitude import IN_TEXT, Many, Token
from bot.evals.timeline import second

Floats = NDArray[np.float64]
Place = TypeVar("Place")
Column = Callable[["_Draw"], "list[str] | list[int] | list[float]"]

LINE_S = 1.3e-5
"""A line of an entry comes so long after the one before."""
CLIENTS = [f"198.51.{block}.{host}" for block in range(100, 104) for host in range(1, 250)]
AGENT_OF = [agent(client) for client in CLIENTS]


@dataclass(slots=True, eq=False)
class _Draw:
    """The lines of one text: when they were written, how long their requests took, and who asked."""

    rng: np.random.Generator
    times: Floats
    took_ms: NDArray[np.int64]
    clients: NDArray[np.int64]

    def numbers(self, low: int, high: int) -> list[int]:
        """Draw a whole number a line, below ``high``."""
        found: list[int] = self.rng.integers(low, high, len(self.times)).tolist()
        return found

    def hexes(self, digits: int) -> list[str]:
        """Draw a hexadecimal number a line."""
        return [f"{one:0{digits}x}" for one in self.rng.integers(0, 16**digits, len(self.times), np.uint64).tolist()]

    def stamped(self, form: str, divisor: int, digits: int) -> list[str]:
        """Print the times: seconds in a form, and so many digits of their fraction."""
        micros = (self.times * 1e6).astype(np.int64)
        whole, rest = np.divmod(micros, 1_000_000)
        return [
            f"{second(at, form)}{part:0{digits}d}"
            for at, part in zip(whole.tolist(), (rest // divisor).tolist(), strict=True)
        ]

    def seconds(self, form: str) -> list[str]:
        """Print the times in whole seconds."""
        return [second(at, form) for at in self.times.astype(np.int64).tolist()]


def _requests(draw: _Draw) -> list[str]:
    high, low = draw.hexes(8), draw.hexes(12)
    return [f"{a}-{b[:4]}-4{b[4:7]}-9{b[7:10]}-{b}" for a, b in zip(high, low, strict=True)]


COLUMNS: dict[int, Column] = {
    Token.ISO: lambda draw: [f"{each}Z" for each in draw.stamped("%Y-%m-%dT%H:%M:%S.", 1000, 3)],
    Token.ISO_COMMA: lambda draw: draw.stamped("%Y-%m-%d %H:%M:%S,", 1000, 3),
    Token.ISO_BARE: lambda draw: draw.stamped("%Y-%m-%dT%H:%M:%S.", 1000, 3),
    Token.STAMP: lambda draw: draw.stamped("%Y-%m-%d %H:%M:%S.", 1000, 3),
    Token.EPOCH_MS: lambda draw: (draw.times * 1000).astype(np.int64).tolist(),
    Token.EPOCH_S: lambda draw: np.round(draw.times, 4).tolist(),
    Token.NGINX: lambda draw: draw.seconds("%d/%b/%Y:%H:%M:%S +0000"),
    Token.NGINX_ERROR: lambda draw: draw.seconds("%Y/%m/%d %H:%M:%S"),
    Token.KLOG: lambda draw: draw.stamped("%m%d %H:%M:%S.", 1, 6),
    Token.TO_TEN: lambda draw: draw.numbers(1, 11),
    Token.TO_SIXTEEN: lambda draw: draw.numbers(0, 16),
    Token.TO_MILLIONS: lambda draw: draw.numbers(0, 9_000_000),
    Token.TO_PORTS: lambda draw: draw.numbers(40_000, 60_000),
    Token.REQUEST: _requests,
    Token.TOOK_S: lambda draw: [f"{ms / 1000:.3f}" for ms in draw.took_ms.tolist()],
    Token.TOOK_MS: lambda draw: draw.took_ms.tolist(),
    Token.TOOK_LESS: lambda draw: np.maximum(0, draw.took_ms - 1).tolist(),
    Token.CLIENT: lambda draw: [CLIENTS[one] for one in draw.clients.tolist()],
    Token.AGENT: lambda draw: [AGENT_OF[one] for one in draw.clients.tolist()],
    Token.SIZE: lambda draw: draw.numbers(300, 9300),
    Token.PATH_ID: lambda draw: draw.numbers(10_000, 99_999),
    Token.FEW: lambda draw: draw.numbers(2, 900),
    Token.MS: lambda draw: draw.numbers(3, 480),
    Token.ID: lambda draw: draw.numbers(10_000, 999_999),
    Token.HEX8: lambda draw: draw.hexes(8),
    Token.HEX16: lambda draw: draw.hexes(15),
    Token.ISO_SECOND: lambda draw: draw.seconds("%Y-%m-%dT%H:%M:%SZ"),
    Token.PID: lambda draw: draw.numbers(60, 9000),
}
"""What stands for each token, a value a line."""


@lru_cache(maxsize=20_000)
def _pattern(text: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Make of a text its lines, each a pattern for ``%`` with the tokens that fill it."""
    return tuple(
        (re.sub(IN_TEXT, "%s", line.replace("%", "%%")), tuple(int(found[0]) for found in re.finditer(IN_TEXT, line)))
        for line in text.split("\n")
    )


class Bulk(Generic[Place]):
    """Many lines that wait to be drawn, by where they belong and what they say."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.pending = 0
        self._order = 0
        self._waiting: dict[tuple[Place, str], list[Many]] = {}

    def add(self, place: Place, at: Many, text: str) -> None:
        """Let as many lines as ``at`` stands for wait."""
        self.pending += at.count
        self._waiting.setdefault((place, text), []).append(at)

    def drawn(self) -> Iterator[tuple[Place, Iterator[tuple[float, int, str]]]]:
        """Give what waits as ``(epoch seconds, order, line)``, and forget it."""
        waiting, self._waiting, self.pending = self._waiting, {}, 0
        for (place, text), groups in waiting.items():
            draw = self._draw(groups)
            for number, (form, tokens) in enumerate(_pattern(text)):
                columns = [COLUMNS[token](draw) for token in tokens]
                lines = map(form.__mod__, zip(*columns, strict=True)) if tokens else repeat(form % (), len(draw.times))
                written = draw.times + (number * LINE_S + 0.0004)
                order = range(self._order, self._order + len(draw.times))
                yield place, zip(written.tolist(), order, lines, strict=True)
                self._order += len(draw.times)

    def _draw(self, groups: list[Many]) -> _Draw:
        counts = np.array([one.count for one in groups])
        facts = np.array([(float(one), one.spread_s, one.took_s, one.varies) for one in groups])
        start, spread, took, varies = np.repeat(facts, counts, axis=0).T
        size = len(start)
        times = start + self.rng.random(size) * spread
        took_ms = (took * np.exp(self.rng.standard_normal(size) * varies) * 1000).astype(np.int64)
        return _Draw(self.rng, times, took_ms, self.rng.integers(0, len(CLIENTS), size))
