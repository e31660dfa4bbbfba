"""Loki, Elasticsearch and VictoriaLogs with a gigabyte in them, that answer as fast as memory copies: ``python store_server.py BYTES``.

A stand-in that encodes JSON for each question would be what is measured. Here every row has the same width and lies ready as a
template; a page is the template's rows, with the digits of the number and the time written over them by numpy. It prints its
port, then serves; each kind under a path of its own. Leaves out every error: ``tests/log_stores.py`` has those.
"""

import http.server
import json
import sys
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import numpy as np

START, DAY_NS = 1_795_305_600 * 10**9, 86_400 * 10**9
LINE = 240
TEXT = ("GET /orders/{n} 200 in 37 ms upstream=10.0.14.7 request_id={n} " + "x" * 240)[: LINE - 2 * (9 - 3)]
PIECE = 20_000
"""Rows made at once of an answer that streams."""


class Rows:
    """Rows of one width; ``{n}`` stands for nine digits of a line's number, ``{t}`` for the nineteen of its nanosecond,
    ``{m}`` for the thirteen of its millisecond and ``{z}`` for its RFC 3339 time.
    """

    def __init__(self, row, total, step):
        widths = {"{n}": 9, "{t}": 19, "{m}": 13, "{z}": 30}
        day = f"{datetime.fromtimestamp(START // 10**9, UTC):%Y-%m-%d}T"
        self._places = []
        told = ""
        while row:
            mark = row[:3]
            if mark in widths:
                self._places.append((mark, len(told)))
                told += (day if mark == "{z}" else "").ljust(widths[mark] - (mark == "{z}"), "0") + "Z" * (
                    mark == "{z}"
                )
                row = row[3:]
            else:
                told, row = told + row[0], row[1:]
        self._row = np.frombuffer(told.encode(), dtype=np.uint8)
        self._total, self._step = total, step

    def __call__(self, first, last):
        """Give the bytes of some rows."""
        numbers = np.arange(first, last, dtype=np.int64)
        page = np.tile(self._row, (len(numbers), 1))
        offsets = numbers * self._step
        for mark, at in self._places:
            if mark == "{n}":
                _digits(page, at, numbers, 9)
            elif mark == "{z}":
                seconds = offsets // 10**9
                for place, part in ((11, seconds // 3600), (14, seconds // 60 % 60), (17, seconds % 60)):
                    _digits(page, at + place, part, 2)
                page[:, [at + 13, at + 16]] = ord(":")
                page[:, at + 19] = ord(".")
                _digits(page, at + 20, offsets % 10**9, 9)
            else:
                _digits(
                    page,
                    at,
                    START + offsets if mark == "{t}" else (START + offsets) // 10**6,
                    19 if mark == "{t}" else 13,
                )
        return page.tobytes()


def _digits(page, at, numbers, width):
    for place in range(width - 1, -1, -1):
        numbers, digit = np.divmod(numbers, 10)
        page[:, at + place] = digit + ord("0")


class Store(http.server.BaseHTTPRequestHandler):
    """All three kinds, by their paths."""

    protocol_version = "HTTP/1.1"
    total = int(sys.argv[1]) // LINE if len(sys.argv) > 1 else 0
    step = DAY_NS // max(total, 1)
    origin = '"kubernetes.pod_namespace":"shop","kubernetes.pod_name":"api-0","kubernetes.container_name":"api"'
    loki = Rows(f'["{{t}}","{TEXT}"],', total, step)
    victoria = Rows(f'{{"_time":"{{z}}","_stream":"{{}}","_msg":"{TEXT}",{origin}}}\n', total, step)
    elastic = Rows(f'{{"_index":"logs-1","_id":"{{n}}","_score":null,"_source":{{"@timestamp":"{{z}}","message":"{TEXT}","kubernetes":{{"namespace":"shop","pod":{{"name":"api-0"}},"container":{{"name":"api"}}}}}},"sort":[{{m}},{{n}}]}},'.replace(",{n}]", ",1{n}]"), total, step)  # fmt: skip

    def do_GET(self):
        """Answer Loki's questions, and which fields Elasticsearch has."""
        target = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(target.query).items()}
        if target.path.endswith("/_field_caps"):
            names = {"@timestamp": "date", "message": "text", "kubernetes.namespace": "keyword", "kubernetes.pod.name": "keyword", "kubernetes.container.name": "keyword"}  # fmt: skip
            self._say({"fields": {name: {kind: {"type": kind}} for name, kind in names.items()}})
        elif target.path.endswith("/index/stats"):
            self._say({"entries": self.total, "bytes": self.total * LINE})
        elif target.path.endswith("/query_range"):
            first = self._number(int(asked["start"]))
            last = min(self._number(int(asked["end"])), first + int(asked["limit"]))
            labels = '{"namespace":"shop","pod":"api-0","container":"api"}'
            head = f'{{"status":"success","data":{{"resultType":"streams","result":[{{"stream":{labels},"values":['
            self._send(head.encode() + self.loki(first, last)[:-1] + b"]}]}}")
        else:
            self._say({"status": "success", "data": []})

    def do_DELETE(self):
        """Close a point in time."""
        self._body()
        self._say({"succeeded": True})

    def do_POST(self):
        """Answer Elasticsearch's questions and VictoriaLogs'."""
        path, body = urlsplit(self.path).path, self._body()
        if path.startswith("/select/"):
            self._victoria(path, {name: values[0] for name, values in parse_qs(body).items()})
        elif path.endswith("/_count"):
            self._say({"count": self.total})
        elif path.endswith("/_pit"):
            self._say({"id": "point"})
        else:
            asked = json.loads(body)
            bounds = asked["query"]["bool"]["filter"][0]["range"]["@timestamp"]
            after = asked.get("search_after")
            first = self._number(bounds["gte"] * 10**6) if after is None else after[1] - 10**9 + 1
            last = min(self._number(bounds["lt"] * 10**6), first + asked["size"])
            head = b'{"took":3,"timed_out":false,"pit_id":"point","_shards":{"total":5,"successful":5,"failed":0},"hits":{"hits":['
            self._send(head + self.elastic(first, last)[:-1] + b"]}}")

    def _victoria(self, path, asked):
        if path.endswith("/field_names"):
            names = ("_time", "_msg", "kubernetes.pod_namespace", "kubernetes.pod_name", "kubernetes.container_name")
            self._say({"values": [{"value": name, "hits": self.total} for name in names]})
        elif "|" in asked["query"]:
            self._send(json.dumps({"lines": str(self.total), "bytes": str(self.total * LINE)}).encode() + b"\n")
        else:
            first, last = (self._number(_nanoseconds(asked[name]) + late) for name, late in (("start", 0), ("end", 1)))
            self._head("Transfer-Encoding", "chunked")
            for begin in range(first, last, PIECE):
                told = self.victoria(begin, min(begin + PIECE, last))
                self.wfile.write(b"%x\r\n%b\r\n" % (len(told), told))
            self.wfile.write(b"0\r\n\r\n")

    def _number(self, at):
        """Give the first line at or after a time."""
        return min(max(-(-(at - START) // self.step), 0), self.total)

    def _body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()

    def _say(self, told):
        self._send(json.dumps(told).encode())

    def _send(self, body):
        self._head("Content-Length", str(len(body)))
        self.wfile.write(body)

    def _head(self, name, value):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        """Stay silent."""


def _nanoseconds(told):
    whole, _, fraction = told.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * 10**9 + int(fraction.ljust(9, "0") or 0)


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
    print(server.server_address[1], flush=True)  # noqa: T201 - whom it is printed for reads it
    server.serve_forever()
