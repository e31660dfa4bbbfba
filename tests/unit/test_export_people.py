"""What people said: Slack exports and Jira issues."""

import io
import json
import zipfile
from datetime import UTC, datetime

import pytest
from export_sink import gathered, written

from bot.domain.mrkdwn import message_text, plain
from bot.domain.tickets import document_text

TS = "1795328881.000200"
USERS = [
    {"id": "U1", "name": "ada", "profile": {"display_name": "Ada", "real_name": "Ada L."}},
    {"id": "W2", "name": "bob", "profile": {"display_name": "", "real_name": "Bob B."}},
]


def slack(tmp_path, *messages, **files):
    days = {"incident/2026-11-22.json": json.dumps(messages), "users.json": json.dumps(USERS)}
    return gathered(written(tmp_path, {**days, **files}))


def test_a_message_reads_as_people_read_it(tmp_path):
    """Mentions, links, channels and escapes become plain; both kinds of user ids have names."""
    text = "<@U1> see <https://ci/1|build 1>, <#C9|ops>: a &lt;b&gt; &amp;amp; <!here>"
    message = slack(tmp_path, {"type": "message", "user": "W2", "ts": TS, "text": text}).messages[0]
    assert message.text == "@Ada see build 1 (https://ci/1), #ops: a <b> &amp; @here"
    assert ("Bob B.", "incident", False, None) == (message.author, message.channel, message.is_bot, message.permalink)
    assert datetime(2026, 11, 22, 6, 28, 1, 200, tzinfo=UTC) == message.at
    assert json.loads(message.raw)["text"] == text


def test_bots_speak_through_attachments_and_blocks(tmp_path):
    """An empty text is filled from attachments, fields, blocks and rich text."""
    alert = {
        "type": "message", "subtype": "bot_message", "username": "Alertmanager", "bot_id": "B1", "ts": TS, "text": "",
        "attachments": [{"title": "[FIRING:1] HighErrorRate", "text": "5xx &gt; 1%", "fallback": "no", "fields": [{"title": "Severity", "value": "page"}]}],
    }  # fmt: skip
    rich = {
        "type": "message", "user": "U1", "ts": "1795328882.000100", "text": "",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Deploy"}},
            {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
                {"type": "text", "text": "by "}, {"type": "user", "user_id": "U1"}, {"type": "link", "url": "https://x"}]}]},
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "*a*"}]},
        ],
    }  # fmt: skip
    first, second = slack(tmp_path, alert, rich).messages
    assert ("Alertmanager", True) == (first.author, first.is_bot)
    assert first.text == "[FIRING:1] HighErrorRate\n5xx > 1%\nSeverity: page"
    assert second.text == "Deploy\nby @Adahttps://x\n*a*"


def test_edits_joins_and_subtypes_are_counted(tmp_path):
    """Joins are left out, edits read as they stand, other subtypes kept; each is counted."""
    sink = slack(
        tmp_path,
        {"type": "message", "subtype": "channel_join", "user": "U1", "ts": "1795328880.000100", "text": "joined"},
        {"type": "message", "user": "U1", "ts": TS, "text": "now", "edited": {"user": "U1", "ts": "1795328990.0"}},
        {"type": "message", "subtype": "channel_topic", "user": "U1", "ts": "1795328882.000100", "text": "SEV1"},
    )
    assert ["now", "SEV1"] == [message.text for message in sink.messages]
    assert (1, 1, 1) == (sink.odd("channel_join"), sink.odd("edited"), sink.odd("channel_topic"))


def test_replies_in_a_later_days_file_keep_their_thread(tmp_path):
    """A reply points to its parent by thread_ts; a parent has none; a message in two files is read once."""
    parent = {"type": "message", "user": "U1", "ts": TS, "thread_ts": TS, "text": "why?", "reply_count": 1}
    reply = {"type": "message", "user": "W2", "ts": "1795428881.000100", "thread_ts": TS, "text": "because"}
    sink = slack(tmp_path, parent, **{"incident/2026-11-23.json": json.dumps([reply, parent])})
    assert [("why?", None), ("because", TS)] == [(message.text, message.thread_ts) for message in sink.messages]
    assert sink.odd("two files") == 1


def test_the_workspaces_zip_is_read_in_place(tmp_path):
    """The zip that Slack gives, inside an export."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("ops/2026-11-22.json", json.dumps([{"type": "message", "user": "U1", "ts": TS, "text": "hi"}]))
        archive.writestr("users.json", json.dumps(USERS))
        archive.writestr("channels.json", json.dumps([{"id": "C1", "name": "ops", "created": 1, "members": []}]))
    sink = gathered(written(tmp_path, {"slack/export.zip": out.getvalue()}))
    assert [("Ada", "ops", "hi")] == [(message.author, message.channel, message.text) for message in sink.messages]


@pytest.mark.parametrize(
    "message", [{}, {"text": None, "blocks": 3}, {"attachments": [None, "x"], "files": [1]}, {"blocks": [{"text": []}]}]
)
def test_odd_messages_flatten_to_nothing(message):
    """Shapes that Slack does not document give an empty text, not an error."""
    assert message_text(message, {}, {}) == ""


def test_escapes_are_undone_once():
    """&amp;lt; was typed as &lt; and stays so."""
    assert plain("&amp;lt; <@U9>", {}, {}) == "&lt; @U9"


ADF = {
    "type": "doc", "version": 1, "content": [
        {"type": "paragraph", "content": [
            {"type": "text", "text": "It was "},
            {"type": "text", "text": "DNS", "marks": [{"type": "link", "attrs": {"href": "https://d"}}]},
            {"type": "hardBreak"},
            {"type": "mention", "attrs": {"id": "1", "text": "@Ada"}},
        ]},
        {"type": "bulletList", "content": [
            {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "one"}]}]},
            {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "two"}]}]},
        ]},
    ],
}  # fmt: skip


def issue(body: object, **more: object) -> dict:
    comment = {"id": "7", "author": {"displayName": "Ada"}, "body": body, "created": "2026-11-22T09:00:00.000+0100"}
    return {
        "id": "1", "self": "https://acme.atlassian.net/rest/api/3/issue/1", "key": "OPS-1",
        "fields": {
            "summary": "502s", "description": body, "created": "2026-11-22T07:28:01.000+0100",
            "reporter": {"displayName": "Bob"}, "customfield_10010": {"value": "x"}, "customfield_10011": None,
            "comment": {"comments": [comment, {**comment, "visibility": {"type": "role", "value": "Admins"}}], "total": 5},
        },
        **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "text"), [("It was DNS", "It was DNS"), (ADF, "It was DNS (https://d)\n@Ada\n- one\n- two")]
)
def test_issues_of_both_api_versions(tmp_path, body, text):
    """Text and ADF bodies; zones become UTC; restricted comments are skipped and counted; missing ones are a loss."""
    histories = [{"author": {"displayName": "Ada"}, "created": "2026-11-22T10:00:00.000+0100", "items": [{"field": "status", "fromString": "Open", "toString": "Done"}]}]  # fmt: skip
    sink = gathered(
        written(tmp_path, {"jira/OPS-1.json": json.dumps(issue(body, changelog={"histories": histories, "total": 1}))})
    )
    description, comment, change = sink.tickets
    assert description.text == f"502s\n\n{text}"
    assert ("OPS-1", "description", "Bob") == (description.key, description.part, description.author)
    assert datetime(2026, 11, 22, 6, 28, 1, tzinfo=UTC) == description.at
    assert ("https://acme.atlassian.net/browse/OPS-1?focusedCommentId=7", "Ada") == (comment.url, comment.author)
    assert json.loads(comment.raw)["body"] == body
    assert change.text == "status: Open → Done"
    assert (1, 1) == (sink.odd("restricted"), sink.odd("custom fields"))
    assert [3] == [gap.count for gap in sink.lost("comments")]


def test_adf_flattens_to_lines():
    """Paragraphs and list items are lines; unknown nodes keep their text; depth is bounded."""
    assert document_text(ADF) == "It was DNS (https://d)\n@Ada\n- one\n- two"
    assert (
        document_text({"type": "doc", "content": [{"type": "novelty", "content": [{"type": "text", "text": "x"}]}]})
        == "x"
    )
    deep: dict = {"type": "text", "text": "deep"}
    for _ in range(500):
        deep = {"type": "panel", "content": [deep]}
    assert document_text(deep) == ""


def test_search_results_and_half_issues(tmp_path):
    """A search body gives every issue; of a cut issue what came before the cut is kept."""
    text = json.dumps({"startAt": 0, "total": 2, "issues": [issue("a"), {**issue("b"), "key": "OPS-2"}]})
    whole = json.dumps(issue("x"))
    cut = whole[: whole.index('"customfield_10010"')]
    sink = gathered(written(tmp_path, {"a.json": text, "b.json": cut}))
    assert ["OPS-1", "OPS-2", "OPS-1"] == [entry.key for entry in sink.tickets if entry.part == "description"]
    assert len(sink.lost("ends in the middle")) == 1
