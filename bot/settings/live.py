"""What ``rootcause.yaml`` names: the clusters and services that an investigation reads while they live.

The fields here are the file's keys; ``live_yaml`` reads and checks them, and its JSON schema is made from these classes.
Secrets stand here as the name of a variable or a file only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NewType

from bot.settings.secret import Secret

Url = NewType("Url", str)
"""An absolute http or https address without credentials in it."""

Name = NewType("Name", str)
"""Letters, digits, ``-``, ``_`` and ``.``: it is shown in reports and stands in front of namespaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How an HTTP service is reached. A token goes as a bearer; user and password as HTTP's basic authentication."""

    url: Url
    token: Secret | None = None
    user: str | None = None
    password: Secret | None = None
    tenant: str | None = None
    """``X-Scope-OrgID``, for Mimir and Loki with tenants (``AccountID:ProjectID`` for VictoriaLogs)"""
    headers: Mapping[str, Secret] = field(default_factory=dict)
    """Further headers, their values by variable or file"""
    ca_file: Path | None = None
    """Certificates that the service's own is checked against, where the system's do not know it"""
    deadline_s: float = 60.0
    """Seconds after which the reading ends, with what was read by then; a person waits for the whole"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesSettings:
    """One cluster's API. ``in_cluster`` takes the pod's service account; else ``kubeconfig`` and ``context`` are used."""

    in_cluster: bool = False
    kubeconfig: Path | None = None
    context: str | None = None
    namespaces: tuple[str, ...] = ()
    """Read by default; a question or channel may narrow them. Empty: all that may be listed, the asked ones first"""
    deadline_s: float = 60.0
    helm_secrets: bool = False
    """List names and labels of the Secrets in which Helm keeps its releases, never their contents; whoever may list them could
    read them as well, so the manifests grant no such right"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSettings:
    """The archive that ``rootcause record`` writes."""

    archive: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSettings(Access):
    """Prometheus, Thanos, Mimir or VictoriaMetrics."""

    step_s: float | None = None
    """Seconds between samples; by default chosen by the window"""
    queries: Mapping[str, str] = field(default_factory=dict)
    """Further PromQL expressions by the name their series get"""
    most_series: int = 2000
    """Series read at most; what is left out is said in the report"""
    public_url: Url | None = None
    """By which people's browsers reach it, for links to evidence"""
    alertmanager: Url | None = None
    """Alertmanager, whose alerts are read beside ``ALERTS``"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsSettings(Access):
    """A log store: Loki, Elasticsearch or OpenSearch, VictoriaLogs."""

    kind: Literal["loki", "elasticsearch", "victorialogs"]
    index: str | None = None
    """Elasticsearch: the index or pattern"""
    selector: str | None = None
    """A selector in the store's own language that every query is narrowed by"""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Field names of the store for ``time``, ``message``, ``namespace``, ``pod``, ``container``, ``node``"""
    public_url: Url | None = None
    """By which people's browsers reach it (for Elasticsearch: Kibana), for links to evidence"""
    most_bytes: int = 256 * 1024 * 1024
    """Raw lines read at most; beyond that counts and samples are"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JiraSettings(Access):
    """Jira. Cloud takes ``user`` and ``token`` (an API token), Data Center ``token`` alone (a personal access token)."""

    deployment: Literal["cloud", "datacenter"]
    projects: tuple[str, ...] = ()
    """Keys of the projects that may be read; empty: none are"""
    post: bool = False
    """Whether a report may be posted as a comment, on a click"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaSettings(Access):
    """Grafana: its annotations are read as changes, and links to evidence lead there."""

    tags: tuple[str, ...] = ()
    """Only annotations with all of these tags; empty: all annotations but those of alerts"""
    logs: str | None = None
    """uid of the Loki data source, for links"""
    metrics: str | None = None
    """uid of the Prometheus data source, for links"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Alertmanager's webhook: a firing group begins an investigation in a channel."""

    channel: str
    """Id of the Slack channel that is answered in"""
    secret: Secret
    """The bearer token that Alertmanager sends (``http_config: authorization``)"""
    window: str = "6h"
    """What is read, back from the alert"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """One cluster and the stores that know of it. Each part may be left away."""

    name: Name
    kubernetes: KubernetesSettings | None = None
    recorder: RecorderSettings | None = None
    prometheus: PrometheusSettings | None = None
    logs: LogsSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """What questions in a channel are about, where they name nothing themselves."""

    clusters: tuple[Name, ...] = ()
    """Empty: all"""
    namespaces: tuple[str, ...] = ()
    """Empty: those of the cluster"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """All of ``rootcause.yaml``."""

    clusters: tuple[ClusterSettings, ...] = ()
    jira: JiraSettings | None = None
    grafana: GrafanaSettings | None = None
    alertmanager: WebhookSettings | None = None
    channels: Mapping[str, ChannelSettings] = field(default_factory=dict)
    """By the channel's id"""

    @property
    def names_a_source(self) -> bool:
        """Tell whether there is anything to read."""
        parts = ("kubernetes", "recorder", "prometheus", "logs")
        in_clusters = any(getattr(cluster, part) is not None for cluster in self.clusters for part in parts)
        return in_clusters or self.jira is not None or self.grafana is not None
