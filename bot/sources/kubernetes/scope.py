"""Which namespaces are read, and in which order: those asked for, then outwards, so that no large cluster is read whole.

A cluster with few pods is read whole. In a large one the reading begins where the question points, where warnings stand, or
where something is in trouble now. It goes on to who is called from there, who calls there, and who runs on the same nodes, for
as many pods as a small cluster has. Namespaces that were named, by a person or the configuration, are a border: nothing beyond
it is read, though whom its pods call there is told.
"""

import json
import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from bot.cluster.api import ClusterApi
from bot.cluster.refusals import AbsentError, ForbiddenError, UntoldError
from bot.cluster.resources import CRON_JOBS, DEPLOYMENTS, EVENTS, NAMESPACES, PODS, Resource
from bot.domain.kubernetes import part, text

MOST_PODS = 1500
"""A cluster with so many pods at most is read whole; five lists of 250 each, and a log or two a pod."""
MOST_NODES = 30
"""Nodes whose other pods are looked for."""
MOST_PAGES = 12
"""Of a list read only to find neighbours."""
MOST_SEEDS = 3
NOT_RUNNING = "status.phase!=Running,status.phase!=Succeeded"
MOST_COUNTED = 80
"""Namespaces whose pods are counted, a short request each."""
SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})

_HOST_IN_NAMESPACE = re.compile(r"[a-z0-9-]{1,63}\.([a-z0-9-]{1,63})(?![a-z0-9-])")
_SERVICE = re.compile(r"\.([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.svc(?![a-z0-9-])")
_WORD = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """``namespaces`` in the order of reading, and sentences on what was left out; ``lost`` where it may be missed."""

    namespaces: tuple[str, ...]
    said: tuple[tuple[str, bool], ...] = ()


class Scoping:
    """Finds the scope of one reading."""

    def __init__(self, api: ClusterApi, border: Sequence[str], question: str) -> None:
        self._api = api
        self._border = tuple(border)
        self._question = question
        self._known: tuple[str, ...] = ()

    async def find(self) -> Chosen:
        """Choose the namespaces. Raises UntoldError where not even their names can be learned."""
        if self._border:
            return Chosen(namespaces=tuple(sorted(self._border, key=self._rank)))
        self._known = tuple(
            [text(part(item, "metadata").get("name")) async for item in self._items(NAMESPACES, None, {})]
        )
        asked = self._asked()
        pods = await self._count_pods()
        if pods is not None and pods <= MOST_PODS:
            return Chosen(namespaces=tuple(sorted(self._known, key=self._rank)))
        seeds = asked or await self._with_warnings() or await self._in_trouble()
        if not seeds:
            many = f"the cluster has {pods or 'too many'} pods"
            what = f"{many}, and neither the question nor a warning nor a workload in trouble says where to look"
            return Chosen(namespaces=(), said=((f"{what}: name a namespace in the question", True),))
        return await self._outwards(seeds, pods)

    def _asked(self) -> list[str]:
        words = set(_WORD.findall(self._question.lower()))
        return [name for name in self._known if name in words and name != "default"]

    def _rank(self, namespace: str) -> tuple[int, str]:
        words = set(_WORD.findall(self._question.lower()))
        return (0 if namespace in words else 2 if namespace in SYSTEM else 1, namespace)

    async def _count_pods(self, namespace: str | None = None) -> int | None:
        """Count pods with one short answer: a list tells how many more there are."""
        try:
            told, _ = await self._api.json(PODS.path(namespace), {"limit": 1}, rule=PODS.rule("list"))
        except UntoldError:
            return None
        more = part(told, "metadata").get("remainingItemCount")
        return (more if isinstance(more, int) else 0) + len(told.get("items") or ())

    async def _with_warnings(self) -> list[str]:
        counted: Counter[str] = Counter()
        async for event in self._items(EVENTS, None, {"fieldSelector": "type=Warning"}):
            count = event.get("count")
            counted[text(part(event, "metadata").get("namespace"))] += min(count, 100) if isinstance(count, int) else 1
        return self._first(counted)

    async def _in_trouble(self) -> list[str]:
        """Look for what is in trouble now, for warnings are forgotten within the hour: pods that do not run, missing replicas."""
        counted: Counter[str] = Counter()
        async for pod in self._items(PODS, None, {"fieldSelector": NOT_RUNNING}):
            counted[text(part(pod, "metadata").get("namespace"))] += 1
        async for workload in self._items(DEPLOYMENTS, None, {}):
            missing = part(workload, "status").get("unavailableReplicas")
            if isinstance(missing, int) and missing > 0:
                counted[text(part(workload, "metadata").get("namespace"))] += missing
        return self._first(counted)

    def _first(self, counted: Mapping[str, int]) -> list[str]:
        return [name for name in _most_first(counted) if name in self._known and name not in SYSTEM][:MOST_SEEDS]

    async def _outwards(self, seeds: Sequence[str], pods: int | None) -> Chosen:
        nodes: Counter[str] = Counter()
        linked: Counter[str] = Counter()
        for seed in seeds:
            async for pod in self._items(PODS, seed, {}):
                nodes[text(part(pod, "spec").get("nodeName"))] += 1
                linked.update(self._named_in(part(pod, "spec")))
        async for workload in self._items(DEPLOYMENTS, None, {}):
            if any(name in seeds for name in self._named_in(part(workload, "spec"))):
                linked[text(part(workload, "metadata").get("namespace"))] += 1
        beside = await self._beside(nodes)
        order = [*seeds, *_most_first(linked), *_most_first(beside)]
        named = [name for name in dict.fromkeys(order) if name in self._known and name not in SYSTEM]
        chosen = await self._within_bounds(named, seeds)
        left = len(self._known) - len(chosen)
        near = [name for name in named if name not in chosen]
        unread = f", {', '.join(near[:3])} among them, which is near" if near else ""
        what = (
            f"of {pods or 'many'} pods those of {', '.join(seeds)}, of who calls or is called there, and of the same nodes "
            f"were read; {left} namespaces were not{unread}: name others in the question to read them"
        )
        return Chosen(namespaces=chosen, said=((what, bool(near)),) if left else ())

    async def _beside(self, nodes: Mapping[str, int]) -> Counter[str]:
        """Count who runs on the same nodes; whoever has CronJobs may have run there and be gone."""
        beside: Counter[str] = Counter()
        for node in _most_first(nodes)[:MOST_NODES]:
            if node:
                async for pod in self._items(PODS, None, {"fieldSelector": f"spec.nodeName={node}"}):
                    beside[text(part(pod, "metadata").get("namespace"))] += 1
        async for job in self._items(CRON_JOBS, None, {}):
            beside[text(part(job, "metadata").get("namespace"))] += 1
        return beside

    async def _within_bounds(self, named: Sequence[str], seeds: Sequence[str]) -> tuple[str, ...]:
        """Take namespaces in their order while there are not too many pods; a small one may follow one that is too large."""
        chosen, pods = list(seeds), 0
        for name in [each for each in named if each not in seeds][:MOST_COUNTED]:
            size = await self._count_pods(name)
            if size is not None and pods + size <= MOST_PODS:
                chosen.append(name)
                pods += size
        return tuple(chosen)

    def _named_in(self, spec: Mapping[str, Any]) -> Iterable[str]:
        named = set(_HOST_IN_NAMESPACE.findall(json.dumps(spec)))
        return sorted(named.intersection(self._known))

    async def _items(
        self, resource: Resource, namespace: str | None, params: Mapping[str, str | int]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Give the first pages of a list; without the right to it, nothing: what is then read is narrower, and not wrong."""
        pages = 0
        try:
            async with aclosing(self._api.pages(resource, namespace, params)) as listed:
                async for page in listed:
                    for item in page.items:
                        yield item
                    if (pages := pages + 1) >= MOST_PAGES:
                        return
        except (ForbiddenError, AbsentError):
            if resource is NAMESPACES:
                raise


def called_in(spec: Mapping[str, Any]) -> set[str]:
    """Give the namespaces whose services a pod is configured to call, by the names that only services have."""
    return set(_SERVICE.findall(json.dumps(spec)))


def _most_first(counted: Mapping[str, int]) -> list[str]:
    return sorted(counted, key=lambda name: (-counted[name], name))
