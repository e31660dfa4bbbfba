"""A simulated incident whose world stays at hand, so that what a recommendation promises can be recounted where nobody guesses."""

import json
from pathlib import Path

from model_stage import Stage

from bot.analyst.advice import recommendations
from bot.evals import simulate
from bot.evals.registry import SCENARIOS


def world_of(name, out, *, seed, days, stage=None, change=lambda world: None):
    """Simulate a scenario, after ``change`` of its staged world, and give the world as it ended."""
    kept = []

    def staged(world):
        scene = (stage or SCENARIOS[name].stage)(world)
        change(world)
        kept.append(world)
        return scene

    simulate.run(staged, name, out, seed=seed, days=days, scale=1.0)
    return kept[0]


def part_of(world, name):
    """Give the part of a scenario that a world advances, by the name of its class."""
    return next(step.__self__ for step in world.on_tick if type(getattr(step, "__self__", None)).__name__ == name)


def advice_on(export, folder):
    """Give what is recommended along the best chain of an export, sure of it or not."""
    stage = Stage(export, folder)
    try:
        findings = stage.conclusion.findings
        return recommendations(findings.chains[0], findings)
    finally:
        stage.close()


def setting(advice, name):
    """Give what other values of a setting would have spared."""
    return next(what for each in advice for what in each.what_if if what.setting == name)


def events_of(export, namespace):
    """Give the events of a namespace as they were written."""
    return json.loads((Path(export) / "kubernetes" / namespace / "events.json").read_text())["items"]


def logs_of(export, namespace, beginning):
    """Give all log lines of a namespace's pods whose names begin so."""
    folders = (Path(export) / "kubernetes" / namespace).glob(f"{beginning}*")
    return [
        line
        for folder in sorted(folders)
        for file in sorted(folder.glob("*.log"))
        for line in file.read_text().splitlines()
    ]
