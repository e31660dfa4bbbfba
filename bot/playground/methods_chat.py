"""``chat.*``, ``reactions.*`` and the status line: what the app says.

https://docs.slack.dev/reference/methods/chat.postMessage and its neighbours. Leaves out streaming, scheduling and
unfurls.
"""

import json
import re

from bot.playground.blockcheck import check_blocks
from bot.playground.call import Call
from bot.playground.refusal import Refusal
from bot.playground.workspace import Channel, Json

TEXT = 40_000
UPDATE_TEXT = 4_000
MARKDOWN_TEXT = 12_000
ATTACHMENTS = 100
METADATA_BYTES = 16_000
STATUS_LINES = 10

_KEPT = ("blocks", "attachments", "metadata")


def post_message(call: Call) -> Json:
    """Post into a channel the bot is in, or into a thread there."""
    call.scope("chat:write")
    channel = _postable(call)
    content = _content(call)
    if len(content["text"]) > TEXT:
        content["text"] = content["text"][:TEXT]
        warnings = ["message_truncated"]
    else:
        warnings = []
    thread_ts = _thread(call, channel)
    message: Json = {**_author(call), **content, **({"thread_ts": thread_ts} if thread_ts else {})}
    if thread_ts and call.args.flag("reply_broadcast"):
        message["subtype"] = "thread_broadcast"
    stored = call.workspace.post(channel, message)
    answer: Json = {"channel": channel.id, "ts": stored["ts"], "message": stored}
    if warnings:
        answer.update(warning=",".join(warnings), response_metadata={"warnings": warnings})
    return answer


def update(call: Call) -> Json:
    """Edit one of the bot's own messages; blocks, attachments and metadata stay unless given anew."""
    call.scope("chat:write")
    channel = call.channel()
    ts = call.args.needed("ts", "message_not_found")
    message = call.workspace.message(channel, ts)
    if message.get("bot_id") != call.workspace.app.bot_id:
        raise Refusal("cant_update_message")
    content = _content(call, before=message)
    if len(content["text"]) > UPDATE_TEXT:
        raise Refusal("msg_too_long")
    edited = {"user": call.bot, "ts": call.workspace.next_ts()}
    after = call.workspace.edit(channel, ts, {**content, "edited": edited})
    return {"channel": channel.id, "ts": ts, "text": after["text"], "message": after}


def post_ephemeral(call: Call) -> Json:
    """Show a message to one member of a channel only."""
    call.scope("chat:write")
    channel = _postable(call)
    user = call.args.needed("user", "user_not_in_channel")
    if user not in channel.members:
        raise Refusal("user_not_in_channel")
    content = _content(call)
    if len(content["text"]) > TEXT:
        raise Refusal("msg_too_long")
    thread_ts = _thread(call, channel)
    ts = show_ephemeral(call, channel, user, {**content, **({"thread_ts": thread_ts} if thread_ts else {})})
    return {"message_ts": ts}


def show_ephemeral(call: Call, channel: Channel, user: str, content: Json) -> str:
    """Put an ephemeral message on somebody's screen and give its ``ts``."""
    ts = call.workspace.next_ts()
    message = {"type": "message", **_author(call), **content, "ts": ts, "to": user, "is_ephemeral": True}
    channel.ephemerals.append(message)
    call.workspace.tell("ephemeral", channel.id, message)
    return ts


def delete(call: Call) -> Json:
    """Delete one of the bot's own messages."""
    call.scope("chat:write")
    channel = call.channel()
    ts = call.args.needed("ts", "message_not_found")
    if call.workspace.message(channel, ts).get("bot_id") != call.workspace.app.bot_id:
        raise Refusal("cant_delete_message")
    call.workspace.remove(channel, ts)
    return {"channel": channel.id, "ts": ts}


def get_permalink(call: Call) -> Json:
    """Give the address of a message."""
    channel = call.channel()
    message = call.workspace.message(channel, call.args.needed("message_ts", "message_not_found"))
    return {"channel": channel.id, "permalink": permalink(call.base, channel, message)}


def permalink(base: str, channel: Channel, message: Json) -> str:
    """Write a message's address as Slack writes it, at this server."""
    address = f"{base}/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    root = message.get("thread_ts")
    return f"{address}?thread_ts={root}&cid={channel.id}" if root and root != message["ts"] else address


def add_reaction(call: Call) -> Json:
    """React to a message as the bot."""
    call.scope("reactions:write")
    channel, ts, name = _reacted(call)
    call.workspace.react(channel, ts, name, call.bot)
    return {}


def remove_reaction(call: Call) -> Json:
    """Take the bot's reaction back."""
    call.scope("reactions:write")
    channel, ts, name = _reacted(call)
    call.workspace.unreact(channel, ts, name, call.bot)
    return {}


def get_reactions(call: Call) -> Json:
    """Give a message with its reactions."""
    call.scope("reactions:read")
    channel = call.joined()
    message = call.workspace.message(channel, call.args.needed("timestamp", "message_not_found"))
    return {"type": "message", "channel": channel.id, "message": message}


def set_status(call: Call) -> Json:
    """Show what the app is doing under a thread; an empty status clears the line."""
    call.scope("assistant:write", "chat:write")
    channel = call.joined("channel_id")
    thread_ts = call.args.needed("thread_ts", "invalid_thread_ts")
    call.workspace.message(channel, thread_ts)
    lines = call.args.structure("loading_messages", "invalid_arguments") or []
    if len(lines) > STATUS_LINES:
        raise Refusal("invalid_arguments")
    call.workspace.tell("status", channel.id, {"thread_ts": thread_ts, "status": call.args.text("status")})
    return {}


def _reacted(call: Call) -> tuple[Channel, str, str]:
    channel = call.joined()
    name = call.args.text("name").strip(":")
    if not re.fullmatch(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?", name):
        raise Refusal("invalid_name")
    return channel, call.args.needed("timestamp", "no_item_specified"), name


def _author(call: Call) -> Json:
    app = call.workspace.app
    profile = {"id": app.bot_id, "app_id": app.app_id, "name": app.name, "team_id": call.workspace.team}
    return {"user": app.bot_user, "bot_id": app.bot_id, "app_id": app.app_id, "bot_profile": profile}


def _postable(call: Call) -> Channel:
    wanted = call.args.text("channel")
    if wanted in call.workspace.people:
        return call.workspace.direct(wanted)
    channel = call.channel()
    if channel.is_archived:
        raise Refusal("is_archived")
    if call.bot not in channel.members:
        raise Refusal("not_in_channel")
    return channel


def _thread(call: Call, channel: Channel) -> str:
    thread_ts = call.args.text("thread_ts")
    if thread_ts and thread_ts not in channel.messages:
        raise Refusal("thread_not_found")
    root: str = channel.messages[thread_ts].get("thread_ts", thread_ts) if thread_ts else ""
    if root != thread_ts:
        raise Refusal("cannot_reply_to_message")
    return thread_ts


def _content(call: Call, before: Json | None = None) -> Json:
    """Read text, blocks, attachments and metadata; refuse what is empty, malformed or too large."""
    args = call.args
    text, markdown = args.text("text"), args.text("markdown_text")
    blocks = args.structure("blocks", "invalid_blocks_format")
    attachments = args.structure("attachments", "invalid_attachments")
    if markdown and (text or blocks):
        raise Refusal("markdown_text_conflict")
    if len(markdown) > MARKDOWN_TEXT:
        raise Refusal("msg_too_long")
    if blocks is not None:
        check_blocks(blocks)
    if attachments is not None and (not isinstance(attachments, list) or len(attachments) > ATTACHMENTS):
        raise Refusal("too_many_attachments")
    given = {"blocks": blocks, "attachments": attachments, "metadata": _metadata(call)}
    if not (text.strip() or markdown or blocks or attachments or (before and any(before.get(each) for each in _KEPT))):
        raise Refusal("no_text")
    content: Json = {name: value for name, value in given.items() if value is not None}
    content["blocks"] = _named(call, content["blocks"]) if content.get("blocks") else content.get("blocks")
    if markdown:
        content["blocks"] = _named(call, [{"type": "markdown", "text": markdown}])
    kept = {name: value for name, value in content.items() if value is not None}
    return {"text": text or markdown or (before or {}).get("text", "") * bool(before and not blocks), **kept}


def _named(call: Call, blocks: list[Json]) -> list[Json]:
    return [{**each, "block_id": each.get("block_id") or call.workspace.next_id("b")} for each in blocks]


def _metadata(call: Call) -> Json | None:
    metadata = call.args.structure("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    typed = isinstance(metadata, dict) and isinstance(metadata.get("event_type"), str)
    if not typed or not isinstance(metadata.get("event_payload"), dict):
        if isinstance(metadata, dict) and metadata.get("entities"):
            return metadata
        raise Refusal("invalid_metadata_format")
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise Refusal("metadata_too_large")
    return dict(metadata)
