"""Rows of measured figures, each beside a named peer or a limit: ``python -m tests.bench``.

Figures are CPU seconds (user and system, all threads), since the clock on a shared machine measures its neighbours; only
ratios of one run compare across machines. A peer that is not installed is named as such, never guessed.
"""

import argparse
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.bench.accuracy import degraded_figures, plain_figures
from tests.bench.exports import write_export
from tests.bench.figures import Figure, guarded, page
from tests.bench.logs import accuracy_figure, digest_figure
from tests.bench.measurements import measurement_figures
from tests.bench.packing import model_story_figure, packing_figures, story_packing_figures, write_changes
from tests.bench.scaled import simulation_figure
from tests.bench.series import series_figures
from tests.bench.whole import help_figure, investigation_figures, search_figures, story_figure

BIG_MB, HUGE_COPIES = 1000, 10
SEEDS = "2001-2005"
"""Those of the README; others were not looked at while the engine was made, as these were not."""


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


def small() -> Iterator[Figure]:
    """Measure single commands on the demo's incident."""
    yield story_figure()
    yield from story_packing_figures()
    yield model_story_figure()
    yield help_figure()


def digesting() -> Iterator[Figure]:
    """Measure the kernel beside its peer, and how well it groups."""
    yield digest_figure()
    yield accuracy_figure()


def large(folder: Path, megabytes: float) -> Iterator[Figure]:
    """Measure whole investigations of a tenth, all and ten times so many megabytes, and searches in the largest."""
    small_one = write_export(folder / "small", megabytes / 10)
    big = write_changes(write_export(folder / "big", megabytes))
    exports = {f"{megabytes / 10:.0f} MB": small_one, f"{megabytes:.0f} MB": big}
    home, last = folder / "home", folder / "last"
    yield from investigation_figures(exports, home)
    yield from guarded("searches", lambda: search_figures(home))
    yield from guarded("the packing of a large case", lambda: packing_figures(home))
    huge = {
        f"{megabytes / 10:.0f} MB": small_one,
        f"{megabytes / 100:.0f} GB": copied(big, folder / "huge", HUGE_COPIES),
    }
    yield from investigation_figures(huge, last)


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


def parts(folder: Path, options: argparse.Namespace) -> dict[str, Callable[[], Iterable[Figure]]]:
    """Name the parts, in the order in which they are measured."""
    told = lambda result: sys.stderr.write(f"  {result.case.scenario} {result.case.variant} {result.case.seed}\n")  # noqa: E731
    return {
        "digest": digesting,
        "series": series_figures,
        "story": small,
        "large": lambda: large(folder, options.megabytes),
        "simulate": lambda: [simulation_figure()],
        "plain": lambda: plain_figures(options.scenarios, options.seeds, told),
        "degraded": lambda: degraded_figures(options.scenarios, options.seeds, told),
        "measurements": measurement_figures,
    }


def seeds(text: str) -> list[int]:
    """Read numbers and ranges, as in ``3,7-9``."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def main() -> int:
    """Print every figure as it is measured, then which miss their limit; 1 where one does."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("--megabytes", type=float, default=BIG_MB, help="logs of the large export")
    options.add_argument("--seeds", type=seeds, default=seeds(SEEDS), help="of the simulated incidents")
    options.add_argument("--scenarios", type=lambda text: text.split(","), default=[], help="all unless named")
    options.add_argument("--only", metavar="PARTS", default="", help="comma-separated; otherwise all")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what lies in the folder goes
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    known = parts(folder, chosen)
    wanted = [part for part in chosen.only.split(",") if part] or [*known]
    if unknown := set(wanted) - set(known):
        options.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(known)}")

    def say(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def figures() -> Iterator[Figure]:
        for part in wanted:
            began = time.perf_counter()
            yield from guarded(part, known[part])
            sys.stderr.write(f"  {part}: {time.perf_counter() - began:.0f} s\n")

    try:
        say(f"{machine()}\n\n")
        return 1 if page(figures(), say) else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
