"""Kubernetes Events to signals: what happened, to which workload, when, and how often.

Meanings come from the tables in ``kubernetes``; scalings and rollouts are told by ``scalings``; job runs are not told
here but in ``job_runs``, where events and objects meet. A Warning that no table knows still becomes an alert.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId
from bot.domain.signal import Kind, Signal, Topology
from bot.domain.window import Window
from bot.signals.acts import FOLD_S, Act, signals_of
from bot.signals.evictions import disk_hogs
from bot.signals.kubernetes import NODE_PROBLEM, ROUTE_SYNCED, Meaning, deleted_pod, meaning
from bot.signals.refusals import PAST_ITS_END, REFUSING, of_webhook, webhook_at_fault
from bot.signals.replaced import replaced_acts
from bot.signals.scalings import scaling_acts, seen_at_s

SOURCE = "kubernetes/events"

DENSE_S = 300.0
"""Kubernetes backs off repeated failures to at most five minutes; a folded event that repeats more seldom than that on
average happened at times nobody wrote down, of which only the first and the last are known."""

BACK_OFF_S = 1060.0
"""Controllers back off to at most 1000 s (client-go's default rate limiter), and then wait their turn: in between, what failed
still stands."""
_RETRIED = frozenset(
    {
        Kind.QUOTA_EXCEEDED,
        Kind.IMAGE_PULL_FAILURE,
        Kind.EXTERNAL_FAILURE,
        Kind.MOUNT_FAILURE,
        Kind.SCHEDULING_FAILURE,
        Kind.DRAIN_BLOCKED,
        Kind.ROLLOUT_STUCK,
        Kind.CRASH_LOOP,
        Kind.AUTOSCALER_FAILURE,
    }
)
"""States that are told again each time somebody tries, less and less often."""
UNSEEN_S = 40.0
"""How long a node is silent before the node controller calls it not ready (node-monitor-grace-period)."""

_COMBINED = "(combined from similar events): "
_PROBE = re.compile(r"(?P<probe>Liveness|Readiness|Startup) probe", re.IGNORECASE)
_LIMIT = re.compile(
    r"exceeded quota: (?P<quota>[a-z0-9.-]+)|"
    r'(?i:pdb|disruption ?budget)s?[ =\["]+(?:[a-z0-9.-]+/)?(?P<budget>[a-z0-9.]+-[a-z0-9.-]+)'
)
"""How admission and the Eviction API name the object that refuses."""
_REFUSED_POD = re.compile(r'pod "?(?P<namespace>[a-z0-9-]+)/(?P<pod>[a-z0-9.-]+)"?')
_LIFECYCLE = frozenset(
    {Kind.POD_KILL, Kind.POD_START, Kind.EVICTION, Kind.OOM_KILL, Kind.NODE_FAILURE, Kind.SCHEDULING_FAILURE}
)
"""Kinds that count pods, not messages."""
_ISSUANCE = frozenset({"Certificate", "CertificateRequest", "Order", "Challenge"})
"""cert-manager's kinds: a warning on any of them means that a certificate was not issued."""
_PULLED = re.compile(
    r"pull(?:ing)?(?: and unpack)? image \\?\"?(?P<registry>[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::\d+)?/", re.IGNORECASE
)
_UNSERVED = re.compile(
    r"\b50[0234]\b|timeout|timed out|deadline exceeded|connection (?:refused|reset)|no such host|unexpected EOF|"
    r"toomanyrequests|too many requests|\b429\b|server misbehaving|network is unreachable|service unavailable",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"not found|manifest unknown|unauthorized|authentication required|\b40[134]\b|denied", re.IGNORECASE
)
"""containerd's and Docker's words: the registry answered, and the image or the right to it is what is missing."""
_ABSENT = re.compile(r"(?:configmap|secret)s? \\?\"[a-z0-9.-]+\\?\" not found", re.IGNORECASE)
_NAMED = re.compile(
    r"(?P<kind>ConfigMap|Secret|Service|Deployment|StatefulSet|Ingress|PersistentVolumeClaim)s?[ /]+"
    r"[\"']?(?:(?P<space>[a-z0-9-]+)/)?(?P<name>[a-z0-9][a-z0-9.-]*)"
)
"""How delivery tools name the objects they touch."""
_SERVICE = re.compile(r"\b(?P<name>[a-z0-9-]{1,63})\.(?P<space>[a-z0-9-]{1,63})\.svc\b")
_RESIZED = re.compile(r"VPA\b|\bvpa\b")
"""How the updater of vertical pod autoscalers signs its evictions."""
MISSING = "object is missing"
STANDING_REFUSING = "0.7"
"""How well an admission webhook that answers nobody can begin a chain: as well as a quota that is used up."""
STANDING_MEANT = "0.85"
"""How well an absence, or an eviction by a policy, can begin a chain: people and their tools make and delete such objects."""
_MAX_NOTE = 200
AT_ONCE_S = 30.0
MOST_AT_ONCE = 2
"""Routes that one change may touch; of more, synced at once, their controller began."""


def event_signals(events: Iterable[tuple[ItemId, ClusterEvent]], window: Window, topology: Topology) -> list[Signal]:
    """Give one signal for each kind of thing that events tell of an entity, ordered by its first time."""
    events = sorted(events, key=lambda pair: (pair[1].at, pair[0]))
    acts = _of_their_node([act for ref, event in events for act in _acts(ref, event, topology)])
    acts = _without_starts(_one_outage(acts, events))
    acts.extend(disk_hogs(events, topology))
    acts_of_pods = list(replaced_acts(events, topology))
    acts.extend(act for act in acts_of_pods if act.kind is Kind.POD_SHORTFALL)
    scalings = [*scaling_acts(events, topology), *(act for act in acts_of_pods if act.kind is not Kind.POD_SHORTFALL)]
    rollouts = [act for act in scalings if act.kind is Kind.ROLLOUT]
    # two rollouts, or a scaling and the next, are never one act, however close
    rest = [act for act in scalings if act.kind is not Kind.ROLLOUT]
    lasting = [act for act in acts if _goes_on(act)]
    acts = [act for act in acts if not _goes_on(act)]
    return sorted(
        (
            *signals_of(acts, window, SOURCE),
            *signals_of(lasting, window, SOURCE, fold_s=BACK_OFF_S),
            *signals_of(rollouts, window, SOURCE, fold_s=0.0),
            *signals_of(rest, window, SOURCE, fold_s=0.0),
        ),
        key=lambda signal: (signal.occurrences[0].start_s, signal.id),
    )


def _goes_on(act: Act) -> bool:
    """Tell whether what an act tells of still stands until it is told again: refusals, and what ails a node."""
    return act.kind in _RETRIED or act.label in (NODE_PROBLEM, REFUSING, PAST_ITS_END)


def _acts(ref: ItemId, event: ClusterEvent, topology: Topology) -> Iterator[Act]:
    message = event.message.removeprefix(_COMBINED)
    found, pod = _meaning(event, message), event.entity.name
    if found is None:
        return
    deleted = deleted_pod(message)
    if deleted is not None and event.entity.kind != "Pod":
        pod = deleted
    entity = topology.root(event.entity)
    mentions = (*_mentions(event, message, entity, topology), *_evictor(found, event, topology))
    subject = _subject(found, event, message)
    early_s = UNSEEN_S if event.reason == "NodeNotReady" else 0.0
    told = [("reason", event.reason)]
    if (resizer := _resizer(found, event, entity, topology)) is not None:
        entity, mentions = resizer, (entity, *mentions)
        told.append(("standing", STANDING_MEANT))
    found, entity, mentions = _whose(found, event, message, entity, mentions, topology)
    registry = _registry_at_fault(message) if found.kind is Kind.IMAGE_PULL_FAILURE else None
    told.extend([("blames", str(registry))] if registry else [])
    if found.phrase == MISSING:
        told.append(("standing", STANDING_MEANT))
    for start_s, end_s, count in _spans(event):
        yield Act(
            kind=found.kind,
            entity=entity,
            label=_label(found, subject),
            start_s=start_s - early_s,
            end_s=end_s,
            ref=ref,
            note=_note(event, message),
            subject=subject,
            what=pod if found.kind in _LIFECYCLE else f"{event.entity}|{message}",
            count=count,
            nodes=_nodes(event, topology),
            mentions=mentions,
            attributes=tuple(told),
            pod=pod if event.entity.kind == "Pod" or deleted is not None else "",
        )
    if registry is not None:
        yield from _of_another(ref, event, message, entity, Meaning(Kind.EXTERNAL_FAILURE, "registry failed"), registry)
    if (hook := webhook_at_fault(message, topology)) is not None:
        yield from _of_another(ref, event, message, entity, of_webhook(message), hook)


def _of_another(
    ref: ItemId, event: ClusterEvent, message: str, entity: Entity, found: Meaning, whose: Entity
) -> Iterator[Act]:
    """Give what an event of one thing tells of another: what that kept the first from."""
    refuses = (("standing", STANDING_REFUSING),) if found.phrase in (REFUSING, PAST_ITS_END) else ()
    for start_s, end_s, count in _spans(event):
        yield Act(
            kind=found.kind,
            entity=whose,
            label=found.phrase,
            start_s=start_s,
            end_s=end_s,
            ref=ref,
            note=_note(event, message),
            subject=found.phrase if refuses else "",
            what=f"{event.entity}|{message}",
            count=count,
            mentions=() if refuses else (entity,),  # whom it refuses names it, and does nothing to it
            attributes=(("reason", event.reason), *refuses),
        )


def _evictor(found: Meaning, event: ClusterEvent, topology: Topology) -> tuple[Entity, ...]:
    """Name the workload that signs an eviction: components sign with their own name, under a domain or without."""
    name = (event.component or "").rpartition("/")[2]
    if found.kind is not Kind.EVICTION or not name:
        return ()
    return tuple(sorted({topology.root(one) for one in topology.owner.values() if topology.root(one).name == name}))


def _whose(
    found: Meaning, event: ClusterEvent, message: str, entity: Entity, mentions: tuple[Entity, ...], topology: Topology
) -> tuple[Meaning, Entity, tuple[Entity, ...]]:
    """Give what is told of one thing and is another's to whom it belongs."""
    if found.kind is Kind.NODE_FAILURE and event.entity.kind == "Pod" and (node := _one_node(event, topology)):
        # told of each of its pods, it is still the node's
        return found, Entity("Node", node), (entity, *mentions)
    if found.kind is Kind.DRAIN_BLOCKED and (refused := _REFUSED_POD.search(message)) is not None:
        # told of the node that is to go, or of one that bears the pod's name, it is the workload's whose pods may not
        mentions = (*(() if event.entity.name == refused["pod"] else (event.entity,)), *mentions)
        return found, topology.root(Entity("Pod", refused["pod"], refused["namespace"])), mentions
    if found.kind is Kind.BAD_CONFIG and mentions and _ABSENT.search(message):
        # whoever needs it only tells that it is not there
        return Meaning(found.kind, MISSING), mentions[0], (entity,)
    return found, entity, mentions


def _resizer(found: Meaning, event: ClusterEvent, entity: Entity, topology: Topology) -> Entity | None:
    """Name the autoscaler that says that it evicted a pod of its target, to start it anew with other requests."""
    if found.kind is not Kind.EVICTION or _RESIZED.search(f"{event.reason} {event.component}") is None:
        return None
    behind = (
        one for one, target in topology.targets.items() if target == entity and one.kind == "VerticalPodAutoscaler"
    )
    return min(behind, default=None)


def _registry_at_fault(message: str) -> Entity | None:
    """Name the registry where the message says that it did not serve, not that the image or the right is missing."""
    image = _PULLED.search(message)
    if image is None or _UNSERVED.search(message) is None or _REFUSED.search(message):
        return None
    return Entity("Host", image["registry"].lower())


def _meaning(event: ClusterEvent, message: str) -> Meaning | None:
    if event.reason == "SuccessfulDelete" and event.entity.kind not in {"Job", "CronJob"}:
        return Meaning(Kind.POD_KILL, "pod stopped") if deleted_pod(message) else None
    if event.reason in {"SuccessfulRescale", "ScalingReplicaSet"}:
        return None  # told by scalings
    if event.entity.kind in _ISSUANCE and event.type == "Warning":
        return Meaning(Kind.RENEWAL_FAILURE, "certificate could not be renewed")
    return meaning(event.reason, message, event.type == "Warning")


def _subject(found: Meaning, event: ClusterEvent, message: str) -> str:
    """Tell apart what one kind and entity would mix up: which probe, which unknown reason."""
    if found.kind is Kind.PROBE_FAILURE and (probe := _PROBE.search(message)) is not None:
        return probe["probe"].lower()
    if found.kind is Kind.ALERT:
        return event.reason
    if found.kind in {Kind.JOB_FAILURE, Kind.BAD_CONFIG}:
        return found.phrase
    return ""


def _label(found: Meaning, subject: str) -> str:
    return f"{subject} probe failed" if found.kind is Kind.PROBE_FAILURE and subject else found.phrase


def _spans(event: ClusterEvent) -> Iterator[tuple[float, float, int]]:
    """Give ``(start_s, end_s, count)`` of what a folded event stands for."""
    times = seen_at_s(event)
    count = max(event.count, 1)
    if len(times) == 1:
        yield times[0], times[0], count
    elif (times[1] - times[0]) / max(count - 1, 1) <= DENSE_S:
        yield times[0], times[1], count
    else:
        yield from ((at_s, at_s, 1) for at_s in times)


def _note(event: ClusterEvent, message: str) -> str:
    text = " ".join(message.split())
    text = text if len(text) <= _MAX_NOTE else text[: _MAX_NOTE - 1] + "…"
    where = f"{event.entity.name}: " if event.entity.name not in text else ""
    often = f" (seen {event.count} times)" if event.count > 1 else ""
    return f"{where}{text}{often}"


def _nodes(event: ClusterEvent, topology: Topology) -> frozenset[str]:
    if event.entity.kind == "Node":
        return frozenset({event.entity.name})
    placed = topology.nodes.get(event.entity, frozenset()) if event.entity.kind == "Pod" else frozenset()
    return placed | ({event.node} if event.node and event.component == "kubelet" else frozenset())


def _of_their_node(acts: list[Act]) -> list[Act]:
    """Give what is told of pods whose node nobody names to the one node that failed at the same time."""
    lost = [act for act in acts if act.kind is Kind.NODE_FAILURE and act.entity.kind == "Node"]
    told = []
    for act in acts:
        if act.kind is Kind.NODE_FAILURE and act.entity.kind != "Node":
            near = {one.entity for one in lost if abs(one.start_s - act.start_s) <= FOLD_S}
            if len(near) == 1:
                node = min(near)
                told.append(
                    replace(act, entity=node, nodes=frozenset({node.name}), mentions=(act.entity, *act.mentions))
                )
                continue
        told.append(act)
    return told


def _without_starts(acts: list[Act]) -> list[Act]:
    """Leave out that routes were synced where several were at once: a controller takes up all of them when it starts."""
    synced = sorted((act for act in acts if act.label == ROUTE_SYNCED), key=lambda act: act.start_s)
    times, started = [act.start_s for act in synced], set[float]()
    for start_s in dict.fromkeys(times):
        near: set[Entity] = set()
        first = bisect_left(times, start_s - AT_ONCE_S)
        while len(near) <= MOST_AT_ONCE and first < len(times) and times[first] <= start_s + AT_ONCE_S:
            near.add(synced[first].entity)
            first += 1
        if len(near) > MOST_AT_ONCE:
            started.add(start_s)
    return [act for act in acts if act.label != ROUTE_SYNCED or act.start_s not in started]


def _one_outage(acts: list[Act], events: Iterable[tuple[ItemId, ClusterEvent]]) -> list[Act]:
    """Leave out that a node was rebooted where that ended an outage that is told already.

    The kubelet says so as it starts, so a node that was not ready, and not ready again since, was down until then.
    """
    ready = [(event.entity, event.at.timestamp()) for _, event in events if event.reason == "NodeReady"]
    down = [act for act in acts if act.kind is Kind.NODE_FAILURE and act.entity.kind == "Node"]

    def ended(act: Act) -> bool:
        since = [one.start_s for one in down if one.entity == act.entity and one.start_s < act.start_s]
        return any(
            not any(node == act.entity and start_s < at_s < act.start_s for node, at_s in ready) for start_s in since
        )

    return [act for act in acts if not (("reason", "Rebooted") in act.attributes and act in down and ended(act))]


def _one_node(event: ClusterEvent, topology: Topology) -> str | None:
    nodes = _nodes(event, topology)
    return min(nodes) if len(nodes) == 1 else None


def _mentions(event: ClusterEvent, message: str, entity: Entity, topology: Topology) -> tuple[Entity, ...]:
    """Give whom a message names: what refuses, what is missing or deleted, and what stands behind a Service's name."""
    if event.reason == "ResourceDeleted" and (touched := _NAMED.search(message)) is not None:
        return (Entity(touched["kind"], touched["name"], touched["space"] or event.entity.namespace),)
    if (hook := webhook_at_fault(message, topology)) is not None:
        return (hook,)
    if (asked := _SERVICE.search(message)) is not None:
        service = Entity("Service", asked["name"], asked["space"])
        return tuple(sorted(topology.backends.get(service, {service})))
    if (limit := _LIMIT.search(message)) is not None and entity.namespace is not None:
        kind, name = ("ResourceQuota", limit["quota"]) if limit["quota"] else ("PodDisruptionBudget", limit["budget"])
        return (Entity(kind, name.rstrip("."), entity.namespace),)
    named = re.search(r"(?P<kind>configmap|secret|persistentvolumeclaim)s? \"(?P<name>[a-z0-9.-]+)\"", message)
    if named is None or entity.namespace is None:
        return ()
    kind = {"configmap": "ConfigMap", "secret": "Secret"}.get(named["kind"], "PersistentVolumeClaim")
    return (Entity(kind, named["name"], event.entity.namespace),)
