"""Write a report to an issue as a comment, once: a mark in the comment tells whether it stands there already.

Jira has no idempotency key for comments, and a reply can get lost behind a comment that was written. So the comments of our own
account are searched for the mark before each attempt, and nothing is sent twice within one. Whoever copies the mark into a
comment of their own keeps nothing from being written.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bot.domain.report import Report
from bot.domain.tickets import document_text
from bot.errors import TicketBusyError, TicketRefusedError, UsageError
from bot.pages.ticket import adf_comment, wiki_comment
from bot.redaction.posted import POSTING, Posting
from bot.settings.live import JiraSettings
from bot.wire import RefusedError, RejectedError, WireError

if TYPE_CHECKING:  # the client library loads with the first comment
    from bot.sources.jira.api import JiraApi

DEADLINE_S = 20.0
"""For all calls of one attempt; the desk makes several."""
SEARCHED = 1000
"""Comments looked through for the mark, the newest first."""


class JiraTickets:
    """Implements ``bot.investigation.desk_ports.Tickets``."""

    def __init__(self, settings: JiraSettings, deadline_s: float = DEADLINE_S, posting: Posting = POSTING) -> None:
        self._posting = posting
        self._settings = settings
        self._deadline_s = deadline_s

    async def comment(self, ticket: str, mark: str, report: Report) -> str:
        """Write the comment unless it stands there; give its address."""
        return await asyncio.to_thread(self._comment, ticket, mark, report)

    def _comment(self, ticket: str, mark: str, report: Report) -> str:
        from bot.sources.jira.api import JiraApi  # noqa: PLC0415 - loads the Atlassian client

        try:
            with JiraApi(self._settings, self._deadline_s, attempts=1) as api:
                key = self._key(api, ticket)
                written = _found(api, key, mark) or api.post(
                    f"issue/{key}/comment", {"body": self._body(api, mark, report)}
                )
        except UsageError as error:
            raise TicketRefusedError(str(error)) from error
        except (RefusedError, RejectedError) as error:
            raise TicketRefusedError(_refusal(ticket, error)) from error
        except WireError as error:
            raise TicketBusyError(f"Jira did not take the comment: {error}.") from error
        return f"{api.url}/browse/{quote(key)}?focusedCommentId={quote(str(written.get('id')))}"

    def _body(self, api: "JiraApi", mark: str, report: Report) -> Any:  # noqa: ANN401 - text or a document
        made = adf_comment if api.cloud else wiki_comment
        return made(report, mark, self._posting)

    def _key(self, api: "JiraApi", ticket: str) -> str:
        """Give the issue's present key: an issue that was moved away is not written to."""
        from bot.sources.jira.api import restricted  # noqa: PLC0415 - in the module with the Atlassian client

        issue = api.issue(ticket)
        if issue is None:
            raise TicketRefusedError(f"Jira shows no issue {ticket} to my account, so nothing was posted.")
        key = str(issue.get("key") or ticket)
        if key.partition("-")[0] not in self._settings.projects:
            raise TicketRefusedError(f"{ticket} is {key} now, in a project that I may not post to. Nothing was posted.")
        if restricted(issue):
            raise TicketRefusedError(f"{key} has a security level, so I keep out of it. Nothing was posted.")
        return key


def _found(api: "JiraApi", key: str, mark: str) -> Mapping[str, Any] | None:
    me = api.me()
    for comment in api.comments(key, SEARCHED):
        if api.author(comment) == me and mark in document_text(comment.get("body")):
            return comment
    return None


def _refusal(ticket: str, error: WireError) -> str:
    """Say what was refused and what to do; a status tells which of the two it was."""
    if error.status == 401:
        return "Jira does not accept my token, so nothing was posted. Ask whoever runs me to renew it."
    if error.status == 403:
        return f"Jira does not let my account comment on {ticket}. It needs Browse Projects and Add Comments there."
    if error.status == 413 or b"TOO_LONG" in error.body or b"too long" in error.body:
        return f"Jira finds the report too long for a comment on {ticket}, so nothing was posted."
    return f"Jira refused the comment on {ticket} (HTTP {error.status}), so nothing was posted."
