"""What every scenario hands back to the runner."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.evals.controllers import Hpa
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Workload
from bot.evals.world import World

ALL_5XX = frozenset({500, 502, 503, 504})
RATE_OF_5XX = 'http_requests_total{code=~"5.."}'


@dataclass(slots=True, kw_only=True)
class Scene:
    """A staged scenario: how to conclude it, and what the people in the channel make of it."""

    conclude: Callable[[], Truth]
    symptom: frozenset[int]
    floor: int
    """Errors in a minute from which users notice."""
    kind_words: str
    theories: tuple[str, ...]
    metric: str
    hpas: list[Hpa] = field(default_factory=list)
    documents: list[tuple[str | None, str, list[dict[str, Any]]]] = field(default_factory=list)
    """Objects the scenario brings: ``(namespace, plural kind, items)``."""
    question: str | None = None
    """What the person asks, where it is not simply what caused the incident."""
    calm: bool = False
    """True where nothing happens and somebody worries all the same."""


def of(workload: Workload) -> dict[str, Any]:
    """Name a workload as the truth does."""
    return entity(workload.kind, workload.name, workload.namespace)


def bystanders(world: World, truth: Truth, *, but: Workload | None = None) -> None:
    """Add what stood near and did nothing: unrelated rollouts and restarts, and the nightly backup as a question."""
    for at, what, other in world.changes:
        if other is not but:
            truth.rule_out(of(other), at, what)
    truth.ask(f"was the {world.cast.backup} job related?", "unrelated")


def felt(world: World, truth: Truth, floor: int, what: str = "users get 5xx") -> None:
    """Add what users felt at the edge as the last step."""
    truth.step(what, of(world.edge), [start for start, _, _ in world.episodes(ALL_5XX, floor)])
