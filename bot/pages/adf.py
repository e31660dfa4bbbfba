"""Blocks as an Atlassian document, the body that Jira Cloud takes (REST v3).

A text node is shown as it is: foreign words cannot become a mention, a link or a macro, for those are nodes of their own
and none is written here. https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from collections.abc import Iterable
from typing import Any

from bot.pages.markup import Block, Code, Heading, Item, Items, Paragraph, Span, Spans, Table

Node = dict[str, Any]


def document(blocks: Iterable[Block]) -> Node:
    """Give the whole document."""
    return {"version": 1, "type": "doc", "content": [node(each) for each in blocks]}


def node(block: Block) -> Node:
    """Give the node of one block."""
    match block:
        case Heading():
            return {"type": "heading", "attrs": {"level": block.level}, "content": _texts(block.spans)}
        case Paragraph():
            return _paragraph(block.spans)
        case Code():
            return _code(block.text)
        case Items():
            kind = "orderedList" if block.ordered else "bulletList"
            return {"type": kind, "content": [_item(each) for each in block.items]}
        case Table():
            rows = [_row(row, "tableCell" if number else "tableHeader") for number, row in enumerate(block.rows)]
            return {"type": "table", "content": rows}


def _item(item: Item) -> Node:
    content = [_paragraph(item.spans)]
    if item.inner:
        inner = [{"type": "listItem", "content": [_paragraph(each)]} for each in item.inner]
        content.append({"type": "bulletList", "content": inner})
    return {"type": "listItem", "content": [*content, *map(_code, item.code)]}


def _row(cells: Iterable[Spans], kind: str) -> Node:
    return {"type": "tableRow", "content": [{"type": kind, "content": [_paragraph(cell)]} for cell in cells]}


def _paragraph(spans: Spans) -> Node:
    return {"type": "paragraph", "content": _texts(spans)}


def _code(text: str) -> Node:
    return {"type": "codeBlock", "content": [{"type": "text", "text": text}] if text else []}


def _texts(spans: Iterable[Span]) -> list[Node]:
    return [_text(span) for span in spans if span.text]  # an empty text node is refused


def _text(span: Span) -> Node:
    told: Node = {"type": "text", "text": span.text}
    return told | {"marks": [{"type": span.mark}]} if span.mark else told
