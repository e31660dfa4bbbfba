"""Which chain is told: the best one, and what leads to its root where that is an effect."""

from dataclasses import replace

import pytest

from bot.analyst.origins import asked_too_much, further, instead, unserved
from bot.domain.entity import Entity
from bot.domain.link import Chain, Link, LinkTest
from bot.domain.signal import Kind, Topology
from bot.signals.mechanisms import EXOGENOUS
from tests.unit.engine_parts import signal

FRONT, APP, DNS = (Entity("Deployment", name, "shop") for name in ("front", "app", "dns"))
SETTING = Entity("ConfigMap", "dns", "shop")
FELT = signal(Kind.SERVER_ERROR, FRONT, [3.0])
ASKED = signal(Kind.NAME_RESOLUTION_FAILURE, APP, [3.0])
RESOLVER = signal(Kind.NAME_RESOLUTION_FAILURE, DNS, [3.0])
CHANGED = signal(Kind.CONFIG_CHANGE, SETTING, [2.9])
ROLLED = signal(Kind.ROLLOUT, APP, [2.95])
TEST = LinkTest(
    status="supported", test="", hits=1, misses=0, unexplained=0, lag=None, p_value=0.01, lag_range_s=(0, 600)
)


def chain(score, *signals):
    return Chain(signals=(*signals, FELT), links=(), explained=(0,), end_to_end=TEST, score=score)


SHORT = chain(0.5, ASKED)
MIDDLE = chain(0.3, RESOLVER, ASKED)
LONG = chain(0.2, CHANGED, RESOLVER, ASKED)
ELSEWHERE = chain(0.45, signal(Kind.JOB_RUN, DNS, [2.0]))


@pytest.mark.parametrize(
    ("ranked", "told"),
    [
        ([SHORT, ELSEWHERE, MIDDLE, LONG], LONG),
        ([SHORT, ELSEWHERE], SHORT),
        ([SHORT, MIDDLE], MIDDLE),
        ([SHORT, chain(0.14, CHANGED, ASKED)], SHORT),
        ([SHORT, chain(0.2, CHANGED, ASKED), chain(0.19, ROLLED, ASKED)], SHORT),
        ([SHORT, chain(0.3, CHANGED, ASKED), chain(0.19, ROLLED, ASKED)], chain(0.3, CHANGED, ASKED)),
        ([chain(0.5, ROLLED), chain(0.4, CHANGED, ROLLED)], chain(0.5, ROLLED)),
    ],
    ids=["on and on", "another way is none", "alike where the first may not be told", "a guess", "two ways", "the better way", "begun"],
)  # fmt: skip
def test_what_leads_to_an_effect_is_told(ranked, told):
    """A longer chain is told where the best one begins at an effect that it goes on behind, and no second way is as good."""
    assert told == further(ranked, lambda one: one is not SHORT, EXOGENOUS)


def test_a_root_that_may_be_named_gives_way_to_a_better_beginning_only():
    """Another failure of the same sort before it tells no more than itself."""
    assert SHORT == further([SHORT, MIDDLE], lambda _: True, EXOGENOUS)
    assert LONG == further([SHORT, MIDDLE, LONG], lambda _: True, EXOGENOUS)


REGISTRY = signal(Kind.EXTERNAL_FAILURE, Entity("Host", "registry.example"), [2.96], mentions=(APP,))
PULL = signal(Kind.IMAGE_PULL_FAILURE, APP, [2.96], length_s=600.0)


@pytest.mark.parametrize(
    ("told", "other", "expected"),
    [
        (ROLLED, (REGISTRY, PULL), REGISTRY),
        (ROLLED, (REGISTRY, signal(Kind.IMAGE_PULL_FAILURE, DNS, [2.96], length_s=600.0)), ROLLED),
        (ROLLED, (REGISTRY,), ROLLED),
        (CHANGED, (REGISTRY, PULL), CHANGED),
    ],
    ids=["its image", "another's image", "no image", "no rollout"],
)
def test_a_rollout_that_waits_for_a_registry_did_not_begin_it(told, other, expected):
    """The registry is told instead of the rollout whose images it did not hand out, where its chain holds."""
    first, second = chain(0.5, told), chain(0.4, *other)
    assert expected == unserved(first, [first, second], lambda _: True, Topology()).root
    assert first == unserved(first, [first, second], lambda _: False, Topology())


@pytest.mark.parametrize(("until", "expected"), [(600.0, True), (30.0, False)], ids=["as-it-lasted", "for-a-moment"])
def test_a_drain_whose_pods_a_webhook_refused_did_not_keep_them_away(until, expected):
    """What kept new pods out for a good part of the symptom is told; what refused them for a moment is not."""
    felt = signal(Kind.SERVER_ERROR, FRONT, [3.0], length_s=1200.0)
    refused = signal(Kind.ROLLOUT_STUCK, APP, [3.0], length_s=until)
    hook = signal(Kind.UNAVAILABLE, DNS, [3.0], length_s=until)
    drained = (signal(Kind.NODE_FAILURE, Entity("Node", "a"), [2.99]), signal(Kind.POD_KILL, APP, [2.99]), felt)
    first = Chain(signals=drained, links=(), explained=(0,), end_to_end=TEST, score=0.5)
    second = Chain(signals=(hook, refused, felt), links=(), explained=(0,), end_to_end=TEST, score=0.4)
    assert (second if expected else first) == unserved(first, [first, second], lambda _: True, Topology())


def test_what_came_before_some_of_it_only_is_no_beginning():
    """A root that accounts for both episodes stays, though something better at beginning came before one of them."""
    both = Chain(signals=(ASKED, FELT), links=(), explained=(0, 1), end_to_end=TEST, score=0.5)
    some = Chain(signals=(CHANGED, ASKED, FELT), links=(), explained=(0,), end_to_end=TEST, score=0.3)
    assert both == further([both, some], lambda _: True, EXOGENOUS)
    assert some == further([both, some], lambda one: one is some, EXOGENOUS)


def tied(score, *signals, scope="named"):
    """Give a chain whose first tie is one of places."""
    tie = Link(cause=signals[0].id, effect=FELT.id, mechanism="", scope=scope, plausibility=0.8, test=TEST)
    return replace(chain(score, *signals), links=(tie,))


CLEARED = tied(0.7, ROLLED)
SET = tied(0.4, CHANGED)
RUN = signal(Kind.JOB_RUN, DNS, [2.0])


@pytest.mark.parametrize(
    ("ranked", "told"),
    [
        ([CLEARED, SET], SET),
        ([CLEARED, tied(0.5, ASKED), SET], SET),
        ([CLEARED, tied(0.4, CHANGED, ROLLED)], CLEARED),
        ([CLEARED, tied(0.4, CHANGED, scope="cluster")], CLEARED),
        ([CLEARED, SET, tied(0.39, RUN)], CLEARED),
        ([CLEARED, SET, tied(0.2, RUN)], SET),
        ([SET, CLEARED], SET),
    ],
    ids=["the next", "no effect", "not by way of it", "near", "not one of two", "the better of two", "the first was not cleared"],
)  # fmt: skip
def test_where_the_first_suspect_is_cleared_the_next_is_asked(ranked, told):
    """What is told instead begins by itself, is tied by more than the cluster, and has no equal."""
    assert told == instead(ranked[0], ranked, {ROLLED.id}, lambda _: True, EXOGENOUS)


def test_nothing_is_told_instead_that_does_not_hold():
    """That one suspect is cleared makes the next no more likely."""
    assert CLEARED == instead(CLEARED, [CLEARED, SET], {ROLLED.id}, lambda _: False, EXOGENOUS)


LIMITED = signal(Kind.RATE_LIMITED, APP, [3.0])
REFUSED = chain(0.6, REGISTRY, LIMITED)
ASKING = chain(0.35, RUN, LIMITED)


@pytest.mark.parametrize(
    ("first", "other", "told"),
    [
        (REFUSED, ASKING, ASKING),
        (REFUSED, chain(0.35, RUN, ASKED), REFUSED),
        (REFUSED, chain(0.35, RESOLVER, LIMITED), REFUSED),
        (REFUSED, replace(ASKING, explained=()), REFUSED),
        (chain(0.6, REGISTRY, PULL), ASKING, chain(0.6, REGISTRY, PULL)),
    ],
    ids=["a job asks", "not for that", "a failure asks nothing", "not all of it", "no limit"],
)
def test_a_limit_is_met_by_who_asks(first, other, told):
    """A third party that refuses what is too much is as it was: who began to ask more is told."""
    assert told == asked_too_much(first, [first, other], lambda _: True)
    assert first == asked_too_much(first, [first, other], lambda _: False)


def test_behind_what_may_not_be_named_anything_that_may_is_told():
    """Its own standing is no measure of what is asked behind it."""
    killed = signal(Kind.OOM_KILL, DNS, [2.99])
    behind = chain(0.45, killed, ASKED)
    assert behind == further([SHORT, behind], lambda one: one is not SHORT, EXOGENOUS)
    assert SHORT == further([SHORT, behind], lambda _: True, EXOGENOUS)
