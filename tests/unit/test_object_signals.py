"""What objects tell: runs of jobs, rollouts, restarts, expiries, conditions and changes by people."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId, ObjectVersion
from bot.domain.signal import BACK, Kind
from bot.domain.window import Window, rfc3339
from bot.signals.job_runs import job_runs, schedule_period_s
from bot.signals.object_signals import object_signals
from bot.signals.topology import read_topology

START = datetime(2026, 11, 16, tzinfo=UTC)
WINDOW = Window(start=START, end=START + timedelta(days=5), asked="5d")


def at(hours):
    return rfc3339(START + timedelta(hours=hours))


def obj(kind, name, body, observed_hours=130.0):
    metadata = {"name": name, "namespace": "shop", **body.pop("metadata", {})}
    manifest = {"kind": kind, "metadata": metadata, **body}
    version = ObjectVersion(
        entity=Entity(kind, name, "shop"), uid=None, observed_at=START + timedelta(hours=observed_hours),
        manifest=manifest, raw=json.dumps(manifest).encode(),
    )  # fmt: skip
    return ItemId(f"O-{kind}-{name}-{observed_hours}"), version


def event(hours, kind, name, reason, message):
    when = START + timedelta(hours=hours)
    made = ClusterEvent(
        at=when, first_at=when, count=1, type="Normal", reason=reason, message=message,
        entity=Entity(kind, name, "shop"), component=None, node=None, raw=b"{}",
    )  # fmt: skip
    return ItemId(f"V-{hours}-{name}"), made


def signals(*objects):
    return {signal.kind: signal for signal in object_signals(objects, WINDOW, read_topology(objects, [], []))}


def spans(signal):
    return [((one.start_s - WINDOW.start_s) / 3600, (one.end_s - WINDOW.start_s) / 3600) for one in signal.occurrences]


def test_each_run_is_told_once_whoever_saw_it():
    """A Job object, controller events and a generated name tell three runs of one CronJob, none twice."""
    minute = int(START.timestamp() // 60)
    first, second, third = (f"etl-{minute + hours * 60}" for hours in (6, 12, 18))
    objects = [
        obj("CronJob", "etl", {"spec": {"schedule": "0 */6 * * *"}}),
        obj("Job", third, {"metadata": {"ownerReferences": [{"kind": "CronJob", "name": "etl"}]},
                           "status": {"startTime": at(18), "completionTime": at(18.5)}}),
    ]  # fmt: skip
    events = [
        event(12, "CronJob", "etl", "SuccessfulCreate", f"Created job {second}"),
        event(12.25, "Job", second, "Completed", "Job completed"),
        event(12.3, "CronJob", "etl", "SawCompletedJob", f"Saw completed job: {second}, condition: Complete"),
        event(18, "CronJob", "etl", "SuccessfulCreate", f"Created job {third}"),
        event(6.1, "Pod", f"{first}-x2x4z", "Started", "Started container etl"),
    ]
    topology = read_topology(objects, events, [])
    (runs,) = job_runs(events, objects, WINDOW, topology)
    assert Entity("CronJob", "etl", "shop") == runs.entity
    assert spans(runs) == [(6.1, 6.1), (12, 12.25), (18, 18.5)]
    assert (runs.period_s, runs.attributes) == (6 * 3600.0, {"schedule": "0 */6 * * *"})


def test_uneven_schedules_have_no_period():
    """Weekday schedules are not evenly spaced; nonsense has no period either."""
    assert schedule_period_s("0 3 * * 1-5", START) is None
    assert schedule_period_s("whenever", START) is None
    assert schedule_period_s("@hourly", START) == 3600.0


def replica_set(name, hours, image):
    return obj("ReplicaSet", name, {
        "metadata": {"creationTimestamp": at(hours), "ownerReferences": [{"kind": "Deployment", "name": "web"}]},
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": f"reg.io/web:{image}"}]}}},
    })  # fmt: skip


def test_a_second_replica_set_is_a_rollout_with_its_image_change():
    """The rollout stands at the new set's creation and says which image replaced which."""
    found = signals(replica_set("web-a", -500, "1.4.2"), replica_set("web-b", 30, "1.5.0"))
    rollout = found[Kind.ROLLOUT]
    assert (rollout.entity.kind, spans(rollout)) == ("Deployment", [(30, 30)])
    assert rollout.occurrences[0].note == "web: 1.4.2 → 1.5.0"


@pytest.mark.parametrize(("last", "back"), [("1.4.2", True), ("1.4.1", False)])
def test_a_rollout_to_what_ran_before_says_that_it_puts_it_back(last, back):
    """The same containers as an earlier revision are the return to it; another old version is another version."""
    sets = (replica_set("web-a", -500, "1.4.2"), replica_set("web-b", 30, "1.5.0"), replica_set("web-c", 31, last))
    notes = [one.note for one in signals(*sets)[Kind.ROLLOUT].occurrences]
    assert [False, back] == [note.startswith(BACK) for note in notes]
    assert notes[1].endswith(f"web: 1.5.0 → {last}")


@pytest.mark.parametrize(("last", "back"), [("1s", True), ("3s", False)])
def test_a_configuration_with_its_former_values_was_put_back(last, back):
    """The data of an earlier version are the return to it; a third value is none."""
    versions = [obj("ConfigMap", "web", {"data": {"timeout": value}}, hours) for value, hours in (("1s", 10), ("9s", 20), (last, 30))]  # fmt: skip
    changes = signals(*versions)[Kind.CONFIG_CHANGE].occurrences
    assert [False, back] == [one.note.startswith(BACK) for one in changes]


@pytest.mark.parametrize(("born", "rolled"), [(-2000, True), (29.9, False)])
def test_a_lone_replica_set_younger_than_its_deployment_is_a_rollout(born, rolled):
    """The one it replaced is not kept; the first one of a new Deployment replaced none."""
    deployment = obj("Deployment", "web", {"metadata": {"creationTimestamp": at(born)}})
    found = signals(deployment, replica_set("web-b", 30, "1.5.0"))
    assert ([(30, 30)] if rolled else []) == (spans(found[Kind.ROLLOUT]) if Kind.ROLLOUT in found else [])


def test_the_last_termination_is_told_with_its_reason():
    """An OOM kill and an orderly end of an init container are told apart."""
    pod = obj("Pod", "web-0", {
        "spec": {"nodeName": "n1", "containers": []},
        "status": {
            "containerStatuses": [{"name": "web", "restartCount": 3, "lastState": {"terminated": {
                "reason": "OOMKilled", "exitCode": 137, "finishedAt": at(50)}}}],
            "initContainerStatuses": [{"name": "init", "state": {"terminated": {
                "reason": "Completed", "exitCode": 0, "finishedAt": at(1)}}}],
        },
    })  # fmt: skip
    found = signals(pod)
    assert list(found) == [Kind.OOM_KILL]
    assert spans(found[Kind.OOM_KILL]) == [(50, 50)]
    assert found[Kind.OOM_KILL].nodes == frozenset({"n1"})


def test_a_certificate_expires_when_it_says():
    """``status.notAfter`` inside the window is an expiry; one beyond is none."""
    inside = obj("Certificate", "api-tls", {"spec": {"secretName": "api-tls"}, "status": {"notAfter": at(40)}})
    beyond = obj("Certificate", "other", {"status": {"notAfter": at(4000)}})
    found = signals(inside, beyond)
    assert spans(found[Kind.CERTIFICATE_EXPIRY]) == [(40, 40)]


def managed(manager, hours, fields, subresource=None):
    entry = {"manager": manager, "time": at(hours), "fieldsV1": fields}
    return entry | ({"subresource": subresource} if subresource else {})


def test_changes_by_people_count_and_those_by_controllers_do_not():
    """A kubectl write of data is a change; a status update and the creation itself are not."""
    config = obj("ConfigMap", "app", {
        "metadata": {"creationTimestamp": at(-900), "managedFields": [
            managed("kubectl-edit", 60, {"f:data": {}}), managed("kube-controller-manager", 70, {"f:data": {}})]},
        "data": {"LIMIT": "1"},
    })  # fmt: skip
    fresh = obj("ConfigMap", "new", {
        "metadata": {"creationTimestamp": at(20), "managedFields": [managed("helm", 20, {"f:data": {}})]}})  # fmt: skip
    found = signals(config, fresh)
    assert spans(found[Kind.CONFIG_CHANGE]) == [(60, 60)]
    assert found[Kind.CONFIG_CHANGE].entity.name == "app"
    note = found[Kind.CONFIG_CHANGE].occurrences[0].note  # of one version alone nobody knows which key it was
    assert note == "changed by kubectl-edit; what of it is not known, for one version alone was read"


def test_a_service_that_stands_for_a_host_outside_names_it():
    """What is changed in an alias breaks who asks for that host; a name inside is no host."""
    for host, named in (("db.example.com", (Entity("Host", "db.example.com"),)), ("db.data.svc.cluster.local", ())):
        fields = [managed("kubectl-edit", 60, {"f:spec": {"f:externalName": {}}})]
        alias = obj("Service", "db", {
            "metadata": {"creationTimestamp": at(-900), "managedFields": fields},
            "spec": {"type": "ExternalName", "externalName": host},
        })  # fmt: skip
        assert named == signals(alias)[Kind.CONFIG_CHANGE].mentions


def test_two_versions_tell_which_keys_changed_but_never_a_secrets_value():
    """The note names keys; a Secret's data is compared, not shown."""
    old = obj("Secret", "db", {"data": {"password": "b2xk"}}, observed_hours=10)
    new = obj("Secret", "db", {"data": {"password": "bmV3"}}, observed_hours=20)
    (one,) = signals(old, new)[Kind.SECRET_CHANGE].occurrences
    assert one.note == "password changed"


def test_a_changed_secret_names_who_reads_it():
    """Variables, files and projected volumes tie a workload to the Secrets and ConfigMaps it reads."""
    changed = managed("kubectl", 3, {"f:data": {}})
    env = [{"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]
    volumes = [{"name": "conf", "projected": {"sources": [{"configMap": {"name": "flags"}}]}}]
    template = {"spec": {"containers": [{"name": "app", "env": env}], "volumes": volumes}}
    found = signals(
        obj("Deployment", "web", {"spec": {"template": template}}),
        obj("Secret", "db", {"metadata": {"managedFields": [changed]}}),
        obj("ConfigMap", "flags", {"metadata": {"managedFields": [changed]}}),
    )
    web = (Entity("Deployment", "web", "shop"),)
    assert [web, web] == [found[Kind.SECRET_CHANGE].mentions, found[Kind.CONFIG_CHANGE].mentions]


def test_a_rollout_stands_still_from_its_last_progress_on():
    """The controller waits for the progress deadline before it says that a rollout is stuck."""
    condition = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "lastTransitionTime": at(2),
    }
    body = {"spec": {"progressDeadlineSeconds": 1800}, "status": {"conditions": [condition]}}
    found = signals(obj("Deployment", "web", body))
    assert [(1.5, 2.0)] == spans(found[Kind.ROLLOUT_STUCK])


def test_conditions_that_went_bad_are_told_and_calm_ones_not():
    """A stuck rollout, a sick node, a full quota and a capped autoscaler are told; one at its minimum is not."""
    bad = {"lastTransitionTime": at(33), "message": "m"}
    found = signals(
        obj("Deployment", "web", {"status": {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", **bad}]}}),
        obj("Node", "n1", {"status": {"conditions": [{"type": "Ready", "status": "Unknown", **bad}, {"type": "MemoryPressure", "status": "False", **bad}]}}),
        obj("ResourceQuota", "q", {"status": {"hard": {"pods": "10"}, "used": {"pods": "10"}}}),
        obj("HorizontalPodAutoscaler", "w", {"status": {"conditions": [{"type": "ScalingLimited", "status": "True", "reason": "TooFewReplicas", **bad}]}}),
    )  # fmt: skip
    assert set(found) == {Kind.ROLLOUT_STUCK, Kind.NODE_FAILURE, Kind.QUOTA_EXCEEDED}
    assert found[Kind.QUOTA_EXCEEDED].occurrences[0].note == "pods: 10 of 10"


def waiting_pod(name, *, ready_hours, started_hours, **more):
    status = {
        "name": "app",
        "image": "registry.example.com/app:2",
        "restartCount": 0,
        "state": {"running": {"startedAt": at(started_hours)}},
    }
    conditions = [{"type": "PodScheduled", "status": "True", "lastTransitionTime": at(ready_hours)},
                  {"type": "PodReadyToStartContainers", "status": "True", "lastTransitionTime": at(ready_hours)}]  # fmt: skip
    spec = more.pop("spec", {})
    state = {"conditions": conditions, "containerStatuses": [{**status, **more.pop("status", {})}], **more}
    return obj("Pod", name, {"spec": spec, "status": state})


def test_a_container_that_started_long_after_its_sandbox_stood_waited_for_its_image():
    """No events are left; the pod's own times tell that neither a node nor a volume was missing."""
    found = signals(waiting_pod("app-7d9f8-x2x", ready_hours=10, started_hours=11.25))
    assert [(10.0, 11.25)] == spans(found[Kind.IMAGE_PULL_FAILURE])
    assert "registry.example.com/app:2" in found[Kind.IMAGE_PULL_FAILURE].occurrences[0].note


def test_what_else_a_container_may_have_waited_for_is_no_late_image():
    """A start within minutes, after a restart, after init containers, with variables of a Secret: no word of images."""
    soon = waiting_pod("a-7d9f8-x2x", ready_hours=10, started_hours=10.1)
    again = waiting_pod("b-7d9f8-x2x", ready_hours=10, started_hours=15, status={"restartCount": 2})
    after = waiting_pod("c-7d9f8-x2x", ready_hours=10, started_hours=15, initContainerStatuses=[{"name": "migrate"}])
    given = waiting_pod("d-7d9f8-x2x", ready_hours=10, started_hours=15,
                        spec={"containers": [{"name": "app", "envFrom": [{"secretRef": {"name": "db"}}]}]})  # fmt: skip
    assert Kind.IMAGE_PULL_FAILURE not in signals(soon, again, after, given)


def test_malformed_manifests_give_nothing():
    """Oddly typed parts are empty ones, never an exception."""
    assert signals(obj("Pod", "p", {"status": "x", "spec": []}), obj("Node", "n", {"status": {"conditions": {}}})) == {}


def revision(name, hours, image, annotations, owner="web"):
    template = {"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": "app", "image": image}]}}
    metadata = {
        "creationTimestamp": at(hours),
        "ownerReferences": [{"kind": "Deployment", "name": owner, "controller": True}],
    }
    return obj("ReplicaSet", name, {"metadata": metadata, "spec": {"template": template}})


def test_a_revision_that_differs_in_annotations_alone_is_a_reload():
    """A new checksum brings no new program; a new image does."""
    first = revision("web-5c9f8b6c5", -50, "web:1", {"checksum/config": "a"})
    again = revision("web-6c9f8b6c5", 20, "web:1", {"checksum/config": "b"})
    new = revision("web-7c9f8b6c5", 40, "web:2", {"checksum/config": "b"})
    told = signals(first, again, new)
    assert spans(told[Kind.RELOAD]) == [(20, 20)]
    assert spans(told[Kind.ROLLOUT]) == [(40, 40)]


def test_an_object_that_forbids_is_a_change_from_its_creation():
    """A disruption budget made in the window changes what the pods it selects may do; a ConfigMap's creation is none."""
    labels = {"app": "web"}
    web = obj(
        "Deployment",
        "web",
        {"spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app"}]}}}},
    )
    budget = {"metadata": {"creationTimestamp": at(30)}, "spec": {"selector": {"matchLabels": labels}}}
    plain = obj("ConfigMap", "web", {"metadata": {"creationTimestamp": at(31)}})
    change = signals(web, plain, obj("PodDisruptionBudget", "web", budget))[Kind.CONFIG_CHANGE]
    assert (change.entity.kind, change.label, spans(change)) == ("PodDisruptionBudget", "created", [(30, 30)])
    assert change.mentions == (Entity("Deployment", "web", "shop"),)


def test_the_note_on_a_change_outlives_the_value_put_back():
    """Who puts a value back owns it from then on; the writer of its change-cause still tells when it was changed."""
    note = {"f:metadata": {"f:annotations": {"f:kubernetes.io/change-cause": {}}}}
    fields = [
        {"manager": "kubectl-edit", "operation": "Update", "time": at(10), "fieldsV1": note},
        {"manager": "helm", "operation": "Update", "time": at(14), "fieldsV1": {"f:data": {"f:url": {}}}},
    ]
    metadata = {"creationTimestamp": at(-90), "managedFields": fields}
    assert spans(signals(obj("ConfigMap", "web", {"metadata": metadata}))[Kind.CONFIG_CHANGE]) == [(10, 10), (14, 14)]


def test_whatever_somebody_wrote_is_a_change_of_those_it_is_for():
    """A Role without a spec, an Ingress whose settings are annotations, a policy that selects nobody and so holds for all."""
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"serviceAccountName": "runner", "containers": [{"name": "app"}]},
    }
    web = obj("Deployment", "web", {"spec": {"template": template}})
    old = at(-900)
    written = {
        "Role": {"f:rules": {}},
        "Ingress": {"f:metadata": {"f:annotations": {}}},
        "PeerAuthentication": {"f:spec": {}},
        "Deployment": {"f:spec": {}},  # its rollouts are told elsewhere
        "PersistentVolumeClaim": {"f:metadata": {"f:annotations": {}}},  # notes of controllers are no settings
    }
    changed = [
        obj(kind, "x", {"metadata": {"creationTimestamp": old, "managedFields": [managed("kubectl-edit", 9, fields)]}})
        for kind, fields in written.items()
    ]
    binding = obj(
        "RoleBinding",
        "x",
        {"roleRef": {"kind": "Role", "name": "x"}, "subjects": [{"kind": "ServiceAccount", "name": "runner"}]},
    )
    objects = [web, binding, *changed]
    found = object_signals(objects, WINDOW, read_topology(objects, [], []))
    named = {one.entity.kind: one.mentions for one in found if one.kind is Kind.CONFIG_CHANGE}
    of_web = (Entity("Deployment", "web", "shop"),)
    assert {"Role": of_web, "Ingress": (), "PeerAuthentication": of_web} == named


def test_a_service_made_anew_for_old_workloads_is_a_change():
    """Its address is another one now; a Service that is made with its workload is not told of."""
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app"}]}}
    for born, expected in ((-900, ["created"]), (29.5, [])):
        web = obj("Deployment", "web", {"metadata": {"creationTimestamp": at(born)}, "spec": {"template": template}})
        service = obj("Service", "web", {"metadata": {"creationTimestamp": at(30)}, "spec": {"selector": labels}})
        objects = [web, service]
        found = object_signals(objects, WINDOW, read_topology(objects, [], []))
        assert expected == [one.label for one in found if one.entity.kind == "Service"]


def test_the_deletion_of_what_others_read_is_a_change():
    """A ConfigMap that was deleted is told as such, with who reads it; a pod's deletion is no change of anybody's."""
    web = obj(
        "Deployment",
        "web",
        {
            "spec": {
                "template": {"spec": {"containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": "web"}}]}]}}
            }
        },
    )
    gone = {"metadata": {"creationTimestamp": at(-900), "deletionTimestamp": at(30)}}
    change = signals(web, obj("ConfigMap", "web", gone), obj("Pod", "web-1", gone))[Kind.CONFIG_CHANGE]
    assert (change.entity.kind, change.label, spans(change)) == ("ConfigMap", "deleted", [(30, 30)])
    assert change.mentions == (Entity("Deployment", "web", "shop"),)
