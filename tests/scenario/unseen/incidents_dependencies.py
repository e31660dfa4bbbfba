"""Incidents that come from what a service leans on: resolvers, databases, third parties, certificates."""

from pathlib import Path

from incident_kit import Export, Unseen, day, stamp
from line_formats import ingress, klog, mysql, pino, spring, zap


def resolver_limit(folder: Path) -> Path:
    """CoreDNS' upstream drops queries at the evening peak; Node services cannot resolve. Loki only, five days."""
    x = Export(day(1), 5 * 1440, seed=31, namespace="travel")
    dns = x.workload("coredns", 1, namespace="kube-system", keep=False)[0]
    fares = x.workload("fares", 2, keep=False)
    maps = x.workload("maps", 1, keep=False)[0]
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx", keep=False)[0]
    peaks = [d * 1440 + 19 * 60 + x.random.uniform(-20, 20) for d in range(5)]
    for peak in peaks:
        for at in x.every(0.25, peak, peak + 24):
            port = x.random.randint(20000, 60000)
            x.log(dns, at, f"[ERROR] plugin/errors: 2 api.carrier.example.net. A: read udp 10.42.0.3:{port}->169.254.169.253:53: i/o timeout",
                  container="coredns", namespace="kube-system")  # fmt: skip
            x.log(x.random.choice(fares), at + 0.05, pino(x.at(at), 50, "request failed", err={"type": "Error", "code": "EAI_AGAIN",
                  "message": "getaddrinfo EAI_AGAIN api.carrier.example.net", "syscall": "getaddrinfo"}))  # fmt: skip
            x.log(
                edge,
                at + 0.1,
                ingress(x.random, x.at(at), "/fares", 502, "travel-fares-80", 5.0),
                namespace="ingress-nginx",
            )
    for at in x.every(2):
        x.log(edge, at, ingress(x.random, x.at(at), "/fares", 200, "travel-fares-80", 0.4), namespace="ingress-nginx")
        x.log(x.random.choice(fares), at, pino(x.at(at), 30, "fare quoted", ms=311))
    for at in x.every(400):
        x.log(
            dns,
            at,
            "[INFO] plugin/reload: Running configuration SHA512 = 1f3a",
            container="coredns",
            namespace="kube-system",
        )
    for at in x.every(30):
        x.log(maps, at, pino(x.at(at), 40, "tile cache miss ratio above 20%"))
    return x.write(folder, "loki")


def nightly_report(folder: Path) -> Path:
    """A nightly report's long transaction holds row locks; writes wait until they time out. MySQL, five days."""
    x = Export(day(10), 5 * 1440, seed=32, namespace="erp")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    api, db = x.workload("stock-api", 2), x.workload("mysql", 1)[0]
    runs = x.cronjob("margin-report", "30 1 * * *", [d * 1440 + 90.0 for d in range(5)], 38)
    x.cronjob("backup", "0 4 * * *", [d * 1440 + 240.0 for d in range(5)], 55)
    x.cronjob("mail-digest", "15 * * * *", [h * 60 + 15.0 for h in range(120)], 2)
    for begun, pod in runs:
        x.log(pod, begun + 0.2, "INFO margin_report: begin transaction, isolation=SERIALIZABLE")
        x.log(pod, begun + 37.8, "INFO margin_report: 1812331 rows read, commit")
        for at in x.every(0.35, begun + 2, begun + 38):
            x.log(x.random.choice(api), at, spring(x.at(at), "ERROR", "o.h.engine.jdbc.spi.SqlExceptionHelper",
                  "(conn=8812) Lock wait timeout exceeded; try restarting transaction"))  # fmt: skip
            status = x.random.choice((500, 504, 504))
            x.log(
                edge,
                at,
                ingress(x.random, x.at(at), "/stock/reserve", status, "erp-stock-api-80", 50.0),
                namespace="ingress-nginx",
            )
        x.log(
            db,
            begun + 20,
            mysql(
                x.at(begun + 20),
                "Note",
                "MY-010914",
                "Aborted connection 8812 to db: 'erp' user: 'stock' host: '10.42.0.8' (Got timeout reading communication packets).",
            ),
        )
    for at in x.every(1.5):
        x.log(
            edge,
            at,
            ingress(x.random, x.at(at), "/stock/reserve", 200, "erp-stock-api-80", 0.08),
            namespace="ingress-nginx",
        )
        x.log(
            x.random.choice(api), at, spring(x.at(at), "INFO", "c.e.stock.ReserveService", "reserved 3 of item 88121")
        )
    x.rollout(3000, "stock-api", 2, image="5.5.0")
    x.event(
        4000,
        "OOMKilling",
        "Node/node-a",
        "Memory cgroup out of memory: Killed process 31337 (java)",
        warning=True,
        host="node-a",
    )
    return x.write(folder)


def rate_limited(folder: Path) -> Path:
    """A payment provider answers 429; checkouts fail with 502. Only the logs, three hours."""
    x = Export(day(17, 10), 180, seed=33, namespace="till")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx", keep=False)[0]
    pay = x.workload("payments", 2, keep=False)
    loyalty = x.workload("loyalty", 1, keep=False)[0]
    for at in x.every(0.05):
        bad = 66 < at < 118 and x.random.random() < 0.5
        x.log(
            edge,
            at,
            ingress(x.random, x.at(at), "/pay", 502 if bad else 200, "till-payments-80", 0.3),
            namespace="ingress-nginx",
        )
        if bad:
            x.log(x.random.choice(pay), at, pino(x.at(at), 50, "charge failed", err={"type": "AxiosError", "message":
                  "Request failed with status code 429", "stack": "AxiosError: Request failed with status code 429\n    at settle"},
                  url="https://api.paybridge.example.com/v1/charges", retryAfter="30"))  # fmt: skip
        else:
            x.log(x.random.choice(pay), at, pino(x.at(at), 30, "charge ok", ms=210))
    for at in x.every(5):
        x.log(
            loyalty,
            at,
            pino(x.at(at), 50, "points sync failed, will retry", err={"type": "Error", "message": "read ECONNRESET"}),
        )
    return x.write(folder)


def expired_certificate(folder: Path) -> Path:
    """A certificate's renewal failed for weeks; at its end every inside client refuses it. Loki and events."""
    x = Export(day(19), 1440, seed=34, namespace="ident")
    cm = x.workload("cert-manager", 1, namespace="cert-manager")[0]
    login, portal = x.workload("login", 2), x.workload("portal", 2)
    end = x.at(815)
    x.keep({
        "apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "login-tls", "namespace": "ident"},
        "spec": {"secretName": "login-tls", "dnsNames": ["login.ident.svc.cluster.local"], "renewBefore": "360h"},
        "status": {"notAfter": stamp(end), "conditions": [{"type": "Ready", "status": "False", "reason": "Expired",
                   "message": f"Certificate expired on {end.strftime('%a, %d %b %Y %H:%M:%S')} UTC", "lastTransitionTime": stamp(end)}]},
    })  # fmt: skip
    for at in x.every(60):
        x.event(at, "Failed", "Certificate/login-tls", "The certificate request has failed to complete and will be retried: Failed to wait for "
                'order resource "login-tls-7-2210" to become ready: order is in "errored" state', warning=True, component="cert-manager-certificates-issuing")  # fmt: skip
        x.log(
            cm,
            at,
            klog(
                x.at(at),
                "E",
                '"re-queuing item due to error processing" err="failed to perform self check GET request" logger="cert-manager.challenges"',
            ),
            namespace="cert-manager",
        )
    for at in x.every(0.5):
        bad = at > 815
        pod = x.random.choice(portal)
        if bad:
            x.log(pod, at, zap(x.at(at), "error", "token exchange failed", status=503,
                  error='Post "https://login.ident.svc.cluster.local/oauth2/token": tls: failed to verify certificate: x509: certificate '
                  f"has expired or is not yet valid: current time {stamp(x.at(at))} is after {stamp(end)}"))  # fmt: skip
        x.log(
            pod,
            at,
            zap(
                x.at(at), "info", "http request", method="GET", path="/home", status=503 if bad else 200, duration=0.02
            ),
        )
    for at in x.every(8):
        x.log(x.random.choice(login), at, zap(x.at(at), "info", "keys rotated"))
    x.rollout(790, "portal-assets", 1, image="12.0.0")
    return x.write(folder, "loki")


INCIDENTS = (
    Unseen(name="resolver-limit", build=resolver_limit, question="Why do fares fail in the evening?",
           roots=frozenset({"Deployment/kube-system/coredns", "Service/kube-system/coredns", "Host//169.254.169.253"}),
           shallow=frozenset({"Host//api.carrier.example.net"})),
    Unseen(name="nightly-report", build=nightly_report, question="stock reservations fail at night", roots=frozenset({"CronJob/erp/margin-report"})),
    Unseen(name="rate-limited", build=rate_limited, question="502 on /pay this morning", roots=frozenset({"Host//api.paybridge.example.com"})),
    Unseen(name="expired-certificate", build=expired_certificate, question=None,
           roots=frozenset({"Certificate/ident/login-tls", "Secret/ident/login-tls"}), shallow=frozenset({"Deployment/ident/login"})),
)  # fmt: skip
