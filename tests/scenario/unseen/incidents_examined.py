"""Incidents written to examine the engine by one who had not read its rules: networks, names, trust, settings. Truth first, run later."""

# A scene reads as a table: a line for each thing that is written.
# fmt: off

from pathlib import Path

from examined_scenes import bustle, haproxy, measured, nginx, released, ticket
from incident_kit import Export, Unseen, day, stamp
from incident_scenes import between, edge, edited, node, stateful, traffic
from incident_sets import cordoned, ended, made
from line_formats import envoy, klog, pino, postgres, zap


def reconnect_herd(folder: Path) -> Path:
    """A gateway of websockets is rolled; every client comes back within a minute and the session service drowns for half an hour. Metrics.

    Root: the rollout of ws-gateway. Not: the database's analyze job, which ran every two hours before and did no harm.
    """
    x = Export(day(3, 7), 330, seed=1001, namespace="chat")
    front = edge(x)
    old = x.workload("ws-gateway", 4, image="5.8.1")
    sessions = x.workload("sessions", 3)
    database = stateful(x, "accounts-db", "docker.io/library/postgres:16.6")
    x.cronjob("accounts-analyze", "20 */2 * * *", [20.0, 140.0, 260.0], 3)
    new = released(x, 146.0, "ws-gateway", 4, "5.9.0", old=old)
    for n, pod in enumerate(old):
        gone = 146.4 + 0.5 * n
        x.series("ws_connections", {"namespace": "chat", "pod": pod}, lambda m, g=gone: 11800 + 30 * (m % 5) if m < g else float("nan"))
        x.log(pod, gone, pino(x.at(gone), 30, "SIGTERM received, closing sockets", open=11850 + n, code=1012))
        x.log(pod, gone + 0.1, pino(x.at(gone + 0.1), 30, "all sockets closed, bye"))
    for n, pod in enumerate(new):
        x.series("ws_connections", {"namespace": "chat", "pod": pod}, lambda m, b=146 + 0.5 * n: float("nan") if m < b else min(11900.0, 330 * (m - b)))
        x.log(pod, 146.3 + 0.5 * n, pino(x.at(146.3 + 0.5 * n), 30, "listening", port=8080, version="5.9.0"))
    low, high = 146.8, 181.0
    storm = lambda m: low <= m < high  # noqa: E731 - read beside its use
    for pod in sessions:
        x.counter("http_requests_total", {"namespace": "chat", "pod": pod, "handler": "/v1/session"}, lambda m: 900.0 if storm(m) else 14 + m % 3)
    measured(x, sessions, lambda m: 0.99 if storm(m) else 0.11, lambda m: 410 if storm(m) else 230)
    measured(x, [database], lambda m: 1.9 if storm(m) else 0.3, lambda _m: 1900)
    for at in x.every(0.15, low, high):
        x.log(x.random.choice(sessions), at, zap(x.at(at), "error", "open session", error="acquire conn: context deadline exceeded", waited_ms=5000))
    for at in x.every(0.4, low, high):
        x.log(x.random.choice(new), at, pino(x.at(at), 40, "session handshake failed, client will reconnect", status=503, upstream="http://sessions/v1/session"))
    for at in x.every(13):
        x.log(database, at, postgres(x.at(at), "LOG", "checkpoint complete: wrote 1187 buffers (7.2%)"))
    traffic(x, front, "/v1/session", "chat-sessions-80", every=0.3, failing=between((low, high), chance=0.8), status=(503, 504), slow=5.0,
            served=lambda m: x.log(x.random.choice(sessions), m, zap(x.at(m), "info", "session opened")))
    traffic(x, front, "/rooms", "chat-rooms-80", every=0.4, failing=lambda _m: 0.002)
    x.say(152, "UANA", "logins are failing, sessions cannot get a db connection. I bet it is accounts-analyze, it ran at 09:20")
    x.say(156, "UBEN", "or the db is just too small. shall we scale accounts-db?")
    bustle(x, 6)
    return x.write(folder)


def search_domains(folder: Path) -> Path:
    """A chart's release drops dnsConfig (ndots 1) of a crawler: every name is asked four times, CoreDNS runs out of memory every hour. A day.

    Root: the crawler's release at 10:40. Not: the reader's release 25 minutes before the first failure, nor CoreDNS by itself.
    """
    x = Export(day(4), 1440, seed=1002, namespace="feeds")
    front = edge(x)
    few = {"dnsConfig": {"options": [{"name": "ndots", "value": "1"}]}}
    old = x.workload("crawler", 4, image="8.14.0")
    for kept in (*x.objects["feeds", "ReplicaSet"], *x.objects["feeds", "Pod"]):
        (kept["spec"]["template"]["spec"] if kept["kind"] == "ReplicaSet" else kept["spec"]).update(few)
    limits = {"resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}}}
    dns = x.workload("coredns", 2, image="1.11.3", namespace="kube-system", container=limits)
    reader_old = x.workload("reader", 3)
    hits = [696.0 + 58 * n + (7 * n) % 11 for n in range(12)]
    new = released(x, 640.0, "crawler", 4, "8.15.0", pod={"dnsPolicy": "ClusterFirst"}, old=old)
    reader = released(x, 671.0, "reader", 3, "3.2.0", old=reader_old)
    spans = [(at, at + 3.2) for at in hits]
    for n, pod in enumerate(dns):
        x.counter("coredns_dns_requests_total", {"namespace": "kube-system", "pod": pod, "type": "A"}, lambda m: 180 + m % 9 if m < 641 else 1310 + m % 40, step=2)
        x.counter("coredns_dns_responses_total", {"namespace": "kube-system", "pod": pod, "rcode": "NXDOMAIN"}, lambda m: 9 + m % 3 if m < 641 else 980 + m % 30, step=2)
        measured(x, [pod], lambda m: 0.08 if m < 641 else 0.6, lambda m: 41 if m < 641 else 50 + 118 * _since(m, hits, 640) , namespace="kube-system")
        for at in hits:
            gone = at + 0.1 * n
            x.event(gone, "OOMKilling", "Node/node-a", f"Memory cgroup out of memory: Killed process {2200 + int(at)} (coredns) total-vm:912044kB, anon-rss:173012kB, file-rss:0kB",
                    warning=True, component="kernel-monitor", namespace="default")
            x.event(gone + 0.2, "Started", f"Pod/{pod}", "Started container app", namespace="kube-system")
            x.log(pod, gone + 0.3, "CoreDNS-1.11.3", namespace="kube-system")
    for at in x.every(1.2):
        asked = _asked(x, at)
        x.log(x.random.choice(dns), at, asked, namespace="kube-system")
    for low, high in spans:
        for at in x.every(0.1, low, high):
            x.log(x.random.choice(new), at, zap(x.at(at), "warn", "fetch", error="dial tcp: lookup cdn.publisher-7.example.com on 10.43.0.10:53: read udp 10.42.0.7:41231->10.43.0.10:53: i/o timeout"))
    traffic(x, front, "/read", "feeds-reader-80", every=0.25, failing=between(*spans, chance=0.85), status=(502,), slow=5.0,
            failed=lambda m: x.log(x.random.choice(reader), m, pino(x.at(m), 50, "store unreachable", err={"code": "EAI_AGAIN", "message": "getaddrinfo EAI_AGAIN store.feeds.svc.cluster.local"})),
            served=lambda m: x.log(x.random.choice(reader if m > 672 else reader_old), m, pino(x.at(m), 30, "article read")))
    x.say(705, "UANA", "reader throws 502 since its 3.2.0, EAI_AGAIN. rolling back?")
    x.say(770, "UCHO", "coredns is OOMKilled again. node upgrade last week maybe?")
    bustle(x, 7)
    return ticketed(x, folder)


def ticketed(x: Export, folder: Path) -> Path:
    """Write the export with the ticket of one who blames the reader."""
    x.write(folder)
    ticket(x, folder, "OPS-311", 781, "reader 502s since 3.2.0", "Since reader 3.2.0 went out at 11:11 articles fail for some minutes every hour.",
           [(820, "ben", "3.2.0 only touched templates. DNS looks ill.")])
    return folder


def _since(m: float, hits: list[float], start: float) -> float:
    """Give how far the minute lies between the last and the next of ``hits``, from 0 to 1."""
    last = max([start, *[h + 0.3 for h in hits if h + 0.3 <= m]])
    after = [h for h in hits if h + 0.3 > m]
    return min(1.0, (m - last) / ((after[0] if after else last + 60) - last))


def _asked(x: Export, at: float) -> str:
    """Write a line of CoreDNS' log plugin: after the release mostly names with a search domain that do not exist."""
    host = f"cdn.publisher-{x.random.randint(1, 40)}.example.com."
    client = f"10.42.{x.random.randint(0, 3)}.7:{x.random.randint(30000, 60000)}"
    if at < 641 or x.random.random() < 0.2:
        return f'[INFO] {client} - {x.random.randint(1, 65000)} "A IN {host} udp 46 false 512" NOERROR qr,rd,ra 90 0.0041s'
    tail = x.random.choice(("feeds.svc.cluster.local.", "svc.cluster.local.", "cluster.local.", "eu-central-1.compute.internal."))
    return f'[INFO] {client} - {x.random.randint(1, 65000)} "{x.random.choice(("A", "AAAA"))} IN {host}{tail} udp 77 false 512" NXDOMAIN qr,aa,rd 170 0.0001s'


def stale_root(folder: Path) -> Path:
    """The mesh's root certificate is renewed; one workload's sidecars never learn of it and nobody trusts them. Istio, logs and events. Eight hours.

    Root: the renewal of istio-ca (its Secret cacerts, istiod taking it). Not: the release of claims 20 minutes earlier.
    """
    x = Export(day(5, 5), 480, seed=1003, namespace="claims")
    claims_old = x.workload("claims", 3, image="2.3.9")
    policy = x.workload("policy", 2)
    istiod = x.workload("istiod", 1, namespace="istio-system")[0]
    ingress = x.workload("istio-ingressgateway", 1, namespace="istio-system")[0]
    claims = released(x, 101.0, "claims", 3, "2.4.0", old=claims_old)
    for at, component, text in (
        (120.0, "cert-manager-certificates-trigger", "Renewing certificate as renewal was scheduled at 2026-03-05 07:00:00 +0000 UTC"),
        (120.2, "cert-manager-certificates-key-manager", 'Stored new private key in temporary Secret resource "istio-ca-7k2xp"'),
        (120.6, "cert-manager-certificates-issuing", "The certificate has been successfully issued"),
    ):
        x.event(at, "Generated" if "private key" in text else "Issuing", "Certificate/istio-ca", text, component=component, namespace="istio-system")
    for at, text in ((121.3, "info\tUpdate Istiod cacerts"), (121.4, "info\tIstiod has detected the newly added intermediate CA and updated its key and certs accordingly"),
                     (121.5, "info\trootcertrotator\tpush new root to namespaces: configmap istio-ca-root-cert updated")):
        x.log(istiod, at, x.at(at).strftime("%Y-%m-%dT%H:%M:%S.%fZ\t") + text, container="discovery", namespace="istio-system")
    for pod in (*claims, ingress):
        at = 126 + x.random.uniform(0, 6)
        x.log(pod, at, x.at(at).strftime("%Y-%m-%dT%H:%M:%S.%fZ\tinfo\tcache\tgenerated new workload certificate\tresourceName=default latency=118ms ttl=23h59m59s"),
              container="istio-proxy", namespace="istio-system" if pod == ingress else None)
    low, high = 133.0, 371.0
    fail = "remote_connection_failure|TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end"
    old = lambda m: claims_old if m < 101.5 else claims  # noqa: E731 - read beside its use
    for at in x.every(0.35):
        bad = low <= at < high and x.random.random() < 0.97
        cluster = "outbound|80||policy.claims.svc.cluster.local"
        x.log(x.random.choice(old(at)), at, envoy(x.random, x.at(at), "/policies/check", 503 if bad else 200, "UF,URX" if bad else "-",
              details=f"upstream_reset_before_response_started{{{fail}}}" if bad else "via_upstream", cluster=cluster, ms=60 if bad else 11), container="istio-proxy")
        x.log(ingress, at + 0.001, envoy(x.random, x.at(at), "/claims/new", 500 if bad else 200, "-", details="via_upstream",
              cluster="outbound|80||claims.claims.svc.cluster.local", ms=90 if bad else 34), container="istio-proxy", namespace="istio-system")
        if bad:
            x.log(x.random.choice(claims), at, zap(x.at(at), "error", "policy check", error="unexpected status 503 from policy"))
    for at in x.every(4, low, high):
        x.log(x.random.choice(policy), at, x.at(at).strftime("%Y-%m-%dT%H:%M:%S.%fZ\twarning\tenvoy connection\tremote address:10.42.1.9:41022,TLS_error:|268436504:SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA:TLS_error_end"),
              container="istio-proxy")
    released(x, 370.0, "policy", 2, "1.0.0", old=policy)
    x.say(150, "UANA", "claims 2.4.0 gives 500s, went out at 06:41")
    x.say(176, "UBEN", "rolled claims back on staging, no difference there. policy answers 503?")
    x.say(368, "UCHO", "restarting policy, its sidecars look odd")
    x.say(380, "UCHO", "that did it. why though?")
    bustle(x, 5)
    return x.write(folder)


def old_image_format(folder: Path) -> Path:
    """A node pool is upgraded; its runtime no longer reads the oldest image format and one service cannot be pulled again. Events, HAProxy. Ten hours.

    Root: the new nodes (or the drained ones it had to leave). Not: the release of pdf-templates, not the service itself.
    """
    x = Export(day(6, 8), 600, seed=1004, namespace="docs")
    gone, come = ["np-131-a", "np-131-b", "np-131-c"], ["np-133-a", "np-133-b", "np-133-c"]
    front = x.workload("haproxy-ingress", 1, namespace="haproxy-controller", nodes=("np-133-a",))[0]
    search = x.workload("docsearch", 2, nodes=tuple(come))
    pdf = "pdf-render-59c6d7b84f"
    released(x, 171.0, "pdf-templates", 1, "2.8.0")
    for number, name in enumerate(come):
        node(x, name, born=150 + 4 * number, ready=("True", 150.5 + 4 * number), kubeletVersion="v1.33.2", containerRuntimeVersion="containerd://2.1.4")
        x.event(150 + 4 * number, "RegisteredNode", f"Node/{name}", f"Node {name} event: Registered Node {name} in Controller", component="node-controller", namespace="default")
        x.event(150.5 + 4 * number, "NodeReady", f"Node/{name}", f"Node {name} status is now: NodeReady", namespace="default", host=name)
    for number, name in enumerate(gone):
        at = 180.0 + 14 * number
        cordoned(x, name, at)
        x.event(at + 12, "RemovingNode", f"Node/{name}", f"Node {name} event: Removing Node {name} from Controller", component="node-controller", namespace="default")
        for n, other in enumerate(("docsearch", "docweb", "indexer")):
            ended(x, f"{other}-6b5f9d7c88-{'bcd'[number]}7x{n}q", at + 1 + 0.1 * n, name)
            made(x, f"{other}-6b5f9d7c88-{'fgh'[number]}2k{n}z", at + 1.3 + 0.1 * n, come[number], f"registry.example.com/{other}:4.1.0")
    for number in (0, 1):
        at, pod = 181.0 + 14 * number, f"{pdf}-{('m4zkq', 'w8t2x')[number]}"
        ended(x, f"{pdf}-{('hj6pd', 'x5c9v')[number]}", at, gone[number])
        x.event(at + 0.2, "Scheduled", f"Pod/{pod}", f"Successfully assigned docs/{pod} to {come[number]}", component="default-scheduler")
        x.event(at + 0.3, "Pulling", f"Pod/{pod}", 'Pulling image "registry.example.com/pdf-render:1.4"', host=come[number], count=80, until=598)
        x.event(at + 0.5, "Failed", f"Pod/{pod}", 'Failed to pull image "registry.example.com/pdf-render:1.4": failed to pull and unpack image "registry.example.com/pdf-render:1.4": not implemented: media type '
                '"application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd v2.1, please rebuild the image as '
                '"application/vnd.docker.distribution.manifest.v2+json" or "application/vnd.oci.image.manifest.v1+json"', warning=True, host=come[number], count=80, until=598)
        x.event(at + 0.9, "BackOff", f"Pod/{pod}", 'Back-off pulling image "registry.example.com/pdf-render:1.4"', warning=True, host=come[number], count=900, until=598)
    for at in x.every(0.5):
        bad = at > 195.2
        x.log(front, at, haproxy(x, at, "/pdf", 503 if bad else 200, "docs_pdf-render_http", "<NOSRV>" if bad else "SRV_1", "SC--" if bad else "----"), namespace="haproxy-controller")
    for at in x.every(0.3):
        x.log(front, at, haproxy(x, at, "/search", 200, "docs_docsearch_http", "SRV_2"), namespace="haproxy-controller")
    for at in x.every(3):
        x.log(x.random.choice(search), at, pino(x.at(at), 30, "search", took=31))
    x.say(214, "UANA", "no PDFs. templates 2.8.0 at 10:51?")
    bustle(x, 5)
    return x.write(folder)


def flag_for_some(folder: Path) -> Path:
    """Somebody turns a feature flag on for the tenants of one region; their quotes throw, everybody else's do not. Ten hours, no metrics.

    Root: the edit of FeatureFlag pricing. Not: the release of tax-rates 12 minutes before, which is undone to no effect.
    """
    x = Export(day(9, 6), 600, seed=1005, namespace="saas")
    front = edge(x)
    quotes = x.workload("quotes", 4)
    rates = x.workload("tax-rates", 2, image="2.3.4")
    flagd = x.workload("flagd", 1)[0]
    rates_new = released(x, 276.0, "tax-rates", 2, "2.4.0", old=rates)
    released(x, 331.0, "tax-rates", 2, "2.3.4", old=rates_new)
    edited(x, {"apiVersion": "core.openfeature.dev/v1beta1", "kind": "FeatureFlag", "metadata": {"name": "pricing", "namespace": "saas"},
               "spec": {"flagSpec": {"flags": {"tax-engine-v2": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off",
                        "targeting": {"if": [{"ends_with": [{"var": "tenant"}, "-eu"]}, "on"]}}}}}},
           288.0, "kubectl-edit", {"f:spec": {"f:flagSpec": {"f:flags": {"f:tax-engine-v2": {"f:targeting": {}}}}}})
    x.log(flagd, 288.1, '{"level":"info","ts":"%s","logger":"flagd","msg":"configuration change (update) for flagKey tax-engine-v2 (core.openfeature.dev/saas/pricing)","component":"store"}' % stamp(x.at(288.1)))  # noqa: UP031 - JSON's braces
    tenants = ("acme-eu", "borealis-eu", "cordoba-eu", "delta-us", "ember-us", "fuji-ap", "gale-us", "haru-ap")
    for at in x.every(0.12):
        tenant = x.random.choice(tenants)
        bad = at > 288.2 and tenant.endswith("-eu")
        x.log(front, at, nginx(x.at(at), f"/t/{tenant}/quotes", 500 if bad else 200, "saas-quotes-80", 0.04, 0.04), namespace="ingress-nginx")
        if bad:
            x.log(x.random.choice(quotes), at - 0.001, pino(x.at(at), 50, "quote failed", tenant=tenant, flags={"tax-engine-v2": "on"},
                  err={"type": "TypeError", "message": "Cannot read properties of undefined (reading 'vatId')", "stack": "at TaxEngineV2.compute (/app/dist/tax/engine-v2.js:88:21)"}))
        elif x.random.random() < 0.5:
            x.log(x.random.choice(quotes), at - 0.001, pino(x.at(at), 30, "quote given", tenant=tenant, flags={"tax-engine-v2": "on" if at > 288.2 and tenant.endswith("-eu") else "off"}))
    for at in x.every(9):
        x.log(x.random.choice(rates if at < 276.5 else rates_new), at, zap(x.at(at), "info", "rates served", table="2026-03"))
    x.say(301, "UANA", "EU customers get 500s on quotes. tax-rates 2.4.0 went out 10:36, must be that")
    x.say(333, "UBEN", "rolled tax-rates back")
    x.say(352, "UANA", "still 500s after the rollback")
    bustle(x, 6)
    return x.write(folder)


def waf_rule(folder: Path) -> Path:
    """A new firewall rule in the controller's ConfigMap backtracks on every long URL: nginx itself burns its CPU, every backend is idle. Five hours.

    Root: the ConfigMap's edit at 12:25. Not: the release of catalog five minutes before, not more traffic.
    """
    x = Export(day(10, 9), 300, seed=1006, namespace="market")
    front = x.workload("ingress-nginx-controller", 2, namespace="ingress-nginx")
    catalog_old, basket = x.workload("catalog", 3), x.workload("basket", 2)
    catalog = released(x, 200.0, "catalog", 3, "7.7.0", old=catalog_old)
    edited(x, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ingress-nginx-controller", "namespace": "ingress-nginx"},
               "data": {"enable-modsecurity": "true", "modsecurity-snippet": 'SecRuleEngine On\nSecRule REQUEST_URI "@rx (?:.*=.*)*(?:.*&.*)*(?:.*;.*)*x-probe" "id:900417,deny,status:403"\n'}},
           205.0, "helm", {"f:data": {"f:modsecurity-snippet": {}}})
    for n, pod in enumerate(front):
        for at, text in ((205.3, '"Configuration changes detected, backend reload required"'), (205.5, '"Backend successfully reloaded"')):
            x.log(pod, at + 0.02 * n, klog(x.at(at), "I", text), namespace="ingress-nginx")
        x.event(205.5 + 0.02 * n, "RELOAD", f"Pod/{pod}", "NGINX reload triggered due to a change in configuration", component="nginx-ingress-controller", namespace="ingress-nginx")
        for at in x.every(9, 208):
            x.event(at, "Unhealthy", f"Pod/{pod}", 'Liveness probe failed: Get "http://10.42.0.24:10254/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)', warning=True, namespace="ingress-nginx")
    hot = lambda m: m > 205.5  # noqa: E731 - read beside its use
    measured(x, front, lambda m: 3.97 if hot(m) else 0.45, lambda m: 420 if hot(m) else 350, namespace="ingress-nginx", step=1)
    measured(x, catalog, lambda m: 0.12 if hot(m) else 0.3, lambda _m: 260, step=1, alive=(201, x.minutes))
    measured(x, basket, lambda m: 0.12 if hot(m) else 0.3, lambda _m: 260, step=1)
    measured(x, catalog_old, lambda _m: 0.3, lambda _m: 260, step=1, alive=(0, 201))
    for pod in front:
        x.counter("nginx_ingress_controller_requests", {"namespace": "ingress-nginx", "pod": pod, "host": "market.example.com"}, lambda m: 38 if hot(m) else 52 + m % 5)
    for at in x.every(0.08):
        which = x.random.choice(("catalog", "basket"))
        path = "/catalog?facet=a%3D1%3B&sort=price;asc&page=" + str(x.random.randint(1, 40)) if which == "catalog" else "/basket?items=3;7;12"
        bad, pod = hot(at) and x.random.random() < 0.7, x.random.choice(front)
        slow = x.random.uniform(9, 30) if hot(at) else 0.06
        x.log(pod, at, nginx(x.at(at), path, x.random.choice((499, 504)) if bad else 200, f"market-{which}-80", slow, None if bad else 0.03), namespace="ingress-nginx")
        if bad and x.random.random() < 0.3:
            x.log(pod, at, x.at(at).strftime('%Y/%m/%d %H:%M:%S [error] 33#33: *88123 [client 203.0.113.77] ModSecurity: Rule 7f4136565b88 [id "900417"][file "<<reference missing or not informed>>"][line "2"] - Execution error - PCRE limits exceeded (-8): (null). '
                  '[hostname "market.example.com"] [uri "/catalog"]'), namespace="ingress-nginx")
        elif not bad and x.random.random() < 0.5:
            x.log(x.random.choice(catalog if which == "catalog" and at > 201 else catalog_old if which == "catalog" else basket), at - 0.001, pino(x.at(at), 30, which, status=200, ms=21))
    x.say(211, "UANA", "everything is slow. catalog 7.7.0?")
    x.say(219, "UBEN", "looks like a DDoS, ingress CPU is at 100%")
    bustle(x, 6)
    return x.write(folder)


def topic_typo(folder: Path) -> Path:
    """GitOps applies a ConfigMap with a mistyped topic; the consumer is restarted by it and listens to nothing, labels are never printed. A day.

    Root: ConfigMap labels-config (or the Kustomization that applied it). Not: the broker's restart 40 minutes before, not packing's release.
    """
    x = Export(day(11), 1440, seed=1007, namespace="ship")
    front = edge(x)
    old = x.workload("labels", 2, image="6.0.2")
    packing_old = x.workload("packing", 2)
    broker = stateful(x, "kafka", "docker.io/apache/kafka:3.8.1")
    flux = x.workload("kustomize-controller", 1, namespace="flux-system")[0]
    reloader = x.workload("reloader", 1, namespace="tools-reloader")[0]
    x.event(571, "Killing", f"Pod/{broker}", "Stopping container app")
    x.event(572.1, "Started", f"Pod/{broker}", "Started container app")
    packing = released(x, 597.0, "packing", 2, "1.31.0", old=packing_old)
    edited(x, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "labels-config", "namespace": "ship"}, "data": {"KAFKA_TOPIC": "order-evnts", "KAFKA_GROUP": "labels", "PRINTER": "zpl-2"}},
           611.0, "kustomize-controller", {"f:data": {"f:KAFKA_TOPIC": {}, "f:PRINTER": {}}})
    for at in x.every(10):
        x.log(flux, at, _applied(x, at, "unchanged"), namespace="flux-system")
    x.log(flux, 611.0, _applied(x, 611.0, "configured"), namespace="flux-system")
    x.log(reloader, 611.1, f'time="{stamp(x.at(611.1))}" level=info msg="Changes detected in \'labels-config\' of type \'CONFIGMAP\' in namespace \'ship\'; updated \'labels\' of type \'Deployment\' in namespace \'ship\'"', namespace="tools-reloader")
    new = released(x, 611.2, "labels", 2, "6.0.2", container={"env": [{"name": "STAKATER_LABELS_CONFIG_CONFIGMAP", "value": "9b1f"}]}, old=old)
    for at in x.every(0.9):
        if at < 611.5:
            x.log(x.random.choice(old), at, zap(x.at(at), "info", "label printed", topic="order-events", order=int(at * 31)))
    for n, pod in enumerate(new):
        x.log(pod, 612 + 0.3 * n, zap(x.at(612 + 0.3 * n), "info", "subscribed", topic="order-evnts", group="labels"))
        for at in x.every(2.5, 612.2):
            x.log(pod, at, zap(x.at(at), "warn", "fetch metadata", topic="order-evnts", error="kafka server: Request was for a topic or partition that does not exist on this broker (UNKNOWN_TOPIC_OR_PARTITION)"))
    x.series("kafka_consumergroup_lag", {"namespace": "ship", "consumergroup": "labels", "topic": "order-events", "partition": "0"}, lambda m: 3 + m % 4 if m < 612 else 5 + 1.1 * (m - 612), step=2)
    traffic(x, front, "/pack", "ship-packing-80", every=0.4, failing=lambda m: 0.9 if m > 616 else 0.003, status=(503,), slow=30.0,
            failed=lambda m: x.log(x.random.choice(packing), m, pino(x.at(m), 50, "no label for order after 30 s", order=int(m * 31))),
            served=lambda m: x.log(x.random.choice(packing if m > 597.5 else packing_old), m, pino(x.at(m), 30, "packed")))
    x.say(640, "UANA", "packing cannot get labels. kafka was restarted this morning, is it back?")
    x.say(655, "UBEN", "kafka is fine. packing 1.31.0 though?")
    bustle(x, 6)
    return x.write(folder)


def _applied(x: Export, at: float, result: str) -> str:
    """Write kustomize-controller's line about an apply."""
    return (f'{{"level":"info","ts":"{stamp(x.at(at))}","msg":"server-side apply completed","controller":"kustomization","Kustomization":{{"name":"ship","namespace":"flux-system"}},'
            f'"output":{{"ConfigMap/ship/labels-config":"{result}","Deployment/ship/labels":"unchanged","Deployment/ship/packing":"unchanged"}},"revision":"main@sha1:{"4c0e91" if at > 610 else "88d1f2"}"}}')


INCIDENTS = (
    Unseen(name="reconnect-herd", build=reconnect_herd, question="why did logins fail around half past nine?", roots=frozenset({"Deployment/chat/ws-gateway"}), full=True),
    Unseen(name="search-domains", build=search_domains, question="reader 502s, is it 3.2.0?", roots=frozenset({"Deployment/feeds/crawler"}),
           shallow=frozenset({"Deployment/kube-system/coredns"}), full=True),
    Unseen(name="stale-root", build=stale_root, hard=True, question=None, shallow=frozenset({"Deployment/claims/policy"}), full=True,
           roots=frozenset({"Certificate/istio-system/istio-ca", "Secret/istio-system/cacerts", "Secret/istio-system/istio-ca", "Deployment/istio-system/istiod"})),
    Unseen(name="old-image-format", build=old_image_format, question="no PDFs, why?", shallow=frozenset({"Deployment/docs/pdf-render"}), full=True,
           roots=frozenset(f"Node//np-{n}-{x}" for n in (131, 133) for x in "abc")),
    Unseen(name="flag-for-some", build=flag_for_some, question="Why 500s on quotes?", roots=frozenset({"FeatureFlag/saas/pricing"}),
           shallow=frozenset({"Deployment/saas/quotes"}), full=True),
    Unseen(name="waf-rule", build=waf_rule, hard=True, question=None, roots=frozenset({"ConfigMap/ingress-nginx/ingress-nginx-controller"}),
           shallow=frozenset({"Deployment/ingress-nginx/ingress-nginx-controller"}), full=True),
    Unseen(name="topic-typo", build=topic_typo, hard=True, question=None, roots=frozenset({"ConfigMap/ship/labels-config", "Kustomization/flux-system/ship"}),
           shallow=frozenset({"Deployment/ship/labels"}), full=True),
)
