"""Read back the Markdown that ``markdown`` writes, as blocks that other markups are made of.

Only what that page uses: headings, paragraphs, lists with one level inside, tables, fenced code, strong, emphasis, code.
It is no reader of other people's Markdown.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Mark = Literal["", "strong", "em", "code"]

_TOKEN = re.compile(r"\\([^\w\s])|(`+)(.+?)(?<!`)\2(?!`)|(\*\*)|(\*)")
_ITEM = re.compile(r"( *)([-*]|\d+\.) (.*)")
_FENCE = "```"
_INNER = 3
"""Blanks before what belongs to an item."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text in one style."""

    text: str
    mark: Mark = ""


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A headline, its level from 1."""

    level: int
    spans: Spans


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    spans: Spans


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be read letter by letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list, the items inside it, and code that belongs to it."""

    spans: Spans
    inner: tuple[Spans, ...] = ()
    code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    ordered: bool
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, the first the header."""

    rows: tuple[tuple[Spans, ...], ...]


Block = Heading | Paragraph | Code | Items | Table


def blocks(page: str) -> Iterator[Block]:
    """Give a page's blocks in order."""
    lines = page.splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            yield Heading(level, spans(line[level:].strip()))
            at += 1
        elif line.startswith("|"):
            end = _while(lines, at, lambda each: each.startswith("|"))
            yield Table(tuple(_cells(each) for number, each in enumerate(lines[at:end]) if number != 1))
            at = end
        elif _ITEM.fullmatch(line):
            found, at = _items(lines, at)
            yield found
        else:
            end = _while(lines, at, lambda each: bool(each.strip()) and each[:1] not in "#|" and not _ITEM.match(each))
            end = max(end, at + 1)
            yield Paragraph(spans(" ".join(lines[at:end])))
            at = end


def spans(text: str) -> Spans:
    """Give a line's stretches, escapes resolved."""
    found: list[Span] = []
    strong = emphasis = False
    end = 0

    def keep(told: str, mark: Mark) -> None:
        if told and found and found[-1].mark == mark != "code":
            found[-1] = Span(found[-1].text + told, mark)
        elif told:
            found.append(Span(told, mark))

    for token in _TOKEN.finditer(text):
        mark: Mark = "strong" if strong else "em" if emphasis else ""
        keep(text[end : token.start()], mark)
        end = token.end()
        if token[1]:
            keep(token[1], mark)
        elif token[2]:
            keep(_unpadded(token[3]), "code")
        elif token[4]:
            strong = not strong
        else:
            emphasis = not emphasis
    keep(text[end:], "strong" if strong else "em" if emphasis else "")
    return tuple(found)


def _unpadded(code: str) -> str:
    return code[1:-1] if len(code) > 2 and code[0] == code[-1] == " " and "`" in code else code


def _cells(line: str) -> tuple[Spans, ...]:
    return tuple(spans(cell.strip()) for cell in line.strip()[1:-1].split(" | "))


def _while(lines: Sequence[str], at: int, wanted: Callable[[str], bool]) -> int:
    while at < len(lines) and wanted(lines[at]):
        at += 1
    return at


def _items(lines: Sequence[str], at: int) -> tuple[Items, int]:
    first = _ITEM.fullmatch(lines[at])
    assert first is not None
    ordered = first[2] not in {"-", "*"}
    items: list[Item] = []
    while at < len(lines):
        found = _ITEM.fullmatch(lines[at])
        if found and not found[1]:
            if (found[2] not in {"-", "*"}) != ordered:
                break
            items.append(Item(spans(found[3])))
            at += 1
        elif found and len(found[1]) >= _INNER:
            last = items[-1]
            items[-1] = Item(last.spans, (*last.inner, spans(found[3])), last.code)
            at += 1
        elif lines[at].strip().startswith(_FENCE) and lines[at].startswith(" " * _INNER):
            text, at = _fenced(lines, at)
            items[-1] = Item(items[-1].spans, items[-1].inner, (*items[-1].code, text))
        elif not lines[at].strip() and _goes_on(lines, at + 1, ordered=ordered):
            at += 1
        else:
            break
    return Items(ordered, tuple(items)), at


def _goes_on(lines: Sequence[str], at: int, *, ordered: bool) -> bool:
    """Tell whether a list goes on behind a blank line: with its code, or with the next number."""
    if at >= len(lines):
        return False
    item = _ITEM.fullmatch(lines[at])
    return lines[at].startswith(" " * _INNER + _FENCE) or bool(ordered and item and item[2] not in {"-", "*"})


def _fenced(lines: Sequence[str], at: int) -> tuple[str, int]:
    end = at + 1
    while end < len(lines) and not lines[end].strip().startswith(_FENCE):
        end += 1
    return "\n".join(line[_INNER:] for line in lines[at + 1 : end]), end + 1
