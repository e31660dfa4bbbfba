"""One measured figure, and the page of them."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured, in words; the limit it is held against; whether it keeps it (None where nobody could tell)."""

    name: str
    shown: str
    limit: str
    kept: bool | None


def cpu_s(run: Callable[[], object], times: int = 3) -> float:
    """Measure the CPU seconds of a call, the median of a few."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return max(statistics.median(taken), 1e-9)


def page(figures: Iterable[Figure], say: Callable[[str], object]) -> str:
    """Print a line for each figure once it is there; give the last line."""
    kept = missed = 0
    for one in figures:
        mark = "?" if one.kept is None else "ok" if one.kept else "MISSED"
        kept, missed = kept + (one.kept is True), missed + (one.kept is False)
        say(f"{mark:<7} {one.name:<46} {one.shown}   (limit: {one.limit})\n")
    return f"\n{kept} figures keep their limit, {missed} do not\n"
