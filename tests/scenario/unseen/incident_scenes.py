"""Scenes that many hand-made incidents share: traffic at an ingress, an object somebody edited, a node, a run of a Job.

Leaves out what goes wrong and in which words; like the kit it knows formats only.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from incident_kit import Export, stamp
from line_formats import ingress

Chance = Callable[[float], float]
Told = Callable[[float], None]


def edge(x: Export, *, keep: bool = True) -> str:
    """Add an ingress-nginx controller and give its pod."""
    return x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx", keep=keep)[0]


def traffic(
    x: Export, front: str, path: str, service: str, *, every: float, failing: Chance, status: Sequence[int] = (502,),
    fast: float = 0.05, slow: float = 0.2, failed: Told | None = None, served: Told | None = None, since: float = 0.0, until: float | None = None,
) -> None:  # fmt: skip
    """Add requests to a path about ``every`` minutes; ``failing`` gives each one's chance, the rest callbacks for lines."""
    for at in x.every(every, since, until):
        bad = x.random.random() < failing(at)
        seconds = (slow if bad else fast) * x.random.uniform(0.6, 1.5)
        code = x.random.choice(status) if bad else 200
        x.log(front, at, ingress(x.random, x.at(at), path, code, service, seconds), namespace="ingress-nginx")
        if bad and failed:
            failed(at - 0.002)
        elif not bad and served:
            served(at - 0.002)


def between(*spans: tuple[float, float], chance: float = 1.0) -> Chance:
    """Give ``chance`` inside any of the spans and nothing outside."""
    return lambda at: chance if any(low <= at < high for low, high in spans) else 0.0


def edited(x: Export, manifest: dict, minute: float, manager: str, fields: dict, *, born: float = -70000.0) -> dict:
    """Keep an object that was made long ago and whose ``fields`` a manager wrote at ``minute``."""
    manifest["metadata"].update(creationTimestamp=stamp(x.at(born)), managedFields=[
        {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": manifest["apiVersion"],
         "time": stamp(x.at(born)), "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}},
        {"manager": manager, "operation": "Update", "apiVersion": manifest["apiVersion"], "time": stamp(x.at(minute)),
         "fieldsType": "FieldsV1", "fieldsV1": fields},
    ])  # fmt: skip
    return x.keep(manifest)


def node(
    x: Export, name: str, *, born: float = -200000.0, ready: tuple[str, float] = ("True", -200000.0), **info: str
) -> None:
    """Keep a Node's object; ``ready`` is the status of its Ready condition and since when."""
    x.keep({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "creationTimestamp": stamp(x.at(born))},
        "spec": {}, "status": {
            "capacity": {"cpu": "8", "memory": "32Gi"}, "allocatable": {"cpu": "7800m", "memory": "30Gi"},
            "nodeInfo": {"kubeletVersion": "v1.31.4", "kernelVersion": "5.15.0-122-generic", "osImage": "Ubuntu 22.04.5 LTS", **info},
            "conditions": [{"type": "Ready", "status": ready[0], "lastTransitionTime": stamp(x.at(ready[1])),
                            "reason": "KubeletReady" if ready[0] == "True" else "NodeStatusUnknown", "message": ""}],
        },
    })  # fmt: skip


def job(x: Export, name: str, minute: float, lasts: float) -> str:
    """Keep a Job that nobody scheduled, with the events of its run; give its pod."""
    pod = f"{name}-{'xk2m9' if len(name) % 2 else 'b7q4t'}"
    x.keep({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "namespace": x.namespace, "creationTimestamp": stamp(x.at(minute))},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": f"registry.example.com/{name}:1"}]}}},
        "status": {"startTime": stamp(x.at(minute)), "completionTime": stamp(x.at(minute + lasts)), "succeeded": 1},
    })  # fmt: skip
    x.event(minute, "SuccessfulCreate", f"Job/{name}", f"Created pod: {pod}", component="job-controller")
    x.event(minute + lasts, "Completed", f"Job/{name}", "Job completed", component="job-controller")
    return pod


def stateful(x: Export, name: str, image: str, *, volume: str | None = None, on: str = "node-a") -> str:
    """Keep a StatefulSet of one with its Service and pod; give the pod."""
    claim = f"{volume}-{name}-0"
    container = {
        "name": "app",
        "image": image,
        **({"volumeMounts": [{"name": volume, "mountPath": "/data"}]} if volume else {}),
    }
    x.keep({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": x.namespace, "creationTimestamp": stamp(x.at(-90000.0))},
        "spec": {"replicas": 1, "serviceName": name, "selector": {"matchLabels": {"app": name}},
                 "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}},
    })  # fmt: skip
    x.keep({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": x.namespace},
        "spec": {"selector": {"app": name}, "clusterIP": "None", "ports": [{"port": 5432}]},
    })  # fmt: skip
    volumes = [{"name": volume, "persistentVolumeClaim": {"claimName": claim}}] if volume else []
    x.keep({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": f"{name}-0", "namespace": x.namespace, "creationTimestamp": stamp(x.at(-9000.0)), "labels": {"app": name},
                     "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name, "uid": name, "controller": True}]},
        "spec": {"nodeName": on, "containers": [container], "volumes": volumes},
        "status": {"phase": "Running", "startTime": stamp(x.at(-9000.0)), "podIP": "10.42.9.9"},
    })  # fmt: skip
    if volume:
        x.keep({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": claim, "namespace": x.namespace, "creationTimestamp": stamp(x.at(-90000.0))},
            "spec": {"accessModes": ["ReadWriteOnce"], "volumeName": "pvc-6f1d0c8e-91b2-4f4e-9a55-0f4e3b1c7d20",
                     "resources": {"requests": {"storage": "100Gi"}}}, "status": {"phase": "Bound"},
        })  # fmt: skip
    return f"{name}-0"


def gone_line(at: datetime, words: str, target: str) -> str:
    """Write an ingress-nginx error line about an upstream that it could not use."""
    return (
        f"{at.strftime('%Y/%m/%d %H:%M:%S')} [error] 33#33: *{int(at.timestamp()) % 88811} {words}, client: 198.51.100.23, "
        f'server: www.example.com, request: "GET / HTTP/2.0", upstream: "http://{target}/", host: "www.example.com"'
    )
