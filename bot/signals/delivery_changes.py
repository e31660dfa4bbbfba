"""Deployments that a delivery tool remembers: Argo CD's Applications, Flux's HelmReleases and Kustomizations.

Their status keeps a history of what was put where and when, longer than ReplicaSets are kept. What Helm itself knows of a
release lies in a Secret, which is not read; the labels it writes on objects are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.domain.entity import Entity
from bot.domain.items import ItemId, ObjectVersion
from bot.domain.signal import Kind
from bot.signals.acts import Act
from bot.signals.manifest import Part, part, parts, text, time_s

Rows = Sequence[tuple[ItemId, ObjectVersion]]

CHART = "helm.sh/chart"
CAUSE = "kubernetes.io/change-cause"
_WORKLOADS = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "ConfigMap", "HorizontalPodAutoscaler"}
)
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class _Deploy:
    """One entry of a history."""

    at_s: float
    note: str


def delivery_acts(objects: Rows) -> Iterator[Act]:
    """Give what was deployed, each entry of a history once however many versions of its object hold it."""
    seen: set[tuple[Entity, float]] = set()
    released = _released(objects)
    for ref, version in objects:
        read = _HISTORIES.get((_group(version), version.entity.kind))
        if read is None:
            continue
        touched = {*_resources(version), *released.get(version.entity, ())}
        for deploy in read(version):
            if (version.entity, deploy.at_s) in seen:
                continue
            seen.add((version.entity, deploy.at_s))
            yield Act(
                kind=Kind.CONFIG_CHANGE,
                entity=version.entity,
                label="deployed",
                start_s=deploy.at_s,
                end_s=deploy.at_s,
                ref=ref,
                note=deploy.note,
                what=f"{deploy.at_s}",
                mentions=tuple(sorted(touched, key=str)),
            )


def written_cause(old: ObjectVersion, new: ObjectVersion) -> str:
    """Say what a tool or a person wrote about a rollout: the chart's version, and the cause that ``kubectl annotate`` keeps."""
    notes = []
    before, after = _chart(old), _chart(new)
    if after and before != after:
        notes.append(f"chart {before} → {after}" if before else f"chart {after}")
    cause = text(new.manifest, "metadata", "annotations", CAUSE)
    if cause and cause != text(old.manifest, "metadata", "annotations", CAUSE):
        notes.append(f"cause given: {' '.join(cause.split())[:_LONGEST]}")
    return "; ".join(notes)


def _chart(version: ObjectVersion) -> str:
    own = text(version.manifest, "metadata", "labels", CHART)
    return own or text(version.manifest, "spec", "template", "metadata", "labels", CHART)


def _group(version: ObjectVersion) -> str:
    return text(version.manifest, "apiVersion").partition("/")[0]


def _argo_history(version: ObjectVersion) -> Iterator[_Deploy]:
    for entry in parts(version.manifest, "status", "history"):
        at_s = time_s(entry.get("deployedAt"))
        if at_s is not None:
            source = part(entry, "source")
            where = text(source, "chart") or text(source, "path")
            yield _Deploy(at_s, _said(text(entry, "revision"), where))


def _helm_history(version: ObjectVersion) -> Iterator[_Deploy]:
    for entry in parts(version.manifest, "status", "history"):
        at_s = time_s(entry.get("lastDeployed"))
        if at_s is not None:
            app = text(entry, "appVersion")
            chart = f"{text(entry, 'chartName')} {text(entry, 'chartVersion')}".strip()
            state = text(entry, "status")
            ended = f", {state}" if state not in {"deployed", "superseded", ""} else ""
            yield _Deploy(at_s, f"chart {chart}{f' (app {app})' if app else ''}{ended}"[:_LONGEST])


def _kustomize_history(version: ObjectVersion) -> Iterator[_Deploy]:
    for entry in parts(version.manifest, "status", "history"):
        at_s = time_s(entry.get("firstReconciled"))
        if at_s is not None:
            yield _Deploy(at_s, _said(text(entry, "metadata", "revision") or text(entry, "digest"), ""))


def _said(revision: str, where: str) -> str:
    """Shorten a commit as people do; ``main@sha1:…`` keeps its branch."""
    branch, _, commit = revision.rpartition("@")
    short = commit.removeprefix("sha1:").removeprefix("sha256:")
    short = short[:8] if len(short) >= 40 else short
    told = f"{branch}@{short}" if branch else short
    return " ".join(each for each in (f"revision {told}" if told else "", f"of {where}" if where else "") if each)[
        :_LONGEST
    ]


_HISTORIES: dict[tuple[str, str], Callable[[ObjectVersion], Iterator[_Deploy]]] = {
    ("argoproj.io", "Application"): _argo_history,
    ("helm.toolkit.fluxcd.io", "HelmRelease"): _helm_history,
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): _kustomize_history,
}


def _resources(version: ObjectVersion) -> Iterator[Entity]:
    """List what an object says that it manages."""
    for resource in parts(version.manifest, "status", "resources"):
        if text(resource, "kind") in _WORKLOADS and (name := text(resource, "name")):
            yield Entity(text(resource, "kind"), name, text(resource, "namespace") or None)
    for entry in parts(version.manifest, "status", "inventory", "entries"):
        namespace, _, rest = text(entry, "id").partition("_")
        name, _, kind = rest.partition("_")
        kind = kind.rpartition("_")[2]
        if kind in _WORKLOADS and name:
            yield Entity(kind, name, namespace or None)


def _released(objects: Rows) -> dict[Entity, set[Entity]]:
    """Find the workloads of a HelmRelease by the labels that Flux writes on them, or by the release that Helm names."""
    found: defaultdict[Entity, set[Entity]] = defaultdict(set)
    by_release: defaultdict[tuple[str, str], set[Entity]] = defaultdict(set)
    for _, version in objects:
        if version.entity.kind not in _WORKLOADS:
            continue
        labels, notes = (part(version.manifest, "metadata", each) for each in ("labels", "annotations"))
        if name := text(labels, "helm.toolkit.fluxcd.io/name"):
            found[_flux("HelmRelease", name, text(labels, "helm.toolkit.fluxcd.io/namespace"))].add(version.entity)
        if release := text(notes, "meta.helm.sh/release-name"):
            by_release[release, text(notes, "meta.helm.sh/release-namespace")].add(version.entity)
    for _, version in objects:
        if version.entity.kind == "HelmRelease":
            found[version.entity] |= by_release[_release_of(version)]
    return found


def _flux(kind: str, name: str, namespace: str) -> Entity:
    return Entity(kind, name, namespace or None)


def _release_of(version: ObjectVersion) -> tuple[str, str]:
    spec: Part = part(version.manifest, "spec")
    name = text(spec, "releaseName") or version.entity.name
    return name, text(spec, "targetNamespace") or (version.entity.namespace or "")
