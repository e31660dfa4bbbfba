"""What a Slack message says and who said it, whether it came from an export or from the Web API.

A message's words stand in ``text``, in Block Kit blocks, in legacy attachments, or in several of them: an alert is often
nothing but an attachment. Here they become plain text, once. Fetching, storing and counting are elsewhere. Unknown
shapes give no text, never an error.

Sources: Slack's "Formatting text for app surfaces", "Block Kit reference", "Legacy secondary attachments".
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

NOTICES = frozenset({
    "channel_join", "channel_leave", "group_join", "group_leave", "bot_add", "bot_remove", "bot_enable", "bot_disable",
    "channel_archive", "channel_unarchive", "group_archive", "pinned_item", "unpinned_item", "message_deleted",
    "tombstone", "channel_convert_to_private", "channel_convert_to_public", "channel_posting_permissions", "huddle_thread",
    "reminder_add", "sh_room_created",
})  # fmt: skip
"""Subtypes of messages that Slack writes about the channel, not people about the incident."""

_RICH = {
    "user": ("<@", "user_id", ">"),
    "channel": ("<#", "channel_id", ">"),
    "usergroup": ("<!subteam^", "usergroup_id", ">"),
    "broadcast": ("<!", "range", ">"),
    "emoji": (":", "name", ":"),
}
_DEEPEST = 20
_MARKUP = re.compile(r"<([^<>\n]{1,3000})>")
_MENTION = re.compile(r"<@([UWB][A-Z0-9]{1,30})[|>]")
_TS = re.compile(r"(\d{9,11})\.(\d{1,6})")


def instant_of(ts: str) -> datetime | None:
    """Turn a message's ``ts`` into aware UTC, exact to the microsecond; None where it is none."""
    found = _TS.fullmatch(ts)
    if not found:
        return None
    return datetime.fromtimestamp(int(found[1]), tz=UTC) + timedelta(microseconds=int(found[2].ljust(6, "0")))


def display_name(user: Mapping[str, Any]) -> str:
    """Give the name a person is shown under: the display name, else the real name, else the handle, else the id."""
    profile = as_mapping(user.get("profile"))
    return _first(
        profile.get("display_name"),
        profile.get("real_name"),
        user.get("real_name"),
        user.get("name"),
        user.get("id"),
    )


def author(message: Mapping[str, Any], users: Mapping[str, str]) -> str:
    """Name who wrote a message: the directory for people, what the message itself carries for bots and strangers."""
    user, bot = _first(message.get("user")), _first(message.get("bot_id"))
    profile, bot_profile = as_mapping(message.get("user_profile")), as_mapping(message.get("bot_profile"))
    if user in users and not bot:
        return users[user]
    return _first(
        message.get("username"),
        bot_profile.get("name"),
        profile.get("display_name"),
        profile.get("real_name"),
        users.get(bot),
        users.get(user),
        user,
        bot,
        "unknown",
    )


def is_bot(message: Mapping[str, Any]) -> bool:
    """Tell whether a program wrote the message."""
    return message.get("subtype") == "bot_message" or bool(message.get("bot_id"))


def people_in(message: Mapping[str, Any]) -> set[str]:
    """List the user ids whose names are needed to show the message: its author, and whom it mentions."""
    told = "\n".join(_sayings(message))
    people = {each for each in _MENTION.findall(told) if not each.startswith("B")}
    if not is_bot(message) and isinstance(message.get("user"), str):
        people.add(message["user"])
    return people


def message_text(message: Mapping[str, Any], users: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Give what a person read: text, blocks where they say more, then attachments and the files by name and type."""
    return plain("\n".join(_sayings(message)), users, channels)


def _sayings(message: Mapping[str, Any]) -> list[str]:
    main = _main(message)
    parts = [main] if main.strip() else []
    for attachment in _listed(message.get("attachments")):
        parts.extend(part for part in _attachment(as_mapping(attachment)) if part and part not in main)
    for file in _listed(message.get("files")):
        parts += [named] if (named := _file(as_mapping(file))) else []
    return parts


def _main(message: Mapping[str, Any]) -> str:
    """Give the text, or a program's blocks: with blocks, its text is but the line of the notification."""
    text = _first(message.get("text"))
    if text and not is_bot(message):
        return text
    blocks = "\n".join(_blocks(message.get("blocks")))
    words = _words(text)
    if not text or (words and words in _words(blocks)):
        return blocks or text
    return text if _words(blocks) in words else f"{text}\n{blocks}"


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))


def _file(file: Mapping[str, Any]) -> str:
    name = _first(file.get("title"), file.get("name"))
    if not name:
        return "[file: deleted]" if file.get("mode") == "tombstone" else ""
    kind = _first(file.get("pretty_type"), file.get("mimetype"), file.get("filetype"))
    return f"[file: {name}, {kind}]" if kind else f"[file: {name}]"


def _attachment(attachment: Mapping[str, Any]) -> Iterator[str]:
    before = len(_first(attachment.get("text")))
    for key in ("pretext", "author_name", "title", "text"):
        yield _first(attachment.get(key))
    yield from _blocks(attachment.get("blocks"))
    for each in _listed(attachment.get("fields")):
        told = as_mapping(each)
        title, value = _first(told.get("title")), _first(told.get("value"))
        yield f"{title}: {value}" if title and value else title or value
    if not before and not attachment.get("title") and not attachment.get("blocks"):
        yield _first(attachment.get("fallback"))
    yield _first(attachment.get("footer"))


def _blocks(blocks: object, depth: int = 0) -> Iterator[str]:
    """Flatten Block Kit: section, header, context, markdown, image, rich text, tables, and blocks that hold blocks."""
    for block in _listed(blocks) if depth < _DEEPEST else ():
        told = as_mapping(block)
        if told.get("type") == "rich_text":
            yield _rich(told, 0)
            continue
        if str(told.get("type")) in {"table", "data_table"}:
            yield from _rows(told.get("rows"))
            continue
        keys = ("rich_text_title", "title", "subtitle", "text", "body", "alt_text")
        pieces = [*(told.get(key) for key in keys), *_listed(told.get("fields")), *_listed(told.get("elements"))]
        yield from (found for piece in pieces if (found := _piece(piece)).strip())
        yield from _blocks(told.get("child_blocks"), depth + 1)


def _piece(piece: object) -> str:
    """Give the words of a text object, of an element that holds one, or of a bare string."""
    if isinstance(piece, str):
        return piece
    told = as_mapping(piece)
    if told.get("type") == "rich_text":
        return _rich(told, 0)
    text = told.get("text", told.get("alt_text"))
    return text if isinstance(text, str) else _first(as_mapping(text).get("text"))


def _rows(rows: object) -> Iterator[str]:
    for row in _listed(rows):
        cells = [_piece(cell) or str(as_mapping(cell).get("value", "")) for cell in _listed(row)]
        if any(cells):
            yield " | ".join(cells)


def _rich(element: Mapping[str, Any], depth: int) -> str:
    """Flatten a rich-text element into Slack's own markup, its text escaped as markup is."""
    kind = str(element.get("type"))
    if kind in _RICH:
        before, key, after = _RICH[kind]
        return f"{before}{element.get(key)}{after}"
    if kind == "link":
        url, text = _first(element.get("url")), _first(element.get("text"))
        return f"<{url}|{_escaped(text)}>" if text else f"<{url}>"
    inner = _listed(element.get("elements"))
    if not inner or depth > _DEEPEST:
        return _escaped(_first(element.get("text")))
    between = "\n" if kind in {"rich_text", "rich_text_list"} else ""
    return between.join(_rich(as_mapping(part), depth + 1) for part in inner)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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


def as_mapping(value: object) -> Mapping[str, Any]:
    """Give a JSON object as it is, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _first(*values: object) -> str:
    return next((value for value in values if isinstance(value, str) and value.strip()), "")
