"""One object of a cluster looked at, for a question asked later: its present state, its events, or its containers' logs.

Lists with a selector of one name, so that it takes no right which a reading of the cluster does not take. What it may read of
logs and events is small, and it ends on the clock; what was left out, and what is no longer there, is a Gap.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from bot.cluster.access import ClusterAccess, connected
from bot.cluster.api import ClusterApi
from bot.cluster.masks import encoded, kept
from bot.cluster.refusals import ForbiddenError, UntoldError
from bot.cluster.resources import EVENTS, GROUPED_EVENTS, NODES, OBJECTS, PODS, Resource
from bot.domain.entity import Entity
from bot.domain.finding import Finding
from bot.domain.kubernetes import cluster_event, object_version, part, text
from bot.domain.ports import Clock, Progress, Sink
from bot.domain.window import Window
from bot.sources.kubernetes.logs import Container, ReadLog, containers_of
from bot.sources.kubernetes.losses import Losses
from bot.sources.kubernetes.ordered import in_order

What = Literal["logs", "events", "object"]
WIDTH = 4
MOST_CONTAINERS = 12
MOST_PODS = 1000
"""Pods of a namespace that are looked through for those of a workload."""
MOST_EVENTS = 500
MOST_LOG_BYTES = 1024 * 1024
"""Of all containers together."""
RESOURCES: Mapping[str, Resource] = {resource.kind: resource for resource in (*OBJECTS, NODES)}
"""Kinds whose present state may be looked at; of ConfigMaps the name and version, of Secrets nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What is looked at: an entity by its own name (no cluster's before it), and the names that its pods have."""

    what: What
    entity: Entity
    window: Window
    pods: str = ""
    """A regular expression of whole names; empty where it has none"""


class KubernetesGlance:
    """Implements ``LiveSource`` for one look."""

    name = "kubernetes"

    def __init__(
        self,
        *,
        access: ClusterAccess,
        glance: Glance,
        deadline_s: float,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._access = access
        self._glance = glance
        self._clock = clock
        self.deadline_s = deadline_s

    def gather(self, sink: Sink, progress: Progress) -> None:  # noqa: ARG002 - the port's signature
        """Look, and hand on what is there; call from a thread without a running event loop."""
        asyncio.run(self._gather(sink))

    def examine(self) -> Sequence[Finding]:
        """Find nothing: what the cluster lets be read is examined where it is read whole."""
        return ()

    async def _gather(self, sink: Sink) -> None:
        ends_at = asyncio.get_running_loop().time() + self.deadline_s
        source = {"logs": "kubernetes/logs", "events": "kubernetes/events", "object": "kubernetes/objects"}
        losses = Losses()
        where = source[self._glance.what]
        try:
            async with asyncio.timeout_at(ends_at):
                client = await connected(self._access)
            async with client:
                api = ClusterApi(client=client, ends_at=ends_at, request_s=self.deadline_s)
                looks = {"logs": self._logs, "events": self._events, "object": self._object}
                await looks[self._glance.what](api, sink, losses)
        except TimeoutError:
            losses.say(where, f"{self._access.title} gave no credentials in {self.deadline_s:g} s")
        except UntoldError as error:
            losses.say(where, f"{self._access.title} could not be read: {error}")
        for gap in losses.gaps():
            sink.add_gap(gap)

    async def _object(self, api: ClusterApi, sink: Sink, losses: Losses) -> None:
        entity = self._glance.entity
        resource = RESOURCES[entity.kind]
        found = await _listed(api, resource, entity, 1)
        for item in found:
            told = kept(item, resource)
            version = object_version(told, encoded(told), self._clock())
            if version is not None:
                sink.add_object(version)
        if not found:
            losses.say("kubernetes/objects", f"there is no {entity} at present")

    async def _events(self, api: ClusterApi, sink: Sink, losses: Losses) -> None:
        count = 0
        async with aclosing(self._event_items(api)) as items:
            async for item in items:
                meta = {key: value for key, value in part(item, "metadata").items() if key != "managedFields"}
                told = {"apiVersion": "v1", "kind": "Event", **item, "metadata": meta}
                event = cluster_event(told, encoded(told))
                if event is None:
                    continue
                count += 1
                if count > MOST_EVENTS:
                    losses.say("kubernetes/events", f"it has more events than the {MOST_EVENTS} that were looked at")
                    return
                sink.add_event(event)

    async def _event_items(self, api: ClusterApi) -> AsyncGenerator[dict[str, Any], None]:
        entity = self._glance.entity
        namespace = entity.namespace or "default"  # what happened to nodes is filed there
        for resource, field in ((EVENTS, "involvedObject"), (GROUPED_EVENTS, "regarding")):
            selected = {"fieldSelector": f"{field}.kind={entity.kind},{field}.name={entity.name}"}
            try:
                async with aclosing(api.pages(resource, namespace, selected)) as pages:
                    async for page in pages:
                        for item in page.items:
                            yield item
            except ForbiddenError:
                if resource is GROUPED_EVENTS:
                    raise
                continue
            return

    async def _logs(self, api: ClusterApi, sink: Sink, losses: Losses) -> None:
        window = self._glance.window
        pods = await self._pods(api, losses)
        containers = [each for pod in pods for each in containers_of(pod, window)]
        if not pods:
            losses.say("kubernetes/logs", f"there is no pod of {self._glance.entity} at present, so its logs are gone")
        if len(containers) > MOST_CONTAINERS:
            losses.say("kubernetes/logs", f"{len(containers)} logs are there, {MOST_CONTAINERS} of them were read")
        chosen = _spread(containers)
        logs = [ReadLog(each, window, MOST_LOG_BYTES // max(1, len(chosen))) for each in chosen]
        streams: dict[int, int] = {}
        async with aclosing(in_order([partial(log.pieces, api) for log in logs], WIDTH)) as pieces:
            async for number, piece in pieces:
                stream = logs[number].container.stream
                if isinstance(piece, UntoldError):
                    losses.add("kubernetes/logs", stream.path, str(piece))
                    continue
                if number not in streams:
                    streams[number] = sink.open_stream(stream)
                sink.add_lines(streams[number], piece)
        for log in logs:
            if log.size:
                sink.add_read("kubernetes/logs", log.container.stream.path, log.size)
            if log.full:
                what = f"of {log.container.stream.path} the first {log.most_bytes // 1024} KiB of the span were read"
                losses.say("kubernetes/logs", what)

    async def _pods(self, api: ClusterApi, losses: Losses) -> list[dict[str, Any]]:
        entity = self._glance.entity
        if entity.kind == "Pod":
            return await _listed(api, PODS, entity, 1)
        pattern = re.compile(self._glance.pods)
        found, seen = [], 0
        async with aclosing(api.pages(PODS, entity.namespace)) as pages:
            async for page in pages:
                found += [item for item in page.items if pattern.fullmatch(text(part(item, "metadata").get("name")))]
                seen += len(page.items)
                if seen >= MOST_PODS:
                    losses.say(
                        "kubernetes/logs", f"more than {MOST_PODS} pods are there; the others were not looked at"
                    )
                    break
        return found


async def _listed(api: ClusterApi, resource: Resource, entity: Entity, most: int) -> list[dict[str, Any]]:
    selected = {"fieldSelector": f"metadata.name={entity.name}"}
    found: list[dict[str, Any]] = []
    async with aclosing(api.pages(resource, entity.namespace, selected)) as pages:
        async for page in pages:
            found += page.items
            if len(found) >= most:
                break
    return found[:most]


def _spread(containers: Sequence[Container]) -> list[Container]:
    """Choose where there are too many: those before a restart first, for they tell why."""
    ordered = sorted(containers, key=lambda each: (not each.previous, each.pod, each.name))
    return sorted(ordered[:MOST_CONTAINERS], key=lambda each: (each.pod, each.name, not each.previous))
