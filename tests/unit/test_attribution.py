"""Whose a thing was that a pod merely logged."""

from dataclasses import replace

import pytest
from engine_parts import signal

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Topology
from bot.signals.attribution import attributed

AGENT = Entity("DaemonSet", "time-agent", "kube-system")
LOGS = "kubernetes/logs"


def noted(one, *notes):
    """Give a signal whose occurrences say so much, the last note again and again."""
    rows = zip(one.occurrences, [*notes, *notes[-1:] * len(one.occurrences)], strict=False)
    return replace(one, occurrences=tuple(replace(each, note=note) for each, note in rows))


def places(found):
    return [(one.kind, one.entity) for one in found]


def test_a_clock_told_of_by_one_node_is_the_nodes():
    """An agent runs everywhere, and on one node it says that the clock was stepped."""
    told = signal(Kind.CLOCK_JUMP, AGENT, [5.0], source=LOGS, nodes=frozenset({"worker-2"}))
    (found,) = attributed([told], Topology())
    assert [(Kind.CLOCK_JUMP, Entity("Node", "worker-2"))] == places([found])
    assert (AGENT,) == found.mentions


def test_what_several_nodes_tell_stays_with_who_told_it():
    """Nobody knows whose it was; the lines of two nodes are not one node's."""
    told = signal(Kind.CLOCK_JUMP, AGENT, [5.0], source=LOGS, nodes=frozenset({"worker-1", "worker-2"}))
    traffic = signal(Kind.NETWORK_SATURATION, AGENT, [5.0], source="prometheus", nodes=frozenset({"worker-2"}))
    assert [(Kind.CLOCK_JUMP, AGENT), (Kind.NETWORK_SATURATION, AGENT)] == places(
        attributed([told, traffic], Topology())
    )


def test_nodes_that_went_the_same_way_at_other_times_recur():
    """Three spot nodes are taken back in a day; each alone is once, and each is called back before it is removed."""
    gone = [signal(Kind.NODE_FAILURE, Entity("Node", f"spot-{n}"), [4.0 * n, 4.0 * n + 0.1]) for n in (1, 2, 3)]
    found = attributed(gone, Topology())
    assert found[:3] == gone
    assert [(3, "2", frozenset({"spot-1", "spot-2", "spot-3"}))] == [
        (len(one.occurrences), one.attributes["others"], one.nodes) for one in found[3:]
    ]


def test_nodes_that_fail_together_are_one_failure_each():
    """A rack without power is no recurrence."""
    gone = [signal(Kind.NODE_FAILURE, Entity("Node", f"rack-{n}"), [4.0 + n / 60]) for n in (1, 2)]
    assert attributed(gone, Topology()) == gone


def test_the_steps_of_a_rollout_are_no_growth():
    """Where only objects know the version before, its pods come one by one; what somebody scales by hand is no step."""
    app = Entity("Deployment", "web", "shop")
    rolled = signal(Kind.ROLLOUT, app, [5.0], source="kubernetes/objects")
    steps = signal(Kind.SCALE_UP, app, [5.0, 5.01, 9.0])
    by_hand = signal(Kind.SCALE_UP, app, [5.0], attributes={"by": "hand"})
    kept = {one.kind: one for one in attributed([rolled, steps], Topology())}
    assert [steps.occurrences[2]] == list(kept[Kind.SCALE_UP].occurrences)
    assert by_hand in attributed([rolled, by_hand], Topology())


KILLED = noted(
    signal(Kind.OOM_KILL, Entity("Node", "worker-2"), [5.0], nodes=frozenset({"worker-2"})),
    "worker-2: Memory cgroup out of memory: Killed process 5100 (node-cache) total-vm:700kB",
)
CACHE, OTHER = Entity("DaemonSet", "local-dns", "kube-system"), Entity("Deployment", "web", "shop")


def started(entity, hour, container):
    """Give a start of a container on the node of the kill."""
    one = signal(Kind.POD_START, entity, [hour], nodes=frozenset({"worker-2"}))
    return noted(one, f"{entity.name}-x: Started container {container}")


@pytest.mark.parametrize(
    ("starts", "whose"),
    [
        ([started(CACHE, 5.09, "node-cache")], CACHE),
        ([started(CACHE, 5.09, "node-cache"), started(OTHER, 5.08, "app")], CACHE),
        ([started(CACHE, 5.02, "node-cache"), started(OTHER, 5.03, "app")], CACHE),
        ([started(OTHER, 5.02, "app")], OTHER),
        ([started(OTHER, 5.09, "app")], None),
        ([started(CACHE, 5.4, "node-cache")], None),
        ([started(CACHE, 5.09, "node-cache"), started(OTHER, 5.09, "node-cache")], None),
    ],
    ids=["later", "one of two later", "one of two at once", "the only one at once", "another name", "too late", "two alike"],
)  # fmt: skip
def test_a_killed_process_is_whose_container_is_called_so(starts, whose):
    """A restart that is put off comes minutes after the kill, when others start as well: the kernel says the name."""
    kills = [one.entity for one in attributed([KILLED, *starts], Topology()) if one.kind is Kind.OOM_KILL]
    assert [whose or Entity("Node", "worker-2")] == kills


SCAN = signal(Kind.CPU_SATURATION, AGENT, [5.0, 6.0, 7.0], length_s=300, nodes=frozenset({"worker-2"}))


@pytest.mark.parametrize(
    ("hungry", "calls", "grabs"),
    [
        (SCAN, frozenset(), True),
        (replace(SCAN, occurrences=SCAN.occurrences[:2]), frozenset(), False),
        (SCAN, frozenset({(OTHER, AGENT)}), False),
        (SCAN, frozenset({(AGENT, OTHER)}), False),
    ],
    ids=["again and again", "twice", "asked by others", "asks others"],
)
def test_who_is_asked_by_nobody_takes_cpu_of_its_own_accord(hungry, calls, grabs):
    """A scanner that nobody calls has nobody to blame for its load; what serves or asks others may just have more to do."""
    found = [one for one in attributed([hungry], Topology(calls=calls)) if one.kind is Kind.NOISY_NEIGHBOUR]
    assert grabs is bool(found)
    assert all("0.7" == one.attributes["standing"] for one in found)


def test_a_full_table_of_one_machine_stands_as_a_full_disk_does():
    """The kernel's line tells of its machine, whoever hands it on."""
    told = signal(Kind.NETWORK_SATURATION, AGENT, [5.0], source=LOGS, nodes=frozenset({"worker-2"}))
    (found,) = attributed([told], Topology())
    assert (Entity("Node", "worker-2"), "0.6") == (found.entity, found.attributes["standing"])
