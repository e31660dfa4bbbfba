"""What a clock leaves in doubt is said with the answer: who was early, and whom to suspend once to see."""

from dataclasses import replace

from engine_parts import signal

from bot.analyst.by_clock import by_a_beat, by_the_clock, came_at_once
from bot.domain.entity import Entity
from bot.domain.link import Chain, Held, Link, LinkTest
from bot.domain.signal import Kind

CRON = Entity("CronJob", "rollup", "batch")
API = Entity("Deployment", "api", "shop")
OPEN = Held(verdict="cannot_tell", p_value=None, reason="", beat_s=3600.0)
STAYS = replace(OPEN, verdict="stays", p_value=0.001)


def chain(*, first=None, whole=None, early_s=0.0):
    """Give a job that makes an API slow, as it was tested."""
    job, slow = signal(Kind.JOB_RUN, CRON, [1, 2, 3]), signal(Kind.LATENCY, API, [1.1, 2.1, 3.1])
    test = LinkTest(
        status="supported", test="", hits=3, misses=0, unexplained=0, lag=None, p_value=0.001, lag_range_s=(0.0, 900.0),
        rhythm=first, early_s=early_s,
    )  # fmt: skip
    link = Link(cause=job.id, effect=slow.id, mechanism="", scope="named", plausibility=0.7, test=test)
    return Chain(
        signals=(job, slow), links=(link,), explained=(0, 1, 2), end_to_end=replace(test, rhythm=whole), score=1.0
    )


def test_a_job_that_cannot_be_told_from_the_clock_is_to_be_suspended_once():
    """Only where neither the first tie nor the whole way tells the job from the hour."""
    (told,) = by_a_beat(chain(first=OPEN, whole=OPEN))
    assert told == (
        "job run and high latency both keep the hour, as two things that one clock sets would: suspend CronJob "
        "batch/rollup once to see"
    )
    assert [] == by_a_beat(chain(first=OPEN, whole=STAYS))
    assert [] == by_a_beat(chain(first=STAYS, whole=OPEN))
    assert [] == by_a_beat(chain())


def test_a_step_before_its_cause_is_told():
    """By how much, and what would make it good."""
    (told,) = by_the_clock(chain(early_s=3.0))
    assert told.startswith("high latency was seen 3 s before job run: only clocks that are apart")


def test_causes_that_came_together_once_are_no_rivals_by_time():
    """Within a minute of each other, and not where either repeats."""
    one, soon, late = (signal(Kind.ROLLOUT, API, [at]) for at in (5, 5 + 40 / 3600, 6))
    assert came_at_once(one, soon)
    assert not came_at_once(one, late)
    assert not came_at_once(signal(Kind.JOB_RUN, CRON, [1, 2, 3, 5]), signal(Kind.ROLLOUT, API, [1, 2, 3, 5]))
