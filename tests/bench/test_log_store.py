"""A gigabyte from a log store: how long it takes to lie in a case, in how much memory, beside merely fetching and decoding it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER = """
import http.server, json, sys
from urllib.parse import parse_qs, urlsplit
LINE, PAGE, NS = 240, 5000, 10**9
class Loki(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    total, start, step = int(sys.argv[1]) // LINE, 1_795_305_600 * NS, 0
    def do_GET(self):
        target = urlsplit(self.path)
        asked = {k: v[0] for k, v in parse_qs(target.query).items()}
        step = 86_400 * NS // self.total
        if target.path.endswith("stats"):
            body = {"entries": self.total, "bytes": self.total * LINE}
        elif target.path.endswith("patterns"):
            body = {"data": []}
        else:
            first = -(-(int(asked["start"]) - self.start) // step)
            last = min(-(-(int(asked["end"]) - self.start) // step), first + int(asked["limit"]), self.total)
            tail = "x" * 150
            values = [[str(self.start + n * step), f"GET /orders/{n} 200 in {n % 97} ms upstream=10.0.{n % 250}.7 request_id={n:08x} {tail}"] for n in range(max(first, 0), last)]
            body = {"data": {"result": [{"stream": {"namespace": "shop", "pod": "api-0", "container": "api"}, "values": values}]}}
        told = json.dumps(body).encode()
        self.send_response(200); self.send_header("Content-Type", "application/json"); self.send_header("Content-Length", str(len(told))); self.end_headers(); self.wfile.write(told)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Loki)
print(server.server_address[1], flush=True); server.serve_forever()
"""
READER = """
import sys
sys.path.insert(0, sys.argv[3])
import json, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
from bot.casefile.home import CaseHome
from bot.domain.scope import Scope
from bot.domain.window import Window
from bot.signals.masking import mask
from bot.sources.loki import LokiSource
from bot.stores.address import StoreAddress
from bot.wire import Login
start = datetime.fromtimestamp(1_795_305_600, UTC)
window = Window(start=start, end=datetime.fromtimestamp(1_795_305_600 + 86_400, UTC), asked="1d")
address = StoreAddress(url=sys.argv[1], login=Login(), deadline_s=600.0, most_bytes=2 * 1024**3)
began = time.perf_counter()
with CaseHome(Path(sys.argv[2])).create(mask) as writer:
    LokiSource(address, Scope(window=window)).gather(writer, lambda *_: None)
    rows = writer.coverage()
took = time.perf_counter() - began
row = next(row for row in rows if row.source == "loki")
print(json.dumps({"s": took, "lines": row.items, "lost": [g.what for g in row.gaps], "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
GIGABYTE = 1_000_000_000


@pytest.mark.bench
@pytest.mark.timeout(900)
def test_a_gigabyte_of_lines_is_read_within_its_bounds(tmp_path):
    """At most 60 s and 400 MB, and every line of it; a plain fetch and decode in the same run is the measure."""
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(GIGABYTE)], stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        told = json.loads(
            subprocess.run(
                [sys.executable, "-c", READER, url, str(tmp_path), str(ROOT)],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        plain = fetched(url)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    sys.stdout.write(
        f"\n1 GB from the store: {told['s']:.1f} s, {told['mb']:.0f} MB, {told['lines']:,} lines; "
        f"fetching and decoding alone: {plain:.1f} s ({told['s'] / plain:.1f} times)\n"
    )
    assert GIGABYTE // 240 == told["lines"]
    assert [] == told["lost"]
    assert told["mb"] <= 400
    assert told["s"] <= max(60, 3 * plain)  # where even a plain fetch takes longer, the stand-in is what is slow


def fetched(url):
    """Fetch and decode a twentieth of the same with a plain client; give the seconds for all of it."""
    import requests  # noqa: PLC0415 - the peer, of this measurement alone

    start, end = 1_795_305_600 * 10**9, 1_795_305_600 * 10**9 + 86_400 * 10**9 // 20
    began = time.perf_counter()
    with requests.Session() as session:
        while start < end:
            asked = {"query": "{}", "start": start, "end": end, "limit": 5000, "direction": "forward"}
            values = session.get(f"{url}/loki/api/v1/query_range", params=asked, timeout=60).json()["data"]["result"][
                0
            ]["values"]
            if not values:
                break
            start = int(values[-1][0]) + 1
    return (time.perf_counter() - began) * 20
