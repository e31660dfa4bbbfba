"""A fifth hand, kept aside until all mends were done: ports, workers, threads, evictions, addresses, gateways, callers that ask too much."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, edited, traffic
from line_formats import envoy, gunicorn, pino, spring, zap


def local_ports(folder: Path) -> Path:
    """A client's release opens a connection for each call; at the daily peak no local port is left. Three days, Loki."""
    x = Export(day(2), 3 * 1440, seed=501, namespace="bid")
    front = edge(x)
    x.workload("bidder", 2)
    new = x.rollout(1100, "bidder", 2, image="7.0.0")
    scores = x.workload("scores", 2)
    peaks = ((1800.0, 1890.0), (3240.0, 3335.0))

    def failed(at: float) -> None:
        x.log(x.random.choice(new), at, zap(x.at(at), "error", "score", error='Get "http://scores.bid.svc.cluster.local/v1": dial tcp 10.43.44.6:80: connect: '
              "cannot assign requested address"))  # fmt: skip

    traffic(x, front, "/bid", "bid-bidder-80", every=0.3, failing=between(*peaks, chance=0.5), status=(502,), failed=failed,
            served=lambda m: x.log(x.random.choice(scores), m, zap(x.at(m), "info", "scored")))  # fmt: skip
    x.rollout(1720, "budgets", 1, image="2.2.0")
    return x.write(folder, "loki")


def worker_timeout(folder: Path) -> Path:
    """A release asks a partner while the user waits; gunicorn's few workers all wait and are killed for it. Half a day, logs and objects."""
    x = Export(day(3, 6), 720, seed=502, namespace="loan")
    front = edge(x)
    old = x.workload("apply", 2)
    new = x.rollout(366, "apply", 2, image="3.4.0")

    def failed(at: float) -> None:
        pod = x.random.choice(new)
        local = x.at(at).strftime("%Y-%m-%d %H:%M:%S +0000")
        x.log(pod, at, f"[{local}] [1] [CRITICAL] WORKER TIMEOUT (pid:{x.random.randint(20, 400)})")
        x.log(
            pod,
            at,
            f"[{local}] [{x.random.randint(20, 400)}] [INFO] Booting worker with pid: {x.random.randint(20, 400)}",
        )

    def served(at: float) -> None:
        pod = x.random.choice(old if at < 366.5 else new)
        x.log(pod, at, gunicorn(x.random, x.at(at), "/apply", 200, 48000 if at < 366.5 else 9_400_000))

    traffic(
        x,
        front,
        "/apply",
        "loan-apply-80",
        every=0.2,
        failing=lambda m: 0.4 if m > 367 else 0.0,
        status=(502, 504),
        slow=30.0,
        failed=failed,
        served=served,
    )
    x.rollout(340, "letters", 1, image="1.8.1")
    return x.write(folder)


def native_threads(folder: Path) -> Path:
    """A release starts a scheduler for every request; three hours later the container may not start another thread. A day, events too."""
    x = Export(day(4), 1440, seed=503, namespace="ins")
    front = edge(x)
    old = x.workload("claims", 2)
    new = x.rollout(512, "claims", 2, image="12.1.0")
    for pod in new:
        x.series(
            "jvm_threads_live_threads",
            {"namespace": "ins", "pod": pod},
            lambda m: min(4090, 90 + max(0, m - 513) * 21),
            step=2,
        )
    end = 704.0

    def failed(at: float) -> None:
        pod = x.random.choice(new)
        x.log(
            pod,
            at,
            '[warning][os,thread] Failed to start thread "Unknown thread" - pthread_create failed (EAGAIN) for attributes: stacksize: 1024k, guardsize: 0k, detached.',
        )
        x.log(pod, at, spring(x.at(at), "ERROR", "o.a.c.c.C.[dispatcherServlet]", "Servlet.service() threw exception [Handler dispatch failed: "
              "java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits reached]"))  # fmt: skip

    traffic(x, front, "/claims", "ins-claims-80", every=0.25, failing=lambda m: 0.8 if m > end else 0.0, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(old if m < 513 else new), m, spring(x.at(m), "INFO", "c.e.Claims", "claim read")))  # fmt: skip
    x.rollout(690, "brokers", 2, image="2.0.3")
    return x.write(folder)


def descheduled(folder: Path) -> Path:
    """The descheduler's run every two hours evicts pods to even the nodes out; a session service of one loses everybody each time. A day."""
    x = Export(day(5), 1440, seed=504, namespace="play")
    front = edge(x)
    pod = x.workload("sessions", 1)[0]
    x.namespace = "kube-system"
    runs = x.cronjob("descheduler", "20 */2 * * *", [20.0 + 120 * n for n in range(12)], 1)
    x.namespace, spans = "play", []
    for n, (begun, own) in enumerate(runs):
        x.log(own, begun + 0.3, f'I{x.at(begun + 0.3).strftime("%m%d %H:%M:%S.%f")}       1 evictions.go:171] "Evicted pod" pod="play/{pod}" reason="" '
              'strategy="LowNodeUtilization" node="node-a"', namespace="kube-system")  # fmt: skip
        after = f"{pod[:-5]}{'bcdfghjklmnp'[n]}4tz8"
        x.event(
            begun + 0.3,
            "Descheduled",
            f"Pod/{pod}",
            "pod evicted from node-a node by sigs.k8s.io/descheduler: LowNodeUtilization",
            component="sigs.k8s.io/descheduler",
        )
        x.event(begun + 0.35, "Killing", f"Pod/{pod}", "Stopping container app")
        x.event(
            begun + 0.4,
            "Scheduled",
            f"Pod/{after}",
            f"Successfully assigned play/{after} to node-{'bc'[n % 2]}",
            component="default-scheduler",
        )
        x.event(begun + 0.6, "Started", f"Pod/{after}", "Started container app")
        spans.append((begun + 0.36, begun + 2.4))
        pod = after
    traffic(x, front, "/play", "play-sessions-80", every=0.15, failing=between(*spans), status=(503,))
    x.cronjob("leaderboard", "0 * * * *", [60.0 * n for n in range(24)], 3)
    x.rollout(700, "avatars", 1, image="1.4.4")
    return x.write(folder)


def no_address(folder: Path) -> Path:
    """Somebody scales an import to two hundred pods: the subnet has no address left and the shop's new pods cannot start at its peak. Events, proxy."""
    x = Export(day(6, 9), 480, seed=505, namespace="shopw")
    front = edge(x)
    pods = x.workload("till", 3)
    batch = x.workload("crawler", 6, namespace="data")
    of = batch[0].rpartition("-")[0]
    x.event(
        201,
        "ScalingReplicaSet",
        "Deployment/crawler",
        f"Scaled up replica set {of} from 6 to 200",
        component="deployment-controller",
        namespace="data",
    )
    x.event(263, "SuccessfulRescale", "HorizontalPodAutoscaler/till", "New size: 8; reason: cpu resource utilization (percentage of request) above target",
            component="horizontal-pod-autoscaler")  # fmt: skip
    words = ('Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "8c1f": plugin type="aws-cni" name="aws-cni" '
             "failed (add): add cmd: failed to assign an IP address to container")  # fmt: skip
    for n in range(5):
        x.event(
            263.3 + n / 10,
            "FailedCreatePodSandBox",
            f"Pod/{pods[0][:-5]}{'bcdfg'[n]}6vk2",
            words,
            warning=True,
            count=70,
            until=372,
        )
    for n in range(4):
        x.event(
            214 + n,
            "FailedCreatePodSandBox",
            f"Pod/{of}-{'jklm'[n]}2h8q",
            words,
            warning=True,
            count=90,
            until=371,
            namespace="data",
        )
    x.event(
        371,
        "ScalingReplicaSet",
        "Deployment/crawler",
        f"Scaled down replica set {of} from 200 to 6",
        component="deployment-controller",
        namespace="data",
    )
    traffic(x, front, "/till", "shopw-till-80", every=0.15, failing=between((266.0, 375.0), chance=0.4), status=(503, 504), slow=10.0,
            served=lambda m: x.log(x.random.choice(pods), m, pino(x.at(m), 30, "paid")))  # fmt: skip
    x.rollout(255, "receipts", 1, image="5.0.2")
    return x.write(folder)


def other_name(folder: Path) -> Path:
    """Somebody edits a Service of type ExternalName and mistypes the database's host: clients cannot resolve it. Five hours."""
    x = Export(day(7, 9), 300, seed=506, namespace="hr")
    front = edge(x)
    pods = x.workload("absences", 2)
    edited(x, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "warehouse", "namespace": "hr"},
               "spec": {"type": "ExternalName", "externalName": "warehouse.int.exmaple.com"}},
           118.0, "kubectl-edit", {"f:spec": {"f:externalName": {}}})  # fmt: skip

    def failed(at: float) -> None:
        x.log(x.random.choice(pods), at, spring(x.at(at), "ERROR", "c.z.hikari.pool.HikariPool", "HikariPool-1 - Exception during pool initialization: "
              "java.net.UnknownHostException: warehouse.hr.svc.cluster.local: Name or service not known"))  # fmt: skip

    traffic(x, front, "/absences", "hr-absences-80", every=0.2, failing=lambda m: 0.85 if m > 119 else 0.0, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(pods), m, spring(x.at(m), "INFO", "c.e.Absences", "listed")))  # fmt: skip
    x.rollout(101, "holidays", 1, image="2.5.0")
    return x.write(folder)


def hourly_export(folder: Path) -> Path:
    """An hourly job asks a Node service for a huge export; its one thread is busy and everybody else waits. Five days, Loki only."""
    x = Export(day(8), 5 * 1440, seed=507, namespace="stat")
    front = edge(x)
    pods = x.workload("figures", 2)
    starts = [60.0 * n + 42 for n in range(120)]
    runs = x.cronjob("figures-export", "42 * * * *", starts, 4)
    spans = [(b + 0.3, b + 3.6) for b in starts]
    for begun, own in runs:
        x.log(own, begun + 0.2, "GET http://figures.stat.svc.cluster.local/export?range=all")
        x.log(own, begun + 3.7, "200 OK, 612 MB in 211 s")
        x.log(pods[0], begun + 0.3, pino(x.at(begun + 0.3), 30, "export started", rows=2_400_000))
    x.series(
        "nodejs_eventloop_lag_p99_seconds",
        {"namespace": "stat", "pod": pods[0]},
        lambda m: 3.2 if 0.3 <= (m - 42) % 60 <= 3.6 else 0.012,
        step=0.5,
    )
    traffic(x, front, "/figures", "stat-figures-80", every=0.4, failing=between(*spans, chance=0.4), status=(504,), slow=60.0,
            served=lambda m: x.log(x.random.choice(pods), m, pino(x.at(m), 30, "figures read")))  # fmt: skip
    x.cronjob("rates-sync", "10 * * * *", [60.0 * n + 10 for n in range(120)], 2)
    x.rollout(2000, "charts", 1, image="3.0.0")
    return x.write(folder, "loki")


def local_limit(folder: Path) -> Path:
    """An EnvoyFilter's bucket shrinks to a tenth: the gateway itself answers 429. Istio, six hours."""
    x = Export(day(9, 8), 360, seed=508, namespace="taxi")
    gateway = x.workload("istio-ingressgateway", 1, namespace="istio-system")[0]
    pods = x.workload("fares", 3)
    edited(x, {
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"name": "gateway-ratelimit", "namespace": "istio-system"},
        "spec": {"workloadSelector": {"labels": {"app": "istio-ingressgateway"}}, "configPatches": [{"applyTo": "HTTP_FILTER", "patch": {"value": {
            "token_bucket": {"max_tokens": 20, "tokens_per_fill": 20, "fill_interval": "1s"}}}}]},
    }, 171.0, "kubectl-edit", {"f:spec": {"f:configPatches": {}}})  # fmt: skip
    for at in x.every(0.12):
        bad = at > 171.2 and x.random.random() < 0.4
        x.log(gateway, at, envoy(x.random, x.at(at), "/fares", 429 if bad else 200, "RL" if bad else "-", details="local_rate_limited" if bad else "via_upstream",
              cluster="outbound|80||fares.taxi.svc.cluster.local", ms=0 if bad else 35), container="istio-proxy", namespace="istio-system")  # fmt: skip
        if not bad:
            x.log(x.random.choice(pods), at, zap(x.at(at), "info", "fare computed"))
    x.rollout(150, "drivers", 2, image="8.3.0")
    return x.write(folder)


def wrong_key(folder: Path) -> Path:
    """External Secrets brings a new access key whose other half did not arrive: every signature is refused. A day, logs and objects."""
    x = Export(day(10), 1440, seed=509, namespace="scan")
    front = edge(x)
    spec = {
        "env": [{"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": {"secretKeyRef": {"name": "scan-s3", "key": "secret"}}}]
    }
    pods = x.workload("archive", 2, container=spec)
    edited(x, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "scan-s3", "namespace": "scan"}, "data": {"secret": "eA==", "id": "eQ=="}},
           622.0, "externalsecrets.external-secrets.io/scan-s3", {"f:data": {"f:secret": {}}})  # fmt: skip

    def failed(at: float) -> None:
        x.log(x.random.choice(pods), at, zap(x.at(at), "error", "store scan", error="operation error S3: PutObject, https response error StatusCode: 403, api error "
              "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method."))  # fmt: skip

    traffic(x, front, "/scan", "scan-archive-80", every=0.4, failing=lambda m: 0.9 if m > 622.5 else 0.0, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(pods), m, zap(x.at(m), "info", "scan stored")))  # fmt: skip
    x.rollout(590, "ocr", 1, image="4.4.1")
    return x.write(folder)


def proxy_replaced(folder: Path) -> Path:
    """ingress-nginx itself is upgraded at noon and its old pods leave without draining: the mobile gateway's calls are reset. Four hours."""
    x = Export(day(11, 10), 240, seed=510, namespace="app")
    x.workload("ingress-nginx-controller", 2, namespace="ingress-nginx")
    mobile = x.workload("mobile-gateway", 2)
    x.namespace = "ingress-nginx"
    gone = [p["metadata"]["name"] for p in x.objects["ingress-nginx", "Pod"]]
    x.rollout(121.0, "ingress-nginx-controller", 2, image="1.12.0")
    for n, pod in enumerate(gone):
        x.event(121.6 + n, "Killing", f"Pod/{pod}", "Stopping container app")
        x.event(121.7 + n, "Killing", f"Pod/{pod}", "Container app failed to stop in time, killed", warning=True)
    x.namespace = "app"
    for at in x.every(0.03):
        bad = 121.6 < at < 124.2 and x.random.random() < 0.5
        x.log(x.random.choice(mobile), at, pino(x.at(at), 50 if bad else 30, "upstream failed" if bad else "request completed", path="/home", status=502 if bad else 200,
              **({"err": {"code": "ECONNRESET", "message": "read ECONNRESET"}, "url": "http://ingress-nginx-controller.ingress-nginx.svc.cluster.local/home"} if bad else {})))  # fmt: skip
    x.rollout(98.0, "banners", 1, image="0.7.0")
    return x.write(folder)


def asks_too_often(folder: Path) -> Path:
    """A client's release polls forty times as often; the server's two hundred threads are taken and all its callers are refused. A day."""
    x = Export(day(12), 1440, seed=511, namespace="yard")
    front = edge(x)
    stock = x.workload("stock-api", 2)
    x.workload("shelf-labels", 3)
    new = x.rollout(544, "shelf-labels", 3, image="2.0.0")
    for pod in stock:
        x.series(
            "tomcat_threads_busy_threads",
            {"namespace": "yard", "pod": pod},
            lambda m: 14 + m % 6 if m < 545 else 200,
            step=2,
        )
        x.counter("http_server_requests_seconds_count", {"namespace": "yard", "pod": pod, "uri": "/stock", "client": "shelf-labels"},
                  lambda m: 4.0 + m % 2 if m < 545 else 165.0, step=2)  # fmt: skip

    def failed(at: float) -> None:
        x.log(x.random.choice(stock), at, spring(x.at(at), "ERROR", "o.a.t.util.net.NioEndpoint", "The executor's work queue is full: "
              "java.util.concurrent.RejectedExecutionException: Task rejected from ThreadPoolExecutor[Running, pool size = 200, active threads = 200]"))  # fmt: skip
        x.log(
            x.random.choice(new),
            at,
            zap(x.at(at), "error", "poll", error='Get "http://stock-api.yard.svc.cluster.local/stock": EOF'),
        )

    traffic(x, front, "/stock", "yard-stock-api-80", every=0.3, failing=lambda m: 0.5 if m > 546 else 0.0, status=(502, 503), failed=failed,
            served=lambda m: x.log(x.random.choice(stock), m, spring(x.at(m), "INFO", "c.e.Stock", "stock read")))  # fmt: skip
    x.rollout(500, "pallets", 1, image="1.1.8")
    return x.write(folder)


INCIDENTS = (
    Unseen(name="local-ports", build=local_ports, question=None, full=True, roots=frozenset({"Deployment/bid/bidder"}), hard=True),
    Unseen(name="worker-timeout", build=worker_timeout, question=None, roots=frozenset({"Deployment/loan/apply"})),
    Unseen(name="native-threads", build=native_threads, question=None, roots=frozenset({"Deployment/ins/claims"})),
    Unseen(name="descheduled", build=descheduled, question="players are thrown out, why?", roots=frozenset({"CronJob/kube-system/descheduler"})),
    Unseen(name="no-address", build=no_address, question=None, roots=frozenset({"Deployment/data/crawler"}), hard=True),
    Unseen(name="other-name", build=other_name, question="absences cannot reach its database", roots=frozenset({"Service/hr/warehouse"})),
    Unseen(name="hourly-export", build=hourly_export, question=None, full=True, roots=frozenset({"CronJob/stat/figures-export"}), hard=True),
    Unseen(name="local-limit", build=local_limit, question=None, roots=frozenset({"EnvoyFilter/istio-system/gateway-ratelimit"})),
    Unseen(name="wrong-key", build=wrong_key, question=None, roots=frozenset({"Secret/scan/scan-s3"})),
    Unseen(name="proxy-replaced", build=proxy_replaced, question=None, roots=frozenset({"Deployment/ingress-nginx/ingress-nginx-controller"})),
    Unseen(name="asks-too-often", build=asks_too_often, question=None, roots=frozenset({"Deployment/yard/shelf-labels"})),
)  # fmt: skip
