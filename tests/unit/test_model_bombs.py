"""Endpoints whose answers have no end, or become more than they were: each ends in a sentence, in time, and fills no memory."""

import gc
import gzip
import itertools
import json
import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.analyst.model_answer import UnreadableAnswerError, json_object
from bot.domain.model import ModelRequest, says
from bot.errors import ModelError, ModelGarbledError, ModelTimeoutError
from bot.models.messages import MessagesModel, Patience
from bot.settings import ModelSettings

MOST_MB = 320
"""Above what the process had: an answer at its limit, in pieces and put together."""
PIECE = 64 * 1024


def event(kind, **told):
    """Spell an event of a stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **told})}\n\n".encode()


START = event(
    "message_start",
    message={"id": "m", "type": "message", "role": "assistant", "model": "qwen", "content": [], "usage": {}},
)
TEXT = START + event("content_block_start", index=0, content_block={"type": "text", "text": ""})
CALL = START + event(
    "content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "name": "look", "input": {}}
)
WORDS = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "and so on " * 400})
PING = event("ping")
END = (
    event("content_block_stop", index=0)
    + event("message_delta", delta={"stop_reason": "end_turn"}, usage={})
    + event("message_stop")
)
STREAM = {"content-type": "text/event-stream"}
BLANKS = b" " * PIECE


def written(arguments):
    """Give a call's arguments in pieces, as a stream has them."""
    for at in range(0, len(arguments), 1_000_000):
        yield event(
            "content_block_delta",
            index=0,
            delta={"type": "input_json_delta", "partial_json": arguments[at : at + 1_000_000]},
        )


BOMBS = {
    # name: status, headers, pieces
    "words without end": (200, STREAM, lambda: itertools.chain([TEXT], itertools.repeat(WORDS))),
    "pings without end": (200, STREAM, lambda: itertools.repeat(PING * 500)),
    "a line without end": (200, STREAM, lambda: itertools.chain([TEXT, b"data: "], itertools.repeat(BLANKS))),
    "deep": (200, STREAM, lambda: [START, b"event: content_block_start\ndata: ", b"[" * 3_000_000, b"\n\n"]),
    "empty lists": (200, STREAM, lambda: [START, b'event: content_block_start\ndata: {"a":[', b"[]," * 1_300_000, b"1]}\n\n"]),
    "an error without end": (500, {"content-type": "application/json"}, lambda: itertools.repeat(BLANKS)),
    "packed": (200, STREAM | {"content-encoding": "gzip"}, lambda: [gzip.compress(b" " * 2**28, 1)]),
    "a page without end": (200, {"content-type": "text/html"}, lambda: itertools.repeat(BLANKS)),
}  # fmt: skip


def server(status, headers, pieces):
    """Give the handler of a server that answers every question so."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            """Say nothing."""

        def do_POST(self):
            """Answer until nobody listens."""
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for piece in pieces():
                    self.wfile.write(piece)
            except OSError:
                self.close_connection = True

    return Handler


@contextmanager
def serving(handler):
    """Serve on the loopback; gives the address."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}"
    finally:
        http.shutdown()
        http.socket.close()


def ask(url, deadline_s=20.0):
    """Ask once."""
    request = ModelRequest(system="s", turns=(says("why?"),), deadline_s=deadline_s)
    return MessagesModel(ModelSettings(model="qwen", url=url, key="k"), Patience(tries=1)).reply(request)


def peak_mb():
    """Give the process's peak since it was last set back."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    """Load the library before memory is measured."""
    with serving(server(200, STREAM, lambda: [TEXT, WORDS, END])) as url:
        assert ask(url).text.startswith("and so on")


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is set back as Linux does it")
@pytest.mark.parametrize(
    "bomb", [pytest.param(name, marks=pytest.mark.full) if "pings" in name else name for name in BOMBS]
)
def test_an_answer_that_is_none_is_not_read(bomb):
    """It is refused with a sentence that names the endpoint, long before the deadline."""
    with serving(server(*BOMBS[bomb])) as url:
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        before, began = peak_mb(), time.monotonic()
        with pytest.raises(ModelError) as refused:
            ask(url)
        assert time.monotonic() - began < 15
        assert peak_mb() - before < MOST_MB
    assert "127.0.0.1" in str(refused.value)
    assert not isinstance(refused.value, ModelTimeoutError)
    if "without end" in bomb or bomb == "packed":
        assert isinstance(refused.value, ModelGarbledError)


@pytest.mark.parametrize(
    "arguments", ["[" * 200_000, '{"a":[' + "[]," * 5_000_000 + "1]}"], ids=["deep", "empty lists"]
)
def test_a_call_of_a_tool_with_arguments_that_would_not_fit_has_none(arguments):
    """The answer stands, what was written can be shown, and nothing is decoded."""
    with serving(server(200, STREAM, lambda: [CALL, *written(arguments), END])) as url:
        (call,) = ask(url).calls
    assert (None, arguments) == (call.arguments, call.raw)


def test_a_byte_now_and_then_keeps_nobody_beyond_the_deadline():
    """A stream that says a little every moment ends with the deadline of the whole."""

    def trickle():
        yield TEXT
        while True:
            time.sleep(0.05)
            yield b":"

    with serving(server(200, STREAM, trickle)) as url:
        began = time.monotonic()
        with pytest.raises(ModelTimeoutError):
            ask(url, deadline_s=1.0)
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    "text",
    [
        '{"verdict":' + "[" * 100_000,
        '{"verdict":' + "[" * 900 + "]" * 900 + "}",
        "{" * 5_000_000,
        '{"verdict":[' + "[]," * 5_000_000 + "1]}",
    ],
)
def test_an_answer_that_is_too_deep_or_too_much_is_unreadable(text):
    """Whatever a model writes, its document is found or said to be none."""
    with pytest.raises(UnreadableAnswerError, match="no JSON object"):
        json_object(text, "verdict")
