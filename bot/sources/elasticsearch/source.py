"""Elasticsearch and OpenSearch as a source: a point in time is opened, and pages follow each other by ``search_after``.

Which fields hold the time, the message and the origin of a line is found out by asking for those that shippers use;
``fields`` names them where they are others.

Beyond what may be read it counts: ``categorize_text`` by kind, ``composite`` by container where that is not known (OpenSearch).

Sources: elastic.co, "Paginate search results", "Point in time API", "Field capabilities API", "Categorize text aggregation",
"Composite aggregation", "Top hits aggregation"; opensearch.org, "Point in Time".
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.scope import Scope
from bot.stores.address import StoreAddress
from bot.stores.lines import NAMES, TROUBLE, Batch
from bot.stores.rows import RowReader, known_fields
from bot.stores.source import LogStoreSource
from bot.stores.span import Span
from bot.stores.store import MOST_KINDS, MOST_ORIGINS, KindCount, LogStore, Measured, Pick, Told, by_kind
from bot.wire import BrokenError, RejectedError, WireError, WireSession, json_of

PAGE = 5000
"""Half of ``index.max_result_window``: a page of long lines stays small enough to decode at once."""
FEWEST = 100
"""Lines of the smallest page that is asked for."""
KEEP = "2m"
COMPOSED = 1000
"""Buckets of a page of a composite aggregation."""
MOST_COMPOSED = 30
"""Pages of one."""
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


class ElasticsearchSource(LogStoreSource):
    """The lines of the scope's namespaces in its window."""

    name = "elasticsearch"
    title = "Elasticsearch"

    def store(self, session: WireSession, address: StoreAddress, scope: Scope) -> LogStore:
        """Ask through its HTTP API."""
        return _Elasticsearch(session, address, scope)


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
        self._opening = threading.Lock()
        self._fields = dict(address.fields)
        self._exact: dict[str, str] = {}
        """By kind, the field that holds the same unanalysed"""
        self._reader: RowReader
        self.told = Told()

    def measure(self, span: Span, pick: Pick) -> Measured:
        """Find the fields, then count lines."""
        if pick == "all":
            self._find_fields()
        told = self._call("POST", f"{self._index}/_count?ignore_unavailable=true", {"query": self._query(span, pick)})
        count = told.get("count")
        if not isinstance(count, int):
            raise BrokenError("its count is no number")
        return Measured(lines=count)

    def kinds(self, span: Span, step_s: int) -> Iterator[KindCount]:
        """Count by the store's own categories, container by container; by container alone where it knows none."""
        by = [kind for kind in ("namespace", "container") if kind in self._exact]
        origins = self._origins(by, span) if by else [{}]

        def ask(labels: Mapping[str, str]) -> Iterator[KindCount]:
            found = self._buckets(self._categorised(labels, span, step_s), "kinds")
            self.told.note_kinds(len(found))
            return (self._kind(labels, bucket) for bucket in found)

        return by_kind(origins, ask, lambda: self._by_origin(by, span, step_s), self.told, "knows no categorize_text")

    def _categorised(self, labels: Mapping[str, str], span: Span, step_s: int) -> Mapping[str, Any]:
        query = self._query(span, "all")
        query["bool"]["filter"] += [{"term": {self._exact[kind]: told}} for kind, told in labels.items()]
        time = self._fields["time"]
        first = {"top_hits": {"size": 1, "sort": [{time: {"order": "asc"}}], "_source": self._wanted()}}
        steps = {"date_histogram": {"field": time, "fixed_interval": f"{step_s}s", "min_doc_count": 1}}
        categories = {
            "categorize_text": {"field": self._fields["message"], "size": MOST_KINDS},
            "aggs": {"first": first, "steps": steps},
        }
        return self._aggregated(query, {"kinds": categories})

    def _kind(self, labels: Mapping[str, str], bucket: Mapping[str, Any]) -> KindCount:
        told = bucket.get("first")
        first = next(self._reader.batches(_sources(self._hits(told))), None) if isinstance(told, dict) else None
        counts = [
            (_count(step.get("key")) // 1000, _count(step.get("doc_count"))) for step in _listed(bucket.get("steps"))
        ]
        lines = _count(bucket.get("doc_count"))
        return KindCount(labels=labels, pattern=str(bucket.get("key") or ""), lines=lines, counts=counts, first=first)

    def _origins(self, by: Sequence[str], span: Span) -> list[dict[str, str]]:
        """Give the loudest containers: composite buckets come by name, so all are looked at."""
        found = [
            ({kind: str(bucket["key"][kind]) for kind in by}, _count(bucket.get("doc_count")))
            for bucket in self._composed(by, span, {})
        ]
        ranked = sorted(found, key=lambda each: (-each[1], sorted(each[0].items())))
        return [labels for labels, _ in ranked[:MOST_ORIGINS]]

    def _by_origin(self, by: Sequence[str], span: Span, step_s: int) -> Iterator[KindCount]:
        at = {"date_histogram": {"field": self._fields["time"], "fixed_interval": f"{step_s}s"}}
        counts: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        for bucket in self._composed(by, span, {"at": at}):
            key = bucket["key"]
            steps = counts.setdefault(tuple(str(key[kind]) for kind in by), [])
            steps.append((_count(key.get("at")) // 1000, _count(bucket.get("doc_count"))))
        for origin, steps in counts.items():
            lines = sum(lines for _, lines in steps)
            yield KindCount(labels=dict(zip(by, origin, strict=True)), pattern="", lines=lines, counts=steps)

    def _composed(
        self, by: Sequence[str], span: Span, more: Mapping[str, Mapping[str, Any]]
    ) -> Iterator[Mapping[str, Any]]:
        """Give the buckets of a composite aggregation, page after page."""
        sources = [{kind: {"terms": {"field": self._exact[kind]}}} for kind in by] + [
            {name: told} for name, told in more.items()
        ]
        after: Mapping[str, Any] | None = None
        for _ in range(MOST_COMPOSED):
            composite: dict[str, Any] = {"size": COMPOSED, "sources": sources} | ({"after": after} if after else {})
            told = self._aggregated(self._query(span, "all"), {"found": {"composite": composite}})
            found = self._buckets(told, "found")
            yield from (each for each in found if isinstance(each.get("key"), dict))
            after = told["aggregations"]["found"].get("after_key")
            if not after or not found:
                return
        self.told.note("not all containers were counted in the store, for there are very many")

    def _aggregated(self, query: Mapping[str, Any], aggregations: Mapping[str, Any]) -> Mapping[str, Any]:
        body = {"size": 0, "track_total_hits": False, "query": query, "aggs": aggregations}
        return self._call("POST", f"{self._index}/_search?ignore_unavailable=true", body)

    @staticmethod
    def _buckets(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
        outer = told.get("aggregations")
        if not isinstance(outer, dict) or not isinstance(outer.get(name), dict):
            raise BrokenError("its answer holds no counts")
        return _listed(outer[name])

    def _wanted(self) -> list[str]:
        return [*{*self._fields.values(), *(name for names in NAMES.values() for name in names)}]

    def lines(self, span: Span, pick: Pick, hint: int) -> Iterator[Batch]:
        """Read page after page of one point in time."""
        with self._opening:
            if self._point is None:
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
                "_source": self._wanted(),
            }
            told = self._call("POST", "_search", body if after is None else body | {"search_after": after})
            hits = self._hits(told)
            yield from self._reader.batches(_sources(hits))
            if len(hits) < page:
                return
            last = hits[-1].get("sort")
            if not isinstance(last, list) or last == after:
                raise BrokenError("its pages do not go on")
            after = last

    def oldest(self, span: Span) -> int | None:
        """Ask for the least time of what is configured; an index knows it by heart."""
        query = {"bool": {"filter": [self._between(span), *self._selected()]}}
        told = self._aggregated(query, {"oldest": {"min": {"field": self._fields["time"]}}}).get("aggregations")
        found = told.get("oldest") if isinstance(told, dict) else None
        if not isinstance(found, dict):
            raise BrokenError("its answer holds no least time")
        at = found.get("value")
        return int(at) * 1_000_000 if isinstance(at, int | float) else None

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
        more = {"time": _TIMES, "message": _MESSAGES, "level": _LEVELS}
        asked = ",".join(name for names in {**NAMES, **more}.values() for name in names)
        told = self._call("GET", f"{self._index}/_field_caps?ignore_unavailable=true&fields={asked}")
        known = told.get("fields")
        if not isinstance(known, dict):
            raise BrokenError("it does not say which fields there are")
        self._fields = known_fields(self._fields, known, more)
        self._exact = {
            kind: f"{name}.keyword" if isinstance(known.get(name), dict) and "text" in known[name] else name
            for kind, name in self._fields.items()
        }
        if self._scope.pods and "pod" not in self._exact:
            raise RejectedError(f"the index {self._index} has no field that is known for a pod: name it under `fields`")
        if "time" not in self._fields or "message" not in self._fields:
            raise RejectedError(
                f"the index {self._index} has no field that is known for a time and a message: name them under `fields`"
            )
        self._reader = RowReader(self._fields, self.told.lost)

    def _query(self, span: Span, pick: Pick) -> dict[str, Any]:
        must = [self._between(span)]
        if self._scope.namespaces and "namespace" in self._exact:
            must.append({"terms": {self._exact["namespace"]: list(self._scope.namespaces)}})
        if self._scope.pods:
            must.append({"regexp": {self._exact["pod"]: {"value": self._scope.pods}}})
        must += self._selected()
        trouble = [{"query_string": {"query": _words(), "fields": [self._fields["message"]]}}]
        if "level" in self._fields:
            trouble.append({"terms": {self._fields["level"]: _BAD}})
        either = {"bool": {"should": trouble, "minimum_should_match": 1}}
        if pick == "trouble":
            must.append(either)
        return {"bool": {"filter": must, **({"must_not": [either]} if pick == "rest" else {})}}

    def _between(self, span: Span) -> dict[str, Any]:
        bounds = {"gte": span.start // 1_000_000, "lt": span.end // 1_000_000, "format": "epoch_millis"}
        return {"range": {self._fields["time"]: bounds}}

    def _selected(self) -> list[dict[str, Any]]:
        return [{"query_string": {"query": self._selector}}] if self._selector else []

    def _sort(self) -> list[dict[str, Any]]:
        """Order by time, and by what tells lines of one instant apart: Elasticsearch adds that by itself."""
        by_time = {self._fields["time"]: {"order": "asc"}}
        return [by_time, {"_id": {"order": "asc"}}] if self._open_search else [by_time]

    def _open(self) -> None:
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
            self.told.lose("parts of an answer that are missing, for shards failed", int(shards["failed"]))
        if told.get("timed_out"):
            self.told.lose("answers that the store cut short by its own time limit")
        outer = told.get("hits")
        hits = outer.get("hits") if isinstance(outer, dict) else None
        if not isinstance(hits, list):
            raise BrokenError("its answer holds no hits")
        return [hit for hit in hits if isinstance(hit, dict)]

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


def _sources(hits: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (told if isinstance(told := hit.get("_source"), dict) else {} for hit in hits)


def _listed(told: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - decoded JSON
    buckets = told.get("buckets") if isinstance(told, dict) else None
    return [each for each in buckets if isinstance(each, dict)] if isinstance(buckets, list) else []


def _count(told: Any) -> int:  # noqa: ANN401 - decoded JSON
    if not isinstance(told, int):
        raise BrokenError("its count is no number")
    return told
