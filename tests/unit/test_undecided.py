"""What the tests could not see is not called ruled out: what works hours later, what fits as well, whose lines met the failure."""

from dataclasses import replace

import pytest
from engine_parts import signal
from test_advice import findings
from test_conclusion import chain_of

from bot.analyst.rivals import Rival, rivals, seen_words
from bot.analyst.undecided import cannot_tell
from bot.analyst.victims import failed_elsewhere_first, well_itself
from bot.domain.entity import Entity
from bot.domain.link import Link, LinkTest
from bot.domain.signal import BACK, Kind

API = Entity("Deployment", "api", "shop")
STORE = Entity("Deployment", "store", "shop")
EDGE = Entity("Deployment", "edge", "shop")
HOST = Entity("Host", "rates.example.com")
JOB = Entity("CronJob", "enrich", "crm")


def link(cause, effect, *, hits=0, misses=None, status="untested", p_value=None, effects=1, unexplained=None):
    """Tie two signals by numbers."""
    test = LinkTest(
        status=status, test="shift", hits=hits, misses=len(cause.occurrences) - hits if misses is None else misses,
        unexplained=effects - hits if unexplained is None else unexplained, lag=None, p_value=p_value,
        lag_range_s=(0.0, 600.0), effects=effects,
    )  # fmt: skip
    return Link(cause=cause.id, effect=effect.id, mechanism="", scope="cluster", plausibility=0.5, test=test)


def told(cause, felt, *others, chain=None, known=False, **numbers):
    return cannot_tell(findings(cause, *others, felt), cause, link(cause, felt, **numbers), chain, known=known)


@pytest.mark.parametrize(
    ("kind", "hours", "felt", "ends"),
    [
        (Kind.JOB_RUN, [10.0], [21.0], "leave something behind, and whether that shows hours later was not tested"),
        (Kind.JOB_RUN, [10.0, 15.0, 20.0], [21.0], "whether that shows hours later was not tested"),
        (Kind.JOB_RUN, [1.0, 6.0, 11.0, 16.0], [21.0], None),  # it ran all along, and did no harm then
        (Kind.JOB_RUN, [22.0], [21.0], None),
        (Kind.ROLLOUT, [10.0], [21.0], "it stays in force, and whether that shows hours later was not tested"),
        (Kind.ROLLOUT, [22.0], [21.0], None),
        (Kind.OOM_KILL, [10.0], [21.0], None),  # over at once: ten quiet minutes after it say something
    ],
)
def test_what_works_later_is_not_cleared_by_the_minutes_after_it(kind, hours, felt, ends):
    """A change that stays and a job that is new may act hours later; what was there all along, or came after, may not."""
    symptom = signal(Kind.SERVER_ERROR, EDGE, felt)
    said = told(signal(kind, JOB if kind is Kind.JOB_RUN else API, hours), symptom)
    assert (said is None) == (ends is None)
    if ends:
        assert said.startswith("the one episode did not begin within 10 min after")
        assert said.endswith(ends)


def test_few_times_are_not_told_from_chance():
    """Once followed, by a chance of one in twenty: that clears nothing; by one of two, it is as chance has it."""
    once, felt = signal(Kind.EXTERNAL_FAILURE, HOST, [20.9]), signal(Kind.SERVER_ERROR, EDGE, [21.0])
    assert told(once, felt, hits=1, p_value=0.052).endswith("p = 0.052; too few times to tell")
    assert told(once, felt, hits=1, p_value=0.5) is None


def test_how_the_symptom_itself_shows_is_no_rival():
    """Restarts of the very place that fails are not left open beside it."""
    felt = signal(Kind.SERVER_ERROR, EDGE, [21.0])
    assert told(signal(Kind.CRASH_LOOP, EDGE, [21.0]), felt, hits=1, status="supported", p_value=1e-4) is None


def test_a_job_whose_own_lines_met_the_root_first_is_left_open():
    """A host outside is known to refuse from the job's own lines alone: that the job brought it about cannot be ruled out."""
    job = signal(Kind.JOB_RUN, JOB, [9.0, 33.0])
    root = signal(Kind.EXTERNAL_FAILURE, HOST, [14.0, 38.0])
    seen = signal(Kind.RATE_LIMITED, JOB, [14.0, 38.0])
    felt = signal(Kind.SERVER_ERROR, EDGE, [14.1, 38.1])
    chain = chain_of(root, felt, hits=2)
    said = told(job, felt, seen, root, chain=chain, known=True, effects=2)
    assert "whether it brought that about or only met it was not tested" in said
    elsewhere = replace(
        seen, occurrences=tuple(replace(one, refs=(f"L{at}",)) for at, one in enumerate(seen.occurrences))
    )
    job = replace(job, occurrences=tuple(replace(one, refs=(f"L8{at}",)) for at, one in enumerate(job.occurrences)))
    assert told(job, felt, elsewhere, root, chain=chain, known=True, effects=2) is None


def test_a_change_on_the_cascade_before_all_episodes_is_left_open():
    """The traffic rises every evening, and only after the release does it fail: chance over time clears no release."""
    root = signal(Kind.TRAFFIC_RISE, API, [17.0, 41.0, 65.0])
    felt = signal(Kind.SERVER_ERROR, EDGE, [42.0, 66.0])
    chain = chain_of(root, felt, hits=2)
    release = signal(Kind.ROLLOUT, API, [30.0])
    assert told(release, felt, root, chain=chain, known=True, hits=1, p_value=0.6, effects=2).startswith(
        "all 2 episodes came after it and none before"
    )
    assert told(signal(Kind.ROLLOUT, API, [50.0]), felt, root, chain=chain, known=True, effects=2) is None
    assert told(signal(Kind.ROLLOUT, STORE, [30.0]), felt, root, chain=chain, known=True, effects=2) is None


def test_a_change_where_another_beginning_fits_nearly_as_well_is_left_open():
    """A node runs short of memory, and so does a workload on it that was released before: chance over time clears no release."""
    root, twin = (signal(Kind.MEMORY_PRESSURE, place, [41.0, 65.0]) for place in (Entity("Node", "node-1"), STORE))
    felt, release = signal(Kind.SERVER_ERROR, EDGE, [42.0, 66.0]), signal(Kind.ROLLOUT, STORE, [30.0])
    chain = chain_of(root, felt, hits=2)

    def said(score):
        tied = replace(findings(root, twin, release, felt), chains=(chain, replace(chain_of(twin, felt), score=score)))
        numbers = link(release, felt, hits=1, p_value=0.6, effects=2)
        return cannot_tell(tied, release, numbers, chain, known=True)

    assert said(0.9).startswith("all 2 episodes came after it and none before")
    assert said(0.5) is None


def test_a_victims_release_is_ruled_out_by_who_failed_first():
    """What failed elsewhere before it, time after time, a release of the victim does not explain; of its caller it may."""
    root, sooner = signal(Kind.ROLLOUT, STORE, [1.0]), signal(Kind.NAME_RESOLUTION_FAILURE, STORE, [2.0, 3.0, 4.0])
    hurt, felt = (
        signal(Kind.NAME_RESOLUTION_FAILURE, API, [2.0, 3.0, 4.0]),
        signal(Kind.SERVER_ERROR, EDGE, [2.0, 3.0, 4.0]),
    )
    chain = chain_of(root, sooner, hurt, felt, hits=3)
    release = signal(Kind.ROLLOUT, API, [1.5])
    found = findings(root, sooner, hurt, release, felt)
    said = failed_elsewhere_first(found, release, chain)
    assert (
        said == "DNS failures of store came before api failed 3 of 3 times, and nothing shows store to call api"
    )  # fmt: skip
    calling = replace(found, topology=replace(found.topology, calls=frozenset({(STORE, API)})))
    assert failed_elsewhere_first(calling, release, chain) == ""
    assert failed_elsewhere_first(found, signal(Kind.ROLLOUT, STORE, [1.5]), chain) == ""
    tie = chain.links[1]
    half = replace(tie, test=replace(tie.test, effects=6, unexplained=3))
    assert failed_elsewhere_first(found, release, replace(chain, links=(chain.links[0], half, *chain.links[2:]))) == ""
    rolled = replace(sooner, kind=Kind.ROLLOUT)  # a change before it is no failure
    assert failed_elsewhere_first(found, release, replace(chain, signals=(root, rolled, hurt, felt))) == ""


def test_nodes_that_an_autoscaler_takes_away_are_told_at_once_and_did_not_fail():
    """Three nodes removed over a day are one entry, and none of them is called a failure."""
    gone = [
        replace(signal(Kind.NODE_FAILURE, Entity("Node", f"spot-{at}"), [hour]), label="node shut down or replaced")
        for at, hour in enumerate([1.0, 5.0, 30.0])
    ]
    lost = replace(signal(Kind.NODE_FAILURE, Entity("Node", "worker"), [3.0]), label="node not ready")
    felt = signal(Kind.SERVER_ERROR, EDGE, [21.0])
    found = replace(findings(*gone, lost, felt), test=link)
    rows = rivals(found, None, known=False)
    assert [seen_words(row.signal) for row in rows] == [
        "3 node removals of spot-0 and 2 more nodes, first Mon 02 Mar 01:00Z",
        "one node failure, Mon 02 Mar 03:00Z",
    ]
    assert all(isinstance(row, Rival) and not row.open for row in rows)


def test_a_release_whose_own_pods_were_well_is_ruled_out():
    """Its times fit, and yet nothing went wrong at it until the symptom came; where something did, that stays open."""
    root, hurt, felt = (
        signal(Kind.JOB_RUN, JOB, [20.0]),
        signal(Kind.LOCK_WAIT, STORE, [20.1]),
        signal(Kind.SERVER_ERROR, EDGE, [20.2]),
    )
    chain = chain_of(root, hurt, felt)
    release = signal(Kind.ROLLOUT, API, [19.9])
    found = replace(findings(root, hurt, release, felt), heard={API})
    assert well_itself(found, release, chain).startswith("nothing went wrong at api itself before the symptom came")
    ill = signal(Kind.CRASH_LOOP, API, [20.0])
    assert (
        well_itself(replace(found, signals={one.id: one for one in (*found.signals.values(), ill)}), release, chain)
        == ""
    )
    assert well_itself(replace(found, heard={STORE}), release, chain) == ""  # none of its lines were read
    assert well_itself(found, signal(Kind.ROLLOUT, STORE, [19.9]), chain) == ""  # on the cascade itself
    assert well_itself(found, release, replace(chain, explained=())) == ""


@pytest.mark.parametrize(("end_hour", "fits"), [(45.0, True), (45.1, True), (40.0, False), (60.0, False)])
def test_a_change_with_whose_undoing_the_symptom_ended_is_left_open(end_hour, fits):
    """A day lay between the release and the symptom, and with its undoing that ended: chance over time says nothing of that."""
    release = signal(Kind.ROLLOUT, API, [10.0, 45.0])
    back = replace(release.occurrences[1], note=f"{BACK}api: 2 → 1")
    release = replace(release, occurrences=(release.occurrences[0], back))
    felt = signal(Kind.CLIENT_ERROR, EDGE, [35.0], length_s=(end_hour - 35.0) * 3600)
    said = told(release, felt, hits=1, misses=1, p_value=1.0)
    assert (said or "").startswith("it was undone at Tue 03 Mar 21:00Z, and the symptom ended then") == fits


def test_pods_of_one_kind_of_name_are_told_at_once():
    """Five builds that waited for a node are one entry; a workload's own wait stays its own."""
    waits = [
        signal(Kind.SCHEDULING_FAILURE, Entity("Pod", f"runner-{n}-x7k{n}p", "ci"), [float(n + 1)]) for n in range(5)
    ]
    own = signal(Kind.SCHEDULING_FAILURE, API, [7.5])
    felt = signal(Kind.SERVER_ERROR, EDGE, [21.0])
    rows = rivals(replace(findings(*waits, own, felt), test=link), None, known=False)
    assert sorted(seen_words(row.signal) for row in rows) == [
        "5 scheduling failures of runner-0-x7k0p and 4 more pods, first Mon 02 Mar 01:00Z",
        "one scheduling failure, Mon 02 Mar 07:30Z",
    ]
