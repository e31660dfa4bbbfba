"""Incidents by other mechanisms than anything else here: selectors, clocks, leaks beside a service, lost rows, the kernel."""

from pathlib import Path

from incident_kit import Export, Unseen, day, stamp
from line_formats import ingress, klog, nginx_error, pino, postgres, spring, zap


def changed_selector(folder: Path) -> Path:
    """Somebody edits a Service's selector; it has no endpoints any more and the ingress answers 503. Six hours."""
    x = Export(day(3, 6), 360, seed=51, namespace="web")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    catalog, reviews = x.workload("catalog", 3), x.workload("reviews", 2)
    service = next(o for o in x.objects["web", "Service"] if o["metadata"]["name"] == "catalog")
    service["spec"]["selector"] = {"app": "catalog", "tier": "backend"}
    service["metadata"].update(creationTimestamp=stamp(x.at(-90000.0)), managedFields=[
        {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1", "time": stamp(x.at(-90000.0)),
         "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:ports": {}}}},
        {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1", "time": stamp(x.at(204.0)),
         "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:selector": {}}}},
    ])  # fmt: skip
    for at in x.every(0.2):
        path, bad = x.random.choice((("/catalog", at > 204.1), ("/reviews", False)))
        status, seconds = (503, 0.0) if bad else (200, 0.04)
        x.log(edge, at, ingress(x.random, x.at(at), path, status, f"web-{path[1:]}-80", seconds, upstream="-" if bad else "10.42.1.17:8080"),
              namespace="ingress-nginx")  # fmt: skip
        x.log(x.random.choice(reviews), at, pino(x.at(at), 30, "listed", n=20))
        if not bad:
            x.log(x.random.choice(catalog), at, zap(x.at(at), "info", "page rendered", ms=31))
    x.log(edge, 204.05, klog(x.at(204.05), "W", 'Service "web/catalog" does not have any active Endpoint.', "controller.go:1216"),
          namespace="ingress-nginx")  # fmt: skip
    x.rollout(150, "reviews", 2, image="2.2.0")
    return x.write(folder)


def slow_clock(folder: Path) -> Path:
    """A node's clock runs behind after a reboot; the token checks of the pods on it fail until chrony steps it. A day."""
    x = Export(day(5), 1440, seed=52, namespace="bank")
    chrony = x.workload("chrony", 1, namespace="kube-system", nodes=("node-b",))[0]
    issuer = x.workload("issuer", 2, nodes=("node-a",))
    api = x.workload("accounts-api", 3)
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    x.event(700, "Rebooted", "Node/node-b", "Node node-b has been rebooted, boot id: 5f0a", warning=True, host="node-b")
    x.log(chrony, 700.5, "chronyd version 4.5 starting (+CMDMON +NTP +REFCLOCK +RTC)", namespace="kube-system")
    for n in range(8):
        x.log(chrony, 702 + 8 * n, "Can't synchronise: no selectable sources", namespace="kube-system")
    x.log(chrony, 771, "System clock wrong by 94.318211 seconds", namespace="kube-system")
    x.log(chrony, 771.1, "System clock was stepped by 94.318211 seconds", namespace="kube-system")
    for at in x.every(0.3):
        pod = x.random.choice(api)
        bad = 700.6 < at < 771.1 and pod == api[1] and x.random.random() < 0.9
        if bad:
            x.log(
                pod,
                at,
                zap(x.at(at), "warn", "token rejected", error="token has invalid claims: token used before issued"),
            )
        x.log(
            pod, at, zap(x.at(at), "info", "http request", path="/accounts", status=401 if bad else 200, duration=0.01)
        )
        x.log(
            edge,
            at,
            ingress(x.random, x.at(at), "/accounts", 401 if bad else 200, "bank-accounts-api-80", 0.01),
            namespace="ingress-nginx",
        )
    for at in x.every(6):
        x.log(x.random.choice(issuer), at, spring(x.at(at), "INFO", "o.s.s.o.s.a.TokenEndpoint", "token issued"))
    x.rollout(400, "issuer", 2, image="1.4.4", nodes=("node-a",))
    return x.write(folder)


def leaking_sidecar(folder: Path) -> Path:
    """A release brings a new proxy sidecar that never closes its connections; hours later the database takes no more."""
    x = Export(day(6), 1440, seed=53, namespace="trips")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    pg = x.workload("postgres", 1)[0]
    old = x.workload("booking", 3)
    new = x.rollout(480.0, "booking", 3, image="7.0.0")
    other = x.workload("calendar", 2)
    held = lambda m: 40.0 + (0.0 if m < 481 else min(160.0, (m - 481) * 0.32))  # noqa: E731 - read beside its use
    x.series("pg_stat_activity_count", {"namespace": "trips", "pod": pg, "datname": "trips"}, held, step=2)
    full = 481 + 160 / 0.32
    for at in x.every(0.35):
        pod = x.random.choice(old if at < 480 else new)
        bad = at > full and x.random.random() < 0.4
        if bad:
            x.log(pg, at, postgres(x.at(at), "FATAL", "sorry, too many clients already", 4000 + int(at)))
            x.log(
                pod,
                at,
                spring(
                    x.at(at),
                    "ERROR",
                    "o.h.engine.jdbc.spi.SqlExceptionHelper",
                    "FATAL: sorry, too many clients already",
                ),
            )
            if x.random.random() < 0.3:
                x.log(x.random.choice(other), at, spring(x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper",
                      "FATAL: sorry, too many clients already"))  # fmt: skip
        x.log(
            edge,
            at,
            ingress(x.random, x.at(at), "/booking", 500 if bad else 200, "trips-booking-80", 0.2),
            namespace="ingress-nginx",
        )
    for at in x.every(15, 481):
        x.log(x.random.choice(new), at, "proxy: opened connection 10.42.0.9:5432, pool=unbounded", container="db-proxy")
    x.rollout(900, "calendar", 2, image="3.3.1")
    return x.write(folder)


def purged_rows(folder: Path) -> Path:
    """A clean-up job deletes rows that are still needed; pages that read them fail until a restore. A day."""
    x = Export(day(9), 1440, seed=54, namespace="shop")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    pricing = x.workload("pricing", 2)
    ((begun, pod),) = x.cronjob("purge-expired", "10 11 * * *", [670.0], 4)
    x.cronjob("sitemap", "0 */4 * * *", [240.0 * n for n in range(6)], 6)
    x.log(pod, begun + 0.1, "purge: DELETE FROM price_list WHERE valid_until < now()")
    x.log(pod, begun + 3.5, "purge: 1482113 rows deleted in 204.1 s, exiting")
    for at in x.every(0.25):
        bad = begun + 1 < at < 1010 and x.random.random() < 0.6
        if bad:
            x.log(x.random.choice(pricing), at, pino(x.at(at), 50, "price lookup failed", err={"type": "PriceNotFound",
                  "message": "no price for sku 88121", "stack": "PriceNotFound: no price for sku 88121\n    at lookup"}))  # fmt: skip
        x.log(
            edge,
            at,
            ingress(x.random, x.at(at), "/price", 500 if bad else 200, "shop-pricing-80", 0.03),
            namespace="ingress-nginx",
        )
    x.rollout(300, "pricing", 2, image="6.1.0")
    return x.write(folder)


def full_conntrack(folder: Path) -> Path:
    """A link checker opens so many connections that its node's connection table is full; its neighbours' packets are dropped."""
    x = Export(day(11), 1440, seed=55, namespace="docs")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx", nodes=("node-a",))[0]
    kernel = x.workload("kernel-log", 1, namespace="kube-system", nodes=("node-c",))[0]
    render, search = x.workload("render", 2, nodes=("node-c",)), x.workload("search", 2, nodes=("node-b",))
    crawler = x.workload("link-checker", 1, nodes=("node-c",))[0]
    runs = [(180.0, 222.0), (610.0, 655.0), (1100.0, 1139.0)]
    inside = lambda m: any(low < m < high for low, high in runs)  # noqa: E731 - read beside its use
    x.series(
        "node_nf_conntrack_entries",
        {"instance": "node-c", "node": "node-c"},
        lambda m: 262144.0 if inside(m) else 21000 + 900 * (m % 7),
        step=1,
    )
    x.series("node_nf_conntrack_entries_limit", {"instance": "node-c", "node": "node-c"}, lambda _m: 262144.0, step=1)
    for low, high in runs:
        x.log(crawler, low - 1.5, "link-checker: checking 2118204 links with 40000 workers")
        x.log(crawler, high, "link-checker: done, 311 broken")
        for at in x.every(0.2, low, high):
            x.log(
                kernel,
                at,
                f"kernel: [{at * 60:.6f}] nf_conntrack: nf_conntrack: table full, dropping packet",
                namespace="kube-system",
            )
    for at in x.every(0.2):
        path = x.random.choice(("/render", "/search"))
        bad = inside(at) and path == "/render" and x.random.random() < 0.5
        x.log(
            edge,
            at,
            ingress(x.random, x.at(at), path, 504 if bad else 200, f"docs-{path[1:]}-80", 5.0 if bad else 0.1),
            namespace="ingress-nginx",
        )
        if bad:
            x.log(edge, at, nginx_error(x.at(at), "upstream timed out (110: Operation timed out) while connecting to upstream", path,
                  "10.42.0.6:8080"), namespace="ingress-nginx")  # fmt: skip
        x.log(x.random.choice(render if path == "/render" else search), at, zap(x.at(at), "info", "served", path=path))
    x.rollout(800, "search", 2, image="9.9.0", nodes=("node-b",))
    return x.write(folder)


def half_rolled(folder: Path) -> Path:
    """A rollout stops half way: its two new pods answer with errors, the four old ones beside them never do. A day."""
    x = Export(day(13), 1440, seed=58, namespace="tax")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    old, rates = x.workload("filing", 4), x.workload("rates", 2)
    new = x.rollout(655.0, "filing", 2, image="12.0.0")
    for at in x.every(0.2):
        pod = x.random.choice(old if at < 656 else (*old, *new))
        bad = pod in new and x.random.random() < 0.8
        if bad:
            x.log(pod, at, spring(x.at(at), "ERROR", "o.a.c.c.C.[.[.[/].[dispatcherServlet]", "Servlet.service() threw exception: "
                  "java.lang.NoSuchMethodError: 'void com.example.Form.setYear(int)'"))  # fmt: skip
        else:
            x.log(pod, at, spring(x.at(at), "INFO", "c.e.filing.FormController", "form stored"))
        x.log(
            edge,
            at,
            ingress(x.random, x.at(at), "/filing", 500 if bad else 200, "tax-filing-80", 0.03),
            namespace="ingress-nginx",
        )
    for at in x.every(8):
        x.log(x.random.choice(rates), at, pino(x.at(at), 30, "rates read"))
    x.rollout(648.0, "rates", 2, image="2.0.1")
    return x.write(folder)


def throttled_bystander(folder: Path) -> Path:
    """A log shipper is throttled every working day, as it always was; the 504s are a geocoder's outside, at other hours too."""
    x = Export(day(16), 5 * 1440, seed=56, namespace="maps")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    places, shipper = x.workload("places", 3), x.workload("log-shipper", 1)[0]
    hours = lambda m: max(0.0, 1 - abs((m % 1440) / 60 - 13) / 4.5)  # noqa: E731 - read beside its use
    labels = {"namespace": "maps", "pod": shipper, "container": "app"}
    x.counter("container_cpu_cfs_periods_total", labels, lambda _m: 10.0, step=5)
    x.counter("container_cpu_cfs_throttled_periods_total", labels, lambda m: 9.0 * hours(m), step=5)
    outages = [(700.0, 735.0), (2400.0, 2418.0), (3450.0, 3490.0), (5300.0, 5322.0)]
    for at in x.every(0.8):
        bad = any(low < at < high for low, high in outages) and x.random.random() < 0.7
        if bad:
            x.log(x.random.choice(places), at, zap(x.at(at), "error", "geocoding failed", status=504,
                  error='Get "https://api.geolocus.example.com/v2/geocode": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'))  # fmt: skip
        x.log(
            edge,
            at,
            ingress(x.random, x.at(at), "/places", 504 if bad else 200, "maps-places-80", 5.0 if bad else 0.1),
            namespace="ingress-nginx",
        )
    for at in x.every(2):
        x.log(shipper, at, pino(x.at(at), 30, "batch shipped", lines=5000))
    return x.write(folder)


def throttled_at_peace(folder: Path) -> Path:
    """A worker is throttled and short of pods every day, and nobody waits for it: there is no incident in that."""
    x = Export(day(16), 5 * 1440, seed=57, namespace="media")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    web, worker = x.workload("web", 2), x.workload("transcoder", 2)
    hours = lambda m: max(0.0, 1 - abs((m % 1440) / 60 - 14) / 6)  # noqa: E731 - read beside its use
    for pod in worker:
        labels = {"namespace": "media", "pod": pod, "container": "app"}
        x.counter("container_cpu_cfs_periods_total", labels, lambda _m: 10.0, step=5)
        x.counter("container_cpu_cfs_throttled_periods_total", labels, lambda m: 9.0 * hours(m), step=5)
    of = {"namespace": "media", "deployment": "transcoder"}
    x.series("kube_deployment_spec_replicas", of, lambda m: 2 + round(4 * hours(m)), step=5)
    x.series("kube_deployment_status_replicas_available", of, lambda _m: 2.0, step=5)
    for at in x.every(1.0):
        status = x.random.choice((200,) * 300 + (404, 404, 502))
        x.log(edge, at, ingress(x.random, x.at(at), "/", status, "media-web-80", 0.05), namespace="ingress-nginx")
        x.log(x.random.choice(web), at, spring(x.at(at), "INFO", "c.e.Web", "page served"))
    for at in x.every(9):
        x.log(x.random.choice(worker), at, pino(x.at(at), 30, "clip done", seconds=44))
    return x.write(folder)


INCIDENTS = (
    Unseen(name="changed-selector", build=changed_selector, question="why is the catalog down?", roots=frozenset({"Service/web/catalog"}),
           hard=True),
    Unseen(name="slow-clock", build=slow_clock, question="Why do customers get 401?", roots=frozenset({"Node//node-b"}),
           shallow=frozenset({"Deployment/bank/accounts-api"})),
    Unseen(name="leaking-sidecar", build=leaking_sidecar, question=None, roots=frozenset({"Deployment/trips/booking"}),
           shallow=frozenset({"StatefulSet/trips/postgres", "Deployment/trips/postgres"}), hard=True),
    Unseen(name="purged-rows", build=purged_rows, question="/price is broken since noon", roots=frozenset({"CronJob/shop/purge-expired"})),
    Unseen(name="full-conntrack", build=full_conntrack, question=None, roots=frozenset({"Node//node-c", "Deployment/docs/link-checker"})),
    Unseen(name="half-rolled", build=half_rolled, question=None, roots=frozenset({"Deployment/tax/filing"})),
    Unseen(name="throttled-bystander", build=throttled_bystander, question="504s on /places", roots=frozenset({"Host//api.geolocus.example.com"})),
    Unseen(name="throttled-at-peace", build=throttled_at_peace, question=None, verdicts=frozenset({"no_incident", "inconclusive"})),
)  # fmt: skip
