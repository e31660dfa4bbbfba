"""What a quiet window is told with: nothing is called ruled out that no test speaks of."""

from dataclasses import replace

import pytest
from engine_parts import at, signal, window

from bot.analyst.citations import Citations
from bot.analyst.findings import Around, Findings
from bot.analyst.quiet import asked_about, set_aside
from bot.domain.entity import Entity
from bot.domain.signal import Kind, Topology, signal_id
from bot.signals.symptom import Wish, choose

FRONT = Entity("Deployment", "front", "shop")
BASKET = Entity("Deployment", "basket", "shop")


class NoEvidence:
    """A case that holds nothing to cite."""

    def item(self, _name):
        """Give nothing."""
        return


def findings(around, signals):
    return Findings(
        case="c",
        window=window(),
        question="",
        symptom=None,
        signals={one.id: one for one in signals},
        links=(),
        chains=(),
        topology=Topology(),
        facts=(),
        durations={},
        coverage=(),
        evidence=NoEvidence(),
        test=lambda _cause, _effect: None,
        around=around,
    )


@pytest.mark.parametrize(("chance", "told"), [(0.3, ["basket"]), (0.001, [])])
def test_what_more_failures_followed_is_not_ruled_out(chance, told):
    """An event after which failures rose is not told to be nothing."""

    def around(moments_s, reach_s):
        return Around(who=FRONT, count=9, expected=1.0, p_value=chance, reach_s=reach_s)

    found = findings(around, [signal(Kind.ROLLOUT, BASKET, [30.0])])
    assert [out.entity.name for out in set_aside(found, Citations(found.evidence))] == told


def test_where_nothing_counts_failures_nothing_is_ruled_out():
    """Without a log of failures and without series there is no test, and what was not tested is not told."""
    found = findings(None, [signal(Kind.ROLLOUT, BASKET, [30.0])])
    assert set_aside(found, Citations(found.evidence)) == ()


@pytest.mark.parametrize(("lines", "found"), [([], False), ([3.0], True), (None, True)])
def test_a_series_of_failures_is_belied_by_its_own_lines(lines, found):
    """A thin series that leaves zero is no incident where the lines it counts were read and never came in numbers."""
    rates = signal(Kind.SERVER_ERROR, FRONT, [3.0, 30.0], sizes=[9.0, 9.0], length_s=900.0, source="prometheus")
    read = [] if lines is None else [signal(Kind.SERVER_ERROR, FRONT, lines, sizes=[9.0] * len(lines), source="loki")]
    read = [replace(one, id=signal_id(Kind.SERVER_ERROR, FRONT, "lines"), total=60) for one in read]
    assert (choose([rates, *read], Topology(), window()).symptom is not None) == found


def test_who_asks_for_a_service_means_what_its_gateway_answered():
    """A question that names a service is about the failures the gateway tells of it, not about an event of its pods."""
    evicted = signal(Kind.EVICTION, BASKET, [3.0, 30.0, 60.0])
    felt = signal(Kind.SERVER_ERROR, FRONT, [3.1, 30.1], sizes=[9.0, 9.0], mentions=(BASKET,), source="loki")
    asked = Wish(words=(BASKET.name,))
    assert felt == choose([evicted, felt], Topology(), window(), asked).symptom


class Lines:
    """The lines behind a signal, by their times."""

    def __init__(self, hours):
        self._hours = hours

    def times(self, _signal):
        """Give them in seconds since the epoch."""
        return [at(hour) for hour in self._hours]


@pytest.mark.parametrize(
    ("hours", "words"),
    [(range(2, 118, 6), "in no burst that stands out"), (range(80, 119, 2), "none in the first 3 d 8 h, all from Thu 05 Mar 08:00Z on")],
)  # fmt: skip
def test_what_was_asked_about_is_said_to_be_even_only_where_it_is(hours, words):
    """Twenty lines all over the window, or none of them in its first three days."""
    seen = signal(Kind.SERVER_ERROR, FRONT, [], source="kubernetes/logs", attributes={"status": "502"})
    found = findings(None, [replace(seen, total=len(hours))])
    told = asked_about(replace(found, question="why the 502s?", measures=Lines(hours)))
    assert words in told
    assert f"{len(hours)} lines" in told
