"""Inputs made to fill the memory: each is imported, and analyzed as a whole, in a process of its own, whose peak is measured."""

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import zstandard

HERE = Path(__file__).parent
STAMP = b"2026-11-22T06:28:01.000000001Z "
MOST_MB = 60
"""Megabytes above the peak of an import of one line."""


WHOLE_MB = 160
"""The same for the whole command: an analysis of one line takes 60."""


OPENERS = {".gz": gzip.open, ".zst": zstandard.open, ".bz2": bz2.open, ".xz": lzma.open}
"""By a name's end, what packs a file."""


def imported(path):
    """Import a file or folder; give what the child process said."""
    return _said("importing.py", path, {})


def analyzed(path, home):
    """Analyze a file or folder as the command does; give what the child process said."""
    told = _said("analyzing.py", path, {"ROOTCAUSE_HOME": str(home)})
    assert "Traceback" not in told["said"]
    assert told["code"] in {0, 3, 4}
    told["gaps"] = {gap["what"]: gap["count"] for row in told["report"]["coverage"] for gap in row["gaps"]}
    return told


def _said(script, path, there):
    command = [sys.executable, str(HERE / script), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": os.defpath, **there})
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Measure the peak of importing one line."""
    path = tmp_path_factory.mktemp("base") / "a.log"
    path.write_bytes(STAMP + b"ready\n")
    return imported(path)["peak"]


def written(path, pieces):
    """Write a file piece by piece."""
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    return path


def test_a_line_of_100_megabytes(tmp_path, base):
    """One line without an end costs a few megabytes; it is cut, and the line behind it is read."""
    path = written(tmp_path / "a.log", [STAMP, *[b"x" * 2**20] * 100, b"\n", STAMP, b"after\n"])
    told = imported(path)
    assert (2, ["lines over 1 MiB, cut to 1 MiB"]) == (told["count"], told["lost"])
    assert told["peak"] <= base + MOST_MB
    whole = analyzed(path, tmp_path / "home")
    assert whole["gaps"] == {"lines over 1 MiB, cut to 1 MiB": 1}
    assert whole["peak"] <= base + WHOLE_MB


def test_a_hundred_megabytes_of_nul_and_of_broken_bytes(tmp_path, base):
    """Bytes that are no text, between lines that are."""
    pieces = [STAMP + b"ready\n", *[(b"\0" * 100 + b"\xff\xfe\xed\xa0\x80" * 180 + b"\n") * 1000] * 100]
    told = imported(written(tmp_path / "a.log", pieces))
    assert (100_001, []) == (told["count"], told["lost"])
    assert told["peak"] <= base + MOST_MB


def test_json_that_never_stops_opening(tmp_path, base):
    """A document of 50 million brackets is a loss, or nothing that is known; never a crash."""
    (tmp_path / "known.log").write_bytes(STAMP + b"ready\n")
    head = b'{"apiVersion":"v1","kind":"List","items":[{"kind":"Pod","metadata":{"name":"x"},"spec":'
    written(tmp_path / "deep.json", [head, *[b"[" * 2**20] * 50])
    told = imported(tmp_path)
    assert told["count"] == 1
    assert told["lost"]
    assert told["peak"] <= base + 4 * MOST_MB


def test_an_item_of_nothing_but_empty_lists(tmp_path, base):
    """Twenty-four megabytes that would be half a gigabyte once decoded: the items before are read, and it is said where it ended."""
    good = b'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","namespace":"shop"}}'
    head = b'{"apiVersion":"v1","kind":"List","items":[' + good + b',{"kind":"Pod","metadata":{"name":"y"},"spec":['
    told = imported(written(tmp_path / "flat.json", [head, *[b"[]," * 1_000_000] * 8, b"1]}]}"]))
    assert 1 == told["count"]
    assert ["more values than are decoded at once" in what for what in told["lost"]] == [True]
    assert told["peak"] <= base + 4 * MOST_MB


@pytest.mark.parametrize(
    "name",
    ["a.log.zst", *(pytest.param(f"a.log.{end}", marks=pytest.mark.full) for end in ("gz", "bz2", "xz"))],
)
def test_a_log_that_unpacks_to_a_gigabyte(tmp_path, base, name):
    """Packed logs come out as a stream, and end where they grow beyond belief, whatever packed them."""
    path = tmp_path / name
    with OPENERS[path.suffix](path, "wb") as file:
        file.write((STAMP + b"ready\n") * 2000)
        for _ in range(256):
            file.write(b"\0" * 2**22)
    told = imported(path)
    assert "times its size" in told["refused"]
    assert told["peak"] <= base + 4 * MOST_MB


def test_a_zip_bomb(tmp_path, base):
    """Half a gigabyte of zeros in half a megabyte is refused before it is unpacked."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.log", "w") as entry:
        for _ in range(128):
            entry.write(b"\0" * 2**22)
    told = imported(path)
    assert "zip bomb" in told["refused"]
    assert told["peak"] <= base + MOST_MB


def test_lone_surrogates_everywhere(tmp_path, base):
    """Halves of characters, as JSON can spell them, in events, labels, lines and chat: read, stored, and printed in a report."""
    half, number = "\ud83d", range(3000)
    events = [
        {"kind": "Event", "apiVersion": "v1", "metadata": {"name": f"e{at}", "namespace": "shop"}, "reason": f"{half}R",
         "message": f"{half * 40}{at}", "involvedObject": {"kind": "Pod", "name": f"api-{half}", "namespace": "shop"},
         "lastTimestamp": f"2026-11-22T06:{at // 60 % 60:02d}:{at % 60:02d}Z"}
        for at in number
    ]  # fmt: skip
    lines = [[str(1_795_305_600_000_000_000 + at * 10**9), f"error {half} {at}"] for at in number]
    streams = {
        "resultType": "streams",
        "result": [{"stream": {"pod": f"a{half}", "namespace": "shop"}, "values": lines}],
    }
    said = [
        {"type": "message", "user": f"U{half}", "ts": f"{1_795_305_600 + at}.0001", "text": f"it was {half}"}
        for at in range(2000)
    ]
    (tmp_path / "slack" / "ops").mkdir(parents=True)
    for place, content in (
        ("events.json", {"apiVersion": "v1", "kind": "List", "items": events}),
        ("loki.json", {"status": "success", "data": streams}),
        ("slack/ops/2026-11-22.json", said),
    ):
        (tmp_path / place).write_text(json.dumps(content))
    whole = analyzed(tmp_path, tmp_path.parent / "home")
    items = {row["source"]: row["items"] for row in whole["report"]["coverage"]}
    assert (3000, 3000) == (items["kubernetes/events"], items["loki"])
    assert whole["peak"] <= base + WHOLE_MB


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_file_of_a_million_events(tmp_path, base):
    """Events stream through: a million cost no more memory than a thousand, so a billion would cost time only."""
    event = json.dumps(
        {"kind": "Event", "apiVersion": "v1", "metadata": {"name": "e", "namespace": "shop"}, "reason": "R", "message": "m" * 40,
         "involvedObject": {"kind": "Pod", "name": "api-0", "namespace": "shop"}, "lastTimestamp": "2026-11-22T06:28:01Z"}
    ).encode()  # fmt: skip
    pieces = [b'{"apiVersion":"v1","kind":"List","items":[', *[(event + b",") * 1000] * 999, event, b"]}"]
    told = imported(written(tmp_path / "events.json", pieces))
    assert (999_001, []) == (told["count"], told["lost"])
    assert told["peak"] <= base + MOST_MB
    assert analyzed(tmp_path / "events.json", tmp_path / "home")["peak"] <= base + WHOLE_MB


@pytest.mark.full
@pytest.mark.timeout(900)
def test_a_million_events_that_all_differ(tmp_path, base):
    """They are all kept; what is digested of them is bounded, and that some were passed over is a gap."""

    def pieces():
        yield b'{"apiVersion":"v1","kind":"List","items":['
        for at in range(1_000_000):
            event = {
                "kind": "Event", "apiVersion": "v1", "metadata": {"name": f"e{at}", "namespace": "shop"}, "type": "Warning",
                "reason": "Unhealthy", "message": f"probe {at} failed", "involvedObject": {"kind": "Pod", "name": f"api-{at % 50}", "namespace": "shop"},
                "lastTimestamp": f"2026-11-{1 + at // 86_400:02d}T{at // 3600 % 24:02d}:{at // 60 % 60:02d}:{at % 60:02d}Z",
            }  # fmt: skip
            yield json.dumps(event).encode() + (b"," if at < 999_999 else b"]}")

    whole = analyzed(written(tmp_path / "events.json", pieces()), tmp_path / "home")
    items = {row["source"]: row["items"] for row in whole["report"]["coverage"]}
    assert items["kubernetes/events"] == 1_000_000
    assert {900_000} == {count for what, count in whole["gaps"].items() if "passed over" in what}
    assert whole["peak"] <= 600  # a million are remembered, to know them again, and 100,000 are digested
