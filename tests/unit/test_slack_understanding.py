"""What people type is understood, or answered with a sentence that helps."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from bot.slack.understanding import addresses_bot, plain_words, understand, window_mistake

NOW = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def meant(text, *, thread=False):
    """Understand a text as somebody in Berlin."""
    return understand(text, now=NOW, tz=BERLIN, bot_user="UBOT", thread=thread)


@pytest.mark.parametrize(
    ("text", "window", "namespaces", "question"),
    [
        ("<@UBOT> what's behind the 502s since Tuesday in payments?", "since Tuesday", ("payments",), "what's behind the 502s in payments?"),
        ("5d", "5d", (), "What caused the incident?"),
        ("12h", "12h", (), "What caused the incident?"),
        ("2026-11-01..2026-11-06", "2026-11-01..2026-11-06", (), "What caused the incident?"),
        ("last weekend", "last weekend", (), "What caused the incident?"),
        ("since 09:00 why is checkout slow in payments?", "since 09:00", ("payments",), "why is checkout slow in payments?"),
        ("why did the api fail on Tuesday?", "on Tuesday", (), "why did the api fail?"),
        ("the gateway returned 502 between 09:00 and 11:00 yesterday", "yesterday 09:00 to 11:00", (), "the gateway returned 502"),
        ("502s over the last 12 hours in the payments and checkout namespaces", "the last 12 hours", ("payments", "checkout"), "502s in the payments and checkout namespaces"),
        ("502s in the last five days", "the last 5 days", (), "502s"),
        ("Nov 1 to Nov 6", "Nov 1 to Nov 6", (), "What caused the incident?"),
        ("what broke between 9 and 11 today?", "today 9:00 to 11:00", (), "what broke?"),
        ("-n payments 2d", "2d", ("payments",), "What caused the incident?"),
        ("from 2026-11-01 to 2026-11-03 in ns data", "from 2026-11-01 to 2026-11-03", ("data",), "What caused the incident?"),
        ("everything is slow since this morning", "since this morning", (), "everything is slow"),
        ("errors in production", None, (), "errors in production"),
        ("why did requests take 30 minutes?", None, (), "why did requests take 30 minutes?"),
        ("why is p99 at 30s for 10m", None, (), "why is p99 at 30s for 10m"),
        ("investigate this", None, (), "What caused the incident?"),
        ("why are there errors in general?", None, (), "why are there errors in general?"),
    ],
)  # fmt: skip
def test_an_investigation_is_understood(text, window, namespaces, question):
    """Window, namespaces and question come out of free text; lengths in a question are no windows."""
    understood = meant(text)
    assert ("investigate", window, namespaces, question) == (
        understood.verb,
        understood.window,
        understood.namespaces,
        understood.question,
    )


@pytest.mark.parametrize(
    ("text", "verb"),
    [("", "help"), ("<@UBOT>", "help"), ("HELP", "help"), ("status", "status"), ("stop!", "cancel"), ("last", "last")],
)
def test_commands_are_words_alone(text, verb):
    """A word that stands alone is a command."""
    assert verb == meant(text).verb


@pytest.mark.parametrize("text", ["5x", "hi", "thanks!", "foo", "2026-13-45..x", "since forever"])
def test_what_is_not_understood_starts_nothing(text):
    """What looks like a window is named."""
    understood = meant(text)
    assert "unclear" == understood.verb
    assert "window" not in understood.sentence or text.split()[0] in understood.sentence


@pytest.mark.parametrize(
    ("text", "window", "namespaces"),
    [
        ("no, look at the payments namespace", None, ("payments",)),
        ("No, try the last 10 days", "the last 10 days", ()),
        ("actually look in checkout", None, ("checkout",)),
        ("look at payments", None, ("payments",)),
        ("check the last 12h in payments", "the last 12h", ("payments",)),
    ],
)
def test_a_thread_can_be_steered(text, window, namespaces):
    """A correction with a place or a time is a new run; its question is the old one."""
    understood = meant(text, thread=True)
    assert ("steer", window, namespaces, "") == (
        understood.verb,
        understood.window,
        understood.namespaces,
        understood.question,
    )


@pytest.mark.parametrize(
    "text", ["was the day-3 restart related?", "why?", "show me the evidence", "was the restart on Tuesday related?"]
)
def test_everything_else_in_a_thread_is_a_follow_up(text):
    """Words of time in a question stay in the question."""
    understood = meant(text, thread=True)
    assert ("ask", text) == (understood.verb, understood.question)


@pytest.mark.parametrize(
    ("text", "meant_for_it"),
    [
        ("was the restart related?", True),
        ("show me the evidence", True),
        ("no, look at the payments namespace", True),
        ("stop", True),
        ("I rolled it back", False),
        ("<@U2> can you check?", False),
        ("ok", False),
        ("will do", False),
        ("no", False),
        ("thanks!", False),
        ("", False),
    ],
)
def test_talk_between_people_is_left_alone(text, meant_for_it):
    """In an answered thread only questions and requests are taken, and none that name a person."""
    assert meant_for_it is addresses_bot(text)


def test_slacks_spelling_is_undone():
    """Escapes, links and mentions become words."""
    assert "a < b & c #incidents runbook" == plain_words(
        "<@UBOT> a &lt; b &amp; c <#C1|incidents> <https://x.example|runbook>", "UBOT"
    ).replace("incidents", "#incidents", 1)


def test_a_window_field_says_what_is_wrong():
    """The form shows the parser's sentence."""
    assert window_mistake("5d", now=NOW, tz=BERLIN) is None
    assert "not understood" in window_mistake("5x", now=NOW, tz=BERLIN)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.booleans())
def test_no_text_breaks_it(text, thread):
    """Whatever is typed, something is made of it."""
    understood = meant(text, thread=thread)
    assert understood.question or understood.verb == "steer"
    addresses_bot(text)
