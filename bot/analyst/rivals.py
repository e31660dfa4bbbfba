"""What stood near and did not do it: every notable event outside the cascade is tested against the symptom.

An event is ruled out on its numbers: the symptom does not follow it, or does so no more often than chance, or leaves
most of the symptom unexplained. What only follows from the cascade is no rival and is left out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.analyst.antecedents import antecedents
from bot.analyst.citations import Citations
from bot.analyst.findings import Findings
from bot.analyst.outages import one_outage
from bot.analyst.routes import why_explained
from bot.analyst.undecided import STAYS, cannot_tell
from bot.analyst.undone import then_back, undone_in_vain, words_of
from bot.analyst.victims import failed_elsewhere_first, well_itself
from bot.analyst.words import MASS, TAKEN_AWAY, capital, clock_s, counted, happened, noun, noun_of, p_words, times
from bot.domain.entity import Entity
from bot.domain.link import Chain, Link, LinkTest
from bot.domain.report import Contributing, RuledOut
from bot.domain.signal import Kind, Signal, SignalId
from bot.domain.spelling import length
from bot.domain.window import instant

MOST_TIMES = 300
"""Occurrences that a timeline is given."""
MOST = 8
MOST_EXPLAINED = 3
MOST_OPEN = 5
_NUMBER = re.compile(r"-\d")
LEAST_FOLDED = 2
ANNOUNCED_S = 900.0
"""How far apart somebody's announcement of a change and the change itself are at most."""
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
LASTING = STAYS
"""Changes that go on having effect."""
SAME_ACT = {Kind.OOM_KILL: Kind.CONTAINER_RESTART, Kind.CRASH_LOOP: Kind.CONTAINER_RESTART}
"""A restart that another signal of the same entity already tells better."""
ONE_ACT = (
    frozenset({Kind.SCALE_DOWN, Kind.POD_KILL, Kind.SHUTDOWN}),
    frozenset({Kind.OOM_KILL, Kind.CONTAINER_RESTART, Kind.CRASH_LOOP, Kind.OUT_OF_MEMORY}),
)
"""Kinds that are two sides of one act where they happen to the same workload."""
UNTOLD = frozenset({Kind.LOG_ERROR, Kind.LOG_BURST, Kind.ALERT, Kind.RESOURCE_SHIFT})
"""Kinds that say too little to be called a cause of anything."""
LEAST_PLAUSIBLE = 0.5
MOST_CONTRIBUTING = 3
MAY_END = "it was made as that ended, and may have ended it"
ENDS_S = 600.0
"""How long before the last sign of the symptom what ended it stands at most."""
LASTED_S = 600.0
"""From here on it is told how long a single occurrence went on."""
SHARE_OF_A_CAUSE = 0.5
"""An event that explains less of the symptom than this, where the cascade explains more, did not bring it about."""


@dataclass(frozen=True, slots=True)
class Rival:
    """An event outside the cascade and its test against the symptom."""

    signal: Signal
    link: Link
    reason: str
    open: bool = False
    """Whether the tests cannot tell; ``reason`` then says why."""
    cleared: bool = False
    """Whether more than its numbers clears it: it was undone in vain, or another failed first."""


def may_wait(signal: Signal, symptom: Signal, near_s: float = 0.0) -> bool:
    """Tell a lasting change that was there before the symptom was: while no cause is known, that nothing followed at once
    does not clear it. ``near_s``: how much later than the symptom it may be dated.
    """
    return signal.kind in LASTING and signal.occurrences[-1].start_s <= symptom.occurrences[0].start_s + near_s


def rivals(findings: Findings, chain: Chain | None, *, known: bool = True) -> list[Rival]:
    """Test every notable event outside the cascade; give those that are ruled out, the most suspected first, then those that
    the tests cannot tell of.

    ``known``: whether the cause was established.
    """
    symptom = findings.symptom
    if symptom is None:
        return []
    if not known and chain is not None and undone_in_vain(findings, chain.root, symptom.occurrences) is not None:
        chain = None  # the best lead, and yet it was not that
    inside = {signal.id for signal in chain.signals} if chain else set()
    acts = {(signal.kind, findings.topology.root(signal.entity)) for signal in chain.signals} if chain else set()
    if chain is not None:
        inside |= {one.signal.id for one in antecedents(chain.root, inside, findings.links, findings.signals)}
    told: set[tuple[Kind, object]] = set()
    found: list[Rival] = []
    for signal in suspects(findings):
        place = findings.topology.root(signal.entity)
        if signal.id in inside or (signal.kind, place) in acts or (signal.kind, place) in told:
            continue
        if chain is not None and one_outage(chain.root, signal):
            continue
        if _consequence(signal, findings, inside) or _same_act(signal, found) or announced(signal, findings):
            continue
        link = findings.test(signal, symptom)
        vain = words_of(findings, signal, symptom.occurrences) or (known and findings.cleared.get(signal.id)) or ""
        vain = vain or failed_elsewhere_first(findings, signal, chain if known else None)
        vain = vain or (link.test.hits > 0 and well_itself(findings, signal, chain if known else None)) or ""
        unsure = "" if vain else cannot_tell(findings, signal, link, chain, known=known)
        reason = vain or unsure or why_not(signal, link, symptom, chain if known else None)
        if reason is None or (not known and not vain and not unsure and may_wait(signal, symptom)):
            continue
        told.add((signal.kind, place))
        if signal.kind in SAME_ACT:
            told.add((SAME_ACT[signal.kind], place))
        found.append(Rival(signal, link, reason, open=bool(unsure), cleared=bool(vain)))
    out = _folded([rival for rival in found if not rival.open], symptom)[:MOST]
    explained = _explained(findings, symptom, inside | {rival.signal.id for rival in found})
    return [*out, *explained, *_nearest(found, symptom)]


def _folded(found: list[Rival], symptom: Signal) -> list[Rival]:
    """Tell nodes that were taken away, and plain pods of one kind of name, in one entry each where nothing followed them: an
    autoscaler and its builds do so all day.
    """
    crowds: dict[object, list[Rival]] = {}
    for one in found:
        if not one.link.test.hits and (crowd := _crowd(one.signal)) is not None:
            crowds.setdefault(crowd, []).append(one)
    told = {id(many[0]): _as_one(many, symptom) for many in crowds.values() if len(many) >= LEAST_FOLDED}
    gone = {id(one) for many in crowds.values() if len(many) >= LEAST_FOLDED for one in many[1:]}
    return [told.get(id(one), one) for one in found if id(one) not in gone]


def _crowd(signal: Signal) -> tuple[str, ...] | None:
    """Give what a signal is told together with: nodes that were taken away, or pods of a name but for their number."""
    if signal.label in TAKEN_AWAY:
        return ("nodes",)
    if signal.entity.kind == "Pod":
        return (signal.kind, signal.entity.namespace or "", _NUMBER.split(signal.entity.name)[0])
    return None


def _as_one(many: list[Rival], symptom: Signal) -> Rival:
    first = min(many, key=lambda one: (one.signal.occurrences[0].start_s, one.signal.id))
    rows = sorted({each.start_s: each for one in many for each in one.signal.occurrences}.items())
    removed = first.signal.label in TAKEN_AWAY
    names = {name for one in many for name in ((removed and one.signal.nodes) or {one.signal.entity.name})}
    others = {"others": str(len(names) - 1)} if len(names) > 1 else {}
    signal = replace(
        first.signal,
        occurrences=tuple(each for _, each in rows),
        attributes={**first.signal.attributes, **others},
    )
    test = replace(first.link.test, misses=len(rows), p_value=None)
    reason = _nothing_followed(test, len(rows), max(test.effects, 1), signal, symptom)
    return Rival(signal, replace(first.link, test=test), reason)


def _nearest(found: Sequence[Rival], symptom: Signal) -> list[Rival]:
    """Give what the tests cannot tell of: what fits first, then what came the shortest time before the symptom."""
    felt_s = symptom.occurrences[0].start_s

    def order(rival: Rival) -> tuple[bool, float, str]:
        return rival.link.test.status != "supported", abs(felt_s - rival.signal.occurrences[0].start_s), rival.signal.id

    return sorted((rival for rival in found if rival.open), key=order)[:MOST_OPEN]


def _explained(findings: Findings, symptom: Signal, told: set[SignalId]) -> list[Rival]:
    """Give what the symptom follows by the clock, or by what precedes both, alone: the likeliest ways first."""
    found = [
        Rival(findings.signals[link.cause], link, reason)
        for link in sorted(findings.links, key=lambda link: (-link.plausibility, link.cause))
        if link.effect == symptom.id and link.cause not in told
        if link.test.status == "refuted" and (reason := why_explained(link, findings)) is not None
    ]
    return found[:MOST_EXPLAINED]


def ruled_out(rival: Rival, findings: Findings, citations: Citations) -> RuledOut:
    """Tell a rival as a report entry."""
    signal = rival.signal
    cited = citations.cite_all(
        [(one.refs[0], one.start_s) for one in signal.occurrences if one.refs][:2], entity=signal.entity
    )
    test = rival.link.test
    person = signal.kind is Kind.HUMAN_CHANGE
    return RuledOut(
        entity=signal.entity if person else findings.topology.root(signal.entity),
        summary=_said(signal) if person else seen_words(signal),
        reason=rival.reason,
        test=f"{test.test}: {test.hits} of {test.hits + test.misses} followed by the symptom, {p_words(test.p_value)}",
        evidence=cited,
        times=tuple((instant(one.start_s), instant(one.end_s)) for one in signal.occurrences[:MOST_TIMES]),
    )


def seen_words(signal: Signal) -> str:
    """Say what stood near, how often and when: ``one OOM kill, Thu 19 Nov 10:46Z``."""
    first, count = signal.occurrences[0], len(signal.occurrences)
    at = clock_s(first.start_s)
    if signal.kind in MASS:
        return f"{noun(signal.kind)}, {times(count)}, {'' if count == 1 else 'first '}{at}"
    if put_back := then_back(signal):
        return f"one {noun_of(signal)}, {at}, {put_back}"
    if others := signal.attributes.get("others"):
        return f"{counted(count, noun_of(signal))} of {signal.entity.name} and {counted(int(others), f'more {signal.entity.kind.lower()}')}, first {at}"
    if count > 1:
        return f"{counted(count, noun_of(signal))}, first {at}"
    note = f" ({first.note})" if first.note and len(first.note) < 80 and signal.kind is not Kind.JOB_RUN else ""
    return f"one {noun_of(signal)}, {at}{note}"


def _said(signal: Signal) -> str:
    """Say what a person said to have done, in that person's words."""
    first = signal.occurrences[0]
    return f"said to have changed {signal.subject}, {clock_s(first.start_s)}: “{first.note}”"


def why_not(signal: Signal, link: Link, symptom: Signal, chain: Chain | None) -> str | None:
    """Say why an event did not bring the symptom about, or None where the numbers do not say so."""
    test = link.test
    count = test.hits + test.misses
    episodes = max(test.effects, 1)
    covered = episodes - test.unexplained
    of_all = f"of {counted(episodes, 'episode')}" if episodes > 1 else "of the one episode"
    if not test.hits:
        return _nothing_followed(test, count, episodes, signal, symptom)
    followed = "an episode followed it" if count == 1 else f"an episode followed {test.hits} of {count}"
    if chain is not None and covered / episodes < SHARE_OF_A_CAUSE and len(chain.explained) > covered:
        return (
            f"{followed}, but that leaves {test.unexplained} {of_all} unexplained; "
            f"the cascade explains {len(chain.explained)}"
        )
    if test.status != "supported":
        return f"{followed}, no more than chance would give ({p_words(test.p_value)})"
    return None


def _nothing_followed(test: LinkTest, count: int, episodes: int, signal: Signal, symptom: Signal) -> str:
    """Say that no episode began in reach of an event, and how many had begun before it at all."""
    reach_s = test.lag_range_s[1]
    reach = length(reach_s - reach_s % 60 if reach_s >= 60 else reach_s)
    before = sum(1 for one in symptom.occurrences if one.start_s < signal.occurrences[0].start_s)
    after = "it" if count == 1 else f"any of the {count}"
    if episodes == 1:
        told = f"the one episode {'had begun before' if before else f'did not begin within {reach} after'} {after}"
        return f"{told}; {MAY_END}" if before and _ends(signal, symptom) else told
    said = f"none of the {episodes} episodes began within {reach} after {after}"
    earlier = f"all {episodes}" if before == episodes else f"{before}"
    return f"{said}; {earlier} had begun before {'it' if count == 1 else 'the first'}" if before else said


def _ends(signal: Signal, symptom: Signal) -> bool:
    """Tell a change made as the symptom ended, minutes before its last sign: it may be the undoing."""
    end_s = symptom.occurrences[-1].end_s
    return signal.kind in LASTING and any(-60.0 <= end_s - one.start_s <= ENDS_S for one in signal.occurrences)


def contributing(
    findings: Findings, chain: Chain, kept: Sequence[Signal], citations: Citations
) -> tuple[Contributing, ...]:
    """Give what lies between two steps of the cascade beside the main line, after what ``kept`` the symptom up: it made
    things worse, it did not begin it.
    """
    inside = {signal.id: place for place, signal in enumerate(chain.signals)}
    kinds = {(signal.kind, findings.topology.root(signal.entity)) for signal in chain.signals}
    fed: dict[str, tuple[float, int]] = {}
    feeds: dict[str, tuple[float, int]] = {}
    for link in findings.links:
        if link.test.status != "supported" or link.plausibility < LEAST_PLAUSIBLE:
            continue
        if link.cause in inside and link.effect not in inside:
            fed[link.effect] = max(fed.get(link.effect, (0.0, 0)), (link.plausibility, inside[link.cause] + 1))
        if link.effect in inside and link.cause not in inside and inside[link.effect] > 0:
            feeds[link.cause] = max(feeds.get(link.cause, (0.0, 0)), (link.plausibility, inside[link.effect] + 1))
    both = [signal for signal in findings.signals.values() if signal.id in fed and signal.id in feeds]
    both = [s for s in both if s.kind not in UNTOLD and not _told_by_a_step(s, kinds, findings)]
    both = [s for s in both if fed[s.id][1] < feeds[s.id][1] and s not in kept]
    at_fault = {findings.topology.root(signal.entity) for signal in chain.signals}
    # a change elsewhere has no more than its order to speak for it: consumers that took a new secret did well
    both = [s for s in both if s.kind not in LASTING or findings.topology.root(s.entity) in at_fault]
    both.sort(key=lambda s: (-fed[s.id][0] * feeds[s.id][0], s.id))
    said = [(s, f"{_how_long(s)}: it kept the symptom up, once that had begun") for s in kept]
    said += [(s, f"{_how_long(s)}: it follows S{fed[s.id][1]} and leads to S{feeds[s.id][1]}") for s in both]
    return tuple(
        Contributing(
            entity=findings.topology.root(signal.entity),
            summary=f"{capital(happened(signal))} {part}",
            evidence=citations.cite_all(
                [(ref, one.start_s) for one in signal.occurrences[:1] for ref in one.refs[:1]], entity=signal.entity
            ),
        )
        for signal, part in said[:MOST_CONTRIBUTING]
    )


def _how_long(signal: Signal) -> str:
    """Say how long something went on, where it did so once, else how often it came."""
    first = signal.occurrences[0]
    lasted_s = first.end_s - first.start_s
    if len(signal.occurrences) > 1 or lasted_s < LASTED_S:
        return times(len(signal.occurrences))
    return f"for {length(lasted_s)}"


def _told_by_a_step(signal: Signal, kinds: set[tuple[Kind, Entity]], findings: Findings) -> bool:
    """Tell whether a step tells this act already: the same kind of thing, or the other end of one, at the same place."""
    place = findings.topology.root(signal.entity)
    alike = next((group for group in ONE_ACT if signal.kind in group), frozenset({signal.kind}))
    return any((kind, place) in kinds for kind in alike)


def suspects(findings: Findings) -> list[Signal]:
    """List the events that people suspect, the most suspected first."""
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


def announced(signal: Signal, findings: Findings) -> bool:
    """Tell what somebody announced and the cluster itself shows as done: the deed is told, the announcement says no more."""
    if signal.kind is not Kind.HUMAN_CHANGE:
        return False
    deeds = [
        each.start_s
        for other in findings.signals.values()
        if other.kind in LASTING and findings.topology.root(other.entity) in signal.mentions
        for each in other.occurrences
    ]
    return all(any(abs(deed - one.start_s) <= ANNOUNCED_S for deed in deeds) for one in signal.occurrences)


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
