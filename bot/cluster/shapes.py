"""Which fields of a delivery tool's object may be kept: what was put where and when, never the values it was put with.

Values of a chart, parameters and substitutions may be secrets, and they stand in the history too. What is named here was read
off the tools' own types: argoproj/argo-cd ``pkg/apis/application/v1alpha1/types.go``, fluxcd/helm-controller ``api/v2`` and
fluxcd/kustomize-controller ``api/v1``.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

Shape: TypeAlias = "Mapping[str, Shape | None]"
"""The keys that are kept; None: with all that lies below. A list's elements each have its shape."""


def _all(*names: str) -> dict[str, None]:
    return dict.fromkeys(names)


_SOURCE: Shape = _all("repoURL", "path", "chart", "targetRevision", "ref")
_APPLICATION: Shape = {
    "spec": {**_all("project", "destination"), "source": _SOURCE, "sources": _SOURCE},
    "status": {
        **_all("health", "conditions", "reconciledAt"),
        "sync": _all("status", "revision", "revisions"),
        "history": {
            **_all("id", "revision", "revisions", "deployedAt", "deployStartedAt", "initiatedBy"),
            "source": _SOURCE,
            "sources": _SOURCE,
        },
        "resources": _all("group", "kind", "namespace", "name", "status", "health"),
        "operationState": {
            **_all("phase", "message", "startedAt", "finishedAt", "retryCount"),
            "operation": _all("initiatedBy"),
            "syncResult": _all("revision", "revisions"),
        },
    },
}
_HELM_RELEASE: Shape = {
    "spec": _all("chart", "chartRef", "releaseName", "targetNamespace", "storageNamespace", "suspend", "interval"),
    "status": None,
}
_KUSTOMIZATION: Shape = {
    "spec": _all("path", "sourceRef", "targetNamespace", "suspend", "interval", "prune", "dependsOn"),
    "status": None,
}
SHAPES: Mapping[str, Shape] = {
    "argoproj.io": _APPLICATION,
    "helm.toolkit.fluxcd.io": _HELM_RELEASE,
    "kustomize.toolkit.fluxcd.io": _KUSTOMIZATION,
}
"""By API group; of each group one kind is read."""

_USER = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]{1,15}://)[^/@\s]{1,256}@")


def shaped(value: Any, shape: "Shape | None") -> Any:  # noqa: ANN401 - a JSON value
    """Keep of a value what its shape names; an address loses who it is for."""
    if isinstance(value, list):
        return [shaped(each, shape) for each in value]
    if isinstance(value, dict):
        if shape is None:
            return {key: shaped(each, None) for key, each in value.items()}
        return {key: shaped(value[key], below) for key, below in shape.items() if key in value}
    return _USER.sub(r"\g<scheme>", value) if isinstance(value, str) else value
