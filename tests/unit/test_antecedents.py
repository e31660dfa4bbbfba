"""What stood before the first step and leads to it by its nature: told beside it, neither the cause nor ruled out."""

from dataclasses import replace

import pytest
from engine_parts import signal

from bot.analyst.antecedents import antecedents
from bot.domain.entity import Entity
from bot.domain.link import Link, LinkTest
from bot.domain.signal import Kind

API = Entity("Deployment", "api", "shop")
BUDGET = Entity("PodDisruptionBudget", "api", "shop")
DRAIN = signal(Kind.DRAIN_BLOCKED, API, [30, 54])
TEST = LinkTest(
    status="refuted", test="", hits=1, misses=0, unexplained=0, lag=None, p_value=0.2, lag_range_s=(0.0, 0.0)
)


def link(cause, **changed):
    """Give a tie of a cause to the blocked drains, which chance might bring about."""
    tie = Link(cause=cause.id, effect=DRAIN.id, mechanism="limit refuses", scope="named", plausibility=1.0, test=TEST)
    return replace(tie, **changed)


def found(cause, tie):
    """Give what is told of a cause beside the blocked drains."""
    return antecedents(DRAIN, [DRAIN.id], [tie], {one.id: one for one in (cause, DRAIN)})


def test_what_was_made_before_and_leads_to_it_is_told():
    """Of a cause that came before and again behind it, what came before."""
    made = signal(Kind.CONFIG_CHANGE, BUDGET, [2, 60])
    (told,) = found(made, link(made))
    assert made == told.signal
    assert made.occurrences[:1] == told.before


@pytest.mark.parametrize(
    ("hours", "changed"),
    [
        ([31], {}),
        ([2], {"plausibility": 0.6}),
        ([2], {"scope": "same namespace"}),
        ([2], {"test": replace(TEST, unexplained=1)}),
        ([2], {"test": replace(TEST, hits=0)}),
        ([2], {"test": replace(TEST, status="supported")}),
    ],
)
def test_what_came_later_or_is_far_or_leaves_some_unexplained_is_not(hours, changed):
    """What is supported stands in the cascade; what some of it came without did not lead to it."""
    made = signal(Kind.CONFIG_CHANGE, BUDGET, hours)
    assert () == found(made, link(made, **changed))
