"""What all changes are made of: settings by name, the lines behind a step, and the words that name a number's assumption.

Leaves out what is advised.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator

from bot.analyst.findings import Findings
from bot.domain.entity import Entity
from bot.domain.link import Chain
from bot.domain.signal import Occurrence, Signal, SpecFact
from bot.domain.what_if import WhatIf

MOST_LINES = 400
GIB = 2.0**30
MI = float(1 << 20)


def fact_of(findings: Findings, places: Collection[Entity], name: str) -> SpecFact | None:
    """Give the first setting of these places whose name holds ``name``."""
    return next((fact for fact in findings.facts if fact.entity in places and name in fact.name), None)


def number_of_fact(findings: Findings, places: Collection[Entity], name: str) -> float | None:
    """Give the same as a number, None where there is none."""
    fact = fact_of(findings, places, name)
    return None if fact is None else fact.number


def places_of(signal: Signal, findings: Findings) -> set[Entity]:
    """Give where the settings that bear on a signal may stand: its entity, what owns it, and what it scales."""
    topology = findings.topology
    return {signal.entity, topology.root(signal.entity), topology.targets.get(signal.entity, signal.entity)}


def found_in(signal: Signal, findings: Findings, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Give the matches in the items that a signal cites."""
    refs = list(dict.fromkeys(ref for one in signal.occurrences for ref in one.refs))[:MOST_LINES]
    for stored in findings.evidence.items(refs):
        found = pattern.search(stored.text)
        if found is not None:
            yield found


def failures_of(chain: Chain, findings: Findings) -> list[float]:
    """Give the times of the failures in the episodes that a chain accounts for, ascending; empty where only counts are known."""
    times = findings.measures.times(chain.symptom) if findings.measures is not None else None
    if times is None:
        return []
    kept: list[float] = []
    until = float("-inf")
    for start_s, end_s in sorted((one.start_s, one.end_s) for one in explained(chain)):
        first = bisect_left(times, start_s) if start_s > until else bisect_right(times, until)
        kept.extend(times[first : bisect_right(times, end_s)])
        until = max(until, end_s)
    return kept


def explained(chain: Chain) -> list[Occurrence]:
    """Give the symptom's episodes that a chain accounts for."""
    return [chain.symptom.occurrences[place] for place in chain.explained]


def struck_of(chain: Chain) -> tuple[int, int]:
    """Count the failures in the episodes that a chain accounts for, and all there were."""
    return int(sum(one.size for one in explained(chain))), int(sum(one.size for one in chain.symptom.occurrences))


def would_have(setting: str, what: WhatIf, *, beside: float | None = None) -> str:
    """Say what a setting would have spared, beside it what a smaller change would have, and on what assumption."""
    less = f" ({what.value_words(beside)}: {what.words(beside).partition(' of ')[0]})" if beside is not None else ""
    return f"{setting} would have spared {what.words()} in this window{less}, if {what.assumption}"
