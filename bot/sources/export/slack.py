"""Read a Slack workspace export: the messages of its channels, as a person would have read them.

Text is put together from blocks and attachments where ``text`` is empty; mentions, links and escapes become plain.
Joins and other notices without content are counted, not stored. An export names no workspace address, so a message
has a permalink only where one was stored with it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.items import ChatMessage
from bot.sources.export.jsonstream import JsonCutError, JsonStream, as_bytes, needs_cleaning, storable
from bot.sources.export.layout import stem
from bot.sources.export.ledger import Reading

SOURCE = "slack"

_NOTICES = frozenset({
    "channel_join", "channel_leave", "group_join", "group_leave", "bot_add", "bot_remove", "bot_enable", "bot_disable",
    "channel_archive", "channel_unarchive", "group_archive", "pinned_item", "unpinned_item", "message_deleted",
    "tombstone", "channel_convert_to_private", "channel_convert_to_public", "channel_posting_permissions", "huddle_thread",
    "reminder_add", "sh_room_created",
})  # fmt: skip
_RICH = {
    "user": ("<@", "user_id", ">"),
    "channel": ("<#", "channel_id", ">"),
    "usergroup": ("<!subteam^", "usergroup_id", ">"),
    "broadcast": ("<!", "range", ">"),
    "emoji": (":", "name", ":"),
}
_DAY = re.compile(r"\d{4}-\d\d-\d\d$")
_MARKUP = re.compile(r"<([^<>\n]{1,3000})>")
_TS = re.compile(r"(\d{9,11})\.(\d{1,6})")


def read_users(reading: Reading, _path: str, texts: Iterable[str]) -> None:
    """Learn the names of people and bots."""
    for user in _elements(reading, _path, texts):
        profile = _mapping(user.get("profile"))
        name = _first(
            profile.get("display_name"),
            profile.get("real_name"),
            user.get("real_name"),
            user.get("name"),
            user.get("id"),
        )
        for known in (user.get("id"), profile.get("bot_id")):
            if isinstance(known, str):
                reading.users[known] = name


def read_channels(reading: Reading, _path: str, texts: Iterable[str]) -> None:
    """Learn the names of channels."""
    for channel in _elements(reading, _path, texts):
        if isinstance(channel.get("id"), str):
            reading.channels[channel["id"]] = _first(channel.get("name"), channel["id"])


def _elements(reading: Reading, path: str, texts: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    try:
        for value, _ in JsonStream(texts).elements():
            if isinstance(value, dict):
                yield storable(value)
    except JsonCutError as cut:
        reading.ledger.lost(SOURCE, str(cut), path)


def read_messages(reading: Reading, path: str, texts: Iterable[str]) -> None:
    """Store every message of a day's file, or of a ``conversations.history`` body."""
    stream = JsonStream(texts)
    counts: Counter[str] = Counter()
    channel = _channel(path)
    try:
        if stream.peek() == "[":
            _messages(reading, stream, channel, counts, path)
        else:
            for key in stream.members():
                if key == "messages" and stream.peek() == "[":
                    _messages(reading, stream, channel, counts, path)
                else:
                    stream.value()
    except JsonCutError as cut:
        reading.ledger.lost(SOURCE, f"{cut}; the messages before were read", path)
    for what, count in counts.items():
        reading.ledger.odd(SOURCE, what, count, path)


def _channel(path: str) -> str:
    folders, name = path.split("/")[:-1], stem(path)
    return folders[-1] if folders and _DAY.search(name) else name


def _messages(reading: Reading, stream: JsonStream, channel: str, counts: Counter[str], path: str) -> None:
    for value, text in stream.elements():
        if not isinstance(value, dict):
            continue
        message = storable(value) if needs_cleaning(text) else value
        subtype = message.get("subtype")
        if subtype == "message_changed" and isinstance(message.get("message"), dict):
            message = message["message"]
            counts["edited messages, read as they stand now"] += 1
        elif "edited" in message:
            counts["edited messages, read as they stand now"] += 1
        if subtype in _NOTICES:
            counts[f"notices without content ({subtype}), left out"] += 1
            continue
        if isinstance(subtype, str) and subtype != "message_changed":
            counts[f"messages of subtype {subtype[:40]}"] += 1
        _store(reading, message, text, channel, counts, path)


def _store(
    reading: Reading, message: Mapping[str, Any], text: str, channel: str, counts: Counter[str], path: str
) -> None:
    ts = str(message.get("ts", ""))
    at = _at(ts)
    if at is None:
        reading.ledger.lost(SOURCE, "a message without a time, left out", path)
        return
    if (channel, ts) in reading.messages_seen:
        counts["messages that stand in two files, read once"] += 1
        return
    reading.messages_seen.add((channel, ts))
    thread = message.get("thread_ts")
    reading.saw(at.timestamp())
    reading.sink.add_message(
        ChatMessage(
            at=at,
            channel=channel,
            author=_author(reading, message),
            is_bot=message.get("subtype") == "bot_message" or bool(message.get("bot_id")),
            text=message_text(message, reading.users, reading.channels),
            ts=ts,
            thread_ts=thread if isinstance(thread, str) and thread != ts else None,
            permalink=message["permalink"] if isinstance(message.get("permalink"), str) else None,
            raw=as_bytes(text),
        )
    )


def _at(ts: str) -> datetime | None:
    found = _TS.fullmatch(ts)
    if not found:
        return None
    return datetime.fromtimestamp(int(found[1]), tz=UTC) + timedelta(microseconds=int(found[2].ljust(6, "0")))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _first(*values: object) -> str:
    return next((value for value in values if isinstance(value, str) and value.strip()), "")


def _author(reading: Reading, message: Mapping[str, Any]) -> str:
    user, bot = _first(message.get("user")), _first(message.get("bot_id"))
    profile, bot_profile = _mapping(message.get("user_profile")), _mapping(message.get("bot_profile"))
    if user in reading.users and not bot:
        return reading.users[user]
    return _first(
        message.get("username"),
        bot_profile.get("name"),
        profile.get("display_name"),
        profile.get("real_name"),
        reading.users.get(bot),
        reading.users.get(user),
        user,
        bot,
        "unknown",
    )


def message_text(message: Mapping[str, Any], users: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Give what a person read: the text, else the blocks, and the attachments and file names below."""
    main = _first(message.get("text")) or "\n".join(_blocks(message.get("blocks")))
    parts = [main] if main.strip() else []
    for attachment in _listed(message.get("attachments")):
        parts.extend(part for part in _attachment(_mapping(attachment)) if part and part not in main)
    for file in _listed(message.get("files")):
        name = _first(_mapping(file).get("title"), _mapping(file).get("name"))
        parts += [f"[file: {name}]"] if name else []
    return plain("\n".join(parts), users, channels)


def _attachment(attachment: Mapping[str, Any]) -> Iterator[str]:
    before = len(_first(attachment.get("text")))
    for key in ("pretext", "author_name", "title", "text"):
        yield _first(attachment.get(key))
    yield from _blocks(attachment.get("blocks"))
    for each in _listed(attachment.get("fields")):
        told = _mapping(each)
        title, value = _first(told.get("title")), _first(told.get("value"))
        yield f"{title}: {value}" if title and value else title or value
    if not before and not attachment.get("title") and not attachment.get("blocks"):
        yield _first(attachment.get("fallback"))
    yield _first(attachment.get("footer"))


def _blocks(blocks: object) -> Iterator[str]:
    """Flatten Block Kit: section, header, context, rich text and their fields."""
    for block in _listed(blocks):
        told = _mapping(block)
        if told.get("type") == "rich_text":
            yield _rich(told, 0)
            continue
        pieces = [told.get("text"), *_listed(told.get("fields")), *_listed(told.get("elements"))]
        for piece in pieces:
            text = piece if isinstance(piece, str) else _mapping(piece).get("text")
            found = text if isinstance(text, str) else _first(_mapping(text).get("text"))
            if found.strip():
                yield found


def _rich(element: Mapping[str, Any], depth: int) -> str:
    """Flatten a rich-text element into Slack's own markup."""
    kind = str(element.get("type"))
    if kind in _RICH:
        before, key, after = _RICH[kind]
        return f"{before}{element.get(key)}{after}"
    if kind == "link":
        url, text = _first(element.get("url")), _first(element.get("text"))
        return f"<{url}|{text}>" if text else f"<{url}>"
    inner = _listed(element.get("elements"))
    if not inner or depth > 20:
        return _first(element.get("text"))
    between = "\n" if kind in {"rich_text", "rich_text_list"} else ""
    return between.join(_rich(_mapping(part), depth + 1) for part in inner)


def plain(text: str, users: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Turn Slack's markup into plain text: mentions to names, links to ``text (url)``, then the three escapes."""

    def spelled(found: re.Match[str]) -> str:
        target, _, label = found[1].partition("|")
        if target.startswith("@"):
            return f"@{users.get(target[1:]) or label or target[1:]}"
        if target.startswith("#"):
            return f"#{label or channels.get(target[1:]) or target[1:]}"
        if target.startswith("!"):
            return label or f"@{target[1:].split('^')[0]}"
        if target.startswith(("http:", "https:")):
            return f"{label} ({target})" if label and label not in target else target
        if target.startswith(("mailto:", "tel:")):
            return label or target.partition(":")[2]
        return found[0]

    # the markup's own brackets are the only bare ones: text has its brackets escaped
    return _MARKUP.sub(spelled, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
