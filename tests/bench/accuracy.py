"""How often the engine is right on simulated incidents: the rows of ``rootcause eval`` that have a limit."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from bot.app import OfflineEngine
from bot.evals.degrade import MODES
from bot.evals.runner import PLAIN, Result, plan, run
from bot.evals.scorer import Part
from bot.evals.tally import reliability, totals
from tests.bench.figures import Figure

DAYS = 5.0
HIGH, MEDIUM = 0.95, 0.75
_JOBS = os.cpu_count() or 1


def plain_figures(scenarios: Sequence[str], seeds: Sequence[int], told: Callable[[Result], None]) -> Iterator[Figure]:
    """Judge every scenario (or those named) with every seed."""
    results = run(plan(scenarios, seeds, [PLAIN], days=DAYS, jobs=_JOBS), OfflineEngine(), told)
    (row,) = totals(results)
    which = f"{len(scenarios)} scenarios" if scenarios else "all scenarios"
    yield _share(f"root cause right, {which} × {len(seeds)} seeds, plain", row.right, 0.9)
    yield _none("causes invented where there was no incident, plain", row.invented_causes)
    yield _share("control questions, plain", row.controls, 0.92)
    yield from _common(results, "plain")


def degraded_figures(
    scenarios: Sequence[str], seeds: Sequence[int], told: Callable[[Result], None]
) -> Iterator[Figure]:
    """Judge every scenario (or those named) in every spoilt variant, with the seeds in turn."""
    asked = plan(scenarios, seeds, [*MODES], days=DAYS, jobs=_JOBS)
    results = run(replace(asked, in_turn=True), OfflineEngine(), told)
    (row,) = totals(results)
    yield _share("right or inconclusive, degraded, seeds in turn", row.honest, 0.95)
    yield _share("root cause right, degraded", row.right, 0.7)
    yield _none("causes invented where there was no incident, degraded", row.invented_causes)
    yield _share("control questions, degraded", row.controls, 0.92)
    yield from _common(results, "degraded")


def _common(results: Sequence[Result], variant: str) -> Iterator[Figure]:
    (row,) = totals(results)
    yield _share(f"quotes verbatim, {variant}", row.quotes, 1.0)
    for level in reliability(results):
        least = {"high": HIGH, "medium": MEDIUM}.get(level.confidence)
        if least is not None:
            yield _share(f"right of causes named with {level.confidence} confidence, {variant}", level.right, least)


def _share(name: str, part: Part, least: float) -> Figure:
    share = part.good / part.total if part.total else 0.0
    kept = share >= least if part.total else None
    return Figure(name=name, shown=f"{part.good} of {part.total} = {share:.1%}", limit=f"≥ {least:.0%}", kept=kept)


def _none(name: str, count: int) -> Figure:
    return Figure(name=name, shown=str(count), limit="0", kept=count == 0)
