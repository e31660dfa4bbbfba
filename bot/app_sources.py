"""The composition root of evidence: which sources an ask is answered from. Kept apart from ``app_serve``, for it is loaded
in every investigation's process, which has no use for a Slack app.

A kind of live source is a maker in ``OF_A_CLUSTER`` or ``OF_ALL``: it gives None where ``rootcause.yaml`` does not name one.
Its adapter is imported inside, for most investigations need few of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bot.domain.chat import Ask
from bot.domain.finding import Finding
from bot.domain.items import Gap
from bot.domain.ports import LiveSource, Progress, Sink, Source
from bot.domain.scope import Scope
from bot.domain.window import Window
from bot.errors import UsageError
from bot.investigation.fleet import InCluster
from bot.investigation.workflow_process import question_of, window_words
from bot.investigation.workflow_sources import WithoutChat
from bot.settings import (
    Access,
    ClusterSettings,
    EvidenceSettings,
    KubernetesSettings,
    LiveSettings,
    LogsSettings,
    SlackSettings,
)
from bot.sources.export import ExportSource
from bot.sources.slack import SharedPace, SlackSource
from bot.wire import Login

if TYPE_CHECKING:
    from bot.cluster.access import ClusterAccess

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATER = timedelta(days=36_500)
"""Past any message: a recorded incident may be dated after the clock of the machine that replays it."""
MOST_MESSAGES = 5000
"""So many messages are read where evidence is an export: its incident may lie anywhere in the past, so the channel is read
back from its newest message, and 25 pages cost half of a minute's calls."""
LIVE_DEFAULT = timedelta(days=1)
"""What is read of live services where no window was named: one night and one day."""

_Configured = TypeVar("_Configured")

OfACluster = Callable[[ClusterSettings, Scope], LiveSource | None]
OfAll = Callable[[LiveSettings, Scope], LiveSource | None]


def recorder_source(cluster: ClusterSettings, scope: Scope) -> LiveSource | None:
    """Make the reader of what the recorder kept of a cluster."""
    told = cluster.recorder
    if told is None:
        return None
    from bot.sources.recorder import RecorderSource  # noqa: PLC0415 - see above

    border = cluster.kubernetes.namespaces if cluster.kubernetes else ()
    return RecorderSource(path=told.archive, window=scope.window, namespaces=scope.namespaces or border)


def _recorded(cluster: ClusterSettings) -> Callable[[str, str, str], Sequence[tuple[int, int]]] | None:
    """Give whose lines the recorder brings already, so that no line is read twice."""
    from bot.sources.recorder import recorded_spans  # noqa: PLC0415 - see above

    return partial(recorded_spans, cluster.recorder.archive) if cluster.recorder else None


def prometheus_source(cluster: ClusterSettings, scope: Scope) -> LiveSource | None:
    """Make the cluster's metrics."""
    named = cluster.prometheus
    if named is None:
        return None
    from bot.sources.prometheus import PrometheusAddress, PrometheusSource  # noqa: PLC0415 - see above

    address = PrometheusAddress(
        url=named.url,
        login=login(named),
        deadline_s=named.deadline_s,
        step_s=named.step_s,
        queries=named.queries,
        most_series=named.most_series,
        alertmanager=named.alertmanager,
    )
    return PrometheusSource(address, scope)


def kubernetes_source(cluster: ClusterSettings, scope: Scope) -> LiveSource | None:
    """Make the reader of a cluster's API."""
    told = cluster.kubernetes
    if told is None:
        return None
    from bot.sources.kubernetes import KubernetesSource  # noqa: PLC0415 - see above

    return KubernetesSource(
        access=cluster_access(cluster.name, told),
        window=scope.window,
        namespaces=scope.namespaces or told.namespaces,
        question=scope.question,
        recorded=_recorded(cluster),
        helm_secrets=told.helm_secrets,
        deadline_s=told.deadline_s,
    )


def cluster_access(name: str, told: KubernetesSettings) -> "ClusterAccess":
    """Say how a cluster is reached."""
    from bot.cluster.access import ClusterAccess  # noqa: PLC0415 - see above

    return ClusterAccess(name=name, in_cluster=told.in_cluster, kubeconfig=told.kubeconfig, context=told.context)


def log_store(cluster: ClusterSettings, scope: Scope) -> LiveSource | None:
    """Make the cluster's log store."""
    return store_of(cluster.logs, scope) if cluster.logs is not None else None


def store_of(named: LogsSettings, scope: Scope) -> LiveSource:
    """Make a log store of its kind; raises UsageError where a secret is missing."""
    from bot.stores.address import StoreAddress  # noqa: PLC0415 - see above

    signed = login(named)
    if named.kind == "victorialogs" and named.tenant:
        account, _, project = named.tenant.partition(":")
        signed = replace(signed, headers={**signed.headers, "AccountID": account, "ProjectID": project or "0"})
    address = StoreAddress(
        url=named.url,
        login=signed,
        deadline_s=named.deadline_s,
        most_bytes=named.most_bytes,
        selector=named.selector,
        index=named.index,
        fields=named.fields,
    )
    if named.kind == "loki":
        from bot.sources.loki import LokiSource  # noqa: PLC0415 - see above

        return LokiSource(address, scope)
    if named.kind == "elasticsearch":
        from bot.sources.elasticsearch import ElasticsearchSource  # noqa: PLC0415 - see above

        return ElasticsearchSource(address, scope)
    from bot.sources.victorialogs import VictoriaLogsSource  # noqa: PLC0415 - see above

    return VictoriaLogsSource(address, scope)


OF_A_CLUSTER: tuple[OfACluster, ...] = (kubernetes_source, recorder_source, prometheus_source, log_store)
"""Makers of what each cluster has of its own: its API, its recorder, its metrics, its log store."""


def grafana_source(live: LiveSettings, scope: Scope) -> LiveSource | None:
    """Make the source of what was noted as a change."""
    named = live.grafana
    if named is None:
        return None
    from bot.sources.grafana import GrafanaSource  # noqa: PLC0415 - see above

    return GrafanaSource(named.url, login(named), scope.window, tags=named.tags, deadline_s=named.deadline_s)


def jira_source(live: LiveSettings, scope: Scope) -> LiveSource | None:
    """Make Jira's source."""
    if live.jira is None:
        return None
    from bot.sources.jira import JiraSource  # noqa: PLC0415 - see above

    return JiraSource(live.jira, scope)


OF_ALL: tuple[OfAll, ...] = (grafana_source, jira_source)
"""Makers of what all clusters share: tickets, annotations."""


def live_sources(live: LiveSettings, scope: Scope, clusters: Sequence[str] = ()) -> list[LiveSource]:
    """Make every source that is configured; ``clusters`` names those to read, none for all."""
    chosen = [cluster for cluster in live.clusters if not clusters or cluster.name in clusters]
    inside = [(cluster, source) for cluster in chosen for source in of_cluster(cluster, scope)]
    apart = len({cluster.name for cluster, _ in inside}) > 1
    found: list[LiveSource] = [InCluster(source, cluster.name) if apart else source for cluster, source in inside]
    return [*found, *of_all(live, scope)]


def of_cluster(cluster: ClusterSettings, scope: Scope) -> list[LiveSource]:
    """Make the sources of one cluster."""
    made = [_made(make, cluster, scope) for make in OF_A_CLUSTER]
    return [source for source in made if source is not None]


def of_all(live: LiveSettings, scope: Scope) -> list[LiveSource]:
    """Make the sources that all clusters share."""
    made = [_made(make, live, scope) for make in OF_ALL]
    return [source for source in made if source is not None]


def _made(make: Callable[[_Configured, Scope], LiveSource | None], of: _Configured, scope: Scope) -> LiveSource | None:
    try:
        return make(of, scope)
    except UsageError as error:
        return UnmadeSource(name=make.__name__.removesuffix("_source"), why=str(error))


def login(access: Access) -> Login:
    """Read the secrets that an HTTP service asks for; raises UsageError where one is missing."""
    tenant = {"X-Scope-OrgID": access.tenant} if access.tenant else {}
    return Login(
        headers=tenant | {name: secret.read() for name, secret in access.headers.items()},
        token=access.token.read() if access.token else None,
        user=access.user,
        password=access.password.read() if access.password else None,
        ca_file=access.ca_file,
    )


@dataclass(slots=True, kw_only=True)
class UnmadeSource:
    """A source that is configured and cannot be made, for a secret of it is missing: a Gap, not the end of everything."""

    name: str
    why: str
    deadline_s: float = 1.0

    def gather(self, sink: Sink, progress: Progress) -> None:  # noqa: ARG002 - the port's signature
        """Say why there is nothing."""
        sink.add_gap(Gap(source=self.name, what=self.why))

    def examine(self) -> Sequence[Finding]:
        """Say it to the doctor, too."""
        return [
            Finding(name=self.name, state="wrong", what=self.why, fix="set it, or leave this part of the file away")
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSources:
    """Makes an investigation's sources: the asking channel, an export, and what ``rootcause.yaml`` names."""

    home: Path
    slack: SlackSettings
    evidence: EvidenceSettings
    live: LiveSettings

    def __call__(self, ask: Ask) -> Sequence[Source]:
        """Make them for one ask; in a direct message there is no channel to read."""
        sources: list[Source] = []
        in_channel = not ask.place.channel.startswith("D")
        if self.evidence.export is not None:
            export = ExportSource(self.evidence.export)
            sources.append(WithoutChat(export) if in_channel else export)
        sources += self._live(ask)
        if in_channel and self.slack.bot_token:
            sources.append(
                SlackSource(
                    token=self.slack.bot_token,
                    channel=ask.place.channel,
                    window=self._window(ask),
                    base_url=self.slack.api_url,
                    pace=SharedPace(self.home / "slack-pace.sqlite"),
                    most_messages=MOST_MESSAGES,
                )
            )
        if not sources:
            raise UsageError("There is nothing to read here: ask me in the incident's channel.")
        return sources

    def _live(self, ask: Ask) -> Sequence[Source]:
        if not self.live.names_a_source:
            return ()
        span = window_words(ask).window
        if ask.window is None:
            span = Window(start=span.end - LIVE_DEFAULT, end=span.end, asked="")
        about = self.live.channels.get(ask.place.channel)
        namespaces = ask.namespaces or (about.namespaces if about else ())
        scope = Scope(window=span, namespaces=tuple(namespaces), question=question_of(ask) or "")
        return live_sources(self.live, scope, about.clusters if about else ())

    def _window(self, ask: Ask) -> Window:
        if self.evidence.export is not None or ask.window is None:
            # "5d" is counted back from the material's end, which is not known yet, and need not be near the asking
            return Window(start=EPOCH, end=ask.asked_at + LATER, asked=ask.window or "")
        return window_words(ask).window
