"""From log lines to signals: what kinds of lines an entity wrote, and when they came in bursts.

Lines are grouped by what their template means (``lexicon``) and by whom they come from; the few that nothing is known
about count when they are errors or when they burst. Leaves out reading files and mining templates.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from bot.domain.entity import Entity
from bot.domain.items import LogStream
from bot.domain.signal import Kind, Signal, Topology
from bot.domain.window import Window
from bot.signals.bursts import Exposure, counts_of
from bot.signals.crowds import crowds
from bot.signals.directory import Directory
from bot.signals.lexicon import Classification, classify
from bot.signals.log_groups import (
    REQUESTS,
    RUN,
    Group,
    Rows,
    Spans,
    bounded,
    expiry,
    job_runs_of,
    reachable,
    signal_of,
    widen,
)
from bot.signals.log_lines import Ints, LogLines, LogTable, runs_of, runs_of_pairs
from bot.signals.log_mentions import CALLS, SAMPLED_PLACES, Alike, Sampling, calls, read_mentions
from bot.signals.log_times import Times
from bot.signals.request_counts import RequestCounts, Requests
from bot.signals.served import never_served, request_of, served, succeeded
from bot.signals.waits import dated_back

SAMPLE = 64
"""Lines of a template read in full to find whom they speak of; spread evenly over its occurrences."""
MOST_SAMPLED = 30_000
"""Lines read for that in all: where very many templates fail on the way to somebody, fewer of each are read."""
LEAST_SAMPLE = 2
INSIDE = (".internal", ".local", ".lan", ".corp", ".svc")
"""Ends of host names that belong to oneself, even where the cluster does not know them."""
STRAY_REQUEST = 0.1
"""Share of the kind of request that failed most, under which another that failed beside it says nothing of recovery"""
TOGETHER = 1_000_000
"""Lines that are read together, at some fifty bytes each."""
HELD = 4_000_000
"""Lines held of what is not told yet, at fourteen bytes each: beyond, some of full minutes stand for the others. An entity with
so many lines that this would leave too many is read some templates at a time."""
MOST_A_MINUTE, LEAST_A_MINUTE = 64, 2
MOST_OF_ONE = 1_000_000
"""Lines of one signal, at some hundred bytes each while it is made: of more, some of full minutes stand for the others."""
MANY = 200
"""A group that holds less than so manieth part of all is left as it is."""

OUTSIDE = CALLS - {*(Kind.TLS_FAILURE, Kind.NAME_RESOLUTION_FAILURE, Kind.RETRY, Kind.AUTH_FAILURE, Kind.CLIENT_ERROR)}
"""Of these, the ones that speak against the host outside when they name one."""


_Key = tuple[Kind, Entity, str]
_BY_TEMPLATE = frozenset({Kind.LOG_ERROR, Kind.LOG_BURST})
"""Kinds that are one signal a template."""


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
    entities at a time, about ``TOGETHER`` of them, and of an entity that has more some templates at a time; only what is
    said of hosts outside, by anyone, is held to the end. What is held of a flood grows with its minutes, not its lines.
    """
    reading = _Reading(lines, streams, window, topology, directory, texts_of)
    told: dict[_Key, list[Signal]] = {}
    runs: list[Signal] = []
    for share in reading.shares():
        told |= reading.signals_of(share)
        runs += reading.runs
    told |= reading.pending()
    signals = [*(signal for key in sorted(told) for signal in told[key]), *runs]
    kept = dated_back(bounded(reachable(signals)), texts_of)
    return sorted(kept, key=lambda s: s.id)


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
        self._asked = list(map(request_of, lines.templates, self._meanings))
        self._requests = RequestCounts(self._asked, list(map(succeeded, self._meanings)), window)
        self.runs: list[Signal] = []
        """Of jobs, in the lines read last"""
        self._jobs = np.array([owner.kind in RUN for owner in self._owners] or [False], dtype=bool)
        self._outside: dict[_Key, Group] = {}
        self._named: dict[int, Alike] = {}
        """By template, of an entity that is read in parts: whom a sample of all its lines mentions"""
        self._begun: set[tuple[Entity, int]] = set()
        tally = lines.tally
        most = max(1, len(lines.templates))
        pairs, at = np.unique(self._owner_of[tally.stream] * most + tally.template, return_inverse=True)
        counts = np.bincount(at.reshape(-1), tally.lines, len(pairs)).astype(np.int64)
        self._per_owner = np.bincount(pairs // most, counts, len(self._entities))
        self._pairs, self._per_pair, self._most = pairs, counts, most
        kinds = (_kind(self._meanings[pair % most], n) for pair, n in zip(pairs.tolist(), counts.tolist(), strict=True))
        readable = sum(kind in CALLS for kind in kinds)
        most_read = min(SAMPLE, max(LEAST_SAMPLE, MOST_SAMPLED // max(1, readable)))
        self._sample = Sampling(most=most_read, together=int(counts.sum()) // SAMPLED_PLACES)

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
        owner = int(self._owner_of[share[0]])
        large = self._per_owner[owner] > TOGETHER
        counted = {owner: self._counts(share)} if large else {}
        owners, templates_of = np.divmod(self._pairs, self._most)
        self._requests.begin(np.unique(self._owner_of[list(share)]).tolist(), owners, templates_of, self._per_pair)
        self._named = self._named_by(share, owner) if large else {}
        groups: dict[_Key, Group] = {}
        told: dict[_Key, list[Signal]] = {}
        spans: Spans = {}
        times: Times | None = None
        for templates in self._portions(owner) if large else (None,):
            for table in self._lines.parts(share, templates, TOGETHER):
                times = self._gathered(table, groups, counted)
                widen(spans, table, self._jobs)
            if templates is not None and times is not None:  # what is one signal a template is whole
                told |= self._told_of(groups, times, [key for key in groups if self._is_whole(key)])
        self.runs = job_runs_of(spans, [(n, self._streams[n], self._owners[n]) for n in sorted(share)], self._window)
        return told if times is None else told | self._told_of(groups, times, list(groups))

    def _is_whole(self, key: _Key) -> bool:
        """Tell a signal that is told by its template alone: not of requests, which others ask for as well."""
        return key[0] in _BY_TEMPLATE and not (key[0] is Kind.LOG_BURST and self._asked[int(key[2])])

    def _told_of(self, groups: dict[_Key, Group], times: Times, keys: Sequence[_Key]) -> dict[_Key, list[Signal]]:
        """Give the signals of some groups, and let go of those."""
        told: dict[_Key, list[Signal]] = {}
        for entity, own in groupby(sorted(keys, key=lambda key: key[1]), key=lambda key: key[1]):
            exposure = times.exposure(self._place[entity])
            for key in own:
                group = groups.pop(key)
                told[key] = self._told(group, exposure, self._requests_of(group))
        return told

    def _portions(self, owner: int) -> Iterator[list[int]]:
        """Split the templates of an entity, in their order, so that of each portion's lines, thinned, few enough are held."""
        full = int(self._window.length_s / 60 + 1) * MOST_A_MINUTE
        portion: list[int] = []
        held = 0
        for template, lines in self._templates_of(owner):
            size = min(lines, full)
            if portion and held + size > HELD // 2:
                yield portion
                portion, held = [], 0
            portion.append(template)
            held += size
        if portion:
            yield portion

    def _templates_of(self, owner: int) -> Iterator[tuple[int, int]]:
        """Give an entity's templates, ascending, each with its lines."""
        first, last = np.searchsorted(self._pairs, (owner * self._most, (owner + 1) * self._most))
        templates = (self._pairs[first:last] % self._most).tolist()
        yield from zip(templates, self._per_pair[first:last].tolist(), strict=True)

    def _named_by(self, share: Sequence[int], owner: int) -> dict[int, Alike]:
        """Read whom the lines of an entity mention, template by template, before they are read in parts."""
        lines = {one: count for one, count in self._templates_of(owner) if calls(_kind(self._meanings[one], count))}
        found: dict[int, Alike] = {}
        numbers: dict[int, list[int]] = defaultdict(list)
        passed = Counter[int]()
        for table in self._lines.parts(share, list(lines), TOGETHER) if lines else ():
            for template, rows in runs_of(table.template):
                meaning = self._meanings[template]
                kind = _kind(meaning, lines[template])
                assert kind is not None
                one = Alike(kind=kind, entity=self._entities[owner], template=template, meaning=meaning, rows=rows)
                found.setdefault(template, one)
                numbers[template] += self._sample.of(table.number[rows], passed[template], lines[template])
                passed[template] += len(rows)
        read_mentions(
            {n: one for template, one in found.items() for n in numbers[template]}, self._directory, self._texts_of
        )
        return found

    def _counts(self, streams: Sequence[int]) -> NDArray[np.intp]:
        """Count lines by the bins that exposures are made of."""
        start_s, end_s = self._window.start_s, self._window.end_s
        counts = counts_of(np.zeros(0), start_s, end_s)
        for table in self._lines.each(streams):
            counts += counts_of(table.times_s, start_s, end_s)
        return counts

    def _gathered(self, table: LogTable, groups: dict[_Key, Group], counted: Mapping[int, NDArray[np.intp]]) -> Times:
        """Take a table's lines into the groups they belong to; give the times they were judged by."""
        owner = _short(self._owner_of)[table.stream]
        order, bounds = runs_of_pairs(owner, _short(table.template), self._most)
        times = Times(table, owner, order, self._window, counted)
        for alike in self._read(table, owner, order, bounds, times):
            rows = alike.rows
            place = (self._place[alike.entity], alike.template)
            streams = table.stream[rows]
            taken = Rows(table.number[rows], alike.times_s.copy(), _short(streams), place=place)
            told = _distinct(streams)
            for key, mentions in _placed(alike.kind, alike.entity, alike.template, alike.meaning, alike.mentions):
                held = self._outside if key[1].kind == "Host" else groups
                group = held.get(key)
                if group is None:
                    group = held[key] = Group(*key, mentions=Counter(mentions), naming=Counter(alike.telling()))
                elif not alike.again:
                    group.mentions.update(mentions)
                    group.naming.update(alike.telling())
                self._add(alike, taken, told, group)
        _ease([*groups.values(), *self._outside.values()], self._window)
        return times

    def pending(self) -> dict[_Key, list[Signal]]:
        """Give the signals of hosts outside."""
        return {key: self._told(group, None, None) for key, group in self._outside.items()}

    def _requests_of(self, group: Group) -> Requests | None:
        """Give all requests like those of a group, whoever asked and whatever came of them; None where it has none."""
        if group.kind is not Kind.LOG_BURST and group.kind not in REQUESTS:
            return None
        lines: Counter[str] = Counter()
        for template, count in group.templates.items():
            lines[self._asked[template]] += count
        most = max(lines.values())
        asked = {request for request, count in lines.items() if request and count >= STRAY_REQUEST * most}
        if not asked:
            return None
        alike = [template for template in group.templates if self._asked[template] in asked]
        return self._requests.of(self._place[group.entity], alike)

    def _told(self, group: Group, exposure: Exposure | None, requests: Requests | None) -> list[Signal]:
        if group.kind is Kind.CLIENT_ERROR:
            asked = [self._lines.templates[template] for template in group.templates]
            if never_served(asked, group.detail, self._served):
                group.attributes["never_served"] = "yes"
        if group.held > MOST_OF_ONE:
            group.thin(MOST_A_MINUTE, self._window)
        signal = signal_of(group, self._lines.templates, self._window, exposure, requests)
        return [] if signal is None else [signal, *expiry(signal, self._window), *crowds(signal, requests)]

    def _add(self, alike: Alike, rows: Rows, streams: Sequence[int], group: Group) -> None:
        """Take lines, which those streams wrote, into a group."""
        group.rows.append(rows)
        group.templates[alike.template] += len(rows.numbers)
        group.attributes.update(alike.attributes)
        for stream in streams:
            whose = self._streams[stream]
            if whose.node:
                group.nodes.add(whose.node)
            if whose.pod:
                group.pods[stream] = whose.pod

    def _read(self, table: LogTable, owner: Ints, order: Ints, bounds: NDArray[np.int64], times: Times) -> list[Alike]:
        """Gather the rows of each template of each entity, where they mean something, and whom they mention."""
        firsts = order[bounds[:-1]]
        templates, owners = table.template[firsts].tolist(), owner[firsts]
        sizes = np.diff(bounds)
        lines = self._per_pair[
            np.searchsorted(self._pairs, owners.astype(np.int64) * self._most + table.template[firsts])
        ]
        kinds = [_kind(self._meanings[one], count) for one, count in zip(templates, lines.tolist(), strict=True)]
        told = np.array([kind is not None for kind in kinds], dtype=bool)
        # of a template that is read in parts no part can tell
        unknown = np.array([kind is Kind.LOG_BURST for kind in kinds], dtype=bool) & (lines == sizes)
        told[unknown] = times.may_burst(bounds, owners, unknown)
        for run, template in enumerate(templates):
            if self._requests.counts(int(owners[run]), template):
                self._requests.take(int(owners[run]), template, times.of(bounds[run], bounds[run + 1]))
        found = []
        for run in np.flatnonzero(told).tolist():
            kind, template, entity = kinds[run], templates[run], self._entities[int(owners[run])]
            assert kind is not None
            meaning, rows = self._meanings[template], order[bounds[run] : bounds[run + 1]]
            again = (entity, template) in self._begun
            found.append(Alike(kind=kind, entity=entity, template=template, meaning=meaning, rows=rows, again=again))
            found[-1].times_s = times.of(bounds[run], bounds[run + 1])
            found[-1].attributes.update(meaning.attributes)
            if lines[run] > sizes[run]:
                self._begun.add((entity, template))
        self._name(found, table)
        return found

    def _name(self, found: Sequence[Alike], table: LogTable) -> None:
        """Tell whom lines mention."""
        whose: dict[int, Alike] = {}
        for one in found:
            known = self._named.get(one.template)
            if known is not None:
                one.mentions.update(known.mentions)
                one.naming.update(known.naming)
                one.attributes.update(known.attributes)
            elif calls(one.kind):
                whose.update(dict.fromkeys(self._sample.of(table.number[one.rows], 0, len(one.rows)), one))
        read_mentions(whose, self._directory, self._texts_of)


def _ease(groups: Sequence[Group], window: Window) -> None:
    """Thin the groups that hold many until all together hold few enough."""
    most = MOST_A_MINUTE
    while sum(group.held for group in groups) > HELD and most >= LEAST_A_MINUTE:
        for group in groups:
            if group.held > HELD // MANY:
                group.thin(most, window)
        most //= 2


def _short(numbers: Ints) -> Ints:
    """Give small numbers in 16 bits where they fit, which sort several times faster."""
    return numbers.astype(np.uint16) if len(numbers) and int(numbers.max()) < 1 << 16 else numbers


def _distinct(numbers: Ints) -> list[int]:
    """Give the small numbers that there are, ascending; ``numpy.unique`` is made for more and takes several times as long."""
    return np.flatnonzero(np.bincount(numbers)).tolist()


def _placed(
    kind: Kind, entity: Entity, template: int, meaning: Classification, mentions: Counter[Entity]
) -> list[tuple[_Key, Mapping[Entity, int]]]:
    """Say under which signals a template's lines count: the writer's own, and the outside host's where one is blamed."""
    detail = meaning.attributes.get("status", "") if kind in (Kind.SERVER_ERROR, Kind.CLIENT_ERROR) else ""
    if kind in _BY_TEMPLATE:
        detail = str(template)
    placed: list[tuple[_Key, Mapping[Entity, int]]] = [((kind, entity, detail), mentions)]
    cause = meaning.attributes.get("cause")
    if cause and Kind(cause) is not kind:
        # a proxy's request line tells both what the user got and why
        placed.append(((Kind(cause), entity, ""), mentions))
    if not mentions or cause == Kind.BAD_CONFIG.value:
        return placed  # a proxy that knows no way asked nobody, whatever name it was asked by
    outside = [host for host, _ in mentions.most_common() if host.kind == "Host" and not host.name.endswith(INSIDE)]
    if len(outside) == 1 and meaning.attributes.get("name") == "absent":
        # of all names only this one is not known: it is the name's, not the resolver's or the asker's
        placed.append(((kind, outside[0], ""), {entity: 1}))
    if outside and (kind in OUTSIDE or (len(outside) == 1 and "certificate" in meaning.attributes)):
        placed.append(((Kind.EXTERNAL_FAILURE, outside[0], ""), {entity: 1}))
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
