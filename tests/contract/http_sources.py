"""Sources that read over HTTP, each as a way to make it for an address; a new one adds its row here.

Every row is struck by every fault of ``fault_server`` at once and midway, and the table of what came of it is printed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.ports import LiveSource


@dataclass(frozen=True, kw_only=True)
class HttpSource:
    """``make`` takes the address and a deadline in seconds; ``reply`` answers its requests well (see ``FaultServer``)."""

    name: str
    make: Callable[[str, float], LiveSource]
    reply: Callable[[str], bytes]

    def __str__(self):
        return self.name


HTTP_SOURCES: tuple[HttpSource, ...] = ()
