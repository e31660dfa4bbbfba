"""Everything of a case but its logs and series, as rows: events, object changes, chat, tickets.

Each row begins with the id that a citation names. Texts pass the ``Outlet``: the egress gate, and then the encoding that
keeps them on their row. Left out: deciding how many rows fit (see ``packing``).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.analyst.packing_lines import Row
from bot.analyst.packing_material import Material, Redact, Withheld
from bot.analyst.packing_text import escape
from bot.domain.entity import Entity
from bot.domain.items import ItemId, ObjectVersion
from bot.domain.ports import UNDATED
from bot.domain.window import rfc3339
from bot.errors import RedactionError
from bot.redaction.gate import LONGEST_LINE

WITHHELD = "<WITHHELD>"
"""Stands for a text that the egress gate could not search."""

OBJECTS = "kubernetes/objects"
_EPOCH_US = 1_000_000
_NOISE = ("uid", "resourceVersion", "generation", "selfLink", "managedFields", "creationTimestamp")
_COPY = "kubectl.kubernetes.io/last-applied-configuration"
_LONGEST_CHANGE = 400
_MOST_CHANGES = 40


UNSEARCHED = "the egress gate could not search it for secrets"
TOO_LONG = f"what stands behind the first {LONGEST_LINE:,} characters of a line is not searched for secrets"
MEASURED = "measurements"
"""The source that names and settings are booked under."""


@dataclass(slots=True, kw_only=True)
class Outlet:
    """The way out of foreign text; books what had to be withheld, each text once however often it is packed."""

    redact: Redact
    _known: dict[str, str] = field(default_factory=dict)
    _withheld: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)

    def raw(self, text: str, source: str = MEASURED, item: str = "") -> str:
        """Give a text as the gate lets it pass, before it is encoded; ``item`` of ``source`` it is a text of."""
        if len(text) > LONGEST_LINE:
            ends = (line[LONGEST_LINE:] for line in text.split("\n"))
            if behind := sum(len(end.encode("utf-8", "surrogatepass")) for end in ends):
                self._book(source, TOO_LONG, item or text, behind)
        try:
            return self.redact(text)
        except RedactionError:
            self._book(source, UNSEARCHED, item or text, len(text.encode("utf-8", "surrogatepass")))
            return WITHHELD

    def text(self, text: str, source: str = MEASURED, item: str = "") -> str:
        """Give a text as it may stand on a row."""
        return escape(self.raw(text, source, item))

    def name(self, text: str) -> str:
        """Give a name as it may stand on a row; names repeat, so each is looked at once."""
        told = self._known.get(text)
        if told is None:
            told = self._known[text] = self.text(text)
        return told

    @property
    def withheld(self) -> tuple[Withheld, ...]:
        """What did not pass, by source and reason."""
        return tuple(
            Withheld(source=source, why=why, texts=len(sizes), bytes=sum(sizes.values()))
            for (source, why), sizes in sorted(self._withheld.items())
        )

    def _book(self, source: str, why: str, item: str, size: int) -> None:
        self._withheld.setdefault((source, why), {})[item] = size


def nanoseconds(at_s: float) -> int:
    """Give seconds since the epoch as nanoseconds, to the microsecond."""
    return round(at_s * _EPOCH_US) * 1000


def event_rows(material: Material, outlet: Outlet) -> list[Row]:
    """Give events as lines in time order: type, reason, whom, who says so, how often, and the message."""
    rows = []
    for item, event in material.events:
        who = " ".join(part for part in (event.component, event.node) if part)
        often = ""
        if event.count > 1 or event.first_at != event.at:
            often = f" ×{event.count} since {rfc3339(event.first_at)}"
        told = f"{event.type} {event.reason} {event.entity} [{who}]{often}: {event.message}"
        rows.append(
            Row(
                number=int(item[1:]),
                time_ns=nanoseconds(event.at.timestamp()),
                form=f"{event.type}/{event.reason}/{event.entity.kind}",
                text=outlet.raw(told, "kubernetes/events", item),
            )
        )
    return rows


def object_rows(material: Material, outlet: Outlet) -> tuple[list[tuple[Entity, str]], list[tuple[Entity, str]]]:
    """Give whole manifests (the first seen of each object) and, in time order, what later versions changed."""
    first: dict[Entity, dict[str, str]] = {}
    whole: list[tuple[Entity, str]] = []
    changed: list[tuple[Entity, str]] = []
    for item, version in material.objects:
        manifest = _essence(material.manifest(version))
        leaves = dict(_leaves("", manifest))
        before, first[version.entity] = first.get(version.entity), leaves
        heading = _object_heading(item, version, outlet)
        if before is None:
            told = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False, default=str)
            whole.append((version.entity, f"{heading} {outlet.text(told, OBJECTS, item)}"))
        elif before != leaves:
            changed.append(
                (version.entity, f"{heading} changed: {outlet.text(_difference(before, leaves), OBJECTS, item)}")
            )
        else:
            changed.append((version.entity, f"{heading} unchanged"))
    return whole, changed


def _object_heading(item: ItemId, version: ObjectVersion, outlet: Outlet) -> str:
    seen = f" {rfc3339(version.observed_at)}" if version.observed_at else ""
    return f"{item}{seen} {outlet.name(str(version.entity))}"


def _essence(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Give a manifest without its bookkeeping and without what its heading says."""
    kept = {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind")}
    metadata = kept.get("metadata")
    if isinstance(metadata, Mapping):
        left = {key: value for key, value in metadata.items() if key not in (*_NOISE, "name", "namespace")}
        notes = left.get("annotations")
        if isinstance(notes, Mapping):
            left["annotations"] = {key: value for key, value in notes.items() if key != _COPY}
        kept["metadata"] = {key: value for key, value in left.items() if value}
    return {key: value for key, value in kept.items() if value not in ({}, None)}


def _leaves(path: str, value: object) -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), part)
    elif isinstance(value, list) and value:
        for number, part in enumerate(value):
            named = part.get("name") if isinstance(part, Mapping) else None
            yield from _leaves(f"{path}[{named if isinstance(named, str) else number}]", part)
    else:
        yield path, json.dumps(value, ensure_ascii=False, default=str)


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    told = [
        f"{path}: {before.get(path, 'absent')[:_LONGEST_CHANGE]} → {after.get(path, 'absent')[:_LONGEST_CHANGE]}"
        for path in paths[:_MOST_CHANGES]
    ]
    if len(paths) > _MOST_CHANGES:
        told.append(f"and {len(paths) - _MOST_CHANGES:,} more")
    return "; ".join(told)


def chat_rows(material: Material, outlet: Outlet) -> list[str]:
    """Give chat messages verbatim, each on its row; an answer says whose thread it stands in."""
    by_ts = {message.ts: item for item, message in material.messages}
    rows = []
    for item, message in material.messages:
        thread = by_ts.get(message.thread_ts or "", item)
        where = f" in thread {thread}" if thread != item else ""
        bot = " (a program)" if message.is_bot else ""
        author = outlet.name(message.author)
        rows.append(f"{item} {rfc3339(message.at)} {author}{bot}{where}: {outlet.text(message.text, 'slack', item)}")
    return rows


def ticket_rows(material: Material, outlet: Outlet) -> list[str]:
    """Give ticket descriptions, comments and changes verbatim, each on its row."""
    return [
        f"{item} {rfc3339(entry.at)} {outlet.name(entry.key)} {entry.part} by {outlet.name(entry.author)}: "
        f"{outlet.text(entry.text, 'jira', item)}"
        for item, entry in material.tickets
    ]


def line_rows(material: Material, numbers: Sequence[int], outlet: Outlet) -> list[Row]:
    """Read log lines (ascending numbers) and give them as rows."""
    lines = material.lines
    return [
        Row(
            number=number,
            time_ns=max(int(lines.times_ns[number - 1]), UNDATED),
            form=int(lines.form[number - 1]),
            text=material.keys.get(number)
            or outlet.raw(text, lines.sources[int(lines.stream[number - 1])], str(number)),
        )
        for number, text in lines.texts(numbers)
    ]
