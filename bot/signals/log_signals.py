"""From log lines to signals: what kinds of lines an entity wrote, and when they came in bursts.

Lines are grouped by what their template means (``lexicon``) and by whom they come from; the few that nothing is known
about count when they are errors or when they burst. Leaves out reading files and mining templates.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from bot.domain.entity import Entity
from bot.domain.items import LogStream
from bot.domain.signal import Kind, Signal, Topology
from bot.domain.window import Window
from bot.signals.bursts import Exposure, exposure_of
from bot.signals.directory import Directory
from bot.signals.lexicon import Classification, classify
from bot.signals.log_groups import LEAST_UNKNOWN, Group, bounded, expiry, job_runs_of, reachable, signal_of
from bot.signals.log_lines import Floats, Ints, LogLines, LogTable
from bot.signals.mentions import certificate_end, hosts_in
from bot.signals.quiet_runs import may_burst
from bot.signals.served import never_served, served

SAMPLE = 64
"""Lines of a template read in full to find whom they speak of; spread evenly over its occurrences."""
MOST_SAMPLED = 30_000
"""Lines read for that in all: where very many templates fail on the way to somebody, fewer of each are read."""
LEAST_SAMPLE = 4
INSIDE = (".internal", ".local", ".lan", ".corp", ".svc")
"""Ends of host names that belong to oneself, even where the cluster does not know them."""
HELD_BYTES = 32_000_000
"""How busy so many entities were is remembered, and worked out again of the others: eight bytes for each minute of the window"""
TOGETHER = 4_000_000
"""Lines that are read together, at some forty bytes each; an entity that has more by itself is still read in one go."""

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
        Kind.CLIENT_ERROR,
        Kind.CIRCUIT_OPEN,
        Kind.RETRY,
        Kind.LOG_ERROR,
    }
)
"""Kinds of failures that happen on the way to somebody else, whom the line often names."""
OUTSIDE = CALLS - {*(Kind.TLS_FAILURE, Kind.NAME_RESOLUTION_FAILURE, Kind.RETRY, Kind.AUTH_FAILURE, Kind.CLIENT_ERROR)}
"""Of these, the ones that speak against the host outside when they name one."""


_Key = tuple[Kind, Entity, str]


@dataclass(slots=True, kw_only=True)
class _Alike:
    """The lines of one template from one entity: places in the table that is being read."""

    kind: Kind
    entity: Entity
    template: int
    meaning: Classification
    rows: Ints
    mentions: Counter[Entity] = field(default_factory=Counter)
    attributes: dict[str, str] = field(default_factory=dict)


def log_signals(
    lines: LogLines,
    streams: Sequence[LogStream],
    window: Window,
    topology: Topology,
    directory: Directory,
    texts_of: Callable[[Sequence[int]], Iterable[tuple[int, str]]],
) -> list[Signal]:
    """Give a signal for every meaning that an entity's lines carry, ascending by id.

    ``texts_of`` gives number and text of lines, ascending; it is called for a bounded sample. Lines are read some
    entities at a time, about ``TOGETHER`` of them; only what is said of hosts outside, by anyone, is held to the end.
    """
    reading = _Reading(lines, streams, window, topology, directory, texts_of)
    told: dict[_Key, list[Signal]] = {}
    runs: list[Signal] = []
    for share in reading.shares():
        told |= reading.signals_of(share)
        runs += reading.runs
    told |= reading.pending()
    signals = [*(signal for key in sorted(told) for signal in told[key]), *runs]
    return sorted(bounded(reachable(signals)), key=lambda s: s.id)


class _Reading:
    """The lines on their way to signals."""

    def __init__(
        self,
        lines: LogLines,
        streams: Sequence[LogStream],
        window: Window,
        topology: Topology,
        directory: Directory,
        texts_of: Callable[[Sequence[int]], Iterable[tuple[int, str]]],
    ) -> None:
        self._lines, self._streams, self._window = lines, streams, window
        self._directory, self._texts_of = directory, texts_of
        self._owners = [owner_of(stream, topology) for stream in streams]
        self._entities = sorted(set(self._owners))
        place = {entity: index for index, entity in enumerate(self._entities)}
        self._owner_of = np.array([place[owner] for owner in self._owners] or [0], dtype=np.int64)
        self._place = place
        self._meanings = [classify(template) for template in lines.templates]
        self._served = served(lines.templates, self._meanings)
        self.runs: list[Signal] = []
        """Of jobs, in the lines read last"""
        self._outside: dict[_Key, Group] = {}
        tally = lines.tally
        most = max(1, len(lines.templates))
        pairs, at = np.unique(self._owner_of[tally.stream] * most + tally.template, return_inverse=True)
        counts = np.bincount(at.reshape(-1), tally.lines, len(pairs)).astype(np.int64)
        self._per_owner = np.bincount(pairs // most, counts, len(self._entities))
        kinds = (_kind(self._meanings[pair % most], n) for pair, n in zip(pairs.tolist(), counts.tolist(), strict=True))
        readable = sum(kind in CALLS for kind in kinds)
        self._sample = min(SAMPLE, max(LEAST_SAMPLE, MOST_SAMPLED // max(1, readable)))

    def shares(self) -> Iterator[list[int]]:
        """Split the streams by whose they are: neighbouring entities, until they have enough lines together."""
        streams_of: dict[int, list[int]] = defaultdict(list)
        for stream, owner in enumerate(self._owner_of[: len(self._streams)].tolist()):
            streams_of[owner].append(stream)
        share: list[int] = []
        held = 0.0
        for owner in sorted(streams_of):
            if share and held + self._per_owner[owner] > TOGETHER:
                yield share
                share, held = [], 0.0
            share += streams_of[owner]
            held += float(self._per_owner[owner])
        if share:
            yield share

    def signals_of(self, share: Sequence[int]) -> dict[_Key, list[Signal]]:
        """Give the signals of the lines of some entities' streams, but for those of hosts outside; ``runs`` beside."""
        table = self._lines.of(share)
        owner = _short(self._owner_of)[table.stream]
        order = np.lexsort((_short(table.template), owner)).astype(np.int32)
        times = _Times(table, owner, order, self._window)
        groups: dict[_Key, Group] = {}
        for alike in self._read(table, owner, order, times):
            for each in _placed(alike.kind, alike.entity, alike.template, alike.meaning, alike.mentions):
                held = self._outside if each.entity.kind == "Host" else groups
                self._add(alike, table, held.setdefault((each.kind, each.entity, each.detail), each), each)
        self.runs = job_runs_of(table, [(n, self._streams[n], self._owners[n]) for n in sorted(share)], self._window)
        told: dict[_Key, list[Signal]] = {}
        for entity, keys in groupby(sorted(groups, key=lambda key: key[1]), key=lambda key: key[1]):
            exposure = times.exposure(self._place[entity])
            told.update((key, self._told(groups.pop(key), exposure)) for key in keys)
        return told

    def pending(self) -> dict[_Key, list[Signal]]:
        """Give the signals of hosts outside."""
        return {key: self._told(group, None) for key, group in self._outside.items()}

    def _told(self, group: Group, exposure: Exposure | None) -> list[Signal]:
        if group.kind is Kind.CLIENT_ERROR:
            asked = [self._lines.templates[template] for template in group.templates]
            if never_served(asked, group.detail, self._served):
                group.attributes["never_served"] = "yes"
        signal = signal_of(group, self._lines.templates, self._window, exposure)
        return [] if signal is None else [signal, *expiry(signal, self._window)]

    def _add(self, alike: _Alike, table: LogTable, group: Group, fresh: Group) -> None:
        group.numbers.append(table.number[alike.rows])
        group.times_s.append(table.times_s[alike.rows])
        group.streams.append(_short(table.stream[alike.rows]))
        group.templates[alike.template] += len(alike.rows)
        group.mentions.update(fresh.mentions if group is not fresh else {})
        group.attributes.update(alike.attributes)
        streams = np.unique(table.stream[alike.rows]).tolist()
        group.nodes.update(node for stream in streams if (node := self._streams[stream].node))
        group.pods.update((stream, pod) for stream in streams if (pod := self._streams[stream].pod))

    def _read(self, table: LogTable, owner: Ints, order: Ints, times: "_Times") -> list[_Alike]:
        """Gather the rows of each template of each entity, where they mean something, and whom they mention."""
        changes = (np.diff(owner[order]) != 0) | (np.diff(table.template[order]) != 0)
        inner = np.flatnonzero(changes) + 1
        bounds = np.array([0, *inner.tolist(), len(order)] if len(order) else [0], dtype=np.int64)
        firsts = order[bounds[:-1]]
        templates, owners = table.template[firsts].tolist(), owner[firsts]
        sizes = np.diff(bounds).tolist()
        kinds = [_kind(self._meanings[one], lines) for one, lines in zip(templates, sizes, strict=True)]
        told = np.array([kind is not None for kind in kinds], dtype=bool)
        unknown = np.array([kind is Kind.LOG_BURST for kind in kinds], dtype=bool)
        told[unknown] = times.may_burst(bounds, owners, unknown)
        found = []
        for run in np.flatnonzero(told).tolist():
            kind, template, entity = kinds[run], templates[run], self._entities[int(owners[run])]
            assert kind is not None
            meaning, rows = self._meanings[template], order[bounds[run] : bounds[run + 1]]
            found.append(_Alike(kind=kind, entity=entity, template=template, meaning=meaning, rows=rows))
            found[-1].attributes.update(meaning.attributes)
        calls = [alike for alike in found if alike.kind in CALLS or alike.kind is Kind.CONFIG_CHANGE]
        _read_mentions(calls, table, self._sample, self._directory, self._texts_of)
        return found


class _Times:
    """When each entity of a table wrote, by entity and template, and how busy it was in that."""

    def __init__(self, table: LogTable, owner: Ints, order: Ints, window: Window) -> None:
        self._times = table.times_s[order]
        self._ordered = owner[order]
        self._window = window
        self._levels: dict[int, Floats] = {}

    def exposure(self, owner: int) -> Exposure:
        """Give how busy an entity was; what it works out of that is the caller's to keep, for it is several times as much."""
        level = self._levels.get(owner)
        if level is None:
            me = self._ordered.dtype.type(owner)  # of another width, all of them would be converted
            first, last = (int(np.searchsorted(self._ordered, me, side)) for side in ("left", "right"))
            level = exposure_of(self._times[first:last], self._window.start_s, self._window.end_s).bins
            if (len(self._levels) + 1) * level.nbytes <= HELD_BYTES:
                self._levels[owner] = level
        return Exposure(bins=level)

    def may_burst(self, bounds: NDArray[np.int64], owners: Ints, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell of the runs that are asked about whether they may hold a burst that is worth a look."""
        told = [np.zeros(0, dtype=bool)]
        runs = np.flatnonzero(asked)
        for some in np.split(runs, np.flatnonzero(np.diff(owners[runs])) + 1) if len(runs) else []:
            first, last = int(some[0]), int(some[-1]) + 1
            exposure = self.exposure(int(owners[first]))
            start_s, end_s = self._window.start_s, self._window.end_s
            all_of_them = may_burst(self._times, bounds[first : last + 1], start_s, end_s, exposure, LEAST_UNKNOWN)
            told.append(all_of_them[some - first])
        return np.concatenate(told)


def _short(numbers: Ints) -> Ints:
    """Give small numbers in 16 bits where they fit, which sort several times faster."""
    return numbers.astype(np.uint16) if len(numbers) and int(numbers.max()) < 1 << 16 else numbers


def _read_mentions(
    alike: Sequence[_Alike],
    table: LogTable,
    most: int,
    directory: Directory,
    texts_of: Callable[[Sequence[int]], Iterable[tuple[int, str]]],
) -> None:
    """Read a sample of each template's lines for whom they name; all samples in one pass, for opening lines is dear."""
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
) -> list[Group]:
    """Say under which signals a template's lines count: the writer's own, and the outside host's where one is blamed."""
    detail = meaning.attributes.get("status", "") if kind in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR) else ""
    if kind in (Kind.LOG_ERROR, Kind.LOG_BURST):
        detail = str(template)
    placed = [Group(kind=kind, entity=entity, detail=detail, mentions=Counter(mentions))]
    cause = meaning.attributes.get("cause")
    if cause and Kind(cause) is not kind:
        # a proxy's request line tells both what the user got and why
        placed.append(Group(kind=Kind(cause), entity=entity, detail="", mentions=Counter(mentions)))
    outside = [host for host, _ in mentions.most_common() if host.kind == "Host" and not host.name.endswith(INSIDE)]
    if len(outside) == 1 and meaning.attributes.get("name") == "absent":
        # of all names only this one is not known: it is the name's, not the resolver's or the asker's
        placed.append(Group(kind=kind, entity=outside[0], detail="", mentions=Counter({entity: 1})))
    if outside and kind in OUTSIDE:
        blamed = outside[0]
        placed.append(Group(kind=Kind.EXTERNAL_FAILURE, entity=blamed, detail="", mentions=Counter({entity: 1})))
    return placed


def _kind(meaning: Classification, lines: int) -> Kind | None:
    if meaning.kind is not None:
        return meaning.kind
    if meaning.severity in ("error", "fatal"):
        return Kind.LOG_ERROR
    return Kind.LOG_BURST if lines >= 8 else None


def owner_of(stream: LogStream, topology: Topology) -> Entity:
    """Give whose lines a stream holds: the workload behind its pod, or a stand-in of its container's name."""
    if stream.pod is None:
        return Entity("Service", stream.container or stream.path, stream.namespace)
    return topology.root(Entity("Pod", stream.pod, stream.namespace))
