"""On which days events and samples lie, whatever their number: what a window is found by.

Reads short columns only: no event is decoded, no series unpacked. Leaves out log lines, whose times are columns of blocks.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from bot.casefile.cells import cell_time

_DATE = len("2026-11-22")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day in UTC: how many times were told on it, and the first and the last of them."""

    times: int
    first: datetime
    last: datetime


def days_told(connection: sqlite3.Connection) -> list[Day]:
    """Give the days of the last times of events and of the first and last samples of series, ascending."""
    found: dict[str, tuple[int, str, str]] = {}
    told = (
        "SELECT at FROM events UNION ALL SELECT first_at FROM series WHERE first_at IS NOT NULL "
        "UNION ALL SELECT last_at FROM series WHERE last_at IS NOT NULL"
    )
    for (at,) in connection.execute(told):
        date = at[:_DATE]
        times, first, last = found.get(date, (0, at, at))
        found[date] = (times + 1, min(first, at), max(last, at))  # as text they are in time's order
    return [
        Day(times=times, first=cell_time(first), last=cell_time(last))
        for _, (times, first, last) in sorted(found.items())
    ]
