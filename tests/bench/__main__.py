"""Rows of measured figures, each beside a named peer or a limit: ``python -m tests.bench``.

Figures are CPU seconds (user and system, all threads), since the clock on a shared machine measures its neighbours; only
ratios of one run compare across machines. A peer that is not installed is named as such, never guessed.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.exports import write_export
from tests.bench.figures import Figure, page
from tests.bench.logs import accuracy_figure, digest_figure
from tests.bench.packing import model_story_figure, packing_figures, story_packing_figures, write_changes
from tests.bench.series import series_figures
from tests.bench.whole import help_figure, investigation_figures, search_figures, story_figure

BIG_MB, SMALL_MB, HUGE_COPIES = 1000, 100, 10


def machine() -> str:
    """Describe the machine in a line."""
    model = platform.processor() or platform.machine()
    with_names = Path("/proc/cpuinfo")
    if with_names.exists():
        names = [line.partition(":")[2].strip() for line in with_names.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.1f} before the run"
    )


def quick() -> Iterator[Figure]:
    """Measure what takes seconds."""
    yield digest_figure()
    yield accuracy_figure()
    yield from series_figures()
    yield story_figure()
    yield from story_packing_figures()
    yield model_story_figure()
    yield help_figure()


def long(folder: Path, megabytes: float, huge: bool) -> Iterator[Figure]:
    """Measure whole investigations of a tenth, all and (``huge``) ten times so many megabytes."""
    small = write_export(folder / "small", megabytes / 10)
    big = write_changes(write_export(folder / "big", megabytes))
    exports = {f"{megabytes / 10:.0f} MB": small, f"{megabytes:.0f} MB": big}
    if huge:
        exports[f"{megabytes / 100:.0f} GB"] = copied(big, folder / "huge", HUGE_COPIES)
    home = folder / "home"
    yield from investigation_figures(exports, home)
    yield from search_figures(home)
    yield from packing_figures(home)


def copied(export: Path, out: Path, copies: int) -> Path:
    """Make an export of an export's crowd of pods many times over, without a byte more on the disk."""
    for number in range(copies):
        for place in sorted((export / "kubernetes" / "crowd").rglob("*.log")):
            link = out / "kubernetes" / f"crowd-{number}" / place.parent.name / place.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to(place)
    for place in sorted(export.rglob("*")):
        if place.is_file() and "crowd" not in place.parts:
            link = out / place.relative_to(export)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to(place)
    return out


def main() -> None:
    """Print every figure as it is measured, then how many keep their limit."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("--quick", action="store_true", help="leave out whole investigations of large exports")
    options.add_argument("--megabytes", type=float, default=BIG_MB, help="logs of the large export")
    options.add_argument("--huge", action="store_true", help="measure ten times so many, too")
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    say = sys.stdout.write

    def figures() -> Iterator[Figure]:
        yield from quick()
        if not chosen.quick:
            yield from long(folder, chosen.megabytes, chosen.huge)

    run: Callable[[], Iterator[Figure]] = figures
    try:
        say(f"{machine()}\n\n")
        say(page(run(), say))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
