"""Parts that incidents of stateful things share: replicated StatefulSets, DaemonSets, drained nodes, pods that are made again.

Leaves out what goes wrong; like the kit it knows what objects and events look like and nothing else.
"""

from collections.abc import Sequence

from incident_kit import Export, cluster_ip, stamp


def _set(x: Export, kind: str, name: str, namespace: str, image: str, born: float, **spec: object) -> dict:
    container = {"name": "app", "image": image}
    x.keep({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": stamp(x.at(born))},
        "spec": {"selector": {"matchLabels": {"app": name}}, **spec,
                 "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}},
    })  # fmt: skip
    return container


def _pod(x: Export, above: tuple[str, str, str], pod: str, node: str, container: dict, born: float) -> None:
    kind, of, namespace = above
    x.keep({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": pod, "namespace": namespace, "creationTimestamp": stamp(x.at(born)), "labels": {"app": of},
                     "ownerReferences": [{"apiVersion": "apps/v1", "kind": kind, "name": of, "uid": of, "controller": True}]},
        "spec": {"nodeName": node, "containers": [container]},
        "status": {"phase": "Running", "startTime": stamp(x.at(born)), "podIP": f"10.42.{len(node)}.{len(pod)}"},
    })  # fmt: skip


def replicas(x: Export, name: str, image: str, nodes: Sequence[str], *, namespace: str | None = None) -> list[str]:
    """Keep a StatefulSet with one pod on each of ``nodes`` and its Service; give the pods."""
    namespace = namespace or x.namespace
    container = _set(x, "StatefulSet", name, namespace, image, -90000.0, replicas=len(nodes), serviceName=name)
    x.keep({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": name}, "clusterIP": cluster_ip(name), "ports": [{"port": 9000}]},
    })  # fmt: skip
    for number, on in enumerate(nodes):
        _pod(x, ("StatefulSet", name, namespace), f"{name}-{number}", on, container, -9000.0)
    return [f"{name}-{number}" for number in range(len(nodes))]


def daemon(
    x: Export, name: str, image: str, nodes: Sequence[str], namespace: str, *, born: float = -9000.0, keep: bool = True
) -> dict[str, str]:
    """Add a DaemonSet with a pod on each of ``nodes``; give the pods by node. ``keep=False`` leaves no objects."""
    pods = {on: f"{name}-{''.join(x.random.choices('bcdfghjklmnpqrstvwxz2456789', k=5))}" for on in nodes}
    if keep:
        container = _set(x, "DaemonSet", name, namespace, image, min(born, -9000.0))
        for on, pod in pods.items():
            _pod(x, ("DaemonSet", name, namespace), pod, on, container, born)
    return pods


def ended(
    x: Export, pod: str, minute: float, node: str, *, namespace: str | None = None, container: str = "app"
) -> None:
    """Add the kubelet's event of a pod that is told to go."""
    x.event(minute, "Killing", f"Pod/{pod}", f"Stopping container {container}", namespace=namespace, host=node)


def made(
    x: Export, pod: str, minute: float, node: str, image: str, *, namespace: str | None = None, pull: float = 0.1,
    container: str = "app",
) -> None:  # fmt: skip
    """Add the events of a pod that is placed on a node and started; ``pull`` is how long its image takes, in minutes."""
    where = namespace or x.namespace
    x.event(minute, "Scheduled", f"Pod/{pod}", f"Successfully assigned {where}/{pod} to {node}",
            component="default-scheduler", namespace=namespace)  # fmt: skip
    x.event(minute + 0.02, "Pulling", f"Pod/{pod}", f'Pulling image "{image}"', namespace=namespace, host=node)
    x.event(minute + pull, "Pulled", f"Pod/{pod}", f'Successfully pulled image "{image}" in {pull * 60:.3f}s',
            namespace=namespace, host=node)  # fmt: skip
    x.event(
        minute + pull + 0.02, "Created", f"Pod/{pod}", f"Created container {container}", namespace=namespace, host=node
    )
    x.event(
        minute + pull + 0.05, "Started", f"Pod/{pod}", f"Started container {container}", namespace=namespace, host=node
    )


def cordoned(x: Export, node: str, minute: float, until: float | None = None) -> None:
    """Add the kubelet's events of a node that takes no pods any more and, at ``until``, takes them again."""
    x.event(minute, "NodeNotSchedulable", f"Node/{node}", f"Node {node} status is now: NodeNotSchedulable",
            namespace="default", host=node)  # fmt: skip
    if until is not None:
        x.event(until, "NodeSchedulable", f"Node/{node}", f"Node {node} status is now: NodeSchedulable",
                namespace="default", host=node)  # fmt: skip
