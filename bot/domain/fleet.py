"""Several clusters in one case: a cluster's name stands before its namespaces and before what lives in none.

``east/shop`` is namespace ``shop`` of cluster ``east``. Kubernetes allows no ``/`` in either, so nothing is taken for it.
"""

SEPARATOR = "/"


def inside(cluster: str, name: str) -> str:
    """Name a namespace or a node of a cluster."""
    return f"{cluster}{SEPARATOR}{name}"


def cluster_of(name: str | None) -> str | None:
    """Give the cluster a namespace or node is of; None where the case holds one cluster only."""
    cluster, found, _ = (name or "").partition(SEPARATOR)
    return cluster if found else None


def as_flags(namespace: str | None) -> str:
    """Write a namespace as ``kubectl`` takes it; a cluster's name is taken for that of its context."""
    cluster = cluster_of(namespace)
    if cluster is None:
        return f"-n {namespace}"
    return f"--context {cluster} -n {(namespace or '').partition(SEPARATOR)[2]}"
