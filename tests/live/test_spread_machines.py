"""Workers on machines that share no file and no network with the asker: all they meet in is the database."""

import contextlib
import os
import signal
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from live.machines import able, checkout, first_process, machine
from spread_stage import Spreads, analyzed, content, left_behind, settings, store_of, until, write_logs

from bot.investigation.spread_worker import PLACES

NAMES = ("mnt", "net", "pid", "uts", "ipc")
DYING = "tests/scenario/dying_worker.py"


@pytest.fixture(autouse=True)
def small_runs(monkeypatch):
    """Make runs small, so that a few megabytes are many, and give them up soon."""
    monkeypatch.setattr("bot.investigation.spreading.RUN_BYTES", 600_000)
    monkeypatch.setattr("bot.casefile.packing.RUN_BYTES", 600_000)
    for name in ("RUN_S", "UNTAKEN_S"):
        monkeypatch.setattr(f"bot.investigation.spreading.{name}", 4.0)


@pytest.fixture
def meeting(tmp_path, databases):
    """Give the settings of the asker, the folder of the database's socket, and its URL through that."""
    able()
    url = sa.make_url(databases(f"machines_{tmp_path.name[-40:].lower()}"))
    told = settings(tmp_path / "home", url.render_as_string(hide_password=False))
    with store_of(told) as store:
        store.prepare()
        with store.engine.connect() as connection:
            sockets = connection.execute(sa.text("SHOW unix_socket_directories")).scalar_one()
    place = {"host": "/run/database", "port": str(url.port)}
    far = sa.URL.create("postgresql", username=url.username, database=url.database, query=place)
    return told, sockets, far.render_as_string(hide_password=False)


@contextlib.contextmanager
def joined(told, count):
    """Wait until so many workers have joined; gives the store."""
    with store_of(told) as store:
        until(lambda: len(store.workers()) == count)
        yield store


@pytest.mark.timeout(120)
def test_two_machines_of_which_one_is_switched_off(tmp_path, meeting):
    """They map an investigation's logs, one dies over a run, and the case is the one that a single process makes."""
    told, sockets, far = meeting
    export = write_logs(tmp_path / "export", 6)
    alone = content(analyzed(export, tmp_path / "alone"))
    code = checkout(tmp_path / "checkout")
    with (
        machine(tmp_path / "north", code, sockets, far) as living,
        machine(tmp_path / "south", code, sockets, far, DYING, "die", 1) as dying,
    ):
        with joined(told, 2) as store:
            assert ["north", "south"] == [worker.host for worker in store.workers()]
        first = first_process(living)
        assert_apart(first, tmp_path, export)
        held = processes(first)
        stop(held, signal.SIGSTOP)  # so that the other one gets a run for certain
        watching = threading.Thread(target=lambda: (dying.wait(), stop(held, signal.SIGCONT)))
        watching.start()
        spreads = Spreads(told)
        assert alone == content(analyzed(export, tmp_path / "home", spreads))
        watching.join()
        assert dying.wait() != 0
        assert living.poll() is None
    assert spreads.tally.mapped >= 1
    assert 1 <= spreads.tally.lost <= PLACES
    with store_of(told) as store:
        assert left_behind(store) == 0


def assert_apart(pid, *unseen):
    """Check that a machine shares no namespace with this one, no network, and none of these files."""
    for name in NAMES:
        assert Path(f"/proc/{pid}/ns/{name}").readlink() != Path(f"/proc/self/ns/{name}").readlink()
    assert ["lo"] == [line.split(":")[0].strip() for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]]
    (worker,) = [each for each in processes(pid) if command(each).endswith("/python")]
    assert (Path(f"/proc/{worker}/root") / "srv" / "rootcause" / "bot").exists()
    assert all(path.exists() and not Path(f"/proc/{worker}/root{path}").exists() for path in unseen)
    assert "Uid:\t65534" in Path(f"/proc/{worker}/status").read_text()


def processes(pid):
    """Give a machine's processes."""
    space = Path(f"/proc/{pid}/ns/pid").readlink()
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (each / "ns" / "pid").readlink() == space:
                found.append(int(each.name))
    return found


def command(pid):
    """Give the program that a process runs."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0].decode()


def stop(pids, number):
    """Send all of them a signal."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
