"""What is said to have kept a symptom up: only what came with it, at its place, and ended as it ended."""

import pytest
from engine_parts import signal
from test_advice import UNTESTED, WEB, findings

from bot.analyst.sustaining import kept_up, sustaining
from bot.domain.entity import Entity
from bot.domain.link import Chain
from bot.domain.signal import Kind
from bot.signals.mechanisms import EXOGENOUS

EDGE, REGISTRY = Entity("Deployment", "edge", "shop"), Entity("Host", "registry.example")
FORTY_MIN = 2400.0


def cascade(*, lasts_s=FORTY_MIN, hours=(20.01,)):
    root = signal(Kind.ROLLOUT, WEB, [20], length_s=10)
    felt = signal(Kind.SERVER_ERROR, EDGE, hours, length_s=lasts_s)
    return Chain(signals=(root, felt), links=(), explained=tuple(range(len(hours))), end_to_end=UNTESTED, score=1.0)


def kept(chain, *others):
    return sustaining(findings(*others, *chain.signals), chain, EXOGENOUS)


def test_what_comes_and_goes_with_the_symptom_kept_it_up():
    """Pulls fail from a little after the errors began until kubelet's last try before they ended."""
    pulls = signal(Kind.IMAGE_PULL_FAILURE, WEB, [20.02], length_s=FORTY_MIN - 300)
    registry = signal(Kind.EXTERNAL_FAILURE, REGISTRY, [20.02], length_s=FORTY_MIN - 300, mentions=(WEB,))
    chain = cascade()
    found = kept(chain, pulls, registry)
    assert (registry, pulls) == found
    assert kept_up(chain, found) == (
        " It lasted 40 min, as long as Host registry.example (third party) failed"
        " and Deployment shop/web could not pull its image."
    )


@pytest.mark.parametrize(
    "other",
    [
        signal(Kind.IMAGE_PULL_FAILURE, WEB, [20.02], length_s=600),
        signal(Kind.IMAGE_PULL_FAILURE, WEB, [20.02], length_s=3 * FORTY_MIN),
        signal(Kind.IMAGE_PULL_FAILURE, WEB, [20.4], length_s=1000),
        signal(Kind.IMAGE_PULL_FAILURE, WEB, [19.9], length_s=FORTY_MIN),
        signal(Kind.IMAGE_PULL_FAILURE, Entity("Deployment", "far", "batch"), [20.02], length_s=FORTY_MIN),
        signal(Kind.EXTERNAL_FAILURE, REGISTRY, [20.02], length_s=FORTY_MIN),
        signal(Kind.CONNECTION_REFUSED, WEB, [20.02], length_s=FORTY_MIN),
    ],
    ids=["ends-early", "goes-on", "comes-late", "came-before", "elsewhere", "tied-to-nobody", "a-symptom-itself"],
)
def test_what_does_not_keep_time_and_place_kept_nothing_up(other):
    """Each misses one of the conditions."""
    assert kept(cascade(), other) == ()
    assert kept_up(cascade(), ()) == ""


def test_a_short_symptom_and_a_second_episode_without_it():
    """Seconds need nothing to keep them up, and what was there in one episode of two did not keep both up."""
    pulls = signal(Kind.IMAGE_PULL_FAILURE, WEB, [20.01], length_s=60)
    assert kept(cascade(lasts_s=60), pulls) == ()
    pulls = signal(Kind.IMAGE_PULL_FAILURE, WEB, [20.02], length_s=FORTY_MIN)
    assert kept(cascade(hours=(20.01, 30)), pulls) == ()
