"""Reads a live Slack channel and its threads into a case."""

from bot.sources.slack.pace import Pace
from bot.sources.slack.shared_pace import SharedPace
from bot.sources.slack.source import SlackSource

__all__ = ["Pace", "SharedPace", "SlackSource"]
