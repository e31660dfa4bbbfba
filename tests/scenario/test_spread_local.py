"""Workers that an investigation starts itself: real processes, the same case to the byte, and none that outlives it."""

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from command import PATIENCE_S, ROOT, environment
from spread_stage import Spreads, analyzed, content, settings, until, write_logs

from bot.domain.ports import BY_WORKERS
from bot.investigation.spreading import Spread
from bot.settings.spreading import SpreadSettings, local_workers

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="a process's children are read in /proc")

PATIENT = """
import sys, time
from bot.__main__ import main
from bot.investigation.spreading import Spread
claim = Spread.claim
def claimed(self, size):
    given = claim(self, size)
    while self._local is None and not self._closed.is_set():
        time.sleep(0.01)
    return given
Spread.claim = claimed
sys.exit(main())
"""
"""The command, waiting in its first run until its worker has been started."""


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """Some logs."""
    return write_logs(tmp_path_factory.mktemp("logs") / "export", 3)


def children(pid):
    """Give the workers that a process has started."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(each) for each in task.read_text().split() if b"--until-eof" in command_of(int(each))]
    return found


def command_of(pid):
    """Give a process's command line; nothing where it is gone or a zombie."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@pytest.mark.timeout(120)
def test_one_of_two_is_killed_over_a_run(tmp_path, export, monkeypatch):
    """Two workers are started once there is much to do; ``kill -9`` of one costs its runs, the case is the same, all are reaped."""
    monkeypatch.setattr("bot.investigation.spreading.RUN_BYTES", 200_000)
    monkeypatch.setattr("bot.casefile.packing.RUN_BYTES", 100_000)
    monkeypatch.setattr("bot.casefile.loglines.BLOCK_BYTES", 50_000)
    alone = content(analyzed(export, tmp_path / "alone"))
    told = replace(settings(tmp_path / "home"), local=2, local_from_bytes=1)
    heard, started = [], []

    def killed(stage, done, total):
        heard.append((stage, done, total))
        if done and len(heard) == 3:
            started.extend(each.pid for each in spreads.made[-1]._local.processes)
            os.kill(started[0], signal.SIGKILL)

    spreads = Spreads(told, killed)
    assert alone == content(analyzed(export, tmp_path / "home", spreads))
    assert spreads.tally.mapped >= 3
    assert {BY_WORKERS} == {stage for stage, _, _ in heard}
    assert 0 < heard[-1][1] <= heard[-1][2]
    assert 2 == len(started)
    assert [b"", b""] == [command_of(each) for each in started]
    assert [] == children(os.getpid())


def test_none_is_started_for_little(tmp_path, export):
    """Below the size that is worth it, and where none is asked for, no process is started and no database made."""
    for number, (local, size) in enumerate(((2, 10**9), (0, 1))):
        told = replace(settings(tmp_path / "home"), local=local, local_from_bytes=size)
        spread = Spread(told, f"c{number}")
        spread.claim(0)
        spread.claim(100)
        until(lambda spread=spread: spread._store is not None)
        spread.close()
        assert spread._local is None
    assert not (tmp_path / "home" / "chunks.sqlite").exists()


@contextlib.contextmanager
def reading(home, export):
    """Let the real command read an export until its worker is there; give both."""
    there = environment(home, ROOTCAUSE_LOCAL_WORKERS="1", ROOTCAUSE_SPREAD_MIB="1")
    process = subprocess.Popen(
        [sys.executable, "-c", PATIENT, "analyze", str(export), "--quiet"], cwd=ROOT, env=there, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - a test run in the background ignores SIGINT, and so would its children
    )  # fmt: skip
    try:
        (worker,) = until(lambda: children(process.pid))
        yield process, worker
    finally:
        process.kill()
        process.communicate()


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("end", "code"),
    [
        (None, 4),
        pytest.param(signal.SIGINT, 1, marks=pytest.mark.full),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, marks=pytest.mark.full),
    ],
)
def test_a_worker_ends_with_its_investigation(tmp_path, export, end, code):
    """However the investigation ends, killed, interrupted or done, its worker is gone soon after, and nothing is said of it."""
    with reading(tmp_path / "home", export) as (process, worker):
        if end is not None:
            process.send_signal(end)
        _, said = process.communicate(timeout=PATIENCE_S)
        assert code == process.returncode
        assert said.decode().lstrip() == ("rootcause: stopped; nothing was kept\n" if end == signal.SIGINT else "")
        until(lambda: not command_of(worker))


@pytest.mark.parametrize(("cores", "workers"), [(1, 0), (2, 0), (8, 0), (11, 0), (12, 1), (16, 2), (24, 4), (128, 4)])
def test_small_machines_start_none_by_themselves(cores, workers):
    """Threads fill eight cores; only beyond them is there anything to gain."""
    assert workers == local_workers(cores)


def test_what_the_environment_says_counts(monkeypatch, tmp_path):
    """A number given is taken, none included, from the size at which work is given away; a named database has workers of its own."""
    for name in ("ROOTCAUSE_DATABASE_URL", "ROOTCAUSE_LOCAL_WORKERS", "ROOTCAUSE_SPREAD_MIB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ROOTCAUSE_HOME", str(tmp_path))
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    found = SpreadSettings.from_environment()
    assert (2, 4 * found.from_bytes) == (found.local, found.local_from_bytes)
    monkeypatch.setenv("ROOTCAUSE_LOCAL_WORKERS", "0")
    assert 0 == SpreadSettings.from_environment().local
    monkeypatch.setenv("ROOTCAUSE_LOCAL_WORKERS", "3")
    found = SpreadSettings.from_environment()
    assert (3, found.from_bytes) == (found.local, found.local_from_bytes)
    monkeypatch.delenv("ROOTCAUSE_LOCAL_WORKERS")
    monkeypatch.setenv("ROOTCAUSE_DATABASE_URL", "postgresql://nobody@127.0.0.1/none")
    assert 0 == SpreadSettings.from_environment().local
    assert "PORT" not in found.for_a_child()
    assert str(tmp_path) == found.for_a_child()["ROOTCAUSE_HOME"]
