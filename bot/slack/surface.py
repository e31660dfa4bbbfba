"""Everything of Slack's that the app touches, as one table: methods, events, commands, shortcuts, and the scopes they need.

A method that is not listed cannot be called (``calls`` looks it up here), an event that is not listed has no listener, and
the manifest is tested against this file. Rates are those of https://docs.slack.dev/apis/web-api/rate-limits, a little
below what is documented, because Slack counts a window of its own.
"""

from dataclasses import dataclass
from typing import Literal

COMMAND = "/rootcause"
SHORTCUT_THREAD = "investigate_thread"
SHORTCUT_NEW = "new_investigation"
MODAL_NEW = "new_investigation_form"
MODAL_EVIDENCE = "evidence"
MODAL_ASK = "ask_why"
MODAL_TICKET = "post_to_jira"
METADATA_EVENT = "rootcause"
"""``metadata.event_type`` of everything the app posts; its payload carries the key that makes a post findable."""

Travel = Literal["json", "query", "form"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A Web API method: how its arguments travel, the scopes it needs, and how often it may be called.

    ``per_minute`` is the tier's rate for the whole workspace, ``per_channel_s`` the least distance in one channel.
    ``repeatable``: calling it twice does what calling it once does, so that an answer that got lost may be asked again.
    """

    travel: Travel
    scopes: frozenset[str]
    per_minute: int
    per_channel_s: float = 0.0
    repeatable: bool = True


def _tier(tier: int, travel: Travel, *scopes: str, repeatable: bool = True) -> Method:
    return Method(
        travel=travel,
        scopes=frozenset(scopes),
        per_minute={2: 20, 3: 50, 4: 100}[tier],
        repeatable=repeatable,
    )


_READ = ("channels:read", "groups:read")
_HISTORY = ("channels:history", "groups:history", "im:history")

METHODS: dict[str, Method] = {
    "auth.test": Method(travel="form", scopes=frozenset(), per_minute=100),
    # about one a second and channel; the workspace's cap of "several hundred a minute" is not written down
    "chat.postMessage": Method(
        travel="json", scopes=frozenset({"chat:write"}), per_minute=200, per_channel_s=1.05, repeatable=False
    ),
    "chat.update": _tier(3, "json", "chat:write"),
    "chat.postEphemeral": _tier(4, "json", "chat:write", repeatable=False),
    "conversations.history": _tier(3, "query", *_HISTORY),
    "conversations.info": _tier(3, "query", *_READ),
    "conversations.members": _tier(4, "query", *_READ),
    "conversations.replies": _tier(3, "query", *_HISTORY),
    "files.completeUploadExternal": _tier(4, "form", "files:write", repeatable=False),
    "files.getUploadURLExternal": _tier(4, "form", "files:write", repeatable=False),
    "reactions.add": _tier(3, "json", "reactions:write"),
    "reactions.remove": _tier(2, "json", "reactions:write"),
    "usergroups.users.list": _tier(2, "query", "usergroups:read"),
    "users.info": _tier(4, "query", "users:read"),
    "views.open": _tier(4, "json", repeatable=False),
    "views.publish": _tier(4, "json"),
    "views.update": _tier(4, "json"),
}

EVENTS: dict[str, frozenset[str]] = {
    "app_home_opened": frozenset(),
    "app_mention": frozenset({"app_mentions:read"}),
    "app_uninstalled": frozenset(),
    "member_joined_channel": frozenset({"channels:read", "groups:read"}),
    "message.channels": frozenset({"channels:history"}),
    "message.groups": frozenset({"groups:history"}),
    "message.im": frozenset({"im:history"}),
    "reaction_added": frozenset({"reactions:read"}),
    "tokens_revoked": frozenset(),
}
"""Subscribed events and the scope each needs; every one has a listener, else Slack would deliver it again and again."""

SOURCE_SCOPES: frozenset[str] = frozenset({*_HISTORY, *_READ, "users:read"})
"""What reading a channel as evidence needs beside the conversation itself."""

COMMANDS: tuple[str, ...] = (COMMAND,)
SHORTCUTS: dict[str, Literal["message", "global"]] = {SHORTCUT_THREAD: "message", SHORTCUT_NEW: "global"}


def needed_scopes() -> frozenset[str]:
    """Give every bot scope the app needs."""
    scopes: set[str] = {"commands"} | SOURCE_SCOPES
    for method in METHODS.values():
        scopes |= method.scopes
    for event in EVENTS.values():
        scopes |= event
    return frozenset(scopes)
