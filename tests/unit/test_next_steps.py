"""What to do where no cause is known: the evidence to get and the leads to tell apart, never just "unknown"."""

from dataclasses import replace

import pytest
from engine_parts import at, signal, window

from bot.analyst.followup import FollowUpContext, answer
from bot.domain.entity import Entity
from bot.domain.items import SourceCoverage
from bot.domain.link import Lag, Link, LinkTest
from bot.domain.report import AskedWindow, Episode, Report, Symptom
from bot.domain.signal import Kind
from bot.domain.window import instant

FRONT = Entity("Deployment", "front", "shop")
BASKET = Entity("Deployment", "basket", "shop")
QUOTA = Entity("ResourceQuota", "compute", "shop")
NIGHTLY = Entity("CronJob", "nightly", "batch")
HOURS = [30.0, 54.0, 78.0]
FELT = signal(Kind.SERVER_ERROR, FRONT, HOURS, length_s=600.0, source="kubernetes/logs")
MADE = replace(signal(Kind.CONFIG_CHANGE, QUOTA, [24.0]), label="created")
ROLLED = signal(Kind.ROLLOUT, BASKET, [40.0])
RAN = signal(Kind.JOB_RUN, NIGHTLY, [29.9, 53.9, 77.9])
SLOW = signal(Kind.TIMEOUT, FRONT, HOURS, source="kubernetes/logs")
WINDOW = window()
REPORT = Report(
    case="c",
    window=AskedWindow(start=WINDOW.start, end=WINDOW.end, asked="5d"),
    question="",
    verdict="inconclusive",
    confidence="low",
    summary="",
    symptom=Symptom(
        summary="Deployment shop/front answered with errors 3 times",
        entity=FRONT,
        episodes=tuple(
            Episode(start=instant(at(hour)), end=instant(at(hour) + 600), count=9, explained=False) for hour in HOURS
        ),
        explained=0,
        unexplained=3,
    ),
)


class Empty:
    """Evidence of a case without any."""

    def item(self, _name):
        """Give nothing."""


def supported(cause):
    test = LinkTest(
        status="supported",
        test="shift",
        hits=3,
        misses=0,
        unexplained=0,
        lag=Lag(p10=1, median=2, p90=3),
        p_value=0.01,
        lag_range_s=(0, 600),
    )
    return Link(cause=cause.id, effect=FELT.id, mechanism="timing", scope="cluster", plausibility=0.6, test=test)


def fix(*signals, links=(), coverage=()):
    context = FollowUpContext(
        report=replace(REPORT, coverage=coverage),
        window=WINDOW,
        signals=[FELT, *signals],
        evidence=Empty(),
        test=lambda _cause, _effect: supported(RAN).test,
        search=lambda *_: None,
        links=links,
        symptom=FELT,
    )
    return answer("what would fix it?", context)


def row(source, status):
    return SourceCoverage(source=source, status=status, items=3, bytes=1, first_at=None, last_at=None)


def test_what_is_missing_is_named_with_the_way_to_get_it():
    """The source that was not there comes first, and what was whole is not asked for."""
    told = fix(coverage=(row("prometheus", "missing"), row("kubernetes/events", "partial"), row("loki", "complete")))
    assert told.verdict == "answered"
    assert "from Prometheus: prometheus is missing" in told.answer
    assert "kubernetes/events was there in part" in told.answer
    assert "log store" not in told.answer


@pytest.mark.parametrize(
    ("lead", "links", "words"),
    [
        (RAN, (supported(RAN),), "nightly: suspend it for one run"),
        (MADE, (), "the new ResourceQuota compute: take it away again"),
        (SLOW, (supported(SLOW),), "widen the window"),
    ],
)
def test_a_lead_is_named_with_the_way_to_try_it(lead, links, words):
    """A job is suspended, a new object taken away; how the symptom shows at its own place is no lead."""
    told = fix(lead, links=links)
    assert words in told.answer
    assert "Known: Deployment shop/front answered with errors 3 times, first" in told.answer


def test_a_change_after_the_first_episode_is_no_lead():
    """What came later than the symptom did not begin it."""
    assert "basket" not in fix(ROLLED).answer
