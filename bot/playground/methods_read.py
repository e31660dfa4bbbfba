"""``auth.test``, ``conversations.*``, ``users.*`` and ``usergroups.*``: what the app may know.

History is newest first and holds no replies; replies are oldest first and begin with the root. Cursors are opaque.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import TypeVar

from bot.playground.call import Call
from bot.playground.refusal import Refusal
from bot.playground.workspace import Channel, Json, Person, Workspace

Item = TypeVar("Item")

HISTORY_PAGE = 999
REPLIES_PAGE = 1000
LIST_PAGE = 1000

_LIST_SCOPES = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}
_LIST_KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


def api_test(call: Call) -> Json:
    """Echo, or refuse with the error asked for."""
    if call.args.text("error"):
        raise Refusal(call.args.text("error"))
    return {"args": {name: value for name, value in call.args.given.items() if name != "token"}}


def auth_test(call: Call) -> Json:
    """Say who the bot is."""
    workspace = call.workspace
    return {
        "url": f"{call.base}/",
        "team": workspace.domain,
        "user": workspace.app.name,
        "team_id": workspace.team,
        "user_id": workspace.app.bot_user,
        "bot_id": workspace.app.bot_id,
        "is_enterprise_install": False,
    }


def history(call: Call) -> Json:
    """Give a channel's messages in a window, newest first, without replies."""
    channel = call.readable("history", joined=True)
    size = call.args.number("limit", 100, HISTORY_PAGE)
    listed = [
        each
        for each in reversed(list(channel.messages.values()))
        if each.get("thread_ts", each["ts"]) == each["ts"] or each.get("subtype") == "thread_broadcast"
    ]
    return _page(call, _within(call, listed), size)


def replies(call: Call) -> Json:
    """Give a thread, oldest first; the root comes first whatever the window is."""
    channel = call.readable("history", joined=True)
    ts = call.args.needed("ts", "thread_not_found")
    if ts not in channel.messages:
        raise Refusal("thread_not_found")
    root_ts: str = channel.messages[ts].get("thread_ts", ts)
    thread = channel.thread(root_ts)
    size = call.args.number("limit", REPLIES_PAGE, REPLIES_PAGE)
    root = [each for each in thread if each["ts"] == root_ts]
    return _page(call, [*root, *_within(call, [each for each in thread if each["ts"] != root_ts])], size)


def channel_info(call: Call) -> Json:
    """Describe a channel."""
    channel = call.readable("read", joined=False)
    described = channel_object(call.workspace, channel)
    if call.args.flag("include_num_members"):
        described["num_members"] = len(channel.members)
    return {"channel": described}


def members(call: Call) -> Json:
    """List who is in a channel."""
    channel = call.readable("read", joined=False)
    page, cursor = _cut(call, channel.members, channel.members, call.args.number("limit", 100, LIST_PAGE))
    return {"members": list(page), "response_metadata": {"next_cursor": cursor}}


def list_channels(call: Call, *, only_joined: bool = False) -> Json:
    """List channels of the kinds asked for."""
    kinds = call.args.text("types", "public_channel").replace(" ", "").split(",")
    for kind in kinds:
        if kind not in _LIST_SCOPES:
            raise Refusal("invalid_types")
        call.scope(f"{_LIST_SCOPES[kind]}:read")
    wanted = {_LIST_KINDS[kind] for kind in kinds}
    found = [
        channel_object(call.workspace, each)
        for each in call.workspace.channels.values()
        if each.kind in wanted
        and ((each.kind == "channel" and not only_joined) or call.bot in each.members)
        and not (call.args.flag("exclude_archived") and each.is_archived)
    ]
    page, cursor = _cut(call, found, [each["id"] for each in found], call.args.number("limit", 100, LIST_PAGE))
    return {"channels": list(page), "response_metadata": {"next_cursor": cursor}}


def my_channels(call: Call) -> Json:
    """List the channels the bot is in."""
    return list_channels(call, only_joined=True)


def join(call: Call) -> Json:
    """Enter a public channel."""
    call.scope("channels:join")
    channel = call.channel()
    if channel.kind != "channel":
        raise Refusal("method_not_supported_for_channel_type")
    answer: Json = {"channel": channel_object(call.workspace, channel)}
    if call.bot in channel.members:
        return {**answer, "warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    channel.members.append(call.bot)
    call.workspace.tell("joined", channel.id, {"user": call.bot})
    return {"channel": channel_object(call.workspace, channel)}


def open_direct(call: Call) -> Json:
    """Open the direct conversation with somebody."""
    call.scope("im:write")
    users = [each for each in call.args.needed("users", "users_list_not_supplied").split(",") if each]
    if len(users) != 1 or users[0] not in call.workspace.people:
        raise Refusal("user_not_found" if len(users) == 1 else "method_not_supported_for_channel_type")
    return {"channel": {"id": call.workspace.direct(users[0]).id}}


def user_info(call: Call) -> Json:
    """Describe a person."""
    call.scope("users:read")
    person = call.workspace.people.get(call.args.text("user"))
    if person is None:
        raise Refusal("user_not_found")
    return {"user": user_object(call.workspace, person)}


def list_users(call: Call) -> Json:
    """List everybody."""
    call.scope("users:read")
    everybody = [user_object(call.workspace, each) for each in call.workspace.people.values()]
    page, cursor = _cut(call, everybody, list(call.workspace.people), call.args.number("limit", LIST_PAGE, LIST_PAGE))
    return {"members": list(page), "response_metadata": {"next_cursor": cursor}}


def group_users(call: Call) -> Json:
    """List who is in a user group."""
    call.scope("usergroups:read")
    group = call.workspace.groups.get(call.args.text("usergroup"))
    if group is None:
        raise Refusal("no_such_subteam")
    return {"users": list(group.users)}


def list_groups(call: Call) -> Json:
    """List the user groups."""
    call.scope("usergroups:read")
    return {
        "usergroups": [
            {"id": each.id, "handle": each.handle, "name": each.handle, "user_count": len(each.users), "date_delete": 0}
            for each in call.workspace.groups.values()
        ]
    }


def user_object(workspace: Workspace, person: Person) -> Json:
    """Write a person as ``users.info`` does."""
    described: Json = {
        "id": person.id,
        "team_id": person.team,
        "name": person.name,
        "real_name": person.real_name,
        "deleted": person.deleted,
        "tz": person.tz,
        "tz_offset": person.tz_offset_s,
        "profile": {"real_name": person.real_name, "display_name": person.name, "team": person.team},
        "is_bot": person.is_bot,
        "is_app_user": False,
        "is_restricted": person.is_restricted or person.is_ultra_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
        "is_admin": False,
        "updated": 0,
    }
    if person.team != workspace.team:
        described["is_stranger"] = person.is_stranger
    return described


def channel_object(workspace: Workspace, channel: Channel) -> Json:
    """Write a channel as ``conversations.info`` does."""
    if channel.kind == "im":
        other = next((each for each in channel.members if each != workspace.app.bot_user), "")
        return {"id": channel.id, "is_im": True, "is_private": True, "user": other, "created": channel.created}
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": False,
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.kind != "channel",
        "is_archived": channel.is_archived,
        "is_general": False,
        "is_member": workspace.app.bot_user in channel.members,
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "shared_team_ids": [workspace.team, *channel.connected_teams],
        "context_team_id": workspace.team,
        "created": channel.created,
        "creator": channel.creator,
        "topic": {"value": channel.topic, "creator": channel.creator, "last_set": channel.created},
        "purpose": {"value": channel.purpose, "creator": channel.creator, "last_set": channel.created},
    }


def _within(call: Call, messages: Iterable[Json]) -> list[Json]:
    oldest, latest = _moment(call, "oldest"), _moment(call, "latest")
    inclusive = call.args.flag("inclusive")

    def inside(message: Json) -> bool:
        at = float(message["ts"])
        edges = {each for each in (oldest, latest) if each is not None}
        if at in edges:
            return inclusive
        return (oldest is None or at > oldest) and (latest is None or at < latest)

    return [each for each in messages if inside(each)]


def _moment(call: Call, name: str) -> float | None:
    value = call.args.text(name)
    if not value:
        return None
    try:
        return float(value) if name == "latest" or float(value) else None
    except ValueError as error:
        raise Refusal(f"invalid_ts_{name}") from error


def _page(call: Call, messages: Sequence[Json], size: int) -> Json:
    page, cursor = _cut(call, messages, [each["ts"] for each in messages], size)
    bare = [{name: value for name, value in each.items() if name != "metadata"} for each in page]
    shown = list(page) if call.args.flag("include_all_metadata") else bare
    answer: Json = {"messages": shown, "has_more": bool(cursor)}
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def _cut(call: Call, items: Sequence[Item], keys: Sequence[str], size: int) -> tuple[Sequence[Item], str]:
    """Give a page and the cursor of the next; a cursor names the item it goes on with, so new items shift nothing."""
    start = _position(call.args.text("cursor"), keys)
    end = start + size
    return items[start:end], base64.b64encode(f"next:{keys[end]}".encode()).decode() if end < len(items) else ""


def _position(cursor: str, keys: Sequence[str]) -> int:
    if not cursor:
        return 0
    try:
        word, _, key = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refusal("invalid_cursor") from error
    if word != "next" or key not in keys:
        raise Refusal("invalid_cursor")
    return keys.index(key)
