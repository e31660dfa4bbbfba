"""Entries of a log store as lines and streams, however the store's shipper named the fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.items import LogStream
from bot.domain.ports import TimedLine
from bot.domain.storable import storable

Entry = tuple[int, str]
"""Nanoseconds since the epoch and the text, which may hold several lines."""

TROUBLE = (
    "error|warn|exception|traceback|fatal|panic|crit|fail|refused|reset|timeout|timed out|unavailable|denied|killed|oom|"
    "evict|throttl|terminat|sigterm|shutdown|shutting down|deadline|exhausted|overflow|too many|no space|retry|retries"
)
"""Words of lines that are read before all others, where not all can be; a regular expression, to be matched in any case."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "namespace": (
        "namespace",
        "k8s_namespace_name",
        "kubernetes_namespace_name",
        "kubernetes_namespace",
        "kubernetes.namespace",
        "kubernetes.namespace_name",
        "kubernetes.pod_namespace",
        "k8s.namespace.name",
        "resource.attributes.k8s.namespace.name",
    ),
    "pod": (
        "pod",
        "k8s_pod_name",
        "pod_name",
        "kubernetes_pod_name",
        "kubernetes.pod.name",
        "kubernetes.pod_name",
        "k8s.pod.name",
        "resource.attributes.k8s.pod.name",
        "instance",
    ),
    "container": (
        "container",
        "k8s_container_name",
        "container_name",
        "kubernetes_container_name",
        "kubernetes.container.name",
        "kubernetes.container_name",
        "k8s.container.name",
        "resource.attributes.k8s.container.name",
    ),
    "node": (
        "node_name",
        "node",
        "k8s_node_name",
        "nodename",
        "kubernetes.node.name",
        "kubernetes.host",
        "kubernetes.pod_node_name",
        "k8s.node.name",
    ),
}
"""What shippers (Promtail, Alloy, Fluent Bit, Filebeat, Vector, the OpenTelemetry collector) call a line's origin."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one stream; ``labels`` are the stream's own."""

    labels: Mapping[str, str]
    entries: Sequence[Entry]


def described(labels: Mapping[str, str], path: str, fields: Mapping[str, str] | None = None) -> LogStream:
    """Say where a stream comes from; ``fields`` names the store's fields where they are none of the known ones."""
    chosen = fields or {}

    def label(kind: str) -> str | None:
        names = (chosen[kind],) if kind in chosen else NAMES[kind]
        return next((labels[name] for name in names if labels.get(name)), None)

    return LogStream(
        namespace=label("namespace"),
        pod=label("pod"),
        container=label("container"),
        path=path,
        node=label("node"),
        labels=labels,
    )


def split_lines(at: int, text: str) -> list[TimedLine]:
    """Make lines of an entry: a store may keep a whole stack trace as one."""
    raw = (text if text.isascii() else str(storable(text))).encode()
    if b"\n" not in raw:
        return [(at, raw, 0)]
    return [(at, line, 0) for line in raw.removesuffix(b"\n").split(b"\n")]


def quoted(names: Sequence[str]) -> str:
    """Give names as a regular expression of alternatives; a Kubernetes name holds nothing that means more."""
    return "|".join(name.replace(".", "[.]") for name in names)
