"""Hear what a cluster does and keep what matters of it: changes, events, and logs that would be lost."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bot.archive.keeping import Keeper, steady_part
from bot.cluster.api import ClusterApi
from bot.cluster.masks import encoded, kept
from bot.cluster.resources import EVENTS, PODS, WATCHED, Resource
from bot.domain.kubernetes import cluster_event, part, text
from bot.recorder.lines import AT_ONCE, MOST_FOLLOWED, LogTaker, Taking, containers
from bot.recorder.watching import SHORTEST_PAUSE_S, SILENCE_S, Watch

LOGS = "logs"
"""What the archive calls the time in which logs could be taken."""
FLUSH_S = 1.0
FLUSH_BYTES = 4 * 1024 * 1024
BEAT_S = 10.0
PRUNE_S = 60.0
CONNECTIONS = MOST_FOLLOWED + AT_ONCE + 2 * len(WATCHED) + 16
"""Each watch and each log that is taken holds one open."""
MOST_RESTARTS_KNOWN = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderPlan:
    """``namespaces``: only these are watched; empty: all. ``follow``: whose logs are kept whole."""

    namespaces: tuple[str, ...] = ()
    follow: tuple[str, ...] = ()
    resources: tuple[Resource, ...] = WATCHED
    pause_s: float = SHORTEST_PAUSE_S
    silence_s: float = SILENCE_S
    flush_s: float = FLUSH_S


@dataclass(slots=True)
class Recorder:
    """Watches with one client and writes into one archive."""

    api: ClusterApi
    keeper: Keeper
    plan: RecorderPlan
    now: Callable[[], float] = time.time
    watches: list[Watch] = field(default_factory=list)
    heard: int = 0
    watched: bool = False
    """Whether logs can be taken, as the archive was last told"""
    taker: LogTaker = field(init=False)
    _restarts: dict[tuple[str, str], int] = field(default_factory=dict)
    _unfollowed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make the watches."""
        self.taker = LogTaker(self.api, self.keeper, self.now)
        for resource in self.plan.resources:
            for namespace in self.plan.namespaces if self.plan.namespaces and resource.namespaced else (None,):
                self.watches.append(
                    Watch(
                        api=self.api, resource=resource, namespace=namespace, keeper=self.keeper, heard=self.hear,
                        now=self.now, pause_s=self.plan.pause_s, silence_s=self.plan.silence_s,
                        seen_first=resource is PODS,
                    )
                )  # fmt: skip

    async def run(self) -> None:
        """Record until cancelled; what was heard is written before this ends."""
        tasks = [asyncio.create_task(watch.run()) for watch in self.watches]
        try:
            await self._keep(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self.taker.close()
            self.keeper.flush()

    async def _keep(self, tasks: list[asyncio.Task[None]]) -> None:
        clock = asyncio.get_running_loop().time
        beaten = pruned = float("-inf")
        while True:
            if clock() - beaten >= BEAT_S or self.watched != self.healthy:
                self._beat()
                beaten = clock()
            self.keeper.flush()
            if clock() - pruned >= PRUNE_S:
                self.keeper.prune(self.now())
                pruned = clock()
            done, _ = await asyncio.wait(tasks, timeout=self.plan.flush_s, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a watch ends only by a fault, which ends the recorder

    @property
    def healthy(self) -> bool:
        """Tell whether anything is watched at this moment."""
        return any(watch.healthy for watch in self.watches)

    def _beat(self) -> None:
        """Keep for how long logs could be taken: while the cluster answers."""
        if self.healthy and not self.watched:
            self.keeper.begin(LOGS, self.now(), continued=False)
        elif self.healthy:
            self.keeper.beat(LOGS, self.now())
        self.watched = self.healthy

    async def hear(self, resource: Resource, change: str, item: Mapping[str, Any]) -> None:
        """Keep one change."""
        self.heard += 1
        if resource.kind == EVENTS.kind:
            self._hear_event(change, item)
        else:
            self._hear_object(resource, change, kept(item, resource))
        if self.keeper.waiting > FLUSH_BYTES:
            self.keeper.flush()
        if self.heard % 200 == 0:
            await asyncio.sleep(0)

    def _hear_event(self, change: str, item: Mapping[str, Any]) -> None:
        if change == "DELETED":
            return  # forgotten by the server, which is why it is kept here
        meta = {key: value for key, value in part(item, "metadata").items() if key != "managedFields"}
        whole = {"apiVersion": "v1", "kind": "Event", **item, "metadata": meta}
        raw = encoded(whole)
        event = cluster_event(whole, raw)
        if event is not None:
            namespace = event.entity.namespace or text(meta.get("namespace"))
            self.keeper.event(text(meta.get("uid")), event.at.timestamp(), event.first_at.timestamp(), namespace, raw)

    def _hear_object(self, resource: Resource, change: str, item: dict[str, Any]) -> None:
        meta = part(item, "metadata")
        namespace = text(meta.get("namespace"))
        names = (
            text(meta.get("uid")) or f"{resource.kind}/{namespace}/{text(meta.get('name'))}",
            resource.kind,
            namespace,
        )
        steady = encoded(steady_part(resource.kind, item))
        self.keeper.version(names, self.now(), encoded(item), steady, gone=change == "DELETED")
        if resource.kind == "Pod":
            self._hear_pod(change, item)

    def _hear_pod(self, change: str, pod: Mapping[str, Any]) -> None:
        meta, node = part(pod, "metadata"), text(part(pod, "spec").get("nodeName")) or None
        namespace, name, uid = text(meta.get("namespace")), text(meta.get("name")), text(meta.get("uid"))
        for container, restarts, began in containers(pod):
            known = self._restarts.get((uid, container))
            self._restarts[uid, container] = restarts
            taking = Taking(namespace=namespace, pod=name, container=container, node=node)
            if restarts and known != restarts and change != "DELETED":
                self.taker.take(Taking(namespace=namespace, pod=name, container=container, node=node, previous=True))
            if change == "DELETED":
                self._restarts.pop((uid, container), None)
            elif began and meta.get("deletionTimestamp"):
                self.taker.take(taking)
            elif began and namespace in self.plan.follow:
                self._follow(Taking(namespace=namespace, pod=name, container=container, node=node, follow=True), uid)
        if change == "DELETED":
            self._unfollowed.discard(uid)
        while len(self._restarts) > MOST_RESTARTS_KNOWN:
            with suppress(StopIteration):
                self._restarts.pop(next(iter(self._restarts)))

    def _follow(self, taking: Taking, uid: str) -> None:
        """Follow a log while there is a place for it; say once of each pod that there was none."""
        if self.taker.running < MOST_FOLLOWED:
            self.taker.take(taking)
        elif uid not in self._unfollowed and len(self._unfollowed) < MOST_RESTARTS_KNOWN:
            self._unfollowed.add(uid)
            what = f"the log of {taking.namespace}/{taking.pod} was not followed, for {MOST_FOLLOWED} logs are already"
            self.keeper.loss(self.now(), what)
