"""Nothing is wrong: everyday noise, and somebody who worries."""

from bot.evals.scenarios.parts import Scene
from bot.evals.truth import Truth, entity
from bot.evals.world import World


def stage(world: World) -> Scene:
    """Build a quiet window."""
    names = world.cast
    return Scene(
        conclude=lambda: _truth(world), symptom=frozenset({500, 502, 503, 504}), floor=25, kind_words="the app feels broken",
        metric='http_requests_total{code=~"5.."}', calm=True,
        theories=(f"maybe {names.services[0]} is slow today?", f"{names.services[1]} deploy?"),
    )  # fmt: skip


def _truth(world: World) -> Truth:
    truth = Truth(verdict="no_incident", symptom={"entity": None, "words": []})
    for at, what, service in world.changes:
        truth.rule_out(entity("Deployment", service.name, service.namespace), at, what)
    truth.ask(f"was the {world.cast.backup} job related?", "unrelated")
    truth.ask(f"when does {world.cast.backup} run next?", "answered")
    truth.ask(f"did {world.cast.services[1]} cause it?", "unrelated")
    return truth
