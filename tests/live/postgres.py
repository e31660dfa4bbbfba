"""A real PostgreSQL of its own for the tests: started on a free port, gone with them."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PLACES = ("/usr/lib/postgresql", "/usr/local")
READY_S = 60.0


def binaries():
    """Find the folder of the server's programs, or skip."""
    found = [path.resolve().parent for place in PLACES for path in sorted(Path(place).glob("**/bin/initdb"))]
    if not found:
        pytest.skip("no PostgreSQL here (apt-get install postgresql)")
    return found[-1]


def _as_user(command):
    """Run as somebody: the server refuses root."""
    if os.geteuid() != 0:
        return command
    if shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser here")
    return ["runuser", "-u", "postgres", "--", *command]


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def postgres():
    """Start a server; gives a function that makes a new database and tells its URL."""
    programs, port = binaries(), _free_port()
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    # the system's own folder: the tests' is not open to another user
    with tempfile.TemporaryDirectory(prefix="rootcause-pg-") as folder:
        sockets = Path(folder) / "sockets"
        sockets.mkdir()
        if os.geteuid() == 0:
            shutil.chown(folder, user)
            shutil.chown(sockets, user)
        Path(folder).chmod(0o755)
        cluster = f"{folder}/cluster"
        _run([programs / "initdb", "-D", cluster, "-A", "trust", "-N", "-U", user, "-E", "UTF8", "--no-locale"])
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={sockets} -c fsync=off"
        control = [programs / "pg_ctl", "-D", cluster, "-s", "-w", "-t", str(int(READY_S))]
        _run([*control, "-l", f"{folder}/log", "-o", options, "start"])
        try:
            yield lambda name: _database(programs, port, user, name)
        finally:
            _run([*control, "-m", "immediate", "stop"])


def _database(programs, port, user, name):
    _run([programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", user, name])
    return f"postgresql://{user}@127.0.0.1:{port}/{name}"


def _run(command):
    until = time.monotonic() + READY_S
    done = subprocess.run(
        _as_user([str(part) for part in command]), capture_output=True, text=True, check=False, cwd="/",
        timeout=until - time.monotonic(), stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def databases():
    """Start a server once for all tests that want one."""
    with postgres() as made:
        yield made
