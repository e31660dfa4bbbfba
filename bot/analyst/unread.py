"""How much of what the question is about nobody looked at, so that "nothing rose" is not said of what was not seen.

Sources say of their gaps where in time they lie and how much of what is there they leave out. What one log store could not
read another may have: of several that gave lines the one that left out least counts. Gaps whose share nobody knows count for
nothing here; they hold down how sure a quiet window is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.analyst.findings import Findings
from bot.analyst.times import find_moments
from bot.domain.items import LOG_SOURCES, Gap, SourceCoverage
from bot.domain.window import Window

MOST_UNREAD = 0.25
"""Share of what the question is about that may be unread and its quiet still be told: with more of it left out, an incident of
the usual length has an even chance to lie where nobody looked, and the everyday it is held against is no longer known."""
LINES = "kubernetes/logs"
"""Whose row tells of lines wherever they came from."""
RECORDER = "recorder"
Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Of the logs, the share that nobody looked at, and the gap that most of it lies in; ``asked``: the words for when."""

    share: float
    gap: Gap
    asked: str


def asked_spans(question: str, window: Window, rows: Sequence[SourceCoverage]) -> tuple[list[Span], str]:
    """Give what a question is about, in epoch seconds, and its words; all that was asked for where it names no time.

    The window of a case ends with what came of it; where sources say that they could not read beyond, it was asked for too.
    """
    told = [gap.span for row in rows if row.source in (*LOG_SOURCES, RECORDER) for gap in row.gaps if gap.span]
    start, end = min([window.start, *(first for first, _ in told)]), max([window.end, *(last for _, last in told)])
    whole = replace(window, start=start, end=end)
    moments = [one for one in find_moments(question, whole) if one.overlaps(whole.start_s, whole.end_s)]
    cut = [(max(one.start.timestamp(), whole.start_s), min(one.end.timestamp(), whole.end_s)) for one in moments]
    spans = joined([(first, last) for first, last in cut if last > first])
    return (spans, moments[0].words) if spans else ([(whole.start_s, whole.end_s)], "")


def too_much_unread(findings: Findings) -> Unread | None:
    """Give what was not looked at of the logs, where it is too much for the quiet to be told."""
    spans, asked = asked_spans(findings.question, findings.window, findings.coverage)
    gave = [row for row in findings.coverage if row.source in LOG_SOURCES and row.items]
    stores = [_of_row(_gaps_of(row, findings.coverage), spans) for row in gave]
    lines = [gap for row in findings.coverage if row.source == LINES for gap in row.gaps if _of_lines(gap)]
    shares: list[_Share] = [(gap.share or 0.0, gap) for gap in lines]
    if stores:
        shares.append(min(stores, key=_share))
    share, gap = max(shares, key=_share, default=(0.0, None))
    return Unread(share=share, gap=gap, asked=asked) if gap is not None and share > MOST_UNREAD else None


def unread_words(unread: Unread) -> str:
    """Say how much was not looked at, and why."""
    when = f" of {unread.asked}" if unread.asked else ""
    share = min(99, round(unread.share * 100)) if unread.share < 1 else 100
    return f"{share}% of the logs{when} were not looked at: {unread.gap.what}"


def joined(spans: Iterable[Span]) -> list[Span]:
    """Join spans that overlap, in their order."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


_Share = tuple[float, Gap | None]


def _share(one: _Share) -> float:
    return one[0]


def _of_lines(gap: Gap) -> bool:
    return gap.share is not None and gap.span is None


def _gaps_of(row: SourceCoverage, rows: Sequence[SourceCoverage]) -> list[Gap]:
    """Give a row's gaps with a span, or of a store; the recorder's lines stand in the cluster's row, and its pauses in its own."""
    own = [gap for gap in row.gaps if row.source != LINES or not _of_lines(gap)]
    return own + [gap for each in rows if row.source == LINES and each.source == RECORDER for gap in each.gaps]


def _of_row(gaps: Sequence[Gap], spans: Sequence[Span]) -> _Share:
    parts = [(gap.share * _within(gap, spans), gap) for gap in gaps if gap.share is not None]
    largest = max(parts, key=lambda part: part[0], default=None)
    return min(1.0, sum(part for part, _ in parts)), largest[1] if largest else None


def _within(gap: Gap, spans: Sequence[Span]) -> float:
    """Give which part of the spans a gap takes."""
    if gap.span is None:
        return 1.0
    first, end = (at.timestamp() for at in gap.span)
    shared = sum(max(0.0, min(end, stop) - max(first, start)) for start, stop in spans)
    return shared / sum(stop - start for start, stop in spans)
