"""Which lines of a case no rule looked at: those without a time, and those of more forms than are told apart.

Their share is told of the part of the window that the question is about, for a gap that lies elsewhere says nothing of it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bot.analyst.unread import LINES, MOST_UNREAD, asked_spans
from bot.casefile.blocks import ANY_FORM
from bot.casefile.case import Case
from bot.casefile.loglines import UNFORMED
from bot.domain.items import LOG_SOURCES, Gap, SourceCoverage
from bot.domain.ports import UNDATED
from bot.domain.window import Window
from bot.investigation.digest import Digest


def told_of_lines(
    row: SourceCoverage, rows: Sequence[SourceCoverage], case: Case, window: Window, question: str, found: Digest
) -> SourceCoverage:
    """Give the row that tells of lines with the shares that nobody looked at; any other row as it is."""
    if row.source != LINES:
        return row
    gaps = [
        replace(gap, share=_unformed(case, asked_spans(question, window, rows)[0], found))
        if gap.what == UNFORMED
        else gap
        for gap in row.gaps
    ]
    lines = sum(each.items for each in rows if each.source in LOG_SOURCES)
    # lines outside the window are none of the question's: only where many are left out it is asked which these are
    if lines and lines - found.tables.lines > MOST_UNREAD * lines and (undated := _undated(case)) > MOST_UNREAD * lines:
        what = "log lines without a time: export them with --timestamps"
        gaps.append(Gap(source=LINES, what=what, count=undated, share=undated / lines))
    return replace(row, gaps=tuple(gaps))


def _unformed(case: Case, spans: Sequence[tuple[float, float]], found: Digest) -> float:
    """Give which share of the lines that the question is about have no form of their own."""
    forms = [row.form for row in case.forms()]
    shared = found.form_to_template[forms.index(ANY_FORM)]
    among, of_them = 0, 0
    for table in found.tables.each(range(len(case.streams()))):
        inside = np.zeros(len(table.times_s), dtype=bool)
        for start, end in spans:
            inside |= (table.times_s >= start) & (table.times_s < end)
        among += int(inside.sum())
        of_them += int((inside & (table.template == shared)).sum())
    return of_them / among if among else 0.0


def _undated(case: Case) -> int:
    return sum(int((block.times_ns == UNDATED).sum()) for block in case.column_blocks())
