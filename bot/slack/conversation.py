"""The talk around an investigation: what is said at once to a message, a command, a shortcut or a form.

Investigations themselves are the desk's, their answers the messenger's. Each method is one listener's one call.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.chat import Accepted, Asker, Desk, Place
from bot.errors import ChatBusyError, ChatRefusedError
from bot.slack import guide
from bot.slack.access import INVITE, AccessPolicy, Refused
from bot.slack.calls import Calls
from bot.slack.delivery import SlackMessenger
from bot.slack.identity import Identity
from bot.slack.intake import Heard, ask_of
from bot.slack.modals import FIELD_CHANNEL, FIELD_NAMESPACES, FIELD_QUESTION, FIELD_WINDOW, new_investigation_modal
from bot.slack.phrases import plural, span, zone
from bot.slack.posted import metadata
from bot.slack.sanitise import Sanitiser, escaped
from bot.slack.surface import COMMAND
from bot.slack.understanding import DEFAULT_QUESTION, Understood, meant_span, plain_words, understand, window_mistake

log = logging.getLogger(__name__)

_SLACK_BUSY = "Slack didn't take my message just now. Ask again in a moment."
_POST_S = 2.5
"""Within the three seconds that a command may wait for its acknowledgement."""

_RECENT = 50
_TOLD = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the listeners work with."""

    calls: Calls
    identity: Identity
    access: AccessPolicy
    desk: Desk
    messenger: SlackMessenger
    sanitiser: Sanitiser
    clock: Callable[[], datetime]


class Conversation:
    """Says what is to be said at once."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._told: OrderedDict[str, None] = OrderedDict()

    async def tell(self, heard: Heard) -> None:
        """Go on after a message was stored, refused, or asks for something that needs no investigation."""
        messenger = self._room.messenger
        if heard.refusal:
            if self._first(heard.key):
                await messenger.whisper(heard.place.channel, heard.user, heard.refusal, _thread(heard))
        elif heard.accepted is not None:
            said = await self._said_of(heard.accepted, heard.place)
            if said:
                await messenger.say(heard.place, f"said:{heard.key}", said)
        elif heard.sentence:
            await messenger.say(heard.place, f"said:{heard.key}", heard.sentence)
        elif heard.meant is not None and heard.asker is not None:
            said = await self._simple(heard.meant, heard.place, heard.asker, in_thread=True)
            await messenger.say(heard.place, f"said:{heard.key}", said)

    async def command(self, body: Mapping[str, Any]) -> str:
        """Answer the command; gives the sentence that only the person sees."""
        room, channel, user = self._room, str(body["channel_id"]), str(body["user_id"])
        try:
            granted = await room.access.check(user, channel)
            if isinstance(granted, Refused):
                return granted.reason
            known = await room.identity.known()
            text, tz = str(body.get("text") or ""), zone(granted.asker.tz)
            meant = understand(text, now=room.clock(), tz=tz, bot_user=known.user)
            if meant.verb != "investigate":
                place = Place(enterprise=known.enterprise, team=known.team, channel=channel, thread_ts="")
                return await self._simple(meant, place, granted.asker, in_thread=False)
            return await self._begin(meant, channel, granted.asker, f"command:{body.get('trigger_id', '')}")
        except ChatRefusedError as error:
            return INVITE if error.code in ("not_in_channel", "channel_not_found") else _refusal(error)
        except ChatBusyError:
            return _SLACK_BUSY

    async def thread(self, body: Mapping[str, Any]) -> None:
        """Investigate what a thread talks about, from the message shortcut."""
        room, message = self._room, body["message"]
        channel, user = str(body["channel"]["id"]), str(body["user"]["id"])
        root = str(message.get("thread_ts") or message["ts"])
        known = await room.identity.known()
        place = Place(enterprise=known.enterprise, team=known.team, channel=channel, thread_ts=root)
        granted = await room.access.check(user, channel)
        if isinstance(granted, Refused):
            await room.messenger.whisper(channel, user, granted.reason)
            return
        meant = understand(
            str(message.get("text") or ""), now=room.clock(), tz=zone(granted.asker.tz), bot_user=known.user
        )
        if meant.verb != "investigate":
            meant = Understood(verb="investigate")
        key = f"shortcut:{channel}:{body.get('action_ts') or body.get('trigger_id')}"
        accepted = await room.desk.submit(ask_of(meant, place, granted.asker, (key,), message_ts=None, at=room.clock()))
        if said := await self._said_of(accepted, place):
            await room.messenger.whisper(channel, user, said, root)

    async def form(self, body: Mapping[str, Any], channel: str | None = None) -> None:
        """Open the form for a new investigation."""
        await self._room.calls(
            "views.open", trigger_id=body["trigger_id"], view=new_investigation_modal(channel), deadline_s=_POST_S
        )

    async def submitted(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Start what a form asks for; gives what is wrong by field, nothing where it was started."""
        room, values = self._room, body["view"]["state"]["values"]
        channel = str(next(iter(values[FIELD_CHANNEL].values()))["selected_conversation"])
        window, question = _typed(values, FIELD_WINDOW), _typed(values, FIELD_QUESTION)
        try:
            user = str(body["user"]["id"])
            granted = await room.access.check(user, channel)
            if isinstance(granted, Refused):
                return {FIELD_CHANNEL: granted.reason}
            if not await room.access.can_see(user, channel):
                return {FIELD_CHANNEL: "You are not in this channel, so I can't show you what it holds."}
            if mistake := window_mistake(window, now=room.clock(), tz=zone(granted.asker.tz)):
                return {FIELD_WINDOW: mistake[:200]}
            names = tuple(dict.fromkeys(_typed(values, FIELD_NAMESPACES).lower().replace(",", " ").split()))
            meant = Understood(
                verb="investigate",
                question=plain_words(question, "") or DEFAULT_QUESTION,
                window=window,
                namespaces=names,
            )
            said = await self._begin(meant, channel, granted.asker, f"form:{body['view']['id']}")
        except ChatRefusedError as error:
            return {FIELD_CHANNEL: INVITE if error.code in ("not_in_channel", "channel_not_found") else _refusal(error)}
        except ChatBusyError:
            return {FIELD_CHANNEL: _SLACK_BUSY}
        return {} if said.startswith("On it") else {FIELD_CHANNEL: said[:200]}

    async def _begin(self, meant: Understood, channel: str, asker: Asker, key: str) -> str:
        """Post the message whose thread will hold everything, and start the work."""
        room = self._room
        known = await room.identity.known()
        told = self._announcement(meant, asker)
        posted = await room.calls(
            "chat.postMessage",
            channel=channel,
            text=told,
            metadata=metadata(key, "root"),
            unfurl_links=False,
            unfurl_media=False,
            deadline_s=_POST_S,
        )
        channel = str(posted.get("channel") or channel)
        place = Place(enterprise=known.enterprise, team=known.team, channel=channel, thread_ts=str(posted["ts"]))
        accepted = await room.desk.submit(ask_of(meant, place, asker, (key,), message_ts=None, at=room.clock()))
        if accepted.outcome in ("new", "duplicate"):
            queued = f" {plural(accepted.position, 'investigation')} before it." if accepted.position else ""
            return (
                f"On it: <{escaped(known.permalink(channel, place.thread_ts))}|everything is in this thread>.{queued}"
            )
        said = await self._said_of(accepted, place)
        await room.calls("chat.update", channel=channel, ts=place.thread_ts, text=f"{told}\n{said}", deadline_s=_POST_S)
        return said

    def _announcement(self, meant: Understood, asker: Asker) -> str:
        clean = self._room.sanitiser
        window = f"*{clean.text(meant.window, 80)}*" if meant.window else "the default window"
        where = f" in {', '.join(clean.code(each, 63) for each in meant.namespaces[:10])}" if meant.namespaces else ""
        zone_said = f" ({self._said_back(meant.window, asker)})" if meant.window else ""
        return (
            f"*{clean.text(meant.question, 300)}*\n"
            f"Investigating {window}{zone_said}{where}, asked by {clean.text(asker.name, 60)}. The answer comes in the thread."
        )

    def _said_back(self, window: str, asker: Asker) -> str:
        """Say what a window means in the asker's time zone; of a mere length only the zone is known yet."""
        tz = zone(asker.tz)
        meant = meant_span(window, now=self._room.clock(), tz=tz)
        return span(*meant, tz) if meant is not None else self._room.sanitiser.text(asker.tz, 40)

    async def _said_of(self, accepted: Accepted, place: Place) -> str:
        if accepted.outcome == "refused":
            return self._room.sanitiser.text(accepted.reason or "I can't take this on right now. Try again later.", 500)
        if accepted.outcome == "running" and accepted.place is not None and accepted.place != place:
            known = await self._room.identity.known()
            address = known.permalink(accepted.place.channel, accepted.place.thread_ts)
            return f"That is being investigated already: <{escaped(address)}|see this thread>."
        if accepted.outcome == "running":
            return "I'm on that already, in this thread."
        return ""  # the plan tells the rest, a place in the queue included

    async def _simple(self, meant: Understood, place: Place, asker: Asker, *, in_thread: bool) -> str:
        """Answer what needs no investigation."""
        desk, known, clean = self._room.desk, await self._room.identity.known(), self._room.sanitiser
        tz = zone(asker.tz)
        if meant.verb == "help":
            return guide.HELP
        if meant.verb == "unclear":
            return f"{clean.text(meant.sentence, 200)} {guide.HOW_TO_ASK}".strip()
        if meant.verb == "cancel":
            return await self._cancel(place, asker, in_thread=in_thread)
        works = await desk.recent(place.team, place.channel, _RECENT)
        if meant.verb == "last":
            done = next((work for work in works if work.state == "done"), None)
            if done is None and works:
                return f"Nothing has been answered here yet. `{COMMAND} status` tells what was asked."
            return guide.status_text([done] if done else [], known, clean, tz)
        running = [work for work in works if work.state in ("queued", "running")]
        return guide.status_text(running or works[:3], known, clean, tz)

    async def _cancel(self, place: Place, asker: Asker, *, in_thread: bool) -> str:
        desk = self._room.desk
        if in_thread:
            return "Stopping." if await desk.cancel(place, asker) else "Nothing runs in this thread."
        works = [
            work
            for work in await desk.recent(place.team, place.channel, _RECENT)
            if work.state in ("queued", "running")
        ]
        own = [work for work in works if work.asker.user == asker.user] or works
        if not own:
            return "Nothing runs in this channel."
        if len(own) > 1:
            known, clean, tz = await self._room.identity.known(), self._room.sanitiser, zone(asker.tz)
            return "Several run here; press Stop in the one you mean:\n" + guide.status_text(own, known, clean, tz)
        return "Stopping." if await desk.cancel(own[0].place, asker) else "It has just ended."

    def _first(self, key: str) -> bool:
        """Tell whether a refusal is new: Slack delivers again, and nobody wants to be refused four times."""
        if key in self._told:
            return False
        self._told[key] = None
        while len(self._told) > _TOLD:
            self._told.popitem(last=False)
        return True


def _typed(values: Mapping[str, Any], field: str) -> str:
    return str(values.get(field, {}).get("text", {}).get("value") or "").strip()


def _thread(heard: Heard) -> str | None:
    return heard.place.thread_ts if heard.place.thread_ts not in heard.key else None


def _refusal(error: ChatRefusedError) -> str:
    log.warning("slack refused", extra={"reason": error.code})
    return f"Slack doesn't let me do that ({error.code or 'refused'}). Ask whoever runs me to check `rootcause doctor`."
