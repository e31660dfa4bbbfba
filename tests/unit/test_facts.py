"""Citable settings: named, valued, and quoted verbatim from JSON and YAML alike."""

import json

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from bot.domain.entity import Entity
from bot.domain.items import ItemId, ObjectVersion
from bot.domain.quantities import number_of
from bot.signals.facts import spec_facts

DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": '{"spec":{"terminationGracePeriodSeconds":90}}'
        },
    },
    "spec": {
        "replicas": 3,
        "template": {
            "spec": {
                "terminationGracePeriodSeconds": 15,
                "containers": [
                    {
                        "name": "app",
                        "resources": {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"cpu": "100m"}},
                        "livenessProbe": {"timeoutSeconds": 1, "periodSeconds": 10},
                        "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "sleep 5"]}}},
                        "env": [
                            {"name": "DB_POOL_SIZE", "value": "10"},
                            {"name": "DB_PASSWORD_TIMEOUT", "value": "x"},
                            {"name": "UPSTREAM_URL", "value": "http://u:secret@db/"},
                        ],
                    }
                ],
            }
        },
    },
}


def version(manifest, raw=None):
    entity = Entity(manifest["kind"], manifest["metadata"]["name"], manifest["metadata"].get("namespace"))
    text = raw if raw is not None else json.dumps(manifest, indent=2)
    return ItemId(f"O-{entity.kind}-{entity.name}"), ObjectVersion(
        entity=entity, uid=None, observed_at=None, manifest=manifest, raw=text.encode()
    )


@pytest.mark.parametrize("dump", [json.dumps, lambda m: json.dumps(m, indent=2), yaml.safe_dump])
def test_settings_are_quoted_verbatim(dump):
    """Each fact's quote stands in the bytes that were read, however they were printed."""
    row = version(DEPLOYMENT, dump(DEPLOYMENT))
    facts = {fact.name: fact for fact in spec_facts([row])}
    assert {
        "terminationGracePeriodSeconds": 15.0,
        "replicas": 3.0,
        "app.limits.cpu": 0.5,
        "app.limits.memory": 512.0 * 2**20,
        "app.requests.cpu": 0.1,
        "app.livenessProbe.timeoutSeconds": 1.0,
        "app.livenessProbe.periodSeconds": 10.0,
        "app.preStop": None,
        "DB_POOL_SIZE": 10.0,
    } == {name: fact.number for name, fact in facts.items()}
    raw = row[1].raw.decode()
    assert all(fact.quote in raw for fact in facts.values())
    assert "terminationGracePeriodSeconds" in facts["terminationGracePeriodSeconds"].quote


def test_what_cannot_be_quoted_is_not_a_fact():
    """A manifest whose bytes do not state a setting gives none."""
    assert spec_facts([version(DEPLOYMENT, "{}")]) == []


def test_a_pod_speaks_for_its_workload_only_where_that_is_missing():
    """Facts of an owned pod bear the workload's name, and are left out where the workload was read itself."""
    pod = {
        "kind": "Pod",
        "metadata": {"name": "web-7d9f8b6c5-x2x4z", "namespace": "shop",
                     "ownerReferences": [{"kind": "ReplicaSet", "name": "web-7d9f8b6c5", "controller": True}]},
        "spec": {"terminationGracePeriodSeconds": 15, "containers": []},
    }  # fmt: skip
    (fact,) = spec_facts([version(pod)])
    assert Entity("Deployment", "web", "shop") == fact.entity
    both = spec_facts([version(pod), version(DEPLOYMENT)])
    assert {one.ref for one in both} == {"O-Deployment-web"}


def test_schedules_autoscalers_and_ingresses_have_facts():
    """Schedules, autoscaler bounds and targets, and proxy timeouts are cited."""
    rows = [
        version({"kind": "CronJob", "metadata": {"name": "etl", "namespace": "d"},
                 "spec": {"schedule": "0 */6 * * *", "concurrencyPolicy": "Forbid"}}),
        version({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "d"},
                 "spec": {"minReplicas": 2, "maxReplicas": 9,
                          "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}],
                          "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}}}),
        version({"kind": "Ingress", "metadata": {"name": "in", "namespace": "d", "annotations": {
            "nginx.ingress.kubernetes.io/proxy-read-timeout": "60"}}}),
        version({"kind": "Certificate", "metadata": {"name": "c", "namespace": "d"},
                 "spec": {"renewBefore": "360h0m0s"}, "status": {"notAfter": "2026-11-20T00:00:00Z"}}),
    ]  # fmt: skip
    found = {(fact.entity.kind, fact.name): fact.number for fact in spec_facts(rows)}
    assert {
        ("CronJob", "schedule"): None,
        ("CronJob", "concurrencyPolicy"): None,
        ("HorizontalPodAutoscaler", "minReplicas"): 2.0,
        ("HorizontalPodAutoscaler", "maxReplicas"): 9.0,
        ("HorizontalPodAutoscaler", "target.cpu.averageUtilization"): 60.0,
        ("HorizontalPodAutoscaler", "behavior.scaleDown.stabilizationWindowSeconds"): 60.0,
        ("Ingress", "proxy-read-timeout"): 60.0,
        ("Certificate", "renewBefore"): 360 * 3600.0,
        ("Certificate", "notAfter"): None,
    } == found


def test_secrets_are_never_cited():
    """A Secret has no facts, and variables that hold credentials are left out."""
    assert spec_facts([version({"kind": "Secret", "metadata": {"name": "s"}, "data": {"X_TIMEOUT": "aaaa"}})]) == []


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=30))
def test_any_value_reads_as_a_number_or_not(text):
    """No value, however odd, raises."""
    assert number_of(text) is None or isinstance(number_of(text), float)
