"""Loki as a source: its index counts, its query language selects, and pages of entries come oldest first.

Limits are Loki's own and differ by tenant: a page has at most 5,000 entries unless it says fewer, a query may not span more
than it allows; both are found out by being told, and kept.

Sources: grafana.com/docs/loki, "HTTP API", pages of ``query_range``, ``index/stats`` and ``patterns``.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests

from bot.domain.finding import Finding
from bot.domain.ports import Progress, Sink
from bot.domain.scope import Scope
from bot.domain.storable import storable
from bot.stores.address import StoreAddress
from bot.stores.lines import TROUBLE, Batch, Entry
from bot.stores.reading import NS, Measured, Pick, Span, StoreReading, quoted, window_span
from bot.wire import BrokenError, Deadline, Limits, RejectedError, WireError, WireSession, json_of

PAGE = 5000
"""``max_entries_limit_per_query`` as Loki is born with it."""
FEWEST = 100
"""Entries of the smallest page that is asked for."""
EXAMINE_S = 8.0
_FEWER = re.compile(rb"max.entries.limit[^(]*\((\d+) > (\d+)\)")


class LokiSource:
    """The streams of the scope's namespaces in its window."""

    name = "loki"

    def __init__(self, address: StoreAddress, scope: Scope) -> None:
        self._address = address
        self._scope = scope
        self.deadline_s = address.deadline_s

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Read the lines that matter into the sink."""
        progress("discover", 0, None)
        with Deadline(self.deadline_s) as deadline, _session(deadline, self._address) as session:
            reading = StoreReading(
                source=self.name, path=self.name, sink=sink, progress=progress, fields=self._address.fields
            )
            store = _Loki(session, self._address, self._scope)
            reading.read(store, self._scope.window, self._address.most_bytes)
            if store.crowded:
                reading.lost(
                    "more entries of one instant than a page holds; the rest of them was left out", store.crowded
                )
            if not reading.failed:
                _note_patterns(reading, store, window_span(self._scope.window))

    def examine(self) -> Sequence[Finding]:
        """Say whether it answers."""
        with Deadline(EXAMINE_S) as deadline, _session(deadline, self._address) as session:
            try:
                measured = _Loki(session, self._address, self._scope).measure(window_span(self._scope.window))
            except WireError as error:
                fix = "Look at url, tenant and credentials under `logs` in rootcause.yaml."
                return [Finding(name=self.name, state="wrong", what=f"Loki cannot be read: {error}", fix=fix)]
        told = f"{measured.lines:,} entries" if measured.lines is not None else "answers"
        return [Finding(name=self.name, state="ok", what=f"{told} in the window")]


def _session(deadline: Deadline, address: StoreAddress) -> WireSession:
    return WireSession(deadline, login=address.login, limits=Limits(total_bytes=8 * 1024**3))


class _Loki:
    """Implements ``LogStore``."""

    def __init__(self, session: WireSession, address: StoreAddress, scope: Scope) -> None:
        self._session = session
        self._url = f"{address.url.rstrip('/')}/loki/api/v1"
        self._page = PAGE
        pods = f'{address.fields.get("pod", "pod")}=~"{scope.pods}"' if scope.pods else ""
        self._selector = selector(
            address.selector, address.fields.get("namespace", "namespace"), scope.namespaces, pods
        )
        self.crowded = 0

    def measure(self, span: Span) -> Measured:
        """Ask the index; older versions have none to ask."""
        try:
            told = self._get("index/stats", query=self._selector, start=str(span.start), end=str(span.end))
        except RejectedError as error:
            if error.status in {404, 405, 501}:
                return Measured()
            raise
        lines, size = told.get("entries"), told.get("bytes")
        return Measured(lines=lines if isinstance(lines, int) else None, bytes=size if isinstance(size, int) else None)

    def lines(self, span: Span, pick: Pick, hint: int) -> Iterator[Batch]:
        """Read page after page; entries of a page's last instant come again with the next, and are left out there."""
        filtered = {"all": "", "trouble": f" |~ `(?i){TROUBLE}`", "rest": f" !~ `(?i){TROUBLE}`"}[pick]
        start, seen = span.start, set[tuple[str, str]]()
        while start < span.end:
            streams, page = self._entries(f"{self._selector}{filtered}", Span(start, span.end), max(hint, FEWEST))
            count = sum(len(entries) for _, entries in streams)
            fresh = False
            last = max((entries[-1][0] for _, entries in streams), default=start)
            edge = set(seen) if last == start else set()
            for labels, entries in streams:
                named = json.dumps(labels, sort_keys=True)
                kept = (
                    [each for each in entries if each[0] > start or (named, each[1]) not in seen] if seen else entries
                )
                edge.update((named, text) for at, text in entries if at == last)
                if kept:
                    fresh = True
                    yield Batch(labels, kept)
            if count < page:
                return
            if not fresh:
                self.crowded += 1
                last += 1
                edge = set()
            start, seen = last, edge

    def _entries(self, query: str, span: Span, hint: int) -> tuple[list[tuple[Mapping[str, str], list[Entry]]], int]:
        """Give a page of entries, and how many it could hold."""
        page = min(self._page, hint)
        bounds = {"start": str(span.start), "end": str(span.end), "limit": str(page), "direction": "forward"}
        try:
            told = self._get("query_range", query=query, **bounds)
        except RejectedError as error:
            found = _FEWER.search(error.body)
            if found is None or not 0 < int(found[2]) < page:
                raise
            self._page = int(found[2])
            return self._entries(query, span, hint)
        result = told.get("data")
        streams = result.get("result") if isinstance(result, dict) else None
        if not isinstance(streams, list):
            raise BrokenError("its answer holds no streams")
        return [stream for each in streams if (stream := _stream(each)) is not None], page

    def patterns(self, span: Span) -> int | None:
        """Count the patterns that Loki itself saw; None where it keeps none."""
        step = f"{max(10, (span.end - span.start) // NS // 100)}s"
        try:
            told = self._get("patterns", query=self._selector, start=str(span.start), end=str(span.end), step=step)
        except WireError:
            return None
        found = told.get("data")
        return len(found) if isinstance(found, list) else None

    def _get(self, what: str, **params: str) -> Mapping[str, Any]:
        answer = self._session.get(f"{self._url}/{what}", params=params)
        _checked(answer)
        told = json_of(answer)
        if not isinstance(told, dict):
            raise BrokenError("the answer is no JSON object")
        return told


def selector(given: str | None, label: str, namespaces: Sequence[str], pods: str = "") -> str:
    """Give a stream selector: the configured matchers, the namespaces, and a matcher of pods."""
    inside = (given or "").strip().removeprefix("{").removesuffix("}").strip().strip(",")
    matchers = [inside] if inside else []
    if namespaces:
        matchers.append(f'{label}=~"{quoted(namespaces)}"')
    matchers += [pods] if pods else []
    return "{" + (", ".join(matchers) or f'{label}=~".+"') + "}"


def _stream(told: Any) -> tuple[Mapping[str, str], list[Entry]] | None:  # noqa: ANN401 - decoded JSON
    labels, values = (told.get("stream"), told.get("values")) if isinstance(told, dict) else (None, None)
    if not isinstance(labels, dict) or not isinstance(values, list):
        return None
    try:
        entries = [(int(each[0]), each[1]) for each in values]
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise BrokenError("its entries are not pairs of a time and a line") from error
    if not entries or not all(isinstance(text, str) for _, text in entries):
        return None
    named = {str(name): str(value) for name, value in storable(labels).items()}
    return named, sorted(entries) if entries[0][0] > entries[-1][0] else entries


def _note_patterns(reading: StoreReading, store: _Loki, span: Span) -> None:
    found = store.patterns(span)
    if found:
        reading.sink.add_detail(reading.source, f"Loki itself counts {found} patterns")


def _checked(answer: requests.Response) -> None:
    if not answer.ok:
        status = answer.status_code
        raise RejectedError(f"it refuses the question (HTTP {status})", status=status, body=answer.content[:2000])
