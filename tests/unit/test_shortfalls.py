"""Workloads with fewer pods than they want, read from what is wanted and what there is."""

from array import array

from engine_parts import START, window
from series_shelf import HeldSeries

from bot.domain.entity import Entity
from bot.domain.items import ItemId, Series
from bot.domain.signal import Topology
from bot.signals.shortfalls import shortfalls

API = Entity("Deployment", "api", "shop")
HPA = Entity("HorizontalPodAutoscaler", "api", "shop")


def series(number, metric, values, **labels):
    times = array("d", (START.timestamp() + 300.0 * place for place in range(len(values))))
    return ItemId(f"M{number}"), Series(
        metric=metric, labels={"namespace": "shop", **labels}, times_s=times, values=array("d", values), raw=b""
    )


def test_what_an_autoscaler_wants_and_does_not_get_is_told_with_its_degrees():
    """An hour of three pods for eight wanted, inside two hours of three for four."""
    wanted = [3] * 12 + [4] * 6 + [8] * 12 + [4] * 6 + [3] * 12
    rows = [
        series(1, "kube_horizontalpodautoscaler_status_desired_replicas", wanted, horizontalpodautoscaler="api"),
        series(2, "kube_deployment_status_replicas_ready", [3] * 48, deployment="api"),
    ]
    (found,) = shortfalls(HeldSeries(rows), window(1), Topology(targets={HPA: API}))
    assert (API, 1) == (found.entity, len(found.occurrences))
    assert "3 pods of 8 wanted" == found.occurrences[0].note
    begun = START.timestamp()
    assert (begun + 3600.0, begun + 35 * 300.0) == (found.occurrences[0].start_s, found.occurrences[0].end_s)
    assert ((begun + 18 * 300.0, begun + 29 * 300.0),) == found.levels[-1]


def test_a_rollout_is_no_shortfall():
    """Ten minutes with a pod less, as a rollout or a restart takes them."""
    rows = [
        series(1, "kube_deployment_spec_replicas", [4] * 48, deployment="api"),
        series(2, "kube_deployment_status_replicas_available", [4] * 20 + [3, 3] + [4] * 26, deployment="api"),
    ]
    assert [] == shortfalls(HeldSeries(rows), window(1), Topology())


def test_a_workload_that_has_what_it_wants_is_quiet_however_it_scales():
    """The wish and the pods go up and down together, a scrape apart."""
    wanted = [2] * 10 + [6] * 20 + [2] * 18
    rows = [
        series(1, "kube_deployment_spec_replicas", wanted, deployment="api"),
        series(2, "kube_deployment_status_replicas_available", [2, *wanted[:-1]], deployment="api"),
    ]
    assert [] == shortfalls(HeldSeries(rows), window(1), Topology())
