"""A hand-made report of an imaginary lock incident, rich enough to exercise every face."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.entity import Entity
from bot.domain.items import Gap, SourceCoverage
from bot.domain.link import Lag
from bot.domain.report import (
    Answer,
    AnswerTest,
    AskedWindow,
    Cascade,
    Claim,
    Contributing,
    ControlQuestion,
    Episode,
    Evidence,
    HeldFixed,
    Prediction,
    Recommendation,
    Report,
    RootCause,
    RuledOut,
    Step,
    StepLink,
    Symptom,
    Tested,
    Usage,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
CRON = Entity("CronJob", "ledger-vacuum", "billing")
DATABASE = Entity("StatefulSet", "ledger-db", "billing")
API = Entity("Deployment", "invoice-api", "billing")
GATEWAY = Entity("Deployment", "edge", "ingress")


def hours(value):
    """Give the instant so many hours into the window."""
    return START + timedelta(hours=value)


def times(offset_s, length_s):
    """Give twelve spans, one every six hours."""
    return tuple(
        (
            hours(2 + 6 * each) + timedelta(seconds=offset_s),
            hours(2 + 6 * each) + timedelta(seconds=offset_s + length_s),
        )
        for each in range(12)
    )


EPISODES = (
    *(
        Episode(start=begin, end=finish, count=40 + 13 * each, explained=True)
        for each, (begin, finish) in enumerate(times(95, 420))
    ),
    Episode(start=hours(40.2), end=hours(40.3), count=9, explained=False),
)

STEPS = (
    Step(
        id="S1",
        summary="runs every six hours and takes an ACCESS EXCLUSIVE lock on the table ledger",
        entity=CRON,
        mechanism="job_run",
        first_at=hours(2),
        count=12,
        evidence=("E1",),
        facts=("spec.schedule is '0 2,8,14,20 * * *'",),
        times=times(0, 300),
    ),
    Step(
        id="S2",
        summary="queries wait for the lock",
        entity=DATABASE,
        mechanism="lock_wait",
        first_at=hours(2),
        count=388,
        evidence=("E2",),
        facts=("lock_timeout is 0: a query waits for a lock without end",),
        times=times(12, 330),
    ),
    Step(
        id="S3",
        summary="the connection pool is empty",
        entity=API,
        mechanism="pool_exhaustion",
        first_at=hours(2),
        count=1204,
        evidence=("E3",),
        times=times(48, 380),
    ),
    Step(
        id="S4",
        summary="answers with HTTP 503",
        entity=GATEWAY,
        mechanism="server_error",
        first_at=hours(2),
        count=1338,
        evidence=("E4", "E5"),
        times=tuple((each.start, each.end) for each in EPISODES),
    ),
)


def link(cause, effect, p10, median, p90, **changes):
    """Give a supported link with round numbers."""
    return replace(
        StepLink(
            cause=cause,
            effect=effect,
            status="supported",
            lag=Lag(p10=p10, median=median, p90=p90),
            hits=12,
            misses=0,
            unexplained=0,
            p_value=1e-12,
            test="shifted times, 10000 shifts, Holm over 214 pairs",
        ),
        **changes,
    )


def held(given, verdict, p_value):
    """Give a tie asked again with something held fixed."""
    return HeldFixed(given=given, verdict=verdict, p_value=p_value, reason="the two never occur alone")


EVIDENCE = {
    "E1": Evidence(
        source="kubernetes/events",
        at=hours(2),
        entity=CRON,
        quote="Created job ledger-vacuum-29541240",
        url=None,
        locator="V12 kubernetes/billing/events.json item 12",
    ),
    "E2": Evidence(
        source="kubernetes/logs",
        at=hours(2.01),
        entity=DATABASE,
        quote="LOG:  process 4411 still waiting for AccessShareLock on relation 16422 of database 16384 after 1000.112 ms",
        url=None,
        locator="L4411 kubernetes/billing/ledger-db-0/postgres.log line 4411",
    ),
    "E3": Evidence(
        source="kubernetes/logs",
        at=hours(2.02),
        entity=API,
        quote="HikariPool-1 - Connection is not available, request timed out after 30000ms "
        "(total=20, active=20, idle=0, waiting=57) 接続プールが枯渇しました 🔥 and so on " + "x" * 120,
        url="https://logs.example.com/q?a=1&b=[2]",
        locator="L980 kubernetes/billing/invoice-api-7d9f/app.log line 980",
    ),
    "E4": Evidence(
        source="kubernetes/logs",
        at=hours(2.03),
        entity=GATEWAY,
        quote="\x1b[31m503\x1b[0m GET /v1/invoices [bold red]not markup[/] \u202eevil\u202c\x07 `tick` <b>|",
        url=None,
        locator="L77 kubernetes/ingress/edge-0/nginx.log line 77",
    ),
    "E5": Evidence(
        source="prometheus", at=None, entity=Entity("Series", "up"), quote="", url=None, locator="M4 x.json"
    ),
    "E6": Evidence(
        source="kubernetes/events",
        at=hours(40.2),
        entity=Entity("Deployment", "mailer", "billing"),
        quote="Container mailer was OOMKilled",
        url=None,
        locator="V80 kubernetes/billing/events.json item 80",
    ),
}

REPORT = Report(
    case="c-20260305-lock",
    window=AskedWindow(start=START, end=START + timedelta(days=3), asked="3d"),
    question="Why do we see 503s at the edge?",
    tested=Tested(pairs=214, supported=31, rate=0.05, method="Benjamini-Hochberg"),
    verdict="cause_found",
    confidence="high",
    summary="CronJob billing/ledger-vacuum locks the table ledger every six hours, and every query of invoice-api waits "
    "until its pool is empty. Vacuum without FULL, or give queries a lock_timeout.",
    symptom=Symptom(
        summary="HTTP 503 at the edge, in 13 episodes of about 7 minutes",
        entity=GATEWAY,
        episodes=EPISODES,
        explained=12,
        unexplained=1,
        evidence=("E4",),
    ),
    root_cause=RootCause(summary="takes an exclusive lock every six hours", entity=CRON, mechanism="job_run"),
    cascade=Cascade(
        steps=STEPS,
        links=(
            link(
                "S1",
                "S2",
                9,
                12,
                14.5,
                route="direct",
                time_of_day=held("time of day", "stays", 0.0004),
                rhythm=held("a beat of 6 h", "stays", 0.002),
            ),
            link(
                "S2",
                "S3",
                30,
                36,
                41,
                p_value=0.00002,
                misses=1,
                hits=11,
                route="cannot_tell",
                given=held("S1", "cannot_tell", None),
                rhythm=held("a beat of 6 h", "cannot_tell", None),
            ),
            link("S3", "S4", 0.2, 47, 250, unexplained=1, route="direct", given=held("S2", "stays", 0.01)),
            link("S1", "S4", 80, 95, 110, status="untested", lag=None, p_value=None, hits=0, test="too few pairs"),
        ),
    ),
    contributing=(
        Contributing(entity=API, summary="retries three times at once, which triples the load", evidence=("E3",)),
    ),
    ruled_out=(
        RuledOut(
            entity=Entity("Deployment", "mailer", "billing"),
            summary="OOM kill on day 2",
            reason="1 of 13 episodes came within 10 minutes of it, as chance would give; it calls none of the steps",
            test="shifted times: p = 0.4",
            evidence=("E6",),
        ),
    ),
    control_questions=(
        ControlQuestion(
            question="Does the cause come first every time?",
            answer="Yes, 12 of 12 times.",
            verdict="passed",
            evidence=(),
        ),
        ControlQuestion(
            question="Is it quiet when the job does not run?",
            answer="Not quite: one episode had no run before it.",
            verdict="failed",
            evidence=("E4",),
        ),
    ),
    claims=(
        Claim(
            author="Dana",
            quote="it's the *network* again, we should [roll back](http://evil.example) the CNI",
            status="refuted",
            reason="No series of the network moved in any of the 13 episodes.",
            permalink="https://example.slack.com/archives/C1/p1",
            evidence=(),
        ),
    ),
    predictions=(Prediction(summary="HTTP 503 at the edge again", at=hours(74.03), window=(hours(74), hours(74.1))),),
    recommendations=(
        Recommendation(
            summary="Replace VACUUM FULL by VACUUM in ledger-vacuum",
            rationale="plain VACUUM does not take an ACCESS EXCLUSIVE lock",
            change="kubectl -n billing edit cronjob/ledger-vacuum\n-  VACUUM FULL ledger;\n+  VACUUM ledger;",
            effect="12 of 13 episodes, 1,338 failed requests",
            spared=1338,
        ),
        Recommendation(
            summary="Set lock_timeout to 2s",
            rationale="a waiting query gives its connection back",
            change=None,
            effect="",
        ),
    ),
    reasons=("one episode is not explained",),
    coverage=(
        SourceCoverage(
            source="kubernetes/logs",
            status="partial",
            items=123456,
            bytes=18_000_000,
            first_at=START,
            last_at=hours(72),
            gaps=(
                Gap(source="kubernetes/logs", what="a gzip file is cut short", path="billing/a.log.1.gz"),
                Gap(source="kubernetes/logs", what="duplicate lines at a rotation boundary", count=14, lost=False),
            ),
            read="all",
        ),
        SourceCoverage(
            source="jira",
            status="missing",
            items=0,
            bytes=0,
            first_at=None,
            last_at=None,
            detail="no ticket in the export",
        ),
    ),
    evidence=EVIDENCE,
    usage=Usage(seconds={"gather": 1.25, "digest": 0.75, "analyse": 0.125}),
)

INCONCLUSIVE = Report(
    case="c-thin",
    window=AskedWindow(start=START, end=START + timedelta(hours=5), asked="5h"),
    question="What went wrong?",
    verdict="inconclusive",
    confidence="low",
    summary="Latency rose twice and nothing comes before it often enough to call it a cause.",
    symptom=replace(REPORT.symptom, episodes=EPISODES[:1], explained=0, unexplained=1) if REPORT.symptom else None,
    reasons=("2 episodes are too few to test", "no metrics in the export"),
    coverage=REPORT.coverage,
)

QUIET = Report(
    case="c-quiet",
    window=AskedWindow(start=START, end=START + timedelta(days=1), asked="1d"),
    question="Was there an incident?",
    verdict="no_incident",
    confidence="medium",
    summary="No errors, no latency and no unavailability beyond the everyday level in the window.",
)

ANSWER = Answer(
    question="Was the day-2 restart related?",
    answer="No. The mailer was killed for memory once; the 503s come after the job, not after it.",
    verdict="unrelated",
    evidence={"E6": EVIDENCE["E6"]},
    test=AnswerTest(hits=1, misses=0, lag=Lag(p10=5, median=5, p90=5), p_value=0.4, name="shifted times"),
    case="c-20260305-lock",
)
