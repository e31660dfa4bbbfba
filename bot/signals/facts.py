"""Settings worth citing: those that decide whether a failure spreads, with the very bytes that say so.

A fact is only given where its quote stands verbatim in what was read; a default that nobody wrote down cannot be
quoted and is left out (the API server writes most defaults into the objects it prints). Secrets are never opened.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.domain.entity import Entity
from bot.domain.items import ItemId, ObjectVersion
from bot.domain.quantities import number_of
from bot.domain.signal import SpecFact, Topology
from bot.signals.kubernetes import WORKLOAD_KINDS
from bot.signals.manifest import Part, containers, owner_of, part, pod_spec, text, value
from bot.signals.topology import read_topology

Found = tuple[str, object, tuple[str, ...]]
"""Name, value, and the keys on the way to it (the last one is quoted)"""

_POD_FIELDS = ("terminationGracePeriodSeconds", "activeDeadlineSeconds", "priorityClassName")
_PROBE_FIELDS = ("timeoutSeconds", "periodSeconds", "failureThreshold", "initialDelaySeconds")
_FIELDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "CronJob": (
        ("spec", "schedule"),
        ("spec", "timeZone"),
        ("spec", "concurrencyPolicy"),
        ("spec", "startingDeadlineSeconds"),
        ("spec", "suspend"),
        ("spec", "jobTemplate", "spec", "backoffLimit"),
        ("spec", "jobTemplate", "spec", "activeDeadlineSeconds"),
        ("spec", "jobTemplate", "spec", "parallelism"),
    ),
    "Job": (("spec", "backoffLimit"), ("spec", "activeDeadlineSeconds"), ("spec", "parallelism")),
    "HorizontalPodAutoscaler": (
        ("spec", "minReplicas"),
        ("spec", "maxReplicas"),
        ("spec", "targetCPUUtilizationPercentage"),
        ("spec", "behavior", "scaleDown", "stabilizationWindowSeconds"),
        ("spec", "behavior", "scaleUp", "stabilizationWindowSeconds"),
    ),
    "PodDisruptionBudget": (("spec", "minAvailable"), ("spec", "maxUnavailable")),
    "Deployment": (
        ("spec", "replicas"),
        ("spec", "strategy", "type"),
        ("spec", "strategy", "rollingUpdate", "maxUnavailable"),
        ("spec", "strategy", "rollingUpdate", "maxSurge"),
        ("spec", "progressDeadlineSeconds"),
        ("spec", "minReadySeconds"),
    ),
    "StatefulSet": (("spec", "replicas"), ("spec", "podManagementPolicy"), ("spec", "updateStrategy", "type")),
    "DaemonSet": (("spec", "updateStrategy", "type"),),
    "Certificate": (("status", "notAfter"), ("spec", "renewBefore"), ("spec", "duration"), ("status", "renewalTime")),
    "Service": (("spec", "sessionAffinity"), ("spec", "externalTrafficPolicy")),
}
_TIMEOUT_ANNOTATION = re.compile(
    r"(?:timeout|rate-?limit|limit-(?:rps|rpm|connections)|proxy-(?:next-upstream|body-size|buffer)|retries|max-conn|keepalive|upstream)"
)
_TELLING_SETTING = re.compile(
    r"TIMEOUT|DEADLINE|POOL_?SIZE|MAX_?(?:CONN|POOL|IDLE|THREADS|WORKERS|RETR|INFLIGHT|QUEUE)|POOL_?(?:MAX|MIN)|RETR(?:Y|IES)|BACKOFF|"
    r"QUEUE|BUFFER|CONCURREN|WORKERS|THREADS|RATE_?LIMIT|KEEP_?ALIVE|GRACE|DRAIN|_TTL|BATCH|HEAP|XMX|JAVA_OPTS|JAVA_TOOL_OPTIONS|GOMEMLIMIT|"
    r"_URL$|_URI$|_HOST$|_ADDR$|ENDPOINT",
    re.IGNORECASE,
)
_SECRETIVE = re.compile(r"PASS|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|://[^/\s:@]+:[^@\s]+@", re.IGNORECASE)
_MAX_PER_OBJECT = 60


def spec_facts(objects: Iterable[tuple[ItemId, ObjectVersion]], topology: Topology | None = None) -> list[SpecFact]:
    """Give the citable settings of all objects, one per entity, name and value, ordered by entity and name.

    Pods that a workload owns are left out where the workload itself was read, since they only repeat it.
    """
    objects = list(objects)
    topology = topology or read_topology(objects, (), ())
    read = {version.entity for _, version in objects}
    facts: dict[tuple[Entity, str, str], SpecFact] = {}
    for ref, version in objects:
        entity = version.entity
        if entity.kind in {"Pod", "ReplicaSet", "Job"}:
            entity = topology.root(entity)
        if entity != version.entity and entity in read:
            continue
        if entity == version.entity and _repeats(version, read):
            continue
        document = version.raw.decode("utf-8", "replace")
        for name, setting, path in _limited(version):
            quote = _quote(document, path, setting)
            shown = _shown(setting)
            if quote is not None:
                fact = SpecFact(
                    entity=entity, name=name, value=shown, number=number_of(shown, name), quote=quote, ref=ref
                )
                facts.setdefault((entity, name, shown), fact)
    return [facts[key] for key in sorted(facts)]


def _repeats(version: ObjectVersion, read: set[Entity]) -> bool:
    owner = owner_of(version)
    return owner is not None and owner in read and version.entity.kind not in WORKLOAD_KINDS


def _limited(version: ObjectVersion) -> Sequence[Found]:
    return list(_settings(version))[:_MAX_PER_OBJECT]


def _settings(version: ObjectVersion) -> Iterator[Found]:
    kind, manifest = version.entity.kind, version.manifest
    for path in _FIELDS.get(kind, ()):
        yield from _named(".".join(path[1:]), value(manifest, *path), path)
    spec = pod_spec(version)
    for key in _POD_FIELDS:
        yield from _named(key, value(spec, key), (key,))
    for container in containers(spec):
        yield from _container_settings(container)
    yield from _keyed_settings(kind, manifest)


def _keyed_settings(kind: str, manifest: Part) -> Iterator[Found]:
    if kind in {"Ingress", "Service"}:
        for key, setting in sorted(part(manifest, "metadata", "annotations").items()):
            if _TIMEOUT_ANNOTATION.search(key) and isinstance(setting, str):
                yield from _named(key.rpartition("/")[2], setting, (key,))
    elif kind == "ResourceQuota":
        for key, setting in sorted(part(manifest, "spec", "hard").items()):
            yield from _named(f"hard.{key}", setting, ("hard", key))
    elif kind == "ConfigMap":
        for key, setting in sorted(part(manifest, "data").items()):
            if _is_telling(key, setting):
                yield from _named(key, setting, (key,))
    elif kind == "HorizontalPodAutoscaler":
        yield from _targets(manifest)


def _targets(manifest: Part) -> Iterator[Found]:
    metrics = value(manifest, "spec", "metrics")
    for metric in metrics if isinstance(metrics, list) else []:
        for source in ("resource", "containerResource", "pods", "object", "external"):
            named = text(metric, source, "name") or text(metric, source, "metric", "name")
            for key in ("averageUtilization", "averageValue", "value"):
                yield from _named(f"target.{named}.{key}", value(metric, source, "target", key), ("target", key))


def _container_settings(container: Part) -> Iterator[Found]:
    name = text(container, "name")
    for group in ("limits", "requests"):
        for key, setting in sorted(part(container, "resources", group).items()):
            yield from _named(f"{name}.{group}.{key}", setting, ("resources", group, key))
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        for key in _PROBE_FIELDS:
            yield from _named(f"{name}.{probe}.{key}", value(container, probe, key), (probe, key))
    hook = part(container, "lifecycle", "preStop")
    seconds = value(hook, "sleep", "seconds")
    if seconds is not None:
        yield f"{name}.preStop.sleep.seconds", seconds, ("sleep", "seconds")
    command = value(hook, "exec", "command")
    if isinstance(command, list) and command and isinstance(command[-1], str):
        yield f"{name}.preStop", command[-1], ()
    variables = value(container, "env")
    for variable in variables if isinstance(variables, list) else []:
        key, setting = text(variable, "name"), value(variable, "value")
        if _is_telling(key, setting):
            yield key, setting, ("name", "value")


def _is_telling(key: str, setting: object) -> bool:
    return (
        isinstance(setting, str)
        and 0 < len(setting) <= 200
        and "\n" not in setting
        and _TELLING_SETTING.search(key) is not None
        and _SECRETIVE.search(f"{key}={setting}") is None
    )


def _named(name: str, setting: object, path: tuple[str, ...]) -> Iterator[Found]:
    if isinstance(setting, (str, int, float)) and setting != "":
        yield name, setting, path


def _shown(setting: object) -> str:
    return str(setting).lower() if isinstance(setting, bool) else str(setting)


def _quote(document: str, path: tuple[str, ...], setting: object) -> str | None:
    """Find the fragment that states the setting: behind the keys that lead to it, in JSON or YAML spelling."""
    literal = re.escape(_shown(setting))
    if not path:
        found = re.search(rf"\"{literal}\"|{literal}", document)
        return found.group(0) if found else None
    pattern = _stated(path[-1], literal)
    start = 0
    for key in path[:-1]:
        parent = re.search(rf"(?<![\w\\])[\"']?{re.escape(key)}[\"']?\s*:", document[start:])
        start += parent.end() if parent else 0
    found = pattern.search(document, start) or pattern.search(document)
    return found.group(0) if found else None


def _stated(key: str, literal: str) -> re.Pattern[str]:
    return re.compile(
        rf"\"{re.escape(key)}\"\s*:\s*(?:\"{literal}\"|{literal}(?![\w.]))"
        rf"|(?<![\w\\\"']){re.escape(key)}:[ \t]+(?:\"{literal}\"|'{literal}'|{literal}(?=[ \t]*(?:\r?\n|$)))"
    )
