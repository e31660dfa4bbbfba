"""The whole product on the story: the real app, the real engine, the local workspace, the incident in its past."""

import asyncio
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from slack_stage import MANIFEST

from bot.app_serve import demo_settings, serve
from bot.playground.demo import DemoUrls
from bot.playground.seed import VISITOR, workspace_from_export
from bot.playground.server import PlaygroundServer
from bot.playground.workspace import AppProfile

STORY = Path(__file__).parents[2] / "fixtures" / "incidents" / "story.tar.zst"
HANGS_S = 60.0


@asynccontextmanager
async def demo(home):
    """Run the app as the demo does; gives the server and the incident's channel."""
    workspace = workspace_from_export(STORY, app=AppProfile.from_manifest(MANIFEST))
    async with PlaygroundServer(workspace) as server:
        urls = DemoUrls(
            base_url=server.base_url,
            bot_token=server.bot_token,
            app_token=server.app_token,
            signing_secret=server.signing_secret,
            page=server.url,
        )
        stop = asyncio.Event()
        app = asyncio.create_task(serve(demo_settings(urls, home, STORY), until=stop, health=False))
        async with asyncio.timeout(HANGS_S):
            await server.sockets.connected.wait()
        try:
            channel = next(each.id for each in workspace.channels.values() if len(each.messages) > 10)
            yield server, channel
        finally:
            stop.set()
            assert await app == 0


async def told(server, channel, kind, number):
    """Wait for the n-th post of a kind."""
    async with asyncio.timeout(HANGS_S):
        while True:
            metadata = ((each, each.get("metadata") or {}) for each in server.messages(channel))
            found = [each for each, data in metadata if (data.get("event_payload") or {}).get("kind") == kind]
            if len(found) >= number:
                return found[number - 1]
            await asyncio.sleep(0.02)


@pytest.mark.timeout(200)
def test_the_story_is_answered_and_the_day_three_restart_told_apart(tmp_path):
    """``/rootcause 5d`` names the job behind it, a follow-up says no; the seconds are printed."""

    async def scenario():
        async with demo(tmp_path / "home") as (server, channel):
            began = time.perf_counter()
            await server.slash(VISITOR, channel, "/rootcause", "5d")
            acknowledged = time.perf_counter() - began
            answer = await told(server, channel, "answer", 1)
            answered = time.perf_counter() - began
            began = time.perf_counter()
            server.post_as(VISITOR, channel, "was the day-3 restart related?", answer["thread_ts"])
            reply = await told(server, channel, "follow_up", 1)
            replied = time.perf_counter() - began
            return acknowledged, answered, replied, answer["text"], reply["text"]

    acknowledged, answered, replied, answer, reply = asyncio.run(scenario())
    sys.stdout.write(f"\nacknowledged {acknowledged:.2f} s, answered {answered:.2f} s, follow-up {replied:.2f} s\n")
    assert "CronJob" in answer
    assert reply.startswith("No")
    assert acknowledged < 3.0
