"""Prometheus as a source: discover which series matter, plan the queries, stream the series into the case.

It ends on the clock; what was read by then stays. What the server could not give (a store that is down behind Thanos, a
query that is refused, series beyond the bound, time before its retention) is a Gap each.
"""

import json
import threading
from array import array
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.bearings import clock_findings, clock_words, missed
from bot.domain.finding import Finding
from bot.domain.items import Gap, Series
from bot.domain.ports import Progress, Sink
from bot.domain.scope import Scope
from bot.domain.spelling import length
from bot.domain.window import instant, rfc3339
from bot.sources.prometheus import alerts
from bot.sources.prometheus.catalogue import Wanted, named, scopes, selector, wanted
from bot.sources.prometheus.client import Client
from bot.sources.prometheus.plan import (
    Part,
    Query,
    chosen,
    counted,
    interval_of,
    left_out,
    queries,
    spans,
    step_for,
)
from bot.wire import Deadline, LateError, Login, RefusedError, UnreachableError, WireError

AT_ONCE = 3
"""Queries side by side: one is decoded here while the server works on two; its own limit is 20 for everybody."""
EXAMINE_S = 8.0
RAW_SAMPLES = 200
"""Of a series, kept as they were read beside the numbers: enough to find a quote again."""
NAMES_AT_ONCE = 30
ANYTHING = '__name__!=""'
"""A selector without a matcher that excludes the empty text is refused."""
_SAMPLED = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusAddress:
    """Where it is, and what of it is read; see ``PrometheusSettings``."""

    url: str
    login: Login
    deadline_s: float = 60.0
    step_s: float | None = None
    queries: Mapping[str, str] = field(default_factory=dict)
    most_series: int = 2000
    alertmanager: str | None = None


@dataclass(slots=True)
class _Reading:
    """What one reading has come to."""

    client: Client
    sink: Sink
    progress: Progress
    stored: int = 0
    first_s: float = float("inf")
    failures: dict[str, int] = field(default_factory=dict)
    gaps: int = 0

    def lost(self, what: str, count: int = 1) -> None:
        self.gaps += 1
        self.sink.add_gap(Gap(source=PrometheusSource.name, what=what, count=count))


class PrometheusSource:
    """One server in a window; ``gather`` may be called from any thread."""

    name = "prometheus"

    def __init__(self, address: PrometheusAddress, scope: Scope) -> None:
        self._address = address
        self._scope = scope
        self.deadline_s = address.deadline_s

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Read the series that matter into the sink."""
        with Deadline(self.deadline_s) as deadline:
            client = Client(self._address.url, deadline, self._address.login)
            with client.session:
                reading = _Reading(client=client, sink=sink, progress=progress)
                try:
                    self._read(reading)
                except WireError as error:
                    what = "was not read to its end" if reading.stored else "could not be read"
                    reading.lost(f"Prometheus {what}: {error}")
                self._close(reading)

    def _read(self, reading: _Reading) -> None:
        window = self._scope.window
        reading.progress("discover", 0, None)
        parts = self._discovered(reading)
        kept, left = chosen(parts, self._address.most_series)
        if left:
            bound = self._address.most_series
            reading.lost(f"{left_out(left)} were left out: at most {bound} series are read (most_series)")
        interval = self._interval(reading, kept)
        step = step_for(window.length_s, sum(each.series for each in kept), interval, self._address.step_s)
        asked = list(queries(kept, step, interval))
        asked += [Query(expression=text, metric=name, series=20) for name, text in self._address.queries.items()]
        if any(part.summed for part in kept):
            names = sorted({part.metric.metric for part in kept if part.summed})
            what = f"metrics of too many series, read in sum over pods: {', '.join(names[:3])}"
            reading.sink.add_gap(Gap(source=self.name, what=what, count=len(names), lost=False))
        self._stream(reading, asked, step)
        reading.sink.add_detail(self.name, f"a sample every {length(step)}")
        alerts.read_exemplars(reading.client, reading.sink, kept, window)
        if self._address.alertmanager:
            alerts.read_alertmanager(reading.client, self._address.alertmanager, reading.sink, window)

    def _discovered(self, reading: _Reading) -> list[Part]:
        """Find the metrics of each scope and count their series."""
        window, client = self._scope.window, reading.client
        parts: list[Part] = []
        for where in scopes(self._scope.namespaces):
            names = client.names(selector(ANYTHING, where), window.start, window.end)
            todo = wanted(names)
            for at in range(0, len(todo), NAMES_AT_ONCE):
                some = todo[at : at + NAMES_AT_ONCE]
                parts += self._counted(reading, some, where)
                reading.progress("discover", client.session.transfer.bytes, None)
        return parts

    def _counted(self, reading: _Reading, some: Sequence[Wanted], where: str) -> list[Part]:
        by_filter: dict[str, list[Wanted]] = {}
        for one in some:
            for each in one.filters:
                by_filter.setdefault(each, []).append(one)
        parts = []
        for matcher, alike in sorted(by_filter.items()):
            inside = ",".join(part for part in (matcher, where) if part)
            which = selector(named([one.metric for one in alike]), inside)
            found = counted(reading.client.series(which, self._scope.window.start, self._scope.window.end))
            parts += [
                Part(metric=one, where=inside, series=found[one.metric]) for one in alike if found.get(one.metric)
            ]
        return parts

    def _interval(self, reading: _Reading, kept: Sequence[Part]) -> float:
        """Look how often series are sampled, in the middle of the window and at its end."""
        counts: list[float] = []
        window = self._scope.window
        for at in (window.start + (window.end - window.start) / 2, window.end):
            for part in kept[:8]:
                which = selector(named([part.metric.metric]), part.where)
                found = reading.client.at(f"count_over_time({which}[{int(_SAMPLED.total_seconds())}s])", at)
                counts += [float(each["value"][1]) for each in found[:200] if "value" in each]
            if counts:
                break
        return interval_of(counts, _SAMPLED.total_seconds())

    def _stream(self, reading: _Reading, asked: Sequence[Query], step: int) -> None:
        total = sum(each.series for each in asked)
        done, over = 0, threading.Event()

        def answered(query: Query) -> list[Series]:
            return [] if over.is_set() else self._series(reading.client, query, step)

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="prometheus") as pool:
            waiting: dict[Future[list[Series]], Query] = {pool.submit(answered, query): query for query in asked}
            try:
                for future in as_completed(list(waiting)):
                    query = waiting.pop(future)  # and with it the answer, once it is stored
                    self._store(reading, future, query)
                    done += query.series
                    reading.progress("read", min(done, total), total)
            except BaseException:
                over.set()
                reading.client.session.deadline.end()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _store(self, reading: _Reading, future: "Future[list[Series]]", query: Query) -> None:
        try:
            found = future.result()
        except (LateError, RefusedError, UnreachableError):
            raise
        except WireError as error:
            reading.failures[str(error)] = reading.failures.get(str(error), 0) + 1
            return
        size = 0
        for one in found:
            reading.sink.add_series(one)
            reading.first_s = min(reading.first_s, one.times_s[0])
            size += len(one.raw)
        reading.stored += len(found)
        if size:
            reading.sink.add_read(self.name, query.metric or query.expression[:80], size)

    def _series(self, client: Client, query: Query, step: int) -> list[Series]:
        window = self._scope.window
        growing: dict[str, _Growing] = {}
        for start_s, end_s in spans(window.start, window.end, step, query.series):
            for element in client.over(query.expression, start_s, end_s, step):
                labels = element.get("metric")
                values = element.get("values")
                if not isinstance(labels, dict) or not isinstance(values, list):
                    client.odd["series without labels and numbers, left out"] += 1
                    continue
                key = json.dumps(labels, sort_keys=True)
                if key not in growing:
                    growing[key] = _Growing(labels)
                if not growing[key].add(values):
                    client.odd["series with samples that are not numbers, left out"] += 1
        made = (growing[key].made(query, step) for key in sorted(growing))
        return [one for one in made if one is not None]

    def _close(self, reading: _Reading) -> None:
        """Say what was wrong with what came, how far back the server remembers, and whether the clocks agree."""
        window = self._scope.window
        for words, count in sorted(reading.failures.items()):
            reading.lost(f"some metrics could not be read: {words}", count)
        for warning, count in sorted(reading.client.warnings.items()):
            reading.lost(f"the server warned: {warning}", count)
        for odd, count in sorted(reading.client.odd.items()):
            reading.lost(odd, count)
        if clock := clock_words(reading.client.session.clock_offset_s):
            reading.sink.add_detail(self.name, clock)
        if reading.stored:
            first = instant(reading.first_s)
            reading.sink.add_detail(self.name, f"its oldest sample here is of {rfc3339(first)}")
            if late := missed(first, window):
                reading.lost(late)
        elif not reading.gaps:
            reading.sink.add_read(self.name, "series", 2)

    def examine(self) -> Sequence[Finding]:
        """Ask for its build and its oldest sample, and compare clocks."""
        with Deadline(min(EXAMINE_S, self.deadline_s)) as deadline:
            client = Client(self._address.url, deadline, self._address.login)
            with client.session:
                try:
                    now = datetime.now(UTC)
                    names = client.names(selector(ANYTHING), now - timedelta(hours=1), now)
                except WireError as error:
                    return [
                        Finding(
                            name=self.name, state="wrong", what=str(error), fix="check url and login in rootcause.yaml"
                        )
                    ]
                return [self._found(client, names), *clock_findings(self.name, client.session.clock_offset_s)]

    def _found(self, client: Client, names: Sequence[str]) -> Finding:
        if not names:
            what = "it answers, and has no series of the last hour"
            return Finding(name=self.name, state="warning", what=what, fix="does it scrape? is the tenant right?")
        told = f"{len(names)} metrics, {len(wanted(names))} of them of use"
        try:
            kept = client.document("/api/v1/status/runtimeinfo")["data"]["storageRetention"]
        except (WireError, KeyError, TypeError):
            return Finding(name=self.name, state="ok", what=f"{told}; how long it keeps them it does not tell")
        return Finding(name=self.name, state="ok", what=f"{told}, kept for {kept}")


class _Growing:
    """A series while its spans come in."""

    def __init__(self, labels: Mapping[str, Any]) -> None:
        self._labels = {str(name): _storable(str(value)) for name, value in labels.items()}
        self._times: array[float] = array("d")
        self._values: array[float] = array("d")
        self._raw: list[Any] = []

    def add(self, values: Sequence[Any]) -> bool:
        """Add samples; tell whether they are numbers."""
        try:
            times, numbers = array("d", [one[0] for one in values]), array("d", [float(one[1]) for one in values])
        except (TypeError, ValueError, IndexError, KeyError):
            return False
        if len(self._raw) < RAW_SAMPLES:
            self._raw += values[: RAW_SAMPLES - len(self._raw)]
        self._times += times
        self._values += numbers
        return True

    def made(self, query: Query, step: int) -> Series | None:
        """Give the series; None where it has no sample."""
        if not self._times:
            return None
        metric = query.metric or self._labels.get("__name__", "")
        raw = json.dumps({"metric": self._labels, "values": self._raw}, separators=(",", ":"))
        return Series(
            metric=metric,
            labels={name: value for name, value in self._labels.items() if name != "__name__"},
            times_s=self._times,
            values=_integrated(self._values, step) if query.rate else self._values,
            raw=raw.encode(),
        )


def _integrated(rates: "array[float]", step: int) -> "array[float]":
    """Make a counter of a rate, its resets undone: what reads series knows counters by their names."""
    total, counter = 0.0, array("d")
    for rate in rates:
        total += rate * step if rate == rate and rate > 0 else 0.0  # noqa: PLR0124 - NaN is what differs from itself
        counter.append(total)
    return counter


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
