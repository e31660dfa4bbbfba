"""Build small incident exports by hand: pods, lines, events, objects, series, chat, in the layouts that tools print.

It knows file formats only. What goes wrong, and in which words, stands in the ``incidents_*`` modules. Leaves out
everything that ``bot`` knows: nothing is imported from it, so that no rule can be tested against itself.
"""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def stamp(at: datetime) -> str:
    """Write a time as the Kubernetes API does."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def cluster_ip(service: str) -> str:
    """Give the address that a Service of this name gets here."""
    return f"10.43.{sum(service.encode()) % 200}.{len(service)}"


@dataclass
class Export:
    """An incident export in the making; times are minutes since ``start``, fractions allowed."""

    start: datetime
    minutes: float
    seed: int = 1
    namespace: str = "default"
    lines: dict[tuple[str, str, str, bool], list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    events: list[dict] = field(default_factory=list)
    objects: dict[tuple[str, str], list[dict]] = field(default_factory=lambda: defaultdict(list))
    samples: dict[str, list[dict]] = field(default_factory=lambda: defaultdict(list))
    messages: dict[tuple[str, str], list[dict]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._names = random.Random(self.seed + 1)

    def at(self, minute: float) -> datetime:
        """Give the time of a minute of the window."""
        return self.start + timedelta(minutes=minute)

    def every(self, minutes: float, since: float = 0.0, until: float | None = None) -> Iterator[float]:
        """Give times about ``minutes`` apart, as a Poisson process would."""
        until = self.minutes if until is None else until
        now = since + self.random.expovariate(1 / minutes)
        while now < until:
            yield now
            now += self.random.expovariate(1 / minutes)

    # -- logs

    def log(self, pod: str, minute: float, line: str, *, container: str = "app", namespace: str | None = None) -> None:
        """Add a line that a container wrote."""
        self.lines[namespace or self.namespace, pod, container, False].append((minute, line))

    # -- events and objects

    def event(
        self, minute: float, reason: str, of: str, message: str, *,
        warning: bool = False, count: int = 1, until: float | None = None, component: str = "kubelet",
        namespace: str | None = None, host: str | None = None,
    ) -> None:  # fmt: skip
        """Add a core/v1 event about ``Kind/name``; ``count`` and ``until`` make it a repeated one."""
        kind, _, name = of.partition("/")
        namespace = namespace or self.namespace
        first, last = stamp(self.at(minute)), stamp(self.at(minute if until is None else until))
        source = {"component": component, **({"host": host} if host else {})}
        self.events.append({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": f"{name}.{len(self.events):016x}", "namespace": namespace, "creationTimestamp": first},
            "involvedObject": {"kind": kind, "name": name, "namespace": "" if kind == "Node" else namespace},
            "reason": reason, "message": message, "type": "Warning" if warning else "Normal",
            "firstTimestamp": first, "lastTimestamp": last, "count": count, "source": source,
        })  # fmt: skip

    def keep(self, manifest: dict) -> dict:
        """Add an object's manifest as the API server would give it."""
        namespace = manifest["metadata"].get("namespace", "")
        self.objects[namespace, manifest["kind"]].append(manifest)
        return manifest

    def workload(
        self, name: str, replicas: int = 2, *, image: str = "1.0.0", born: float = -9000.0, namespace: str | None = None,
        container: dict | None = None, keep: bool = True, nodes: Sequence[str] = ("node-a", "node-b", "node-c"),
    ) -> list[str]:  # fmt: skip
        """Add a Deployment with one ReplicaSet and its pods; give the pods' names. ``keep=False`` leaves no objects."""
        namespace = namespace or self.namespace
        spec = {"name": "app", "image": f"registry.example.com/{name}:{image}", **(container or {})}
        if keep and not any(d["metadata"]["name"] == name for d in self.objects[namespace, "Deployment"]):
            self.keep({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": name, "namespace": namespace, "creationTimestamp": stamp(self.at(-90000.0))},
                "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                         "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [spec]}}},
                "status": {"replicas": replicas, "readyReplicas": replicas},
            })  # fmt: skip
            self.keep({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
                "spec": {"selector": {"app": name}, "clusterIP": cluster_ip(name), "ports": [{"port": 80, "targetPort": 8080}]},
            })  # fmt: skip
        of = f"{name}-{''.join(self._names.choices(_SAFE, k=9))}"
        labels = {"app": name, "pod-template-hash": of.rpartition("-")[2]}
        if keep:
            self.keep({
                "apiVersion": "apps/v1", "kind": "ReplicaSet",
                "metadata": {"name": of, "namespace": namespace, "creationTimestamp": stamp(self.at(born)),
                             "labels": labels, "ownerReferences": [_owner("Deployment", name)]},
                "spec": {"replicas": replicas, "template": {"spec": {"containers": [spec]}}},
            })  # fmt: skip
        pods = [f"{of}-{''.join(self._names.choices(_SAFE, k=5))}" for _ in range(replicas)]
        for number, pod in enumerate(pods if keep else ()):
            self.keep({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": pod, "namespace": namespace, "creationTimestamp": stamp(self.at(born)),
                             "labels": labels, "ownerReferences": [_owner("ReplicaSet", of)]},
                "spec": {"nodeName": nodes[number % len(nodes)], "containers": [spec]},
                "status": {"phase": "Running", "startTime": stamp(self.at(born)), "podIP": f"10.42.{number}.{len(name)}"},
            })  # fmt: skip
        return pods

    def cronjob(self, name: str, schedule: str, starts: Sequence[float], lasts: float) -> list[tuple[float, str]]:
        """Add a CronJob with the events of its runs; give the start and the pod of each run."""
        self.keep({
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": {"spec": {"containers": [
                {"name": "app", "image": f"registry.example.com/{name}:3"}]}}}}},
        })  # fmt: skip
        runs = []
        for begun in starts:
            job = f"{name}-{int(self.at(begun).timestamp()) // 60}"
            pod = f"{job}-{''.join(self._names.choices(_SAFE, k=5))}"
            self.event(
                begun, "SuccessfulCreate", f"CronJob/{name}", f"Created job {job}", component="cronjob-controller"
            )
            self.event(begun, "SuccessfulCreate", f"Job/{job}", f"Created pod: {pod}", component="job-controller")
            self.event(begun + lasts, "Completed", f"Job/{job}", "Job completed", component="job-controller")
            self.event(begun + lasts, "SawCompletedJob", f"CronJob/{name}",
                       f"Saw completed job: {job}, condition: Complete", component="cronjob-controller")  # fmt: skip
            runs.append((begun, pod))
        return runs

    def rollout(self, minute: float, name: str, replicas: int = 2, **options: object) -> list[str]:
        """Add a new ReplicaSet of a Deployment at ``minute`` with the events of the roll; give the new pods."""
        pods = self.workload(name, replicas, born=minute, **options)  # type: ignore[arg-type]
        of = pods[0].rpartition("-")[0]
        for number, pod in enumerate(pods):
            self.event(minute + number * 0.5, "ScalingReplicaSet", f"Deployment/{name}",
                       f"Scaled up replica set {of} from {number} to {number + 1}", component="deployment-controller")  # fmt: skip
            self.event(minute + number * 0.5, "Scheduled", f"Pod/{pod}",
                       f"Successfully assigned {self.namespace}/{pod} to node-a", component="default-scheduler")  # fmt: skip
            self.event(minute + number * 0.5 + 0.1, "Started", f"Pod/{pod}", "Started container app")
        return pods

    # -- metrics and chat

    def series(self, metric: str, labels: dict[str, str], value: Callable[[float], float], step: float = 1.0) -> None:
        """Add a series sampled every ``step`` minutes; ``value`` maps the minute to the sample."""
        count = int(self.minutes / step)
        values = [[self.at(i * step).timestamp(), f"{value(i * step):.6g}"] for i in range(count)]
        self.samples[metric].append({"metric": {"__name__": metric, **labels}, "values": values})

    def counter(self, metric: str, labels: dict[str, str], rate: Callable[[float], float], step: float = 1.0) -> None:
        """Add a counter whose rate per second is given by the minute."""
        total = 1000.0

        def grown(minute: float) -> float:
            nonlocal total
            total += rate(minute) * step * 60
            return total

        self.series(metric, labels, grown, step)

    def say(self, minute: float, user: str, text: str, channel: str = "incidents") -> None:
        """Add a Slack message."""
        at = self.at(minute)
        self.messages[channel, at.strftime("%Y-%m-%d")].append(
            {"type": "message", "user": user, "ts": f"{at.timestamp():.6f}", "text": text}
        )

    # -- writing

    def write(self, folder: Path, layout: str = "kubectl") -> Path:
        """Write the export in one of three layouts: ``kubectl``, ``dump`` (cluster-info dump) or ``loki``."""
        if layout == "loki":
            self._write_loki(folder / "loki")
        else:
            self._write_logs(folder if layout == "dump" else folder / "kubernetes", layout)
        self._write_objects(folder if layout == "dump" else folder / "kubernetes", layout)
        for metric, result in self.samples.items():
            body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
            _put(folder / "prometheus" / f"{metric}.json", json.dumps(body))
        if self.messages:
            users = sorted({m["user"] for found in self.messages.values() for m in found})
            _put(folder / "slack" / "users.json", json.dumps([_user(u) for u in users]))
            names = sorted({channel for channel, _ in self.messages})
            _put(folder / "slack" / "channels.json", json.dumps([_channel(n) for n in names]))
            for (channel, day), found in self.messages.items():
                _put(folder / "slack" / channel / f"{day}.json", json.dumps(sorted(found, key=lambda m: m["ts"])))
        return folder

    def _write_logs(self, root: Path, layout: str) -> None:
        for (namespace, pod, container, previous), found in self.lines.items():
            written = [f"{self.at(m).strftime('%Y-%m-%dT%H:%M:%S.%f')}123Z {line}" for m, line in sorted(found)]
            if layout == "dump":
                header = f"==== START logs for container {container} of pod {namespace}/{pod} ===="
                footer = f"==== END logs for container {container} of pod {namespace}/{pod} ===="
                bare = [line for _, line in sorted(found)]  # cluster-info dump gives no kubectl timestamps
                _put(root / namespace / pod / "logs.txt", "\n".join([header, *bare, footer, ""]))
            else:
                suffix = ".previous.log" if previous else ".log"
                _put(root / namespace / pod / f"{container}{suffix}", "\n".join([*written, ""]))

    def _write_loki(self, root: Path) -> None:
        streams = []
        for (namespace, pod, container, _), found in self.lines.items():
            labels = {"namespace": namespace, "pod": pod, "container": container, "app": pod.rsplit("-", 2)[0]}
            values = [[f"{int(self.at(m).timestamp() * 1e6)}000", line] for m, line in sorted(found)]
            streams.append({"stream": labels, "values": values})
        if streams:
            body = {"status": "success", "data": {"resultType": "streams", "result": streams}}
            _put(root / "query.json", json.dumps(body))

    def _write_objects(self, root: Path, layout: str) -> None:
        by_namespace = defaultdict(list)
        for event in self.events:
            by_namespace[event["metadata"]["namespace"]].append(event)
        for namespace, events in by_namespace.items():
            _put(root / namespace / "events.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": events}))
        for (namespace, kind), found in self.objects.items():
            listed = {"apiVersion": "v1", "kind": "List", "items": found}
            _put(root / namespace / f"{kind.lower()}s.json", json.dumps(listed, indent=4 if layout == "dump" else None))


def _user(name: str) -> dict:
    return {
        "id": name,
        "team_id": "T1",
        "name": name.lower(),
        "deleted": False,
        "is_bot": False,
        "profile": {"real_name": name.title()},
    }


def _channel(name: str) -> dict:
    return {
        "id": f"C{name.upper()}",
        "name": name,
        "created": 1700000000,
        "creator": "UANA",
        "is_archived": False,
        "members": [],
    }


def _owner(kind: str, name: str) -> dict:
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": name, "controller": True}


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """An incident and what a good reader may say of it.

    ``roots`` are right; ``shallow`` ones are true but stop short of the origin; empty ``roots`` mean that there is no
    cause to find, and ``verdicts`` which verdicts are honest. ``hard`` ones may stay inconclusive. ``amiss`` ones are
    judged wrongly so far: expected failures, to be unmarked by who mends them.
    """

    name: str
    build: Callable[[Path], Path]
    question: str | None
    roots: frozenset[str] = frozenset()
    shallow: frozenset[str] = frozenset()
    verdicts: frozenset[str] = frozenset({"cause_found"})
    hard: bool = False
    amiss: bool = False
    full: bool = False


def day(number: int, hour: int = 0, minute: int = 0) -> datetime:
    """Give a time in March 2026."""
    return datetime(2026, 3, number, hour, minute, tzinfo=UTC)
