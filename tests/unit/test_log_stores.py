"""Log stores as sources: every line once where they fit, trouble and samples where they do not, and what is missing said."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from fault_server import FaultServer, answer
from hypothesis import given, strategies as st
from log_stores import NS, Line, PlayedElasticsearch, PlayedLoki, PlayedVictoriaLogs, rfc3339
from unit.export_sink import RecordingSink

from bot.domain.scope import Scope
from bot.domain.window import Window
from bot.sources.elasticsearch import ElasticsearchSource
from bot.sources.loki import LokiSource
from bot.sources.loki.source import selector
from bot.sources.victorialogs import VictoriaLogsSource
from bot.stores.address import StoreAddress
from bot.stores.times import nanoseconds
from bot.wire import Login

START = 1_795_305_600
WINDOW = Window(start=datetime.fromtimestamp(START, UTC), end=datetime.fromtimestamp(START + 86_400, UTC), asked="1d")
SILENT = lambda _stage, _done, _total: None  # noqa: E731 - the shortest way to say nothing
STORES = {
    "loki": (LokiSource, PlayedLoki),
    "victorialogs": (VictoriaLogsSource, PlayedVictoriaLogs),
    "elasticsearch": (ElasticsearchSource, PlayedElasticsearch),
}
every_store = pytest.mark.parametrize("kind", STORES)


def at(second, nanosecond=0):
    """Give an instant of the window."""
    return (START + second) * NS + nanosecond


def made(kind, url, namespaces=("shop",), **more):
    """Make a source."""
    address = StoreAddress(url=url, login=Login(), **({"deadline_s": 60.0} | more))
    return STORES[kind][0](address, Scope(window=WINDOW, namespaces=tuple(namespaces)))


def read(kind, reply, **more):
    """Read a store into a sink that records."""
    sink = RecordingSink()
    with FaultServer(None, reply=reply) as server:
        made(kind, server.url, **more).gather(sink, SILENT)
    return sink


def texts(sink):
    """Give the stored lines' texts."""
    return sorted(line[1].decode() for line in stored(sink))


def stored(sink):
    """Give the stored lines of all streams."""
    return [line for stream in sink.lines for line in stream]


def some(count, every_s=60, words="request served"):
    """Give lines at a distance."""
    return [Line(at(n * every_s, n), f"{words} {n}") for n in range(count)]


@every_store
def test_lines_of_the_scope_are_read_with_their_origin(kind):
    """Namespaces are selected by the store, a stack trace becomes lines, and each line has its pod and nanosecond."""
    lines = [
        *some(40),
        Line(at(5, 7), "panic: x\n\tat y", pod="api-1"),
        Line(at(6), "elsewhere", namespace="other"),
        Line(at(-1), "too early"),
        Line(at(86_400), "too late"),
    ]
    reply = STORES[kind][1](lines)
    sink = read(kind, reply)
    assert sorted([*(f"request served {n}" for n in range(40)), "panic: x", "\tat y"]) == texts(sink)
    assert {("shop", "api-0", "api"), ("shop", "api-1", "api")} == {
        (s.namespace, s.pod, s.container) for s in sink.streams
    }
    assert at(5, 7) in {line[0] for line in stored(sink)}
    assert not sink.lost()
    assert [kind] == [source for source, _, _ in sink.reads]


@every_store
def test_beyond_the_budget_trouble_comes_first_and_the_rest_is_sampled(kind):
    """All lines of trouble, samples from the whole window, the store's counts, and a Gap that says so."""
    lines = [Line(at(n * 27), f"request served {n} " + "x" * 180) for n in range(3200)]
    lines += [Line(at(n * 800 + 3), f"connection refused {n}") for n in range(100)]
    sink = read(kind, STORES[kind][1](lines), most_bytes=200_000)
    read_texts = texts(sink)
    assert 100 == sum("refused" in text for text in read_texts)
    assert 300 < len(read_texts) < 2000
    hours = {(line[0] // NS - START) // 3600 for line in stored(sink) if b"served" in line[1]}
    assert hours >= set(range(22))
    [gap] = sink.lost("more than is read")
    assert "3,300 lines" in gap.what
    assert "all of the lines that sound like trouble (100)" in gap.what


def loud(pods=1):
    """Give a day of lines more than the tests' budget, three kinds of them rare, in two containers."""
    lines = [Line(at(n * 27), f"request served {n} " + "x" * 180, pod=f"api-{n % pods}") for n in range(3200)]
    lines += [Line(at(n * 27 + 5), f"row {n} written " + "y" * 100, pod="db-0", container="db") for n in range(1600)]
    lines += [Line(at(40_000 + n), f"connection refused {n}") for n in range(300)]
    return [
        *lines,
        Line(at(43_211), "cache rebuilt"),
        Line(at(50_001), "leader is now db-0", pod="db-0", container="db"),
    ]


@every_store
def test_beyond_the_budget_the_store_counts_by_kind(kind):
    """The counts are the store's, whole and by step, and stand in the case as series; the rarest kind's first line is read."""
    sink = read(kind, STORES[kind][1](loud()), most_bytes=200_000)
    assert {"cache rebuilt", "leader is now db-0"} <= set(texts(sink))
    assert len(texts(sink)) == len(set(texts(sink)))  # a first line is not read again with the samples
    assert 300 == sum("refused" in text for text in texts(sink))
    [gap] = sink.lost("more than is read")
    assert "5,102 lines of 2 containers were counted there by 5 kinds" in gap.what
    assert (kind, "5,102 lines of 2 containers were counted there by 5 kinds") in sink.details
    counted = {(one.labels["container"], round(sum(one.values))) for one in sink.series}
    assert {("api", 3200), ("db", 1600), ("api", 1), ("db", 1)} == counted
    assert {("log_lines", kind, "shop")} == {(one.metric, one.source, one.labels["namespace"]) for one in sink.series}
    [many] = [one for one in sink.series if 3200 == sum(one.values)]
    assert [360.0] == list({b - a for a, b in pairwise(many.times_s)})
    assert {13.0, 14.0} == set(many.values)


def test_trouble_that_comes_all_at_once_is_read_whole():
    """A burst is not cut to the share of its minutes where all trouble of the window fits."""
    lines = [Line(at(n * 27), f"request served {n} " + "x" * 180) for n in range(3200)]
    lines += [Line(at(43_200) + n, f"connection refused {n} " + "z" * 100) for n in range(1200)]
    sink = read("loki", PlayedLoki(lines), most_bytes=200_000)
    assert 1200 == sum("refused" in text for text in texts(sink))
    assert sink.lost("all of the lines that sound like trouble (1,200)")


@pytest.mark.parametrize(
    ("kind", "reply", "says"),
    [
        ("loki", lambda: PlayedLoki(loud(), patterns=False), "serves no patterns"),
        ("elasticsearch", lambda: PlayedElasticsearch(loud(), open_search=True), "knows no categorize_text"),
        ("victorialogs", lambda: PlayedVictoriaLogs(loud(), old=True), "knows no collapse_nums"),
    ],
)
def test_a_store_that_knows_no_kinds_counts_by_container(kind, reply, says):
    """Said as an oddity; the counts of each container are measured all the same."""
    sink = read(kind, reply(), most_bytes=200_000)
    assert sink.odd(says)
    assert {("api", 3501), ("db", 1601)} == {(one.labels["container"], round(sum(one.values))) for one in sink.series}
    assert "5,102 lines of 2 containers were counted there, " in sink.lost("more than is read")[0].what
    assert 300 == sum("refused" in text for text in texts(sink))


@every_store
def test_more_kinds_than_are_counted_are_said(kind, monkeypatch):
    """The rarer ones are left out, and the report knows."""
    for module in ("bot.stores.store", f"bot.sources.{kind}.source"):
        monkeypatch.setattr(f"{module}.MOST_KINDS", 2)
    sink = read(kind, STORES[kind][1](loud()), most_bytes=200_000)
    assert 2 == sink.odd("2 kinds of lines or more: rarer kinds were not counted")


def test_patterns_that_loki_has_forgotten_are_no_silence():
    """Its ingester keeps hours of them: a series begins where they do, so that nothing seems to rise there."""
    sink = read("loki", PlayedLoki(loud(), patterns_since=START + 60_000), most_bytes=200_000)
    assert 1 == sink.odd("patterns begin within the window")
    assert {START + 60_000 - (START + 60_000) % 360} <= {one.times_s[0] for one in sink.series}
    assert min(one.times_s[0] for one in sink.series) >= START + 59_000
    assert min(one.values[0] for one in sink.series) > 0


def test_a_loki_without_volumes_counts_by_kind_all_the_same():
    """Nobody says which containers there are, so patterns are asked for all of them at once."""
    sink = read("loki", PlayedLoki(loud(), volume=False), most_bytes=200_000)
    assert "5,102 lines of 1 containers were counted there by 5 kinds" in sink.lost("more than is read")[0].what
    assert {"cache rebuilt", "leader is now db-0"} <= set(texts(sink))


@every_store
def test_counts_that_break_cost_the_counts_alone(kind):
    """The store answers everything but what it is asked to count with: a gap, and the lines come."""
    whole = STORES[kind][1](loud())
    marks = {"loki": "patterns", "elasticsearch": "categorize_text", "victorialogs": "row_min"}

    def reply(request):
        return answer('{"data":') if marks[kind] in request else whole(request)

    sink = read(kind, reply, most_bytes=200_000)
    assert sink.lost("the store did not count its lines by kind")
    assert 300 == sum("refused" in text for text in texts(sink))


@pytest.mark.parametrize("page", [1, 7, 100])
def test_loki_pages_lose_and_double_nothing(page):
    """The tenant's smaller limit is found out; entries of one instant on two pages are read once each."""
    lines = [Line(at(n // 3 * 40), f"line {n}", pod=f"api-{n % 2}") for n in range(300 if page > 1 else 6)]
    page = max(page, 4)
    sink = read("loki", PlayedLoki(lines, page=page))
    assert sorted(line.text for line in lines) == texts(sink)
    assert not sink.lost()


def test_loki_says_when_one_instant_holds_more_than_a_page():
    """What cannot be paged through is a Gap, and the reading goes on behind it."""
    lines = [Line(at(10), f"line {n:03}") for n in range(50)] + [Line(at(20), "after")]
    sink = read("loki", PlayedLoki(lines, page=20))
    assert "after" in texts(sink)
    assert sink.lost("one instant")


def test_loki_that_allows_short_queries_only_is_read_in_halves():
    """A refusal for the span's length costs nothing but more questions."""
    lines = some(200, every_s=400)
    sink = read("loki", PlayedLoki(lines, longest_s=900))
    assert sorted(line.text for line in lines) == texts(sink)
    assert not sink.lost()


def test_a_loki_without_an_index_is_read_up_to_the_budget():
    """Nothing is counted, so the reading ends where the budget does and says where."""
    lines = [Line(at(n * 80), "x" * 1000) for n in range(1000)]
    sink = read("loki", PlayedLoki(lines, index=False), most_bytes=300_000)
    assert 300 <= len(stored(sink)) < 360
    assert sink.lost("nothing more was read")


def test_a_loki_selector_is_narrowed():
    """The configured matchers stay, the namespaces come on top."""
    assert '{cluster="east", namespace=~"shop|a[.]b"}' == selector('{cluster="east"}', "namespace", ["shop", "a.b"])
    assert '{ns=~".+"}' == selector(None, "ns", [])


@pytest.mark.parametrize("open_search", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_elasticsearch_and_opensearch_are_paged(open_search, nested, monkeypatch):
    """Both ways to open a point in time; documents that nest fields and those that write the dots; it is closed at the end."""
    monkeypatch.setattr("bot.sources.elasticsearch.source.PAGE", 7)
    lines = [Line(at(n // 9), f"line {n}") for n in range(100)]
    reply = PlayedElasticsearch(lines, open_search=open_search, nested=nested)
    sink = read("elasticsearch", reply)
    assert sorted(line.text for line in lines) == texts(sink)
    assert "/_search/point_in_time" if open_search else "/_pit" == reply.asked[-1][0]
    assert not sink.lost()


def test_failed_shards_are_a_gap():
    """An answer that lacks shards looks whole and is not."""
    sink = read("elasticsearch", PlayedElasticsearch(some(10), failed=2))
    assert 10 == len(stored(sink))
    assert sink.lost("shards failed")


def test_unusual_fields_are_named_in_the_settings():
    """What the store calls the message is told."""

    class Renamed(PlayedElasticsearch):
        def _source(self, line):
            return {"@timestamp": rfc3339(line.at), "said": {"text": line.text}}

    sink = read("elasticsearch", Renamed(some(3)), namespaces=(), fields={"message": "said.text"})
    assert 3 == len(stored(sink))


def test_a_cut_stream_keeps_what_came():
    """VictoriaLogs streams: a line that is cut ends it with a Gap, and nothing is read twice."""
    lines = [Line(at(n), f"line {n}") for n in range(5000)]
    sink = read("victorialogs", PlayedVictoriaLogs(lines, broken=True))
    assert len(texts(sink)) == len(set(texts(sink)))
    assert sink.lost("not whole JSON")


@every_store
def test_doctor_counts(kind):
    """A store that answers is well, one that does not is not."""
    with FaultServer(None, reply=STORES[kind][1](some(12))) as server:
        [well] = made(kind, server.url).examine()
    with FaultServer("401") as server:
        [ill] = made(kind, server.url).examine()
    assert ("ok", "wrong") == (well.state, ill.state)
    assert "12" in well.what


@given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(0, NS - 1))  # noqa: DTZ001 - as UTC below
def test_times_keep_their_nanoseconds(day, fraction):
    """Any precision and zone; what is no time is None."""
    whole = int(day.replace(tzinfo=UTC, microsecond=0).timestamp())
    assert whole * NS + fraction == nanoseconds(f"{day:%Y-%m-%dT%H:%M:%S}.{fraction:09}Z")
    assert (whole - 5400) * NS == nanoseconds(f"{day:%Y-%m-%d %H:%M:%S}+01:30")
    assert nanoseconds("yesterday") is None
