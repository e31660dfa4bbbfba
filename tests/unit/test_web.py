"""Health, metrics, logs, the watch on the socket, settings and the doctor."""

import asyncio
import io
import json
import logging

import aiohttp
import pytest
from aiohttp import web

from bot.app_doctor import examine
from bot.app_links import links_of
from bot.domain.links import LinkTemplates, prometheus_graph, victorialogs_select
from bot.errors import RootcauseError, UsageError
from bot.playground.seed import small_workspace
from bot.playground.server import PlaygroundServer
from bot.settings import DeskSettings, LinkSettings, ServeSettings, Settings, SlackSettings, WebSettings
from bot.settings.live_yaml import live_from
from bot.web.health import Listening, add_health
from bot.web.logs import JsonLines
from bot.web.metrics import Metrics
from bot.web.socket_watch import PATIENCE_S, RENEW_S, SocketWatch


def answers(checks, *paths):
    """Serve the addresses and give status and body of each."""

    async def run():
        application = web.Application()
        add_health(application, checks, Metrics().page)
        async with Listening(application, "127.0.0.1", 0) as listening, aiohttp.ClientSession() as session:
            found = []
            for path in paths:
                async with session.get(f"http://127.0.0.1:{listening.port}{path}") as answer:
                    found.append((answer.status, await answer.text()))
            return found

    return asyncio.run(run())


async def well():
    """Pass."""
    return True


async def ill():
    """Fail."""
    return False


async def broken():
    """Fail with a sentence."""
    raise RootcauseError("The database is away.")


def test_health_is_told_apart_from_readiness():
    """A dead socket asks for patience, not for a restart."""
    (alive, _), (ready, body) = answers({"desk": well, "socket": ill}, "/healthz", "/readyz")
    assert (200, 503) == (alive, ready)
    assert {"ready": False, "checks": {"desk": True, "socket": False}} == json.loads(body)


def test_readiness_needs_every_check_and_a_broken_one_fails():
    """All well is 200."""
    assert 200 == answers({"desk": well}, "/readyz")[0][0]
    assert 503 == answers({"desk": broken}, "/readyz")[0][0]


def test_a_port_that_is_taken_is_said_in_a_sentence():
    """With the setting that chooses another."""

    async def run():
        async with (
            Listening(web.Application(), "127.0.0.1", 0) as first,
            Listening(web.Application(), "127.0.0.1", first.port),
        ):
            pass

    with pytest.raises(RootcauseError, match="PORT"):
        asyncio.run(run())


def test_metrics_count_what_ended_waits_and_was_called():
    """In the text format, under names that say their unit."""
    metrics = Metrics()
    metrics.ended("investigate", "done", 2.5)
    metrics.waiting(3, 1)
    metrics.called("chat.postMessage", "rate_limited")
    metrics.took("gather", 0.4)
    metrics.spent("input", 7)
    page = metrics.page().decode()
    for line in (
        'rootcause_work_seconds_count{kind="investigate",outcome="done"} 1.0',
        "rootcause_queued 3.0",
        "rootcause_running 1.0",
        'rootcause_slack_calls_total{method="chat.postMessage",outcome="rate_limited"} 1.0',
        'rootcause_stage_seconds_count{stage="gather"} 1.0',
        'rootcause_tokens_total{direction="input"} 7.0',
    ):
        assert line in page


def test_a_log_line_is_json_with_the_case_and_without_unknown_extras():
    """What people wrote has no field."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("rootcause.test")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.info("work ended", extra={"case": "c1", "work": "w1", "text": "the password is hunter2"})
    log.removeHandler(handler)
    told = json.loads(stream.getvalue())
    assert ("info", "work ended", "c1", "w1") == (told["level"], told["message"], told["case"], told["work"])
    assert "hunter2" not in stream.getvalue()


def test_a_traceback_tells_where_and_never_what_people_wrote():
    """Frames and types are logged, of causes too; an exception's message may quote a question."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("rootcause.test")
    log.addHandler(handler)
    try:
        try:
            int("the password is hunter2")
        except ValueError as error:
            raise RuntimeError("hunter2 again") from error
    except RuntimeError:
        log.exception("a request failed")
    log.removeHandler(handler)
    told = json.loads(stream.getvalue())["traceback"]
    assert "hunter2" not in told.replace('int("the password is hunter2")', "").replace(
        'RuntimeError("hunter2 again")', ""
    )
    assert ["builtins.RuntimeError", "builtins.ValueError"] == [line for line in told.splitlines() if line[0] != " "]


class Socket:
    """A socket that lives while it is told to."""

    def __init__(self, lives):
        self.lives = iter(lives)
        self.renewed = 0

    async def is_connected(self):
        """Tell the next state."""
        return next(self.lives, False)

    async def connect_to_new_endpoint(self, force=False):
        """Count."""
        self.renewed += 1
        raise OSError


def watched(socket):
    """Run the watch on a clock of its own, and give how long it watched."""
    clock = [0.0]

    async def sleep(seconds):
        clock[0] += seconds

    asyncio.run(SocketWatch(socket, now=lambda: clock[0], sleep=sleep).run())
    return clock[0]


def test_a_dead_socket_is_made_anew_and_given_up_after_a_while():
    """The process ends then, and its supervisor starts it again."""
    socket = Socket([])
    assert PATIENCE_S == watched(socket)
    assert PATIENCE_S / RENEW_S - 1 == socket.renewed


def test_a_socket_that_comes_back_is_watched_on():
    """Patience begins anew."""
    assert 10 * 5.0 + PATIENCE_S == watched(Socket([False] * 9 + [True]))


def test_settings_are_read_with_a_sentence_for_what_is_no_number(monkeypatch):
    """And with the defaults where nothing is set."""
    monkeypatch.setenv("PORT", "http")
    with pytest.raises(UsageError, match="PORT is 'http'"):
        WebSettings.from_environment()
    monkeypatch.setenv("PORT", " ")
    assert WebSettings() == WebSettings.from_environment()
    monkeypatch.setenv("ROOTCAUSE_CHANNELS", "C1, C2,")
    assert ("C1", "C2") == SlackSettings.from_environment().channels
    monkeypatch.setenv("ROOTCAUSE_QUEUE", "7")
    assert 7 == DeskSettings.from_environment().queue


def states(settings):
    """Examine and give each finding's state by its name."""
    return {finding.name: finding.state for finding in asyncio.run(examine(settings))}


def test_the_doctor_names_what_is_missing_with_its_fix(tmp_path):
    """Without tokens there is a way to get them."""
    findings = asyncio.run(examine(ServeSettings(base=Settings(home=tmp_path), web=WebSettings(port=1))))
    token = next(finding for finding in findings if finding.name == "bot token")
    assert "wrong" == token.state
    assert "Bot User OAuth Token" in token.fix


def test_the_doctor_finds_a_workspace_well_and_a_wrong_token_ill(tmp_path):
    """Against the local workspace."""

    async def run():
        async with PlaygroundServer(small_workspace()) as server:
            slack = SlackSettings(
                bot_token=server.bot_token,
                app_token=server.app_token,
                api_url=server.base_url,
                channels=("C0INCIDENTS", "C0NOWHERE"),
            )
            base = Settings(home=tmp_path)
            good = await examine(ServeSettings(base=base, slack=slack))
            bad = await examine(
                ServeSettings(base=base, slack=SlackSettings(bot_token="xoxb-no", api_url=slack.api_url))
            )
            return ({each.name: each.state for each in found} for found in (good, bad))

    good, bad = asyncio.run(run())
    assert ("ok", "ok", "ok") == (good["bot token"], good["app token"], good["channel C0INCIDENTS"])
    assert "wrong" == good["channel C0NOWHERE"]
    assert "wrong" == bad["bot token"]


def test_the_doctor_says_that_slack_cannot_be_reached(tmp_path):
    """Instead of raising."""
    slack = SlackSettings(bot_token="xoxb-1", api_url="http://127.0.0.1:9/api/")
    assert "wrong" == states(ServeSettings(base=Settings(home=tmp_path), slack=slack))["Slack"]


def test_links_lead_where_the_file_says_and_never_into_another_cluster():
    """rootcause.yaml names Grafana, Jira and what browsers reach; of two clusters neither's own store is linked to."""
    one = {"name": "east", "logs": {"kind": "victorialogs", "url": "http://vl", "public_url": "https://logs.example"}}
    two = {"name": "west", "prometheus": {"url": "http://prom", "public_url": "https://prom.example"}}
    linked = links_of(LinkSettings(), live_from({"clusters": [one, two]}))
    assert linked == LinkTemplates(
        logs=victorialogs_select("https://logs.example"), metrics=prometheus_graph("https://prom.example")
    )
    more = {
        "clusters": [one, {**one, "name": "west"}],
        "jira": {"url": "https://j.example", "deployment": "datacenter"},
    }
    assert links_of(LinkSettings(), live_from(more)) == LinkTemplates(tickets="https://j.example/browse/{key}")
