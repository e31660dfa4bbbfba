"""Lines of one meaning from one entity, and the signal they make: bursts, a label, whom they mention.

Leaves out how lines are grouped (``log_signals``).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from bot.domain.entity import Entity
from bot.domain.items import ItemId, LogStream
from bot.domain.signal import Kind, Occurrence, Signal, signal_id
from bot.domain.window import Window
from bot.signals.bursts import Burst, Exposure, bursts
from bot.signals.log_lines import Floats, Ints, LogTable

REFS = 3
MOST_MENTIONS = 6
CHANGES = frozenset({Kind.CONFIG_CHANGE, Kind.ROLLOUT, Kind.SECRET_CHANGE, Kind.HUMAN_CHANGE})
MOST_CHANGES_A_DAY = 1.0
"""More often than this a log line that speaks of a change tells of a routine."""
UNKNOWN_BURSTS = 40
"""Templates that nothing is known about: the burstiest so many are kept."""
LEAST_UNKNOWN = 10
"""Lines that make a burst of such a template worth a look."""
LONGEST_LABEL = 90


@dataclass(slots=True)
class Group:
    """Lines of one meaning from one entity, gathered from any number of templates."""

    kind: Kind
    entity: Entity
    detail: str
    numbers: list[Ints] = field(default_factory=list)
    times_s: list[Floats] = field(default_factory=list)
    streams: list[Ints] = field(default_factory=list)
    pods: dict[int, str] = field(default_factory=dict)
    """Of the streams that are a pod's, its name"""
    templates: Counter[int] = field(default_factory=Counter)
    mentions: Counter[Entity] = field(default_factory=Counter)
    nodes: set[str] = field(default_factory=set)
    attributes: dict[str, str] = field(default_factory=dict)


def signal_of(group: Group, templates: Sequence[str], window: Window, exposure: Exposure | None) -> Signal | None:
    """Make a group's signal; None where nobody knows what its lines mean and they never came in numbers."""
    times, numbers = np.concatenate(group.times_s), np.concatenate(group.numbers)
    order = np.argsort(times, kind="stable")
    times, numbers = times[order], numbers[order]
    found = bursts(times, window.start_s, window.end_s, exposure)
    if group.kind is Kind.LOG_BURST:
        found = [burst for burst in found if burst.count >= LEAST_UNKNOWN]
        if not found:
            return None
    days = max(window.length_s / 86_400.0, 1 / 24)
    if group.kind in CHANGES and len(found) > max(1.0, MOST_CHANGES_A_DAY * days):
        found = []  # what a service says it reloads all day is its everyday life
    subject = templates[group.templates.most_common(1)[0][0]]
    occurrences = tuple(
        Occurrence(
            start_s=burst.start_s,
            end_s=burst.end_s,
            size=float(burst.count),
            refs=tuple(ItemId(f"L{int(n)}") for n in numbers[burst.first : burst.first + REFS]),
        )
        for burst in found
    )
    attributes = dict(group.attributes)
    if group.detail and group.kind in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR):
        attributes["status"] = group.detail
    if not occurrences:
        attributes |= {"steady": "yes", "sample": f"L{int(numbers[0])}"}
    return Signal(
        id=signal_id(group.kind, group.entity, group.detail and subject + group.detail),
        kind=group.kind,
        entity=group.entity,
        label=_label(group, subject),
        source="kubernetes/logs",
        occurrences=occurrences,
        total=len(times),
        subject=subject,
        nodes=frozenset(group.nodes),
        mentions=tuple(entity for entity, _ in sorted(group.mentions.items(), key=lambda p: (-p[1], p[0])))[
            :MOST_MENTIONS
        ],
        attributes=attributes,
        pods=_pods(group, order, found),
    )


def _pods(group: Group, order: Ints, found: Sequence[Burst]) -> dict[str, int]:
    """Count the lines of bursts by the pod that wrote them; nothing of lines that are counted at somebody else."""
    if group.entity.kind == "Host" or not found:
        return {}
    streams = np.concatenate(group.streams)[order]
    counts = Counter[str]()
    seen, lines = np.unique(np.concatenate([streams[burst.first : burst.last] for burst in found]), return_counts=True)
    for stream, count in zip(seen.tolist(), lines.tolist(), strict=True):
        if stream in group.pods:
            counts[group.pods[stream]] += count
    return dict(sorted(counts.items()))


def expiry(signal: Signal, window: Window) -> list[Signal]:
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


def _label(group: Group, subject: str) -> str:
    if group.kind in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR):
        return f"HTTP {group.detail} responses" if group.detail else "failed requests"
    if group.kind in (Kind.LOG_ERROR, Kind.LOG_BURST):
        short = " ".join(subject.split())
        return short if len(short) <= LONGEST_LABEL else short[: LONGEST_LABEL - 1] + "…"
    return group.kind.value.replace("_", " ")


def job_runs_of(table: LogTable, streams: Iterable[tuple[int, LogStream, Entity]], window: Window) -> list[Signal]:
    """Take the logs of a job's pods for its runs: from their first line to their last."""
    spans: dict[Entity, list[Occurrence]] = defaultdict(list)
    nodes: dict[Entity, set[str]] = defaultdict(set)
    for number, stream, owner in streams:
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


def reachable(signals: Sequence[Signal]) -> list[Signal]:
    """Leave out failures of hosts outside that were mostly never reached, because their names could not be resolved."""
    unresolved: Counter[Entity] = Counter()
    for signal in signals:
        if signal.kind is Kind.NAME_RESOLUTION_FAILURE:
            unresolved.update(dict.fromkeys(signal.mentions, signal.total))
    return [s for s in signals if s.kind is not Kind.EXTERNAL_FAILURE or 2 * unresolved[s.entity] < s.total]


def bounded(signals: Sequence[Signal]) -> list[Signal]:
    """Keep every meaningful signal, and of the bursts nobody can name only the largest."""
    known = [signal for signal in signals if signal.kind is not Kind.LOG_BURST]
    unknown = [signal for signal in signals if signal.kind is Kind.LOG_BURST]
    unknown.sort(key=lambda signal: (-max(one.size for one in signal.occurrences), signal.id))
    return [*known, *unknown[:UNKNOWN_BURSTS]]
