"""Elasticsearch and OpenSearch as far as a reader of logs sees them; see ``log_stores``."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field

from fault_server import answer
from log_store_lines import between, by_kind, by_step, in_order, refused, rfc3339, split


@dataclass
class PlayedElasticsearch:
    """Speaks of points in time as Elasticsearch does, or as OpenSearch; ``failed`` shards are missing in each answer."""

    lines: list
    open_search: bool = False
    failed: int = 0
    nested: bool = True
    asked: list = field(default_factory=list)

    def __post_init__(self):
        self.lines = in_order(self.lines)

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
        if "aggs" in told:
            return self._aggregated(told)
        return self._search(told)

    def _aggregated(self, told):
        """Answer ``composite`` and ``categorize_text`` as they are asked here."""
        assert 0 == told["size"]
        found = list(self._matching(told["query"]))
        if "oldest" in told["aggs"]:
            value = min(line.at for line in found) / 1e6 if found else None
            return answer(json.dumps({"aggregations": {"oldest": {"value": value}}}))
        if "kinds" not in told["aggs"]:
            return answer(
                json.dumps({"aggregations": {"found": self._composite(found, told["aggs"]["found"]["composite"])}})
            )
        if self.open_search:
            reason = {"type": "parsing_exception", "reason": "Unknown aggregation type [categorize_text]"}
            return refused(400, json.dumps({"error": reason, "status": 400}))
        asked = told["aggs"]["kinds"]
        assert "message" == asked["categorize_text"]["field"]
        step = int(asked["aggs"]["steps"]["date_histogram"]["fixed_interval"].removesuffix("s"))
        buckets = [
            {
                "key": kind.replace("<N>", "").strip(),
                "doc_count": len(lines),
                "first": {
                    "hits": {
                        "hits": [{"_id": "1", "_source": self._source(lines[0]), "sort": [lines[0].at // 1_000_000]}]
                    }
                },
                "steps": {"buckets": [{"key": at * 1000, "doc_count": count} for at, count in by_step(lines, step)]},
            }
            for kind, lines in by_kind(found)[: asked["categorize_text"]["size"]]
        ]
        return answer(json.dumps({"aggregations": {"kinds": {"buckets": buckets}}}))

    @staticmethod
    def _composite(found, asked):
        """Group by the sources; a page goes on behind ``after``."""
        groups = defaultdict(int)
        for line in found:
            key = []
            for source in asked["sources"]:
                [(name, how)] = source.items()
                if "terms" in how:
                    key.append(
                        (name, line.namespace if how["terms"]["field"].endswith("namespace") else line.container)
                    )
                else:
                    step = int(how["date_histogram"]["fixed_interval"].removesuffix("s")) * 1000
                    key.append((name, line.at // 1_000_000 // step * step))
            groups[tuple(key)] += 1
        after = tuple(asked.get("after", {}).items())
        page = [(key, count) for key, count in sorted(groups.items()) if key > after][: asked["size"]]
        told = {"buckets": [{"key": dict(key), "doc_count": count} for key, count in page]}
        return told | ({"after_key": dict(page[-1][0])} if page else {})

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
        for line in between(self.lines, bounds["gte"] * 1_000_000, bounds["lt"] * 1_000_000):
            if all(self._holds(each, line) for each in filters[1:]) and not any(self._holds(e, line) for e in without):
                yield line

    def _holds(self, clause, line):
        if "regexp" in clause:
            return bool(re.fullmatch(clause["regexp"]["kubernetes.pod.name"]["value"], line.pod))
        if "term" in clause:
            told = {"kubernetes.namespace": line.namespace, "kubernetes.container.name": line.container}
            return all(told[name] == value for name, value in clause["term"].items())
        if "terms" in clause:
            return line.namespace in clause["terms"].get("kubernetes.namespace", ())
        if "bool" in clause:
            return any(self._holds(each, line) for each in clause["bool"]["should"])
        words = [word.strip('"*') for word in clause["query_string"]["query"].split(" OR ")]
        return any(re.search(rf"(?i)\b{re.escape(word)}", line.text) for word in words)
