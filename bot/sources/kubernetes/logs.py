"""Whose logs there are and how they are read: bytes as they come, cut to the window here, each under a limit of its own.

The kubelet hands out the newest file of a container's log and the one of the container before; what it rotated away, and what
belonged to a pod that is gone, nobody can ask for any more. At which size it rotates it tells only whoever may use
``nodes/proxy``, a right that lets one run commands in pods; so that is not asked, but where the file begins: its first line is
read where the beginning of a log looks torn off.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.cluster.api import ATTEMPTS, PIECE, ClusterApi
from bot.cluster.refusals import PassingError, UntoldError
from bot.cluster.resources import LOGS, PODS
from bot.domain.items import LogStream
from bot.domain.kubelet import KubeletLines, time_ns
from bot.domain.kubernetes import moment, part, text
from bot.domain.ports import UNDATED, TimedLine
from bot.domain.window import Window, instant, rfc3339

UNREADABLE = (b"unable to retrieve container logs for ", b"failed to try resolving symlinks in path ")
"""What a kubelet says with HTTP 200 instead of a log that is gone."""
ROTATED_AFTER = timedelta(minutes=10)
MOST_SILENT = 4
"""After so many failed tries in a row the other logs of a node are not asked for: it is the node, and the time is for others."""
SILENT = "its node's kubelet gives no logs"
RARE = 20
"""A beginning that is silent for so many times the usual pause between lines was not silent: it is gone."""
LEAST_LINES = 50
FIRST_LINE_BYTES = 64
"""Of a file, to learn when it begins: a time is 35 bytes at most."""
_PAST_END_NS = 60 * 1_000_000_000
_KINDS = (("initContainerStatuses", True), ("containerStatuses", False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container's log, the current one or the one before its last restart."""

    namespace: str
    pod: str
    name: str
    node: str | None
    previous: bool
    began: datetime | None
    troubled: bool = False
    """Whether it was restarted or is not ready"""
    owner: str = ""
    """What made its pod; the pod itself where nothing did"""

    @property
    def stream(self) -> LogStream:
        """Describe it to a sink."""
        ending = ".previous.log" if self.previous else ".log"
        return LogStream(
            namespace=self.namespace,
            pod=self.pod,
            container=self.name,
            path=f"{self.namespace}/{self.pod}/{self.name}{ending}",
            previous=self.previous,
            node=self.node,
        )


def containers_of(pod: Mapping[str, Any], window: Window) -> Iterator[Container]:
    """Give the logs that a pod can have in a window, the older first."""
    meta, spec, status = part(pod, "metadata"), part(pod, "spec"), part(pod, "status")
    owners = meta.get("ownerReferences")
    owner = (
        next((text(each.get("name")) for each in owners if isinstance(each, dict)), "")
        if isinstance(owners, list)
        else ""
    )
    for key, _ in _KINDS:
        statuses = status.get(key)
        for each in statuses if isinstance(statuses, list) else ():
            if not isinstance(each, dict):
                continue
            troubled = bool(each.get("restartCount")) or each.get("ready") is False
            for field_, previous in (("lastState", True), ("state", False)):
                life = part(part(each, field_), "terminated", "running")
                began, ended = moment(life.get("startedAt")), moment(life.get("finishedAt"))
                if life and not _outside(began, ended, window):
                    yield Container(
                        namespace=text(meta.get("namespace")),
                        pod=text(meta.get("name")),
                        name=text(each.get("name")),
                        node=text(spec.get("nodeName")) or None,
                        previous=previous,
                        began=began,
                        troubled=troubled,
                        owner=owner or text(meta.get("name")),
                    )


def in_turns(containers: Iterable[Container], rank: Mapping[str, int]) -> list[Container]:
    """Order logs by what they may tell, should the time not suffice for all.

    Namespaces in their order (``rank``); in each those with trouble first, then a pod of every workload, then its second.
    """
    pods: dict[tuple[str, str], dict[str, None]] = {}
    found = sorted(containers, key=lambda each: (each.namespace, each.pod, each.name, not each.previous))
    for each in found:
        pods.setdefault((each.namespace, each.owner), {})[each.pod] = None
    turns = {(owner, pod): turn for owner, named in pods.items() for turn, pod in enumerate(named)}
    return sorted(
        found,
        key=lambda each: (
            rank.get(each.namespace, 0),
            not each.troubled,
            turns[(each.namespace, each.owner), each.pod],
        ),
    )


def _outside(began: datetime | None, ended: datetime | None, window: Window) -> bool:
    return (ended is not None and ended < window.start) or (began is not None and began >= window.end)


@dataclass(slots=True)
class ReadLog:
    """What came of one log: lines of the window, and whatever was odd."""

    container: Container
    window: Window
    most_bytes: int
    silent: Counter[str] = field(default_factory=Counter)
    """Tries in a row that a node's logs have failed, shared by all of one reading"""
    covered: tuple[tuple[int, int], ...] = ()
    """Spans in nanoseconds that an archive has already; their lines are left out"""
    size: int = 0
    kept: int = 0
    first_ns: int = UNDATED
    last_ns: int = UNDATED
    full: bool = False
    unreadable: bool = False
    file_begins_ns: int = UNDATED
    """When the newest file begins, where that was asked"""
    _lines: KubeletLines = field(default_factory=KubeletLines)

    async def pieces(self, api: ClusterApi) -> AsyncGenerator[list[TimedLine], None]:
        """Read the log and give its lines of the window, a piece at a time; begun anew only while it gave nothing."""
        node = self.container.node or self.container.pod
        for tried in range(1, ATTEMPTS + 1):
            if self.silent[node] >= MOST_SILENT:
                raise UntoldError(SILENT)
            try:
                async with aclosing(self._pieces(api)) as pieces:
                    async for piece in pieces:
                        yield piece
            except PassingError as error:
                self.silent[node] += not self.size and not error.after_s
                if self.size or tried == ATTEMPTS:
                    raise
                await api.pause(error, tried)
            else:
                self.silent[node] = 0
                if self._looks_torn:
                    self.file_begins_ns = await self._first_of_file(api)
                return

    async def _first_of_file(self, api: ClusterApi) -> int:
        """Ask when the file begins; UNDATED where that is not told, for the log itself was read."""
        where = self.container
        params: dict[str, str | int] = {"container": where.name, "timestamps": "true", "limitBytes": FIRST_LINE_BYTES}
        if where.previous:
            params["previous"] = "true"
        path = f"{PODS.path(where.namespace, where.pod)}/log"
        try:
            async with api.opened(path, params, accept="*/*", rule=LOGS.rule("get"), within_s=api.request_s) as answer:
                return time_ns(await answer.content.read(FIRST_LINE_BYTES))
        except UntoldError:
            return UNDATED

    async def _pieces(self, api: ClusterApi) -> AsyncGenerator[list[TimedLine], None]:
        where = self.container
        params: dict[str, str | int] = {
            "container": where.name,
            "timestamps": "true",
            "sinceTime": rfc3339(self.window.start.replace(microsecond=0)),
        }
        if where.previous:
            params["previous"] = "true"
        path = f"{PODS.path(where.namespace, where.pod)}/log"
        async with api.opened(path, params, accept="*/*", rule=LOGS.rule("get"), within_s=api.request_s) as answer:
            if answer.content_type == "text/html":
                raise UntoldError("a web page came instead of a log: a proxy or a login page stands before the API")
            async for piece in answer.content.iter_chunked(PIECE):
                self.size += len(piece)
                api.bytes += len(piece)
                if lines := self._of_window(self._lines.feed(piece)):
                    yield lines
                if self.size >= self.most_bytes:
                    self.full = True
                    return
                if self.last_ns > self.window.end_s * 1e9 + _PAST_END_NS:
                    return
        if lines := self._of_window(self._lines.last()):
            yield lines

    def _of_window(self, lines: list[TimedLine]) -> list[TimedLine]:
        if lines and not self.kept and lines[0][1].startswith(UNREADABLE):
            self.unreadable = True
            return []
        start, end = int(self.window.start_s * 1e9), int(self.window.end_s * 1e9)
        dated = [at for at, _, _ in lines if at != UNDATED]
        if dated:
            self.first_ns = dated[0] if self.first_ns == UNDATED else self.first_ns
            self.last_ns = dated[-1]
        found = [
            line for line in lines if (start <= line[0] < end or line[0] == UNDATED) and not self._is_covered(line[0])
        ]
        self.kept += len(found)
        return found

    def _is_covered(self, at: int) -> bool:
        return any(first <= at <= last for first, last in self.covered)

    @property
    def cut(self) -> int:
        """Lines longer than the limit."""
        return self._lines.cut

    @property
    def rotated_before(self) -> datetime | None:
        """Give the time before which lines of the window were rotated away; None where none were.

        A file that begins before the window has all of it, however long it was silent.
        """
        before = 0 <= self.file_begins_ns < self.window.start_s * 1e9
        kept = any(first < self.first_ns for first, _ in self.covered)
        return None if before or kept or not self._looks_torn else instant(self.first_ns / 1e9)

    @property
    def _looks_torn(self) -> bool:
        """Tell whether the beginning is missing: a silence that does not fit the pauses between the lines."""
        began = max(self.container.began or self.window.start, self.window.start).timestamp()
        if self.first_ns == UNDATED or self.kept < LEAST_LINES:
            return False
        silent, spoken = self.first_ns / 1e9 - began, (self.last_ns - self.first_ns) / 1e9
        return silent > ROTATED_AFTER.total_seconds() and silent > RARE * spoken / self.kept
