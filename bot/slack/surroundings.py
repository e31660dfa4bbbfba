"""App Home, reactions, and the bot's arrival in a channel: what happens beside conversations."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from bot.domain.chat import Place
from bot.slack import guide
from bot.slack.access import Refused
from bot.slack.conversation import Room
from bot.slack.phrases import zone
from bot.slack.surface import METADATA_EVENT

log = logging.getLogger(__name__)

Health = Callable[[], Awaitable[Sequence[tuple[str, bool, str]]]]
"""Gives a row for each source: its name, whether it is well, and a detail for a person."""

_RECENT = 40
_OPINIONS: dict[str, Literal["right", "wrong"]] = {
    **dict.fromkeys(("+1", "thumbsup", "100"), "right"),
    **dict.fromkeys(("-1", "thumbsdown"), "wrong"),
}


async def nothing_to_tell() -> Sequence[tuple[str, bool, str]]:
    """Give no rows."""
    return ()


class Surroundings:
    """Shows App Home and takes reactions."""

    def __init__(self, room: Room, health: Health = nothing_to_tell) -> None:
        self._room = room
        self._health = health

    async def home(self, event: Mapping[str, Any]) -> None:
        """Publish App Home for whoever opened it: only what they may see in Slack."""
        if event.get("tab", "home") != "home":
            return
        room, user = self._room, str(event["user"])
        granted = await room.access.check(user, None)
        if isinstance(granted, Refused):
            view: dict[str, Any] = {"type": "home", "blocks": guide.refused_blocks(granted.reason)}
        else:
            known = await room.identity.known()
            works = [
                work
                for work in await room.desk.recent(known.team, None, _RECENT)
                if work.asker.user == user or await room.access.can_see(user, work.place.channel)
            ]
            view = guide.home_view(works, await self._health(), known, room.sanitiser, zone(granted.asker.tz))
        await room.calls("views.publish", user_id=user, view=view)

    async def reaction(self, event: Mapping[str, Any]) -> None:
        """Take a thumb under an answer as feedback."""
        room, item = self._room, event.get("item") or {}
        verdict = _OPINIONS.get(str(event.get("reaction", "")).partition("::")[0])
        known = await room.identity.known()
        if verdict is None or item.get("type") != "message" or event.get("item_user") not in (None, known.user):
            return
        granted = await room.access.check(str(event["user"]), str(item["channel"]))
        if isinstance(granted, Refused):
            return
        message = await self._message(str(item["channel"]), str(item["ts"]))
        told = message.get("metadata") or {}
        if told.get("event_type") != METADATA_EVENT or (told.get("event_payload") or {}).get("kind") != "answer":
            return
        thread_ts = str(message.get("thread_ts") or item["ts"])
        place = Place(enterprise=known.enterprise, team=known.team, channel=str(item["channel"]), thread_ts=thread_ts)
        await room.desk.record_feedback(place, granted.asker, verdict)

    async def _message(self, channel: str, ts: str) -> dict[str, Any]:
        """Read one message; Slack gives the thread's root along with a reply."""
        answer = await self._room.calls(
            "conversations.replies",
            channel=channel,
            ts=ts,
            oldest=ts,
            latest=ts,
            inclusive=True,
            limit=5,
            include_all_metadata=True,
        )
        return next((each for each in answer.get("messages") or () if each.get("ts") == ts), {})

    async def arrived(self, event: Mapping[str, Any]) -> None:
        """Tell whoever invited the app how to ask it."""
        known = await self._room.identity.known()
        if event.get("user") == known.user and event.get("inviter"):
            await self._room.messenger.whisper(str(event["channel"]), str(event["inviter"]), guide.HELP)

    async def gone(self, event: Mapping[str, Any]) -> None:
        """Note that the workspace took the app's rights away."""
        log.error("the app lost its rights in the workspace", extra={"event": event.get("type")})

    async def failed(self, channel: str | None, user: str | None, reference: str, *, slacks: bool = False) -> None:
        """Tell a person that something went wrong, here or (``slacks``) at Slack, with what it is logged under."""
        if channel is None or user is None:
            return
        what = "Slack didn't take what I wanted to show just now" if slacks else "Something went wrong on my side"
        sentence = f"{what}; nothing is lost, try it again. If it happens again, tell whoever runs me: {reference}."
        await self._room.messenger.whisper(channel, user, sentence)
