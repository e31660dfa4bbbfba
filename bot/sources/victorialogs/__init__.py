"""Reads a VictoriaLogs into a case."""

from bot.sources.victorialogs.source import VictoriaLogsSource

__all__ = ["VictoriaLogsSource"]
