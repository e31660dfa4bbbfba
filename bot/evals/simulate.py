"""Runs a scenario and writes an export and, outside it, its truth."""

import json
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.errors import UsageError
from bot.evals import chat, company, objects
from bot.evals.decoys import DECOY, with_decoy
from bot.evals.degrade import check, degrade as spoil
from bot.evals.randomness import dice
from bot.evals.registry import SCENARIOS
from bot.evals.remains import counted, gone
from bot.evals.scenarios.parts import Scene
from bot.evals.world import World

END = datetime(2026, 11, 22, tzinfo=UTC)
"""Every simulated window ends here, so that the same arguments give the same bytes on any day."""


def simulate(scenario: str, out: Path, *, seed: int, days: float, scale: float, degrade: Sequence[str] = ()) -> Path:
    """Write the export folder ``out`` and beside it ``<out>.truth.json``, whose path is returned.

    ``days`` is the window's length, ``scale`` multiplies the traffic, ``degrade`` names what spoils the evidence; the same
    arguments give the same bytes. Raises UsageError for an unknown scenario or mode, a window or a scale that makes no
    sense, or a folder that is not empty.
    """
    if scenario not in SCENARIOS:
        raise UsageError(f"There is no scenario {scenario!r}. Choose one of: {', '.join(SCENARIOS)}.")
    if not 0.1 <= days <= 3660 or not 0 < scale <= 10_000:
        raise UsageError("Give --days between 0.1 and 3660 and --scale above 0 and up to 10000.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} already exists and is not empty. Choose another folder or remove it.")
    check(degrade)
    stage = SCENARIOS[scenario].stage
    if DECOY in degrade:
        stage = with_decoy(stage, truth_of(stage, scenario, seed=seed, days=days, scale=scale))
    return run(stage, scenario, out, seed=seed, days=days, scale=scale, degrade=degrade)


def truth_of(stage: Callable[[World], Scene], scenario: str, *, seed: int, days: float, scale: float) -> dict[str, Any]:
    """Run a staged scenario for its truth alone."""
    with TemporaryDirectory(prefix="rootcause-truth-") as folder:
        target = run(stage, scenario, Path(folder) / "incident", seed=seed, days=days, scale=scale)
        found: dict[str, Any] = json.loads(target.read_text("utf-8"))
        return found


def run(
    stage: Callable[[World], Scene],
    scenario: str,
    out: Path,
    *,
    seed: int,
    days: float,
    scale: float,
    degrade: Sequence[str] = (),
) -> Path:
    """Run a staged scenario; ``stage`` may be one with other parameters than the registry's."""
    start = (END - timedelta(days=days)).timestamp()
    world = World(out, scenario, seed, start - start % 60, days, scale)
    company.build(world)
    scene = stage(world)
    if dice(world.key, "loki").random() < 0.3 and seed != 1:
        world.export.in_loki.add((world.cast.app, world.cast.services[1]))
    out.mkdir(parents=True, exist_ok=True)
    world.run()
    world.export.close()
    objects.write(world, scene.documents)
    episodes = world.episodes(scene.symptom, scene.floor)
    chat.write(world, scene, episodes)
    truth = scene.conclude()
    truth.episodes, truth.question, truth.degraded = episodes, scene.question, list(degrade)
    before = counted(out, truth.needs) if degrade else {}
    spoil(out, degrade, key=world.key, end=world.end)
    truth.spoilt(gone(truth.needs, before, counted(out, truth.needs)) if degrade else [])
    target = out.with_name(f"{out.name}.truth.json")
    document = truth.to_json(scenario, seed, world.start, world.end)
    target.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return target


def discard(out: Path) -> None:
    """Remove an export and its truth again."""
    shutil.rmtree(out, ignore_errors=True)
    out.with_name(f"{out.name}.truth.json").unlink(missing_ok=True)
