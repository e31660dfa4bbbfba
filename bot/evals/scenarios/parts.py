"""What every scenario hands back to the runner."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.evals.controllers import Hpa
from bot.evals.truth import Truth


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
    certificates: list[dict[str, object]] = field(default_factory=list)
    calm: bool = False
    """True where nothing happens and somebody worries all the same."""
