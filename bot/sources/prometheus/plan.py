"""How much is asked for at once: the step, the batches, and what is left out when not everything fits.

Prometheus refuses more than 11,000 points a series (``web/api/v1/api.go``), and an answer is held in memory whole, here and
there: so time is split and metrics are batched until an answer has a bounded number of points.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from bot.sources.prometheus.catalogue import Wanted, named, selector

MOST_POINTS_A_SERIES = 10_000
"""Under Prometheus's 11,000, with room for a step at either end."""
MOST_POINTS_AN_ANSWER = 250_000
"""About 6 MB of JSON, and 60 MB of Python while it is decoded."""
MOST_POINTS = 8_000_000
"""Of one reading; beyond that the step grows."""
MOST_SERIES_A_METRIC = 400
"""A metric with more is asked for in sum, without the labels of single pods."""
LONGEST_NAMES = 1500
"""Characters of a batch's names, for proxies refuse long addresses."""
LEAST_STEP_S = 10
DEFAULT_INTERVAL_S = 30
OF_ONE_POD = "pod, pod_name, exported_pod, instance, id, uid, name, image, container_id, replica, endpoint, ip, pod_ip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A metric within a scope: its selector but for the name, and how many series it has there."""

    metric: Wanted
    where: str
    series: int

    @property
    def summed(self) -> bool:
        """Tell whether it is asked for in sum."""
        return self.series > MOST_SERIES_A_METRIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One expression over the whole window; ``metric`` names what the answer does not name, ``rate`` what is integrated."""

    expression: str
    metric: str = ""
    rate: bool = False
    series: int = 1


def chosen(parts: Sequence[Part], most: int) -> tuple[list[Part], list[Part]]:
    """Split into what fits and what does not, in the order of the catalogue: the best known first."""
    kept, left, count = [], [], 0
    for part in sorted(parts, key=lambda each: (each.metric.rank, each.metric.metric, each.where)):
        size = min(part.series, MOST_SERIES_A_METRIC)
        if count + size > most:
            left.append(part)
        else:
            kept.append(part)
            count += size
    return kept, left


def step_for(window_s: float, series: int, interval_s: float, given_s: float | None) -> int:
    """Choose the step in whole seconds: the scrape interval, or longer where that gives too many points."""
    if given_s is not None:
        return max(1, round(given_s))
    least = max(LEAST_STEP_S, round(interval_s), ceil(window_s * max(1, series) / MOST_POINTS))
    for nice in (10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600):
        if nice >= least:
            return nice if nice > interval_s * 1.01 or nice == least else least
    return least


def interval_of(counts: Sequence[float], span_s: float) -> float:
    """Tell the scrape interval from how many samples series had within a span: the shortest that is common."""
    seen = Counter(round(span_s / count) for count in counts if count >= 2)
    if not seen:
        return DEFAULT_INTERVAL_S
    return float(min(length for length, times in seen.items() if times * 10 >= max(seen.values())))


def queries(parts: Sequence[Part], step_s: int, interval_s: float) -> Iterator[Query]:
    """Write the queries: metrics that are read as they are together, others one by one."""
    coarse = step_s >= 2 * interval_s
    together: dict[str, list[Part]] = {}
    for part in parts:
        whole = part.where
        name = part.metric.metric
        if part.summed:
            yield _in_sum(part, step_s, interval_s)
        elif coarse and not part.metric.counter:
            # a peak between two steps would not be seen
            expression = f"{part.metric.over}_over_time({selector(named([name]), whole)}[{step_s}s])"
            yield Query(expression=expression, metric=name, series=part.series)
        else:
            together.setdefault(whole, []).append(part)
    for where, alike in together.items():
        yield from _batches(where, alike)


def _batches(where: str, alike: Sequence[Part]) -> Iterator[Query]:
    names: list[str] = []
    series = 0
    for part in alike:
        name = part.metric.metric
        if names and (sum(map(len, names)) + len(name) > LONGEST_NAMES or series + part.series > 200):
            yield Query(expression=selector(named(names), where), series=series)
            names, series = [], 0
        names.append(name)
        series += part.series
    if names:
        yield Query(expression=selector(named(names), where), series=series)


def _in_sum(part: Part, step_s: int, interval_s: float) -> Query:
    of = selector(named([part.metric.metric]), part.where)
    if part.metric.counter:
        # a rate needs several samples, and no more than the step, or a burst is told twice
        span = max(step_s, ceil(4 * interval_s))
        expression = f"sum without ({OF_ONE_POD}) (rate({of}[{span}s]))"
    else:
        expression = f"{part.metric.fold} without ({OF_ONE_POD}) ({of})"
    return Query(
        expression=expression, metric=part.metric.metric, rate=part.metric.counter, series=MOST_SERIES_A_METRIC
    )


def spans(start: datetime, end: datetime, step_s: int, series: int) -> list[tuple[int, int]]:
    """Split the window into spans of whole steps, both ends included, none with too many points."""
    first = ceil(start.timestamp() / step_s) * step_s
    last = (ceil(end.timestamp()) - 1) // step_s * step_s  # the window is half-open
    points = max(10, min(MOST_POINTS_A_SERIES, MOST_POINTS_AN_ANSWER // max(1, series)))
    return [(at, min(last, at + (points - 1) * step_s)) for at in range(first, last + 1, points * step_s)]


def left_out(parts: Sequence[Part]) -> str:
    """Say which metrics were left out, the largest first."""
    series: Counter[str] = Counter()
    for part in parts:
        series[part.metric.metric] += part.series
    named_ones = sorted(series, key=lambda name: (-series[name], name))
    more = f" and {len(named_ones) - 3} more" if len(named_ones) > 3 else ""
    return f"{sum(series.values())} series of {len(named_ones)} metrics ({', '.join(named_ones[:3])}{more})"


def counted(found: Sequence[Mapping[str, str]]) -> Counter[str]:
    """Count series by metric."""
    return Counter(str(labels.get("__name__", "")) for labels in found)
