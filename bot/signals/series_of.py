"""One quantity of one thing, out of all series that tell of it: requests a second, cores used, queries a second.

For numbers that are counted anew from measurements. Leaves out what a quantity's course means (``series_signals``).
"""

import re
from collections.abc import Callable, Collection, Iterable

from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.ports import SeriesShelf
from bot.domain.signal import Kind, Topology
from bot.signals.folding import Folded, Owners, arrays, fold, rate, rises_only
from bot.signals.metrics import REQUESTS, is_counter, meaning

_REQUEST_COUNT = re.compile(REQUESTS)


def counts_requests(name: str) -> bool:
    """Tell a metric that counts requests, whatever their outcome."""
    return _REQUEST_COUNT.fullmatch(name) is not None


def uses_cores(name: str) -> bool:
    """Tell a metric of the CPU that containers use: cAdvisor's counter, or its rate under another name."""
    row = meaning(name, {})
    return row.kind is Kind.CPU_SATURATION and row.unit in ("", "cores") and not name.startswith("node_cpu")


def quantity(
    shelf: SeriesShelf,
    entity: Entity,
    topology: Topology,
    named: Callable[[str], bool],
    *,
    labels: Collection[tuple[str, str]] = (),
    alone: bool = False,
) -> Folded | None:
    """Give the sum of an entity's series of a kind of metric, counters as rates a second; None where there are none.

    ``labels`` are pairs that each series must bear; ``alone``: the metric is such that a namespace has one thing which counts
    it. Of one entity told by several metrics the name that comes first counts.
    """
    owners = Owners(topology, {})
    by_name: dict[str, list[ItemId]] = {}
    for one in shelf.series_heads():
        if not named(one.metric):
            continue
        borne = all(one.labels.get(key) == value for key, value in labels)
        found = owners.of(one.metric, one.labels)
        of_place = alone and found == Entity("Namespace", entity.namespace or "")
        if borne and one.labels.get("container") != "POD" and (of_place or _same(found, entity, topology)):
            by_name.setdefault(one.metric, []).append(one.id)
    return _folded(min(by_name), by_name[min(by_name)], shelf) if by_name else None


def _same(found: Entity, entity: Entity, topology: Topology) -> bool:
    """Tell whether a series speaks of the entity: itself, or a service by its name where its namespace is not told."""
    if found == entity or topology.root(found) == entity:
        return True
    alike = found.kind == "Service" and found.name == entity.name
    return alike and found.namespace in (None, entity.namespace)


def _folded(metric: str, items: Iterable[ItemId], shelf: SeriesShelf) -> Folded | None:
    rated, counter = [], is_counter(metric)
    for item, *samples in shelf.samples(items):
        times, values = arrays(*samples)
        if counter or (counter is None and rises_only(values)):
            times, values = rate(times, values)
        rated.append((item, times, values))
    return fold(rated, "sum")
