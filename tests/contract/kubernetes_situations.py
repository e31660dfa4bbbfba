"""A cluster in every situation it can be in."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kube_api import KubeApi

from bot.cluster.access import ClusterAccess
from bot.domain.window import Window
from bot.sources.kubernetes import KubernetesSource

START = datetime(2026, 11, 22, tzinfo=UTC)
WINDOW = Window(start=START, end=START + timedelta(hours=1), asked="1h")
NOW = START + timedelta(hours=1)


def at(second):
    """Give a time of the window as an API spells it."""
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(name, *, namespace="web", node="n1", restarts=0, env=()):
    """Give a running pod, restarted or not."""
    status = {"name": "app", "restartCount": restarts, "state": {"running": {"startedAt": at(0)}}}
    if restarts:
        ended = {"startedAt": at(-600), "finishedAt": at(5), "reason": "OOMKilled", "exitCode": 137}
        status |= {"lastState": {"terminated": ended}, "state": {"running": {"startedAt": at(6)}}}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": at(-600)},
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": "app:1", "env": list(env)}]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


def event(number, *, namespace="web", name="a", kind="Pod", second=None):
    """Give an event about a pod."""
    stamp = at(number if second is None else second)
    return {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {"name": f"e{number}", "namespace": namespace, "creationTimestamp": stamp},
        "involvedObject": {"kind": kind, "namespace": namespace, "name": name},
        "reason": "BackOff",
        "message": f"m{number}",
        "type": "Warning",
        "eventTime": None,
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
        "source": {"component": "kubelet", "host": "n1"},
    }


def lines(count, first=0):
    """Give lines of a log as a kubelet does."""
    return "".join(f"{at(first + n)[:-1]}.{n:09d}Z line {n}\n" for n in range(count))


def small(api, *, pods=("a", "b"), events=4, logged=20):
    """Fill a cluster: pods with logs, events, a deployment and a node."""
    api.put({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n1"}})
    api.put({"kind": "Deployment", "metadata": {"name": "d", "namespace": "web"}, "spec": {}})
    for name in pods:
        api.put(pod(name))
        api.log("web", name, "app", lines(logged))
    api.put(*(event(number) for number in range(events)))


def cluster(fill=small, *, faults=None, forever=None, forbidden=(), deadline_s=8.0, request_s=2.0, **source):
    """Open a cluster, with faults by a part of the path."""

    def opened(_folder):
        with KubeApi() as api, tempfile.TemporaryDirectory() as folder:
            fill(api)
            for part, given in (faults or {}).items():
                api.faults[part].extend(given)
            api.forever.update(forever or {})
            api.forbidden.update(forbidden)
            access = ClusterAccess(kubeconfig=api.kubeconfig(Path(folder)))
            yield KubernetesSource(
                access=access, window=WINDOW, deadline_s=deadline_s, request_s=request_s, clock=lambda: NOW, **source
            )

    return opened
