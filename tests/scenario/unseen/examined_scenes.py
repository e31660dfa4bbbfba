"""Scenes of the examined incidents: a release as an export shows it afterwards, everyday bustle, tickets, steady metrics.

Leaves out what goes wrong; like the kit it knows what tools print and nothing of the engine.
"""

# A scene reads as a table: a line for each thing that is written.
# fmt: off

import json
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zlib import crc32

from incident_kit import Export, stamp
from line_formats import AGENTS, pino, spring, zap


def released(
    x: Export, minute: float, name: str, replicas: int, image: str, *, container: dict | None = None, pod: dict | None = None,
    old: Sequence[str] = (),
) -> list[str]:
    """Roll a Deployment and leave its objects as they are found afterwards: new template, old ReplicaSet empty, old pods gone.

    ``pod`` is what the new pods' spec holds beside its containers; ``old`` are the pods that end, one by one.
    """
    before = {one["metadata"]["name"] for one in x.objects[x.namespace, "ReplicaSet"]}
    pods = x.rollout(minute, name, replicas, image=image, container=container)
    for kept in x.objects[x.namespace, "ReplicaSet"]:
        if kept["metadata"]["name"] not in before:
            kept["spec"]["template"]["spec"].update(pod or {})
        elif kept["metadata"]["labels"]["app"] == name:
            kept["spec"]["replicas"] = 0
    for kept in x.objects[x.namespace, "Deployment"]:
        if kept["metadata"]["name"] == name:
            spec = {"name": "app", "image": f"registry.example.com/{name}:{image}", **(container or {})}
            kept["spec"]["template"]["spec"] = {"containers": [spec], **(pod or {})}
    listed = x.objects[x.namespace, "Pod"]
    listed[:] = [one for one in listed if one["metadata"]["name"] not in set(old)]
    for number, gone in enumerate(old):
        at = minute + 0.4 + number * 0.5
        x.event(at, "Killing", f"Pod/{gone}", "Stopping container app")
        x.event(at, "SuccessfulDelete", f"ReplicaSet/{gone.rpartition('-')[0]}", f"Deleted pod: {gone}",
                component="replicaset-controller")
    return pods


def ticket(x: Export, folder: Path, key: str, minute: float, summary: str, text: str, comments: Sequence[tuple[float, str, str]] = ()) -> None:
    """Write a Jira issue of REST API 2 with its comments: minute, author and text of each."""

    def person(name: str) -> dict:
        return {"displayName": name.title(), "name": name, "active": True}

    def when(at: float) -> str:
        return x.at(at).strftime("%Y-%m-%dT%H:%M:%S.000+0000")

    body = {
        "id": str(10000 + int(key.rpartition("-")[2])), "key": key, "self": f"https://jira.example.com/rest/api/2/issue/{key}",
        "fields": {
            "summary": summary, "description": text, "created": when(minute), "updated": when(minute), "issuetype": {"name": "Incident"},
            "status": {"name": "Open"}, "reporter": person("duty"), "project": {"key": key.partition("-")[0]},
            "comment": {"comments": [{"id": str(n), "author": person(by), "body": said, "created": when(at), "updated": when(at)}
                                     for n, (at, by, said) in enumerate(comments)]},
        },
    }
    (folder / "jira").mkdir(parents=True, exist_ok=True)
    (folder / "jira" / f"{key}.json").write_text(json.dumps(body))


def scheduled(x: Export, minute: float) -> int:
    """Give the number that the CronJob controller ends a job's name with: the scheduled time in minutes since 1970."""
    return int(x.at(minute).timestamp()) // 60


def wave(low: float, high: float, peak: float = 14.0) -> Callable[[float], float]:
    """Give a daily wave between two values with its top at an hour of the day that the window's midnight counts from."""
    return lambda m: low + (high - low) * (0.5 + 0.5 * math.cos((m / 60 - peak) / 24 * 2 * math.pi))


def measured(
    x: Export, pods: Sequence[str], cpu: Callable[[float], float], memory: Callable[[float], float], *, namespace: str | None = None, step: float = 2.0,
    alive: tuple[float, float] = (0.0, math.inf),
) -> None:
    """Add cAdvisor's CPU (cores) and memory (MiB) of pods, each with a noise of its own, while they are ``alive``."""
    for pod in pods:
        labels = {"namespace": namespace or x.namespace, "pod": pod, "container": "app"}
        x.counter("container_cpu_usage_seconds_total", labels, lambda m: cpu(m) * x.random.uniform(0.92, 1.08), step)
        x.series("container_memory_working_set_bytes", labels, lambda m: memory(m) * 2**20 * x.random.uniform(0.98, 1.02), step)
        first, last = (x.at(min(edge, x.minutes)).timestamp() for edge in alive)
        for metric in ("container_cpu_usage_seconds_total", "container_memory_working_set_bytes"):
            one = x.samples[metric][-1]
            one["values"] = [[at, value] for at, value in one["values"] if first <= at <= last]


def traefik(x: Export, at: float, path: str, status: int, service: str, millis: float) -> str:
    """Write Traefik 3's JSON access line."""
    return json.dumps({
        "ClientHost": f"203.0.113.{x.random.randint(2, 250)}", "DownstreamStatus": status, "Duration": int(millis * 1e6),
        "OriginStatus": status if status != 503 else 0, "RequestMethod": "GET", "RequestPath": path, "RequestProtocol": "HTTP/2.0",
        "RouterName": f"{service}@kubernetes", "ServiceName": f"{service}@kubernetes", "level": "info", "msg": "", "time": stamp(x.at(at)),
    })


def haproxy(x: Export, at: float, path: str, status: int, backend: str, server: str, state: str = "----") -> str:
    """Write HAProxy's httplog line as its ingress controller prints it."""
    local = x.at(at).strftime("%d/%b/%Y:%H:%M:%S.%f")[:-3]
    waited = "0/0/1/14/15" if status < 500 else "0/10001/-1/-1/10001"
    return (f'203.0.113.{x.random.randint(2, 250)}:{x.random.randint(20000, 60000)} [{local}] https {backend}/{server} {waited} {status} '
            f'{x.random.randint(200, 3000)} - - {state} 41/40/3/1/0 0/0 "GET {path} HTTP/1.1"')


def nginx(at: datetime, path: str, status: int, service: str, seconds: float, upstream: float | None, **who: str) -> str:
    """Write an ingress-nginx access line that tells the request's own time from its upstream's."""
    took = "-" if upstream is None else f"{upstream:.3f}"
    client, agent, server = who.get("client", "203.0.113.77"), who.get("agent", AGENTS[0]), who.get("server", "10.42.1.17")
    return (f'{client} - - [{at.strftime("%d/%b/%Y:%H:%M:%S +0000")}] "GET {path} HTTP/2.0" {status} 812 "-" "{agent}" 411 {seconds:.3f} '
            f"[{service}] [] {server}:8080 812 {took} {'-' if upstream is None else status} {crc32(f'{path}{at}{seconds}'.encode()):032x}")


# -- what goes on beside every incident


def _previews(x: Export) -> None:
    for n, at in enumerate(x.every(x.minutes / 9)):
        name = f"pr-{4200 + 3 * n}"
        pod = f"{name}-6d5f7c9b8-{x.random.choice('bcdfg')}x2k{n % 9}"
        x.event(at, "ScalingReplicaSet", f"Deployment/{name}", f"Scaled up replica set {name}-6d5f7c9b8 from 0 to 1",
                component="deployment-controller", namespace="preview")
        x.event(at + 0.2, "Started", f"Pod/{pod}", "Started container app", namespace="preview")


def _crashing_tool(x: Export) -> None:
    pod = "kubecost-exporter-7c9d66f4b5-q8zt2"
    x.event(2, "BackOff", f"Pod/{pod}", f"Back-off restarting failed container app in pod {pod}_tools(91c2)",
            warning=True, count=int(x.minutes / 5), until=x.minutes - 3, namespace="tools")
    for at in x.every(x.minutes / 40):
        x.log(pod, at, f'time="{stamp(x.at(at))}" level=fatal msg="cannot read billing export: 403 Forbidden"', namespace="tools")


def _renewals(x: Export) -> None:
    for n, at in enumerate(x.every(x.minutes / 4)):
        x.event(at, "Issuing", f"Certificate/docs-{n}", "Renewing certificate as renewal was scheduled at " + str(x.at(at)),
                component="cert-manager-certificates-trigger", namespace="docs-site")
        x.event(at + 0.4, "Issuing", f"Certificate/docs-{n}", "The certificate has been successfully issued",
                component="cert-manager-certificates-issuing", namespace="docs-site")


def _ci_nodes(x: Export) -> None:
    for n, at in enumerate(x.every(x.minutes / 7)):
        pod, on = f"runner-{n}-x7k{n % 10}p", f"ci-spot-{n}"
        x.event(at, "FailedScheduling", f"Pod/{pod}", "0/9 nodes are available: 9 Insufficient cpu.", warning=True,
                component="default-scheduler", namespace="ci")
        x.event(at + 0.3, "TriggeredScaleUp", f"Pod/{pod}", "pod triggered scale-up: [{ci-spot 0->1 (max: 20)}]",
                component="cluster-autoscaler", namespace="ci")
        x.event(at + 2, "RegisteredNode", f"Node/{on}", f"Node {on} event: Registered Node {on} in Controller",
                component="node-controller", namespace="default")
        x.event(at + 40, "RemovingNode", f"Node/{on}", f"Node {on} event: Removing Node {on} from Controller",
                component="node-controller", namespace="default")


def _failing_report(x: Export) -> None:
    for n, at in enumerate(x.every(x.minutes / 6)):
        job = f"usage-report-{scheduled(x, at)}"
        x.event(at, "SuccessfulCreate", "CronJob/usage-report", f"Created job {job}", component="cronjob-controller", namespace="finops")
        x.event(at + 3, "BackoffLimitExceeded", f"Job/{job}", "Job has reached the specified backoff limit", warning=True,
                component="job-controller", namespace="finops")
        x.log(f"{job}-p{n % 10}x2k", at + 2.5, "KeyError: 'gcp_export_bucket'", namespace="finops")


def _slow_probes(x: Export) -> None:
    for at in x.every(x.minutes / 11):
        x.event(at, "Unhealthy", "Pod/node-exporter-4f8xz",
                'Readiness probe failed: Get "http://10.0.3.7:9100/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
                warning=True, namespace="monitoring")


def _other_scaler(x: Export) -> None:
    for n, at in enumerate(x.every(x.minutes / 12)):
        size = (4, 6, 3, 5)[n % 4]
        x.event(at, "SuccessfulRescale", "HorizontalPodAutoscaler/mailer", f"New size: {size}; reason: cpu resource utilization (percentage of request) above target",
                component="horizontal-pod-autoscaler", namespace="growth")


def _usual_errors(x: Export) -> None:
    pods = ["partners-5b7d8f6c9d-2xk4m", "partners-5b7d8f6c9d-9tqzl"]
    for at in x.every(x.minutes / 90):
        pod = x.random.choice(pods)
        line = x.random.choice((
            zap(x.at(at), "error", "write response", error="write tcp 10.42.7.3:8080->10.42.0.9:51812: write: broken pipe"),
            pino(x.at(at), 40, "partner feed is 3 rows short"), spring(x.at(at), "WARN", "c.e.PartnerSync", "retrying page 12 of feed"),
        ))
        x.log(pod, at, line, namespace="partners")


def _dashboards(x: Export) -> None:
    for n, at in enumerate(x.every(x.minutes / 3)):
        x.event(at, "OperationCompleted", "Application/grafana-dashboards", f"Sync operation to 7c1e{n}f0 succeeded",
                component="argocd-application-controller", namespace="argocd")


def _alerts(x: Export) -> None:
    for at in x.every(x.minutes / 6):
        x.say(at, "UALERTS", x.random.choice((
            "[FIRING:1] CPUThrottlingHigh (growth/mailer) severity=info: 31% throttling of CPU",
            "[RESOLVED] KubeJobFailed (finops/usage-report)", "[FIRING:1] KubePodCrashLooping (tools/kubecost-exporter) severity=warning",
        )), channel="alerts")


def _chatter(x: Export) -> None:
    for at in x.every(x.minutes / 5):
        x.say(at, x.random.choice(("UKIM", "UOLA", "UPAT")), x.random.choice((
            "can somebody review the dashboards PR?", "lunch?", "reminder: finops wants labels on every namespace by friday",
            "kubecost is still crashing, ignore", "who owns the partners feed? three rows short again",
        )), channel="platform")


_BUSTLE = (_previews, _crashing_tool, _renewals, _ci_nodes, _failing_report, _slow_probes, _other_scaler, _usual_errors, _dashboards, _alerts, _chatter)


def bustle(x: Export, many: int, *, without: Sequence[Callable[[Export], None]] = (), quiet: bool = False) -> None:
    """Add ``many`` kinds of what goes on anyway, none of which touches the incident; ``quiet`` leaves out all chat."""
    kinds: list[Any] = [one for one in _BUSTLE if one not in without and not (quiet and one in (_alerts, _chatter))]
    for one in x.random.sample(kinds, many):
        one(x)
