"""Prometheus and what speaks its API (Thanos, Mimir, VictoriaMetrics) as a source of series."""

from bot.sources.prometheus.ranges import PrometheusRange
from bot.sources.prometheus.source import PrometheusAddress, PrometheusSource

__all__ = ["PrometheusAddress", "PrometheusRange", "PrometheusSource"]
