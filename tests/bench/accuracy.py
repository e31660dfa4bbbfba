"""How often the engine is right on simulated incidents: the rows of ``rootcause eval`` that have a limit."""

import os
from collections.abc import Callable, Iterator, Sequence

from bot.app import OfflineEngine
from bot.evals.degrade import MODES
from bot.evals.runner import PLAIN, Plan, Result, plan, run
from bot.evals.scorer import Part
from bot.evals.tally import reliability, totals
from tests.bench.figures import Figure

DAYS = 5.0
HIGH, MEDIUM = 0.95, 0.75


def accuracy_figures(seeds: Sequence[int], told: Callable[[Result], None]) -> Iterator[Figure]:
    """Judge every scenario with every seed, plain; then every scenario in every spoilt variant, with the seeds in turn."""
    jobs = os.cpu_count() or 1
    clean = run(plan([], seeds, [PLAIN], days=DAYS, jobs=jobs), OfflineEngine(), told)
    yield from _plain(clean, f"{len(seeds)} seeds")
    spoilt = run(_in_turn(seeds, jobs), OfflineEngine(), told)
    yield from _degraded(spoilt)
    both = [*clean, *spoilt]
    quotes = [total.quotes for total in totals(both)]
    yield _share("quotes verbatim", Part(good=sum(q.good for q in quotes), total=sum(q.total for q in quotes)), 1.0)
    for level in reliability(both):
        least = {"high": HIGH, "medium": MEDIUM}.get(level.confidence)
        if least is not None:
            yield _share(f"causes named with {level.confidence} confidence right", level.right, least)


def _in_turn(seeds: Sequence[int], jobs: int) -> Plan:
    asked = plan([], seeds, [*MODES], days=DAYS, jobs=jobs)
    return Plan(
        scenarios=asked.scenarios, seeds=asked.seeds, variants=asked.variants, days=DAYS, jobs=jobs, in_turn=True
    )


def _plain(results: Sequence[Result], seeds: str) -> Iterator[Figure]:
    (row,) = totals(results)
    yield _share(f"root cause right, all scenarios × {seeds}, plain", row.right, 0.9)
    yield _none("causes invented where there was no incident, plain", row.invented_causes)
    yield _share("control questions, plain", row.controls, 0.92)


def _degraded(results: Sequence[Result]) -> Iterator[Figure]:
    (row,) = totals(results)
    yield _share("right or inconclusive, degraded, seeds in turn", row.honest, 0.95)
    yield _share("root cause right, degraded", row.right, 0.7)
    yield _none("causes invented where there was no incident, degraded", row.invented_causes)
    yield _share("control questions, degraded", row.controls, 0.92)


def _share(name: str, part: Part, least: float) -> Figure:
    share = part.good / part.total if part.total else 0.0
    kept = share >= least if part.total else None
    return Figure(name=name, shown=f"{part.good} of {part.total} = {share:.1%}", limit=f"≥ {least:.0%}", kept=kept)


def _none(name: str, count: int) -> Figure:
    return Figure(name=name, shown=str(count), limit="0", kept=count == 0)
