"""Whether only those pods failed that a cause could have reached."""

from dataclasses import replace
from math import comb

import pytest
from engine_parts import at, signal, window

from bot.domain.entity import Entity
from bot.domain.signal import Kind, PodLife, Topology
from bot.signals.localities import locality
from bot.signals.pairs import candidates, link_all
from bot.signals.statistics import fisher_exact

API = Entity("Deployment", "api", "shop")
NODE = Entity("Node", "worker-1")
OLD, NEW = (Entity("ReplicaSet", f"api-{name}", "shop") for name in ("77cc", "99dd"))


def pod(name):
    return Entity("Pod", name, "shop")


def topology(old=4, new=4):
    """Give old pods that stayed, on two nodes in turn, and new ones that a rollout at hour 10 brought."""
    lives = {pod(f"old-{n}"): PodLife(start_s=at(-40), end_s=float("inf"), nodes=frozenset({f"worker-{n % 2}"}), replica_set=OLD)
             for n in range(old)}  # fmt: skip
    lives |= {pod(f"new-{n}"): PodLife(start_s=at(10.01), end_s=float("inf"), nodes=frozenset({f"worker-{n % 2}"}), replica_set=NEW)
              for n in range(new)}  # fmt: skip
    owner = dict.fromkeys(lives, API) | {OLD: API, NEW: API}
    return Topology(owner=owner, pods={API: lives})


def failing(kind, hours, pods):
    return replace(signal(kind, API, hours, length_s=600), pods=dict.fromkeys(pods, 3))


def test_only_the_new_pods_fail():
    """Four of four new pods crash, none of the four old ones beside them: one in seventy by luck."""
    found = locality(
        signal(Kind.ROLLOUT, API, [10.0]),
        failing(Kind.CRASH_LOOP, [10.1], ["new-0", "new-1", "new-2", "new-3"]),
        topology(),
    )
    assert found is not None
    assert (4, 4, 0, 4) == (found.failed, found.reached, found.spared_not, found.others)
    assert found.p_value == pytest.approx(1 / 70)
    assert "4 of 4 new pods failed, 0 of 4 others (Fisher exact, p = 0.014)" == str(found)


def test_old_and_new_pods_fail_alike():
    """What hits the old pods as well tells nothing for the rollout."""
    found = locality(
        signal(Kind.ROLLOUT, API, [10.0]),
        failing(Kind.PROBE_FAILURE, [10.1], ["new-0", "new-1", "old-0", "old-2"]),
        topology(),
    )
    assert found is not None
    assert found.p_value > 0.5


def test_only_the_pods_on_the_node_fail():
    """Pods of one workload on the node that failed, and those elsewhere."""
    found = locality(
        signal(Kind.NODE_FAILURE, NODE, [10.0]),
        failing(Kind.CONTAINER_RESTART, [10.1], ["old-1", "old-3"]),
        topology(new=0),
    )
    assert found is not None
    assert "pods on worker-1" == found.whose
    assert found.p_value == pytest.approx(1 / 6)


def test_nothing_is_asked_where_no_pod_was_spared():
    """Once all pods are new there is no other to hold them against, nor where nobody knows which pods failed."""
    rollout = signal(Kind.ROLLOUT, API, [10.0])
    assert locality(rollout, failing(Kind.CRASH_LOOP, [10.1], ["new-0"]), topology(old=0)) is None
    assert locality(rollout, failing(Kind.CRASH_LOOP, [10.1], []), topology()) is None


def test_a_pod_that_was_gone_was_not_spared():
    """Old pods that ended before the failure began are no witnesses."""
    lives = topology()
    gone = {
        at_: replace(life, end_s=at(9)) if life.replica_set == OLD else life for at_, life in lives.pods[API].items()
    }
    found = locality(
        signal(Kind.ROLLOUT, API, [10.0]), failing(Kind.CRASH_LOOP, [10.1], ["new-0"]), replace(lives, pods={API: gone})
    )
    assert found is None


def test_the_link_says_which_pods_failed_and_is_better_shown_for_it():
    """The same times with and without the pods: the place is weighed in, and stands in the link's test."""
    rollout = signal(Kind.ROLLOUT, API, [10.0])
    crash = failing(Kind.CRASH_LOOP, [10.4], [f"new-{n}" for n in range(4)])
    tested = [link_all(candidates((rollout, one), topology()), window(1)) for one in (crash, replace(crash, pods={}))]
    with_pods, without = (next(link.test for link in links if link.cause == rollout.id) for links in tested)
    assert with_pods.p_value < without.p_value
    assert "4 of 4 new pods failed" in with_pods.test
    assert "Fisher" not in without.test


@pytest.mark.parametrize("table", [(3, 1, 1, 3), (5, 0, 1, 9), (0, 4, 2, 2), (2, 2, 2, 2)])
def test_the_exact_test_counts_tables(table):
    """Against the sum of hypergeometric terms, written out with binomial coefficients."""
    a, b, c, d = table
    ways = comb(a + b + c + d, a + c)
    expected = sum(comb(a + b, k) * comb(c + d, a + c - k) for k in range(a, min(a + b, a + c) + 1)) / ways
    assert fisher_exact(a, b, c, d) == pytest.approx(expected)


LATE = [22.0, 46.0, 70.0, 94.0]
"""Hours of nights, the first of them twelve hours after the rollout."""


def judged(cause, effect, days=5):
    links = link_all(candidates((cause, effect), topology()), window(days))
    return next(link.test for link in links if link.cause == cause.id)


def test_what_fails_half_a_day_later_in_the_new_pods_alone_is_the_rollouts():
    """A nightly job meets the new code at night: how late that is decides nothing where only the new pods fail."""
    night = failing(Kind.SERVER_ERROR, LATE, [f"new-{n}" for n in range(4)])
    test = judged(signal(Kind.ROLLOUT, API, [10.0]), night)
    assert ("supported", 12 * 3600.0) == (test.status, test.lag.median)
    assert "4 of 4 new pods failed, 0 of 4 others" in test.test


@pytest.mark.parametrize(
    ("rolled", "hours", "pods"),
    [
        (10.0, LATE, ["new-0", "old-0", "new-1", "old-1", "old-2", "old-3"]),
        (10.0, LATE, []),
        (60.0, LATE, []),
        (10.0, [118.0], []),
    ],
)
def test_how_late_alone_shows_nothing(rolled, hours, pods):
    """Where old pods fail alike, where nobody knows whose it was, where half came before it: a change hours ago is just that."""
    assert "supported" != judged(signal(Kind.ROLLOUT, API, [rolled]), failing(Kind.SERVER_ERROR, hours, pods)).status


def test_a_rollout_whose_new_pods_are_well_is_not_what_failed():
    """Old pods fail minutes after a rollout and none of the new ones does: neither they nor whoever asks them got it from there."""
    edge = Entity("Deployment", "edge", "shop")
    rollout = signal(Kind.ROLLOUT, API, [10.0])
    fails = failing(Kind.TIMEOUT, [10.1], ["old-0", "old-1"])
    above = signal(Kind.SERVER_ERROR, edge, [10.1], length_s=600, mentions=(API,))
    found = link_all(candidates([rollout, fails, above], topology()), window(), above.id)
    told = {link.effect: link.test.status for link in found if link.cause == rollout.id}
    assert {fails.id, above.id} == told.keys()
    assert "supported" not in told.values()
    well = replace(fails, pods={"new-0": 3, "new-1": 3})
    found = link_all(candidates([rollout, well, above], topology()), window(), above.id)
    assert "supported" in {link.test.status for link in found if link.cause == rollout.id}
