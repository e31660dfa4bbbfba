"""The recorder's archive as a source; see ``source``."""

from bot.sources.recorder.source import RecorderSource, recorded_spans

__all__ = ["RecorderSource", "recorded_spans"]
