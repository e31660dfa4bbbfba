"""What speaks against a root although its ties hold."""

import pytest
from engine_parts import signal
from test_advice import UNTESTED, WEB, findings

from bot.analyst.roots import against
from bot.domain.entity import Entity
from bot.domain.link import Chain
from bot.domain.signal import Kind
from bot.signals.mechanisms import EXOGENOUS

EDGE, BESIDE = Entity("Deployment", "edge", "shop"), Entity("Deployment", "mail", "shop")
HOURS = [20.0, 25.0, 31.0]
NODE = frozenset({"node-a"})
ROLLED = signal(Kind.ROLLOUT, WEB, [19.9])
SHORT = signal(Kind.CPU_SATURATION, WEB, HOURS, length_s=1200, nodes=NODE)
FELT = signal(Kind.SERVER_ERROR, EDGE, HOURS, length_s=1200)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (signal(Kind.CPU_SATURATION, BESIDE, HOURS, length_s=1200, nodes=NODE), True),
        (signal(Kind.CPU_SATURATION, BESIDE, [3.0, 40.0, 60.0], length_s=1200, nodes=NODE), False),
        (signal(Kind.CPU_SATURATION, BESIDE, HOURS, length_s=1200, nodes=frozenset({"node-b"})), False),
        (signal(Kind.IO_SATURATION, BESIDE, HOURS, length_s=1200, nodes=NODE), False),
    ],
    ids=["at the same times", "at other times", "on another node", "of something else"],
)
def test_what_a_neighbour_runs_short_of_too_is_not_the_changes(other, said):
    """A rollout does not reach who runs beside it: what both lack at the same times is what they share."""
    chain = Chain(signals=(ROLLED, SHORT, FELT), links=(), explained=(0, 1, 2), end_to_end=UNTESTED, score=1.0)
    doubts = against(findings(other, *chain.signals), chain, EXOGENOUS)
    assert said is any("ran short at the same times" in doubt for doubt in doubts)
