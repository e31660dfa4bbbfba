"""Answers in the thread agree with the report: of what is ruled out, of what is left open, of what came all along."""

from dataclasses import replace
from datetime import timedelta

import pytest
from test_followup import (
    CONTEXT,
    END,
    FELT,
    GATEWAY,
    REPORT,
    RUN,
    START,
    WORKER,
    Item,
    Store,
    ask,
    pair_test,
    signal,
    step,
)

from bot.domain.items import ItemId
from bot.domain.report import Cascade, RuledOut, Symptom
from bot.domain.signal import Kind

ROLLED_AT = START + timedelta(days=1)
ROLLED = replace(signal(Kind.ROLLOUT, WORKER, [ROLLED_AT], "V3", "rolled out"))
ROLLED = replace(ROLLED, occurrences=(replace(ROLLED.occurrences[0], note="worker: 1.4.0 → 1.5.0"),))
FITTING = replace(pair_test(FELT, FELT), status="supported", hits=1, misses=0, unexplained=0, effects=1, p_value=0.006)
OPEN = replace(REPORT, verdict="inconclusive", confidence="low", root_cause=None, cascade=Cascade(), ruled_out=())


def part(reason, *, summary="one rollout, Wed 18 Nov 00:00Z", entity=WORKER):
    return RuledOut(
        entity=entity, summary=summary, reason=reason, test="", evidence=("E4",), times=((ROLLED_AT, ROLLED_AT),)
    )


def asked(text, report, *signals, test=FITTING):
    return ask(text, report=report, signals=[ROLLED, *signals, FELT], test=lambda *_: test, symptom=FELT)


@pytest.mark.parametrize(
    "text", ["was the worker rollout related?", "is it worker 1.5.0?", "did worker 1.5.0 cause it?"]
)
def test_what_the_report_rules_out_or_leaves_open_is_so_in_the_thread(text):
    """The numbers alone would say "it may be" of it: the report's reason is given, in its sense."""
    out = asked(text, replace(REPORT, ruled_out=(part("another failed first"),)))
    assert ("unrelated", True) == (out.verdict, "another failed first" in out.answer)
    left = asked(text, replace(REPORT, ruled_out=(), undecided=(part("its times fit, too"),)))
    assert ("unknown", True) == (left.verdict, "its times fit, too" in left.answer)
    assert asked(text, OPEN).verdict == "related"


def test_what_fits_as_well_keeps_the_answer_open():
    """Where the report leaves another change open that fits as well, the first to be named is not half a yes."""
    rival = part("an episode followed it: its times fit, but no cause was established", entity=GATEWAY)
    told = asked("is it worker 1.5.0?", replace(OPEN, undecided=(rival,)))
    assert told.verdict == "unknown"
    assert "Deployment edge/edge-gateway fits as well" in told.answer


def test_a_rollback_that_was_tried_is_told():
    """The release was put back and the errors went on: that is the answer to "does rolling it back help?"."""
    vain = part(
        "it was undone at Wed 18 Nov 01:00Z, and HTTP 502 responses went on",
        summary="one rollout, and put back as it was",
    )
    told = asked("would rolling worker back have helped?", replace(REPORT, ruled_out=(vain,)))
    assert told.answer.startswith("It did not help. Deployment payments/worker: it was undone at Wed 18 Nov 01:00Z")
    left = asked(
        "does rolling back the worker help?", replace(REPORT, ruled_out=(), undecided=(part("its times fit"),))
    )
    assert left.answer.startswith("It may: Deployment payments/worker is not ruled out")


def test_what_came_all_along_is_not_called_unseen():
    """Deadlocks that a log tells evenly for days are there, with a line of them, and have no episode."""
    even = replace(
        signal(Kind.DEADLOCK, WORKER, [], "L1", "deadlock"), total=216, attributes={"steady": "yes", "sample": "L1"}
    )
    told = asked("are the deadlocks related?", REPORT, even)
    assert "deadlocked all along: 216 lines in 5 d" in told.answer
    assert (told.verdict, {entry.quote for entry in told.evidence.values()}) == ("unrelated", {"GET /pay 502"})
    assert "216 lines" in asked("any deadlocks?", REPORT, even).answer
    day = replace(REPORT.symptom, episodes=(replace(REPORT.symptom.episodes[0], start=START, end=END),))
    assert asked("are the deadlocks related?", replace(REPORT, symptom=day), even).verdict == "unknown"


def test_what_changed_before_ends_where_it_was_felt():
    """A change after the first episode is no answer to what changed before."""
    late = signal(Kind.CONFIG_CHANGE, GATEWAY, [START + timedelta(days=2)], "V2", "changed")
    soon = signal(Kind.ROLLOUT, WORKER, [START + timedelta(hours=1)], "V3", "rolled out")
    told = ask("what changed before?", signals=[soon, late, FELT], symptom=FELT)
    assert "worker was rolled out" in told.answer
    assert "edge-gateway" not in told.answer


LINES = [
    Item(
        ItemId(f"L{10 + at}"),
        START + timedelta(hours=7),
        "kubernetes/logs",
        "payments/worker-x/app",
        text,
        text.encode(),
    )
    for at, text in enumerate(
        [
            '{"level": 50, "tenant": "acme-eu", "msg": "quote broke"}',
            '{"level": 50, "tenant": "cordoba-eu", "msg": "quote broke"}',
            '{"level": 30, "tenant": "delta-us", "msg": "quote given"}',
        ]
    )
]


class Lines(Store):
    """The lines beside the rest."""

    def item(self, item):
        """Look one up."""
        return next((each for each in LINES if each.id == item), super().item(item))


@pytest.mark.parametrize(("text", "there"), [("which tenants are hit?", True), ("which regions are affected?", False)])
def test_who_is_hit_is_counted_where_lines_name_it(text, there):
    """Tenants in the failing lines, and those in the others alone; what no line names is told as before."""

    def search(words, *_):
        hits = [each for each in LINES if words in each.text]
        return type("Found", (), {"hits": hits, "total": len(hits)})()

    told = ask(text, search=search, evidence=Lines())
    expected = (
        "Of 2 lines that fail and name a tenant: acme-eu (1), cordoba-eu (1). In the 1 other line alone: delta-us."
    )
    assert (expected in told.answer, "Only the first" in told.answer) == (there, False)

    def more(words, *_):
        return type("Found", (), {"hits": LINES[:2], "total": 5000})()

    told = ask("which tenants are hit?", search=more, evidence=Lines())
    assert "Only the first 2 of the 5,000 lines that name one were read." in told.answer


def test_events_are_not_counted_as_lines():
    """Three crash loops seen in events are no log lines, and the worst of ones with one each is not told."""
    felt = Symptom(
        summary="worker kept crashing 3 times",
        entity=WORKER,
        episodes=REPORT.symptom.episodes[:3],
        explained=0,
        unexplained=3,
        evidence=("E4",),
    )
    told = ask("who is affected?", report=replace(REPORT, symptom=felt))
    assert "3 events in 3 episodes." in told.answer


def test_sources_that_are_missing_are_told_in_one_breath():
    """Two sources were not there at all, in one clause."""
    rows = tuple(replace(REPORT.coverage[0], source=name) for name in ("prometheus", "jira"))
    assert (
        "Not seen: prometheus and jira were not there at all."
        in ask("what did you not see?", report=replace(REPORT, coverage=rows)).answer
    )
    assert CONTEXT.report.coverage[0].source == "jira"


def test_what_ended_it_is_told_with_what_stands_near():
    """A change two minutes before the last failure stands near; where nothing does, or it goes on, that is said."""
    soon = signal(Kind.CONFIG_CHANGE, WORKER, [END - timedelta(hours=6) - timedelta(minutes=2)], "V2", "changed")
    felt = replace(REPORT.symptom, episodes=(replace(REPORT.symptom.episodes[0], end=END - timedelta(hours=6)),))
    told = ask("what ended it?", report=replace(REPORT, symptom=felt), signals=[soon, FELT])
    assert told.answer.startswith("It was last seen Sat 21 Nov 18:00Z. What stands near that")
    assert "the configuration in Deployment payments/worker was changed" in told.answer
    alone = ask("what ended it?", report=replace(REPORT, symptom=felt), signals=[FELT])
    assert "nothing that was seen ended it" in alone.answer
    on = replace(REPORT.symptom, episodes=(replace(REPORT.symptom.episodes[0], end=END),))
    assert "still so when the data ends" in ask("what ended it?", report=replace(REPORT, symptom=on)).answer


REQUESTS = [
    Item(ItemId(f"L{20 + n}"), START + timedelta(minutes=n), "kubernetes/logs", "edge/traefik-x/app", text, text.encode())
    for n, text in enumerate(
        [
            '{"ClientHost": "192.0.2.9", "DownstreamStatus": 404, "Duration": 1}',
            '{"ClientHost": "192.0.2.9", "Duration": 404, "DownstreamStatus": 200, "size": 404}',
            '{"ClientHost": "192.0.2.9", "Duration": 2, "DownstreamStatus": 404}',
        ]
    )
]  # fmt: skip


def asking_requests(more=0):
    """Search the request lines, of which there may be more than are given."""

    def search(words, *_):
        hits = [each for each in REQUESTS if words in each.text]
        return type("Found", (), {"hits": hits, "total": len(hits) + more})()

    return search


class Requests(Store):
    """Request lines beside the rest."""

    def item(self, item):
        """Look one up."""
        return next((each for each in REQUESTS if each.id == item), super().item(item))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("who got the 404s?", "answered"), ("any 404s?", "answered"), ("are the 404s related?", "unknown")],
)
def test_a_status_that_stands_in_lines_is_not_unseen(text, verdict):
    """No event counts them, and yet they are there, with whose requests they were."""
    told = ask(text, search=asking_requests(), evidence=Requests())
    assert "2 lines hold the status 404, and were counted into no event; asked by 192.0.2.9 (2)." in told.answer
    assert (told.verdict, len(told.evidence)) == (verdict, 2)


def test_a_status_that_is_told_is_not_called_uncounted():
    """Who got them is answered beside the event that counts them, and more lines than are read are said to be more."""
    counted = replace(FELT, kind=Kind.CLIENT_ERROR, attributes={"status": "404"})
    told = ask("who got the 404s?", search=asking_requests(more=9), evidence=Requests(), signals=[counted])
    assert told.answer.startswith("At least 2 lines hold the status 404; asked by 192.0.2.9 (2).")


def test_since_when_is_told_of_a_status_without_an_incident():
    """No incident was found, and yet the lines say when the first of them came."""
    calm = replace(OPEN, verdict="no_incident", symptom=None, question="since when the 404s?")
    told = ask("since when do we have them?", report=calm, search=asking_requests(), evidence=Requests(), signals=[])
    assert "2 lines hold the status 404: the first Tue 17 Nov 00:00Z, the last Tue 17 Nov 00:02Z" in told.answer
    told = ask(
        "since when do we have them?", report=calm, search=asking_requests(more=9), evidence=Requests(), signals=[]
    )
    assert told.answer.startswith(
        "No incident rises above the everyday, but at least 2 lines hold the status 404: the first"
    )
    assert "the last" not in told.answer
    slow = replace(calm, question="since when do requests take 404 ms?")
    assert "nothing began" in ask("since when?", report=slow, search=asking_requests(), signals=[]).answer
    assert "nothing began" in ask("since when do we have them?", report=calm, signals=[]).answer


def test_would_rolling_back_have_helped_is_answered_without_a_name():
    """What begins with a job cannot be put back; where no cause was named, the change that is left open is told."""
    told = ask("would rolling back have helped?")
    assert told.answer.startswith("No: what it begins with, ")
    steps = (replace(REPORT.cascade.steps[0], mechanism="rollout"), *REPORT.cascade.steps[1:])
    back = replace(REPORT.recommendations[0], summary="Roll it back", effect="would have spared 19 of 19")
    begun = replace(REPORT, cascade=replace(REPORT.cascade, steps=steps), recommendations=(back,))
    assert ask("would rolling back have helped?", report=begun).answer.endswith(
        "Roll it back: would have spared 19 of 19."
    )
    left = asked("would rolling back have helped?", replace(OPEN, undecided=(part("its times fit"),)))
    assert left.answer.startswith("Of Deployment payments/worker it may: not ruled out")


def test_where_it_is_felt_is_not_the_reason():
    """Asked for the cause, the place that answers with the errors is none; asked for a part in it, it is its end."""
    told = ask("is the gateway the reason?")
    assert (told.verdict, told.answer.startswith("No: it is what was felt")) == ("unrelated", True)
    assert ask("is the gateway involved?").verdict == "related"
    assert ask("is the gateway the cause or the victim?").verdict == "related"
    cut = signal(Kind.CONNECTION_RESET, GATEWAY, [START + timedelta(hours=6, minutes=30)], "L1", "cut off")
    first, _, last = REPORT.cascade.steps
    seen_twice = replace(REPORT, cascade=replace(REPORT.cascade, steps=(first, step("S2", cut, "E3"), last)))
    told = ask("is the gateway the reason?", report=seen_twice, signals=[RUN, cut, FELT])
    assert (told.verdict, told.answer.startswith("No: it is where it was felt")) == ("unrelated", True)
