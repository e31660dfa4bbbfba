"""Elasticsearch and OpenSearch as a source: a point in time is opened, and pages follow each other by ``search_after``.

Which fields hold the time, the message and the origin of a line is found out by asking for those that shippers use;
``fields`` names them where they are others.

Sources: elastic.co, "Paginate search results", "Point in time API", "Field capabilities API"; opensearch.org, "Point in Time".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.finding import Finding
from bot.domain.ports import Progress, Sink
from bot.domain.scope import Scope
from bot.domain.storable import storable
from bot.stores.address import StoreAddress
from bot.stores.lines import NAMES, TROUBLE, Batch, Entry
from bot.stores.reading import Measured, Pick, Span, StoreReading, window_span
from bot.stores.times import nanoseconds
from bot.wire import BrokenError, Deadline, Limits, RejectedError, WireError, WireSession, json_of

PAGE = 5000
"""Half of ``index.max_result_window``: a page of long lines stays small enough to decode at once."""
FEWEST = 100
"""Lines of the smallest page that is asked for."""
KEEP = "2m"
EXAMINE_S = 8.0
INDICES = "logs-*,logstash-*,filebeat-*,fluent-bit*,fluentd*,k8s-*,kubernetes-*"
"""Where shippers write when nobody tells them otherwise."""
_TIMES = ("@timestamp", "timestamp", "time", "ts", "_time")
_MESSAGES = ("message", "log", "msg", "body", "body.text", "event.original", "log_processed.message")
_LEVELS = ("log.level", "level", "severity", "severity_text")
_BAD = [
    "error",
    "ERROR",
    "Error",
    "warn",
    "WARN",
    "warning",
    "WARNING",
    "fatal",
    "FATAL",
    "critical",
    "CRITICAL",
    "panic",
]


class ElasticsearchSource:
    """The lines of the scope's namespaces in its window."""

    name = "elasticsearch"

    def __init__(self, address: StoreAddress, scope: Scope) -> None:
        self._address = address
        self._scope = scope
        self.deadline_s = address.deadline_s

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Read the lines that matter into the sink."""
        progress("discover", 0, None)
        with Deadline(self.deadline_s) as deadline, _session(deadline, self._address) as session:
            reading = StoreReading(source=self.name, path=self.name, sink=sink, progress=progress)
            store = _Elasticsearch(session, self._address, self._scope)
            reading.read(store, self._scope.window, self._address.most_bytes)
            store.close()
            for what, count in sorted(store.odd.items()):
                reading.lost(what, count)

    def examine(self) -> Sequence[Finding]:
        """Say whether it answers, and which fields it has for lines."""
        with Deadline(EXAMINE_S) as deadline, _session(deadline, self._address) as session:
            store = _Elasticsearch(session, self._address, self._scope)
            try:
                measured = store.measure(window_span(self._scope.window))
            except WireError as error:
                fix = "Look at url, index, fields and credentials under `logs` in rootcause.yaml."
                return [Finding(name=self.name, state="wrong", what=f"Elasticsearch cannot be read: {error}", fix=fix)]
        what = f"{measured.lines or 0:,} lines in the window, in the fields {store.fields['time']} and {store.fields['message']}"
        return [Finding(name=self.name, state="ok", what=what)]


def _session(deadline: Deadline, address: StoreAddress) -> WireSession:
    return WireSession(deadline, login=address.login, limits=Limits(total_bytes=8 * 1024**3))


class _Elasticsearch:
    """Implements ``LogStore``."""

    def __init__(self, session: WireSession, address: StoreAddress, scope: Scope) -> None:
        self._session = session
        self._url = address.url.rstrip("/")
        self._index = address.index or INDICES
        self._selector = address.selector
        self._scope = scope
        self._point: str | None = None
        self._open_search = False
        self._exact: dict[str, str] = {}
        self.fields = dict(address.fields)
        self.odd: dict[str, int] = {}

    def measure(self, span: Span) -> Measured:
        """Find the fields, then count lines."""
        self._find_fields()
        told = self._call("POST", f"{self._index}/_count?ignore_unavailable=true", {"query": self._query(span, "all")})
        count = told.get("count")
        if not isinstance(count, int):
            raise BrokenError("its count is no number")
        return Measured(lines=count)

    def lines(self, span: Span, pick: Pick, hint: int) -> Iterator[Batch]:
        """Read page after page of one point in time."""
        self._open()
        after: list[Any] | None = None
        page = min(PAGE, max(hint, FEWEST))
        while True:
            body: dict[str, Any] = {
                "size": page,
                "query": self._query(span, pick),
                "pit": {"id": self._point, "keep_alive": KEEP},
                "sort": self._sort(),
                "track_total_hits": False,
                "_source": [*{*self.fields.values(), *(name for names in NAMES.values() for name in names)}],
            }
            told = self._call("POST", "_search", body if after is None else body | {"search_after": after})
            hits = self._hits(told)
            yield from self._batches(hits)
            if len(hits) < page:
                return
            last = hits[-1].get("sort")
            if not isinstance(last, list) or last == after:
                raise BrokenError("its pages do not go on")
            after = last

    def close(self) -> None:
        """Let go of the point in time; the store does so by itself a little later."""
        if self._point is None:
            return
        try:
            if self._open_search:
                self._call("DELETE", "_search/point_in_time", {"pit_id": [self._point]})
            else:
                self._call("DELETE", "_pit", {"id": self._point})
        except WireError:
            return

    def _find_fields(self) -> None:
        wanted = {"time": _TIMES, "message": _MESSAGES, "level": _LEVELS, **NAMES}
        asked = ",".join(name for names in wanted.values() for name in names)
        told = self._call("GET", f"{self._index}/_field_caps?ignore_unavailable=true&fields={asked}")
        known = told.get("fields")
        if not isinstance(known, dict):
            raise BrokenError("it does not say which fields there are")
        for kind, names in wanted.items():
            found = next((name for name in names if name in known), None)
            if found is not None:
                self.fields.setdefault(kind, found)
        for kind in ("namespace", "pod"):
            if name := self.fields.get(kind):
                types = known.get(name)
                self._exact[kind] = f"{name}.keyword" if isinstance(types, dict) and "text" in types else name
        if self._scope.pods and "pod" not in self._exact:
            raise RejectedError(f"the index {self._index} has no field that is known for a pod: name it under `fields`")
        if "time" not in self.fields or "message" not in self.fields:
            raise RejectedError(
                f"the index {self._index} has no field that is known for a time and a message: name them under `fields`"
            )

    def _query(self, span: Span, pick: Pick) -> dict[str, Any]:
        bounds = {"gte": span.start // 1_000_000, "lt": span.end // 1_000_000, "format": "epoch_millis"}
        must: list[dict[str, Any]] = [{"range": {self.fields["time"]: bounds}}]
        if self._scope.namespaces and "namespace" in self._exact:
            must.append({"terms": {self._exact["namespace"]: list(self._scope.namespaces)}})
        if self._scope.pods:
            must.append({"regexp": {self._exact["pod"]: {"value": self._scope.pods}}})
        if self._selector:
            must.append({"query_string": {"query": self._selector}})
        trouble = [{"query_string": {"query": _words(), "fields": [self.fields["message"]]}}]
        if "level" in self.fields:
            trouble.append({"terms": {self.fields["level"]: _BAD}})
        either = {"bool": {"should": trouble, "minimum_should_match": 1}}
        if pick == "trouble":
            must.append(either)
        return {"bool": {"filter": must, **({"must_not": [either]} if pick == "rest" else {})}}

    def _sort(self) -> list[dict[str, Any]]:
        """Order by time, and by what tells lines of one instant apart: Elasticsearch adds that by itself."""
        by_time = {self.fields["time"]: {"order": "asc"}}
        return [by_time, {"_id": {"order": "asc"}}] if self._open_search else [by_time]

    def _open(self) -> None:
        if self._point is not None:
            return
        query = f"keep_alive={KEEP}&ignore_unavailable=true"
        try:
            told = self._call("POST", f"{self._index}/_pit?{query}")
        except RejectedError as error:
            if error.status not in {400, 404, 405}:
                raise
            told = self._call("POST", f"{self._index}/_search/point_in_time?{query}")
            self._open_search = True
        point = told.get("pit_id" if self._open_search else "id")
        if not isinstance(point, str):
            raise BrokenError("it opens no point in time")
        self._point = point

    def _hits(self, told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        self._point = told["pit_id"] if isinstance(told.get("pit_id"), str) else self._point
        shards = told.get("_shards")
        if isinstance(shards, dict) and shards.get("failed"):
            self._note("parts of an answer that are missing, for shards failed", int(shards["failed"]))
        if told.get("timed_out"):
            self._note("answers that the store cut short by its own time limit")
        outer = told.get("hits")
        hits = outer.get("hits") if isinstance(outer, dict) else None
        if not isinstance(hits, list):
            raise BrokenError("its answer holds no hits")
        return [hit for hit in hits if isinstance(hit, dict)]

    def _batches(self, hits: Sequence[Mapping[str, Any]]) -> Iterator[Batch]:
        waiting: dict[tuple[tuple[str, str], ...], list[Entry]] = {}
        for hit in hits:
            source = hit.get("_source")
            told = source if isinstance(source, dict) else {}
            at, text = nanoseconds(_field(told, self.fields["time"])), _field(told, self.fields["message"])
            if at is None or not isinstance(text, str):
                self._note("lines without a time or a message, left out")
                continue
            key = tuple(
                (kind, str(storable(value)))
                for kind in NAMES
                if kind in self.fields and isinstance(value := _field(told, self.fields[kind]), str)
            )
            waiting.setdefault(key, []).append((at, text))
        for key, entries in waiting.items():
            yield Batch(dict(key), entries)

    def _note(self, what: str, count: int = 1) -> None:
        self.odd[what] = self.odd.get(what, 0) + count

    def _call(self, method: str, what: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        answer = self._session.request(method, f"{self._url}/{what}", json=body)
        if not answer.ok:
            status, reason = answer.status_code, answer.content[:2000]
            raise RejectedError(f"it refuses the question (HTTP {status})", status=status, body=reason)
        told = json_of(answer)
        if not isinstance(told, dict):
            raise BrokenError("the answer is no JSON object")
        return told


def _words() -> str:
    """Give the words of trouble as a query of terms; phrases in quotes, beginnings with a star."""
    words = (word.rstrip("]") for word in TROUBLE.split("|"))
    return " OR ".join(json.dumps(word) if " " in word else f"{word}*" for word in words)


def _field(told: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - decoded JSON
    """Give a field by its name, whether the document nests it or writes the dots."""
    if name in told:
        return told[name]
    head, _, rest = name.partition(".")
    inner = told.get(head)
    return _field(inner, rest) if rest and isinstance(inner, dict) else None
