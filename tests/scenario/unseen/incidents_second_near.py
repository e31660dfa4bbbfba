"""Second examination, held out: what lies near the onset, sometimes guilty and sometimes not. Written before the engine was mended for the first ones."""

# A scene reads as a table: a line for each thing that is written.
# fmt: off

from pathlib import Path

from examined_scenes import bustle, measured, nginx, released, traefik
from incident_kit import Export, Unseen, day
from incident_scenes import between, edge, edited, job, node, stateful, traffic
from incident_sets import cordoned, ended, made
from line_formats import gunicorn, pino, postgres, spring, zap
from second_scenes import placed


def slow_poison(folder: Path) -> Path:
    """A release never gives threads back; after eleven good minutes all 200 are taken and requests are refused until its undo. Tomcat 10. Eight hours, metrics.

    Root: the release of seats. How: busy threads rise from its minute in a line to 200, fall with its undo, and so do the 503s. Not: the edit of another service's ConfigMap
    two minutes before the first 503, nor the cron of that minute (it ran every half hour).
    """
    x = Export(day(17, 9), 480, seed=2501, namespace="show")
    front = edge(x)
    old = x.workload("seats", 3, image="8.0.0")
    x.workload("posters", 2)
    begun, low, undone = 200.0, 211.0, 268.0
    new = released(x, begun, "seats", 3, "8.1.0", old=old)
    back = released(x, undone, "seats", 3, "8.0.0", old=new)
    edited(x, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "posters-config", "namespace": "show"}, "data": {"theme": "spring"}}, low - 2, "kubectl-edit", {"f:data": {"f:theme": {}}})
    x.cronjob("prune-holds", "0,30 * * * *", [30.0 * n for n in range(1, 16)], 2)
    for pods, alive, busy in ((old, (0.0, begun + 1), lambda m: 14 + m % 5), (new, (begun, undone + 1), lambda m: min(200.0, 14 + 17 * max(0.0, m - begun))), (back, (undone, 480.0), lambda m: 14 + m % 5)):
        for pod in pods:
            x.series("tomcat_threads_busy_threads", {"namespace": "show", "pod": pod}, busy)
            first, last = x.at(alive[0]).timestamp(), x.at(alive[1]).timestamp()
            one = x.samples["tomcat_threads_busy_threads"][-1]
            one["values"] = [[at, v] for at, v in one["values"] if first <= at < last]
        measured(x, pods, lambda _m: 0.3, lambda _m: 400, alive=alive)
    traffic(x, front, "/seats", "show-seats-80", every=0.25, failing=between((low, undone + 1), chance=0.9), status=(503,), slow=10,
            served=lambda m: x.log(x.random.choice(old if m < begun + 1 else new if m < undone + 1 else back), m, spring(x.at(m), "INFO", "c.e.Seats", "seat held")),
            failed=lambda m: x.log(x.random.choice(new), m, spring(x.at(m), "WARN", "o.a.tomcat.util.threads.ThreadPoolExecutor", "Maximum number of threads (200) reached for connector; no thread available")))
    x.say(215, "UANA", "seats 503. posters-config was edited just now?")
    x.say(269, "UBEN", "rolled seats back")
    bustle(x, 6)
    return x.write(folder)


def expires_later(folder: Path) -> Path:
    """A release writes sessions in another form; only as the old form's cache entries end after five minutes do its readers fail. Eight hours, no metrics.

    Root: the release of login. How: the reader's error names the form v2 that login 3.0.0 logs since its start; it ends five minutes after the undo. Not: the drain of node-b two minutes
    before the first error (pods of reader were elsewhere).
    """
    x = Export(day(18, 8), 480, seed=2502, namespace="club")
    front = edge(x)
    old = x.workload("login", 2, image="2.9.0", nodes=("node-a", "node-c"))
    reader = x.workload("reader", 3, nodes=("node-a", "node-c"))
    begun, undone = 190.0, 236.0
    new = placed(x, released(x, begun, "login", 2, "3.0.0", old=old), ("node-a", "node-c"))
    back = placed(x, released(x, undone, "login", 2, "2.9.0", old=new), ("node-a", "node-c"))
    cordoned(x, "node-b", begun + 3.2, begun + 15)
    ended(x, "mailer-6b5f9d7c88-2k4xq", begun + 3.5, "node-b", namespace="growth")
    made(x, "mailer-6b5f9d7c88-9x2zp", begun + 3.8, "node-a", "registry.example.com/mailer:1.0.0", namespace="growth")
    low, high = begun + 5.3, undone + 5.6
    for at in x.every(0.5):
        v2 = begun + 0.6 <= at < undone + 0.6
        x.log(x.random.choice(old if at < begun + 0.6 else new if v2 else back), at, zap(x.at(at), "info", "session written", form="v2" if v2 else "v1", ttl="5m"))
    traffic(x, front, "/feed", "club-reader-80", every=0.25, failing=between((low, high), chance=0.75), status=(500,),
            failed=lambda m: x.log(x.random.choice(reader), m, pino(x.at(m), 50, "cannot read session", err={"type": "SyntaxError", "message": "unsupported session form v2"})),
            served=lambda m: x.log(x.random.choice(reader), m, pino(x.at(m), 30, "feed read")))
    x.say(199, "UANA", "feed 500s. node-b is being drained, is it that?")
    x.say(237, "UBEN", "login is back on 2.9.0")
    bustle(x, 5)
    return x.write(folder)


def reloaded_config(folder: Path) -> Path:
    """A ConfigMap that a proxy reloads by itself sends a path to a cluster that does not exist; mended by a second edit. Envoy 1.31 with file discovery. Eight hours, no metrics.

    Root: ConfigMap envoy-routes. How: 'lds/rds: add/update' and 503 NC from that second, again 'rds' and 200s; the object was written by hand at both times (only the last stands in it). Not: the
    release of depot four minutes before, which serves another path just as well.
    """
    x = Export(day(19, 7), 480, seed=2503, namespace="ship")
    proxy = x.workload("edge-proxy", 2)
    x.workload("tracking", 2)
    old = x.workload("depot", 2, image="1.4.0")
    low, high = 231.0, 274.0
    new = released(x, low - 4, "depot", 2, "1.5.0", old=old)
    edited(x, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "envoy-routes", "namespace": "ship"}, "data": {"rds.yaml": "routes: [{prefix: /track, cluster: tracking}]"}}, high, "kubectl-edit", {"f:data": {"f:rds.yaml": {}}})
    for at in (low, high):
        for pod in proxy:
            x.log(pod, at + 0.2, f"[{x.at(at + 0.2).strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]}][1][info][upstream] [source/common/router/rds_impl.cc:120] rds: fetching new configuration from path /etc/envoy/rds.yaml, config name routes updated")
    for at in x.every(0.2):
        track = x.random.random() < 0.5
        bad = track and low + 0.2 <= at < high + 0.2
        path, cluster = ("/track", "trackings" if bad else "tracking") if track else ("/depot", "depot")
        x.log(x.random.choice(proxy), at, f'[{x.at(at).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]}Z] "GET {path} HTTP/1.1" {503 if bad else 200} {"NC" if bad else "-"} 0 {0 if bad else 812} {0 if bad else 21} {"-" if bad else 20} "203.0.113.9" "okhttp/4.12.0" "{x.random.getrandbits(64):016x}" "ship.example.com" "{"-" if bad else "10.42.1.7:8080"}" {cluster}')
        if not track:
            x.log(x.random.choice(old if at < low - 3 else new), at - 0.001, pino(x.at(at), 30, "depot read"))
    x.say(236, "UANA", "tracking is 503 since depot 1.5.0")
    x.say(276, "UCHO", "typo in the routes, fixed")
    bustle(x, 5)
    return x.write(folder)


def noisy_import(folder: Path) -> Path:
    """A Job without limits takes all memory bandwidth and CPU of a node; the pods beside it are slow until it ends. Eight hours, metrics.

    Root: Job photo-import. How: the node's load and the neighbours' CPU starve from its start to its end to the minute, pods on other nodes are well. Not: the release of album five minutes
    before, all of whose pods on other nodes are well.
    """
    x = Export(day(20, 9), 480, seed=2504, namespace="foto")
    front = edge(x)
    names = ("node-a", "node-b", "node-c")
    old = x.workload("album", 3, image="2.1.0")
    low, high = 222.0, 287.0
    new = placed(x, released(x, low - 5, "album", 3, "2.2.0", old=old), names)
    pod = job(x, "photo-import", low, high - low)
    x.event(low + 0.05, "Scheduled", f"Pod/{pod}", f"Successfully assigned foto/{pod} to node-b", component="default-scheduler")
    for n, name in enumerate(names):
        x.series("node_load1", {"instance": name}, lambda m, n=n: 71 + m % 9 if n == 1 and low <= m < high else 2 + 0.1 * (m % 7))
        node(x, name)
        measured(x, [new[n]], lambda m, n=n: 0.08 if n == 1 and low <= m < high else 0.5, lambda _m: 300, alive=(low - 5, 480.0))
    measured(x, [pod], lambda _m: 7.3, lambda _m: 2100, alive=(low, high))
    for at in x.every(4, low, high):
        x.log(pod, at, f"INFO importer: {int((at - low) / (high - low) * 100)}% of archive, 64 workers")
    for at in x.every(0.2):
        number = x.random.randrange(3)
        slow = number == 1 and low + 0.5 <= at < high
        bad = slow and x.random.random() < 0.6
        x.log(front, at, nginx(x.at(at), "/album", 504 if bad else 200, "foto-album-80", 10.0 if bad else 6.0 if slow else 0.08, 10.0 if bad else 6.0 if slow else 0.08, server=f"10.42.{number}.5"), namespace="ingress-nginx")
        x.log((old if at < low - 4 else new)[number], at - 0.001, zap(x.at(at), "info", "album read", ms=6000 if slow else 70)) if not bad else None
    x.say(229, "UANA", "album 504 after 2.2.0. a third of the requests")
    bustle(x, 6)
    return x.write(folder)


def pooler_scaled(folder: Path) -> Path:
    """Somebody scales the connection pooler from four to one by hand; two minutes on, clients find no slot. PgBouncer 1.23. Eight hours, no metrics.

    Root: Deployment pgbouncer scaled down. How: 'no more connections allowed (max_client_conn)' of the one pod that is left, from the scale-down until it is scaled up again. Not: the release
    of tariffs seven minutes before.
    """
    x = Export(day(23, 7), 480, seed=2505, namespace="volt")
    front = edge(x)
    pool = x.workload("pgbouncer", 4)
    old = x.workload("tariffs", 4, image="4.0.0")
    meters = x.workload("meters", 2)
    off, low, high = 209.0, 211.0, 250.0
    new = released(x, off - 7, "tariffs", 4, "4.1.0", old=old)
    rs = pool[0].rpartition("-")[0]
    x.event(off, "ScalingReplicaSet", "Deployment/pgbouncer", f"Scaled down replica set {rs} from 4 to 1", component="deployment-controller")
    for pod in pool[1:]:
        ended(x, pod, off + 0.05, "node-a")
        x.event(off + 0.02, "SuccessfulDelete", f"ReplicaSet/{rs}", f"Deleted pod: {pod}", component="replicaset-controller")
    x.event(high, "ScalingReplicaSet", "Deployment/pgbouncer", f"Scaled up replica set {rs} from 1 to 4", component="deployment-controller")
    for at in x.every(0.4, low, high + 0.3):
        x.log(pool[0], at, f"{x.at(at).strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]} UTC [1] WARNING C-0x55d0c1: (nodb)/(nouser)@10.42.1.{x.random.randint(2, 90)}:{x.random.randint(30000, 60000)} pooler error: no more connections allowed (max_client_conn)")
    for at in x.every(1):
        bad = low <= at < high + 0.3 and x.random.random() < 0.6
        x.log(x.random.choice(meters), at, gunicorn(x.random, x.at(at), "/meters", 500 if bad else 200, 22000))
    traffic(x, front, "/tariffs", "volt-tariffs-80", every=0.25, failing=between((low, high + 0.3), chance=0.65), status=(500,),
            failed=lambda m: x.log(x.random.choice(new), m, zap(x.at(m), "error", "read tariffs", error="FATAL: no more connections allowed (max_client_conn) (SQLSTATE 08P01)")),
            served=lambda m: x.log(x.random.choice(old if m < off - 6 else new), m, zap(x.at(m), "info", "tariffs read")))
    x.say(216, "UANA", "tariffs 4.1.0 opens too many connections?")
    x.say(251, "UCHO", "pgbouncer was at 1, put it back to 4")
    bustle(x, 5)
    return x.write(folder)


def both_at_once(folder: Path) -> Path:
    """In one minute a release goes out and somebody scales the cache the service reads from four to two; three minutes on, half an hour of timeouts. It ends by itself. Eight hours.

    How: nothing tells the two apart (neither is undone), nothing tells why it ended.
    """
    x = Export(day(24, 7), 480, seed=2506, namespace="duo")
    front = edge(x)
    cache = x.workload("cache", 4)
    old = x.workload("offers", 3, image="1.0.0")
    at0, low, high = 205.0, 208.4, 239.0
    new = released(x, at0, "offers", 3, "1.1.0", old=old)
    rs = cache[0].rpartition("-")[0]
    x.event(at0 + 0.4, "ScalingReplicaSet", "Deployment/cache", f"Scaled down replica set {rs} from 4 to 2", component="deployment-controller")
    for pod in cache[2:]:
        ended(x, pod, at0 + 0.45, "node-a")
    traffic(x, front, "/offers", "duo-offers-80", every=0.25, failing=between((low, high), chance=0.5), status=(504,), slow=5,
            failed=lambda m: x.log(x.random.choice(new), m, spring(x.at(m), "ERROR", "c.e.Offers", "java.util.concurrent.TimeoutException: offers not assembled within 5000 ms")),
            served=lambda m: x.log(x.random.choice(old if m < at0 + 1 else new), m, spring(x.at(m), "INFO", "c.e.Offers", "offers shown")))
    x.say(214, "UANA", "1.1.0 or the cache?")
    bustle(x, 5)
    return x.write(folder)


def stranger(folder: Path) -> Path:
    """A blog's release goes out; six minutes later another namespace's payments fail for twenty minutes with an EOF from a partner's line. Nothing joins the two. Traefik. Ten hours.

    How: blog and payments share neither a call nor a node; payments' lines do not name whom they called.
    """
    x = Export(day(25, 7), 600, seed=2507, namespace="cash")
    front = x.workload("traefik", 1, namespace="traefik")[0]
    pay = x.workload("payments", 3, nodes=("node-a", "node-b"))
    blog = x.workload("blog", 1, image="99.0.0", namespace="content", nodes=("node-c",))
    x.namespace = "content"
    placed(x, released(x, 240.0, "blog", 1, "99.1.0", old=blog), ("node-c",))
    x.namespace = "cash"
    low, high = 246.0, 266.0
    for at in x.every(0.25):
        bad = low <= at < high and x.random.random() < 0.6
        x.log(front, at, traefik(x, at, "/pay", 502 if bad else 200, "cash-payments-80", 300), namespace="traefik")
        x.log(x.random.choice(pay), at - 0.001, zap(x.at(at), "error" if bad else "info", "authorize" if bad else "authorized", **({"error": "unexpected EOF"} if bad else {})))
    x.say(255, "UANA", "payments fail. the only change today is blog 99.1.0...")
    bustle(x, 5)
    return x.write(folder)


def random_blips(folder: Path) -> Path:
    """Five blips of under a minute on four days at odd times; before the last one lies a release by twelve minutes, before the others none. Four days, metrics.

    How: blips come before and after the release alike; the data hold nothing that comes before them.
    """
    x = Export(day(26), 5760, seed=2508, namespace="chess")
    front = edge(x)
    old = x.workload("games", 3, image="3.3.0")
    blips = [777.0, 1910.0, 2488.0, 4021.0, 5102.0]
    new = released(x, 5090.0, "games", 3, "3.4.0", old=old)
    database = stateful(x, "games-db", "docker.io/library/postgres:16.4")
    measured(x, [database], lambda _m: 0.3, lambda _m: 1500, step=5)
    for at in x.every(30):
        x.log(database, at, postgres(x.at(at), "LOG", f"checkpoint complete: wrote {x.random.randint(20, 300)} buffers (0.4%)"))
    pods = lambda m: old if m < 5091 else new  # noqa: E731 - read beside its use
    traffic(x, front, "/move", "chess-games-80", every=1, failing=lambda _m: 0.0, served=lambda m: x.log(x.random.choice(pods(m)), m, zap(x.at(m), "info", "move")))
    for low in blips:
        traffic(x, front, "/move", "chess-games-80", every=0.03, failing=lambda _m: 0.8, status=(502,), since=low, until=low + 0.8,
                failed=lambda m: x.log(x.random.choice(pods(m)), m, zap(x.at(m), "error", "move", error="read tcp 10.42.1.7:41877->10.43.88.8:5432: read: connection reset by peer")))
    x.say(5104, "UANA", "502s after 3.4.0, rolling back?")
    bustle(x, 6)
    return x.write(folder)


_CALM = frozenset({"no_incident", "inconclusive"})
_OPEN = frozenset({"inconclusive"})
INCIDENTS = (
    Unseen(name="slow-poison", build=slow_poison, question="why did seats refuse requests?", roots=frozenset({"Deployment/show/seats"}), full=True),
    Unseen(name="expires-later", build=expires_later, hard=True, question="feed 500s, is it the drain of node-b?", roots=frozenset({"Deployment/club/login"}), full=True),
    Unseen(name="reloaded-config", build=reloaded_config, hard=True, question="is tracking down because of depot 1.5.0?", roots=frozenset({"ConfigMap/ship/envoy-routes"}), shallow=frozenset({"Deployment/ship/edge-proxy"}), full=True),
    Unseen(name="noisy-import", build=noisy_import, hard=True, question=None, roots=frozenset({"Job/foto/photo-import"}), shallow=frozenset({"Node//node-b"}), full=True),
    Unseen(name="pooler-scaled", build=pooler_scaled, hard=True, question="does tariffs 4.1.0 leak connections?", roots=frozenset({"Deployment/volt/pgbouncer"}), full=True),
    Unseen(name="both-at-once", build=both_at_once, question=None, verdicts=_OPEN, full=True),
    Unseen(name="stranger", build=stranger, question="why did payments fail around eleven?", verdicts=_OPEN, full=True),
    Unseen(name="random-blips", build=random_blips, question="is games 3.4.0 bad?", verdicts=_CALM, full=True),
)
