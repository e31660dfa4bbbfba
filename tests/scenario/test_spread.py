"""Workers of this machine, met in a SQLite file: the same case to the byte, and none waited for."""

import contextlib
import pickle

import pytest
from spread_stage import Spreads, analyzed, content, left_behind, settings, store_of, write_logs

from bot.app_doctor import examine_workers
from bot.casefile.home import CaseHome
from bot.investigation.spread_version import mapping_version
from bot.investigation.spread_worker import MapWorker
from bot.investigation.spreading import Spread, Spreading
from bot.signals.masking import mask


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """Some logs."""
    return write_logs(tmp_path_factory.mktemp("logs") / "export", 3)


@pytest.fixture(autouse=True)
def small_runs(monkeypatch):
    """Make runs and blocks small, so that little is much."""
    monkeypatch.setattr("bot.investigation.spreading.RUN_BYTES", 200_000)
    monkeypatch.setattr("bot.casefile.packing.RUN_BYTES", 100_000)
    monkeypatch.setattr("bot.casefile.loglines.BLOCK_BYTES", 50_000)


@contextlib.contextmanager
def worker(told, version=None):
    """Run a worker in threads of this process."""
    made = MapWorker(told, mask, version)
    try:
        made.start()
        yield made
    finally:
        made.close(5)


def test_a_worker_leaves_no_trace(tmp_path, export):
    """With a worker the case is the one that a single process makes; nothing stays on the way, and the worker leaves."""
    told = settings(tmp_path / "home")
    alone = content(analyzed(export, tmp_path / "alone"))
    spreads = Spreads(told)
    with worker(told) as one, store_of(told) as store:
        assert alone == content(analyzed(export, tmp_path / "home", spreads))
        assert one.mapped == spreads.tally.mapped >= 3
        assert spreads.tally.lost == 0
        assert 0 < spreads.tally.received_bytes < spreads.tally.sent_bytes < 3e6
        assert left_behind(store) == 0
        assert [one.name] == [each.worker for each in store.workers()]
        assert one.well
        found = examine_workers(told)
        assert ("ok", True) == (found.state, "1 on 1 machine take" in found.what)
    with store_of(told) as store:
        assert [] == store.workers()


def test_without_workers_nothing_is_looked_for_twice(tmp_path, export):
    """Where no worker has ever been, no database appears and the case is made here."""
    spreads = Spreads(settings(tmp_path / "home"))
    spreads.made.clear()
    path = analyzed(export, tmp_path / "home", lambda case: spreads_of(spreads, case))
    assert path.exists()
    assert spreads.tally.mapped == spreads.tally.lost == 0
    assert examine_workers(spreads.told).what.startswith("none")
    assert not (tmp_path / "home" / "chunks.sqlite").exists()


def spreads_of(spreads, case):
    """Make what spreads a case without waiting for workers."""
    spreads.made.append(Spread(spreads.told, case))
    return spreads.made[-1]


def test_a_home_crosses_a_process_boundary(tmp_path):
    """The engine of the bot runs in a child, and takes along what spreads a case there."""
    home = pickle.loads(pickle.dumps(CaseHome(tmp_path / "home", Spreading(settings(tmp_path)))))
    with home.create(mask) as writer:
        writer.finish()
    assert [writer.id] == [case.id for case in home.list()]


def test_another_version_takes_no_part(tmp_path):
    """A worker whose mapping may differ is seen, and given nothing; what it may not take waits, and is taken once."""
    told = settings(tmp_path / "home")
    with worker(told, "0.0-other") as other, store_of(told) as store:
        assert ["0.0-other"] == [each.version for each in store.workers()]
        assert mapping_version() != "0.0-other"
        assert examine_workers(told).state == "warning"
        spread = spreads_of(Spreads(told), "c1")
        assert not spread.claim(10)
        spread.close()
        store.offer("k1", "c1", mapping_version(), b"payload")
        (row,) = store.under_way("c1")
        assert (row.taken, row.done, row.age_s < 60) == (False, False, True)
        assert store.take("k1", "w1") == store.take("k1", "w2") == b"payload"
        assert store.give("k1", b"first")
        assert not store.give("k1", b"second")
        assert store.take("k1", "w3") is None
        assert store.collect("k1") == b"first"
        assert store.collect("k1") is None
        assert not store.give("k1", b"late")
        assert other.mapped == 0


def test_a_broken_result_is_mapped_here(tmp_path, export, monkeypatch):
    """What a worker gives back broken is not believed."""
    told = settings(tmp_path / "home")
    alone = content(analyzed(export, tmp_path / "alone"))
    monkeypatch.setattr("bot.investigation.spread_worker.pack_mapped", lambda _mapped: b"\x05\0\0\0wrong")
    spreads = Spreads(told)
    with worker(told):
        assert alone == content(analyzed(export, tmp_path / "home", spreads))
    assert spreads.tally.mapped == 0
    assert spreads.tally.lost >= 1
