"""What the credentials may do, asked of the API server itself (SelfSubjectAccessReview), and the rule that is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.cluster.api import ClusterApi
from bot.cluster.resources import DELIVERED, EVENTS, INSTEAD, LOGS, NAMESPACES, NODES, OBJECTS, WATCHED, Resource

_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One verb on one resource, in a namespace or (None) in all; whether it is granted."""

    resource: Resource
    verb: str
    namespace: str | None
    granted: bool

    @property
    def rule(self) -> str:
        """Spell the rule that would grant it."""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return self.resource.rule(self.verb) + where


READING = (
    (NAMESPACES, "list"),
    (NODES, "list"),
    (EVENTS, "list"),
    *((each, "list") for each in OBJECTS),
    (LOGS, "get"),
)
DELIVERIES = tuple((each, "list") for each in DELIVERED)
"""Needed where the delivery tool is installed."""
RECORDING = (*((each, verb) for each in WATCHED for verb in ("list", "watch")), (LOGS, "get"))


async def rights(
    api: ClusterApi, needed: Sequence[tuple[Resource, str]], namespaces: Sequence[str] = ()
) -> list[Right]:
    """Ask for each needed right, cluster-wide or in the namespaces given; raises UntoldError where nobody answers."""
    found: list[Right] = []
    for resource, verb in needed:
        for namespace in namespaces if namespaces and resource.namespaced else (None,):
            granted = await _granted(api, resource, verb, namespace)
            if not granted and (other := INSTEAD.get(resource)) is not None:
                granted = await _granted(api, other, verb, namespace)
            found.append(Right(resource=resource, verb=verb, namespace=namespace, granted=granted))
    return found


async def _granted(api: ClusterApi, resource: Resource, verb: str, namespace: str | None) -> bool:
    plural, _, part = resource.plural.partition("/")
    asked = {"verb": verb, "group": resource.group, "resource": plural}
    if part:
        asked["subresource"] = part
    if namespace:
        asked["namespace"] = namespace
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    told, _ = await api.json(_PATH, {}, body=body)
    status = told.get("status")
    return isinstance(status, dict) and status.get("allowed") is True
