"""Which of several troubles a report opens with: what was asked, what users feel, and where neither is there, what it says."""

from dataclasses import replace

import pytest
from engine_parts import at, signal, window

from bot.analyst.questions import symptom_wish
from bot.domain.entity import Entity
from bot.domain.signal import Kind, Topology, signal_id
from bot.investigation.conclude import wish_of
from bot.signals.symptom import choose

EDGE = Entity("Deployment", "gateway", "edge")
CHECKOUT = Entity("Deployment", "checkout", "shop")
CART = Entity("Deployment", "cart", "shop")
SEARCH = Entity("Deployment", "search", "find")
INDEXER = Entity("Deployment", "indexer", "find")
EXPORTER = Entity("Deployment", "exporter", "tools")
DAY = window(1.0)


def failed(whose, hours, status="502", *, sizes=40.0, path="/pay"):
    """Give failed responses of the gateway to requests for somebody."""
    one = signal(
        Kind.SERVER_ERROR, EDGE, hours, length_s=900.0, sizes=[sizes] * len(hours), mentions=(whose,), source="kubernetes/logs",
        attributes={"status": status},
    )  # fmt: skip
    return replace(
        one, id=signal_id(Kind.SERVER_ERROR, EDGE, f"{status} {whose.name}"), subject=f'"GET {path} HTTP/1.1" {status}'
    )


PAID = failed(CHECKOUT, [14.0])
SLOW = signal(Kind.LATENCY, SEARCH, [9.0], length_s=3600.0, sizes=[30.0], source="prometheus")
REFUSED = failed(SEARCH, [20.0], "503", sizes=400.0, path="/find")
LOOPS = signal(Kind.CRASH_LOOP, EXPORTER, [0.1], length_s=23.7 * 3600, sizes=[5000.0])
UNPLACED = signal(Kind.SCHEDULING_FAILURE, INDEXER, [11.0, 11.5], length_s=600.0, sizes=[30.0, 30.0])
QUEUED = signal(Kind.QUEUE_GROWTH, CART, [16.0], length_s=3000.0, sizes=[60.0], source="kubernetes/logs")
ALL = (PAID, SLOW, REFUSED, LOOPS, UNPLACED, QUEUED)
KNOWN = signal(Kind.ROLLOUT, CART, [3.0])


def chosen(question, signals=ALL, topology=Topology()):  # noqa: B008 - frozen
    return choose(signals, topology, DAY, wish_of(question, signals, DAY))


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("checkout 502 since 14:00", PAID),
        ("why the 502s on checkout?", PAID),
        ("Why does /pay fail?", PAID),
        ("payments? what broke checkout around two in the afternoon", PAID),
        ("why is search slow?", SLOW),
        ("p99 of search went up at 9am", SLOW),
        ("search down at 20:00", REFUSED),
        ("why did search answer 503?", REFUSED),
        ("why are pods of indexer pending?", UNPLACED),
        ("pods pending", UNPLACED),
        ("carts are delayed", QUEUED),
        ("why does the exporter keep crashing?", LOOPS),
        ("what happened?", REFUSED),
        ("what happened at 14:00?", PAID),
        ("", REFUSED),
    ],
)
def test_the_report_opens_with_what_was_asked(question, wanted):
    """A service, a path, a symptom, a time: whatever the question names decides, and else what users feel most."""
    choice = chosen(question)
    assert choice.symptom == wanted
    assert choice.fit in ("met", "unasked")


@pytest.mark.parametrize("question", ["", "why is checkout broken?", "why the 502s?", "what is wrong in the shop?"])
def test_a_loop_that_was_there_all_along_is_nobody_s_answer(question):
    """Nobody asks the exporter for anything, and it crashed before the window as it does in it: it is told, and explained only if asked for."""
    choice = chosen(question, (LOOPS, KNOWN, signal(Kind.ROLLOUT, CHECKOUT, [5.0])))
    assert choice.symptom is None
    assert choice.standing == (LOOPS,)


def test_a_loop_of_what_others_call_or_that_began_here_is_a_symptom():
    """Somebody may feel it, or it is new."""
    called = Topology(calls=frozenset({(EDGE, EXPORTER)}))
    assert chosen("", (LOOPS,), called).symptom == LOOPS
    new = replace(LOOPS, occurrences=(replace(LOOPS.occurrences[0], start_s=at(9.0)),))
    assert chosen("", (new,)).symptom == new


def test_a_few_failed_requests_come_before_a_loud_loop():
    """What users feel is the symptom, though a loop has thousands of events."""
    new = replace(
        LOOPS, occurrences=tuple(replace(LOOPS.occurrences[0], start_s=at(h), end_s=at(h) + 60) for h in range(2, 22))
    )
    few = failed(CHECKOUT, [14.0], sizes=15.0)
    assert chosen("", (new, few)).symptom == few


@pytest.mark.parametrize("question", ["why is cart failing?", "cart 500s since 11:00"])
def test_what_is_not_there_is_not_answered_by_another(question):
    """Nothing of the named service rises: that is said, and what does rise elsewhere is told, not explained."""
    choice = chosen(question, (REFUSED, KNOWN))
    if "500" in question:
        assert (choice.symptom, choice.fit) == (REFUSED, "nearest")
    else:
        assert (choice.symptom, choice.fit, choice.beside) == (None, "absent", (REFUSED,))


def test_another_failure_of_the_same_service_is_an_answer():
    """Asked about slowness, there are failed requests of that very service."""
    choice = chosen("why is checkout slow?", (PAID, REFUSED))
    assert (choice.symptom, choice.fit) == (PAID, "otherwise")


def test_the_other_of_two_troubles_is_told_beside():
    """Two things fail that have nothing to do with each other: one is explained, the other is named."""
    choice = chosen("checkout 502", (PAID, REFUSED))
    assert (choice.symptom, choice.beside) == (PAID, (REFUSED,))
    caused = Topology(calls=frozenset({(CHECKOUT, SEARCH)}))
    assert chosen("checkout 502", (PAID, REFUSED), caused).beside == ()


def test_a_suspect_is_not_what_fails():
    """Who asks whether a service was the reason asks about what failed, wherever that was."""
    choice = chosen("was it cart?", (REFUSED, KNOWN))
    assert (choice.symptom, choice.fit) == (REFUSED, "unasked")


def test_a_canary_that_was_taken_back_is_no_symptom():
    """Its analysis failed, and nobody got it."""
    failed_analysis = signal(Kind.ROLLOUT_STUCK, CART, [11.0], sizes=[2.0], attributes={"reason": "AnalysisRunFailed"})
    assert chosen("", (failed_analysis,)).symptom is None
    assert chosen("why is the cart rollout stuck?", (failed_analysis,)).symptom == failed_analysis


@pytest.mark.parametrize(
    ("question", "suspects"),
    [
        ("is it the release of 9:00?", True),
        ("502s since the rollout", True),
        ("why is search slow since 14:00?", False),
    ],
)
def test_a_time_may_be_that_of_a_suspect(question, suspects):
    """When a release was is not when it failed."""
    assert symptom_wish(question).suspects == suspects
    assert bool(wish_of(question, ALL, DAY).spans) == ("14:00" in question)
