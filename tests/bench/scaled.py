"""How fast ``rootcause simulate --scale`` writes, and in how much memory."""

import tempfile
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.whole import measured

DAYS, SCALE = 0.5, 6000
LEAST_MB_S, MOST_MB = 30.0, 500.0


def simulation_figure() -> Figure:
    """Write half a day of the story with six thousand times its traffic."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "incident"
        arguments = ["simulate", "story", str(out), "--days", str(DAYS), "--scale", str(SCALE)]
        code, _, cpu, megabytes = measured(arguments, Path(folder) / "home")
        size = sum(path.stat().st_size for path in out.rglob("*.log")) / 1e6
    return Figure(
        name="simulate --scale",
        shown=f"{size / cpu:.0f} MB/cpu-s, {megabytes:.0f} MB for {size:.0f} MB of logs",
        limit=f"≥ {LEAST_MB_S:.0f} MB/cpu-s, ≤ {MOST_MB:.0f} MB",
        kept=code == 0 and size / cpu >= LEAST_MB_S and megabytes <= MOST_MB,
    )
