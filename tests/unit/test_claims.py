"""People's theories: found verbatim in their words, judged by telemetry."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.analyst.claims import find_claims, judge_claim
from bot.domain.entity import Entity
from bot.domain.items import ChatMessage, ItemId, TicketEntry
from bot.domain.link import Chain, Link, LinkTest
from bot.domain.signal import Kind, Occurrence, Signal, signal_id

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
    return judge_claim(found(text)[0], chain, LINKS, SIGNALS)


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


def test_without_a_cascade_nothing_is_judged():
    """An inconclusive case judges nobody."""
    assert judged("I bet it's the etl", None).status == "untested"
