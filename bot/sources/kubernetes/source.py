"""A live cluster as a source: objects, events and logs of a window, as far as the API still knows them.

ConfigMaps are read by name and version, Secrets not at all, literals of the environment are masked. The reading ends on the
clock, whatever the server does. What could not be read, and what the cluster has forgotten by now, is a Gap.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bot.cluster.access import ClusterAccess, connected
from bot.cluster.api import REQUEST_S, ClusterApi, Page
from bot.cluster.masks import encoded, kept
from bot.cluster.refusals import AbsentError, ForbiddenError, UntoldError
from bot.cluster.resources import EVENTS, GROUPED_EVENTS, NODES, OBJECTS, PODS, RELEASES, Resource
from bot.domain.bearings import clock_words
from bot.domain.finding import Finding
from bot.domain.items import ClusterEvent
from bot.domain.kubernetes import cluster_event, object_version, part
from bot.domain.ports import Clock, Progress, Sink
from bot.domain.window import Window, rfc3339
from bot.sources.kubernetes import deliveries
from bot.sources.kubernetes.examining import examined
from bot.sources.kubernetes.logs import Container, ReadLog, containers_of, in_turns
from bot.sources.kubernetes.losses import Losses, listed
from bot.sources.kubernetes.ordered import in_order
from bot.sources.kubernetes.scope import Chosen, Scoping, called_in

DEADLINE_S = 60.0
WIDTH = 8
"""Requests at once: API servers give one client more than that, and eight fill the time of one reader."""
MOST_LOG_BYTES = 1024 * 1024 * 1024
MOST_BYTES_OF_ONE_LOG = 128 * 1024 * 1024
"""A kubelet keeps files of 10 MiB unless it was told otherwise, so a log this long is a runaway."""
EVENTS_KEPT = timedelta(hours=1)
"""``--event-ttl`` of an API server that was not told otherwise."""
UNSEEN = timedelta(minutes=5)

OF_HELM = {"labelSelector": "owner=helm"}
"""https://helm.sh/docs/topics/advanced/#storage-backends"""
ALL, OF_OBJECTS, OF_EVENTS, OF_LOGS = "kubernetes", "kubernetes/objects", "kubernetes/events", "kubernetes/logs"

Recorded = Callable[[str, str, str], Sequence[tuple[int, int]]]
"""``(namespace, pod, container)`` → spans in nanoseconds whose lines another source brings."""


@dataclass(slots=True)
class _Reading:
    """One reading: where it writes, and what it learned."""

    api: ClusterApi
    sink: Sink
    progress: Progress
    now: datetime
    losses: Losses = field(default_factory=Losses)
    containers: list[Container] = field(default_factory=list)
    pods: set[tuple[str, str]] = field(default_factory=set)
    gone: set[tuple[str, str]] = field(default_factory=set)
    """Pods that an event tells of; those that are still there are not gone"""
    warned: set[tuple[str, str]] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    """Namespaces that pods are configured to call"""
    oldest_event: datetime | None = None

    def tick(self) -> None:
        self.progress("read", self.api.bytes, None)


class KubernetesSource:
    """One cluster in a window.

    ``namespaces``: the border of what may be read; empty: what the question or the symptom points to. ``question``: the
    person's words. ``recorded``: whose lines an archive has. ``helm_secrets``: also list the names and labels of the Secrets
    in which Helm keeps its releases. ``deadline_s``: the longest a reading takes, in seconds.
    """

    name = ALL

    def __init__(  # noqa: PLR0913 - one adapter's settings, all by name
        self,
        *,
        access: ClusterAccess,
        window: Window,
        namespaces: Sequence[str] = (),
        question: str = "",
        recorded: Recorded | None = None,
        helm_secrets: bool = False,
        deadline_s: float = DEADLINE_S,
        request_s: float = REQUEST_S,
        most_log_bytes: int = MOST_LOG_BYTES,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._access = access
        self._window = window
        self._namespaces = tuple(namespaces)
        self._question = question
        self._recorded = recorded
        self._helm_secrets = helm_secrets
        self.deadline_s = deadline_s
        self._request_s = request_s
        self._most_log_bytes = most_log_bytes
        self._clock = clock

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Read the cluster into the sink; call from a thread without a running event loop."""
        asyncio.run(self._gather(sink, progress))

    def examine(self) -> Sequence[Finding]:
        """Ask the API server which rights are missing, how far its clock is off, and how far back its events reach."""
        return asyncio.run(examined(self._access, self._namespaces, helm_secrets=self._helm_secrets))

    async def _gather(self, sink: Sink, progress: Progress) -> None:
        ends_at = asyncio.get_running_loop().time() + self.deadline_s
        losses = Losses()
        progress("discover", 0, None)
        try:
            async with asyncio.timeout_at(ends_at):
                client = await connected(self._access)
        except TimeoutError:
            losses.say(ALL, f"{self._access.title} could not be read: no credentials came in {self.deadline_s:g} s")
        except UntoldError as error:
            losses.say(ALL, f"{self._access.title} could not be read: {error}")
        else:
            async with client:
                api = ClusterApi(client=client, ends_at=ends_at, request_s=self._request_s)
                reading = _Reading(api=api, sink=sink, progress=progress, now=self._clock(), losses=losses)
                await self._read(reading)
        for gap in losses.gaps():
            sink.add_gap(gap)

    async def _read(self, reading: _Reading) -> None:
        try:
            scope = await Scoping(reading.api, self._namespaces, self._question).find()
        except UntoldError as error:
            reading.losses.say(ALL, f"{self._access.title} could not be read: {error}")
            return
        reading.tick()
        for what, lost in scope.said:
            reading.losses.say(ALL, what, lost=lost)
        await self._objects(reading, scope)
        await self._events(reading, scope)
        await self._logs(reading, scope)
        if self._namespaces and (beyond := sorted(reading.called.difference(scope.namespaces))):
            what = f"pods there call {listed(beyond)}, beyond the namespaces asked for: name it as well to have it read"
            reading.losses.say(ALL, what, lost=False)
        self._forgotten(reading)

    async def _objects(self, reading: _Reading, scope: Chosen) -> None:
        in_each = (*OBJECTS, RELEASES) if self._helm_secrets else OBJECTS
        wanted: list[tuple[Resource, str | None]] = [(NODES, None)]
        wanted += [(resource, namespace) for namespace in scope.namespaces for resource in in_each]
        readings = [partial(reading.api.pages, *each, OF_HELM if each[0] is RELEASES else None) for each in wanted]
        delivered = await self._delivered(reading)
        wanted += [(each, None) for each in delivered]
        readings += [partial(deliveries.pages, reading.api, each, scope.namespaces) for each in delivered]
        sizes: dict[int, int] = {}
        others = 0
        async with aclosing(in_order(readings, WIDTH)) as pieces:
            async for number, page in pieces:
                resource, namespace = wanted[number]
                if isinstance(page, UntoldError):
                    self._untold(reading, page, OF_OBJECTS, resource, namespace)
                    continue
                sizes[number] = sizes.get(number, 0) + page.size
                for item in page.items:
                    if resource in delivered and deliveries.elsewhere(item):
                        others += 1
                    else:
                        self._store_object(reading, kept(item, resource), resource)
                reading.tick()
        if others:
            reading.losses.say(OF_OBJECTS, "deploys into other clusters, left out", lost=False, count=others)
        for number, size in sorted(sizes.items()):
            resource, namespace = wanted[number]
            reading.sink.add_read(OF_OBJECTS, f"{namespace}/{resource.plural}" if namespace else resource.plural, size)

    @staticmethod
    async def _delivered(reading: _Reading) -> Sequence[Resource]:
        """Look which delivery tools are there; without them there is nothing to miss."""
        try:
            found = await deliveries.installed(reading.api)
        except UntoldError as error:
            reading.losses.say(OF_OBJECTS, f"whether Argo CD or Flux is installed was not told: {error}", lost=False)
            return ()
        if not found:
            reading.sink.add_detail(OF_OBJECTS, "neither Argo CD nor Flux is installed")
        return found

    def _store_object(self, reading: _Reading, item: Mapping[str, Any], resource: Resource) -> None:
        version = object_version(item, encoded(item), reading.now)
        if version is None:
            reading.losses.say(OF_OBJECTS, "objects without a name, left out", lost=False)
            return
        reading.sink.add_object(version)
        if resource is PODS:
            reading.pods.add((version.entity.namespace or "", version.entity.name))
            reading.containers += containers_of(item, self._window)
            reading.called |= called_in(part(item, "spec"))

    async def _events(self, reading: _Reading, scope: Chosen) -> None:
        # what happened to nodes is filed under the namespace "default"
        namespaces = tuple(dict.fromkeys((*scope.namespaces, "default")))
        readings = [partial(self._pages_of_events, reading.api, namespace) for namespace in namespaces]
        sizes: dict[int, int] = {}
        async with aclosing(in_order(readings, WIDTH)) as pieces:
            async for number, page in pieces:
                namespace = namespaces[number]
                if isinstance(page, UntoldError):
                    if namespace in scope.namespaces:
                        self._untold(reading, page, OF_EVENTS, EVENTS, namespace)
                    continue
                sizes[number] = sizes.get(number, 0) + page.size
                for item in page.items:
                    self._store_event(reading, item, whole=namespace in scope.namespaces)
                reading.tick()
        for number, size in sorted(sizes.items()):
            reading.sink.add_read(OF_EVENTS, f"{namespaces[number]}/events", size)

    @staticmethod
    async def _pages_of_events(api: ClusterApi, namespace: str) -> AsyncGenerator[Page, None]:
        try:
            async for page in api.pages(EVENTS, namespace):
                yield page
        except (ForbiddenError, AbsentError) as error:
            try:
                async for page in api.pages(GROUPED_EVENTS, namespace):
                    yield page
            except (ForbiddenError, AbsentError):
                raise error from None

    def _store_event(self, reading: _Reading, item: Mapping[str, Any], *, whole: bool) -> None:
        meta = {key: value for key, value in part(item, "metadata").items() if key != "managedFields"}
        item = {"apiVersion": "v1", "kind": "Event", **item, "metadata": meta}
        event = cluster_event(item, encoded(item))
        if event is None:
            reading.losses.say(OF_EVENTS, "events without any time, left out", lost=False)
            return
        if reading.oldest_event is None or event.at < reading.oldest_event:
            reading.oldest_event = event.at
        if self._is_outside(event) or not (whole or event.entity.kind == "Node"):
            return
        if event.entity.kind == "Pod":
            pod = (event.entity.namespace or "", event.entity.name)
            reading.gone.add(pod)
            if event.type == "Warning":
                reading.warned.add(pod)
        reading.sink.add_event(event)

    def _is_outside(self, event: ClusterEvent) -> bool:
        return event.at < self._window.start or event.first_at >= self._window.end

    async def _logs(self, reading: _Reading, scope: Chosen) -> None:
        rank = {namespace: at for at, namespace in enumerate(scope.namespaces)}
        warned = [
            replace(each, troubled=each.troubled or (each.namespace, each.pod) in reading.warned)
            for each in reading.containers
        ]
        silent: Counter[str] = Counter()
        logs = [self._log(each, silent) for each in in_turns(warned, rank)]
        streams: dict[int, int] = {}
        read = 0
        async with aclosing(in_order([partial(log.pieces, reading.api) for log in logs], WIDTH)) as pieces:
            async for number, piece in pieces:
                log = logs[number]
                if isinstance(piece, UntoldError):
                    reading.losses.add(OF_LOGS, log.container.stream.path, str(piece))
                    continue
                if number not in streams:
                    streams[number] = reading.sink.open_stream(log.container.stream)
                reading.sink.add_lines(streams[number], piece)
                reading.tick()
                read += sum(len(line) for _, line, _ in piece)
                if read > self._most_log_bytes:
                    left = len(logs) - number - 1
                    what = f"{read // 1024**2} MiB of logs were read, as many as may be; those of {left} containers were not"
                    reading.losses.say(OF_LOGS, what, count=left)
                    break
        self._book(reading, logs)

    def _log(self, container: Container, silent: Counter[str]) -> ReadLog:
        covered = self._recorded(container.namespace, container.pod, container.name) if self._recorded else ()
        return ReadLog(container, self._window, MOST_BYTES_OF_ONE_LOG, silent, tuple(covered))

    @staticmethod
    def _book(reading: _Reading, logs: Sequence[ReadLog]) -> None:
        for log in logs:
            if log.size:
                reading.sink.add_read(OF_LOGS, log.container.stream.path, log.size)
        told = (
            ("longer than {limit} MiB: its end was not read", [log for log in logs if log.full]),
            ("gone from its node before it could be read", [log for log in logs if log.unreadable]),
        )  # fmt: skip
        for what, which in told:
            for log in which:
                why = what.format(limit=MOST_BYTES_OF_ONE_LOG // 1024**2)
                reading.losses.say(OF_LOGS, f"the log {log.container.stream.path} is {why}")
        if torn := [(log.container.stream.path, at) for log in logs if (at := log.rotated_before)]:
            named = listed([f"{path} before {rfc3339(at)}" for path, at in torn])
            what = (
                f"older lines rotated away, and the API hands out the newest file only (a log store keeps all): {named}"
            )
            reading.losses.say(OF_LOGS, what, count=len(torn))
        read = [log for log in logs if log.size and not log.unreadable]
        if read:
            whole = sum(1 for log in read if log.rotated_before is None)
            what = f"{whole} of {len(read)} logs that were read reach back to their container's or the window's start"
            reading.sink.add_detail(OF_LOGS, what)
        if cut := sum(log.cut for log in logs):
            reading.losses.say(OF_LOGS, "lines over 1 MiB, cut to 1 MiB", count=cut)

    @staticmethod
    def _untold(reading: _Reading, error: UntoldError, source: str, resource: Resource, namespace: str | None) -> None:
        if isinstance(error, AbsentError):
            reading.losses.say(source, f"this server knows no {resource.plural} ({resource.api_version})", lost=False)
            return
        where = f"{resource.plural} in {namespace}" if namespace else resource.plural
        reading.losses.add(source, where, str(error))

    def _forgotten(self, reading: _Reading) -> None:
        """Say what the cluster has forgotten by now, and what keeps it the next time."""
        cure = "`rootcause record` keeps them from now on"
        if gone := sorted(reading.gone - reading.pods):
            named = listed(["/".join(each) for each in gone])
            what = (
                f"pods that ran in the window are gone, and their logs with them ({named}): {cure}, as a log store does"
            )
            reading.losses.say(OF_LOGS, what, count=len(gone))
        oldest = reading.oldest_event
        kept_since = reading.now - EVENTS_KEPT
        if oldest is None and self._window.start < kept_since - UNSEEN:
            what = f"the cluster keeps no events of the window (an hour, unless its --event-ttl says otherwise): {cure}"
            reading.losses.say(OF_EVENTS, what)
        elif oldest is not None and oldest > self._window.start + UNSEEN:
            what = f"events reach back to {rfc3339(oldest)} only, for the API server forgets older ones: {cure}"
            reading.losses.say(OF_EVENTS, what)
        if oldest is not None:
            reading.sink.add_detail(OF_EVENTS, f"the API server remembers events since {rfc3339(oldest)}")
        reading.sink.add_detail(OF_LOGS, "of each container the newest file, and that of the one before a restart")
        if clock := clock_words(reading.api.clock.ahead_s):
            reading.sink.add_detail(OF_OBJECTS, clock)
