"""A ResourceQuota is put on the namespace: the autoscaler still asks for pods at the peak, and the API server refuses them."""

from typing import Any

from bot.evals.capacity import Capacity
from bot.evals.controllers import Hpa
from bot.evals.export import stamp
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import ALL_5XX, RATE_OF_5XX, Scene, bystanders, felt, of
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Workload
from bot.evals.world import World

NAMES = ("compute-quota", "namespace-budget", "team-limits", "cpu-budget")
RETRY_S = 240.0


class Quota:
    """The quota, the autoscaled service, and what the service's pods can serve."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, dice(world.key, "quota")
        names, rng = world.cast, self.rng
        world.retry_share = 0.3
        self.name = rng.choice(NAMES)
        self.service = world.cluster.workloads[rng.choice(names.services[:2])]
        peak = sum(route.rate for route in world.routes if route.service is self.service)
        low, target, need = self.service.replicas, 0.65, self.service.replicas + 5
        self.service.cpu_per_request = self.service.cpu_request * target * need / peak
        self.hpa = Hpa(workload=self.service, target=target, low=low, high=need + 3)
        world.hpas.append(self.hpa)
        self.capacity = Capacity(workload=self.service, per_pod=peak * 0.8 / (low + 2))
        self.most = low + 2
        self.since = world.start + (world.end - world.start) * rng.uniform(0.25, 0.5)
        self.since -= (self.since - 3 * 3600) % 86400 if world.days >= 2 else 0.0
        self.tried_at = 0.0
        self.hpa.on_scale = self._scaled
        world.cluster.refuse = self.refuse
        world.on_tick.append(self.step)
        world.on_sample.append(self.sample)

    def _scaled(self, now: float, before: int, after: int) -> None:
        if after > before and now >= self.since:
            self.world.mark("wanted", now)

    def refuse(self, workload: Workload) -> bool:
        """Refuse a pod that the quota has no room for."""
        world = self.world
        if workload is not self.service or world.now < self.since or len(workload.live()) < self.most:
            return False
        cluster, owner = world.cluster, f"{workload.name}-{workload.hash}"
        request, used = int(workload.cpu_request * 1000), self._used()
        # kube-controller-manager 1.31 (replica_set.go) with the words of the ResourceQuota admission plug-in (controller.go)
        message = (
            f'Error creating: pods "{owner}-{self.rng.suffix()}" is forbidden: exceeded quota: {self.name}, '
            f"requested: requests.cpu={_cores(request)}, used: requests.cpu={_cores(used)}, "
            f"limited: requests.cpu={_cores(used + request // 2)}"
        )
        ref = cluster.ref("ReplicaSet", workload.namespace, owner)
        cluster.export.event(world.now + 0.2, ref, "FailedCreate", message, "replicaset-controller", warning=True)
        world.mark("refused")
        return True

    def _used(self) -> int:
        mine = (w for w in self.world.cluster.workloads.values() if w.namespace == self.service.namespace)
        return sum(int(w.cpu_request * 1000) * len(w.live()) for w in mine)

    def step(self, now: float) -> None:
        """Advance the service; the controller tries again now and then."""
        self.capacity.step(now)
        if self.service.sick:
            self.world.mark("overload", now)
        if len(self.service.live()) < self.service.replicas and now - self.tried_at > RETRY_S:
            self.tried_at = now
            self.world.cluster.fill(self.service)

    def sample(self, now: float) -> None:
        """Sample the autoscaler's wish and what there is."""
        put, service = self.world.export.sample, self.service
        labels = {"horizontalpodautoscaler": service.name, "namespace": service.namespace}
        wish = {"__name__": "kube_horizontalpodautoscaler_status_desired_replicas", **labels}
        put("hpa_desired", wish, now, service.replicas)
        there = {
            "__name__": "kube_deployment_status_replicas_ready",
            "deployment": service.name,
            "namespace": service.namespace,
        }
        put("deployment_ready", there, now, len(service.ready(now)))
        if now >= self.since:
            quota = {
                "__name__": "kube_resourcequota",
                "namespace": service.namespace,
                "resource": "requests.cpu",
                "resourcequota": self.name,
            }
            put("resourcequota", {**quota, "type": "used"}, now, self._used() / 1000)

    def document(self) -> dict[str, Any]:
        """Print the quota."""
        names, used = self.world.cast, self._used()
        hard = {"requests.cpu": _cores(used + 250), "pods": "60"}
        meta = {
            "name": self.name,
            "namespace": names.app,
            "creationTimestamp": stamp(self.since),
            "resourceVersion": "90412277",
        }
        return {
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {**meta, "uid": self.world.cluster.uid("ResourceQuota", self.name)},
            "spec": {"hard": hard}, "status": {"hard": hard, "used": {"requests.cpu": _cores(used), "pods": "19"}},
        }  # fmt: skip


def _cores(milli: int) -> str:
    """Print a quantity as apimachinery does: whole cores without the suffix."""
    return f"{milli}m" if milli % 1000 else str(milli // 1000)


def stage(world: World) -> Scene:
    """Build the quota; its name, its day and the service depend on the seed."""
    names, quota = world.cast, Quota(world)
    world.at(quota.since, lambda: world.mark("quota"))
    return Scene(
        conclude=lambda: _truth(world, quota), symptom=ALL_5XX, floor=3, kind_words="timeouts around midday", metric=RATE_OF_5XX,
        documents=[(names.app, "resourcequotas", [quota.document()])],
        theories=(
            f"{quota.service.name} deploy from this week?", f"{names.database} at its limits", "the autoscaler scales, I see it wants more, so that's fine",
            f"{world.edge.name} has too few workers", "bot traffic",
        ),
    )  # fmt: skip


def _truth(world: World, quota: Quota) -> Truth:
    names = world.cast
    root, who = entity("ResourceQuota", quota.name, names.app), of(quota.service)
    scaler = entity("HorizontalPodAutoscaler", quota.service.name, names.app)
    truth = Truth(
        symptom={"entity": of(world.edge), "words": ["504"]},
        root_cause={"entity": root, "mechanism": "a new quota refuses the pods the autoscaler asks for at the peak"},
        accept=[root], facts=[f"exceeded quota: {quota.name}"],
    )  # fmt: skip
    for one in (who, scaler):
        truth.accept_saying(one, "quota")
    truth.step("the quota is put on the namespace", root, world.marks.get("quota", []))
    truth.step("the autoscaler asks for more pods", scaler, world.marks.get("wanted", []))
    truth.step("the API server refuses them", who, world.marks.get("refused", []))
    truth.step("the pods there are, are overloaded", who, world.marks.get("overload", [])[:1])
    felt(world, truth, 3)
    truth.needs = [f"events:{quota.service.name}|metrics:{quota.name}"]
    truth.ask(f"is the quota {quota.name} related?", "related")
    truth.ask("what would fix it?", "answered")
    bystanders(world, truth, but=quota.service)
    return truth
