"""Where signals stand towards each other: every way in which the places of two are tied, for all pairs at once.

Leaves out what a way is worth to a mechanism (``mechanisms``), and which pairs are tested (``pairs``).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bot.domain.entity import CLUSTER_KINDS, Entity
from bot.domain.signal import Kind, Signal, Topology
from bot.signals.claims import claimed_by

TIES = ("same entity", "owner", "named", "called by", "calls", "node agent", "same node", "same namespace", "cluster")
"""The closest first."""

_FOR_OTHERS = frozenset(
    """
    Certificate ConfigMap Secret Node NetworkPolicy PeerAuthentication AuthorizationPolicy DestinationRule
    """.split()  # noqa: SIM905 - one word after another reads better than a column of quotes
)
"""Kinds that act by way of the workloads their signals name: a certificate they show, a node they run on, what may reach them."""

_SETTINGS = frozenset({"ConfigMap", "Secret", "Role", "RoleBinding", "ServiceAccount", "NetworkPolicy"})
"""Kinds that say nothing where nobody says whom they are for, but for their names."""

Marks = NDArray[np.uint16]
"""Which of the ties join two places: bit ``n`` stands for ``TIES[n]``."""
_Numbers = NDArray[np.intp]
_Told = NDArray[np.bool_]


def scopes(cause: Signal, effect: Signal, topology: Topology) -> tuple[str, ...]:
    """Name every way in which the places of two signals are tied, the closest first."""
    return named(int(marks((cause, effect), topology)[1, 0]))


@lru_cache(maxsize=1 << len(TIES))
def named(mark: int) -> tuple[str, ...]:
    """Name the ties of one pair."""
    return tuple(tie for place, tie in enumerate(TIES) if mark >> place & 1)


def marks(signals: Sequence[Signal], topology: Topology) -> Marks:
    """Give the ties of every pair, a row for each effect and a column for each cause."""
    numbers: dict[Entity, int] = {}
    roots = [topology.root(signal.entity) for signal in signals]
    root = _numbered(roots, numbers)
    entity = _numbered([signal.entity for signal in signals], numbers)
    targets = [_for_whom(signal.entity, topology) for signal in signals]
    target = np.array([-1 if one is None else numbers.get(one, -1) for one in targets], dtype=np.intp)
    same = entity[:, np.newaxis] == entity
    owned = (root[:, np.newaxis] == root) | (target == root[:, np.newaxis]) | (target[:, np.newaxis] == root)
    calls = _calls(numbers, topology)[np.ix_(root, root)]  # whose row stands for calls whose column stands for
    behind = [_by_way_of(signal, root, topology) for signal, root in zip(signals, roots, strict=True)]
    called = (calls | _called(roots, behind, topology)) & ~_not_among_named(signals, roots, behind, topology)
    held = _holds_data([claimed_by(signal.entity, topology) for signal in signals], behind)
    told = (
        *(same, (owned | held) & ~same, _mentioned(signals, roots, behind), called, calls.T),
        *(_of_their_agents(signals, roots, topology), _on_one_node(signals, topology)),
        _in_one_namespace(roots) | _among_its_own(signals, roots, topology),
    )
    found = np.full(same.shape, 1 << len(told), dtype=np.uint16)  # one cluster holds them all
    for place, pairs in enumerate(told):
        found |= pairs.astype(np.uint16) << np.uint16(place)
    return found


def _numbered(entities: Sequence[Entity], numbers: dict[Entity, int]) -> _Numbers:
    return np.array([numbers.setdefault(one, len(numbers)) for one in entities], dtype=np.intp)


def _calls(numbers: dict[Entity, int], topology: Topology) -> _Told:
    """Tell of all numbered places who calls whom: as seen, or as the backend of a Service."""
    found = np.zeros((len(numbers), len(numbers)), dtype=np.bool_)
    for caller, callee in topology.calls:
        if caller in numbers and callee in numbers:
            found[numbers[caller], numbers[callee]] = True
    for caller, backends in topology.backends.items():
        if caller in numbers:
            found[numbers[caller], [numbers[one] for one in backends if one in numbers]] = True
    return found


def _holds_data(whose: Sequence[Entity | None], behind: Sequence[frozenset[Entity]]) -> _Told:
    """Tell whether an effect's claim holds the data of a workload by way of which a cause acts: a setting, and what it fills."""
    return np.array([[one in ways for ways in behind] for one in whose], dtype=np.bool_)


def _called(roots: Sequence[Entity], behind: Sequence[frozenset[Entity]], topology: Topology) -> _Told:
    """Tell whether an effect's place calls those by way of which a cause acts."""
    callers: dict[Entity, set[Entity]] = {}
    for caller, callee in topology.calls:
        callers.setdefault(callee, set()).add(caller)
    found = np.zeros((len(roots), len(roots)), dtype=np.bool_)
    for place, workloads in enumerate(behind):
        calling = set().union(*(callers.get(one, ()) for one in workloads))
        found[:, place] = [root in calling for root in roots] if calling else False
    return found


def _not_among_named(
    signals: Sequence[Signal], roots: Sequence[Entity], behind: Sequence[frozenset[Entity]], topology: Topology
) -> _Told:
    """Tell whether an effect's lines say each on whom they failed, and none of those is the cause's place or leans on it.

    Of ten callees the one that was rolled out is not behind calls of the others.
    """
    found = np.zeros((len(signals), len(signals)), dtype=np.bool_)
    asked: dict[Entity, set[Entity]] = {}
    for caller, callee in topology.calls:
        asked.setdefault(caller, set()).add(callee)
    for effect, (signal, root) in enumerate(zip(signals, roots, strict=True)):
        named_ones = {topology.root(one) for one in signal.mentions} & asked.get(root, set())
        # who cannot resolve a name says whom it wanted, not which resolver it asked
        if "names" not in signal.attributes or not named_ones or signal.kind is Kind.NAME_RESOLUTION_FAILURE:
            continue
        leant_on = _reached(named_ones, asked, topology)
        found[effect] = [leant_on.isdisjoint({one, *workloads}) for one, workloads in zip(roots, behind, strict=True)]
    return found


def _reached(begun: set[Entity], asked: Mapping[Entity, set[Entity]], topology: Topology) -> set[Entity]:
    """Give all that some call, and what those call, and so on; and they themselves."""
    reached, pile = set(begun), list(begun)
    while pile:
        one = pile.pop()
        fresh = (asked.get(one, set()) | topology.backends.get(one, frozenset())) - reached
        reached |= fresh
        pile.extend(fresh)
    return reached


def _mentioned(signals: Sequence[Signal], roots: Sequence[Entity], behind: Sequence[frozenset[Entity]]) -> _Told:
    """Tell whether one side names the other, or an effect names those by way of which a cause acts."""
    at: dict[Entity, list[int]] = {}
    naming: dict[Entity, list[int]] = {}
    for place, (signal, root) in enumerate(zip(signals, roots, strict=True)):
        at.setdefault(root, []).append(place)
        for one in set(signal.mentions):
            naming.setdefault(one, []).append(place)
    found = np.zeros((len(signals), len(signals)), dtype=np.bool_)
    for one, who in naming.items():
        named_here = at.get(one, [])
        found[np.ix_(named_here, who)] = found[np.ix_(who, named_here)] = True
    for place, workloads in enumerate(behind):
        found[[who for one in workloads for who in naming.get(one, ())], place] = True
    return found


def _on_one_node(signals: Sequence[Signal], topology: Topology) -> _Told:
    found = np.zeros((len(signals), len(signals)), dtype=np.bool_)
    on: dict[str, list[int]] = {}
    for place, signal in enumerate(signals):
        for node in _nodes(signal, topology):
            on.setdefault(node, []).append(place)
    for places in on.values():
        found[np.ix_(places, places)] = True
    return found


def _of_their_agents(signals: Sequence[Signal], roots: Sequence[Entity], topology: Topology) -> _Told:
    """Tell whether a cause is a DaemonSet's on the effect's node: what all pods of a node lean on for network, names, volumes."""
    found = np.zeros((len(signals), len(signals)), dtype=np.bool_)
    nodes = [_nodes(signal, topology) for signal in signals]
    for cause, root in enumerate(roots):
        if root.kind != "DaemonSet" or not nodes[cause]:
            continue
        for effect, other in enumerate(roots):
            found[effect, cause] = other.kind not in ("DaemonSet", "Node") and not nodes[cause].isdisjoint(
                nodes[effect]
            )
    return found


def _among_its_own(signals: Sequence[Signal], roots: Sequence[Entity], topology: Topology) -> _Told:
    """Tell whether a cause is of a node that bears a store of the effect's namespace, or a workload there that it took along."""
    found = np.zeros((len(signals), len(signals)), dtype=np.bool_)
    stores: dict[str, set[str | None]] = {}
    for entity, nodes in topology.nodes.items():
        if entity.kind == "StatefulSet":
            for name in nodes:
                stores.setdefault(name, set()).add(entity.namespace)
    for cause, root in enumerate(roots):
        if root.kind == "Node":
            spaces = stores.get(root.name, set()) | {one.namespace for one in signals[cause].mentions}
            found[:, cause] = [other.namespace is not None and other.namespace in spaces for other in roots]
    return found


def _in_one_namespace(roots: Sequence[Entity]) -> _Told:
    known: dict[str, int] = {}
    names = [one.name if one.kind == "Namespace" else one.namespace for one in roots]  # whose labels tell no workload
    space = np.array([-1 if name is None else known.setdefault(name, len(known)) for name in names])
    one: _Told = (space[:, np.newaxis] == space) & (space >= 0)
    return one


def _by_way_of(signal: Signal, root: Entity, topology: Topology) -> frozenset[Entity]:
    """Give the workloads by way of which a cause acts that is none itself: those it is for, or what a route leads to."""
    if signal.entity.kind in _FOR_OTHERS and signal.mentions:
        return frozenset(signal.mentions)
    if signal.entity.kind in _SETTINGS and not signal.mentions:
        return _named_after(signal.entity, topology)
    target = _for_whom(root, topology)
    return topology.backends.get(root, frozenset()) if target is None else frozenset({target})


def _for_whom(entity: Entity, topology: Topology) -> Entity | None:
    """Give the workload that an object is there for: what it scales, or who keeps data on it."""
    return topology.targets.get(entity) or claimed_by(entity, topology)


def _named_after(setting: Entity, topology: Topology) -> frozenset[Entity]:
    """Give the workload of the namespace that a setting is named after: people and charts name it so, with a suffix or without."""
    near = (one for one in {*topology.owner.values(), *topology.pods} if one.namespace == setting.namespace)
    own = [one for one in near if setting.name == one.name or setting.name.startswith(f"{one.name}-")]
    longest = max((len(one.name) for one in own), default=0)
    return frozenset(topology.root(one) for one in own if len(one.name) == longest)


def _nodes(signal: Signal, topology: Topology) -> frozenset[str]:
    if signal.entity.kind == "Node":
        return signal.nodes | {signal.entity.name}
    if signal.entity.kind in CLUSTER_KINDS or signal.kind is Kind.HUMAN_CHANGE:
        return frozenset()
    return signal.nodes or topology.nodes.get(topology.root(signal.entity), frozenset())
