"""A live look takes what the case knows, ends soon, keeps what it gave, and is cited by it; over servers on the loopback."""

import json
import re
from array import array
from datetime import UTC, datetime, timedelta

import pytest
from fault_server import FAULTS, FaultServer
from http_sources import START, PlayedPrometheus
from kube_api import KubeApi
from log_stores import NS, Line, PlayedElasticsearch, PlayedLoki, PlayedVictoriaLogs
from sample_report import ANSWER

from bot.analyst.citations import Citations
from bot.analyst.model_answer import SaidQuote
from bot.analyst.model_follow_up import SaidAnswer, SaidSentence, judged
from bot.analyst.model_tools import Asked
from bot.app_live import live_queries
from bot.casefile.home import CaseHome, open_case
from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId, LogStream, ObjectVersion, Series
from bot.domain.links import LinkTemplates, evidence_url, grafana_explore
from bot.domain.window import Window
from bot.errors import UsageError
from bot.settings.live_yaml import live_from
from bot.signals.pod_names import pods_of

BEGIN = datetime.fromtimestamp(START, UTC)
WINDOW = Window(start=BEGIN, end=BEGIN + timedelta(hours=1), asked="1h")
NOW = WINDOW.end + timedelta(days=1)
POD = "api-5c9f6b7d8-x2x4z"
HOSTILE = 'api"} or {namespace=~".+'
"""A pod that a hostile export tells of: its name would end a selector."""
STORES = {"loki": PlayedLoki, "victorialogs": PlayedVictoriaLogs, "elasticsearch": PlayedElasticsearch}
MOMENT = "2026-11-22T00:30:00Z"


def at(minutes):
    """Give a time of the window."""
    return BEGIN + timedelta(minutes=minutes)


def case_of(folder, cluster=""):
    """Make a case that knows a Deployment, a node, two pods and two metrics; ``cluster`` stands before its names."""
    place = f"{cluster}/shop" if cluster else "shop"
    writer = CaseHome(folder).create()
    with writer:
        for pod in (POD, HOSTILE):
            number = writer.open_stream(LogStream(namespace=place, pod=pod, container="api", path=f"{place}/{pod}"))
            writer.add_lines(number, [(START * NS, b"hello", 0)])
        writer.add_object(_version(Entity("Deployment", "api", place)))
        writer.add_object(_version(Entity("Node", f"{cluster}/node-1" if cluster else "node-1")))
        writer.add_object(_version(Entity("Secret", "api-keys", place)))
        writer.add_event(_event(Entity("Pod", POD, place)))
        for metric, labels in (("up", {"namespace": place}), ("node_load1", {"instance": "node-1"})):
            named = labels | ({"cluster": cluster} if cluster else {})
            writer.add_series(
                Series(metric=metric, labels=named, times_s=array("d", [START]), values=array("d", [1]), raw=b"[]")
            )
        writer.set_window(WINDOW)
        path = writer.finish()
    return open_case(path)


def _version(entity):
    return ObjectVersion(entity=entity, uid=None, observed_at=None, manifest={}, raw=b"{}")


def _event(entity):
    named = {"type": "Normal", "reason": "Pulled", "message": "pulled", "component": None, "node": None, "raw": b"{}"}
    return ClusterEvent(at=at(1), first_at=at(1), count=1, entity=entity, **named)


@pytest.fixture
def case(tmp_path):
    """A case of one cluster."""
    with case_of(tmp_path / "one") as opened:
        yield opened


def queries(case, *clusters):
    """Give the queries by name, of clusters given as their settings."""
    named = [{"name": f"c{number}", **told} for number, told in enumerate(clusters)]
    live = live_from({"clusters": named})
    return {one.name: one.run for one in live_queries(live, case, NOW)}


def loki(url):
    """Configure a store."""
    return {"logs": {"url": url, "kind": "loki"}}


LINES = [
    Line((START + 1800 + n) * NS, f"refused {n}", pod=POD) for n in range(-60, 60)
] + [Line((START + 1800) * NS, "of another", pod="worker-0"), Line((START + 1800) * NS, "elsewhere", namespace="pay", pod=POD)]  # fmt: skip


@pytest.mark.parametrize("kind", STORES)
def test_lines_of_a_workload_around_a_time_come_from_the_log_store(case, kind):
    """The store selects the namespace and the pods; the nearest lines are told, kept under ids, and what was left is said."""
    with FaultServer(None, reply=STORES[kind](LINES)) as server:
        run = queries(case, {"logs": {"url": server.url, "kind": kind, "index": "logs-*"}})["log_lines"]
        found = run({"entity": "Deployment shop/api", "at": MOMENT, "seconds": 60})
    assert 40 == len(found.rows)
    assert "refused 0" in {row["text"] for row in found.rows}
    assert {"of another", "elsewhere"}.isdisjoint(row["text"] for row in found.rows)
    assert ["120 lines came, the 40 nearest to the time are shown"] == list(found.gaps)
    row = next(row for row in found.rows if row["text"] == "refused 0")
    stored = case.item(row["item"])
    assert (kind, f"shop/{POD}/api", b"refused 0", at(30)) == (stored.source, stored.entity, stored.raw, stored.at)
    assert f"read live {NOW:%Y-%m-%dT%H:%M:%SZ}: shop/{POD}/api in {kind}" == stored.locator


def test_the_same_row_keeps_its_id_and_outlives_the_process(case):
    """Asked again, nothing is kept twice; opened again, the case still has it."""
    with FaultServer(None, reply=PlayedLoki(LINES)) as server:
        run = queries(case, loki(server.url))["log_lines"]
        asked = {"entity": f"Pod shop/{POD}", "at": MOMENT, "seconds": 3}
        first, again = run(asked), run(asked)
    assert first.rows == again.rows
    with open_case(case.path) as reopened:
        assert "refused 0" in {reopened.item(row["item"]).text for row in first.rows}
        assert [reopened.item("F1")] == reopened.around(ItemId("F1"), 0, 0)


CLUSTER_POD = {
    "kind": "Pod",
    "metadata": {"name": POD, "namespace": "shop"},
    "spec": {"nodeName": "node-1", "containers": [{"name": "api", "env": [{"name": "PASSWORD", "value": "hunter2!"}]}]},
    "status": {
        "containerStatuses": [
            {
                "name": "api",
                "state": {"running": {"startedAt": "2026-11-22T00:31:00Z"}},
                "lastState": {
                    "terminated": {
                        "reason": "OOMKilled",
                        "startedAt": "2026-11-21T22:00:00Z",
                        "finishedAt": "2026-11-22T00:30:00Z",
                    }
                },
            }
        ]
    },
}
DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "api", "namespace": "shop", "managedFields": []},
    "spec": {"replicas": 3, "template": {"spec": CLUSTER_POD["spec"]}},
    "status": {"readyReplicas": 2},
}


def cluster():
    """Give a cluster with a pod that was restarted, a stranger beside it, and what happened to both."""
    api = KubeApi()
    stranger = {**CLUSTER_POD, "metadata": {"name": "api-gateway-5c9f6b7d8-x2x4z", "namespace": "shop"}}
    api.put(CLUSTER_POD, stranger, DEPLOYMENT)
    for number, name in enumerate((POD, POD, "worker-0")):
        api.put(
            {
                "kind": "Event",
                "metadata": {"name": f"e{number}", "namespace": "shop", "creationTimestamp": f"2026-11-22T00:3{number}:00Z"},
                "involvedObject": {"kind": "Pod", "namespace": "shop", "name": name},
                "reason": "BackOff",
                "message": f"back-off {number}",
                "type": "Warning",
                "lastTimestamp": f"2026-11-22T00:3{number}:00Z",
                "firstTimestamp": f"2026-11-22T00:3{number}:00Z",
            }
        )  # fmt: skip
    api.log("shop", POD, "api", "2026-11-22T00:29:59.5Z out of memory\n", previous=True)
    api.log("shop", POD, "api", "2026-11-22T00:31:01Z up again\n2026-11-22T05:00:00Z much later\n")
    return api


def kubernetes(api, folder):
    """Configure a cluster."""
    return {"kubernetes": {"kubeconfig": str(api.kubeconfig(folder)), "context": "test"}}


def test_a_cluster_is_looked_at_for_logs_events_and_present_state(case, tmp_path):
    """The log before the restart and the one after it, the events of that pod alone, the object without its secrets."""
    with cluster() as api:
        run = queries(case, kubernetes(api, tmp_path))
        log = run["container_log"]({"entity": "Deployment shop/api", "at": MOMENT, "seconds": 120})
        events = run["events"]({"entity": f"Pod shop/{POD}"})
        state = run["object"]({"entity": "Deployment shop/api"})
        gone = run["object"]({"entity": "Node node-1"})
    assert ["out of memory", "up again"] == [row["text"] for row in log.rows]
    assert ["back-off 0", "back-off 1"] == [row["text"] for row in events.rows]
    assert [("status", '{"readyReplicas":2}')] == [(r["part"], r["text"]) for r in state.rows if r["part"] == "status"]
    stored = case.item(state.rows[0]["item"])
    assert (True, False) == (all(row["text"].encode() in stored.raw for row in state.rows), b"hunter2" in stored.raw)
    assert ([], ["kubernetes/objects: there is no Node node-1 at present"]) == (list(gone.rows), list(gone.gaps))
    assert {"pods", "log", "events", "deployments", "nodes"} == {path.rpartition("/")[2] for path, _ in api.asked}


def test_a_metric_is_read_in_its_namespaces_and_a_sample_is_cited(case):
    """A selector that this program wrote; a sample told as people read it is found in the stored bytes, another is not."""
    played = PlayedPrometheus()
    with FaultServer(None, reply=played) as server:
        run = queries(case, {"prometheus": {"url": server.url}})["metric_range"]
        found = run({"metric": "up", "since": "2026-11-22T00:30:00Z", "until": "2026-11-22T00:40:00Z"})
    asked = [dict(each) for path, each in played.queries if path.endswith("/query_range")]
    assert '{__name__="up",namespace=~"shop"}' == asked[0]["query"]
    moment, value = found.rows[0]["points"][3]
    citations = Citations(case)
    said = [
        SaidSentence(says=f"It was {value:g} then", quotes=(quote(found, f'["{moment}", {value:g}]'),)),
        SaidSentence(says="It was 99 then", quotes=(quote(found, f'["{moment}", 99]'),)),
    ]
    given = judged(SaidAnswer(verdict="answered", sentences=tuple(said)), OWN, Asked(), case, [], lambda _words: False)
    assert f"It was {value:g} then. [E1]" == given.answer
    assert (moment, {}) == (f"{given.evidence['E1'].at:%Y-%m-%dT%H:%M:%SZ}", citations.entries)
    assert given.evidence["E1"].quote.encode() in case.item(found.rows[0]["item"]).raw


OWN = ANSWER.__class__(question="how is it now?", answer="I do not know.", verdict="answered", case="c")


def quote(found, words):
    """Quote the first row."""
    return SaidQuote(item=found.rows[0]["item"], text=words, at=None)


def test_what_was_read_live_is_evidence_with_a_link(case):
    """It stands in the answer's evidence, verbatim, with where it is found, and leads there; the note says it is later."""
    with FaultServer(None, reply=PlayedLoki(LINES)) as server:
        found = queries(case, loki(server.url))["log_lines"]({"entity": f"Pod shop/{POD}", "at": MOMENT, "seconds": 1})
    said = SaidAnswer(
        verdict="answered",
        sentences=(
            SaidSentence(says="It was refused", quotes=(quote(found, found.rows[0]["text"]),)),
            SaidSentence(says="It was accepted", quotes=(quote(found, "accepted 0"),)),
        ),
    )
    given = judged(said, OWN, Asked(live=list(found.texts), gaps=["loki: it was slow"]), case, [], lambda _words: False)
    entry = given.evidence["E1"]
    assert ("It was refused. [E1]", "answered", ["E1"]) == (given.answer, given.verdict, list(given.evidence))
    assert entry.locator.startswith("F1 read live 2026-")
    templates = LinkTemplates(logs=grafana_explore("https://grafana.example.org", "logs", "loki"))
    assert "refused" in evidence_url(entry, templates)
    assert "E1 was read live for this question and kept with the case." in given.notes
    assert "Not read live: loki: it was slow." in given.notes


WIDER = {
    "log_lines": [
        {},
        {"entity": 7, "at": MOMENT},
        {"entity": "Deployment shop/api"},
        {"entity": "Deployment shop/*", "at": MOMENT},
        {"entity": "Deployment shop/.+", "at": MOMENT},
        {"entity": "Deployment kube-system/coredns", "at": MOMENT},
        {"entity": 'Deployment shop/api"} or {namespace=~".+"', "at": MOMENT},
        {"entity": f"Pod shop/{HOSTILE}", "at": MOMENT},
        {"entity": "Node node-1", "at": MOMENT},
        {"entity": "Deployment shop/api", "at": "yesterday"},
        {"entity": "Deployment shop/api", "at": "2020-01-01T00:00:00Z"},
        {"entity": "Deployment shop/api", "at": "2099-01-01T00:00:00Z"},
        {"entity": "Deployment shop/api", "at": MOMENT, "seconds": 86_400},
        {"entity": "Deployment shop/api", "at": MOMENT, "seconds": -5},
        {"entity": "Deployment shop/api", "at": MOMENT, "seconds": True},
        {"entity": "Deployment shop/api", "at": MOMENT, "cluster": "elsewhere"},
        {"entity": "Deployment shop/api", "at": MOMENT, "cluster": ["c0"]},
    ],
    "object": [
        {"entity": "Secret shop/api-keys"},
        {"entity": "Deployment shop/../../secrets/api-keys"},
        {"entity": "Deployment shop/api?watch=true"},
    ],
    "events": [{"entity": "Pod shop/api-0,involvedObject.kind!=Pod"}],
    "container_log": [{"entity": f"Pod shop/{HOSTILE}", "at": MOMENT}],
    "metric_range": [
        {},
        {"metric": 7},
        {"metric": "down"},
        {"metric": 'up"} or vector(1) #'},
        {"metric": "up", "namespace": "kube-system"},
        {"metric": "node_load1", "namespace": "shop"},
        {"metric": "up", "namespace": ["shop"]},
        {"metric": "up", "since": "yesterday"},
        {"metric": "up", "until": "0001-01-01T00:00:00+14:00"},
        {"metric": "up", "since": "2020-01-01T00:00:00Z"},
        {"metric": "up", "since": "2026-11-01T00:00:00Z", "until": "2026-11-20T00:00:00Z"},
        {"metric": "up", "since": "2099-01-01T00:00:00Z"},
    ],
}


@pytest.mark.parametrize(
    ("name", "arguments"), [(name, one) for name, all_of_it in WIDER.items() for one in all_of_it], ids=str
)
def test_what_would_widen_a_query_is_not_asked(case, tmp_path, name, arguments):
    """A sentence for the model, and not a request to anybody."""
    with FaultServer(None, reply=PlayedLoki(LINES)) as server, cluster() as api:
        told = {**loki(server.url), **kubernetes(api, tmp_path), "prometheus": {"url": server.url}}
        with pytest.raises(UsageError):
            queries(case, told)[name](arguments)
        assert ([], []) == (server.requests, api.asked)


def test_a_namespace_outside_the_configured_border_is_not_asked(case, tmp_path):
    """The border of a cluster holds for what a model asks of it, too."""
    with cluster() as api:
        told = kubernetes(api, tmp_path)
        told["kubernetes"]["namespaces"] = ["pay"]
        with pytest.raises(UsageError, match="none that may be read"):
            queries(case, told)["object"]({"entity": "Deployment shop/api"})
        assert [] == api.asked


def test_of_several_clusters_the_one_a_name_begins_with_is_asked(tmp_path):
    """``c1/shop`` is asked of c1 alone, by its own name there, and told under the case's; another choice is refused."""
    with (
        case_of(tmp_path, "c1") as case,
        FaultServer(None) as first,
        FaultServer(None, reply=PlayedLoki(LINES)) as second,
    ):
        run = queries(case, loki(first.url), loki(second.url))["log_lines"]
        found = run({"entity": "Deployment c1/shop/api", "at": MOMENT, "seconds": 5})
        with pytest.raises(UsageError, match="another than the name tells"):
            run({"entity": "Deployment c1/shop/api", "at": MOMENT, "cluster": "c0"})
        assert [] == first.requests
    assert {f"c1/shop/{POD}/api"} == {row["of"] for row in found.rows}
    with case_of(tmp_path / "west", "west") as elsewhere, pytest.raises(UsageError, match="none that is configured"):
        queries(elsewhere, loki("http://127.0.0.1:9"))["log_lines"](
            {"entity": "Deployment west/shop/api", "at": MOMENT}
        )


def test_where_names_tell_no_cluster_one_of_the_configured_is_chosen(case):
    """Of two, it has to be named; of one, it needs not be."""
    with FaultServer(None) as first, FaultServer(None, reply=PlayedLoki(LINES)) as second:
        run = queries(case, loki(first.url), loki(second.url))["log_lines"]
        asked = {"entity": "Deployment shop/api", "at": MOMENT, "seconds": 5}
        with pytest.raises(UsageError, match="c0, c1"):
            run(asked)
        assert run({**asked, "cluster": "c1"}).rows
        assert [] == first.requests


@pytest.mark.parametrize("fault", [*FAULTS, None])
def test_a_store_that_fails_is_a_gap_within_its_time(case, fault, monkeypatch):
    """Whatever it does, the look ends, gives no row, and says whose answer is missing."""
    monkeypatch.setattr("bot.app_live.ONE_S", 0.5)
    server = FaultServer(fault or "hang")
    with server:
        url = server.url if fault else "http://127.0.0.1:9"
        found = queries(case, loki(url))["log_lines"]({"entity": "Deployment shop/api", "at": MOMENT})
    assert [] == list(found.rows)
    assert re.match("loki: ", found.gaps[0])


def test_all_looks_of_a_conversation_have_one_deadline(case, monkeypatch):
    """Once it is used up, the model is told to answer with what it has."""
    monkeypatch.setattr("bot.app_live.ALL_S", 0.5)
    run = queries(case, loki("http://127.0.0.1:9"))["log_lines"]
    with pytest.raises(UsageError, match="no more time"):
        run({"entity": "Deployment shop/api", "at": MOMENT})


@pytest.mark.parametrize(
    ("kind", "name", "pods"),
    [
        ("Deployment", "api", ["api-5c9f6b7d8-x2x4z"]),
        ("StatefulSet", "db", ["db-0", "db-11"]),
        ("DaemonSet", "agent", ["agent-x2x4z"]),
        ("CronJob", "rollup", ["rollup-29384756-x2x4z", "rollup-29384756-0-x2x4z"]),
        ("Pod", "web.v2", ["web.v2"]),
    ],
)
def test_pods_of_a_workload_are_told_by_their_names(kind, name, pods):
    """Whole names of its own pods, and none of a workload whose name begins alike."""
    pattern = re.compile(pods_of(Entity(kind, name, "shop")))
    assert all(pattern.fullmatch(pod) for pod in pods)
    assert not any(
        pattern.fullmatch(pod) for pod in (f"{name}-gateway-5c9f6b7d8-x2x4z", f"{name}-gateway-0", "other-0")
    )


def test_a_model_is_offered_what_is_configured_and_its_schema_never_moves(case):
    """The same tools for the same settings, whenever it is asked: a cache holds them."""
    live = live_from({"clusters": [{"name": "c0", **loki("http://127.0.0.1:9")}]})
    first, later = (live_queries(live, case, NOW + timedelta(days=day)) for day in (0, 9))
    told = [json.dumps([(one.name, one.description, dict(one.schema)) for one in each]) for each in (first, later)]
    assert told[0] == told[1]
    assert ["log_lines"] == [one.name for one in first]
    assert () == live_queries(live_from({}), case)
