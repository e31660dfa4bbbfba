"""Five days of 500 series at 30 s from a real Prometheus, beside its client library fetching the same points alone."""

import resource
import time
from datetime import UTC, datetime, timedelta

import pytest
from live.metric_servers import prometheus
from prometheus_api_client import PrometheusConnect
from unit.export_sink import RecordingSink

from bot.domain.scope import Scope
from bot.domain.window import Window
from bot.sources.prometheus import PrometheusAddress, PrometheusSource
from bot.wire import Login

pytestmark = pytest.mark.bench

START = 1_794_873_600
SERIES, STEP_S, DAYS = 500, 30, 5
POINTS = DAYS * 86_400 // STEP_S
MOST_S = 20.0


def series():
    """Give gauges and counters of fifty workloads' pods."""
    names = ("container_memory_working_set_bytes", "container_cpu_usage_seconds_total")
    for n in range(SERIES):
        name = names[n % 2]
        labels = {"namespace": f"team-{n % 5}", "pod": f"app-{n % 50}-{n}", "container": "app"}
        values = [
            (START + at * STEP_S, at * 3 + n if n % 2 else 1_000_000 + (at * 7919 + n * 104_729) % 65_537)
            for at in range(POINTS)
        ]
        yield name, labels, values


def alone(url):
    """Fetch the same points with the library alone, in the parts that the server allows."""
    client = PrometheusConnect(url=url)
    points = 0
    for name in ("container_memory_working_set_bytes", "container_cpu_usage_seconds_total"):
        for team in range(5):
            for day in range(DAYS):
                start = datetime.fromtimestamp(START + day * 86_400, UTC)
                end = start + timedelta(days=1) - timedelta(seconds=STEP_S)
                query = f'{name}{{namespace="team-{team}"}}'
                points += sum(
                    len(each["values"]) for each in client.custom_query_range(query, start, end, f"{STEP_S}s")
                )
    return points


def test_five_days_of_500_series_at_30_s(tmp_path):
    """Every point comes within 20 s, and not much slower than the library alone takes."""
    window = Window(
        start=datetime.fromtimestamp(START, UTC), end=datetime.fromtimestamp(START + DAYS * 86_400, UTC), asked="5d"
    )
    with prometheus(tmp_path, series()) as url:
        sink = RecordingSink()
        began = time.perf_counter()
        PrometheusSource(PrometheusAddress(url=url, login=Login()), Scope(window=window)).gather(sink, lambda *_: None)
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        came = sum(len(one.times_s) for one in sink.series)
        sink.series.clear()
        began = time.perf_counter()
        by_peer = alone(url)
        peer = time.perf_counter() - began
    print(f"\n{came:,} points in {took:.1f} s (peak {peak:.0f} MB); prometheus-api-client alone {peer:.1f} s")  # noqa: T201 - a bench tells
    assert SERIES * POINTS == came == by_peer
    assert [] == sink.lost()
    assert took < MOST_S
    assert took < 3 * peer
