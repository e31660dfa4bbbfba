"""Investigate one source from end to end: gather, digest, hypothesise, analyse, verify, and keep the case.

Nothing is kept unless all of it succeeded: a case that lies under its name is a whole one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from bot.analyst.times import parse_window
from bot.casefile.case import Case
from bot.casefile.days import Day
from bot.casefile.home import CaseHome
from bot.domain.ports import UNDATED, Progress, Source
from bot.domain.report import Report, to_json
from bot.domain.window import Window, rfc3339
from bot.errors import UsageError
from bot.investigation.checking import checked
from bot.investigation.conclude import conclude, written
from bot.investigation.digest import digest
from bot.investigation.gather import gather_all, rare_collections
from bot.signals.masking import mask

if TYPE_CHECKING:  # an analysis without a model must not wait for one
    from bot.investigation.model_analyst import ModelAnalyst

DEFAULT_QUESTION = "What caused the incident?"
A_DAY = timedelta(days=1)
FAR = timedelta(days=90)
"""Times further than this from the middle of the material are somebody's wrong clock, not the window's edge."""


def investigate(
    sources: Sequence[Source],
    home: CaseHome,
    *,
    question: str | None,
    window: str | None,
    progress: Progress,
    analyst: "ModelAnalyst | None" = None,
    asked_span: Window | None = None,
) -> Report:
    """Run an investigation over all sources and return its report; the case it rests on is kept in ``home``.

    With an ``analyst`` a model reads the case too; without one, or where it fails, the offline analyst's answer stands.
    A lone source that holds nothing usable fails the call; beside others its failure is a Gap. ``asked_span`` is what live
    services were asked for: with it there is an answer even where nothing came.

    Raises UsageError for a window that cannot be read or lies outside the material.
    """
    clock = Stopwatch()
    with rare_collections(), home.create(mask) as writer:
        with clock.stage("gather"):
            gather_all(sources, writer, progress)
        case = writer.reader()
        span = _span(case, window, asked_span)
        asked = question or DEFAULT_QUESTION
        writer.set_window(span)
        writer.set_question(asked)
        progress("digest", 0, None)
        with clock.stage("digest"):
            found = digest(case, span)
            writer.write_templates(found.form_to_template, found.templates)
        progress("hypothesise", 0, None)
        with clock.stage("hypothesise"):
            conclusion = conclude(case, span, asked, found, writer.coverage())
            writer.write_signals(conclusion.signals)
            writer.write_links(conclusion.links)
        progress("analyse", 0, None)
        with clock.stage("analyse"):
            draft = written(conclusion)
        if analyst is not None:
            from bot.investigation.model_reading import read_case  # noqa: PLC0415 - only where a model is asked

            # what the case is packed by, now and for its follow-ups, so that a cache holds
            writer.write_report(to_json(checked(draft, conclusion, clock.seconds)))
            with clock.stage("model"):
                draft = read_case(analyst, case, conclusion, draft, progress)
        with clock.stage("verify"):
            report = checked(draft, conclusion, clock.seconds)
        writer.write_report(to_json(report))
        writer.finish()
    return report


def _span(case: Case, words: str | None, asked: Window | None) -> Window:
    try:
        return window_of(case, words)
    except UsageError:
        if asked is None:
            raise
        return asked


def window_of(case: Case, words: str | None) -> Window:
    """Give the window a person asked for, counted back from the end of the material, or all of the material."""
    first, last = span_of(case)
    end = last.replace(microsecond=0) + timedelta(seconds=1)
    if words is None:
        return Window(start=first, end=end, asked="all of the export")
    span = parse_window(words, now=end, first=first, tz=UTC)
    if span.end <= first or span.start >= end:
        raise UsageError(
            f"The window {words!r} lies outside the material, which runs from {rfc3339(first)} to {rfc3339(end)}. "
            "Ask for a window inside it, or for none at all to read all of it."
        )
    # "5d" of a material of five days must not begin on the evening before: its day 1 is the material's
    return replace(span, start=first) if timedelta(0) < first - span.start < A_DAY else span


def span_of(case: Case) -> tuple[datetime, datetime]:
    """Give the first and last time of anything that tells of a moment: lines, events, samples, messages, tickets."""
    told = [Day(times=1, first=at, last=at) for at in _span_of_lines(case)] + case.days()
    if not told:
        said = [*(message.at for _, message in case.messages()), *(entry.at for _, entry in case.tickets())]
        told = [Day(times=1, first=at, last=at) for at in said]
    if not told:
        raise UsageError(
            "Nothing in the export carries a time, so there is no window to look at. "
            "Export logs with --timestamps, events as JSON, or metrics with their samples."
        )
    told.sort(key=lambda day: (day.first, day.last))
    before = np.cumsum([day.times for day in told])
    middle = told[int(np.searchsorted(before, before[-1] // 2, side="right"))].first
    near = [at for day in told for at in (day.first, day.last) if abs(at - middle) <= FAR]
    return min(near), max(near)


def _span_of_lines(case: Case) -> list[datetime]:
    """Give the first and last time of the lines, near the one in their middle: clocks that are years off count for nothing."""
    counts, firsts, lasts = case.dated_blocks().T
    if not counts.sum():
        return []
    place = int(counts.sum()) // 2
    before = np.cumsum(counts) - counts
    at_block = int(np.searchsorted(before, place, side="right")) - 1
    (middle_block,) = case.column_blocks([at_block + 1])
    dated = middle_block.times_ns[middle_block.times_ns != UNDATED]
    middle_ns = float(dated[place - before[at_block]])
    far_ns = FAR.total_seconds() * 1e9
    low, high = middle_ns - far_ns, middle_ns + far_ns
    near = (counts > 0) & (firsts > low) & (lasts < high)
    ends = [*zip(firsts[near].tolist(), lasts[near].tolist(), strict=True)]
    # a block with both near and far times is looked through once more
    for block in case.column_blocks((np.flatnonzero((counts > 0) & ~near) + 1).tolist()):
        times = block.times_ns[(block.times_ns != UNDATED) & (block.times_ns > low) & (block.times_ns < high)]
        if len(times):
            ends.append((int(times.min()), int(times.max())))
    both = (min(first for first, _ in ends), max(last for _, last in ends))
    return [datetime.fromtimestamp(float(at) / 1e9, UTC) for at in both]


class Stopwatch:
    """Seconds by stage, in the order the stages were first entered."""

    def __init__(self, now: Callable[[], float] = perf_counter) -> None:
        self._now = now
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time spent inside under ``name``."""
        begun = self._now()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + self._now() - begun, 3)
