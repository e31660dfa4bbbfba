"""What is read of a cluster, where it lies in the API, and the rule that allows it."""

from dataclasses import dataclass
from typing import Literal

Read = Literal["whole", "names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of the API. ``read``: "names" asks for the metadata alone, so that the rest never leaves the server."""

    kind: str
    group: str
    version: str
    plural: str
    namespaced: bool = True
    read: Read = "whole"

    @property
    def api_version(self) -> str:
        """Spell group and version as manifests do."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Give the path of the collection, in one namespace or in all, or of one object."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        where = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{root}{where}/{self.plural}" + (f"/{name}" if name else "")

    def rule(self, *verbs: str) -> str:
        """Spell the RBAC rule that allows the verbs."""
        return f'apiGroups: ["{self.group}"], resources: ["{self.plural}"], verbs: [{", ".join(verbs)}]'


def _core(kind: str, plural: str, *, namespaced: bool = True, read: Read = "whole") -> Resource:
    return Resource(kind=kind, group="", version="v1", plural=plural, namespaced=namespaced, read=read)


def _grouped(group: str, version: str, **kinds: str) -> tuple[Resource, ...]:
    return tuple(Resource(kind=kind, group=group, version=version, plural=plural) for kind, plural in kinds.items())


NAMESPACES = _core("Namespace", "namespaces", namespaced=False)
NODES = _core("Node", "nodes", namespaced=False)
PODS = _core("Pod", "pods")
EVENTS = _core("Event", "events")
GROUPED_EVENTS = Resource(kind="Event", group="events.k8s.io", version="v1", plural="events")
"""The same events under their newer name; asked for where the old one is forbidden or not served."""
INSTEAD = {EVENTS: GROUPED_EVENTS}
"""What tells the same, where the one may not be read."""
LOGS = _core("Pod", "pods/log")
CONFIG_MAPS = _core("ConfigMap", "configmaps", read="names")
RELEASES = _core("Secret", "secrets", read="names")
"""Helm's releases: their names and labels tell what was put where and when. Asked for only where a person said so."""
JOBS, CRON_JOBS = _grouped("batch", "v1", Job="jobs", CronJob="cronjobs")
DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, REVISIONS = _grouped(
    "apps",
    "v1",
    Deployment="deployments",
    ReplicaSet="replicasets",
    StatefulSet="statefulsets",
    DaemonSet="daemonsets",
    ControllerRevision="controllerrevisions",
)
(AUTOSCALERS,) = _grouped("autoscaling", "v2", HorizontalPodAutoscaler="horizontalpodautoscalers")
(BUDGETS,) = _grouped("policy", "v1", PodDisruptionBudget="poddisruptionbudgets")
(INGRESSES,) = _grouped("networking.k8s.io", "v1", Ingress="ingresses")
DELIVERED = (
    Resource(kind="Application", group="argoproj.io", version="v1alpha1", plural="applications"),
    Resource(kind="HelmRelease", group="helm.toolkit.fluxcd.io", version="v2", plural="helmreleases"),
    Resource(kind="Kustomization", group="kustomize.toolkit.fluxcd.io", version="v1", plural="kustomizations"),
)
"""What Argo CD and Flux keep of their deploys; asked for where the cluster knows them."""
SERVICES, QUOTAS = _core("Service", "services"), _core("ResourceQuota", "resourcequotas")

OBJECTS = (
    PODS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, REVISIONS, AUTOSCALERS, JOBS, CRON_JOBS, BUDGETS, QUOTAS,
    INGRESSES, SERVICES, CONFIG_MAPS,
)  # fmt: skip
"""Read of each namespace in scope, pods first: they say whose logs there are. Never Secrets."""

WATCHED = (
    PODS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, AUTOSCALERS, JOBS, CRON_JOBS, NODES, EVENTS,
)  # fmt: skip
"""What the recorder watches."""
