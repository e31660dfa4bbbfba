"""The answer in two sentences: no count of a cause stands for a count of what it brought, and no line for a number."""

import itertools
from dataclasses import replace

import pytest
from engine_parts import signal
from sample_report import REPORT

from bot.analyst.caps import capped
from bot.analyst.conclusion import conclusion, seen_seldom
from bot.analyst.proofs import Finding
from bot.analyst.rivals import why_not
from bot.analyst.steps import summary_of
from bot.domain.entity import Entity
from bot.domain.link import Chain, Lag, Link, LinkTest
from bot.domain.report import Cascade
from bot.domain.signal import Kind

NODE = Entity("Node", "n1")
API, EDGE = Entity("Deployment", "api", "shop"), Entity("Deployment", "edge", "shop")
FELT = signal(Kind.SERVER_ERROR, EDGE, [30.0])


def chain_of(*signals, hits=1, lag_s=16.0):
    """Tie signals into a chain whose root was followed so often."""
    root = signals[0]
    test = LinkTest(
        status="supported",
        test="shift",
        hits=hits,
        misses=len(root.occurrences) - hits,
        unexplained=0,
        lag=Lag(p10=lag_s, median=lag_s, p90=lag_s),
        p_value=0.001,
        lag_range_s=(0.0, 600.0),
        effects=len(signals[-1].occurrences),
    )
    links = tuple(
        Link(cause=one.id, effect=other.id, mechanism="", scope="cluster", plausibility=1, test=test)
        for one, other in itertools.pairwise(signals)
    )
    told = tuple(range(len(signals[-1].occurrences)))
    return Chain(signals=signals, links=links, explained=told, end_to_end=test, score=1)


def test_what_followed_once_is_dated_by_the_occurrence_it_followed():
    """Of two rollouts the later one was followed: the summary says which, and the reason does not call it seen once."""
    chain = chain_of(signal(Kind.ROLLOUT, API, [2.0, 29.0]), FELT)
    assert "was rolled out twice; " in conclusion(chain)
    assert conclusion(chain).endswith("began 1 h after that of Tue 03 Mar 05:00Z.")
    assert "the symptom followed only 1 of 2 occurrences of the cause" == seen_seldom(chain)
    once = chain_of(signal(Kind.ROLLOUT, API, [29.0]), FELT)
    assert "the cause was seen once only" == seen_seldom(once)
    assert "was rolled out at Tue 03 Mar 05:00Z; " in conclusion(once)


def test_two_steps_of_one_kind_are_told_apart_by_their_places():
    """That timeouts led to timeouts says nothing; at which two things they came, does."""
    chain = chain_of(
        signal(Kind.NODE_FAILURE, NODE, [30.0]),
        signal(Kind.TIMEOUT, API, [30.0]),
        signal(Kind.TIMEOUT, EDGE, [30.0]),
        FELT,
    )
    assert conclusion(chain).endswith("The way there: timeouts of api, then timeouts of edge.")


def test_a_rough_lag_is_told_roughly():
    """About four minutes, not about 4 min 3 s."""
    hours = [1.0, 7.0, 13.0]
    chain = chain_of(signal(Kind.JOB_RUN, API, hours), signal(Kind.SERVER_ERROR, EDGE, hours), hits=3, lag_s=243.0)
    assert "about 4 min later came" in conclusion(chain)


def test_counts_stand_before_the_line_that_shows_it():
    """A line of the log in quotes, behind how often and how long."""
    made = replace(signal(Kind.LOG_ERROR, API, [1.0, 2.0], length_s=600.0), label="Traceback <*>:")
    assert "Deployment shop/api logged an error twice, 10 min each: “Traceback <*>:”" == summary_of(made)


@pytest.mark.parametrize(
    ("kind", "label", "note", "said"),
    [
        (Kind.CONFIG_CHANGE, "created", "created", "ResourceQuota shop/api was created once"),
        (Kind.SECRET_CHANGE, "changed", "changed by argo", "ResourceQuota shop/api was changed once, by argo"),
        (Kind.ROLLOUT, "", "api: 1 → 2", "ResourceQuota shop/api was rolled out once: api: 1 → 2"),
    ],
)
def test_what_was_done_is_said_once(kind, label, note, said):
    """What is said in the phrase is not said again behind it."""
    made = signal(kind, Entity("ResourceQuota", "api", "shop"), [1.0])
    noted = replace(made, label=label, occurrences=(replace(made.occurrences[0], note=note),))
    assert said == summary_of(noted)


def test_what_began_after_the_last_episode_says_that_all_came_before():
    """Six of six had begun before it: all of them."""
    felt = signal(Kind.SERVER_ERROR, EDGE, [1.0, 2.0])
    late = signal(Kind.ROLLOUT, API, [90.0])
    link = chain_of(late, felt, hits=0).links[0]
    said = why_not(late, replace(link, test=replace(link.test, hits=0, misses=1)), felt, None)
    assert said.endswith("after it; all 2 had begun before it")


@pytest.mark.parametrize(("count", "said"), [(1, "1 step rests on quotes alone"), (2, "2 steps rest on quotes alone")])
def test_reasons_agree_with_their_number(count, said):
    """One step rests, two rest."""
    found = [Finding(kind="step_unmeasured", where=f"S{at}", detail="") for at in range(count)]
    assert capped(replace(REPORT, cascade=Cascade()), found).reasons[-1].startswith(said)
