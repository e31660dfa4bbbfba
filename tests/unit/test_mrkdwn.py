"""What a Slack message says: words from wherever they stand, once, and never an error."""

import pytest
from hypothesis import given, settings, strategies as st

from bot.domain.mrkdwn import author, display_name, instant_of, message_text, people_in, plain

NAMES = {"U1": "Ada", "U2": "Bob"}


def section(text):
    """Give a block of one text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def test_a_programs_blocks_say_more_than_its_notification():
    """A bot's text is the notification's line: blocks are read below it, or instead of it where they hold it."""
    bot = {"bot_id": "B1", "text": "New alert"}
    assert "New alert\n*HighErrorRate* on edge" == message_text(
        {**bot, "blocks": [section("*HighErrorRate* on edge")]}, {}, {}
    )
    assert "*New alert:* edge" == message_text({**bot, "blocks": [section("*New alert:* edge")]}, {}, {})
    assert "New alert" == message_text({**bot, "blocks": [{"type": "divider"}]}, {}, {})


def test_a_persons_text_is_not_said_twice():
    """What people type stands in text and in a rich-text block: it is read once."""
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "it was DNS"}]}]}]  # fmt: skip
    assert "it was DNS" == message_text({"user": "U1", "text": "it was DNS", "blocks": blocks}, {}, {})


def test_tables_and_nested_blocks_are_read():
    """Tables become rows, containers and cards give what they hold, images their description."""
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "pod"}, {"type": "raw_number", "value": 3}]]}
    container = {"type": "container", "title": {"text": "Evidence"}, "child_blocks": [section("line 1"), table]}
    image = {"type": "image", "alt_text": "CPU over a day", "image_url": "https://x/y.png"}
    card = {"type": "card", "title": {"text": "Deploy"}, "subtitle": {"text": "edge"}, "body": {"text": "v2"}}
    told = message_text({"blocks": [container, image, card, {"type": "markdown", "text": "**done**"}]}, {}, {})
    assert "Evidence\nline 1\npod | 3\nCPU over a day\nDeploy\nedge\nv2\n**done**" == told


def test_rich_text_keeps_what_was_typed():
    """Brackets and ampersands in rich text are text; mentions and links in it are markup."""
    elements = [{"type": "text", "text": "a < b && <@U1> "}, {"type": "user", "user_id": "U1"}, {"type": "link", "url": "https://x", "text": "c<d"}]  # fmt: skip
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}]
    assert "a < b && <@U1> @Adac<d (https://x)" == message_text({"blocks": blocks}, NAMES, {})


def test_people_are_found_where_they_are_named():
    """The author, unless a program, and everybody mentioned in text, attachments or blocks."""
    message = {"user": "U1", "text": "<@U2|bob> and <@W3>", "attachments": [{"text": "cc <@U4>"}], "blocks": [section("<@U5>")]}  # fmt: skip
    assert {"U1", "U2", "W3", "U4"} == people_in(message)
    assert {"U2", "W3", "U4", "U5"} == people_in({**message, "bot_id": "B1"})


def test_names():
    """Display name before real name before handle; what a message carries serves strangers and bots."""
    assert "Ada" == display_name({"id": "U1", "name": "ada", "profile": {"display_name": "Ada", "real_name": "A. L."}})
    assert "ada" == display_name({"id": "U1", "name": "ada", "profile": {"display_name": " "}})
    assert ["Ada", "Zoe", "deploybot", "ci", "U9", "unknown"] == [
        author(message, NAMES)
        for message in (
            {"user": "U1"},
            {"user": "U7", "user_profile": {"display_name": "Zoe"}},
            {"user": "U1", "bot_id": "B1", "username": "deploybot"},
            {"bot_id": "B1", "bot_profile": {"name": "ci"}},
            {"user": "U9"},
            {},
        )
    ]


@pytest.mark.parametrize("ts", ["", "1", "1795328881", "x.1", "1795328881.0002001", "-1795328881.000200"])
def test_what_is_no_ts_has_no_time(ts):
    """Anything but seconds and a fraction is None."""
    assert instant_of(ts) is None


def test_a_ts_is_exact():
    """Microseconds survive, which floats would round."""
    assert 200 == instant_of("1795328881.000200").microsecond
    assert 999_999 == instant_of("1795328881.999999").microsecond


KEYS = st.sampled_from(
    ["type", "text", "blocks", "attachments", "elements", "fields", "files", "rows", "child_blocks", "user", "bot_id", "title",
     "name", "url", "user_id", "profile", "value", "ts", "fallback", "mode"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
TYPES = st.sampled_from(["rich_text", "section", "table", "container", "link", "user", "rich_text_list"])


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, JSON, max_size=6), st.lists(st.dictionaries(KEYS, JSON | TYPES, max_size=5), max_size=4))
def test_any_shape_gives_text(message, blocks):
    """Whatever JSON arrives as a message, it flattens to a string, and so do its author and people."""
    whole = {**message, "blocks": blocks}
    assert isinstance(message_text(whole, NAMES, {}), str)
    assert isinstance(author(whole, NAMES), str)
    assert all(isinstance(each, str) for each in people_in(whole))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_typed_text_survives_slacks_escapes(text):
    """Text without markup comes back as it was typed, whatever brackets and ampersands it holds."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert text == plain(escaped, NAMES, {})
