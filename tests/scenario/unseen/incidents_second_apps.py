"""Second examination, held out: applications, their settings and what they lean on. Written before its author had read any rule of the engine."""

# A scene reads as a table: a line for each thing that is written.
# fmt: off

from pathlib import Path

from examined_scenes import bustle, measured, nginx, released, ticket
from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, edited, gone_line, stateful, traffic
from line_formats import gunicorn, pino, postgres, spring, zap
from second_scenes import placed


def short_keepalive(folder: Path) -> Path:
    """A release of a Node service loses its keep-alive setting: the server closes after 5 s what nginx keeps for 60; one in seventy requests is a 502. Five days.

    Root: the release of profile on the second afternoon. How: 'prematurely closed' never before it and at any hour since; the old ReplicaSet has
    KEEP_ALIVE_TIMEOUT_MS, the new one has not. Not: the nightly warmup, not the ingress controller's edit of its ConfigMap four hours before.
    """
    x = Export(day(2), 7200, seed=2201, namespace="member")
    front = edge(x)
    old = x.workload("profile", 3, image="4.11.2", container={"env": [{"name": "KEEP_ALIVE_TIMEOUT_MS", "value": "75000"}, {"name": "LOG_LEVEL", "value": "info"}]})
    begun = 2291.0
    new = released(x, begun, "profile", 3, "4.12.0", container={"env": [{"name": "LOG_LEVEL", "value": "info"}]}, old=old)
    edited(x, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ingress-nginx-controller", "namespace": "ingress-nginx"}, "data": {"use-gzip": "true"}}, begun - 240, "helm", {"f:data": {"f:use-gzip": {}}})
    x.log(front, begun - 239.9, f'I{x.at(begun - 239.9).strftime("%m%d %H:%M:%S.%f")}       7 controller.go:213] "Backend successfully reloaded"', namespace="ingress-nginx")
    x.cronjob("warmup", "0 2 * * *", [120.0 + 1440 * n for n in range(5)], 12)
    for at in x.every(1.1):
        bad = at > begun + 2 and x.random.random() < 0.014
        pods, number = (old if at < begun + 1 else new), x.random.randrange(3)
        x.log(front, at, nginx(x.at(at), "/profile", 502 if bad else 200, "member-profile-80", 0.002 if bad else 0.03, 0.001 if bad else 0.03, server=f"10.42.{number}.7"), namespace="ingress-nginx")
        if bad:
            x.log(front, at, gone_line(x.at(at), "upstream prematurely closed connection while reading response header from upstream", f"10.42.{number}.7:8080"), namespace="ingress-nginx")
        else:
            x.log(pods[number], at - 0.001, pino(x.at(at), 30, "request completed", res={"statusCode": 200}))
    x.say(4010, "UANA", "since when do we have these odd 502s on /profile? one a half hour or so", channel="platform")
    x.say(4012, "UBEN", "gzip in nginx, we switched that on on tuesday", channel="platform")
    bustle(x, 7)
    return x.write(folder)


def slow_leak(folder: Path) -> Path:
    """A release keeps a reference too many: its pods reach their memory limit after twenty hours, are killed, and begin anew. Five days, metrics.

    Root: the release of basket at 15:00 of the first day. How: the working set is flat before and a saw tooth since; each kill is that of a full tooth. Not:
    settle-daily (11:00, three minutes before the first kill only), not the release of coupons 23 minutes before the first.
    """
    x = Export(day(3), 7200, seed=2202, namespace="till")
    front = edge(x)
    limits = {"resources": {"limits": {"memory": "2Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}}}
    old = x.workload("basket", 2, image="3.9.4", container=limits)
    x.cronjob("settle-daily", "0 11 * * *", [660.0 + 1440 * n for n in range(5)], 22)
    coupons = x.workload("coupons", 2, image="1.0.9")
    begun = 900.0
    new = released(x, begun, "basket", 2, "3.10.0", container=limits, old=old)
    released(x, 2080.0, "coupons", 2, "1.1.0", old=coupons)
    kills = {new[0]: [2103.0, 3311.0, 4502.0, 5719.0, 6911.0], new[1]: [2204.0, 3422.0, 4640.0, 5851.0, 7066.0]}
    for pod in old:
        measured(x, [pod], lambda m: 0.3, lambda m: 860 + 10 * (m % 11), step=5, alive=(0, begun + 1))
    spans = []
    for pod, at_ in kills.items():
        edges = [begun, *at_]
        measured(x, [pod], lambda m: 0.3, lambda m, e=edges: 700 + 1340 * min(1.0, (m - max(b for b in (begun, *e) if b <= max(m, begun))) / 1205), step=5, alive=(begun, 7200))
        for n, at in enumerate(at_):
            x.event(at, "OOMKilling", f"Node/node-{'ab'[new.index(pod)]}", f"Memory cgroup out of memory: Killed process {21000 + n} (java) total-vm:6912044kB, anon-rss:2091012kB, file-rss:0kB", warning=True, component="kernel-monitor", namespace="default")
            x.event(at + 0.3, "Started", f"Pod/{pod}", "Started container app")
            x.log(pod, at + 1.3, spring(x.at(at + 1.3), "INFO", "c.e.basket.BasketApplication", "Started BasketApplication in 48.1 seconds (process running for 49.7)", "main"))
            spans.append((at - 0.1, at + 1.4))
    for kept in x.objects["till", "Pod"]:
        if kept["metadata"]["name"] in kills:
            kept["status"]["containerStatuses"] = [{"name": "app", "restartCount": 5, "ready": True, "state": {"running": {}}, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": stamp(x.at(kills[kept["metadata"]["name"]][-1]))}}}]
    pods = lambda m: old if m < begun + 1 else new  # noqa: E731 - read beside its use
    traffic(x, front, "/basket", "till-basket-80", every=1.5, failing=lambda _m: 0.001, served=lambda m: x.log(x.random.choice(pods(m)), m, spring(x.at(m), "INFO", "c.e.basket.Api", "basket read")))
    for low, high in spans:
        traffic(x, front, "/basket", "till-basket-80", every=0.08, failing=lambda _m: 0.55, status=(502,), since=low, until=high)
    x.say(2112, "UANA", "502 on baskets at 11:03. coupons 1.1.0 is from 10:40", channel="till")
    x.say(2120, "UBEN", "settle-daily starts at 11:00 too", channel="till")
    bustle(x, 7)
    return x.write(folder)


def other_hour(folder: Path) -> Path:
    """A chart's upgrade loses a CronJob's time zone: the reindexing moves from Sydney's night into its lunch hour. Fourteen days.

    Root: CronJob reindex. How: it ran at 15:00 UTC daily for a week and nobody failed; since the edit on the eighth day it runs at 02:00 UTC, and 504s come in just
    these spans. Not: storefront's release of the same day, not the cleanup at 02:30 that always was there.
    """
    x = Export(day(2), 20160, seed=2203, namespace="oz")
    front = edge(x)
    sf_old = x.workload("storefront", 3, image="41.0.0")
    db = stateful(x, "oz-db", "docker.io/library/postgres:16.4")
    cut = 7 * 1440 + 610.0
    new = released(x, cut - 95, "storefront", 3, "41.1.0", old=sf_old)
    starts = [900.0 + 1440 * n for n in range(7)] + [120.0 + 1440 * n for n in range(8, 14)]
    runs = x.cronjob("reindex", "0 2 * * *", starts, 68)
    edited(x, x.objects["oz", "CronJob"].pop(), cut, "helm", {"f:spec": {"f:timeZone": {}, "f:schedule": {}}})
    x.cronjob("cleanup", "30 2 * * *", [150.0 + 1440 * n for n in range(14)], 6)
    x.event(cut, "UpgradeSucceeded", "HelmRelease/oz", "Helm upgrade succeeded for release oz/oz.v18 with chart oz@2.4.0", component="helm-controller", namespace="oz")
    spans = [(s + 3, s + 68) for s in starts if s > cut]
    for begun, pod in runs:
        for at in x.every(8, begun, begun + 68):
            x.log(pod, at, f"INFO reindex: {int((at - begun) / 0.68)}% of products, scanning table products")
    for at in x.every(30):
        x.log(db, at, postgres(x.at(at), "LOG", f"checkpoint complete: wrote {x.random.randint(300, 2400)} buffers (1.9%)"))
    pods = lambda m: sf_old if m < cut - 94 else new  # noqa: E731 - read beside its use
    told = lambda m: x.log(x.random.choice(pods(m)), m, spring(x.at(m), "ERROR", "c.e.Products", "org.postgresql.util.PSQLException: ERROR: canceling statement due to statement timeout"))  # noqa: E731 - read beside its use
    for low, high, every in [(1440 * d + a, 1440 * d + b, e) for d in range(14) for a, b, e in ((0, 60, 5), (60, 300, 1), (300, 1440, 5))]:
        traffic(x, front, "/products", "oz-storefront-80", every=every, failing=between(*spans, chance=0.4), status=(504,), slow=20, failed=told, since=low, until=high)
    x.say(8 * 1440 + 150, "UANA", "products time out at lunch. storefront 41.1.0 of yesterday?", channel="oz")
    x.say(9 * 1440 + 170, "UBEN", "again at 1pm. cleanup runs half past, I will pause it tomorrow", channel="oz")
    bustle(x, 6)
    x.write(folder)
    ticket(x, folder, "OZ-77", 9 * 1440 + 200, "lunch-time 504s", "Every day since Tuesday between 13:00 and 14:10 Sydney time products run into 504.", [(10 * 1440 + 90, "ben", "storefront 41.1.0 is out of the race: reverted on canary, same")])
    return folder


def no_ports_left(folder: Path) -> Path:
    """A release opens a connection for each call; when the morning's load passes 470 calls a second the pod's ports are all in TIME_WAIT. Go 1.22. Ten hours, metrics.

    Root: the release of price-gw at 05:30. How: its boot line says keep-alives are off, new connections a second jump with it, EADDRNOTAVAIL comes only above a load
    that the days before were borne, and ends with its undo. Not: quotes' release eight minutes before the first error.
    """
    x = Export(day(4, 4), 600, seed=2204, namespace="rates")
    front = edge(x)
    gw_old = x.workload("price-gw", 2, image="2.2.7")
    q_old = x.workload("quotes", 3, image="5.0.0")
    begun, low, high = 90.0, 251.0, 389.0
    gw = released(x, begun, "price-gw", 2, "2.3.0", old=gw_old)
    quotes = released(x, 243.0, "quotes", 3, "5.0.1", old=q_old)
    back = released(x, high, "price-gw", 2, "2.2.7", old=gw)
    for pods, at, off in ((gw, begun, True), (back, high, False)):
        for n, pod in enumerate(pods):
            x.log(pod, at + 0.3 + n * 0.5, zap(x.at(at + 0.3), "info", "http client ready", upstream="http://quotes", disable_keepalives=off, max_idle_conns=100))
    load = lambda m: 120 + 500 * max(0.0, min(1.0, (m - 120) / 180)) if m < 420 else max(260.0, 620 - 3 * (m - 420))  # noqa: E731 - read beside its use
    for pod in gw:
        x.counter("http_client_requests_total", {"namespace": "rates", "pod": pod}, load)
        x.counter("http_client_connections_opened_total", {"namespace": "rates", "pod": pod}, lambda m: load(m) if begun < m < high else 2)
        measured(x, [pod], lambda m: load(m) / 900, lambda _m: 190, alive=(begun, high))
    measured(x, quotes, lambda m: load(m) / 1500, lambda _m: 210, alive=(243.0, 600.0))
    pods = lambda m: gw_old if m < begun + 0.7 else gw if m < high + 0.5 else back  # noqa: E731 - read beside its use
    traffic(x, front, "/price", "rates-price-gw-80", every=0.2, failing=between((low, high + 0.6), chance=0.3), status=(502,), slow=0.02,
            failed=lambda m: x.log(x.random.choice(pods(m)), m, zap(x.at(m), "error", "call quotes", error='Get "http://quotes/q": dial tcp 10.43.60.6:80: connect: cannot assign requested address')),
            served=lambda m: x.log(x.random.choice(pods(m)), m, zap(x.at(m), "info", "priced")) if x.random.random() < 0.5 else None)
    for at in x.every(0.8):
        x.log(x.random.choice(q_old if at < 244 else quotes), at, zap(x.at(at), "info", "quoted", took_ms=x.random.randint(2, 9)))
    x.say(256, "UANA", "prices fail since quotes 5.0.1, 08:03. whose is it?")
    x.say(330, "UBEN", "reverted quotes in staging, nothing wrong with it. quotes' own latency is flat")
    x.say(391, "UCHO", "price-gw back on 2.2.7")
    bustle(x, 6)
    return x.write(folder)


def rotated_password(folder: Path) -> Path:
    """A password is rotated; the API is reloaded for it, the exporter is not and fails as its pool's connections grow old. External Secrets 0.10, Reloader. A day, no metrics.

    Root: the rotation (ExternalSecret/Secret db-app). How: 'password authentication failed' only from exports, from 30 minutes (the pool's max lifetime) after the
    rotation; api was reloaded in that minute; it ends with a restart of exports. Not: the release of exports-ui six minutes before.
    """
    x = Export(day(5), 1440, seed=2205, namespace="books")
    front = edge(x)
    api = x.workload("api", 2)
    exports = x.workload("exports", 2, container={"env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db-app", "key": "password"}}}]})
    ui = x.workload("exports-ui", 2, image="2.0.0")
    db = stateful(x, "books-db", "docker.io/library/postgres:16.4")
    rot, low, high = 560.0, 590.0, 701.0
    x.event(rot, "Updated", "ExternalSecret/db-app", "Updated Secret", component="external-secrets")
    edited(x, {"apiVersion": "external-secrets.io/v1beta1", "kind": "ExternalSecret", "metadata": {"name": "db-app", "namespace": "books"}, "spec": {"refreshInterval": "1h", "target": {"name": "db-app"}}, "status": {"refreshTime": stamp(x.at(rot))}}, rot, "external-secrets", {"f:status": {"f:refreshTime": {}}})
    x.log("reloader-reloader-6c7d9f8b5-x2k4p", rot + 0.1, f'time="{stamp(x.at(rot + 0.1))}" level=info msg="Changes detected in \'db-app\' of type \'SECRET\' in namespace \'books\'; updated \'api\' of type \'Deployment\' in namespace \'books\'"', namespace="reloader")
    api_new = released(x, rot + 0.2, "api", 2, "1.0.0", old=api)
    released(x, low - 6, "exports-ui", 2, "2.1.0", old=ui)
    restarted = released(x, high, "exports", 2, "1.0.0", old=exports)
    x.log(db, rot - 0.1, postgres(x.at(rot - 0.1), "LOG", "statement: ALTER ROLE app PASSWORD <REDACTED>", 4410))
    chance = lambda m: min(1.0, (m - low) / 12) if low <= m < high + 0.5 else 0.0  # noqa: E731 - read beside its use
    told = lambda m: (x.log(db, m, postgres(x.at(m), "FATAL", 'password authentication failed for user "app"', x.random.randint(5000, 9000))),  # noqa: E731 - read beside its use
                      x.log(x.random.choice(exports), m, gunicorn(x.random, x.at(m), "/exports/run", 500, 9000)),
                      x.log(x.random.choice(exports), m, 'psycopg2.OperationalError: connection to server at "books-db" (10.43.12.8), port 5432 failed: FATAL:  password authentication failed for user "app"'))
    traffic(x, front, "/exports/run", "books-exports-80", every=0.6, failing=chance, status=(500,), failed=told,
            served=lambda m: x.log(x.random.choice(exports if m < high else restarted), m, gunicorn(x.random, x.at(m), "/exports/run", 200, 41000)))
    traffic(x, front, "/books", "books-api-80", every=0.8, failing=lambda _m: 0.002, served=lambda m: x.log(x.random.choice(api if m < rot + 0.8 else api_new), m, zap(x.at(m), "info", "books listed")))
    x.say(604, "UANA", "exports fail, exports-ui 2.1.0 went out at 09:44")
    x.say(703, "UBEN", "restarted exports, fine now")
    bustle(x, 6)
    return x.write(folder)


def limited_office(folder: Path) -> Path:
    """Somebody annotates an Ingress with a limit of requests a second; a call centre behind one address is refused from then on. ingress-nginx 1.11. Eight hours, no metrics.

    Root: Ingress desk. How: 'limiting requests' begins with the reload that follows the edit; only the call centre's address is refused, others are served. Not: desk's
    release three minutes before.
    """
    x = Export(day(6, 7), 480, seed=2206, namespace="calls")
    front = edge(x)
    old = x.workload("desk", 3, image="1.30.0")
    begun, undone = 201.0, 353.0
    new = released(x, begun - 3, "desk", 3, "1.31.0", old=old)
    edited(x, {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "desk", "namespace": "calls", "annotations": {}},
               "spec": {"rules": [{"host": "desk.example.com", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "desk"}}}]}}]}}, undone, "kubectl-annotate", {"f:metadata": {"f:annotations": {"f:nginx.ingress.kubernetes.io/limit-rps": {}}}})
    for at in (begun, undone):
        x.event(at, "Sync", "Ingress/desk", "Scheduled for sync", component="nginx-ingress-controller")
        x.log(front, at + 0.02, f'I{x.at(at).strftime("%m%d %H:%M:%S.%f")}       7 controller.go:193] "Configuration changes detected, backend reload required"', namespace="ingress-nginx")
        x.log(front, at + 0.04, f'I{x.at(at).strftime("%m%d %H:%M:%S.%f")}       7 controller.go:213] "Backend successfully reloaded"', namespace="ingress-nginx")
    for at in x.every(0.15):
        office = x.random.random() < 0.6
        bad = office and begun + 0.1 <= at < undone + 0.1 and x.random.random() < 0.6
        client = "198.51.100.23" if office else f"203.0.113.{x.random.randint(2, 250)}"
        x.log(front, at, nginx(x.at(at), "/calls", 503 if bad else 200, "calls-desk-80", 0.0 if bad else 0.04, None if bad else 0.04, client=client), namespace="ingress-nginx")
        if bad:
            x.log(front, at, f'{x.at(at).strftime("%Y/%m/%d %H:%M:%S")} [error] 33#33: *{int(at * 900)} limiting requests, excess: 25.{x.random.randint(100, 999)} by zone "calls_desk_7c1e_rps", client: 198.51.100.23, server: desk.example.com, request: "GET /calls HTTP/2.0", host: "desk.example.com"', namespace="ingress-nginx")
        elif x.random.random() < 0.4:
            x.log(x.random.choice(new if at > begun - 2 else old), at - 0.001, pino(x.at(at), 30, "calls listed"))
    x.say(209, "UANA", "the call centre gets 503 all the time. desk 1.31.0, 10:18!")
    x.say(231, "UBEN", "works for me from home with 1.31.0")
    x.say(355, "UCHO", "took the rate limit off the ingress again")
    bustle(x, 5)
    return x.write(folder)


def closed_egress(folder: Path) -> Path:
    """A NetworkPolicy's egress list loses the mail relay: connections that are open live on, new ones find no way. A day, Loki and objects only, undone never.

    Root: NetworkPolicy letters-egress. How: it was edited at 08:12; i/o timeouts to port 587 only, ever more as connections are recycled; HTTP out of the same pods
    works. Not: the release of templates six minutes before the first timeout, not the relay, which serves other namespaces.
    """
    x = Export(day(9), 1440, seed=2207, namespace="post")
    letters = x.workload("letters", 2, image="3.3.0")
    old = x.workload("templates", 2, image="1.8.0")
    relay = x.workload("smtp-relay", 1, namespace="mail")[0]
    edit, low = 492.0, 503.0
    released(x, low - 6, "templates", 2, "1.9.0", old=old)
    edited(x, {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "letters-egress", "namespace": "post"},
               "spec": {"podSelector": {"matchLabels": {"app": "letters"}}, "policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}, {"port": 443}, {"port": 80}]}]}}, edit, "kubectl-edit", {"f:spec": {"f:egress": {}}})
    for at in x.every(0.7):
        bad = at > low and x.random.random() < min(0.98, (at - low) / 40)
        pod = x.random.choice(letters)
        line = zap(x.at(at), "error", "send letter", error="dial tcp 10.43.22.10:587: i/o timeout", took="30s") if bad else zap(x.at(at), "info", "letter sent", relay="smtp-relay.mail:587")
        x.log(pod, at, line)
        if x.random.random() < 0.3:
            x.log(pod, at + 0.01, zap(x.at(at), "info", "rendered", template="http://templates.post/v1", status=200))
    for at in x.every(0.9):
        x.log(relay, at, f"{x.at(at).strftime('%b %d %H:%M:%S')} smtp-relay postfix/smtp[{x.random.randint(300, 900)}]: {x.random.getrandbits(40):010X}: to=<{x.random.choice(('a', 'b', 'c'))}@example.org>, relay=mx.example.org[198.51.100.9]:25, delay=0.8, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)", namespace="mail")
    x.say(540, "UANA", "letters cannot send mail. templates 1.9.0 (08:17), or is the relay down?")
    x.say(700, "UBEN", "the relay sends for everybody else")
    bustle(x, 5)
    return x.write(folder, "loki")


def debug_fills_disk(folder: Path) -> Path:
    """Somebody sets a log level to debug in a ConfigMap and restarts; ten hours later the node's disk is full and its neighbours are evicted. A day, metrics.

    Root: ConfigMap tracker-config (or the restart of tracker that took it). How: the nodes' free bytes fall in a line from the restart; eviction messages say tracker's
    container used 61 Gi; its lines are DEBUG since. Not: routes' release 17 minutes before the eviction.
    """
    x = Export(day(10), 1440, seed=2208, namespace="fleet")
    front = edge(x)
    old = x.workload("tracker", 2, image="8.0.1", nodes=("node-a", "node-b"))
    routes_old = x.workload("routes", 2, image="2.2.2", nodes=("node-a", "node-b"))
    begun, low, high = 402.0, 1011.0, 1082.0
    new = released(x, begun, "tracker", 2, "8.0.1", container={"env": [{"name": "RESTARTED_AT", "value": "2026-03-10T06:42:00Z"}], "envFrom": [{"configMapRef": {"name": "tracker-config"}}]}, old=old)
    placed(x, new, ("node-a", "node-b"))
    edited(x, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tracker-config", "namespace": "fleet"}, "data": {"LOG_LEVEL": "debug", "BROKER": "mqtt:1883"}}, begun - 3, "kubectl-edit", {"f:data": {"f:LOG_LEVEL": {}}})
    routes = placed(x, released(x, low - 17, "routes", 2, "2.3.0", old=routes_old), ("node-a", "node-b"))
    for n, name in enumerate(("node-a", "node-b")):
        x.series("node_filesystem_avail_bytes", {"instance": name, "mountpoint": "/var/lib/containerd"}, lambda m, n=n: (7.1e10 if m < begun else 7.1e10 - 6.4e10 * min(1.0, (m - begun) / (low - begun)) if m < high - 20 else 6.0e10) + 5e7 * (m % 3) + n * 1e8, step=5)
        x.event(low + 3 * n, "NodeHasDiskPressure", f"Node/{name}", f"Node {name} status is now: NodeHasDiskPressure", namespace="default", host=name)
        x.event(low + 3 * n, "EvictionThresholdMet", f"Node/{name}", "Attempting to reclaim ephemeral-storage", warning=True, namespace="default", host=name)
        x.event(low + 0.3 + 3 * n, "Evicted", f"Pod/{routes[n]}", "The node was low on resource: ephemeral-storage. Threshold quantity: 10737418240, available: 6912Mi. Container app was using 212Ki, request is 0, has larger consumption of ephemeral-storage. ", warning=True, host=name)
        x.event(low + 9 + 3 * n, "Evicted", f"Pod/{new[n]}", "The node was low on resource: ephemeral-storage. Threshold quantity: 10737418240, available: 6850Mi. Container app was using 61Gi, request is 0, has larger consumption of ephemeral-storage. ", warning=True, host=name)
        pod = f"{routes[0].rpartition('-')[0]}-{'bk'[n]}8x2z"
        x.event(low + 1 + 3 * n, "FailedScheduling", f"Pod/{pod}", "0/3 nodes are available: 1 node(s) had untolerated taint {dedicated: db}, 2 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }.", warning=True, count=14, until=high - 2, component="default-scheduler")
        x.event(high - 14, "NodeHasNoDiskPressure", f"Node/{name}", f"Node {name} status is now: NodeHasNoDiskPressure", namespace="default", host=name)
        x.event(high - 1, "Started", f"Pod/{pod}", "Started container app")
    for at in x.every(0.5, 0, low + 9):
        debug = at > begun + 1 and x.random.random() < 0.8
        x.log(x.random.choice(new if at > begun + 1 else old), at, spring(x.at(at), "DEBUG" if debug else "INFO", "c.e.tracker.Mqtt", f"payload {x.random.getrandbits(96):024x}" if debug else "positions stored"))
    traffic(x, front, "/routes", "fleet-routes-80", every=0.4, failing=between((low + 3.5, high), chance=0.97), status=(503,),
            served=lambda m: x.log(x.random.choice(routes_old if m < low - 16 else routes), m, zap(x.at(m), "info", "route computed")) if not low < m < high else None)
    x.say(1019, "UANA", "routes is gone entirely, 2.3.0 from 16:34")
    bustle(x, 6)
    return x.write(folder)


def provider_down(folder: Path) -> Path:
    """The payment provider answers nobody for an hour; a release ten minutes before is undone in vain. Three services fail alike. stripe-go v79. Eight hours, no metrics.

    Root: the provider outside, api.stripe.com. How: three services, of which one only was released, time out on that host in the same minute and recover in the same
    minute. Not: checkout's release, its undo.
    """
    x = Export(day(11, 8), 480, seed=2209, namespace="money")
    front = edge(x)
    old = x.workload("checkout", 3, image="9.9.0")
    others = {"subs": x.workload("subs", 2), "payouts": x.workload("payouts", 2)}
    low, high = 192.0, 251.0
    new = released(x, low - 10, "checkout", 3, "9.10.0", old=old)
    back = released(x, low + 17, "checkout", 3, "9.9.0", old=new)
    words = 'Post "https://api.stripe.com/v1/payment_intents": net/http: TLS handshake timeout'
    pods = lambda m: old if m < low - 9 else new if m < low + 18 else back  # noqa: E731 - read beside its use
    traffic(x, front, "/checkout", "money-checkout-80", every=0.3, failing=between((low, high), chance=0.93), status=(502,), slow=10,
            failed=lambda m: x.log(x.random.choice(pods(m)), m, zap(x.at(m), "error", "charge", error=words)), served=lambda m: x.log(x.random.choice(pods(m)), m, zap(x.at(m), "info", "charged")))
    for name, found in others.items():
        for at in x.every(0.8):
            bad = low <= at < high and x.random.random() < 0.93
            x.log(x.random.choice(found), at, zap(x.at(at), "error" if bad else "info", f"{name} run", **({"error": words.replace("payment_intents", name)} if bad else {"ok": True})))
    x.say(199, "UANA", "checkout 9.10.0 broke charges, reverting")
    x.say(214, "UBEN", "reverted, same. status.stripe.com says investigating elevated errors")
    bustle(x, 5)
    return x.write(folder)


INCIDENTS = (
    Unseen(name="short-keepalive", build=short_keepalive, question="Why do we see sporadic 502s on /profile?", roots=frozenset({"Deployment/member/profile"}), full=True),
    Unseen(name="slow-leak", build=slow_leak, question=None, roots=frozenset({"Deployment/till/basket"}), full=True),
    Unseen(name="other-hour", build=other_hour, hard=True, question="is it the release of storefront on the 9th?", roots=frozenset({"CronJob/oz/reindex", "HelmRelease/oz/oz"}), full=True),
    Unseen(name="no-ports-left", build=no_ports_left, question="prices failed from eight on, quotes 5.0.1?", roots=frozenset({"Deployment/rates/price-gw"}), full=True),
    Unseen(name="password-for-one", build=rotated_password, hard=True, question=None, roots=frozenset({"ExternalSecret/books/db-app", "Secret/books/db-app"}), shallow=frozenset({"Deployment/books/exports"}), full=True),
    Unseen(name="limited-office", build=limited_office, question="503s for the call centre, is it desk 1.31.0?", roots=frozenset({"Ingress/calls/desk"}), full=True),
    Unseen(name="closed-egress", build=closed_egress, question="why can't we send letters?", roots=frozenset({"NetworkPolicy/post/letters-egress"}), full=True),
    Unseen(name="debug-lines", build=debug_fills_disk, question=None, roots=frozenset({"ConfigMap/fleet/tracker-config", "Deployment/fleet/tracker"}), shallow=frozenset({"Node//node-a", "Node//node-b"}), full=True),
    Unseen(name="provider-down", build=provider_down, question="what broke checkout on the 11th?", roots=frozenset({"Host//api.stripe.com", "Service//api.stripe.com", "Service/money/api.stripe.com", "Host/money/api.stripe.com"}), full=True),
)
