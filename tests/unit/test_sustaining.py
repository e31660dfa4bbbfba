"""What is said to have kept a symptom up: only what came with it, at its place, and ended as it ended."""

from dataclasses import replace

import pytest
from engine_parts import signal
from test_advice import UNTESTED, WEB, findings
from test_verify import Store

from bot.analyst.citations import Citations
from bot.analyst.rivals import contributing
from bot.analyst.sustaining import kept_up, sustaining
from bot.domain.entity import Entity
from bot.domain.link import Chain, Link
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


def test_a_change_elsewhere_made_nothing_worse():
    """A consumer that took the new secret stands between its change and the errors of another, by the order alone."""
    secret = signal(Kind.SECRET_CHANGE, Entity("Secret", "db", "shop"), [20])
    refused = signal(Kind.AUTH_FAILURE, WEB, [20.01], length_s=FORTY_MIN)
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.02], length_s=FORTY_MIN)
    elsewhere = signal(Kind.RELOAD, Entity("Deployment", "mail", "shop"), [20.005])
    starved = signal(Kind.CPU_SATURATION, Entity("Deployment", "mail", "shop"), [20.005])
    chain = Chain(signals=(secret, refused, felt), links=(), explained=(0,), end_to_end=UNTESTED, score=1.0)
    supported = replace(UNTESTED, status="supported", hits=1)
    links = [
        Link(cause=cause.id, effect=effect.id, mechanism="", scope="namespace", plausibility=1.0, test=supported)
        for between in (elsewhere, starved)
        for cause, effect in ((secret, between), (between, felt))
    ]
    held = replace(findings(*chain.signals, elsewhere, starved), links=links)
    told = contributing(held, chain, (), Citations(Store()))
    assert ["Deployment shop/mail was short of CPU once: it follows S1 and leads to S3"] == [
        each.summary for each in told
    ]
