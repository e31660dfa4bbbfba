"""The half-open span of time an investigation looks at."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """``[start, end)`` in aware UTC, and the words the person used for it."""

    start: datetime
    end: datetime
    asked: str

    @property
    def length_s(self) -> float:
        """The window's length in seconds."""
        return (self.end - self.start).total_seconds()

    @property
    def start_s(self) -> float:
        """The start as seconds since the epoch."""
        return self.start.timestamp()

    @property
    def end_s(self) -> float:
        """The end as seconds since the epoch."""
        return self.end.timestamp()

    def contains(self, at_s: float) -> bool:
        """Tell whether an instant (seconds since the epoch) lies in the window."""
        return self.start_s <= at_s < self.end_s

    def day(self, at: datetime) -> int:
        """Count the calendar days (UTC) from the window's first day, which is day 1."""
        return (at.astimezone(UTC).date() - self.start.astimezone(UTC).date()).days + 1

    def day_start(self, day: int) -> datetime:
        """Give midnight UTC at which day ``day`` (1-based) begins."""
        first = self.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return first + timedelta(days=day - 1)


def instant(at_s: float) -> datetime:
    """Turn seconds since the epoch into an aware UTC time."""
    return datetime.fromtimestamp(at_s, tz=UTC)


def rfc3339(at: datetime) -> str:
    """Print a time as RFC 3339 UTC with seconds, milliseconds only where there are any."""
    at = at.astimezone(UTC)
    spec = "milliseconds" if at.microsecond >= 1000 else "seconds"
    return at.replace(tzinfo=None).isoformat(timespec=spec) + "Z"
