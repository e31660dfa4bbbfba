"""Bodies that others send: too large, without end, packed, or nested deep, to Slack's address and to Alertmanager's."""

import asyncio
import gc
import gzip
import json
import re
import zlib
from pathlib import Path

import pytest
from slack_bolt.app.async_app import AsyncApp

from bot.app_serve import SLACK_PATH, slack_events
from bot.web.alertmanager import PATH, add_alert_webhook
from bot.web.bodies import MOST_BYTES, application
from bot.web.health import Listening

BODY_S = 0.3
MOST_MB = 96
SECRET = "s3cret-of-a-test"
PATHS = (SLACK_PATH, PATH)
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def head(path, kind=JSON, **more):
    """Spell a request's head."""
    named = {"Host": "x", "Content-Type": kind, "Authorization": f"Bearer {SECRET}"}
    lines = {**named, **{name.replace("_", "-"): value for name, value in more.items()}}
    return "\r\n".join(
        [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items()), "", ""]
    ).encode()


def whole(path, body, **more):
    """Spell a whole request."""
    return [head(path, Content_Length=str(len(body)), **more) + body]


def chunks(pieces):
    """Spell pieces of a body whose length nobody tells."""
    for piece in pieces:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)


def status_of(path, pieces, pause_s=0.0):
    """Send pieces to the real addresses until there is an answer; give its status, what the memory grew by, and the firings."""
    fired = []

    async def take(firing):
        fired.append(firing)
        return "taken"

    async def act():
        web = application(BODY_S)
        web.router.add_post(
            SLACK_PATH, slack_events(AsyncApp(token="xoxb-1", signing_secret=SECRET, request_verification_enabled=True))
        )
        add_alert_webhook(web, lambda: SECRET, take)
        async with Listening(web, "127.0.0.1", 0) as listening, asyncio.timeout(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
            gc.collect()
            before = reset_mb()
            answer = asyncio.create_task(reader.readline())
            try:
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(pause_s)
                    if answer.done():
                        break
            except ConnectionError:
                pass  # it has answered and hung up
            line = await answer
            writer.close()
            return int(line.split()[1]), peak_mb() - before

    return (*asyncio.run(act()), fired)


def peak_mb():
    """Give the process's peak since it was last set back."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def reset_mb():
    """Set the peak back to what the process holds now, and give that."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_mb()


def endless(path):
    """Send a body without end, as fast as it goes."""
    yield head(path, Transfer_Encoding="chunked")
    while True:
        yield from chunks([b" " * 65_536])


def trickling(path):
    """Send a byte now and then, without end."""
    yield head(path, Transfer_Encoding="chunked")
    while True:
        yield from chunks([b" "])


def packed(megabytes):
    """Give so many megabytes of blanks as gzip."""
    return gzip.compress(b" " * (megabytes * 2**20))


BAD = {
    "too large": (lambda path: whole(path, b" " * (MOST_BYTES + 1)), {413}),
    "said to be large": (lambda path: [head(path, Content_Length=str(10**12)) + b"x" * 65_536] * 40, {413}),
    "without end": (endless, {413}),
    "packed": (lambda path: whole(path, packed(512), Content_Encoding="gzip"), {400, 413}),
    "packed badly": (lambda path: whole(path, b"no gzip at all", Content_Encoding="gzip"), {400}),
    "deep": (lambda path: whole(path, b"[" * (MOST_BYTES - 10)), {400, 401}),
    "deep in a form": (lambda path: whole(path, b"payload=" + b"[" * 1_000_000, kind=FORM), {400, 401}),
    "crowded": (lambda path: whole(path, b"[" + b"[]," * 600_000 + b"1]"), {200, 400, 401}),
    "no text": (lambda path: whole(path, bytes(range(256)) * 400), {400, 401}),
}  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is set back as Linux does it")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("bad", BAD)
def test_a_hostile_body_is_refused_in_little_memory(path, bad):
    """Nobody has to prove who they are to be refused; nothing begins, and the program lives on."""
    made, expected = BAD[bad]
    status, grown_mb, fired = status_of(path, made(path))
    assert status in expected
    assert grown_mb < MOST_MB
    assert [] == fired


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_never_comes_is_not_waited_for(path):
    """A byte now and then, or none: refused when its time is over."""
    assert 408 == status_of(path, trickling(path), pause_s=0.02)[0]
    assert 408 == status_of(path, [head(path, Content_Length="100")])[0]


def test_an_honest_body_is_taken():
    """The same addresses take what is whole, packed or not."""
    alert = {"status": "firing", "labels": {"alertname": "Down"}, "startsAt": "2026-11-18T00:00:00Z"}
    body = json.dumps({"version": "4", "alerts": [alert]}).encode()
    status, _, fired = status_of(PATH, whole(PATH, body))
    assert (200, [("Down",)]) == (status, [firing.names for firing in fired])
    assert 200 == status_of(PATH, whole(PATH, zlib.compress(body), Content_Encoding="deflate"))[0]
