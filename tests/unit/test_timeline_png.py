"""The timeline as a picture: what stands where, in which colours, within which bounds."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image
from sample_report import REPORT, START, hours

from bot.charts.timeline_png import ALT_CHARS, alt_text, timeline_png
from bot.domain.entity import Entity
from bot.domain.report import Cascade, Episode

SYMPTOM, UNEXPLAINED, ROOT = (0xC4, 0x31, 0x4B), (0xE5, 0x9A, 0x2C), (0x7B, 0x3F, 0xB5)


def drawn(report, **how):
    """Give the picture as RGB pixels."""
    return Image.open(BytesIO(timeline_png(report, **how))).convert("RGB")


def near(image, colour, box=None):
    """Count the pixels that are almost of a colour."""
    pixels = (image.crop(box) if box else image).get_flattened_data()
    return sum(max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 12 for pixel in pixels)


def column(image, at):
    """Give the box one bar wide at an instant of the sample's window."""
    share = (at - REPORT.window.start) / (REPORT.window.end - REPORT.window.start)
    x = 36 + share * (image.width - 72)
    return (round(x - 8), 0, round(x + 8), image.height)


def test_bars_stand_where_and_as_high_as_episodes_were():
    """An episode is a bar at its time, taller with its count; an unexplained one has its own colour."""
    image = drawn(REPORT)
    episodes = [each for each in REPORT.symptom.episodes if each.explained]
    first, last = (near(image, SYMPTOM, column(image, each.start)) for each in (episodes[0], episodes[-1]))
    assert 0 < first < last
    odd = next(each for each in REPORT.symptom.episodes if not each.explained)
    assert near(image, UNEXPLAINED, column(image, odd.start)) > 50
    assert 0 == near(image, SYMPTOM, (*column(image, odd.start)[:1], 250, *column(image, odd.start)[2:]))
    assert near(image, ROOT, column(image, REPORT.cascade.steps[0].times[0][0])) > 100


def test_it_is_small_and_the_same_every_time():
    """The same report gives the same bytes, below 150 kB, as wide as asked for."""
    first = timeline_png(REPORT)
    assert first == timeline_png(REPORT)
    assert len(first) < 150_000
    assert [1200, 800, 600] == [drawn(REPORT, width=width).width for width in (1200, 800, 10)]
    assert timeline_png(REPORT, dark=True) != first


@pytest.mark.parametrize(
    "report",
    [
        replace(REPORT, symptom=None),
        replace(REPORT, cascade=Cascade(), root_cause=None, verdict="inconclusive"),
        replace(REPORT, symptom=None, cascade=Cascade(), root_cause=None, verdict="no_incident", ruled_out=()),
        replace(REPORT, window=replace(REPORT.window, end=START + timedelta(seconds=1))),
        replace(REPORT, window=replace(REPORT.window, end=START + timedelta(days=4000))),
        replace(REPORT, cascade=replace(REPORT.cascade, links=())),
        replace(
            REPORT,
            cascade=replace(REPORT.cascade, steps=tuple(replace(each, times=()) for each in REPORT.cascade.steps)),
        ),
    ],
)
def test_poor_and_odd_reports_are_drawn_too(report):
    """Without symptom, cascade, links or times, and over a second or ten years, there is a picture and a text."""
    assert drawn(report).height > 100
    assert alt_text(report)


def test_long_cascades_and_names_stay_inside():
    """Forty steps with endless names, and hundreds of episodes: bounded in height and in bytes."""
    step = REPORT.cascade.steps[1]
    many = tuple(replace(step, id=f"S{n}", entity=Entity("Deployment", "x" * 300, "y")) for n in range(40))
    episodes = tuple(Episode(start=hours(n / 10), end=hours(n / 10), count=n + 1, explained=True) for n in range(600))
    report = replace(
        REPORT, cascade=replace(REPORT.cascade, steps=many), symptom=replace(REPORT.symptom, episodes=episodes)
    )
    assert drawn(report).height < 2600
    assert len(timeline_png(report)) < 150_000
    assert len(alt_text(report)) <= ALT_CHARS


def test_foreign_text_is_made_plain():
    """Escapes, controls, direction marks and letters the font does not have are not shown."""
    entity = Entity("Deployment", "a\x1b[31mb\u202ec\u200bd\n\u6f22é", "y")
    told = alt_text(replace(REPORT, root_cause=replace(REPORT.root_cause, entity=entity)))
    assert "abcd ?e is behind" in told
    assert all(each.isprintable() for each in told)


def test_the_text_says_what_the_picture_shows():
    """Window, cause, symptom, each step with its lag, and what was ruled out."""
    told = alt_text(REPORT)
    for words in ("Timeline of Mar 02", "ledger-vacuum is behind edge", "12 of 13 episodes", "S1: ledger-vacuum", "after S1", "Ruled out: "):  # fmt: skip
        assert words in told
