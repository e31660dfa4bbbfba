"""What one session has taken so far, and may take: shared by the session and the transport below it."""

import statistics
import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.bearings import ahead_s
from bot.wire.deadline import Deadline
from bot.wire.failures import TooLargeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one session may take."""

    answer_bytes: int = 64 * 1024 * 1024
    """Of one answer, unpacked; a larger one is not kept"""
    total_bytes: int = 1024 * 1024 * 1024
    """Of all answers"""
    attempts: int = 3
    """For each call, the deadline permitting"""
    at_once: int = 4
    """Connections side by side"""
    silence_s: float = 30.0
    """Without a byte for so long, an attempt is given up"""


LARGE_BYTES = 16 * 1024 * 1024


class Transfer:
    """Counts bytes and compares clocks; from any thread."""

    def __init__(self, deadline: Deadline, limits: Limits) -> None:
        self.deadline = deadline
        self.limits = limits
        self.bytes = 0
        self.large = threading.Lock()
        """Held by the one answer beyond ``LARGE_BYTES`` that is read at a time"""
        self._offsets: list[float] = []
        self._lock = threading.Lock()

    @property
    def late(self) -> str:
        """The words for a deadline that is over."""
        return f"the {self.deadline.seconds:g} s for it ran out"

    def count(self, size: int) -> None:
        """Count bytes that came; raises TooLargeError beyond the total."""
        with self._lock:
            self.bytes += size
        if self.bytes > self.limits.total_bytes:
            raise TooLargeError(f"more than {self.limits.total_bytes / 1e6:.0f} MB came, which is all that is read")

    def note_time(self, told: str | None) -> None:
        """Note the service's clock from a ``Date`` header."""
        ahead = ahead_s(told, datetime.now(UTC))
        if ahead is not None:
            with self._lock:
                self._offsets.append(ahead)

    def clock_offset_s(self) -> float | None:
        """Give how far the service's clock is ahead of ours, None where it tells no time."""
        with self._lock:
            return statistics.median(self._offsets) if self._offsets else None
