"""The manifests, offline: each fits its schema, the pods fit the restricted profile, and the rights are the least ones."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from kubernetes_validate import validate

from bot.cluster.rights import DELIVERIES, READING, RECORDING
from bot.settings import read_live

MANIFESTS = Path(__file__).parents[2] / "manifests"
FOLDER = MANIFESTS / "kubernetes"
ALL = [
    (path, each)
    for path in sorted(FOLDER.rglob("*.yaml"))
    if path.name not in {"kustomization.yaml", "rootcause.yaml"}
    for each in yaml.safe_load_all(path.read_text("utf-8"))
]
PODS = [each for _, each in ALL if each["kind"] == "Deployment"]
OWN = {"ServiceMonitor"}
"""Kinds that are not Kubernetes' own and have no schema there."""


def named(pair):
    """Name a manifest in a test's id."""
    return f"{pair[1]['kind']}-{pair[1]['metadata']['name']}"


@pytest.mark.parametrize("pair", [each for each in ALL if each[1]["kind"] not in OWN], ids=named)
@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_a_manifest_fits_its_schema(pair, version):
    """Every field is known to the oldest and the newest version that we name."""
    validate(pair[1], version, strict=True)


@pytest.mark.parametrize("folder", [FOLDER, FOLDER / "monitoring", FOLDER / "workers"], ids=lambda each: each.name)
def test_kustomize_finds_every_file_and_forgets_none(folder):
    """What lies there is named, and what is named lies there."""
    told = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    files = {each.name for each in folder.glob("*.yaml")} - {"kustomization.yaml", "rootcause.yaml"}
    assert files == set(told["resources"])


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Give what a real kustomize makes of the folder with its component, as people would name it in a file of their own."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl here")
    folder = tmp_path_factory.mktemp("kustomize")
    shutil.copytree(FOLDER, folder / "kubernetes")
    components = ["kubernetes/monitoring", "kubernetes/workers"]
    own = {"resources": ["kubernetes"], "components": components, "namespace": "rootcause"}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(own))
    made = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, check=True, timeout=60)
    return list(yaml.safe_load_all(made.stdout))


def test_kustomize_makes_manifests_that_hang_together(rendered):
    """Everything lies in the namespace and fits its schema; what pods name, under the names kustomize gave, is there."""
    by_kind = {}
    for each in rendered:
        by_kind.setdefault(each["kind"], {})[each["metadata"]["name"]] = each
        if each["kind"] not in OWN:
            validate(each, "1.37", strict=True)
        assert (
            each["kind"] in {"Namespace", "ClusterRole", "ClusterRoleBinding"}
            or each["metadata"]["namespace"] == "rootcause"
        )
    assert len(ALL) + 1 == len(rendered)
    for deployment in by_kind["Deployment"].values():
        spec = deployment["spec"]["template"]["spec"]
        assert spec["serviceAccountName"] in by_kind["ServiceAccount"]
        for volume in spec["volumes"]:
            if "configMap" in volume:
                assert "kubernetes:" in by_kind["ConfigMap"][volume["configMap"]["name"]]["data"]["rootcause.yaml"]
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in by_kind["PersistentVolumeClaim"]
    assert {"ServiceMonitor", "NetworkPolicy"} <= set(by_kind)


@pytest.mark.parametrize("deployment", PODS, ids=lambda each: each["metadata"]["name"])
def test_pods_fit_the_restricted_profile(deployment):
    """No root, no privilege, no capability, a root that cannot be written, limits, probes, and one writer a disk."""
    spec = deployment["spec"]["template"]["spec"]
    security = spec["securityContext"]
    assert security["runAsNonRoot"]
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    for container in spec["containers"]:
        own = container["securityContext"]
        assert (False, True, ["ALL"]) == (
            own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"], own["capabilities"]["drop"]
        )  # fmt: skip
        assert {"livenessProbe", "readinessProbe", "resources"} <= set(container)
        mounted = {each["name"] for each in container["volumeMounts"]}
        assert mounted == {each["name"] for each in spec["volumes"]}


@pytest.mark.parametrize(
    ("role", "needed"), [("rootcause-bot", (*READING, *DELIVERIES)), ("rootcause-recorder", RECORDING)]
)
def test_the_rights_are_exactly_what_is_asked_for(role, needed):
    """Not one rule more than the program uses, not one less; no Secrets, no star."""
    rules = next(each for _, each in ALL if each["kind"] == "ClusterRole" and each["metadata"]["name"] == role)["rules"]
    granted = {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == {(resource.group, resource.plural, verb) for resource, verb in needed}
    assert not [each for each in granted if "secret" in each[1] or "*" in each]


def test_nobody_may_call_in():
    """The policy of all pods allows no way in, and every pod is under it."""
    policy = next(
        each for _, each in ALL if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == "rootcause"
    )
    assert [] == policy["spec"]["ingress"]
    covered = policy["spec"]["podSelector"]["matchExpressions"][0]["values"]
    assert covered == [each["metadata"]["name"] for each in PODS]


def test_the_configuration_is_one_the_bot_reads():
    """The mounted rootcause.yaml is valid, and its archive is where the recorder writes."""
    live = read_live(FOLDER / "rootcause.yaml")
    recorder = next(each for each in PODS if each["metadata"]["name"] == "rootcause-recorder")
    variables = {each["name"]: each["value"] for each in recorder["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert variables["ROOTCAUSE_ARCHIVE"] == str(live.clusters[0].recorder.archive)


def test_the_image_runs_as_the_pods_do():
    """The Dockerfile installs only what is locked, copies what exists, and ends as the user that the manifests name."""
    told = (MANIFESTS / "Dockerfile").read_text("utf-8")
    assert "--require-hashes -r requirements.lock" in told
    assert "USER 10001:10001" in told
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", told, re.MULTILINE):
        assert [] == [name for name in line.split() if not (MANIFESTS.parent / name).exists()]
