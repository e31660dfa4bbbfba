"""One live look for a question asked of a finished case: a source read into little memory, kept beside the case, told as rows.

What is shown to a model is what is kept, so that a quote of it is found again in the stored bytes. Leaves out what may be asked
for (``analyst/model_live``) and how a source is made (``app_live``).
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.analyst.model_tools import LONGEST_TEXT, MOST_POINTS, MOST_ROWS, Looked
from bot.casefile.case import Case
from bot.casefile.stored import (
    LOGS,
    StoredItem,
    at_nanoseconds,
    nanoseconds,
    stored_event,
    stored_object,
    stored_series,
    stream_name,
)
from bot.domain.items import (
    ChatMessage,
    ClusterEvent,
    Fetched,
    Gap,
    ItemId,
    LogStream,
    ObjectVersion,
    Series,
    TicketEntry,
)
from bot.domain.ports import UNDATED, LiveSource, TimedLine
from bot.domain.window import rfc3339
from bot.errors import UsageError
from bot.investigation.gather import gather_all
from bot.redaction.keys import key_lines

MOST_BYTES = 2 * 1024 * 1024
"""Of lines that are held while those nearest to a time are chosen; a source is told to give less."""
LONGEST_PART = 5000
"""Characters of one part of an object."""
LONGEST_LINE = 4000
"""Bytes of a line that are kept."""
GRACE_S = 1.0


def looked(case: Case, source: LiveSource, at: datetime | None, now: datetime) -> Looked:
    """Let a source look, keep what it gave, and give it as rows with ids; what it could not give as sentences."""
    sink = _Sink()
    gather_all([source], sink, _unheard, grace_s=GRACE_S, lenient=True)
    rows = [*sink.lines_near(at, now), *sink.others(now)]
    ids = iter(case.keep([fetched for fetched, _ in rows]))
    told = [dict(part, item=item) for (_, parts), item in zip(rows, ids, strict=True) for part in parts]
    return Looked(rows=told, texts=[fetched.text for fetched, _ in rows], gaps=sink.said())


_Row = tuple[Fetched, Sequence[Mapping[str, object]]]
"""What is kept, and the rows that tell of it."""


@dataclass(slots=True)
class _Sink:
    """Holds what one look brings; implements ``Sink``."""

    streams: list[LogStream] = field(default_factory=list)
    lines: list[tuple[int, int, bytes, int]] = field(default_factory=list)
    """Time, stream, bytes and where the text begins in them"""
    items: list[tuple[StoredItem, Sequence[Mapping[str, object]]]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    held: int = 0
    shown: int = 0

    def open_stream(self, stream: LogStream) -> int:
        """Register a log stream."""
        self.streams.append(stream)
        return len(self.streams) - 1

    def add_lines(self, stream: int, lines: Sequence[TimedLine]) -> None:
        """Hold lines while there is room."""
        for at, raw, begin in lines:
            if self.held + len(raw) > MOST_BYTES:
                self.add_gap(
                    Gap(source=LOGS, what=f"more than {MOST_BYTES // 1024} KiB of lines came; the rest was left")
                )
                return
            self.held += len(raw)
            self.lines.append((at, stream, raw[:LONGEST_LINE], begin))

    def add_event(self, event: ClusterEvent) -> ItemId:
        """Hold an event."""
        row = {
            "at": rfc3339(event.at),
            "of": str(event.entity),
            "reason": event.reason,
            "text": event.message[:LONGEST_TEXT],
            "count": event.count,
        }
        return self._add(stored_event(0, event), [row])

    def add_object(self, version: ObjectVersion) -> ItemId:
        """Hold an object, told in parts that each stand in its bytes as they are shown."""
        stored = stored_object(0, version)
        return self._add(stored, [{"at": rfc3339(stored.at) if stored.at else None, "of": stored.entity, **part}
                                  for part in _parts(version.raw)])  # fmt: skip

    def add_series(self, series: Series) -> ItemId:
        """Hold a series."""
        stored = stored_series(0, series)
        points = [(at, value) for at, value in zip(series.times_s, series.values, strict=True) if math.isfinite(value)]
        row = {
            "metric": series.metric,
            "labels": dict(series.labels),
            "points": [[rfc3339(datetime.fromtimestamp(at, UTC)), float(f"{value:.6g}")] for at, value in points],
        }
        return self._add(stored, [row] if len(points) <= 2 * MOST_POINTS else [])

    def add_message(self, message: ChatMessage) -> ItemId:
        """Refuse: no live look reads chat."""
        raise UsageError(f"A look brought chat of {message.channel}.")

    def add_ticket(self, entry: TicketEntry) -> ItemId:
        """Refuse: no live look reads tickets."""
        raise UsageError(f"A look brought the ticket {entry.key}.")

    def add_gap(self, gap: Gap) -> None:
        """Note what could not be had."""
        self.gaps.append(gap)

    def add_read(self, source: str, path: str, size: int) -> None:  # noqa: ARG002 - the port's signature
        """Learn which source a stream's path is of."""
        self.sources[path] = source

    def add_detail(self, source: str, detail: str) -> None:
        """Overlook it: a look is too narrow to say how far back a source remembers."""

    def _add(self, stored: StoredItem, rows: Sequence[Mapping[str, object]]) -> ItemId:
        self.items.append((stored, rows))
        return stored.id

    def lines_near(self, at: datetime | None, now: datetime) -> Iterator[_Row]:
        """Give the lines nearest to a time, in time order."""
        middle = nanoseconds(at) if at else 0
        hidden = self._keys()
        dated = sorted(line for place, line in enumerate(self.lines) if line[0] != UNDATED and place not in hidden)
        near = sorted(sorted(dated, key=lambda line: abs(line[0] - middle))[:MOST_ROWS])
        self.shown = len(near)
        for time_ns, number, raw, begin in near:
            stream = self.streams[number]
            text = raw[begin:].decode("utf-8", "replace")
            source, name, moment = self.sources.get(stream.path, LOGS), stream_name(stream), at_nanoseconds(time_ns)
            locator = name if stream.path == name else f"{name} in {stream.path}"
            fetched = Fetched(
                source=source, entity=name, at=moment, text=text, raw=raw, locator=locator, fetched_at=now
            )
            told = {
                "at": rfc3339(moment) if moment else None,
                "source": source,
                "of": name,
                "text": text[:LONGEST_TEXT],
            }
            yield fetched, [told]

    def _keys(self) -> set[int]:
        """Find the lines, by position, that are part of a private key and do not look it."""
        found: set[int] = set()
        for number in {stream for _, stream, _, _ in self.lines}:
            mine = [at for at, line in enumerate(self.lines) if line[1] == number]
            texts = [self.lines[at][2][self.lines[at][3] :].decode("utf-8", "replace") for at in mine]
            found |= {mine[at] for at in key_lines(texts)}
        return found

    def others(self, now: datetime) -> Iterator[_Row]:
        """Give everything else, the newest last."""
        ordered = sorted(self.items, key=lambda one: (one[0].at is not None, one[0].at or now))
        for stored, rows in ordered[-MOST_ROWS:]:
            fetched = Fetched(
                source=stored.source,
                entity=stored.entity,
                at=stored.at,
                text=stored.text,
                raw=stored.raw,
                locator=stored.locator,
                fetched_at=now,
            )
            yield fetched, rows

    def said(self) -> list[str]:
        """Say what is missing."""
        told = [f"{gap.source}: {gap.what}" for gap in self.gaps if gap.lost]
        if len(self.lines) > self.shown:
            told.append(f"{len(self.lines):,} lines came, the {self.shown} nearest to the time are shown")
        if len(self.items) > MOST_ROWS:
            told.append(f"{len(self.items):,} came, the {MOST_ROWS} newest are shown")
        return list(dict.fromkeys(told))


def _parts(raw: bytes) -> Iterator[Mapping[str, object]]:
    """Give the parts of an object's JSON, each as it stands there; one that is long by its beginning."""
    whole = json.loads(raw)
    for name in ("status", "spec", "metadata", *sorted(whole.keys() - {"status", "spec", "metadata"})):
        if isinstance(value := whole.get(name), (dict, list)) and value:
            told = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            more = {"cut": f"{len(told):,} characters"} if len(told) > LONGEST_PART else {}
            yield {"part": name, "text": told[:LONGEST_PART], **more}


def _unheard(_stage: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""
