"""A change that was put back while the symptom went on as before did not bring it about; one that it ended with may have."""

from array import array
from dataclasses import replace

import pytest
from engine_parts import HOUR_S, at, signal
from test_advice import findings

from bot.analyst.advice import recommendations
from bot.analyst.conclusion import conclusion
from bot.analyst.roots import against
from bot.analyst.undone import undone_in_vain, without_vain, words_of
from bot.domain.entity import Entity
from bot.domain.link import Chain, LinkTest
from bot.domain.signal import BACK, Kind

WEB = Entity("Deployment", "web", "shop")
EDGE = Entity("Deployment", "edge", "shop")
TEST = LinkTest(status="supported", test="", hits=1, misses=0, unexplained=0, lag=None, p_value=None, lag_range_s=(0.0, 600.0))  # fmt: skip


class Times:
    """Measures that know only when failures came."""

    def __init__(self, times):
        self.at = array("d", times)

    def times(self, _):
        """Give the times of a signal, ascending."""
        return self.at


def rolled(*hours, back=True, kind=Kind.ROLLOUT):
    """Give a release and what came next: the return to what was there before, or another release."""
    one = signal(kind, WEB, hours)
    notes = ["web: 1 → 2", f"{BACK if back else ''}web: 2 → 1", "web: 1 → 3"]
    return replace(one, occurrences=tuple(replace(each, note=note) for each, note in zip(one.occurrences, notes, strict=False)))  # fmt: skip


def case(root, hours, lengths_h, *, times=None, between=()):
    felt = signal(
        Kind.SERVER_ERROR, EDGE, hours, length_s=[one * HOUR_S for one in lengths_h], sizes=[60.0] * len(hours)
    )
    chain = Chain(
        signals=(root, *between, felt), links=(), explained=tuple(range(len(hours))), end_to_end=TEST, score=1.0
    )
    return replace(findings(root, *between, felt, measures=times), chains=(chain,)), chain


def evenly(begin, end, step_s=60.0):
    return [at(begin) + step_s * n for n in range(round((end - begin) * HOUR_S / step_s))]


@pytest.mark.parametrize(
    ("hours", "lengths", "times", "vain"),
    [
        ([10.1], [3], evenly(10.1, 13.1), True),
        ([10.1], [1], evenly(10.1, 11.1), False),  # it ended with the undoing
        ([10.1], [1.3], evenly(10.1, 11.4), False),  # soon after it: what was under way runs out
        ([10.1], [3], [*evenly(10.1, 11), *evenly(11, 13.1, 300.0)], False),  # far fewer than before
        ([10.1], [3], None, True),
        ([10.1], [2], None, False),  # of failures without times more is asked
        ([10.1, 10.5, 12, 13], [0.1] * 4, None, True),
        ([10.1, 10.5, 12], [0.1] * 3, None, False),  # once more may be of anything
        ([11.05], [3], None, False),  # the return itself came before it
    ],
)  # fmt: skip
def test_a_change_is_cleared_where_the_symptom_goes_on_long_after_its_undoing(hours, lengths, times, vain):
    """As long and as often as before the undoing, or as many episodes; a tail of the failures clears nothing."""
    root = rolled(10, 11)
    found, chain = case(root, hours, lengths, times=Times(times) if times else None)
    back = undone_in_vain(found, root, chain.symptom.occurrences)
    assert (root.occurrences[1] if vain else None) == back
    doubts = against(found, chain, {})
    assert vain == any(
        "it was undone at Mon 02 Mar 11:00Z, and" in doubt and doubt.endswith("went on") for doubt in doubts
    )
    assert bool(words_of(found, root, chain.symptom.occurrences)) == vain


@pytest.mark.parametrize(
    "root",
    [rolled(10, 11, back=False), rolled(10), rolled(10, 11, kind=Kind.SCALE_UP)],
    ids=["further", "once", "scaled"],
)
def test_only_an_undoing_clears(root):
    """A second release that goes further, no second one, or what undoes itself by the hour says nothing."""
    found, chain = case(root, [10.1], [3], times=Times(evenly(10.1, 13.1)))
    assert against(found, chain, {}) == []


def test_what_comes_after_the_next_change_is_not_held_against_the_first():
    """Failures that go on because the release was made again do not clear it."""
    root = rolled(10, 11, 11.2)
    found, chain = case(root, [10.1], [3], times=Times(evenly(10.1, 13.1)))
    assert undone_in_vain(found, root, chain.symptom.occurrences[:1]) is None


def test_what_filled_up_outlives_its_cause():
    """A queue that a release filled stays full once that is undone."""
    grown = signal(Kind.RESOURCE_GROWTH, WEB, [10])
    found, chain = case(rolled(10, 11), [10.1], [3], times=Times(evenly(10.1, 13.1)), between=(grown,))
    assert against(found, chain, {}) == []


def test_other_ways_come_first_and_a_lone_one_stays_to_be_told():
    """A chain from what was undone in vain gives way to others; alone it stays, as the lead that was refuted."""
    found, chain = case(rolled(10, 11), [10.1], [3], times=Times(evenly(10.1, 13.1)))
    other = replace(chain, signals=(signal(Kind.TIMEOUT, EDGE, [10.1]), chain.symptom))
    assert without_vain(replace(found, chains=(chain, other)), {}).chains == [other]
    assert without_vain(found, {}).chains == (chain,)


def test_no_figure_is_promised_of_an_undoing_that_failures_outlasted():
    """What came after the undoing is told in place of what an earlier one would have spared."""
    chain = case(rolled(10, 11), [10.1], [1.5], times=None)[1]
    late = recommendations(chain, replace(findings(*chain.signals), measures=Times(evenly(10.1, 11.6))))[0].effect
    ended = recommendations(chain, replace(findings(*chain.signals), measures=Times(evenly(10.1, 11.0))))[0].effect
    assert "it was undone at Mon 02 Mar 11:00Z, and 25 of 90 failed requests came more than 10 min after that" in late
    assert "would have spared" in ended.partition("if nothing else")[2]
    assert "would have spared" not in late.partition("if nothing else")[2].replace("would have spared cannot", "")


def test_the_answer_tells_the_second_rollout_as_the_return():
    """Twice the same words would hide that the second took the first away."""
    said = [conclusion(case(root, [10.1], [1])[1]) for root in (rolled(10, 11), rolled(10, 11, back=False))]
    assert "was rolled out and put back as it was at Mon 02 Mar 11:00Z" in said[0]
    assert "was rolled out twice" in said[1]
