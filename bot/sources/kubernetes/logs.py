"""Whose logs there are and how they are read: bytes as they come, cut to the window here, each under a limit of its own.

The kubelet hands out the newest file of a container's log and the one of the container before; what it rotated away, and what
belonged to a pod that is gone, nobody can ask for any more.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.cluster.api import ATTEMPTS, PIECE, ClusterApi
from bot.cluster.refusals import PassingError, UntoldError
from bot.cluster.resources import LOGS, PODS
from bot.domain.items import LogStream
from bot.domain.kubelet import KubeletLines
from bot.domain.kubernetes import moment, part, text
from bot.domain.ports import UNDATED, TimedLine
from bot.domain.window import Window, rfc3339

UNREADABLE = (b"unable to retrieve container logs for ", b"failed to try resolving symlinks in path ")
"""What a kubelet says with HTTP 200 instead of a log that is gone."""
ROTATED_AFTER = timedelta(minutes=10)
RARE = 20
"""A beginning that is silent for so many times the usual pause between lines was not silent: it is gone."""
LEAST_LINES = 50
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
    for key, _ in _KINDS:
        statuses = status.get(key)
        for each in statuses if isinstance(statuses, list) else ():
            if not isinstance(each, dict):
                continue
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
                    )


def _outside(began: datetime | None, ended: datetime | None, window: Window) -> bool:
    return (ended is not None and ended < window.start) or (began is not None and began >= window.end)


@dataclass(slots=True)
class ReadLog:
    """What came of one log: lines of the window, and whatever was odd."""

    container: Container
    window: Window
    most_bytes: int
    covered: tuple[tuple[int, int], ...] = ()
    """Spans in nanoseconds that an archive has already; their lines are left out"""
    size: int = 0
    kept: int = 0
    first_ns: int = UNDATED
    last_ns: int = UNDATED
    full: bool = False
    unreadable: bool = False
    _lines: KubeletLines = field(default_factory=KubeletLines)

    async def pieces(self, api: ClusterApi) -> AsyncGenerator[list[TimedLine], None]:
        """Read the log and give its lines of the window, a piece at a time; begun anew only while it gave nothing."""
        for tried in range(1, ATTEMPTS + 1):
            try:
                async with aclosing(self._pieces(api)) as pieces:
                    async for piece in pieces:
                        yield piece
            except PassingError as error:
                if self.size or tried == ATTEMPTS:
                    raise
                await api.pause(error, tried)
            else:
                return

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
    def begins_late(self) -> bool:
        """Tell whether the beginning was rotated away: a silence that does not fit the pauses between the lines."""
        began = max(self.container.began or self.window.start, self.window.start).timestamp()
        if self.first_ns == UNDATED or self.kept < LEAST_LINES:
            return False
        silent, spoken = self.first_ns / 1e9 - began, (self.last_ns - self.first_ns) / 1e9
        return silent > ROTATED_AFTER.total_seconds() and silent > RARE * spoken / self.kept
