"""One investigation over several workers on a real PostgreSQL: the same case to the byte, whatever happens to a worker."""

import contextlib
import signal
import threading

import pytest
from postgres import postgres
from spread_stage import DYING, Spreads, analyzed, content, left_behind, settings, store_of, workers, write_logs

from bot.investigation.spread_worker import PLACES

ALIVE = ()


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """Some megabytes of logs."""
    return write_logs(tmp_path_factory.mktemp("logs") / "export", 12)


@pytest.fixture(scope="module")
def alone(export, tmp_path_factory):
    """What one process makes of them."""
    return content(analyzed(export, tmp_path_factory.mktemp("alone")))


@pytest.fixture(autouse=True)
def small_runs(monkeypatch):
    """Make runs small, so that a few megabytes are many."""
    monkeypatch.setattr("bot.investigation.spreading.RUN_BYTES", 600_000)
    monkeypatch.setattr("bot.casefile.packing.RUN_BYTES", 600_000)


@pytest.mark.timeout(120)
def test_a_killed_worker_costs_its_runs_only(tmp_path, export, alone, databases):
    """Two workers share an investigation, one is killed over a run; the case is the one that a single process makes."""
    told = settings(tmp_path / "home", databases("spread_kill"))
    with workers(told, ALIVE, (DYING, "die", 1)) as (living, dying):
        living.send_signal(signal.SIGSTOP)  # so that the other one gets a run for certain
        watching = threading.Thread(target=lambda: (dying.wait(), living.send_signal(signal.SIGCONT)))
        watching.start()
        spreads = Spreads(told)
        assert alone == content(analyzed(export, tmp_path / "home", spreads))
        watching.join()
        assert dying.wait() == -signal.SIGKILL
        living.terminate()
        assert living.wait() == 0
    assert spreads.tally.mapped >= 1
    assert 1 <= spreads.tally.lost <= PLACES
    with store_of(told) as store:
        assert left_behind(store) == 0


@pytest.mark.full
@pytest.mark.timeout(120)
@pytest.mark.parametrize("fate", ["die", "hang"])
def test_the_only_worker_is_lost(tmp_path, export, alone, databases, fate):
    """With nobody left the rest is mapped here, without waiting for long."""
    told = settings(tmp_path / "home", databases(f"spread_only_{fate}"))
    with workers(told, (DYING, fate, 3)):
        spreads = Spreads(told)
        assert alone == content(analyzed(export, tmp_path / "home", spreads))
    assert spreads.tally.lost >= 1


@pytest.mark.full
@pytest.mark.timeout(120)
def test_the_database_goes_away(tmp_path, export, alone):
    """Where the database is stopped under an investigation, all that was to be given away is mapped here."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(contextlib.ExitStack())
        told = settings(tmp_path / "home", server.enter_context(postgres())("spread_gone"))
        stack.enter_context(workers(told, ALIVE))
        spreads = Spreads(told)
        spread = spreads("case")
        server.close()
        assert alone == content(analyzed(export, tmp_path / "home", lambda _case: spread))
    assert spreads.tally.mapped == 0
    assert spreads.tally.lost >= 1
