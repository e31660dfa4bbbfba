import random

from engine_parts import signal

from bot.domain.entity import Entity
from bot.domain.signal import Kind, PodLife, Topology
from bot.signals.places import marks, named, scopes

_WEB, _API = Entity("Deployment", "web", "shop"), Entity("Deployment", "api", "shop")


def _one_by_one(cause, effect, topology):
    """Give the ties of one pair as their definitions read, each by itself."""
    a, b = topology.root(cause.entity), topology.root(effect.entity)
    target = topology.targets.get(a)
    behind = {target} if target else {*topology.backends.get(a, ())}
    if cause.entity.kind in ("Certificate", "Node"):
        behind = {*cause.mentions}
    nodes = [
        one.nodes | {one.entity.name}
        if one.entity.kind == "Node"
        else frozenset()
        if one.entity.kind == "Host"
        else one.nodes or topology.nodes.get(topology.root(one.entity), frozenset())
        for one in (cause, effect)
    ]
    owner = a == b or topology.targets.get(cause.entity) == b or topology.targets.get(effect.entity) == a
    kept = {one.namespace for one in topology.nodes if one.kind == "StatefulSet" and a.name in topology.nodes[one]}
    borne = (
        a.kind == "Node" and b.namespace is not None and b.namespace in kept | {one.namespace for one in cause.mentions}
    )
    told = {
        "same entity": cause.entity == effect.entity,
        "owner": cause.entity != effect.entity and owner,
        "named": b in cause.mentions or a in effect.mentions or bool(behind & {*effect.mentions}),
        "called by": any((b, one) in topology.calls for one in {a, *behind}) or a in topology.backends.get(b, ()),
        "calls": (a, b) in topology.calls or b in topology.backends.get(a, ()),
        "node agent": a.kind == "DaemonSet" and b.kind not in ("DaemonSet", "Node") and bool(nodes[0] & nodes[1]),
        "same node": bool(nodes[0] & nodes[1]),
        "same namespace": borne or (a.namespace is not None and a.namespace == b.namespace),
        "cluster": True,
    }
    return tuple(tie for tie, holds in told.items() if holds)


def _drawn(seed):
    """Draw a small cluster and signals in it, with every kind of tie among them."""
    draw = random.Random(seed)
    works = [Entity("Deployment", f"w{n}", draw.choice(("shop", "pay"))) for n in range(4)]
    works += [Entity("DaemonSet", "agent", "infra"), Entity("StatefulSet", "store", "pay")]
    pods = [Entity("Pod", f"p{n}", work.namespace) for n, work in enumerate(works)]
    others = [Entity("Node", "n1"), Entity("Host", "db"), Entity("Certificate", "c", "shop"), Entity("HorizontalPodAutoscaler", "h", "shop"), Entity("Service", "s", "shop")]  # fmt: skip
    everyone = [*works, *pods, *others]
    topology = Topology(
        owner=dict(zip(pods[:3], works, strict=False)),
        nodes={works[5]: frozenset({"n1"})},
        targets={others[3]: draw.choice(works)},
        backends={others[4]: frozenset(draw.sample(works, 2))},
        calls=frozenset((draw.choice(everyone), draw.choice(everyone)) for _ in range(4)),
    )
    found = [
        signal(
            draw.choice((Kind.POD_KILL, Kind.SERVER_ERROR)),
            draw.choice(everyone),
            [1.0],
            mentions=tuple(draw.sample(everyone, draw.randint(0, 2))),
            nodes=frozenset(draw.sample(("n1", "n2", "n3"), draw.randint(0, 1))),
        )
        for _ in range(12)
    ]
    return found, topology


def test_all_pairs_at_once_are_tied_as_each_by_itself():
    """Every tie of every pair in forty drawn clusters, and each tie in some of them."""
    seen = set()
    for seed in range(40):
        signals, topology = _drawn(seed)
        expected = [[_one_by_one(cause, effect, topology) for cause in signals] for effect in signals]
        assert [[named(mark) for mark in row] for row in marks(signals, topology).tolist()] == expected
        seen |= {tie for row in expected for ties in row for tie in ties}
    assert len(seen) == 9


def test_an_autoscaler_acts_by_way_of_its_target():
    """What an autoscaler cannot do for its target reaches those who call the target, and those who name it."""
    scaler = Entity("HorizontalPodAutoscaler", "api", "shop")
    topology = Topology(targets={scaler: _API}, calls=frozenset({(_WEB, _API)}))
    limit, above = signal(Kind.QUOTA_EXCEEDED, scaler, [1.0]), signal(Kind.SERVER_ERROR, _WEB, [1.0])
    assert scopes(limit, above, topology) == ("called by", "same namespace", "cluster")
    assert scopes(above, limit, topology) == ("same namespace", "cluster")


def test_who_calls_and_who_is_called_are_told_apart():
    """The web calls the API: a failure of the API reaches the web as one that it called."""
    topology = Topology(calls=frozenset({(_WEB, _API)}))
    below, above = signal(Kind.SERVER_ERROR, _API, [1.0]), signal(Kind.SERVER_ERROR, _WEB, [1.0])
    assert scopes(below, above, topology) == ("called by", "same namespace", "cluster")
    assert scopes(above, below, topology) == ("calls", "same namespace", "cluster")


def test_a_claim_belongs_to_whoever_keeps_data_on_it():
    """The disk of a database is tied to it, and to its settings, by the pod that mounts it or by a StatefulSet's naming."""
    store, other = Entity("StatefulSet", "db", "shop"), Entity("StatefulSet", "db", "pay")
    pod, claim = Entity("Pod", "db-0", "shop"), Entity("PersistentVolumeClaim", "data-db-0", "shop")
    grown, full = signal(Kind.RESOURCE_GROWTH, claim, [1.0]), signal(Kind.NO_SPACE, store, [2.0])
    elsewhere = signal(Kind.NO_SPACE, other, [2.0])
    setting = signal(Kind.CONFIG_CHANGE, Entity("ConfigMap", "db-conf", "shop"), [1.0])
    by_name = Topology(owner={pod: store}, pods={store: {pod: PodLife(start_s=0.0, end_s=9.0)}})
    for topology in (by_name, Topology(owner={pod: store}, claims={claim: store}, pods={store: {}})):
        assert "owner" in scopes(grown, full, topology)
        assert "owner" in scopes(setting, grown, topology)
        assert scopes(grown, elsewhere, topology) == ("cluster",)


def test_a_setting_that_nobody_mounts_acts_on_the_workload_it_is_named_after():
    """``api-config`` is the api's by its name alone, and of two names that fit the longer one counts."""
    long = Entity("Deployment", "api-mail", "shop")
    pods = {_API: {}, long: {}, _WEB: {}}
    failed = {one: signal(Kind.LOG_ERROR, _WEB, [2.0], mentions=(one,)) for one in (_API, long)}

    def tied(name, namespace, to):
        return "named" in scopes(
            signal(Kind.CONFIG_CHANGE, Entity("ConfigMap", name, namespace), [1.0]), failed[to], Topology(pods=pods)
        )

    assert tied("api", "shop", _API)
    assert tied("api-config", "shop", _API)
    assert tied("api-mail-env", "shop", long)
    assert not tied("api-mail-env", "shop", _API)
    assert not tied("apiary", "shop", _API)
    assert not tied("api", "elsewhere", _API)


def test_a_callee_that_no_failed_call_names_is_not_called_by_them():
    """Every failed call names one callee of two: the other is behind them only where the named one leans on it."""
    other = Entity("Deployment", "mail", "shop")
    calls = frozenset({(_WEB, _API), (_WEB, other)})
    rolled = signal(Kind.ROLLOUT, other, [1.0])

    def failed(**told):
        return signal(Kind.TIMEOUT, _WEB, [1.0], mentions=(_API,), attributes=told)

    assert "called by" in scopes(rolled, failed(), Topology(calls=calls))
    assert "called by" not in scopes(rolled, failed(names="each"), Topology(calls=calls))
    assert "called by" in scopes(rolled, failed(names="each"), Topology(calls=calls | {(_API, other)}))
    assert "called by" in scopes(signal(Kind.ROLLOUT, _API, [1.0]), failed(names="each"), Topology(calls=calls))


def test_a_resolver_is_called_by_whoever_could_not_resolve_a_name_though_lines_name_only_what_was_wanted():
    """The line says which host was looked up, never which resolver was asked."""
    resolver = Entity("Deployment", "coredns", "kube-system")
    topology = Topology(calls=frozenset({(_WEB, _API), (_WEB, resolver)}))
    failed = signal(Kind.NAME_RESOLUTION_FAILURE, _WEB, [1.0], mentions=(_API,), attributes={"names": "each"})
    assert "called by" in scopes(signal(Kind.NAME_RESOLUTION_FAILURE, resolver, [1.0]), failed, topology)
