"""Chains: from the symptom back to what nothing explains, and no further than the data carries."""

import random
from dataclasses import replace

import pytest

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Topology
from bot.signals.chains import chains
from bot.signals.pairs import candidates, link_all
from tests.unit.engine_parts import HOUR_S, signal, window

JOB = Entity("CronJob", "reindex", "batch")
API = Entity("Deployment", "api", "shop")
HPA = Entity("HorizontalPodAutoscaler", "api", "shop")
EDGE = Entity("Deployment", "edge", "ingress")
MAIL = Entity("Deployment", "mailer", "shop")
NODES = frozenset({"node-1"})
TOPOLOGY = Topology(targets={HPA: API}, calls=frozenset({(EDGE, API)}), nodes={API: NODES, JOB: NODES})


def _cascade(seed: int):
    rng = random.Random(seed)
    runs = [6.0 * step + 0.2 for step in range(20)]

    def later(hours, low_s, high_s):
        return [hour + rng.uniform(low_s, high_s) / HOUR_S for hour in hours]

    busy = later(runs, 60, 120)
    up = later(busy, 100, 160)
    down = later(up, 1800, 1860)
    killed = later(down, 5, 30)
    cut = later(killed, 15, 40)
    return [
        signal(Kind.JOB_RUN, JOB, runs, length_s=1500),
        signal(Kind.CPU_SATURATION, API, busy, length_s=1300, nodes=NODES),
        signal(Kind.SCALE_UP, HPA, up, mentions=(API,)),
        signal(Kind.SCALE_DOWN, HPA, down, mentions=(API,)),
        signal(Kind.POD_KILL, API, killed),
        signal(Kind.CONNECTION_RESET, EDGE, cut, mentions=(API,)),
        signal(Kind.SERVER_ERROR, EDGE, later(cut, 5, 30)),
        signal(Kind.OOM_KILL, MAIL, [51.3]),
        signal(Kind.ROLLOUT, MAIL, [30.0]),
        signal(Kind.JOB_RUN, Entity("CronJob", "backup", "ops"), [2.0 + 24 * day for day in range(5)], length_s=900),
    ]


def test_the_whole_cascade_is_walked_back_to_the_scheduled_job():
    """Every stage between the job and the errors is found, in order, and all episodes are explained."""
    found = _cascade(5)
    symptom = found[6]
    links = link_all(candidates(found, TOPOLOGY), window())
    best = chains({s.id: s for s in found}, links, symptom, TOPOLOGY, window())[0]
    assert [s.kind for s in best.signals] == [s.kind for s in found[:7]]
    assert best.root.entity == JOB
    assert len(best.explained) == 20
    assert best.end_to_end.status == "supported"


def test_what_does_not_precede_the_symptom_is_on_no_chain():
    """The unrelated kill, rollout and backup head no chain that explains the errors."""
    found = _cascade(9)
    links = link_all(candidates(found, TOPOLOGY), window())
    ranked = chains({s.id: s for s in found}, links, found[6], TOPOLOGY, window())
    heads = {chain.root.entity.name for chain in ranked if len(chain.explained) > 4}
    assert heads.isdisjoint({"mailer", "backup"})


def test_no_link_no_chain():
    """Where nothing follows anything there is no chain, not a bad one."""
    rng = random.Random(1)
    found = [
        signal(Kind.SERVER_ERROR, EDGE, sorted(rng.uniform(0, 118) for _ in range(6))),
        signal(Kind.OOM_KILL, MAIL, [51.3]),
    ]
    links = link_all(candidates(found, TOPOLOGY), window())
    assert chains({s.id: s for s in found}, links, found[0], TOPOLOGY, window()) == []


@pytest.mark.parametrize(("waited_s", "kind"), [(1.0, Kind.ROLLOUT), (15.0, Kind.CPU_SATURATION)])
def test_a_change_in_the_midst_of_the_first_wait_began_nothing(waited_s, kind):
    """The series in between knows no seconds; the first response, which had waited since before the rollout, does."""
    rollout = signal(Kind.ROLLOUT, API, [20.0])
    step = {"step_s": "300", "metric": "cpu"}
    busy = signal(
        Kind.CPU_SATURATION, API, [19.95, 44.0, 68.0, 92.0], length_s=2400, source="prometheus", attributes=step
    )
    hours = [20.0 + 10 / HOUR_S, 44.05, 68.05, 92.05]
    late = signal(Kind.SERVER_ERROR, EDGE, hours, length_s=2400, source="kubernetes/logs", mentions=(API,), attributes={"status": "504", "behind_s": "1.2"})  # fmt: skip
    late = replace(late, occurrences=tuple(replace(one, waited_s=waited_s) for one in late.occurrences))
    found = [rollout, busy, late]
    best = chains(
        {s.id: s for s in found}, link_all(candidates(found, TOPOLOGY), window(), late.id), late, TOPOLOGY, window()
    )
    assert kind is best[0].root.kind


@pytest.mark.parametrize("named", [("search", "media"), ("media", "search")])
def test_of_callees_that_suffered_alike_the_cascade_passes_the_one_that_failed_calls_name_most(named):
    """A node's CPU is taken from all its pods at once; whom the gateway waited for is told by what it logs."""
    names = {name: Entity("Deployment", name, "shop") for name in ("addresses", "media", "search")}
    calls = frozenset((EDGE, callee) for callee in names.values())
    topology = Topology(calls=calls, nodes={JOB: NODES, **dict.fromkeys(names.values(), NODES)})
    runs = [6.0 * step + 0.2 for step in range(20)]
    busy = [run + 60 / HOUR_S for run in runs]
    late = [run + 95 / HOUR_S for run in runs]
    found = [
        signal(Kind.JOB_RUN, JOB, runs, length_s=1500, nodes=NODES),
        *(signal(Kind.CPU_SATURATION, callee, busy, length_s=1300, nodes=NODES) for callee in names.values()),
        signal(
            Kind.TIMEOUT,
            EDGE,
            late,
            length_s=1200,
            source="kubernetes/logs",
            mentions=tuple(names[name] for name in named),
        ),
        signal(Kind.SERVER_ERROR, EDGE, late, length_s=1200, source="kubernetes/logs"),
    ]
    links = link_all(candidates(found, topology), window())
    best = chains({s.id: s for s in found}, links, found[-1], topology, window())[0]
    assert [JOB, names[named[0]], EDGE, EDGE] == [s.entity for s in best.signals]


@pytest.mark.parametrize(("earlier_h", "told"), [(0.4, Kind.CPU_THROTTLING), (0.1, Kind.ROLLOUT)])
def test_a_change_in_the_midst_of_what_had_set_in_at_its_place_began_nothing(earlier_h, told):
    """Throttling at every one of four outages, a rollout before the first: what was there before the rollout began it."""
    days = [10.0 + 24 * day for day in range(4)]
    found = [
        signal(Kind.CPU_THROTTLING, API, [day - earlier_h for day in days], length_s=9 * HOUR_S),
        signal(Kind.ROLLOUT, API, [days[0] - 0.2]),
        signal(Kind.TIMEOUT, EDGE, days, length_s=8 * HOUR_S, mentions=(API,)),
        signal(Kind.SERVER_ERROR, EDGE, [day + 0.001 for day in days], length_s=8 * HOUR_S),
    ]
    links = link_all(candidates(found, TOPOLOGY), window(), found[3].id)
    best = chains({s.id: s for s in found}, links, found[3], TOPOLOGY, window())[0]
    assert best.root.kind is told


def test_a_refused_call_does_not_begin_the_start_of_what_was_away():
    """The edge is refused, then the API starts again, each time: taken for the symptom, no such start has the calls behind it."""
    hours = sorted(random.Random(3).uniform(0.2, 118.0) for _ in range(20))
    refused = signal(Kind.CONNECTION_REFUSED, EDGE, hours, mentions=(API,))
    back = signal(Kind.STARTUP, API, [hour + 0.01 for hour in hours])
    links = link_all(candidates([refused, back], TOPOLOGY), window())
    assert any((refused.id, back.id) == (one.cause, one.effect) for one in links if one.test.status == "supported")
    assert [] == chains({s.id: s for s in (refused, back)}, links, back, TOPOLOGY, window())
