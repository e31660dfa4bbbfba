"""A cluster's reader for the server of faults: how to make it for an address, and what a good answer is."""

import atexit
import json
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fault_server import answer
from kube_api import written_kubeconfig

from bot.cluster.access import ClusterAccess
from bot.domain.window import Window
from bot.sources.kubernetes import KubernetesSource

END = datetime(2026, 11, 22, 1, tzinfo=UTC)
WINDOW = Window(start=END - timedelta(hours=1), end=END, asked="1h")


def kubernetes_source(url, deadline_s):
    """Make a reader of a cluster at this address."""
    folder = Path(tempfile.mkdtemp(prefix="rootcause-kubeconfig-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    access = ClusterAccess(kubeconfig=written_kubeconfig(folder, url))
    return KubernetesSource(access=access, window=WINDOW, deadline_s=deadline_s)


def cluster_reply(request):
    """Answer as a cluster with one namespace."""
    items = [{"metadata": {"name": "web"}}] if "/namespaces?" in request else []
    kind = "PartialObjectMetadataList" if "/configmaps?" in request else "List"
    return answer(json.dumps({"kind": kind, "metadata": {"resourceVersion": "1"}, "items": items}))
