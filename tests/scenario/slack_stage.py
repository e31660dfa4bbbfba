"""A stage for scenarios: the real Bolt app against the local workspace, with a desk that records and answers by heart."""

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from sample_report import ANSWER, REPORT
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.chat import Accepted, Audience, Plan, SourceProgress, WorkSummary
from bot.domain.items import Gap
from bot.errors import StorageError
from bot.playground.seed import VISITOR, small_workspace
from bot.playground.server import PlaygroundServer
from bot.playground.workspace import AppProfile
from bot.slack.app import build_app
from bot.slack.connection import connect
from bot.slack.limiter import Limiter
from bot.slack.picture import no_picture
from bot.slack.sanitise import Sanitiser

MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "manifests" / "slack.yaml").read_text(encoding="utf-8"))
INCIDENTS = "C0INCIDENTS"
ADA, GRACE = "U0ADA", "U0GRACE"
HOSTS = {"logs.example.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A stored line."""

    id: str
    text: str
    at: datetime | None = None
    source: str = "kubernetes/logs"
    entity: str = "pod"
    raw: bytes = b""
    url: str | None = None
    locator: str = ""


class Reports:
    """Knows one report, and neighbours of everything."""

    def __init__(self, report=REPORT):
        self.known = report

    async def report(self, case):
        """Give the report."""
        return self.known if case == self.known.case else None

    async def around(self, case, item, before, after):
        """Give a line on each side."""
        quote = next((each.quote for each in self.known.evidence.values() if each.locator.startswith(item)), "")
        return [Line(id="L1", text="the line before"), Line(id=item, text=quote), Line(id="L3", text="the line after")]

    async def ticket_keys(self, case):
        """Give the keys of two tickets, one of a foreign project."""
        return ["OPS-7", "UTF-8", "OPS-9"]


@dataclass
class RecordingDesk:
    """Stores asks by their keys; with a messenger it also answers them, as the real one would."""

    asks: list = field(default_factory=list)
    submissions: int = 0
    works: list = field(default_factory=list)
    feedback: list = field(default_factory=list)
    cancelled: list = field(default_factory=list)
    cases: dict = field(default_factory=dict)
    outcome: Any = None
    failures: int = 0
    messenger: Any = None
    report: Any = REPORT
    tasks: set = field(default_factory=set)
    _keys: dict = field(default_factory=dict)

    async def submit(self, ask):
        """Store an ask once."""
        self.submissions += 1
        if self.failures:
            self.failures -= 1
            raise StorageError("The disk is full.")
        for key in ask.keys:
            if key in self._keys:
                return Accepted(work=self._keys[key], outcome="duplicate")
        if self.outcome is not None:
            return self.outcome
        work = f"w-{len(self.asks)}"
        self._keys.update(dict.fromkeys(ask.keys, work))
        self.asks.append(ask)
        if self.messenger is not None:
            task = asyncio.create_task(self._answer(work, ask))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return Accepted(work=work, outcome="new")

    async def cancel(self, place, by):
        """Note it."""
        self.cancelled.append((place, by.user))
        return True

    async def case_of(self, place):
        """Give the thread's case."""
        return self.cases.get(place)

    async def recent(self, team, channel=None, limit=10):
        """Give what was noted."""
        return [each for each in self.works if channel in (None, each.place.channel)][:limit]

    async def record_feedback(self, place, by, verdict):
        """Note it."""
        self.feedback.append((place, by.user, verdict))

    async def _answer(self, work, ask):
        await self.messenger.acknowledge(ask)
        if ask.kind == "follow_up":
            await self.messenger.follow_up(ask, f"{work}:follow-up", replace(ANSWER, question=ask.question))
        elif ask.kind == "ticket":
            await self.messenger.notify(
                ask.place, f"{work}:ticket", f"Posted to {ask.ticket}.", "https://logs.example.com/t"
            )
        else:
            for items in (0, 100, 123456):
                await self.messenger.show_plan(ask.place, f"{work}:plan", plan(items, ask.window or "5d"))
            await self.messenger.answer(ask, f"{work}:answer", self.report)
            self.cases[ask.place] = self.report.case
            self.works.insert(0, summary(work, ask, self.report))
        await self.messenger.finish(ask, well=True)


def plan(items, window):
    """Give a plan with one source."""
    gaps = (Gap(source="kubernetes/logs", what="a file is cut short"),)
    source = SourceProgress(source="kubernetes/logs", state="reading", items=items, bytes=items * 100, gaps=gaps)
    return Plan(stage="Reading", sources=(source,), started_at=datetime.now(UTC), window=window, eta_s=3.0)


def summary(work, ask, report, state="done"):
    """Give a row of what was asked."""
    return WorkSummary(
        work=work,
        place=ask.place,
        asker=ask.asker,
        question=ask.question,
        window=ask.window or "",
        state=state,
        asked_at=ask.asked_at,
        case=report.case,
        verdict=report.verdict,
        summary=report.summary,
    )


@dataclass
class Stage:
    """Everything a scenario looks at."""

    server: PlaygroundServer
    desk: RecordingDesk
    app: Any
    connection: Any

    async def say(self, user, text, channel=INCIDENTS, thread_ts=None):
        """Post as somebody."""
        return self.server.post_as(user, channel, text, thread_ts)

    def texts(self, channel=INCIDENTS, thread_ts=None):
        """List what the bot wrote."""
        return [each for each in self.server.messages(channel, thread_ts) if each.get("bot_id")]

    async def until(self, predicate, timeout_s=8.0):
        """Wait for something to become true."""
        async with asyncio.timeout(timeout_s):
            while not (found := predicate()):  # noqa: ASYNC110 - what the desk notes sets no event anywhere
                await asyncio.sleep(0.01)
        return found

    async def settled(self):
        """Wait until the desk has nothing to do."""
        while self.desk.tasks:
            await asyncio.wait(set(self.desk.tasks))


@asynccontextmanager
async def stage(
    *, audience=None, answering=True, picture=no_picture, limiter=None, report=REPORT, projects=(), **options
):
    """Open the workspace, connect the app by socket, close both."""
    workspace = small_workspace(app=AppProfile.from_manifest(MANIFEST))
    async with PlaygroundServer(workspace, **options) as server, aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=server.bot_token, base_url=server.base_url, session=session)
        connection = connect(
            client,
            audience or Audience(),
            sanitiser=Sanitiser(HOSTS),
            picture=picture,
            limiter=limiter or Limiter(50.0),
        )
        desk = RecordingDesk(messenger=connection.messenger if answering else None, report=report)
        app = build_app(
            connection, desk=desk, reports=Reports(report), signing_secret=server.signing_secret, projects=projects
        )
        logger = logging.getLogger("bot.slack.socket")
        handler = AsyncSocketModeHandler(app, server.app_token, logger=logger, ping_interval=0.3)
        await handler.connect_async()
        await server.connected()
        try:
            yield Stage(server=server, desk=desk, app=app, connection=connection)
        finally:
            for task in list(desk.tasks):
                task.cancel()
            await connection.messenger.aclose()
            await handler.close_async()


def play(scenario, **options):
    """Run a scenario on a stage."""

    async def run():
        async with stage(**options) as opened:
            await scenario(opened)

    asyncio.run(run())


__all__ = ["ADA", "GRACE", "INCIDENTS", "VISITOR", "RecordingDesk", "Reports", "Stage", "play", "stage"]
