"""A second handful to examine the engine by: disks beside etcd, connections that stick, one job too many, a registry's limit, routes lost; and a canary."""

# A scene reads as a table: a line for each thing that is written.
# fmt: off

from pathlib import Path

from examined_scenes import bustle, haproxy, measured, nginx, released, scheduled, wave
from incident_kit import Export, Unseen, day, stamp
from incident_scenes import edge, node, stateful, traffic
from incident_sets import cordoned, daemon, ended, made
from line_formats import klog, pino, postgres, spring, zap


def etcd_beside_agent(folder: Path) -> Path:
    """A log agent's release buffers on the control plane's disks; etcd's syncs take seconds, leases are lost and deployments fail. Ten hours.

    Root: the roll of vector on the control plane. Not: the deployer's own release, not the backup of etcd an hour earlier.
    """
    x = Export(day(4, 8), 600, seed=1031, namespace="delivery")
    front = edge(x)
    nodes = ["cp-1", "cp-2", "cp-3"]
    deployer_old = x.workload("deployer", 2)
    old = daemon(x, "vector", "docker.io/timberio/vector:0.41.1-alpine", nodes, "logging", keep=False)
    new = daemon(x, "vector", "docker.io/timberio/vector:0.42.0-alpine", nodes, "logging", born=172)
    for n, on in enumerate(nodes):
        at = 172.0 + 2 * n
        ended(x, old[on], at, on, namespace="logging", container="vector")
        made(x, new[on], at + 0.2, on, "docker.io/timberio/vector:0.42.0-alpine", namespace="logging", container="vector")
        x.log(new[on], at + 0.5, f'{stamp(x.at(at + 0.5))}  INFO vector::topology::builder: Building disk buffer. max_size=64GiB when_full="block" path="/var/lib/vector/buffer/v2/loki"', namespace="logging", container="vector")
        for once in x.every(40, at + 1):
            x.log(new[on], once, f"{stamp(x.at(once))}  WARN vector_buffers::variants::disk_v2: Buffer write took longer than expected. elapsed=1.8s", namespace="logging", container="vector")
    x.event(100, "SuccessfulCreate", "CronJob/etcd-snapshot", f"Created job etcd-snapshot-{scheduled(x, 100)}", component="cronjob-controller", namespace="kube-system")
    deployer = released(x, 158.0, "deployer", 2, "3.3.0", old=deployer_old)
    begun = 177.0
    for on in nodes:
        pod = f"etcd-{on}"
        x.series("etcd_disk_wal_fsync_duration_seconds_p99", {"namespace": "kube-system", "pod": pod}, lambda m: 0.006 + 0.001 * (m % 3) if m < begun else 1.4 + 0.3 * (m % 4))
        x.counter("node_disk_written_bytes_total", {"node": on, "instance": f"{on}:9100", "device": "nvme0n1"}, lambda m: 2.1e6 if m < begun - 4 else 1.9e8)
        for at in x.every(5, begun):
            x.log(pod, at, f'{{"level":"warn","ts":"{stamp(x.at(at))}","caller":"wal/wal.go:805","msg":"slow fdatasync","took":"{x.random.uniform(1.1, 3.4):.6f}s","expected-duration":"1s"}}', namespace="kube-system", container="etcd")
            x.log(pod, at + 0.02, f'{{"level":"warn","ts":"{stamp(x.at(at + 0.02))}","caller":"txn/util.go:93","msg":"apply request took too long","took":"2.112s","expected-duration":"100ms","prefix":"read-only range ","request":"key:\\"/registry/leases/kube-system/kube-scheduler\\" ","response":"","error":"context deadline exceeded"}}', namespace="kube-system", container="etcd")
        for at in x.every(25, 0, begun):
            x.log(pod, at, f'{{"level":"info","ts":"{stamp(x.at(at))}","caller":"mvcc/hash.go:137","msg":"storing new hash","hash":2731125931,"revision":{880000 + int(at)},"compact-revision":{879000 + int(at)}}}', namespace="kube-system", container="etcd")
    for at in x.every(22, begun + 2):
        pod = f"kube-controller-manager-{x.random.choice(nodes)}"
        x.log(pod, at, klog(x.at(at), "E", 'Failed to update lease optimistically, falling back to slow path: Put "https://10.0.0.11:6443/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager?timeout=5s": context deadline exceeded', "leaderelection.go:429"), namespace="kube-system", container="kube-controller-manager")
        x.log(pod, at + 0.1, klog(x.at(at + 0.1), "E", '"leaderelection lost"', "controllermanager.go:332"), namespace="kube-system", container="kube-controller-manager")
        x.event(at + 0.3, "Started", f"Pod/{pod}", "Started container kube-controller-manager", namespace="kube-system")
        x.event(at + 0.6, "LeaderElection", "Lease/kube-controller-manager", f"{pod.rpartition('manager-')[2]}_1f0c became leader", component="kube-controller-manager", namespace="kube-system")
    traffic(x, front, "/deploy", "delivery-deployer-80", every=0.5, failing=lambda m: 0.6 if m > begun + 0.5 else 0.004, status=(500, 504), slow=12.0,
            failed=lambda m: x.log(x.random.choice(deployer), m, zap(x.at(m), "error", "apply manifest", error="etcdserver: request timed out")),
            served=lambda m: x.log(x.random.choice(deployer if m > 159 else deployer_old), m, zap(x.at(m), "info", "applied")))
    x.say(190, "UANA", "deploys fail, deployer 3.3.0 went out at 10:38")
    x.say(199, "UBEN", "the api server times out for me as well, kubectl hangs")
    bustle(x, 5)
    return x.write(folder)


def stuck_connections(folder: Path) -> Path:
    """A release of the web tier speaks gRPC and keeps its connections: pods that the noon's scale-up adds get no calls, the old ones drown. Three days.

    Root: web's release of the first evening. Not: profile, whose autoscaler worked on all days; not profile's release on the second morning.
    """
    x = Export(day(10), 3 * 1440, seed=1032, namespace="soc")
    front = edge(x)
    web_old = x.workload("web", 4, image="77.0.0")
    profile = x.workload("profile", 3)
    web = released(x, 1150.0, "web", 4, "78.0.0", container={"env": [{"name": "PROFILE_ADDR", "value": "dns:///profile:9090"}, {"name": "PROFILE_PROTOCOL", "value": "grpc"}]}, old=web_old)
    peaks = [1440 * n + 715.0 for n in range(3)]
    extra = {peak: [f"{profile[0].rpartition('-')[0]}-{'bcdfgh'[k]}{n}m{k}x" for k in range(6)] for n, peak in enumerate(peaks)}
    load = wave(30, 420, 12.5)
    for peak, pods in extra.items():
        x.event(peak, "SuccessfulRescale", "HorizontalPodAutoscaler/profile", "New size: 9; reason: cpu resource utilization (percentage of request) above target", component="horizontal-pod-autoscaler")
        x.event(peak + 130, "SuccessfulRescale", "HorizontalPodAutoscaler/profile", "New size: 3; reason: All metrics below target", component="horizontal-pod-autoscaler")
        grpc = peak > 1150
        for pod in pods:
            made(x, pod, peak + 0.2, "node-c", "registry.example.com/profile:1.0.0")
            measured(x, [pod], lambda m, g=grpc: 0.02 if g else load(m) / 9 / 110, lambda _m: 210, step=5, alive=(peak + 1, peak + 130))
            x.counter("grpc_server_handled_total", {"namespace": "soc", "pod": pod, "grpc_service": "Profile"}, lambda _m, g=grpc: 0.0 if g else 45.0, step=5)
    big = lambda m: any(p + 1 <= m < p + 130 for p in peaks)  # noqa: E731 - read beside its use
    for pod in profile:
        measured(x, [pod], lambda m: min(1.0, load(m) / (9 if big(m) and m < 1150 else 3) / 110), lambda m: 230, step=5)
        x.counter("grpc_server_handled_total", {"namespace": "soc", "pod": pod, "grpc_service": "Profile"}, lambda m: load(m) / (9 if big(m) and m < 1150 else 3), step=5)
    bad = lambda m: 0.4 if m > 1150 and any(p + 2 <= m < p + 118 for p in peaks) else 0.002  # noqa: E731 - read beside its use
    released(x, 1440 + 660.0, "avatars", 1, "2.0.1")
    traffic(x, front, "/me", "soc-web-80", every=0.6, failing=bad, status=(504,), slow=3.0,
            failed=lambda m: x.log(x.random.choice(web), m, zap(x.at(m), "error", "GetProfile", error="rpc error: code = DeadlineExceeded desc = context deadline exceeded", peer="10.42.0.7:9090")),
            served=lambda m: x.log(x.random.choice(web if m > 1152 else web_old), m, zap(x.at(m), "info", "profile shown")))
    for at in x.every(8):
        x.log(x.random.choice(profile), at, zap(x.at(at), "info", "GetProfile", ms=900 if bad(at) > 0.1 else 14))
    x.say(1440 + 731, "UANA", "profile is slow at noon, and the hpa has scaled to 9 already. more?")
    x.say(1440 + 745, "UBEN", "avatars 2.0.1 went out at eleven, does it call profile?")
    bustle(x, 6)
    return x.write(folder)


def one_job_more(folder: Path) -> Path:
    """Five jobs have always run at the full hour; on the third day a sixth joins them and the database has no connection left for minutes. Four days.

    Root: CronJob loyalty-sync, new on the third day. Not: any of the five others, which ran for two days without harm.
    """
    x = Export(day(12), 4 * 1440, seed=1033, namespace="core")
    front = edge(x)
    api = x.workload("api", 4)
    db = stateful(x, "postgres", "docker.io/library/postgres:16.6")
    hours, since = [60.0 * n for n in range(96)], 2 * 1440 + 640.0
    for n, name in enumerate(("ledger-close", "mail-digest", "search-sync", "stock-recount", "tax-rows")):
        for begun, pod in x.cronjob(name, "0 * * * *", hours, 4 + n % 3):
            x.log(pod, begun + 0.2, spring(x.at(begun + 0.2), "INFO", "c.e.Job", f"{name} started, pool of 12 opened"))
    mine = [at for at in hours if at > since]
    for begun, pod in x.cronjob("loyalty-sync", "0 * * * *", mine, 5):
        x.log(pod, begun + 0.3, pino(x.at(begun + 0.3), 30, "loyalty sync started", workers=40, pool=40))
    for kept in x.objects["core", "CronJob"]:
        kept["metadata"]["creationTimestamp"] = stamp(x.at(since if kept["metadata"]["name"] == "loyalty-sync" else -90000.0))
    spans = [(at + 0.5, at + 4.6) for at in mine]
    inside = lambda m: any(low <= m < high for low, high in spans)  # noqa: E731 - read beside its use
    x.series("pg_stat_activity_count", {"namespace": "core", "datname": "core"}, lambda m: 100 if inside(m) else 41 + m % 5 + (44 if m % 60 < 5 else 0))
    x.series("pg_settings_max_connections", {"namespace": "core"}, lambda _m: 100)

    def failed(at: float) -> None:
        x.log(db, at, postgres(x.at(at), "FATAL", "sorry, too many clients already"))
        x.log(x.random.choice(api), at, pino(x.at(at), 50, "query failed", err={"code": "53300", "message": "sorry, too many clients already"}))

    traffic(x, front, "/api/orders", "core-api-80", every=0.6, failing=lambda m: 0.6 if inside(m) else 0.001, status=(500,), failed=failed,
            served=lambda m: x.log(x.random.choice(api), m, pino(x.at(m), 30, "orders listed")))
    for low, high in spans:
        traffic(x, front, "/api/orders", "core-api-80", every=0.2, failing=lambda _m: 0.6, status=(500,), failed=failed, since=low, until=high)
    released(x, 2 * 1440 + 603.0, "admin", 1, "9.0.0")
    x.say(2 * 1440 + 725, "UANA", "too many clients at 11:00 and at 12:00. ledger-close has always been greedy")
    x.say(2 * 1440 + 730, "UBEN", "raise max_connections?")
    bustle(x, 6)
    return x.write(folder)


def registry_limit(folder: Path) -> Path:
    """A smoke test pulls its image from Docker Hub every two minutes; hours later a drained node's pods may pull nothing there. Events, HAProxy. Eight hours.

    Root: CronJob smoke (imagePullPolicy Always, made that morning). Not: the drain, which was planned and is done weekly.
    """
    x = Export(day(17, 6), 480, seed=1034, namespace="media")
    front = x.workload("haproxy-ingress", 1, namespace="haproxy-controller")[0]
    for name in ("node-a", "node-b", "node-c"):
        node(x, name)
    starts = [62.0 + 2 * n for n in range(205)]
    runs = x.cronjob("smoke", "*/2 * * * *", [at for at in starts if at < 318], 0.7)
    kept = x.objects["media", "CronJob"][0]
    kept["metadata"]["creationTimestamp"] = stamp(x.at(60.5))
    kept["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"] = [{"name": "app", "image": "docker.io/curlimages/curl:latest", "imagePullPolicy": "Always"}]
    for at, pod in runs:
        made(x, pod, at + 0.05, "node-a", "docker.io/curlimages/curl:latest")
    limit = ("429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit")
    for at in (one for one in starts if one >= 318):
        pod = f"smoke-{scheduled(x, at)}-x{int(at) % 9}k2p"
        x.event(at + 0.2, "Failed", f"Pod/{pod}", f'Failed to pull image "docker.io/curlimages/curl:latest": failed to pull and unpack image "docker.io/curlimages/curl:latest": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/curlimages/curl/manifests/sha256:94e9: {limit}', warning=True, host="node-a")
    cordoned(x, "node-b", 341.0)
    for n in range(2):
        gone, come = f"thumbs-7f9c6b5d88-{'xk'[n]}4t2{n}", f"thumbs-7f9c6b5d88-{'mq'[n]}7w9{n}"
        ended(x, gone, 342.0 + 0.1 * n, "node-b")
        x.event(342.3, "Scheduled", f"Pod/{come}", f"Successfully assigned media/{come} to node-c", component="default-scheduler")
        x.event(342.6, "Failed", f"Pod/{come}", f'Failed to pull image "docker.io/h2non/imaginary:1.2.4": failed to pull and unpack image "docker.io/h2non/imaginary:1.2.4": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/h2non/imaginary/manifests/sha256:61d0: {limit}',
                warning=True, host="node-c", count=22, until=478)
        x.event(342.9, "BackOff", f"Pod/{come}", 'Back-off pulling image "docker.io/h2non/imaginary:1.2.4"', warning=True, host="node-c", count=300, until=478)
    for at in x.every(0.4):
        bad = at > 342.4
        x.log(front, at, haproxy(x, at, "/thumb", 503 if bad else 200, "media_thumbs_http", "<NOSRV>" if bad else "SRV_1", "SC--" if bad else "----"), namespace="haproxy-controller")
        x.log(front, at + 0.01, haproxy(x, at + 0.01, "/play", 200, "media_player_http", "SRV_3"), namespace="haproxy-controller")
    released(x, 329.0, "player", 2, "4.4.0")
    x.say(350, "UANA", "no thumbnails. I drained node-b as every tuesday, that never hurt")
    bustle(x, 5)
    return x.write(folder)


def routes_removed(folder: Path) -> Path:
    """The nodes upgrade systemd by themselves in the morning; networkd starts anew and forgets the CNI's routes, pods on them reach nobody. Five hours.

    Root: the nodes (their own upgrade). Not: the release of the timetable ten minutes before.
    """
    x = Export(day(18, 4), 300, seed=1035, namespace="rail")
    front = edge(x)
    nodes = ["node-a", "node-b", "node-c"]
    for name in nodes:
        node(x, name)
    old = x.workload("timetable", 3)
    timetable = released(x, 112.0, "timetable", 3, "5.0.0", old=old)
    cilium = daemon(x, "cilium", "quay.io/cilium/cilium:v1.12.6", nodes, "kube-system")
    journal = daemon(x, "journal-tail", "registry.example.com/plat/journal-tail:1.4", nodes, "monitoring")
    hits = {"node-b": 121.0, "node-c": 123.5}
    for on, at in hits.items():
        for k, text in enumerate(("unattended-upgrade[88121]: Packages that will be upgraded: libsystemd0 systemd systemd-sysv udev", "systemd[1]: Reexecuting.",
                                  "systemd[1]: Stopping Network Configuration...", "systemd[1]: Starting Network Configuration...", "systemd-networkd[90412]: cilium_host: Lost carrier",
                                  "systemd-networkd[90412]: removing foreign routing policy rules and routes")):
            x.log(journal[on], at + 0.08 * k, f"{x.at(at + 0.08 * k).strftime('%b %d %H:%M:%S')} {on} {text}", namespace="monitoring")
        for once in x.every(3, at + 1, 214):
            x.log(cilium[on], once, f'level=warning msg="Unable to reach node health endpoint" nodeName={on} probe=icmp subsys=health-server', namespace="kube-system", container="cilium-agent")
        x.event(at + 1.5, "NodeNotReady", f"Node/{on}", f"Node {on} status is now: NodeNotReady", component="node-controller", namespace="default")
        x.event(212, "Rebooted", f"Node/{on}", f"Node {on} has been rebooted, boot id: 7d1c8a60-7f1e-4f0c-8d35-b61f{len(on)}1", warning=True, namespace="default", host=on)
        x.event(213, "NodeReady", f"Node/{on}", f"Node {on} status is now: NodeReady", namespace="default", host=on)
    for name in nodes:
        for at in x.every(11, 0, 119):
            x.log(journal[name], at, f"{x.at(at).strftime('%b %d %H:%M:%S')} {name} systemd[1]: Started Daily man-db regeneration.", namespace="monitoring")
    traffic(x, front, "/departures", "rail-timetable-80", every=0.15, failing=lambda m: 0.62 if 121.5 < m < 213 else 0.002, status=(504,), slow=5.0,
            failed=lambda m: x.log(front, m, x.at(m).strftime("%Y/%m/%d %H:%M:%S [error] 33#33: *8811 upstream timed out (110: Operation timed out) while connecting to upstream, client: 203.0.113.7, server: rail.example.com, ")
                                   + 'request: "GET /departures HTTP/2.0", upstream: "http://10.42.1.9:8080/departures", host: "rail.example.com"', namespace="ingress-nginx"),
            served=lambda m: x.log((timetable if m > 114 else old)[0], m, pino(x.at(m), 30, "departures shown")))
    x.say(131, "UANA", "half of all requests time out since timetable 5.0.0")
    x.say(160, "UBEN", "two nodes are NotReady as well?! rebooting them")
    bustle(x, 5)
    return x.write(folder)


def canary_withdrawn(folder: Path) -> Path:
    """A canary is withdrawn by its own analysis after ten minutes; nobody failed, a few requests were slower than wished. A day."""
    x = Export(day(19), 1440, seed=1036, namespace="news")
    front = edge(x)
    feed = x.workload("feed", 4)
    for at, reason, text in (
        (640.0, "RolloutUpdated", "Rollout updated to revision 18"), (640.4, "NewReplicaSetCreated", "Created ReplicaSet feed-7c9bd4f6d (revision 18) with size 1"),
        (641.5, "AnalysisRunRunning", "Rollout analysis run 'feed-7c9bd4f6d-18-2' Status New: 'Running' Previous: ''"),
        (651.5, "AnalysisRunFailed", "Rollout analysis run 'feed-7c9bd4f6d-18-2' Status New: 'Failed' Previous: 'Running'"),
        (651.6, "RolloutAborted", 'Rollout aborted update to revision 18: Metric "p99" assessed Failed due to failed (3) > failureLimit (2)'),
    ):
        x.event(at, reason, "Rollout/feed", text, warning="Failed" in reason or "Aborted" in reason, component="rollouts-controller")
    x.series("http_request_duration_p99_seconds", {"namespace": "news", "service": "feed"}, lambda m: (0.31 if 641 < m < 652 else 0.22) + 0.01 * (m % 4))
    for at in x.every(0.2):
        bad = x.random.random() < 0.003
        slow = 0.3 if 641 < at < 652 and x.random.random() < 0.25 else 0.08
        x.log(front, at, nginx(x.at(at), "/feed", 502 if bad else 200, "news-feed-80", slow, slow), namespace="ingress-nginx")
        if x.random.random() < 0.4:
            x.log(x.random.choice(feed), at, zap(x.at(at), "info", "feed shown"))
    x.say(653, "UANA", "feed canary got aborted, will look tomorrow")
    bustle(x, 8)
    return x.write(folder)


INCIDENTS = (
    Unseen(name="etcd-beside-agent", build=etcd_beside_agent, question="why do deployments fail?", roots=frozenset({"DaemonSet/logging/vector"}), full=True,
           shallow=frozenset({"Pod/kube-system/etcd-cp-1", "Pod/kube-system/etcd-cp-2", "Pod/kube-system/etcd-cp-3", "StatefulSet/kube-system/etcd", "DaemonSet/kube-system/etcd"})),
    Unseen(name="stuck-connections", build=stuck_connections, hard=True, question=None, roots=frozenset({"Deployment/soc/web"}), shallow=frozenset({"Deployment/soc/profile"}), full=True),
    Unseen(name="one-job-more", build=one_job_more, question=None, roots=frozenset({"CronJob/core/loyalty-sync"}), shallow=frozenset({"StatefulSet/core/postgres"}), full=True),
    Unseen(name="registry-limit", build=registry_limit, hard=True, question="where are the thumbnails?", roots=frozenset({"CronJob/media/smoke"}), full=True,
           shallow=frozenset({"Host//registry-1.docker.io", "Host//docker.io", "Deployment/media/thumbs"})),
    Unseen(name="routes-removed", build=routes_removed, hard=True, question=None, roots=frozenset({"Node//node-b", "Node//node-c"}), shallow=frozenset({"DaemonSet/kube-system/cilium"}), full=True),
    Unseen(name="canary-withdrawn", build=canary_withdrawn, question=None, verdicts=frozenset({"no_incident", "inconclusive"}), full=True),
)
