"""What numbers of what a change would have spared are counted from: measurements of one thing, made only where one is asked for."""

from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId
from bot.domain.signal import Signal

Text = tuple[float, str, str]
"""When a line was written (epoch seconds), by which pod (empty where nobody knows), and its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A quantity on an even grid of ``step_s`` seconds; NaN where it was not measured."""

    times_s: "array[float]"
    values: "array[float]"
    step_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttling:
    """How often a workload was throttled by its CPU limit: ``throttled`` of ``periods``.

    ``spared`` gives at least and at most how many of them would not have been under a limit of so many times the present one;
    None where nothing tells how much CPU it would have used. ``assumption`` names what that rests on.
    """

    periods: float
    throttled: float
    spared: Callable[[float], tuple[float, float]] | None = None
    assumption: str = ""


Size = tuple[float, float]
"""Cores and bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Pods that waited for a node, with what each requests, and what one more node of the lost one's size has to give.

    ``unknown`` counts pods that waited and of which no request is known.
    """

    waiting: tuple[Size, ...]
    node: Size
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A node of so many ``cores``, and how many of them pods of others on it request."""

    node: Entity
    cores: float
    requested: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A resolver's queries by sample of ``step_s`` seconds: how many a second it was asked, and how many of them it failed."""

    asked: "array[float]"
    failed: "array[float]"
    step_s: float


class Measures(Protocol):
    """Measures one thing at a time; None where the case does not hold what it takes."""

    def times(self, signal: Signal) -> "array[float] | None":
        """Give the times of all lines behind a signal (epoch seconds), ascending."""
        ...

    def texts(self, signal: Signal) -> Sequence[Text]:
        """Give the lines behind a signal in time order, all of them up to some ten thousand, else so many, spread evenly."""
        ...

    def events(self, entity: Entity, reasons: Collection[str]) -> Iterator[tuple[ItemId, ClusterEvent]]:
        """Give the events of a workload or of what belongs to it, by reason, in time order."""
        ...

    def requests(self, entity: Entity, without: Sequence[tuple[float, float]] = ()) -> Course | None:
        """Give how many requests a second an entity served; over the stretches ``without`` a line from before to behind them."""
        ...

    def throttling(self, entity: Entity, limit: float, felt_at: Entity) -> Throttling | None:
        """Measure an entity under a CPU limit of so many cores in all; where nobody counts its requests, by those of ``felt_at``."""
        ...

    def room(self, node: Entity, start_s: float, end_s: float) -> Room | None:
        """Give who waited for room between two times, and how much there is on such a node."""
        ...

    def answered(self, resolver: Entity) -> Answered | None:
        """Give how many queries a resolver was asked and failed to answer."""
        ...

    def neighbours(self, entity: Entity) -> Shared | None:
        """Give the node that an entity's pods run on, and what others request there; None where they run on several."""
        ...

    def budgets(self, entity: Entity) -> Collection[Entity]:
        """Give the disruption budgets that are for an entity's pods."""
        ...
