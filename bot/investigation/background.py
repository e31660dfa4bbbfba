"""How many failures people felt after a moment, against the hours around it: for windows in which nothing stands out.

Reads the columns of the log once, and only where there is no symptom to test against.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.analyst.findings import Around
from bot.casefile.case import Case
from bot.domain.entity import Entity
from bot.domain.items import LogStream
from bot.domain.signal import Kind, Signal, Topology
from bot.domain.window import Window
from bot.investigation.digest import Digest
from bot.investigation.log_tables import LogTables
from bot.signals.lexicon import classify
from bot.signals.statistics import binomial_tail

BESIDE_S = 3 * 3600.0
"""How much before a moment, and after the reach, it is held against: the same part of the day, mostly."""
FAILED = frozenset({Kind.SERVER_ERROR, Kind.UNAVAILABLE})

Floats = NDArray[np.float64]


def failures_around(case: Case, window: Window, found: Digest) -> Callable[[Sequence[float], float], Around | None]:
    """Give the count of failed responses after moments (epoch seconds), and its chance by the rate beside them.

    Counted are the lines of the workload that answered most often with an error: users stand there, and lines of others would
    count a failure twice. The chance is of so many or more, given how many there were in reach and beside together (the
    conditional test of two Poisson rates; Przyborowski and Wilenski 1940). None where no line tells of such a response.
    """
    front = _front(found.signals)
    times = _felt(case, window, found, front) if front is not None else np.zeros(0)

    def around(moments_s: Sequence[float], within_s: float) -> Around | None:
        if front is None or not len(times):
            return None
        spans = _apart([(at, at + within_s) for at in moments_s], window)
        beside = _apart([(at - BESIDE_S, at + within_s + BESIDE_S) for at in moments_s], window)
        inside, both = _count(times, spans), _count(times, beside)
        reach_s, both_s = sum(end - start for start, end in spans), sum(end - start for start, end in beside)
        if both_s <= reach_s or reach_s <= 0:
            return None
        share = reach_s / both_s
        expected = (both - inside) * reach_s / (both_s - reach_s)
        return Around(
            who=front,
            count=inside,
            expected=expected,
            p_value=binomial_tail(inside, both, share) if inside else 1.0,
            reach_s=within_s,
        )

    return around


def _front(signals: Sequence[Signal]) -> Entity | None:
    """Give who answered with errors most often, steadily or not."""
    told = [signal for signal in signals if signal.kind is Kind.SERVER_ERROR and signal.source != "prometheus"]
    most = max(told, key=lambda signal: (signal.total, signal.id), default=None)
    return most.entity if most else None


def _felt(case: Case, window: Window, found: Digest, front: Entity) -> Floats:
    streams = [at for at, stream in enumerate(case.streams()) if _owner(stream, found.topology) == front]
    tables = LogTables(case, window, found.form_to_template, found.templates)
    failed = np.array([classify(text).kind in FAILED for text in tables.templates] or [False], dtype=bool)
    parts = [table.times_s[failed[table.template]] for table in tables.each(streams)] if streams else []
    return np.sort(np.concatenate([np.zeros(0), *parts]))


def _owner(stream: LogStream, topology: Topology) -> Entity:
    if stream.pod is None:
        return Entity("Service", stream.container or stream.path, stream.namespace)
    return topology.root(Entity("Pod", stream.pod, stream.namespace))


def _apart(spans: Sequence[tuple[float, float]], window: Window) -> list[tuple[float, float]]:
    """Cut spans to the window and join those that overlap."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted((max(start, window.start_s), min(end, window.end_s)) for start, end in spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        elif end > start:
            joined.append((start, end))
    return joined


def _count(times: Floats, spans: Sequence[tuple[float, float]]) -> int:
    return int(sum(np.searchsorted(times, end) - np.searchsorted(times, start) for start, end in spans))
