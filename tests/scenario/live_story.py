"""The story played into services on loopback: a cluster that forgets, its recorder, and log stores, metrics and tickets beside it."""

import json
import tarfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import zstandard
from command import STORY
from kube_api import KubeApi
from kube_recording import recording, until
from log_store_lines import Line

from bot.domain.kubelet import KubeletLines
from bot.domain.window import Window

START, END = datetime(2026, 11, 17, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
WINDOW = Window(start=START, end=END, asked="5d")


def unpacked(folder):
    """Unpack the story's export into a folder and give it."""
    packed = zstandard.ZstdDecompressor().stream_reader(STORY.open("rb"), closefd=True)
    with packed, tarfile.open(fileobj=packed, mode="r|") as tar:
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


@contextmanager
def remembered(export, folder):
    """Play the five days into a cluster while the recorder watches, let the cluster forget, and give its API.

    The recorder's archive is ``archive.sqlite`` in the folder.
    """
    time = {"now": START.timestamp()}
    with KubeApi() as api:
        dead = played(api, export)
        size = sum(map(len, api.logs.values()))
        with recording(api, folder, now=lambda: time["now"], follow=("web", "data-platform", "default")) as recorder:
            until(lambda: all(watch.healthy for watch in recorder.watches) and recorder.taker.bytes >= size)
            time["now"] = END.timestamp()
            forget(api, dead)
            until(lambda: recorder.taker.running <= len(api.logs))
        yield api


def shipped(export):
    """Give the lines of all containers as a log store has them: without the kubelet's prefix."""
    for path in sorted((export / "kubernetes").glob("*/*/*.log")):
        cutter = KubeletLines()
        for at, raw, start in [*cutter.feed(path.read_bytes()), *cutter.last()]:
            yield Line(at, raw[start:].decode(), namespace=path.parts[-3], pod=path.parts[-2], container=path.stem)


def tickets(export):
    """Give the issues of the export as Jira's REST has them."""
    for path in sorted((export / "jira").glob("*.json")):
        told = json.loads(path.read_text("utf-8"))
        yield from told.get("issues", [told])
