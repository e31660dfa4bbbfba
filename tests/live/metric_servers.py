"""Real metric servers on the loopback, filled with what a test has: Prometheus, Alertmanager, VictoriaMetrics.

They come from Debian; a machine without them skips the tests with a word. Traps seen: a file for promtool ends with ``# EOF``
and has seconds, or its blocks lie in year 58859; default retention deletes blocks older than 15 days at once; without
``--max-block-duration`` five days make 61 blocks.
"""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

RETENTION = "3650d"


def binary(name):
    """Give a server's path, or skip the test."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed here (.ci/install brings it)")
    return found


def free_port():
    """Ask the kernel for a port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def running(command, ready_url):
    """Run a server until the test is through with it."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, ready_url)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process, url):
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at:
        if process.poll() is not None:
            pytest.fail(f"the server ended by itself with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            process_waits(0.05)
    pytest.fail("the server did not become ready")


def process_waits(seconds):
    """Let another process go on."""
    time.sleep(seconds)


def exported_series(folder):
    """Give name, labels and samples of each series of an export's Prometheus files; nameless ones get the file's."""
    for path in sorted(folder.glob("prometheus/*.json")):
        for each in json.loads(path.read_text())["data"]["result"]:
            labels = dict(each["metric"])
            yield labels.pop("__name__", path.stem), labels, each["values"]


def open_metrics(series):
    """Write series as OpenMetrics text."""
    for name, labels, values in series:
        told = ",".join(f"{key}={json.dumps(value)}" for key, value in sorted(labels.items()))
        for at, value in values:
            yield f"{name}{{{told}}} {value} {at}\n"
    yield "# EOF\n"


@contextmanager
def prometheus(folder, series, *, config="", more=()):
    """Run Prometheus over a backfilled store and give its address."""
    server, tool = binary("prometheus"), binary("promtool")
    text, store = folder / "backfill.txt", folder / "prometheus"
    with text.open("w") as file:
        file.writelines(open_metrics(series))
    made = [tool, "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=48h", str(text), str(store)]
    subprocess.run(made, check=True, capture_output=True)
    text.unlink()
    (folder / "prometheus.yml").write_text(config or "global: {scrape_interval: 30s}\n")
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        server,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={store}",
        f"--storage.tsdb.retention.time={RETENTION}",
        f"--web.listen-address={url.removeprefix('http://')}",
        *more,
    ]
    with running(command, f"{url}/-/ready"):
        yield url


@contextmanager
def victoria_metrics(folder, series):
    """Run VictoriaMetrics, fill it through its import, and give its address."""
    server = binary("victoria-metrics")
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        server,
        f"-storageDataPath={folder / 'victoria'}",
        f"-httpListenAddr={url.removeprefix('http://')}",
        "-retentionPeriod=120",
        "-search.latencyOffset=0s",
        "-memory.allowedBytes=200MB",
    ]
    with running(command, f"{url}/health"):
        for name, labels, values in series:
            row = {
                "metric": {"__name__": name, **labels},
                "values": [float(value) for _, value in values],
                "timestamps": [int(at * 1000) for at, _ in values],
            }
            post(f"{url}/api/v1/import", json.dumps(row).encode())
        urllib.request.urlopen(f"{url}/internal/force_flush", timeout=30).close()
        yield url


@contextmanager
def alertmanager(folder, config):
    """Run Alertmanager and give its address."""
    server = binary("prometheus-alertmanager")
    (folder / "alertmanager.yml").write_text(config)
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        server,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--cluster.listen-address=",
    ]
    with running(command, f"{url}/-/ready"):
        yield url


def post(url, body, kind="application/json"):
    """Send a body."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind}, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status
