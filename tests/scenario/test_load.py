"""Acknowledgement under load: every delivery is answered in time, every event is taken once."""

import asyncio
import hashlib
import hmac
import json
import random
import socket
import sqlite3
import sys
import time
from contextlib import closing

import aiohttp
import pytest
from durable_stage import nursery, until, world
from slack_stage import ADA, INCIDENTS

COPIES = 4
AT_ONCE = 100
P99_S = 1.5


def free_port():
    """Find a port that nobody listens on."""
    with closing(socket.socket()) as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def event(world, number):
    """Make a mention as Slack would deliver it."""
    ts = f"{1_790_000_000 + number}.000100"
    workspace = world.server.workspace
    text = f"<@{workspace.app.bot_user}> 5d why does request {number} answer slowly?"
    told = {"type": "app_mention", "user": ADA, "channel": INCIDENTS, "ts": ts, "event_ts": ts, "text": text}
    body = {"type": "event_callback", "team_id": workspace.team, "api_app_id": workspace.app.app_id, "event": told}
    return json.dumps(body | {"event_id": f"Ev{number:08d}", "event_time": int(time.time())})


def signed(body, secret):
    """Sign a body as Slack does."""
    at = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={digest}",
    }


async def deliver(world, port, events):
    """Deliver each event four times in any order, a hundred at once; gives statuses and seconds."""
    bodies = [event(world, number) for number in range(events)] * COPIES
    random.Random(7).shuffle(bodies)
    outcomes = []
    gate = asyncio.Semaphore(AT_ONCE)
    url = f"http://127.0.0.1:{port}/slack/events"

    async def one(session, body):
        async with gate:
            began = time.perf_counter()
            async with session.post(url, data=body, headers=signed(body, world.server.signing_secret)) as answer:
                outcomes.append((answer.status, time.perf_counter() - began))

    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session,
        asyncio.TaskGroup() as all_,
    ):
        for body in bodies:
            all_.create_task(one(session, body))
    return outcomes


def begun(home):
    """Count the workflows that were begun."""
    with closing(sqlite3.connect(home / "steps.sqlite", timeout=30.0)) as steps:
        return steps.execute("SELECT count(*) FROM workflow_status WHERE status = 'PENDING'").fetchone()[0]


def stored(home):
    """Count what the databases hold: asks, and workflows begun for them."""
    with closing(sqlite3.connect(home / "desk.sqlite")) as desk:
        asks = desk.execute("SELECT count(*) FROM rootcause_asks WHERE state IN ('queued', 'running')").fetchone()[0]
    return {"asks": asks, "begun": begun(home)}


async def loaded(tmp_path, events):
    """Load a bot, print the figures, and give what became of the deliveries."""
    port = free_port()
    async with nursery(tmp_path / "bots.log") as bots, world(bots, tmp_path / "home") as busy:
        busy.home.mkdir()
        bot = await busy.born(port=port)

        async def ready():
            try:
                async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await until(ready)
        began = time.perf_counter()
        outcomes = await deliver(busy, port, events)
        took = time.perf_counter() - began

        async def all_begun():  # what was acknowledged is begun behind the acknowledgement
            return await asyncio.to_thread(begun, busy.home) >= events

        await until(all_begun, 120.0)
        await bot.stop(9)
    seconds = sorted(each for _, each in outcomes)
    p50, p99 = (seconds[int(len(seconds) * share)] for share in (0.5, 0.99))
    figures = stored(tmp_path / "home")
    sys.stdout.write(
        f"\n{events} events × {COPIES} at {AT_ONCE} at once: {len(outcomes) / took:.0f}/s, "
        f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, max {seconds[-1] * 1000:.0f} ms, {figures}\n"
    )
    return {status for status, _ in outcomes}, p99, figures


def judge(tmp_path, events):
    """Assert that nothing was refused, lost or taken twice; give the 99th percentile of the acknowledgements in seconds."""
    statuses, p99, figures = asyncio.run(loaded(tmp_path, events))
    assert {200} == statuses
    assert {"asks": events, "begun": events} == figures
    return p99


@pytest.mark.timeout(200)
def test_a_hundred_events_delivered_four_times_are_acknowledged_and_taken_once(tmp_path):
    """The sampled version of the thousand; how fast is for the full one to say, on a machine with nothing else to do."""
    judge(tmp_path, 100)


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_thousand_events_delivered_four_times_are_acknowledged_in_time_and_taken_once(tmp_path):
    """A thousand events, four deliveries each, a hundred at once."""
    assert judge(tmp_path, 1000) < P99_S
