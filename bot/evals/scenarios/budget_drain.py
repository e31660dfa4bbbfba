"""A disruption budget that allows nothing: nodes cannot be drained, until the autoscaler's patience ends and takes all at once.

The wording is Karpenter's (1.0, ``terminator/events/events.go`` and ``terminator/eviction.go``): the API server answers an
eviction with 429 "Cannot evict pod as it would violate the pod's disruption budget." and makes no event of it; Karpenter
does, again and again, of a Node that bears the pod's name; and when the node's termination grace period is over, its pods
are deleted past the budget, which it tells as something normal.
"""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.evals.capacity import Capacity
from bot.evals.export import stamp
from bot.evals.kubelet import node_event, node_status
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import ALL_5XX, RATE_OF_5XX, Scene, bystanders, felt, of
from bot.evals.timeline import DAY_S
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Node, Pod
from bot.evals.world import World

RETRY_S = 120.0
"""Karpenter tells of a blocked eviction at most this often (its event de-duplication)."""


class Drain:
    """Nodes that have to go, one after another, and the service whose budget lets none of its pods be evicted."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, dice(world.key, "drain")
        names, rng = world.cast, self.rng
        world.retry_share, world.weekend = 0.25, 1.0
        self.service = world.cluster.workloads[rng.choice(names.services[:2])]
        self.service.boot_s = rng.uniform(200, 300)
        self.name = f"{self.service.name}{rng.choice(('-pdb', '-budget', '-disruption-budget'))}"
        peak = sum(route.rate for route in world.routes if route.service is self.service)
        self.capacity = Capacity(workload=self.service, per_pod=peak * rng.uniform(1.1, 1.2) / self.service.replicas)
        length = world.end - world.start
        self.made = world.start + length * rng.uniform(0.1, 0.25)
        base = world.cluster.workloads[names.database].pods[0].node
        self.nodes = [node for node in world.cluster.nodes if node is not base]
        self.patience = rng.choice((1800.0, 3600.0))
        world.at(self.made, lambda: world.mark("budget"))
        at = self.made + length * rng.uniform(0.08, 0.15)
        if world.days >= 2:
            # node images are replaced in working hours, when somebody is there
            at += (rng.uniform(8.5, 10) * 3600 - at) % DAY_S
        step = DAY_S if world.days >= 2 else length * 0.15
        for i in range(6):
            world.at(at + i // 2 * step + i % 2 * min(step / 2, 3 * 3600), partial(self.begin, i))
        world.on_tick.append(self.capacity.step)

    def begin(self, turn: int) -> None:
        """Begin to drain the node that holds most of the service's pods: the others' pods leave in order."""
        node = max(self.nodes, key=lambda n: (sum(p.node is n for p in self.service.live()), n.name))
        if node.cordoned or not any(p.node is node for p in self.service.live()):
            return
        world, cluster = self.world, self.world.cluster
        world.mark("drain")
        node.cordoned = True
        message = f"Disrupting Node: Drifted/{node.name} ({turn + 1})"
        node_event(cluster, node, "DisruptionTerminating", message, by="karpenter")
        others = [w for w in cluster.workloads.values() if w is not self.service and w.kind == "Deployment"]
        for workload in others:
            for pod in [p for p in workload.live() if p.node is node and len(workload.live()) > 1]:
                cluster.stop(workload, pod, world.now + self.rng.uniform(1, 40), f"{workload.name}-{workload.hash}")
                cluster.fill(workload)
        self._blocked(node, world.now + self.patience)

    def _blocked(self, node: Node, until: float) -> None:
        world = self.world
        held = [pod for pod in self.service.live() if pod.node is node]
        if world.now >= until or not held:
            self._force(node, held)
            return
        world.mark("blocked")
        text = f"Failed to drain node, evicting pod {self.service.namespace}/{held[0].name} violates a PDB"
        told = world.cluster.ref("Node", "", node.name)
        world.cluster.export.event(world.now, told, "FailedDraining", text, "karpenter", warning=True)
        world.at(world.now + RETRY_S, lambda: self._blocked(node, until))

    def _force(self, node: Node, held: list[Pod]) -> None:
        world, cluster, service = self.world, self.world.cluster, self.service
        for pod in held:
            ref = cluster.ref("Pod", service.namespace, pod.name)
            text = (
                f"Deleting the pod to accommodate the terminationTime {_go_time(world.now)} of the node. The pod was granted 30 seconds "
                "of grace-period of its 30 terminationGracePeriodSeconds. This bypasses the PDB of the pod and the do-not-disrupt annotation."
            )
            cluster.export.event(world.now, ref, "Disrupted", text, "karpenter")
            cluster.stop(service, pod, world.now + 0.5, f"{service.name}-{service.hash}")
            world.mark("forced")
        world.at(world.now + 3, lambda: cluster.fill(service))
        world.at(world.now + self.rng.uniform(300, 500), lambda: self._replaced(node))

    def _replaced(self, node: Node) -> None:
        node.cordoned = False
        node_status(self.world.cluster, node, "NodeReady")

    def document(self) -> dict[str, Any]:
        """Print the budget."""
        names, count = self.world.cast, self.service.replicas
        return {
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {
                "creationTimestamp": stamp(self.made), "generation": 1, "name": self.name, "namespace": names.app,
                "resourceVersion": "77310245", "uid": self.world.cluster.uid("PodDisruptionBudget", self.name),
            },
            "spec": {"minAvailable": "100%", "selector": {"matchLabels": {"app": self.service.name}}},
            "status": {"currentHealthy": count, "desiredHealthy": count, "disruptionsAllowed": 0, "expectedPods": count, "observedGeneration": 1},
        }  # fmt: skip


def _go_time(at_s: float) -> str:
    """Print a time as Go's ``%v`` does."""
    return datetime.fromtimestamp(int(at_s), UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")


def stage(world: World) -> Scene:
    """Build the budget; its service, its nodes and how long they are waited for depend on the seed."""
    names, drain = world.cast, Drain(world)
    return Scene(
        conclude=lambda: _truth(world, drain), symptom=ALL_5XX, floor=3, kind_words=f"{drain.service.name} drops out now and then",
        metric=RATE_OF_5XX, documents=[(names.app, "poddisruptionbudgets", [drain.document()])],
        theories=(
            "spot instances again?", f"{names.database} failover?", f"{drain.service.name} starts far too slowly, is that it?",
            f"{world.edge.name} health checks", f"did {names.services[2]} deploy something?",
        ),
    )  # fmt: skip


def _truth(world: World, drain: Drain) -> Truth:
    budget, who = entity("PodDisruptionBudget", drain.name, world.cast.app), of(drain.service)
    truth = Truth(
        symptom={"entity": of(world.edge), "words": ["502", "503", "504"]},
        root_cause={"entity": budget, "mechanism": "a disruption budget that allows nothing blocks drains until pods are deleted all at once"},
        accept=[budget], facts=["minAvailable 100%"],
    )  # fmt: skip
    truth.accept_saying(who, "drain", "disruption budget")
    truth.step("the budget is made", budget, world.marks.get("budget", []))
    truth.step("it blocks drains", who, world.marks.get("blocked", []))
    truth.step("the pods are deleted past it", who, world.marks.get("forced", []))
    felt(world, truth, 3)
    truth.needs = [f"events:{drain.service.name}"]
    truth.ask(f"is the disruption budget {drain.name} related?", "related")
    truth.ask("what would fix it?", "answered")
    bystanders(world, truth, but=drain.service)
    return truth
