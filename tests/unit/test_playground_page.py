"""The page's addresses: only this machine is answered, and everybody sees their own."""

import asyncio
import json

import pytest
from aiohttp import ClientSession

from bot.playground.page_state import channel_state, news_of, page_state
from bot.playground.refusal import Refusal
from bot.playground.seed import GUEST, VISITOR, small_workspace
from bot.playground.server import PlaygroundServer
from bot.playground.workspace import Change


def visit(conversation):
    """Run a conversation of a browser with a server."""

    async def run():
        async with PlaygroundServer(small_workspace()) as server, ClientSession(server.url) as browser:
            await conversation(server, browser)

    asyncio.run(run())


@pytest.mark.parametrize("name", ["index.html", "app.js", "style.css", "icon.svg"])
def test_the_page_is_served_with_its_rules(name):
    """Every part comes from the package, with a policy that lets nothing else in."""

    async def conversation(_server, browser):
        async with browser.get(f"/static/{name}") as answer:
            assert 200 == answer.status
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]

    visit(conversation)


@pytest.mark.parametrize("path", ["/static/..%2Fserver.py", "/static/server.py", "/static/nothing.js", "/files/F1/x"])
def test_nothing_else_is_served(path):
    """No path leads out of the static folder."""

    async def conversation(_server, browser):
        async with browser.get(path) as answer:
            assert 404 == answer.status

    visit(conversation)


def test_other_sites_cannot_reach_the_page():
    """A foreign Host header is turned away, and a form of another site's page is not taken for an act."""

    async def conversation(server, browser):
        async with browser.get("/page/state", headers={"Host": "evil.example"}) as answer:
            assert 403 == answer.status
        act = {"act": "post", "channel": "C0INCIDENTS", "text": "hi"}
        async with browser.post("/page/act", data=json.dumps(act), headers={"Content-Type": "text/plain"}) as answer:
            assert 415 == answer.status
        assert [] == server.messages("incidents")

    visit(conversation)


@pytest.mark.parametrize(
    ("act", "error"),
    [
        ({"act": "post", "channel": "C0INCIDENTS", "text": "/nonsense"}, "unknown_command"),
        ({"act": "post", "channel": "C0ARCHIVE", "text": "hi"}, "is_archived"),
        ({"act": "post", "channel": "C0NOWHERE", "text": "hi"}, "channel_not_found"),
        ({"act": "press", "channel": "C0INCIDENTS", "ts": "1.0", "action_id": "x"}, "message_not_found"),
        ({"act": "nonsense", "view_id": "V1"}, "unknown_act"),
        ({"act": "post", "channel": "C0INCIDENTS"}, "invalid_arguments"),
        ([], "invalid_arguments"),
    ],
)
def test_an_act_that_cannot_be_is_said(act, error):
    """The browser gets a word it can show."""

    async def conversation(_server, browser):
        async with browser.post("/page/act", json=act) as answer:
            assert (400, error) == (answer.status, (await answer.json())["error"])

    visit(conversation)


def test_news_come_as_they_happen():
    """A post of somebody else arrives on the stream with the message as it is."""

    async def conversation(server, browser):
        async with browser.get("/page/events") as stream:
            await stream.content.readuntil(b"\n\n")
            server.post_as("U0ADA", "incidents", "look")
            news = json.loads((await stream.content.readuntil(b"\n\n")).removeprefix(b"data: "))
        assert ("message", "C0INCIDENTS", ["look"]) == (
            news["kind"],
            news["channel"],
            [each["text"] for each in news["messages"]],
        )

    visit(conversation)


def test_uploads_are_never_run():
    """Pictures are shown; what could hold a script is text or a download."""

    async def conversation(server, browser):
        for name, mimetype in (("a", "image/png"), ("b", "text/html"), ("c", "image/svg+xml")):
            server.workspace.files[name] = {"id": name, "mimetype": mimetype}
            server.workspace.file_bytes[name] = b"<script>1</script>"
        kinds = []
        for name in "abc":
            async with browser.get(f"/files/{name}/x") as answer:
                kinds.append(answer.headers["Content-Type"].partition(";")[0])
        assert ["image/png", "text/plain", "application/octet-stream"] == kinds

    visit(conversation)


def test_private_places_are_seen_by_their_members():
    """A guest sees neither the private channel nor its news nor somebody else's ephemeral messages."""
    workspace = small_workspace()
    assert "C0PRIVATE" in {each["id"] for each in page_state(workspace, VISITOR)["channels"]}
    assert "C0PRIVATE" not in {each["id"] for each in page_state(workspace, GUEST)["channels"]}
    with pytest.raises(Refusal, match="channel_not_found"):
        channel_state(workspace, "C0PRIVATE", GUEST)
    posted = Change(kind="message", channel="C0PRIVATE", detail={"ts": "1.000000", "text": "x"})
    whispered = Change(kind="ephemeral", channel="C0INCIDENTS", detail={"ts": "1.000000", "text": "x", "to": VISITOR})
    assert [None, None] == [news_of(workspace, each, GUEST) for each in (posted, whispered)]
    assert ["x"] == [each["text"] for each in news_of(workspace, whispered, VISITOR)["messages"]]
