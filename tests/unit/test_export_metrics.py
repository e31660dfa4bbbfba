"""Prometheus query results, OpenMetrics text, and Loki streams."""

import json
import math

from export_sink import gathered, written

T0 = 1_795_328_881
WHOLE = "2026-11-22T06:28:01Z whole\n"


def body(*result: object, kind: str = "matrix", **more: object) -> str:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more})


def test_a_matrix_gives_series_with_their_exact_bytes(tmp_path):
    """Times and values as floats, NaN and infinities kept and counted, raw the very slice."""
    one = {
        "metric": {"__name__": "up", "pod": "api-0"},
        "values": [[T0, "1"], [T0 + 15.5, "NaN"], [T0 + 30, "+Inf"], [T0 + 45, "-Inf"]],
    }
    text = body(one)
    sink = gathered(written(tmp_path, {"prometheus/x.json": text}))
    series = sink.series[0]
    assert ("up", {"pod": "api-0"}) == (series.metric, series.labels)
    assert [T0, T0 + 15.5, T0 + 30, T0 + 45] == list(series.times_s)
    assert series.values[0] == 1.0
    assert math.isnan(series.values[1])
    assert [math.inf, -math.inf] == list(series.values[2:])
    assert json.dumps(one).encode() == series.raw
    assert sink.odd("NaN") == 3


def test_vectors_scalars_and_expressions_are_named_by_their_file(tmp_path):
    """Without __name__ the file's stem names the metric."""
    root = written(
        tmp_path,
        {
            "cpu.json": body({"metric": {"pod": "a"}, "value": [T0, "0.5"]}, kind="vector"),
            "rate.json": body(T0, "7", kind="scalar"),
        },
    )
    assert [("cpu", 0.5), ("rate", 7.0)] == [(series.metric, series.values[0]) for series in gathered(root).series]


def test_several_bodies_in_a_file(tmp_path):
    """Bodies appended to one file, slurped into a list, or a bare result list, with keys in any order."""
    one, two = ({"metric": {"__name__": name}, "values": [[T0, "1"]]} for name in ("a", "b"))
    turned = json.dumps({"data": {"result": [two], "resultType": "matrix"}, "status": "success"})
    root = written(
        tmp_path,
        {"1.json": body(one) + "\n" + turned, "2.json": f"[{body(one)},{body(two)}]", "3.json": json.dumps([one, two])},
    )
    assert ["a", "b"] * 3 == [series.metric for series in gathered(root).series]


def test_failed_queries_and_warnings_are_losses(tmp_path):
    """An error body and a partial answer say what the server could not tell."""
    error = json.dumps({"status": "error", "errorType": "timeout", "error": "query timed out"})
    one = {"metric": {"__name__": "a"}, "values": [[T0, "1"]]}
    sink = gathered(written(tmp_path, {"1.json": error, "2.json": body(one, warnings=["store x down"])}))
    assert (1, 1) == (len(sink.lost("query timed out")), len(sink.lost("store x down")))
    assert len(sink.series) == 1


def test_half_a_matrix_gives_the_whole_series(tmp_path):
    """Series before the cut are kept."""
    text = body(*[{"metric": {"__name__": f"m{at}"}, "values": [[T0, "1"], [T0 + 15, "2"]]} for at in range(50)])
    sink = gathered(written(tmp_path, {"x.json": text[: len(text) // 2], "whole.log": WHOLE}))
    assert 20 <= len(sink.series) <= 26
    assert ["prometheus"] == [gap.source for gap in sink.lost()]


def test_steps_gaps_and_resets_stay_as_they_are(tmp_path):
    """Different steps, holes and counter resets are data; disorder is sorted and counted."""
    one = {"metric": {"__name__": "c"}, "values": [[T0, "5"], [T0 + 15, "9"], [T0 + 300, "1"]]}
    two = {"metric": {"__name__": "d"}, "values": [[T0 + 60, "2"], [T0, "1"]]}
    sink = gathered(written(tmp_path, {"x.json": body(one, two)}))
    assert [5.0, 9.0, 1.0] == list(sink.series[0].values)
    assert ([T0, T0 + 60], [1.0, 2.0]) == (list(sink.series[1].times_s), list(sink.series[1].values))
    assert sink.odd("out of order") == 1


def test_openmetrics_text_with_timestamps(tmp_path):
    """Seconds, or the older format's milliseconds; labels with escapes; exemplars ignored; raw the lines."""
    text = (
        "# HELP http_requests Requests.\n# TYPE http_requests counter\n"
        f'http_requests_total{{path="/a,b",q="x\\"y}}"}} 1 {T0}.5\n'
        f'http_requests_total{{path="/a,b",q="x\\"y}}"}} 2 {T0 + 15}.5 # {{trace_id="1"}} 0.1\n'
        f"up NaN {T0}000\n"
        "untimed 1\n# EOF\n"
    )
    sink = gathered(written(tmp_path, {"prometheus/x.om": text}))
    assert [("http_requests_total", {"path": "/a,b", "q": 'x"y}'}), ("up", {})] == [
        (s.metric, s.labels) for s in sink.series
    ]
    assert [T0 + 0.5, T0 + 15.5] == list(sink.series[0].times_s)
    assert [T0] == list(sink.series[1].times_s)
    assert all(series.raw.decode() in text for series in sink.series)
    assert sink.odd("without a timestamp") == 1


def test_loki_streams_are_turned_round(tmp_path):
    """Newest first becomes oldest first; labels fill the stream; a kept stack trace becomes lines."""
    labels = {"namespace": "shop", "pod": "api-0", "container": "app", "node_name": "n1"}
    values = [[f"{T0 + 1}000000001", "two"], [f"{T0}000000000", "one\n\tat a.b"]]
    text = json.dumps(
        {"status": "success", "data": {"resultType": "streams", "result": [{"stream": labels, "values": values}]}}
    )
    sink = gathered(written(tmp_path, {"loki/x.json": text}))
    assert [("shop", "api-0", "app", "n1")] == [(s.namespace, s.pod, s.container, s.node) for s in sink.streams]
    assert [T0 * 10**9, T0 * 10**9, (T0 + 1) * 10**9 + 1] == [at for at, _, _ in sink.lines[0]]
    assert [b"one", b"\tat a.b", b"two"] == [raw for _, raw, _ in sink.lines[0]]
    assert ["loki"] == [source for source, _, _ in sink.reads]


def test_half_a_loki_body_gives_the_entries_before_the_cut(tmp_path):
    """Entries of the cut stream are kept, too."""
    values = [[f"{T0 + at}000000000", f"line {at}"] for at in range(100)]
    text = json.dumps({"data": {"resultType": "streams", "result": [{"stream": {"pod": "a"}, "values": values}]}})
    sink = gathered(written(tmp_path, {"x.json": text[: len(text) // 2], "whole.log": WHOLE}))
    assert 40 <= len(sink.lines[0]) <= 52
    assert ["loki"] == [gap.source for gap in sink.lost()]


def test_logcli_lines(tmp_path):
    """Lines of logcli -o jsonl: a stream per label set."""
    entries = [
        {"labels": {"pod": f"p{at % 2}"}, "line": f"l{at}", "timestamp": f"2026-11-22T06:28:0{at}.000000001Z"}
        for at in (3, 2, 1, 0)
    ]
    sink = gathered(written(tmp_path, {"x.jsonl": "\n".join(map(json.dumps, entries)) + '\n{"half":'}))
    assert {"p1": [b"l1", b"l3"], "p0": [b"l0", b"l2"]} == {
        s.pod: [raw for _, raw, _ in lines] for s, lines in zip(sink.streams, sink.lines, strict=True)
    }
    assert len(sink.lost("no logcli")) == 1
