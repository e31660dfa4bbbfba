"""A batch worker without CPU requests or limits works in bursts and takes the CPU of the one node it runs on."""

from functools import partial

from bot.evals.capacity import Capacity
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import ALL_5XX, RATE_OF_5XX, Scene, bystanders, felt, of
from bot.evals.timeline import DAY_S
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Workload
from bot.evals.world import World

WORKERS = ("video-encoder", "embedding-worker", "report-cruncher", "index-builder", "image-resizer", "ml-scorer")


class Neighbour:
    """The batch worker, its node, and those who live there too."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, dice(world.key, "neighbour")
        names, rng = world.cast, self.rng
        self.victims = [world.cluster.workloads[name] for name in names.services[:3]]
        self.node = max(
            world.cluster.nodes, key=lambda n: (sum(p.node is n for w in self.victims for p in w.pods), n.name)
        )
        self.worker = Workload(
            name=rng.choice(WORKERS), namespace=names.batch, style=rng.choice(("python", "zap", "logfmt")), replicas=1, tag=f"0.{rng.randrange(30)}.0",
            image=f"registry.{names.company}.example/batch", cpu_request=0.0, cpu_per_request=0.0, cpu_idle=0.02, memory_mb=1900, memory_limit_mb=6144,
            pinned=self.node.name, container_spec={"resources": {}}, pod_spec={"nodeSelector": {"kubernetes.io/hostname": self.node.name}},
        )  # fmt: skip
        world.cluster.add(self.worker, DAY_S * 4)
        world.noise_lines[self.worker.name] = (("info", "polling queue, {n} ms"), ("info", "no work, sleeping"))
        self.cores = rng.uniform(8.5, 11.0)
        self.busy = False
        world.retry_share = 0.3
        self.capacities = []
        for service in self.victims:
            peak = sum(route.rate for route in world.routes if route.service is service)
            each = peak / service.replicas * rng.uniform(1.15, 1.3) / world.trough
            self.capacities.append(Capacity(workload=service, per_pod=each * 0.75, balanced=True))
        world.on_tick.append(self.step)
        world.on_sample.append(self.sample)

    def burst(self, minutes: float) -> None:
        """Take a batch from the queue and use every core there is."""
        if self.busy:
            return
        world, rng, worker = self.world, self.rng, self.worker
        world.mark("burst")
        self.busy = True
        demand = world.cluster.extra_demand
        demand[self.node.name] = demand.get(self.node.name, 0.0) + self.cores
        pod = world.pick(worker)
        if pod is not None:
            batch = rng.hex(6)
            world.log(
                worker, pod, world.now, "info", f"took batch {batch} of {rng.randrange(400, 9000)} items, 16 threads"
            )
            world.log(worker, pod, world.now + minutes * 60 - 1, "info", f"batch {batch} done in {minutes * 60:.0f}s")
        world.at(world.now + minutes * 60, self._done)

    def _done(self) -> None:
        self.busy = False
        self.world.cluster.extra_demand[self.node.name] -= self.cores

    def step(self, now: float) -> None:
        """Advance the neighbours."""
        for capacity in self.capacities:
            capacity.step(now)
            if capacity.workload.sick and self.busy:
                self.world.mark("slow", now)

    def sample(self, now: float) -> None:
        """Sample the worker's CPU."""
        labels = {"container": self.worker.app, "namespace": self.worker.namespace}
        used = min(self.node.cores * 0.9, self.cores) if self.busy else 0.02
        self.world.export.sample("container_cpu", labels, now, round(used * self.rng.uniform(0.97, 1.03), 4))


def stage(world: World) -> Scene:
    """Build the worker; its name, its node and its bursts depend on the seed."""
    names, neighbour = world.cast, Neighbour(world)
    rng = neighbour.rng
    bursts = max(3, round(world.days * rng.uniform(1.0, 1.8)))
    for i in range(bursts):
        at = world.start + (world.end - world.start) * (i + rng.uniform(0.25, 0.85)) / bursts
        at = at - at % DAY_S + (9 + at % DAY_S / DAY_S * 11) * 3600 if world.days >= 2 else at
        world.at(at, partial(neighbour.burst, rng.uniform(14, 45)))
    return Scene(
        conclude=lambda: _truth(world, neighbour), symptom=ALL_5XX, floor=3, kind_words="some requests hang", metric=RATE_OF_5XX,
        theories=(
            f"{names.services[0]} has a memory leak I think", f"{world.edge.name} times out too early", f"{names.database} locks?",
            "packet loss between zones", f"{names.services[1]} deploy this week",
        ),
    )  # fmt: skip


def _truth(world: World, neighbour: Neighbour) -> Truth:
    worker, node = of(neighbour.worker), entity("Node", neighbour.node.name)
    truth = Truth(
        symptom={"entity": of(world.edge), "words": ["504"]},
        root_cause={"entity": worker, "mechanism": "a batch worker without CPU limits takes the CPU of its node"},
        accept=[worker], facts=["no CPU limit", neighbour.node.name],
    )  # fmt: skip
    truth.step("the batch worker takes a batch", worker, world.marks.get("burst", []))
    truth.step("the node's CPU is used up", node, world.marks.get("burst", []), measured=False)
    truth.step("pods on the node are slow", of(neighbour.victims[0]), world.marks.get("slow", [])[:1])
    felt(world, truth, 3)
    truth.ask(f"is {neighbour.worker.name} related?", "related")
    truth.ask(f"is the node {neighbour.node.name} related?", "related")
    bystanders(world, truth)
    return truth
