"""Prints the cluster's end state as ``kubectl get -o json`` does: pods, workloads, autoscalers, jobs, nodes, services.

Leaves out what no reader of an incident would look at; some objects carry ``managedFields``, as real ones do.
"""

from collections.abc import Sequence
from typing import Any

from bot.evals.controllers import CronJob, Hpa
from bot.evals.export import stamp
from bot.evals.randomness import dice
from bot.evals.workloads import Pod, Workload
from bot.evals.world import World

Json = dict[str, Any]


def write(world: World, documents: Sequence[tuple[str | None, str, list[Json]]]) -> None:
    """Write every object of the end state, and ``(namespace, plural, items)`` that the scenario brings."""
    _Printer(world).write(documents)


class _Printer:
    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = dice(world.key, "objects")

    def write(self, documents: Sequence[tuple[str | None, str, list[Json]]]) -> None:
        world, names, put = self.world, self.world.cast, self.world.export.objects
        every = sorted(world.cluster.workloads.values(), key=lambda w: w.name)
        app, batch = names.app, names.batch
        put(None, "nodes", [self.node(i) for i in range(len(world.cluster.nodes))])
        brought = {kind: items for where, kind, items in documents if where == app}
        self.workloads(app, [w for w in every if w.namespace == app])
        put(app, "ingresses", [self.ingress()])
        put(app, "horizontalpodautoscalers", [self.hpa(h) for h in world.hpas])
        put(app, "configmaps", [self.configmap(), *brought.pop("configmaps", [])])
        for namespace in sorted({w.namespace for w in every} - {app}):
            self.workloads(namespace, [w for w in every if w.namespace == namespace])
        for kind, items in sorted(brought.items()):
            put(app, kind, items)
        for where, kind, items in documents:
            if where != app:
                put(where, kind, items)
        crons = sorted(world.crons, key=lambda c: c.name)
        for namespace in sorted({app, batch}):
            mine = [c for c in crons if c.namespace == namespace]
            if mine:
                put(namespace, "cronjobs", [self.cronjob(c) for c in mine])
                put(namespace, "jobs", [job for c in mine for job in self.jobs(c)])

    def workloads(self, namespace: str, workloads: list[Workload]) -> None:
        put, deployments = self.world.export.objects, [w for w in workloads if w.kind == "Deployment"]
        pods = [self.pod(w, p) for w in workloads for p in sorted(w.pods, key=lambda p: p.name)]
        gone = [self.failed_pod(w, *left) for w in workloads for left in w.failed_pods]
        put(namespace, "pods", pods + gone)
        put(namespace, "deployments", [self.deployment(w) for w in deployments])
        put(namespace, "replicasets", [rs for w in deployments for rs in self.replicasets(w)])
        put(namespace, "statefulsets", [self.deployment(w) for w in workloads if w.kind == "StatefulSet"])
        put(namespace, "services", [self.service(w) for w in workloads])

    def failed_pod(self, w: Workload, p: Pod, _since: float, reason: str, message: str) -> Json:
        meta = self.meta("Pod", p.name, w.namespace, p.created_at, {**self.labels(w), "pod-template-hash": w.hash})
        meta["ownerReferences"] = [self.owner("apps/v1", "ReplicaSet", f"{w.name}-{w.hash}")]
        return {
            "apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {**self.template(w), "nodeName": p.node.name},
            "status": {"message": message, "phase": "Failed", "reason": reason, "startTime": stamp(p.created_at)},
        }  # fmt: skip

    def meta(self, kind: str, name: str, namespace: str | None, created: float, labels: Json | None = None) -> Json:
        body: Json = {
            "creationTimestamp": stamp(created), "name": name, "resourceVersion": str(self.rng.randrange(10**7, 10**8)),
            "uid": self.world.cluster.uid(kind, name),
        }  # fmt: skip
        if namespace:
            body["namespace"] = namespace
        if labels:
            body["labels"] = labels
        if kind in {"Deployment", "HorizontalPodAutoscaler"} and self.rng.random() < 0.4:
            body["managedFields"] = [
                {"apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {}}}},
                 "manager": self.rng.choice(("helm", "argocd-controller", "kubectl-client-side-apply")), "operation": "Update", "time": stamp(created)}
            ]  # fmt: skip
        return body

    def template(self, w: Workload) -> Json:
        container: Json = {
            "image": f"{w.image}:{w.tag}", "imagePullPolicy": "IfNotPresent", "name": w.app,
            "ports": [{"containerPort": w.port, "protocol": "TCP"}],
            "resources": {
                "limits": {"memory": f"{w.memory_limit_mb}Mi"},
                "requests": {"cpu": f"{int(w.cpu_request * 1000)}m", "memory": f"{w.memory_request_mb}Mi"},
            },
        }  # fmt: skip
        env = {
            call.host.upper().replace("-", "_").replace(".", "_"): call.host for call in w.calls if "." in call.host
        } | w.env
        if env:
            container["env"] = [{"name": key, "value": value} for key, value in sorted(env.items())]
        if w.probe and w.style not in {"postgres", "raw"}:
            container["readinessProbe"] = {
                "failureThreshold": 3, "httpGet": {"path": "/healthz", "port": w.port, "scheme": "HTTP"}, "periodSeconds": 5,
                "successThreshold": 1, "timeoutSeconds": 2,
            }  # fmt: skip
        if w.cpu_limit is not None:
            container["resources"]["limits"]["cpu"] = f"{int(w.cpu_limit * 1000)}m"
        return {
            "containers": [container | w.container_spec],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": int(w.grace_s),
            "dnsPolicy": "ClusterFirst",
        } | w.pod_spec

    def labels(self, w: Workload) -> Json:
        return {"app.kubernetes.io/name": w.name, "app": w.name}

    def deployment(self, w: Workload) -> Json:
        created = self.world.start - 86400 * (60 + len(w.name))
        ready = len(w.ready(self.world.end))
        status: Json = {
            "observedGeneration": w.revision + 3,
            "replicas": w.replicas,
            "readyReplicas": ready,
            "updatedReplicas": w.replicas,
        }
        spec: Json = {
            "replicas": w.replicas, "revisionHistoryLimit": 10, "selector": {"matchLabels": {"app": w.name}},
            "template": {"metadata": {"labels": self.labels(w), "annotations": w.annotations}, "spec": self.template(w)},
        }  # fmt: skip
        if w.kind == "Deployment":
            spec["strategy"] = w.strategy or {
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
                "type": "RollingUpdate",
            }
            status["availableReplicas"] = ready
            status["conditions"] = [
                {"lastTransitionTime": stamp(created), "message": "Deployment has minimum availability.", "reason": "MinimumReplicasAvailable", "status": "True", "type": "Available"}
            ]  # fmt: skip
        else:
            spec["serviceName"] = w.name
        meta = self.meta(w.kind, w.name, w.namespace, created, self.labels(w))
        meta["annotations"] = {"deployment.kubernetes.io/revision": str(w.revision)} | w.annotations
        meta["generation"] = w.revision + 3
        return {"apiVersion": "apps/v1", "kind": w.kind, "metadata": meta, "spec": spec, "status": status}

    def replicasets(self, w: Workload) -> list[Json]:
        revisions = [(h, r, tag, 0) for h, r, tag, _ in w.old_hashes] + [(w.hash, w.revision, w.tag, w.replicas)]
        births = [self.world.start - 86400 * 9, *(at for _, _, _, at in w.old_hashes)]
        return [self.replicaset(w, h, r, tag, n, born) for (h, r, tag, n), born in zip(revisions, births, strict=True)]

    def replicaset(self, w: Workload, hashed: str, revision: int, tag: str, count: int, born: float) -> Json:
        labels = {**self.labels(w), "pod-template-hash": hashed}
        meta = self.meta("ReplicaSet", f"{w.name}-{hashed}", w.namespace, born, labels)
        meta["annotations"] = {"deployment.kubernetes.io/revision": str(revision)}
        meta["ownerReferences"] = [self.owner("apps/v1", "Deployment", w.name)]
        env, annotations, cpu_limit = w.templates.get(hashed, ({}, {}, None))
        container: Json = {"image": f"{w.image}:{tag}", "name": w.app}
        if env:
            container["env"] = [{"name": key, "value": value} for key, value in sorted(env.items())]
        if cpu_limit is not None:
            container["resources"] = {"limits": {"cpu": f"{int(cpu_limit * 1000)}m"}}
        template = {"metadata": {"labels": labels, "annotations": annotations}, "spec": {"containers": [container]}}
        return {
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta,
            "spec": {"replicas": count, "selector": {"matchLabels": labels}, "template": template},
            "status": {"replicas": count, "readyReplicas": count},
        }  # fmt: skip

    def owner(self, api: str, kind: str, name: str) -> Json:
        return {
            "apiVersion": api,
            "blockOwnerDeletion": True,
            "controller": True,
            "kind": kind,
            "name": name,
            "uid": self.world.cluster.uid(kind, name),
        }

    def pod(self, w: Workload, p: Pod) -> Json:
        meta = self.meta("Pod", p.name, w.namespace, p.created_at, {**self.labels(w), "pod-template-hash": w.hash})
        owner = ("ReplicaSet", f"{w.name}-{w.hash}") if w.kind == "Deployment" else (w.kind, w.name)
        meta["ownerReferences"] = [self.owner("apps/v1", *owner)]
        running: Json = {"running": {"startedAt": stamp(p.started_at)}}
        if p.waiting:
            running = {"waiting": {"reason": p.waiting}}
        elif p.died_at is not None:
            running = {
                "waiting": {"message": f"back-off restarting failed container {w.app}", "reason": "CrashLoopBackOff"}
            }
        state: Json = {
            "containerID": f"containerd://{self.rng.hex(64)}", "image": f"{w.image}:{w.tag}", "name": w.app, "ready": p.died_at is None,
            "restartCount": p.restarts, "started": p.died_at is None, "state": running, "lastState": {},
        }  # fmt: skip
        if p.last_state:
            last = p.last_state
            state["lastState"] = {
                "terminated": {
                    "containerID": f"containerd://{last['container']}", "exitCode": last["exit_code"], "finishedAt": stamp(last["at"]),
                    "reason": last["reason"], "startedAt": stamp(last["started"]),
                }
            }  # fmt: skip
        conditions = self.pod_conditions(p)
        return {
            "apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {**self.template(w), "nodeName": p.node.name},
            "status": {
                "conditions": conditions, "containerStatuses": [state], "hostIP": p.node.ip, "phase": "Running", "podIP": p.ip,
                "qosClass": "Burstable", "startTime": stamp(p.created_at),
            },
        }  # fmt: skip

    def pod_conditions(self, p: Pod) -> list[Json]:
        """Print a pod's conditions as Kubernetes 1.31 keeps them (kubelet, ``PodReadyToStartContainers`` since 1.29)."""
        placed = "False" if p.waiting == "Pending" else "True"
        good = "True" if p.died_at is None else "False"
        ready = stamp(min(p.ready_at, self.world.end))
        rows = [("PodScheduled", placed, stamp(p.scheduled_at))]
        if placed == "True":
            begun = (
                ("PodReadyToStartContainers", "True", stamp(p.scheduled_at + 1)),
                ("Initialized", "True", stamp(p.scheduled_at)),
            )
            rows = [*begun, ("Ready", good, ready), ("ContainersReady", good, ready), *rows]
        why = {"reason": "Unschedulable"} if placed == "False" else {}
        return [{"lastTransitionTime": at, "status": status, "type": kind, **why} for kind, status, at in rows]

    def hpa(self, h: Hpa) -> Json:
        w = h.workload
        meta = self.meta("HorizontalPodAutoscaler", w.name, w.namespace, self.world.start - 86400 * 80)
        up = {
            "policies": [{"periodSeconds": 15, "type": "Pods", "value": h.up_pods}, {"periodSeconds": 15, "type": "Percent", "value": h.up_percent}],
            "selectPolicy": "Max", "stabilizationWindowSeconds": int(h.up_window_s),
        }  # fmt: skip
        down = {
            "policies": [{"periodSeconds": 15, "type": "Percent", "value": 100}],
            "selectPolicy": "Max",
            "stabilizationWindowSeconds": int(h.down_window_s),
        }
        metric: Json = {
            "resource": {"name": "cpu", "target": {"averageUtilization": round(h.target * 100), "type": "Utilization"}},
            "type": "Resource",
        }
        current: Json = {
            "resource": {"current": {"averageUtilization": round(h.smooth * 100)}, "name": "cpu"},
            "type": "Resource",
        }
        status: Json = {"currentMetrics": [current], "currentReplicas": w.replicas, "desiredReplicas": w.replicas}
        if h.last_scale is not None:
            status["lastScaleTime"] = stamp(h.last_scale)
        status["conditions"] = [
            {"lastTransitionTime": meta["creationTimestamp"], "message": "recommended size matches current size", "reason": "ReadyForNewScale", "status": "True", "type": "AbleToScale"}
        ]  # fmt: skip
        spec = {
            "behavior": {"scaleDown": down, "scaleUp": up}, "maxReplicas": h.high, "metrics": [metric], "minReplicas": h.low,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": w.name},
        }  # fmt: skip
        return {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": meta,
            "spec": spec,
            "status": status,
        }

    def job_spec(self, c: CronJob) -> Json:
        container = {
            "image": c.image,
            "name": c.container or c.name,
            "resources": {"requests": {"cpu": "500m", "memory": f"{c.memory_mb}Mi"}},
        }
        pod = {"containers": [container], "restartPolicy": "Never"}
        return {
            "backoffLimit": 0,
            "completions": c.parallelism,
            "parallelism": c.parallelism,
            "template": {"spec": pod},
        }

    def cronjob(self, c: CronJob) -> Json:
        meta = self.meta("CronJob", c.name, c.namespace, self.world.start - 86400 * 120)
        status: Json = {}
        if c.runs:
            status["lastScheduleTime"] = stamp(c.runs[-1].scheduled_at)
            ended = [r.ended_at for r in c.runs if r.ended_at and r.ended_at < self.world.end and not r.failed]
            if ended:
                status["lastSuccessfulTime"] = stamp(max(ended))
        spec = {
            "concurrencyPolicy": "Forbid", "failedJobsHistoryLimit": 1, "jobTemplate": {"spec": self.job_spec(c)}, "schedule": c.schedule,
            "successfulJobsHistoryLimit": c.keep, "suspend": False,
        }  # fmt: skip
        return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": spec, "status": status}

    def jobs(self, c: CronJob) -> list[Json]:
        found = []
        for run in c.runs[-c.keep :]:
            meta = self.meta("Job", run.name, c.namespace, run.started_at)
            meta["ownerReferences"] = [self.owner("batch/v1", "CronJob", c.name)]
            status: Json = {"startTime": stamp(run.started_at), "active": c.parallelism}
            if run.ended_at and run.ended_at < self.world.end:
                kind = "Failed" if run.failed else "Complete"
                done = {"lastTransitionTime": stamp(run.ended_at + 1), "status": "True", "type": kind}
                status = {
                    "startTime": stamp(run.started_at),
                    "completionTime": stamp(run.ended_at + 1),
                    "conditions": [done],
                    "succeeded": c.parallelism,
                }
                if run.failed:
                    status = {"startTime": stamp(run.started_at), "conditions": [done], "failed": 1}
            found.append(
                {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": self.job_spec(c), "status": status}
            )
        return found

    def service(self, w: Workload) -> Json:
        meta = self.meta("Service", w.name, w.namespace, self.world.start - 86400 * 130, self.labels(w))
        port = {"port": w.port, "protocol": "TCP", "targetPort": w.port}
        spec = {
            "clusterIP": f"172.20.{self.rng.randrange(250)}.{self.rng.randrange(4, 250)}",
            "ports": [port],
            "selector": {"app": w.name},
            "type": "ClusterIP",
        }
        return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec, "status": {"loadBalancer": {}}}

    def ingress(self) -> Json:
        edge, names = self.world.edge, self.world.cast
        meta = self.meta("Ingress", edge.name, names.app, self.world.start - 86400 * 130)
        backend = {"service": {"name": edge.name, "port": {"number": edge.port}}}
        rule = {
            "host": f"api.{names.company}.example",
            "http": {"paths": [{"backend": backend, "path": "/", "pathType": "Prefix"}]},
        }
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": meta,
            "spec": {"ingressClassName": "public", "rules": [rule]},
            "status": {"loadBalancer": {}},
        }

    def configmap(self) -> Json:
        names = self.world.cast
        meta = self.meta("ConfigMap", f"{names.edge}-routes", names.app, self.world.start - 86400 * 40)
        lines = [
            f"{route.op.split(' ')[1].split('{')[0]} -> {route.service.name}:{route.service.port}"
            for route in self.world.routes
        ]
        return {
            "apiVersion": "v1",
            "data": {"routes.conf": "\n".join(dict.fromkeys(lines)) + "\n"},
            "kind": "ConfigMap",
            "metadata": meta,
        }

    def node(self, index: int) -> Json:
        node = self.world.cluster.nodes[index]
        meta = self.meta(
            "Node",
            node.name,
            None,
            self.world.start - 86400 * 50,
            {"topology.kubernetes.io/zone": node.zone, "kubernetes.io/hostname": node.name},
        )
        size = {"cpu": f"{node.cores:g}", "memory": f"{node.memory_gb * 1024 * 1024}Ki", "pods": "110"}
        kinds = (
            ("MemoryPressure", "False", "KubeletHasSufficientMemory"),
            ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
            ("Ready", "True", "KubeletReady"),
        )
        conditions = [
            {"lastHeartbeatTime": stamp(self.world.end - 60), "lastTransitionTime": stamp(node.ready_since) if node.ready_since and kind == "Ready" else meta["creationTimestamp"], "reason": reason, "status": status, "type": kind}
            for kind, status, reason in kinds if kind not in node.conditions
        ]  # fmt: skip
        conditions += [
            {"lastHeartbeatTime": stamp(self.world.end - 60), "lastTransitionTime": stamp(since), "reason": reason, "status": "Unknown" if kind == "Ready" else "True", "type": kind}
            for kind, (since, reason) in node.conditions.items()
        ]  # fmt: skip
        address = [{"address": node.ip, "type": "InternalIP"}, {"address": node.name, "type": "Hostname"}]
        return {
            "apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {"podCIDR": f"10.{40 + index}.0.0/24"},
            "status": {"addresses": address, "allocatable": size, "capacity": size, "conditions": conditions, "nodeInfo": {"kubeletVersion": "v1.31.4"}},
        }  # fmt: skip
