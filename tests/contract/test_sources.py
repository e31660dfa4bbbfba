"""What every source owes whoever gathers from it, in good times and bad."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC
from itertools import pairwise

import pytest
from http_sources import TOKEN as HTTP_TOKEN
from kubernetes_situations import KUBERNETES
from recorder_situations import RECORDER
from situations import BUSY, CANNOT, CONTRACT, SITUATIONS as OTHERS, SLOWED, TOKEN, Situation, failing_first, over_http
from store_situations import rows
from unit.export_sink import RecordingSink

SITUATIONS = (*OTHERS, *KUBERNETES, *RECORDER, *rows(Situation, over_http, failing_first, BUSY, SLOWED))
BUSY_MACHINE_S = 4.0
"""What a machine with other work may add; what hangs takes far longer."""
SILENT = lambda _stage, _done, _total: None  # noqa: E731 - the shortest way to say nothing


@contextmanager
def opened(situation, folder):
    """Bring a source into its situation."""
    opening = situation.opened(folder)
    try:
        yield next(opening)
    finally:
        list(opening)


def stored(sink):
    """Count everything that was stored."""
    return sum(map(len, (*sink.lines, sink.events, sink.objects, sink.series, sink.messages, sink.tickets)))


def told(sink):
    """Give everything stored and said, to compare two readings."""
    return (
        sink.streams,
        sink.lines,
        sink.events,
        sink.objects,
        sink.series,
        sink.messages,
        sink.tickets,
        sink.gaps,
        sink.reads,
    )


every_situation = pytest.mark.parametrize("situation", SITUATIONS, ids=str)
every_source = pytest.mark.parametrize(
    "situation", [each for each in SITUATIONS if each.name in {"happy", "raw-happy"}], ids=str
)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Give a function that reads a source in its situation, once for all who look at what came of it."""
    readings = {}

    def reading(situation):
        if str(situation) not in readings:
            sink = RecordingSink()
            with opened(situation, tmp_path_factory.mktemp("situation")) as source:
                begun = time.monotonic()
                source.gather(sink, SILENT)
                readings[str(situation)] = (sink, time.monotonic() - begun)
        return readings[str(situation)]

    return reading


@pytest.mark.parametrize("source", sorted({each.source for each in SITUATIONS}))
def test_every_source_is_seen_in_every_situation(source):
    """What the contract names has a row, or a reason why there can be none; never both, never neither."""
    seen = [each.name for each in SITUATIONS if each.source == source]
    assert len(seen) == len(set(seen))
    assert set(CONTRACT) - set(seen) == set(CANNOT.get(source, ()))


@every_situation
def test_what_can_be_read_is_stored_and_the_rest_is_said(situation, read):
    """Nothing is raised; everything readable is stored; what is not is a Gap in words, and it ends in time."""
    sink, took = read(situation)
    assert situation.items == stored(sink)
    assert situation.lost == bool(sink.lost())
    assert not situation.words or sink.lost(situation.words)
    assert took < situation.within_s + BUSY_MACHINE_S


@every_situation
def test_gaps_are_sentences_for_people(situation, read):
    """A Gap names its source and tells no exception, no token and no traceback."""
    for gap in read(situation)[0].gaps:
        assert gap.source
        assert gap.count > 0
        assert 10 < len(gap.what) < 400
        assert not [word for word in (TOKEN, HTTP_TOKEN, "Traceback", "Error(", "<class", "0x") if word in gap.what]


@every_situation
def test_nothing_there_and_could_not_look_differ(situation, read):
    """A source that held nothing was read; one that could not be looked into was not, and says so."""
    sink, _ = read(situation)
    if not stored(sink):
        assert bool(sink.reads) != bool(sink.lost())
    assert all(size > 0 for _, _, size in sink.reads)


@every_source
def test_times_are_aware_and_in_utc(situation, tmp_path):
    """Whatever zone a source speaks in, what it stores is UTC."""
    sink = RecordingSink()
    with opened(situation, tmp_path) as source:
        source.gather(sink, SILENT)
    zones = {each.at.tzinfo for each in (*sink.messages, *sink.events, *sink.tickets)}
    assert zones <= {UTC}
    assert zones or sink.series or any(sink.lines)


@every_source
def test_two_readings_are_the_same(situation, tmp_path):
    """The same material gives the same items in the same order."""
    first, second = RecordingSink(), RecordingSink()
    with opened(situation, tmp_path) as source:
        source.gather(first, SILENT)
        source.gather(second, SILENT)
    assert told(first) == told(second)


@every_source
def test_progress_never_goes_back(situation, tmp_path):
    """Bytes done only grow within a stage."""
    seen = []
    with opened(situation, tmp_path) as source:
        source.gather(RecordingSink(), lambda stage, done, _total: seen.append((stage, done)))
    assert seen
    assert all(before[1] <= after[1] for before, after in pairwise(seen) if before[0] == after[0])


@every_source
def test_whoever_gathers_can_stop_it(situation, tmp_path):
    """An exception from the progress ends the reading at once and comes out as it is."""

    class StoppedError(Exception):
        pass

    def stop(_stage, _done, _total):
        raise StoppedError

    with opened(situation, tmp_path) as source, pytest.raises(StoppedError):
        source.gather(RecordingSink(), stop)


@every_source
def test_whoever_stores_can_stop_it(situation, tmp_path):
    """So does one from the sink at the first thing that is stored, and no thread is left then either."""

    class StoppedError(Exception):
        pass

    def stop(*_item):
        raise StoppedError

    sink = RecordingSink()
    for what in ("lines", "event", "object", "series", "message", "ticket"):
        setattr(sink, f"add_{what}", stop)
    with opened(situation, tmp_path) as source:
        before = set(threading.enumerate())
        with pytest.raises(StoppedError):
            source.gather(sink, SILENT)
        assert [] == [each for each in set(threading.enumerate()) - before if each.name != "fault server"]


@every_source
def test_no_thread_stays_behind(situation, tmp_path):
    """After a reading there are as many threads as before it."""
    with opened(situation, tmp_path) as source:
        before = set(threading.enumerate())
        source.gather(RecordingSink(), SILENT)
        left = [each for each in set(threading.enumerate()) - before if each.name != "fault server"]
        assert [] == left
