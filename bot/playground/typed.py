"""What people type, as Slack stores it: escapes, mentions, channel links and addresses, and the rich text of it.

https://docs.slack.dev/messaging/formatting-message-text
"""

import re

from bot.playground.workspace import Json, Workspace

_ADDRESS = re.compile(r"https?://[^\s<>|]+[^\s<>|.,;:!?)\]}'\"]")
_MENTION = re.compile(r"(?<![\w@])@([\w.-]*\w)")
_CHANNEL = re.compile(r"(?<![\w#&])#([\w-]+)")
_TOKEN = re.compile(r"<(?P<kind>[@#!]?)(?P<to>[^<>|]+)(?:\|(?P<label>[^<>]*))?>")


def encode(workspace: Workspace, typed: str) -> str:
    """Turn typed text into Slack's: ``&``, ``<``, ``>`` escaped; known names and channels linked; addresses bracketed."""
    people = {each.name: each.id for each in workspace.people.values()}
    channels = {each.name: each.id for each in workspace.channels.values() if each.kind == "channel"}
    parts = []
    at = 0
    for found in _ADDRESS.finditer(typed):
        parts += [_names(_escaped(typed[at : found.start()]), people, channels), f"<{_escaped(found.group())}>"]
        at = found.end()
    return "".join([*parts, _names(_escaped(typed[at:]), people, channels)])


def rich_text(text: str) -> list[Json]:
    """Give the rich text block that Slack keeps beside a person's text."""
    elements: list[Json] = []
    at = 0
    for found in _TOKEN.finditer(text):
        _add_text(elements, text[at : found.start()])
        elements.append(_linked(found["kind"], found["to"], found["label"]))
        at = found.end()
    _add_text(elements, text[at:])
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "typed", "elements": [section]}] if elements else []


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _names(text: str, people: dict[str, str], channels: dict[str, str]) -> str:
    def person(found: re.Match[str]) -> str:
        return f"<@{people[found[1]]}>" if found[1] in people else found[0]

    def channel(found: re.Match[str]) -> str:
        return f"<#{channels[found[1]]}|{found[1]}>" if found[1] in channels else found[0]

    return _CHANNEL.sub(channel, _MENTION.sub(person, text))


def _add_text(elements: list[Json], text: str) -> None:
    if text:
        elements.append({"type": "text", "text": _plain(text)})


def _linked(kind: str, to: str, label: str | None) -> Json:
    if kind == "@":
        return {"type": "user", "user_id": to}
    if kind == "#":
        return {"type": "channel", "channel_id": to}
    if kind == "!":
        return {"type": "broadcast", "range": to}
    return {"type": "link", "url": _plain(to), **({"text": _plain(label)} if label else {})}
