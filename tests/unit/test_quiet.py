"""What a quiet window is told with: nothing is called ruled out that no test speaks of."""

import pytest
from engine_parts import signal, window

from bot.analyst.citations import Citations
from bot.analyst.findings import Around, Findings
from bot.analyst.quiet import set_aside
from bot.domain.entity import Entity
from bot.domain.signal import Kind, Topology

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
