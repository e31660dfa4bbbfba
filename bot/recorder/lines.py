"""Take logs before they are gone: of the container before a restart, of a pod that is being deleted, of followed namespaces.

Pieces are cut at line ends and kept as the bytes they came as; only the first and last line of a piece are dated.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp

from bot.archive.keeping import Keeper, LogPiece
from bot.cluster.api import ClusterApi
from bot.cluster.refusals import AbsentError, UntoldError
from bot.cluster.resources import LOGS, PODS
from bot.domain.kubelet import time_ns
from bot.domain.kubernetes import part, text
from bot.domain.ports import UNDATED
from bot.domain.window import rfc3339

AT_ONCE = 64
"""Logs read at once; followed ones have a place of their own each."""
MOST_WAITING = 2000
MOST_FOLLOWED = 500
TAKE_S = 120.0
"""The longest that one taking lasts: a pod's grace period is seldom longer."""
MOST_BYTES = 16 * 1024 * 1024
"""Of one taking: what a kubelet keeps at most in a file is 10 MiB unless set otherwise."""
LAST_S = 1800.0
"""How far back the last lines of a deleted pod are taken, where nothing of it was kept before."""
PIECE = 256 * 1024
LONGEST_LINE = 1024 * 1024
"""Waited for so long a line is not cut."""
FLUSH_S = 5.0
UNREADABLE = (b"unable to retrieve container logs for ", b"failed to try resolving symlinks in path ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """A log to take. ``follow``: until it ends."""

    namespace: str
    pod: str
    container: str
    node: str | None
    previous: bool = False
    follow: bool = False


@dataclass(slots=True)
class _Cutter:
    """Gathers what came of one log and gives whole lines as pieces."""

    taking: Taking
    after_ns: int
    rest: bytearray = field(default_factory=bytearray)
    begun: bool = False
    """Whether a line came that was not kept before"""
    since: float = 0.0

    def take(self, *, last: bool = False) -> LogPiece | None:
        end = len(self.rest) if last else self.rest.rfind(b"\n") + 1
        if not end and len(self.rest) > LONGEST_LINE:
            end = len(self.rest)  # it may never end: it is kept in parts
        raw = bytes(self.rest[:end])
        del self.rest[:end]
        raw = self._new_part(raw)
        if not raw.strip() or raw.startswith(UNREADABLE):
            return None
        first, final = time_ns(raw), time_ns(raw[raw.rstrip(b"\n").rfind(b"\n") + 1 :])
        first = first if first != UNDATED else max(self.after_ns, 0)
        final = max(final, first, self.after_ns)
        self.after_ns = final
        where = self.taking
        return LogPiece(
            namespace=where.namespace, pod=where.pod, container=where.container, node=where.node,
            previous=where.previous, first_ns=first, last_ns=final, raw=raw,
        )  # fmt: skip

    def _new_part(self, raw: bytes) -> bytes:
        """Leave out the lines that were kept before: the server begins at a whole second. Later ones may go back in time."""
        while raw and not self.begun:
            at = time_ns(raw)
            self.begun = at == UNDATED or at > self.after_ns
            if not self.begun:
                _, _, raw = raw.partition(b"\n")
        return raw


class LogTaker:
    """Takes logs side by side, so many at once; who waits too long for a place is lost, and that is kept."""

    def __init__(self, api: ClusterApi, keeper: Keeper, now: Callable[[], float] = time.time) -> None:
        self._api = api
        self._keeper = keeper
        self._now = now
        self._places = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[tuple[str, str, str, bool], asyncio.Task[None]] = {}
        self.bytes = 0

    @property
    def running(self) -> int:
        """Logs that are being taken, or wait for it."""
        return len(self._tasks)

    def take(self, taking: Taking) -> None:
        """Begin to take a log, unless that is under way."""
        key = (taking.namespace, taking.pod, taking.container, taking.previous)
        if key in self._tasks:
            return
        if len(self._tasks) >= MOST_WAITING:
            self._keeper.loss(self._now(), "logs were not taken, for too many had to be at once")
            return
        task = asyncio.create_task(self._take(taking))
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _take(self, taking: Taking) -> None:
        name = f"{taking.namespace}/{taking.pod}/{taking.container}"
        try:
            if taking.follow:
                await self._follow(taking)
            else:
                async with self._places:
                    await self._read(taking, TAKE_S, follow=not taking.previous)
        except AbsentError:
            self._keeper.loss(self._now(), f"the log of {name} was gone before it could be taken")
        except UntoldError as error:
            self._keeper.loss(self._now(), f"the log of {name} could not be taken: {error}")

    async def _follow(self, taking: Taking) -> None:
        """Follow a log to its end; a connection that breaks is begun anew from the last line kept."""
        while True:
            try:
                if await self._read(taking, 3600.0, follow=True):
                    return
            except AbsentError:
                return
            except UntoldError:
                await asyncio.sleep(FLUSH_S)

    async def _read(self, taking: Taking, within_s: float, *, follow: bool) -> bool:
        after_ns = self._keeper.recorded_until(taking.namespace, taking.pod, taking.container)
        since = after_ns / 1e9 if after_ns else self._now() - LAST_S
        params: dict[str, str | int] = {"container": taking.container, "timestamps": "true"}
        if taking.previous:
            params["previous"] = "true"
        if after_ns or not taking.previous:
            params["sinceTime"] = rfc3339(datetime.fromtimestamp(int(since), UTC))
        if follow:
            params["follow"] = "true"
        api = replace(self._api, ends_at=asyncio.get_running_loop().time() + within_s)
        path = f"{PODS.path(taking.namespace, taking.pod)}/log"
        cutter = _Cutter(taking, after_ns)
        try:
            async with api.opened(path, params, accept="*/*", rule=LOGS.rule("get")) as answer:
                return await self._pieces(cutter, answer, endless=taking.follow)
        finally:
            self._keep(cutter.take(last=True))

    async def _pieces(self, cutter: _Cutter, answer: aiohttp.ClientResponse, *, endless: bool) -> bool:
        if answer.content_type == "text/html":
            raise UntoldError("a web page came instead of a log")
        clock, read, content = asyncio.get_running_loop().time, 0, answer.content
        cutter.since = clock()
        waiting = asyncio.ensure_future(content.readany())
        try:
            while True:
                done, _ = await asyncio.wait([waiting], timeout=FLUSH_S)
                if done:
                    piece = waiting.result()
                    if not piece:
                        return True
                    waiting = asyncio.ensure_future(content.readany())
                    cutter.rest += piece
                    read += len(piece)
                    self.bytes += len(piece)
                if len(cutter.rest) >= PIECE or (cutter.rest and clock() - cutter.since > FLUSH_S):
                    self._keep(cutter.take())
                    cutter.since = clock()
                if read > MOST_BYTES and not endless:
                    name = f"{cutter.taking.namespace}/{cutter.taking.pod}/{cutter.taking.container}"
                    self._keeper.loss(self._now(), f"the log of {name} was longer than is taken at once")
                    return True
        finally:
            waiting.cancel()

    def _keep(self, piece: LogPiece | None) -> None:
        if piece is not None:
            self._keeper.log(piece)


def containers(pod: Mapping[str, Any]) -> list[tuple[str, int, bool]]:
    """Give each container's name, restarts, and whether it has begun."""
    status, found = part(pod, "status"), []
    for key in ("initContainerStatuses", "containerStatuses"):
        for each in status.get(key) or ():
            if isinstance(each, dict):
                state = part(each, "state")
                began = "running" in state or "terminated" in state
                restarts = each.get("restartCount")
                found.append((text(each.get("name")), restarts if isinstance(restarts, int) else 0, began))
    return found
