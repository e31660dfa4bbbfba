"""A setting in a ConfigMap is changed to a wrong value: the service reads it, and what depends on it fails until it is put back.

Nothing is deployed: the program is the same, its pods too, unless a reloader restarts them to read the file again.
"""

from dataclasses import dataclass
from typing import Any

from bot.evals.calls import Call
from bot.evals.export import stamp
from bot.evals.randomness import Dice, dice
from bot.evals.scenarios.parts import ALL_5XX, RATE_OF_5XX, Scene, bystanders, felt, of
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Workload
from bot.evals.world import World

RELOADS = {
    "zap": "config file changed: /etc/{app}/config.yaml",
    "logfmt": "config file changed: /etc/{app}/config.yaml",
    "logback": "Detected change in config maps",
    "log4j": "Detected change in config maps",
    "python": "configuration file /etc/{app}/settings.toml was modified, reloading",
    "pino": "config changed on disk, reloading /etc/{app}/config.json",
}
"""How viper, Spring Cloud Kubernetes, dynaconf and node-config's watchers say it."""


@dataclass(slots=True, kw_only=True)
class Setting:
    """A setting, its right and wrong values, and the call it spoils."""

    key: str
    good: str
    bad: str
    call: Call
    share: float


def _settings(rng: Dice, service: Workload, other: Workload) -> list[Setting]:
    def call(kind: str, share: float, host: str, timeout_s: float) -> Call:
        op = f"GET /v1/{rng.choice(('quotes', 'rules', 'limits', 'offers'))}"
        return Call(host=host, op=op, target=None, share=share, kind=kind, timeout_s=timeout_s, background=0.0)

    path = f"/api/v1/{service.name}"
    return [
        Setting(
            key=f"{other.name}.timeout", good="2s", bad="2ms", share=rng.uniform(0.75, 0.95), call=call("timeout", 0.4, other.name, 0.002)
        ),
        Setting(
            key=f"{other.name}.url", good=f"http://{other.name}:8080", bad=f"http://{other.name[:-2]}{other.name[-1]}{other.name[-2]}:8080",
            share=1.0, call=call("nohost", 0.3, f"{other.name[:-2]}{other.name[-1]}{other.name[-2]}", 1.0),
        ),
        Setting(
            key=f"features.{rng.choice(('new-rules', 'dynamic-bundles', 'v2-engine', 'fast-path'))}.enabled", good="false", bad="true", share=1.0,
            call=Call(host=service.name, op=f"POST {path}", kind="bug", share=rng.uniform(0.12, 0.3), background=0.0),
        ),
    ]  # fmt: skip


def stage(world: World) -> Scene:
    """Build the change; which setting of which service, when, and whether it is put back depend on the seed."""
    rng, names = dice(world.key, "config"), world.cast
    service = world.cluster.workloads[rng.choice(names.services[:2])]
    setting = rng.choice(_settings(rng, service, world.cluster.workloads[names.services[3]]))
    service.calls.insert(0, setting.call)
    length = world.end - world.start
    changed = world.start + length * rng.uniform(0.35, 0.8)
    lasts = min(rng.uniform(1.5, 5) * 3600, length * 0.3)
    if rng.random() < 0.5:
        # It is asked about while it still goes on.
        changed = world.end - lasts
    back = changed + lasts
    restarts = rng.random() < 0.4
    state = {"bad": False}

    def read(bad: bool) -> None:
        state["bad"] = bad
        world.mark("read")
        if restarts:
            service.annotations["checksum/config"] = rng.hex(16)
            world.cluster.rollout(service, service.tag)
            return
        for pod in service.ready(world.now):
            text = RELOADS.get(service.style, "configuration reloaded").format(app=service.name)
            world.log(service, pod, world.now + rng.uniform(0, 20), "info", text)

    def tick(_now: float) -> None:
        setting.call.p = setting.share if state["bad"] else 0.0

    def change() -> None:
        world.mark("change")
        world.at(world.now + rng.uniform(20, 80), lambda: read(True))

    world.at(changed, change)
    world.at(back, lambda: world.at(world.now + 40, lambda: read(False)))
    world.on_tick.append(tick)
    document = _configmap(world, rng, service, setting, (changed, back))
    return Scene(
        conclude=lambda: _truth(world, service, setting), symptom=ALL_5XX, floor=3, kind_words=f"errors on {service.name}",
        metric=RATE_OF_5XX, documents=[(names.app, "configmaps", [document])],
        theories=(
            f"{names.database} is slow again, look at the checkpoints", f"did {names.services[2]} deploy something?", "smells like the network",
            f"{world.edge.name} runs out of connections?", f"is {names.backup} still running at this hour?",
        ),
    )  # fmt: skip


def _configmap(
    world: World, rng: Dice, service: Workload, setting: Setting, times: tuple[float, float]
) -> dict[str, Any]:
    name, (changed, back) = f"{service.name}-config", times
    ended = back < world.end - 60
    service.pod_spec = {"volumes": [{"name": "config", "configMap": {"name": name}}]}
    service.container_spec = {"volumeMounts": [{"name": "config", "mountPath": f"/etc/{service.name}"}]}
    values = {"log.level": "info", "cache.ttl": "60s", setting.key: setting.good if ended else setting.bad}
    manager = rng.choice(("argocd-controller", "helm", "terraform"))
    # The one who changed it noted why; whoever puts the value back owns the field from then on, the note stays.
    note: dict[str, Any] = {"f:metadata": {"f:annotations": {"f:kubernetes.io/change-cause": {}}}}
    value: dict[str, Any] = {"f:data": {f"f:{setting.key}": {}}}
    managed = [
        {"apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields, "manager": who, "operation": "Update", "time": stamp(when)}
        for who, when, fields in (
            [("kubectl-edit", changed, note), (manager, back, value)] if ended else [(manager, changed, value | note)]
        )
    ]  # fmt: skip
    return {
        "apiVersion": "v1", "kind": "ConfigMap", "data": values,
        "metadata": {
            "creationTimestamp": stamp(world.start - 86400 * 77), "name": name, "namespace": service.namespace,
            "uid": world.cluster.uid("ConfigMap", name), "resourceVersion": str(rng.randrange(10**7, 10**8)),
            "annotations": {"kubernetes.io/change-cause": f"adjust {setting.key}"}, "managedFields": managed,
        },
    }  # fmt: skip


def _truth(world: World, service: Workload, setting: Setting) -> Truth:
    config = entity("ConfigMap", f"{service.name}-config", service.namespace)
    truth = Truth(
        symptom={"entity": of(world.edge), "words": ["500", "503", "504"]},
        root_cause={"entity": config, "mechanism": f"{setting.key} was changed from {setting.good} to {setting.bad}"},
        accept=[config], facts=[setting.key],
    )  # fmt: skip
    truth.accept_saying(of(service), "config", "setting", "flag")
    truth.step("the ConfigMap is changed", config, world.marks.get("change", [])[:1])
    truth.step("the service reads it", of(service), world.marks.get("read", [])[:1])
    felt(world, truth, 3)
    truth.ask(f"is the ConfigMap {service.name}-config related?", "related")
    truth.ask("what would fix it?", "answered")
    bystanders(world, truth, but=service)
    return truth
