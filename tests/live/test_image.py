"""The image of manifests/Dockerfile, run as the manifests run it: another user, a read-only root, no capability.

``sh tests/live/build_image.sh`` builds it first, which takes a minute or two and tools that CI does not have; without it these
tests are skipped with a word.
"""

import json
import shutil
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from kube_api import KubeApi
from unit.test_recorder import event, logged, pod

from bot.archive.reading import Archive

STORY = Path(__file__).parents[2] / "fixtures" / "incidents" / "story.tar.zst"
IMAGE = "localhost/rootcause:latest"
AS_DEPLOYED = (
    "--runtime=runc", "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges",
    "--tmpfs=/tmp", "--ulimit=nofile=8192:8192", "--ulimit=nproc=4096:4096",
)  # fmt: skip
PODMAN = ("env", "STORAGE_DRIVER=vfs", "podman", "--cgroup-manager=cgroupfs")  # as buildah was told, or neither sees it


@pytest.fixture(scope="module", autouse=True)
def image():
    """Look whether the image was built here."""
    looked = [*PODMAN, "image", "exists", IMAGE]
    if shutil.which("podman") is None or subprocess.run(looked, check=False).returncode:
        pytest.skip("no image was built here: sh tests/live/build_image.sh")


def command(*arguments, network="none", options=()):
    """Write the command that runs the image."""
    return [*PODMAN, "run", "--rm", *AS_DEPLOYED, f"--network={network}", *options, IMAGE, *arguments]


def ran(*arguments, **more):
    """Run the image to its end and give what it printed."""
    done = subprocess.run(command(*arguments, **more), capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_it_is_nobody_in_a_system_it_cannot_change():
    """The process is user 10001 without any capability; its root is read-only, its two volumes are its own."""
    script = "id -u; touch /usr/x 2>&1; touch /cases/x /archive/x && echo kept; grep CapEff /proc/self/status"
    code, out, _ = ran("-c", script, options=("--entrypoint=sh",))
    assert 0 == code
    assert ["10001", "kept", "CapEff:\t0000000000000000"] == [line for line in out.splitlines() if "touch:" not in line]
    assert "Read-only file system" in out


def test_it_explains_itself_and_looks_at_what_it_has():
    """The help is printed; the doctor finds the cases' folder writable and the reader compiled."""
    assert "Usage: rootcause" in ran("--help")[1]
    _, out, err = ran("doctor")
    assert "/cases" in out + err
    assert "compiled" in out + err


def test_it_finds_the_cause_of_the_story():
    """The whole path runs in it, without a network."""
    code, out, err = ran("analyze", "/story.tar.zst", "--format=json", options=(f"--volume={STORY}:/story.tar.zst:ro",))
    assert (0, "cause_found") == (code, json.loads(out)["verdict"]), err


def test_it_records_a_cluster(tmp_path):
    """The recorder watches an API server on loopback, keeps an event and a log, and ends when it is told to."""
    archive = tmp_path / "archive"
    archive.mkdir(mode=0o777)
    archive.chmod(0o777)
    with KubeApi() as api:
        api.put(pod(), event(1)).log("web", "a", "app", logged(3))
        api.kubeconfig(tmp_path).chmod(0o644)
        told = ("ROOTCAUSE_KUBECONFIG=/kubeconfig", "ROOTCAUSE_ARCHIVE=/archive/a.sqlite", "ROOTCAUSE_FOLLOW=web")
        options = [f"--env={each}" for each in (*told, "ROOTCAUSE_PORT=0")]
        options += [f"--volume={tmp_path / 'kubeconfig'}:/kubeconfig:ro", f"--volume={archive}:/archive", "--name=rec"]
        process = subprocess.Popen(command("record", network="host", options=options))
        until(lambda: sum(api.calls.values()) > 20 and kept(archive))
        subprocess.run([*PODMAN, "stop", "-t", "20", "rec"], check=True, capture_output=True)
        assert process.wait(30) == 0


def kept(folder):
    """Tell whether the archive has the namespace of what was recorded, with its log."""
    try:
        with closing(Archive(folder / "a.sqlite")) as archive:
            return archive.namespaces() == ["web"] and bool(archive.covers("web", "a", "app"))
    except Exception:  # noqa: BLE001 - not yet made, or being made
        return False


def until(holds):
    """Wait for a condition."""
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.1)
