"""A cluster of 10,000 pods is not read whole: what a reading costs is counted by the server and by the kernel."""

import json
import subprocess
import sys

import pytest
from kube_api import KubeApi
from kubernetes_situations import NOW, event, lines, pod

NAMESPACES, PODS_EACH, NODES = 100, 100, 250
READ = """
import json, sys, time
from datetime import datetime, timedelta
from pathlib import Path
from unit.export_sink import RecordingSink
from bot.cluster.access import ClusterAccess
from bot.domain.window import Window
from bot.sources.kubernetes import KubernetesSource
from kubernetes.aio.client.api_client import ApiClient
now, question, border = datetime.fromisoformat(sys.argv[2]), sys.argv[3], tuple(filter(None, sys.argv[4].split(",")))
window = Window(start=now - timedelta(hours=1), end=now, asked="1h")
access = ClusterAccess(kubeconfig=Path(sys.argv[1]))
source = KubernetesSource(access=access, window=window, question=question, namespaces=border, clock=lambda: now)
def peak_mib():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
sink, before = RecordingSink(), peak_mib()
begun = time.monotonic()
source.gather(sink, lambda *_: None)
pods = [str(each.entity.namespace) for each in sink.objects if each.entity.kind == "Pod"]
print(json.dumps({
    "seconds": time.monotonic() - begun,
    "grown_mib": peak_mib() - before,
    "bytes": sum(size for *_, size in sink.reads),
    "pods": len(pods), "namespaces": sorted(set(pods)), "lines": sum(map(len, sink.lines)),
    "streams": [stream.pod for stream in sink.streams], "said": [gap.what for gap in sink.gaps],
}))
"""


def workload(number, count, *, node):
    """Give a namespace's pods, of a size that real ones have; the first calls the namespace after its own."""
    namespace, filler = f"team-{number:03d}", {f"note-{n}": "x" * 60 for n in range(20)}
    for n in range(count):
        url = {"name": "PEER_URL", "value": f"http://api.team-{number + 1:03d}.svc:80"}
        one = pod(f"w{n % 10}-{n:05d}", namespace=namespace, node=f"n{node(n)}", env=[url] if n == 0 else ())
        owner = {"kind": "ReplicaSet", "name": f"w{n % 10}", "controller": True}
        yield {**one, "metadata": {**one["metadata"], "annotations": filler, "ownerReferences": [owner]}}


@pytest.fixture(scope="module")
def large():
    """A cluster of a hundred namespaces with a hundred pods each, ten of a namespace on each of its nodes."""
    with KubeApi() as api:
        for number in range(NAMESPACES):
            api.put(*workload(number, PODS_EACH, node=lambda n, number=number: (number * 2 + n // 10) % NODES))
        for number in (40, 41, 42):
            for n in range(PODS_EACH):
                api.log(f"team-{number:03d}", f"w{n % 10}-{n:05d}", "app", lines(5))
        api.put(*(event(n, namespace="team-040", name=f"w{n}-{n:05d}") for n in range(5)))
        yield api


def cost(api, folder, question="", border=()):
    """Read the cluster in a process of its own; give what it told, and what the server was asked."""
    api.asked.clear()
    told = [sys.executable, "-c", READ, str(api.kubeconfig(folder)), NOW.isoformat(), question, ",".join(border)]
    done = subprocess.run(told, cwd="tests", capture_output=True, check=True, timeout=120)
    found = json.loads(done.stdout)
    return found | {"requests": len(api.asked)}


def shown(capsys, what, found):
    """Print what a reading cost."""
    told = {key: round(value, 1) for key, value in found.items() if isinstance(value, int | float)}
    with capsys.disabled():
        sys.stdout.write(f"\n{what}: {json.dumps(told)}\n")


@pytest.mark.parametrize(
    ("question", "border"),
    [
        pytest.param("", (), id="from the symptom"),
        pytest.param("why is team-040 slow?", (), id="from the question", marks=pytest.mark.full),
        pytest.param("", ("team-040",), id="from the configuration"),
    ],
)
def test_what_is_read_stays_near_where_it_hurts(large, tmp_path, question, border, capsys):
    """From one namespace outwards, never more than a small cluster's pods, in few requests, bytes, seconds and memory."""
    found = cost(large, tmp_path, question, border)
    shown(capsys, f"10,000 pods, {question or border or 'no word'}", found)
    assert "team-040" in found["namespaces"]
    assert bool(border) != bool({"team-039", "team-041"} & set(found["namespaces"]))
    assert not border or ["team-040"] == found["namespaces"]
    assert found["pods"] <= PODS_EACH + 1500
    assert found["requests"] < 1500
    assert found["bytes"] < 5_000_000
    assert found["seconds"] < 30
    assert found["grown_mib"] < 60
    # who is warned of comes first, then a pod of each workload
    assert {f"w{n}-{n:05d}" for n in range(5)} == set(found["streams"][:5])
    assert 10 == len({name[:2] for name in found["streams"][5:15]})


@pytest.mark.full
def test_a_namespace_that_is_the_whole_cluster_ends_in_its_deadline(tmp_path, capsys):
    """10,000 pods in one namespace are listed page by page; nobody waits for all of their logs."""
    with KubeApi() as api:
        api.put(*workload(40, 10_000, node=lambda n: n % NODES))
        api.put(event(1, namespace="team-040", name="w7-09997"))
        api.log("team-040", "w7-09997", "app", lines(5))
        found = cost(api, tmp_path, "why is team-040 slow?")
    shown(capsys, "10,000 pods in one namespace", found)
    assert 10_000 == found["pods"]
    assert "w7-09997" == found["streams"][0]
    assert found["grown_mib"] < 200
