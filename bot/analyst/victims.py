"""Is a change of a workload on the cascade a change of a mere victim? What failed elsewhere first, that change does not explain.

Leaves out a change of the workload where the cascade begins, and what came too few times for an order to be seen.
"""

from bot.analyst.findings import Findings
from bot.analyst.words import counted, plural
from bot.domain.link import Chain
from bot.domain.signal import Kind, Signal

CHANGES = frozenset({Kind.ROLLOUT, Kind.RELOAD, Kind.CONFIG_CHANGE, Kind.SECRET_CHANGE})
MOSTLY = 0.75
"""Share of a workload's troubles before which the other workload failed."""
OFTEN = 3
"""Troubles from which on their order with another's tells something."""


def failed_elsewhere_first(findings: Findings, signal: Signal, chain: Chain | None) -> str:
    """Say that another workload, which a change did not touch, failed before the changed one mostly did; empty where not."""
    if chain is None or signal.kind not in CHANGES:
        return ""
    place = findings.topology.root(signal.entity)
    places = [findings.topology.root(one.entity) for one in chain.signals]
    at = places.index(place) if place in places else 0
    if at < 1 or places[at - 1] == place or (places[at - 1], place) in findings.topology.calls:
        return ""  # a caller may fail by what the changed one does to it
    test, sooner = chain.links[at - 1].test, chain.signals[at - 1]
    with_it = test.effects - test.unexplained
    if test.status != "supported" or with_it < OFTEN or with_it < MOSTLY * test.effects:
        return ""
    if sooner.kind in CHANGES:
        return ""
    first = places[at - 1].name
    return (
        f"{plural(sooner.kind)} of {first} came before {place.name} failed {with_it} of {counted(test.effects, 'time')}, and "
        f"nothing shows {first} to call {place.name}"
    )
