"""Import an incident export: what standard tools print, recognised by content, read as a stream, trusted in nothing."""

from bot.sources.export.archives import Limits
from bot.sources.export.source import ExportSource, total_bytes

__all__ = ["ExportSource", "Limits", "total_bytes"]
