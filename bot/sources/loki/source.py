"""Loki as a source: its index counts, its query language selects, and pages of entries come oldest first.

Limits are Loki's own and differ by tenant: a page has at most 5,000 entries unless it says fewer, a query may not span more
than it allows; both are found out by being told, and kept. Patterns and volumes are kept by some Lokis only.

Sources: grafana.com/docs/loki, "HTTP API": ``query_range``, ``query``, ``index/stats``, ``index/volume`` and ``patterns``;
"Log queries" for the pattern match filter ``|>``.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import requests

from bot.domain.scope import Scope
from bot.domain.storable import storable
from bot.stores.address import StoreAddress
from bot.stores.lines import TROUBLE, Batch, Entry, quoted
from bot.stores.source import LogStoreSource
from bot.stores.span import NS, Span
from bot.stores.store import MOST_KINDS, MOST_ORIGINS, KindCount, LogStore, Measured, Pick, Told, by_kind
from bot.wire import BrokenError, RejectedError, WireSession, json_of

PAGE = 5000
"""``max_entries_limit_per_query`` as Loki is born with it."""
FEWEST = 100
"""Entries of the smallest page that is asked for."""
AT_ONCE = 4
CROWDED = "more entries of one instant than a page holds; the rest of them was left out"
_FEWER = re.compile(rb"max.entries.limit[^(]*\((\d+) > (\d+)\)")
_FILTERS: Mapping[Pick, str] = {
    "all": "",
    "trouble": f" |~ `(?i){TROUBLE}`",
    "rest": f" !~ `(?i){TROUBLE}`",
}


class LokiSource(LogStoreSource):
    """The streams of the scope's namespaces in its window."""

    name = "loki"
    title = "Loki"

    def store(self, session: WireSession, address: StoreAddress, scope: Scope) -> LogStore:
        """Ask through its HTTP API."""
        return _Loki(session, address, scope)


class _Loki:
    """Implements ``LogStore``."""

    def __init__(self, session: WireSession, address: StoreAddress, scope: Scope) -> None:
        self._session = session
        self._url = f"{address.url.rstrip('/')}/loki/api/v1"
        self._page = PAGE
        self._labels = tuple(address.fields.get(kind, kind) for kind in ("namespace", "container"))
        pods = f'{address.fields.get("pod", "pod")}=~"{scope.pods}"' if scope.pods else ""
        self._selector = selector(address.selector, self._labels[0], scope.namespaces, pods)
        self._configured = selector(address.selector, self._labels[0], ())
        self.told = Told()

    def measure(self, span: Span, pick: Pick) -> Measured:
        """Ask the index; older versions have none to ask. What a filter leaves is counted by a metric query."""
        if pick != "all":
            query = f"sum(bytes_over_time({self._selector}{_FILTERS[pick]} [{span.seconds}s]))"
            vector = _result(self._get("query", query=query, time=str(span.end)))
            return Measured(bytes=round(_number(vector[0]["value"][1])) if vector else 0)
        try:
            told = self._get("index/stats", query=self._selector, **_bounds(span))
        except RejectedError as error:
            if error.status in {404, 405, 501}:
                return Measured()
            raise
        lines, size = told.get("entries"), told.get("bytes")
        return Measured(lines=lines if isinstance(lines, int) else None, bytes=size if isinstance(size, int) else None)

    def kinds(self, span: Span, step_s: int) -> Iterator[KindCount]:
        """Count by Loki's own patterns, container by container; by container alone where it keeps none."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="log store") as pool:

            def ask(labels: Mapping[str, str]) -> Iterator[KindCount]:
                same = [f"{name}={json.dumps(told, ensure_ascii=False)}" for name, told in labels.items()]
                narrowed = selector(self._selector, "", (), *same)
                patterns = self._patterns(narrowed, span, step_s)
                since_s = self._since(patterns, span, step_s)
                kinds = pool.map(partial(self._kind, narrowed, labels, step_s), patterns)
                return (replace(kind, since_s=since_s) for kind in kinds)

            yield from by_kind(
                self._origins(span),
                ask,
                lambda: self._by_origin(span, step_s),
                self.told,
                "serves no patterns (pattern_ingester)",
            )

    def _origins(self, span: Span) -> list[dict[str, str]]:
        """Give the loudest containers; one that has any labels where volumes are not served (volume_enabled)."""
        wanted = {"limit": str(MOST_ORIGINS), "targetLabels": ",".join(self._labels)}
        try:
            told = self._get("index/volume", query=self._selector, **_bounds(span), **wanted)
        except RejectedError:
            return [{}]
        return [labels for each in _result(told) if (labels := _strings(each.get("metric")))]

    def _patterns(self, narrowed: str, span: Span, step_s: int) -> list[tuple[str, list[tuple[int, int]]]]:
        found = self._get("patterns", query=narrowed, **_bounds(span), step=f"{step_s}s").get("data")
        if not isinstance(found, list):
            raise BrokenError("its answer holds no patterns")
        read = [_pattern(each) for each in found]
        ranked = sorted(read, key=lambda each: (-sum(lines for _, lines in each[1]), each[0]))
        self.told.note_kinds(len(ranked))
        return ranked[:MOST_KINDS]

    def _since(self, patterns: Sequence[tuple[str, list[tuple[int, int]]]], span: Span, step_s: int) -> int | None:
        """Tell since when there are patterns: an ingester keeps them for hours, so that silence before is none."""
        earliest = min((at for _, counts in patterns for at, _ in counts), default=None)
        if earliest is None or earliest * NS <= span.start + 2 * step_s * NS:
            return None
        self.told.note(
            "containers of which Loki's patterns begin within the window: earlier lines were not counted by kind"
        )
        return earliest

    def _kind(
        self, narrowed: str, labels: Mapping[str, str], step_s: int, told: tuple[str, list[tuple[int, int]]]
    ) -> KindCount:
        """Count a pattern, and look for its first line in the first step that has any."""
        pattern, counts = told
        first = None
        if counts:
            begin = min(at for at, _ in counts) * NS
            query = f"{narrowed} |> {json.dumps(pattern, ensure_ascii=False)}"
            streams, _ = self._entries(query, Span(begin, begin + step_s * NS), 1)
            first = next((Batch(labels, entries[:1]) for labels, entries in streams), None)
        lines = sum(lines for _, lines in counts)
        return KindCount(labels=labels, pattern=pattern, lines=lines, counts=counts, first=first)

    def _by_origin(self, span: Span, step_s: int) -> Iterator[KindCount]:
        """Count lines by container and step with a metric query, which every Loki has."""
        query = f"sum by ({', '.join(self._labels)}) (count_over_time({self._selector} [{step_s}s]))"
        told = self._get("query_range", query=query, **_bounds(span), step=f"{step_s}s")
        for each in _result(told):
            # a sample counts what lies behind it
            counts = [(int(_number(at)) - step_s, round(_number(lines))) for at, lines in each.get("values", ())]
            labels = _strings(each.get("metric"))
            yield KindCount(labels=labels, pattern="", lines=sum(lines for _, lines in counts), counts=counts)

    def lines(self, span: Span, pick: Pick, hint: int) -> Iterator[Batch]:
        """Read page after page; entries of a page's last instant come again with the next, and are left out there."""
        query = f"{self._selector}{_FILTERS[pick]}"
        start, seen = span.start, set[tuple[str, str]]()
        while start < span.end:
            streams, page = self._entries(query, Span(start, span.end), max(hint, FEWEST))
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
                self.told.lose(CROWDED)
                last += 1
                edge = set()
            start, seen = last, edge

    def _entries(self, query: str, span: Span, hint: int) -> tuple[list[tuple[Mapping[str, str], list[Entry]]], int]:
        """Give a page of entries, and how many it could hold."""
        page = min(self._page, hint)
        try:
            told = self._get("query_range", query=query, **_bounds(span), limit=str(page), direction="forward")
        except RejectedError as error:
            found = _FEWER.search(error.body)
            if found is None or not 0 < int(found[2]) < page:
                raise
            self._page = int(found[2])
            return self._entries(query, span, hint)
        return [stream for each in _result(told) if (stream := _stream(each)) is not None], page

    def oldest(self, span: Span) -> int | None:
        """Ask for one entry, the first, of the configured streams."""
        streams, _ = self._entries(self._configured, span, 1)
        return min((at for _, entries in streams for at, _ in entries), default=None)

    def close(self) -> None:
        """Loki holds nothing."""

    def _get(self, what: str, **params: str) -> Mapping[str, Any]:
        answer = self._session.get(f"{self._url}/{what}", params=params)
        _checked(answer)
        told = json_of(answer)
        if not isinstance(told, dict):
            raise BrokenError("the answer is no JSON object")
        return told


def selector(given: str | None, label: str, namespaces: Sequence[str], *more: str) -> str:
    """Give a stream selector: the configured matchers, the namespaces, and further matchers."""
    inside = (given or "").strip().removeprefix("{").removesuffix("}").strip().strip(",")
    matchers = [inside] if inside else []
    if namespaces:
        matchers.append(f'{label}=~"{quoted(namespaces)}"')
    matchers += [each for each in more if each]
    return "{" + (", ".join(matchers) or f'{label}=~".+"') + "}"


def _bounds(span: Span) -> dict[str, str]:
    return {"start": str(span.start), "end": str(span.end)}


def _result(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    outer = told.get("data")
    result = outer.get("result") if isinstance(outer, dict) else None
    if not isinstance(result, list) or not all(isinstance(each, dict) for each in result):
        raise BrokenError("its answer holds no streams")
    return result


def _number(told: Any) -> float:  # noqa: ANN401 - decoded JSON
    try:
        return float(told)
    except (TypeError, ValueError) as error:
        raise BrokenError("its count is no number") from error


def _strings(told: Any) -> dict[str, str]:  # noqa: ANN401 - decoded JSON
    return {str(name): str(value) for name, value in storable(told).items()} if isinstance(told, dict) else {}


def _pattern(told: Any) -> tuple[str, list[tuple[int, int]]]:  # noqa: ANN401 - decoded JSON
    try:
        return str(told["pattern"]), [(int(at), int(lines)) for at, lines in told["samples"]]
    except (TypeError, ValueError, KeyError) as error:
        raise BrokenError("its patterns are not words with counts") from error


def _stream(told: Mapping[str, Any]) -> tuple[Mapping[str, str], list[Entry]] | None:
    labels, values = told.get("stream"), told.get("values")
    if not isinstance(labels, dict) or not isinstance(values, list):
        return None
    try:
        entries = [(int(each[0]), each[1]) for each in values]
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise BrokenError("its entries are not pairs of a time and a line") from error
    if not entries or not all(isinstance(text, str) for _, text in entries):
        return None
    return _strings(labels), sorted(entries) if entries[0][0] > entries[-1][0] else entries


def _checked(answer: requests.Response) -> None:
    if not answer.ok:
        status = answer.status_code
        raise RejectedError(f"it refuses the question (HTTP {status})", status=status, body=answer.content[:2000])
