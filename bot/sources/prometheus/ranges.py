"""One metric in a span, read at once within few seconds and bytes, as lines of text: a follow-up's narrow look."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.window import rfc3339
from bot.errors import UsageError
from bot.sources.prometheus.catalogue import named, scopes, selector
from bot.sources.prometheus.client import Client
from bot.sources.prometheus.source import PrometheusAddress
from bot.wire import Deadline, Limits, WireError

LIMITS = Limits(answer_bytes=2 * 1024 * 1024, total_bytes=4 * 1024 * 1024, at_once=1, attempts=1)
MOST_POINTS = 60
MOST_SERIES = 8
LEAST_STEP_S = 15
_PLAIN = str.maketrans(dict.fromkeys('"\\\n\r\t{}', " "))


def read_range(
    address: PrometheusAddress, metric: str, namespaces: Sequence[str], start: datetime, end: datetime
) -> str:
    """Give a metric's samples in namespaces (none: what belongs to none); raises UsageError with a sentence."""
    step = max(LEAST_STEP_S, math.ceil((end - start).total_seconds() / MOST_POINTS))
    found: list[Mapping[str, Any]] = []
    with Deadline(address.deadline_s) as deadline:
        client = Client(address.url, deadline, address.login, LIMITS)
        with client.session:
            try:
                for where in scopes(namespaces)[:2] if namespaces else ('namespace="",exported_namespace=""',):
                    query = selector(named([metric]), where)
                    found += client.over(query, int(start.timestamp()), int(end.timestamp()), step)
            except WireError as error:
                raise UsageError(f"The live server gave nothing: {error}.") from error
    told = [line for one in found[:MOST_SERIES] for line in _lines(metric, one)]
    more = [f"{len(found) - MOST_SERIES} more series are not shown"] if len(found) > MOST_SERIES else []
    return "\n".join([f"{len(found)} series of {metric}, a sample every {step} s", *told, *more])


def _lines(metric: str, one: Mapping[str, Any]) -> Iterator[str]:
    labels = one.get("metric")
    told = labels if isinstance(labels, dict) else {}
    named_by = " ".join(f"{name}={value}" for name, value in sorted(told.items()) if name != "__name__")
    head = f"{metric} {named_by}"[:300].translate(_PLAIN)
    values = one.get("values")
    for at, value in _samples(values if isinstance(values, list) else []):
        yield f"{head} at {rfc3339(at)} is {value:.6g}"


def _samples(values: Sequence[Any]) -> Iterator[tuple[datetime, float]]:
    for each in values[: MOST_POINTS + 2]:
        try:
            at, value = datetime.fromtimestamp(float(each[0]), UTC), float(each[1])
        except (TypeError, ValueError, IndexError, OverflowError, OSError):
            continue
        if math.isfinite(value):
            yield at, value
