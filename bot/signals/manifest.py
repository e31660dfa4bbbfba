"""Small readers of Kubernetes manifests: a missing or oddly typed part is an empty one, never an exception."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.entity import Entity
from bot.domain.items import ObjectVersion

Part = Mapping[str, Any]


def part(document: object, *path: str) -> Part:
    """Give the mapping at ``path``, an empty one where there is none."""
    found = value(document, *path)
    return found if isinstance(found, Mapping) else {}


def value(document: object, *path: str) -> Any:  # noqa: ANN401 - a manifest's leaf may be any JSON value
    """Give whatever stands at ``path``, None where there is nothing."""
    for key in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(key)
    return document


def parts(document: object, *path: str) -> tuple[Part, ...]:
    """Give the mappings of the list at ``path``."""
    found = value(document, *path)
    if not isinstance(found, Sequence) or isinstance(found, str):
        return ()
    return tuple(item for item in found if isinstance(item, Mapping))


def text(document: object, *path: str) -> str:
    """Give the string at ``path``, an empty one where there is none."""
    found = value(document, *path)
    return found if isinstance(found, str) else ""


def time_s(stamp: object) -> float | None:
    """Read an RFC 3339 time (or a datetime, as YAML gives) as seconds since the epoch."""
    if isinstance(stamp, datetime):
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()
    if not isinstance(stamp, str) or not stamp:
        return None
    try:
        return time_s(datetime.fromisoformat(stamp))
    except ValueError:
        return None


def pod_spec(version: ObjectVersion) -> Part:
    """Give the pod spec of a Pod or of anything that holds a pod template, an empty mapping otherwise."""
    if version.entity.kind == "Pod":
        return part(version.manifest, "spec")
    if version.entity.kind == "CronJob":
        return part(version.manifest, "spec", "jobTemplate", "spec", "template", "spec")
    return part(version.manifest, "spec", "template", "spec")


def pod_labels(version: ObjectVersion) -> Part:
    """Give the labels that this object's pods bear."""
    if version.entity.kind == "Pod":
        return part(version.manifest, "metadata", "labels")
    if version.entity.kind == "CronJob":
        return part(version.manifest, "spec", "jobTemplate", "spec", "template", "metadata", "labels")
    return part(version.manifest, "spec", "template", "metadata", "labels")


def containers(spec: Part) -> Iterator[Part]:
    """Give a pod spec's containers, init containers last."""
    yield from parts(spec, "containers")
    yield from parts(spec, "initContainers")


def owner_of(version: ObjectVersion) -> Entity | None:
    """Give the controlling owner an object names, leaving out nodes (they own static pods' mirrors)."""
    owners = parts(version.manifest, "metadata", "ownerReferences")
    ranked = sorted(owners, key=lambda owner: owner.get("controller") is not True)
    for owner in ranked:
        kind, name = text(owner, "kind"), text(owner, "name")
        if kind and name and kind != "Node":
            return Entity(kind, name, version.entity.namespace)
    return None


def keeps_data(version: ObjectVersion) -> bool:
    """Tell whether an object's pods keep data on a volume that outlives them."""
    spec = version.manifest
    return any("persistentVolumeClaim" in one for one in parts(pod_spec(version), "volumes")) or bool(
        parts(spec, "spec", "volumeClaimTemplates")
    )
