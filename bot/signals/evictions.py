"""Who filled the disk? The kubelet names, for every pod it evicts for want of disk, how much its container was using.

Of the pods evicted from one node at one time, the one that used most of what they all used is the one that filled it.
Evictions for other resources are left out: what they name is measured by series as well.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId
from bot.domain.signal import Kind, Topology
from bot.signals.acts import Act
from bot.signals.scalings import seen_at_s

_USED = re.compile(r"Container (?P<container>\S+) was using (?P<number>\d+)(?P<unit>[KMGT]i)?,")
_DISK = re.compile(r"low on resource: (?:ephemeral-storage|imagefs|nodefs)")
_UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
TOGETHER_S = 600.0
"""Evictions from one node this close together are one attempt to get its disk back."""
LEAST_BYTES = 1 << 30
LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class _Use:
    at_s: float
    entity: Entity
    size: float
    ref: ItemId
    note: str


def disk_hogs(events: Iterable[tuple[ItemId, ClusterEvent]], topology: Topology) -> Iterator[Act]:
    """Give, for each time a node was short of disk, the workload whose container held most of it."""
    by_node: defaultdict[str, list[_Use]] = defaultdict(list)
    for ref, event in events:
        used = _USED.findall(event.message) if event.reason == "Evicted" and _DISK.search(event.message) else []
        if used:
            size = float(sum(int(number) * _UNITS[unit] for _, number, unit in used))
            nodes = topology.nodes.get(event.entity, frozenset({event.node} if event.node else ()))
            note = " ".join(event.message.split())[:200]
            for node in sorted(nodes)[:1]:
                by_node[node].append(_Use(seen_at_s(event)[0], topology.root(event.entity), size, ref, note))
    for node, uses in sorted(by_node.items()):
        uses.sort(key=lambda use: (use.at_s, use.ref))
        group: list[_Use] = []
        for use in [*uses, None]:
            if group and (use is None or use.at_s - group[-1].at_s > TOGETHER_S):
                yield from _hog(node, group)
                group = []
            if use is not None:
                group.append(use)


def _hog(node: str, group: list[_Use]) -> Iterator[Act]:
    most = max(group, key=lambda use: use.size)
    if most.size < LEAST_BYTES or most.size < LEAST_SHARE * sum(use.size for use in group):
        return
    yield Act(
        kind=Kind.DISK_HOG,
        entity=most.entity,
        label="filled the disks of its nodes",
        start_s=group[0].at_s,
        end_s=group[-1].at_s,
        ref=most.ref,
        note=most.note,
        what=f"{node}|{group[0].at_s}",
        nodes=frozenset({node}),
    )
