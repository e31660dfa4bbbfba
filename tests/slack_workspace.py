"""A Slack workspace on loopback that answers what the source asks, and misbehaves on demand.

A raw TCP server, because the faults are below HTTP: answers that trickle, stop, or are reset. It follows the pages of the
methods on docs.slack.dev for what is asked here and knows nothing else.
"""

import asyncio
import json
import socket
import struct
from collections import Counter
from collections.abc import Mapping
from urllib.parse import parse_qsl

from loopback import Loopback

HTML = b"<!doctype html><title>Sign in</title><p>Please sign in to continue</p>"


class SlackWorkspace(Loopback):
    """One channel ``C1`` and its people. ``faults`` holds, by method, what the next calls get instead of an answer.

    A fault: ``hang``, ``trickle``, ``cut``, ``reset``, ``html``, ``garbage``, ``429:<seconds>``, ``<status>``, or one of
    Slack's error codes. ``forever`` holds faults that do not pass.
    """

    def __init__(self, messages=(), *, replies=None, users=None, page=200, created=0):
        super().__init__()
        self.messages = sorted(messages, key=lambda each: -float(each["ts"]))
        self.replies = replies or {}
        self.users = users or {"U1": "Ada", "U2": "Bob"}
        self.page = page
        self.created = created
        self.faults: dict[str, list[str]] = {}
        self.forever: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self._tasks = set()

    @property
    def url(self):
        """The base URL of the Web API."""
        return f"http://127.0.0.1:{self.port}/api/"

    async def serve(self):
        """Answer until it is over."""
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.ready(server)
        await self.over.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.wait(self._tasks, timeout=5) if self._tasks else None

    async def _client(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(asyncio.current_task())
            writer.close()

    async def _exchange(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.split("\r\n")
        headers = {key.lower(): value.strip() for key, _, value in (each.partition(":") for each in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method = line.split()[1].removeprefix("/api/")
        arguments = dict(parse_qsl(body.decode()))
        self.calls[method] += 1
        self.asked.append((method, arguments))
        fault = self.forever.get(method) or (self.faults.get(method) or [""]).pop(0)
        told = {"ok": False, "error": "not_authed"}
        if headers.get("authorization") == "Bearer xoxb-test":
            told = self._answer(method, arguments)
        return await self._send(writer, fault, told)

    async def _send(self, writer, fault, told):  # noqa: C901 - a branch for each fault
        content = json.dumps(told).encode()
        if fault == "hang":
            await asyncio.sleep(60)
        elif fault == "trickle":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n")
            for _ in range(600):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.1)
        elif fault == "cut":
            writer.write(_http(content)[:-20])
        elif fault == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        elif fault == "html":
            writer.write(_http(HTML, kind="text/html"))
        elif fault == "garbage":
            writer.write(_http(content[: len(content) // 2]))
        elif fault.startswith("429:"):
            writer.write(_http(b'{"ok":false,"error":"ratelimited"}', 429, more=f"Retry-After: {fault[4:]}\r\n"))
        elif fault.isdigit():
            writer.write(_http(b"upstream says no", int(fault), kind="text/plain"))
        elif fault:
            writer.write(_http(json.dumps({"ok": False, "error": fault, "needed": "channels:history"}).encode()))
        else:
            writer.write(_http(content))
        await writer.drain()
        return fault in {"", "html", "garbage"} or fault[:3].isdigit()

    def _answer(self, method, arguments):  # noqa: PLR0911 - an answer for each method
        if method == "auth.test":
            return {"ok": True, "url": "https://acme.slack.com/", "user_id": "U0", "bot_id": "B0"}
        if method == "conversations.info":
            return {"ok": True, "channel": {"id": "C1", "name": "incident", "created": self.created}}
        if method == "conversations.history":
            return self._page(self.messages, arguments)
        if method == "conversations.replies":
            root = next((each for each in self.messages if each["ts"] == arguments["ts"]), None)
            if root is None and arguments["ts"] not in self.replies:
                return {"ok": False, "error": "thread_not_found"}
            thread = self.replies.get(arguments["ts"], [])
            return self._page(thread, arguments, always=[root] if root else [])
        if method == "users.info":
            name = self.users.get(arguments["user"])
            user = {"id": arguments["user"], "name": "x", "profile": {"display_name": name}}
            return {"ok": True, "user": user} if name else {"ok": False, "error": "user_not_found"}
        if method == "users.list":
            people = [{"id": each, "profile": {"display_name": name}} for each, name in self.users.items()]
            return {"ok": True, "members": people, "response_metadata": {"next_cursor": ""}}
        return {"ok": False, "error": "unknown_method"}

    def _page(self, messages, arguments, always=()):
        oldest, latest = float(arguments["oldest"]), float(arguments["latest"])
        inside = [*always, *(each for each in messages if oldest <= float(each["ts"]) <= latest)]
        size = min(self.page, int(arguments["limit"]))
        first = int(arguments.get("cursor", "at0").removeprefix("at"))
        more = first + size < len(inside)
        return {
            "ok": True,
            "messages": inside[first : first + size],
            "has_more": more,
            "response_metadata": {"next_cursor": f"at{first + size}" if more else ""},
        }


def _http(body, status=200, *, kind="application/json; charset=utf-8", more=""):
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body
