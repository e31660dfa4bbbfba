"""Large cases, workers and what a case file holds: what the tests of spreading share."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from bot.casefile.home import CaseHome
from bot.investigation.investigate import investigate
from bot.investigation.spread_store import SpreadStore
from bot.investigation.spreading import Spread
from bot.settings import SpreadSettings
from bot.sources.export import ExportSource

ROOT = Path(__file__).parents[1]
DYING = ROOT / "tests" / "scenario" / "dying_worker.py"
PATIENCE_S = 60.0


def content(path):
    """Give all that a case file holds but its id and what the clock says."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for name in tables}
    held = {name: [row for row in each if row[0] != "created_at"] for name, each in rows.items() if name[0] != "_"}
    for number, row in enumerate(held["report"]):
        report = json.loads(row[-1].replace(path.stem, "CASE"))
        report["usage"]["seconds"] = {}
        held["report"][number] = (*row[:-1], json.dumps(report))
    return held


def write_logs(folder, megabytes, seed=5):
    """Write an export of some pods of which one fails at noon; gives its folder."""
    draw = random.Random(seed)
    for pod in range(4):
        place = folder / "kubernetes" / "shop" / f"api-7d9f-x2x4{pod}" / "api.log"
        place.parent.mkdir(parents=True)
        lines, size, second = [], 0, 0
        while size < megabytes * 1e6 / 4:
            second += 1
            at = f"2026-11-0{2 + second // 40_000}T{8 + second % 40_000 // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"
            trace = f"trace={draw.getrandbits(128):032x}"
            kinds = [
                f"INFO order {draw.getrandbits(30)} stored in {draw.random():.3f}s {trace}",
                f"GET /cart/{second} 200 {trace}",
            ]
            if 9_000 < second < 9_400:
                kinds.append(f"ERROR connection to db-0.shop.svc refused after 30s {trace}")
            lines.append(f"{at} {draw.choice(kinds)}\n")
            size += len(lines[-1])
        place.write_text("".join(lines))
    return folder


def settings(home, url=None, from_bytes=1):
    """Give settings under which all but the first byte is given to workers."""
    return SpreadSettings(home=home, database_url=url, from_bytes=from_bytes)


def analyzed(export, home, spread=None):
    """Investigate, spread or not; gives the case's path."""
    quiet = lambda *_: None  # noqa: E731 - the port's shape
    report = investigate([ExportSource(export)], CaseHome(home, spread), question=None, window=None, progress=quiet)
    return home / f"{report.case}.case"


class Spreads:
    """Makes what spreads a case, and remembers it; as a case is read, ``during`` is called with it once it is spread."""

    def __init__(self, told, progress=None):
        self.told = told
        self.progress = progress
        self.made = []

    def __call__(self, case):
        """Make it once workers have been counted, so that a small case is spread from its first run."""
        spread = Spread(self.told, case, progress=self.progress)
        spread.claim(0)
        self.made.append(spread)
        spread.claim(self.told.from_bytes)
        until(lambda: spread.places or spread._blind)
        return spread

    @property
    def tally(self):
        """Give what became of the last case's runs."""
        return self.made[-1].tally


def until(predicate, patience_s=PATIENCE_S):
    """Wait for something to become true, and give it."""
    ends_at = time.monotonic() + patience_s
    while not (found := predicate()):
        assert time.monotonic() < ends_at, "it did not become true in time"
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def store_of(told):
    """Open the tables that workers are met in."""
    store = SpreadStore(told)
    try:
        yield store
    finally:
        store.close()


def left_behind(store):
    """Count the runs that nobody has removed."""
    with store.engine.connect() as connection:
        return connection.execute(sa.text("SELECT count(*) FROM rootcause_runs")).scalar_one()


@contextlib.contextmanager
def workers(told, *scripts):
    """Start workers and wait until all have joined; each is the real command, or a script with what to do."""
    environment = {"ROOTCAUSE_HOME": str(told.home), "PATH": os.defpath, "PYTHONPATH": str(ROOT)}
    if told.database_url:
        environment["ROOTCAUSE_DATABASE_URL"] = told.database_url
    told.home.mkdir(parents=True, exist_ok=True)
    started = []
    with (told.home / "workers.log").open("ab") as log:
        for script in scripts:
            command = [sys.executable, *([str(part) for part in script] or ["-m", "bot", "worker"])]
            started.append(subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log))
    try:
        with store_of(told) as store:
            until(lambda: len(store.workers()) == len(started) or any(each.poll() is not None for each in started))
        yield started
    finally:
        for each in started:
            if each.poll() is None:
                each.send_signal(signal.SIGCONT)
                each.kill()
            each.wait()
        sys.stdout.write((told.home / "workers.log").read_text(errors="replace")[-8000:])
