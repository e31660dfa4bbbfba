"""A report as a comment on a ticket: the Markdown page, cut to what a comment may hold, with the mark it is found by."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from bot.domain.report import Report
from bot.pages.adf import document, node
from bot.pages.markdown import render_markdown
from bot.pages.markup import Block, Paragraph, Span, blocks
from bot.pages.wiki import wiki_block, wiki_text
from bot.redaction.posted import POSTING, Posting

LONGEST = 32_767
"""``jira.text.field.character.limit``: characters of a comment; both kinds of Jira are born with it."""

_SPARE = 700
"""For the last lines and the blank lines between blocks."""


def adf_comment(report: Report, mark: str, posting: Posting = POSTING) -> dict[str, Any]:
    """Give the comment as Jira Cloud takes it."""
    fit = posting.all(report)
    return document(_fitting(fit, mark, lambda block: len(json.dumps(node(block), separators=(",", ":")))))


def wiki_comment(report: Report, mark: str, posting: Posting = POSTING) -> str:
    """Give the comment as Jira Data Center takes it."""
    fit = posting.all(report)
    return wiki_text(_fitting(fit, mark, lambda block: len(wiki_block(block)) + 2))


def _fitting(report: Report, mark: str, length: Callable[[Block], int]) -> Sequence[Block]:
    """Keep the first blocks that fit: the page tells what matters first, and its evidence last."""
    kept: list[Block] = []
    room = LONGEST - _SPARE
    last = Paragraph((Span("Posted by rootcause: case "), Span(report.case, "code"), Span(f", mark {mark}.")))
    for block in blocks(render_markdown(report)):
        room -= length(block)
        if room < 0:
            whole = Span(f"rootcause show {report.case} --format markdown", "code")
            return [*kept, Paragraph((Span("The rest did not fit into a comment: "), whole, Span("."))), last]
        kept.append(block)
    return [*kept, last]
