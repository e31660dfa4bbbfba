"""What recommendations promise, recounted where nobody guesses: in the simulated world, and in the export's own bytes.

The simulator knows what was dropped and why; where a setting can be changed in it, the incident is simulated once more with it.
"""

import re
from collections import Counter

import pytest
from numbers_stage import advice_on, events_of, logs_of, part_of, setting, world_of

from bot.evals.scenarios import node_loss, story


def near(truth, told, total, share):
    """Tell whether a range that was told lies within ``share`` of the whole of what was true."""
    least, most = told
    return least - share * total <= truth <= most + share * total


def holds(what):
    """Check what holds of every setting: nothing is spared at its present value, never more than there was, more never spares less."""
    spared = [(least, most) for _, least, most in what.points]
    assert all(0 <= least <= most <= what.total for least, most in spared)
    assert spared == sorted(spared, reverse=not what.rising)
    if what.present is not None:
        assert (0, 0) == what.spared(what.present)
    assert f"{what.total:,}" in what.words()
    return what


@pytest.mark.parametrize(
    ("seed", "days"), [(11, 2.0), *(pytest.param(seed, 5.0, marks=pytest.mark.full) for seed in (12, 14))]
)
def test_probes_that_would_have_sat_out_the_pauses(tmp_path, seed, days):
    """The heap of the simulated JVM knows how long each pause was: so many kills a higher threshold would not have made."""
    pauses = []

    def watched(world):
        heap = part_of(world, "Heap")
        paused = heap._full

        def full(pod, now, filled):
            before = heap.paused_s
            stopped = paused(pod, now, filled)
            pauses.append(heap.paused_s - before)
            return stopped

        heap._full = full

    world = world_of("gc-liveness", tmp_path / "export", seed=seed, days=days, change=watched)
    heap = part_of(world, "Heap")
    what = holds(setting(advice_on(tmp_path / "export", tmp_path), "livenessProbe.failureThreshold"))
    missed = [int(each // heap.period_s) for each in pauses]
    kills = [each for each in missed if each >= heap.threshold]
    assert len(kills) == what.total
    for threshold in (4, 5, 6, 8):
        least, most = what.spared(threshold)
        assert least <= sum(each < threshold for each in kills) <= most


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A job that holds a lock: the world, its export, and what is recommended."""
    folder = tmp_path_factory.mktemp("locked")
    world = world_of("lock-pool-retry", folder / "export", seed=11, days=3.0)
    return world, folder / "export", advice_on(folder / "export", folder)


def test_retries_are_counted_in_the_lines_that_tell_of_them(locked):
    """Every retry bears a number in the log; those beyond a limit are the ones that it would have spared."""
    world, export, advice = locked
    what = holds(setting(advice, "retries a call"))
    lines = logs_of(export, world.cast.app, what.entity.name)
    numbers = Counter(int(found[1]) for line in lines if (found := re.search(r"attempt (\d) of 3", line)))
    assert [numbers.total(), numbers[2] + numbers[3], numbers[3]] == [what.spared(most)[0] for most in (0, 1, 2)]


def test_the_traffic_that_a_job_met_is_that_of_the_hour(locked):
    """The simulated daylight knows the traffic without what the incident added: no hour is called quieter for want of retries."""
    world, _, (job, *_) = locked
    found = re.search(r"(?:quietest time of equal length,?) [\d.]+ \((\d+)%\)", job.effect)
    starts = world.marks["job"]

    def at(shift):
        return sum(world.daylight(start + shift) for start in starts if start + shift < world.end) / len(starts)

    quietest = min(sum(world.daylight(start + 900.0 * step) for start in starts) / len(starts) for step in range(1, 32))
    assert abs(int(found[1]) / 100 - quietest / at(0.0)) <= 0.05


def test_undoing_a_change_sooner_spares_what_came_later(tmp_path):
    """The edge counted every failure by the minute: those after a delay are what undoing it then would have spared."""
    world = world_of("rotated-secret", tmp_path / "export", seed=11, days=1.0)
    what = holds(setting(advice_on(tmp_path / "export", tmp_path), "time until it is undone"))
    by_minute = {minute: counts[500] for minute, counts in sorted(world.minutes.items())}
    struck = {minute: count for minute, count in by_minute.items() if minute * 60 >= world.marks["rotated"][0] - 60}
    first = min(minute for minute, count in struck.items() if count >= 3)
    for delay in (10, 15, 60):
        truth = sum(count for minute, count in struck.items() if minute >= first + delay)
        assert near(truth, what.spared(delay * 60.0), what.total, 0.03)


def test_a_cpu_limit_spares_the_periods_that_its_load_would_not_throttle(tmp_path):
    """The simulated quota knows the load of every tick: how often a larger one would have run out follows from that."""
    loads = []

    def watched(world):
        throttle = part_of(world, "Throttle")

        def step(now):
            if throttle.service.cpu_limit is not None:
                loads.append((throttle.capacity.load, len(throttle.service.ready(now))))

        world.on_tick.append(step)

    world = world_of("cpu-throttling", tmp_path / "export", seed=3, days=2.0, change=watched)
    throttle = part_of(world, "Throttle")
    what = holds(setting(advice_on(tmp_path / "export", tmp_path), "limits.cpu"))

    def periods(times):
        idle = throttle.service.cpu_idle / throttle.limit
        wider = (times - idle) / (1 - idle)
        return sum(150 * pods * min(1.0, max(0.0, (load / wider - 0.7) * 2.2)) for load, pods in loads)

    for times in (1.1, 1.2, 1.5, 2.0):
        assert near(periods(1.0) - periods(times), what.spared(throttle.limit * times), what.total, 0.03)
        assert what.spared(throttle.limit * times)[0] >= 0.8 * (periods(1.0) - periods(times))


def test_a_budget_is_held_to_the_pods_that_went_at_once(tmp_path):
    """Of each drain the events say which pods were deleted past the budget."""
    world = world_of("budget-drain", tmp_path / "export", seed=11, days=3.0)
    what = holds(setting(advice_on(tmp_path / "export", tmp_path), "maxUnavailable"))
    deleted = Counter(
        each["firstTimestamp"][:16]
        for each in events_of(tmp_path / "export", world.cast.app)
        if each["reason"] == "Disrupted"
    )
    assert (sum(count > 1 for count in deleted.values()), len(deleted)) == what.spared(1)


@pytest.mark.full
@pytest.mark.parametrize("seed", [11, 12])
def test_a_longer_grace_period_simulated(tmp_path, seed):
    """With the grace period set in the simulator as many fewer requests are cut as was told, give or take a quarter."""
    days = 3.0
    world = world_of("story", tmp_path / "export", seed=seed, days=days)
    what = holds(setting(advice_on(tmp_path / "export", tmp_path), "terminationGracePeriodSeconds"))
    cut = len(world.marks["cut"])
    for grace in (20.0, 30.0, 45.0, 60.0):
        again = world_of(
            "story",
            tmp_path / f"{grace:g}",
            seed=seed,
            days=days,
            stage=lambda world, grace=grace: story.stage(world, grace_s=grace),
        )
        assert near(cut - len(again.marks.get("cut", [])), what.spared(grace), cut, 0.25)


@pytest.mark.full
@pytest.mark.parametrize("seed", [11, 12])
def test_a_patient_probe_simulated(tmp_path, seed):
    """With the threshold raised in the simulator as many fewer containers are killed as was told."""
    world = world_of("gc-liveness", tmp_path / "export", seed=seed, days=3.0)
    what = holds(setting(advice_on(tmp_path / "export", tmp_path), "livenessProbe.failureThreshold"))
    killed = len(world.marks["kill"])
    for threshold in (4, 5, 6):

        def raised(world, threshold=threshold):
            part_of(world, "Heap").threshold = threshold

        again = world_of("gc-liveness", tmp_path / f"{threshold}", seed=seed, days=3.0, change=raised)
        assert near(killed - len(again.marks.get("kill", [])), what.spared(threshold), what.total, 0.03)


@pytest.mark.full
@pytest.mark.parametrize("seed", [3, 17])
def test_a_larger_cpu_limit_simulated(tmp_path, seed):
    """With the limit raised in the simulator as many fewer periods are throttled as was told, retries that do not come and all."""
    world = world_of("cpu-throttling", tmp_path / "export", seed=seed, days=2.0)
    throttle = part_of(world, "Throttle")
    what = holds(setting(advice_on(tmp_path / "export", tmp_path), "limits.cpu"))
    for times in (1.1, 1.2, 1.5):

        def raised(world, times=times):
            part = part_of(world, "Throttle")
            idle = part.service.cpu_idle / part.limit
            part.capacity.per_pod *= (times - idle) / (1 - idle)
            part.limit *= times
            part.service.cpu_limit = part.limit if part.service.cpu_limit is not None else None

        again = world_of("cpu-throttling", tmp_path / f"{times}", seed=seed, days=2.0, change=raised)
        truth = throttle.throttled - part_of(again, "Throttle").throttled
        assert near(truth, what.spared(throttle.limit * times), what.total, 0.05)


@pytest.mark.full
@pytest.mark.parametrize("seed", [11, 12, 14])
def test_a_job_at_its_quieter_hour_simulated(tmp_path, seed):
    """Where another hour is proposed, as many fewer requests fail with it as was told; else no other is worth a tenth."""
    world = world_of("lock-pool-retry", tmp_path / "export", seed=seed, days=5.0)
    job = advice_on(tmp_path / "export", tmp_path)[0]
    proposed = re.search(r'"schedule":"([^"]+)"', job.change)
    told = (
        int(re.search(r"moved there it would have spared ([\d,]+) of", job.effect)[1].replace(",", ""))
        if proposed
        else 0
    )
    (schedule,) = {each.schedule for each in world.crons if each.name in job.summary}
    minute, hours = schedule.split()[:2]
    other = (
        proposed[1]
        if proposed
        else f"{minute} {','.join(str((hour + 3) % 24) for hour in range(0, 24, int(hours[2:] or 24)))} * * *"
    )

    def move(world):
        for each in world.crons:
            each.schedule = other if each.schedule == schedule else each.schedule

    again = world_of("lock-pool-retry", tmp_path / "again", seed=seed, days=5.0, change=move)
    before, after = (
        sum(counts[504] + counts[503] + counts[500] for counts in one.minutes.values()) for one in (world, again)
    )
    assert near(before - after, (told, told), before, 0.15)


@pytest.mark.full
def test_a_resolver_that_answers_more_simulated(tmp_path):
    """With the resolver's limit raised in the simulator as many fewer queries fail as was told."""
    world = world_of("dns-throttling", tmp_path / "export", seed=11, days=5.0)
    resolver = part_of(world, "Resolver")
    what = holds(setting(advice_on(tmp_path / "export", tmp_path), "queries answered a second"))

    def raised(times):
        def change(world):
            part_of(world, "Resolver").limit *= times

        return change

    for times in (1.03, 1.06, 1.12):
        again = world_of("dns-throttling", tmp_path / f"{times}", seed=11, days=5.0, change=raised(times))
        truth = resolver.failed - part_of(again, "Resolver").failed
        assert near(truth, what.spared(what.present * times), what.total, 0.05)


@pytest.mark.full
def test_room_for_the_pods_of_a_lost_node(tmp_path):
    """The pods that waited and what they request are the simulated cluster's; one empty node takes as many as fit."""
    world = world_of("node-loss", tmp_path / "export", seed=11, days=5.0)
    loss = part_of(world, "Loss")
    what = holds(setting(advice_on(tmp_path / "export", tmp_path), "more nodes of this size"))
    waited = {
        each["involvedObject"]["name"]
        for each in events_of(tmp_path / "export", world.cast.app)
        if each["reason"] == "FailedScheduling"
    }
    cores, fit = loss.node.cores, 0
    for need in sorted(workload.cpu_request for workload, _ in loss.lost if workload.kind != "StatefulSet"):
        fit, cores = (fit + 1, cores - need) if cores >= need else (fit, cores)
    assert (len(waited), fit) == (what.total, what.spared(1)[0])


@pytest.mark.full
def test_a_quota_lets_in_what_it_had_room_for(tmp_path):
    """Every refusal says what was asked for and what was taken: a quota as large as both lets it in."""
    world = world_of("quota-block", tmp_path / "export", seed=11, days=5.0)
    advice = advice_on(tmp_path / "export", tmp_path)
    what = holds(setting(advice, "hard.requests.cpu"))
    sums = []
    for each in events_of(tmp_path / "export", world.cast.app):
        found = re.search(r"requested: requests.cpu=(\d+)m, used: requests.cpu=(\d+)m", each.get("message", ""))
        sums += [int(found[1]) + int(found[2])] * (each.get("count") or 1) if found else []
    assert len(sums) == what.total == len(world.marks["refused"])
    for value in (11.1, 12.0, 13.1):
        assert sum(each <= round(value * 1000) for each in sums) == what.spared(value)[0]
    assert "delete resourcequota" in (advice[0].change or "")


def failures(world):
    """Count what the edge answered with an error."""
    return sum(count for counts in world.minutes.values() for status, count in counts.items() if status >= 500)


@pytest.mark.full
def test_a_limited_neighbour_simulated(tmp_path):
    """With the batch worker held to the cores that are proposed hardly a request fails, as all bursts are said to be spared."""
    world = world_of("noisy-neighbour", tmp_path / "export", seed=12, days=5.0)
    what = holds(setting(advice_on(tmp_path / "export", tmp_path), "limits.cpu"))
    assert (what.total, what.total) == what.spared(what.proposed)

    def limited(world):
        part_of(world, "Neighbour").cores = what.proposed

    again = world_of("noisy-neighbour", tmp_path / "again", seed=12, days=5.0, change=limited)
    assert failures(again) <= 0.05 * failures(world)


@pytest.mark.full
def test_spare_room_simulated(tmp_path):
    """With room for all that waited the loss of a node is over once it is noticed: nine of ten failures do not come."""
    world = world_of("node-loss", tmp_path / "export", seed=11, days=5.0)
    again = world_of(
        "node-loss", tmp_path / "again", seed=11, days=5.0, stage=lambda world: node_loss.stage(world, spare=True)
    )
    assert failures(again) <= 0.1 * failures(world)
    what = setting(advice_on(tmp_path / "export", tmp_path), "more nodes of this size")
    assert (what.total, what.total) == what.spared(what.proposed)


@pytest.mark.full
def test_a_larger_memory_limit_simulated(tmp_path):
    """With twice the memory as many fewer containers are killed as was told."""
    world = world_of("memory-leak", tmp_path / "export", seed=11, days=5.0)
    what = holds(setting(advice_on(tmp_path / "export", tmp_path), "limits.memory"))

    def doubled(world):
        (leaking,) = (each for each in world.cluster.workloads.values() if each.name == what.entity.name)
        leaking.memory_limit_mb *= 2

    again = world_of("memory-leak", tmp_path / "again", seed=11, days=5.0, change=doubled)
    killed = len(world.marks["oom"])
    assert near(killed - len(again.marks.get("oom", [])), what.spared(2 * what.present), killed, 0.15)
