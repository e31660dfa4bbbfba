"""Changes somebody or a delivery tool made: rollouts, and new contents of ConfigMaps and Secrets.

Versions of an object show what changed; where only one version is known, ``managedFields`` still tells when a person
or a delivery tool last wrote what is desired. Status updates by controllers are no changes. A Secret's data is
compared but never shown.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from bot.domain.entity import Entity
from bot.domain.items import ItemId, ObjectVersion
from bot.domain.signal import BACK, Kind, Topology
from bot.signals.acts import Act
from bot.signals.delivery_changes import CAUSE, delivery_acts, is_helm_storage, written_cause
from bot.signals.kubernetes import is_person_or_delivery
from bot.signals.manifest import Part, containers, owner_of, part, parts, pod_labels, pod_spec, text, time_s, value

Rows = Sequence[tuple[ItemId, ObjectVersion]]

_CHANGED_KINDS = {"ConfigMap": Kind.CONFIG_CHANGE, "Secret": Kind.SECRET_CHANGE}
_TOLD_OTHERWISE = frozenset(
    """
    Pod ReplicaSet ReplicationController Deployment StatefulSet DaemonSet Rollout ControllerRevision Job Node NodeClaim
    Event Endpoints EndpointSlice Lease VolumeAttachment PersistentVolume CertificateRequest Order Challenge Application
    HelmRelease Kustomization
    """.split()  # noqa: SIM905 - one word after another reads better than a column of quotes
)
"""Kinds whose changes are rollouts or deliveries, told elsewhere, or that the cluster's machinery makes and writes."""
_SET_BY_NOTES = frozenset({"Ingress", "Service", "Gateway"})
"""Kinds whose annotations are settings: ingress controllers and clouds read from them what the spec has no field for."""
_MADE_ANEW_S = 3600.0
"""An object that routes to workloads which were there as much earlier was made for them anew, or late."""
_ROUTING = frozenset({"Service", "Ingress", "HTTPRoute", "VirtualService"})
_OF_A_NAMESPACE = frozenset({"PeerAuthentication", "AuthorizationPolicy", "RequestAuthentication", "NetworkPolicy"})
"""Kinds that hold for every pod of their namespace where they select none
(https://istio.io/latest/docs/reference/config/security/peer_authentication/)."""
_SELECTING = _OF_A_NAMESPACE | {"PodDisruptionBudget"}
_LIMITING_KINDS = _OF_A_NAMESPACE | {"ResourceQuota", "LimitRange", "PodDisruptionBudget"}
"""Kinds that forbid: such an object is a change from the moment it exists."""
_CAUSE = "f:kubernetes.io/change-cause"
_REVISION = "deployment.kubernetes.io/revision"
_CREATION_S = 5.0
"""A write this close to the creation is the creation."""
_IGNORED_MAPS = frozenset({"kube-root-ca.crt"})
_FIRST_SET_S = 3600.0
"""How long after its Deployment a first ReplicaSet may be made, at most: a paused Deployment has none yet."""


def change_acts(objects: Rows, topology: Topology) -> Iterator[Act]:
    """Give all rollouts and configuration changes that objects tell of."""
    yield from _replica_set_rollouts(objects, topology)
    yield from _revision_rollouts(objects)
    yield from delivery_acts(objects)
    users = _users(objects, topology) | limited(objects, topology) | granted(objects, topology)
    yield from _limits(objects, users)
    yield from _made_anew(objects, topology)
    yield from _deletions(objects, users)
    versions: defaultdict[Entity, list[tuple[ItemId, ObjectVersion]]] = defaultdict(list)
    for ref, version in objects:
        if version.entity.kind not in _TOLD_OTHERWISE:
            versions[version.entity].append((ref, version))
    for entity in sorted(versions, key=str):
        if entity.name not in _IGNORED_MAPS and not is_helm_storage(entity):
            for act in _writes(entity, versions[entity]):
                whose = users.get(entity) or topology.backends.get(entity) or _alias_for(versions[entity][-1][1])
                yield replace(act, mentions=tuple(sorted(whose, key=str)))


def _alias_for(version: ObjectVersion) -> frozenset[Entity]:
    """Give the host outside that a Service of type ``ExternalName`` stands for."""
    host = text(version.manifest, "spec", "externalName").rstrip(".").lower()
    outside = version.entity.kind == "Service" and "." in host and not host.endswith((".svc", ".cluster.local"))
    return frozenset({Entity("Host", host)} if outside else ())


def _made_anew(objects: Rows, topology: Topology) -> Iterator[Act]:
    """Give the making of each object that leads to workloads which had been there before: till then another one did, or none."""
    born: dict[Entity, float] = {}
    for _, version in objects:
        created = time_s(value(version.manifest, "metadata", "creationTimestamp"))
        if created is not None:
            born[version.entity] = min(created, born.get(version.entity, created))
    seen: set[Entity] = set()
    for ref, version in objects:
        behind = topology.backends.get(version.entity, frozenset())
        created = born.get(version.entity)
        if version.entity.kind not in _ROUTING or created is None or version.entity in seen or not behind:
            continue
        seen.add(version.entity)
        if all(one in born and born[one] < created - _MADE_ANEW_S for one in behind):
            act = _change(Kind.CONFIG_CHANGE, version.entity, created, ref, "created")
            yield replace(act, label="created", mentions=tuple(sorted(behind, key=str)))


def _limits(objects: Rows, users: Mapping[Entity, Collection[Entity]]) -> Iterator[Act]:
    """Give the making of each object that forbids something, once."""
    seen: set[Entity] = set()
    for ref, version in objects:
        created = time_s(value(version.manifest, "metadata", "creationTimestamp"))
        if version.entity.kind in _LIMITING_KINDS and created is not None and version.entity not in seen:
            seen.add(version.entity)
            act = _change(Kind.CONFIG_CHANGE, version.entity, created, ref, "created")
            yield replace(act, label="created", mentions=tuple(sorted(users.get(version.entity, ()), key=str)))


def _deletions(objects: Rows, users: Mapping[Entity, Collection[Entity]]) -> Iterator[Act]:
    """Give the deletion of each object that others read or that limits them, once."""
    seen: set[tuple[Entity, float]] = set()
    for ref, version in objects:
        at_s = time_s(value(version.manifest, "metadata", "deletionTimestamp"))
        entity = version.entity
        if at_s is None or entity.kind in _TOLD_OTHERWISE or is_helm_storage(entity) or (entity, at_s) in seen:
            continue
        seen.add((entity, at_s))
        act = _change(_CHANGED_KINDS.get(entity.kind, Kind.CONFIG_CHANGE), entity, at_s, ref, "deleted")
        yield replace(act, label="deleted", mentions=tuple(sorted(users.get(entity, ()), key=str)))


def limited(objects: Rows, topology: Topology) -> dict[Entity, set[Entity]]:
    """Find which workloads a disruption budget or a policy is for, by their pods' labels or for want of a selector."""
    labelled = [
        (version.entity.namespace, pod_labels(version), topology.root(version.entity))
        for _, version in objects
        if pod_spec(version)
    ]
    found: dict[Entity, set[Entity]] = {}
    for _, version in objects:
        selector = part(version.manifest, "spec", "selector") or part(version.manifest, "spec", "podSelector")
        wanted = part(selector, "matchLabels").items()
        selects = wanted and version.entity.kind in _SELECTING
        if selects or (version.entity.kind in _OF_A_NAMESPACE and not selector):
            found[version.entity] = {
                workload
                for namespace, labels, workload in labelled
                if namespace == version.entity.namespace and wanted <= labels.items()
            }
    return found


def granted(objects: Rows, topology: Topology) -> dict[Entity, set[Entity]]:
    """Find which workloads act with the rights of a Role, by its bindings and their pods' service accounts."""
    acting: defaultdict[tuple[str | None, str], set[Entity]] = defaultdict(set)
    for _, version in objects:
        if spec := pod_spec(version):
            account = text(spec, "serviceAccountName") or "default"
            acting[version.entity.namespace, account].add(topology.root(version.entity))
    found: defaultdict[Entity, set[Entity]] = defaultdict(set)
    for _, version in objects:
        if version.entity.kind not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        space, role = version.entity.namespace, part(version.manifest, "roleRef")
        of = Entity(text(role, "kind"), text(role, "name"), None if text(role, "kind") == "ClusterRole" else space)
        for subject in parts(version.manifest, "subjects"):
            bound = acting.get((text(subject, "namespace") or space, text(subject, "name")), set())
            for entity in (of, version.entity):
                found[entity] |= bound if text(subject, "kind") == "ServiceAccount" else set()
    return dict(found)


def _users(objects: Rows, topology: Topology) -> dict[Entity, set[Entity]]:
    """Find which workloads read a ConfigMap or Secret: as variables, as files, or to pull their image."""
    users: defaultdict[Entity, set[Entity]] = defaultdict(set)
    for _, version in objects:
        if not (spec := pod_spec(version)):
            continue
        user = topology.root(version.entity)
        for kind, name in _read_by(spec):
            users[Entity(kind, name, version.entity.namespace)].add(user)
    return users


def _read_by(spec: Part) -> Iterator[tuple[str, str]]:
    for container in containers(spec):
        sources = [value(one, "valueFrom") for one in parts(container, "env")] + list(parts(container, "envFrom"))
        for source in sources:
            for kind, keys in (
                ("ConfigMap", ("configMapKeyRef", "configMapRef")),
                ("Secret", ("secretKeyRef", "secretRef")),
            ):
                yield from ((kind, name) for key in keys if (name := text(source, key, "name")))
    for volume in parts(spec, "volumes"):
        for one in (volume, *parts(volume, "projected", "sources")):
            if name := text(one, "configMap", "name"):
                yield "ConfigMap", name
            if name := text(one, "secret", "secretName") or text(one, "secret", "name"):
                yield "Secret", name


def _replica_set_rollouts(objects: Rows, topology: Topology) -> Iterator[Act]:
    sets: defaultdict[Entity, dict[str, tuple[float, float, ItemId, ObjectVersion]]] = defaultdict(dict)
    for ref, version in objects:
        created = time_s(value(version.manifest, "metadata", "creationTimestamp"))
        if version.entity.kind != "ReplicaSet" or created is None:
            continue
        deployment = topology.root(version.entity)
        revision = text(version.manifest, "metadata", "annotations", _REVISION)
        order = float(revision) if revision.isdigit() else created
        sets[deployment].setdefault(version.entity.name, (created, order, ref, version))
    born = {version.entity: time_s(value(version.manifest, "metadata", "creationTimestamp")) for _, version in objects}
    for deployment, named in sets.items():
        ordered = sorted(named.values(), key=lambda row: (row[0], row[1], row[2]))
        if (made_s := born.get(deployment)) is not None and ordered[0][0] - made_s > _FIRST_SET_S:
            yield _unseen_before(deployment, ordered[0], topology)
        for place, (old, new) in enumerate(pairwise(ordered)):
            anew = _same_program(old[3], new[3])
            spec = pod_spec(new[3])
            back = not anew and spec and any(pod_spec(one[3]) == spec for one in ordered[:place])
            yield Act(
                kind=Kind.RELOAD if anew else Kind.ROLLOUT,
                entity=deployment,
                label="rolled out anew" if anew else "rolled out",
                start_s=new[0],
                end_s=new[0],
                ref=new[2],
                more_refs=(old[2],),
                note=(BACK if back else "")
                + "; ".join(note for note in (_difference(old[3], new[3]), written_cause(old[3], new[3])) if note),
                what=new[3].entity.name,
                nodes=topology.nodes.get(deployment, frozenset()),
            )


def _unseen_before(deployment: Entity, first: tuple[float, float, ItemId, ObjectVersion], topology: Topology) -> Act:
    """Tell of the oldest ReplicaSet that is kept: younger than its Deployment, it replaced one that is not (``revisionHistoryLimit``)."""
    return Act(
        kind=Kind.ROLLOUT,
        entity=deployment,
        label="rolled out",
        start_s=first[0],
        end_s=first[0],
        ref=first[2],
        note=f"{first[3].entity.name} replaces one that is not kept",
        what=first[3].entity.name,
        nodes=topology.nodes.get(deployment, frozenset()),
    )


def _revision_rollouts(objects: Rows) -> Iterator[Act]:
    """Read StatefulSet and DaemonSet rollouts off their ControllerRevisions; the first one is the creation."""
    revisions: defaultdict[Entity, dict[str, tuple[float, ItemId, str]]] = defaultdict(dict)
    for ref, version in objects:
        created = time_s(value(version.manifest, "metadata", "creationTimestamp"))
        owner = owner_of(version)
        if version.entity.kind == "ControllerRevision" and created is not None and owner is not None:
            number, cause = (
                value(version.manifest, "revision"),
                text(version.manifest, "metadata", "annotations", CAUSE),
            )
            note = f"revision {number}" + (f"; cause given: {' '.join(cause.split())[:120]}" if cause else "")
            revisions[owner].setdefault(version.entity.name, (created, ref, note))
    for owner, named in revisions.items():
        for created, ref, note in sorted(named.values())[1:]:
            yield Act(
                kind=Kind.ROLLOUT, entity=owner, label="rolled out", start_s=created, end_s=created, ref=ref, note=note
            )


def _same_program(old: ObjectVersion, new: ObjectVersion) -> bool:
    """Tell whether two revisions differ in annotations of their pods alone.

    That is what ``kubectl rollout restart`` and reloaders do, and charts that put a checksum of the configuration there
    (https://helm.sh/docs/howto/charts_tips_and_tricks/#automatically-roll-deployments).
    """
    notes = [part(one.manifest, "spec", "template", "metadata", "annotations") for one in (old, new)]
    return notes[0] != notes[1] and bool(pod_spec(new)) and pod_spec(old) == pod_spec(new)


def _difference(old: ObjectVersion, new: ObjectVersion) -> str:
    """Say what a rollout changed: images, else which settings of which container."""
    before = {text(container, "name"): container for container in containers(pod_spec(old))}
    notes: list[str] = []
    for container in containers(pod_spec(new)):
        name = text(container, "name")
        was = before.get(name)
        if was is None:
            notes.append(f"{name}: added")
            continue
        if text(was, "image") != text(container, "image"):
            notes.append(f"{name}: {_tag(text(was, 'image'))} → {_tag(text(container, 'image'))}")
        keys = [key for key in sorted({*was, *container} - {"image"}) if was.get(key) != container.get(key)]
        if keys:
            notes.append(f"{name}: {', '.join(keys)} changed")
    rest = [
        key
        for key in ("terminationGracePeriodSeconds", "nodeSelector", "volumes", "serviceAccountName", "affinity")
        if value(pod_spec(old), key) != value(pod_spec(new), key)
    ]
    notes += [f"{key} changed" for key in rest]
    return "; ".join(notes) or f"{new.entity.name} replaces {old.entity.name}"


def _tag(image: str) -> str:
    last = image.rpartition("/")[2]
    return last.partition("@")[2][:19] or last.partition(":")[2] or image


ONE_VERSION = "; what of it is not known, for one version alone was read"


def _writes(entity: Entity, versions: Rows) -> Iterator[Act]:
    kind = _CHANGED_KINDS.get(entity.kind, Kind.CONFIG_CHANGE)
    dated = sorted(versions, key=lambda row: (row[1].observed_at.timestamp() if row[1].observed_at else 0.0, row[0]))
    seen: set[float] = set()
    for index, (ref, version) in enumerate(dated):
        created = time_s(value(version.manifest, "metadata", "creationTimestamp"))
        keys = _changed_keys(dated[index - 1][1], version) if index else []
        back = BACK if keys and any(not _changed_keys(one, version) for _, one in dated[: index - 1]) else ""
        for at_s, manager in _people(version):
            if at_s in seen or (created is not None and at_s - created < _CREATION_S):
                continue
            seen.add(at_s)
            what = f"{', '.join(keys)} changed" if keys else "changed"
            unknown = ONE_VERSION if len(dated) == 1 else ""
            yield _change(kind, entity, at_s, ref, f"{back}{what} by {manager}{unknown}")
        if keys and not any(at_s in seen for at_s, _ in _people(version)) and version.observed_at is not None:
            yield _change(kind, entity, version.observed_at.timestamp(), ref, f"{back}{', '.join(keys)} changed")


def _change(kind: Kind, entity: Entity, at_s: float, ref: ItemId, note: str) -> Act:
    return Act(kind=kind, entity=entity, label="changed", start_s=at_s, end_s=at_s, ref=ref, note=note, what=f"{at_s}")


def _people(version: ObjectVersion) -> list[tuple[float, str]]:
    """Give when whom ``managedFields`` names as having written what is desired."""
    found = []
    for entry in parts(version.manifest, "metadata", "managedFields"):
        manager, fields = text(entry, "manager"), part(entry, "fieldsV1")
        desired = bool(fields.keys() - {"f:metadata", "f:status", "."})
        desired = desired or (version.entity.kind in _SET_BY_NOTES and "f:annotations" in part(fields, "f:metadata"))
        # whoever puts a value back owns it from then on; the note on why it was changed stays with its writer
        desired = desired or _CAUSE in part(fields, "f:metadata", "f:annotations")
        at_s = time_s(entry.get("time"))
        if at_s is not None and desired and is_person_or_delivery(manager, text(entry, "subresource") or None):
            found.append((at_s, manager or "somebody"))
    return sorted(found)


def _changed_keys(old: ObjectVersion, new: ObjectVersion) -> list[str]:
    field = "data" if new.entity.kind in _CHANGED_KINDS else "spec"
    before, after = part(old.manifest, field), part(new.manifest, field)
    return [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
