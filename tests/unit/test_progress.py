"""Progress on standard error."""

import io

from rich.console import Console

from bot.cli.progress import Bars, Silent, StageLines, reporter
from bot.domain.ports import BY_WORKERS


class Clock:
    """Time that a test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        """Give the time."""
        return self.now


def test_away_from_a_terminal_a_long_stage_gives_one_line():
    """A pipe or a log file gets what took over a second, when it has ended."""
    clock, lines = Clock(), []
    with StageLines(lines.append, clock) as progress:
        progress("reading", 0, 2_000_000)
        clock.now = 2
        progress("reading", 2_000_000, 2_000_000)
        progress("digesting", 0, None)
        clock.now = 2.5
    assert lines == ["reading: 2 s, 2.0 MB at 1.0 MB/s\n"]


def test_a_stage_that_was_cut_short_is_not_said_to_have_ended():
    """An interrupted stage leaves no line."""
    clock, lines = Clock(), []
    progress = StageLines(lines.append, clock)
    progress("reading", 0, None)
    clock.now = 9
    progress.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert lines == []


def test_a_terminal_shows_nothing_for_work_of_less_than_a_second():
    """No flicker."""
    clock, screen = Clock(), io.StringIO()
    with Bars(Console(file=screen, force_terminal=True), clock) as progress:
        progress("reading", 1, 2)
        clock.now = 0.9
        progress("reading", 2, 2)
    assert screen.getvalue() == ""


def test_a_terminal_shows_a_bar_for_longer_work():
    """The stage, with its size and rate."""
    clock, screen = Clock(), io.StringIO()
    with Bars(Console(file=screen, force_terminal=True, width=100), clock) as progress:
        progress("reading", 1, 2000)
        clock.now = 1.5
        progress("reading", 1000, 2000)
        progress("digesting", 0, None)
    assert "reading" in screen.getvalue()


def test_quiet_is_silent():
    """--quiet has no progress at all."""
    with reporter(quiet=True) as progress:
        progress("reading", 1, 2)
    assert isinstance(progress, Silent)


def test_what_workers_do_is_told_beside_the_stage():
    """A pipe gets it at the stage's end; a terminal shows a second bar, and the first one stays."""
    clock, lines = Clock(), []
    with StageLines(lines.append, clock) as progress:
        progress("read", 0, 4_000_000)
        progress(BY_WORKERS, 1_000_000, 2_000_000)
        clock.now = 2
        progress("read", 4_000_000, 4_000_000)
        progress("digest", 0, None)
    assert lines == ["read: 2 s, 4.0 MB at 2.0 MB/s, 1.0 MB of it by workers\n"]
    clock, screen = Clock(), io.StringIO()
    with Bars(Console(file=screen, force_terminal=True, width=100), clock) as progress:
        progress("read", 1, 4000)
        clock.now = 1.5
        progress("read", 2000, 4000)
        progress(BY_WORKERS, 500, 1000)
        progress._bars.refresh()
    shown = screen.getvalue()
    assert "0.5/1.0 kB" in shown
    assert "by workers" in shown
    assert "2.0/4.0 kB" in shown.rpartition("by workers")[0].rpartition("read")[2]
