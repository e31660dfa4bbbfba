"""Jira, Cloud and Data Center: issues are read into a case, and a report is written to an issue as a comment."""

from bot.sources.jira.posting import JiraTickets
from bot.sources.jira.source import JiraSource

__all__ = ["JiraSource", "JiraTickets"]
