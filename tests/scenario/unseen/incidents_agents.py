"""Incidents of what the cluster runs for itself: an agent on each node, an admission webhook; and two calm ones."""

from pathlib import Path

from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, traffic
from incident_sets import cordoned, daemon, ended, made
from line_formats import nginx_error, pino, zap

NODES = ("node-a", "node-b", "node-c")


def agent_eats(folder: Path) -> Path:
    """A runtime-security agent's new version takes five cores of each node: every service there waits for the CPU. Eight hours, metrics."""
    x = Export(day(6, 8), 480, seed=605, namespace="bets")
    front = edge(x)
    odds, slips = x.workload("odds", 3), x.workload("slips", 3)
    old = daemon(x, "falco", "docker.io/falcosecurity/falco:0.38.2", NODES, "falco", keep=False)
    new = daemon(x, "falco", "docker.io/falcosecurity/falco:0.39.0", NODES, "falco", born=203.0)
    for n, on in enumerate(NODES):
        x.event(
            203 + n,
            "SuccessfulDelete",
            "DaemonSet/falco",
            f"Deleted pod: {old[on]}",
            component="daemonset-controller",
            namespace="falco",
        )
        ended(x, old[on], 203 + n, on, namespace="falco")
        x.event(
            203.2 + n,
            "SuccessfulCreate",
            "DaemonSet/falco",
            f"Created pod: {new[on]}",
            component="daemonset-controller",
            namespace="falco",
        )
        made(x, new[on], 203.2 + n, on, "docker.io/falcosecurity/falco:0.39.0", namespace="falco", pull=0.3)
        x.counter(
            "container_cpu_usage_seconds_total",
            {"namespace": "falco", "pod": old[on], "container": "app", "node": on},
            lambda m: 0.15 if m < 203 else 0.0,
        )
        x.counter("container_cpu_usage_seconds_total", {"namespace": "falco", "pod": new[on], "container": "app", "node": on},
                  lambda m, n=n: 0.0 if m < 203.5 + n else 5.1 + 0.1 * (m % 5))  # fmt: skip
        x.series(
            "node_pressure_cpu_waiting_ratio",
            {"node": on, "instance": f"{on}:9100"},
            lambda m, n=n: 0.04 + 0.003 * (m % 4) if m < 203.5 + n else 0.71,
        )
        x.series(
            "node_load1",
            {"node": on, "instance": f"{on}:9100"},
            lambda m, n=n: 3.0 + 0.2 * (m % 5) if m < 203.5 + n else 24.0 + m % 3,
        )
        x.log(
            new[on],
            203.6 + n,
            f"{x.at(203.6 + n).strftime('%a %b %d %H:%M:%S %Y')}: Falco version: 0.39.0 (x86_64)",
            namespace="falco",
        )
    for pods, base in ((odds, 1.1), (slips, 0.9)):
        for pod in pods:
            x.counter("container_cpu_usage_seconds_total", {"namespace": "bets", "pod": pod, "container": "app"},
                      lambda m, base=base: base + 0.02 * (m % 6) if m < 204 else 0.55 * base)  # fmt: skip
    for path, pods in (("/odds", odds), ("/slips", slips)):
        traffic(x, front, path, f"bets-{path[1:]}-80", every=0.15, failing=lambda m: 0.3 if m > 206 else 0.0, status=(504,), slow=15.0, fast=0.06,
                failed=lambda m, pods=pods: x.log(x.random.choice(pods), m, zap(x.at(m), "warn", "handler timed out", error="context deadline exceeded")),
                served=lambda m, pods=pods: x.log(x.random.choice(pods), m, zap(x.at(m), "info", "answered")))  # fmt: skip
    x.rollout(188, "limits", 2, image="6.2.0")
    return x.write(folder)


def nobody_admitted(folder: Path) -> Path:
    """A policy webhook's certificate ran out unnoticed; a node is drained by hand and not one of its pods may be made again. Six hours."""
    x = Export(day(7, 7), 360, seed=606, namespace="ward")
    front = edge(x)
    pods = x.workload("patients", 2, nodes=("node-b",))
    of = pods[0].rpartition("-")[0]
    hook = x.workload("image-policy", 2, namespace="policy")
    x.keep({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "image-policy", "creationTimestamp": stamp(x.at(-90000.0))},
        "webhooks": [{"name": "images.policy.example.com", "failurePolicy": "Fail", "timeoutSeconds": 10,
                      "clientConfig": {"service": {"name": "image-policy", "namespace": "policy", "path": "/validate"}}}],
    })  # fmt: skip
    cordoned(x, "node-b", 171.0, 233.0)
    for n, pod in enumerate(pods):
        ended(x, pod, 171.3 + n * 0.1, "node-b")
    for at in (171.5, 171.6, 171.8, 172.3, 173.4, 175.5, 179.8, 188.1, 204.9):
        x.event(at, "FailedCreate", f"ReplicaSet/{of}", 'Error creating: Internal error occurred: failed calling webhook "images.policy.example.com": failed to call '
                'webhook: Post "https://image-policy.policy.svc:443/validate?timeout=10s": tls: failed to verify certificate: x509: certificate has expired or is not '
                f"yet valid: current time {x.at(at).strftime('%Y-%m-%dT%H:%M:%SZ')} is after 2026-03-05T09:14:22Z", warning=True, component="replicaset-controller")  # fmt: skip
        x.log(x.random.choice(hook), at, f"{x.at(at).strftime('%Y/%m/%d %H:%M:%S')} http: TLS handshake error from 10.0.1.4:{40000 + int(at)}: remote error: tls: bad certificate",
              namespace="policy")  # fmt: skip
    x.event(236, "SuccessfulCreate", f"ReplicaSet/{of}", f"Created pod: {of}-v5k2q", component="replicaset-controller")
    made(x, f"{of}-v5k2q", 236.1, "node-b", "registry.example.com/patients:1.0.0")

    def failed(at: float) -> None:
        x.log(
            front,
            at,
            nginx_error(x.at(at), "no live upstreams while connecting to upstream", "/patients", "upstream_balancer"),
            namespace="ingress-nginx",
        )

    traffic(
        x,
        front,
        "/patients",
        "ward-patients-80",
        every=0.2,
        failing=between((171.4, 236.4)),
        status=(503,),
        failed=failed,
    )
    x.rollout(149, "wards-web", 2, image="1.30.0")
    return x.write(folder)


def cannot_scale_down(folder: Path) -> Path:
    """A budget keeps the cluster autoscaler from removing a node all day, jobs miss their time, a node is cordoned and let in; nobody suffers."""
    x = Export(day(9), 1440, seed=608, namespace="idle")
    front = edge(x)
    pods = x.workload("portal", 2, nodes=("node-d",))
    x.keep({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "portal", "namespace": "idle"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "portal"}}}, "status": {"disruptionsAllowed": 0, "currentHealthy": 2, "desiredHealthy": 2},
    })  # fmt: skip
    x.event(40, "ScaleDownFailed", "Node/node-d", "failed to drain the node, aborting ScaleDown: not enough pod disruption budget to move idle/portal", warning=True,
            count=130, until=1410, component="cluster-autoscaler", namespace="default")  # fmt: skip
    x.event(700, "FailedNeedsStart", "CronJob/reindex", "Cannot determine if job needs to be started: too many missed start times (> 100). Set or decrease "
            ".spec.startingDeadlineSeconds or check clock skew", warning=True, count=80, until=1430, component="cronjob-controller")  # fmt: skip
    cordoned(x, "node-b", 610.0, 655.0)
    for at in x.every(190):
        x.event(
            at,
            "SuccessfulRescale",
            "HorizontalPodAutoscaler/portal",
            "New size: 2; reason: All metrics below target",
            component="horizontal-pod-autoscaler",
        )
    for at in x.every(35):
        x.log(
            x.random.choice(pods),
            at,
            zap(x.at(at), "error", "write response", error="write tcp 10.42.0.6:8080: broken pipe"),
        )
    traffic(x, front, "/portal", "idle-portal-80", every=0.25, failing=lambda _m: 0.003, status=(502,),
            served=lambda m: x.log(x.random.choice(pods), m, zap(x.at(m), "info", "portal shown")))  # fmt: skip
    x.rollout(820, "portal", 2, image="1.0.1", nodes=("node-d",))
    return x.write(folder)


def peak_as_ever(folder: Path) -> Path:
    """At each of four days' peaks the scaler is at its maximum and a few requests wait too long; before the last an agent was updated. Metrics."""
    x = Export(day(10), 4 * 1440, seed=609, namespace="lunch")
    front = edge(x)
    pods = x.workload("orders", 3)
    agent = daemon(
        x, "node-agent", "registry.example.com/node-agent:7.58.0", NODES, "monitoring", born=3 * 1440 + 540.0
    )
    for n, on in enumerate(NODES):
        made(x, agent[on], 3 * 1440 + 540.0 + n, on, "registry.example.com/node-agent:7.58.0", namespace="monitoring")
    busy = lambda m: 0.3 + 0.65 * max(0.0, 1 - abs(m % 1440 - 735) / 90)  # noqa: E731 - read beside its use
    for d in range(4):
        for size, at in ((6, 690), (8, 705), (3, 850)):
            x.event(d * 1440 + at + x.random.uniform(-3, 3), "SuccessfulRescale", "HorizontalPodAutoscaler/orders",
                    f"New size: {size}; reason: {'cpu resource utilization (percentage of request) above target' if size > 3 else 'All metrics below target'}",
                    component="horizontal-pod-autoscaler")  # fmt: skip
    for pod in pods:
        x.counter(
            "container_cpu_usage_seconds_total", {"namespace": "lunch", "pod": pod, "container": "app"}, busy, step=2
        )
    for low, high, every in ((0, 660, 1.0), (660, 820, 0.12), (820, 1440, 1.0)):
        for d in range(4):
            traffic(x, front, "/orders", "lunch-orders-80", every=every, since=d * 1440 + low, until=d * 1440 + high, status=(504,), slow=10.0,
                    failing=lambda m: 0.012 if 700 < m % 1440 < 770 else 0.0,
                    served=lambda m: x.log(x.random.choice(pods), m, pino(x.at(m), 30, "order taken")))  # fmt: skip
    return x.write(folder)


INCIDENTS = (
    Unseen(name="agent-eats", build=agent_eats, question="Why are odds and slips slow?", roots=frozenset({"DaemonSet/falco/falco"})),
    Unseen(name="nobody-admitted", build=nobody_admitted, question=None,
           roots=frozenset({"ValidatingWebhookConfiguration//image-policy", "Deployment/policy/image-policy"}), shallow=frozenset({"Node//node-b"})),
    Unseen(name="cannot-scale-down", build=cannot_scale_down, question=None, verdicts=frozenset({"no_incident", "inconclusive"})),
    Unseen(name="peak-as-ever", build=peak_as_ever, question="Did the agent's update slow orders down at lunch?", full=True,
           verdicts=frozenset({"no_incident", "inconclusive"})),
)  # fmt: skip
