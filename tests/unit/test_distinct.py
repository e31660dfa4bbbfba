"""Lines of one container from several sources: kept once, whoever is first, and a source that repeats itself is believed."""

from collections import Counter

from hypothesis import given, settings, strategies as st
from unit.export_sink import RecordingSink

from bot.domain.items import LogStream
from bot.domain.ports import UNDATED
from bot.investigation.distinct import DistinctLines
from bot.investigation.gather import gather_all

MS = 1_000_000
API = LogStream(namespace="shop", pod="api-0", container="api", path="p")


class Teller:
    """A source that tells lines of a stream in pieces."""

    deadline_s = 30.0

    def __init__(self, name, lines, stream=API, piece=7):
        self.name, self._lines, self._stream, self._piece = name, lines, stream, piece

    def gather(self, sink, progress):
        """Tell them."""
        number = sink.open_stream(self._stream)
        for begin in range(0, len(self._lines), self._piece):
            sink.add_lines(number, self._lines[begin : begin + self._piece])


def kept(*sources):
    """Gather sources; give the sink and the texts with their millisecond."""
    sink = RecordingSink()
    gather_all(sources, sink, lambda *_: None)
    return sink, Counter((at // MS, raw[start:]) for stream in sink.lines for at, raw, start in stream)


def test_cluster_recorder_and_log_store_tell_a_line_once():
    """The kubelet's prefix is no part of the text, and a store that keeps milliseconds holds the same line all the same."""
    prefix = b"2026-11-22T00:00:00.000000000Z "
    lines = [(n * 137 * MS + 123_456, b"line %d" % n) for n in range(200)]
    kubernetes = [(at, prefix + text, len(prefix)) for at, text in lines[100:]]
    recorder = [(at, prefix + text, len(prefix)) for at, text in lines[:150]]
    store = [(at // MS * MS, text + b"\r", 0) for at, text in lines]
    sink, told = kept(Teller("kubernetes", kubernetes), Teller("recorder", recorder), Teller("elasticsearch", store))
    assert 200 == sum(told.values())
    assert {(at // MS, text) for at, text in lines} == {(at, text.rstrip(b"\r")) for at, text in told}
    assert 250 == sink.odd("two sources hold, kept once")
    assert not sink.lost()


def test_other_pods_other_times_and_lines_without_a_time_are_others():
    """Equal bytes alone make no line the same."""
    one = [(5 * MS, b"x", 0), (UNDATED, b"y", 0)]
    other = [(6 * MS, b"x", 0), (UNDATED, b"y", 0)]
    elsewhere = LogStream(namespace="shop", pod="api-1", container="api", path="p")
    unnamed = LogStream(namespace=None, pod=None, container=None, path="p")
    told = kept(Teller("a", one), Teller("b", other), Teller("c", one, elsewhere), Teller("d", one, unnamed))[1]
    assert 8 == sum(told.values())


def test_lines_that_are_written_anew_are_said_to_count_twice():
    """A shipper that wraps lines makes them unlike: they cannot be told, so it is said."""
    plain = [(n * MS, b"line %d" % n, 0) for n in range(60)]
    wrapped = [(at, b'{"log":"%s"}' % raw, 0) for at, raw, _ in plain]
    sink, told = kept(Teller("kubernetes", plain), Teller("loki", wrapped))
    assert 120 == sum(told.values())
    assert 1 == sink.odd("may count twice")


def test_what_is_remembered_is_bounded():
    """Beyond the bound lines pass uncompared."""
    lines = [(n * MS, b"x", 0) for n in range(10)]
    distinct = DistinctLines(most_keys=15)
    distinct.open_stream(0, API, "a")
    distinct.open_stream(1, API, "b")
    assert [10, 0, 10] == [len(distinct.fresh(*each)) for each in ((0, lines), (1, lines), (1, lines))]
    assert distinct.full


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 12), max_size=40), min_size=2, max_size=3), st.integers(1, 9), st.randoms())
def test_of_equal_lines_as_many_stay_as_the_fullest_source_has(sources, piece, order):
    """Whatever comes first and however it is cut."""
    distinct, found = DistinctLines(), Counter()
    pieces = []
    for number, moments in enumerate(sources):
        distinct.open_stream(number, API, str(number))
        lines = [(moment * MS, b"x", 0) for moment in moments]
        pieces.append([(number, lines[begin : begin + piece]) for begin in range(0, len(lines), piece)])
    queue = [number for number, each in enumerate(pieces) for _ in each]
    order.shuffle(queue)
    for number in queue:
        found.update(at // MS for at, _, _ in distinct.fresh(*pieces[number].pop(0)))
    assert Counter({m: max(each.count(m) for each in sources) for m in {m for e in sources for m in e}}) == found
