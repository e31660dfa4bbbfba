"""Nodes that went together: told as one outage, and no rivals of each other."""

import pytest
from engine_parts import signal
from test_advice import UNTESTED, findings
from test_roots import EDGE, once

from bot.analyst.outages import one_outage, with_its_outage
from bot.domain.entity import Entity
from bot.domain.link import Chain
from bot.domain.signal import Kind

NODES = [Entity("Node", name) for name in ("a", "b", "c")]


def lost(node, hour):
    return signal(Kind.NODE_FAILURE, node, [hour])


@pytest.mark.parametrize(("apart_s", "together"), [(30.0, True), (600.0, False)])
def test_nodes_that_fail_in_the_same_minute_are_one_outage(apart_s, together):
    """Two go at once, a third an hour later: the root says that one more went with it, or nothing where none did."""
    first, second, later = lost(NODES[0], 20.0), lost(NODES[1], 20.0 + apart_s / 3600), lost(NODES[2], 21.0)
    assert together is one_outage(first, second)
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.1], length_s=1200)
    links = (once(first, felt, 60.0),)
    chain = Chain(signals=(first, felt), links=links, explained=(0,), end_to_end=UNTESTED, score=1.0)
    told = with_its_outage(findings(first, second, later, felt), chain)
    assert told.root.attributes.get("others") == ("1" if together else None)
    assert told.root.id == first.id


def test_other_things_that_begin_together_are_none():
    """Two rollouts at once stay rivals."""
    one, other = (signal(Kind.ROLLOUT, Entity("Deployment", name, "shop"), [20.0]) for name in ("x", "y"))
    assert not one_outage(one, other)
