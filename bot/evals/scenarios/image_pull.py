"""A rollout takes old pods away before it starts new ones, and the registry does not hand out the new image."""

from functools import partial

from bot.evals.capacity import Capacity
from bot.evals.kubelet import pulling
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import ALL_5XX, RATE_OF_5XX, Scene, bystanders, felt, of
from bot.evals.timeline import DAY_S
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Pod, Workload
from bot.evals.world import World

# containerd 1.7 (core/remotes/docker: resolver.go, fetcher.go), as the kubelet hands it on
REASONS = (
    'failed to pull and unpack image "{image}": failed to resolve reference "{image}": unexpected status from HEAD request to https://{host}/v2/{repo}/manifests/{tag}: 503 Service Unavailable',
    'rpc error: code = Unknown desc = failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to do request: Head "https://{host}/v2/{repo}/manifests/{tag}": dial tcp 203.0.113.71:443: i/o timeout',
    'failed to pull and unpack image "{image}": failed to copy: httpReadSeeker: failed open: unexpected status code https://{host}/v2/{repo}/blobs/sha256:9c1b6dd6c1e6be9fdd2b1987783824670d3b0dd7ae8ad6f57dc3cea5739ac71e: 502 Bad Gateway',
    'failed to pull and unpack image "{image}": failed to resolve reference "{image}": unexpected status from HEAD request to https://{host}/v2/{repo}/manifests/{tag}: 429 Too Many Requests',
)  # fmt: skip


class Registry:
    """The registry, and the rollout that needs it."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, dice(world.key, "registry")
        names, rng = world.cast, self.rng
        self.service: Workload = world.cluster.workloads[rng.choice((names.services[0], names.services[1]))]
        self.host = f"registry.{names.company}.example"
        self.tag = f"{rng.randrange(5, 9)}.{rng.randrange(20)}.{rng.randrange(9)}"
        self.reason = rng.choice(REASONS)
        self.down_until = 0.0
        self.recreate = rng.random() < 0.5
        self.service.strategy = (
            {"type": "Recreate"}
            if self.recreate
            else {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}, "type": "RollingUpdate"}
        )
        peak = sum(route.rate for route in world.routes if route.service is self.service)
        self.capacity = Capacity(workload=self.service, per_pod=peak / self.service.replicas * rng.uniform(1.25, 1.35))
        world.retry_share, world.weekend = 0.25, 1.0
        world.cluster.hold = self.hold
        self.begun = False
        world.on_tick.append(self.step)

    def step(self, now: float) -> None:
        """Overload the pods that are left."""
        if self.begun:
            self.capacity.step(now)

    def roll(self, minutes: float) -> None:
        """Begin the rollout while the registry is down."""
        world, service = self.world, self.service
        self.down_until, self.begun = world.now + minutes * 60, True
        world.mark("rollout")
        old = f"{service.name}-{service.hash}"
        service.old_hashes.append((service.hash, service.revision, service.tag, world.now))
        service.tag, service.revision, service.hash = self.tag, service.revision + 1, self.rng.suffix(9)
        victims = service.live()
        if self.recreate:
            self._scaled("down", old, len(victims), 0)
            for pod in victims:
                world.cluster.stop(service, pod, world.now + 0.2, old)
            world.at(world.now + 12, self._recreate)
        else:
            self._one(victims, 0, old)

    def _recreate(self) -> None:
        self._scaled("up", "", 0, self.service.replicas)
        self.world.cluster.fill(self.service)

    def _one(self, victims: list[Pod], i: int, old: str) -> None:
        service, cluster = self.service, self.world.cluster
        if i >= len(victims):
            return
        self._scaled("down", old, len(victims) - i, len(victims) - i - 1)
        cluster.stop(service, victims[i], self.world.now + 0.2, old)
        self._scaled("up", "", i, i + 1)
        cluster.fill(service)
        pod = service.live()[-1]
        pod.when_ready = partial(self._one, victims, i + 1, old)
        if not pod.waiting:
            self.world.at(pod.ready_at + 1, pod.when_ready)

    def _scaled(self, way: str, owner: str, before: int, after: int) -> None:
        service, cluster = self.service, self.world.cluster
        message = f"Scaled {way} replica set {owner or f'{service.name}-{service.hash}'} from {before} to {after}"
        ref = cluster.ref("Deployment", service.namespace, service.name)
        cluster.export.event(self.world.now, ref, "ScalingReplicaSet", message, "deployment-controller")

    def hold(self, workload: Workload, pod: Pod) -> str:
        """Keep the new pods waiting for their image."""
        if workload is not self.service or workload.tag != self.tag or self.world.now >= self.down_until:
            return ""
        self.world.at(self.world.now + 0.3, lambda: self._pull(pod, 0))
        return "ContainerCreating"

    def _pull(self, pod: Pod, attempt: int) -> None:
        world, service = self.world, self.service
        if pod.gone:
            return
        if world.now < self.down_until:
            image = f"{service.image}:{service.tag}"
            why = self.reason.format(image=image, host=self.host, repo=service.name, tag=service.tag)
            wait = pulling(world.cluster, service, pod, why, attempt=attempt)
            world.mark("pull")
            world.at(world.now + wait, lambda: self._pull(pod, attempt + 1))
            return
        held = world.cluster.ref("Pod", service.namespace, pod.name, service.app)
        text = f'Successfully pulled image "{service.image}:{service.tag}" in 3.412s (3.412s including waiting). Image size: 187204113 bytes.'
        world.export.event(world.now + 3.4, held, "Pulled", text, "kubelet", pod.node.name)
        world.at(world.now + 3.5, lambda: world.cluster.begin(service, pod))


def stage(world: World) -> Scene:
    """Build the rollout, at a busy hour; how the registry fails depends on the seed."""
    names, registry = world.cast, Registry(world)
    rng = registry.rng
    at = world.start + (world.end - world.start) * rng.uniform(0.3, 0.8)
    at += (rng.uniform(11, 16) * 3600 - at % DAY_S) if world.days >= 2 else 0
    world.at(at, partial(registry.roll, rng.uniform(25, 80)))
    return Scene(
        conclude=lambda: _truth(world, registry), symptom=ALL_5XX, floor=3, kind_words=f"{registry.service.name} is down", metric=RATE_OF_5XX,
        theories=(
            f"{names.database} connections?", f"the new {registry.service.name} crashes on start I guess", f"{world.edge.name} routes look wrong",
            f"{names.services[2]} deploy broke it", "network policy?",
        ),
    )  # fmt: skip


def _truth(world: World, registry: Registry) -> Truth:
    host, service = entity("Host", registry.host), of(registry.service)
    truth = Truth(
        symptom={"entity": of(world.edge), "words": ["502", "503", "504"]},
        root_cause={"entity": host, "mechanism": "the registry did not hand out the image of a rollout that had taken the old pods away"},
        accept=[host, entity("Service", registry.host)], facts=[registry.tag],
    )  # fmt: skip
    truth.accept_saying(service, "image", "pull", "registry")
    truth.step("a new version is rolled out", service, world.marks.get("rollout", []))
    truth.step("its image cannot be pulled", service, world.marks.get("pull", []))
    felt(world, truth, 3)
    truth.needs = [f"events:{registry.service.name}"]
    truth.ask(f"was the rollout of {registry.service.name} related?", "related")
    truth.ask("what would fix it?", "answered")
    bystanders(world, truth, but=registry.service)
    return truth
