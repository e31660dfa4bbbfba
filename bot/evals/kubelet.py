"""What kubelets and the node controller do when things go wrong: evictions, failed probes, lost nodes, failed pulls.

Messages are those of Kubernetes 1.31 (kubelet eviction manager, prober, node lifecycle controller, scheduler).
"""

from bot.evals.cluster import Cluster
from bot.evals.workloads import Node, Pod, Workload

UNREACHABLE_S = 40.0
"""``--node-monitor-grace-period``: no heartbeat for so long makes a node NotReady."""
TOLERATION_S = 300.0
"""The default toleration of ``node.kubernetes.io/not-ready`` and ``unreachable``."""


def node_event(
    cluster: Cluster, node: Node, reason: str, message: str, *, by: str = "kubelet", warning: bool = False
) -> None:
    """Record an event of a node."""
    cluster.export.event(
        cluster.now, cluster.ref("Node", "", node.name), reason, message, by, node.name, warning=warning
    )


def node_status(cluster: Cluster, node: Node, status: str) -> None:
    """Record a change of a node's condition, as kubelets word it."""
    node_event(cluster, node, status, f"Node {node.name} status is now: {status}")


def evict(cluster: Cluster, workload: Workload, pod: Pod, message: str) -> None:
    """Evict a pod for want of a resource: it stays behind as Failed, its controller makes another."""
    if pod.gone:
        return
    now, node = cluster.now, pod.node.name
    ref = cluster.ref("Pod", workload.namespace, pod.name)
    held = cluster.ref("Pod", workload.namespace, pod.name, workload.app)
    cluster.export.event(now, ref, "Evicted", message, "kubelet", node, warning=True)
    cluster.export.event(now + 0.1, held, "Killing", f"Stopping container {workload.app}", "kubelet", node)
    workload.failed_pods.append((pod, now, "Evicted", message))
    cluster.remove(workload, pod)
    cluster.at(now + 0.4, lambda: cluster.fill(workload))


def unschedulable(cluster: Cluster, workload: Workload, pod: Pod, reasons: str) -> None:
    """Record that no node takes a pod; ``reasons`` is the scheduler's list."""
    total = len(cluster.nodes)
    message = (
        f"0/{total} nodes are available: {reasons}. preemption: 0/{total} nodes are available: "
        f"{total} No preemption victims found for incoming pod."
    )
    ref = cluster.ref("Pod", workload.namespace, pod.name)
    cluster.export.event(cluster.now, ref, "FailedScheduling", message, "default-scheduler", warning=True)


def probe_failed(cluster: Cluster, workload: Workload, pod: Pod, what: str, why: str) -> None:
    """Record a failed liveness or readiness probe."""
    held = cluster.ref("Pod", workload.namespace, pod.name, workload.app)
    message = f'{what} probe failed: Get "http://{pod.ip}:{workload.port}/healthz": {why}'
    cluster.export.event(cluster.now, held, "Unhealthy", message, "kubelet", pod.node.name, warning=True)


def kill_unlive(cluster: Cluster, workload: Workload, pod: Pod) -> None:
    """Restart a container whose liveness probe failed too often; one that hangs does not hear SIGTERM."""
    held = cluster.ref("Pod", workload.namespace, pod.name, workload.app)
    message = f"Container {workload.app} failed liveness probe, will be restarted"
    cluster.export.event(cluster.now, held, "Killing", message, "kubelet", pod.node.name)
    cluster.crash(workload, pod, "Error", 137)


def lose_node(cluster: Cluster, node: Node) -> list[tuple[Workload, Pod]]:
    """Let a machine die: its pods fall silent at once, the control plane learns of it later and replaces them."""
    lost = [(w, p) for w in cluster.workloads.values() for p in w.pods if p.node is node and p.died_at is None]
    for _, pod in lost:
        pod.died_at = cluster.now
    cluster.at(cluster.now + UNREACHABLE_S, lambda: _not_ready(cluster, node, lost))
    return lost


def _not_ready(cluster: Cluster, node: Node, lost: list[tuple[Workload, Pod]]) -> None:
    node.cordoned = True
    node_event(cluster, node, "NodeNotReady", f"Node {node.name} status is now: NodeNotReady", by="node-controller")
    for workload, pod in lost:
        ref = cluster.ref("Pod", workload.namespace, pod.name)
        cluster.export.event(
            cluster.now + 0.2, ref, "NodeNotReady", "Node is not ready", "node-controller", warning=True
        )
    cluster.at(cluster.now + TOLERATION_S, lambda: _replace(cluster, node, lost))


def _replace(cluster: Cluster, node: Node, lost: list[tuple[Workload, Pod]]) -> None:
    if not node.cordoned:
        return
    for workload, pod in lost:
        if pod.gone or workload.kind == "StatefulSet":
            continue
        ref = cluster.ref("Pod", workload.namespace, pod.name)
        message = f"Marking for deletion Pod {workload.namespace}/{pod.name}"
        cluster.export.event(cluster.now, ref, "TaintManagerEviction", message, "taint-eviction-controller")
        cluster.remove(workload, pod)
        cluster.fill(workload)


def recover_node(cluster: Cluster, node: Node) -> None:
    """Let a machine come back: it is ready again, and pods that still belong to it start anew."""
    node.cordoned, node.ready_since = False, cluster.now
    node_event(cluster, node, "Starting", "Starting kubelet.")
    node_event(
        cluster, node, "Rebooted", f"Node {node.name} has been rebooted, boot id: {cluster.rng.uid()}", warning=True
    )
    node_status(cluster, node, "NodeReady")
    for workload in cluster.workloads.values():
        for pod in workload.pods:
            if pod.node is node and pod.died_at is not None and not pod.waiting:
                pod.died_at, pod.started_at, pod.restarts = None, cluster.now + 2, pod.restarts + 1
                pod.ready_at = cluster.now + 4 + workload.boot_s


def pulling(cluster: Cluster, workload: Workload, pod: Pod, why: str, *, attempt: int) -> float:
    """Record a failed pull of a pod's image and give the seconds until the next attempt."""
    export, now, node = cluster.export, cluster.now, pod.node.name
    held = cluster.ref("Pod", workload.namespace, pod.name, workload.app)
    image = f"{workload.image}:{workload.tag}"
    if attempt == 0:
        message = f"Successfully assigned {workload.namespace}/{pod.name} to {node}"
        export.event(now, cluster.ref("Pod", workload.namespace, pod.name), "Scheduled", message, "default-scheduler")
    export.event(now + 0.9, held, "Pulling", f'Pulling image "{image}"', "kubelet", node)
    export.event(now + 4, held, "Failed", f'Failed to pull image "{image}": {why}', "kubelet", node, warning=True)
    export.event(now + 4.1, held, "Failed", "Error: ErrImagePull", "kubelet", node, warning=True)
    export.event(now + 16, held, "BackOff", f'Back-off pulling image "{image}"', "kubelet", node)
    export.event(now + 16.1, held, "Failed", "Error: ImagePullBackOff", "kubelet", node, warning=True)
    pod.waiting = "ImagePullBackOff"
    return float(min(300.0, 20.0 * 2**attempt))
