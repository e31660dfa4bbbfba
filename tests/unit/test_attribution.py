"""Whose a thing was that a pod merely logged."""

from engine_parts import signal

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Topology
from bot.signals.attribution import attributed

AGENT = Entity("DaemonSet", "time-agent", "kube-system")
LOGS = "kubernetes/logs"


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
