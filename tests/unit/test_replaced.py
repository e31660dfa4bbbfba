"""Rollouts and absences of StatefulSets' and DaemonSets' pods, by the pods' own events."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId
from bot.domain.signal import Kind, Topology
from bot.signals.replaced import replaced_acts

START = datetime(2026, 3, 2, tzinfo=UTC)
STORE, AGENT = Entity("StatefulSet", "store", "db"), Entity("DaemonSet", "agent", "infra")


class Told:
    """Writes what kubelets tell of pods, minutes counted from the start."""

    def __init__(self):
        self.rows, self.owner = [], {}

    def add(self, minute, entity, reason, message, node, owner=None, *, warning=False):
        """Write one event."""
        when = START + timedelta(minutes=minute)
        self.rows.append((
            ItemId(f"V{len(self.rows) + 1}"),
            ClusterEvent(
                at=when, first_at=when, count=1, type="Warning" if warning else "Normal", reason=reason, message=message,
                entity=entity, component="kubelet", node=node, raw=b"{}",
            ),
        ))  # fmt: skip
        if owner:
            self.owner[entity] = owner

    def replaced(self, owner, pod, fresh, node, gone, back, image=""):
        """Write that a pod was stopped and one in its place started."""
        self.add(gone, Entity("Pod", pod, owner.namespace), "Killing", "Stopping container app", node, owner)
        if image:
            text = f'Pulling image "{image}"'
            self.add(back - 0.2, Entity("Pod", fresh, owner.namespace), "Pulling", text, node, owner)
        self.add(back, Entity("Pod", fresh, owner.namespace), "Started", "Started container app", node, owner)

    def acts(self):
        """Give the acts as kind, minutes and note."""
        rows = sorted(self.rows, key=lambda row: row[1].at)
        since = START.timestamp()
        return [
            (act.kind, act.entity, round((act.start_s - since) / 60, 1), round((act.end_s - since) / 60, 1))
            for act in replaced_acts(rows, Topology(owner=self.owner))
        ]


def test_pods_replaced_one_after_another_with_an_image_pulled_are_a_rollout():
    """A StatefulSet from the last pod to the first, and a DaemonSet node by node."""
    told = Told()
    for number, gone in ((2, 10), (1, 12), (0, 14)):
        told.replaced(STORE, f"store-{number}", f"store-{number}", f"n{number}", gone, gone + 1.5, "store:2")
    assert [(Kind.ROLLOUT, STORE, 10, 15.5)] == told.acts()
    told = Told()
    for number, gone in ((1, 30), (2, 33)):
        told.replaced(AGENT, f"agent-old{number}", f"agent-new{number}", f"n{number}", gone, gone + 1, "agent:2")
    assert [(Kind.ROLLOUT, AGENT, 30, 34)] == told.acts()


def test_without_an_image_pulled_it_is_not_said_that_the_program_is_new():
    """Pods that come again with the image that is there were replaced, for a reason that was not seen."""
    told = Told()
    for number, gone in ((1, 10), (0, 12)):
        told.replaced(STORE, f"store-{number}", f"store-{number}", f"n{number}", gone, gone + 1)
    assert [(Kind.RELOAD, STORE, 10, 13)] == told.acts()


@pytest.mark.parametrize("reason", ["NodeNotSchedulable", "NodeNotReady", "Rebooted"])
def test_pods_that_leave_with_their_nodes_are_no_rollout(reason):
    """Nodes that are taken out of service or fail one after another replace pods as well."""
    told = Told()
    for number, gone in ((1, 10), (0, 40)):
        told.add(gone - 1, Entity("Node", f"n{number}"), reason, "", f"n{number}")
        told.replaced(STORE, f"store-{number}", f"store-{number}", f"n{number}", gone, gone + 1, "store:2")
    assert [] == told.acts()


def test_a_pod_is_missing_from_its_end_to_its_start():
    """A pod that is back after minutes was missing for as long, one that is back at once was not; one pod is no rollout."""
    told = Told()
    told.replaced(STORE, "store-0", "store-0", "n0", 10, 31)
    told.replaced(STORE, "store-1", "store-1", "n1", 100, 101)
    assert [(Kind.POD_SHORTFALL, STORE, 10, 31)] == told.acts()


def test_a_pod_that_never_came_again_is_missing_while_something_is_heard_of_it():
    """It waits for a volume until the last event says so."""
    told = Told()
    told.add(10, Entity("Pod", "store-0", "db"), "Killing", "Stopping container app", "n0", STORE)
    for minute in (12, 25):
        told.add(
            minute,
            Entity("Pod", "store-0", "db"),
            "FailedAttachVolume",
            "Multi-Attach error",
            None,
            STORE,
            warning=True,
        )
    assert [(Kind.POD_SHORTFALL, STORE, 10, 25)] == told.acts()
