"""Live queries that a model may ask for. What they are about comes from the case alone, never a query of the model's own.

A query names an entity or a metric that the case knows, and a time; which cluster that is of stands in the name, or is chosen
among those that are configured. Names that Kubernetes would not give anything are asked of nobody, whatever a case calls
itself. Leaves out how a source is asked.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

from bot.analyst.model_tools import LiveQuery, Looked
from bot.domain.entity import CLUSTER_KINDS, Entity
from bot.domain.fleet import SEPARATOR, cluster_of
from bot.domain.items import ItemId, Series
from bot.domain.window import Window
from bot.errors import UsageError

LONGEST = timedelta(days=7)
"""Of a metric's range."""
BEFORE = timedelta(days=30)
"""How far before the case's window a query may reach."""
REACH_S, LONGEST_REACH_S = 300, 1800
"""Seconds of log lines before and after a time: what is read unless told otherwise, and at most."""

What = Literal["store_lines", "container_lines", "events", "object", "metric"]
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"""
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One look: names are the cluster's own; ``apart`` tells that the case puts the cluster's name before them."""

    what: What
    cluster: str
    apart: bool
    window: Window
    at: datetime | None = None
    entity: Entity | None = None
    metric: str = ""
    namespaces: tuple[str, ...] = ()


Look = Callable[[Wanted], Looked]
"""Looks, keeps what it found with the case and gives it as rows; raises RootcauseError where it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What may be asked for. ``clusters`` holds what each configured cluster can be asked, ``borders`` its namespaces."""

    window: Window
    now: datetime
    clusters: Mapping[str, frozenset[What]]
    named: Callable[[], Iterable[str]]
    """Names of the case's entities, ``Kind namespace/name``; asked for when they are needed"""
    metrics: Mapping[str, frozenset[str]]
    """By metric the namespaces that the case has it of"""
    kinds: frozenset[str] = frozenset()
    """Whose present state may be looked at"""
    has_pods: Callable[[Entity], bool] = lambda _entity: True
    borders: Mapping[str, frozenset[str]] = field(default_factory=dict)


def metrics_of(series: Iterable[tuple[ItemId, Series]]) -> Mapping[str, frozenset[str]]:
    """Give the metrics that a case has, each with the namespaces it has it of; none for what belongs to no namespace."""
    found: dict[str, set[str]] = {}
    for _, one in series:
        namespace = one.labels.get("namespace") or one.labels.get("exported_namespace")
        cluster = one.labels.get("cluster")
        of = namespace or (f"{cluster}{SEPARATOR}" if cluster else "")
        found.setdefault(one.metric, set()).update({of} if of else ())
    return {metric: frozenset(namespaces) for metric, namespaces in found.items() if _METRIC.fullmatch(metric)}


def live_queries_of(allowed: Allowed, look: Look) -> tuple[LiveQuery, ...]:
    """Give the queries that some configured cluster can answer, in a fixed order."""
    offered = frozenset(what for each in allowed.clusters.values() for what in each)
    return tuple(
        LiveQuery(
            name=name,
            description=f"{tells} What it gives is kept beside the case under the ids it stands with, to be cited by them.",
            schema=_schema(allowed, fields, required),
            run=partial(run, allowed, look),
        )
        for what, name, tells, fields, required, run in _QUERIES
        if what in offered and (what != "metric" or allowed.metrics)
    )


_ENTITY = "Kind namespace/name, as this case names it: a workload, a pod, a node"
_AT = "RFC 3339 time"
_TABLE_OF_LINES = {"entity": _ENTITY, "at": _AT, "seconds": f"so many before and after it, at most {LONGEST_REACH_S}"}
_TABLE_OF_METRIC = {
    "metric": "its whole name, one that the tool series gives",
    "namespace": "one of the metric's namespaces in this case; else all",
    "since": "RFC 3339 time; from then on, else an hour before until",
    "until": "RFC 3339 time; before then, else now",
}


def _lines(what: What, allowed: Allowed, look: Look, arguments: Mapping[str, object]) -> Looked:
    entity, cluster, apart = _entity(what, allowed, arguments)
    if not allowed.has_pods(entity):
        raise UsageError(f"{entity.kind} has no log of its own: name a workload or a pod.")
    at = _time(arguments.get("at"), "at")
    if at is None:
        raise UsageError("at is missing: the time to look around.")
    reach = timedelta(seconds=_reach(arguments.get("seconds")))
    end = min(at + reach, allowed.now)
    if not _first(allowed) <= at < allowed.now:
        raise UsageError("at must lie before now, and not over 30 days before the case's window.")
    window = Window(start=at - reach, end=end, asked="")
    return look(Wanted(what=what, cluster=cluster, apart=apart, window=window, at=at, entity=entity))


def _events(allowed: Allowed, look: Look, arguments: Mapping[str, object]) -> Looked:
    entity, cluster, apart = _entity("events", allowed, arguments)
    window = Window(start=_first(allowed), end=allowed.now, asked="")
    return look(Wanted(what="events", cluster=cluster, apart=apart, window=window, entity=entity))


def _object(allowed: Allowed, look: Look, arguments: Mapping[str, object]) -> Looked:
    entity, cluster, apart = _entity("object", allowed, arguments)
    if entity.kind not in allowed.kinds:
        raise UsageError(f"Of a {entity.kind} nothing is read.")
    window = Window(start=_first(allowed), end=allowed.now, asked="")
    return look(Wanted(what="object", cluster=cluster, apart=apart, window=window, entity=entity))


def _metric(allowed: Allowed, look: Look, arguments: Mapping[str, object]) -> Looked:
    metric = arguments.get("metric")
    if not isinstance(metric, str) or metric not in allowed.metrics:
        raise UsageError("metric is no metric of this case: the tool series shows their names.")
    known = allowed.metrics[metric]
    only = arguments.get("namespace") or ""
    if not isinstance(only, str) or (only and only not in known):
        raise UsageError("namespace is none that this case has the metric of.")
    start, end = _span(arguments, allowed)
    told = frozenset({only} if only else known)
    clusters = sorted({cluster_of(namespace) or "" for namespace in told}) or [""]
    of = arguments.get("cluster")
    if len(clusters) > 1:
        clusters = [each for each in clusters if each == of]
        if not clusters:
            raise UsageError("The case has the metric of several clusters: name one of its namespaces, or cluster.")
    cluster, apart = _cluster("metric", allowed, clusters[0], arguments)
    mine = [each.removeprefix(f"{cluster}{SEPARATOR}") for each in told if (cluster_of(each) or "") == clusters[0]]
    namespaces = tuple(sorted(each for each in mine if each and _inside(allowed, cluster, each)))
    if any(mine) and not namespaces:
        raise UsageError("The metric's namespaces are none that may be read there.")
    return look(
        Wanted(
            what="metric",
            cluster=cluster,
            apart=apart,
            window=Window(start=start, end=end, asked=""),
            metric=metric,
            namespaces=namespaces,
        )
    )


_Run = Callable[[Allowed, Look, Mapping[str, object]], Looked]
_QUERIES: tuple[tuple[What, str, str, Mapping[str, str], tuple[str, ...], _Run], ...] = (
    (
        "store_lines",
        "log_lines",
        "Read log lines of an entity around a time from the live log store: also before or after the case's window.",
        _TABLE_OF_LINES,
        ("entity", "at"),
        partial(_lines, "store_lines"),
    ),
    (
        "container_lines",
        "container_log",
        "Read log lines around a time from the containers an entity has at present, and from those before their restart.",
        _TABLE_OF_LINES,
        ("entity", "at"),
        partial(_lines, "container_lines"),
    ),
    (
        "events",
        "events",
        "Read an object's events that its cluster still knows.",
        {"entity": _ENTITY},
        ("entity",),
        _events,
    ),
    (
        "object",
        "object",
        "Read an object's present state: status, settings.",
        {"entity": _ENTITY},
        ("entity",),
        _object,
    ),
    (
        "metric",
        "metric_range",
        "Read a metric of this case from the live server, as it is now: also before or after the case's window.",
        _TABLE_OF_METRIC,
        ("metric",),
        _metric,
    ),
)


def _schema(allowed: Allowed, fields: Mapping[str, str], required: Sequence[str]) -> Mapping[str, object]:
    kinds = {"seconds": "integer"}
    properties: dict[str, object] = {
        name: {"type": kinds.get(name, "string"), "description": what} for name, what in fields.items()
    }
    if len(allowed.clusters) > 1:
        properties["cluster"] = {
            "type": "string",
            "enum": sorted(allowed.clusters),
            "description": "where the case's names do not begin with their cluster's",
        }
    return {"type": "object", "properties": properties, "required": list(required)}


def _entity(what: What, allowed: Allowed, arguments: Mapping[str, object]) -> tuple[Entity, str, bool]:
    """Find the entity among the case's; give it by its cluster's own name, the cluster, and whether the case tells it apart."""
    told = arguments.get("entity")
    if not isinstance(told, str) or told not in frozenset(allowed.named()):
        raise UsageError("entity is none that this case names: the tools show how, as Kind namespace/name.")
    kind, _, place = told.partition(" ")
    where, _, name = place.rpartition("/")
    if kind in CLUSTER_KINDS:
        of, namespace = where, None
    else:
        of, namespace = cluster_of(where) or "", where.rpartition(SEPARATOR)[2]
    cluster, apart = _cluster(what, allowed, of, arguments)
    names = [name] if namespace is None else [namespace, name]
    if not kind.isalnum() or not all(_NAME.fullmatch(each) for each in names):
        raise UsageError("entity has a name that nothing in a cluster can have.")
    if namespace is not None and not _inside(allowed, cluster, namespace):
        raise UsageError(f"The namespace {namespace} is none that may be read there.")
    return Entity(kind, name, namespace), cluster, apart


def _cluster(what: What, allowed: Allowed, of: str, arguments: Mapping[str, object]) -> tuple[str, bool]:
    """Give the cluster that is asked: the one a name begins with, else the only one, else one that is chosen."""
    chosen = arguments.get("cluster") or ""
    if of and chosen not in ("", of):
        raise UsageError("cluster is another than the name tells.")
    cluster = of or chosen
    if not cluster and len(allowed.clusters) == 1:
        cluster = next(iter(allowed.clusters))
    if not isinstance(cluster, str) or cluster not in allowed.clusters:
        raise UsageError(f"cluster is missing, or none that is configured: {', '.join(sorted(allowed.clusters))}.")
    if what not in allowed.clusters[cluster]:
        raise UsageError(f"The cluster {cluster} has no live source for this.")
    return cluster, bool(of)


def _inside(allowed: Allowed, cluster: str, namespace: str) -> bool:
    border = allowed.borders.get(cluster)
    return _NAME.fullmatch(namespace) is not None and (not border or namespace in border)


def _first(allowed: Allowed) -> datetime:
    return allowed.window.start - BEFORE


def _reach(told: object) -> int:
    if told is None:
        return REACH_S
    if isinstance(told, bool) or not isinstance(told, int) or not 0 < told <= LONGEST_REACH_S:
        raise UsageError(f"seconds is no count from 1 to {LONGEST_REACH_S}.")
    return told


def _span(arguments: Mapping[str, object], allowed: Allowed) -> tuple[datetime, datetime]:
    first, now = _first(allowed), allowed.now
    end = min(_time(arguments.get("until"), "until") or now, now)
    start = _time(arguments.get("since"), "since") or max(first, end - timedelta(hours=1) if end > first else first)
    if not first <= start < end:
        raise UsageError("since must lie before until and now, and not over 30 days before the case's window.")
    if end - start > LONGEST:
        raise UsageError("The span is longer than 7 days: ask for a shorter one.")
    return start, end


def _time(told: object, name: str) -> datetime | None:
    if told in (None, ""):
        return None
    try:
        read = datetime.fromisoformat(str(told)[:40])
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{name} is no time as RFC 3339.") from None
