"""The cluster's reader and recorder against a real kube-apiserver, with the rights that the manifests give and no more.

``sh tests/live/build_apiserver.sh`` makes one of Debian's sources, once; without it these tests are skipped with a word. It is
version 1.20: what came later (CronJobs and disruption budgets in their present versions) it does not know.
"""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from unittest.mock import patch

import pytest
import yaml
from kube_recording import recording, until
from live.api_server import ROOT, USERS, Kubelet, api_server
from unit.export_sink import RecordingSink
from unit.test_recorder import all_time, read as archived, stamp, texts

from bot.archive.keeping import Keeper
from bot.archive.reading import Archive
from bot.cluster.access import ClusterAccess
from bot.domain.window import Window
from bot.sources.kubernetes import KubernetesSource, scope

SECRET = "hunter2"
NUMBERS = count()
BESIDE = {"Kustomization", "PodDisruptionBudget", "ClusterRole", "ClusterRoleBinding"}
"""What is no object, what 1.20 does not know, and what is there already."""
EVENTS_ONLY_NEW = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "newer-events"},
    "rules": [
        {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["list", "watch"]},
        {"apiGroups": [""], "resources": ["namespaces", "pods", "nodes"], "verbs": ["list", "watch"]},
    ],
}


def binding(role):
    """Give a role to the user of its name."""
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": role}]
    meta = {"name": role}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": meta, "roleRef": reference, "subjects": subjects}  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A real API server with the manifests' roles, a node, and a kubelet on it."""
    folder = tmp_path_factory.mktemp("apiserver")
    with api_server(folder) as api:
        certificates = folder / "certificates"
        with Kubelet(certificates / "apiserver.crt", certificates / "apiserver.key") as kubelet:
            rbac = yaml.safe_load_all((ROOT / "manifests/kubernetes/rbac.yaml").read_text("utf-8"))
            api.put(*(each for each in rbac if each["kind"] == "ClusterRole"), EVENTS_ONLY_NEW)
            api.put(*(binding(role) for role in USERS if role != "nobody"))
            status = {
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet.port}},
            }
            api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}, "status": status})
            api.kubelet = kubelet
            yield api


@pytest.fixture
def namespace(cluster):
    """A namespace of one's own."""
    name = f"shop-{next(NUMBERS)}"
    cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


def ago(**passed):
    """Give a time of just now."""
    return datetime.now(UTC) - timedelta(**passed)


def pod(name, namespace, *, running=True, restarts=0):
    """Give a pod on the node, running for some minutes."""
    began = {"running": {"startedAt": stamp(ago(minutes=50))}}
    status = {"name": "app", "image": "app:1", "imageID": "", "ready": True, "restartCount": restarts, "state": began}
    spec = {
        "nodeName": "n1",
        "containers": [{"name": "app", "image": "app:1", "env": [{"name": "PASSWORD", "value": SECRET}]}],
    }
    found = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    return found | ({"status": {"phase": "Running", "containerStatuses": [status]}} if running else {})


def event(name, namespace, *, newer=False):
    """Give an event about the pod ``a``, as controllers write it or as newer clients do."""
    about = {"kind": "Pod", "namespace": namespace, "name": "a", "apiVersion": "v1"}
    meta = {"name": name, "namespace": namespace}
    if newer:
        return {
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": meta, "regarding": about, "reason": "BackOff", "note": name,
            "type": "Warning", "eventTime": stamp(ago(minutes=2))[:-1] + ".000000Z", "reportingController": "c", "reportingInstance": "i",
            "action": "a",
        }  # fmt: skip
    at = stamp(ago(minutes=3))
    return {
        "apiVersion": "v1", "kind": "Event", "metadata": meta, "involvedObject": about, "reason": "BackOff", "message": name,
        "type": "Warning", "firstTimestamp": at, "lastTimestamp": at, "count": 2, "source": {"component": "kubelet", "host": "n1"},
    }  # fmt: skip


def source(api, folder, namespace=None, token=USERS[0], **more):
    """Make the reader of the last hour."""
    access = ClusterAccess(kubeconfig=api.kubeconfig(folder, token))
    window = Window(start=ago(hours=1), end=datetime.now(UTC), asked="1h")
    return KubernetesSource(access=access, window=window, namespaces=(namespace,) if namespace else (), **more)


def read(*arguments, **more):
    """Read it into a sink."""
    sink = RecordingSink()
    source(*arguments, **more).gather(sink, lambda *_: None)
    return sink


def told(sink):
    """Give everything that came, as one text."""
    return "".join(json.dumps(each.manifest) for each in sink.objects) + "".join(str(each.raw) for each in sink.objects)


def test_objects_events_and_logs_are_read_with_the_rights_of_the_manifests(cluster, namespace, tmp_path):
    """Both groups' events, a log through the kubelet, names of ConfigMaps; no Secret, no literal; what 1.20 lacks is said."""
    cluster.put(pod("a", namespace), event("old", namespace), event("new", namespace, newer=True))
    for kind in ("ConfigMap", "Secret"):
        meta = {"name": f"my-{kind.lower()}", "namespace": namespace}
        cluster.put({"apiVersion": "v1", "kind": kind, "metadata": meta, "data": {"x": "aHVudGVyMg=="}})
    line = f"{stamp(ago(minutes=30))[:-1]}.5Z hello\n".encode()
    cluster.kubelet.logs[namespace, "a", "app"] = line + b"not utf-8: \xff\n"
    sink = read(cluster, tmp_path, namespace)
    assert {"old", "new"} == {each.message for each in sink.events}
    assert [[line.rstrip(), b"not utf-8: \xff"]] == [[raw for _, raw, _ in lines] for lines in sink.lines]
    names = {(each.entity.kind, each.entity.name) for each in sink.objects}
    assert {("Pod", "a"), ("ConfigMap", "my-configmap"), ("Node", "n1")} <= names
    assert "Secret" not in {kind for kind, _ in names}
    assert not [word for word in (SECRET, "aHVudGVyMg==") if word in told(sink)]
    assert [] == [gap.what for gap in sink.lost() if "events reach back" not in gap.what]
    assert {"cronjobs (batch/v1)", "poddisruptionbudgets (policy/v1)", "horizontalpodautoscalers (autoscaling/v2)"} == {
        gap.what.removeprefix("this server knows no ") for gap in sink.gaps if not gap.lost
    }


def test_a_long_list_comes_in_pages(cluster, namespace, tmp_path):
    """Six hundred pods are three pages; none is lost and none comes twice."""
    cluster.put(*(pod(f"p{n:03d}", namespace, running=False) for n in range(600)))
    sink = read(cluster, tmp_path, namespace)
    assert [f"p{n:03d}" for n in range(600)] == sorted(
        each.entity.name for each in sink.objects if each.entity.kind == "Pod"
    )


def test_without_rights_every_rule_is_named_and_the_doctor_prints_it(cluster, namespace, tmp_path):
    """Its own words of refusal become the rules that are missing, for kinds it does not even know, too."""
    sink = read(cluster, tmp_path, namespace, token="nobody")
    assert sink.lost('apiGroups: [""], resources: ["pods"], verbs: [list]')
    assert not [gap for gap in sink.gaps if "applications" in gap.what]
    (found,) = source(cluster, tmp_path, token="nobody").examine()
    assert "wrong" == found.state
    assert 'apiGroups: [""], resources: ["pods/log"], verbs: [get]' in found.fix


def test_the_manifests_rights_satisfy_the_doctor(cluster, tmp_path):
    """SelfSubjectAccessReviews of a real server grant all that is needed, and no Secrets."""
    assert [("kubernetes", "ok")] == [(each.name, each.state) for each in source(cluster, tmp_path).examine()]


def test_the_manifests_are_accepted(cluster):
    """A real server takes each of them, and a pod of each Deployment; its version lacks disruption budgets as they are now."""
    items = [
        each
        for path in sorted((ROOT / "manifests/kubernetes").glob("*.yaml"))
        for each in yaml.safe_load_all(path.read_text("utf-8"))
        if each.get("kind", "Kustomization") not in BESIDE
    ]  # fmt: skip
    for item in sorted(items, key=lambda each: each["kind"] != "Namespace"):
        item["metadata"].setdefault("namespace", "rootcause")
        cluster.put(item)
        if item["kind"] == "Deployment":
            template = item["spec"]["template"]
            template["metadata"] |= {"name": item["metadata"]["name"], "namespace": "rootcause"}
            cluster.put({"apiVersion": "v1", "kind": "Pod", **template})


def test_events_are_read_by_their_newer_name(cluster, namespace, tmp_path):
    """Whoever may list only events.k8s.io's reads all of them, those of the older API's writers too."""
    cluster.put(pod("a", namespace), event("old", namespace), event("new", namespace, newer=True))
    sink = read(cluster, tmp_path, namespace, token="newer-events")
    assert {"old", "new"} == {each.message for each in sink.events}
    assert [] == [gap for gap in sink.lost("could not be read") if gap.source == "kubernetes/events"]


@pytest.mark.parametrize("token", ["rootcause-bot", "newer-events"])
def test_a_cluster_that_is_too_large_is_read_from_where_it_hurts(cluster, namespace, tmp_path, token):
    """Its own counts and field selectors lead there: by warnings, or by pods that do not run to whoever may not see warnings."""
    cluster.put(*(pod(f"p{n:03d}", namespace, running=False) for n in range(30)))
    cluster.put(*(event(f"e{n}", namespace) for n in range(9)))
    with patch.object(scope, "MOST_PODS", 1):
        sink = read(cluster, tmp_path, token=token)
    assert namespace in {each.entity.namespace for each in sink.objects if each.entity.kind == "Pod"}
    assert [gap for gap in sink.gaps if "namespaces were not" in gap.what]


def application_kind():
    """Give the definition of Argo CD's Applications, without a schema for what is in them."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"kind": "Application", "plural": "applications", "singular": "application", "listKind": "ApplicationList"}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": "argoproj.io", "scope": "Namespaced", "names": names, "versions": [version]}
    meta = {"name": "applications.argoproj.io"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta, "spec": spec}


def test_a_delivery_tool_is_looked_up_before_it_is_missed(cluster, namespace, tmp_path):
    """Without it nobody misses it, rights or not; once it is installed it is read, and refused by name to whoever may not."""
    for token in ("rootcause-bot", "newer-events"):
        assert ["neither Argo CD nor Flux is installed"] == [
            each for _, each in read(cluster, tmp_path, namespace, token=token).details if "Argo" in each
        ]
    cluster.put(application_kind())
    made = {
        "deployedAt": stamp(ago(minutes=9)),
        "revision": "v2",
        "id": 1,
        "source": {"path": "x", "helm": {"values": SECRET}},
    }
    application = {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"destination": {"namespace": namespace}}, "status": {"history": [made]},
    }  # fmt: skip
    until(lambda: _created(cluster, application))
    sink = read(cluster, tmp_path, namespace)
    assert ["web"] == [each.entity.name for each in sink.objects if each.entity.kind == "Application"]
    assert SECRET not in told(sink)
    assert read(cluster, tmp_path, namespace, token="newer-events").lost('apiGroups: ["argoproj.io"]')


def _created(cluster, item):
    """Create an object of a kind that the server may not know yet."""
    try:
        cluster.put(item)
    except OSError:
        return False
    return True


def test_changes_are_recorded_with_the_recorders_rights(cluster, namespace, tmp_path):
    """A real watch: events, versions, the log before a restart, a deletion; a version the server has compacted is listed anew."""

    class Led:
        """What a recording asks of a cluster."""

        kubeconfig = staticmethod(lambda folder: cluster.kubeconfig(folder, "rootcause-recorder"))

    with recording(Led, tmp_path, namespaces=(namespace,)) as recorder:
        until(lambda: sum(watch.healthy for watch in recorder.watches) >= 7)
        cluster.put(pod("a", namespace), event("heard", namespace))
        until(lambda: "heard" in {each.message for each in archived(tmp_path, all_time()).events})
        cluster.kubelet.logs[namespace, "a", "app"] = f"{stamp(ago(minutes=1))[:-1]}.5Z last words\n".encode()
        cluster.become(pod("a", namespace, restarts=1))
        until(lambda: recorder.taker.bytes)
        cluster.drop(pod("a", namespace))
        until(lambda: recorder.heard >= 6)
    assert "true" == cluster.kubelet.asked[-1]["previous"]
    assert ["last words"] == texts(archived(tmp_path, all_time()))
    states = {watch.resource.plural: watch.state for watch in recorder.watches}
    assert {"cronjobs", "horizontalpodautoscalers"} == {name for name, state in states.items() if state != "watching"}
    assert {"a"} == {each.entity.name for each in archived(tmp_path, all_time()).objects if each.entity.kind == "Pod"}
    events = f"events in {namespace}"
    keeper = Keeper(tmp_path / "archive.sqlite")
    keeper.mark(events, "1")
    keeper.close()
    cluster.compact()
    assert 1 == spans(tmp_path, events)
    with recording(Led, tmp_path, namespaces=(namespace,)):
        until(lambda: spans(tmp_path, events) == 2)


def spans(folder, what):
    """Count the times without a pause in which something was watched."""
    with closing(Archive(folder / "archive.sqlite")) as archive:
        return archive._connection.execute("SELECT count(*) FROM spans WHERE what = ?", (what,)).fetchone()[0]
