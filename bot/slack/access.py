"""Who may ask, and where: members of this workspace, in allowed places, and nobody while that cannot be checked.

Slack tells who a person is (``users.info``) and what a channel is (``conversations.info``); both are kept for at most five
minutes. A channel shared with another organisation is refused unless allowed, because everything posted there is theirs too
(https://docs.slack.dev/apis/slack-connect). What it leaves out: telling the refused (``room``), and deciding what is asked.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.domain.chat import Asker, Audience
from bot.errors import ChatBusyError, ChatRefusedError
from bot.slack.calls import Calls
from bot.slack.identity import Identity

KEPT_S = 300.0
"""How long an answer of Slack's about a person or a channel is believed."""

INVITE = "I'm not in this channel. Invite me with `/invite @rootcause` and ask again."

_LOOKUP_S = 2.0
"""Within Slack's three seconds for an acknowledgement."""

_MOST_KEPT = 5000
_MEMBER_PAGES = 20
_MEMBER_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The person may ask here."""

    asker: Asker


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The person may not; ``reason`` is a sentence for them."""

    reason: str


class AccessPolicy:
    """Decides from the allow-lists and from what Slack says; raises ChatBusyError where Slack does not answer."""

    def __init__(self, calls: Calls, identity: Identity, audience: Audience) -> None:
        self._calls = calls
        self._identity = identity
        self._audience = audience
        self._kept: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[dict[str, Any]]] = {}

    async def check(self, user: str, channel: str | None, *, shared: bool = False) -> Granted | Refused:
        """Decide on a person in a channel (None: no channel, as in App Home); ``shared`` is what the event says of it."""
        refusal = await self._channel_refusal(channel, shared=shared)
        if refusal is not None:
            return Refused(reason=refusal)
        try:
            person = await self._person(user)
        except ChatRefusedError:
            return Refused(reason="I can't tell who you are, so I can't answer you here.")
        refusal = await self._person_refusal(user, person)
        if refusal is None and channel is not None and channel.startswith("D"):
            refusal = await self._direct_refusal(user)
        if refusal is not None:
            return Refused(reason=refusal)
        profile = person.get("profile") or {}
        name = profile.get("display_name") or person.get("real_name") or person.get("name") or user
        return Granted(asker=Asker(user=user, name=str(name), tz=str(person.get("tz") or "UTC")))

    async def open_to_posts(self, channel: str) -> bool:
        """Tell whether evidence may (still) be posted to a channel: it may have become shared since the question."""
        return await self._channel_refusal(channel, shared=False) is None

    async def can_see(self, user: str, channel: str) -> bool:
        """Tell whether a person may read a channel: it is public, or they are a member; their own direct messages."""
        try:
            about = await self._about(channel) if not channel.startswith("D") else {"is_private": True}
            if not about.get("is_private") and not about.get("is_mpim"):
                return True
            members = await self._look_up("members", channel, lambda: self._members(channel))
        except ChatRefusedError:
            return False
        return user in members["ids"]

    async def _channel_refusal(self, channel: str | None, *, shared: bool) -> str | None:
        if channel is None or channel.startswith("D"):
            return None
        if self._audience.channels and channel not in self._audience.channels:
            return "I'm not set up to answer in this channel. Ask whoever runs me to add it to the allowed channels."
        return None if self._audience.shared_channels else await self._sharing_refusal(channel, shared=shared)

    async def _sharing_refusal(self, channel: str, *, shared: bool) -> str | None:
        try:
            about = {"is_ext_shared": True} if shared else await self._about(channel)
        except ChatRefusedError as error:
            if error.code == "channel_not_found":
                return INVITE
            return "I can't check who reads this channel, so I don't answer here."
        if about.get("is_member") is False:
            self._kept.pop(("channel", channel), None)  # an invitation must count at once
            return INVITE
        if about.get("is_ext_shared") or about.get("is_pending_ext_shared"):
            return "This channel is shared with another organisation, so I don't post evidence here."
        return None

    async def _direct_refusal(self, user: str) -> str | None:
        """Answer direct messages only of who can read a channel that is allowed: there they would see the same."""
        for channel in sorted(self._audience.channels):
            if await self.can_see(user, channel):
                return None
        return (
            "You can't read any channel I answer in, so I can't answer you here." if self._audience.channels else None
        )

    async def _person_refusal(self, user: str, person: dict[str, Any]) -> str | None:
        own = await self._identity.known()
        if person.get("deleted") or person.get("is_bot"):
            return "I only answer people."
        if person.get("is_restricted") or person.get("is_ultra_restricted"):
            return "I don't answer guests. Ask a member of this workspace to ask me."
        grid = (person.get("enterprise_user") or {}).get("enterprise_id")
        at_home = person.get("team_id") in (None, own.team) or (own.enterprise is not None and grid == own.enterprise)
        if person.get("is_stranger") or not at_home:
            return "I only answer people of this workspace."
        allowed = self._audience.users | self._audience.groups
        if not allowed or user in self._audience.users or await self._in_group(user):
            return None
        return "You are not on the list of people I answer. Ask whoever runs me to add you."

    async def _in_group(self, user: str) -> bool:
        for group in sorted(self._audience.groups):
            try:
                answer = await self._look_up("group", group, partial(self._group, group))
            except ChatRefusedError:
                continue
            if user in answer["ids"]:
                return True
        return False

    async def _person(self, user: str) -> dict[str, Any]:
        answer = await self._look_up("user", user, lambda: self._calls("users.info", user=user, deadline_s=_LOOKUP_S))
        found = answer.get("user")
        if not isinstance(found, dict):
            raise ChatRefusedError("Slack does not know this person.", code="user_not_found")
        return found

    async def _about(self, channel: str) -> dict[str, Any]:
        answer = await self._look_up(
            "channel", channel, lambda: self._calls("conversations.info", channel=channel, deadline_s=_LOOKUP_S)
        )
        found = answer.get("channel")
        return found if isinstance(found, dict) else {}

    async def _group(self, group: str) -> dict[str, Any]:
        answer = await self._calls("usergroups.users.list", usergroup=group, deadline_s=_LOOKUP_S)
        return {"ids": frozenset(answer.get("users") or ())}

    async def _members(self, channel: str) -> dict[str, Any]:
        ids: set[str] = set()
        cursor = None
        for _ in range(_MEMBER_PAGES):
            answer = await self._calls(
                "conversations.members", channel=channel, limit=_MEMBER_PAGE, cursor=cursor, deadline_s=_LOOKUP_S
            )
            ids |= set(answer.get("members") or ())
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                break
        return {"ids": frozenset(ids)}

    async def _look_up(self, kind: str, name: str, ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """Ask once, however many wait, and keep the answer; a failure is not kept."""
        key, now = (kind, name), asyncio.get_running_loop().time()
        kept = self._kept.get(key)
        if kept is not None and now - kept[0] < KEPT_S:
            return kept[1]
        task = self._asking.get(key)
        if task is None:
            task = asyncio.ensure_future(_run(ask))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._answered(key, done))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise ChatBusyError("The look-up was given up.") from error
            raise

    def _answered(self, key: tuple[str, str], task: "asyncio.Task[dict[str, Any]]") -> None:
        self._asking.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            return
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[key] = (asyncio.get_running_loop().time(), task.result())


async def _run(ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    return await ask()
