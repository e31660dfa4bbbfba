"""Which window an investigation looks at: the asked one, against what the material covers."""

from datetime import timedelta

import pytest
from casefile_samples import at, event

from bot.casefile.home import CaseHome
from bot.errors import UsageError
from bot.investigation.investigate import window_of

FIRST, LAST = at(0), at(0) + timedelta(days=5) - timedelta(seconds=21)


def window(tmp_path, words):
    """Give the window for these words over a material of almost five days."""
    with CaseHome(tmp_path).create() as writer:
        for moment in (FIRST, LAST):
            writer.add_event(event(at=moment, first_at=moment))
        return window_of(writer.reader(), words)


def test_days_asked_for_are_the_materials_days(tmp_path):
    """Five days back from the end of five days begin with the first of them, so that day 3 is day 3."""
    whole = window(tmp_path / "a", None)
    asked = window(tmp_path / "b", "5d")
    assert (FIRST, LAST + timedelta(seconds=1)) == (whole.start, whole.end)
    assert (whole.start, whole.end, "5d") == (asked.start, asked.end, asked.asked)


def test_a_window_inside_stays_as_asked(tmp_path):
    """Only what lies before the material is cut off, and only where it is less than a day."""
    assert LAST + timedelta(seconds=1) - timedelta(days=2) == window(tmp_path / "a", "2d").start
    assert FIRST - timedelta(days=1, seconds=20) == window(tmp_path / "b", "6d").start


def test_a_window_outside_is_refused(tmp_path):
    """The sentence names what the material covers."""
    with pytest.raises(UsageError, match="lies outside the material"):
        window(tmp_path, "2020-01-01..2020-01-05")
