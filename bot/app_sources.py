"""The composition root of evidence: which sources an ask is answered from. Kept apart from ``app_serve``, for it is loaded
in every investigation's process, which has no use for a Slack app.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.chat import Ask
from bot.domain.ports import Source
from bot.domain.window import Window
from bot.errors import UsageError
from bot.investigation.workflow_process import window_words
from bot.investigation.workflow_sources import WithoutChat
from bot.settings import EvidenceSettings, SlackSettings
from bot.sources.export import ExportSource
from bot.sources.slack import SlackSource

HISTORY = timedelta(days=90)
"""How far back a channel is read where evidence is an export: its incident lies in the past, and chat about it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSources:
    """Makes an investigation's sources: the asking channel, and the export that stands in for the cluster."""

    slack: SlackSettings
    evidence: EvidenceSettings

    def __call__(self, ask: Ask) -> Sequence[Source]:
        """Make them for one ask; in a direct message there is no channel to read."""
        sources: list[Source] = []
        in_channel = not ask.place.channel.startswith("D")
        if self.evidence.export is not None:
            export = ExportSource(self.evidence.export)
            sources.append(WithoutChat(export) if in_channel else export)
        if in_channel and self.slack.bot_token:
            sources.append(
                SlackSource(
                    token=self.slack.bot_token,
                    channel=ask.place.channel,
                    window=self._window(ask),
                    base_url=self.slack.api_url,
                )
            )
        if not sources:
            raise UsageError("There is nothing to read here: ask me in the incident's channel.")
        return sources

    def _window(self, ask: Ask) -> Window:
        if self.evidence.export is not None or ask.window is None:
            return Window(start=ask.asked_at - HISTORY, end=ask.asked_at, asked=ask.window or "")
        return window_words(ask).window
