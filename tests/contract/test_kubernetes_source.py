"""How far a reading of a cluster goes, and what the doctor says of one."""

from unittest.mock import patch

import pytest
from kube_api import KubeApi
from kubernetes_situations import NOW, WINDOW, event, pod, rotated, small
from unit.export_sink import RecordingSink

from bot.cluster import api as cluster_api
from bot.cluster.access import ClusterAccess
from bot.sources.kubernetes import KubernetesSource, scope


@pytest.fixture
def api():
    """A cluster on loopback."""
    with KubeApi() as running:
        yield running


def source(api, folder, **more):
    """Make a reader of it."""
    access = ClusterAccess(kubeconfig=api.kubeconfig(folder))
    return KubernetesSource(access=access, window=WINDOW, clock=lambda: NOW, **more)


def pods_read(source_):
    """Give the namespaces whose pods were read, and the sink."""
    sink = RecordingSink()
    source_.gather(sink, lambda _stage, _done, _total: None)
    return {each.entity.namespace for each in sink.objects if each.entity.kind == "Pod"}, sink


def company(api):
    """Fill a cluster: web calls payments, batch runs on web's node, office and idle have nothing to do with it."""
    api.put(pod("front", env=[{"name": "PAYMENTS_URL", "value": "http://pay.payments.svc:80"}]))
    api.put(pod("pay", namespace="payments", node="n2"), pod("etl", namespace="batch", node="n1"))
    api.put(pod("desk", namespace="office", node="n3"), pod("sleep", namespace="idle", node="n4"))
    caller = {"containers": [{"name": "c", "args": ["--to", "front.web:80"]}]}
    api.put(
        {
            "kind": "Deployment",
            "metadata": {"name": "edge", "namespace": "edge"},
            "spec": {"template": {"spec": caller}},
        }
    )
    api.put(pod("edge", namespace="edge", node="n5"))


@pytest.mark.parametrize("question", ["why is web slow?", ""], ids=["from the question", "from the warnings"])
def test_a_large_cluster_is_read_outwards(api, tmp_path, question):
    """From where the question or the warnings point to callers, callees and neighbours on the node; the rest is named."""
    company(api)
    api.put(event(1, name="front"))
    with patch.object(scope, "MOST_PODS", 3):
        read, sink = pods_read(source(api, tmp_path, question=question))
    assert {"web", "payments", "batch", "edge"} == read
    assert 1 == len([gap for gap in sink.gaps if "2 namespaces were not" in gap.what])


@pytest.mark.parametrize("trouble", ["a pod", "replicas"])
def test_a_large_cluster_that_forgot_its_warnings_is_read_from_where_trouble_is(api, tmp_path, trouble):
    """Events live an hour; a pod that does not run, or replicas that are missing, tell where to begin; without any it is said."""
    company(api)
    for name in ("front", "pay", "etl", "desk", "sleep", "edge"):
        (key,) = [key for key in api.objects["pods"] if key[1] == name]
        api.objects["pods"][key]["status"]["phase"] = "Running"
    with patch.object(scope, "MOST_PODS", 3):
        read, sink = pods_read(source(api, tmp_path))
        assert (set(), 1) == (read, len(sink.lost("nor a workload in trouble")))
        if trouble == "a pod":
            api.put(
                {
                    **pod("front", env=[{"name": "URL", "value": "http://pay.payments.svc"}]),
                    "status": {"phase": "Pending"},
                }
            )
        else:
            api.put(
                {
                    "kind": "Deployment",
                    "metadata": {"name": "front", "namespace": "web"},
                    "status": {"unavailableReplicas": 1},
                }
            )
        assert {"web", "payments"} <= pods_read(source(api, tmp_path))[0]


def test_a_small_cluster_is_read_whole_and_a_border_is_one(api, tmp_path):
    """Without a border everything is read; with one nothing beyond it is asked for."""
    company(api)
    assert {"web", "payments", "batch", "edge", "office", "idle"} == pods_read(source(api, tmp_path))[0]
    api.asked.clear()
    read, sink = pods_read(source(api, tmp_path, namespaces=("web",)))
    assert {"web"} == read
    assert ["pods there call payments"] == [gap.what.partition(",")[0] for gap in sink.gaps if "beyond" in gap.what]
    assert {"web", "default"} == {
        path.split("/namespaces/")[1].split("/")[0] for path, _ in api.asked if "/namespaces/" in path
    }


def test_nothing_asks_for_secrets_or_what_config_maps_hold(api, tmp_path):
    """No request names Secrets, and a literal of the environment is in no byte that is stored."""
    api.put(pod("a", env=[{"name": "GREETING", "value": "hunter2"}]))
    api.put({"kind": "ConfigMap", "metadata": {"name": "c", "namespace": "web"}, "data": {"k": "hunter2"}})
    _, sink = pods_read(source(api, tmp_path))
    assert [] == [path for path, _ in api.asked if "secrets" in path]
    assert [] == [each for each in sink.objects if b"hunter2" in each.raw or "hunter2" in str(each.manifest)]


def test_a_server_that_gives_more_than_names_is_not_read(api, tmp_path):
    """Where contents come though only metadata was asked for, nothing of them is kept, and the report says why."""
    api.put({"kind": "ConfigMap", "metadata": {"name": "c", "namespace": "web"}, "data": {"k": "hunter2"}})
    api.whole = True
    _, sink = pods_read(source(api, tmp_path))
    assert [] == [each for each in sink.objects if each.entity.kind == "ConfigMap"]
    assert sink.lost("the server gives no metadata of configmaps alone")


def test_lines_that_an_archive_has_are_left_out(api, tmp_path):
    """What the recorder brings is not read twice."""
    small(api, pods=("a",))
    span = (int(WINDOW.start_s * 1e9), int((WINDOW.start_s + 9.5) * 1e9))
    _, sink = pods_read(source(api, tmp_path, recorded=lambda *_where: [span]))
    assert 10 == sum(map(len, sink.lines))


def test_a_node_that_is_gone_does_not_cost_the_time_of_the_others(api, tmp_path):
    """Sixty pods of a node whose kubelet does not answer are one gap after a few tries; the other nodes' logs are read."""
    api.put(*(pod(f"dead-{n:02d}", node="n9") for n in range(60)))
    api.forever["/pods/dead-"] = "500"
    small(api, pods=("y", "z"))
    with patch.object(cluster_api, "PAUSE_S", 0.02):
        _, sink = pods_read(source(api, tmp_path))
    assert ["y", "z"] == [stream.pod for stream in sink.streams]
    tries = sum(count for path, count in api.calls.items() if "/pods/dead-" in path)
    assert tries < 20
    (gap,) = sink.lost("its node's kubelet gives no logs")
    assert gap.count > 50


def test_a_silent_log_is_not_taken_for_a_torn_one(api, tmp_path):
    """Where a log's file begins is asked where its beginning looks torn off; the ledger counts the whole ones."""
    rotated(api)
    _, sink = pods_read(source(api, tmp_path))
    (gap,) = sink.lost("rotated away")
    assert ("web/b" in gap.what, gap.count) == (False, 1)
    assert ["1 of 2 logs that were read reach back to their container's or the window's start"] == [
        detail for _, detail in sink.details if "reach back" in detail
    ]
    assert ["64", "64"] == [query["limitBytes"] for path, query in api.asked if "limitBytes" in query]


def test_the_doctor_prints_the_missing_rule(api, tmp_path):
    """All rights, one missing, and nobody there: each is one finding with its fix."""
    api.put(event(7), event(5))
    (found,) = source(api, tmp_path).examine()
    assert ("ok", True) == (
        found.state,
        found.what.endswith("the oldest event of 2 looked at is of 2026-11-22T00:00:05Z"),
    )
    api.forbidden.add(("list", "ingresses"))
    (found,) = source(api, tmp_path).examine()
    assert "warning" == found.state
    assert 'apiGroups: ["networking.k8s.io"], resources: ["ingresses"], verbs: [list]' in found.fix
    api.forbidden.remove(("list", "secrets"))
    assert ["kubernetes", "kubernetes secrets"] == [each.name for each in source(api, tmp_path).examine()]
    api.down = True
    assert ["wrong"] == [each.state for each in source(api, tmp_path).examine()]
