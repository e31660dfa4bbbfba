"""The limiter keeps Slack's rates for everybody at once, and the calls their deadlines."""

import asyncio
from collections import Counter

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ChatBusyError, ChatRefusedError
from bot.slack.calls import Calls
from bot.slack.limiter import Limiter


class Clock:
    """A loop's time that jumps when somebody sleeps."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        self.slept = []
        monkeypatch.setattr("bot.slack.limiter._now", lambda: self.now)
        monkeypatch.setattr("bot.slack.limiter.asyncio.sleep", self.sleep)

    async def sleep(self, seconds):
        """Jump."""
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    """Give time that only moves when slept."""
    return Clock(monkeypatch)


def test_posts_in_one_channel_keep_their_distance(clock):
    """After two at once, about one a second and channel; other channels do not wait."""

    async def run():
        limiter = Limiter()
        times = []
        for _ in range(4):
            assert await limiter.turn("chat.postMessage", "C1", 60)
            times.append(clock.now)
        assert [0.0, 0.0, 1.05, 2.1] == [round(each, 6) for each in times]
        assert await limiter.turn("chat.postMessage", "C2", 60)
        assert 2.1 == round(clock.now, 6)

    asyncio.run(run())


def test_a_rate_is_kept_over_every_minute(clock):
    """Of 130 edits no more than 50 go in any minute."""

    async def run():
        limiter = Limiter()
        times = []
        for _ in range(130):
            assert await limiter.turn("chat.update", "C1", 1e9)
            times.append(clock.now)
        for begin in times:
            assert 50 >= sum(begin <= each < begin + 60 for each in times)

    asyncio.run(run())


def test_a_turn_after_the_deadline_is_refused_at_once(clock):
    """Nobody waits for what comes too late."""

    async def run():
        limiter = Limiter()
        limiter.pause("chat.update", 30)
        assert not await limiter.turn("chat.update", None, 10)
        assert [] == clock.slept
        assert await limiter.turn("chat.update", None, 31)
        assert 30 == clock.now

    asyncio.run(run())


def test_what_may_be_left_out_leaves_room(clock):
    """Half of the rate is kept for what cannot be left out."""

    async def run():
        limiter = Limiter()
        assert 25 == sum(limiter.turn_now("chat.update", "C1") for _ in range(60))
        assert await limiter.turn("chat.update", "C1", 0.0)

    asyncio.run(run())


def test_a_free_turn_is_taken_while_time_goes_on(monkeypatch):
    """The clock moves between two looks at it; an edit is not left out for that."""
    ticks = iter(range(1000))
    monkeypatch.setattr("bot.slack.limiter._now", lambda: next(ticks) / 1000)
    assert Limiter().turn_now("chat.update", "C1")


def serve(answers, talk):
    """Run a conversation with a server that answers by a script; gives how often each method was called."""
    called = Counter()

    async def api(request):
        method = request.match_info["method"]
        called[method] += 1
        given = answers[min(called[method], len(answers)) - 1]
        return web.json_response(
            given.get("body", {"ok": True}), status=given.get("status", 200), headers=given.get("headers")
        )

    async def run():
        application = web.Application()
        application.router.add_route("*", "/api/{method}", api)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        client = AsyncWebClient(token="xoxb-1", base_url=f"http://127.0.0.1:{runner.addresses[0][1]}/api/")
        try:
            await talk(Calls(client, Limiter(100.0)))
        finally:
            await runner.cleanup()

    asyncio.run(run())
    return called


LIMITED = {"status": 429, "headers": {"Retry-After": "1"}, "body": {"ok": False, "error": "ratelimited"}}


def test_retry_after_is_honoured_within_the_deadline():
    """A post that was not taken is made again when Slack says; one whose time is up is given up."""

    async def patient(calls):
        await calls("chat.postMessage", channel="C1", text="x", deadline_s=5)

    async def hurried(calls):
        with pytest.raises(ChatBusyError):
            await calls("chat.postMessage", channel="C1", text="x", deadline_s=0.5)

    assert {"chat.postMessage": 2} == serve([LIMITED, {}], patient)
    assert {"chat.postMessage": 1} == serve([LIMITED, {}], hurried)


def test_a_post_whose_fate_is_unknown_is_never_repeated_here():
    """Who posted must look first; what may be repeated is."""
    broken = {"status": 503, "body": {}}

    async def post(calls):
        with pytest.raises(ChatBusyError):
            await calls("chat.postMessage", channel="C1", text="x", deadline_s=3)

    async def edit(calls):
        await calls("chat.update", channel="C1", ts="1.2", text="x", deadline_s=5)

    assert {"chat.postMessage": 1} == serve([broken, {}], post)
    assert {"chat.update": 2} == serve([broken, {}], edit)


def test_a_refusal_has_slacks_word():
    """So that whoever called can tell what to say."""

    async def talk(calls):
        with pytest.raises(ChatRefusedError) as refused:
            await calls("chat.postMessage", channel="C1", text="x")
        assert "not_in_channel" == refused.value.code

    serve([{"body": {"ok": False, "error": "not_in_channel"}}], talk)
