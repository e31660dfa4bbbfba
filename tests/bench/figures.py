"""One measured figure, and the page of them."""

import statistics
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
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


def page(figures: Iterable[Figure], say: Callable[[str], object]) -> list[Figure]:
    """Print a line for each figure once it is there, and at the end which do not keep their limit; give those."""
    found = []
    for one in figures:
        mark = "?" if one.kept is None else "ok" if one.kept else "MISSED"
        say(f"{mark:<7} {one.name:<54} {one.shown}   (limit: {one.limit})\n")
        found.append(one)
    missed = [one for one in found if one.kept is False]
    say(f"\n{sum(one.kept is True for one in found)} figures keep their limit, {len(missed)} do not")
    say(f": {', '.join(one.name for one in missed)}\n" if missed else "\n")
    return missed


def guarded(name: str, figures: Callable[[], Iterable[Figure]]) -> Iterator[Figure]:
    """Give a part's figures; one that fails is a missed figure, and no reason to leave out the parts after it."""
    try:
        yield from figures()
    except Exception as error:  # noqa: BLE001 - whatever it was, it is told, and the next part is measured
        traceback.print_exc()
        yield Figure(
            name=name, shown=f"failed: {type(error).__name__}: {error}"[:200], limit="to be measured", kept=False
        )
