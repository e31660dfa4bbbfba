"""A rollout leaves debug logging on: the service's log files fill its node's disk, and the kubelet evicts pods to get it back.

The new pod of the service fills the next node. Evicted neighbours find no room while a node is tainted.
"""

from functools import partial

from bot.evals.capacity import Capacity
from bot.evals.kubelet import evict, node_event, node_status, unschedulable
from bot.evals.multitude import Many, Token
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import ALL_5XX, RATE_OF_5XX, Scene, bystanders, felt, of
from bot.evals.timeline import TICK_S
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Node, Pod, Workload
from bot.evals.world import World

DISK_GB = 100.0
THRESHOLD = 0.10
"""``nodefs.available<10%``, the kubelet's default hard eviction threshold."""
TRANSITION_S = 300.0
"""``--eviction-pressure-transition-period``"""
DEBUG = (
    "Acquired connection {id} from pool, {n} idle", "Resolved placeholder 'region' in {ms} us", "Entering filter chain, request {hex}",
    "Cache lookup key=item:{id} hit=false", "Serialized response body, {id} bytes", "Binding parameter [1] as [BIGINT] - [{id}]",
)  # fmt: skip


class Disks:
    """The disks of all nodes, and the service that fills them."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, dice(world.key, "disks")
        names, rng = world.cast, self.rng
        world.retry_share = 0.25
        workloads = world.cluster.workloads
        self.chatty = workloads[rng.choice(names.services[4:6])]
        self.victims = [workloads[name] for name in names.services[:3]]
        self.used = {node.name: rng.uniform(0.52, 0.62) for node in world.cluster.nodes}
        self.base = dict(self.used)
        hours = min(rng.uniform(4, 8), (world.end - world.start) / 3600 / 6)
        self.speed = 0.34 / (hours * 3600)
        """Share of a disk that one pod's debug log fills in a second at the peak."""
        self.capacities = []
        for service in self.victims:
            peak = sum(route.rate for route in world.routes if route.service is service)
            self.capacities.append(Capacity(workload=service, per_pod=peak * rng.uniform(1.3, 1.4) / service.replicas))
        self.debug = False
        self.held: list[tuple[Workload, Pod]] = []
        world.cluster.hold = self.hold
        world.on_tick.append(self.step)
        world.on_sample.append(self.sample)
        world.at(world.start + (world.end - world.start) * rng.uniform(0.2, 0.4), self.roll)

    def roll(self) -> None:
        """Bring the version with debug logging on."""
        self.world.mark("rollout")
        self.debug = True
        self.chatty.env["LOG_LEVEL"] = "debug"
        self.world.cluster.rollout(self.chatty, f"{self.rng.randrange(3, 9)}.{self.rng.randrange(20)}.0")

    def hold(self, workload: Workload, pod: Pod) -> str:
        """Keep a pod pending while a tainted node leaves too little room."""
        tainted = [node for node in self.world.cluster.nodes if node.cordoned]
        if not tainted or workload is self.chatty:
            return ""
        self.held.append((workload, pod))
        taint = f"{len(tainted)} node(s) had untolerated taint {{node.kubernetes.io/disk-pressure: }}"
        rest = len(self.world.cluster.nodes) - len(tainted)
        self.world.at(
            self.world.now + 0.5,
            lambda: unschedulable(self.world.cluster, workload, pod, f"{taint}, {rest} Insufficient cpu"),
        )
        return "Pending"

    def step(self, now: float) -> None:
        """Fill disks, and say in the log what fills them."""
        for capacity in self.capacities:
            capacity.step(now)
        if not self.debug:
            return
        for pod in self.chatty.ready(now):
            self.used[pod.node.name] += self.speed * TICK_S * self.world.factor
            for at in self.world.moments(0.12 * self.world.scale, now, self.rng):
                self._chat(pod, at)
        for node in self.world.cluster.nodes:
            if self.used[node.name] > 1 - THRESHOLD and not node.cordoned:
                self._pressure(node)

    def _chat(self, pod: Pod, at: float) -> None:
        rng, template = self.rng, self.rng.choice(DEBUG)
        if isinstance(at, Many):
            text = template.format(id=Token.ID, n=Token.FEW, ms=Token.MS, hex=Token.HEX8)
        else:
            text = template.format(id=rng.randrange(10**6), n=rng.randrange(9), ms=rng.randrange(900), hex=rng.hex(12))
        self.world.log(self.chatty, pod, at, "debug", text)

    def _pressure(self, node: Node) -> None:
        world, cluster = self.world, self.world.cluster
        world.mark("pressure")
        node.cordoned = True
        node.conditions["DiskPressure"] = (world.now, "KubeletHasDiskPressure")
        node_status(cluster, node, "NodeHasDiskPressure")
        node_event(cluster, node, "EvictionThresholdMet", "Attempting to reclaim ephemeral-storage", warning=True)
        wanted, free = self.rng.randrange(10**9, 9 * 10**9), self.rng.randrange(10**6)
        text = f"Failed to garbage collect required amount of images. Attempted to free {wanted} bytes, but only found {free} bytes eligible to free."
        node_event(cluster, node, "FreeDiskSpaceFailed", text, warning=True)
        here = [(w, p) for w in (*self.victims, self.chatty) for p in w.live() if p.node is node]
        for i, (workload, pod) in enumerate(here):
            world.at(world.now + 10.0 * i + self.rng.uniform(1, 6), partial(self._evict, workload, pod))
        world.at(world.now + TRANSITION_S + self.rng.uniform(20, 200), lambda: self._relieved(node))

    def _evict(self, workload: Workload, pod: Pod) -> None:
        limit, free = int(DISK_GB * THRESHOLD * 2**30), self.rng.randrange(9_000_000, 10_400_000)
        size = f"{self.rng.randrange(26, 38)}Gi" if workload is self.chatty else f"{self.rng.randrange(40, 900)}Mi"
        # kubelet 1.31 (eviction/helpers.go)
        message = (
            f"The node was low on resource: ephemeral-storage. Threshold quantity: {limit}, available: {free}Ki. "
            f"Container {workload.app} was using {size}, request is 0, has larger consumption of ephemeral-storage. "
        )
        self.world.mark("evicted")
        evict(self.world.cluster, workload, pod, message)

    def _relieved(self, node: Node) -> None:
        self.used[node.name] = self.base[node.name] + 0.02
        node.cordoned = False
        node.conditions.pop("DiskPressure", None)
        node_status(self.world.cluster, node, "NodeHasNoDiskPressure")
        held, self.held = self.held, []
        for workload, pod in held:
            self.world.cluster.begin(workload, pod)

    def sample(self, now: float) -> None:
        """Sample the node exporters' view of the disks."""
        for node in self.world.cluster.nodes:
            labels = {
                "__name__": "node_filesystem_avail_bytes",
                "instance": f"{node.ip}:9100",
                "mountpoint": "/",
                "node": node.name,
            }
            free = max(0.0, 1 - self.used[node.name]) * DISK_GB
            self.world.export.sample("node_filesystem", labels, now, round(free, 3) * 2**30)


def stage(world: World) -> Scene:
    """Build the logging; which service, how fast and when depend on the seed."""
    names, disks = world.cast, Disks(world)
    return Scene(
        conclude=lambda: _truth(world, disks), symptom=ALL_5XX, floor=3, kind_words="errors every few hours", metric=RATE_OF_5XX,
        theories=(
            "bad nodes, can we replace them?", f"{names.services[0]} deploy?", f"{names.backup} fills the disks, it did last year",
            f"{names.database} hiccups", f"{world.edge.name} loses its upstreams, looks like a bug in it",
        ),
    )  # fmt: skip


def _truth(world: World, disks: Disks) -> Truth:
    who = of(disks.chatty)
    truth = Truth(
        symptom={"entity": of(world.edge), "words": ["503", "504", "502"]},
        root_cause={"entity": who, "mechanism": "a rollout left debug logging on; log files fill the disks and pods are evicted"},
        accept=[who], facts=["LOG_LEVEL=debug"],
    )  # fmt: skip
    nodes = [entity("Node", node.name) for node in world.cluster.nodes if node is disks.chatty.pods[0].node]
    truth.step("a new version is rolled out", who, world.marks.get("rollout", []))
    truth.step("a node runs out of disk", nodes[0], world.marks.get("pressure", []), measured=False)
    truth.step("pods are evicted", of(disks.victims[0]), world.marks.get("evicted", []), measured=False)
    felt(world, truth, 3)
    truth.ask(f"was the rollout of {disks.chatty.name} related?", "related")
    truth.ask(f"is {disks.chatty.name} related?", "related")
    bystanders(world, truth, but=disks.chatty)
    return truth
