"""The playground begins with an exported workspace, and stores what people type as Slack does."""

from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from bot.playground.seed import VISITOR, small_workspace, workspace_from_export
from bot.playground.typed import encode, rich_text

STORY = Path(__file__).parents[2] / "fixtures" / "incidents" / "story.tar.zst"


def test_an_export_is_read_with_its_own_times():
    """Messages keep their timestamps in order; threads that span days are joined; people have their names."""
    workspace = workspace_from_export(STORY)
    channel = workspace.find("incidents")
    stamps = [float(each) for each in channel.messages]
    assert sorted(stamps) == stamps
    assert {VISITOR, workspace.app.bot_user} <= set(channel.members)
    replies = [each for each in channel.messages.values() if each.get("thread_ts", each["ts"]) != each["ts"]]
    roots = {each["thread_ts"] for each in replies}
    assert {root: len([each for each in replies if each["thread_ts"] == root]) for root in roots} == {
        root: channel.messages[root]["reply_count"] for root in roots
    }
    assert {each["user"] for each in channel.messages.values() if "user" in each} <= set(workspace.people)


def test_a_folder_without_an_export_is_refused(tmp_path):
    """The error says what was looked for."""
    with pytest.raises(ValueError, match=r"users\.json"):
        workspace_from_export(tmp_path)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("@ada look", "<@U0ADA> look"),
        ("@nobody look", "@nobody look"),
        ("mail ada@ada.org", "mail ada@ada.org"),
        ("see #incidents", "see <#C0INCIDENTS|incidents>"),
        ("see https://example.org/a?b=1&c=2.", "see <https://example.org/a?b=1&amp;c=2>."),
        ("<@U0ADA>", "&lt;@U0ADA&gt;"),
        ("<!channel>", "&lt;!channel&gt;"),
    ],
)
def test_typed_text_is_stored_as_slack_stores_it(typed, stored):
    """Only known names become mentions; markup that was typed by hand stays text."""
    assert stored == encode(small_workspace(), typed)


@settings(max_examples=100)
@given(st.text())
def test_rich_text_says_the_same_as_the_text(typed):
    """Nothing typed is lost or gained between the text and its rich text."""
    workspace = small_workspace()
    said = "".join(
        each.get("text", each.get("url", ""))
        for block in rich_text(encode(workspace, typed))
        for part in block["elements"]
        for each in part["elements"]
        if each["type"] in {"text", "link"}
    )
    linked = {"user", "channel", "link"}
    kinds = [
        each["type"]
        for block in rich_text(encode(workspace, typed))
        for part in block["elements"]
        for each in part["elements"]
    ]
    assert typed == said or linked & set(kinds)
