"""The recorder under load: 200 events a second and 5 MB/s of followed logs take less than half a core, and memory stays flat.

In real time, the cluster is played by a thread of this process; the recorder is a process of its own, measured by the kernel's
account of it. An hour is simulated, without the connections.
"""

import json
import resource
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kube_api import KubeApi
from recorder_load import lived

SECONDS = 30
EVENTS_A_SECOND = 200
BYTES_A_SECOND = 5_000_000
PODS = 20
RUN = """
import asyncio, os, sys
from pathlib import Path
from bot.app_record import record
from bot.settings import RecordSettings, WebSettings
folder = Path(sys.argv[1])
settings = RecordSettings(archive=folder / "archive.sqlite", kubeconfig=folder / "kubeconfig", follow=("web",), most_mib=64)
asyncio.run(record(settings, WebSettings(port=int(sys.argv[2]))))
"""


def stamp():
    """Spell this moment as an API does."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def event(number):
    """Give an event of now."""
    return {
        "kind": "Event", "metadata": {"name": f"e{number}", "namespace": "web", "uid": f"u{number}"}, "reason": "Unhealthy",
        "message": f"Readiness probe failed: {number}", "involvedObject": {"kind": "Pod", "namespace": "web", "name": f"p{number % PODS}"},
        "firstTimestamp": stamp(), "lastTimestamp": stamp(), "count": 1, "source": {"component": "kubelet", "host": "n1"},
    }  # fmt: skip


def pod(number):
    """Give a running pod."""
    status = {"name": "app", "restartCount": 0, "state": {"running": {"startedAt": stamp()}}}
    meta = {"name": f"p{number}", "namespace": "web"}
    return {"kind": "Pod", "metadata": meta, "spec": {}, "status": {"containerStatuses": [status]}}


def resident_kib(process):
    """Read the memory a process has now."""
    told = Path(f"/proc/{process.pid}/status").read_text()
    return int(told.partition("VmRSS:")[2].split()[0])


@pytest.mark.bench
@pytest.mark.timeout(180)
def test_half_a_core_and_flat_memory(tmp_path, capsys):
    """Half a minute of the load; the archive is far smaller than the logs, so what is measured includes letting go."""
    line = b"GET /api/v1/orders/48213 200 12ms upstream=payments trace=9f8e7d6c5b4a39281706 user-agent=mobile/7.3 region=eu\n"
    with KubeApi() as api:
        api.put(*(pod(number) for number in range(PODS)))
        for number in range(PODS):
            api.log("web", f"p{number}", "app", b"")
        api.kubeconfig(tmp_path)
        process = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path), "0"])
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        memory, number, sent, began = [], 0, 0, time.monotonic()
        while (spent := time.monotonic() - began) < SECONDS:
            while number < spent * EVENTS_A_SECOND:
                api.put(event(number))
                number += 1
            while sent < spent * BYTES_A_SECOND:
                piece = b"".join(f"{stamp()[:-1]}.{n:09d}Z ".encode() + line for n in range(400))
                api.log("web", f"p{sent // len(piece) % PODS}", "app", piece)
                sent += len(piece)
            memory.append(resident_kib(process))
            time.sleep(0.02)
        process.terminate()
        process.wait(20)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / SECONDS
    third = len(memory) // 3
    middle, end = max(memory[third : 2 * third]), max(memory[2 * third :])
    with capsys.disabled():
        told = {
            "cores": round(cpu, 3),
            "events": number,
            "log_mb": sent / 1e6,
            "middle_mib": middle // 1024,
            "end_mib": end // 1024,
        }
        sys.stdout.write(json.dumps(told) + "\n")
    with closing(sqlite3.connect(tmp_path / "archive.sqlite")) as archive:
        kept = archive.execute("SELECT (SELECT sum(size) FROM logs), (SELECT count(*) FROM events)").fetchone()
    assert kept[0] > 0.95 * sent
    assert kept[1] > 0.98 * number
    assert cpu < 0.5
    assert end < middle * 1.15


@pytest.mark.bench
@pytest.mark.timeout(1800)
def test_an_hour_leaves_memory_as_it_was(tmp_path, capsys):
    """An hour of the load: less than half a core, and what the last half has at most, the first half had too."""
    load = lived(tmp_path, seconds=3600)
    half = len(load.resident_mib) // 2
    first, last = load.resident_mib[:half], load.resident_mib[half:]
    told = {
        "cores": round(load.cores, 3),
        "events": load.events,
        "log_gb": round(load.log_bytes / 1e9, 1),
        "first_half_mib": round(max(first)),
        "second_half_mib": round(max(last)),
        "archive_mib": load.archive_bytes // 1024**2,
    }
    with capsys.disabled():
        sys.stdout.write(json.dumps(told) + "\n")
    assert load.cores < 0.5
    assert max(last) < max(first) * 1.05
