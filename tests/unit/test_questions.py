"""Questions taken apart: intents, names, kinds and times, spelt as people spell at night."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from bot.analyst.questions import symptom_wish, understand
from bot.analyst.vocabulary import INTENT_WORDS, KIND_WORDS, kinds_in
from bot.domain.entity import Entity
from bot.domain.signal import Kind, Signal, signal_id
from bot.domain.window import Window

WINDOW = Window(start=datetime(2026, 11, 17, 8, tzinfo=UTC), end=datetime(2026, 11, 22, 10, tzinfo=UTC), asked="5d")
ETL = Entity("CronJob", "orders-etl", "data")
WORKER = Entity("Deployment", "worker", "payments")
GATEWAY = Entity("Deployment", "edge-gateway", "edge")
API = Entity("Deployment", "checkout-api", "payments")
HPA = Entity("HorizontalPodAutoscaler", "checkout-api", "payments")
DATABASE = Entity("StatefulSet", "pg-main", "payments")
NODE = Entity("Node", "node-2")


def signal(kind, entity):
    return Signal(
        id=signal_id(kind, entity), kind=kind, entity=entity, label="", source="", occurrences=(), total=0, subject=""
    )


SIGNALS = [
    signal(Kind.JOB_RUN, ETL),
    signal(Kind.OOM_KILL, WORKER),
    signal(Kind.SERVER_ERROR, GATEWAY),
    signal(Kind.SCALE_DOWN, HPA),
    signal(Kind.LATENCY, API),
    signal(Kind.LOCK_WAIT, DATABASE),
    signal(Kind.NODE_FAILURE, NODE),
]


def ask(text):
    return understand(text, window=WINDOW, signals=SIGNALS, report=None)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("was the day-3 restart related?", "related"),
        ("Was teh conatiner restrat on day 3 part of it?", "related"),
        ("did the deploy yesterday cause the 502s?", "related"),
        ("is it the hpa?", "related"),
        ("were the 502s because of the database?", "related"),
        ("did that have anything to do with it", "related"),
        ("what happend at 14:02 on tuesday", "what_happened"),
        ("what did the gateway do around 09:15Z", "what_happened"),
        ("anything odd on friday?", "what_happened"),
        ("day 3", "what_happened"),
        ("what did the database say?", "show_evidence"),
        ("which pods are failing?", "affected"),
        ("which job is failing?", "what_happened"),
        ("what ended it?", "ended"),
        ("what made it go away", "ended"),
        ("what made it worse?", "related"),
        ("what made it crash?", "what_happened"),
        ("what stopped it from starting?", "fix"),
        ("when will it happen again?", "when_next"),
        ("when did it start", "since_when"),
        ("is it still happening", "since_when"),
        ("how many requests did we lose?", "how_much"),
        ("whats the grace period", "setting"),
        ("should i roll back?", "fix"),
        ("what changed before it started", "what_happened"),
        ("what happened when the job started", "what_happened"),
        ("when does the job start next", "when_next"),
        ("when's the next one", "when_next"),
        ("why this and not the network?", "why_not"),
        ("why not the deploy", "why_not"),
        ("show me the evidence for step 3", "show_evidence"),
        ("S3", "show_evidence"),
        ("evidense for the kill", "show_evidence"),
        ("what would fix it?", "fix"),
        ("how do we prevent this", "fix"),
        ("how can I stop this from happening", "fix"),
        ("how sure are you?", "how_sure"),
        ("how confidant are you", "how_sure"),
        ("what did you not see?", "not_seen"),
        ("is anything missing", "not_seen"),
        ("what was the cause?", "summary"),
        ("tl;dr", "summary"),
        ("why?", "summary"),
        ("", "unknown"),
        ("banana", "unknown"),
    ],
)
def test_the_intent_is_understood(text, intent):
    """Each intent is found in several phrasings, misspelt ones too."""
    assert intent == ask(text).intent


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("was the etl involved?", [ETL]),
        ("what did the gatway do", [GATEWAY]),
        ("was the gateway involved", [GATEWAY]),
        ("is it the hpa?", [HPA]),
        ("checkout hpa", [HPA]),
        ("what happened to checkout", [API, HPA]),
        ("what happened to payments/worker", [WORKER]),
        ("the cronjob?", [ETL]),
        ("node 2", [NODE]),
        ("were the 502s because of the database?", [DATABASE]),
        ("did the worker restart cause the gateway 502s?", [WORKER]),
        ("did the gateway fail because of the etl?", [ETL]),
        ("what happened in payments", [API, WORKER, HPA, DATABASE]),
        ("was kafka involved?", []),
    ],
)
def test_partial_and_misspelt_names_are_matched(text, entities):
    """A part of a name, a kind of object, a namespace or a near miss leads to the entity; the subject counts alone."""
    assert entities == list(ask(text).entities)


def test_a_name_the_case_does_not_know_is_reported():
    """A restart of something unknown must not be answered with somebody else's restart."""
    assert ask("was the kafka restart related?").unknown_names == ("kafka",)
    assert ask("was the weird restart on day 3 related?").unknown_names == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("restart", Kind.OOM_KILL),
        ("oomkilled", Kind.OOM_KILL),
        ("rollout", Kind.ROLLOUT),
        ("the release", Kind.ROLLOUT),
        ("scale-down", Kind.SCALE_DOWN),
        ("cron", Kind.JOB_RUN),
        ("certificate", Kind.CERTIFICATE_EXPIRY),
        ("timeouts", Kind.TIMEOUT),
        ("502s", Kind.SERVER_ERROR),
        ("readiness probe", Kind.PROBE_FAILURE),
        ("evicted", Kind.EVICTION),
        ("config change", Kind.CONFIG_CHANGE),
        ("dns", Kind.NAME_RESOLUTION_FAILURE),
        ("lock", Kind.LOCK_WAIT),
        ("slow", Kind.LATENCY),
    ],
)
def test_words_of_the_trade_lead_to_kinds(text, kind):
    """What people say for a kind of event is known."""
    assert kind in kinds_in(text)[0]


def test_a_longer_phrase_hides_the_shorter_in_it():
    """A scale-down is no scale-up, though both scale."""
    assert kinds_in("the scale down")[0] == {Kind.SCALE_DOWN}


def test_every_kind_of_signal_can_be_asked_for():
    """No kind is without a word."""
    spoken = {kind for _, kinds in KIND_WORDS for kind in kinds}
    assert set(Kind) - spoken == set()


def test_steps_and_quotes_are_kept():
    """A step's number becomes its id; text in quotes is what to search for."""
    question = ask('show the evidence for step 3, "connection reset by peer"')
    assert (question.step_id, question.quoted) == ("S3", ("connection reset by peer",))


def test_the_wish_for_a_symptom_is_read():
    """The first question's statuses, kinds and names are found; time words are none."""
    wish = symptom_wish("what's behind the 502s since Tuesday in payments?")
    assert wish.statuses == {502}
    assert Kind.SERVER_ERROR in wish.kinds
    assert wish.entity_words == ("payments",)


def test_a_question_without_a_symptom_wishes_nothing():
    """What broke? leaves the symptom to be found."""
    wish = symptom_wish("what broke?")
    assert (wish.statuses, wish.kinds, wish.entity_words) == (frozenset(), frozenset(), ())


@pytest.mark.parametrize(
    ("text", "felt"),
    [
        ("orders arrive late", True),
        ("mails are late since Tuesday", True),
        ("what broke late on Tuesday?", False),
        ("what failed late last night?", False),
        ("checkout broke late in the evening", False),
        ("why did sales stop of late?", False),
    ],
)
def test_late_is_what_is_felt_or_when(text, felt):
    """Who says when it was does not ask why something is slow."""
    assert felt is (Kind.LATENCY in symptom_wish(text).kinds)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("why the 502s?", "HTTP 502"),
        ("5xx at web, why?", "HTTP 5xx"),
        ("502, 503 or 504 at web", "HTTP 502, 503 and 504"),
        ("404s and 5xx", "HTTP 404 and 5xx"),
        ("what broke?", ""),
    ],
)
def test_statuses_are_told_as_they_were_asked_for(text, told):
    """Who asks for any 5xx did not ask about 500."""
    assert symptom_wish(text).status_words == told


def test_slowness_is_latency_and_5xx_every_server_error():
    """Symptoms are named in people's words."""
    assert Kind.LATENCY in symptom_wish("checkout is slow").kinds
    assert {500, 502, 504} <= symptom_wish("5xx at the gateway").statuses


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_understood_as_something(text):
    """No input breaks the parser, and the intent is one of the known."""
    known = {intent for _, intent in INTENT_WORDS} | {"unknown"}
    assert ask(text).intent in known
    symptom_wish(text)


@pytest.mark.parametrize("text", ["what did people say?", "what do users complain about?", "what did they say?"])
def test_what_people_say_stands_in_no_log(text):
    """Nobody who asks what people said is shown the lines of a log."""
    assert ask(text).intent != "show_evidence"
