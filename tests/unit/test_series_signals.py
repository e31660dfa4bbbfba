from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from series_shelf import HeldSeries

from bot.domain.entity import Entity
from bot.domain.items import ItemId, Series
from bot.domain.signal import Kind, Topology
from bot.domain.window import Window
from bot.signals.folding import fold
from bot.signals.metrics import is_counter, meaning
from bot.signals.series_signals import series_behind, series_signals

_START = datetime(2026, 11, 16, tzinfo=UTC)
_WINDOW = Window(start=_START, end=_START + timedelta(days=5), asked="5d")
_TIMES = _WINDOW.start_s + np.arange(7200) * 60.0
_WEB = Entity("Deployment", "web", "shop")
_PODS = [Entity("Pod", f"web-6f7c9d8b54-{tail}", "shop") for tail in ("x2x2x", "z4z4z")]
_TOPOLOGY = Topology(
    owner=dict.fromkeys(_PODS, _WEB) | {Entity("Job", "rollup-29370240", "shop"): Entity("CronJob", "rollup", "shop")},
    nodes={_WEB: frozenset({"n1"})},
)


def _one(metric, labels, values, times=_TIMES):
    return Series(metric=metric, labels=labels, times_s=array("d", times), values=array("d", values), raw=b"{}")


def _signals(*series):
    return series_signals(HeldSeries([(ItemId(f"M{n}"), one) for n, one in enumerate(series, 1)]), _WINDOW, _TOPOLOGY)


def _of(kind, signals):
    (signal,) = [signal for signal in signals if signal.kind is kind]
    return signal


def _pod(number=0):
    return {"namespace": "shop", "pod": _PODS[number].name, "container": "web"}


def test_cpu_of_a_workload_is_one_signal_with_its_period():
    """Counters of two pods become rates, add up, and show the six-hourly load once, with node and note."""
    draw = np.random.default_rng(1)
    use = [np.cumsum((0.2 + (_TIMES % 21_600 < 2_400) * 0.6 + draw.normal(0, 0.02, 7200)) * 60) for _ in range(2)]
    use[1][3000:] -= use[1][3000]  # a restart resets the counter
    signal = _of(
        Kind.CPU_SATURATION, _signals(*(_one("container_cpu_usage_seconds_total", _pod(n), use[n]) for n in (0, 1)))
    )
    assert (_WEB, frozenset({"n1"}), 20) == (signal.entity, signal.nodes, len(signal.occurrences))
    assert signal.period_s == pytest.approx(21_600, rel=0.01)
    assert "cores" in signal.occurrences[3].note
    assert set(signal.occurrences[3].refs) <= {"M1", "M2"}


def test_server_errors_are_counted():
    """5xx counters of several codes fold into one train whose sizes count requests; 2xx stay out of it."""
    bad = np.zeros(7200)
    bad[1000:1005] = 30
    labels = {"namespace": "shop", "service": "edge"}
    found = _signals(
        _one("http_requests_total", labels | {"code": "502"}, np.cumsum(bad)),
        _one("http_requests_total", labels | {"code": "503"}, np.zeros(7200)),
        _one("http_requests_total", labels | {"code": "200"}, np.cumsum(np.random.default_rng(2).poisson(600, 7200))),
    )
    signal = _of(Kind.SERVER_ERROR, found)
    (episode,) = signal.occurrences
    assert Entity("Service", "edge", "shop") == signal.entity
    assert episode.size == pytest.approx(150, rel=0.05)
    assert episode.start_s == pytest.approx(_TIMES[1000], abs=120)
    assert [Kind.SERVER_ERROR] == [signal.kind for signal in found]


def test_replicas_step_up_and_down():
    """Every step of an autoscaler's replicas is one scaling with its size."""
    values = np.full(7200, 3.0)
    values[100:200] = 7
    labels = {"namespace": "shop", "horizontalpodautoscaler": "web"}
    found = _signals(_one("kube_horizontalpodautoscaler_status_current_replicas", labels, values))
    up, down = _of(Kind.SCALE_UP, found), _of(Kind.SCALE_DOWN, found)
    assert Entity("HorizontalPodAutoscaler", "web", "shop") == up.entity
    assert [(_TIMES[100], 4.0, "3 → 7 replicas")] == [(one.start_s, one.size, one.note) for one in up.occurrences]
    assert [(_TIMES[200], 4.0)] == [(one.start_s, one.size) for one in down.occurrences]


def test_restarts_are_counted_over_pods_but_not_those_of_before():
    """A restart counter that begins at three tells of no restart; its increments do."""
    first, second = np.full(7200, 3.0), np.zeros(7200)
    second[4000:] = 1
    metric = "kube_pod_container_status_restarts_total"
    signal = _of(Kind.CONTAINER_RESTART, _signals(_one(metric, _pod(0), first), _one(metric, _pod(1), second)))
    assert (_WEB, [_TIMES[4000]]) == (signal.entity, [one.start_s for one in signal.occurrences])


def test_job_activity_becomes_runs_of_the_cron_job():
    """A job series that lives for ten minutes is one run of its CronJob."""
    times = _TIMES[500:512]
    labels = {"namespace": "shop", "job_name": "rollup-29370240"}
    signal = _of(Kind.JOB_RUN, _signals(_one("kube_job_status_active", labels, [1.0] * 10 + [0, 0], times)))
    assert Entity("CronJob", "rollup", "shop") == signal.entity
    assert [(times[0], times[9])] == [(one.start_s, one.end_s) for one in signal.occurrences]


def test_an_oom_kill_is_the_moment_its_reason_appears():
    """``last_terminated_reason`` stays one for ever; only its rise is a kill."""
    values = np.zeros(7200)
    values[2500:] = 1
    metric = "kube_pod_container_status_last_terminated_reason"
    signal = _of(Kind.OOM_KILL, _signals(_one(metric, _pod() | {"reason": "OOMKilled"}, values)))
    assert [_TIMES[2500]] == [one.start_s for one in signal.occurrences]


def test_a_leak_with_restarts_grows():
    """A sawtooth of working set is memory growth, once for each tooth."""
    values = 200e6 + (_TIMES - _TIMES[0]) % 86_400 / 86_400 * 600e6 + np.random.default_rng(3).normal(0, 4e6, 7200)
    signal = _of(Kind.MEMORY_GROWTH, _signals(_one("container_memory_working_set_bytes", _pod(), values)))
    assert len(signal.occurrences) == 5
    assert "MiB" in signal.occurrences[0].note


@pytest.mark.parametrize("metric", ["process_open_fds", "jvm_threads_live_threads", "go_goroutines"])
def test_what_is_held_open_grows_until_it_is_full(metric):
    """A leak of handles begins at a floor and stops at a ceiling; between the two it is a ramp, and no memory."""
    values = np.clip(50 + (np.arange(7200) - 3000) * 0.6, 50, 1024) + np.random.default_rng(5).normal(0, 2, 7200)
    signal = _of(Kind.RESOURCE_GROWTH, _signals(_one(metric, _pod(), values)))
    (grown,) = signal.occurrences
    assert _TIMES[2900] < grown.start_s < _TIMES[3300]
    assert _TIMES[4400] < grown.end_s < _TIMES[4700]


@pytest.mark.parametrize(
    ("metric", "labels", "kind", "falls"),
    [
        ("kubelet_volume_stats_available_bytes", {"persistentvolumeclaim": "data-db-0"}, Kind.RESOURCE_GROWTH, True),
        ("kafka_consumergroup_lag", {"consumergroup": "push", "topic": "push"}, Kind.QUEUE_GROWTH, False),
        ("pg_stat_activity_count", {"pod": "db-0"}, Kind.RESOURCE_GROWTH, False),
    ],
)
def test_a_long_rise_is_one_from_its_knee_to_its_bound_and_no_step_in_its_middle(metric, labels, kind, falls):
    """Disks, queues and connections: dated at both ends, and nothing else is told of the same series."""
    values = 1e9 + np.interp(np.arange(7200), (0, 3000, 5000, 7199), (0.0, 0.0, 9e9, 9e9))
    values += np.random.default_rng(8).normal(0, 1e6, 7200)
    found = _signals(_one(metric, {"namespace": "shop", **labels}, 11e9 - values if falls else values))
    (signal,) = found
    (grown,) = signal.occurrences
    assert (signal.kind, grown.note.endswith(" left")) == (kind, falls)
    assert abs(grown.start_s - _TIMES[3000]) < 1200
    assert abs(grown.end_s - _TIMES[5000]) < 1200


def test_what_is_held_open_by_day_and_not_by_night_does_not_leak():
    """A daily tide of open connections is none."""
    values = 300 + 250 * np.sin((_TIMES - _TIMES[0]) / 86_400 * 2 * np.pi) + np.random.default_rng(6).normal(0, 9, 7200)
    assert not [one for one in _signals(_one("process_open_fds", _pod(), values)) if one.kind is Kind.RESOURCE_GROWTH]


def test_mean_latency_comes_from_sum_and_count():
    """A rise of the mean duration is found though both counters only ever rise."""
    count = np.random.default_rng(4).poisson(600, 7200)
    mean = np.where((_TIMES > _TIMES[3000]) & (_TIMES < _TIMES[3040]), 2.0, 0.1)
    labels = {"namespace": "shop", "service": "edge"}
    found = _signals(
        _one("http_request_duration_seconds_sum", labels, np.cumsum(count * mean)),
        _one("http_request_duration_seconds_count", labels, np.cumsum(count)),
    )
    (episode,) = _of(Kind.LATENCY, found).occurrences
    assert episode.start_s == pytest.approx(_TIMES[3000], abs=120)


def test_firing_alerts_carry_their_name():
    """An alert exists while it fires; pending ones are not signals."""
    labels = {"alertname": "HighErrorRate", "namespace": "shop", "service": "edge"}
    found = _signals(
        _one("ALERTS", labels | {"alertstate": "firing"}, [1.0] * 30, _TIMES[100:130]),
        _one("ALERTS", labels | {"alertstate": "pending"}, [1.0] * 30, _TIMES[70:100]),
    )
    assert [(Kind.ALERT, "HighErrorRate")] == [(signal.kind, signal.subject) for signal in found]


def test_pods_known_by_name_only_fold_into_their_workload():
    """A deleted pod that no object tells of still counts for the Deployment its name speaks of."""
    labels = {"namespace": "shop", "pod": "cart-6f7c9d8b54-b5b5b", "container": "cart"}
    values = np.zeros(7200)
    values[100:] = 1
    signal = _of(Kind.CONTAINER_RESTART, _signals(_one("kube_pod_container_status_restarts_total", labels, values)))
    assert (Entity("Deployment", "cart", "shop")) == signal.entity


@pytest.mark.parametrize("values", [[], [1.0], [float("nan")] * 50, [float("inf"), 1.0] * 20, [5.0] * 200])
@pytest.mark.parametrize(
    "metric",
    [
        "container_cpu_usage_seconds_total",
        "kube_deployment_status_replicas",
        "probe_ssl_earliest_cert_expiry",
        "ALERTS",
        "x",
        "",
        "http_request_duration_seconds_sum",
    ],
)
def test_degenerate_series_do_no_harm(metric, values):
    """Empty, single, constant, infinite and not-a-number series raise nothing and say little."""
    times = _WINDOW.start_s + np.arange(len(values)) * 30.0
    assert len(_signals(_one(metric, {"alertstate": "firing"}, values, times))) <= 1


def test_quiet_series_are_silent():
    """Daily waves and noise of usual metrics make next to no signals."""
    draw = np.random.default_rng(5)
    wave = 1 + 0.4 * np.sin(2 * np.pi * _TIMES / 86_400)
    many = [
        _one(
            "container_memory_working_set_bytes",
            {"namespace": "s", "service": f"m{n}"},
            3e8 * (wave + draw.normal(0, 0.05, 7200)),
        )
        for n in range(20)
    ]
    many += [_one("some_gauge", {"service": f"g{n}"}, wave + draw.normal(0, 0.1, 7200)) for n in range(20)]
    assert len(_signals(*many)) <= 1


def test_the_table_knows_common_names():
    """The first matching row counts; histogram buckets and facts are left out."""
    assert meaning("nginx_ingress_controller_requests", {"status": "502"}).kind is Kind.SERVER_ERROR
    assert meaning("istio_requests_total", {"response_code": "200"}).kind is Kind.TRAFFIC_RISE
    assert meaning("hikaricp_connections_pending", {}).kind is Kind.POOL_EXHAUSTION
    assert meaning("kafka_consumergroup_lag", {}).kind is Kind.QUEUE_GROWTH
    assert meaning("http_request_duration_seconds_bucket", {"le": "1"}).how == "skip"
    assert meaning("acme_widgets", {}).kind is Kind.RESOURCE_SHIFT
    assert (False, True) == (is_counter("pg_stat_activity_count"), is_counter("http_request_duration_seconds_count"))
    assert (True, False, None) == (is_counter("x_total"), is_counter("x_bytes"), is_counter(""))


def test_a_nodes_address_leads_to_its_name():
    """A node_exporter series that only carries an address stands with the node's name when another tells it."""
    values = np.full(7200, 2e5) + np.random.default_rng(6).normal(0, 1e3, 7200)
    values[1000:1020] = 4e6
    found = _signals(
        _one("node_network_receive_bytes", {"instance": "10.0.0.7:9100", "device": "eth0"}, values),
        _one("node_uname_info", {"instance": "10.0.0.7:9100", "nodename": "n7"}, np.ones(7200)),
    )
    signal = _of(Kind.NETWORK_SATURATION, found)
    assert (Entity("Node", "n7"), frozenset({"n7"})) == (signal.entity, signal.nodes)


def test_the_series_behind_a_signal_is_found_among_its_like():
    """Requests that failed stand beside those that did not under one name, and only the failed ones are the signal's."""
    bad = np.zeros(7200)
    bad[1000:1005] = 30
    series = [
        _one("http_requests_total", {"namespace": "shop", "service": "edge", "code": code}, np.cumsum(values))
        for code, values in (("200", np.full(7200, 600.0)), ("503", bad))
    ]
    shelf = HeldSeries([(ItemId(f"M{n}"), one) for n, one in enumerate(series, 1)])
    signal = _of(Kind.SERVER_ERROR, series_signals(shelf, _WINDOW, _TOPOLOGY))
    folded = series_behind(signal, shelf, _TOPOLOGY)
    assert (folded.ids, pytest.approx(2.5)) == (("M2",), float(folded.values.sum()))
    assert series_behind(replace(signal, source="kubernetes/logs"), shelf, _TOPOLOGY) is None


def test_what_is_divided_by_is_behind_a_signal_too():
    """A latency is a sum over a count; nothing of a metric is behind a signal of the logs."""
    metric = "http_server_requests_seconds_sum"
    slow = np.where((_TIMES > _TIMES[3000]) & (_TIMES < _TIMES[3060]), 40.0, 10.0)
    series = [
        _one(name, {"namespace": "shop", "service": "edge"}, np.cumsum(values))
        for name, values in ((metric, slow), ("http_server_requests_seconds_count", np.full(7200, 60.0)))
    ]
    shelf = HeldSeries([(ItemId(f"M{n}"), one) for n, one in enumerate(series, 1)])
    signal = _of(Kind.LATENCY, series_signals(shelf, _WINDOW, _TOPOLOGY))
    assert float(series_behind(signal, shelf, _TOPOLOGY).values.max()) == pytest.approx(40 / 60)


def test_the_samples_of_one_group_after_another_are_read():
    """However many series there are, no more are asked for at once than one workload has of one metric."""

    class Watched(HeldSeries):
        def samples(self, items):
            asked.append(list(items))
            return super().samples(asked[-1])

    asked = []
    flat = np.full(7200, 3.0)
    rows = [
        _one(metric, {"namespace": "shop", "pod": f"{name}-6f7c9d8b54-{tail}"}, flat)
        for metric in ("container_memory_working_set_bytes", "go_goroutines")
        for name in ("web", "cart", "till")
        for tail in ("x2x2x", "z4z4z")
    ]
    series_signals(Watched([(ItemId(f"M{n}"), one) for n, one in enumerate(rows, 1)]), _WINDOW, _TOPOLOGY)
    assert [2] * 6 == [len(items) for items in asked]


def test_a_pod_that_lives_for_an_hour_takes_the_room_of_an_hour():
    """A CronJob's hundred pods, one after another, hold no more between them than one that lives all the while."""
    pods = [(ItemId(f"M{n}"), _TIMES[72 * n : 72 * n + 60], np.full(60, float(n + 1))) for n in range(100)]
    pods.append((ItemId("M100"), _TIMES, np.full(7200, 0.5)))
    folded = fold(pods, "sum")
    assert sum(map(len, folded.parts)) < 2 * len(_TIMES)
    at = 72 * 40 + 30
    assert folded.values[at] == 41.5
    assert folded.values[72 * 40 + 70] == 0.5
    assert folded.refs(_TIMES[at], _TIMES[at]) == ("M40", "M100")
    assert np.isnan(folded.lines(2)[1, 71])
    assert folded.lines(2)[1, 72] == 2.0


def test_of_a_counter_that_never_rests_the_strongest_counts_are_told():
    """Seven thousand restarts, one of them of nine: sixty are told, in their order, that one among them."""
    rise = np.ones(7200)
    rise[5000] = 9
    labels = {"namespace": "shop", "pod": _PODS[0].name, "container": "web"}
    (signal,) = _signals(_one("kube_pod_container_status_restarts_total", labels, np.cumsum(rise)))
    sizes = [one.size for one in signal.occurrences]
    assert (60, 9.0) == (len(sizes), sizes[-1])
    assert sorted(one.start_s for one in signal.occurrences) == [one.start_s for one in signal.occurrences]
