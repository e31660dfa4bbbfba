"""Inputs made to fill the memory: each is imported in a process of its own, whose peak is measured."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

IMPORTING = Path(__file__).parent / "importing.py"
STAMP = b"2026-11-22T06:28:01.000000001Z "
MOST_MB = 60
"""Megabytes above the peak of an import of one line."""


def imported(path):
    """Import a file or folder; give what the child process said."""
    done = subprocess.run([sys.executable, str(IMPORTING), str(path)], capture_output=True, text=True, check=True)
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


def test_a_zip_bomb(tmp_path, base):
    """Half a gigabyte of zeros in half a megabyte is refused before it is unpacked."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.log", "w") as entry:
        for _ in range(128):
            entry.write(b"\0" * 2**22)
    told = imported(path)
    assert "zip bomb" in told["refused"]
    assert told["peak"] <= base + MOST_MB


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
