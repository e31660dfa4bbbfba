"""The playground tells the app of what happens: once acknowledged never again, unacknowledged up to three times more."""

import asyncio
import hashlib
import hmac
import json

import pytest
from aiohttp import ClientSession, web
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.faults import CallFault, SocketFault
from bot.playground.seed import VISITOR, small_workspace
from bot.playground.server import PlaygroundServer

INCIDENTS = "C0INCIDENTS"
BOT = "U0ROOTCAUSE"


def section(text, **more):
    """Make a section block."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id, **more):
    """Make a row with one button."""
    label = {"type": "plain_text", "text": "Press"}
    return {
        "type": "actions",
        "block_id": "row",
        "elements": [{"type": "button", "action_id": action_id, "text": label, **more}],
    }


class Listener:
    """A scripted app: keeps envelopes and acknowledges those that ``answer`` gives something for."""

    def __init__(self, server):
        self.web = AsyncWebClient(token=server.bot_token, base_url=server.base_url)
        self.socket = SocketModeClient(app_token=server.app_token, web_client=self.web, ping_interval=0.2)
        self.heard = []
        self.answer = lambda _request: {}
        self.socket.socket_mode_request_listeners.append(self.listen)

    async def listen(self, client, request):
        """Take an envelope."""
        self.heard.append(request)
        payload = self.answer(request)
        if payload is not None:
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))

    def events(self):
        """List what was heard of: event types or interaction types."""
        return [
            each.payload["event"]["type"] if each.type == "events_api" else each.payload.get("type", each.type)
            for each in self.heard
        ]


def converse(conversation, **options):
    """Run a conversation of a connected app with a server."""

    async def run():
        async with PlaygroundServer(small_workspace(), **options) as server:
            app = Listener(server)
            await app.socket.connect()
            await server.connected()
            try:
                await conversation(server, app)
            finally:
                await app.socket.close()

    asyncio.run(run())


def test_a_mention_comes_as_two_events_and_is_heard_once():
    """``message`` and ``app_mention`` share channel and ts, have their own event ids, and are not repeated."""

    async def conversation(server, app):
        posted = server.post_as(VISITOR, "incidents", f"<@{BOT}> why?")
        await server.wait_for(lambda: all(each.acked_at for each in server.deliveries))
        assert ["app_mention", "message"] == sorted(app.events())
        assert {posted["ts"]} == {each.payload["event"]["ts"] for each in app.heard}
        assert 2 == len({each.payload["event_id"] for each in app.heard})

    converse(conversation, ack_s=0.5)


def test_an_event_nobody_acknowledges_comes_four_times():
    """Three retries say their number and reason and carry the same event id."""

    async def conversation(server, app):
        app.answer = lambda _request: None
        server.post_as(VISITOR, "incidents", "hello")
        await server.wait_for(lambda: len(app.heard) == 4 and len(server.deliveries[0].sent_at) == 4)
        assert [(0, ""), (1, "timeout"), (2, "timeout"), (3, "timeout")] == [
            (each.retry_attempt, each.retry_reason) for each in app.heard
        ]
        assert 1 == len({each.payload["event_id"] for each in app.heard})

    converse(conversation, ack_s=0.05, retry_delays_s=(0.0, 0.0, 0.0))


@pytest.mark.parametrize("kind", ["drop_mid_envelope", "drop_before", "silent", "disconnect"])
def test_an_event_survives_a_troubled_socket(kind):
    """Whatever happens to the socket, the event is heard in the end."""

    async def conversation(server, app):
        server.faults.plan(SocketFault(kind=kind))
        server.post_as(VISITOR, "incidents", "hello")
        await server.wait_for(lambda: server.deliveries[0].acked_at, 10)
        assert ["message"] == app.events()
        await server.connected()

    converse(conversation, ack_s=0.5)


def test_a_command_is_answered_where_it_was_given():
    """The acknowledgement and the response URL show to the asker alone; ``in_channel`` shows to all."""

    async def conversation(server, app):
        app.answer = lambda _request: {"text": "on it"}
        await server.slash(VISITOR, "incidents", "/rootcause", "5d")
        payload = app.heard[0].payload
        assert ("/rootcause", "5d", INCIDENTS, "incidents", VISITOR) == tuple(
            payload[each] for each in ("command", "text", "channel_id", "channel_name", "user_id")
        )
        async with ClientSession() as session:
            await session.post(payload["response_url"], json={"text": "more"})
            await session.post(payload["response_url"], json={"text": "all", "response_type": "in_channel"})
            statuses = [(await session.post(payload["response_url"], json={"text": "x"})).status for _ in range(4)]
        assert ["on it", "more", "x", "x", "x"] == [each["text"] for each in server.ephemerals("incidents", VISITOR)]
        assert ["all"] == [each["text"] for each in server.messages("incidents")]
        assert [200, 200, 200, 404] == statuses

    converse(conversation)


def test_a_command_without_an_answer_is_told_to_the_asker():
    """Commands are sent once."""

    async def conversation(server, app):
        app.answer = lambda _request: None
        await server.slash(VISITOR, "incidents", "/rootcause")
        [told] = await server.wait_for(lambda: server.ephemerals("incidents", VISITOR))
        assert "operation_timeout" in told["text"]
        assert 1 == len(app.heard)

    converse(conversation, ack_s=0.05)


def test_a_press_opens_a_modal_that_can_be_submitted():
    """Trigger ids work once and in time; the view's state comes back; the answer may update, refuse or close it."""

    async def conversation(server, app):
        await app.web.chat_postMessage(channel=INCIDENTS, text="x", blocks=[button("evidence", value="case-1")])
        await server.press(VISITOR, "incidents", "evidence")
        pressed = await server.wait_for(lambda: [each for each in app.heard if each.type == "interactive"])
        payload = pressed[0].payload
        assert ("evidence", "case-1", "row") == tuple(
            payload["actions"][0][each] for each in ("action_id", "value", "block_id")
        )
        title = {"type": "plain_text", "text": "Evidence"}
        view = {"type": "modal", "title": title, "blocks": [section("1")], "callback_id": "page"}
        opened = await app.web.views_open(trigger_id=payload["trigger_id"], view=view)
        with pytest.raises(SlackApiError) as refused:
            await app.web.views_open(trigger_id=payload["trigger_id"], view=view)
        assert "exchanged_trigger_id" == refused.value.response["error"]
        view_id = opened["view"]["id"]
        app.answer = lambda _request: {"response_action": "update", "view": {**view, "blocks": [section("2")]}}
        await server.acts.submit(VISITOR, view_id, {"b": {"a": {"type": "plain_text_input", "value": "v"}}})
        assert "v" == app.heard[-1].payload["view"]["state"]["values"]["b"]["a"]["value"]
        await server.wait_for(lambda: server.workspace.views[view_id]["blocks"][0]["text"]["text"] == "2")
        app.answer = lambda _request: {}
        await server.acts.submit(VISITOR, view_id)
        await server.wait_for(lambda: view_id not in server.workspace.views)

    converse(conversation)


def test_what_the_app_answers_badly_is_said_to_the_person():
    """An acknowledgement with blocks or a view that Slack refuses is told, not lost."""

    async def conversation(server, app):
        app.answer = lambda _request: {"text": "x", "blocks": [section("")]}
        await server.slash(VISITOR, "incidents", "/rootcause")
        [told] = await server.wait_for(lambda: server.ephemerals("incidents", VISITOR))
        assert "invalid_blocks" in told["text"]
        errors = []
        server.workspace.watch(lambda change: errors.append(change.detail) if change.kind == "view_errors" else None)
        trigger = server.surfaces.triggers.give("t1", VISITOR, server.workspace.clock())
        view = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": []}
        opened = await app.web.views_open(trigger_id=trigger, view=view)
        app.answer = lambda _request: {"response_action": "update", "view": {"type": "modal"}}
        await server.acts.submit(VISITOR, opened["view"]["id"])
        await server.wait_for(lambda: errors)
        assert {"": "The app's answer was refused (invalid_arguments)."} == errors[0]["errors"]

    converse(conversation)


def test_the_bot_hears_nothing_of_where_it_is_not():
    """Channels without the bot are silent; reactions, joins and edits are heard where it is."""

    async def conversation(server, app):
        server.post_as(VISITOR, "general", "unheard")
        posted = server.post_as(VISITOR, "incidents", "heard")
        server.acts.react_as(VISITOR, "incidents", posted["ts"], "eyes")
        server.acts.edit_as(VISITOR, "incidents", posted["ts"], "heard again")
        await server.wait_for(lambda: len(app.heard) == 3)
        assert ["message", "message", "reaction_added"] == sorted(app.events())
        changed = [each.payload["event"] for each in app.heard if each.payload["event"].get("subtype")]
        assert ["message_changed"] == [each["subtype"] for each in changed]

    converse(conversation)


@pytest.mark.parametrize(
    ("kind", "posted"),
    [
        *(("server_error", 0), ("reset_before", 0), ("html", 0)),
        *(("error_after", 1), ("reset_after", 1), ("truncated", 1)),
    ],
)
def test_a_fault_spoils_the_answer_and_only_some_the_deed(kind, posted):
    """Faults named *after* leave the message posted although the caller saw a failure; the next call goes well."""

    async def conversation(server, app):
        app.web.retry_handlers.clear()
        server.faults.plan(CallFault(kind=kind, method="chat.postMessage"))
        with pytest.raises(Exception):  # noqa: B017,PT011 - each fault surfaces as another error of the client
            await app.web.chat_postMessage(channel=INCIDENTS, text="x")
        assert posted == len(server.messages("incidents"))
        await app.web.chat_postMessage(channel=INCIDENTS, text="y")
        assert posted + 1 == len(server.messages("incidents"))

    converse(conversation)


def test_a_slow_answer_trickles():
    """A client with a deadline gives up; the deed was done."""

    async def conversation(server, app):
        server.faults.plan(CallFault(kind="slow", method="chat.postMessage", seconds=30))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await app.web.chat_postMessage(channel=INCIDENTS, text="x")
        assert 1 == len(server.messages("incidents"))

    converse(conversation)


def test_over_http_every_post_is_signed_and_retried():
    """The request URL gets JSON for events and forms for commands, with v0 signatures and retry headers."""
    seen = []

    async def run():
        async def take(request):
            body = await request.read()
            seen.append((dict(request.headers), body))
            return web.Response(status=500 if len(seen) == 1 else 200)

        application = web.Application()
        application.router.add_post("/slack/events", take)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        async with PlaygroundServer(small_workspace(), request_url=url, retry_delays_s=(0.0,)) as server:
            server.post_as(VISITOR, "incidents", "hello")
            await server.wait_for(lambda: server.deliveries[0].acked_at)
            await server.slash(VISITOR, "incidents", "/rootcause", "5d")
            for headers, body in seen:
                signed = b"v0:" + headers["X-Slack-Request-Timestamp"].encode() + b":" + body
                signature = hmac.new(server.signing_secret.encode(), signed, hashlib.sha256).hexdigest()
                assert f"v0={signature}" == headers["X-Slack-Signature"]
        await runner.cleanup()

    asyncio.run(run())
    assert [None, "1", None] == [headers.get("X-Slack-Retry-Num") for headers, _ in seen]
    assert "event_callback" == json.loads(seen[0][1])["type"]
    assert b"command=%2Frootcause" in seen[2][1]
