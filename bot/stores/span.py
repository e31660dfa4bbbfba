"""Spans of time in a store's own unit, nanoseconds."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.window import Window, rfc3339

NS = 1_000_000_000
SHORTEST_NS = 60 * NS
HORIZON_NS = 30 * 86_400 * NS
"""Loki's ``max_query_length`` is 30 days and an hour where nobody changed it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Nanoseconds since the epoch, the end left out."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        """Its length, rounded up."""
        return -(-(self.end - self.start) // NS)

    def halves(self) -> tuple["Span", "Span"]:
        """Give two spans in its place."""
        middle = (self.start + self.end) // 2
        return Span(self.start, middle), Span(middle, self.end)

    def parts(self, count: int) -> list["Span"]:
        """Cut it into at most ``count`` parts of at least a minute."""
        count = max(1, min(count, (self.end - self.start) // SHORTEST_NS))
        edges = [self.start + (self.end - self.start) * n // count for n in range(count + 1)]
        return [Span(edges[n], edges[n + 1]) for n in range(count)]

    def __str__(self) -> str:
        begin, end = (rfc3339(datetime.fromtimestamp(at // NS, UTC)) for at in (self.start, self.end))
        return f"{begin} to {end}"


def horizon_span(span: Span) -> Span:
    """Give where to look for what a store still remembers: ``HORIZON`` before the span's end, or all of a longer one."""
    return Span(min(span.start, span.end - HORIZON_NS), span.end)


def window_span(window: Window) -> Span:
    """Give a window in nanoseconds."""
    return Span(round(window.start.timestamp() * 1e6) * 1000, round(window.end.timestamp() * 1e6) * 1000)
