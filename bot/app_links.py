"""The composition root of links: where the evidence of an answer can be opened, as it is configured where it is shown."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from bot.domain.links import LinkTemplates, evidence_url, kibana_discover, link_templates, victorialogs_select
from bot.domain.report import Answer, Report
from bot.settings import LinkSettings, LiveSettings, live_settings

_Shown = TypeVar("_Shown", Answer, Report)


def linked(shown: _Shown, home: Path) -> _Shown:
    """Give an answer or a report with links to its evidence, where something is configured that it can be opened in."""
    links, live = LinkSettings.from_environment(), live_settings(home)
    if not live.names_a_source and links == LinkSettings():
        return shown
    templates = links_of(links, live)
    return replace(
        shown, evidence={key: replace(one, url=evidence_url(one, templates)) for key, one in shown.evidence.items()}
    )


def links_of(links: LinkSettings, live: LiveSettings) -> LinkTemplates:
    """Choose where evidence is opened: what the environment names, else what ``rootcause.yaml`` reads from.

    A metrics or log store is linked to only where there is one that browsers reach: no link may lead into another
    cluster's.
    """
    named = asdict(links)
    metrics = [cluster.prometheus.public_url for cluster in live.clusters if cluster.prometheus]
    stores = [(cluster.logs.kind, cluster.logs.public_url or "") for cluster in live.clusters if cluster.logs]
    found: dict[str, str | None] = {
        "grafana_url": live.grafana.url if live.grafana else None,
        "grafana_logs": live.grafana.logs if live.grafana else None,
        "grafana_metrics": live.grafana.metrics if live.grafana else None,
        "prometheus_url": metrics[0] if len(metrics) == 1 else None,
        "jira_url": live.jira.url if live.jira else None,
    }
    chosen: dict[str, str | None] = {key: value or found.get(key) for key, value in named.items()}
    in_grafana = chosen["grafana_url"] and chosen["grafana_logs"]
    if not chosen["logs"] and not in_grafana and len(stores) == 1 and stores[0][1]:
        made = {"victorialogs": victorialogs_select, "elasticsearch": kibana_discover}.get(stores[0][0])
        chosen["logs"] = made(stores[0][1]) if made else None
    return link_templates(**chosen)
