"""How far back each source remembers, and how far its clock is from ours: in the ledger, and for the doctor."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from fault_server import FaultServer, answer
from http_sources import HTTP_SOURCES
from store_http import LINES, NS, START, STORES
from store_situations import begins
from unit.export_sink import RecordingSink

SILENT = lambda _stage, _done, _total: None  # noqa: E731 - the shortest way to say nothing
DEADLINE_S = 20.0
OLDEST = "its oldest line is of "
REFUSAL = answer('{"message": "range too long"}', status="400 Bad Request")
SLACK = next(each for each in HTTP_SOURCES if each.name == "slack")
every_store = pytest.mark.parametrize("name", STORES)


def dated(reply, ahead_s):
    """Answer with the time of a clock that is ahead of ours."""

    def answered(request):
        at = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead_s), usegmt=True)
        head, rest = reply(request).split(b"\r\n", 1)
        return b"\r\n".join((head, f"Date: {at}".encode(), rest))

    return answered


def told(make, reply):
    """Read a source, and let the doctor look at it."""
    sink = RecordingSink()
    with FaultServer(None, reply=reply) as server:
        make(server.url, DEADLINE_S).gather(sink, SILENT)
        return sink, make(server.url, DEADLINE_S).examine()


@pytest.mark.parametrize("source", [each for each in HTTP_SOURCES if each is not SLACK], ids=str)
def test_a_clock_that_is_off_is_said(source):
    """The ledger tells how far and which way, the doctor warns; of one that agrees neither says a word."""
    sink, findings = told(source.make, dated(source.reply, -90))
    assert [detail for _, detail in sink.details if re.fullmatch(r"its clock is 1 min 3\d s behind ours", detail)]
    assert [f"{source.name} clock"] == [each.name for each in findings if each.name.endswith("clock")]
    sink, findings = told(source.make, dated(source.reply, 0))
    assert not [detail for _, detail in sink.details if "clock" in detail]
    assert not [each for each in findings if "clock" in each.name]


def test_slack_says_how_far_back_it_was_seen_and_how_its_clock_goes():
    """Times of messages are Slack's own; the doctor compares with its clock by itself, as the bot's signatures need it."""
    sink = RecordingSink()
    with FaultServer(None, reply=dated(SLACK.reply, 90)) as server:
        SLACK.make(server.url, DEADLINE_S).gather(sink, SILENT)
    clock, oldest = (detail for _, detail in sink.details)
    assert re.fullmatch(r"its clock is 1 min (30|29) s ahead of ours", clock)
    assert "the oldest message that was seen is of 2026-11-22T00:00:58Z" == oldest


@every_store
def test_a_window_that_begins_before_the_oldest_line_is_a_gap(name):
    """The ledger and the doctor name the oldest line, and the window's beginning is a Gap; of a store that reaches back it is none."""
    make, played = STORES[name]
    whole, _ = told(make, played(LINES))
    late, findings = told(make, played(LINES[20:]))
    assert (
        name,
        f"{OLDEST}2026-11-22T00:20:00Z (looked for from 2026-10-23T01:00:00Z on)",
    ) in late.details
    assert late.lost("nothing before 2026-11-22T00:20:00Z: its retention ends there, or it began then")
    assert f"{OLDEST}2026-11-22T00:20:00Z" in findings[0].what
    assert not whole.lost()


@every_store
def test_a_namespace_that_began_late_is_no_retention(name):
    """Older lines of any other namespace show that the store remembers."""
    make, played = STORES[name]
    sink, _ = told(make, played([replace(LINES[0], namespace="bank"), *LINES[20:]]))
    assert (
        name,
        f"{OLDEST}2026-11-22T00:00:00Z (looked for from 2026-10-23T01:00:00Z on)",
    ) in sink.details
    assert not sink.lost()


@every_store
def test_silence_before_the_oldest_line_is_no_calm(name):
    """A scope without a line says so too where the store itself began late."""
    make, played = STORES[name]
    sink, _ = told(make, played([replace(line, namespace="bank") for line in LINES[20:]]))
    assert not any(sink.lines)
    assert sink.lost("nothing before 2026-11-22T00:20:00Z")


@every_store
def test_a_store_that_allows_short_questions_only_is_asked_about_the_window(name):
    """Where it may not be asked for a month, the window's own first line is what can be said."""
    make, played = STORES[name]
    good = played(LINES)
    sink, [finding] = told(make, lambda request: REFUSAL if 0 < begins(request) < START * NS else good(request))
    assert (name, f"{OLDEST}2026-11-22T00:00:00Z (looked for from 2026-11-22T00:00:00Z on)") in sink.details
    assert "ok" == finding.state


@every_store
def test_a_store_that_does_not_tell_how_far_back_is_read_all_the_same(name):
    """A refusal of that one question costs that one answer."""
    make, played = STORES[name]
    good = played(LINES)
    sink, [finding] = told(make, lambda request: REFUSAL if asks_for_oldest(request) else good(request))
    assert len(LINES) == sum(map(len, sink.lines))
    assert not sink.lost()
    assert [detail for _, detail in sink.details if detail.startswith("how far back it remembers it does not tell")]
    assert ("ok", True) == (finding.state, "does not tell" in finding.what)


def asks_for_oldest(request):
    """Tell whether a store is asked for its oldest line."""
    return "oldest" in request or "limit=1&" in request
