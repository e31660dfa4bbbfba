"""What speaks against a root although its ties hold."""

from array import array
from dataclasses import replace

import pytest
from engine_parts import at, signal
from test_advice import UNTESTED, WEB, findings

from bot.analyst.roots import against, cleared_roots
from bot.domain.entity import Entity
from bot.domain.link import Chain, Lag, Link
from bot.domain.signal import BACK, Kind
from bot.signals.mechanisms import EXOGENOUS

EDGE, BESIDE = Entity("Deployment", "edge", "shop"), Entity("Deployment", "mail", "shop")
HOURS = [20.0, 25.0, 31.0]
NODE = frozenset({"node-a"})
ROLLED = signal(Kind.ROLLOUT, WEB, [19.9])
SHORT = signal(Kind.CPU_SATURATION, WEB, HOURS, length_s=1200, nodes=NODE)
FELT = signal(Kind.SERVER_ERROR, EDGE, HOURS, length_s=1200)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (signal(Kind.CPU_SATURATION, BESIDE, HOURS, length_s=1200, nodes=NODE), True),
        (signal(Kind.CPU_SATURATION, BESIDE, [3.0, 40.0, 60.0], length_s=1200, nodes=NODE), False),
        (signal(Kind.CPU_SATURATION, BESIDE, HOURS, length_s=1200, nodes=frozenset({"node-b"})), False),
        (signal(Kind.IO_SATURATION, BESIDE, HOURS, length_s=1200, nodes=NODE), False),
    ],
    ids=["at the same times", "at other times", "on another node", "of something else"],
)
def test_what_a_neighbour_runs_short_of_too_is_not_the_changes(other, said):
    """A rollout does not reach who runs beside it: what both lack at the same times is what they share."""
    chain = Chain(signals=(ROLLED, SHORT, FELT), links=(), explained=(0, 1, 2), end_to_end=UNTESTED, score=1.0)
    doubts = against(findings(other, *chain.signals), chain, EXOGENOUS)
    assert said is any("ran short at the same times" in doubt for doubt in doubts)


def once(cause, effect, lag_s, *, mechanism="change breaks"):
    """Give a tie of one change to one failure, so many seconds apart."""
    lag = Lag(p10=lag_s, median=lag_s, p90=lag_s)
    test = replace(UNTESTED, status="supported", hits=1, lag=lag, p_value=0.01)
    return Link(
        cause=cause.id, effect=effect.id, mechanism=mechanism, scope="same entity", plausibility=0.85, test=test
    )


@pytest.mark.parametrize(
    ("kind", "minutes", "took_s", "said"),
    [
        (Kind.LOG_ERROR, 19, 0.0, True),
        (Kind.LOG_ERROR, 2, 0.0, False),
        (Kind.LOG_ERROR, 19, 1000.0, False),
        (Kind.MEMORY_GROWTH, 19, 0.0, False),
    ],
    ids=["well for long", "at once", "rolled out for long", "worn down"],
)
def test_what_went_well_behind_a_change_for_long_was_not_broken_by_it(kind, minutes, took_s, said):
    """A new version that fails requests fails the first of them; what it wears down takes its time."""
    rolled = signal(Kind.ROLLOUT, WEB, [20.0], length_s=took_s)
    broke = signal(kind, WEB, [20.0 + minutes / 60], length_s=1200)
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.1 + minutes / 60], length_s=1200)
    links = (once(rolled, broke, 60.0 * minutes), once(broke, felt, 1.0))
    chain = Chain(signals=(rolled, broke, felt), links=links, explained=(0,), end_to_end=UNTESTED, score=1.0)
    doubts = against(findings(*chain.signals), chain, EXOGENOUS)
    assert said is any("had gone well" in doubt for doubt in doubts)


@pytest.mark.parametrize(("score", "said"), [(0.999, True), (0.95, False)])
def test_of_two_changes_that_fit_alike_neither_is_named(score, said):
    """Whose score differs by less than any measurement tells is no second best."""
    other = signal(Kind.ROLLOUT, BESIDE, [19.9])
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.0], length_s=1200)
    ways = [
        Chain(signals=(one, felt), links=(once(one, felt, 60.0),), explained=(0,), end_to_end=UNTESTED, score=worth)
        for one, worth in ((ROLLED, 1.0), (other, score))
    ]
    found = replace(findings(other, *ways[0].signals), chains=tuple(ways))
    assert said is any("nothing tells the two apart" in doubt for doubt in against(found, ways[0], EXOGENOUS))


class Failed:
    """Measures the times of single failures, hours since the window began."""

    def __init__(self, hours):
        self.hours = hours

    def times(self, _):
        """Give them as epoch seconds, ascending."""
        return array("d", map(at, self.hours))


def from_the_first(*, first, gap, until=26.0):
    """Give hours of failures that come about alike often, the first so long after the change of hour 20."""
    count = int((until - 20.0 - first) / gap)
    return [20.0 + first + gap * (place + 0.4 * (-1) ** place) for place in range(count)]


@pytest.mark.parametrize(
    ("failed", "cleared"),
    [
        (from_the_first(first=0.1, gap=0.1), False),
        (from_the_first(first=0.9, gap=0.02), True),
        ([*range(1, 20, 2), *from_the_first(first=0.1, gap=0.25)], True),
        (from_the_first(first=1.0, gap=0.1), True),
        ([21.0], True),
        (None, True),
    ],
    ids=[
        "all along",
        "later, and then at once",
        "before as well",
        "none before the episode",
        "once",
        "not known",
    ],
)
def test_what_fails_seldom_from_a_change_on_had_not_gone_well(failed, cleared):
    """Failures too seldom for an episode are failures: what began with the change is not cleared for an episode that came late."""
    broke = signal(Kind.CONNECTION_RESET, EDGE, [21.0, 23.0], length_s=1200)
    assert cleared is is_cleared(broke, failed)


@pytest.mark.parametrize(("gap", "cleared"), [(1.5, False), (0.02, True)])
def test_a_wait_for_the_first_failure_that_is_as_usual_clears_nothing(gap, cleared):
    """The episode begins with the first single failure: an hour is no wait where they are hours apart, and is one where they are not."""
    failed = [21.0, *(21.0 + gap * (place + 1) for place in range(20))]
    broke = replace(signal(Kind.SERVER_ERROR, EDGE, [21.0], length_s=3600.0 * 20 * gap), attributes={"seldom": "yes"})
    assert cleared is is_cleared(broke, failed)


def is_cleared(broke, failed):
    """Tell whether a change an hour before is cleared of what broke, whose failures came at these hours."""
    felt = signal(Kind.SERVER_ERROR, EDGE, [21.0, 23.0], length_s=1200)
    rolled = signal(Kind.ROLLOUT, WEB, [20.0])
    links = (once(rolled, broke, 3600.0), once(broke, felt, 1.0))
    chain = Chain(signals=(rolled, broke, felt), links=links, explained=(0, 1), end_to_end=UNTESTED, score=1.0)
    measures = None if failed is None else Failed(failed)
    found = replace(findings(*chain.signals, measures=measures), chains=(chain,))
    return rolled.id in cleared_roots(found, EXOGENOUS, lambda _: False)


@pytest.mark.parametrize(
    ("direct", "cleared"), [(True, False), (False, True)], ids=["as a chain of its own", "by it alone"]
)
def test_what_holds_one_way_is_not_cleared_by_another(direct, cleared):
    """An hour between a change and some failures clears it of them, and not of what it brought at once elsewhere."""
    rolled, late = signal(Kind.ROLLOUT, WEB, [20.0]), signal(Kind.CONNECTION_RESET, BESIDE, [21.0], length_s=1200)
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.05], length_s=7200)
    at_once, behind = once(rolled, felt, 180.0), (once(rolled, late, 3600.0), once(late, felt, 1.0))
    good = Chain(signals=(rolled, felt), links=(at_once,), explained=(0,), end_to_end=UNTESTED, score=1.0)
    bad = Chain(signals=(rolled, late, felt), links=behind, explained=(0,), end_to_end=UNTESTED, score=0.3)
    found = replace(findings(rolled, late, felt), chains=(good, bad) if direct else (bad,))
    assert cleared is (rolled.id in cleared_roots(found, EXOGENOUS, lambda one: one is good))


@pytest.mark.parametrize(("runs", "said"), [(4, True), (3, False)])
def test_a_job_that_ran_often_began_nothing_that_came_once(runs, said):
    """Of four nights' runs one was followed; of three that may be."""
    job = signal(Kind.JOB_RUN, BESIDE, [20.0 - 24.0 / 5 * place for place in reversed(range(runs))])
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.1], length_s=1200)
    tie = once(job, felt, 360.0)
    chain = Chain(signals=(job, felt), links=(tie,), explained=(0,), end_to_end=tie.test, score=1.0)
    doubts = against(findings(job, felt), chain, EXOGENOUS)
    assert said is (f"it came {runs} times, and the symptom followed one of them" in doubts)


def test_a_root_is_not_said_to_be_undone_where_a_later_step_was():
    """What was put back in vain is named: it was a release on the way, and not the setting that the chain begins with."""
    note = (
        replace(one, note=f"{BACK}web: 2 → 1" if place else "web: 1 → 2")
        for place, one in enumerate(signal(Kind.ROLLOUT, WEB, [20.1, 21.0]).occurrences)
    )
    setting, rolled = signal(Kind.CONFIG_CHANGE, BESIDE, [20.0]), replace(ROLLED, occurrences=tuple(note))
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.2], length_s=10_000, sizes=[60.0])
    links = (once(setting, rolled, 360.0), once(rolled, felt, 360.0))
    chain = Chain(signals=(setting, rolled, felt), links=links, explained=(0,), end_to_end=UNTESTED, score=1.0)
    times = Failed([20.2 + step / 60 for step in range(166)])
    found = replace(findings(setting, rolled, felt, measures=times), chains=(chain,))
    said = cleared_roots(found, EXOGENOUS, lambda _: False)[setting.id]
    assert said.startswith("it leads over a rollout of web, which was undone at Mon 02 Mar 21:00Z")


@pytest.mark.parametrize(("minutes", "said"), [(1, False), (15, True)], ids=["from the first on", "later"])
def test_what_lets_a_queue_grow_at_once_did_not_go_well(minutes, said):
    """Nobody fails for the first quarter of an hour of a queue that has begun to grow."""
    changed = signal(Kind.CONFIG_CHANGE, WEB, [20.0])
    queue = signal(Kind.QUEUE_GROWTH, WEB, [20.0 + minutes / 60], length_s=7200, source="prometheus")
    broke = signal(Kind.LOG_ERROR, WEB, [20.3], length_s=1200)
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.3], length_s=1200)
    links = (once(changed, broke, 1080.0), once(broke, felt, 1.0))
    chain = Chain(signals=(changed, broke, felt), links=links, explained=(0,), end_to_end=UNTESTED, score=1.0)
    found = replace(findings(queue, *chain.signals), links=(once(changed, queue, 60.0 * minutes), *links))
    assert said is any("had gone well" in doubt for doubt in against(found, chain, EXOGENOUS))


@pytest.mark.parametrize(
    ("scope", "kind", "said"),
    [("cluster", Kind.TIMEOUT, True), ("cluster", Kind.AUTH_FAILURE, False), ("named", Kind.TIMEOUT, False)],
)
def test_a_certificate_of_somebody_else_is_blamed_for_no_timeout(scope, kind, said):
    """Somewhere a certificate is always renewed: it is tied to who uses it, or to credentials that were refused."""
    renewed = signal(Kind.SECRET_CHANGE, Entity("Certificate", "docs", "docs"), [19.99])
    broke = signal(kind, WEB, [20.0], length_s=1200)
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.0], length_s=1200)
    links = (replace(once(renewed, broke, 36.0), scope=scope), once(broke, felt, 1.0))
    chain = Chain(signals=(renewed, broke, felt), links=links, explained=(0,), end_to_end=UNTESTED, score=1.0)
    doubts = against(findings(*chain.signals), chain, EXOGENOUS)
    assert said is any("nothing shows that anybody who failed uses it" in doubt for doubt in doubts)


@pytest.mark.parametrize(
    ("kind", "minutes", "cleared"), [("NetworkPolicy", 22, False), ("NetworkPolicy", 90, True), ("ConfigMap", 22, True)]
)
def test_a_policy_closes_the_way_to_new_connections_only(kind, minutes, cleared):
    """Connections that are open when a policy is made stay open until whoever holds them makes them anew."""
    closed = signal(Kind.CONFIG_CHANGE, Entity(kind, "egress", "shop"), [20.0])
    broke = signal(Kind.TIMEOUT, WEB, [20.0 + minutes / 60], length_s=3600)
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.0 + minutes / 60], length_s=3600)
    links = (once(closed, broke, 60.0 * minutes), once(broke, felt, 1.0))
    chain = Chain(signals=(closed, broke, felt), links=links, explained=(0,), end_to_end=UNTESTED, score=1.0)
    assert cleared is (
        closed.id in cleared_roots(replace(findings(*chain.signals), chains=(chain,)), EXOGENOUS, lambda _: False)
    )


def test_what_ended_with_its_undoing_had_not_gone_well():
    """A release that wears something down for hours is cleared by no quiet beginning, where its undoing ends it."""
    rolled = signal(Kind.ROLLOUT, WEB, [17.0, 22.01])
    first, second = rolled.occurrences
    rolled = replace(rolled, occurrences=(first, replace(second, note=f"{BACK}app: 2 → 1")))
    for hours, cleared in ((2.0, False), (1.5, True)):
        broke = signal(Kind.POOL_EXHAUSTION, WEB, [20.0], length_s=3600 * hours)
        felt = signal(Kind.SERVER_ERROR, EDGE, [20.0], length_s=3600 * hours)
        links = (once(rolled, broke, 10800.0), once(broke, felt, 1.0))
        chain = Chain(signals=(rolled, broke, felt), links=links, explained=(0,), end_to_end=UNTESTED, score=1.0)
        assert cleared is (
            rolled.id in cleared_roots(replace(findings(*chain.signals), chains=(chain,)), EXOGENOUS, lambda _: False)
        )


@pytest.mark.parametrize(("hour", "said"), [(20.0, False), (20.5, True)], ids=["one outage", "another"])
def test_nodes_that_fail_together_are_no_rivals(hour, said):
    """A zone goes dark: that a second node failed in the same second leaves nothing open."""
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.01], length_s=1200)
    nodes = [signal(Kind.NODE_FAILURE, Entity("Node", name), [at]) for name, at in (("c-1", 20.0), ("c-2", hour))]
    ways = tuple(
        Chain(signals=(node, felt), links=(once(node, felt, 36.0),), explained=(0,), end_to_end=UNTESTED, score=1.0)
        for node in nodes
    )
    found = replace(findings(*nodes, felt), chains=ways)
    assert said is any("nothing tells the two apart" in doubt for doubt in against(found, ways[0], EXOGENOUS))


@pytest.mark.parametrize(
    ("after_s", "cleared"), [(120.0, True), (7200.0, False)], ids=["done at once", "done hours later"]
)
def test_what_is_announced_and_seen_as_done_is_judged_by_itself(after_s, cleared):
    """A remark that tells of a rollout two minutes later adds nothing to it, and is no cause in its stead."""
    said = replace(signal(Kind.HUMAN_CHANGE, Entity("Person", "ana"), [20.0]), mentions=(WEB,))
    rolled = signal(Kind.ROLLOUT, WEB, [20.0 + after_s / 3600])
    felt = signal(Kind.SERVER_ERROR, EDGE, [20.1], length_s=1200)
    links = (once(said, felt, 360.0),)
    chain = Chain(signals=(said, felt), links=links, explained=(0,), end_to_end=UNTESTED, score=1.0)
    found = replace(findings(rolled, *chain.signals), chains=(chain,))
    assert cleared is (said.id in cleared_roots(found, EXOGENOUS, lambda _: False))
