"""The resolver behind the cluster's DNS answers only so many queries a second: at traffic peaks the rest is dropped.

Each lookup of an outside name costs a query per search domain (``ndots:5``), so outside names fail first; names inside the
cluster are answered by CoreDNS itself and never fail.
"""

from bot.evals.calls import Call
from bot.evals.randomness import Dice, dice
from bot.evals.scenarios.parts import ALL_5XX, RATE_OF_5XX, Scene, bystanders, felt, of
from bot.evals.timeline import DAY_S, TICK_S
from bot.evals.truth import Truth, entity
from bot.evals.vocab import EXTERNAL
from bot.evals.workloads import Workload
from bot.evals.world import World

QUERIES_PER_LOOKUP = 10
"""Five search domains, A and AAAA (resolv.conf(5), ``ndots``)."""
ROUTINE = (
    ("info", "[INFO] plugin/reload: Running configuration SHA512 = {hex}{hex}{hex}{hex}"),
    ("info", '[INFO] 10.42.0.{n}:{id} - {n} "A IN kubernetes.default.svc.cluster.local. udp 54 false 512" NOERROR qr,aa,rd 106 0.000{ms}s'),
)  # fmt: skip
COREFILE = """.:53 {
    errors
    health
    kubernetes cluster.local in-addr.arpa ip6.arpa
    prometheus :9153
    forward . /etc/resolv.conf {
        max_concurrent 1000
    }
    cache 30
    reload
}
"""


class Resolver:
    """CoreDNS and the network's resolver behind it."""

    def __init__(self, world: World, rng: Dice, calls: list[tuple[Workload, Call]]) -> None:
        self.world, self.rng, self.calls = world, rng, calls
        self.upstream = "10.0.0.2"
        self.asked = self.failed = 0.0
        self.drops = 0.0
        self.dns = Workload(
            name="coredns", namespace="kube-system", style="raw", image="registry.k8s.io/coredns/coredns", tag="v1.11.3", replicas=2, port=53,
            cpu_request=0.1, cpu_per_request=0.0, memory_mb=60, memory_request_mb=70, memory_limit_mb=170,
        )  # fmt: skip
        world.cluster.add(self.dns, DAY_S * 40)
        world.noise_lines["coredns"] = ROUTINE
        self.limit = self._lookups(1.0) * rng.uniform(0.86, 0.92)
        world.on_tick.append(self.step)
        world.on_sample.append(self.sample)

    def _lookups(self, factor: float) -> float:
        # At the peak every route runs at its full rate.
        rates = {s.name: sum(r.rate for r in self.world.routes if r.service is s) for s, _ in self.calls}
        return sum(QUERIES_PER_LOOKUP * rates[s.name] * factor * call.share for s, call in self.calls)

    def step(self, now: float) -> None:
        """Count this tick's queries and drop what the resolver does not take."""
        world, rng = self.world, self.rng
        asked = self._lookups(world.factor)
        self.drops = max(0.0, 1 - self.limit / asked)
        # A client asks again once after five seconds; a lookup fails when both are lost, and losses come in bursts.
        for _, call in self.calls:
            call.p, call.kind = (min(0.9, self.drops * 2.5), "dns") if self.drops > 0.01 else (0.0, "dns")
        self.asked += asked * TICK_S
        self.failed += asked * self.drops * TICK_S
        if self.drops <= 0.01:
            return
        world.mark("drop", now)
        for _ in range(min(8, rng.poisson(asked * self.drops * world.scale * 0.4))):
            pod, at = world.pick(self.dns), now + rng.random() * TICK_S
            if pod is not None:
                host = rng.choice(self.calls)[1].host
                text = f"[ERROR] plugin/errors: 2 {host}. {rng.choice(('A', 'AAAA'))}: read udp {pod.ip}:{rng.randrange(20000, 60000)}->{self.upstream}:53: i/o timeout"
                world.raw(self.dns, pod, at, text)

    def sample(self, now: float) -> None:
        """Sample CoreDNS's counters."""
        put, labels = self.world.export.sample, {"namespace": "kube-system", "server": "dns://:53"}
        put("coredns_requests", {"__name__": "coredns_dns_requests_total", **labels}, now, round(self.asked))
        failed = {"__name__": "coredns_dns_responses_total", "rcode": "SERVFAIL", **labels}
        put("coredns_responses", failed, now, round(self.failed))


def stage(world: World) -> Scene:
    """Build the throttled resolver; who looks up what, and the limit, depend on the seed."""
    rng, names = dice(world.key, "dns"), world.cast
    kinds = rng.sample(sorted(EXTERNAL), 2)
    calls = []
    for name, kind in zip(names.services[:2], kinds, strict=True):
        service = world.cluster.workloads[name]
        op = f"POST /v1/{rng.choice(('check', 'lookup', 'query'))}"
        call = Call(
            host=rng.choice(EXTERNAL[kind]),
            op=op,
            port=443,
            timeout_s=5.0,
            share=rng.uniform(0.4, 0.7),
            kind="dns",
            background=0.0,
        )
        service.calls.insert(0, call)
        calls.append((service, call))
    resolver = Resolver(world, rng, calls)
    config = {
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"Corefile": COREFILE},
        "metadata": {"name": "coredns", "namespace": "kube-system", "uid": world.cluster.uid("ConfigMap", "coredns")},
    }  # fmt: skip
    return Scene(
        conclude=lambda: _truth(world, resolver), symptom=ALL_5XX, floor=3, kind_words="failures in the afternoon", metric=RATE_OF_5XX,
        documents=[("kube-system", "configmaps", [config])],
        theories=(
            f"{calls[0][1].host} is down, their status page is green of course", f"{names.services[0]} can't take the afternoon load, scale it?",
            f"{names.database} is saturated at peak", "is our NAT gateway dropping connections?", f"{world.edge.name} needs a restart",
        ),
    )  # fmt: skip


def _truth(world: World, resolver: Resolver) -> Truth:
    dns = of(resolver.dns)
    truth = Truth(
        symptom={"entity": of(world.edge), "words": ["503"]},
        root_cause={"entity": dns, "mechanism": "DNS queries beyond the resolver's limit are dropped at traffic peaks"},
        accept=[dns, entity("Service", "coredns", "kube-system"), entity("Service", "kube-dns", "kube-system"), entity("Host", resolver.upstream)],
        facts=["ndots:5"],
    )  # fmt: skip
    truth.step("the resolver drops queries", dns, world.marks.get("drop", [])[:1])
    for service, _ in resolver.calls:
        truth.step("lookups of outside names fail", of(service), world.marks.get("drop", [])[:1], measured=False)
    felt(world, truth, 3)
    truth.ask("is coredns related?", "related")
    truth.ask("what would fix it?", "answered")
    bystanders(world, truth)
    return truth
