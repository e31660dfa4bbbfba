"""From log lines to signals: what kinds of lines an entity wrote, and when they came in bursts.

Lines are grouped by what their template means (``lexicon``) and by whom they come from; the few that nothing is known
about count when they are errors or when they burst. Leaves out reading files and mining templates.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.domain.entity import Entity
from bot.domain.items import ItemId, LogStream
from bot.domain.signal import Kind, Occurrence, Signal, Topology, signal_id
from bot.domain.window import Window
from bot.signals.bursts import bursts, exposure_of
from bot.signals.directory import Directory
from bot.signals.lexicon import Classification, classify
from bot.signals.mentions import certificate_end, hosts_in

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]

SAMPLE = 64
"""Lines of a template read in full to find whom they speak of; spread evenly over its occurrences."""
MOST_SAMPLED = 30_000
"""Lines read for that in all: where very many templates fail on the way to somebody, fewer of each are read."""
LEAST_SAMPLE = 4
REFS = 3
MOST_MENTIONS = 6
CHANGES = frozenset({Kind.CONFIG_CHANGE, Kind.ROLLOUT, Kind.SECRET_CHANGE, Kind.HUMAN_CHANGE})
MOST_CHANGES_A_DAY = 1.0
"""More often than this a log line that speaks of a change tells of a routine."""
UNKNOWN_BURSTS = 40
"""Templates that nothing is known about: the burstiest so many are kept."""
LEAST_UNKNOWN = 10
"""Lines that make a burst of such a template worth a look."""
INSIDE = (".internal", ".local", ".lan", ".corp", ".svc")
"""Ends of host names that belong to oneself, even where the cluster does not know them."""
LONGEST_LABEL = 90

CALLS = frozenset(
    {
        Kind.TIMEOUT,
        Kind.CONNECTION_RESET,
        Kind.CONNECTION_REFUSED,
        Kind.NAME_RESOLUTION_FAILURE,
        Kind.TLS_FAILURE,
        Kind.AUTH_FAILURE,
        Kind.RATE_LIMITED,
        Kind.UNAVAILABLE,
        Kind.SERVER_ERROR,
        Kind.CIRCUIT_OPEN,
        Kind.RETRY,
        Kind.LOG_ERROR,
    }
)
"""Kinds of failures that happen on the way to somebody else, whom the line often names."""
OUTSIDE = CALLS - {Kind.TLS_FAILURE, Kind.NAME_RESOLUTION_FAILURE, Kind.RETRY, Kind.AUTH_FAILURE}
"""Of these, the ones that speak against the host outside when they name one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTable:
    """All dated lines of a window as columns of equal length, in line order.

    ``number`` is the line's ordinal (1-based, as in ``L17``); ``template`` indexes ``templates``.
    """

    number: Ints
    times_s: Floats
    stream: Ints
    template: Ints
    templates: Sequence[str]


@dataclass(slots=True)
class _Group:
    """Lines of one meaning from one entity, gathered from any number of templates."""

    kind: Kind
    entity: Entity
    detail: str
    rows: list[Ints] = field(default_factory=list)
    templates: Counter[int] = field(default_factory=Counter)
    mentions: Counter[Entity] = field(default_factory=Counter)
    nodes: set[str] = field(default_factory=set)
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Alike:
    """The lines of one template from one entity."""

    kind: Kind
    entity: Entity
    template: int
    meaning: Classification
    rows: Ints
    mentions: Counter[Entity] = field(default_factory=Counter)
    attributes: dict[str, str] = field(default_factory=dict)


def log_signals(
    table: LogTable,
    streams: Sequence[LogStream],
    window: Window,
    topology: Topology,
    directory: Directory,
    texts_of: Callable[[Sequence[int]], Iterable[tuple[int, str]]],
) -> list[Signal]:
    """Give a signal for every meaning that an entity's lines carry, ascending by id.

    ``texts_of`` gives number and text of lines, ascending; it is called once, for a bounded sample.
    """
    owners = [_owner(stream, topology) for stream in streams]
    entities = sorted(set(owners))
    place = {entity: index for index, entity in enumerate(entities)}
    owner_of = np.array([place[owner] for owner in owners] or [0], dtype=np.int32)
    line_owner = owner_of[table.stream] if len(table.stream) else np.zeros(0, dtype=np.int32)
    groups = _groups(table, line_owner, entities, streams, directory, texts_of)
    exposures: dict[int, Floats] = {}
    signals = []
    for group in groups:
        owner = place.get(group.entity, -1)
        if owner >= 0 and owner not in exposures:
            times = table.times_s[line_owner == owner]
            exposures[owner] = exposure_of(times, window.start_s, window.end_s)
        signal = _signal(group, table, window, exposures.get(owner))
        if signal is not None:
            signals.append(signal)
            signals.extend(_expiry(signal, window))
    signals.extend(_runs(table, streams, owners, window))
    return sorted(_bounded(_reachable(signals)), key=lambda s: s.id)


def _groups(
    table: LogTable,
    line_owner: Ints,
    entities: Sequence[Entity],
    streams: Sequence[LogStream],
    directory: Directory,
    texts_of: Callable[[Sequence[int]], Iterable[tuple[int, str]]],
) -> list[_Group]:
    found = _alike(table, line_owner, entities)
    readable = [alike for alike in found if alike.kind in CALLS]
    _read_mentions(readable, table, directory, texts_of)
    groups: dict[tuple[Kind, Entity, str], _Group] = {}
    for alike in found:
        for each in _placed(alike.kind, alike.entity, alike.template, alike.meaning, alike.mentions):
            group = groups.setdefault((each.kind, each.entity, each.detail), each)
            group.rows.append(alike.rows)
            group.templates[alike.template] += len(alike.rows)
            group.mentions.update(each.mentions if group is not each else {})
            group.attributes.update(alike.attributes)
            group.nodes.update(n for s in np.unique(table.stream[alike.rows]).tolist() if (n := streams[s].node))
    return [groups[key] for key in sorted(groups)]


def _alike(table: LogTable, line_owner: Ints, entities: Sequence[Entity]) -> list[_Alike]:
    """Gather the rows of each template of each entity, where they mean something."""
    meanings = [classify(template) for template in table.templates]
    key = line_owner.astype(np.int64) * max(1, len(table.templates)) + table.template
    order = np.argsort(key, kind="stable").astype(np.int32)
    if not len(order):
        return []
    cuts = np.flatnonzero(np.diff(key[order])) + 1
    found = []
    for rows in np.split(order, cuts):
        template = int(table.template[rows[0]])
        meaning = meanings[template]
        kind = _kind(meaning, len(rows))
        if kind is not None:
            entity = entities[int(line_owner[rows[0]])]
            found.append(_Alike(kind=kind, entity=entity, template=template, meaning=meaning, rows=rows))
            found[-1].attributes.update(meaning.attributes)
    return found


def _read_mentions(
    alike: Sequence[_Alike],
    table: LogTable,
    directory: Directory,
    texts_of: Callable[[Sequence[int]], Iterable[tuple[int, str]]],
) -> None:
    """Read a sample of each template's lines for whom they name; all samples in one pass, for opening lines is dear."""
    most = min(SAMPLE, max(LEAST_SAMPLE, MOST_SAMPLED // max(1, len(alike))))
    whose: dict[int, _Alike] = {}
    for one in alike:
        sample = one.rows[np.linspace(0, len(one.rows) - 1, min(most, len(one.rows))).astype(int)]
        whose.update(dict.fromkeys(table.number[sample].tolist(), one))
    for number, text in texts_of(sorted(whose)):
        one = whose[number]
        for host in hosts_in(text):
            known = directory.resolve(host, one.entity.namespace)
            if known is not None and known != one.entity:
                one.mentions[known] += 1
        if one.kind is Kind.TLS_FAILURE and (end := certificate_end(text)):
            one.attributes["not_after"] = end


def _placed(
    kind: Kind, entity: Entity, template: int, meaning: Classification, mentions: Counter[Entity]
) -> list[_Group]:
    """Say under which signals a template's lines count: the writer's own, and the outside host's where one is blamed."""
    detail = meaning.attributes.get("status", "") if kind in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR) else ""
    if kind in (Kind.LOG_ERROR, Kind.LOG_BURST):
        detail = str(template)
    placed = [_Group(kind=kind, entity=entity, detail=detail, mentions=Counter(mentions))]
    cause = meaning.attributes.get("cause")
    if cause and Kind(cause) is not kind:
        # a proxy's request line tells both what the user got and why
        placed.append(_Group(kind=Kind(cause), entity=entity, detail="", mentions=Counter(mentions)))
    outside = [host for host, _ in mentions.most_common() if host.kind == "Host" and not host.name.endswith(INSIDE)]
    if outside and kind in OUTSIDE:
        blamed = outside[0]
        placed.append(_Group(kind=Kind.EXTERNAL_FAILURE, entity=blamed, detail="", mentions=Counter({entity: 1})))
    return placed


def _kind(meaning: Classification, lines: int) -> Kind | None:
    if meaning.kind is not None:
        return meaning.kind
    if meaning.severity in ("error", "fatal"):
        return Kind.LOG_ERROR
    return Kind.LOG_BURST if lines >= 8 else None


def _signal(group: _Group, table: LogTable, window: Window, exposure: Floats | None) -> Signal | None:
    rows = np.concatenate(group.rows)
    rows = rows[np.argsort(table.times_s[rows], kind="stable")]
    times = table.times_s[rows]
    found = bursts(times, window.start_s, window.end_s, exposure)
    if group.kind is Kind.LOG_BURST:
        found = [burst for burst in found if burst.count >= LEAST_UNKNOWN]
        if not found:
            return None
    days = max(window.length_s / 86_400.0, 1 / 24)
    if group.kind in CHANGES and len(found) > MOST_CHANGES_A_DAY * days:
        found = []  # what a service says it reloads all day is its everyday life
    subject = table.templates[group.templates.most_common(1)[0][0]]
    occurrences = tuple(
        Occurrence(
            start_s=burst.start_s,
            end_s=burst.end_s,
            size=float(burst.count),
            refs=tuple(ItemId(f"L{int(n)}") for n in table.number[rows[burst.first : burst.first + REFS]]),
        )
        for burst in found
    )
    attributes = dict(group.attributes)
    if group.detail and group.kind in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR):
        attributes["status"] = group.detail
    if not occurrences:
        attributes["steady"] = "yes"
    return Signal(
        id=signal_id(group.kind, group.entity, group.detail and subject + group.detail),
        kind=group.kind,
        entity=group.entity,
        label=_label(group, subject),
        source="kubernetes/logs",
        occurrences=occurrences,
        total=len(rows),
        subject=subject,
        nodes=frozenset(group.nodes),
        mentions=tuple(entity for entity, _ in sorted(group.mentions.items(), key=lambda p: (-p[1], p[0])))[
            :MOST_MENTIONS
        ],
        attributes=attributes,
    )


def _expiry(signal: Signal, window: Window) -> list[Signal]:
    """Take a complaint that names when a certificate ran out for the expiry itself, of whom the callers name."""
    end = signal.attributes.get("not_after")
    if end is None or not signal.occurrences:
        return []
    at_s = datetime.fromisoformat(end).timestamp()
    if not window.contains(at_s):
        return []
    entity = signal.mentions[0] if signal.mentions else signal.entity
    one = Occurrence(start_s=at_s, end_s=at_s, refs=signal.occurrences[0].refs, note=f"notAfter {end}")
    return [
        Signal(
            id=signal_id(Kind.CERTIFICATE_EXPIRY, entity, "logs"),
            kind=Kind.CERTIFICATE_EXPIRY,
            entity=entity,
            label="certificate expired",
            source=signal.source,
            occurrences=(one,),
            total=1,
            mentions=(signal.entity,),
        )
    ]


def _label(group: _Group, subject: str) -> str:
    if group.kind in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR):
        return f"HTTP {group.detail} responses" if group.detail else "failed requests"
    if group.kind in (Kind.LOG_ERROR, Kind.LOG_BURST):
        short = " ".join(subject.split())
        return short if len(short) <= LONGEST_LABEL else short[: LONGEST_LABEL - 1] + "…"
    return group.kind.value.replace("_", " ")


def _runs(table: LogTable, streams: Sequence[LogStream], owners: Sequence[Entity], window: Window) -> list[Signal]:
    """Take the logs of a job's pods for its runs: from their first line to their last."""
    spans: dict[Entity, list[Occurrence]] = defaultdict(list)
    nodes: dict[Entity, set[str]] = defaultdict(set)
    for number, (stream, owner) in enumerate(zip(streams, owners, strict=True)):
        if owner.kind not in ("CronJob", "Job"):
            continue
        rows = np.flatnonzero(table.stream == number)
        if not len(rows):
            continue
        times = table.times_s[rows]
        refs = (ItemId(f"L{int(table.number[rows[int(times.argmin())]])}"),)
        spans[owner].append(
            Occurrence(start_s=float(times.min()), end_s=float(times.max()), refs=refs, note=stream.pod or "")
        )
        if stream.node:
            nodes[owner].add(stream.node)
    return [
        Signal(
            id=signal_id(Kind.JOB_RUN, owner, "logs"),
            kind=Kind.JOB_RUN,
            entity=owner,
            label="ran",
            source="kubernetes/logs",
            occurrences=tuple(sorted(found, key=lambda one: one.start_s)),
            total=len(found),
            nodes=frozenset(nodes[owner]),
        )
        for owner, found in sorted(spans.items())
        if window.length_s > 0
    ]


def _reachable(signals: Sequence[Signal]) -> list[Signal]:
    """Leave out failures of hosts outside that were mostly never reached, because their names could not be resolved."""
    unresolved: Counter[Entity] = Counter()
    for signal in signals:
        if signal.kind is Kind.NAME_RESOLUTION_FAILURE:
            unresolved.update(dict.fromkeys(signal.mentions, signal.total))
    return [s for s in signals if s.kind is not Kind.EXTERNAL_FAILURE or 2 * unresolved[s.entity] < s.total]


def _bounded(signals: Sequence[Signal]) -> list[Signal]:
    """Keep every meaningful signal, and of the bursts nobody can name only the largest."""
    known = [signal for signal in signals if signal.kind is not Kind.LOG_BURST]
    unknown = [signal for signal in signals if signal.kind is Kind.LOG_BURST]
    unknown.sort(key=lambda signal: (-max(one.size for one in signal.occurrences), signal.id))
    return [*known, *unknown[:UNKNOWN_BURSTS]]


def _owner(stream: LogStream, topology: Topology) -> Entity:
    if stream.pod is None:
        return Entity("Service", stream.container or stream.path, stream.namespace)
    return topology.root(Entity("Pod", stream.pod, stream.namespace))
