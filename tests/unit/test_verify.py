"""The verifier catches each kind of lie by name, and leaves an honest report alone."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from bot.analyst.proofs import named_alike, quotes
from bot.analyst.verify import verify
from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.link import Lag, LinkTest
from bot.domain.report import (
    AskedWindow,
    Cascade,
    Claim,
    Contributing,
    ControlQuestion,
    Episode,
    Evidence,
    Prediction,
    Recommendation,
    Report,
    RootCause,
    RuledOut,
    Step,
    StepLink,
    Symptom,
)
from bot.domain.signal import Kind, Occurrence, Signal, signal_id

START = datetime(2026, 11, 17, tzinfo=UTC)
END = START + timedelta(days=5)
JOB = Entity("CronJob", "rollup", "data")
GATEWAY = Entity("Deployment", "gateway", "edge")
HOURS = (6, 30, 54)


def at(hours, minutes=0):
    return START + timedelta(hours=hours, minutes=minutes)


@dataclass(frozen=True)
class Item:
    """A stored item."""

    id: ItemId
    at: datetime | None
    source: str
    entity: str
    text: str
    raw: bytes
    url: str | None = None
    locator: str = "somewhere"


class Store:
    """A case's evidence in memory."""

    def __init__(self, *items):
        self.stored = {item.id: item for item in items}

    def item(self, item):
        """Look one up."""
        return self.stored.get(item)

    def items(self, items):
        """Look several up."""
        return (self.stored[item] for item in items if item in self.stored)


EVENT = json.dumps({"reason": "SuccessfulCreate", "message": "Created job \u00abrollup-1\u00bb"}).encode()
STORE = Store(
    Item(ItemId("V1"), at(6), "kubernetes/events", "data/rollup", "Created job", EVENT, "https://case/V1"),
    Item(ItemId("L1"), at(6, 2), "kubernetes/logs", "edge/gateway-7d9f8-x2x4z/nginx", "GET / 502", b"GET /pay HTTP/1.1 502 \xff"),
    Item(ItemId("L2"), at(6), "kubernetes/logs", "data/rollup-1-abcde/job", "job started", b"job started, 12 shards"),
    Item(ItemId("C1"), at(8), "slack", "Ann", "I think it's the network", b'{"text":"I think it&apos;s the network"}'),
    Item(ItemId("M1"), START, "prometheus", "edge/gateway", "up", b'{"metric":{"__name__":"up"}}'),
)  # fmt: skip


def cite(item, quote, when, entity, source, url=None):
    return Evidence(source=source, at=when, entity=entity, quote=quote, url=url, locator=f"{item} somewhere")


def signal(kind, entity, minutes):
    points = [at(hour, minutes).timestamp() for hour in HOURS]
    occurrences = tuple(Occurrence(start_s=point, end_s=point) for point in points)
    return Signal(
        id=signal_id(kind, entity), kind=kind, entity=entity, label="", source="", occurrences=occurrences, total=3
    )


SIGNALS = {"S1": signal(Kind.JOB_RUN, JOB, 0), "S2": signal(Kind.SERVER_ERROR, GATEWAY, 2)}
LAG = Lag(p10=110, median=120, p90=130)
TEST = LinkTest(
    status="supported", test="shift", hits=3, misses=0, unexplained=0, lag=LAG, p_value=0.004, lag_range_s=(0, 600)
)
LINK = StepLink(
    cause="S1", effect="S2", status="supported", lag=LAG, hits=3, misses=0, unexplained=0, p_value=0.004, test="shift"
)
EVIDENCE = {
    "E1": cite("V1", "Created job \u00abrollup-1\u00bb", at(6), JOB, "kubernetes/events", "https://case/V1"),
    "E2": cite("L1", "HTTP/1.1 502", at(6, 2), GATEWAY, "kubernetes/logs"),
    "E3": cite("C1", "I think it's the network", at(8), Entity("Person", "Ann"), "slack"),
}
REPORT = Report(
    case="c1",
    window=AskedWindow(start=START, end=END, asked="5d"),
    question="what broke?",
    verdict="cause_found",
    confidence="high",
    summary="A job starved the gateway: 3 of 3 runs were followed by 502s.",
    symptom=Symptom(
        summary="502s",
        entity=GATEWAY,
        episodes=tuple(Episode(start=at(hour, 2), end=at(hour, 3), count=1, explained=True) for hour in HOURS),
        explained=3,
        unexplained=0,
        evidence=("E2",),
    ),
    root_cause=RootCause(summary="the job", entity=JOB, mechanism="job_run"),
    cascade=Cascade(
        steps=(
            Step(id="S1", summary="job ran", entity=JOB, mechanism="", first_at=at(6), count=3, evidence=("E1",)),
            Step(id="S2", summary="502s", entity=GATEWAY, mechanism="", first_at=at(6, 2), count=3, evidence=("E2",)),
        ),
        links=(LINK,),
    ),
    claims=(
        Claim(
            author="Ann",
            quote="I think it's the network",
            status="refuted",
            reason="",
            permalink=None,
            evidence=("E3",),
        ),
    ),
    predictions=(Prediction(summary="next", at=END + timedelta(hours=6), window=(END, END + timedelta(hours=7))),),
    recommendations=(Recommendation(summary="less", rationale="", change=None, effect="3", spared=3),),
    evidence=EVIDENCE,
)


def check(report=REPORT, test=TEST, signals=SIGNALS, store=STORE):
    return verify(report, store, signals=signals, retest=lambda _cause, _effect: test)


def kinds(verified):
    return {finding.kind for finding in verified.findings}


def with_evidence(key, **changes):
    return replace(REPORT, evidence={**EVIDENCE, key: replace(EVIDENCE[key], **changes)})


def with_step(index, **changes):
    steps = list(REPORT.cascade.steps)
    steps[index] = replace(steps[index], **changes)
    return replace(REPORT, cascade=replace(REPORT.cascade, steps=tuple(steps)))


def with_links(*links):
    return replace(REPORT, cascade=replace(REPORT.cascade, links=links))


def test_an_honest_report_passes_unchanged():
    """Nothing is found, nothing is touched."""
    verified = check()
    assert verified.findings == ()
    assert verified.report is REPORT


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        (with_evidence("E1", quote="Deleted job rollup-1"), "invented_quote"),
        (with_evidence("E2", quote="HTTP/1.1 503"), "invented_quote"),
        (with_evidence("E2", quote=" "), "trivial_quote"),
        (with_evidence("E2", at=at(6, 3)), "shifted_time"),
        (with_evidence("E2", entity=Entity("Deployment", "checkout", "edge")), "wrong_entity"),
        (with_evidence("E2", locator="L99 somewhere"), "forged_id"),
        (with_evidence("E2", locator=""), "forged_id"),
        (with_evidence("E1", url="https://evil.example"), "forged_url"),
        (with_evidence("E1", source="prometheus"), "wrong_source"),
        (with_step(1, evidence=("E2", "E77")), "missing_evidence"),
        (with_step(1, evidence=()), "step_without_evidence"),
        (with_step(1, first_at=START - timedelta(hours=1)), "step_time"),
        (with_step(1, first_at=END + timedelta(hours=1)), "step_time"),
        (with_step(1, first_at=at(7)), "step_time"),
        (with_step(1, entity=Entity("Deployment", "checkout", "edge")), "step_entity"),
        (with_step(1, count=300), "step_count"),
        (with_step(1, id="S1"), "duplicate"),
        (with_links(replace(LINK, cause="S2", effect="S1")), "reversed_link"),
        (with_links(replace(LINK, cause="S7")), "dangling_link"),
        (with_links(LINK, LINK), "duplicate"),
        (with_links(replace(LINK, p_value=1e-9)), "p_value"),
        (with_links(replace(LINK, p_value=None)), "p_value"),
        (with_links(replace(LINK, hits=30)), "link_numbers"),
        (with_links(replace(LINK, misses=1)), "link_numbers"),
        (with_links(replace(LINK, unexplained=1)), "link_numbers"),
        (with_links(replace(LINK, lag=replace(LAG, median=60))), "link_numbers"),
        (replace(REPORT, symptom=replace(REPORT.symptom, explained=2, unexplained=1)), "episodes"),
        (replace(REPORT, summary="The job ran and 400 requests were lost."), "summary_number"),
        (replace(REPORT, summary="2 of 7 runs hurt."), "summary_number"),
        (replace(REPORT, summary="It came 1,003 times."), "summary_number"),
        (replace(REPORT, recommendations=(replace(REPORT.recommendations[0], spared=90),)), "spared_number"),
        (replace(REPORT, predictions=(replace(REPORT.predictions[0], at=START),)), "prediction"),
        (replace(REPORT, root_cause=replace(REPORT.root_cause, entity=GATEWAY)), "root_mismatch"),
        (replace(REPORT, root_cause=None), "no_root"),
        (replace(REPORT, claims=(replace(REPORT.claims[0], quote="it's DNS"),)), "claim"),
        (replace(REPORT, claims=(replace(REPORT.claims[0], evidence=()),)), "claim"),
        (replace(REPORT, contributing=(Contributing(entity=JOB, summary="", evidence=("E9",)),)), "missing_evidence"),
        (replace(REPORT, ruled_out=(RuledOut(entity=JOB, summary="", reason="", test="", evidence=()),)), "missing_evidence"),
        (
            replace(REPORT, control_questions=(ControlQuestion(question="", answer="", verdict="passed", evidence=("E8",)),)),
            "missing_evidence",
        ),
    ],
)  # fmt: skip
def test_each_lie_is_caught_by_name(lie, kind):
    """Every kind of false statement is found, lowers the confidence and leaves a reason."""
    verified = check(lie)
    assert kind in kinds(verified)
    assert verified.report.confidence != "high"
    assert len(verified.report.reasons) >= 1


def test_a_false_citation_is_dropped_everywhere():
    """An invented quote takes the step that rests on it, its link and then the verdict with it."""
    report = check(with_evidence("E1", quote="Deleted job rollup-1")).report
    assert "E1" not in report.evidence
    assert [step.id for step in report.cascade.steps] == ["S2"]
    assert report.cascade.links == ()
    assert (report.verdict, report.root_cause) == ("inconclusive", None)
    assert "rollup" not in report.summary


def test_wrong_numbers_become_the_computed_ones():
    """Counts, times and link numbers are replaced, not believed."""
    report = check(with_links(replace(LINK, hits=30, p_value=1e-9))).report
    assert report.cascade.links == (LINK,)
    assert check(with_step(1, count=300)).report.cascade.steps[1].count == 3
    assert check(with_step(1, first_at=at(7))).report.cascade.steps[1].first_at == at(6, 2)


def test_a_link_the_recomputation_refutes_is_refuted():
    """A link that does not hold takes the cause with it."""
    verified = check(test=replace(TEST, status="refuted", hits=0, misses=3))
    assert "refuted_link" in kinds(verified)
    assert verified.report.cascade.links[0].status == "refuted"
    assert (verified.report.verdict, verified.report.confidence) == ("inconclusive", "low")


def test_a_status_is_no_count():
    """HTTP 502 responses are of status 502, not 502 of them."""
    assert (
        check(replace(REPORT, summary="A job makes the gateway give HTTP 502 responses and 503 errors.")).findings == ()
    )


def test_a_link_nobody_can_test_is_untested():
    """Without measured signals a link's numbers are taken away."""
    verified = check(test=None)
    assert "unmeasured_link" in kinds(verified)
    link = verified.report.cascade.links[0]
    assert (link.status, link.hits, link.p_value) == ("untested", 0, None)


def test_a_step_without_a_signal_rests_on_quotes_alone():
    """A step nothing measured is marked, and its entity must be that of its evidence."""
    assert kinds(check(signals={"S2": SIGNALS["S2"]})) == {"step_unmeasured"}
    lie = with_step(0, entity=Entity("CronJob", "other", "data"))
    assert "step_entity" in kinds(check(lie, signals={"S2": SIGNALS["S2"]}))


def test_episodes_that_nobody_felt_are_dropped():
    """An invented episode goes, and so does its share of the explained."""
    fake = Episode(start=at(20), end=at(21), count=9, explained=True)
    lie = replace(REPORT, symptom=replace(REPORT.symptom, episodes=(*REPORT.symptom.episodes, fake), explained=4))
    verified = check(lie)
    assert "episodes" in kinds(verified)
    assert verified.report.symptom == REPORT.symptom


def test_a_cause_on_log_text_alone_is_flagged():
    """A log line can be written by whoever sends a request, so it cannot carry the cause with high confidence."""
    logged = cite("L2", "job started", at(6), JOB, "kubernetes/logs")
    verified = check(replace(REPORT, evidence={**EVIDENCE, "E1": logged}))
    assert kinds(verified) == {"untrusted_text"}
    assert (verified.report.verdict, verified.report.confidence) == ("cause_found", "medium")


def test_a_cause_on_chat_alone_is_hearsay():
    """What people wrote is no measurement, even with the source forged."""
    said = cite("C1", "network", at(8), Entity("Person", "Ann"), "kubernetes/events")
    verified = check(replace(REPORT, evidence={**EVIDENCE, "E1": said}))
    assert {"hearsay", "wrong_source"} <= kinds(verified)
    assert verified.report.confidence == "low"


def test_no_cause_is_never_turned_into_one():
    """An inconclusive report with a false citation stays inconclusive."""
    verified = check(replace(with_evidence("E3", quote="it is DNS"), verdict="inconclusive", root_cause=None))
    assert verified.report.verdict == "inconclusive"


def test_a_series_may_be_cited_at_any_time_of_the_window():
    """A series is stored once for all its samples; outside the window it says nothing."""
    sample = cite("M1", '"__name__":"up"', at(30), GATEWAY, "prometheus")
    assert check(replace(REPORT, evidence={**EVIDENCE, "E4": sample})).findings == ()
    late = replace(sample, at=END + timedelta(days=1))
    assert kinds(check(replace(REPORT, evidence={**EVIDENCE, "E4": late}))) == {"shifted_time"}


def test_quotes_are_found_in_bytes_and_in_what_json_encodes():
    """Invalid UTF-8, JSON escapes and the chat's own escapes are no obstacle; other words are."""
    line, event, message = (STORE.stored[ItemId(key)] for key in ("L1", "V1", "C1"))
    assert quotes(line, b"502 \xff".decode("utf-8", "surrogateescape"))
    assert quotes(event, "\u00abrollup-1\u00bb")
    assert quotes(message, "it's the network")
    assert not quotes(line, "502 \ufffd")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_quote_altered_by_one_character_is_not_found(data):
    """Changing any one character of a true quote breaks it."""
    quote = "GET /pay HTTP/1.1 502"
    place = data.draw(st.integers(0, len(quote) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda letter: letter != quote[place]))
    assert quotes(STORE.stored[ItemId("L1")], quote)
    assert not quotes(STORE.stored[ItemId("L1")], quote[:place] + other + quote[place + 1 :])


def test_a_generated_name_belongs_to_its_workload():
    """Pod and container names lead to the workload, other names do not."""
    assert named_alike("edge/gateway-7d9f8-x2x4z/nginx", GATEWAY)
    assert not named_alike("edge/gatewayed/nginx", GATEWAY)


def test_the_share_of_a_lead_is_a_number_that_was_computed():
    """A case without a cascade tells how many episodes its best lead reaches; more than there were is still caught."""
    open_case = replace(
        REPORT,
        verdict="inconclusive",
        cascade=Cascade(),
        root_cause=None,
        summary="The best lead reaches 2 of 3 episodes.",
    )
    assert "summary_number" not in kinds(check(open_case))
    wrong = replace(open_case, summary="The best lead reaches 40 of 3 episodes.")
    assert "summary_number" in kinds(check(wrong))
