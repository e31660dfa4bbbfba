"""People's theories: found verbatim in their words, judged by telemetry."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.analyst.claim_checks import Record
from bot.analyst.claims import find_claims, judge_claim
from bot.analyst.findings import Around
from bot.domain.entity import Entity
from bot.domain.items import ChatMessage, ItemId, SourceCoverage, TicketEntry
from bot.domain.link import Chain, Link, LinkTest
from bot.domain.signal import History, Kind, Occurrence, Signal, signal_id

AT = datetime(2026, 11, 19, 9, tzinfo=UTC)
ETL = Entity("CronJob", "orders-etl", "data")
API = Entity("Deployment", "checkout-api", "shop")
GATEWAY = Entity("Deployment", "edge-gateway", "edge")
WORKER = Entity("Deployment", "mailer", "shop")


def signal(kind, entity):
    occurrences = (Occurrence(start_s=AT.timestamp(), end_s=AT.timestamp()),)
    return Signal(
        id=signal_id(kind, entity),
        kind=kind,
        entity=entity,
        label="it happened",
        source="",
        occurrences=occurrences,
        total=1,
    )


JOB, DOWN, FELT = signal(Kind.JOB_RUN, ETL), signal(Kind.SCALE_DOWN, API), signal(Kind.SERVER_ERROR, GATEWAY)
OOM, NETWORK = signal(Kind.OOM_KILL, WORKER), signal(Kind.ROLLOUT, API)
SIGNALS = [JOB, DOWN, FELT, OOM, NETWORK]


def link(cause, effect, status, hits=3, misses=0):
    test = LinkTest(
        status=status,
        test="shift",
        hits=hits,
        misses=misses,
        unexplained=0,
        lag=None,
        p_value=0.01,
        lag_range_s=(0, 60),
    )
    return Link(cause=cause.id, effect=effect.id, mechanism="timing", scope="cluster", plausibility=1, test=test)


LINKS = [link(JOB, DOWN, "supported"), link(DOWN, FELT, "supported"), link(NETWORK, FELT, "refuted", 0, 4)]
CHAIN = Chain(
    signals=(JOB, DOWN, FELT),
    links=tuple(LINKS[:2]),
    explained=(0,),
    end_to_end=link(JOB, FELT, "supported").test,
    score=1,
)


def message(text, author="Ann", is_bot=False, minute=0):
    at = AT + timedelta(minutes=minute)
    return (
        ItemId(f"C{minute}"),
        ChatMessage(
            at=at, channel="inc", author=author, is_bot=is_bot, text=text, ts="1", thread_ts=None, permalink="https://x/1", raw=b""
        ),
    )  # fmt: skip


def found(text, **more):
    return find_claims([message(text, **more)], [], SIGNALS)


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("Morning all. I think it's the network. Coffee?", "I think it's the network."),
        ("looks like yesterday's deploy", "looks like yesterday's deploy"),
        ("gateway bug?", "gateway bug?"),
        ("the 502s are caused by the mailer", "the 502s are caused by the mailer"),
        ("must be dns :(", "must be dns :("),
        ("I suspect the orders-etl job v1.2 again!", "I suspect the orders-etl job v1.2 again!"),
        ("line one\nprobably the database\nline three", "probably the database"),
    ],
)
def test_a_proposed_cause_is_quoted_verbatim(text, quote):
    """The sentence that proposes a cause is cut out word for word."""
    assert [claim.quote for claim in found(text)] == [quote]
    assert quote in text


@pytest.mark.parametrize(
    "text",
    ["still seeing 502s", "it's not the network", "network is unrelated I think", "anyone around?", "I think so too"],
)
def test_reports_denials_and_small_talk_are_no_claims(text):
    """Only a proposal that points at something counts."""
    assert found(text) == []


def test_bots_are_not_people():
    """An alert's wording is no theory."""
    assert found("probably the network", is_bot=True) == []
    assert found("probably the network", author="Jira Automation") == []


def test_a_theory_is_listed_once_per_person():
    """Repeating it does not make it two claims; another person's is another."""
    said = [message("I think it's dns", minute=minute) for minute in (0, 1)] + [message("must be dns", "Bob", minute=2)]
    assert [(claim.author, claim.item) for claim in find_claims(said, [], SIGNALS)] == [("Ann", "C0"), ("Bob", "C2")]


def test_tickets_count_but_their_changelog_does_not():
    """A comment may hold a theory; a field change does not."""
    entries = [
        (
            ItemId(f"J{number}"),
            TicketEntry(at=AT, key="INC-1", part=part, author="Cy", text="root cause is the mailer", url=None, raw=b""),
        )
        for number, part in enumerate(("comment", "change"))
    ]
    assert [claim.item for claim in find_claims([], entries, SIGNALS)] == ["J0"]


def judged(text, chain=CHAIN):
    return judge_claim(found(text)[0], chain, Record(signals=SIGNALS, links=LINKS, symptom=FELT))


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("I bet it's the etl", "supported"),
        ("maybe the hpa scale-down kills something", "supported"),
        ("looks like yesterday's deploy", "refuted"),
        ("gateway bug?", "refuted"),
        ("must be the network", "untested"),
        ("I suspect the mailer", "untested"),
    ],
)
def test_telemetry_judges_a_claim(text, status):
    """On the cascade: supported; tested and failed, or merely where it was felt: refuted; unseen: untested."""
    claim = judged(text)
    assert claim.status == status
    assert claim.reason
    assert claim.permalink == "https://x/1"


def test_without_a_cascade_a_theory_is_still_held_against_the_symptom():
    """What the symptom follows stays open, what it never follows is refuted, cause or no cause."""
    assert judged("I bet it's the etl", None).status == "untested"
    late = replace(NETWORK, occurrences=(Occurrence(start_s=AT.timestamp() + 60, end_s=AT.timestamp() + 60),))
    record = Record(signals=[FELT, late], links=[link(late, FELT, "refuted", 0, 1)], symptom=FELT)
    claim = judge_claim(found("looks like yesterday's deploy")[0], None, record)
    assert claim.status == "refuted"
    assert "did not begin" in claim.reason or "had begun before" in claim.reason


def test_a_lasting_change_before_the_symptom_is_not_refuted_without_a_cause():
    """A rollout goes on having effect: that nothing followed at once does not clear it while no cause is known."""
    early = replace(NETWORK, occurrences=(Occurrence(start_s=AT.timestamp() - 40_000, end_s=AT.timestamp() - 40_000),))
    record = Record(signals=[FELT, early], links=[link(early, FELT, "refuted", 0, 1)], symptom=FELT)
    claim = judge_claim(found("looks like yesterday's deploy")[0], None, record)
    assert claim.status == "untested"
    assert "goes on having effect" in claim.reason


BASKET = Entity("Deployment", "basket", "shop")
SEEN_EVENT = replace(OOM, source="kubernetes/events")


def coverage(source, status="complete", items=7):
    return SourceCoverage(source=source, status=status, items=items, bytes=1, first_at=None, last_at=None)


def of_basket(text="basket's deploy did it", **more):
    claim = find_claims([message(text)], [], SIGNALS, [BASKET])[0]
    return judge_claim(claim, CHAIN, Record(signals=[*SIGNALS, SEEN_EVENT], links=LINKS, symptom=FELT, **more))


def test_a_deploy_that_never_was_is_refuted_by_the_history_and_the_events():
    """A source that would have shown it was read whole, and says how much that was."""
    history = {BASKET: History(made_s=(AT.timestamp() - 9e5, AT.timestamp() - 8e5))}
    claim = of_basket(coverage=[coverage("kubernetes/events"), coverage("kubernetes/objects")], histories=history)
    assert claim.status == "refuted"
    assert "No rollout of Deployment shop/basket in the window" in claim.reason
    assert "2 revisions" in claim.reason
    assert "7 events" in claim.reason


@pytest.mark.parametrize("status", ["missing", "partial"])
def test_a_deploy_is_not_refuted_by_a_source_that_was_not_read(status):
    """Where nothing that would show it was read whole, the claim could not be checked, and the source is named."""
    claim = of_basket(coverage=[coverage("kubernetes/events", status), coverage("kubernetes/objects", status)])
    assert claim.status == "untested"
    assert "could not be checked" in claim.reason
    assert "kubernetes/events" in claim.reason


def test_a_name_that_nothing_bears_is_not_taken_for_another_things_deploy():
    """Somebody's deploy whom nobody knows is no rollout of somebody else."""
    claim = find_claims([message("carrier's deploy did it")], [], SIGNALS)[0]
    judged_so = judge_claim(claim, CHAIN, Record(signals=SIGNALS, links=LINKS, symptom=FELT))
    assert judged_so.status == "untested"
    assert "“carrier”" in judged_so.reason


def test_the_shortest_theories_are_heard():
    """A name and a change with a question mark is a theory; a reassurance is none."""
    for text in ("basket deploy?", "did basket deploy something?", "yesterday's basket rollout, I'd roll it back"):
        assert [claim.entities for claim in find_claims([message(text)], [], SIGNALS, [BASKET])] == [(BASKET,)], text
    assert find_claims([message("p99 looks fine to me?"), message("lunch?", minute=1)], [], SIGNALS, [BASKET]) == []


@pytest.mark.parametrize(("chance", "status"), [(0.4, "refuted"), (0.02, "untested"), (0.001, "untested")])
def test_a_worry_in_a_quiet_window_is_answered_with_what_failed_then(chance, status):
    """Where nothing stands out, the failures of those hours are counted."""
    worry = find_claims([message("is it me or is edge-gateway acting up?")], [], SIGNALS, quiet=True)[0]

    def around(moments_s, reach_s):
        return Around(who=GATEWAY, count=3, expected=2.5, p_value=chance, reach_s=reach_s)

    claim = judge_claim(worry, None, Record(signals=[], links=[], around=around))
    assert claim.status == status
    assert "3 responses of edge-gateway failed within 3 h before this was said" in claim.reason
    assert find_claims([message("is it me or is edge-gateway acting up?")], [], SIGNALS) == []


def test_a_rebooted_node_is_no_restarted_container():
    """Whoever asks after nodes means nodes; where restarts were seen elsewhere, none is denied for all of the case."""
    (claim,) = found("nodes get rebooted?")
    assert frozenset({Kind.NODE_FAILURE}) == claim.kinds
