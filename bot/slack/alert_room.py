"""Take an alert into a channel: a message whose thread will hold everything, and the work, each once.

The message carries the firing's key, and is looked for before it is posted: Alertmanager delivers more than once, to a
process that may have ended in between.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from bot.domain.alerts import Firing
from bot.domain.chat import Ask, Asker, Desk, Place
from bot.errors import ChatBusyError, ChatRefusedError
from bot.slack.connection import Connection
from bot.slack.posted import metadata
from bot.slack.sanitise import escaped
from bot.slack.surface import METADATA_EVENT

_LOOKED_AT = 200
"""Messages of the channel that are looked through: a repetition comes within minutes of the first delivery, or hours."""
_POST_S = 10.0


class AlertRoom:
    """One channel that alerts begin investigations in; ``window`` is what is read, back from the alert."""

    def __init__(self, connection: Connection, desk: Desk, channel: str, window: str) -> None:
        self._connection = connection
        self._desk = desk
        self._channel = channel
        self._window = window
        self._one_by_one = asyncio.Lock()

    async def take(self, firing: Firing) -> Literal["taken", "known", "refused", "later"]:
        """Post and store; when this returns, a crash loses nothing."""
        connection = self._connection
        try:
            if not await connection.access.open_to_posts(self._channel):
                return "refused"
            known = await connection.identity.known()
            async with self._one_by_one:
                ts = await self._posted(firing.key, known.bot) or await self._post(firing)
        except ChatBusyError:
            return "later"
        except ChatRefusedError:
            return "refused"
        accepted = await self._desk.submit(
            Ask(
                kind="investigate",
                keys=(firing.key,),
                place=Place(enterprise=known.enterprise, team=known.team, channel=self._channel, thread_ts=ts),
                asker=Asker(user=known.user, name="Alertmanager"),
                question=firing.question,
                window=self._window,
                namespaces=firing.namespaces,
                message_ts=ts,
                asked_at=connection.clock(),
            )
        )
        if accepted.outcome in ("refused", "running"):
            await self._say_why(ts, accepted.reason or "An investigation of this is under way already.")
        return "taken" if accepted.outcome == "new" else "refused" if accepted.outcome == "refused" else "known"

    async def _post(self, firing: Firing) -> str:
        more = f" ({firing.count} alerts)" if firing.count > 1 else ""
        posted = await self._connection.calls(
            "chat.postMessage",
            channel=self._channel,
            text=f"🔔 {escaped(firing.question)}{more} I look back {escaped(self._window)}.",
            metadata=metadata(firing.key, "root"),
            unfurl_links=False,
            unfurl_media=False,
            deadline_s=_POST_S,
        )
        return str(posted["ts"])

    async def _posted(self, key: str, bot: str) -> str | None:
        answer = await self._connection.calls(
            "conversations.history",
            channel=self._channel,
            limit=_LOOKED_AT,
            include_all_metadata=True,
            deadline_s=_POST_S,
        )
        return next((str(each["ts"]) for each in answer.get("messages") or () if _is_it(each, key, bot)), None)

    async def _say_why(self, ts: str, reason: str) -> None:
        await self._connection.calls(
            "chat.postMessage", channel=self._channel, thread_ts=ts, text=escaped(reason), deadline_s=_POST_S
        )


def _is_it(message: Mapping[str, Any], key: str, bot: str) -> bool:
    told = message.get("metadata") or {}
    own = not bot or message.get("bot_id") == bot
    found: object = (told.get("event_payload") or {}).get("key")
    return own and told.get("event_type") == METADATA_EVENT and found == key
