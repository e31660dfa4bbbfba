"""The simulated cluster: nodes that pods share, workloads, rollouts, kills, restarts; what Kubernetes would say about it.

Every event is written where the state changes. Requests live in ``traffic``, scaling loops in ``controllers``.
"""

import math
from collections.abc import Callable

from bot.evals.export import Export, ObjectRef
from bot.evals.randomness import Dice
from bot.evals.workloads import Node, Pod, Workload

ENDPOINT_LAG_S = 4.0
"""From a container's death to its address leaving every proxy: kubelet sync, EndpointSlice, reload."""


class Cluster:
    """Nodes and workloads, and the events their changes leave behind."""

    def __init__(
        self, export: Export, rng: Dice, nodes: list[Node], at: Callable[[float, Callable[[], None]], None]
    ) -> None:
        self.export = export
        self.rng = rng
        self.nodes = nodes
        self.at = at
        self.now = 0.0
        self.workloads: dict[str, Workload] = {}
        self.extra_demand: dict[str, float] = {}
        """Cores that batch pods want, by node name."""
        self.on_stop: dict[str, Callable[[Pod], None]] = {}
        self.on_gone: dict[str, Callable[[Pod], None]] = {}
        self.uids: dict[str, str] = {}
        self.refuse: Callable[[Workload], bool] = lambda _w: False
        """Whether the API server refuses to create a pod; whoever refuses writes the event."""
        self.hold: Callable[[Workload, Pod], str] = lambda _w, _p: ""
        """Why a new pod's container cannot start, empty where it can."""
        self.say: Callable[[Workload, Pod, str], None] = lambda _w, _p, _what: None
        """Called with ``boot``, ``stop``, ``oom`` when a container's life turns, so that its log can tell."""

    def uid(self, kind: str, name: str) -> str:
        """Give an object's uid, the same each time it is asked for."""
        return self.uids.setdefault(f"{kind}/{name}", self.rng.uid())

    def ref(self, kind: str, namespace: str, name: str, container: str | None = None) -> ObjectRef:
        """Point at an object."""
        versions = {
            "Deployment": "apps/v1", "ReplicaSet": "apps/v1", "StatefulSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1",
            "HorizontalPodAutoscaler": "autoscaling/v2", "Certificate": "cert-manager.io/v1",
            "CertificateRequest": "cert-manager.io/v1", "ExternalSecret": "external-secrets.io/v1beta1", "DaemonSet": "apps/v1",
            "PodDisruptionBudget": "policy/v1",
        }  # fmt: skip
        path = f"spec.containers{{{container}}}" if container else None
        return ObjectRef(
            kind=kind,
            namespace=namespace,
            name=name,
            uid=self.uid(kind, name),
            api_version=versions.get(kind, "v1"),
            field_path=path,
        )

    def add(self, workload: Workload, age_s: float) -> Workload:
        """Bring in a workload whose pods are already running."""
        self.workloads[workload.name] = workload
        workload.hash = workload.hash or self.rng.suffix(9)
        for i in range(workload.replicas):
            created = self.now - age_s - self.rng.random() * 40
            self._make_pod(workload, created, index=i, quiet=True)
        return workload

    def _node_for(self, workload: Workload) -> Node:
        used = {node.name: 0 for node in self.nodes}
        total = dict.fromkeys(used, 0.0)
        for pod in workload.pods:
            if not pod.gone:
                used[pod.node.name] += 1
        for other in self.workloads.values():
            for pod in other.pods:
                total[pod.node.name] += other.cpu_request
        open_nodes = [
            node for node in self.nodes if (node.name == workload.pinned if workload.pinned else not node.cordoned)
        ] or self.nodes
        return min(open_nodes, key=lambda n: (used[n.name], total[n.name] / n.cores, n.name))

    def _make_pod(self, workload: Workload, created: float, *, index: int = 0, quiet: bool = False) -> Pod:
        rng = self.rng
        name = (
            f"{workload.name}-{index}"
            if workload.kind == "StatefulSet"
            else f"{workload.name}-{workload.hash}-{rng.suffix()}"
        )
        node = self._node_for(workload)
        ready = created + 1.5 + workload.boot_s * rng.uniform(0.8, 1.4)
        pod = Pod(
            name=name, uid=self.uid("Pod", name), ip=f"10.{rng.randrange(40, 60)}.{rng.randrange(8)}.{rng.randrange(4, 250)}",
            node=node, created_at=created, ready_at=ready, started_at=created + 1.5, scheduled_at=created, memory_mb=workload.memory_mb * rng.uniform(0.8, 1.0),
        )  # fmt: skip
        workload.pods.append(pod)
        if not quiet:
            pod.waiting = self.hold(workload, pod)
            if pod.waiting:
                pod.died_at, pod.ready_at = 0.0, math.inf
            self._announce(workload, pod)
        return pod

    def begin(self, workload: Workload, pod: Pod) -> None:
        """Start the container of a pod that was held."""
        if pod.gone or not pod.waiting:
            return
        if pod.waiting == "Pending":
            pod.scheduled_at = self.now
        pod.waiting, pod.died_at, pod.started_at = "", None, self.now + 1.5
        pod.ready_at = pod.started_at + workload.boot_s * self.rng.uniform(0.8, 1.4)
        held = self.ref("Pod", workload.namespace, pod.name, workload.app)
        self.export.event(
            self.now + 1.5, held, "Started", f"Started container {workload.app}", "kubelet", pod.node.name
        )
        self.at(pod.started_at + 0.4, lambda: self.say(workload, pod, "boot"))
        if pod.when_ready is not None:
            self.at(pod.ready_at + 1, pod.when_ready)

    def fill(self, workload: Workload) -> None:
        """Create the pods a workload lacks, as its controller does, until one is refused."""
        while len(workload.live()) < workload.replicas and not self.refuse(workload):
            self._make_pod(workload, self.now + self.rng.uniform(0.1, 0.8))

    def _announce(self, workload: Workload, pod: Pod) -> None:
        export, at, owner = self.export, pod.created_at, f"{workload.name}-{workload.hash}"
        controller = "statefulset-controller" if workload.kind == "StatefulSet" else "replicaset-controller"
        kind, name = ("StatefulSet", workload.name) if workload.kind == "StatefulSet" else ("ReplicaSet", owner)
        export.event(
            at, self.ref(kind, workload.namespace, name), "SuccessfulCreate", f"Created pod: {pod.name}", controller
        )
        if pod.waiting:
            return
        self.pod_started_events(at, workload.namespace, pod, workload.app, f"{workload.image}:{workload.tag}")
        self.at(pod.started_at + 0.4, lambda: self.say(workload, pod, "boot"))

    def pod_started_events(self, at: float, namespace: str, pod: Pod, container: str, image: str) -> None:
        """Leave the scheduler's and the kubelet's events of a starting pod."""
        ref, held = self.ref("Pod", namespace, pod.name), self.ref("Pod", namespace, pod.name, container)
        self.export.event(
            at + 0.05,
            ref,
            "Scheduled",
            f"Successfully assigned {namespace}/{pod.name} to {pod.node.name}",
            "default-scheduler",
        )
        node = pod.node.name
        self.export.event(
            at + 0.9, held, "Pulled", f'Container image "{image}" already present on machine', "kubelet", node
        )
        self.export.event(at + 1.5, held, "Started", f"Started container {container}", "kubelet", node)

    def scale(self, workload: Workload, replicas: int) -> None:
        """Set a Deployment's replicas as a controller does: one ReplicaSet event, pods made or deleted at once."""
        before = workload.replicas
        if replicas == before:
            return
        word = "up" if replicas > before else "down"
        owner = f"{workload.name}-{workload.hash}"
        self.export.event(
            self.now + 0.1,
            self.ref("Deployment", workload.namespace, workload.name),
            "ScalingReplicaSet",
            f"Scaled {word} replica set {owner} from {before} to {replicas}",
            "deployment-controller",
        )
        workload.replicas = replicas
        for _ in range(replicas - before):
            if self.refuse(workload):
                break
            self._make_pod(workload, self.now + self.rng.uniform(0.1, 0.8))
        if replicas < before:
            # The ReplicaSet controller deletes unready pods first, then the youngest.
            order = sorted(workload.live(), key=lambda p: (p.ready_at <= self.now, -p.created_at))
            # Pods that were wished for and never came need no deleting.
            for pod in order[: max(0, min(before, len(order)) - replicas)]:
                self.stop(workload, pod, self.now + self.rng.uniform(0.1, 0.7), owner)

    def stop(self, workload: Workload, pod: Pod, at: float, owner: str) -> None:
        """Terminate a pod gracefully: SIGTERM now, SIGKILL when its grace period is over."""
        pod.stop_at = at
        kind, name = ("ReplicaSet", owner) if workload.kind == "Deployment" else (workload.kind, workload.name)
        component = "replicaset-controller" if workload.kind == "Deployment" else "statefulset-controller"
        self.export.event(
            at, self.ref(kind, workload.namespace, name), "SuccessfulDelete", f"Deleted pod: {pod.name}", component
        )
        held = self.ref("Pod", workload.namespace, pod.name, workload.app)
        self.export.event(at + 0.3, held, "Killing", f"Stopping container {workload.app}", "kubelet", pod.node.name)
        self.at(at + 0.35, lambda: self._sigterm(workload, pod))
        self.at(at + workload.grace_s + 0.35, lambda: self.remove(workload, pod))

    def _sigterm(self, workload: Workload, pod: Pod) -> None:
        self.say(workload, pod, "stop")
        if workload.name in self.on_stop:
            self.on_stop[workload.name](pod)
        else:
            self.at(self.now + min(workload.grace_s, self.rng.uniform(0.5, 6)), lambda: self.remove(workload, pod))

    def remove(self, workload: Workload, pod: Pod) -> None:
        """Take away a pod: what it still held is cut."""
        if pod.gone:
            return
        pod.gone = True
        workload.pods.remove(pod)
        if workload.name in self.on_gone:
            self.on_gone[workload.name](pod)

    def rollout(self, workload: Workload, tag: str) -> None:
        """Replace the pods one by one with those of a new template."""
        old, now = f"{workload.name}-{workload.hash}", self.now
        workload.old_hashes.append((workload.hash, workload.revision, workload.tag, now))
        workload.tag, workload.revision = tag, workload.revision + 1
        if workload.kind == "Deployment":
            workload.hash = self.rng.suffix(9)
        workload.remember()
        ref = self.ref("Deployment", workload.namespace, workload.name)
        new = f"{workload.name}-{workload.hash}"
        victims = workload.live()
        total = len(victims)

        def swap(i: int) -> None:
            made = f"Scaled up replica set {new} from {i} to {i + 1}"
            self.export.event(self.now, ref, "ScalingReplicaSet", made, "deployment-controller")
            pod = self._make_pod(workload, self.now + 0.2)
            pod.when_ready = lambda: retire(i)
            if not pod.waiting:
                self.at(pod.ready_at + 1, pod.when_ready)

        def retire(i: int) -> None:
            gone = f"Scaled down replica set {old} from {total - i} to {total - i - 1}"
            self.export.event(self.now, ref, "ScalingReplicaSet", gone, "deployment-controller")
            if not victims[i].gone and victims[i].stop_at is None:
                self.stop(workload, victims[i], self.now + 0.2, old)
            if i + 1 < total:
                swap(i + 1)

        if total:
            swap(0)

    def crash(self, workload: Workload, pod: Pod, reason: str, exit_code: int) -> None:
        """Let a container die in place: the kubelet restarts it, later and later when it dies often."""
        if pod.gone or pod.died_at is not None:
            return
        now, rng = self.now, self.rng
        recent = pod.last_state.get("at", 0.0) > now - 600
        streak = pod.last_state.get("streak", 0) + 1 if recent else 0
        wait = 0.0 if streak == 0 else min(300.0, 10.0 * 2 ** (streak - 1))
        pod.last_state = {
            "at": now, "started": pod.started_at, "reason": reason, "exit_code": exit_code, "streak": streak,
            "container": rng.hex(64),
        }  # fmt: skip
        pod.died_at, pod.restarts = now, pod.restarts + 1
        held = self.ref("Pod", workload.namespace, pod.name, workload.app)
        if reason == "OOMKilled":
            self._oom_event(workload, pod)
        if wait:
            message = (
                f"Back-off restarting failed container {workload.app} in pod {pod.name}_{workload.namespace}({pod.uid})"
            )
            for i in range(max(1, int(wait / 12))):
                self.export.event(now + 2 + 12 * i, held, "BackOff", message, "kubelet", pod.node.name, warning=True)
        back = now + wait + rng.uniform(1.0, 2.5)
        self.at(back, lambda: self._restart(workload, pod))

    def _restart(self, workload: Workload, pod: Pod) -> None:
        if pod.gone or pod.stop_at is not None:
            return
        held = self.ref("Pod", workload.namespace, pod.name, workload.app)
        image, node = f"{workload.image}:{workload.tag}", pod.node.name
        self.export.event(
            self.now, held, "Pulled", f'Container image "{image}" already present on machine', "kubelet", node
        )
        self.export.event(self.now + 0.6, held, "Started", f"Started container {workload.app}", "kubelet", node)
        pod.died_at, pod.started_at = None, self.now + 0.6
        pod.ready_at = self.now + workload.boot_s * self.rng.uniform(0.8, 1.4)
        pod.memory_mb = workload.memory_mb * self.rng.uniform(0.8, 0.9)
        self.at(self.now + 1.0, lambda: self.say(workload, pod, "boot"))

    def _oom_event(self, workload: Workload, pod: Pod) -> None:
        rss, rng = int(workload.memory_limit_mb * 1024 * 0.985), self.rng
        process = {"java": "java", "python": "python", "pino": "node"}.get(workload.style, workload.app[:15])
        text = (
            f"Memory cgroup out of memory: Killed process {rng.randrange(4000, 900000)} ({process}) total-vm:{rss * 3 + 812}kB, "
            f"anon-rss:{rss}kB, file-rss:{rng.randrange(4000, 30000)}kB, shmem-rss:0kB, UID:1000 pgtables:{rss // 400}kB oom_score_adj:984"
        )
        self.export.event(
            self.now,
            self.ref("Node", "", pod.node.name),
            "OOMKilling",
            text,
            "kernel-monitor",
            pod.node.name,
            warning=True,
        )

    def contend(self) -> None:
        """Share each node's cores: above four fifths, caches, SMT siblings and run queues make every request dearer."""
        for node in self.nodes:
            node.demand = self.extra_demand.get(node.name, 0.0)
        for workload in self.workloads.values():
            for pod in workload.pods:
                pod.node.demand += pod.cpu
        for node in self.nodes:
            pressure = node.demand / node.cores
            node.inflation = 1.0 + max(0.0, min(1.6, (pressure - 0.8) * 4.0))
