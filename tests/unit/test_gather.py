"""Filling a case from all sources at once."""

import threading
import time

import pytest
from export_sink import RecordingSink

from bot.domain.items import Gap, LogStream
from bot.errors import LeftError, RootcauseError, StorageError, UsageError
from bot.investigation.gather import gather_all

STREAM = LogStream(namespace="shop", pod="a", container=None, path="p")


def silent(_stage, _done, _total):
    """Say nothing."""


class Reader:
    """A source that does what a test says, with the sink and the progress."""

    def __init__(self, name, act, deadline_s=None):
        self.name = name
        self._act = act
        if deadline_s is not None:
            self.deadline_s = deadline_s

    def gather(self, sink, progress):
        """Do it."""
        self._act(sink, progress)


def lines(count):
    """Make an act that writes lines one by one."""

    def act(sink, progress):
        stream = sink.open_stream(STREAM)
        for n in range(count):
            sink.add_lines(stream, [(n, b"x", 0)])
            progress("read", n, count)

    return act


def failing(error):
    """Make an act that writes one line and raises."""

    def act(sink, progress):
        lines(1)(sink, progress)
        raise error

    return act


def test_sources_are_read_side_by_side():
    """Each waits for the other: one after another neither would end."""
    meet = threading.Barrier(2, timeout=20)

    def act(sink, progress):
        meet.wait()
        lines(3)(sink, progress)

    sink = RecordingSink()
    gather_all([Reader("one", act, 30), Reader("two", act, 30)], sink, silent)
    assert [3, 3] == [len(each) for each in sink.lines]


def test_one_that_hangs_is_left_at_its_deadline_and_its_later_words_go_nowhere():
    """The answer does not wait; what came before stays; the thread ends with its next word."""
    free, heard = threading.Event(), []

    def hang(sink, progress):
        lines(2)(sink, progress)
        free.wait(30)
        try:
            sink.add_gap(Gap(source="slow", what="too late"))
        except LeftError:
            heard.append("left")
            raise

    sink = RecordingSink()
    began = time.monotonic()
    gather_all([Reader("slow", hang, 0.2), Reader("quick", lines(5))], sink, silent, grace_s=0.1)
    assert time.monotonic() - began < 10
    free.set()
    for thread in [each for each in threading.enumerate() if each.name == "gather slow"]:
        thread.join(10)
    assert ["left"] == heard
    assert [("slow", True)] == [(gap.source, gap.lost) for gap in sink.gaps]
    assert "did not end within" in sink.gaps[0].what
    assert {2, 5} == {len(each) for each in sink.lines}


def test_a_lone_service_that_hangs_is_left_too():
    """Even with nobody beside it an answer comes."""
    free, sink = threading.Event(), RecordingSink()
    gather_all([Reader("slow", lambda *_: free.wait(30), 0.1)], sink, silent, grace_s=0.1)
    free.set()
    assert sink.lost("did not end within")


@pytest.mark.parametrize("error", [UsageError("The path is wrong."), RootcauseError("It failed."), KeyError("x")])
def test_one_that_fails_beside_others_is_a_gap(error, caplog):
    """What it had read stays, a fault of this program is not told in its own words."""
    sink = RecordingSink()
    gather_all([Reader("bad", failing(error), 30), Reader("good", lines(4), 30)], sink, silent)
    assert {1, 4} == {len(each) for each in sink.lines}
    assert ["bad"] == [gap.source for gap in sink.gaps]
    assert ("'x'" in sink.gaps[0].what) is False


@pytest.mark.parametrize("deadline_s", [None, 30])
def test_one_that_fails_alone_raises(deadline_s):
    """There is nothing to answer from."""
    with pytest.raises(UsageError, match="wrong"):
        gather_all([Reader("bad", failing(UsageError("wrong")), deadline_s)], RecordingSink(), silent)


def test_a_full_disk_ends_everything():
    """It is nobody's gap; the others are let go."""

    class Full(RecordingSink):
        def add_lines(self, stream, lines):
            raise StorageError("full")

    with pytest.raises(StorageError):
        gather_all([Reader("one", lines(9), 30), Reader("two", lines(9), 30)], Full(), silent)


def test_whoever_wants_to_stop_ends_everything():
    """An exception of the progress comes out as it is, whatever a source catches."""

    class StoppedError(Exception):
        pass

    def stop(_stage, done, _total):
        if done > 3:
            raise StoppedError

    def stubborn(sink, progress):
        try:
            lines(50)(sink, progress)
        except Exception:  # noqa: BLE001 - the test's point
            sink.add_gap(Gap(source="one", what="caught"))

    with pytest.raises(StoppedError):
        gather_all([Reader("one", stubborn, 30), Reader("two", lines(50), 30)], RecordingSink(), stop)


def test_progress_is_the_sum_of_all_and_unknown_where_one_is():
    """A person sees one bar."""
    told, first = [], threading.Event()

    def known(_sink, progress):
        progress("read", 5, 10)
        first.set()

    def unknown(_sink, progress):
        first.wait(20)
        progress("discover", 7, None)

    gather_all([Reader("a", known, 30), Reader("b", unknown, 30)], RecordingSink(), lambda *each: told.append(each))
    assert [("read", 5, 10), ("read", 12, None)] == told
