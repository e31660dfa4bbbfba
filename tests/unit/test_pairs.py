"""Which pairs are tested, and how what happened once is held against its rivals."""

from engine_parts import signal, window

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Topology
from bot.signals.pairs import candidates, link_all, scopes

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
    found = linked(secret, rollout, refused)
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
