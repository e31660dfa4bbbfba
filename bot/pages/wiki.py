"""Blocks as Jira's wiki text, the body that Jira Data Center takes (REST v2).

Here text and markup share one string, so foreign words are escaped: no mention, link, macro or emoticon comes alive.
https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all
"""

import re
from collections.abc import Iterable, Iterator

from bot.pages.markup import Block, Code, Heading, Items, Paragraph, Span, Spans, Table

_MARKS = {"": "", "strong": "*", "em": "_"}
_ALWAYS = re.compile(r"[{}\[\]|!]")
_AT_EDGES = re.compile(r"(?<!\w)[-*_+^~?#](?=\S)|(?<=\S)[-*_+^~?](?!\w)")
_EMOTICONS = re.compile(r"\((?=(?:\*[rgby]?|[-!xi/?+yn]|on|off|flag|flagoff)\))|[:;](?=-?[()DP])")
_ENTITIES = {"\\": "&#92;", "@": "&#64;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LINE_BEGINS = re.compile(r"^(h[1-6]|bq)\.")
_ADDRESS = re.compile(r":(?=//)|(?<=mailto):", re.IGNORECASE)
_RULE = re.compile(r"-(?=-)")


def wiki_text(blocks: Iterable[Block]) -> str:
    """Give the whole body."""
    return "\n\n".join(wiki_block(each) for each in blocks) + "\n"


def wiki_block(block: Block) -> str:
    """Give one block."""
    match block:
        case Heading():
            return f"h{block.level}. {_line(block.spans)}"
        case Paragraph():
            return _LINE_BEGINS.sub(r"\1&#46;", _line(block.spans))
        case Code():
            return _code(block.text)
        case Items():
            return "\n".join(_items(block))
        case Table():
            return "\n".join(_row(row, "|" if number else "||") for number, row in enumerate(block.rows))


def escaped(text: str) -> str:
    """Give foreign text that stays text."""
    text = "".join(_ENTITIES.get(each, each) for each in text)
    text = _ADDRESS.sub("&#58;", text)
    text = _RULE.sub("&#45;", text)
    text = _ALWAYS.sub(r"\\\g<0>", text)
    text = _EMOTICONS.sub(r"\\\g<0>", text)
    return _AT_EDGES.sub(lambda found: found[0] if _in_entity(text, found.start()) else f"\\{found[0]}", text)


def _in_entity(text: str, at: int) -> bool:
    """Tell whether a sign belongs to an entity or to an escape that was just written."""
    return text[at - 1 : at] in {"&", "\\"} or bool(
        re.search(r"&#?\w*$", text[max(at - 6, 0) : at]) and text[at] == ";"
    )


def _line(spans: Spans) -> str:
    return "".join(_span(span) for span in spans)


def _span(span: Span) -> str:
    told = escaped(span.text)
    if span.mark == "code":
        return f"{{{{{told}}}}}"
    inner = told.strip()
    if not span.mark or not inner:
        return told
    mark = _MARKS[span.mark]
    before, after = told[: len(told) - len(told.lstrip())], told[len(told.rstrip()) :]
    return f"{before}{mark}{inner}{mark}{after}"  # a mark that touches a blank is none


def _items(block: Items) -> Iterator[str]:
    """Give a list; numbers are written out where code stands between them, for that would begin the count anew."""
    counted = block.ordered and any(item.code for item in block.items)
    for number, item in enumerate(block.items, start=1):
        yield f"{number}. {_line(item.spans)}" if counted else f"{'#' if block.ordered else '*'} {_line(item.spans)}"
        yield from (f"{'' if counted else '*'}* {_line(inner)}" for inner in item.inner)
        yield from (_code(each) for each in item.code)


def _row(cells: Iterable[Spans], edge: str) -> str:
    return edge + edge.join(_line(cell).strip() or " " for cell in cells) + edge


def _code(text: str) -> str:
    return f"{{noformat}}\n{text.replace('{noformat', '{ noformat')}\n{{noformat}}"
