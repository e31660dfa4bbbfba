"""The import as a whole: what is known, what is skipped, and when it refuses."""

import io
import json
import os
import sys
from pathlib import Path

import pytest
from export_sink import RecordingSink, gathered, written

from bot.errors import NotAnExportError, UsageError
from bot.sources.export import ExportSource, total_bytes
from bot.sources.export.recognise import Kind, recognise

LINE = "2026-11-22T06:28:01.123456789Z hello\n"


def test_unknown_files_are_skipped_with_a_reason(tmp_path):
    """One odd file never stops the import; each is listed under files with its reason."""
    root = written(
        tmp_path,
        {
            "shop/api-0/app.log": LINE,
            "photo.png": b"\x89PNG" + bytes(100),
            "notes.txt": "call mum\n",
            "x.json": '{"a": 1}',
            ".DS_Store": "x",
        },
    )
    sink = gathered(root)
    assert len(sink.lines[0]) == 1
    assert {"photo.png": "binary", "notes.txt": "no line carries", "x.json": "not known"}.keys() == {
        gap.path for gap in sink.lost()
    }
    assert all(gap.source == "files" and gap.what.startswith("skipped: ") for gap in sink.lost())


def test_nothing_known_says_what_was_found_and_expected(tmp_path):
    """A folder of other things is refused with both."""
    with pytest.raises(NotAnExportError, match=r"notes\.txt.*Expected is a folder"):
        gathered(written(tmp_path, {"notes.txt": "call mum\n"}))


def test_a_refused_export_writes_nothing(tmp_path):
    """The sink stays untouched where nothing is known."""
    sink = RecordingSink()
    with pytest.raises(NotAnExportError):
        ExportSource(written(tmp_path, {"x.txt": "hi"})).gather(sink, lambda *_: None)
    assert ([], []) == (sink.gaps, sink.reads)


def test_missing_empty_and_unreadable_paths_are_usage_errors(tmp_path):
    """Each says what is wrong."""
    with pytest.raises(UsageError, match="nothing at"):
        gathered(tmp_path / "no")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="empty folder"):
        gathered(tmp_path / "empty")
    locked = tmp_path / "locked.log"
    locked.write_text(LINE)
    locked.chmod(0)
    if os.access(locked, os.R_OK):
        pytest.skip("this user reads everything")
    with pytest.raises(UsageError, match="cannot be read"):
        gathered(locked)


def test_a_lone_file_is_an_export(tmp_path):
    """A single log, recognised by content whatever its name."""
    place = tmp_path / "whatever"
    place.write_text(LINE)
    assert len(gathered(place).lines[0]) == 1


def test_standard_input_is_an_export(monkeypatch):
    """A dash reads the process's standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINE.encode())))
    assert len(gathered(Path("-")).lines[0]) == 1


def test_every_file_read_is_booked_with_its_size(tmp_path):
    """The ledger hears path, source and bytes; progress ends at the total."""
    root = written(tmp_path, {"shop/api-0/app.log": LINE * 3})
    sink, told = RecordingSink(), []
    ExportSource(root).gather(sink, lambda stage, done, total: told.append((stage, done, total)))
    size = len(LINE) * 3
    assert [("kubernetes/logs", "shop/api-0/app.log", size)] == sink.reads
    assert ("read", size, size) == told[-1]
    assert size == total_bytes(root)


def test_the_same_export_imports_alike_twice(tmp_path):
    """Order is fixed: two imports write the same things in the same order."""
    root = written(tmp_path, {f"shop/api-{at}/app.log": LINE for at in (3, 1, 2)})
    first, second = gathered(root), gathered(root)
    assert (first.streams, first.lines, first.gaps, first.reads) == (
        second.streams,
        second.lines,
        second.gaps,
        second.reads,
    )


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (json.dumps({"apiVersion": "v1", "data": {"k": "x" * 90_000}, "kind": "ConfigMap"}), Kind.KUBERNETES_JSON),
        (
            json.dumps(
                {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "requestReceivedTimestamp": "2026-11-22T06:28:01Z"}
            ),
            Kind.LOG,
        ),
        ('{"level":"info","ts":1795328881.1,"msg":"a"}\n{"level":"info","ts":1795328882.1,"msg":"b"}\n', Kind.LOG),
        ("[2026-11-22 06:28:01 +0000] [7] [INFO] Booting\n", Kind.LOG),
        ('{"data":{"result":[{"metric":{"__name__":"up"},"values":[[1,"1"', Kind.PROMETHEUS),
        ("[]", Kind.EMPTY_LIST),
        ('{"version": 3, "time": 12}', None),
        ("[" * 70_000, None),
        ("# Notes\n\nWe met on 2026-11-22 06:28:01.\n" + "and talked\n" * 20, None),
        ("<html>2026-11-22 06:28:01</html>", None),
    ],
)
def test_recognition_by_the_first_bytes(head, expected):
    """Content decides; a head cut anywhere still tells."""
    assert expected == recognise(head.encode()[:65_536], "x")[0]
