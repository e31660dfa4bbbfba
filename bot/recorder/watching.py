"""Watch one resource for ever: list, then follow from where the list stood; a pause is caught up with or becomes a gap.

After a restart the watch goes on from the version that was kept with the last batch. Where the server has forgotten that
version (410), the resource is listed anew, and the time in between stands in the archive as not watched.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from bot.archive.keeping import Keeper
from bot.cluster.api import ClusterApi
from bot.cluster.refusals import AbsentError, ExpiredError, ForbiddenError, PassingError, UntoldError
from bot.cluster.resources import INSTEAD, Resource
from bot.domain.crowding import crowded
from bot.domain.kubernetes import part, text

LIST_S = 120.0
"""A list of tens of thousands of pods takes a busy server a minute."""
WATCH_S = 300
"""After so long the server ends a watch and it is begun again, so that a dead connection is not watched for ever."""
SILENCE_S = 100.0
"""A server that sends bookmarks sends one a minute: https://kubernetes.io/docs/reference/using-api/api-concepts/#watch-bookmarks"""
LINE_LIMIT = 16 * 1024 * 1024
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
REFUSED_PAUSE_S = 300.0
QUICK_S = 1.0
"""A watch that ends sooner is not begun again at once."""

Heard = Callable[[Resource, str, dict[str, Any]], Awaitable[None]]
"""``(resource, ADDED | MODIFIED | DELETED | LISTED, object)``."""


@dataclass(slots=True, kw_only=True)
class Watch:
    """One resource, in one namespace or all."""

    api: ClusterApi
    resource: Resource
    namespace: str | None
    keeper: Keeper
    heard: Heard
    now: Callable[[], float]
    pause_s: float = SHORTEST_PAUSE_S
    silence_s: float = SILENCE_S
    seen_first: bool = False
    """Whether everything is to be heard once before a watch goes on: what is there may have to be acted on"""
    state: str = "not yet begun"
    """In words, for health"""
    healthy: bool = False
    asked: Resource | None = None
    """What was to be watched, while another resource that tells the same is"""

    @property
    def name(self) -> str:
        """Name what is watched, as the archive does."""
        return f"{self.resource.plural} in {self.namespace}" if self.namespace else self.resource.plural

    async def run(self) -> None:
        """Watch until cancelled."""
        version, pause_s = self.keeper.marked(self.name), self.pause_s
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                if version and self.seen_first:
                    await self._hear_all()
                version = version or await self._list()
                self.seen_first = False
                version = await self._follow(version)
                pause_s = self.pause_s
                if clock() - began > QUICK_S:
                    continue
            except ExpiredError:
                version = ""
                self._say("the version it stood at has expired; it is listed anew")
            except (ForbiddenError, AbsentError) as error:
                self._say(str(error))
                pause_s = self._pause_of_the_refused()
            except UntoldError as error:
                self._say(str(error))
                version = self.keeper.marked(self.name)
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
            await asyncio.sleep(pause_s)

    def _pause_of_the_refused(self) -> float:
        """Turn to what tells the same, once; then wait long, for rights are seldom given while one waits."""
        if self.asked is None and self.resource in INSTEAD:
            self.asked, self.resource = self.resource, INSTEAD[self.resource]
            return 0.0
        self.resource, self.asked = self.asked or self.resource, None
        return max(REFUSED_PAUSE_S, self.pause_s)

    def _say(self, what: str) -> None:
        self.state, self.healthy = what, False

    async def _list(self) -> str:
        version = await self._hear_all()
        if not version:
            raise UntoldError(f"the list of {self.resource.plural} has no version to watch from")
        self.keeper.begin(self.name, self.now(), continued=False)
        self.keeper.mark(self.name, version)
        return version

    async def _hear_all(self) -> str:
        version = ""
        async with aclosing(self._limited(LIST_S).pages(self.resource, self.namespace)) as pages:
            async for page in pages:
                version = page.version or version
                for item in page.items:
                    await self.heard(self.resource, "LISTED", item)
        return version

    async def _follow(self, version: str) -> str:
        """Follow until the server ends the watch and give the version to go on from."""
        async with aclosing(self._changes(version)) as changes:
            async for kind, item in changes:
                if kind == "ERROR":
                    raise _refused(item)
                version = text(part(item, "metadata").get("resourceVersion")) or version
                if kind != "BOOKMARK":
                    await self.heard(self.resource, kind, item)
                self.keeper.mark(self.name, version)
                self.keeper.beat(self.name, self.now())
                self.state, self.healthy = "watching", True
        self.keeper.beat(self.name, self.now())
        return version

    async def _changes(self, version: str) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
        params: dict[str, str | int] = {
            "watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": WATCH_S
        }  # fmt: skip
        api, rest = self._limited(WATCH_S + SILENCE_S), bytearray()
        rule = self.resource.rule("watch")
        async with api.opened(self.resource.path(self.namespace), params, rule=rule) as answer:
            if answer.content_type == "text/html":
                raise UntoldError("a web page came instead of a watch: a proxy or a login page stands before the API")
            self.state, self.healthy = "watching", True
            while True:
                async with asyncio.timeout(self.silence_s):
                    piece = await answer.content.readany()
                if not piece:
                    return
                rest += piece
                if len(rest) > LINE_LIMIT:
                    raise UntoldError("one change was larger than 16 MiB and was not read")
                if b"\n" in piece:
                    *lines, last = rest.split(b"\n")
                    rest = bytearray(last)
                    for line in filter(None, lines):
                        yield _change(bytes(line))

    def _limited(self, seconds: float) -> ClusterApi:
        return replace(self.api, ends_at=asyncio.get_running_loop().time() + seconds)


def _change(line: bytes) -> tuple[str, dict[str, Any]]:
    if crowded(line):
        raise UntoldError("one change held more values than are decoded at once and was not read")
    try:
        told = json.loads(line)
        kind, item = told["type"], told["object"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PassingError("a change was no JSON") from error
    return str(kind), item if isinstance(item, dict) else {}


def _refused(status: dict[str, Any]) -> UntoldError:
    if status.get("code") == 410 or status.get("reason") == "Expired":
        return ExpiredError("the version has expired")
    return PassingError(f"the API server ended the watch: {str(status.get('message') or '')[:160]}")
