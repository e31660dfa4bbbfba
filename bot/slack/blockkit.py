"""Block Kit pieces that keep Slack's limits by construction: what does not fit is cut, and the cut is said.

The limits are those of https://docs.slack.dev/reference/block-kit/blocks and the pages below it. Slack also refuses a message
whose blocks hold about 12,000 characters in all (``msg_blocks_too_long``, undocumented, seen from 11,341 on), so ``fit``
stops well below. Texts that come in here are mrkdwn already, made by the sanitiser, or plain.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

Block = dict[str, Any]

SECTION_TEXT = 3000  # https://docs.slack.dev/reference/block-kit/blocks/section-block
HEADER_TEXT = 150  # https://docs.slack.dev/reference/block-kit/blocks/header-block
CONTEXT_ELEMENTS = 10  # https://docs.slack.dev/reference/block-kit/blocks/context-block
CONTAINER_BLOCKS = 10  # https://docs.slack.dev/reference/block-kit/blocks/container-block
CONTAINER_TITLE = 150
CONTEXT_TEXT = 2000  # not documented for context; the section fields' limit is safe
ACTION_ELEMENTS = 25  # https://docs.slack.dev/reference/block-kit/blocks/actions-block
BUTTON_TEXT = 75  # https://docs.slack.dev/reference/block-kit/block-elements/button-element
BUTTON_VALUE = 2000
BUTTON_URL = 3000
MESSAGE_BLOCKS = 50  # https://docs.slack.dev/reference/block-kit/blocks
VIEW_BLOCKS = 100
MESSAGE_TEXT = 3500  # chat.update refuses more than 4,000, https://docs.slack.dev/reference/methods/chat.update
BLOCKS_TEXT = 10_000
VIEW_TITLE = 24  # https://docs.slack.dev/reference/views
PRIVATE_METADATA = 3000
PREFORMATTED_TEXT = 2900  # rich text has no documented limit of its own
ALT_TEXT = 2000  # https://docs.slack.dev/reference/block-kit/blocks/image-block

_CUT = " …"
_OPEN_ENTITY = re.compile(r"(?:&[a-z]{0,4}|<[^>]{0,3100})$")


def clip(text: str, longest: int, note: str = _CUT) -> str:
    """Cut mrkdwn without tearing an escape or a link, and mark the cut."""
    if len(text) <= longest:
        return text
    kept = _OPEN_ENTITY.sub("", text[: longest - len(note)])
    return kept.rstrip() + note


def mrkdwn(text: str, longest: int) -> Block:
    """Give a text object that Slack parses; ``verbatim`` keeps it from linking names and channels by itself."""
    return {"type": "mrkdwn", "text": clip(text, longest) or " ", "verbatim": True}


def plain(text: str, longest: int) -> Block:
    """Give a text object that Slack shows as it is."""
    return {"type": "plain_text", "text": clip(text, longest) or " ", "emoji": False}


def section(text: str, accessory: Block | None = None) -> Block:
    """Give a paragraph."""
    block: Block = {"type": "section", "text": mrkdwn(text, SECTION_TEXT)}
    return block if accessory is None else {**block, "accessory": accessory}


def header(text: str) -> Block:
    """Give a headline."""
    return {"type": "header", "text": plain(text, HEADER_TEXT)}


def context(*texts: str) -> Block:
    """Give small print."""
    return {"type": "context", "elements": [mrkdwn(text, CONTEXT_TEXT) for text in texts[:CONTEXT_ELEMENTS]]}


def divider() -> Block:
    """Give a line."""
    return {"type": "divider"}


def folded(title: str, children: Sequence[Block]) -> Block:
    """Give blocks behind a title that opens when it is pressed; messages only, and closed at first."""
    return {
        "type": "container",
        "title": plain(title, CONTAINER_TITLE),
        "child_blocks": list(children[:CONTAINER_BLOCKS]),
        "is_collapsible": True,
        "default_collapsed": True,
    }


def plainer(blocks: Sequence[Block]) -> list[Block]:
    """Leave out what an older or stricter Slack may refuse: everything but text, rules and buttons."""
    return [block for block in blocks if block["type"] != "container"]


def preformatted(text: str, longest: int = PREFORMATTED_TEXT) -> Block:
    """Give verbatim text in fixed width; rich text is not parsed, so foreign text cannot format or link in it."""
    content = {"type": "text", "text": clip(text, min(longest, PREFORMATTED_TEXT)) or " "}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [content]}]}


def button(
    label: str,
    action_id: str,
    value: str = "",
    *,
    url: str | None = None,
    style: Literal["primary", "danger"] | None = None,
    said: str | None = None,
) -> Block:
    """Give a button; ``said`` is what a screen reader says instead of the label. A value too long is a mistake here."""
    if len(value) > BUTTON_VALUE:
        raise ValueError(f"the value of button {action_id} holds {len(value)} characters, Slack takes {BUTTON_VALUE}")
    block: Block = {"type": "button", "text": plain(label, BUTTON_TEXT), "action_id": action_id}
    if value:
        block["value"] = value
    if url is not None and len(url) <= BUTTON_URL:
        block["url"] = url
    if style is not None:
        block["style"] = style
    if said is not None:
        block["accessibility_label"] = clip(said, BUTTON_TEXT)
    return block


def actions(buttons: Sequence[Block]) -> Block:
    """Give a row of buttons."""
    return {"type": "actions", "elements": list(buttons[:ACTION_ELEMENTS])}


def text_input(block_id: str, label: str, *, initial: str = "", hint: str = "", optional: bool = False) -> Block:
    """Give an input for one line; ``block_id`` names it among the submitted values."""
    element: Block = {"type": "plain_text_input", "action_id": "text"}
    if initial:
        element["initial_value"] = initial[:150]
    if hint:
        element["placeholder"] = plain(hint, 150)
    return {
        "type": "input",
        "block_id": block_id,
        "optional": optional,
        "label": plain(label, 200),
        "element": element,
    }


def modal(
    callback_id: str, title: str, blocks: Sequence[Block], *, metadata: object = None, submit: str | None = None
) -> Block:
    """Give a modal view; ``metadata`` travels with it as JSON."""
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, VIEW_TITLE),
        "close": plain("Close", VIEW_TITLE),
        "blocks": list(blocks[:VIEW_BLOCKS]),
    }
    if metadata is not None:
        carried = json.dumps(metadata, separators=(",", ":"))
        if len(carried) > PRIVATE_METADATA:
            raise ValueError(f"the view carries {len(carried)} characters of metadata, Slack takes {PRIVATE_METADATA}")
        view["private_metadata"] = carried
    if submit is not None:
        view["submit"] = plain(submit, VIEW_TITLE)
    return view


def fit(blocks: Iterable[Block], *, footer: Sequence[Block] = (), more: str = "") -> list[Block]:
    """Keep as many blocks as a message may hold beside the ``footer``; where some are left out, say ``more``."""
    given, said = list(blocks), context(more or "_The rest is in the case._")
    room = BLOCKS_TEXT - text_size([*footer, said])
    most = MESSAGE_BLOCKS - len(footer) - 1
    kept: list[Block] = []
    for block in given:
        room -= text_size([block])
        if room < 0 or len(kept) >= most:
            return [*kept, said, *footer]
        kept.append(block)
    return [*kept, *footer]


def text_size(value: Any) -> int:  # noqa: ANN401 - blocks are JSON
    """Count the characters a reader sees in blocks, as Slack's limit on a whole message does."""
    if isinstance(value, dict):
        own = value.get("text")
        inner = sum(text_size(part) for name, part in value.items() if name != "text")
        return inner + (len(own) if isinstance(own, str) else text_size(own))
    if isinstance(value, list):
        return sum(text_size(part) for part in value)
    return 0
