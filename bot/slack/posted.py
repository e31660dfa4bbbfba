"""Finds what was posted already: every post carries its key in its metadata, and is looked for before posting again.

Slack has no idempotency key for posts, so an answer that got lost on its way back is settled by reading the thread
(https://docs.slack.dev/reference/methods/conversations.replies with ``include_all_metadata``).
"""

from dataclasses import dataclass
from typing import Any

from bot.domain.chat import Place
from bot.errors import ChatRefusedError
from bot.slack.calls import Calls
from bot.slack.surface import METADATA_EVENT

_PAGE = 200
_PAGES = 25
_NO_THREAD = frozenset({"thread_not_found", "message_not_found"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One of the app's messages in a thread: its ``ts``, and whether it is a plan."""

    ts: str
    kind: str


def metadata(key: str, kind: str) -> dict[str, Any]:
    """Give the metadata that makes a post findable."""
    return {"event_type": METADATA_EVENT, "event_payload": {"key": key, "kind": kind}}


async def find_posted(calls: Calls, place: Place, bot: str) -> dict[str, Posted]:
    """Give the keys of everything the app (``bot``: its bot id) has in a thread.

    Slack lists a thread oldest first, so all of it is read. Raises ChatBusyError where Slack does not answer.
    """
    found: dict[str, Posted] = {}
    cursor = None
    for _ in range(_PAGES):
        try:
            answer = await calls(
                "conversations.replies",
                channel=place.channel,
                ts=place.thread_ts,
                include_all_metadata=True,
                limit=_PAGE,
                cursor=cursor,
            )
        except ChatRefusedError as error:
            if error.code in _NO_THREAD:
                return found
            raise
        for message in answer.get("messages") or ():
            _note(message, bot, found)
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            break
    return found


def _note(message: dict[str, Any], bot: str, found: dict[str, Posted]) -> None:
    told = message.get("metadata") or {}
    payload = told.get("event_payload") or {}
    own = not bot or message.get("bot_id") == bot  # anybody may write metadata; only the app's own counts
    if own and told.get("event_type") == METADATA_EVENT and "key" in payload:
        found[str(payload["key"])] = Posted(ts=str(message.get("ts", "")), kind=str(payload.get("kind", "")))
