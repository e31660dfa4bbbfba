"""Read Loki: the body of ``/loki/api/v1/query_range`` and the lines of ``logcli -o jsonl``.

Loki answers newest first unless asked otherwise; lines are handed on oldest first as far as memory allows.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bot.domain.ports import UNDATED
from bot.domain.storable import storable
from bot.sources.export.jsonstream import JsonCutError, JsonStream
from bot.sources.export.ledger import Reading
from bot.sources.export.logs import BATCH
from bot.sources.export.timestamps import iso
from bot.stores.lines import Entry, described, split_lines

SOURCE = "loki"


class _Writer:
    """Opens a stream per label set and writes its lines."""

    def __init__(self, reading: Reading, path: str) -> None:
        self._reading = reading
        self._path = path
        self._streams: dict[tuple[tuple[str, str], ...], int] = {}

    def lost(self, what: str, count: int = 1) -> None:
        self._reading.ledger.lost(SOURCE, what, self._path, count)

    def add(self, labels: Mapping[str, Any], entries: list[Entry]) -> None:
        """Write entries as lines, turned round where they came newest first."""
        if len(entries) > 1 and entries[0][0] > entries[-1][0]:
            entries.reverse()
        lines = [line for at, text in entries for line in split_lines(at, text)]
        told = {str(name): str(value) for name, value in storable(dict(labels)).items()}
        key = tuple(sorted(told.items()))
        if key not in self._streams:
            self._streams[key] = self._reading.sink.open_stream(described(told, self._path))
        for start in range(0, len(lines), BATCH):
            self._reading.sink.add_lines(self._streams[key], lines[start : start + BATCH])
        if lines and (newest := max(line[0] for line in lines)) != UNDATED:
            self._reading.saw(newest / 1e9)


def read_streams(reading: Reading, path: str, texts: Iterable[str]) -> None:
    """Store every line of a file of query results."""
    writer = _Writer(reading, path)
    stream = JsonStream(texts)
    try:
        while stream.peek():
            _body(stream, writer)
    except JsonCutError as cut:
        reading.ledger.tear(SOURCE, cut, "the streams before were read", path)


def _body(stream: JsonStream, writer: _Writer) -> None:
    if stream.peek() == "[":
        _streams(stream, writer)
        return
    for key in stream.members():
        if key == "data" and stream.peek() == "{":
            _body(stream, writer)
        elif key == "result" and stream.peek() == "[":
            _streams(stream, writer)
        else:
            stream.value()


def _streams(stream: JsonStream, writer: _Writer) -> None:
    """Walk into each stream, so that what came before a cut is kept."""
    for _ in stream.positions():
        labels: Mapping[str, Any] = {}
        entries: list[Entry] = []
        try:
            for key in stream.members():
                if key == "stream":
                    told, _ = stream.value()
                    labels = told if isinstance(told, dict) else {}
                elif key == "values" and stream.peek() == "[":
                    _values(stream, entries, writer)
                else:
                    stream.value()
        finally:
            writer.add(labels, entries)


def _values(stream: JsonStream, entries: list[Entry], writer: _Writer) -> None:
    odd = 0
    for entry, _ in stream.elements():
        if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[1], str) and str(entry[0]).isdecimal():
            entries.append((int(entry[0]), entry[1]))
        else:
            odd += 1
    if odd:
        writer.lost("entries without a time or a line", odd)


def read_lines(reading: Reading, path: str, lines: Iterable[str]) -> None:
    """Store every line of ``logcli -o jsonl`` output."""
    writer = _Writer(reading, path)
    waiting: dict[tuple[tuple[str, str], ...], list[Entry]] = {}
    broken = 0
    for text in lines:
        if not text.strip():
            continue
        try:
            entry = json.loads(text)
            labels = entry["labels"]
            at = iso(str(entry["timestamp"]).encode())
            key = tuple(sorted((str(name), str(value)) for name, value in labels.items()))
            told = (UNDATED if at is None else at, str(entry["line"]))
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            broken += 1
            continue
        kept = waiting.setdefault(key, [])
        kept.append(told)
        if len(kept) >= BATCH:
            writer.add(dict(key), waiting.pop(key))
    for key, kept in waiting.items():
        writer.add(dict(key), kept)
    if broken:
        writer.lost("lines that are no logcli entries", broken)
