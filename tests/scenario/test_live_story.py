"""The story, live: cluster, recorder, metrics, log store, Jira and chat at once, held against the report from the files.

The API, the log stores and Jira are stand-ins on loopback; Prometheus is the real one, from Debian. The cluster has forgotten:
its dead pods' logs are gone, and of the events all but the last hour's.
"""

from contextlib import ExitStack

import pytest
import yaml
from fault_server import FaultServer
from jira_stage import jira
from live.metric_servers import exported_series, prometheus
from live_story import remembered, shipped, tickets, unpacked
from log_stores import PlayedElasticsearch, PlayedLoki, PlayedVictoriaLogs

from bot.app import analyze_live
from bot.casefile.home import CaseHome
from bot.domain.report import to_json
from bot.investigation.investigate import investigate
from bot.sources.export import ExportSource

STORES = {"loki": PlayedLoki, "elasticsearch": PlayedElasticsearch, "victorialogs": PlayedVictoriaLogs}
DAYS = "2026-11-17T00:00:00Z..2026-11-22T00:00:00Z"
SILENT = lambda *_: None  # noqa: E731 - the shortest way to say nothing
every_store = pytest.mark.parametrize(
    "kind", ["loki", *(pytest.param(kind, marks=pytest.mark.full) for kind in ("elasticsearch", "victorialogs"))]
)


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """The story's export as a folder."""
    return unpacked(tmp_path_factory.mktemp("story"))


@pytest.fixture(scope="module")
def from_files(export, tmp_path_factory):
    """The report of the files."""
    home = CaseHome(tmp_path_factory.mktemp("files"))
    return to_json(investigate([ExportSource(export)], home, question=None, window=DAYS, progress=SILENT))


@pytest.fixture(scope="module")
def services(export, tmp_path_factory):
    """Run what all stores' tests share; give what rootcause.yaml says of it."""
    folder = tmp_path_factory.mktemp("services")
    with ExitStack() as stack:
        api = stack.enter_context(remembered(export, folder))
        metrics = stack.enter_context(prometheus(folder, exported_series(export)))
        _, desk = stack.enter_context(jira(list(tickets(export)), folder))
        yield {
            "kubernetes": {"kubeconfig": str(api.kubeconfig(folder))},
            "recorder": {"archive": str(folder / "archive.sqlite")},
            "prometheus": {"url": metrics},
            "jira": {
                "url": desk.url,
                "deployment": "cloud",
                "projects": sorted({issue["key"].partition("-")[0] for issue in tickets(export)}),
                "user": desk.user,
                "token": {"file": str(desk.token.file)},
            },
        }


@pytest.fixture
def live(export, services, tmp_path, monkeypatch):
    """Give the way to a live report: which store, and which services are not there."""

    def report(kind, *, without=(), **more):
        monkeypatch.setenv("ROOTCAUSE_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("ROOTCAUSE_CONFIG", str(tmp_path / "rootcause.yaml"))
        with FaultServer(None, reply=STORES[kind](list(shipped(export)))) as store:
            parts = {name: told for name, told in services.items() if name not in (*without, "jira")}
            logs = {"kind": kind, "url": store.url} | ({"index": "logs-*"} if kind == "elasticsearch" else {})
            parts |= {} if "logs" in without else {"logs": logs | more}
            told = {"clusters": [{"name": "east", **parts}], "jira": services["jira"]}
            (tmp_path / "rootcause.yaml").write_text(yaml.safe_dump(told))
            slack = str(export / "slack")
            return to_json(analyze_live(slack, question=None, window=DAYS, namespaces=(), progress=SILENT))

    return report


def steps(report):
    """Give the chain: whom each step is of and how it works."""
    return [(step["entity"]["kind"], step["entity"]["name"], step["mechanism"]) for step in report["cascade"]["steps"]]


def links(report):
    """Give what each link of the chain rests on."""
    return [(link["status"], link["hits"], link["misses"]) for link in report["cascade"]["links"]]


def ruled_out(report):
    """Give whom the report rules out."""
    return {(each["entity"]["kind"], each["entity"]["name"]) for each in report["ruled_out"]}


@every_store
def test_everything_live_tells_what_the_files_tell(kind, from_files, live):
    """Verdict, cause, symptom, chain and the links' counts; lines that cluster, recorder and store hold count once."""
    told = live(kind)
    for key in ("verdict", "confidence"):
        assert from_files[key] == told[key]
    assert from_files["root_cause"]["entity"] == told["root_cause"]["entity"]
    assert from_files["symptom"]["entity"] == told["symptom"]["entity"]
    assert steps(from_files) == steps(told)
    assert links(from_files) == links(told)
    assert ruled_out(from_files) == ruled_out(told)
    rows = {row["source"]: row for row in told["coverage"]}
    assert {"kubernetes/logs", "kubernetes/events", "prometheus", "jira", "slack", kind} <= set(rows)
    assert lines(from_files) == lines(told)


def lines(report):
    """Count the log lines of all sources together."""
    return sum(row["items"] for row in report["coverage"] if row["source"] in {"kubernetes/logs", *STORES})


def gaps(report, words):
    """Give what is missing in such words."""
    told = [gap["what"] if isinstance(gap, dict) else gap for row in report["coverage"] for gap in row["gaps"]]
    return [what for what in told if words in what]


def test_without_a_log_store_the_archive_restores_the_story(from_files, live):
    """The recorder took the dead pods' logs and the events in time."""
    told = live("loki", without=("logs",))
    assert (from_files["verdict"], lines(from_files)) == (told["verdict"], lines(told))
    assert from_files["root_cause"]["entity"] == told["root_cause"]["entity"]
    assert steps(from_files) == steps(told)
    assert links(from_files) == links(told)


@pytest.mark.full
@pytest.mark.parametrize("kind", STORES)
def test_without_the_recorder_a_log_store_still_has_the_dead_pods_lines(kind, from_files, live):
    """Every line is there and the symptom with it; the events that expired are said to be missing, with what keeps them."""
    told = live(kind, without=("recorder",))
    assert lines(from_files) == lines(told)
    assert from_files["symptom"]["entity"] == told["symptom"]["entity"]
    assert [gap for gap in gaps(told, "no events of the window") if "`rootcause record` keeps them" in gap]
    assert told["verdict"] != "cause_found" or told["root_cause"]["entity"] == from_files["root_cause"]["entity"]


def test_without_both_the_report_says_what_is_missing_and_how_to_fix_it(from_files, live):
    """Lines that went with their pods cannot be had from anywhere: fewer lines, no sure answer, and the way out."""
    told = live("loki", without=("recorder", "logs"))
    assert lines(told) < lines(from_files)
    assert [gap for gap in gaps(told, "no events of the window") if "`rootcause record` keeps them" in gap]
    assert "high" != told["confidence"]


@pytest.mark.full
@pytest.mark.parametrize("kind", STORES)
def test_of_a_store_that_holds_more_than_is_read_the_cause_is_still_found(kind, from_files, live):
    """Half of the bytes may be read: counts by kind, trouble, first lines and samples lead to the same cause."""
    told = live(kind, without=("recorder",), most_bytes=500_000)
    assert lines(told) < lines(from_files)
    assert gaps(told, "were counted there by")
    assert from_files["root_cause"]["entity"] == told["root_cause"]["entity"]
    assert from_files["symptom"]["entity"] == told["symptom"]["entity"]
