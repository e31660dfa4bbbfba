"""Who is set up to call whom, read from what workloads are configured with: environment, arguments, ConfigMaps.

Only addresses written down are seen; what a service mesh or a discovery service knows, logs must tell. Secrets are
never opened.
"""

import re
from collections.abc import Iterator, Sequence

from bot.domain.entity import CLUSTER_KINDS, Entity
from bot.domain.items import ItemId, ObjectVersion
from bot.domain.signal import Topology
from bot.signals.directory import Directory, hosts_in
from bot.signals.manifest import Part, containers, part, parts, pod_spec, text, value

_HOST_KEY = re.compile(
    r"(?:^|[_.-])(?:hosts?|hostname|urls?|uri|addrs?|address|endpoints?|servers?|brokers?|upstreams?|dsn|backends?|targets?)"
    r"(?:$|[_.-])",
    re.IGNORECASE,
)
_HOST_LINE = re.compile(
    r"""["']?[\w.-]*(?:host|hostname|server|upstream|endpoint|address)["']?\s*[:=]\s*["']?(?P<host>[a-z0-9][a-z0-9.-]*)["']?\s*$""",
    re.IGNORECASE | re.MULTILINE,
)
_PROXY_PASS = re.compile(r"\b(?:server|proxy_pass|fastcgi_pass)\s+(?:https?://)?(?P<host>[a-z0-9][a-z0-9.-]*)[\s:;/]")
_INGRESS_CONTROLLER = re.compile(
    r"(?:^|/)(?:ingress-nginx/controller|nginx-ingress-controller|nginx-ingress|traefik|haproxy-ingress|kubernetes-ingress|"
    r"kong|contour|ambassador|emissary|nginx-gateway|gateway-api|apisix-ingress-controller)\b"
)
_CLUSTER_DOMAIN = (".svc", ".local", ".internal")


def configured_calls(
    objects: Sequence[tuple[ItemId, ObjectVersion]], topology: Topology, directory: Directory
) -> Iterator[tuple[Entity, Entity]]:
    """Give every (caller, callee) that a configuration names, ingresses and their controllers included."""
    maps = {
        (version.entity.namespace, version.entity.name): part(version.manifest, "data")
        for _, version in objects
        if version.entity.kind == "ConfigMap"
    }
    controllers: set[Entity] = set()
    for _, version in objects:
        spec = pod_spec(version)
        if not spec:
            continue
        caller = topology.root(version.entity)
        if any(_INGRESS_CONTROLLER.search(text(container, "image")) for container in containers(spec)):
            controllers.add(caller)
        for host in _hosts(spec, maps, caller.namespace):
            callee = directory.resolve(host, caller.namespace)
            if callee is not None and callee != caller and _is_callee(callee):
                yield caller, callee
    for entrance, workloads in topology.backends.items():
        if entrance.kind == "Service":
            continue
        for workload in workloads:
            yield entrance, workload
            yield from ((controller, workload) for controller in controllers if controller != workload)


def _is_callee(entity: Entity) -> bool:
    if entity.kind == "Host":
        return not entity.name.endswith(_CLUSTER_DOMAIN)
    return entity.kind not in CLUSTER_KINDS


def _hosts(spec: Part, maps: dict[tuple[str | None, str], Part], namespace: str | None) -> Iterator[str]:
    for container in containers(spec):
        for key, setting in _settings(container, maps, namespace):
            yield from _hosts_of_setting(key, setting)
        for argument in (*_strings(container, "args"), *_strings(container, "command")):
            flag, _, rest = argument.partition("=")
            yield from _hosts_of_setting(flag, rest or argument)
    for volume in parts(spec, "volumes"):
        for key, setting in maps.get((namespace, text(volume, "configMap", "name")), {}).items():
            yield from _hosts_of_file(key, setting)


def _settings(
    container: Part, maps: dict[tuple[str | None, str], Part], namespace: str | None
) -> Iterator[tuple[str, str]]:
    for variable in parts(container, "env"):
        key = text(variable, "name")
        source = part(variable, "valueFrom", "configMapKeyRef")
        named = maps.get((namespace, text(source, "name")), {})
        yield key, text(variable, "value") or text(named, text(source, "key"))
    for source in parts(container, "envFrom"):
        named = maps.get((namespace, text(source, "configMapRef", "name")), {})
        yield from ((key, setting) for key, setting in named.items() if isinstance(setting, str))


def _hosts_of_setting(key: str, setting: str) -> Iterator[str]:
    yield from hosts_in(setting)
    if _HOST_KEY.search(key.lstrip("-")):
        yield from (word.strip() for word in setting.split(",") if word.strip())


def _hosts_of_file(key: str, setting: object) -> Iterator[str]:
    if not isinstance(setting, str):
        return
    if "\n" not in setting:
        yield from _hosts_of_setting(key, setting)
        return
    yield from hosts_in(setting)
    for pattern in (_HOST_LINE, _PROXY_PASS):
        yield from (found["host"] for found in pattern.finditer(setting))


def _strings(document: Part, key: str) -> list[str]:
    found = value(document, key)
    return [item for item in found if isinstance(item, str)] if isinstance(found, (list, tuple)) else []
