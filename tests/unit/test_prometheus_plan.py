"""Which metrics are read, at which step, in which parts; and what stands beside the series."""

import json
from datetime import UTC, datetime, timedelta

from fault_server import FaultServer, answer
from http_sources import PlayedPrometheus, prometheus_source
from hypothesis import given, strategies as st
from unit.export_sink import RecordingSink

from bot.sources.prometheus.catalogue import KNOWN, OTHER, RECORDED, scopes, selector, wanted
from bot.sources.prometheus.plan import (  # fmt: skip
    MOST_POINTS,
    MOST_POINTS_A_SERIES,
    Part,
    chosen,
    interval_of,
    queries,
    spans,
    step_for,
)

START = datetime(2026, 11, 17, tzinfo=UTC)


def test_metrics_are_chosen_by_what_they_mean_the_best_known_first():
    """Exporters' before recording rules before anything else; what tells nothing is left out, partly wanted ones filtered."""
    names = ["zebra_things", "team:errors:rate5m", "container_memory_working_set_bytes", "kube_pod_info", "go_memstats_alloc_bytes", "node_cpu_seconds_total", "bad name"]  # fmt: skip
    found = {one.metric: one for one in wanted(names)}
    assert [
        "container_memory_working_set_bytes",
        "node_cpu_seconds_total",
        "team:errors:rate5m",
        "zebra_things",
    ] == list(found)
    assert [KNOWN, KNOWN, RECORDED, OTHER] == [one.rank for one in found.values()]
    assert ('mode=~"idle"', 'mode=~"iowait"') == found["node_cpu_seconds_total"].filters
    assert found["node_cpu_seconds_total"].counter


def test_a_scope_is_namespaces_and_what_belongs_to_none():
    """A name with a regular expression's signs in it stays a name."""
    assert ("",) == scopes(())
    first, exported, none = scopes(("shop.eu", "a-b"))
    assert first == 'namespace=~"a-b|shop\\\\.eu"'
    assert exported.endswith('namespace!~"a-b|shop\\\\.eu"')
    assert none.startswith('namespace="",exported_namespace="",kubernetes_namespace=~"|a-b|shop\\\\.eu",')
    assert '{__name__!="",namespace=""}' == selector('__name__!=""', 'namespace=""')


@given(st.floats(60, 40 * 86_400), st.integers(1, 5000), st.floats(1, 600))
def test_no_reading_has_too_many_points_and_no_part_more_than_the_server_gives(seconds, series, interval):
    """Whatever the window and the number of series, the step and the parts keep every bound, and cover the window once."""
    step = step_for(seconds, series, interval, None)
    assert seconds / step * series <= MOST_POINTS * 1.01
    parts = spans(START, START + timedelta(seconds=seconds), step, series)
    asked = [at for first, last in parts for at in range(first, last + 1, step)]
    assert sorted(set(asked)) == asked
    assert all((last - first) // step + 1 <= MOST_POINTS_A_SERIES for first, last in parts)
    assert all(START.timestamp() <= at < START.timestamp() + seconds for at in asked)


def test_the_scrape_interval_is_seen_and_a_given_step_is_kept():
    """Sixty samples in half an hour are one every 30 s; without any it is assumed."""
    assert (30.0, 30.0) == (interval_of([60, 60, 59, 1], 1800), interval_of([], 1800))
    assert (30, 17) == (step_for(5 * 86_400, 500, 30, None), step_for(5 * 86_400, 500, 30, 17.0))


def test_what_does_not_fit_is_left_out_from_the_least_known():
    """The bound counts series; a metric of very many counts as what it is summed to."""
    known, other = wanted(["container_memory_rss", "zebra"])
    kept, left = chosen([Part(metric=other, where="", series=10), Part(metric=known, where="", series=9000)], 405)
    assert (["container_memory_rss"], ["zebra"]) == ([p.metric.metric for p in kept], [p.metric.metric for p in left])


def test_peaks_between_two_steps_are_not_lost():
    """At a step of several scrapes gauges are asked for their largest, what falls for its smallest, counters as they are."""
    parts = [Part(metric=one, where="", series=1) for one in wanted(["container_memory_rss", "node_memory_MemAvailable_bytes", "http_requests_total"])]  # fmt: skip
    asked = sorted(query.expression for query in queries(parts, 300, 30))
    assert ['max_over_time({__name__="container_memory_rss"}[300s])', 'min_over_time({__name__="node_memory_MemAvailable_bytes"}[300s])', '{__name__="http_requests_total"}'] == asked  # fmt: skip


def test_exemplars_are_kept_as_events_that_lead_to_a_trace():
    """Of a histogram the slowest come first; what is no exemplar is left out."""

    class Histogram(PlayedPrometheus):
        METRICS = ("http_request_duration_seconds_count",)

    told = [
        {
            "seriesLabels": {"__name__": "http_request_duration_seconds_bucket", "namespace": "shop", "pod": "api-0"},
            "exemplars": [
                {"labels": {"trace_id": "abc"}, "value": "4.5", "timestamp": 1_795_305_700.5},
                {"labels": {"trace_id": "def"}, "value": "x", "timestamp": 1},
                {"labels": {"trace_id": "ghi"}, "value": "9", "timestamp": 1_795_305_800},
            ],
        },
        {"seriesLabels": 3},
    ]
    body = answer(json.dumps({"status": "success", "data": told}))
    played, sink = Histogram(), RecordingSink()
    with FaultServer(None, reply=lambda request: body if "query_exemplars" in request else played(request)) as server:
        prometheus_source(server.url, 8.0).gather(sink, lambda *_: None)
    assert ["9 in http_request_duration_seconds_bucket, trace_id=ghi", "4.5 in http_request_duration_seconds_bucket, trace_id=abc"] == [event.message for event in sink.events]  # fmt: skip
    assert {"Pod shop/api-0"} == {str(event.entity) for event in sink.events}
