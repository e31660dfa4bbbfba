"""An endpoint that fails, over real sockets: whatever it does, there is an answer, the offline one, with the reason, in time."""

import json
from time import monotonic

import pytest
from command import STORY
from fault_server import FaultServer
from http_sources import PlayedPrometheus
from model_says import said
from model_server import Answer, Failing, ModelServer
from model_stage import Stage, answers_to, scripted
from model_wire import Refusal

from bot.app_live import live_queries
from bot.domain.report import to_json
from bot.domain.report_json import report_from_json
from bot.investigation.budget import Ledger, Payer
from bot.investigation.budget_model import Metered
from bot.investigation.follow_up import follow_up
from bot.pages.words import visible
from bot.settings import BudgetSettings
from bot.settings.live_yaml import live_from

METRIC = "container_memory_working_set_bytes"
WHOLE = Answer(text="x" * 400)


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """The story's case."""
    made = Stage(STORY, tmp_path_factory.mktemp("failures"))
    yield made
    made.close()


def refused(status, kind, **headers):
    """Refuse every question."""
    return [Refusal(status, kind, "no", {name.replace("_", "-"): value for name, value in headers.items()})]


FAILURES = {
    "401": (refused(401, "authentication_error"), "key"),
    "402": (refused(402, "billing_error"), ""),
    "403": (refused(403, "permission_error"), ""),
    "404": (refused(404, "not_found_error"), ""),
    "413": (refused(413, "request_too_large"), ""),
    "429 that asks for an hour": (refused(429, "rate_limit_error", retry_after="3600"), ""),
    "500": (refused(500, "api_error"), ""),
    "529": (refused(529, "overloaded_error"), ""),
    "529 in the stream": ([Failing("overloaded", WHOLE)], ""),
    "cut": ([Failing("cut", WHOLE)], ""),
    "reset": ([Failing("reset", WHOLE)], ""),
    "stall": ([Failing("stall", WHOLE)], ""),
    "drip": ([Failing("drip", WHOLE)], ""),
    "slow start": ([Failing("slow start", WHOLE)], ""),
    "dead": ([Failing("dead", WHOLE)], ""),
    "no event lines": ([Failing("no event lines", WHOLE)], ""),
    "broken events": ([Failing("broken json", WHOLE)], ""),
    "refusal": ([Answer(text="", stop="refusal", category="cyber")], ""),
    "too long an answer": ([Answer(text="{", stop="max_tokens")], "cut"),
    "no JSON": ([Answer(text="I think it was the network.")], "could not be read"),
    "JSON of another shape": ([Answer(text=said({"verdict": "maybe", "steps": [7]}))], "could not be read"),
    "tools for ever": ([Answer(calls=[("signals", {})])], "tools"),
}
HANGING = ("stall", "drip", "slow start", "dead")


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_ends_in_the_offline_answer_with_its_reason(stage, name):
    """The report is the offline one in every field but how it came about, inside the deadline."""
    script, word = FAILURES[name]
    begun = monotonic()
    deadline = 1.2 if name in HANGING else 12.0
    report, _ = stage.read(script, deadline_s=deadline)
    assert monotonic() - begun < deadline + 10
    assert report.reading.failure
    assert word in report.reading.failure
    assert "offline" == report.usage.analyst
    kept = {key: value for key, value in to_json(report).items() if key not in {"usage", "reading"}}
    assert {key: value for key, value in to_json(stage.offline).items() if key in kept} == kept
    assert report == report_from_json(to_json(report)) or report.reading.failure


def test_an_unreadable_answer_is_asked_for_once_more(stage):
    """What is wrong is named by its place; the mended answer counts."""
    answers = iter(
        [Answer(text=said({"verdict": "cause_found", "steps": [{"id": "S1"}]})), Answer(text=said(stage.honest()))]
    )

    def script(asked):
        if "Their answers are known" in asked.question:
            return Answer(text=answers_to(asked.question))
        return next(answers)

    report, asked = stage.read(script)
    assert ("high", "") == (report.confidence, report.reading.failure)
    assert "steps[0].entity" in asked[1].question


def test_a_budget_that_is_too_small_is_said_before_anything_is_sent(stage, tmp_path):
    """The sum and the way to raise it stand in the report; the endpoint hears nothing."""
    ledger = Ledger(tmp_path, BudgetSettings(case_usd=0.0001))
    report, asked = stage.read(scripted(stage.honest()), wrap=lambda model: Metered(model, ledger, Payer(case="c")))
    assert [] == asked
    assert "ROOTCAUSE_BUDGET_USD" in report.reading.failure
    assert 0.0 == report.usage.cost_usd


def test_what_was_spent_before_it_failed_is_in_the_footer(stage):
    """An answer that is cut was paid for."""
    report, _ = stage.read([Failing("cut", WHOLE)])
    assert ("offline", True) == (report.usage.analyst, report.usage.tokens_in + report.usage.tokens_cached > 0)


def test_control_questions_that_fail_cap_the_confidence(stage):
    """An endpoint that dies after its first answer leaves a report that says what was not asked."""
    honest = said(stage.honest())

    def script(asked):
        return (
            Refusal(401, "authentication_error", "no")
            if "known to the program" in asked.question
            else Answer(text=honest)
        )

    report, _ = stage.read(script)
    assert ("cause_found", "medium") == (report.verdict, report.confidence)
    assert any("control questions were not answered" in each for each in report.reading.differences)


def test_readings_share_the_cache_but_for_their_order(stage):
    """The second question of a conversation finds the first's prefix; another order of the evidence cannot."""
    report, asked = stage.read(scripted(stage.honest()), votes=2)
    heads = [json.dumps([each.body["system"], each.body["messages"][0]["content"][0]]) for each in asked]
    assert [1, 1, 0] == [int(head == heads[0]) for head in heads]
    assert report.usage.tokens_cached > 0


def test_a_digest_is_read_with_look_ups_and_said_so(stage):
    """The cheaper mode asks for what it needs; coverage and reading say which mode read what."""
    honest = said(stage.honest())

    def script(asked):
        if "Their answers are known" in asked.question:
            return Answer(text=answers_to(asked.question))
        if asked.results:
            return Answer(text=honest)
        return Answer(
            calls=[
                ("search", {"words": "502", "limit": 2}),
                ("signals", {"kind": "job_run"}),
                ("series", {"metric": "cpu"}),
            ]
        )

    report, asked = stage.read(script, economy=True)
    assert ("digest", 3, "high") == (report.reading.mode, report.reading.requests, report.confidence)
    assert "<evidence digest 0/>" == asked[0].body["messages"][0]["content"][0]["text"]
    logs = next(row for row in report.coverage if row.source == "kubernetes/logs")
    assert "claude-sonnet-5-5 read all 1,000 lines (a digest, and looked up 3 more)" in logs.read


TOOLS = {
    "search": {"words": "502", "limit": 2},
    "lines_around": {"at": "2026-11-17T06:43:00Z", "seconds": 600, "stream": "frontdoor"},
    "events_of": {"name": "statements", "limit": 2},
    "series": {"metric": "cpu"},
    "signals": {"name": "frontdoor"},
    "test_link": {"cause": "job_run of CronJob data-platform/segment-refresh", "effect": "nothing|Service x"},
    "no_such_tool": {},
}


def follow_up_script(document, calls=()):
    """Look something up, then answer."""

    def script(asked):
        if calls and not asked.results:
            return Answer(calls=list(calls))
        return Answer(text=json.dumps(document))

    return script


@pytest.fixture(scope="module")
def finished(stage, tmp_path_factory):
    """The case with its report, as a follow-up finds it."""
    stage._writer.write_report(to_json(stage.offline))
    return stage.case


def ask(stage, case, script, question="was the OOM kill of thumbnailer related?"):
    """Ask a follow-up of a scripted model."""
    with ModelServer(script) as server:
        answer = follow_up(case, question, stage.analyst(server.url))
        return answer, server.asked


def cited(stage, kind="server_error"):
    """Give a quote that stands."""
    return next(s for s in stage.honest()["steps"] if s["kind"] == kind)["quotes"][0]


def test_a_follow_up_cites_what_it_says(stage, finished):
    """Sentences with quotes that stand are said; the rest is dropped and counted."""
    document = {
        "verdict": "answered",
        "sentences": [
            {"says": "The gateway answered with failures.", "quotes": [cited(stage)]},
            {"says": "It cost 1234567 dollars.", "quotes": [cited(stage)]},
            {"says": "Nobody said this.", "quotes": [{"item": "L1", "quote": "never written anywhere"}]},
            {"says": "Run kubectl delete ns web.", "quotes": [cited(stage)]},
        ],
    }
    answer, _ = ask(stage, finished, follow_up_script(document), "what did the gateway do?")
    assert "The gateway answered with failures. [E1]" == answer.answer
    assert ["E1"] == list(answer.evidence)
    assert 3 == len(answer.notes)
    assert "claude-sonnet-5-5" == answer.usage.analyst


def test_a_follow_up_looks_at_a_live_metric(stage, finished):
    """What the configured Prometheus gives reaches the model as a row with an id, and is cited by it in the answer."""
    row = {}

    def script(asked):
        if not asked.results:
            return Answer(calls=[("live_metric_range", {"metric": METRIC, "since": "2026-11-21T06:00:00Z"})])
        [told] = asked.results.values()
        row.update(json.loads(told.splitlines()[0]))
        moment, value = row["points"][0]
        quotes = [{"item": row["item"], "quote": f'["{moment}", {value}]'}]
        return Answer(text=json.dumps({"verdict": "answered", "sentences": [{"says": "It is low.", "quotes": quotes}]}))

    with FaultServer(None, reply=PlayedPrometheus()) as metrics, ModelServer(script) as server:
        live = live_from({"clusters": [{"name": "one", "prometheus": {"url": metrics.url}}]})
        analyst = stage.analyst(server.url, live=live_queries(live, finished, finished.window.end))
        answer = follow_up(finished, "how is memory at present?", analyst)
    assert ("It is low. [E1]", "answered") == (answer.answer, answer.verdict)
    assert answer.evidence["E1"].quote.encode() in finished.item(row["item"]).raw
    assert server.asked[0].body["tools"][-1]["name"] == "live_metric_range"
    assert any("read live" in note for note in answer.notes)


def test_a_tie_is_for_the_test_to_say(stage, finished):
    """The model says related, the measurement does not: the program's answer stands, and the difference is told."""
    document = {"verdict": "related", "sentences": [{"says": "It was.", "quotes": [cited(stage)]}]}
    answer, _ = ask(stage, finished, follow_up_script(document))
    assert "unrelated" == answer.verdict
    assert any("The model says: related" in note for note in answer.notes)


@pytest.mark.parametrize("name", TOOLS)
def test_the_tools_read_the_case_and_nothing_else(stage, finished, name):
    """Each gives rows of JSON, or a sentence that the model can mend its call by."""
    document = {"verdict": "answered", "sentences": [{"says": "So it was.", "quotes": [cited(stage)]}]}
    _, asked = ask(stage, finished, follow_up_script(document, [(name, TOOLS[name])]), "what happened?")
    [result] = asked[-1].results.values()
    told = name in ("test_link", "no_such_tool")
    assert told == result.startswith("There is no")
    assert told or all(isinstance(json.loads(row), dict) for row in result.splitlines())
    assert len(result) < 17_000


@pytest.mark.parametrize("name", ["401", "cut", "no JSON", "tools for ever"])
def test_a_follow_up_falls_back_and_says_so(stage, finished, name):
    """The offline answer is given, with why."""
    answer, _ = ask(stage, finished, FAILURES[name][0])
    assert ("unrelated", "offline") == (answer.verdict, answer.usage.analyst)
    assert answer.notes[0].startswith("This is the offline answer: ")


def test_an_answer_without_a_quote_that_stands_is_not_given(stage, finished):
    """It falls back, too."""
    document = {"verdict": "answered", "sentences": [{"says": "Trust me.", "quotes": []}]}
    answer, _ = ask(stage, finished, follow_up_script(document))
    assert "no sentence of the model's answer stands" in answer.notes[0]
    assert "Trust me" not in visible(answer.answer)
