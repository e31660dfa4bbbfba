"""Watch sources while they fill a case, for the plan that people see: items, bytes and gaps, source by source.

A source is wrapped, not asked: what it puts into the sink says enough, and no source needs to know that it is watched.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.domain.chat import SourceProgress
from bot.domain.items import ChatMessage, ClusterEvent, Gap, ItemId, LogStream, ObjectVersion, Series, TicketEntry
from bot.domain.ports import Progress, Sink, Source, TimedLine
from bot.errors import CaseError, LeftError, RootcauseError, StorageError, UsageError
from bot.investigation.desk_ports import Reading, Tell

OFTEN_S = 0.2
"""Seconds between two notes: five a second are more than a person sees, and cheap to send."""

_MOST_GAPS = 8
"""Gaps that the plan carries of one source; the report has all of them."""

_STAGES = {"recognise": "gather", "discover": "gather", "read": "gather"}


@dataclass(slots=True)
class _Tally:
    items: int = 0
    bytes: int = 0
    gaps: list[Gap] = field(default_factory=list)
    state: str = "reading"


class Watch:
    """Collects what sources bring in, and tells of it now and then."""

    def __init__(self, tell: Tell, now: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._now = now
        self._told_at = float("-inf")
        self._stage = "gather"
        self._done = 0
        self._total: int | None = None
        self._tallies: dict[str, _Tally] = {}
        self.lock = threading.RLock()
        """Sources are read side by side"""

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Note an investigation's progress; a new stage is told at once."""
        named = _STAGES.get(stage, stage)
        with self.lock:
            if named not in (self._stage, "gather"):
                self.end_all()
            changed = named != self._stage
            self._stage, self._done, self._total = named, done, total
            self.report(at_once=changed)

    def tally(self, source: str) -> _Tally:
        """Give a source's counts, begun on first mention."""
        with self.lock:
            return self._tallies.setdefault(source, _Tally())

    def end_all(self) -> None:
        """Take every source that still reads as done."""
        for tally in self._tallies.values():
            tally.state = "done" if tally.state == "reading" else tally.state

    def report(self, *, at_once: bool = False) -> None:
        """Tell how far things are, unless that was told a moment ago."""
        with self.lock:
            self._report(at_once=at_once)

    def _report(self, *, at_once: bool) -> None:
        if not at_once and self._now() - self._told_at < OFTEN_S:
            return
        self._told_at = self._now()
        sources = tuple(
            SourceProgress(
                source=name,
                state="failed" if tally.state == "failed" else "done" if tally.state == "done" else "reading",
                items=tally.items,
                bytes=tally.bytes,
                gaps=tuple(tally.gaps[:_MOST_GAPS]),
            )
            for name, tally in sorted(self._tallies.items())
        )
        self._tell(Reading(stage=self._stage, sources=sources, done=self._done, total=self._total))


def watched(sources: Sequence[Source], watch: Watch) -> Sequence[Source]:
    """Wrap sources so that the watch sees what they bring."""
    return [_Watched(source, watch, alone=len(sources) == 1) for source in sources]


class _Watched:
    """A source whose filling of the case is counted, and whose failure beside others is a gap."""

    def __init__(self, source: Source, watch: Watch, *, alone: bool) -> None:
        self.name = source.name
        self.deadline_s: float | None = getattr(source, "deadline_s", None)
        self._source = source
        self._watch = watch
        self._alone = alone

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Stream everything into the sink."""
        counting = _CountingSink(sink, self._watch)
        try:
            self._source.gather(counting, progress)
        except (CaseError, StorageError, LeftError):
            raise
        except RootcauseError as error:
            self._watch.tally(self.name).state = "failed"
            if self._alone or isinstance(error, UsageError):
                raise
            counting.add_gap(Gap(source=self.name, what=str(error)))
        self._watch.report(at_once=True)


class _CountingSink:
    """Passes everything on, and counts it under the source it belongs to."""

    def __init__(self, sink: Sink, watch: Watch) -> None:
        self._sink = sink
        self._watch = watch

    def open_stream(self, stream: LogStream) -> int:
        """Register a log stream and return its number."""
        return self._sink.open_stream(stream)

    def add_lines(self, stream: int, lines: Sequence[TimedLine]) -> None:
        """Append lines of a stream."""
        self._sink.add_lines(stream, lines)
        self._count("kubernetes/logs", len(lines))

    def add_event(self, event: ClusterEvent) -> ItemId:
        """Store an event."""
        self._count("kubernetes/events", 1)
        return self._sink.add_event(event)

    def add_object(self, version: ObjectVersion) -> ItemId:
        """Store an object version."""
        self._count("kubernetes/objects", 1)
        return self._sink.add_object(version)

    def add_series(self, series: Series) -> ItemId:
        """Store a series."""
        self._count("prometheus", 1)
        return self._sink.add_series(series)

    def add_message(self, message: ChatMessage) -> ItemId:
        """Store a chat message."""
        self._count("slack", 1)
        return self._sink.add_message(message)

    def add_ticket(self, entry: TicketEntry) -> ItemId:
        """Store a ticket entry."""
        self._count("jira", 1)
        return self._sink.add_ticket(entry)

    def add_gap(self, gap: Gap) -> None:
        """Record something that could not be read."""
        if gap.lost:
            self._watch.tally(gap.source).gaps.append(gap)
        self._sink.add_gap(gap)

    def add_read(self, source: str, path: str, size: int) -> None:
        """Record that bytes were read."""
        self._watch.tally(source).bytes += size
        self._sink.add_read(source, path, size)

    def add_detail(self, source: str, detail: str) -> None:
        """Pass a detail on."""
        self._sink.add_detail(source, detail)

    def _count(self, source: str, items: int) -> None:
        with self._watch.lock:
            self._watch.tally(source).items += items
            self._watch.report()
