"""How the app hears of things: envelopes over Socket Mode, or signed posts to its request URL.

https://docs.slack.dev/apis/events-api/using-socket-mode. What is not acknowledged within three seconds is sent again,
up to three times, if it is an event; what people did (commands, presses) is sent once and they see that it failed.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, WSMsgType, web

from bot.playground.faults import Faults, SocketFault
from bot.playground.workspace import Json

EnvelopeKind = Literal["events_api", "slash_commands", "interactive"]

ACK_S = 3.0
RETRY_DELAYS_S = (0.0, 1.0, 5.0)
"""Slack waits nothing, a minute and five minutes; a minute is a second here."""
CONNECTIONS = 10


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One thing told to the app; ``answer`` is what its acknowledgement carried, ``acked_at`` None while it is open."""

    kind: EnvelopeKind
    payload: Json
    sent_at: list[float] = field(default_factory=list)
    acked_at: float | None = None
    answer: Json | None = None

    @property
    def ack_s(self) -> float | None:
        """Seconds from the first sending to the acknowledgement."""
        return None if self.acked_at is None else self.acked_at - self.sent_at[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One sending of a delivery."""

    envelope_id: str
    kind: EnvelopeKind
    payload: Json
    number: int
    reason: str


class Transport(Protocol):
    """A way to the app."""

    async def send(self, attempt: Attempt, timeout_s: float) -> Json | None:
        """Send and wait for the acknowledgement; None where none came in time."""
        ...


class Courier:
    """Sends deliveries, each until it is acknowledged or given up, and keeps them all for tests to look at."""

    def __init__(self, transport: Transport, *, ack_s: float, retry_delays_s: tuple[float, ...]) -> None:
        self.transport = transport
        self.deliveries: list[Delivery] = []
        self.on_change: Callable[[], None] = lambda: None
        self._ack_s = ack_s
        self._retry_delays_s = retry_delays_s
        self._tasks: set[asyncio.Task[Delivery]] = set()
        self._sent = 0

    def tell(self, kind: EnvelopeKind, payload: Json, *, copies: int = 1) -> asyncio.Task[Delivery]:
        """Start a delivery; ``copies`` sends the same more than once at the same time."""
        for _ in range(copies - 1):
            self._start(kind, payload)
        return self._start(kind, payload)

    async def close(self) -> None:
        """Give up whatever is under way."""
        for task in list(self._tasks):
            task.cancel()
        for task in list(self._tasks):
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _start(self, kind: EnvelopeKind, payload: Json) -> asyncio.Task[Delivery]:
        delivery = Delivery(kind=kind, payload=payload)
        self.deliveries.append(delivery)
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver(self, delivery: Delivery) -> Delivery:
        loop = asyncio.get_running_loop()
        delays = self._retry_delays_s if delivery.kind == "events_api" else ()
        for number, delay in enumerate((0.0, *delays)):
            await asyncio.sleep(delay)
            self._sent += 1
            attempt = Attempt(
                envelope_id=f"{self._sent:08x}-0000-4000-8000-{id(delivery) & 0xFFFFFFFFFFFF:012x}",
                kind=delivery.kind,
                payload=delivery.payload,
                number=number,
                reason="timeout" if number else "",
            )
            delivery.sent_at.append(loop.time())
            answer = await self.transport.send(attempt, self._ack_s)
            if answer is not None:
                delivery.acked_at, delivery.answer = loop.time(), answer
                break
        self.on_change()
        return delivery


class SocketFront:
    """The server's end of Socket Mode: connections taken, envelopes sent to any one of them, acknowledgements heard."""

    def __init__(self, app_id: str, faults: Faults) -> None:
        self.connections: list[web.WebSocketResponse] = []
        self.connected = asyncio.Event()
        self.malformed: list[str] = []
        self._app_id = app_id
        self._faults = faults
        self._tickets: set[str] = set()
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._transports: dict[int, asyncio.Transport | None] = {}
        self._turn = 0

    def ticket(self, ticket: str) -> str:
        """Hand out a ticket; it opens one connection."""
        self._tickets.add(ticket)
        return ticket

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Take a connection and hear acknowledgements until it ends."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=408, text="ticket expired")
        self._tickets.discard(ticket)
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        if len(self.connections) >= CONNECTIONS:
            await connection.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await connection.close()
            return connection
        self._transports[id(connection)] = request.transport
        self.connections.append(connection)
        try:
            await self._greet(connection)
            async for message in connection:
                if message.type is WSMsgType.TEXT:
                    self._hear(message.data)
        finally:
            self._leave(connection)
        return connection

    async def send(self, attempt: Attempt, timeout_s: float) -> Json | None:
        """Send an envelope down one connection; waits for one where there is none."""
        heard: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[attempt.envelope_id] = heard
        try:
            async with asyncio.timeout(timeout_s):
                while not self.connections:
                    await self.connected.wait()
                self._turn += 1
                await self._put(self.connections[self._turn % len(self.connections)], _envelope(attempt))
                return await heard
        except (TimeoutError, ConnectionError):
            return None
        finally:
            self._waiting.pop(attempt.envelope_id, None)

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to come anew, as Slack does every few hours."""
        for connection in list(self.connections):
            await self._dismiss(connection, reason)

    async def close(self) -> None:
        """End every connection."""
        for connection in list(self.connections):
            await connection.close()

    async def _greet(self, connection: web.WebSocketResponse) -> None:
        hello: Json = {"type": "hello", "num_connections": len(self.connections)}
        hello["connection_info"] = {"app_id": self._app_id}
        hello["debug_info"] = {"host": "playground", "build_number": 1, "approximate_connection_time": 18060}
        await connection.send_json(hello)
        self.connected.set()

    def _leave(self, connection: web.WebSocketResponse) -> None:
        self._transports.pop(id(connection), None)
        if connection in self.connections:
            self.connections.remove(connection)
        if not self.connections:
            self.connected.clear()

    def _hear(self, text: str) -> None:
        try:
            heard = json.loads(text)
            waiting = self._waiting.get(heard["envelope_id"])
        except (ValueError, KeyError, TypeError):
            self.malformed.append(text)
            return
        if waiting and not waiting.done():
            waiting.set_result(heard.get("payload") or {})

    async def _put(self, connection: web.WebSocketResponse, envelope: Json) -> None:
        fault = self._faults.for_envelope()
        if fault is None:
            await connection.send_json(envelope)
            return
        await self._spoil(connection, envelope, fault)

    async def _spoil(self, connection: web.WebSocketResponse, envelope: Json, fault: SocketFault) -> None:
        if fault.kind == "disconnect":
            await connection.send_json(envelope)
            await self._dismiss(connection, "refresh_requested")
        elif fault.kind in {"drop_mid_envelope", "drop_before"}:
            transport = self._transports.get(id(connection))
            self._leave(connection)
            if transport is not None:
                if fault.kind == "drop_mid_envelope":
                    frame = _frame(json.dumps(envelope).encode())
                    transport.write(frame[: len(frame) // 2])
                    await asyncio.sleep(0.01)  # let the half of it go out before the break
                break_connection(transport)

    async def _dismiss(self, connection: web.WebSocketResponse, reason: str) -> None:
        self._leave(connection)
        with contextlib.suppress(ConnectionError):
            await connection.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "playground"}})
            await connection.close()


class HttpFront:
    """Posts to the app's request URL, signed as Slack signs: v0, HMAC-SHA256 of time and body."""

    def __init__(self, request_url: str, signing_secret: str, clock: Callable[[], float]) -> None:
        self._url = request_url
        self._secret = signing_secret.encode()
        self._clock = clock
        self._session: ClientSession | None = None

    async def send(self, attempt: Attempt, timeout_s: float) -> Json | None:
        """Post once; any answer but a 2xx in time counts as none."""
        if self._session is None:
            self._session = ClientSession()
        body, content_type = _body(attempt)
        headers = {"Content-Type": content_type, **self.signed(body)}
        if attempt.number:
            headers |= {"X-Slack-Retry-Num": str(attempt.number), "X-Slack-Retry-Reason": "http_timeout"}
        try:
            timeout = ClientTimeout(total=timeout_s)
            async with self._session.post(self._url, data=body, headers=headers, timeout=timeout) as response:
                text = await response.text()
                if response.status // 100 != 2:
                    return None
                return _answer(text)
        except (ClientError, TimeoutError):
            return None

    def signed(self, body: bytes) -> dict[str, str]:
        """Give the headers that prove a body is Slack's."""
        at = str(int(self._clock()))
        signature = hmac.new(self._secret, f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={signature}"}

    async def close(self) -> None:
        """End the session."""
        if self._session is not None:
            await self._session.close()


def break_connection(transport: asyncio.BaseTransport) -> None:
    """Reset a connection, without a goodbye."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def _envelope(attempt: Attempt) -> Json:
    envelope: Json = {"envelope_id": attempt.envelope_id, "type": attempt.kind, "payload": attempt.payload}
    envelope["accepts_response_payload"] = attempt.kind != "events_api"
    if attempt.kind == "events_api":
        envelope |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
    return envelope


def _body(attempt: Attempt) -> tuple[bytes, str]:
    if attempt.kind == "events_api":
        return json.dumps(attempt.payload).encode(), "application/json"
    fields = attempt.payload if attempt.kind == "slash_commands" else {"payload": json.dumps(attempt.payload)}
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def _answer(text: str) -> Json:
    try:
        answer = json.loads(text) if text else {}
    except ValueError:
        return {"text": text}
    return answer if isinstance(answer, dict) else {}


def _frame(body: bytes) -> bytes:
    """Write a WebSocket text frame (RFC 6455, 5.2), unmasked as servers send."""
    size = len(body)
    if size < 126:
        return bytes((0x81, size)) + body
    return (
        bytes((0x81, 126)) + struct.pack("!H", size) + body
        if size < 65_536
        else b"\x81\x7f" + struct.pack("!Q", size) + body
    )
