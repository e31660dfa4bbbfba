"""The composition root of evidence: which sources an ask is answered from. Kept apart from ``app_serve``, for it is loaded
in every investigation's process, which has no use for a Slack app.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.chat import Ask
from bot.domain.ports import Source
from bot.domain.window import Window
from bot.errors import UsageError
from bot.investigation.workflow_process import window_words
from bot.investigation.workflow_sources import WithoutChat
from bot.settings import EvidenceSettings, SlackSettings
from bot.sources.export import ExportSource
from bot.sources.slack import SharedPace, SlackSource

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATER = timedelta(days=36_500)
"""Past any message: a recorded incident may be dated after the clock of the machine that replays it."""
MOST_MESSAGES = 5000
"""So many messages are read where evidence is an export: its incident may lie anywhere in the past, so the channel is read
back from its newest message, and 25 pages cost half of a minute's calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSources:
    """Makes an investigation's sources: the asking channel, and the export that stands in for the cluster."""

    home: Path
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
                    pace=SharedPace(self.home / "slack-pace.sqlite"),
                    most_messages=MOST_MESSAGES,
                )
            )
        if not sources:
            raise UsageError("There is nothing to read here: ask me in the incident's channel.")
        return sources

    def _window(self, ask: Ask) -> Window:
        if self.evidence.export is not None or ask.window is None:
            # "5d" is counted back from the material's end, which is not known yet, and need not be near the asking
            return Window(start=EPOCH, end=ask.asked_at + LATER, asked=ask.window or "")
        return window_words(ask).window
