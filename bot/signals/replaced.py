"""Pods of StatefulSets and DaemonSets that were stopped and made again, read from the pods' own events alone.

Where no revision and no controller's event is left, the order in which pods went and came still tells a rollout: one after
another, on nodes that nothing happened to. And a pod that was away for minutes was missing for as long. Leaves out
Deployments, whose ReplicaSets tell it (``scalings``).
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId
from bot.domain.signal import Kind, Topology
from bot.signals.acts import Act
from bot.signals.kubernetes import meaning

AWAY_S = 120.0
"""A pod that is back sooner was restarted, and nobody calls that missing."""
BACK_S = 6 * 3600.0
"""What comes later is another story."""
PAUSE_S = 1800.0
"""Between two pods of one rollout: a store that recovers may take long until it is ready."""
NODE_S = 900.0
"""How long after a node was taken out of service, or failed, pods still leave it for that."""
LEAST_PODS = 2
_WAITS = frozenset({Kind.SCHEDULING_FAILURE, Kind.MOUNT_FAILURE, Kind.IMAGE_PULL_FAILURE})
_IMAGE = re.compile(r"^(?:Pulling|Successfully pulled) image \"(?P<image>[^\"]+)\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    at_s: float
    pod: str
    node: str | None
    ref: ItemId


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replaced:
    """A pod's place from when it was left to when it was taken again; ``until`` is what was last heard of it."""

    gone: _Seen
    until: _Seen
    back: bool


@dataclass(slots=True)
class _Story:
    stops: list[_Seen]
    starts: list[_Seen]
    waits: list[_Seen]
    pulls: list[tuple[float, str]]


def replaced_acts(events: Iterable[tuple[ItemId, ClusterEvent]], topology: Topology) -> Iterator[Act]:
    """Give the rollouts and absences that pods' events tell of; ``events`` ascend by time."""
    stories: defaultdict[Entity, _Story] = defaultdict(lambda: _Story([], [], [], []))
    lost: defaultdict[str, list[float]] = defaultdict(list)
    for ref, event in events:
        found = meaning(event.reason, event.message, event.type == "Warning")
        kind = found.kind if found else None
        if event.entity.kind == "Node" and kind is Kind.NODE_FAILURE:
            lost[event.entity.name].append(event.first_at.timestamp())
        owner = topology.root(event.entity)
        if event.entity.kind == "Pod" and owner.kind in ("StatefulSet", "DaemonSet"):
            _note(stories[owner], kind, event, ref, topology)
    for owner in sorted(stories, key=str):
        story = stories[owner]
        replaced = list(_replaced(owner, story))
        yield from _absences(owner, replaced)
        yield from _rollouts(owner, [one for one in replaced if one.back and not _left(one, lost)], story)


def _note(story: _Story, kind: Kind | None, event: ClusterEvent, ref: ItemId, topology: Topology) -> None:
    at_s = event.first_at.timestamp()
    nodes = topology.nodes.get(event.entity, frozenset())
    node = event.node or (min(nodes) if len(nodes) == 1 else None)
    seen = _Seen(at_s=at_s, pod=event.entity.name, node=node, ref=ref)
    if kind is Kind.POD_KILL or kind is Kind.EVICTION:
        story.stops.append(seen)
    elif kind is Kind.POD_START:
        story.starts.append(seen)
    elif kind in _WAITS:
        story.waits.append(_Seen(at_s=event.at.timestamp(), pod=seen.pod, node=node, ref=ref))
    elif (image := _IMAGE.match(event.message)) is not None:
        story.pulls.append((at_s, image["image"]))


def _replaced(owner: Entity, story: _Story) -> Iterator[_Replaced]:
    gone: dict[str, float] = {}
    for stop in story.stops:
        if stop.at_s < gone.get(stop.pod, float("-inf")):
            continue  # one of several containers of a pod that is already gone
        start = next((one for one in story.starts if one.at_s > stop.at_s and _follows(owner, one, stop)), None)
        waits = [one for one in story.waits if one.pod == stop.pod and one.at_s > stop.at_s]
        if start is not None and start.at_s <= stop.at_s + BACK_S:
            gone[stop.pod] = start.at_s
            yield _Replaced(gone=stop, until=start, back=True)
        elif waits:
            gone[stop.pod] = waits[-1].at_s
            yield _Replaced(gone=stop, until=waits[-1], back=False)


def _follows(owner: Entity, start: _Seen, stop: _Seen) -> bool:
    """Tell whether a pod takes the place of another: a StatefulSet's by its name, a DaemonSet's by its node."""
    if owner.kind == "StatefulSet":
        return start.pod == stop.pod
    return start.pod != stop.pod and start.node is not None and start.node == stop.node


def _left(one: _Replaced, lost: defaultdict[str, list[float]]) -> bool:
    """Tell whether a pod went because of its node."""
    if one.gone.node is None or one.gone.node not in lost:
        return False
    times = sorted(lost[one.gone.node])
    place = bisect_left(times, one.gone.at_s - NODE_S)
    return place < len(times) and times[place] <= one.until.at_s


def _absences(owner: Entity, replaced: Sequence[_Replaced]) -> Iterator[Act]:
    for one in replaced:
        if one.until.at_s - one.gone.at_s >= AWAY_S:
            yield Act(
                kind=Kind.POD_SHORTFALL,
                entity=owner,
                label="a pod was missing",
                start_s=one.gone.at_s,
                end_s=one.until.at_s,
                ref=one.gone.ref,
                more_refs=(one.until.ref,),
                note=f"{one.gone.pod} was away for {(one.until.at_s - one.gone.at_s) / 60:.0f} min",
                what=one.gone.pod,
                nodes=frozenset({one.gone.node} if one.gone.node else ()),
            )


def _rollouts(owner: Entity, replaced: Sequence[_Replaced], story: _Story) -> Iterator[Act]:
    run: list[_Replaced] = []
    for one in sorted(replaced, key=lambda one: one.gone.at_s):
        if run and not 0.0 <= one.gone.at_s - run[-1].until.at_s <= PAUSE_S and not _at_once(owner, run[-1], one):
            yield from _rollout(owner, run, story)
            run = []
        run.append(one)
    yield from _rollout(owner, run, story)


def _at_once(owner: Entity, before: _Replaced, one: _Replaced) -> bool:
    """Tell whether a DaemonSet may have replaced two of its pods together (``maxUnavailable`` above one)."""
    return owner.kind == "DaemonSet" and one.gone.at_s <= before.until.at_s


def _rollout(owner: Entity, run: Sequence[_Replaced], story: _Story) -> Iterator[Act]:
    if len({one.gone.pod for one in run}) < LEAST_PODS:
        return
    start_s, end_s = run[0].gone.at_s, max(one.until.at_s for one in run)
    images = list(dict.fromkeys(image for at_s, image in story.pulls if start_s <= at_s <= end_s))
    told = f", which pulled {images[0]}" if len(images) == 1 else ""
    yield Act(
        kind=Kind.ROLLOUT if images else Kind.RELOAD,
        entity=owner,
        label="rolled out" if images else "pods replaced one after another",
        start_s=start_s,
        end_s=end_s,
        ref=run[0].gone.ref,
        more_refs=tuple(one.gone.ref for one in run[1:])[:4],
        note=f"{len(run)} pods were replaced one after another{told}",
        what=f"{start_s}",
        nodes=frozenset(one.gone.node for one in run if one.gone.node),
    )
