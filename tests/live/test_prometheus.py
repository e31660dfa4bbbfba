"""The metrics source against real servers: Prometheus and VictoriaMetrics from Debian, five days of the story in them."""

import asyncio
import json
import shutil
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard
from aiohttp import web
from live.metric_servers import alertmanager, exported_series, free_port, post, prometheus, victoria_metrics
from unit.export_sink import RecordingSink

from bot.casefile.home import CaseHome
from bot.domain.scope import Scope
from bot.domain.window import Window
from bot.investigation.investigate import investigate
from bot.sources.export import ExportSource
from bot.sources.prometheus import PrometheusAddress, PrometheusSource
from bot.web.alertmanager import PATH, add_alert_webhook
from bot.web.health import Listening
from bot.wire import Login

ROOT = Path(__file__).parents[2]
START = 1_794_873_600
WINDOW = Window(
    start=datetime.fromtimestamp(START, UTC), end=datetime.fromtimestamp(START + 5 * 86_400, UTC), asked="5d"
)


def silent(_stage, _done, _total):
    """Say nothing."""


def source(url, *, namespaces=(), window=WINDOW, **more):
    """Make the source of a server."""
    return PrometheusSource(
        PrometheusAddress(url=url, login=Login(), **more), Scope(window=window, namespaces=namespaces)
    )


def read(url, **more):
    """Read a server into a fresh sink."""
    sink = RecordingSink()
    source(url, **more).gather(sink, silent)
    return sink


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Unpack the story's export."""
    folder = tmp_path_factory.mktemp("story")
    packed = ROOT / "fixtures" / "incidents" / "story.tar.zst"
    with (
        packed.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        archive.extractall(folder, filter="data")
    return next(folder.glob("**/prometheus")).parent


@pytest.fixture(scope="module")
def served(story, tmp_path_factory):
    """Run a Prometheus that remembers the story."""
    with prometheus(tmp_path_factory.mktemp("prometheus"), exported_series(story)) as url:
        yield url


def sizes(sink):
    """Count samples by series."""
    return {(one.metric, tuple(sorted(one.labels.items()))): list(one.values) for one in sink.series}


def exported(story, every_s):
    """Give the export's series as a server gives them back, those of one step."""
    return {
        (name, tuple(sorted(labels.items()))): [float(value) for _, value in values]
        for name, labels, values in exported_series(story)
        if values[1][0] - values[0][0] == every_s
    }


def test_prometheus_gives_back_what_the_story_put_in(story, served):
    """Every series of the export's own step comes back sample by sample, found by name and not from a list."""
    sink = read(served)
    assert [] == sink.lost()
    assert len(list(exported_series(story))) == len(sink.series)
    came = sizes(sink)
    for key, values in exported(story, 300).items():
        assert values == came[key][: len(values)]


def test_namespaces_narrow_what_is_read_and_what_belongs_to_none_is_kept(served):
    """Of two namespaces one is asked for: its series and the nodes' come, the other's do not."""
    sink = read(served, namespaces=("data-platform",))
    assert {"data-platform", None} == {one.labels.get("namespace") for one in sink.series}


def test_victoria_metrics_gives_the_same(story, served, tmp_path):
    """The second implementation of the API gives the same series and samples."""
    with victoria_metrics(tmp_path, exported_series(story)) as url:
        other = read(url)
    ours = read(served)
    assert [] == other.lost()
    assert {key: values[:700] for key, values in sizes(ours).items()} == {
        key: values[:700] for key, values in sizes(other).items()
    }


def test_the_story_reaches_the_same_cause_with_live_metrics(story, served, tmp_path):
    """The export without its metrics, and Prometheus beside it: the same root cause as from the files."""
    shutil.copytree(story, tmp_path / "export", ignore=shutil.ignore_patterns("prometheus"))
    live = [ExportSource(tmp_path / "export"), source(served)]
    from_live = investigate(live, CaseHome(tmp_path / "live"), question=None, window=None, progress=silent)
    from_files = investigate(
        [ExportSource(story)], CaseHome(tmp_path / "files"), question=None, window=None, progress=silent
    )
    assert from_live.root_cause is not None
    assert from_files.root_cause is not None
    assert from_files.root_cause.entity == from_live.root_cause.entity
    assert from_files.confidence == from_live.confidence
    assert [step.entity for step in from_files.cascade.steps] == [step.entity for step in from_live.cascade.steps]


def test_more_points_than_the_limit_are_asked_for_in_parts(tmp_path):
    """Five days at 30 s are 14,400 points; Prometheus refuses more than 11,000 at once."""
    values = [(START + 30 * n, n % 11) for n in range(14_400)]
    with prometheus(tmp_path, [("container_memory_rss", {"namespace": "shop", "pod": "a-0"}, values)]) as url:
        sink = read(url, step_s=30)
    assert [] == sink.lost()
    assert [14_400] == [len(one.times_s) for one in sink.series]
    assert [float(value) for _, value in values] == list(sink.series[0].values)


def test_a_query_that_is_refused_is_a_gap_and_the_others_are_read(served):
    """An own query that is no PromQL does not cost the rest."""
    sink = read(served, queries={"good": "sum(container_cpu)", "bad": "sum("})
    assert sink.lost("it rejects the query (HTTP 400)")
    assert {"good"} <= {one.metric for one in sink.series}
    assert len(sink.series) > 20


def test_a_store_that_is_away_behind_it_is_a_gap(tmp_path):
    """Prometheus reads from another store that does not answer: it warns beside its own samples, and the report says so."""
    away = f"http://127.0.0.1:{free_port()}/read"
    config = json.dumps({"remote_read": [{"url": away, "read_recent": True, "remote_timeout": "1s"}]})
    values = [(START + 30 * n, n % 7) for n in range(240)]
    window = Window(start=WINDOW.start, end=datetime.fromtimestamp(START + 7200, UTC), asked="2h")
    with prometheus(tmp_path, [("redis_blocked_clients", {"namespace": "shop"}, values)], config=config) as url:
        sink = read(url, window=window)
    assert sink.lost("the server warned: remote_read")
    assert [240] == [len(one.times_s) for one in sink.series]


def test_a_window_before_its_retention_says_so(served):
    """What the server no longer has is a gap, not silence."""
    window = Window(start=datetime.fromtimestamp(START - 10 * 86_400, UTC), end=WINDOW.end, asked="15d")
    assert read(served, window=window).lost("nothing before 2026-11-17")


def test_many_pods_are_read_in_sum(tmp_path):
    """A counter of 450 pods comes as one rate made a counter again, a restart in it undone."""

    def values(n):
        return [(START + 60 * at, (60 * at if at < 100 else 60 * (at - 100)) + n) for at in range(240)]

    pods = [
        ("http_requests_total", {"namespace": "shop", "pod": f"a-{n}", "code": "200"}, values(n)) for n in range(450)
    ]
    window = Window(start=WINDOW.start, end=datetime.fromtimestamp(START + 4 * 3600, UTC), asked="4h")
    with prometheus(tmp_path, pods) as url:
        sink = read(url, window=window)
    assert ["http_requests_total"] == [one.metric for one in sink.series]
    counter = sink.series[0].values
    assert sorted(counter) == list(counter)
    assert abs((counter[-1] - counter[60]) - 450 * (len(counter) - 61) * 60) < 450 * 60 * 10
    assert sink.odd("read in sum over pods") == 1


def test_alerts_that_alertmanager_holds_become_series_of_alerts(served, tmp_path):
    """An alert that fires in Alertmanager is read as ALERTS."""
    config = "route: {receiver: none}\nreceivers: [{name: none}]\n"
    with alertmanager(tmp_path, config) as url:
        alert = {
            "labels": {"alertname": "FrontdoorErrors", "namespace": "web"},
            "startsAt": "2026-11-18T00:00:00Z",
            "endsAt": "2126-01-01T00:00:00Z",
        }
        assert post(f"{url}/api/v2/alerts", json.dumps([alert]).encode()) == 200
        sink = read(served, alertmanager=url)
    fired = [one for one in sink.series if one.metric == "ALERTS"]
    assert [("FrontdoorErrors", "firing")] == [(one.labels["alertname"], one.labels["alertstate"]) for one in fired]
    assert fired[0].times_s[0] == datetime(2026, 11, 18, tzinfo=UTC).timestamp()


def test_the_doctor_sees_how_long_it_keeps_things(served):
    """A server that answers is found well, one that does not is found wrong with its fix."""
    assert [found.state for found in source(served).examine()] in (["ok"], ["warning"])
    away = source(f"http://127.0.0.1:{free_port()}").examine()
    assert [("wrong", "it refuses connections")] == [(found.state, found.what) for found in away]


def test_a_real_alertmanager_rings_the_webhook(tmp_path):
    """Its own notification is authorised, read, and begins one investigation."""
    heard = []

    async def take(firing):
        heard.append(firing)
        return "taken"

    async def run():
        application = web.Application()
        add_alert_webhook(application, lambda: "s3cret", take)
        async with Listening(application, "127.0.0.1", 0) as listening:
            config = f"""
route: {{receiver: rootcause, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: rootcause
    webhook_configs:
      - url: http://127.0.0.1:{listening.port}{PATH}
        http_config: {{authorization: {{credentials: s3cret}}}}
"""
            with alertmanager(tmp_path, config) as url:
                labels = {"alertname": "FrontdoorErrors", "namespace": "web"}
                body = json.dumps([{"labels": labels, "startsAt": "2026-11-18T00:00:00Z", "endsAt": "2126-01-01T00:00:00Z"}])  # fmt: skip
                await asyncio.to_thread(post, f"{url}/api/v2/alerts", body.encode())
                async with asyncio.timeout(30):
                    while not heard:  # noqa: ASYNC110 - another process rings
                        await asyncio.sleep(0.05)

    asyncio.run(run())
    assert (("FrontdoorErrors",), ("web",)) == (heard[0].names, heard[0].namespaces)
