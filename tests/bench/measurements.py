"""The measurements that are tests with limits of their own, a row each: sources and the recorder under load."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MOST_S = 900.0
_PASSED, _NONE_RAN = 0, 5


def measurement_figures() -> Iterator[Figure]:
    """Run each file of them in a process of its own, and say how it ended."""
    for path in sorted(HERE.glob("test_*.py")):
        began = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "pytest",
            str(path),
            "-m",
            "bench",
            "-q",
            "-s",
            "-p",
            "no:cacheprovider",
            "-rs",
        ]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=MOST_S, check=False)
        except subprocess.TimeoutExpired:
            yield Figure(name=f"{path.name}", shown=f"not done in {MOST_S:.0f} s", limit="its own", kept=False)
            continue
        sys.stdout.write(done.stdout)
        last = done.stdout.strip().rpartition("\n")[2].strip("= ")
        skipped = done.returncode == _NONE_RAN or (done.returncode == _PASSED and "passed" not in last)
        kept = None if skipped else done.returncode == _PASSED
        shown = f"{last or 'nothing ran'}, {time.perf_counter() - began:.0f} s"
        yield Figure(name=path.name, shown=shown, limit="its own", kept=kept)
