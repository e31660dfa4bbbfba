"""Which pairs are tested, and how what happened once is held against its rivals."""

from engine_parts import signal, window

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Topology
from bot.signals.pairs import by_place, candidate_for, candidates, link_all
from bot.signals.places import scopes

API = Entity("Deployment", "api", "shop")
EDGE = Entity("Deployment", "edge", "shop")
NODE = Entity("Node", "worker-1", None)


def linked(*signals, topology=None, days=0.125):
    found = link_all(candidates(signals, topology or Topology()), window(days))
    return {(link.cause, link.effect): link.test for link in found}


def test_a_node_acts_on_whoever_depends_on_what_ran_there():
    """A failed node and a proxy's errors are tied where both name the workload between them."""
    gone = signal(Kind.NODE_FAILURE, NODE, [1.0], mentions=(API,))
    errors = signal(Kind.SERVER_ERROR, EDGE, [1.01], length_s=600, mentions=(API,))
    assert "named" in scopes(gone, errors, Topology())


def test_the_change_nearer_in_kind_is_not_crowded_out_by_one_beside_it():
    """Two changes a minute apart share their times; the one that fits counts, the other's p-value pays for the fit."""
    secret = signal(Kind.SECRET_CHANGE, Entity("Secret", "db", "shop"), [1.0], mentions=(API,))
    rollout = signal(Kind.ROLLOUT, Entity("Deployment", "bystander", "shop"), [1.01])
    refused = signal(Kind.AUTH_FAILURE, API, [1.03], length_s=3600)
    slow = signal(Kind.LATENCY, rollout.entity, [1.02])  # so that it is no mere bystander
    found = linked(secret, rollout, refused, slow)
    assert "supported" == found[secret.id, refused.id].status
    assert found[secret.id, refused.id].p_value < found[rollout.id, refused.id].p_value


def test_one_onset_long_after_a_change_is_not_shown():
    """A lone fault an hour after a lone change in a window of three hours may be chance."""
    rollout = signal(Kind.ROLLOUT, API, [0.5])
    errors = signal(Kind.SERVER_ERROR, API, [1.5], length_s=600)
    assert "supported" != linked(rollout, errors)[rollout.id, errors.id].status


def test_one_onset_right_after_a_change_is_shown():
    """The same fault two minutes after the change hardly is."""
    rollout = signal(Kind.ROLLOUT, API, [1.5])
    errors = signal(Kind.SERVER_ERROR, API, [1.53], length_s=600)
    assert "supported" == linked(rollout, errors)[rollout.id, errors.id].status


def test_of_a_change_what_was_there_before_cannot_have_come():
    """Where half of the failures had come before a change of the failing thing, it is not tied to them."""
    rollout = signal(Kind.ROLLOUT, API, [60.0])
    errors = signal(Kind.SERVER_ERROR, API, [20, 30, 40, 61, 70, 80], length_s=900)
    assert "supported" != linked(rollout, errors, days=5)[rollout.id, errors.id].status


def test_what_set_in_before_a_change_did_not_set_in_with_it():
    """Failures of three days that began twenty minutes before a rollout are not its own, though nine of ten came after."""
    rollout = signal(Kind.ROLLOUT, API, [61.7])
    errors = [61.4, 62.5, 63.7, 85.7, 86.9, 88.3, 108.9, 110.0, 111.2, 112.6]
    begun_before = signal(Kind.SERVER_ERROR, API, errors, length_s=900)
    begun_with_it = signal(Kind.SERVER_ERROR, API, [61.71, *errors[1:]], length_s=900)
    assert "supported" != linked(rollout, begun_before, days=5)[rollout.id, begun_before.id].status
    assert "supported" == linked(rollout, begun_with_it, days=5)[rollout.id, begun_with_it.id].status


def test_whom_lines_name_most_is_what_they_are_about():
    """Of five callees that an edge's lines name, the first is named in nearly all of them, the last in a stray one."""
    callees = tuple(Entity("Deployment", name, "shop") for name in ("cart", "search", "users", "mail", "ads"))
    errors = signal(Kind.TIMEOUT, EDGE, [10.1], mentions=callees, source="kubernetes/logs")
    chances = [by_place(0.2, candidate_for(signal(Kind.POD_SHORTFALL, one, [10.0]), errors, Topology()), 20) for one in (callees[0], callees[4])]  # fmt: skip
    assert chances[0] < 0.06 < chances[1]


def test_one_failure_climbs_to_the_caller_and_never_down():
    """A client's failed lookups do not make the resolver fail."""
    resolver = Entity("Deployment", "resolver", "kube-system")
    calls = Topology(calls=frozenset({(API, resolver)}))
    below = signal(Kind.NAME_RESOLUTION_FAILURE, resolver, [10, 40, 70], length_s=3600)
    above = signal(Kind.NAME_RESOLUTION_FAILURE, API, [10.01, 40.01, 70.01], length_s=3600)
    found = linked(below, above, topology=calls, days=5)
    assert "supported" == found[below.id, above.id].status
    assert "resolver fails its clients" not in {
        one.mechanism for one in candidates((below, above), calls) if one.cause.id == above.id
    }


def test_place_speaks_where_a_cause_came_once():
    """Of many places the very one: the p-value shrinks; somewhere in the same namespace it stays what the times say."""
    cause = signal(Kind.ROLLOUT, API, [10.0])
    here = candidate_for(cause, signal(Kind.SERVER_ERROR, API, [10.1]), Topology())
    near = candidate_for(cause, signal(Kind.SERVER_ERROR, EDGE, [10.1]), Topology())
    assert by_place(0.2, here, 20) < 0.06
    assert by_place(0.2, near, 20) == 0.2


def test_a_new_version_at_peace_is_not_suspected_for_its_namespace_alone():
    """What was rolled out before a neighbour failed is not held against it where it has no trouble and nobody calls it."""
    rollout = signal(Kind.ROLLOUT, API, [1.0])
    broken = signal(Kind.NO_SPACE, EDGE, [1.05], length_s=600)

    def suspected(*more, calls=frozenset()):
        pairs = candidates([rollout, broken, *more], Topology(calls=calls))
        return (rollout, broken) in [(one.cause, one.effect) for one in pairs]

    assert not suspected()
    assert not suspected(signal(Kind.LOG_ERROR, API, [0.5]))
    assert suspected(signal(Kind.LOG_ERROR, API, [1.02]))
    assert suspected(calls=frozenset({(EDGE, API)}))


def test_a_change_of_a_callee_does_not_throttle_its_caller():
    """A changed version may need more CPU than it is given; whoever calls it waits, and needs less."""
    caller, callee = Entity("Deployment", "front", "web"), Entity("Deployment", "back", "web")
    topology = Topology(calls=frozenset({(caller, callee)}))
    throttled = signal(Kind.CPU_THROTTLING, caller, [1.1])
    rolled = {place: signal(Kind.ROLLOUT, place, [1.0]) for place in (caller, callee)}
    assert candidate_for(rolled[caller], throttled, topology).plausibility > 0.8
    below = candidate_for(rolled[callee], throttled, topology)
    assert below is None or below.plausibility < 0.5


def test_a_server_notes_its_own_state_at_the_next_look_at_it():
    """A client that was told of a full disk logs it at once; the server's monitor looks once a minute."""
    store = Entity("StatefulSet", "search", "shop")
    full = signal(Kind.NO_SPACE, store, [2.005], length_s=900, source="kubernetes/logs")
    told = signal(Kind.NO_SPACE, API, [2.0], length_s=900, source="kubernetes/logs", mentions=(store,))
    calls = Topology(calls=frozenset({(API, store)}))
    theirs = signal(
        Kind.NO_SPACE, API, [2.0], length_s=900, source="kubernetes/logs", attributes={"told_by": str(store)}
    )
    assert not linked(full, told, topology=calls)[full.id, told.id].hits
    assert 1 == linked(full, theirs, topology=calls)[full.id, theirs.id].hits


def test_who_took_the_cpu_is_no_cause_of_needing_it():
    """A grab is read off the very course that shows the shortage."""
    needs = signal(Kind.CPU_SATURATION, API, [1.0, 2.0], source="prometheus")
    grab = signal(Kind.NOISY_NEIGHBOUR, API, [1.0, 2.0], source="prometheus")
    assert (grab.id, needs.id) not in linked(needs, grab)


def test_pods_that_ended_cut_off_no_requests_for_days():
    """What fails now and then for two days began with the change; pods that ended then cut off what was in flight."""
    ended = signal(Kind.POD_KILL, API, [1.0], length_s=60)
    for attributes, hours, asked in (({"seldom": "yes"}, 48, False), ({"seldom": "yes"}, 0.5, True), ({}, 48, True)):
        cut = signal(Kind.CONNECTION_RESET, API, [1.02], length_s=3600 * hours, attributes=attributes)
        assert any(one.cause.kind is Kind.POD_KILL for one in candidates([ended, cut], Topology())) == asked
