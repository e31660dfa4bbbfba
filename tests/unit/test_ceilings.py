"""Autoscalers at their most pods: stretches of it, what stood before, and when it is nobody's trouble."""

from array import array

import pytest
from engine_parts import START, window
from series_shelf import HeldSeries

from bot.domain.entity import Entity
from bot.domain.items import ItemId, Series
from bot.domain.signal import Topology
from bot.signals.ceilings import ceilings

API = Entity("Deployment", "api", "shop")
HPA = Entity("HorizontalPodAutoscaler", "api", "shop")
PEAK = [2] * 12 + [6] * 12 + [2] * 24
"""Four hours by five minutes, six pods wanted in the second of them."""


def found(most, there, least=None):
    """Give the signals of an autoscaler from its limits and its pods."""
    times = array("d", (START.timestamp() + 300.0 * place for place in range(len(there))))
    told = {"spec_max_replicas": most, "status_current_replicas": there, "spec_min_replicas": least}
    rows = [
        (
            ItemId(f"M{number}"),
            Series(
                metric=f"kube_horizontalpodautoscaler_{name}",
                labels={"namespace": "shop", "horizontalpodautoscaler": "api"},
                times_s=times,
                values=array("d", values),
                raw=b"",
            ),
        )
        for number, (name, values) in enumerate(told.items(), 1)
        if values is not None
    ]
    return ceilings(HeldSeries(rows), window(1), Topology(targets={HPA: API}))


def test_an_autoscaler_at_its_most_pods_is_told_and_needs_a_cause_of_its_own():
    """An hour at six of six: what brought the load is not told by it."""
    (one,) = found([6] * 48, PEAK)
    assert (HPA, (API,), "0.4") == (one.entity, one.mentions, one.attributes["standing"])
    assert ["6 pods of at most 6"] == [each.note for each in one.occurrences]
    assert (START.timestamp() + 3600.0, START.timestamp() + 23 * 300.0) == (
        one.occurrences[0].start_s,
        one.occurrences[0].end_s,
    )


def test_a_limit_lowered_below_what_had_been_used_can_begin_a_chain():
    """Six were used of ten, then four are allowed, and the next two peaks stand there."""
    (one,) = found([10] * 48 + [4] * 96, PEAK + [min(4, pods) for pods in PEAK * 2])
    assert (2, "0.85") == (len(one.occurrences), one.attributes["standing"])
    assert "4 pods of at most 4; 10 were allowed before" == one.occurrences[0].note


def test_a_limit_that_was_raised_again_was_not_lowered():
    """Four were allowed for an hour, and more than before since: who stands at the new limit was not cut."""
    most, there = [10] * 48 + [4] * 12 + [12] * 84, [6] * 12 + [2] * 48 + [12] * 12 + [2] * 72
    (one,) = found(most, there)
    assert ("0.4", "12 pods of at most 12") == (one.attributes["standing"], one.occurrences[0].note)


@pytest.mark.parametrize(
    ("most", "there", "least"),
    [
        ([8] * 48, PEAK, None),
        ([6] * 48, [2] * 12 + [6] * 2 + [2] * 34, None),
        ([6] * 48, [6] * 48, None),
        ([6] * 48, PEAK, [6] * 48),
        ([6] * 48, [float("nan")] * 48, None),
    ],
    ids=["room above", "ten minutes", "all along", "least is most", "nothing told"],
)
def test_nobody_is_troubled(most, there, least):
    """It has room, or is there for a moment, always, by design, or nobody knows."""
    assert found(most, there, least) == []
