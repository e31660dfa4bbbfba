"""What the state of objects tells of the past: restarts, terminations, expiries, conditions, limits reached.

Objects keep only the last of many things (the last termination, the last transition), so these signals complete
what events and logs tell, and seldom stand alone. Changes and rollouts are told by ``object_changes``, runs of jobs by
``job_runs``.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from bot.domain.items import ItemId, ObjectVersion
from bot.domain.signal import Kind, Signal, Topology
from bot.domain.window import Window
from bot.signals.acts import Act, signals_of
from bot.signals.ceilings import AT_LIMIT
from bot.signals.kubernetes import EXIT_CODES, NODE_CONDITIONS, TERMINATION_REASONS, WAITING_REASONS
from bot.signals.manifest import Part, containers, part, parts, pod_spec, text, time_s, value
from bot.signals.object_changes import change_acts

SOURCE = "kubernetes/objects"
LATE_IMAGE_S = 600.0
"""A rollout is called stuck after as long (``progressDeadlineSeconds``); a large image takes minutes, not ten."""

_CONDITIONS: dict[tuple[str, str, str], tuple[Kind, str]] = {
    # kind, condition type, its bad status
    ("Deployment", "Progressing", "False"): (Kind.ROLLOUT_STUCK, "rollout failed"),
    ("Deployment", "ReplicaFailure", "True"): (Kind.ROLLOUT_STUCK, "pods could not be created"),
    ("Deployment", "Available", "False"): (Kind.UNAVAILABLE, "too few replicas available"),
    ("HorizontalPodAutoscaler", "ScalingActive", "False"): (Kind.AUTOSCALER_FAILURE, "autoscaler could not scale"),
    ("HorizontalPodAutoscaler", "AbleToScale", "False"): (Kind.AUTOSCALER_FAILURE, "autoscaler could not scale"),
    ("HorizontalPodAutoscaler", "ScalingLimited", "True"): (Kind.QUOTA_EXCEEDED, AT_LIMIT),
    ("Certificate", "Ready", "False"): (Kind.RENEWAL_FAILURE, "certificate not ready"),
    ("Job", "Failed", "True"): (Kind.JOB_FAILURE, "job failed"),
    ("Pod", "PodScheduled", "False"): (Kind.SCHEDULING_FAILURE, "no node could take the pod"),
    ("Pod", "DisruptionTarget", "True"): (Kind.EVICTION, "evicted"),
}
_STANDING = frozenset({"ScalingLimited"})
"""Conditions that hold from their transition until somebody looked: what is not written again has not changed."""
_CALM_REASONS = frozenset({"TooFewReplicas", "ScalingDisabled"})
"""An autoscaler at its minimum, or switched off, limits nothing that is needed."""


def object_signals(objects: Iterable[tuple[ItemId, ObjectVersion]], window: Window, topology: Topology) -> list[Signal]:
    """Give the signals that objects' states and versions tell, ordered by their first time."""
    objects = sorted(objects, key=lambda row: (row[1].observed_at or datetime.min.replace(tzinfo=UTC), row[0]))
    states = [act for ref, version in objects for act in _states(ref, version, window, topology)]
    changes = list(change_acts(objects, topology))
    return sorted(
        (*signals_of(states, window, SOURCE), *signals_of(changes, window, SOURCE, fold_s=0.0)),
        key=lambda signal: (signal.occurrences[0].start_s, signal.id),
    )


def _states(ref: ItemId, version: ObjectVersion, window: Window, topology: Topology) -> Iterator[Act]:
    kind = version.entity.kind
    if kind == "Pod":
        yield from _terminations(ref, version, topology)
        yield from _late_images(ref, version, topology)
    elif kind == "Node":
        yield from _node_conditions(ref, version)
    elif kind == "Certificate":
        yield from _expiry(ref, version)
    elif kind == "ResourceQuota":
        yield from _quota(ref, version, window)
    yield from _conditions(ref, version, window, topology)


def _terminations(ref: ItemId, version: ObjectVersion, topology: Topology) -> Iterator[Act]:
    node = text(version.manifest, "spec", "nodeName")
    entity = topology.root(version.entity)
    is_run = entity.kind in {"Job", "CronJob"}
    for status in (
        *parts(version.manifest, "status", "containerStatuses"),
        *parts(version.manifest, "status", "initContainerStatuses"),
    ):
        for field in ("lastState", "state"):
            ended = part(status, field, "terminated")
            at_s = time_s(ended.get("finishedAt"))
            reason, code = text(ended, "reason"), ended.get("exitCode")
            if at_s is None or ((field == "state" or is_run) and code == 0):
                continue  # a job's or an init container's orderly end
            kind = TERMINATION_REASONS.get(reason, Kind.CONTAINER_RESTART)
            meaning = EXIT_CODES.get(code, "") if isinstance(code, int) else ""
            yield Act(
                kind=kind,
                entity=entity,
                label="killed for memory" if kind is Kind.OOM_KILL else "container terminated",
                start_s=at_s,
                end_s=at_s,
                ref=ref,
                note=f"{version.entity.name}/{text(status, 'name')}: {reason or 'terminated'}, exit code {code}"
                + (f" ({meaning})" if meaning else "")
                + f", {value(status, 'restartCount') or 0} restarts",
                what=f"{version.entity.name}|{text(status, 'name')}|{at_s}",
                nodes=frozenset({node} if node else ()),
                attributes=(("reason", reason),) if reason else (),
            )
        yield from _waiting(ref, version, topology, text(status, "name"), part(status, "state", "waiting"))


def _waiting(ref: ItemId, version: ObjectVersion, topology: Topology, container: str, waiting: object) -> Iterator[Act]:
    reason = text(waiting, "reason")
    kind = WAITING_REASONS.get(reason)
    if kind is None or version.observed_at is None:
        return
    at_s = version.observed_at.timestamp()
    yield Act(
        kind=kind,
        entity=topology.root(version.entity),
        label=reason,
        start_s=at_s,
        end_s=at_s,
        ref=ref,
        note=f"{version.entity.name}/{container}: {text(waiting, 'message') or reason}"[:200],
        what=f"{version.entity.name}|{container}",
    )


def _late_images(ref: ItemId, version: ObjectVersion, topology: Topology) -> Iterator[Act]:
    """Give the wait of a container for its image: what is left once its pod was placed and its sandbox stood.

    Volumes are mounted before the sandbox is made (kubelet, ``SyncPod``), of which ``PodReadyToStartContainers`` tells since
    Kubernetes 1.29; a container that was never restarted, takes no variables from a ConfigMap or Secret that might have been
    missing, and started long after it had nothing else to wait for.
    """
    ready_s = next(
        (
            time_s(condition.get("lastTransitionTime"))
            for condition in parts(version.manifest, "status", "conditions")
            if text(condition, "type") == "PodReadyToStartContainers" and text(condition, "status") == "True"
        ),
        None,
    )
    if ready_s is None or parts(version.manifest, "status", "initContainerStatuses"):
        return
    given = {text(one, "name") for one in containers(pod_spec(version)) if _takes_variables(one)}
    for status in parts(version.manifest, "status", "containerStatuses"):
        if text(status, "name") in given:
            continue
        started_s = time_s(part(status, "state", "running").get("startedAt"))
        if started_s is None or value(status, "restartCount") != 0 or started_s - ready_s < LATE_IMAGE_S:
            continue
        yield Act(
            kind=Kind.IMAGE_PULL_FAILURE,
            entity=topology.root(version.entity),
            label="image came late",
            start_s=ready_s,
            end_s=started_s,
            ref=ref,
            note=f"{version.entity.name}/{text(status, 'name')}: its pod was ready for it, and it started "
            f"{(started_s - ready_s) / 60:.0f} min later; image {text(status, 'image')}"[:200],
            what=version.entity.name,
            pod=version.entity.name,
        )


def _takes_variables(container: Part) -> bool:
    """Tell whether a container cannot be made without a ConfigMap or Secret."""
    sources = [part(one, "valueFrom") for one in parts(container, "env")]
    return bool(parts(container, "envFrom")) or any("configMapKeyRef" in s or "secretKeyRef" in s for s in sources)


def _node_conditions(ref: ItemId, version: ObjectVersion) -> Iterator[Act]:
    for condition in parts(version.manifest, "status", "conditions"):
        known = NODE_CONDITIONS.get(text(condition, "type"))
        at_s = time_s(condition.get("lastTransitionTime"))
        if known is None or at_s is None or text(condition, "status") == known[0]:
            continue
        yield Act(
            kind=known[1],
            entity=version.entity,
            label=known[2],
            start_s=at_s,
            end_s=at_s,
            ref=ref,
            note=text(condition, "message")[:200],
            what=version.entity.name,
            nodes=frozenset({version.entity.name}),
        )


def _expiry(ref: ItemId, version: ObjectVersion) -> Iterator[Act]:
    not_after = text(version.manifest, "status", "notAfter")
    at_s = time_s(not_after)
    if at_s is None:
        return
    secret = text(version.manifest, "spec", "secretName")
    yield Act(
        kind=Kind.CERTIFICATE_EXPIRY,
        entity=version.entity,
        label="certificate expired",
        start_s=at_s,
        end_s=at_s,
        ref=ref,
        note=f"notAfter {not_after}" + (f", secret {secret}" if secret else ""),
        what=not_after,
        attributes=(("not_after", not_after),),
    )


def _quota(ref: ItemId, version: ObjectVersion, window: Window) -> Iterator[Act]:
    hard, used = part(version.manifest, "status", "hard"), part(version.manifest, "status", "used")
    full = [key for key in sorted(hard) if key in used and str(hard[key]) == str(used[key]) not in {"0", "0m"}]
    if not full or version.observed_at is None:
        return
    # the export is taken at or after the window's end; what it shows is the state then
    at_s = min(version.observed_at.timestamp(), window.end_s - 1)
    yield Act(
        kind=Kind.QUOTA_EXCEEDED,
        entity=version.entity,
        label="quota used up",
        start_s=at_s,
        end_s=at_s,
        ref=ref,
        note=", ".join(f"{key}: {used[key]} of {hard[key]}" for key in full),
        what=version.entity.name,
    )


def _conditions(ref: ItemId, version: ObjectVersion, window: Window, topology: Topology) -> Iterator[Act]:
    for condition in parts(version.manifest, "status", "conditions"):
        known = _CONDITIONS.get((version.entity.kind, text(condition, "type"), text(condition, "status")))
        at_s, reason = time_s(condition.get("lastTransitionTime")), text(condition, "reason")
        if known is None or at_s is None or reason in _CALM_REASONS:
            continue
        yield Act(
            kind=known[0],
            entity=topology.root(version.entity),
            label=known[1],
            start_s=at_s - (_deadline_s(version) if reason == "ProgressDeadlineExceeded" else 0.0),
            end_s=max(at_s, _looked_at_s(version, window)) if text(condition, "type") in _STANDING else at_s,
            ref=ref,
            note=f"{reason}: {text(condition, 'message')}"[:200],
            what=version.entity.name,
            subject=known[1] if known[0] in {Kind.JOB_FAILURE, Kind.QUOTA_EXCEEDED} else "",
            attributes=(("reason", reason),) if reason else (),
        )


def _looked_at_s(version: ObjectVersion, window: Window) -> float:
    """Give when a version was seen, within the window; an export's objects are seen at or after its end."""
    last = window.end_s - 1
    return min(version.observed_at.timestamp(), last) if version.observed_at else last


def _deadline_s(version: ObjectVersion) -> float:
    """Give how long a rollout had stood still when its Deployment said so (``progressDeadlineSeconds``, 600 by default)."""
    found = value(version.manifest, "spec", "progressDeadlineSeconds")
    return float(found) if isinstance(found, int) and 0 < found < 86_400 else 600.0
