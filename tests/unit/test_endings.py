"""How a symptom ended, and what that says of the change that is said to have begun it."""

from dataclasses import replace
from itertools import pairwise

import pytest
from engine_parts import signal
from test_advice import UNTESTED, WEB, findings

from bot.analyst.roots import against, cleared_roots
from bot.domain.entity import Entity
from bot.domain.link import Chain, Lag, Link
from bot.domain.signal import Kind
from bot.signals.mechanisms import EXOGENOUS

EDGE, ROUTE = Entity("Deployment", "edge", "edge"), Entity("Ingress", "web", "shop")
JOB = Entity("CronJob", "dump", "shop")
ROLLED = signal(Kind.ROLLOUT, WEB, [19.95])


def way(*signals, score=1.0, minutes=2.0, hits=1):
    """Give a chain whose first tie is so many minutes long."""
    lag = Lag(p10=60 * minutes, median=60 * minutes, p90=60 * minutes)
    test = replace(UNTESTED, status="supported", hits=hits, lag=lag, p_value=0.01)
    links = tuple(
        Link(cause=a.id, effect=b.id, mechanism="change breaks", scope="named", plausibility=0.8, test=test)
        for a, b in pairwise(signals)
    )
    return Chain(signals=signals, links=links, explained=(0,), end_to_end=test, score=score)


def felt(*, minutes=60.0, mentions=(WEB,)):
    """Give one episode from hour 20 on."""
    return signal(Kind.SERVER_ERROR, EDGE, [20.0], length_s=60 * minutes, mentions=mentions)


def said(chain, *others):
    """Give what speaks against the first of some chains."""
    found = replace(findings(*(each.root for each in others), *chain.signals), chains=(chain, *others))
    return "; ".join(against(found, chain, EXOGENOUS)), cleared_roots(found, EXOGENOUS, lambda _: False)


@pytest.mark.parametrize(
    ("hours", "cleared"),
    [([19.99, 21.01], True), ([19.99, 21.2], False), ([19.0, 21.01], False), ([19.99], False)],
    ids=["begun and ended", "ended later", "begun earlier", "begun only"],
)
def test_what_others_were_changed_for_as_it_began_and_ended_is_not_the_changes(hours, cleared):
    """A limit set on a route and taken off again brackets the symptom; the release beside it stays as it is."""
    symptom = felt()
    words, roots = said(way(ROLLED, symptom), way(signal(Kind.CONFIG_CHANGE, ROUTE, hours), symptom, score=0.9))
    assert cleared is (ROLLED.id in roots)
    assert cleared is ("was changed as it began and again as it ended" in words)


def test_a_release_that_is_undone_as_the_symptom_ends_is_not_cleared_by_others():
    """Whatever else was changed twice at those times, its own undoing speaks for it."""
    symptom, twice = felt(), signal(Kind.ROLLOUT, WEB, [19.95, 21.0])
    assert not said(way(twice, symptom), way(signal(Kind.CONFIG_CHANGE, ROUTE, [19.99, 21.01]), symptom))[1]


@pytest.mark.parametrize(
    ("symptom", "doubted"),
    [(felt(), True), (felt(minutes=10), False), (felt(mentions=()), False), (felt(minutes=60 * 60), False)],
    ids=["an hour", "a warm-up", "somebody else's", "longer than what was seen after"],
)
def test_a_place_that_fails_no_more_was_not_broken_by_what_stays_changed(symptom, doubted):
    """A version that fails its own requests goes on failing them until somebody changes it."""
    assert doubted is ("then no more" in said(way(ROLLED, symptom))[0])
    undone = way(
        signal(
            Kind.ROLLOUT, WEB, [19.95, 20.0 + (symptom.occurrences[0].end_s - symptom.occurrences[0].start_s) / 3600]
        ),
        symptom,
    )
    assert "then no more" not in said(undone)[0]


def test_what_others_between_recovered_from_may_end():
    """A herd that a release set off is over once the others have caught up."""
    crowd = signal(Kind.TRAFFIC_RISE, Entity("Deployment", "sessions", "shop"), [19.97], length_s=3600)
    assert "then no more" not in said(way(ROLLED, crowd, felt()))[0]


@pytest.mark.parametrize(("runs", "doubted"), [(5, True), (3, False)])
def test_a_job_that_ran_day_after_day_brought_nothing_once(runs, doubted):
    """Four runs passed without the symptom before the fifth, and one symptom is no rule."""
    job = signal(Kind.JOB_RUN, JOB, [19.9 - 4 * place for place in reversed(range(runs))])
    assert doubted is (f"it came {runs} times" in said(way(job, felt()))[0])


@pytest.mark.parametrize(("minutes", "cleared"), [(8, True), (5, False)])
def test_pods_that_find_no_place_long_after_a_rollout_are_not_its_pods(minutes, cleared):
    """That pods end and start is the rollout itself; the first trouble behind that is what it went well until."""
    rolled, ended = signal(Kind.ROLLOUT, WEB, [19.0]), signal(Kind.POD_KILL, WEB, [19.01])
    unplaced = signal(Kind.SCHEDULING_FAILURE, WEB, [19.0 + minutes / 60], length_s=600)
    chain = way(rolled, ended, unplaced, felt(), minutes=1)
    assert cleared is (rolled.id in said(chain)[1])
