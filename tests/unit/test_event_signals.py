"""Signals from Kubernetes Events: kinds, folding, directions, rollouts, and real recorded event lists."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId
from bot.domain.signal import BACK, Kind, Topology
from bot.domain.window import Window
from bot.signals.event_signals import event_signals
from bot.signals.topology import read_topology

START = datetime(2026, 11, 16, tzinfo=UTC)
WINDOW = Window(start=START, end=START + timedelta(days=5), asked="5d")
DATA = Path(__file__).parents[2].parent / "shared" / "data" / "kubernetes-events"
HPA = Entity("HorizontalPodAutoscaler", "web-hpa", "shop")
WEB = Entity("Deployment", "web", "shop")


class Recorder:
    """Writes events with ascending ids."""

    def __init__(self):
        self.rows = []

    def add(self, minute, entity, reason, message, *, warning=False, count=1, until=None, component=None, node=None):
        """Write one event, minutes counted from the window's start."""
        first = START + timedelta(minutes=minute)
        last = START + timedelta(minutes=minute if until is None else until)
        made = ClusterEvent(
            at=last, first_at=first, count=count, type="Warning" if warning else "Normal", reason=reason,
            message=message, entity=entity, component=component, node=node, raw=b"{}",
        )  # fmt: skip
        self.rows.append((ItemId(f"V{len(self.rows) + 1}"), made))

    def signals(self, topology=None):
        """Digest what was written."""
        return event_signals(self.rows, WINDOW, topology or read_topology([], self.rows, []))


def pod(name):
    return Entity("Pod", name, "shop")


def test_pods_killed_together_are_one_occurrence_of_their_workload():
    """Three pods, two containers each, stopped within seconds: one occurrence of size three on the Deployment."""
    events = Recorder()
    for name in ("web-7d9f8b6c5-xxxxx", "web-7d9f8b6c5-bbbbb", "web-7d9f8b6c5-ccccc"):
        events.add(10, pod(name), "Killing", "Stopping container web", component="kubelet", node="n1")
        events.add(10.1, pod(name), "Killing", "Stopping container sidecar", component="kubelet", node="n1")
    events.add(
        10, Entity("ReplicaSet", "web-7d9f8b6c5", "shop"), "SuccessfulDelete", "Deleted pod: web-7d9f8b6c5-bbbbb"
    )
    (killed,) = events.signals()
    assert (killed.kind, killed.entity, killed.total) == (Kind.POD_KILL, WEB, 3)
    assert [one.size for one in killed.occurrences] == [3.0]
    assert killed.nodes == frozenset({"n1"})


def test_rescale_direction_comes_from_the_reason_or_the_size_before():
    """All metrics below target means down; where the reason is silent the size before decides."""
    events = Recorder()
    events.add(
        0,
        HPA,
        "SuccessfulRescale",
        "New size: 6; reason: cpu resource utilization (percentage of request) above target",
    )
    events.add(0.05, WEB, "ScalingReplicaSet", "Scaled up replica set web-7d9f8b6c5 to 6 from 3")
    events.add(30, HPA, "SuccessfulRescale", "New size: 3; reason: All metrics below target")
    events.add(60, HPA, "SuccessfulRescale", "New size: 5")
    events.add(90, HPA, "SuccessfulRescale", "New size: 4; reason: Current number of replicas below Spec.MinReplicas")
    up, down = sorted(events.signals(), key=lambda signal: signal.kind, reverse=True)
    assert (up.kind, up.entity, [one.start_s - WINDOW.start_s for one in up.occurrences]) == (
        Kind.SCALE_UP,
        HPA,
        [0, 3600, 5400],
    )
    assert (down.kind, down.entity, down.total) == (Kind.SCALE_DOWN, HPA, 1)
    assert up.mentions == (WEB,)
    assert up.occurrences[0].refs == ("V1", "V2")


def test_a_new_replica_set_is_a_rollout_not_a_scaling():
    """Up of a new set and down of the old one is one rollout; a lone set that grows is a scaling by hand."""
    events = Recorder()
    events.add(0, WEB, "ScalingReplicaSet", "Scaled up replica set web-aaa to 5 from 3")
    for step, (new, old) in enumerate([(1, 4), (2, 3), (5, 0)]):
        events.add(100 + step, WEB, "ScalingReplicaSet", f"Scaled up replica set web-bbb to {new} from {step}")
        events.add(100.5 + step, WEB, "ScalingReplicaSet", f"Scaled down replica set web-aaa to {old}")
    events.add(200, WEB, "ScalingReplicaSet", "Scaled down replica set web-bbb to 2 from 5")
    found = {signal.kind: signal for signal in events.signals()}
    assert set(found) == {Kind.SCALE_UP, Kind.ROLLOUT, Kind.SCALE_DOWN}
    assert [(one.start_s - WINDOW.start_s, one.end_s - WINDOW.start_s) for one in found[Kind.ROLLOUT].occurrences] == [
        (6000, 6150)
    ]
    assert found[Kind.ROLLOUT].occurrences[0].note == "web-bbb replaces web-aaa"


def test_the_first_rollout_in_the_window_is_seen_without_history():
    """No earlier event is needed where the old set shrinks right after."""
    events = Recorder()
    events.add(5, WEB, "ScalingReplicaSet", "Scaled up replica set web-bbb to 1")
    events.add(6, WEB, "ScalingReplicaSet", "Scaled down replica set web-aaa to 0 from 1")
    assert [signal.kind for signal in events.signals()] == [Kind.ROLLOUT]


def test_a_set_that_goes_whole_before_the_next_comes_begins_the_rollout():
    """With the strategy Recreate the old pods are gone first: that is when it began, and no scaling."""
    events = Recorder()
    events.add(5, WEB, "ScalingReplicaSet", "Scaled down replica set web-aaa from 2 to 0")
    events.add(6, WEB, "ScalingReplicaSet", "Scaled up replica set web-bbb from 0 to 2")
    events.add(300, WEB, "ScalingReplicaSet", "Scaled down replica set web-bbb from 2 to 0")
    rollout, down = events.signals()
    assert (Kind.ROLLOUT, Kind.SCALE_DOWN) == (rollout.kind, down.kind)
    (one,) = rollout.occurrences
    assert (300, 360, "web-bbb replaces web-aaa") == (
        one.start_s - WINDOW.start_s,
        one.end_s - WINDOW.start_s,
        one.note,
    )


def test_dense_repeats_are_an_interval_and_sparse_ones_two_instants():
    """A folded event that repeats every ten seconds lasted; one that repeats every six hours did not."""
    events = Recorder()
    events.add(0, pod("db-0"), "Unhealthy", "Readiness probe failed: timeout", warning=True, count=60, until=10)
    events.add(20, pod("mq-0"), "FailedMount", "MountVolume.SetUp failed", warning=True, count=5, until=20 + 1440)
    probe, mount = events.signals()
    assert [(one.end_s - one.start_s, one.size) for one in probe.occurrences] == [(600, 60.0)]
    assert (probe.label, probe.subject) == ("readiness probe failed", "readiness")
    assert [one.end_s - one.start_s for one in mount.occurrences] == [0, 0]


@pytest.mark.parametrize(
    ("reason", "message", "kind"),
    [
        ("BackOff", "Back-off restarting failed container app in pod x", Kind.CRASH_LOOP),
        ("BackOff", 'Back-off pulling image "x"', Kind.IMAGE_PULL_FAILURE),
        ("Failed", "Error: ErrImagePull", Kind.IMAGE_PULL_FAILURE),
        ("Failed", 'Error: secret "db" not found', Kind.BAD_CONFIG),
        ("OOMKilling", "Memory cgroup out of memory: Killed process 7 (java)", Kind.OOM_KILL),
        ("Evicted", "The node was low on resource: memory.", Kind.EVICTION),
        ("NodeNotReady", "Node is not ready", Kind.NODE_FAILURE),
        ("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", Kind.SCHEDULING_FAILURE),
        ("FailedGetResourceMetric", "failed to get cpu utilization", Kind.AUTOSCALER_FAILURE),
        ("BackoffLimitExceeded", "Job has reached the specified backoff limit", Kind.JOB_FAILURE),
        ("Killing", "Container app failed liveness probe, will be restarted", Kind.CONTAINER_RESTART),
        ("FailedCreate", 'Error creating: pods "x" is forbidden: exceeded quota: q', Kind.QUOTA_EXCEEDED),
        ("NeverHeardOf", "something odd", Kind.ALERT),
    ],
)
def test_reasons_have_their_kinds(reason, message, kind):
    """Each well-known reason gets its kind, and an unknown Warning is kept as an alert under its name."""
    events = Recorder()
    events.add(1, pod("x"), reason, message, warning=True)
    (signal,) = events.signals()
    assert signal.kind is kind
    assert signal.label == (reason if kind is Kind.ALERT else signal.label)


def test_a_silent_node_fails_before_it_is_called_not_ready_and_its_pods_tell_of_it():
    """The node controller waits forty seconds; what it says of each pod is the node's failure, and names whom it hits."""
    recorder = Recorder()
    node = Entity("Node", "worker-1", None)
    placed = Topology(owner={pod("web-1"): WEB}, nodes={pod("web-1"): frozenset({"worker-1"})})
    recorder.add(10, node, "NodeNotReady", "Node worker-1 status is now: NodeNotReady")
    recorder.add(10, pod("web-1"), "NodeNotReady", "Node is not ready", warning=True)
    (found,) = recorder.signals(placed)
    assert (Kind.NODE_FAILURE, node, (WEB,)) == (found.kind, found.entity, found.mentions)
    assert [560.0] == [one.start_s - START.timestamp() for one in found.occurrences]


def test_what_controllers_try_again_later_still_stands_in_between():
    """A quota that refuses pods does so until it is raised, however far apart the attempts."""
    recorder = Recorder()
    for minute in (1, 2, 4, 8, 16, 32):
        recorder.add(
            minute,
            Entity("ReplicaSet", "web-7d8f9c6b5d", "shop"),
            "FailedCreate",
            'exceeded quota: "small"',
            warning=True,
        )
    (found,) = recorder.signals()
    assert 1 == len(found.occurrences)


def test_normal_life_is_no_signal():
    """Pulled, Scheduled and unknown Normal events are dropped, and so is what lies outside the window."""
    events = Recorder()
    events.add(1, pod("x"), "Pulled", "Container image already present on machine")
    events.add(1, pod("x"), "Whatever", "fine")
    events.add(-60, pod("x"), "Unhealthy", "Readiness probe failed", warning=True)
    assert events.signals() == []


def test_ids_and_order_do_not_depend_on_the_input_order():
    """The same events in another order give the same signals."""
    events = Recorder()
    events.add(1, pod("a-0"), "Unhealthy", "Liveness probe failed", warning=True)
    events.add(1, pod("b-0"), "Unhealthy", "Liveness probe failed", warning=True)
    topology = Topology()
    assert event_signals(events.rows, WINDOW, topology) == event_signals(events.rows[::-1], WINDOW, topology)


@pytest.mark.skipif(not DATA.exists(), reason="recorded event lists are not here")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("message-container-creating-failed-mount", Kind.MOUNT_FAILURE),
        ("message-image-pull-fail", Kind.IMAGE_PULL_FAILURE),
        ("message-pod-init-crashloop-backoff", Kind.CRASH_LOOP),
    ],
)
def test_recorded_lists_show_what_their_names_say(name, kind):
    """Event lists recorded from real clusters give the failure they were recorded for."""
    rows = []
    for item in json.loads((DATA / f"{name}.json").read_text())["items"]:
        about = item["involvedObject"]
        last = item.get("lastTimestamp") or item.get("eventTime") or item["metadata"]["creationTimestamp"]
        at = datetime.fromisoformat(last)
        made = ClusterEvent(
            at=at, first_at=datetime.fromisoformat(item.get("firstTimestamp") or last), count=item.get("count") or 1,
            type=item["type"], reason=item["reason"], message=item["message"],
            entity=Entity(about["kind"], about["name"], about.get("namespace")),
            component=(item.get("source") or {}).get("component"), node=None, raw=b"{}",
        )  # fmt: skip
        rows.append((ItemId(f"V{len(rows)}"), made))
    times = [event.at for _, event in rows]
    window = Window(start=min(times) - timedelta(hours=2), end=max(times) + timedelta(hours=1), asked="all")
    assert kind in {signal.kind for signal in event_signals(rows, window, read_topology([], rows, []))}


def test_pods_of_nobody_knows_which_node_tell_of_the_node_that_fell_silent_with_them():
    """What is said of a deleted pod is its node's failure, where exactly one node failed at that time."""
    recorder = Recorder()
    recorder.add(10, Entity("Node", "worker-1", None), "NodeNotReady", "Node worker-1 status is now: NodeNotReady")
    recorder.add(10.1, Entity("Pod", "web-7d8f9c6b5d-x2x4k", "shop"), "NodeNotReady", "Node is not ready", warning=True)
    (found,) = recorder.signals()
    assert ("worker-1", ["web"]) == (found.entity.name, [entity.name for entity in found.mentions])


def test_of_pods_evicted_for_disk_the_one_that_used_most_filled_it():
    """The kubelet names what each container held; a neighbour with megabytes is a victim, and memory is no disk."""
    events = Recorder()
    head = "The node was low on resource: ephemeral-storage. Threshold quantity: 10738, available: 9216Ki. "
    for name, used in (("web-7d9f8b6c5-xxxxx", "120Mi"), ("chat-5c9f8b6c5-bbbbb", "31Gi")):
        message = f"{head}Container app was using {used}, request is 0, has larger consumption of ephemeral-storage. "
        events.add(10, pod(name), "Evicted", message, warning=True, component="kubelet", node="n1")
    hogs = [one for one in events.signals() if one.kind is Kind.DISK_HOG]
    assert [(one.entity.name, one.nodes) for one in hogs] == [("chat", frozenset({"n1"}))]


def test_a_refusal_names_the_object_that_refuses():
    """Quota admission names the quota, and a drain that a budget blocks is told of the workload that may not go."""
    events = Recorder()
    events.add(4, pod("web-7d9f8b6c5-x2v4k"), "Scheduled", "Successfully assigned shop/web-7d9f8b6c5-x2v4k to n1")
    events.add(
        5, Entity("ReplicaSet", "web-7d9f8b6c5", "shop"), "FailedCreate",
        'Error creating: pods "web-7d9f8b6c5-x2v4k" is forbidden: exceeded quota: team-a, requested: requests.cpu=1', warning=True,
    )  # fmt: skip
    events.add(
        9, Entity("Node", "n1", None), "FailedDraining", "Failed to drain node, evicting pod shop/web-7d9f8b6c5-x2v4k violates a PDB",
        warning=True,
    )  # fmt: skip
    told = {one.kind: one for one in events.signals()}
    assert told[Kind.QUOTA_EXCEEDED].mentions == (Entity("ResourceQuota", "team-a", "shop"),)
    assert (told[Kind.DRAIN_BLOCKED].entity, told[Kind.DRAIN_BLOCKED].mentions) == (WEB, (Entity("Node", "n1", None),))


def test_what_is_missing_is_the_missing_objects_and_whoever_deleted_it_names_it():
    """A container that waits for a ConfigMap tells of the ConfigMap; Argo CD tells what it deleted."""
    events = Recorder()
    events.add(4, pod("web-7d9f8b6c5-x2v4k"), "Scheduled", "Successfully assigned shop/web-7d9f8b6c5-x2v4k to n1")
    events.add(5, pod("web-7d9f8b6c5-x2v4k"), "Failed", 'Error: configmap "flags" not found', warning=True)
    events.add(
        3, Entity("Application", "shop", "argocd"), "ResourceDeleted", "admin deleted resource /ConfigMap 'shop/flags'"
    )
    told = {one.kind: one for one in events.signals()}
    flags = Entity("ConfigMap", "flags", "shop")
    assert (flags, (WEB,)) == (told[Kind.BAD_CONFIG].entity, told[Kind.BAD_CONFIG].mentions)
    assert (flags,) == told[Kind.CONFIG_CHANGE].mentions


def test_a_scaling_that_no_autoscaler_made_can_begin_a_chain():
    """From four to fourteen by hand is somebody's decision; from zero is a rollout, and with an autoscaler it is the autoscaler's."""
    events = Recorder()
    events.add(5, WEB, "ScalingReplicaSet", "Scaled up replica set web-7d9f8b6c5 from 4 to 14")
    assert ["0.85"] == [one.attributes.get("standing") for one in events.signals()]
    assert [None] == [one.attributes.get("standing") for one in events.signals(Topology(targets={HPA: WEB}))]
    fresh = Recorder()
    fresh.add(5, WEB, "ScalingReplicaSet", "Scaled up replica set web-7d9f8b6c5 from 0 to 3")
    assert [None] == [one.attributes.get("standing") for one in fresh.signals()]


@pytest.mark.parametrize(
    ("downs", "back", "expected"),
    [([5], "web-7d9f8b6c5", "0.85"), ([5], "web-5f6d7c8b9", None), ([5], None, None), ([5, 100, 200, 300], "web-7d9f8b6c5", None)],
    ids=["brought-back", "another-comes", "an-old-one-ends", "by-a-schedule"],
)  # fmt: skip
def test_a_version_that_is_scaled_to_nothing_and_brought_back_is_somebodys_doing(downs, back, expected):
    """To nothing and back is no rollout; the end of an old version is one, and what does so daily is a routine."""
    events = Recorder()
    for minute in downs:
        events.add(minute, WEB, "ScalingReplicaSet", "Scaled down replica set web-7d9f8b6c5 to 0 from 3")
        if back:
            events.add(minute + 8, WEB, "ScalingReplicaSet", f"Scaled up replica set {back} to 3 from 0")
    found = [one.attributes.get("standing") for one in events.signals() if one.kind is Kind.SCALE_DOWN]
    assert expected == next(iter(found), None)


@pytest.mark.parametrize(
    ("looked_from", "another", "expected"),
    [(-90, None, "0.85"), (-20, None, None), (-90, -40, None)],
    ids=["long-alone", "events-begin-with-it", "a-new-version-before-it"],
)
def test_what_is_scaled_to_nothing_alone_is_somebodys_doing(looked_from, another, expected):
    """Where no new version came in the hour before, and its events would have been kept, nothing takes the old one's place."""
    events = Recorder()
    events.add(looked_from, Entity("Node", "n1"), "NodeReady", "Node n1 status is now: NodeReady", component="kubelet")
    if another is not None:
        events.add(another, WEB, "ScalingReplicaSet", "Scaled up replica set web-5f6d7c8b9 to 3 from 0")
    events.add(5, WEB, "ScalingReplicaSet", "Scaled down replica set web-7d9f8b6c5 to 0 from 3")
    found = [one.attributes.get("standing") for one in events.signals() if one.kind is Kind.SCALE_DOWN]
    assert expected == next(iter(found), None)


def test_a_reboot_that_ends_an_outage_is_no_second_one():
    """The kubelet reports the reboot when the node is back; one after the node was ready again is an outage of its own."""
    node = Entity("Node", "n1")
    events = Recorder()
    events.add(10, node, "NodeNotReady", "Node n1 status is now: NodeNotReady", component="node-controller")
    events.add(80, node, "Rebooted", "Node n1 has been rebooted, boot id: 1", warning=True, component="kubelet")
    (lost,) = events.signals()
    assert (Kind.NODE_FAILURE, 1) == (lost.kind, len(lost.occurrences))
    events.add(81, node, "NodeReady", "Node n1 status is now: NodeReady", component="kubelet")
    events.add(300, node, "Rebooted", "Node n1 has been rebooted, boot id: 2", warning=True, component="kubelet")
    assert 2 == sum(len(each.occurrences) for each in events.signals())


def test_an_eviction_names_the_workload_that_signs_it():
    """A component signs its events with its own name: what evicts from within the cluster is one of its workloads."""
    events = Recorder()
    job = Entity("Job", "descheduler-29", "kube-system")
    events.add(1, Entity("CronJob", "descheduler", "kube-system"), "SuccessfulCreate", "Created job descheduler-29")
    events.add(2, pod("web-7d9f8b6c5-xxxxx"), "Descheduled", "pod evicted", component="sigs.k8s.io/descheduler")
    (evicted,) = (one for one in events.signals() if one.kind is Kind.EVICTION)
    assert (read_topology([], events.rows, []).root(job),) == evicted.mentions
    by_kubelet = Recorder()
    by_kubelet.add(2, pod("web-7d9f8b6c5-xxxxx"), "Evicted", "The node was low on memory", component="kubelet")
    assert [()] == [one.mentions for one in by_kubelet.signals()]


def test_an_eviction_to_resize_is_the_autoscalers_own_doing():
    """The updater of vertical pod autoscalers signs its evictions: they are its autoscaler's, and can begin a chain."""
    scaler = Entity("VerticalPodAutoscaler", "web", "shop")
    events = Recorder()
    for minute, reason, by in ((10, "EvictedByVPA", "vpa-updater"), (40, "Evicted", "kubelet")):
        events.add(minute, pod("web-7d9f8b6c5-xxxxx"), reason, "Pod was evicted", component=by)
    known = replace(read_topology([], events.rows, []), targets={scaler: WEB})
    resized, evicted = events.signals(known)
    assert (resized.entity, resized.mentions, evicted.entity) == (scaler, (WEB,), WEB)
    assert "standing" in resized.attributes
    assert "standing" not in evicted.attributes


def test_a_rollout_of_a_replica_set_that_was_replaced_puts_it_back():
    """``kubectl rollout undo`` makes no new ReplicaSet: the old one grows again; a third one is no return."""
    events = Recorder()
    for minute, fresh, old in ((0, "web-bbb", "web-aaa"), (100, "web-aaa", "web-bbb"), (200, "web-ccc", "web-aaa")):
        events.add(minute, WEB, "ScalingReplicaSet", f"Scaled up replica set {fresh} to 1 from 0")
        events.add(minute + 0.5, WEB, "ScalingReplicaSet", f"Scaled down replica set {old} to 0 from 1")
    (found,) = events.signals()
    assert [one.note for one in found.occurrences] == [
        "web-bbb replaces web-aaa",
        f"{BACK}web-aaa replaces web-bbb",
        "web-ccc replaces web-aaa",
    ]


@pytest.mark.parametrize(("routes", "told"), [(1, 2), (2, 2), (3, 0)])
def test_a_synced_route_was_changed_unless_all_are(routes, told):
    """ingress-nginx tells of each Ingress that is made or changed, and of every one of them when it starts."""
    written = Recorder()
    for minute in (200, 350):
        for number in range(routes):
            ingress = Entity("Ingress", f"web-{number}", "shop")
            written.add(minute, ingress, "Sync", "Scheduled for sync", component="nginx-ingress-controller")
    changes = [one for one in written.signals() if one.kind is Kind.CONFIG_CHANGE]
    assert told == max((len(one.occurrences) for one in changes), default=0)
