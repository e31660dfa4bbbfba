"""The demo hands the app addresses and tokens and nothing else."""

import asyncio
import socket

import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import UsageError
from bot.playground import demo
from bot.playground.demo import run_demo


def run(start, **options):
    """Run a demo without a browser and give what it said."""
    said = []
    asyncio.run(run_demo(start, open_browser=False, say=said.append, **options))
    return said


def test_the_address_is_said_once_the_app_listens():
    """The app gets a base URL and tokens that work; the page's address is printed when its socket is open."""
    seen = []

    async def start(urls):
        client = SocketModeClient(
            app_token=urls.app_token, web_client=AsyncWebClient(token=urls.bot_token, base_url=urls.base_url)
        )
        await client.connect()
        await heard.wait()
        seen.append((urls, (await client.web_client.auth_test())["user"]))
        await client.close()

    def say(line):
        said.append(line)
        heard.set()

    said, heard = [], asyncio.Event()
    asyncio.run(run_demo(start, port=0, open_browser=False, say=say))
    [(urls, user)] = seen
    assert ("rootcause", f"{urls.page}api/") == (user, urls.base_url)
    assert [f"The workspace is at {urls.page} (Ctrl+C ends it)"] == said


def test_a_failure_of_the_app_is_its_own():
    """What the app raises comes out as it is."""

    async def start(_urls):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run(start, port=0)


def test_a_taken_port_is_refused_if_asked_for_and_replaced_if_not(monkeypatch):
    """A port somebody chose must be free; the usual one gives way to any other."""
    seen = []

    async def start(urls):
        seen.append(urls.page)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} .*in use.*--port"):
            run(start, port=port)
        monkeypatch.setattr(demo, "PORT", port)
        run(start)
    assert 1 == len(seen)
    assert f":{port}/" not in seen[0]
