"""Who is answered and who is not, with the real Bolt app; refusals are seen by the refused alone."""

import asyncio
import hashlib
import hmac
import json
import time

import pytest
from aiohttp import ClientSession, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_stage import ADA, GRACE, INCIDENTS, VISITOR, play

from bot.domain.chat import Audience
from bot.playground.faults import CallFault
from bot.playground.seed import GUEST, STRANGER

MENTION = "<@U0ROOTCAUSE> why do we see 503s?"


@pytest.mark.parametrize(
    ("user", "channel", "reason"),
    [
        (GUEST, INCIDENTS, "guests"),
        (STRANGER, "C0SHARED", "another organisation"),
        (VISITOR, "C0SHARED", "another organisation"),
    ],
)
def test_guests_strangers_and_shared_channels_are_refused(user, channel, reason):
    """They are told why, by a message that only they see; nothing is stored."""

    async def scenario(stage):
        await stage.say(user, MENTION, channel=channel)
        await stage.until(lambda: stage.server.ephemerals(channel, user))
        assert reason in stage.server.ephemerals(channel, user)[0]["text"]
        assert [] == stage.desk.asks
        assert [] == stage.texts(channel)

    play(scenario)


def test_a_shared_channel_may_be_allowed():
    """Strangers are refused there all the same."""

    async def scenario(stage):
        await stage.say(STRANGER, MENTION, channel="C0SHARED")
        await stage.until(lambda: stage.server.ephemerals("C0SHARED", STRANGER))
        await stage.say(VISITOR, MENTION, channel="C0SHARED")
        await stage.until(lambda: stage.desk.asks)
        await stage.settled()
        assert [VISITOR] == [each.asker.user for each in stage.desk.asks]

    play(scenario, audience=Audience(shared_channels=True))


def test_allow_lists_of_people_and_groups():
    """Whoever is on no list is refused; a member of an allowed group is answered."""

    async def scenario(stage):
        await stage.say(GRACE, MENTION)
        await stage.until(lambda: stage.server.ephemerals(INCIDENTS, GRACE))
        for user in (ADA, VISITOR):
            await stage.say(user, MENTION)
        await stage.until(lambda: len(stage.desk.asks) == 2)
        await stage.settled()
        assert {ADA, VISITOR} == {each.asker.user for each in stage.desk.asks}

    play(scenario, audience=Audience(users=frozenset({ADA}), groups=frozenset({"S0ONCALL"})))


def test_channels_that_are_not_allowed():
    """The command is refused in its reply."""

    async def scenario(stage):
        delivery = await stage.server.slash(ADA, INCIDENTS, "/rootcause", "5d")
        assert "not set up" in delivery.answer["text"]
        assert [] == stage.desk.asks

    play(scenario, audience=Audience(channels=frozenset({"C0OTHER"})))


def test_a_direct_message_sees_what_the_person_sees():
    """Where only a private channel is allowed, only its members are answered in direct messages."""

    async def scenario(stage):
        for user in (ADA, VISITOR):
            await stage.say(user, "why do we see 503s?", channel=stage.server.workspace.direct(user).id)
        await stage.until(lambda: stage.desk.works)
        await stage.settled()
        assert [VISITOR] == [each.asker.user for each in stage.desk.asks]
        direct = stage.server.workspace.direct(ADA).id
        await stage.until(lambda: stage.server.ephemerals(direct, ADA))

    play(scenario, audience=Audience(channels=frozenset({"C0PRIVATE"})))


def test_a_channel_the_bot_is_not_in():
    """The command says how to invite it."""

    async def scenario(stage):
        delivery = await stage.server.slash(ADA, "C0GENERAL", "/rootcause", "5d")
        assert "/invite" in delivery.answer["text"]
        assert [] == stage.desk.asks

    play(scenario)


def test_an_invitation_counts_at_once():
    """The shortcut in a channel without the bot says how to invite it, and works as soon as it is there."""

    async def scenario(stage):
        spoken = await stage.say(ADA, "502s since 09:00", channel="C0GENERAL")
        await stage.server.acts.message_shortcut(ADA, "C0GENERAL", spoken["ts"], "investigate_thread")
        assert [] == stage.desk.asks
        stage.server.acts.join("U0ROOTCAUSE", "C0GENERAL")
        await stage.server.acts.message_shortcut(ADA, "C0GENERAL", spoken["ts"], "investigate_thread")
        await stage.settled()
        assert [spoken["ts"]] == [each.place.thread_ts for each in stage.desk.asks]

    play(scenario)


def test_who_cannot_be_checked_is_not_answered_but_heard_again():
    """While Slack does not say who somebody is, the event stays unacknowledged and comes again."""

    async def scenario(stage):
        stage.server.faults.plan(CallFault(kind="server_error", method="users.info", count=6))
        await stage.say(ADA, MENTION)
        await stage.until(lambda: stage.desk.asks, timeout_s=20)
        await stage.settled()
        assert 1 == len(stage.desk.asks)
        assert len(stage.server.calls_of("users.info")) > 1

    play(scenario, ack_s=3.0, retry_delays_s=(0.1, 0.5, 1.0))


def test_what_bots_say_is_not_an_ask():
    """A bot that mentions the app starts nothing, and neither does the app itself."""

    async def scenario(stage):
        event = {"type": "app_mention", "bot_id": "B0OTHER", "user": "U0BOT", "text": MENTION, "channel": INCIDENTS}
        event["ts"] = event["event_ts"] = stage.server.workspace.next_ts()
        delivery = await stage.server.acts.emit(event)
        assert delivery.acked_at is not None
        assert [] == stage.desk.asks

    play(scenario)


def test_buttons_are_checked_again():
    """A guest who sees an answer may not press it."""

    async def scenario(stage):
        await stage.say(ADA, MENTION)
        await stage.until(lambda: stage.desk.works)
        await stage.settled()
        stage.server.acts.join(GUEST, INCIDENTS)
        await stage.server.press(GUEST, INCIDENTS, "answer_evidence")
        await stage.until(lambda: stage.server.ephemerals(INCIDENTS, GUEST))
        assert {} == stage.server.workspace.views

    play(scenario)


def signed(secret, body, timestamp):
    """Sign a request as Slack does."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def test_only_slacks_requests_are_taken_over_http():
    """Wrong, late, early, malformed and missing signatures are 401, never 500; a right one is 200."""

    async def scenario(stage):
        async def handle(request):
            return await to_aiohttp_response(await stage.app.async_dispatch(await to_bolt_request(request)))

        application = web.Application()
        application.router.add_post("/slack/events", handle)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        secret, now = stage.server.signing_secret, int(time.time())
        body = json.dumps({"type": "url_verification", "challenge": "c"})
        good = signed(secret, body, str(now))
        cases = {
            "right": (good, 200),
            "none": ({}, 401),
            "other secret": (signed("x", body, str(now)), 401),
            "late": (signed(secret, body, str(now - 400)), 401),
            "early": (signed(secret, body, str(now + 400)), 401),
            "no number": (signed(secret, body, "yesterday"), 401),
            "not ascii": ({**good, "X-Slack-Signature": "v0=\u00e9"}, 401),
            "digits of others": ({**good, "X-Slack-Request-Timestamp": "\u0661\u0662"}, 401),
            "empty": ({**good, "X-Slack-Request-Timestamp": ""}, 401),
            "huge": (signed(secret, body, "9" * 400), 401),
        }
        async with ClientSession() as session:
            for name, (headers, expected) in cases.items():
                sent = {"Content-Type": "application/json", **headers}
                async with session.post(address, data=body, headers=sent) as answer:
                    assert (name, expected) == (name, answer.status)
        await runner.cleanup()

    play(scenario)


def test_access_is_looked_up_once_for_many():
    """A hundred questions at once ask Slack once who the person is."""

    async def scenario(stage):
        checks = [stage.connection.access.check(ADA, INCIDENTS) for _ in range(100)]
        async with asyncio.TaskGroup() as group:
            for check in checks:
                group.create_task(check)
        assert 1 == len(stage.server.calls_of("users.info"))
        assert 1 == len(stage.server.calls_of("conversations.info"))

    play(scenario)
