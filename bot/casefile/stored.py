"""One stored item as a citation needs it, whatever kind it is; how each kind is named, addressed and read aloud."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.casefile.cells import EPOCH, at_seconds, printable
from bot.domain.items import ChatMessage, ClusterEvent, Fetched, ItemId, LogStream, ObjectVersion, Series, TicketEntry
from bot.domain.ports import UNDATED
from bot.domain.window import rfc3339

LOGS = "kubernetes/logs"
EVENTS = "kubernetes/events"
OBJECTS = "kubernetes/objects"
SERIES = "prometheus"
MESSAGES = "slack"
TICKETS = "jira"

STANDARD_SOURCES = (LOGS, EVENTS, OBJECTS, SERIES, MESSAGES, TICKETS)
"""Sources whose silence is worth a line in the coverage ledger."""

_ID = re.compile(r"([LVOMCJF])([1-9][0-9]{0,17})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """A stored item; ``raw`` is what was read, ``text`` what a person reads of it (undecodable bytes are U+FFFD)."""

    id: ItemId
    at: datetime | None
    source: str
    entity: str
    text: str
    raw: bytes
    url: str | None
    locator: str


def parse_id(item: str) -> tuple[str, int] | None:
    """Split an item's id into its letter and number; None where it is no id."""
    found = _ID.fullmatch(item)
    return (found[1], int(found[2])) if found else None


def nanoseconds(at: datetime) -> int:
    """Give a time as nanoseconds since the epoch."""
    return (at - EPOCH) // timedelta(microseconds=1) * 1000


def at_nanoseconds(time_ns: int) -> datetime | None:
    """Give a line's time, to the microsecond; None where nothing dates it."""
    return None if time_ns == UNDATED else EPOCH + timedelta(microseconds=time_ns // 1000)


def stream_name(stream: LogStream) -> str:
    """Name a stream as people do, ``namespace/pod/container``; its path where it has no pod."""
    parts = [part for part in (stream.namespace, stream.pod, stream.container) if part]
    return "/".join(parts) if stream.pod else stream.path


def series_name(series: Series) -> str:
    """Name a series as PromQL does, labels in order."""
    labels = ",".join(f'{key}="{value}"' for key, value in sorted(series.labels.items()) if key != "__name__")
    return f"{series.metric}{{{labels}}}" if labels else series.metric


def stored_event(number: int, event: ClusterEvent) -> StoredItem:
    """Present an event; its text is its message."""
    where = f"{event.entity.namespace}/" if event.entity.namespace else ""
    return StoredItem(
        id=ItemId(f"V{number}"),
        at=event.at,
        source=EVENTS,
        entity=str(event.entity),
        text=printable(event.message),
        raw=event.raw,
        url=None,
        locator=f"event {event.reason} of {event.entity.kind.lower()} {where}{event.entity.name}",
    )


def stored_object(number: int, version: ObjectVersion) -> StoredItem:
    """Present an object version; its text is the manifest as it was read."""
    where = f"{version.entity.namespace}/" if version.entity.namespace else ""
    return StoredItem(
        id=ItemId(f"O{number}"),
        at=version.observed_at,
        source=OBJECTS,
        entity=str(version.entity),
        text=version.raw.decode("utf-8", "replace"),
        raw=version.raw,
        url=None,
        locator=f"{version.entity.kind.lower()} {where}{version.entity.name}",
    )


def stored_series(number: int, series: Series) -> StoredItem:
    """Present a series; its text is its name, its time its first sample's."""
    name = printable(series_name(series))
    return StoredItem(
        id=ItemId(f"M{number}"),
        at=at_seconds(series.times_s[0] if series.times_s else None),
        source=series.source,
        entity=name,
        text=name,
        raw=series.raw,
        url=None,
        locator=f"{len(series.times_s)} samples of {name}",
    )


def stored_message(number: int, message: ChatMessage) -> StoredItem:
    """Present a chat message."""
    return StoredItem(
        id=ItemId(f"C{number}"),
        at=message.at,
        source=MESSAGES,
        entity=printable(message.author),
        text=printable(message.text),
        raw=message.raw,
        url=message.permalink,
        locator=f"#{message.channel.removeprefix('#')} {message.ts}",
    )


def stored_ticket(number: int, entry: TicketEntry) -> StoredItem:
    """Present a part of a ticket."""
    return StoredItem(
        id=ItemId(f"J{number}"),
        at=entry.at,
        source=TICKETS,
        entity=entry.key,
        text=printable(entry.text),
        raw=entry.raw,
        url=entry.url,
        locator=f"{entry.key} {entry.part} by {printable(entry.author)}",
    )


def stored_fetched(number: int, item: Fetched) -> StoredItem:
    """Present what was fetched from a live source later; its locator says when."""
    return StoredItem(
        id=ItemId(f"F{number}"),
        at=item.at,
        source=item.source,
        entity=item.entity,
        text=printable(item.text),
        raw=item.raw,
        url=None,
        locator=f"read live {rfc3339(item.fetched_at)}: {item.locator}",
    )
