"""A certificate between two services is not renewed and expires: from that second every new handshake fails.

Connections that are open live on until their keep-alive ends, so failures rise over minutes, not at once.
"""

from typing import Any

from bot.evals.calls import Call
from bot.evals.export import stamp
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import Scene
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Workload
from bot.evals.world import World

SYMPTOM = frozenset({500, 502, 503})
KEEP_ALIVE_S = 600.0
REASONS = (
    'The certificate request has failed to complete and will be retried: Failed to wait for order resource "{name}-1-{n}" to become ready: order is in "errored" state: Failed to create Order: 429 urn:ietf:params:acme:error:rateLimited',
    "The certificate request has failed to complete and will be retried: Vault failed to sign certificate: failed to sign certificate by vault: Error making API request. Code: 403. Errors: permission denied",
    'The certificate request has failed to complete and will be retried: Error getting keypair for CA issuer: secret "internal-ca" not found',
)


def stage(world: World) -> Scene:
    """Build the expiry; issuer, failure and hours depend on the seed."""
    rng, names = dice(world.key, "certificate"), world.cast
    server = world.cluster.workloads[names.services[5]]
    callers = [world.cluster.workloads[name] for name in (names.services[0], names.services[2])]
    length = world.end - world.start
    expiry = float(int(world.end - min(length * 0.3, rng.uniform(2.5, 6) * 3600)))
    name = f"{server.name}-tls"
    calls = [
        Call(
            host=f"{server.name}.{names.app}.svc", op=f"POST /v1/{rng.choice(('verify', 'reserve', 'score', 'sync'))}", target=server, port=8443,
            share=rng.uniform(0.06, 0.12), kind="tls", background=0.0, expired_at=expiry,
        )
        for _ in callers
    ]  # fmt: skip
    for caller, call in zip(callers, calls, strict=True):
        caller.calls.insert(0, call)

    def tick(now: float) -> None:
        if now >= expiry:
            for call in calls:
                call.p, call.kind = min(1.0, (now - expiry + 15) / KEEP_ALIVE_S), "tls"
                if not world.marks.get("tls"):
                    world.mark("tls", now)

    world.on_tick.append(tick)
    reason = rng.choice(REASONS).format(name=name, n=rng.randrange(10**8, 10**9))
    ref = world.cluster.ref("Certificate", names.app, name)
    renew = max(world.start + 600, expiry - 30 * 86400)

    def attempt() -> None:
        world.export.event(
            world.now,
            ref,
            "Issuing",
            f"Renewing certificate as renewal was scheduled at {stamp(renew)}",
            "cert-manager-certificates-trigger",
        )
        world.export.event(world.now + 4, ref, "Failed", reason, "cert-manager-certificates-issuing", warning=True)
        world.mark("renewal", world.now)

    at = renew
    while at < world.end:
        world.at(at, attempt)
        at += rng.uniform(5, 9) * 3600
    certificate = _certificate(world, name, expiry, reason)
    server.annotations["cert-manager.io/certificate-name"] = name
    return Scene(
        conclude=lambda: _truth(world, server, name, expiry), symptom=SYMPTOM, floor=3, kind_words="500s on some endpoints",
        metric='http_requests_total{code=~"5.."}', documents=[(names.app, "certificates", [certificate])],
        theories=(
            f"{names.services[0]} deploy? can we roll back", "DNS again I bet", f"{names.database} failover? some requests fail, some don't",
            "looks like a firewall change, did the network team do anything?", f"memory on {world.edge.name}?",
        ),
    )  # fmt: skip


def _certificate(world: World, name: str, expiry: float, reason: str) -> dict[str, Any]:
    names, began = world.cast, expiry - 90 * 86400
    condition = {
        "lastTransitionTime": stamp(expiry),
        "message": f"Certificate expired on {stamp(expiry)}",
        "observedGeneration": 1,
        "reason": "Expired",
        "status": "False",
        "type": "Ready",
    }
    issuing = {
        "lastTransitionTime": stamp(expiry - 86400),
        "message": reason,
        "observedGeneration": 1,
        "reason": "Failed",
        "status": "False",
        "type": "Issuing",
    }
    return {
        "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
        "metadata": {"creationTimestamp": stamp(began - 86400 * 200), "name": name, "namespace": names.app, "uid": world.cluster.uid("Certificate", name), "generation": 1, "resourceVersion": "88120344"},
        "spec": {"dnsNames": [f"{name.removesuffix('-tls')}.{names.app}.svc"], "duration": "2160h0m0s", "issuerRef": {"kind": "ClusterIssuer", "name": "internal-ca"}, "renewBefore": "720h0m0s", "secretName": name},
        "status": {"conditions": [condition, issuing], "notAfter": stamp(expiry), "notBefore": stamp(began), "renewalTime": stamp(expiry - 30 * 86400), "revision": 3, "failedIssuanceAttempts": 4},
    }  # fmt: skip


def _truth(world: World, server: Workload, name: str, expiry: float) -> Truth:
    names = world.cast
    certificate = entity("Certificate", name, names.app)
    gate = entity("Deployment", world.edge.name, names.app)
    caller = entity("Deployment", names.services[0], names.app)
    truth = Truth(
        symptom={"entity": gate, "words": ["500", "certificate"]},
        root_cause={"entity": certificate, "mechanism": "the certificate was not renewed and expired; every new TLS handshake fails"},
        accept=[certificate, entity("Secret", name, names.app), entity("Deployment", server.name, names.app), entity("Service", server.name, names.app)],
        facts=[f"notAfter {stamp(expiry)}"],
    )  # fmt: skip
    truth.step("renewal fails", certificate, world.marks.get("renewal", []))
    truth.step("the certificate expires", certificate, [expiry])
    truth.step("callers cannot complete the TLS handshake", caller, world.marks.get("tls", []))
    truth.step("users get 500", gate, [start for start, _, _ in world.episodes(SYMPTOM, 3)])
    truth.ask("is the certificate related?", "related")
    truth.ask(f"was the {names.backup} job related?", "unrelated")
    truth.ask("what would fix it?", "answered")
    for at, what, service in world.changes:
        truth.rule_out(entity("Deployment", service.name, service.namespace), at, what)
    return truth
