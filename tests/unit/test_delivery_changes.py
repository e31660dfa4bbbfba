"""What delivery tools remember becomes changes: when, what, and which workloads it touched."""

from datetime import UTC, datetime
from time import process_time

from test_event_signals import Recorder

from bot.domain.entity import Entity
from bot.domain.items import ItemId, ObjectVersion
from bot.domain.signal import Kind
from bot.signals.delivery_changes import delivery_acts, written_cause

WEB = Entity("Deployment", "web", "shop")
COMMIT = "8d3f6a1c9b2e4f70a5c3d1e8b7f6a5c4d3e2f1a0"


def version(manifest):
    """Give an object as it was read."""
    meta = manifest["metadata"]
    entity = Entity(manifest["kind"], meta["name"], meta.get("namespace"))
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return ObjectVersion(entity=entity, uid=None, observed_at=at, manifest=manifest, raw=b"")


def acts(*manifests):
    """Give the changes that objects tell of."""
    rows = [(ItemId(f"O{n}"), version(each)) for n, each in enumerate(manifests, start=1)]
    return [(str(a.entity), a.note, a.start_s, a.mentions, a.kind) for a in delivery_acts(rows)]


def second(clock):
    """Give a time of the day as seconds since the epoch."""
    return datetime.fromisoformat(f"2026-11-18T{clock}+00:00").timestamp()


def test_argo_cd_keeps_a_history_of_deploys():
    """Each entry is a change once, however many versions of the object hold it, with what it manages."""
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web", "namespace": "argocd"},
        "status": {
            "history": [
                {"id": 1, "revision": COMMIT, "deployedAt": "2026-11-18T08:00:00Z", "source": {"path": "apps/web"}},
                {"id": 2, "revision": "1.4.0", "deployedAt": "2026-11-18T09:30:00Z", "source": {"chart": "web"}},
                {"id": 3, "revision": "x"},
            ],
            "resources": [
                {"group": "apps", "kind": "Deployment", "name": "web", "namespace": "shop"},
                {"kind": "ServiceAccount", "name": "web", "namespace": "shop"},
            ],
        },
    }
    told = ("Application argocd/web", Kind.CONFIG_CHANGE)
    assert [
        (told[0], "revision 8d3f6a1c of apps/web", second("08:00:00"), (WEB,), told[1]),
        (told[0], "revision 1.4.0 of web", second("09:30:00"), (WEB,), told[1]),
    ] == acts(application, application)


def test_argo_cd_tells_several_sources_who_synced_and_what_failed():
    """Each source stands with its revision; a failed operation is a change of its own, with the tool's words."""
    entry = {
        "deployedAt": "2026-11-18T08:00:00Z",
        "revisions": ["1.4.0", COMMIT],
        "sources": [{"chart": "web"}, {"path": "values"}],
        "initiatedBy": {"username": "alice"},
    }
    failed = {"phase": "Error", "finishedAt": "2026-11-18T09:00:00Z", "message": "hook\nfailed", "syncResult": {"revision": "1.5.0"}}  # fmt: skip
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web", "namespace": "argocd"},
        "status": {"history": [entry], "operationState": failed},
    }
    assert ["revision 1.4.0 of web, revision 8d3f6a1c of values, by alice", "revision 1.5.0; hook failed"] == [
        note for _, note, *_ in acts(application)
    ]


def test_what_helm_stored_is_told_once_and_not_beside_flux():
    """A revision is a change at the time its object was made; where Flux made it, Flux's own history tells it."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "sh.helm.release.v1.web.v7", "namespace": "shop", "creationTimestamp": "2026-11-18T08:00:00Z", "labels": {"owner": "helm", "status": "deployed"}},
    }  # fmt: skip
    flux = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "web", "namespace": "shop"}}  # fmt: skip
    assert [("Helm revision 7", second("08:00:00"))] == [(note, at_s) for _, note, at_s, *_ in acts(secret, secret)]
    assert [] == acts(secret, flux)


def test_flux_helm_releases_name_charts_and_failures():
    """Workloads are found by the labels of Flux, or by the release that Helm wrote on them; the Secret is not needed."""
    release = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": "shop"},
        "status": {
            "history": [
                {"chartName": "web", "chartVersion": "2.1.0", "appVersion": "5.0", "status": "failed", "lastDeployed": "2026-11-18T10:00:00Z"},
                {"chartName": "web", "chartVersion": "2.0.9", "status": "superseded", "lastDeployed": "2026-11-18T07:00:00Z"},
            ]
        },
    }  # fmt: skip
    labelled = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop", "labels": {"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "shop"}}}  # fmt: skip
    owned = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "shop", "annotations": {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"}}}  # fmt: skip
    found = acts(release, labelled, owned)
    assert ["chart web 2.1.0 (app 5.0), failed", "chart web 2.0.9"] == [note for _, note, *_ in found]
    assert {(WEB, Entity("StatefulSet", "db", "shop"))} == {mentions for *_, mentions, _ in found}


def test_flux_kustomizations_name_revisions():
    """The first reconciliation of a revision is the change; the inventory tells what it touches."""
    kustomization = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "apps", "namespace": "flux-system"},
        "status": {
            "history": [{"firstReconciled": "2026-11-18T11:00:00Z", "metadata": {"revision": f"main@sha1:{COMMIT}"}}],
            "inventory": {"entries": [{"id": "shop_web_apps_Deployment", "v": "v1"}, {"id": "broken"}]},
        },
    }
    [(_, note, at_s, mentions, _)] = acts(kustomization)
    assert ("revision main@8d3f6a1c", second("11:00:00"), (WEB,)) == (note, at_s, mentions)


def test_other_objects_of_the_same_name_are_none_of_theirs():
    """A kind alone says nothing: the group must be the tool's; torn histories give nothing."""
    foreign = {"apiVersion": "app.k8s.io/v1", "kind": "Application", "metadata": {"name": "x"}, "status": {"history": [{"deployedAt": "2026-11-18T08:00:00Z"}]}}  # fmt: skip
    torn = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "x"}, "status": {"history": [None, 3, {"deployedAt": 5}]}}  # fmt: skip
    assert [] == acts(foreign, torn)


def replica_set(chart="", cause=""):
    """Give a ReplicaSet as Helm and kubectl mark it."""
    notes = {"kubernetes.io/change-cause": cause} if cause else {}
    labels = {"helm.sh/chart": chart} if chart else {}
    return version(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web", "labels": labels, "annotations": notes},
        }
    )


def test_a_rollout_tells_its_chart_and_its_cause():
    """What Helm and people wrote on the objects stands in the note; what stayed the same does not."""
    old, new = replica_set("web-2.0.9", "first"), replica_set("web-2.1.0", "raise  the\nlimit")
    assert "chart web-2.0.9 → web-2.1.0; cause given: raise the limit" == written_cause(old, new)
    assert "" == written_cause(new, new)
    assert "" == written_cause(replica_set(), replica_set())


def test_many_routes_are_told_in_time():
    """A controller that starts again all day tells of each of its routes each time; each is held against its own minute alone."""
    written = Recorder()
    for number in range(12_000):
        ingress = Entity("Ingress", f"web-{number % 100}", "shop")
        written.add(number // 100 * 10, ingress, "Sync", "Scheduled for sync", component="nginx-ingress-controller")
    begun = process_time()
    assert written.signals() == []
    assert process_time() - begun < 2.0
