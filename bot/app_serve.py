"""The composition root of what runs for long: ``serve`` and ``demo`` build the same app, only its addresses differ."""

import asyncio
import logging
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import yaml
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.app_analyst import ChannelAnalysts
from bot.app_links import links_of
from bot.app_sources import EvidenceSources
from bot.casefile.home import CaseHome
from bot.domain.chat import Audience
from bot.domain.items import ItemId
from bot.domain.ports import Stored
from bot.domain.report import Report
from bot.domain.tickets import likely_keys
from bot.errors import CaseError, UsageError
from bot.investigation.desk import DurableDesk
from bot.investigation.desk_ports import Engine, SourceFactory
from bot.investigation.linked import LinkedEngine
from bot.investigation.spreading import Spreading
from bot.investigation.workflow_process import ProcessEngine
from bot.redaction.posted import Posting
from bot.settings import EvidenceSettings, JiraSettings, LiveSettings, Secret, ServeSettings, SlackSettings
from bot.settings.live import Url
from bot.slack.alert_room import AlertRoom
from bot.slack.app import build_app
from bot.slack.connection import Connection, connect
from bot.slack.sanitise import Sanitiser
from bot.sources.jira import JiraTickets
from bot.web import bodies
from bot.web.alertmanager import add_alert_webhook
from bot.web.health import Listening, add_health
from bot.web.metrics import Metrics
from bot.web.socket_watch import SocketWatch

if TYPE_CHECKING:  # the demo's server must not slow the start of a real one
    from bot.playground.demo import DemoUrls
    from bot.playground.jira import JiraServer

log = logging.getLogger("rootcause.serve")

SESSION_S = 30.0
"""The longest a request to Slack may take; the calls have shorter deadlines of their own."""

SLACK_PATH = "/slack/events"

EngineFor = Callable[[CaseHome, SourceFactory], Engine]
"""Makes what does the blocking work."""


def process_engine(home: CaseHome, sources: SourceFactory) -> Engine:
    """Run each ask in a process of its own, with the model that is configured there."""
    return ProcessEngine(home, sources, ChannelAnalysts(home=home.path))


_REFUSALS = frozenset({"invalid_auth", "not_authed", "account_inactive", "not_allowed_token_type", "missing_scope"})


class Cases:
    """Read access to kept cases for the listeners."""

    def __init__(self, home: CaseHome, engine: Engine) -> None:
        self._home = home
        self._engine = engine

    async def report(self, case: str) -> Report | None:
        """Give a case's report, None where there is none."""
        try:
            return await self._engine.report(case)
        except CaseError:
            return None

    async def around(self, case: str, item: str, before: int, after: int) -> Sequence[Stored]:
        """Give a stored item with its neighbours, empty where the case is gone."""
        return await asyncio.to_thread(self._around, case, item, before, after)

    async def ticket_keys(self, case: str) -> Sequence[str]:
        """Give the keys that a case knows, none where it is gone."""
        return await asyncio.to_thread(self._ticket_keys, case)

    def _ticket_keys(self, case: str) -> Sequence[str]:
        try:
            with self._home.open(case) as opened:
                held = [entry.key for _, entry in opened.tickets()]
                return likely_keys(held, (message.text for _, message in opened.messages()))
        except CaseError:
            return ()

    def _around(self, case: str, item: str, before: int, after: int) -> Sequence[Stored]:
        try:
            with self._home.open(case) as opened:
                return opened.around(ItemId(item), before, after)
        except CaseError:
            return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running bot, for whoever waits for it to end."""

    app: AsyncApp
    desk: DurableDesk
    connection: Connection
    metrics: Metrics
    cases: Cases


@asynccontextmanager
async def running(
    settings: ServeSettings, engine_for: EngineFor = process_engine, jira: JiraSettings | None = None
) -> AsyncIterator[Served]:
    """Build everything behind the listeners, start it, and hand unfinished work over at the end."""
    jira = jira or settings.live.jira
    metrics, passing = Metrics(), Posting(settings.redaction.patterns)
    slack = settings.slack
    home = CaseHome(settings.base.home, Spreading(settings.spread) if settings.spread else None)
    templates = links_of(settings.links, settings.live)
    sources = EvidenceSources(home=settings.base.home, slack=slack, evidence=settings.evidence, live=settings.live)
    engine = LinkedEngine(engine_for(home, sources), templates)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SESSION_S)) as session:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[])
        audience = Audience(
            channels=frozenset(slack.channels),
            users=frozenset(slack.users),
            groups=frozenset(slack.groups),
            shared_channels=slack.shared_channels,
        )
        connection = connect(client, audience, sanitiser=Sanitiser(slack.link_hosts, passing), observe=metrics.called)
        for address in astuple(templates):
            connection.sanitiser.allow_workspace(address)  # the operator's own addresses, ports and all
        posting = jira if jira is not None and jira.post and jira.projects else None
        if posting is not None:
            connection.sanitiser.allow_workspace(posting.url)
        desk = DurableDesk(
            settings.base.home,
            connection.messenger,
            engine,
            limits=settings.desk,
            meter=metrics,
            clock=lambda: datetime.now(UTC),
            tickets=JiraTickets(posting, posting=passing) if posting is not None else None,
        )
        cases = Cases(home, engine)
        warming = asyncio.create_task(engine.warm())
        try:
            await desk.start()
            app = build_app(
                connection,
                desk=desk,
                reports=cases,
                signing_secret=slack.signing_secret,
                health=lambda: source_health(settings),
                projects=posting.projects if posting is not None else (),
            )
            yield Served(app=app, desk=desk, connection=connection, metrics=metrics, cases=cases)
        finally:
            warming.cancel()
            await desk.close()
            await connection.messenger.aclose()


async def source_health(settings: ServeSettings) -> Sequence[tuple[str, bool, str]]:
    """Say of each source whether it can be read, for App Home."""
    export = settings.evidence.export
    rows = [("This channel's history", True, "read with every investigation")]
    if export is not None:
        there = await asyncio.to_thread(export.exists)
        rows.append(("Incident export", there, export.name if there else f"{export.name} is missing"))
    for cluster in settings.live.clusters:
        parts = [part for part in ("kubernetes", "recorder", "prometheus", "logs") if getattr(cluster, part)]
        rows.append((f"Cluster {cluster.name}", bool(parts), ", ".join(parts) or "nothing of it is configured"))
    return rows


async def serve(
    settings: ServeSettings,
    *,
    until: asyncio.Event | None = None,
    health: bool = True,
    engine_for: EngineFor = process_engine,
    jira: JiraSettings | None = None,
) -> int:
    """Serve until a signal (or ``until``); gives the exit code: 1 where the socket was lost for good."""
    if settings.slack.bot_token is None:
        raise UsageError(
            "SLACK_BOT_TOKEN is not set: `rootcause doctor` says what is missing, `rootcause demo` needs none."
        )
    if settings.slack.app_token is None and settings.slack.signing_secret is None:
        raise UsageError("Set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for HTTP.")
    stop = until or _stopped_by_signal()
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(running(settings, engine_for, jira))
        application = bodies.application()
        checks = {"desk": served.desk.ready}
        lost: asyncio.Task[None] | None = None
        if settings.slack.app_token is not None:
            watch = await stack.enter_async_context(_socket(served.app, settings.slack))
            checks["socket"] = watch.alive
            lost = asyncio.create_task(watch.run())
        else:
            application.router.add_post(SLACK_PATH, slack_events(served.app))
        add_health(application, checks, served.metrics.page)
        if (alerts := settings.live.alertmanager) is not None:
            room = AlertRoom(served.connection, served.desk, alerts.channel, alerts.window)
            add_alert_webhook(application, alerts.secret.read, room.take)
        if health or lost is None:
            listening = Listening(application, settings.web.host, settings.web.port)
            await stack.enter_async_context(listening)
            log.info("serving", extra={"port": listening.port})
        stopping = asyncio.create_task(stop.wait())
        waited = {stopping} | ({lost} if lost is not None else set())
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        code = 0 if stop.is_set() else 1
        for task in waited:
            task.cancel()
    return code


@asynccontextmanager
async def _socket(app: AsyncApp, slack: SlackSettings) -> AsyncIterator[SocketWatch]:
    """Listen through Socket Mode; while Slack cannot be reached the connecting goes on behind the watch's back."""
    quiet = logging.getLogger("rootcause.socket")
    quiet.setLevel(logging.CRITICAL)  # the SDK prints a traceback for each failed attempt; the watch says it once
    asking = AsyncWebClient(base_url=slack.api_url, retry_handlers=[])
    await _check_app_token(asking, slack.app_token or "")
    handler = AsyncSocketModeHandler(app, slack.app_token, logger=quiet, web_client=asking)
    client: SocketModeClient = handler.client
    connecting = asyncio.create_task(client.connect())  # type: ignore[no-untyped-call] # slack_sdk leaves it untyped
    try:
        yield SocketWatch(client)
    finally:
        connecting.cancel()
        await handler.close_async()  # type: ignore[no-untyped-call] # slack_bolt leaves it untyped


async def _check_app_token(asking: AsyncWebClient, token: str) -> None:
    """Say in a sentence that Slack refuses the token, for the SDK would try it for ever."""
    try:
        async with asyncio.timeout(SESSION_S):
            await asking.apps_connections_open(app_token=token)
    except SlackApiError as error:
        reason = str(error.response.get("error", ""))
        if reason in _REFUSALS:
            raise UsageError(
                f"Slack refuses SLACK_APP_TOKEN ({reason}): it must be an app-level token (xapp-…) with "
                "connections:write, and Socket Mode must be on."
            ) from error
        log.warning("Slack is not ready for a socket", extra={"error": reason})
    except (aiohttp.ClientError, SlackClientError, TimeoutError, ValueError) as error:
        log.warning("Slack cannot be reached yet", extra={"error": type(error).__name__})


def slack_events(app: AsyncApp) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Give the handler of what Slack delivers over HTTP; Bolt reads a body before it asks who signed it."""

    async def events(request: web.Request) -> web.StreamResponse:
        try:
            told = await to_bolt_request(request)
        except (ValueError, RecursionError, AttributeError, TypeError):
            return web.Response(status=400, text="this is nothing that Slack sends\n")
        return await to_aiohttp_response(await app.async_dispatch(told))

    return events


def _stopped_by_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def demo(port: int | None, *, open_browser: bool, say: Callable[[str], None]) -> int:
    """Run the app against a workspace on this machine, the story's incident behind it."""
    from bot.playground.demo import run_demo  # noqa: PLC0415 - only the demo has a workspace
    from bot.playground.jira import JiraServer, issues_from_export  # noqa: PLC0415 - only the demo has a workspace

    root = Path(__file__).parents[1]
    story = root / "fixtures" / "incidents" / "story.tar.zst"
    if not story.exists():
        raise UsageError(f"The demo reads {story}, which is not there: run it from a clone of the repository.")
    manifest = yaml.safe_load((root / "manifests" / "slack.yaml").read_text(encoding="utf-8"))
    stop = _stopped_by_signal()
    with tempfile.TemporaryDirectory(prefix="rootcause-demo-") as folder:
        tickets = JiraServer(issues_from_export(story))

        async def start(urls: "DemoUrls") -> int:
            settings = demo_settings(urls, Path(folder), story)
            async with tickets:
                # without a model, whatever key is set for other things: a demo talks to nobody
                jira = demo_jira(tickets, Path(folder))
                return await serve(settings, until=stop, health=False, engine_for=ProcessEngine, jira=jira)

        await run_demo(start, port=port, open_browser=open_browser, export=story, manifest=manifest, say=say)
    return 0


def demo_jira(server: "JiraServer", home: Path) -> JiraSettings:
    """Give the settings under which the app writes to the local Jira."""
    token = home / "jira-token"
    token.write_text(server.token, encoding="utf-8")
    projects = tuple(sorted({key.partition("-")[0] for key in server.issues}))
    return JiraSettings(
        url=Url(server.url),
        deployment="cloud",
        user=server.user,
        token=Secret(file=token),
        projects=projects,
        post=True,
    )


def demo_settings(urls: "DemoUrls", home: Path, story: Path) -> ServeSettings:
    """Give the settings under which the app talks to the local workspace."""
    base = ServeSettings.from_environment()
    return replace(
        base,
        base=replace(base.base, home=home),
        desk=replace(base.desk, database_url=None),
        spread=None,
        slack=SlackSettings(bot_token=urls.bot_token, app_token=urls.app_token, api_url=urls.base_url),
        evidence=EvidenceSettings(export=story),
        live=LiveSettings(),
    )
