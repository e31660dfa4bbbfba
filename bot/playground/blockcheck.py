"""Whether blocks and views keep Slack's published limits; the answer names the spot as Slack's does.

Limits: https://docs.slack.dev/reference/block-kit/blocks and the pages of its elements. Leaves out what only Slack can
know: whether an image loads, whether a user in a rich text exists.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.playground.refusal import Refusal

Json = dict[str, Any]
Surface = str
Found = Iterator[tuple[str, str]]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
TEXT_IN_BLOCKS = 12_000
"""All text of a message's blocks together; undocumented, observed as ``msg_blocks_too_long``."""
VIEW_BYTES = 250_000

_ID = 255
_BUTTON_STYLES = {"primary", "danger"}
_EVERYWHERE = frozenset({"message", "modal", "home"})
_SURFACES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("section", "divider", "image", "actions", "context", "header", "rich_text", "video"), _EVERYWHERE),
    **dict.fromkeys(("table", "markdown", "context_actions", "plan", "task_card", "container"), frozenset({"message"})),
    **dict.fromkeys(("card", "carousel"), frozenset({"message", "home"})),
    "file": frozenset({"message"}),
    "alert": frozenset({"modal"}),
    "input": _EVERYWHERE,
}
_SELECTS = {f"{many}{of}_select" for many in ("", "multi_") for of in ("static", "users", "conversations", "channels")}
_CHOICES = {"radio_buttons": 10, "checkboxes": 10, "overflow": 5, "static_select": 100, "multi_static_select": 100}
_INPUTS = {"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"}
_PICKERS = {"datepicker", "timepicker", "datetimepicker"}
_INTERACTIVE = {
    "button",
    "feedback_buttons",
    "icon_button",
    "workflow_button",
    *_SELECTS,
    *_CHOICES,
    *_INPUTS,
    *_PICKERS,
}


def check_blocks(blocks: object, surface: Surface = "message") -> None:
    """Refuse blocks that Slack would refuse: ``invalid_blocks`` with its reasons, or ``msg_blocks_too_long``."""
    if not isinstance(blocks, list) or not all(isinstance(each, dict) for each in blocks):
        raise Refusal("invalid_blocks_format")
    reasons = [f"[ERROR] {reason} [json-pointer:{pointer}]" for reason, pointer in _found(blocks, surface)]
    if reasons:
        raise Refusal("invalid_blocks", errors=reasons, response_metadata={"messages": reasons})
    if surface == "message" and text_length(blocks) > TEXT_IN_BLOCKS:
        raise Refusal("msg_blocks_too_long")


def check_view(view: object, kind: str) -> Json:
    """Give a view back if Slack would take it; refuse with ``invalid_arguments`` or ``view_too_large`` otherwise."""
    if not isinstance(view, dict):
        raise Refusal(
            "invalid_arguments", response_metadata={"messages": ["[ERROR] must be an object [json-pointer:/view]"]}
        )
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise Refusal("view_too_large")
    reasons = [f"[ERROR] {reason} [json-pointer:/view{pointer}]" for reason, pointer in _view_found(view, kind)]
    if reasons:
        raise Refusal("invalid_arguments", response_metadata={"messages": reasons})
    return view


def text_length(node: object) -> int:
    """Count the characters a reader sees in blocks: every ``text`` that is a string, and titles given as strings."""
    if isinstance(node, list):
        return sum(text_length(each) for each in node)
    if isinstance(node, dict):
        shown = sum(len(value) for name, value in node.items() if name in {"text", "title"} and isinstance(value, str))
        return shown + sum(text_length(value) for value in node.values() if isinstance(value, (dict, list)))
    return 0


def _view_found(view: Json, kind: str) -> Found:
    if view.get("type") != kind:
        yield f"must be of type {kind}", "/type"
    blocks = view.get("blocks")
    if not isinstance(blocks, list):
        yield "missing required field: blocks", ""
        return
    yield from _found(blocks, kind)
    if kind == "modal":
        yield from _text(view.get("title"), 24, "/title", plain=True)
        for name in ("submit", "close"):
            if name in view:
                yield from _text(view[name], 24, f"/{name}", plain=True)
        if "submit" not in view and any(each.get("type") == "input" for each in blocks):
            yield "missing required field: submit", ""
    yield from _short(view, "private_metadata", 3000, "")
    yield from _short(view, "callback_id", _ID, "")


def _found(blocks: list[Json], surface: Surface) -> Found:
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    if len(blocks) > most:
        yield f"no more than {most} items allowed", "/blocks"
    ids = [each["block_id"] for each in blocks if each.get("block_id")]
    for twice in sorted({each for each in ids if ids.count(each) > 1}):
        yield f"`block_id` {twice} already exists", "/blocks"
    if sum(each.get("type") == "table" for each in blocks) > 1:
        yield "only one table allowed", "/blocks"
    for position, block in enumerate(blocks):
        yield from _block(block, f"/blocks/{position}", surface)


def _block(block: Json, pointer: str, surface: Surface) -> Found:
    kind = str(block.get("type"))
    if kind not in _SURFACES or surface not in _SURFACES[kind]:
        yield f"unsupported type: {kind}", f"{pointer}/type"
        return
    yield from _short(block, "block_id", _ID, pointer)
    yield from _CHECKS.get(kind, _nothing)(block, pointer)


def _nothing(_block: Json, _pointer: str) -> Found:
    yield from ()


def _section(block: Json, pointer: str) -> Found:
    if "text" not in block and not block.get("fields"):
        yield "missing required field: text", pointer
    if "text" in block:
        yield from _text(block["text"], 3000, f"{pointer}/text")
    yield from _count(block, "fields", 10, pointer)
    for position, each in enumerate(block.get("fields") or ()):
        yield from _text(each, 2000, f"{pointer}/fields/{position}")
    if "accessory" in block:
        yield from _element(block["accessory"], f"{pointer}/accessory")


def _header(block: Json, pointer: str) -> Found:
    yield from _text(block.get("text"), 150, f"{pointer}/text", plain=True)


def _context(block: Json, pointer: str) -> Found:
    yield from _count(block, "elements", 10, pointer, least=1)
    for position, each in enumerate(block.get("elements") or ()):
        spot = f"{pointer}/elements/{position}"
        yield from _image(each, spot) if each.get("type") == "image" else _text(each, 3000, spot)


def _actions(block: Json, pointer: str, most: int = 25) -> Found:
    yield from _count(block, "elements", most, pointer, least=1)
    ids = [each.get("action_id") for each in block.get("elements") or () if each.get("action_id")]
    if len(ids) != len(set(ids)):
        yield "`action_id` already exists in this block", f"{pointer}/elements"
    for position, each in enumerate(block.get("elements") or ()):
        yield from _element(each, f"{pointer}/elements/{position}")


def _context_actions(block: Json, pointer: str) -> Found:
    yield from _actions(block, pointer, most=5)
    for position, each in enumerate(block.get("elements") or ()):
        if each.get("type") not in {"feedback_buttons", "icon_button"}:
            yield f"unsupported type: {each.get('type')}", f"{pointer}/elements/{position}/type"


def _input(block: Json, pointer: str) -> Found:
    yield from _text(block.get("label"), 2000, f"{pointer}/label", plain=True)
    if "hint" in block:
        yield from _text(block["hint"], 2000, f"{pointer}/hint", plain=True)
    if "element" not in block:
        yield "missing required field: element", pointer
    else:
        yield from _element(block["element"], f"{pointer}/element")


def _image(block: Json, pointer: str) -> Found:
    alt = block.get("alt_text")
    if not isinstance(alt, str) or not alt:
        yield "missing required field: alt_text", pointer
    elif len(alt) > 2000:
        yield "must be less than 2001 characters", f"{pointer}/alt_text"
    if not block.get("image_url") and not block.get("slack_file"):
        yield "missing required field: image_url", pointer
    yield from _short(block, "image_url", 3000, pointer)


def _markdown(block: Json, pointer: str) -> Found:
    text = block.get("text")
    if not isinstance(text, str) or not 1 <= len(text) <= TEXT_IN_BLOCKS:
        yield f"must be between 1 and {TEXT_IN_BLOCKS} characters", f"{pointer}/text"


def _rich_text(block: Json, pointer: str) -> Found:
    known = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
    if not isinstance(block.get("elements"), list):
        yield "missing required field: elements", pointer
    for position, each in enumerate(block.get("elements") or ()):
        if each.get("type") not in known:
            yield f"unsupported type: {each.get('type')}", f"{pointer}/elements/{position}/type"


def _table(block: Json, pointer: str) -> Found:
    rows = block.get("rows")
    if not isinstance(rows, list) or not 1 <= len(rows) <= 100:
        yield "must have between 1 and 100 rows", f"{pointer}/rows"
        return
    for position, row in enumerate(rows):
        if not isinstance(row, list) or not 1 <= len(row) <= 20:
            yield "must have between 1 and 20 cells", f"{pointer}/rows/{position}"
    if text_length(rows) > 10_000:
        yield "must be less than 10001 characters in all cells", f"{pointer}/rows"


def _plan(block: Json, pointer: str) -> Found:
    if not isinstance(block.get("title"), str):
        yield "missing required field: title", pointer
    for position, each in enumerate(block.get("tasks") or ()):
        yield from _task(each, f"{pointer}/tasks/{position}")


def _task(block: Json, pointer: str) -> Found:
    for name in ("task_id", "title"):
        if not isinstance(block.get(name), str) or not block[name]:
            yield f"missing required field: {name}", pointer
    if block.get("status", "pending") not in {"pending", "in_progress", "complete", "error"}:
        yield "must be one of pending, in_progress, complete, error", f"{pointer}/status"


def _container(block: Json, pointer: str) -> Found:
    yield from _count(block, "child_blocks", 10, pointer, least=1)
    if "title" in block:
        yield from _text(block["title"], 150, f"{pointer}/title", plain=True)
    for position, each in enumerate(block.get("child_blocks") or ()):
        if each.get("type") == "container":
            yield "unsupported type: container", f"{pointer}/child_blocks/{position}/type"
        else:
            yield from _block(each, f"{pointer}/child_blocks/{position}", "message")


_CHECKS: Mapping[str, Callable[[Json, str], Found]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "context_actions": _context_actions,
    "input": _input,
    "image": _image,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "table": _table,
    "plan": _plan,
    "task_card": _task,
    "container": _container,
}


def _element(element: Json, pointer: str) -> Found:
    kind = element.get("type")
    if kind == "image":
        yield from _image(element, pointer)
        return
    if kind not in _INTERACTIVE:
        yield f"unsupported type: {kind}", f"{pointer}/type"
        return
    yield from _short(element, "action_id", _ID, pointer)
    if kind == "button":
        yield from _button(element, pointer)
    if kind in _CHOICES:
        yield from _options(element, _CHOICES[kind], pointer)
    if "placeholder" in element:
        yield from _text(element["placeholder"], 150, f"{pointer}/placeholder", plain=True)
    if "confirm" in element:
        yield from _confirm(element["confirm"], f"{pointer}/confirm")


def _button(element: Json, pointer: str) -> Found:
    yield from _text(element.get("text"), 75, f"{pointer}/text", plain=True)
    yield from _short(element, "value", 2000, pointer)
    yield from _short(element, "url", 3000, pointer)
    yield from _short(element, "accessibility_label", 75, pointer)
    if "style" in element and element["style"] not in _BUTTON_STYLES:
        yield "must be one of primary, danger", f"{pointer}/style"


def _options(element: Json, most: int, pointer: str) -> Found:
    groups: list[Json] = element.get("option_groups") or [element]
    for group in groups:
        yield from _count(group, "options", most, pointer, least=1)
        for position, each in enumerate(group.get("options") or ()):
            spot = f"{pointer}/options/{position}"
            yield from _text(each.get("text"), 75, f"{spot}/text")
            yield from _short(each, "value", 150, spot)


def _confirm(confirm: Json, pointer: str) -> Found:
    for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        yield from _text(confirm.get(name), most, f"{pointer}/{name}")


def _text(text: object, most: int, pointer: str, *, plain: bool = False) -> Found:
    if not isinstance(text, dict) or not isinstance(text.get("text"), str):
        yield "missing required field: text", pointer
        return
    if text.get("type") not in ({"plain_text"} if plain else {"plain_text", "mrkdwn"}):
        yield f"unsupported type: {text.get('type')}", f"{pointer}/type"
    if not 1 <= len(text["text"]) <= most:
        yield f"must be between 1 and {most} characters", f"{pointer}/text"


def _short(holder: Json, name: str, most: int, pointer: str) -> Found:
    value = holder.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > most):
        yield f"must be less than {most + 1} characters", f"{pointer}/{name}"


def _count(holder: Json, name: str, most: int, pointer: str, *, least: int = 0) -> Found:
    items = holder.get(name)
    if items is None and not least:
        return
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        yield f"missing required field: {name}", pointer
    elif not least <= len(items) <= most:
        yield f"must have between {least} and {most} items", f"{pointer}/{name}"
