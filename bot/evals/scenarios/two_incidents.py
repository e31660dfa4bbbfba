"""Two incidents in one window that have nothing to do with each other; the person asks about one of them."""

from bot.evals.scenarios import memory_leak, third_party_outage
from bot.evals.scenarios.parts import Scene
from bot.evals.truth import Truth
from bot.evals.world import World

ASKED = frozenset({504})


def stage(world: World) -> Scene:
    """Build a provider's outage, which is asked about, and a memory leak somewhere else."""
    asked = third_party_outage.stage(world, fault="timeout", index=1)
    other = memory_leak.stage(world)

    def conclude() -> Truth:
        truth, second = asked.conclude(), other.conclude()
        truth.symptom["words"] = ["504"]
        leak = second.accept[0]
        truth.rule_out(leak, world.marks.get("oom", [world.end])[0], "OOM kills after a rollout: the other incident")
        truth.ask(f"did the restarts of {leak['name']} cause the 504s?", "unrelated")
        return truth

    return Scene(
        conclude=conclude, symptom=ASKED, floor=3, kind_words="504s", metric='http_requests_total{code="504"}',
        theories=(*other.theories[:2], *asked.theories), question="What causes the 504s at the gateway?",
    )  # fmt: skip
