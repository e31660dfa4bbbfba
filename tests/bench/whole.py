"""Whole commands in processes of their own: seconds by the clock and of CPU, peak memory, the size of the case, searches."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bot.casefile.case import Case
from bot.casefile.disk import connect_to_whole
from bot.casefile.search import search
from bot.domain.items import ItemId
from tests.bench.exports import PHRASE, RARE_ID
from tests.bench.figures import Figure

ROOT = Path(__file__).parents[2]
FIXTURE = "fixtures/incidents/story.tar.zst"

_LAUNCH = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
took = time.perf_counter() - began
process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([process.returncode, took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""
"""A child's peak counts the memory of whoever started it, up to its exec (``getrusage(2)``): a small process has to."""

Run = tuple[int, float, float, float]
"""Exit code, seconds by the clock, seconds of CPU, peak megabytes."""


def measured(arguments: list[str], home: Path, there: Mapping[str, str] | None = None) -> Run:
    """Run the program once, with further variables. Linux counts the peak in KiB, macOS in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", _LAUNCH, sys.executable, "-m", "bot", *arguments],
        cwd=ROOT,
        env={"ROOTCAUSE_HOME": str(home), "PATH": os.defpath, **(there or {})},
        stdout=subprocess.PIPE,
        check=True,
    )
    code, took, cpu, peak = json.loads(done.stdout)
    return code, took, cpu, peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def story_figure() -> Figure:
    """Analyze the demo's incident, the best of three cold starts."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [measured(["analyze", FIXTURE, "--quiet"], Path(folder) / str(each)) for each in range(3)]
    _, took, cpu, _ = min(runs, key=lambda run: run[2])
    megabytes = max(run[3] for run in runs)
    kept = all(run[0] == 0 for run in runs) and cpu <= 3 and megabytes <= 250
    shown = f"{took:.2f} s, {cpu:.2f} cpu-s, {megabytes:.0f} MB"
    return Figure(name="the story, whole command, cold start", shown=shown, limit="≤ 3 s, ≤ 250 MB", kept=kept)


def help_figure() -> Figure:
    """Ask for help, with a cold start."""
    with tempfile.TemporaryDirectory() as folder:
        cpu = min(measured(["--help"], Path(folder))[2] for _ in range(5))
    return Figure(name="--help, cold start", shown=f"{cpu:.2f} cpu-s", limit="≤ .3", kept=cpu <= 0.3)


def investigation_figures(exports: Mapping[str, Path], home: Path) -> Iterator[Figure]:
    """Analyze exports of growing size; the first is the measure of the last."""
    first: tuple[float, int] | None = None
    for name, export in exports.items():
        before = set(home.glob("*.case"))
        code, took, cpu, megabytes = measured(["analyze", str(export), "--quiet"], home)
        (case,) = set(home.glob("*.case")) - before
        raw = _raw_bytes(case)
        gigabytes = raw / 1e9
        limit = "≤ 15 s on two cores, ≤ 700 MB" if 0.5 < gigabytes < 5 else "≤ 1 GB" if gigabytes >= 5 else "none"
        kept = code == 0 and ((took <= 15 and megabytes <= 700) if 0.5 < gigabytes < 5 else megabytes <= 1000)
        shown = f"{took:.1f} s, {cpu:.1f} cpu-s, {megabytes:.0f} MB for {raw / 1e6:.0f} MB of logs"
        yield Figure(name=f"{name} of logs to report", shown=shown, limit=limit, kept=kept)
        share = case.stat().st_size / raw
        if first is not None:
            yield Figure(name=f"{name}: case file to raw logs", shown=f"{share:.3f}", limit="≤ .33", kept=share <= 0.33)
            grown = cpu / first[0]
            limit, kept = ("≤ 13 ×", grown <= 13) if gigabytes >= 5 else ("none", True)
            shown = f"{grown:.1f} × ({cpu:.1f} to {first[0]:.1f} cpu-s) for {raw / first[1]:.0f} × the logs"
            yield Figure(name=f"{name}: CPU to that of the smallest", shown=shown, limit=limit, kept=kept)
        first = first or (cpu, raw)


def _raw_bytes(case: Path) -> int:
    with closing(sqlite3.connect(case)) as connection:
        return int(connection.execute("SELECT sum(raw_bytes + lines) FROM log_blocks").fetchone()[0])


def search_figures(home: Path) -> Iterator[Figure]:
    """Search the largest case, warm."""
    path = max(home.glob("*.case"), key=lambda case: case.stat().st_size)
    with Case(connect_to_whole(path), path, owned=True) as case:
        middle = case.window.start + (case.window.end - case.window.start) / 2
        numbers = [ItemId(f"L{1 + case.logs.lines * part // 20}") for part in range(20)]
        half_hour = middle + timedelta(minutes=30)
        searches = {
            "a phrase counted exactly": lambda: search(case, PHRASE, limit=0).total,
            "a phrase in 30 minutes with 100 lines": lambda: (
                search(case, PHRASE, start=middle, end=half_hour, limit=100).total
            ),
            "a rare id": lambda: search(case, RARE_ID).total,
            "20 lines by id": lambda: len(list(case.items(numbers))),
        }
        for name, run in searches.items():
            run()
            took = []
            for _ in range(5):
                begun = time.perf_counter()
                total = run()
                took.append(time.perf_counter() - begun)
            best = min(took) * 1000
            shown = f"{best:.0f} ms, {total} found in {case.logs.lines} lines"
            yield Figure(name=name, shown=shown, limit="≤ 100 ms", kept=best <= 100)
