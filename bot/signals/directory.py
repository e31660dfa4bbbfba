"""An address book of the cluster: which workload answers to a host, a service name or an address seen in a line.

It knows Service and pod names in all their DNS spellings (``svc``, ``svc.ns``, ``svc.ns.svc.cluster.local``,
``pod-0.svc.ns.svc``), pod, cluster and node addresses, ingress hosts and ExternalName services. Names outside the
cluster become a ``Host``. It asks no resolver: what the export does not hold is not known.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.domain.entity import Entity
from bot.domain.fleet import cluster_of, inside
from bot.domain.items import ClusterEvent, ItemId, LogStream, ObjectVersion
from bot.domain.signal import Topology
from bot.signals.kubernetes import WORKLOAD_KINDS
from bot.signals.manifest import parts, text, value

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_HOST_IN_TEXT = re.compile(
    rf"""(?:
      (?<=://)(?:[^\s/@"'<>]*@)?(?P<url>{_LABEL}(?:\.{_LABEL})*)(?=[:/?\s"',;)\]]|$)  # a URL's authority
    | (?<![\w.@/:-])(?=[\w-]*[a-z.])(?P<port>{_LABEL}(?:\.{_LABEL})*):\d{{2,5}}(?![\w.:])               # name:port
    | (?<![\w.@-])(?P<dotted>(?:{_LABEL}\.)+(?:svc|local|internal|com|net|org|io|dev|cloud|app|co|eu|de|uk|us|ai))(?![\w-])
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_NOT_TOP_LEVEL = frozenset(
    [
        "conf",
        "cfg",
        "go",
        "py",
        "js",
        "ts",
        "jsx",
        "java",
        "class",
        "log",
        "yaml",
        "yml",
        "json",
        "xml",
        "sh",
        "rb",
        "php",
        "html",
        "css",
        "txt",
        "tmp",
        "sock",
        "pid",
        "lock",
        "gz",
        "tar",
        "zip",
        "sql",
        "toml",
        "ini",
        "md",
        "rs",
        "c",
        "h",
        "cpp",
        "cs",
        "jar",
        "so",
        "svc",
    ]
)
"""Last parts of dotted words that are file endings rather than domains."""


def hosts_in(line: str) -> list[str]:
    """Give the hosts and addresses a text names (of URLs, ``name:port`` pairs and dotted names), in order, once each."""
    found = (match["url"] or match["port"] or match["dotted"] for match in _HOST_IN_TEXT.finditer(line))
    return list(dict.fromkeys(found))


@dataclass(slots=True, kw_only=True)
class Directory:
    """Names and addresses of one case; ``resolve`` is a cached look-up."""

    addresses: dict[str, Entity] = field(default_factory=dict)
    """Pod, cluster, load balancer and node addresses"""
    services: dict[tuple[str, str], Entity] = field(default_factory=dict)
    """(namespace, service name) → the workload behind it, a Host, or the Service itself"""
    workloads: dict[tuple[str, str], Entity] = field(default_factory=dict)
    """(namespace, name) of workloads and pods → workload"""
    hosts: dict[str, Entity] = field(default_factory=dict)
    """Ingress hosts → the workload behind them"""
    namespaces: frozenset[str] = frozenset()
    _cache: dict[tuple[str, str | None], Entity | None] = field(default_factory=dict)

    def resolve(self, host: str, namespace: str | None = None) -> Entity | None:
        """Find whom a host, URL, ``host:port`` or address means to a caller in ``namespace``; None where unknown."""
        key = (host, namespace)
        if key not in self._cache:
            if len(self._cache) > 100_000:
                self._cache.clear()
            self._cache[key] = self._look_up(_bare_host(host), namespace)
        return self._cache[key]

    def _look_up(self, host: str, namespace: str | None) -> Entity | None:
        if not host or host in {"localhost", "kubernetes", "kubernetes.default"}:
            return None
        near = self.addresses.get(_key(host, namespace))
        if (found := near or self.addresses.get(host) or self.hosts.get(host)) is not None:
            return found
        if (address := _address(host)) is not None:
            return Entity("Host", host) if address.is_global else None
        if _HOSTNAME.fullmatch(host) is None:
            return None
        return self._named(host.removesuffix("."), namespace)

    def _named(self, host: str, namespace: str | None) -> Entity | None:
        labels = host.split(".")
        if "svc" in labels[2:]:
            at = labels.index("svc", 2)
            space = _key(labels[at - 1], namespace)
            return self._in(space, labels[at - 2]) or Entity("Service", labels[at - 2], space)
        if labels[-1] == "pod" or (len(labels) > 2 and labels[2] == "pod"):
            return self.addresses.get(_key(labels[0].replace("-", "."), namespace))
        if len(labels) == 1:
            return self._short(host, namespace)
        if (space := _key(labels[-1], namespace)) in self.namespaces and (found := self._in(space, labels[-2])):
            return found
        if len(labels[-1]) < 2 or labels[-1] in _NOT_TOP_LEVEL or not labels[-1].isalpha():
            return None
        return Entity("Host", host)

    def _in(self, namespace: str, name: str) -> Entity | None:
        return self.services.get((namespace, name)) or self.workloads.get((namespace, name))

    def _short(self, name: str, namespace: str | None) -> Entity | None:
        if namespace is not None and (found := self._in(namespace, name)) is not None:
            return found
        elsewhere = {found for space in self.namespaces if (found := self._in(space, name)) is not None}
        return next(iter(elsewhere)) if len(elsewhere) == 1 else self._joined(name)

    def _joined(self, name: str) -> Entity | None:
        """Read ``namespace-service-port``, in which proxies join what may itself hold hyphens."""
        words = name.split("-")
        found = {
            entity
            for first in range(1, len(words) - 1)
            if (space := "-".join(words[:first])) in self.namespaces
            for last in range(first + 1, len(words))
            if (entity := self._in(space, "-".join(words[first:last]))) is not None and len(words) - last <= 2
        }
        return next(iter(found)) if len(found) == 1 else None


def _key(name: str, namespace: str | None) -> str:
    """Name an address or namespace as the caller's cluster knows it, where the case holds several."""
    cluster = cluster_of(namespace)
    return inside(cluster, name) if cluster else name


def _bare_host(text_: str) -> str:
    host = text_.strip().strip("\"'`,;()<>").lower()
    host = host.partition("://")[2] or host
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def read_directory(
    objects: Iterable[tuple[ItemId, ObjectVersion]],
    events: Iterable[tuple[ItemId, ClusterEvent]],
    streams: Sequence[LogStream],
    topology: Topology,
) -> Directory:
    """Build the address book from everything that has a name or an address."""
    book = Directory()
    entities: set[Entity] = set(topology.owner) | set(topology.owner.values())
    entities |= {event.entity for _, event in events}
    entities |= {Entity("Pod", stream.pod, stream.namespace) for stream in streams if stream.pod}
    for _, version in objects:
        entities.add(version.entity)
        _ADD.get(version.entity.kind, _add_nothing)(book, version, topology)
    for entity in sorted(entities, key=str):
        if entity.namespace and (entity.kind in WORKLOAD_KINDS or entity.kind in {"Pod", "Job"}):
            book.workloads.setdefault((entity.namespace, entity.name), topology.root(entity))
    book.namespaces = frozenset({space for space, _ in (*book.services, *book.workloads)})
    return book


def _behind(entity: Entity, topology: Topology) -> Entity:
    backends = topology.backends.get(entity)
    return min(backends) if backends else entity


def _add_nothing(_book: Directory, _version: ObjectVersion, _topology: Topology) -> None:
    """Leave out kinds that no line can address."""


def _add_service(book: Directory, version: ObjectVersion, topology: Topology) -> None:
    entity, spec = version.entity, value(version.manifest, "spec")
    external = text(spec, "externalName")
    target = Entity("Host", external.lower()) if external else _behind(entity, topology)
    book.services[entity.namespace or "default", entity.name] = target
    addresses = [text(spec, "clusterIP"), *_strings(spec, "clusterIPs"), *_strings(spec, "externalIPs")]
    addresses += [text(entry, "ip") for entry in parts(version.manifest, "status", "loadBalancer", "ingress")]
    for address in addresses:
        if _address(address) is not None:
            book.addresses.setdefault(_key(address, entity.namespace), target)


def _add_pod(book: Directory, version: ObjectVersion, topology: Topology) -> None:
    if value(version.manifest, "spec", "hostNetwork") is True:
        return  # its address is the node's, shared by everything there
    addresses = [text(version.manifest, "status", "podIP")]
    addresses += [text(entry, "ip") for entry in parts(version.manifest, "status", "podIPs")]
    for address in filter(None, addresses):
        book.addresses[_key(address, version.entity.namespace)] = topology.root(version.entity)


def _add_node(book: Directory, version: ObjectVersion, _topology: Topology) -> None:
    for entry in parts(version.manifest, "status", "addresses"):
        book.addresses.setdefault(_key(text(entry, "address").lower(), version.entity.name), version.entity)


def _add_ingress(book: Directory, version: ObjectVersion, topology: Topology) -> None:
    names = [text(rule, "host") for rule in parts(version.manifest, "spec", "rules")]
    for name in (*names, *_strings(version.manifest, "spec", "hostnames")):
        if name and not name.startswith("*"):
            book.hosts.setdefault(name.lower(), _behind(version.entity, topology))


def _strings(document: object, *path: str) -> list[str]:
    found = value(document, *path)
    return [item for item in found if isinstance(item, str)] if isinstance(found, (list, tuple)) else []


_ADD = {
    "Service": _add_service,
    "Pod": _add_pod,
    "Node": _add_node,
    "Ingress": _add_ingress,
    "HTTPRoute": _add_ingress,
}
