"""What is said of a model's reading: what of each source it saw, and how several readings agree."""

import pytest

from bot.domain.reading_words import reading_rows, votes_words
from bot.domain.report import Reading, Vote


def vote(cause, effect, agree, of=3):
    """Give a vote."""
    return Vote(cause=cause, effect=effect, agree=agree, of=of)


@pytest.mark.parametrize(
    ("votes", "words"),
    [
        ([vote("a", "b", 3)], "All 3 readings name the same link."),
        ([vote("a", "b", 3), vote("b", "c", 3)], "All 3 readings name the same 2 links."),
        ([vote("a", "b", 3), vote("b", "c", 1)], "Of 3 readings: b → c in 1; 1 other link in all 3."),
        ([vote("a", str(n), 2) for n in range(8)], "Of 3 readings: " + "; ".join(f"a → {n} in 2" for n in range(6)) + "; 2 more links not in all."),
    ],
)  # fmt: skip
def test_readings_that_differ_are_named_first(votes, words):
    """What all agree on is a number; what they do not is what somebody has to look at."""
    assert words == votes_words(votes)


@pytest.mark.parametrize(
    ("mode", "handed", "first", "more"),
    [
        ("whole", {}, "m read the case, ", []),
        ("whole", {"loki": "all 9 lines", "slack": "all 2"}, "m read all of the case, ", []),
        ("whole", {"loki": "18 % of 9 lines: all 2 failures", "slack": "all 2"}, "m read the case as far as it fits, ",
         ["Of loki it was handed 18 % of 9 lines: all 2 failures."]),
        ("digest", {"prometheus": "all 26 series, shifts and extremes"}, "m read a digest of the case, ",
         ["Of prometheus it was handed all 26 series, shifts and extremes."]),
    ],
)  # fmt: skip
def test_what_a_model_was_not_handed_is_said_of_each_source(mode, handed, first, more):
    """All of it in a word; of a part, how much."""
    rows = reading_rows(Reading(model="m", mode=mode, agrees=True, handed=handed))
    assert rows[0].startswith(first)
    assert more == rows[1:]
