"""Whose container was it? The kernel reports an out-of-memory kill of a process on a node; the workload has to be found.

A kill belongs to the workload whose container started again on that node right after it. Where several did, or none,
the kill stays with the node.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Occurrence, Signal, Topology, signal_id

BEFORE_S = 15.0
AFTER_S = 180.0
RESTARTS = frozenset({Kind.POD_START, Kind.CONTAINER_RESTART, Kind.STARTUP})


def attributed(signals: Sequence[Signal], topology: Topology) -> list[Signal]:
    """Move kills told of nodes to the workloads that restarted there at once; all other signals stay as they are."""
    restarts = [s for s in signals if s.kind in RESTARTS and s.entity.kind != "Node" and s.source != "prometheus"]
    result: list[Signal] = []
    moved: dict[Entity, list[tuple[Signal, Occurrence]]] = defaultdict(list)
    for signal in signals:
        if signal.kind is not Kind.OOM_KILL or signal.entity.kind != "Node":
            result.append(signal)
            continue
        kept = []
        for one in signal.occurrences:
            owner = _restarted(one, signal.entity.name, restarts, topology)
            if owner is None:
                kept.append(one)
            else:
                moved[owner].append((signal, one))
        if kept:
            result.append(replace(signal, occurrences=tuple(kept), total=len(kept)))
    result.extend(_signal(owner, found) for owner, found in sorted(moved.items(), key=lambda pair: pair[0]))
    return result


def _restarted(one: Occurrence, node: str, restarts: Sequence[Signal], topology: Topology) -> Entity | None:
    found = {
        topology.root(signal.entity)
        for signal in restarts
        if node in (signal.nodes or topology.nodes.get(topology.root(signal.entity), frozenset()))
        and any(one.start_s - BEFORE_S <= again.start_s <= one.end_s + AFTER_S for again in signal.occurrences)
    }
    return next(iter(found)) if len(found) == 1 else None


def _signal(owner: Entity, found: Sequence[tuple[Signal, Occurrence]]) -> Signal:
    first = found[0][0]
    ones = tuple(sorted((one for _, one in found), key=lambda one: (one.start_s, one.refs)))
    return replace(
        first,
        id=signal_id(Kind.OOM_KILL, owner, "node"),
        entity=owner,
        occurrences=ones,
        total=len(ones),
        nodes=frozenset(signal.entity.name for signal, _ in found),
        mentions=tuple(dict.fromkeys(signal.entity for signal, _ in found)),
    )
