"""A real kube-apiserver over a real etcd, on loopback, with rights that are checked, and a kubelet that has logs.

Nothing runs pods here: what controllers would make is put in by the administrator, as the tests need it.
"""

import json
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from live.metric_servers import free_port, process_waits
from loopback import Loopback

ROOT = Path(__file__).parents[2]
ADMIN = "admin-token"
USERS = ("rootcause-bot", "rootcause-recorder", "newer-events", "nobody")
"""Who may ask, each by a token of the own name; rights are what a test gives."""
UNCHECKED = ssl._create_unverified_context()
PLURALS = {
    "Namespace": "namespaces", "Pod": "pods", "Event": "events", "ConfigMap": "configmaps", "Secret": "secrets",
    "Node": "nodes", "Deployment": "deployments", "ReplicaSet": "replicasets", "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings", "CustomResourceDefinition": "customresourcedefinitions",
    "Application": "applications", "ControllerRevision": "controllerrevisions", "ServiceAccount": "serviceaccounts",
    "NetworkPolicy": "networkpolicies", "PersistentVolumeClaim": "persistentvolumeclaims", "Service": "services",
}  # fmt: skip
CLUSTERED = {"Namespace", "Node", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}


class Kubelet(Loopback):
    """Hands out logs as a kubelet does; ``logs`` by namespace, pod and container."""

    def __init__(self, certificate, key):
        super().__init__()
        self.logs = {}
        self.asked = []
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate, key)

    async def serve(self):
        """Answer until it is over."""
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._log)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.ready(site._server)
        await self.over.wait()
        await runner.cleanup()

    async def _log(self, request):
        self.asked.append(dict(request.query))
        log = self.logs[tuple(request.match_info[name] for name in ("namespace", "pod", "container"))]
        since = request.query.get("sinceTime", "")[:19].encode()
        answer = web.Response(body=b"".join(line for line in log.splitlines(keepends=True) if line[:19] >= since))
        answer.force_close()  # what is kept alive would outlive the event loop
        return answer


class ApiServer:
    """One that runs; ``put`` creates as its administrator."""

    def __init__(self, url, store, folder):
        self.url = url
        self.folder = folder
        self._store = store

    def put(self, *items):
        """Create objects, the status of nodes and pods included."""
        for item in items:
            self.ask(self._path(item), item)
            if item["kind"] in {"Node", "Pod"} and "status" in item:
                self.become(item)
        return self

    def become(self, item):
        """Change an object's status, as its controller does."""
        path, told = self._path(item), json.dumps({"status": item["status"]}).encode()
        self.ask(f"{path}/{item['metadata']['name']}/status", told, "PATCH", "application/merge-patch+json")

    def drop(self, item):
        """Delete an object at once."""
        self.ask(f"{self._path(item)}/{item['metadata']['name']}?gracePeriodSeconds=0", method="DELETE")

    def compact(self):
        """Let the store forget what came before now: https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/."""

        def told(path, body):
            with urllib.request.urlopen(f"{self._store}/v3/kv/{path}", json.dumps(body).encode(), timeout=30) as answer:
                return json.load(answer)

        told("compaction", {"revision": told("range", {"key": "AA=="})["header"]["revision"]})

    def ask(self, path, body=None, method=None, kind="application/json"):
        """Ask as the administrator."""
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": kind}
        request = urllib.request.Request(self.url + path, data=sent, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30, context=UNCHECKED) as answer:
            return json.load(answer)

    def kubeconfig(self, folder, token=USERS[0]):
        """Write a kubeconfig that leads here."""
        folder.mkdir(parents=True, exist_ok=True)
        told = {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "c", "cluster": {"server": self.url, "insecure-skip-tls-verify": True}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
        }  # fmt: skip
        (folder / "kubeconfig").write_text(yaml.safe_dump(told))
        return folder / "kubeconfig"

    @staticmethod
    def _path(item):
        version, namespace = item["apiVersion"], item["metadata"].get("namespace")
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        where = "" if item["kind"] in CLUSTERED else f"/namespaces/{namespace}"
        return f"{root}{where}/{PLURALS[item['kind']]}"


def binary():
    """Find it, or skip the test."""
    built = ROOT / ".cache" / "live" / "kube-apiserver"
    found = shutil.which("kube-apiserver") or (str(built) if built.is_file() else None)
    if found is None or shutil.which("etcd") is None:
        pytest.skip("no kube-apiserver and etcd here: sh tests/live/build_apiserver.sh")
    return found


@contextmanager
def api_server(folder, *more):
    """Run etcd and an API server that checks rights by RBAC; nobody but its administrator has any until some are given."""
    server, store, peers, port = binary(), free_port(), free_port(), free_port()
    told = [f'{ADMIN},admin,admin,"system:masters"', *(f"{each},{each},{each}" for each in USERS)]
    (folder / "tokens.csv").write_text("\n".join(told))
    key = folder / "accounts.pem"
    made = ["openssl", "genpkey", "-algorithm", "RSA", "-out", str(key)]
    subprocess.run(made, check=True, capture_output=True)
    etcd = [
        "etcd", f"--data-dir={folder / 'etcd'}", f"--listen-client-urls=http://127.0.0.1:{store}",
        f"--advertise-client-urls=http://127.0.0.1:{store}", f"--listen-peer-urls=http://127.0.0.1:{peers}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peers}", f"--initial-cluster=default=http://127.0.0.1:{peers}",
    ]  # fmt: skip
    command = [
        server, f"--etcd-servers=http://127.0.0.1:{store}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
        f"--secure-port={port}", f"--cert-dir={folder / 'certificates'}", "--service-cluster-ip-range=10.0.0.0/24",
        f"--token-auth-file={folder / 'tokens.csv'}", "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount",
        "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-signing-key-file={key}",
        f"--service-account-key-file={key}", "--kubelet-preferred-address-types=InternalIP", *more,
    ]  # fmt: skip
    with ExitStack() as stack:
        for each in (etcd, command):
            log = stack.enter_context((folder / f"{Path(each[0]).name}.log").open("w"))
            process = subprocess.Popen(each, stdout=log, stderr=log)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        running = ApiServer(f"https://127.0.0.1:{port}", f"http://127.0.0.1:{store}", folder)
        _wait(running, process)
        yield running


def _wait(running, process):
    for _ in range(600):
        assert process.poll() is None, (running.folder / "kube-apiserver.log").read_text()[-2000:]
        try:
            running.ask("/api/v1/namespaces/default")
        except (urllib.error.URLError, OSError):
            process_waits(0.1)
        else:
            return
    pytest.fail("the API server did not become ready")
