"""What a person sees of the workspace: its channels, a channel's messages, and the news of a change.

Private channels and direct messages are seen by their members only, ephemeral messages and views by the one they are
for. Pure functions of the workspace.
"""

from bot.playground.refusal import Refusal
from bot.playground.workspace import Change, Channel, Json, Person, Workspace

_PERSONAL = {
    "unheard": "user",
    "home": "user",
    "ephemeral": "to",
    "ephemeral_gone": "to",
    "view": "user",
    "view_closed": "user",
    "view_errors": "user",
}


def page_state(workspace: Workspace, viewer: str) -> Json:
    """Describe everything but the messages."""
    app = workspace.app
    return {
        "me": viewer,
        "team": workspace.domain,
        "people": {each.id: _person(workspace, each) for each in workspace.people.values()},
        "channels": [_channel(workspace, each, viewer) for each in _seen(workspace, viewer)],
        "app": {
            "name": app.name,
            "user": app.bot_user,
            "commands": list(app.commands),
            "shortcuts": [{"kind": kind, "id": name, "name": title} for kind, name, title in app.shortcuts],
        },
        "views": [each for each in workspace.views.values() if each["user"] == viewer],
    }


def channel_state(workspace: Workspace, channel_id: str, viewer: str) -> Json:
    """Give a channel's messages, oldest first, with what only this person sees."""
    channel = workspace.find(channel_id)
    if not _sees(channel, viewer):
        raise Refusal("channel_not_found")
    own = [each for each in channel.ephemerals if each["to"] == viewer]
    return {"channel": _channel(workspace, channel, viewer), "messages": [*channel.messages.values(), *own]}


def home_state(workspace: Workspace, viewer: str) -> Json | None:
    """Give a person's App Home."""
    return workspace.homes.get(viewer)


def news_of(workspace: Workspace, change: Change, viewer: str) -> Json | None:
    """Say to one person what changed: messages as they are now, and timestamps that are gone; None if it is not theirs."""
    detail = change.detail
    channel = workspace.channels.get(change.channel)
    if change.kind in _PERSONAL and detail[_PERSONAL[change.kind]] != viewer:
        return None
    if channel is None:
        return {"kind": change.kind, **detail}
    return {"kind": change.kind, "channel": channel.id, **_news_in(channel, change)} if _sees(channel, viewer) else None


def _news_in(channel: Channel, change: Change) -> Json:
    if change.kind in {"message", "edited", "reaction", "deleted"}:
        return _messages(channel, change)
    if change.kind == "ephemeral":
        return {"messages": [change.detail], "gone": []}
    if change.kind == "ephemeral_gone":
        return {"messages": [], "gone": [change.detail["ts"]]}
    return change.detail


def _messages(channel: Channel, change: Change) -> Json:
    detail = change.detail
    touched = detail.get("ts") or detail.get("message", {}).get("ts") or detail.get("deleted_ts", "")
    message = channel.messages.get(touched)
    root = (message or detail.get("previous_message") or {}).get("thread_ts")
    shown = [message, channel.messages.get(root) if root and root != touched else None]
    return {"messages": [each for each in shown if each], "gone": [] if message else [touched]}


def _seen(workspace: Workspace, viewer: str) -> list[Channel]:
    own = [each for each in workspace.channels.values() if _sees(each, viewer)]
    return sorted(own, key=lambda each: (each.kind == "im", each.is_archived, not each.messages, each.name))


def _sees(channel: Channel, viewer: str) -> bool:
    return channel.kind == "channel" or viewer in channel.members


def _person(workspace: Workspace, person: Person) -> Json:
    kind = "person"
    if person.is_bot:
        kind = "app"
    elif person.team != workspace.team:
        kind = "other organisation"
    elif person.is_restricted or person.is_ultra_restricted:
        kind = "guest"
    return {"name": person.name, "real_name": person.real_name, "kind": kind}


def _channel(workspace: Workspace, channel: Channel, viewer: str) -> Json:
    bot = workspace.app.bot_user
    other = next((each for each in channel.members if each not in {viewer, bot}), bot)
    return {
        "id": channel.id,
        "name": workspace.people[other].name if channel.kind == "im" else channel.name,
        "kind": channel.kind,
        "topic": channel.topic,
        "archived": channel.is_archived,
        "shared": channel.is_ext_shared,
        "has_bot": bot in channel.members,
        "members": len(channel.members),
    }
