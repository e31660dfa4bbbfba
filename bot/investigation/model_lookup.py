"""What the model's tools read a case with."""

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np

from bot.analyst.findings import Findings
from bot.analyst.model_tools import LiveQuery, Lookup
from bot.analyst.subjects import FollowUpContext
from bot.casefile.case import Case
from bot.casefile.search import SearchResult, search
from bot.casefile.stored import StoredItem, nanoseconds, stream_name
from bot.domain.link import LinkTest
from bot.domain.signal import Signal, Topology
from bot.domain.window import Window


def lookup_of(case: Case, findings: Findings, live: tuple[LiveQuery, ...] = ()) -> Lookup:
    """Give the tools of an investigation their case."""

    def test(cause: Signal, effect: Signal) -> LinkTest:
        return findings.test(cause, effect).test

    return _lookup(case, findings.window, list(findings.signals.values()), findings.topology, test, live)


def lookup_in(case: Case, context: FollowUpContext, live: tuple[LiveQuery, ...] = ()) -> Lookup:
    """Give the tools of a follow-up their case."""
    return _lookup(case, context.window, context.signals, context.topology, context.test, live)


def _lookup(
    case: Case,
    window: Window,
    signals: Sequence[Signal],
    topology: Topology,
    test: Callable[[Signal, Signal], LinkTest],
    live: tuple[LiveQuery, ...],
) -> Lookup:
    def find(words: str, start: datetime | None, end: datetime | None, limit: int) -> SearchResult:
        return search(case, words, start=start, end=end, limit=limit)

    def lines_between(start: datetime, end: datetime, stream: str, most: int) -> Sequence[StoredItem]:
        return lines_of_time(case, start, end, stream, most)

    return Lookup(
        window=window,
        signals=signals,
        topology=topology,
        evidence=case,
        test=test,
        search=find,
        around=case.around,
        lines_between=lines_between,
        events=case.events,
        series=case.series,
        live=live,
    )


def lines_of_time(case: Case, start: datetime, end: datetime, stream: str, most: int) -> list[StoredItem]:
    """Give the log lines of ``[start, end)`` from streams whose name holds a text, by time, spread where there are more."""
    columns = case.columns()
    inside = (columns.times_ns >= nanoseconds(start)) & (columns.times_ns < nanoseconds(end))
    if stream:
        named = np.array([stream in stream_name(one) for one in case.streams()] or [False], dtype=bool)
        inside &= named[columns.stream]
    places = np.flatnonzero(inside)
    places = places[np.argsort(columns.times_ns[places], kind="stable")]
    if len(places) > most:
        places = places[np.linspace(0, len(places) - 1, most).astype(int)]
    return list(case.lines_of(int(place) + 1 for place in places))
