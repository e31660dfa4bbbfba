"""The only reader of the environment, so that everything else is told where it lives and can be tested anywhere.

What a command line option decides is not here. One class a part; each attribute has its unit, its default and why.
"""

from bot.settings.base import Settings
from bot.settings.live import (
    Access,
    ChannelSettings,
    ClusterSettings,
    GrafanaSettings,
    JiraSettings,
    KubernetesSettings,
    LiveSettings,
    LogsSettings,
    PrometheusSettings,
    RecorderSettings,
    WebhookSettings,
)
from bot.settings.live_yaml import live_settings, read_live
from bot.settings.models import BudgetSettings, ModelSettings
from bot.settings.reading import ReadingSettings
from bot.settings.recording import RecordSettings
from bot.settings.redaction import RedactionSettings
from bot.settings.secret import Secret
from bot.settings.serving import (
    DeskSettings,
    EvidenceSettings,
    LinkSettings,
    ServeSettings,
    SlackSettings,
    WebSettings,
)
from bot.settings.spreading import SpreadSettings, WorkerSettings

__all__ = [
    "Access",
    "BudgetSettings",
    "ChannelSettings",
    "ClusterSettings",
    "DeskSettings",
    "EvidenceSettings",
    "GrafanaSettings",
    "JiraSettings",
    "KubernetesSettings",
    "LinkSettings",
    "LiveSettings",
    "LogsSettings",
    "ModelSettings",
    "PrometheusSettings",
    "ReadingSettings",
    "RecordSettings",
    "RecorderSettings",
    "RedactionSettings",
    "Secret",
    "ServeSettings",
    "Settings",
    "SlackSettings",
    "SpreadSettings",
    "WebSettings",
    "WebhookSettings",
    "WorkerSettings",
    "live_settings",
    "read_live",
]
