"""Rows of the case file and the items of the domain: each way round, side by side. Times order rows, ids break ties."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from bot.casefile.cells import (
    Cell,
    Packer,
    Row,
    at_seconds,
    cell_bytes,
    cell_floats,
    cell_text,
    cell_text_or_none,
    cell_time,
    cell_time_or_none,
    floats_cell,
    text_cell,
    time_cell,
    unblob,
)
from bot.domain.entity import Entity
from bot.domain.items import ChatMessage, ClusterEvent, Fetched, LogStream, ObjectVersion, Series, TicketEntry


def insert(table: str, columns: int) -> str:
    """Spell an INSERT of whole rows."""
    return f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608 - names come from this package only


def labels_cell(labels: Mapping[str, str]) -> str:
    """Give labels as JSON, in order."""
    return json.dumps(dict(labels), sort_keys=True)


def stream_row(number: int, source: str, stream: LogStream) -> tuple[Cell, ...]:
    """Give a log stream as a row of ``log_streams``."""
    names = (stream.namespace, stream.pod, stream.container, stream.path)
    return (
        number,
        source,
        *map(text_cell, names),
        int(stream.previous),
        text_cell(stream.node),
        labels_cell(stream.labels),
    )


def row_stream(row: Row) -> LogStream:
    """Undo ``stream_row``."""
    _, _, namespace, pod, container, path, previous, node, labels = row
    return LogStream(
        namespace=cell_text_or_none(namespace),
        pod=cell_text_or_none(pod),
        container=cell_text_or_none(container),
        path=cell_text(path),
        previous=bool(previous),
        node=cell_text_or_none(node),
        labels=json.loads(labels),
    )


def event_row(number: int, event: ClusterEvent, packer: Packer) -> tuple[Cell, ...]:
    """Give an event as a row of ``events``."""
    texts = (
        event.type,
        event.reason,
        event.message,
        event.entity.kind,
        event.entity.namespace,
        event.entity.name,
        event.component,
        event.node,
    )
    times = (time_cell(event.at), time_cell(event.first_at))
    return (number, *times, event.count, *map(text_cell, texts), packer.blob(event.raw))


def row_event(row: Row) -> ClusterEvent:
    """Undo ``event_row``."""
    _, at, first_at, count, type_, reason, message, kind, namespace, name, component, node, raw = row
    return ClusterEvent(
        at=cell_time(at),
        first_at=cell_time(first_at),
        count=count,
        type=cell_text(type_),
        reason=cell_text(reason),
        message=cell_text(message),
        entity=_entity(kind, namespace, name),
        component=cell_text_or_none(component),
        node=cell_text_or_none(node),
        raw=unblob(raw),
    )


def object_row(number: int, version: ObjectVersion, packer: Packer) -> tuple[Cell, ...]:
    """Give an object version as a row of ``objects``."""
    # YAML knows dates where JSON has text.
    manifest = json.dumps(version.manifest, default=str).encode()
    names = (version.entity.kind, version.entity.namespace, version.entity.name, version.uid)
    return (
        number,
        time_cell(version.observed_at),
        *map(text_cell, names),
        packer.blob(manifest),
        packer.blob(version.raw),
    )


def row_object(row: Row) -> ObjectVersion:
    """Undo ``object_row``."""
    _, observed_at, kind, namespace, name, uid, manifest, raw = row
    return ObjectVersion(
        entity=_entity(kind, namespace, name),
        uid=cell_text_or_none(uid),
        observed_at=cell_time_or_none(observed_at),
        manifest=json.loads(unblob(manifest)),
        raw=unblob(raw),
    )


def series_row(number: int, series: Series, packer: Packer) -> tuple[Cell, ...]:
    """Give a series as a row of ``series``."""
    ends = (series.times_s[0], series.times_s[-1]) if series.times_s else (None, None)
    return (
        number,
        text_cell(series.metric),
        labels_cell(series.labels),
        len(series.times_s),
        *(time_cell(at_seconds(end)) for end in ends),
        floats_cell(series.times_s, packer),
        floats_cell(series.values, packer),
        packer.blob(series.raw),
        text_cell(series.source),
    )


def row_series(row: Row) -> Series:
    """Undo ``series_row``."""
    _, metric, labels, _, _, _, times, values, raw, source = row
    return Series(
        metric=cell_text(metric),
        labels=json.loads(labels),
        times_s=cell_floats(times),
        values=cell_floats(values),
        raw=unblob(raw),
        source=cell_text(source),
    )


def message_row(number: int, message: ChatMessage, packer: Packer) -> tuple[Cell, ...]:
    """Give a chat message as a row of ``messages``."""
    texts = (message.text, message.ts, message.thread_ts, message.permalink)
    return (
        number,
        time_cell(message.at),
        text_cell(message.channel),
        text_cell(message.author),
        int(message.is_bot),
        *map(text_cell, texts),
        packer.blob(message.raw),
    )


def row_message(row: Row) -> ChatMessage:
    """Undo ``message_row``."""
    _, at, channel, author, is_bot, text, ts, thread_ts, permalink, raw = row
    return ChatMessage(
        at=cell_time(at),
        channel=cell_text(channel),
        author=cell_text(author),
        is_bot=bool(is_bot),
        text=cell_text(text),
        ts=cell_text(ts),
        thread_ts=cell_text_or_none(thread_ts),
        permalink=cell_text_or_none(permalink),
        raw=unblob(raw),
    )


def ticket_row(number: int, entry: TicketEntry, packer: Packer) -> tuple[Cell, ...]:
    """Give a ticket's part as a row of ``tickets``."""
    texts = (entry.key, entry.part, entry.author, entry.text, entry.url)
    return (number, time_cell(entry.at), *map(text_cell, texts), packer.blob(entry.raw))


def row_ticket(row: Row) -> TicketEntry:
    """Undo ``ticket_row``."""
    _, at, key, part, author, text, url, raw = row
    return TicketEntry(
        at=cell_time(at),
        key=cell_text(key),
        part=part,
        author=cell_text(author),
        text=cell_text(text),
        url=cell_text_or_none(url),
        raw=unblob(raw),
    )


def fetched_cells(item: Fetched) -> tuple[Cell, ...]:
    """Give what was fetched as a row of ``fetched``, its number left out."""
    texts = (item.source, item.entity, item.text, item.locator)
    return (time_cell(item.at), time_cell(item.fetched_at), *map(text_cell, texts), item.raw)


def row_fetched(row: Row) -> Fetched:
    """Undo ``fetched_cells``."""
    _, at, fetched_at, source, entity, text, locator, raw = row
    return Fetched(
        source=cell_text(source),
        entity=cell_text(entity),
        at=cell_time_or_none(at),
        text=cell_text(text),
        raw=cell_bytes(raw),
        locator=cell_text(locator),
        fetched_at=cell_time(fetched_at),
    )


def _entity(kind: Any, namespace: Any, name: Any) -> Entity:  # noqa: ANN401 - cells as SQLite hands them over
    return Entity(cell_text(kind), cell_text(name), cell_text_or_none(namespace))


READERS: dict[str, tuple[str, str, Callable[[Row], Any]]] = {
    "V": ("events", "at", row_event),
    "O": ("objects", "observed_at", row_object),
    "M": ("series", "first_at", row_series),
    "C": ("messages", "at", row_message),
    "J": ("tickets", "at", row_ticket),
    "F": ("fetched", "at", row_fetched),
}
"""By an id's letter: its table, the column that orders it, and how a row becomes an item."""
