"""Read Prometheus: bodies of ``/api/v1/query_range`` and ``/api/v1/query``, and OpenMetrics text with timestamps.

NaN and infinities are kept and counted. A result without ``__name__`` (any expression) is named by its file.
"""

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from bot.domain.items import Series
from bot.domain.storable import storable
from bot.sources.export.jsonstream import JsonCutError, JsonStream, as_bytes
from bot.sources.export.layout import stem
from bot.sources.export.ledger import Reading

SOURCE = "prometheus"

_FLUSH_BYTES = 64 * 1024 * 1024
"""OpenMetrics text kept until its series are complete; more is handed on as several versions of a series."""

_MILLISECONDS_FROM = 1e11
"""The older text format counts milliseconds; seconds reach this in the year 5138."""

_LINE = re.compile(
    r"([a-zA-Z_:][a-zA-Z0-9_:.]*)(?:\{(.*?)\})?[ \t]+([-+]?[0-9.eE+-]+|[-+]?Inf|NaN)(?:[ \t]+(-?[0-9.eE+]+))?[ \t]*(?:# .*)?"
)
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_.]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
_ESCAPE = re.compile(r"\\(.)")


class _Writer:
    """Stores series of one file and counts what is odd in them."""

    def __init__(self, reading: Reading, path: str) -> None:
        self._reading = reading
        self.path = path
        self.name = stem(path)

    def odd(self, what: str, count: int = 1) -> None:
        self._reading.ledger.odd(SOURCE, what, count, self.path)

    def lost(self, what: str) -> None:
        self._reading.ledger.lost(SOURCE, what, self.path)

    def add(self, labels: Mapping[str, str], times: "array[float]", values: "array[float]", raw: bytes) -> None:
        """Store a series with its times ascending."""
        if not times:
            self.odd("series without a sample, left out")
            return
        if bool((np.diff(np.frombuffer(times)) <= 0).any()):
            latest = dict(zip(times, values, strict=True))
            self.odd("series whose samples were out of order or doubled")
            times = array("d", sorted(latest))
            values = array("d", [latest[at] for at in times])
        self.odd("samples that are NaN or infinite, kept", int(np.count_nonzero(~np.isfinite(np.frombuffer(values)))))
        rest = {name: value for name, value in labels.items() if name != "__name__"}
        self._reading.saw(times[-1])
        self._reading.sink.add_series(
            Series(metric=labels.get("__name__") or self.name, labels=rest, times_s=times, values=values, raw=raw)
        )


def read_queries(reading: Reading, path: str, texts: Iterable[str]) -> None:
    """Store every series of a file of query results, one body or several."""
    writer = _Writer(reading, path)
    stream = JsonStream(texts)
    try:
        while stream.peek():
            _body(stream, writer)
    except JsonCutError as cut:
        reading.ledger.tear(SOURCE, cut, "the series before were read", path)


def _body(stream: JsonStream, writer: _Writer) -> None:
    if stream.peek() == "[":  # bodies slurped into a list, or a result alone
        for value, text in stream.elements():
            if isinstance(value, dict) and "metric" in value:
                _element(value, text, writer)
            elif isinstance(value, dict):
                _body(JsonStream([text]), writer)
        return
    told: dict[str, Any] = {}
    for key in stream.members():
        if key == "data" and stream.peek() == "{":
            _body(stream, writer)
        elif key == "result" and stream.peek() == "[":
            _result(stream, writer)
        else:
            told[key], _ = stream.value()
    if told.get("status") == "error":
        writer.lost(f"the query failed: {told.get('errorType')}: {str(told.get('error'))[:200]}")
    for warning in told.get("warnings") or ():
        writer.lost(f"the server warned: {str(warning)[:200]}")


def _result(stream: JsonStream, writer: _Writer) -> None:
    numbers: list[object] = []
    for value, text in stream.elements():
        if isinstance(value, dict):
            _element(value, text, writer)
        else:
            numbers.append(value)
    if len(numbers) == 2:  # a scalar: [time, "value"]
        _element({"metric": {}, "value": numbers}, str(numbers), writer)


def _element(value: Mapping[str, Any], text: str, writer: _Writer) -> None:
    metric = value.get("metric")
    labels = {str(name): str(told) for name, told in metric.items()} if isinstance(metric, dict) else {}
    points: list[Any] = value["values"] if isinstance(value.get("values"), list) else [value.get("value")]
    if "values" not in value and "value" not in value:
        writer.odd("native histograms, left out")
        return
    times, values = _samples(points)
    if len(times) < len(points):
        writer.lost(f"{len(points) - len(times)} samples of a series that are not numbers")
    writer.add(storable(labels), times, values, as_bytes(text))


def _samples(points: Sequence[Any]) -> "tuple[array[float], array[float]]":
    """Give the times and values of pairs, leaving out those that are not numbers."""
    try:
        at, numbers = zip(*points, strict=True)
        return array("d", map(float, at)), array("d", map(float, numbers))
    except (TypeError, ValueError):
        pass
    times, values = array("d"), array("d")
    for point in points:
        with suppress(TypeError, ValueError, IndexError, KeyError):
            time, number = float(point[0]), float(point[1])
            times.append(time)
            values.append(number)
    return times, values


class _Growing:
    """A series of an OpenMetrics file while its lines come in."""

    __slots__ = ("labels", "lines", "times", "values")

    def __init__(self, labels: dict[str, str]) -> None:
        self.labels = labels
        self.times: array[float] = array("d")
        self.values: array[float] = array("d")
        self.lines: list[str] = []


def read_openmetrics(reading: Reading, path: str, lines: Iterable[str]) -> None:
    """Store every series of a text exposition; lines without a timestamp cannot be placed and are counted."""
    writer = _Writer(reading, path)
    growing: dict[str, _Growing] = {}
    kept = 0
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            writer.odd("lines that are no samples, left out")
            continue
        if found[4] is None:
            writer.odd("samples without a timestamp, left out")
            continue
        _grow(growing, found, line)
        kept += len(line)
        if kept > _FLUSH_BYTES:
            _flush(growing, writer)
            kept = 0
    _flush(growing, writer)


def _grow(growing: dict[str, _Growing], found: re.Match[str], line: str) -> None:
    name, labels, value, at_text = found.groups()
    try:
        at, number = float(at_text), float(value)
    except ValueError:
        return
    key = f"{name}{{{labels or ''}}}"
    series = growing.get(key)
    if series is None:
        told = {label: _ESCAPE.sub(_unescaped, text) for label, text in _LABEL.findall(labels or "")}
        series = growing[key] = _Growing(storable({"__name__": name, **told}))
    series.times.append(at / 1000 if abs(at) > _MILLISECONDS_FROM else at)
    series.values.append(number)
    series.lines.append(line)


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


def _flush(growing: dict[str, _Growing], writer: _Writer) -> None:
    for series in growing.values():
        writer.add(series.labels, series.times, series.values, as_bytes("\n".join(series.lines)))
    growing.clear()
