"""What stands beside the series: Alertmanager's alerts, and exemplars that lead from a metric to a trace.

An alert becomes an ``ALERTS`` series, as Prometheus itself keeps it, so that it is understood in one place. Neither is
needed: where one cannot be had, that is a Gap, and what was read stays.
"""

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, Gap, Series
from bot.domain.ports import Sink
from bot.domain.window import Window, instant
from bot.sources.prometheus.catalogue import quoted, selector
from bot.sources.prometheus.client import Client
from bot.sources.prometheus.plan import Part
from bot.wire import LateError, WireError

NAME = "prometheus"
MOST_EXEMPLARS = 40
"""The largest of each reading: a trace of a slow request is of use, the thousandth is not."""
MOST_ASKED = 20
ALERT_STEP_S = 60.0
MOST_SAMPLES = 20_000
_HISTOGRAMS = ("_count", "_sum")


def read_alertmanager(client: Client, url: str, sink: Sink, window: Window) -> None:
    """Read the alerts that Alertmanager still holds, silenced ones too."""
    try:
        told = client.document("/api/v2/alerts", {"active": "true", "silenced": "true", "inhibited": "true"}, base=url)
    except WireError as error:
        sink.add_gap(Gap(source=NAME, what=f"Alertmanager could not be read: {error}"))
        return
    found = [one for each in told if (one := _alert(each, window))] if isinstance(told, list) else []
    for one in sorted(found, key=lambda each: (each.times_s[0], sorted(each.labels.items()))):
        sink.add_series(one)
    sink.add_read(NAME, "alertmanager", len(json.dumps(told)))


def _alert(told: object, window: Window) -> Series | None:
    if not isinstance(told, dict) or not isinstance(told.get("labels"), dict):
        return None
    labels = {str(name): str(value) for name, value in told["labels"].items()}
    starts, ends = _instant(told.get("startsAt")), _instant(told.get("endsAt"))
    if starts is None or "alertname" not in labels:
        return None
    first, last = max(starts.timestamp(), window.start_s), min((ends or window.end).timestamp(), window.end_s)
    if last < first:
        return None
    step = max(ALERT_STEP_S, (last - first) / MOST_SAMPLES)
    times = array("d", (first + step * n for n in range(int((last - first) / step) + 1)))
    raw = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    return Series(
        metric="ALERTS",
        labels=labels | {"alertstate": "firing"},
        times_s=times,
        values=array("d", [1.0] * len(times)),
        raw=raw,
    )


def read_exemplars(client: Client, sink: Sink, kept: Sequence[Part], window: Window) -> None:
    """Keep the largest exemplars of histograms as events that a person can find; servers without any say nothing."""
    histograms = sorted({(_base(part), part.where) for part in kept if part.metric.metric.endswith(_HISTOGRAMS)})
    found: list[tuple[float, ClusterEvent]] = []
    try:
        for name, where in histograms[:MOST_ASKED]:
            told = client.exemplars(selector(f"__name__={quoted(f'{name}_bucket')}", where), window.start, window.end)
            found += [one for each in told for one in _exemplars(each)]
    except LateError:
        raise
    except WireError:
        return  # an endpoint that many stores do not have
    found.sort(key=lambda pair: (-pair[0], pair[1].at, pair[1].message))
    for _, event in found[:MOST_EXEMPLARS]:
        sink.add_event(event)


def _base(part: Part) -> str:
    return part.metric.metric.rpartition("_")[0]


def _exemplars(told: Mapping[str, Any]) -> Iterator[tuple[float, ClusterEvent]]:
    labels = told.get("seriesLabels")
    each_of = told.get("exemplars")
    if not isinstance(labels, dict) or not isinstance(each_of, list):
        return
    pod, namespace = labels.get("pod"), labels.get("namespace")
    entity = Entity("Pod", str(pod), str(namespace)) if pod and namespace else Entity("Service", str(labels.get("service") or labels.get("job") or "unknown"), namespace and str(namespace))  # fmt: skip
    for each in each_of:
        try:
            at, value = instant(float(each["timestamp"])), float(each["value"])
            traced = ", ".join(f"{name}={text}" for name, text in sorted(each["labels"].items()))
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError, OSError):
            continue
        message = f"{value:g} in {labels.get('__name__', 'a histogram')}, {traced}"
        yield (
            value,
            ClusterEvent(
                at=at,
                first_at=at,
                count=1,
                type="Normal",
                reason="Exemplar",
                message=message,
                entity=entity,
                component="prometheus",
                node=None,
                raw=json.dumps(each).encode(),
            ),
        )


def _instant(told: object) -> datetime | None:
    if not isinstance(told, str) or told.startswith("0001-"):
        return None
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
