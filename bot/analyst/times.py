"""Times as tired people write them: windows for an investigation, moments inside a question.

A parser of our own, because the words are few and the mistakes of a general date library (a weekday in the future, a
month guessed from "may") are worse than saying "I do not understand". It knows no clock: *now* is handed in, and for an
export it is the end of the data. Left out on purpose: local date orders such as ``11/12``, which mean two things.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from bot.analyst.time_words import (
    AGO,
    CLOCK_WORDS,
    COUNT,
    DAY_S,
    DAY_WORDS,
    FILLER,
    MONTHS,
    NUMBERS,
    ORDINALS,
    PARTS,
    PAST,
    UNIT,
    UNITS,
    WEEKDAYS,
    ZONE_HOURS,
    plain_stamps,
)
from bot.domain.window import Window
from bot.errors import UsageError

EXAMPLES = "5d, 12h, 2026-11-01..2026-11-06, 'since Tuesday', 'last weekend'"
LONGEST = timedelta(days=3653)
"""Ten years: a longer window is a typing mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A span of time a question points to, ``[start, end)`` in aware UTC, and the words that pointed."""

    start: datetime
    end: datetime
    words: str

    def overlaps(self, start_s: float, end_s: float) -> bool:
        """Tell whether something from ``start_s`` to ``end_s`` (epoch seconds) touches the span."""
        return start_s < self.end.timestamp() and end_s >= self.start.timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class _DayMention:
    begin: int
    stop: int
    dates: tuple[date, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClockMention:
    """Seconds from a day's midnight: the exact ``point_s`` named and the span meant."""

    begin: int
    stop: int
    point_s: float
    start_s: float
    end_s: float
    zone: tzinfo | None = None


def parse_window(text: str, *, now: datetime, first: datetime | None = None, tz: tzinfo = UTC) -> Window:
    """Turn a window expression into a half-open window in UTC.

    ``now`` stands for the present (for an export: just after its last item), ``first`` for the oldest thing known; days
    and clock times without a zone are read in ``tz``. Raises UsageError with examples for anything not understood, for
    a reversed or empty window and for one longer than ten years.
    """
    words = " ".join(text.split())
    try:
        span = _window_span(words, now=now, first=first, tz=tz)
    except (OverflowError, ValueError):
        span = None
    if span is None:
        raise UsageError(f"The window {text.strip()[:60]!r} is not understood. Try {EXAMPLES}.")
    start, end = span[0].astimezone(UTC), span[1].astimezone(UTC)
    if start >= end:
        hint = "The end is not part of a window, so one day is 2026-11-01..2026-11-02."
        raise UsageError(f"The window {words[:60]!r} ends before it begins or is empty. {hint}")
    if end - start > LONGEST:
        raise UsageError(f"The window {words[:60]!r} is longer than ten years. Try {EXAMPLES}.")
    return Window(start=start, end=end, asked=words)


def find_moments(text: str, window: Window, tz: tzinfo = UTC, *, now: datetime | None = None) -> list[Moment]:
    """Find the moments a sentence names, in the order of its words.

    ``day 3`` counts UTC days from the window's first; a clock time without a day means that time on every day of the
    window; moments outside the window are given too, so that the asker can be told.
    """
    now = now or window.end - timedelta(microseconds=1)
    text = plain_stamps(text)
    clocks = list(_clock_mentions(text))
    days = list(_day_mentions(text, window, now.astimezone(tz).date()))
    found: list[tuple[int, Moment]] = [*_ago_moments(text, now), *_past_moments(text, now.astimezone(tz).date(), tz)]
    used: set[int] = set()
    for clock in clocks:
        index = _nearest_day(clock, days)
        used.update([] if index is None else [index])
        day = None if index is None else days[index]
        begin, stop = (clock.begin, clock.stop) if day is None else _joined(clock, day, text)
        words = " ".join(text[begin:stop].split())
        if day is not None:
            found += [(begin, _clock_moment(on, clock, tz, words)) for on in day.dates]
            continue
        daily = [_clock_moment(on, clock, tz, words) for on in _window_days(window, tz)]
        found += [(begin, moment) for moment in daily if moment.overlaps(window.start_s, window.end_s)]
    for index, day in enumerate(days):
        if index not in used:
            words = " ".join(text[day.begin : day.stop].split())
            found += [(day.begin, _day_moment(on, tz, words)) for on in day.dates]
    found.sort(key=lambda pair: (pair[0], pair[1].start, pair[1].end))
    return list(dict.fromkeys(moment for _, moment in found))


def _window_span(words: str, *, now: datetime, first: datetime | None, tz: tzinfo) -> tuple[datetime, datetime] | None:
    lower = words.lower()
    if lower in {"all", "everything", "whole", "the whole thing"}:
        return (first, now) if first is not None else None
    duration = re.fullmatch(rf"(?:(?:the )?(?:last|past) )?(\d{{1,9}}(?:\.\d{{1,3}})?|an?|)\s*({UNIT})", lower)
    if duration and (duration[1] or lower.startswith(("last", "past", "the"))):
        count = 1.0 if duration[1] in {"", "a", "an"} else float(duration[1])
        length = timedelta(seconds=count * UNITS[duration[2][0]])
        return now - length, now
    ends = re.fullmatch(r"(?:from |between )?(.*?)(?:\s*\.\.\.?\s*| to | and | until )(.*)", lower)
    if ends:
        return _between(ends[1], ends[2], now=now, first=first, tz=tz)
    since = re.fullmatch(r"since (.+)", lower)
    span = _span(since[1] if since else lower, now=now, first=first, tz=tz)
    if span is None:
        return None
    return (span[0], now) if since else (span[1], min(span[2], now) if span[1] < now else span[2])


def _between(
    left: str, right: str, *, now: datetime, first: datetime | None, tz: tzinfo
) -> tuple[datetime, datetime] | None:
    if not left and not right:
        return None
    begin = _span(left, now=now, first=first, tz=tz) if left else None
    end = _span(right, now=now, first=first, tz=tz) if right else None
    start_at = begin[0] if begin else (first if not left else None)
    end_at = end[0] if end else (now if right in {"", "now"} else None)
    if start_at is None or end_at is None:
        return None
    if begin and end and re.fullmatch(r"[\d:apm zutc]+", right) and end_at <= start_at:
        # "yesterday 22:00 to 02:00": a bare clock time at the end belongs to the start's day, or the day after
        clock = next(_clock_mentions(right))
        end_at = _at(start_at.astimezone(tz).date(), clock.point_s, clock.zone or tz)
        end_at += timedelta(days=1) if end_at <= start_at else timedelta(0)
    return start_at, end_at


def _span(
    text: str, *, now: datetime, first: datetime | None, tz: tzinfo
) -> tuple[datetime, datetime, datetime] | None:
    """Read a whole text as one time: the exact point named, and the span it covers."""
    text = plain_stamps(text)
    oldest = min(first, now) if first is not None else now - timedelta(days=7)
    window = Window(start=oldest, end=now, asked=text)
    ago = AGO.fullmatch(text) or re.fullmatch(rf"({COUNT})\s*({UNIT}) ago", text)
    if ago:
        start = now - timedelta(seconds=_count(ago[1]) * UNITS[ago[2][0].lower()])
        return start, start, now
    clocks, days = list(_clock_mentions(text)), list(_day_mentions(text, window, now.astimezone(tz).date()))
    if len(clocks) > 1 or len(days) > 1 or not (clocks or days) or not _consumed(text, [*clocks, *days]):
        return None
    today = now.astimezone(tz).date()
    # a weekend is the only mention of several days that belong together; of several weekdays the latest is meant
    dates = list(days[0].dates) if days else [today]
    together = len(dates) == 2 and dates[1] - dates[0] == timedelta(days=1)
    begin, last = (dates[0], dates[1]) if together else (dates[-1], dates[-1])
    if not clocks:
        start = _at(begin, 0, tz)
        return start, start, _at(last, DAY_S, tz)
    clock = clocks[0]
    zone = clock.zone or tz
    if not days and _at(begin, clock.point_s, zone) > now:
        begin -= timedelta(days=1)
    return _at(begin, clock.point_s, zone), _at(begin, clock.start_s, zone), _at(begin, clock.end_s, zone)


def _consumed(text: str, mentions: Sequence[_DayMention | _ClockMention]) -> bool:
    left = list(text)
    for mention in mentions:
        left[mention.begin : mention.stop] = " " * (mention.stop - mention.begin)
    return not FILLER.sub("", "".join(left))


def _clock_mentions(text: str) -> Iterator[_ClockMention]:
    for match in CLOCK_WORDS.finditer(text):
        if part := match["part"]:
            begin_h, end_h = PARTS[part.lower()]
            yield _ClockMention(
                begin=match.start(),
                stop=match.end(),
                point_s=begin_h * 3600,
                start_s=begin_h * 3600,
                end_s=end_h * 3600,
            )
            continue
        if match.start() and text[match.start() - 1].isalnum():
            continue
        point, width = _clock(match, "")
        zone = _zone(match["zone"]) or _zone(match["zoneb"])
        start, end = point - width, point + width
        if any(match[name] for name in ("hb", "hhb", "h4b", "wordb")):
            last, _ = _clock(match, "b")
            start, end = point, last if last > point else last + DAY_S
        elif match["fuzzy"]:
            wide = 1800 if width == 900 else 900
            start, end = point - wide, point + wide
        elif (side := (match["side"] or match["range"] or "").lower()) in {"before", "until"}:
            start, end = point - 1800, point
        elif side in {"after", "since", "past", "from"}:
            start, end = point, point + 1800
        yield _ClockMention(begin=match.start(), stop=match.end(), point_s=point, start_s=start, end_s=end, zone=zone)


def _clock(match: re.Match[str], side: str) -> tuple[float, float]:
    """Read seconds from midnight and the half width meant: a minute named loosely is five wide, an hour fifteen."""
    if word := match["word" + side]:
        return (0.0 if word.lower() == "midnight" else 43_200.0), 900
    half = (match["half" + side] or match["half2" + side] or "").lower()
    hour = int(match["h" + side] or match["hh" + side] or match["h4" + side])
    minute, second = int(match["m" + side] or match["m4" + side] or 0), match["s" + side]
    if half and hour <= 12:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    width = 60 if second else 900 if match["hh" + side] else 300
    return hour * 3600.0 + minute * 60 + int(second or 0), width


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    digits = re.sub(r"\D", "", text)
    if not digits:
        return timezone(timedelta(hours=ZONE_HOURS.get(text.strip().lower(), 0)))
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    if hours > 14 or minutes > 59:
        return None
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if "-" in text else offset)


def _day_mentions(text: str, window: Window, today: date) -> Iterator[_DayMention]:
    for match in DAY_WORDS.finditer(text):
        if match["weekday2"] and match["weekday2"] == "sat":
            continue  # "requests sat in the queue"
        try:
            dates = _dates(match, window, today)
        except (ValueError, OverflowError):
            continue  # the 31st of February
        yield _DayMention(begin=match.start(), stop=match.end(), dates=dates)


def _dates(match: re.Match[str], window: Window, today: date) -> tuple[date, ...]:  # noqa: C901, PLR0911 - one line a kind of word; a table would hide the groups
    if match["iso"]:
        return (date.fromisoformat(match["iso"]),)
    if number := match["number"] or match["ordinal"]:
        return (window.day_start(_count(number)).date(),)
    if match["final"] is not None:
        return (today,)
    if month := match["month"] or match["month2"]:
        year, day = match["year"] or match["year2"], int(match["mday"] or match["mday2"])
        return (_dated(MONTHS.index(month[:3].lower()) + 1, day, int(year) if year else None, window),)
    if match["mday3"]:
        return (_month_day(int(match["mday3"]), today),)
    if match["before"] is not None:
        return (today - timedelta(days=2),)
    if match["yesterday"] is not None or match["lastnight"] is not None:
        return (today - timedelta(days=1),)
    if match["today"]:
        return (today,)
    if match["weekend"] is not None:
        saturday = today - timedelta(
            days=(today.weekday() - 5) % 7 or 7 if today.weekday() == 5 else today.weekday() + 2
        )
        return (saturday, saturday + timedelta(days=1))
    if match["ago"]:
        return (today - timedelta(days=_count(match["ago"]) * (7 if match["agounit"].lower().startswith("w") else 1)),)
    return _weekdays(match, window, today)


def _weekdays(match: re.Match[str], window: Window, today: date) -> tuple[date, ...]:
    name = (match["weekday"] or match["weekday2"])[:3].lower()
    back = (today.weekday() - WEEKDAYS.index(name)) % 7
    last = (match["last"] or match["last2"] or "").strip().lower() == "last"
    latest = today - timedelta(days=back or (7 if last else 0))
    start = window.start.astimezone(UTC).date()
    earlier = [] if last else [latest - timedelta(days=7 * n) for n in range(53, 0, -1)]
    return (*(day for day in earlier if day >= start), latest)


def _dated(month: int, day: int, year: int | None, window: Window) -> date:
    if year is not None:
        return date(year, month, day)
    middle = (window.start + (window.end - window.start) / 2).date()
    options = [date(middle.year + shift, month, day) for shift in (-1, 0, 1)]
    return min(options, key=lambda option: abs(option - middle))


def _month_day(day: int, today: date) -> date:
    if day <= today.day:
        return today.replace(day=day)
    return (today.replace(day=1) - timedelta(days=1)).replace(day=day)


def _count(word: str) -> int:
    word = word.lower()
    if word in {"a", "an"}:
        return 1
    for names in (NUMBERS, ORDINALS):
        if word in names:
            return names.index(word) + 1
    return int(re.sub(r"\D", "", word))


def _ago_moments(text: str, now: datetime) -> Iterator[tuple[int, Moment]]:
    for match in AGO.finditer(text):
        unit_s = UNITS[match["unit"][0].lower()]
        at = now - timedelta(seconds=_count(match["n"]) * unit_s)
        half = timedelta(seconds=unit_s / 2 if unit_s == 3_600 else 300)
        yield match.start(), Moment(start=_utc(at - half), end=_utc(at + half), words=match[0])


def _past_moments(text: str, today: date, tz: tzinfo) -> Iterator[tuple[int, Moment]]:
    """Read weeks, months and years that are over as the calendar has them."""
    for match in PAST.finditer(text):
        unit, back = (match["span"] or match["unit"]).lower(), _count(match["n"]) if match["n"] else 1
        if unit == "week":
            first = today - timedelta(days=today.weekday() + 7 * back)
            last = first + timedelta(days=7)
        elif unit == "month":
            first, last = _month_back(today, back), _month_back(today, back - 1)
        else:
            first, last = date(today.year - back, 1, 1), date(today.year - back + 1, 1, 1)
        yield match.start(), Moment(start=_at(first, 0, tz), end=_at(last, 0, tz), words=match[0])


def _month_back(today: date, back: int) -> date:
    months = today.year * 12 + today.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _nearest_day(clock: _ClockMention, days: Sequence[_DayMention]) -> int | None:
    if not days:
        return None
    return min(
        range(len(days)),
        key=lambda n: (max(days[n].begin - clock.stop, clock.begin - days[n].stop), days[n].begin),
    )


def _joined(clock: _ClockMention, day: _DayMention, text: str) -> tuple[int, int]:
    """Give the stretch of text that names both, or the clock's alone where other words stand between."""
    begin, stop = min(clock.begin, day.begin), max(clock.stop, day.stop)
    between = text[min(clock.stop, day.stop) : max(clock.begin, day.begin)]
    return (begin, stop) if not FILLER.sub("", between) else (clock.begin, clock.stop)


def _window_days(window: Window, tz: tzinfo) -> Iterator[date]:
    day, last = window.start.astimezone(tz).date(), (window.end - timedelta(microseconds=1)).astimezone(tz).date()
    for _ in range(400):  # a year of days; beyond, a clock time without a day means nothing
        if day > last:
            return
        yield day
        day += timedelta(days=1)


def _at(day: date, seconds: float, zone: tzinfo) -> datetime:
    return _utc(datetime.combine(day, time(), tzinfo=zone) + timedelta(seconds=seconds))


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _clock_moment(day: date, clock: _ClockMention, tz: tzinfo, words: str) -> Moment:
    zone = clock.zone or tz
    return Moment(start=_at(day, clock.start_s, zone), end=_at(day, clock.end_s, zone), words=words)


def _day_moment(day: date, tz: tzinfo, words: str) -> Moment:
    return Moment(start=_at(day, 0, tz), end=_at(day, DAY_S, tz), words=words)
