"""What Argo CD and Flux keep of their deploys, where a cluster has them.

Their objects lie in a namespace of the tool's own, mostly, and tell of deploys into others. So they are listed across the
cluster, and those are kept that have to do with the namespaces in scope. Whether a tool is installed is looked up first: an
API server answers "forbidden", not "no such thing", to whoever has no rule for a kind that it does not know.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.cluster.api import ClusterApi, Page
from bot.cluster.refusals import AbsentError, ForbiddenError
from bot.cluster.resources import DELIVERED, Resource
from bot.domain.kubernetes import part, text

PAGE = 100
"""An Application lists every object it manages, so a page of them is larger than one of pods."""
MOST_PAGES = 40
HERE = "https://kubernetes.default.svc"
"""How Argo CD calls the cluster it runs in; Flux names others by a ``kubeConfig``."""


async def installed(api: ClusterApi) -> list[Resource]:
    """Give the resources of delivery tools that the server knows, each in a version it serves; raises UntoldError."""
    told, _ = await api.json("/apis", {})
    groups = {text(each.get("name")): each for each in _listed(told, "groups")}
    found: list[Resource] = []
    for resource in DELIVERED:
        if (group := groups.get(resource.group)) is None:
            continue
        served = [text(each.get("version")) for each in _listed(group, "versions")]
        preferred = text(part(group, "preferredVersion").get("version"))
        version = resource.version if resource.version in served else preferred
        try:
            kinds, _ = await api.json(f"/apis/{resource.group}/{version}", {})
        except AbsentError:
            continue
        if any(each.get("name") == resource.plural for each in _listed(kinds, "resources")):
            found.append(replace(resource, version=version))
    return found


async def pages(api: ClusterApi, resource: Resource, namespaces: Sequence[str]) -> AsyncGenerator[Page, None]:
    """Give the objects that have to do with the namespaces; where only their own may be listed, those in them."""
    wanted = frozenset(namespaces)
    try:
        async for page in _bounded(api, resource, None):
            page.items = [item for item in page.items if concerned(item) & wanted]
            yield page
    except ForbiddenError as error:
        refused = 0
        for namespace in namespaces:
            try:
                async for page in _bounded(api, resource, namespace):
                    yield page
            except ForbiddenError:
                refused += 1
        if refused == len(namespaces):
            raise error from None


async def _bounded(api: ClusterApi, resource: Resource, namespace: str | None) -> AsyncGenerator[Page, None]:
    read = 0
    async for page in api.pages(resource, namespace, {"limit": PAGE}):
        yield page
        if (read := read + 1) >= MOST_PAGES:
            return


def concerned(item: Mapping[str, Any]) -> frozenset[str]:
    """Give the namespaces that a delivery is made from or into."""
    meta, spec, status = part(item, "metadata"), part(item, "spec"), part(item, "status")
    found = {text(meta.get("namespace")), text(part(spec, "destination").get("namespace"))}
    found |= {text(spec.get("targetNamespace"))}
    found |= {text(each.get("namespace")) for each in _listed(status, "resources")}
    for entry in _listed(part(status, "inventory"), "entries"):
        found.add(text(entry.get("id")).partition("_")[0])
    return frozenset(found - {""})


def elsewhere(item: Mapping[str, Any]) -> bool:
    """Tell whether it is made into another cluster, in which a namespace of the same name is another one."""
    spec = part(item, "spec")
    into = part(spec, "destination")
    server, name = text(into.get("server")), text(into.get("name"))
    return bool(spec.get("kubeConfig")) or server not in {"", HERE} or (not server and name not in {"", "in-cluster"})


def _listed(item: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = item.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
