"""How long requests took, by whom: a bounded sample of the lines that say so, spread evenly over each workload's."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.analyst.findings import Durations
from bot.casefile.case import Case
from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.signal import Kind, Topology
from bot.investigation.log_tables import LogTables
from bot.signals.directory import Directory
from bot.signals.durations import request_duration_s
from bot.signals.lexicon import classify
from bot.signals.mentions import hosts_in
from bot.signals.statistics import quantile

TIMED_LINES = 20_000
"""Lines of one workload read for how long its requests took, spread evenly."""
MOST_TIMED = 60_000
"""Lines read for that in all; workloads with few lines keep theirs, those with many share what is left."""
LONGEST_KEPT = 5_000
LEAST_TIMED = 20
_MOST_LINES = np.int64(1) << 40

Ints = NDArray[np.int64]


def request_times(case: Case, tables: LogTables, topology: Topology, directory: Directory) -> dict[Entity, Durations]:
    """Read how long requests took, for the workload whose line it is and for the one the line names as its upstream."""
    owners = [
        topology.root(Entity("Pod", stream.pod, stream.namespace)) if stream.pod else None for stream in case.streams()
    ]
    place = {owner: index for index, owner in enumerate(dict.fromkeys(owners))}
    owner_of = np.array([place[owner] for owner in owners] or [0], dtype=np.int64)
    speaks = np.array([_speaks_of_requests(template) for template in tables.templates] or [False], dtype=bool)
    numbers, streams = _chosen(tables, owner_of, speaks)
    found: dict[Entity, list[tuple[float, ItemId]]] = defaultdict(list)
    for stream, (number, text) in zip(streams, case.texts_of(numbers), strict=True):
        seconds = request_duration_s(text)
        if seconds is None:
            continue
        owner = owners[stream]
        named = {directory.resolve(host, owner.namespace if owner else None) for host in hosts_in(text)}
        for entity in sorted({owner, *named} - {None}, key=str):
            if entity is not None:
                found[entity].append((seconds, ItemId(f"L{number}")))
    return {entity: _summed(values) for entity, values in sorted(found.items()) if len(values) >= LEAST_TIMED}


def _speaks_of_requests(template: str) -> bool:
    filled = (template.replace("<*>", value) for value in ("1.5", "1ms"))
    return any(request_duration_s(line) is not None for line in filled) or classify(template).kind in (
        Kind.SERVER_ERROR,
        Kind.CLIENT_ERROR,
    )


def _chosen(tables: LogTables, owner_of: Ints, speaks: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Choose lines that speak of requests, evenly from each owner's; give their numbers, ascending, and streams."""
    tally = tables.tally
    speaking = speaks[tally.template]
    counts = np.bincount(owner_of[tally.stream[speaking]], tally.lines[speaking], int(owner_of.max()) + 1)
    ranks = _fair_share(counts.astype(np.int64), MOST_TIMED, TIMED_LINES)
    if not len(ranks):
        return [], []
    passed = np.zeros(len(counts), dtype=np.int64)
    numbers: list[int] = []
    streams: list[int] = []
    for number, stream in tables.places(np.unique(tally.stream[speaking]).tolist(), np.flatnonzero(speaks).tolist()):
        owner = owner_of[stream]
        key = owner * _MOST_LINES + passed[owner] + _place_among_equals(owner)
        passed += np.bincount(owner, minlength=len(passed))
        taken = ranks[np.minimum(np.searchsorted(ranks, key), len(ranks) - 1)] == key
        numbers += number[taken].tolist()
        streams += stream[taken].tolist()
    return numbers, streams


def _fair_share(counts: Ints, most: int, most_each: int) -> Ints:
    """Choose at most so many of all and of each owner's lines, evenly spread; gives owner * 2^40 + place, ascending."""
    level = most_each
    while level > 1 and int(np.minimum(counts, level).sum()) > most:
        level = level * 9 // 10
    chosen = [
        owner * _MOST_LINES + np.unique(np.linspace(0, count - 1, min(level, count)).astype(np.int64))
        for owner, count in enumerate(counts.tolist())
        if count
    ]
    return np.concatenate(chosen) if chosen else np.zeros(0, dtype=np.int64)


def _place_among_equals(values: Ints) -> Ints:
    """Give how many equal values stand before each."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    places = np.empty(len(values), dtype=np.int64)
    places[order] = np.arange(len(values)) - np.searchsorted(ordered, ordered)
    return places


def _summed(values: Sequence[tuple[float, ItemId]]) -> Durations:
    ordered = sorted(seconds for seconds, _ in values)
    longest = sorted(values, key=lambda pair: (-pair[0], pair[1]))[:LONGEST_KEPT]
    return Durations(
        count=len(ordered),
        median_s=quantile(ordered, 0.5),
        p90_s=quantile(ordered, 0.9),
        p99_s=quantile(ordered, 0.99),
        max_s=ordered[-1],
        longest=tuple(longest),
    )
