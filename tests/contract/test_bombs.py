"""Answers that are small on the wire and huge in memory: every source that reads over HTTP refuses them in time, with a gap."""

import gc
import gzip
import re
import time
import zlib
from pathlib import Path

import pytest
from fault_server import WHOLE, FaultServer, answer
from http_sources import HTTP_SOURCES

DEADLINE_S = 8.0
MOST_MB = 256
"""Above what the process had; a whole answer of 96 MB may lie there once, and what is read beside it."""
BOMB_MB = 1024


def deflated(megabytes):
    """Give so many megabytes of blanks as gzip, of which every megabyte is the same thousand bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    more = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + more * (megabytes - 1)


ONCE = deflated(BOMB_MB)
BOMBS = {
    "gzip": answer(ONCE, more="Content-Encoding: gzip\r\n"),
    "gzip in gzip": answer(gzip.compress(ONCE), more="Content-Encoding: gzip, gzip\r\n"),
    "empty lists": answer(b'{"data":[' + b"[]," * 15_000_000 + b"1]}"),
    "small objects": answer(b'{"items":[' + b'{"a":1},' * 3_500_000 + b"1]}"),
    "deep": answer(b"[" * 15_000_000),
}
"""Whole answers, by what they are."""


def peak_mb():
    """Give the process's peak since it was last set back."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


class Drain:
    """A sink that keeps the gaps and forgets everything else: what a source holds is its own."""

    def __init__(self):
        self.gaps = []

    def open_stream(self, _stream):
        """Number every stream alike."""
        return 0

    def add_gap(self, gap):
        """Keep what was lost."""
        self.gaps.append(gap)

    def forget(self, *_):
        """Forget it."""
        return "V1"

    add_lines = add_read = add_detail = add_event = add_object = forget
    add_series = add_message = add_ticket = forget


def struck():
    """Give every source with every bomb; midway is for the long run."""
    for source in HTTP_SOURCES:
        for bomb in BOMBS:
            yield pytest.param(source, bomb, 0, id=f"{source}-{bomb}-at once")
            if source.midway:
                yield pytest.param(source, bomb, source.midway, id=f"{source}-{bomb}-midway", marks=pytest.mark.full)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is set back as Linux does it")
@pytest.mark.parametrize(("source", "bomb", "after"), list(struck()))
def test_a_bomb_ends_in_a_gap_without_being_unpacked(source, bomb, after, monkeypatch):
    """Nothing is raised, the deadline holds, something is said to be lost, and the memory stays what it was."""
    monkeypatch.setitem(WHOLE, bomb, BOMBS[bomb])
    sink = Drain()
    with FaultServer(bomb, after=after, reply=source.reply) as server:
        reading = source.make(server.url, DEADLINE_S)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        before, began = peak_mb(), time.monotonic()
        reading.gather(sink, lambda _stage, _done, _total: None)
        assert time.monotonic() - began < DEADLINE_S + 5
        assert peak_mb() - before < MOST_MB
    assert [gap for gap in sink.gaps if gap.lost]
