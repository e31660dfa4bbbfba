"""Kubernetes objects and events as items, whoever brings them: a file, the API, or an archive of what a watch saw.

Both event APIs are reduced to what they spell alike. What an object means is not decided here, and nothing is read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.entity import CLUSTER_KINDS, Entity
from bot.domain.items import ClusterEvent, ObjectVersion

Manifest = Mapping[str, Any]

_CLUSTER_SCOPED = CLUSTER_KINDS | {
    "StorageClass", "PriorityClass", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "CSIDriver",
    "CSINode", "IngressClass", "APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
    "RuntimeClass", "VolumeAttachment",
}  # fmt: skip


def is_event(item: Manifest) -> bool:
    """Tell whether a document is an Event of either API."""
    return item.get("kind") == "Event" and ("involvedObject" in item or "regarding" in item)


def entity_of(kind: str, name: str, namespace: str) -> Entity:
    """Name an object; what is cluster-scoped has no namespace, though its events are filed under one."""
    return Entity(kind, name, None if kind in _CLUSTER_SCOPED else namespace or None)


def object_version(item: Manifest, raw: bytes, observed_at: datetime | None = None) -> ObjectVersion | None:
    """Make an object's version; None where it has no name or kind."""
    meta = part(item, "metadata")
    name, namespace, kind = text(meta.get("name")), text(meta.get("namespace")), text(item.get("kind"))
    if not name or not kind:
        return None
    entity, uid = entity_of(kind, name, namespace), text(meta.get("uid")) or None
    return ObjectVersion(entity=entity, uid=uid, observed_at=observed_at, manifest=item, raw=raw)


def cluster_event(event: Manifest, raw: bytes) -> ClusterEvent | None:
    """Make an event of either API; None where nothing dates it."""
    first, at = _times(event)
    if at is None or first is None:
        return None
    about = part(event, "involvedObject", "regarding")
    kind, name = text(about.get("kind")), text(about.get("name"))
    namespace = text(about.get("namespace"), part(event, "metadata").get("namespace"))
    came_from = part(event, "source", "deprecatedSource")
    component = text(came_from.get("component"), event.get("reportingComponent"), event.get("reportingController"))
    count = _number(event.get("count"), event.get("deprecatedCount"), part(event, "series").get("count"))
    return ClusterEvent(
        at=at,
        first_at=first,
        count=max(1, count),
        type=text(event.get("type")) or "Normal",
        reason=text(event.get("reason")),
        message=text(event.get("message"), event.get("note")),
        entity=entity_of(kind or "Unknown", name, namespace),
        component=component or None,
        node=text(came_from.get("host"), name if kind == "Node" else "") or None,
        raw=raw,
    )


def moment(stamp: object) -> datetime | None:
    """Read an RFC 3339 time as aware UTC; None where there is none."""
    if not isinstance(stamp, str) or not stamp:
        return None
    try:
        at = datetime.fromisoformat(stamp)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def part(item: Manifest, *names: str) -> Manifest:
    """Give the first of the named parts that holds anything, else an empty one."""
    for name in names:
        found = item.get(name)
        if isinstance(found, dict) and found:
            return found
    return {}


def text(*values: object) -> str:
    """Give the first of the values that is a text and not empty."""
    return next((value for value in values if isinstance(value, str) and value), "")


def _times(event: Manifest) -> tuple[datetime | None, datetime | None]:
    """Give the first and last time an event was seen, whichever fields its API and writer filled."""
    created = moment(part(event, "metadata").get("creationTimestamp"))
    at_event = moment(event.get("eventTime"))
    first = moment(event.get("firstTimestamp")) or moment(event.get("deprecatedFirstTimestamp"))
    last = moment(event.get("lastTimestamp")) or moment(event.get("deprecatedLastTimestamp"))
    in_series = moment(part(event, "series").get("lastObservedTime"))
    ends = [at for at in (last, in_series) if at]
    at = max(ends) if ends else at_event or first or created
    starts = [moment_ for moment_ in (first or at_event or created or at, at) if moment_]
    return (min(starts) if starts else None), at


def _number(*values: object) -> int:
    return max((value for value in values if isinstance(value, int) and not isinstance(value, bool)), default=1)
