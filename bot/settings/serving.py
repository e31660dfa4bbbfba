"""What the bot is told: how much work it takes on, where Slack is, who may ask, where it listens."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from bot.settings.base import Settings
from bot.settings.environment import count, text, texts
from bot.settings.live import LiveSettings
from bot.settings.live_yaml import live_settings
from bot.settings.models import ModelSettings
from bot.settings.redaction import RedactionSettings
from bot.settings.spreading import SpreadSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """How much work is taken on, and for how long."""

    database_url: str | None = None
    """``ROOTCAUSE_DATABASE_URL``: a PostgreSQL URL, for disks that do not outlive the process; without it SQLite in ``home``.
    Either is served by one process at a time; the next one waits until the one before has handed over."""

    at_once: int = 2
    """Investigations side by side, ``ROOTCAUSE_AT_ONCE``; each fills one core, and a third would slow the first two."""

    queue: int = 50
    """Investigations that may wait, ``ROOTCAUSE_QUEUE``; beyond that a person waits longer than an incident lasts."""

    per_user_hour: int = 10
    """Investigations one person may start in an hour; more is a loop or a script, not a question."""

    per_channel_hour: int = 30
    """Investigations one channel may start in an hour; an incident channel in its worst hour stays below it."""

    follow_ups_per_user_hour: int = 120
    """Follow-ups of one person in an hour: two a minute, faster than answers are read."""

    deadline_s: float = 900.0
    """Wall clock of one investigation in seconds; a five-day window takes seconds, so after 15 min something hangs."""

    follow_up_deadline_s: float = 60.0
    """Wall clock of one follow-up in seconds."""

    grace_s: float = 20.0
    """Seconds that running work gets to end at shutdown; Kubernetes kills after 30."""

    delivery_attempts: int = 12
    """Tries to post an answer, the pause doubling from 1 s: an outage of Slack of half an hour loses no answer."""

    plan_every_s: float = 1.0
    """Seconds between looks at the progress; Slack's own limit on edits is kept by the delivery."""

    @classmethod
    def from_environment(cls) -> "DeskSettings":
        """Read the settings from the process's environment."""
        return cls(
            database_url=text("ROOTCAUSE_DATABASE_URL"),
            at_once=count("ROOTCAUSE_AT_ONCE", cls.at_once_default()),
            queue=count("ROOTCAUSE_QUEUE", 50),
        )

    @staticmethod
    def at_once_default() -> int:
        """Give one investigation a core, at least one and at most four: memory, not cores, ends first beyond that."""
        return max(1, min(4, os.cpu_count() or 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """How Slack is reached, and who may ask."""

    bot_token: str | None = None
    """``SLACK_BOT_TOKEN`` (``xoxb-``)."""

    app_token: str | None = None
    """``SLACK_APP_TOKEN`` (``xapp-``): Socket Mode, which needs no address that Slack can reach; without it HTTP."""

    signing_secret: str | None = None
    """``SLACK_SIGNING_SECRET``: proves over HTTP that a request is Slack's."""

    api_url: str = "https://slack.com/api/"
    """``SLACK_API_URL``: base of the Web API; only tests and the playground name another."""

    channels: tuple[str, ...] = ()
    """``ROOTCAUSE_CHANNELS``: channel ids that may ask, comma-separated; empty: every channel the bot is in."""

    users: tuple[str, ...] = ()
    """``ROOTCAUSE_USERS``: user ids that may ask; empty: every full member of the workspace."""

    groups: tuple[str, ...] = ()
    """``ROOTCAUSE_GROUPS``: user group ids whose members may ask."""

    shared_channels: bool = False
    """``ROOTCAUSE_SHARED_CHANNELS=1``: answer in Slack Connect channels, where another company reads along."""

    link_hosts: tuple[str, ...] = ()
    """``ROOTCAUSE_LINK_HOSTS``: hosts that links in answers may lead to, beside Slack's; empty: none."""

    @classmethod
    def from_environment(cls) -> "SlackSettings":
        """Read the settings from the process's environment."""
        return cls(
            bot_token=text("SLACK_BOT_TOKEN"),
            app_token=text("SLACK_APP_TOKEN"),
            signing_secret=text("SLACK_SIGNING_SECRET"),
            api_url=text("SLACK_API_URL") or "https://slack.com/api/",
            channels=texts("ROOTCAUSE_CHANNELS"),
            users=texts("ROOTCAUSE_USERS"),
            groups=texts("ROOTCAUSE_GROUPS"),
            shared_channels=(text("ROOTCAUSE_SHARED_CHANNELS") or "").lower() in ("1", "true", "yes", "on"),
            link_hosts=texts("ROOTCAUSE_LINK_HOSTS"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSettings:
    """Where evidence is read from, beside the channel that asks.

    ``export``: ``ROOTCAUSE_EVIDENCE``, a folder or archive of kubectl, Prometheus and Jira files read by every
    investigation. Default none: then the channel's history is the only source.
    """

    export: Path | None = None

    @classmethod
    def from_environment(cls) -> "EvidenceSettings":
        """Read the settings from the process's environment."""
        named = text("ROOTCAUSE_EVIDENCE")
        return cls(export=Path(named).expanduser() if named else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Where health, metrics and (without Socket Mode) Slack's requests are listened for."""

    host: str = "127.0.0.1"
    """``ROOTCAUSE_HOST``; the loopback, for metrics are nobody else's: a container names ``0.0.0.0``."""

    port: int = 8080
    """``PORT``: the variable that platforms running a Procfile set."""

    @classmethod
    def from_environment(cls) -> "WebSettings":
        """Read the settings from the process's environment."""
        return cls(host=text("ROOTCAUSE_HOST") or "127.0.0.1", port=count("PORT", 8080))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """Where evidence that came without a link can be opened; what is not set gives no links."""

    grafana_url: str | None = None
    """``ROOTCAUSE_GRAFANA_URL``: base URL, for the two data sources below."""

    grafana_logs: str | None = None
    """``ROOTCAUSE_GRAFANA_LOGS``: uid of the Loki data source."""

    grafana_metrics: str | None = None
    """``ROOTCAUSE_GRAFANA_METRICS``: uid of the Prometheus data source."""

    prometheus_url: str | None = None
    """``ROOTCAUSE_PROMETHEUS_URL``: base URL that people's browsers reach; used where Grafana has no metrics."""

    jira_url: str | None = None
    """``ROOTCAUSE_JIRA_URL``: base URL of Jira."""

    logs: str | None = None
    """``ROOTCAUSE_LINK_LOGS``: a URL template of another log store; wins over Grafana."""

    metrics: str | None = None
    """``ROOTCAUSE_LINK_METRICS``: a URL template of another metrics store; wins over Grafana and Prometheus."""

    @classmethod
    def from_environment(cls) -> "LinkSettings":
        """Read the settings from the process's environment."""
        return cls(
            grafana_url=text("ROOTCAUSE_GRAFANA_URL"),
            grafana_logs=text("ROOTCAUSE_GRAFANA_LOGS"),
            grafana_metrics=text("ROOTCAUSE_GRAFANA_METRICS"),
            prometheus_url=text("ROOTCAUSE_PROMETHEUS_URL"),
            jira_url=text("ROOTCAUSE_JIRA_URL"),
            logs=text("ROOTCAUSE_LINK_LOGS"),
            metrics=text("ROOTCAUSE_LINK_METRICS"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """Everything ``rootcause serve`` needs."""

    base: Settings
    desk: DeskSettings = field(default_factory=DeskSettings)
    slack: SlackSettings = field(default_factory=SlackSettings)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    web: WebSettings = field(default_factory=WebSettings)
    links: LinkSettings = field(default_factory=LinkSettings)
    live: LiveSettings = field(default_factory=LiveSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    redaction: RedactionSettings = field(default_factory=RedactionSettings)
    spread: SpreadSettings | None = None
    """Without it no logs are given to workers"""

    @classmethod
    def from_environment(cls) -> "ServeSettings":
        """Read all parts from the process's environment, and ``rootcause.yaml`` where there is one."""
        base = Settings.from_environment()
        return cls(
            base=base,
            desk=DeskSettings.from_environment(),
            slack=SlackSettings.from_environment(),
            evidence=EvidenceSettings.from_environment(),
            web=WebSettings.from_environment(),
            links=LinkSettings.from_environment(),
            live=live_settings(base.home),
            models=ModelSettings.from_environment(),
            redaction=RedactionSettings.from_environment(),
            spread=SpreadSettings.from_environment(),
        )
