"""Incidents between services: policies, proxies, names and limits in the network that somebody changed."""

from pathlib import Path

from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, edited, traffic
from line_formats import envoy, pino, spring, zap


def cut_by_policy(folder: Path) -> Path:
    """A NetworkPolicy is applied that forgets one client: the basket cannot reach its Valkey any more. A day, kubectl's files."""
    x = Export(day(2), 1440, seed=71, namespace="mall")
    front = edge(x)
    basket, valkey, wish = x.workload("basket", 3), x.workload("valkey", 1)[0], x.workload("wishlist", 2)
    x.keep({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "valkey-ingress", "namespace": "mall", "creationTimestamp": stamp(x.at(655.0)), "managedFields": [
            {"manager": "terraform-provider-kubernetes", "operation": "Apply", "apiVersion": "networking.k8s.io/v1",
             "time": stamp(x.at(655.0)), "fieldsV1": {"f:spec": {"f:ingress": {}, "f:podSelector": {}}}}]},
        "spec": {"podSelector": {"matchLabels": {"app": "valkey"}}, "policyTypes": ["Ingress"],
                 "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "wishlist"}}}], "ports": [{"port": 6379}]}]},
    })  # fmt: skip

    def failed(at: float) -> None:
        pod = x.random.choice(basket)
        x.log(
            pod,
            at,
            zap(
                x.at(at),
                "error",
                "load basket",
                error="dial tcp 10.43.61.6:6379: i/o timeout",
                addr="valkey.mall.svc:6379",
            ),
        )

    traffic(x, front, "/basket", "mall-basket-80", every=0.3, failing=lambda m: 0.95 if m > 655.3 else 0, status=(504, 500), slow=5.0,
            failed=failed, served=lambda m: x.log(x.random.choice(basket), m, zap(x.at(m), "info", "basket loaded", items=3)))  # fmt: skip
    traffic(x, front, "/wishlist", "mall-wishlist-80", every=0.6, failing=between())
    for at in x.every(60):
        x.log(
            valkey, at, f"1:M {x.at(at).strftime('%d %b %Y %H:%M:%S')}.101 * Background saving terminated with success"
        )
    x.rollout(590, "wishlist", 2, image="2.8.0")
    for at in x.every(70):
        x.log(x.random.choice(wish), at, zap(x.at(at), "warn", "slow query", ms=540))
    return x.write(folder)


def body_too_large(folder: Path) -> Path:
    """An annotation for the body size is lost when an Ingress is applied again: big uploads get 413. Six hours."""
    x = Export(day(4, 8), 360, seed=72, namespace="files")
    front = edge(x)
    upload, thumbs = x.workload("upload-api", 2), x.workload("thumbs", 2)
    edited(x, {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "upload", "namespace": "files", "annotations": {"nginx.ingress.kubernetes.io/proxy-read-timeout": "60"}},
        "spec": {"rules": [{"host": "files.example.com", "http": {"paths": [
            {"path": "/upload", "pathType": "Prefix", "backend": {"service": {"name": "upload-api", "port": {"number": 80}}}}]}}]},
    }, 171.0, "helm", {"f:metadata": {"f:annotations": {}}})  # fmt: skip
    x.event(171.2, "Sync", "Ingress/upload", "Scheduled for sync", component="nginx-ingress-controller")

    def refused(at: float) -> None:
        x.log(front, at, f"{x.at(at).strftime('%Y/%m/%d %H:%M:%S')} [error] 27#27: *{int(at * 977)} client intended to send too large body: "
              f'{x.random.randint(1_100_000, 48_000_000)} bytes, client: 198.51.100.7, server: files.example.com, request: "POST /upload '
              'HTTP/1.1", host: "files.example.com"', namespace="ingress-nginx")  # fmt: skip

    traffic(x, front, "/upload", "files-upload-api-80", every=0.3, failing=lambda m: 0.6 if m > 171.4 else 0, status=(413,), slow=0.01,
            failed=refused, served=lambda m: x.log(x.random.choice(upload), m, spring(x.at(m), "INFO", "c.e.UploadController", "stored")))  # fmt: skip
    traffic(x, front, "/thumbs", "files-thumbs-80", every=0.5, failing=between())
    x.rollout(120, "thumbs", 2, image="4.0.1")
    for at in x.every(9):
        x.log(x.random.choice(thumbs), at, pino(x.at(at), 40, "unsupported colour space, converted"))
    x.say(205, "UNOOR", "customers cannot upload scans, 413?")
    return x.write(folder)


def strict_mtls(folder: Path) -> Path:
    """Mutual TLS is made strict for a mesh; the one client without a sidecar is reset. Logs of Istio and Node, objects."""
    x = Export(day(6), 720, seed=73, namespace="orders")
    legacy, orders = x.workload("legacy-import", 2, namespace="legacy"), x.workload("orders-api", 2)
    web = x.workload("web", 2)
    edited(x, {
        "apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"name": "default", "namespace": "orders"},
        "spec": {"mtls": {"mode": "STRICT"}},
    }, 402.0, "argocd-controller", {"f:spec": {"f:mtls": {"f:mode": {}}}})  # fmt: skip
    for at in x.every(0.3):
        bad = at > 402.2
        pod = x.random.choice(legacy)
        if bad:
            x.log(pod, at, pino(x.at(at), 50, "order import failed", err={"type": "Error", "message": "read ECONNRESET", "code": "ECONNRESET",
                  "syscall": "read"}, url="http://orders-api.orders.svc.cluster.local/orders", status=502), namespace="legacy")  # fmt: skip
        else:
            x.log(pod, at, pino(x.at(at), 30, "order imported", status=201), namespace="legacy")
    for at in x.every(0.4):
        x.log(x.random.choice(orders), at, envoy(x.random, x.at(at), "/orders", 200, "-", details="via_upstream",
              cluster="inbound|8080||", ms=x.random.randint(8, 60)), container="istio-proxy")  # fmt: skip
        x.log(x.random.choice(web), at, pino(x.at(at), 30, "page", status=200))
    x.rollout(380, "web", 2, image="31.2.0")
    x.event(
        395,
        "Unhealthy",
        f"Pod/{web[0]}",
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
        warning=True,
    )
    return x.write(folder)


def record_removed(folder: Path) -> Path:
    """external-dns deletes a record that is still asked for; Go clients get NXDOMAIN. Loki only, no objects. Twelve hours."""
    x = Export(day(8, 6), 720, seed=74, namespace="fleet")
    dns = x.workload("external-dns", 1, namespace="infra", keep=False)[0]
    front = edge(x, keep=False)
    track, maps = x.workload("tracker", 3, keep=False), x.workload("maptiles", 1, keep=False)[0]
    for at in x.every(3):
        when = stamp(x.at(at))
        x.log(dns, at, f'time="{when}" level=info msg="All records are already up to date"', namespace="infra")
    when = stamp(x.at(333))
    for kind in ("CNAME", "TXT"):
        x.log(dns, 333, f'time="{when}" level=info msg="Desired change: DELETE devices.fleet.example.com {kind}" profile=default '
              "zoneID=/hostedzone/Z0456 zoneName=fleet.example.com.", namespace="infra")  # fmt: skip
    x.log(dns, 333.02, f'time="{when}" level=info msg="2 record(s) were successfully updated" profile=default zoneID=/hostedzone/Z0456',
          namespace="infra")  # fmt: skip

    def failed(at: float) -> None:
        x.log(x.random.choice(track), at, zap(x.at(at), "error", "position lookup failed",
              error='Get "https://devices.fleet.example.com/v1/positions": dial tcp: lookup devices.fleet.example.com on 10.43.0.10:53: no such host'))  # fmt: skip

    traffic(x, front, "/positions", "fleet-tracker-80", every=0.25, failing=lambda m: 0.97 if m > 334.5 else 0, failed=failed,
            served=lambda m: x.log(x.random.choice(track), m, zap(x.at(m), "info", "positions served", n=40)))  # fmt: skip
    for at in x.every(8):
        x.log(maps, at, zap(x.at(at), "warn", "tile render slow", ms=1900))
    return x.write(folder, "loki")


INCIDENTS = (
    Unseen(name="cut-by-policy", build=cut_by_policy, question=None, roots=frozenset({"NetworkPolicy/mall/valkey-ingress"})),
    Unseen(name="body-too-large", build=body_too_large, question="why do uploads get 413?", roots=frozenset({"Ingress/files/upload"})),
    Unseen(name="strict-mtls", build=strict_mtls, question="Why does the import fail?", roots=frozenset({"PeerAuthentication/orders/default"})),
    Unseen(name="record-removed", build=record_removed, question=None, roots=frozenset({"Deployment/infra/external-dns"}),
           shallow=frozenset({"Host//devices.fleet.example.com"})),
)  # fmt: skip
