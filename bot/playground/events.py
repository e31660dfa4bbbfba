"""What the app is told of: changes of the workspace as Events API payloads, for the events it asked for.

https://docs.slack.dev/reference/events. As in Slack, a mention in a channel comes twice (``app_mention`` and
``message``), and the bot's own posts come back to it.
"""

from collections.abc import Iterator

from bot.playground.methods_read import channel_object
from bot.playground.workspace import Change, Channel, Json, Workspace

_MESSAGE_EVENTS = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}
_HIDDEN = ("ephemeral", "ephemeral_gone", "status", "view", "view_closed", "view_errors", "unheard", "home")


def events_of(workspace: Workspace, change: Change) -> Iterator[Json]:
    """Give the events of a change that the app hears of: those it subscribed to, in conversations its bot is in."""
    if change.kind in _HIDDEN or change.channel not in workspace.channels:
        return
    channel = workspace.channels[change.channel]
    if workspace.app.bot_user not in channel.members:
        return
    subscribed = workspace.app.events
    if change.kind in {"message", "edited", "deleted"}:
        if _MESSAGE_EVENTS[channel.kind] in subscribed:
            yield _message_event(workspace, channel, change)
        if change.kind == "message" and "app_mention" in subscribed and _mentions(workspace, channel, change.detail):
            yield _mention(workspace, channel, change.detail)
    elif change.kind == "reaction":
        name = "reaction_added" if change.detail["added"] else "reaction_removed"
        if name in subscribed:
            yield _reaction(workspace, channel, change.detail, name)
    elif change.kind == "joined" and "member_joined_channel" in subscribed:
        joined = {"user": change.detail["user"], "channel": channel.id, "channel_type": "C", "team": workspace.team}
        yield {"type": "member_joined_channel", **joined, "event_ts": workspace.next_ts()}


def event_payload(workspace: Workspace, event: Json) -> Json:
    """Wrap an event as the Events API does; the event id is new."""
    app = workspace.app
    channel = workspace.channels.get(event.get("channel", "") if isinstance(event.get("channel"), str) else "")
    authorization = {"enterprise_id": None, "team_id": workspace.team, "user_id": app.bot_user, "is_bot": True}
    return {
        "token": "verification",
        "team_id": workspace.team,
        "context_team_id": workspace.team,
        "context_enterprise_id": None,
        "api_app_id": app.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": workspace.next_id("Ev"),
        "event_time": int(workspace.clock()),
        "authorizations": [{**authorization, "is_enterprise_install": False}],
        "is_ext_shared_channel": bool(channel and channel_object(workspace, channel).get("is_ext_shared")),
        "event_context": workspace.next_id("4-"),
    }


def _message_event(workspace: Workspace, channel: Channel, change: Change) -> Json:
    where = {"channel": channel.id, "channel_type": channel.kind}
    if change.kind == "message":
        return {**change.detail, **where, "event_ts": change.detail["ts"]}
    subtype = "message_changed" if change.kind == "edited" else "message_deleted"
    now = workspace.next_ts()
    return {"type": "message", "subtype": subtype, "hidden": True, **change.detail, **where, "ts": now, "event_ts": now}


def _mentions(workspace: Workspace, channel: Channel, message: Json) -> bool:
    return channel.kind != "im" and f"<@{workspace.app.bot_user}>" in str(message.get("text", ""))


def _mention(workspace: Workspace, channel: Channel, message: Json) -> Json:
    kept = ("user", "text", "ts", "thread_ts", "team", "client_msg_id", "blocks", "bot_id", "files", "user_team")
    event = {name: message[name] for name in kept if name in message}
    event.setdefault("team", workspace.team)
    return {"type": "app_mention", **event, "channel": channel.id, "event_ts": message["ts"]}


def _reaction(workspace: Workspace, channel: Channel, detail: Json, name: str) -> Json:
    item = {"type": "message", "channel": channel.id, "ts": detail["ts"]}
    author = channel.messages.get(detail["ts"], {}).get("user", "")
    event = {"type": name, "user": detail["user"], "reaction": detail["name"], "item": item, "item_user": author}
    return {**event, "event_ts": workspace.next_ts()}
