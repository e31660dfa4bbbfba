"""Window expressions and moments in free text."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings, strategies as st

from bot.analyst.times import Moment, find_moments, parse_window
from bot.domain.window import Window
from bot.errors import UsageError

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)  # a Sunday
FIRST = datetime(2026, 11, 17, 8, tzinfo=UTC)  # a Tuesday
WINDOW = Window(start=FIRST, end=NOW, asked="5d")


def at(text: str) -> datetime:
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("5d", "11-17 10:30", "11-22 10:30"),
        ("12h", "11-21 22:30", "11-22 10:30"),
        ("90m", "11-22 09:00", "11-22 10:30"),
        ("2w", "11-08 10:30", "11-22 10:30"),
        ("last 3 days", "11-19 10:30", "11-22 10:30"),
        ("2026-11-01..2026-11-06", "11-01 00:00", "11-06 00:00"),
        ("2026-11-01T10:00Z..2026-11-01T14:00Z", "11-01 10:00", "11-01 14:00"),
        ("2026-11-18..", "11-18 00:00", "11-22 10:30"),
        ("..2026-11-20", "11-17 08:00", "11-20 00:00"),
        ("since 09:00", "11-22 09:00", "11-22 10:30"),
        ("since 11pm", "11-21 23:00", "11-22 10:30"),
        ("since Tuesday", "11-17 00:00", "11-22 10:30"),
        ("since yesterday 14:00", "11-21 14:00", "11-22 10:30"),
        ("since 3 days ago", "11-19 10:30", "11-22 10:30"),
        ("last weekend", "11-14 00:00", "11-16 00:00"),
        ("yesterday", "11-21 00:00", "11-22 00:00"),
        ("Today", "11-22 00:00", "11-22 10:30"),
        ("last night", "11-21 18:00", "11-22 06:00"),
        ("day 2", "11-18 00:00", "11-19 00:00"),
        ("yesterday 22:00 to 02:00", "11-21 22:00", "11-22 02:00"),
        ("all", "11-17 08:00", "11-22 10:30"),
    ],
)
def test_a_window_expression_is_read(text, start, end):
    """Each way people write a window gives the half-open span they mean."""
    window = parse_window(text, now=NOW, first=FIRST)
    assert (at(start), at(end)) == (window.start, window.end)


def test_a_window_keeps_the_words_asked():
    """The report repeats the words the person used."""
    assert parse_window("  last  3 days ", now=NOW).asked == "last 3 days"


def test_a_weekend_asked_on_a_monday_is_the_one_just_past():
    """On Monday "last weekend" ended a moment ago."""
    monday = datetime(2026, 11, 23, 9, tzinfo=UTC)
    window = parse_window("last weekend", now=monday)
    assert (at("11-21 00:00"), at("11-23 00:00")) == (window.start, window.end)


def test_days_are_read_in_the_given_time_zone():
    """Yesterday begins at the asker's midnight."""
    window = parse_window("yesterday", now=NOW, tz=timezone(timedelta(hours=2)))
    assert (at("11-20 22:00"), at("11-21 22:00")) == (window.start, window.end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "banana",
        "..",
        "since",
        "d",
        "0d",
        "11y",
        "9999999w",
        "2026-02-31",
        "2026-11-06..2026-11-01",
        "2026-11-01..2026-11-01",
        "5d and more",
        "since never",
        "2026-11-01..banana",
        "1900-01-01..2026-11-01",
    ],
)
def test_anything_else_is_a_usage_error_with_a_way_out(text):
    """What is not a window, reversed, empty or absurd is refused with an example."""
    with pytest.raises(UsageError, match=r"2026-11-0"):
        parse_window(text, now=NOW, first=FIRST)


def test_ten_years_are_the_most():
    """A window beyond ten years is a typing mistake and says so."""
    with pytest.raises(UsageError, match="ten years"):
        parse_window("4000d", now=NOW)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40))
def test_any_text_gives_a_window_or_a_usage_error(text):
    """The parser never fails otherwise, and what it gives is a proper window."""
    try:
        window = parse_window(text, now=NOW, first=FIRST)
    except UsageError:
        return
    assert window.start < window.end


WORDS = [
    "day",
    "3",
    "the",
    "third",
    "since",
    "last",
    "night",
    "Tuesday",
    "14:02",
    "9am",
    "..",
    "to",
    "and",
    "between",
    "24:59",
    "Nov",
    "31",
    "2026-11-19",
    "ago",
    "2",
    "hours",
    "-",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
def test_any_mixture_of_time_words_is_survived(text):
    """Nonsense made of time words gives proper spans or a usage error, never a traceback."""
    assert all(moment.start < moment.end for moment in find_moments(text, WINDOW))
    with contextlib.suppress(UsageError):
        parse_window(text, now=NOW, first=FIRST)


@settings(max_examples=100, deadline=None)
@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - hypothesis wants naive bounds
    st.integers(1, 5_000),
)
def test_a_written_range_is_read_back(start, minutes):
    """A range printed to the minute parses to itself."""
    start = start.replace(second=0, microsecond=0, tzinfo=UTC)
    end = start + timedelta(minutes=minutes)
    window = parse_window(f"{start:%Y-%m-%dT%H:%MZ}..{end:%Y-%m-%d %H:%M}", now=NOW)
    assert (start, end) == (window.start, window.end)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("was the restart on day 3 related?", "11-19 00:00", "11-20 00:00"),
        ("the day-3 restart", "11-19 00:00", "11-20 00:00"),
        ("on the third day", "11-19 00:00", "11-20 00:00"),
        ("yesterday 14:00", "11-21 13:55", "11-21 14:05"),
        ("between 09:00 and 10:00 on Tuesday", "11-17 09:00", "11-17 10:00"),
        ("what happened Tuesday", "11-17 00:00", "11-18 00:00"),
        ("the restart of nov 19", "11-19 00:00", "11-20 00:00"),
        ("19th of November at 9am", "11-19 08:45", "11-19 09:15"),
        ("2026-11-19", "11-19 00:00", "11-20 00:00"),
        ("2026-11-19 14:05", "11-19 14:00", "11-19 14:10"),
        ("2026-11-19T14:05:10Z", "11-19 14:04", "11-19 14:06"),
        ("last night", "11-21 18:00", "11-22 06:00"),
        ("this morning", "11-22 05:00", "11-22 12:00"),
        ("day 3 around 03:12", "11-19 02:57", "11-19 03:27"),
        ("the 14:02 restart of the worker on day 4", "11-20 13:57", "11-20 14:07"),
        ("at 14:00+02:00 yesterday", "11-21 11:55", "11-21 12:05"),
        ("yesturday 23:00 to 01:00", "11-21 23:00", "11-22 01:00"),
        ("day 9", "11-25 00:00", "11-26 00:00"),
    ],
)
def test_a_moment_in_a_sentence_is_found(text, start, end):
    """Each way of naming a time gives one span; words around it do not matter."""
    spans = [(moment.start.replace(second=0), moment.end.replace(second=0)) for moment in find_moments(text, WINDOW)]
    assert [(at(start), at(end))] == spans


def test_a_clock_time_without_a_day_means_every_day():
    """A bare time gives one span a day, inside the window only."""
    moments = find_moments("around 09:15Z", WINDOW)
    assert [at(f"11-{day} 09:00") for day in (17, 18, 19, 20, 21, 22)] == [moment.start for moment in moments]
    assert {timedelta(minutes=30)} == {moment.end - moment.start for moment in moments}


def test_two_days_give_two_moments():
    """A sentence may name more than one time."""
    moments = find_moments("day 2 and day 4 at 10:00", WINDOW)
    assert {at("11-18 00:00"), at("11-20 09:55")} == {moment.start for moment in moments}


@pytest.mark.parametrize(
    "text", ["502s sat in the queue", "how may we fix it", "10.0.0.12:8080 refused", "step 3", "S3"]
)
def test_words_that_look_like_times_are_left_alone(text):
    """Statuses, verbs, addresses and step numbers are no times."""
    assert find_moments(text, WINDOW) == []


def test_a_moment_knows_what_touches_it():
    """An instant at the start counts, one at the end does not."""
    moment = Moment(start=at("11-19 03:00"), end=at("11-19 04:00"), words="")
    start, end = moment.start.timestamp(), moment.end.timestamp()
    assert moment.overlaps(start, start)
    assert not moment.overlaps(end, end)
    assert moment.overlaps(0, end)
