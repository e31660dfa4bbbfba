"""The loopback server: API methods over HTTP, Socket Mode, uploads and response URLs, for one workspace.

Only 127.0.0.1 is listened on. A page is added by ``page``; this module serves the app alone.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from bot.playground import methods_chat as chat, methods_read as read
from bot.playground.acts import Acts
from bot.playground.call import Arguments, Call
from bot.playground.delivery import ACK_S, RETRY_DELAYS_S, Courier, Delivery, HttpFront, SocketFront, break_connection
from bot.playground.events import event_payload, events_of
from bot.playground.faults import CallFault, Faults
from bot.playground.limits import RateLimits, too_fast
from bot.playground.methods_surfaces import Surfaces
from bot.playground.page import Page
from bot.playground.refusal import Refusal
from bot.playground.responses import ResponseUrls
from bot.playground.workspace import Change, Json, Workspace

HOST = "127.0.0.1"
BODY_BYTES = 64 * 1024 * 1024
Found = TypeVar("Found")
Handler = Callable[[Call], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One call as it came in, and what was answered; ``answer`` is None where a fault swallowed it."""

    method: str
    args: Json
    at: float
    answer: Json | None
    status: int


class PlaygroundServer:
    """Serves a workspace while its context is open; ``port`` 0 takes any free one.

    ``request_url`` has events posted there, signed, instead of sent down sockets. ``rate_limits`` False switches off
    429s (not the other limits). ``ack_s`` and ``retry_delays_s`` set when an event counts as unheard and comes again.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        port: int = 0,
        rate_limits: bool = True,
        request_url: str | None = None,
        ack_s: float = ACK_S,
        retry_delays_s: tuple[float, ...] = RETRY_DELAYS_S,
    ) -> None:
        self.workspace = workspace
        self.port = port
        self.bot_token = f"xoxb-playground-{secrets.token_hex(12)}"
        self.app_token = f"xapp-playground-{secrets.token_hex(12)}"
        self.signing_secret = secrets.token_hex(16)
        self.faults = Faults()
        self.calls: list[Called] = []
        self.sockets = SocketFront(workspace.app.app_id, self.faults)
        self._http = HttpFront(request_url, self.signing_secret, workspace.clock) if request_url else None
        self.courier = Courier(self._http or self.sockets, ack_s=ack_s, retry_delays_s=retry_delays_s)
        self.courier.on_change = self._wake
        self.surfaces = Surfaces()
        self._responses = ResponseUrls(workspace, lambda: self.url)
        self.acts = Acts(workspace, self.courier, self.surfaces, self._responses)
        self.limits = RateLimits(workspace.clock, enforced=rate_limits)
        self.page = Page(workspace, self.acts)
        self._methods = self._table()
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        # what people did in this workspace before it was served is history, not news
        workspace.watch(self._notice)

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        """What the app is given in place of ``https://slack.com/api/``."""
        return f"{self.url}/api/"

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything the app was told, acknowledged or not."""
        return self.courier.deliveries

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=BODY_BYTES)
        application.router.add_route("*", "/api/{method}", self._api)
        application.router.add_get("/link", self.sockets.connect)
        application.router.add_post("/upload/{file}", self._upload)
        application.router.add_post("/response/{name}", self._respond)
        self.page.add_routes(application)
        self._runner = web.AppRunner(application, shutdown_timeout=1.0, handler_cancellation=True, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.port)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self.page.close()
        await self.courier.close()
        await self.sockets.close()
        if self._http is not None:
            await self._http.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def post_as(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Json:
        """Post as somebody and give the message; see ``Acts.post_as``."""
        return self.acts.post_as(user, channel, text, thread_ts)

    def slash(self, user: str, channel: str, command: str, text: str = "") -> asyncio.Task[Delivery]:
        """Give a slash command; await the task for its acknowledgement."""
        return self.acts.slash(user, channel, command, text)

    def press(
        self, user: str, channel: str, action_id: str, *, ts: str | None = None, chosen: Json | None = None
    ) -> asyncio.Task[Delivery]:
        """Press a button; see ``Acts.press``."""
        return self.acts.press(user, channel, action_id, ts=ts, chosen=chosen)

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Json]:
        """List a channel's messages oldest first, replies included, or one thread's."""
        place = self.workspace.find(channel)
        return list(place.messages.values()) if thread_ts is None else place.thread(thread_ts)

    def ephemerals(self, channel: str, user: str) -> list[Json]:
        """List what only somebody saw in a channel."""
        return [each for each in self.workspace.find(channel).ephemerals if each["to"] == user]

    def calls_of(self, method: str) -> list[Called]:
        """List the calls of a method, oldest first."""
        return [each for each in self.calls if each.method == method]

    async def wait_for(self, predicate: Callable[[], Found], timeout_s: float = 5.0) -> Found:
        """Wait until ``predicate`` gives something true, and give it; it is asked after every change.

        Raises TimeoutError.
        """
        async with asyncio.timeout(timeout_s):
            while not (found := predicate()):
                self._changed.clear()
                await self._changed.wait()
        return found

    async def connected(self, timeout_s: float = 5.0) -> None:
        """Wait until the app has a socket open."""
        async with asyncio.timeout(timeout_s):
            await self.sockets.connected.wait()

    def _wake(self) -> None:
        self._changed.set()

    def _notice(self, change: Change) -> None:
        for event in events_of(self.workspace, change):
            self.courier.tell("events_api", event_payload(self.workspace, event))
        self.page.notice(change)
        self._wake()

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args = await _arguments(request)
        fault = self.faults.for_call(method)
        if fault and fault.kind == "ratelimited":
            refused = too_fast(fault.retry_after_s)
            return self._answered(method, args, {"ok": False, "error": refused.code}, refused.status, refused.headers)
        if fault and not fault.is_carried_out:
            self.calls.append(Called(method=method, args=args, at=self.workspace.clock(), answer=None, status=0))
            return await self._spoilt(request, fault, web.Response())
        try:
            answer, status, headers = {"ok": True, **self._carry_out(request, method, args)}, 200, {}
        except Refusal as refused:
            answer, status, headers = (
                {"ok": False, "error": refused.code, **refused.extra},
                refused.status,
                refused.headers,
            )
        response = self._answered(method, args, answer, status, headers)
        return await self._spoilt(request, fault, response) if fault else response

    def _carry_out(self, request: web.Request, method: str, args: Json) -> Json:
        if method not in self._methods:
            raise Refusal("unknown_method", req_method=method)
        handler, tier = self._methods[method]
        self._authenticate(request, method, args)
        self.limits.count(method, tier)
        if method == "chat.postMessage":
            self.limits.count_post(str(args.get("channel", "")))
        return handler(Call(method=method, args=Arguments(args), workspace=self.workspace, base=self.url))

    def _authenticate(self, request: web.Request, method: str, args: Json) -> None:
        if method == "api.test":
            return
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token if scheme == "Bearer" else str(args.get("token", ""))
        if not token:
            raise Refusal("not_authed")
        if token not in {self.bot_token, self.app_token}:
            raise Refusal("invalid_auth")
        if (token == self.app_token) != (method == "apps.connections.open"):
            raise Refusal("not_allowed_token_type")

    def _answered(self, method: str, args: Json, answer: Json, status: int, headers: Mapping[str, str]) -> web.Response:
        shown = {name: value for name, value in args.items() if name != "token"}
        self.calls.append(Called(method=method, args=shown, at=self.workspace.clock(), answer=answer, status=status))
        self._wake()
        scopes = {"X-OAuth-Scopes": ",".join(sorted(self.workspace.app.scopes))}
        return web.json_response(answer, status=status, headers={**scopes, **headers})

    async def _spoilt(self, request: web.Request, fault: CallFault, response: web.Response) -> web.StreamResponse:
        if fault.kind in {"server_error", "error_after"}:
            return web.Response(status=503 if fault.kind == "server_error" else 500, text="upstream error")
        if fault.kind == "html":
            return web.Response(text="<!doctype html><title>Sign in</title>", content_type="text/html")
        if fault.kind == "hang":
            await self._pause(fault.seconds)
            return response
        if fault.kind in {"slow", "truncated"}:
            await self._trickle(request, fault, response.body if isinstance(response.body, bytes) else b"{}")
        if request.transport is not None:
            break_connection(request.transport)
        return web.Response()

    async def _trickle(self, request: web.Request, fault: CallFault, body: bytes) -> None:
        """Send an answer piece by piece over ``seconds``, or half of it at once; then the connection breaks."""
        stream = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await stream.prepare(request)
        if fault.kind == "truncated":
            await stream.write(body[: len(body) // 2])
            return
        for position in range(len(body) - 1):
            await stream.write(body[position : position + 1])
            if await self._pause(fault.seconds / len(body)):
                return

    async def _pause(self, seconds: float) -> bool:
        """Wait; True if the server closed meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                return await self._closing.wait()
        except TimeoutError:
            return False

    async def _upload(self, request: web.Request) -> web.Response:
        taken = self.surfaces.receive(request.match_info["file"], await _file_bytes(request))
        return web.Response(text="OK" if taken else "size mismatch", status=200 if taken else 400)

    async def _respond(self, request: web.Request) -> web.Response:
        try:
            self._responses.take(request.match_info["name"], await request.json())
        except Refusal as refused:
            return web.json_response({"ok": False, "error": refused.code, **refused.extra}, status=refused.status)
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        return web.Response(text="ok")

    def _open_connection(self, call: Call) -> Json:
        ticket = self.sockets.ticket(secrets.token_hex(8))
        return {"url": f"ws://{HOST}:{self.port}/link?ticket={ticket}&app_id={call.workspace.app.app_id}"}

    def _table(self) -> dict[str, tuple[Handler, int]]:
        """List every method with its tier (https://docs.slack.dev/reference/methods)."""
        surfaces = self.surfaces
        return {
            "api.test": (read.api_test, 4),
            "auth.test": (read.auth_test, 5),
            "apps.connections.open": (self._open_connection, 3),
            "assistant.threads.setStatus": (chat.set_status, 5),
            "chat.postMessage": (chat.post_message, 5),
            "chat.update": (chat.update, 3),
            "chat.postEphemeral": (chat.post_ephemeral, 4),
            "chat.delete": (chat.delete, 3),
            "chat.getPermalink": (chat.get_permalink, 5),
            "conversations.history": (read.history, 3),
            "conversations.replies": (read.replies, 3),
            "conversations.info": (read.channel_info, 3),
            "conversations.members": (read.members, 4),
            "conversations.list": (read.list_channels, 2),
            "conversations.join": (read.join, 3),
            "conversations.open": (read.open_direct, 3),
            "users.conversations": (read.my_channels, 3),
            "users.info": (read.user_info, 4),
            "users.list": (read.list_users, 2),
            "usergroups.list": (read.list_groups, 2),
            "usergroups.users.list": (read.group_users, 2),
            "reactions.add": (chat.add_reaction, 3),
            "reactions.remove": (chat.remove_reaction, 2),
            "reactions.get": (chat.get_reactions, 3),
            "views.open": (surfaces.open, 4),
            "views.push": (surfaces.push, 4),
            "views.update": (surfaces.update, 4),
            "views.publish": (surfaces.publish, 4),
            "files.getUploadURLExternal": (surfaces.start_upload, 4),
            "files.completeUploadExternal": (surfaces.complete_upload, 4),
            "files.info": (surfaces.file_info, 4),
        }


async def _arguments(request: web.Request) -> Json:
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            given = json.loads(await request.text() or "{}")
        except ValueError:
            return args
        return {**args, **given} if isinstance(given, dict) else args
    form = await request.post()
    return {**args, **{name: value for name, value in form.items() if isinstance(value, str)}}


async def _file_bytes(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""
