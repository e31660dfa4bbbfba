"""Whole streams, replayed byte by byte as servers write them: what is heard is the same however the network cuts them."""

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from readme import ROOT

from bot.domain.model import ModelRequest, SealedBlock, Tool, ToolResult, Turn, says
from bot.errors import ModelBusyError, ModelCutError, ModelDeclinedError
from bot.models.messages import MessagesModel, Patience
from bot.settings import ModelSettings

STREAMS = ROOT / "tests/streams"
HASTY = Patience(tries=1)
SEARCH = Tool(name="search", description="Find words.", schema={"type": "object"})
CACHE = 851_204


class Replay:
    """Answers every question with a file, in pieces of so many bytes."""

    def __init__(self, name, size):
        self.asked = []
        raw, asked = (STREAMS / f"{name}.sse").read_bytes(), self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                """Say nothing."""

            def do_POST(self):
                """Replay."""
                asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.send_header("content-type", "text/event-stream; charset=utf-8")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                with suppress(ConnectionError):
                    for at in range(0, len(raw), size):
                        piece = raw[at : at + size]
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.write(b"0\r\n\r\n")

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def ask(server, name, *turns):
    """Ask the model that a stream is of."""
    model = {"claude": "claude-sonnet-5-5", "minimax": "MiniMax-M3"}.get(name.split("-")[0], "qwen3")
    request = ModelRequest(system="s", turns=turns or (says("why?"),), tools=(SEARCH,), deadline_s=20.0)
    return MessagesModel(ModelSettings(model=model, url=server.url, key="k"), HASTY).reply(request)


VERDICT = {
    "verdict": "inconclusive",
    "summary": "Überlast im Namespace „shop“ – danach 502 → Wiederholungen 🔁.",
    "steps": [],
    "links": [],
}
"""What every whole answer says."""
WHOLE = {
    # name: input, cached, written, out; kinds of parts; words of the first call
    "claude-end_turn": ((412, 0, CACHE, 187), "sealed text", None),
    "claude-tool_use": ((412, CACHE, 0, 96), "sealed sealed text call call", 'Verbindung zurückgesetzt "reset"'),
    "claude-unusual": ((412, CACHE, 0, 8), "text sealed", None),
    "minimax-tool_use": ((1_804, 612_352, 0, 61), "sealed text call", "重试"),
    "minimax-end_turn": ((614_156, 0, 0, 120), "sealed text", None),
    "llama_cpp-tool_use": ((21_882, 0, 0, 44), "sealed text call", "größer"),
    "vllm-end_turn": ((33_410, 0, 0, 97), "text", None),
}


@pytest.mark.parametrize("size", [1, 7, 1 << 20], ids="pieces of {}".format)
@pytest.mark.parametrize("name", WHOLE)
def test_a_stream_is_heard_whole_however_it_is_cut(name, size):
    """Counts, parts, letters of several bytes and arguments of calls arrive as they were meant."""
    counts, parts, words = WHOLE[name]
    with Replay(name, size) as server:
        reply = ask(server, name)
    spend = reply.spend
    assert counts == (spend.tokens_in, spend.tokens_cached, spend.tokens_written, spend.tokens_out)
    kinds = {"TextBlock": "text", "ToolCall": "call", "SealedBlock": "sealed"}
    assert parts == " ".join(kinds[type(part).__name__] for part in reply.parts)
    assert (("tools" if words else "end"), True) == (reply.stop, reply.complete)
    if words:
        assert words == reply.calls[0].arguments["words"]
    elif name == "claude-unusual":
        assert "Schon dann 502 ✓" == reply.text
    else:
        assert VERDICT == json.loads(reply.text.removeprefix("```json\n").removesuffix("\n```"))


NO_ANSWER = {
    "claude-refusal": ModelDeclinedError,
    "claude-pause_turn": ModelCutError,
    "claude-overloaded": ModelBusyError,
    "ollama-cut": ModelCutError,
}


@pytest.mark.parametrize("size", [1, 1 << 20], ids="pieces of {}".format)
@pytest.mark.parametrize("name", NO_ANSWER)
def test_what_is_no_answer_is_not_taken_for_one(name, size):
    """A refusal, a pause, an error and an end that comes too early, each by its type."""
    with Replay(name, size) as server, pytest.raises(NO_ANSWER[name]):
        ask(server, name)


@pytest.mark.parametrize(
    ("name", "stop"),
    [
        ("claude-max_tokens", "length"),
        ("claude-context_window_exceeded", "context"),
        ("vllm-max_tokens", "length"),
    ],
)
def test_an_answer_that_found_no_room_is_not_complete(name, stop):
    """What there is of it is given, with why it ended; a call that was cut has no arguments."""
    with Replay(name, 3) as server:
        reply = ask(server, name)
    assert (stop, False) == (reply.stop, reply.complete)
    assert [] == [call for call in reply.calls if call.arguments is not None]


@pytest.mark.parametrize("name", [name for name, (_, _, words) in WHOLE.items() if words])
def test_what_was_thought_goes_back_as_it_came(name):
    """A tool's result is sent behind the whole turn, signatures, sealed thoughts and arguments untouched."""
    with Replay(name, 64) as server:
        reply = ask(server, name)
        results = tuple(ToolResult(call=call.id, text="0 hits") for call in reply.calls)
        ask(server, name, says("why?"), reply.turn, Turn(role="asker", parts=results))
    sealed = [json.loads(part.content) for part in reply.parts if isinstance(part, SealedBlock)]
    [_, told, _] = server.asked[1]["messages"]
    assert sealed == [block for block in told["content"] if block["type"] in ("thinking", "redacted_thinking")]
    assert [dict(call.arguments) for call in reply.calls] == [
        block["input"] for block in told["content"] if block["type"] == "tool_use"
    ]
    if name != "llama_cpp-tool_use":  # a local model has nothing to sign with
        assert all(block.get("signature") or block.get("data") for block in sealed)


def test_every_stream_is_told_of():
    """The page beside them says what each holds, and that none was captured."""
    page = (STREAMS / "README.md").read_text()
    names = {path.stem for path in STREAMS.glob("*.sse")}
    assert names == {*WHOLE, *NO_ANSWER, "claude-max_tokens", "claude-context_window_exceeded", "vllm-max_tokens"}
    assert "none was captured" in page
    assert all(name in page or f"-{name.partition('-')[2]}" in page for name in names)
