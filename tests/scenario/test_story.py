"""The story's incident, analyzed by the real command: the whole cascade, what was ruled out, every control question."""

import json
import os
import re
from datetime import datetime, timedelta

import pytest
from command import STORY, kept, rootcause
from contract import broken_rules
from verdicts import not_in_case, not_verbatim, original

from bot.casefile.case import Case
from bot.casefile.disk import connect_to_whole
from bot.casefile.home import CaseHome
from bot.investigation.digest import digest

STAGES = (
    ("CronJob", "job_run"),
    ("Deployment", "cpu_saturation"),
    ("HorizontalPodAutoscaler", "scale_up"),
    ("HorizontalPodAutoscaler", "scale_down"),
    ("Deployment", "shutdown|pod_kill"),
    ("Deployment", "connection_reset"),
    ("Deployment", "queue_growth"),
    ("Deployment", "server_error"),
)
"""Kind and mechanism of the story's steps, in causal order; a shutdown is seen as the pods' own word or the kubelet's."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder of the case."""
    return tmp_path_factory.mktemp("story") / "cases"


@pytest.fixture(scope="module")
def told(home):
    """The report that the real command prints, as JSON."""
    ran = rootcause(home, "analyze", STORY, "--quiet", "--format", "json")
    assert (0, "") == (ran.code, ran.err)
    return ran.json


@pytest.fixture(scope="module")
def truth():
    """What happened."""
    return json.loads(STORY.with_name("story.truth.json").read_text("utf-8"))


def instant(text):
    """Read an RFC 3339 time."""
    return datetime.fromisoformat(text)


def test_the_contract_is_kept(told):
    """Every field of the contract is there, in its shape."""
    assert [] == broken_rules(told, "report")


def test_the_root_cause(told, truth):
    """The scheduled job is named, with high confidence and all episodes explained."""
    assert ("cause_found", "high") == (told["verdict"], told["confidence"])
    assert truth["root_cause"]["entity"] == told["root_cause"]["entity"]
    assert truth["symptom"]["entity"] == told["symptom"]["entity"]
    assert 0 == told["symptom"]["unexplained"]


def test_every_step_in_order(told, truth):
    """From the job by way of CPU, scaling, shutdown, cut requests and the full queue to the 502s, each where it happened."""
    steps = told["cascade"]["steps"]
    assert len(STAGES) == len(steps)
    for (kind, mechanism), step in zip(STAGES, steps, strict=True):
        assert kind == step["entity"]["kind"]
        assert re.fullmatch(mechanism, step["mechanism"])
    known = [step["entity"]["name"] for step in truth["steps"]]
    assert [] == [step["entity"]["name"] for step in steps if step["entity"]["name"] not in known]
    assert all(link["status"] == "supported" for link in told["cascade"]["links"])


def test_the_episodes_are_those_that_happened(told, truth):
    """As many as happened, each within a minute."""
    happened = [instant(first) for first, _ in truth["episodes"]]
    found = [instant(episode["start"]) for episode in told["symptom"]["episodes"]]
    assert len(happened) == len(found)
    assert all(abs(a - b) <= timedelta(minutes=1) for a, b in zip(happened, found, strict=True))


def test_what_stood_near_is_ruled_out(told, truth):
    """The OOM kill of day 3 and everything else that stood near is ruled out with a reason."""
    ruled_out = [each["entity"] for each in told["ruled_out"]]
    assert [] == [each["what"] for each in truth["ruled_out"] if each["entity"] not in ruled_out]
    assert all(each["reason"] and each["evidence"] for each in told["ruled_out"])


def test_the_next_occurrence_is_predicted(told, truth):
    """The prediction's window holds the next symptom: it follows the job's next run by as much as it always did."""
    next_run = instant(truth["next_occurrence"])
    lags = []
    for first, _ in truth["episodes"]:
        begun = instant(first)
        lags.append(begun - begun.replace(hour=begun.hour // 6 * 6, minute=0, second=0, microsecond=0))
    (prediction,) = told["predictions"]
    first, last = (instant(each) for each in prediction["window"])
    assert next_run + min(lags) - timedelta(minutes=10) <= first <= last <= next_run + max(lags) + timedelta(minutes=10)
    assert first <= instant(prediction["at"]) <= last
    assert "pending" == prediction["status"]


def test_the_grace_period_is_to_be_changed(told):
    """A recommendation names the setting, with a command to review and what it would have spared."""
    assert [
        each["spared"] for each in told["recommendations"]
        if "terminationGracePeriodSeconds" in (each["change"] or "") and "would have spared" in each["effect"]
    ]  # fmt: skip


def test_every_quote_is_verbatim(told, home):
    """In the case and in the bytes of the export."""
    with CaseHome(home).open(told["case"]) as case:
        assert [] == not_in_case(told, case)
    assert [] == not_verbatim(told, original(STORY))


def test_its_own_control_questions_hold(told):
    """All are passed, and the report says what people thought without calling it right."""
    assert {"passed"} == {each["verdict"] for each in told["control_questions"]}
    assert "supported" not in {each["status"] for each in told["claims"]}


def asked(home, told, question):
    """Ask the real command."""
    ran = rootcause(home, "ask", told["case"], *question.split(), "--format", "json")
    assert broken_rules(ran.json, "answer") == []
    assert (3 if ran.json["verdict"] == "unknown" else 0) == ran.code
    return ran.json


def test_all_control_questions_of_the_truth(home, told, truth):
    """What a person would ask afterwards is answered as it was."""
    assert truth["control_questions"]
    answers = [
        (each["question"], asked(home, told, each["question"])["verdict"]) for each in truth["control_questions"]
    ]
    assert [(each["question"], each["expected"]) for each in truth["control_questions"]] == answers


@pytest.mark.parametrize(
    ("question", "verdict", "words"),
    [
        ("was the day-3 OOM kill related?", "unrelated", "OOM|memory"),
        ("what happened on day 3 around 10:46?", "answered", "OOM|memory"),
        ("when does it happen next?", "answered", "2026-11-22"),
        ("why not the tariffs rollout?", "unrelated|answered", "tariffs"),
        ("show the evidence for step 3", "answered", "scale|size"),
        ("what would fix it?", "answered", "terminationGracePeriodSeconds"),
        ("how sure are you?", "answered", "high|confidence"),
        ("what did you not see?", "answered", ""),
        ("who will win the elections?", "unknown", ""),
    ],
)
def test_questions_of_the_issue(home, told, question, verdict, words):
    """Every kind of follow-up is understood; what the case cannot tell is said to be unknown."""
    answer = asked(home, told, question)
    assert re.fullmatch(verdict, answer["verdict"]), answer["answer"]
    assert re.search(words, answer["answer"]), answer["answer"]


def test_cases_show_and_search(home, told):
    """The other commands as the README has them, on the same case."""
    listed = rootcause(home, "cases", "--format", "json").json
    assert [told["case"]] == [each["case"] for each in listed]
    assert [f"{told['case']}.case"] == kept(home)
    assert told == rootcause(home, "show", told["case"], "--format", "json").json
    assert rootcause(home, "show", "last", "--format", "markdown").out.startswith("# ")
    day = rootcause(home, "search", told["case"], "premature", "--since", "2026-11-19", "--until", "2026-11-20").out
    found = rootcause(home, "search", told["case"], "SIGTERM", "--limit", "3", "--format", "json").json
    assert 3 == len(found["hits"]) <= found["total"]
    assert all("SIGTERM" in each["text"] for each in found["hits"])
    assert [] == [each for each in re.findall(r"2026-11-\d\d", day) if each != "2026-11-19"]


def test_the_page_reads_well_at_a_hundred_columns(home, told):
    """The answer stands first, nothing is wider than the page, and there is no colour in a pipe."""
    page = rootcause(home, "show", told["case"]).out
    assert page.startswith("CAUSE FOUND")
    commands = ("kubectl ",)  # to be copied, hence never wrapped
    assert [] == [row for row in page.splitlines() if len(row) > 100 and not row.strip().startswith(commands)]
    assert "\x1b" not in page
    assert told["root_cause"]["entity"]["name"] in "".join(page.splitlines()[:6])
    assert os.linesep in page


def test_a_digest_in_parts_is_the_same(home, told, monkeypatch):
    """A case whose columns are not held, read a few entities at a time, gives the same signals and times of requests."""
    path = home / f"{told['case']}.case"
    with Case(connect_to_whole(path), path, owned=True) as case:
        whole, window, middle = digest(case, case.window), case.window, case.logs.lines // 2
        lines = [*case.lines_of((1, middle, 3)), *case.around(f"L{middle}", 2, 2)]
    monkeypatch.setattr("bot.casefile.logreader.HELD_LINES", 0)
    monkeypatch.setattr("bot.signals.log_signals.TOGETHER", middle // 5)
    with Case(connect_to_whole(path), path, owned=True) as case:
        assert lines == [*case.lines_of((1, middle, 3)), *case.around(f"L{middle}", 2, 2)]
        assert whole == digest(case, window)


def test_a_thinned_digest_tells_the_same(home, told, monkeypatch):
    """Where no more than a sliver of the lines may be held, the same things happened as often, at the same time."""
    path = home / f"{told['case']}.case"
    with Case(connect_to_whole(path), path, owned=True) as case:
        whole, window = digest(case, case.window), case.window
        monkeypatch.setattr("bot.signals.log_signals.TOGETHER", case.logs.lines // 20)
        monkeypatch.setattr("bot.signals.log_signals.HELD", 0)
        thinned = digest(case, window)
    assert [(s.id, s.total, s.nodes, s.mentions) for s in whole.signals] == [
        (s.id, s.total, s.nodes, s.mentions) for s in thinned.signals
    ]
    for one, other in zip(whole.signals, thinned.signals, strict=True):
        assert len(one.occurrences) == len(other.occurrences)
        for first, second in zip(one.occurrences, other.occurrences, strict=True):
            assert abs(first.start_s - second.start_s) <= 5
            assert abs(first.end_s - second.end_s) <= 5
            assert abs(first.size - second.size) <= 2 + 0.02 * first.size
