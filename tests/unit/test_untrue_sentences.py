"""Sentences that readers of reports found untrue, each with the rule that keeps it from being said again."""

from array import array
from dataclasses import replace

import pytest
from engine_parts import at, signal
from sample_report import REPORT as SAMPLE
from test_advice import findings
from test_claims import FELT, LINKS, SIGNALS, found, message
from test_conclusion import chain_of
from test_followup import REPORT, ask

from bot.analyst.advice import recommendations
from bot.analyst.claim_checks import Record
from bot.analyst.claims import find_claims, judge_claim
from bot.analyst.quiet import spread
from bot.analyst.vocabulary import kinds_in
from bot.analyst.words import happened
from bot.cli.render_html import render_html
from bot.domain.entity import Entity
from bot.domain.signal import Kind
from bot.signals.lexicon import classify
from bot.signals.mentions import hosts_in
from bot.signals.pod_names import owners_by_name

API = Entity("Deployment", "api", "shop")
EDGE = Entity("Deployment", "edge", "shop")
JOB = Entity("CronJob", "links", "shop")


@pytest.mark.parametrize(
    ("line", "hosts"),
    [
        ('[error] 33#33: *8 [client 203.0.113.7] ModSecurity: Execution error [hostname "shop.example.com"] [uri "/c"]', []),
        ('[error] 33#33: *8 connect() failed, client: 10.0.0.1, server: shop.example.com, upstream: "http://10.42.1.7:8080/"', ["10.42.1.7:8080"]),
    ],
)  # fmt: skip
def test_the_host_that_was_asked_for_is_no_third_party(line, hosts):
    """A gateway's own name in its own error is not whom it called."""
    assert hosts_in(line) == hosts


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("session handshake failed, client will reconnect", None),
        ("websocket handshake failed", None),
        ("TLS handshake failed: EOF", Kind.TLS_FAILURE),
        ("javax.net.ssl.SSLHandshakeException: Received fatal alert: handshake_failure", Kind.TLS_FAILURE),
    ],
)
def test_not_every_handshake_is_tls(line, kind):
    """A handshake of sessions or websockets says nothing of certificates."""
    assert (classify(line).kind is Kind.TLS_FAILURE) == (kind is Kind.TLS_FAILURE)


@pytest.mark.parametrize(("pod", "owners"), [("runner-2-x7k2p", []), ("vector-x7k2p", ["vector"])])
def test_a_numbered_pod_of_nobody_is_no_daemonsets(pod, owners):
    """What a program makes one by one is not laid to a DaemonSet that nobody declared."""
    assert [owner.name for _, owner in owners_by_name(Entity("Pod", pod, "ci"), frozenset())] == owners


@pytest.mark.parametrize(
    ("text", "jumps"), [("from six o'clock?", False), ("from six o\u2019clock?", False), ("clock skew?", True)]
)
def test_an_hour_of_the_day_is_no_clock_jump(text, jumps):
    """Six o'clock is a time."""
    assert (Kind.CLOCK_JUMP in kinds_in(text)[0]) == jumps


@pytest.mark.parametrize(
    ("between", "database"),
    [(Kind.TIMEOUT, False), (Kind.LATENCY, False), (Kind.LOCK_WAIT, True)],
)
def test_no_database_is_advised_where_none_was_seen(between, database):
    """Requests that wait for whatever a job took are no locks; lock_timeout is advised where one was waited for."""
    hours = [1.0, 7.0, 13.0]
    chain = chain_of(
        signal(Kind.JOB_RUN, JOB, hours), signal(between, API, hours), signal(Kind.SERVER_ERROR, EDGE, hours), hits=3
    )
    told = recommendations(chain, findings(*chain.signals))
    assert ("lock_timeout" in " ".join(each.summary for each in told)) == database


def test_a_job_that_pushes_others_off_their_nodes_is_given_less_priority():
    """Smaller batches do not help where its pods displace others."""
    chain = chain_of(
        signal(Kind.JOB_RUN, JOB, [1.0]), signal(Kind.EVICTION, API, [1.0]), signal(Kind.SERVER_ERROR, EDGE, [1.0])
    )
    told = recommendations(chain, findings(*chain.signals))
    assert any("lower priority class" in each.summary for each in told)


def test_more_memory_is_not_called_a_shortage():
    """A rise of what is used says nothing of a limit."""
    up = replace(signal(Kind.MEMORY_PRESSURE, API, [1.0]), label="memory use up")
    assert happened(up) == "Deployment shop/api took more memory than usual"
    assert "was short of memory" in happened(replace(up, label="node short of memory"))


def test_a_p_value_is_not_broken_at_its_hyphen():
    """``p = 7e-4`` stays in one line of a narrow screen: neither its spaces nor its minus break."""
    link = replace(SAMPLE.cascade.links[0], p_value=0.0007)
    page = render_html(replace(SAMPLE, cascade=replace(SAMPLE.cascade, links=(link,))))
    assert "p\u00a0=\u00a07e\u20114" in page
    assert "p = 7e-4" not in page


def judged(text, *more):
    record = Record(signals=[*SIGNALS, *more], links=LINKS, symptom=FELT)
    return judge_claim(found(text)[0], None, record)


def test_a_claim_of_what_is_felt_is_not_unseen():
    """The report's own symptom was seen, whatever it says of the cause."""
    crash = replace(FELT, kind=Kind.CRASH_LOOP, label="crash loop")
    record = Record(signals=[crash], links=[], symptom=crash)
    claim = find_claims([message("edge-gateway crashloops, it is the 2.2.0 probably")], [], [crash])
    assert claim
    told = judge_claim(claim[0], None, record)
    assert (told.status, told.reason.startswith("That is what was felt")) == ("untested", True)


def test_a_claim_of_what_comes_all_along_is_not_unseen():
    """Lines that came evenly are told with their number."""
    even = replace(signal(Kind.CLIENT_ERROR, EDGE, []), total=585, attributes={"steady": "yes", "sample": "L1"})
    told = judged("maybe it is the 404s", replace(even, label="HTTP 404 responses"))
    assert told.reason.startswith("Deployment shop/edge answered with HTTP 404 responses all along, 585 lines")


@pytest.mark.parametrize("text", ["since when do we have these odd 502s?", "why is it slow?"])
def test_a_question_is_no_claim(text):
    """Who asks proposes nothing."""
    assert find_claims([message(text)], [], SIGNALS, quiet=True) == []


class Times:
    """Measures that know when lines came."""

    def __init__(self, hours):
        self.found = array("d", [at(hour) for hour in hours])

    def times(self, _):
        """Give them."""
        return self.found


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ([40 + n for n in range(60)], "none in the first 1 d 16 h, all from Tue 03 Mar 16:00Z on"),
        ([2 * n for n in range(60)], "in no burst that stands out from the everyday background"),
    ],
)
def test_what_begins_within_the_window_is_not_called_even(hours, said):
    """Sixty errors after a quiet day and a half are no everyday noise."""
    even = signal(Kind.SERVER_ERROR, EDGE, [])
    assert spread([even], findings(even, measures=Times(hours))) == said


def test_pods_logs_from_a_store_are_not_called_missing():
    """Where the log store gave the lines, the pods' own logs are not missing."""
    row = replace(REPORT.coverage[0], source="kubernetes/logs", status="not_configured")
    loki = replace(row, source="loki", status="complete", items=5434)
    told = ask("what did you not see?", report=replace(REPORT, coverage=(row, loki)))
    assert "kubernetes/logs was" not in told.answer
    alone = ask("what did you not see?", report=replace(REPORT, coverage=(row,)))
    assert "kubernetes/logs was not there at all" in alone.answer
