"""Lines of one template from one entity on their way to a signal, and whom a sample of them mentions.

Leaves out what is made of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bot.domain.entity import Entity
from bot.domain.signal import Kind
from bot.signals.directory import Directory
from bot.signals.lexicon import Classification
from bot.signals.log_lines import Floats, Ints
from bot.signals.mentions import certificate_end, hosts_in

SAMPLED_PLACES = 2000
"""Stretches of lines from whose beginnings samples are taken where there are very many lines"""
LEAST_TOGETHER = 4096
"""Lines of a stretch from which on that spares opening blocks: two of those are usual in one"""

LEAST_NAMING = 3
"""Lines of one template that name the same one, and nobody else, from which on the others are taken to be about it too"""

CALLS = frozenset(
    {
        Kind.TIMEOUT,
        Kind.CONNECTION_RESET,
        Kind.CONNECTION_REFUSED,
        Kind.NAME_RESOLUTION_FAILURE,
        Kind.TLS_FAILURE,
        Kind.AUTH_FAILURE,
        Kind.RATE_LIMITED,
        Kind.UNAVAILABLE,
        Kind.REPLICA_CHANGE,
        Kind.SERVER_ERROR,
        Kind.CLIENT_ERROR,
        Kind.CIRCUIT_OPEN,
        Kind.RETRY,
        Kind.LOG_ERROR,
    }
)
"""Kinds of failures that happen on the way to somebody else, whom the line often names."""


@dataclass(slots=True, kw_only=True)
class Alike:
    """The lines of one template from one entity: places in the table that is being read."""

    kind: Kind
    entity: Entity
    template: int
    meaning: Classification
    rows: Ints
    times_s: Floats = field(default_factory=lambda: np.zeros(0))
    """Of these lines, where somebody wants them: a view of what is let go of with the table"""
    again: bool = False
    """Whether some of the same template's lines from the same entity have been read before"""
    mentions: Counter[Entity] = field(default_factory=Counter)
    attributes: dict[str, str] = field(default_factory=dict)
    naming: Counter[bool] = field(default_factory=Counter)
    """Of the lines that were read in full, how many name somebody and how many nobody"""

    def telling(self) -> Counter[bool]:
        """Count the read lines that name somebody, with those whose like do: the addresses of pods that are gone name nobody."""
        if len(self.mentions) == 1 and self.naming[True] >= LEAST_NAMING:
            return Counter({True: self.naming.total()})
        return self.naming


def calls(kind: Kind | None) -> bool:
    """Tell whether lines of a kind name somebody who matters."""
    return kind in CALLS or kind is Kind.CONFIG_CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Which lines of a template are read in full: at most so many, evenly spread.

    Where a case has so many lines that samples would lie in every corner of it, those of all templates are taken from the
    same corners: the first lines of each stretch of ``together`` lines.
    """

    most: int
    together: int

    def of(self, numbers: Ints, before: int, lines: int) -> list[int]:
        """Choose among the numbers of a template's lines, ascending, of which ``before`` come before and ``lines`` there are."""
        places = _evenly(lines, min(self.most, lines)) - before
        if before or lines > len(numbers):
            places = places[(places >= 0) & (places < len(numbers))]
        if self.together >= LEAST_TOGETHER:
            places = _gathered_in(numbers, places, self.together)
        chosen: list[int] = numbers[places].tolist()
        return chosen


@lru_cache(maxsize=1024)
def _evenly(lines: int, places: int) -> NDArray[np.int64]:
    return np.linspace(0, lines - 1, places).astype(np.int64)


def _gathered_in(numbers: Ints, places: Ints, together: int) -> NDArray[np.int64]:
    """Move places in ascending numbers, as many as there are, to the begin of the stretch that each one lies in."""
    stretches = numbers[places] // together
    first_of_equals = np.searchsorted(stretches, stretches)
    return np.searchsorted(numbers, stretches * together) + np.arange(len(places)) - first_of_equals


def read_mentions(
    whose: Mapping[int, Alike], directory: Directory, texts_of: Callable[[Sequence[int]], Iterable[tuple[int, str]]]
) -> None:
    """Read a sample of each template's lines, by number, for whom they name; all in one pass, for opening lines is dear."""
    for number, text in texts_of(sorted(whose)):
        one = whose[number]
        resolved = [directory.resolve(host, one.entity.namespace) for host in hosts_in(text)]
        others = [known for known in resolved if known is not None and known != one.entity]
        one.mentions.update(others)
        one.naming[bool(others)] += 1
        if one.kind is Kind.TLS_FAILURE and (end := certificate_end(text)):
            one.attributes["not_after"] = end
