"""Loki, VictoriaLogs and Elasticsearch as far as a reader sees them: their wire formats, selections, pages and limits.

Each is a reply for ``FaultServer``: called with a request's first line and body, it gives a whole HTTP answer.
"""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from fault_server import answer

from bot.stores.times import nanoseconds

NS = 1_000_000_000


@dataclass(frozen=True)
class Line:
    """A line in a store."""

    at: int
    text: str
    namespace: str = "shop"
    pod: str = "api-0"
    container: str = "api"


def split(request):
    """Give a request's path, its query and its body."""
    first, _, body = request.partition("\n")
    target = urlsplit(first.split(" ")[1])
    return target.path, {name: values[0] for name, values in parse_qs(target.query).items()}, body


def rfc3339(at):
    """Spell nanoseconds."""
    return f"{datetime.fromtimestamp(at // NS, UTC):%Y-%m-%dT%H:%M:%S}.{at % NS:09}Z"


def refused(status, words):
    """Give a refusal as text."""
    return answer(words, status=f"{status} Refused", kind="text/plain")


@dataclass
class PlayedLoki:
    """``page`` is the tenant's entries limit, ``longest_s`` the longest query it allows; without ``index`` it cannot count."""

    lines: list
    page: int = 5000
    longest_s: float = float("inf")
    index: bool = True
    asked: list = field(default_factory=list)

    def __call__(self, request):
        """Answer one request."""
        path, asked, _ = split(request)
        self.asked.append((path, asked))
        start, end = int(asked["start"]), int(asked["end"])
        if path.endswith("/index/stats"):
            return self._stats(asked, start, end)
        if path.endswith("/patterns"):
            return answer(json.dumps({"status": "success", "data": [{"pattern": "<_> ok", "samples": []}]}))
        limit = int(asked.get("limit", "100"))
        if limit > self.page:
            return refused(
                400,
                f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {self.page})",
            )
        if end - start > self.longest_s * NS:
            return refused(400, "the query time range exceeds the limit (query length: 24h, limit: 1h)")
        assert asked["direction"] == "forward"
        found = sorted(self._matching(asked["query"], start, end), key=lambda line: line.at)[:limit]
        streams = defaultdict(list)
        for line in found:
            streams[line.namespace, line.pod, line.container].append([str(line.at), line.text])
        result = [
            {"stream": dict(zip(("namespace", "pod", "container"), names, strict=True)), "values": values}
            for names, values in streams.items()
        ]
        return answer(
            json.dumps({"status": "success", "data": {"resultType": "streams", "result": result, "stats": {}}})
        )

    def _stats(self, asked, start, end):
        if not self.index:
            return refused(404, "404 page not found")
        found = list(self._matching(asked["query"], start, end))
        size = sum(len(line.text) for line in found)
        return answer(json.dumps({"streams": 1, "chunks": 1, "entries": len(found), "bytes": size}))

    def _matching(self, query, start, end):
        selected = re.match(r'\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}', query)[0]
        filtered = query.removeprefix(selected)
        namespace = re.search(r'namespace=~"([^"]*)"', selected)
        pod = re.search(r'pod=~"([^"]*)"', selected)
        words = re.search(r"(\|~|!~) `([^`]*)`", filtered)
        for line in self.lines:
            if not start <= line.at < end or (namespace and not re.fullmatch(namespace[1], line.namespace)):
                continue
            if pod and not re.fullmatch(pod[1], line.pod):
                continue
            if words is None or bool(re.search(words[2], line.text)) == (words[1] == "|~"):
                yield line


@dataclass
class PlayedVictoriaLogs:
    """Answers LogsQL as far as it is asked here, in no order; ``broken`` cuts an answer within its last line."""

    lines: list
    broken: bool = False
    asked: list = field(default_factory=list)

    def __call__(self, request):
        """Answer one request."""
        path, _, body = split(request)
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        self.asked.append((path, asked))
        found = list(self._matching(asked["query"], asked["start"], asked["end"]))
        if path.endswith("/field_names"):
            names = ("_time", "_msg", "kubernetes.pod_namespace", "kubernetes.pod_name", "kubernetes.container_name")
            return answer(json.dumps({"values": [{"value": name, "hits": len(found)} for name in names]}))
        if "| stats" in asked["query"]:
            size = sum(len(line.text) for line in found)
            return answer(
                json.dumps({"lines": str(len(found)), "bytes": str(size)}) + "\n", kind="application/stream+json"
            )
        rows = [
            {
                "_time": rfc3339(line.at),
                "_msg": line.text,
                "_stream": f'{{pod="{line.pod}"}}',
                "kubernetes.pod_namespace": line.namespace,
                "kubernetes.pod_name": line.pod,
                "kubernetes.container_name": line.container,
            }
            for line in reversed(found)
        ]
        told = "".join(json.dumps(row) + "\n" for row in rows)
        return answer(told[:-20] if self.broken else told, kind="application/stream+json")

    def _matching(self, query, start, end):
        namespace = re.search(r'"kubernetes\.pod_namespace":~"\^\(([^"]*)\)\$"', query)
        pod = re.search(r'"kubernetes\.pod_name":~"\^\(([^"]*)\)\$"', query)
        words = re.search(r'(!?)_msg:~"((?:[^"\\]|\\.)*)"', query)
        first, last = nanoseconds(start), nanoseconds(end)
        for line in self.lines:
            if not first <= line.at <= last or (namespace and not re.fullmatch(namespace[1], line.namespace)):
                continue
            if pod and not re.fullmatch(pod[1], line.pod):
                continue
            if words is None or bool(re.search(words[2], line.text)) == (not words[1]):
                yield line


@dataclass
class PlayedElasticsearch:
    """Speaks of points in time as Elasticsearch does, or as OpenSearch; ``failed`` shards are missing in each answer."""

    lines: list
    open_search: bool = False
    failed: int = 0
    nested: bool = True
    asked: list = field(default_factory=list)

    def __call__(self, request):
        """Answer one request."""
        path, _, body = split(request)
        told = json.loads(body) if body else {}
        self.asked.append((path, told))
        if path.endswith("/_field_caps"):
            types = {"@timestamp": "date", "message": "text", "kubernetes.namespace": "keyword", "kubernetes.pod.name": "keyword", "kubernetes.container.name": "keyword"}  # fmt: skip
            return answer(json.dumps({"fields": {name: {kind: {"type": kind}} for name, kind in types.items()}}))
        if path.endswith("/_count"):
            return answer(json.dumps({"count": len(list(self._matching(told["query"])))}))
        if path.endswith("/_search/point_in_time" if self.open_search else "/_pit"):
            return answer(json.dumps({"pit_id" if self.open_search else "id": "point-1", "succeeded": True}))
        if path.endswith("/_pit"):
            return refused(405, '{"error":"Incorrect HTTP method for uri"}')
        return self._search(told)

    def _search(self, told):
        assert "point-1" == told["pit"]["id"]
        found = sorted(enumerate(self._matching(told["query"])), key=lambda each: (each[1].at // 1_000_000, each[0]))
        after = told.get("search_after")
        rows = [(line, [line.at // 1_000_000, f"{n:012}"]) for n, line in found]
        rows = [row for row in rows if after is None or row[1] > after][: told["size"]]
        hits = [{"_id": sort[1], "_source": self._source(line), "sort": sort} for line, sort in rows]
        shards = {"total": 5, "successful": 5 - self.failed, "failed": self.failed}
        return answer(json.dumps({"pit_id": "point-1", "timed_out": False, "_shards": shards, "hits": {"hits": hits}}))

    def _source(self, line):
        if not self.nested:
            return {"@timestamp": rfc3339(line.at), "message": line.text, "kubernetes.namespace": line.namespace,
                    "kubernetes.pod.name": line.pod, "kubernetes.container.name": line.container}  # fmt: skip
        kubernetes = {"namespace": line.namespace, "pod": {"name": line.pod}, "container": {"name": line.container}}
        return {"@timestamp": rfc3339(line.at), "message": line.text, "kubernetes": kubernetes}

    def _matching(self, query):
        filters, without = query["bool"]["filter"], query["bool"].get("must_not", [])
        bounds = filters[0]["range"]["@timestamp"]
        for line in self.lines:
            if not bounds["gte"] <= line.at // 1_000_000 < bounds["lt"]:
                continue
            if all(self._holds(each, line) for each in filters[1:]) and not any(self._holds(e, line) for e in without):
                yield line

    def _holds(self, clause, line):
        if "terms" in clause:
            return line.namespace in clause["terms"].get("kubernetes.namespace", ())
        if "regexp" in clause:
            return bool(re.fullmatch(clause["regexp"]["kubernetes.pod.name"]["value"], line.pod))
        if "bool" in clause:
            return any(self._holds(each, line) for each in clause["bool"]["should"])
        words = [word.strip('"*') for word in clause["query_string"]["query"].split(" OR ")]
        return any(re.search(rf"(?i)\b{re.escape(word)}", line.text) for word in words)
