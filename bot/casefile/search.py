"""Finds a text in everything a case holds: log lines, events, objects, chat and tickets.

Exact and whole: the total counts every match, ASCII letters match either case. What a form's constant words tell of all its
lines is counted without opening any (``formsearch``); a block is opened only for lines in doubt, and only if its time span
and its token filter allow a match; inside it the whole text is searched at once and hits are mapped back to lines.
"""

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from bot.casefile.blocks import Ints
from bot.casefile.case import Case
from bot.casefile.disk import explained
from bot.casefile.formsearch import ALL, DOUBT, NONE, States, forms_holding
from bot.casefile.logreader import Columns, LogBlock
from bot.casefile.stored import StoredItem, nanoseconds
from bot.casefile.tokens import Needle
from bot.domain.items import ItemId
from bot.domain.ports import UNDATED

_KINDS = "LVOCJ"
"""Letters of what is searched, in the order in which equal times are listed."""

_Hit = tuple[int, int, int]
"""Time in nanoseconds (undated last), position in ``_KINDS``, number."""

_LAST = np.iinfo(np.int64).max
_TOGETHER = 10_000
"""Hits that wait before the first are chosen of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The first hits by time, undated ones last, and how many there are in all."""

    hits: list[StoredItem]
    total: int


def search(
    case: Case, text: str, *, start: datetime | None = None, end: datetime | None = None, limit: int = 50
) -> SearchResult:
    """Find ``text`` in lines (behind their time prefix), and in texts, names and authors of the other kinds.

    ``start`` and ``end`` bound the time, half-open; undated items are in only without bounds. ``limit`` bounds the hits
    given, never the total. An empty text matches nothing.
    """
    needle = text.encode("utf-8", "surrogatepass").lower()
    if not needle:
        return SearchResult(hits=[], total=0)
    span = (
        None if start is None else nanoseconds(start),
        None if end is None else nanoseconds(end),
    )
    with explained(case.path):
        lines, total = _line_hits(case, needle, span, limit)
        items, more = _first(_item_hits(case, needle, span), limit)
    first = heapq.nsmallest(max(0, limit), [*lines, *items])
    ids = [ItemId(f"{_KINDS[kind]}{number}") for _, kind, number in first]
    return SearchResult(hits=list(case.items(ids)), total=total + more)


def haystack(item: StoredItem) -> bytes:
    """Give what is searched of an item that is no log line, lower case."""
    parts = (item.text, item.entity, item.locator) if item.id.startswith("V") else (item.text, item.entity)
    return "\n".join(parts).encode("utf-8", "surrogatepass").lower()


def _first(hits: Iterator[_Hit], limit: int) -> tuple[list[_Hit], int]:
    """Give the first of any number of hits and how many there are, holding few."""
    first: list[_Hit] = []
    total = 0
    for hit in hits:
        total += 1
        first.append(hit)
        if len(first) >= limit + _TOGETHER:
            first = heapq.nsmallest(max(0, limit), first)
    return first, total


_Span = tuple[int | None, int | None]
Flags = NDArray[np.bool_]


def _within(span: _Span, times_ns: Ints) -> Flags:
    inside = np.ones(len(times_ns), dtype=bool)
    if span != (None, None):
        inside &= times_ns != UNDATED
    if span[0] is not None:
        inside &= times_ns >= span[0]
    if span[1] is not None:
        inside &= times_ns < span[1]
    return inside


def _line_hits(case: Case, needle: bytes, span: _Span, limit: int) -> tuple[list[_Hit], int]:
    """Give the first lines by time that hold the needle, and how many hold it in all."""
    of_forms = forms_holding(case, needle)
    total, hits = 0, list[_Hit]()
    for blocks, columns in case.column_runs():
        lines = _lines_holding(case, needle, span, of_forms[columns.form], (blocks, columns))
        total += len(lines)
        if limit > 0:
            hits = heapq.nsmallest(limit, [*hits, *_earliest(columns.times_ns, lines, limit, _begin(case, blocks))])
    return hits, total


def _begin(case: Case, blocks: range) -> int:
    return case.logs.span(blocks[0])[0] if len(blocks) else 0


def _lines_holding(
    case: Case, needle: bytes, span: _Span, state: States, run: tuple[range, Columns]
) -> NDArray[np.intp]:
    """Give the places in a run of blocks of the lines that hold the needle, by what their forms tell and where needed by looking."""
    blocks, columns = run
    begin = _begin(case, blocks)
    for block in case.logs.uneven_blocks:
        if block in blocks:
            first, stop = case.logs.span(block)
            state[first - begin : stop - begin] = DOUBT  # here a form does not tell what its lines hold
    if span != (None, None):
        state[~_within(span, columns.times_ns)] = NONE
    if (doubt := state == DOUBT).any():
        _look(case, needle, doubt, state, blocks)
    return np.flatnonzero(state == ALL)


def _earliest(times_ns: Ints, lines: NDArray[np.intp], limit: int, begin: int) -> Iterator[_Hit]:
    times = times_ns[lines]
    times[times == UNDATED] = _LAST
    if len(lines) > limit:
        kept = np.flatnonzero(times <= np.partition(times, limit - 1)[limit - 1])
        lines, times = lines[kept], times[kept]
    yield from ((at, 0, begin + line + 1) for at, line in zip(times.tolist(), lines.tolist(), strict=True))


def _look(case: Case, needle: bytes, doubt: Flags, state: States, run: range) -> None:
    """Open the blocks of a run that hold lines in doubt, where their filter allows a match, and mark those that match."""
    sought, begin = Needle(needle), _begin(case, run)
    firsts = case.logs.firsts[run[0] - 1 : run[-1]] - 1 - begin
    blocks = np.flatnonzero(np.logical_or.reduceat(doubt, firsts)) + run[0]
    wanted = [block for block in blocks.tolist() if sought.may_be_in(case.logs.bloom(block))]
    for block, opened in zip(wanted, case.logs.open_blocks(wanted), strict=True):
        lines = _matching_lines(opened, needle) + (case.logs.span(block)[0] - begin)
        state[lines[doubt[lines]]] = ALL


def _matching_lines(block: LogBlock, needle: bytes) -> Ints:
    """Give the indexes of a block's lines whose text holds the needle, ascending."""
    # Of two matches that overlap, the first may begin in the prefix or run over the line's end, so both must be seen;
    # most texts cannot overlap themselves, and then the plain pattern is several times faster.
    overlaps = any(needle.startswith(needle[cut:]) for cut in range(1, len(needle)))
    pattern = b"(?=" + re.escape(needle) + b")" if overlaps else re.escape(needle)
    places = re.finditer(pattern, block.text.lower())
    starts = np.fromiter((place.start() for place in places), dtype=np.int64)
    lines = np.searchsorted(block.offsets, starts, side="right") - 1
    inside = starts >= block.offsets[lines] + block.text_starts[lines]
    inside &= starts + len(needle) <= block.offsets[lines] + block.lengths[lines]
    return np.unique(lines[inside])


def _item_hits(case: Case, needle: bytes, span: _Span) -> Iterator[_Hit]:
    for kind, letter in enumerate(_KINDS):
        if letter == "L":
            continue
        for item in case.stored(letter):
            at = UNDATED if item.at is None else nanoseconds(item.at)
            if needle in haystack(item) and _within(span, np.array([at]))[0]:
                yield (_LAST if item.at is None else at, kind, int(item.id[1:]))
