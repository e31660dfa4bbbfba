"""One call of an API method: its arguments, however they were sent, and what it may look at."""

import json
from dataclasses import dataclass
from typing import Any

from bot.playground.refusal import Refusal
from bot.playground.workspace import Channel, Json, Workspace

_READ_SCOPES = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}


@dataclass(frozen=True, slots=True)
class Arguments:
    """A method's arguments; forms carry structures as JSON text, JSON bodies carry them as they are."""

    given: Json

    def text(self, name: str, default: str = "") -> str:
        """Give an argument as text."""
        value = self.given.get(name)
        return default if value is None else str(value)

    def needed(self, name: str, code: str = "invalid_arguments") -> str:
        """Give an argument that must be there; refuse with ``code`` otherwise."""
        value = self.text(name)
        if not value:
            messages = [f"[ERROR] missing required field: {name}"]
            raise Refusal(code, response_metadata={"messages": messages})
        return value

    def flag(self, name: str) -> bool:
        """Give an argument as yes or no; forms write ``1`` or ``true``."""
        return self.text(name).lower() in {"1", "true"}

    def number(self, name: str, default: int, most: int, code: str = "invalid_limit") -> int:
        """Give a whole number from 1 to ``most``; refuse with ``code`` otherwise."""
        value = self.text(name, str(default))
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise Refusal(code)
        return int(value)

    def structure(self, name: str, code: str) -> Any:  # noqa: ANN401 - whatever JSON was sent
        """Give a list or an object, None where it was not sent; refuse text that is no JSON with ``code``."""
        value = self.given.get(name)
        if isinstance(value, str):
            if not value:
                return None
            try:
                return json.loads(value)
            except ValueError as error:
                raise Refusal(code) from error
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A method called: ``base`` is the address of the server, for links that lead back to it."""

    method: str
    args: Arguments
    workspace: Workspace
    base: str

    @property
    def bot(self) -> str:
        """The bot's user id."""
        return self.workspace.app.bot_user

    def scope(self, *any_of: str) -> None:
        """Refuse with ``missing_scope`` unless the app has one of these."""
        have = self.workspace.app.scopes
        if not have.intersection(any_of):
            raise Refusal("missing_scope", needed=any_of[0], provided=",".join(sorted(have)))

    def channel(self, name: str = "channel") -> Channel:
        """Find the channel of an argument; private ones the bot is not in do not exist for it."""
        channel = self.workspace.channels.get(self.args.text(name))
        if channel is None or (channel.kind != "channel" and self.bot not in channel.members):
            raise Refusal("channel_not_found")
        return channel

    def joined(self, name: str = "channel") -> Channel:
        """Find a channel the bot is in; refuse with ``not_in_channel`` otherwise."""
        channel = self.channel(name)
        if self.bot not in channel.members:
            raise Refusal("not_in_channel")
        return channel

    def readable(self, what: str, *, joined: bool) -> Channel:
        """Find a channel that the scopes let the app read: ``what`` is ``history`` or ``read``."""
        channel = self.joined() if joined else self.channel()
        self.scope(f"{_READ_SCOPES[channel.kind]}:{what}")
        return channel
