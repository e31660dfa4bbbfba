"""A live channel: what is read, in which words it is kept, and what is said where Slack does not answer."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from export_sink import RecordingSink
from slack_workspace import SlackWorkspace

from bot.domain.window import Window
from bot.sources.slack import Pace, SharedPace, SlackSource, web_api

START = 1_795_305_600
WINDOW = Window(start=datetime.fromtimestamp(START, UTC), end=datetime.fromtimestamp(START + 86_400, UTC), asked="1d")


def said(at, text="hm", **more):
    """Give a message so many seconds into the window."""
    return {"type": "message", "user": "U1", "ts": f"{START + at}.000100", "text": text, **more}


def thread(at, text="why?", replies=(), **more):
    """Give a root that has replies."""
    ts = f"{START + at}.000100"
    latest = f"{START + max(replies, default=at)}.000100"
    return said(at, text, thread_ts=ts, reply_count=len(replies), latest_reply=latest, **more)


def answers(root, *at):
    """Give the replies of a root, by its second."""
    return {
        f"{START + root}.000100": [said(each, f"a{each}", user="U2", thread_ts=f"{START + root}.000100") for each in at]
    }


def gathered(workspace, *, deadline_s=10.0, pace=None, names=None, token="xoxb-test", progress=None):
    """Read the workspace's channel into a fresh sink."""
    sink = RecordingSink()
    source = SlackSource(
        token=token,
        channel="C1",
        window=WINDOW,
        base_url=workspace.url,
        pace=pace,
        names=names,
        deadline_s=deadline_s,
    )
    source.gather(sink, progress or (lambda _stage, _done, _total: None))
    return sink


def texts(sink):
    """Give what was said, in the order stored."""
    return [message.text for message in sink.messages]


@pytest.fixture(autouse=True)
def brisk(monkeypatch):
    """Make one request's limit short enough for a test."""
    monkeypatch.setattr(web_api, "REQUEST_S", 0.4)


def test_a_channel_is_read_as_people_read_it():
    """Pages and threads come in the order of time, with names, permalinks and the words of programs."""
    alert = said(
        30, "", user=None, subtype="bot_message", bot_id="B7", username="Alertmanager",
        attachments=[{"title": "[FIRING] 5xx", "fields": [{"title": "severity", "value": "page"}]}],
    )  # fmt: skip
    messages = [
        said(10, "<@U2> look &amp; see"),
        alert,
        thread(20, replies=(40, 50)),
        *(said(100 + n) for n in range(5)),
    ]
    with SlackWorkspace(messages, replies=answers(20, 40, 50), page=3, created=START) as workspace:
        sink = gathered(workspace)
    assert ["@Bob look & see", "why?", "[FIRING] 5xx\nseverity: page", "a40", "a50", *["hm"] * 5] == texts(sink)
    assert ["Ada", "Ada", "Alertmanager", "Bob"] == [message.author for message in sink.messages][:4]
    assert [False, False, True] == [message.is_bot for message in sink.messages][:3]
    root, reply = sink.messages[1], sink.messages[3]
    assert ("incident", None, f"https://acme.slack.com/archives/C1/p{START + 20}000100") == (
        root.channel,
        root.thread_ts,
        root.permalink,
    )
    assert (root.ts, f"https://acme.slack.com/archives/C1/p{START + 40}000100?thread_ts={root.ts}&cid=C1") == (
        reply.thread_ts,
        reply.permalink,
    )
    assert json.loads(sink.messages[0].raw)["text"] == "<@U2> look &amp; see"
    assert [] == sink.gaps
    assert [("slack", "incident")] == [read[:2] for read in sink.reads]


def test_only_the_window_is_read_with_the_threads_that_reach_into_it():
    """Replies behind the window's end stay out; an older thread's replies inside come in; its root does not."""
    older = thread(-3600, "old", replies=(60,))
    quiet = thread(-7200, "quiet", replies=(-7000,))
    inside = thread(86_000, "late", replies=(86_100, 86_500))
    replies = {**answers(-3600, 60), **answers(86_000, 86_100, 86_500), **answers(-7200, -7000)}
    with SlackWorkspace(
        [older, quiet, inside, said(86_400, "after")], replies=replies, created=START - 9000
    ) as workspace:
        sink = gathered(workspace)
        asked = [arguments["ts"] for method, arguments in workspace.asked if method == "conversations.replies"]
    assert ["a60", "late", "a86100"] == texts(sink)
    assert sorted([older["ts"], inside["ts"]]) == sorted(asked)
    assert [] == sink.lost()


def test_threads_older_than_the_search_are_said():
    """Behind a thousand messages the search for older threads ends with a Gap; a reply sent to the channel leads further."""
    far = START - 30 * 86_400
    broadcast = said(10, "also here", subtype="thread_broadcast", thread_ts=f"{far}.000100")
    replies = {f"{far}.000100": [broadcast, said(20, "only there", thread_ts=f"{far}.000100")]}
    busy = [said(-n) for n in range(1, 1100)]
    with SlackWorkspace([broadcast, *busy], replies=replies) as workspace:
        sink = gathered(workspace)
    assert ["also here", "only there"] == texts(sink)
    assert ["replies in the window to threads from before 2026-11-21T23:43:20Z were not looked for"] == [
        gap.what for gap in sink.lost()
    ]


def test_notices_edits_deletions_files_and_own_words_are_counted():
    """What is no evidence is left out with its count; files are named with their type and not fetched."""
    messages = [
        said(1, "joined", subtype="channel_join"),
        said(2, "better", edited={"user": "U1", "ts": "1"}),
        said(3, "This message was deleted.", subtype="tombstone"),
        said(4, "", files=[{"name": "plan.pdf", "pretty_type": "PDF"}, {"mode": "tombstone"}]),
        said(5, "CronJob x did it", user="U0", bot_id="B0"),
    ]
    with SlackWorkspace(messages, created=START) as workspace:
        sink = gathered(workspace)
    assert ["better", "[file: plan.pdf, PDF]\n[file: deleted]"] == texts(sink)
    assert [1] * 5 == [sink.odd(words) for words in ("channel_join", "edited", "deleted", "files", "this bot wrote")]
    assert [] == sink.lost()


def test_talk_with_the_bot_is_no_evidence():
    """A thread under the bot's own message is not asked for; a thread of people that it answered in is."""
    own = thread(10, "Investigating", replies=(11,), bot_id="B0")
    people = thread(20, "why?", replies=(21, 22))
    replies = {**answers(10, 11), **answers(20, 21)}
    replies[people["ts"]].append(said(22, "CronJob x", bot_id="B0", thread_ts=people["ts"]))
    with SlackWorkspace([own, people], replies=replies, created=START) as workspace:
        sink = gathered(workspace)
        assert 1 == workspace.calls["conversations.replies"]
    assert ["why?", "a21"] == texts(sink)
    assert 2 == sink.odd("this bot wrote")


def test_names_are_asked_for_once():
    """A few people are asked for singly, many through the directory, known ones not at all; strangers keep their id."""
    names: dict[str, str] = {}
    few = [said(1), said(2, user="U9")]
    with SlackWorkspace(few, created=START) as workspace:
        first, second = gathered(workspace, names=names), gathered(workspace, names=names)
        assert 2 == workspace.calls["users.info"]
    assert ["Ada", "U9"] == [message.author for message in first.messages]
    assert first.messages == second.messages
    people = {f"U{n}": f"P{n}" for n in range(60)}
    with SlackWorkspace([said(n, user=f"U{n}") for n in range(60)], users=people, created=START) as workspace:
        sink = gathered(workspace)
        assert (1, 0) == (workspace.calls["users.list"], workspace.calls["users.info"])
    assert [f"P{n}" for n in range(60)] == [message.author for message in sink.messages]


def test_without_the_directory_people_keep_their_ids():
    """A missing users:read costs names, no messages."""
    with SlackWorkspace([said(1)], created=START) as workspace:
        workspace.forever["users.info"] = "missing_scope"
        sink = gathered(workspace)
    assert ["U1"] == [message.author for message in sink.messages]
    assert 1 == sink.odd("shown by their id")
    assert [] == sink.lost()


@pytest.mark.parametrize("fault", ["503", "cut", "reset", "garbage", "hang", "trickle", "internal_error", "429:1"])
@pytest.mark.parametrize("method", ["auth.test", "conversations.history", "conversations.replies"])
def test_a_passing_fault_loses_nothing(fault, method):
    """Whatever happens once, the page is asked for again."""
    with SlackWorkspace([said(1), thread(2, replies=(3,))], replies=answers(2, 3), created=START) as workspace:
        workspace.faults[method] = [fault]
        sink = gathered(workspace)
    assert ["hm", "why?", "a3"] == texts(sink)
    assert [] == sink.gaps


LASTING = [
    ("missing_scope", "lacks the scope channels:history"),
    ("not_in_channel", "not a member of the channel"),
    ("channel_not_found", "does not exist, or is private"),
    ("invalid_auth", "does not accept the bot token"),
    ("weird_new_error", "Slack answered weird_new_error"),
    ("html", "a web page came instead of an answer"),
    ("503", "failed 4 times: HTTP 503"),
    ("404", "answered with HTTP 404"),
    ("garbage", "failed 4 times: the answer is no JSON"),
    ("reset", "the connection failed"),
    ("429:3600", "would answer in 3600 s"),
]


@pytest.mark.parametrize(("fault", "words"), LASTING)
def test_a_lasting_fault_is_a_sentence(fault, words):
    """Nothing is read, nothing is raised, and the Gap says why; nothing counts as having been read."""
    with SlackWorkspace([said(1)], created=START) as workspace:
        workspace.forever["conversations.history"] = fault
        sink = gathered(workspace)
    assert [] == sink.messages
    assert [] == sink.reads
    (gap,) = sink.lost()
    assert words in gap.what


def test_a_wrong_token_is_one_sentence():
    """Without a valid token nothing else is asked."""
    with SlackWorkspace([said(1)]) as workspace:
        sink = gathered(workspace, token="xoxb-wrong")
        assert {"auth.test": 1} == dict(workspace.calls)
    assert ["Slack could not be read: Slack was asked without a token: set SLACK_BOT_TOKEN"] == [
        gap.what for gap in sink.lost()
    ]


def test_what_came_before_a_failure_is_kept():
    """A token revoked between two pages, or threads: the first page stays, the rest is named."""
    with SlackWorkspace([said(n) for n in range(6)], page=2, created=START) as workspace:
        workspace.faults["conversations.history"] = ["", "", "token_revoked"]
        sink = gathered(workspace)
    assert 4 == len(sink.messages)
    assert ["messages before 2026-11-22T00:00:02Z were not read: the bot token was revoked: install the app again"] == [
        gap.what for gap in sink.lost()
    ]
    roots = [thread(10 * n, replies=(10 * n + 1,)) for n in range(1, 9)]
    replies = {key: value for n in range(1, 9) for key, value in answers(10 * n, 10 * n + 1).items()}
    with SlackWorkspace(roots, replies=replies, created=START) as workspace:
        workspace.faults["conversations.replies"] = [""] * 4 + ["missing_scope"] * 40
        sink = gathered(workspace)
    assert 8 + 4 == len(sink.messages)
    assert [4] == [gap.count for gap in sink.lost("threads whose replies")]


@pytest.mark.parametrize("fault", ["hang", "trickle"])
def test_the_deadline_ends_it(fault, monkeypatch):
    """A server that hangs, or sends a byte at a time, costs the deadline and not its own pace; pages before stay."""
    monkeypatch.setattr(web_api, "REQUEST_S", 30)
    with SlackWorkspace([said(n) for n in range(6)], page=2, created=START) as workspace:
        workspace.faults["conversations.history"] = ["", fault]
        begun = time.monotonic()
        sink = gathered(workspace, deadline_s=1.0)
        took = time.monotonic() - begun
    assert took < 5  # the server would hold it for half a minute
    assert 2 == len(sink.messages)
    assert ["messages before 2026-11-22T00:00:04Z were not read: the 1 s for reading Slack ran out"] == [
        gap.what for gap in sink.lost()
    ]


def test_pages_that_never_end_are_noticed():
    """A cursor that comes back, or is missing where more was promised, ends the reading with a Gap."""
    with SlackWorkspace([said(n) for n in range(4)], page=2, created=START) as workspace:
        answer = workspace._answer
        workspace._answer = lambda method, arguments: (
            {**answer(method, arguments), "has_more": True, "response_metadata": {"next_cursor": "at2"}}
            if method == "conversations.history"
            else answer(method, arguments)
        )
        sink = gathered(workspace)
    assert 4 == len(sink.messages)
    assert 1 == len(sink.lost("said that there is more, but not how to get it"))


def test_reading_back_stops_at_so_many_messages():
    """The newest messages are read, the rest is said."""
    with SlackWorkspace([said(n) for n in range(9)], page=2, created=START) as workspace:
        sink = RecordingSink()
        source = SlackSource(token="xoxb-test", channel="C1", window=WINDOW, base_url=workspace.url, most_messages=4)
        source.gather(sink, lambda _stage, _done, _total: None)
    assert [START + n for n in (5, 6, 7, 8)] == [int(message.at.timestamp()) for message in sink.messages]
    assert 1 == len(
        sink.lost("messages before 2026-11-22T00:00:05Z were not read: the window holds 4 messages or more")
    )


@pytest.mark.parametrize("shared", [False, True])
def test_the_pace_is_kept_by_all_who_share_it(shared, tmp_path):
    """A minute's worth is free at once, then calls wait until the minute has passed; a Retry-After holds everyone."""
    now = [1000.0]

    def opened():
        return SharedPace(tmp_path / "pace", lambda: now[0], {"m": 60})

    first = opened() if shared else Pace(lambda: now[0], {"m": 60})
    second = opened() if shared else first
    assert [0.0] * 60 == [each.take("m") for _ in range(30) for each in (first, second)]
    now[0] += 20
    assert [40.0, 40.0] == [first.take("m"), second.take("m")]
    now[0] += 40
    assert 0.0 == second.take("m")
    first.hold("m", 10)
    assert (10.0, 10.0) == (second.held("m"), second.take("m"))
    now[0] += 10
    assert (0.0, 0.0) == (second.held("m"), first.take("m"))
    assert 0.0 == first.take("unknown.method")


def test_a_pace_that_cannot_be_shared_still_obeys(tmp_path):
    """Without its file nobody waits for others, but a Retry-After is kept; a clock set back blocks nothing for long."""
    lost = SharedPace(tmp_path / "no" / "folder", lambda: 5.0, {"m": 1})
    assert [0.0, 0.0] == [lost.take("m"), lost.take("m")]
    lost.hold("m", 3)
    assert 3.0 == lost.held("m")
    now = [1e6]
    pace = SharedPace(tmp_path / "pace", lambda: now[0], {"m": 1})
    pace.take("m")
    pace.hold("m", 30)
    now[0] -= 100_000
    assert (0.0, 0.0) == (SharedPace(tmp_path / "pace", lambda: now[0], {"m": 1}).held("m"), pace.take("m"))


def test_cancelling_from_the_progress_ends_it():
    """What the caller raises from its own progress comes out as it is."""

    def stop(_stage, _done, _total):
        raise KeyError("stopped")

    with SlackWorkspace([thread(2, replies=(3,))], replies=answers(2, 3), created=START) as workspace:
        with pytest.raises(KeyError, match="stopped"):
            gathered(workspace, progress=stop)
        seen: list[int] = []

        def later(stage, done, total):
            seen.append(done)
            if len(seen) == 2:
                stop(stage, done, total)

        with pytest.raises(KeyError, match="stopped"):
            gathered(workspace, progress=later)


def test_broken_surrogates_are_replaced():
    """Half an emoji becomes U+FFFD, in the text and in the bytes."""
    with SlackWorkspace([said(1, "x \ud83d y", user=None)], created=START) as workspace:
        sink = gathered(workspace)
    assert ["x \ufffd y"] == texts(sink)
    assert "\ufffd" in sink.messages[0].raw.decode()


def test_odd_fields_cost_nothing():
    """Lists where strings belong, in any field that is looked at, leave the message readable."""
    odd = {
        "subtype": [],
        "thread_ts": [1],
        "latest_reply": {},
        "reply_count": [1],
        "bot_id": [],
        "blocks": [{"type": []}],
    }
    with SlackWorkspace([said(1, "odd", **odd), said(2)], created=START) as workspace:
        sink = gathered(workspace)
    assert ["odd", "hm"] == texts(sink)
    assert [] == sink.lost()


def test_the_manifest_grants_what_is_asked():
    """Every method called here is covered by a scope of the app's manifest."""
    manifest = yaml.safe_load((Path(__file__).parents[2] / "manifests" / "slack.yaml").read_text(encoding="utf-8"))
    needed = {"channels:history", "groups:history", "channels:read", "groups:read", "users:read"}
    assert needed <= set(manifest["oauth_config"]["scopes"]["bot"])
