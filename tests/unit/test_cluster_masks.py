"""What of a manifest may be kept, and how a kubelet's lines are cut."""

import pytest
from hypothesis import given, settings, strategies as st

from bot.cluster.masks import MASK, encoded, kept, masked
from bot.cluster.resources import CONFIG_MAPS, CRON_JOBS, DEPLOYMENTS, PODS
from bot.domain.kubelet import KubeletLines, time_ns
from bot.domain.ports import UNDATED

SECRET = "hunter2-Xk9"


@pytest.mark.parametrize(
    ("name", "value", "stays"),
    [
        ("REQUEST_TIMEOUT", "30s", "30s"),
        ("WORKERS", "8", "8"),
        ("PAYMENTS_HOST", "payments.shop.svc:8080", "payments.shop.svc:8080"),
        ("DATABASE_URL", f"postgres://app:{SECRET}@db.shop:5432/orders?sslmode=off", f"postgres://db.shop:5432 {MASK}"),
        ("GREETING", SECRET, MASK),
        ("API_TOKEN", "12345678", MASK),
        ("DB_PASSWORD", "8", MASK),
        ("LICENCE", "12345678901234567890", MASK),
    ],
)
def test_literals_are_masked_but_for_what_tells_how_things_hang_together(name, value, stays):
    """Numbers, durations and hosts stay, unless the name smells of a secret; users and paths of addresses go."""
    assert stays == masked(name, value)


def template(spec):
    """Give a pod template."""
    return {"template": {"metadata": {}, "spec": spec}}


@pytest.mark.parametrize(
    ("resource", "wrapped"),
    [
        (PODS, lambda spec: {"spec": spec}),
        (DEPLOYMENTS, lambda spec: {"spec": template(spec)}),
        (CRON_JOBS, lambda spec: {"spec": {"jobTemplate": {"spec": template(spec)}}}),
    ],
    ids=["Pod", "Deployment", "CronJob"],
)
@pytest.mark.parametrize(
    "container",
    [
        {"env": [{"name": "GREETING", "value": SECRET}]},
        {"args": [f"--password={SECRET}", "--password", SECRET]},
        {"command": ["sh", "-c", f"export TOKEN={SECRET}; run"]},
        {"args": [f"--dsn=postgres://app:{SECRET}@db/x", f"postgres://app:{SECRET}@db/x"]},
    ],
    ids=["env", "flags", "shell", "address"],
)
def test_no_secret_of_a_pod_is_kept(resource, wrapped, container):
    """Wherever a pod's spec lies, and in the copy that kubectl keeps in an annotation."""
    item = {"metadata": {"name": "a", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": SECRET}}}
    found = kept(
        {**item, **wrapped({"containers": [{"name": "c", **container}], "initContainers": [container]})}, resource
    )
    assert SECRET.encode() not in encoded(found)
    assert "a" == found["metadata"]["name"]


def test_a_config_map_is_kept_by_name_and_version():
    """Its contents and annotations go, even from a server that sends them unasked."""
    item = {"metadata": {"name": "a", "resourceVersion": "7", "annotations": {"x": SECRET}}, "data": {"k": SECRET}}
    expected = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "resourceVersion": "7"}}
    assert expected == kept(item, CONFIG_MAPS)


@given(st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=20), st.integers(1, 30))
@settings(max_examples=150, deadline=None)
def test_lines_are_the_same_however_they_are_cut(lines, size):
    """Every byte but the line ends comes through, in whatever pieces it came; a bad byte costs nothing."""
    whole = b"".join(b"2026-11-22T06:28:01.123456789Z " + line + b"\n" for line in lines)
    cutter = KubeletLines()
    found = [each for at in range(0, len(whole), size) for each in cutter.feed(whole[at : at + size])]
    found += cutter.last()
    assert [line.removesuffix(b"\r") for line in lines] == [raw[offset:] for _, raw, offset in found]
    assert all(at % 10**9 == 123456789 for at, _, _ in found)


@given(st.binary(max_size=60))
def test_any_line_has_a_time_or_none(line):
    """No line breaks the reading of its time."""
    assert time_ns(line) >= UNDATED


def test_a_line_over_the_limit_is_cut_and_counted():
    """The rest of it is let go, and the next line is whole."""
    cutter = KubeletLines()
    found = cutter.feed(b"x" * 3_000_000) + cutter.feed(b"y" * 3_000_000 + b"\n2026-11-22T06:28:01Z z\n")
    assert 1 == cutter.cut
    assert [1024 * 1024, 22] == [len(raw) for _, raw, _ in found]
