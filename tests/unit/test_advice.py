"""What is advised for what begins a chain, and how a change is undone."""

from dataclasses import replace

import pytest
from engine_parts import DAY_S, at, signal, window

from bot.analyst.advice import GENERAL, recommendations
from bot.analyst.advice_jobs import job, traffic
from bot.analyst.advice_probes import probe
from bot.analyst.findings import Findings
from bot.analyst.offline import LEAST_ROOT
from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId
from bot.domain.link import Chain, Link, LinkTest
from bot.domain.measured import Course
from bot.domain.signal import Kind, Occurrence, SpecFact, Topology
from bot.domain.window import instant
from bot.signals.mechanisms import EXOGENOUS

WEB = Entity("Deployment", "web", "shop")
UNTESTED = LinkTest(
    status="untested", test="", hits=0, misses=0, unexplained=0, lag=None, p_value=None, lag_range_s=(0.0, 0.0)
)


def findings(*signals, measures=None, facts=()):
    """Give what an analyst is handed, with nothing in it but these."""
    return Findings(
        case="c",
        window=window(),
        question="",
        symptom=signals[-1],
        signals={each.id: each for each in signals},
        links=(),
        chains=(),
        topology=Topology(),
        facts=facts,
        durations={},
        coverage=(),
        evidence=None,
        test=None,
        measures=measures,
    )


def chain_of(root, *, explained=(0, 1), hours=(20, 30, 40)):
    """Let a change lead to three episodes of failed requests, of which it accounts for some."""
    felt = signal(Kind.SERVER_ERROR, Entity("Deployment", "edge", "shop"), hours, sizes=[10, 20, 30], length_s=60)
    return Chain(signals=(root, felt), links=(), explained=explained, end_to_end=UNTESTED, score=1.0)


def changed(entity, note, kind=Kind.CONFIG_CHANGE):
    """Give a change of an object, with what is noted of it."""
    one = signal(kind, entity, [19])
    return replace(one, label=note, occurrences=(replace(one.occurrences[0], note=note),))


def test_whatever_can_be_called_the_cause_has_its_advice():
    """No kind that a report may name as the root cause leaves its reader without a word on what to change."""
    roots = {kind for kind, standing in EXOGENOUS.items() if standing >= LEAST_ROOT}
    assert roots - set(GENERAL) == set()


@pytest.mark.parametrize(
    ("entity", "note", "begins", "command"),
    [
        (Entity("ResourceQuota", "team", "shop"), "created", "Remove ResourceQuota shop/team", "kubectl -n shop delete resourcequota team"),
        (Entity("ConfigMap", "web", "shop"), "deleted", "Restore ConfigMap shop/web", None),
        (Entity("ConfigMap", "web", "shop"), "a.timeout changed by helm", "Put back the configuration in ConfigMap shop/web", None),
    ],
)  # fmt: skip
def test_a_change_is_undone_as_what_it_is(entity, note, begins, command):
    """What was created is removed, what was deleted is restored, what was changed is put back; with what came behind it."""
    chain = chain_of(changed(entity, note))
    first = recommendations(chain, findings(*chain.signals))[0]
    assert first.summary.startswith(begins)
    assert first.change == command
    assert first.effect.startswith(
        "without it 30 of 60 failed requests in this window would have been spared (2 of 3 episodes)"
    )
    assert "not measured: what undoing it sooner would have spared" in first.effect
    assert first.spared == 30


@pytest.mark.parametrize(
    ("tries", "said"),
    [
        ([2, 9, 18.5, 25], "mend what made its renewal fail 3 times, and alert on a renewal that fails"),
        ([25], "find out why its renewal did not happen, and alert weeks before any notAfter"),
    ],
)
def test_what_expired_after_tries_to_renew_it_failed_is_told_from_what_nobody_tried(tries, said):
    """A try after the expiry explains nothing of it."""
    certificate = Entity("Certificate", "web-tls", "shop")
    chain = chain_of(signal(Kind.CERTIFICATE_EXPIRY, certificate, [19]))
    failing = signal(Kind.RENEWAL_FAILURE, certificate, tries)
    tie = Link(
        cause=failing.id,
        effect=chain.root.id,
        mechanism="renewal fails, so it expires",
        scope="same entity",
        plausibility=0.9,
        test=replace(UNTESTED, hits=1),
    )
    first = recommendations(chain, replace(findings(failing, *chain.signals), links=(tie,)))[0]
    assert f"Renew Certificate shop/web-tls now, {said}" == first.summary


def course(values, step_s=900.0):
    """Give a course from the window's beginning on."""
    return Course(times_s=[at(0) + step_s * place for place in range(len(values))], values=values, step_s=step_s)


def test_the_traffic_that_runs_would_have_met_later():
    """Two runs of half an hour met 4 and 6 requests a second, an hour later 1 and 3; too late a shift leaves the data."""
    values = [4.0, 4.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 6.0, 6.0, 0.0, 0.0, 3.0, 3.0, 0.0, 0.0]
    runs = [Occurrence(start_s=at(0), end_s=at(0.5)), Occurrence(start_s=at(2), end_s=at(2.5))]
    assert [traffic(course(values), runs, shift, 1800.0) for shift in (0.0, 3600.0, DAY_S)] == [5.0, 2.0, None]


class Killed:
    """Measures of a workload whose liveness probe killed it three times, and of whose pauses two were logged."""

    def events(self, entity, reasons):
        """Give the kills, a minute and more apart."""
        assert entity == WEB
        for number, second in enumerate((30, 130, 230)):
            yield (
                ItemId(f"V{number}"),
                ClusterEvent(
                    at=instant(at(1) + second),
                    first_at=instant(at(1) + second),
                    count=1,
                    type="Normal",
                    reason=reasons[0],
                    message="Container app failed liveness probe, will be restarted",
                    entity=Entity("Pod", "web-1", "shop"),
                    component="kubelet",
                    node=None,
                    raw=b"",
                ),
            )

    def texts(self, signal):
        """Give the lines of two pauses."""
        assert signal.kind is Kind.GC_PAUSE
        line = "[gc] GC(7) Pause Full (G1 Compaction Pause) 800M->797M(896M)"
        return ((at(1) + 31, "web-1", f"{line} 27000.0ms"), (at(1) + 131, "web-1", f"{line} 41000.0ms"))


def fact(name, number):
    """Give a setting of the workload."""
    return SpecFact(
        entity=WEB, name=f"app.livenessProbe.{name}", value=f"{number:g}", number=number, quote="", ref=ItemId("O1")
    )


def test_a_kill_whose_pause_nobody_logged_makes_the_number_a_range():
    """Of three kills two are held against their pauses, 27 and 41 s at 10 s × 3; the third may or may not have been spared."""
    gc, failed = signal(Kind.GC_PAUSE, WEB, [1], source="kubernetes/logs"), signal(Kind.PROBE_FAILURE, WEB, [1])
    known = [fact("periodSeconds", 10.0), fact("timeoutSeconds", 1.0), fact("failureThreshold", 3.0)]
    advice = probe(failed, chain_of(failed), findings(gc, failed, measures=Killed(), facts=known))
    what, seconds = advice.what_if
    # 3 × 10 + 1 to 4 × 10 + 1 s are sat out with four probes
    assert [what.spared(value) for value in (3, 4, 5, 6)] == [(0, 0), (1, 2), (1, 3), (2, 3)]
    assert (what.proposed, seconds.spared(1.0), seconds.spared(30.0)) == (6, (0, 0), (2, 3))
    assert "2 to 3 of 3 liveness kills" in advice.effect


def job_advice(runs, *, schedule="15 */8 * * *", policy="Allow", values=None):
    """Give what is advised about a CronJob whose runs bring three episodes about, in traffic of these values by the hour."""
    cron = Entity("CronJob", "etl", "batch")
    root = replace(signal(Kind.JOB_RUN, cron, [hour for hour, _ in runs]), period_s=8 * 3600.0)
    ends = [
        replace(one, end_s=one.start_s + length * 3600.0)
        for one, (_, length) in zip(root.occurrences, runs, strict=True)
    ]
    root = replace(root, occurrences=tuple(ends))
    facts = [
        SpecFact(entity=cron, name=name, value=value, number=None, quote="", ref=ItemId("O1"))
        for name, value in (("schedule", schedule), ("concurrencyPolicy", policy))
    ]

    class Traffic:
        """Measures of an edge."""

        def requests(self, entity, without=()):
            """Give the value of each hour four times, for five days on end."""
            return None if values is None else course([values[place // 4 % 24] for place in range(480)])

    chain = chain_of(root, hours=[hour + 0.1 for hour, _ in runs])
    return job(root, chain, findings(*chain.signals, measures=Traffic(), facts=facts))


def test_runs_that_overlap_are_counted_where_they_may():
    """Of three runs one began while another still ran; a policy that forbids it leaves nothing to spare."""
    runs = [(16, 1), (24, 9), (32, 1)]
    assert "concurrencyPolicy: Forbid would have spared one of 3 runs" in job_advice(runs).effect.replace(
        "1 of 3", "one of 3"
    )
    assert "concurrencyPolicy" not in job_advice(runs, policy="Forbid").effect
    assert "concurrencyPolicy" not in job_advice([(16, 1), (24, 1), (32, 1)]).effect


def test_a_job_moves_to_the_quietest_time_its_schedule_allows():
    """Three hours after each of its runs there is a tenth of the traffic: its times and its command move there."""
    quiet = [1.0 if hour % 8 == 3 else 10.0 for hour in range(24)]
    advice = job_advice([(16, 0.5), (24, 0.5), (32, 0.5)], schedule="0 */8 * * *", values=quiet)
    assert "03:00, 11:00, 19:00 UTC" in advice.summary
    assert '"schedule":"0 3,11,19 * * *"' in advice.change
    assert "moved there it would have spared 27 of the 30" in advice.effect
    steady = job_advice([(16, 0.5), (24, 0.5), (32, 0.5)], schedule="0 */8 * * *", values=[5.0] * 24)
    assert "another hour would change little" in steady.effect
    assert '"suspend":true' in steady.change
