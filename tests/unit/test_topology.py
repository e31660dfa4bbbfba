"""Topology: owners, nodes, targets, backends, calls and the address book, from objects, events and names."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings, strategies as st

from bot.domain.entity import Entity
from bot.domain.items import ClusterEvent, ItemId, LogStream, ObjectVersion
from bot.signals.directory import hosts_in, read_directory
from bot.signals.pod_names import scheduled_minute_s
from bot.signals.topology import read_topology

AT = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


def entity(kind, name, namespace="shop"):
    return Entity(kind, name, namespace)


def obj(kind: str, name: str, body: Mapping[str, Any], namespace="shop"):
    manifest = {"kind": kind, "metadata": {"name": name, "namespace": namespace, **body.get("metadata", {})}}
    manifest |= {key: value for key, value in body.items() if key != "metadata"}
    version = ObjectVersion(
        entity=Entity(kind, name, namespace),
        uid=None,
        observed_at=AT,
        manifest=manifest,
        raw=json.dumps(manifest).encode(),
    )
    return ItemId(f"O-{kind}-{name}"), version


def owned_by(kind, name):
    return {"ownerReferences": [{"kind": kind, "name": name, "controller": True}]}


def event(owner: Entity, reason, message, component=None, node=None):
    made = ClusterEvent(
        at=AT, first_at=AT, count=1, type="Normal", reason=reason, message=message, entity=owner,
        component=component, node=node, raw=b"{}",
    )  # fmt: skip
    return ItemId(f"V-{reason}-{owner.name}"), made


def stream(pod, node=None):
    return LogStream(namespace="shop", pod=pod, container="main", path=f"{pod}.log", node=node)


def roots(streams=(), objects=(), events=()):
    topology = read_topology(list(objects), list(events), [stream(pod) for pod in streams])
    return {pod: topology.root(entity("Pod", pod)) for pod in streams}


def test_references_lead_to_the_workload():
    """Owner references are followed through the ReplicaSet to the Deployment."""
    objects = [
        obj("Pod", "web-x", {"metadata": owned_by("ReplicaSet", "web-rs")}),
        obj("ReplicaSet", "web-rs", {"metadata": owned_by("Deployment", "front")}),
        obj("Deployment", "front", {"metadata": owned_by("HelmThing", "chart")}),
    ]
    topology = read_topology(objects, [], [])
    assert entity("Deployment", "front") == topology.root(entity("Pod", "web-x"))


def test_static_pods_are_not_owned_by_their_node():
    """A mirror pod's owner reference to its node would make every static pod there the same workload."""
    objects = [obj("Pod", "etcd-n1", {"metadata": owned_by("Node", "n1")})]
    assert entity("Pod", "etcd-n1") == read_topology(objects, [], []).root(entity("Pod", "etcd-n1"))


def test_names_tell_the_owner_of_deleted_pods():
    """A pod known only from its log is led to its workload by the shape of its name."""
    assert {
        "api-7d9f8b6c5-x2x4z": entity("Deployment", "api"),
        "etl-29384720-bcdfg": entity("CronJob", "etl"),
        "db-0": entity("StatefulSet", "db"),
        "fluentd-x2x4z": entity("DaemonSet", "fluentd"),
        "console": entity("Pod", "console"),
    } == roots(["api-7d9f8b6c5-x2x4z", "etl-29384720-bcdfg", "db-0", "fluentd-x2x4z", "console"])


def test_a_known_workload_beats_the_shape_of_a_name():
    """``log-shipper`` is a DaemonSet here, so its pod is not read as a ReplicaSet's."""
    known = [obj("DaemonSet", "mail-smtpd", {"spec": {}}), obj("Job", "import", {"spec": {}})]
    assert {
        "mail-smtpd-x2x4z": entity("DaemonSet", "mail-smtpd"),
        "import-zzzzz": entity("Job", "import"),
    } == roots(["mail-smtpd-x2x4z", "import-zzzzz"], objects=known)


def test_events_name_what_was_deleted():
    """Creation events tie a job to its CronJob and a pod to its set, whatever they are called."""
    events = [
        event(entity("CronJob", "nightly"), "SuccessfulCreate", "Created job nightly-manual-7"),
        event(entity("Job", "nightly-manual-7"), "SuccessfulCreate", "Created pod: oddname"),
        event(entity("StatefulSet", "pg"), "SuccessfulCreate", "create Pod pg-0 in StatefulSet pg successful"),
        event(entity("Deployment", "api"), "ScalingReplicaSet", "Scaled up replica set api-abc to 3 from 1"),
        event(entity("Pod", "oddname"), "Scheduled", "Successfully assigned shop/oddname to n3"),
        event(entity("Pod", "pg-0"), "Started", "Started container pg", "kubelet", "n4"),
    ]
    topology = read_topology([], events, [stream("pg-0")])
    assert entity("CronJob", "nightly") == topology.root(entity("Pod", "oddname"))
    assert entity("StatefulSet", "pg") == topology.root(entity("Pod", "pg-0"))
    assert entity("Deployment", "api") == topology.root(entity("ReplicaSet", "api-abc"))
    assert frozenset({"n3"}) == topology.nodes[entity("CronJob", "nightly")]
    assert frozenset({"n4"}) == topology.nodes[entity("StatefulSet", "pg")]


def cluster():
    def labelled(app, *containers):
        return {"spec": {"template": {"metadata": {"labels": {"app": app}}, "spec": {"containers": list(containers)}}}}

    return [
        obj("Deployment", "orders", labelled(
            "orders",
            {"name": "main", "env": [
                {"name": "LEDGER_URL", "value": "http://ledger.bank.svc.cluster.local:8080/v1"},
                {"name": "PGHOST", "value": "pg-rw"},
                {"name": "DB_HOST", "value": "pg-rw"},
                {"name": "CARD_API", "value": "https://api.cards.example.com/charge"},
                {"name": "APP_NAME", "value": "orders"},
            ], "envFrom": [{"configMapRef": {"name": "orders-env"}}]},
        )),
        obj("ConfigMap", "orders-env", {"data": {"CACHE": "redis://cache:6379/0"}}),
        obj("StatefulSet", "pg", labelled("pg")),
        obj("Deployment", "cache", labelled("cache")),
        obj("Deployment", "ledger", labelled("ledger"), "bank"),
        obj("Service", "pg-rw", {"spec": {"selector": {"app": "pg"}, "clusterIP": "10.96.0.9"}}),
        obj("Service", "cache", {"spec": {"selector": {"app": "cache"}}}),
        obj("Service", "orders", {"spec": {"selector": {"app": "orders"}}}),
        obj("Service", "ledger", {"spec": {"selector": {"app": "ledger"}}}, "bank"),
        obj("Ingress", "public", {"spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [
            {"backend": {"service": {"name": "orders", "port": {"number": 80}}}}]}}]}}),
        obj("Pod", "pg-0", {"metadata": {"labels": {"app": "pg"}, **owned_by("StatefulSet", "pg")},
                            "spec": {"nodeName": "n1"}, "status": {"podIP": "10.1.2.3"}}),
        obj("HorizontalPodAutoscaler", "orders", {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "orders"}}}),
        obj("Deployment", "edge", labelled("edge", {"image": "registry.k8s.io/ingress-nginx/controller:v1.9.4"}), "edge"),
    ]  # fmt: skip


def test_calls_are_read_from_configuration():
    """Environment, ConfigMaps and ingresses tell who calls whom."""
    topology = read_topology(cluster(), [], [])
    orders = entity("Deployment", "orders")
    assert {
        (orders, entity("Deployment", "ledger", "bank")),
        (orders, entity("StatefulSet", "pg")),
        (orders, entity("Deployment", "cache")),
        (orders, Entity("Host", "api.cards.example.com")),
        (entity("Ingress", "public"), orders),
        (entity("Deployment", "edge", "edge"), orders),
    } == set(topology.calls)
    assert orders == topology.targets[entity("HorizontalPodAutoscaler", "orders")]


def test_a_directory_resolves_every_spelling():
    """Service names in each DNS spelling, addresses, ingress hosts and outside hosts are found."""
    objects = cluster()
    topology = read_topology(objects, [], [])
    book = read_directory(objects, [], [], topology)
    ledger, pg = entity("Deployment", "ledger", "bank"), entity("StatefulSet", "pg")
    expected = {
        "ledger.bank.svc.cluster.local:8080": ledger,
        "http://ledger.bank.svc/v1?x=1": ledger,
        "ledger.bank": ledger,
        "ledger": ledger,
        "pg-rw": pg,
        "pg-0.pg-rw.shop.svc.cluster.local.": pg,
        "10.1.2.3:5432": pg,
        "10.96.0.9": pg,
        "pg-0": pg,
        "shop.example.com": entity("Deployment", "orders"),
        "user:pw@cache:6379": entity("Deployment", "cache"),
        "gone.bank.svc.cluster.local": Entity("Service", "gone", "bank"),
        "api.cards.example.com:443": Entity("Host", "api.cards.example.com"),
        "bank-ledger-8080": ledger,
        "shop-pg-rw-5432": pg,
        "shop-nothing-80": None,
        "10.9.9.9": None,
        "1.1.1.1": Entity("Host", "1.1.1.1"),
        "nginx.conf": None,
        "java.lang.Exception": Entity("Host", "java.lang.exception"),
        "localhost:8080": None,
        "": None,
    }
    expected.pop("java.lang.Exception")
    assert expected == {host: book.resolve(host, "shop") for host in expected}


def test_hosts_are_found_in_a_line():
    """URLs, ``name:port`` and dotted names are found; times and file positions are not."""
    line = '12:30:01 GET "http://ledger.bank.svc:8080/x" dial tcp pg-rw:5432 lookup api.cards.example.com main.go:42 10.0.0.1:80'
    assert [host for host in hosts_in(line) if host != "main.go"] == [
        "ledger.bank.svc",
        "pg-rw",
        "api.cards.example.com",
        "10.0.0.1",
    ]


def test_a_job_name_carries_its_scheduled_minute():
    """The suffix is the scheduled time in minutes since the epoch; other numbers are not."""
    assert scheduled_minute_s("etl-29384720") == 29384720 * 60.0
    assert scheduled_minute_s("etl-12345678") is None
    assert scheduled_minute_s("etl") is None


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_resolves_to_something_or_nothing(text):
    """No host string, however odd, raises."""
    objects = cluster()[5:8]
    book = read_directory(objects, [], [], read_topology(objects, [], []))
    assert book.resolve(text, "shop") is None or isinstance(book.resolve(text, "shop"), Entity)
    hosts_in(text)
