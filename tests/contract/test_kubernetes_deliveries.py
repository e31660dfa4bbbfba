"""Deploys that a live cluster tells of: Argo CD's, Flux's and Helm's, with the least rights and nobody's secrets."""

import json

import pytest
from kube_api import KubeApi
from kubernetes_situations import NOW, WINDOW, event, lines, pod, small
from unit.export_sink import RecordingSink

from bot.cluster.access import ClusterAccess
from bot.domain.items import ItemId
from bot.domain.signal import Kind
from bot.signals.delivery_changes import delivery_acts
from bot.signals.object_changes import change_acts
from bot.signals.topology import read_topology
from bot.sources.kubernetes import KubernetesSource

SECRET = "hunter2"
ARGO, HELM, FLUX = "argoproj.io", "helm.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io"


@pytest.fixture
def api():
    """A cluster with a namespace that is asked about."""
    with KubeApi() as running:
        running.put(pod("a"), pod("b", namespace="office"))
        running.log("web", "a", "app", lines(3)).log("office", "b", "app", lines(3))
        yield running


def read(api, folder, **more):
    """Read it into a sink."""
    access = ClusterAccess(kubeconfig=api.kubeconfig(folder))
    sink = RecordingSink()
    source = KubernetesSource(access=access, window=WINDOW, clock=lambda: NOW, **more)
    source.gather(sink, lambda _stage, _done, _total: None)
    return sink


def acts(sink):
    """Give the deploys that are read off what was stored."""
    rows = [(ItemId(f"O{n}"), version) for n, version in enumerate(sink.objects)]
    return [(str(act.entity), act.label, act.note, [str(each) for each in act.mentions]) for act in delivery_acts(rows)]


def application(name, into):
    """Give an Application of Argo CD in its own namespace, with a parameter that is a secret."""
    source = {
        "repoURL": f"https://bot:{SECRET}@git.example.com/apps.git",
        "path": f"apps/{name}",
        "helm": {"parameters": [{"name": "db.password", "value": SECRET}], "values": SECRET},
    }
    synced = {"id": 3, "revision": "0123456789" * 4, "deployedAt": "2026-11-22T00:20:00Z", "source": source, "initiatedBy": {"username": "alice"}}  # fmt: skip
    failed = {"phase": "Failed", "finishedAt": "2026-11-22T00:30:00Z", "message": "one or more objects failed to apply", "operation": {"sync": {"source": source}}, "syncResult": {"revision": "v2", "source": source}}  # fmt: skip
    return {
        "kind": "Application",
        "apiVersion": f"{ARGO}/v1alpha1",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {"destination": {"namespace": into}, "source": source},
        "status": {
            "history": [synced],
            "operationState": failed,
            "resources": [{"group": "apps", "kind": "Deployment", "name": name, "namespace": into}],
        },
    }


def helm_release():
    """Give a HelmRelease of Flux whose values hold a secret."""
    shot = {"chartName": "web", "chartVersion": "2.0.0", "status": "deployed", "lastDeployed": "2026-11-22T00:10:00Z"}
    return {
        "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": "flux-system"},
        "spec": {"targetNamespace": "web", "values": {"password": SECRET}},
        "status": {"history": [shot]},
    }


def kustomization(inventory="web_front_apps_Deployment"):
    """Give a Kustomization of Flux that substitutes a secret."""
    shot = {"digest": "sha256:1", "firstReconciled": "2026-11-22T00:15:00Z", "lastReconciledStatus": "HealthCheckFailed", "metadata": {"revision": "main@sha1:" + "ab" * 20}}  # fmt: skip
    return {
        "kind": "Kustomization",
        "metadata": {"name": "apps", "namespace": "flux-system"},
        "spec": {"postBuild": {"substitute": {"password": SECRET}}, "path": "./apps"},
        "status": {"history": [shot], "inventory": {"entries": [{"id": inventory, "v": "v1"}]}},
    }


def install(api):
    """Install Argo CD and Flux, Flux in an older version."""
    api.install("Application", ARGO, "v1alpha1", "applications")
    api.install("HelmRelease", HELM, "v2beta2", "helmreleases")
    api.install("Kustomization", FLUX, "v1", "kustomizations")
    api.put(application("web", "web"), application("desk", "office"), helm_release(), kustomization())


def test_deploys_of_the_tools_are_read_wherever_they_are_kept(api, tmp_path):
    """Deploys into the namespace asked about come from the tools' own namespaces; others' deploys and all values do not."""
    install(api)
    sink = read(api, tmp_path, namespaces=("web",))
    assert [
        ("Application argocd/web", "deployed", "revision 01234567 of apps/web, by alice", ["Deployment web/web"]),
        (
            "Application argocd/web",
            "failed to deploy",
            "revision v2; one or more objects failed to apply",
            ["Deployment web/web"],
        ),
        ("HelmRelease flux-system/web", "deployed", "chart web 2.0.0", []),
        (
            "Kustomization flux-system/apps",
            "deployed",
            "revision main@abababab, HealthCheckFailed",
            ["Deployment web/front"],
        ),
    ] == acts(sink)
    assert [] == sink.lost()
    assert [] == [each for each in sink.objects if SECRET in json.dumps(each.manifest) or SECRET.encode() in each.raw]


def test_deploys_into_other_clusters_are_not_of_this_one(api, tmp_path):
    """A tool that runs here may deploy into a namespace of the same name elsewhere: that is counted and left out."""
    install(api)
    away = application("web", "web")
    for where in ({"server": "https://10.2.0.1:6443"}, {"name": "west"}):
        api.put({**away, "spec": {"destination": {**where, "namespace": "web"}}})
        assert {"HelmRelease", "Kustomization"} == deployers(read(api, tmp_path, namespaces=("web",)))
    here = {"server": "https://kubernetes.default.svc", "namespace": "web"}
    api.put(
        {**away, "spec": {"destination": here}},
        {**helm_release(), "spec": {"targetNamespace": "web", "kubeConfig": {}}},
    )
    sink = read(api, tmp_path, namespaces=("web",))
    assert {"Application", "HelmRelease", "Kustomization"} == deployers(sink)
    api.put({**helm_release(), "spec": {"targetNamespace": "web", "kubeConfig": {"secretRef": {"name": "west"}}}})
    sink = read(api, tmp_path, namespaces=("web",))
    assert {"Application", "Kustomization"} == deployers(sink)
    assert [1] == [gap.count for gap in sink.gaps if "other clusters" in gap.what]


def deployers(sink):
    """Give the kinds of delivery tools' objects that were stored."""
    return {each.entity.kind for each in sink.objects} & {"Application", "HelmRelease", "Kustomization"}


def test_no_tool_no_noise(api, tmp_path):
    """Without the tools nothing is missing, though the credentials may not list them: it is said that they are not there."""
    api.forbidden |= {("list", "applications"), ("list", "helmreleases"), ("list", "kustomizations")}
    api.install("Rollout", ARGO, "v1alpha1", "rollouts")
    sink = read(api, tmp_path)
    assert [] == sink.gaps
    assert [("kubernetes/objects", "neither Argo CD nor Flux is installed")] == [
        each for each in sink.details if "Argo" in each[1]
    ]


def test_a_forbidden_tool_is_one_gap_and_the_doctor_prints_its_rule(api, tmp_path):
    """Where the tool is there and may not be listed, the rule that is missing is in the report and in the doctor's fix."""
    install(api)
    api.forbidden.add(("list", "applications"))
    rule = 'apiGroups: ["argoproj.io"], resources: ["applications"], verbs: [list]'
    sink = read(api, tmp_path)
    assert [1] == [gap.count for gap in sink.lost("applications") if rule in gap.what]
    access = ClusterAccess(kubeconfig=api.kubeconfig(tmp_path))
    (found,) = KubernetesSource(access=access, window=WINDOW).examine()
    assert ("warning", True) == (found.state, rule in found.fix)


def test_rights_in_single_namespaces_are_used(api, tmp_path):
    """Where the whole cluster's may not be listed, those of the namespaces asked about are."""
    install(api)
    api.put({**application("own", "web"), "metadata": {"name": "own", "namespace": "web"}})
    api.forbidden |= {("list", "applications", ""), ("list", "applications", "office")}
    sink = read(api, tmp_path, namespaces=("web", "office"))
    assert {"own"} == {each.entity.name for each in sink.objects if each.entity.kind == "Application"}
    assert [] == sink.lost("applications")


def stored(kind, number, status="superseded", name="shop.v2"):
    """Give an object in which Helm keeps a revision of a release."""
    labels = {"owner": "helm", "name": name, "version": str(number), "status": status}
    meta = {"name": f"sh.helm.release.v1.{name}.v{number}", "namespace": "web", "labels": labels, "creationTimestamp": f"2026-11-22T00:0{number}:00Z"}  # fmt: skip
    return {"kind": kind, "metadata": meta, "data": {"release": SECRET}, "type": "helm.sh/release.v1"}


def deployed_by_helm():
    """Give a Deployment as Helm marks it."""
    marks = {"meta.helm.sh/release-name": "shop.v2", "meta.helm.sh/release-namespace": "web"}
    return {"kind": "Deployment", "metadata": {"name": "shop", "namespace": "web", "annotations": marks}, "spec": {}}


def test_helm_releases_are_read_by_name_where_a_person_allows_it(api, tmp_path):
    """Revisions, their times and what they touched come from names and labels; no byte of a Secret's contents is asked for."""
    api.forbidden.clear()
    api.put(stored("Secret", 1), stored("Secret", 2, "failed"), deployed_by_helm())
    api.put({"kind": "Secret", "metadata": {"name": "token", "namespace": "web"}, "data": {"x": SECRET}})
    sink = read(api, tmp_path, namespaces=("web",), helm_secrets=True)
    told = ("HelmRelease web/shop.v2", "deployed")
    assert [
        (*told, "Helm revision 1", ["Deployment web/shop"]),
        (*told, "Helm revision 2, failed", ["Deployment web/shop"]),
    ] == acts(sink)
    assert SECRET not in "".join(json.dumps(each.manifest) for each in sink.objects)
    assert {"owner=helm"} == {query["labelSelector"] for path, query in api.asked if path.endswith("/secrets")}
    assert "token" not in {each.entity.name for each in sink.objects}


def test_helm_releases_in_config_maps_need_no_right_beyond_the_usual(api, tmp_path):
    """Helm's other way to keep them is read with the ConfigMaps' names, and nobody asks for a Secret."""
    api.put(stored("ConfigMap", 1))
    assert ["Helm revision 1"] == [note for _, _, note, _ in acts(read(api, tmp_path))]
    assert [] == [path for path, _ in api.asked if "secrets" in path]


@pytest.mark.parametrize("how", ["forbidden", "absent"])
def test_events_are_read_by_their_other_name(api, tmp_path, how):
    """Where the core group's events may not be listed or are not served, those of events.k8s.io are; the doctor is content."""
    small(api)
    if how == "forbidden":
        api.forbidden.add(("list", "/events"))
    else:
        api.absent.add("/events")
    sink = read(api, tmp_path)
    assert 4 == len(sink.events)
    assert [] == sink.lost()
    access = ClusterAccess(kubeconfig=api.kubeconfig(tmp_path))
    assert ["ok"] == [each.state for each in KubernetesSource(access=access, window=WINDOW).examine()]


def test_events_by_neither_name_are_one_gap_with_the_rule(api, tmp_path):
    """What is missing is named as most clusters' rules name it."""
    api.put(event(1))
    api.forbidden |= {("list", "/events"), ("list", "events.k8s.io/events")}
    (gap,) = read(api, tmp_path, namespaces=("web",)).lost("events in web")
    assert 'apiGroups: [""], resources: ["events"], verbs: [list]' in gap.what


def revision(kind, owner, number, **more):
    """Give a revision of a workload as its controller keeps it."""
    meta = {
        "name": f"{owner[1]}-{number}",
        "namespace": "web",
        "creationTimestamp": f"2026-11-22T00:{number:02}:00Z",
        "annotations": {
            "deployment.kubernetes.io/revision": str(number),
            "kubernetes.io/change-cause": f"release {number}",
        },
        "ownerReferences": [{"kind": owner[0], "name": owner[1], "controller": True}],
    }
    return {"kind": kind, "metadata": meta, **more}


def test_rollouts_are_read_off_the_revisions_that_controllers_keep(api, tmp_path):
    """ReplicaSets tell a Deployment's rollouts and what changed, ControllerRevisions a StatefulSet's; the first is no rollout."""
    for number, image in ((1, "app:1"), (2, "app:2")):
        template = {"spec": {"containers": [{"name": "app", "image": image}]}}
        api.put(revision("ReplicaSet", ("Deployment", "shop"), number, spec={"template": template}))
        api.put(revision("ControllerRevision", ("StatefulSet", "db"), number, revision=number, data={"spec": {}}))
    sink = read(api, tmp_path)
    rows = [(ItemId(f"O{n}"), version) for n, version in enumerate(sink.objects)]
    topology = read_topology(rows, [], [])
    assert [
        ("Deployment web/shop", "app: 1 → 2; cause given: release 2"),
        ("StatefulSet web/db", "revision 2; cause given: release 2"),
    ] == sorted((str(act.entity), act.note) for act in change_acts(rows, topology) if act.kind is Kind.ROLLOUT)
