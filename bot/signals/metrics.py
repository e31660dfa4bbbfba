"""What metrics mean: names and labels of widespread exporters, and what it tells when one rises or falls.

A table, so that knowledge stays data. Names are those of cAdvisor, kube-state-metrics, node_exporter, ingress-nginx,
nginx, Envoy and Istio, Micrometer and the JVM, the Go client, HikariCP, postgres_exporter, redis_exporter, Kafka
exporters and the OpenTelemetry conventions; the last rows read words in any other name. Left out: thresholds
that a site chose for itself (its alerts say those).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.domain.signal import Kind

How = Literal[
    "rises",
    "rises_or_grows",
    "falls",
    "replicas",
    "increments",
    "active",
    "appears",
    "zero",
    "alert",
    "expiry",
    "limit",
    "skip",
]
"""How a metric speaks.

``rises``/``falls``: by leaving its level; ``rises_or_grows``: also by a ramp; ``replicas``: by every step; ``increments``: by every count;
``active``: while above zero; ``appears``: when it comes up from nothing; ``zero``: while it is zero; ``alert``: while it exists; ``expiry``: its value is a time; ``limit``: a ceiling for others.
"""

Unit = Literal["", "cores", "bytes", "B/s", "s", "ms", "ratio", "%", "/s"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row: which series it speaks of, how, and as what.

    ``name`` matches the whole metric name; ``labels`` must all match wholly. ``least`` is the smallest change (in the
    metric's unit) worth telling, ``relative`` the smallest as a share of the level. ``fold`` joins the pods of a workload.
    """

    name: re.Pattern[str]
    how: How
    kind: Kind | None
    label: str
    unit: Unit = ""
    fold: Literal["sum", "max", "min"] = "sum"
    labels: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    least: float = 0.0
    relative: float = 0.3
    sigma: float = 4.0
    counts: bool = False
    """Does a size count single happenings (failed requests)?"""
    fewest: float = 6.0
    """An episode of fewer happenings is everyday noise."""
    share: float = 0.0
    """A share of a whole (0..1, or 0..100) must peak at this part of it, or it is not used up."""
    grown: Kind | None = None
    """What a long steady rise of it is (a fall, where it ``falls``); None where it is nothing by itself."""
    over: str = ""
    """The counter this one is a part of: where both are known, what lies beyond ``beyond`` of it happened."""
    beyond: float = 0.25
    ratio: bool = False
    """``…_sum``: to be divided by ``…_count``."""


def _row(
    name: str,
    how: How,
    kind: Kind | None,
    label: str,
    unit: Unit = "",
    *,
    labels: Mapping[str, str] | None = None,
    **more: Any,  # noqa: ANN401 - the other fields of Metric, in this file only
) -> Metric:
    needed = {key: re.compile(value) for key, value in (labels or {}).items()}
    return Metric(name=re.compile(name), how=how, kind=kind, label=label, unit=unit, labels=needed, **more)


REQUESTS = (
    r"nginx_ingress_controller_requests|http_requests_total|http_server_requests(_seconds)?_count|http_request_duration_seconds_count"
    r"|http_server_(request_)?duration(_seconds|_milliseconds)?_count|istio_requests_total|envoy_(cluster|http_downstream)_(upstream_)?rq(_xx|_total)?"
    r"|envoy_cluster_upstream_rq(_xx)?|envoy_http_downstream_rq_xx|traefik_(service|entrypoint)_requests_total|haproxy_(backend|frontend|server)_http_responses_total"
    r"|grpc_server_handled_total|nginx_http_requests_total|[a-z0-9_:]*http[a-z0-9_:]*(requests?|responses?)[a-z0-9_:]*(_total|_count)"
)
_5XX = r"5\d\d|5xx|5|SERVER_ERROR"
_4XX = r"4\d\d|4xx|4|CLIENT_ERROR"
STATUS_LABELS = ("status", "code", "status_code", "response_code", "http_status_code", "http_response_status_code", "response_code_class", "envoy_response_code_class", "envoy_response_code", "outcome", "status_class")  # fmt: skip
_GRPC_BAD = r"Unavailable|Internal|Unknown|DeadlineExceeded|DataLoss|ResourceExhausted"

METRICS: tuple[Metric, ...] = (
    # ceilings and facts that do not move
    _row(r"kube_pod_container_resource_limits", "limit", None, "memory limit", "bytes", fold="max", labels={"resource": "memory"}),
    _row(r"kube_pod_container_resource_limits_memory_bytes|container_spec_memory_limit_bytes", "limit", None, "memory limit", "bytes", fold="max"),
    _row(r"kube_.*_(info|labels|annotations|created|owner|metadata_generation|metadata_resource_version|observed_generation)|kube_pod_container_resource_(limits|requests)|kube_horizontalpodautoscaler_spec_.*|container_spec_.*|.*_bucket|.*_info|scrape_.*|process_start_time_seconds|container_start_time_seconds|container_last_seen|machine_.*|node_boot_time_seconds|go_memstats_.*|.*_created", "skip", None, "static"),
    _row(r"ALERTS", "alert", Kind.ALERT, "alert firing", labels={"alertstate": "firing"}),
    _row(r"ALERTS.*", "skip", None, "pending alert"),
    # Kubernetes state
    _row(r"kube_horizontalpodautoscaler_status_current_replicas", "replicas", Kind.SCALE_UP, "scaled", fold="max"),
    _row(r"kube_(deployment|statefulset|replicaset)_(status_replicas|status_replicas_current|spec_replicas|replicas)", "replicas", Kind.SCALE_UP, "scaled", fold="max"),
    _row(r"kube_horizontalpodautoscaler_status_desired_replicas", "skip", None, "follows the current replicas"),
    _row(r"kube_(deployment_status_replicas_unavailable|daemonset_status_number_unavailable)", "active", Kind.UNAVAILABLE, "replicas unavailable", fold="max"),
    _row(r"kube_pod_container_status_restarts(_total)?|kube_pod_init_container_status_restarts_total", "increments", Kind.CONTAINER_RESTART, "container restarted"),
    _row(r"kube_(cronjob|job)_status_active", "active", Kind.JOB_RUN, "job ran"),
    _row(r"kube_job_status_failed|kube_job_failed", "increments", Kind.JOB_FAILURE, "job failed"),
    _row(r"kube_pod_container_status_last_terminated_reason|kube_pod_container_status_terminated_reason", "appears", Kind.OOM_KILL, "container OOM killed", labels={"reason": "OOMKilled"}),
    _row(r"kube_pod_container_status_waiting_reason", "active", Kind.CRASH_LOOP, "container in CrashLoopBackOff", labels={"reason": "CrashLoopBackOff"}),
    _row(r"kube_pod_container_status_waiting_reason", "active", Kind.IMAGE_PULL_FAILURE, "image not pulled", labels={"reason": "ImagePullBackOff|ErrImagePull"}),
    _row(r"kube_pod_container_status_waiting_reason", "active", Kind.BAD_CONFIG, "container cannot be configured", labels={"reason": "CreateContainerConfigError|CreateContainerError"}),
    _row(r"kube_pod_status_unschedulable", "active", Kind.SCHEDULING_FAILURE, "pod unschedulable"),
    _row(r"kube_pod_status_reason", "active", Kind.EVICTION, "pod evicted", labels={"reason": "Evicted"}),
    _row(r"kube_pod_status_reason", "active", Kind.NODE_FAILURE, "pod lost with its node", labels={"reason": "NodeLost"}),
    _row(r"kube_node_status_condition", "zero", Kind.NODE_FAILURE, "node not ready", fold="min", labels={"condition": "Ready", "status": "true"}),
    _row(r"kube_node_status_condition", "active", Kind.MEMORY_PRESSURE, "node under memory pressure", labels={"condition": "MemoryPressure", "status": "true"}),
    _row(r"kube_node_status_condition", "active", Kind.DISK_PRESSURE, "node under disk pressure", labels={"condition": "DiskPressure", "status": "true"}),
    _row(r"kube_horizontalpodautoscaler_status_condition", "active", Kind.AUTOSCALER_FAILURE, "autoscaler cannot scale", labels={"condition": "ScalingActive|AbleToScale", "status": "false"}),
    _row(r"kube_resourcequota|kube_.*", "skip", None, "other state"),
    _row(r"up|probe_success|pg_up|redis_up|mysql_up|kafka_up|nginx_up|haproxy_server_up", "zero", Kind.UNAVAILABLE, "target down", fold="min"),
    _row(r"probe_ssl_earliest_cert_expiry|x509_cert_not_after|certmanager_certificate_expiration_timestamp_seconds|ssl_certificate_expiry_seconds|nginx_ingress_controller_ssl_expire_time_seconds", "expiry", Kind.CERTIFICATE_EXPIRY, "certificate expires", fold="min"),
    # answers to users
    *(_row(REQUESTS, "rises", Kind.SERVER_ERROR, "HTTP 5xx responses", "/s", labels={label: _5XX}, counts=True, relative=0.5) for label in STATUS_LABELS),
    *(_row(REQUESTS, "rises", Kind.RATE_LIMITED, "HTTP 429 responses", "/s", labels={label: "429"}, counts=True, relative=0.5) for label in STATUS_LABELS),
    *(_row(REQUESTS, "rises", Kind.CLIENT_ERROR, "HTTP 4xx responses", "/s", labels={label: _4XX}, counts=True, fewest=10, relative=0.5) for label in STATUS_LABELS),
    _row(r"grpc_server_handled_total", "rises", Kind.SERVER_ERROR, "gRPC errors", "/s", labels={"grpc_code": _GRPC_BAD}, counts=True, relative=0.5),
    _row(r".*(_5xx|5xx_).*", "rises", Kind.SERVER_ERROR, "HTTP 5xx responses", "/s", counts=True, relative=0.5),
    _row(r"envoy_cluster_upstream_rq_pending_overflow", "rises", Kind.CIRCUIT_OPEN, "circuit breaker overflows", "/s", counts=True),
    _row(r"envoy_cluster_upstream_rq_retry", "rises", Kind.RETRY, "upstream retries", "/s", counts=True),
    _row(r"envoy_cluster_upstream_(rq|cx_connect)_timeout", "rises", Kind.TIMEOUT, "upstream timeouts", "/s", counts=True),
    _row(r".*(request|response|upstream|server|client|query|method|call|handler)[a-z0-9_]*(duration|latency|time|_seconds|_milliseconds)[a-z0-9_]*_sum|http_server_requests_seconds_sum", "rises", Kind.LATENCY, "latency up", "s", ratio=True, relative=0.5),
    _row(REQUESTS, "rises", Kind.TRAFFIC_RISE, "request rate up", "/s", relative=0.4),
    # CPU, memory, disk, network
    _row(r"container_cpu_cfs_throttled_periods_total", "rises", Kind.CPU_THROTTLING, "CPU throttled", "/s", least=0.01, relative=0.5, over="container_cpu_cfs_periods_total"),
    _row(r"container_cpu_cfs_throttled_seconds_total", "rises", Kind.CPU_THROTTLING, "CPU throttled", "/s", least=0.01, relative=0.5),
    _row(r"container_cpu_cfs_periods_total", "rises", None, "periods", "/s"),
    _row(r"container_cpu_(user|system)_seconds_total|node_cpu_guest_seconds_total|container_cpu_load_average_10s", "skip", None, "part of another"),
    _row(r"container_cpu_usage_seconds_total|process_cpu_seconds_total", "rises", Kind.CPU_SATURATION, "CPU use up", "cores", least=0.05),
    _row(r"node_cpu_seconds_total", "falls", Kind.CPU_SATURATION, "node CPU idle time gone", "cores", labels={"mode": "idle"}, least=0.2),
    _row(r"node_cpu_seconds_total", "rises", Kind.IO_SATURATION, "node waits for disks", "cores", labels={"mode": "iowait"}, least=0.1, relative=0.5),
    _row(r"node_cpu_seconds_total", "skip", None, "other mode"),
    _row(r"node_load(1|5)|node_pressure_cpu_waiting_seconds_total", "rises", Kind.CPU_SATURATION, "load up", least=0.05, relative=0.4),
    _row(r"node_load15", "skip", None, "follows load5"),
    _row(r"container_memory_(working_set_bytes|rss|usage_bytes)|process_resident_memory_bytes", "rises_or_grows", Kind.MEMORY_PRESSURE, "memory use up", "bytes", grown=Kind.MEMORY_GROWTH, fold="max", least=16e6),
    _row(r"jvm_memory_used_bytes", "rises_or_grows", Kind.MEMORY_PRESSURE, "heap use up", "bytes", labels={"area": "heap"}, least=16e6, grown=Kind.MEMORY_GROWTH),
    _row(r"container_memory_.*|jvm_memory_.*|node_memory_(?!MemAvailable).*", "skip", None, "part of another"),
    _row(r"node_memory_MemAvailable_bytes", "falls", Kind.MEMORY_PRESSURE, "node memory available down", "bytes", fold="min", least=64e6, relative=0.2),
    _row(r"container_oom_events_total|node_vmstat_oom_kill", "increments", Kind.OOM_KILL, "OOM kills"),
    _row(r"node_filesystem_(avail|free)_bytes|node_filesystem_files_free|kubelet_volume_stats_(available_bytes|inodes_free)", "falls", Kind.DISK_PRESSURE, "disk space down", "bytes", fold="min", relative=0.1, grown=Kind.RESOURCE_GROWTH),
    _row(r"node_filesystem_.*|kubelet_volume_stats_.*", "skip", None, "part of another"),
    _row(r"node_disk_io_time_(weighted_)?seconds_total|container_fs_(reads|writes)(_bytes)?_total|node_disk_(read|written)_bytes_total|node_pressure_io_waiting_seconds_total", "rises", Kind.IO_SATURATION, "disk I/O up", "/s", relative=0.5),
    _row(r"(container_network|node_network)_(receive|transmit)_(drop|dropped|drops|errs|errors|packets_dropped)_total", "rises", Kind.NETWORK_SATURATION, "packets dropped", "/s", counts=True, relative=0.5),
    _row(r"(container|node)_network_(receive|transmit)_bytes_total", "rises", Kind.NETWORK_SATURATION, "network traffic up", "B/s", least=1e4, relative=0.5),
    _row(r"jvm_gc_pause_seconds_sum|jvm_gc_collection_seconds_sum|go_gc_duration_seconds_sum", "rises", Kind.GC_PAUSE, "time in GC up", "ratio", least=0.02, relative=0.5),
    # pools, queues, databases
    _row(r"hikaricp_connections_(pending|timeout_total)|[a-z0-9_]*pool[a-z0-9_]*_(pending|waiting|wait_count(_total)?|wait_duration_seconds_total|timeouts?_total)|go_sql_(wait_count_total|wait_duration_seconds_total)|pgbouncer_pools_client_waiting_connections", "rises", Kind.POOL_EXHAUSTION, "waits for a pooled connection", relative=0.5),
    _row(r"hikaricp_connections_active|[a-z0-9_]*(pool|connections)_(active|in_use|used|busy)([a-z_]*)|jdbc_connections_active|go_sql_in_use_connections|pg_stat_activity_count|pg_stat_database_numbackends|mysql_global_status_threads_running|nginx_connections_active", "rises", Kind.POOL_EXHAUSTION, "connections in use up", least=3, relative=0.5, grown=Kind.RESOURCE_GROWTH),
    _row(r"[a-z0-9_]*db_client_connections?_(usage|count)", "rises", Kind.POOL_EXHAUSTION, "connections in use up", labels={"state": "used"}, least=3, relative=0.5, grown=Kind.RESOURCE_GROWTH),
    _row(r"[a-z0-9_]*db_client_connections?_pending_requests|pgbouncer_pools_server_active_connections|sqlalchemy_pool_checked_?out|[a-z0-9_]*pool_checked_?out(_connections)?", "rises", Kind.POOL_EXHAUSTION, "connections in use up", least=3, relative=0.5, grown=Kind.RESOURCE_GROWTH),
    _row(r"[a-z0-9_]*db_client_connections?_(usage|count|max|idle_max|idle_min|create_time.*|use_time.*|wait_time.*)", "skip", None, "part of another"),
    _row(r"hikaricp_connections(_idle|_max|_min)?|[a-z0-9_]*connections_(max|idle|limit|min)", "skip", None, "ceiling"),
    _row(r"pg_locks_count|pg_stat_activity_waiting|pg_locks_waiting.*|mysql_global_status_innodb_row_lock_(waits|current_waits)|.*lock_wait.*", "rises", Kind.LOCK_WAIT, "lock waits up", relative=0.5),
    _row(r"pg_stat_database_deadlocks|mysql_global_status_innodb_deadlocks", "increments", Kind.DEADLOCK, "deadlocks"),
    _row(r"pg_stat_activity_max_tx_duration|pg_long_running_transactions.*", "rises", Kind.SLOW_QUERY, "longest transaction up", "s", fold="max", least=5, relative=0.5),
    _row(r"redis_memory_used_bytes", "rises_or_grows", Kind.MEMORY_PRESSURE, "Redis memory up", "bytes", grown=Kind.MEMORY_GROWTH, fold="max", least=16e6),
    _row(r"redis_(blocked_clients|rejected_connections_total)", "rises", Kind.POOL_EXHAUSTION, "Redis clients blocked", relative=0.5),
    _row(r"kafka_consumer(group)?_(lag|lag_sum|fetch_manager_records_lag(_max)?|records_lag(_max)?)|.*(queue_(depth|length|size)|buffer(ed)?(_\w+)?_(in_use|used|size|length|depth)|queue_messages(_ready)?|backlog|_pending|_queued|_in_?flight|consumer_lag|workqueue_depth)", "rises", Kind.QUEUE_GROWTH, "queue up", least=2, relative=0.5, grown=Kind.QUEUE_GROWTH),
    _row(r"mysql_(slave|replica)_status_seconds_behind_(master|source)|pg_replication_lag(_seconds)?|mongodb_[a-z0-9_]*repl[a-z0-9_]*_lag[a-z0-9_]*|[a-z0-9_]*replica(tion)?_lag[a-z0-9_]*", "rises", Kind.QUEUE_GROWTH, "replication lag up", "s", fold="max", least=5, relative=0.5),
    _row(r"coredns_dns_responses_total", "rises", Kind.NAME_RESOLUTION_FAILURE, "DNS failures", "/s", labels={"rcode": "SERVFAIL|REFUSED"}, counts=True, relative=0.5),
    # words in any other name
    _row(r".*(retries|retry)(_total|_count)?", "rises", Kind.RETRY, "retries up", "/s", counts=True, relative=0.5),
    _row(r".*timeouts?(_total|_count)?", "rises", Kind.TIMEOUT, "timeouts up", "/s", counts=True, relative=0.5),
    _row(r".*(errors?|failures?|failed|exceptions?)[a-z0-9_]*[:_](ratio|share|percent|percentage|pct)([:_]?rate\w*)?", "rises", Kind.LOG_ERROR, "share of errors up", fold="max", relative=0.5),
    _row(r".*(errors?|failures?|failed|exceptions?)(_total|_count|_rate|:rate\w+)?", "rises", Kind.LOG_ERROR, "errors up", "/s", counts=True, relative=0.5),
    _row(r".*throttl.*", "rises", Kind.CPU_THROTTLING, "CPU throttled", relative=0.5),
    _row(r".*cpu.*(busy|util|ratio|percent|pct).*", "rises", Kind.CPU_SATURATION, "CPU busy", "ratio", fold="max", share=0.6),
    _row(r".*cpu.*", "rises", Kind.CPU_SATURATION, "CPU use up", least=0.02),
    _row(r".*(memory|heap|rss|mem_used|working_set).*", "rises_or_grows", Kind.MEMORY_PRESSURE, "memory use up", "bytes", grown=Kind.MEMORY_GROWTH, fold="max"),
    _row(r".*(latency|duration|response_time|_p\d\d).*", "rises", Kind.LATENCY, "latency up", fold="max", relative=0.5),
    _row(r".*(requests?|rps|qps)(_total|_count|_rate|_per_second|:rate\w+)?", "rises", Kind.TRAFFIC_RISE, "request rate up", "/s", relative=0.4),
    _row(r".*network.*|.*(receive|transmit|rx|tx)_bytes.*", "rises", Kind.NETWORK_SATURATION, "network traffic up", "B/s", relative=0.5),
    _row(
        r".*(fds|file_?descriptors?|file_handles|handles|sockets?|threads(_live|_current)?(_threads)?|thread_count|goroutines|processes|open_files)(_open|_used|_count|_current)?",
        "rises_or_grows", Kind.RESOURCE_SHIFT, "rose", sigma=8.0, relative=1.0, least=20, grown=Kind.RESOURCE_GROWTH,
    ),
    _row(r".*", "rises", Kind.RESOURCE_SHIFT, "rose", sigma=8.0, relative=1.0),
)  # fmt: skip
"""The first row that matches counts."""

_COUNTER = re.compile(r".*(_total|_count|_sum|_seconds_total)")
_COUNTERS_WITHOUT_SUFFIX = re.compile(
    r"nginx_ingress_controller_requests|envoy_.*_(rq|rq_xx|rq_retry|rq_timeout|rq_pending_overflow|connect_timeout)|pg_stat_database_(deadlocks|xact_.*|blks_.*)|node_vmstat_.*"
    r"|mysql_global_status_(innodb_deadlocks|innodb_row_lock_waits)|kube_pod_container_status_restarts"
)


_THINGS_COUNTED_NOW = re.compile(
    r".*(activity|locks|connections?|threads?|goroutines?|class|descriptors?|instances?|replicas?|members?|nodes?|pods?|keys|consumers?|clients?|sessions?)_count"
)
"""Gauges by what they count, though a histogram's count ends alike (pg_stat_activity_count, OpenTelemetry's jvm.thread.count)."""


def meaning(metric: str, labels: Mapping[str, str]) -> Metric:
    """Give the row for a series; an unknown metric gets the last row."""
    for row in METRICS:
        if row.name.fullmatch(metric) and all(
            label in labels and wanted.fullmatch(labels[label]) for label, wanted in row.labels.items()
        ):
            return row
    return METRICS[-1]


def is_counter(metric: str) -> bool | None:
    """Tell whether a metric counts up by its name; None where the name does not say (a query's result)."""
    if not metric:
        return None
    if _THINGS_COUNTED_NOW.fullmatch(metric):
        return False
    return _COUNTER.fullmatch(metric) is not None or _COUNTERS_WITHOUT_SUFFIX.fullmatch(metric) is not None


def said(value: float, unit: Unit) -> str:
    """Write a value as a person would: ``0.31 cores``, ``1.9 GiB``, ``12.4/s``."""
    if unit in {"bytes", "B/s"}:
        tail = "/s" if unit == "B/s" else ""
        for size, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
            if abs(value) >= size:
                return f"{value / size:.3g} {name}{tail}"
        return f"{value:.3g} B{tail}"
    text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{text}{unit}" if unit in {"/s", "%"} else f"{text} {unit}".rstrip()
