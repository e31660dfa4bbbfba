"""Lines as a dictionary of templates, each line its template's name and parameters; nothing is lost.

Lines of one masked form are cut at blanks and punctuation; where all agree in what stands between, words that never vary
go into the template and the others become parameters. A parameter that repeats an earlier one, and a time that is the
line's own, cost nothing. Forms seen too seldom to pay for a template share one where they are cut alike, or stand as
they are. ``packing_read`` undoes all of it. Left out: which lines are packed (see ``packing_choice``).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.analyst.packing_text import escape
from bot.analyst.packing_times import with_times

OPEN, CLOSE = "«", "»"
"""Around a slot of a template: ``«a»`` a parameter, ``«=a»`` the parameter again, ``«%H:%M»`` the line's own time."""

VERBATIM = "="
_LEAST = 4
"""Fewer lines than this do not pay for a template of their own."""

_TIME_OPEN, _TIME_CLOSE = "\ue000", "\ue001"  # escaped text holds no private characters, so these are ours
_WORDS = re.compile(f"({_TIME_OPEN}[^{_TIME_CLOSE}]*{_TIME_CLOSE}|[^\\s,;()\\[\\]{{}}\"'=:|/<>&?{_TIME_OPEN}]+)")
_TIME_WORD = re.compile(f"{_TIME_OPEN}([^|]*)\\|(-?\\d+){_TIME_CLOSE}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line to pack: the number of its id, its time (``UNDATED`` without one), what it is alike with, its text."""

    number: int
    time_ns: int
    form: int | str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionary:
    """Templates as they are printed, and for each row, in order, what stands behind its id and time."""

    templates: tuple[str, ...]
    bodies: tuple[str, ...]


@dataclass(slots=True, kw_only=True, eq=False)
class _Cut:
    """A row's text cut into words; ``gaps`` is what stands between them."""

    place: int
    gaps: tuple[str, ...]
    words: list[str]
    escaped: str


def build(rows: Sequence[Row], prefix: str = "T") -> Dictionary:
    """Find the templates of ``rows`` and write every row by them; names are ``prefix`` and a number."""
    by_form: dict[int | str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        by_form[row.form].append(place)
    bodies = [""] * len(rows)
    templates: list[str] = []
    pool: dict[tuple[str, ...], list[_Cut]] = defaultdict(list)
    for places in by_form.values():
        alike: dict[tuple[str, ...], list[_Cut]] = defaultdict(list)
        for cut in (_cut(rows[place], place) for place in places):
            alike[cut.gaps].append(cut)
        for gaps, cuts in alike.items():
            if len(cuts) < _LEAST:
                pool[gaps].extend(cuts)
            else:
                _write(cuts, templates, bodies, prefix)
    for cuts in pool.values():
        _write(cuts, templates, bodies, prefix)
    return Dictionary(templates=tuple(templates), bodies=tuple(bodies))


def _cut(row: Row, place: int) -> _Cut:
    escaped = escape(row.text)
    timed = escaped if row.time_ns < 0 else with_times(escaped, row.time_ns, _marked)
    parts = _WORDS.split(timed)
    return _Cut(place=place, gaps=tuple(parts[0::2]), words=parts[1::2], escaped=escaped)


def _marked(pattern: str, offset: int) -> str:
    return f"{_TIME_OPEN}{pattern}|{offset}{_TIME_CLOSE}"


def _write(cuts: list[_Cut], templates: list[str], bodies: list[str], prefix: str) -> None:
    """Give rows that are cut alike one template, or leave them as they are where that is shorter."""
    columns = list(zip(*(cut.words for cut in cuts), strict=True))
    told, parameters = _template(cuts[0].gaps, columns)
    if told is None and any(_TIME_OPEN in word for cut in cuts for word in cut.words):
        _write_untimed(cuts, templates, bodies, prefix)
        return
    fixed = sum(len(gap) for gap in cuts[0].gaps) + sum(len(c[0]) for c in columns if len(set(c)) == 1)
    saves = (len(cuts) - 1) * fixed > 4 * len(cuts) + 16
    if told is None or len(cuts) < 2 or not saves:
        for cut in cuts:
            bodies[cut.place] = VERBATIM + cut.escaped
        return
    name = f"{prefix}{len(templates) + 1}"
    templates.append(f"{name} {told}")
    for number, cut in enumerate(cuts):
        bodies[cut.place] = " ".join((name, *(column[number] for column in parameters)))


def _write_untimed(cuts: list[_Cut], templates: list[str], bodies: list[str], prefix: str) -> None:
    """Cut rows again with their times left as words: not all of them have one where the others do."""
    alike: dict[tuple[str, ...], list[_Cut]] = defaultdict(list)
    for cut in cuts:
        parts = _WORDS.split(cut.escaped)
        gaps = tuple(parts[0::2])
        alike[gaps].append(_Cut(place=cut.place, gaps=gaps, words=parts[1::2], escaped=cut.escaped))
    for group in alike.values():
        _write(group, templates, bodies, prefix)


def _template(gaps: Sequence[str], columns: Sequence[tuple[str, ...]]) -> tuple[str | None, list[tuple[str, ...]]]:
    """Write a template, and give the columns that are its parameters; None where its text holds marks of slots."""
    if any(OPEN in gap or CLOSE in gap for gap in gaps):
        return None, []
    pieces = [gaps[0]]
    parameters: list[tuple[str, ...]] = []
    names: dict[tuple[str, ...], str] = {}
    for gap, column in zip(gaps[1:], columns, strict=True):
        slot = _slot(column, names, parameters)
        if slot is None:
            return None, []
        pieces += (slot, gap)
    return "".join(pieces), parameters


def _slot(column: tuple[str, ...], names: dict[tuple[str, ...], str], parameters: list[tuple[str, ...]]) -> str | None:
    """Say what stands at a column: a word, the line's time, a parameter, or an earlier parameter again."""
    times = [_TIME_WORD.fullmatch(word) for word in column]
    pattern = ""
    if any(times):
        if not all(times) or len({found[1] for found in times if found}) > 1:
            return None
        pattern = next(found[1] for found in times if found)
        column = tuple(found[2] for found in times if found)
    if len(set(column)) == 1:
        word = column[0]
        if pattern:
            return f"{OPEN}{pattern}{CLOSE}" if word == "0" else f"{OPEN}{pattern}{int(word):+d}{CLOSE}"
        return None if OPEN in word or CLOSE in word else word
    known = names.get(column)
    if known is not None and not pattern:
        return f"{OPEN}={known}{CLOSE}"
    name = slot_name(len(parameters))
    parameters.append(column)
    names.setdefault(column, name)
    return f"{OPEN}{pattern}{name}{CLOSE}" if pattern else f"{OPEN}{name}{CLOSE}"


def slot_name(number: int) -> str:
    """Name a parameter: a, b, … z, ba, bb, … in their order."""
    letters = ""
    while True:
        number, letter = divmod(number, 26)
        letters = chr(97 + letter) + letters
        if not number:
            return letters


def numbered(letter: str, rows: Iterable[tuple[int, int, str]]) -> Iterable[str]:
    """Print rows (number, time in ns, body) with ids and times that only say what the row above does not.

    The whole id stands where it does not follow from the row above, and at every tenth; else its last digit. The date
    stands on a line of its own, hour and minute where they change.
    """
    before, day, minute = -1, -1, -1
    for number, time_ns, body in rows:
        told_id = f"{letter}{number}" if number != before + 1 or number % 10 == 0 else str(number % 10)
        before = number
        if time_ns < 0:
            yield f"{told_id} - {body}"
            continue
        if time_ns // _DAY_NS != day:
            day, minute = time_ns // _DAY_NS, -1
            yield f"@ {_date(time_ns)}"
        told = clock(time_ns)
        same, minute = time_ns // _MINUTE_NS == minute, time_ns // _MINUTE_NS
        yield f"{told_id} {told[6:] if same else told} {body}"


_MINUTE_NS = 60_000_000_000
_DAY_NS = 1440 * _MINUTE_NS


def _date(time_ns: int) -> str:
    # days since the epoch to a date without a datetime, for a time may lie outside its years
    days = time_ns // _DAY_NS + 719_468
    era, day = divmod(days, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    return f"{year + era * 400 + (month >= 10):04}-{(month + 2) % 12 + 1:02}-{day - (153 * month + 2) // 5 + 1:02}"


def clock(time_ns: int) -> str:
    """Print the time of day to the millisecond; a fraction of zero is left away."""
    seconds, rest = divmod(time_ns % _DAY_NS, 1_000_000_000)
    told = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{told}.{rest // 1_000_000:03}" if rest >= 1_000_000 else told
