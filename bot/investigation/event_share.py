"""Which of a cluster's events are digested: all of them, unless there are so many that the memory would not hold what they tell.

Then every kind of event (its reason, and what it is about by kind and namespace) keeps its even share in time: rare kinds all of
theirs, frequent ones every so manieth. The case holds them all; the report says how many were passed over.
"""

from collections import Counter
from collections.abc import Mapping

from bot.casefile.case import Case
from bot.domain.items import ClusterEvent, ItemId

MOST_EVENTS = 100_000
"""Some 350 MB of them and of what is made of them."""

Event = tuple[ItemId, ClusterEvent]
Key = tuple[str, str, str]


def shared_events(case: Case, most: int = MOST_EVENTS) -> tuple[list[Event], int]:
    """Give the events to digest, in time order, and how many were passed over."""
    counts = Counter[Key]()
    for _, event in case.events():
        counts[_key(event)] += 1
    total = counts.total()
    if total <= most:
        return list(case.events()), 0
    level = _level(counts, most)
    seen = Counter[Key]()
    kept: list[Event] = []
    for one in case.events():
        key = _key(one[1])
        place, count = seen[key], counts[key]
        seen[key] += 1
        if count <= level or (place + 1) * level // count > place * level // count:
            kept.append(one)
    return kept, total - len(kept)


def _key(event: ClusterEvent) -> Key:
    return event.reason, event.entity.kind, event.entity.namespace or ""


def _level(counts: Mapping[Key, int], most: int) -> int:
    """Give the most that a kind may keep, so that all kinds together keep no more than ``most``."""
    left, kinds = most, len(counts)
    for count in sorted(counts.values()):
        if count * kinds > left:
            break
        left, kinds = left - count, kinds - 1
    return left // max(1, kinds)
