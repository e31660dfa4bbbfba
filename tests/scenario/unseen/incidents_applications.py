"""A fourth hand of incidents: bounded resources of processes, settings of gateways and resolvers, evictions, callers' releases."""

from pathlib import Path

from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, edited, job, traffic
from line_formats import envoy, ingress, nginx_error, pino, spring, zap


def open_files(folder: Path) -> Path:
    """A Go release forgets to close response bodies; five hours later its process has no file descriptor left. A day."""
    x = Export(day(2), 1440, seed=401, namespace="geo")
    front = edge(x)
    old = x.workload("routes", 2)
    new = x.rollout(410, "routes", 2, image="2.9.0")
    end = 725.0
    for pod in old:
        x.series(
            "process_open_fds",
            {"namespace": "geo", "pod": pod},
            lambda m: 42 + m % 5 if m < 411 else float("nan"),
            step=2,
        )
    for pod in new:
        x.series("process_open_fds", {"namespace": "geo", "pod": pod},
                 lambda m: float("nan") if m < 411 else min(1024, 45 + (m - 411) * 3.13), step=2)  # fmt: skip

    def failed(at: float) -> None:
        pod = x.random.choice(new)
        x.log(
            pod,
            at,
            f"{x.at(at).strftime('%Y/%m/%d %H:%M:%S')} http: Accept error: accept tcp [::]:8080: accept4: too many open files; retrying in 1s",
        )
        x.log(
            pod,
            at,
            zap(x.at(at), "error", "load tile", error="open /var/lib/tiles/12/2201/1343.mvt: too many open files"),
        )

    traffic(x, front, "/route", "geo-routes-80", every=0.3, failing=lambda m: 0.7 if m > end else 0.0, status=(500, 504), slow=12.0, failed=failed,
            served=lambda m: x.log(x.random.choice(old if m < 411 else new), m, zap(x.at(m), "info", "route found")))  # fmt: skip
    x.rollout(700, "isochrones", 2, image="0.8.1")
    return x.write(folder)


def php_children(folder: Path) -> Path:
    """A ConfigMap's pool setting goes from fifty children to five by hand; PHP-FPM has nobody free and nginx waits in vain. Ten hours."""
    x = Export(day(3, 7), 600, seed=402, namespace="blog")
    front = edge(x)
    spec = {
        "volumeMounts": [{"name": "pool", "mountPath": "/usr/local/etc/php-fpm.d"}],
        "envFrom": [{"configMapRef": {"name": "php-pool"}}],
    }
    pods = x.workload("press", 2, container=spec)
    edited(x, {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "php-pool", "namespace": "blog"},
        "data": {"zz-pool.conf": "[www]\npm = static\npm.max_children = 5\n"},
    }, 322.0, "kubectl-edit", {"f:data": {"f:zz-pool.conf": {}}})  # fmt: skip
    for pod in pods:
        x.log(pod, 322.9, f"[{x.at(322.9).strftime('%d-%b-%Y %H:%M:%S')}] NOTICE: Reloading in progress ...")
        x.log(pod, 323.0, f"[{x.at(323.0).strftime('%d-%b-%Y %H:%M:%S')}] NOTICE: ready to handle connections")
        for at in x.every(3, 323.4):
            x.log(
                pod,
                at,
                f"[{x.at(at).strftime('%d-%b-%Y %H:%M:%S')}] WARNING: [pool www] server reached pm.max_children setting (5), consider raising it",
            )

    def failed(at: float) -> None:
        x.log(front, at, nginx_error(x.at(at), "upstream timed out (110: Operation timed out) while reading response header from upstream", "/", "10.42.0.5:8080"),
              namespace="ingress-nginx")  # fmt: skip

    traffic(
        x,
        front,
        "/",
        "blog-press-80",
        every=0.12,
        failing=lambda m: 0.35 if m > 323.2 else 0.0,
        status=(504,),
        slow=60.0,
        failed=failed,
    )
    x.rollout(301, "comments", 1, image="1.3.3")
    return x.write(folder)


def policy_denies(folder: Path) -> Path:
    """An AuthorizationPolicy is applied for one caller and shuts out all others: Envoy answers 403. Istio, half a day."""
    x = Export(day(4, 6), 720, seed=403, namespace="loyal")
    gateway = x.workload("istio-ingressgateway", 1, namespace="istio-system")[0]
    points = x.workload("points", 2)
    edited(x, {
        "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "points-callers", "namespace": "loyal"},
        "spec": {"selector": {"matchLabels": {"app": "points"}}, "action": "ALLOW",
                 "rules": [{"from": [{"source": {"principals": ["cluster.local/ns/loyal/sa/till"]}}]}]},
    }, 417.0, "argocd-controller", {"f:spec": {}}, born=417.0)  # fmt: skip
    for at in x.every(0.2):
        bad = at > 417.1
        x.log(gateway, at, envoy(x.random, x.at(at), "/points", 403 if bad else 200, "-", details="via_upstream",
              cluster="outbound|80||points.loyal.svc.cluster.local", ms=1 if bad else 40), container="istio-proxy", namespace="istio-system")  # fmt: skip
        pod = x.random.choice(points)
        x.log(pod, at, envoy(x.random, x.at(at), "/points", 403 if bad else 200, "-" , details="rbac_access_denied_matched_policy[none]" if bad else
              "via_upstream", cluster="inbound|8080||", ms=0 if bad else 38), container="istio-proxy")  # fmt: skip
        if not bad:
            x.log(pod, at, spring(x.at(at), "INFO", "c.e.points.Api", "balance read"))
    x.rollout(402, "vouchers", 2, image="4.0.2")
    return x.write(folder)


def no_metrics(folder: Path) -> Path:
    """metrics-server is upgraded and cannot scrape: the autoscaler is blind at the evening peak and six hundred requests wait in vain."""
    x = Export(day(5, 10), 720, seed=404, namespace="food")
    front = edge(x)
    pods = x.workload("menu", 3)
    x.keep({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "menu", "namespace": "food"},
        "spec": {"minReplicas": 3, "maxReplicas": 12, "scaleTargetRef": {"kind": "Deployment", "name": "menu"}},
    })  # fmt: skip
    new = x.workload("metrics-server", 1, image="0.7.2", born=300.0, namespace="kube-system")[0]
    x.event(300, "ScalingReplicaSet", "Deployment/metrics-server", f"Scaled up replica set {new.rpartition('-')[0]} from 0 to 1",
            component="deployment-controller", namespace="kube-system")  # fmt: skip
    x.event(302, "Unhealthy", f"Pod/{new}", "Readiness probe failed: HTTP probe failed with statuscode: 500", warning=True, count=2500,
            until=719, namespace="kube-system")  # fmt: skip
    x.event(304, "FailedGetResourceMetric", "HorizontalPodAutoscaler/menu", "failed to get cpu utilization: unable to get metrics for resource cpu: unable to "
            "fetch metrics from resource metrics API: the server is currently unable to handle the request (get pods.metrics.k8s.io)",
            warning=True, count=1600, until=719, component="horizontal-pod-autoscaler")  # fmt: skip
    for at in x.every(2, 301):
        x.log(new, at, f'E{x.at(at).strftime("%m%d %H:%M:%S.%f")}       1 scraper.go:149] "Failed to scrape node" err="Get \\"https://10.0.1.{x.random.randint(4, 9)}:10250/'
              'metrics/resource\\": tls: failed to verify certificate: x509: cannot validate certificate for 10.0.1.4 because it doesn\'t contain any IP SANs" '
              'node="node-a"', namespace="kube-system")  # fmt: skip
    load = lambda m: 0.25 + 0.7 * max(0.0, 1 - abs(m - 540) / 120)  # noqa: E731 - read beside its use
    for pod in pods:
        x.counter("container_cpu_usage_seconds_total", {"namespace": "food", "pod": pod, "container": "app"}, load)
    traffic(x, front, "/menu", "food-menu-80", every=0.2, failing=lambda m: 0.5 if 480 < m < 600 else 0.0, status=(504, 503), slow=15.0,
            served=lambda m: x.log(x.random.choice(pods), m, pino(x.at(m), 30, "menu sent")))  # fmt: skip
    x.rollout(455, "coupons", 2, image="1.0.9")
    return x.write(folder)


def lost_prefix(folder: Path) -> Path:
    """A chart's new version drops the rewrite annotation of an Ingress: the service does not know the prefix and answers 404. Six hours."""
    x = Export(day(6, 8), 360, seed=405, namespace="docs")
    front = edge(x)
    pods = x.workload("manual", 2)
    edited(x, {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "manual", "namespace": "docs"},
        "spec": {"rules": [{"host": "www.example.com", "http": {"paths": [{"path": "/manual", "pathType": "Prefix",
                 "backend": {"service": {"name": "manual", "port": {"number": 80}}}}]}}]},
    }, 144.0, "helm", {"f:metadata": {"f:annotations": {}}, "f:spec": {"f:rules": {}}})  # fmt: skip
    for at in x.every(0.15):
        bad = at > 144.1
        x.log(
            front,
            at,
            ingress(x.random, x.at(at), "/manual/start", 404 if bad else 200, "docs-manual-80", 0.01),
            namespace="ingress-nginx",
        )
        x.log(x.random.choice(pods), at, pino(x.at(at), 40 if bad else 30, "request completed", method="GET",
              path="/manual/start" if bad else "/start", status=404 if bad else 200))  # fmt: skip
    x.rollout(120, "search-ui", 2, image="2.0.0")
    return x.write(folder)


def many_pings(folder: Path) -> Path:
    """A client's release pings its gRPC server every second; the server says too many pings and closes the connection. A day."""
    x = Export(day(7), 1440, seed=406, namespace="ride")
    front = edge(x)
    x.workload("dispatch", 2)
    new = x.rollout(640, "dispatch", 2, image="6.1.0", container={"args": ["--grpc-keepalive=1s"]})
    match = x.workload("matching", 2)

    def failed(at: float) -> None:
        x.log(x.random.choice(new), at, zap(x.at(at), "error", "match rider", error="rpc error: code = Unavailable desc = closing transport due to: connection "
              'error: desc = "error reading from server: EOF", received prior goaway: code: ENHANCE_YOUR_CALM, debug data: "too_many_pings"',
              target="matching.ride.svc.cluster.local:9090"))  # fmt: skip
        x.log(
            x.random.choice(match),
            at,
            zap(x.at(at), "warn", "transport: Got too many pings from the client, closing the connection."),
        )

    traffic(x, front, "/ride", "ride-dispatch-80", every=0.3, failing=lambda m: 0.3 if m > 641.2 else 0.0, status=(503,), failed=failed,
            served=lambda m: x.log(x.random.choice(match), m, zap(x.at(m), "info", "rider matched")))  # fmt: skip
    x.rollout(600, "tips", 1, image="1.1.0")
    return x.write(folder)


def wrong_forward(folder: Path) -> Path:
    """Somebody edits CoreDNS' ConfigMap and names a resolver that refuses: names outside cannot be resolved. Eight hours, then undone."""
    x = Export(day(8, 8), 480, seed=407, namespace="trip")
    front = edge(x)
    pods = x.workload("hotels", 2)
    dns = x.workload("coredns", 2, namespace="kube-system", image="1.11.3")
    edited(x, {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system"},
        "data": {"Corefile": ".:53 {\n    errors\n    kubernetes cluster.local\n    forward . 10.9.0.53\n    reload\n}\n"},
    }, 190.0, "kubectl-edit", {"f:data": {"f:Corefile": {}}})  # fmt: skip
    for pod in dns:
        x.log(pod, 190.7, "[INFO] Reloading", namespace="kube-system")
        x.log(pod, 190.8, "[INFO] plugin/reload: Running configuration SHA512 = 5f8e2b9d2a", namespace="kube-system")

    def failed(at: float) -> None:
        x.log(x.random.choice(dns), at, "[ERROR] plugin/errors: 2 api.bookings.example.net. A: read udp 10.42.2.3:38211->10.9.0.53:53: read: connection refused",
              namespace="kube-system")  # fmt: skip
        x.log(x.random.choice(pods), at, pino(x.at(at), 50, "search failed", err={"errno": -3001, "code": "EAI_AGAIN", "syscall": "getaddrinfo",
              "message": "getaddrinfo EAI_AGAIN api.bookings.example.net"}))  # fmt: skip

    traffic(x, front, "/hotels", "trip-hotels-80", every=0.12, failing=lambda m: 0.9 if m > 190.9 else 0.0, status=(502,), failed=failed,
            served=lambda m: x.log(x.random.choice(pods), m, pino(x.at(m), 30, "search done")))  # fmt: skip
    x.rollout(171, "flights", 2, image="3.2.1")
    return x.write(folder)


def resized(folder: Path) -> Path:
    """The VPA evicts the only pod of a slow starter whenever its recommendation moves: four gaps a day. Events and a proxy's log."""
    x = Export(day(9), 1440, seed=408, namespace="risk")
    front = edge(x)
    pod = x.workload("scoring", 1)[0]
    x.keep({
        "apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler", "metadata": {"name": "scoring", "namespace": "risk",
        "creationTimestamp": stamp(x.at(-4000.0))}, "spec": {"targetRef": {"kind": "Deployment", "name": "scoring"}, "updatePolicy": {"updateMode": "Auto"}},
    })  # fmt: skip
    spans = []
    for n, at in enumerate((166.0, 512.0, 861.0, 1203.0)):
        after = f"{pod[:-5]}{'bcdf'[n]}7wq2"
        x.event(
            at,
            "EvictedByVPA",
            f"Pod/{pod}",
            "Pod was evicted by VPA Updater to apply resource recommendation.",
            component="vpa-updater",
        )
        x.event(at + 0.1, "Killing", f"Pod/{pod}", "Stopping container app")
        x.event(
            at + 0.2,
            "Scheduled",
            f"Pod/{after}",
            f"Successfully assigned risk/{after} to node-b",
            component="default-scheduler",
        )
        x.event(at + 0.5, "Started", f"Pod/{after}", "Started container app")
        x.event(at + 1, "Unhealthy", f"Pod/{after}", 'Startup probe failed: Get "http://10.42.0.7:8080/health": dial tcp 10.42.0.7:8080: connect: '
                "connection refused", warning=True, count=9, until=at + 4)  # fmt: skip
        spans.append((at + 0.15, at + 4.2))
        pod = after
    traffic(x, front, "/score", "risk-scoring-80", every=0.2, failing=between(*spans), status=(503,))
    x.rollout(500, "reports", 1, image="2.0.0")
    return x.write(folder)


def big_header(folder: Path) -> Path:
    """A release puts every permission into the session cookie: nginx finds the answer's header too big. A day, objects and nginx."""
    x = Export(day(10), 1440, seed=409, namespace="intra")
    front = edge(x)
    old = x.workload("portal", 2)
    new = x.rollout(533, "portal", 2, image="14.0.0")

    def failed(at: float) -> None:
        x.log(front, at, nginx_error(x.at(at), "upstream sent too big header while reading response header from upstream", "/portal/login",
              "10.42.0.6:8080"), namespace="ingress-nginx")  # fmt: skip

    traffic(x, front, "/portal/login", "intra-portal-80", every=0.5, failing=lambda m: 0.45 if m > 534.1 else 0.0, status=(502,), failed=failed,
            served=lambda m: x.log(x.random.choice(old if m < 534 else new), m, spring(x.at(m), "INFO", "c.e.Login", "signed in")))  # fmt: skip
    x.rollout(505, "phonebook", 1, image="1.9.0")
    x.rollout(548, "canteen", 1, image="0.2.0")
    return x.write(folder)


def slow_down(folder: Path) -> Path:
    """A backfill Job writes thumbnails by the million: the object store outside answers SlowDown to everybody. Eight hours."""
    x = Export(day(11, 8), 480, seed=410, namespace="pix")
    front = edge(x)
    pods = x.workload("albums", 2)
    run = job(x, "thumb-backfill", 203.0, 88.0)
    x.log(run, 203.3, "backfill: 4211903 objects to write, concurrency 512, bucket s3://pix-prod")
    for n, at in enumerate(x.every(1, 204, 291)):
        x.log(run, at, f"backfill: {n * 48000} written, bucket s3://pix-prod, last error: An error occurred (SlowDown) when calling the PutObject operation "
              "(reached max retries: 4): Please reduce your request rate.")  # fmt: skip
    x.log(run, 291, "backfill: done")

    def failed(at: float) -> None:
        x.log(x.random.choice(pods), at, "botocore.exceptions.ClientError: An error occurred (SlowDown) when calling the GetObject operation (reached max "
              "retries: 4): Please reduce your request rate. https://pix-prod.s3.eu-central-1.amazonaws.com")  # fmt: skip

    traffic(
        x,
        front,
        "/album",
        "pix-albums-80",
        every=0.15,
        failing=between((206.0, 291.5), chance=0.4),
        status=(503,),
        failed=failed,
    )
    x.rollout(180, "faces", 1, image="0.9.0")
    return x.write(folder)


def node_heap(folder: Path) -> Path:
    """A Node release keeps every session in memory: its heap is full after hours, it dies, starts anew, and dies again. Two days, metrics."""
    x = Export(day(12), 2880, seed=411, namespace="club")
    front = edge(x)
    old = x.workload("lobby", 2)
    new = x.rollout(700, "lobby", 2, image="5.5.0")
    spans = []
    deaths = {new[0]: [1085.0, 1470.0, 1850.0, 2240.0, 2630.0], new[1]: [1190.0, 1590.0, 1960.0, 2350.0, 2740.0]}
    for pod in old:
        x.series("container_memory_working_set_bytes", {"namespace": "club", "pod": pod, "container": "app"},
                 lambda m: 3.1e8 + 1e6 * (m % 9) if m < 701 else float("nan"), step=5)  # fmt: skip
    for pod, times in deaths.items():
        x.series("container_memory_working_set_bytes", {"namespace": "club", "pod": pod, "container": "app"},
                 lambda m, t=times: float("nan") if m < 702 else 3.1e8 + 4.6e6 * (m - max([701.0, *(d for d in t if d <= m)])), step=5)  # fmt: skip
        for at in times:
            for line in ("<--- Last few GCs --->", f"[1:0x7f2c] {int(at * 60000)} ms: Mark-Compact 2046.1 (2083.4) -> 2044.9 (2083.9) MB, 1104.91 / 0.00 ms",
                         "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"):  # fmt: skip
                x.log(pod, at, line)
            x.event(
                at + 0.2,
                "BackOff",
                f"Pod/{pod}",
                f"Back-off restarting failed container app in pod {pod}",
                warning=True,
            )
            x.event(at + 1.2, "Started", f"Pod/{pod}", "Started container app")
            spans.append((at, at + 1.4))

    def failed(at: float) -> None:
        x.log(front, at, nginx_error(x.at(at), "connect() failed (111: Connection refused) while connecting to upstream", "/lobby", "10.42.0.5:8080"),
              namespace="ingress-nginx")  # fmt: skip

    traffic(x, front, "/lobby", "club-lobby-80", every=0.15, failing=between(*spans, chance=0.5), failed=failed,
            served=lambda m: x.log(x.random.choice(old if m < 701 else new), m, pino(x.at(m), 30, "lobby joined")))  # fmt: skip
    for at in (300, 1400, 2100):
        x.rollout(at, "badges", 1, image=f"1.{at}.0")
    return x.write(folder)


INCIDENTS = (
    Unseen(name="open-files", build=open_files, question=None, roots=frozenset({"Deployment/geo/routes"})),
    Unseen(name="php-children", build=php_children, question="why is the blog so slow?", roots=frozenset({"ConfigMap/blog/php-pool"})),
    Unseen(name="policy-denies", build=policy_denies, question=None, roots=frozenset({"AuthorizationPolicy/loyal/points-callers"})),
    Unseen(name="no-metrics", build=no_metrics, question="Why were there timeouts in the evening?", roots=frozenset({"Deployment/kube-system/metrics-server"}),
           shallow=frozenset({"HorizontalPodAutoscaler/food/menu"}), hard=True),
    Unseen(name="lost-prefix", build=lost_prefix, question=None, roots=frozenset({"Ingress/docs/manual"})),
    Unseen(name="many-pings", build=many_pings, question=None, roots=frozenset({"Deployment/ride/dispatch"})),
    Unseen(name="wrong-forward", build=wrong_forward, question=None, roots=frozenset({"ConfigMap/kube-system/coredns"})),
    Unseen(name="resized", build=resized, question="scoring was away a few times today, why?",
           roots=frozenset({"VerticalPodAutoscaler/risk/scoring"}), shallow=frozenset({"Deployment/risk/scoring"})),
    Unseen(name="big-header", build=big_header, question=None, roots=frozenset({"Deployment/intra/portal"})),
    Unseen(name="slow-down", build=slow_down, question=None, roots=frozenset({"Job/pix/thumb-backfill"}), shallow=frozenset({"Host//pix-prod.s3.eu-central-1.amazonaws.com"})),
    Unseen(name="node-heap", build=node_heap, question=None, full=True, roots=frozenset({"Deployment/club/lobby"})),
)  # fmt: skip
