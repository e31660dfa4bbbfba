"""The seams: what a source writes into, and what the core reads from. Two implementations each, or no port."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from bot.domain.finding import Finding
from bot.domain.items import (
    ChatMessage,
    ClusterEvent,
    Gap,
    ItemId,
    LogStream,
    ObjectVersion,
    Series,
    SeriesHead,
    TicketEntry,
)

Progress = Callable[[str, int, int | None], None]
"""``(stage, done_bytes, total_bytes or None)``; called often, must be cheap."""

BY_WORKERS = "by workers"
"""The stage that goes on beside the others: what workers have done, of what they were given."""

Clock = Callable[[], datetime]
"""Tells the time, aware UTC."""

TimedLine = tuple[int, bytes, int]
"""A log line: nanoseconds since the epoch (UTC; ``UNDATED`` where nothing dates it), its exact bytes without the line
end, and the offset in them at which the text begins (behind the time prefix that ``kubectl logs --timestamps`` writes)."""

UNDATED = -1
"""The time of a line that nothing dates: searchable, but part of no signal."""


class Sink(Protocol):
    """Where a source puts what it reads. One thread writes; order within a stream is kept."""

    def open_stream(self, stream: LogStream) -> int:
        """Register a log stream and return its number."""
        ...

    def add_lines(self, stream: int, lines: Sequence[TimedLine]) -> None:
        """Append lines of a stream, any batch size; times need not ascend."""
        ...

    def add_event(self, event: ClusterEvent) -> ItemId:
        """Store an event."""
        ...

    def add_object(self, version: ObjectVersion) -> ItemId:
        """Store an object version."""
        ...

    def add_series(self, series: Series) -> ItemId:
        """Store a series."""
        ...

    def add_message(self, message: ChatMessage) -> ItemId:
        """Store a chat message."""
        ...

    def add_ticket(self, entry: TicketEntry) -> ItemId:
        """Store a ticket entry."""
        ...

    def add_gap(self, gap: Gap) -> None:
        """Record something that could not be read, or an oddity with its count."""
        ...

    def add_read(self, source: str, path: str, size: int) -> None:
        """Record that ``size`` bytes of ``path`` were read for ``source`` (for the coverage ledger)."""
        ...

    def add_detail(self, source: str, detail: str) -> None:
        """Say of a source what its coverage must be read with: how far back it remembers, how far off its clock is."""
        ...


class Source(Protocol):
    """Anything that can fill a case. It never raises for what it could not see: it leaves a Gap."""

    name: str

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Stream everything into the sink.

        A source that must look before it reads tells the stage ``discover`` first, then ``read``, and hands on each item as it
        comes. Sources are gathered side by side, each in a thread of its own; calls to the sink and the progress never overlap.
        An exception from either (``LeftError``: nobody waits any more) ends the reading at once and is let through.
        """
        ...


class LiveSource(Source, Protocol):
    """A source that may hang: a service. It ends by itself within ``deadline_s`` seconds, with a Gap for what was not read."""

    deadline_s: float

    def examine(self) -> Sequence[Finding]:
        """Look whether it can be read, for ``doctor``: rights, horizon, clock; within a few seconds, raising nothing."""
        ...


@runtime_checkable
class NamedSource(LiveSource, Protocol):
    """A source of things that have keys, which people name in chat: it can look for those once the others have been read."""

    def named(self, keys: Sequence[str]) -> LiveSource | None:
        """Give a source of what has such keys and was not brought yet; None where there is nothing to look for."""
        ...


class Stored(Protocol):
    """A stored item as a citation needs it; read-only, so that frozen data satisfies it."""

    @property
    def id(self) -> ItemId:
        """The item's short id."""
        ...

    @property
    def at(self) -> datetime | None:
        """When it happened, None where nothing dates it."""
        ...

    @property
    def source(self) -> str:
        """``kubernetes/logs``, ``kubernetes/events``, ``kubernetes/objects``, ``prometheus``, ``loki``, ``slack``, ``jira``."""
        ...

    @property
    def entity(self) -> str:
        """Whom it speaks of: pod/container, object, series, author, ticket key."""
        ...

    @property
    def text(self) -> str:
        """What a person reads: the line, the event's message, the manifest, the message's text."""
        ...

    @property
    def raw(self) -> bytes:
        """The bytes as they were read."""
        ...

    @property
    def url(self) -> str | None:
        """A deep link where there is one."""
        ...

    @property
    def locator(self) -> str:
        """Where it stands: file path and position, for a person."""
        ...


class Evidenced(Protocol):
    """Read access to a case's evidence, as the core is handed it."""

    def item(self, item: ItemId) -> Stored | None:
        """Give one stored item, or None where no such id exists."""
        ...

    def items(self, items: Iterable[ItemId]) -> Iterator[Stored]:
        """Give several stored items in the order asked, leaving out unknown ids."""
        ...


class SeriesShelf(Protocol):
    """Series by their heads; samples, which may be more than memory holds, only of those that are asked for."""

    def series_heads(self) -> Iterable[SeriesHead]:
        """Give every series by its first sample."""
        ...

    def samples(self, items: Iterable[ItemId]) -> Iterator[tuple[ItemId, "array[float]", "array[float]"]]:
        """Give the times (epoch seconds, ascending) and values of series, in the order asked."""
        ...
