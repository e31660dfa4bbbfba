"""Reads a Loki into a case."""

from bot.sources.loki.source import LokiSource

__all__ = ["LokiSource"]
