"""A sink that keeps what an importer writes, and the few lines every export test needs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from bot.domain.items import (
    ChatMessage,
    ClusterEvent,
    Gap,
    ItemId,
    LogStream,
    ObjectVersion,
    Series,
    TicketEntry,
)
from bot.domain.ports import TimedLine
from bot.sources.export import ExportSource, Limits


class RecordingSink:
    """Keeps everything in memory, in the order it came."""

    def __init__(self) -> None:
        self.streams: list[LogStream] = []
        self.lines: list[list[TimedLine]] = []
        self.events: list[ClusterEvent] = []
        self.objects: list[ObjectVersion] = []
        self.series: list[Series] = []
        self.messages: list[ChatMessage] = []
        self.tickets: list[TicketEntry] = []
        self.gaps: list[Gap] = []
        self.reads: list[tuple[str, str, int]] = []
        self.details: list[tuple[str, str]] = []

    def open_stream(self, stream: LogStream) -> int:
        """Keep a stream."""
        self.streams.append(stream)
        self.lines.append([])
        return len(self.streams) - 1

    def add_lines(self, stream: int, lines: Sequence[TimedLine]) -> None:
        """Keep lines."""
        self.lines[stream].extend(lines)

    def add_event(self, event: ClusterEvent) -> ItemId:
        """Keep an event."""
        self.events.append(event)
        return ItemId(f"V{len(self.events)}")

    def add_object(self, version: ObjectVersion) -> ItemId:
        """Keep an object."""
        self.objects.append(version)
        return ItemId(f"O{len(self.objects)}")

    def add_series(self, series: Series) -> ItemId:
        """Keep a series."""
        self.series.append(series)
        return ItemId(f"M{len(self.series)}")

    def add_message(self, message: ChatMessage) -> ItemId:
        """Keep a message."""
        self.messages.append(message)
        return ItemId(f"C{len(self.messages)}")

    def add_ticket(self, entry: TicketEntry) -> ItemId:
        """Keep a ticket entry."""
        self.tickets.append(entry)
        return ItemId(f"J{len(self.tickets)}")

    def add_gap(self, gap: Gap) -> None:
        """Keep a gap."""
        self.gaps.append(gap)

    def add_read(self, source: str, path: str, size: int) -> None:
        """Keep what was read."""
        self.reads.append((source, path, size))

    def add_detail(self, source: str, detail: str) -> None:
        """Keep a detail."""
        self.details.append((source, detail))

    def odd(self, words: str) -> int:
        """Sum the counts of oddities whose wording holds ``words``."""
        return sum(gap.count for gap in self.gaps if not gap.lost and words in gap.what)

    def lost(self, words: str = "") -> list[Gap]:
        """Give the losses whose wording holds ``words``."""
        return [gap for gap in self.gaps if gap.lost and words in gap.what]


def gathered(path: Path | BinaryIO, limits: Limits | None = None) -> RecordingSink:
    """Import an export into a fresh sink."""
    sink = RecordingSink()
    ExportSource(path, limits).gather(sink, lambda _stage, _done, _total: None)
    return sink


def written(root: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files below a folder and give the folder."""
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return root
