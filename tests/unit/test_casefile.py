import subprocess
import sys
from array import array
from dataclasses import asdict

import pytest
from casefile_samples import at, at_ns, event, message, series, stream, ticket, version
from hypothesis import given, settings, strategies as st

from bot.casefile.home import CaseHome
from bot.casefile.logreader import FormRow
from bot.casefile.writer import CaseWriter
from bot.domain.entity import Entity
from bot.domain.items import Gap
from bot.domain.link import Dose, Lag, Link, LinkTest
from bot.domain.ports import UNDATED
from bot.domain.signal import Kind, Occurrence, Signal, signal_id
from bot.domain.window import Window


@pytest.fixture
def home(tmp_path):
    return CaseHome(tmp_path / "cases")


def finished(home, writer):
    writer.finish()
    return home.open(writer.id)


def line(minutes, text, prefix=b"2026-11-03T12:00:00Z "):
    return (at_ns(minutes), prefix + text, len(prefix))


def test_items_of_every_kind_come_back_equal_and_in_time_order(home):
    """Items are numbered as they come, and given in time order with ids breaking ties."""
    with home.create() as writer:
        assert ["V1", "V2", "V3"] == [writer.add_event(event(m, count=i)) for i, m in enumerate((9, 4, 4))]
        assert ["O1", "O2"] == [writer.add_object(version(m)) for m in (3, None)]
        assert ["M1", "M2"] == [writer.add_series(series(m)) for m in (2, 1)]
        assert ["C1", "C2"] == [writer.add_message(message(m)) for m in (2, 1)]
        assert ["J1", "J2"] == [writer.add_ticket(ticket(m)) for m in (2, 1)]
        with finished(home, writer) as case:
            assert [("V2", event(4, count=1)), ("V3", event(4, count=2)), ("V1", event(9, count=0))] == list(
                case.events()
            )
            assert [("O2", version(None)), ("O1", version(3))] == list(case.objects())
            assert [("M2", series(1)), ("M1", series(2))] == list(case.series())
            assert [("C2", message(1)), ("C1", message(2))] == list(case.messages())
            assert [("J2", ticket(1)), ("J1", ticket(2))] == list(case.tickets())


def test_hostile_text_and_times_are_kept(home):
    """Lone surrogates, NUL and times no calendar has neither break storage nor printing."""
    odd = message(text="a\0b \ud800", author="\udcff", raw=b"\xff\0")
    far = series(times_s=array("d", [1e300]), values=array("d", [1.0]))
    with home.create() as writer:
        writer.add_message(odd)
        writer.add_series(far)
        writer.add_series(series(times_s=array("d"), values=array("d")))
        writer.add_gap(Gap(source="export", what="bad name \ud800", path="x\0y"))
        with finished(home, writer) as case:
            assert [odd] == [found for _, found in case.messages()]
            shown = case.item("C1")
            assert "a\0b \N{REPLACEMENT CHARACTER}" == shown.text
            assert odd.raw == shown.raw
            assert case.item("M1").at is None
            assert case.item("M2").at is None
            assert "bad name \ud800" == case.coverage()[-1].gaps[0].what


def test_lines_are_numbered_across_streams_and_lead_back_to_their_bytes(home):
    """L<n> is the nth line added, whatever its stream; its place is its file and position there."""
    with home.create(form_of=lambda text: text.split()[0]) as writer:
        one, two = (
            writer.open_stream(stream("a")),
            writer.open_stream(stream(None, path="b.log", previous=True)),
        )
        writer.add_lines(one, [line(0, b"GET /1"), line(1, b"PUT /2")])
        writer.add_lines(two, [line(2, b"GET \xff")])
        writer.add_lines(one, [line(3, b"GET /3")])
        with finished(home, writer) as case:
            assert [stream("a"), stream(None, path="b.log", previous=True)] == case.streams()
            assert [
                FormRow(form=b"GET", count=3, first_line=1),
                FormRow(form=b"PUT", count=1, first_line=2),
            ] == case.forms()
            assert [at_ns(m) for m in range(4)] == case.columns().times_ns.tolist()
            assert [0, 0, 1, 0] == case.columns().stream.tolist()
            assert [0, 1, 0, 0] == case.columns().form.tolist()
            third, fourth = case.lines_of([3, 4])
            assert ("GET \N{REPLACEMENT CHARACTER}", b"2026-11-03T12:00:00Z GET \xff") == (third.text, third.raw)
            assert ("b.log", "b.log:1", at(2)) == (third.entity, third.locator, third.at)
            assert ("shop/a/api", "kubernetes/shop/a/api.log:3") == (fourth.entity, fourth.locator)
            assert ["L1", "L2", "L4"] == [near.id for near in case.around("L2", 5, 5)]
            assert ["L2", "L4"] == [near.id for near in case.around("L4", 1, 1)]
            assert ["L4", "L1", "L4"] == [near.id for near in case.lines_of([4, 99, 1, 4, 0])]


RAW = st.one_of(st.binary(max_size=30), st.sampled_from([b"", b"\r", b"\0", b"\xff", b"x" * 5000]))


@settings(max_examples=20, deadline=None)
@given(batches=st.lists(st.tuples(st.integers(0, 2), st.lists(RAW, max_size=12)), max_size=8))
def test_every_line_is_lossless_across_blocks(tmp_path_factory, batches):
    """Bytes, order and times of lines survive, however they are spread over streams and blocks."""
    with pytest.MonkeyPatch.context() as patch, CaseWriter(tmp_path_factory.mktemp("case") / "x.case") as writer:
        patch.setattr("bot.casefile.loglines.BLOCK_BYTES", 64)
        for number in range(3):
            writer.open_stream(stream(f"p{number}"))
        expected = []
        for number, raws in batches:
            writer.add_lines(number, [(len(expected) + i, raw, len(raw) // 2) for i, raw in enumerate(raws)])
            expected += [(number, raw) for raw in raws]
        case = writer.reader()
        lines = list(case.lines_of(range(1, len(expected) + 1)))
        assert [raw for _, raw in expected] == [found.raw for found in lines]
        assert [number for number, _ in expected] == case.columns().stream.tolist()
        assert list(range(len(expected))) == case.columns().times_ns.tolist()
        assert [-1] * len(expected) == case.columns().form.tolist()


def test_texts_of_a_few_lines_are_the_same_from_blocks_opened_in_part(home):
    """Wherever in its block the last line stands that is asked for, and whether or not others are."""
    with home.create(form_of=None) as writer:
        one = writer.open_stream(stream("a"))
        lines = [line(n // 9, b"%d %s" % (n, bytes(range(33, 127)) * (n % 40))) for n in range(3_000)]
        writer.add_lines(one, lines)
        with finished(home, writer) as case:
            assert case.logs.blocks >= 10
            for asked in (
                range(1, 3_001, 7),
                [1, 3_000, *case.logs.firsts[:-1].tolist(), *(case.logs.firsts[1:] - 1).tolist()],
            ):
                numbers = sorted({*asked})
                told = [(number, lines[number - 1][1][lines[number - 1][2] :].decode()) for number in numbers]
                assert told == list(case.texts_of(numbers))


def test_items_are_given_in_the_order_asked_without_unknown_ones(home):
    """Ids of every kind mix; what is no id, or nobody's, is left out."""
    with home.create() as writer:
        writer.add_lines(writer.open_stream(stream()), [line(0, b"one"), line(1, b"two")])
        writer.add_event(event())
        with finished(home, writer) as case:
            asked = ["V1", "L2", "L9", "X1", "L01", "V" + "9" * 30, "L1", "V1", "", "V2"]
            assert ["V1", "L2", "L1", "V1"] == [found.id for found in case.items(asked)]
            assert case.item("L3") is None
            assert [] == case.around("L3", 1, 1)
            assert [] == case.around("V7", 1, 1)
            assert [] == case.around("?", 1, 1)


def test_neighbours_of_a_message_are_of_its_channel(home):
    """Around a message stand the messages before and after it in the same channel, by time."""
    with home.create() as writer:
        for minutes, channel in ((3, "a"), (1, "a"), (2, "b"), (0, "a")):
            writer.add_message(message(minutes, channel=channel))
        with finished(home, writer) as case:
            assert ["C4", "C2", "C1"] == [near.id for near in case.around("C2", 1, 1)]


def test_a_message_that_two_sources_hold_is_kept_once(home):
    """An export and the live channel tell of the same message: the first counts, the second is counted as an oddity."""
    with home.create() as writer:
        assert ["C1", "C1", "C2"] == [
            writer.add_message(each) for each in (message(), message(permalink=None, raw=b"{}"), message(channel="b"))
        ]
        (row,) = [row for row in writer.coverage() if row.source == "slack"]
    assert (2, "complete", 1) == (row.items, row.status, row.gaps[0].count)


def test_what_a_citation_needs_is_there_for_every_kind(home):
    """Source, entity, text, link and place of events, objects, series, messages and tickets."""
    with home.create() as writer:
        writer.add_event(event())
        writer.add_object(version())
        writer.add_series(series())
        writer.add_message(message())
        writer.add_ticket(ticket())
        with finished(home, writer) as case:
            found = {item.source: item for item in case.items(["V1", "O1", "M1", "C1", "J1"])}
    shown = {source: (item.entity, item.text.strip(), item.url, item.locator) for source, item in found.items()}
    assert shown == {
        "kubernetes/events": (
            "Pod shop/api-7d9f-x2x4z",
            "Back-off restarting failed container api",
            None,
            "event BackOff of pod shop/api-7d9f-x2x4z",
        ),
        "kubernetes/objects": ("Deployment shop/api", '{"spec": {"replicas": 3}}', None, "deployment shop/api"),
        "prometheus": (
            'container_memory_working_set_bytes{namespace="shop",pod="api-7d9f-x2x4z"}',
            'container_memory_working_set_bytes{namespace="shop",pod="api-7d9f-x2x4z"}',
            None,
            '3 samples of container_memory_working_set_bytes{namespace="shop",pod="api-7d9f-x2x4z"}',
        ),
        "slack": (
            "maria",
            "I think the gateway is to blame",
            "https://example.slack.com/archives/C1/p1762171200000100",
            "#incident-502 1762171200.000100",
        ),
        "jira": (
            "OPS-7",
            "Rolled the API back",
            "https://example.atlassian.net/browse/OPS-7",
            "OPS-7 comment by Ken",
        ),
    }


def test_the_ledger_counts_what_came_and_names_what_did_not(home):
    """A source is complete, partial where something was lost, missing where nothing was even read."""
    with home.create() as writer:
        writer.add_read("kubernetes/logs", "kubernetes/shop/a/api.log", 77)
        writer.add_read("loki", "loki/q.json", 55)
        writer.add_read("jira", "jira/empty.json", 2)
        writer.add_lines(writer.open_stream(stream("a")), [line(4, b"x"), (UNDATED, b"y", 0), line(2, b"z")])
        writer.add_lines(writer.open_stream(stream("b", path="loki/q.json")), [line(9, b"x")])
        writer.open_stream(stream("silent"))
        writer.add_event(event(3))
        writer.add_gap(Gap(source="kubernetes/events", what="cut in half", path="e.json"))
        writer.add_gap(Gap(source="kubernetes/events", what="cut in half", path="e.json", count=2))
        writer.add_gap(Gap(source="kubernetes/logs", what="duplicated lines", lost=False))
        rows = writer.coverage()
        with finished(home, writer) as case:
            assert rows == case.coverage()
            assert ["loki"] == [case.item("L4").source]
    shown = {row.source: (row.status, row.items, row.bytes, row.first_at, row.last_at) for row in rows}
    assert shown == {
        "kubernetes/logs": ("complete", 3, 77, at(2), at(4)),
        "kubernetes/events": ("partial", 1, len(event().raw), at(-2), at(3)),
        "kubernetes/objects": ("missing", 0, 0, None, None),
        "prometheus": ("missing", 0, 0, None, None),
        "slack": ("missing", 0, 0, None, None),
        "jira": ("complete", 0, 2, None, None),
        "loki": ("complete", 1, 55, at(9), at(9)),
    }
    assert (Gap(source="kubernetes/events", what="cut in half", path="e.json", count=3),) == rows[1].gaps


def a_signal(name, **changes):
    entity = Entity("CronJob", name, "data")
    occurrences = (Occurrence(start_s=1.5, end_s=2.5, size=3.0, refs=("L1", "V2"), note="run"),)
    named = {"id": signal_id(Kind.JOB_RUN, entity), "kind": Kind.JOB_RUN, "entity": entity, "label": "ran"}
    rest = {"source": "kubernetes/events", "occurrences": occurrences, "total": 4, "subject": "s", "period_s": 21600.0}
    more = {
        "nodes": frozenset({"n1", "n2"}),
        "mentions": (Entity("Host", "db"),),
        "attributes": {"schedule": "0 */6 * * *"},
    }
    return Signal(**{**named, **rest, **more, **changes})


def test_conclusions_come_back_equal(home):
    """Window, question, templates, signals, links, report and questions survive the file."""
    one, two = a_signal("etl"), a_signal("other", occurrences=(), period_s=None)
    test = {"hits": 9, "misses": 1, "unexplained": 0, "p_value": 0.001, "lag_range_s": (0.0, 60.0)}
    full = LinkTest(
        status="supported",
        test="shift",
        lag=Lag(p10=1.0, median=2.0, p90=3.0),
        dose=Dose(rho=0.9, p_value=0.01, pairs=9),
        reason="",
        **test,
    )
    thin = LinkTest(status="untested", test="none", lag=None, reason="too few", **{**test, "p_value": None})
    links = [
        Link(cause=a, effect=b, mechanism="timing", scope="cluster", plausibility=0.5, test=t)
        for a, b, t in ((one.id, two.id, full), (two.id, one.id, thin))
    ]
    window = Window(start=at(0), end=at(60), asked="1h")
    with home.create(form_of=lambda text: text) as writer:
        writer.set_window(window)
        writer.set_question("why the 502s?")
        writer.add_lines(writer.open_stream(stream()), [line(0, b"a"), line(1, b"b"), line(2, b"\xff")])
        writer.write_signals([two])
        writer.write_signals([one, two])
        writer.write_links(links)
        writer.write_templates([1, 0, 1], [b"<*>", b"\xff <*>"])
        writer.write_report({"verdict": "cause_found", "summary": "The ETL."})
        with finished(home, writer) as case:
            assert (window, "why the 502s?") == (case.window, case.question)
            assert ([1, 0, 1], [b"<*>", b"\xff <*>"]) == case.templates()
            assert [asdict(one), asdict(two)] == [asdict(signal) for signal in case.signals()]
            assert links == case.links()
            assert {"verdict": "cause_found", "summary": "The ETL."} == case.report()
            assert 1 == case.add_question({"question": "related?", "answer": "no", "verdict": "unrelated"})
        with home.open(writer.id) as again:
            assert [{"question": "related?", "answer": "no", "verdict": "unrelated"}] == again.questions()


def test_an_empty_case_can_be_read(home):
    """No lines, no items, no report: every reader gives nothing instead of failing."""
    with home.create() as writer, finished(home, writer) as case:
        assert ([], [], [], None, []) == (
            case.streams(),
            case.forms(),
            list(case.events()),
            case.report(),
            case.links(),
        )
        assert 0 == len(case.columns().times_ns)
        assert {"missing"} == {row.status for row in case.coverage()}
        assert [] == list(case.lines_of((1,)))


def test_reading_a_case_loads_no_sqlite_utils():
    """What only reads a case starts without the libraries that only writing needs."""
    code = "import sys, bot.casefile.home; print('sqlite_utils' in sys.modules)"
    assert (
        "False"
        == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    )
