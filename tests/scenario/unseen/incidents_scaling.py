"""Incidents of capacity: too few, too many, taken away, and what a node gives its pods."""

from pathlib import Path

from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, node, traffic
from line_formats import nginx_error, pino, postgres, spring, zap


def at_maximum(folder: Path) -> Path:
    """A campaign trebles the traffic; the autoscaler is at its maximum of six and stays there. Three hours, metrics and objects."""
    x = Export(day(14, 17), 180, seed=91, namespace="ticket")
    front = edge(x)
    api = x.workload("box-office", 6)
    x.keep({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "box-office", "namespace": "ticket", "creationTimestamp": stamp(x.at(-90000.0))},
        "spec": {"minReplicas": 3, "maxReplicas": 6, "scaleTargetRef": {"kind": "Deployment", "name": "box-office"},
                 "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}]},
        "status": {"currentReplicas": 6, "desiredReplicas": 6, "conditions": [
            {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "lastTransitionTime": stamp(x.at(63.5)),
             "message": "the desired replica count is more than the maximum replica count"}]},
    })  # fmt: skip
    x.event(62, "SuccessfulRescale", "HorizontalPodAutoscaler/box-office", "New size: 6; reason: cpu resource utilization (percentage of "
            "request) above target", component="horizontal-pod-autoscaler")  # fmt: skip
    x.series("kube_horizontalpodautoscaler_status_desired_replicas", {"namespace": "ticket", "horizontalpodautoscaler": "box-office"},
             lambda m: 4 if m < 62 else 6)  # fmt: skip
    x.series(
        "kube_horizontalpodautoscaler_spec_max_replicas",
        {"namespace": "ticket", "horizontalpodautoscaler": "box-office"},
        lambda _m: 6,
    )
    x.counter("nginx_ingress_controller_requests", {"namespace": "ticket", "ingress": "box-office", "status": "200"},
              lambda m: 90 + (m % 7) if m < 60 else 310 + (m % 9))  # fmt: skip
    for pod in api:
        x.counter("container_cpu_usage_seconds_total", {"namespace": "ticket", "pod": pod, "container": "app"},
                  lambda m: 0.5 + 0.01 * (m % 4) if m < 60 else 1.97)  # fmt: skip
    traffic(x, front, "/buy", "ticket-box-office-80", every=0.1, failing=lambda m: 0.4 if m > 66 else 0, status=(504, 503), slow=8.0,
            failed=lambda m: x.log(x.random.choice(api), m, spring(x.at(m), "WARN", "o.a.tomcat.util.threads.ThreadPoolExecutor",
                                   "Maximum threads (200) of executor reached; task rejected")))  # fmt: skip
    x.rollout(41, "newsletter", 1, image="2.2.2")
    return x.write(folder)


def _reclaim(x: Export, at: float, name: str, old: str, new: str, onto: str) -> None:
    """Add Karpenter's events of a spot node that is taken back, and of the pod that has to move."""
    x.event(
        at,
        "SpotInterrupted",
        f"Node/{name}",
        "Spot interruption warning was triggered",
        warning=True,
        component="karpenter",
    )
    x.event(at + 0.05, "TerminatingOnInterruption", f"Node/{name}", "Interruption triggered termination for the Node", warning=True,
            component="karpenter")  # fmt: skip
    x.event(at + 0.1, "Evicted", f"Pod/{old}", "Evicted pod: Interruption", component="karpenter")
    x.event(at + 0.15, "Killing", f"Pod/{old}", "Stopping container app", host=name)
    x.event(at + 0.2, "FailedScheduling", f"Pod/{new}", "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available",
            warning=True, component="default-scheduler")  # fmt: skip
    x.event(
        at + 1.4,
        "Scheduled",
        f"Pod/{new}",
        f"Successfully assigned play/{new} to {onto}",
        component="default-scheduler",
    )
    x.event(at + 1.5, "Pulling", f"Pod/{new}", 'Pulling image "registry.example.com/matchmaker:1.0.0"', host=onto)
    x.event(at + 3.6, "Started", f"Pod/{new}", "Started container app", host=onto)
    x.event(
        at + 6,
        "RemovingNode",
        f"Node/{name}",
        f"Node {name} event: Removing Node {name} from Controller",
        component="node-controller",
    )


def spot_reclaimed(folder: Path) -> Path:
    """Three spot nodes are taken back in a day; a service of one replica is away each time until it is pulled anew elsewhere."""
    x = Export(day(15), 1440, seed=92, namespace="play")
    front = edge(x)
    x.workload("lobby", 3, nodes=("node-a", "node-b"))
    of = x.workload("matchmaker", 1, nodes=("node-a",))[0].rpartition("-")[0]
    spans = []
    for n, at in enumerate((247.0, 803.0, 1189.0)):
        _reclaim(x, at, f"ip-10-0-3-{40 + n}", f"{of}-{'bcd'[n]}k2x7", f"{of}-{'cdf'[n]}k2x7", f"ip-10-0-3-{41 + n}")
        spans.append((at + 0.2, at + 3.7))

    def failed(at: float) -> None:
        x.log(front, at, nginx_error(x.at(at), "connect() failed (113: Host is unreachable) while connecting to upstream", "/match", "10.42.7.4:8080"),
              namespace="ingress-nginx")  # fmt: skip

    traffic(
        x,
        front,
        "/match",
        "play-matchmaker-80",
        every=0.1,
        failing=between(*spans),
        status=(502, 503),
        slow=0.1,
        failed=failed,
    )
    x.rollout(700, "lobby", 3, image="5.5.1")
    for at in x.every(130):
        x.event(at, "DisruptionBlocked", "Node/node-a", "Node isn't consolidatable", component="karpenter")
    return x.write(folder)


def pool_arithmetic(folder: Path) -> Path:
    """Somebody scales a service from four to fourteen by hand; its pools take every connection PostgreSQL has. Six hours."""
    x = Export(day(16, 8), 360, seed=93, namespace="rent")
    front = edge(x)
    search = x.workload("search-api", 14)
    book, pg = x.workload("booking-api", 3), x.workload("postgres", 1)[0]
    of = search[0].rpartition("-")[0]
    x.event(
        148,
        "ScalingReplicaSet",
        "Deployment/search-api",
        f"Scaled up replica set {of} from 4 to 14",
        component="deployment-controller",
    )
    for n, pod in enumerate(search[4:]):
        x.event(
            148.1 + n / 50,
            "Scheduled",
            f"Pod/{pod}",
            f"Successfully assigned rent/{pod} to node-b",
            component="default-scheduler",
        )
        x.event(148.4 + n / 50, "Started", f"Pod/{pod}", "Started container app")
        x.log(
            pod,
            148.7 + n / 50,
            spring(x.at(148.7), "INFO", "com.zaxxer.hikari.HikariDataSource", "HikariPool-1 - Starting..."),
        )
    x.series(
        "pg_stat_activity_count",
        {"namespace": "rent", "pod": pg, "datname": "rent"},
        lambda m: 71 + m % 3 if m < 148.5 else 100.0,
    )

    def failed(at: float) -> None:
        text = "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute"
        x.log(x.random.choice(book), at, spring(x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper", text))
        x.log(pg, at, postgres(x.at(at), "FATAL", text[7:], 9000 + int(at)))

    traffic(x, front, "/book", "rent-booking-api-80", every=0.2, failing=lambda m: 0.5 if m > 149 else 0, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(book), m, spring(x.at(m), "INFO", "c.e.Booking", "booked")))  # fmt: skip
    x.rollout(118, "reviews", 2, image="7.7.0")
    x.say(170, "UIRIS", "booking is erroring, is it the reviews release?")
    return x.write(folder)


def watch_limit(folder: Path) -> Path:
    """A new log agent watches every file of its nodes; others there cannot watch their own and do not start. Loki and events."""
    x = Export(day(17), 720, seed=94, namespace="edu")
    front = edge(x)
    agents = [f"log-agent-{s}" for s in ("4kx2z", "9qm7p", "tt5bv")]
    x.keep({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "log-agent", "namespace": "logging", "creationTimestamp": stamp(x.at(-90000.0))},
        "spec": {"selector": {"matchLabels": {"app": "log-agent"}}, "template": {"spec": {"containers": [
            {"name": "app", "image": "registry.example.com/log-agent:4.0.0"}]}}},
    })  # fmt: skip
    for n, pod in enumerate(agents):
        x.event(
            280 + n * 0.6,
            "SuccessfulCreate",
            "DaemonSet/log-agent",
            f"Created pod: {pod}",
            component="daemonset-controller",
            namespace="logging",
        )
        x.event(
            280.3 + n * 0.6,
            "Started",
            f"Pod/{pod}",
            "Started container app",
            namespace="logging",
            host=f"node-{'abc'[n]}",
        )
        x.log(
            pod,
            280.5 + n * 0.6,
            "[info] [input:tail:tail.0] inotify_fs_add(): watching 8113 files",
            namespace="logging",
        )
    courses = x.workload("courses", 3)
    for at in x.every(1.1, 301):
        pod = x.random.choice(courses[:2])
        x.log(pod, at, "System.IO.IOException: The configured user limit (128) on the number of inotify instances has been reached, or the "
              "per-process limit on the number of open file descriptors has been reached.")  # fmt: skip
        x.event(
            at + 0.1,
            "BackOff",
            f"Pod/{pod}",
            f"Back-off restarting failed container app in pod {pod}_edu(77)",
            warning=True,
        )
    traffic(x, front, "/courses", "edu-courses-80", every=0.25, failing=lambda m: 0.6 if m > 301 else 0, status=(502, 503),
            served=lambda m: x.log(x.random.choice(courses), m, "info: Courses.Web[0] Request finished HTTP/1.1 GET /courses - 200"))  # fmt: skip
    x.event(298, "Killing", f"Pod/{courses[0]}", "Container app failed liveness probe, will be restarted")
    x.event(299, "Killing", f"Pod/{courses[1]}", "Container app failed liveness probe, will be restarted")
    x.rollout(221, "certificates-pdf", 1, image="1.4.0")
    return x.write(folder, "loki")


def new_kernel(folder: Path) -> Path:
    """One node is upgraded and boots with cgroup v2; the old JVM on it no longer sees its limit and is killed, elsewhere it is not."""
    x = Export(day(18), 1440, seed=95, namespace="quote")
    node(x, "node-a")
    node(x, "node-b", kernelVersion="6.8.0-51-generic", osImage="Ubuntu 24.04.1 LTS")
    node(x, "node-c")
    front = edge(x)
    pods = x.workload("pricer", 3)
    x.event(510, "NodeNotSchedulable", "Node/node-b", "Node node-b status is now: NodeNotSchedulable")
    x.event(
        521, "Rebooted", "Node/node-b", "Node node-b has been rebooted, boot id: 9c41e7", warning=True, host="node-b"
    )
    x.event(522, "NodeReady", "Node/node-b", "Node node-b status is now: NodeReady", host="node-b")
    x.event(523, "NodeSchedulable", "Node/node-b", "Node node-b status is now: NodeSchedulable", host="node-b")
    downs = []
    for n, at in enumerate(x.every(28, 535)):
        x.event(at, "OOMKilling", "Node/node-b", f"Memory cgroup out of memory: Killed process {7000 + n} (java) total-vm:9912000kB, "
                "anon-rss:2090000kB, file-rss:0kB", warning=True, component="kernel-monitor", host="node-b")  # fmt: skip
        x.event(at + 0.2, "Started", f"Pod/{pods[1]}", "Started container app", host="node-b")
        x.log(
            pods[1],
            at + 0.3,
            spring(
                x.at(at + 0.3), "INFO", "c.e.PricerApplication", "Starting PricerApplication using Java 8 (1.8.0_292)"
            ),
        )
        downs.append((at, at + 1.6))

    def failed(at: float) -> None:
        x.log(front, at, nginx_error(x.at(at), "connect() failed (111: Connection refused) while connecting to upstream", "/quote", "10.42.1.6:8080"),
              namespace="ingress-nginx")  # fmt: skip

    traffic(x, front, "/quote", "quote-pricer-80", every=0.15, failing=between(*downs, chance=0.4), failed=failed)
    for at in x.every(3):
        x.log(x.random.choice(pods), at, spring(x.at(at), "INFO", "c.e.Pricer", "priced"))
    x.rollout(400, "quote-web", 2, image="2.0.0")
    return x.write(folder)


def scaled_in(folder: Path) -> Path:
    """The cluster autoscaler removes a node at night although a service's only two pods stand on it. Events, proxy logs; one night."""
    x = Export(day(19, 20), 720, seed=96, namespace="radio")
    front = edge(x)
    pods = x.workload("stream", 2, nodes=("node-d",))
    x.event(
        201, "ScaleDown", "Node/node-d", "marked the node as toBeDeleted/unschedulable", component="cluster-autoscaler"
    )
    for n, pod in enumerate(pods):
        fresh = f"{pod[:-5]}{'hj'[n]}x8v2"
        x.event(201.2, "ScaleDown", f"Pod/{pod}", "deleting pod for node scale down", component="cluster-autoscaler")
        x.event(201.3, "Killing", f"Pod/{pod}", "Stopping container app", host="node-d")
        x.event(201.5, "FailedScheduling", f"Pod/{fresh}", "0/4 nodes are available: 1 node(s) were unschedulable, 3 Insufficient cpu.", warning=True,
                component="default-scheduler")  # fmt: skip
        x.event(
            202,
            "TriggeredScaleUp",
            f"Pod/{fresh}",
            "pod triggered scale-up: [{asg-workers 3->4 (max: 9)}]",
            component="cluster-autoscaler",
        )
        x.event(
            206.5,
            "Scheduled",
            f"Pod/{fresh}",
            f"Successfully assigned radio/{fresh} to node-e",
            component="default-scheduler",
        )
        x.event(207.4, "Started", f"Pod/{fresh}", "Started container app", host="node-e")
    traffic(x, front, "/stream", "radio-stream-80", every=0.15, failing=between((201.5, 207.5)), status=(503,))
    x.rollout(160, "playlist", 1, image="1.9.9")
    for at in x.every(5):
        x.log(x.random.choice(pods), at, zap(x.at(at), "info", "segment served"))
    return x.write(folder)


def retries_unbound(folder: Path) -> Path:
    """A client's release retries ten times without a pause: a hiccup of a minute keeps its backend down for an hour. A day."""
    x = Export(day(20), 1440, seed=97, namespace="bank")
    front = edge(x)
    old, ledger = x.workload("mobile-bff", 2), x.workload("ledger", 2)
    new = x.rollout(300, "mobile-bff", 2, image="9.0.0", container={"env": [{"name": "LEDGER_RETRIES", "value": "10"}]})
    spans = ((688.0, 752.0), (1010.0, 1049.0))
    storm = between(*spans)
    x.counter("http_server_requests_seconds_count", {"namespace": "bank", "pod": ledger[0], "uri": "/balance"},
              lambda m: 480.0 if storm(m) else 40 + m % 5)  # fmt: skip
    for at in x.every(0.4):
        if storm(at):
            x.log(
                x.random.choice(new),
                at,
                pino(x.at(at), 40, "ledger call failed, retrying", attempt=x.random.randint(1, 10), backoffMs=0),
            )
            x.log(
                x.random.choice(ledger),
                at,
                spring(x.at(at), "WARN", "o.a.tomcat.util.threads.ThreadPoolExecutor", "queue capacity is full"),
            )
    for begun in (152.0, 688.0, 1010.0):
        x.log(
            ledger[0],
            begun - 0.2,
            spring(
                x.at(begun - 0.2),
                "INFO",
                "gc",
                "GC(812) Pause Full (G1 Compaction Pause) 3911M->2210M(4096M) 9182.114ms",
            ),
        )
    traffic(x, front, "/balance", "bank-mobile-bff-80", every=0.3, failing=lambda m: 0.8 * storm(m), status=(504, 503), slow=9.0,
            served=lambda m: x.log(x.random.choice(old if m < 300 else new), m, pino(x.at(m), 30, "balance shown")))  # fmt: skip
    x.rollout(660, "branch-finder", 1, image="0.4.4")
    return x.write(folder)


INCIDENTS = (
    Unseen(name="at-maximum", build=at_maximum, question="Why 504 while buying?",
           roots=frozenset({"HorizontalPodAutoscaler/ticket/box-office", "Deployment/ticket/box-office", "Ingress/ticket/box-office"})),
    Unseen(name="spot-reclaimed", build=spot_reclaimed, question=None, roots=frozenset({
        "Node//ip-10-0-3-40", "Node//ip-10-0-3-41", "Node//ip-10-0-3-42"})),
    Unseen(name="pool-arithmetic", build=pool_arithmetic, question=None, roots=frozenset({"Deployment/rent/search-api"})),
    Unseen(name="watch-limit", build=watch_limit, question=None, roots=frozenset({"DaemonSet/logging/log-agent"}),
           shallow=frozenset({"Deployment/edu/courses"}), hard=True),
    Unseen(name="new-kernel", build=new_kernel, question=None, roots=frozenset({"Node//node-b"}), shallow=frozenset({"Deployment/quote/pricer"}), hard=True),
    Unseen(name="scaled-in", build=scaled_in, question="503 just before midnight?", roots=frozenset({"Node//node-d"})),
    Unseen(name="retries-unbound", build=retries_unbound, question=None, roots=frozenset({"Deployment/bank/mobile-bff", "Deployment/bank/ledger"}), hard=True),
)  # fmt: skip
