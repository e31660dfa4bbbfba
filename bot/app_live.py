"""The composition root of a follow-up's live look: which read-only queries a model may ask for of what ``rootcause.yaml`` names.

Loaded only where a model is asked and something live is configured.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from time import monotonic

from bot.analyst.model_live import Allowed, Wanted, What, live_queries_of, metrics_of
from bot.analyst.model_tools import LiveQuery, Looked
from bot.app_sources import cluster_access, login, store_of
from bot.casefile.case import Case
from bot.domain.ports import LiveSource
from bot.domain.scope import Scope
from bot.errors import UsageError
from bot.investigation.fleet import InCluster
from bot.investigation.look import looked
from bot.settings import ClusterSettings, LiveSettings
from bot.signals.pod_names import pods_of
from bot.sources.kubernetes.glance import RESOURCES

ONE_S = 5.0
"""For one query."""
ALL_S = 15.0
"""For all queries of one conversation: a thread waits a minute."""
MOST_STORE_BYTES = 512 * 1024
"""Of lines that one query takes from a log store."""


def live_queries(live: LiveSettings, case: Case, now: datetime | None = None) -> tuple[LiveQuery, ...]:
    """Give the queries that a case's model may ask for; none where no cluster has anything to be asked."""
    window = case.window_or_none()
    clusters = {cluster.name: _offered(cluster) for cluster in live.clusters if _offered(cluster)}
    if window is None or not clusters:
        return ()
    now = now or datetime.now(UTC).replace(microsecond=0)
    allowed = Allowed(
        window=window,
        now=now,
        clusters={str(name): offered for name, offered in clusters.items()},
        named=cache(lambda: frozenset(_named(case))),
        metrics=metrics_of(case.series()),
        kinds=frozenset(RESOURCES),
        has_pods=lambda entity: pods_of(entity) is not None,
        borders={
            str(cluster.name): frozenset(cluster.kubernetes.namespaces)
            for cluster in live.clusters
            if cluster.kubernetes
        },
    )
    return live_queries_of(allowed, _Looks(live, case, now))


def _offered(cluster: ClusterSettings) -> frozenset[What]:
    offered: set[What] = set()
    offered |= {"store_lines"} if cluster.logs else set()
    offered |= {"container_lines", "events", "object"} if cluster.kubernetes else set()
    offered |= {"metric"} if cluster.prometheus else set()
    return frozenset(offered)


def _named(case: Case) -> Iterator[str]:
    yield from case.named()
    for stream in case.streams():
        if stream.pod and stream.namespace:
            yield f"Pod {stream.namespace}/{stream.pod}"


class _Looks:
    """Looks while there is time left for live queries."""

    def __init__(self, live: LiveSettings, case: Case, now: datetime) -> None:
        self._clusters = {str(cluster.name): cluster for cluster in live.clusters}
        self._case = case
        self._now = now
        self._left_s = ALL_S

    def __call__(self, wanted: Wanted) -> Looked:
        """Look; raises UsageError where the time is used up, or a secret is missing."""
        if self._left_s < 1.0:
            raise UsageError("There is no more time for live queries: answer with what you have.")
        begun = monotonic()
        source = _source(wanted, self._clusters[wanted.cluster], min(ONE_S, self._left_s))
        try:
            return looked(
                self._case, InCluster(source, wanted.cluster) if wanted.apart else source, wanted.at, self._now
            )
        finally:
            self._left_s -= monotonic() - begun


def _source(wanted: Wanted, cluster: ClusterSettings, deadline_s: float) -> LiveSource:
    """Make the source of one look; the cluster has what is wanted of it."""
    entity = wanted.entity
    if wanted.what == "metric":
        assert cluster.prometheus is not None
        from bot.sources.prometheus import PrometheusAddress, PrometheusRange  # noqa: PLC0415 - few looks need each

        address = PrometheusAddress(url=cluster.prometheus.url, login=login(cluster.prometheus), deadline_s=deadline_s)
        return PrometheusRange(address, wanted.metric, Scope(window=wanted.window, namespaces=wanted.namespaces))
    assert entity is not None
    pods = pods_of(entity) or ""
    if wanted.what == "store_lines":
        assert cluster.logs is not None
        least = replace(cluster.logs, deadline_s=deadline_s, most_bytes=min(cluster.logs.most_bytes, MOST_STORE_BYTES))
        return store_of(least, Scope(window=wanted.window, namespaces=(entity.namespace or "",), pods=pods))
    assert cluster.kubernetes is not None
    from bot.sources.kubernetes.glance import Glance, KubernetesGlance  # noqa: PLC0415 - see above

    what = {"container_lines": "logs", "events": "events", "object": "object"}[wanted.what]
    glance = Glance(what=what, entity=entity, window=wanted.window, pods=pods)  # type: ignore[arg-type] # one of three
    return KubernetesGlance(
        access=cluster_access(cluster.name, cluster.kubernetes), glance=glance, deadline_s=deadline_s
    )
