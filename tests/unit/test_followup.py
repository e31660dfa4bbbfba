"""Follow-ups answered from a small hand-made case: an autoscaler, cut requests, and an unrelated OOM kill on day 3."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from bot.analyst.followup import FollowUpContext, answer
from bot.domain.entity import Entity
from bot.domain.items import ItemId, SourceCoverage
from bot.domain.link import Lag, Link, LinkTest
from bot.domain.report import (
    AskedWindow,
    Cascade,
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
from bot.domain.window import Window

START = datetime(2026, 11, 17, tzinfo=UTC)  # a Tuesday
END = START + timedelta(days=5)
JOB = Entity("CronJob", "orders-etl", "data")
API = Entity("Deployment", "checkout-api", "shop")
GATEWAY = Entity("Deployment", "edge-gateway", "edge")
WORKER = Entity("Deployment", "worker", "payments")
RUNS = [START + timedelta(hours=hours) for hours in range(6, 120, 6)]
OOM_AT = START + timedelta(days=2, hours=3, minutes=12)


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


def event(name, when, entity, text):
    return Item(ItemId(name), when, "kubernetes/events", str(entity), text, f'{{"message": "{text}"}}'.encode())


ITEMS = {
    item.id: item
    for item in [
        event("V1", RUNS[0], JOB, "Created job orders-etl-1"),
        event("V2", RUNS[0] + timedelta(minutes=30), API, "Scaled down replica set checkout-api-7d9 to 3 from 6"),
        event("V3", OOM_AT, WORKER, "Container worker was OOM-killed"),
        Item(ItemId("L1"), RUNS[0] + timedelta(minutes=31), "kubernetes/logs", "edge/edge-gateway-x/nginx", "GET /pay 502", b"GET /pay 502"),
    ]
}  # fmt: skip


class Store:
    """A case's evidence in memory."""

    def item(self, item):
        """Look one up."""
        return ITEMS.get(item)

    def items(self, items):
        """Look several up."""
        return (ITEMS[item] for item in items if item in ITEMS)


@dataclass(frozen=True)
class Found:
    """What a search gives."""

    hits: list
    total: int


def search(text, start, end, limit):
    hits = [item for item in ITEMS.values() if text.lower() in item.text.lower()]
    return Found(hits[:limit], len(hits))


def signal(kind, entity, times, ref, label):
    occurrences = tuple(
        Occurrence(start_s=at.timestamp(), end_s=at.timestamp(), refs=(ItemId(ref),) if number == 0 else ())
        for number, at in enumerate(times)
    )
    return Signal(
        id=signal_id(kind, entity), kind=kind, entity=entity, label=label, source="", occurrences=occurrences, total=len(times)
    )  # fmt: skip


def later(minutes):
    return [at + timedelta(minutes=minutes) for at in RUNS]


RUN = signal(Kind.JOB_RUN, JOB, RUNS, "V1", "job ran")
DOWN = signal(Kind.SCALE_DOWN, API, later(30), "V2", "scaled down")
FELT = signal(Kind.SERVER_ERROR, GATEWAY, later(31), "L1", "HTTP 502 responses")
OOM = signal(Kind.OOM_KILL, WORKER, [OOM_AT], "V3", "container OOM-killed")
LAG = Lag(p10=50, median=60, p90=70)


def step(name, signal, cite):
    first = datetime.fromtimestamp(signal.occurrences[0].start_s, tz=UTC)
    return Step(
        id=name, summary=signal.label, entity=signal.entity, mechanism=signal.kind.value, first_at=first, count=19, evidence=(cite,)
    )  # fmt: skip


def link(cause, effect, p_value=0.001):
    return StepLink(
        cause=cause,
        effect=effect,
        status="supported",
        lag=LAG,
        hits=19,
        misses=0,
        unexplained=0,
        p_value=p_value,
        test="shift",
    )


def evidence(item, entity):
    stored = ITEMS[ItemId(item)]
    return Evidence(source=stored.source, at=stored.at, entity=entity, quote=stored.text, url=None, locator=f"{item} x")


REPORT = Report(
    case="c1",
    window=AskedWindow(start=START, end=END, asked="5d"),
    question="",
    verdict="cause_found",
    confidence="high",
    summary="A job makes the autoscaler cut requests.",
    symptom=Symptom(
        summary="502s",
        entity=GATEWAY,
        episodes=tuple(Episode(start=at, end=at, count=1, explained=True) for at in later(31)),
        explained=19,
        unexplained=0,
    ),
    root_cause=RootCause(summary="job", entity=JOB, mechanism="job_run"),
    cascade=Cascade(
        steps=(step("S1", RUN, "E1"), step("S2", DOWN, "E2"), step("S3", FELT, "E3")), links=(link("S1", "S2"), link("S2", "S3", 0.02))
    ),
    ruled_out=(RuledOut(entity=WORKER, summary="OOM", reason="Nothing followed it", test="order", evidence=("E4",)),),
    control_questions=(ControlQuestion(question="?", answer="!", verdict="passed", evidence=()),),
    predictions=(Prediction(summary="Next 502s", at=END + timedelta(minutes=31), window=(END, END + timedelta(hours=1))),),
    recommendations=(Recommendation(summary="Raise the grace period", rationale="Requests are cut", change="kubectl patch …", effect="spares 19"),),
    reasons=("no kernel logs",),
    coverage=(SourceCoverage(source="jira", status="missing", items=0, bytes=0, first_at=None, last_at=None),),
    evidence={"E1": evidence("V1", JOB), "E2": evidence("V2", API), "E3": evidence("L1", GATEWAY), "E4": evidence("V3", WORKER)},
)  # fmt: skip


def pair_test(cause, effect):
    status = "untested" if cause.id == OOM.id else "supported"
    hits = 0 if cause.id == OOM.id else 19
    return LinkTest(
        status=status,
        test="shift",
        hits=hits,
        misses=1,
        unexplained=19,
        lag=None,
        p_value=None,
        lag_range_s=(0, 900),
        reason="",
    )


CONTEXT = FollowUpContext(
    report=REPORT,
    window=Window(start=START, end=END, asked="5d"),
    signals=[RUN, DOWN, FELT, OOM],
    evidence=Store(),
    test=pair_test,
    search=search,
)


def ask(text, **changes):
    return answer(text, replace(CONTEXT, **changes))


@pytest.mark.parametrize(
    "text",
    ["was the day-3 restart related?", "Was the restrat on day 3 part of this?", "did the worker OOM cause the 502s?", "is the worker involved?"],
)  # fmt: skip
def test_an_unrelated_restart_is_unrelated_for_a_reason(text):
    """The kill is named with its time and cited, and the reason is that no episode followed."""
    told = ask(text)
    assert told.verdict == "unrelated"
    assert "Thu 19 Nov 03:12Z" in told.answer
    assert "none of the 19 episodes" in told.answer
    assert "Container worker was OOM-killed" in {entry.quote for entry in told.evidence.values()}
    assert told.test is not None
    assert told.test.hits == 0


@pytest.mark.parametrize(
    "text", ["was the etl part of it?", "did the scale-down cause this?", "were the 502s because of the cronjob?"]
)
def test_what_stands_on_the_cascade_is_related(text):
    """The step and the link's numbers are given."""
    told = ask(text)
    assert told.verdict == "related"
    assert "19 of 19" in told.answer
    assert told.evidence


def test_what_the_case_does_not_know_is_unknown():
    """An unknown name is never answered with something else, and the case's content is told."""
    told = ask("was the kafka restart related?")
    assert told.verdict == "unknown"
    assert "kafka" in told.answer
    assert "orders-etl" in told.answer
    assert ask("was a certificate involved?").verdict == "unknown"
    assert ask("was it related?").verdict == "unknown"


def test_a_time_outside_the_window_is_unknown():
    """Day 9 of five days was not seen."""
    told = ask("what happened on day 9?")
    assert told.verdict == "unknown"
    assert "Sun 22 Nov 00:00Z" in told.answer


def test_a_passer_by_near_an_episode_is_no_cause():
    """One kill shortly before one of nineteen explained episodes is a coincidence; without a cascade it is unknown."""
    near = signal(Kind.OOM_KILL, WORKER, [later(20)[8]], "V3", "container OOM-killed")
    quiet = replace(REPORT, verdict="inconclusive", root_cause=None, cascade=Cascade())
    assert (
        ask("was the oom related?", signals=[RUN, DOWN, FELT, near], test=lambda _a, _b: pair_test(OOM, FELT)).verdict
        == "unrelated"
    )
    told = ask(
        "was the oom related?",
        signals=[FELT, near],
        report=quiet,
        test=lambda _a, _b: pair_test(OOM, FELT),
        symptom=FELT,
    )
    assert told.verdict == "unknown"


def test_without_a_symptom_nothing_is_related():
    """A quiet case stays honest."""
    quiet = replace(
        REPORT,
        verdict="no_incident",
        root_cause=None,
        cascade=Cascade(),
        symptom=None,
        predictions=(),
        recommendations=(),
    )
    told = {text: ask(text, report=quiet).verdict for text in ("when next?", "when did it start?")}
    assert set(told.values()) == {"unknown"}
    assert "nothing to fix" in ask("what would fix it?", report=quiet).answer
    assert ask("was the oom related?", report=quiet).verdict == "unrelated"
    assert ask("what was the cause?", report=quiet).verdict == "answered"


def test_a_timeline_is_told_in_order_and_cited():
    """What happened on a day: first times ascending, every line with its evidence."""
    told = ask("what happened on day 1?")
    places = [told.answer.index(name) for name in ("orders-etl", "checkout-api", "edge-gateway")]
    assert places == sorted(places)
    assert len(told.evidence) == 3
    assert "worker" not in told.answer


def test_nothing_happened_is_said():
    """An empty hour is answered, with what was not seen."""
    told = ask("what happened on day 2 at 02:00?")
    assert told.verdict == "answered"
    assert "Nothing was seen" in told.answer
    assert "jira" in told.answer


def test_the_other_intents_answer_from_the_report():
    """Prediction, evidence, advice, doubts and gaps come from the report word for word."""
    assert "2026-11-22T00:31:00Z" in ask("when will it happen again?").answer
    assert "Raise the grace period" in ask("what would fix it?").answer
    assert "S2→S3" in ask("how sure are you?").answer
    assert "no kernel logs" in ask("how sure are you?").answer
    assert "jira" in ask("what did you not see?").answer
    assert REPORT.summary in ask("what was the cause?").answer


def test_evidence_is_shown_for_a_step():
    """A step's quotes are given, by number or by what it is; a step that is not there is unknown."""
    shown = ask("show the evidence for step 2")
    assert [entry.quote for entry in shown.evidence.values()] == [
        "Scaled down replica set checkout-api-7d9 to 3 from 6"
    ]
    assert [entry.quote for entry in ask("evidence for the job run?").evidence.values()] == ["Created job orders-etl-1"]
    assert ask("show the evidence for step 9").verdict == "unknown"


def test_an_alternative_is_compared_with_the_root():
    """Why not the OOM: its numbers beside the root's."""
    told = ask("why the etl and not the OOM?")
    assert told.verdict == "answered"
    assert "no episode followed it" in told.answer
    assert "19 of 19" in told.answer
    assert "Nothing followed it" in ask("why this and not something else?").answer
    assert "step S2" in ask("why not the scale-down?").answer


def test_the_next_run_of_a_named_job_follows_its_schedule():
    """A job that did nothing wrong has a next time, too: by its schedule, else by its period."""
    backup = signal(Kind.JOB_RUN, Entity("CronJob", "pg-backup", "ops"), RUNS[:3], "V1", "job ran")
    quiet = replace(REPORT, verdict="no_incident", root_cause=None, cascade=Cascade(), symptom=None, predictions=())
    scheduled = replace(backup, attributes={"schedule": "49 2 * * *"})
    told = ask("when does pg-backup run next?", report=quiet, signals=[scheduled])
    assert ("answered", True) == (told.verdict, "Sun 22 Nov 02:49Z" in told.answer)
    told = ask("when does pg-backup run next?", report=quiet, signals=[replace(backup, period_s=21600.0)])
    assert "runs next Sun 22 Nov 00:00Z" in told.answer
    assert "unknown" == ask("when does pg-backup run next?", report=quiet, signals=[backup]).verdict


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("when did it start", "First felt Tue 17 Nov 06:31Z"),
        ("is it still happening?", "The data ends Sun 22 Nov 00:00Z"),
        ("how many requests did we lose", "19 log lines in 19 episodes"),
        ("who broke it", "A job makes the autoscaler cut requests."),
        ("why did the scale-down happen", "(S2). It followed S1 19 of 19 times"),
        ("whats the grace period", "terminationGracePeriodSeconds is 15"),
        ("did the node reboot?", "No "),
        ("was there a deploy yesterday", "No rollouts"),
    ],
)
def test_sloppy_questions_get_plain_answers(text, expected):
    """Since when, how much, which setting, why this step: answered from the report, in a sentence or two."""
    steps = REPORT.cascade.steps
    grace = replace(steps[1], facts=("Deployment shop/checkout-api: terminationGracePeriodSeconds is 15",))
    report = replace(REPORT, cascade=replace(REPORT.cascade, steps=(steps[0], grace, steps[2])))
    assert expected in ask(text, report=report).answer


def test_a_byproduct_is_not_called_the_start():
    """What a step brings about as a rule comes along with the cascade; it is neither ruled out nor blamed."""
    load = signal(Kind.NETWORK_SATURATION, Entity("Node", "node-1"), later(1), "V1", "network load")
    test = replace(pair_test(RUN, FELT), effects=19, unexplained=0)
    brought = Link(cause=RUN.id, effect=load.id, mechanism="timing", scope="cluster", plausibility=0.6, test=test)
    told = ask("was it the network?", signals=[RUN, DOWN, FELT, OOM, load], links=[brought])
    assert told.verdict == "related"
    assert "does not start it" in told.answer
    assert "19 of 19 times S1" in told.answer


def test_quoted_text_is_searched():
    """A text in quotes leads to its signal; a text that stands nowhere is unknown."""
    assert ask('was "OOM-killed" related?').verdict == "unrelated"
    assert ask('was "no such words" related?').verdict == "unknown"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=50))
def test_any_question_gets_an_answer_with_true_quotes(text):
    """No input breaks it, and whatever is cited stands in the store."""
    told = ask(text)
    assert told.answer
    assert all(any(entry.quote in item.text for item in ITEMS.values()) for entry in told.evidence.values())
