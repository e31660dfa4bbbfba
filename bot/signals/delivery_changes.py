"""Deployments that a delivery tool remembers: Argo CD's Applications, Flux's HelmReleases and Kustomizations, Helm's releases.

Their status keeps a history of what was put where and when, longer than ReplicaSets are kept. Helm itself keeps each revision
of a release in a Secret or a ConfigMap, whose name and labels say which and when; what it holds is not read.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.entity import Entity
from bot.domain.items import ItemId, ObjectVersion
from bot.domain.signal import Kind
from bot.signals.acts import Act
from bot.signals.manifest import Part, part, parts, text, time_s, value

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
    label: str = "deployed"


def delivery_acts(objects: Rows) -> Iterator[Act]:
    """Give what was deployed, each entry of a history once however many versions of its object hold it."""
    seen: set[tuple[Entity, float]] = set()
    released, by_release = _released(objects)
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
                label=deploy.label,
                start_s=deploy.at_s,
                end_s=deploy.at_s,
                ref=ref,
                note=deploy.note,
                what=f"{deploy.at_s}",
                mentions=tuple(sorted(touched, key=str)),
            )
    yield from _helm_acts(objects, by_release)


_STORED = re.compile(r"sh\.helm\.release\.v1\.(?P<name>.{1,253})\.v(?P<number>\d{1,9})")
"""https://helm.sh/docs/topics/advanced/#storage-backends"""


def is_helm_storage(entity: Entity) -> bool:
    """Tell whether an object is one in which Helm keeps a revision of a release, by its name."""
    return entity.kind in {"Secret", "ConfigMap"} and _STORED.fullmatch(entity.name) is not None


def _helm_acts(objects: Rows, by_release: Mapping[tuple[str, str], set[Entity]]) -> Iterator[Act]:
    """Give each revision that Helm stored once; those that Flux makes, its own history tells already."""
    of_flux = {_release_of(version) for _, version in objects if version.entity.kind == "HelmRelease"}
    seen: set[Entity] = set()
    for ref, version in objects:
        stored = _STORED.fullmatch(version.entity.name) if is_helm_storage(version.entity) else None
        at_s = time_s(value(version.manifest, "metadata", "creationTimestamp"))
        release = (stored["name"] if stored else "", version.entity.namespace or "")
        if stored is None or at_s is None or release in of_flux or version.entity in seen:
            continue
        seen.add(version.entity)
        state = text(version.manifest, "metadata", "labels", "status")
        ended = f", {state}" if state not in {"deployed", "superseded", ""} else ""
        yield Act(
            kind=Kind.CONFIG_CHANGE,
            entity=Entity("HelmRelease", *release),
            label="deployed",
            start_s=at_s,
            end_s=at_s,
            ref=ref,
            note=f"Helm revision {stored['number']}{ended}"[:_LONGEST],
            what=f"{at_s}",
            mentions=tuple(sorted(by_release.get(release, ()), key=str)),
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
            yield _Deploy(at_s, _argo_note(entry, _initiator(entry)))
    operation = part(version.manifest, "status", "operationState")
    ended_s = time_s(operation.get("finishedAt"))
    if ended_s is not None and text(operation, "phase") in {"Failed", "Error"}:
        why = " ".join(text(operation, "message").split())
        note = "; ".join(each for each in (_argo_note(part(operation, "syncResult"), ""), why) if each)
        yield _Deploy(ended_s, note[:_LONGEST], label="failed to deploy")


def _argo_note(entry: Part, who: str) -> str:
    """Name what was synced: one source with its revision, or several side by side."""
    revisions = _texts(entry, "revisions") or [text(entry, "revision")]
    sources = parts(entry, "sources") or (part(entry, "source"),)
    told = []
    for number, revision in enumerate(revisions):
        source = sources[number] if number < len(sources) else {}
        told.append(_said(revision, text(source, "chart") or text(source, "path")))
    return ", ".join(each for each in (*told, who) if each)[:_LONGEST]


def _initiator(entry: Part) -> str:
    by = part(entry, "initiatedBy")
    return f"by {text(by, 'username')}" if text(by, "username") else ""


def _texts(entry: Part, name: str) -> list[str]:
    found = entry.get(name)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


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
            state = text(entry, "lastReconciledStatus")
            ended = "" if state in {"", "ReconciliationSucceeded"} else f", {state}"
            yield _Deploy(at_s, _said(text(entry, "metadata", "revision") or text(entry, "digest"), "") + ended)


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


def _released(objects: Rows) -> tuple[dict[Entity, set[Entity]], dict[tuple[str, str], set[Entity]]]:
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
    return found, by_release


def _flux(kind: str, name: str, namespace: str) -> Entity:
    return Entity(kind, name, namespace or None)


def _release_of(version: ObjectVersion) -> tuple[str, str]:
    spec: Part = part(version.manifest, "spec")
    name = text(spec, "releaseName") or version.entity.name
    return name, text(spec, "targetNamespace") or (version.entity.namespace or "")
