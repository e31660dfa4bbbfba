"""Read Kubernetes objects and events: Lists or single objects, several in a file, JSON or YAML, both event APIs.

Each item keeps the exact bytes it was read from. What an object means is not decided here.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.domain.kubernetes import cluster_event, is_event, object_version, part, text
from bot.domain.storable import storable
from bot.sources.export.jsonstream import JsonCutError, JsonStream, as_bytes, needs_cleaning
from bot.sources.export.layout import stem
from bot.sources.export.ledger import Reading
from bot.sources.export.yamldocs import yaml_items

EVENTS = "kubernetes/events"
OBJECTS = "kubernetes/objects"

# a typed list written with its keys sorted says its kind only behind the items; its file is named by the plural
_PLURALS = {
    "pods": "Pod", "events": "Event", "nodes": "Node", "deployments": "Deployment", "replicasets": "ReplicaSet",
    "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "jobs": "Job", "cronjobs": "CronJob",
    "services": "Service", "ingresses": "Ingress", "configmaps": "ConfigMap", "endpoints": "Endpoints",
    "endpointslices": "EndpointSlice", "horizontalpodautoscalers": "HorizontalPodAutoscaler", "hpa": "HorizontalPodAutoscaler",
    "persistentvolumeclaims": "PersistentVolumeClaim", "pvcs": "PersistentVolumeClaim", "persistentvolumes": "PersistentVolume",
    "pvs": "PersistentVolume", "namespaces": "Namespace", "resourcequotas": "ResourceQuota", "resource-quota": "ResourceQuota",
    "limitranges": "LimitRange", "networkpolicies": "NetworkPolicy", "network-policy": "NetworkPolicy",
    "poddisruptionbudgets": "PodDisruptionBudget", "pod-disruption-budgets": "PodDisruptionBudget",
    "storage-classes": "StorageClass", "storageclasses": "StorageClass", "secrets": "Secret",
    "serviceaccounts": "ServiceAccount", "replicationcontrollers": "ReplicationController", "leases": "Lease",
}  # fmt: skip

Item = tuple[Mapping[str, Any], bytes]


def read_json(reading: Reading, path: str, texts: Iterable[str]) -> dict[str, int]:
    """Store every object and event of a JSON file; give the bytes per source."""
    return _store(reading, path, _json_items(JsonStream(texts), path))


def read_yaml(reading: Reading, path: str, texts: Iterable[str]) -> dict[str, int]:
    """Store every object and event of a YAML file; give the bytes per source."""

    def lost(what: str) -> None:
        reading.ledger.lost(OBJECTS, what, path)

    return _store(reading, path, _unlisted(yaml_items(texts, lost), path))


def _store(reading: Reading, path: str, items: Iterator[Item]) -> dict[str, int]:
    booked = {EVENTS: 0, OBJECTS: 0}
    try:
        for item, raw in items:
            source = EVENTS if is_event(item) else OBJECTS
            booked[source] += len(raw)
            if source == EVENTS:
                _store_event(reading, path, item, raw)
            else:
                _store_object(reading, path, item, raw)
    except JsonCutError as cut:
        source = EVENTS if booked[EVENTS] or _kind_by_name(path) == "Event" else OBJECTS
        reading.ledger.tear(source, cut, "the items before were read", path)
    return booked


def _kind_by_name(path: str) -> str:
    folders = path.split("/")[:-1]
    parent = folders[-1] if folders else ""
    return _PLURALS.get(stem(path).lower()) or _PLURALS.get(parent.lower()) or ""


def _json_items(stream: JsonStream, path: str) -> Iterator[Item]:
    while start := stream.peek():
        if start == "[":
            for value, text in stream.elements():
                yield from _flat(value, text, "", path)
        else:
            yield from _document(stream, path)


def _document(stream: JsonStream, path: str) -> Iterator[Item]:
    """Read a List item by item, or one object whole."""
    head: dict[str, Any] = {}
    stream.record()
    for key in stream.members():
        if key == "items" and stream.peek() == "[":
            stream.forget()
            for value, item_text in stream.elements():
                yield from _flat(value, item_text, str(head.get("kind") or ""), path, str(head.get("apiVersion") or ""))
        else:
            head[key], _ = stream.value()
    if (text := stream.recorded()) is not None:
        yield from _flat(head, text, "", path)


def _flat(value: Any, text: str, list_kind: str, path: str, version: str = "") -> Iterator[Item]:  # noqa: ANN401 - any JSON value
    """Give an item its kind where its list says it, clean it, and open a List in a List."""
    if not isinstance(value, dict):
        return
    if needs_cleaning(text):
        value = storable(value)
    if isinstance(value.get("items"), list) and str(value.get("kind", "List")).endswith("List"):
        stream = JsonStream([text])
        yield from _document(stream, path)
        return
    kind = value.get("kind") or list_kind.removesuffix("List") or _kind_by_shape(value) or _kind_by_name(path)
    if not kind:
        return
    if "kind" not in value:
        value = {"apiVersion": version or "v1", "kind": kind, **value} if version else {"kind": kind, **value}
    yield value, as_bytes(text)


def _unlisted(items: Iterator[Item], path: str) -> Iterator[Item]:
    for value, raw in items:
        kind = value.get("kind") or _kind_by_shape(value) or _kind_by_name(path)
        if kind:
            yield ({"kind": kind, **value}, raw)


def _kind_by_shape(item: Mapping[str, Any]) -> str:
    return "Event" if "involvedObject" in item or "regarding" in item else ""


def _store_object(reading: Reading, path: str, item: Mapping[str, Any], raw: bytes) -> None:
    version = object_version(item, raw)
    if version is None:
        reading.ledger.odd(OBJECTS, "objects without a name or kind, left out", 1, path)
        return
    name, namespace, kind = version.entity.name, text(part(item, "metadata").get("namespace")), version.entity.kind
    if kind == "Namespace":
        reading.met(name)
    if namespace:
        reading.met(namespace, name if kind == "Pod" else None)
    reading.sink.add_object(version)


def _store_event(reading: Reading, path: str, item: Mapping[str, Any], raw: bytes) -> None:
    event = cluster_event(item, raw)
    if event is None:
        reading.ledger.lost(EVENTS, "an event without any time, left out", path)
        return
    if event.entity.namespace:
        reading.met(event.entity.namespace, event.entity.name if event.entity.kind == "Pod" else None, sure=False)
    reading.saw(event.at.timestamp())
    reading.sink.add_event(event)
