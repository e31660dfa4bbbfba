"""A machine dies; its pods cannot be placed elsewhere, for the other machines have no room, and what is left is overloaded."""

from bot.evals.capacity import Capacity
from bot.evals.kubelet import UNREACHABLE_S, lose_node, recover_node, unschedulable
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import ALL_5XX, RATE_OF_5XX, Scene, bystanders, felt, of
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Node, Pod, Workload
from bot.evals.world import World

TAINT = "1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }"


class Loss:
    """The loss of one node."""

    def __init__(self, world: World, *, spare: bool) -> None:
        self.world, self.rng, self.spare = world, dice(world.key, "node-loss"), spare
        names, cluster = world.cast, world.cluster
        base = cluster.workloads[names.database].pods[0].node
        self.victims = [cluster.workloads[name] for name in names.services[:2]]
        free = [n for n in cluster.nodes if n is not base]
        # The machine that carries most of the busy services' pods, as luck would have it.
        self.node: Node = max(free, key=lambda n: (sum(p.node is n for w in self.victims for p in w.pods), n.name))
        world.retry_share, world.weekend = 0.25, 1.0
        self.capacities = []
        for service in self.victims:
            peak = sum(route.rate for route in world.routes if route.service is service)
            need = self.rng.uniform(1.25, 1.35) / max(1, service.replicas)
            self.capacities.append(Capacity(workload=service, per_pod=peak * need))
        self.lost: list[tuple[Workload, Pod]] = []
        self.lost_at = float("inf")
        cluster.hold = self.hold
        world.on_tick.append(self.step)

    @property
    def down(self) -> bool:
        """Whether the node is away."""
        return self.lost_at <= self.world.now and self.node.cordoned

    def begin(self) -> None:
        """Lose the node, and get it back after a while."""
        world = self.world
        world.mark("lost")
        self.lost_at = world.now
        self.lost = lose_node(world.cluster, self.node)
        world.at(world.now + self.rng.uniform(40, 130) * 60, self.end)

    def end(self) -> None:
        """Get the node back; whoever waited for room starts."""
        cluster = self.world.cluster
        recover_node(cluster, self.node)
        for workload in cluster.workloads.values():
            for pod in list(workload.pods):
                cluster.begin(workload, pod)

    def hold(self, workload: Workload, pod: Pod) -> str:
        """Keep a new pod pending while no machine has room."""
        if not self.down or self.spare:
            return ""
        self._pending(workload, pod)
        return "Pending"

    def _pending(self, workload: Workload, pod: Pod) -> None:
        if not self.down or pod.gone:
            return
        world, short = self.world, self.rng.choice(("cpu", "cpu", "memory"))
        unschedulable(world.cluster, workload, pod, f"{TAINT}, {len(world.cluster.nodes) - 1} Insufficient {short}")
        world.mark("pending")
        world.at(world.now + 300, lambda: self._pending(workload, pod))

    def step(self, now: float) -> None:
        """Advance what is left; until the control plane notices, requests still go to the dead pods."""
        for workload, _ in self.lost:
            workload.sick = 0.0
        for capacity in self.capacities:
            capacity.step(now)
            if capacity.workload.sick and self.down:
                self.world.mark("overload", now)
        if self.lost_at <= now < self.lost_at + UNREACHABLE_S:
            for workload in {w.name: w for w, _ in self.lost}.values():
                mine = sum(w is workload for w, _ in self.lost)
                workload.sick = max(workload.sick, mine / max(1, len(workload.live())))


def stage(world: World, *, spare: bool = False) -> Scene:
    """Build the loss, at a busy hour; which node and for how long depend on the seed; ``spare`` gives the others room."""
    names, loss = world.cast, Loss(world, spare=spare)
    rng = loss.rng
    length = world.end - world.start
    at = world.start + length * rng.uniform(0.35, 0.75)
    at += (14 * 3600 - at % 86400) if world.days >= 0.9 else 0
    world.at(at + rng.uniform(-2, 2) * 3600, loss.begin)
    world.on_sample.append(lambda now: _sample(world, now))
    return Scene(
        conclude=lambda: _truth(world, loss), symptom=ALL_5XX, floor=3, kind_words="timeouts since this afternoon", metric=RATE_OF_5XX,
        theories=(
            f"{names.services[0]} deploy?", f"{names.database} is the bottleneck, it always is", "traffic spike? marketing sent something?",
            f"{world.edge.name} config, somebody touched the timeouts", f"{names.backup} at this hour?",
        ),
    )  # fmt: skip


def _sample(world: World, now: float) -> None:
    for node in world.cluster.nodes:
        labels = {"__name__": "kube_node_status_condition", "condition": "Ready", "node": node.name, "status": "true"}
        world.export.sample("node_ready", labels, now, 0 if node.cordoned else 1)


def _truth(world: World, loss: Loss) -> Truth:
    node = entity("Node", loss.node.name)
    truth = Truth(
        symptom={"entity": of(world.edge), "words": ["504", "503"]},
        root_cause={"entity": node, "mechanism": "a node was lost and its pods found no room on the others"},
        accept=[node], facts=["no spare capacity"],
    )  # fmt: skip
    truth.step("the node is lost", node, world.marks.get("lost", []))
    truth.step("its pods find no room", of(loss.victims[0]), world.marks.get("pending", []))
    truth.step("the pods that are left are overloaded", of(loss.victims[0]), world.marks.get("overload", [])[:1])
    felt(world, truth, 3)
    truth.needs = [f"events:{loss.node.name}|metrics:{loss.node.name}"]
    truth.ask(f"is the node {loss.node.name} related?", "related")
    truth.ask("what would fix it?", "answered")
    bystanders(world, truth)
    return truth
