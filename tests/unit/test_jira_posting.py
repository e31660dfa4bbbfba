"""A report becomes one comment, whatever is pressed twice, lost or planted."""

import asyncio
from dataclasses import replace

import pytest
from jira_stage import comment, issue, jira
from sample_report import REPORT

from bot.errors import TicketBusyError, TicketRefusedError
from bot.playground.jira import ME, Fault
from bot.sources.jira import JiraTickets

MARK = "rc-0123456789abcdef0123"

both = pytest.mark.parametrize("cloud", [True, False], ids=["cloud", "datacenter"])


def post(settings, ticket="OPS-7", mark=MARK, deadline_s=3.0):
    """Post the sample."""
    return asyncio.run(JiraTickets(settings, deadline_s).comment(ticket, mark, REPORT))


@both
def test_the_report_is_written_once(tmp_path, cloud):
    """Twice asked, once written, twice the same address; another case gets its own comment."""
    with jira([issue()], tmp_path, cloud=cloud) as (server, settings):
        first, second, other = post(settings), post(settings), post(settings, mark="rc-ffff")
        assert first == second != other
        assert f"{server.url}/browse/OPS-7?focusedCommentId=90001" == first
        written = server.written("OPS-7") if cloud else [each["body"] for each in server.comments("OPS-7")]
    assert 2 == len(written)
    assert "Cause found: high confidence" in written[0]
    assert "Replace VACUUM FULL by VACUUM" in written[0]
    assert MARK in written[0]


@both
def test_a_lost_reply_is_not_written_again(tmp_path, cloud):
    """Jira took the comment and its answer got lost: the next attempt finds it."""
    fault = Fault(kind="lost", method="POST")
    with jira([issue()], tmp_path, cloud=cloud, faults=[fault]) as (server, settings):
        with pytest.raises(TicketBusyError):
            post(settings)
        post(settings)
        assert 1 == len(server.comments("OPS-7"))


@both
def test_the_mark_in_another_persons_comment_counts_for_nothing(tmp_path, cloud):
    """Who plants the mark does not keep the report out; ours is found behind hundreds of comments."""
    planted = [comment(n, f"see {MARK}", who="mallory") for n in range(250)]
    with jira([issue(comments=planted)], tmp_path, cloud=cloud, page=40) as (server, settings):
        post(settings)
        server.comments("OPS-7").extend(comment(1000 + n, "me too") for n in range(150))
        post(settings)
        ours = [each for each in server.comments("OPS-7") if ME in str(each["author"])]
    assert 1 == len(ours)


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault(kind="401", method="POST"), TicketRefusedError, "renew it"),
        (Fault(kind="403", method="POST"), TicketRefusedError, "Add Comments"),
        (Fault(kind="500", method="POST"), TicketBusyError, "HTTP 500"),
        (Fault(kind="429", method="GET"), TicketBusyError, "HTTP 429"),
        (Fault(kind="login", method="POST"), TicketBusyError, "a web page"),
        (Fault(kind="hang", method="POST"), TicketBusyError, "ran out"),
    ],
)
def test_failures_are_told_in_a_sentence(tmp_path, fault, error, words):
    """What may come out better is tried again by the desk, the rest says what to do; one attempt sends once."""
    with jira([issue()], tmp_path, faults=[fault]) as (server, settings):
        with pytest.raises(error, match=words):
            post(settings, deadline_s=1.0)
        assert 1 >= sum(method == "POST" for method, _ in server.calls)
        assert [] == server.comments("OPS-7")


def test_what_may_not_be_written_to_is_refused(tmp_path):
    """No such issue, one with a security level, one that was moved to another project."""
    with jira([issue(), issue("OPS-8", security={"name": "Board"})], tmp_path) as (server, settings):
        server.issues["OPS-9"] = issue("PAY-9")
        for key, words in (("OPS-404", "shows no issue"), ("OPS-8", "security level"), ("OPS-9", "is PAY-9 now")):
            with pytest.raises(TicketRefusedError, match=words):
                post(settings, ticket=key)
        assert not [call for call in server.calls if call[0] == "POST"]


def test_a_long_report_is_cut_to_what_jira_takes(tmp_path):
    """What comes first is kept, the cut is said, and the mark still stands in it."""
    more = {f"E{n}": replace(REPORT.evidence["E1"], quote=f"{n} " + "word " * 60) for n in range(10, 300)}
    long = replace(REPORT, evidence=REPORT.evidence | more)
    for cloud in (True, False):
        with jira([issue()], tmp_path, cloud=cloud) as (server, settings):
            asyncio.run(JiraTickets(settings).comment("OPS-7", MARK, long))
            body = str(server.comments("OPS-7")[0]["body"])
        assert MARK in body
        assert "did not fit" in body
        assert "First fix" in body
