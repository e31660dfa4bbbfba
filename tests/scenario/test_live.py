"""``rootcause analyze --live``: services as rootcause.yaml names them, away, half there, and several clusters at once."""

import json
import pickle
from datetime import UTC, datetime

import pytest
import yaml
from fault_server import FaultServer
from http_sources import PlayedPrometheus

from bot.app import analyze_live
from bot.app_doctor import _live, _webhook
from bot.app_sources import EvidenceSources
from bot.casefile.home import CaseHome
from bot.cli.frame import run
from bot.domain.chat import Ask, Asker, Place
from bot.domain.fleet import as_flags
from bot.errors import UsageError
from bot.settings import EvidenceSettings, SlackSettings, read_live
from bot.settings.live_yaml import live_from

SILENT = lambda _stage, _done, _total: None  # noqa: E731 - the shortest way to say nothing


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Write a rootcause.yaml and point everything at it."""
    monkeypatch.setenv("ROOTCAUSE_HOME", str(tmp_path / "home"))

    def write(document):
        path = tmp_path / "rootcause.yaml"
        path.write_text(yaml.safe_dump(document))
        monkeypatch.setenv("ROOTCAUSE_CONFIG", str(path))
        return path

    return write


def cluster(name, url):
    """Name a cluster with a Prometheus."""
    return {"name": name, "prometheus": {"url": url, "deadline_s": 5}}


def rows(report):
    """Give the coverage by source."""
    return {row.source: row for row in report.coverage}


def test_without_a_configuration_it_says_what_to_write(tmp_path, monkeypatch):
    """A sentence with the way out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROOTCAUSE_HOME", str(tmp_path))
    monkeypatch.delenv("ROOTCAUSE_CONFIG", raising=False)
    with pytest.raises(UsageError, match=r"rootcause\.yaml"):
        analyze_live(None, question=None, window="1h", namespaces=(), progress=SILENT)


def test_everything_away_is_an_answer_that_says_so(configured):
    """Nothing could be read: inconclusive, never "no incident", and the gap names what is missing."""
    configured({"clusters": [cluster("east", "http://127.0.0.1:1")]})
    report = analyze_live(None, question="why?", window="1h", namespaces=(), progress=SILENT)
    assert report.verdict == "inconclusive"
    assert "refuses connections" in rows(report)["prometheus"].gaps[0].what


def test_a_missing_secret_is_a_gap_of_its_source_alone(configured, monkeypatch):
    """The other cluster is read."""
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    with FaultServer(None, reply=PlayedPrometheus()) as server:
        lacking = cluster("west", server.url)
        lacking["prometheus"]["token"] = {"env": "NO_SUCH_TOKEN"}
        configured({"clusters": [cluster("east", server.url), lacking]})
        report = analyze_live(None, question=None, window="1h", namespaces=(), progress=SILENT)
    row = rows(report)["prometheus"]
    assert row.items == 6
    assert ["west: The environment variable NO_SUCH_TOKEN is not set: it holds a secret of rootcause.yaml."] == [
        gap.what for gap in row.gaps
    ]


def test_of_two_clusters_one_that_is_down_is_one_gap(configured):
    """The other is read as if it were alone."""
    with FaultServer(None, reply=PlayedPrometheus()) as server:
        configured({"clusters": [cluster("east", server.url), cluster("west", "http://127.0.0.1:1")]})
        report = analyze_live(None, question=None, window="1h", namespaces=(), progress=SILENT)
    row = rows(report)["prometheus"]
    assert (6, "partial") == (row.items, row.status)
    assert ["west"] == [gap.what.partition(":")[0] for gap in row.gaps]


def test_names_of_two_clusters_do_not_collide(configured, tmp_path):
    """The same pods in both are two each; a command names the cluster it is for."""
    with FaultServer(None, reply=PlayedPrometheus()) as server:
        configured({"clusters": [cluster("east", server.url), cluster("west", server.url)]})
        report = analyze_live(None, question=None, window="1h", namespaces=(), progress=SILENT)
    with CaseHome(tmp_path / "home").open(report.case) as case:
        named = {(one.metric, one.labels["namespace"], one.labels["pod"]) for _, one in case.series()}
    assert len(named) == 12
    assert {"east/shop", "west/shop"} == {namespace for _, namespace, _ in named}
    assert ("--context east -n shop", "-n shop") == (as_flags("east/shop"), as_flags("shop"))


def test_the_doctor_looks_at_every_live_source(configured):
    """Each cluster has its lines, with what is wrong and the fix."""
    with FaultServer(None, reply=PlayedPrometheus()) as server:
        path = configured({"clusters": [cluster("east", server.url), cluster("west", "http://127.0.0.1:1")]})
        found = {each.name: each for each in _live(read_live(path))}
    assert ("ok", "wrong") == (found["east: prometheus"].state, found["west: prometheus"].state)
    assert found["west: prometheus"].fix


def test_the_command_takes_live_and_since(configured, capsys):
    """``rootcause analyze --live --since 1h --format json`` prints one document and tells by its code that it knows too little."""
    configured({"clusters": [cluster("east", "http://127.0.0.1:1")]})
    code = run(["analyze", "--live", "--since", "1h", "--namespace", "shop", "--format", "json", "--quiet"])
    report = json.loads(capsys.readouterr().out)
    assert (3, "inconclusive") == (code, report["verdict"])


def test_the_doctor_looks_at_the_webhooks_secret(monkeypatch):
    """Missing, guessable or well: each has its line."""
    live = live_from({"alertmanager": {"channel": "C1", "secret": {"env": "ALERT_SECRET"}}})
    states = []
    for secret in ("", "short", "x" * 40):
        monkeypatch.setenv("ALERT_SECRET", secret)
        states += [found.state for found in _webhook(live)]
    assert ["wrong", "warning", "ok"] == states


def test_sources_cross_the_border_of_a_process(configured, tmp_path, monkeypatch):
    """The bot investigates in a child process: what rootcause.yaml names goes along, secrets by name only."""
    monkeypatch.setenv("PROM_TOKEN", "s3cret-token")
    named = cluster("east", "http://127.0.0.1:1")
    named["prometheus"]["token"] = {"env": "PROM_TOKEN"}
    live = read_live(configured({"clusters": [named], "channels": {"C1": {"namespaces": ["shop"]}}}))
    made = EvidenceSources(home=tmp_path, slack=SlackSettings(), evidence=EvidenceSettings(), live=live)
    packed = pickle.dumps(made)
    assert b"s3cret-token" not in packed
    ask = Ask(
        kind="investigate",
        keys=("k",),
        place=Place(enterprise=None, team="T1", channel="C1", thread_ts="1.0"),
        asker=Asker(user="U1", name="Ada"),
        question="why?",
        window="1h",
        namespaces=(),
        message_ts=None,
        asked_at=datetime.now(UTC),
    )
    assert ["prometheus"] == [source.name for source in pickle.loads(packed)(ask)]
