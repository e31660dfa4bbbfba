"""A cluster in every situation it can be in."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from kube_api import KubeApi
from situations import Situation

from bot.cluster import api as cluster_api
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
        with KubeApi() as api, tempfile.TemporaryDirectory() as folder, patch.object(cluster_api, "PAUSE_S", 0.02):
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


def without_logs(api):
    """Fill a cluster whose pods have no log."""
    api.put({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "web"}})


def bad_bytes(api):
    """Fill a cluster in whose log one line is no UTF-8."""
    small(api)
    api.log("web", "a", "app", b"2026-11-22T00:00:30.5Z caf\xe9 \x00 \xff\n")


def misshapen(api):
    """Fill a cluster in which a pod and an event have other shapes than they should."""
    small(api)
    api.put(pod("odd") | {"spec": 3, "status": ["Running"]})
    api.put(event(9) | {"involvedObject": "pod a", "message": None, "firstTimestamp": "soon", "lastTimestamp": [], "metadata": {"name": "odd", "namespace": "web"}})  # fmt: skip


def restarted(api):
    """Fill a cluster with a pod that was restarted, whose log before it is known."""
    small(api, pods=("b",))
    api.put(pod("a", restarts=1))
    api.log("web", "a", "app", lines(10, 7)).log("web", "a", "app", lines(5), previous=True)


def large(api):
    """Fill a cluster whose lists have several pages, and one long log."""
    small(api, pods=["a", *(f"p{n}" for n in range(1, 400))], events=600, logged=1)
    api.log("web", "a", "app", "".join(f"{at(60 + n % 3000)} {'x' * 900}\n" for n in range(20_000)))


def forgetful(api):
    """Fill a cluster that has forgotten its events and a pod."""
    small(api, events=0)
    api.put(event(1, name="gone", second=2400))


def rotated(api):
    """Fill a cluster: one log's file begins late, one was silent for as long, and its file is older than the window."""
    small(api, pods=("a", "b"), logged=0)
    late = "".join(f"{at(2400 + n)} line\n" for n in range(60))
    api.log("web", "a", "app", late).log("web", "b", "app", f"{at(-60)} hello\n{late}")


def row(name, items, *, lost=False, words="", within_s=10.0, **opened):
    """Give a situation of a cluster."""
    opening = cluster(**opened)
    return Situation(
        source="kubernetes", name=name, opened=opening, items=items, lost=lost, words=words, within_s=within_s
    )


KUBERNETES = (
    row("happy", 48),
    row("empty", 0, fill=without_logs),
    row("bad-utf-8", 49, fill=bad_bytes),
    row("previous-log", 43, fill=restarted),
    row("huge", 402 + 600 + 400 + 20_000, fill=large, within_s=30),
    row("forgotten", 45, fill=forgetful, lost=True, words="events reach back to"),
    row("pods-gone", 45, fill=forgetful, lost=True, words="`rootcause record`"),
    row("rotated", 128, fill=rotated, lost=True, words="web/a/app.log before 2026-11-22T00:40:00Z"),
    row("forbidden", 46, forbidden={("list", "deployments"), ("list", "nodes")}, lost=True, words='apiGroups: ["apps"], resources: ["deployments"], verbs: [list]'),
    row("no-namespaces", 0, forbidden={("list", "namespaces")}, lost=True, words='resources: ["namespaces"]'),
    row("named-namespaces", 48, forbidden={("list", "namespaces")}, namespaces=("web",)),
    row("no-logs-allowed", 8, forbidden={("get", "pods/log")}, lost=True, words='resources: ["pods/log"], verbs: [get]'),
    row("429", 48, faults={"/pods": ["429:0", "429:0"]}),
    row("429-for-an-hour", 0, forever={"/namespaces": "429:3600"}, lost=True, words="asks to wait 3600 s", within_s=2),
    row("5xx", 48, faults={"/deployments": ["503", "500"], "/log": ["502"]}),
    row("5xx-for-ever", 0, forever={"/": "500"}, lost=True, words="HTTP 500"),
    row("reset", 48, faults={"/pods": ["reset"], "/log": ["reset"]}),
    row("truncated", 48, faults={"/services": ["cut"], "/events": ["garbage"]}),
    row("login-page", 0, forever={"/": "html"}, lost=True, words="a web page came"),
    row("hanging", 0, forever={"/": "hang"}, deadline_s=0.6, request_s=30, lost=True, words="ran out", within_s=3),
    row("slow", 8, forever={"/log": "trickle"}, deadline_s=1, request_s=0.3, lost=True, words="could not be read", within_s=4),
    row("auth-lost-midway", 3, forever={"/events": "401", "/log": "401", "/apps": "401", "/services": "401"}, lost=True, words="does not accept the credentials"),
    row("malformed", 49, fill=misshapen, forever={"/services": "garbage"}, lost=True, words="services in web could not be read"),
    row("partial", 44, forever={"/events": "500"}, lost=True, words="events in web could not be read"),
)  # fmt: skip
