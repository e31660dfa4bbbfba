"""Is a change of a workload on the cascade a change of a mere victim? What failed elsewhere first, that change does not explain.

Leaves out a change of the workload where the cascade begins, and what came too few times for an order to be seen.
"""

from bot.analyst.findings import Findings
from bot.analyst.undecided import STAYS
from bot.analyst.words import counted, plural
from bot.domain.link import Chain
from bot.domain.signal import COMES_ALONG, Kind, Signal

ORDINARY = STAYS | COMES_ALONG | {Kind.JOB_RUN}
"""What every change brings along, or what is no trouble."""
LEAST_LINES = 3
"""Log lines together that are trouble; one slow request now and then is not."""
SOON_S = 60.0
"""How long after the symptom set in trouble elsewhere still counts as having come with it."""
MOSTLY = 0.75
"""Share of a workload's troubles before which the other workload failed."""
WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Rollout"})
"""What has pods of its own, in which trouble would show."""
OFTEN = 3
"""Troubles from which on their order with another's tells something."""


def failed_elsewhere_first(findings: Findings, signal: Signal, chain: Chain | None) -> str:
    """Say that another workload, which a change did not touch, failed before the changed one mostly did; empty where not."""
    if chain is None or signal.kind not in STAYS:
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
    if sooner.kind in STAYS:
        return ""
    first = places[at - 1].name
    return (
        f"{plural(sooner.kind)} of {first} came before {place.name} failed {with_it} of {counted(test.effects, 'time')}, and "
        f"nothing shows {first} to call {place.name}"
    )


def well_itself(findings: Findings, signal: Signal, chain: Chain | None) -> str:
    """Say that nothing went wrong at a changed workload beside the cascade until the symptom came; empty where something did, or
    where none of its lines were read, in which it would show.
    """
    if chain is None or signal.kind not in STAYS or len(chain.explained) < len(chain.symptom.occurrences):
        return ""
    place = findings.topology.root(signal.entity)
    if place in {findings.topology.root(one.entity) for one in chain.signals} or place.kind not in WORKLOADS:
        return ""
    if place not in findings.heard:
        return ""
    spans = [
        (one.start_s, min(felt) + SOON_S)
        for one in signal.occurrences
        if (felt := [each.start_s for each in chain.symptom.occurrences if each.start_s >= one.start_s])
    ]
    trouble = any(
        start <= each.start_s <= end
        for other in findings.signals.values()
        if other.kind not in ORDINARY and findings.topology.root(other.entity) == place
        for each in other.occurrences
        if each.size >= LEAST_LINES or not other.source.endswith(("logs", "loki"))
        for start, end in spans
    )
    if trouble or not spans:
        return ""
    return (
        f"nothing went wrong at {place.name} itself before the symptom came, which the cascade accounts for without it"
    )
