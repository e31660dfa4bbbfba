"""What ``doctor`` says of a cluster: whether it answers, which rule is missing, how far back its events reach, and its clock."""

import asyncio
from collections.abc import Sequence
from typing import Literal

from bot.cluster.access import ClusterAccess, connected
from bot.cluster.api import ClusterApi
from bot.cluster.masks import encoded
from bot.cluster.refusals import UntoldError
from bot.cluster.resources import EVENTS, GROUPED_EVENTS, RELEASES
from bot.cluster.rights import READING, Right, rights
from bot.domain.bearings import clock_findings
from bot.domain.finding import Finding
from bot.domain.kubernetes import cluster_event
from bot.domain.window import rfc3339
from bot.sources.kubernetes.deliveries import installed

WITHIN_S = 8.0
MOST_EVENTS = 500


async def examined(access: ClusterAccess, namespaces: Sequence[str], *, helm_secrets: bool = False) -> list[Finding]:
    """Ask the API server about ourselves; raises nothing."""
    name = "kubernetes"
    try:
        async with asyncio.timeout(WITHIN_S):
            client = await connected(access)
            async with client:
                ends_at = asyncio.get_running_loop().time() + WITHIN_S
                api = ClusterApi(client=client, ends_at=ends_at, request_s=WITHIN_S / 2)
                needed = [each for each in READING if each[0].namespaced or not namespaces]
                needed += [(each, "list") for each in await installed(api)]
                of_secrets = await rights(api, [(RELEASES, "list")], namespaces)
                found = await rights(api, needed, namespaces) + (of_secrets if helm_secrets else [])
                horizon = await _horizon(api, namespaces)
    except TimeoutError:
        what, fix = f"{access.title} did not answer within {WITHIN_S:g} s", "check the address and the network"
        return [Finding(name=name, state="wrong", what=what, fix=fix)]
    except UntoldError as error:
        fix = "check the kubeconfig, the context and the network"
        return [Finding(name=name, state="wrong", what=str(error), fix=fix)]
    more = [] if helm_secrets else _of_secrets(name, of_secrets)
    return [_of_rights(name, found, horizon), *more, *clock_findings(name, api.clock.ahead_s)]


async def _horizon(api: ClusterApi, namespaces: Sequence[str]) -> str:
    """Say of when the oldest of some events is: a list is ordered by name, so that most ages are among its first."""
    for resource in (EVENTS, GROUPED_EVENTS):
        try:
            told, _ = await api.json(resource.path(namespaces[0] if namespaces else None), {"limit": MOST_EVENTS})
        except UntoldError:
            continue
        found = [each for each in told.get("items") or () if isinstance(each, dict)]
        times = [event.at for each in found if (event := cluster_event({"kind": "Event", **each}, encoded(each)))]
        return (
            f"; the oldest event of {len(times)} looked at is of {rfc3339(min(times))}"
            if times
            else "; it has no events"
        )
    return ""


def _of_rights(name: str, found: Sequence[Right], horizon: str) -> Finding:
    missing = [right for right in found if not right.granted]
    if not missing:
        return Finding(name=name, state="ok", what=f"it answers, and all {len(found)} rights are granted{horizon}")
    state: Literal["warning", "wrong"] = "wrong" if len(missing) == len(found) else "warning"
    rules = "; ".join(f"- {right.rule}" for right in missing)
    what = f"{len(missing)} of {len(found)} rights are missing: {', '.join(sorted({each.resource.plural for each in missing}))}"
    return Finding(name=name, state=state, what=what, fix=f"add to the Role of manifests/kubernetes/rbac.yaml: {rules}")


def _of_secrets(name: str, found: Sequence[Right]) -> list[Finding]:
    """Warn of a right that is not needed: whoever may list Secrets may read them."""
    if not any(right.granted for right in found):
        return []
    what = "the credentials may list Secrets, which are never read: that is more than is needed"
    return [Finding(name=f"{name} secrets", state="warning", what=what, fix="take `secrets` out of its Role")]
