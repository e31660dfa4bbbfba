"""Two things on one beat: what a clock sets for both is told from what the one does to the other, or said not to be."""

import random

import pytest
from engine_parts import HOUR_S, signal, window

from bot.domain.entity import Entity
from bot.domain.signal import Kind, Topology
from bot.signals.pairs import candidates, link_all
from bot.signals.symptom import FELT

API = Entity("Deployment", "api", "shop")
EDGE = Entity("Deployment", "edge", "shop")
CRON = Entity("CronJob", "rollup", "batch")
NODES = frozenset({"n1"})
CALLS = Topology(calls=frozenset({(EDGE, API)}), nodes={API: NODES, EDGE: NODES})

SEEDS = range(40)


def outcome(cause, effect, days):
    """Test one pair as a window would, the effect being the symptom."""
    links = link_all(candidates((cause, effect), CALLS), window(days), effect.id)
    return next(link.test for link in links if link.cause == cause.id)


def on_beat(rng, hours, count, spread_s, minute=0.0):
    """Give times on every beat, late or early by some seconds."""
    return [hours * (beat + 1) + minute / 60 + rng.gauss(0, spread_s) / HOUR_S for beat in range(count)]


def after(rng, hours, low_s, high_s):
    return [hour + rng.uniform(low_s, high_s) / HOUR_S for hour in hours]


def slow(hours, **told):
    return signal(Kind.LATENCY, API, hours, source="kubernetes/logs", **told)


def errors(hours):
    return signal(Kind.SERVER_ERROR, EDGE, hours, mentions=(API,), source="kubernetes/logs")


@pytest.mark.parametrize(("hours", "days"), [(1.0, 4), (6.0, 14), (168.0, 120), (0.5, 2)])
def test_what_one_clock_sets_is_not_tied_by_it(hours, days):
    """Slow answers and errors that each keep a beat for themselves, minutes apart, are never called cause and effect."""
    count, verdicts = int(days * 24 / hours) - 2, []
    for seed in SEEDS:
        rng = random.Random(seed)
        cause = slow(on_beat(rng, hours, count, 60))
        effect = errors(on_beat(rng, hours, count, 60, minute=5))
        verdicts.append(outcome(cause, effect, days))
    assert [] == [each for each in verdicts if each.status == "supported" and each.rhythm.verdict != "cannot_tell"]
    assert sum(each.status == "refuted" for each in verdicts) >= (0.8 if count > 20 else 0.4) * len(verdicts)


@pytest.mark.parametrize(("hours", "days"), [(1.0, 4), (6.0, 14), (0.5, 2)])
def test_what_waits_for_its_cause_stays_tied_on_a_beat(hours, days):
    """Errors that follow the slow answers, late when those are late, keep their tie with the beat held fixed."""
    count, stay = int(days * 24 / hours) - 2, 0
    for seed in SEEDS:
        rng = random.Random(seed)
        begun = on_beat(rng, hours, count, 90)
        test = outcome(slow(begun), errors(after(rng, begun, 5, 60)), days)
        assert "supported" == test.status
        stay += test.rhythm.verdict == "stays"
    assert stay >= len(SEEDS) - 2


def test_a_job_that_skips_runs_is_told_from_the_clock():
    """Errors of an hourly job that was left out now and then stay away where it did, however exactly both keep the hour."""
    for seed in SEEDS:
        rng = random.Random(seed)
        runs = [hour for hour in on_beat(rng, 1.0, 94, 0.5) if rng.random() < 0.85]
        job = signal(Kind.JOB_RUN, CRON, runs, nodes=NODES, mentions=(API,))
        test = outcome(job, slow(after(rng, runs, 20, 40), nodes=NODES), 4)
        assert ("supported", "stays") == (test.status, test.rhythm.verdict)


def test_errors_that_come_where_the_job_was_left_out_are_the_clocks():
    """An hourly job that is left out now and then did not bring what comes every hour all the same."""
    refuted = 0
    for seed in SEEDS:
        rng = random.Random(seed)
        runs = [hour for hour in on_beat(rng, 1.0, 94, 0.5) if rng.random() < 0.6]
        felt = [hour for hour in on_beat(rng, 1.0, 94, 0.5, minute=0.5) if rng.random() < 0.7]
        job = signal(Kind.JOB_RUN, CRON, runs, nodes=NODES, mentions=(API,))
        test = outcome(job, slow(felt, nodes=NODES), 4)
        refuted += test.status == "refuted"
        assert test.rhythm is None or test.rhythm.verdict != "stays"
    assert refuted >= 0.6 * len(SEEDS)


def test_two_runs_a_day_leave_no_order_to_change():
    """What comes at ten and at one each day keeps a beat of three hours with the same pauses each day: they tell nothing."""
    rng = random.Random(8)
    runs = [24 * day + hour + rng.gauss(0, 0.5) / HOUR_S for day in range(1, 5) for hour in (10, 13)]
    kill = signal(Kind.POD_KILL, API, runs, nodes=NODES)
    drops = signal(Kind.CONNECTION_RESET, EDGE, after(rng, runs, 20, 25), mentions=(API,), source="kubernetes/logs")
    test = outcome(kill, drops, 6)
    assert ("cannot_tell", "supported") == (test.rhythm.verdict, test.status)


def test_what_is_exact_and_never_left_out_cannot_be_told():
    """A job that runs on the second each hour and errors that are as exact leave nothing to tell them by, and it is said."""
    rng = random.Random(5)
    runs = on_beat(rng, 1.0, 94, 0.3)
    job = signal(Kind.JOB_RUN, CRON, runs, nodes=NODES, mentions=(API,))
    test = outcome(job, signal(Kind.CPU_SATURATION, API, after(rng, runs, 20, 24), nodes=NODES), 4)
    assert ("cannot_tell", "supported") == (test.rhythm.verdict, test.status)
    assert "both keep the hour" in test.rhythm.reason
    unlikely = outcome(job, errors(after(rng, runs, 20, 24)), 4)
    assert ("cannot_tell", "untested") == (unlikely.rhythm.verdict, unlikely.status)


@pytest.mark.parametrize(
    ("skipped", "others", "stands"),
    [((), (), True), ((7, 23, 24, 50, 61, 80), (), False), ((), (0.5,), False)],
    ids=["each run", "not each", "another job as well"],
)
def test_each_of_many_runs_with_its_effect_stands_beside_the_clock(skipped, others, stands):
    """A job in the namespace each of whose runs loads the store, which nothing else loads, is named, and that it may be a clock's is
    said; not where runs pass without it, or where a second job fits as well.
    """
    rng = random.Random(11)
    runs = on_beat(rng, 1.0, 94, 0.3)
    near = Entity("CronJob", "rollup", "shop")
    job = signal(Kind.JOB_RUN, near, runs)
    jobs = [
        job,
        *(
            signal(Kind.JOB_RUN, Entity("CronJob", "other", "shop"), [at - minutes / 60 for at in runs], length_s=120)
            for minutes in others
        ),
    ]
    loaded = [at for place, at in enumerate(after(rng, runs, 60, 64)) if place not in skipped]
    queue = signal(Kind.QUEUE_GROWTH, API, loaded, length_s=600)
    links = link_all(candidates((*jobs, queue), CALLS), window(4), queue.id)
    test = next(link.test for link in links if link.cause == job.id)
    assert stands is ("supported" == test.status)
    assert not stands or "cannot_tell" == test.rhythm.verdict


def test_a_run_that_lasts_longer_brings_more():
    """Of an exact hourly job, longer runs with later ends speak for it where the trouble ends with them."""
    rng = random.Random(6)
    runs = on_beat(rng, 6.0, 54, 0.3)
    lengths = [rng.uniform(600, 3000) for _ in runs]
    job = signal(Kind.JOB_RUN, CRON, runs, nodes=NODES, length_s=lengths)
    busy = signal(
        Kind.CPU_SATURATION, API, after(rng, runs, 20, 24), nodes=NODES, length_s=[each + 10 for each in lengths]
    )
    assert "stays" == outcome(job, busy, 14).rhythm.verdict


def test_no_beat_no_question():
    """What comes at any time is not asked about the hour."""
    rng = random.Random(7)
    begun = sorted(rng.uniform(0, 118) for _ in range(30))
    assert outcome(slow(begun), errors(after(rng, begun, 5, 60)), 5).rhythm is None


def beaten(seed, late_s):
    """Give fourteen kinds of things that keep one beat, each for itself, a few left out, one felt; and who calls whom."""
    rng = random.Random(seed)
    places = [
        *(Entity("Deployment", f"app-{number}", "shop") for number in range(6)),
        Entity("CronJob", "rollup", "shop"),
    ]
    hours, found = rng.choice((1.0, 2.0, 6.0)), {}
    for _ in range(14):
        spread_s, minute = rng.uniform(*late_s), rng.uniform(0, 12)
        times = [hour for hour in on_beat(rng, hours, int(118 / hours), spread_s, minute) if rng.random() < 0.97]
        source = rng.choice(("kubernetes/events", "kubernetes/logs"))
        one = signal(
            rng.choice(list(Kind)), rng.choice(places), times, length_s=rng.choice((0, 60, 300)), source=source
        )
        found[one.id] = one
    ordered = sorted(found.values(), key=lambda one: (one.kind in FELT, one.total, one.id))
    pairs = {(rng.choice(places), rng.choice(places)) for _ in range(8)}
    return ordered, Topology(calls=frozenset((a, b) for a, b in pairs if a != b))


@pytest.mark.parametrize("late_s", [(20, 120), (0.2, 2)], ids=["late by a minute", "on the second"])
@pytest.mark.parametrize("windows", [40, pytest.param(150, marks=pytest.mark.full)])
def test_of_many_things_on_one_beat_none_is_tied_without_a_word(windows, late_s):
    """Some seventy pairs a window, all on one clock: none is said to hold against it; the few that stand are known ways, and it is said."""
    firm = pairs = open_ = 0
    for seed in range(windows):
        signals, topology = beaten(seed, late_s)
        links = link_all(candidates(signals, topology), window(), signals[-1].id)
        held = [link for link in links if link.test.status == "supported" and link.test.rhythm is not None]
        pairs, firm = pairs + len(links), firm + any(link.test.rhythm.verdict == "stays" for link in held)
        open_ += sum(link.test.rhythm.verdict == "cannot_tell" for link in held)
    assert pairs > 50 * windows
    assert firm <= windows // 100
    assert open_ <= windows * (1 if windows >= 100 else 2)  # one a window over many; a few windows may have all of it
