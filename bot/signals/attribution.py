"""Whose was it? The kernel reports an out-of-memory kill of a process on a node; the workload has to be found. And what only
a machine as a whole can have, its clock or its kernel's tables, is the machine's, whichever pod logs it.

A kill belongs to the workload whose container started again on that node right after it, or of several, and of those that took
longer, to the one whose container is called as the killed process is. Where that is none, or several, the kill stays with the node.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Occurrence, Signal, Topology, signal_id

BEFORE_S = 15.0
AFTER_S = 180.0
NAMED_S = 900.0
"""How long a container may take to start again that is called as the killed process is: a restart is put off by minutes."""
COMM = 15
"""Characters of a process's name that the kernel keeps."""
_KILLED = re.compile(r"Killed process \d+ \(([^)]+)\)")
_CONTAINER = re.compile(r"\b[Cc]ontainer ([\w.-]+)")
BESIDE_S = 600.0
SAME_ACT_S = 120.0
"""Events and objects date one act this close to each other."""
CULPRITS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod"})
MACHINE_WIDE = frozenset({Kind.CLOCK_JUMP, Kind.NETWORK_SATURATION})
"""Kinds that a log line tells of the machine it was written on."""
FULL_TABLE = "0.6"
"""How well a table of a machine's kernel that is full can begin a chain: as a full disk can."""
UNMEASURED = "0.7"
"""How well a grab of CPU can begin a chain that nobody was seen to suffer from by its own CPU."""
OFTEN = 3
"""Times from which on a workload that nobody asks took the CPU of its own accord, though nobody measured who went short of it."""
RESTARTS = frozenset({Kind.POD_START, Kind.CONTAINER_RESTART, Kind.STARTUP})


def attributed(signals: Sequence[Signal], topology: Topology) -> list[Signal]:
    """Give signals with kills at the workloads they hit, and a signal more for each noisy neighbour."""
    told = [_of_machine(signal, topology) for signal in _scalings_once(_reloads_once(signals))]
    return [*_kills_of_workloads(told, topology), *_noisy_neighbours(told, topology), *_nodes_alike(told)]


def _nodes_alike(signals: Sequence[Signal]) -> list[Signal]:
    """Give what went the same way with several nodes at different times as one signal: a node is there once, its fate recurs.

    Spot instances taken back, machines upgraded or removed one after another: each node alone is one time only.
    """
    alike: dict[str, list[Signal]] = defaultdict(list)
    for signal in signals:
        if signal.kind is Kind.NODE_FAILURE and signal.entity.kind == "Node" and signal.source != "prometheus":
            alike[signal.label].append(signal)
    found = []
    for label, group in sorted(alike.items()):
        ones = sorted((_one_fate(signal) for signal in group), key=lambda one: (one.start_s, one.refs))
        apart = all(later.start_s > earlier.end_s + BESIDE_S for earlier, later in pairwise(ones))
        if len(group) > 1 and apart:
            first = min(group, key=lambda signal: (signal.occurrences[0].start_s, signal.id))
            found.append(
                replace(
                    first,
                    id=signal_id(Kind.NODE_FAILURE, first.entity, f"alike {label}"),
                    subject=f"alike {label}",
                    occurrences=tuple(ones),
                    total=len(ones),
                    nodes=frozenset(signal.entity.name for signal in group),
                    mentions=tuple(dict.fromkeys(one for signal in group for one in signal.mentions)),
                    attributes={**first.attributes, "others": str(len(group) - 1)},
                )
            )
    return found


def _one_fate(signal: Signal) -> Occurrence:
    """Take what happened to a node soon after the first of it for the same act: it is called back, then removed."""
    first = signal.occurrences[0]
    ends = [one.end_s for one in signal.occurrences if one.start_s <= first.end_s + BESIDE_S]
    return replace(first, end_s=max(first.end_s, *ends))


def _reloads_once(signals: Sequence[Signal]) -> list[Signal]:
    """Leave out of the rollouts what objects tell to have been reloads: events tell no difference between the two."""
    reloads: dict[Entity, list[float]] = defaultdict(list)
    for signal in signals:
        if signal.kind is Kind.RELOAD:
            reloads[signal.entity].extend(one.start_s for one in signal.occurrences)
    told = []
    for signal in signals:
        if signal.kind is Kind.ROLLOUT and signal.entity in reloads:
            known = reloads[signal.entity]
            kept = tuple(o for o in signal.occurrences if not any(abs(o.start_s - at) <= SAME_ACT_S for at in known))
            if kept:
                told.append(replace(signal, occurrences=kept, total=len(kept)))
            continue
        told.append(signal)
    return told


def _scalings_once(signals: Sequence[Signal]) -> list[Signal]:
    """Leave out the scalings that are steps of a rollout: where only objects know the version before, events tell of a growth."""
    rolled: dict[Entity, list[float]] = defaultdict(list)
    for signal in signals:
        if signal.kind in (Kind.ROLLOUT, Kind.RELOAD):
            rolled[signal.entity].extend(one.start_s for one in signal.occurrences)
    told = []
    for signal in signals:
        if (
            signal.kind in (Kind.SCALE_UP, Kind.SCALE_DOWN)
            and signal.entity in rolled
            and "by" not in signal.attributes
        ):
            steps = [(at_s - SAME_ACT_S, at_s + SAME_ACT_S) for at_s in rolled[signal.entity]]
            kept = tuple(o for o in signal.occurrences if not any(low <= o.start_s <= high for low, high in steps))
            if not kept:
                continue
            signal = replace(signal, occurrences=kept, total=len(kept))  # noqa: PLW2901 - the same signal without those
        told.append(signal)
    return told


def _of_machine(signal: Signal, topology: Topology) -> Signal:
    """Give what a machine as a whole has to the one node on which a pod told of it, if it is one."""
    nodes = signal.nodes or topology.nodes.get(signal.entity, frozenset())
    if signal.kind not in MACHINE_WIDE or not signal.source.endswith("logs") or len(nodes) != 1:
        return signal
    node = Entity("Node", next(iter(nodes)))
    return replace(
        signal,
        id=signal_id(signal.kind, node, signal.subject),
        entity=node,
        nodes=nodes,
        mentions=(signal.entity, *signal.mentions),
        attributes={**signal.attributes, "standing": FULL_TABLE}
        if signal.kind is Kind.NETWORK_SATURATION
        else signal.attributes,
    )


def _noisy_neighbours(signals: Sequence[Signal], topology: Topology) -> list[Signal]:
    """Find workloads outside the request path that take more CPU than all that suffers beside them on a node.

    Jobs are left out, whose runs are known as such, and what others call, which may just have more to do. Where nothing beside was
    seen to need more, an agent of the nodes that has no Service, calls nobody either and does so again and again is one all the same:
    nobody gives it that to do.
    """
    routed = (workloads for entry, workloads in topology.backends.items() if entry.kind != "Service")
    serving = {callee for _, callee in topology.calls}.union(*routed)
    calling, behind = {caller for caller, _ in topology.calls}, frozenset().union(*topology.backends.values())
    hungry = [s for s in signals if s.kind is Kind.CPU_SATURATION and s.entity.kind in CULPRITS]
    found = []
    for signal in hungry:
        if signal.entity in serving or not signal.nodes:
            continue
        beside = [s for s in hungry if s.id != signal.id and s.nodes & signal.nodes]
        ones = tuple(one for one in signal.occurrences if _takes_most(one, beside))
        often = signal.entity.kind == "DaemonSet" and len(signal.occurrences) >= OFTEN
        alone = often and not beside and signal.entity not in calling | behind
        if alone:
            ones = signal.occurrences
        if ones and 2 * len(ones) > len(signal.occurrences):
            name = signal_id(Kind.NOISY_NEIGHBOUR, signal.entity, signal.subject)
            found.append(
                replace(
                    signal,
                    id=name,
                    kind=Kind.NOISY_NEIGHBOUR,
                    label="took its neighbours' CPU",
                    occurrences=ones,
                    total=len(ones),
                    attributes={**signal.attributes, "standing": UNMEASURED} if alone else signal.attributes,
                )
            )
    return found


def _takes_most(one: Occurrence, beside: Sequence[Signal]) -> bool:
    victims = [
        max(o.size for o in signal.occurrences if _meet(one, o))
        for signal in beside
        if any(_meet(one, o) for o in signal.occurrences)
    ]
    return bool(victims) and one.size > sum(victims)


def _meet(one: Occurrence, other: Occurrence) -> bool:
    return one.start_s <= other.end_s + BESIDE_S and other.start_s <= one.end_s + BESIDE_S


def _kills_of_workloads(signals: Sequence[Signal], topology: Topology) -> list[Signal]:
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
    on_it = [
        (topology.root(signal.entity), again)
        for signal in restarts
        if node in (signal.nodes or topology.nodes.get(topology.root(signal.entity), frozenset()))
        for again in signal.occurrences
        if one.start_s - BEFORE_S <= again.start_s <= one.end_s + NAMED_S
    ]
    soon = {owner for owner, again in on_it if again.start_s <= one.end_s + AFTER_S}
    if len(soon) == 1:
        return next(iter(soon))
    named = {owner for owner, again in on_it if _same_name(one, again)}
    return next(iter(named)) if len(named) == 1 else None


def _same_name(kill: Occurrence, again: Occurrence) -> bool:
    """Tell whether the container that started again is called as the killed process is, as far as the kernel keeps its name."""
    killed, started = _KILLED.search(kill.note), _CONTAINER.search(again.note)
    return killed is not None and started is not None and killed[1][:COMM] == started[1][:COMM]


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
