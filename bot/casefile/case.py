"""Reads one case: evidence by id, by kind and in time order, what was concluded, and the questions asked of it.

Evidence never changes once the file has its final name; all that is added later is a question with its answer, and beside
the evidence what live sources gave for it.
"""

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.casefile.blocks import Ints
from bot.casefile.cells import (
    cell_bytes,
    cell_floats,
    cell_text,
    cell_text_or_none,
    cell_time,
    cell_time_or_none,
    decompress,
    text_cell,
    time_cell,
)
from bot.casefile.conclusions import json_link, json_signal
from bot.casefile.days import Day, days_told
from bot.casefile.disk import explained
from bot.casefile.event_share import MOST_EVENTS, shared_events
from bot.casefile.logreader import BlockLines, Columns, FormRow, LogReader
from bot.casefile.object_share import shared_objects
from bot.casefile.records import READERS, fetched_cells
from bot.casefile.stored import (
    StoredItem,
    parse_id,
    stored_event,
    stored_fetched,
    stored_message,
    stored_object,
    stored_series,
    stored_ticket,
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
    SeriesHead,
    SourceCoverage,
    TicketEntry,
)
from bot.domain.link import Link
from bot.domain.signal import Signal
from bot.domain.window import Window
from bot.errors import CaseError

_PRESENT: dict[str, Any] = {
    "V": stored_event,
    "O": stored_object,
    "M": stored_series,
    "C": stored_message,
    "J": stored_ticket,
    "F": stored_fetched,
}

# What makes two rows neighbours: the same thing, channel or ticket.
_NEIGHBOURS = {
    "V": ("kind", "namespace", "name"),
    "O": ("kind", "namespace", "name"),
    "M": ("metric",),
    "C": ("channel",),
    "J": ("ticket",),
    "F": ("source", "entity"),
}


class Case:
    """An open case; a context manager. ``owned``: whether closing it closes the connection; ``most_events``: beyond, a share is read."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, *, owned: bool = False, most_events: int = MOST_EVENTS
    ) -> None:
        self.id = path.stem
        self.path = path
        self._connection = connection
        self._owned = owned
        self._most_events = most_events
        self.logs = LogReader(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file where this case opened it."""
        if self._owned:
            self._connection.close()

    def meta(self, key: str) -> str | None:
        """Give a line of the ``meta`` table."""
        row = self._one("SELECT value FROM meta WHERE key = ?", (key,))
        return cell_text(row[0]) if row else None

    @cached_property
    def created_at(self) -> datetime:
        """When the case was begun."""
        return cell_time(self.meta("created_at") or "1970-01-01T00:00:00Z")

    @property
    def window(self) -> Window:
        """The window the case is about; raises CaseError where none was set."""
        window = self.window_or_none()
        if window is None:
            raise CaseError(f"{self.path} names no window; run the analysis again.")
        return window

    def window_or_none(self) -> Window | None:
        """Give the window the case is about, None where none was set."""
        start, end, asked = (self.meta(f"window_{part}") for part in ("start", "end", "asked"))
        if start is None or end is None:
            return None
        return Window(start=cell_time(start), end=cell_time(end), asked=asked or "")

    @property
    def question(self) -> str:
        """What was asked; empty where nothing was."""
        return self.meta("question") or ""

    # Logs

    def streams(self) -> list[LogStream]:
        """Give every log stream; the position is the number in ``Columns.stream``."""
        with explained(self.path):
            return self.logs.streams

    def forms(self) -> list[FormRow]:
        """Give every masked form; the position is the number in ``Columns.form``."""
        with explained(self.path):
            return self.logs.forms

    def columns(self) -> Columns:
        """Give times, streams and forms of all lines, in line order."""
        with explained(self.path):
            return self.logs.columns

    def column_runs(self) -> Iterator[tuple[range, Columns]]:
        """Give the same for runs of blocks, each with its blocks: what a search reads, whatever the size of the case."""
        with explained(self.path):
            yield from self.logs.runs_of_columns()

    def column_blocks(self, blocks: Sequence[int] | None = None) -> Iterator[BlockLines]:
        """Give the same block by block, of all or some: what a digest reads, whatever the size of the case."""
        with explained(self.path):
            yield from self.logs.blocks_of_columns(blocks)

    def dated_blocks(self) -> Ints:
        """Give of each block how many of its lines are dated, and the first and last of their times in nanoseconds."""
        with explained(self.path):
            return self.logs.dated

    def lines_of(self, numbers: Iterable[int]) -> Iterator[StoredItem]:
        """Give lines by number in the order asked, leaving out unknown ones."""
        with explained(self.path):
            yield from self.logs.items(numbers)

    def texts_of(self, numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Give number and text of lines, ascending, leaving out unknown ones; cheaper than whole items."""
        with explained(self.path):
            yield from self.logs.texts(numbers)

    # Single items

    def item(self, item: ItemId) -> StoredItem | None:
        """Give one stored item, or None where no such id exists."""
        return next(self.items((item,)), None)

    def items(self, items: Iterable[ItemId]) -> Iterator[StoredItem]:
        """Give stored items in the order asked, leaving out unknown ids; log lines block by block."""
        asked = [parsed for item in items if (parsed := parse_id(item)) is not None]
        lines = {line.id: line for line in self.lines_of(sorted({number for letter, number in asked if letter == "L"}))}
        for letter, number in asked:
            if found := lines.get(ItemId(f"L{number}")) if letter == "L" else self._record(letter, number):
                yield found

    def _record(self, letter: str, number: int) -> StoredItem | None:
        table, _, read = READERS[letter]
        row = self._one(f"SELECT * FROM {table} WHERE id = ?", (number,))  # noqa: S608 - a name of the schema
        item: StoredItem | None = _PRESENT[letter](number, read(row)) if row else None
        return item

    def around(self, item: ItemId, before: int, after: int) -> list[StoredItem]:
        """Give an item between its neighbours, in order: of its log stream, object, metric, channel or ticket."""
        parsed = parse_id(item)
        if parsed is None:
            return []
        letter, number = parsed
        if letter == "L":
            with explained(self.path):
                near_lines = self.logs.around(number, before, after)
            return list(self.lines_of(near_lines))
        table, order, _ = READERS[letter]
        same = " AND ".join(
            f"{column} IS (SELECT {column} FROM {table} WHERE id = ?1)"  # noqa: S608 - names of the schema
            for column in _NEIGHBOURS[letter]
        )
        query = f"SELECT id FROM {table} WHERE {same} ORDER BY {order}, id"  # noqa: S608 - names of the schema
        near = [found for (found,) in self._all(query, (number,))]
        if number not in near:
            return []
        place = near.index(number)
        chosen = near[max(0, place - before) : place + after + 1]
        return [found for one in chosen if (found := self._record(letter, one)) is not None]

    # Items by kind, in time order; those without a time first, ids break ties

    def events(self) -> Iterator[tuple[ItemId, ClusterEvent]]:
        """Give events; an even share of each kind where they are more than there is room for."""
        return self._records("V", self._shared["events"])

    def days(self) -> list[Day]:
        """Give the days that events and samples tell of."""
        with explained(self.path):
            return days_told(self._connection)

    def passed_over(self, table: str) -> int:
        """Count the rows of ``events`` or ``objects`` that are not given, for there are too many."""
        shared, query = self._shared[table], f"SELECT count(*) FROM {table}"  # noqa: S608 - names of the schema
        return 0 if shared is None else int(self._all(query)[0][0]) - len(shared)

    @cached_property
    def _shared(self) -> Mapping[str, Sequence[int] | None]:
        """By table, the ids of the rows that are read, in time order; None where all of them are."""
        with explained(self.path):
            return {
                "events": shared_events(self._connection, self._most_events),
                "objects": shared_objects(self._connection),
            }

    def objects(self) -> Iterator[tuple[ItemId, ObjectVersion]]:
        """Give object versions; an even share of each kind where they are more than there is room for."""
        return self._records("O", self._shared["objects"])

    def series(self) -> Iterator[tuple[ItemId, Series]]:
        """Give series by their first sample."""
        return self._records("M")

    def series_heads(self) -> list[SeriesHead]:
        """Give which series there are by their first sample."""
        heads = self._all("SELECT id, metric, labels FROM series ORDER BY first_at, id")
        return [
            SeriesHead(ItemId(f"M{number}"), cell_text(metric), json.loads(labels)) for number, metric, labels in heads
        ]

    def samples(self, items: Iterable[ItemId]) -> Iterator[tuple[ItemId, "array[float]", "array[float]"]]:
        """Give the times and values of series, one by one, without the bytes that they were read from."""
        query = "SELECT sample_times, sample_values FROM series WHERE id = ?"
        with explained(self.path):
            for item in items:
                times, values = self._connection.execute(query, (int(item[1:]),)).fetchone()
                yield item, cell_floats(times), cell_floats(values)

    def messages(self) -> Iterator[tuple[ItemId, ChatMessage]]:
        """Give chat messages."""
        return self._records("C")

    def tickets(self) -> Iterator[tuple[ItemId, TicketEntry]]:
        """Give ticket entries."""
        return self._records("J")

    def stored(self, letter: str) -> Iterator[StoredItem]:
        """Give all items of a kind but log lines (``V``, ``O``, ``M``, ``C``, ``J``), every event too, by number."""
        table, _, read = READERS[letter]
        with explained(self.path):
            for row in self._connection.execute(f"SELECT * FROM {table} ORDER BY id"):  # noqa: S608 - a name of the schema
                yield _PRESENT[letter](row[0], read(row))

    def _records(self, letter: str, ids: Sequence[int] | None = None) -> Iterator[tuple[ItemId, Any]]:
        """Give items one by one: SQLite would sort whole rows, bytes and all, in memory."""
        table, order, read = READERS[letter]
        if ids is None:
            ids = [one for (one,) in self._all(f"SELECT id FROM {table} ORDER BY {order}, id")]  # noqa: S608 - names of the schema
        query = f"SELECT * FROM {table} WHERE id = ?"  # noqa: S608 - a name of the schema
        with explained(self.path):
            for number in ids:
                yield ItemId(f"{letter}{number}"), read(self._connection.execute(query, (number,)).fetchone())

    # What was concluded

    def coverage(self) -> list[SourceCoverage]:
        """Give the coverage ledger, standard sources first."""
        gaps: dict[str, list[Gap]] = {}
        for source, what, count, path, lost, *span, share in self._all(
            "SELECT source, what, count, path, lost, first_at, end_at, share FROM gaps ORDER BY id"
        ):
            where, (first, end) = None if path is None else cell_text(path), map(cell_time_or_none, span)
            within = (first, end) if first and end else None
            gap = Gap(
                source=source, what=cell_text(what), count=count, path=where, lost=bool(lost), span=within, share=share
            )
            gaps.setdefault(source, []).append(gap)
        return [
            SourceCoverage(
                source=source,
                status=status,
                items=items,
                bytes=size,
                first_at=cell_time_or_none(first_at),
                last_at=cell_time_or_none(last_at),
                gaps=tuple(gaps.get(source, ())),
                read=read,
                detail=detail,
            )
            for source, status, items, size, first_at, last_at, read, detail in self._all(
                "SELECT * FROM coverage ORDER BY rowid"
            )
        ]

    def templates(self) -> tuple[list[int], list[bytes]]:
        """Give each form's template (a position in the second list; -1 without one), and the templates."""
        of_form = [-1 if one is None else one for (one,) in self._all("SELECT template FROM log_forms ORDER BY id")]
        templates = [cell_bytes(text) for (text,) in self._all("SELECT template FROM log_templates ORDER BY id")]
        return of_form, templates

    def signals(self) -> list[Signal]:
        """Give the signals in the order they were written."""
        return [json_signal(body) for (body,) in self._all("SELECT body FROM signals ORDER BY id")]

    def links(self) -> list[Link]:
        """Give the links in the order they were written."""
        runs = self._all("SELECT body FROM links WHERE body IS NOT NULL ORDER BY id")
        bodies = (body if isinstance(body, str) else decompress(body).decode() for (body,) in runs)
        return [json_link(body) for run in bodies for body in run.split("\n")]

    def report(self) -> dict[str, Any] | None:
        """Give the report's JSON document, None where there is none yet."""
        row = self._one("SELECT body FROM report")
        return json.loads(row[0]) if row else None

    def note_outcome(self, number: int, status: str) -> None:
        """Write into the report what became of its prediction, counted from 0; the evidence stays as it is."""
        report = self.report()
        if report is None or number >= len(report["predictions"]):
            raise CaseError(f"Case {self.id} holds no prediction {number + 1}.")
        report["predictions"][number]["status"] = status
        with explained(self.path):
            self._connection.execute("UPDATE report SET body = ?", (json.dumps(report),))

    def add_question(self, answer: Mapping[str, Any]) -> int:
        """Store the answer to a follow-up (its JSON document) and return its number."""
        texts = (text_cell(answer.get(key)) for key in ("question", "verdict", "answer"))
        query = "INSERT INTO questions (asked_at, question, verdict, answer, body) VALUES (?, ?, ?, ?, ?)"
        with explained(self.path):
            cursor = self._connection.execute(query, (time_cell(datetime.now(UTC)), *texts, json.dumps(answer)))
        return cursor.lastrowid or 0

    def questions(self) -> list[dict[str, Any]]:
        """Give the answers to follow-ups, oldest first."""
        return [json.loads(body) for (body,) in self._all("SELECT body FROM questions ORDER BY id")]

    def keep(self, items: Sequence[Fetched]) -> list[ItemId]:
        """Keep what was fetched for a question and give its ids; what is kept already keeps its id."""
        same = "SELECT id FROM fetched WHERE at IS ? AND source = ? AND entity = ? AND raw = ?"
        ids = []
        for item in items:
            row = fetched_cells(item)
            found = self._one(same, (row[0], row[2], row[3], row[6]))
            if found is None:
                query = "INSERT INTO fetched VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"
                with explained(self.path):
                    found = (self._connection.execute(query, row).lastrowid,)
            ids.append(ItemId(f"F{found[0]}"))
        return ids

    def named(self) -> Iterator[str]:
        """Give the names of what the case tells of, as ``Kind namespace/name``: objects, events, and what was measured."""
        for table in ("objects", "events"):
            query = f"SELECT DISTINCT kind, namespace, name FROM {table}"  # noqa: S608 - names of the schema
            for kind, namespace, name in self._all(query):
                where = cell_text_or_none(namespace)
                yield f"{cell_text(kind)} {f'{where}/' if where else ''}{cell_text(name)}"
        for (entity,) in self._all("SELECT DISTINCT entity FROM signals"):
            yield cell_text(entity)

    def _all(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with explained(self.path):
            return self._connection.execute(query, values).fetchall()

    def _one(self, query: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        return next(iter(self._all(query, values)), None)
