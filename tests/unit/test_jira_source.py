"""Jira as a source: issues of the window by both deployments' paging, and nothing that is restricted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from jira_stage import change, comment, doc, issue, jira
from unit.export_sink import RecordingSink

from bot.domain.items import ChatMessage
from bot.domain.scope import Scope
from bot.domain.window import Window
from bot.investigation.gather import gather_all
from bot.playground.jira import Fault
from bot.sources.jira import JiraSource

WINDOW = Window(start=datetime(2026, 11, 17, tzinfo=UTC), end=datetime(2026, 11, 22, tzinfo=UTC), asked="5d")
SILENT = lambda _stage, _done, _total: None  # noqa: E731 - the shortest way to say nothing

both = pytest.mark.parametrize("cloud", [True, False], ids=["cloud", "datacenter"])


def read(settings, question=""):
    """Read into a sink that records."""
    sink = RecordingSink()
    JiraSource(settings, Scope(window=WINDOW, question=question)).gather(sink, SILENT)
    return sink


def said(sink):
    """Give what was stored, in order."""
    return [(each.key, each.part, each.author, each.text) for each in sink.tickets]


@both
def test_description_comments_and_changes_are_read(tmp_path, cloud):
    """A document becomes text, a time UTC, and each entry links to its place."""
    body = doc("Is it the gateway?") if cloud else "Is it the gateway?"
    issues = [issue(comments=[comment(11, body)], changes=[change("status", "Open", "In Progress")])]
    with jira(issues, tmp_path, cloud=cloud) as (server, settings):
        sink = read(settings)
    assert said(sink) == [
        ("OPS-7", "description", "Maren", "502s at the edge\n\nEvery six hours."),
        ("OPS-7", "comment", "Ada", "Is it the gateway?"),
        ("OPS-7", "change", "Grace", "status: Open → In Progress"),
    ]
    assert datetime(2026, 11, 18, 11, tzinfo=UTC) == sink.tickets[1].at
    assert f"{server.url}/browse/OPS-7?focusedCommentId=11" == sink.tickets[1].url
    assert [] == sink.gaps
    assert [("jira", server.url)] == [each[:2] for each in sink.reads]


@both
def test_every_page_is_read(tmp_path, cloud):
    """Issues, comments and changes come in pages; all of them are stored, once."""
    many = [comment(n, f"c{n}") for n in range(45)]
    changes = [change("rank", str(n), str(n + 1)) for n in range(45)]
    issues = [
        issue(f"OPS-{n}", comments=many if n == 3 else (), changes=changes if n == 3 else ()) for n in range(1, 26)
    ]
    with jira(issues, tmp_path, cloud=cloud, page=10) as (_server, settings):
        sink = read(settings)
    assert 25 + 45 + 45 == len(sink.tickets)
    assert {f"c{n}" for n in range(45)} == {each.text for each in sink.tickets if each.part == "comment"}


@both
def test_what_is_restricted_is_left_out_and_counted(tmp_path, cloud):
    """Security levels, comments of a role, notes for agents; other projects are not even asked for."""
    comments = [
        comment(1, "for all"),
        comment(2, "for admins", visibility={"type": "role", "value": "Administrators"}),
        comment(3, "for agents", jsdPublic=False),
    ]
    issues = [issue(comments=comments), issue("OPS-8", security={"name": "Board"}), issue("HR-1", comments=comments)]
    with jira(issues, tmp_path, cloud=cloud) as (_server, settings):
        sink = read(settings)
    assert ["OPS-7", "OPS-7"] == [each.key for each in sink.tickets]
    assert {("issues with a security level, left out", 1), ("comments restricted to a group or role, left out", 2)} == {
        (gap.what, gap.count) for gap in sink.gaps
    }
    assert not sink.lost()


def test_the_window_holds_for_entries_and_named_issues_come_whatever_their_age(tmp_path):
    """Comments outside of the window are nobody's; an old issue that the question names is read."""
    inside, before = comment(1, "inside"), comment(2, "before", at="2026-11-16T23:59:59.000+0000")
    after = comment(3, "after", at="2026-11-22T00:00:00.000+0000")
    old = issue("OPS-1", created="2025-01-01T00:00:00.000+0000", updated="2025-01-02T00:00:00.000+0000")
    with jira([issue(comments=[inside, before, after]), old], tmp_path) as (_server, settings):
        unnamed, named = read(settings), read(settings, "is OPS-1 back? UTF-8 and OPS-99 aside")
    assert ["502s at the edge\n\nEvery six hours.", "inside"] == [each.text for each in unnamed.tickets]
    assert ["OPS-1", "OPS-7", "OPS-7"] == [each.key for each in named.tickets]
    assert ["issues that the question names and Jira does not show to this account"] == [gap.what for gap in named.gaps]


def test_without_projects_nothing_is_read(tmp_path):
    """The account sees more than who asks, so projects are named or nothing is."""
    with jira([issue()], tmp_path) as (server, settings):
        sink = read(replace(settings, projects=()))
        assert [] == server.calls
    assert [] == sink.tickets
    assert sink.lost("no project may be read")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("500", "HTTP 500"),
        ("429", "HTTP 429"),
        ("401", "does not accept the credentials"),
        ("login", "a web page came"),
        ("lost", "the connection"),
        ("hang", "ran out"),
    ],
)
def test_a_failure_midway_keeps_what_came(tmp_path, kind, words):
    """The first page stays, the rest is a Gap in words."""
    issues = [issue(f"OPS-{n}") for n in range(1, 8)]
    fault = Fault(kind=kind, path="search", skip=1, count=9)
    with jira(issues, tmp_path, page=5, faults=[fault], deadline_s=1.5) as (_server, settings):
        sink = read(settings)
    assert 5 == len(sink.tickets)
    assert sink.lost(words)


@both
def test_doctor_says_what_is_readable(tmp_path, cloud):
    """A project that the account cannot browse is a warning, a wrong token is wrong."""
    with jira([issue()], tmp_path, cloud=cloud) as (server, settings):
        scope = Scope(window=WINDOW)
        assert ["ok"] == [each.state for each in JiraSource(settings, scope).examine()]
        assert ["warning"] == [each.state for each in JiraSource(replace(settings, projects=("PAY",)), scope).examine()]
        server.token = "another"
        assert ["wrong"] == [each.state for each in JiraSource(settings, scope).examine()]


class Chat:
    """A chat that says something."""

    name = "slack"
    deadline_s = 30.0

    def __init__(self, *texts):
        self._texts = texts

    def gather(self, sink, progress):
        """Say it."""
        for n, (text, raw) in enumerate(self._texts):
            at = WINDOW.start + timedelta(minutes=n)
            sink.add_message(
                ChatMessage(at=at, channel="C1", author="ada", is_bot=False, text=text, ts=f"{n}.0", thread_ts=None, permalink=None, raw=raw)
            )  # fmt: skip


@both
def test_issues_that_chat_names_are_looked_up(tmp_path, cloud):
    """By key or within a link, however old; of configured projects alone, and none twice."""
    old = {"created": "2025-01-02T00:00:00.000+0000", "updated": "2025-01-02T00:00:00.000+0000"}
    issues = [issue("OPS-7"), issue("OPS-2", summary="Raise the limit", **old), issue("OPS-3", **old), issue("OPS-4", **old), issue("SEC-1", **old)]  # fmt: skip
    with jira(issues, tmp_path, cloud=cloud) as (server, settings):
        sink = RecordingSink()
        link = f'{{"text":"<{server.url}/browse/OPS-3|this one>"}}'.encode()
        chat = Chat(("like OPS-2? see UTF-8, SEC-1, OPS-99", b""), ("this one", link), ("OPS-7 again", b""))
        gather_all([JiraSource(settings, Scope(window=WINDOW)), chat], sink, SILENT)
    assert ["OPS-2", "OPS-3", "OPS-7"] == sorted(each.key for each in sink.tickets)
    assert 1 == sink.odd("chat names and Jira does not show")
    assert not sink.lost()


def test_chat_that_names_many_issues_costs_a_bounded_look(tmp_path):
    """The first are looked up, the rest are said; and nothing is where Jira could not be read before."""
    with jira([issue("OPS-7")], tmp_path) as (server, settings):
        sink = RecordingSink()
        chat = Chat((" ".join(f"OPS-{n}" for n in range(100, 130)), b""))
        gather_all([JiraSource(settings, Scope(window=WINDOW)), chat], sink, SILENT)
        assert 10 == sink.lost("chat names beyond the first")[0].count
        server.faults.append(Fault(kind="401", count=9))
        calls = len(server.calls)
        gather_all([JiraSource(settings, Scope(window=WINDOW)), chat], RecordingSink(), SILENT)
        assert 1 == len(server.calls) - calls
