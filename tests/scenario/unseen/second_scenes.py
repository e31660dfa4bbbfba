"""A scene of the second examination: where a release's pods really stand. Leaves out what goes wrong."""

from collections.abc import Sequence

from incident_kit import Export


def placed(x: Export, pods: Sequence[str], nodes: Sequence[str]) -> list[str]:
    """Put pods of a release on ``nodes`` in turn, in their objects and in the scheduler's events; give the pods."""
    on = {pod: nodes[n % len(nodes)] for n, pod in enumerate(pods)}
    for kept in x.objects[x.namespace, "Pod"]:
        if kept["metadata"]["name"] in on:
            kept["spec"]["nodeName"] = on[kept["metadata"]["name"]]
    for event in x.events:
        pod = event["involvedObject"]["name"]
        if "Scheduled" == event["reason"] and pod in on:
            event["message"] = f"Successfully assigned {x.namespace}/{pod} to {on[pod]}"
    return list(pods)
