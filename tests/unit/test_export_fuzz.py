"""Exports that somebody, or something, has broken: an import takes what it can and raises nothing."""

import contextlib
import io
import json
import tarfile
from typing import Any

from export_sink import gathered
from hypothesis import given, settings, strategies as st

from bot.errors import RootcauseError

STAMP = "2026-11-22T06:28:01Z"
FILES: dict[str, Any] = {
    "events.json": {
        "apiVersion": "v1",
        "items": [
            {
                "kind": "Event",
                "apiVersion": "v1",
                "metadata": {"name": "e", "namespace": "shop", "creationTimestamp": STAMP},
                "involvedObject": {"kind": "Pod", "name": "api-0", "namespace": "shop"},
                "source": {"component": "kubelet", "host": "n1"},
                "series": {"count": 2, "lastObservedTime": STAMP},
                "count": 2,
                "reason": "R",
                "message": "m",
                "firstTimestamp": STAMP,
                "lastTimestamp": STAMP,
            },
            {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "api-0", "namespace": "shop", "uid": "u"}},
        ],
        "kind": "List",
    },
    "prom.json": {
        "status": "success",
        "data": {"resultType": "matrix", "result": [{"metric": {"__name__": "up"}, "values": [[1, "1"], [2, "2"]]}]},
        "warnings": ["w"],
    },
    "loki.json": {"data": {"resultType": "streams", "result": [{"stream": {"pod": "a"}, "values": [["1", "x"]]}]}},
    "users.json": [{"id": "U1", "name": "a", "profile": {"display_name": "A"}}],
    "ops/2026-11-22.json": [
        {
            "type": "message",
            "user": "U1",
            "ts": "1795328881.000100",
            "text": "hi <@U1>",
            "blocks": [{"type": "rich_text", "elements": [{"type": "text", "text": "x"}]}],
            "attachments": [{"text": "t", "fields": [{"title": "a", "value": "b"}]}],
            "files": [{"name": "f"}],
        }
    ],
    "OPS-1.json": {
        "key": "OPS-1",
        "self": "https://x/rest/api/3/issue/1",
        "fields": {
            "summary": "s",
            "description": {"type": "doc", "content": [{"type": "text", "text": "x", "marks": [{"type": "link", "attrs": {"href": "h"}}]}]},
            "created": STAMP,
            "reporter": {"displayName": "A"},
            "comment": {"comments": [{"id": "1", "author": {"displayName": "A"}, "body": "b", "created": STAMP}], "total": 1},
        },
        "changelog": {"histories": [{"created": STAMP, "items": [{"field": "f", "toString": "x"}]}], "total": 1},
    },
}  # fmt: skip
ODD = st.sampled_from(
    [None, 3, -1.5, True, "", "x", "\ud800", "\0", [], {}, [None], {"a": [1]}, 10**30, float("nan"), 1e300]
)


def places(value: Any, at: tuple = ()) -> list[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, part in inner for place in places(part, (*at, key)))]


def replaced(value: Any, at: tuple, new: object) -> Any:
    if not at:
        return new
    if isinstance(value, dict):
        return {key: replaced(part, at[1:], new) if key == at[0] else part for key, part in value.items()}
    return [replaced(part, at[1:], new) if index == at[0] else part for index, part in enumerate(value)]


def packed(files: dict[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return io.BytesIO(out.getvalue())


WHOLE = {name: json.dumps(value).encode() for name, value in FILES.items()}


def test_the_unbroken_export_is_read_whole():
    """The ground the broken ones are made from has no loss but the query's warning."""
    sink = gathered(packed(WHOLE))
    assert (1, 1, 1, 1, 3) == tuple(map(len, (sink.events, sink.objects, sink.series, sink.messages, sink.tickets)))
    assert ["the server warned: w"] == [gap.what for gap in sink.lost()]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_value_may_be_anything(data):
    """Whatever one value of a file is replaced by, the other files are read and nothing is raised."""
    name = data.draw(st.sampled_from(sorted(FILES)))
    place = data.draw(st.sampled_from(places(FILES[name])[1:]))
    broken = json.dumps(replaced(FILES[name], place, data.draw(ODD))).encode()
    sink = gathered(packed({**WHOLE, name: broken}))
    for text in [message.text for message in sink.messages] + [entry.text for entry in sink.tickets]:
        assert isinstance(text, str)
        text.encode()


@given(st.sampled_from(sorted(FILES)), st.integers(0, 2000), st.binary(max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_bytes_may_be_torn(name, at, junk):
    """Bytes torn out and others put in: the rest of the export is read and nothing is raised."""
    at %= len(WHOLE[name])
    sink = gathered(packed({**WHOLE, name: WHOLE[name][:at] + junk + WHOLE[name][at + 3 :]}))
    assert len(sink.reads) >= len(FILES) - 1


@given(st.integers(0, 20_000), st.binary(max_size=20))
@settings(max_examples=60, deadline=None)
def test_a_torn_archive_is_read_or_refused(at, junk):
    """A tar with torn bytes gives what it can, or a sentence."""
    whole = packed(WHOLE).getvalue()
    at %= len(whole)
    with contextlib.suppress(RootcauseError):
        sink = gathered(io.BytesIO(whole[:at] + junk + whole[at + len(junk) :]))
        assert sink.reads


def test_deep_items_cost_the_file_only():
    """An item nested as deep as the decoder allows is a loss, not a crash of whoever walks it."""
    deep = (
        '{"apiVersion":"v1","kind":"List","items":[{"kind":"Pod","metadata":{"name":"x"},"spec":'
        + "[" * 600
        + "]" * 600
        + "}]}"
    )
    sink = gathered(packed({**WHOLE, "deep.json": deep.encode()}))
    assert ["deep.json"] == [gap.path for gap in sink.lost("too deep")]
