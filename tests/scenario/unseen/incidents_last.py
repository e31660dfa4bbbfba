"""A third hand of incidents, measured once after all mends: settings, outside databases, brokers, and windows without a cause."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, edited, node, stateful, traffic
from line_formats import kafka, nginx_error, pino, postgres, spring, zap


def few_connections(folder: Path) -> Path:
    """The controller's ConfigMap gets a tenth of the worker connections; at once nginx runs out of them. Twelve hours."""
    x = Export(day(3, 6), 720, seed=301, namespace="web")
    front = edge(x)
    x.objects["ingress-nginx", "Deployment"][-1]["spec"]["template"]["spec"]["containers"][0]["args"] = [
        "--configmap=ingress-nginx/controller"
    ]
    edited(x, {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "controller", "namespace": "ingress-nginx"},
        "data": {"max-worker-connections": "1024"},
    }, 401.0, "kubectl-edit", {"f:data": {"f:max-worker-connections": {}}})  # fmt: skip
    shop = x.workload("shop", 3)

    def failed(at: float) -> None:
        x.log(front, at, f"{x.at(at).strftime('%Y/%m/%d %H:%M:%S')} [alert] 31#31: *{int(at * 991)} 1024 worker_connections are not enough while connecting "
              'to upstream, client: 198.51.100.4, server: shop.example.com, request: "GET / HTTP/1.1"', namespace="ingress-nginx")  # fmt: skip

    traffic(x, front, "/", "web-shop-80", every=0.15, failing=lambda m: 0.3 if m > 401.4 else 0.0, status=(500, 502), failed=failed,
            served=lambda m: x.log(x.random.choice(shop), m, pino(x.at(m), 30, "page")))  # fmt: skip
    x.rollout(370, "vouchers", 2, image="1.8.0")
    return x.write(folder)


def smaller_limit(folder: Path) -> Path:
    """A rollout halves a service's memory limit; it is killed again and again from then on. A day, events and proxy."""
    x = Export(day(4), 1440, seed=302, namespace="sku")
    front = edge(x)
    x.workload("stock", 2)
    new = x.rollout(555, "stock", 2, container={"resources": {"limits": {"memory": "512Mi"}}})
    spans = []
    for n, at in enumerate(x.every(22, 562)):
        pod = new[n % 2]
        x.event(at, "OOMKilling", "Node/node-a", f"Memory cgroup out of memory: Killed process {6100 + n} (java) total-vm:4100000kB, anon-rss:522000kB",
                warning=True, component="kernel-monitor", host="node-a")  # fmt: skip
        x.event(at + 0.2, "Started", f"Pod/{pod}", "Started container app", host="node-a")
        spans.append((at, at + 1.2))

    def failed(at: float) -> None:
        x.log(front, at, nginx_error(x.at(at), "connect() failed (111: Connection refused) while connecting to upstream", "/stock", "10.42.0.5:8080"),
              namespace="ingress-nginx")  # fmt: skip

    traffic(x, front, "/stock", "sku-stock-80", every=0.1, failing=between(*spans, chance=0.5), failed=failed)
    x.rollout(530, "labels", 1, image="3.0.0")
    return x.write(folder)


def failover(folder: Path) -> Path:
    """The managed database outside fails over twice; clients are cut off and wait for it. Logs only, a day."""
    x = Export(day(5), 1440, seed=303, namespace="fin")
    front = edge(x, keep=False)
    api = x.workload("ledger", 2, keep=False)
    spans = ((381.0, 384.5), (1122.0, 1126.0))
    host = "fin-prod.cluster-c9ab.eu-west-1.rds.amazonaws.com"

    def failed(at: float) -> None:
        x.log(x.random.choice(api), at, zap(x.at(at), "error", "query", error=f"failed to connect to `host={host} user=ledger database=fin`: dial error "
              f"(dial tcp: connect: connection refused) {host}:5432"))  # fmt: skip

    traffic(x, front, "/ledger", "fin-ledger-80", every=0.1, failing=between(*spans, chance=0.95), status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(api), m, zap(x.at(m), "info", "entry read")))  # fmt: skip
    for at in x.every(200):
        x.log(x.random.choice(api), at, zap(x.at(at), "warn", "slow query", ms=900))
    return x.write(folder)


def brokers_rolled(folder: Path) -> Path:
    """Three Kafka brokers are replaced one after another; producers time out at each change of leaders. Six hours."""
    x = Export(day(6, 9), 360, seed=304, namespace="bus")
    front = edge(x)
    stateful(x, "kafka", "quay.io/strimzi/kafka:0.43.0", volume="data")
    intake = x.workload("intake", 2)
    spans = []
    for n, at in enumerate((120.0, 131.0, 143.0)):
        x.event(
            at,
            "SuccessfulDelete",
            "StatefulSet/kafka",
            f"delete Pod kafka-{2 - n} in StatefulSet kafka successful",
            component="statefulset-controller",
        )
        x.event(at + 0.1, "Killing", f"Pod/kafka-{2 - n}", "Stopping container app")
        x.event(
            at + 1,
            "SuccessfulCreate",
            "StatefulSet/kafka",
            f"create Pod kafka-{2 - n} in StatefulSet kafka successful",
            component="statefulset-controller",
        )
        x.event(at + 1.3, "Started", f"Pod/kafka-{2 - n}", "Started container app")
        spans.append((at + 0.2, at + 3.2))

    def failed(at: float) -> None:
        x.log(x.random.choice(intake), at, kafka(x.at(at), "WARN", "[Producer clientId=p-1] Got error produce response with correlation id 91 on topic-partition "
              "events-4, retrying (2147483646 attempts left). Error: NOT_LEADER_OR_FOLLOWER", "org.apache.kafka.clients.producer.internals.Sender"))  # fmt: skip
        x.log(x.random.choice(intake), at, spring(x.at(at), "ERROR", "c.e.intake.Api", "org.apache.kafka.common.errors.TimeoutException: Expiring 3 record(s) "
              "for events-4: 30000 ms has passed since batch creation"))  # fmt: skip

    traffic(
        x,
        front,
        "/events",
        "bus-intake-80",
        every=0.06,
        failing=between(*spans, chance=0.6),
        status=(503, 504),
        slow=30.0,
        failed=failed,
    )
    x.rollout(95, "audit", 1, image="0.3.0")
    return x.write(folder)


def read_only(folder: Path) -> Path:
    """A node is drained for work; the Redis primary on it ends, the old address is a replica now and refuses writes. Eight hours."""
    x = Export(day(7, 8), 480, seed=305, namespace="cart")
    for name in ("node-a", "node-b", "node-c"):
        node(x, name)
    front = edge(x)
    primary = stateful(x, "redis", "docker.io/library/redis:7.4", volume="data", on="node-b")
    carts = x.workload("carts", 2)
    x.event(222, "NodeNotSchedulable", "Node/node-b", "Node node-b status is now: NodeNotSchedulable", host="node-b")
    x.event(222.6, "Killing", f"Pod/{primary}", "Stopping container app", host="node-b")
    x.event(224, "Started", f"Pod/{primary}", "Started container app", host="node-c")
    x.event(301, "NodeSchedulable", "Node/node-b", "Node node-b status is now: NodeSchedulable", host="node-b")

    def failed(at: float) -> None:
        x.log(x.random.choice(carts), at, pino(x.at(at), 50, "cart not saved", err={"type": "ReplyError", "message": "READONLY You can't write against a read "
              "only replica."}, target="redis.cart.svc.cluster.local:6379"))  # fmt: skip

    traffic(x, front, "/cart", "cart-carts-80", every=0.15, failing=between((222.7, 263.0), chance=0.8), status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(carts), m, pino(x.at(m), 30, "cart saved")))  # fmt: skip
    x.rollout(190, "cart-ui", 2, image="4.4.0")
    return x.write(folder)


def unknown_secret(folder: Path) -> Path:
    """A release names a Secret that was never made; none of its pods starts, the old ones are already gone. Three hours."""
    x = Export(day(8, 13), 180, seed=306, namespace="vote")
    front = edge(x)
    x.workload("ballot", 2)
    env = [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "ballot-signing-v2", "key": "token"}}}]
    x.workload("ballot", 2, image="2.0.0", born=66.0, container={"env": env})
    new = [pod["metadata"]["name"] for pod in x.objects["vote", "Pod"][-2:]]
    x.event(
        66,
        "ScalingReplicaSet",
        "Deployment/ballot",
        f"Scaled up replica set {new[0].rpartition('-')[0]} from 0 to 2",
        component="deployment-controller",
    )
    for pod in new:
        x.event(
            66.2,
            "Failed",
            f"Pod/{pod}",
            'Error: secret "ballot-signing-v2" not found',
            warning=True,
            count=500,
            until=150,
        )
    traffic(x, front, "/ballot", "vote-ballot-80", every=0.1, failing=between((66.1, 151)), status=(503,))
    x.rollout(40, "results", 1, image="1.0.1")
    return x.write(folder)


def outside_certificate(folder: Path) -> Path:
    """A partner lets its certificate run out; Java clients refuse it. Only logs, twelve hours."""
    x = Export(day(9, 6), 720, seed=307, namespace="ship")
    front = edge(x, keep=False)
    rates = x.workload("rates", 2, keep=False)

    def failed(at: float) -> None:
        x.log(x.random.choice(rates), at, spring(x.at(at), "ERROR", "c.e.rates.CarrierClient", 'I/O error on GET request for "https://rates.carrierhub.example.com/'
              'v2/quote": PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed'))  # fmt: skip

    traffic(x, front, "/rates", "ship-rates-80", every=0.2, failing=lambda m: 0.97 if m > 360 else 0.0, status=(502,), failed=failed,
            served=lambda m: x.log(x.random.choice(rates), m, spring(x.at(m), "INFO", "c.e.rates.CarrierClient", "quoted")))  # fmt: skip
    x.rollout(352, "labels", 1, image="5.0.0", keep=False)
    return x.write(folder)


def nobody_outside(folder: Path) -> Path:
    """Calls to four providers outside time out in the same half hour: it is the way there, of which nothing was exported."""
    x = Export(day(10), 720, seed=308, namespace="hub")
    front = edge(x)
    pods = {name: x.workload(name, 2) for name in ("maps", "payments", "mailing", "fraud")}
    hosts = {
        "maps": "api.mapster.example.com",
        "payments": "api.payco.example.com",
        "mailing": "smtp.mailer.example.org",
        "fraud": "score.fraudly.example.net",
    }
    for name, own in pods.items():

        def failed(at: float, name: str = name, own: list[str] = own) -> None:
            x.log(
                x.random.choice(own),
                at,
                zap(
                    x.at(at),
                    "error",
                    "call",
                    error=f'Post "https://{hosts[name]}/v1": dial tcp 203.0.113.{len(name)}:443: i/o timeout',
                ),
            )

        traffic(
            x,
            front,
            f"/{name}",
            f"hub-{name}-80",
            every=0.6,
            failing=between((301.0, 333.0), chance=0.6),
            status=(502, 504),
            failed=failed,
        )
    x.rollout(120, "fraud", 2, image="2.2.0")
    return x.write(folder)


def loud_alerts(folder: Path) -> Path:
    """Alerts fire in the channel all night, for thresholds set too low; every request is answered."""
    x = Export(day(11), 720, seed=309, namespace="calm")
    front = edge(x)
    api = x.workload("api", 3)
    for n, at in enumerate(x.every(40)):
        x.say(
            at,
            "UALERT",
            f"[FIRING:1] HighMemoryUsage api-{n % 3} severity=warning: memory above 60% for 5m",
            channel="alerts",
        )
    x.say(300, "UMO", "again these alerts, is anything wrong?", channel="alerts")
    traffic(
        x,
        front,
        "/api",
        "calm-api-80",
        every=0.2,
        failing=between(),
        served=lambda m: x.log(x.random.choice(api), m, zap(x.at(m), "info", "ok")),
    )
    return x.write(folder)


def before_the_change(folder: Path) -> Path:
    """Errors rise slowly for an hour, then a Secret is rotated and a release goes out; the errors are the same after both."""
    x = Export(day(12), 720, seed=310, namespace="slow")
    front = edge(x)
    api, pg = x.workload("profile", 2), x.workload("postgres", 1)[0]
    rises = lambda m: 0.0 if m < 300 else min(0.5, (m - 300) / 120)  # noqa: E731 - read beside its use
    edited(x, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "profile-keys", "namespace": "slow"}, "data": {"k": "eA=="}},
           365.0, "vault-secrets-operator", {"f:data": {"f:k": {}}})  # fmt: skip
    x.rollout(372, "profile", 2, image="1.3.0")
    traffic(x, front, "/profile", "slow-profile-80", every=0.15, failing=rises, status=(500,),
            failed=lambda m: x.log(x.random.choice(api), m, zap(x.at(m), "error", "render profile", error="unexpected end of input")))  # fmt: skip
    for at in x.every(25):
        x.log(pg, at, postgres(x.at(at), "LOG", "checkpoint starting: time"))
    return x.write(folder)


_INCONCLUSIVE = frozenset({"inconclusive"})
INCIDENTS = (
    Unseen(name="few-connections", build=few_connections, question=None, roots=frozenset({"ConfigMap/ingress-nginx/controller"})),
    Unseen(name="smaller-limit", build=smaller_limit, question=None, roots=frozenset({"Deployment/sku/stock"})),
    Unseen(name="failover", build=failover, question="why did ledger fail twice?", roots=frozenset({"Host//fin-prod.cluster-c9ab.eu-west-1.rds.amazonaws.com"})),
    Unseen(name="brokers-rolled", build=brokers_rolled, question=None, roots=frozenset({"StatefulSet/bus/kafka"}), hard=True),
    Unseen(name="read-only", build=read_only, question=None, roots=frozenset({"Node//node-b"}), shallow=frozenset({"StatefulSet/cart/redis"})),
    Unseen(name="unknown-secret", build=unknown_secret, question="ballot is down", roots=frozenset({"Deployment/vote/ballot", "Secret/vote/ballot-signing-v2"})),
    Unseen(name="outside-certificate", build=outside_certificate, question=None, roots=frozenset({"Host//rates.carrierhub.example.com"})),
    Unseen(name="nobody-outside", build=nobody_outside, question=None, verdicts=_INCONCLUSIVE),
    Unseen(name="loud-alerts", build=loud_alerts, question=None, verdicts=frozenset({"no_incident", "inconclusive"})),
    Unseen(name="before-the-change", build=before_the_change, question="Did profile 1.3.0 break it?", verdicts=_INCONCLUSIVE),
)  # fmt: skip
