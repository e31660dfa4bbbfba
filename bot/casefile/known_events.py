"""Which events have been stored: the same event comes from a cluster, its recorder and an exporter, folded further or less far.

A hundred and eighty bytes are remembered of each, of so many at most; later ones are stored without being compared, and said.
"""

from hashlib import blake2b

from bot.domain.items import ClusterEvent

MOST = 1_000_000


class KnownEvents:
    """The events of one case, by what makes two the same: whom they are about, what they say and when it began."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: dict[int, tuple[float, int, int]] = {}

    def find(self, event: ClusterEvent) -> int | None:
        """Give the number of the same event, as new or newer and counted as often or oftener."""
        known = self._known.get(_key(event))
        return None if known is None or known[:2] < (event.at.timestamp(), event.count) else known[2]

    def add(self, event: ClusterEvent, number: int) -> bool:
        """Remember an event under its number, and tell whether there was room."""
        key = _key(event)
        room = len(self._known) < self._most or key in self._known
        if room:
            self._known[key] = (event.at.timestamp(), event.count, number)
        return room


def _key(event: ClusterEvent) -> int:
    place = (event.entity, event.reason, event.message, event.component, event.first_at)
    return int.from_bytes(blake2b(repr(place).encode("utf-8", "backslashreplace"), digest_size=12).digest())
