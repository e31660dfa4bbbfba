"""A loopback server that speaks the Messages protocol, says what a test scripts, and fails as real ones do.

It listens on a socket and knows nothing of the client: whatever speaks the protocol can be pointed at it. A script is a
function of the request, or a list of answers given one after another, the last one for ever:

    with ModelServer([Answer(text="yes"), Failing("cut", Answer(text="half of th"))]) as server:
        client_at(server.url)
        assert "why?" == server.asked[-1].question

Nothing sleeps: what stalls, stalls until the server is closed.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

from model_wire import SIGNATURE, Asked, Cache, Refusal, check, check_portable, invalid, prompt_tokens, tokens

Fault = Literal[
    "cut",  # the stream ends, cleanly, before message_stop
    "reset",  # the connection is torn down
    "stall",  # no byte comes any more
    "drip",  # nothing but pings comes any more
    "overloaded",  # an error event inside the stream
    "slow start",  # headers come, the first event never does
    "dead",  # the request is read, not even headers come back
    "no event lines",  # data alone, as some servers write it
    "broken json",  # an event whose data is no JSON
]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A message: what it thinks, says and calls, in this order. ``calls`` are names and arguments (a str: raw JSON)."""

    text: str = ""
    thought: str = ""
    calls: Sequence[tuple[str, Any]] = ()
    stop: str | None = None
    """Its stop reason; None: ``tool_use`` where it calls, else ``end_turn``."""
    category: str | None = None
    """What a refusal names."""
    piece: int = 40
    """Characters of a delta."""


@dataclass(frozen=True)
class Failing:
    """An answer that fails after ``events`` events of it were sent."""

    fault: Fault
    answer: Answer = Answer(text="This will not be heard to its end.")
    events: int = 4


Said = Answer | Failing | Refusal
Script = Callable[[Asked], Said] | Sequence[Said]


class ModelServer:
    """The server; ``asked`` holds every question that came, refused ones too."""

    handler: type | None = None
    """What answers a request, for a server with another envelope"""

    def __init__(
        self,
        script: Script = (Answer(text="I see no cause."),),
        *,
        key: str | None = None,
        model: str | None = None,
        context: int = 1_000_000,
        portable: bool = False,
        largest: int = 32 * 1024 * 1024,
    ) -> None:
        """Serve ``script``; ``portable``: refuse whatever is not in every compatible server, and count nothing."""
        self.script = script
        self.key = key
        self.model = model
        self.context = context
        self.portable = portable
        self.largest = largest
        self.asked: list[Asked] = []
        self.counted: list[Asked] = []
        self.cache = Cache()
        self.closed = threading.Event()
        self.stalled = threading.Event()
        """Set when something stalls."""
        self._lock = threading.Lock()
        server = self
        handler = type("Handler", (self.handler or _Handler,), {"owner": server})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def next(self, asked: Asked) -> Said:
        """Give what the script says to a question, and remember the question."""
        with self._lock:
            self.asked.append(asked)
            number = len(self.asked) - 1
        if callable(self.script):
            return self.script(asked)
        return self.script[min(number, len(self.script) - 1)]


class _Handler(BaseHTTPRequestHandler):
    owner: ModelServer
    streamed_as = "text/event-stream"
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer a question, or count it."""
        length = int(self.headers.get("content-length", 0))
        try:
            asked = self._read(length)
            if self.path.partition("?")[0] == "/v1/messages/count_tokens":
                return self._count(asked)
            self._admit(asked)
            said = self.owner.next(asked)
            if isinstance(said, Refusal):
                raise said
        except Refusal as refusal:
            return self._refuse(refusal)
        with suppress(ConnectionError):  # the client hung up, as it may
            self._stream(asked, said)
        self.close_connection = True
        return None

    def do_GET(self) -> None:
        """Tell about a model, as ``/v1/models/NAME`` does."""
        name = self.path.partition("?")[0].rpartition("/")[2]
        if self.owner.portable or (self.owner.model or name) != name:
            return self._refuse(Refusal(404, "not_found_error", f"model: {name}"))
        about = {
            "id": name,
            "type": "model",
            "display_name": name,
            "created_at": "2026-01-01T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": self.owner.context,
            "max_tokens": 128_000,
        }
        return self._whole(200, json.dumps(about).encode())

    def _read(self, length: int) -> Asked:
        if length > self.owner.largest:
            self.close_connection = True
            while length > 0 and (read := len(self.rfile.read(min(length, 1 << 20)))):
                length -= read
            # from the gateway before the API, which speaks no JSON
            raise Refusal(413, "request_too_large", "", body=b"<html><h1>413 Request Entity Too Large</h1></html>")
        body = json.loads(self.rfile.read(length))
        return Asked(path=self.path, headers={k.lower(): v for k, v in self.headers.items()}, body=body)

    def _admit(self, asked: Asked, *, counting: bool = False) -> None:
        owner = self.owner
        given = {asked.headers.get("x-api-key"), asked.headers.get("authorization", "").removeprefix("Bearer ")}
        if owner.key is not None and owner.key not in given:
            raise Refusal(401, "authentication_error", "invalid x-api-key")
        if owner.portable:
            check_portable(asked)
        else:
            check(asked, counting=counting)
        if owner.model is not None and asked.body["model"] != owner.model:
            raise Refusal(404, "not_found_error", f"model: {asked.body['model']}")
        size = prompt_tokens(asked.body)
        if not counting and size > owner.context:
            raise invalid(f"prompt is too long: {size} tokens > {owner.context} maximum")

    def _count(self, asked: Asked) -> None:
        if self.owner.portable:
            raise Refusal(404, "not_found_error", "Not Found")
        self._admit(asked, counting=True)
        self.owner.counted.append(asked)
        self._whole(200, json.dumps({"input_tokens": prompt_tokens(asked.body)}).encode())

    def _refuse(self, refusal: Refusal) -> None:
        self._whole(refusal.status, refusal.json("req_refused"), refusal.headers)

    def _whole(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        named = {"content-type": "application/json", "request-id": "req_test", **(headers or {})}
        for name, value in {**named, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, asked: Asked, said: Answer | Failing) -> None:
        fault = said.fault if isinstance(said, Failing) else None
        answer = said.answer if isinstance(said, Failing) else said
        if fault == "dead":
            self._stall()
            return
        self.send_response(200)
        for name, value in {
            "content-type": self.streamed_as,
            "request-id": "req_test",
            "connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if fault == "slow start":
            self._stall()
            return
        for number, event in enumerate(self._events(asked, answer)):
            if isinstance(said, Failing) and number == said.events and self._fail(said.fault):
                return
            self._send(event, named=fault != "no event lines")

    def _events(self, asked: Asked, answer: Answer) -> list[dict[str, Any]]:
        bare = self.owner.portable
        usage = (
            {"input_tokens": prompt_tokens(asked.body), "output_tokens": 0}
            if bare
            else self.owner.cache.usage(asked.body)
        )
        return events(asked.body["model"], answer, usage, turn=len(asked.body["messages"]), bare=bare)

    def _send(self, event: dict[str, Any], *, named: bool = True) -> None:
        name = f"event: {event['type']}\n" if named else ""
        self.wfile.write(f"{name}data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()

    def _fail(self, fault: Fault) -> bool:
        """Do what the fault is; False where the stream goes on all the same."""
        if fault == "overloaded":
            error = {"type": "overloaded_error", "message": "Overloaded", "details": None}
            self._send({"type": "error", "error": error, "request_id": "req_test"})
        elif fault == "reset":
            # closing with a linger of no time sends a reset in place of an end
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif fault == "stall":
            self._stall()
        elif fault == "drip":
            self.owner.stalled.set()
            while not self.owner.closed.wait(0.02):
                self._send({"type": "ping"})
        elif fault == "broken json":
            self.wfile.write(b'event: content_block_delta\ndata: {"type": "content_block_delta", "index"\n\n')
        return fault != "no event lines"

    def _stall(self) -> None:
        self.owner.stalled.set()
        self.owner.closed.wait()


def events(
    model: str, answer: Answer, usage: dict[str, Any], *, turn: int = 0, bare: bool = False
) -> list[dict[str, Any]]:
    """Give an answer's events in the order of the wire; ``bare`` as the servers write them that know no more."""
    message = {
        "id": "msg_test",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    told: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    told += [] if bare else [{"type": "ping"}]
    for index, (begin, deltas) in enumerate(_contents(answer, turn)):
        told.append({"type": "content_block_start", "index": index, "content_block": begin})
        told += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        told.append({"type": "content_block_stop", "index": index})
    stop = answer.stop or ("tool_use" if answer.calls else "end_turn")
    details = {"type": "refusal", "category": answer.category, "explanation": None} if stop == "refusal" else None
    written = tokens(answer.text + answer.thought + json.dumps(list(answer.calls)))
    counts: dict[str, Any] = {"output_tokens": written}
    if not bare:
        counts |= {
            key: usage[key] for key in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        }
        counts["output_tokens_details"] = {"thinking_tokens": tokens(answer.thought)}
    delta = {"stop_reason": stop, "stop_sequence": None} | ({} if bare else {"stop_details": details})
    return [*told, {"type": "message_delta", "delta": delta, "usage": counts}, {"type": "message_stop"}]


def _contents(answer: Answer, turn: int) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    told: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if answer.thought:
        deltas = [{"type": "thinking_delta", "thinking": each} for each in _pieces(answer.thought, answer.piece)]
        deltas.append({"type": "signature_delta", "signature": f"{SIGNATURE}{len(answer.thought)}"})
        told.append(({"type": "thinking", "thinking": "", "signature": ""}, deltas))
    if answer.text:
        deltas = [{"type": "text_delta", "text": each} for each in _pieces(answer.text, answer.piece)]
        told.append(({"type": "text", "text": ""}, deltas))
    for number, (name, arguments) in enumerate(answer.calls):
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        deltas = [{"type": "input_json_delta", "partial_json": e} for e in ("", *_pieces(written, answer.piece))]
        told.append(({"type": "tool_use", "id": f"toolu_{turn}_{number}_{name}", "name": name, "input": {}}, deltas))
    return told


def _pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]
