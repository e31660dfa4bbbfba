"""Lines of one meaning from one entity, and the signal they make: bursts, a label, whom they mention.

Leaves out how lines are grouped (``log_signals``).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from bot.domain.entity import Entity
from bot.domain.items import ItemId, LogStream
from bot.domain.signal import Kind, Occurrence, Signal, signal_id
from bot.domain.window import Window
from bot.signals.bursts import Burst, Exposure, Lines, bins_of, bursts, few_lines
from bot.signals.log_lines import Floats, Ints, LogTable, runs_of
from bot.signals.recoveries import unbroken
from bot.signals.request_counts import Requests
from bot.signals.thinning import thinned
from bot.signals.trains import KNEE

LEAST_WARNINGS = 3
ALL_ALONG_P = 1e-3
SELDOM_P = 1e-6
"""A hundred kinds of requests of a hundred entities may be asked."""
MORE_SILENT = 2.0
"""How much longer the silence beside failures is than any among them."""
SELDOM = 0.1
"""Share of the requests that fail up to which failures are single ones."""
REFS = 3
MOST_MENTIONS = 6
FEW_OF = 10
"""Of so many lines that were read and name somebody, one that names nobody is an exception."""
CHANGES = frozenset({Kind.CONFIG_CHANGE, Kind.ROLLOUT, Kind.SECRET_CHANGE, Kind.HUMAN_CHANGE})
ACTS = CHANGES | {
    *(Kind.SHUTDOWN, Kind.STARTUP, Kind.OOM_KILL, Kind.OUT_OF_MEMORY, Kind.CONTAINER_RESTART, Kind.CLOCK_JUMP),
}
"""What is done at a moment and does not go on."""
REQUESTS = frozenset({Kind.SERVER_ERROR, Kind.CLIENT_ERROR})
"""What requests end with that might have succeeded."""
MOST_CHANGES_A_DAY = 1.0
"""More often than this a log line that speaks of a change tells of a routine."""
UNKNOWN_BURSTS = 40
"""Templates that nothing is known about: the burstiest so many are kept."""
LEAST_UNKNOWN = 10
"""Lines that make a burst of such a template worth a look."""
LONGEST_LABEL = 90
THINNED_TOGETHER = 250_000
"""Lines, at some eighty bytes each while it is done."""
RUN = ("CronJob", "Job")
"""Kinds of owners whose pods' logs are their runs."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Lines as columns of equal length; ``stand_for``: for how many each stands, None where for itself.

    ``place``: in which order parts are joined, that were read in any.
    """

    numbers: Ints
    times_s: Floats
    streams: Ints
    stand_for: Ints | None = None
    place: tuple[int, int] = (0, 0)

    def weights(self) -> Ints:
        """Give for how many each line stands."""
        return np.ones(len(self.numbers), dtype=np.int32) if self.stand_for is None else self.stand_for

    def thin(self, most_a_minute: int, window: Window) -> "Rows":
        """Leave out lines of full minutes; others stand for them."""
        minutes = bins_of(self.times_s, window.start_s, window.end_s)
        kept, stand_for = thinned(self.times_s, self.weights(), minutes, most_a_minute)
        return Rows(self.numbers[kept], self.times_s[kept], self.streams[kept], stand_for.astype(np.int32), self.place)

    def slices(self, most: int) -> "Iterator[Rows]":
        """Cut them into parts of so many."""
        for first in range(0, len(self.numbers), most):
            cut = slice(first, first + most)
            stand_for = None if self.stand_for is None else self.stand_for[cut]
            yield Rows(self.numbers[cut], self.times_s[cut], self.streams[cut], stand_for, self.place)


def joined(parts: Sequence[Rows]) -> Rows:
    """Join parts, in their order."""
    if len(parts) == 1:
        return parts[0]
    parts = sorted(parts, key=lambda part: part.place)
    return Rows(
        np.concatenate([part.numbers for part in parts]),
        np.concatenate([part.times_s for part in parts]),
        np.concatenate([part.streams for part in parts]),
        None if all(part.stand_for is None for part in parts) else np.concatenate([part.weights() for part in parts]),
    )


@dataclass(slots=True)
class Group:
    """Lines of one meaning from one entity, gathered from any number of templates."""

    kind: Kind
    entity: Entity
    detail: str
    rows: list[Rows] = field(default_factory=list)
    """Of each part that was read"""
    pods: dict[int, str] = field(default_factory=dict)
    """Of the streams that are a pod's, its name"""
    templates: Counter[int] = field(default_factory=Counter)
    mentions: Counter[Entity] = field(default_factory=Counter)
    naming: Counter[bool] = field(default_factory=Counter)
    """Of its lines that were read in full, how many name somebody and how many nobody"""
    nodes: set[str] = field(default_factory=set)
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """How many lines are held."""
        return sum(len(rows.numbers) for rows in self.rows)

    def thin(self, most_a_minute: int, window: Window) -> None:
        """Let go of lines of full minutes, some of them at a time; others stand for them."""
        thin = [cut.thin(most_a_minute, window) for rows in self.rows for cut in rows.slices(THINNED_TOGETHER)]
        self.rows = [joined(thin).thin(most_a_minute, window)]


def signal_of(
    group: Group,
    templates: Sequence[str],
    window: Window,
    exposure: Exposure | None,
    requests: Requests | None = None,
) -> Signal | None:
    """Make a group's signal; None where nobody knows what its lines mean and they never came in numbers.

    ``requests``: all that ask for the same, where its lines tell of requests.
    """
    rows = joined(group.rows)
    order = np.argsort(rows.times_s, kind="stable")
    times, numbers = rows.times_s[order], rows.numbers[order]
    weights = None if rows.stand_for is None else rows.stand_for[order]
    lines = Lines(weights)
    found, seldom = bursts(times, window.start_s, window.end_s, exposure, lines), False
    if group.kind is Kind.RESOURCE_GROWTH:
        found = set_in(times, window, lines) or found
    if group.kind is Kind.LOG_BURST:
        risen = None if requests is None else requests.bursts(exposure)
        found = [burst for burst in found if burst.count >= LEAST_UNKNOWN and (risen is None or meets(burst, risen))]
        if not found:
            return None
    elif group.kind not in ACTS and (
        requests or lines.between(0, len(times)) > few_lines(window.start_s, window.end_s)
    ):
        found, seldom = _through(found, times, lines, exposure, requests, window)
    days = max(window.length_s / 86_400.0, 1 / 24)
    if group.kind in CHANGES and len(found) > max(1.0, MOST_CHANGES_A_DAY * days):
        found = []  # what a service says it reloads all day is its everyday life
    subject = templates[group.templates.most_common(1)[0][0]]
    occurrences = tuple(
        Occurrence(
            start_s=burst.start_s,
            end_s=burst.end_s,
            size=float(burst.count),
            refs=tuple([ItemId(f"L{n}") for n in numbers[burst.first : burst.first + REFS].tolist()]),
        )
        for burst in found
    )
    attributes = _attributes(group)
    if len(found) == 1 and len(times) > 1 and (seldom or group.kind is Kind.RESOURCE_GROWTH):
        attributes[KNEE] = f"{float(np.max(np.diff(times))):.0f}"  # it tells of itself only now and then
    attributes |= {"seldom": "yes"} if seldom and found else {}
    attributes |= {} if occurrences else {"steady": "yes", "sample": f"L{int(numbers[0])}"}
    return Signal(
        id=signal_id(group.kind, group.entity, group.detail and subject + group.detail),
        kind=group.kind,
        entity=group.entity,
        label=_label(group, subject),
        source="kubernetes/logs",
        occurrences=occurrences,
        total=lines.between(0, len(times)),
        subject=subject,
        nodes=frozenset(group.nodes),
        mentions=tuple(entity for entity, _ in sorted(group.mentions.items(), key=lambda p: (-p[1], p[0])))[
            :MOST_MENTIONS
        ],
        attributes=attributes,
        pods=_pods(group, rows.streams[order], weights, found),
    )


def set_in(times_s: Floats, window: Window, lines: Lines) -> list[Burst]:
    """Give as one stretch what warns now and then of something that adds up; nothing where it may have done so all along.

    Were the warnings spread over the window, all of them would fall between the first and the last with about the chance of
    that stretch's share.
    """
    if len(times_s) < LEAST_WARNINGS:
        return []
    count = lines.between(0, len(times_s))
    if ((float(times_s[-1]) - float(times_s[0])) / max(window.length_s, 1.0)) ** (count - 2) > ALL_ALONG_P:
        return []
    return [Burst(float(times_s[0]), float(times_s[-1]), 0, len(times_s), count)]


def _attributes(group: Group) -> dict[str, str]:
    attributes = dict(group.attributes)
    if group.detail and group.kind in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR):
        attributes["status"] = group.detail
    if len(group.mentions) <= MOST_MENTIONS and group.naming[False] * FEW_OF < group.naming[True]:
        attributes["names"] = "each"
    return attributes


def _through(
    found: list[Burst],
    times_s: Floats,
    lines: Lines,
    exposure: Exposure | None,
    requests: Requests | None,
    window: Window,
) -> tuple[list[Burst], bool]:
    """Join bursts between which nothing succeeded; of what is seldom give its one stretch or none, and that it is that."""
    if requests is not None:
        upto = requests.asked_upto(np.append(times_s, window.end_s))
        failed_seldom = lines.between(0, len(times_s)) <= SELDOM * float(upto[-2] - upto[0])
        since = seldom_since(times_s, lines, upto, window) if failed_seldom else None
        if since is not None:
            return since, True
        return unbroken(found, lines, requests.succeeded_upto, window.length_s), False
    if found or exposure is None:
        return unbroken(found, lines, None, window.length_s), False
    return seldom_since(
        times_s, lines, exposure.busy_upto(np.append(times_s, window.end_s), window.start_s), window
    ) or [], True


def seldom_since(times_s: Floats, lines: Lines, upto: Floats, window: Window) -> list[Burst] | None:
    """Give as one stretch what is seldom, but never was before a moment, or never after one; none where it always was.

    ``upto``: how far the clock had come at each time and at the window's end, in what was asked meanwhile, or in time in which
    anything was logged, so that a night without requests, or a log that begins late, is no silence. Spread over all of that, the
    lines would fall between the first and the last with about the chance of that stretch's share; the silence beside them is far
    longer than any among them, and no part of their stretch holds far more than another. None instead of a list where they are
    uneven: that is for bursts to tell.
    """
    count, clock, end = lines.between(0, len(times_s)), upto[:-1], float(upto[-1])
    if len(clock) < LEAST_WARNINGS or clock[-1] <= clock[0]:
        return None
    evenly = clock * (window.length_s / end)
    silence, among = max(float(clock[0]), end - float(clock[-1])), float(np.max(np.diff(clock)))
    by_luck = (float(clock[-1] - clock[0]) / end) ** (count - 2)
    if silence < MORE_SILENT * among or by_luck > SELDOM_P:
        return None if bursts(evenly, 0.0, window.length_s, lines=lines) else []
    if bursts(evenly, float(evenly[0]), float(evenly[-1]) + 1.0, lines=lines):
        return None
    return [Burst(float(times_s[0]), float(times_s[-1]), 0, len(times_s), count)]


def meets(burst: Burst, others: Sequence[Burst]) -> bool:
    """Tell whether a burst falls into others; a minute is as exact as counts are."""
    return any(burst.start_s <= other.end_s + 60.0 and other.start_s <= burst.end_s + 60.0 for other in others)


def _pods(group: Group, streams: Ints, weights: Ints | None, found: Sequence[Burst]) -> dict[str, int]:
    """Count the lines of bursts by the pod that wrote them; nothing of lines that are counted at somebody else."""
    if group.entity.kind == "Host" or not found:
        return {}
    inside = np.zeros(len(streams), dtype=bool)
    for burst in found:
        inside[burst.first : burst.last] = True
    lines = np.bincount(streams[inside], None if weights is None else weights[inside])
    counts = Counter[str]()
    for stream in np.flatnonzero(lines).tolist():
        if stream in group.pods:
            counts[group.pods[stream]] += int(lines[stream])
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


Spans = dict[int, tuple[float, float, int]]
"""By stream: its first and last time, and the number of the first line."""


def widen(spans: Spans, table: LogTable, streams: NDArray[np.bool_]) -> None:
    """Take lines of a table into the spans of their streams, of those that are marked."""
    marked = np.flatnonzero(streams[table.stream])
    for stream, places in runs_of(table.stream[marked]):
        rows = marked[places]
        times = table.times_s[rows]
        first = rows[int(times.argmin())]
        start_s, end_s, number = float(times.min()), float(times.max()), int(table.number[first])
        if known := spans.get(stream):
            start_s, number = min((known[0], known[2]), (start_s, number))
            end_s = max(known[1], end_s)
        spans[stream] = start_s, end_s, number


def job_runs_of(spans: Spans, streams: Iterable[tuple[int, LogStream, Entity]], window: Window) -> list[Signal]:
    """Take the logs of a job's pods for its runs: from their first line to their last."""
    runs: dict[Entity, list[Occurrence]] = defaultdict(list)
    nodes: dict[Entity, set[str]] = defaultdict(set)
    for number, stream, owner in streams:
        if owner.kind not in RUN or number not in spans:
            continue
        start_s, end_s, first = spans[number]
        refs = (ItemId(f"L{first}"),)
        runs[owner].append(Occurrence(start_s=start_s, end_s=end_s, refs=refs, note=stream.pod or ""))
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
        for owner, found in sorted(runs.items())
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
