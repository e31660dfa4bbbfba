"""How a cluster is reached: a pod's service account, or a context of a kubeconfig. The client's own retries are off."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cluster.refusals import UntoldError

if TYPE_CHECKING:  # importing the client takes most of a second, and most commands ask no cluster
    from kubernetes.aio.client.api_client import ApiClient

CONNECTIONS = 16
"""Open connections to one API server at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAccess:
    """One cluster. ``in_cluster`` takes the pod's service account; else ``kubeconfig`` (default: kubectl's) and ``context``."""

    name: str = ""
    """What the cluster is called where several are read; it stands before the names of what was read from it"""
    in_cluster: bool = False
    kubeconfig: Path | None = None
    context: str | None = None

    @property
    def title(self) -> str:
        """Name the cluster to a person."""
        return self.name or self.context or "the cluster"


async def connected(access: ClusterAccess, connections: int = CONNECTIONS) -> "ApiClient":
    """Make a client from a running event loop; whoever asked closes it. Raises UntoldError where the way is not known."""
    from kubernetes.aio.client.api_client import ApiClient  # noqa: PLC0415 - most of a second, for who asks a cluster
    from kubernetes.aio.client.configuration import Configuration  # noqa: PLC0415 - see above
    from kubernetes.aio.config.config_exception import ConfigException  # noqa: PLC0415 - see above
    from kubernetes.aio.config.incluster_config import load_incluster_config  # noqa: PLC0415 - see above
    from kubernetes.aio.config.kube_config import load_kube_config  # noqa: PLC0415 - see above

    told = Configuration()
    told.retries = None  # they sleep as long as a server says, whatever the deadline
    told.connection_pool_maxsize = connections
    try:
        if access.in_cluster:
            load_incluster_config(told)  # type: ignore[no-untyped-call]  # the library is not typed here
        else:
            file = str(access.kubeconfig.expanduser()) if access.kubeconfig else None
            await load_kube_config(  # type: ignore[no-untyped-call]  # the library is not typed here
                file, access.context, told, persist_config=False
            )
    except ConfigException as error:
        where = "the service account" if access.in_cluster else "the kubeconfig"
        raise UntoldError(f"{where} does not say how to reach the cluster: {str(error)[:160]}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UntoldError(f"the kubeconfig could not be read ({type(error).__name__})") from error
    try:
        return ApiClient(told)
    except OSError as error:
        raise UntoldError(f"the cluster's certificates could not be read ({type(error).__name__})") from error
