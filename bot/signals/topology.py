"""Who belongs to whom and who runs where: owners, nodes, autoscaler targets, service backends, configured calls.

Three witnesses in order of trust: the objects' own references; events, which still name things that were deleted;
and generated names, for pods of which only a log is left. What no witness ties stays its own root.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId, LogStream, ObjectVersion
from bot.domain.signal import PodLife, Topology
from bot.signals.calls import configured_calls
from bot.signals.claims import read_claims
from bot.signals.directory import Directory, read_directory
from bot.signals.kubernetes import WORKLOAD_KINDS
from bot.signals.manifest import Part, owner_of, part, parts, pod_labels, text
from bot.signals.pod_names import owners_by_name
from bot.signals.pods import read_pods

__all__ = ["Directory", "read_directory", "read_topology"]

_TERMINAL_KINDS = WORKLOAD_KINDS | {"HorizontalPodAutoscaler", "Certificate", "Service", "Node"}
_TEMPLATE_KINDS = WORKLOAD_KINDS | {"Job", "ReplicaSet", "Pod"}
_ASSIGNED = re.compile(r"Successfully assigned (?:(?P<namespace>[^/\s]+)/)?(?P<pod>\S+) to (?P<node>\S+)")
_PODS_OF = re.compile(
    r"(?:Created|Deleted) pod: (?P<pod>\S+)|(?:create|delete) Pod (?P<set_pod>\S+) in StatefulSet", re.IGNORECASE
)
_JOBS_OF = re.compile(
    r"(?:Created job|Deleted job|Saw completed job:|Saw a job that the controller did not create[^:]*:?) (?P<job>[^\s,]+)"
)
_REPLICA_SETS_OF = re.compile(r"replica ?set \"?(?P<set>[a-z0-9.-]+)\"?", re.IGNORECASE)
_SCALER_AFFIXES = re.compile(r"^keda-hpa-|[-_.](?:hpa|autoscaler|scaler|autoscaling|scaling|vpa|scaledobject)$|^hpa-")


def read_topology(
    objects: Iterable[tuple[ItemId, ObjectVersion]],
    events: Iterable[tuple[ItemId, ClusterEvent]],
    streams: Sequence[LogStream],
) -> Topology:
    """Read the whole topology of a case."""
    objects, events = list(objects), list(events)
    owner = _owners(objects, events, streams)
    bare = Topology(owner=owner)
    targets = _targets(objects, events, bare)
    backends = _backends(objects, bare)
    partial = Topology(owner=owner, nodes=_nodes(objects, events, streams, bare), targets=targets, backends=backends)
    directory = read_directory(objects, events, streams, partial)
    return Topology(
        owner=partial.owner,
        nodes=partial.nodes,
        targets=targets,
        backends=backends,
        calls=frozenset(configured_calls(objects, partial, directory)),
        pods=_by_workload(read_pods(objects, events, owner, partial.nodes), partial),
        claims=read_claims(objects, partial),
    )


def _by_workload(pods: Mapping[Entity, PodLife], topology: Topology) -> dict[Entity, dict[Entity, PodLife]]:
    found: defaultdict[Entity, dict[Entity, PodLife]] = defaultdict(dict)
    for pod, life in pods.items():
        found[topology.root(pod)][pod] = life
    return dict(found)


def _owners(
    objects: Sequence[tuple[ItemId, ObjectVersion]],
    events: Sequence[tuple[ItemId, ClusterEvent]],
    streams: Sequence[LogStream],
) -> dict[Entity, Entity]:
    owner: dict[Entity, Entity] = {}
    seen: set[Entity] = set()
    for _, version in objects:
        seen.add(version.entity)
        above = owner_of(version)
        if above is not None and version.entity.kind not in _TERMINAL_KINDS:
            owner.setdefault(version.entity, above)
    for _, event in events:
        seen.add(event.entity)
        for owned in _owned(event):
            owner.setdefault(owned, event.entity)
    seen.update(Entity("Pod", stream.pod, stream.namespace) for stream in streams if stream.pod)
    seen.update(_scheduled_pods(events))
    known = frozenset(seen | set(owner) | set(owner.values()))
    self_owned = {version.entity for _, version in objects if owner_of(version) is None and version.raw}
    for entity in sorted(known, key=str):
        if entity in self_owned:
            continue  # it was read whole and names no owner: its name proves nothing
        for owned, above in owners_by_name(entity, known):
            if owned not in self_owned:
                owner.setdefault(owned, above)
    return dict(sorted(owner.items(), key=lambda pair: str(pair[0])))


def _owned(event: ClusterEvent) -> Iterator[Entity]:
    """Give what an event says its object created or deleted."""
    kind, space = event.entity.kind, event.entity.namespace
    if kind == "CronJob" and (found := _JOBS_OF.search(event.message)):
        yield Entity("Job", found["job"], space)
    elif kind in {"Deployment", "Rollout"} and (found := _REPLICA_SETS_OF.search(event.message)):
        if found["set"].startswith(event.entity.name + "-"):
            yield Entity("ReplicaSet", found["set"], space)
    elif (found := _PODS_OF.search(event.message)) and kind != "Pod":
        yield Entity("Pod", found["pod"] or found["set_pod"], space)


def _scheduled_pods(events: Sequence[tuple[ItemId, ClusterEvent]]) -> Iterator[Entity]:
    for _, event in events:
        if event.reason == "Scheduled" and (found := _ASSIGNED.search(event.message)):
            yield Entity("Pod", found["pod"], event.entity.namespace)


def _nodes(
    objects: Sequence[tuple[ItemId, ObjectVersion]],
    events: Sequence[tuple[ItemId, ClusterEvent]],
    streams: Sequence[LogStream],
    topology: Topology,
) -> dict[Entity, frozenset[str]]:
    nodes: defaultdict[Entity, set[str]] = defaultdict(set)
    for pod, node in _placements(objects, events, streams):
        seen: set[Entity] = set()
        above: Entity | None = pod
        while above is not None and above not in seen:
            nodes[above].add(node)
            seen.add(above)
            above = topology.owner.get(above)
    return {entity: frozenset(nodes[entity]) for entity in sorted(nodes, key=str)}


def _placements(
    objects: Sequence[tuple[ItemId, ObjectVersion]],
    events: Sequence[tuple[ItemId, ClusterEvent]],
    streams: Sequence[LogStream],
) -> Iterator[tuple[Entity, str]]:
    for _, version in objects:
        if version.entity.kind == "Pod" and (node := text(version.manifest, "spec", "nodeName")):
            yield version.entity, node
    for _, event in events:
        if event.entity.kind != "Pod":
            continue
        if event.reason == "Scheduled" and (found := _ASSIGNED.search(event.message)):
            yield event.entity, found["node"]
        elif event.component == "kubelet" and event.node:
            yield event.entity, event.node
    for stream in streams:
        if stream.pod and stream.node:
            yield Entity("Pod", stream.pod, stream.namespace), stream.node


def _targets(
    objects: Sequence[tuple[ItemId, ObjectVersion]], events: Sequence[tuple[ItemId, ClusterEvent]], topology: Topology
) -> dict[Entity, Entity]:
    targets: dict[Entity, Entity] = {}
    for _, version in objects:
        entity = version.entity
        reference = part(version.manifest, "spec", "scaleTargetRef") or part(version.manifest, "spec", "targetRef")
        if entity.kind in {"HorizontalPodAutoscaler", "ScaledObject", "VerticalPodAutoscaler"} and text(
            reference, "name"
        ):
            kind = text(reference, "kind") or "Deployment"
            targets[entity] = Entity(kind, text(reference, "name"), entity.namespace)
    known = {topology.root(entity) for entity in (*topology.owner, *topology.owner.values())}
    known |= {version.entity for _, version in objects} | {event.entity for _, event in events}
    for entity in sorted({event.entity for _, event in events} - set(targets), key=str):
        if entity.kind == "HorizontalPodAutoscaler" and (target := _target_by_name(entity, known)) is not None:
            targets[entity] = target
    return targets


def _target_by_name(scaler: Entity, known: set[Entity]) -> Entity | None:
    """Guess the target of an autoscaler that only events name: people name it after its workload."""
    for name in dict.fromkeys((scaler.name, _SCALER_AFFIXES.sub("", scaler.name))):
        for kind in ("Deployment", "StatefulSet", "Rollout"):
            if (target := Entity(kind, name, scaler.namespace)) in known:
                return target
    return None


def _backends(objects: Sequence[tuple[ItemId, ObjectVersion]], topology: Topology) -> dict[Entity, frozenset[Entity]]:
    labelled: defaultdict[str | None, list[tuple[Part, Entity]]] = defaultdict(list)
    for _, version in objects:
        if version.entity.kind in _TEMPLATE_KINDS and (labels := pod_labels(version)):
            labelled[version.entity.namespace].append((labels, topology.root(version.entity)))
    backends: dict[Entity, frozenset[Entity]] = {}
    for _, version in objects:
        if version.entity.kind == "Service" and (selector := part(version.manifest, "spec", "selector")):
            wanted = selector.items()
            backends[version.entity] = frozenset(
                workload for labels, workload in labelled[version.entity.namespace] if wanted <= labels.items()
            )
    for _, version in objects:
        names = frozenset(_routed(version))
        if names:
            space = version.entity.namespace
            behind = [backends.get(Entity("Service", name, space), frozenset()) for name in names]
            backends[version.entity] = frozenset().union(*behind)
    return {entity: found for entity, found in sorted(backends.items(), key=lambda pair: str(pair[0])) if found}


def _routed(version: ObjectVersion) -> Iterator[str]:
    """Give the names of the Services that an Ingress, a Gateway API route, an Istio or a Traefik route leads to."""
    spec = part(version.manifest, "spec")
    if version.entity.kind == "Ingress":
        yield from _ingress_services(spec)
    elif version.entity.kind in {"HTTPRoute", "GRPCRoute", "TCPRoute"}:
        for rule in parts(spec, "rules"):
            yield from (text(backend, "name") for backend in parts(rule, "backendRefs"))
    elif version.entity.kind == "VirtualService":
        for rule in (*parts(spec, "http"), *parts(spec, "tcp")):
            yield from (text(way, "destination", "host").partition(".")[0] for way in parts(rule, "route"))
    elif version.entity.kind == "IngressRoute":
        for route in parts(spec, "routes"):
            yield from (text(service, "name") for service in parts(route, "services"))


def _ingress_services(spec: Part) -> Iterator[str]:
    backends = [part(spec, "defaultBackend"), part(spec, "backend")]
    for rule in parts(spec, "rules"):
        backends += [part(path, "backend") for path in parts(rule, "http", "paths")]
    for backend in backends:
        yield from filter(None, [text(backend, "service", "name") or text(backend, "serviceName")])
