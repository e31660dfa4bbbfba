"""The command line with a model behind ``ANTHROPIC_BASE_URL``: packed, redacted, paid, read, and asked on from its cache."""

import json
from datetime import UTC, datetime

import pytest
from command import STORY, refused, rootcause, small_export
from contract import broken_rules
from fault_server import FaultServer
from log_stores import NS, Line, PlayedLoki
from model_says import said
from model_server import Answer, ModelServer
from model_stage import Stage, answers_to

POD = "web-5d9c7b6f4-abcde"
LATER = int(datetime(2026, 11, 22, 7, tzinfo=UTC).timestamp())
SHORT = {"verdict": "inconclusive", "summary": "Nothing stands out.", "steps": [], "links": []}


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """What a model that read the story would say of it."""
    made = Stage(STORY, tmp_path_factory.mktemp("truth"))
    yield made.honest()
    made.close()


def script_of(truth):
    """Answer all that an investigation and a follow-up ask."""
    quote = truth["steps"][-1]["quotes"][0]
    spoken = {"verdict": "answered", "sentences": [{"says": "The gateway answered with failures.", "quotes": [quote]}]}

    def script(asked):
        if "known to the program" in asked.question:
            return Answer(text=answers_to(asked.question))
        if "An investigation of this evidence was published" in asked.question:
            return Answer(text=json.dumps(spoken))
        return Answer(text=said(truth))

    return script


def test_a_small_export_with_a_model(tmp_path):
    """The whole way over a socket: read, paid, said in the coverage; the follow-up is asked from the same beginning."""
    home, export = tmp_path / "home", small_export(tmp_path / "export")

    def script(asked):
        follows = "An investigation of this evidence was published" in asked.question
        return Answer(text=json.dumps({"verdict": "unknown", "sentences": []} if follows else SHORT))

    with ModelServer(script) as server:
        there = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "sk-test"}
        ran = rootcause(home, "analyze", export, "--quiet", "--format", "json", **there)
        told = rootcause(home, "ask", "last", "how sure are you?", "--format", "json", **there)
    assert (4, "", 0) == (ran.code, ran.err, told.code)
    assert [] == broken_rules(ran.json, "report")
    assert ("claude-sonnet-5-5", "") == (ran.json["usage"]["analyst"], ran.json["reading"]["failure"])
    assert any("claude-sonnet-5-5 read all" in row["read"] for row in ran.json["coverage"])
    first, last = server.asked[0].body, server.asked[-1].body
    assert first["messages"][0]["content"][:-1] == last["messages"][0]["content"][:-1]
    assert first["tools"] == last["tools"]


@pytest.mark.full
def test_analyze_and_ask_with_a_model(truth, tmp_path):
    """The report is the model's and the measurements'; the follow-up finds the prefix in the cache, byte for byte."""
    home = tmp_path / "home"
    with ModelServer(script_of(truth)) as server:
        there = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "sk-test"}
        ran = rootcause(home, "analyze", STORY, "--quiet", "--format", "json", **there)
        told = rootcause(home, "ask", "last", "what did the gateway do?", "--format", "json", **there)
        page = rootcause(home, "show", "last")
    assert (0, "", 0) == (ran.code, ran.err, told.code)
    report, answer = ran.json, told.json
    assert ([], []) == (broken_rules(report, "report"), broken_rules(answer, "answer"))
    assert ("cause_found", "high", True) == (report["verdict"], report["confidence"], report["reading"]["agrees"])
    assert ("claude-sonnet-5-5", "claude-sonnet-5-5") == (report["usage"]["analyst"], answer["usage"]["analyst"])
    assert report["usage"]["cost_usd"] > 0
    assert any("claude-sonnet-5-5 read all" in row["read"] for row in report["coverage"])
    assert "The gateway answered with failures. [E1]" == answer["answer"]
    first, last = server.asked[0].body["messages"][0]["content"], server.asked[-1].body["messages"][0]["content"]
    assert first[:-1] == last[:-1]
    assert server.asked[0].body["tools"] == server.asked[-1].body["tools"]
    assert answer["usage"]["tokens_cached"] > 100 * answer["usage"]["tokens_in"]
    assert f"{report['usage']['tokens_cached']:,} of them cached" in " ".join(page.out.split())


def test_a_follow_up_reads_a_live_store_and_is_opened_there(tmp_path):
    """Over the command line: lines of the live log store are rows with ids, stand in the evidence, and lead to Grafana."""
    home, export = tmp_path / "home", small_export(tmp_path / "export")
    store = PlayedLoki([Line(LATER * NS, "still refusing, password=hunter2hunter2", namespace="shop", pod=POD)])

    def script(asked):
        if "An investigation of this evidence was published" not in " ".join(asked.texts):
            return Answer(text=json.dumps(SHORT))
        if not asked.results:
            call = {"entity": f"Pod shop/{POD}", "at": "2026-11-22T07:00:00Z", "seconds": 60}
            return Answer(calls=[("live_log_lines", call)])
        row = json.loads(next(iter(asked.results.values())).splitlines()[0])
        quotes = [{"item": row["item"], "quote": "still refusing"}]
        return Answer(text=json.dumps({"verdict": "answered", "sentences": [{"says": "It does.", "quotes": quotes}]}))

    with FaultServer(None, reply=store) as logs, ModelServer(script) as server:
        config = tmp_path / "rootcause.yaml"
        config.write_text(
            f"clusters: [{{name: prod, logs: {{kind: loki, url: '{logs.url}'}}}}]\n"
            "grafana: {url: 'https://grafana.example.org', logs: uid}\n"
        )
        there = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "sk-test", "ROOTCAUSE_CONFIG": str(config)}
        rootcause(home, "analyze", export, "--quiet", **there)
        told = rootcause(home, "ask", "last", "is it still refusing?", "--format", "json", **there)
        page = rootcause(home, "ask", "last", "is it still refusing?", **there)
    assert (0, "", "It does. [E1]") == (told.code, told.err, told.json["answer"])
    cited = told.json["evidence"]["E1"]
    assert ("still refusing", "F1 read live") == (cited["quote"], cited["locator"][:12])
    assert cited["url"].startswith("https://grafana.example.org/explore?")
    assert "written, $" in page.out
    assert "E1 was read live" in page.out
    assert not any("hunter2" in json.dumps(asked.body) for asked in server.asked)


def test_offline_asks_nobody_though_a_model_is_configured(tmp_path):
    """The option wins over the settings."""
    export = small_export(tmp_path / "export")
    with ModelServer() as server:
        there = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "sk-test"}
        ran = rootcause(tmp_path / "home", "analyze", export, "--offline", "--quiet", "--format", "json", **there)
    assert (4, [], "offline", None) == (ran.code, server.asked, ran.json["usage"]["analyst"], ran.json["reading"])


def test_a_model_asked_for_that_nobody_configured_is_a_sentence(tmp_path):
    """No key and no address: what to set is said, and nothing is kept."""
    refused(rootcause(tmp_path / "home", "analyze", STORY, "--votes", "3", "--quiet"), 2, "ANTHROPIC_API_KEY")
    refused(rootcause(tmp_path / "home", "analyze", STORY, "--offline", "--economy"), 2, "--offline asks no model")
