"""Log lines as signals: what requests ask for counts, whoever asks; where few ask, an outage is one."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.domain.entity import Entity
from bot.domain.items import LogStream
from bot.domain.signal import Kind, Topology
from bot.domain.window import Window
from bot.signals.directory import Directory
from bot.signals.log_lines import LogTable, Tally
from bot.signals.log_signals import log_signals

START = datetime(2026, 3, 4, tzinfo=UTC)
WINDOW = Window(start=START, end=START + timedelta(hours=12), asked="all")
FRONT = LogStream(namespace="web", pod="front-0", container="proxy", path="front.log")
AGENTS = ("Mozilla/<*>", "curl/<*>", "okhttp/<*>", "python-requests/<*>")


def line(status, agent, path="/tiles"):
    return f'<*> - - [<*>] "GET {path} HTTP/1.1" {status} <*> "-" "{agent}" <*>'


class Lines:
    """The lines of one stream, held in memory."""

    def __init__(self, rows):
        """Take (second of the window, template) pairs."""
        rows = sorted(rows)
        self.templates = sorted({template for _, template in rows})
        place = {template: number for number, template in enumerate(self.templates)}
        self._times = np.array([WINDOW.start_s + at for at, _ in rows])
        self._template = np.array([place[template] for _, template in rows], dtype=np.int32)
        found, counts = np.unique(self._template, return_counts=True)
        self.tally = Tally(stream=np.zeros(len(found), dtype=np.int64), template=found.astype(np.int64), lines=counts)

    def each(self, _streams):
        """Give all lines."""
        yield LogTable(
            number=np.arange(1, len(self._times) + 1, dtype=np.int32),
            times_s=self._times,
            stream=np.zeros(len(self._times), dtype=np.int32),
            template=self._template,
            templates=self.templates,
        )

    def parts(self, streams, _templates, _most):
        """Give all lines."""
        yield from self.each(streams)


def signals(rows):
    topology = Topology(owner={Entity("Pod", "front-0", "web"): Entity("Deployment", "front", "web")})
    return log_signals(Lines(rows), [FRONT], WINDOW, topology, Directory(), lambda _numbers: [])


def traffic(seed, every_s, down, path="/tiles"):
    """Give requests of many user agents, all of which fail between two times."""
    draw = np.random.default_rng(seed)
    times = draw.uniform(0.0, WINDOW.length_s, int(WINDOW.length_s / every_s))
    return [
        (at, line(503 if down[0] <= at < down[1] else 200, AGENTS[int(draw.integers(len(AGENTS)))], path))
        for at in times
    ]


@pytest.mark.parametrize("seed", range(6))
def test_an_outage_under_sparse_traffic_is_one_episode(seed):
    """A request in four minutes, all of which fail for four hours beside another page that goes on: one episode."""
    rows = [*traffic(seed, 240.0, (15_000.0, 30_000.0)), *traffic(seed + 50, 20.0, (0.0, 0.0), "/route")]
    (failed,) = (one for one in signals(rows) if one.kind is Kind.SERVER_ERROR)
    assert 1 == len(failed.occurrences)


@pytest.mark.parametrize("seed", range(6))
def test_what_succeeds_is_no_burst_of_its_user_agents(seed):
    """That pages are served while they are not failing is no event, however few each user agent asks for."""
    rows = traffic(seed, 20.0, (12_000.0, 28_000.0))
    assert {Kind.SERVER_ERROR} == {one.kind for one in signals(rows)}


def test_a_page_that_is_asked_for_more_is_one_whoever_asks():
    """A rise of requests for one page is told by the lines of those that ask, and one user agent for another is no rise."""
    calm = traffic(1, 20.0, (20_000.0, 20_600.0))
    draw = np.random.default_rng(2)
    rush = [(at, line(200, AGENTS[n % 4], "/sale")) for n, at in enumerate(draw.uniform(20_000.0, 20_600.0, 400))]
    other = [(20_000.0 + 20.0 * n, line(200, "wget/<*>")) for n in range(30)]
    kept = [row for row in calm if not (20_000.0 <= row[0] < 20_600.0)]
    told = [one for one in signals([*kept, *rush, *other]) if one.kind is Kind.LOG_BURST]
    assert (4, {"/sale"}) == (len(told), {one.subject.split()[5] for one in told})


LEAK = "<*> WARN <*> com.zaxxer.hikari.pool.ProxyLeakTask : Connection leak detection triggered for <*> on thread <*>"


@pytest.mark.parametrize(("first_s", "last_s", "stretches"), [(9_000, 30_000, 1), (100, 43_000, 0)])
def test_warnings_of_a_leak_are_one_stretch_where_they_set_in(first_s, last_s, stretches):
    """Twenty warnings spread over hours tell of one growth from the first to the last; spread over the whole window, of none."""
    rows = [(at, LEAK) for at in np.linspace(first_s, last_s, 20)]
    rows += [(at, "<*> INFO served") for at in np.linspace(0, 43_199, 4_000)]
    (leak,) = [one for one in signals(rows) if one.kind is Kind.RESOURCE_GROWTH]
    assert len(leak.occurrences) == stretches
    assert all(
        (WINDOW.start_s + first_s, WINDOW.start_s + last_s) == (one.start_s, one.end_s) for one in leak.occurrences
    )


def seldom(seed, asked_from_s, fails_from_s, fails_to_s=WINDOW.length_s):
    """Give a request in ten seconds from a time on, of which one in fifty fails between two others."""
    draw = np.random.default_rng(seed)
    times = [at for at in draw.uniform(0.0, WINDOW.length_s, int(WINDOW.length_s / 10.0)) if at >= asked_from_s]
    return [
        (at, line(502 if fails_from_s <= at < fails_to_s and draw.random() < 0.02 else 200, AGENTS[0])) for at in times
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("asked_from_s", "fails_from_s", "fails_to_s", "episodes"),
    [
        (0.0, 14_000.0, WINDOW.length_s, 1),
        (0.0, 0.0, 30_000.0, 1),
        (0.0, 0.0, WINDOW.length_s, 0),
        (14_000.0, 0.0, WINDOW.length_s, 0),
    ],
)
def test_what_fails_seldom_is_an_episode_where_it_did_not_always(
    seed, asked_from_s, fails_from_s, fails_to_s, episodes
):
    """One request in fifty from a moment on, or up to one, stands out; all along, or ever since the log begins, it does not."""
    told = signals(seldom(seed, asked_from_s, fails_from_s, fails_to_s))
    (failed,) = [one for one in told if one.kind is Kind.SERVER_ERROR]
    assert len(failed.occurrences) == episodes
    for one in failed.occurrences:
        assert one.start_s - WINDOW.start_s >= fails_from_s
        assert one.end_s - one.start_s > 0.8 * (fails_to_s - fails_from_s)


def test_a_proxy_that_knows_no_way_blames_nobody_for_the_name_it_was_asked_by():
    """503 NC: Envoy asked no one, so the authority in its line is its own name; 503 UF of the same shape may be anybody's."""
    texts = {}

    def told(flag):
        row = f'[<*>] "GET /track HTTP/1.1" 503 {flag} <*> <*> <*> - "<*>" "okhttp/<*>" "<*>" "ship.example.com" "-"'
        rows = [(10_000.0 + 5.0 * n, row) for n in range(200)]
        rows += [(20.0 * n, "<*> INFO served") for n in range(2000)]
        lines = Lines(rows)
        texts.update({n: row.replace("<*>", "1") for n in range(1, len(rows) + 1)})
        topology = Topology(owner={Entity("Pod", "front-0", "web"): Entity("Deployment", "front", "web")})
        found = log_signals(
            lines, [FRONT], WINDOW, topology, Directory(), lambda numbers: [(n, texts[n]) for n in numbers]
        )
        return {one.kind for one in found}

    assert Kind.EXTERNAL_FAILURE not in told("NC")
    assert Kind.BAD_CONFIG in told("NC")
    assert Kind.EXTERNAL_FAILURE in told("UF")
