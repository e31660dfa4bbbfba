"""The state of a local workspace: people, channels, messages and what became of them, all in memory.

Messages are kept in Slack's own shape, so that whoever reads them back finds what was posted. Who may see or do what
is decided in the API's methods; what the app is told of a change, in ``events``.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.playground.refusal import Refusal

Json = dict[str, Any]
ChannelKind = Literal["channel", "group", "im", "mpim"]


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody with an id: a colleague, a guest, a stranger of another workspace, or a bot."""

    id: str
    name: str
    real_name: str
    team: str
    tz: str = "UTC"
    tz_offset_s: int = 0
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    deleted: bool = False


@dataclass(slots=True, kw_only=True)
class Channel:
    """A conversation and its messages by ``ts``, oldest first; ``ephemerals`` are never part of its history."""

    id: str
    name: str
    kind: ChannelKind = "channel"
    members: list[str] = field(default_factory=list)
    created: int = 0
    creator: str = ""
    topic: str = ""
    purpose: str = ""
    is_archived: bool = False
    connected_teams: tuple[str, ...] = ()
    messages: dict[str, Json] = field(default_factory=dict)
    ephemerals: list[Json] = field(default_factory=list)

    @property
    def is_ext_shared(self) -> bool:
        """Whether people of another organisation read along (Slack Connect)."""
        return bool(self.connected_teams)

    def thread(self, root_ts: str) -> list[Json]:
        """List a thread's messages, its root first."""
        return [each for each in self.messages.values() if root_ts in {each["ts"], each.get("thread_ts")}]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGroup:
    """A named group of people."""

    id: str
    handle: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppProfile:
    """What the app was installed with: who its bot is, its scopes, the events and commands it asked for."""

    app_id: str = "A0ROOTCAUSE"
    bot_id: str = "B0ROOTCAUSE"
    bot_user: str = "U0ROOTCAUSE"
    name: str = "rootcause"
    scopes: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    commands: tuple[str, ...] = ()
    shortcuts: tuple[tuple[str, str, str], ...] = ()
    """Kind (``message`` or ``global``), callback id and name of each shortcut."""

    @classmethod
    def from_manifest(cls, manifest: Json) -> "AppProfile":
        """Read scopes, events, commands and shortcuts from an app manifest (already parsed YAML or JSON)."""
        features: Json = manifest.get("features", {})
        scopes: Json = manifest.get("oauth_config", {}).get("scopes", {})
        subscriptions: Json = manifest.get("settings", {}).get("event_subscriptions", {})
        return cls(
            name=features.get("bot_user", {}).get("display_name", "rootcause"),
            scopes=frozenset([*scopes.get("bot", ()), *scopes.get("bot_optional", ())]),
            events=frozenset(subscriptions.get("bot_events", ())),
            commands=tuple(each["command"] for each in features.get("slash_commands", ())),
            shortcuts=tuple(
                (each["type"], each["callback_id"], each["name"]) for each in features.get("shortcuts", ())
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something happened: ``kind`` names it (``message``, ``edited``, ``reaction``, ``view``), ``detail`` tells it."""

    kind: str
    channel: str
    detail: Json


class Workspace:
    """One team and everything in it; tells its watchers of every change, in order."""

    def __init__(
        self,
        *,
        team: str = "T0PLAYGROUND",
        domain: str = "playground",
        app: AppProfile | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.team = team
        self.domain = domain
        self.app = app or DEFAULT_APP
        self.clock = clock
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, UserGroup] = {}
        self.views: dict[str, Json] = {}
        self.homes: dict[str, Json] = {}
        self.files: dict[str, Json] = {}
        self.file_bytes: dict[str, bytes] = {}
        self._watchers: list[Callable[[Change], None]] = []
        self._last_micros = 0
        self._counter = 0
        self.add_person(
            Person(id=self.app.bot_user, name=self.app.name, real_name=self.app.name, team=team, is_bot=True)
        )

    def watch(self, watcher: Callable[[Change], None]) -> None:
        """Have a callable told of every change from now on."""
        self._watchers.append(watcher)

    def tell(self, kind: str, channel: str, detail: Json) -> None:
        """Tell every watcher of a change."""
        change = Change(kind=kind, channel=channel, detail=detail)
        for watcher in list(self._watchers):
            watcher(change)

    def next_id(self, prefix: str) -> str:
        """Give an id nobody has."""
        self._counter += 1
        return f"{prefix}{self._counter:09X}"

    def next_ts(self) -> str:
        """Give the present moment as Slack writes it; never the same twice."""
        self._last_micros = max(self._last_micros + 1, int(self.clock() * 1_000_000))
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def add_person(self, person: Person) -> Person:
        """Let somebody in."""
        self.people[person.id] = person
        return person

    def add_channel(self, channel: Channel) -> Channel:
        """Open a channel."""
        self.channels[channel.id] = channel
        return channel

    def add_group(self, group: UserGroup) -> None:
        """Form a user group."""
        self.groups[group.id] = group

    def direct(self, user: str) -> Channel:
        """Give the direct conversation between the bot and somebody; opens it where there is none."""
        channel = Channel(id=f"D{user[1:]}", name=user, kind="im", members=[user, self.app.bot_user])
        return self.channels.get(channel.id) or self.add_channel(channel)

    def find(self, channel: str) -> Channel:
        """Find a channel by its id or, as the page and the tests do, by its name."""
        if channel in self.channels:
            return self.channels[channel]
        for each in self.channels.values():
            if each.name == channel.removeprefix("#") and each.kind != "im":
                return each
        raise Refusal("channel_not_found")

    def message(self, channel: Channel, ts: str) -> Json:
        """Find a message; refuse with ``message_not_found``."""
        if ts not in channel.messages:
            raise Refusal("message_not_found")
        return channel.messages[ts]

    def post(self, channel: Channel, message: Json) -> Json:
        """Put a new message into a channel, keep its thread's counts, and tell."""
        stored: Json = {"type": "message", **message}
        stored.setdefault("ts", self.next_ts())
        stored.setdefault("team", self.team)
        channel.messages[stored["ts"]] = stored
        self._count_reply(channel, stored)
        self.tell("message", channel.id, stored)
        return stored

    def load(self, channel: Channel, messages: Iterable[Json]) -> None:
        """Put old messages into a channel without telling anybody."""
        for message in sorted([*channel.messages.values(), *messages], key=lambda each: float(each["ts"])):
            channel.messages.pop(message["ts"], None)
            channel.messages[message["ts"]] = message
        for message in list(channel.messages.values()):
            self._count_reply(channel, message)

    def edit(self, channel: Channel, ts: str, changes: Json) -> Json:
        """Change fields of a message (None removes one) and tell."""
        before = dict(self.message(channel, ts))
        after = {name: value for name, value in {**before, **changes}.items() if value is not None}
        channel.messages[ts] = after
        self.tell("edited", channel.id, {"message": after, "previous_message": before})
        return after

    def remove(self, channel: Channel, ts: str) -> None:
        """Delete a message; a thread's root leaves a tombstone, as in Slack."""
        before = self.message(channel, ts)
        if before.get("reply_count"):
            tombstone = {"subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT"}
            kept = {name: before[name] for name in _THREAD_FIELDS if name in before}
            channel.messages[ts] = {"type": "message", "ts": ts, **kept, **tombstone}
        else:
            del channel.messages[ts]
            self._recount(channel, before.get("thread_ts"))
        self.tell("deleted", channel.id, {"deleted_ts": ts, "previous_message": before})

    def react(self, channel: Channel, ts: str, name: str, user: str) -> None:
        """Add somebody's reaction; refuse with ``already_reacted``."""
        message = self.message(channel, ts)
        reactions: list[Json] = message.setdefault("reactions", [])
        found = next((each for each in reactions if each["name"] == name), None)
        if found is None:
            found = {"name": name, "users": [], "count": 0}
            reactions.append(found)
        if user in found["users"]:
            raise Refusal("already_reacted")
        found["users"].append(user)
        found["count"] = len(found["users"])
        self.tell("reaction", channel.id, {"ts": ts, "name": name, "user": user, "added": True})

    def unreact(self, channel: Channel, ts: str, name: str, user: str) -> None:
        """Take somebody's reaction back; refuse with ``no_reaction``."""
        message = self.message(channel, ts)
        reactions: list[Json] = message.get("reactions", [])
        found = next((each for each in reactions if each["name"] == name and user in each["users"]), None)
        if found is None:
            raise Refusal("no_reaction")
        found["users"].remove(user)
        found["count"] = len(found["users"])
        message["reactions"] = [each for each in reactions if each["users"]]
        self.tell("reaction", channel.id, {"ts": ts, "name": name, "user": user, "added": False})

    def channels_of(self, user: str) -> Iterator[Channel]:
        """List the channels somebody is in, in the order they were made."""
        return (each for each in self.channels.values() if user in each.members)

    def _count_reply(self, channel: Channel, message: Json) -> None:
        root = message.get("thread_ts")
        if root and root != message["ts"]:
            parent = channel.messages.get(root)
            if parent and "user" in parent:
                message.setdefault("parent_user_id", parent["user"])
            self._recount(channel, root)

    def _recount(self, channel: Channel, root_ts: str | None) -> None:
        parent = channel.messages.get(root_ts or "")
        if parent is None:
            return
        replies = [each for each in channel.thread(parent["ts"]) if each is not parent]
        for name in _THREAD_FIELDS:
            parent.pop(name, None)
        if replies:
            authors = list(dict.fromkeys(each.get("user") or each.get("bot_id", "") for each in replies))
            parent.update(
                thread_ts=parent["ts"],
                reply_count=len(replies),
                reply_users=authors,
                reply_users_count=len(authors),
                latest_reply=max((each["ts"] for each in replies), key=float),
            )


_THREAD_FIELDS = ("thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply")

DEFAULT_APP = AppProfile(
    scopes=frozenset(
        [
            "app_mentions:read",
            "assistant:write",
            "channels:history",
            "channels:read",
            "channels:join",
            "groups:history",
            "groups:read",
            "im:history",
            "im:read",
            "im:write",
            "mpim:history",
            "mpim:read",
            "chat:write",
            "commands",
            "reactions:write",
            "reactions:read",
            "users:read",
            "usergroups:read",
            "files:write",
            "files:read",
        ]
    ),
    events=frozenset(
        [
            "app_mention",
            "app_home_opened",
            "message.channels",
            "message.groups",
            "message.im",
            "message.mpim",
            "reaction_added",
            "member_joined_channel",
        ]
    ),
    commands=("/rootcause",),
    shortcuts=(
        ("message", "investigate_message", "Investigate this thread"),
        ("global", "new_investigation", "New investigation"),
    ),
)
"""An app that may do all this server can; a test that wants it stricter hands in the real manifest."""
