"""A bounded number of executions of the fuzz targets: a few in the quick suite, many in the full one."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SEEDS = {
    "importer": [
        b"\x01\x00" + b"2026-11-22T06:28:01.123456789Z GET /a/1 502\n\tat a.B\n",
        b"\x01\x01" + b'{"apiVersion":"v1","kind":"List","items":[{"kind":"Event","metadata":{"name":"e"}}]}',
        b'\x01\x02{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"]]}]}}',
        b"\x01\x03" + b'{"data":{"resultType":"streams","result":[{"stream":{"pod":"a"},"values":[["1","x"]]}]}}',
        b"\x01\x06" + b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
    ],
    "times": [
        b"since 09:00 yesterday",
        b"last weekend",
        b"5d",
        b"2026-11-20T06:00Z/2026-11-21",
        b"between monday and 3pm",
    ],
}


def fuzzed(target, runs, tmp_path):
    """Run a target so many times in a process of its own; give what it said where it failed."""
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python or system")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS[target]):
        (corpus / str(number)).write_bytes(seed)
    done = subprocess.run(
        [sys.executable, str(HERE / "targets.py"), target, f"-runs={runs}", "-seed=7", "-max_len=4096", "-rss_limit_mb=2048",
         f"-artifact_prefix={tmp_path}/", str(corpus)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-4000:]


@pytest.mark.parametrize(("target", "runs"), [("importer", 300), ("times", 1500)])
def test_a_few_hundred_inputs_break_nothing(target, runs, tmp_path):
    """Nothing but the program's own sentences is raised, whatever the bytes."""
    assert fuzzed(target, runs, tmp_path) == ""


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("target", "runs"), [("importer", 40_000), ("times", 400_000)])
def test_many_inputs_break_nothing(target, runs, tmp_path):
    """The same for minutes."""
    assert fuzzed(target, runs, tmp_path) == ""
