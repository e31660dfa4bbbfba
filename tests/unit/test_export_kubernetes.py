"""Kubernetes objects and events in every packing that kubectl and support bundles write."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from export_sink import gathered, written

from bot.domain.entity import Entity

DATA = Path(__file__).parents[3] / "shared" / "data"

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "api-0",
        "namespace": "shop",
        "uid": "u1",
        "managedFields": [{"time": "2026-11-22T06:00:00Z"}],
    },
    "spec": {"terminationGracePeriodSeconds": 15, "nodeName": "n1"},
}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "u2"}}
CORE = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "api-0.17", "namespace": "shop"},
    "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "api-0"},
    "reason": "BackOff",
    "message": "Back-off restarting failed container",
    "source": {"component": "kubelet", "host": "n1"},
    "firstTimestamp": "2026-11-22T06:00:00Z",
    "lastTimestamp": "2026-11-22T06:28:01Z",
    "count": 7,
    "type": "Warning",
}
NEWER = {
    "apiVersion": "events.k8s.io/v1",
    "kind": "Event",
    "metadata": {"name": "n1.9", "namespace": "default"},
    "regarding": {"kind": "Node", "name": "n1"},
    "reason": "NodeNotReady",
    "note": "Node n1 status is now: NodeNotReady",
    "reportingController": "node-controller",
    "eventTime": "2026-11-22T06:28:01.123456Z",
    "series": {"count": 3, "lastObservedTime": "2026-11-22T06:30:00.000000Z"},
    "deprecatedFirstTimestamp": None,
    "type": "Normal",
}


def listed(*items: object, indent: int | None = 4) -> str:
    return json.dumps(
        {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}, indent=indent
    )


def utc(hour: int, minute: int, second: int, micro: int = 0) -> datetime:
    return datetime(2026, 11, 22, hour, minute, second, micro, tzinfo=UTC)


def test_a_list_gives_items_with_their_exact_bytes(tmp_path):
    """Objects and events of one List are told apart; each raw is the very slice of the file."""
    text = listed(POD, CORE, NODE)
    sink = gathered(written(tmp_path, {"dump.json": text}))
    assert [Entity("Pod", "api-0", "shop"), Entity("Node", "n1")] == [version.entity for version in sink.objects]
    assert POD == sink.objects[0].manifest == json.loads(sink.objects[0].raw)
    assert all(item.raw.decode() in text for item in (*sink.objects, *sink.events))
    assert {"kubernetes/events", "kubernetes/objects"} == {source for source, _, _ in sink.reads}


def test_both_event_groups_read_alike(tmp_path):
    """core/v1 and events.k8s.io/v1: times, counts, entity, component and node from whichever field has them."""
    core, newer = gathered(written(tmp_path, {"events.json": listed(CORE, NEWER)})).events
    assert (utc(6, 28, 1), utc(6, 0, 0), 7) == (core.at, core.first_at, core.count)
    assert (Entity("Pod", "api-0", "shop"), "kubelet", "n1") == (core.entity, core.component, core.node)
    assert (utc(6, 30, 0), utc(6, 28, 1, 123456), 3) == (newer.at, newer.first_at, newer.count)
    assert (Entity("Node", "n1"), "node-controller", "n1") == (newer.entity, newer.component, newer.node)
    assert newer.message.startswith("Node n1 status")


def test_an_event_with_only_event_time_is_dated(tmp_path):
    """An event has firstTimestamp null with eventTime set, as the scheduler writes it."""
    event = {
        **CORE,
        "firstTimestamp": None,
        "lastTimestamp": None,
        "count": None,
        "eventTime": "2026-11-22T06:28:01.5Z",
    }
    found = gathered(written(tmp_path, {"events.json": listed(event)})).events[0]
    assert (utc(6, 28, 1, 500_000),) * 2 == (found.at, found.first_at)
    assert found.count == 1


def test_an_event_without_any_time_is_a_loss(tmp_path):
    """What cannot be placed in time is named."""
    event = {key: value for key, value in CORE.items() if not key.endswith("Timestamp")}
    sink = gathered(written(tmp_path, {"events.json": listed(event, CORE)}))
    assert len(sink.events) == 1
    assert len(sink.lost("without any time")) == 1


def test_a_single_object_keeps_the_whole_document(tmp_path):
    """Asked for one, kubectl get KIND NAME -o json writes one object: its raw is the document."""
    text = json.dumps(POD, indent=4)
    sink = gathered(written(tmp_path, {"pod.json": text + "\n"}))
    assert text.encode() == sink.objects[0].raw


def test_typed_lists_lend_their_kind(tmp_path):
    """API bodies and cluster-info dumps leave kind out of the items; keys may stand in any order."""
    bare = {"metadata": {"name": "api-0", "namespace": "shop"}, "spec": {}}
    head = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [bare]}
    tail = {"apiVersion": "v1", "items": [bare], "kind": "DeploymentList"}
    root = written(
        tmp_path,
        {
            "shop/pods.json": json.dumps(head),
            "cluster-resources/deployments/shop.json": json.dumps(tail),
            "x/replicasets.json": json.dumps([bare]),
        },
    )
    assert {"Pod", "Deployment", "ReplicaSet"} == {version.entity.kind for version in gathered(root).objects}


@pytest.mark.parametrize("explicit", [True, False])
def test_yaml_documents_and_lists(tmp_path, explicit):
    """Several documents, a List as kubectl writes it, and an indented one; raw is the text's slice."""
    several = yaml.safe_dump_all([POD, CORE], explicit_start=explicit)
    as_list = yaml.safe_dump({"apiVersion": "v1", "items": [POD, NODE, CORE], "kind": "List", "metadata": {"x": ""}})
    indented = "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Node\n    metadata:\n      name: n9\n"
    root = written(tmp_path, {"several.yaml": several, "list.yaml": as_list, "indented.yaml": indented})
    sink = gathered(root)
    assert ["n9", "api-0", "n1", "api-0"] == [version.entity.name for version in sink.objects]
    assert len(sink.events) == 2
    assert all(version.raw.decode() in several + as_list + indented for version in sink.objects)
    assert sink.objects[1].manifest == POD
    assert [] == sink.lost()


def test_hostile_yaml_is_a_loss(tmp_path):
    """Aliases that multiply, and nesting without end, are refused before anything is built."""
    laughs = "apiVersion: v1\nkind: ConfigMap\na: &a [x, x]\nb: &b [*a, *a]\nmetadata: {name: x}\n"
    deep = "apiVersion: v1\nkind: ConfigMap\nmetadata: " + "[" * 5000
    sink = gathered(written(tmp_path, {"a.yaml": laughs, "b.yaml": deep, "c.yaml": yaml.safe_dump(POD)}))
    assert ["api-0"] == [version.entity.name for version in sink.objects]
    assert (1, 1) == (len(sink.lost("aliases")), len(sink.lost("nested too deep")))


def test_half_a_json_gives_the_whole_items(tmp_path):
    """The items before the cut are read; the cut is a loss of that source."""
    text = listed(*[{**CORE, "message": f"m{at}"} for at in range(100)])
    sink = gathered(written(tmp_path, {"events.json": text[: len(text) // 2], "whole.json": json.dumps(POD)}))
    assert [f"m{at}" for at in range(len(sink.events))] == [event.message for event in sink.events]
    assert 40 <= len(sink.events) <= 55
    assert ["kubernetes/events"] == [gap.source for gap in sink.lost("ends in the middle")]


def test_a_watch_writes_objects_one_after_another(tmp_path):
    """What kubectl get -w -o json concatenates objects."""
    sink = gathered(written(tmp_path, {"watch.json": json.dumps(POD) + "\n" + json.dumps(NODE, indent=2)}))
    assert ["api-0", "n1"] == [version.entity.name for version in sink.objects]


def test_an_empty_list_was_looked_at(tmp_path):
    """No events is an answer: the file is booked as read, nothing is lost."""
    sink = gathered(written(tmp_path, {"shop/events.json": listed()}))
    assert ["kubernetes/events"] == [source for source, _, _ in sink.reads]
    assert [] == sink.gaps


def test_strings_that_cannot_be_stored_are_replaced(tmp_path):
    """A lone surrogate escape and broken bytes reach no string of an item, and raw keeps the bytes."""
    text = listed({**CORE, "message": "MARK"}, indent=None).encode().replace(b"MARK", b"\\ud800 \xff")
    event = gathered(written(tmp_path, {"events.json": text})).events[0]
    assert event.message == "\ufffd \ufffd"
    assert event.raw in text


def test_windows_powershell_writes_utf16(tmp_path):
    """A redirect in PowerShell gives UTF-16 with a mark; it reads the same and is counted."""
    sink = gathered(written(tmp_path, {"pods.json": listed(POD).encode("utf-16")}))
    assert sink.objects[0].manifest == POD
    assert sink.odd("UTF-16") == 1


def test_pods_known_from_events_place_their_logs(tmp_path):
    """A deleted pod lives in events only; its log still finds its namespace."""
    event = {**CORE, "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "gone-0"}}
    line = "2026-11-22T06:28:01.123456789Z x\n"
    sink = gathered(written(tmp_path, {"events.json": listed(event), "collected/gone-0/app.log": line}))
    assert [("shop", "gone-0", "app")] == [(s.namespace, s.pod, s.container) for s in sink.streams]


def test_real_event_dumps_parse_fully():
    """Events of a real cluster, every one, each raw decoding to what was stored."""
    if not (DATA / "kubernetes-events").is_dir():
        pytest.skip(f"no real event dumps at {DATA}")
    sink = gathered(DATA / "kubernetes-events")
    expected = sum(len(json.loads(file.read_bytes())["items"]) for file in (DATA / "kubernetes-events").glob("*.json"))
    assert expected == len(sink.events)
    assert [] == sink.lost()
    assert all(json.loads(event.raw)["reason"] == event.reason for event in sink.events)


@pytest.mark.parametrize(
    "name", ["Apache", "Linux", "Hadoop", "Spark", "Zookeeper", "OpenStack", "Windows", "BGL", "OpenSSH", "Mac"]
)
def test_real_logs_are_dated(name):
    """Real logs of other software, as lone files: every byte kept, nearly every line dated from inside."""
    file = DATA / "loghub_2k" / name / f"{name}_2k.log"
    if not file.exists():
        pytest.skip(f"no real logs at {DATA}")
    lines = gathered(file).lines[0]
    assert file.read_bytes().replace(b"\r\n", b"\n").removesuffix(b"\n") == b"\n".join(raw for _, raw, _ in lines)
    assert sum(1 for at, _, _ in lines if at > 0) == len(lines)
