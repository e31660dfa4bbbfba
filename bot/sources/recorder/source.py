"""What the recorder kept of a cluster as a source: events the API server has forgotten, objects as they changed, logs of the dead.

Times in which nobody watched are Gaps, so that silence there is not taken for calm.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import zstandard

from bot.archive.reading import UNREADABLE, Archive, Unwatched
from bot.domain.finding import Finding
from bot.domain.items import Gap, LogStream, ObjectVersion
from bot.domain.kubelet import KubeletLines
from bot.domain.kubernetes import cluster_event, object_version
from bot.domain.ports import UNDATED, Progress, Sink, TimedLine
from bot.domain.spelling import length
from bot.domain.window import Window, rfc3339
from bot.errors import CaseError

DEADLINE_S = 60.0
PAUSE_S = 30.0
"""Shorter pauses of a watch are caught up with; a heartbeat comes every ten seconds."""
STALE = timedelta(minutes=2)
LISTED = 20
"""So many pauses are listed one by one."""

ALL, OF_OBJECTS, OF_EVENTS, OF_LOGS = "recorder", "kubernetes/objects", "kubernetes/events", "kubernetes/logs"
_DAMAGED = (*UNREADABLE, zstandard.ZstdError, ValueError)


class _LateError(Exception):
    """The time is over."""


@dataclass(slots=True)
class _Reading:
    archive: Archive
    sink: Sink
    progress: Progress
    ends_at: float
    bytes: int = 0
    began: bool = False
    """Whether anything was ever recorded"""
    read: dict[str, int] = field(default_factory=dict)

    def took(self, source: str, size: int) -> None:
        self.bytes += size
        self.read[source] = self.read.get(source, 0) + size
        if time.monotonic() > self.ends_at:
            raise _LateError
        self.progress("read", self.bytes, None)


def recorded_spans(path: Path, namespace: str, pod: str, container: str) -> list[tuple[int, int]]:
    """Give the spans in nanoseconds of which an archive has a container's lines, for whom they would be twice."""
    try:
        archive = Archive(path)
    except CaseError:
        return []
    try:
        return archive.covers(namespace, pod, container)
    except _DAMAGED:
        return []
    finally:
        archive.close()


class RecorderSource:
    """An archive in a window. ``namespaces``: only these; empty: all. ``deadline_s``: the longest a reading takes."""

    name = ALL

    def __init__(
        self, *, path: Path, window: Window, namespaces: Sequence[str] = (), deadline_s: float = DEADLINE_S
    ) -> None:
        self._path = path
        self._window = window
        self._namespaces = frozenset(namespaces)
        self.deadline_s = deadline_s

    def examine(self) -> Sequence[Finding]:
        """Look whether the archive can be read and how old its newest heartbeat is."""
        fix = "run `rootcause record` with ROOTCAUSE_ARCHIVE naming the same file"
        try:
            archive = Archive(self._path)
        except CaseError as error:
            return [Finding(name=ALL, state="wrong", what=str(error), fix=fix)]
        try:
            since, now = archive.reaches_back_to(), datetime.now(UTC)
            just_now = Window(start=now - STALE, end=now, asked="")
            silent = [each.what for each in archive.unwatched(just_now, STALE.total_seconds() - 1)]
        finally:
            archive.close()
        if since is None or silent:
            what = f"nothing was heard of {', '.join(silent[:4])} for {length(STALE.total_seconds())}"
            return [Finding(name=ALL, state="warning", what=what if silent else "it is empty", fix=fix)]
        return [
            Finding(name=ALL, state="ok", what=f"it is written at this moment, and reaches back to {rfc3339(since)}")
        ]

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Read the archive into the sink."""
        progress("discover", 0, None)
        try:
            archive = Archive(self._path)
        except CaseError as error:
            sink.add_gap(Gap(source=ALL, what=str(error)))
            return
        reading = _Reading(archive, sink, progress, time.monotonic() + self.deadline_s)
        try:
            self._events(reading)
            self._objects(reading)
            self._logs(reading)
        except _LateError:
            sink.add_gap(Gap(source=ALL, what=f"the {self.deadline_s:g} s for reading the archive ran out"))
        except _DAMAGED:
            sink.add_gap(Gap(source=ALL, what="the archive is damaged; what came before the damage was read"))
        finally:
            self._told_of_pauses(reading)
            archive.close()
        for source, size in sorted(reading.read.items()):
            sink.add_read(source, "recorder", size)
        if reading.began and not reading.read:
            sink.add_read(ALL, self._path.name, self._path.stat().st_size)

    def _wanted(self, namespace: str) -> bool:
        return not self._namespaces or not namespace or namespace in self._namespaces

    def _events(self, reading: _Reading) -> None:
        for namespace, raw in reading.archive.events(self._window):
            if self._wanted(namespace) and (event := cluster_event(_decoded(raw), raw)) is not None:
                reading.sink.add_event(event)
            reading.took(OF_EVENTS, len(raw))

    def _objects(self, reading: _Reading) -> None:
        for namespace, at, raw, gone in reading.archive.versions(self._window):
            if self._wanted(namespace) and (version := object_version(_decoded(raw), raw, at)) is not None:
                reading.sink.add_object(_deleted(version, at) if gone else version)
            reading.took(OF_OBJECTS, len(raw))

    def _logs(self, reading: _Reading) -> None:
        for (namespace, pod, container, node, previous), pieces in reading.archive.logs(self._window):
            if not self._wanted(namespace):
                continue
            path = f"recorder/{namespace}/{pod}/{container}{'.previous' if previous else ''}.log"
            described = LogStream(
                namespace=namespace, pod=pod, container=container, path=path, previous=previous, node=node
            )
            stream: int | None = None
            for lines, size in self._of_window(pieces):
                if lines:
                    stream = reading.sink.open_stream(described) if stream is None else stream
                    reading.sink.add_lines(stream, lines)
                reading.took(OF_LOGS, size)

    def _of_window(self, pieces: Iterable[bytes]) -> Iterator[tuple[list[TimedLine], int]]:
        start, end = int(self._window.start_s * 1e9), int(self._window.end_s * 1e9)
        cutter = KubeletLines()
        for piece in pieces:
            lines = cutter.feed(piece)
            if not piece.endswith(b"\n"):
                lines += cutter.last()
            yield [line for line in lines if start <= line[0] < end or line[0] == UNDATED], len(piece)

    def _told_of_pauses(self, reading: _Reading) -> None:
        try:
            since = reading.archive.reaches_back_to()
            pauses = _joined(reading.archive.unwatched(self._window, PAUSE_S))
            losses = reading.archive.losses(self._window)
        except _DAMAGED:
            return
        if since is None:
            reading.sink.add_gap(Gap(source=ALL, what="the archive is empty: nothing has been recorded yet"))
            return
        reading.began = True
        reading.sink.add_detail(ALL, f"recorded since {rfc3339(since)}")
        for what, start, end, of_logs in pauses[:LISTED]:
            span = f"{rfc3339(start)} to {rfc3339(end)}"
            reading.sink.add_gap(
                Gap(
                    source=ALL,
                    what=f"nobody watched {what} from {span}: silence there proves nothing",
                    span=(start, end),
                    share=1.0 if of_logs else None,
                )
            )
        if len(pauses) > LISTED:
            reading.sink.add_gap(
                Gap(source=ALL, what="more pauses of the recorder, not listed", count=len(pauses) - LISTED)
            )
        for at, what, count in losses[:LISTED]:
            reading.sink.add_gap(Gap(source=OF_LOGS, what=f"{what} ({rfc3339(at)})"[:380], count=count))
        if len(losses) > LISTED:
            reading.sink.add_gap(
                Gap(source=OF_LOGS, what="more logs that were not taken, not listed", count=len(losses) - LISTED)
            )


def _decoded(raw: bytes) -> dict[str, Any]:
    told = json.loads(raw)
    return told if isinstance(told, dict) else {}


def _deleted(version: ObjectVersion, at: datetime) -> ObjectVersion:
    """Mark the last state of an object that the API server said was deleted as it marks those that are about to be."""
    metadata = {"deletionTimestamp": rfc3339(at), **version.manifest.get("metadata", {})}
    return replace(version, manifest={**version.manifest, "metadata": metadata})


def _joined(pauses: Iterable[Unwatched]) -> list[tuple[str, datetime, datetime, bool]]:
    """Say pauses of several watches at the same time as one, and whether logs were not taken either."""
    together: dict[tuple[datetime, datetime], list[str]] = {}
    for each in pauses:
        together.setdefault(
            (each.start.replace(second=0, microsecond=0), each.end.replace(second=0, microsecond=0)), []
        ).append(each.what)
    return [
        (", ".join(what[:4]) + (f" and {len(what) - 4} more" if len(what) > 4 else ""), start, end, "logs" in what)
        for (start, end), what in sorted(together.items())
    ]
