"""Read a Slack workspace export: the messages of its channels, as a person would have read them.

What a message says is put together in the domain, for live channels alike. Joins and other notices without content are
counted, not stored. An export names no workspace address, so a message has a permalink only where one was stored with it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.domain.items import ChatMessage
from bot.domain.mrkdwn import NOTICES, as_mapping, author, display_name, instant_of, is_bot, message_text
from bot.domain.storable import storable
from bot.sources.export.jsonstream import JsonCutError, JsonStream, as_bytes, needs_cleaning
from bot.sources.export.layout import stem
from bot.sources.export.ledger import Reading

SOURCE = "slack"

_DAY = re.compile(r"\d{4}-\d\d-\d\d$")


def read_users(reading: Reading, _path: str, texts: Iterable[str]) -> None:
    """Learn the names of people and bots."""
    for user in _elements(reading, _path, texts):
        name = display_name(user)
        for known in (user.get("id"), as_mapping(user.get("profile")).get("bot_id")):
            if isinstance(known, str):
                reading.users[known] = name


def read_channels(reading: Reading, _path: str, texts: Iterable[str]) -> None:
    """Learn the names of channels."""
    for channel in _elements(reading, _path, texts):
        if isinstance(channel.get("id"), str):
            reading.channels[channel["id"]] = str(channel.get("name") or channel["id"])


def _elements(reading: Reading, path: str, texts: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    try:
        for value, _ in JsonStream(texts).elements():
            if isinstance(value, dict):
                yield storable(value)
    except JsonCutError as cut:
        reading.ledger.tear(SOURCE, cut, "what came before was read", path)


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
        reading.ledger.tear(SOURCE, cut, "the messages before were read", path)
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
        subtype = message["subtype"] if isinstance(message.get("subtype"), str) else None
        if subtype == "message_changed" and isinstance(message.get("message"), dict):
            message = message["message"]
            counts["edited messages, read as they stand now"] += 1
        elif "edited" in message:
            counts["edited messages, read as they stand now"] += 1
        if subtype in NOTICES:
            counts[f"notices without content ({subtype}), left out"] += 1
            continue
        if subtype is not None and subtype != "message_changed":
            counts[f"messages of subtype {subtype[:40]}"] += 1
        _store(reading, message, text, channel, counts, path)


def _store(
    reading: Reading, message: Mapping[str, Any], text: str, channel: str, counts: Counter[str], path: str
) -> None:
    ts = str(message.get("ts", ""))
    at = instant_of(ts)
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
            author=author(message, reading.users),
            is_bot=is_bot(message),
            text=message_text(message, reading.users, reading.channels),
            ts=ts,
            thread_ts=thread if isinstance(thread, str) and thread != ts else None,
            permalink=message["permalink"] if isinstance(message.get("permalink"), str) else None,
            raw=as_bytes(text),
        )
    )
