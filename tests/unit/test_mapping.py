"""The map and the reduce over log lines: where and in which portions lines are mapped leaves no trace in a case."""

import random

import pytest
from spread_stage import content

from bot.casefile.mapping import Masking, map_blocks
from bot.casefile.packing import unpacked
from bot.casefile.writer import CaseWriter
from bot.domain.items import LogStream
from bot.native import batch
from bot.signals.masking import mask


def lines(number, seed=3):
    """Make lines of some kinds, each with something that changes, dated and undated, coloured and long."""
    draw = random.Random(seed)
    kinds = [
        "GET /cart {} 200",
        "lost connection to 10.0.0.{}",
        "worker {} \x1b[31mfailed\x1b[0m",
        "user {} " + "x" * 900,
    ]
    made = []
    for n in range(number):
        prefix = f"2026-11-03T12:00:{n % 60:02d}Z "
        line = (prefix + draw.choice(kinds[: 1 + 4 * (n + 1) // number]).format(draw.getrandbits(30))).encode()
        made.append((1_793_707_200 * 10**9 + n if n % 7 else -1, line, len(prefix)))
    return made


def written(path, elsewhere=None, form_of=mask):
    """Write a case of two streams whose lines come by turns."""
    with CaseWriter(path, form_of, elsewhere) as writer:
        streams = [
            writer.open_stream(
                LogStream(namespace="shop", pod=f"api-{n}", container="api", path=f"{n}.log", previous=False)
            )
            for n in range(2)
        ]
        made = lines(600)
        for begin in range(0, len(made), 37):
            writer.add_lines(streams[begin % 2], made[begin : begin + 37])
        writer.finish()
    return content(path)


class Away:
    """Maps runs somewhere else, but for those that it does not get to."""

    places = most_places = 3
    run_bytes = 9_000

    def __init__(self, fails):
        self.fails = fails
        self.done = 0
        self.closed = False

    def claim(self, size):
        """Give a place to every other run."""
        assert size > 0
        self.done += 1
        return self.done % 2 == 0

    def mapped(self, number, blocks, size):
        """Map from the frames alone."""
        return None if self.fails else map_blocks([unpacked(block) for block in blocks], Masking(mask))

    def close(self):
        """Note that it is over."""
        self.closed = True


@pytest.mark.parametrize("compiled", [True, False])
def test_portions_leave_no_trace(tmp_path, monkeypatch, compiled):
    """One run of everything, runs of a block, and runs mapped elsewhere or not in time make the same case."""
    if not compiled:
        monkeypatch.setattr(batch, "kernel", lambda: None)
    monkeypatch.setattr("bot.casefile.loglines.BLOCK_BYTES", 3_000)
    whole = written(tmp_path / "whole.case")
    assert len(whole["log_blocks"]) >= 20
    assert len(whole["log_forms"]) >= 4
    monkeypatch.setattr("bot.casefile.packing.RUN_BYTES", 1)
    away, failing = Away(fails=False), Away(fails=True)
    assert whole == written(tmp_path / "single.case")
    assert whole == written(tmp_path / "away.case", away)
    assert whole == written(tmp_path / "failing.case", failing)
    assert away.done > 5
    assert away.closed


def test_forms_are_numbered_by_their_first_line(tmp_path, monkeypatch):
    """The reduce gives numbers in the order in which forms first appear, and counts every line."""
    monkeypatch.setattr("bot.casefile.loglines.BLOCK_BYTES", 3_000)
    rows = written(tmp_path / "one.case")["log_forms"]
    firsts = [first for _, _, _, first, _ in rows]
    assert firsts == sorted(set(firsts))
    assert sum(count for _, _, count, _, _ in rows) == 600


def test_lines_without_masking_have_no_form(tmp_path):
    """A case that is written without masking keeps its lines, and no forms."""
    held = written(tmp_path / "plain.case", form_of=None)
    assert held["log_forms"] == []
    assert sum(row[2] for row in held["log_blocks"]) == 600
