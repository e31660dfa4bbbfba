"""Runs the real program in a process of its own, as a person at a terminal would, and makes small exports to feed it."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
STORY = ROOT / "fixtures" / "incidents" / "story.tar.zst"
PATIENCE_S = 60


@dataclass(frozen=True)
class Ran:
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """Read standard output."""
        return json.loads(self.out)


def environment(home, **more):
    """Give the variables of a run: nothing of this machine but its path and home folder."""
    scratch = Path(home).parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return {"ROOTCAUSE_HOME": str(home), "PATH": os.defpath, "TMPDIR": str(scratch), "LC_ALL": "C.UTF-8", **more}


def line(*arguments):
    """Give the command line of the program."""
    return [sys.executable, "-m", "bot", *map(str, arguments)]


def rootcause(home, *arguments, stdin=b"", shell="", **more):
    """Run the program to its end; ``shell`` is a shell's words before it (``ulimit -f 100;``)."""
    command = ["sh", "-c", f'{shell} exec "$@"', "sh", *line(*arguments)] if shell else line(*arguments)
    done = subprocess.run(
        command, cwd=ROOT, env=environment(home, **more), input=stdin, capture_output=True, timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def small_export(folder):
    """Write a small but whole export: two pods' logs with a burst of failures, events and objects."""
    shop = folder / "kubernetes" / "shop"
    names = ("web-5d9c7b6f4-abcde", "orders-7c5b9d8f6-fghij")
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "shop", "creationTimestamp": "2026-11-21T00:00:00Z"},
            "status": {"phase": "Running"},
        }
        for name in names
    ]
    events = [
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"e{at}", "namespace": "shop"},
            "involvedObject": {"kind": "Pod", "name": names[0], "namespace": "shop"},
            "reason": "Unhealthy",
            "message": "Readiness probe failed: HTTP probe failed with statuscode: 503",
            "type": "Warning",
            "count": 1,
            "firstTimestamp": f"2026-11-22T06:{at:02}:00Z",
            "lastTimestamp": f"2026-11-22T06:{at:02}:00Z",
        }
        for at in range(20, 40)
    ]
    for name, items in (("pods", pods), ("events", events)):
        path = shop / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    for name in names:
        (shop / name).mkdir()
        with (shop / name / "app.log").open("w") as log:
            for at in range(600):
                stamp = f"2026-11-22T{6 + at // 60:02}:{at % 60:02}:00.000000001Z"
                log.write(f'{stamp} level=info msg="served GET /orders/{at}" status=200 duration_ms={at % 90}\n')
    return folder


def kept(home):
    """Name what lies in the folder of the cases."""
    return sorted(path.name for path in Path(home).iterdir()) if Path(home).exists() else []


def copied(case, name):
    """Copy a case file beside itself."""
    return Path(shutil.copyfile(case, case.with_name(f"{name}.case")))


def refused(ran, code, *words):
    """Check that a run ended with one readable sentence on standard error and nothing on standard output."""
    assert (code, "") == (ran.code, ran.out), ran.err
    assert "Traceback" not in ran.err
    assert "fault of the program" not in ran.err
    assert [] == [word for word in words if word not in ran.err], ran.err
    assert 1 == ran.err.count("rootcause: ") or ran.err.startswith("Usage:")
