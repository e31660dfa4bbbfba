"""Writes one case: everything a source brings, then what was concluded, then the file gets its final name.

While it is written the file is ``<id>.partial``; only ``finish`` makes it ``<id>.case``, so that a crash, a full disk or
Ctrl-C never leaves something that looks whole. One thread, one connection.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot import __version__
from bot.casefile.case import Case
from bot.casefile.cells import Cell, Packer, at_seconds, bytes_cell, text_cell, time_cell
from bot.casefile.conclusions import link_json, signal_json
from bot.casefile.disk import PARTIAL, WHOLE, connect_for_writing, explained, sync
from bot.casefile.known_events import KnownEvents
from bot.casefile.ledger import Ledger
from bot.casefile.loglines import UNFORMED, LogLines
from bot.casefile.mapping import Elsewhere, Masking
from bot.casefile.packing import Packing
from bot.casefile.records import event_row, insert, message_row, object_row, series_row, ticket_row
from bot.casefile.schema import migrate
from bot.casefile.stored import EVENTS, LOGS, MESSAGES, OBJECTS, TICKETS, at_nanoseconds
from bot.domain.items import (
    ChatMessage,
    ClusterEvent,
    Gap,
    ItemId,
    LogStream,
    ObjectVersion,
    Series,
    SourceCoverage,
    TicketEntry,
)
from bot.domain.link import Link
from bot.domain.ports import TimedLine
from bot.domain.signal import Signal
from bot.domain.window import Window
from bot.errors import CaseError

LINKS_TOGETHER = 512
"""Links whose bodies are compressed together"""

_TABLES = {"V": "events", "O": "objects", "M": "series", "C": "messages", "J": "tickets"}


class CaseWriter:
    """The one writer of a case, and a context manager: leaving it by an exception removes the partial file.

    ``path``: the case's place, suffix ``.case`` or ``.partial``; the stem is the id. ``form_of``: gives a log line's
    masked form from its text; ``elsewhere``: where else lines are mapped. Raises CaseError where the case is already being
    written or there, StorageError where the disk refuses. Left without ``finish``, nothing remains.
    """

    def __init__(
        self, path: Path, form_of: Callable[[bytes], bytes] | None = None, elsewhere: Elsewhere | None = None
    ) -> None:
        self.id = path.stem
        self.path = path.with_suffix(WHOLE)
        self._partial = path.with_suffix(PARTIAL)
        self._open = False
        self._ledger = Ledger()
        self._numbers = dict.fromkeys(_TABLES, 0)
        self._messages: dict[tuple[str, str, datetime], ItemId] = {}
        self._events = KnownEvents()
        self._objects: dict[tuple[str | None, str], ItemId] = {}
        self._unformed = 0
        self._packer = Packer()
        self._packing = Packing(Masking(form_of), elsewhere=elsewhere)
        try:  # Ctrl-C may come anywhere: from the claim on, the file is this writer's to remove
            self._claim()
            with explained(self._partial):
                self._connection = connect_for_writing(self._partial)
                migrate(self._connection)
                self._connection.execute("BEGIN EXCLUSIVE")
                self._set_meta("created_at", time_cell(datetime.now(UTC)))
                self._set_meta("rootcause_version", __version__)
            self._logs = LogLines(self._connection, self._packing)
        except BaseException:
            self.abandon()
            raise

    def _claim(self) -> None:
        """Create the partial file, which only one process can."""
        with explained(self._partial):
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            try:
                # 0600: a case holds what people wrote in private channels.
                file = os.open(self._partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
                self._open = True
                os.close(file)
            except FileExistsError:
                raise CaseError(f"{self._partial} is already being written; choose another name.") from None
        # After the claim, so that a writer of the same name that finishes right now is seen.
        if self.path.exists():
            raise CaseError(f"{self.path} is already there; choose another name.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    def abandon(self) -> None:
        """Close and remove the partial file; nothing happens after ``finish``."""
        if not self._open:
            return
        self._open = False
        self._packing.close()
        with suppress(sqlite3.Error, AttributeError):
            self._connection.close()
        for end in ("", "-journal"):
            with suppress(OSError):
                self._partial.with_name(self._partial.name + end).unlink(missing_ok=True)

    def _add(self, letter: str, number: int, row: tuple[Cell, ...]) -> ItemId:
        with explained(self._partial):
            self._connection.execute(insert(_TABLES[letter], len(row)), row)
        return ItemId(f"{letter}{number}")

    def _number(self, letter: str) -> int:
        self._numbers[letter] += 1
        return self._numbers[letter]

    # What sources write: the Sink port

    def open_stream(self, stream: LogStream) -> int:
        """Register a log stream and return its number, counted from 0."""
        self._logs.streams.append(stream)
        return len(self._logs.streams) - 1

    def add_lines(self, stream: int, lines: Sequence[TimedLine]) -> None:
        """Append lines of a stream; the nth line added to the case, whatever its stream, is ``L<n>``."""
        with explained(self._partial):
            self._logs.add(stream, lines)

    def add_event(self, event: ClusterEvent) -> ItemId:
        """Store an event; one that another source has brought already, as new or newer, keeps its first id."""
        if (known := self._events.find(event)) is not None:
            self._ledger.add_gap(Gap(source=EVENTS, what="events that two sources hold, kept once", lost=False))
            return ItemId(f"V{known}")
        self._ledger.count(EVENTS, 1, len(event.raw), (event.first_at, event.at))
        number = self._number("V")
        if not self._events.add(event, number):
            what = (
                "events beyond the first million were not compared with others: one that two sources hold counts twice"
            )
            self._ledger.add_gap(Gap(source=EVENTS, what=what, lost=False))
        return self._add("V", number, event_row(number, event, self._packer))

    def add_object(self, version: ObjectVersion) -> ItemId:
        """Store an object version; the same one from another source keeps its first id."""
        meta = version.manifest.get("metadata")
        place = (version.uid, str(meta.get("resourceVersion") or "") if isinstance(meta, Mapping) else "")
        if all(place) and (known := self._objects.get(place)) is not None:
            self._ledger.add_gap(
                Gap(source=OBJECTS, what="object versions that two sources hold, kept once", lost=False)
            )
            return known
        self._ledger.count(OBJECTS, 1, len(version.raw), (version.observed_at,))
        number = self._number("O")
        self._objects[place] = self._add("O", number, object_row(number, version, self._packer))
        return self._objects[place]

    def add_series(self, series: Series) -> ItemId:
        """Store a series."""
        ends = (series.times_s[0], series.times_s[-1]) if series.times_s else ()
        self._ledger.count(series.source, 1, len(series.raw), map(at_seconds, ends))
        number = self._number("M")
        return self._add("M", number, series_row(number, series, self._packer))

    def add_message(self, message: ChatMessage) -> ItemId:
        """Store a chat message; one that another source has brought already keeps its first id."""
        place = (message.channel, message.ts, message.at)
        if (known := self._messages.get(place)) is not None:
            what = "messages that two sources hold, kept once"
            self._ledger.add_gap(Gap(source=MESSAGES, what=what, lost=False))
            return known
        self._ledger.count(MESSAGES, 1, len(message.raw), (message.at,))
        number = self._number("C")
        self._messages[place] = self._add("C", number, message_row(number, message, self._packer))
        return self._messages[place]

    def add_ticket(self, entry: TicketEntry) -> ItemId:
        """Store a ticket entry."""
        self._ledger.count(TICKETS, 1, len(entry.raw), (entry.at,))
        number = self._number("J")
        return self._add("J", number, ticket_row(number, entry, self._packer))

    def add_gap(self, gap: Gap) -> None:
        """Record something that could not be read, or an oddity; the same one again adds to its count."""
        self._ledger.add_gap(gap)

    def add_read(self, source: str, path: str, size: int) -> None:
        """Record that ``size`` bytes of ``path`` were read for ``source``."""
        self._ledger.add_read(source, path, size)

    def add_detail(self, source: str, detail: str) -> None:
        """Say of a source what its coverage must be read with."""
        self._ledger.add_detail(source, detail)

    # What the investigation writes

    def set_window(self, window: Window) -> None:
        """Set the window the case is about."""
        with explained(self._partial):
            self._set_meta("window_start", time_cell(window.start))
            self._set_meta("window_end", time_cell(window.end))
            self._set_meta("window_asked", window.asked)

    def set_question(self, question: str) -> None:
        """Set what was asked."""
        with explained(self._partial):
            self._set_meta("question", question)

    def coverage(self) -> list[SourceCoverage]:
        """Give the ledger of what was added so far: a row per source, standard sources even where they gave nothing."""
        with explained(self._partial):
            self._logs.flush()
        self._tell_unformed()
        sources = self._ledger.sources_by_path()
        return self._ledger.coverage(
            (sources.get(stream.path, LOGS), lines, sizes, (at_nanoseconds(first), at_nanoseconds(last)))
            for stream, lines, sizes, first, last in self._logs.counts()
            if lines
        )

    def _tell_unformed(self) -> None:
        """Say how many lines were not told apart, each of them once."""
        if more := self._logs.unformed - self._unformed:
            self._ledger.add_gap(Gap(source=LOGS, what=UNFORMED, count=more))
            self._unformed += more

    def write_templates(self, form_to_template: Sequence[int], templates: Sequence[bytes]) -> None:
        """Store which template (position in ``templates``) each form (position in ``Case.forms()``) belongs to."""
        self._flush()
        with explained(self._partial):
            self._connection.execute("DELETE FROM log_templates")
            self._connection.executemany(
                insert("log_templates", 2), ((number, bytes_cell(text)) for number, text in enumerate(templates))
            )
            self._connection.executemany(
                "UPDATE log_forms SET template = ? WHERE id = ?",
                ((int(template), form) for form, template in enumerate(form_to_template)),
            )

    def write_signals(self, signals: Iterable[Signal]) -> None:
        """Store signals in the order given, in place of earlier ones."""
        rows = (
            (
                number,
                text_cell(signal.id),
                signal.kind.value,
                text_cell(str(signal.entity)),
                text_cell(signal.label),
                signal.source,
                signal.total,
                time_cell(at_seconds(signal.occurrences[0].start_s)) if signal.occurrences else None,
                time_cell(at_seconds(signal.occurrences[-1].end_s)) if signal.occurrences else None,
                signal.period_s,
                signal_json(signal),
            )
            for number, signal in enumerate(signals, 1)
        )
        self._replace("signals", 11, rows)

    def write_links(self, links: Sequence[Link]) -> None:
        """Store links in the order given, in place of earlier ones.

        Thousands that held nothing are alike, so the bodies of a run stand together, compressed, in its first row.
        """
        bodies = [link_json(link).encode() for link in links]
        rows = (
            (
                number + 1,
                text_cell(link.cause),
                text_cell(link.effect),
                link.mechanism,
                link.test.status,
                link.test.hits,
                link.test.misses,
                link.test.unexplained,
                link.test.p_value,
                self._packer.compress(b"\n".join(bodies[number : number + LINKS_TOGETHER]))
                if number % LINKS_TOGETHER == 0
                else None,
            )
            for number, link in enumerate(links)
        )
        self._replace("links", 10, rows)

    def write_report(self, report: Mapping[str, Any]) -> None:
        """Store the report's JSON document, in place of an earlier one."""
        named = (text_cell(report.get(key)) for key in ("verdict", "confidence", "summary"))
        self._replace("report", 5, [(1, *named, json.dumps(report))])

    def _replace(self, table: str, columns: int, rows: Iterable[tuple[Cell, ...]]) -> None:
        with explained(self._partial):
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - a name from this file
            self._connection.executemany(insert(table, columns), rows)

    def reader(self) -> Case:
        """Give the case as written so far, over this connection; it ends with the writer and sees nothing added later."""
        self._flush()
        return Case(self._connection, self.path)

    def finish(self) -> Path:
        """Commit, sync, and give the file its final name, which is returned; the writer and its readers are closed."""
        self._flush()
        with explained(self._partial):
            self._packing.close()
            self._set_meta("complete", "1")
            self._connection.execute("COMMIT")
            self._connection.close()
            sync(self._partial)
            self._partial.rename(self.path)
            self._open = False
            sync(self.path.parent)
        return self.path

    def _flush(self) -> None:
        rows = self.coverage()
        with explained(self._partial):
            self._logs.write_names(self._ledger.sources_by_path().get)
        self._replace(
            "coverage",
            8,
            (
                (
                    row.source,
                    row.status,
                    row.items,
                    row.bytes,
                    time_cell(row.first_at),
                    time_cell(row.last_at),
                    row.read,
                    row.detail,
                )
                for row in rows
            ),
        )
        gaps = enumerate(self._ledger.gaps(), 1)
        self._replace(
            "gaps",
            9,
            (
                (
                    number,
                    gap.source,
                    text_cell(gap.what),
                    gap.count,
                    text_cell(gap.path),
                    int(gap.lost),
                    *(time_cell(at) for at in gap.span or (None, None)),
                    gap.share,
                )
                for number, gap in gaps
            ),
        )

    def _set_meta(self, key: str, value: str | None) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, text_cell(value)))
