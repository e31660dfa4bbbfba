"""Every source in every situation it can be in, each as a way to gather it; a new source adds its rows here.

A situation of ``CONTRACT`` that a source cannot be in stands in ``CANNOT`` with its reason. Slack is played by the playground's own
server, for what the real one does, and by a raw server for faults below HTTP.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fault_server import FaultServer, answer
from http_sources import NOTES, PlayedPrometheus, grafana_source, prometheus_source
from slack_workspace import SlackWorkspace

from bot.domain.ports import Source
from bot.domain.window import Window
from bot.playground.faults import CallFault
from bot.playground.seed import small_workspace
from bot.playground.server import PlaygroundServer
from bot.sources.export import ExportSource
from bot.sources.slack import SlackSource, web_api

START = 1_795_305_600
WINDOW = Window(start=datetime.fromtimestamp(START, UTC), end=datetime.fromtimestamp(START + 86_400, UTC), asked="1d")
TOKEN = "xoxb-test"

CONTRACT = ("happy", "empty", "partial", "slow", "429", "5xx", "auth-lost-midway", "malformed", "huge")
"""What every source is seen in; whoever is happy is also cancelled, at once and at the first thing that is stored."""
NO_SERVER = "a file has no limits, no failures and no logins of a server"
CANNOT = {
    "export": {"slow": "a file's bytes are there", "429": NO_SERVER, "5xx": NO_SERVER, "auth-lost-midway": NO_SERVER},
    "recorder": {"429": NO_SERVER, "5xx": NO_SERVER, "auth-lost-midway": NO_SERVER},
    "grafana": {"auth-lost-midway": "one request is all there is: see auth-lost"},
}
"""By source, the situations it cannot be in, each with its reason."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A source in a situation, and what it owes there.

    ``items`` counts what must be stored. ``lost`` tells whether a Gap must say so; ``words`` stand in one of them.
    ``within_s`` bounds the wall clock.
    """

    source: str
    name: str
    opened: Callable[[Path], Iterator[Source]]
    items: int
    lost: bool = False
    words: str = ""
    within_s: float = 10.0

    def __str__(self):
        return f"{self.source}-{self.name}"


def message(n, **more):
    """Give the nth message of the window, as Slack stores it."""
    return {"type": "message", "user": "U1", "text": f"m{n}", "ts": f"{START + n}.000100", **more}


def export(files):
    """Open an export of these files."""

    def opened(folder):
        for name, content in files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content if isinstance(content, bytes) else content.encode())
        yield ExportSource(folder)

    return opened


def day(messages):
    """Give a Slack export's file of a day."""
    return {"incident/2026-11-22.json": json.dumps(messages)}


def raw_slack(count=6, *, faults=None, forever=None, deadline_s=8.0, request_s=0.5, messages=None):
    """Open a channel of the raw server, with faults by method."""

    def opened(_folder):
        kept, web_api.REQUEST_S = web_api.REQUEST_S, request_s
        said = [message(n) for n in range(count)] if messages is None else messages
        with SlackWorkspace(said, page=2, created=START) as workspace:
            workspace.faults.update({method: list(each) for method, each in (faults or {}).items()})
            workspace.forever.update(forever or {})
            yield slack_source(workspace.url, TOKEN, deadline_s)
        web_api.REQUEST_S = kept

    return opened


def slack_source(url, token, deadline_s=8.0, channel="C1"):
    """Make the source of a channel."""
    return SlackSource(token=token, channel=channel, window=WINDOW, base_url=url, deadline_s=deadline_s)


def played_slack(count=6, *faults):
    """Open a channel of the playground's server, with faults planned."""

    def opened(_folder):
        workspace = small_workspace()
        channel = workspace.find("C0INCIDENTS")
        workspace.load(channel, [message(n, user="U0ADA") for n in range(count)])
        with served(PlaygroundServer(workspace)) as server:
            for fault in faults:
                server.faults.plan(fault)
            yield slack_source(server.base_url, server.bot_token, channel="C0INCIDENTS")

    return opened


def over_http(make, reply, fault=None, after=0, deadline_s=8.0, *, where=lambda _request: True, **more):
    """Open a source that reads over HTTP from ``reply``, struck by a fault of ``fault_server`` after so many requests."""

    def opened(_folder):
        with FaultServer(fault, after=after, reply=reply, where=where) as server:
            yield make(server.url, deadline_s, **more)

    return opened


def failing_first(reply, *failures):
    """Let the first requests fail, one answer each, and the others be answered."""
    left = list(failures)
    return lambda request: left.pop(0) if left else reply(request)


def played_prometheus(fault=None, after=0, deadline_s=8.0, reply=None, **more):
    """Open a Prometheus that answers three metrics."""
    return over_http(prometheus_source, reply or PlayedPrometheus(), fault, after, deadline_s, **more)


@contextmanager
def served(server):
    """Run the playground's server in a thread of its own, for a source blocks the one it is called from."""
    ready, done = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run():
        async with server:
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
        loop.close()


SIX = [message(n) for n in range(6)]
POD = {"kind": "List", "apiVersion": "v1", "items": [{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "b", "uid": "u"}}]}  # fmt: skip
LINES = "".join(f"2026-11-22T00:00:{n:02}Z line {n}\n" for n in range(40))
HISTORY = "conversations.history"


def told(document):
    """Answer everything with a document."""
    return lambda _request: answer(json.dumps(document))


BUSY = answer("{}", status="503 Service Unavailable")
SLOWED = answer("{}", status="429 Too Many Requests", more="Retry-After: 0\r\n")


def half_numbers(path, told):
    """Spoil values: text where a number stands, a series without values."""
    if path.endswith("/query_range"):
        told["result"][0]["values"] = [["x", None]]
        told["result"][1].pop("values")
    return told


SITUATIONS = (
    Situation(source="export", name="happy", opened=export({**day(SIX), "a/x.log": LINES, "o.json": json.dumps(POD)}), items=47),
    Situation(source="export", name="empty", opened=export(day([])), items=0),
    Situation(source="export", name="partial", opened=export({"incident/2026-11-22.json": json.dumps(SIX)[:-30], "o.json": json.dumps(POD)}), items=6, lost=True, words="ends in the middle"),
    Situation(source="export", name="malformed", opened=export({**day([*SIX, 1, None, {"ts": "x"}, {"ts": []}])}), items=6, lost=True, words="without a time"),
    Situation(source="export", name="binary", opened=export({**day(SIX), "core.bin": bytes(range(256)) * 40}), items=6, lost=True, words="skipped"),
    Situation(source="export", name="huge", opened=export(day([message(n, text="x" * 900) for n in range(6000)])), items=6000),
    Situation(source="slack", name="happy", opened=played_slack(6), items=6),
    Situation(source="slack", name="raw-happy", opened=raw_slack(6), items=6),
    Situation(source="slack", name="empty", opened=played_slack(0), items=0),
    Situation(source="slack", name="slow", opened=raw_slack(faults={HISTORY: ["trickle"]}), items=6),
    Situation(source="slack", name="slow-for-ever", opened=raw_slack(faults={HISTORY: ["", *["trickle"] * 50]}, deadline_s=1.2, request_s=30), items=2, lost=True, words="ran out", within_s=2.0),
    Situation(source="slack", name="hanging", opened=raw_slack(forever={HISTORY: "hang"}, deadline_s=1.2, request_s=30), items=0, lost=True, words="ran out", within_s=2.0),
    Situation(source="slack", name="429", opened=played_slack(6, CallFault(kind="ratelimited", method=HISTORY, count=2)), items=6),
    Situation(source="slack", name="429-for-too-long", opened=raw_slack(faults={HISTORY: ["", "429:600"]}), items=2, lost=True, words="limits conversations.history", within_s=2.0),
    Situation(source="slack", name="5xx", opened=played_slack(6, CallFault(kind="server_error", count=2), CallFault(kind="error_after", method=HISTORY)), items=6),
    Situation(source="slack", name="5xx-for-ever", opened=raw_slack(forever={HISTORY: "502"}), items=0, lost=True, words="HTTP 502"),
    Situation(source="slack", name="reset", opened=played_slack(6, CallFault(kind="reset_after", method=HISTORY), CallFault(kind="reset_before")), items=6),
    Situation(source="slack", name="truncated", opened=played_slack(6, CallFault(kind="truncated", method=HISTORY)), items=6),
    Situation(source="slack", name="partial", opened=raw_slack(faults={HISTORY: ["", "", *["503"] * 4]}), items=4, lost=True, words="messages before"),
    Situation(source="slack", name="auth-lost-midway", opened=raw_slack(faults={HISTORY: ["", "invalid_auth"]}), items=2, lost=True, words="does not accept the bot token"),
    Situation(source="slack", name="login-page", opened=played_slack(6, CallFault(kind="html", method=HISTORY, count=9)), items=0, lost=True, words="a web page came"),
    Situation(source="slack", name="not-in-channel", opened=raw_slack(forever={HISTORY: "not_in_channel"}), items=0, lost=True, words="/invite it"),
    Situation(source="slack", name="malformed", opened=raw_slack(messages=[*SIX, message(7, text=None, blocks=3, attachments=[None])]), items=7),
    Situation(source="slack", name="huge", opened=played_slack(6000), items=6000),
    Situation(source="grafana", name="happy", opened=over_http(grafana_source, told(NOTES)), items=2),
    Situation(source="grafana", name="empty", opened=over_http(grafana_source, told([])), items=0),
    Situation(source="grafana", name="partial", opened=over_http(grafana_source, told([*NOTES, {"text": "x"}, 3])), items=2, lost=True, words="without a time"),
    Situation(source="grafana", name="hanging", opened=over_http(grafana_source, told(NOTES), "hang", deadline_s=1.0), items=0, lost=True, words="ran out", within_s=4.0),
    Situation(source="grafana", name="slow", opened=over_http(grafana_source, told(NOTES), "slow-body", deadline_s=1.0), items=0, lost=True, words="ran out", within_s=4.0),
    Situation(source="grafana", name="429", opened=over_http(grafana_source, failing_first(told(NOTES), SLOWED)), items=2),
    Situation(source="grafana", name="5xx", opened=over_http(grafana_source, failing_first(told(NOTES), BUSY, BUSY)), items=2),
    Situation(source="grafana", name="auth-lost", opened=over_http(grafana_source, told(NOTES), "401"), items=0, lost=True, words="does not accept the credentials"),
    Situation(source="grafana", name="malformed", opened=over_http(grafana_source, told({"message": "x"})), items=0, lost=True, words="not Grafana's"),
    Situation(source="grafana", name="huge", opened=over_http(grafana_source, told(NOTES * 1000)), items=2000, lost=True, words="only 2000"),
    Situation(source="prometheus", name="happy", opened=played_prometheus(), items=6),
    Situation(source="prometheus", name="empty", opened=played_prometheus(reply=PlayedPrometheus(per_metric=0)), items=0),
    Situation(source="prometheus", name="partial", opened=played_prometheus(reply=PlayedPrometheus(warnings=["store east is down"])), items=6, lost=True, words="store east is down"),
    Situation(source="prometheus", name="hanging", opened=played_prometheus("hang", deadline_s=1.0), items=0, lost=True, words="ran out", within_s=4.0),
    Situation(source="prometheus", name="slow", opened=played_prometheus("slow-body", after=4, deadline_s=1.0), items=0, lost=True, words="ran out", within_s=4.0),
    Situation(source="prometheus", name="429", opened=played_prometheus(reply=failing_first(PlayedPrometheus(), SLOWED, SLOWED)), items=6),
    Situation(source="prometheus", name="429-for-too-long", opened=played_prometheus("429 for an hour"), items=0, lost=True, words="HTTP 429", within_s=4.0),
    Situation(source="prometheus", name="5xx", opened=played_prometheus(reply=failing_first(PlayedPrometheus(), BUSY, BUSY)), items=6),
    Situation(source="prometheus", name="5xx-for-ever", opened=played_prometheus("500"), items=0, lost=True, words="HTTP 500"),
    Situation(source="prometheus", name="reset", opened=played_prometheus("reset"), items=0, lost=True, words="reset"),
    Situation(source="prometheus", name="auth-lost-midway", opened=played_prometheus("401", after=4), items=0, lost=True, words="does not accept the credentials"),
    Situation(source="prometheus", name="login-page", opened=played_prometheus("login page"), items=0, lost=True, words="a web page came"),
    Situation(source="prometheus", name="malformed", opened=played_prometheus(reply=PlayedPrometheus(spoil=half_numbers)), items=4, lost=True, words="not numbers"),
    Situation(source="prometheus", name="half-answered", opened=played_prometheus("half JSON"), items=0, lost=True, words="not whole JSON"),
    Situation(source="prometheus", name="huge", opened=played_prometheus(reply=PlayedPrometheus(per_metric=60), most_series=120), items=120, lost=True, words="were left out"),
)  # fmt: skip
