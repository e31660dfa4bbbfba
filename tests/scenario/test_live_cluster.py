"""The story in a cluster that forgets: the recorder's archive restores it, and without it the report says what is missing.

The export is played into an API server on loopback: all pods of the five days with their logs, then only those that live,
and of the events the last hour's. Metrics, chat and tickets come from the export as they are.
"""

import json
import tarfile
from datetime import UTC, datetime, timedelta

import pytest
import zstandard
from command import STORY
from kube_api import KubeApi
from kube_recording import recording, until

from bot.casefile.home import CaseHome
from bot.cluster.access import ClusterAccess
from bot.domain.report import to_json
from bot.domain.window import Window
from bot.investigation.investigate import investigate
from bot.sources.export import ExportSource
from bot.sources.kubernetes import KubernetesSource
from bot.sources.recorder import RecorderSource, recorded_spans

START, END = datetime(2026, 11, 17, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
WINDOW = Window(start=START, end=END, asked="5d")


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """The story's export as a folder."""
    folder = tmp_path_factory.mktemp("story")
    unpacked = zstandard.ZstdDecompressor().stream_reader(STORY.open("rb"), closefd=True)
    with unpacked, tarfile.open(fileobj=unpacked, mode="r|") as tar:
        tar.extractall(folder, filter="data")
    return folder / "story"


def manifests(export):
    """Give every object and event of the export."""
    for path in sorted((export / "kubernetes").rglob("*.json")):
        yield from json.loads(path.read_text("utf-8"))["items"]


def played(api, export):
    """Put all of the five days into a cluster; give the pods that no longer live at their end."""
    items = list(manifests(export))
    owners = sorted(
        (each for each in items if each["kind"] in {"ReplicaSet", "Job", "StatefulSet", "DaemonSet"}),
        key=lambda each: -len(each["metadata"]["name"]),
    )
    living = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in items if each["kind"] == "Pod"}
    api.put(*items)
    dead = []
    for path in sorted((export / "kubernetes").glob("*/*/*.log")):
        namespace, name, container = path.parts[-3], path.parts[-2], path.stem
        api.log(namespace, name, container, path.read_bytes())
        if (namespace, name) not in living:
            api.put(dead_pod(namespace, name, container, owners))
            dead.append((namespace, name))
    return dead


def dead_pod(namespace, name, container, owners):
    """Give a pod that lived in the five days, owned by whom its name tells."""
    owner = next(
        (
            each
            for each in owners
            if name.startswith(each["metadata"]["name"] + "-") and each["metadata"]["namespace"] == namespace
        ),
        None,
    )
    reference = [{"kind": owner["kind"], "name": owner["metadata"]["name"], "controller": True}] if owner else []
    state = {"running": {"startedAt": "2026-11-17T00:00:00Z"}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": reference},
        "spec": {"containers": [{"name": container}]},
        "status": {"containerStatuses": [{"name": container, "restartCount": 0, "state": state}]},
    }


def forget(api, dead):
    """Let the cluster forget: dead pods with their logs, and all events but the last hour's."""
    for namespace, name in dead:
        api.drop("Pod", namespace, name)
    for key, event in list(api.objects["events"].items()):
        last = event.get("lastTimestamp") or event.get("eventTime")
        if datetime.fromisoformat(last) < END - timedelta(hours=1):
            del api.objects["events"][key]


class Beside:
    """The export without what a cluster tells."""

    name = "export"

    def __init__(self, export):
        self._parts = [ExportSource(export / part) for part in ("prometheus", "slack", "jira")]

    def gather(self, sink, progress):
        """Read the parts one after another."""
        for part in self._parts:
            part.gather(sink, progress)


@pytest.fixture(scope="module")
def reports(export, tmp_path_factory):
    """The report with the archive and the one without, as JSON."""
    folder = tmp_path_factory.mktemp("cluster")
    time = {"now": START.timestamp()}
    with KubeApi() as api:
        dead = played(api, export)
        size = sum(map(len, api.logs.values()))
        with recording(api, folder, now=lambda: time["now"], follow=("web", "data-platform", "default")) as recorder:
            until(lambda: all(watch.healthy for watch in recorder.watches) and recorder.taker.bytes >= size)
            time["now"] = END.timestamp()
            forget(api, dead)
            until(lambda: recorder.taker.running <= len(api.logs))
        return {
            "recorded": investigated(export, folder, api, archive=folder / "archive.sqlite"),
            "forgotten": investigated(export, folder, api, archive=None),
        }


def investigated(export, folder, api, *, archive):
    """Investigate the live cluster, with what the recorder kept or without."""
    recorded = (lambda *where: recorded_spans(archive, *where)) if archive else None
    access = ClusterAccess(kubeconfig=api.kubeconfig(folder))
    sources = [KubernetesSource(access=access, window=WINDOW, recorded=recorded, clock=lambda: END), Beside(export)]
    if archive:
        sources.append(RecorderSource(path=archive, window=WINDOW))
    home = CaseHome(folder / f"cases-{bool(archive)}")
    return to_json(investigate(sources, home, question=None, window=None, progress=lambda *_: None))


def test_the_archive_restores_the_story(reports):
    """The cluster has forgotten five days; with the archive the root cause is the one the export tells."""
    truth = json.loads(STORY.with_name("story.truth.json").read_text("utf-8"))
    report = reports["recorded"]
    assert "cause_found" == report["verdict"]
    assert truth["root_cause"]["entity"] == report["root_cause"]["entity"]
    assert truth["symptom"]["entity"] == report["symptom"]["entity"]


def test_without_it_the_report_says_what_is_missing_and_how_to_fix_it(reports):
    """Events that expired and logs that went with their pods are gaps, each with the command that keeps them."""
    report = reports["forgotten"]
    gaps = [gap["what"] if isinstance(gap, dict) else gap for row in report["coverage"] for gap in row["gaps"]]
    assert [gap for gap in gaps if "no events of the window" in gap and "`rootcause record` keeps them" in gap]
    assert "high" != report["confidence"]
    assert "cause_found" != report["verdict"] or report["root_cause"]["entity"]["kind"] == "CronJob"
