"""Runs the engine over simulated incidents: each simulated and judged in its own process, so that memory is measured alone.

What the engine is, it is told: anything that analyses a folder and answers questions about the case.
"""

import json
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from bot.errors import RootcauseError, UsageError
from bot.evals import degrade
from bot.evals.corpus import corpus_of
from bot.evals.registry import SCENARIOS
from bot.evals.scorer import Score, score
from bot.evals.simulate import simulate

PLAIN = "plain"


class Engine(Protocol):
    """What is judged; it crosses process boundaries, hence picklable."""

    def analyze(self, export: Path, home: Path, question: str | None) -> dict[str, Any]:
        """Investigate an export and give the report as JSON."""
        ...

    def ask(self, home: Path, case: str, question: str) -> dict[str, Any]:
        """Answer a follow-up and give the answer as JSON."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run: every scenario with every seed in every variant, which is ``plain`` or modes joined by ``+``."""

    scenarios: tuple[str, ...]
    seeds: tuple[int, ...]
    variants: tuple[str, ...] = (PLAIN,)
    days: float = 5.0
    scale: float = 1.0
    jobs: int = 1
    in_turn: bool = False
    """Whether a scenario's variant is run with one of the seeds, each in its turn, instead of with all"""

    def cases(self) -> "list[Case]":
        """List the runs, in their order."""
        return [
            Case(scenario=name, seed=seed, variant=variant)
            for place, name in enumerate(self.scenarios)
            for other, variant in enumerate(self.variants)
            for seed in ([self.seeds[(place + other) % len(self.seeds)]] if self.in_turn else self.seeds)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run."""

    scenario: str
    seed: int
    variant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run's score; None where the engine failed, ``error`` says how."""

    case: Case
    score: Score | None
    seconds: float
    peak_mb: float
    error: str = ""


def plan(scenarios: Sequence[str], seeds: Sequence[int], variants: Sequence[str], *, days: float, jobs: int) -> Plan:
    """Check what a user asked for; nothing named means everything. Raises UsageError for an unknown name."""
    for name in scenarios:
        if name not in SCENARIOS:
            raise UsageError(f"There is no scenario {name!r}. Choose of: {', '.join(SCENARIOS)}.")
    named = tuple(mode for variant in variants for mode in ([*degrade.WAYS] if variant == "all" else [variant]))
    for variant in named:
        degrade.check(modes_of(variant))
    return Plan(
        scenarios=tuple(scenarios) or tuple(SCENARIOS),
        seeds=tuple(seeds) or (101, 102, 103),
        variants=named or (PLAIN,),
        days=days,
        jobs=jobs,
    )


def modes_of(variant: str) -> tuple[str, ...]:
    """Give the modes a variant is made of."""
    return () if variant == PLAIN else tuple(variant.split("+"))


def run(todo: Plan, engine: Engine, told: Callable[[Result], None] = lambda _result: None) -> list[Result]:
    """Run a plan, so many cases side by side as it has jobs, and give the results in the plan's order."""
    # A process per task: a peak of memory is then the task's own.
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(max_workers=todo.jobs, mp_context=context, max_tasks_per_child=1) as processes,
        ThreadPoolExecutor(max_workers=todo.jobs) as threads,
    ):
        waiting = [threads.submit(_chain, processes, todo, case, engine) for case in todo.cases()]
        return list(_as_told(waiting, told))


def _as_told(waiting: Sequence["Future[Result]"], told: Callable[[Result], None]) -> Iterator[Result]:
    for each in waiting:
        result = each.result()
        told(result)
        yield result


def _chain(processes: ProcessPoolExecutor, todo: Plan, case: Case, engine: Engine) -> Result:
    folder = Path(tempfile.mkdtemp(prefix="rootcause-eval-"))
    try:
        make = partial(_make, case, folder, days=todo.days, scale=todo.scale)
        processes.submit(make).result()
        judged = processes.submit(_judge, case, folder, engine)
        failure = judged.exception()
        if failure is not None:
            return Result(case=case, score=None, seconds=0.0, peak_mb=0.0, error=f"{type(failure).__name__}: {failure}")
        return judged.result()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(case: Case, folder: Path, *, days: float, scale: float) -> None:
    simulate(case.scenario, folder / "incident", seed=case.seed, days=days, scale=scale, degrade=modes_of(case.variant))


def _judge(case: Case, folder: Path, engine: Engine) -> Result:
    truth, home = _truth(folder), folder / "home"
    begun = perf_counter()
    try:
        report = engine.analyze(folder / "incident", home, truth["question"])
        seconds, peak = perf_counter() - begun, _peak_mb()
        answers = [engine.ask(home, report["case"], each["question"]) for each in truth["control_questions"]]
    except RootcauseError as error:
        return Result(case=case, score=None, seconds=perf_counter() - begun, peak_mb=_peak_mb(), error=str(error))
    scored = score(report, answers, truth, corpus_of(folder / "incident"))
    return Result(case=case, score=scored, seconds=round(seconds, 2), peak_mb=peak)


def _truth(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "incident.truth.json").read_text("utf-8"))
    return found


def _peak_mb() -> float:
    """Give this process's highest resident memory (proc(5), VmHWM), zero where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    line = next((line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return round(int(line.split()[1]) / 1024, 1)
