"""Grafana's annotations as a source of changes."""

from bot.sources.grafana.source import GrafanaSource

__all__ = ["GrafanaSource"]
