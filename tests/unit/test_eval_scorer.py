"""Scoring: a report is believed in nothing; the same report scores by the truth it is held against."""

import pytest

from bot.evals.runner import Case, Result
from bot.evals.scorer import Corpus, Part, score
from bot.evals.tally import document, reliability, rows


def thing(kind, name, namespace="shop"):
    return {"kind": kind, "name": name, "namespace": namespace}


JOB, API, EDGE, SIDE = (
    thing("CronJob", "etl"),
    thing("Deployment", "api"),
    thing("Deployment", "edge"),
    thing("Deployment", "side"),
)


def step(entity, at):
    return {"entity": entity, "first_at": f"2026-11-20T{at}:00Z", "summary": ""}


def truth(**changes):
    return {
        "verdict": "cause_found", "accept": [JOB], "accept_if": [{**API, "words": ["quota"]}], "next_occurrence": None,
        "steps": [{**step(JOB, "06:00"), "measured": True}, {**step(API, "06:00"), "measured": False}, {**step(EDGE, "06:20"), "measured": True}],
        "ruled_out": [{"entity": SIDE, "at": "", "what": ""}], "control_questions": [{"question": "is etl related?", "expected": "related"}],
        **changes,
    }  # fmt: skip


def report(**changes):
    return {
        "verdict": "cause_found", "confidence": "high", "summary": "", "evidence": {"E1": {"quote": "boom"}}, "ruled_out": [],
        "root_cause": {"entity": JOB, "summary": "", "mechanism": "job_run"},
        "cascade": {"steps": [step(JOB, "06:00"), step(API, "09:00"), step(EDGE, "06:21")]}, **changes,
    }  # fmt: skip


def scored(told, true, verdict="related"):
    return score(told, [{"verdict": verdict, "answer": "", "evidence": {}}], true, Corpus([b"line: boom"], []))


def test_a_right_report_scores_in_full():
    """Cause, steps, order, times, quotes and the control question."""
    found = scored(report(), truth())
    assert ("right", Part(good=3, total=3), Part(good=2, total=2), Part(good=3, total=3)) == (
        found.outcome, found.steps, found.timed, found.ordered,
    )  # fmt: skip
    assert (0, Part(good=1, total=1), Part(good=1, total=1)) == (found.invented, found.quotes, found.controls)


@pytest.mark.parametrize(
    ("told", "true", "outcome"),
    [
        ({"root_cause": {"entity": SIDE, "summary": "", "mechanism": ""}}, {}, "wrong"),
        ({"root_cause": {"entity": API, "summary": "a quota", "mechanism": ""}}, {}, "right"),
        ({"root_cause": {"entity": API, "summary": "a rollout", "mechanism": ""}}, {}, "wrong"),
        ({"verdict": "inconclusive", "root_cause": None}, {}, "inconclusive"),
        ({"verdict": "no_incident", "root_cause": None}, {}, "missed"),
        ({}, {"verdict": "no_incident", "accept": []}, "invented"),
        ({"verdict": "no_incident", "root_cause": None}, {"verdict": "no_incident"}, "right"),
    ],
)
def test_what_becomes_of_the_root_cause(told, true, outcome):
    """Another cause, a cause without its reason, no cause, and a cause where there is none are told apart."""
    assert outcome == scored(report(**told), truth(**true)).outcome


def test_order_times_inventions_and_quotes_are_counted():
    """A reversed cascade, a late step, a foreign step and a changed quote each cost what they are."""
    steps = [step(EDGE, "06:20"), step(JOB, "12:00"), step(SIDE, "06:00")]
    found = scored(report(cascade={"steps": steps}, evidence={"E1": {"quote": "bang"}}), truth(), verdict="unknown")
    assert Part(good=1, total=2) == found.ordered
    assert Part(good=1, total=2) == found.timed
    assert (1, 1) == (found.invented, found.blamed)
    assert Part(good=0, total=1) == found.quotes
    assert Part(good=0, total=1) == found.controls


def test_a_quote_inside_json_counts_as_its_reader_sees_it():
    """Escapes of the file format are no difference in words."""
    assert Corpus([b'"say \\"hi\\""'], ['say "hi"']).holds('say "hi"')


def test_a_prediction_must_name_the_minute():
    """An answer to when it happens next is right only with the time of day."""
    asks = [{"question": "when will it happen next?", "expected": "answered"}]
    true = truth(control_questions=asks, next_occurrence="2026-11-22T06:15:00Z")
    for text, good in (("Nov 22, 06:15 UTC", 1), ("Nov 22, 06:00 UTC", 0)):
        answer = {"verdict": "answered", "answer": text, "evidence": {}}
        assert Part(good=good, total=1) == score(report(), [answer], true, Corpus([], [])).controls


def test_reliability_counts_only_named_causes():
    """Each level of confidence gets the share of its causes that were right; an engine that failed counts against the row."""
    results = [
        Result(case=Case(scenario="a", seed=i, variant="plain"), score=one, seconds=1.0, peak_mb=10.0)
        for i, one in enumerate(
            [
                scored(report(), truth()),
                scored(report(root_cause={"entity": SIDE, "summary": "", "mechanism": ""}), truth()),
                scored(report(verdict="inconclusive"), truth()),
                None,
            ]
        )
    ]
    (high, medium, _low) = reliability(results)
    assert (Part(good=1, total=2), Part(good=0, total=0)) == (high.right, medium.right)
    assert Part(good=1, total=4) == rows(results)[0].right
    assert {"schema", "scenarios", "totals", "reliability", "cases"} == set(document(results))


@pytest.mark.parametrize(
    ("gone", "verdict", "answer", "good"),
    [
        (["logs"], "unknown", "No sign of it. Not seen: kubernetes/logs was not there at all.", 1),
        (["events"], "unknown", "I cannot tell: kubernetes/events reaches back only to Sat.", 1),
        (["logs"], "unknown", "No sign of it.", 0),
        (["logs"], "unknown", "Not seen: prometheus was not there at all.", 0),
        ([], "unknown", "Not seen: kubernetes/logs was not there at all.", 0),
        (["logs"], "unrelated", "No. Not seen: kubernetes/logs was not there at all.", 0),
    ],
)
def test_an_open_answer_is_right_only_where_its_evidence_is_gone(gone, verdict, answer, good):
    """What the engine says of missing evidence is held against what was taken away; strictly, it is never right."""
    asks = [{"question": "is etl related?", "expected": "related", "gone": gone}]
    told = [{"verdict": verdict, "answer": answer, "evidence": {}}]
    found = score(report(), told, truth(control_questions=asks), Corpus([b"boom"], []))
    assert (Part(good=good, total=1), Part(good=0, total=1)) == (found.controls, found.strict)
