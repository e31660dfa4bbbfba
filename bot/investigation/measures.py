"""Measures, where a number is asked for, what it is counted from: the case is read again for that one thing.

A signal keeps a handful of lines for each occurrence and no course at all; numbers of what a change would have spared need
them all. Leaves out the counting (``analyst/counterfactuals``) and the measuring itself (``signals``).
"""

from array import array
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property, partial

import numpy as np

from bot.casefile.case import Case
from bot.domain.entity import Entity
from bot.domain.items import LOG_SOURCES, ClusterEvent, ItemId, ObjectVersion
from bot.domain.measured import Answered, Course, Room, Shared, Text, Throttling
from bot.domain.signal import Kind, Signal, Topology
from bot.investigation.log_tables import LogTables
from bot.signals.demand import demand_of
from bot.signals.levels import Floats
from bot.signals.lexicon import classify
from bot.signals.log_signals import owner_of
from bot.signals.object_changes import limited
from bot.signals.room import neighbours, room
from bot.signals.series_of import counts_requests, quantity

MOST_TEXTS = 20_000
"""Lines of one signal whose words are read, spread evenly."""
_BY_TEMPLATE = frozenset({Kind.LOG_ERROR, Kind.LOG_BURST})
"""Kinds that are one signal a template."""


class CaseMeasures:
    """Measures things of one case."""

    def __init__(self, case: Case, tables: LogTables, topology: Topology) -> None:
        self._case, self._tables, self._topology = case, tables, topology

    @cached_property
    def _objects(self) -> list[tuple[ItemId, ObjectVersion]]:
        return list(self._case.objects())

    def times(self, signal: Signal) -> "array[float] | None":
        """Give the times of all lines behind a signal, ascending; None for one that was not read from its entity's own lines."""
        if signal.source not in LOG_SOURCES or signal.kind is Kind.EXTERNAL_FAILURE:
            return None
        found = [np.zeros(0), *(times for times, _, _ in self._behind(signal))]
        return _packed(np.sort(np.concatenate(found)))

    def texts(self, signal: Signal) -> Sequence[Text]:
        """Give the lines behind a signal in time order, at most ``MOST_TEXTS`` of them."""
        if signal.source not in LOG_SOURCES or signal.kind is Kind.EXTERNAL_FAILURE:
            return ()
        streams = self._case.streams()
        parts = [
            np.zeros((3, 0)),
            *(np.stack([times, numbers, owners]) for times, numbers, owners in self._behind(signal)),
        ]
        rows = np.concatenate(parts, axis=1)
        chosen = np.unique(np.linspace(0, max(0, rows.shape[1] - 1), min(rows.shape[1], MOST_TEXTS)).astype(np.int64))
        at = {int(n): (t, streams[int(o)].pod or "") for t, n, o in rows[:, chosen].T.tolist()}
        return sorted((*at[number], text) for number, text in self._case.texts_of(sorted(at)))

    def _behind(self, signal: Signal) -> Iterator[tuple[Floats, Floats, Floats]]:
        """Give times, numbers and streams of the lines of a signal, part by part."""
        own = [n for n, stream in enumerate(self._case.streams()) if owner_of(stream, self._topology) == signal.entity]
        means = np.array([_means(template, signal) for template in self._tables.templates] or [False], dtype=bool)
        for table in self._tables.each(own) if own and means.any() else ():
            kept = means[table.template]
            yield table.times_s[kept], table.number[kept].astype(np.float64), table.stream[kept].astype(np.float64)

    def events(self, entity: Entity, reasons: Collection[str]) -> Iterator[tuple[ItemId, ClusterEvent]]:
        """Give the events of a workload or of what belongs to it, by reason, in time order."""
        for item, event in self._case.events():
            if event.reason in reasons and entity in (event.entity, self._topology.root(event.entity)):
                yield item, event

    def requests(self, entity: Entity, without: Sequence[tuple[float, float]] = ()) -> Course | None:
        """Give how many requests a second an entity served; over the stretches ``without`` a line from before to behind them.

        What fails is asked again, so that an incident makes traffic of its own.
        """
        folded = quantity(self._case, entity, self._topology, counts_requests)
        if folded is None:
            return None
        kept = np.isfinite(folded.values)
        for start_s, end_s in without:
            kept &= (folded.times < start_s) | (folded.times > end_s)
        values = np.interp(folded.times, folded.times[kept], folded.values[kept]) if kept.any() else folded.values
        measured = np.where(np.isfinite(folded.values), values, np.nan)
        return Course(times_s=_packed(folded.times), values=_packed(measured), step_s=folded.step)

    def throttling(self, entity: Entity, limit: float, felt_at: Entity) -> Throttling | None:
        """Measure an entity under a CPU limit of so many cores in all; where nobody counts its requests, by those of ``felt_at``."""
        return demand_of(self._case, entity, self._topology, limit, felt_at=felt_at)

    def room(self, node: Entity, start_s: float, end_s: float) -> Room | None:
        """Give who waited for room between two times, and how much there is on such a node."""
        return room(node, self._case.events(), self._objects, self._topology, (start_s, end_s))

    def neighbours(self, entity: Entity) -> Shared | None:
        """Give the node that an entity's pods run on, and what others request there; None where they run on several."""
        return neighbours(entity, self._objects, self._topology)

    def budgets(self, entity: Entity) -> Collection[Entity]:
        """Give the disruption budgets that are for an entity's pods."""
        found = limited(self._objects, self._topology).items()
        return sorted(one for one, whose in found if one.kind == "PodDisruptionBudget" and entity in whose)

    def answered(self, resolver: Entity) -> Answered | None:
        """Give how many queries a resolver was asked and failed to answer, as CoreDNS counts them."""
        counted = partial(quantity, self._case, resolver, self._topology, alone=True)
        asked = counted(lambda name: name == "coredns_dns_requests_total")
        failed = counted(lambda name: name == "coredns_dns_responses_total", labels=(("rcode", "SERVFAIL"),))
        if asked is None or failed is None:
            return None
        laid = np.interp(asked.times, failed.times, np.nan_to_num(failed.values))
        return Answered(asked=_packed(np.nan_to_num(asked.values)), failed=_packed(laid), step_s=asked.step)


def _means(template: str, signal: Signal) -> bool:
    if signal.kind in _BY_TEMPLATE:
        return template == signal.subject
    meaning = classify(template)
    status = signal.attributes.get("status")
    caused = meaning.attributes.get("cause") == signal.kind.value
    return (meaning.kind is signal.kind or caused) and (status is None or meaning.attributes.get("status") == status)


def _packed(values: Floats) -> "array[float]":
    return array("d", values.astype(np.float64).tobytes())
