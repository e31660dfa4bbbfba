"""The demo: a workspace on this machine, a page to look at it, and the same app that runs in production.

The app is handed in by its composition root and gets addresses and tokens, nothing else: it does not know that it is
not talking to Slack.
"""

import asyncio
import contextlib
import os
import threading
import webbrowser
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UsageError
from bot.playground.seed import small_workspace, workspace_from_export
from bot.playground.server import PlaygroundServer
from bot.playground.workspace import AppProfile, Json

PORT = 8765
"""Tried first, so that the address stays the same from one demo to the next; any free port if it is taken."""

CHANNEL_QUESTIONS = ("/rootcause 5d", "@rootcause what's behind the 502s?", "/rootcause help")
THREAD_QUESTIONS = ("was the day-3 restart related?", "why did it scale up?", "what should we change first?")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoUrls:
    """What the app needs in place of the real thing; ``base_url`` ends in ``/api/``."""

    base_url: str
    bot_token: str
    app_token: str
    signing_secret: str
    page: str


async def run_demo(
    start_app: Callable[[DemoUrls], Awaitable[object]],
    *,
    port: int | None = None,
    open_browser: bool = True,
    export: Path | None = None,
    manifest: Json | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the workspace and run the app until it ends or the task is cancelled.

    ``start_app`` runs the app and returns when it stops. ``export`` holds the Slack export to begin with, ``manifest``
    the app manifest whose scopes and events count. ``port`` None takes the usual one or any that is free. Raises
    UsageError where a given port is taken.
    """
    app = AppProfile.from_manifest(manifest) if manifest else None
    workspace = workspace_from_export(export, app=app) if export else small_workspace(app=app)
    async with contextlib.AsyncExitStack() as stack:
        server = PlaygroundServer(workspace, port=PORT if port is None else port)
        try:
            await stack.enter_async_context(server)
        except OSError as error:
            if port is not None:
                raise UsageError(
                    f"Port {port} cannot be listened on ({os.strerror(error.errno or 0)}): "
                    "choose another, or leave --port out for one that is free."
                ) from error
            server = await stack.enter_async_context(PlaygroundServer(workspace))
        server.page.suggestions = {"channel": list(CHANNEL_QUESTIONS), "thread": list(THREAD_QUESTIONS)}
        urls = DemoUrls(
            base_url=server.base_url,
            bot_token=server.bot_token,
            app_token=server.app_token,
            signing_secret=server.signing_secret,
            page=f"{server.url}/",
        )
        announcing = asyncio.create_task(_announce(server, urls.page, open_browser=open_browser, say=say))
        try:
            await start_app(urls)
        finally:
            announcing.cancel()


async def _announce(server: PlaygroundServer, page: str, *, open_browser: bool, say: Callable[[str], None]) -> None:
    """Say where the page is as soon as the app listens, and open a browser where there is one."""
    await server.sockets.connected.wait()
    say(f"The workspace is at {page} (Ctrl+C ends it)")
    if open_browser:
        # a browser may take its time to come up, or block: that is not the app's time
        threading.Thread(target=_open, args=(page,), daemon=True).start()


def _open(page: str) -> None:
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(page)
