"""Each source that reads over HTTP under each fault: it ends within its deadline, with a Gap and whatever it had read."""

import threading
import time

import pytest
from fault_server import FAULTS, FaultServer
from http_sources import HTTP_SOURCES
from unit.export_sink import RecordingSink

DEADLINE_S = 0.6
SLACK_S = 5.0
"""For a busy machine; a source that overlooks its deadline takes half a minute."""

TABLE: list[tuple[str, str, float, str]] = []


@pytest.fixture(scope="module", autouse=True)
def table(shown):
    """Show what came of each fault, when all are through."""
    yield
    head = f"source           fault                      ended    said (deadline {DEADLINE_S:g} s)"
    lines = [f"{name:<16} {fault:<25} {took:5.2f} s  {said}" for name, fault, took, said in TABLE]
    shown("\n".join([head, *lines]))


def ours():
    """Give the threads that run, without those of the servers."""
    return {each for each in threading.enumerate() if each.name != "fault server"}


def struck():
    """Give every source with every fault; of the faults that strike midway two stand for the others in the quick tests."""
    for source in HTTP_SOURCES:
        for fault in (*FAULTS, "401"):
            yield pytest.param(source, fault, 0, id=f"{source}-{fault}-at once")
            if source.midway:
                marks = () if fault in {"slow-body", "401"} else (pytest.mark.full,)
                yield pytest.param(source, fault, source.midway, id=f"{source}-{fault}-midway", marks=marks)


@pytest.mark.parametrize(("source", "fault", "after"), list(struck()))
def test_a_fault_ends_in_the_deadline_with_a_gap(source, fault, after):
    """Nothing is raised, nothing stays behind, and the gap is a sentence without the address or an exception."""
    sink, before = RecordingSink(), ours()
    with FaultServer(fault, after=after, reply=source.reply) as server:
        reading = source.make(server.url, DEADLINE_S)
        began = time.monotonic()
        reading.gather(sink, lambda _stage, _done, _total: None)
        took = time.monotonic() - began
    TABLE.append((source.name, f"{fault}, {'midway' if after else 'at once'}", took, sink.lost()[0].what[:70]))
    assert took < DEADLINE_S + SLACK_S
    assert ours() <= before
    for gap in sink.gaps:
        assert not [word for word in (server.url, "Traceback", "Error(", "<class") if word in gap.what]
