"""Loki, VictoriaLogs and Elasticsearch as far as a reader sees them: their wire formats, selections, pages, counts and limits.

Each is a reply for ``FaultServer``: called with a request's first line and body, it gives a whole HTTP answer.
"""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from fault_server import answer
from log_store_elastic import PlayedElasticsearch
from log_store_lines import NS, Line, between, by_kind, by_step, in_order, kind_of, refused, rfc3339, split

from bot.stores.times import nanoseconds

__all__ = ["NS", "Line", "PlayedElasticsearch", "PlayedLoki", "PlayedVictoriaLogs", "rfc3339"]


@dataclass
class PlayedLoki:
    """``page`` is the tenant's entries limit, ``longest_s`` the longest query it allows; without ``index`` it cannot count.

    Without ``patterns`` its pattern ingester is off, it remembers them since ``patterns_since``; without ``volume`` its volumes are off.
    """

    lines: list
    page: int = 5000
    longest_s: float = float("inf")
    index: bool = True
    patterns: bool = True
    patterns_since: int = 0
    volume: bool = True
    asked: list = field(default_factory=list)

    def __post_init__(self):
        self.lines = in_order(self.lines)

    def __call__(self, request):
        """Answer one request."""
        path, asked, _ = split(request)
        self.asked.append((path, asked))
        if path.endswith("/loki/api/v1/query"):
            return self._instant(asked)
        start, end = int(asked["start"]), int(asked["end"])
        what = path.partition("/loki/api/v1/")[2]
        told = {
            "index/stats": self._stats,
            "index/volume": self._volume,
            "patterns": self._patterns,
            "query_range": self._range,
        }
        return told[what](asked, start, end)

    def _range(self, asked, start, end):
        if end - start > self.longest_s * NS:
            return refused(400, "the query time range exceeds the limit (query length: 24h, limit: 1h)")
        if "count_over_time" in asked["query"]:
            return self._counted(asked, start, end)
        limit = int(asked.get("limit", "100"))
        if limit > self.page:
            return refused(
                400,
                f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {self.page})",
            )
        assert asked["direction"] == "forward"
        found = sorted(self._matching(asked["query"], start, end), key=lambda line: line.at)[:limit]
        streams = defaultdict(list)
        for line in found:
            streams[line.namespace, line.pod, line.container].append([str(line.at), line.text])
        result = [
            {"stream": dict(zip(("namespace", "pod", "container"), names, strict=True)), "values": values}
            for names, values in streams.items()
        ]
        return self._told(result, "streams")

    @staticmethod
    def _told(result, kind):
        return answer(json.dumps({"status": "success", "data": {"resultType": kind, "result": result, "stats": {}}}))

    def _instant(self, asked):
        found = re.fullmatch(r"sum\(bytes_over_time\((.*) \[(\d+)s\]\)\)", asked["query"])
        end = int(asked["time"])
        lines = list(self._matching(found[1], end - int(found[2]) * NS, end))
        value = [end / NS, str(sum(len(line.text) for line in lines))]
        return self._told([{"metric": {}, "value": value}] if lines else [], "vector")

    def _volume(self, asked, start, end):
        if not self.volume:
            return refused(404, "Volume API not enabled")
        names, sizes = asked["targetLabels"].split(","), defaultdict(int)
        for line in self._matching(asked["query"], start, end):
            sizes[tuple(getattr(line, name) for name in names)] += len(line.text)
        ranked = sorted(sizes.items(), key=lambda each: -each[1])[: int(asked["limit"])]
        result = [
            {"metric": dict(zip(names, key, strict=True)), "value": [end / NS, str(size)]} for key, size in ranked
        ]
        return self._told(result, "vector")

    def _patterns(self, asked, start, end):
        if not self.patterns:
            return refused(404, "404 page not found")
        assert asked["query"].endswith("}")  # no filter may stand there
        kinds = by_kind(self._matching(asked["query"], max(start, self.patterns_since * NS), end))
        step = int(asked["step"].removesuffix("s"))
        told = [
            {
                "pattern": kind.replace("<N>", "<_>"),
                "level": "info",
                "samples": [list(each) for each in by_step(lines, step)],
            }
            for kind, lines in kinds
        ]
        return answer(json.dumps({"status": "success", "data": told}))

    def _counted(self, asked, start, end):
        found = re.fullmatch(r"sum by \(([^)]*)\) \(count_over_time\((.*) \[(\d+)s\]\)\)", asked["query"])
        names, step, groups = found[1].split(", "), int(found[3]), defaultdict(list)
        for line in self._matching(found[2], start, end):
            groups[tuple(getattr(line, name) for name in names)].append(line)
        result = [
            {
                "metric": dict(zip(names, key, strict=True)),
                "values": [[at + step, str(count)] for at, count in by_step(lines, step)],
            }
            for key, lines in groups.items()
        ]
        return self._told(result, "matrix")

    def _stats(self, asked, start, end):
        if not self.index:
            return refused(404, "404 page not found")
        found = list(self._matching(asked["query"], start, end))
        size = sum(len(line.text) for line in found)
        return answer(json.dumps({"streams": 1, "chunks": 1, "entries": len(found), "bytes": size}))

    def _matching(self, query, start, end):
        selected = re.match(r'\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}', query)[0]
        filtered = query.removeprefix(selected)
        matchers = re.findall(r'(\w+)(=~?)"([^"]*)"', selected)
        words = re.search(r"(\|~|!~) `([^`]*)`", filtered)
        pattern = json.loads(filtered.partition("|> ")[2]) if "|> " in filtered else None
        alike = ".+".join(map(re.escape, pattern.split("<_>"))) if pattern else ".*"
        for line in between(self.lines, start, end):
            told = {"namespace": line.namespace, "pod": line.pod, "container": line.container}
            if not all(
                re.fullmatch(value if how == "=~" else re.escape(value), told[name]) for name, how, value in matchers
            ):
                continue
            if not re.fullmatch(alike, line.text, re.DOTALL):
                continue
            if words is None or bool(re.search(words[2], line.text)) == (words[1] == "|~"):
                yield line


@dataclass
class PlayedVictoriaLogs:
    """Answers LogsQL as far as it is asked here, in no order; ``broken`` cuts an answer within its last line.

    With ``old`` it is from before ``collapse_nums``.
    """

    lines: list
    broken: bool = False
    old: bool = False
    asked: list = field(default_factory=list)

    def __post_init__(self):
        self.lines = in_order(self.lines)

    def __call__(self, request):
        """Answer one request."""
        path, _, body = split(request)
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        self.asked.append((path, asked))
        found = list(self._matching(asked["query"], asked["start"], asked["end"]))
        if path.endswith("/field_names"):
            names = ("_time", "_msg", "kubernetes.pod_namespace", "kubernetes.pod_name", "kubernetes.container_name")
            return answer(json.dumps({"values": [{"value": name, "hits": len(found)} for name in names]}))
        _, *pipes = asked["query"].split(" | ")
        if pipes:
            if self.old and any(pipe.startswith("collapse_nums") for pipe in pipes):
                return refused(400, 'cannot parse query: unexpected pipe "collapse_nums"')
            rows = self._piped(found, pipes)
        else:
            rows = [{**self._row(line), "_stream": f'{{pod="{line.pod}"}}'} for line in reversed(found)]
        told = "".join(json.dumps(row) + "\n" for row in rows)
        return answer(told[:-20] if self.broken else told, kind="application/stream+json")

    @staticmethod
    def _row(line):
        return {
            "_time": rfc3339(line.at),
            "_msg": line.text,
            "kubernetes.pod_namespace": line.namespace,
            "kubernetes.pod_name": line.pod,
            "kubernetes.container_name": line.container,
        }

    def _piped(self, found, pipes):
        """Carry out the pipes that are used: ``copy``, ``collapse_nums``, ``stats``, ``sort`` and ``limit``."""
        rows = [self._row(line) for line in found]
        for pipe in pipes:
            if copied := re.fullmatch(r'copy "([^"]+)" as (\w+)', pipe):
                rows = [{**row, copied[2]: row[copied[1]]} for row in rows]
            elif collapsed := re.fullmatch(r'collapse_nums at "([^"]+)"', pipe):
                rows = [{**row, collapsed[1]: kind_of(row[collapsed[1]])} for row in rows]
            elif ranked := re.fullmatch(r"sort by \((\w+) desc\)", pipe):
                rows.sort(key=lambda row, by=ranked[1]: -float(row[by]))
            elif limited := re.fullmatch(r"limit (\d+)", pipe):
                rows = rows[: int(limited[1])]
            elif least := re.fullmatch(r'stats min\("([^"]+)"\) (\w+)', pipe):
                rows = [{least[2]: min((row[least[1]] for row in rows), default="")}]
            else:
                rows = list(self._stats(rows, re.fullmatch(r"stats (?:by \((.*?)\) )?(count\(\) .*)", pipe)))
        return rows

    def _stats(self, rows, asked):
        """Group rows; a field is in quotes, ``_time:360s`` a step."""
        by = [name.strip('"') for name in (asked[1] or "").split(", ") if name]
        groups = defaultdict(list)
        for row in rows:
            groups[tuple(_stepped(row, name) for name in by)].append(row)
        least = re.search(r"row_min\(\"([^\"]+)\", ([^)]*)\) (\w+)", asked[2])
        for key, group in groups.items() or ({(): []}.items() if not by else ()):
            told = {name.partition(":")[0]: value for name, value in zip(by, key, strict=True)}
            told["lines"] = str(len(group))
            if "sum_len" in asked[2]:
                told["bytes"] = str(sum(len(row["_msg"]) for row in group))
            if least:
                first = min(group, key=lambda row: row[least[1]])
                kept = {name.strip('"') for name in least[2].split(", ")}
                told[least[3]] = json.dumps({name: value for name, value in first.items() if name in kept})
            yield told

    def _matching(self, query, start, end):
        query = query.partition(" | ")[0]
        exact = re.findall(r'"([^"]+)":="([^"]*)"', query)
        namespace = re.search(r'"kubernetes\.pod_namespace":~"\^\(([^"]*)\)\$"', query)
        pod = re.search(r'"kubernetes\.pod_name":~"\^\(([^"]*)\)\$"', query)
        words = re.search(r'(!?)_msg:~"((?:[^"\\]|\\.)*)"', query)
        first, last = nanoseconds(start), nanoseconds(end)
        for line in between(self.lines, first, last + 1):
            if namespace and not re.fullmatch(namespace[1], line.namespace):
                continue
            if any(self._row(line)[name] != value for name, value in exact):
                continue
            if pod and not re.fullmatch(pod[1], line.pod):
                continue
            if words is None or bool(re.search(words[2], line.text)) == (not words[1]):
                yield line


def _stepped(row, name):
    field_, _, step = name.partition(":")
    if not step:
        return row[field_]
    step_s = int(step.removesuffix("s"))
    return rfc3339(nanoseconds(row[field_]) // NS // step_s * step_s * NS)
