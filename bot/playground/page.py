"""The page's side of the server: what a browser asks for, hears of and does.

Changes go out as server-sent events; what people do comes in as one JSON post each. Only this machine is answered: the
Host header must name the loopback, posts must be JSON (which other sites' pages cannot send), and nothing is loaded
from elsewhere.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import PurePosixPath

from aiohttp import web

from bot.playground.acts import Acts
from bot.playground.delivery import Delivery
from bot.playground.page_state import channel_state, home_state, news_of, page_state
from bot.playground.refusal import Refusal
from bot.playground.seed import VISITOR
from bot.playground.typed import encode
from bot.playground.workspace import Change, Json, Workspace

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

QUEUE = 1000
"""Changes kept for a browser that does not read; one that falls further behind is sent away and comes anew."""
KEEP_ALIVE_S = 15.0

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_SHOWN_IN_PLACE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Page:
    """The page of a workspace and the streams of the browsers that look at it."""

    def __init__(self, workspace: Workspace, acts: Acts) -> None:
        self._workspace = workspace
        self._acts = acts
        self._streams: dict[asyncio.Queue[str | None], str] = {}
        self._tasks: set[asyncio.Task[Delivery]] = set()
        self.suggestions: Json = {"channel": [], "thread": []}

    def add_routes(self, application: web.Application) -> None:
        """Add the page's addresses."""
        for path, handler in (
            ("/", self._index),
            ("/archives/{channel}/{message}", self._index),
            ("/static/{name}", self._static),
            ("/files/{file}/{name}", self._file),
            ("/page/state", self._state),
            ("/page/channel/{channel}", self._channel),
            ("/page/events", self._events),
        ):
            application.router.add_get(path, self._local(handler))
        application.router.add_post("/page/act", self._local(self._act))

    def notice(self, change: Change) -> None:
        """Send a change to every browser that may see it."""
        for queue, viewer in list(self._streams.items()):
            news = news_of(self._workspace, change, viewer)
            if news is None:
                continue
            try:
                queue.put_nowait(json.dumps(news))
            except asyncio.QueueFull:
                self._send_away(queue)

    def close(self) -> None:
        """End every stream."""
        for queue in list(self._streams):
            self._send_away(queue)

    def _send_away(self, queue: asyncio.Queue[str | None]) -> None:
        self._streams.pop(queue, None)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    def _local(self, handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            if (request.url.host or "") not in {"127.0.0.1", "localhost"}:
                return web.Response(status=403, text="This page answers on 127.0.0.1 and localhost only.")
            response = await handler(request)
            if not response.prepared:
                response.headers.update(_HEADERS)
            return response

        return checked

    async def _index(self, _request: web.Request) -> web.Response:
        return _packaged("index.html")

    async def _static(self, request: web.Request) -> web.Response:
        return _packaged(request.match_info["name"])

    async def _file(self, request: web.Request) -> web.Response:
        file = self._workspace.files.get(request.match_info["file"])
        if file is None:
            return web.Response(status=404)
        body = self._workspace.file_bytes[file["id"]]
        if file["mimetype"] in _SHOWN_IN_PLACE:
            return web.Response(body=body, content_type=file["mimetype"])
        # whatever else was uploaded is never run here: plain text is shown, the rest is saved
        if file["mimetype"].startswith("text/") or file["mimetype"] == "application/json":
            return web.Response(body=body, content_type="text/plain", charset="utf-8")
        saved = {"Content-Disposition": "attachment"}
        return web.Response(body=body, content_type="application/octet-stream", headers=saved)

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(
            {**page_state(self._workspace, self._viewer(request)), "suggestions": self.suggestions}
        )

    async def _channel(self, request: web.Request) -> web.Response:
        viewer = self._viewer(request)
        try:
            state = channel_state(self._workspace, request.match_info["channel"], viewer)
        except Refusal:
            return web.json_response({"error": "channel_not_found"}, status=404)
        return web.json_response({**state, "home": home_state(self._workspace, viewer)})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", **_HEADERS})
        await stream.prepare(request)
        queue: asyncio.Queue[str | None] = asyncio.Queue(QUEUE)
        self._streams[queue] = self._viewer(request)
        try:
            await stream.write(b"retry: 500\n\n")
            while await self._forward(queue, stream):
                pass
        except ConnectionError:
            pass  # the browser went away; its stream is dropped below
        finally:
            self._streams.pop(queue, None)
        return stream

    async def _forward(self, queue: asyncio.Queue[str | None], stream: web.StreamResponse) -> bool:
        news: str | None = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KEEP_ALIVE_S):
                news = await queue.get()
        if news is None:
            return False
        await stream.write(f"data: {news}\n\n".encode() if news else b": still here\n\n")
        return True

    async def _act(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return web.json_response({"error": "JSON is expected"}, status=415)
        try:
            done = self._carry_out(self._viewer(request), dict(await request.json()))
        except Refusal as refused:
            return web.json_response({"error": refused.code}, status=400)
        except (ValueError, KeyError, TypeError):
            return web.json_response({"error": "invalid_arguments"}, status=400)
        return web.json_response({"done": done})

    def _viewer(self, request: web.Request) -> str:
        wanted = request.query.get("as", VISITOR)
        return wanted if wanted in self._workspace.people else VISITOR

    def _carry_out(self, user: str, given: Json) -> str:
        act = str(given["act"])
        told = self._in_channel(user, act, given) if "channel" in given else self._elsewhere(user, act, given)
        if told is not None:
            self._tasks.add(told)
            told.add_done_callback(self._tasks.discard)
        return act

    def _in_channel(self, user: str, act: str, given: Json) -> asyncio.Task[Delivery] | None:
        channel = str(given["channel"])
        if act == "post":
            return self._post(user, channel, given)
        if act == "press":
            return self._acts.press(user, channel, given["action_id"], ts=given["ts"], chosen=given.get("chosen"))
        if act == "shortcut":
            return self._acts.message_shortcut(user, channel, given["ts"], given["callback_id"])
        if act == "react":
            self._acts.react_as(user, channel, given["ts"], given["name"])
        elif act == "dismiss":
            place = self._workspace.find(channel)
            place.ephemerals = [each for each in place.ephemerals if (each["ts"], each["to"]) != (given["ts"], user)]
        else:
            raise Refusal("unknown_act")
        return None

    def _post(self, user: str, channel: str, given: Json) -> asyncio.Task[Delivery] | None:
        text, thread_ts = str(given["text"]).strip(), given.get("thread_ts")
        command, _, rest = text.partition(" ")
        if self._workspace.find(channel).is_archived:
            raise Refusal("is_archived")
        if not text.startswith("/"):
            self._acts.post_as(user, channel, encode(self._workspace, text), thread_ts)
            return None
        if command not in self._workspace.app.commands:
            raise Refusal("unknown_command")
        if thread_ts:
            raise Refusal("command_in_thread")
        return self._acts.slash(user, channel, command, encode(self._workspace, rest.strip()))

    def _elsewhere(self, user: str, act: str, given: Json) -> asyncio.Task[Delivery] | None:
        if act == "shortcut":
            return self._acts.global_shortcut(user, given["callback_id"])
        if act == "home":
            return self._acts.open_home(user, given.get("tab", "home"))
        view_id, values = given["view_id"], given.get("values")
        if act == "submit":
            return self._acts.submit(user, view_id, values)
        if act == "close":
            return self._acts.close_view(user, view_id)
        if act == "press":
            return self._acts.press_in_view(
                user, view_id, given["action_id"], chosen=given.get("chosen"), values=values
            )
        raise Refusal("unknown_act")


def _packaged(name: str) -> web.Response:
    path = PurePosixPath(name)
    if path.name != name or path.suffix not in _TYPES:
        return web.Response(status=404)
    found = files("bot.playground").joinpath("static", name)
    if not found.is_file():
        return web.Response(status=404)
    return web.Response(body=found.read_bytes(), content_type=_TYPES[path.suffix], charset="utf-8")
