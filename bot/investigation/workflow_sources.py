"""A source beside another that reads the same: an export whose chat is left to the live channel."""

from bot.domain.items import ChatMessage, Gap, ItemId
from bot.domain.ports import Progress, Sink, Source

CHAT = "slack"


class WithoutChat:
    """Lets a source fill a case with everything but chat messages."""

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self._source = source

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Stream everything but chat into the sink."""
        self._source.gather(_DeafSink(sink), progress)


class _DeafSink:
    """Passes everything on but chat, its gaps and its bytes."""

    def __init__(self, sink: Sink) -> None:
        self.open_stream = sink.open_stream
        self.add_lines = sink.add_lines
        self.add_event = sink.add_event
        self.add_object = sink.add_object
        self.add_series = sink.add_series
        self.add_ticket = sink.add_ticket
        self._sink = sink

    def add_message(self, message: ChatMessage) -> ItemId:  # noqa: ARG002 - the port's signature
        """Leave a chat message out."""
        return ItemId("")

    def add_gap(self, gap: Gap) -> None:
        """Record something that could not be read, unless it is chat."""
        if gap.source != CHAT:
            self._sink.add_gap(gap)

    def add_read(self, source: str, path: str, size: int) -> None:
        """Record that bytes were read, unless they are chat."""
        if source != CHAT:
            self._sink.add_read(source, path, size)

    def add_detail(self, source: str, detail: str) -> None:
        """Pass a detail on, unless it is chat's."""
        if source != CHAT:
            self._sink.add_detail(source, detail)
