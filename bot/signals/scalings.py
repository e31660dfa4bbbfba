"""Scalings and rollouts as events tell them.

A HorizontalPodAutoscaler's ``SuccessfulRescale`` and the Deployment's ``ScalingReplicaSet`` describe one act: it
stands with the autoscaler, and the Deployment's event becomes a further reference. A Deployment that scales up
another ReplicaSet than before is being rolled out, and the scalings until the old one is gone belong to that.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId
from bot.domain.signal import BACK, Kind, Topology
from bot.signals.acts import Act

_NEW_SIZE = re.compile(r"New size: (?P<size>\d+)(?:; reason: (?P<reason>.*))?", re.DOTALL)
_SCALED = re.compile(
    r"Scaled (?P<way>up|down) replica ?set \"?(?P<set>[a-z0-9.-]+?)\"? (?:from (?P<old_from>\d+) )?to (?P<size>\d+)(?: from (?P<old>\d+))?",
    re.IGNORECASE,
)
_BELOW = re.compile(r"all metrics below target|above Spec\.MaxReplicas|below target", re.IGNORECASE)
_ABOVE = re.compile(r"above target|below Spec\.MinReplicas", re.IGNORECASE)

SAME_ACT_S = 90.0
"""The deployment controller follows the autoscaler within seconds; clocks of two writers may differ by a little more."""

ROLLOUT_PAUSE_S = 600.0
"""Kubernetes' default ``progressDeadlineSeconds``: a rollout that pauses for longer is over or stuck."""
LONGEST_ROLLOUT_S = 3600.0
"""From a new version's first pod to the old one's last: six times what a Deployment waits for progress."""
ROUTINE = 2
"""Times up to which that a workload is scaled to nothing is no schedule."""

STANDING_BY_HAND = "0.85"
"""How well a scaling that somebody made can begin a chain: as well as any other change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scaling:
    at_s: float
    up: bool
    replica_set: str
    size: int
    old: int | None
    ref: ItemId


def seen_at_s(event: ClusterEvent) -> tuple[float, ...]:
    """Give the times an event is known to have happened: the first and the last of a folded one."""
    return tuple(sorted({event.first_at.timestamp(), event.at.timestamp()}))


def scaling_acts(events: Iterable[tuple[ItemId, ClusterEvent]], topology: Topology) -> list[Act]:
    """Give all scalings and rollouts, each once, autoscalers' before the deployments' own."""
    events = list(events)
    scalers = list(_autoscaler_acts(events, topology))
    alone: list[Act] = []
    for act in _deployment_acts(events, topology):
        told = _told_by(scalers, act)
        if told is None:
            alone.append(act)
        else:
            scalers[told] = replace(scalers[told], more_refs=(*scalers[told].more_refs, act.ref))
    return scalers + alone


def _told_by(scalers: Sequence[Act], act: Act) -> int | None:
    near = [
        (abs(scaler.start_s - act.start_s), index)
        for index, scaler in enumerate(scalers)
        if scaler.kind is act.kind and act.entity in scaler.mentions and abs(scaler.start_s - act.start_s) <= SAME_ACT_S
    ]
    return min(near)[1] if near else None


def _autoscaler_acts(events: Sequence[tuple[ItemId, ClusterEvent]], topology: Topology) -> Iterator[Act]:
    sizes: defaultdict[Entity, list[tuple[float, int, str, ItemId]]] = defaultdict(list)
    for ref, event in events:
        if event.reason == "SuccessfulRescale" and (found := _NEW_SIZE.search(event.message)):
            for at_s in seen_at_s(event):
                sizes[event.entity].append((at_s, int(found["size"]), found["reason"] or "", ref))
    for scaler, rows in sizes.items():
        target = topology.targets.get(scaler)
        before: int | None = None
        for at_s, size, reason, ref in sorted(rows):
            up = _direction(reason, size, before)
            was = f"{before} → {size}" if before is not None and (size > before) is up else f"to {size}"
            before = size
            yield Act(
                kind=Kind.SCALE_UP if up else Kind.SCALE_DOWN,
                entity=scaler,
                label="scaled up" if up else "scaled down",
                start_s=at_s,
                end_s=at_s,
                ref=ref,
                note=f"{was} replicas" + (f"; {reason}" if reason else ""),
                what=f"{at_s}",
                mentions=(target,) if target is not None else (),
                nodes=topology.nodes.get(target, frozenset()) if target is not None else frozenset(),
            )


def _direction(reason: str, size: int, before: int | None) -> bool:
    """Tell whether a rescale went up: by its reason, which is certain, else by the size before."""
    if _BELOW.search(reason):
        return False
    if _ABOVE.search(reason):
        return True
    return before is None or size > before


def _deployment_acts(events: Sequence[tuple[ItemId, ClusterEvent]], topology: Topology) -> Iterator[Act]:
    scalings: defaultdict[Entity, list[_Scaling]] = defaultdict(list)
    for ref, event in events:
        found = _SCALED.search(event.message)
        if event.reason not in {"ScalingReplicaSet", "NewReplicaSetCreated"} or found is None:
            continue
        old = found["old"] or found["old_from"]
        for at_s in seen_at_s(event):
            scalings[event.entity].append(
                _Scaling(
                    at_s=at_s,
                    up=found["way"].lower() == "up",
                    replica_set=found["set"],
                    size=int(found["size"]),
                    old=int(old) if old else None,
                    ref=ref,
                )
            )
    looked_s = min((event.at.timestamp() for _, event in events), default=0.0)
    for deployment, rows in scalings.items():
        rows.sort(key=lambda row: (row.at_s, not row.up, row.ref))
        scaled = deployment in topology.targets.values()
        for act in _rollouts_and_scalings(deployment, rows, topology.nodes.get(deployment, frozenset())):
            told = replace(act, note=f"{BACK}{act.note}") if _comes_back(act, rows) else act
            yield told if scaled else replace(told, attributes=_by_hand(act, rows, looked_s))


def _comes_back(act: Act, rows: Sequence[_Scaling]) -> bool:
    """Tell whether a rollout brings a ReplicaSet that an earlier one had taken away: ``kubectl rollout undo`` makes no new one."""
    gone = (row for row in rows if row.replica_set == act.what and not row.up)
    return act.kind is Kind.ROLLOUT and any(row.at_s < act.start_s for row in gone)


def _by_hand(act: Act, rows: Sequence[_Scaling], looked_s: float) -> tuple[tuple[str, str], ...]:
    """Tell of a scaling that no autoscaler is there for and no rollout explains: a person or a delivery tool made it.

    ``looked_s``: from when on events were kept.
    """
    row = next((row for row in rows if row.ref == act.ref), None)
    if act.kind not in (Kind.SCALE_UP, Kind.SCALE_DOWN) or row is None or not row.old:
        return ()
    own = [one for one in rows if one.replica_set == row.replica_set]
    if not row.size and sum(not one.size for one in own) > ROUTINE:
        return ()  # what comes and goes by a schedule
    if not row.size and not any(one.up for one in own):
        begun_s = max((one.at_s for one in rows if one.up and one.at_s <= row.at_s), default=looked_s)
        if row.at_s - begun_s < LONGEST_ROLLOUT_S:
            return ()  # the end of an old version, whose new one may have come before anybody looked
    near = [one for one in rows if one is not row and abs(one.at_s - row.at_s) <= ROLLOUT_PAUSE_S]
    if not row.size:
        near = [one for one in near if one.replica_set != row.replica_set]  # it may soon be brought back
    return () if near else (("by", "hand"), ("standing", STANDING_BY_HAND))


def _rollouts_and_scalings(deployment: Entity, rows: Sequence[_Scaling], nodes: frozenset[str]) -> Iterator[Act]:
    current: str | None = None
    rollout: list[_Scaling] = []
    for index, row in enumerate(rows):
        if rollout and row.at_s > rollout[-1].at_s + ROLLOUT_PAUSE_S:
            yield _rollout(deployment, rollout, nodes)
            rollout = []
        if not rollout and (fresh := _makes_room_for(rows, index)) is not None:
            rollout, current = [row], fresh
        elif rollout and row.replica_set == current and not any(one.up for one in rollout):
            rollout.append(row)
        elif row.up and row.replica_set != current and (current is not None or _replaces(rows, index)):
            if rollout:
                yield _rollout(deployment, rollout, nodes)
            rollout = [row]
            current = row.replica_set
        elif rollout and (row.replica_set != current or _replaces(rows, index)):
            rollout.append(row)
        else:
            current = current or row.replica_set
            yield _scaling(deployment, row, nodes)
    if rollout:
        yield _rollout(deployment, rollout, nodes)


def _replaces(rows: Sequence[_Scaling], index: int) -> bool:
    """Tell whether another ReplicaSet still shrinks within the pause after row ``index``."""
    row = rows[index]
    later = (other for other in rows[index + 1 :] if other.at_s <= row.at_s + ROLLOUT_PAUSE_S)
    return any(not other.up and other.replica_set != row.replica_set for other in later)


def _makes_room_for(rows: Sequence[_Scaling], index: int) -> str | None:
    """Name the ReplicaSet that comes next once this one is gone whole, as with the strategy ``Recreate``; None where none does."""
    row, later = rows[index], rows[index + 1 : index + 2]
    if row.up or row.size or not later or later[0].at_s > row.at_s + ROLLOUT_PAUSE_S:
        return None
    return later[0].replica_set if later[0].up and later[0].replica_set != row.replica_set else None


def _rollout(deployment: Entity, rows: Sequence[_Scaling], nodes: frozenset[str]) -> Act:
    fresh = next((row.replica_set for row in rows if row.up), rows[0].replica_set)
    old = next((row.replica_set for row in rows if row.replica_set != fresh), None)
    return Act(
        kind=Kind.ROLLOUT,
        entity=deployment,
        label="rolled out",
        start_s=rows[0].at_s,
        end_s=rows[-1].at_s,
        ref=rows[0].ref,
        more_refs=tuple(dict.fromkeys(row.ref for row in rows[1:]))[:4],
        note=f"{fresh} replaces {old}" if old else f"{fresh} is rolled out",
        what=fresh,
        nodes=nodes,
    )


def _scaling(deployment: Entity, row: _Scaling, nodes: frozenset[str]) -> Act:
    return Act(
        kind=Kind.SCALE_UP if row.up else Kind.SCALE_DOWN,
        entity=deployment,
        label="scaled up" if row.up else "scaled down",
        start_s=row.at_s,
        end_s=row.at_s,
        ref=row.ref,
        note=(f"{row.old} → {row.size} replicas" if row.old is not None else f"to {row.size} replicas"),
        what=f"{row.at_s}",
        nodes=nodes,
    )
