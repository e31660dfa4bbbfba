"""A gigabyte from each log store: how long it takes to lie in a case, in how much memory, and whose processor time that is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READER = """
import sys
sys.path.insert(0, sys.argv[4])
import json, resource, time
from datetime import UTC, datetime
from pathlib import Path
from bot.casefile.home import CaseHome
from bot.domain.scope import Scope
from bot.domain.window import Window
from bot.investigation.gather import gather_all
from bot.signals.masking import mask
from bot.sources import elasticsearch, loki, victorialogs
from bot.stores.address import StoreAddress
from bot.wire import Login
kind, url, folder, _, most = sys.argv[1:]
source = {"loki": loki.LokiSource, "elasticsearch": elasticsearch.ElasticsearchSource, "victorialogs": victorialogs.VictoriaLogsSource}[kind]
start = datetime.fromtimestamp(1_795_305_600, UTC)
window = Window(start=start, end=datetime.fromtimestamp(1_795_305_600 + 86_400, UTC), asked="1d")
address = StoreAddress(url=url, login=Login(), deadline_s=600.0, most_bytes=int(most))
began, used = time.perf_counter(), time.process_time()
with CaseHome(Path(folder)).create(mask) as writer:
    gather_all([source(address, Scope(window=window))], writer, lambda *_: None)
    rows = writer.coverage()
took, cpu = time.perf_counter() - began, time.process_time() - used
row = next(row for row in rows if row.source == kind)
mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"s": took, "cpu": cpu, "lines": row.items, "lost": [g.what for g in row.gaps if g.lost], "mb": mb}))
"""
GIGABYTE = 1_000_000_000


@pytest.mark.bench
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["loki", "elasticsearch", "victorialogs"])
def test_a_gigabyte_of_lines_is_read_within_its_bounds(kind, tmp_path):
    """At most 60 s and 400 MB, and every line of it."""
    told, server_cpu = measured(kind, tmp_path, 2 * GIGABYTE)
    sys.stdout.write(
        f"\n1 GB from {kind}: {told['s']:.1f} s, {told['mb']:.0f} MB, {told['lines']:,} lines; "
        f"processor time: {told['cpu']:.1f} s ours, {server_cpu:.1f} s the stand-in's\n"
    )
    assert GIGABYTE // 240 == told["lines"]
    assert [] == told["lost"]
    assert told["mb"] <= 400
    assert told["s"] <= 60


def measured(kind, folder, most_bytes):
    """Read the stand-in's gigabyte in a process of its own; give what it says, and the stand-in's processor time."""
    command = [sys.executable, str(Path(__file__).with_name("store_server.py")), str(GIGABYTE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            reader = [sys.executable, "-c", READER, kind, url, str(folder), str(ROOT), str(most_bytes)]
            told = json.loads(subprocess.run(reader, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
            ticks = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
        finally:
            server.kill()
    return told, (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
