"""Incidents that a change begins: flags, images, ports, releases, passwords, quotas."""

from datetime import timedelta
from pathlib import Path

from incident_kit import Export, Unseen, cluster_ip, day, stamp
from line_formats import gunicorn, ingress, nginx_error, pino, postgres, spring


def bad_flag(folder: Path) -> Path:
    """A ConfigMap's flag goes live with a rollout; the new code path throws, the ingress answers 500."""
    x = Export(day(3, 14), 45, seed=11, namespace="shop")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    catalog = x.workload("catalog", 2)
    old = x.workload("checkout", 2)
    ref = {"envFrom": [{"configMapRef": {"name": "checkout-flags"}}]}
    new = x.rollout(21.0, "checkout", 2, image="1.0.0", container=ref)
    x.keep({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "checkout-flags", "namespace": "shop", "creationTimestamp": stamp(x.at(-50000)),
                     "managedFields": [{"manager": "kubectl-edit", "operation": "Update", "time": stamp(x.at(20.2)),
                                        "fieldsV1": {"f:data": {"f:NEW_TAX_ENGINE": {}}}}]},
        "data": {"NEW_TAX_ENGINE": "true", "CURRENCY": "EUR"},
    })  # fmt: skip
    for pod in old:
        x.event(22.5, "Killing", f"Pod/{pod}", "Stopping container app")
    for at in x.every(0.08):
        bad = at > 22.0 and x.random.random() < 0.45
        path = x.random.choice(("/api/checkout", "/api/catalog/items", "/api/catalog/search"))
        bad = bad and path == "/api/checkout"
        service = "shop-checkout-80" if "checkout" in path else "shop-catalog-80"
        x.log(
            edge, at, ingress(x.random, x.at(at), path, 500 if bad else 200, service, 0.03), namespace="ingress-nginx"
        )
        if bad:
            pod = x.random.choice(new)
            x.log(pod, at, spring(x.at(at), "ERROR", "o.a.c.c.C.[.[.[/].[dispatcherServlet]",
                  "Servlet.service() for servlet [dispatcherServlet] in context with path [] threw exception [Request "
                  "processing failed: java.lang.NullPointerException: Cannot invoke "
                  '"com.example.tax.Rate.percent()" because "rate" is null] with root cause'))  # fmt: skip
        elif "checkout" in path:
            pod = x.random.choice(old if at < 22 else new)
            x.log(
                pod, at, spring(x.at(at), "INFO", "c.e.checkout.CheckoutController", f"order {int(at * 7919)} placed")
            )
    for at in x.every(2):
        x.log(catalog[0], at, spring(x.at(at), "WARN", "c.e.catalog.Cache", "cache refresh took 2113 ms"))
    x.event(18.0, "SuccessfulRescale", "HorizontalPodAutoscaler/catalog",
            "New size: 3; reason: cpu resource utilization (percentage of request) above target",
            component="horizontal-pod-autoscaler")  # fmt: skip
    x.event(
        7.0,
        "Unhealthy",
        f"Pod/{catalog[1]}",
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
        warning=True,
    )
    return x.write(folder)


def missing_image(folder: Path) -> Path:
    """A tag that was never pushed: the rollout stands still, the old pods go on serving."""
    x = Export(day(5, 8), 180, seed=12, namespace="finance")
    x.workload("billing-api", 3, image="2.14.0")
    ledger = x.workload("ledger", 2)
    new = x.workload("billing-api", 1, image="2.15.0", born=64.0)[0]
    of = new.rpartition("-")[0]
    x.event(
        64.0,
        "ScalingReplicaSet",
        "Deployment/billing-api",
        f"Scaled up replica set {of} to 1",
        component="deployment-controller",
    )
    image = "registry.example.com/billing-api:2.15.0"
    x.event(64.1, "Pulling", f"Pod/{new}", f'Pulling image "{image}"', count=4, until=66)
    x.event(64.2, "Failed", f"Pod/{new}", f'Failed to pull image "{image}": rpc error: code = NotFound desc = failed to pull '
            f'and unpack image "{image}": failed to resolve reference "{image}": {image}: not found', warning=True, count=4, until=66)  # fmt: skip
    x.event(64.2, "Failed", f"Pod/{new}", "Error: ErrImagePull", warning=True, count=4, until=66)
    x.event(64.5, "BackOff", f"Pod/{new}", f'Back-off pulling image "{image}"', count=488, until=179)
    x.event(64.5, "Failed", f"Pod/{new}", "Error: ImagePullBackOff", warning=True, count=488, until=179)
    deployment = x.objects["finance", "Deployment"][0]
    deployment["status"]["conditions"] = [{
        "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": f'ReplicaSet "{of}" has timed out progressing.',
        "lastUpdateTime": stamp(x.at(74)), "lastTransitionTime": stamp(x.at(74)),
    }]  # fmt: skip
    for at in x.every(25):
        x.event(at, "Unhealthy", f"Pod/{ledger[0]}", 'Readiness probe failed: Get "http://10.42.0.6:8080/ready": context '
                "deadline exceeded (Client.Timeout exceeded while awaiting headers)", warning=True)  # fmt: skip
    x.event(40, "SuccessfulRescale", "HorizontalPodAutoscaler/ledger", "New size: 3; reason: All metrics below target",
            component="horizontal-pod-autoscaler")  # fmt: skip
    return x.write(folder)


def wrong_port(folder: Path) -> Path:
    """A release listens elsewhere than its Service points: connection refused, 502; two hundred lines in all."""
    x = Export(day(9, 16), 45, seed=13, namespace="web")
    edge = x.workload("edge-nginx", 1)[0]
    x.workload("profile", 2)
    new = x.rollout(17.0, "profile", 2, image="1.9.0")
    other = x.rollout(9.0, "banner", 1, image="0.3.1")[0]
    for pod in new:
        x.log(pod, 17.5, pino(x.at(17.5), 30, "Server listening at http://0.0.0.0:3000"))
    for at in x.every(0.35):
        path, bad = x.random.choice(("/", "/profile", "/profile")), False
        bad = path == "/profile" and at > 18.2
        if bad:
            x.log(edge, at, nginx_error(x.at(at), "connect() failed (111: Connection refused) while connecting to upstream",
                                        path, f"{cluster_ip('profile')}:80"))  # fmt: skip
        local = x.at(at).strftime("%d/%b/%Y:%H:%M:%S +0000")
        x.log(edge, at, f'203.0.113.9 - - [{local}] "GET {path} HTTP/1.1" {502 if bad else 200} 157 "-" "Mozilla/5.0"')
    for at in x.every(6):
        x.log(other, at, pino(x.at(at), 40, "slow render", ms=812))
    return x.write(folder)


def pool_leak(folder: Path) -> Path:
    """A .NET release leaks connections; hours later its pool is empty and the ingress sees 500s and 504s."""
    x = Export(day(11), 1440, seed=14, namespace="trade")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    x.workload("orders", 2)
    orders = x.rollout(540.0, "orders", 2, image="7.2.0")
    quotes = x.rollout(700.0, "quotes", 2, image="3.3.1")
    pg = x.workload("orders-postgres", 1)[0]
    for at in x.every(0.5):
        path = x.random.choice(("/orders", "/orders/open", "/quotes"))
        worse = max(0.0, min(0.8, (at - 690) / 200)) if at < 1100 else 0.8
        bad = "orders" in path and at > 690 and x.random.random() < worse
        status = x.random.choice((500, 500, 504)) if bad else 200
        service = "trade-orders-80" if "orders" in path else "trade-quotes-80"
        x.log(
            edge,
            at,
            ingress(x.random, x.at(at), path, status, service, 15.0 if bad else 0.04),
            namespace="ingress-nginx",
        )
        if bad:
            text = ("fail: Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware[1] An unhandled exception has occurred "
                    "while executing the request. Npgsql.NpgsqlException (0x80004005): The connection pool has been exhausted, "
                    "either raise 'Max Pool Size' (currently 100) or 'Timeout' (currently 15 seconds) in your connection "
                    "string.")  # fmt: skip
            x.log(x.random.choice(orders), at, text)
        elif "orders" in path:
            pod = x.random.choice(orders) if at > 541 else "orders-6d5f7c9b8d-x2x4k"
            x.log(pod, at, f"info: Orders.Api.OrderService[0] Order {int(at * 977)} accepted")
        else:
            x.log(x.random.choice(quotes), at, "info: Quotes.Api.Pricing[0] Quote served")
    for at in x.every(30):
        x.log(pg, at, postgres(x.at(at), "LOG", f"checkpoint complete: wrote {int(at) % 700} buffers (4.1%)"))
    for at in x.every(200):
        x.log(pg, at, postgres(x.at(at), "LOG", 'automatic vacuum of table "trade.public.sessions": index scans: 1'))
    x.series("npgsql_db_client_connections_usage", {"namespace": "trade", "pod": orders[0], "state": "used"},
             lambda m: 6.0 if m < 541 else min(100.0, 6 + (m - 541) * 0.55), step=2.0)  # fmt: skip
    return x.write(folder)


def rotated_password(folder: Path) -> Path:
    """A password is rotated; one consumer keeps the old one and cannot log in any more."""
    x = Export(day(16, 9), 180, seed=15, namespace="books")
    invoices, pg = x.workload("invoices", 2), x.workload("pg", 1)[0]
    secret = {
        "env": [{"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": {"name": "pg-credentials", "key": "password"}}}]
    }
    reports = x.workload("reports-api", 2, container=secret)
    x.keep({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "pg-credentials", "namespace": "books", "creationTimestamp": stamp(x.at(-70000)),
                     "managedFields": [{"manager": "vault-secrets-operator", "operation": "Update",
                                        "time": stamp(x.at(71.0)), "fieldsV1": {"f:data": {"f:password": {}}}}]},
        "data": {"password": "UkVEQUNURUQ="},
    })  # fmt: skip
    fresh = x.rollout(72.0, "invoices", 2)
    mailer = x.rollout(30.0, "mailer", 1, image="0.8.0")[0]
    for at in x.every(0.3):
        bad = at > 73
        pod = x.random.choice(reports)
        x.log(pod, at, gunicorn(x.random, x.at(at), "/reports/summary", 500 if bad else 200, 41234))
        if bad:
            x.log(pod, at, "[2026-03-16 10:14:02 +0000] [9] [ERROR] Error handling request /reports/summary")
            x.log(pod, at, 'django.db.utils.OperationalError: connection to server at "pg.books.svc.cluster.local" (10.43.2.2), '
                  'port 5432 failed: FATAL:  password authentication failed for user "reports"')  # fmt: skip
            x.log(pg, at, postgres(x.at(at), "FATAL", 'password authentication failed for user "reports"', 900))
    for at in x.every(0.6):
        pod = x.random.choice(invoices if at < 72 else fresh)
        x.log(pod, at, gunicorn(x.random, x.at(at), "/invoices", 200, 22110))
    for at in x.every(15):
        x.log(mailer, at, "[2026-03-16 09:30:00 +0000] [7] [WARNING] retrying smtp delivery in 30s")
        x.log(pg, at, postgres(x.at(at), "LOG", "could not receive data from client: Connection reset by peer"))
    x.say(95, "UMARA", "reports page is down for finance, anyone?")
    x.say(101, "UJON", "is it the mailer release from this morning?")
    return x.write(folder)


def quota(folder: Path) -> Path:
    """Traffic rises, the autoscaler wants more pods, the namespace's quota forbids them: 503s at the gateway."""
    x = Export(day(18, 17, 30), 60, seed=16, namespace="stream")
    api = x.workload("feed-api", 4)
    gateway = x.workload("edge-gateway", 1)[0]
    of = api[0].rpartition("-")[0]
    x.keep({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "compute", "namespace": "stream"},
        "spec": {"hard": {"limits.cpu": "16"}}, "status": {"hard": {"limits.cpu": "16"}, "used": {"limits.cpu": "16"}},
    })  # fmt: skip
    x.event(22, "SuccessfulRescale", "HorizontalPodAutoscaler/feed-api",
            "New size: 9; reason: cpu resource utilization (percentage of request) above target",
            component="horizontal-pod-autoscaler")  # fmt: skip
    x.event(
        22.1,
        "ScalingReplicaSet",
        "Deployment/feed-api",
        f"Scaled up replica set {of} from 4 to 9",
        component="deployment-controller",
    )
    for n, at in enumerate((22.2, 22.4, 22.8, 23.5, 25, 28, 34, 45)):
        x.event(at, "FailedCreate", f"ReplicaSet/{of}", f'Error creating: pods "{of}-x{n}q8z" is forbidden: exceeded quota: '
                "compute, requested: limits.cpu=2, used: limits.cpu=16, limited: limits.cpu=16", warning=True,
                component="replicaset-controller")  # fmt: skip
    busy = lambda m: 60.0 if m < 20 else 240.0  # noqa: E731 - read beside its use
    x.counter("http_requests_total", {"namespace": "stream", "pod": gateway, "code": "200"}, busy)
    for pod in api:
        x.counter("container_cpu_usage_seconds_total", {"namespace": "stream", "pod": pod, "container": "app"},
                  lambda m: 0.7 if m < 20 else 1.98)  # fmt: skip
    for at in x.every(0.06):
        bad = at > 24 and x.random.random() < 0.3
        text = {
            "method": "GET",
            "path": "/v2/feed",
            "upstream": "feed-api.stream.svc.cluster.local:80",
            "status": 503 if bad else 200,
            "duration": 5.0 if bad else 0.08,
        }
        if bad:
            text["error"] = "upstream connect error or disconnect/reset before headers. reset reason: overflow"
        x.log(gateway, at, pino(x.at(at), 50 if bad else 30, "request completed", **text))
    other = x.rollout(12.0, "avatar", 1, image="5.0.1")[0]
    for at in x.every(4):
        x.log(other, at, pino(x.at(at), 40, "image too large, skipped", bytes=9912312))
    return x.write(folder)


def oom_beside_502(folder: Path) -> Path:
    """Thumbnails run out of memory all day; the 502s are the cart's, whose release panics. Two things at once."""
    x = Export(day(20), 720, seed=17, namespace="store")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    thumbs = x.workload("thumbnailer", 1)[0]
    x.workload("cart", 2)
    cart = x.rollout(433.0, "cart", 2, image="4.1.0")
    for n, at in enumerate(x.every(55)):
        x.event(at, "OOMKilling", "Node/node-b", f"Memory cgroup out of memory: Killed process {4000 + n} (vips) total-vm:2411000kB, "
                "anon-rss:1040000kB, file-rss:0kB", warning=True, component="kernel-monitor", host="node-b")  # fmt: skip
        x.event(
            at + 0.2,
            "BackOff",
            f"Pod/{thumbs}",
            f"Back-off restarting failed container app in pod {thumbs}_store",
            warning=True,
        )
        x.log(thumbs, at + 1, "thumbnailer 2.3 starting, concurrency=8")
    for at in x.every(0.25):
        path = x.random.choice(("/cart", "/cart/items", "/browse"))
        bad = "cart" in path and at > 434 and x.random.random() < 0.25
        service = "store-cart-80" if "cart" in path else "store-browse-80"
        x.log(
            edge, at, ingress(x.random, x.at(at), path, 502 if bad else 200, service, 0.01), namespace="ingress-nginx"
        )
        if bad:
            pod = x.random.choice(cart)
            when = x.at(at).strftime("%Y/%m/%d %H:%M:%S")
            x.log(edge, at, nginx_error(x.at(at), "upstream prematurely closed connection while reading response header from upstream",
                                        path, "10.42.1.4:8080"), namespace="ingress-nginx")  # fmt: skip
            x.log(
                pod,
                at,
                f"{when} http: panic serving 10.42.0.5:41522: runtime error: invalid memory address or nil pointer dereference",
            )
            x.log(pod, at, "goroutine 1892 [running]:")
    for pod in cart:
        x.log(pod, 433.4, f"{(x.at(433.4) + timedelta()).strftime('%Y/%m/%d %H:%M:%S')} cart 4.1.0 listening on :8080")
    return x.write(folder)


INCIDENTS = (
    Unseen(name="bad-flag", build=bad_flag, question=None, roots=frozenset({"Deployment/shop/checkout", "ConfigMap/shop/checkout-flags"})),
    Unseen(name="missing-image", build=missing_image, question="Why is the billing-api rollout stuck?", roots=frozenset({"Deployment/finance/billing-api"})),
    Unseen(name="wrong-port", build=wrong_port, question="Why do users get 502 since half past four?", roots=frozenset({"Deployment/web/profile"})),
    Unseen(name="pool-leak", build=pool_leak, question="What broke /orders today?", roots=frozenset({"Deployment/trade/orders"}), hard=True),
    Unseen(name="rotated-password", build=rotated_password, question=None, roots=frozenset({"Secret/books/pg-credentials"}),
           shallow=frozenset({"Deployment/books/reports-api"})),
    Unseen(name="quota", build=quota, question="why 503 at the gateway", roots=frozenset({"ResourceQuota/stream/compute", "Deployment/stream/feed-api"}),
           shallow=frozenset({"Deployment/stream/edge-gateway"})),
    Unseen(name="oom-beside-502", build=oom_beside_502, question="What is behind the 502s?", roots=frozenset({"Deployment/store/cart"})),
)  # fmt: skip
