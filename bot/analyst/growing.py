"""What was rising or running out for a long time when an unexplained symptom began: worth a look, and no cause.

Leaves out whether it leads to the symptom, which the tests of links say; here stands only what no test could tie.
"""

from bot.analyst.findings import Findings
from bot.analyst.words import GROWTH, clock_s
from bot.domain.entity import Entity
from bot.domain.signal import Kind, Occurrence, Signal

MOST = 2
STILL_S = 900.0
"""What stopped growing this long before the symptom, at most, was growing when it began."""


def growing(findings: Findings) -> str:
    """Say what in the symptom's namespaces grew from a knee on until it began; empty where nothing did."""
    symptom = findings.symptom
    if symptom is None:
        return ""
    begun_s = symptom.occurrences[0].start_s
    spaces = {_space(one) for one in (symptom.entity, *symptom.mentions)}
    found = [
        (
            one.start_s,
            signal.id,
            f"{signal.subject} of {signal.entity} {_way(one)} from {clock_s(one.start_s)} on ({one.note})",
        )
        for signal in findings.signals.values()
        if _grew(signal) and _space(signal.entity) in spaces
        for one in signal.occurrences[:1]
        if one.start_s < begun_s <= one.end_s + STILL_S
    ]
    if not found:
        return ""
    told = " and ".join(text for _, _, text in sorted(found)[:MOST])
    return f" Worth a look, though nothing shows that it leads to this: {told}."


def _grew(signal: Signal) -> bool:
    return (
        signal.kind in (*GROWTH, Kind.QUEUE_GROWTH)
        and signal.source == "prometheus"
        and "unsure_s" in signal.attributes
    )


def _way(one: Occurrence) -> str:
    return "fell" if one.note.endswith(" left") else "rose"


def _space(entity: Entity) -> str | None:
    return entity.name if entity.kind == "Namespace" else entity.namespace
