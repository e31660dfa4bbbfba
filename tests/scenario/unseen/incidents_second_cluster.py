"""Second examination, held out: nodes, networks and what schedules. Written before its author had read any rule of the engine."""

# A scene reads as a table: a line for each thing that is written.
# fmt: off

from pathlib import Path

from examined_scenes import bustle, haproxy, measured, nginx, released, wave
from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, edited, gone_line, job, node, stateful, traffic
from incident_sets import cordoned, daemon, ended, made
from line_formats import envoy, pino, spring, zap
from second_scenes import placed


def conntrack_full(folder: Path) -> Path:
    """A checker of links opens a connection for each URL and fills its node's conntrack table; pods on that node reach nobody meanwhile. A day, metrics.

    Root: CronJob link-checker. How: entries of the node on which its pod runs reach the limit only while it runs, once on node-c instead of node-b, and the
    failing pods are that node's. Not: thumbs-gc (every two hours, half its runs without harm), not gallery's release before the first.
    """
    x = Export(day(11), 1440, seed=2101, namespace="media")
    front = edge(x)
    gal_old = x.workload("gallery", 3, image="7.0.0")
    store = x.workload("blobstore", 2, nodes=("node-a", "node-a"))[0]
    starts = [255.0 + 240 * n for n in range(5)]
    on = ["node-b", "node-b", "node-c", "node-b", "node-b"]
    runs = x.cronjob("link-checker", "15 */4 * * *", starts, 19)
    x.cronjob("thumbs-gc", "10 */2 * * *", [10.0 + 120 * n for n in range(12)], 25)
    gallery = placed(x, released(x, 237.0, "gallery", 3, "7.1.0", old=gal_old), ("node-a", "node-b", "node-c"))
    spans = []
    for (begun, pod), where in zip(runs, on, strict=True):
        x.event(begun + 0.05, "Scheduled", f"Pod/{pod}", f"Successfully assigned media/{pod} to {where}", component="default-scheduler")
        for at in x.every(1, begun, begun + 19):
            x.log(pod, at, f"{stamp(x.at(at))} INFO linkchecker: {x.random.randint(9000, 14000)} urls checked, {x.random.randint(20, 200)} broken, workers=400")
        x.event(begun + 4, "ConntrackFull", f"Node/{where}", "nf_conntrack: nf_conntrack: table full, dropping packet", warning=True, count=210, until=begun + 19, component="kernel-monitor", namespace="default")
        spans.append((begun + 3.6, begun + 20.5, where))
    full = lambda m, name: any(low <= m < high and name == where for low, high, where in spans)  # noqa: E731 - read beside its use
    for name in ("node-a", "node-b", "node-c"):
        x.series("node_nf_conntrack_entries", {"instance": name}, lambda m, n=name: 131072 if full(m, n) else 21000 + 300 * (m % 9), step=2)
        x.series("node_nf_conntrack_entries_limit", {"instance": name}, lambda _m: 131072, step=10)
    for at in x.every(0.3):
        pods, number = (gal_old if at < 238 else gallery), x.random.randrange(3)
        bad = full(at, ("node-a", "node-b", "node-c")[number]) and x.random.random() < 0.8
        x.log(front, at, nginx(x.at(at), "/albums", 504 if bad else 200, "media-gallery-80", 5.0 if bad else 0.05, 5.0 if bad else 0.05, server=f"10.42.{number}.7"), namespace="ingress-nginx")
        if bad:
            x.log(pods[number], at - 0.001, zap(x.at(at), "error", "read blob", error="dial tcp 10.43.58.9:80: i/o timeout"))
    for at in x.every(2):
        x.log(store, at, zap(x.at(at), "info", "blob read"))
    x.say(266, "UANA", "gallery 504s after 7.1.0 (03:57)")
    x.say(752, "UBEN", "third time today. thumbs-gc runs at that time, does it not?")
    bustle(x, 6)
    return x.write(folder)


def admission_down(folder: Path) -> Path:
    """A chart's upgrade gives the admission controller too little memory; at the morning's peak no new pod is admitted and the web tier drowns. Kyverno 1.12. Ten hours, metrics.

    Root: the release of kyverno-admission-controller. How: FailedCreate events name the webhook that nobody answers, its pods are killed for memory since 05:00; web
    stays at 3 while its scaler wants 9. Not: web's release at 07:40.
    """
    x = Export(day(12, 3), 600, seed=2102, namespace="portal")
    front = edge(x)
    web_old = x.workload("web", 3, image="21.3.0")
    x.workload("kyverno-admission-controller", 2, image="v1.12.4", namespace="kyverno", container={"resources": {"limits": {"memory": "384Mi"}}})
    x.namespace = "kyverno"
    ky = released(x, 121.0, "kyverno-admission-controller", 2, "v1.12.5", container={"resources": {"limits": {"memory": "96Mi"}}})
    x.namespace = "portal"
    web = released(x, 280.0, "web", 3, "21.4.0", old=web_old)
    low, high = 331.0, 424.0
    for pod in ky:
        x.event(150, "BackOff", f"Pod/{pod}", f"Back-off restarting failed container app in pod {pod}_kyverno(88aa)", warning=True, count=120, until=high - 6, namespace="kyverno")
        for at in (128, 141, 160, 198, 241, 290, 337, 381, 412):
            x.event(at, "OOMKilling", "Node/node-b", f"Memory cgroup out of memory: Killed process {4100 + at} (kyverno) total-vm:1312044kB, anon-rss:98012kB, file-rss:0kB", warning=True, component="kernel-monitor", namespace="default")
            x.log(pod, at + 0.9, f'I{x.at(at + 0.9).strftime("%m%d %H:%M:%S.%f")}       1 main.go:210] "setup" logger="setup" msg="version" version="v1.12.5"', namespace="kyverno")
    measured(x, ky, lambda _m: 0.2, lambda m: 60 + (m * 7) % 36, namespace="kyverno")
    x.series("kube_horizontalpodautoscaler_status_desired_replicas", {"namespace": "portal", "horizontalpodautoscaler": "web"}, lambda m: 3 if m < 322 else 9 if m < 520 else 4)
    x.series("kube_horizontalpodautoscaler_status_current_replicas", {"namespace": "portal", "horizontalpodautoscaler": "web"}, lambda m: 3 if m < high else 9 if m < 520 else 4)
    x.event(322, "SuccessfulRescale", "HorizontalPodAutoscaler/web", "New size: 9; reason: cpu resource utilization (percentage of request) above target", component="horizontal-pod-autoscaler")
    rs = web[0].rpartition("-")[0]
    x.event(322, "ScalingReplicaSet", "Deployment/web", f"Scaled up replica set {rs} from 3 to 9", component="deployment-controller")
    x.event(322.1, "FailedCreate", f"ReplicaSet/{rs}", 'Error creating: Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": dial tcp 10.43.77.11:443: connect: connection refused',
            warning=True, count=31, until=high - 2, component="replicaset-controller")
    for n in range(6):
        x.event(high + 0.1 * n, "SuccessfulCreate", f"ReplicaSet/{rs}", f"Created pod: {rs}-k{n}x2p", component="replicaset-controller")
    measured(x, web, lambda m: 0.3 if m < 300 else min(1.0, 0.3 + (m - 300) / 40) if m < high else 0.5, lambda _m: 420, alive=(280.0, 600.0))
    traffic(x, front, "/home", "portal-web-80", every=0.2, failing=between((low, high), chance=0.4), status=(503, 504), slow=8,
            failed=lambda m: x.log(x.random.choice(web), m, spring(x.at(m), "WARN", "o.a.t.u.t.ThreadPoolExecutor", "task rejected, 200 threads are busy")),
            served=lambda m: x.log(x.random.choice(web if m > 281 else web_old), m, spring(x.at(m), "INFO", "c.e.Portal", "home served")))
    x.say(338, "UANA", "portal is slow and 503, 21.4.0 went out at 07:40!")
    x.say(421, "UCHO", "gave kyverno its 384Mi back, pods come up now")
    bustle(x, 5)
    return x.write(folder)


def preempted(folder: Path) -> Path:
    """A training job with a class of high priority pushes the API's pods off their nodes. Scheduler, HAProxy. Eight hours, no metrics.

    Root: Job train-ranker (its PriorityClass). How: the API's pods get Preempted events that name the job's pod, wait for CPU until it ends, and fail only so long.
    Not: the API's release 14 minutes before.
    """
    x = Export(day(13, 8), 480, seed=2103, namespace="quote")
    front = x.workload("haproxy-ingress", 1, namespace="haproxy-controller")[0]
    api_old = x.workload("quote-api", 6, image="3.8.8")
    api = placed(x, released(x, 118.0, "quote-api", 6, "3.9.0", old=api_old), ("node-a", "node-b", "node-c"))
    low, high = 132.0, 188.0
    x.keep({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "ml-urgent", "creationTimestamp": stamp(x.at(-4000))}, "value": 1000000, "preemptionPolicy": "PreemptLowerPriority"})
    train = job(x, "train-ranker", low - 0.2, high - low)
    x.objects["quote", "Job"][-1]["spec"]["template"]["spec"]["priorityClassName"] = "ml-urgent"
    for n in range(5):
        x.event(low, "Preempted", f"Pod/{api[n]}", f"Preempted by pod {'5e0c7d1a-0d0f-4b5e-8c3e-1f9a7b6d2c44'} on node {('node-a', 'node-b', 'node-c')[n % 3]}", warning=True, component="default-scheduler")
        ended(x, api[n], low + 0.02, ("node-a", "node-b", "node-c")[n % 3])
        pod = f"{api[0].rpartition('-')[0]}-{'bcdfg'[n]}9x2k"
        x.event(low + 0.1, "FailedScheduling", f"Pod/{pod}", "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.", warning=True, count=12, until=high - 1, component="default-scheduler")
        made(x, pod, high + 0.3, ("node-a", "node-b", "node-c")[n % 3], "registry.example.com/quote-api:3.9.0")
    x.event(low, "Scheduled", f"Pod/{train}", f"Successfully assigned quote/{train} to node-a", component="default-scheduler")
    for at in x.every(2, low + 0.5, high):
        x.log(train, at, f"[{x.at(at).strftime('%Y-%m-%d %H:%M:%S')}] epoch {int((at - low) / 4)} loss={0.9 - (at - low) / 100:.4f} lr=3e-4")
    for at in x.every(0.2):
        bad = low + 0.1 <= at < high + 0.5 and x.random.random() < 0.7
        x.log(front, at, haproxy(x, at, "/quote", 503 if bad else 200, "quote_quote-api_http", "SRV_6", "sQ--" if bad else "----"), namespace="haproxy-controller")
    for at in x.every(1):
        x.log(api[5] if at > 121 else api_old[5], at, zap(x.at(at), "info", "quote given"))
    x.say(136, "UANA", "503 on /quote. 3.9.0 needs a revert?")
    x.say(160, "UPIA", "started my training half an hour ago, cluster feels slow to you too?")
    bustle(x, 5)
    return x.write(folder)


def spot_gone(folder: Path) -> Path:
    """Two of four spot nodes are taken away within a minute and no new ones come for half an hour: what is left drowns. AWS node termination handler 1.22. Twelve hours.

    Root: the loss of the spot nodes. How: the handler's interruption notices, pods Pending for lack of CPU until nodes return; errors span just that. Not: the
    release of booking 9 minutes before, not its scaler.
    """
    x = Export(day(16, 6), 720, seed=2104, namespace="travel")
    names = [f"ip-10-0-{n}-4{n}.eu-west-1.compute.internal" for n in range(1, 5)]
    front = x.workload("istio-ingressgateway", 1, namespace="istio-system", nodes=(names[0],))[0]
    old = x.workload("booking", 6, image="30.1.0", nodes=tuple(names))
    new = placed(x, released(x, 232.0, "booking", 6, "30.2.0", old=old), [names[n] for n in (0, 1, 2, 3, 1, 2)])
    low, high = 241.0, 274.0
    for n in (2, 3):
        x.log("aws-node-termination-handler-7xk2p", low - 2 + 0.4 * n, f'{{"level":"info","event":{{"EventID":"spot-itn-{9 + n}e1c","Kind":"SPOT_ITN","Description":"Spot ITN received. Instance will be interrupted at {stamp(x.at(low + 0.4 * n))}","NodeName":"{names[n]}"}},"time":"{stamp(x.at(low - 2 + 0.4 * n))}","message":"Adding new event to the event store"}}', namespace="kube-system")
        cordoned(x, names[n], low - 1.9 + 0.4 * n)
        x.event(low + 0.4 * n, "RemovingNode", f"Node/{names[n]}", f"Node {names[n]} event: Removing Node {names[n]} from Controller", component="node-controller", namespace="default")
    for n in range(3):
        ended(x, new[(2, 3, 5)[n]], low - 1.5 + 0.2 * n, names[(2, 3, 2)[n]])
        pod = f"{new[0].rpartition('-')[0]}-{'hjk'[n]}4m2z"
        x.event(low - 1.3, "FailedScheduling", f"Pod/{pod}", "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.", warning=True, count=9, until=high - 2, component="default-scheduler")
        x.event(low - 1, "TriggeredScaleUp", f"Pod/{pod}", "pod triggered scale-up: [{spot-general 2->4 (max: 8)}]", component="cluster-autoscaler")
        made(x, pod, high - 1, f"ip-10-0-{n % 2 + 1}-77.eu-west-1.compute.internal", "registry.example.com/booking:30.2.0", pull=0.4)
    x.log("cluster-autoscaler-6d9f7b5c44-2kxpz", low + 6, 'W0316 10:07:00.114211       1 auto_scaling_groups.go:453] Instance launch failed for asg spot-general: InsufficientInstanceCapacity: "Could not launch Spot Instances. There is no Spot capacity available that matches your request"', namespace="kube-system")
    for n in (1, 2):
        name = f"ip-10-0-{n}-77.eu-west-1.compute.internal"
        node(x, name, born=high - 3, ready=("True", high - 2))
        x.event(high - 3, "RegisteredNode", f"Node/{name}", f"Node {name} event: Registered Node {name} in Controller", component="node-controller", namespace="default")
    for n in (0, 1):
        node(x, names[n])
    for at in x.every(0.25):
        bad = low - 1 <= at < high and x.random.random() < 0.45
        x.log(front, at, envoy(x.random, x.at(at), "/book", 503 if bad else 200, "UO" if bad else "-", details="upstream_reset_before_response_started{overflow}" if bad else "via_upstream", cluster="outbound|80||booking.travel.svc.cluster.local", ms=2 if bad else 80), container="istio-proxy", namespace="istio-system")
        x.log((new if at > 236 else old)[x.random.randrange(2)], at, pino(x.at(at), 30, "search done")) if not bad else None
    x.say(246, "UANA", "booking 503s right after 30.2.0, reverting?")
    bustle(x, 6)
    return x.write(folder)


def clock_drift(folder: Path) -> Path:
    """Chrony does not come back after a node's patch; a day later its clock is so far ahead that tokens issued there are refused elsewhere. Three days, metrics.

    Root: Node node-c. How: its time offset grows in a line from the patch, chronyd is inactive; refused tokens are those that the pod on node-c issued; it ends when
    chronyd starts again. Not: the release of auth 35 minutes before the first refusals.
    """
    x = Export(day(17), 4320, seed=2105, namespace="id")
    front = edge(x)
    auth_old = x.workload("auth", 3, image="2.8.1")
    portal = x.workload("portal", 2, nodes=("node-a", "node-b"))
    patched, low, high = 610.0, 2170.0, 2688.0
    auth = placed(x, released(x, 2135.0, "auth", 3, "2.9.0", old=auth_old), ("node-a", "node-b", "node-c"))
    off = lambda m: 0.0 if m < patched or m >= high else 0.0193 * (m - patched)  # noqa: E731 - read beside its use
    for name in ("node-a", "node-b", "node-c"):
        node(x, name, ready=("True", patched + 3 if name == "node-c" else -200000.0))
        x.series("node_timex_offset_seconds", {"instance": name}, lambda m, n=name: (off(m) if n == "node-c" else 0.0) + 0.0001 * (m % 5), step=5)
        x.series("node_systemd_unit_state", {"instance": name, "name": "chronyd.service", "state": "active"}, lambda m, n=name: 0 if n == "node-c" and patched <= m < high else 1, step=5)
    cordoned(x, "node-c", patched - 2, patched + 3)
    x.event(patched + 2, "Rebooted", "Node/node-c", "Node node-c has been rebooted, boot id: 77aa1f0e-3a3e-4f6f-9d0e-3a1f5b1f7c44", warning=True, namespace="default", host="node-c")
    for at in x.every(1.2):
        pods, number = (auth_old if at < 2136 else auth), x.random.randrange(3)
        bad = low <= at < high and number == 2
        x.log(pods[number], at - 0.01, zap(x.at(at), "info", "token issued", client="web", ttl=3600))
        x.log(front, at, nginx(x.at(at), "/me", 401 if bad else 200, "id-portal-80", 0.02, 0.02), namespace="ingress-nginx")
        if bad:
            x.log(x.random.choice(portal), at - 0.001, zap(x.at(at), "error", "verify token", error="token has invalid claims: token used before issued", issuer=pods[number]))
    x.say(2188, "UANA", "a third of all logins bounce with 401, auth 2.9.0 is 40 min old")
    x.say(2330, "UBEN", "rolled auth back on canary, same. tokens 'used before issued'??")
    x.say(2690, "UCHO", "started chronyd on node-c")
    bustle(x, 7)
    return x.write(folder)


def ceiling_lowered(folder: Path) -> Path:
    """Somebody lowers a scaler's maximum in the evening to save money; next noon's peak is more than four pods bear. Three days, metrics.

    Root: HorizontalPodAutoscaler menu. How: the maximum goes from 12 to 4 at 18:20, on the day before ten pods bore the same peak; since then four at 100% CPU and
    ScalingLimited. Not: menu's release half an hour before the peak.
    """
    x = Export(day(18), 4320, seed=2106, namespace="food")
    front = edge(x)
    menu_old = x.workload("menu", 3, image="14.0.1")
    cut = 1100.0
    menu = released(x, 2130.0, "menu", 4, "14.1.0", old=menu_old)
    edited(x, {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "menu", "namespace": "food"},
               "spec": {"minReplicas": 3, "maxReplicas": 4, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "menu"}},
               "status": {"currentReplicas": 3, "desiredReplicas": 3, "conditions": [{"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": "the desired replica count is more than the maximum replica count", "lastTransitionTime": stamp(x.at(2160))}]}},
           cut, "kubectl-edit", {"f:spec": {"f:maxReplicas": {}}})
    load = lambda m: wave(0.6, 9.6, 12.5)(m) if 9.5 < (m / 60) % 24 < 15.5 else 1.5  # noqa: E731 - read beside its use
    want = lambda m: max(3, int(load(m)) + 1)  # noqa: E731 - read beside its use
    have = lambda m: want(m) if m < cut else min(4, want(m))  # noqa: E731 - read beside its use
    hpa = {"namespace": "food", "horizontalpodautoscaler": "menu"}
    x.series("kube_horizontalpodautoscaler_spec_max_replicas", hpa, lambda m: 12 if m < cut else 4, step=5)
    x.series("kube_horizontalpodautoscaler_status_current_replicas", hpa, have, step=5)
    over = lambda m: max(0.0, min(0.7, (load(m) / have(m) - 1.05) / 1.5))  # noqa: E731 - read beside its use
    last = 3
    for m in range(0, 4320, 5):
        if have(m) != last:
            x.event(m, "SuccessfulRescale", "HorizontalPodAutoscaler/menu", f"New size: {have(m)}; reason: cpu resource utilization (percentage of request) {'above target' if have(m) > last else 'below target'}" if have(m) > last else f"New size: {have(m)}; reason: All metrics below target", component="horizontal-pod-autoscaler")
            last = have(m)
    measured(x, menu_old, lambda m: min(1.0, load(m) / have(m)), lambda _m: 310, step=5, alive=(0, 2132))
    measured(x, menu, lambda m: min(1.0, load(m) / have(m)), lambda _m: 310, step=5, alive=(2130, 4320))
    traffic(x, front, "/menu", "food-menu-80", every=0.7, failing=over, status=(503, 504), slow=9,
            failed=lambda m: x.log(x.random.choice(menu), m, pino(x.at(m), 40, "event loop lag, shedding request", lag=x.random.randint(800, 4000))))
    x.say(2192, "UANA", "lunch and menu is down. 14.1.0 went out at 11:30...")
    x.say(2260, "UBEN", "rolled forward a fix for 14.1.0, no change")
    x.say(1098, "UFIN", "trimming autoscalers tonight as agreed with finops", channel="platform")
    bustle(x, 7)
    return x.write(folder)


def zone_dark(folder: Path) -> Path:
    """One zone loses its network for 24 minutes: both its nodes go and with them the only Redis of the carts. Eight hours, no metrics.

    Root: the nodes of zone c. How: both become NotReady together, the kubelets' leases end, Redis has its only pod there; all returns with them. Not: cart's
    release eight minutes before, not the cilium-operator's an hour before.
    """
    x = Export(day(19, 10), 480, seed=2107, namespace="basket")
    nodes = {"pool-a-1": "a", "pool-b-1": "b", "pool-c-1": "c", "pool-c-2": "c"}
    front = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx", nodes=("pool-a-1",))[0]
    cart_old = x.workload("cart", 4, image="6.6.0", nodes=tuple(nodes))
    low, high = 208.0, 232.0
    cart = placed(x, released(x, low - 8, "cart", 4, "6.7.0", old=cart_old), tuple(nodes))
    redis = stateful(x, "cart-redis", "docker.io/library/redis:7.4.1", on="pool-c-1")
    op = x.workload("cilium-operator", 1, image="v1.16.4", namespace="kube-system", nodes=("pool-b-1",))[0]
    x.log(op, low - 61, f'time="{stamp(x.at(low - 61))}" level=info msg="Cilium Operator 1.16.4"', namespace="kube-system")
    x.event(low - 61.2, "ScalingReplicaSet", "Deployment/cilium-operator", f"Scaled up replica set {op.rpartition('-')[0]} from 0 to 1", component="deployment-controller", namespace="kube-system")
    for name, zone in nodes.items():
        node(x, name, ready=("True", high + 0.4 if zone == "c" else -200000.0))
        x.objects["", "Node"][-1]["metadata"]["labels"] = {"topology.kubernetes.io/zone": f"eu-central-1{zone}"}
        if zone == "c":
            x.event(low + 0.7, "NodeNotReady", f"Node/{name}", f"Node {name} status is now: NodeNotReady", component="node-controller", namespace="default")
            x.event(high + 0.4, "NodeReady", f"Node/{name}", f"Node {name} status is now: NodeReady", namespace="default", host=name)
    for pod in (cart[2], cart[3], redis):
        x.event(low + 0.8, "NodeNotReady", f"Pod/{pod}", "Node is not ready", warning=True, component="node-controller")
        x.event(low + 5.8, "TaintManagerEviction", f"Pod/{pod}", f"Marking for deletion Pod basket/{pod}", component="taint-eviction-controller")
        x.event(high + 0.3, "TaintManagerEviction", f"Pod/{pod}", f"Cancelling deletion of Pod basket/{pod}", component="taint-eviction-controller") if pod == redis else None
    for at in x.every(0.25):
        far = x.random.random() < 0.5 and low <= at < low + 0.8
        bad = low <= at < high + 0.6
        x.log(front, at, nginx(x.at(at), "/cart", 504 if far else 500 if bad else 200, "basket-cart-80", 5.0 if far else 0.03, 5.0 if far else 0.03), namespace="ingress-nginx")
        if far:
            x.log(front, at, gone_line(x.at(at), "upstream timed out (110: Operation timed out) while connecting to upstream", "10.42.2.4:8080"), namespace="ingress-nginx")
        elif bad:
            x.log(x.random.choice(cart[:2]), at, spring(x.at(at), "ERROR", "c.e.Cart", "org.springframework.dao.QueryTimeoutException: Redis command timed out; nested exception is io.lettuce.core.RedisCommandTimeoutException: Command timed out after 2 second(s)"))
        else:
            x.log((cart if at > low - 5 else cart_old)[x.random.randrange(2)], at, spring(x.at(at), "INFO", "c.e.Cart", "cart read"))
    for at in x.every(5):
        if not low <= at < high:
            x.log(redis, at, f"1:M {x.at(at).strftime('%d %b %Y %H:%M:%S.%f')[:-3]} * 100 changes in 300 seconds. Saving...")
    x.say(213, "UANA", "carts are gone. 6.7.0 at 13:20?! revert")
    x.say(219, "UBEN", "cilium operator was upgraded at noon, network?")
    bustle(x, 5)
    return x.write(folder)


def wrong_mtu(folder: Path) -> Path:
    """An upgrade of the CNI agent takes another MTU on every node: small answers pass, large ones hang. Calico 3.28 with VXLAN. A day, no metrics.

    Root: DaemonSet calico-node. How: its log tells mtu 1450 before and 1500 after, errors begin node by node with its pods; only the large list hangs, the small price
    does not. Not: the release of catalog 26 minutes before, which is undone in vain.
    """
    x = Export(day(20), 1440, seed=2108, namespace="mall")
    front = edge(x)
    cat_old = x.workload("catalog", 3, image="8.8.0")
    nodes = ("node-a", "node-b", "node-c")
    catalog = placed(x, released(x, 604.0, "catalog", 3, "8.9.0", old=cat_old), nodes)
    back = placed(x, released(x, 671.0, "catalog", 3, "8.8.0", old=catalog), nodes)
    before, begun, high = daemon(x, "calico-node", "docker.io/calico/node:v3.27.4", nodes, "kube-system", keep=False), 630.0, 842.0
    after = daemon(x, "calico-node", "docker.io/calico/node:v3.28.2", nodes, "kube-system", born=begun)
    for n, name in enumerate(nodes):
        at = begun + 1.5 * n
        x.log(before[name], 3.0 + n, f"{x.at(3.0 + n).strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]} [INFO][71] felix/int_dataplane.go 1143: Determined pod MTU mtu=1450", container="calico-node", namespace="kube-system")
        ended(x, before[name], at, name, namespace="kube-system", container="calico-node")
        x.event(at + 0.1, "SuccessfulCreate", "DaemonSet/calico-node", f"Created pod: {after[name]}", component="daemonset-controller", namespace="kube-system")
        made(x, after[name], at + 0.15, name, "docker.io/calico/node:v3.28.2", namespace="kube-system", container="calico-node")
        x.log(after[name], at + 0.6, f"{x.at(at + 0.6).strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]} [INFO][68] felix/int_dataplane.go 1201: Determined pod MTU mtu=1500", container="calico-node", namespace="kube-system")
        x.log(after[name], high, f"{x.at(high).strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]} [INFO][68] felix/int_dataplane.go 1201: Determined pod MTU mtu=1450", container="calico-node", namespace="kube-system")
    for at in x.every(0.35):
        number = x.random.randrange(3)
        large = x.random.random() < 0.5
        bad = large and begun + 0.7 + 1.5 * number <= at < high and x.random.random() < 0.9
        x.log(front, at, nginx(x.at(at), "/catalog/list" if large else "/catalog/price", 504 if bad else 200, "mall-catalog-80", 30.0 if bad else 0.06, 30.0 if bad else 0.06, server=f"10.42.{number}.7"), namespace="ingress-nginx")
        if bad:
            x.log(front, at, gone_line(x.at(at), "upstream timed out (110: Operation timed out) while reading upstream", f"10.42.{number}.7:8080"), namespace="ingress-nginx")
        x.log((cat_old if at < 605 else catalog if at < 672 else back)[number], at - 0.003, zap(x.at(at), "info", "listed" if large else "priced", bytes=61211 if large else 412))
    x.say(641, "UANA", "lists hang since catalog 8.9.0")
    x.say(684, "UANA", "reverted 8.9.0, still hanging, but catalog says it answers in 20 ms")
    bustle(x, 6)
    return x.write(folder)


INCIDENTS = (
    Unseen(name="conntrack-full", build=conntrack_full, question="Why do albums run into 504 several times a day?", roots=frozenset({"CronJob/media/link-checker"}), shallow=frozenset({"Node//node-b", "Node//node-c"}), full=True),
    Unseen(name="admission-down", build=admission_down, question="portal was slow in the morning since 21.4.0, roll back?", roots=frozenset({"Deployment/kyverno/kyverno-admission-controller"}), full=True),
    Unseen(name="pushed-off", build=preempted, question=None, roots=frozenset({"Job/quote/train-ranker", "PriorityClass//ml-urgent"}), full=True),
    Unseen(name="spot-gone", build=spot_gone, hard=True, question="is it booking 30.2.0?", roots=frozenset(f"Node//ip-10-0-{n}-4{n}.eu-west-1.compute.internal" for n in (3, 4)), full=True),
    Unseen(name="clock-drift", build=clock_drift, hard=True, question=None, roots=frozenset({"Node//node-c"}), full=True),
    Unseen(name="ceiling-lowered", build=ceiling_lowered, question="why is menu down every noon?", roots=frozenset({"HorizontalPodAutoscaler/food/menu"}), full=True),
    Unseen(name="zone-dark", build=zone_dark, question="carts were lost around 13:30 on the 19th. Was it 6.7.0?", roots=frozenset({"Node//pool-c-1", "Node//pool-c-2"}), shallow=frozenset({"StatefulSet/basket/cart-redis"}), full=True),
    Unseen(name="wrong-mtu", build=wrong_mtu, question="lists hang, why?", roots=frozenset({"DaemonSet/kube-system/calico-node"}), full=True),
)
