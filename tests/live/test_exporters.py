"""The exporters people run, in a real Prometheus: their series are found without a list, and what they say is understood."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from aiohttp import web
from live.metric_servers import prometheus
from loopback import Loopback
from series_shelf import HeldSeries
from unit.export_sink import RecordingSink

from bot.domain.items import ItemId
from bot.domain.scope import Scope
from bot.domain.signal import Kind, Topology
from bot.domain.window import Window
from bot.signals.series_signals import series_signals
from bot.sources.prometheus import PrometheusAddress, PrometheusSource
from bot.wire import Login

START, STEP, COUNT = 1_794_873_600, 30, 480
FROM, TO = 240, 300
"""The samples between which every planted series leaves its level: half an hour, two hours in."""
WINDOW = Window(
    start=datetime.fromtimestamp(START, UTC), end=datetime.fromtimestamp(START + COUNT * STEP, UTC), asked="4h"
)
POD = {"namespace": "shop", "pod": "api-6f7c9d8b54-x2x2x", "container": "api"}
NODE = {"instance": "10.0.0.7:9100", "job": "node"}
DB = {"instance": "10.0.0.9:9187", "job": "postgres"}

EXPORTERS = [
    ("cAdvisor", "container_cpu_usage_seconds_total", POD, Kind.CPU_SATURATION, 0.2, 1.5),
    ("cAdvisor", "container_memory_working_set_bytes", POD, Kind.MEMORY_PRESSURE, 1e8, 4e8),
    ("cAdvisor", "container_network_receive_packets_dropped_total", POD, Kind.NETWORK_SATURATION, 0, 5),
    ("kube-state-metrics", "kube_pod_container_status_restarts_total", POD, Kind.CONTAINER_RESTART, 0, 0.01),
    ("kube-state-metrics", "kube_deployment_status_replicas", {"namespace": "shop", "deployment": "api"}, Kind.SCALE_UP, 3, 8),
    ("kube-state-metrics", "kube_node_status_condition", {"node": "n1", "condition": "Ready", "status": "true"}, Kind.NODE_FAILURE, 1, 0),
    ("node", "node_cpu_seconds_total", {**NODE, "cpu": "0", "mode": "idle"}, Kind.CPU_SATURATION, 0.95, 0.05),
    ("node", "node_memory_MemAvailable_bytes", NODE, Kind.MEMORY_PRESSURE, 8e9, 5e8),
    ("node", "node_filesystem_avail_bytes", {**NODE, "mountpoint": "/var/lib"}, Kind.DISK_PRESSURE, 5e10, 1e9),
    ("ingress-nginx", "nginx_ingress_controller_requests", {"exported_namespace": "shop", "namespace": "ingress", "ingress": "shop", "status": "502"}, Kind.SERVER_ERROR, 0, 3),
    ("envoy", "envoy_cluster_upstream_rq_xx", {"envoy_cluster_name": "outbound|80||pay.shop", "envoy_response_code_class": "5"}, Kind.SERVER_ERROR, 0, 3),
    ("envoy", "envoy_cluster_upstream_rq_pending_overflow", {"envoy_cluster_name": "outbound|80||pay.shop"}, Kind.CIRCUIT_OPEN, 0, 3),
    ("nginx", "nginx_connections_active", {"instance": "10.0.0.8:9113"}, Kind.POOL_EXHAUSTION, 20, 400),
    ("JVM", "jvm_memory_used_bytes", {"namespace": "shop", "pod": "pay-0", "area": "heap"}, Kind.MEMORY_PRESSURE, 2e8, 9e8),
    ("JVM", "jvm_gc_pause_seconds_sum", {"namespace": "shop", "pod": "pay-0"}, Kind.GC_PAUSE, 0.01, 0.4),
    ("JVM", "hikaricp_connections_pending", {"namespace": "shop", "pod": "pay-0", "pool": "main"}, Kind.POOL_EXHAUSTION, 0, 20),
    ("Go", "go_sql_wait_count_total", {"namespace": "shop", "pod": "cart-0"}, Kind.POOL_EXHAUSTION, 0, 5),
    ("Go", "process_resident_memory_bytes", {"namespace": "shop", "pod": "cart-0"}, Kind.MEMORY_PRESSURE, 1e8, 6e8),
    ("Go", "go_goroutines", {"namespace": "shop", "pod": "cart-0"}, Kind.RESOURCE_SHIFT, 40, 4000),
    ("PostgreSQL", "pg_stat_activity_count", {**DB, "state": "active"}, Kind.POOL_EXHAUSTION, 5, 90),
    ("PostgreSQL", "pg_locks_count", {**DB, "mode": "exclusivelock"}, Kind.LOCK_WAIT, 1, 60),
    ("PostgreSQL", "pg_stat_database_deadlocks", {**DB, "datname": "shop"}, Kind.DEADLOCK, 0, 0.01),
    ("Redis", "redis_memory_used_bytes", {"instance": "10.0.0.5:9121"}, Kind.MEMORY_PRESSURE, 1e8, 7e8),
    ("Redis", "redis_blocked_clients", {"instance": "10.0.0.5:9121"}, Kind.POOL_EXHAUSTION, 0, 30),
    ("Kafka", "kafka_consumergroup_lag", {"consumergroup": "billing", "topic": "orders", "partition": "0"}, Kind.QUEUE_GROWTH, 5, 90_000),
    ("OpenTelemetry", "jvm_thread_count", {"k8s_namespace_name": "shop", "k8s_pod_name": "pay-0"}, Kind.RESOURCE_SHIFT, 40, 4000),
    ("a fleet's rule", "fleet:checkout_errors:ratio_rate5m", {"region": "eu"}, Kind.LOG_ERROR, 0, 0.4),
    ("a recording rule", "namespace_job:request_errors:rate5m", {"namespace": "shop", "job": "api"}, Kind.LOG_ERROR, 0, 4),
    ("an alert", "ALERTS", {"alertname": "ShopDown", "alertstate": "firing", "namespace": "shop"}, Kind.ALERT, None, 1),
]  # fmt: skip
CALM = ("container_cpu_usage_seconds_total", {"namespace": "shop", "pod": "calm-0", "container": "calm"})
COUNTERS = ("_total", "_sum", "controller_requests", "_rq_xx", "_overflow", "_deadlocks")


def planted(name, before, during, *, seed=3, reset_at=None):
    """Give samples that leave a level and come back to it; a counter's level is its rate, and it may begin anew."""
    noise, total = Random(seed), 0.0
    for n in range(COUNT):
        level = during if FROM <= n < TO else before
        if level is None:
            continue
        value = level * (1 + noise.uniform(-0.02, 0.02)) if level > 1 or name.endswith(COUNTERS) else level
        if name.endswith(COUNTERS):
            total = 0.0 if n == reset_at else total + value * STEP
            value = int(total) if name.endswith(("restarts_total", "_deadlocks")) else total
        yield START + n * STEP, round(value, 6)


@pytest.fixture(scope="module")
def signals(tmp_path_factory):
    """Read what was planted, as one does who asks about one namespace; give the series and what they say."""
    series = [(name, labels, list(planted(name, *levels))) for _, name, labels, _, *levels in EXPORTERS]
    series.append(("jvm_thread_count", {"k8s_namespace_name": "office"}, list(planted("x", 4, 400))))
    series.append((*CALM, list(planted(CALM[0], 0.4, 0.4, reset_at=100))))
    sink = RecordingSink()
    with prometheus(tmp_path_factory.mktemp("exporters"), series) as url:
        source(url).gather(sink, lambda *_: None)
    assert [] == sink.lost()
    rows = [(ItemId(f"M{n}"), one) for n, one in enumerate(sink.series)]
    return rows, series_signals(HeldSeries(rows), WINDOW, Topology(owner={}, nodes={}))


def source(url, window=WINDOW):
    """Make the source of a server, asked about one namespace."""
    return PrometheusSource(PrometheusAddress(url=url, login=Login()), Scope(window=window, namespaces=("shop",)))


@pytest.mark.parametrize(("exporter", "metric", "labels", "kind", "before", "during"), EXPORTERS)
def test_an_exporter_is_found_and_understood(signals, exporter, metric, labels, kind, before, during):
    """Its series come with or without a namespace, and when they leave their level that is a signal of the right kind, then."""
    rows, told = signals
    (ref,) = [ref for ref, one in rows if one.metric == metric and labels.items() <= one.labels.items()]
    left = START + FROM * STEP
    found = [
        occurrence
        for signal in told
        if signal.kind is kind
        for occurrence in signal.occurrences
        if ref in occurrence.refs and abs(occurrence.start_s - left) <= 600
    ]
    assert found, (exporter, before, during, [(str(s.kind), s.entity) for s in told])


def test_what_others_say_of_themselves_is_not_read(signals):
    """A series that names another namespace by a label of its own is none of this one, though it has no ``namespace``."""
    assert [] == [one.labels for _, one in signals[0] if "office" in one.labels.values()]


def test_a_counter_that_begins_anew_is_no_change(signals):
    """A restart of a process resets its counters; as rates they go on."""
    rows, told = signals
    (ref,) = [ref for ref, one in rows if one.metric == CALM[0] and one.labels.get("pod") == "calm-0"]
    assert [] == [each for signal in told for each in signal.occurrences if ref in each.refs]


class Exporter(Loopback):
    """An application whose histogram has an exemplar."""

    async def serve(self):
        """Answer scrapes until it is over."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.ready(site._server)
        await self.over.wait()
        await runner.cleanup()

    async def _metrics(self, _request):
        text = (
            "# TYPE http_server_request_duration_seconds histogram\n"
            'http_server_request_duration_seconds_bucket{le="1"} 5\n'
            f'http_server_request_duration_seconds_bucket{{le="+Inf"}} 6 # {{trace_id="4bf92f3577b34da6"}} 4.2 {time.time():.3f}\n'
            "http_server_request_duration_seconds_count 6\nhttp_server_request_duration_seconds_sum 5.9\n# EOF\n"
        )
        return web.Response(body=text, headers={"Content-Type": "application/openmetrics-text; version=1.0.0"})


def test_an_exemplar_of_a_real_prometheus_leads_to_a_trace(tmp_path):
    """What an application says of one slow request is kept with its trace."""
    with Exporter() as exporter:
        config = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "api", "static_configs": [{"targets": [f"127.0.0.1:{exporter.port}"]}]}],
        }
        past = [("up", {"job": "past"}, [(START, 1), (START + 30, 1)])]
        more = ("--enable-feature=exemplar-storage",)
        with prometheus(tmp_path, past, config=json.dumps(config), more=more) as url:
            found = until(lambda: exemplars(url))
    assert ["4.2 in http_server_request_duration_seconds_bucket, trace_id=4bf92f3577b34da6"] == found[:1]


def exemplars(url):
    """Read what is there now."""
    now, sink = datetime.now(UTC), RecordingSink()
    window = Window(start=now - timedelta(minutes=5), end=now + timedelta(seconds=1), asked="5m")
    source(url, window).gather(sink, lambda *_: None)
    return [each.message for each in sink.events if each.reason == "Exemplar"]


def until(told):
    """Wait for an answer that is not empty."""
    ends = time.monotonic() + 30
    while not (found := told()):
        assert time.monotonic() < ends
        threading.Event().wait(0.2)
    return found
