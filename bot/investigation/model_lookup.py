"""What the model's tools read a case with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bot.analyst.findings import Findings
from bot.analyst.model_tools import LiveQuery, Lookup
from bot.analyst.subjects import FollowUpContext
from bot.casefile.case import Case
from bot.casefile.search import search
from bot.casefile.stored import StoredItem, nanoseconds, stream_name
from bot.domain.items import ItemId
from bot.domain.link import LinkTest
from bot.domain.ports import Stored
from bot.domain.signal import Signal, Topology
from bot.domain.window import Window
from bot.investigation.hidden import Veil


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Hits of a search as they may be shown, and how many there are in all."""

    hits: Sequence[Stored]
    total: int


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
    veil = Veil(case)

    def find(words: str, start: datetime | None, end: datetime | None, limit: int) -> Found:
        found = search(case, words, start=start, end=end, limit=limit)
        return Found(hits=veil.over(found.hits), total=found.total)

    def around(item: ItemId, before: int, after: int) -> Sequence[Stored]:
        return veil.over(case.around(item, before, after))

    def lines_between(start: datetime, end: datetime, stream: str, most: int) -> Sequence[Stored]:
        return veil.over(lines_of_time(case, start, end, stream, most))

    return Lookup(
        window=window,
        signals=signals,
        topology=topology,
        evidence=case,
        test=test,
        search=find,
        around=around,
        lines_between=lines_between,
        events=case.events,
        series=case.series,
        live=live,
    )


def lines_of_time(case: Case, start: datetime, end: datetime, stream: str, most: int) -> list[StoredItem]:
    """Give the log lines of ``[start, end)`` from streams whose name holds a text, by time, spread where there are more."""
    named = np.array([stream in stream_name(one) for one in case.streams()] or [False], dtype=bool)
    found, at, before = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)], 0
    for _, columns in case.column_runs():
        inside = (columns.times_ns >= nanoseconds(start)) & (columns.times_ns < nanoseconds(end))
        inside &= named[columns.stream]
        found.append(np.flatnonzero(inside) + before)
        at.append(columns.times_ns[inside])
        before += len(inside)
    places = np.concatenate(found)[np.argsort(np.concatenate(at), kind="stable")]
    if len(places) > most:
        places = places[np.linspace(0, len(places) - 1, most).astype(int)]
    return list(case.lines_of(int(place) + 1 for place in places))
