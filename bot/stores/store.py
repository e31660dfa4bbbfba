"""What a log store can be asked, whatever its language: how much there is, of which kinds, and for the lines themselves."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from bot.stores.lines import Batch
from bot.stores.span import Span
from bot.wire import RejectedError

Pick = Literal["all", "trouble", "rest"]
"""Which lines: all, those with a word of ``TROUBLE``, or those without."""

ESTIMATED_LINE = 250
"""Bytes of a line, where a store counts lines alone."""
MOST_ORIGINS = 20
"""Containers whose lines are counted by kind, the loudest first: each is a question of its own."""
MOST_KINDS = 200
"""Kinds of one container's lines, the most frequent first: with 240 steps each, fewer buckets than Elasticsearch gives at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the store counts in a span; None where it cannot."""

    lines: int | None = None
    bytes: int | None = None

    def size(self) -> int | None:
        """Give the bytes, by an estimate where only lines were counted."""
        if self.bytes is not None or self.lines is None:
            return self.bytes
        return self.lines * ESTIMATED_LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """Lines of one kind from one origin as the store counts them.

    ``pattern``: the store's own words for the kind, empty where it counts by origin alone. ``counts``: lines by the second
    at which a step begins; steps without any may be missing. ``first``: the earliest line of the kind, where it was found.
    ``since_s``: the second before which the store remembers no counts, where that is within the window.
    """

    labels: Mapping[str, str]
    pattern: str
    lines: int
    counts: Sequence[tuple[int, int]]
    first: Batch | None = None
    since_s: int | None = None


@dataclass(slots=True)
class Told:
    """What a store met while it was asked: ``lost`` and ``odd`` become gaps, by words with their count."""

    lost: dict[str, int] = field(default_factory=dict)
    odd: dict[str, int] = field(default_factory=dict)

    def lose(self, what: str, count: int = 1) -> None:
        """Note something that is missing."""
        self.lost[what] = self.lost.get(what, 0) + count

    def note_kinds(self, found: int) -> None:
        """Note a container that has as many kinds as are asked for: it may have more."""
        if found >= MOST_KINDS:
            self.note(f"containers with {MOST_KINDS} kinds of lines or more: rarer kinds were not counted")

    def note(self, what: str, count: int = 1) -> None:
        """Note something that is worth knowing and costs nothing."""
        self.odd[what] = self.odd.get(what, 0) + count


class LogStore(Protocol):
    """One store. Every question may raise WireError; several threads may ask at once, but for the first ``measure``."""

    told: Told

    def measure(self, span: Span, pick: Pick) -> Measured:
        """Count what lies in a span."""
        ...

    def kinds(self, span: Span, step_s: int) -> Iterator[KindCount]:
        """Count the lines by kind and step, the first line of each kind beside; by origin alone where it knows no kinds."""
        ...

    def lines(self, span: Span, pick: Pick, hint: int) -> Iterator[Batch]:
        """Hand on the lines of a span, a batch of one stream at a time; about ``hint`` of them will be wanted."""
        ...

    def oldest(self, span: Span) -> int | None:
        """Give the nanosecond of a span's first line, whatever namespace it is of; None where there is no line."""
        ...

    def close(self) -> None:
        """Let go of what the store holds for this reading; raises nothing of the wire's."""
        ...


_Origin = TypeVar("_Origin")


def by_kind(
    origins: Iterable[_Origin],
    ask: Callable[[_Origin], Iterator[KindCount]],
    otherwise: Callable[[], Iterator[KindCount]],
    told: Told,
    lacks: str,
) -> Iterator[KindCount]:
    """Count kinds origin by origin; ``otherwise`` counts by origin alone, in a store that refuses the first question."""
    for place, origin in enumerate(origins):
        try:
            yield from ask(origin)
        except RejectedError:
            if place:
                raise
            told.note(
                f"this store {lacks}: its lines were counted by container, not by kind, so of kinds without a word of trouble the "
                "first line may be missing"
            )
            yield from otherwise()
            return
