"""What is advised for what begins a chain."""

from bot.analyst.advice import GENERAL
from bot.analyst.offline import LEAST_ROOT
from bot.signals.mechanisms import EXOGENOUS


def test_whatever_can_be_called_the_cause_has_its_advice():
    """No kind that a report may name as the root cause leaves its reader without a word on what to change."""
    roots = {kind for kind, standing in EXOGENOUS.items() if standing >= LEAST_ROOT}
    assert roots - set(GENERAL) == set()
