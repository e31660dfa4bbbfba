"""Machines of their own for workers: another root, network, processes, host name and user, with a checkout of their own.

Made of Linux namespaces, so that root may run them anywhere; of this machine they have the system's programs and Python's
libraries, read-only, as an image would. Nothing else is shared, and nothing is reached but the database's socket.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from spread_stage import ROOT, until

NEEDED = ("unshare", "setpriv", "chroot", "mount")
NOBODY = "65534"
BOOT = """
root=$1 sockets=$2 name=$3; shift 3
echo "$name" >/proc/sys/kernel/hostname
mount --make-rprivate /
mount -t tmpfs -o size=256m tmpfs "$root"
for each in $SHARED; do
    [ -e "$each" ] || continue
    mkdir -p "$root$each"; mount --bind "$each" "$root$each"; mount -o remount,bind,ro "$root$each"
done
mkdir -p "$root/srv" "$root/proc" "$root/dev" "$root/tmp" "$root/run/database"
cp -R "$CHECKOUT" "$root/srv/rootcause"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$sockets" "$root/run/database"
chown 65534:65534 "$root/tmp"; chown -R 65534:65534 "$root/srv"
chroot "$root" setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs env -C /srv/rootcause "$@"
exit $?
"""
"""The shell stays the first process: the worker then can be ended by any signal, and the machine ends with it."""


def able():
    """Skip where this system lets nobody make such a machine."""
    if os.geteuid() != 0 or any(shutil.which(program) is None for program in NEEDED):
        pytest.skip(f"only root can make a machine of its own, with {', '.join(NEEDED)}")
    tried = subprocess.run(
        [*_unshared(), "mount", "-t", "tmpfs", "tmpfs", "/tmp"], capture_output=True, text=True, check=False
    )
    if tried.returncode != 0:
        pytest.skip(f"no machine of its own can be made here: {tried.stderr.strip()}")


def checkout(folder):
    """Copy the project as it is, without what belongs to this machine; gives where."""
    left = shutil.ignore_patterns("__pycache__", "bench", "fuzz", "snapshot", "streams")
    for part in ("bot", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=left)
    return folder


@contextlib.contextmanager
def machine(folder, code, sockets, url, *script):
    """Run a worker on a machine called ``folder.name``; gives its process: to kill it is to switch the machine off."""
    folder.mkdir()
    venv, python = Path(sys.prefix), Path(sys.base_prefix)
    system = ("/usr", "/bin", "/lib", "/lib64", "/etc", str(venv), str(python))
    environment = {"PATH": os.defpath + ":/usr/sbin:/sbin", "SHARED": " ".join(system), "CHECKOUT": str(code)}
    told = {
        "HOME": "/tmp",
        "ROOTCAUSE_HOME": "/srv/cases",
        "ROOTCAUSE_DATABASE_URL": url,
        "PYTHONPATH": "/srv/rootcause",
    }
    worker = [str(venv / "bin" / "python"), *(str(part) for part in script or ("-m", "bot", "worker"))]
    command = [
        *_unshared(),
        "sh",
        "-euc",
        BOOT,
        "boot",
        str(folder),
        str(sockets),
        folder.name,
        *(f"{key}={value}" for key, value in told.items()),
        *worker,
    ]
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        sys.stdout.write((folder.parent / f"{folder.name}.log").read_text(errors="replace")[-4000:])


def first_process(process):
    """Give the number of a machine's first process, as this machine counts, once it is there."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return int(until(lambda: children.read_text().split())[0])


def _unshared():
    return ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
