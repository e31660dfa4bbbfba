"""Puts a harmless rollout seconds after what really began an incident, so that order alone hardly tells the two apart.

Not a way to spoil files: pods, events, objects and lines of the rollout come from the simulated cluster. So the scenario runs
twice, once to learn when its cause comes, and once with the rollout beside it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.evals.randomness import dice
from bot.evals.scenarios.parts import Scene
from bot.evals.workloads import Workload
from bot.evals.world import World

DECOY = "decoy"
SOONEST_S, LATEST_S = 1.0, 60.0
"""How long after the cause the rollout begins."""

Stage = Callable[[World], Scene]


def with_decoy(stage: Stage, truth: Mapping[str, Any], after_s: float | None = None) -> Stage:
    """Stage a scenario whose ``truth`` is known with a rollout ``after_s`` seconds (drawn, where None) after its first step.

    A scenario in which nothing happens is staged as it was.
    """
    if not truth["steps"]:
        return stage
    begun = datetime.fromisoformat(truth["steps"][0]["first_at"]).timestamp()
    names = {truth["root_cause"]["entity"]["name"], *(each["name"] for each in truth["accept"])}

    def staged(world: World) -> Scene:
        scene, draw = stage(world), dice(world.key, DECOY)
        after = draw.uniform(SOONEST_S, LATEST_S) if after_s is None else after_s
        others = [name for name in world.cast.services if name not in names]
        world.at(begun + after, lambda: _roll(world, world.cluster.workloads[draw.choice(others)]))
        return scene

    return staged


def _roll(world: World, service: Workload) -> None:
    world.changes.append((world.now, "rollout", service))
    world.cluster.rollout(service, f"{service.tag}-1")
