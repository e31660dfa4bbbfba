"""Digest a gathered case: templates, topology, signals, settings and how long requests take.

It reads the case and hands plain data to the detectors, which know neither it nor each other. Leaves out links and
conclusions.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bot.analyst.findings import Durations
from bot.casefile.case import Case
from bot.domain.entity import Entity
from bot.domain.items import LOG_SOURCES, ItemId, ObjectVersion
from bot.domain.signal import History, Kind, Occurrence, Signal, SpecFact, Topology
from bot.domain.window import Window
from bot.investigation.log_tables import LogTables
from bot.investigation.request_times import request_times
from bot.signals.attribution import attributed
from bot.signals.bursts import fold_gap_s
from bot.signals.ceilings import AT_LIMIT, ceilings
from bot.signals.chat_signals import chat_signals
from bot.signals.clocks import Apart, clocks
from bot.signals.directory import Directory
from bot.signals.event_signals import event_signals
from bot.signals.facts import spec_facts
from bot.signals.job_runs import job_runs
from bot.signals.log_signals import log_signals
from bot.signals.manifest import containers, keeps_data, parts, pod_spec
from bot.signals.object_signals import object_signals
from bot.signals.periodicity import event_period
from bot.signals.retold import with_tellers
from bot.signals.revisions import histories
from bot.signals.series_signals import series_signals
from bot.signals.shortfalls import shortfalls
from bot.signals.templates import merge_forms
from bot.signals.topology import read_directory, read_topology
from bot.signals.trains import NEVER_FOLDED, folded, weighty

SAME_ACT_S = 300.0
"""Two sources' times of one act differ by this much at most."""
REFS = 4
CHANGED = "\u2192"
"""Stands in notes between what was and what is."""
DNS_PORT = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What the case says once everything in it has been read."""

    signals: tuple[Signal, ...]
    topology: Topology
    facts: tuple[SpecFact, ...]
    durations: dict[Entity, Durations]
    form_to_template: list[int]
    templates: list[bytes]
    tables: LogTables = field(compare=False)
    """The dated lines inside the window, counted"""
    things: tuple[Entity, ...] = ()
    """What an object was read of, whether or not anything happened to it"""
    histories: Mapping[Entity, History] = field(default_factory=dict)
    oldest_event_s: float | None = None
    """When the event was last seen that was seen longest ago: older ones are not kept; None where there is none"""
    events_passed_over: int = 0
    """Events that were too many to be digested"""
    objects_passed_over: int = 0
    """Object versions that were too much to be decoded"""


def digest(case: Case, window: Window) -> Digest:
    """Read the whole case within the window."""
    forms = case.forms()
    merged = merge_forms([row.form for row in forms], [row.count for row in forms])
    objects, streams = list(case.objects()), case.streams()
    events = list(case.events())
    topology = read_topology(objects, events, streams)
    directory = read_directory(objects, events, streams, topology)
    tables = LogTables(case, window, merged.template_of, merged.templates)

    inside = [(ref, event) for ref, event in events if event.at >= window.start and event.first_at < window.end]
    limits = ceilings(case, window, topology)
    counted = {signal.entity for signal in limits}
    from_objects = _for_whom(object_signals(objects, window, topology), objects, directory)
    from_objects = [one for one in from_objects if one.label != AT_LIMIT or one.entity not in counted]
    stores = {topology.root(version.entity) for _, version in objects if keeps_data(version)}
    read = with_tellers(log_signals(tables, streams, window, topology, directory, case.texts_of), stores)
    from_logs = _expiries_once(from_objects, read)
    signals = [
        *event_signals(inside, window, topology),
        *from_objects,
        *job_runs(inside, objects, window, topology),
        *from_logs,
        *series_signals(case, window, topology),
        *shortfalls(case, window, topology),
        *limits,
        *chat_signals(case.messages(), case.tickets(), window, topology),
    ]
    topology = asked_for_names(called_in_logs(topology, from_logs), objects, from_logs)
    return Digest(
        signals=tuple(
            _timed(_settled(attributed(signals, topology), window), topology, clocks(event for _, event in events))
        ),
        topology=topology,
        facts=tuple(spec_facts(objects)),
        durations=request_times(case, tables, topology, directory),
        form_to_template=list(merged.template_of),
        templates=list(merged.templates),
        tables=tables,
        things=tuple(sorted({topology.root(version.entity) for _, version in objects})),
        histories=histories(objects, topology),
        oldest_event_s=min((event.at.timestamp() for _, event in events), default=None),
        events_passed_over=case.passed_over("events"),
        objects_passed_over=case.passed_over("objects"),
    )


def _expiries_once(from_objects: Sequence[Signal], from_logs: Sequence[Signal]) -> list[Signal]:
    """Tell an expiry that logs complain of once, and not at all where the certificate itself tells of that moment.

    Of several complaints the one counts that names whose certificate it is, not just who could not use it.
    """
    known = [o.start_s for s in from_objects if s.kind is Kind.CERTIFICATE_EXPIRY for o in s.occurrences]
    expiries = [signal for signal in from_logs if signal.kind is Kind.CERTIFICATE_EXPIRY]
    expiries.sort(key=lambda signal: (signal.entity in signal.mentions, signal.id))
    kept = [signal for signal in from_logs if signal.kind is not Kind.CERTIFICATE_EXPIRY]
    for signal in expiries:
        at = signal.occurrences[0].start_s
        if not any(abs(other - at) <= SAME_ACT_S for other in known):
            known.append(at)
            callers = (s.mentions for s in expiries if abs(s.occurrences[0].start_s - at) <= SAME_ACT_S)
            kept.append(replace(signal, mentions=tuple(dict.fromkeys(one for named in callers for one in named))))
    return kept


def _for_whom(
    signals: Sequence[Signal], objects: Sequence[tuple[ItemId, ObjectVersion]], directory: Directory
) -> list[Signal]:
    """Tell of each certificate's signals which workloads the certificate is for, by its DNS names."""
    names: dict[Entity, tuple[Entity, ...]] = {}
    for _, version in objects:
        if version.entity.kind == "Certificate":
            hosts = version.manifest.get("spec", {}).get("dnsNames") or []
            found = (directory.resolve(str(host), version.entity.namespace) for host in hosts)
            names[version.entity] = tuple(dict.fromkeys(entity for entity in found if entity is not None))
    return [replace(s, mentions=(*s.mentions, *names[s.entity])) if s.entity in names else s for s in signals]


def called_in_logs(topology: Topology, signals: Sequence[Signal]) -> Topology:
    """Add who calls whom as the failures in the logs tell it."""
    seen = {
        (signal.entity, mention)
        for signal in signals
        if signal.source.endswith("logs") and signal.entity.kind != "Host" and signal.kind is not Kind.CONFIG_CHANGE
        for mention in signal.mentions
    }
    return replace(topology, calls=topology.calls | frozenset(seen))


def asked_for_names(
    topology: Topology, objects: Sequence[tuple[ItemId, ObjectVersion]], signals: Sequence[Signal]
) -> Topology:
    """Add that whoever could not look up a name asked the cluster's resolver: the workload that listens on port 53."""
    resolvers = {
        topology.root(version.entity)
        for _, version in objects
        for container in containers(pod_spec(version))
        if any(port.get("containerPort") == DNS_PORT for port in parts(container, "ports"))
    }
    asking = {s.entity for s in signals if s.kind is Kind.NAME_RESOLUTION_FAILURE} - resolvers
    return replace(topology, calls=topology.calls | {(who, resolver) for who in asking for resolver in resolvers})


def _settled(signals: Sequence[Signal], window: Window) -> list[Signal]:
    """Join witnesses of the same thing, fold occurrences, and find periods; ascending by id."""
    by_act: dict[tuple[Kind, Entity, str], list[Signal]] = defaultdict(list)
    for signal in (_begun(signal, window) for signal in signals):
        by_act[signal.kind, signal.entity, _apart(signal)].append(signal)
    gap = fold_gap_s(window.length_s)
    settled = []
    for key in sorted(by_act):
        joined = _joined(by_act[key])
        occurrences = list(joined.occurrences) if joined.kind in NEVER_FOLDED else folded(joined.occurrences, gap)
        if joined.source in ("kubernetes/logs", "loki"):
            occurrences = weighty(occurrences)
        period = joined.period_s
        if period is None and len(occurrences) >= 4:
            found = event_period(np.array([one.start_s for one in occurrences]), window)
            period = found.period_s if found else None
        settled.append(replace(joined, occurrences=tuple(occurrences), period_s=period))
    return sorted(settled, key=lambda signal: signal.id)


def _begun(signal: Signal, window: Window) -> Signal:
    """Date what a series shows back to the sample before it: it began somewhere in that step."""
    step = float(signal.attributes.get("step_s", 0.0))
    if signal.source != "prometheus" or not step:
        return signal
    ones = (replace(one, start_s=max(window.start_s, one.start_s - step)) for one in signal.occurrences)
    return replace(signal, occurrences=tuple(ones))


def _timed(signals: Sequence[Signal], topology: Topology, apart: Mapping[str, Apart]) -> Iterator[Signal]:
    """Put beside what lines tell how far the clocks of their nodes can be off, where that is known of all of them.

    What was logged nobody knows where may have been logged on any node.
    """
    anywhere = frozenset[str]().union(*topology.nodes.values())
    for signal in signals:
        nodes = signal.nodes or anywhere
        if signal.source in LOG_SOURCES and nodes and nodes <= apart.keys():
            most_s, behind_s = (max(told) for told in zip(*map(_off, map(apart.__getitem__, nodes)), strict=True))
            clock = {"clock_s": f"{most_s:.1f}", "behind_s": f"{behind_s:.1f}"}
            yield replace(signal, attributes={**signal.attributes, **clock})
        else:
            yield signal


def _off(apart: Apart) -> tuple[float, float]:
    """Give how many seconds a clock can be off, and how many of them behind: too early what it dates."""
    return apart.most_s, max(0.0, -apart.low_s)


_WITNESSES = ("kubernetes/events", "kubernetes/objects", "kubernetes/logs", "loki", "prometheus")
"""Sources by how exactly they tell an act's time, the best first."""


def _apart(signal: Signal) -> str:
    """Tell apart signals of one kind and entity that are different things."""
    if signal.kind in (Kind.LOG_ERROR, Kind.LOG_BURST, Kind.RESOURCE_SHIFT, Kind.ALERT, Kind.HUMAN_CHANGE):
        return signal.subject or signal.label
    if signal.kind in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR):
        return signal.attributes.get("status", "")
    if "others" in signal.attributes:
        return signal.subject  # of several nodes, beside each one's own
    return ""


def _joined(group: Sequence[Signal]) -> Signal:
    """Let the best witness tell the act; others add occurrences it did not see, references, nodes and mentions."""
    if len(group) == 1:
        return group[0]
    ranked = sorted(group, key=lambda s: (not s.occurrences, _rank(s), -len(s.occurrences), s.id))
    best = ranked[0]
    occurrences = list(best.occurrences)
    for other in ranked[1:]:
        for one in other.occurrences:
            place = next((i for i, have in enumerate(occurrences) if _overlap(one, have)), None)
            if place is not None:
                occurrences[place] = _enriched(occurrences[place], one)
            elif other.source != "prometheus" or not best.occurrences:
                occurrences.append(one)  # a series alone sees acts a scrape later, and some that are none
    occurrences.sort(key=lambda one: (one.start_s, one.end_s))
    return replace(
        best,
        occurrences=tuple(occurrences),
        total=max(signal.total for signal in group),
        nodes=frozenset().union(*(signal.nodes for signal in group)),
        mentions=tuple(dict.fromkeys(mention for signal in ranked for mention in signal.mentions)),
        attributes={key: text for signal in reversed(ranked) for key, text in signal.attributes.items()},
        pods={pod: count for signal in reversed(ranked) for pod, count in signal.pods.items()},
    )


def _overlap(one: Occurrence, have: Occurrence) -> bool:
    return one.start_s <= have.end_s + SAME_ACT_S and one.end_s >= have.start_s - SAME_ACT_S


def _enriched(have: Occurrence, other: Occurrence) -> Occurrence:
    """Let a second witness add what shows the act, what it says was changed, and its end where the first saw only its beginning."""
    refs = tuple(dict.fromkeys((*have.refs[: REFS - 1], *other.refs, *have.refs)))[:REFS]
    end_s = other.end_s if have.end_s <= have.start_s else have.end_s
    # the objects tell which image or setting was changed, the events only which ReplicaSet came
    note = other.note if CHANGED in other.note and CHANGED not in have.note else have.note
    return replace(have, end_s=end_s, refs=refs, note=note)


def _rank(signal: Signal) -> int:
    return _WITNESSES.index(signal.source) if signal.source in _WITNESSES else len(_WITNESSES)
