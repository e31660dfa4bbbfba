"""What kubelets answer to the control plane bounds how far their clocks are apart; an effect before its cause weighs against it."""

import random
from datetime import UTC, datetime, timedelta

from engine_parts import at, signal, window

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent
from bot.domain.signal import Kind, Topology
from bot.signals.chains import strength
from bot.signals.clocks import clocks
from bot.signals.pairs import candidates, link_all
from bot.signals.trains import early_s, slack_s

API = Entity("Deployment", "api", "shop")
EDGE = Entity("Deployment", "edge", "shop")
CALLS = Topology(calls=frozenset({(EDGE, API)}))


def event(at_s, reason, entity, message="", node=None):
    """Give an event as it is stored: dated to the second."""
    when = datetime.fromtimestamp(at_s // 1, UTC)
    return ClusterEvent(
        at=when, first_at=when, count=1, type="Normal", reason=reason, message=message, entity=entity,
        component="kubelet" if node else "replicaset-controller", node=node, raw=b"",
    )  # fmt: skip


def replaced(rng, count, ahead_s):
    """Give what is told of pods that come and go on a node whose clock is ahead by so many seconds."""
    for number in range(count):
        pod, begun = Entity("Pod", f"api-{number}", "shop"), at(rng.uniform(0, 100))
        yield event(begun, "Scheduled", pod)
        yield event(begun + rng.uniform(0.5, 1.5) + ahead_s, "Pulled", pod, node="n1")
        ended = begun + rng.uniform(100, 90_000)
        yield event(ended, "SuccessfulDelete", API, f"Deleted pod: {pod.name}")
        yield event(ended + rng.uniform(0.05, 0.6) + ahead_s, "Killing", pod, node="n1")


def test_the_bounds_hold_the_true_offset():
    """Whatever a clock is off, the bounds hold it in nearly all of many draws, and are no more than seconds wide."""
    held = 0
    for seed in range(200):
        rng = random.Random(seed)
        ahead_s = rng.choice((0.0, 0.0, rng.uniform(-4, 4), rng.uniform(-300, 300)))
        apart = clocks(replaced(rng, rng.randint(2, 12), ahead_s))["n1"]
        held += apart.low_s <= ahead_s <= apart.high_s
        assert apart.high_s - apart.low_s < 3.5
    assert held >= 190


def test_slow_kubelets_widen_nothing_above():
    """Kubelets that all take ten seconds look like a clock ahead, never like one that is behind."""
    rng = random.Random(3)
    slow = [
        pair
        for number in range(6)
        for pair in (
            event(at(number), "Scheduled", Entity("Pod", f"p{number}", "shop")),
            event(at(number) + rng.uniform(9, 11), "Pulled", Entity("Pod", f"p{number}", "shop"), node="n1"),
        )
    ]
    assert clocks(slow)["n1"].high_s >= 9.0


def test_a_node_without_pods_that_came_or_went_is_not_judged():
    """One answer may have been a slow one, and none tells nothing."""
    pod = Entity("Pod", "p", "shop")
    assert {} == clocks([event(at(1), "Scheduled", pod), event(at(1) + 1, "Pulled", pod, node="n1")])


def test_clocks_that_agree_leave_an_effect_no_time_before_a_rollout():
    """Errors three seconds before a rollout are tied to it where clocks may be off, and not where they are known to agree."""
    rollout = signal(Kind.ROLLOUT, API, [50])
    errors = signal(Kind.SERVER_ERROR, EDGE, [50 - 3 / 3600], mentions=(API,), source="kubernetes/logs")
    agreed = signal(
        Kind.SERVER_ERROR,
        EDGE,
        [50 - 3 / 3600],
        mentions=(API,),
        source="kubernetes/logs",
        attributes={"clock_s": "1.5", "behind_s": "1.5"},
    )
    assert (0.0, 5.0, 1.5) == (slack_s(rollout), early_s(errors), early_s(agreed))
    unsure = link_all(candidates((rollout, errors), CALLS), window(), errors.id)
    assert [(1, 3.0)] == [(link.test.hits, round(link.test.early_s, 3)) for link in unsure if link.cause == rollout.id]
    sure = link_all(candidates((rollout, agreed), CALLS), window(), agreed.id)
    assert [0] == [link.test.hits for link in sure if link.cause == rollout.id]


def test_what_needs_no_slack_is_worth_more_than_what_does():
    """Of two rollouts, one five seconds before the errors and one three seconds after they were seen, the earlier is worth more."""
    other = Entity("Deployment", "cart", "shop")
    topology = Topology(calls=frozenset({(EDGE, API), (EDGE, other)}))
    before, after = signal(Kind.ROLLOUT, API, [50]), signal(Kind.ROLLOUT, other, [50 + 8 / 3600])
    errors = signal(
        Kind.SERVER_ERROR, EDGE, [50 + 5 / 3600], mentions=(API, other), source="kubernetes/logs", length_s=3600
    )
    links = {link.cause: link for link in link_all(candidates((before, after, errors), topology), window(), errors.id)}
    assert links[after.id].test.hits == 1, "the slack lets it through"
    assert strength(links[before.id]) > 1.3 * strength(links[after.id])
    assert timedelta(seconds=links[after.id].test.early_s) > timedelta(seconds=2.9)


def test_a_clock_that_is_ahead_dates_nothing_too_early():
    """Of a node whose clock is minutes ahead, what was seen before a rollout was even longer before it."""
    ahead = {"clock_s": "240.0", "behind_s": "0.0"}
    errors = signal(Kind.SERVER_ERROR, EDGE, [50 - 3 / 3600], source="kubernetes/logs", attributes=ahead)
    assert 0.0 == early_s(errors)
