"""One metric in a span, read within few seconds and bytes: a follow-up's narrow look."""

import json
import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.finding import Finding
from bot.domain.items import Gap, Series
from bot.domain.ports import Progress, Sink
from bot.domain.scope import Scope
from bot.sources.prometheus.catalogue import named, scopes, selector
from bot.sources.prometheus.client import Client
from bot.sources.prometheus.source import PrometheusAddress
from bot.wire import Deadline, Limits, WireError

LIMITS = Limits(answer_bytes=2 * 1024 * 1024, total_bytes=4 * 1024 * 1024, at_once=1, attempts=1)
MOST_POINTS = 60
MOST_SERIES = 8
LEAST_STEP_S = 15


class PrometheusRange:
    """Implements ``LiveSource`` for one metric in the scope's window and namespaces (none: what belongs to none)."""

    name = "prometheus"

    def __init__(self, address: PrometheusAddress, metric: str, scope: Scope) -> None:
        self._address = address
        self._metric = metric
        self._scope = scope
        self.deadline_s = address.deadline_s

    def gather(self, sink: Sink, progress: Progress) -> None:  # noqa: ARG002 - the port's signature
        """Read the series into the sink."""
        start, end = (int(at.timestamp()) for at in (self._scope.window.start, self._scope.window.end))
        step = max(LEAST_STEP_S, math.ceil((end - start) / MOST_POINTS))
        found: list[Mapping[str, Any]] = []
        with Deadline(self.deadline_s) as deadline:
            client = Client(self._address.url, deadline, self._address.login, LIMITS)
            with client.session:
                try:
                    for query in self._queries():
                        found += client.over(query, start, end, step)
                except WireError as error:
                    sink.add_gap(Gap(source=self.name, what=f"the live server gave nothing: {error}"))
        made = [series for one in found if (series := _series(self._metric, one)) is not None]
        for series in made[:MOST_SERIES]:
            sink.add_series(series)
        if len(made) > MOST_SERIES:
            what = f"{len(made)} series of {self._metric} are there, {MOST_SERIES} of them were read"
            sink.add_gap(Gap(source=self.name, what=what))

    def examine(self) -> Sequence[Finding]:
        """Find nothing: the server is examined where it is read whole."""
        return ()

    def _queries(self) -> Sequence[str]:
        namespaces = self._scope.namespaces
        where = scopes(namespaces)[:2] if namespaces else ('namespace="",exported_namespace=""',)
        return [selector(named([self._metric]), each) for each in where]


def _series(metric: str, one: Mapping[str, Any]) -> Series | None:
    """Read a series of an answer; its bytes are the answer's, samples that are none left out."""
    told, values = one.get("metric"), one.get("values")
    labels = {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else {}
    samples = [sample for each in (values if isinstance(values, list) else ()) if (sample := _sample(each)) is not None]
    if not samples:
        return None
    raw = json.dumps({"metric": labels, "values": [pair for _, _, pair in samples]}, separators=(",", ":"))
    return Series(
        metric=metric,
        labels={name: value for name, value in labels.items() if name != "__name__"},
        times_s=array("d", [at for at, _, _ in samples]),
        values=array("d", [value for _, value, _ in samples]),
        raw=raw.encode("utf-8", "replace"),
    )


def _sample(pair: Any) -> tuple[float, float, Any] | None:  # noqa: ANN401 - decoded JSON
    try:
        at, value = float(pair[0]), float(pair[1])
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        return None
    return (at, value, pair) if math.isfinite(value) and 0 <= at < 1e11 else None
