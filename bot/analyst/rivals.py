"""What stood near and did not do it: every notable event outside the cascade is tested against the symptom.

An event is ruled out on its numbers: the symptom does not follow it, or does so no more often than chance, or leaves
most of the symptom unexplained. What only follows from the cascade is no rival and is left out.
"""

from dataclasses import dataclass

from bot.analyst.citations import Citations
from bot.analyst.findings import Findings
from bot.analyst.words import clock_s, counted, length, noun, p_words, times
from bot.domain.link import Chain, Link
from bot.domain.report import Contributing, RuledOut
from bot.domain.signal import Kind, Signal, SignalId
from bot.domain.window import instant

MOST_TIMES = 300
"""Occurrences that a timeline is given."""
MOST = 8
NOTABLE: dict[Kind, float] = {
    Kind.OOM_KILL: 1.0,
    Kind.CONTAINER_RESTART: 0.9,
    Kind.ROLLOUT: 0.95,
    Kind.NODE_FAILURE: 0.95,
    Kind.CONFIG_CHANGE: 0.85,
    Kind.SECRET_CHANGE: 0.85,
    Kind.CERTIFICATE_EXPIRY: 0.85,
    Kind.CRASH_LOOP: 0.8,
    Kind.EVICTION: 0.8,
    Kind.EXTERNAL_FAILURE: 0.75,
    Kind.HUMAN_CHANGE: 0.7,
    Kind.JOB_RUN: 0.7,
    Kind.JOB_FAILURE: 0.7,
    Kind.TRAFFIC_RISE: 0.6,
    Kind.DISK_PRESSURE: 0.6,
    Kind.IMAGE_PULL_FAILURE: 0.5,
    Kind.SCHEDULING_FAILURE: 0.4,
    Kind.DEADLOCK: 0.4,
    Kind.NAME_RESOLUTION_FAILURE: 0.4,
    Kind.PROBE_FAILURE: 0.3,
}
"""Kinds that people suspect, and how readily."""
SAME_ACT = {Kind.OOM_KILL: Kind.CONTAINER_RESTART, Kind.CRASH_LOOP: Kind.CONTAINER_RESTART}
"""A restart that another signal of the same entity already tells better."""
SHARE_OF_A_CAUSE = 0.5
"""An event that explains less of the symptom than this, where the cascade explains more, did not bring it about."""


@dataclass(frozen=True, slots=True)
class Rival:
    """An event outside the cascade and its test against the symptom."""

    signal: Signal
    link: Link
    reason: str


def rivals(findings: Findings, chain: Chain | None) -> list[Rival]:
    """Test every notable event outside the cascade; give those that are ruled out, the most suspected first."""
    symptom = findings.symptom
    if symptom is None:
        return []
    inside = {signal.id for signal in chain.signals} if chain else set()
    acts = {(signal.kind, findings.topology.root(signal.entity)) for signal in chain.signals} if chain else set()
    told: set[tuple[Kind, object]] = set()
    found: list[Rival] = []
    for signal in _suspects(findings):
        place = findings.topology.root(signal.entity)
        if signal.id in inside or (signal.kind, place) in acts or (signal.kind, place) in told:
            continue
        if _consequence(signal, findings, inside) or _same_act(signal, found):
            continue
        link = findings.test(signal, symptom)
        reason = why_not(signal, link, symptom, chain)
        if reason is None:
            continue
        told.add((signal.kind, place))
        if signal.kind in SAME_ACT:
            told.add((SAME_ACT[signal.kind], place))
        found.append(Rival(signal, link, reason))
    return found[:MOST]


def ruled_out(rival: Rival, findings: Findings, citations: Citations) -> RuledOut:
    """Tell a rival as a report entry."""
    signal = rival.signal
    first = signal.occurrences[0]
    cited = citations.cite_all(
        [(one.refs[0], one.start_s) for one in signal.occurrences if one.refs][:2], entity=signal.entity
    )
    test = rival.link.test
    note = f" ({first.note})" if first.note and len(first.note) < 80 else ""
    when = f" at {clock_s(first.start_s)}" if len(signal.occurrences) == 1 else f", first at {clock_s(first.start_s)}"
    if signal.kind is Kind.HUMAN_CHANGE:
        return RuledOut(
            entity=signal.entity,
            summary=f"what {signal.entity.name} did to {signal.subject}{when}: {first.note}",
            reason=rival.reason,
            test=f"{test.test}: {test.hits} of {test.hits + test.misses} followed by the symptom, {p_words(test.p_value)}",
            evidence=cited,
        )
    return RuledOut(
        entity=findings.topology.root(signal.entity),
        summary=f"{noun(signal.kind)} of {signal.entity}, {times(len(signal.occurrences))}{when}{note}",
        reason=rival.reason,
        test=f"{test.test}: {test.hits} of {test.hits + test.misses} followed by the symptom, {p_words(test.p_value)}",
        evidence=cited,
        times=tuple((instant(one.start_s), instant(one.end_s)) for one in signal.occurrences[:MOST_TIMES]),
    )


def why_not(signal: Signal, link: Link, symptom: Signal, chain: Chain | None) -> str | None:
    """Say why an event did not bring the symptom about, or None where the numbers do not say so."""
    test = link.test
    count = test.hits + test.misses
    reach = length(max(test.lag_range_s[1], 60.0))
    episodes = max(test.effects, 1)
    covered = episodes - test.unexplained
    before = sum(1 for one in symptom.occurrences if one.start_s < signal.occurrences[0].start_s)
    subject = "It" if count == 1 else f"{test.hits} of {count}"
    if not test.hits:
        lead = "it" if count == 1 else f"any of the {count}"
        return (
            f"none of the {counted(episodes, 'symptom episode')} began within {reach} after {lead}; "
            f"{before} had begun before it first happened"
        )
    better = chain is not None and len(chain.explained) > covered
    if covered / episodes < SHARE_OF_A_CAUSE and better:
        leads = "was followed by the symptom" if count == 1 else "were followed by the symptom"
        return (
            f"{subject} {leads}, which leaves {test.unexplained} of {counted(episodes, 'episode')} unexplained; "
            f"the cascade explains {len(chain.explained) if chain else 0}"
        )
    if test.status != "supported":
        return f"{test.hits} of {count} were followed by the symptom, no more than chance would give ({p_words(test.p_value)})"
    return None


def contributing(findings: Findings, chain: Chain, citations: Citations) -> tuple[Contributing, ...]:
    """Give what lies between two steps of the cascade beside the main line: it made things worse, it did not begin it."""
    inside = {signal.id: place for place, signal in enumerate(chain.signals)}
    kinds = {(signal.kind, findings.topology.root(signal.entity)) for signal in chain.signals}
    fed: dict[str, float] = {}
    feeds: dict[str, float] = {}
    for link in findings.links:
        if link.test.status != "supported" or link.plausibility < 0.5:
            continue
        if link.cause in inside and link.effect not in inside:
            fed[link.effect] = max(fed.get(link.effect, 0.0), link.plausibility)
        if link.effect in inside and link.cause not in inside and inside[link.effect] > 0:
            feeds[link.cause] = max(feeds.get(link.cause, 0.0), link.plausibility)
    both = [signal for signal in findings.signals.values() if signal.id in fed and signal.id in feeds]
    both = [s for s in both if (s.kind, findings.topology.root(s.entity)) not in kinds]
    both.sort(key=lambda s: (-fed[s.id] * feeds[s.id], s.id))
    return tuple(
        Contributing(
            entity=findings.topology.root(signal.entity),
            summary=(
                f"{noun(signal.kind)} of {signal.entity}, {times(len(signal.occurrences))}: "
                "it followed the cascade and fed it in turn"
            ),
            evidence=citations.cite_all(
                [(ref, one.start_s) for one in signal.occurrences[:1] for ref in one.refs[:1]], entity=signal.entity
            ),
        )
        for signal in both[:4]
    )


def _suspects(findings: Findings) -> list[Signal]:
    found = [s for s in findings.signals.values() if s.kind in NOTABLE and s.occurrences and s.source != "prometheus"]
    return sorted(found, key=lambda s: (-NOTABLE[s.kind], s.entity.kind == "Node", len(s.occurrences), s.id))


def _same_act(signal: Signal, others: list[Rival]) -> bool:
    """Tell whether a rival of the same kind at the same time tells this act already, of a pod rather than its node."""
    return any(
        rival.signal.kind is signal.kind
        and len(rival.signal.occurrences) == len(signal.occurrences)
        and abs(rival.signal.occurrences[0].start_s - signal.occurrences[0].start_s) <= 60.0
        for rival in others
    )


def _consequence(signal: Signal, findings: Findings, inside: set[SignalId]) -> bool:
    """Tell whether a step of the cascade brings this event about as a rule."""
    return any(
        link.cause in inside
        and link.effect == signal.id
        and link.test.status == "supported"
        and link.test.effects > 2
        and link.test.unexplained * 2 < link.test.effects
        for link in findings.links
    )
